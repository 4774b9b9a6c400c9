/* neighbours.c - services that need one another, plugged together: none of them knows the other's name. */
#include "app/app.h"
#include "service/checkout/checkout.h"
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

void app_plug_neighbours(souk_api *api)
{
    const souk_till_ports ports = {
        .stock = souk_api_state(api, &souk_stock_service), .sell = sell, .bring_back = bring_back};
    souk_checkout_plug(souk_api_state(api, &souk_checkout_service), &ports);
}
