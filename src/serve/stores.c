/* stores.c - the routes of stores.h: documents, and the codes of events that have none. */
#include "serve/stores.h"

#include "base/utf8.h"
#include "core/store.h"
#include "serve/codes.h"

enum { CODE_BYTES = SOUK_EVENT_NAME_BYTES };
static const souk_text kind = {"store", 5};

static souk_err open_stores(souk_mem *mem, souk_spine *spine, souk_merchants *merchants,
                            void **ret_state)
{
    (void)mem, (void)merchants;
    *ret_state = NULL;
    return souk_documents_migrate(souk_spine_ledger(spine), NULL);
}

static void answer(souk_call *call, souk_err err, int status)
{
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer(call, status);
}

/* ---- what is told of one --------------------------------------------------------------------------------- */

/* Whether the member has the name of one of ours, however it is escaped. */
static bool is_ours(const souk_json_doc *doc, souk_json_node node, souk_arena *arena)
{
    static const char *const ours[] = {"store", "described", "version"};
    souk_text key;
    if (souk_json_key_text(doc, node, arena, &key))
        return true;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (souk_text_equal(key, souk_text_of(ours[i])))
            return true;
    return false;
}

/* {"store":…,"described":…,"version":…, and what the document has}. */
static void write_store(souk_call *call, souk_json_writer *out, const souk_document *document,
                        const souk_json_doc *doc)
{
    souk_json_write_object(out);
    souk_json_put_text(out, "store", document->key);
    souk_json_put_bool(out, "described", doc != NULL);
    if (doc) {
        souk_json_put_u64(out, "version", document->version);
    }
    for (souk_json_node node = doc ? souk_json_first(doc, souk_json_root(doc)) : SOUK_JSON_NONE;
         node != SOUK_JSON_NONE; node = souk_json_next(doc, node)) {
        if (is_ours(doc, node, &call->arena))
            continue;
        souk_json_write_raw_key(out, souk_json_key(doc, node));
        souk_json_write_raw(out, souk_json_raw(doc, node));
    }
    souk_json_write_end(out);
}

/* ---- one ------------------------------------------------------------------------------------------------ */

static souk_err read_code(souk_call *call, souk_text *ret_code)
{
    SOUK_TRY(souk_call_part(call, 0, ret_code));
    if (ret_code->bytes > CODE_BYTES)
        return souk_diag_say(&call->diag, SOUK_EINVAL, "a store's code has at most %d bytes",
                             CODE_BYTES);
    return SOUK_OK;
}

static souk_err read_document(souk_call *call, souk_document *document, souk_json_doc *doc,
                              souk_buf *text)
{
    SOUK_TRY(read_code(call, &document->key));
    souk_err err = souk_documents_get(souk_spine_ledger(call->spine), kind, call->caller.merchant,
                                      document->key, &document->version, text);
    if (err == SOUK_ENOENT)
        return souk_diag_say(&call->diag, err,
                             "nobody has described a store '%.*s': GET /v1/stores lists them",
                             SOUK_TEXT_PRINT(document->key));
    SOUK_TRY(err);
    return souk_json_read(doc, souk_buf_view(text), NULL, NULL);
}

static void get_store(souk_call *call)
{
    souk_auto_value(souk_buf) text = {.mem = call->arena.mem};
    souk_json_doc doc = {.mem = call->arena.mem};
    souk_document document = {.kind = kind};
    souk_err err = read_document(call, &document, &doc, &text);
    if (!err && souk_call_version(call, document.version)) {
        souk_json_doc_done(&doc);
        souk_call_answer_same(call);
        return;
    }
    if (!err)
        write_store(call, souk_call_json(call), &document, &doc);
    souk_json_doc_done(&doc);
    answer(call, err, 200);
}

static souk_err put(souk_call *call, souk_json_doc *doc, bool *ret_new)
{
    souk_document document = {.kind = kind, .merchant = call->caller.merchant, .text = call->body};
    uint64_t expected;
    SOUK_TRY(read_code(call, &document.key));
    if (!souk_utf8_plain(document.key))
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "a store's code is UTF-8 without control characters: events with "
                             "another are refused, too");
    SOUK_TRY(souk_json_read(doc, call->body, NULL, &call->diag));
    SOUK_TRY(souk_store_check(doc, true, &call->arena, &call->diag));
    SOUK_TRY(souk_call_expected(call, SOUK_VERSION_TOLD, &expected));
    souk_err err =
        souk_documents_put(souk_spine_ledger(call->spine), &document, expected,
                           souk_clock_now_ms(souk_spine_clock(call->spine)), &document.version);
    if (err == SOUK_ECHANGED)
        return souk_diag_say(&call->diag, err,
                             "store '%.*s' is of another version by now: GET it again",
                             SOUK_TEXT_PRINT(document.key));
    SOUK_TRY(err);
    *ret_new = expected == 0;
    souk_call_version(call, document.version);
    write_store(call, souk_call_json(call), &document, doc);
    return SOUK_OK;
}

