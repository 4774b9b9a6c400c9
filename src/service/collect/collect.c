/* collect.c - the collect service: the routes of the Segment protocol and of rejects, imports as jobs. */
#include "base/utf8.h"
#include "service/collect/devices.h"
#include "service/collect/import.h"
#include "service/collect/segment.h"
#include "service/collect/vocabulary.h"
#include "service/collect/web.h"

#include <stdio.h>

/* ---- rejects ----------------------------------------------------------------------------------------- */

enum { REJECTS_USUAL = 100, REJECTS_MOST = 1000 };

struct reject_page {
    souk_json_writer *out;
    size_t count;
    uint64_t last; /* id */
    uint32_t *sources;
    souk_text *names; /* [source_count], in the call's arena */
    size_t source_count;
};

/* Before the page is read: it is one read of the ledger, and so is each name. */
static souk_err name_sources(souk_call *call, uint64_t after, size_t limit,
                             struct reject_page *page)
{
    page->sources = souk_arena_get(&call->arena, limit * sizeof *page->sources);
    page->names = souk_arena_get(&call->arena, limit * sizeof *page->names);
    if (call->arena.failed)
        return SOUK_ENOMEM;
    SOUK_TRY(souk_rejects_sources(souk_spine_rejects(call->spine), after, limit, page->sources,
                                  &page->source_count));
    for (size_t i = 0; i < page->source_count; i++) {
        char name[200];
        uint32_t merchant;
        souk_err err = souk_merchants_source_of(call->merchants, page->sources[i], &merchant, name,
                                                sizeof name);
        if (err && err != SOUK_ENOENT)
            return err;
        souk_text text = err ? SOUK_TEXT("") : souk_text_of(name);
        page->names[i] =
            (souk_text){souk_arena_copy(&call->arena, text.at, text.bytes), text.bytes};
    }
    return call->arena.failed ? SOUK_ENOMEM : SOUK_OK;
}

/* Empty: nobody knows it, or it came since. */
static souk_text name_of(const struct reject_page *page, uint32_t source)
{
    for (size_t i = 0; i < page->source_count; i++)
        if (page->sources[i] == source)
            return page->names[i];
    return SOUK_TEXT("");
}

static souk_err write_reject(void *context, const souk_reject *reject)
{
    struct reject_page *page = context;
    souk_json_writer *out = page->out;
    page->count++;
    page->last = reject->id;
    char at[SOUK_TIME_BYTES];
    souk_json_write_object(out);
    souk_json_put_u64(out, "id", reject->id);
    souk_json_put_text(out, "source", name_of(page, reject->source));
    souk_json_put_text(out, "at", (souk_text){at, souk_time_write(reject->at, at)});
    souk_json_put_text(out, "fault", reject->fault);
    souk_json_put_text(out, "where", reject->where);
    souk_json_put_text(out, "text", reject->text);
    souk_json_write_end(out);
    return SOUK_OK;
}

static souk_err show_rejects(souk_call *call)
{
    souk_text word;
    uint64_t after = 0, count;
    size_t limit;
    souk_rejects *rejects = souk_spine_rejects(call->spine);
    SOUK_TRY(souk_call_limit(call, REJECTS_USUAL, REJECTS_MOST, &limit));
    if (souk_call_query(call, SOUK_TEXT("after"), &word) && souk_text_to_u64(word, &after))
        return souk_diag_say(&call->diag, SOUK_EINVAL, "after is the id of a reject");
    SOUK_TRY(souk_rejects_count(rejects, &count));
    struct reject_page page = {.count = 0};
    SOUK_TRY(name_sources(call, after, limit, &page));
    page.out = souk_call_json(call);
    souk_json_write_object(page.out);
    souk_json_put_u64(page.out, "count", count);
    souk_json_put_array(page.out, "rejects");
    SOUK_TRY(souk_rejects_each(rejects, after, limit, write_reject, &page));
    souk_json_write_end(page.out);
    if (page.count == limit) {
        souk_json_put_u64(page.out, "next_after", page.last);
        souk_call_link_next_u64(call, "after", page.last);
    }
    souk_json_write_end(page.out);
    return SOUK_OK;
}

