/* admin.c - the routes of admin.h. */
#include "serve/admin.h"

enum { NAME_MOST = 100 };

static void write_scopes(souk_json_writer *out, unsigned scopes)
{
    souk_json_put_array(out, "scopes");
    for (unsigned scope = 1; scope <= SOUK_SCOPE_ADMIN; scope *= 2)
        if (scopes & scope)
            souk_json_write_text(out, souk_text_of(souk_scope_word(scope)));
    souk_json_write_end(out);
}

static void write_made(souk_json_writer *out, souk_time made)
{
    char text[SOUK_TIME_BYTES];
    souk_json_write_key(out, SOUK_TEXT("made"));
    if (made)
        souk_json_write_text(out, (souk_text){text, souk_time_write(made, text)});
    else
        souk_json_write_null(out);
}

/* ---- lists ------------------------------------------------------------------------------------------- */

static souk_err write_source(void *context, const souk_source *source)
{
    souk_json_writer *out = context;
    souk_json_write_object(out);
    souk_json_put_text(out, "source", source->name);
    souk_json_put_text(out, "states", source->statement);
    souk_json_put_u64(out, "keys", source->keys);
    souk_json_write_end(out);
    return SOUK_OK;
}

static souk_err write_key(void *context, const souk_secret *secret)
{
    souk_json_writer *out = context;
    souk_json_write_object(out);
    souk_json_put_text(out, "id", souk_text_of(secret->id));
    souk_json_put_text(out, "source", secret->source);
    write_made(out, secret->made);
    souk_json_write_end(out);
    return SOUK_OK;
}

static souk_err write_token(void *context, const souk_secret *secret)
{
    souk_json_writer *out = context;
    souk_json_write_object(out);
    souk_json_put_text(out, "id", souk_text_of(secret->id));
    souk_json_put_text(out, "name", secret->name);
    write_scopes(out, secret->scopes);
    write_made(out, secret->made);
    souk_json_write_end(out);
    return SOUK_OK;
}

static void answer(souk_call *call, souk_err err, int status)
{
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer(call, status);
}

static souk_json_writer *begin_list(souk_call *call, const char *key)
{
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    souk_json_write_key(out, souk_text_of(key));
    souk_json_write_array(out);
    return out;
}

static void end_list(souk_call *call, souk_json_writer *out, souk_err err)
{
    souk_json_write_end(out);
    souk_json_write_end(out);
    answer(call, err, 200);
}

static void get_sources(souk_call *call)
{
    souk_json_writer *out = begin_list(call, "sources");
    end_list(call, out,
             souk_merchants_sources(call->merchants, call->caller.merchant, write_source, out));
}

static void get_keys(souk_call *call)
{
    souk_json_writer *out = begin_list(call, "keys");
    end_list(call, out,
             souk_merchants_secrets(call->merchants, call->caller.merchant, true, write_key, out));
}

static void get_tokens(souk_call *call)
{
    souk_json_writer *out = begin_list(call, "tokens");
    end_list(
        call, out,
        souk_merchants_secrets(call->merchants, call->caller.merchant, false, write_token, out));
}

/* ---- making ------------------------------------------------------------------------------------------ */

/* A name is shown in lists and logs. */
static souk_err check_name(souk_call *call, const char *what, souk_text name)
{
    bool plain = name.bytes <= NAME_MOST;
    for (size_t i = 0; i < name.bytes; i++)
        plain &= (unsigned char)name.at[i] >= ' ' && name.at[i] != 127;
    if (plain)
        return SOUK_OK;
    return souk_diag_say(&call->diag, SOUK_EINVAL,
                         "the name of a %s has at most %d bytes and no control characters", what,
                         NAME_MOST);
}

