/* process.h - the process as a whole: the signals that end it, its memory, and a copy of both for a while.
 *
 *     int signals_fd;
 *     SOUK_TRY(souk_signals_open(&signals_fd));        before the first thread starts
 *     ... epoll says signals_fd is readable ...
 *     switch (souk_signals_read(signals_fd)) { case SIGTERM: case SIGINT: stop(); case SIGHUP: reload(); }
 *     souk_signals_close(signals_fd);
 *
 *     souk_process_memory memory;
 *     SOUK_TRY(souk_process_memory_read(&memory));
 *
 * Cost     souk_process_memory_read walks the process's pages: for a metric every few seconds, not
 *          for a request.
 * Threads  open in the main thread before any other; memory from any thread. */
#ifndef SOUK_OS_PROCESS_H
#define SOUK_OS_PROCESS_H

#include "base/err.h"

/* Blocks SIGTERM, SIGINT and SIGHUP in this thread and those it starts later, so that they arrive as
 * readable bytes; ignores SIGPIPE, so that a vanished peer is an error and not an end.
 * SOUK_EBUSY: no descriptor left.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_signals_open(int *ret_fd);
/* The next signal, 0 where none waits; never blocks. */
int souk_signals_read(int fd);
/* Whether SIGTERM or SIGINT arrived and nobody has read it: for work that comes before the loop that reads them. */
bool souk_signals_waiting(void);
/* Closes and lets signals through again; those that wait are dropped. */
void souk_signals_close(int fd);

/* Lets this process open as many files as the system allows it at most: the usual limit is low for the
 * sake of select(2), which nothing here uses. */
void souk_process_raise_files(void);

typedef struct souk_process_memory {
    uint64_t resident_bytes;  /* now, shared and mapped files included */
    uint64_t peak_bytes;      /* the most resident_bytes has been */
    uint64_t anonymous_bytes; /* now, without files: heap, stacks, copied pages of private maps */
} souk_process_memory;

/* SOUK_EIO: /proc cannot be read. */
SOUK_CHECKED souk_err souk_process_memory_read(souk_process_memory *ret_memory);

/* A copy of this process as it stands, which runs `work` and ends: for writing out a large memory while the
 * original goes on.  Only the calling thread lives in the copy, so work takes no locks; whoever calls
 * sees to it that no other thread is half-way through a change of what work reads.  The copy dies with the
 * calling thread.  SOUK_ENOMEM, SOUK_EBUSY: no process left.
 * Cost     the page tables: some milliseconds a gigabyte; then each page that the original changes */
SOUK_CHECKED souk_err souk_process_copy(souk_err (*work)(void *context), void *context,
                                        long *ret_pid);
/* False: it still works.  *ret_err: what work returned, SOUK_EIO where the copy was killed. */
SOUK_CHECKED bool souk_process_copy_ended(long pid, souk_err *ret_err);
/* Kills the copy and waits for its end. */
void souk_process_copy_kill(long pid);

#endif