static void list_rejects(souk_call *call)
{
    souk_err err = show_rejects(call);
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer(call, 200);
}

static bool reject_id(souk_call *call, uint64_t *ret_id)
{
    if (souk_text_to_u64(call->parts[0], ret_id) == SOUK_OK)
        return true;
    souk_diag_say(&call->diag, SOUK_ENOENT,
                  "the id of a reject is a number: see `souk rejects` or GET /v1/rejects");
    souk_call_fail(call, SOUK_ENOENT);
    return false;
}

/* A reject that is gone is named, where nobody has said more. */
static void fail_reject(souk_call *call, uint64_t id, souk_err err)
{
    if (err == SOUK_ENOENT && !call->diag.words[0])
        souk_diag_say(&call->diag, err,
                      "there is no reject %llu: see `souk rejects` or GET /v1/rejects",
                      (unsigned long long)id);
    souk_call_fail(call, err);
}

static void replay_reject(souk_call *call)
{
    uint64_t id;
    if (!reject_id(call, &id))
        return;
    souk_err err = souk_collect_replay(call->state, call, id, call->body);
    if (err)
        fail_reject(call, id, err);
    else
        souk_call_answer_text(call, 200, "application/json", SOUK_TEXT("{\"success\":true}"));
}

static void remove_reject(souk_call *call)
{
    uint64_t id;
    if (!reject_id(call, &id))
        return;
    souk_err err = souk_rejects_remove(souk_spine_rejects(call->spine), id);
    if (err)
        fail_reject(call, id, err);
    else
        souk_call_answer_text(call, 200, "application/json", SOUK_TEXT("{\"success\":true}"));
}

/* ---- the vocabulary ------------------------------------------------------------------------------------ */

static void list_schemas(souk_call *call)
{
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    souk_json_put_array(out, "events");
    for (size_t i = 0; i < souk_vocable_count; i++) {
        souk_json_write_object(out);
        souk_json_put_text(out, "name", souk_text_of(souk_vocables[i].name));
        souk_json_put_text(out, "meaning", souk_text_of(souk_vocables[i].meaning));
        souk_json_write_end(out);
    }
    souk_json_write_end(out);
    souk_json_write_end(out);
    souk_call_answer(call, 200);
}

static void get_schema(souk_call *call)
{
    souk_text name;
    souk_err err = souk_call_part(call, 0, &name);
    if (err) {
        souk_call_fail(call, err);
        return;
    }
    const souk_vocable *vocable = souk_vocable_find(name);
    if (!vocable) {
        souk_diag_say(&call->diag, SOUK_ENOENT,
                      "'%.*s' is no event of the vocabulary: GET /v1/schemas lists them",
                      SOUK_TEXT_PRINT(name));
        souk_call_fail(call, SOUK_ENOENT);
        return;
    }
    souk_vocable_schema(vocable, souk_call_json(call));
    souk_call_answer(call, 200);
}

/* ---- the table ------------------------------------------------------------------------------------------ */

enum { BATCH_BYTES = SOUK_CALL_BODY_MOST, SINGLE_BYTES = 65536 }; /* a batch: as the server's */

#define BATCH(path, words)                                                                   \
    {                                                                                        \
        "POST", path, SOUK_SCOPE_WRITE, souk_collect_batch, words, BATCH_BYTES,              \
            .any_origin = true,                                                              \
            .takes = "{batch: [Event], sentAt?: time, context?: {*: any}, writeKey?: text}", \
            .gives = "Taken"                                                                 \
    }
#define SINGLE(path, words)                                                    \
    {                                                                          \
        "POST", path, SOUK_SCOPE_WRITE, souk_collect_one, words, SINGLE_BYTES, \
            .any_origin = true, .takes = "Event", .gives = "Taken"             \
    }