static souk_err make_source(souk_call *call, const souk_json_doc *body)
{
    char key[SOUK_WRITE_KEY_BYTES];
    uint32_t number;
    souk_statement statement;
    souk_json_node root = souk_json_root(body);
    souk_text name = souk_field(body, root, "name", &call->arena);
    SOUK_TRY(souk_field_statement(body, root, &call->arena, &statement, &call->diag));
    if (name.bytes == 0)
        return souk_diag_say(&call->diag, SOUK_EINVAL, "a source needs a name");
    SOUK_TRY(check_name(call, "source", name));
    souk_err err = souk_merchants_source(call->merchants, call->caller.merchant, name, &statement,
                                         &number, key);
    if (err == SOUK_ECONFLICT || (!err && key[0] == '\0'))
        return souk_diag_say(&call->diag, SOUK_EEXIST,
                             "there is a source '%.*s': what it states stays as it is; it can "
                             "have another key (souk key new), or take another name",
                             SOUK_TEXT_PRINT(name));
    SOUK_TRY(err);
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    souk_json_put_text(out, "source", name);
    souk_json_put_text(out, "write_key", souk_text_of(key));
    souk_json_write_end(out);
    return SOUK_OK;
}

static souk_err make_key(souk_call *call, const souk_json_doc *body)
{
    char key[SOUK_WRITE_KEY_BYTES], id[SOUK_SECRET_ID_BYTES];
    souk_text source = souk_field(body, souk_json_root(body), "source", &call->arena);
    souk_err err = souk_merchants_add_key(call->merchants, call->caller.merchant, source, key);
    if (err == SOUK_ENOENT)
        return souk_diag_say(&call->diag, err,
                             "there is no source '%.*s': see `souk source list` or GET /v1/sources",
                             SOUK_TEXT_PRINT(source));
    SOUK_TRY(err);
    souk_merchants_secret_id(call->merchants, souk_text_of(key), id);
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    souk_json_put_text(out, "id", souk_text_of(id));
    souk_json_put_text(out, "source", source);
    souk_json_put_text(out, "write_key", souk_text_of(key));
    souk_json_write_end(out);
    return SOUK_OK;
}

static souk_err read_scopes(souk_call *call, const souk_json_doc *body, unsigned *ret_scopes)
{
    souk_json_node list = souk_json_member(body, souk_json_root(body), SOUK_TEXT("scopes"));
    souk_text word;
    *ret_scopes = 0;
    for (souk_json_node item = souk_json_first(body, list); item != SOUK_JSON_NONE;
         item = souk_json_next(body, item)) {
        if (souk_json_text(body, item, &call->arena, &word))
            word = SOUK_TEXT("");
        unsigned scope = souk_scope_of_word(word);
        if (!scope || scope == SOUK_SCOPE_WRITE)
            return souk_diag_say(&call->diag, SOUK_EINVAL,
                                 "'%.*s' is no scope of a token: read, manage or admin (events "
                                 "are written with a write key)",
                                 SOUK_TEXT_PRINT(word));
        *ret_scopes |= scope;
    }
    if (*ret_scopes == 0)
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "a token needs scopes: read, manage or admin");
    if (*ret_scopes & ~call->caller.scopes)
        return souk_diag_say(&call->diag, SOUK_EDENIED,
                             "your own token lacks a scope that this one would have");
    return SOUK_OK;
}

static souk_err make_token(souk_call *call, const souk_json_doc *body)
{
    char token[SOUK_TOKEN_BYTES], id[SOUK_SECRET_ID_BYTES];
    unsigned scopes;
    souk_text name = souk_field(body, souk_json_root(body), "name", &call->arena);
    SOUK_TRY(read_scopes(call, body, &scopes));
    SOUK_TRY(check_name(call, "token", name));
    souk_err err =
        souk_merchants_add_token(call->merchants, call->caller.merchant, name, scopes, token);
    if (err == SOUK_EEXIST)
        return souk_diag_say(&call->diag, err, "a token or key is called '%.*s': take another name",
                             SOUK_TEXT_PRINT(name));
    SOUK_TRY(err);
    souk_merchants_secret_id(call->merchants, souk_text_of(token), id);
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    souk_json_put_text(out, "id", souk_text_of(id));
    souk_json_put_text(out, "name", name.bytes ? name : souk_text_of(id));
    write_scopes(out, scopes);
    souk_json_put_text(out, "token", souk_text_of(token));
    souk_json_write_end(out);
    return SOUK_OK;
}

