/* import_orders.c - a table of orders: a row is a line of an order, or an order.
 *
 * Required: an order's number, its time, and one of product, name, amount, total.  Rows of an order that stand
 * together become one event (import_basket.h); an order's number is its own within its store, where a column tells the
 * store.  The time of day may be a column of its own.  Where a row tells its line alone, as web shops write them, what it
 * leaves out of the order is that of the row above.
 * Amount   of a line: the column amount, or price times quantity (1 where there is none).  Of the order: the
 *          column total, counted once, or the sum of its lines
 * Status   a word for cancelled makes an "Order Cancelled" without revenue, one for returned an "Order Refunded"
 *          that takes revenue back; all else is an "Order Completed".  A quantity below zero takes back by itself
 * Product  without a column of codes the name is the code */
#include "service/collect/import_basket.h"
#include "service/collect/import_table.h"

struct state {
    import_table table;
    import_basket basket;
    souk_text
        above[IMPORT_ORDERS_COUNT]; /* what the rows in hand say of their order, in above_text */
    souk_buf above_text;
};

static souk_err ready(import_table *table, souk_diag *diag)
{
    static const int any[] = {IMPORT_PRODUCT_CODE, IMPORT_NAME, IMPORT_AMOUNT, IMPORT_TOTAL};
    SOUK_TRY(import_guess_need(table->guess, IMPORT_ORDER, diag));
    SOUK_TRY(import_guess_need(table->guess, IMPORT_AT, diag));
    return import_guess_need_one(table->guess, any, sizeof any / sizeof *any, diag);
}

/* ---- what became of it -------------------------------------------------------------------------------------------- */

enum fate { COMPLETED, CANCELLED, REFUNDED };

