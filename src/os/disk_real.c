/* disk_real.c - disk.h on the kernel's file system.
 *
 * Everything is opened relative to one descriptor of the folder, so that a renamed or replaced path
 * above it cannot lead us elsewhere, and closed on exec, so that no child inherits the shop's data.
 * Interrupted calls are repeated and short ones continued.
 *
 * A sync that fails reports SOUK_EIO whatever the reason: the kernel has marked the dirty pages
 * clean, so even "no space" can no longer be mended by waiting (Rebello et al., ATC '20). */
#include "os/disk_backend.h"
#include "os/thread.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct real_disk {
    souk_disk disk;
    int fd;
    int lock_fd; /* -1: not locked */
    dev_t device;
    ino_t inode;
    struct real_disk *next_locked;
} real_disk;

typedef struct real_file {
    souk_file file;
    int fd;
} real_file;

static real_disk *real_of(souk_disk *disk)
{
    return (real_disk *)disk;
}

static int fd_of(const souk_file *file)
{
    return ((const real_file *)file)->fd;
}

static souk_err err_of(int system_error)
{
    switch (system_error) {
    case ENOENT:
    case ENOTDIR:
        return SOUK_ENOENT;
    case EEXIST:
        return SOUK_EEXIST;
    case ENOSPC:
    case EDQUOT:
        return SOUK_EFULL;
    case ENOMEM:
        return SOUK_ENOMEM;
    case EFBIG:
    case EOVERFLOW:
        return SOUK_ETOOBIG;
    case EISDIR:
    case EINVAL:
    case ENAMETOOLONG:
        return SOUK_EINVAL;
    case EACCES:
    case EPERM:
    case EROFS:
        return SOUK_EDENIED;
    case EMFILE:
    case ENFILE:
        return SOUK_EBUSY;
    default:
        return SOUK_EIO;
    }
}

static int open_at(int folder_fd, const char *name, int flags)
{
    int fd;
    do
        fd = openat(folder_fd, name, flags | O_CLOEXEC, 0600);
    while (fd < 0 && errno == EINTR);
    return fd;
}

static void close_fd(int fd)
{
    /* Linux has closed it even where it says EINTR: close(2). */
    if (fd >= 0)
        close(fd);
}

static souk_err sync_fd(int fd, int (*sync)(int fd))
{
    int failed;
    do
        failed = sync(fd);
    while (failed && errno == EINTR);
    return failed ? SOUK_EIO : SOUK_OK;
}

/* ---- the lock ------------------------------------------------------------------------------ */

/* flock already refuses a second descriptor of one process, but network file systems turn it into
 * a lock of the process: so the process keeps its own list of the folders it holds. */
static souk_mutex locked_mutex = SOUK_MUTEX_INIT;
static real_disk *locked_disks;

static bool is_locked_here(const real_disk *disk)
{
    for (const real_disk *other = locked_disks; other; other = other->next_locked)
        if (other->device == disk->device && other->inode == disk->inode)
            return true;
    return false;
}

static souk_err real_lock(souk_disk *base)
{
    real_disk *disk = real_of(base);
    souk_auto_lock(&locked_mutex);
    if (disk->lock_fd >= 0)
        return SOUK_OK;
    if (is_locked_here(disk))
        return SOUK_ELOCKED;
    int fd = open_at(disk->fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW);
    if (fd < 0)
        return err_of(errno);
    int failed;
    do
        failed = flock(fd, LOCK_EX | LOCK_NB);
    while (failed && errno == EINTR);
    if (failed) {
        souk_err err = errno == EWOULDBLOCK ? SOUK_ELOCKED : err_of(errno);
        close_fd(fd);
        return err;
    }
    disk->lock_fd = fd;
    disk->next_locked = locked_disks;
    locked_disks = disk;
    return SOUK_OK;
}

static void unlock(real_disk *disk)
{
    souk_auto_lock(&locked_mutex);
    if (disk->lock_fd < 0)
        return;
    real_disk **at = &locked_disks;
    while (*at != disk)
        at = &(*at)->next_locked;
    *at = disk->next_locked;
    close_fd(disk->lock_fd);
    disk->lock_fd = -1;
}

/* ---- files --------------------------------------------------------------------------------- */

static souk_err real_open(souk_disk *base, const char *name, unsigned flags, souk_file **ret_file)
{
    real_disk *disk = real_of(base);
    int how = flags & SOUK_FILE_BIT_WRITE ? O_RDWR : O_RDONLY;
    if (flags & SOUK_FILE_BIT_MAKE)
        how |= O_CREAT;
    real_file *file = souk_mem_get(base->mem, sizeof *file);
    if (!file)
        return SOUK_ENOMEM;
    file->file = (souk_file){base, flags & SOUK_FILE_BIT_WRITE};
    /* O_NONBLOCK: a pipe somebody left here must not hang us; for files it means nothing. */
    file->fd = open_at(disk->fd, name, how | O_NONBLOCK | O_NOCTTY);
    struct stat about;
    souk_err err = SOUK_OK;
    if (file->fd < 0 || fstat(file->fd, &about))
        err = err_of(errno);
    else if (!S_ISREG(about.st_mode))
        err = SOUK_EINVAL;
    else if (flags & SOUK_FILE_BIT_EMPTY && about.st_size && ftruncate(file->fd, 0))
        err = err_of(errno);
    if (err) {
        close_fd(file->fd);
        souk_mem_put(base->mem, file);
        return err;
    }
    *ret_file = &file->file;
    return SOUK_OK;
}

