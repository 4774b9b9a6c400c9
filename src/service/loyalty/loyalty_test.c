/* loyalty_test.c - what a till does through the ports: a basket with a coupon and points, and its return. */
#include "test/test.h"

#include "store/ledger_shop.h"

#include "service/loyalty/coupons_rig.h"
#include "service/loyalty/loyalty_inside.h"

static const char club[] =
    "{\"currency\":\"EUR\",\"earn\":{\"points\":1,\"per\":\"1.00\"},\"expire\":{\"days\":30},"
    "\"worth\":{\"points\":100,\"amount\":\"1.00\"},\"returns\":{\"debt\":50},"
    "\"tiers\":{\"levels\":[{\"name\":\"silver\",\"from\":\"100.00\",\"multiply\":2}]}}";
static const char tea[] = "{\"title\":\"tea\",\"limits\":{\"person\":1}}";

static const souk_effect_owners owners = {
    .of = {[SOUK_EFFECT_POINTS] = {souk_points_apply, NULL},
           [SOUK_EFFECT_REDEEM] = {souk_coupons_apply, NULL}}};

struct till {
    souk_test *test;
    souk_loyalty loyalty;
    souk_arena arena;
    souk_person person;
    souk_loyalty_hand hand;
    const souk_loyalty_standing *standing;
};

static void open_till(souk_test *test, struct shop *shop, struct till *till)
{
    souk_document programme = {SOUK_TEXT("loyalty"), RIG_SHOP, SOUK_TEXT("programme"),
                               souk_text_of(club), 0};
    uint64_t version;
    memset(till, 0, sizeof *till);
    till->test = test;
    till->loyalty = (souk_loyalty){.mem = test->mem, .ledger = shop->ledger, .key = rig_key};
    till->arena.mem = test->mem;
    till->person = (souk_person){.shopper = 1, .atom_count = 2, .atoms = {7, 12}};
    till->hand = (souk_loyalty_hand){.merchant = RIG_SHOP,
                                     .person = &till->person,
                                     .store = SOUK_TEXT("SH-014"),
                                     .day = RIG_DAY,
                                     .at = RIG_AT};
    SOUK_MUST(souk_guess_new(test->mem, &till->loyalty.guess));
    SOUK_MUST(souk_documents_migrate(shop->ledger, NULL));
    SOUK_MUST(souk_points_migrate(shop->ledger, NULL));
    SOUK_MUST(souk_tiers_migrate(shop->ledger, NULL));
    SOUK_MUST(souk_family_migrate(shop->ledger, NULL));
    SOUK_MUST(souk_coupons_migrate(shop->ledger, NULL));
    SOUK_MUST(souk_documents_put(shop->ledger, &programme, 0, RIG_AT, &version));
    SOUK_MUST(put_class(shop, "tea", tea));
    SOUK_MUST(issue_codes(shop, "tea", tea, 1, 3, 0, SOUK_TIME_LAST));
}

static void close_till(struct till *till)
{
    souk_guess_free(till->loyalty.guess);
    souk_arena_done(&till->arena);
}

static souk_points_balance look(struct till *till)
{
    souk_test *test = till->test;
    SOUK_MUST(souk_loyalty_look(&till->loyalty, &till->hand, &till->arena, &till->standing, NULL));
    return till->standing->balance;
}

static souk_coupon_found *code(struct till *till, uint64_t number)
{
    souk_test *test = till->test;
    struct rig_coupon coupon = coupon_of(number, NULL, 0, "", RIG_DAY);
    souk_coupon_found *found;
    uint32_t wait_s;
    SOUK_MUST(souk_loyalty_code(&till->loyalty, &till->hand, 7, souk_text_of(coupon.code),
                                &till->arena, &found, &wait_s, NULL));
    return found;
}

static souk_plan plan_of(struct till *till)
{
    return (souk_plan){.arena = &till->arena, .merchant = RIG_SHOP, .at = till->hand.at};
}

/* Sells for the amount, with a code (0: none), burning so many points. */
static souk_err sell(struct till *till, uint64_t receipt, int64_t minor, uint64_t number,
                     int64_t burn, souk_loyalty_basket *ret_basket)
{
    souk_test *test = till->test;
    souk_earn_line line = {SOUK_TEXT("kettle"), NULL, 0, minor};
    souk_programme_earning earning;
    look(till);
    SOUK_MUST(souk_loyalty_earning(till->standing, "EUR", &line, 1, &till->arena, &earning));
    souk_coupon_found *found = number ? code(till, number) : NULL;
    *ret_basket = (souk_loyalty_basket){.standing = till->standing,
                                        .receipt = {receipt, 5},
                                        .burn = burn,
                                        .earning = &earning,
                                        .found = &found,
                                        .found_count = number != 0};
    souk_plan plan = plan_of(till);
    souk_loyalty_sell(&plan, ret_basket);
    return souk_plan_run(till->loyalty.ledger, &owners, &plan);
}

