/* hooks.c - the routes of hooks.h: who signed, then the intake; and the list of secrets. */
#include "service/collect/hooks.h"

#include "base/base64.h"
#include "base/url.h"
#include "base/utf8.h"
#include "service/collect/hook_secret.h"
#include "service/collect/intake.h"
#include "service/collect/segment.h"
#include "service/collect/web.h"

struct hooks {
    souk_mem *mem;
    souk_collect *collect;
    souk_hook_secrets *secrets;
};

/* How a web shop speaks. */
static const struct sender {
    const souk_foreign_form *form;
    const char *signature, *topic, *delivery; /* its headers */
    bool has_ping;
} senders[] = {
    {&souk_foreign_shopify, "x-shopify-hmac-sha256", "x-shopify-topic", "x-shopify-event-id",
     false},
    {&souk_foreign_woo, "x-wc-webhook-signature", "x-wc-webhook-topic", "x-wc-webhook-delivery-id",
     true},
};

enum { HOOK_BYTES = 4 << 20, TOPIC_BYTES = 100 };

static void close_hooks(void *state)
{
    struct hooks *hooks = state;
    if (!hooks)
        return;
    souk_collect_close(hooks->collect);
    souk_hook_secrets_free(hooks->secrets);
    souk_mem_put(hooks->mem, hooks);
}

static souk_err open_hooks(souk_mem *mem, souk_spine *spine, souk_merchants *merchants,
                           void **ret_state)
{
    void *collect = NULL;
    struct hooks *hooks = souk_mem_get(mem, sizeof *hooks);
    if (!hooks)
        return SOUK_ENOMEM;
    hooks->mem = mem;
    souk_err err = souk_collect_open(mem, spine, merchants, &collect);
    hooks->collect = collect;
    if (!err)
        err = souk_hook_secrets_open(mem, spine, &hooks->secrets);
    if (err)
        close_hooks(hooks);
    else
        *ret_state = hooks;
    return err;
}

/* ---- what comes in ------------------------------------------------------------------------------------ */

static void stored(void *context, souk_err err)
{
    souk_call *call = context;
    souk_intake_free(call->user);
    souk_collect_answer(call, err);
}

static void stored_image(void *context, souk_err err)
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

struct delivery {
    const souk_foreign_form *form;
    souk_text body, topic, id;
    bool may_inflate; /* of a signed body it is what was signed */
    void (*done)(void *context, souk_err err);
};

static souk_err take_in(souk_call *call, souk_intake *intake, const struct delivery *delivery)
{
    souk_text body = delivery->body;
    souk_intake_source(intake, call->caller.source);
    if (delivery->may_inflate)
        SOUK_TRY(souk_intake_inflate(intake, body, call->limits.body_bytes, &body));
    SOUK_TRY(souk_intake_foreign(intake, delivery->form, body, delivery->topic, delivery->id));
    return souk_intake_submit(intake, delivery->done, call);
}

/* Of call->caller, who is known by now; answers when it is durable. */
static void store(souk_call *call, const struct delivery *delivery)
{
    struct hooks *hooks = call->state;
    souk_intake *intake;
    souk_err err = souk_intake_open(hooks->collect, &call->arena, &call->diag, &intake);
    if (!err) {
        call->user = intake;
        err = take_in(call, intake, delivery);
        if (!err)
            return;
        souk_intake_free(intake);
    }
    souk_call_fail(call, err);
}

/* ---- signed hooks ---------------------------------------------------------------------------------------- */

static souk_text header(souk_call *call, const char *name)
{
    return souk_call_header(call, souk_text_of(name));
}

/* "webhook_id=7", and nothing behind it. */
static bool is_ping(souk_text body)
{
    souk_text head = SOUK_TEXT("webhook_id=");
    uint64_t id;
    return souk_text_starts(body, head) &&
           !souk_text_to_u64((souk_text){body.at + head.bytes, body.bytes - head.bytes}, &id);
}

