/* merchant_feed.c - a product feed as Google Merchant takes it: a table parted by tabs, RSS 2.0 or Atom with g:.
 *
 *     id   title   description   link   image_link   availability   price       brand   gtin …
 *     A-1  Tea     …             …      …            in_stock       15.00 CNY   Leaf    4006381333931
 *
 * An item is a product of the catalogue (core/product.h): id is its code, product_type its category, or
 * google_product_category where there is none; price "15.00 CNY".  All else (description, sale_price, mpn,
 * item_group_id, condition, shipping …) goes to its attributes by its name, as a list where it comes again.
 * An id that comes twice is a fault.
 * Not taken: a local inventory (store_code, id, quantity): stock by store has no place yet, and the file is refused. */
#include "base/currency.h"
#include "service/collect/import_product_words.h"
#include "service/collect/import_record.h"
#include "service/collect/import_table.h"
#include "service/collect/import_values.h"
#include "service/collect/merchant_xml.h"

struct state {
    import_table table; /* where it is one */
    souk_import_sink *sink;
    enum { FEED_UNKNOWN, FEED_TABLE, FEED_XML } form;
    merchant_xml *xml;
    import_ordinals codes;
    souk_buf head; /* until the form is known */
    souk_buf body;
    merchant_field *fields; /* [MERCHANT_FIELDS], of a table's row */
};

/* ---- an item is a product ---------------------------------------------------------------------------------------- */

static souk_text value_of(const merchant_item *item, const char *name)
{
    for (size_t i = 0; i < item->count; i++)
        if (souk_text_equal(item->fields[i].name, souk_text_of(name)))
            return item->fields[i].value;
    return SOUK_TEXT("");
}

static bool is_told_before(const merchant_item *item, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (souk_text_equal(item->fields[i].name, item->fields[at].name))
            return true;
    return false;
}

static void write_values(souk_json_writer *json, const merchant_item *item, size_t at)
{
    size_t count = 0;
    for (size_t i = at; i < item->count; i++)
        count += souk_text_equal(item->fields[i].name, item->fields[at].name);
    souk_json_write_key(json, item->fields[at].name);
    if (count > 1)
        souk_json_write_array(json);
    for (size_t i = at; i < item->count; i++)
        if (souk_text_equal(item->fields[i].name, item->fields[at].name))
            souk_json_write_text(json, item->fields[i].value);
    if (count > 1)
        souk_json_write_end(json);
}

/* Every field but those that the product has places for. */
static souk_err write_attributes(struct state *state, const merchant_item *item, bool all)
{
    static const char *const placed[] = {"id",         "title", "brand",        "gtin", "link",
                                         "image_link", "price", "availability", NULL};
    souk_json_writer json = {.out = &state->body};
    bool has_type = value_of(item, "product_type").bytes > 0;
    souk_buf_clear(&state->body);
    souk_json_write_object(&json);
    for (size_t i = 0; i < item->count; i++) {
        souk_text name = item->fields[i].name;
        const char *const *known = placed;
        while (*known && !souk_text_equal(name, souk_text_of(*known)))
            known++;
        bool is_category = souk_text_equal(name, has_type ? SOUK_TEXT("product_type")
                                                          : SOUK_TEXT("google_product_category"));
        if (((*known || is_category) && !all) || is_told_before(item, i))
            continue;
        write_values(&json, item, i);
    }
    souk_json_write_end(&json);
    return souk_json_write_check(&json);
}

static souk_err read_price(struct state *state, souk_text told, souk_product *product,
                           souk_diag *fault)
{
    const import_habits habits = {.decimal = '.'};
    if (told.bytes == 0)
        return SOUK_OK;
    if (!import_read_money(told, &habits, &product->price, product->currency))
        return souk_diag_say(fault, SOUK_EINVAL, "price is no amount such as 15.00 CNY");
    souk_text currency = state->sink->options->currency;
    if (!product->currency[0] && souk_currency_read(currency, product->currency))
        return souk_diag_say(fault, SOUK_EINVAL,
                             "price has no currency: write 15.00 CNY, or pass --currency");
    return SOUK_OK;
}

