/* api.c - the dispatcher of api.h. */
#include "serve/api.h"

#include "os/thread.h"
#include "serve/clerk.h"
#include "serve/idempotency.h"
#include "serve/jobs.h"
#include "serve/metrics.h"
#include "serve/openapi.h"
#include "serve/quota.h"
#include "serve/sheet.h"

#include <stdio.h>

enum {
    SERVICES_MOST = 32,
    ROUTES_MOST = 512,
    SLOW_MOST = 64,
    BODY_DEFAULT = 65536,
    LIGHT_BODY = 4096
};

/* A route with what spares most requests a closer look at it. */
struct known_route {
    const souk_route *route;
    void *state;
    size_t fixed_bytes; /* of its path, before the first {part} */
    bool is_fixed;      /* there is none */
};

struct souk_api {
    souk_mem *mem;
    souk_spine *spine;
    souk_merchants *merchants;
    const souk_service *services[SERVICES_MOST];
    void *states[SERVICES_MOST];
    size_t service_count;
    struct known_route routes[ROUTES_MOST];
    size_t route_count;
    souk_call_limits limits; /* .body_bytes 0: the usual ones */
    souk_jobs *jobs;
    souk_idempotency *keys;
    souk_effect_owners owners;
    souk_quota *quota; /* NULL: none */
    souk_http *http;
    bool draining;
    souk_clerk *slow, *heavy; /* for what waits for commits, and what reads large bodies */
};

/* ---- finding a route --------------------------------------------------------------------------------- */

struct match {
    const souk_route *route;
    void *state;
    souk_text parts[SOUK_CALL_PARTS];
    bool path_known;
    bool any_origin; /* of any route of this path */
};

static void learn_routes(souk_api *api, const souk_service *service, void *state)
{
    for (size_t i = 0; i < service->route_count; i++) {
        souk_assert(api->route_count < ROUTES_MOST);
        const souk_route *route = &service->routes[i];
        size_t fixed = strcspn(route->path, "{");
        api->routes[api->route_count++] =
            (struct known_route){route, state, fixed, route->path[fixed] == '\0'};
    }
}

static bool fits(const struct known_route *known, souk_text path, souk_text parts[SOUK_CALL_PARTS])
{
    if (known->is_fixed ? path.bytes != known->fixed_bytes : path.bytes <= known->fixed_bytes)
        return false;
    return !memcmp(path.at, known->route->path, known->fixed_bytes) &&
           (known->is_fixed || souk_route_fits(known->route, path, parts));
}

static void find_route(const souk_api *api, souk_text method, souk_text path, struct match *match)
{
    souk_text get = SOUK_TEXT("GET");
    if (souk_text_equal(method, SOUK_TEXT("HEAD")))
        method = get;
    for (size_t i = 0; i < api->route_count; i++) {
        const struct known_route *known = &api->routes[i];
        souk_text parts[SOUK_CALL_PARTS] = {{NULL, 0}};
        if (!fits(known, path, parts))
            continue;
        match->path_known = true;
        match->any_origin |= known->route->any_origin;
        if (!souk_text_equal(method, souk_text_of(known->route->method)))
            continue;
        match->route = known->route;
        match->state = known->state;
        memcpy(match->parts, parts, sizeof parts);
        return;
    }
}

size_t souk_api_body_limit(void *context, const souk_http_request *head)
{
    struct match match = {.route = NULL};
    find_route(context, head->method, head->path, &match);
    return match.route && match.route->body_limit ? match.route->body_limit : BODY_DEFAULT;
}

/* ---- who calls ---------------------------------------------------------------------------------------- */

/* What is left of the token's quota is told with the answer, whichever it is. */
static souk_err take_quota(souk_api *api, souk_call *call, souk_text token)
{
    if (!api->quota)
        return SOUK_OK;
    const souk_hashes *hashes = souk_spine_hashes(api->spine);
    souk_quota_answer left =
        souk_quota_take(api->quota, souk_hash64(&hashes->messages, token.at, token.bytes),
                        souk_clock_now_ms(souk_spine_clock(api->spine)));
    char *policy = souk_arena_get(&call->arena, 64), *rest = souk_arena_get(&call->arena, 64);
    int policy_bytes = snprintf(policy, 64, "\"token\";q=%u;w=%d", left.quota, SOUK_QUOTA_WINDOW_S);
    int rest_bytes = snprintf(rest, 64, "\"token\";r=%u;t=%u", left.left, left.wait_s);
    souk_call_add_header(call, "RateLimit-Policy", (souk_text){policy, (size_t)policy_bytes});
    souk_call_add_header(call, "RateLimit", (souk_text){rest, (size_t)rest_bytes});
    if (left.allowed)
        return SOUK_OK;
    call->retry_s = left.wait_s;
    return souk_diag_say(&call->diag, SOUK_EQUOTA,
                         "this token may send %u requests in %d s: wait %u s", left.quota,
                         SOUK_QUOTA_WINDOW_S, left.wait_s);
}

