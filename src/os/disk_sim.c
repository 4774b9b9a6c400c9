/* disk_sim.c - a disk in memory that can lose its power, fail, fill up and lie.
 *
 * Workload  crash tests: a story of some hundred operations on files of a few hundred KB, cut at
 *           each of them, thousands of times a second.
 *
 * The bytes are in disk_sim_node.c, the names in disk_sim_names.c; here is the plan of faults and
 * the door: one mutex, taken by every verb.  An operation that the plan hits is half done: a write
 * has put down some of its sectors, a change of names has or has not happened. */
#include "os/disk_sim.h"
#include "os/thread.h"

#include <stdio.h>
#include <sys/mman.h>

typedef struct sim_disk {
    souk_disk disk;
    souk_mutex mutex; /* guards all below */
    souk_sim_nodes nodes;
    souk_sim_names names;
    souk_sim_faults faults;
    uint64_t operations, random;
    souk_sim_struck struck;
    size_t open_count;
    bool cut;
} sim_disk;

typedef struct sim_file {
    souk_file file;
    souk_sim_node *node;
} sim_file;

static const souk_disk_backend sim_backend;

static sim_disk *sim_of(const souk_disk *disk)
{
    souk_assert(disk->backend == &sim_backend);
    return (sim_disk *)(uintptr_t)disk;
}

static souk_sim_node *node_of(const souk_file *file)
{
    return ((const sim_file *)file)->node;
}

/* What the plan says to the operation that begins now. */
typedef enum verdict { GO, FAILS, TORN_BY_CUT, DEAD } verdict;

static const char *name_of(const sim_disk *sim, const souk_sim_node *node)
{
    for (size_t i = 0; i < sim->names.seen.count; i++)
        if (sim->names.seen.at[i].node == node)
            return sim->names.seen.at[i].name;
    return ""; /* removed meanwhile */
}

static void strike(sim_disk *sim, enum souk_sim_op op, const char *name)
{
    if (sim->struck.op)
        return;
    sim->struck.op = op;
    snprintf(sim->struck.name, sizeof sim->struck.name, "%s", name);
}

/* An operation on the node, or (NULL) on the name. */
static verdict begin(sim_disk *sim, enum souk_sim_op op, const souk_sim_node *node,
                     const char *name)
{
    if (sim->cut)
        return DEAD;
    uint64_t number = ++sim->operations;
    const souk_sim_faults *plan = &sim->faults;
    if (number == plan->cut_at) {
        sim->cut = true;
        return TORN_BY_CUT;
    }
    if (plan->fail_at &&
        (number == plan->fail_at || (plan->fail_for_ever && number > plan->fail_at))) {
        strike(sim, op, node ? name_of(sim, node) : name);
        return FAILS;
    }
    return GO;
}

static souk_err err_of(const sim_disk *sim, verdict said)
{
    if (said == GO)
        return SOUK_OK;
    return said == FAILS && sim->faults.fail_err ? sim->faults.fail_err : SOUK_EIO;
}

static souk_err begin_read(sim_disk *sim, const souk_sim_node *node, const char *name)
{
    if (sim->faults.fail_reads)
        return err_of(sim, begin(sim, SOUK_SIM_READ, node, name));
    return sim->cut ? SOUK_EIO : SOUK_OK;
}

/* For what happens wholly or not at all: whether it does. */
static bool happens(sim_disk *sim, verdict said)
{
    return said == GO || (said == TORN_BY_CUT && souk_sim_coin(&sim->random));
}

/* How many bytes `node` may grow: everything that has a name counts against the capacity. */
static uint64_t space_left(const sim_disk *sim)
{
    if (sim->faults.capacity_bytes == 0)
        return UINT64_MAX;
    uint64_t used = 0;
    for (size_t i = 0; i < sim->names.seen.count; i++)
        used += sim->names.seen.at[i].node->seen_bytes;
    return used < sim->faults.capacity_bytes ? sim->faults.capacity_bytes - used : 0;
}

/* ---- files --------------------------------------------------------------------------------- */

