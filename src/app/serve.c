/* serve.c - `souk serve`: listens, says so, drains when told to stop. */
#include "app/app.h"
#include "os/process.h"
#include "os/socket.h"

#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DRAIN_MS = 10000 };

struct serving {
    app_shop shop;
    souk_http *http;
    int signals;
    char address[SOUK_ADDRESS_ROOM], control[512];
    bool control_made;
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

static souk_err start(const app_options *options, struct serving *serving, souk_diag *diag)
{
    char ignored[SOUK_ADDRESS_ROOM];
    souk_http_options http = {.handle = souk_api_handle,
                              .body_limit = souk_api_body_limit,
                              .context = serving->shop.api,
                              .loop_count = options->loops};
    SOUK_TRY(souk_http_new(souk_mem_heap(), &http, &serving->http));
    souk_api_set_http(serving->shop.api, serving->http);
    SOUK_TRY(listen_at(serving, options->listen, serving->address, diag));
    snprintf(serving->control, sizeof serving->control, "%s/control", options->data);
    unlink(serving->control); /* we hold the folder's lock: whoever made it is gone */
    mode_t before = umask(0177);
    souk_err err = listen_at(serving, serving->control, ignored, diag);
    umask(before);
    SOUK_TRY(err);
    serving->control_made = true;
    return souk_http_start(serving->http);
}

static void say_ready(const app_options *options, const struct serving *serving)
{
    char key[SOUK_WRITE_KEY_BYTES] = "";
    souk_auto_value(souk_buf) stored = {.mem = souk_mem_heap(), .limit_bytes = sizeof key - 1};
    if (souk_disk_take(serving->shop.disk, "write_key", &stored) == SOUK_OK)
        memcpy(key, stored.at, stored.bytes);
    if (options->json) {
        printf("{\"listening\":\"%s\",\"pid\":%ld}\n", serving->address, (long)getpid());
    } else {
        printf("Souk is listening at http://%s\n", serving->address);
        if (key[0])
            printf(
                "Send it an event:\n  curl -u %s: http://%s/v1/track -d "
                "'{\"event\":\"Product Viewed\",\"userId\":\"u1\","
                "\"properties\":{\"product_id\":\"P1\"}}'\nand count it:\n  %s stats --data %s\n",
                key, serving->address, "souk", options->data);
    }
    fflush(stdout);
}

static void wait_for_signal(const struct serving *serving)
{
    struct pollfd signals = {.fd = serving->signals, .events = POLLIN};
    for (;;) {
        souk_ledger_counters counters;
        souk_ledger_count(souk_spine_ledger(serving->shop.spine), &counters);
        if (counters.failed) /* a sync failed: nobody knows what is stored; stop and recover */
            return;
        if (poll(&signals, 1, 500) > 0 && souk_signals_read(serving->signals))
            return;
    }
}

static souk_err stop(struct serving *serving)
{
    souk_ledger_counters counters;
    souk_err err = SOUK_OK, closed;
    souk_ledger_count(souk_spine_ledger(serving->shop.spine), &counters);
    souk_api_draining(serving->shop.api);
    if (serving->http)
        err = souk_http_drain(serving->http, DRAIN_MS);
    if (err == SOUK_ETIMEOUT)
        err = SOUK_OK; /* who was too slow was cut */
    souk_http_free(souk_take(&serving->http));
    if (serving->control_made)
        unlink(serving->control);
    if (counters.failed) {
        app_shop_done(&serving->shop);
        return counters.failed;
    }
    closed = app_shop_close(&serving->shop);
    return err ? err : closed;
}

souk_err app_serve(const app_options *options, souk_diag *diag)
{
    struct serving serving = {.signals = -1};
    SOUK_TRY(souk_signals_open(&serving.signals));
    souk_err err = app_shop_open(options, &serving.shop, diag);
    if (!err)
        err = start(options, &serving, diag);
    if (!err) {
        say_ready(options, &serving);
        wait_for_signal(&serving);
    }
    souk_err stopped = serving.shop.spine ? stop(&serving) : SOUK_OK;
    souk_signals_close(serving.signals);
    if (!err && stopped == SOUK_EIO)
        return souk_diag_say(diag, stopped,
                             "the disk failed a sync: stopped, so that a restart reads what is "
                             "really there");
    return err ? err : stopped;
}
