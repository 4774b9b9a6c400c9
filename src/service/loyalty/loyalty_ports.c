/* loyalty_ports.c - what a till asks of points and coupons, and what it adds to its plan: see loyalty.h. */
#include "service/loyalty/loyalty_inside.h"

#include <stdio.h>

/* ---- who she is ---------------------------------------------------------------------------------------------- */

struct looking {
    souk_loyalty_standing *standing;
    bool too_many;
};

/* The accounts of her histories that there are. */
static souk_err find_purses(souk_tx *tx, struct looking *looking)
{
    souk_loyalty_standing *my = looking->standing;
    const souk_person *person = my->hand.person;
    my->purse_count = 0;
    for (uint32_t i = 0; i < person->atom_count; i++) {
        int64_t account;
        SOUK_TRY(
            souk_tiers_account(tx, my->hand.merchant, SOUK_PURSE_ATOM, person->atoms[i], &account));
        if (account && my->purse_count == SOUK_PURSES_MOST - 1) { /* a place for a pot is kept */
            looking->too_many = true;
            return SOUK_OK;
        }
        if (account)
            my->purses[my->purse_count++] = (souk_purse){SOUK_PURSE_ATOM, person->atoms[i]};
    }
    if (my->purse_count == 0 && person->atom_count)
        my->purses[my->purse_count++] = (souk_purse){SOUK_PURSE_ATOM, person->atoms[0]};
    my->home = my->purses[0];
    SOUK_TRY(souk_family_of(tx, my->hand.merchant, person->atoms, person->atom_count, &my->member));
    if (my->member.family) {
        my->home = (souk_purse){SOUK_PURSE_FAMILY, my->member.family};
        my->purses[my->purse_count++] = my->home;
    }
    return SOUK_OK;
}

/* The best of what her accounts have reached. */
static souk_err find_tier(souk_tx *tx, souk_loyalty_standing *my)
{
    my->tier = (souk_standing){0};
    for (size_t i = 0; i < my->purse_count; i++) {
        int64_t account;
        souk_standing tier;
        SOUK_TRY(souk_tiers_account(tx, my->hand.merchant, (int)my->purses[i].kind,
                                    my->purses[i].owner, &account));
        SOUK_TRY(souk_tiers_read(tx, &my->programme->tiers, account, my->hand.at, &tier));
        if (i == 0 || tier.level > my->tier.level ||
            (tier.level == my->tier.level && tier.counted > my->tier.counted))
            my->tier = tier;
    }
    my->tier_name =
        my->tier.level ? my->programme->tiers.levels[my->tier.level - 1].name : SOUK_TEXT("");
    return SOUK_OK;
}

static souk_err look(souk_tx *tx, void *context)
{
    struct looking *looking = context;
    souk_loyalty_standing *my = looking->standing;
    looking->too_many = false;
    SOUK_TRY(find_purses(tx, looking));
    if (looking->too_many)
        return SOUK_OK;
    SOUK_TRY(souk_points_read(tx, my->hand.merchant, my->purses, my->purse_count, my->hand.at,
                              &my->balance));
    return my->programme && my->programme->tiers.level_count ? find_tier(tx, my) : SOUK_OK;
}

souk_err souk_loyalty_look(souk_loyalty *loyalty, const souk_loyalty_hand *hand, souk_arena *arena,
                           const souk_loyalty_standing **ret_standing, souk_diag *diag)
{
    souk_diag unsaid = {0};
    souk_loyalty_standing *standing = souk_arena_get(arena, sizeof *standing);
    if (arena->failed)
        return SOUK_ENOMEM;
    *standing = (souk_loyalty_standing){.hand = *hand};
    souk_err err =
        souk_programme_load(loyalty->ledger, hand->merchant, arena, &standing->programme, &unsaid);
    if (err && err != SOUK_ENOENT)
        return err == SOUK_EINVAL || err == SOUK_ESYNTAX
                   ? souk_diag_say(diag, err, "the loyalty programme does not fit any more: %s",
                                   unsaid.words)
                   : err;
    if (hand->person) {
        struct looking looking = {.standing = standing};
        SOUK_TRY(souk_ledger_read(loyalty->ledger, look, &looking));
        if (looking.too_many)
            return souk_diag_say(diag, SOUK_ETOOBIG,
                                 "this person has %d accounts or more: too many to draw on",
                                 SOUK_PURSES_MOST);
    }
    *ret_standing = standing;
    return SOUK_OK;
}

/* ---- codes ----------------------------------------------------------------------------------------------------- */

souk_err souk_loyalty_code(souk_loyalty *loyalty, const souk_loyalty_hand *hand, uint64_t caller,
                           souk_text code, souk_arena *arena, souk_coupon_found **ret_found,
                           uint32_t *ret_wait_s, souk_diag *diag)
{
    souk_coupon_found *found = souk_arena_get(arena, sizeof *found);
    souk_coupon_hand coupon = {
        .merchant = hand->merchant, .store = hand->store, .day = hand->day, .at = hand->at};
    if (arena->failed)
        return SOUK_ENOMEM;
    if (hand->person) {
        coupon.atoms = hand->person->atoms;
        coupon.atom_count = hand->person->atom_count;
    }
    if (caller && !souk_guess_may(loyalty->guess, caller, hand->at, ret_wait_s))
        return souk_diag_say(diag, SOUK_EQUOTA, "too many codes were none: wait %u seconds",
                             *ret_wait_s);
    souk_err err =
        souk_coupon_look(loyalty->ledger, &loyalty->key, code, &coupon, arena, found, diag);
    __atomic_fetch_add(&loyalty->looked, 1, __ATOMIC_RELAXED);
    if (err == SOUK_ENOENT) {
        __atomic_fetch_add(&loyalty->missed, 1, __ATOMIC_RELAXED);
        if (caller)
            souk_guess_missed(loyalty->guess, caller, hand->at);
    }
    *ret_found = found;
    return err;
}

