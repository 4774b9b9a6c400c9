/* doctor_judge.c - what the numbers mean, and what to do about them. */
#include "app/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MIB ((uint64_t)1 << 20)

const char *doctor_state_word(doctor_state state)
{
    static const char *const words[] = {"ok", "advice", "fault"};
    return words[state];
}

void doctor_say(doctor_report *report, const char *check, doctor_state state, const char *what,
                const char *format, ...)
{
    souk_assert(report->count < DOCTOR_LINES);
    souk_assert((state == DOCTOR_OK) == (what == NULL));
    doctor_line *line = &report->lines[report->count++];
    *line = (doctor_line){.check = check, .state = state};
    report->advice += state == DOCTOR_ADVICE;
    report->faults += state == DOCTOR_FAULT;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line->words, sizeof line->words, format, arguments);
    va_end(arguments);
    snprintf(line->what, sizeof line->what, "%s", what ? what : "");
}

void doctor_judge_room(doctor_report *report, uint64_t free_bytes, uint64_t whole_bytes)
{
    enum { LEAST_MIB = 64, SOON_MIB = 1024 };
    unsigned long long free_mib = free_bytes / MIB, whole_mib = whole_bytes / MIB;
    if (free_bytes < LEAST_MIB * MIB)
        doctor_say(report, "free disk", DOCTOR_FAULT,
                   "free some space on it, or move the folder to a larger disk: below 64 MiB "
                   "neither the log nor a snapshot of the index has room",
                   "%llu MiB of %llu are free", free_mib, whole_mib);
    else if (free_bytes < SOON_MIB * MIB || free_bytes < whole_bytes / 20)
        doctor_say(report, "free disk", DOCTOR_ADVICE,
                   "plan for more space: a full disk refuses events with 503",
                   "%llu MiB of %llu are free", free_mib, whole_mib);
    else
        doctor_say(report, "free disk", DOCTOR_OK, NULL, "%llu MiB of %llu are free", free_mib,
                   whole_mib);
}

void doctor_judge_descriptors(doctor_report *report, uint64_t limit, uint64_t connections,
                              uint64_t others)
{
    unsigned long long limited = limit, needed = connections + others;
    if (limit < others + 16)
        doctor_say(report, "descriptors", DOCTOR_FAULT,
                   "raise it: LimitNOFILE= in the unit of systemd, or ulimit -n",
                   "a process may open %llu files, and needs %llu before its first client", limited,
                   (unsigned long long)others);
    else if (limit < needed)
        doctor_say(report, "descriptors", DOCTOR_ADVICE,
                   "raise it (LimitNOFILE= in the unit of systemd, or ulimit -n), or lower "
                   "limits.connections: clients above it wait",
                   "a process may open %llu files, and limits.connections asks for %llu", limited,
                   needed);
    else
        doctor_say(report, "descriptors", DOCTOR_OK, NULL,
                   "a process may open %llu files, %llu are asked for", limited, needed);
}

void doctor_judge_memory_lock(doctor_report *report, uint64_t bytes, bool locked)
{
    unsigned long long kib = (bytes + 1023) / 1024;
    if (locked)
        doctor_say(report, "key memory", DOCTOR_OK, NULL,
                   "%llu KiB of keys are kept from being swapped out", kib);
    else
        doctor_say(report, "key memory", DOCTOR_ADVICE,
                   "raise the limit of locked memory (LimitMEMLOCK= in the unit of systemd, or "
                   "ulimit -l), lower vault.cache_keys, or have no swap",
                   "%llu KiB of keys may be written to swap, where an erasure does not reach them",
                   kib);
}

void doctor_judge_clock(doctor_report *report, souk_time now, souk_time newest, bool synced)
{
    const souk_time least = 1767225600000, most = 4102444800000; /* 2026, 2100 */
    const souk_time patience_ms = 5 * 60 * 1000;
    static const char set_it[] = "set it, and let it follow a time server (timedatectl set-ntp "
                                 "true): consents and events carry its time for ever";
    char at[SOUK_TIME_BYTES];
    int bytes = (int)souk_time_write(now, at);
    if (now < least || now >= most)
        doctor_say(report, "clock", DOCTOR_FAULT, set_it, "it says %.*s", bytes, at);
    else if (newest > now + patience_ms)
        doctor_say(report, "clock", DOCTOR_FAULT, set_it,
                   "it says %.*s, %lld s before the last change of this shop: it was set back, or "
                   "ran ahead before",
                   bytes, at, (long long)((newest - now) / 1000));
    else if (!synced)
        doctor_say(report, "clock", DOCTOR_ADVICE,
                   "let it follow a time server (timedatectl set-ntp true)",
                   "it says %.*s, and the kernel knows of no time server that it follows", bytes,
                   at);
    else
        doctor_say(report, "clock", DOCTOR_OK, NULL, "it says %.*s and follows a time server",
                   bytes, at);
}

