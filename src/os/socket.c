/* socket.c - addresses, listeners and connections of socket.h; the client is in socket_client.c. */
#include "os/socket.h"

#include "os/clock.h"
#include "os/socket_wait.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

typedef struct place {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un path;
        struct sockaddr_storage room;
    } at;
    socklen_t bytes;
    bool everywhere; /* no host was given */
} place;

void souk_fd_done(souk_fd *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static souk_err err_of(int system_error)
{
    switch (system_error) {
    case EADDRINUSE:
        return SOUK_EEXIST;
    case EACCES:
    case EPERM:
    case EROFS:
        return SOUK_EDENIED;
    case EADDRNOTAVAIL:
    case EINVAL:
    case EAFNOSUPPORT:
    case ENOTSOCK:
    case EPROTOTYPE:
        return SOUK_EINVAL;
    case ECONNREFUSED:
    case ENOENT:
    case ENOTDIR:
        return SOUK_ENOENT;
    case ETIMEDOUT:
        return SOUK_ETIMEOUT;
    case EMFILE:
    case ENFILE:
        return SOUK_EBUSY;
    case ENOMEM:
    case ENOBUFS:
        return SOUK_ENOMEM;
    default:
        return SOUK_EIO;
    }
}

/* ---- addresses ------------------------------------------------------------------------------ */

static void place_v4(place *to, struct in_addr host, uint16_t port)
{
    to->at.v4 =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = host};
    to->bytes = sizeof to->at.v4;
}

static void place_v6(place *to, struct in6_addr host, uint16_t port)
{
    to->at.v6 =
        (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = host};
    to->bytes = sizeof to->at.v6;
}

static souk_err parse_path(const char *path, place *to, souk_diag *diag)
{
    size_t bytes = strlen(path);
    if (bytes >= sizeof to->at.path.sun_path)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the socket path %s is too long: %zu bytes, at most %zu", path, bytes,
                             sizeof to->at.path.sun_path - 1);
    to->at.path.sun_family = AF_UNIX;
    memcpy(to->at.path.sun_path, path, bytes + 1);
    to->bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + bytes + 1);
    return SOUK_OK;
}

static souk_err parse_host(souk_text host, uint16_t port, place *to)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;
    bool brackets = host.bytes >= 2 && host.at[0] == '[' && host.at[host.bytes - 1] == ']';
    if (brackets)
        host = (souk_text){host.at + 1, host.bytes - 2};
    if (host.bytes >= sizeof copy)
        return SOUK_EINVAL;
    snprintf(copy, sizeof copy, "%.*s", SOUK_TEXT_PRINT(host));
    if (!brackets && host.bytes == 0) {
        to->everywhere = true;
        place_v6(to, in6addr_any, port);
    } else if (!brackets && souk_text_equal(host, SOUK_TEXT("localhost"))) {
        place_v4(to, (struct in_addr){htonl(INADDR_LOOPBACK)}, port);
    } else if (!brackets && inet_pton(AF_INET, copy, &v4) == 1) {
        place_v4(to, v4, port);
    } else if (brackets && inet_pton(AF_INET6, copy, &v6) == 1) {
        place_v6(to, v6, port);
    } else {
        return SOUK_EINVAL;
    }
    return SOUK_OK;
}

static souk_err parse(const char *address, place *to, souk_diag *diag)
{
    *to = (place){0};
    if (strchr(address, '/'))
        return parse_path(address, to, diag);
    const char *colon = strrchr(address, ':');
    uint64_t port;
    if (!colon || strchr(colon, ']'))
        return souk_diag_say(
            diag, SOUK_EINVAL,
            "the address '%s' has no port: write 127.0.0.1:8080, [::1]:8080, :8080 "
            "or a path with a slash",
            address);
    if (souk_text_to_u64(souk_text_of(colon + 1), &port) || port > 65535)
        return souk_diag_say(diag, SOUK_EINVAL, "the port '%s' in '%s' is not a number up to 65535",
                             colon + 1, address);
    if (parse_host(souk_text_range(address, colon), (uint16_t)port, to))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the host in '%s' is not an address: write 127.0.0.1, [::1], "
                             "localhost, or nothing for all",
                             address);
    return SOUK_OK;
}

souk_err souk_socket_check(const char *address, souk_diag *diag)
{
    place ignored;
    return parse(address, &ignored, diag);
}

