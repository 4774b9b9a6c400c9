/* admin.c - `souk source`, `souk key`, `souk token`: the routes of serve/admin.h as words. */
#include "app/app.h"

#include <stdio.h>

static souk_err call(const app_options *options, const char *method, const char *path,
                     souk_text body, souk_diag *diag)
{
    souk_auto_value(souk_buf) answer = {.mem = souk_mem_heap(), .limit_bytes = (size_t)16 << 20};
    SOUK_TRY(app_call(options, method, path, body, &answer, diag));
    app_print(options, souk_buf_view(&answer));
    return SOUK_OK;
}

static souk_err post(const app_options *options, const char *path, souk_json_writer *json,
                     souk_diag *diag)
{
    souk_json_write_end(json);
    SOUK_TRY(souk_json_write_check(json));
    return call(options, "POST", path, souk_buf_view(json->out), diag);
}

static souk_err revoke(const app_options *options, const char *what, souk_diag *diag)
{
    char path[60];
    const char *id = options->operands[1];
    if (strlen(id) != SOUK_SECRET_ID_BYTES - 1 || strspn(id, "0123456789abcdef") != strlen(id))
        return souk_diag_say(diag, SOUK_EINVAL, "'%s' is no id: see `souk %s list`", id, what);
    snprintf(path, sizeof path, "/v1/%ss/%s", what, id);
    return call(options, "DELETE", path, SOUK_TEXT(""), diag);
}

static bool says(const app_options *options, const char *verb, size_t least, size_t most)
{
    return options->operand_count >= least && options->operand_count <= most &&
           !strcmp(options->operands[0], verb);
}

static void write_member(souk_json_writer *json, const char *key, const char *text)
{
    souk_json_write_key(json, souk_text_of(key));
    souk_json_write_text(json, souk_text_of(text));
}

static souk_err set_source(const app_options *options, souk_diag *diag)
{
    souk_auto_value(souk_buf) body = {.mem = souk_mem_heap()}, path = {.mem = souk_mem_heap()};
    souk_json_writer json = {.out = &body};
    souk_buf_text(&path, SOUK_TEXT("/v1/sources/"));
    for (const char *at = options->operands[1]; *at; at++)
        souk_buf_print(&path, "%%%02X", (unsigned char)*at);
    SOUK_TRY(souk_buf_check(&path));
    souk_json_write_object(&json);
    write_member(&json, "speaks_for", options->speaks_for);
    souk_json_write_end(&json);
    SOUK_TRY(souk_json_write_check(&json));
    return call(options, "PUT", souk_buf_ended(&path), souk_buf_view(&body), diag);
}

souk_err app_sources(const app_options *options, souk_diag *diag)
{
    souk_auto_value(souk_buf) body = {.mem = souk_mem_heap()};
    souk_json_writer json = {.out = &body};
    if (says(options, "list", 1, 1))
        return call(options, "GET", "/v1/sources", SOUK_TEXT(""), diag);
    if (says(options, "set", 2, 2) && options->speaks_for)
        return set_source(options, diag);
    if (!says(options, "add", 2, 2))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "souk source list, souk source add NAME [--basis PURPOSE=BASIS …] "
                             "[--age-band adult] [--speaks-for WHOM], or souk source set NAME "
                             "--speaks-for visitor, anybody or nobody");
    souk_json_write_object(&json);
    write_member(&json, "name", options->operands[1]);
    app_write_statement(options, &json);
    if (options->speaks_for)
        write_member(&json, "speaks_for", options->speaks_for);
    SOUK_TRY(post(options, "/v1/sources", &json, diag));
    if (options->base_count == 0)
        fprintf(stderr, "note: the source " SOUK_NO_BASIS_WORDS "\n");
    return SOUK_OK;
}

souk_err app_keys(const app_options *options, souk_diag *diag)
{
    souk_auto_value(souk_buf) body = {.mem = souk_mem_heap()};
    souk_json_writer json = {.out = &body};
    if (says(options, "list", 1, 1))
        return call(options, "GET", "/v1/keys", SOUK_TEXT(""), diag);
    if (says(options, "revoke", 2, 2))
        return revoke(options, "key", diag);
    if (!says(options, "new", 2, 2))
        return souk_diag_say(diag, SOUK_EINVAL, "souk key list, new SOURCE, or revoke ID");
    souk_json_write_object(&json);
    write_member(&json, "source", options->operands[1]);
    return post(options, "/v1/keys", &json, diag);
}

souk_err app_tokens(const app_options *options, souk_diag *diag)
{
    souk_auto_value(souk_buf) body = {.mem = souk_mem_heap()};
    souk_json_writer json = {.out = &body};
    if (says(options, "list", 1, 1))
        return call(options, "GET", "/v1/tokens", SOUK_TEXT(""), diag);
    if (says(options, "revoke", 2, 2))
        return revoke(options, "token", diag);
    if (!says(options, "new", 2, APP_OPERANDS))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "souk token list, new SCOPE… [--name NAME], or revoke ID");
    souk_json_write_object(&json);
    if (options->name)
        write_member(&json, "name", options->name);
    souk_json_put_array(&json, "scopes");
    for (size_t i = 1; i < options->operand_count; i++)
        souk_json_write_text(&json, souk_text_of(options->operands[i]));
    souk_json_write_end(&json);
    SOUK_TRY(post(options, "/v1/tokens", &json, diag));
    fprintf(stderr, "The token is shown this once: keep it like a password.\n");
    return SOUK_OK;
}