static souk_err real_scratch(souk_disk *base, souk_file **ret_file)
{
    real_file *file = souk_mem_get(base->mem, sizeof *file);
    if (!file)
        return SOUK_ENOMEM;
    file->file = (souk_file){base, true};
    file->fd = memfd_create("souk", MFD_CLOEXEC);
    if (file->fd < 0) {
        souk_err err = err_of(errno);
        souk_mem_put(base->mem, file);
        return err;
    }
    *ret_file = &file->file;
    return SOUK_OK;
}

static void real_close(souk_file *file)
{
    close_fd(fd_of(file));
    souk_mem_put(file->disk->mem, file);
}

static souk_err real_read(souk_file *file, void *to, size_t bytes, uint64_t offset,
                          size_t *ret_bytes)
{
    size_t done = 0;
    while (done < bytes && offset + done <= INT64_MAX) {
        ssize_t got = pread(fd_of(file), (char *)to + done, bytes - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_of(errno);
        if (got == 0)
            break;
        done += (size_t)got;
    }
    *ret_bytes = done;
    return SOUK_OK;
}

static souk_err real_write(souk_file *file, const void *from, size_t bytes, uint64_t offset)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t put =
            pwrite(fd_of(file), (const char *)from + done, bytes - done, (off_t)(offset + done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return put < 0 ? err_of(errno) : SOUK_EIO;
        done += (size_t)put;
    }
    return SOUK_OK;
}

static souk_err real_sync(souk_file *file)
{
    return sync_fd(fd_of(file), fdatasync);
}

static souk_err real_truncate(souk_file *file, uint64_t bytes)
{
    int failed;
    do
        failed = ftruncate(fd_of(file), (off_t)bytes);
    while (failed && errno == EINTR);
    return failed ? err_of(errno) : SOUK_OK;
}

static souk_err real_size(souk_file *file, uint64_t *ret_bytes)
{
    struct stat about;
    if (fstat(fd_of(file), &about))
        return err_of(errno);
    *ret_bytes = (uint64_t)about.st_size;
    return SOUK_OK;
}

static souk_err real_map(souk_file *file, uint64_t offset, size_t bytes, void *at, void **ret_at)
{
    void *got = mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | (at ? MAP_FIXED : 0),
                     fd_of(file), (off_t)offset);
    if (got == MAP_FAILED)
        return err_of(errno);
    *ret_at = got;
    return SOUK_OK;
}

/* ---- names --------------------------------------------------------------------------------- */

static souk_err real_make_folder(souk_disk *base, const char *name)
{
    return mkdirat(real_of(base)->fd, name, 0700) ? err_of(errno) : SOUK_OK;
}

static bool is_folder(const real_disk *disk, const char *name)
{
    struct stat about;
    return !fstatat(disk->fd, name, &about, AT_SYMLINK_NOFOLLOW) && S_ISDIR(about.st_mode);
}

static souk_err real_rename(souk_disk *base, const char *from, const char *to)
{
    real_disk *disk = real_of(base);
    if (is_folder(disk, from) || is_folder(disk, to))
        return SOUK_EINVAL;
    return renameat(disk->fd, from, disk->fd, to) ? err_of(errno) : SOUK_OK;
}

static souk_err real_remove(souk_disk *base, const char *name)
{
    return unlinkat(real_of(base)->fd, name, 0) ? err_of(errno) : SOUK_OK;
}

static bool real_exists(souk_disk *base, const char *name)
{
    return faccessat(real_of(base)->fd, name, F_OK, 0) == 0;
}

