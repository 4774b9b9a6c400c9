/* told.c - receipts become events of the log, so that a sale is on its shopper's timeline like everything else.
 *
 * A receipt and its row in receipt_untold are one transaction.  The keeper reads such rows, writes their events and
 * removes them when those are durable.  Cut off in between, it writes the same events again: their message is the
 * receipt's name, so the log knows them as repeats.  An event of a receipt says what it says and nothing more; who was
 * named at the till is in the event alone, sealed under her key like the rest of it. */
#include "service/checkout/checkout_inside.h"

#include "base/currency.h"
#include "base/random.h"
#include "core/pack.h"

#include <stdio.h>

enum { ROWS = 64, SEAL_CLASS = 7, WHO_BYTES = SOUK_ID_BYTES + 32, SOURCES = 256 };

struct row {
    int64_t receipt;
    uint32_t merchant;
    souk_receipt_kind kind;
    souk_time at;
    int64_t total_minor, number;
    char currency[4];
    souk_hash128 id;
    souk_text store, till, body, who;
};

struct checkout_teller {
    souk_checkout *checkout;
    souk_packer *packer;
    souk_arena arena; /* of one step */
    souk_json_doc doc;
    souk_buf json, packed;
    struct row rows[ROWS];
    souk_event events[ROWS];
    size_t count;
    struct {
        uint32_t merchant, source;
    } sources[SOURCES];
    size_t source_count;
};

/* ---- who ------------------------------------------------------------------------------------------------- */

static souk_seal_place place_of(souk_hash128 id)
{
    return (souk_seal_place){.merchant = SOUK_OPERATOR, .position = id.low, .class = SEAL_CLASS};
}

souk_err checkout_seal_who(souk_call *call, const checkout_customer *customer, souk_hash128 id,
                           souk_text *ret_sealed)
{
    *ret_sealed = SOUK_TEXT("");
    if (customer->kind.bytes == 0)
        return SOUK_OK;
    char plain[WHO_BYTES + SOUK_VAULT_TAG_BYTES];
    size_t bytes = customer->kind.bytes + 1 + customer->value.bytes;
    uint8_t *sealed =
        souk_arena_get(&call->arena, SOUK_VAULT_NONCE_BYTES + bytes + SOUK_VAULT_TAG_BYTES);
    if (call->arena.failed)
        return SOUK_ENOMEM;
    souk_assert(bytes <= WHO_BYTES); /* the form's own limits */
    memcpy(plain, customer->kind.at, customer->kind.bytes);
    plain[customer->kind.bytes] = '/';
    memcpy(plain + customer->kind.bytes + 1, customer->value.at, customer->value.bytes);
    souk_entropy(sealed, SOUK_VAULT_NONCE_BYTES);
    souk_seal_place place = place_of(id);
    SOUK_TRY(souk_vault_seal(souk_spine_vault(call->spine), SOUK_VAULT_NOBODY, &place, sealed,
                             plain, bytes, sealed + SOUK_VAULT_NONCE_BYTES));
    *ret_sealed =
        (souk_text){(const char *)sealed, SOUK_VAULT_NONCE_BYTES + bytes + SOUK_VAULT_TAG_BYTES};
    return SOUK_OK;
}

static souk_err unseal_who(struct checkout_teller *teller, const struct row *row,
                           souk_text *ret_plain)
{
    souk_seal_place place = place_of(row->id);
    if (row->who.bytes < SOUK_VAULT_NONCE_BYTES + SOUK_VAULT_TAG_BYTES)
        return SOUK_ECORRUPT;
    size_t bytes = row->who.bytes - SOUK_VAULT_NONCE_BYTES;
    char *plain = souk_arena_get(&teller->arena, bytes);
    if (teller->arena.failed)
        return SOUK_ENOMEM;
    SOUK_TRY(souk_vault_unseal(souk_spine_vault(teller->checkout->spine), SOUK_VAULT_NOBODY, &place,
                               (const uint8_t *)row->who.at, row->who.at + SOUK_VAULT_NONCE_BYTES,
                               bytes, plain));
    *ret_plain = (souk_text){plain, bytes - SOUK_VAULT_TAG_BYTES};
    return SOUK_OK;
}

