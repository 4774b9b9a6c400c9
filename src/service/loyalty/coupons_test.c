/* coupons_test.c - coupons by their sentences, and random redemptions against a plain model. */
#include "test/test.h"

#include "store/ledger_shop.h"

#include "service/loyalty/coupons_rig.h"

static const uint32_t ann[] = {7}, bob[] = {9}, anns_two[] = {7, 12};
static const char plain[] = "{\"title\":\"10 % off tea\",\"offer\":\"tea\"}";

static const char *why_of(souk_test *test, struct shop *shop, struct rig_coupon *coupon)
{
    SOUK_MUST(rig_look(shop, coupon));
    souk_arena_done(&coupon->arena);
    return coupon->found.good ? "good" : coupon->found.why;
}

/* Looks a moment before it redeems. */
static souk_err redeem_late(struct shop *shop, struct rig_coupon *coupon)
{
    souk_time late = coupon->hand.at;
    coupon->hand.at = late - 1;
    SOUK_TRY(rig_look(shop, coupon));
    souk_plan plan = {.arena = &coupon->arena, .merchant = RIG_SHOP, .at = late};
    souk_coupon_act act = {
        .kind = SOUK_COUPON_REDEEM, .found = &coupon->found, .hand = coupon->hand};
    souk_plan_add(&plan, SOUK_EFFECT_REDEEM, SOUK_COUPON_KEY(coupon->found), 1, &act);
    souk_err err = souk_plan_run(shop->ledger, &coupon_owners, &plan);
    coupon->diag = plan.diag;
    souk_arena_done(&coupon->arena);
    return err;
}

SOUK_TEST("a code is looked at, redeemed once, and not again")
{
    EACH_COUNTER(shop, .readers = 1)
    {
        struct rig_coupon coupon = coupon_of(1, NULL, 0, "SH-014", RIG_DAY);
        SOUK_MUST(put_class(&shop, "tea10", plain));
        SOUK_MUST(issue_codes(&shop, "tea10", plain, 1, 2, 0, SOUK_TIME_LAST));
        SOUK_MUST(rig_look(&shop, &coupon));
        SOUK_CHECK(coupon.found.good && coupon.found.left == 1);
        SOUK_CHECK_TEXT(coupon.found.class.offer, "tea");
        souk_arena_done(&coupon.arena);
        SOUK_MUST(rig_redeem(&shop, &coupon, 1, NULL, NULL, NULL));
        SOUK_CHECK_ERR(rig_redeem(&shop, &coupon, 2, NULL, NULL, NULL), SOUK_ECONFLICT);
        SOUK_CHECK_TEXT(souk_text_of(coupon.diag.words),
                        "coupon '10 % off tea': this code was redeemed already");
        SOUK_CHECK_TEXT(souk_text_of(why_of(test, &shop, &coupon)),
                        "this code was redeemed already");
        SOUK_MUST(souk_coupons_verify(shop.ledger, NULL));
    }
}

SOUK_TEST("unknown codes, another merchant's and no codes at all get the same answer")
{
    EACH_COUNTER(shop, .readers = 1)
    {
        struct rig_coupon coupons[3] = {coupon_of(1, NULL, 0, "", RIG_DAY),
                                        coupon_of(99, NULL, 0, "", RIG_DAY),
                                        coupon_of(1, NULL, 0, "", RIG_DAY)};
        coupons[0].hand.merchant = 2; /* the code is merchant 1's */
        coupons[2].shared = "not/a code";
        SOUK_MUST(put_class(&shop, "tea10", plain));
        SOUK_MUST(issue_codes(&shop, "tea10", plain, 1, 1, 0, SOUK_TIME_LAST));
        for (int i = 0; i < 3; i++) {
            SOUK_CHECK_ERR(rig_look(&shop, &coupons[i]), SOUK_ENOENT);
            SOUK_CHECK_TEXT(souk_text_of(coupons[i].diag.words),
                            "this coupon code is not known: look at it again");
            souk_arena_done(&coupons[i].arena);
        }
    }
}

