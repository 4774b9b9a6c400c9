/* doctor_machine.h - what `souk doctor` measures of the machine; judged by doctor.h.
 *
 * server   a process that serves the folder: its limits are asked, not ours; 0: none */
#ifndef SOUK_APP_DOCTOR_MACHINE_H
#define SOUK_APP_DOCTOR_MACHINE_H

#include "app/doctor.h"
#include "os/disk.h"

/* Free space, and file systems on which a shop must not or should not lie. */
void doctor_look_room(doctor_report *report, const char *folder);
void doctor_look_descriptors(doctor_report *report, long server, uint64_t connections,
                             uint64_t others);
void doctor_look_memory_lock(doctor_report *report, long server, uint64_t cache_keys);
void doctor_look_clock(doctor_report *report, souk_time newest);
/* Writes a small file in the folder DOCTOR_SYNCS times, and removes it. */
void doctor_look_syncs(doctor_report *report, souk_disk *disk);

#endif
