/* serve.c - `souk serve`: listens, says so, drains when told to stop. */
#include "app/app.h"
#include "base/log.h"
#include "os/process.h"
#include "os/socket.h"

#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WATCH_MS = 500,
    ROOM_BYTES = 8 << 20, /* free again, a full disk is one no longer: the log and some groups */
};

struct serving {
    app_shop shop;
    souk_http *http;
    souk_log log;
    int signals;
    char address[SOUK_ADDRESS_ROOM], control[512];
    bool control_made;
    bool is_full; /* and the log says so */
};

static souk_err listen_at(struct serving *serving, const char *address, char *ret_address,
                          souk_diag *diag)
{
    souk_auto_value(souk_fd) fd = -1;
    SOUK_TRY(souk_socket_listen(address, NULL, &fd, ret_address, diag));
    SOUK_TRY(souk_http_listen(serving->http, fd));
    souk_fd_take(&fd);
    return SOUK_OK;
}

static souk_http_options http_options(const app_settings *settings)
{
    return (souk_http_options){
        .handle = souk_api_handle,
        .body_limit = souk_api_body_limit,
        .loop_count = (unsigned)app_setting_of(settings, APP_LOOPS),
        .connection_limit = (unsigned)app_setting_of(settings, APP_LIMITS_CONNECTIONS),
        .peer_limit = (unsigned)app_setting_of(settings, APP_LIMITS_PEER_CONNECTIONS),
        .body_limit_bytes = (size_t)app_setting_of(settings, APP_LIMITS_BODY_BYTES),
        .header_ms = (uint32_t)app_setting_of(settings, APP_LIMITS_HEAD_MS),
        .body_ms = (uint32_t)app_setting_of(settings, APP_LIMITS_BODY_MS),
    };
}

static souk_err start(const app_options *options, struct serving *serving, souk_diag *diag)
{
    char ignored[SOUK_ADDRESS_ROOM];
    const app_settings *settings = &serving->shop.settings;
    souk_http_options http = http_options(settings);
    http.context = serving->shop.api;
    SOUK_TRY(souk_http_new(souk_mem_heap(), &http, &serving->http));
    souk_api_set_http(serving->shop.api, serving->http);
    SOUK_TRY(listen_at(serving, app_setting_text(settings, APP_LISTEN), serving->address, diag));
    snprintf(serving->control, sizeof serving->control, "%s/control", options->data);
    unlink(serving->control); /* we hold the folder's lock: whoever made it is gone */
    mode_t before = umask(0177);
    souk_err err = listen_at(serving, serving->control, ignored, diag);
    umask(before);
    SOUK_TRY(err);
    serving->control_made = true;
    return souk_http_start(serving->http);
}

static void say_ready(const app_options *options, struct serving *serving)
{
    char key[SOUK_WRITE_KEY_BYTES] = "";
    souk_auto_value(souk_buf) stored = {.mem = souk_mem_heap(), .limit_bytes = sizeof key - 1};
    if (souk_disk_take(serving->shop.disk, "write_key", &stored) == SOUK_OK)
        memcpy(key, stored.at, stored.bytes);
    if (options->json) {
        printf("{\"listening\":\"%s\",\"pid\":%ld}\n", serving->address, (long)getpid());
    } else {
        bool is_path = serving->address[0] == '/';
        printf("Souk is listening at %s%s\n", is_path ? "" : "http://", serving->address);
        if (key[0])
            printf(
                "Send it an event:\n  curl -u %s: %s%s%s/v1/track -d "
                "'{\"event\":\"Product Viewed\",\"userId\":\"u1\","
                "\"properties\":{\"product_id\":\"P1\"}}'\nand count it:\n  %s stats --data %s\n",
                key, is_path ? "--unix-socket " : "http://", serving->address,
                is_path ? " http://souk" : "", options->program, options->data);
    }
    fflush(stdout);
    souk_log_with(&serving->log, SOUK_LOG_INFO, "serve", "the server is ready",
                  SOUK_LOG_TEXT("address", souk_text_of(serving->address)),
                  SOUK_LOG_COUNT("events", souk_spine_end(serving->shop.spine) - 1),
                  SOUK_LOG_TEXT("version", SOUK_TEXT(SOUK_VERSION)));
}

