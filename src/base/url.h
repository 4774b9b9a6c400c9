/* url.h - percent-encoding, queries and forms.
 *
 *     souk_text rest = query, name, value;                       "day=7&store=SH%20014"
 *     while (souk_url_next(&rest, &name, &value)) {
 *         char *plain = souk_arena_get(arena, value.bytes);
 *         size_t plain_bytes;
 *         SOUK_TRY(souk_url_decode(value, true, plain, &plain_bytes));
 *         ...
 *     }
 *
 * Shape    slices of what is read; nothing is copied but by souk_url_decode into the caller's bytes
 * Cost     one pass
 * Source   RFC 3986 2.1; WHATWG URL, application/x-www-form-urlencoded
 * Threads  pure */
#ifndef SOUK_BASE_URL_H
#define SOUK_BASE_URL_H

#include "base/text.h"

/* Undoes percent-encoding; plus_is_space for queries and forms, not for paths.  `to` has room for
 * from.bytes and may be where from lies.  SOUK_ESYNTAX: a '%' without two digits behind it, or an
 * encoded NUL. */
SOUK_CHECKED souk_err souk_url_decode(souk_text from, bool plus_is_space, char *to,
                                      size_t *ret_bytes);

/* Takes the next `name=value` off a query or form, both still encoded; empty pieces are passed over.
 * A name without '=' has the value {NULL, 0}.  False at the end. */
bool souk_url_next(souk_text *rest, souk_text *ret_name, souk_text *ret_value);
/* The first value of the parameter whose decoded name is this, still encoded; false where there is
 * none. */
bool souk_url_find(souk_text query, souk_text name, souk_text *ret_value);

#endif