SOUK_TEST(
    "a coupon does not hold before, after, withdrawn, for another, or nameless where it counts")
{
    static const char json[] =
        "{\"title\":\"tea\",\"from\":\"2026-01-01T12:00:00Z\",\"until\":\"2026-01-02\","
        "\"limits\":{\"person\":1}}";
    EACH_COUNTER(shop, .readers = 1)
    {
        struct rig_coupon coupon = coupon_of(1, ann, 1, "", RIG_DAY);
        uint64_t revoked;
        SOUK_MUST(put_class(&shop, "tea", json));
        SOUK_MUST(issue_codes(&shop, "tea", json, 1, 1, 0, SOUK_TIME_LAST));
        SOUK_MUST(issue_codes(&shop, "tea", json, 2, 1, 9, RIG_AT + 1000));
        SOUK_CHECK_TEXT(souk_text_of(why_of(test, &shop, &coupon)), "good");
        coupon.hand.at = RIG_AT - 1;
        SOUK_CHECK_TEXT(souk_text_of(why_of(test, &shop, &coupon)), "it does not hold yet");
        SOUK_CHECK_ERR(rig_redeem(&shop, &coupon, 1, NULL, NULL, NULL), SOUK_ECONFLICT);
        coupon.hand.at = coupon.found.until;
        SOUK_CHECK_TEXT(souk_text_of(why_of(test, &shop, &coupon)), "it has expired");
        SOUK_CHECK_ERR(rig_redeem(&shop, &coupon, 1, NULL, NULL, NULL), SOUK_ECONFLICT);
        coupon = coupon_of(1, NULL, 0, "", RIG_DAY);
        SOUK_CHECK(strstr(why_of(test, &shop, &coupon), "tell who redeems it"));
        SOUK_CHECK_ERR(rig_redeem(&shop, &coupon, 1, NULL, NULL, NULL), SOUK_ECONFLICT);
        coupon = coupon_of(2, ann, 1, "", RIG_DAY);
        SOUK_CHECK(strstr(why_of(test, &shop, &coupon), "somebody else's"));
        SOUK_CHECK_ERR(rig_redeem(&shop, &coupon, 1, NULL, NULL, NULL), SOUK_ECONFLICT);
        coupon.hand.atoms = bob;
        SOUK_CHECK_TEXT(souk_text_of(why_of(test, &shop, &coupon)), "good");
        coupon.hand.at = RIG_AT + 1000;
        SOUK_CHECK_TEXT(souk_text_of(why_of(test, &shop, &coupon)), "it has expired");
        SOUK_CHECK_ERR(redeem_late(&shop, &coupon),
                       SOUK_ECONFLICT); /* it was good when it was seen */
        SOUK_CHECK_TEXT(souk_text_of(coupon.diag.words), "coupon 'tea': it has expired");
        coupon.hand.at = RIG_AT;
        SOUK_MUST(souk_coupons_revoke(shop.ledger, 1, SOUK_TEXT("tea"), 2, &revoked));
        SOUK_CHECK(revoked == 1);
        SOUK_CHECK_TEXT(souk_text_of(why_of(test, &shop, &coupon)), "this code was withdrawn");
        SOUK_CHECK_ERR(rig_redeem(&shop, &coupon, 1, NULL, NULL, NULL), SOUK_ECONFLICT);
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM coupon_use") == 0);
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM coupon_count") == 0);
    }
}

