/* pack_words.h - what pack.c knows beforehand about an event's JSON: words, and what follows what.
 *
 * A text is cut into symbols; each symbol is of a kind, and each leaves the reader at a place:
 *
 *     …,"currency":"EUR","products":[{"product_id":"…
 *        ^ key        ^ code   ^ join, then a key
 *          leaves CODE  leaves DONE     leaves KEY, then ID
 *
 * How likely a symbol is depends on the place (which kinds come here: souk_pack_chances) and on its
 * rank among its own kind.  Thus the tables stay small enough to be written and read by people.
 *
 * Everything here is public vocabulary of the Segment specification, of the clients' libraries and of
 * retail.  Nothing is learned from shoppers: what is in these tables outlives every erasure.
 *
 * The tables are the format: packed bytes of version 1 can be read only with exactly these rows in
 * this order.  To add a word, add a version (see pack.h). */
#ifndef SOUK_CORE_PACK_WORDS_H
#define SOUK_CORE_PACK_WORDS_H

#include <stddef.h>
#include <stdint.h>

/* Where the reader stands: what was just read says what to expect. */
typedef enum souk_pack_place {
    AT_START,       /* nothing was read yet */
    AT_KEY,         /* behind the opening quote of a key, or of a string in an array */
    AT_KEY_DEAL,    /* the same behind keys of a product, a basket or an order */
    AT_KEY_CONTEXT, /* behind keys of the context */
    AT_KEY_PERSON,  /* behind keys of the traits */
    AT_ID,          /* at or in an identifier */
    AT_STAMP,       /* at a time or a message id */
    AT_TEXT,        /* at free text: a product's name, a title */
    AT_CODE,        /* at one of few values: event name, currency, locale, library */
    AT_URL,         /* at an address or a path */
    AT_PATH,        /* in an address */
    AT_AGENT,       /* at or in a user agent */
    AT_NUMBER,      /* at a value that is no string */
    AT_NUMERAL,     /* behind a digit of a number */
    AT_LOWER,       /* behind a small letter */
    AT_WORD,        /* behind a known word */
    AT_UPPER,       /* behind a capital */
    AT_DIGIT,       /* behind a digit in a string */
    AT_SPACE,       /* behind a space in a string */
    AT_MARK,        /* behind another ASCII character */
    AT_HIGH,        /* behind a byte above 127 */
    AT_HAN,         /* behind a Chinese character */
    AT_DONE,        /* the string's content is likely complete */
    AT_CLOSED,      /* behind a complete value or a closing bracket */
    AT_COUNT
} souk_pack_place;

/* What a symbol is. */
typedef enum souk_pack_kind {
    KIND_FOLLOW,      /* "the same join and key as came after this key last time" */
    KIND_KEY,         /* messageId":" */
    KIND_KEY_DEAL,    /* product_id":" */
    KIND_KEY_CONTEXT, /* userAgent":" */
    KIND_KEY_PERSON,  /* email":" */
    KIND_SPACED,      /* product_id": " */
    KIND_BARE,        /* product_id */
    KIND_JOIN,        /* "," and its like: the end of a string up to the next key */
    KIND_JOIN_VALUE,  /* ," the same for other values */
    KIND_WIDE,        /* ", " as JOIN, spaced */
    KIND_WIDE_VALUE,
    KIND_COLON,      /* ":" behind a key that is not in the table */
    KIND_TAIL,       /* closing brackets that end an event behind a string */
    KIND_TAIL_VALUE, /* the same behind other values */
    KIND_UUID,
    KIND_STAMP,
    KIND_MILLI,
    KIND_HEX,
    KIND_COPY,
    KIND_HAN,
    KIND_HANWORD,
    KIND_CODE,
    KIND_PREFIX,
    KIND_URL,
    KIND_AGENT,
    KIND_CONST,
    KIND_CAPWORD,
    KIND_WORD,
    KIND_PART,
    KIND_DIGIT,
    KIND_PAIR,
    KIND_LOWER,
    KIND_UPPER,
    KIND_SPACE,
    KIND_MARK,
    KIND_HIGH,
    KIND_CONTROL,
    KIND_COUNT
} souk_pack_kind;

/* A key in the order in which clients write it: the row below is what usually comes next.  A key may
 * stand in several rows, to show the order to the one above; the first says what follows itself.
 * The form is what stands behind the name:  s  ":"   v  ":   o  ":{"   a  ":[{"   l  ":["
 * w  nothing, the name is the whole symbol.  S, V, W: the same, and its object usually ends with
 * the value; D: as w, and two objects end.  Weight: log2 of how often, roughly.
 * Group: the place among AT_KEY_… where keys that come after this one are looked up. */
typedef struct souk_pack_key {
    const char *name;
    char form;
    uint8_t next, weight, group;
} souk_pack_key;

/* Words of one kind, '|' between them, common ones first; the n-th weighs 1 / (n + flatness). */
typedef struct souk_pack_list {
    const char *words;
    uint8_t kind, next;
    uint16_t flatness;
} souk_pack_list;

extern const souk_pack_key souk_pack_keys[];
extern const size_t souk_pack_key_count;
extern const souk_pack_list souk_pack_lists[];
extern const size_t souk_pack_list_count;
/* Common Chinese characters and words of shops. */
extern const char souk_pack_han[];
/* How often a small letter comes, a to z. */
extern const uint8_t souk_pack_letters[26];
/* Of 1024 symbols at a place, how many are of a kind. */
extern const uint16_t souk_pack_chances[AT_COUNT][KIND_COUNT];

#endif
