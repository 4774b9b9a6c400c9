/* doctor_machine.c - the file system, the limits of a process, the clock, the time of a sync. */
#include "app/doctor_machine.h"

#include "os/clock.h"
#include "store/vault_keys.h"

#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/vfs.h>

/* Not in every linux/magic.h. */
static const uint32_t smb2_magic = 0xfe534d42, cifs_magic = 0xff534d42;

/* ---- the file system --------------------------------------------------------------------------- */

static void look_kind(doctor_report *report, const char *folder)
{
    struct statfs status;
    if (statfs(folder, &status))
        return;
    uint32_t kind = (uint32_t)status.f_type;
    if (kind == NFS_SUPER_MAGIC || kind == smb2_magic || kind == cifs_magic || kind == V9FS_MAGIC)
        doctor_say(report, "file system", DOCTOR_FAULT, "move the folder to a disk of this machine",
                   "%s lies on another machine: locks and syncs are not to be trusted there",
                   folder);
    else if (kind == TMPFS_MAGIC || kind == RAMFS_MAGIC)
        doctor_say(report, "file system", DOCTOR_ADVICE,
                   "move the folder to a disk, unless this is a trial",
                   "%s lies in memory: it is gone when the machine restarts", folder);
}

void doctor_look_room(doctor_report *report, const char *folder)
{
    struct statvfs status;
    look_kind(report, folder);
    if (statvfs(folder, &status)) {
        doctor_say(report, "free disk", DOCTOR_FAULT, "look at the disk",
                   "%s cannot be asked for its free space", folder);
        return;
    }
    doctor_judge_room(report, (uint64_t)status.f_bavail * status.f_frsize,
                      (uint64_t)status.f_blocks * status.f_frsize);
    if (status.f_files && status.f_favail < 1000)
        doctor_say(report, "free files", DOCTOR_FAULT, "remove files from that disk",
                   "only %llu more files can be made", (unsigned long long)status.f_favail);
}

/* ---- limits of a process ----------------------------------------------------------------------- */

/* The number behind a word in a file of /proc; false where it cannot be found.  "unlimited": UINT64_MAX. */
static bool proc_number(long process, const char *file, const char *word, uint64_t *ret_number)
{
    char path[64], line[256];
    bool found = false;
    snprintf(path, sizeof path, "/proc/%ld/%s", process, file);
    FILE *in = fopen(path, "re");
    while (in && !found && fgets(line, sizeof line, in)) {
        if (strncmp(line, word, strlen(word)) != 0)
            continue;
        const char *at = line + strlen(word);
        at += strspn(at, " \t:");
        *ret_number = strncmp(at, "unlimited", 9) ? strtoull(at, NULL, 10) : UINT64_MAX;
        found = true;
    }
    if (in)
        fclose(in);
    return found;
}

void doctor_look_descriptors(doctor_report *report, long server, uint64_t connections,
                             uint64_t others)
{
    struct rlimit own;
    uint64_t limit;
    if (!server || !proc_number(server, "limits", "Max open files", &limit)) {
        if (getrlimit(RLIMIT_NOFILE, &own))
            return;
        limit = own.rlim_max; /* `serve` raises its own to this */
    }
    doctor_judge_descriptors(report, limit, connections, others);
}

/* Whether so much could be locked by a process like this one. */
static bool can_lock(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return false;
    bool locked = mlock(at, bytes) == 0;
    munmap(at, bytes);
    return locked;
}

void doctor_look_memory_lock(doctor_report *report, long server, uint64_t cache_keys)
{
    uint64_t keys = SOUK_VAULT_WAYS, locked_kib;
    while (keys < cache_keys)
        keys *= 2;
    uint64_t bytes = keys / SOUK_VAULT_WAYS * sizeof(souk_vault_set);
    bool locked = server && proc_number(server, "status", "VmLck", &locked_kib)
                      ? locked_kib * 1024 >= bytes
                      : can_lock((size_t)bytes);
    doctor_judge_memory_lock(report, bytes, locked);
}

/* ---- time -------------------------------------------------------------------------------------- */

void doctor_look_clock(doctor_report *report, souk_time newest)
{
    struct timex asked = {.modes = 0};
    bool synced = adjtimex(&asked) != TIME_ERROR && !(asked.status & STA_UNSYNC);
    doctor_judge_clock(report, souk_clock_now_ms(souk_clock_real()), newest, synced);
}

static souk_err measure(souk_disk *disk, uint64_t took_us[DOCTOR_SYNCS])
{
    static const char page[4096] = "souk doctor writes this to see how long a sync takes\n";
    const souk_clock *clock = souk_clock_real();
    souk_auto(souk_file) file = NULL;
    SOUK_TRY(souk_file_open(disk, "doctor", SOUK_FILE_TRUNCATE, &file));
    for (uint64_t i = 0; i < DOCTOR_SYNCS; i++) {
        int64_t began_ns = souk_clock_monotonic_ns(clock);
        SOUK_TRY(souk_file_write(file, page, sizeof page, i * sizeof page));
        SOUK_TRY(souk_file_sync(file));
        took_us[i] = (uint64_t)(souk_clock_monotonic_ns(clock) - began_ns) / 1000;
    }
    return SOUK_OK;
}

void doctor_look_syncs(doctor_report *report, souk_disk *disk)
{
    uint64_t took_us[DOCTOR_SYNCS];
    souk_err err = measure(disk, took_us);
    souk_err removed = souk_disk_remove(disk, "doctor");
    err = err ? err : removed;
    if (err)
        doctor_say(report, "sync", DOCTOR_FAULT,
                   err == SOUK_EFULL ? "free some space there"
                                     : "look at the kernel's log (dmesg) and the disk's health",
                   "a file of %d KiB cannot be written and synced in the folder: %s",
                   4 * DOCTOR_SYNCS, souk_err_words(err));
    else
        doctor_judge_syncs(report, took_us, DOCTOR_SYNCS);
}
