/* bench_till_shop.c - a shop for tills: products, stores, taxes, offers and levels of stock, and baskets priced in it.
 *
 * Offers come from `souk bench pricing` with numbers for what they name; here the numbers get names. */
#include "app/bench_till.h"
#include "base/random.h"
#include "core/document.h"
#include "core/product.h"

#include <stdio.h>
#include <stdlib.h>

enum { CATEGORIES = 300, BRANDS = 100, PRODUCTS = 20000, POPULAR = 1000, CHUNK = 2000 };

struct making {
    souk_ledger *ledger;
    till_size size;
    uint64_t from, to;
};

/* ---- products and levels ------------------------------------------------------------------------------- */

static souk_err put_products(souk_tx *tx, void *context)
{
    const struct making *making = context;
    for (uint64_t i = making->from; i < making->to; i++) {
        char code[24], title[40], brand[24], category[24];
        bool changed;
        snprintf(code, sizeof code, "P%05u", (unsigned)i);
        snprintf(title, sizeof title, "Product number %u", (unsigned)i);
        snprintf(category, sizeof category, "c%u", (unsigned)(i * 7 % CATEGORIES));
        snprintf(brand, sizeof brand, "b%u", (unsigned)(CATEGORIES + i * 11 % BRANDS));
        souk_product product = {.code = souk_text_of(code),
                                .title = souk_text_of(title),
                                .brand = souk_text_of(brand),
                                .category = souk_text_of(category),
                                .attributes = i % 2 ? SOUK_TEXT("{\"tax_class\":\"reduced\"}")
                                                    : SOUK_TEXT(""),
                                .price = {(int64_t)(99 + i * 37 % 1900) * 10000},
                                .currency = "EUR"};
        SOUK_TRY(souk_product_put(tx, SOUK_OPERATOR, 1, &product, &changed));
    }
    return SOUK_OK;
}

static souk_err put_levels(souk_tx *tx, void *context)
{
    const struct making *making = context;
    for (uint64_t i = making->from; i < making->to; i++) {
        char store[24], code[24];
        snprintf(store, sizeof store, "S%u", (unsigned)(i / making->size.products));
        snprintf(code, sizeof code, "P%05u", (unsigned)(i % making->size.products));
        SOUK_TRY(
            souk_sql_run(tx,
                         "INSERT INTO stock_level (id, merchant, location, product, on_hand, "
                         "reserved, through) VALUES (?1, ?2, ?3, ?4, 0, 0, 0)",
                         SOUK_VALUES(SOUK_INT(i + 1), SOUK_INT(SOUK_OPERATOR),
                                     SOUK_STR(souk_text_of(store)), SOUK_STR(souk_text_of(code)))));
    }
    return SOUK_OK;
}

static souk_err in_chunks(struct making *making, uint64_t count, souk_tx_closure *put)
{
    for (making->from = 0; making->from < count; making->from = making->to) {
        making->to = making->from + CHUNK < count ? making->from + CHUNK : count;
        SOUK_TRY(souk_ledger_write(making->ledger, SOUK_LANE_JOB, put, making));
    }
    return SOUK_OK;
}

/* ---- documents ------------------------------------------------------------------------------------------ */

static souk_err put_document(souk_ledger *ledger, const char *kind, const char *key, souk_text text)
{
    uint64_t version;
    souk_document document = {.kind = souk_text_of(kind),
                              .merchant = SOUK_OPERATOR,
                              .key = souk_text_of(key),
                              .text = text};
    return souk_documents_put(ledger, &document, 0, 1, &version);
}

/* Whether the list of that member begins here: then its numbers get this in front. */
static const char *prefix_at(const char *at, size_t left)
{
    static const char *const members[][2] = {
        {"\"products\":[", "P"}, {"\"tags\":[", "category:c"}, {"\"stores\":[", "S"}};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (left > strlen(members[i][0]) && !memcmp(at, members[i][0], strlen(members[i][0])))
            return members[i][1];
    return NULL;
}

