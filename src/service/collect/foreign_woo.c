/* foreign_woo.c - the hooks of a WooCommerce shop as events: orders, customers, products, coupons.
 *
 * The topic is X-WC-Webhook-Topic, "order.updated"; docs/hooks.md tells what becomes of each.  WooCommerce sends an order
 * whole each time it changes, so each delivery tells all that it shows: that the order is placed and paid (once in the
 * order's life), that it was cancelled (once), each of its refunds (once), and what changed.
 *
 *     status                         told
 *     pending, on-hold, failed …     order.created "Order Created", order.updated "Order Updated"
 *     processing, completed          "Order Completed" once, and order.updated "Order Updated"
 *     any, with date_paid            the same
 *     cancelled                      "Order Cancelled" once, and the above
 *     refunded, or with refunds      "Order Refunded" once for each refund, and the above
 *
 * Who      billing.email and billing.phone; the customer's number as an open id "woo:shop.example:customer:17", since
 *          17 is somebody else in every other shop: without the shop's address (_links) it is none.  Each event of an
 *          order carries "woo:shop.example:order:17" as anonymousId
 * Once     named by the shop's address, the order's number and what happened; where it may happen again by a print of
 *          the body, too.  X-WC-Webhook-Delivery-ID is not signed and names nothing
 * Ping     the form text "webhook_id=7" that WooCommerce sends to try an address is nothing */
#include "service/collect/foreign_hook.h"

struct woo {
    struct hook hook;
    souk_text site, id; /* "shop.example"; of what the body is about */
};

struct topic {
    const char *topic;
    souk_err (*tell)(struct woo *woo, const struct topic *topic);
    const char *id_key, *event;
    bool once;
};

/* ---- whose, and which --------------------------------------------------------------------------------- */

static souk_text first_href(const struct hook *hook, souk_json_node links, const char *key)
{
    souk_json_node list = hook_member(hook, links, key);
    return hook_at(hook, souk_json_first(&hook->doc, list), "href");
}

/* "shop.example/en" of "https://shop.example/en/wp-json/wc/v3/orders/17". */
static souk_text site_of(const struct hook *hook)
{
    static const char scheme[] = "://", mark[] = "/wp-json/";
    souk_json_node links = hook_member(hook, hook->root, "_links");
    souk_text url = hook_or(first_href(hook, links, "self"), first_href(hook, links, "collection"));
    const char *from = url.bytes ? memmem(url.at, url.bytes, scheme, 3) : NULL;
    if (!from)
        return SOUK_TEXT("");
    souk_text rest = souk_text_range(from + 3, url.at + url.bytes);
    const char *end = memmem(rest.at, rest.bytes, mark, sizeof mark - 1);
    return end ? souk_text_range(rest.at, end) : souk_text_cut(&rest, '/');
}

/* "woo:shop.example:order:17"; empty where the shop or the number is not told. */
static souk_text id_of(const struct woo *woo, const char *what, souk_text number)
{
    const souk_text parts[] = {SOUK_TEXT("woo"), woo->site, souk_text_of(what), number};
    size_t bytes = 0;
    if (woo->site.bytes == 0 || number.bytes == 0 || woo->site.bytes + number.bytes > 200 ||
        souk_text_equal(number, SOUK_TEXT("0")))
        return SOUK_TEXT("");
    char *to = souk_arena_get(woo->hook.message->arena, 256);
    for (size_t i = 0; i < 4; i++) {
        if (i)
            to[bytes++] = ':';
        memcpy(to + bytes, parts[i].at, parts[i].bytes);
        bytes += parts[i].bytes;
    }
    return (souk_text){to, bytes};
}

/* "woo/shop.example/order/17/completed": what happens once. */
static souk_text name_of(const struct woo *woo, const char *what, souk_text id, const char *event)
{
    const souk_text parts[] = {SOUK_TEXT("woo"), woo->site, souk_text_of(what), id,
                               souk_text_of(event)};
    return hook_name(&woo->hook, parts, parts[4].bytes ? 5 : 4);
}

