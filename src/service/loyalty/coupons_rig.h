/* coupons_rig.h - for tests of coupons.h: a counter with classes and codes whose bits follow from a number.
 *
 * Stands after test/test.h and store/ledger_shop.h. */
#ifndef SOUK_SERVICE_LOYALTY_COUPONS_RIG_H
#define SOUK_SERVICE_LOYALTY_COUPONS_RIG_H

#include "core/document.h"
#include "service/loyalty/coupons.h"

enum { RIG_SHOP = 1 };
#define RIG_AT  INT64_C(1767268800000) /* 2026-01-01T12:00Z */
#define RIG_DAY INT64_C(20454)

static const souk_hash_key rig_key = {"sixteen bytes ."};
static const souk_effect_owners coupon_owners = {
    .of = {[SOUK_EFFECT_REDEEM] = {souk_coupons_apply, NULL}}};

static inline bool has_coupons(souk_test *test, struct shop *shop)
{
    SOUK_MUST(souk_coupons_migrate(shop->ledger, NULL));
    SOUK_MUST(souk_documents_migrate(shop->ledger, NULL));
    return true;
}
#define EACH_COUNTER(shop, ...)  \
    EACH_SHOP(shop, __VA_ARGS__) \
    if (has_coupons(test, &shop))

static inline souk_err put_class(struct shop *shop, const char *name, const char *json)
{
    souk_document document = {SOUK_TEXT("coupon"), RIG_SHOP, souk_text_of(name), souk_text_of(json),
                              0};
    souk_arena arena = {.mem = souk_mem_heap()};
    souk_coupon_class class;
    uint64_t version;
    souk_err err = souk_coupon_class_read(document.key, document.text, &arena, &class, NULL);
    if (!err)
        err = souk_documents_put(shop->ledger, &document, SOUK_DOCUMENT_ANY, RIG_AT, &version);
    if (!err && class.kind == SOUK_COUPON_SHARED)
        err = souk_coupons_share(shop->ledger, &rig_key, RIG_SHOP, &class);
    souk_arena_done(&arena);
    return err;
}

static inline void rig_bits(uint64_t number, uint8_t bits[16])
{
    souk_put_u64(bits, souk_mix64(number + 1));
    souk_put_u64(bits + 8, souk_mix64(~number));
}

/* Codes [first, first + count) of a class. */
static inline souk_err issue_codes(struct shop *shop, const char *name, const char *json,
                                   uint64_t first, size_t count, int64_t atom, souk_time until)
{
    uint8_t bits[SOUK_COUPON_ISSUE_MOST][16];
    souk_arena arena = {.mem = souk_mem_heap()};
    souk_coupon_class class;
    souk_err err =
        souk_coupon_class_read(souk_text_of(name), souk_text_of(json), &arena, &class, NULL);
    for (size_t i = 0; i < count; i++)
        rig_bits(first + i, bits[i]);
    souk_coupon_issue issue = {.merchant = RIG_SHOP,
                               .class = &class,
                               .bits = (const uint8_t(*)[16])bits,
                               .count = count,
                               .atom = atom,
                               .until = until,
                               .at = RIG_AT};
    if (!err)
        err = souk_coupons_issue(shop->ledger, &rig_key, SOUK_LANE_JOB, &issue);
    souk_arena_done(&arena);
    return err;
}

struct rig_coupon {
    char code[SOUK_COUPON_CODE_ROOM];
    const char *shared; /* in place of code */
    souk_coupon_hand hand;
    souk_arena arena;
    souk_coupon_found found;
    souk_diag diag;
};

static inline souk_err rig_look(struct shop *shop, struct rig_coupon *coupon)
{
    souk_text code = souk_text_of(coupon->shared ? coupon->shared : coupon->code);
    coupon->diag = (souk_diag){0};
    coupon->arena.mem = souk_mem_heap();
    return souk_coupon_look(shop->ledger, &rig_key, code, &coupon->hand, &coupon->arena,
                            &coupon->found, &coupon->diag);
}

static inline struct rig_coupon coupon_of(uint64_t number, const uint32_t *atoms, size_t atom_count,
                                          const char *store, int64_t day)
{
    struct rig_coupon coupon = {.hand = {.merchant = RIG_SHOP,
                                         .atoms = atoms,
                                         .atom_count = atom_count,
                                         .store = souk_text_of(store),
                                         .day = day,
                                         .at = RIG_AT}};
    uint8_t bits[16];
    rig_bits(number, bits);
    souk_coupon_code_write(bits, coupon.code);
    return coupon;
}

/* Looks and, whatever the look said, redeems. */
static inline souk_err rig_redeem(struct shop *shop, struct rig_coupon *coupon, uint64_t receipt,
                                  souk_once *once, souk_err (*tell)(souk_plan *plan, souk_tx *tx),
                                  bool *ret_again)
{
    souk_err err = rig_look(shop, coupon);
    souk_plan plan = {.arena = &coupon->arena,
                      .merchant = RIG_SHOP,
                      .at = coupon->hand.at,
                      .once = once,
                      .tell = tell};
    souk_coupon_act act = {.kind = SOUK_COUPON_REDEEM,
                           .found = &coupon->found,
                           .hand = coupon->hand,
                           .receipt = {receipt, 5}};
    if (!err) {
        souk_plan_add(&plan, SOUK_EFFECT_REDEEM, SOUK_COUPON_KEY(coupon->found), 1, &act);
        err = souk_plan_run(shop->ledger, &coupon_owners, &plan);
        coupon->diag = plan.diag;
    }
    if (ret_again)
        *ret_again = plan.again;
    souk_arena_done(&coupon->arena);
    return err;
}

static inline souk_err rig_restore(struct shop *shop, uint64_t receipt, bool is_void,
                                   uint64_t *ret_count)
{
    souk_arena arena = {.mem = souk_mem_heap()};
    souk_plan plan = {.arena = &arena, .merchant = RIG_SHOP, .at = RIG_AT + 1};
    souk_coupon_act act = {
        .kind = SOUK_COUPON_RESTORE, .receipt = {receipt, 5}, .is_void = is_void};
    souk_plan_add(&plan, SOUK_EFFECT_REDEEM, SOUK_TEXT(""), 1, &act);
    souk_err err = souk_plan_run(shop->ledger, &coupon_owners, &plan);
    *ret_count = act.count;
    souk_arena_done(&arena);
    return err;
}

#endif
