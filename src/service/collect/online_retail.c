/* online_retail.c - the UCI "Online Retail" file: one row is one line of an invoice.
 *
 *     InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
 *     536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom
 *
 * Identity of a row: (invoice, its ordinal within the invoice over the whole file), since 5,268 rows are
 * exact repeats of others and are sales all the same.  An invoice that starts with C is a cancellation.
 * So rows behind a bad one keep theirs, and a mended row comes in by itself; where the bad one's invoice cannot be read,
 * those of its neighbours stay out from there on (import_record.h).
 * Rows without CustomerID stay anonymous receipts.  Times are taken as UTC; codes compare byte for byte. */
#include "base/currency.h"
#include "base/utf8.h"
#include "service/collect/import_record.h"
#include "service/collect/import_rows.h"

static const char *const columns[] = {"InvoiceNo",  "StockCode",   "Description",
                                      "Quantity",   "InvoiceDate", "UnitPrice",
                                      "CustomerID", "Country",     NULL};
enum { INVOICE, STOCK_CODE, DESCRIPTION, QUANTITY, DATE, PRICE, CUSTOMER, COUNTRY, FIELDS };

struct state {
    import_rows rows;
    import_ordinals invoices;
};

static souk_err read_line(souk_import_sink *sink, const souk_text *fields, souk_line *line,
                          souk_diag *diag)
{
    souk_decimal price;
    if (fields[STOCK_CODE].bytes == 0 || fields[STOCK_CODE].bytes > SOUK_EVENT_NAME_BYTES)
        return souk_diag_say(diag, SOUK_EINVAL, "StockCode is empty or above 100 bytes");
    if (souk_decimal_read(fields[QUANTITY], &line->quantity, NULL))
        return souk_diag_say(diag, SOUK_EINVAL, "Quantity is not a number");
    if (souk_decimal_read(fields[PRICE], &price, NULL))
        return souk_diag_say(diag, SOUK_EINVAL, "UnitPrice is not a number");
    if (souk_decimal_mul(price, line->quantity, &line->amount, NULL))
        return souk_diag_say(diag, SOUK_EINVAL, "Quantity times UnitPrice does not fit");
    line->product = import_keep(sink, fields[STOCK_CODE]);
    line->name = souk_utf8_valid(fields[DESCRIPTION])
                     ? import_keep(sink, souk_text_trim(fields[DESCRIPTION]))
                     : SOUK_TEXT("");
    return SOUK_OK;
}

static bool is_invoice(souk_text field)
{
    return field.bytes > 0 && field.bytes <= 50;
}

static souk_err refuse(import_rows *rows, const souk_text *fields, souk_diag *fault)
{
    struct state *state = (struct state *)(void *)rows;
    if (fields && is_invoice(fields[INVOICE]))
        return SOUK_OK;
    import_add_words(fault, "; so the invoices before and behind it stay out from here on");
    import_ordinals_lose(&state->invoices);
    return SOUK_OK;
}

static souk_err read_row(import_rows *rows, const souk_text *fields, souk_diag *diag)
{
    struct state *state = (struct state *)(void *)rows;
    souk_import_sink *sink = rows->sink;
    souk_event event = {.received = sink->received};
    uint32_t ordinal;
    souk_text body;
    if (!is_invoice(fields[INVOICE]))
        return souk_diag_say(diag, SOUK_EINVAL, "InvoiceNo is empty or above 50 bytes");
    SOUK_TRY(
        import_ordinal_next(&state->invoices, import_order_hash(sink, fields[INVOICE]), &ordinal));
    souk_line *line = souk_arena_get(sink->room, sizeof *line);
    SOUK_TRY(read_line(sink, fields, line, diag));
    if (souk_time_read(fields[DATE], NULL, &event.at))
        return souk_diag_say(diag, SOUK_EINVAL, "InvoiceDate is no time like 2010-12-01 08:26:00");
    event.message = import_identity(sink, fields[INVOICE], ordinal);
    bool cancelled = fields[INVOICE].at[0] == 'C';
    event.type = cancelled ? SOUK_TEXT("Order Line Cancelled") : SOUK_TEXT("Order Line");
    event.flags = SOUK_EVENT_SALE;
    if (ordinal == 1)
        event.flags |= SOUK_EVENT_ORDER;
    if (cancelled && ordinal == 1)
        event.flags |= SOUK_EVENT_CANCELLED;
    event.amount = line->amount;
    SOUK_TRY(souk_currency_read(SOUK_TEXT("GBP"), event.currency));
    event.lines = line;
    event.line_count = 1;
    SOUK_TRY(import_identify(sink, &event, SOUK_ID_USER, fields[CUSTOMER], "CustomerID", diag));
    if (ordinal == 0) {
        sink->stayed_out++;
        return SOUK_OK;
    }
    SOUK_TRY(import_rows_write(rows, fields, FIELDS, &body));
    return sink->room->failed ? SOUK_ENOMEM : souk_import_put_event(sink, sink->rows, &event, body);
}

static souk_err begin(void *opaque, souk_import_sink *sink, souk_diag *diag)
{
    struct state *state = opaque;
    (void)diag;
    state->invoices.mem = sink->mem;
    SOUK_TRY(import_rows_begin(&state->rows, sink, "online-retail", columns, read_row));
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
    import_ordinals_done(&state->invoices);
    import_rows_done(&state->rows);
}

const souk_import_format souk_import_online_retail = {
    .name = "online-retail",
    .summary = "UCI Online Retail: a row is a line of an invoice",
    .state_bytes = sizeof(struct state),
    .begin = begin,
    .feed = feed,
    .done = done,
};