/* Another name of one of those above. */
#define SHORT(path, function, bytes)                                                            \
    {                                                                                           \
        "POST", path, SOUK_SCOPE_WRITE, function, "by a short name", bytes, .any_origin = true, \
                                                                            .unlisted = true    \
    }
#define OPEN(path, function, words, type, shape)                                            \
    {                                                                                       \
        "GET", path, 0, function, .summary = words, .any_origin = true, .gives_type = type, \
                                  .gives = shape                                            \
    }

static const char pixel_query[] =
    "writeKey: text, anonymousId?: text, userId?: text, event?: text 'its name', messageId?: text";

static const char device_query[] = "writeKey?: text, store?: text 'where the sender stands', "
                                   "reader?: text 'its name'",
                  device_answer[] =
                      "{success: boolean, events: integer 'new ones', repeats: integer "
                      "'stored before', rejected: integer}";

static const souk_route routes[] = {
    BATCH("/v1/batch", "A batch of events"),
    SINGLE("/v1/track", "What a shopper did"),
    SINGLE("/v1/identify", "Who a visitor is"),
    SINGLE("/v1/page", "A page seen"),
    SINGLE("/v1/screen", "A screen seen"),
    SINGLE("/v1/group", "A group joined"),
    SINGLE("/v1/alias", "A visitor's earlier id"),
    SINGLE("/v1/merge", "Identifiers of one person"),
    BATCH("/v1/import", "A batch of history"),
    BATCH("/beacon/v1/batch", "A batch that a page sends while it closes"),
    SHORT("/v1/b", souk_collect_batch, BATCH_BYTES),
    SHORT("/v1/t", souk_collect_one, SINGLE_BYTES),
    SHORT("/v1/i", souk_collect_one, SINGLE_BYTES),
    SHORT("/v1/p", souk_collect_one, SINGLE_BYTES),
    SHORT("/v1/s", souk_collect_one, SINGLE_BYTES),
    SHORT("/v1/g", souk_collect_one, SINGLE_BYTES),
    SHORT("/v1/a", souk_collect_one, SINGLE_BYTES),
    {"POST", "/v1/m", 0, souk_web_ignore, .summary = "What a client counts of itself: not kept",
     .any_origin = true, .unlisted = true},
    {"GET", "/pixel/v1/track", SOUK_SCOPE_WRITE, souk_web_pixel,
     .summary = "An event, sent by the address of an image", .any_origin = true,
     .query = pixel_query, .gives_type = "image/gif"},
    {"GET", "/pixel/v1/page", SOUK_SCOPE_WRITE, souk_web_pixel,
     .summary = "A page seen, sent by the address of an image", .any_origin = true,
     .query = pixel_query, .gives_type = "image/gif"},
    OPEN("/v1/projects/{key}/settings", souk_web_settings, "Settings of Segment's browser client",
         NULL, "{integrations: {*: any}}"),
    OPEN("/sourceConfig", souk_web_source_config, "Settings of RudderStack's clients", NULL,
         "{source: {*: any}, updatedAt: time}"),
    {"GET", "/sourceConfig/", 0, souk_web_source_config, .summary = "by another name",
     .any_origin = true, .unlisted = true},
    OPEN("/health", souk_web_health, "Whether the server answers", "text/plain", NULL),
    OPEN("/version", souk_web_version, "Which version answers", NULL,
         "{Version: text, Server: text}"),
    OPEN("/robots.txt", souk_web_robots, "No page here is for search engines", "text/plain", NULL),
    {"POST", "/v1/counts", SOUK_SCOPE_WRITE, souk_devices_counts,
     .summary = "Counts of doors and zones", .body_limit = BATCH_BYTES, .query = device_query,
     .takes = "[{sensor: text, zone?: text, store?: text, start?: time, end: time, in?: integer, "
              "out?: integer, occupancy?: integer, total?: integer}]",
     .gives = device_answer},
    {"POST", "/v1/poslog", SOUK_SCOPE_WRITE, souk_devices_poslog,
     .summary = "Receipts of tills, as a POSLog document", .body_limit = BATCH_BYTES,
     .gives = device_answer, .words = "POSLog 2.2 to 6.", .takes = "text",
     .takes_type = "application/xml"},
    {"POST", "/v1/devices/{form}", SOUK_SCOPE_WRITE, souk_devices_form,
     .summary = "What a reader or a camera says, in its own form", .body_limit = BATCH_BYTES,
     .query = device_query, .takes = "any", .gives = device_answer},
    {"GET", "/v1/schemas", 0, list_schemas, .summary = "Names of events that are checked",
     .gives = "{events: [{name: text, meaning: text}]}"},
    {"GET", "/v1/schemas/{event}", 0, get_schema, .summary = "The JSON Schema of an event",
     .gives = "{*: any}"},
    {"GET", "/v1/rejects", SOUK_SCOPE_MANAGE, list_rejects,
     .summary = "Events that could not be taken, oldest first", .slow = true, .operators = true,
     .query =
         "after?: integer 'next_after of the last page', limit?: integer(1..1000) 'of a page; 100'",
     .sheet = "rejects",
     .gives =
         "{count: integer 'of all', rejects: [Reject], next_after?: integer 'there are more'}"},
    {"POST", "/v1/rejects/{id}/replay", SOUK_SCOPE_MANAGE, replay_reject,
     .summary = "Take a reject again, mended in the body or as it is", .slow = true,
     .operators = true, .body_limit = SINGLE_BYTES, .takes_maybe = "Event", .gives = "Taken"},
    {"DELETE", "/v1/rejects/{id}", SOUK_SCOPE_MANAGE, remove_reject, .summary = "Drop a reject",
     .slow = true, .operators = true, .gives = "Taken"},
};