static souk_err read_item(struct state *state, const merchant_item *item, souk_diag *fault)
{
    souk_import_sink *sink = state->sink;
    souk_import_entry entry = {.kind = SOUK_IMPORT_PRODUCT};
    souk_product *product = &entry.product;
    uint32_t ordinal;
    souk_text category = value_of(item, "product_type");
    if (item->fields_cut)
        return souk_diag_say(fault, SOUK_EINVAL,
                             "the item has more than %d fields or %d bytes: shorten it",
                             MERCHANT_FIELDS, MERCHANT_ITEM_BYTES);
    if (category.bytes == 0)
        category = value_of(item, "google_product_category");
    product->code = import_keep(sink, value_of(item, "id"));
    product->title = import_keep(sink, value_of(item, "title"));
    product->brand = import_keep(sink, value_of(item, "brand"));
    product->category = import_keep(sink, category);
    product->url = import_keep(sink, value_of(item, "link"));
    product->image = import_keep(sink, value_of(item, "image_link"));
    product->availability = import_keep(sink, import_availability(value_of(item, "availability")));
    SOUK_TRY(import_read_gtin(sink, value_of(item, "gtin"), &product->gtin, fault));
    SOUK_TRY(read_price(state, value_of(item, "price"), product, fault));
    SOUK_TRY(write_attributes(state, item, false));
    if (state->body.bytes > 2) /* {} is nothing */
        product->attributes = import_keep(sink, souk_buf_view(&state->body));
    if (sink->room->failed)
        return SOUK_ENOMEM;
    SOUK_TRY(souk_product_check(product, fault));
    SOUK_TRY(import_ordinal_next(&state->codes, import_order_hash(sink, product->code), &ordinal));
    if (ordinal > 1)
        return souk_diag_say(fault, SOUK_EINVAL, "the id '%.*s' stands in this feed before",
                             SOUK_TEXT_PRINT(product->code));
    return souk_import_put_entry(sink, sink->rows, &entry);
}

static souk_err refuse_inventory(souk_diag *diag)
{
    return souk_diag_say(diag, SOUK_EINVAL,
                         "this is a local inventory (it has store_code): stock by store is not "
                         "taken yet, import the product feed alone");
}

/* ---- XML ------------------------------------------------------------------------------------------------------------ */

static souk_err take_item(void *context, const merchant_item *item, souk_diag *diag)
{
    struct state *state = context;
    souk_diag fault = {.words = ""};
    if (value_of(item, "store_code").bytes)
        return refuse_inventory(diag);
    state->sink->rows++;
    souk_err err = read_item(state, item, &fault);
    if (err != SOUK_EINVAL)
        return err;
    SOUK_TRY(write_attributes(state, item, true));
    return souk_import_put_fault(state->sink, item->line, &fault, souk_buf_view(&state->body));
}

/* ---- a table ---------------------------------------------------------------------------------------------------------- */

/* "g:image link" is image_link. */
static souk_err name_columns(struct state *state)
{
    import_guess *guess = state->table.guess;
    for (size_t i = 0; i < guess->column_count; i++) {
        souk_text name = guess->columns[i].name;
        if (souk_text_starts(name, SOUK_TEXT("g:")))
            name = souk_text_range(name.at + 2, name.at + name.bytes);
        char *folded = souk_arena_copy(&guess->arena, name.at, name.bytes);
        if (guess->arena.failed)
            return SOUK_ENOMEM;
        for (size_t k = 0; k < name.bytes; k++) {
            char c = folded[k];
            folded[k] = c == ' ' ? '_' : c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
        }
        guess->columns[i].name = (souk_text){folded, name.bytes};
    }
    return SOUK_OK;
}

static bool has_column(const import_guess *guess, const char *name)
{
    for (size_t i = 0; i < guess->column_count; i++)
        if (souk_text_equal(guess->columns[i].name, souk_text_of(name)))
            return true;
    return false;
}

static souk_err ready(import_table *table, souk_diag *diag)
{
    struct state *state = (struct state *)(void *)table;
    SOUK_TRY(name_columns(state));
    if (has_column(table->guess, "store_code"))
        return refuse_inventory(diag);
    if (!has_column(table->guess, "id"))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "line 1 has no column id: a product feed names its columns id, title, "
                             "price …; a table with other names is `souk import products`");
    if (table->guess->column_count > MERCHANT_FIELDS)
        return souk_diag_say(diag, SOUK_ETOOBIG, "line 1 has more than %d columns",
                             MERCHANT_FIELDS);
    state->fields = souk_mem_array(state->sink->mem, MERCHANT_FIELDS, sizeof *state->fields);
    return state->fields ? SOUK_OK : SOUK_ENOMEM;
}

