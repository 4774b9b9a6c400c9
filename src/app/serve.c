/* serve.c - `souk serve`: listens, says so, reads settings again on SIGHUP, drains when told to stop.
 *
 * It listens at the sockets that its supervisor opened (notify.h) and, where there are none, at the setting
 * `listen`; and always at the data folder's control socket. */
#include "app/app.h"
#include "app/supervisor.h"
#include "os/process.h"
#include "serve/webhooks.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WATCH_MS = 500,
    CLOSE_MS = 300000,    /* what a supervisor grants for the last snapshot, after the drain */
    ROOM_BYTES = 8 << 20, /* free again, a full disk is one no longer: the log and some groups */
};

struct serving {
    const app_options *options;
    app_shop shop;
    app_supervisor supervisor;
    souk_inherited inherited;
    souk_http *http;
    souk_log log;
    int signals;
    char address[SOUK_ADDRESS_ROOM], control[512];
    bool control_made;
    bool is_full;     /* and the log says so */
    bool on_terminal; /* which takes the server with it when it closes */
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

/* Whoever connects to a unix socket speaks as the operator (api.h): it must be the operator's alone. */
static souk_err check_unix(const char *address, souk_diag *diag)
{
    struct stat about;
    bool is_path = address[0] == '/';
    if (!is_path && address[0] != '@' && strcmp(address, "unix") != 0)
        return SOUK_OK;
    if (is_path && !stat(address, &about) && !(about.st_mode & 0077))
        return SOUK_OK;
    return souk_diag_say(
        diag, SOUK_EDENIED,
        "the socket %s that was handed over is open to others, and who connects "
        "there is taken for the operator: say SocketMode=0600 in the .socket unit, "
        "or ListenStream=127.0.0.1:7010 for a proxy",
        address);
}

static souk_err listen_at_inherited(struct serving *serving, souk_diag *diag)
{
    souk_inherited *inherited = &serving->inherited;
    for (size_t i = 0; i < inherited->count; i++) {
        SOUK_TRY(check_unix(inherited->addresses[i], diag));
        SOUK_TRY(souk_http_listen(serving->http, inherited->fds[i]));
        souk_fd_take(&inherited->fds[i]);
    }
    snprintf(serving->address, sizeof serving->address, "%s", inherited->addresses[0]);
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

static souk_err start(struct serving *serving, souk_diag *diag)
{
    char ignored[SOUK_ADDRESS_ROOM];
    const app_settings *settings = &serving->shop.settings;
    souk_http_options http = http_options(settings);
    http.context = serving->shop.api;
    SOUK_TRY(souk_http_new(souk_mem_heap(), &http, &serving->http));
    souk_api_set_http(serving->shop.api, serving->http);
    if (serving->inherited.count)
        SOUK_TRY(listen_at_inherited(serving, diag));
    else
        SOUK_TRY(
            listen_at(serving, app_setting_text(settings, APP_LISTEN), serving->address, diag));
    snprintf(serving->control, sizeof serving->control, "%s/control", serving->options->data);
    unlink(serving->control); /* we hold the folder's lock: whoever made it is gone */
    mode_t before = umask(0177);
    souk_err err = listen_at(serving, serving->control, ignored, diag);
    umask(before);
    SOUK_TRY(err);
    serving->control_made = true;
    SOUK_TRY(app_mqtt_start(&serving->shop, &serving->log, diag));
    SOUK_TRY(souk_webhooks_start(souk_api_state(serving->shop.api, &souk_webhooks_service),
                                 &serving->log));
    return souk_http_start(serving->http);
}

static void say_listening(struct serving *serving)
{
    const app_options *options = serving->options;
    char key[SOUK_WRITE_KEY_BYTES] = "";
    souk_auto_value(souk_buf) stored = {.mem = souk_mem_heap(), .limit_bytes = sizeof key - 1};
    bool is_path = serving->address[0] == '/';
    if (souk_disk_take(serving->shop.disk, "write_key", &stored) == SOUK_OK)
        memcpy(key, stored.at, stored.bytes);
    printf("Souk is listening at %s%s%s\n", is_path ? "" : "http://", serving->address,
           serving->inherited.count ? ", a socket that was handed over; the setting `listen` is "
                                      "not used"
                                    : "");
    if (key[0])
        printf("Send it an event:\n  curl -u %s: %s%s%s/v1/track -d "
               "'{\"event\":\"Product Viewed\",\"userId\":\"u1\","
               "\"properties\":{\"product_id\":\"P1\"}}'\nand count it:\n  %s stats --data %s\n",
               key, is_path ? "--unix-socket " : "http://", serving->address,
               is_path ? " http://souk" : "", options->program, options->data);
}

static void say_ready(struct serving *serving)
{
    if (serving->options->json)
        printf("{\"listening\":\"%s\",\"pid\":%ld}\n", serving->address, (long)getpid());
    else
        say_listening(serving);
    fflush(stdout);
    for (size_t i = 0; i < serving->inherited.count; i++)
        souk_log_with(&serving->log, SOUK_LOG_INFO, "serve",
                      "listens at a socket that was handed over, not at the setting listen",
                      SOUK_LOG_TEXT("address", souk_text_of(serving->inherited.addresses[i])),
                      SOUK_LOG_TEXT("name", souk_text_of(serving->inherited.names[i])));
    souk_log_with(&serving->log, SOUK_LOG_INFO, "serve", "the server is ready",
                  SOUK_LOG_TEXT("address", souk_text_of(serving->address)),
                  SOUK_LOG_COUNT("events", souk_spine_end(serving->shop.spine) - 1),
                  SOUK_LOG_TEXT("version", SOUK_TEXT(SOUK_VERSION)));
}

/* The line "listening" is out and /readyz says 200. */
static souk_err tell_ready(struct serving *serving)
{
    char status[SOUK_ADDRESS_ROOM + 32];
    souk_pulse_parts parts = {.ledger = souk_spine_ledger(serving->shop.spine),
                              .http = serving->http,
                              .api = serving->shop.api};
    snprintf(status, sizeof status, "serving at %s", serving->address);
    return app_supervisor_ready(&serving->supervisor, status, &parts);
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
    if (counters.full && !serving->is_full)
        app_supervisor_status(&serving->supervisor, "the disk is full: reading only");
    serving->is_full = counters.full;
    if (counters.full && souk_disk_try_room(serving->shop.disk, ROOM_BYTES) == SOUK_OK) {
        souk_ledger_found_room(ledger);
        serving->is_full = false;
        app_supervisor_status(&serving->supervisor, NULL);
        souk_log_with(&serving->log, SOUK_LOG_WARN, "serve", "the disk has room again",
                      SOUK_LOG_TEXT("folder", souk_text_of(folder)));
    }
}

static void set_level(struct serving *serving)
{
    souk_log_level level = SOUK_LOG_INFO;
    souk_text word = souk_text_of(app_setting_text(&serving->shop.settings, APP_LOG_LEVEL));
    if (!souk_log_level_read(word, &level))
        souk_log_set_level(&serving->log, level);
}

/* Takes what may change while the server runs, and tells what may not. */
static void take_settings(struct serving *serving, const app_settings *fresh)
{
    app_settings *held = &serving->shop.settings;
    for (int id = 0; id < APP_SETTINGS; id++) {
        app_value *value = &held->values[id];
        if (!strcmp(value->text, fresh->values[id].text))
            continue;
        bool is_live = app_setting_is_live((app_setting_id)id);
        souk_log_with(&serving->log, SOUK_LOG_WARN, "serve",
                      is_live ? "a setting has changed"
                              : "a setting that has changed holds from the next start on",
                      SOUK_LOG_TEXT("setting", souk_text_of(app_setting_table[id].name)),
                      SOUK_LOG_TEXT("was", souk_text_of(value->text)),
                      SOUK_LOG_TEXT("is", souk_text_of(fresh->values[id].text)));
        if (is_live)
            *value = fresh->values[id];
    }
    set_level(serving);
}

/* SIGHUP. */
static void reload(struct serving *serving)
{
    app_settings fresh;
    app_mistakes mistakes = {.count = 0};
    app_supervisor_reloading(&serving->supervisor);
    souk_err err = app_load_settings(serving->options, &fresh, &mistakes);
    for (size_t i = 0; i < mistakes.count; i++) {
        souk_auto_value(souk_buf) words = {.mem = souk_mem_heap()};
        app_mistake_write(&mistakes.at[i], &words);
        souk_log_with(&serving->log, SOUK_LOG_ERROR, "serve",
                      "the settings are wrong: those that held still hold",
                      SOUK_LOG_TEXT("mistake", souk_buf_view(&words)));
    }
    if (!err)
        take_settings(serving, &fresh);
    souk_log_say(&serving->log, SOUK_LOG_INFO, "serve",
                 err ? "the settings were not read again" : "the settings were read again");
    app_supervisor_reloaded(&serving->supervisor);
    if (serving->is_full) /* ready means that it is here: reading goes on */
        app_supervisor_status(&serving->supervisor, "the disk is full: reading only");
}

/* Whether the signal that came ends the server. */
static bool is_end(struct serving *serving)
{
    int number = souk_signals_read(serving->signals);
    if (number != SIGHUP || serving->on_terminal)
        return number != 0;
    reload(serving);
    return false;
}

static void wait_for_end(struct serving *serving)
{
    struct pollfd signals = {.fd = serving->signals, .events = POLLIN};
    do {
        if (souk_spine_failed(serving->shop.spine)) /* nobody knows what is stored */
            return;
        watch_room(serving);
        app_supervisor_tick(&serving->supervisor);
    } while (poll(&signals, 1, app_supervisor_wait_ms(&serving->supervisor, WATCH_MS)) <= 0 ||
             !is_end(serving));
}

static uint32_t drain_ms(const app_settings *settings)
{
    return 1000 * (uint32_t)app_setting_of(settings, APP_DRAIN_S);
}

static souk_err stop(struct serving *serving)
{
    souk_err err = SOUK_OK, closed;
    app_supervisor_stopping(&serving->supervisor,
                            souk_spine_failed(serving->shop.spine) ? "the disk failed: stopping"
                                                                   : "finishing what is under way",
                            drain_ms(&serving->shop.settings) + CLOSE_MS);
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

/* Whatever the settings say that could be read. */
static void open_log(struct serving *serving)
{
    souk_log_init(&serving->log, &(souk_log_options){.level = SOUK_LOG_INFO});
    set_level(serving);
    app_supervisor_log(&serving->supervisor, &serving->log);
}

static souk_err serve(struct serving *serving, souk_diag *diag)
{
    serving->shop.replayed = app_supervisor_replayed;
    serving->shop.replayed_context = &serving->supervisor;
    souk_err err = app_shop_open(serving->options, &serving->shop, diag);
    open_log(serving);
    SOUK_TRY(err);
    SOUK_TRY(start(serving, diag));
    say_ready(serving);
    SOUK_TRY(tell_ready(serving));
    wait_for_end(serving);
    souk_log_say(&serving->log, SOUK_LOG_INFO, "serve", "the server stops");
    return SOUK_OK;
}

souk_err app_serve(const app_options *options, souk_diag *diag)
{
    souk_mem_heap_give_back();
    struct serving serving = {
        .options = options, .signals = -1, .on_terminal = isatty(STDIN_FILENO)};
    app_supervisor_open(&serving.supervisor); /* no thread yet: it cleans the environment */
    SOUK_TRY(souk_inherited_take(&serving.inherited, diag));
    SOUK_TRY(souk_signals_open(&serving.signals));
    souk_process_raise_files();
    souk_err err = serve(&serving, diag);
    souk_err stopped = serving.shop.spine ? stop(&serving) : SOUK_OK;
    app_supervisor_done(&serving.supervisor);
    souk_inherited_done(&serving.inherited);
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