/* What the till named need not be an identifier any more that the log takes (a public id is none): then nobody. */
static souk_err identify(struct checkout_teller *teller, const struct row *row, souk_event *event)
{
    souk_text who, kind_word, value;
    if (row->who.bytes == 0)
        return SOUK_OK;
    SOUK_TRY(unseal_who(teller, row, &who));
    kind_word = souk_text_cut(&who, '/');
    souk_id_kind kind = souk_id_of_word(kind_word);
    char *room = souk_arena_get(&teller->arena, SOUK_ID_BYTES);
    if (teller->arena.failed)
        return SOUK_ENOMEM;
    if (kind == SOUK_ID_NONE || kind == SOUK_ID_PUBLIC ||
        souk_id_normalise(kind, who, room, &value))
        return SOUK_OK;
    souk_event_identify(event, souk_spine_hashes(teller->checkout->spine), kind, value);
    return SOUK_OK;
}

/* ---- events ------------------------------------------------------------------------------------------------ */

static souk_err read_member(struct checkout_teller *teller, souk_json_node object, const char *key,
                            souk_text *ret_text)
{
    souk_json_node node = souk_json_member(&teller->doc, object, souk_text_of(key));
    *ret_text = SOUK_TEXT("");
    if (node == SOUK_JSON_NONE)
        return SOUK_OK;
    return souk_json_text(&teller->doc, node, &teller->arena, ret_text) ? SOUK_ECORRUPT : SOUK_OK;
}

static souk_err read_line(struct checkout_teller *teller, souk_json_node node, souk_line *line)
{
    souk_json_node quantity = souk_json_member(&teller->doc, node, SOUK_TEXT("quantity"));
    souk_json_node total = souk_json_member(&teller->doc, node, SOUK_TEXT("total"));
    SOUK_TRY(read_member(teller, node, "product", &line->product));
    SOUK_TRY(read_member(teller, node, "title", &line->name));
    if (souk_json_decimal_or_text(&teller->doc, quantity, &line->quantity, NULL) ||
        souk_json_decimal_or_text(&teller->doc, total, &line->amount, NULL))
        return SOUK_ECORRUPT;
    return SOUK_OK;
}

static souk_err read_lines(struct checkout_teller *teller, const struct row *row, souk_event *event)
{
    if (souk_json_read(&teller->doc, row->body, NULL, NULL))
        return SOUK_ECORRUPT;
    souk_json_node list =
        souk_json_member(&teller->doc, souk_json_root(&teller->doc), SOUK_TEXT("lines"));
    size_t count = souk_json_count(&teller->doc, list);
    souk_line *lines = souk_arena_get(&teller->arena, count * sizeof *lines + 1);
    if (teller->arena.failed)
        return SOUK_ENOMEM;
    size_t at = 0;
    for (souk_json_node node = souk_json_first(&teller->doc, list); node != SOUK_JSON_NONE;
         node = souk_json_next(&teller->doc, node))
        SOUK_TRY(read_line(teller, node, &lines[at++]));
    event->lines = lines;
    event->line_count = (uint16_t)count;
    return SOUK_OK;
}

static void write_products(souk_json_writer *json, const souk_event *event)
{
    char text[SOUK_DECIMAL_BYTES];
    souk_json_put_array(json, "products");
    for (size_t i = 0; i < event->line_count; i++) {
        const souk_line *line = &event->lines[i];
        souk_json_write_object(json);
        souk_json_put_text(json, "product_id", line->product);
        if (line->name.bytes)
            souk_json_put_text(json, "name", line->name);
        souk_json_put_text(json, "quantity",
                           (souk_text){text, souk_decimal_write(line->quantity, text)});
        souk_json_put_text(json, "total",
                           (souk_text){text, souk_decimal_write(line->amount, text)});
        souk_json_write_end(json);
    }
    souk_json_write_end(json);
}

