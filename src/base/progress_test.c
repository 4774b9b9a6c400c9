/* progress_test.c - progress.h on a pipe, with a clock that the test moves. */
#include "base/progress.h"
#include "test/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

typedef struct rig {
    souk_progress bar;
    int ends[2];
    int64_t now_ns;
    char text[65536];
} rig;

static int64_t rig_now(void *context)
{
    return ((rig *)context)->now_ns;
}

static void rig_start(souk_test *test, rig *r, souk_progress_style style, uint64_t total)
{
    SOUK_CHECK(pipe(r->ends) == 0);
    fcntl(r->ends[0], F_SETFL, O_NONBLOCK);
    r->now_ns = 5000000000;
    souk_progress_start(&r->bar, &(souk_progress_options){.label = "import",
                                                          .unit = "rows",
                                                          .total = total,
                                                          .style = style,
                                                          .fd = r->ends[1],
                                                          .now_ns = rig_now,
                                                          .context = r});
}

static souk_text rig_read(rig *r)
{
    ssize_t got = read(r->ends[0], r->text, sizeof r->text);
    return (souk_text){r->text, got > 0 ? (size_t)got : 0};
}

static void rig_done(rig *r)
{
    souk_progress_done(&r->bar);
    close(r->ends[0]);
    close(r->ends[1]);
}

SOUK_TEST("away from a terminal a line comes every ten seconds and one at the end")
{
    rig r;
    rig_start(test, &r, SOUK_PROGRESS_DETECT, 4000000);
    SOUK_CHECK(rig_read(&r).bytes == 0);
    for (int i = 0; i < 99; i++) {
        r.now_ns += 100000000;
        souk_progress_add(&r.bar, 10000);
    }
    SOUK_CHECK(rig_read(&r).bytes == 0);
    r.now_ns += 100000000;
    souk_progress_add(&r.bar, 10000);
    SOUK_CHECK_TEXT(rig_read(&r), "import: 25 %, 1.0 M of 4.0 M rows, 100 k/s, 0:30 left\n");
    r.now_ns += 500000000;
    souk_progress_set(&r.bar, 4000000);
    SOUK_CHECK(rig_read(&r).bytes == 0);
    souk_progress_finish(&r.bar);
    SOUK_CHECK_TEXT(rig_read(&r), "import: 4.0 M rows in 0:11, 381 k/s\n");
    rig_done(&r);
}

SOUK_TEST("on a terminal the bar is drawn at most ten times a second, in one line")
{
    rig r;
    rig_start(test, &r, SOUK_PROGRESS_BAR, 1000);
    SOUK_CHECK_TEXT(rig_read(&r), "\rimport  [>                                       ]    0 %  "
                                  "0 of 1.0 k rows\x1b[K");
    int drawn = 0;
    for (int i = 0; i < 1000; i++) {
        r.now_ns += 10000000;
        souk_progress_add(&r.bar, (uint64_t)i % 2);
        souk_text text = rig_read(&r);
        drawn += text.bytes > 0;
        if (text.bytes) {
            SOUK_CHECK(text.at[0] == '\r' && !memchr(text.at, '\n', text.bytes));
            SOUK_CHECK(
                souk_text_equal((souk_text){text.at + text.bytes - 3, 3}, SOUK_TEXT("\x1b[K")));
            SOUK_CHECK(text.bytes <= 1 + 79 + 3);
        }
    }
    SOUK_CHECK(drawn == 100);
    r.now_ns += 200000000;
    souk_progress_add(&r.bar, 0);
    souk_text text = rig_read(&r);
    SOUK_CHECK(souk_text_starts(text, SOUK_TEXT("\rimport  [============")));
    SOUK_CHECK(memmem(text.at, text.bytes, " 50 %  500 of 1.0 k rows  ", 26));
    souk_progress_finish(&r.bar);
    SOUK_CHECK_TEXT(rig_read(&r), "\r\x1b[Kimport: 500 rows in 0:10, 49/s\n");
    rig_done(&r);
    SOUK_CHECK(rig_read(&r).bytes == 0);
}

SOUK_TEST("without a total there is no percent, and an abandoned bar ends its line")
{
    rig r;
    rig_start(test, &r, SOUK_PROGRESS_BAR, 0);
    SOUK_CHECK_TEXT(rig_read(&r), "\rimport   0 rows\x1b[K");
    r.now_ns += 2000000000;
    souk_progress_add(&r.bar, 5000);
    SOUK_CHECK_TEXT(rig_read(&r), "\rimport   5.0 k rows  2.5 k/s\x1b[K");
    souk_progress_done(&r.bar);
    SOUK_CHECK_TEXT(rig_read(&r), "\n");
    rig_done(&r);

    souk_progress never_started = {0};
    souk_progress_done(&never_started);
}

