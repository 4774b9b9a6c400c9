/* document.h - small configuration documents with a version each: what somebody filled in a form and may change.
 *
 *     souk_document document = {.kind = SOUK_TEXT("store"), .merchant = SOUK_OPERATOR, .key = code, .text = json};
 *     SOUK_TRY(souk_documents_put(ledger, &document, 3, now, &version));      only over version 3; now it is 4
 *     SOUK_TRY(souk_documents_get(ledger, kind, merchant, key, &version, &buf));
 *
 * Versions  count from 1 for each key and go on when a document is made again after it was deleted: an ETag never
 *           comes back for another text
 * Limits    a text has at most SOUK_DOCUMENT_BYTES, a key 1 to 200 bytes
 * Errors    SOUK_ECHANGED: another version, or none, is there.  SOUK_ENOENT
 * Threads   any */
#ifndef SOUK_CORE_DOCUMENT_H
#define SOUK_CORE_DOCUMENT_H

#include "store/ledger.h"

enum { SOUK_DOCUMENT_BYTES = 65536, SOUK_DOCUMENT_KEY_BYTES = 200 };

typedef struct souk_document {
    souk_text kind; /* "store" */
    uint32_t merchant;
    souk_text key, text; /* text: JSON */
    uint64_t version;    /* told */
} souk_document;

SOUK_CHECKED souk_err souk_documents_migrate(souk_ledger *ledger, souk_diag *diag);

/* expected: the version that is replaced; 0: none is there yet; SOUK_DOCUMENT_ANY: whatever is there. */
#define SOUK_DOCUMENT_ANY UINT64_MAX
SOUK_CHECKED souk_err souk_documents_put(souk_ledger *ledger, const souk_document *document,
                                         uint64_t expected, int64_t now_ms, uint64_t *ret_version);
SOUK_CHECKED souk_err souk_documents_delete(souk_ledger *ledger, souk_text kind, uint32_t merchant,
                                            souk_text key, uint64_t expected, int64_t now_ms);
/* The text is appended. */
SOUK_CHECKED souk_err souk_documents_get(souk_ledger *ledger, souk_text kind, uint32_t merchant,
                                         souk_text key, uint64_t *ret_version, souk_buf *ret_text);
/* The same two in the caller's transaction: the text appended, SOUK_ENOENT; and over whatever is there.
 * document->version is told. */
SOUK_CHECKED souk_err souk_document_read(souk_tx *tx, souk_document *document, souk_buf *ret_text);
SOUK_CHECKED souk_err souk_document_write(souk_tx *tx, souk_document *document, int64_t now_ms);
/* In the order of keys, those above `after`, at most limit; texts live until `each` returns.  In a read of the
 * ledger: keep it short.  An error of `each` ends the list with it. */
SOUK_CHECKED souk_err souk_documents_list(
    souk_ledger *ledger, souk_text kind, uint32_t merchant, souk_text after, size_t limit,
    souk_err (*each)(void *context, const souk_document *document), void *context);

#endif
