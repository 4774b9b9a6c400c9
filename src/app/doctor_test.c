/* doctor_test.c - what the doctor makes of numbers, on both sides of each border. */
#include "app/doctor.h"
#include "test/test.h"

#include <stdio.h>

#define MIB ((uint64_t)1 << 20)

/* The last line says this state; what is wrong comes with what to do, what is right without. */
#define CHECK_STATE(report, expected)                                                  \
    do {                                                                               \
        const doctor_line *check_line = &(report).lines[(report).count - 1];           \
        SOUK_CHECK_TEXT(souk_text_of(doctor_state_word(check_line->state)), expected); \
        SOUK_CHECK((check_line->state == DOCTOR_OK) == (check_line->what[0] == '\0')); \
        SOUK_CHECK(strlen(check_line->words) < sizeof check_line->words - 1 &&         \
                   strlen(check_line->what) < sizeof check_line->what - 1 &&           \
                   check_line->words[0]);                                              \
    } while (0)

SOUK_TEST("free space is enough, soon too little, or too little")
{
    doctor_report report = {.count = 0};
    doctor_judge_room(&report, 2048 * MIB, 10240 * MIB);
    CHECK_STATE(report, "ok");
    doctor_judge_room(&report, 2048 * MIB, 102400 * MIB);
    CHECK_STATE(report, "advice");
    doctor_judge_room(&report, 1023 * MIB, 2048 * MIB);
    CHECK_STATE(report, "advice");
    doctor_judge_room(&report, 64 * MIB, 2048 * MIB);
    CHECK_STATE(report, "advice");
    doctor_judge_room(&report, 64 * MIB - 1, 2048 * MIB);
    CHECK_STATE(report, "fault");
    SOUK_CHECK(report.count == 5 && report.advice == 3 && report.faults == 1);
}

SOUK_TEST("descriptors are compared with what the settings ask for")
{
    doctor_report report = {.count = 0};
    doctor_judge_descriptors(&report, 10100, 10000, 100);
    CHECK_STATE(report, "ok");
    doctor_judge_descriptors(&report, 10099, 10000, 100);
    CHECK_STATE(report, "advice");
    SOUK_CHECK(strstr(report.lines[1].what, "limits.connections"));
    doctor_judge_descriptors(&report, 115, 10000, 100);
    CHECK_STATE(report, "fault");
}

SOUK_TEST("keys that may be swapped out are advised against")
{
    doctor_report report = {.count = 0};
    doctor_judge_memory_lock(&report, 4097, true);
    CHECK_STATE(report, "ok");
    SOUK_CHECK(strstr(report.lines[0].words, "5 KiB"));
    doctor_judge_memory_lock(&report, 4097, false);
    CHECK_STATE(report, "advice");
}

SOUK_TEST("a clock before the shop's last change, or far from our days, is a fault")
{
    const souk_time now = 1790000000000;
    doctor_report report = {.count = 0};
    doctor_judge_clock(&report, now, now, true);
    CHECK_STATE(report, "ok");
    doctor_judge_clock(&report, now, now + 300000, true);
    CHECK_STATE(report, "ok");
    doctor_judge_clock(&report, now, now + 300001, true);
    CHECK_STATE(report, "fault");
    doctor_judge_clock(&report, now, now, false);
    CHECK_STATE(report, "advice");
    doctor_judge_clock(&report, 0, 0, true);
    CHECK_STATE(report, "fault");
    doctor_judge_clock(&report, (souk_time)4102444800000, 0, true);
    CHECK_STATE(report, "fault");
}

SOUK_TEST("syncs are told by their middle and their slowest, in any order")
{
    doctor_report report = {.count = 0};
    uint64_t took_us[DOCTOR_SYNCS];
    for (size_t i = 0; i < DOCTOR_SYNCS; i++)
        took_us[(i * 7) % DOCTOR_SYNCS] = 1000 + 10 * i;
    took_us[3] = 90000; /* one that waited for something else */
    doctor_judge_syncs(&report, took_us, DOCTOR_SYNCS);
    CHECK_STATE(report, "ok");
    SOUK_CHECK(strstr(report.lines[0].words, "90.0") &&
               strstr(report.lines[0].words, "good flash"));
    for (size_t i = 0; i < DOCTOR_SYNCS; i++)
        took_us[i] = 25000;
    doctor_judge_syncs(&report, took_us, DOCTOR_SYNCS);
    CHECK_STATE(report, "advice");
    SOUK_CHECK(strstr(report.lines[1].words, "at most 40 a second"));
    took_us[0] = 0;
    doctor_judge_syncs(&report, took_us, 1);
    CHECK_STATE(report, "ok");
}

SOUK_TEST("tables of a newer program are a fault, of an older one a reason for a backup")
{
    doctor_report report = {.count = 0};
    doctor_judge_step(&report, "log", 3, 3);
    SOUK_CHECK(report.count == 0);
    doctor_judge_step(&report, "log", 2, 3);
    CHECK_STATE(report, "advice");
    doctor_judge_step(&report, "log", 4, 3);
    CHECK_STATE(report, "fault");
    doctor_judge_step(&report, "unheard of", 1, 0);
    CHECK_STATE(report, "fault");
    doctor_judge_root_key_place(&report, true);
    CHECK_STATE(report, "advice");
    doctor_judge_root_key_place(&report, false);
    CHECK_STATE(report, "ok");
}

SOUK_TEST("webhooks that fail are a fault, what was given up is advice")
{
    doctor_report report = {.count = 0};
    doctor_judge_webhooks(&report, 0, 0, 12, 0, 999999);
    CHECK_STATE(report, "ok");
    doctor_judge_webhooks(&report, 0, 1, 0, 0, 999999);
    CHECK_STATE(report, "advice");
    doctor_judge_webhooks(&report, 0, 0, 0, 1, 999999);
    CHECK_STATE(report, "advice");
    doctor_judge_webhooks(&report, 0, 0, 500000, 0, 999999);
    CHECK_STATE(report, "advice");
    doctor_judge_webhooks(&report, 0, 0, 0, 0, 1000000);
    CHECK_STATE(report, "advice");
    doctor_judge_webhooks(&report, 1, 1, 3, 4, 999999);
    CHECK_STATE(report, "fault");
}
