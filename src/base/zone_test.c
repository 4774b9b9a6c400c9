/* zone_test.c - zone.h against the C library's own local time, and on small files made by hand. */
#include "base/zone.h"
#include "test/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *const shops[] = {"Europe/London",       "Asia/Shanghai",     "America/New_York",
                                    "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Casablanca",
                                    "Europe/Dublin",       "Asia/Kathmandu",    "Pacific/Apia"};
enum { SHOPS = sizeof shops / sizeof *shops };

/* Reads a zone of the system; skips the test where it is absent. */
static souk_zone *system_zone(souk_test *test, const char *name)
{
    static char bytes[SOUK_ZONE_FILE_BYTES];
    char path[200];
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    FILE *file = fopen(path, "rb");
    if (!file)
        test_skip(test, "this system has no time zones");
    size_t count = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    souk_zone *zone = NULL;
    SOUK_MUST(souk_zone_new(test->mem, souk_text_of(name), (souk_text){bytes, count}, &zone, NULL));
    return zone;
}

static void use_oracle(const char *name)
{
    char value[100];
    if (name) {
        snprintf(value, sizeof value, ":%s", name);
        setenv("TZ", value, 1);
    } else {
        unsetenv("TZ");
    }
    tzset();
}

static int64_t oracle_offset(int64_t seconds)
{
    time_t at = (time_t)seconds;
    struct tm parts;
    localtime_r(&at, &parts);
    return parts.tm_gmtoff;
}

/* 1800 to 2600, and close to the changes: spring and autumn nights are where zones go wrong. */
static int64_t random_second(souk_test *test)
{
    int32_t year = (int32_t)(1800 + test_random(test, 800));
    uint8_t month = (uint8_t)(1 + test_random(test, 12));
    int64_t day = souk_date_day((souk_date){year, month, 1}) + (int64_t)test_random(test, 31);
    return day * 86400 + (int64_t)test_random(test, 86400);
}

SOUK_TEST("local time is that of the C library, from 1800 to 2600")
{
    bool plain_noticed = false;
    for (int shop = 0; shop < SHOPS; shop++) {
        souk_auto(souk_zone) zone = system_zone(test, shops[shop]);
        use_oracle(shops[shop]);
        int32_t winter = souk_zone_offset_s(zone, 1767225600000);
        for (int round = 0; round < 4000; round++) {
            int64_t at = random_second(test);
            int64_t offset = oracle_offset(at);
            int64_t ms = (int64_t)test_random(test, 1000);
            SOUK_CHECK(souk_zone_offset_s(zone, at * 1000 + ms) == offset);
            SOUK_CHECK(souk_zone_local(zone, at * 1000 + ms) == (at + offset) * 1000 + ms);
            plain_noticed |= winter != offset; /* the planted error: one offset for ever */
        }
    }
    use_oracle(NULL);
    SOUK_CHECK(plain_noticed);
}

SOUK_TEST("each change of the next decades comes to the second")
{
    for (int shop = 0; shop < 4; shop++) {
        souk_auto(souk_zone) zone = system_zone(test, shops[shop]);
        use_oracle(shops[shop]);
        int64_t from = 1700000000, until = 3000000000; /* past 2037, where files end */
        for (int64_t at = from; at < until; at += 7 * 86400) {
            int64_t low = at, high = at + 7 * 86400;
            int64_t before = oracle_offset(low);
            if (oracle_offset(high) == before)
                continue;
            while (high - low > 1) {
                int64_t middle = low + (high - low) / 2;
                *(oracle_offset(middle) == before ? &low : &high) = middle;
            }
            SOUK_CHECK(souk_zone_offset_s(zone, high * 1000 - 1) == before);
            SOUK_CHECK(souk_zone_offset_s(zone, high * 1000) == oracle_offset(high));
        }
    }
    use_oracle(NULL);
}

