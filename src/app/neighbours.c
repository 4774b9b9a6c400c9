/* neighbours.c - services that need one another, plugged together: none of them knows the other's name. */
#include "app/app.h"
#include "service/checkout/checkout.h"
#include "service/loyalty/loyalty.h"
#include "service/stock/stock.h"

/* What a till sells it has in its hand: it leaves whatever the level says. */
static void add(souk_plan *plan, const souk_till_goods *goods, souk_stock_verb verb)
{
    souk_stock_deed *deed = souk_arena_get(plan->arena, sizeof *deed);
    souk_text key = souk_stock_key(plan->arena, goods->location, goods->product);
    if (plan->arena->failed)
        return;
    *deed = (souk_stock_deed){.verb = verb, .reference = goods->reference, .lot = goods->lot};
    souk_plan_add(plan, SOUK_EFFECT_STOCK, key, goods->quantity.micro, deed);
}

static void sell(void *stock, souk_plan *plan, const souk_till_goods *goods)
{
    (void)stock; /* the owner of the effect knows it */
    add(plan, goods, SOUK_STOCK_SELL);
}

static void bring_back(void *stock, souk_plan *plan, const souk_till_goods *goods, bool is_void)
{
    (void)stock;
    add(plan, goods, is_void ? SOUK_STOCK_VOID : SOUK_STOCK_RETURN);
}

/* ---- the till and loyalty -------------------------------------------------------------------------------- */

struct visit {
    const souk_loyalty_standing *standing;
    souk_coupon_found **found; /* [code_count]; NULL: no such code */
    const souk_text *codes;
    size_t code_count;
    souk_programme_earning earning;
    souk_points_act *earned, *burned;
    souk_loyalty_basket basket; /* of the sale */
};

static souk_err look_codes(souk_loyalty *loyalty, const souk_loyalty_hand *hand,
                           const souk_till_member *member, souk_arena *arena, struct visit *visit,
                           souk_diag *diag)
{
    visit->found = souk_arena_get(arena, (member->code_count + 1) * sizeof *visit->found);
    visit->codes =
        souk_arena_copy(arena, member->codes, member->code_count * sizeof *member->codes);
    visit->code_count = member->code_count;
    if (arena->failed)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < member->code_count; i++) {
        uint32_t wait_s = 0;
        souk_err err = souk_loyalty_code(loyalty, hand, member->caller, member->codes[i], arena,
                                         &visit->found[i], &wait_s, diag);
        if (err == SOUK_ENOENT)
            visit->found[i] = NULL;
        else
            SOUK_TRY(err);
    }
    return SOUK_OK;
}

static souk_err enter(void *loyalty, const souk_till_member *member, souk_arena *arena,
                      void **ret_visit, souk_diag *diag)
{
    struct visit *visit = souk_arena_get(arena, sizeof *visit);
    souk_loyalty_hand hand = {.merchant = member->merchant,
                              .person = member->person,
                              .store = member->store,
                              .day = member->day,
                              .weekday = (member->weekday + 1) % 7, /* 0: Sunday there */
                              .at = member->at};
    if (arena->failed)
        return SOUK_ENOMEM;
    SOUK_TRY(souk_loyalty_look(loyalty, &hand, arena, &visit->standing, diag));
    SOUK_TRY(look_codes(loyalty, &hand, member, arena, visit, diag));
    *ret_visit = visit;
    return SOUK_OK;
}

static souk_text opens(void *of, size_t code)
{
    const struct visit *visit = of;
    const souk_coupon_found *found = visit->found[code];
    return found && found->good ? found->class.offer : SOUK_TEXT("");
}

static uint32_t tier(void *of)
{
    const struct visit *visit = of;
    return (uint32_t)visit->standing->tier.level;
}

static souk_err earn(void *of, const char currency[4], const souk_earn_line *lines, size_t count,
                     souk_arena *arena, souk_diag *diag)
{
    struct visit *visit = of;
    if (!visit->standing->hand.person)
        return SOUK_OK;
    souk_err err =
        souk_loyalty_earning(visit->standing, currency, lines, count, arena, &visit->earning);
    return err && err != SOUK_ENOMEM ? souk_diag_say(diag, err, "points: %s", souk_err_words(err))
                                     : err;
}

