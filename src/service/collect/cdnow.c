/* cdnow.c - CDNOW's purchases (Fader and Hardie): a row is one purchase, of some CDs for an amount.
 *
 *     customer_id,date,cds,amount_usd
 *     00001,20210101,1,11.77
 *
 * A row is an event "Order Completed" of the customer, its line the product "CD" with the number of CDs.  A customer
 * may buy twice a day, also the same: the identity of a row is (customer, date, ordinal among those).  So those behind
 * a bad one keep theirs; where its customer or date cannot be read, those beside it stay out (import_record.h).
 * Dates are midnight UTC. */
#include "base/currency.h"
#include "service/collect/import_record.h"
#include "service/collect/import_rows.h"

static const char *const columns[] = {"customer_id", "date", "cds", "amount_usd", NULL};
enum { CUSTOMER, DATE, CDS, AMOUNT, FIELDS };

struct state {
    import_rows rows;
    import_ordinals purchases;
};

/* 20210101 */
static bool read_date(souk_text text, souk_time *ret_at)
{
    uint64_t number;
    if (text.bytes != 8 || souk_text_to_u64(text, &number))
        return false;
    souk_date date = {(int32_t)(number / 10000), (uint8_t)(number / 100 % 100),
                      (uint8_t)(number % 100)};
    if (!souk_date_valid(date))
        return false;
    *ret_at = souk_date_day(date) * SOUK_DAY_MS;
    return true;
}

static souk_err write_body(import_rows *rows, const souk_text *fields)
{
    souk_json_writer json = {.out = &rows->body};
    static const char *const names[] = {"product_id", "quantity"};
    souk_text values[] = {SOUK_TEXT("CD"), fields[CDS]};
    souk_buf_clear(&rows->body);
    souk_json_write_object(&json);
    souk_json_put_text(&json, "type", SOUK_TEXT("track"));
    souk_json_put_text(&json, "event", SOUK_TEXT("Order Completed"));
    souk_json_put_text(&json, "userId", fields[CUSTOMER]);
    souk_json_put_object(&json, "properties");
    souk_json_put_text(&json, "total", fields[AMOUNT]);
    souk_json_put_text(&json, "currency", SOUK_TEXT("USD"));
    souk_json_put_array(&json, "products");
    souk_json_write_object(&json);
    for (size_t i = 0; i < 2; i++) {
        souk_json_write_key(&json, souk_text_of(names[i]));
        souk_json_write_text(&json, values[i]);
    }
    while (json.depth)
        souk_json_write_end(&json);
    return souk_json_write_check(&json);
}

static bool is_customer(souk_text field)
{
    return field.bytes > 0 && field.bytes <= 50;
}

static souk_err refuse(import_rows *rows, const souk_text *fields, souk_diag *fault)
{
    struct state *state = (struct state *)(void *)rows;
    souk_time at;
    if (fields && is_customer(fields[CUSTOMER]) && read_date(fields[DATE], &at))
        return SOUK_OK;
    import_add_words(fault, "; so purchases of those before and behind it, of the same days, "
                            "stay out from here on");
    import_ordinals_lose(&state->purchases);
    return SOUK_OK;
}

static souk_err read_row(import_rows *rows, const souk_text *fields, souk_diag *diag)
{
    struct state *state = (struct state *)(void *)rows;
    souk_import_sink *sink = rows->sink;
    souk_event event = {.received = sink->received,
                        .type = SOUK_TEXT("Order Completed"),
                        .flags = SOUK_EVENT_ORDER | SOUK_EVENT_SALE};
    char key[64];
    uint32_t ordinal;
    if (!is_customer(fields[CUSTOMER]))
        return souk_diag_say(diag, SOUK_EINVAL, "customer_id is empty or above 50 bytes");
    if (!read_date(fields[DATE], &event.at))
        return souk_diag_say(diag, SOUK_EINVAL, "date is no day like 20210131");
    memcpy(key, fields[CUSTOMER].at, fields[CUSTOMER].bytes);
    key[fields[CUSTOMER].bytes] = '/';
    memcpy(key + fields[CUSTOMER].bytes + 1, fields[DATE].at, fields[DATE].bytes);
    souk_text purchase = {key, fields[CUSTOMER].bytes + 1 + fields[DATE].bytes};
    SOUK_TRY(import_ordinal_next(&state->purchases, import_order_hash(sink, purchase), &ordinal));
    souk_line *line = souk_arena_get(sink->room, sizeof *line);
    if (souk_decimal_read(fields[CDS], &line->quantity, NULL))
        return souk_diag_say(diag, SOUK_EINVAL, "cds is no number");
    if (souk_decimal_read(fields[AMOUNT], &line->amount, NULL))
        return souk_diag_say(diag, SOUK_EINVAL, "amount_usd is no number");
    event.message = import_identity(sink, purchase, ordinal);
    line->product = SOUK_TEXT("CD");
    event.amount = line->amount;
    event.lines = line;
    event.line_count = 1;
    SOUK_TRY(souk_currency_read(SOUK_TEXT("USD"), event.currency));
    SOUK_TRY(import_identify(sink, &event, SOUK_ID_USER, fields[CUSTOMER], "customer_id", diag));
    if (ordinal == 0) {
        sink->stayed_out++;
        return SOUK_OK;
    }
    SOUK_TRY(write_body(rows, fields));
    return sink->room->failed
               ? SOUK_ENOMEM
               : souk_import_put_event(sink, sink->rows, &event, souk_buf_view(&rows->body));
}

static souk_err begin(void *opaque, souk_import_sink *sink, souk_diag *diag)
{
    struct state *state = opaque;
    (void)diag;
    state->purchases.mem = sink->mem;
    SOUK_TRY(import_rows_begin(&state->rows, sink, "cdnow", columns, read_row));
    state->rows.refuse = refuse;
    return SOUK_OK;
}

static souk_err feed(void *opaque, souk_text piece, bool last, souk_diag *diag)
{
    struct state *state = opaque;
    return import_rows_feed(&state->rows, piece, last, diag);
}

static void done(void *opaque)
{
    struct state *state = opaque;
    import_ordinals_done(&state->purchases);
    import_rows_done(&state->rows);
}

const souk_import_format souk_import_cdnow = {
    .name = "cdnow",
    .summary = "CDNOW: a row is a purchase of CDs",
    .state_bytes = sizeof(struct state),
    .begin = begin,
    .feed = feed,
    .done = done,
};