/* The dumb model: try every quarter of a minute of offset seen around the time. */
static int moments_of(int64_t local, int64_t found[8])
{
    int64_t offsets[200];
    int offset_count = 0, hits = 0;
    for (int64_t near = local - 30 * 3600; near <= local + 30 * 3600; near += 1800) {
        int64_t offset = oracle_offset(near);
        bool known = false;
        for (int i = 0; i < offset_count; i++)
            known |= offsets[i] == offset;
        if (!known)
            offsets[offset_count++] = offset;
    }
    for (int i = 0; i < offset_count; i++)
        if (oracle_offset(local - offsets[i]) == offsets[i])
            found[hits++] = local - offsets[i];
    if (hits == 2 && found[0] > found[1]) {
        int64_t kept = found[0];
        found[0] = found[1];
        found[1] = kept;
    }
    return hits;
}

static souk_time utc_of(souk_test *test, const souk_zone *zone, int64_t local, souk_local policy)
{
    souk_time at = 0;
    SOUK_MUST(souk_zone_utc(zone, local * 1000, policy, &at));
    return at / 1000;
}

SOUK_TEST("local times have none, one or two moments, as the C library has it")
{
    int seen[3] = {0};
    for (int shop = 0; shop < 4; shop++) {
        souk_auto(souk_zone) zone = system_zone(test, shops[shop]);
        use_oracle(shops[shop]);
        for (int round = 0; round < 3000; round++) {
            /* Nights of 1972 to 2172 around a Sunday, where most changes are. */
            int64_t day = 1000 + (int64_t)test_random(test, 10000) * 7 + 4;
            int64_t local = day * 86400 + (int64_t)test_random(test, 5 * 3600);
            int64_t found[8];
            int hits = moments_of(local, found);
            SOUK_CHECK(hits <= 2);
            seen[hits]++;
            souk_time at;
            souk_err err = souk_zone_utc(zone, local * 1000, SOUK_LOCAL_REFUSE, &at);
            SOUK_CHECK(err == (hits == 1 ? SOUK_OK : SOUK_EINVAL));
            int64_t earlier = utc_of(test, zone, local, SOUK_LOCAL_EARLIER);
            int64_t later = utc_of(test, zone, local, SOUK_LOCAL_LATER);
            int64_t usual = utc_of(test, zone, local, SOUK_LOCAL_COMPATIBLE);
            SOUK_CHECK(hits == 0 || (earlier == found[0] && later == found[hits - 1]));
            SOUK_CHECK(usual == (hits ? earlier : later));
            if (hits == 0) { /* the clocks on both sides of the jump */
                SOUK_CHECK(earlier + oracle_offset(later) == local);
                SOUK_CHECK(later + oracle_offset(earlier) == local);
            }
        }
    }
    use_oracle(NULL);
    SOUK_CHECK(seen[0] > 0 && seen[1] > 0 && seen[2] > 0);
}

