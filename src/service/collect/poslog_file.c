/* poslog_file.c - a till's POSLog document of any size: a transaction is a row (poslog.h). */
#include "service/collect/import_told.h"
#include "service/collect/poslog.h"

struct state {
    import_told told;
    souk_poslog *poslog;
};

static souk_err take(void *context, souk_text event, souk_text transaction, const souk_diag *fault)
{
    struct state *state = context;
    state->told.sink->rows++;
    if (fault)
        return souk_import_put_fault(state->told.sink, 0, fault, transaction);
    return import_told_put(&state->told, event, 0);
}

static souk_err begin(void *opaque, souk_import_sink *sink, souk_diag *diag)
{
    struct state *state = opaque;
    (void)diag;
    SOUK_TRY(import_told_begin(&state->told, sink));
    return souk_poslog_new(sink->mem, &(souk_poslog_options){.each = take, .context = state},
                           &state->poslog);
}

static souk_err feed(void *opaque, souk_text piece, bool last, souk_diag *diag)
{
    struct state *state = opaque;
    return souk_poslog_feed(state->poslog, piece, last, diag);
}

static void done(void *opaque)
{
    struct state *state = opaque;
    souk_poslog_free(state->poslog);
    import_told_done(&state->told);
}

const souk_import_format souk_import_poslog = {
    .name = "poslog",
    .summary = "ARTS POSLog, 2.2 to 6: a till's receipts",
    .state_bytes = sizeof(struct state),
    .begin = begin,
    .feed = feed,
    .done = done,
};
