/* faults.c - a disk that fails when a story says so: preloaded into the server under test.
 *
 *     cc -shared -fPIC -o faults.so faults.c
 *     LD_PRELOAD=faults.so SOUK_FAULTS_FOLDER=/tmp/x/data SOUK_FAULTS_CONTROL=/tmp/x/control \
 *         SOUK_FAULTS_LOG=/tmp/x/log souk serve --data /tmp/x/data
 *     echo full >/tmp/x/control            from here on every write below the folder finds no space
 *     rm /tmp/x/control                    and here the disk is well again
 *
 * The control file holds one word; perhaps a second one, a part of the names it is about ("*": all);
 * and perhaps how many calls still go well before the first write, sync or truncate fails.
 *
 *     full    nothing can be written: ENOSPC
 *     grow    what is there can be written again, nothing can be added: ENOSPC; a disk as it really fills
 *     write   every write fails: EIO
 *     sync    every fsync and fdatasync fails: EIO
 *     stall   every fsync and fdatasync stands until another order is given
 *     odd     any call may be interrupted and any read or write short: nobody must notice
 *     lie     writes are said to be done and are not: everybody must notice
 *
 * The log gets a line for each sync and each failure: "sync ledger-wal", "EIO sync ledger-wal".
 *
 * Calls go to the kernel directly, so that the shim needs no symbol that it replaces itself.  The control
 * file is read at every call: slow, simple, and a story knows that what follows its write is under it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))

enum { WORD_ROOM = 64 };

/* What the control file says; word "": nothing. */
struct order {
    char word[WORD_ROOM], part[WORD_ROOM];
    long spared;    /* calls that still go well */
    uint64_t stamp; /* of the file: another order, another stamp */
};

static _Atomic uint64_t spared_stamp;
static _Atomic long spared_count; /* under the order of that stamp */

static _Atomic uint64_t dice_thrown;

static uint64_t dice(void)
{
    uint64_t x = atomic_fetch_add(&dice_thrown, 1) * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static struct order order_now(void)
{
    struct order order = {.word = ""};
    struct stat about;
    char text[2 * WORD_ROOM] = "";
    const char *path = getenv("SOUK_FAULTS_CONTROL");
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0) : -1;
    if (fd < 0)
        return order;
    if (syscall(SYS_read, fd, text, sizeof text - 1) > 0)
        (void)!sscanf(text, "%63s %63s %ld", order.word, order.part, &order.spared);
    if (!strcmp(order.part, "*"))
        order.part[0] = '\0';
    if (fstat(fd, &about) == 0)
        order.stamp = about.st_ino * 0x9e3779b97f4a7c15u + (uint64_t)about.st_mtim.tv_nsec;
    syscall(SYS_close, fd);
    return order;
}

static void note(const char *what, const char *call, const char *name)
{
    char line[PATH_MAX + 64];
    const char *path = getenv("SOUK_FAULTS_LOG");
    int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0600) : -1;
    if (fd < 0)
        return;
    int bytes = snprintf(line, sizeof line, "%s%s%s %s\n", what, *what ? " " : "", call, name);
    syscall(SYS_write, fd, line, (size_t)bytes);
    syscall(SYS_close, fd);
}

/* The file's name below the folder; false where it lies elsewhere, or is no file. */
static bool name_of(int fd, char name[PATH_MAX])
{
    char link[64];
    const char *folder = getenv("SOUK_FAULTS_FOLDER");
    size_t skip = folder ? strlen(folder) : 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t bytes = folder ? readlink(link, name, PATH_MAX - 1) : -1;
    if (bytes < (ssize_t)skip || strncmp(name, folder, skip) != 0)
        return false;
    name[bytes] = '\0';
    if (name[skip] != '/' && name[skip] != '\0')
        return false;
    memmove(name, name + skip + (name[skip] == '/'), (size_t)bytes - skip + (name[skip] != '/'));
    return true;
}

