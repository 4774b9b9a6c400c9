/* open.c - the folder opened by this process, or its owner spoken to. */
#include "app/app.h"
#include "base/progress.h"
#include "base/utf8.h"
#include "os/process.h"
#include "os/socket.h"
#include "serve/webhooks.h"

#include <stdio.h>
#include <unistd.h>

struct replaying {
    souk_progress bar;
    bool started;
    const app_shop *shop;
};

/* A replay that is over in a moment needs no bar. */
static souk_err show_replay(void *context, uint64_t done, uint64_t total)
{
    struct replaying *replaying = context;
    if (!replaying->started) {
        souk_progress_start(
            &replaying->bar,
            &(souk_progress_options){.label = "reading the log", .unit = "events", .total = total});
        replaying->started = true;
    }
    souk_progress_set(&replaying->bar, done);
    if (replaying->shop->replayed)
        replaying->shop->replayed(replaying->shop->replayed_context, done, total);
    return app_interrupted() || souk_signals_waiting() ? SOUK_EINTERRUPT : SOUK_OK;
}

static uint32_t number(const app_settings *settings, app_setting_id id)
{
    return (uint32_t)app_setting_of(settings, id); /* the table's limits are below 2^32 */
}

souk_spine_options app_spine_options(const app_settings *settings)
{
    return (souk_spine_options){
        .ledger = {.url = app_setting_text(settings, APP_LEDGER_URL),
                   .writers = number(settings, APP_LEDGER_WRITERS),
                   .readers = number(settings, APP_LEDGER_READERS),
                   .cache_kib = number(settings, APP_LEDGER_CACHE_KIB)},
        .vault = {.cache_keys = number(settings, APP_VAULT_CACHE_KEYS)},
        .runs_memory = number(settings, APP_SPINE_RUN_PAIRS),
        .queue_events = number(settings, APP_SPINE_QUEUE_EVENTS),
        .group_events = number(settings, APP_SPINE_GROUP_EVENTS),
        .snapshot_events = number(settings, APP_SPINE_SNAPSHOT_EVENTS),
    };
}

static void set_webhooks(const app_settings *settings, souk_api *api)
{
    souk_text networks = souk_text_of(app_setting_text(settings, APP_WEBHOOKS_ALLOW_PRIVATE));
    souk_webhooks_options options = {
        .first_wait_ms = app_setting_of(settings, APP_WEBHOOKS_RETRY_MS),
        .deadline_ms = app_setting_of(settings, APP_WEBHOOKS_DEADLINE_MS),
    };
    souk_err wrong = souk_inet_ranges_read(networks, options.allowed.ranges, SOUK_TARGET_RANGES,
                                           &options.allowed.count, NULL);
    souk_assert(!wrong); /* the settings were checked */
    souk_webhooks_set(souk_api_state(api, &souk_webhooks_service), &options);
}

souk_err app_shop_open(const app_options *options, app_shop *shop, souk_diag *diag)
{
    souk_mem *mem = souk_mem_heap();
    struct replaying replaying = {.shop = shop};
    SOUK_TRY(app_read_settings(options, &shop->settings, diag));
    souk_spine_options spine = app_spine_options(&shop->settings);
    if (access(options->data, F_OK)) /* a folder that is misspelt is not made */
        return souk_diag_say(diag, SOUK_ENOENT,
                             "there is no folder %s: name the data folder with --data, or make a "
                             "shop with `souk init --data %s`",
                             options->data, options->data);
    spine.progress = show_replay;
    spine.progress_context = &replaying;
    souk_err err = souk_disk_open_real(mem, options->data, &shop->disk, diag);
    if (!err)
        err = souk_spine_open(mem, shop->disk, &spine, &shop->spine, diag);
    souk_progress_done(&replaying.bar);
    if (!err)
        err = souk_merchants_open(mem, shop->spine, &shop->merchants, diag);
    if (!err)
        err = souk_api_open(mem, shop->spine, shop->merchants, app_services, app_service_count,
                            &shop->api);
    if (!err)
        app_plug_neighbours(shop->api);
    if (!err)
        set_webhooks(&shop->settings, shop->api);
    if (!err)
        souk_api_set_limits(shop->api,
                            &(souk_call_limits){
                                .body_bytes = number(&shop->settings, APP_LIMITS_BODY_BYTES),
                                .batch_events = number(&shop->settings, APP_LIMITS_BATCH_EVENTS),
                            });
    if (!err)
        err = souk_api_set_readers(shop->api, (unsigned)number(&shop->settings, APP_LOOPS));
    if (!err)
        err = souk_api_set_rate(shop->api,
                                (uint32_t)number(&shop->settings, APP_LIMITS_TOKEN_REQUESTS));
    if (err)
        app_shop_done(shop);
    return err;
}

