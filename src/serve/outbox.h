/* outbox.h - what endpoints are still to be told, durable in the ledger: nothing lost, nothing forgotten.
 *
 *     SOUK_TRY(souk_outbox_open(mem, spine, &options, &outbox, diag));
 *     SOUK_TRY(souk_outbox_step(outbox, &did));                       the log becomes rows
 *     SOUK_TRY(souk_outbox_due(outbox, endpoint, busy, busy_count, 8, due, &count));
 *     …each is sent…
 *     SOUK_TRY(souk_outbox_settle(outbox, outcomes, count));          delivered, waiting again, or dead
 *     SOUK_TRY(souk_outbox_sweep(outbox, &did));                      old rows go, a few at a time
 *
 * Each endpoint is a cursor of the log with a few rows before it: a row is written for what is to be sent soon, in the
 * transaction that moves the endpoint's position past the event; what is further behind costs nothing, however much
 * it is.  A row leaves the state `waiting` in the transaction that stores its outcome.  A crash between the sending and
 * that sends it again, under the same webhook-id: the receiver knows a repeat by it.
 *
 *     waiting -> delivered                    2xx; kept 7 days
 *     waiting -> waiting                      anything else, later (pace.h)
 *     waiting -> dead -> waiting              after the last try; kept 30 days, and sent again where somebody says so
 *
 * A row holds no text and no amount: what is told is read from the log when it is sent, under the consent of that
 * moment (payload.h).
 *
 * Ids      of a delivery, for receivers: a keyed hash of endpoint, kind, position and time of receipt, so a ledger that
 *          was restored and reads the same events again gives the same ids
 * Told     events by their names, and of Souk's own: person.erased, consent.withdrawn, reject.added (counted, at most
 *          one a minute), webhook.test.  An event from outside that bears such a name is told to nobody
 * Ceiling  of an endpoint `ahead` rows are due; waiting_most rows wait in all, nearly all of what failed: then the
 *          positions do, and nothing is lost: an alarm
 * Cost     a step: blocks of the log, read beside the writer, then in one transaction of the job lane one row for each
 *          endpoint and at most 128 deliveries.  Outcomes: one row each, and one for each endpoint
 * Threads  step, due, settle and sweep from one; the rest from any */
#ifndef SOUK_SERVE_OUTBOX_H
#define SOUK_SERVE_OUTBOX_H

#include "core/spine.h"
#include "serve/endpoint.h"

enum {
    SOUK_WEBHOOK_ID_BYTES = 37, /* "msg_" and 32 digits, with its NUL */
    SOUK_OUTBOX_DUE = 16,       /* at most, of one call */
    SOUK_OUTBOX_SETTLE = 64,    /* the same */
};

typedef enum souk_delivery_kind {
    SOUK_DELIVERY_EVENT = 1,     /* position: of the event */
    SOUK_DELIVERY_ERASED = 2,    /* position: of the log's entry */
    SOUK_DELIVERY_WITHDRAWN = 3, /* position: of the row of consent; atom; number: the purpose */
    SOUK_DELIVERY_REJECTS = 4,   /* position: id of the newest; number: how many */
    SOUK_DELIVERY_TEST = 5,
} souk_delivery_kind;

typedef enum souk_delivery_state {
    SOUK_DELIVERY_WAITING,
    SOUK_DELIVERY_DELIVERED,
    SOUK_DELIVERY_DEAD,
} souk_delivery_state;
const char *souk_delivery_state_word(souk_delivery_state state);

/*    name       words */
#define SOUK_DELIVERY_FAULTS(X)                                     \
    X(NONE, "")                                                     \
    X(STATUS, "the answer was no 2xx")                              \
    X(REDIRECT, "the answer was a redirect, which is not followed") \
    X(TIMEOUT, "no answer within the deadline")                     \
    X(NAME, "the host's name was not found")                        \
    X(CONNECT, "nobody listens there")                              \
    X(REFUSED, "the address is not one that webhooks may go to")    \
    X(TLS, "TLS failed: is its certificate valid?")                 \
    X(BROKEN, "the connection broke before the answer")             \
    X(INSIDE, "it could not be made ready here, see the server's log")
typedef enum souk_delivery_fault {
#define SOUK_DELIVERY_FAULT_ENUM(name, words) SOUK_DELIVERY_FAULT_##name,
    SOUK_DELIVERY_FAULTS(SOUK_DELIVERY_FAULT_ENUM)
#undef SOUK_DELIVERY_FAULT_ENUM
        SOUK_DELIVERY_FAULT_COUNT
} souk_delivery_fault;
const char *souk_delivery_fault_words(souk_delivery_fault fault);

