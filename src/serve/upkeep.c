/* upkeep.c - GET /v1/quarantine. */
#include "serve/upkeep.h"

#include "core/quarantine.h"

enum { ROWS_MOST = 100 };

struct listing {
    souk_json_writer *out;
    souk_text after_reader;
    uint64_t after_position, count;
};

static souk_err write_row(void *context, const souk_quarantined *row)
{
    struct listing *listing = context;
    souk_json_writer *out = listing->out;
    char at[SOUK_TIME_BYTES];
    souk_json_write_object(out);
    souk_json_write_key(out, SOUK_TEXT("reader"));
    souk_json_write_text(out, row->reader);
    souk_json_write_key(out, SOUK_TEXT("position"));
    souk_json_write_u64(out, row->position);
    souk_json_write_key(out, SOUK_TEXT("why"));
    souk_json_write_text(out, souk_text_of(souk_err_words(row->why)));
    souk_json_write_key(out, SOUK_TEXT("at"));
    souk_json_write_text(out, (souk_text){at, souk_time_write(row->at, at)});
    souk_json_write_end(out);
    return SOUK_OK;
}

static souk_err list(souk_tx *tx, void *context)
{
    struct listing *listing = context;
    SOUK_TRY(souk_quarantine_count(tx, &listing->count));
    return souk_quarantine_list(tx, listing->after_reader, listing->after_position, ROWS_MOST,
                                write_row, listing);
}

/* ?reader=index&after=4711 goes on behind that position. */
static void get_quarantine(souk_call *call)
{
    souk_text reader = SOUK_TEXT(""), after = SOUK_TEXT("0");
    struct listing listing = {.out = souk_call_json(call)};
    bool given = souk_call_query(call, SOUK_TEXT("after"), &after);
    if (souk_call_query(call, SOUK_TEXT("reader"), &reader))
        listing.after_reader = reader;
    if (given && souk_text_to_u64(after, &listing.after_position)) {
        souk_err bad = souk_diag_say(&call->diag, SOUK_EINVAL,
                                     "query field 'after': give the position of the last row seen");
        souk_call_fail(call, bad);
        return;
    }
    souk_json_write_object(listing.out);
    souk_json_write_key(listing.out, SOUK_TEXT("quarantined"));
    souk_json_write_array(listing.out);
    souk_err err = souk_ledger_read(souk_spine_ledger(call->spine), list, &listing);
    souk_json_write_end(listing.out);
    souk_json_write_key(listing.out, SOUK_TEXT("total"));
    souk_json_write_u64(listing.out, listing.count);
    souk_json_write_end(listing.out);
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer(call, 200);
}

static const souk_route routes[] = {
    {"GET", "/v1/quarantine", SOUK_SCOPE_MANAGE, get_quarantine,
     .summary = "Events that a reader of the log could not take, and why"},
};

const souk_service souk_upkeep_service = {
    .name = "upkeep", .routes = routes, .route_count = sizeof routes / sizeof *routes};
