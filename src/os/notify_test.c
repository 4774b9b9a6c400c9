/* notify_test.c - a supervisor of our own hears every message, and sockets are taken or refused with words. */
#include "os/notify.h"

#include "test/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const variables[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
                                        "LISTEN_PID",    "LISTEN_FDS",    "LISTEN_FDNAMES"};

static void check_clean(souk_test *test)
{
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        SOUK_CHECK(getenv(variables[i]) == NULL);
}

/* ---- the supervisor ------------------------------------------------------------------------------ */

typedef struct hearing {
    souk_test *test;
    souk_fd fd;
    char address[SOUK_NOTIFY_ADDRESS_BYTES + 1];
} hearing;

static void hear(souk_test *test, bool is_abstract, hearing *my)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    *my = (hearing){.test = test, .fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    if (is_abstract)
        snprintf(my->address, sizeof my->address, "@souk-test-%ld-%llx", (long)getpid(),
                 (unsigned long long)test_random(test, UINT64_MAX));
    else
        snprintf(my->address, sizeof my->address, "%s/notify", test_folder(test));
    size_t bytes = strlen(my->address);
    memcpy(at.sun_path, my->address, bytes);
    if (is_abstract)
        at.sun_path[0] = '\0';
    bytes += offsetof(struct sockaddr_un, sun_path) + !is_abstract;
    SOUK_CHECK(bind(my->fd, (struct sockaddr *)&at, (socklen_t)bytes) == 0);
    setenv("NOTIFY_SOCKET", my->address, 1);
}

static const char *heard(hearing *my)
{
    static char message[1024];
    ssize_t bytes = recv(my->fd, message, sizeof message - 1, MSG_DONTWAIT);
    message[bytes < 0 ? 0 : bytes] = '\0';
    return message;
}

#define CHECK_HEARD(my, words) SOUK_CHECK_TEXT(souk_text_of(heard(my)), words)

SOUK_TEST("every message arrives at a supervisor with a path and at one without a file")
{
    for (int is_abstract = 0; is_abstract < 2; is_abstract++) {
        hearing my;
        souk_notify notify;
        hear(test, is_abstract, &my);
        setenv("WATCHDOG_USEC", "3000000", 1);
        SOUK_MUST(souk_notify_open(&notify, NULL));
        check_clean(test);
        SOUK_CHECK(souk_notify_is_heard(&notify) && souk_notify_alive_ms(&notify) == 1500);
        SOUK_MUST(souk_notify_status(&notify, "reading", 0));
        CHECK_HEARD(&my, "STATUS=reading");
        SOUK_MUST(souk_notify_status(&notify, "still reading", 90000));
        CHECK_HEARD(&my, "STATUS=still reading\nEXTEND_TIMEOUT_USEC=90000000");
        SOUK_MUST(souk_notify_ready(&notify, "serving"));
        CHECK_HEARD(&my, "READY=1\nSTATUS=serving");
        SOUK_MUST(souk_notify_reloading(&notify, "settings", 5000999));
        CHECK_HEARD(&my, "RELOADING=1\nMONOTONIC_USEC=5000\nSTATUS=settings");
        SOUK_MUST(souk_notify_alive(&notify));
        CHECK_HEARD(&my, "WATCHDOG=1");
        SOUK_MUST(souk_notify_stopping(&notify, "bye", 10000));
        CHECK_HEARD(&my, "STOPPING=1\nSTATUS=bye\nEXTEND_TIMEOUT_USEC=10000000");
        CHECK_HEARD(&my, "");
        souk_notify_done(&notify);
        souk_fd_done(&my.fd);
    }
}

SOUK_TEST("a status cannot smuggle in a line of its own, and a long one is cut")
{
    hearing my;
    souk_notify notify;
    char longest[2 * SOUK_NOTIFY_STATUS_BYTES];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    hear(test, true, &my);
    SOUK_MUST(souk_notify_open(&notify, NULL));
    SOUK_MUST(souk_notify_status(&notify, "a\nSTOPPING=1\x7f b\xc3\xa4", 0));
    CHECK_HEARD(&my, "STATUS=a?STOPPING=1? b\xc3\xa4");
    SOUK_MUST(souk_notify_stopping(&notify, longest, UINT32_MAX));
    const char *message = heard(&my);
    SOUK_CHECK(strspn(strchr(message, 'x'), "x") == SOUK_NOTIFY_STATUS_BYTES);
    SOUK_CHECK(strstr(message, "x\nEXTEND_TIMEOUT_USEC=4294967295000") != NULL);
    souk_notify_done(&notify);
    souk_fd_done(&my.fd);
}