SOUK_TEST("a shared code is one for all, its limits count, and a new code replaces it")
{
    static const char json[] = "{\"title\":\"summer\",\"kind\":\"shared\",\"code\":\"SUMMER-10\","
                               "\"limits\":{\"all\":3,\"store\":2,\"person_day\":1}}";
    EACH_COUNTER(shop, .readers = 1)
    {
        struct rig_coupon coupon = coupon_of(0, ann, 1, "A", RIG_DAY);
        coupon.shared = "summer10";
        SOUK_MUST(put_class(&shop, "summer", json));
        SOUK_MUST(rig_redeem(&shop, &coupon, 1, NULL, NULL, NULL));
        SOUK_CHECK_ERR(rig_redeem(&shop, &coupon, 2, NULL, NULL, NULL), SOUK_ECONFLICT);
        SOUK_CHECK_TEXT(souk_text_of(coupon.diag.words),
                        "coupon 'summer': it was redeemed 1 times by this person today, and more "
                        "it may not be");
        coupon.hand.day++;
        SOUK_MUST(rig_redeem(&shop, &coupon, 2, NULL, NULL, NULL));
        coupon.hand.atoms = bob;
        SOUK_CHECK_ERR(rig_redeem(&shop, &coupon, 3, NULL, NULL, NULL), SOUK_ECONFLICT);
        SOUK_CHECK(strstr(coupon.diag.words, "2 times in this store"));
        coupon.hand.store = SOUK_TEXT("B");
        SOUK_MUST(rig_redeem(&shop, &coupon, 3, NULL, NULL, NULL));
        coupon.hand.day++;
        SOUK_CHECK_ERR(rig_redeem(&shop, &coupon, 4, NULL, NULL, NULL), SOUK_ECONFLICT);
        SOUK_CHECK(strstr(why_of(test, &shop, &coupon), "3 times in all"));
        SOUK_MUST(souk_coupons_verify(shop.ledger, NULL));

        SOUK_CHECK_ERR(put_class(&shop, "other",
                                 "{\"title\":\"o\",\"kind\":\"shared\",\"code\":\"summerIO\"}"),
                       SOUK_EEXIST);
        SOUK_MUST(put_class(&shop, "summer",
                            "{\"title\":\"s\",\"kind\":\"shared\",\"code\":\"WINTER\"}"));
        SOUK_CHECK_TEXT(souk_text_of(why_of(test, &shop, &coupon)), "this code was withdrawn");
        coupon.shared = "winter";
        SOUK_MUST(rig_redeem(&shop, &coupon, 5, NULL, NULL, NULL));
    }
}

SOUK_TEST("a merged person has one limit over all her histories")
{
    static const char json[] = "{\"title\":\"tea\",\"limits\":{\"person\":2}}";
    EACH_COUNTER(shop, .readers = 1)
    {
        SOUK_MUST(put_class(&shop, "tea", json));
        SOUK_MUST(issue_codes(&shop, "tea", json, 1, 5, 0, SOUK_TIME_LAST));
        struct rig_coupon one = coupon_of(1, ann, 1, "", RIG_DAY);
        struct rig_coupon two = coupon_of(2, &anns_two[1], 1, "", RIG_DAY);
        struct rig_coupon three = coupon_of(3, anns_two, 2, "", RIG_DAY);
        SOUK_MUST(rig_redeem(&shop, &one, 1, NULL, NULL, NULL));
        SOUK_MUST(rig_redeem(&shop, &two, 2, NULL, NULL, NULL));
        SOUK_CHECK_ERR(rig_redeem(&shop, &three, 3, NULL, NULL, NULL), SOUK_ECONFLICT);
        SOUK_CHECK(strstr(why_of(test, &shop, &three), "by this person"));
        three.hand.atoms = ann; /* they are not one after all */
        three.hand.atom_count = 1;
        SOUK_MUST(rig_redeem(&shop, &three, 3, NULL, NULL, NULL));
        SOUK_MUST(souk_coupons_verify(shop.ledger, NULL));
    }
}