/* Tells when the disk is full and when it is not any more; /readyz follows.  Somebody must look, for
 * who is not ready may be sent no events that would find out. */
static void watch_room(struct serving *serving)
{
    const char *folder = souk_disk_folder(serving->shop.disk);
    souk_ledger *ledger = souk_spine_ledger(serving->shop.spine);
    souk_ledger_counters counters;
    souk_ledger_count(ledger, &counters);
    if (counters.full && !serving->is_full)
        souk_log_with(&serving->log, SOUK_LOG_ERROR, "serve",
                      "the disk is full: events are refused with 503, reading goes on; free some "
                      "space there",
                      SOUK_LOG_TEXT("folder", souk_text_of(folder)));
    serving->is_full = counters.full;
    if (counters.full && souk_disk_try_room(serving->shop.disk, ROOM_BYTES) == SOUK_OK) {
        souk_ledger_found_room(ledger);
        serving->is_full = false;
        souk_log_with(&serving->log, SOUK_LOG_WARN, "serve", "the disk has room again",
                      SOUK_LOG_TEXT("folder", souk_text_of(folder)));
    }
}

static void wait_for_signal(struct serving *serving)
{
    struct pollfd signals = {.fd = serving->signals, .events = POLLIN};
    do {
        if (souk_spine_failed(serving->shop.spine)) /* nobody knows what is stored */
            return;
        watch_room(serving);
    } while (poll(&signals, 1, WATCH_MS) <= 0 || !souk_signals_read(serving->signals));
}

static uint32_t drain_ms(const app_settings *settings)
{
    return 1000 * (uint32_t)app_setting_of(settings, APP_DRAIN_S);
}

static souk_err stop(struct serving *serving)
{
    souk_err err = SOUK_OK, closed;
    souk_api_draining(serving->shop.api);
    if (serving->http)
        err = souk_http_drain(serving->http, drain_ms(&serving->shop.settings));
    if (err == SOUK_ETIMEOUT)
        err = SOUK_OK; /* who was too slow was cut */
    souk_http_free(souk_take(&serving->http));
    if (serving->control_made)
        unlink(serving->control);
    souk_err failed = souk_spine_failed(serving->shop.spine);
    if (failed) { /* no orderly close: it would write and sync what is in doubt */
        app_shop_done(&serving->shop);
        return failed;
    }
    closed = app_shop_close(&serving->shop);
    return err ? err : closed;
}

static void open_log(struct serving *serving)
{
    souk_log_options options = {.level = SOUK_LOG_INFO};
    souk_text word = souk_text_of(app_setting_text(&serving->shop.settings, APP_LOG_LEVEL));
    if (souk_log_level_read(word, &options.level))
        options.level = SOUK_LOG_INFO; /* the settings were not read: they are what is wrong */
    souk_log_init(&serving->log, &options);
}

souk_err app_serve(const app_options *options, souk_diag *diag)
{
    souk_mem_heap_give_back();
    struct serving serving = {.signals = -1};
    SOUK_TRY(souk_signals_open(&serving.signals));
    souk_process_raise_files();
    souk_err err = app_shop_open(options, &serving.shop, diag);
    open_log(&serving);
    if (!err)
        err = start(options, &serving, diag);
    if (!err) {
        say_ready(options, &serving);
        wait_for_signal(&serving);
        souk_log_say(&serving.log, SOUK_LOG_INFO, "serve", "the server stops");
    }
    souk_err stopped = serving.shop.spine ? stop(&serving) : SOUK_OK;
    souk_signals_close(serving.signals);
    souk_log_done(&serving.log);
    if (!err && stopped == SOUK_EIO)
        return souk_diag_say(diag, stopped,
                             "the disk failed a write or a sync in %s (the kernel's log may say "
                             "why): stopped, so that a restart reads what is really there",
                             options->data);
    if (!err && stopped == SOUK_EFULL)
        return souk_diag_say(diag, stopped,
                             "the disk of %s is full: all events are safe in the log, and moved "
                             "into place by the next start once there is space",
                             options->data);
    return err ? err : stopped;
}