/* Finds or makes the node of an open, with one reference for the file. */
static souk_err open_node(sim_disk *sim, const char *name, unsigned flags, souk_sim_node **ret_node)
{
    souk_sim_node *node = souk_sim_names_find(&sim->names, name);
    if (node && node->is_folder)
        return SOUK_EINVAL;
    if (node && !(flags & SOUK_FILE_BIT_EMPTY)) {
        node->refs++;
        *ret_node = node;
        return SOUK_OK;
    }
    if (!node && (!(flags & SOUK_FILE_BIT_MAKE) || !souk_sim_names_has_place(&sim->names, name)))
        return SOUK_ENOENT;

    verdict said = begin(sim, SOUK_SIM_CREATE, NULL, name);
    if (!happens(sim, said))
        return err_of(sim, said);
    if (node) {
        SOUK_TRY(souk_sim_node_truncate(sim->disk.mem, node, 0));
        node->refs++;
    } else {
        SOUK_TRY(souk_sim_node_new(&sim->nodes, false, &node));
        souk_err err = souk_sim_names_change(&sim->names, node, "", name);
        if (err) {
            souk_sim_node_drop(&sim->nodes, node);
            return err;
        }
    }
    if (said != GO) {
        souk_sim_node_drop(&sim->nodes, node);
        return err_of(sim, said);
    }
    *ret_node = node;
    return SOUK_OK;
}

static souk_err sim_open(souk_disk *disk, const char *name, unsigned flags, souk_file **ret_file)
{
    sim_disk *sim = sim_of(disk);
    souk_auto_lock(&sim->mutex);
    if (sim->cut)
        return SOUK_EIO;
    sim_file *file = souk_mem_get(disk->mem, sizeof *file);
    if (!file)
        return SOUK_ENOMEM;
    file->file = (souk_file){disk, flags & SOUK_FILE_BIT_WRITE};
    souk_err err = open_node(sim, name, flags, &file->node);
    if (err) {
        souk_mem_put(disk->mem, file);
        return err;
    }
    sim->open_count++;
    *ret_file = &file->file;
    return SOUK_OK;
}

static void sim_close(souk_file *file)
{
    sim_disk *sim = sim_of(file->disk);
    souk_auto_lock(&sim->mutex);
    souk_sim_node_drop(&sim->nodes, node_of(file));
    sim->open_count--;
    souk_mem_put(sim->disk.mem, file);
}

static souk_err sim_read(souk_file *file, void *to, size_t bytes, uint64_t offset,
                         size_t *ret_bytes)
{
    sim_disk *sim = sim_of(file->disk);
    souk_auto_lock(&sim->mutex);
    const souk_sim_node *node = node_of(file);
    SOUK_TRY(begin_read(sim, node, NULL));
    size_t there = offset < node->seen_bytes ? (size_t)(node->seen_bytes - offset) : 0;
    *ret_bytes = souk_min_size(bytes, there);
    if (*ret_bytes)
        memcpy(to, node->seen + offset, *ret_bytes);
    return SOUK_OK;
}

/* A torn write ends at a sector's border: sectors are whole or not at all. */
static size_t torn_bytes(sim_disk *sim, uint64_t offset, size_t bytes)
{
    uint64_t first = offset / SOUK_SIM_SECTOR;
    uint64_t sectors = (offset + bytes - 1) / SOUK_SIM_SECTOR - first + 1;
    uint64_t whole = souk_sim_random(&sim->random) % (sectors + 1);
    uint64_t end = (first + whole) * SOUK_SIM_SECTOR;
    return end <= offset ? 0 : souk_min_size(bytes, (size_t)(end - offset));
}

static souk_err sim_write(souk_file *file, const void *from, size_t bytes, uint64_t offset)
{
    sim_disk *sim = sim_of(file->disk);
    souk_auto_lock(&sim->mutex);
    verdict said = begin(sim, SOUK_SIM_WRITE, node_of(file), NULL);
    souk_err err = err_of(sim, said);
    if (said == DEAD)
        return err;
    souk_sim_node *node = node_of(file);
    size_t fits = said == GO ? bytes : torn_bytes(sim, offset, bytes);
    if (said == FAILS && err == SOUK_EFULL && fits == bytes)
        fits = 0; /* a kernel that finds no room has not written all: that would have gone well */
    uint64_t end = offset + fits, left = space_left(sim);
    if (end > node->seen_bytes && end - node->seen_bytes > left) {
        /* As the kernel does: what fits is written, then comes the error. */
        end = node->seen_bytes + left;
        fits = end > offset ? (size_t)(end - offset) : 0;
        err = err ? err : SOUK_EFULL;
    }
    SOUK_TRY(souk_sim_node_write(sim->disk.mem, node, from, fits, offset, &sim->random));
    return err;
}

static souk_err sim_sync(souk_file *file)
{
    sim_disk *sim = sim_of(file->disk);
    souk_auto_lock(&sim->mutex);
    verdict said = begin(sim, SOUK_SIM_SYNC, node_of(file), NULL);
    if (said == FAILS)
        souk_sim_node_sync_failed(node_of(file), &sim->random);
    else if (said == GO && !sim->faults.lying_sync)
        souk_sim_node_sync(node_of(file));
    return err_of(sim, said);
}

