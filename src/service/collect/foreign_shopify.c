/* foreign_shopify.c - the hooks of a Shopify shop as events: orders, refunds, checkouts, carts, customers, products,
 * and what the law wants of a shopper's data.
 *
 * The topic is X-Shopify-Topic, "orders/create"; docs/hooks.md tells what becomes of each.  An order counts once, by
 * orders/create; all later topics of it tell what changed and count nothing again.
 *
 * Who      the customer's e-mail and phone, and the customer's number as an open id "shopify:customer:17": it is Shopify's
 *          number and not the merchant's, so it is no userId.  Each event of an order carries "shopify:order:17" as
 *          anonymousId, so that a refund, which names nobody, is its customer's; carts and checkouts carry
 *          "shopify:cart:TOKEN"
 * Once     a fact is named by what the signature covers: the topic, its number and, where it may happen again, its
 *          updated_at and a print of the body.  Headers are not signed: whoever sends a body again under another
 *          X-Shopify-Event-Id says nothing new.  Only a body without any number is named by its delivery
 * Trials   an order of a shop in trial ("test":true) is a "Test Order Completed": it counts nowhere */
#include "service/collect/foreign_hook.h"

#include <stdio.h>

/* Members that are told under a name of docs/events.md, and those names themselves. */
static const char *const order_told[] = {"id",
                                         "order_id",
                                         "currency",
                                         "total_price",
                                         "total",
                                         "subtotal",
                                         "subtotal_price",
                                         "tax",
                                         "total_tax",
                                         "discount",
                                         "shipping",
                                         "coupon",
                                         "total_discounts",
                                         "cart_token",
                                         "cart_id",
                                         "store_id",
                                         "receipt_id",
                                         "line_items",
                                         "products",
                                         "products_left_out",
                                         "left_out",
                                         "left_out_more",
                                         "checkout_token",
                                         "location_id",
                                         "order_status_url",
                                         "shipping_set",
                                         NULL};

struct topic {
    const char *topic;
    souk_err (*tell)(struct hook *hook, const struct topic *topic);
    const char *event, *at; /* its name; the member that tells when */
    bool once;              /* happens once in the life of what it is about */
};

/* ---- whose, and which --------------------------------------------------------------------------------- */

/* "shopify/orders/paid/17", with when and a print where it may happen again. */
static souk_text name_of(const struct hook *hook, const struct topic *topic, souk_text id)
{
    souk_text parts[] = {SOUK_TEXT("shopify"), souk_text_of(topic->topic), id,
                         hook_at(hook, hook->root, "updated_at"), hook_print(hook)};
    if (id.bytes)
        return hook_name(hook, parts, topic->once ? 3 : 5);
    parts[2] = hook->message->message_id;
    return parts[2].bytes ? hook_name(hook, parts, 3) : SOUK_TEXT("");
}

static struct hook_who who_of(const struct hook *hook, souk_json_node of)
{
    souk_json_node customer = hook_member(hook, of, "customer");
    return (struct hook_who){
        .email = hook_or(hook_or(hook_at(hook, of, "email"), hook_at(hook, of, "contact_email")),
                         hook_at(hook, customer, "email")),
        .phone = hook_or(hook_at(hook, of, "phone"), hook_at(hook, customer, "phone")),
        .open = hook_join(hook, "shopify:customer:", hook_at(hook, customer, "id")),
    };
}

/* A cart's token may carry "?key=…", which is a secret of the shopper's browser. */
static souk_text cart_of(const struct hook *hook, souk_json_node of, const char *key)
{
    souk_text rest = hook_at(hook, of, key);
    return souk_text_cut(&rest, '?');
}

/* ---- money and products ----------------------------------------------------------------------------- */

static souk_text not_zero(souk_text money)
{
    souk_decimal amount = {0};
    return souk_decimal_read(money, &amount, NULL) == SOUK_OK && amount.micro ? money
                                                                              : SOUK_TEXT("");
}

