/* process_test.c - signals arrive as bytes, and memory is counted. */
#include "os/process.h"

#include "test/test.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

SOUK_TEST("signals that would end the process are read one by one")
{
    int fd;
    SOUK_MUST(souk_signals_open(&fd));
    SOUK_CHECK(souk_signals_read(fd) == 0 && !souk_signals_waiting());
    kill(getpid(), SIGTERM);
    SOUK_CHECK(souk_signals_waiting());
    struct pollfd one = {.fd = fd, .events = POLLIN};
    SOUK_CHECK(poll(&one, 1, 0) == 1);
    SOUK_CHECK(souk_signals_read(fd) == SIGTERM);
    kill(getpid(), SIGINT);
    SOUK_CHECK(souk_signals_read(fd) == SIGINT);
    kill(getpid(), SIGHUP);
    SOUK_CHECK(!souk_signals_waiting()); /* no reason to end what is under way */
    SOUK_CHECK(souk_signals_read(fd) == SIGHUP);
    SOUK_CHECK(souk_signals_read(fd) == 0 && !souk_signals_waiting());
    kill(getpid(), SIGPIPE); /* ignored: we are still here */
    souk_signals_close(fd);
}

SOUK_TEST("memory that is touched is counted, and given back it leaves the peak")
{
    const size_t bytes = (size_t)32 << 20, near = (size_t)8 << 20;
    souk_process_memory before, during, after;
    SOUK_MUST(souk_process_memory_read(&before));
    unsigned char *some =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SOUK_CHECK(some != MAP_FAILED);
    memset(some, 1, bytes);
    SOUK_MUST(souk_process_memory_read(&during));
    munmap(some, bytes);
    SOUK_MUST(souk_process_memory_read(&after));
    SOUK_CHECK(during.anonymous_bytes >= before.anonymous_bytes + bytes - near);
    SOUK_CHECK(during.resident_bytes >= before.resident_bytes + bytes - near);
    SOUK_CHECK(after.anonymous_bytes + bytes <= during.anonymous_bytes + near);
    SOUK_CHECK(after.peak_bytes + near >= during.resident_bytes);
}