/* ---- imports, as jobs: {"format":"online-retail","file":"/…","source":"till","bases":[…],"age":"adult"} ---- */

struct import_source {
    souk_text name;
    bool is_mute; /* it is new, and states no basis */
};

static void write_result(const souk_import *import, const struct import_source *source,
                         souk_json_writer *out)
{
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = {{"rows", import->rows},         {"events", import->events},
                  {"repeats", import->repeats},   {"rejected", import->rejected},
                  {"shoppers", import->shoppers}, {"resumed", import->resumed}};
    souk_json_write_object(out);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        souk_json_write_key(out, souk_text_of(fields[i].name));
        souk_json_write_u64(out, fields[i].value);
    }
    if (import->has_entries) {
        souk_json_put_u64(out, "entries", import->entries);
    }
    if (source->is_mute && import->shoppers) {
        char note[400];
        int bytes = snprintf(note, sizeof note, "source '%.*s' is new and " SOUK_NO_BASIS_WORDS,
                             SOUK_TEXT_PRINT(source->name));
        souk_json_put_text(out, "note",
                           (souk_text){note, souk_min_size((size_t)bytes, sizeof note - 1)});
    }
    souk_json_write_end(out);
}

static souk_err note_same(void *context, const souk_source *source)
{
    struct import_source *own = context;
    own->is_mute &= !souk_text_equal(own->name, source->name);
    return SOUK_OK;
}

/* New, and made without a basis? */
static souk_err find_mute(souk_work *work, const souk_statement *statement,
                          struct import_source *source)
{
    for (unsigned i = 0; i < SOUK_PURPOSE_FIXED; i++)
        if (statement->bases[i] != SOUK_BASIS_NONE)
            return SOUK_OK;
    source->is_mute = true;
    return souk_merchants_sources(work->merchants, SOUK_OPERATOR, note_same, source);
}