/* Whether this call is one of those that still go well. */
static bool is_spared(const struct order *order)
{
    if (!order->spared)
        return false;
    if (atomic_exchange(&spared_stamp, order->stamp) != order->stamp)
        spared_count = 0;
    return atomic_fetch_add(&spared_count, 1) < order->spared;
}

/* Whether an order stands for this file, and which. */
static bool is_meant(int fd, char name[PATH_MAX], struct order *ret_order)
{
    if (!name_of(fd, name))
        return false;
    *ret_order = order_now();
    return ret_order->word[0] && strstr(name, ret_order->part) && !is_spared(ret_order);
}

static bool says(const struct order *order, const char *word)
{
    return strcmp(order->word, word) == 0;
}

static long fail(int error, const char *word, const char *call, const char *name)
{
    note(word, call, name);
    errno = error;
    return -1;
}

static bool grows(int fd, off_t end)
{
    struct stat about;
    return fstat(fd, &about) == 0 && end > about.st_size;
}

/* Some bytes less, at least one. */
static size_t shorten(size_t bytes, const char *call, const char *name)
{
    uint64_t chance = dice();
    if (bytes < 2 || chance % 4)
        return bytes;
    note("short", call, name);
    return 1 + (size_t)(chance >> 8) % (bytes - 1);
}

/* What becomes of a write that would end at `end`.  True: *ret is its answer; else it goes on, of
 * perhaps fewer bytes. */
static bool write_fate(int fd, size_t *bytes, off_t end, const char *call, long *ret)
{
    char name[PATH_MAX];
    struct order order;
    if (!is_meant(fd, name, &order))
        return false;
    if (says(&order, "full") || (says(&order, "grow") && grows(fd, end)))
        *ret = fail(ENOSPC, "ENOSPC", call, name);
    else if (says(&order, "write"))
        *ret = fail(EIO, "EIO", call, name);
    else if (says(&order, "lie"))
        *ret = (long)*bytes;
    else if (says(&order, "odd") && dice() % 8 == 0)
        *ret = fail(EINTR, "EINTR", call, name);
    else {
        *bytes = says(&order, "odd") ? shorten(*bytes, call, name) : *bytes;
        return false;
    }
    return true;
}

/* ---- writes -------------------------------------------------------------------------------- */

PUBLIC ssize_t write(int fd, const void *from, size_t bytes)
{
    long ret;
    off_t end = lseek(fd, 0, SEEK_CUR) + (off_t)bytes;
    return write_fate(fd, &bytes, end, "write", &ret) ? ret : syscall(SYS_write, fd, from, bytes);
}

PUBLIC ssize_t pwrite(int fd, const void *from, size_t bytes, off_t offset)
{
    long ret;
    return write_fate(fd, &bytes, offset + (off_t)bytes, "write", &ret)
               ? ret
               : syscall(SYS_pwrite64, fd, from, bytes, offset);
}

PUBLIC ssize_t pwrite64(int fd, const void *from, size_t bytes, off64_t offset)
{
    return pwrite(fd, from, bytes, offset);
}

PUBLIC ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    long ret;
    size_t bytes = 0;
    for (int i = 0; i < count; i++)
        bytes += parts[i].iov_len;
    size_t wanted = bytes;
    if (write_fate(fd, &bytes, offset + (off_t)bytes, "write", &ret))
        return ret;
    if (bytes < wanted && count) /* a short one ends in its first part */
        return syscall(SYS_pwrite64, fd, parts[0].iov_base,
                       bytes < parts[0].iov_len ? bytes : parts[0].iov_len, offset);
    return syscall(SYS_pwritev, fd, parts, count, offset, 0);
}

PUBLIC ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
    return pwritev(fd, parts, count, offset);
}

PUBLIC int ftruncate(int fd, off_t bytes)
{
    char name[PATH_MAX];
    struct order order;
    if (is_meant(fd, name, &order)) {
        if (says(&order, "full") || (says(&order, "grow") && grows(fd, bytes)))
            return (int)fail(ENOSPC, "ENOSPC", "truncate", name);
        if (says(&order, "write"))
            return (int)fail(EIO, "EIO", "truncate", name);
        if (says(&order, "odd") && dice() % 8 == 0)
            return (int)fail(EINTR, "EINTR", "truncate", name);
    }
    return (int)syscall(SYS_ftruncate, fd, bytes);
}

