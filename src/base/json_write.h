/* json_write.h - writes JSON into a buffer; commas, colons and quotes come by themselves.
 *
 *     souk_auto_value(souk_buf) out = {.mem = mem, .limit_bytes = 65536};
 *     souk_json_writer json = {.out = &out};
 *     souk_json_write_object(&json);
 *     souk_json_write_key(&json, SOUK_TEXT("sku"));
 *     souk_json_write_text(&json, sku);
 *     souk_json_write_key(&json, SOUK_TEXT("prices"));
 *     souk_json_write_array(&json);
 *     souk_json_write_decimal(&json, price);
 *     souk_json_write_end(&json);
 *     souk_json_write_end(&json);
 *     SOUK_TRY(souk_json_write_check(&json));         {"sku":"BR-1","prices":[12.5]}
 *
 * The text has no white space.  Strings are written as they are but for " and \, which get a backslash,
 * and control characters, which become \b \f \n \r \t or \u00XX.  What is not UTF-8 is written as
 * U+FFFD, one for each maximal subpart (The Unicode Standard 15.0, section 3.9), so that the output
 * is JSON whatever comes in; who wants to refuse such text asks souk_utf8_valid first.
 * A value without a key in an object, an end too many and the like are our own bugs (souk_assert).
 *
 * Errors   sticky, in the buffer: no memory, above its ceiling; or nested deeper than
 *          SOUK_JSON_DEPTH_MAX (SOUK_ETOOBIG).  Write on, check once.
 * Cost     strings: 8 bytes a step; the rest: a few instructions
 * Source   RFC 8259
 * Threads  a writer belongs to one */
#ifndef SOUK_BASE_JSON_WRITE_H
#define SOUK_BASE_JSON_WRITE_H

#include "base/json.h"
#include "base/time.h"

/* {.out = &buf} is a writer at the start of one document, appended to the buffer. */
typedef struct souk_json_writer {
    souk_buf *out;
    /* private: */
    uint64_t objects[SOUK_JSON_DEPTH_MAX / 64]; /* one bit for each open container */
    unsigned depth;
    bool filled;  /* something stands before in this container */
    bool has_key; /* a key waits for its value */
} souk_json_writer;

void souk_json_write_object(souk_json_writer *json);
void souk_json_write_array(souk_json_writer *json);
/* Closes the innermost container. */
void souk_json_write_end(souk_json_writer *json);
void souk_json_write_key(souk_json_writer *json, souk_text key);

void souk_json_write_text(souk_json_writer *json, souk_text text);
void souk_json_write_i64(souk_json_writer *json, int64_t number);
void souk_json_write_u64(souk_json_writer *json, uint64_t number);
void souk_json_write_decimal(souk_json_writer *json, souk_decimal decimal);
void souk_json_write_bool(souk_json_writer *json, bool yes);
void souk_json_write_null(souk_json_writer *json);
/* One value that is JSON already, such as souk_json_raw gives; it is not checked. */
void souk_json_write_raw(souk_json_writer *json, souk_text value);
/* A key with its escapes, such as souk_json_key gives. */
void souk_json_write_raw_key(souk_json_writer *json, souk_text key);

/* ---- members, a key and its value at once ----------------------------------------------------------- */

static inline void souk_json_put_text(souk_json_writer *json, const char *key, souk_text text)
{
    souk_json_write_key(json, souk_text_of(key));
    souk_json_write_text(json, text);
}
static inline void souk_json_put_words(souk_json_writer *json, const char *key, const char *words)
{
    souk_json_put_text(json, key, souk_text_of(words));
}
static inline void souk_json_put_u64(souk_json_writer *json, const char *key, uint64_t number)
{
    souk_json_write_key(json, souk_text_of(key));
    souk_json_write_u64(json, number);
}
static inline void souk_json_put_bool(souk_json_writer *json, const char *key, bool yes)
{
    souk_json_write_key(json, souk_text_of(key));
    souk_json_write_bool(json, yes);
}
/* As RFC 3339. */
void souk_json_put_time(souk_json_writer *json, const char *key, souk_time at);
/* A member that is an object, or a list, which the caller ends. */
static inline void souk_json_put_object(souk_json_writer *json, const char *key)
{
    souk_json_write_key(json, souk_text_of(key));
    souk_json_write_object(json);
}
static inline void souk_json_put_array(souk_json_writer *json, const char *key)
{
    souk_json_write_key(json, souk_text_of(key));
    souk_json_write_array(json);
}

/* Whether all went well; the document must be complete: one value, every container closed. */
SOUK_CHECKED souk_err souk_json_write_check(const souk_json_writer *json);

#endif