SOUK_TEST("a basket redeems, burns and earns in one plan, and its return brings all of it back")
{
    EACH_SHOP(shop, .readers = 2)
    {
        struct till till;
        souk_loyalty_basket basket;
        open_till(test, &shop, &till);
        SOUK_MUST(sell(&till, 1, 9900, 0, 0, &basket));
        SOUK_CHECK(basket.earned->points == 99 && !basket.burned);
        SOUK_CHECK(look(&till).points == 99 && till.standing->tier.level == 0);
        SOUK_CHECK(till.standing->tier.missing == 100);
        SOUK_MUST(sell(&till, 2, 1000, 1, 60, &basket)); /* now she is silver */
        SOUK_CHECK(basket.earned->points == 10 && basket.burned->points == -60);
        SOUK_CHECK(basket.earned->standing.level == 1);
        SOUK_CHECK(look(&till).points == 49);
        SOUK_CHECK_TEXT(till.standing->tier_name, "silver");
        souk_coupon_found *used = code(&till, 1), *other = code(&till, 2);
        SOUK_CHECK(!used->good && !other->good); /* one for each person */

        souk_points_back line = {1, {1000000}, {1000000}};
        souk_loyalty_back back = {
            .receipt = {2, 5}, .backs = &line, .back_count = 1, .give = 60, .coupons = true};
        souk_plan plan = plan_of(&till);
        souk_loyalty_return(&plan, till.standing->programme, &back);
        SOUK_MUST(souk_plan_run(shop.ledger, &owners, &plan));
        SOUK_CHECK(back.given->points == 60 && back.clawed->points == -10);
        SOUK_CHECK(look(&till).points == 99 && till.standing->tier.level == 1);
        SOUK_CHECK(code(&till, 1)->good);
        SOUK_MUST(sell(&till, 3, 1000, 0, 0, &basket));
        SOUK_CHECK(basket.earned->points == 20); /* twice as silver */
        SOUK_MUST(souk_points_verify(shop.ledger, NULL));
        SOUK_MUST(souk_coupons_verify(shop.ledger, NULL));
        close_till(&till);
    }
}

SOUK_TEST("what one part of a basket refuses leaves nothing of the others")
{
    EACH_SHOP(shop, .readers = 2)
    {
        struct till till;
        souk_loyalty_basket basket;
        open_till(test, &shop, &till);
        SOUK_MUST(sell(&till, 1, 5000, 0, 0, &basket));
        SOUK_CHECK_ERR(sell(&till, 2, 1000, 1, 51, &basket), SOUK_ECONFLICT);
        SOUK_CHECK(look(&till).points == 50 && code(&till, 1)->good);
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM coupon_use") == 0);
        SOUK_CHECK(ask(test, &shop, "SELECT count(*) FROM loyalty_entry") == 1);
        close_till(&till);
    }
}

SOUK_TEST("a merged person draws on both accounts, a member on the pot as well")
{
    EACH_SHOP(shop, .readers = 2)
    {
        struct till till;
        souk_loyalty_basket basket;
        souk_person ann = {.shopper = 1, .atom_count = 1, .atoms = {7}};
        souk_person anns_other = {.shopper = 2, .atom_count = 1, .atoms = {12}};
        open_till(test, &shop, &till);
        till.hand.person = &ann;
        SOUK_MUST(sell(&till, 1, 3000, 0, 0, &basket));
        till.hand.person = &anns_other;
        SOUK_MUST(sell(&till, 2, 2000, 0, 0, &basket));
        SOUK_CHECK_ERR(sell(&till, 3, 100, 0, 40, &basket), SOUK_ECONFLICT);
        till.hand.person = &till.person;
        SOUK_CHECK(look(&till).points == 50 && till.standing->purse_count == 2);
        SOUK_MUST(sell(&till, 3, 100, 0, 40, &basket));
        till.hand.person = &ann;
        SOUK_CHECK(look(&till).points == 1); /* hers were the older ones; she earned one */
        till.hand.person = &anns_other;
        SOUK_CHECK(look(&till).points == 10);
        SOUK_MUST(souk_points_verify(shop.ledger, NULL));
        close_till(&till);
    }
}

SOUK_TEST("who guesses codes is stopped by the port, the shop itself is not")
{
    EACH_SHOP(shop, .readers = 2)
    {
        struct till till;
        souk_coupon_found *found;
        uint32_t wait_s = 0;
        souk_text none = SOUK_TEXT("NONE");
        open_till(test, &shop, &till);
        for (int i = 0; i < SOUK_GUESS_MISSES; i++)
            SOUK_CHECK_ERR(souk_loyalty_code(&till.loyalty, &till.hand, 9, none, &till.arena,
                                             &found, &wait_s, NULL),
                           SOUK_ENOENT);
        SOUK_CHECK_ERR(souk_loyalty_code(&till.loyalty, &till.hand, 9, none, &till.arena, &found,
                                         &wait_s, NULL),
                       SOUK_EQUOTA);
        SOUK_CHECK(wait_s == SOUK_GUESS_PACE_S);
        SOUK_CHECK_ERR(souk_loyalty_code(&till.loyalty, &till.hand, 0, none, &till.arena, &found,
                                         &wait_s, NULL),
                       SOUK_ENOENT);
        close_till(&till);
    }
}
