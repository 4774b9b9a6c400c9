/* disk_backend.h - private to os/: what a disk must bring along to stand behind disk.h.
 *
 * disk.c checks names and flags, so a backend sees only good ones; it also owns everything that is
 * the same for all (put, take, the order of list).  A backend embeds souk_disk and souk_file as its
 * first member. */
#ifndef SOUK_OS_DISK_BACKEND_H
#define SOUK_OS_DISK_BACKEND_H

#include "os/disk.h"

/* What a caller may ask for, and the room a name takes with ".new" and its NUL. */
enum { SOUK_DISK_NAME_MOST = 200, SOUK_DISK_NAME_ROOM = 208 };

/* The bit of each promise in souk_file_flags. */
enum { SOUK_FILE_BIT_WRITE = 1, SOUK_FILE_BIT_MAKE = 2, SOUK_FILE_BIT_EMPTY = 4 };

typedef struct souk_disk_name {
    char name[SOUK_DISK_NAME_ROOM];
    uint64_t bytes;
} souk_disk_name;

/* What list collects before it calls anybody, so that the callee may change the disk. */
typedef struct souk_disk_names {
    souk_mem *mem;
    souk_disk_name *at;
    size_t count, capacity;
} souk_disk_names;
SOUK_CHECKED souk_err souk_disk_names_add(souk_disk_names *names, const char *name, uint64_t bytes);

typedef struct souk_disk_backend {
    void (*free)(souk_disk *disk);
    souk_err (*lock)(souk_disk *disk);
    souk_err (*open)(souk_disk *disk, const char *name, unsigned flags, souk_file **ret_file);
    souk_err (*scratch)(souk_disk *disk, souk_file **ret_file); /* NULL: it has none */
    void (*close)(souk_file *file);
    souk_err (*read)(souk_file *file, void *to, size_t bytes, uint64_t offset, size_t *ret_bytes);
    souk_err (*write)(souk_file *file, const void *from, size_t bytes, uint64_t offset);
    souk_err (*sync)(souk_file *file);
    souk_err (*truncate)(souk_file *file, uint64_t bytes);
    souk_err (*size)(souk_file *file, uint64_t *ret_bytes);
    /* The range lies inside the file; at and offset are multiples of a page. */
    souk_err (*map)(souk_file *file, uint64_t offset, size_t bytes, void *at, void **ret_at);
    souk_err (*make_folder)(souk_disk *disk, const char *name);
    souk_err (*rename)(souk_disk *disk, const char *from, const char *to);
    souk_err (*remove)(souk_disk *disk, const char *name);
    bool (*exists)(souk_disk *disk, const char *name);
    /* The folder, its direct sub-folders, and each folder on the way to `name` ("" for none). */
    souk_err (*sync_folder)(souk_disk *disk, const char *name);
    souk_err (*list)(souk_disk *disk, const char *under, souk_disk_names *names);
} souk_disk_backend;

struct souk_disk {
    const souk_disk_backend *backend;
    souk_mem *mem;
    const char *folder; /* the backend's */
};

struct souk_file {
    souk_disk *disk;
    bool writable;
};

#endif
