/* store.c - see store.h. */
#include "core/store.h"

#include "base/currency.h"
#include "base/json_write.h"
#include "base/zone.h"

/* ---- checking ------------------------------------------------------------------------------------------------ */

static souk_err blame(souk_diag *diag, const char *field, const char *words)
{
    return souk_diag_say(diag, SOUK_EINVAL, "%s %s", field, words);
}

/* "09:30" */
static bool is_clock(souk_text text)
{
    if (text.bytes != 5 || text.at[2] != ':')
        return false;
    for (size_t i = 0; i < 5; i++)
        if (i != 2 && (text.at[i] < '0' || text.at[i] > '9'))
            return false;
    return memcmp(text.at, "24", 2) < 0 && text.at[3] < '6';
}

/* A text, or nothing; *ret_text has no bytes where it is missing. */
static souk_err read_text(const souk_json_doc *doc, const char *field, souk_arena *arena,
                          souk_text *ret_text, souk_diag *diag)
{
    souk_json_node node = souk_json_member(doc, souk_json_root(doc), souk_text_of(field));
    souk_json_kind type = souk_json_type(doc, node);
    *ret_text = SOUK_TEXT("");
    if (type == SOUK_JSON_MISSING || type == SOUK_JSON_NULL)
        return SOUK_OK;
    if (type != SOUK_JSON_STRING || souk_json_text(doc, node, arena, ret_text))
        return blame(diag, field, "is no text: send it in quotes");
    return SOUK_OK;
}

static souk_err check_hours(const souk_json_doc *doc, souk_arena *arena, souk_diag *diag)
{
    static const char *const fields[] = {"opens", "closes"};
    souk_text text;
    for (size_t i = 0; i < 2; i++) {
        SOUK_TRY(read_text(doc, fields[i], arena, &text, diag));
        if (text.bytes && !is_clock(text))
            return blame(diag, fields[i], "is no time of day: send it as 09:30");
    }
    return SOUK_OK;
}

souk_err souk_store_check(const souk_json_doc *doc, bool is_whole, souk_arena *arena,
                          souk_diag *diag)
{
    souk_text text;
    char code[4];
    if (souk_json_type(doc, souk_json_root(doc)) != SOUK_JSON_OBJECT)
        return souk_diag_say(diag, SOUK_EINVAL, "a store is an object: {\"name\":…}");
    SOUK_TRY(read_text(doc, "name", arena, &text, diag));
    if ((is_whole && text.bytes == 0) || text.bytes > SOUK_STORE_NAME_BYTES)
        return blame(diag, "name", "is missing or above 200 bytes: name the store");
    SOUK_TRY(read_text(doc, "time_zone", arena, &text, diag));
    if (text.bytes && !souk_zone_name_valid(text))
        return blame(diag, "time_zone", "is no zone: send one as Asia/Shanghai");
    SOUK_TRY(read_text(doc, "currency", arena, &text, diag));
    if (text.bytes && (souk_currency_read(text, code) || !code[0]))
        return blame(diag, "currency", "is no code of ISO 4217: send one, such as EUR");
    return check_hours(doc, arena, diag);
}

/* ---- adding -------------------------------------------------------------------------------------------------- */

struct adding {
    souk_json_doc known, told;
    souk_buf known_text, merged;
    bool changed;
};

/* Keys as they are written, with their escapes. */
static souk_json_node find(const souk_json_doc *doc, souk_text key)
{
    souk_json_node node = souk_json_first(doc, souk_json_root(doc));
    while (node != SOUK_JSON_NONE && !souk_text_equal(souk_json_key(doc, node), key))
        node = souk_json_next(doc, node);
    return node;
}

static void put_member(souk_json_writer *out, const souk_json_doc *doc, souk_json_node node)
{
    souk_json_write_raw_key(out, souk_json_key(doc, node));
    souk_json_write_raw(out, souk_json_raw(doc, node));
}

static souk_err merge(struct adding *adding, souk_text code)
{
    const souk_json_doc *known = &adding->known, *told = &adding->told;
    souk_json_writer out = {.out = &adding->merged};
    souk_json_write_object(&out);
    for (souk_json_node node = souk_json_first(known, souk_json_root(known));
         node != SOUK_JSON_NONE; node = souk_json_next(known, node)) {
        souk_json_node newer = find(told, souk_json_key(known, node));
        if (newer == SOUK_JSON_NONE) {
            put_member(&out, known, node);
            continue;
        }
        adding->changed |= !souk_text_equal(souk_json_raw(known, node), souk_json_raw(told, newer));
        put_member(&out, told, newer);
    }
    for (souk_json_node node = souk_json_first(told, souk_json_root(told)); node != SOUK_JSON_NONE;
         node = souk_json_next(told, node)) {
        if (find(known, souk_json_key(told, node)) != SOUK_JSON_NONE)
            continue;
        adding->changed = true;
        put_member(&out, told, node);
    }
    if (find(known, SOUK_TEXT("name")) == SOUK_JSON_NONE &&
        find(told, SOUK_TEXT("name")) == SOUK_JSON_NONE) {
        adding->changed = true;
        souk_json_put_text(&out, "name", code);
    }
    souk_json_write_end(&out);
    return souk_json_write_check(&out);
}

static souk_err add(souk_tx *tx, struct adding *adding, souk_document *document, souk_time now)
{
    souk_err err = souk_document_read(tx, document, &adding->known_text);
    bool is_new = err == SOUK_ENOENT;
    if (is_new)
        souk_buf_text(&adding->known_text, SOUK_TEXT("{}"));
    SOUK_TRY(is_new ? souk_buf_check(&adding->known_text) : err);
    SOUK_TRY(souk_json_read(&adding->known, souk_buf_view(&adding->known_text), NULL, NULL));
    SOUK_TRY(souk_json_read(&adding->told, document->text, NULL, NULL));
    SOUK_TRY(merge(adding, document->key));
    adding->changed |= is_new;
    document->text = souk_buf_view(&adding->merged);
    return adding->changed ? souk_document_write(tx, document, now) : SOUK_OK;
}

souk_err souk_store_add(souk_tx *tx, souk_mem *mem, uint32_t merchant, souk_text code,
                        souk_text text, souk_time now, bool *ret_changed)
{
    souk_document document = {
        .kind = SOUK_STORE_KIND, .merchant = merchant, .key = code, .text = text};
    struct adding adding = {.known = {.mem = mem},
                            .told = {.mem = mem},
                            .known_text = {.mem = mem},
                            .merged = {.mem = mem}};
    souk_err err = add(tx, &adding, &document, now);
    souk_json_doc_done(&adding.known);
    souk_json_doc_done(&adding.told);
    souk_buf_done(&adding.known_text);
    souk_buf_done(&adding.merged);
    *ret_changed = adding.changed;
    return err;
}
