/* sqlite_vfs.c - SQLite's file operations on a disk of ours, so that a ledger can be made to lose its
 * power, its space or its luck at any single operation.
 *
 * Bytes go to souk_disk; what a power cut forgets anyway stays in memory here: the locks of a database
 * file and its shared index of the write-ahead log (what other systems keep in "-shm"), both shared by
 * the connections of one ledger.  Sector size and "powersafe overwrite" are claimed as SQLite's own
 * unix files claim them, so that the same code runs as in production.
 *
 * Source   https://sqlite.org/vfs.html, and the comments of sqlite3_io_methods in sqlite3.h */
#include "os/thread.h"
#include "store/sqlite_tx.h"

#include <stdio.h>

enum {
    NAME_ROOM = 256,
    SECTOR_BYTES = 4096,
    SHM_PARTS_MOST = 4096 /* one for each 4096 frames: a log of 64 GiB */
};

struct sim_file;

/* One database file that somebody has open. */
struct sim_node {
    struct sim_node *next;
    char name[NAME_ROOM];
    size_t files;
    size_t shared;          /* files that hold SHARED or more */
    struct sim_file *owner; /* the one that holds RESERVED or more */
    void **parts;           /* the shared index, in parts of the size SQLite asks for */
    size_t part_count, part_room;
    unsigned shm_shared[SQLITE_SHM_NLOCK];
    bool shm_exclusive[SQLITE_SHM_NLOCK];
};

struct souk_sqlite_vfs {
    sqlite3_vfs vfs; /* pAppData: this */
    souk_mem *mem;
    souk_disk *disk;
    sqlite3_vfs *system; /* for sleep, randomness and the time of day */
    souk_mutex lock;     /* over the nodes */
    struct sim_node *nodes;
    char name[40];
};

struct sim_file {
    sqlite3_file base; /* first: SQLite's view */
    souk_sqlite_vfs *home;
    souk_file *file;
    struct sim_node *node; /* of a main database, else NULL */
    int level;
    unsigned shm_shared, shm_exclusive; /* a bit for each lock held */
    bool new_name;                      /* perhaps: the folder must be synced with the first sync */
};

static struct sim_file *file_of(sqlite3_file *base)
{
    return (struct sim_file *)(void *)base;
}

static int code_of(souk_err err, int otherwise)
{
    switch (err) {
    case SOUK_OK:
        return SQLITE_OK;
    case SOUK_ENOMEM:
        return SQLITE_IOERR_NOMEM;
    case SOUK_EFULL:
        return SQLITE_FULL;
    default:
        return otherwise;
    }
}

/* ---- nodes ---------------------------------------------------------------------------------- */

static struct sim_node *node_take(souk_sqlite_vfs *home, const char *name)
{
    souk_auto_lock(&home->lock);
    struct sim_node *node = home->nodes;
    while (node && strcmp(node->name, name) != 0)
        node = node->next;
    if (!node) {
        node = souk_mem_get(home->mem, sizeof *node);
        if (!node)
            return NULL;
        snprintf(node->name, sizeof node->name, "%s", name);
        node->next = home->nodes;
        home->nodes = node;
    }
    node->files++;
    return node;
}

static void node_forget_parts(souk_mem *mem, struct sim_node *node)
{
    for (size_t i = 0; i < node->part_count; i++)
        souk_mem_put(mem, node->parts[i]);
    souk_mem_put(mem, node->parts);
    node->parts = NULL;
    node->part_count = node->part_room = 0;
}

static void node_give(souk_sqlite_vfs *home, struct sim_node *node)
{
    souk_auto_lock(&home->lock);
    if (--node->files)
        return;
    struct sim_node **at = &home->nodes;
    while (*at != node)
        at = &(*at)->next;
    *at = node->next;
    node_forget_parts(home->mem, node);
    souk_mem_put(home->mem, node);
}

/* ---- bytes ---------------------------------------------------------------------------------- */

static int file_read(sqlite3_file *base, void *to, int bytes, sqlite3_int64 offset)
{
    size_t got = 0;
    souk_err err = souk_file_read(file_of(base)->file, to, (size_t)bytes, (uint64_t)offset, &got);
    if (err)
        return code_of(err, SQLITE_IOERR_READ);
    if (got == (size_t)bytes)
        return SQLITE_OK;
    memset((char *)to + got, 0, (size_t)bytes - got); /* SQLite relies on it */
    return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *base, const void *from, int bytes, sqlite3_int64 offset)
{
    return code_of(souk_file_write(file_of(base)->file, from, (size_t)bytes, (uint64_t)offset),
                   SQLITE_IOERR_WRITE);
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 bytes)
{
    return code_of(souk_file_truncate(file_of(base)->file, (uint64_t)bytes), SQLITE_IOERR_TRUNCATE);
}