static int compare_times(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void doctor_judge_syncs(doctor_report *report, uint64_t *took_us, size_t count)
{
    souk_assert(count > 0);
    qsort(took_us, count, sizeof *took_us, compare_times);
    uint64_t middle = took_us[count / 2], slowest = took_us[count - 1];
    double middle_ms = (double)middle / 1000, slowest_ms = (double)slowest / 1000;
    unsigned long long in_a_second = 1000000 / souk_max_size(middle, 1);
    if (middle >= 20000)
        doctor_say(
            report, "sync", DOCTOR_ADVICE,
            "a flash disk with power-loss protection answers in less than 1 ms; meanwhile "
            "let clients send batches, which share a sync",
            "%zu writes were on disk after %.2f ms each (the slowest %.1f): slow, one client "
            "that waits for each answer gets at most %llu a second",
            count, middle_ms, slowest_ms, in_a_second);
    else
        doctor_say(report, "sync", DOCTOR_OK, NULL,
                   "%zu writes were on disk after %.2f ms each (the slowest %.1f): %s; one client "
                   "that waits for each answer gets at most %llu a second",
                   count, middle_ms, slowest_ms,
                   middle < 100    ? "so quick that the disk must hold its cache through a power "
                                     "cut (its data sheet says)"
                   : middle < 2000 ? "a good flash disk"
                                   : "a plain disk",
                   in_a_second);
}

void doctor_judge_root_key_place(doctor_report *report, bool same_disk)
{
    if (same_disk)
        doctor_say(
            report, "key's place", DOCTOR_ADVICE,
            "move root.key to another file system (a credential of systemd, a small disk of "
            "its own) and leave a symbolic link",
            "root.key lies on the disk of the keys: a copy or a thief of that disk has both");
    else
        doctor_say(report, "key's place", DOCTOR_OK, NULL,
                   "root.key lies on another file system than the keys");
}

void doctor_judge_step(doctor_report *report, const char *module, int64_t stored, int64_t known)
{
    if (stored > known)
        doctor_say(report, "formats", DOCTOR_FAULT,
                   "run the newer program that wrote it: this one would not open it",
                   "the tables of '%s' are at step %lld, and this program knows %lld", module,
                   (long long)stored, (long long)known);
    else if (stored < known)
        doctor_say(report, "formats", DOCTOR_ADVICE,
                   "make a backup before the next start: it brings the tables up to date, and an "
                   "older program does not open them afterwards",
                   "the tables of '%s' are at step %lld, and this program brings step %lld", module,
                   (long long)stored, (long long)known);
}

void doctor_judge_webhooks(doctor_report *report, uint64_t failing, uint64_t gone, uint64_t waiting,
                           uint64_t dead, uint64_t behind)
{
    unsigned long long off = failing + gone, waits = waiting, lost = dead;
    if (failing)
        doctor_say(report, "webhooks", DOCTOR_FAULT,
                   "see `souk webhook list` and `souk webhook deliveries ID`; mend the receiver, "
                   "then PUT it with \"enabled\": true",
                   "%llu are off since nothing arrived there for days, %llu deliveries wait",
                   (unsigned long long)failing, waits);
    else if (off || dead)
        doctor_say(report, "webhooks", DOCTOR_ADVICE,
                   "see `souk webhook list`; what was given up is kept 30 days, and sent again by "
                   "`souk webhook retry ID DELIVERY`",
                   "%llu answered 410 and are off, %llu deliveries were given up", off, lost);
    else if (waiting >= 500000)
        doctor_say(report, "webhooks", DOCTOR_ADVICE,
                   "raise the rate of the slow ones, or remove them: at 1,000,000 the outbox reads "
                   "no further",
                   "%llu deliveries wait", waits);
    else if (behind >= 1000000)
        doctor_say(report, "webhooks", DOCTOR_ADVICE,
                   "see `behind` in `souk webhook list`: raise the rate of the slow ones, let them "
                   "name fewer events, or remove them",
                   "the slowest has %llu events still to come to", (unsigned long long)behind);
    else
        doctor_say(report, "webhooks", DOCTOR_OK, NULL, "%llu deliveries wait", waits);
}
