/* foreign_hook.h - what the forms of hooks and of SDKs share: looking into their JSON, telling one event of it.
 *
 *     struct hook hook;
 *     SOUK_TRY(hook_open(&hook, message, "Shopify"));
 *     hook_begin(&hook, "track", SOUK_TEXT("Order Paid"), message_id, hook_at(&hook, order, "updated_at"));
 *     hook_who(&hook, &who);
 *     hook_properties(&hook, "properties");
 *     hook_put(&hook, "order_id", hook_at(&hook, order, "id"));
 *     hook_rest(&hook, order, told);             what else the sender said, under its own names
 *     hook_end(&hook);
 *
 * Ceiling   an event has at most HOOK_EVENT_BYTES, products HOOK_PRODUCTS_BYTES of them; what would lead above is left
 *           out and named: "left_out":["fulfillments"], "products_left_out":12.  Totals are the sender's and stay right
 * Names     a sender's member that is null or "" says nothing and is not told */
#ifndef SOUK_SERVICE_COLLECT_FOREIGN_HOOK_H
#define SOUK_SERVICE_COLLECT_FOREIGN_HOOK_H

#include "base/json.h"
#include "core/event.h"
#include "service/collect/foreign.h"

enum {
    HOOK_EVENT_BYTES = 30000, /* the reader of events takes 32,768 */
    HOOK_PRODUCTS_BYTES = 20000,
    HOOK_LEFT_OUT = 32, /* names of what was left out; further ones are counted */
    HOOK_ID_BYTES = 100,
};

struct hook {
    const souk_foreign *message;
    const char *sender;         /* "Shopify", for words */
    souk_text library, version; /* context.library; empty: the sender, and none */
    souk_json_doc doc;          /* of the body */
    souk_json_node root;
    size_t began; /* where in the output the event in work begins */
    souk_text left_out[HOOK_LEFT_OUT];
    size_t left_out_count;
};

/* Whose an event is; empty texts are nobody.  What is no identifier (event.h) is not told as one. */
struct hook_who {
    souk_text user, anonymous, phone, email, open, device;
};

/* One product of an order, cart or refund. */
struct hook_line {
    souk_text product_id, variant_id, variant, sku, name, brand, category, price, quantity,
        discount, line_id;
};

/* Reads the body; SOUK_EINVAL with words.  Close with hook_close whatever came of it. */
SOUK_CHECKED souk_err hook_read(struct hook *hook, const souk_foreign *message, const char *sender);
/* The same of a body that must be an object. */
SOUK_CHECKED souk_err hook_open(struct hook *hook, const souk_foreign *message, const char *sender);
void hook_close(struct hook *hook);
/* Says it in the message's diag. */
souk_err hook_refuse(const struct hook *hook, const char *words);

/* ---- looking --------------------------------------------------------------------------------------- */

souk_json_node hook_member(const struct hook *hook, souk_json_node object, const char *key);
/* A string, or a number as it stands; empty where missing, null or something else. */
souk_text hook_text(const struct hook *hook, souk_json_node node);
souk_text hook_at(const struct hook *hook, souk_json_node object, const char *key);
/* The first of the two that is not empty. */
static inline souk_text hook_or(souk_text a, souk_text b)
{
    return a.bytes ? a : b;
}
/* "shopify:order:" and the id, in the arena; empty where the id is. */
souk_text hook_join(const struct hook *hook, const char *before, souk_text id);
/* Adds what the text says in decimals; a text that is none is refused. */
SOUK_CHECKED souk_err hook_add(const struct hook *hook, souk_text money, souk_decimal *sum);
/* SOUK_EINVAL: it does not fit. */
SOUK_CHECKED souk_err hook_negate(const struct hook *hook, souk_decimal *money);
souk_text hook_money(const struct hook *hook, souk_decimal money);
/* 32 digits that differ where the parts do. */
souk_text hook_digits(const struct hook *hook, const souk_text *parts, size_t count);
/* 16 digits that differ where the bodies do: the same body again is the same fact. */
souk_text hook_print(const struct hook *hook);
/* "shopify/orders/paid/17/2026-01-02T…" of parts; too long a name becomes one of its digits. */
souk_text hook_name(const struct hook *hook, const souk_text *parts, size_t count);

/* ---- telling --------------------------------------------------------------------------------------- */

/* Opens an event; timestamp: any text that time.h reads, left out where it is none. */
void hook_begin(struct hook *hook, const char *type, souk_text event, souk_text message_id,
                souk_text timestamp);
/* anonymousId, userId, context with externalIds and the library; left open for more of the context. */
void hook_who_open(struct hook *hook, const struct hook_who *who);
/* The same, closed. */
void hook_who(struct hook *hook, const struct hook_who *who);
/* Opens "properties" or "traits". */
void hook_properties(struct hook *hook, const char *key);
void hook_put(struct hook *hook, const char *key, souk_text text);
/* A member as it stands, where there is one and it is below the ceiling. */
void hook_put_node(struct hook *hook, const char *key, souk_json_node node);
/* Names a member that is not told. */
void hook_leave_out(struct hook *hook, souk_text key);
/* One product, within an array that the caller has opened; false: it is above the ceiling. */
bool hook_put_line(struct hook *hook, const struct hook_line *line);
/* The members of an object but those named in `told`, which NULL ends. */
void hook_rest(struct hook *hook, souk_json_node object, const char *const *told);
/* Closes what hook_properties opened, and the event. */
void hook_end(struct hook *hook);

#endif