/* "woo/shop.example/order.updated/17", and a print of the body where it may happen again. */
static souk_text topic_name(const struct woo *woo, const struct topic *topic)
{
    const souk_text parts[] = {SOUK_TEXT("woo"), woo->site, souk_text_of(topic->topic), woo->id,
                               hook_print(&woo->hook)};
    return hook_name(&woo->hook, parts, topic->once ? 4 : 5);
}

static struct hook_who who_of(const struct woo *woo, souk_text customer)
{
    const struct hook *hook = &woo->hook;
    souk_json_node billing = hook_member(hook, hook->root, "billing");
    return (struct hook_who){
        .email = hook_or(hook_at(hook, hook->root, "email"), hook_at(hook, billing, "email")),
        .phone = hook_at(hook, billing, "phone"),
        .open = id_of(woo, "customer", customer),
    };
}

/* ---- money and products ----------------------------------------------------------------------------- */

/* What the coupons took off a line; empty where nothing, or where it cannot be told. */
static souk_text discount_of(const struct hook *hook, souk_json_node item)
{
    souk_decimal full, paid, less;
    if (souk_decimal_read(hook_at(hook, item, "subtotal"), &full, NULL) ||
        souk_decimal_read(hook_at(hook, item, "total"), &paid, NULL) ||
        souk_decimal_sub(full, paid, &less) || less.micro == 0)
        return SOUK_TEXT("");
    return hook_money(hook, less);
}

static struct hook_line line_of(const struct hook *hook, souk_json_node item)
{
    souk_text variant = hook_at(hook, item, "variation_id");
    return (struct hook_line){
        .product_id = hook_at(hook, item, "product_id"),
        .variant_id = souk_text_equal(variant, SOUK_TEXT("0")) ? SOUK_TEXT("") : variant,
        .sku = hook_at(hook, item, "sku"),
        .name = hook_at(hook, item, "name"),
        .price = hook_at(hook, item, "price"),
        .quantity = hook_at(hook, item, "quantity"),
        .discount = discount_of(hook, item),
        .line_id = hook_at(hook, item, "id"),
    };
}

static void put_products(struct hook *hook, souk_json_node list)
{
    souk_json_writer *out = hook->message->out;
    size_t put = 0, count = souk_json_count(&hook->doc, list);
    souk_json_put_array(out, "products");
    for (souk_json_node node = souk_json_first(&hook->doc, list); node != SOUK_JSON_NONE;
         node = souk_json_next(&hook->doc, node)) {
        struct hook_line line = line_of(hook, node);
        if (put == SOUK_EVENT_LINES || !hook_put_line(hook, &line))
            break;
        put++;
    }
    souk_json_write_end(out);
    if (put == count)
        return;
    souk_json_put_u64(out, "products_left_out", count - put);
}

static void put_subtotal(struct hook *hook, souk_json_node items)
{
    souk_decimal sum = {0}, more;
    for (souk_json_node node = souk_json_first(&hook->doc, items); node != SOUK_JSON_NONE;
         node = souk_json_next(&hook->doc, node))
        if (souk_decimal_read(hook_at(hook, node, "subtotal"), &more, NULL) ||
            souk_decimal_add(sum, more, &sum))
            return;
    hook_put(hook, "subtotal", hook_money(hook, sum));
}

static void put_money(struct hook *hook, souk_json_node order)
{
    souk_json_node coupons = hook_member(hook, order, "coupon_lines"),
                   items = hook_member(hook, order, "line_items");
    hook_put(hook, "currency", hook_at(hook, order, "currency"));
    hook_put(hook, "total", hook_at(hook, order, "total"));
    put_subtotal(hook, items);
    hook_put(hook, "tax", hook_at(hook, order, "total_tax"));
    hook_put(hook, "shipping", hook_at(hook, order, "shipping_total"));
    hook_put(hook, "discount", hook_at(hook, order, "discount_total"));
    hook_put(hook, "coupon", hook_at(hook, souk_json_first(&hook->doc, coupons), "code"));
    put_products(hook, items);
}

/* ---- orders ------------------------------------------------------------------------------------------ */

