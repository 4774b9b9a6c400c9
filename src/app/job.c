/* job.c - a job asked for, watched with a bar on stderr, and its result printed.
 *
 * Whether a server owns the folder or this process does: the same routes, the same jobs, the same words.  If the
 * command is killed, a server's job goes on; `souk jobs` finds it. */
#include "app/app.h"
#include "base/progress.h"

#include <stdio.h>
#include <unistd.h>

enum { LOOK_FIRST_US = 2000, LOOK_MOST_US = 100000 }; /* small jobs are over at once */

struct watching {
    app_line *line;
    const char *label;
    int64_t id;
    souk_progress bar;
    bool cancelled;
    /* what the last look told; texts in the arena */
    souk_json_doc doc;
    souk_arena arena;
    souk_buf answer;
    souk_text state;
};

static uint64_t number_of(const struct watching *watching, const char *key)
{
    const souk_json_doc *doc = &watching->doc;
    int64_t number;
    if (souk_json_i64(doc, souk_json_member(doc, souk_json_root(doc), souk_text_of(key)), &number))
        return 0;
    return number < 0 ? 0 : (uint64_t)number;
}

static souk_text text_of(struct watching *watching, const char *key)
{
    return souk_field(&watching->doc, souk_json_root(&watching->doc), key, &watching->arena);
}

/* One call, whose answer is the job. */
static souk_err look(struct watching *watching, const char *method, const char *path,
                     souk_text body, souk_diag *diag)
{
    souk_buf_clear(&watching->answer);
    souk_arena_clear(&watching->arena);
    SOUK_TRY(app_line_call(watching->line, method, path, body, &watching->answer, diag));
    SOUK_TRY(souk_json_read(&watching->doc, souk_buf_view(&watching->answer), NULL, diag));
    watching->state = text_of(watching, "state");
    watching->id = (int64_t)number_of(watching, "id");
    return watching->arena.failed ? SOUK_ENOMEM : SOUK_OK;
}

static bool is_state(const struct watching *watching, souk_job_state state)
{
    return souk_text_equal(watching->state, souk_text_of(souk_job_state_word(state)));
}

static const char *unit_of(struct watching *watching)
{
    return souk_text_equal(text_of(watching, "unit"), SOUK_TEXT("bytes")) ? "bytes" : "events";
}

static void draw(struct watching *watching)
{
    souk_progress *bar = &watching->bar;
    if (is_state(watching, SOUK_JOB_WAITING))
        return;
    if (!bar->running)
        souk_progress_start(
            bar, &(souk_progress_options){.label = watching->label, .unit = unit_of(watching)});
    bar->options.total = number_of(watching, "total");
    souk_progress_set(bar, number_of(watching, "done"));
}

static souk_err cancel(struct watching *watching, souk_diag *diag)
{
    char path[60];
    watching->cancelled = true;
    snprintf(path, sizeof path, "/v1/jobs/%lld/cancel", (long long)watching->id);
    souk_err err = look(watching, "POST", path, SOUK_TEXT(""), diag);
    if (err != SOUK_ECONFLICT) /* it ended meanwhile: the next look says how */
        return err;
    *diag = (souk_diag){.words = ""};
    return SOUK_OK;
}

static souk_err watch(struct watching *watching, souk_diag *diag)
{
    char path[60];
    useconds_t pause_us = LOOK_FIRST_US;
    snprintf(path, sizeof path, "/v1/jobs/%lld", (long long)watching->id);
    while (is_state(watching, SOUK_JOB_WAITING) || is_state(watching, SOUK_JOB_RUNNING)) {
        draw(watching);
        if (app_interrupted() && !watching->cancelled)
            SOUK_TRY(cancel(watching, diag));
        usleep(pause_us);
        pause_us = pause_us * 2 < LOOK_MOST_US ? pause_us * 2 : LOOK_MOST_US;
        SOUK_TRY(look(watching, "GET", path, SOUK_TEXT(""), diag));
    }
    draw(watching);
    return SOUK_OK;
}