static souk_err check_caller(souk_api *api, const souk_route *route, souk_call *call)
{
    souk_text bearer = souk_call_header(call, SOUK_TEXT("authorization"));
    if (route->local && !call->local)
        return SOUK_ENOENT;
    if (call->local || route->scopes == 0 || route->scopes == SOUK_SCOPE_WRITE) {
        call->caller = (souk_caller){.merchant = SOUK_OPERATOR, .scopes = SOUK_SCOPE_ALL};
        return SOUK_OK;
    }
    souk_text ticket;
    if (route->by_ticket && bearer.bytes == 0 &&
        souk_call_query(call, SOUK_TEXT("ticket"), &ticket))
        return SOUK_OK; /* as nobody: the handler knows whose it is */
    if (bearer.bytes < 8 ||
        !souk_text_equal_nocase((souk_text){bearer.at, 7}, SOUK_TEXT("bearer ")))
        return souk_diag_say(&call->diag, SOUK_EUNAUTH,
                             "this path needs a token: Authorization: Bearer souk_at_…");
    souk_text token = souk_text_trim((souk_text){bearer.at + 7, bearer.bytes - 7});
    souk_err err = souk_merchants_token(api->merchants, token, route->scopes, &call->caller);
    if (err == SOUK_EUNAUTH)
        return souk_diag_say(&call->diag, err, "the token is not one of this shop's");
    if (err == SOUK_EDENIED)
        return souk_diag_say(&call->diag, err, "the token lacks a scope for this path");
    if (!err && route->operators && call->caller.merchant != SOUK_OPERATOR)
        return souk_diag_say(&call->diag, SOUK_EDENIED,
                             "this path is the operator's: it tells of more than one merchant");
    return err ? err : take_quota(api, call, token);
}

/* ---- dispatch ------------------------------------------------------------------------------------------- */

/* NULL: the loop's own.  A compressed body does not tell by its bytes how much it is (RFC 1952 2.3.1). */
static souk_clerk *clerk_of(const souk_api *api, const souk_route *route, souk_text body)
{
    if (route->slow)
        return api->slow;
    bool compressed = souk_text_starts(body, SOUK_TEXT("\x1f\x8b"));
    return body.bytes > LIGHT_BODY || compressed ? api->heavy : NULL;
}

/* ---- pages of other origins (Fetch standard 3.2) --------------------------------------------------------- */

/* A write key is public and grants nothing but writing, so any page may use one. */
static void allow_origin(souk_call *call)
{
    souk_text origin = souk_call_header(call, SOUK_TEXT("origin"));
    if (origin.bytes == 0)
        return;
    souk_call_add_header(call, "Access-Control-Allow-Origin", origin);
    souk_call_add_header(call, "Access-Control-Allow-Credentials", SOUK_TEXT("true"));
    souk_call_add_header(call, "Access-Control-Expose-Headers", SOUK_TEXT("Retry-After"));
    souk_call_add_header(call, "Vary", SOUK_TEXT("Origin"));
}

/* "POST, OPTIONS": what the path takes. */
static souk_text methods_of(const souk_api *api, souk_call *call)
{
    souk_buf methods = {.mem = api->mem};
    souk_text parts[SOUK_CALL_PARTS];
    for (size_t i = 0; i < api->route_count; i++) {
        if (!fits(&api->routes[i], call->path, parts))
            continue;
        souk_buf_text(&methods, souk_text_of(api->routes[i].route->method));
        souk_buf_text(&methods, SOUK_TEXT(", "));
    }
    souk_buf_text(&methods, SOUK_TEXT("OPTIONS"));
    souk_text view = souk_buf_view(&methods);
    souk_text kept = {souk_arena_copy(&call->arena, view.at, view.bytes), view.bytes};
    souk_buf_done(&methods);
    return call->arena.failed ? SOUK_TEXT("") : kept;
}

/* Whatever fields a page asks for are allowed: clients add some of their own, and not with each request.  A repeat
 * of RudderStack's brings Rsa-Retry-Attempt and three more; refused them, a browser never sends it. */