static void print_place(const place *from, char to[SOUK_ADDRESS_ROOM])
{
    char host[INET6_ADDRSTRLEN] = "?";
    const struct in6_addr *v6 = &from->at.v6.sin6_addr;
    if (from->at.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &from->at.v4.sin_addr, host, sizeof host);
        snprintf(to, SOUK_ADDRESS_ROOM, "%s:%u", host, ntohs(from->at.v4.sin_port));
    } else if (from->at.any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(v6)) {
        inet_ntop(AF_INET, &v6->s6_addr[12], host, sizeof host);
        snprintf(to, SOUK_ADDRESS_ROOM, "%s:%u", host, ntohs(from->at.v6.sin6_port));
    } else if (from->at.any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, v6, host, sizeof host);
        snprintf(to, SOUK_ADDRESS_ROOM, "[%s]:%u", host, ntohs(from->at.v6.sin6_port));
    } else {
        snprintf(to, SOUK_ADDRESS_ROOM, "%s", "unix");
    }
}

/* ---- listening ------------------------------------------------------------------------------ */

static void set_option(int fd, int level, int name, int value)
{
    /* Options tune; a kernel without one still serves. */
    (void)setsockopt(fd, level, name, &value, sizeof value);
}

static int open_socket(int family)
{
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* A socket file outlives its process.  Only one that refuses to connect is dead. */
static bool remove_dead_path(const place *where)
{
    struct stat about;
    const char *path = where->at.path.sun_path;
    if (lstat(path, &about) || !S_ISSOCK(about.st_mode))
        return false;
    souk_auto_value(souk_fd) probe = open_socket(AF_UNIX);
    if (probe < 0 || !connect(probe, &where->at.any, where->bytes) || errno != ECONNREFUSED)
        return false;
    return unlink(path) == 0;
}

/* 0 or errno. */
static int bind_and_listen(const place *where, const souk_listen_options *options, souk_fd *ret_fd)
{
    int family = where->at.any.sa_family;
    souk_auto_value(souk_fd) fd = open_socket(family);
    if (fd < 0)
        return errno;
    if (family == AF_UNIX) {
        /* Before bind the mode belongs to the socket and becomes the file's: no moment in which
         * others may connect (net/unix/af_unix.c, unix_bind_bsd). */
        if (fchmod(fd, 0600))
            return errno;
    } else {
        set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        if (options->share_port)
            set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    }
    if (family == AF_INET6)
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, !where->everywhere);
    int failed = bind(fd, &where->at.any, where->bytes) ? errno : 0;
    if (failed == EADDRINUSE && family == AF_UNIX && remove_dead_path(where))
        failed = bind(fd, &where->at.any, where->bytes) ? errno : 0;
    if (failed)
        return failed;
    if (listen(fd, options->backlog > 0 ? options->backlog : BACKLOG))
        return errno;
    *ret_fd = souk_fd_take(&fd);
    return 0;
}

static souk_err say_why(souk_diag *diag, const char *address, int error)
{
    souk_err err = err_of(error);
    const char *hint = err == SOUK_EEXIST    ? ": another process listens there"
                       : err == SOUK_EDENIED ? ": ports below 1024 need a privilege, a path its "
                                               "folder"
                                             : "";
    return souk_diag_say(diag, err, "cannot listen on %s: %s%s", address, strerrordesc_np(error),
                         hint);
}

souk_err souk_socket_listen(const char *address, const souk_listen_options *options,
                            souk_fd *ret_fd, char ret_address[SOUK_ADDRESS_ROOM], souk_diag *diag)
{
    place where;
    SOUK_TRY(parse(address, &where, diag));
    static const souk_listen_options plain = {0};
    if (!options)
        options = &plain;
    souk_auto_value(souk_fd) fd = -1;
    int failed = bind_and_listen(&where, options, &fd);
    if (where.everywhere && (failed == EAFNOSUPPORT || failed == EADDRNOTAVAIL)) {
        /* A kernel without IPv6. */
        place_v4(&where, (struct in_addr){htonl(INADDR_ANY)}, ntohs(where.at.v6.sin6_port));
        failed = bind_and_listen(&where, options, &fd);
    }
    if (failed)
        return say_why(diag, address, failed);

    if (where.at.any.sa_family == AF_UNIX) {
        snprintf(ret_address, SOUK_ADDRESS_ROOM, "%s", where.at.path.sun_path);
    } else {
        socklen_t bytes = sizeof where.at;
        if (getsockname(fd, &where.at.any, &bytes))
            return say_why(diag, address, errno);
        print_place(&where, ret_address);
    }
    *ret_fd = souk_fd_take(&fd);
    return SOUK_OK;
}