static enum fate fate_of(souk_text status)
{
    static const struct {
        const char *word;
        enum fate fate;
    } words[] = {
        {"cancel", CANCELLED},
        {"void", CANCELLED},
        {"storniert", CANCELLED},
        {"storno", CANCELLED},
        {"annul", CANCELLED},
        {"取消", CANCELLED},
        {"关闭", CANCELLED},
        {"refund", REFUNDED},
        {"return", REFUNDED},
        {"erstattet", REFUNDED},
        {"retoure", REFUNDED},
        {"zur\xC3\xBC"
         "ckgegeben",
         REFUNDED},
        {"rembours", REFUNDED},
        {"retour", REFUNDED},
        {"退款", REFUNDED},
        {"退货", REFUNDED},
    };
    char folded[64];
    size_t bytes = souk_min_size(status.bytes, sizeof folded);
    for (size_t i = 0; i < bytes; i++) {
        char c = status.at[i];
        folded[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    for (size_t i = 0; bytes && i < sizeof words / sizeof *words; i++)
        if (memmem(folded, bytes, words[i].word, strlen(words[i].word)))
            return words[i].fate;
    return COMPLETED;
}

static void negate(souk_decimal *decimal)
{
    if (decimal->micro > 0)
        decimal->micro = -decimal->micro;
}

/* ---- a row ----------------------------------------------------------------------------------------------------------- */

static souk_err read_line(import_table *table, import_line *line, char currency[4],
                          souk_diag *fault)
{
    souk_decimal quantity = {1000000}, price = {0}, amount = {0};
    bool has_amount, has_price;
    souk_text code = import_table_cell(table, IMPORT_PRODUCT_CODE),
              name = import_table_cell(table, IMPORT_NAME),
              category = import_table_cell(table, IMPORT_CATEGORY);
    if (!import_table_has(table, IMPORT_PRODUCT_CODE))
        code = name;
    if (code.bytes > SOUK_EVENT_NAME_BYTES)
        return import_table_blame(
            table, import_table_has(table, IMPORT_PRODUCT_CODE) ? IMPORT_PRODUCT_CODE : IMPORT_NAME,
            "has more than 100 bytes, too many for a product's code", fault);
    SOUK_TRY(import_table_money(table, IMPORT_QUANTITY, &quantity, NULL, NULL, fault));
    SOUK_TRY(import_table_money(table, IMPORT_PRICE, &price, currency, &has_price, fault));
    SOUK_TRY(import_table_money(table, IMPORT_AMOUNT, &amount, currency, &has_amount, fault));
    if (!has_amount && has_price && souk_decimal_mul(price, quantity, &amount, NULL))
        return import_table_blame(table, IMPORT_PRICE, "times the quantity does not fit", fault);
    *line = (import_line){
        .line = {.product = code, .name = name, .quantity = quantity, .amount = amount},
        .quantity = import_table_cell(table, IMPORT_QUANTITY),
        .price = import_table_cell(table, IMPORT_PRICE)};
    if (category.bytes <= SOUK_EVENT_NAME_BYTES)
        line->line.category = category;
    return SOUK_OK;
}

/* What the row says besides: of the line, in its product. */
static void write_more(const void *context, souk_json_writer *json)
{
    const import_table *table = context;
    souk_text amount = import_table_cell(table, IMPORT_AMOUNT);
    if (amount.bytes) {
        souk_json_put_text(json, "amount", amount);
    }
    import_table_write_rest(table, json);
}

static void write_order(const void *context, souk_json_writer *json)
{
    const import_table *table = context;
    static const int meanings[] = {IMPORT_TOTAL, IMPORT_STATUS};
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        souk_text cell = import_table_cell(table, meanings[i]);
        if (cell.bytes == 0)
            continue;
        souk_json_write_key(json, souk_text_of(table->kind->meanings[meanings[i]].name));
        souk_json_write_text(json, cell);
    }
}

static souk_err read_key(import_table *table, import_order *order, char key[IMPORT_ORDER_BYTES],
                         souk_diag *fault)
{
    souk_text number = import_table_cell(table, IMPORT_ORDER),
              store = import_table_cell(table, IMPORT_STORE);
    if (number.bytes == 0 || number.bytes > 90)
        return import_table_blame(table, IMPORT_ORDER, "is empty or above 90 bytes", fault);
    if (store.bytes > SOUK_EVENT_NAME_BYTES)
        return import_table_blame(table, IMPORT_STORE, "has more than 100 bytes", fault);
    order->id = number;
    order->store = store;
    order->key = number;
    if (store.bytes) {
        memcpy(key, store.at, store.bytes);
        key[store.bytes] = '/';
        memcpy(key + store.bytes + 1, number.at, number.bytes);
        order->key = (souk_text){key, store.bytes + 1 + number.bytes};
    }
    return SOUK_OK;
}

static souk_err read_order(import_table *table, import_order *order, souk_diag *fault)
{
    static const struct {
        int meaning;
        souk_id_kind kind;
    } ids[] = {{IMPORT_USER, SOUK_ID_USER},
               {IMPORT_CARD, SOUK_ID_CARD},
               {IMPORT_PHONE_COLUMN, SOUK_ID_PHONE},
               {IMPORT_EMAIL_COLUMN, SOUK_ID_EMAIL},
               {IMPORT_OPEN, SOUK_ID_OPEN}};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        souk_text value = import_table_cell(table, ids[i].meaning);
        if (value.bytes == 0)
            continue;
        order->ids[order->id_count].kind = ids[i].kind;
        order->ids[order->id_count].value = value;
        order->ids[order->id_count++].name = table->kind->meanings[ids[i].meaning].name;
    }
    order->more = write_order;
    order->context = table;
    SOUK_TRY(import_table_money(table, IMPORT_TOTAL, &order->total, order->currency,
                                &order->has_total, fault));
    SOUK_TRY(import_table_currency(table, IMPORT_CURRENCY_COLUMN, order->currency, fault));
    return import_table_time(table, IMPORT_AT, IMPORT_TIME_COLUMN, &order->at, fault);
}

static void settle_fate(import_order *order, import_line *line, enum fate fate)
{
    static const souk_text types[] = {
        {"Order Completed", 15}, {"Order Cancelled", 15}, {"Order Refunded", 14}};
    static const uint8_t flags[] = {SOUK_EVENT_ORDER | SOUK_EVENT_SALE, SOUK_EVENT_CANCELLED,
                                    SOUK_EVENT_SALE};
    order->type = types[fate];
    order->flags = flags[fate];
    if (fate != REFUNDED)
        return;
    negate(&order->total);
    negate(&line->line.amount);
    negate(&line->line.quantity);
}

static souk_err read_rest(import_table *table, import_order *order, import_line *line,
                          souk_diag *fault)
{
    SOUK_TRY(read_line(table, line, order->currency, fault));
    line->more = write_more;
    line->context = table;
    SOUK_TRY(read_order(table, order, fault));
    settle_fate(order, line, fate_of(import_table_cell(table, IMPORT_STATUS)));
    return SOUK_OK;
}

