/* disk_sim_names.c - the names of a simulated disk: seen at once, kept after a sync, else by luck.
 *
 * Changes that share a name, or a folder and what lies in it, keep their order; all others are free
 * of each other.  So a cut can leave the newer of two files without the older, and a renamed file
 * under its old name, but never loses a file that a synced name led to, and never shows half a
 * rename. */
#include "os/disk_sim.h"

enum { NAMES_MOST = 1 << 16, PENDING_MOST = 1024 };

static souk_text folder_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    return (souk_text){name, slash ? (size_t)(slash - name) : 0};
}

/* The place of `name`, or where it would be put; whether it is there. */
static bool table_seek(const souk_sim_table *table, const char *name, size_t *ret_index)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(table->at[middle].name, name);
        if (order == 0) {
            *ret_index = middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_index = low;
    return false;
}

souk_sim_node *souk_sim_names_find(const souk_sim_names *names, const char *name)
{
    size_t index;
    return table_seek(&names->seen, name, &index) ? names->seen.at[index].node : NULL;
}

bool souk_sim_names_has_place(const souk_sim_names *names, const char *name)
{
    souk_text folder = folder_of(name);
    if (folder.bytes == 0)
        return true;
    char copy[SOUK_DISK_NAME_ROOM];
    memcpy(copy, folder.at, folder.bytes);
    copy[folder.bytes] = 0;
    const souk_sim_node *node = souk_sim_names_find(names, copy);
    return node && node->is_folder;
}

static void table_apply(souk_sim_names *names, souk_sim_table *table, const souk_sim_change *change)
{
    size_t index;
    if (*change->off && table_seek(table, change->off, &index)) {
        souk_sim_node_drop(names->nodes, table->at[index].node);
        table->count--;
        memmove(&table->at[index], &table->at[index + 1],
                (table->count - index) * sizeof *table->at);
    }
    if (!*change->on)
        return;
    change->node->refs++;
    if (table_seek(table, change->on, &index)) {
        souk_sim_node_drop(names->nodes, table->at[index].node);
    } else {
        souk_assert(table->count < table->capacity);
        memmove(&table->at[index + 1], &table->at[index],
                (table->count - index) * sizeof *table->at);
        table->count++;
        memcpy(table->at[index].name, change->on, sizeof change->on);
    }
    table->at[index].node = change->node;
}

/* Makes the marked changes durable, in their order; the others stay pending. */
static void keep_marked(souk_sim_names *names)
{
    size_t left = 0;
    for (size_t i = 0; i < names->pending_count; i++) {
        if (names->pending[i].marked) {
            table_apply(names, &names->kept, &names->pending[i]);
            souk_sim_node_drop(names->nodes, names->pending[i].node);
        } else {
            if (left != i)
                names->pending[left] = names->pending[i];
            left++;
        }
    }
    names->pending_count = left;
}

/* A disk that is never synced writes its oldest names some day: the list of changes has an end. */
static void age(souk_sim_names *names)
{
    if (names->pending_count < PENDING_MOST)
        return;
    for (size_t i = 0; i < names->pending_count; i++)
        names->pending[i].marked = i < PENDING_MOST / 2;
    keep_marked(names);
}

/* Room for this change, for applying every pending one at a cut, and for seen becoming kept. */
static souk_err reserve(souk_sim_names *names)
{
    souk_mem *mem = names->nodes->mem;
    size_t need = souk_max_size(names->seen.count, names->kept.count) + names->pending_count + 1;
    if (need > NAMES_MOST)
        return SOUK_EFULL;
    SOUK_TRY(souk_mem_grow(mem, &names->seen.at, &names->seen.capacity, need, NAMES_MOST,
                           sizeof *names->seen.at));
    SOUK_TRY(souk_mem_grow(mem, &names->kept.at, &names->kept.capacity, need, NAMES_MOST,
                           sizeof *names->kept.at));
    return souk_mem_grow(mem, &names->pending, &names->pending_capacity, names->pending_count + 1,
                         PENDING_MOST, sizeof *names->pending);
}

static void copy_name(char to[SOUK_DISK_NAME_ROOM], const char *from)
{
    size_t bytes = strlen(from);
    souk_assert(bytes < SOUK_DISK_NAME_ROOM);
    memcpy(to, from, bytes + 1);
}

