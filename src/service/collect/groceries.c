/* groceries.c - the arules "Groceries" file: a line is one basket, its items parted by commas, no heading.
 *
 *     citrus fruit,semi-finished bread,margarine,ready soups
 *
 * A line is an event "Order Completed" of nobody, an item a line of it, without prices; item names are trimmed
 * and are their own codes.  Baskets are often the same: the identity of a line is (its text, ordinal among equal
 * ones).  The file has no dates: its baskets are dated to the moment of the import. */
#include "service/collect/import_basket.h"

#include "base/csv.h"

#include <stdio.h>

enum { ITEMS_MOST = SOUK_IMPORT_ROW_EVENTS * SOUK_EVENT_LINES };

struct state {
    souk_import_sink *sink;
    souk_csv *csv;
    import_basket basket;
    import_ordinals baskets;
    souk_buf text;
};

static souk_err put_fault(struct state *state, const souk_csv_row *row, const souk_diag *fault)
{
    souk_json_writer json = {.out = &state->text};
    souk_buf_clear(&state->text);
    souk_json_write_array(&json);
    for (size_t i = 0; i < row->field_count; i++)
        souk_json_write_text(&json, row->fields[i]);
    souk_json_write_end(&json);
    SOUK_TRY(souk_json_write_check(&json));
    return souk_import_put_fault(state->sink, row->line, fault, souk_buf_view(&state->text));
}

/* What tells this line apart: a hash of its items, and which of those that are equal it is. */
static souk_err name_basket(struct state *state, const souk_csv_row *row, char *key, size_t room,
                            int *ret_bytes)
{
    souk_buf_clear(&state->text);
    for (size_t i = 0; i < row->field_count; i++) {
        souk_buf_text(&state->text, souk_text_trim(row->fields[i]));
        souk_buf_byte(&state->text, '\n');
    }
    SOUK_TRY(souk_buf_check(&state->text));
    souk_hash128 hash =
        souk_hashes_message(state->sink->hashes, state->sink->source, souk_buf_view(&state->text));
    uint32_t ordinal;
    SOUK_TRY(import_ordinal_next(&state->baskets, hash.low, &ordinal));
    import_put_hash(hash, key);
    *ret_bytes = IMPORT_HASH_DIGITS +
                 snprintf(key + IMPORT_HASH_DIGITS, room - IMPORT_HASH_DIGITS, "/%u", ordinal);
    return SOUK_OK;
}

static souk_err take_items(struct state *state, const souk_csv_row *row, souk_diag *fault)
{
    char key[64];
    int bytes;
    if (row->field_count > ITEMS_MOST)
        return souk_diag_say(fault, SOUK_EINVAL,
                             "%zu items where a basket has at most %d: write it as two",
                             row->field_count, ITEMS_MOST);
    for (size_t i = 0; i < row->field_count; i++) {
        souk_text item = souk_text_trim(row->fields[i]);
        if (item.bytes == 0 || item.bytes > SOUK_EVENT_NAME_BYTES)
            return souk_diag_say(fault, SOUK_EINVAL, "item %zu is empty or above %d bytes", i + 1,
                                 SOUK_EVENT_NAME_BYTES);
    }
    SOUK_TRY(name_basket(state, row, key, sizeof key, &bytes));
    import_order order = {.key = {key, (size_t)bytes},
                          .at = state->sink->received,
                          .type = SOUK_TEXT("Order Completed"),
                          .flags = SOUK_EVENT_ORDER | SOUK_EVENT_SALE,
                          .is_whole = true};
    state->sink->row_open = true;
    for (size_t i = 0; i < row->field_count; i++) {
        souk_text item = souk_text_trim(row->fields[i]);
        import_line line = {.line = {.product = item, .name = item, .quantity = {1000000}}};
        SOUK_TRY(import_basket_row(&state->basket, &order, &line, fault));
    }
    state->sink->row_open = false;
    return import_basket_end(&state->basket);
}

static souk_err begin(void *opaque, souk_import_sink *sink, souk_diag *diag)
{
    struct state *state = opaque;
    (void)diag;
    state->sink = sink;
    state->text.mem = state->baskets.mem = sink->mem;
    SOUK_TRY(import_basket_begin(&state->basket, sink));
    return souk_csv_new(sink->mem, &(souk_csv_options){.max_row_bytes = 65536}, &state->csv);
}

static souk_err feed(void *opaque, souk_text piece, bool last, souk_diag *diag)
{
    struct state *state = opaque;
    souk_csv_row row;
    souk_csv_feed(state->csv, piece, last);
    while (souk_csv_next(state->csv, &row)) {
        souk_diag fault = {.words = ""};
        state->sink->rows++;
        souk_err err = take_items(state, &row, &fault);
        if (err == SOUK_EINVAL)
            err = put_fault(state, &row, &fault);
        SOUK_TRY(err);
    }
    SOUK_TRY(souk_csv_check(state->csv, diag));
    return last && state->sink->rows == 0 ? souk_diag_say(diag, SOUK_EINVAL, "the file is empty")
                                          : SOUK_OK;
}

static void done(void *opaque)
{
    struct state *state = opaque;
    import_ordinals_done(&state->baskets);
    import_basket_done(&state->basket);
    souk_csv_free(state->csv);
    souk_buf_done(&state->text);
}

const souk_import_format souk_import_groceries = {
    .name = "groceries",
    .summary = "arules Groceries: a line is a basket of nobody's, items parted by commas",
    .state_bytes = sizeof(struct state),
    .begin = begin,
    .feed = feed,
    .done = done,
};