/* `shipping` is an address here, and the money of that name is told. */
static const char *const order_told[] = {"id",
                                         "order_id",
                                         "currency",
                                         "total",
                                         "subtotal",
                                         "tax",
                                         "total_tax",
                                         "shipping",
                                         "shipping_total",
                                         "discount",
                                         "discount_total",
                                         "coupon",
                                         "line_items",
                                         "products",
                                         "products_left_out",
                                         "left_out",
                                         "left_out_more",
                                         "order_key",
                                         "payment_url",
                                         "_links",
                                         "store_id",
                                         "revenue",
                                         "value",
                                         "refund_id",
                                         "shipping_address",
                                         NULL};

static void begin_order(struct woo *woo, const char *event, souk_text name, const char *at)
{
    struct hook *hook = &woo->hook;
    struct hook_who who = who_of(woo, hook_at(hook, hook->root, "customer_id"));
    who.anonymous = id_of(woo, "order", woo->id);
    hook_begin(hook, "track", souk_text_of(event), name, hook_at(hook, hook->root, at));
    hook_who(hook, &who);
    hook_properties(hook, "properties");
    hook_put(hook, "order_id", woo->id);
}

/* order_key and payment_url open the order without signing in: they are not told. */
static void put_order(struct woo *woo, const char *event, souk_text name, const char *at)
{
    struct hook *hook = &woo->hook;
    souk_json_node address = hook_member(hook, hook->root, "shipping");
    begin_order(woo, event, name, at);
    put_money(hook, hook->root);
    hook_put_node(hook, "shipping_address", address);
    hook_rest(hook, hook->root, order_told);
    hook_end(hook);
}

static souk_err put_refund(struct woo *woo, souk_text id, souk_text total, souk_text reason)
{
    struct hook *hook = &woo->hook;
    souk_decimal back = {0};
    SOUK_TRY(hook_add(hook, total, &back));
    if (back.micro < 0)
        SOUK_TRY(hook_negate(hook, &back));
    begin_order(woo, "Order Refunded",
                id.bytes ? name_of(woo, "refund", id, "")
                         : name_of(woo, "order", woo->id, "refunded"),
                "date_modified_gmt");
    hook_put(hook, "refund_id", id);
    hook_put(hook, "currency", hook_at(hook, hook->root, "currency"));
    hook_put(hook, "total", hook_money(hook, back));
    hook_put(hook, "reason", reason);
    /* Which products came back is not in the hook: an empty list says so. */
    souk_json_put_array(hook->message->out, "products");
    souk_json_write_end(hook->message->out);
    hook_end(hook);
    return SOUK_OK;
}

/* A refund of the whole order stands in the list, too; where the list is empty the status alone tells it. */
static souk_err put_refunds(struct woo *woo, bool is_refunded)
{
    struct hook *hook = &woo->hook;
    souk_json_node list = hook_member(hook, hook->root, "refunds"), node;
    for (node = souk_json_first(&hook->doc, list); node != SOUK_JSON_NONE;
         node = souk_json_next(&hook->doc, node))
        SOUK_TRY(put_refund(woo, hook_at(hook, node, "id"), hook_at(hook, node, "total"),
                            hook_at(hook, node, "reason")));
    if (souk_json_count(&hook->doc, list) || !is_refunded)
        return SOUK_OK;
    return put_refund(woo, SOUK_TEXT(""), hook_at(hook, hook->root, "total"), SOUK_TEXT(""));
}

static souk_err tell_order(struct woo *woo, const struct topic *topic)
{
    struct hook *hook = &woo->hook;
    souk_text status = hook_at(hook, hook->root, "status");
    bool is_refunded = souk_text_equal(status, SOUK_TEXT("refunded")),
         is_cancelled = souk_text_equal(status, SOUK_TEXT("cancelled")),
         is_paid = souk_text_equal(status, SOUK_TEXT("processing")) ||
                   souk_text_equal(status, SOUK_TEXT("completed")) || is_refunded ||
                   hook_at(hook, hook->root, "date_paid_gmt").bytes;
    if (status.bytes == 0 || hook_member(hook, hook->root, "line_items") == SOUK_JSON_NONE)
        return hook_refuse(hook,
                           "the order has no status or no line_items: send the body of an order");
    if (is_paid)
        put_order(woo, "Order Completed", name_of(woo, "order", woo->id, "completed"),
                  "date_created_gmt");
    if (!is_paid || !topic->once)
        put_order(woo, topic->event, topic_name(woo, topic),
                  topic->once ? "date_created_gmt" : "date_modified_gmt");
    if (is_cancelled)
        put_order(woo, "Order Cancelled", name_of(woo, "order", woo->id, "cancelled"),
                  "date_modified_gmt");
    return put_refunds(woo, is_refunded);
}