static int file_sync(sqlite3_file *base, int flags)
{
    (void)flags;
    struct sim_file *my = file_of(base);
    if (souk_file_sync(my->file))
        return SQLITE_IOERR_FSYNC; /* whatever the reason: what is on the disk is unknown now */
    if (my->new_name && souk_disk_sync_folder(my->home->disk))
        return SQLITE_IOERR_DIR_FSYNC;
    my->new_name = false;
    return SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *ret_bytes)
{
    uint64_t bytes = 0;
    souk_err err = souk_file_size(file_of(base)->file, &bytes);
    *ret_bytes = (sqlite3_int64)bytes;
    return code_of(err, SQLITE_IOERR_FSTAT);
}

/* ---- locks of the database file ------------------------------------------------------------- */

static int file_lock(sqlite3_file *base, int level)
{
    struct sim_file *my = file_of(base);
    struct sim_node *node = my->node;
    if (!node || my->level >= level)
        return SQLITE_OK;
    souk_auto_lock(&my->home->lock);
    if (node->owner && node->owner != my &&
        (level > SQLITE_LOCK_SHARED || node->owner->level >= SQLITE_LOCK_PENDING))
        return SQLITE_BUSY;
    if (my->level == SQLITE_LOCK_NONE)
        node->shared++;
    if (level > SQLITE_LOCK_SHARED)
        node->owner = my;
    my->level = level;
    if (level == SQLITE_LOCK_EXCLUSIVE && node->shared > 1) {
        my->level = SQLITE_LOCK_PENDING; /* no new readers; the old ones must leave first */
        return SQLITE_BUSY;
    }
    return SQLITE_OK;
}

static int file_unlock(sqlite3_file *base, int level)
{
    struct sim_file *my = file_of(base);
    if (!my->node || my->level <= level)
        return SQLITE_OK;
    souk_auto_lock(&my->home->lock);
    if (my->node->owner == my)
        my->node->owner = NULL;
    if (level == SQLITE_LOCK_NONE)
        my->node->shared--;
    my->level = level;
    return SQLITE_OK;
}

static int file_check_reserved(sqlite3_file *base, int *ret_reserved)
{
    struct sim_file *my = file_of(base);
    souk_auto_lock(&my->home->lock);
    *ret_reserved = my->node && my->node->owner != NULL;
    return SQLITE_OK;
}

/* ---- the shared index of the write-ahead log -------------------------------------------------- */

static int add_part(souk_sqlite_vfs *home, struct sim_node *node, size_t bytes)
{
    if (souk_mem_grow(home->mem, &node->parts, &node->part_room, node->part_count + 1,
                      SHM_PARTS_MOST, sizeof *node->parts))
        return SQLITE_IOERR_NOMEM;
    void *part = souk_mem_get(home->mem, bytes);
    if (!part)
        return SQLITE_IOERR_NOMEM;
    node->parts[node->part_count++] = part;
    return SQLITE_OK;
}

static int shm_map(sqlite3_file *base, int index, int bytes, int extend, void volatile **ret_at)
{
    struct sim_file *my = file_of(base);
    *ret_at = NULL;
    souk_auto_lock(&my->home->lock);
    while (extend && my->node->part_count <= (size_t)index) {
        int code = add_part(my->home, my->node, (size_t)bytes);
        if (code)
            return code;
    }
    if ((size_t)index < my->node->part_count)
        *ret_at = my->node->parts[index];
    return SQLITE_OK;
}

static void shm_release(struct sim_file *my, unsigned mask)
{
    for (unsigned i = 0; i < SQLITE_SHM_NLOCK; i++) {
        unsigned bit = mask & (1u << i);
        if (my->shm_shared & bit)
            my->node->shm_shared[i]--;
        if (my->shm_exclusive & bit)
            my->node->shm_exclusive[i] = false;
    }
    my->shm_shared &= ~mask;
    my->shm_exclusive &= ~mask;
}

static int shm_lock(sqlite3_file *base, int offset, int count, int flags)
{
    struct sim_file *my = file_of(base);
    struct sim_node *node = my->node;
    unsigned mask = ((1u << count) - 1) << offset;
    souk_auto_lock(&my->home->lock);
    if (flags & SQLITE_SHM_UNLOCK) {
        shm_release(my, mask);
        return SQLITE_OK;
    }
    bool exclusive = flags & SQLITE_SHM_EXCLUSIVE;
    if (!exclusive && (my->shm_shared & mask) == mask)
        return SQLITE_OK;
    for (int i = offset; i < offset + count; i++)
        if (node->shm_exclusive[i] || (exclusive && node->shm_shared[i]))
            return SQLITE_BUSY;
    for (int i = offset; i < offset + count; i++) {
        if (exclusive)
            node->shm_exclusive[i] = true;
        else
            node->shm_shared[i]++;
    }
    *(exclusive ? &my->shm_exclusive : &my->shm_shared) |= mask;
    return SQLITE_OK;
}

static void shm_barrier(sqlite3_file *base)
{
    souk_auto_lock(&file_of(base)->home->lock); /* orders memory on every machine */
}

static int shm_unmap(sqlite3_file *base, int remove)
{
    (void)remove; /* the parts go with the node's last file */
    struct sim_file *my = file_of(base);
    souk_auto_lock(&my->home->lock);
    shm_release(my, ~0u);
    return SQLITE_OK;
}

/* ---- files ------------------------------------------------------------------------------------ */