SOUK_TEST("a night in London and one on Lord Howe, hour by hour")
{
    souk_auto(souk_zone) london = system_zone(test, "Europe/London");
    souk_auto(souk_zone) island = system_zone(test, "Australia/Lord_Howe");
    static const struct {
        const char *wall;
        bool island;
        souk_local policy;
        const char *utc;
    } rows[] = {
        {"2026-03-29T01:30", false, SOUK_LOCAL_COMPATIBLE, "2026-03-29T01:30:00.000Z"},
        {"2026-03-29T01:30", false, SOUK_LOCAL_EARLIER, "2026-03-29T00:30:00.000Z"},
        {"2026-03-29T01:30", false, SOUK_LOCAL_REFUSE, NULL},
        {"2026-03-29T02:00", false, SOUK_LOCAL_REFUSE, "2026-03-29T01:00:00.000Z"},
        {"2026-10-25T01:30", false, SOUK_LOCAL_COMPATIBLE, "2026-10-25T00:30:00.000Z"},
        {"2026-10-25T01:30", false, SOUK_LOCAL_LATER, "2026-10-25T01:30:00.000Z"},
        {"2026-10-25T01:30", false, SOUK_LOCAL_REFUSE, NULL},
        {"2426-10-25T01:30", false, SOUK_LOCAL_LATER, "2426-10-25T01:30:00.000Z"},
        {"2026-04-05T01:45", true, SOUK_LOCAL_COMPATIBLE, "2026-04-04T14:45:00.000Z"},
        {"2026-04-05T01:45", true, SOUK_LOCAL_LATER, "2026-04-04T15:15:00.000Z"},
        {"2026-10-04T02:15", true, SOUK_LOCAL_REFUSE, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        souk_time wall, at;
        char text[SOUK_TIME_BYTES];
        SOUK_MUST(souk_time_read(souk_text_of(rows[i].wall), NULL, &wall));
        souk_err err = souk_zone_utc(rows[i].island ? island : london, wall, rows[i].policy, &at);
        SOUK_CHECK(err == (rows[i].utc ? SOUK_OK : SOUK_EINVAL));
        if (err)
            continue;
        souk_time_write(at, text);
        SOUK_CHECK_TEXT(souk_text_of(text), rows[i].utc);
    }
    souk_time at;
    char text[SOUK_TIME_BYTES];
    SOUK_MUST(souk_time_read(SOUK_TEXT("2026-07-01 09:00:00"), london, &at));
    souk_time_write(at, text);
    SOUK_CHECK_TEXT(souk_text_of(text), "2026-07-01T08:00:00.000Z");
    SOUK_MUST(souk_time_read(SOUK_TEXT("2026-07-01"), london, &at));
    souk_time_write(at, text);
    SOUK_CHECK_TEXT(souk_text_of(text), "2026-06-30T23:00:00.000Z");
    SOUK_CHECK_TEXT(souk_text_of(souk_zone_name(london)), "Europe/London");
}

SOUK_TEST("no zone is UTC, and the ends of time are safe")
{
    souk_time at;
    SOUK_CHECK_TEXT(souk_text_of(souk_zone_name(NULL)), "UTC");
    SOUK_CHECK(souk_zone_local(NULL, 1234) == 1234 && souk_zone_offset_s(NULL, 1234) == 0);
    SOUK_MUST(souk_zone_utc(NULL, 1234, SOUK_LOCAL_REFUSE, &at));
    SOUK_CHECK(at == 1234);
    souk_auto(souk_zone) zone = system_zone(test, "America/New_York");
    SOUK_CHECK(souk_zone_offset_s(zone, INT64_MIN) == -17762); /* before the railways */
    SOUK_CHECK(souk_zone_offset_s(zone, INT64_MAX) == -18000);
    SOUK_MUST(souk_zone_utc(zone, INT64_MIN, SOUK_LOCAL_REFUSE, &at));
    SOUK_CHECK(at == SOUK_TIME_FIRST + 17762000);
    SOUK_MUST(souk_zone_utc(zone, INT64_MAX, SOUK_LOCAL_REFUSE, &at));
    SOUK_CHECK(at == SOUK_TIME_LAST + 18000000);
}

/* ---- files made by hand ---- */

static void put_big(souk_buf *out, uint64_t number, int bytes)
{
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        souk_buf_byte(out, (char)(number >> shift));
}

typedef struct made {
    char version;
    uint32_t leap, changes, types;
    int64_t times[4];
    int32_t offsets[4]; /* one type per offset */
    const char *footer;
} made;

static void make_block(souk_buf *out, const made *m, int time_bytes)
{
    souk_buf_append(out, "TZif", 4);
    souk_buf_byte(out, m->version);
    souk_buf_append(out, (char[15]){0}, 15);
    const uint32_t counts[] = {0, 0, m->leap, m->changes, m->types, 4};
    for (int i = 0; i < 6; i++)
        put_big(out, counts[i], 4);
    for (uint32_t i = 0; i < m->changes; i++)
        put_big(out, (uint64_t)m->times[i], time_bytes);
    for (uint32_t i = 0; i < m->changes; i++)
        souk_buf_byte(out, (char)((i + 1) % (m->types ? m->types : 1)));
    for (uint32_t i = 0; i < m->types; i++) {
        put_big(out, (uint32_t)m->offsets[i], 4);
        souk_buf_append(out, "\0\0", 2);
    }
    souk_buf_append(out, "LMT\0", 4);
    for (uint32_t i = 0; i < m->leap; i++)
        put_big(out, 0, time_bytes == 8 ? 8 : 4), put_big(out, 1, 4);
}

static souk_err try_made(souk_test *test, const made *m, souk_zone **ret_zone, souk_diag *diag)
{
    souk_buf out = {0};
    make_block(&out, m, 4);
    if (m->version) {
        make_block(&out, m, 8);
        souk_buf_text(&out, souk_text_of(m->footer));
    }
    souk_err err =
        souk_zone_new(test->mem, SOUK_TEXT("Made/By-Hand"), souk_buf_view(&out), ret_zone, diag);
    souk_buf_done(&out);
    return err;
}

SOUK_TEST("a file of version 1 keeps its last offset")
{
    souk_auto(souk_zone) zone = NULL;
    made m = {.changes = 2, .types = 2, .times = {-1000, 1000}, .offsets = {600, 1200}};
    SOUK_MUST(try_made(test, &m, &zone, NULL));
    SOUK_CHECK(souk_zone_offset_s(zone, -1000001) == 600);
    SOUK_CHECK(souk_zone_offset_s(zone, -1000000) == 1200);
    SOUK_CHECK(souk_zone_offset_s(zone, 1000000) == 600);
    SOUK_CHECK(souk_zone_offset_s(zone, SOUK_TIME_LAST) == 600);
}

SOUK_TEST("rules of every form agree with the C library")
{
    static const char *const rules[] = {"EST5EDT,M3.2.0,M11.1.0",
                                        "NZST-12NZDT,M9.5.0,M4.1.0/3",
                                        "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
                                        "IST-1GMT0,M10.5.0,M3.5.0/1",
                                        "AAA3BBB,J60/0,J300",
                                        "AAA3BBB2:30,59/1:02:03,299/25",
                                        "IST-2IDT,M3.4.4/26,M10.5.0",
                                        "CST-8"};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        char footer[100];
        snprintf(footer, sizeof footer, "\n%s\n", rules[i]);
        setenv("TZ", rules[i], 1);
        tzset();
        made m = {'3', .changes = 1, .types = 2, .times = {-1000000}, .footer = footer};
        m.offsets[1] = (int32_t)oracle_offset(0);
        souk_auto(souk_zone) zone = NULL;
        SOUK_MUST(try_made(test, &m, &zone, NULL));
        for (int round = 0; round < 3000; round++) {
            int64_t at = souk_date_day((souk_date){1971, 1, 1}) * 86400 +
                         (int64_t)test_random(test, (uint64_t)900 * 365 * 86400);
            SOUK_CHECK(souk_zone_offset_s(zone, at * 1000) == oracle_offset(at));
        }
    }
    use_oracle(NULL);
}

