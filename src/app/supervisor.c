/* supervisor.c - when which message of notify.h is sent. */
#include "app/supervisor.h"

#include <stdio.h>

enum {
    REPLAY_TOLD_MS = 1000,
    REPLAY_EXTEND_MS = 60000, /* from one progress to the next: a block is read in milliseconds */
};

static int64_t now_ns(void)
{
    return souk_clock_monotonic_ns(souk_clock_real());
}

static void check_told(app_supervisor *my, souk_err err)
{
    if (!err || my->complained || !my->log)
        return;
    my->complained = true;
    souk_log_with(my->log, SOUK_LOG_WARN, "serve",
                  "the supervisor cannot be told how the server is: it may end it",
                  SOUK_LOG_TEXT("socket", souk_text_of(my->notify.address)),
                  SOUK_LOG_ERR("error", err));
}

void app_supervisor_open(app_supervisor *my)
{
    *my = (app_supervisor){.opened = {.words = ""}};
    souk_err err = souk_notify_open(&my->notify, &my->opened);
    if (err && !my->opened.words[0])
        snprintf(my->opened.words, sizeof my->opened.words, "%s", souk_err_words(err));
}

void app_supervisor_log(app_supervisor *my, souk_log *log)
{
    my->log = log;
    if (my->opened.words[0])
        souk_log_with(log, SOUK_LOG_WARN, "serve", "the supervisor is not told all it asked for",
                      SOUK_LOG_TEXT("why", souk_text_of(my->opened.words)));
}

void app_supervisor_replayed(void *context, uint64_t done, uint64_t total)
{
    app_supervisor *my = context;
    char status[SOUK_NOTIFY_STATUS_BYTES];
    int64_t now = now_ns();
    if (my->told_ns && now - my->told_ns < (int64_t)REPLAY_TOLD_MS * 1000000)
        return;
    my->told_ns = now;
    snprintf(status, sizeof status, "reading the log: %llu of %llu events",
             (unsigned long long)done, (unsigned long long)total);
    check_told(my, souk_notify_status(&my->notify, status, REPLAY_EXTEND_MS));
}

souk_err app_supervisor_ready(app_supervisor *my, const char *status, const souk_pulse_parts *parts)
{
    uint32_t alive_ms = souk_notify_alive_ms(&my->notify);
    if (alive_ms) {
        SOUK_TRY(souk_pulse_new(souk_mem_heap(), parts, &my->pulse));
        souk_pulse_ask(my->pulse);
        my->due_ns = now_ns() + (int64_t)alive_ms * 1000000;
    }
    snprintf(my->status, sizeof my->status, "%s", status);
    check_told(my, souk_notify_ready(&my->notify, my->status));
    return SOUK_OK;
}

void app_supervisor_status(app_supervisor *my, const char *words)
{
    check_told(my, souk_notify_status(&my->notify, words ? words : my->status, 0));
}

void app_supervisor_reloading(app_supervisor *my)
{
    check_told(my, souk_notify_reloading(&my->notify, "reading the settings", now_ns()));
}

void app_supervisor_reloaded(app_supervisor *my)
{
    check_told(my, souk_notify_ready(&my->notify, my->status));
}

int app_supervisor_wait_ms(const app_supervisor *my, int most_ms)
{
    uint32_t alive_ms = souk_notify_alive_ms(&my->notify);
    uint32_t look_ms = alive_ms < 4 ? 1 : alive_ms / 4;
    return alive_ms && look_ms < (uint32_t)most_ms ? (int)look_ms : most_ms;
}

static void tell_silent(app_supervisor *my, const char *who)
{
    char words[80];
    if (my->silent)
        return;
    my->silent = who;
    snprintf(words, sizeof words, "%s does not answer: no sign of life is given", who);
    app_supervisor_status(my, words);
    souk_log_with(my->log, SOUK_LOG_ERROR, "serve",
                  "a part of the server does not answer: the watchdog gets no sign of life till it "
                  "does",
                  SOUK_LOG_TEXT("part", souk_text_of(who)));
}

static void tell_answered(app_supervisor *my)
{
    if (!my->silent)
        return;
    souk_log_with(my->log, SOUK_LOG_WARN, "serve", "all parts of the server answer again",
                  SOUK_LOG_TEXT("part", souk_text_of(my->silent)));
    my->silent = NULL;
    app_supervisor_status(my, NULL);
}

void app_supervisor_tick(app_supervisor *my)
{
    int64_t now = now_ns();
    if (!my->pulse || now < my->due_ns)
        return;
    const char *who = souk_pulse_silent(my->pulse);
    if (who) {
        tell_silent(my, who);
        return;
    }
    tell_answered(my);
    check_told(my, souk_notify_alive(&my->notify));
    souk_pulse_ask(my->pulse);
    my->due_ns = now + (int64_t)souk_notify_alive_ms(&my->notify) * 1000000;
}

void app_supervisor_stopping(app_supervisor *my, const char *words, uint32_t extend_ms)
{
    check_told(my, souk_notify_stopping(&my->notify, words, extend_ms));
}

void app_supervisor_done(app_supervisor *my)
{
    souk_pulse_free(my->pulse);
    my->pulse = NULL;
    souk_notify_done(&my->notify);
}
