/* doctor.h - what `souk doctor` found: measured in doctor.c, judged in doctor_judge.c.
 *
 *     doctor_report report = {.count = 0};
 *     doctor_judge_room(&report, free_bytes, whole_bytes);
 *     …
 *     if (report.faults)
 *         the shop is not safe as it is
 *
 * A line is ok, advice (it works, and something would make it safer or quicker) or a fault (it does not
 * work, or what is stored is in danger).  Advice and faults say what to do.
 *
 * A judge gets numbers and knows nothing of the machine. */
#ifndef SOUK_APP_DOCTOR_H
#define SOUK_APP_DOCTOR_H

#include "base/time.h"

enum { DOCTOR_LINES = 48, DOCTOR_SYNCS = 20 };

typedef enum doctor_state { DOCTOR_OK, DOCTOR_ADVICE, DOCTOR_FAULT } doctor_state;
const char *doctor_state_word(doctor_state state);

typedef struct doctor_line {
    const char *check; /* what was looked at */
    doctor_state state;
    char words[400]; /* what was found */
    char what[400];  /* to do; "": nothing */
} doctor_line;
typedef struct doctor_report {
    doctor_line lines[DOCTOR_LINES];
    size_t count, advice, faults;
} doctor_report;

/* Adds a line; `what` may be a format of its own and NULL where the state is ok. */
void doctor_say(doctor_report *report, const char *check, doctor_state state, const char *what,
                const char *format, ...) SOUK_PRINTF(5, 6);

/* ---- judges ------------------------------------------------------------------------------------ */

/* Of the file system with the data folder. */
void doctor_judge_room(doctor_report *report, uint64_t free_bytes, uint64_t whole_bytes);
/* Descriptors that the process may open, and that its settings ask for. */
void doctor_judge_descriptors(doctor_report *report, uint64_t limit, uint64_t connections,
                              uint64_t others);
/* Memory of the key cache, and whether it is (or could be) kept from being swapped out. */
void doctor_judge_memory_lock(doctor_report *report, uint64_t bytes, bool locked);
/* newest: the last change of a file of the shop; synced: the kernel says a time server is followed. */
void doctor_judge_clock(doctor_report *report, souk_time now, souk_time newest, bool synced);
/* How long each of `count` small writes with a sync took, in us; sorted here. */
void doctor_judge_syncs(doctor_report *report, uint64_t *took_us, size_t count);
/* Whether root.key and keys lie on one file system. */
void doctor_judge_root_key_place(doctor_report *report, bool same_disk);
/* The tables of a module, by the ledger and by this program (0: knows no such module). */
void doctor_judge_step(doctor_report *report, const char *module, int64_t stored, int64_t known);
/* Endpoints of webhooks that are off because they failed for days, or answered 410; deliveries that wait and that
 * were given up, and how many events the slowest is behind the log. */
void doctor_judge_webhooks(doctor_report *report, uint64_t failing, uint64_t gone, uint64_t waiting,
                           uint64_t dead, uint64_t behind);

#endif
