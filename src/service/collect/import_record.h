/* import_record.h - what the readers of files share: whose a record is, which of its kind, and its form as JSON.
 *
 *     SOUK_TRY(import_ordinal_next(&orders, import_order_hash(sink, order), &ordinal));    1, 2, 3 … of an order
 *     event.message = import_identity(sink, order, ordinal);
 *     SOUK_TRY(import_identify(sink, &event, SOUK_ID_CARD, fields[CARD], "card", diag)); */
#ifndef SOUK_SERVICE_COLLECT_IMPORT_RECORD_H
#define SOUK_SERVICE_COLLECT_IMPORT_RECORD_H

#include "service/collect/import_format.h"

/* How often each key came so far: open addressing, 16 bytes a place; {.mem = mem} is empty.
 *
 * A record whose key cannot be read is the n-th of nobody knows what, and once it is mended those behind it move up.
 * So the keys before and behind it, to which it belongs most likely, are lost: what comes of them from there on has no
 * ordinal, stays out, and comes in with the mended file. */
typedef struct import_ordinals {
    souk_mem *mem;
    struct import_ordinal {
        uint64_t hash;
        uint32_t count; /* 0: free */
        bool is_lost;
    } * places;
    size_t capacity, count;
    uint64_t last;
    bool has_last, next_is_lost;
} import_ordinals;
void import_ordinals_done(import_ordinals *ordinals);
/* From 1; 0: the key is lost.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err import_ordinal_next(import_ordinals *ordinals, uint64_t hash,
                                          uint32_t *ret_ordinal);
/* A key that came; the one that came last and the one that comes next. */
void import_ordinal_lose(import_ordinals *ordinals, uint64_t hash);
void import_ordinals_lose(import_ordinals *ordinals);

/* More of the same; there is room for it, since it came before. */
void import_ordinal_add(import_ordinals *ordinals, uint64_t hash, uint32_t count);

/* The identity of the n-th record of an order (a basket, a line): (source, order, ordinal).  order: at most
 * IMPORT_ORDER_BYTES. */
enum { IMPORT_ORDER_BYTES = 200 };
uint64_t import_order_hash(const souk_import_sink *sink, souk_text order);
souk_hash128 import_identity(const souk_import_sink *sink, souk_text order, uint32_t ordinal);

/* A hash within such an order: hexadecimal digits, the high half first. */
enum { IMPORT_HASH_DIGITS = 32 };
void import_put_hash(souk_hash128 hash, char to[IMPORT_HASH_DIGITS]);

/* Adds an identifier, normalised, its text in the sink's room; nothing where the value is empty.
 * SOUK_EINVAL: it is none; `name` says in diag whose. */
SOUK_CHECKED souk_err import_identify(souk_import_sink *sink, souk_event *event, souk_id_kind kind,
                                      souk_text value, const char *name, souk_diag *diag);
/* Members userId, anonymousId and context.externalIds, as service/collect/foreign.h has them. */
void import_write_who(souk_json_writer *json, const souk_event *event);

/* Puts more words behind those of a fault. */
void import_add_words(souk_diag *fault, const char *format, ...) SOUK_PRINTF(2, 3);

/* A copy in the sink's room. */
souk_text import_keep(souk_import_sink *sink, souk_text text);

#endif