souk_err app_shop_close(app_shop *shop)
{
    souk_api_free(shop->api);
    shop->api = NULL;
    souk_err err = souk_spine_close(shop->spine);
    app_shop_done(shop);
    return err;
}

void app_shop_done(app_shop *shop)
{
    souk_api_free(shop->api);
    souk_merchants_free(shop->merchants);
    souk_spine_free(shop->spine);
    souk_disk_free(shop->disk);
    shop->api = NULL;
    shop->merchants = NULL;
    shop->spine = NULL;
    shop->disk = NULL;
}

/* ---- the owner's control socket ------------------------------------------------------------------------ */

static souk_err split_answer(souk_text all, int *ret_status, souk_text *ret_body)
{
    static const char mark[] = "\r\n\r\n";
    const char *end = all.bytes ? memmem(all.at, all.bytes, mark, 4) : NULL;
    uint64_t status;
    if (!end || all.bytes < 12 || souk_text_to_u64((souk_text){all.at + 9, 3}, &status))
        return SOUK_EIO;
    *ret_status = (int)status;
    *ret_body = souk_text_range(end + 4, all.at + all.bytes);
    return SOUK_OK;
}

static souk_err call_owner(souk_client *client, const char *method, const char *path,
                           souk_text body, int *ret_status, souk_buf *answer)
{
    souk_auto_value(souk_buf) request = {.mem = souk_mem_heap()};
    souk_auto_value(souk_buf) all = {.mem = souk_mem_heap(), .limit_bytes = (size_t)256 << 20};
    souk_text got;
    souk_buf_print(
        &request,
        "%s %s HTTP/1.1\r\nHost: souk\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", method,
        path, body.bytes);
    souk_buf_text(&request, body);
    SOUK_TRY(souk_buf_check(&request));
    SOUK_TRY(souk_client_send(client, souk_buf_view(&request)));
    SOUK_TRY(souk_client_receive_all(client, &all));
    SOUK_TRY(split_answer(souk_buf_view(&all), ret_status, &got));
    souk_buf_text(answer, got);
    return souk_buf_check(answer);
}

/* SOUK_ENOENT: no server owns the folder. */
static souk_err try_owner(const app_options *options, const char *method, const char *path,
                          souk_text body, int *ret_status, souk_buf *answer)
{
    char socket[512];
    souk_client client = SOUK_CLIENT_NONE;
    snprintf(socket, sizeof socket, "%s/control", options->data);
    if (access(socket, F_OK) || souk_client_open(&client, socket, 2000, NULL))
        return SOUK_ENOENT;
    client.wait_ms = 24 * 3600 * (int64_t)1000; /* an erasure may take long; Ctrl-C ends the wait */
    souk_err err = call_owner(&client, method, path, body, ret_status, answer);
    souk_client_done(&client);
    return err;
}

/* An answer that is a problem becomes its error and words. */
static souk_err read_problem(int status, souk_text answer, souk_diag *diag)
{
    souk_json_doc doc = {.mem = souk_mem_heap()};
    souk_arena arena = {.mem = souk_mem_heap()};
    souk_text detail = SOUK_TEXT(""), code = SOUK_TEXT("");
    souk_err err = SOUK_EIO;
    if (souk_json_read(&doc, answer, NULL, NULL) == SOUK_OK) {
        souk_json_node root = souk_json_root(&doc);
        if (souk_json_text(&doc, souk_json_member(&doc, root, SOUK_TEXT("detail")), &arena,
                           &detail))
            detail = SOUK_TEXT("");
        if (souk_json_text(&doc, souk_json_member(&doc, root, SOUK_TEXT("code")), &arena, &code))
            code = SOUK_TEXT("");
    }
    for (int i = 1; i < SOUK_ERR_COUNT; i++)
        if (souk_text_equal(code, souk_text_of(souk_err_name((souk_err)i))))
            err = (souk_err)i;
    if (detail.bytes)
        err = souk_diag_say(diag, err, "%.*s", SOUK_TEXT_PRINT(detail));
    else
        err = souk_diag_say(diag, err, "the server answered %d", status);
    souk_json_doc_done(&doc);
    souk_arena_done(&arena);
    return err;
}

