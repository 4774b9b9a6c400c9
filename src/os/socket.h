/* socket.h - addresses as people write them, listening, connecting, and a small blocking client.
 *
 *     souk_auto_value(souk_fd) door = -1;
 *     char actual[SOUK_ADDRESS_ROOM];
 *     SOUK_TRY(souk_socket_listen("127.0.0.1:0", NULL, &door, actual, diag));   "127.0.0.1:40123"
 *     ... epoll says door is readable ...
 *     souk_auto_value(souk_fd) peer = -1;
 *     SOUK_TRY(souk_socket_accept(door, &peer));
 *
 * and from the other side, for commands and tests:
 *
 *     souk_auto_value(souk_client) client = SOUK_CLIENT_NONE;
 *     SOUK_TRY(souk_client_open(&client, actual, 2000, diag));
 *     SOUK_TRY(souk_client_send(&client, SOUK_TEXT("status\n")));
 *     SOUK_TRY(souk_client_receive_line(&client, &line));
 *
 * Addresses   "127.0.0.1:8080"   "[::1]:8080"   "localhost:8080" (127.0.0.1)
 *             ":8080"            every address of the machine, IPv6 and IPv4
 *             "/run/souk.sock"   a unix socket: whatever has a slash; mode 0600, at most 107 bytes
 *             Port 0 lets the system choose.  Names are not looked up: nothing here blocks on DNS.
 * Errors      SOUK_EINVAL: the address does not parse or is not this machine's.  SOUK_EEXIST:
 *             somebody listens there.  SOUK_EDENIED: a port below 1024, a folder that is not ours.
 *             SOUK_ENOENT: nobody listens.  SOUK_ETIMEOUT.  SOUK_EIO: the connection broke.
 *             SOUK_EBUSY: no descriptor left.  SOUK_ENOMEM.
 * Threads     no shared state; one thread at a time per descriptor or client. */
#ifndef SOUK_OS_SOCKET_H
#define SOUK_OS_SOCKET_H

#include "base/text.h"

/* What an address takes as text with its NUL. */
enum { SOUK_ADDRESS_ROOM = 128 };

/* A descriptor that souk_auto_value can close; -1: none.  All of ours are closed on exec. */
typedef int souk_fd;
void souk_fd_done(souk_fd *fd);
/* Here the descriptor leaves, visibly: yields it and leaves -1 behind. */
static inline int souk_fd_take(souk_fd *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

/* Whether the address is one of the above, with words in diag where it is not: for checking
 * settings without opening anything.  SOUK_EINVAL. */
SOUK_CHECKED souk_err souk_socket_check(const char *address, souk_diag *diag);

typedef struct souk_listen_options {
    int backlog;     /* 0: 1024; the kernel cuts it at net.core.somaxconn */
    bool share_port; /* SO_REUSEPORT: several listeners, one per loop, split the connections */
} souk_listen_options;

/* A non-blocking listener with SO_REUSEADDR; options may be NULL.  ret_address tells where, fit for
 * connecting, with the port the system chose.  A unix socket file nobody listens on any more is
 * replaced; the file stays when the listener closes, the owner removes it. */
SOUK_CHECKED souk_err souk_socket_listen(const char *address, const souk_listen_options *options,
                                         souk_fd *ret_fd, char ret_address[SOUK_ADDRESS_ROOM],
                                         souk_diag *diag);
/* The next waiting peer, non-blocking, TCP_NODELAY set; *ret_fd is -1 where none waits.
 * SOUK_EBUSY, SOUK_ENOMEM: it stays in the queue, try later. */
SOUK_CHECKED souk_err souk_socket_accept(int listener, souk_fd *ret_fd);
/* Connects within wait_ms; *ret_fd is non-blocking, TCP_NODELAY set. */
SOUK_CHECKED souk_err souk_socket_connect(const char *address, int64_t wait_ms, souk_fd *ret_fd,
                                          souk_diag *diag);
/* Small answers leave at once (TCP_NODELAY); nothing on a unix socket. */
void souk_socket_no_delay(int fd);
/* Where a listener of somebody else's making listens, as souk_socket_listen tells it; "@name" for a unix
 * socket without a file, "?" for what is no socket. */
void souk_socket_name(int fd, char ret_address[SOUK_ADDRESS_ROOM]);
/* The address of the other side, "unix" for a unix socket; "?" once it is gone. */
void souk_socket_peer(int fd, char ret_address[SOUK_ADDRESS_ROOM]);

/* ---- the blocking client ----------------------------------------------------------------- */

typedef struct souk_client {
    souk_fd fd;
    int64_t wait_ms; /* how long each call below may take as a whole; may be changed between them */
} souk_client;
#define SOUK_CLIENT_NONE ((souk_client){-1, 0})

SOUK_CHECKED souk_err souk_client_open(souk_client *client, const char *address, int64_t wait_ms,
                                       souk_diag *diag);
void souk_client_done(souk_client *client);
/* All of it, or an error: then the peer has got an unknown part. */
SOUK_CHECKED souk_err souk_client_send(souk_client *client, souk_text text);
/* Says that nothing more will be sent; receiving goes on. */
SOUK_CHECKED souk_err souk_client_finish(souk_client *client);
/* At least one byte; *ret_bytes is 0 only where the peer has finished. */
SOUK_CHECKED souk_err souk_client_receive(souk_client *client, void *to, size_t most,
                                          size_t *ret_bytes);
/* Appends up to and with the next "\n", byte by byte: for short control lines.  SOUK_EIO: the peer
 * finished before the end of the line.  SOUK_ETOOBIG: buf's ceiling. */
SOUK_CHECKED souk_err souk_client_receive_line(souk_client *client, souk_buf *buf);
/* Appends all until the peer finishes.  SOUK_ETOOBIG: buf's ceiling. */
SOUK_CHECKED souk_err souk_client_receive_all(souk_client *client, souk_buf *buf);

#endif
