/* vocabulary.h - the names of retail events, what each must and may say, and what it does to a profile.
 *
 *     const souk_vocable *vocable = souk_vocable_find(SOUK_TEXT("Completed Order"));       a v1 name
 *     vocable->name                                                                       "Order Completed"
 *     SOUK_TRY(souk_vocable_check(vocable, &doc, properties, &fault));
 *
 * The e-commerce names are those of Segment's specification (v2, with its v1 names as aliases); those of doors,
 * zones, shelves, baskets and receipts in shops are ours, in the same manner.  docs/events.md and the JSON Schemas of
 * /v1/schemas are printed from this table.  A name that is not here is an event all the same: a shop's own, whose
 * properties nobody checks.
 *
 * A property means the same, and has the same kind, in every event.  null and "" count as not told.
 *
 * Cost     find: one hash; check: one pass over the properties, a hash each
 * Source   segment.com/docs/connections/spec/ecommerce/v2 as of 2025-11 */
#ifndef SOUK_SERVICE_COLLECT_VOCABULARY_H
#define SOUK_SERVICE_COLLECT_VOCABULARY_H

#include "base/json.h"
#include "base/json_write.h"
#include "core/event.h"

typedef enum souk_property_kind {
    SOUK_PROPERTY_TEXT,     /* a text, or a number that names something: an id */
    SOUK_PROPERTY_MONEY,    /* a decimal, as a number or a text: 12.5, "12.50" */
    SOUK_PROPERTY_NUMBER,   /* the same, of anything else */
    SOUK_PROPERTY_FLAG,     /* true or false */
    SOUK_PROPERTY_TIME,     /* RFC 3339, or what base/time.h reads */
    SOUK_PROPERTY_CURRENCY, /* a code of ISO 4217 */
    SOUK_PROPERTY_PRODUCTS, /* a list of products, whose members are properties too */
    SOUK_PROPERTY_LIST,     /* a list of anything */
    SOUK_PROPERTY_OBJECT,   /* an object of anything */
} souk_property_kind;

typedef struct souk_property {
    const char *name;
    souk_property_kind kind;
    const char *meaning;
} souk_property;

typedef struct souk_vocable {
    const char *name, *meaning;
    const char *group;   /* "Browsing", "Orders", "In the shop": a heading of docs/events.md */
    const char *aliases; /* v1 names, ';' between; NULL: none */
    const char *must;    /* properties, ' ' between, "a|b": one of them; NULL: none */
    const char *may;     /* what else it usually tells */
    uint8_t flags;       /* souk_event_flags */
    int sign;            /* of its money and quantities: 1 or -1 */
} souk_vocable;

extern const souk_vocable souk_vocables[];
extern const size_t souk_vocable_count;
extern const souk_property souk_properties[];
extern const size_t souk_property_count;

/* By its name or an alias of it; NULL: a shop's own event. */
const souk_vocable *souk_vocable_find(souk_text name);
/* NULL: a property nobody checks. */
const souk_property *souk_property_find(souk_text name);

/* Whether the properties are what the event must and may say.
 * SOUK_EINVAL: in words that tell what, where and what to do: "properties.products[2].price is no number: …". */
SOUK_CHECKED souk_err souk_vocable_check(const souk_vocable *vocable, const souk_json_doc *doc,
                                         souk_json_node properties, souk_diag *fault);

/* Its JSON Schema (2020-12), of the properties. */
void souk_vocable_schema(const souk_vocable *vocable, souk_json_writer *out);
/* docs/events.md, whole. */
void souk_vocabulary_write(souk_buf *out);

#endif