static struct hook_line line_of(const struct hook *hook, souk_json_node item, souk_json_node amount)
{
    return (struct hook_line){
        .product_id = hook_at(hook, item, "product_id"),
        .variant_id = hook_at(hook, item, "variant_id"),
        .variant = hook_at(hook, item, "variant_title"),
        .sku = hook_at(hook, item, "sku"),
        .name = hook_or(hook_at(hook, item, "title"), hook_at(hook, item, "name")),
        .brand = hook_at(hook, item, "vendor"),
        .price = hook_at(hook, item, "price"),
        .quantity = hook_at(hook, amount, "quantity"),
        .discount = not_zero(hook_at(hook, item, "total_discount")),
        .line_id = hook_at(hook, item, "id"),
    };
}

/* The items of a list; `within`: the member of each that has the item, or NULL: it is the item. */
static void put_products(struct hook *hook, souk_json_node list, const char *within)
{
    souk_json_writer *out = hook->message->out;
    size_t put = 0, count = souk_json_count(&hook->doc, list);
    if (souk_json_type(&hook->doc, list) != SOUK_JSON_ARRAY)
        return;
    souk_json_put_array(out, "products");
    for (souk_json_node node = souk_json_first(&hook->doc, list); node != SOUK_JSON_NONE;
         node = souk_json_next(&hook->doc, node)) {
        souk_json_node item = within ? hook_member(hook, node, within) : node;
        struct hook_line line = line_of(hook, item, node);
        if (put == SOUK_EVENT_LINES || !hook_put_line(hook, &line))
            break;
        put++;
    }
    souk_json_write_end(out);
    if (put == count)
        return;
    souk_json_put_u64(out, "products_left_out", count - put);
}

static souk_text shipping_of(const struct hook *hook, souk_json_node order)
{
    souk_json_node set = hook_member(hook, order, "total_shipping_price_set");
    return hook_at(hook, hook_member(hook, set, "shop_money"), "amount");
}

static void put_money(struct hook *hook, souk_json_node of)
{
    souk_json_node codes = hook_member(hook, of, "discount_codes");
    hook_put(hook, "currency", hook_at(hook, of, "currency"));
    hook_put(hook, "total", hook_at(hook, of, "total_price"));
    hook_put(hook, "subtotal", hook_at(hook, of, "subtotal_price"));
    hook_put(hook, "tax", hook_at(hook, of, "total_tax"));
    hook_put(hook, "shipping", shipping_of(hook, of));
    hook_put(hook, "discount", hook_at(hook, of, "total_discounts"));
    hook_put(hook, "coupon", hook_at(hook, souk_json_first(&hook->doc, codes), "code"));
    put_products(hook, hook_member(hook, of, "line_items"), NULL);
}

static bool is_true(const struct hook *hook, souk_json_node object, const char *key)
{
    return souk_json_type(&hook->doc, hook_member(hook, object, key)) == SOUK_JSON_TRUE;
}

/* ---- orders ------------------------------------------------------------------------------------------ */

static souk_text event_name(const struct hook *hook, const char *name, bool is_test)
{
    return is_test ? hook_join(hook, "Test ", souk_text_of(name)) : souk_text_of(name);
}

static souk_err tell_order(struct hook *hook, const struct topic *topic)
{
    souk_json_node order = hook->root;
    souk_text id = hook_at(hook, order, "id"), at = hook_at(hook, order, topic->at);
    struct hook_who who = who_of(hook, order);
    bool is_till = souk_text_equal(hook_at(hook, order, "source_name"), SOUK_TEXT("pos"));
    const char *event = topic->event;
    if (id.bytes == 0 || hook_member(hook, order, "line_items") == SOUK_JSON_NONE)
        return hook_refuse(hook, "the order has no id or no line_items: send the body of an order");
    if (!strcmp(topic->at, "cancelled_at") && at.bytes == 0)
        return hook_refuse(hook, "cancelled_at is null: an order that is not cancelled is sent as "
                                 "orders/updated");
    if (is_till && !strcmp(event, "Order Completed"))
        event = "Receipt Issued";
    who.anonymous = hook_join(hook, "shopify:order:", id);
    hook_begin(hook, "track", event_name(hook, event, is_true(hook, order, "test")),
               name_of(hook, topic, id), hook_or(at, hook_at(hook, order, "created_at")));
    hook_who(hook, &who);
    hook_properties(hook, "properties");
    hook_put(hook, "order_id", id);
    hook_put(hook, "cart_id", cart_of(hook, order, "cart_token"));
    if (is_till) {
        hook_put(hook, "store_id", hook_at(hook, order, "location_id"));
        hook_put(hook, "receipt_id", hook_or(hook_at(hook, order, "name"), id));
    }
    put_money(hook, order);
    hook_rest(hook, order, order_told);
    hook_end(hook);
    return SOUK_OK;
}