static souk_err read_mac(souk_call *call, const struct sender *sender,
                         uint8_t ret_mac[SOUK_HMAC_BYTES])
{
    char room[SOUK_BASE64_ROOM(SOUK_BASE64_BYTES(SOUK_HMAC_BYTES))];
    souk_text signature = header(call, sender->signature);
    size_t bytes = 0;
    if (signature.bytes == 0)
        return souk_diag_say(&call->diag, SOUK_EUNAUTH,
                             "the hook is not signed: the header %s is missing", sender->signature);
    if (signature.bytes != SOUK_BASE64_BYTES(SOUK_HMAC_BYTES) - 1 ||
        souk_base64_decode(signature, SOUK_BASE64_STANDARD, room, &bytes, NULL) ||
        bytes != SOUK_HMAC_BYTES)
        return souk_diag_say(&call->diag, SOUK_EUNAUTH,
                             "%s is no signature: send base64 of an HMAC-SHA256",
                             sender->signature);
    memcpy(ret_mac, room, SOUK_HMAC_BYTES);
    return SOUK_OK;
}

/* An unknown hook and a wrong secret are answered alike. */
static souk_err find_signer(souk_call *call, const struct sender *sender, souk_text name)
{
    struct hooks *hooks = call->state;
    uint8_t mac[SOUK_HMAC_BYTES];
    SOUK_TRY(read_mac(call, sender, mac));
    souk_err err = souk_hook_secrets_check(hooks->secrets, souk_text_of(sender->form->name), name,
                                           call->body, mac, &call->caller);
    if (err == SOUK_EUNAUTH)
        return souk_diag_say(&call->diag, err,
                             "no secret of this hook signed this body: compare the address and "
                             "the secret with `souk hook list` and `souk hook add`");
    return err;
}

static void receive(souk_call *call, const struct sender *sender)
{
    struct delivery delivery = {.form = sender->form,
                                .body = call->body,
                                .topic = header(call, sender->topic),
                                .id = header(call, sender->delivery),
                                .done = stored};
    souk_text name;
    souk_err err = souk_call_part(call, 0, &name);
    /* Of any hook: it is not signed, and whoever sends one learns not which there are. */
    if (!err && sender->has_ping && header(call, sender->signature).bytes == 0 &&
        is_ping(call->body)) {
        souk_collect_answer(call, SOUK_OK);
        return;
    }
    if (!err)
        err = find_signer(call, sender, name);
    if (err) {
        souk_call_fail(call, err);
        return;
    }
    delivery.topic.bytes = souk_min_size(delivery.topic.bytes, TOPIC_BYTES);
    store(call, &delivery);
}

static void receive_shopify(souk_call *call)
{
    receive(call, &senders[0]);
}
static void receive_woo(souk_call *call)
{
    receive(call, &senders[1]);
}

/* ---- Sensors ------------------------------------------------------------------------------------------------- */

/* What of a query is the message: the write key stays out of what is kept. */
static souk_err message_of_query(souk_call *call, souk_text *ret_form)
{
    static const char *const names[] = {"data", "data_list", "ext", "gzip"};
    souk_text rest = call->query, name, value;
    char *to = souk_arena_get(&call->arena, call->query.bytes + 1);
    size_t bytes = 0;
    if (call->arena.failed)
        return SOUK_ENOMEM;
    while (souk_url_next(&rest, &name, &value))
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (souk_text_equal(name, souk_text_of(names[i])) && value.bytes) {
                if (bytes)
                    to[bytes++] = '&';
                memcpy(to + bytes, name.at, name.bytes);
                bytes += name.bytes;
                to[bytes++] = '=';
                memcpy(to + bytes, value.at, value.bytes);
                bytes += value.bytes;
            }
    *ret_form = (souk_text){to, bytes};
    return SOUK_OK;
}

static souk_err find_sender(souk_call *call)
{
    static const char *const names[] = {"writeKey", "token", "project"};
    souk_text key = {"", 0};
    if (call->parts[0].bytes)
        SOUK_TRY(souk_call_part(call, 0, &key));
    for (size_t i = 0; key.bytes == 0 && i < sizeof names / sizeof *names; i++)
        if (!souk_call_query(call, souk_text_of(names[i]), &key))
            key = SOUK_TEXT("");
    if (call->arena.failed)
        return SOUK_ENOMEM;
    if (key.bytes == 0)
        return souk_diag_say(&call->diag, SOUK_EUNAUTH,
                             "no write key: let server_url end in /sa?project=WRITE_KEY");
    return souk_collect_caller(call, key);
}