void souk_socket_no_delay(int fd)
{
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

souk_err souk_socket_accept(int listener, souk_fd *ret_fd)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            souk_socket_no_delay(fd);
            *ret_fd = fd;
            return SOUK_OK;
        }
        switch (errno) {
        case EAGAIN:
            *ret_fd = -1;
            return SOUK_OK;
        /* The peer left while it waited, or its network did: accept(2), "Error handling". */
        case EINTR:
        case ECONNABORTED:
        case EPROTO:
        case ENETDOWN:
        case ENOPROTOOPT:
        case EHOSTDOWN:
        case ENONET:
        case EHOSTUNREACH:
        case ENETUNREACH:
            continue;
        default:
            return err_of(errno);
        }
    }
}

/* ---- connecting ----------------------------------------------------------------------------- */

int64_t souk_socket_deadline(int64_t wait_ms)
{
    const int64_t most_ms = (int64_t)1000 * 86400 * 365;
    wait_ms = wait_ms < 0 ? 0 : wait_ms > most_ms ? most_ms : wait_ms;
    return souk_clock_monotonic_ns(souk_clock_real()) + wait_ms * 1000000;
}

souk_err souk_socket_wait(int fd, short events, int64_t deadline_ns)
{
    for (;;) {
        int64_t left_ns = deadline_ns - souk_clock_monotonic_ns(souk_clock_real());
        int64_t left_ms = left_ns <= 0 ? 0 : (left_ns + 999999) / 1000000;
        struct pollfd one = {.fd = fd, .events = events};
        int got = poll(&one, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms);
        if (got > 0)
            return SOUK_OK;
        if (got < 0 && errno != EINTR)
            return err_of(errno);
        if (got == 0 && left_ms == 0)
            return SOUK_ETIMEOUT;
    }
}

static souk_err connect_until(int fd, const place *where, int64_t deadline_ns)
{
    for (;;) {
        if (!connect(fd, &where->at.any, where->bytes) || errno == EISCONN)
            return SOUK_OK;
        if (errno == EINPROGRESS || errno == EALREADY || errno == EINTR)
            break;
        if (errno != EAGAIN)
            return err_of(errno);
        /* A unix listener whose queue is full: there is nothing to poll for. */
        if (souk_clock_monotonic_ns(souk_clock_real()) >= deadline_ns)
            return SOUK_ETIMEOUT;
        poll(NULL, 0, 1);
    }
    SOUK_TRY(souk_socket_wait(fd, POLLOUT, deadline_ns));
    int error = 0;
    socklen_t bytes = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes))
        error = errno;
    return error ? err_of(error) : SOUK_OK;
}

souk_err souk_socket_connect(const char *address, int64_t wait_ms, souk_fd *ret_fd, souk_diag *diag)
{
    int64_t deadline_ns = souk_socket_deadline(wait_ms);
    place where;
    SOUK_TRY(parse(address, &where, diag));
    if (where.everywhere)
        place_v4(&where, (struct in_addr){htonl(INADDR_LOOPBACK)}, ntohs(where.at.v6.sin6_port));
    souk_auto_value(souk_fd) fd = open_socket(where.at.any.sa_family);
    souk_err err = fd < 0 ? err_of(errno) : connect_until(fd, &where, deadline_ns);
    if (err)
        return souk_diag_say(diag, err, "cannot connect to %s: %s", address,
                             err == SOUK_ENOENT ? "nobody listens there" : souk_err_words(err));
    souk_socket_no_delay(fd);
    *ret_fd = souk_fd_take(&fd);
    return SOUK_OK;
}

static void print_path(const place *from, char to[SOUK_ADDRESS_ROOM])
{
    const char *path = from->at.path.sun_path;
    size_t before = offsetof(struct sockaddr_un, sun_path);
    size_t bytes = from->bytes > before ? from->bytes - before : 0;
    if (bytes > 1 && !path[0]) /* unix(7): abstract, not ended by NUL */
        snprintf(to, SOUK_ADDRESS_ROOM, "@%.*s", (int)bytes - 1, path + 1);
    else
        snprintf(to, SOUK_ADDRESS_ROOM, "%.*s", bytes ? (int)bytes : 4, bytes ? path : "unix");
}

void souk_socket_name(int fd, char ret_address[SOUK_ADDRESS_ROOM])
{
    place here = {.bytes = sizeof here.at};
    if (getsockname(fd, &here.at.any, &here.bytes))
        snprintf(ret_address, SOUK_ADDRESS_ROOM, "%s", "?");
    else if (here.at.any.sa_family == AF_UNIX)
        print_path(&here, ret_address);
    else
        print_place(&here, ret_address);
}

void souk_socket_peer(int fd, char ret_address[SOUK_ADDRESS_ROOM])
{
    place peer = {0};
    socklen_t bytes = sizeof peer.at;
    if (getpeername(fd, &peer.at.any, &bytes))
        snprintf(ret_address, SOUK_ADDRESS_ROOM, "%s", "?");
    else
        print_place(&peer, ret_address);
}