static bool has_owner(const app_options *options)
{
    char socket[512];
    souk_client client = SOUK_CLIENT_NONE;
    snprintf(socket, sizeof socket, "%s/control", options->data);
    if (access(socket, F_OK) || souk_client_open(&client, socket, 2000, NULL))
        return false;
    souk_client_done(&client);
    return true;
}

souk_err app_line_open(const app_options *options, app_line *line, souk_diag *diag)
{
    *line = (app_line){.options = options};
    if (has_owner(options))
        return SOUK_OK;
    SOUK_TRY(app_shop_open(options, &line->shop, diag));
    line->here = true;
    return SOUK_OK;
}

souk_err app_line_call(app_line *line, const char *method, const char *path, souk_text body,
                       souk_buf *answer, souk_diag *diag)
{
    int status = 0;
    size_t before = answer->bytes;
    souk_err err = line->here ? souk_api_call(line->shop.api, method, path, body, &status, answer)
                              : try_owner(line->options, method, path, body, &status, answer);
    if (!line->here && (err == SOUK_ENOENT || err == SOUK_EIO))
        return souk_diag_say(diag, SOUK_ESTOPPED,
                             "the server of %s ended in the middle: what was done is kept; do the "
                             "same again",
                             line->options->data);
    SOUK_TRY(err);
    souk_text got = souk_buf_view(answer);
    return status < 300
               ? SOUK_OK
               : read_problem(status, souk_text_range(got.at + before, got.at + got.bytes), diag);
}

souk_err app_line_close(app_line *line)
{
    bool here = line->here;
    line->here = false;
    return here ? app_shop_close(&line->shop) : SOUK_OK;
}

souk_err app_call(const app_options *options, const char *method, const char *path, souk_text body,
                  souk_buf *answer, souk_diag *diag)
{
    app_line line;
    SOUK_TRY(app_line_open(options, &line, diag));
    souk_err err = app_line_call(&line, method, path, body, answer, diag);
    souk_err closed = app_line_close(&line);
    return err ? err : closed;
}

/* ---- printing -------------------------------------------------------------------------------------------- */

/* Texts come from whoever sends events: what would move the cursor is a question mark, and another line stands
 * further in than what it belongs to, so that it passes for nothing of ours. */
static void print_plain(souk_text text, int depth)
{
    for (size_t i = 0; i < text.bytes; i++) {
        size_t control = souk_utf8_control(text, i);
        if (text.at[i] == '\n')
            printf("\n%*s", 2 * depth + 13, "");
        else
            putchar(control ? '?' : text.at[i]);
        i += control ? control - 1 : 0;
    }
}

static void print_value(const souk_json_doc *doc, souk_json_node node, souk_arena *arena, int depth)
{
    souk_text text;
    souk_json_kind kind = souk_json_type(doc, node);
    if (kind != SOUK_JSON_OBJECT && kind != SOUK_JSON_ARRAY) {
        if (souk_json_text(doc, node, arena, &text))
            text = souk_json_raw(doc, node);
        print_plain(text, depth);
        printf("\n");
        return;
    }
    if (depth)
        printf("\n");
    for (souk_json_node item = souk_json_first(doc, node); item != SOUK_JSON_NONE;
         item = souk_json_next(doc, item)) {
        if (kind == SOUK_JSON_OBJECT && !souk_json_key_text(doc, item, arena, &text)) {
            printf("%*s", 2 * depth, "");
            print_plain(text, depth);
            printf("%*s ", (int)(12 - souk_min_size(text.bytes, 12)), "");
        } else
            printf("%*s- ", 2 * depth, "");
        print_value(doc, item, arena, depth + 1);
    }
}

void app_print(const app_options *options, souk_text json)
{
    souk_json_doc doc = {.mem = souk_mem_heap()};
    souk_arena arena = {.mem = souk_mem_heap()};
    if (options->json || souk_json_read(&doc, json, NULL, NULL))
        printf("%.*s\n", SOUK_TEXT_PRINT(json));
    else
        print_value(&doc, souk_json_root(&doc), &arena, 0);
    souk_json_doc_done(&doc);
    souk_arena_done(&arena);
}