SOUK_TEST("the time left follows a change of pace")
{
    rig r;
    rig_start(test, &r, SOUK_PROGRESS_BAR, 100000);
    for (int i = 0; i < 300; i++) { /* 1000 a second for half a minute */
        r.now_ns += 100000000;
        souk_progress_add(&r.bar, 100);
    }
    SOUK_CHECK(r.bar.rate > 990 && r.bar.rate < 1010);
    for (int i = 0; i < 300; i++) { /* then a tenth of it */
        r.now_ns += 100000000;
        souk_progress_add(&r.bar, 10);
    }
    SOUK_CHECK(r.bar.rate > 99 && r.bar.rate < 110);
    souk_progress_set(&r.bar, 0);
    souk_progress_add(&r.bar, UINT64_MAX);
    souk_progress_add(&r.bar, 1);
    SOUK_CHECK(r.bar.done == UINT64_MAX);
    r.now_ns += 100000000;
    souk_progress_set(&r.bar, 5);
    rig_done(&r);
}

SOUK_TEST("counts and times are written for people")
{
    static const struct {
        uint64_t done;
        int64_t seconds;
        const char *end;
    } rows[] = {
        {0, 0, "0 rows in 0:00\n"},
        {999, 1, "999 rows in 0:01, 999/s\n"},
        {1000, 59, "1.0 k rows in 0:59, 17/s\n"},
        {9949, 60, "9.9 k rows in 1:00, 166/s\n"},
        {9951, 61, "10 k rows in 1:01, 163/s\n"},
        {999499, 3599, "999 k rows in 59:59, 278/s\n"},
        {999501, 3600, "1.0 M rows in 1:00:00, 278/s\n"},
        {UINT64_MAX, 90061, "18 E rows in 25:01:01, 205 T/s\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig r;
        rig_start(test, &r, SOUK_PROGRESS_LINES, 0);
        souk_progress_set(&r.bar, rows[i].done);
        r.now_ns += rows[i].seconds * 1000000000;
        souk_progress_finish(&r.bar);
        souk_text text = rig_read(&r);
        SOUK_CHECK(souk_text_starts(text, SOUK_TEXT("import: ")));
        SOUK_CHECK_TEXT(((souk_text){text.at + 8, text.bytes - 8}), rows[i].end);
        rig_done(&r);
    }
}

/* A drawing of the bar: no wider than the terminal, and nothing in it moves the cursor away. */
static bool stays_in_line(souk_text text)
{
    if (text.bytes < 4 || text.bytes > 1 + 79 + 3 || text.at[0] != '\r')
        return false;
    for (size_t i = 1; i + 3 < text.bytes; i++)
        if ((unsigned char)text.at[i] < ' ' || text.at[i] == 0x7f)
            return false;
    return memcmp(text.at + text.bytes - 3, "\x1b[K", 3) == 0;
}

SOUK_TEST("a bar that leaves its line would be noticed")
{
    char wide[100];
    snprintf(wide, sizeof wide, "\r%81s\x1b[K", "");
    SOUK_CHECK(stays_in_line(SOUK_TEXT("\rimport  5 rows\x1b[K")));
    SOUK_CHECK(!stays_in_line(SOUK_TEXT("\rim\nport  5 rows\x1b[K")));
    SOUK_CHECK(!stays_in_line(SOUK_TEXT("\rimport\x1b[2J\x1b[K")));
    SOUK_CHECK(!stays_in_line(souk_text_of(wide)));
}

SOUK_TEST("random bars keep their line and their pace")
{
    for (int round = 0; round < 300; round++) {
        rig r = {0};
        char label[101];
        size_t label_bytes = test_random(test, 100);
        for (size_t i = 0; i < label_bytes; i++)
            label[i] = (char)(1 + test_random(test, 126));
        label[label_bytes] = '\0';
        SOUK_CHECK(pipe(r.ends) == 0);
        fcntl(r.ends[0], F_SETFL, O_NONBLOCK);
        souk_progress_start(
            &r.bar, &(souk_progress_options){.label = label,
                                             .total = test_random(test, 0) >> test_random(test, 64),
                                             .style = SOUK_PROGRESS_BAR,
                                             .fd = r.ends[1],
                                             .now_ns = rig_now,
                                             .context = &r});
        int64_t last_ns = 0;
        rig_read(&r);
        for (int i = 0; i < 50; i++) {
            r.now_ns += (int64_t)(test_random(test, 0) >> (20 + test_random(test, 44)));
            souk_progress_set(&r.bar, test_random(test, 0) >> test_random(test, 64));
            souk_text text = rig_read(&r);
            SOUK_CHECK((text.bytes > 0) == (r.now_ns - last_ns >= 100000000));
            if (text.bytes)
                last_ns = r.now_ns;
            SOUK_CHECK(text.bytes == 0 || stays_in_line(text));
        }
        rig_done(&r);
    }
}

SOUK_TEST("what cannot be written changes nothing, and silence is kept")
{
    rig r;
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    rig_start(test, &r, SOUK_PROGRESS_BAR, 10);
    close(r.ends[0]);
    r.now_ns += 1000000000;
    souk_progress_add(&r.bar, 5);
    SOUK_CHECK(r.bar.done == 5);
    souk_progress_finish(&r.bar);
    close(r.ends[1]);
    signal(SIGPIPE, before);

    rig_start(test, &r, SOUK_PROGRESS_SILENT, 10);
    r.now_ns += 20000000000;
    souk_progress_add(&r.bar, 5);
    souk_progress_finish(&r.bar);
    SOUK_CHECK(rig_read(&r).bytes == 0);
    rig_done(&r);
}