/* {"order_edit":{"id":…,"order_id":…,"line_items":{"additions":[…],"removals":[…]}}} */
static souk_err tell_edit(struct hook *hook, const struct topic *topic)
{
    static const char *const told[] = {"order_id", "left_out", "left_out_more", NULL};
    souk_json_node edit = hook_member(hook, hook->root, "order_edit");
    souk_text order = hook_at(hook, edit, "order_id");
    if (order.bytes == 0)
        return hook_refuse(hook,
                           "order_edit.order_id is missing: send the body of an order's edit");
    struct hook_who who = {.anonymous = hook_join(hook, "shopify:order:", order)};
    hook_begin(hook, "track", souk_text_of(topic->event),
               name_of(hook, topic, hook_at(hook, edit, "id")), hook_at(hook, edit, topic->at));
    hook_who(hook, &who);
    hook_properties(hook, "properties");
    hook_put(hook, "order_id", order);
    hook_rest(hook, edit, told);
    hook_end(hook);
    return SOUK_OK;
}

/* {"id":17}: all that is left of it. */
static souk_err tell_deleted(struct hook *hook, const struct topic *topic)
{
    static const char *const told[] = {"id",       "order_id",      "product_id", "customer_id",
                                       "left_out", "left_out_more", NULL};
    souk_text id = hook_at(hook, hook->root, "id");
    struct hook_who who = {0};
    const char *key = "product_id";
    if (id.bytes == 0)
        return hook_refuse(hook, "id is missing: send the body as Shopify made it");
    if (topic->topic[0] == 'o') {
        key = "order_id";
        who.anonymous = hook_join(hook, "shopify:order:", id);
    } else if (topic->topic[0] == 'c') {
        key = "customer_id";
        who.open = hook_join(hook, "shopify:customer:", id);
    }
    hook_begin(hook, "track", souk_text_of(topic->event), name_of(hook, topic, id), SOUK_TEXT(""));
    hook_who(hook, &who);
    hook_properties(hook, "properties");
    hook_put(hook, key, id);
    hook_rest(hook, hook->root, told);
    hook_end(hook);
    return SOUK_OK;
}

/* ---- refunds ----------------------------------------------------------------------------------------- */

struct paid_back {
    souk_decimal total;
    souk_text currency; /* of the first payment; those in another one are not added up */
    bool is_test;
};

/* What was paid back, or is on its way: payments that failed were not. */
static souk_err add_payment(const struct hook *hook, souk_json_node payment, struct paid_back *sum)
{
    souk_text kind = hook_at(hook, payment, "kind"), status = hook_at(hook, payment, "status"),
              currency = hook_at(hook, payment, "currency");
    if ((kind.bytes && !souk_text_equal(kind, SOUK_TEXT("refund"))) ||
        souk_text_equal(status, SOUK_TEXT("failure")) ||
        souk_text_equal(status, SOUK_TEXT("error")))
        return SOUK_OK;
    if (sum->currency.bytes == 0)
        sum->currency = currency;
    if (!souk_text_equal(currency, sum->currency))
        return SOUK_OK;
    sum->is_test |= is_true(hook, payment, "test");
    return hook_add(hook, hook_at(hook, payment, "amount"), &sum->total);
}

static souk_err sum_refund(const struct hook *hook, struct paid_back *sum)
{
    souk_json_node payments = hook_member(hook, hook->root, "transactions"), node;
    for (node = souk_json_first(&hook->doc, payments); node != SOUK_JSON_NONE;
         node = souk_json_next(&hook->doc, node))
        SOUK_TRY(add_payment(hook, node, sum));
    return SOUK_OK;
}