static void receive_sensors(souk_call *call)
{
    struct delivery delivery = {.form = &souk_foreign_sensors,
                                .body = call->body,
                                .topic = {"", 0},
                                .id = {"", 0},
                                .may_inflate = true,
                                .done = stored};
    souk_err err = find_sender(call);
    if (!err && souk_text_equal(call->method, SOUK_TEXT("GET"))) {
        delivery.done = stored_image;
        err = message_of_query(call, &delivery.body);
    }
    if (err)
        souk_call_fail(call, err);
    else
        store(call, &delivery);
}

/* ---- the list of secrets ---------------------------------------------------------------------------------------- */

static void write_path(souk_json_writer *out, souk_text form, souk_text name)
{
    souk_auto_value(souk_buf) path = {.limit_bytes = 1024};
    souk_buf_print(&path, "/v1/hooks/%.*s/", SOUK_TEXT_PRINT(form));
    for (size_t i = 0; i < name.bytes; i++) {
        char c = name.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_' || c == '.';
        if (plain)
            souk_buf_byte(&path, c);
        else
            souk_buf_print(&path, "%%%02X", (unsigned)(unsigned char)c);
    }
    souk_json_put_text(out, "path", souk_buf_view(&path));
}

static souk_err write_hook(void *context, const souk_hook_secret *hook)
{
    souk_json_writer *out = context;
    char made[SOUK_TIME_BYTES];
    souk_json_write_object(out);
    souk_json_put_u64(out, "id", hook->id);
    souk_json_put_text(out, "form", hook->form);
    souk_json_put_text(out, "source", hook->name);
    write_path(out, hook->form, hook->name);
    souk_json_put_text(out, "made", (souk_text){made, souk_time_write(hook->made, made)});
    souk_json_write_end(out);
    return SOUK_OK;
}

static void list_hooks(souk_call *call)
{
    struct hooks *hooks = call->state;
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    souk_json_put_array(out, "hooks");
    souk_err err = souk_hook_secrets_each(hooks->secrets, call->caller.merchant, write_hook, out);
    souk_json_write_end(out);
    souk_json_write_end(out);
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer(call, 200);
}

struct search {
    souk_text name;
    uint32_t source;
};

static souk_err match_source(void *context, const souk_source *source)
{
    struct search *search = context;
    if (souk_text_equal(source->name, search->name))
        search->source = source->number;
    return SOUK_OK;
}

/* The merchant's source of that name; where there is none a new one, which states what the body does, or that its events
 * serve a contract: they are orders. */
static souk_err find_source(souk_call *call, const souk_json_doc *body, souk_text name,
                            uint32_t *ret_source)
{
    struct search search = {.name = name};
    souk_statement statement;
    souk_json_node root = souk_json_root(body);
    souk_json_node bases = souk_json_member(body, root, SOUK_TEXT("bases"));
    SOUK_TRY(souk_field_statement(body, root, &call->arena, &statement, &call->diag));
    SOUK_TRY(souk_merchants_sources(call->merchants, call->caller.merchant, match_source, &search));
    *ret_source = search.source;
    if (search.source)
        return SOUK_OK;
    if (souk_json_count(body, bases) == 0)
        statement.bases[SOUK_PURPOSE_SERVE] = SOUK_BASIS_CONTRACT;
    return souk_merchants_source(call->merchants, call->caller.merchant, name, &statement,
                                 ret_source, NULL);
}

static const struct sender *find_form(souk_text form)
{
    for (size_t i = 0; i < sizeof senders / sizeof *senders; i++)
        if (souk_text_equal(form, souk_text_of(senders[i].form->name)))
            return &senders[i];
    return NULL;
}

static souk_err add_hook(souk_call *call, const souk_json_doc *body)
{
    struct hooks *hooks = call->state;
    souk_json_node root = souk_json_root(body);
    souk_hook_secret hook = {.merchant = call->caller.merchant,
                             .form = souk_field(body, root, "form", &call->arena),
                             .name = souk_field(body, root, "source", &call->arena)};
    souk_text secret = souk_field(body, root, "secret", &call->arena);
    if (!find_form(hook.form))
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "'%.*s' is no form of hooks: there are shopify and woocommerce",
                             (int)souk_min_size(hook.form.bytes, 60), hook.form.at);
    if (!souk_utf8_plain(hook.name))
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "the name of a source has no control characters: name another");
    SOUK_TRY(souk_hook_secrets_judge(&hook, secret, &call->diag));
    SOUK_TRY(find_source(call, body, hook.name, &hook.source));
    SOUK_TRY(souk_hook_secrets_add(hooks->secrets, &hook, secret, &call->diag));
    return write_hook(souk_call_json(call), &hook);
}