souk_err souk_sim_names_change(souk_sim_names *names, souk_sim_node *node, const char *off,
                               const char *on)
{
    age(names);
    SOUK_TRY(reserve(names));
    souk_sim_change *change = &names->pending[names->pending_count++];
    change->node = node;
    change->marked = false;
    copy_name(change->off, off);
    copy_name(change->on, on);
    node->refs++; /* the change's own, before a table may drop the last other one */
    table_apply(names, &names->seen, change);
    return SOUK_OK;
}

static bool is_inside(const char *name, const char *folder)
{
    size_t bytes = strlen(folder);
    return !strncmp(name, folder, bytes) && name[bytes] == '/';
}

static bool names_meet(const char *a, const char *b)
{
    return *a && *b && (!strcmp(a, b) || is_inside(a, b) || is_inside(b, a));
}

static bool changes_meet(const souk_sim_change *a, const souk_sim_change *b)
{
    return names_meet(a->off, b->off) || names_meet(a->off, b->on) || names_meet(a->on, b->off) ||
           names_meet(a->on, b->on);
}

static bool is_synced(const char *name, const char *way)
{
    souk_text folder = folder_of(name);
    if (!*name)
        return false;
    return !memchr(folder.at, '/', folder.bytes) ||
           (!strncmp(way, folder.at, folder.bytes) && way[folder.bytes] == '/');
}

void souk_sim_names_sync(souk_sim_names *names, const char *way)
{
    /* From the newest to the oldest, so that what a chosen change rests on is chosen with it. */
    for (size_t i = names->pending_count; i-- > 0;) {
        souk_sim_change *change = &names->pending[i];
        change->marked = is_synced(change->off, way) || is_synced(change->on, way);
        for (size_t j = i + 1; !change->marked && j < names->pending_count; j++)
            change->marked = names->pending[j].marked && changes_meet(change, &names->pending[j]);
    }
    keep_marked(names);
}

/* Whether the folder's own journal got as far as change `index`.  Half of the folders keep a prefix
 * of what happened in them, the others any subset; `salt` is new with every cut. */
static bool folder_keeps(const souk_sim_names *names, const char *name, size_t index, uint64_t salt,
                         uint64_t *random)
{
    if (!*name)
        return true;
    souk_text folder = folder_of(name);
    uint64_t hash = salt;
    for (size_t i = 0; i < folder.bytes; i++)
        hash = (hash ^ (unsigned char)folder.at[i]) * 0x100000001b3u;
    uint64_t fate = souk_sim_random(&hash);
    if (fate & 1)
        return souk_sim_coin(random);
    return index < (fate >> 1) % (names->pending_count + 1);
}

void souk_sim_names_cut(souk_sim_names *names, uint64_t *random)
{
    uint64_t salt = souk_sim_random(random);
    for (size_t i = 0; i < names->pending_count; i++) {
        souk_sim_change *change = &names->pending[i];
        change->marked = folder_keeps(names, change->off, i, salt, random) &&
                         folder_keeps(names, change->on, i, salt, random);
        for (size_t j = 0; change->marked && j < i; j++)
            change->marked = names->pending[j].marked || !changes_meet(change, &names->pending[j]);
    }
    keep_marked(names);
    for (size_t i = 0; i < names->pending_count; i++)
        souk_sim_node_drop(names->nodes, names->pending[i].node);
    names->pending_count = 0;

    for (size_t i = 0; i < names->kept.count; i++) {
        names->kept.at[i].node->refs++;
        souk_sim_node_cut(names->kept.at[i].node, random);
    }
    for (size_t i = 0; i < names->seen.count; i++)
        souk_sim_node_drop(names->nodes, names->seen.at[i].node);
    names->seen.count = names->kept.count;
    if (names->kept.count)
        memcpy(names->seen.at, names->kept.at, names->kept.count * sizeof *names->kept.at);
}

static void table_done(souk_sim_names *names, souk_sim_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        souk_sim_node_drop(names->nodes, table->at[i].node);
    souk_mem_put(names->nodes->mem, table->at);
}

void souk_sim_names_done(souk_sim_names *names)
{
    for (size_t i = 0; i < names->pending_count; i++)
        souk_sim_node_drop(names->nodes, names->pending[i].node);
    souk_mem_put(names->nodes->mem, names->pending);
    table_done(names, &names->seen);
    table_done(names, &names->kept);
}
