/* codes.c - two ordered lists become a page of one (codes.h). */
#include "serve/codes.h"

enum { PAGE_USUAL = 100, PAGE_MOST = 1000 };

struct seen {
    souk_call *call;
    souk_text *codes; /* [most] */
    size_t count;
};

static souk_err take_seen(void *context, souk_text code)
{
    struct seen *seen = context;
    souk_arena *arena = &seen->call->arena;
    seen->codes[seen->count++] =
        (souk_text){souk_arena_copy(arena, code.at, code.bytes), code.bytes};
    return arena->failed ? SOUK_ENOMEM : SOUK_OK;
}

/* The lower of both heads; one that stands in both is described. */
static souk_code_row next_row(const souk_code_row *rows, size_t count, const struct seen *seen,
                              size_t *row, size_t *code)
{
    int order = *row == count          ? 1
                : *code == seen->count ? -1
                                       : souk_text_compare(rows[*row].code, seen->codes[*code]);
    souk_code_row next = order > 0 ? (souk_code_row){.code = seen->codes[*code]} : rows[*row];
    *row += order <= 0;
    *code += order >= 0;
    return next;
}

static souk_err write_rows(souk_call *call, const souk_code_list *list, const souk_code_row *rows,
                           size_t count, const struct seen *seen, size_t limit)
{
    souk_json_writer *out = souk_call_json(call);
    souk_code_row last = {.code = {"", 0}};
    size_t row = 0, code = 0;
    souk_json_write_object(out);
    souk_json_write_key(out, souk_text_of(list->name));
    souk_json_write_array(out);
    for (size_t i = 0; i < limit && (row < count || code < seen->count); i++) {
        last = next_row(rows, count, seen, &row, &code);
        SOUK_TRY(list->write(call, &last, out));
    }
    souk_json_write_end(out);
    if (row < count || code < seen->count) {
        souk_json_put_text(out, "next_cursor", last.code);
        souk_call_link_next(call, "cursor", last.code);
    }
    souk_json_write_end(out);
    return SOUK_OK;
}

souk_err souk_code_page(souk_call *call, const souk_code_list *list)
{
    souk_text after = SOUK_TEXT("");
    size_t limit, count;
    SOUK_TRY(souk_call_limit(call, PAGE_USUAL, PAGE_MOST, &limit));
    souk_call_query(call, SOUK_TEXT("cursor"), &after);
    souk_code_row *rows = souk_arena_get(&call->arena, (limit + 1) * sizeof *rows);
    struct seen seen = {.call = call};
    seen.codes = souk_arena_get(&call->arena, (limit + 1) * sizeof *seen.codes);
    if (call->arena.failed)
        return SOUK_ENOMEM;
    SOUK_TRY(list->fetch(call, after, limit + 1, rows, &count));
    SOUK_TRY(souk_catalogue_list(souk_spine_catalogue(call->spine), list->kind,
                                 call->caller.merchant, after, limit + 1, take_seen, &seen));
    return write_rows(call, list, rows, count, &seen, limit);
}
