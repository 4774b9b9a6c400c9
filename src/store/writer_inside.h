/* writer_inside.h - what the two files of the writer share; private to store/writer*.c.
 *
 * writer.c       the thread: groups, checkpoints
 * writer_work.c  whoever brings work to it */
#ifndef SOUK_STORE_WRITER_INSIDE_H
#define SOUK_STORE_WRITER_INSIDE_H

#include "os/thread.h"
#include "store/latency.h"
#include "store/queue.h"
#include "store/tills.h"
#include "store/writer.h"

/* A checkpoint that somebody waits for. */
struct request {
    bool truncate, over;
    souk_err err;
};

struct souk_writer {
    souk_mem *mem;
    souk_tx *tx;       /* the writer thread's alone */
    souk_tills *tills; /* NULL: tills are a lane like the others */
    souk_ledger_options options;
    uint64_t checked_pages; /* length of the log at the last checkpoint; the writer thread's */

    souk_mutex lock; /* over all that follows */
    souk_cond wake, served;
    souk_thread thread;
    bool has_thread, running, stopping, abandoned;
    unsigned held;
    souk_err failed;
    bool full;           /* see souk_ledger_found_room */
    souk_watch *watches; /* the writer thread's */
    struct queue lanes[SOUK_LANE_COUNT];
    struct request *request;
    souk_ledger_counters counters;
    struct latency commits;
};

/* Without a thread: whoever brings work runs it, except from within a group. */
void writer_run_here(souk_writer *writer);
/* A closure that waits for its own writer would wait for ever. */
void writer_assert_outside(souk_writer *writer);
SOUK_CHECKED souk_err writer_checkpoint_now(souk_writer *writer, bool truncate);

#endif