static souk_err sync_one_folder(int under_fd, const char *name)
{
    int fd = open_at(under_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (fd < 0)
        return err_of(errno);
    souk_err err = sync_fd(fd, fsync);
    close_fd(fd);
    return err;
}

/* Opens a folder to walk it; a fresh descriptor, because a copy would share the position. */
static souk_err walk_open(int under_fd, const char *name, DIR **ret_walk)
{
    int fd = open_at(under_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (fd < 0)
        return err_of(errno);
    DIR *walk = fdopendir(fd);
    if (!walk) {
        souk_err err = err_of(errno);
        close_fd(fd);
        return err;
    }
    *ret_walk = walk;
    return SOUK_OK;
}

/* The next entry that is not "." or ".."; NULL with *ret_err set at the end or on a failure. */
static const char *walk_next(DIR *walk, struct stat *ret_about, souk_err *ret_err)
{
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(walk);
        if (!entry) {
            *ret_err = errno ? err_of(errno) : SOUK_OK;
            return NULL;
        }
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        if (!fstatat(dirfd(walk), entry->d_name, ret_about, AT_SYMLINK_NOFOLLOW))
            return entry->d_name;
        if (errno != ENOENT) { /* gone since readdir: not there */
            *ret_err = err_of(errno);
            return NULL;
        }
    }
}

/* lost+found belongs to root: what we may not open holds no names of ours. */
static souk_err unless_denied(souk_err err)
{
    return err == SOUK_EDENIED || err == SOUK_ENOENT ? SOUK_OK : err;
}

static souk_err real_sync_folder(souk_disk *base, const char *name)
{
    real_disk *disk = real_of(base);
    DIR *walk;
    SOUK_TRY(walk_open(disk->fd, ".", &walk));
    souk_err err = SOUK_OK, end = SOUK_OK;
    struct stat about;
    const char *entry;
    while (!err && (entry = walk_next(walk, &about, &end)))
        if (S_ISDIR(about.st_mode))
            err = unless_denied(sync_one_folder(dirfd(walk), entry));
    if (!err)
        err = end;
    if (!err)
        err = sync_fd(dirfd(walk), fsync);
    closedir(walk);

    char way[SOUK_DISK_NAME_ROOM];
    for (const char *slash = strchr(name, '/'); !err && slash; slash = strchr(slash + 1, '/')) {
        snprintf(way, sizeof way, "%.*s", (int)(slash - name), name);
        if (strchr(way, '/')) /* those without one were synced above */
            err = sync_one_folder(disk->fd, way);
    }
    return err;
}

/* Every level holds one descriptor; a name of 200 bytes has at most 100 levels. */
static souk_err list_below(int under_fd, const char *name, const char *path, souk_disk_names *names)
{
    DIR *walk;
    SOUK_TRY(walk_open(under_fd, name, &walk));
    souk_err err = SOUK_OK, end = SOUK_OK;
    struct stat about;
    const char *entry;
    while (!err && (entry = walk_next(walk, &about, &end))) {
        char whole[SOUK_DISK_NAME_ROOM];
        int bytes = snprintf(whole, sizeof whole, "%s%s%s", path, *path ? "/" : "", entry);
        if (bytes >= (int)sizeof whole)
            continue;
        if (S_ISREG(about.st_mode))
            err = souk_disk_names_add(names, whole, (uint64_t)about.st_size);
        else if (S_ISDIR(about.st_mode))
            err = unless_denied(list_below(dirfd(walk), entry, whole, names));
    }
    closedir(walk);
    return err ? err : end;
}

static souk_err real_list(souk_disk *base, const char *under, souk_disk_names *names)
{
    return list_below(real_of(base)->fd, *under ? under : ".", under, names);
}

/* ---- life ---------------------------------------------------------------------------------- */

static void real_free(souk_disk *base)
{
    real_disk *disk = real_of(base);
    unlock(disk);
    close_fd(disk->fd);
    souk_mem_put(base->mem, (void *)(uintptr_t)base->folder);
    souk_mem_put(base->mem, disk);
}

static const souk_disk_backend real_backend = {
    .free = real_free,
    .lock = real_lock,
    .open = real_open,
    .scratch = real_scratch,
    .close = real_close,
    .read = real_read,
    .write = real_write,
    .sync = real_sync,
    .truncate = real_truncate,
    .size = real_size,
    .map = real_map,
    .make_folder = real_make_folder,
    .rename = real_rename,
    .remove = real_remove,
    .exists = real_exists,
    .sync_folder = real_sync_folder,
    .list = real_list,
};

static souk_err open_folder(real_disk *disk, const char *folder, souk_diag *diag)
{
    bool made = mkdir(folder, 0700) == 0;
    if (!made && errno != EEXIST)
        return souk_diag_say(diag, err_of(errno), "the folder %s cannot be made: %s", folder,
                             strerrordesc_np(errno));
    disk->fd = open_at(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY);
    struct stat about;
    if (disk->fd < 0 || fstat(disk->fd, &about))
        return souk_diag_say(diag, err_of(errno), "the folder %s cannot be opened: %s", folder,
                             strerrordesc_np(errno));
    if (made) { /* its own name must survive too; where the parent is not ours to read, so be it */
        souk_err err = unless_denied(sync_one_folder(disk->fd, ".."));
        if (err)
            return souk_diag_say(diag, err, "the parent of %s cannot be synced", folder);
    }
    disk->device = about.st_dev;
    disk->inode = about.st_ino;
    return SOUK_OK;
}

souk_err souk_disk_open_real(souk_mem *mem, const char *folder, souk_disk **ret_disk,
                             souk_diag *diag)
{
    souk_auto(souk_disk) base = souk_mem_get(mem, sizeof(real_disk));
    if (!base)
        return SOUK_ENOMEM;
    *base = (souk_disk){.backend = &real_backend, .mem = mem};
    real_disk *disk = real_of(base);
    disk->fd = disk->lock_fd = -1;
    size_t bytes = strlen(folder) + 1;
    char *copy = souk_mem_get(mem, bytes);
    if (!copy)
        return SOUK_ENOMEM;
    base->folder = memcpy(copy, folder, bytes);
    SOUK_TRY(open_folder(disk, folder, diag));
    *ret_disk = souk_take(&base);
    return SOUK_OK;
}
