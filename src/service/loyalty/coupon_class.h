/* coupon_class.h - what a kind of coupon promises: which offers it opens, when, to whom, how often.
 *
 *     PUT /v1/loyalty/coupons/tea10
 *     {"title":"10 % off tea","kind":"unique","offer":"tea10","from":"2026-12-01","until":"2026-12-25",
 *      "limits":{"all":5000,"person":1,"person_day":1,"store":200,"day":1000},"on_return":"restore"}
 *
 *     souk_coupon_class class;
 *     SOUK_TRY(souk_coupon_class_read(text, arena, &class, diag));      "limits.persn: there is no such member: do you mean person?"
 *
 * Kinds    unique: each code holds once.  multi: each code holds `uses` times.  shared: one code for all, told in `code`
 * Offer    the coupon class that offers ask for (docs/offers.md); the class's own name where it is not told
 * Window   from <= at < until; left out: from ever, for ever
 * Limits   how many redemptions there may be: in all, of one person, of one person in a day, in one store, in one day; left out:
 *          no limit.  A day is the store's.  Where a person has a limit, nobody redeems it who is not known
 * Return   restore (usual): a returned basket's coupon can be redeemed again; keep: it is gone.  A void always restores
 * Threads  no state */
#ifndef SOUK_SERVICE_LOYALTY_COUPON_CLASS_H
#define SOUK_SERVICE_LOYALTY_COUPON_CLASS_H

#include "base/json.h"
#include "base/time.h"

enum {
    SOUK_COUPON_CLASS_BYTES = 64, /* of a class's name */
    SOUK_COUPON_TITLE_BYTES = 200,
    SOUK_COUPON_CODE_MOST =
        40, /* bytes of a shared code as written, and of any that is looked at */
};
#define SOUK_COUPON_LIMIT_MOST INT64_C(1000000000000)

/*    name, in JSON and in words; in the order in which their rows are locked */
#define SOUK_COUPON_LIMITS(X)                           \
    X(ALL, "all", "in all")                             \
    X(PERSON, "person", "by this person")               \
    X(PERSON_DAY, "person_day", "by this person today") \
    X(STORE, "store", "in this store")                  \
    X(DAY, "day", "today")
typedef enum souk_coupon_limit {
#define SOUK_COUPON_LIMIT_ENUM(name, json, words) SOUK_COUPON_BY_##name,
    SOUK_COUPON_LIMITS(SOUK_COUPON_LIMIT_ENUM)
#undef SOUK_COUPON_LIMIT_ENUM
        SOUK_COUPON_LIMIT_COUNT
} souk_coupon_limit;
const char *souk_coupon_limit_word(souk_coupon_limit limit);
const char *souk_coupon_limit_words(souk_coupon_limit limit);

typedef enum souk_coupon_kind {
    SOUK_COUPON_UNIQUE,
    SOUK_COUPON_MULTI,
    SOUK_COUPON_SHARED
} souk_coupon_kind;
const char *souk_coupon_kind_word(souk_coupon_kind kind);

typedef struct souk_coupon_class {
    souk_text name, title, offer;
    souk_coupon_kind kind;
    souk_text code;                          /* SHARED */
    int64_t uses;                            /* of one code; 0: no limit (SHARED) */
    souk_time from, until;                   /* SOUK_TIME_FIRST, SOUK_TIME_LAST: not told */
    int64_t limits[SOUK_COUPON_LIMIT_COUNT]; /* 0: none */
    bool keeps;                              /* a return does not restore it */
    uint64_t version;                        /* of its document */
} souk_coupon_class;

/* Texts in the arena.  name: the document's key. */
SOUK_CHECKED souk_err souk_coupon_class_read(souk_text name, souk_text json, souk_arena *arena,
                                             souk_coupon_class *ret_class, souk_diag *diag);
/* SOUK_EINVAL with words: a name of 1 to 64 letters, digits, '-', '_' and '.'. */
SOUK_CHECKED souk_err souk_coupon_class_name(souk_text name, souk_diag *diag);

/* A code as it is compared: capitals, without spaces and hyphens, O as 0, I and L as 1.
 * SOUK_EINVAL: nothing is left, or another character is in it. */
SOUK_CHECKED souk_err souk_coupon_code_normal(souk_text code, char ret_code[SOUK_COUPON_CODE_MOST],
                                              size_t *ret_bytes);
/* 128 bits as five groups of Crockford's base 32, "7ZK3M-0Q9X4-…", and a NUL. */
enum { SOUK_COUPON_CODE_ROOM = 31 };
void souk_coupon_code_write(const uint8_t bits[16], char ret_code[SOUK_COUPON_CODE_ROOM]);

#endif
