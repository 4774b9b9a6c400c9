/* jobs_routes.c - the routes of jobs.h. */
#include "serve/jobs_private.h"

static void write_time(souk_json_writer *out, const char *key, souk_time at)
{
    char text[SOUK_TIME_BYTES];
    souk_json_write_key(out, souk_text_of(key));
    if (at)
        souk_json_write_text(out, (souk_text){text, souk_time_write(at, text)});
    else
        souk_json_write_null(out);
}

static void write_raw(souk_json_writer *out, const char *key, souk_text json)
{
    souk_json_write_key(out, souk_text_of(key));
    if (json.bytes)
        souk_json_write_raw(out, json);
    else
        souk_json_write_null(out);
}

struct listing {
    souk_json_writer *out;
    const souk_jobs *jobs;
    souk_job_row now;
    int64_t id, last; /* id: the only one wanted, or 0; last: the last one written */
    size_t count;
};

static souk_err write_row(void *context, const souk_job_row *stored)
{
    struct listing *listing = context;
    souk_json_writer *out = listing->out;
    souk_job_row row = *stored;
    const souk_job_row *now = &listing->now;
    if (listing->id && row.id != listing->id)
        return SOUK_ENOENT;
    if (row.id == now->id && !row.ended) {
        row.state = now->state;
        row.done = now->done;
        row.total = now->total;
        row.ended = now->ended;
        row.err = now->err;
        row.words = now->words;
        row.result = now->ended ? now->result : SOUK_TEXT("");
    }
    souk_json_write_object(out);
    souk_json_put_u64(out, "id", (uint64_t)row.id);
    souk_json_put_text(out, "kind", row.kind);
    write_raw(out, "arguments", row.arguments);
    souk_json_put_text(out, "state", souk_text_of(souk_job_state_word(row.state)));
    souk_json_put_u64(out, "done", row.done);
    souk_json_put_u64(out, "total", row.total);
    souk_json_put_text(out, "unit", souk_text_of(jobs_unit(listing->jobs, row.kind)));
    write_time(out, "made", row.made);
    write_time(out, "started", row.started);
    write_time(out, "ended", row.ended);
    souk_json_put_text(out, "code", souk_text_of(souk_err_name(row.err)));
    souk_json_put_text(out, "words", row.words);
    write_raw(out, "result", row.result);
    souk_json_write_end(out);
    listing->last = row.id;
    listing->count++;
    return SOUK_OK;
}

static souk_err operator_only(souk_call *call)
{
    if (call->caller.merchant == SOUK_OPERATOR)
        return SOUK_OK;
    return souk_diag_say(&call->diag, SOUK_EDENIED, "jobs are the operator's");
}

static souk_err show(souk_call *call, int64_t id)
{
    souk_jobs *jobs = call->state;
    struct listing listing = {
        .out = souk_call_json(call), .jobs = jobs, .now = jobs_now(jobs, &call->arena), .id = id};
    if (call->arena.failed)
        return SOUK_ENOMEM;
    souk_err err = souk_job_rows_each(souk_spine_ledger(call->spine), id, 1, write_row, &listing);
    if (!err && listing.count == 0)
        err = SOUK_ENOENT;
    if (err == SOUK_ENOENT)
        return souk_diag_say(&call->diag, err,
                             "there is no job %lld: see `souk jobs` or GET /v1/jobs",
                             (long long)id);
    return err;
}

static souk_err id_of(souk_call *call, int64_t *ret_id)
{
    uint64_t id;
    if (souk_text_to_u64(call->parts[0], &id) || id == 0 || id > INT64_MAX)
        return souk_diag_say(&call->diag, SOUK_ENOENT,
                             "the id of a job is a number: see `souk jobs` or GET /v1/jobs");
    *ret_id = (int64_t)id;
    return SOUK_OK;
}

static void answer(souk_call *call, souk_err err, int status)
{
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer(call, status);
}

/* ---- the routes -------------------------------------------------------------------------------------- */

