/* settings.c - offers, taxes and scales' codes as documents with versions; prices and bar codes as rows: front.h, shelf.h. */
#include "service/checkout/checkout_inside.h"

#include "core/document.h"

enum { ROWS_MOST = 1000, PAGE = 100, KEY_BYTES = 100 };

static void answer(souk_call *call, souk_err err, int status)
{
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer(call, status);
}

/* ---- which document ------------------------------------------------------------------------------------ */

static souk_text kind_of(const souk_call *call)
{
    if (souk_text_starts(call->path, SOUK_TEXT("/v1/offers")))
        return SOUK_TEXT("offer");
    if (souk_text_starts(call->path, SOUK_TEXT("/v1/taxes")))
        return SOUK_TEXT("tax");
    return SOUK_TEXT("measure");
}

static souk_err read_key(souk_call *call, souk_text *ret_key)
{
    SOUK_TRY(souk_call_part(call, 0, ret_key));
    if (ret_key->bytes == 0 || ret_key->bytes > KEY_BYTES)
        return souk_diag_say(&call->diag, SOUK_EINVAL, "the path ends with 1 to %d bytes",
                             KEY_BYTES);
    return SOUK_OK;
}

static void write_document(souk_json_writer *out, const souk_document *document)
{
    souk_json_write_object(out);
    souk_json_put_text(out, "key", document->key);
    souk_json_put_u64(out, "version", document->version);
    souk_json_write_key(out, SOUK_TEXT("document"));
    souk_json_write_raw(out, document->text);
    souk_json_write_end(out);
}

static souk_err show(souk_call *call, uint64_t *ret_version)
{
    souk_auto_value(souk_buf) text = {.mem = call->arena.mem};
    souk_document document = {.kind = kind_of(call), .merchant = call->caller.merchant};
    SOUK_TRY(read_key(call, &document.key));
    souk_err err = souk_documents_get(souk_spine_ledger(call->spine), document.kind,
                                      document.merchant, document.key, &document.version, &text);
    if (err == SOUK_ENOENT)
        return souk_diag_say(&call->diag, err, "there is no %.*s '%.*s'",
                             SOUK_TEXT_PRINT(document.kind), SOUK_TEXT_PRINT(document.key));
    SOUK_TRY(err);
    *ret_version = document.version;
    document.text = souk_buf_view(&text);
    write_document(souk_call_json(call), &document);
    return SOUK_OK;
}

void checkout_get_setting(souk_call *call)
{
    uint64_t version = 0;
    souk_err err = show(call, &version);
    if (!err && souk_call_version(call, version))
        souk_call_answer_same(call);
    else
        answer(call, err, 200);
}

/* ---- changing -------------------------------------------------------------------------------------------- */

static souk_err say_version(souk_call *call, const souk_document *document, souk_err err)
{
    if (err == SOUK_ECHANGED)
        return souk_diag_say(&call->diag, err,
                             "%.*s '%.*s' is of another version by now: GET it again",
                             SOUK_TEXT_PRINT(document->kind), SOUK_TEXT_PRINT(document->key));
    if (err == SOUK_ENOENT)
        return souk_diag_say(&call->diag, err, "there is no %.*s '%.*s'",
                             SOUK_TEXT_PRINT(document->kind), SOUK_TEXT_PRINT(document->key));
    return err;
}

static souk_err put(souk_call *call, bool *ret_new)
{
    souk_checkout *checkout = call->state;
    uint64_t expected;
    souk_document document = {
        .kind = kind_of(call), .merchant = call->caller.merchant, .text = call->body};
    SOUK_TRY(read_key(call, &document.key));
    SOUK_TRY(souk_call_expected(call, SOUK_VERSION_TOLD, &expected));
    SOUK_TRY(souk_front_check(checkout->rooms.fronts, document.merchant, document.kind,
                              document.key, document.text, &call->diag));
    souk_err err =
        souk_documents_put(checkout->ledger, &document, expected,
                           souk_clock_now_ms(souk_spine_clock(call->spine)), &document.version);
    SOUK_TRY(say_version(call, &document, err));
    SOUK_TRY(checkout_refresh(checkout));
    *ret_new = expected == 0;
    (void)souk_call_version(call, document.version);
    write_document(souk_call_json(call), &document);
    return SOUK_OK;
}

void checkout_put_setting(souk_call *call)
{
    bool is_new = false;
    souk_err err = put(call, &is_new);
    answer(call, err, is_new ? 201 : 200);
}

