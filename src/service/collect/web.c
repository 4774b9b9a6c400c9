/* web.c - the answers of web.h, and the pixel: a query that becomes one event. */
#include "service/collect/web.h"

#include "base/url.h"
#include "service/collect/intake_inside.h"
#include "service/collect/segment.h"

#include <stdlib.h>

enum { PIXEL_FIELDS = 200, PIXEL_DEPTH = 8 };

/* GIF89a, 1 x 1, colour 0 transparent. */
static const char gif[] =
    "GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0"
    "\x01\0\x01\0\0\x02\x02\x44\x01\0;";

souk_text souk_web_gif(void)
{
    return (souk_text){gif, sizeof gif - 1};
}

void souk_web_ignore(souk_call *call)
{
    souk_collect_answer(call, SOUK_OK);
}

void souk_web_health(souk_call *call)
{
    souk_call_answer_text(call, 200, "text/plain", SOUK_TEXT("OK"));
}

void souk_web_version(souk_call *call)
{
    souk_call_answer_text(call, 200, "application/json",
                          SOUK_TEXT("{\"Version\":\"" SOUK_VERSION "\",\"Server\":\"souk\"}"));
}

void souk_web_robots(souk_call *call)
{
    souk_call_answer_text(call, 200, "text/plain", SOUK_TEXT("User-agent: *\nDisallow: /\n"));
}

/* ---- what clients read before they send ------------------------------------------------------------------- */

static void empty_list(souk_json_writer *out, const char *key)
{
    souk_json_write_key(out, souk_text_of(key));
    souk_json_write_array(out);
    souk_json_write_end(out);
}

/* The client takes the apiKey of this answer for its write key. */
void souk_web_settings(souk_call *call)
{
    souk_text key;
    souk_err err = souk_call_part(call, 0, &key);
    if (!err)
        err = souk_collect_caller(call, key);
    if (err) {
        souk_call_fail(call, err);
        return;
    }
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    souk_json_put_object(out, "integrations");
    souk_json_put_object(out, "Segment.io");
    souk_json_put_text(out, "apiKey", key);
    souk_json_write_end(out);
    souk_json_write_end(out);
    souk_json_put_object(out, "metrics");
    souk_json_write_key(out, SOUK_TEXT("sampleRate"));
    souk_json_write_i64(out, 0);
    souk_json_write_end(out);
    souk_json_put_object(out, "plan");
    souk_json_write_end(out);
    souk_json_write_end(out);
    souk_call_add_header(call, "Cache-Control", SOUK_TEXT("public, max-age=300"));
    souk_call_answer(call, 200);
}

static void write_source(souk_call *call, souk_text key, souk_json_writer *out)
{
    char id[SOUK_SECRET_ID_BYTES];
    souk_merchants_secret_id(call->merchants, key, id);
    souk_json_put_object(out, "source");
    souk_json_put_text(out, "id", souk_text_of(id));
    souk_json_put_text(out, "name", SOUK_TEXT("souk"));
    souk_json_put_text(out, "writeKey", key);
    souk_json_put_bool(out, "enabled", true);
    souk_json_put_text(out, "workspaceId", SOUK_TEXT("souk"));
    souk_json_put_object(out, "config");
    souk_json_put_object(out, "statsCollection");
    souk_json_put_object(out, "errors");
    souk_json_put_bool(out, "enabled", false);
    souk_json_write_end(out);
    souk_json_put_object(out, "metrics");
    souk_json_put_bool(out, "enabled", false);
    souk_json_write_end(out);
    souk_json_write_end(out);
    souk_json_write_end(out);
    empty_list(out, "destinations");
    empty_list(out, "connections");
    souk_json_put_object(out, "dataplanes");
    souk_json_write_end(out);
    souk_json_write_end(out);
}

void souk_web_source_config(souk_call *call)
{
    char at[SOUK_TIME_BYTES];
    souk_text key;
    souk_err err = souk_collect_key(call, &key);
    if (!err)
        err = souk_collect_caller(call, key);
    if (err) {
        souk_call_fail(call, err);
        return;
    }
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    write_source(call, key, out);
    size_t bytes = souk_time_write(souk_clock_now_ms(souk_spine_clock(call->spine)), at);
    souk_json_put_text(out, "updatedAt", (souk_text){at, bytes});
    souk_json_put_object(out, "consentManagementMetadata");
    empty_list(out, "providers");
    souk_json_write_end(out);
    souk_json_write_end(out);
    souk_call_answer(call, 200);
}

/* ---- the pixel -------------------------------------------------------------------------------------------------- */

/* One field of the query, its name's parts between dots: "properties.price". */
struct field {
    souk_text name, value;
};