SOUK_TEST("without a supervisor every message succeeds and goes nowhere")
{
    souk_notify notify;
    setenv("WATCHDOG_USEC", "1000000", 1);
    setenv("NOTIFY_SOCKET", "", 1);
    SOUK_MUST(souk_notify_open(&notify, NULL));
    check_clean(test);
    SOUK_CHECK(!souk_notify_is_heard(&notify) && souk_notify_alive_ms(&notify) == 0);
    SOUK_MUST(souk_notify_ready(&notify, "serving"));
    SOUK_MUST(souk_notify_alive(&notify));
    souk_notify_done(&notify);
}

SOUK_TEST("a supervisor that is gone or does not read is an error with a name and never a hang")
{
    hearing my;
    souk_notify notify;
    hear(test, false, &my);
    SOUK_MUST(souk_notify_open(&notify, NULL));
    /* What is not read fills the queue (net.unix.max_dgram_qlen), then a call waits and gives up. */
    struct timeval soon = {.tv_usec = 1000};
    SOUK_CHECK(setsockopt(notify.fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon) == 0);
    souk_err err = SOUK_OK;
    for (int i = 0; i < 100000 && !err; i++)
        err = souk_notify_alive(&notify);
    SOUK_CHECK(err == SOUK_ETIMEOUT);
    souk_fd_done(&my.fd);
    SOUK_CHECK_ERR(souk_notify_ready(&notify, "serving"), SOUK_ENOENT);
    unlink(my.address);
    SOUK_CHECK_ERR(souk_notify_alive(&notify), SOUK_ENOENT);
    souk_notify_done(&notify);
}

SOUK_TEST("the watchdog is for the process that it names, and half of its time is the period")
{
    char pid[24];
    static const struct {
        const char *period_us;
        uint32_t alive_ms;
    } cases[] = {{"0", 0},
                 {"1", 1},
                 {"1999", 1},
                 {"2000", 1},
                 {"30000000", 15000},
                 {"18446744073709551615", UINT32_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int other = 0; other < 2; other++) {
            hearing my;
            souk_notify notify;
            hear(test, true, &my);
            snprintf(pid, sizeof pid, "%ld", (long)getpid() + other);
            setenv("WATCHDOG_USEC", cases[i].period_us, 1);
            setenv("WATCHDOG_PID", pid, 1);
            SOUK_MUST(souk_notify_open(&notify, NULL));
            check_clean(test);
            SOUK_CHECK(souk_notify_alive_ms(&notify) == (other ? 0 : cases[i].alive_ms));
            souk_notify_done(&notify);
            souk_fd_done(&my.fd);
        }
}

SOUK_TEST("a variable that makes no sense is told by its name, and the others still hold")
{
    char longest[200];
    memset(longest, 'x', sizeof longest);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    const char *const addresses[] = {"vsock:2:1234", "relative/path", "@", "/", longest};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        souk_notify notify;
        souk_diag diag = {.words = ""};
        setenv("NOTIFY_SOCKET", addresses[i], 1);
        SOUK_CHECK_ERR(souk_notify_open(&notify, &diag), SOUK_EINVAL);
        SOUK_CHECK(strstr(diag.words, "NOTIFY_SOCKET") && !souk_notify_is_heard(&notify));
        check_clean(test);
        SOUK_MUST(souk_notify_ready(&notify, "nobody hears it"));
        souk_notify_done(&notify);
    }
    for (int which = 0; which < 2; which++) {
        hearing my;
        souk_notify notify;
        souk_diag diag = {.words = ""};
        hear(test, true, &my);
        setenv("WATCHDOG_USEC", which ? "1000000" : "3s", 1);
        setenv("WATCHDOG_PID", which ? "me" : "1", 1);
        SOUK_CHECK_ERR(souk_notify_open(&notify, &diag), SOUK_EINVAL);
        SOUK_CHECK(strstr(diag.words, which ? "WATCHDOG_PID is 'me'" : "WATCHDOG_USEC is '3s'"));
        check_clean(test);
        SOUK_MUST(souk_notify_ready(&notify, "serving"));
        CHECK_HEARD(&my, "READY=1\nSTATUS=serving");
        souk_notify_done(&notify);
        souk_fd_done(&my.fd);
    }
}

