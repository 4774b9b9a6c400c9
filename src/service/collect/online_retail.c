/* online_retail.c - the UCI "Online Retail" file: one row is one line of an invoice.
 *
 *     InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
 *     536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom
 *
 * Identity of a row: (invoice, its ordinal within the invoice over the whole file), since 5,268 rows are
 * exact repeats of others and are sales all the same.  An invoice that starts with C is a cancellation.
 * Rows without CustomerID stay anonymous receipts.  Times are taken as UTC; codes compare byte for byte. */
#include "base/currency.h"
#include "base/utf8.h"
#include "service/collect/import.h"

static const char *const columns[] = {"InvoiceNo",  "StockCode",   "Description",
                                      "Quantity",   "InvoiceDate", "UnitPrice",
                                      "CustomerID", "Country",     NULL};
enum { INVOICE, STOCK_CODE, DESCRIPTION, QUANTITY, DATE, PRICE, CUSTOMER, COUNTRY, FIELDS };

/* How many rows an invoice had so far; open addressing, 0 rows: free. */
struct invoice {
    uint64_t hash;
    uint32_t rows;
};

struct state {
    struct invoice *invoices;
    size_t capacity, count;
};

static void place(struct invoice *table, size_t capacity, struct invoice invoice)
{
    size_t at = invoice.hash & (capacity - 1);
    while (table[at].rows)
        at = (at + 1) & (capacity - 1);
    table[at] = invoice;
}

static souk_err make_room(struct state *state, souk_mem *mem)
{
    if ((state->count + 1) * 2 <= state->capacity)
        return SOUK_OK;
    size_t capacity = souk_max_size(65536, state->capacity * 2);
    struct invoice *grown = souk_mem_array(mem, capacity, sizeof *grown);
    if (!grown)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < state->capacity; i++)
        if (state->invoices[i].rows)
            place(grown, capacity, state->invoices[i]);
    souk_mem_put(mem, state->invoices);
    state->invoices = grown;
    state->capacity = capacity;
    return SOUK_OK;
}

/* The row's ordinal within its invoice, from 1. */
static souk_err next_ordinal(struct state *state, souk_mem *mem, uint64_t hash,
                             uint32_t *ret_ordinal)
{
    SOUK_TRY(make_room(state, mem));
    size_t mask = state->capacity - 1, at = hash & mask;
    while (state->invoices[at].rows && state->invoices[at].hash != hash)
        at = (at + 1) & mask;
    state->count += state->invoices[at].rows == 0;
    state->invoices[at].hash = hash;
    *ret_ordinal = ++state->invoices[at].rows;
    return SOUK_OK;
}

static souk_err read_line(const souk_text *fields, souk_line *line, souk_diag *diag)
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
    line->product = fields[STOCK_CODE];
    line->name =
        souk_utf8_valid(fields[DESCRIPTION]) ? souk_text_trim(fields[DESCRIPTION]) : SOUK_TEXT("");
    return SOUK_OK;
}

static souk_err read_row(void *opaque, souk_mem *mem, const souk_hashes *hashes, uint32_t source,
                         const souk_csv_row *row, souk_arena *arena, souk_event *event,
                         souk_diag *diag)
{
    struct state *state = opaque;
    const souk_text *fields = row->fields;
    uint32_t ordinal;
    if (row->field_count != FIELDS)
        return souk_diag_say(diag, SOUK_EINVAL, "%zu fields where the heading has %d",
                             row->field_count, FIELDS);
    if (fields[INVOICE].bytes == 0 || fields[INVOICE].bytes > 50)
        return souk_diag_say(diag, SOUK_EINVAL, "InvoiceNo is empty or above 50 bytes");
    SOUK_TRY(next_ordinal(state, mem, souk_hashes_message(hashes, source, fields[INVOICE]).low,
                          &ordinal));
    souk_line *line = souk_arena_get(arena, sizeof *line);
    char *id = souk_arena_get(arena, fields[INVOICE].bytes + 16);
    if (arena->failed)
        return SOUK_ENOMEM;
    SOUK_TRY(read_line(fields, line, diag));
    if (souk_time_read(fields[DATE], NULL, &event->at))
        return souk_diag_say(diag, SOUK_EINVAL, "InvoiceDate is no time like 2010-12-01 08:26:00");
    memcpy(id, fields[INVOICE].at, fields[INVOICE].bytes);
    memcpy(id + fields[INVOICE].bytes, "#", 1);
    souk_put_u32(id + fields[INVOICE].bytes + 1, ordinal);
    event->message =
        souk_hashes_message(hashes, source, (souk_text){id, fields[INVOICE].bytes + 5});
    bool cancelled = fields[INVOICE].at[0] == 'C';
    event->type = cancelled ? SOUK_TEXT("Order Line Cancelled") : SOUK_TEXT("Order Line");
    event->flags = SOUK_EVENT_SALE;
    if (ordinal == 1)
        event->flags |= SOUK_EVENT_ORDER;
    if (cancelled && ordinal == 1)
        event->flags |= SOUK_EVENT_CANCELLED;
    event->amount = line->amount;
    SOUK_TRY(souk_currency_read(SOUK_TEXT("GBP"), event->currency));
    event->lines = line;
    event->line_count = 1;
    char room[SOUK_ID_BYTES];
    souk_text customer;
    if (fields[CUSTOMER].bytes == 0)
        return SOUK_OK;
    if (souk_id_normalise(SOUK_ID_USER, fields[CUSTOMER], room, &customer))
        return souk_diag_say(diag, SOUK_EINVAL, "CustomerID is no identifier");
    souk_event_identify(event, hashes, SOUK_ID_USER, customer);
    return SOUK_OK;
}

static void free_state(void *opaque, souk_mem *mem)
{
    struct state *state = opaque;
    souk_mem_put(mem, state->invoices);
}

const souk_import_format souk_import_online_retail = {
    .name = "online-retail",
    .columns = columns,
    .state_bytes = sizeof(struct state),
    .row = read_row,
    .done = free_state,
};