static souk_err delete_one(souk_call *call)
{
    souk_checkout *checkout = call->state;
    uint64_t expected;
    souk_document document = {.kind = kind_of(call), .merchant = call->caller.merchant};
    SOUK_TRY(read_key(call, &document.key));
    SOUK_TRY(souk_call_expected(call, SOUK_VERSION_TOLD, &expected));
    souk_err err =
        souk_documents_delete(checkout->ledger, document.kind, document.merchant, document.key,
                              expected, souk_clock_now_ms(souk_spine_clock(call->spine)));
    SOUK_TRY(say_version(call, &document, err));
    SOUK_TRY(checkout_refresh(checkout));
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    souk_json_put_bool(out, "deleted", true);
    souk_json_write_end(out);
    return SOUK_OK;
}

void checkout_delete_setting(souk_call *call)
{
    answer(call, delete_one(call), 200);
}

/* ---- all --------------------------------------------------------------------------------------------------- */

struct listing {
    souk_call *call;
    souk_json_writer *out;
    souk_text last; /* in the call's arena */
    size_t count;
};

static souk_err write_listed(void *context, const souk_document *document)
{
    struct listing *listing = context;
    write_document(listing->out, document);
    listing->last =
        (souk_text){souk_arena_copy(&listing->call->arena, document->key.at, document->key.bytes),
                    document->key.bytes};
    listing->count++;
    return listing->call->arena.failed ? SOUK_ENOMEM : SOUK_OK;
}

static souk_err list(souk_call *call)
{
    souk_text after = SOUK_TEXT("");
    size_t limit;
    struct listing listing = {.call = call, .out = souk_call_json(call)};
    SOUK_TRY(souk_call_limit(call, PAGE, ROWS_MOST, &limit));
    (void)souk_call_query(call, SOUK_TEXT("cursor"), &after);
    souk_json_write_object(listing.out);
    souk_json_put_array(listing.out, "documents");
    SOUK_TRY(souk_documents_list(souk_spine_ledger(call->spine), kind_of(call),
                                 call->caller.merchant, after, limit, write_listed, &listing));
    souk_json_write_end(listing.out);
    if (listing.count == limit) {
        souk_json_put_text(listing.out, "next_cursor", listing.last);
        souk_call_link_next(call, "cursor", listing.last);
    }
    souk_json_write_end(listing.out);
    return SOUK_OK;
}

void checkout_list_settings(souk_call *call)
{
    answer(call, list(call), 200);
}

/* ---- prices, bar codes --------------------------------------------------------------------------------------- */

struct row {
    bool is_barcode;
    souk_price price;
    souk_text code, currency;
    souk_decimal pieces;
};

struct telling {
    souk_call *call;
    struct row row;
    struct row *rows; /* [count], in the arena */
    size_t count;
    souk_diag diag;
};

#define READER(name, call)                                      \
    static souk_err name(souk_form *form, souk_json_node value) \
    {                                                           \
        struct row *row = &((struct telling *)form->user)->row; \
        return call;                                            \
    }
READER(read_product, souk_form_text(form, value, 1, SOUK_SHELF_CODE_BYTES, &row->price.product))
READER(read_store, souk_form_text(form, value, 1, SOUK_SHELF_STORE_BYTES, &row->price.store))
READER(read_list, souk_form_plain(form, value, 1, SOUK_SHELF_LIST_BYTES, &row->price.list))
READER(read_price, souk_form_decimal(form, value, 0, INT64_C(1000000000000000), &row->price.price))
READER(read_currency, souk_form_text(form, value, 3, 3, &row->currency))
READER(read_ends, souk_form_bool(form, value, &row->price.ends))
READER(read_code, souk_form_text(form, value, 1, SOUK_SHELF_CODE_BYTES, &row->code))
READER(read_pieces, souk_form_decimal(form, value, 0, INT64_C(1000000000000), &row->pieces))

static souk_err read_moment(souk_form *form, souk_json_node value, souk_time *ret_time)
{
    souk_text text;
    SOUK_TRY(souk_form_text(form, value, 1, 40, &text));
    if (souk_time_read(text, NULL, ret_time))
        return souk_form_refuse(form, "a moment is expected, such as 2026-11-01T00:00:00Z");
    return SOUK_OK;
}
READER(read_from, read_moment(form, value, &row->price.from))
READER(read_until, read_moment(form, value, &row->price.until))

