/* loyalty_documents.c - the programme and the classes of coupons: documents with versions. */
#include "core/document.h"
#include "service/loyalty/loyalty_inside.h"

static const souk_text programme_kind = {"loyalty", 7}, class_kind = {"coupon", 6};

static souk_time now_of(souk_call *call)
{
    return souk_clock_now_ms(souk_spine_clock(call->spine));
}

/* {"version":3, and what the document has}: it was written by us as it was read. */
static void write_document(souk_json_writer *out, const souk_document *document,
                           const char *key_name)
{
    souk_json_write_object(out);
    if (key_name)
        souk_json_put_text(out, key_name, document->key);
    souk_json_put_u64(out, "version", document->version);
    souk_json_write_key(out, SOUK_TEXT("document"));
    souk_json_write_raw(out, document->text);
    souk_json_write_end(out);
}

static souk_err get(souk_call *call, souk_document *document, souk_buf *text)
{
    document->merchant = call->caller.merchant;
    souk_err err = souk_documents_get(souk_spine_ledger(call->spine), document->kind,
                                      document->merchant, document->key, &document->version, text);
    if (!err)
        err = souk_buf_check(text);
    document->text = souk_buf_view(text);
    return err;
}

/* Answers 304, or the document. */
static void show(souk_call *call, souk_document *document, const char *key_name, const char *none)
{
    souk_auto_value(souk_buf) text = {.mem = call->arena.mem};
    souk_err err = get(call, document, &text);
    if (err == SOUK_ENOENT)
        err = souk_diag_say(&call->diag, err, "%s", none);
    if (!err && souk_call_version(call, document->version)) {
        souk_call_answer_same(call);
        return;
    }
    if (!err)
        write_document(souk_call_json(call), document, key_name);
    loyalty_answer(call, err, 200);
}

static souk_err put(souk_call *call, souk_document *document, const char *key_name, bool *ret_new)
{
    uint64_t expected;
    document->merchant = call->caller.merchant;
    document->text = call->body;
    SOUK_TRY(loyalty_whole(call, SOUK_OK));
    SOUK_TRY(souk_call_expected(call, SOUK_VERSION_TOLD, &expected));
    souk_err err = souk_documents_put(souk_spine_ledger(call->spine), document, expected,
                                      now_of(call), &document->version);
    if (err == SOUK_ECHANGED)
        return souk_diag_say(&call->diag, err, "it is of another version by now: GET it again");
    SOUK_TRY(err);
    *ret_new = expected == 0;
    souk_call_version(call, document->version);
    write_document(souk_call_json(call), document, key_name);
    return SOUK_OK;
}

static souk_err drop(souk_call *call, const souk_document *document)
{
    uint64_t expected;
    SOUK_TRY(souk_call_expected(call, SOUK_VERSION_TOLD, &expected));
    souk_err err =
        souk_documents_delete(souk_spine_ledger(call->spine), document->kind, call->caller.merchant,
                              document->key, expected, now_of(call));
    if (err == SOUK_ENOENT || err == SOUK_ECHANGED)
        return souk_diag_say(&call->diag, err, "%s",
                             err == SOUK_ENOENT ? "there is none"
                                                : "it is of another version by now: GET it again");
    SOUK_TRY(err);
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    souk_json_put_bool(out, "deleted", true);
    souk_json_write_end(out);
    return SOUK_OK;
}

/* ---- the programme ------------------------------------------------------------------------------------------ */

void loyalty_get_programme(souk_call *call)
{
    souk_document document = {.kind = programme_kind, .key = SOUK_TEXT("programme")};
    show(call, &document, NULL, "there is no loyalty programme: PUT makes one");
}

void loyalty_put_programme(souk_call *call)
{
    souk_document document = {.kind = programme_kind, .key = SOUK_TEXT("programme")};
    const souk_programme *programme;
    bool is_new = false;
    souk_err err = souk_programme_read(call->body, &call->arena, &programme, &call->diag);
    if (!err)
        err = put(call, &document, NULL, &is_new);
    loyalty_answer(call, err, is_new ? 201 : 200);
}

void loyalty_delete_programme(souk_call *call)
{
    souk_document document = {.kind = programme_kind, .key = SOUK_TEXT("programme")};
    loyalty_answer(call, drop(call, &document), 200);
}

