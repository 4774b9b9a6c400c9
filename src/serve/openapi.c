/* openapi.c - paths, operations and shapes of openapi.h, written in the order of the tables. */
#include "serve/openapi.h"

#include "serve/shape.h"
#include "serve/sheet.h"

#include <stdio.h>

struct writing {
    const souk_service *const *services;
    size_t count;
    souk_json_writer *out;
    souk_diag *diag;
};

static void end(souk_json_writer *out)
{
    souk_json_write_end(out);
}

/* ---- the head ------------------------------------------------------------------------------------------ */

static void write_info(souk_json_writer *out)
{
    souk_json_put_words(out, "openapi", "3.1.0");
    souk_json_put_object(out, "info");
    souk_json_put_words(out, "title", "Souk");
    souk_json_put_words(out, "version", SOUK_VERSION);
    souk_json_put_words(
        out, "description",
        "One server that a retailer runs itself: events of shoppers online and in shops, joined "
        "into consenting "
        "people. Times are UTC, money is exact decimal text, errors are RFC 9457 problems.");
    souk_json_put_object(out, "contact");
    souk_json_put_words(out, "name", "whoever runs this server");
    souk_json_put_words(out, "url", "https://localhost/");
    end(out);
    souk_json_put_object(out, "license");
    souk_json_put_words(out, "name", "Apache-2.0");
    souk_json_put_words(out, "identifier", "Apache-2.0");
    end(out);
    end(out);
    souk_json_put_array(out, "servers");
    souk_json_write_object(out);
    souk_json_put_words(out, "url", "/");
    souk_json_put_words(out, "description", "this server");
    end(out);
    end(out);
}

static bool is_listed(const souk_route *route)
{
    return !route->local && !route->unlisted;
}

static bool has_listed(const souk_service *service)
{
    for (size_t i = 0; i < service->route_count; i++)
        if (is_listed(&service->routes[i]))
            return true;
    return false;
}

static void write_tags(const struct writing *w)
{
    souk_json_put_array(w->out, "tags");
    for (size_t i = 0; i < w->count; i++) {
        const souk_service *service = w->services[i];
        if (!has_listed(service))
            continue;
        souk_json_write_object(w->out);
        souk_json_put_words(w->out, "name", service->name);
        souk_json_put_words(w->out, "description", service->words ? service->words : service->name);
        end(w->out);
    }
    end(w->out);
}

/* ---- one operation --------------------------------------------------------------------------------------- */