static souk_err list(souk_call *call)
{
    enum { PAGE = 50 };
    souk_text word;
    uint64_t before = 0;
    if (souk_call_query(call, SOUK_TEXT("before"), &word) &&
        (souk_text_to_u64(word, &before) || before == 0 || before > INT64_MAX))
        return souk_diag_say(&call->diag, SOUK_EINVAL, "before is the id of a job");
    SOUK_TRY(operator_only(call));
    struct listing listing = {.out = souk_call_json(call),
                              .jobs = call->state,
                              .now = jobs_now(call->state, &call->arena)};
    if (call->arena.failed)
        return SOUK_ENOMEM;
    souk_json_write_object(listing.out);
    souk_json_put_array(listing.out, "jobs");
    SOUK_TRY(souk_job_rows_each(souk_spine_ledger(call->spine),
                                before ? (int64_t)before - 1 : INT64_MAX, PAGE, write_row,
                                &listing));
    souk_json_write_end(listing.out);
    if (listing.count == PAGE) {
        souk_json_put_u64(listing.out, "next_before", (uint64_t)listing.last);
        souk_call_link_next_u64(call, "before", (uint64_t)listing.last);
    }
    souk_json_write_end(listing.out);
    return SOUK_OK;
}

static void get_jobs(souk_call *call)
{
    answer(call, list(call), 200);
}

static void get_job(souk_call *call)
{
    int64_t id;
    souk_err err = operator_only(call);
    if (!err)
        err = id_of(call, &id);
    if (!err)
        err = show(call, id);
    answer(call, err, 200);
}

static souk_err cancel(souk_call *call)
{
    int64_t id;
    SOUK_TRY(operator_only(call));
    SOUK_TRY(id_of(call, &id));
    SOUK_TRY(show(call, id)); /* else there is no such job */
    souk_err err = jobs_cancel(call->state, id);
    if (err == SOUK_ENOENT)
        return souk_diag_say(&call->diag, SOUK_ECONFLICT, "job %lld has ended already",
                             (long long)id);
    SOUK_TRY(err);
    return show(call, id);
}

static void post_cancel(souk_call *call)
{
    answer(call, cancel(call), 202);
}

static souk_err ask(souk_call *call)
{
    souk_json_doc body = {.mem = call->arena.mem};
    int64_t id = 0;
    souk_err err = souk_json_read(&body, call->body, NULL, &call->diag);
    if (!err)
        err = jobs_ask(call->state, souk_field(&body, souk_json_root(&body), "kind", &call->arena),
                       call->body, &id, &call->diag);
    souk_json_doc_done(&body);
    return err ? err : show(call, id);
}

static void post_job(souk_call *call)
{
    answer(call, ask(call), 202);
}

static const souk_shape_name shapes[] = {
    {"Job", "{id: integer, kind: text, arguments: any, state: text 'waiting, running, done, "
            "failed, cancelled or interrupted', "
            "done: integer, total: integer, unit: text 'what is counted', made: time?, started: "
            "time?, ended: time?, "
            "code: text 'OK, or the name of the error', words: text, result: any}"},
};

static const souk_route routes[] = {
    {"GET", "/v1/jobs", SOUK_SCOPE_ADMIN, get_jobs, .summary = "Long work, newest first",
     .query = "before?: integer 'the id that the last page ended with'",
     .gives = "{jobs: [Job], next_before?: integer 'there are more'}"},
    {"GET", "/v1/jobs/{id}", SOUK_SCOPE_ADMIN, get_job, .summary = "How far a job is",
     .gives = "Job"},
    {"POST", "/v1/jobs/{id}/cancel", SOUK_SCOPE_ADMIN, post_cancel, .slow = true,
     .summary = "End a job; what is done by then stays", .gives = "Job"},
    {"POST", "/v1/jobs", SOUK_SCOPE_ADMIN, post_job, .slow = true, .local = true,
     .summary = "Start a job"},
};

const souk_service souk_jobs_service = {
    .name = "jobs",
    .words = "Imports, backups and checks, and how far they are",
    .shapes = shapes,
    .shape_count = sizeof shapes / sizeof *shapes,
    .routes = routes,
    .route_count = sizeof routes / sizeof *routes,
};