/* ---- classes of coupons --------------------------------------------------------------------------------------- */

static souk_err read_name(souk_call *call, souk_text *ret_name)
{
    SOUK_TRY(souk_call_part(call, 0, ret_name));
    return souk_coupon_class_name(*ret_name, &call->diag);
}

souk_err loyalty_read_class(souk_call *call, souk_text name, souk_arena *arena,
                            souk_coupon_class *ret_class, souk_diag *diag)
{
    souk_auto_value(souk_buf) text = {.mem = arena->mem};
    souk_document document = {.kind = class_kind, .key = name};
    SOUK_TRY(souk_coupon_class_name(name, diag));
    souk_err err = get(call, &document, &text);
    if (err == SOUK_ENOENT)
        return souk_diag_say(diag, err, "there is no coupon class '%.*s': PUT it first",
                             SOUK_TEXT_PRINT(name));
    SOUK_TRY(err);
    return souk_coupon_class_read(name, document.text, arena, ret_class, diag);
}

void loyalty_get_class(souk_call *call)
{
    souk_document document = {.kind = class_kind};
    souk_err err = read_name(call, &document.key);
    if (err)
        souk_call_fail(call, err);
    else
        show(call, &document, "class", "there is no such coupon class: PUT makes one");
}

static souk_err put_class(souk_call *call, bool *ret_new)
{
    souk_loyalty *loyalty = call->state;
    souk_document document = {.kind = class_kind};
    souk_coupon_class class;
    SOUK_TRY(read_name(call, &document.key));
    SOUK_TRY(souk_coupon_class_read(document.key, call->body, &call->arena, &class, &call->diag));
    SOUK_TRY(loyalty_whole(call, SOUK_OK));
    /* The code before the class that it belongs to: without it, it is known to nobody. */
    souk_err err =
        class.kind == SOUK_COUPON_SHARED
            ? souk_coupons_share(loyalty->ledger, &loyalty->key, call->caller.merchant, &class)
            : SOUK_OK;
    if (err == SOUK_EEXIST)
        return souk_diag_say(&call->diag, err, "code: another class has this code: take another");
    SOUK_TRY(err);
    return put(call, &document, "class", ret_new);
}

void loyalty_put_class(souk_call *call)
{
    bool is_new = false;
    souk_err err = put_class(call, &is_new);
    loyalty_answer(call, err, is_new ? 201 : 200);
}

void loyalty_delete_class(souk_call *call)
{
    souk_document document = {.kind = class_kind};
    souk_err err = read_name(call, &document.key);
    if (!err)
        err = drop(call, &document);
    loyalty_answer(call, err, 200);
}

struct page {
    souk_json_writer *out;
    souk_call *call;
    size_t limit, count;
    souk_text last;
};

static souk_err write_class(void *context, const souk_document *document)
{
    struct page *page = context;
    if (page->count++ == page->limit)
        return SOUK_OK; /* there is another page */
    write_document(page->out, document, "class");
    page->last =
        (souk_text){souk_arena_copy(&page->call->arena, document->key.at, document->key.bytes),
                    document->key.bytes};
    return page->call->arena.failed ? SOUK_ENOMEM : SOUK_OK;
}

static souk_err list_classes(souk_call *call)
{
    struct page page = {.call = call};
    souk_text after = SOUK_TEXT("");
    SOUK_TRY(souk_call_limit(call, 100, 1000, &page.limit));
    souk_call_query(call, SOUK_TEXT("cursor"), &after);
    page.out = souk_call_json(call);
    souk_json_write_object(page.out);
    souk_json_put_array(page.out, "classes");
    SOUK_TRY(souk_documents_list(souk_spine_ledger(call->spine), class_kind, call->caller.merchant,
                                 after, page.limit + 1, write_class, &page));
    souk_json_write_end(page.out);
    if (page.count > page.limit) {
        souk_json_put_text(page.out, "next_cursor", page.last);
        souk_call_link_next(call, "cursor", page.last);
    }
    souk_json_write_end(page.out);
    return SOUK_OK;
}

void loyalty_get_classes(souk_call *call)
{
    loyalty_answer(call, list_classes(call), 200);
}
