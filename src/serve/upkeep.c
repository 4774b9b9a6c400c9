/* upkeep.c - the route and the long work of upkeep.h. */
#include "serve/upkeep.h"

#include "core/quarantine.h"

#define LEDGER_PART "ledger.copy"

/* ---- quarantine -------------------------------------------------------------------------------------- */

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
    souk_json_put_text(out, "reader", row->reader);
    souk_json_put_u64(out, "position", row->position);
    souk_json_put_text(out, "why", souk_text_of(souk_err_words(row->why)));
    souk_json_put_text(out, "at", (souk_text){at, souk_time_write(row->at, at)});
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
    souk_json_put_array(listing.out, "quarantined");
    souk_err err = souk_ledger_read(souk_spine_ledger(call->spine), list, &listing);
    souk_json_write_end(listing.out);
    souk_json_put_u64(listing.out, "total", listing.count);
    souk_json_write_end(listing.out);
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer(call, 200);
}

/* ---- verify, backup ---------------------------------------------------------------------------------- */

static souk_err verify(souk_work *work)
{
    uint64_t events;
    SOUK_TRY(souk_spine_verify(work->spine, work->progress, work->context, work->diag));
    if (work->verify_services)
        SOUK_TRY(work->verify_services(work));
    events = souk_spine_end(work->spine) - 1;
    souk_json_write_object(work->result);
    souk_json_put_bool(work->result, "done", true);
    souk_json_put_u64(work->result, "events", events);
    souk_json_write_end(work->result);
    return SOUK_OK;
}

/* The keys after the ledger, so that it names no atom without one; the erasures last of all, so that none
 * that the ledger lacks is missing. */
static souk_err copy_all(souk_work *work, souk_disk *to)
{
    souk_spine *spine = work->spine;
    SOUK_TRY(souk_ledger_backup(souk_spine_ledger(spine), to, LEDGER_PART, work->progress,
                                work->context));
    SOUK_TRY(souk_vault_copy(souk_spine_vault(spine), to, "keys"));
    SOUK_TRY(souk_spine_erasures_write(spine, to, "erasures"));
    SOUK_TRY(souk_disk_rename(to, LEDGER_PART, "ledger"));
    return souk_disk_sync_folder(to);
}

/* What a backup that failed has made; keys should not lie about. */
static void remove_parts(souk_disk *to)
{
    static const char *const parts[] = {LEDGER_PART, "keys", "erasures"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (souk_disk_exists(to, parts[i])) {
            souk_err err = souk_disk_remove(to, parts[i]);
            (void)err; /* the first error is the one to tell */
        }
}

static souk_err backup(souk_work *work)
{
    souk_auto(souk_disk) to = NULL;
    souk_text folder =
        souk_field(work->arguments, souk_json_root(work->arguments), "to", work->arena);
    char *path = souk_arena_get(work->arena, folder.bytes + 1);
    if (work->arena->failed)
        return SOUK_ENOMEM;
    if (folder.bytes == 0 || folder.at[0] != '/' || memchr(folder.at, 0, folder.bytes))
        return souk_diag_say(work->diag, SOUK_EINVAL, "say where the backup goes: --to DIR");
    memcpy(path, folder.at, folder.bytes);
    SOUK_TRY(souk_disk_open_real(souk_mem_heap(), path, &to, work->diag));
    static const char *const taken[] = {"ledger", "keys", "erasures", "root.key"};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (souk_disk_exists(to, taken[i]))
            return souk_diag_say(work->diag, SOUK_EEXIST,
                                 "%s holds a backup or a shop already (%s): take an empty folder",
                                 path, taken[i]);
    souk_err err = copy_all(work, to);
    if (err) {
        remove_parts(to);
        return err;
    }
    souk_json_write_object(work->result);
    souk_json_put_bool(work->result, "done", true);
    souk_json_write_end(work->result);
    return SOUK_OK;
}

static const souk_work_kind works[] = {{"verify", "events", verify}, {"backup", "bytes", backup}};

static const souk_route routes[] = {
    {"GET", "/v1/quarantine", SOUK_SCOPE_MANAGE, get_quarantine,
     .summary = "Events that a reader of the log could not take, and why", .operators = true,
     .gives =
         "{quarantined: [{reader: text, position: integer, why: text, at: time}], total: integer}"},
};

const souk_service souk_upkeep_service = {
    .name = "upkeep",
    .words = "What keeps a shop sound",
    .routes = routes,
    .route_count = sizeof routes / sizeof *routes,
    .works = works,
    .work_count = sizeof works / sizeof *works,
};
