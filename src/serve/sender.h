/* sender.h - the thread that empties the outbox: what is due goes out, what comes back is stored.
 *
 *     SOUK_TRY(souk_sender_new(mem, spine, outbox, &sender));
 *     SOUK_TRY(souk_sender_start(sender, &options));
 *     …
 *     souk_sender_poke(sender);                 an endpoint was made, changed, tested
 *     souk_sender_free(sender);                 what is under way gets SOUK_SENDER_STOP_MS, the rest is sent again
 *                                               by the next start, under its webhook-id
 *
 * Each POST has webhook-id, webhook-timestamp (s) and webhook-signature (signature.h); the timestamp is that of the try.
 *
 * Limits   SOUK_SENDER_EACH at once to an endpoint, SOUK_POSTS_MOST in all; the endpoint's rate as a bucket.  After three
 *          failures in a row an endpoint is tried by one delivery at a time, ever more seldom, to 10 min; a Retry-After
 *          of 429 or 503 holds for all of its deliveries
 * Cost     idle with endpoints: ten looks a second at one number; without: none
 * Threads  new, start and free: the owner; poke and count from any */
#ifndef SOUK_SERVE_SENDER_H
#define SOUK_SERVE_SENDER_H

#include "base/log.h"
#include "serve/posts.h"

enum { SOUK_SENDER_EACH = 8, SOUK_SENDER_STOP_MS = 3000 };

typedef struct souk_sender souk_sender;

typedef struct souk_sender_options {
    souk_posts_options posts;
    int64_t first_wait_ms; /* as the outbox's */
    souk_log *log;         /* NULL: silent */
} souk_sender_options;

SOUK_CHECKED souk_err souk_sender_new(souk_mem *mem, souk_spine *spine, souk_outbox *outbox,
                                      souk_sender **ret_sender);
/* SOUK_EBUSY, SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_sender_start(souk_sender *sender, const souk_sender_options *options);
void souk_sender_poke(souk_sender *sender);
void souk_sender_free(souk_sender *sender);
SOUK_AUTO(souk_sender)

typedef struct souk_sender_counters { /* since the start */
    uint64_t sent, delivered, failed;
    uint64_t told, withheld; /* persons, in what was sent */
    uint64_t refused;        /* addresses */
    uint64_t under_way;
} souk_sender_counters;
void souk_sender_count(const souk_sender *sender, souk_sender_counters *ret_counters);

#endif
