/* import_products.c - a table of products: a row is a product of the catalogue (core/product.h).
 *
 * Required: a code.  What no column means goes to its attributes under its heading.  A code that stands twice in a
 * file is a fault: nobody knows which row holds. */
#include "base/currency.h"
#include "service/collect/import_product_words.h"
#include "service/collect/import_record.h"
#include "service/collect/import_table.h"

struct state {
    import_table table;
    import_ordinals codes;
};

/* A price needs a currency, and it is better asked for once than missed in every row. */
static souk_err ready(import_table *table, souk_diag *diag)
{
    const import_guess *guess = table->guess;
    char currency[4] = "";
    souk_decimal price;
    SOUK_TRY(import_guess_need(guess, IMPORT_P_CODE, diag));
    if (!import_table_has(table, IMPORT_P_PRICE) || import_table_has(table, IMPORT_P_CURRENCY) ||
        guess->currency[0])
        return SOUK_OK;
    souk_text sample = guess->columns[guess->column_of[IMPORT_P_PRICE]].sample;
    if (sample.bytes == 0 ||
        (import_read_money(sample, &guess->habits, &price, currency) && currency[0]))
        return SOUK_OK;
    return souk_diag_say(diag, SOUK_EINVAL,
                         "the prices have no currency: pass --currency, such as --currency EUR");
}

static souk_err read_price(import_table *table, souk_product *product, souk_diag *fault)
{
    bool there;
    char currency[4] = "";
    SOUK_TRY(import_table_money(table, IMPORT_P_PRICE, &product->price, currency, &there, fault));
    SOUK_TRY(import_table_currency(table, IMPORT_P_CURRENCY, currency, fault));
    if (there && !currency[0])
        return import_table_blame(table, IMPORT_P_PRICE, "has no currency: pass --currency", fault);
    if (there)
        memcpy(product->currency, currency, sizeof product->currency);
    return SOUK_OK;
}

/* The members of a cell that holds a JSON object, as an export has it; any other text is an attribute of its own. */
static souk_err write_told_attributes(import_table *table, souk_text cell, souk_json_writer *json)
{
    souk_json_doc doc = {.mem = table->sink->mem};
    souk_err err = souk_json_read(&doc, cell, NULL, NULL);
    if (!err && souk_json_type(&doc, souk_json_root(&doc)) == SOUK_JSON_OBJECT) {
        for (souk_json_node node = souk_json_first(&doc, souk_json_root(&doc));
             node != SOUK_JSON_NONE; node = souk_json_next(&doc, node)) {
            souk_json_write_raw_key(json, souk_json_key(&doc, node));
            souk_json_write_raw(json, souk_json_raw(&doc, node));
        }
    } else if (err != SOUK_ENOMEM) {
        souk_json_put_text(json, "attributes", cell);
    }
    souk_json_doc_done(&doc);
    return err == SOUK_ENOMEM ? err : SOUK_OK;
}

static souk_err write_attributes(import_table *table, souk_product *product)
{
    souk_json_writer json = {.out = &table->body};
    souk_text told = import_table_cell(table, IMPORT_P_ATTRIBUTES);
    souk_text since = import_table_has(table, IMPORT_P_DESCRIBED)
                          ? SOUK_TEXT("") /* an export's: when it was told */
                          : import_table_cell(table, IMPORT_P_SINCE);
    if (!import_table_has_rest(table) && told.bytes == 0 && since.bytes == 0)
        return SOUK_OK;
    souk_buf_clear(&table->body);
    souk_json_write_object(&json);
    if (told.bytes)
        SOUK_TRY(write_told_attributes(table, told, &json));
    if (since.bytes)
        souk_json_put_text(&json, "since", since);
    import_table_write_rest(table, &json);
    souk_json_write_end(&json);
    SOUK_TRY(souk_json_write_check(&json));
    product->attributes = import_keep(table->sink, souk_buf_view(&table->body));
    return SOUK_OK;
}

static souk_err read_row(import_table *table, souk_diag *fault)
{
    struct state *state = (struct state *)(void *)table;
    souk_import_sink *sink = table->sink;
    souk_import_entry entry = {.kind = SOUK_IMPORT_PRODUCT};
    souk_product *product = &entry.product;
    uint32_t ordinal;
    if (import_read_yes(import_table_cell(table, IMPORT_P_DESCRIBED)) == 0)
        return SOUK_OK; /* an export names codes that nobody has described */
    const struct {
        int meaning;
        souk_text *text;
    } texts[] = {{IMPORT_P_CODE, &product->code},   {IMPORT_P_TITLE, &product->title},
                 {IMPORT_P_BRAND, &product->brand}, {IMPORT_P_CATEGORY, &product->category},
                 {IMPORT_P_URL, &product->url},     {IMPORT_P_IMAGE, &product->image}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i].text = import_keep(sink, import_table_cell(table, texts[i].meaning));
    SOUK_TRY(
        import_read_gtin(sink, import_table_cell(table, IMPORT_P_GTIN), &product->gtin, fault));
    product->availability =
        import_keep(sink, import_availability(import_table_cell(table, IMPORT_P_AVAILABILITY)));
    SOUK_TRY(read_price(table, product, fault));
    SOUK_TRY(write_attributes(table, product));
    if (sink->room->failed)
        return SOUK_ENOMEM;
    SOUK_TRY(souk_product_check(product, fault));
    SOUK_TRY(import_ordinal_next(&state->codes, import_order_hash(sink, product->code), &ordinal));
    if (ordinal > 1)
        return import_table_blame(table, IMPORT_P_CODE,
                                  "stands in this file before: one row a product", fault);
    return souk_import_put_entry(sink, sink->rows, &entry);
}

static souk_err begin(void *opaque, souk_import_sink *sink, souk_diag *diag)
{
    struct state *state = opaque;
    (void)diag;
    state->codes.mem = sink->mem;
    return import_table_begin(&state->table, sink, &import_products_kind, ready, read_row);
}

static souk_err feed(void *opaque, souk_text piece, bool last, souk_diag *diag)
{
    struct state *state = opaque;
    return import_table_feed(&state->table, piece, last, diag);
}

static void done(void *opaque)
{
    struct state *state = opaque;
    import_ordinals_done(&state->codes);
    import_table_done(&state->table);
}

const souk_import_format souk_import_products = {
    .name = "products",
    .summary = "CSV of any heading: a row is a product",
    .state_bytes = sizeof(struct state),
    .begin = begin,
    .feed = feed,
    .done = done,
    .tell = import_table_tell,
    .is_mapped = true,
    .has_entries = true,
};