PUBLIC int ftruncate64(int fd, off64_t bytes)
{
    return ftruncate(fd, bytes);
}

PUBLIC int fallocate(int fd, int mode, off_t offset, off_t bytes)
{
    char name[PATH_MAX];
    struct order order;
    if (is_meant(fd, name, &order)) {
        if (says(&order, "full") || (says(&order, "grow") && grows(fd, offset + bytes)))
            return (int)fail(ENOSPC, "ENOSPC", "allocate", name);
        if (says(&order, "write"))
            return (int)fail(EIO, "EIO", "allocate", name);
    }
    return (int)syscall(SYS_fallocate, fd, mode, offset, bytes);
}

PUBLIC int fallocate64(int fd, int mode, off64_t offset, off64_t bytes)
{
    return fallocate(fd, mode, offset, bytes);
}

PUBLIC int posix_fallocate(int fd, off_t offset, off_t bytes)
{
    return fallocate(fd, 0, offset, bytes) ? errno : 0;
}

PUBLIC int posix_fallocate64(int fd, off64_t offset, off64_t bytes)
{
    return posix_fallocate(fd, offset, bytes);
}

/* ---- syncs --------------------------------------------------------------------------------- */

static int sync_by(long number, int fd)
{
    char name[PATH_MAX];
    struct order order = order_now();
    if (!name_of(fd, name))
        return (int)syscall(number, fd);
    bool meant = order.word[0] && strstr(name, order.part) && !is_spared(&order);
    if (meant && says(&order, "sync"))
        return (int)fail(EIO, "EIO", "sync", name);
    if (meant && says(&order, "stall")) {
        note("stall", "sync", name);
        while (says(&order, "stall")) {
            nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
            order = order_now();
        }
    }
    /* SQLite takes an interrupted sync for a failed one; Linux's own file systems never interrupt. */
    if (meant && says(&order, "odd") && !strstr(name, "ledger") && dice() % 2 == 0)
        return (int)fail(EINTR, "EINTR", "sync", name);
    note("", "sync", name);
    return (int)syscall(number, fd);
}

PUBLIC int fsync(int fd)
{
    return sync_by(SYS_fsync, fd);
}

PUBLIC int fdatasync(int fd)
{
    return sync_by(SYS_fdatasync, fd);
}

/* ---- reads, and sockets -------------------------------------------------------------------- */

PUBLIC ssize_t pread(int fd, void *to, size_t bytes, off_t offset)
{
    char name[PATH_MAX];
    struct order order;
    if (order_now().spared == 0 && is_meant(fd, name, &order) && says(&order, "odd")) {
        if (dice() % 8 == 0)
            return fail(EINTR, "EINTR", "read", name);
        bytes = shorten(bytes, "read", name);
    }
    return syscall(SYS_pread64, fd, to, bytes, offset);
}

PUBLIC ssize_t pread64(int fd, void *to, size_t bytes, off64_t offset)
{
    return pread(fd, to, bytes, offset);
}

PUBLIC ssize_t send(int fd, const void *from, size_t bytes, int flags)
{
    struct order order = order_now();
    if (says(&order, "odd")) {
        if (dice() % 8 == 0)
            return fail(EINTR, "EINTR", "send", "socket");
        bytes = shorten(bytes, "send", "socket");
    }
    return syscall(SYS_sendto, fd, from, bytes, flags, NULL, 0);
}

/* Never short: who reads less than there is room for may take it that the socket is empty, epoll(7). */
PUBLIC ssize_t recv(int fd, void *to, size_t bytes, int flags)
{
    struct order order = order_now();
    if (says(&order, "odd") && dice() % 8 == 0)
        return fail(EINTR, "EINTR", "receive", "socket");
    return syscall(SYS_recvfrom, fd, to, bytes, flags, NULL, NULL);
}