static souk_err tell_refund(struct hook *hook, const struct topic *topic)
{
    static const char *const told[] = {"id",       "order_id", "refund_id",         "total",
                                       "currency", "products", "left_out",          "left_out_more",
                                       "reason",   "store_id", "products_left_out", NULL};
    souk_json_node refund = hook->root, lines = hook_member(hook, refund, "refund_line_items");
    souk_text id = hook_at(hook, refund, "id"), order = hook_at(hook, refund, "order_id");
    struct paid_back sum = {.currency = {"", 0}};
    if (id.bytes == 0 || order.bytes == 0)
        return hook_refuse(hook, "the refund has no id or no order_id: send the body of a refund");
    SOUK_TRY(sum_refund(hook, &sum));
    struct hook_who who = {.anonymous = hook_join(hook, "shopify:order:", order)};
    hook_begin(hook, "track", event_name(hook, topic->event, sum.is_test), name_of(hook, topic, id),
               hook_or(hook_at(hook, refund, "processed_at"), hook_at(hook, refund, topic->at)));
    hook_who(hook, &who);
    hook_properties(hook, "properties");
    hook_put(hook, "order_id", order);
    hook_put(hook, "refund_id", id);
    hook_put(hook, "currency", sum.currency);
    hook_put(hook, "total", hook_money(hook, sum.total));
    hook_put(hook, "reason", hook_at(hook, refund, "note"));
    put_products(hook, lines, "line_item");
    hook_rest(hook, refund, told);
    hook_end(hook);
    return SOUK_OK;
}

/* ---- carts and checkouts ----------------------------------------------------------------------------- */

static souk_err tell_cart(struct hook *hook, const struct topic *topic)
{
    static const char *const told[] = {
        "id",       "token",    "cart_id",       "line_items", "products", "products_left_out",
        "left_out", "currency", "left_out_more", NULL};
    souk_text cart = hook_or(cart_of(hook, hook->root, "token"), cart_of(hook, hook->root, "id"));
    if (cart.bytes == 0)
        return hook_refuse(hook, "the cart has no token: send the body of a cart");
    struct hook_who who = {.anonymous = hook_join(hook, "shopify:cart:", cart)};
    hook_begin(hook, "track", souk_text_of(topic->event), name_of(hook, topic, cart),
               hook_at(hook, hook->root, topic->at));
    hook_who(hook, &who);
    hook_properties(hook, "properties");
    hook_put(hook, "cart_id", cart);
    hook_put(hook, "currency", hook_at(hook, hook->root, "currency"));
    put_products(hook, hook_member(hook, hook->root, "line_items"), NULL);
    hook_rest(hook, hook->root, told);
    hook_end(hook);
    return SOUK_OK;
}

/* The link to an abandoned checkout opens it without signing in: it is not told. */
static souk_err tell_checkout(struct hook *hook, const struct topic *topic)
{
    static const char *const told[] = {"id",          "token",
                                       "checkout_id", "cart_token",
                                       "cart_id",     "currency",
                                       "total_price", "total",
                                       "subtotal",    "subtotal_price",
                                       "tax",         "total_tax",
                                       "discount",    "shipping",
                                       "coupon",      "total_discounts",
                                       "line_items",  "products",
                                       "left_out",    "products_left_out",
                                       "value",       "left_out_more",
                                       "store_id",    "abandoned_checkout_url",
                                       "revenue",     NULL};
    souk_json_node checkout = hook->root;
    souk_text id = hook_at(hook, checkout, "id"), cart = cart_of(hook, checkout, "cart_token");
    struct hook_who who = who_of(hook, checkout);
    if (id.bytes == 0)
        return hook_refuse(hook, "the checkout has no id: send the body of a checkout");
    who.anonymous = cart.bytes ? hook_join(hook, "shopify:cart:", cart)
                               : hook_join(hook, "shopify:checkout:", id);
    hook_begin(hook, "track", souk_text_of(topic->event), name_of(hook, topic, id),
               hook_at(hook, checkout, topic->at));
    hook_who(hook, &who);
    hook_properties(hook, "properties");
    hook_put(hook, "checkout_id", id);
    hook_put(hook, "cart_id", cart);
    put_money(hook, checkout);
    hook_rest(hook, checkout, told);
    hook_end(hook);
    return SOUK_OK;
}

/* ---- customers ----------------------------------------------------------------------------------------- */

static void put_address(struct hook *hook, souk_json_node address)
{
    souk_json_writer *out = hook->message->out;
    if (souk_json_type(&hook->doc, address) != SOUK_JSON_OBJECT)
        return;
    souk_json_put_object(out, "address");
    hook_put(hook, "street", hook_at(hook, address, "address1"));
    hook_put(hook, "city", hook_at(hook, address, "city"));
    hook_put(hook, "state", hook_at(hook, address, "province"));
    hook_put(hook, "postalCode", hook_at(hook, address, "zip"));
    hook_put(hook, "country", hook_at(hook, address, "country"));
    souk_json_write_end(out);
}

