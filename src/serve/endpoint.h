/* endpoint.h - who is told of events: where, of which, how often, and under which secrets.
 *
 *     souk_endpoint endpoint = {.url = SOUK_TEXT("https://crm.example/souk"), .rate = 50,
 *                               .events = SOUK_TEXT("Order Completed\nOrder Refunded")};
 *     SOUK_TRY(souk_endpoint_add(tx, vault, &endpoint, now, &id, &secret));
 *     SOUK_TRY(souk_endpoint_list(tx, arena, &endpoints, &count));
 *     if (souk_endpoint_wants(&endpoints[0], SOUK_TEXT("Order Completed"), SOUK_TEXT("SH-014"))) ...
 *
 * An endpoint is told of what comes after it was made, or made to go on again.  It is a cursor of the log: what is
 * stored while it is off makes a gap that it passes over, what it was still to be told then stays, and goes on with it.
 *
 * Stored   the secrets are sealed under the deployment's own slot (SOUK_VAULT_SETTINGS); an url may hold a secret too,
 *          so only who has the scope admin sees it
 * Threads  each function in a transaction of the ledger; those that change something in a writing one */
#ifndef SOUK_SERVE_ENDPOINT_H
#define SOUK_SERVE_ENDPOINT_H

#include "base/time.h"
#include "serve/signature.h"
#include "store/ledger.h"
#include "store/vault.h"

enum {
    SOUK_ENDPOINTS_MOST = 64,
    SOUK_ENDPOINT_NAMES = 100,  /* in a list of events or stores */
    SOUK_ENDPOINT_SECRETS = 4,  /* that sign at once */
    SOUK_ENDPOINT_RATE = 1000,  /* a second, at most */
    SOUK_ENDPOINT_FAILURES = 20 /* in a row, and as long as below: then it is off */
};
#define SOUK_ENDPOINT_FAILING_MS ((souk_time)5 * 24 * 3600 * 1000)

/*    name      word */
#define SOUK_ENDPOINT_STATES(X)                                                           \
    X(ON, "on")                                                                           \
    X(OFF, "off")         /* by hand */                                                   \
    X(GONE, "gone")       /* it answered 410 */                                           \
    X(FAILING, "failing") /* nothing went there for SOUK_ENDPOINT_FAILING_MS: an alarm */ \
    X(REMOVED, "removed") /* its deliveries are being deleted, then it is */
typedef enum souk_endpoint_state {
#define SOUK_ENDPOINT_STATE_ENUM(name, word) SOUK_ENDPOINT_##name,
    SOUK_ENDPOINT_STATES(SOUK_ENDPOINT_STATE_ENUM)
#undef SOUK_ENDPOINT_STATE_ENUM
        SOUK_ENDPOINT_STATE_COUNT
} souk_endpoint_state;
const char *souk_endpoint_state_word(souk_endpoint_state state);

typedef struct souk_endpoint {
    int64_t id;       /* from 1, never given again */
    uint64_t version; /* counts its changes, for ETag */
    souk_text url;
    souk_text events;  /* names, one to a line; "*": all of the shop's */
    souk_text stores;  /* the same; empty: of any store, and of none */
    souk_text purpose; /* for which persons are told; empty: nothing of a person is */
    unsigned rate;     /* a second */
    souk_endpoint_state state;
    uint64_t position;             /* of the next event it is told of */
    uint64_t until;                /* while it is not on: the end of the log when that began */
    uint64_t behind;               /* events of the log that are still to be looked at */
    uint64_t gap_begins, gap_ends; /* positions of the next gap; 0: there is none */
    uint64_t since_consent, since_reject; /* what comes behind these is told */
    uint8_t salt[16];                     /* of the ids of its deliveries */
    souk_time made, failing; /* failing: since the first failure behind the last success; 0: not */
    uint64_t failures;       /* since then */
    souk_time off_at;        /* when it was first seen to be off; 0: not yet */
    uint64_t waiting, dead;  /* deliveries */
} souk_endpoint;

SOUK_CHECKED souk_err souk_endpoint_migrate(souk_ledger *ledger, souk_diag *diag);

/* All by their ids, removed ones behind the others; in the arena. */
SOUK_CHECKED souk_err souk_endpoint_list(souk_tx *tx, souk_arena *arena, souk_endpoint **ret_list,
                                         size_t *ret_count);
/* SOUK_ENOENT: there is none, or it was removed. */
SOUK_CHECKED souk_err souk_endpoint_find(souk_tx *tx, int64_t id, souk_arena *arena,
                                         souk_endpoint *ret_endpoint);
/* Whether it is told of an event of this name in this store ("": none). */
bool souk_endpoint_wants(const souk_endpoint *endpoint, souk_text name, souk_text store);
/* The same of one of Souk's own (outbox.h): it must be named, and knows no stores. */
bool souk_endpoint_wants_own(const souk_endpoint *endpoint, souk_text name);

/* url, events, stores, purpose, rate and state (on or off) of it are stored, the rest is given here; with a first
 * secret.  SOUK_ETOOBIG: there are SOUK_ENDPOINTS_MOST. */
SOUK_CHECKED souk_err souk_endpoint_add(souk_tx *tx, souk_vault *vault,
                                        const souk_endpoint *endpoint, souk_time now,
                                        int64_t *ret_id, souk_signing_secret *ret_secret);
/* The same fields of the one with endpoint->id, as it was at endpoint->version.
 * SOUK_ENOENT.  SOUK_ECHANGED. */
SOUK_CHECKED souk_err souk_endpoint_change(souk_tx *tx, const souk_endpoint *endpoint);
/* For whoever turns one off by another way than the above: what is stored from now on is not told. */
SOUK_CHECKED souk_err souk_endpoint_end(souk_tx *tx, int64_t id);
/* SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_endpoint_remove(souk_tx *tx, int64_t id);

/* Another secret; those before sign until `until`, and the oldest goes above SOUK_ENDPOINT_SECRETS.  SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_endpoint_rotate(souk_tx *tx, souk_vault *vault, int64_t id,
                                           souk_time now, souk_time until,
                                           souk_signing_secret *ret_secret);
/* Those that sign now, the newest first. */
SOUK_CHECKED souk_err souk_endpoint_secrets(souk_tx *tx, souk_vault *vault, int64_t id,
                                            souk_time now,
                                            souk_signing_secret secrets[SOUK_ENDPOINT_SECRETS],
                                            size_t *ret_count);

#endif
