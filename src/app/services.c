/* services.c - the only list of services, and where neighbours meet. */
#include "app/app.h"
#include "serve/admin.h"
#include "serve/mqtt.h"
#include "serve/products.h"
#include "serve/shop.h"
#include "serve/stores.h"
#include "serve/stream.h"
#include "serve/upkeep.h"
#include "serve/webhooks.h"
#include "service/checkout/checkout.h"
#include "service/collect/hooks.h"
#include "service/collect/segment.h"
#include "service/loyalty/loyalty.h"
#include "service/stock/stock.h"

/* One a line: each is switched on by its own. */
/* clang-format off */
const souk_service *const app_services[] = {
    &souk_shop_service,
    &souk_products_service,
    &souk_stores_service,
    &souk_stream_service,
    &souk_admin_service,
    &souk_upkeep_service,
    &souk_collect_service,
    &souk_hooks_service,
    &souk_mqtt_service,
    &souk_webhooks_service,
    &souk_stock_service,
    &souk_loyalty_service,
    &souk_checkout_service,
};
/* clang-format on */
const size_t app_service_count = sizeof app_services / sizeof *app_services;

/* ---- the till and the shelf: what is sold leaves the stock --------------------------------------------------- */

static void plan_goods(souk_plan *plan, const souk_till_goods *goods, souk_stock_verb verb)
{
    souk_stock_deed *deed = souk_arena_get(plan->arena, sizeof *deed);
    souk_text lot = {souk_arena_copy(plan->arena, goods->lot.at, goods->lot.bytes),
                     goods->lot.bytes};
    if (plan->arena->failed)
        return; /* it stays with the plan */
    *deed = (souk_stock_deed){.verb = verb, .reference = goods->reference, .lot = lot};
    souk_plan_add(plan, SOUK_EFFECT_STOCK,
                  souk_stock_key(plan->arena, goods->location, goods->product),
                  goods->quantity.micro, deed);
}

static void sell(void *stock, souk_plan *plan, const souk_till_goods *goods)
{
    (void)stock;
    plan_goods(plan, goods, SOUK_STOCK_SELL);
}

static void bring_back(void *stock, souk_plan *plan, const souk_till_goods *goods, bool is_void)
{
    (void)stock;
    plan_goods(plan, goods, is_void ? SOUK_STOCK_VOID : SOUK_STOCK_RETURN);
}

void app_plug(souk_api *api)
{
    souk_till_ports till = {.sell = sell, .bring_back = bring_back};
    souk_checkout_plug(souk_api_state(api, &souk_checkout_service), &till);
}
