/* notify.c - the datagrams and the variables of notify.h. */
#include "os/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_FD = 3, MESSAGE_BYTES = SOUK_NOTIFY_STATUS_BYTES + 200 };

/* The variable's value, which the environment has no longer.  False: it was not there, or empty. */
static bool take_variable(const char *name, char *to, size_t room)
{
    const char *value = getenv(name);
    bool found = value && *value;
    snprintf(to, room, "%s", found ? value : ""); /* too long is refused by whoever reads it */
    unsetenv(name);
    return found;
}

/* SOUK_ENOENT: the variable was not there.  SOUK_EINVAL: it is no number. */
static souk_err take_number(const char *name, uint64_t *ret_number, souk_diag *diag)
{
    char text[32];
    if (!take_variable(name, text, sizeof text))
        return SOUK_ENOENT;
    if (souk_text_to_u64(souk_text_of(text), ret_number))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the variable %s is '%s' and must be a number: whoever starts this "
                             "program must set it rightly, or not at all",
                             name, text);
    return SOUK_OK;
}

/* ---- telling ------------------------------------------------------------------------------------ */

static souk_err open_socket(souk_notify *notify, souk_diag *diag)
{
    if (strlen(notify->address) < 2 || (notify->address[0] != '/' && notify->address[0] != '@'))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the variable NOTIFY_SOCKET is '%s' and must be a path from / or a "
                             "name behind @: the supervisor is not told how the server is",
                             notify->address);
    souk_fd fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return SOUK_EBUSY;
    struct timeval wait = {.tv_sec = SOUK_NOTIFY_WAIT_MS / 1000};
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    notify->fd = fd;
    return SOUK_OK;
}

/* The supervisor waits for signs of life of one process; the variables may have been for its parent. */
static souk_err take_watchdog(souk_notify *notify, souk_diag *diag)
{
    uint64_t pid = 0, period_us = 0;
    souk_err no_pid = take_number("WATCHDOG_PID", &pid, diag);
    souk_err no_period = take_number("WATCHDOG_USEC", &period_us, diag);
    if (no_pid == SOUK_EINVAL || no_period == SOUK_EINVAL)
        return SOUK_EINVAL;
    if (!no_period && (no_pid == SOUK_ENOENT || pid == (uint64_t)getpid()))
        notify->watchdog_us = period_us;
    return SOUK_OK;
}

souk_err souk_notify_open(souk_notify *notify, souk_diag *diag)
{
    char address[SOUK_NOTIFY_ADDRESS_BYTES + 2]; /* one more, to see that it is too long */
    *notify = (souk_notify){.fd = -1};
    souk_err err = take_watchdog(notify, diag);
    if (!take_variable("NOTIFY_SOCKET", address, sizeof address)) {
        notify->watchdog_us = 0; /* nobody to hear the signs */
        return err;
    }
    if (strlen(address) > SOUK_NOTIFY_ADDRESS_BYTES)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the variable NOTIFY_SOCKET has more than %d bytes: the supervisor is "
                             "not told how the server is",
                             SOUK_NOTIFY_ADDRESS_BYTES);
    memcpy(notify->address, address, strlen(address) + 1);
    souk_err closed = open_socket(notify, diag);
    return closed ? closed : err;
}

void souk_notify_done(souk_notify *notify)
{
    souk_fd_done(&notify->fd);
}

static souk_err err_of_send(int error)
{
    switch (error) {
    case EAGAIN: /* SO_SNDTIMEO */
        return SOUK_ETIMEOUT;
    case ENOENT:
    case ECONNREFUSED:
        return SOUK_ENOENT;
    case EACCES:
    case EPERM:
        return SOUK_EDENIED;
    default:
        return SOUK_EIO;
    }
}

static souk_err send_message(souk_notify *notify, const char *message, size_t bytes)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (notify->fd < 0)
        return SOUK_OK;
    size_t length = strlen(notify->address);
    memcpy(to.sun_path, notify->address, length);
    bool is_abstract = to.sun_path[0] == '@';
    if (is_abstract)
        to.sun_path[0] = '\0'; /* unix(7): then the length counts, and no NUL ends it */
    socklen_t room = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + !is_abstract);
    ssize_t sent;
    while ((sent = sendto(notify->fd, message, bytes, MSG_NOSIGNAL, (struct sockaddr *)&to, room)) <
               0 &&
           errno == EINTR)
        ;
    return sent == (ssize_t)bytes ? SOUK_OK : err_of_send(errno);
}

/* `before` and `after` are lines of our own; the status between them may say anything but a new line. */
static souk_err tell(souk_notify *notify, const char *before, const char *status, const char *after)
{
    char message[MESSAGE_BYTES];
    size_t at = (size_t)snprintf(message, sizeof message, "%sSTATUS=", before);
    for (size_t i = 0; status[i] && i < SOUK_NOTIFY_STATUS_BYTES; i++) {
        bool control = (unsigned char)status[i] < ' ' || status[i] == 0x7f;
        message[at++] = status[i];
        if (control)
            message[at - 1] = '?';
    }
    at += (size_t)snprintf(message + at, sizeof message - at, "%s%s", *after ? "\n" : "", after);
    souk_assert(at < sizeof message);
    return send_message(notify, message, at);
}