static void post_hook(souk_call *call)
{
    souk_json_doc body = {.mem = call->arena.mem};
    souk_err err = souk_json_read(&body, call->body, NULL, &call->diag);
    if (!err)
        err = add_hook(call, &body);
    souk_json_doc_done(&body);
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer(call, 201);
}

static void delete_hook(souk_call *call)
{
    struct hooks *hooks = call->state;
    uint64_t id = 0;
    souk_err err = souk_text_to_u64(call->parts[0], &id) ? SOUK_ENOENT : SOUK_OK;
    if (!err)
        err = souk_hook_secrets_remove(hooks->secrets, call->caller.merchant, id);
    if (err == SOUK_ENOENT)
        souk_diag_say(&call->diag, err,
                      "there is no such hook: see `souk hook list` or GET /v1/hooks");
    if (err)
        souk_call_fail(call, err);
    else
        souk_collect_answer(call, SOUK_OK);
}

/* ---- the table ------------------------------------------------------------------------------------------------ */

/* The mini program's SDK takes every answer for a good one, and sends again only where none comes. */
#define SENSORS(method, path, words, ...)                                            \
    {                                                                                \
        method, path, SOUK_SCOPE_WRITE, receive_sensors, words, SOUK_CALL_BODY_MOST, \
            .any_origin = true, .hangs_up = true, __VA_ARGS__                        \
    }
#define IMAGE .gives_type = "image/gif", .query = "data?: text, data_list?: text, gzip?: text"
#define FORM                                                 \
    .takes = "{data?: text, data_list?: text, gzip?: text}", \
    .takes_type = "application/x-www-form-urlencoded"
#define TAKEN    .gives = "{success: boolean}"
#define IN_QUERY .key_in = "query project, query token, query writeKey"
#define HOOK     "{id: integer, form: text, source: text, path: text 'where it is sent', made: time}"

static const souk_route routes[] = {
    {"POST", "/v1/hooks/shopify/{source}", SOUK_SCOPE_WRITE, receive_shopify,
     .summary = "A signed hook of a Shopify shop", .body_limit = HOOK_BYTES, TAKEN, .takes = "any",
     .key_in = "header x-shopify-hmac-sha256"},
    {"POST", "/v1/hooks/woocommerce/{source}", SOUK_SCOPE_WRITE, receive_woo,
     .summary = "A signed hook of a WooCommerce shop", .body_limit = HOOK_BYTES, TAKEN,
     .takes = "any", .words = "An unsigned ping, webhook_id=7, is answered and not kept.",
     .key_in = "header x-wc-webhook-signature"},
    {"GET", "/v1/hooks", SOUK_SCOPE_ADMIN, list_hooks, .summary = "Hooks and whose they are",
     .gives = "{hooks: [" HOOK "]}"},
    {"POST", "/v1/hooks", SOUK_SCOPE_ADMIN, post_hook,
     .summary = "Another secret of a hook, and its source where there is none", .slow = true,
     .takes = "{form: shopify|woocommerce, source: text, secret: text, bases?: [text] "
              "'serve=contract', age?: adult|minor}",
     .gives = HOOK, .gives_status = 201},
    {"DELETE", "/v1/hooks/{id}", SOUK_SCOPE_ADMIN, delete_hook,
     .summary = "A secret of a hook works no more", .slow = true, TAKEN},
    SENSORS("GET", "/sa", "A record of a Sensors SDK, in the address", IMAGE, IN_QUERY),
    SENSORS("POST", "/sa", "Records of a Sensors SDK", FORM, TAKEN, IN_QUERY),
    SENSORS("GET", "/sa.gif", "A record of a Sensors SDK, as an image", IMAGE, IN_QUERY),
    SENSORS("POST", "/sa.gif", "Records of a Sensors SDK in a page", FORM, TAKEN, IN_QUERY),
    SENSORS("GET", "/sa/{key}", "A record of a Sensors SDK, its write key in the path", IMAGE,
            .key_in = "path"),
    SENSORS("POST", "/sa/{key}", "Records of a Sensors SDK, their write key in the path", FORM,
            TAKEN, .key_in = "path"),
};

const souk_service souk_hooks_service = {
    .name = "hooks",
    .open = open_hooks,
    .close = close_hooks,
    .routes = routes,
    .route_count = sizeof routes / sizeof *routes,
};