static souk_err read_row(import_table *table, souk_diag *fault)
{
    struct state *state = (struct state *)(void *)table;
    merchant_item item = {.fields = state->fields};
    size_t most = souk_min_size(table->cell_count, table->guess->column_count);
    for (size_t i = 0; i < most; i++) {
        souk_text value = souk_text_trim(table->cells[i]);
        if (value.bytes && table->guess->columns[i].name.bytes)
            state->fields[item.count++] = (merchant_field){table->guess->columns[i].name, value};
    }
    return read_item(state, &item, fault);
}

/* ---- the format -------------------------------------------------------------------------------------------------------- */

/* Columns mean what they are called: nothing is guessed but how the table is written. */
static const import_kind feed_kind = {"feeds", NULL, 0};

static souk_err begin(void *opaque, souk_import_sink *sink, souk_diag *diag)
{
    struct state *state = opaque;
    (void)diag;
    state->sink = sink;
    state->codes.mem = state->head.mem = state->body.mem = sink->mem;
    return import_table_begin(&state->table, sink, &feed_kind, ready, read_row);
}

/* The first bytes that are neither white space nor a mark; the form stays unknown until one comes. */
static souk_err find_form(struct state *state, bool last, souk_diag *diag)
{
    souk_text head = souk_buf_view(&state->head);
    bool is_wide = head.bytes > 3 && (head.at[0] == '<' ? head.at[1] == 0 : head.at[1] == '<');
    if (souk_text_starts(head, SOUK_TEXT("\xEF\xBB\xBF")))
        head = souk_text_range(head.at + 3, head.at + head.bytes);
    if ((souk_text_starts(head, SOUK_TEXT("\xFF\xFE")) ||
         souk_text_starts(head, SOUK_TEXT("\xFE\xFF"))) &&
        head.bytes > 3)
        is_wide = head.at[2] == '<' || head.at[3] == '<';
    head = souk_text_trim(head);
    if (head.bytes < 4 && !last)
        return SOUK_OK;
    if (last && head.bytes == 0)
        return souk_diag_say(diag, SOUK_EINVAL, "the file is empty");
    state->form = is_wide || head.at[0] == '<' ? FEED_XML : FEED_TABLE;
    return state->form == FEED_XML
               ? merchant_xml_new(state->sink->mem, take_item, state, &state->xml)
               : SOUK_OK;
}

static souk_err feed(void *opaque, souk_text piece, bool last, souk_diag *diag)
{
    struct state *state = opaque;
    if (state->form == FEED_UNKNOWN) {
        souk_buf_text(&state->head, piece);
        SOUK_TRY(souk_buf_check(&state->head));
        SOUK_TRY(find_form(state, last, diag));
        piece = souk_buf_view(&state->head);
    }
    switch (state->form) {
    case FEED_TABLE:
        return import_table_feed(&state->table, piece, last, diag);
    case FEED_XML:
        return merchant_xml_feed(state->xml, piece, last, diag);
    case FEED_UNKNOWN:
        break;
    }
    return SOUK_OK;
}

static void done(void *opaque)
{
    struct state *state = opaque;
    import_ordinals_done(&state->codes);
    import_table_done(&state->table);
    merchant_xml_free(state->xml);
    souk_mem_put(state->sink->mem, state->fields);
    souk_buf_done(&state->head);
    souk_buf_done(&state->body);
}

static void tell(const void *opaque, souk_json_writer *out)
{
    const struct state *state = opaque;
    souk_json_put_text(out, "form",
                       state->form == FEED_XML ? SOUK_TEXT("XML") : SOUK_TEXT("table"));
}

const souk_import_format souk_import_merchant_feed = {
    .name = "merchant-feed",
    .summary = "a Google Merchant product feed: a table, RSS 2.0 or Atom",
    .state_bytes = sizeof(struct state),
    .begin = begin,
    .feed = feed,
    .done = done,
    .tell = tell,
    .has_entries = true,
};