/* In the form of every other event: what a client would have sent. */
static souk_err write_text(struct checkout_teller *teller, const struct row *row, souk_text name,
                           souk_event *event)
{
    char total[SOUK_DECIMAL_BYTES];
    souk_json_writer json = {.out = &teller->json};
    souk_buf_clear(&teller->json);
    souk_json_write_object(&json);
    souk_json_put_words(&json, "type", "track");
    souk_json_put_text(&json, "event", event->type);
    souk_json_put_text(&json, "messageId", name);
    souk_json_put_time(&json, "timestamp", event->at);
    souk_json_put_object(&json, "properties");
    souk_json_put_text(&json, "receipt_id", name);
    souk_json_put_text(&json, "store_id", row->store);
    souk_json_put_text(&json, "till_id", row->till);
    souk_json_put_text(&json, "total",
                       (souk_text){total, souk_decimal_write(event->amount, total)});
    souk_json_put_words(&json, "currency", row->currency);
    write_products(&json, event);
    souk_json_write_end(&json);
    souk_json_write_end(&json);
    SOUK_TRY(souk_json_write_check(&json));
    souk_buf_clear(&teller->packed);
    SOUK_TRY(souk_pack(teller->packer, souk_buf_view(&teller->json), &teller->packed));
    event->packed =
        (souk_text){souk_arena_copy(&teller->arena, teller->packed.at, teller->packed.bytes),
                    teller->packed.bytes};
    return SOUK_OK;
}

static souk_err make_event(struct checkout_teller *teller, const struct row *row, uint32_t source,
                           souk_event *event)
{
    static const struct {
        const char *type;
        uint8_t flags;
    } kinds[] = {[SOUK_RECEIPT_SALE] = {"Receipt Issued", SOUK_EVENT_ORDER | SOUK_EVENT_SALE},
                 [SOUK_RECEIPT_RETURN] = {"Receipt Returned", SOUK_EVENT_SALE},
                 [SOUK_RECEIPT_VOID] = {"Receipt Voided", SOUK_EVENT_SALE | SOUK_EVENT_CANCELLED}};
    char *name = souk_arena_get(&teller->arena, 128);
    if (teller->arena.failed)
        return SOUK_ENOMEM;
    int bytes = snprintf(name, 128, "%.*s/%.*s/%lld", SOUK_TEXT_PRINT(row->store),
                         SOUK_TEXT_PRINT(row->till), (long long)row->number);
    souk_text message = {name, (size_t)bytes};
    const souk_hashes *hashes = souk_spine_hashes(teller->checkout->spine);
    *event = (souk_event){.message = souk_hashes_message(hashes, source, message),
                          .at = row->at,
                          .received = souk_clock_now_ms(souk_spine_clock(teller->checkout->spine)),
                          .type = souk_text_of(kinds[row->kind].type),
                          .store = row->store,
                          .flags = kinds[row->kind].flags};
    memcpy(event->currency, row->currency, sizeof event->currency);
    if (souk_decimal_from_minor(row->total_minor, souk_currency_exponent(row->currency),
                                &event->amount))
        return SOUK_ECORRUPT;
    SOUK_TRY(identify(teller, row, event));
    SOUK_TRY(read_lines(teller, row, event));
    return write_text(teller, row, message, event);
}

/* ---- a step ---------------------------------------------------------------------------------------------------- */

static souk_text keep(struct checkout_teller *teller, souk_text text)
{
    return (souk_text){souk_arena_copy(&teller->arena, text.at, text.bytes), text.bytes};
}

static souk_err take_row(struct checkout_teller *teller, souk_rows *rows)
{
    struct row *row = &teller->rows[teller->count];
    souk_text currency = souk_rows_text(rows, 5), id = souk_rows_blob(rows, 6);
    *row = (struct row){.receipt = souk_rows_int(rows, 0),
                        .merchant = (uint32_t)souk_rows_int(rows, 1),
                        .kind = (souk_receipt_kind)souk_rows_int(rows, 2),
                        .at = souk_rows_int(rows, 3),
                        .total_minor = souk_rows_int(rows, 4),
                        .number = souk_rows_int(rows, 7)};
    if (currency.bytes != 3 || id.bytes != sizeof row->id || !souk_receipt_word(row->kind))
        return SOUK_ECORRUPT;
    memcpy(row->currency, currency.at, 3);
    memcpy(&row->id, id.at, sizeof row->id);
    row->store = keep(teller, souk_rows_text(rows, 8));
    row->till = keep(teller, souk_rows_text(rows, 9));
    row->body = keep(teller, souk_rows_text(rows, 10));
    row->who = keep(teller, souk_rows_blob(rows, 11));
    teller->count++;
    return teller->arena.failed ? SOUK_ENOMEM : SOUK_OK;
}