static souk_err find_source(souk_work *work, struct import_source *source, uint32_t *ret_source)
{
    souk_statement statement;
    souk_text name = source->name;
    if (!souk_utf8_plain(name))
        return souk_diag_say(work->diag, SOUK_EINVAL,
                             "the name of a source has no control characters: name another with "
                             "--source");
    SOUK_TRY(souk_field_statement(work->arguments, souk_json_root(work->arguments), work->arena,
                                  &statement, work->diag));
    SOUK_TRY(find_mute(work, &statement, source));
    souk_err err =
        souk_merchants_source(work->merchants, SOUK_OPERATOR, name, &statement, ret_source, NULL);
    if (err == SOUK_ECONFLICT)
        return souk_diag_say(
            work->diag, err,
            "source '%.*s' stated something else before: say the same (`souk source "
            "list`), or name another with --source, which counts the same orders "
            "again",
            SOUK_TEXT_PRINT(name));
    return err;
}

/* How the file is to be read: "map", "zone", …; what is not said is guessed. */
static void read_options(souk_work *work, souk_import_options *options)
{
    const struct {
        const char *name;
        souk_text *value;
    } fields[] = {{"map", &options->map},
                  {"encoding", &options->encoding},
                  {"separator", &options->separator},
                  {"quote", &options->quote},
                  {"decimal", &options->decimal},
                  {"dates", &options->dates},
                  {"zone", &options->zone},
                  {"currency", &options->currency}};
    souk_json_node root = souk_json_root(work->arguments);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        *fields[i].value = souk_field(work->arguments, root, fields[i].name, work->arena);
}

static souk_err import_file(souk_work *work)
{
    souk_json_node root = souk_json_root(work->arguments);
    souk_text format = souk_field(work->arguments, root, "format", work->arena),
              file = souk_field(work->arguments, root, "file", work->arena),
              name = souk_field(work->arguments, root, "source", work->arena);
    struct import_source source = {.name = name.bytes ? name : format};
    souk_import import = {
        .spine = work->spine, .progress = work->progress, .context = work->context};
    read_options(work, &import.options);
    char *path = souk_arena_get(work->arena, file.bytes + 1);
    if (work->arena->failed)
        return SOUK_ENOMEM;
    if (file.bytes == 0 || file.at[0] != '/' || memchr(file.at, 0, file.bytes))
        return souk_diag_say(work->diag, SOUK_EINVAL, "file is the absolute path of a file here");
    memcpy(path, file.at, file.bytes);
    if (!souk_import_known(format))
        return souk_diag_say(work->diag, SOUK_EINVAL, "'%.*s' is no format; there is: %s",
                             SOUK_TEXT_PRINT(format), souk_import_list());
    SOUK_TRY(find_source(work, &source, &import.source));
    SOUK_TRY(souk_import_file(souk_mem_heap(), &import, format, path, work->diag));
    write_result(&import, &source, work->result);
    return SOUK_OK;
}

static const souk_shape_name shapes[] = {
    {"Event", "{type?: text 'track, identify, page, screen, group, alias or merge', event?: text "
              "'its name', "
              "messageId?: text(..100) 'sent again with it, an event is one', userId?: text?, "
              "anonymousId?: text?, timestamp?: text, properties?: {*: any}?, traits?: {*: any}?, "
              "context?: {*: any}?, *: any}"},
    {"Taken", "{success: boolean}"},
    {"Reject",
     "{id: integer, source: text 'the name of who sent it', at: time, fault: text 'what is wrong, "
     "where, and what to do', where: text 'its place in what was sent, or its file and line', "
     "text: text 'as it was sent'}"},
};

static const souk_work_kind works[] = {{"import", "bytes", import_file}};

const souk_service souk_collect_service = {
    .name = "collect",
    .words = "Doors: events come in, what cannot be taken is mended",
    .shapes = shapes,
    .shape_count = sizeof shapes / sizeof *shapes,
    .open = souk_collect_open,
    .close = souk_collect_close,
    .count = souk_collect_count,
    .routes = routes,
    .route_count = sizeof routes / sizeof *routes,
    .works = works,
    .work_count = sizeof works / sizeof *works,
};
