/* hooks_fuzz.c - any bytes as the body of a Shopify or WooCommerce hook.
 *
 * Input: 1 byte that selects form and topic (modulo their number), then the body. */
#include "foreign_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const shopify[] = {
    "orders/create",          "orders/paid",      "orders/updated",
    "orders/cancelled",       "orders/edited",    "orders/delete",
    "orders/fulfilled",       "refunds/create",   "checkouts/create",
    "checkouts/update",       "carts/create",     "carts/update",
    "customers/create",       "customers/update", "customers/delete",
    "products/create",        "products/update",  "products/delete",
    "customers/data_request", "customers/redact", "shop/redact",
    "app/uninstalled",        "none/such"};
static const char *const woo[] = {"order.created",    "order.updated",    "order.restored",
                                  "order.deleted",    "customer.created", "customer.updated",
                                  "customer.deleted", "product.updated",  "product.deleted",
                                  "coupon.created",   "coupon.deleted",   "none.such"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t of_shopify = sizeof shopify / sizeof *shopify, of_woo = sizeof woo / sizeof *woo;
    if (size == 0)
        return 0;
    size_t choice = data[0] % (of_shopify + of_woo);
    souk_text body = {(const char *)data + 1, size - 1};
    if (choice < of_shopify)
        check_told(&souk_foreign_shopify, souk_text_of(shopify[choice]), body);
    else
        check_told(&souk_foreign_woo, souk_text_of(woo[choice - of_shopify]), body);
    return 0;
}