/* A row of the same number, and of no other store, goes on with the order above it. */
static souk_err look_above(struct state *state)
{
    static const int meanings[] = {
        IMPORT_ORDER,           IMPORT_AT,           IMPORT_TIME_COLUMN, IMPORT_TOTAL,
        IMPORT_CURRENCY_COLUMN, IMPORT_STORE,        IMPORT_USER,        IMPORT_CARD,
        IMPORT_PHONE_COLUMN,    IMPORT_EMAIL_COLUMN, IMPORT_STATUS,      IMPORT_OPEN};
    enum { MEANINGS = sizeof meanings / sizeof *meanings };
    import_table *table = &state->table;
    table->above = NULL;
    souk_text number = import_table_cell(table, IMPORT_ORDER),
              store = import_table_cell(table, IMPORT_STORE);
    bool same_store = store.bytes == 0 || souk_text_equal(store, state->above[IMPORT_STORE]);
    if (number.bytes && same_store && souk_text_equal(number, state->above[IMPORT_ORDER])) {
        table->above = state->above;
        return SOUK_OK;
    }
    souk_buf_clear(&state->above_text);
    for (size_t i = 0; i < MEANINGS; i++)
        souk_buf_text(&state->above_text, import_table_cell(table, meanings[i]));
    SOUK_TRY(souk_buf_check(&state->above_text));
    const char *at = state->above_text.at;
    for (size_t i = 0; i < MEANINGS; i++) {
        size_t bytes = import_table_cell(table, meanings[i]).bytes;
        state->above[meanings[i]] = bytes ? (souk_text){at, bytes} : SOUK_TEXT("");
        at += bytes;
    }
    return SOUK_OK;
}

static souk_err read_row(import_table *table, souk_diag *fault)
{
    struct state *state = (struct state *)(void *)table;
    char key[IMPORT_ORDER_BYTES];
    import_order order = {.has_total = false};
    import_line line;
    SOUK_TRY(look_above(state));
    SOUK_TRY(read_key(table, &order, key, fault));
    SOUK_TRY(read_rest(table, &order, &line, fault));
    bool has_line = import_table_has(table, IMPORT_PRODUCT_CODE) ||
                    import_table_has(table, IMPORT_NAME) ||
                    import_table_has(table, IMPORT_AMOUNT) || import_table_has_rest(table);
    return import_basket_row(&state->basket, &order, has_line ? &line : NULL, fault);
}

static souk_err refuse(import_table *table, bool is_whole, souk_diag *fault)
{
    struct state *state = (struct state *)(void *)table;
    char key[IMPORT_ORDER_BYTES];
    import_order order = {.has_total = false};
    if (is_whole && read_key(table, &order, key, NULL))
        order.key = SOUK_TEXT("");
    return import_basket_refuse(&state->basket, order.key, "order", fault);
}

/* ---- the format -------------------------------------------------------------------------------------------------------- */

static souk_err begin(void *opaque, souk_import_sink *sink, souk_diag *diag)
{
    struct state *state = opaque;
    (void)diag;
    state->above_text.mem = sink->mem;
    for (size_t i = 0; i < IMPORT_ORDERS_COUNT; i++)
        state->above[i] = SOUK_TEXT("");
    SOUK_TRY(import_basket_begin(&state->basket, sink));
    SOUK_TRY(import_table_begin(&state->table, sink, &import_orders_kind, ready, read_row));
    state->table.refuse = refuse;
    return SOUK_OK;
}

static souk_err feed(void *opaque, souk_text piece, bool last, souk_diag *diag)
{
    struct state *state = opaque;
    SOUK_TRY(import_table_feed(&state->table, piece, last, diag));
    return last ? import_basket_end(&state->basket) : SOUK_OK;
}

static void done(void *opaque)
{
    struct state *state = opaque;
    import_basket_done(&state->basket);
    souk_buf_done(&state->above_text);
    import_table_done(&state->table);
}

const souk_import_format souk_import_orders = {
    .name = "orders",
    .summary = "CSV of any heading: a row is a line of an order",
    .state_bytes = sizeof(struct state),
    .begin = begin,
    .feed = feed,
    .done = done,
    .tell = import_table_tell,
    .is_mapped = true,
};