static int file_close(sqlite3_file *base)
{
    struct sim_file *my = file_of(base);
    if (my->node) {
        (void)shm_unmap(base, 0);
        (void)file_unlock(base, SQLITE_LOCK_NONE);
        node_give(my->home, my->node);
    }
    souk_file_free(my->file);
    my->file = NULL;
    base->pMethods = NULL;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int verb, void *argument)
{
    (void)base, (void)verb, (void)argument;
    return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *base)
{
    (void)base;
    return SECTOR_BYTES;
}

static int file_characteristics(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};

/* ---- the folder ------------------------------------------------------------------------------- */

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags,
                    int *ret_flags)
{
    souk_sqlite_vfs *home = vfs->pAppData;
    struct sim_file *my = file_of(base);
    *my = (struct sim_file){.home = home};
    if (!name)
        return SQLITE_CANTOPEN; /* temporary files: ours stay in memory (temp_store) */
    /* Also where it is there already: nobody may have synced its name. */
    my->new_name =
        (flags & SQLITE_OPEN_CREATE) && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL));
    unsigned how = flags & SQLITE_OPEN_CREATE      ? SOUK_FILE_CREATE
                   : flags & SQLITE_OPEN_READWRITE ? SOUK_FILE_WRITE
                                                   : SOUK_FILE_READ;
    souk_err err = souk_file_open(home->disk, name, how, &my->file);
    if (err)
        return err == SOUK_ENOENT ? SQLITE_CANTOPEN : code_of(err, SQLITE_IOERR);
    if (flags & SQLITE_OPEN_MAIN_DB) {
        my->node = node_take(home, name);
        if (!my->node) {
            souk_file_free(my->file);
            return SQLITE_NOMEM;
        }
    }
    if (ret_flags)
        *ret_flags = flags;
    base->pMethods = &methods;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    souk_sqlite_vfs *home = vfs->pAppData;
    souk_err err = souk_disk_remove(home->disk, name);
    if (err)
        return err == SOUK_ENOENT ? SQLITE_IOERR_DELETE_NOENT : code_of(err, SQLITE_IOERR_DELETE);
    if (sync_folder && souk_disk_sync_folder(home->disk))
        return SQLITE_IOERR_DIR_FSYNC;
    return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int what, int *ret_yes)
{
    (void)what; /* what exists here may be read and written */
    souk_sqlite_vfs *home = vfs->pAppData;
    *ret_yes = souk_disk_exists(home->disk, name);
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int room, char *to)
{
    (void)vfs;
    int bytes = snprintf(to, (size_t)room, "%s", name);
    return bytes >= 0 && bytes < room ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int vfs_randomness(sqlite3_vfs *vfs, int bytes, char *to)
{
    souk_sqlite_vfs *home = vfs->pAppData;
    return home->system->xRandomness(home->system, bytes, to);
}

static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
    souk_sqlite_vfs *home = vfs->pAppData;
    return home->system->xSleep(home->system, us);
}

static int vfs_now(sqlite3_vfs *vfs, double *ret_julian_day)
{
    souk_sqlite_vfs *home = vfs->pAppData;
    return home->system->xCurrentTime(home->system, ret_julian_day);
}

static int vfs_last_error(sqlite3_vfs *vfs, int room, char *to)
{
    (void)vfs, (void)room, (void)to;
    return 0;
}

souk_err souk_sqlite_vfs_new(souk_mem *mem, souk_disk *disk, souk_sqlite_vfs **ret_vfs)
{
    /* Its count of all bytes is behind one lock that every allocation takes. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    if (sqlite3_initialize())
        return SOUK_ENOMEM;
    souk_sqlite_vfs *home = souk_mem_get(mem, sizeof *home);
    if (!home)
        return SOUK_ENOMEM;
    home->mem = mem;
    home->disk = disk;
    home->system = sqlite3_vfs_find(NULL);
    souk_assert(home->system != NULL);
    souk_mutex_init(&home->lock);
    snprintf(home->name, sizeof home->name, "souk-%p", (void *)home);
    home->vfs = (sqlite3_vfs){
        .iVersion = 1,
        .szOsFile = (int)sizeof(struct sim_file),
        .mxPathname = NAME_ROOM - 1,
        .zName = home->name,
        .pAppData = home,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_path,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_now,
        .xGetLastError = vfs_last_error,
    };
    if (sqlite3_vfs_register(&home->vfs, 0)) {
        souk_mutex_done(&home->lock);
        souk_mem_put(mem, home);
        return SOUK_ENOMEM;
    }
    *ret_vfs = home;
    return SOUK_OK;
}

void souk_sqlite_vfs_free(souk_sqlite_vfs *vfs)
{
    if (!vfs)
        return;
    souk_assert(vfs->nodes == NULL); /* a connection is still open */
    sqlite3_vfs_unregister(&vfs->vfs);
    souk_mutex_done(&vfs->lock);
    souk_mem_put(vfs->mem, vfs);
}

const char *souk_sqlite_vfs_name(const souk_sqlite_vfs *vfs)
{
    return vfs->name;
}