static void allow_request(souk_call *call, souk_text methods)
{
    souk_text asked = souk_call_header(call, SOUK_TEXT("access-control-request-headers"));
    if (asked.bytes == 0)
        asked = SOUK_TEXT("Authorization, Content-Type, Content-Encoding, AnonymousId, SentAt, "
                          "X-Retry-Count");
    souk_call_add_header(call, "Access-Control-Allow-Methods", methods);
    souk_call_add_header(call, "Access-Control-Allow-Headers", asked);
    souk_call_add_header(call, "Access-Control-Max-Age", SOUK_TEXT("900"));
}

static void answer_options(const souk_api *api, souk_call *call, const struct match *match)
{
    souk_text methods = methods_of(api, call);
    souk_call_add_header(call, "Allow", methods);
    if (match->any_origin)
        allow_request(call, methods);
    souk_call_answer_text(call, 204, "", SOUK_TEXT(""));
}

/* No route takes this method here, or there is no such path. */
static void refuse_route(const souk_api *api, souk_call *call, const struct match *match)
{
    if (match->path_known && souk_text_equal(call->method, SOUK_TEXT("OPTIONS"))) {
        answer_options(api, call, match);
        return;
    }
    if (match->path_known) /* RFC 9110 15.5.6 */
        souk_call_add_header(call, "Allow", methods_of(api, call));
    souk_diag_say(&call->diag, match->path_known ? SOUK_EMETHOD : SOUK_ENOENT,
                  match->path_known ? "this path does not take %.*s"
                                    : "there is no such path for %.*s: see /openapi.json",
                  SOUK_TEXT_PRINT(call->method));
    souk_call_fail(call, match->path_known ? SOUK_EMETHOD : SOUK_ENOENT);
}

/* What changes something may come with an Idempotency-Key; doors of events have ids of their own. */
static void handle_keyed(souk_call *call)
{
    const souk_api *api = call->server;
    souk_idempotency_handle(api->keys, call, call->route);
}

static void (*handler_of(const souk_route *route))(souk_call *call)
{
    return souk_route_is_keyed(route) ? handle_keyed : route->handle;
}

static void dispatch(souk_api *api, souk_call *call, bool here)
{
    struct match match = {.route = NULL};
    call->spine = api->spine;
    call->merchants = api->merchants;
    call->api = api;
    if (api->limits.body_bytes)
        call->limits = api->limits;
    find_route(api, call->method, call->path, &match);
    if (match.any_origin)
        allow_origin(call);
    if (!match.route) {
        refuse_route(api, call, &match);
        return;
    }
    call->state = match.state;
    call->owners = &api->owners;
    call->route = match.route;
    call->server = api;
    call->challenge = match.route->scopes == SOUK_SCOPE_WRITE
                          ? "Basic realm=\"souk write key\", charset=\"UTF-8\""
                          : "Bearer realm=\"souk\"";
    memcpy(call->parts, match.parts, sizeof match.parts);
    souk_err err = check_caller(api, match.route, call);
    if (!err)
        err = souk_sheet_begin(call, api->services, api->service_count);
    souk_clerk *clerk = here ? NULL : clerk_of(api, match.route, call->body);
    if (err)
        souk_call_fail(call, err);
    else if (!clerk)
        handler_of(match.route)(call);
    else if (!souk_clerk_put(clerk, call, handler_of(match.route)))
        souk_call_fail(call, SOUK_EBUSY);
}

/* ---- over HTTP -------------------------------------------------------------------------------------------- */

static souk_text http_header(souk_call *call, souk_text name)
{
    const souk_http_exchange *x = call->from;
    for (unsigned i = 0; i < x->request.header_count; i++)
        if (souk_text_equal_nocase(x->request.headers[i].name, name))
            return x->request.headers[i].value;
    return SOUK_TEXT("");
}

static void http_send(souk_call *call, int status, const char *type, souk_text body,
                      unsigned retry_s)
{
    if (status >= 500 && call->route && call->route->hangs_up) {
        souk_http_drop(call->from);
        souk_call_free(call);
        return;
    }
    char retry[16];
    int retry_bytes = snprintf(retry, sizeof retry, "%u", retry_s);
    souk_http_header headers[SOUK_CALL_HEADERS + 3];
    size_t count = 0;
    if (*type)
        headers[count++] = (souk_http_header){SOUK_TEXT("Content-Type"), souk_text_of(type)};
    for (size_t i = 0; i < call->header_count; i++)
        headers[count++] = (souk_http_header){call->headers[i].name, call->headers[i].value};
    if (retry_s)
        headers[count++] =
            (souk_http_header){SOUK_TEXT("Retry-After"), {retry, (size_t)retry_bytes}};
    if (status == 401) /* RFC 9110 11.6.1: at least one challenge */
        headers[count++] =
            (souk_http_header){SOUK_TEXT("WWW-Authenticate"), souk_text_of(call->challenge)};
    souk_http_answer(call->from, status, headers, count, body);
    souk_call_free(call);
}