/* "get_v1_shoppers_kind_value": unique, since method and path are. */
static void write_operation_id(const souk_route *route, souk_json_writer *out)
{
    char id[200];
    size_t bytes = 0;
    for (const char *at = route->method; *at && bytes < sizeof id - 1; at++)
        id[bytes++] = (char)(*at | 0x20);
    for (const char *at = route->path; *at && bytes < sizeof id - 1; at++) {
        bool plain =
            (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
        if (plain)
            id[bytes++] = *at;
        else if (id[bytes - 1] != '_')
            id[bytes++] = '_';
    }
    while (id[bytes - 1] == '_')
        bytes--;
    souk_json_put_text(out, "operationId", (souk_text){id, bytes});
}

static souk_err write_schema(const struct writing *w, souk_text shape)
{
    souk_json_write_key(w->out, SOUK_TEXT("schema"));
    return souk_shape_schema(shape, w->out, w->diag);
}

static souk_err write_query_parameter(void *context, const souk_shape_member *member)
{
    const struct writing *w = context;
    souk_json_write_object(w->out);
    souk_json_put_text(w->out, "name", member->name);
    souk_json_put_words(w->out, "in", "query");
    souk_json_put_bool(w->out, "required", !member->optional);
    if (member->words.bytes) {
        souk_json_put_text(w->out, "description", member->words);
    }
    SOUK_TRY(write_schema(w, member->shape));
    end(w->out);
    return SOUK_OK;
}

static souk_err write_header(const struct writing *w, const char *name, const char *words,
                             const char *shape)
{
    souk_json_write_object(w->out);
    souk_json_put_words(w->out, "name", name);
    souk_json_put_words(w->out, "in", "header");
    souk_json_put_bool(w->out, "required", false);
    souk_json_put_words(w->out, "description", words);
    SOUK_TRY(write_schema(w, souk_text_of(shape)));
    end(w->out);
    return SOUK_OK;
}

/* GET says what it has already; what changes says of which version, and PUT that there was none. */
static souk_err write_versions(const struct writing *w, const souk_route *route)
{
    bool gets = !strcmp(route->method, "GET"), puts = !strcmp(route->method, "PUT");
    if (!gets)
        SOUK_TRY(write_header(w, "If-Match", "the ETag of what is changed", "text"));
    if (gets)
        return write_header(w, "If-None-Match",
                            "the ETag of what is known: 304 where it is so still", "text");
    return puts ? write_header(w, "If-None-Match", "*: it is a new one", "text") : SOUK_OK;
}

static souk_err write_parameters(const struct writing *w, const souk_route *route)
{
    souk_text path = souk_text_of(route->path), part;
    souk_json_put_array(w->out, "parameters");
    while (path.bytes) {
        part = souk_text_cut(&path, '/');
        if (part.bytes < 2 || part.at[0] != '{')
            continue;
        souk_json_write_object(w->out);
        souk_json_put_text(w->out, "name", (souk_text){part.at + 1, part.bytes - 2});
        souk_json_put_words(w->out, "in", "path");
        souk_json_put_bool(w->out, "required", true);
        SOUK_TRY(write_schema(w, SOUK_TEXT("text")));
        end(w->out);
    }
    if (route->versioned)
        SOUK_TRY(write_versions(w, route));
    if (souk_route_is_keyed(route))
        SOUK_TRY(write_header(w, "Idempotency-Key",
                              "a new UUID for each request, the same one when it is repeated",
                              "text(1..255)"));
    if (route->query)
        SOUK_TRY(souk_shape_members(souk_text_of(route->query), write_query_parameter,
                                    (void *)(uintptr_t)w, w->diag));
    if (route->sheet)
        SOUK_TRY(souk_shape_members(SOUK_TEXT(SOUK_SHEET_QUERY), write_query_parameter,
                                    (void *)(uintptr_t)w, w->diag));
    end(w->out);
    return SOUK_OK;
}

static void write_scheme_name(souk_json_writer *out, souk_text place, souk_text name)
{
    char text[80];
    int bytes =
        snprintf(text, sizeof text, "%.*s-%.*s", SOUK_TEXT_PRINT(place), SOUK_TEXT_PRINT(name));
    souk_json_write_key(out, (souk_text){text, souk_min_size((size_t)bytes, sizeof text - 1)});
}

/* The next "header x-signature" of key_in; false: that was all, or it is in the path, which is no scheme. */
static bool next_key(souk_text *rest, souk_text *ret_place, souk_text *ret_name)
{
    *ret_name = souk_text_trim(souk_text_cut(rest, ','));
    *ret_place = souk_text_cut(ret_name, ' ');
    return ret_name->bytes > 0;
}

static void write_one_security(souk_json_writer *out, const char *scheme)
{
    souk_json_write_object(out);
    souk_json_put_array(out, scheme);
    end(out);
    end(out);
}

static void write_security(const souk_route *route, souk_json_writer *out)
{
    souk_text keys = souk_text_of(route->key_in ? route->key_in : ""), place, name;
    souk_json_put_array(out, "security");
    while (next_key(&keys, &place, &name)) {
        souk_json_write_object(out);
        write_scheme_name(out, place, name);
        souk_json_write_array(out);
        end(out);
        end(out);
    }
    if (route->scopes && !route->key_in)
        write_one_security(out, route->scopes == SOUK_SCOPE_WRITE ? "writeKey" : "token");
    if (route->by_ticket)
        write_one_security(out, "ticket");
    end(out);
}

static souk_err write_form(const struct writing *w, const char *type, const char *shape)
{
    souk_json_put_object(w->out, type);
    SOUK_TRY(write_schema(w, souk_text_of(shape)));
    end(w->out);
    return SOUK_OK;
}

static souk_err write_content(const struct writing *w, const char *type, const char *shape)
{
    souk_json_put_object(w->out, "content");
    SOUK_TRY(write_form(w, type, shape));
    end(w->out);
    return SOUK_OK;
}

static souk_err write_answer(const struct writing *w, const souk_route *route, int status)
{
    const char *type = route->gives_type ? route->gives_type : "application/json";
    const char *shape = route->gives ? route->gives : route->gives_type ? "text" : "any";
    char number[8];
    snprintf(number, sizeof number, "%d", status);
    souk_json_put_object(w->out, number);
    souk_json_put_words(w->out, "description", status == 201 ? "it is made" : "it is so");
    souk_json_put_object(w->out, "content");
    SOUK_TRY(write_form(w, type, shape));
    if (route->sheet)
        SOUK_TRY(write_form(w, "text/csv", "text"));
    end(w->out);
    end(w->out);
    return SOUK_OK;
}

static souk_err write_answers(const struct writing *w, const souk_route *route)
{
    souk_json_put_object(w->out, "responses");
    SOUK_TRY(write_answer(w, route, route->gives_status ? route->gives_status : 200));
    if (route->versioned && !strcmp(route->method, "PUT"))
        SOUK_TRY(write_answer(w, route, 201));
    if (route->versioned && !strcmp(route->method, "GET")) {
        souk_json_put_object(w->out, "304");
        souk_json_put_words(w->out, "description", "it is as If-None-Match has it");
        end(w->out);
    }
    souk_json_put_object(w->out, "4XX");
    souk_json_put_words(w->out, "$ref", "#/components/responses/Problem");
    end(w->out);
    souk_json_put_object(w->out, "5XX");
    souk_json_put_words(w->out, "$ref", "#/components/responses/Problem");
    end(w->out);
    end(w->out);
    return SOUK_OK;
}

static void write_words(const souk_route *route, souk_json_writer *out)
{
    char words[600];
    const char *scope =
        route->scopes && route->scopes != SOUK_SCOPE_WRITE ? souk_scope_word(route->scopes) : NULL;
    snprintf(words, sizeof words, "%s%s%s%s%s%s", route->summary, route->words ? ". " : "",
             route->words ? route->words : "", scope ? ". Scope: " : "", scope ? scope : "", ".");
    souk_json_put_words(out, "description", words);
}

static souk_err write_operation(const struct writing *w, const souk_service *service,
                                const souk_route *route)
{
    char method[8] = "";
    for (size_t i = 0; route->method[i] && i < sizeof method - 1; i++)
        method[i] = (char)(route->method[i] | 0x20);
    souk_json_put_object(w->out, method);
    write_operation_id(route, w->out);
    souk_json_put_words(w->out, "summary", route->summary);
    write_words(route, w->out);
    souk_json_put_array(w->out, "tags");
    souk_json_write_text(w->out, souk_text_of(service->name));
    end(w->out);
    write_security(route, w->out);
    SOUK_TRY(write_parameters(w, route));
    const char *takes = route->takes ? route->takes : route->takes_maybe;
    if (takes) {
        souk_json_put_object(w->out, "requestBody");
        souk_json_put_bool(w->out, "required", route->takes != NULL);
        SOUK_TRY(
            write_content(w, route->takes_type ? route->takes_type : "application/json", takes));
        end(w->out);
    }
    SOUK_TRY(write_answers(w, route));
    end(w->out);
    return SOUK_OK;
}

/* ---- paths ----------------------------------------------------------------------------------------------- */

/* Whether a listed route before this one has its path: then its operation is written there. */
static bool is_first(const struct writing *w, const souk_route *route)
{
    for (size_t i = 0; i < w->count; i++)
        for (size_t k = 0; k < w->services[i]->route_count; k++) {
            const souk_route *other = &w->services[i]->routes[k];
            if (other == route)
                return true;
            if (is_listed(other) && !strcmp(other->path, route->path))
                return false;
        }
    return true;
}

static souk_err write_path(const struct writing *w, const souk_route *first)
{
    souk_json_put_object(w->out, first->path);
    for (size_t i = 0; i < w->count; i++)
        for (size_t k = 0; k < w->services[i]->route_count; k++) {
            const souk_route *route = &w->services[i]->routes[k];
            if (is_listed(route) && !strcmp(route->path, first->path))
                SOUK_TRY(write_operation(w, w->services[i], route));
        }
    end(w->out);
    return SOUK_OK;
}

static souk_err write_paths(const struct writing *w)
{
    souk_json_put_object(w->out, "paths");
    for (size_t i = 0; i < w->count; i++)
        for (size_t k = 0; k < w->services[i]->route_count; k++) {
            const souk_route *route = &w->services[i]->routes[k];
            if (is_listed(route) && is_first(w, route))
                SOUK_TRY(write_path(w, route));
        }
    end(w->out);
    return SOUK_OK;
}

/* ---- components --------------------------------------------------------------------------------------------- */

static const char problem[] =
    "{type: text 'about:blank, or what kind of problem it is', title: text, status: "
    "integer(400..599), "
    "detail: text 'what is wrong, where, and what to do', code: text 'the name of the error'}";

static void write_api_key(souk_json_writer *out, souk_text place, souk_text name, const char *words)
{
    souk_json_write_object(out);
    souk_json_put_words(out, "type", "apiKey");
    souk_json_put_text(out, "in", place);
    souk_json_put_text(out, "name", name);
    souk_json_put_words(out, "description", words);
    end(out);
}

/* Whether no listed route before this one has the same key_in. */
static bool is_first_key(const struct writing *w, const souk_route *route)
{
    for (size_t i = 0; i < w->count; i++)
        for (size_t k = 0; k < w->services[i]->route_count; k++) {
            const souk_route *other = &w->services[i]->routes[k];
            if (other == route)
                return true;
            if (other->key_in && is_listed(other) && !strcmp(other->key_in, route->key_in))
                return false;
        }
    return true;
}

/* One for each place that a key_in names; no place stands in two different ones. */
static void write_places(const struct writing *w)
{
    for (size_t i = 0; i < w->count; i++)
        for (size_t k = 0; k < w->services[i]->route_count; k++) {
            const souk_route *route = &w->services[i]->routes[k];
            souk_text keys, place, name;
            if (!route->key_in || !is_listed(route) || !is_first_key(w, route))
                continue;
            keys = souk_text_of(route->key_in);
            while (next_key(&keys, &place, &name)) {
                bool is_write_key = souk_text_equal(place, SOUK_TEXT("query"));
                write_scheme_name(w->out, place, name);
                write_api_key(w->out, place, name,
                              is_write_key ? "a write key"
                                           : "base64 of HMAC-SHA256 over the body, under the "
                                             "hook's secret");
            }
        }
}

static void write_schemes(const struct writing *w)
{
    souk_json_writer *out = w->out;
    souk_json_put_object(out, "securitySchemes");
    souk_json_put_object(out, "token");
    souk_json_put_words(out, "type", "http");
    souk_json_put_words(out, "scheme", "bearer");
    souk_json_put_words(out, "description", "a token of `souk token new SCOPE`");
    end(out);
    souk_json_put_object(out, "writeKey");
    souk_json_put_words(out, "type", "http");
    souk_json_put_words(out, "scheme", "basic");
    souk_json_put_words(out, "description",
                        "a write key of `souk key new SOURCE` as the user, no password");
    end(out);
    souk_json_write_key(out, SOUK_TEXT("ticket"));
    write_api_key(out, SOUK_TEXT("query"), SOUK_TEXT("ticket"),
                  "a ticket of POST /v1/stream/tickets");
    write_places(w);
    end(out);
}

static souk_err write_components(const struct writing *w)
{
    souk_json_put_object(w->out, "components");
    write_schemes(w);
    souk_json_put_object(w->out, "responses");
    souk_json_put_object(w->out, "Problem");
    souk_json_put_words(w->out, "description", "it could not be done (RFC 9457)");
    SOUK_TRY(write_content(w, "application/problem+json", "Problem"));
    end(w->out);
    end(w->out);
    souk_json_put_object(w->out, "schemas");
    souk_json_write_key(w->out, SOUK_TEXT("Problem"));
    SOUK_TRY(souk_shape_schema(souk_text_of(problem), w->out, w->diag));
    for (size_t i = 0; i < w->count; i++)
        for (size_t k = 0; k < w->services[i]->shape_count; k++) {
            const souk_shape_name *shape = &w->services[i]->shapes[k];
            souk_json_write_key(w->out, souk_text_of(shape->name));
            SOUK_TRY(souk_shape_schema(souk_text_of(shape->shape), w->out, w->diag));
        }
    end(w->out);
    end(w->out);
    return SOUK_OK;
}

souk_err souk_openapi_write(const souk_service *const *services, size_t count,
                            souk_json_writer *out, souk_diag *diag)
{
    struct writing w = {services, count, out, diag};
    souk_json_write_object(out);
    write_info(out);
    write_tags(&w);
    SOUK_TRY(write_paths(&w));
    SOUK_TRY(write_components(&w));
    souk_json_write_end(out);
    return souk_json_write_check(out);
}
