/* events_file.c - events as they are sent, one a line: what `souk world` writes, and what other collectors keep.
 *
 *     {"type":"track","event":"Product Viewed","messageId":"m-1","userId":"u1","timestamp":"2026-01-02T10:00:00Z",…}
 *
 * A line is an event in the form of the Segment protocol; its identity is its messageId.  Empty lines are passed
 * over. */
#include "service/collect/import_told.h"

enum { LINE_BYTES = 1 << 20 };

struct state {
    import_told told;
    souk_buf rest; /* of a line whose end has not come */
    uint64_t line;
};

static souk_err begin(void *opaque, souk_import_sink *sink, souk_diag *diag)
{
    struct state *state = opaque;
    (void)diag;
    state->rest.mem = sink->mem;
    return import_told_begin(&state->told, sink);
}

static souk_err take_line(struct state *state, souk_text line)
{
    line = souk_text_trim(line);
    state->line++;
    if (line.bytes == 0)
        return SOUK_OK;
    state->told.sink->rows++;
    return import_told_put(&state->told, line, state->line);
}

static souk_err keep_rest(struct state *state, souk_text piece, souk_diag *diag)
{
    if (state->rest.bytes + piece.bytes > LINE_BYTES)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "line %llu has more than %d bytes: is this a file of events, one a "
                             "line?",
                             (unsigned long long)state->line + 1, LINE_BYTES);
    souk_buf_text(&state->rest, piece);
    return souk_buf_check(&state->rest);
}

static souk_err feed(void *opaque, souk_text piece, bool last, souk_diag *diag)
{
    struct state *state = opaque;
    for (const char *end; piece.bytes && (end = memchr(piece.at, '\n', piece.bytes));) {
        souk_text line = souk_text_range(piece.at, end);
        piece = souk_text_range(end + 1, piece.at + piece.bytes);
        if (state->rest.bytes) {
            SOUK_TRY(keep_rest(state, line, diag));
            line = souk_buf_view(&state->rest);
        }
        SOUK_TRY(take_line(state, line));
        souk_buf_clear(&state->rest);
    }
    SOUK_TRY(keep_rest(state, piece, diag));
    if (!last)
        return SOUK_OK;
    SOUK_TRY(take_line(state, souk_buf_view(&state->rest)));
    return state->told.sink->rows ? SOUK_OK : souk_diag_say(diag, SOUK_EINVAL, "the file is empty");
}

static void done(void *opaque)
{
    struct state *state = opaque;
    import_told_done(&state->told);
    souk_buf_done(&state->rest);
}

const souk_import_format souk_import_events = {
    .name = "events",
    .summary = "events as they are sent, one a line of JSON: of `souk world`, of other collectors",
    .state_bytes = sizeof(struct state),
    .begin = begin,
    .feed = feed,
    .done = done,
};