static souk_err sim_truncate(souk_file *file, uint64_t bytes)
{
    sim_disk *sim = sim_of(file->disk);
    souk_auto_lock(&sim->mutex);
    verdict said = begin(sim, SOUK_SIM_TRUNCATE, node_of(file), NULL);
    if (!happens(sim, said))
        return err_of(sim, said);
    souk_sim_node *node = node_of(file);
    if (bytes > node->seen_bytes && bytes - node->seen_bytes > space_left(sim))
        return SOUK_EFULL;
    SOUK_TRY(souk_sim_node_truncate(sim->disk.mem, node, bytes));
    return err_of(sim, said);
}

static souk_err sim_size(souk_file *file, uint64_t *ret_bytes)
{
    sim_disk *sim = sim_of(file->disk);
    souk_auto_lock(&sim->mutex);
    if (sim->cut)
        return SOUK_EIO;
    *ret_bytes = node_of(file)->seen_bytes;
    return SOUK_OK;
}

static souk_err sim_map(souk_file *file, uint64_t offset, size_t bytes, void *at, void **ret_at)
{
    void *got = mmap(at, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED : 0), -1, 0);
    if (got == MAP_FAILED)
        return SOUK_ENOMEM;
    size_t copied;
    souk_err err = sim_read(file, got, bytes, offset, &copied);
    if (err) {
        if (!at)
            munmap(got, bytes);
        return err;
    }
    *ret_at = got;
    return SOUK_OK;
}

/* ---- names --------------------------------------------------------------------------------- */

static souk_err sim_lock(souk_disk *disk)
{
    sim_disk *sim = sim_of(disk);
    souk_auto_lock(&sim->mutex);
    return sim->cut ? SOUK_EIO : SOUK_OK;
}

static souk_err sim_make_folder(souk_disk *disk, const char *name)
{
    sim_disk *sim = sim_of(disk);
    souk_auto_lock(&sim->mutex);
    if (sim->cut)
        return SOUK_EIO;
    if (souk_sim_names_find(&sim->names, name))
        return SOUK_EEXIST;
    if (!souk_sim_names_has_place(&sim->names, name))
        return SOUK_ENOENT;
    verdict said = begin(sim, SOUK_SIM_CREATE, NULL, name);
    if (!happens(sim, said))
        return err_of(sim, said);
    souk_sim_node *node;
    SOUK_TRY(souk_sim_node_new(&sim->nodes, true, &node));
    souk_err err = souk_sim_names_change(&sim->names, node, "", name);
    souk_sim_node_drop(&sim->nodes, node);
    return err ? err : err_of(sim, said);
}

static souk_err sim_rename(souk_disk *disk, const char *from, const char *to)
{
    sim_disk *sim = sim_of(disk);
    souk_auto_lock(&sim->mutex);
    if (sim->cut)
        return SOUK_EIO;
    souk_sim_node *node = souk_sim_names_find(&sim->names, from);
    const souk_sim_node *old = souk_sim_names_find(&sim->names, to);
    if ((node && node->is_folder) || (old && old->is_folder))
        return SOUK_EINVAL;
    if (!node || !souk_sim_names_has_place(&sim->names, to))
        return SOUK_ENOENT;
    verdict said = begin(sim, SOUK_SIM_RENAME, NULL, from);
    if (happens(sim, said) && strcmp(from, to) != 0)
        SOUK_TRY(souk_sim_names_change(&sim->names, node, from, to));
    return err_of(sim, said);
}

static souk_err sim_remove(souk_disk *disk, const char *name)
{
    sim_disk *sim = sim_of(disk);
    souk_auto_lock(&sim->mutex);
    if (sim->cut)
        return SOUK_EIO;
    souk_sim_node *node = souk_sim_names_find(&sim->names, name);
    if (!node)
        return SOUK_ENOENT;
    if (node->is_folder)
        return SOUK_EINVAL;
    verdict said = begin(sim, SOUK_SIM_REMOVE, NULL, name);
    if (happens(sim, said))
        SOUK_TRY(souk_sim_names_change(&sim->names, node, name, ""));
    return err_of(sim, said);
}

static bool sim_exists(souk_disk *disk, const char *name)
{
    sim_disk *sim = sim_of(disk);
    souk_auto_lock(&sim->mutex);
    return !sim->cut && souk_sim_names_find(&sim->names, name);
}