static souk_err worth(void *of, int64_t points, const char currency[4], int64_t *ret_minor,
                      souk_diag *diag)
{
    const struct visit *visit = of;
    const souk_programme *programme = visit->standing->programme;
    if (!programme || strcmp(programme->currency, currency) != 0)
        return souk_diag_say(diag, SOUK_EINVAL, "points pay for nothing in %s here", currency);
    SOUK_TRY(souk_programme_burnable(programme, points, diag));
    *ret_minor = souk_programme_worth(programme, points);
    return SOUK_OK;
}

static void leave(void *of, souk_plan *plan, souk_hash128 receipt, int64_t burn, const bool *used)
{
    struct visit *visit = of;
    souk_coupon_found **found =
        souk_arena_get(plan->arena, (visit->code_count + 1) * sizeof *found);
    if (plan->arena->failed)
        return; /* it stays with the plan */
    visit->basket = (souk_loyalty_basket){
        .standing = visit->standing,
        .receipt = receipt,
        .burn = burn,
        .earning = visit->standing->purse_count && visit->earning.points ? &visit->earning : NULL,
        .found = found};
    for (size_t i = 0; i < visit->code_count; i++)
        if (used[i])
            found[visit->basket.found_count++] = visit->found[i];
    souk_loyalty_sell(plan, &visit->basket);
}

static void write(void *of, souk_json_writer *json, const bool *used)
{
    const struct visit *visit = of;
    if (visit->standing->hand.person && visit->standing->programme) {
        souk_json_put_object(json, "points");
        souk_json_write_key(json, SOUK_TEXT("earns"));
        souk_json_write_i64(json, visit->earning.points);
        souk_json_write_key(json, SOUK_TEXT("before"));
        souk_json_write_i64(json, visit->standing->balance.points);
        souk_json_write_end(json);
    }
    if (visit->code_count == 0)
        return;
    souk_json_put_array(json, "coupons");
    for (size_t i = 0; i < visit->code_count; i++) {
        const souk_coupon_found *found = visit->found[i];
        souk_json_write_object(json);
        souk_json_put_bool(json, "used", used[i]);
        if (found)
            souk_json_put_text(json, "class", found->class.name);
        if (!found)
            souk_json_put_words(json, "why", "there is no such code");
        else if (!found->good)
            souk_json_put_words(json, "why", found->why);
        else if (!used[i])
            souk_json_put_words(json, "why", "no offer that asks for it holds for this basket");
        souk_json_write_end(json);
    }
    souk_json_write_end(json);
}

static souk_err undo(void *loyalty, souk_plan *plan, souk_hash128 sale, const souk_till_back *backs,
                     size_t count, bool is_void, souk_diag *diag)
{
    const souk_loyalty_standing *standing;
    souk_loyalty_hand hand = {.merchant = plan->merchant, .at = plan->at};
    SOUK_TRY(souk_loyalty_look(loyalty, &hand, plan->arena, &standing, diag));
    souk_loyalty_back *back = souk_arena_get(plan->arena, sizeof *back);
    souk_points_back *lines = souk_arena_get(plan->arena, (count + 1) * sizeof *lines);
    if (plan->arena->failed)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < count; i++)
        lines[i] = (souk_points_back){backs[i].line, backs[i].quantity, backs[i].sold};
    *back = (souk_loyalty_back){
        .receipt = sale, .backs = lines, .back_count = count, .coupons = true, .is_void = is_void};
    souk_loyalty_return(plan, standing->programme, back);
    return SOUK_OK;
}

void app_plug_neighbours(souk_api *api)
{
    const souk_till_ports ports = {.stock = souk_api_state(api, &souk_stock_service),
                                   .sell = sell,
                                   .bring_back = bring_back,
                                   .loyalty = souk_api_state(api, &souk_loyalty_service),
                                   .enter = enter,
                                   .opens = opens,
                                   .tier = tier,
                                   .earn = earn,
                                   .worth = worth,
                                   .leave = leave,
                                   .write = write,
                                   .undo = undo};
    souk_checkout_plug(souk_api_state(api, &souk_checkout_service), &ports);
}
