/* offer_fuzz.c - any bytes as an offer: what is read is an offer that a book takes, it is written back the same, and a
 * basket priced with it costs nothing below zero and not more than its bases; what is refused is told in words. */
#include "algo/pricing.h"
#include "service/checkout/offer_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static souk_err read_offer(souk_text text, souk_json_doc *doc, souk_arena *arena,
                           souk_offer *ret_offer, souk_diag *diag)
{
    souk_offer_reader reader = {.exponent = 2, .arena = arena};
    SOUK_TRY(souk_json_read(doc, text, NULL, diag));
    return souk_offer_read(&reader, doc, souk_json_root(doc), (souk_text){0}, ret_offer, diag);
}

static void write_offer(const souk_offer *offer, souk_buf *out)
{
    souk_json_writer json = {.out = out};
    souk_offer_write(&json, offer, 2);
    souk_assert(!souk_json_write_check(&json));
}

static void price(const souk_offer *offer)
{
    static const uint32_t tags[] = {1, 2};
    static const souk_coupons coupons[] = {{1, 1}, {3, 2}};
    static const souk_basket_line lines[] = {
        {.product = 1,
         .tags = tags,
         .tag_count = 1,
         .quantity = {3000000},
         .unit_price = {1990000}},
        {.product = 2, .tags = tags, .tag_count = 2, .quantity = {999000000}, .unit_price = {5000}},
        {.product = 3, .quantity = {1250000}, .unit_price = {7770000}, .weighed = true},
        {.product = 1,
         .tags = tags,
         .tag_count = 1,
         .quantity = {1000000},
         .unit_price = {1990000}},
    };
    souk_auto(souk_book) book = NULL;
    souk_auto(souk_pricing) desk = NULL;
    souk_basket basket = {.lines = lines,
                          .line_count = 4,
                          .exponent = 2,
                          .now = 1793462400000,
                          .coupons = coupons,
                          .coupon_count = 2};
    const souk_priced *priced;
    souk_diag diag = {.words = ""};
    souk_assert(!souk_book_new(souk_mem_heap(), offer, 1, 2, &book, &diag));
    souk_assert(!souk_pricing_new(souk_mem_heap(), &(souk_pricing_limits){8, 64, 8}, &desk));
    souk_assert(!souk_pricing_basket(desk, book, &basket, &priced, &diag));
    souk_assert(priced->total_minor >= 0 && priced->total_minor <= priced->base_minor);
    for (size_t i = 0; i < priced->line_count; i++)
        souk_assert(priced->lines[i].total_minor >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    souk_json_doc doc = {0};
    souk_arena arena = {.mem = souk_mem_heap()};
    souk_offer offer, same;
    souk_diag diag = {.words = ""};
    souk_buf once = {0}, again = {0};
    souk_err err = read_offer((souk_text){(const char *)data, size}, &doc, &arena, &offer, &diag);
    souk_assert(!err == !*diag.words);
    if (!err) {
        price(&offer);
        write_offer(&offer, &once);
        souk_assert(!read_offer(souk_buf_view(&once), &doc, &arena, &same, &diag));
        write_offer(&same, &again);
        souk_assert(souk_text_equal(souk_buf_view(&once), souk_buf_view(&again)));
    }
    souk_buf_done(&once);
    souk_buf_done(&again);
    souk_json_doc_done(&doc);
    souk_arena_done(&arena);
    return 0;
}
