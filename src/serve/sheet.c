/* sheet.c - the answer of a list, read and written again as rows (sheet.h). */
#include "serve/sheet.h"

#include "base/csv.h"
#include "base/json.h"

enum { COLUMNS_MOST = 32 };

/* ---- columns ------------------------------------------------------------------------------------------ */

struct search {
    souk_text name, shape;
};

static souk_err find_member(void *context, const souk_shape_member *member)
{
    struct search *search = context;
    if (souk_text_equal(member->name, search->name))
        search->shape = member->shape;
    return SOUK_OK;
}

/* "{a: text}" without its braces; empty: it is no such shape. */
static souk_text inside(souk_text shape, char open)
{
    bool fits = shape.bytes >= 2 && shape.at[0] == open;
    return fits ? souk_text_trim((souk_text){shape.at + 1, shape.bytes - 2}) : SOUK_TEXT("");
}

static souk_text shape_of(souk_text name, const souk_service *const *services, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < services[i]->shape_count; k++)
            if (souk_text_equal(name, souk_text_of(services[i]->shapes[k].name)))
                return souk_text_of(services[i]->shapes[k].shape);
    return name;
}

souk_err souk_sheet_columns(const souk_route *route, const souk_service *const *services,
                            size_t count,
                            souk_err (*each)(void *context, const souk_shape_member *column),
                            void *context)
{
    struct search search = {.name = souk_text_of(route->sheet)};
    SOUK_TRY(
        souk_shape_members(inside(souk_text_of(route->gives), '{'), find_member, &search, NULL));
    souk_text row = inside(shape_of(inside(search.shape, '['), services, count), '{');
    return row.bytes ? souk_shape_members(row, each, context, NULL) : SOUK_ESYNTAX;
}

/* ---- rows --------------------------------------------------------------------------------------------- */

struct sheet {
    const char *list; /* the member that holds the rows */
    void (*send)(souk_call *call, int status, const char *type, souk_text body, unsigned retry_s);
    souk_text columns[COLUMNS_MOST];
    size_t column_count;
    bool open; /* there is a column "more" behind those */
    souk_json_doc doc;
    souk_buf out, more; /* more: the cell being made */
    souk_csv_writer csv;
};

static souk_err add_column(void *context, const souk_shape_member *column)
{
    struct sheet *sheet = context;
    if (souk_text_equal(column->name, SOUK_TEXT("*")))
        sheet->open = true;
    else if (sheet->column_count == COLUMNS_MOST)
        return SOUK_ETOOBIG;
    else
        sheet->columns[sheet->column_count++] = column->name;
    return SOUK_OK;
}

static souk_err put_cell(struct sheet *sheet, souk_json_node node, souk_arena *arena)
{
    souk_text text = SOUK_TEXT("");
    souk_json_kind kind = souk_json_type(&sheet->doc, node);
    if (kind == SOUK_JSON_STRING)
        SOUK_TRY(souk_json_text(&sheet->doc, node, arena, &text));
    else if (kind != SOUK_JSON_MISSING && kind != SOUK_JSON_NULL)
        text = souk_json_raw(&sheet->doc, node);
    sheet->csv.guard = kind != SOUK_JSON_NUMBER; /* -1e5 is no formula */
    souk_csv_put(&sheet->csv, text);
    return SOUK_OK;
}

static bool is_column(const struct sheet *sheet, souk_text key)
{
    for (size_t i = 0; i < sheet->column_count; i++)
        if (souk_text_equal(sheet->columns[i], key))
            return true;
    return false;
}

/* What no column has, as a JSON object; nothing where there is none. */
static souk_err put_more(struct sheet *sheet, souk_json_node row, souk_arena *arena)
{
    souk_json_writer json = {.out = &sheet->more};
    souk_text key;
    bool any = false;
    souk_buf_clear(&sheet->more);
    souk_json_write_object(&json);
    for (souk_json_node node = souk_json_first(&sheet->doc, row); node != SOUK_JSON_NONE;
         node = souk_json_next(&sheet->doc, node)) {
        SOUK_TRY(souk_json_key_text(&sheet->doc, node, arena, &key));
        if (is_column(sheet, key))
            continue;
        any = true;
        souk_json_write_key(&json, key);
        souk_json_write_raw(&json, souk_json_raw(&sheet->doc, node));
    }
    souk_json_write_end(&json);
    SOUK_TRY(souk_json_write_check(&json));
    souk_csv_put(&sheet->csv, any ? souk_buf_view(&sheet->more) : SOUK_TEXT(""));
    return SOUK_OK;
}

