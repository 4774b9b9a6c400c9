/* supervisor.h - what `souk serve` tells the supervisor that started it (systemd, or a script with a socket).
 *
 *     app_supervisor supervisor;
 *     app_supervisor_open(&supervisor);                        first of all
 *     app_supervisor_replayed(&supervisor, done, total);       STATUS, and more time, while the log is read
 *     app_supervisor_log(&supervisor, &log);                   from here on it can complain
 *     SOUK_TRY(app_supervisor_ready(&supervisor, "serving at 127.0.0.1:7010", &parts));
 *     while (poll(…, app_supervisor_wait_ms(&supervisor, 500)) …)
 *         app_supervisor_tick(&supervisor);                    WATCHDOG=1 when it is time and all answered
 *     app_supervisor_stopping(&supervisor, "waits for requests under way", 10000);
 *     app_supervisor_done(&supervisor);                        when the shop is closed
 *
 * Half of the watchdog's time after the last sign of life the next one is due.  It is given only if every
 * part that was asked then has answered (pulse.h); else it waits for them, the log says once who is
 * silent, and the supervisor ends the server when its patience does.
 * A supervisor that cannot be told is told of in the log, once, and changes nothing: the shop comes first. */
#ifndef SOUK_APP_SUPERVISOR_H
#define SOUK_APP_SUPERVISOR_H

#include "base/log.h"
#include "os/notify.h"
#include "serve/pulse.h"

typedef struct app_supervisor {
    souk_notify notify;
    souk_diag opened; /* what was wrong with the variables */
    souk_log *log;    /* NULL: silent */
    souk_pulse *pulse;
    int64_t told_ns, due_ns;
    const char *silent;                    /* who has not answered, and the log says so */
    char status[SOUK_NOTIFY_STATUS_BYTES]; /* told when nothing is wrong */
    bool complained;
} app_supervisor;

/* Cannot fail: what is wrong is said when there is a log. */
void app_supervisor_open(app_supervisor *supervisor);
void app_supervisor_log(app_supervisor *supervisor, souk_log *log);
/* Of the replay at start; at most once a second something is sent. */
void app_supervisor_replayed(void *supervisor, uint64_t done, uint64_t total);
/* Keeps the status; asks parts for the first time, where signs of life are wanted.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err app_supervisor_ready(app_supervisor *supervisor, const char *status,
                                           const souk_pulse_parts *parts);
/* Words in place of the status; NULL: that status again. */
void app_supervisor_status(app_supervisor *supervisor, const char *words);
void app_supervisor_reloading(app_supervisor *supervisor);
void app_supervisor_reloaded(app_supervisor *supervisor);
/* How long to sleep at most, not more than most_ms. */
int app_supervisor_wait_ms(const app_supervisor *supervisor, int most_ms);
void app_supervisor_tick(app_supervisor *supervisor);
void app_supervisor_stopping(app_supervisor *supervisor, const char *words, uint32_t extend_ms);
/* When the ledger is closed. */
void app_supervisor_done(app_supervisor *supervisor);

#endif