SOUK_TEST("a rule whose summer begins when it ends is summer all year")
{
    /* RFC 8536 3.3.1; C libraries that go year by year get the first hours of January wrong. */
    made m = {'3', .changes = 1, .types = 2, .times = {-1000000}, .offsets = {0, -14400}};
    m.footer = "\nXXX3EDT4,0/0,J365/23\n";
    souk_auto(souk_zone) zone = NULL;
    SOUK_MUST(try_made(test, &m, &zone, NULL));
    for (int round = 0; round < 3000; round++) {
        souk_time at = (souk_time)test_random(test, (uint64_t)SOUK_TIME_LAST / 10), back;
        SOUK_CHECK(souk_zone_offset_s(zone, at) == -14400);
        SOUK_MUST(souk_zone_utc(zone, souk_zone_local(zone, at), SOUK_LOCAL_REFUSE, &back));
        SOUK_CHECK(back == at);
    }
    int32_t year = 2306;
    souk_time midnight = souk_date_day((souk_date){year, 1, 1}) * SOUK_DAY_MS;
    for (souk_time at = midnight; at < midnight + 6 * 3600000; at += 60000)
        SOUK_CHECK(souk_zone_offset_s(zone, at) == -14400);
}

SOUK_TEST("files that are not right are refused with words")
{
    static const char *const footers[] = {"",
                                          "\n",
                                          "EST5\n",
                                          "\nEST5",
                                          "\nE5\n",
                                          "\nEST\n",
                                          "\nEST25\n",
                                          "\nEST5EDT\n",
                                          "\nEST5EDT,M3.2.0\n",
                                          "\n<E>5\n",
                                          "\n<+01-1\n",
                                          "\nEST5EDT,M13.2.0,M11.1.0\n",
                                          "\nEST5 \n",
                                          "\nEST5EDT,M3.6.0,M11.1.0\n",
                                          "\nEST5EDT,M3.2.7,M11.1.0\n",
                                          "\nEST5EDT,J0,J5\n",
                                          "\nEST5EDT,366,J5\n",
                                          "\nEST5EDT,J1/168,J5\n",
                                          "\nEST5EDT,J1,J5,\n"};
    souk_auto(souk_zone) zone = NULL;
    made good = {'2', .changes = 2, .types = 2, .times = {5, 9}, .footer = "\n\n"};
    SOUK_MUST(try_made(test, &good, &zone, NULL));
    for (size_t i = 0; i < sizeof footers / sizeof *footers; i++) {
        souk_diag diag = {0};
        made m = good;
        m.footer = footers[i];
        SOUK_CHECK_ERR(try_made(test, &m, &zone, &diag), SOUK_ESYNTAX);
        SOUK_CHECK(strstr(diag.words, "Made/By-Hand"));
    }
    made bad[7] = {good, good, good, good, good, good, good};
    bad[0].times[1] = 5;
    bad[1].times[1] = -5;
    bad[2].offsets[1] = 26 * 3600;
    bad[3].offsets[0] = -25 * 3600;
    bad[4].leap = 1;
    bad[5].types = 0;
    bad[6].times[1] = INT64_MAX;
    for (size_t i = 0; i < 7; i++)
        SOUK_CHECK_ERR(try_made(test, &bad[i], &zone, NULL), SOUK_ESYNTAX);

    char large[SOUK_ZONE_FILE_BYTES + 1] = "TZif2";
    SOUK_CHECK_ERR(
        souk_zone_new(test->mem, SOUK_TEXT("A"), (souk_text){large, sizeof large}, &zone, NULL),
        SOUK_ETOOBIG);
    large[33] = 0x7f; /* 8 million changes */
    SOUK_CHECK_ERR(souk_zone_new(test->mem, SOUK_TEXT("A"), (souk_text){large, 60}, &zone, NULL),
                   SOUK_ETOOBIG);
}

