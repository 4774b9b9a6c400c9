/* loyalty.h - points, tiers, families and coupons as one service; docs/loyalty.md has it for whoever calls.
 *
 *     GET  /v1/loyalty/accounts/{kind}/{value}            balance, what expires next, tier, family
 *     GET  /v1/loyalty/accounts/{kind}/{value}/entries    what came and went
 *     POST /v1/loyalty/adjust                             by hand, with a reason
 *     GET, PUT, DELETE /v1/loyalty/programme              programme.h
 *     POST /v1/loyalty/preview                            what a basket would earn
 *     GET  /v1/loyalty/totals                             liability
 *     POST /v1/loyalty/families, …/{family}/invite, /accept, /leave
 *     GET, PUT, DELETE /v1/loyalty/coupons/{class}        coupon_class.h
 *     POST /v1/loyalty/coupons/{class}/codes, /revoke     issued: shown once
 *     POST /v1/loyalty/coupons/look, /redeem, /restore    outside a basket
 *
 * For the till (ports, plugged in by app/), within its own plan:
 *
 *     souk_loyalty_hand hand = {.merchant = merchant, .person = &person, .store = code, .day = day, .weekday = 2, .at = now};
 *     SOUK_TRY(souk_loyalty_code(loyalty, &hand, caller, code, arena, &found, diag));      its class opens offers: found->class.offer
 *     SOUK_TRY(souk_loyalty_look(loyalty, &hand, arena, &standing, diag));                  what she has, what it pays for
 *     SOUK_TRY(souk_loyalty_earning(standing, "EUR", lines, count, arena, &earning));       what the basket would earn
 *
 *     souk_loyalty_basket basket = {.standing = standing, .receipt = id, .burn = 500, .earning = &earning, .found = found, …};
 *     souk_loyalty_sell(loyalty, plan, &basket);                                            redeem, burn, earn: effects of the plan
 *     souk_loyalty_return(loyalty, plan, standing, &coming_back);                           give back, claw back, restore
 *
 * Merchant  an account, a programme and coupons are a merchant's; shoppers are the operator's, so a guest merchant has coupons
 *           without persons and no accounts
 * Person    she draws on the accounts of all her histories and on her family's pot; what she earns goes to the pot, or to the
 *           account she has, or to her first history
 * Threads   any; a thread of its own books what expired and looks at tiers, each minute */
#ifndef SOUK_SERVICE_LOYALTY_LOYALTY_H
#define SOUK_SERVICE_LOYALTY_LOYALTY_H

#include "core/service.h"
#include "service/loyalty/coupons.h"
#include "service/loyalty/family.h"
#include "service/loyalty/programme.h"

typedef struct souk_loyalty souk_loyalty;

typedef struct souk_loyalty_hand { /* who is where */
    uint32_t merchant;
    const souk_person *person; /* NULL: nobody known */
    souk_text store;           /* "": online */
    int64_t day;               /* of the store, since 1970 */
    unsigned weekday;          /* of that day: 0 Sunday */
    souk_time at;
} souk_loyalty_hand;

/* What somebody has at this moment; in the arena. */
typedef struct souk_loyalty_standing {
    souk_loyalty_hand hand;
    const souk_programme *programme;     /* NULL: the merchant has none, and nothing is earned */
    souk_purse purses[SOUK_PURSES_MOST]; /* [purse_count] that she draws on */
    size_t purse_count;                  /* 0: nobody known */
    souk_purse home;                     /* where what she earns goes */
    souk_family_member member;           /* family 0: of none */
    souk_points_balance balance;
    souk_standing tier;
    souk_text tier_name;
} souk_loyalty_standing;

/* SOUK_ETOOBIG: she has more than SOUK_PURSES_MOST accounts. */
SOUK_CHECKED souk_err souk_loyalty_look(souk_loyalty *loyalty, const souk_loyalty_hand *hand,
                                        souk_arena *arena,
                                        const souk_loyalty_standing **ret_standing,
                                        souk_diag *diag);
/* caller: a hash of who asks, 0: ourselves.  SOUK_ENOENT: no such code.  SOUK_EQUOTA: too many misses; *ret_wait_s. */
SOUK_CHECKED souk_err souk_loyalty_code(souk_loyalty *loyalty, const souk_loyalty_hand *hand,
                                        uint64_t caller, souk_text code, souk_arena *arena,
                                        souk_coupon_found **ret_found, uint32_t *ret_wait_s,
                                        souk_diag *diag);
/* What lines would earn; nothing where nobody is known, or in another currency than the programme's. */
SOUK_CHECKED souk_err souk_loyalty_earning(const souk_loyalty_standing *standing,
                                           const char currency[4], const souk_earn_line *lines,
                                           size_t line_count, souk_arena *arena,
                                           souk_programme_earning *ret_earning);

typedef struct souk_loyalty_basket {
    const souk_loyalty_standing *standing;
    souk_hash128 receipt;
    int64_t burn; /* points that pay for some of it; see souk_programme_burnable */
    const souk_programme_earning *earning; /* NULL: none */
    souk_coupon_found *const *found;       /* [found_count] */
    size_t found_count;
    /* Told, where the plan was done. */
    souk_points_act *burned, *earned; /* NULL: nothing was burnt, or earned */
} souk_loyalty_basket;
/* Adds what must happen to the plan; it lives in the plan's arena, whose failure stays with the plan. */
void souk_loyalty_sell(souk_plan *plan, souk_loyalty_basket *basket);

typedef struct souk_loyalty_back {
    souk_hash128 receipt;          /* of the sale */
    const souk_points_back *backs; /* [back_count] lines that come back */
    size_t back_count;
    int64_t give; /* points that paid for them and go back */
    bool coupons; /* its coupons are restored, as their classes say */
    bool
        is_void; /* all of it is as if it had never been: coupons too, whatever their classes say */
    /* Told. */
    souk_points_act *given, *clawed;
} souk_loyalty_back;
/* programme NULL: debts are not allowed, and lots live 14 days. */
void souk_loyalty_return(souk_plan *plan, const souk_programme *programme, souk_loyalty_back *back);

extern const souk_service souk_loyalty_service; /* its state is the souk_loyalty */

#endif