static souk_err tell_customer(struct hook *hook, const struct topic *topic)
{
    static const char *const told[] = {
        "email",    "phone",           "first_name", "firstName",     "last_name",
        "lastName", "address",         "createdAt",  "created_at",    "customer_id",
        "id",       "default_address", "left_out",   "left_out_more", NULL};
    souk_json_node customer = hook->root, home = hook_member(hook, customer, "default_address");
    souk_text id = hook_at(hook, customer, "id");
    if (id.bytes == 0)
        return hook_refuse(hook, "the customer has no id: send the body of a customer");
    struct hook_who who = {.email = hook_at(hook, customer, "email"),
                           .phone = hook_at(hook, customer, "phone"),
                           .open = hook_join(hook, "shopify:customer:", id)};
    hook_begin(hook, "identify", SOUK_TEXT(""), name_of(hook, topic, id),
               hook_at(hook, customer, topic->at));
    hook_who(hook, &who);
    hook_properties(hook, "traits");
    hook_put(hook, "email", who.email);
    hook_put(hook, "phone", who.phone);
    hook_put(hook, "firstName", hook_at(hook, customer, "first_name"));
    hook_put(hook, "lastName", hook_at(hook, customer, "last_name"));
    hook_put(hook, "createdAt", hook_at(hook, customer, "created_at"));
    hook_put(hook, "customer_id", id);
    put_address(hook, home);
    hook_rest(hook, customer, told);
    hook_end(hook);
    return SOUK_OK;
}

/* ---- products ------------------------------------------------------------------------------------------ */

static void put_variants(struct hook *hook, souk_json_node product)
{
    souk_json_writer *out = hook->message->out;
    souk_json_node variants = hook_member(hook, product, "variants"), node;
    size_t put = 0, count = souk_json_count(&hook->doc, variants);
    souk_json_put_array(out, "products");
    for (node = souk_json_first(&hook->doc, variants); node != SOUK_JSON_NONE;
         node = souk_json_next(&hook->doc, node)) {
        struct hook_line line = {.product_id = hook_at(hook, product, "id"),
                                 .variant_id = hook_at(hook, node, "id"),
                                 .variant = hook_at(hook, node, "title"),
                                 .sku = hook_at(hook, node, "sku"),
                                 .name = hook_at(hook, product, "title"),
                                 .brand = hook_at(hook, product, "vendor"),
                                 .category = hook_at(hook, product, "product_type"),
                                 .price = hook_at(hook, node, "price")};
        if (put == SOUK_EVENT_LINES || !hook_put_line(hook, &line))
            break;
        put++;
    }
    souk_json_write_end(out);
    if (put == count)
        return;
    souk_json_put_u64(out, "products_left_out", count - put);
}

static souk_err tell_product(struct hook *hook, const struct topic *topic)
{
    static const char *const told[] = {
        "id",           "product_id", "title",    "name",     "vendor",        "brand",
        "product_type", "category",   "variants", "products", "left_out_more", "products_left_out",
        "left_out",     NULL};
    souk_json_node product = hook->root;
    souk_text id = hook_at(hook, product, "id");
    struct hook_who nobody = {0};
    if (id.bytes == 0)
        return hook_refuse(hook, "the product has no id: send the body of a product");
    hook_begin(hook, "track", souk_text_of(topic->event), name_of(hook, topic, id),
               hook_at(hook, product, topic->at));
    hook_who(hook, &nobody);
    hook_properties(hook, "properties");
    hook_put(hook, "product_id", id);
    hook_put(hook, "name", hook_at(hook, product, "title"));
    hook_put(hook, "brand", hook_at(hook, product, "vendor"));
    hook_put(hook, "category", hook_at(hook, product, "product_type"));
    put_variants(hook, product);
    hook_rest(hook, product, told);
    hook_end(hook);
    return SOUK_OK;
}

/* ---- what the law wants ---------------------------------------------------------------------------------- */

/* Nothing is erased by a hook: a person of the shop's decides, and the request stands on the shopper's timeline until
 * then. */
