/* gs1_link.h - the same fields as a web address: GS1 Digital Link, not compressed.
 *
 *     souk_gs1 gs1;
 *     souk_text url = SOUK_TEXT("https://shop.example/01/09506000134352/10/B%2F7?17=261231");
 *     SOUK_TRY(souk_gs1_link_read(url, &gs1, diag));
 *     souk_gs1_find(&gs1, 10)                                   "B/7"
 *     char text[SOUK_GS1_BYTES];
 *     souk_gs1_link_write(&gs1, SOUK_TEXT("https://id.gs1.org"), text, &bytes, diag);
 *
 *     https://any.domain/any/path/01/GTIN/22/variant/10/batch/21/serial?17=261231&3103=000195#anything
 *                                 key     qualifiers, in this order      other fields, by number
 *
 * Read are links of any domain; parameters of the query whose names are no numbers (linkType...) are somebody
 * else's and left out.  Forgiven is what the standard forbids its writers and what labels in shops have: a GTIN of
 * 8, 12 or 13 digits, a batch or serial in the query, and a '/' behind the last value.  The names that 1.2 still
 * had for numbers, as /gtin/, are refused with the number to write.  '+' is '+', in the query too: no field has a
 * space.
 *
 * Source   GS1 Digital Link Standard: URI Syntax 1.6, 4 (grammar), 4.11 (canonical form); RFC 3986
 * Threads  pure */
#ifndef SOUK_BASE_GS1_LINK_H
#define SOUK_BASE_GS1_LINK_H

#include "base/gs1.h"

/* Does it begin as a link, http:// or https:// in any case? */
bool souk_gs1_link_is(souk_text text);

/* SOUK_ESYNTAX: no link, no key in its path, an unknown number, or a value that breaks its format.
 * SOUK_ETOOBIG: above the limits of gs1.h. */
SOUK_CHECKED souk_err souk_gs1_link_read(souk_text url, souk_gs1 *ret_gs1, souk_diag *diag);

/* The canonical form: qualifiers in the order of the standard, then the query by number, each character that may stand
 * for itself as itself and the others as %2F.  stem is scheme and domain, "" for https://id.gs1.org, at most 200 bytes.
 * SOUK_EINVAL: no field is a key, a field may not stand in a link, or the stem is none. */
SOUK_CHECKED souk_err souk_gs1_link_write(const souk_gs1 *gs1, souk_text stem,
                                          char out[SOUK_GS1_BYTES], size_t *ret_bytes,
                                          souk_diag *diag);

#endif