/* ---- sockets ------------------------------------------------------------------------------------- */

/* A child process has its own descriptors from 3 on: `play` there, and the exit code says which check
 * of it failed. */
enum { MOST_MADE = 10 };
typedef struct stage {
    souk_test *test;
    int made[MOST_MADE]; /* become 3, 4, … */
    size_t count;
    const char *pid, *fds, *names; /* NULL: the child's own, count, none */
} stage;

#define PLAY_CHECK(condition) \
    do {                      \
        if (!(condition))     \
            return __LINE__;  \
    } while (0)

static void set_stage(const stage *my)
{
    char pid[24], count[24];
    for (size_t i = 0; i < my->count; i++) /* out of the way of 3, 4, … first */
        dup2(my->made[i], 200 + (int)i);
    for (size_t i = 0; i < my->count; i++)
        dup2(200 + (int)i, 3 + (int)i);
    close(3 + (int)my->count);
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    snprintf(count, sizeof count, "%zu", my->count);
    setenv("LISTEN_PID", my->pid ? my->pid : pid, 1);
    setenv("LISTEN_FDS", my->fds ? my->fds : count, 1);
    if (my->names)
        setenv("LISTEN_FDNAMES", my->names, 1);
}

static void play(const stage *my, int (*act)(void))
{
    souk_test *test = my->test;
    int status, tell[2], line = 0;
    SOUK_CHECK(pipe2(tell, O_CLOEXEC) == 0);
    int back = fcntl(tell[1], F_DUPFD_CLOEXEC, 300);
    pid_t pid = fork();
    SOUK_CHECK(pid >= 0);
    if (pid == 0) {
        set_stage(my);
        line = act();
        for (size_t i = 0; i < sizeof variables / sizeof *variables && !line; i++)
            line = getenv(variables[i]) ? __LINE__ : 0;
        _exit(write(back, &line, sizeof line) != sizeof line);
    }
    close(back);
    close(tell[1]);
    SOUK_CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    SOUK_CHECK(read(tell[0], &line, sizeof line) == sizeof line);
    close(tell[0]);
    if (line)
        test_fail(test, __FILE__, line, "does not hold in the child");
}

static int open_listener(souk_test *test, const char *address)
{
    char actual[SOUK_ADDRESS_ROOM];
    int fd = -1;
    SOUK_MUST(souk_socket_listen(address, NULL, &fd, actual, NULL));
    return fd;
}

static char unix_path[SOUK_ADDRESS_ROOM];

static int act_takes_three(void)
{
    souk_inherited sockets;
    char tcp[SOUK_ADDRESS_ROOM];
    PLAY_CHECK(souk_inherited_take(&sockets, NULL) == SOUK_OK && sockets.count == 3);
    for (int i = 0; i < 3; i++)
        PLAY_CHECK(sockets.fds[i] == 3 + i && (fcntl(3 + i, F_GETFD) & FD_CLOEXEC));
    PLAY_CHECK(!strcmp(sockets.names[0], "door") && !sockets.names[1][0]);
    PLAY_CHECK(!strcmp(sockets.names[2], "local"));
    souk_socket_name(3, tcp);
    PLAY_CHECK(!strcmp(sockets.addresses[0], tcp) && !strncmp(tcp, "127.0.0.1:", 10));
    PLAY_CHECK(!strncmp(sockets.addresses[1], "[::1]:", 6) || sockets.addresses[1][0] == '1');
    PLAY_CHECK(!strcmp(sockets.addresses[2], unix_path));
    souk_inherited again;
    PLAY_CHECK(souk_inherited_take(&again, NULL) == SOUK_OK && again.count == 0);
    souk_fd taken = souk_fd_take(&sockets.fds[1]);
    souk_inherited_done(&sockets);
    PLAY_CHECK(fcntl(3, F_GETFD) < 0 && fcntl(4, F_GETFD) >= 0 && fcntl(5, F_GETFD) < 0);
    souk_fd_done(&taken);
    return 0;
}

