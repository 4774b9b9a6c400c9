/* table_fuzz.c - any bytes as a table of orders, products, shoppers, consents or stores, or as a feed: whole and in pieces the
 * records are the same, in the order of their rows, within their bounds (import_rig.h asserts those).
 *
 * Input: 1 byte that chooses the format (modulo 6) and with bit 7 a choice of options, 1 byte of the size of pieces,
 * then the file. */
#include "service/collect/import_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const souk_import_format *const formats[] = {
    &souk_import_orders,   &souk_import_products,      &souk_import_shoppers,
    &souk_import_consents, &souk_import_merchant_feed, &souk_import_stores};

/* What is told of a row that becomes a fault is JSON, and so is each event's text. */
static void check_json(souk_text out)
{
    static souk_json_doc doc;
    while (out.bytes) {
        souk_text line = souk_text_cut(&out, '\n');
        if (!souk_text_starts(line, SOUK_TEXT("event ")))
            continue;
        const char *body = memmem(line.at, line.bytes, "| {\"type\":", 10);
        souk_assert(body);
        souk_assert(souk_json_read(&doc, souk_text_range(body + 2, line.at + line.bytes), NULL,
                                   NULL) == SOUK_OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const souk_import_format *format = formats[(data[0] & 127) % 6];
    souk_import_options options = {.map = {NULL, 0}};
    if (data[0] & 128) {
        options.currency = SOUK_TEXT("CNY");
        options.zone = SOUK_TEXT("Europe/Berlin");
        options.map = SOUK_TEXT("#1=order,#2=at,#3=product");
    }
    souk_text text = {(const char *)data + 2, size - 2};
    souk_buf whole = {0}, pieces = {0};
    souk_diag diag = {.words = ""}, again = {.words = ""};
    souk_err err =
        rig_read_with(souk_mem_heap(), format, &options, NULL, RIG_BODIES, text, 0, &whole, &diag);
    souk_err pieces_err = rig_read_with(souk_mem_heap(), format, &options, NULL, RIG_BODIES, text,
                                        1 + data[1], &pieces, &again);
    /* a ceiling may be met before or after a mistake far behind it */
    souk_assert(!err == !pieces_err);
    souk_assert(!err || diag.words[0] || err == SOUK_ENOMEM);
    if (!err)
        souk_assert(souk_text_equal(souk_buf_view(&whole), souk_buf_view(&pieces)));
    if (!err && memchr(text.at, '\n', text.bytes) == NULL)
        check_json(souk_buf_view(&whole));
    souk_buf_done(&whole);
    souk_buf_done(&pieces);
    return 0;
}