static souk_err outcome(struct watching *watching, souk_diag *diag)
{
    souk_text code = text_of(watching, "code"), words = text_of(watching, "words");
    if (is_state(watching, SOUK_JOB_DONE)) {
        const souk_json_doc *doc = &watching->doc;
        souk_progress_finish(&watching->bar);
        app_print(
            watching->line->options,
            souk_json_raw(doc, souk_json_member(doc, souk_json_root(doc), SOUK_TEXT("result"))));
        return SOUK_OK;
    }
    souk_progress_done(&watching->bar);
    souk_err err = SOUK_EIO;
    for (int i = 1; i < SOUK_ERR_COUNT; i++)
        if (souk_text_equal(code, souk_text_of(souk_err_name((souk_err)i))))
            err = (souk_err)i;
    return souk_diag_say(diag, err, "%.*s", SOUK_TEXT_PRINT(words));
}

souk_err app_job(const app_options *options, const char *label, souk_text body, souk_diag *diag)
{
    souk_mem *mem = souk_mem_heap();
    app_line line;
    struct watching watching = {.line = &line,
                                .label = label,
                                .doc = {.mem = mem},
                                .arena = {.mem = mem},
                                .answer = {.mem = mem}};
    app_catch_signals();
    SOUK_TRY(app_line_open(options, &line, diag));
    souk_err err = look(&watching, "POST", "/v1/jobs", body, diag);
    if (!err)
        err = watch(&watching, diag);
    if (!err)
        err = outcome(&watching, diag);
    souk_progress_done(&watching.bar);
    souk_json_doc_done(&watching.doc);
    souk_arena_done(&watching.arena);
    souk_buf_done(&watching.answer);
    souk_err closed = app_line_close(&line);
    return err ? err : closed;
}

/* ---- what jobs are asked with ------------------------------------------------------------------------ */

souk_err app_absolute(const char *path, souk_buf *out, souk_diag *diag)
{
    char folder[4096];
    if (path[0] != '/') {
        if (!getcwd(folder, sizeof folder))
            return souk_diag_say(diag, SOUK_EIO,
                                 "this folder's path cannot be read: give %s as an "
                                 "absolute path",
                                 path);
        souk_buf_print(out, "%s/", folder);
    }
    souk_buf_text(out, souk_text_of(path));
    return souk_buf_check(out);
}

void app_write_statement(const app_options *options, souk_json_writer *json)
{
    souk_json_put_array(json, "bases");
    for (size_t i = 0; i < options->base_count; i++)
        souk_json_write_text(json, souk_text_of(options->bases[i]));
    souk_json_write_end(json);
    if (!options->age_band)
        return;
    souk_json_put_text(json, "age", souk_text_of(options->age_band));
}

/* ---- verify, jobs -------------------------------------------------------------------------------------- */

souk_err app_verify(const app_options *options, souk_diag *diag)
{
    return app_job(options, "verify", SOUK_TEXT("{\"kind\":\"verify\"}"), diag);
}

souk_err app_jobs(const app_options *options, souk_diag *diag)
{
    souk_auto_value(souk_buf) answer = {.mem = souk_mem_heap(), .limit_bytes = (size_t)16 << 20};
    const char *const *words = options->operands;
    bool cancelling = options->operand_count == 2 && !strcmp(words[0], "cancel");
    char path[100] = "/v1/jobs";
    uint64_t id;
    if (options->operand_count > 1 && !cancelling)
        return souk_diag_say(diag, SOUK_EINVAL, "souk jobs [ID | cancel ID]");
    if (options->operand_count) {
        if (souk_text_to_u64(souk_text_of(words[cancelling]), &id))
            return souk_diag_say(diag, SOUK_EINVAL, "the id of a job is a number: see `souk jobs`");
        snprintf(path, sizeof path, "/v1/jobs/%llu%s", (unsigned long long)id,
                 cancelling ? "/cancel" : "");
    }
    SOUK_TRY(app_call(options, cancelling ? "POST" : "GET", path, SOUK_TEXT(""), &answer, diag));
    app_print(options, souk_buf_view(&answer));
    return SOUK_OK;
}
