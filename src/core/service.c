/* service.c - one call, from its path to its answer (service.h). */
#include "core/service.h"

#include "base/url.h"

souk_err souk_call_new(souk_mem *mem, souk_call **ret_call)
{
    souk_call *call = souk_mem_get(mem, sizeof *call);
    if (!call)
        return SOUK_ENOMEM;
    call->arena.mem = mem;
    call->out.mem = mem;
    call->limits = (souk_call_limits){.body_bytes = 4 << 20, .batch_events = 10000};
    *ret_call = call;
    return SOUK_OK;
}

void souk_call_free(souk_call *call)
{
    if (!call)
        return;
    souk_mem *mem = call->arena.mem;
    souk_arena_done(&call->arena);
    souk_buf_done(&call->out);
    souk_mem_put(mem, call);
}

souk_text souk_call_header(souk_call *call, souk_text name)
{
    return call->header ? call->header(call, name) : SOUK_TEXT("");
}

void souk_call_add_header(souk_call *call, const char *name, souk_text value)
{
    souk_assert(call->header_count < SOUK_CALL_HEADERS);
    call->headers[call->header_count++] = (souk_call_header_field){souk_text_of(name), value};
}

/* Into the arena. */
static bool decode(souk_call *call, souk_text raw, bool is_query, souk_text *ret_text)
{
    char *to = souk_arena_get(&call->arena, raw.bytes);
    ret_text->at = to;
    return !call->arena.failed && !souk_url_decode(raw, is_query, to, &ret_text->bytes);
}

bool souk_call_query(souk_call *call, souk_text name, souk_text *ret_value)
{
    souk_text value;
    return souk_url_find(call->query, name, &value) && decode(call, value, true, ret_value);
}

souk_err souk_call_part(souk_call *call, unsigned index, souk_text *ret_value)
{
    if (!decode(call, call->parts[index], false, ret_value))
        return souk_diag_say(&call->diag, call->arena.failed ? SOUK_ENOMEM : SOUK_EINVAL,
                             "'%.*s' in the path is badly escaped: %%XX, and no %%00",
                             SOUK_TEXT_PRINT(call->parts[index]));
    return SOUK_OK;
}

souk_json_writer *souk_call_json(souk_call *call)
{
    souk_buf_clear(&call->out);
    call->json = (souk_json_writer){.out = &call->out};
    return &call->json;
}

void souk_call_answer_text(souk_call *call, int status, const char *type, souk_text body)
{
    call->send(call, status, type, body, status == 503 ? 1 : 0);
}

void souk_call_answer(souk_call *call, int status)
{
    souk_err err = souk_json_write_check(&call->json);
    if (err) {
        souk_call_fail(call, err);
        return;
    }
    souk_call_answer_text(call, status, "application/json", souk_buf_view(&call->out));
}

/* draft-ietf-httpapi-ratelimit-headers-10, 6.1 */
#define QUOTA_TYPE "https://iana.org/assignments/http-problem-types#quota-exceeded"

void souk_call_fail(souk_call *call, souk_err err)
{
    int status = souk_err_http(err);
    if (err == SOUK_EFULL) /* the folder's place is told on the server's stderr, not to everybody */
        souk_diag_say(&call->diag, err,
                      "the disk of the server's data folder is full: free some space there, then "
                      "send this again");
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    souk_json_write_key(out, SOUK_TEXT("type"));
    souk_json_write_text(out,
                         err == SOUK_EQUOTA ? SOUK_TEXT(QUOTA_TYPE) : SOUK_TEXT("about:blank"));
    souk_json_write_key(out, SOUK_TEXT("title"));
    souk_json_write_text(out, souk_text_of(souk_err_words(err)));
    souk_json_write_key(out, SOUK_TEXT("status"));
    souk_json_write_i64(out, status);
    souk_json_write_key(out, SOUK_TEXT("detail"));
    souk_json_write_text(out, souk_text_of(souk_diag_words(&call->diag, err)));
    souk_json_write_key(out, SOUK_TEXT("code"));
    souk_json_write_text(out, souk_text_of(souk_err_name(err)));
    souk_json_write_end(out);
    souk_text body = souk_json_write_check(out) ? SOUK_TEXT("{}") : souk_buf_view(&call->out);
    unsigned retry_s = call->retry_s ? call->retry_s : status == 503 ? 1 : 0;
    call->send(call, status, "application/problem+json", body, retry_s);
}

bool souk_route_is_keyed(const souk_route *route)
{
    return route->slow && route->scopes != SOUK_SCOPE_WRITE && !strcmp(route->method, "POST");
}

bool souk_route_fits(const souk_route *route, souk_text path, souk_text parts[SOUK_CALL_PARTS])
{
    souk_text wanted = souk_text_of(route->path);
    size_t part = 0;
    for (;;) {
        souk_text want = souk_text_cut(&wanted, '/'), have = souk_text_cut(&path, '/');
        bool open = want.bytes && want.at[0] == '{';
        if (open && (have.bytes == 0 || part == SOUK_CALL_PARTS))
            return false;
        if (open)
            parts[part++] = have;
        else if (!souk_text_equal(want, have))
            return false;
        if (!wanted.at || !path.at)
            return !wanted.at && !path.at;
    }
}

/* ---- what bodies and jobs are asked with ----------------------------------------------------------- */

souk_text souk_field(const souk_json_doc *doc, souk_json_node object, const char *key,
                     souk_arena *arena)
{
    souk_text text;
    if (souk_json_text(doc, souk_json_member(doc, object, souk_text_of(key)), arena, &text))
        return SOUK_TEXT("");
    return text;
}

souk_err souk_field_statement(const souk_json_doc *doc, souk_json_node object, souk_arena *arena,
                              souk_statement *ret_statement, souk_diag *diag)
{
    souk_statement statement = {.age = SOUK_AGE_UNKNOWN};
    souk_json_node bases = souk_json_member(doc, object, SOUK_TEXT("bases"));
    souk_text age = souk_field(doc, object, "age", arena), basis;
    if (bases != SOUK_JSON_NONE && souk_json_type(doc, bases) != SOUK_JSON_ARRAY)
        return souk_diag_say(diag, SOUK_EINVAL, "bases is a list, as [\"profile=consent\"]");
    for (souk_json_node item = souk_json_first(doc, bases); item != SOUK_JSON_NONE;
         item = souk_json_next(doc, item)) {
        if (souk_json_text(doc, item, arena, &basis))
            return souk_diag_say(diag, SOUK_EINVAL, "a basis is a text, as \"profile=consent\"");
        SOUK_TRY(souk_statement_read(&statement, basis, diag));
    }
    if (souk_text_equal(age, SOUK_TEXT("adult")))
        statement.age = SOUK_AGE_ADULT;
    else if (souk_text_equal(age, SOUK_TEXT("minor")))
        statement.age = SOUK_AGE_MINOR;
    else if (age.bytes)
        return souk_diag_say(diag, SOUK_EINVAL, "the age is 'adult' or 'minor', or is left out");
    *ret_statement = statement;
    return SOUK_OK;
}
