/* reject.h - events that could not be taken, kept sealed so that they can be read, mended and replayed.
 *
 *     souk_reject reject = {.source = source, .fault = SOUK_TEXT("no userId or anonymousId"),
 *                           .where = SOUK_TEXT("batch[3]"), .text = raw};
 *     SOUK_TRY(souk_rejects_add(rejects, &reject, 1));
 *     SOUK_TRY(souk_rejects_each(rejects, after_id, limit, print, context));
 *     SOUK_TRY(souk_rejects_remove(rejects, id));               after a replay
 *     SOUK_TRY(souk_rejects_sweep(rejects));                    now and then, in the background
 *
 * Each text is sealed under a key of its own slot, so that it can be destroyed with the shopper it
 * names.  At most SOUK_REJECTS_MOST are kept, of SOUK_REJECTS_BYTES together: the oldest go first, and a counter tells
 * how many went.  An erasure reads all of them while events wait, so the bytes are bounded as well as the number.
 * A reject is durable before its batch is answered.
 *
 * Going    A reject that goes, however, leaves its slot in a table of keys to destroy, in the transaction that
 *          deletes it.  The key is destroyed behind the commit, then the slot leaves the table; what a crash or
 *          a full disk cut off there the next sweep goes on with, that of souk_rejects_open at the latest. */
#ifndef SOUK_CORE_REJECT_H
#define SOUK_CORE_REJECT_H

#include "core/event.h"
#include "store/ledger.h"
#include "store/vault.h"

enum { SOUK_REJECTS_MOST = 100000, SOUK_REJECTS_BYTES = 128 << 20, SOUK_REJECT_BYTES = 65536 };

typedef struct souk_rejects souk_rejects;
typedef struct souk_reject {
    uint64_t id;
    uint32_t source;
    int64_t at; /* ms UTC */
    souk_text fault, where;
    souk_text text; /* cut at SOUK_REJECT_BYTES */
} souk_reject;

/* SOUK_EFULL does not fail it: keys to destroy wait for a sweep. */
SOUK_CHECKED souk_err souk_rejects_open(souk_mem *mem, souk_ledger *ledger, souk_vault *vault,
                                        souk_rejects **ret_rejects, souk_diag *diag);
void souk_rejects_free(souk_rejects *rejects);
SOUK_AUTO(souk_rejects)

/* In the caller's transaction. */
SOUK_CHECKED souk_err souk_rejects_put(souk_rejects *rejects, souk_tx *tx,
                                       const souk_reject *faults, size_t count);
SOUK_CHECKED souk_err souk_rejects_add(souk_rejects *rejects, const souk_reject *faults,
                                       size_t count);
/* Oldest first, ids above after_id, at most limit; the texts live during the call. */
SOUK_CHECKED souk_err souk_rejects_each(souk_rejects *rejects, uint64_t after_id, size_t limit,
                                        souk_err (*each)(void *context, const souk_reject *reject),
                                        void *context);
/* The sources of those, each once, for who has to name them; sources[limit]. */
SOUK_CHECKED souk_err souk_rejects_sources(souk_rejects *rejects, uint64_t after_id, size_t limit,
                                           uint32_t *sources, size_t *ret_count);
/* One; its text and its place (may be NULL) appended, its source told.  SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_rejects_read(souk_rejects *rejects, uint64_t id, uint32_t *ret_source,
                                        souk_buf *where, souk_buf *text);
/* Its key is destroyed when this returns SOUK_OK.  SOUK_ENOENT: there is none, or no longer.  After
 * another error it may be gone already and its key be left to a sweep. */
SOUK_CHECKED souk_err souk_rejects_remove(souk_rejects *rejects, uint64_t id);
SOUK_CHECKED souk_err souk_rejects_count(souk_rejects *rejects, uint64_t *ret_count);
/* In any transaction: how many came behind the id `after`, of those that are still there, and the newest id
 * (`after` where there is none). */
SOUK_CHECKED souk_err souk_rejects_behind(souk_tx *tx, uint64_t after, uint64_t *ret_count,
                                          uint64_t *ret_newest);
/* Destroys the keys of all rejects that went; costs one small read where none did. */
SOUK_CHECKED souk_err souk_rejects_sweep(souk_rejects *rejects);
/* How many went at the ceiling and were swept, since open. */
uint64_t souk_rejects_dropped(const souk_rejects *rejects);

/* For an erasure: deletes, in the caller's transaction, every reject whose text names the person by one of the
 * identifiers (normalised, with their kinds), as trace.h says.  After the commit the caller sweeps.
 * SOUK_ECORRUPT: a text is damaged, so nobody knows whom it names. */
SOUK_CHECKED souk_err souk_rejects_forget(souk_rejects *rejects, souk_tx *tx,
                                          const souk_identifier *ids, size_t id_count);

#endif