static souk_err tell_extended(souk_notify *notify, const char *before, const char *status,
                              uint32_t extend_ms)
{
    char after[64] = "";
    if (extend_ms)
        snprintf(after, sizeof after, "EXTEND_TIMEOUT_USEC=%llu",
                 (unsigned long long)extend_ms * 1000u);
    return tell(notify, before, status, after);
}

souk_err souk_notify_ready(souk_notify *notify, const char *status)
{
    return tell(notify, "READY=1\n", status, "");
}

souk_err souk_notify_status(souk_notify *notify, const char *status, uint32_t extend_ms)
{
    return tell_extended(notify, "", status, extend_ms);
}

souk_err souk_notify_reloading(souk_notify *notify, const char *status, int64_t monotonic_ns)
{
    char before[80];
    snprintf(before, sizeof before, "RELOADING=1\nMONOTONIC_USEC=%lld\n",
             (long long)(monotonic_ns / 1000));
    return tell(notify, before, status, "");
}

souk_err souk_notify_stopping(souk_notify *notify, const char *status, uint32_t extend_ms)
{
    return tell_extended(notify, "STOPPING=1\n", status, extend_ms);
}

uint32_t souk_notify_alive_ms(const souk_notify *notify)
{
    uint64_t half_ms = notify->watchdog_us / 2000;
    if (!notify->watchdog_us)
        return 0;
    return half_ms < 1 ? 1 : half_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)half_ms;
}

souk_err souk_notify_alive(souk_notify *notify)
{
    return send_message(notify, "WATCHDOG=1", strlen("WATCHDOG=1"));
}

/* ---- sockets ------------------------------------------------------------------------------------ */

static souk_err no_listener(int fd, const char *what, souk_diag *diag)
{
    return souk_diag_say(diag, SOUK_EINVAL,
                         "descriptor %d of LISTEN_FDS is %s and must be a stream socket that "
                         "listens (in a .socket unit: ListenStream=, Accept=no)",
                         fd, what);
}

static souk_err take_socket(int fd, char ret_address[SOUK_ADDRESS_ROOM], souk_diag *diag)
{
    int listens = 0, type = 0, flags = fcntl(fd, F_GETFD);
    socklen_t bytes = sizeof type;
    if (flags < 0)
        return no_listener(fd, "not open", diag);
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &bytes))
        return no_listener(fd, "no socket", diag);
    bytes = sizeof listens;
    if (type != SOCK_STREAM)
        return no_listener(fd, "a socket of another type", diag);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &bytes) || !listens)
        return no_listener(fd, "a socket that does not listen", diag);
    if (fcntl(fd, F_SETFD, flags | FD_CLOEXEC))
        return no_listener(fd, "not ours to change", diag);
    souk_socket_name(fd, ret_address);
    return SOUK_OK;
}

static void name_sockets(souk_inherited *inherited, souk_text names)
{
    for (size_t i = 0; i < inherited->count && names.bytes; i++) {
        souk_text name = souk_text_cut(&names, ':');
        snprintf(inherited->names[i], sizeof inherited->names[i], "%.*s", SOUK_TEXT_PRINT(name));
    }
}

souk_err souk_inherited_take(souk_inherited *ret_inherited, souk_diag *diag)
{
    souk_inherited inherited = {.count = 0};
    uint64_t pid, count;
    char names[SOUK_INHERITED_MOST * SOUK_INHERITED_NAME_BYTES];
    souk_err no_pid = take_number("LISTEN_PID", &pid, diag);
    souk_err no_count = take_number("LISTEN_FDS", &count, diag);
    (void)take_variable("LISTEN_FDNAMES", names, sizeof names);
    *ret_inherited = inherited;
    if (no_pid == SOUK_EINVAL || no_count == SOUK_EINVAL)
        return SOUK_EINVAL;
    if (no_pid || no_count || pid != (uint64_t)getpid())
        return SOUK_OK;
    if (count > SOUK_INHERITED_MOST)
        return souk_diag_say(diag, SOUK_ETOOBIG,
                             "LISTEN_FDS hands over %llu sockets, at most %d are taken: name fewer "
                             "in the .socket unit",
                             (unsigned long long)count, SOUK_INHERITED_MOST);
    while (inherited.count < count) {
        int fd = FIRST_FD + (int)inherited.count;
        SOUK_TRY(take_socket(fd, inherited.addresses[inherited.count], diag));
        inherited.fds[inherited.count++] = fd;
    }
    name_sockets(&inherited, souk_text_of(names));
    *ret_inherited = inherited;
    return SOUK_OK;
}

void souk_inherited_done(souk_inherited *inherited)
{
    for (size_t i = 0; i < inherited->count; i++)
        souk_fd_done(&inherited->fds[i]);
    inherited->count = 0;
}