static souk_err sim_sync_folder(souk_disk *disk, const char *name)
{
    sim_disk *sim = sim_of(disk);
    souk_auto_lock(&sim->mutex);
    verdict said = begin(sim, SOUK_SIM_SYNC_FOLDER, NULL, name);
    if (said == GO && !sim->faults.lying_sync)
        souk_sim_names_sync(&sim->names, name);
    return err_of(sim, said);
}

static souk_err sim_list(souk_disk *disk, const char *under, souk_disk_names *names)
{
    sim_disk *sim = sim_of(disk);
    souk_auto_lock(&sim->mutex);
    SOUK_TRY(begin_read(sim, NULL, under));
    const souk_sim_node *folder = souk_sim_names_find(&sim->names, under);
    if (*under && (!folder || !folder->is_folder))
        return SOUK_ENOENT;
    size_t bytes = strlen(under);
    for (size_t i = 0; i < sim->names.seen.count; i++) {
        const souk_sim_entry *entry = &sim->names.seen.at[i];
        bool below =
            bytes == 0 || (!strncmp(entry->name, under, bytes) && entry->name[bytes] == '/');
        if (below && !entry->node->is_folder)
            SOUK_TRY(souk_disk_names_add(names, entry->name, entry->node->seen_bytes));
    }
    return SOUK_OK;
}

/* ---- life ---------------------------------------------------------------------------------- */

static void sim_free(souk_disk *disk)
{
    sim_disk *sim = sim_of(disk);
    souk_assert(sim->open_count == 0);
    souk_sim_names_done(&sim->names);
    souk_sim_nodes_done(&sim->nodes);
    souk_mutex_done(&sim->mutex);
    souk_mem_put(disk->mem, sim);
}

static const souk_disk_backend sim_backend = {
    .free = sim_free,
    .lock = sim_lock,
    .open = sim_open,
    .close = sim_close,
    .read = sim_read,
    .write = sim_write,
    .sync = sim_sync,
    .truncate = sim_truncate,
    .size = sim_size,
    .map = sim_map,
    .make_folder = sim_make_folder,
    .rename = sim_rename,
    .remove = sim_remove,
    .exists = sim_exists,
    .sync_folder = sim_sync_folder,
    .list = sim_list,
};

souk_err souk_disk_open_sim(souk_mem *mem, uint64_t seed, souk_disk **ret_disk)
{
    sim_disk *sim = souk_mem_get(mem, sizeof *sim);
    if (!sim)
        return SOUK_ENOMEM;
    sim->disk = (souk_disk){&sim_backend, mem, ""};
    sim->random = seed;
    sim->nodes.mem = mem;
    sim->names.nodes = &sim->nodes;
    souk_mutex_init(&sim->mutex);
    *ret_disk = &sim->disk;
    return SOUK_OK;
}

void souk_sim_plan(souk_disk *disk, souk_sim_faults faults)
{
    sim_disk *sim = sim_of(disk);
    souk_auto_lock(&sim->mutex);
    sim->faults = faults;
    sim->operations = 0;
    sim->struck = (souk_sim_struck){0};
}

souk_sim_struck souk_sim_struck_by_plan(const souk_disk *disk)
{
    sim_disk *sim = sim_of(disk);
    souk_auto_lock(&sim->mutex);
    return sim->struck;
}

uint64_t souk_sim_operations(const souk_disk *disk)
{
    sim_disk *sim = sim_of(disk);
    souk_auto_lock(&sim->mutex);
    return sim->operations;
}

bool souk_sim_is_cut(const souk_disk *disk)
{
    sim_disk *sim = sim_of(disk);
    souk_auto_lock(&sim->mutex);
    return sim->cut;
}

void souk_sim_power_on(souk_disk *disk)
{
    sim_disk *sim = sim_of(disk);
    souk_auto_lock(&sim->mutex);
    souk_assert(sim->open_count == 0);
    souk_sim_names_cut(&sim->names, &sim->random);
    sim->faults = (souk_sim_faults){0};
    sim->operations = 0;
    sim->cut = false;
}

void souk_sim_scan(souk_disk *disk,
                   void (*each)(void *context, const char *name, const void *at, size_t bytes),
                   void *context)
{
    sim_disk *sim = sim_of(disk);
    souk_auto_lock(&sim->mutex);
    for (size_t i = 0; i < sim->names.seen.count; i++) {
        const souk_sim_entry *entry = &sim->names.seen.at[i];
        if (!entry->node->is_folder)
            each(context, entry->name, entry->node->seen_bytes ? entry->node->seen : NULL,
                 (size_t)entry->node->seen_bytes);
    }
}