SOUK_TEST("a void gives every coupon back, a return those whose class says so; once each")
{
    static const char keeps[] = "{\"title\":\"k\",\"on_return\":\"keep\",\"limits\":{\"all\":9}}";
    static const char gives[] = "{\"title\":\"g\",\"limits\":{\"store\":1}}";
    EACH_COUNTER(shop, .readers = 1)
    {
        uint64_t count;
        SOUK_MUST(put_class(&shop, "keeps", keeps));
        SOUK_MUST(put_class(&shop, "gives", gives));
        SOUK_MUST(issue_codes(&shop, "keeps", keeps, 1, 1, 0, SOUK_TIME_LAST));
        SOUK_MUST(issue_codes(&shop, "gives", gives, 2, 1, 0, SOUK_TIME_LAST));
        struct rig_coupon kept = coupon_of(1, NULL, 0, "A", RIG_DAY);
        struct rig_coupon given = coupon_of(2, NULL, 0, "A", RIG_DAY);
        SOUK_MUST(rig_redeem(&shop, &kept, 1, NULL, NULL, NULL));
        SOUK_MUST(rig_redeem(&shop, &given, 1, NULL, NULL, NULL));
        SOUK_MUST(rig_restore(&shop, 1, false, &count));
        SOUK_CHECK(count == 1);
        SOUK_MUST(rig_restore(&shop, 1, false, &count));
        SOUK_CHECK(count == 0);
        SOUK_CHECK_TEXT(souk_text_of(why_of(test, &shop, &given)), "good");
        SOUK_CHECK(strstr(why_of(test, &shop, &kept), "redeemed already"));
        SOUK_MUST(rig_restore(&shop, 1, true, &count));
        SOUK_CHECK(count == 1);
        SOUK_CHECK_TEXT(souk_text_of(why_of(test, &shop, &kept)), "good");
        souk_coupon_totals totals;
        SOUK_MUST(souk_coupons_total(shop.ledger, 1, SOUK_TEXT(""), &totals));
        SOUK_CHECK(totals.issued == 2 && totals.redeemed == 0 && totals.restored == 2);
        SOUK_MUST(souk_coupons_verify(shop.ledger, NULL));
    }
}

SOUK_TEST("verify notices a code or a counter that is not the number of redemptions")
{
    static const char json[] = "{\"title\":\"t\",\"kind\":\"multi\",\"uses\":5,\"limits\":{\"all\":"
                               "9,\"person\":3,\"person_day\":3,\"store\":9,\"day\":9}}";
    EACH_COUNTER(shop, .readers = 1)
    {
        struct rig_coupon coupon = coupon_of(1, ann, 1, "A", RIG_DAY);
        SOUK_MUST(put_class(&shop, "t", json));
        SOUK_MUST(issue_codes(&shop, "t", json, 1, 1, 0, SOUK_TIME_LAST));
        SOUK_MUST(rig_redeem(&shop, &coupon, 1, NULL, NULL, NULL));
        SOUK_MUST(souk_coupons_verify(shop.ledger, NULL));
        must_sql(test, &shop, "UPDATE coupon_code SET used = 2");
        SOUK_CHECK_ERR(souk_coupons_verify(shop.ledger, NULL), SOUK_ECORRUPT);
        must_sql(test, &shop, "UPDATE coupon_code SET used = 1");
        for (int i = 0; i < SOUK_COUPON_LIMIT_COUNT; i++) {
            char sql[100];
            souk_diag diag = {0};
            snprintf(sql, sizeof sql,
                     "UPDATE coupon_count SET used = used + 1 WHERE dimension = %d", i);
            must_sql(test, &shop, sql);
            SOUK_CHECK_ERR(souk_coupons_verify(shop.ledger, &diag), SOUK_ECORRUPT);
            SOUK_CHECK(strstr(diag.words, souk_coupon_limit_word((souk_coupon_limit)i)));
            snprintf(sql, sizeof sql,
                     "UPDATE coupon_count SET used = used - 1 WHERE dimension = %d", i);
            must_sql(test, &shop, sql);
        }
        SOUK_MUST(souk_coupons_verify(shop.ledger, NULL));
    }
}

/* ---- against a model --------------------------------------------------------------------------------------- */

enum { CODES = 12, USES = 400, PEOPLE = 4, STORES = 3, DAYS = 3 };
struct use {
    unsigned code, person, store, day;
    uint64_t receipt;
    bool undone;
};
struct model {
    struct use uses[USES];
    unsigned count;
};
static const char many[] = "{\"title\":\"m\",\"kind\":\"multi\",\"uses\":4,\"limits\":{\"all\":14,"
                           "\"person\":6,\"person_day\":3,\"store\":8,\"day\":9}}";

/* How many redemptions stand that are like this one in what the mask says: 1 code, 2 person, 4 store, 8 day. */
static unsigned like(const struct model *model, const struct use *use, unsigned mask)
{
    unsigned count = 0;
    for (unsigned i = 0; i < model->count; i++) {
        const struct use *other = &model->uses[i];
        count += !other->undone && (!(mask & 1) || other->code == use->code) &&
                 (!(mask & 2) || other->person == use->person) &&
                 (!(mask & 4) || other->store == use->store) &&
                 (!(mask & 8) || other->day == use->day);
    }
    return count;
}

