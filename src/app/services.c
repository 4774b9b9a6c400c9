/* services.c - the only list of services. */
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