SOUK_TEST("names cannot climb out of their folder")
{
    static const char *const good[] = {"UTC", "Europe/London", "America/Argentina/Buenos_Aires",
                                       "Etc/GMT+5", "America/Port-au-Prince"};
    static const char *const bad[] = {
        "",
        "/",
        "/etc/passwd",
        "Europe/",
        "Europe//London",
        "..",
        "Europe/../x",
        "Europe/London ",
        "a.b",
        "a\nb",
        "\xc3\xa9",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        SOUK_CHECK(souk_zone_name_valid(souk_text_of(good[i])));
    souk_zone *zone = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        SOUK_CHECK(!souk_zone_name_valid(souk_text_of(bad[i])));
        SOUK_CHECK_ERR(souk_zone_new(test->mem, souk_text_of(bad[i]), SOUK_TEXT(""), &zone, NULL),
                       SOUK_EINVAL);
    }
    SOUK_CHECK(!souk_zone_name_valid((souk_text){"UTC\0", 4}));
    SOUK_CHECK(zone == NULL);
}

SOUK_TEST("a zone survives the lack of memory")
{
    SOUK_FAULT_LOOP (test) {
        souk_auto(souk_zone) zone = NULL;
        made m = {'2', .changes = 1, .types = 2, .times = {5}, .footer = "\nAAA0BBB,J1,J2\n"};
        souk_err err = try_made(test, &m, &zone, NULL);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        SOUK_CHECK(!err == (zone != NULL));
        test_fault_seen(test, err);
    }
}