/* ---- selling ---------------------------------------------------------------------------------------------------- */

souk_err souk_loyalty_earning(const souk_loyalty_standing *standing, const char currency[4],
                              const souk_earn_line *lines, size_t line_count, souk_arena *arena,
                              souk_programme_earning *ret_earning)
{
    const souk_programme *programme = standing->programme;
    souk_earn_when when = {.at = standing->hand.at,
                           .weekday = standing->hand.weekday,
                           .store = standing->hand.store,
                           .tier = standing->tier_name};
    *ret_earning = (souk_programme_earning){0};
    if (!programme || strcmp(programme->currency, currency) != 0)
        return SOUK_OK;
    return souk_programme_preview(programme, lines, line_count, when, arena, ret_earning);
}

static souk_points_act *add_act(souk_plan *plan, const souk_points_act *act, int64_t points)
{
    souk_points_act *kept = souk_arena_get(plan->arena, sizeof *kept);
    char key[32];
    if (plan->arena->failed)
        return NULL;
    *kept = *act;
    int bytes =
        snprintf(key, sizeof key, "%lld", act->purse_count ? (long long)act->purses[0].owner : 0);
    souk_plan_add(plan, SOUK_EFFECT_POINTS, (souk_text){key, (size_t)bytes}, points, kept);
    return kept;
}

static void add_redemption(souk_plan *plan, const souk_loyalty_basket *basket,
                           const souk_coupon_found *found)
{
    const souk_loyalty_hand *hand = &basket->standing->hand;
    souk_coupon_act *act = souk_arena_get(plan->arena, sizeof *act);
    if (plan->arena->failed)
        return;
    *act = (souk_coupon_act){.kind = SOUK_COUPON_REDEEM,
                             .found = found,
                             .hand = {.merchant = hand->merchant,
                                      .store = hand->store,
                                      .day = hand->day,
                                      .at = plan->at},
                             .receipt = basket->receipt};
    if (hand->person) {
        act->hand.atoms = hand->person->atoms;
        act->hand.atom_count = hand->person->atom_count;
    }
    souk_plan_add(plan, SOUK_EFFECT_REDEEM, SOUK_COUPON_KEY(*found), 1, act);
}

void souk_loyalty_sell(souk_plan *plan, souk_loyalty_basket *basket)
{
    const souk_loyalty_standing *standing = basket->standing;
    const souk_programme_earning *earning = basket->earning;
    basket->burned = basket->earned = NULL;
    for (size_t i = 0; i < basket->found_count; i++)
        add_redemption(plan, basket, basket->found[i]);
    if (basket->burn)
        basket->burned = add_act(plan,
                                 &(souk_points_act){.kind = SOUK_POINTS_BURNED,
                                                    .purses = standing->purses,
                                                    .purse_count = standing->purse_count,
                                                    .receipt = basket->receipt,
                                                    .at = plan->at,
                                                    .member = standing->member.atom},
                                 basket->burn);
    if (earning && standing->purse_count && (earning->points || earning->spend_minor))
        basket->earned = add_act(
            plan,
            &(souk_points_act){.kind = SOUK_POINTS_EARNED,
                               .purses = &standing->home,
                               .purse_count = 1,
                               .receipt = basket->receipt,
                               .at = plan->at,
                               .expires = souk_programme_expires(standing->programme, plan->at),
                               .spend_minor = earning->spend_minor,
                               .tiers = &standing->programme->tiers,
                               .shares = earning->shares,
                               .share_count = earning->share_count},
            earning->points);
}

void souk_loyalty_return(souk_plan *plan, const souk_programme *programme, souk_loyalty_back *back)
{
    back->given = back->clawed = NULL;
    if (back->give)
        back->given = add_act(
            plan,
            &(souk_points_act){.kind = SOUK_POINTS_GIVEN,
                               .receipt = back->receipt,
                               .at = plan->at,
                               .grace_ms = programme ? programme->grace_ms : 14 * SOUK_DAY_MS},
            back->give);
    if (back->back_count)
        back->clawed =
            add_act(plan,
                    &(souk_points_act){.kind = SOUK_POINTS_CLAWED,
                                       .receipt = back->receipt,
                                       .at = plan->at,
                                       .backs = back->backs,
                                       .back_count = back->back_count,
                                       .debt_most = programme ? programme->debt_most : 0},
                    0);
    if (!back->coupons && !back->is_void)
        return;
    souk_coupon_act *act = souk_arena_get(plan->arena, sizeof *act);
    if (plan->arena->failed)
        return;
    *act = (souk_coupon_act){
        .kind = SOUK_COUPON_RESTORE, .receipt = back->receipt, .is_void = back->is_void};
    souk_plan_add(plan, SOUK_EFFECT_REDEEM,
                  (souk_text){(const char *)&back->receipt, sizeof back->receipt}, 1, act);
}
