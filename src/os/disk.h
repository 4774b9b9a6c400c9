/* disk.h - one folder on a disk, real or simulated: the only door through which Souk touches files.
 *
 *     souk_auto(souk_disk) disk = NULL;
 *     SOUK_TRY(souk_disk_open_real(mem, "/var/lib/souk", &disk, diag));   or souk_disk_open_sim
 *     souk_auto(souk_file) file = NULL;
 *     SOUK_TRY(souk_file_open(disk, "keys", SOUK_FILE_CREATE, &file));
 *     SOUK_TRY(souk_file_write(file, bytes, count, 0));
 *     SOUK_TRY(souk_file_sync(file));                 only now it survives a power cut
 *     SOUK_TRY(souk_disk_sync_folder(disk));          and only now does its name
 *
 * Names are relative, without ".." and at most 200 bytes; "a/b" needs the folder made first.
 * Rename and remove are for files; "lock" is taken.
 *
 * The simulated disk keeps for every file what a reader sees and what a power cut leaves: a cut
 * keeps the synced image and, at random, any subset of the unsynced 512-byte sectors (dropped,
 * reordered, torn); a name made, removed or renamed without souk_disk_sync_folder may or may not
 * have happened.
 * It can also fail, fill up and lie:  see souk_disk_sim.
 *
 * After a failed sync the file's state is unknown: never sync again, stop and recover (ATC '20,
 * Rebello et al.).  The simulated disk then loses what a second sync claims to have saved.
 *
 * Errors   SOUK_EFULL: no space (part of the write may be there).  SOUK_EIO; every failed sync is
 *          one, a full disk too.  SOUK_ENOENT: no such file, or no such folder to make it in.
 *          SOUK_EINVAL: a bad name, a folder where a file is meant, a write to what was opened to
 *          be read.  SOUK_EDENIED: the system refuses.  SOUK_EBUSY: no descriptor left.
 *          SOUK_ETOOBIG: above what the file system can hold.  SOUK_ENOMEM.
 * Threads  a disk and its files may be used from any thread; a file is written by one at a time. */
#ifndef SOUK_OS_DISK_H
#define SOUK_OS_DISK_H

#include "base/text.h"

typedef struct souk_disk souk_disk;
typedef struct souk_file souk_file;

/* The folder is made where it is missing (mode 0700), its parent is not.  The caller frees the disk
 * after its files. */
SOUK_CHECKED souk_err souk_disk_open_real(souk_mem *mem, const char *folder, souk_disk **ret_disk,
                                          souk_diag *diag);
void souk_disk_free(souk_disk *disk);
SOUK_AUTO(souk_disk)
/* The folder as given to open_real; "" for a simulated disk. */
const char *souk_disk_folder(const souk_disk *disk);

/* Takes the exclusive advisory lock of the folder (a file named "lock"); released by free or by the
 * death of the process.  Taking it twice is fine.  SOUK_ELOCKED: held by another, be it another
 * souk_disk of this process. */
SOUK_CHECKED souk_err souk_disk_lock(souk_disk *disk);

enum souk_file_flags {
    SOUK_FILE_READ = 0,     /* must exist, cannot be written */
    SOUK_FILE_WRITE = 1,    /* must exist */
    SOUK_FILE_CREATE = 3,   /* made where missing (mode 0600), can be written */
    SOUK_FILE_TRUNCATE = 7, /* made or emptied, can be written */
};
SOUK_CHECKED souk_err souk_file_open(souk_disk *disk, const char *name, unsigned flags,
                                     souk_file **ret_file);
/* A file in memory: it has no name, nothing is synced, it is gone when closed.  Copies of the process share it
 * (os/process.h).  SOUK_EINVAL: not a disk of the system.  SOUK_EBUSY.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_file_scratch(souk_disk *disk, souk_file **ret_file);
/* Closes; unsynced bytes stay unsynced. */
void souk_file_free(souk_file *file);
SOUK_AUTO(souk_file)
/* Reads what is there of [offset, offset + bytes): fewer bytes only at the end of the file. */
SOUK_CHECKED souk_err souk_file_read(souk_file *file, void *to, size_t bytes, uint64_t offset,
                                     size_t *ret_bytes);
/* All or an error; beyond the end the gap reads as zeros. */
SOUK_CHECKED souk_err souk_file_write(souk_file *file, const void *from, size_t bytes,
                                      uint64_t offset);
SOUK_CHECKED souk_err souk_file_sync(souk_file *file); /* fdatasync */
/* Writes to `to` what `from` has in [offset, offset + bytes), at the same place; fewer bytes at its end. */
SOUK_CHECKED souk_err souk_file_copy(souk_file *from, souk_file *to, uint64_t offset, size_t bytes);
SOUK_CHECKED souk_err souk_file_truncate(souk_file *file, uint64_t bytes);
SOUK_CHECKED souk_err souk_file_size(souk_file *file, uint64_t *ret_bytes);

