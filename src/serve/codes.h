/* codes.h - a page of codes, in order: those that a merchant has described, and those that events name.
 *
 *     static const souk_code_list list = {"stores", SOUK_NAME_STORE, fetch, write};
 *     SOUK_TRY(souk_code_page(call, &list));        {"stores":[…],"next_cursor":"SH-014"}, and a Link to the next page
 *
 * Query    limit (1 to 1,000; 100), cursor: the code that the last page ended with
 * Cost     two reads of the ledger, of a page each */
#ifndef SOUK_SERVE_CODES_H
#define SOUK_SERVE_CODES_H

#include "core/service.h"

typedef struct souk_code_row {
    souk_text code;
    void *
        described; /* fetch's own, in the call's arena; NULL: events name it, and nobody has described it */
} souk_code_row;

typedef struct souk_code_list {
    const char *name; /* of the member that holds the page */
    souk_name_kind kind;
    /* Described codes behind `after`, in order, at most `most` into rows. */
    souk_err (*fetch)(souk_call *call, souk_text after, size_t most, souk_code_row *rows,
                      size_t *ret_count);
    souk_err (*write)(souk_call *call, const souk_code_row *row, souk_json_writer *out);
} souk_code_list;

#define SOUK_CODE_QUERY \
    "limit?: integer(1..1000) 'of a page; 100', cursor?: text 'next_cursor of the last page'"

/* The answer's body, complete; the caller sends it. */
SOUK_CHECKED souk_err souk_code_page(souk_call *call, const souk_code_list *list);

#endif