/* {"id":17}: all that is left of it. */
static souk_err tell_deleted(struct woo *woo, const struct topic *topic)
{
    static const char *const told[] = {"id",        "order_id", "product_id",    "customer_id",
                                       "coupon_id", "left_out", "left_out_more", "_links",
                                       NULL};
    struct hook *hook = &woo->hook;
    struct hook_who who = {0};
    if (!strcmp(topic->id_key, "order_id"))
        who.anonymous = id_of(woo, "order", woo->id);
    if (!strcmp(topic->id_key, "customer_id"))
        who.open = id_of(woo, "customer", woo->id);
    hook_begin(hook, "track", souk_text_of(topic->event), topic_name(woo, topic), SOUK_TEXT(""));
    hook_who(hook, &who);
    hook_properties(hook, "properties");
    hook_put(hook, topic->id_key, woo->id);
    hook_rest(hook, hook->root, told);
    hook_end(hook);
    return SOUK_OK;
}

/* ---- customers, products, coupons -------------------------------------------------------------------------- */

static void put_address(struct hook *hook, souk_json_node address)
{
    souk_json_writer *out = hook->message->out;
    if (souk_json_type(&hook->doc, address) != SOUK_JSON_OBJECT)
        return;
    souk_json_put_object(out, "address");
    hook_put(hook, "street", hook_at(hook, address, "address_1"));
    hook_put(hook, "city", hook_at(hook, address, "city"));
    hook_put(hook, "state", hook_at(hook, address, "state"));
    hook_put(hook, "postalCode", hook_at(hook, address, "postcode"));
    hook_put(hook, "country", hook_at(hook, address, "country"));
    souk_json_write_end(out);
}

static souk_err tell_customer(struct woo *woo, const struct topic *topic)
{
    static const char *const told[] = {"id",           "customer_id",
                                       "email",        "phone",
                                       "first_name",   "firstName",
                                       "last_name",    "lastName",
                                       "createdAt",    "date_created_gmt",
                                       "date_created", "address",
                                       "avatar",       "avatar_url",
                                       "left_out",     "left_out_more",
                                       "_links",       NULL};
    struct hook *hook = &woo->hook;
    souk_json_node root = hook->root;
    struct hook_who who = who_of(woo, woo->id);
    hook_begin(hook, "identify", SOUK_TEXT(""), topic_name(woo, topic),
               hook_at(hook, root, topic->once ? "date_created_gmt" : "date_modified_gmt"));
    hook_who(hook, &who);
    hook_properties(hook, "traits");
    hook_put(hook, "email", who.email);
    hook_put(hook, "phone", who.phone);
    hook_put(hook, "firstName", hook_at(hook, root, "first_name"));
    hook_put(hook, "lastName", hook_at(hook, root, "last_name"));
    hook_put(hook, "createdAt", hook_at(hook, root, "date_created_gmt"));
    hook_put(hook, "avatar", hook_at(hook, root, "avatar_url"));
    hook_put(hook, topic->id_key, woo->id);
    put_address(hook, hook_member(hook, root, "billing"));
    hook_rest(hook, root, told);
    hook_end(hook);
    return SOUK_OK;
}