static void put_store(souk_call *call)
{
    souk_json_doc doc = {.mem = call->arena.mem};
    bool is_new = false;
    souk_err err = put(call, &doc, &is_new);
    souk_json_doc_done(&doc);
    answer(call, err, is_new ? 201 : 200);
}

static souk_err delete (souk_call *call)
{
    souk_text code;
    uint64_t expected;
    SOUK_TRY(read_code(call, &code));
    SOUK_TRY(souk_call_expected(call, SOUK_VERSION_TOLD, &expected));
    souk_err err =
        souk_documents_delete(souk_spine_ledger(call->spine), kind, call->caller.merchant, code,
                              expected, souk_clock_now_ms(souk_spine_clock(call->spine)));
    if (err == SOUK_ENOENT || err == SOUK_ECHANGED)
        return souk_diag_say(&call->diag, err, "store '%.*s' %s", SOUK_TEXT_PRINT(code),
                             err == SOUK_ENOENT ? "is described by nobody"
                                                : "is of another version by now: GET it again");
    SOUK_TRY(err);
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    souk_json_put_bool(out, "deleted", true);
    souk_json_write_end(out);
    return SOUK_OK;
}

static void delete_store(souk_call *call)
{
    answer(call, delete (call), 200);
}

/* ---- all ------------------------------------------------------------------------------------------------ */

struct page {
    souk_call *call;
    souk_code_row *rows;
    size_t count;
};

static souk_text keep(souk_call *call, souk_text text)
{
    return (souk_text){souk_arena_copy(&call->arena, text.at, text.bytes), text.bytes};
}

static souk_err take_document(void *context, const souk_document *document)
{
    struct page *page = context;
    souk_document *kept = souk_arena_get(&page->call->arena, sizeof *kept);
    if (page->call->arena.failed)
        return SOUK_ENOMEM;
    *kept = *document;
    kept->key = keep(page->call, document->key);
    kept->text = keep(page->call, document->text);
    page->rows[page->count++] = (souk_code_row){kept->key, kept};
    return page->call->arena.failed ? SOUK_ENOMEM : SOUK_OK;
}

static souk_err fetch_stores(souk_call *call, souk_text after, size_t most, souk_code_row *rows,
                             size_t *ret_count)
{
    struct page page = {.call = call, .rows = rows};
    SOUK_TRY(souk_documents_list(souk_spine_ledger(call->spine), kind, call->caller.merchant, after,
                                 most, take_document, &page));
    *ret_count = page.count;
    return SOUK_OK;
}

static souk_err write_row(souk_call *call, const souk_code_row *row, souk_json_writer *out)
{
    souk_json_doc doc = {.mem = call->arena.mem};
    const souk_document seen = {.key = row->code}, *document = row->described;
    souk_err err = document ? souk_json_read(&doc, document->text, NULL, NULL) : SOUK_OK;
    if (!err)
        write_store(call, out, document ? document : &seen, document ? &doc : NULL);
    souk_json_doc_done(&doc);
    return err;
}

static void get_stores(souk_call *call)
{
    static const souk_code_list list = {"stores", SOUK_NAME_STORE, fetch_stores, write_row};
    answer(call, souk_code_page(call, &list), 200);
}

/* ---- the table ------------------------------------------------------------------------------------------- */

#define STORE_MEMBERS                                                                            \
    "name: text(1..200), time_zone?: text? 'as Asia/Shanghai', currency?: text?, opens?: text? " \
    "'as "                                                                                       \
    "09:30', closes?: text?, *: any"

static const souk_shape_name shapes[] = {
    {"StoreForm", "{" STORE_MEMBERS "}"},
    {"Store",
     "{store: text 'its code in events', described: boolean, version?: integer, name?: text, "
     "time_zone?: text?, currency?: text?, opens?: text?, closes?: text?, *: any}"},
};

static const souk_route routes[] = {
    {"GET", "/v1/stores", SOUK_SCOPE_READ, get_stores,
     .summary = "Stores, in the order of their codes", .query = SOUK_CODE_QUERY, .sheet = "stores",
     .gives = "{stores: [Store], next_cursor?: text 'there are more'}"},
    {"GET", "/v1/stores/{store}", SOUK_SCOPE_READ, get_store, .summary = "One store, with its ETag",
     .gives = "Store", .versioned = true},
    {"PUT", "/v1/stores/{store}", SOUK_SCOPE_MANAGE, put_store, .slow = true,
     .summary = "Describe a store",
     .words = "If-Match with its ETag, or If-None-Match: * for a new one", .takes = "StoreForm",
     .gives = "Store", .versioned = true},
    {"DELETE", "/v1/stores/{store}", SOUK_SCOPE_MANAGE, delete_store, .slow = true,
     .summary = "Forget what was said of a store", .words = "If-Match with its ETag",
     .gives = "{deleted: boolean}", .versioned = true},
};

const souk_service souk_stores_service = {
    .name = "stores",
    .words = "Stores: what their codes in events stand for",
    .open = open_stores,
    .shapes = shapes,
    .shape_count = sizeof shapes / sizeof *shapes,
    .routes = routes,
    .route_count = sizeof routes / sizeof *routes,
};
