/* http_query.h - reading what a request says: headers by name, percent-encoding, queries and forms.
 *
 *     souk_text type = souk_http_header_find(&x->request, SOUK_TEXT("Content-Type"));
 *
 *     souk_text rest = x->request.query, name, value;            "day=7&store=SH%20014"
 *     while (souk_http_query_next(&rest, &name, &value)) {
 *         char *plain = souk_arena_get(arena, value.bytes);
 *         size_t plain_bytes;
 *         SOUK_TRY(souk_http_decode(value, true, plain, &plain_bytes));
 *         ...
 *     }
 *
 * Shape    slices of the request; nothing is copied but by souk_http_decode into the caller's bytes
 * Cost     one pass
 * Source   RFC 3986 2.1; WHATWG URL, application/x-www-form-urlencoded
 * Threads  pure */
#ifndef SOUK_SERVE_HTTP_QUERY_H
#define SOUK_SERVE_HTTP_QUERY_H

#include "serve/http_parse.h"

/* The first header of this name (ASCII letters fold), or {NULL, 0}; one that is there and empty has
 * an address. */
souk_text souk_http_header_find(const souk_http_request *request, souk_text name);

/* Undoes percent-encoding; plus_is_space for queries and forms, not for paths.  `to` has room for
 * from.bytes and may be where from lies.  SOUK_ESYNTAX: a '%' without two digits behind it, or an
 * encoded NUL. */
SOUK_CHECKED souk_err souk_http_decode(souk_text from, bool plus_is_space, char *to,
                                       size_t *ret_bytes);

/* Takes the next `name=value` off a query or form, both still encoded; empty pieces are passed over.
 * A name without '=' has the value {NULL, 0}.  False at the end. */
bool souk_http_query_next(souk_text *rest, souk_text *ret_name, souk_text *ret_value);
/* The first value of the parameter whose decoded name is this, still encoded; false where there is
 * none. */
bool souk_http_query_find(souk_text query, souk_text name, souk_text *ret_value);

#endif