/* Maps [offset, offset + bytes), offset a multiple of 4096, as private memory: readable, writable
 * without touching the file (MAP_PRIVATE), paged in on demand.  `at` NULL lets the system choose,
 * else the mapping replaces what lies at that page-aligned address (see region.h).  The simulated
 * disk copies.  Unmap with souk_map_done, except where `at` was given.  While a map lives, the file
 * must be neither written nor truncated (remove and rename are fine).
 * SOUK_EINVAL: no bytes, offset or at unaligned.  SOUK_ECORRUPT: the file ends before the range. */
SOUK_CHECKED souk_err souk_file_map(souk_file *file, uint64_t offset, size_t bytes, void *at,
                                    void **ret_at);
void souk_map_done(souk_disk *disk, void *at, size_t bytes);

/* SOUK_EEXIST: there is such a name. */
SOUK_CHECKED souk_err souk_disk_make_folder(souk_disk *disk, const char *name);
/* Replaces `to` where it exists; atomic. */
SOUK_CHECKED souk_err souk_disk_rename(souk_disk *disk, const char *from, const char *to);
SOUK_CHECKED souk_err souk_disk_remove(souk_disk *disk, const char *name);
bool souk_disk_exists(souk_disk *disk, const char *name);
/* Makes names durable: those of the folder and of its direct sub-folders. */
SOUK_CHECKED souk_err souk_disk_sync_folder(souk_disk *disk);
/* Calls `each` with every file name below the folder `under` ("" for all), however deep, in byte
 * order and as the other verbs take it ("under/name"); folders and the lock are left out.  A call
 * that returns an error ends the walk with it.  The names are collected first: each may change the
 * disk. */
SOUK_CHECKED souk_err souk_disk_list(souk_disk *disk, const char *under,
                                     souk_err (*each)(void *context, const char *name,
                                                      uint64_t bytes),
                                     void *context);
/* Writes the whole file under a temporary name, syncs, renames, syncs as souk_disk_sync_folder does
 * and each folder on the way to the name.  The temporary name is "NAME.new": a crash may leave it,
 * the next put replaces it. */
SOUK_CHECKED souk_err souk_disk_put(souk_disk *disk, const char *name, const void *from,
                                    size_t bytes);
/* Whether so many bytes can be added now: writes them into the file "room" and removes it again.
 * SOUK_EFULL. */
SOUK_CHECKED souk_err souk_disk_try_room(souk_disk *disk, size_t bytes);
/* Reads the whole file into buf, which is emptied first.  SOUK_ENOENT.  SOUK_ETOOBIG: buf's ceiling
 * is lower than the file is long. */
SOUK_CHECKED souk_err souk_disk_take(souk_disk *disk, const char *name, souk_buf *buf);

/* ---- the simulated disk ---------------------------------------------------------------- */

SOUK_CHECKED souk_err souk_disk_open_sim(souk_mem *mem, uint64_t seed, souk_disk **ret_disk);

/* What goes wrong next.  Operations are writes, syncs, truncates, renames, removes, creations,
 * counted from 1 since the last souk_sim_plan; reads count only where fail_reads is set. */
typedef struct souk_sim_faults {
    /* The power goes at this operation, which is half done; 0: never.  Every later operation and
     * every read of the old life fails with SOUK_EIO. */
    uint64_t cut_at;
    uint64_t fail_at; /* this operation fails with fail_err (SOUK_EIO if unset); 0: never */
    souk_err fail_err;
    bool fail_for_ever; /* and every one after it */
    bool fail_reads;
    uint64_t capacity_bytes; /* over all files with a name; 0: endless; beyond: SOUK_EFULL */
    bool lying_sync;         /* sync says yes and does nothing: the harness must notice */
} souk_sim_faults;
void souk_sim_plan(souk_disk *disk, souk_sim_faults faults);
/* Operations counted since the last plan; whether the planned cut has happened. */
uint64_t souk_sim_operations(const souk_disk *disk);
bool souk_sim_is_cut(const souk_disk *disk);
/* What the plan's first failure met since the plan was made. */
enum souk_sim_op {
    SOUK_SIM_NOTHING,
    SOUK_SIM_READ,
    SOUK_SIM_WRITE,
    SOUK_SIM_SYNC,
    SOUK_SIM_TRUNCATE,
    SOUK_SIM_CREATE,
    SOUK_SIM_RENAME,
    SOUK_SIM_REMOVE,
    SOUK_SIM_SYNC_FOLDER,
};
typedef struct souk_sim_struck {
    enum souk_sim_op op;
    char name[256]; /* of the file; of a rename, the old one */
} souk_sim_struck;
souk_sim_struck souk_sim_struck_by_plan(const souk_disk *disk);
/* The power returns: what was not synced is lost or torn at random, faults are cleared, locks are
 * free.  Open files of the old life must be freed before this call. */
void souk_sim_power_on(souk_disk *disk);
/* Calls each with the bytes a thief of the disk would read, file by file (visible image), in byte
 * order of the names; each must not use the disk. */
void souk_sim_scan(souk_disk *disk,
                   void (*each)(void *context, const char *name, const void *at, size_t bytes),
                   void *context);

#endif