static souk_err keep_row(struct telling *telling)
{
    if (!telling->rows)
        telling->rows = souk_arena_get(&telling->call->arena, ROWS_MOST * sizeof *telling->rows);
    if (telling->call->arena.failed)
        return SOUK_ENOMEM;
    telling->rows[telling->count++] = telling->row;
    return SOUK_OK;
}

static souk_err read_price_row(souk_form *form, souk_json_node value, size_t index)
{
    static const souk_form_member members[] = {{"product", read_product},   {"store", read_store},
                                               {"list", read_list},         {"price", read_price},
                                               {"currency", read_currency}, {"from", read_from},
                                               {"until", read_until},       {"ends", read_ends}};
    struct telling *telling = form->user;
    uint64_t seen;
    (void)index;
    telling->row = (struct row){.is_barcode = false};
    SOUK_TRY(souk_form_object(form, value, members, sizeof members / sizeof *members, &seen));
    if ((seen & 0x19) != 0x19)
        return souk_form_refuse(form, "product, price and currency must be told");
    memcpy(telling->row.price.currency, telling->row.currency.at, 3);
    souk_checkout *checkout = telling->call->state;
    if (souk_shelf_crowded(checkout->rooms.shelf, telling->call->caller.merchant,
                           telling->row.price.product,
                           souk_clock_now_ms(souk_spine_clock(telling->call->spine))))
        return souk_form_refuse(form, "the product has thousands of prices that hold or will: give "
                                      "stores that sell it alike the price of all stores");
    return keep_row(telling);
}

static souk_err read_barcode_row(souk_form *form, souk_json_node value, size_t index)
{
    static const souk_form_member members[] = {
        {"code", read_code}, {"product", read_product}, {"pieces", read_pieces}};
    struct telling *telling = form->user;
    uint64_t seen;
    (void)index;
    telling->row = (struct row){.is_barcode = true, .pieces = {1000000}};
    SOUK_TRY(souk_form_object(form, value, members, 3, &seen));
    if ((seen & 3) != 3)
        return souk_form_refuse(form, "code and product must be told");
    return keep_row(telling);
}

static souk_err read_prices(souk_form *form, souk_json_node value)
{
    return souk_form_array(form, value, ROWS_MOST / 2, read_price_row);
}
static souk_err read_barcodes(souk_form *form, souk_json_node value)
{
    return souk_form_array(form, value, ROWS_MOST / 2, read_barcode_row);
}

static souk_err write_rows(souk_tx *tx, void *context)
{
    struct telling *telling = context;
    souk_time now = souk_clock_now_ms(souk_spine_clock(telling->call->spine));
    uint32_t merchant = telling->call->caller.merchant;
    telling->diag = (souk_diag){0};
    for (size_t i = 0; i < telling->count; i++) {
        const struct row *row = &telling->rows[i];
        SOUK_TRY(row->is_barcode ? souk_barcode_put(tx, merchant, now, row->code,
                                                    row->price.product, row->pieces, &telling->diag)
                                 : souk_price_put(tx, merchant, now, &row->price, &telling->diag));
    }
    return SOUK_OK;
}

static souk_err tell_rows(souk_call *call)
{
    static const souk_form_member members[] = {{"prices", read_prices},
                                               {"barcodes", read_barcodes}};
    souk_checkout *checkout = call->state;
    souk_auto_value(souk_json_doc) doc = {.mem = call->arena.mem};
    struct telling telling = {.call = call};
    souk_form form = {.doc = &doc,
                      .arena = &call->arena,
                      .diag = &call->diag,
                      .user = &telling,
                      .help = "docs/checkout.md"};
    SOUK_TRY(checkout_read_body(call, &doc));
    SOUK_TRY(souk_form_object(&form, souk_json_root(&doc), members, 2, NULL));
    souk_err err = souk_ledger_write(checkout->ledger, SOUK_LANE_INGEST, write_rows, &telling);
    if (err && telling.diag.words[0])
        call->diag = telling.diag;
    SOUK_TRY(err);
    SOUK_TRY(checkout_refresh(checkout));
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    souk_json_put_u64(out, "stored", telling.count);
    souk_json_write_end(out);
    return SOUK_OK;
}

void checkout_put_prices(souk_call *call)
{
    answer(call, tell_rows(call), 201);
}