static souk_err put_row(struct sheet *sheet, souk_json_node row, souk_arena *arena)
{
    for (size_t i = 0; i < sheet->column_count; i++)
        SOUK_TRY(put_cell(sheet, souk_json_member(&sheet->doc, row, sheet->columns[i]), arena));
    if (sheet->open)
        SOUK_TRY(put_more(sheet, row, arena));
    souk_csv_end_row(&sheet->csv);
    return SOUK_OK;
}

static souk_err put_rows(struct sheet *sheet, souk_text body, souk_arena *arena)
{
    souk_json_limits limits = {.bytes = body.bytes, .values = body.bytes, .depth = 64};
    SOUK_TRY(souk_json_read(&sheet->doc, body, &limits, NULL));
    souk_json_node list =
        souk_json_member(&sheet->doc, souk_json_root(&sheet->doc), souk_text_of(sheet->list));
    souk_buf_text(&sheet->out, SOUK_TEXT("\xEF\xBB\xBF"));
    for (size_t i = 0; i < sheet->column_count; i++)
        souk_csv_put(&sheet->csv, sheet->columns[i]);
    if (sheet->open)
        souk_csv_put(&sheet->csv, SOUK_TEXT("more"));
    souk_csv_end_row(&sheet->csv);
    for (souk_json_node row = souk_json_first(&sheet->doc, list); row != SOUK_JSON_NONE;
         row = souk_json_next(&sheet->doc, row))
        SOUK_TRY(put_row(sheet, row, arena));
    return souk_buf_check(&sheet->out);
}

/* ---- the call ----------------------------------------------------------------------------------------- */

/* attachment; filename="products.csv" */
static void name_file(souk_call *call, const char *list)
{
    souk_buf name = {.mem = call->arena.mem};
    souk_buf_print(&name, "attachment; filename=\"%s.csv\"", list);
    char *kept = souk_arena_copy(&call->arena, name.at, name.bytes);
    if (!souk_buf_check(&name) && !call->arena.failed)
        souk_call_add_header(call, "Content-Disposition", (souk_text){kept, name.bytes});
    souk_buf_done(&name);
}

/* In place of the call's own send. */
static void send_rows(souk_call *call, int status, const char *type, souk_text body,
                      unsigned retry_s)
{
    struct sheet *sheet = call->sheet;
    call->send = sheet->send;
    if (status != 200) {
        call->send(call, status, type, body, retry_s);
        return;
    }
    sheet->doc.mem = sheet->out.mem = sheet->more.mem = call->arena.mem;
    sheet->csv.out = &sheet->out;
    souk_err err = put_rows(sheet, body, &call->arena);
    souk_json_doc_done(&sheet->doc);
    souk_buf_done(&sheet->more);
    souk_buf rows = sheet->out; /* the sheet goes with the call */
    if (err) {
        souk_buf_done(&rows);
        souk_call_fail(call, err);
        return;
    }
    name_file(call, sheet->list);
    call->send(call, 200, "text/csv; charset=utf-8; header=present", souk_buf_view(&rows), 0);
    souk_buf_done(&rows);
}

souk_err souk_sheet_begin(souk_call *call, const souk_service *const *services, size_t count)
{
    souk_text format;
    if (!call->route->sheet || !souk_call_query(call, SOUK_TEXT("format"), &format) ||
        souk_text_equal(format, SOUK_TEXT("json")))
        return SOUK_OK;
    if (!souk_text_equal(format, SOUK_TEXT("csv")))
        return souk_diag_say(&call->diag, SOUK_EINVAL, "the format is json or csv");
    struct sheet *sheet = souk_arena_get(&call->arena, sizeof *sheet);
    if (call->arena.failed)
        return SOUK_ENOMEM;
    *sheet = (struct sheet){.list = call->route->sheet, .send = call->send};
    SOUK_TRY(souk_sheet_columns(call->route, services, count, add_column, sheet));
    call->sheet = sheet;
    call->send = send_rows;
    return SOUK_OK;
}