typedef struct souk_delivery {
    int64_t id, endpoint;
    souk_delivery_kind kind;
    uint64_t position, number;
    uint32_t atom;
    souk_time at; /* when it happened */
    souk_delivery_state state;
    unsigned tries;
    int status; /* of the last answer; 0: there was none */
    souk_delivery_fault fault;
    souk_time next; /* waiting: when it is tried; otherwise when it ended */
    char webhook_id[SOUK_WEBHOOK_ID_BYTES];
} souk_delivery;

typedef struct souk_outbox souk_outbox;

typedef struct souk_outbox_options { /* {0} is the sane default */
    uint64_t waiting_most;           /* 0: 1,000,000 */
    int64_t first_wait_ms;           /* of pace.h; 0: 5,000 */
    unsigned ahead;                  /* rows made before they are sent, of each endpoint; 0: 64 */
} souk_outbox_options;

SOUK_CHECKED souk_err souk_outbox_open(souk_mem *mem, souk_spine *spine,
                                       const souk_outbox_options *options, souk_outbox **ret_outbox,
                                       souk_diag *diag);
void souk_outbox_free(souk_outbox *outbox);
SOUK_AUTO(souk_outbox)
/* Before the first step. */
void souk_outbox_set(souk_outbox *outbox, const souk_outbox_options *options);

/* ---- the sender's side --------------------------------------------------------------------------------- */

/* A few events more, and what else there is to tell.  *ret_did: false where there is nothing more for now, or no room
 * before the endpoints that are behind. */
SOUK_CHECKED souk_err souk_outbox_step(souk_outbox *outbox, bool *ret_did);
/* Whether there may be something to do for a step; costs a look at two numbers. */
bool souk_outbox_behind(const souk_outbox *outbox);
/* Whether the last step found the ceiling reached. */
bool souk_outbox_is_full(const souk_outbox *outbox);

/* Up to `most` (SOUK_OUTBOX_DUE) of an endpoint's that wait and whose time has come, the longest due first, without
 * those in `busy`. */
SOUK_CHECKED souk_err souk_outbox_due(souk_outbox *outbox, int64_t endpoint, const int64_t *busy,
                                      size_t busy_count, size_t most, souk_delivery *ret_due,
                                      size_t *ret_count);

typedef struct souk_outcome {
    souk_delivery delivery; /* as due gave it */
    bool delivered, gone;   /* gone: the endpoint answered 410, and is off from now on */
    int status;
    souk_delivery_fault fault;
    int64_t retry_ms; /* what the answer asked for with Retry-After; 0: nothing */
} souk_outcome;
/* Up to SOUK_OUTBOX_SETTLE in one transaction; what was deleted meanwhile is passed over. */
SOUK_CHECKED souk_err souk_outbox_settle(souk_outbox *outbox, const souk_outcome *outcomes,
                                         size_t count);

SOUK_CHECKED souk_err souk_outbox_sweep(souk_outbox *outbox, bool *ret_did);

/* ---- for routes ------------------------------------------------------------------------------------------ */

/* An endpoint's deliveries below `before` (INT64_MAX: all), the newest first, of one state (negative: any): calls each
 * with at most `most`, and looks at no more than 10,000 rows.  *ret_next: where the next call goes on; 0: that was all. */
SOUK_CHECKED souk_err souk_outbox_list(souk_tx *tx, int64_t endpoint, int state, int64_t before,
                                       size_t most,
                                       souk_err (*each)(void *context, const souk_delivery *row),
                                       void *context, int64_t *ret_next);
/* SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_outbox_find(souk_tx *tx, int64_t endpoint, int64_t id,
                                       souk_delivery *ret_delivery);
/* It waits again from now on, with all its tries before it.  SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_outbox_retry(souk_outbox *outbox, souk_tx *tx, int64_t endpoint,
                                        int64_t id);
/* A delivery that tells nothing but that it arrives. */
SOUK_CHECKED souk_err souk_outbox_test(souk_outbox *outbox, souk_tx *tx,
                                       const souk_endpoint *endpoint, int64_t *ret_id);

/* "person.erased" and the like; NULL: that is a shop's event, with a name of its own. */
const char *souk_delivery_kind_name(souk_delivery_kind kind);
/* Whether it is one of these names. */
bool souk_delivery_is_own_name(souk_text name);

#endif