static const char *put_name(souk_buf *to, const char *at, const char *prefix)
{
    char *end;
    unsigned long number = strtoul(at, &end, 10);
    if (*prefix == 'P')
        souk_buf_print(to, "\"P%05lu\"", number);
    else
        souk_buf_print(to, "\"%s%lu\"", *prefix == 'c' && number >= CATEGORIES ? "brand:b" : prefix,
                       number);
    return end;
}

static void name_numbers(souk_text from, souk_buf *to)
{
    const char *prefix = NULL, *end = from.at + from.bytes;
    for (const char *at = from.at; at < end;) {
        const char *begins = prefix_at(at, (size_t)(end - at));
        if (begins) {
            const char *list = strchr(at, '[') + 1;
            souk_buf_append(to, at, (size_t)(list - at));
            at = list;
            prefix = begins;
        } else if (prefix && *at >= '0' && *at <= '9') {
            at = put_name(to, at, prefix);
        } else {
            prefix = *at == ']' ? NULL : prefix;
            souk_buf_append(to, at++, 1);
        }
    }
}

static souk_err put_offer(void *context, const souk_offer *offer)
{
    struct making *making = context;
    souk_auto_value(souk_buf) numbers = {.mem = souk_mem_heap()};
    souk_auto_value(souk_buf) text = {.mem = souk_mem_heap()};
    char key[24];
    souk_json_writer json = {.out = &numbers};
    souk_offer_write(&json, offer, 2);
    SOUK_TRY(souk_json_write_check(&json));
    snprintf(key, sizeof key, "%llu", (unsigned long long)offer->id);
    souk_buf_print(&text, "{\"name\":\"Offer number %s\",\"currency\":\"EUR\",\"offer\":", key);
    souk_buf_append(&numbers, "", 1);
    SOUK_TRY(souk_buf_check(&numbers));
    name_numbers((souk_text){numbers.at, numbers.bytes - 1}, &text);
    souk_buf_text(&text, SOUK_TEXT("}"));
    SOUK_TRY(souk_buf_check(&text));
    return put_document(making->ledger, "offer", key, souk_buf_view(&text));
}

static souk_err put_documents(struct making *making)
{
    for (unsigned i = 0; i < making->size.stores; i++) {
        char key[24], text[120];
        snprintf(key, sizeof key, "S%u", i);
        snprintf(text, sizeof text,
                 "{\"name\":\"Store %u\",\"time_zone\":\"Europe/Berlin\",\"currency\":\"EUR\"}", i);
        SOUK_TRY(put_document(making->ledger, "store", key, souk_text_of(text)));
    }
    SOUK_TRY(put_document(
        making->ledger, "tax", "all",
        SOUK_TEXT(
            "{\"prices\":\"with_tax\",\"rounding\":\"half_up\",\"rates\":[{\"name\":\"USt 19 "
            "%\",\"percent\":19},{\"name\":\"USt 7 %\",\"percent\":7}],\"classes\":{"
            "\"standard\":[\"USt 19 %\"],\"reduced\":[\"USt 7 %\"]},\"usual\":\"standard\"}")));
    return bench_offers_each(put_offer, making);
}

souk_err till_shop_make(bench_run *bench, const char *data, till_size size, souk_diag *diag)
{
    (void)bench;
    app_options options = {.data = data};
    app_shop shop = {.disk = NULL};
    SOUK_TRY(app_shop_open(&options, &shop, diag));
    struct making making = {.ledger = souk_spine_ledger(shop.spine), .size = size};
    souk_err err = in_chunks(&making, size.products, put_products);
    if (!err)
        err = in_chunks(&making, (uint64_t)size.stores * size.products, put_levels);
    if (!err)
        err = put_documents(&making);
    souk_err closed = app_shop_close(&shop);
    return err ? souk_diag_say(diag, err, "the shop cannot be made") : closed;
}

