/* sheet.h - a list of the API as rows for a spreadsheet: ?format=csv of a route whose table says which list.
 *
 *     {"GET", "/v1/products", …, .sheet = "products", .gives = "{products: [Product], …}"}
 *     SOUK_TRY(souk_sheet_begin(call, services, count));      before the handler, which answers as ever
 *
 * The heading is the members of the list's shape ("Product"), in its order; a shape that is open ("*: any") has a last
 * column, "more", with the rest as a JSON object.  A cell is the member's text, number, true or false; lists and objects
 * are JSON; null, and what is missing, is empty.  Pages go on by the Link header; failures stay RFC 9457.
 *
 * Bytes    RFC 4180, UTF-8 behind a byte order mark (sheets read another encoding without one)
 * Inert    a text that a sheet would run has an apostrophe in front (base/csv.h); `souk import` takes it off
 * Cost     the JSON is read once more
 * Threads  that of the call */
#ifndef SOUK_SERVE_SHEET_H
#define SOUK_SERVE_SHEET_H

#include "core/service.h"
#include "serve/shape.h"

/* Member of a query of a route with a sheet. */
#define SOUK_SHEET_QUERY "format?: json|csv 'csv: rows for a spreadsheet'"

/* Makes the call's answer rows where it asks for them; does nothing for routes without a sheet.
 * SOUK_EINVAL with words: the format is neither.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_sheet_begin(souk_call *call, const souk_service *const *services,
                                       size_t count);

/* The columns of a route's sheet, "product", …: calls each.  SOUK_ESYNTAX: its table has no such list. */
SOUK_CHECKED souk_err
souk_sheet_columns(const souk_route *route, const souk_service *const *services, size_t count,
                   souk_err (*each)(void *context, const souk_shape_member *column), void *context);

#endif
