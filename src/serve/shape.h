/* shape.h - what JSON looks like, in one line of a table; printed as JSON Schema.
 *
 *     "{events: integer 'stored so far', revenue: {*: decimal} 'by currency', next_cursor?: text}"
 *     "[Product]"     "{state: waiting|running|done}"     "integer(1..1000)"     "text?"
 *
 *     SOUK_TRY(souk_shape_schema(SOUK_TEXT("[Product]"), &out, &diag));
 *     {"type":"array","items":{"$ref":"#/components/schemas/Product"}}
 *
 * shape    = value [ "?" ]                       "?" behind it: or null
 * value    = "{" [ member { "," member } ] "}"   an object; what else it has is not forbidden
 *          | "[" shape "]"                       a list
 *          | word [ "(" [ least ] ".." [ most ] ")" ]
 *          | word "|" word { "|" word }          one of these texts
 * member   = ( name | "*" ) [ "?" ] ":" shape [ "'" words "'" ]       "?": it may be missing; "*": any other name
 * word     = text integer number decimal boolean time id any, or a Name of souk_service.shapes
 *
 * decimal  an exact number as text: "12.5".  time: RFC 3339.  id: text of hexadecimal digits
 * Errors   SOUK_ESYNTAX: where and what; a test reads every table, so none is met at run time
 * Threads  pure */
#ifndef SOUK_SERVE_SHAPE_H
#define SOUK_SERVE_SHAPE_H

#include "base/json_write.h"

SOUK_CHECKED souk_err souk_shape_schema(souk_text shape, souk_json_writer *out, souk_diag *diag);

/* Calls each with the members of an object's shape without its braces: "limit?: integer(1..1000) 'how many'". */
typedef struct souk_shape_member {
    souk_text name, shape, words;
    bool optional;
} souk_shape_member;
SOUK_CHECKED souk_err souk_shape_members(souk_text members,
                                         souk_err (*each)(void *context,
                                                          const souk_shape_member *member),
                                         void *context, souk_diag *diag);

#endif