static bool is_local(const souk_http_peer *peer)
{
    static const unsigned char none[16];
    return !memcmp(peer->address, none, sizeof none);
}

/* Why the server takes no events now; NULL: it does. */
static const char *not_ready(const souk_api *api)
{
    souk_ledger_counters counters;
    if (__atomic_load_n(&api->draining, __ATOMIC_RELAXED))
        return "draining\n";
    if (souk_spine_failed(api->spine))
        return "the disk failed: stopping\n";
    souk_ledger_count(souk_spine_ledger(api->spine), &counters);
    return counters.full ? "the disk is full: reading only\n" : NULL;
}

/* /healthz: the process answers.  /readyz: it takes events. */
static bool answer_probe(const souk_api *api, souk_http_exchange *x)
{
    souk_http_header type = {SOUK_TEXT("Content-Type"), SOUK_TEXT("text/plain")};
    if (souk_text_equal(x->request.path, SOUK_TEXT("/healthz"))) {
        souk_http_answer(x, 200, &type, 1, SOUK_TEXT("ok\n"));
        return true;
    }
    if (!souk_text_equal(x->request.path, SOUK_TEXT("/readyz")))
        return false;
    const char *why = not_ready(api);
    souk_http_answer(x, why ? 503 : 200, &type, 1, why ? souk_text_of(why) : SOUK_TEXT("ready\n"));
    return true;
}

souk_http_exchange *souk_api_exchange(const souk_call *call)
{
    return call->send == http_send ? call->from : NULL;
}

void souk_api_counters(const souk_call *call, souk_buf *out)
{
    const souk_api *api = call->api;
    const souk_http *http = api ? __atomic_load_n(&api->http, __ATOMIC_ACQUIRE) : NULL;
    if (http)
        souk_metrics_write_http(http, out);
    for (size_t i = 0; api && i < api->service_count; i++)
        if (api->services[i]->count)
            api->services[i]->count(api->states[i], out);
}

void souk_api_handle(void *context, souk_http_exchange *x)
{
    souk_api *api = context;
    souk_call *call;
    if (answer_probe(api, x))
        return;
    if (souk_call_new(api->mem, &call)) {
        souk_http_answer_problem(x, 503, SOUK_TEXT("there is no memory left: try again later"));
        return;
    }
    call->from = x;
    call->header = http_header;
    call->send = http_send;
    call->local = is_local(&x->peer);
    call->method = x->request.method;
    call->path = x->request.path;
    call->query = x->request.query;
    call->body = x->request.body;
    dispatch(api, call, false);
}

/* ---- within the process ------------------------------------------------------------------------------------- */

struct local {
    souk_mutex mutex;
    souk_cond answered;
    bool is_answered;
    int status;
    souk_buf *answer;
};

static void local_send(souk_call *call, int status, const char *type, souk_text body,
                       unsigned retry_s)
{
    struct local *local = call->from;
    (void)type;
    (void)retry_s;
    souk_buf_text(local->answer, body);
    souk_mutex_lock(&local->mutex);
    local->status = status;
    local->is_answered = true;
    souk_cond_signal(&local->answered);
    souk_mutex_unlock(&local->mutex);
    souk_call_free(call);
}

souk_err souk_api_call(souk_api *api, const char *method, const char *path, souk_text body,
                       int *ret_status, souk_buf *ret_answer)
{
    struct local local = {.answer = ret_answer};
    souk_call *call;
    SOUK_TRY(souk_call_new(api->mem, &call));
    souk_mutex_init(&local.mutex);
    souk_cond_init(&local.answered);
    call->from = &local;
    call->send = local_send;
    call->local = true;
    call->method = souk_text_of(method);
    call->query = souk_text_of(path);
    call->path = souk_text_cut(&call->query, '?');
    call->body = body;
    dispatch(api, call, true);
    souk_mutex_lock(&local.mutex);
    while (!local.is_answered)
        souk_cond_wait(&local.answered, &local.mutex);
    souk_mutex_unlock(&local.mutex);
    souk_cond_done(&local.answered);
    souk_mutex_done(&local.mutex);
    *ret_status = local.status;
    return souk_buf_check(ret_answer);
}