static void with_body(souk_call *call, souk_err (*make)(souk_call *call, const souk_json_doc *body))
{
    souk_json_doc body = {.mem = call->arena.mem};
    souk_err err = souk_json_read(&body, call->body, NULL, &call->diag);
    if (!err)
        err = make(call, &body);
    souk_json_doc_done(&body);
    answer(call, err, 201);
}

static void post_source(souk_call *call)
{
    with_body(call, make_source);
}
static void post_key(souk_call *call)
{
    with_body(call, make_key);
}
static void post_token(souk_call *call)
{
    with_body(call, make_token);
}

/* ---- revoking ---------------------------------------------------------------------------------------- */

static void revoke(souk_call *call, bool is_key)
{
    souk_err err =
        souk_merchants_revoke_id(call->merchants, call->caller.merchant, is_key, call->parts[0]);
    if (err == SOUK_ENOENT)
        souk_diag_say(&call->diag, err, "no %s that works has the id '%.*s'",
                      is_key ? "write key" : "token", SOUK_TEXT_PRINT(call->parts[0]));
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    souk_json_put_bool(out, "revoked", true);
    souk_json_write_end(out);
    answer(call, err, 200);
}

static void delete_key(souk_call *call)
{
    revoke(call, true);
}
static void delete_token(souk_call *call)
{
    revoke(call, false);
}

static const souk_shape_name shapes[] = {
    {"Scope", "read|manage|admin"},
    {"Revoked", "{revoked: boolean}"},
};

#define WITHHELD "withheld?: text 'of a repeat under one Idempotency-Key: the secret it has not'"

static const souk_route routes[] = {
    {"GET", "/v1/sources", SOUK_SCOPE_ADMIN, get_sources, .summary = "Who sends events",
     .gives = "{sources: [{source: text 'its name', states: text 'purposes and their bases', keys: "
              "integer}]}"},
    {"POST", "/v1/sources", SOUK_SCOPE_ADMIN, post_source, .slow = true,
     .summary = "A new sender, what it states for ever, and its write key", .secret = "write_key",
     .takes = "{name: text, bases?: [text] 'profile=consent', age?: adult|minor}",
     .gives = "{source: text, write_key?: text 'shown this once', " WITHHELD "}",
     .gives_status = 201},
    {"GET", "/v1/keys", SOUK_SCOPE_ADMIN, get_keys, .summary = "Write keys, by their ids",
     .gives = "{keys: [{id: text, source: text, made?: time?, *: any}]}"},
    {"POST", "/v1/keys", SOUK_SCOPE_ADMIN, post_key, .slow = true,
     .summary = "Another write key of a source", .secret = "write_key",
     .takes = "{source: text 'its name'}",
     .gives = "{id: text, source: text, write_key?: text 'shown this once', " WITHHELD "}",
     .gives_status = 201},
    {"DELETE", "/v1/keys/{id}", SOUK_SCOPE_ADMIN, delete_key, .slow = true,
     .summary = "A write key is refused from now on", .gives = "Revoked"},
    {"GET", "/v1/tokens", SOUK_SCOPE_ADMIN, get_tokens, .summary = "Tokens, by their ids",
     .gives = "{tokens: [{id: text, name: text, scopes: [text], made?: time?}]}"},
    {"POST", "/v1/tokens", SOUK_SCOPE_ADMIN, post_token, .slow = true, .summary = "A new token",
     .secret = "token", .takes = "{name?: text, scopes: [Scope]}",
     .gives =
         "{id: text, name: text, scopes: [text], token?: text 'shown this once', " WITHHELD "}",
     .gives_status = 201},
    {"DELETE", "/v1/tokens/{id}", SOUK_SCOPE_ADMIN, delete_token, .slow = true,
     .summary = "A token is refused from now on", .gives = "Revoked"},
};

const souk_service souk_admin_service = {
    .name = "admin",
    .words = "Sources, write keys and tokens",
    .shapes = shapes,
    .shape_count = sizeof shapes / sizeof *shapes,
    .routes = routes,
    .route_count = sizeof routes / sizeof *routes,
};
