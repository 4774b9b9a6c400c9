/* socket_test.c - addresses good and bad, and a client against a listener in a thread. */
#include "os/socket.h"

#include "os/thread.h"
#include "test/test.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

SOUK_TEST("addresses that are none are refused with words that help")
{
    char long_path[200];
    memset(long_path, '/', sizeof long_path);
    long_path[sizeof long_path - 1] = 0;
    const struct {
        const char *address, *word;
    } bad[] = {
        {"", "no port"},
        {"127.0.0.1", "no port"},
        {"[::1]", "no port"},
        {"127.0.0.1:", "port"},
        {"127.0.0.1:65536", "65535"},
        {"127.0.0.1:-1", "port"},
        {"127.0.0.1: 80", "port"},
        {"127.0.0.1:80x", "port"},
        {"127.0.0:80", "host"},
        {"::1:80", "host"},
        {"[::1:80", "host"},
        {"[127.0.0.1]:80", "host"},
        {"[]:80", "host"},
        {"[localhost]:80", "host"},
        {"shop.example:80", "host"},
        {"1111111111111111111111111111111111111111111111111111111:80", "host"},
        {long_path, "too long"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        souk_fd fd = -1;
        char actual[SOUK_ADDRESS_ROOM];
        souk_diag diag = {0};
        SOUK_CHECK_ERR(souk_socket_check(bad[i].address, NULL), SOUK_EINVAL);
        SOUK_CHECK_ERR(souk_socket_listen(bad[i].address, NULL, &fd, actual, &diag), SOUK_EINVAL);
        SOUK_CHECK(fd == -1 && strstr(diag.words, bad[i].word));
        diag = (souk_diag){0};
        SOUK_CHECK_ERR(souk_socket_connect(bad[i].address, 100, &fd, &diag), SOUK_EINVAL);
        SOUK_CHECK(fd == -1 && strstr(diag.words, bad[i].word));
    }
}

SOUK_TEST("addresses that are some pass the check without being opened")
{
    const char *const good[] = {"127.0.0.1:0", "[::1]:65535", ":8080",       "localhost:1",
                                "[::]:80",     "/run/x.sock", "./here.sock", "192.0.2.1:443"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        SOUK_MUST(souk_socket_check(good[i], NULL));
}

static bool has_ipv6(void)
{
    souk_fd fd = -1;
    char actual[SOUK_ADDRESS_ROOM];
    bool has = souk_socket_listen("[::1]:0", NULL, &fd, actual, NULL) == SOUK_OK;
    souk_fd_done(&fd);
    return has;
}

/* One connection at a time: echoes what comes until the peer finishes. */
typedef struct echo {
    souk_fd door;
    souk_wake stop;
    char peer[SOUK_ADDRESS_ROOM];
} echo;

static void echo_one(echo *e, int fd)
{
    souk_socket_peer(fd, e->peer);
    souk_client peer = {fd, 5000};
    char some[512];
    size_t got;
    while (souk_client_receive(&peer, some, sizeof some, &got) == SOUK_OK && got)
        if (souk_client_send(&peer, (souk_text){some, got}))
            return;
}

static void run_echo(void *context)
{
    echo *e = context;
    for (;;) {
        struct pollfd both[2] = {{.fd = e->door, .events = POLLIN},
                                 {.fd = e->stop.fd, .events = POLLIN}};
        poll(both, 2, -1);
        if (both[1].revents)
            return;
        souk_auto_value(souk_fd) fd = -1;
        if (souk_socket_accept(e->door, &fd) == SOUK_OK && fd >= 0)
            echo_one(e, fd);
    }
}

static void talk(souk_test *test, const char *listen_at, char actual[SOUK_ADDRESS_ROOM],
                 char peer[SOUK_ADDRESS_ROOM])
{
    souk_diag diag = {0};
    echo e = {.door = -1};
    SOUK_MUST(souk_socket_listen(listen_at, NULL, &e.door, actual, &diag));
    SOUK_MUST(souk_wake_init(&e.stop));
    souk_thread thread = {0};
    SOUK_MUST(souk_thread_start(&thread, "echo", run_echo, &e));

    souk_auto_value(souk_client) client = SOUK_CLIENT_NONE;
    souk_auto_value(souk_buf) line = {.mem = test->mem};
    SOUK_MUST(souk_client_open(&client, actual, 5000, &diag));
    SOUK_MUST(souk_client_send(&client, SOUK_TEXT("one\ntwo\nrest")));
    SOUK_MUST(souk_client_receive_line(&client, &line));
    SOUK_CHECK_TEXT(souk_buf_view(&line), "one\n");
    SOUK_MUST(souk_client_receive_line(&client, &line));
    SOUK_CHECK_TEXT(souk_buf_view(&line), "one\ntwo\n");
    SOUK_MUST(souk_client_finish(&client));
    souk_buf_clear(&line);
    SOUK_MUST(souk_client_receive_all(&client, &line));
    SOUK_CHECK_TEXT(souk_buf_view(&line), "rest");
    SOUK_CHECK_ERR(souk_client_receive_line(&client, &line), SOUK_EIO);

    souk_wake_raise(&e.stop);
    souk_thread_join(&thread);
    memcpy(peer, e.peer, sizeof e.peer);
    souk_wake_done(&e.stop);
    souk_fd_done(&e.door);
}

SOUK_TEST("a client and a listener talk over every kind of address")
{
    char actual[SOUK_ADDRESS_ROOM], peer[SOUK_ADDRESS_ROOM], path[300];
    talk(test, "127.0.0.1:0", actual, peer);
    SOUK_CHECK(!strncmp(actual, "127.0.0.1:", 10) && strcmp(actual + 10, "0") != 0);
    SOUK_CHECK(!strncmp(peer, "127.0.0.1:", 10));
    talk(test, "localhost:0", actual, peer);
    SOUK_CHECK(!strncmp(actual, "127.0.0.1:", 10));
    talk(test, ":0", actual, peer);
    SOUK_CHECK(!strncmp(actual, "[::]:", 5) || !strncmp(actual, "0.0.0.0:", 8));
    if (has_ipv6()) {
        talk(test, "[::1]:0", actual, peer);
        SOUK_CHECK(!strncmp(actual, "[::1]:", 6) && !strncmp(peer, "[::1]:", 6));
    }
    snprintf(path, sizeof path, "%s/sock", test_folder(test));
    talk(test, path, actual, peer);
    SOUK_CHECK(!strcmp(actual, path) && !strcmp(peer, "unix"));
}

SOUK_TEST("every address of the machine means both families, and a v4 peer is shown as v4")
{
    souk_auto_value(souk_fd) door = -1;
    souk_auto_value(souk_fd) client = -1;
    souk_auto_value(souk_fd) peer = -1;
    char actual[SOUK_ADDRESS_ROOM], address[SOUK_ADDRESS_ROOM];
    SOUK_MUST(souk_socket_listen(":0", NULL, &door, actual, NULL));
    snprintf(address, sizeof address, "127.0.0.1:%s", strrchr(actual, ':') + 1);
    SOUK_MUST(souk_socket_connect(address, 5000, &client, NULL));
    struct pollfd one = {.fd = door, .events = POLLIN};
    SOUK_CHECK(poll(&one, 1, 5000) == 1);
    SOUK_MUST(souk_socket_accept(door, &peer));
    SOUK_CHECK(peer >= 0);
    souk_socket_peer(peer, address);
    SOUK_CHECK(!strncmp(address, "127.0.0.1:", 10));
    souk_fd none = 5;
    SOUK_MUST(souk_socket_accept(door, &none));
    SOUK_CHECK(none == -1);
}

SOUK_TEST("a taken port is refused unless it is shared")
{
    souk_auto_value(souk_fd) first = -1;
    souk_auto_value(souk_fd) second = -1;
    char actual[SOUK_ADDRESS_ROOM], again[SOUK_ADDRESS_ROOM];
    souk_diag diag = {0};
    SOUK_MUST(souk_socket_listen("127.0.0.1:0", NULL, &first, actual, NULL));
    SOUK_CHECK_ERR(souk_socket_listen(actual, NULL, &second, again, &diag), SOUK_EEXIST);
    SOUK_CHECK(strstr(diag.words, actual) && second == -1);
    souk_fd_done(&first);
    diag = (souk_diag){0};
    SOUK_CHECK_ERR(souk_socket_connect(actual, 1000, &second, &diag), SOUK_ENOENT);
    SOUK_CHECK(strstr(diag.words, "nobody"));

    souk_listen_options shared = {.share_port = true};
    SOUK_MUST(souk_socket_listen("127.0.0.1:0", &shared, &first, actual, NULL));
    SOUK_MUST(souk_socket_listen(actual, &shared, &second, again, NULL));
    SOUK_CHECK(!strcmp(actual, again));
}

SOUK_TEST("a dead socket file is replaced, a living one and a plain file are not")
{
    souk_auto_value(souk_fd) first = -1;
    souk_auto_value(souk_fd) second = -1;
    char path[300], actual[SOUK_ADDRESS_ROOM];
    snprintf(path, sizeof path, "%s/sock", test_folder(test));
    SOUK_MUST(souk_socket_listen(path, NULL, &first, actual, NULL));
    struct stat about;
    SOUK_CHECK(!stat(path, &about) && (about.st_mode & 0777) == 0600);
    SOUK_CHECK_ERR(souk_socket_listen(path, NULL, &second, actual, NULL), SOUK_EEXIST);
    souk_fd_done(&first);
    SOUK_CHECK_ERR(souk_socket_connect(path, 100, &second, NULL), SOUK_ENOENT);
    SOUK_MUST(souk_socket_listen(path, NULL, &second, actual, NULL));

    snprintf(path, sizeof path, "%s/plain", test_folder(test));
    FILE *plain = fopen(path, "w");
    SOUK_CHECK(plain && !fclose(plain));
    SOUK_CHECK_ERR(souk_socket_listen(path, NULL, &first, actual, NULL), SOUK_EEXIST);
    SOUK_CHECK(access(path, F_OK) == 0);
    snprintf(path, sizeof path, "%s/none/sock", test_folder(test));
    SOUK_CHECK_ERR(souk_socket_listen(path, NULL, &first, actual, NULL), SOUK_ENOENT);
}

SOUK_TEST("a silent or a greedy peer costs the client its wait and no more")
{
    souk_auto_value(souk_fd) door = -1;
    souk_auto_value(souk_fd) peer = -1;
    souk_auto_value(souk_client) client = SOUK_CLIENT_NONE;
    char actual[SOUK_ADDRESS_ROOM], byte;
    size_t got;
    SOUK_MUST(souk_socket_listen("127.0.0.1:0", NULL, &door, actual, NULL));
    SOUK_MUST(souk_client_open(&client, actual, 5000, NULL));
    client.wait_ms = 5;
    SOUK_CHECK_ERR(souk_client_receive(&client, &byte, 1, &got), SOUK_ETIMEOUT);
    client.wait_ms = -1;
    SOUK_CHECK_ERR(souk_client_receive(&client, &byte, 1, &got), SOUK_ETIMEOUT);

    /* Nobody reads: the buffers between us fill up. */
    client.wait_ms = 5;
    char *much = souk_mem_get(test->mem, 1 << 20);
    SOUK_CHECK(much);
    souk_err err = SOUK_OK;
    for (int i = 0; i < 1000 && !err; i++)
        err = souk_client_send(&client, (souk_text){much, 1 << 20});
    souk_mem_put(test->mem, much);
    SOUK_CHECK(err == SOUK_ETIMEOUT);

    /* A line without an end meets the ceiling of the buffer. */
    SOUK_MUST(souk_socket_accept(door, &peer));
    SOUK_CHECK(peer >= 0 && send(peer, "0123456789", 10, MSG_NOSIGNAL) == 10);
    souk_auto_value(souk_buf) line = {.mem = test->mem, .limit_bytes = 8};
    client.wait_ms = 5000;
    SOUK_CHECK_ERR(souk_client_receive_line(&client, &line), SOUK_ETOOBIG);

    /* The peer goes: an error, and no signal that would end the process. */
    souk_fd_done(&peer);
    client.wait_ms = 5000;
    for (err = SOUK_OK; !err;)
        err = souk_client_send(&client, SOUK_TEXT("x"));
    SOUK_CHECK(err == SOUK_EIO);
}

SOUK_TEST("a listener whose queue is full makes a client wait until its deadline")
{
    souk_auto_value(souk_fd) door = -1;
    souk_fd clients[4] = {-1, -1, -1, -1};
    char path[300], actual[SOUK_ADDRESS_ROOM];
    snprintf(path, sizeof path, "%s/sock", test_folder(test));
    souk_listen_options options = {.backlog = 1};
    SOUK_MUST(souk_socket_listen(path, &options, &door, actual, NULL));
    souk_err err = SOUK_OK;
    for (int i = 0; i < 4 && !err; i++)
        err = souk_socket_connect(actual, 5, &clients[i], NULL);
    SOUK_CHECK(err == SOUK_ETIMEOUT);
    for (int i = 0; i < 4; i++)
        souk_fd_done(&clients[i]);
}

SOUK_TEST("a taken descriptor leaves none behind")
{
    souk_fd fd = dup(0);
    int taken = souk_fd_take(&fd);
    SOUK_CHECK(taken >= 0 && fd == -1);
    souk_fd_done(&taken);
    SOUK_CHECK(taken == -1);
}