static bool model_takes(struct model *model, const struct use *use)
{
    bool takes = like(model, use, 1) < 4 && like(model, use, 0) < 14 && like(model, use, 2) < 6 &&
                 like(model, use, 2 | 8) < 3 && like(model, use, 4) < 8 && like(model, use, 8) < 9;
    if (takes)
        model->uses[model->count++] = *use;
    return takes;
}

SOUK_TEST("random redemptions and returns equal a model that counts a list, at every commit")
{
    static const uint32_t people[PEOPLE] = {3, 5, 7, 11};
    static const char *const stores[STORES] = {"A", "B", "C"};
    EACH_COUNTER(shop, .readers = 1)
    {
        struct model model = {.count = 0};
        unsigned taken = 0, refused = 0;
        SOUK_MUST(put_class(&shop, "many", many));
        SOUK_MUST(issue_codes(&shop, "many", many, 0, CODES, 0, SOUK_TIME_LAST));
        for (uint64_t step = 1; step < 150; step++) {
            if (test_random(test, 4) == 0) {
                uint64_t count, receipt = test_random(test, step), expected = 0;
                SOUK_MUST(rig_restore(&shop, receipt, false, &count));
                for (unsigned i = 0; i < model.count; i++)
                    if (model.uses[i].receipt == receipt && !model.uses[i].undone) {
                        model.uses[i].undone = true;
                        expected++;
                    }
                SOUK_CHECK(count == expected);
                continue;
            }
            struct use use = {.code = (unsigned)test_random(test, CODES),
                              .person = (unsigned)test_random(test, PEOPLE),
                              .store = (unsigned)test_random(test, STORES),
                              .day = (unsigned)test_random(test, DAYS),
                              .receipt = step};
            struct rig_coupon coupon =
                coupon_of(use.code, &people[use.person], 1, stores[use.store], RIG_DAY + use.day);
            souk_err err = rig_redeem(&shop, &coupon, step, NULL, NULL, NULL);
            bool takes = model_takes(&model, &use);
            SOUK_CHECK(err == (takes ? SOUK_OK : SOUK_ECONFLICT));
            SOUK_CHECK(coupon.found.good == takes); /* the look had said it */
            taken += takes;
            refused += !takes;
            SOUK_MUST(souk_coupons_verify(shop.ledger, NULL));
        }
        SOUK_CHECK(taken > 10 && refused > 10);
    }
}

static souk_err story(struct shop *shop)
{
    uint64_t count;
    struct rig_coupon coupon = coupon_of(1, anns_two, 2, "A", RIG_DAY);
    SOUK_TRY(put_class(shop, "many", many));
    SOUK_TRY(issue_codes(shop, "many", many, 1, 1, 0, SOUK_TIME_LAST));
    SOUK_TRY(rig_redeem(shop, &coupon, 1, NULL, NULL, NULL));
    return rig_restore(shop, 1, true, &count);
}

SOUK_TEST("whatever allocation fails, a redemption is whole or absent")
{
    SOUK_FAULT_LOOP (test) {
        souk_disk *disk = NULL;
        struct shop shop = {.ledger = NULL};
        souk_err err = souk_disk_open_sim(souk_mem_heap(), 3, &disk);
        souk_ledger_options options = {.no_thread = true, .readers = 1};
        if (!err)
            err = souk_ledger_open_sqlite(test->mem, disk, "ledger", &options, &shop.ledger, NULL);
        if (!err)
            err = souk_coupons_migrate(shop.ledger, NULL);
        if (!err)
            err = souk_documents_migrate(shop.ledger, NULL);
        bool opened = !err;
        if (!err)
            err = story(&shop);
        if (opened && err)
            SOUK_MUST(souk_coupons_verify(shop.ledger, NULL)); /* the fault is over */
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        souk_ledger_free(shop.ledger);
        souk_disk_free(disk);
        test_fault_seen(test, err);
    }
}
