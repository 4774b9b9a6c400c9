/* pulse.h - is the server alive?  A question to each part that must move, and who has not answered.
 *
 *     souk_auto(souk_pulse) pulse = NULL;
 *     SOUK_TRY(souk_pulse_new(mem, &(souk_pulse_parts){ledger, http, api}, &pulse));
 *     souk_pulse_ask(pulse);
 *     ... half of the watchdog's time later ...
 *     const char *silent = souk_pulse_silent(pulse);
 *     if (!silent) {
 *         tell_the_watchdog();
 *         souk_pulse_ask(pulse);
 *     } else
 *         log("%s has not answered", silent);            and ask nothing new: who hangs has still to answer
 *
 * Why      a process that answers its supervisor from a thread of its own proves that this thread lives.
 *          Here the sign of life needs the others: a writer that stands in a sync which never returns, a
 *          handler that blocks its loop, a thread that reads bodies and waits for a lock, each ends it.
 * Asked    the writer   an empty closure goes through its queue and its commit: no page, no sync
 *          the loops    each has a turn (souk_http_probe)
 *          the readers  large bodies that waited have begun (souk_api_probe)
 * Not      what is only slow: jobs and calls that wait for commits may take minutes; and a disk that is full or
 *          has failed: the server says so and acts by itself
 * Cost     ask: one job, one eventfd write a loop; silent: some loads
 * Threads  one, that of the supervisor's messages */
#ifndef SOUK_SERVE_PULSE_H
#define SOUK_SERVE_PULSE_H

#include "serve/api.h"
#include "store/ledger.h"

typedef struct souk_pulse souk_pulse;

/* What is asked; all of it outlives the last call of ask and silent. */
typedef struct souk_pulse_parts {
    souk_ledger *ledger;
    souk_http *http; /* started, not drained */
    souk_api *api;   /* NULL: none */
} souk_pulse_parts;

/* Nobody is asked yet, and so nobody is silent.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_pulse_new(souk_mem *mem, const souk_pulse_parts *parts,
                                     souk_pulse **ret_pulse);
/* After the ledger is closed: till then its writer may still answer. */
void souk_pulse_free(souk_pulse *pulse);
SOUK_AUTO(souk_pulse)

/* A writer whose queue is full is asked by what it has done when silent is called. */
void souk_pulse_ask(souk_pulse *pulse);
/* Who has not answered the last question: "the writer", "a loop", "the readers of bodies"; NULL: all did. */
const char *souk_pulse_silent(souk_pulse *pulse);

#endif