/* ---- what the API is --------------------------------------------------------------------------------------- */

static void get_description(souk_call *call)
{
    const souk_api *api = call->state;
    souk_err err =
        souk_openapi_write(api->services, api->service_count, souk_call_json(call), &call->diag);
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer(call, 200);
}

static const souk_route own_routes[] = {
    {"GET", "/openapi.json", 0, get_description, .summary = "This description of the API",
     .gives = "{*: any}", .any_origin = true},
};

/* The api's own. */
static const souk_service own_service = {
    .name = "server",
    .words = "The server itself",
    .routes = own_routes,
    .route_count = sizeof own_routes / sizeof *own_routes,
};

/* ---- life ------------------------------------------------------------------------------------------------------- */

souk_err souk_api_open(souk_mem *mem, souk_spine *spine, souk_merchants *merchants,
                       const souk_service *const *services, size_t count, souk_api **ret_api)
{
    souk_assert(count + 1 < SERVICES_MOST);
    souk_auto(souk_api) api = souk_mem_get(mem, sizeof *api);
    if (!api)
        return SOUK_ENOMEM;
    api->mem = mem;
    api->spine = spine;
    api->merchants = merchants;
    for (size_t i = 0; i < count; i++) {
        if (services[i]->open)
            SOUK_TRY(services[i]->open(mem, spine, merchants, &api->states[i]));
        learn_routes(api, services[i], api->states[i]);
        if (services[i]->own)
            services[i]->own(api->states[i], &api->owners);
        api->services[api->service_count++] = services[i];
    }
    SOUK_TRY(souk_idempotency_open(mem, spine, NULL, &api->keys, NULL));
    SOUK_TRY(souk_jobs_open(mem, spine, merchants, &api->jobs));
    for (size_t i = 0; i < count; i++)
        souk_jobs_offer(api->jobs, services[i], api->states[i]);
    learn_routes(api, &souk_jobs_service, api->jobs);
    api->services[api->service_count] = &souk_jobs_service;
    api->states[api->service_count++] = api->jobs;
    learn_routes(api, &own_service, api);
    api->services[api->service_count++] = &own_service;
    SOUK_TRY(souk_jobs_start(api->jobs));
    SOUK_TRY(souk_clerk_open(mem, "slow calls", 1, SLOW_MOST, &api->slow));
    SOUK_TRY(souk_clerk_open(mem, "heavy calls", 1, 0, &api->heavy));
    *ret_api = souk_take(&api);
    return SOUK_OK;
}

void souk_api_free(souk_api *api)
{
    if (!api)
        return;
    souk_clerk_free(api->slow);
    souk_clerk_free(api->heavy);
    souk_jobs_free(api->jobs); /* waits for the running one, which uses what the services hold */
    for (size_t i = 0; i < api->service_count; i++)
        if (api->services[i]->close)
            api->services[i]->close(api->states[i]);
    souk_idempotency_free(api->keys);
    souk_quota_free(api->quota);
    souk_mem_put(api->mem, api);
}

void souk_api_set_limits(souk_api *api, const souk_call_limits *limits)
{
    souk_assert(limits->body_bytes && limits->body_bytes <= SOUK_CALL_BODY_MOST);
    api->limits = *limits; /* before the first call */
}

souk_err souk_api_set_readers(souk_api *api, unsigned threads)
{
    souk_clerk_free(souk_take(&api->heavy)); /* before the first call: nothing waits there */
    return souk_clerk_open(api->mem, "heavy calls", threads, 0, &api->heavy);
}

souk_err souk_api_set_rate(souk_api *api, uint32_t requests_per_s)
{
    souk_quota_free(souk_take(&api->quota)); /* before the first call */
    return requests_per_s ? souk_quota_new(api->mem, requests_per_s, &api->quota) : SOUK_OK;
}

void *souk_api_state(const souk_api *api, const souk_service *service)
{
    for (size_t i = 0; i < api->service_count; i++)
        if (api->services[i] == service)
            return api->states[i];
    return NULL;
}

void souk_api_set_http(souk_api *api, souk_http *http)
{
    __atomic_store_n(&api->http, http, __ATOMIC_RELEASE);
}

void souk_api_probe(souk_api *api)
{
    souk_clerk_probe(api->heavy);
}

bool souk_api_is_silent(souk_api *api)
{
    return souk_clerk_is_silent(api->heavy);
}

void souk_api_draining(souk_api *api)
{
    __atomic_store_n(&api->draining, true, __ATOMIC_RELAXED);
    souk_jobs_stop(api->jobs);
}
