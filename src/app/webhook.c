/* webhook.c - `souk webhook`: the routes of serve/webhooks.h as words. */
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

static void write_events(souk_json_writer *json, souk_text names)
{
    souk_json_put_array(json, "events");
    while (names.at) {
        souk_text name = souk_text_trim(souk_text_cut(&names, ','));
        if (name.bytes)
            souk_json_write_text(json, name);
    }
    souk_json_write_end(json);
}

static souk_err say_secret(souk_err err)
{
    if (!err)
        fprintf(stderr, "The secret is shown this once: give it to the receiver, and keep it like "
                        "a password.\n");
    return err;
}

static souk_err add(const app_options *options, souk_diag *diag)
{
    souk_auto_value(souk_buf) body = {.mem = souk_mem_heap()};
    souk_json_writer json = {.out = &body};
    if (!options->events)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "say which events: --events 'Order Completed,Order Refunded', or '*'");
    souk_json_write_object(&json);
    souk_json_put_words(&json, "url", options->operands[1]);
    write_events(&json, souk_text_of(options->events));
    if (options->purpose) {
        souk_json_put_words(&json, "purpose", options->purpose);
    }
    souk_json_write_end(&json);
    SOUK_TRY(souk_json_write_check(&json));
    return say_secret(call(options, "POST", "/v1/webhooks", souk_buf_view(&body), diag));
}

static bool says(const app_options *options, const char *verb, size_t count)
{
    return options->operand_count == count && !strcmp(options->operands[0], verb);
}

/* /v1/webhooks/ID and what stands behind it. */
static souk_err at_id(const app_options *options, const char *method, const char *behind,
                      souk_diag *diag)
{
    char path[120];
    uint64_t id;
    if (souk_text_to_u64(souk_text_of(options->operands[1]), &id))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the id of a webhook is a number: see `souk webhook list`");
    snprintf(path, sizeof path, "/v1/webhooks/%llu%s", (unsigned long long)id, behind);
    return call(options, method, path, SOUK_TEXT(""), diag);
}

static souk_err retry(const app_options *options, souk_diag *diag)
{
    char behind[60];
    uint64_t delivery;
    if (souk_text_to_u64(souk_text_of(options->operands[2]), &delivery))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the id of a delivery is a number: see `souk webhook deliveries ID`");
    snprintf(behind, sizeof behind, "/deliveries/%llu/retry", (unsigned long long)delivery);
    return at_id(options, "POST", behind, diag);
}

souk_err app_webhooks(const app_options *options, souk_diag *diag)
{
    if (says(options, "list", 1))
        return call(options, "GET", "/v1/webhooks", SOUK_TEXT(""), diag);
    if (says(options, "add", 2))
        return add(options, diag);
    if (says(options, "remove", 2))
        return at_id(options, "DELETE", "", diag);
    if (says(options, "rotate", 2))
        return say_secret(at_id(options, "POST", "/rotate", diag));
    if (says(options, "test", 2))
        return at_id(options, "POST", "/test", diag);
    if (says(options, "deliveries", 2))
        return at_id(options, "GET", "/deliveries", diag);
    if (says(options, "retry", 3))
        return retry(options, diag);
    return souk_diag_say(diag, SOUK_EINVAL,
                         "souk webhook list, add URL --events EVENTS [--purpose PURPOSE], remove "
                         "ID, rotate ID, test ID, deliveries ID, or retry ID DELIVERY");
}