/* ---- baskets ---------------------------------------------------------------------------------------------- */

static void write_lines(souk_json_writer *json, till_size size, souk_random *random)
{
    souk_json_put_array(json, "lines");
    for (unsigned i = 0; i < TILL_LINES; i++) {
        char code[24];
        bool popular = souk_random_below(random, 2) == 0;
        snprintf(code, sizeof code, "P%05u",
                 (unsigned)souk_random_below(random, popular ? POPULAR : size.products));
        souk_json_write_object(json);
        souk_json_put_words(json, "product", code);
        souk_json_put_u64(json, "quantity", 1 + souk_random_below(random, 3));
        souk_json_write_end(json);
    }
    souk_json_write_end(json);
}

static souk_err find_total(souk_text answer, char ret_total[32])
{
    souk_auto_value(souk_json_doc) doc = {.mem = souk_mem_heap()};
    souk_arena arena = {.mem = souk_mem_heap()};
    souk_text total = SOUK_TEXT("");
    souk_err err = souk_json_read(&doc, answer, NULL, NULL);
    if (!err)
        err = souk_json_text(&doc, souk_json_member(&doc, souk_json_root(&doc), SOUK_TEXT("total")),
                             &arena, &total);
    snprintf(ret_total, 32, "%.*s", SOUK_TEXT_PRINT(total));
    souk_arena_done(&arena);
    return err;
}

/* Asked what it costs, then told to be paid by card. */
static souk_err make_basket(souk_api *api, till_size size, size_t at, souk_buf *body,
                            souk_diag *diag)
{
    souk_auto_value(souk_buf) answer = {.mem = souk_mem_heap()};
    souk_random random = souk_random_of(at + 1);
    souk_json_writer json = {.out = body};
    char store[24], till[24], total[32];
    int status;
    snprintf(store, sizeof store, "S%u", (unsigned)(at % size.stores));
    snprintf(till, sizeof till, "T%u", (unsigned)(at % TILL_CLIENTS));
    souk_json_write_object(&json);
    souk_json_put_words(&json, "store", store);
    souk_json_put_words(&json, "till", till);
    write_lines(&json, size, &random);
    souk_json_write_end(&json);
    SOUK_TRY(souk_json_write_check(&json));
    SOUK_TRY(souk_api_call(api, "POST", "/v1/till/price", souk_buf_view(body), &status, &answer));
    if (status != 200 || find_total(souk_buf_view(&answer), total))
        return souk_diag_say(diag, SOUK_EIO, "a basket has no price: %.*s",
                             SOUK_TEXT_PRINT(souk_buf_view(&answer)));
    body->bytes--;
    souk_buf_print(body,
                   ",\"expected_total\":\"%s\",\"tenders\":[{\"kind\":\"card\",\"amount\":\"%s\","
                   "\"last4\":\"1111\"}]}",
                   total, total);
    return souk_buf_check(body);
}

souk_err till_baskets_make(bench_run *bench, souk_api *api, till_size size, till_baskets *baskets,
                           souk_diag *diag)
{
    for (size_t i = 0; i < TILL_BASKETS; i++) {
        souk_auto_value(souk_buf) body = {.mem = bench->mem};
        SOUK_TRY(make_basket(api, size, i, &body, diag));
        baskets->texts[i] = souk_mem_array(bench->mem, body.bytes + 1, 1);
        if (!baskets->texts[i])
            return SOUK_ENOMEM;
        memcpy(baskets->texts[i], body.at, body.bytes);
        baskets->bytes[i] = body.bytes;
    }
    return SOUK_OK;
}

void till_baskets_done(bench_run *bench, till_baskets *baskets)
{
    for (size_t i = 0; i < TILL_BASKETS; i++)
        souk_mem_put(bench->mem, baskets->texts[i]);
    *baskets = (till_baskets){.bytes = {0}};
}
