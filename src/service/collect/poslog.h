/* poslog.h - what tills say: POSLog documents of any size, read as they come, a receipt at a time.
 *
 *     souk_auto(souk_poslog) poslog = NULL;
 *     SOUK_TRY(souk_poslog_new(mem, &(souk_poslog_options){.each = take, .context = my}, &poslog));
 *     while (more(&piece, &is_last))
 *         SOUK_TRY(souk_poslog_feed(poslog, piece, is_last, diag));
 *
 * Each Transaction becomes an event as foreign.h words it, handed over as text once it ends:
 *
 *     {"type":"track","event":"Receipt Issued","messageId":"0042/3/2026-01-02/17","timestamp":"2026-01-02T10:00:00.000Z",
 *      "context":{"externalIds":[{"type":"card","id":"9001"}],"library":{"name":"poslog"}},
 *      "properties":{"receipt_id":"0042/3/2026-01-02/17","store_id":"0042","total":"12.50","products":[…],…}}
 *
 * Receipt Issued    sales; lines that went back have negative quantities and amounts
 * Receipt Returned  lines that went back and no others: figures are positive, as the event takes them off
 * Receipt Continued what found no room in the event before: it has at most 200 lines and 32 KiB
 * Receipt Voided    cancelled at the till, or voided later; of the latter the lines go back, too (Receipt Returned)
 * Left out          training, what was suspended, and what is no RetailTransaction.  Voided lines stand apart as
 *                   voided_products
 * Versions          2.2 to 6 of ARTS and OMG POSLog; elements by their local names, in the name space of the document
 *                   or in one of IXRetail's.  Elements of vendors are passed over with all that is in them, but for
 *                   LoyaltyMembership
 * Times             without a zone a time is read as UTC, and stands beside as local_time: the till's zone is not told
 * Limits            64 levels, fields of 1 KiB, 5,000 lines a receipt, tags of 1 MiB; DTDs and entities are refused
 * Errors            a transaction at fault is handed over with its reason and its own text, and the next is read;
 *                   a document at fault ends the reading: SOUK_ESYNTAX, SOUK_EINVAL, SOUK_ETOOBIG, with line and column
 * Source            ARTS XML POSLog 2.2.1 and 6.0.0; XML 1.0; Namespaces in XML 1.0
 * Threads           a reader belongs to one */
#ifndef SOUK_SERVICE_COLLECT_POSLOG_H
#define SOUK_SERVICE_COLLECT_POSLOG_H

#include "base/mem.h"
#include "base/text.h"

typedef struct souk_poslog souk_poslog;

typedef struct souk_poslog_options {
    /* An event, or where fault is not NULL the text of a transaction that cannot be told (its first 64 KiB).  Both
     * live during the call.  An error ends the reading, and is its error. */
    souk_err (*each)(void *context, souk_text event, souk_text transaction, const souk_diag *fault);
    void *context;
} souk_poslog_options;

SOUK_CHECKED souk_err souk_poslog_new(souk_mem *mem, const souk_poslog_options *options,
                                      souk_poslog **ret_poslog);
void souk_poslog_free(souk_poslog *poslog);
SOUK_AUTO(souk_poslog)

/* The next bytes of the document; after an error nothing more is read. */
SOUK_CHECKED souk_err souk_poslog_feed(souk_poslog *poslog, souk_text piece, bool is_last,
                                       souk_diag *diag);

typedef struct souk_poslog_counts {
    uint64_t transactions, events, refused;
    uint64_t training, other; /* left out */
} souk_poslog_counts;
souk_poslog_counts souk_poslog_count(const souk_poslog *poslog);

#endif