static int compare_names(const void *a, const void *b)
{
    return souk_text_compare(((const struct field *)a)->name, ((const struct field *)b)->name);
}

static souk_err decode_field(souk_call *call, souk_text raw, souk_text *ret_text)
{
    char *to = souk_arena_get(&call->arena, raw.bytes + 1);
    if (call->arena.failed)
        return SOUK_ENOMEM;
    ret_text->at = to;
    if (souk_url_decode(raw, true, to, &ret_text->bytes))
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "the query is badly escaped: %%XX, and no %%00");
    return SOUK_OK;
}

static souk_err read_query(souk_call *call, struct field *fields, size_t *ret_count)
{
    souk_text rest = call->query, name, value;
    size_t count = 0;
    while (souk_url_next(&rest, &name, &value)) {
        if (count == PIXEL_FIELDS)
            return souk_diag_say(&call->diag, SOUK_ETOOBIG, "more than %d fields in the query",
                                 PIXEL_FIELDS);
        SOUK_TRY(decode_field(call, name, &fields[count].name));
        SOUK_TRY(decode_field(call, value, &fields[count].value));
        bool is_key = souk_text_equal(fields[count].name, SOUK_TEXT("writeKey"));
        count += !is_key && fields[count].name.bytes;
    }
    qsort(fields, count, sizeof *fields, compare_names);
    *ret_count = count;
    return SOUK_OK;
}

/* The fields are in order, so those of one object follow each other; names lose their first part on the way down. */
static void write_fields(struct field *fields, size_t count, unsigned depth, souk_json_writer *out)
{
    for (size_t i = 0; i < count;) {
        souk_text rest = fields[i].name, head = souk_text_cut(&rest, '.');
        size_t same = i;
        while (depth < PIXEL_DEPTH && rest.bytes && same < count) {
            souk_text tail = fields[same].name;
            if (!souk_text_equal(souk_text_cut(&tail, '.'), head) || tail.bytes == 0)
                break;
            fields[same++].name = tail;
        }
        souk_json_write_key(out, same > i ? head : fields[i].name);
        if (same == i) {
            souk_json_write_text(out, fields[i++].value);
            continue;
        }
        souk_json_write_object(out);
        write_fields(fields + i, same - i, depth + 1, out);
        souk_json_write_end(out);
        i = same;
    }
}

static void answer_pixel(void *context, souk_err err)
{
    souk_call *call = context;
    souk_intake_free(call->user);
    if (err) {
        souk_collect_answer(call, err);
        return;
    }
    souk_call_add_header(call, "Cache-Control", SOUK_TEXT("no-store"));
    souk_call_answer_text(call, 200, "image/gif", souk_web_gif());
}

static souk_err read_pixel(souk_call *call, souk_intake *intake, souk_text type)
{
    struct field *fields = souk_arena_get(&call->arena, PIXEL_FIELDS * sizeof *fields);
    souk_auto_value(souk_buf) body = {.mem = intake->collect->mem, .limit_bytes = 1 << 17};
    souk_json_writer out = {.out = &body};
    size_t count = 0;
    if (call->arena.failed)
        return SOUK_ENOMEM;
    SOUK_TRY(souk_collect_caller(call, SOUK_TEXT("")));
    souk_intake_source(intake, call->caller.source);
    SOUK_TRY(read_query(call, fields, &count));
    souk_json_write_object(&out);
    write_fields(fields, count, 0, &out);
    souk_json_write_end(&out);
    SOUK_TRY(souk_json_write_check(&out));
    char *kept = souk_arena_copy(&call->arena, body.at, body.bytes);
    if (call->arena.failed)
        return SOUK_ENOMEM;
    SOUK_TRY(souk_json_read(&intake->doc, (souk_text){kept, body.bytes}, NULL, &call->diag));
    return intake_add(intake, souk_json_root(&intake->doc), type,
                      souk_text_equal(type, SOUK_TEXT("page")) ? SOUK_TEXT("/v1/page")
                                                               : SOUK_TEXT("/v1/track"),
                      INTAKE_ALONE);
}

void souk_web_pixel(souk_call *call)
{
    souk_intake *intake;
    souk_text page = SOUK_TEXT("page");
    bool is_page = souk_text_equal(call->path, SOUK_TEXT("/pixel/v1/page"));
    souk_err err = souk_intake_open(call->state, &call->arena, &call->diag, &intake);
    if (err) {
        souk_call_fail(call, err);
        return;
    }
    call->user = intake;
    err = read_pixel(call, intake, is_page ? page : SOUK_TEXT("track"));
    if (!err)
        err = souk_intake_submit(intake, answer_pixel, call);
    if (!err)
        return;
    souk_intake_free(intake);
    souk_call_fail(call, err);
}
