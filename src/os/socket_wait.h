/* socket_wait.h - private to os/: waiting on one socket until a deadline of the monotonic clock. */
#ifndef SOUK_OS_SOCKET_WAIT_H
#define SOUK_OS_SOCKET_WAIT_H

#include "base/err.h"

/* Now and wait_ms, kept within a year so that it cannot overflow. */
int64_t souk_socket_deadline(int64_t wait_ms);
/* Sleeps until poll reports one of events or a broken connection.  SOUK_ETIMEOUT. */
SOUK_CHECKED souk_err souk_socket_wait(int fd, short events, int64_t deadline_ns);

#endif
