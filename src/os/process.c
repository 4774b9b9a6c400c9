/* process.c - signals as a descriptor, and memory as the kernel counts it in /proc. */
#include "os/process.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static sigset_t ours(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

void souk_process_raise_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE,
                    &limit); /* refused: the server works with fewer, see `souk doctor` */
}

souk_err souk_signals_open(int *ret_fd)
{
    sigset_t set = ours();
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return errno == ENOMEM ? SOUK_ENOMEM : SOUK_EBUSY;
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    *ret_fd = fd;
    return SOUK_OK;
}

int souk_signals_read(int fd)
{
    struct signalfd_siginfo info;
    ssize_t got;
    while ((got = read(fd, &info, sizeof info)) < 0 && errno == EINTR)
        ;
    return got == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

bool souk_signals_waiting(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

void souk_signals_close(int fd)
{
    while (souk_signals_read(fd)) /* told of by souk_signals_waiting, or too late */
        ;
    close(fd);
    sigset_t set = ours();
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* Reads a file of /proc whole, without allocating; they are a few KB. */
static souk_err read_proc(const char *path, char *to, size_t room, souk_text *ret_text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return SOUK_EIO;
    size_t bytes = 0;
    ssize_t got = 1;
    while (bytes < room && got != 0) {
        got = read(fd, to + bytes, room - bytes);
        if (got < 0 && errno != EINTR)
            break;
        if (got > 0)
            bytes += (size_t)got;
    }
    close(fd);
    *ret_text = (souk_text){to, bytes};
    return got < 0 ? SOUK_EIO : SOUK_OK;
}

/* The number of a line such as "VmHWM:     12345 kB"; false where there is no such line. */
static bool find_kib(souk_text rest, souk_text label, uint64_t *ret_bytes)
{
    while (rest.bytes) {
        souk_text line = souk_text_cut(&rest, '\n');
        if (!souk_text_equal(souk_text_cut(&line, ':'), label))
            continue;
        line = souk_text_trim(line);
        uint64_t kib;
        if (souk_text_to_u64(souk_text_cut(&line, ' '), &kib))
            return false;
        *ret_bytes = kib * 1024;
        return true;
    }
    return false;
}

souk_err souk_process_memory_read(souk_process_memory *ret_memory)
{
    char room[8192];
    souk_text status;
    souk_process_memory memory;
    SOUK_TRY(read_proc("/proc/self/status", room, sizeof room, &status));
    if (!find_kib(status, SOUK_TEXT("VmRSS"), &memory.resident_bytes) ||
        !find_kib(status, SOUK_TEXT("VmHWM"), &memory.peak_bytes) ||
        !find_kib(status, SOUK_TEXT("RssAnon"), &memory.anonymous_bytes))
        return SOUK_EIO;
    /* RssAnon lags by what each processor has not yet summed up, proc(5); the rollup is exact,
     * where the kernel lets us read it. */
    char exact_room[4096];
    souk_text rollup;
    if (!read_proc("/proc/self/smaps_rollup", exact_room, sizeof exact_room, &rollup))
        (void)find_kib(rollup, SOUK_TEXT("Anonymous"), &memory.anonymous_bytes);
    *ret_memory = memory;
    return SOUK_OK;
}

/* ---- a copy ------------------------------------------------------------------------------ */

souk_err souk_process_copy(souk_err (*work)(void *context), void *context, long *ret_pid)
{
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        return errno == ENOMEM ? SOUK_ENOMEM : SOUK_EBUSY;
    if (pid == 0) {
        /* The parent may be gone before the kernel was told to end us with it. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
            _exit(SOUK_EIO);
        _exit((int)work(context));
    }
    *ret_pid = pid;
    return SOUK_OK;
}

static bool await(long pid, int flags, souk_err *ret_err)
{
    int status;
    pid_t got;
    while ((got = waitpid((pid_t)pid, &status, flags)) < 0 && errno == EINTR)
        ;
    if (got == 0)
        return false;
    *ret_err = got == (pid_t)pid && WIFEXITED(status) ? (souk_err)WEXITSTATUS(status) : SOUK_EIO;
    return true;
}

bool souk_process_copy_ended(long pid, souk_err *ret_err)
{
    return await(pid, WNOHANG, ret_err);
}

void souk_process_copy_kill(long pid)
{
    souk_err err;
    kill((pid_t)pid, SIGKILL);
    bool ended = await(pid, 0, &err);
    (void)ended;
}
