/* coupons_inside.h - what the files of coupons.h share: a code's row, and why it does not hold. */
#ifndef SOUK_SERVICE_LOYALTY_COUPONS_INSIDE_H
#define SOUK_SERVICE_LOYALTY_COUPONS_INSIDE_H

#include "service/loyalty/coupons.h"

enum { COUPON_KEY_BYTES = 96 };

typedef struct coupon_code {
    char class[SOUK_COUPON_CLASS_BYTES + 1];
    int64_t id, most, used, revoked, person; /* most 0: no limit */
    souk_time until;
} coupon_code;

/* SOUK_ENOENT. */
SOUK_CHECKED souk_err coupons_read_code(souk_tx *tx, uint32_t merchant, souk_hash128 hash,
                                        coupon_code *ret_code);
/* Of the code and its class alone, without the counters; NULL: they hold. */
const char *coupons_why_not(const coupon_code *code, const souk_coupon_class *class,
                            const souk_coupon_hand *hand);
/* How many redemptions count against a limit for this hand. */
SOUK_CHECKED souk_err coupons_count(souk_tx *tx, const souk_coupon_class *class,
                                    souk_coupon_limit limit, const souk_coupon_hand *hand,
                                    int64_t *ret_used);
/* Whether a limit of the class is counted for this hand, and under which key of its n-th atom. */
bool coupons_counts(const souk_coupon_class *class, souk_coupon_limit limit,
                    const souk_coupon_hand *hand);
void coupons_key(souk_coupon_limit limit, const souk_coupon_hand *hand, size_t atom,
                 char ret_key[COUPON_KEY_BYTES]);
size_t coupons_atoms(const souk_coupon_hand *hand);

#endif