static souk_err tell_product(struct woo *woo, const struct topic *topic)
{
    static const char *const told[] = {
        "id",  "product_id", "name",     "sku",           "price",  "category", "brand",
        "url", "permalink",  "left_out", "left_out_more", "_links", NULL};
    struct hook *hook = &woo->hook;
    struct hook_who nobody = {0};
    souk_json_node root = hook->root, categories = hook_member(hook, root, "categories"),
                   brands = hook_member(hook, root, "brands");
    hook_begin(hook, "track", souk_text_of(topic->event), topic_name(woo, topic),
               hook_at(hook, root, topic->once ? "date_created_gmt" : "date_modified_gmt"));
    hook_who(hook, &nobody);
    hook_properties(hook, "properties");
    hook_put(hook, topic->id_key, woo->id);
    hook_put(hook, "sku", hook_at(hook, root, "sku"));
    hook_put(hook, "name", hook_at(hook, root, "name"));
    hook_put(hook, "brand", hook_at(hook, souk_json_first(&hook->doc, brands), "name"));
    hook_put(hook, "category", hook_at(hook, souk_json_first(&hook->doc, categories), "name"));
    hook_put(hook, "price", hook_at(hook, root, "price"));
    hook_put(hook, "url", hook_at(hook, root, "permalink"));
    hook_rest(hook, root, told);
    hook_end(hook);
    return SOUK_OK;
}

static souk_err tell_coupon(struct woo *woo, const struct topic *topic)
{
    static const char *const told[] = {"id",       "coupon_id",     "code",   "coupon",
                                       "left_out", "left_out_more", "_links", NULL};
    struct hook *hook = &woo->hook;
    struct hook_who nobody = {0};
    hook_begin(hook, "track", souk_text_of(topic->event), topic_name(woo, topic),
               hook_at(hook, hook->root, topic->once ? "date_created_gmt" : "date_modified_gmt"));
    hook_who(hook, &nobody);
    hook_properties(hook, "properties");
    hook_put(hook, topic->id_key, woo->id);
    hook_put(hook, "coupon", hook_at(hook, hook->root, "code"));
    hook_rest(hook, hook->root, told);
    hook_end(hook);
    return SOUK_OK;
}

/* ---- the topics -------------------------------------------------------------------------------------------- */

static const struct topic topics[] = {
    {"order.created", tell_order, "order_id", "Order Created", true},
    {"order.updated", tell_order, "order_id", "Order Updated", false},
    {"order.restored", tell_order, "order_id", "Order Restored", false},
    {"order.deleted", tell_deleted, "order_id", "Order Deleted", false},
    {"customer.created", tell_customer, "customer_id", NULL, true},
    {"customer.updated", tell_customer, "customer_id", NULL, false},
    {"customer.deleted", tell_deleted, "customer_id", "Customer Deleted", true},
    {"product.created", tell_product, "product_id", "Product Created", true},
    {"product.updated", tell_product, "product_id", "Product Updated", false},
    {"product.restored", tell_product, "product_id", "Product Restored", false},
    {"product.deleted", tell_deleted, "product_id", "Product Deleted", false},
    {"coupon.created", tell_coupon, "coupon_id", "Coupon Created", true},
    {"coupon.updated", tell_coupon, "coupon_id", "Coupon Updated", false},
    {"coupon.restored", tell_coupon, "coupon_id", "Coupon Restored", false},
    {"coupon.deleted", tell_deleted, "coupon_id", "Coupon Deleted", false},
};

static souk_err tell_topic(struct woo *woo)
{
    const souk_foreign *message = woo->hook.message;
    woo->site = site_of(&woo->hook);
    woo->id = hook_at(&woo->hook, woo->hook.root, "id");
    if (woo->id.bytes == 0)
        return hook_refuse(&woo->hook, "id is missing: send the body as WooCommerce made it");
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        if (souk_text_equal(message->topic, souk_text_of(topics[i].topic)))
            return topics[i].tell(woo, &topics[i]);
    return souk_diag_say(message->diag, SOUK_EINVAL,
                         "the topic '%.*s' is none that is read here: delete that hook, see "
                         "docs/hooks.md",
                         (int)souk_min_size(message->topic.bytes, 60),
                         message->topic.at ? message->topic.at : "");
}

static souk_err tell(const souk_foreign *message)
{
    struct woo woo = {.site = {"", 0}};
    if (souk_text_starts(message->body, SOUK_TEXT("webhook_id=")))
        return SOUK_OK;
    souk_err err = hook_open(&woo.hook, message, "WooCommerce");
    if (!err)
        err = tell_topic(&woo);
    hook_close(&woo.hook);
    return err ? err : message->arena->failed ? SOUK_ENOMEM : SOUK_OK;
}

const souk_foreign_form souk_foreign_woo = {.name = "woocommerce", .tell = tell};