static souk_err read_rows(souk_tx *tx, void *context)
{
    struct checkout_teller *teller = context;
    souk_auto_value(souk_rows) rows = {0};
    teller->count = 0;
    souk_arena_clear(&teller->arena);
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT u.receipt, t.merchant, r.kind, r.at, r.total, r.currency, "
                             "r.sale, r.number, t.store, t.name, r.body, u.who "
                             "FROM receipt_untold u JOIN receipt r ON r.id = u.receipt "
                             "JOIN till t ON t.id = r.till ORDER BY u.receipt LIMIT ?1",
                             SOUK_VALUES(SOUK_INT(ROWS)), &rows));
    while (souk_rows_next(&rows))
        SOUK_TRY(take_row(teller, &rows));
    return souk_rows_check(&rows);
}

/* The merchant's source "tills", made with its first receipt: a contract is what a sale rests on. */
static souk_err source_of(struct checkout_teller *teller, uint32_t merchant, uint32_t *ret_source)
{
    for (size_t i = 0; i < teller->source_count; i++)
        if (teller->sources[i].merchant == merchant) {
            *ret_source = teller->sources[i].source;
            return SOUK_OK;
        }
    souk_statement statement = {.speaks = SOUK_SPEAKS_NOBODY};
    statement.bases[SOUK_PURPOSE_SERVE] = SOUK_BASIS_CONTRACT;
    SOUK_TRY(souk_merchants_source(teller->checkout->merchants, merchant, SOUK_TEXT("tills"),
                                   &statement, ret_source, NULL));
    size_t at = teller->source_count < SOURCES ? teller->source_count++ : SOURCES - 1;
    teller->sources[at].merchant = merchant;
    teller->sources[at].source = *ret_source;
    return SOUK_OK;
}

struct span {
    const struct row *rows;
    size_t count;
};

static souk_err forget(souk_tx *tx, void *context)
{
    const struct span *span = context;
    for (size_t i = 0; i < span->count; i++)
        SOUK_TRY(souk_sql_run(tx, "DELETE FROM receipt_untold WHERE receipt = ?1",
                              SOUK_VALUES(SOUK_INT(span->rows[i].receipt))));
    return SOUK_OK;
}

/* The rows of one merchant from `from` on. */
static souk_err tell_span(struct checkout_teller *teller, size_t from, size_t *ret_to)
{
    uint32_t source, merchant = teller->rows[from].merchant;
    size_t to = from;
    SOUK_TRY(source_of(teller, merchant, &source));
    for (; to < teller->count && teller->rows[to].merchant == merchant; to++)
        SOUK_TRY(make_event(teller, &teller->rows[to], source, &teller->events[to]));
    souk_batch batch = {.source = source, .events = teller->events + from, .count = to - from};
    SOUK_TRY(souk_spine_write(teller->checkout->spine, &batch));
    struct span span = {teller->rows + from, to - from};
    SOUK_TRY(souk_ledger_write(teller->checkout->ledger, SOUK_LANE_INGEST, forget, &span));
    *ret_to = to;
    return SOUK_OK;
}

souk_err checkout_tell(struct checkout_teller *teller, bool *ret_more)
{
    *ret_more = false;
    SOUK_TRY(souk_ledger_read(teller->checkout->ledger, read_rows, teller));
    for (size_t at = 0; at < teller->count;)
        SOUK_TRY(tell_span(teller, at, &at));
    *ret_more = teller->count == ROWS;
    return SOUK_OK;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

souk_err checkout_teller_new(souk_checkout *checkout, struct checkout_teller **ret_teller)
{
    struct checkout_teller *teller = souk_mem_get(checkout->mem, sizeof *teller);
    if (!teller)
        return SOUK_ENOMEM;
    teller->checkout = checkout;
    teller->arena.mem = teller->doc.mem = teller->json.mem = teller->packed.mem = checkout->mem;
    souk_err err = souk_packer_new(checkout->mem, &teller->packer);
    if (err)
        checkout_teller_free(teller);
    else
        *ret_teller = teller;
    return err;
}

void checkout_teller_free(struct checkout_teller *teller)
{
    if (!teller)
        return;
    souk_packer_free(teller->packer);
    souk_json_doc_done(&teller->doc);
    souk_buf_done(&teller->json);
    souk_buf_done(&teller->packed);
    souk_arena_done(&teller->arena);
    souk_mem_put(teller->checkout->mem, teller);
}
