/* notify.h - the supervisor that started us: telling it how we are, and taking the sockets it opened.
 *
 *     souk_notify supervisor;
 *     SOUK_TRY(souk_notify_open(&supervisor, diag));        first of all: it cleans the environment
 *     souk_inherited sockets;
 *     SOUK_TRY(souk_inherited_take(&sockets, diag));
 *     ... listen at each of sockets.fds, or where the settings say when there is none ...
 *     SOUK_TRY(souk_notify_ready(&supervisor, "serving at 127.0.0.1:7010"));
 *     every souk_notify_alive_ms(&supervisor), where all is well:
 *         SOUK_TRY(souk_notify_alive(&supervisor));
 *     SOUK_TRY(souk_notify_stopping(&supervisor, "waits for 3 requests", 10000));
 *     souk_notify_done(&supervisor);
 *
 * Protocol  one datagram a message to the unix socket that NOTIFY_SOCKET names, lines of NAME=VALUE:
 *
 *     READY=1\nSTATUS=serving at 127.0.0.1:7010
 *     RELOADING=1\nMONOTONIC_USEC=81230944512\nSTATUS=…     always followed by a READY=1
 *     STOPPING=1\nSTATUS=…\nEXTEND_TIMEOUT_USEC=10000000    not cut off before these 10 s are over
 *     STATUS=reading the log: 40 %\nEXTEND_TIMEOUT_USEC=…   the same while it starts
 *     WATCHDOG=1                                            for WATCHDOG_USEC more microseconds we live
 *
 *           "@name" is a socket without a file (unix(7), abstract).  Without the variable every call
 *           does nothing and succeeds: nobody listens.
 * Sockets   LISTEN_FDS descriptors from 3 on are for the process LISTEN_PID, with LISTEN_FDNAMES as their
 *           names, parted by colons.  Variables meant for another process are passed over, not obeyed.
 * Children  the variables are taken out of the environment and the descriptors are closed on exec, so
 *           that no child speaks or listens in our name.
 * Cost      one sendto a message; it waits at most SOUK_NOTIFY_WAIT_MS for a supervisor that does not read
 * Source    sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3), systemd 252
 * Threads   open and take change the environment: before any thread.  Then one at a time. */
#ifndef SOUK_OS_NOTIFY_H
#define SOUK_OS_NOTIFY_H

#include "os/socket.h"

enum {
    SOUK_NOTIFY_WAIT_MS = 2000,
    SOUK_NOTIFY_ADDRESS_BYTES = 107, /* of a unix socket's name, unix(7) */
    SOUK_NOTIFY_STATUS_BYTES = 300,  /* a longer one is cut */
    SOUK_INHERITED_MOST = 7,         /* sockets of one server */
    SOUK_INHERITED_NAME_BYTES = 64,
};

/* Private; {.fd = -1} is one that nobody hears. */
typedef struct souk_notify {
    souk_fd fd;
    char address[SOUK_NOTIFY_ADDRESS_BYTES + 1]; /* '@' first: abstract */
    uint64_t watchdog_us;                        /* 0: nobody waits for signs of life */
} souk_notify;

/* Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment; all are gone whatever is
 * returned, and *ret_notify is one to use, if only one that nobody hears.
 * SOUK_EINVAL: a variable that makes no sense, with words; what the others say still holds.
 * SOUK_EBUSY: no descriptor left. */
SOUK_CHECKED souk_err souk_notify_open(souk_notify *ret_notify, souk_diag *diag);
void souk_notify_done(souk_notify *notify);
/* Whether there is anybody to tell. */
static inline bool souk_notify_is_heard(const souk_notify *notify)
{
    return notify->fd >= 0;
}

/* What follows may fail with SOUK_ENOENT: the supervisor's socket is gone.  SOUK_ETIMEOUT: it does not
 * read.  SOUK_EDENIED.  SOUK_EIO.  None of it is a reason to stop.
 * A status is words for `systemctl status`; controls in it are shown as '?'. */
SOUK_CHECKED souk_err souk_notify_ready(souk_notify *notify, const char *status);
/* extend_ms > 0: starting, reloading or stopping takes so much longer than now. */
SOUK_CHECKED souk_err souk_notify_status(souk_notify *notify, const char *status,
                                         uint32_t extend_ms);
/* monotonic_ns: of the machine's clock.  Say ready when it is over. */
SOUK_CHECKED souk_err souk_notify_reloading(souk_notify *notify, const char *status,
                                            int64_t monotonic_ns);
SOUK_CHECKED souk_err souk_notify_stopping(souk_notify *notify, const char *status,
                                           uint32_t extend_ms);

/* How often to show signs of life: half of what the supervisor waits, at least 1; 0: it does not. */
uint32_t souk_notify_alive_ms(const souk_notify *notify);
SOUK_CHECKED souk_err souk_notify_alive(souk_notify *notify);

/* ---- sockets that were opened for us --------------------------------------------------------- */

typedef struct souk_inherited {
    size_t count;
    souk_fd fds[SOUK_INHERITED_MOST];                           /* owned; taken: -1 */
    char names[SOUK_INHERITED_MOST][SOUK_INHERITED_NAME_BYTES]; /* "": it has none */
    char addresses[SOUK_INHERITED_MOST][SOUK_ADDRESS_ROOM];     /* fit for connecting */
} souk_inherited;

/* Takes LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES out of the environment, gone whatever is returned, and the
 * sockets over, closed on exec.  Without the variables, or where they are for another process: none.
 * SOUK_EINVAL: a number that makes no sense, or a descriptor that is no listening stream socket; which, and
 * what to do, stands in diag.  SOUK_ETOOBIG: more than SOUK_INHERITED_MOST.  Then nothing is taken. */
SOUK_CHECKED souk_err souk_inherited_take(souk_inherited *ret_inherited, souk_diag *diag);
/* Closes those that are left. */
void souk_inherited_done(souk_inherited *inherited);

#endif
