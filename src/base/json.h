/* json.h - reads JSON strictly and without copying it.
 *
 *     souk_auto_value(souk_json_doc) doc = {.mem = mem};           one per thread, used again and again
 *     SOUK_TRY(souk_json_read(&doc, body, NULL, diag));            "a value was expected, found '}'"
 *     souk_json_node event = souk_json_root(&doc);
 *     souk_text name;
 *     SOUK_TRY(souk_json_text(&doc, souk_json_member(&doc, event, SOUK_TEXT("event")), arena, &name));
 *     souk_json_node lines = souk_json_member(&doc, event, SOUK_TEXT("products"));
 *     for (souk_json_node line = souk_json_first(&doc, lines); line != SOUK_JSON_NONE;
 *          line = souk_json_next(&doc, line))
 *         ...
 *
 * Strict   RFC 8259 to the letter, the whole text checked before anything is handed out: UTF-8, no
 *          byte order mark, no control characters in strings, no leading zeros, surrogate escapes
 *          only in pairs, nothing but white space behind the value.
 * Repeats  `{"a":1,"a":2}` is read; souk_json_member finds the first, iteration shows all.  Many
 *          other readers take the last: where that could be abused, forward what was read here and
 *          never the raw text.
 * Numbers  stay text until asked for, so nothing is lost: 0.1 is 0.1, 1e400 is read and then does
 *          not fit a decimal.
 * Missing  SOUK_JSON_NONE may be passed wherever a node may: it has no members, no text, no number.
 * Shape    a node is the number of a token of the text; a container knows its end
 * Memory   9 bytes per token (a number or string 1, a key with its colon and comma 3, a container
 *          2) within limits->values; kept for the next document, given back by souk_json_doc_done.
 *          The source is neither copied nor changed and must outlive the use of the doc.
 * Cost     reading: one pass over the bytes with SIMD, one over the tokens; no allocation once the
 *          doc is warm.  member, next and count: one step per member passed.  A refused text is
 *          read again byte by byte to find the words, line and column.
 * Source   RFC 8259, RFC 3629; json_scan.h names the papers
 * Threads  one reads; once read, any number may look. */
#ifndef SOUK_BASE_JSON_H
#define SOUK_BASE_JSON_H

#include "base/decimal.h"
#include "base/text.h"

typedef struct souk_json_limits {
    size_t bytes;  /* of source; 0: 16 MiB; never above SOUK_JSON_BYTES_MAX */
    size_t values; /* in the whole document, containers too, keys not; 0: 1,048,576 */
    unsigned
        depth; /* containers within containers, `[[]]` is 2; 0: 32; at most SOUK_JSON_DEPTH_MAX */
} souk_json_limits;

enum { SOUK_JSON_DEPTH_MAX = 256 };
#define SOUK_JSON_BYTES_MAX ((size_t)1 << 31)

typedef uint32_t souk_json_node;
#define SOUK_JSON_NONE UINT32_MAX

typedef enum souk_json_kind {
    SOUK_JSON_MISSING, /* of SOUK_JSON_NONE */
    SOUK_JSON_NULL,
    SOUK_JSON_FALSE,
    SOUK_JSON_TRUE,
    SOUK_JSON_NUMBER,
    SOUK_JSON_STRING,
    SOUK_JSON_ARRAY,
    SOUK_JSON_OBJECT,
} souk_json_kind;

/* {.mem = mem} is a doc that has read nothing. */
typedef struct souk_json_doc {
    souk_mem *mem; /* NULL: the process heap */
    /* private: */
    souk_text source;
    unsigned char *kinds; /* [tokens + 1] first byte of each token, then a 0 */
    uint32_t *offsets;    /* [tokens] where it stands in the source */
    uint32_t *pairs;      /* [tokens] of { and [: the token that closes it; of those: its values */
    size_t kinds_room, offsets_room, pairs_room;
    size_t tokens, values;
    bool escapes;                         /* the source has a backslash somewhere */
    uint32_t counts[SOUK_JSON_DEPTH_MAX]; /* while reading: values so far in the open containers */
} souk_json_doc;