static souk_err tell_request(struct hook *hook, const struct topic *topic)
{
    static const char *const told[] = {"words", "left_out", "left_out_more", NULL};
    static const char *const words[] = {
        "Shopify asks for all that is kept about this customer: answer within 30 days, with the "
        "profile and the timeline",
        "Shopify asks to erase this customer: check whether a law keeps the receipts, then erase "
        "the shopper within 30 days",
        "Shopify asks to erase this shop's customers, the app was uninstalled 48 hours ago: "
        "revoke the hook, then erase what belongs to it"};
    souk_json_node request = hook->root;
    bool is_shop = topic->topic[0] == 's', is_data = !strcmp(topic->event, "Data Requested");
    struct hook_who who = who_of(hook, request);
    souk_text customer = hook_at(hook, hook_member(hook, request, "customer"), "id"),
              id = hook_or(hook_at(hook, hook_member(hook, request, "data_request"), "id"),
                           is_shop ? hook_at(hook, request, "shop_id") : customer);
    if (id.bytes == 0)
        return hook_refuse(hook, "the request names no customer: send it as Shopify made it");
    hook_begin(hook, "track", souk_text_of(topic->event), name_of(hook, topic, id), SOUK_TEXT(""));
    hook_who(hook, &who);
    hook_properties(hook, "properties");
    hook_put(hook, "words", souk_text_of(words[is_data ? 0 : is_shop ? 2 : 1]));
    hook_rest(hook, request, told);
    hook_end(hook);
    return SOUK_OK;
}

/* ---- the topics -------------------------------------------------------------------------------------------- */

static const struct topic topics[] = {
    {"orders/create", tell_order, "Order Completed", "processed_at", true},
    {"orders/paid", tell_order, "Order Paid", "updated_at", false},
    {"orders/updated", tell_order, "Order Updated", "updated_at", false},
    {"orders/cancelled", tell_order, "Order Cancelled", "cancelled_at", true},
    {"orders/fulfilled", tell_order, "Order Fulfilled", "updated_at", false},
    {"orders/partially_fulfilled", tell_order, "Order Partially Fulfilled", "updated_at", false},
    {"orders/edited", tell_edit, "Order Updated", "created_at", true},
    {"orders/delete", tell_deleted, "Order Deleted", "", true},
    {"refunds/create", tell_refund, "Order Refunded", "created_at", true},
    {"checkouts/create", tell_checkout, "Checkout Started", "created_at", true},
    {"checkouts/update", tell_checkout, "Checkout Updated", "updated_at", false},
    {"carts/create", tell_cart, "Cart Created", "created_at", true},
    {"carts/update", tell_cart, "Cart Updated", "updated_at", false},
    {"customers/create", tell_customer, NULL, "created_at", true},
    {"customers/update", tell_customer, NULL, "updated_at", false},
    {"customers/delete", tell_deleted, "Customer Deleted", "", true},
    {"products/create", tell_product, "Product Created", "created_at", true},
    {"products/update", tell_product, "Product Updated", "updated_at", false},
    {"products/delete", tell_deleted, "Product Deleted", "", true},
    {"customers/data_request", tell_request, "Data Requested", "", false},
    {"customers/redact", tell_request, "Erasure Requested", "", false},
    {"shop/redact", tell_request, "Erasure Requested", "", false},
};

static souk_err tell_topic(struct hook *hook)
{
    souk_text told = hook->message->topic;
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        if (souk_text_equal(told, souk_text_of(topics[i].topic)))
            return topics[i].tell(hook, &topics[i]);
    return souk_diag_say(hook->message->diag, SOUK_EINVAL,
                         "the topic '%.*s' is none that is read here: take it off the hook, see "
                         "docs/hooks.md",
                         (int)souk_min_size(told.bytes, 60), told.at ? told.at : "");
}

static souk_err tell(const souk_foreign *message)
{
    struct hook hook;
    if (souk_text_equal(message->topic, SOUK_TEXT("app/uninstalled")))
        return SOUK_OK; /* of the app, not of the shop */
    souk_err err = hook_open(&hook, message, "Shopify");
    if (!err)
        err = tell_topic(&hook);
    hook_close(&hook);
    return err ? err : message->arena->failed ? SOUK_ENOMEM : SOUK_OK;
}

const souk_foreign_form souk_foreign_shopify = {.name = "shopify", .tell = tell};