static int act_takes_none(void)
{
    souk_inherited sockets;
    PLAY_CHECK(souk_inherited_take(&sockets, NULL) == SOUK_OK && sockets.count == 0);
    PLAY_CHECK(fcntl(3, F_GETFD) >= 0); /* whoever it is for may still use it */
    return 0;
}

static const char *expected_words;
static souk_err expected_err;

static int act_is_refused(void)
{
    souk_inherited sockets;
    souk_diag diag = {.words = ""};
    PLAY_CHECK(souk_inherited_take(&sockets, &diag) == expected_err && sockets.count == 0);
    PLAY_CHECK(strstr(diag.words, expected_words));
    return 0;
}

SOUK_TEST("sockets handed over are taken with their names, closed on exec and only once")
{
    snprintf(unix_path, sizeof unix_path, "%s/door", test_folder(test));
    stage my = {.test = test, .count = 3, .names = "door::local:and one too many"};
    my.made[0] = open_listener(test, "127.0.0.1:0");
    my.made[1] = open_listener(test, "127.0.0.1:0");
    my.made[2] = open_listener(test, unix_path);
    play(&my, act_takes_three);
    for (size_t i = 0; i < my.count; i++)
        close(my.made[i]);
}

SOUK_TEST("sockets for another process are left alone")
{
    stage my = {.test = test, .count = 1, .made = {open_listener(test, "127.0.0.1:0")}};
    const char *const pids[] = {"1", "", "18446744073709551615"};
    for (size_t i = 0; i < sizeof pids / sizeof *pids; i++) {
        my.pid = pids[i];
        play(&my, act_takes_none);
    }
    my.pid = NULL;
    my.fds = "0";
    play(&my, act_takes_none);
    close(my.made[0]);
}

SOUK_TEST("what is no listening stream socket is refused by its number, and so is one too many")
{
    stage my = {.test = test, .count = 1};
    int pair[2], tube[2];
    SOUK_CHECK(pipe2(tube, O_CLOEXEC) == 0);
    SOUK_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    int datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const struct {
        int fd;
        const char *fds, *words;
        souk_err err;
    } cases[] = {
        {tube[0], NULL, "descriptor 3 of LISTEN_FDS is no socket", SOUK_EINVAL},
        {datagrams, NULL, "descriptor 3 of LISTEN_FDS is a socket of another type", SOUK_EINVAL},
        {pair[0], NULL, "descriptor 3 of LISTEN_FDS is a socket that does not", SOUK_EINVAL},
        {tube[0], "many", "LISTEN_FDS is 'many'", SOUK_EINVAL},
        {tube[0], "-1", "LISTEN_FDS is '-1'", SOUK_EINVAL},
        {tube[0], "8", "hands over 8 sockets, at most 7", SOUK_ETOOBIG},
        {tube[0], "18446744073709551615", "at most 7", SOUK_ETOOBIG},
        {tube[0], "184467440737095516150000000000000000000000000", "must be a number", SOUK_EINVAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        my.made[0] = cases[i].fd;
        my.fds = cases[i].fds;
        expected_words = cases[i].words;
        expected_err = cases[i].err;
        play(&my, act_is_refused);
    }
    my.made[0] = open_listener(test, "127.0.0.1:0");
    my.fds = "2";
    expected_words = "descriptor 4 of LISTEN_FDS is not open";
    expected_err = SOUK_EINVAL;
    play(&my, act_is_refused);
    my.fds = NULL;
    my.pid = "none";
    expected_words = "LISTEN_PID is 'none'";
    play(&my, act_is_refused);
    close(my.made[0]);
    close(datagrams);
    for (int i = 0; i < 2; i++) {
        close(pair[i]);
        close(tube[i]);
    }
}