/* Gives the memory back; the doc may be read into again. */
void souk_json_doc_done(souk_json_doc *doc);

/* Reads and checks the whole of source; what the doc held before is gone, after an error it is empty.
 * SOUK_ESYNTAX: not JSON.  SOUK_ETOOBIG: above a limit.  SOUK_ENOMEM.  SOUK_EINVAL: a limit above its
 * maximum.  diag (may be NULL) tells what was expected, with the line, and the column in characters. */
SOUK_CHECKED souk_err souk_json_read(souk_json_doc *doc, souk_text source,
                                     const souk_json_limits *limits, souk_diag *diag);

/* The outermost value; SOUK_JSON_NONE of an empty doc. */
souk_json_node souk_json_root(const souk_json_doc *doc);
souk_json_kind souk_json_type(const souk_json_doc *doc, souk_json_node node);

/* The value behind the first key that equals `key` (keys are compared as text: "\u0061" is "a");
 * SOUK_JSON_NONE where there is none or `object` is no object. */
souk_json_node souk_json_member(const souk_json_doc *doc, souk_json_node object, souk_text key);

/* The same for `count` different keys in one walk: cheaper from two on. */
void souk_json_members(const souk_json_doc *doc, souk_json_node object, const souk_text *keys,
                       size_t count, souk_json_node *ret_nodes);

/* The values of an object or array in the order of the text; SOUK_JSON_NONE at the end.  next takes a
 * value of a container, not the root. */
souk_json_node souk_json_first(const souk_json_doc *doc, souk_json_node container);
souk_json_node souk_json_next(const souk_json_doc *doc, souk_json_node node);
/* How many; 0 where it is no container. */
size_t souk_json_count(const souk_json_doc *doc, souk_json_node container);
/* The key in front of a member's value as it stands in the source, without its quotes and with its
 * escapes; {NULL, 0} where node is no member. */
souk_text souk_json_key(const souk_json_doc *doc, souk_json_node node);
/* The same as text; see souk_json_text. */
SOUK_CHECKED souk_err souk_json_key_text(const souk_json_doc *doc, souk_json_node node,
                                         souk_arena *arena, souk_text *ret_key);

/* The value as it stands in the source, a string with its quotes; {NULL, 0} of SOUK_JSON_NONE. */
souk_text souk_json_raw(const souk_json_doc *doc, souk_json_node node);

/* A string's text: a slice of the source, or where it has escapes a copy in the arena.  It is UTF-8 and
 * may hold any character, U+0000 too.
 * SOUK_EINVAL: not a string.  SOUK_ENOMEM: the arena has failed. */
SOUK_CHECKED souk_err souk_json_text(const souk_json_doc *doc, souk_json_node node,
                                     souk_arena *arena, souk_text *ret_text);

/* A number, exact to six places; see souk_decimal_read for ret_rounded, which may be NULL.
 * SOUK_EINVAL: not a number.  SOUK_EOVERFLOW: does not fit. */
SOUK_CHECKED souk_err souk_json_decimal(const souk_json_doc *doc, souk_json_node node,
                                        souk_decimal *ret_decimal, bool *ret_rounded);
/* The same, and also reads "12.50", a string that holds such a number and nothing else. */
SOUK_CHECKED souk_err souk_json_decimal_or_text(const souk_json_doc *doc, souk_json_node node,
                                                souk_decimal *ret_decimal, bool *ret_rounded);
/* A number without fraction and exponent; -0 is 0.  Errors as above. */
SOUK_CHECKED souk_err souk_json_i64(const souk_json_doc *doc, souk_json_node node,
                                    int64_t *ret_number);
/* SOUK_EINVAL: neither true nor false. */
SOUK_CHECKED souk_err souk_json_bool(const souk_json_doc *doc, souk_json_node node, bool *ret_bool);

#endif
