/* log_test.c - log.h read back from a pipe by a small JSON reader. */
#include "base/log.h"

#include "base/utf8.h"
#include "test/test.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct rig {
    souk_log log;
    int ends[2];
    souk_time now;
    char text[65536];
} rig;

static souk_time rig_now(void *context)
{
    return ((rig *)context)->now;
}

static void rig_init(souk_test *test, rig *r, souk_log_level level, unsigned repeat_limit)
{
    SOUK_CHECK(pipe(r->ends) == 0);
    fcntl(r->ends[0], F_SETFL, O_NONBLOCK);
    r->now = 1767323045678;
    souk_log_init(&r->log, &(souk_log_options){.level = level,
                                               .fd = r->ends[1],
                                               .repeat_limit = repeat_limit,
                                               .now = rig_now,
                                               .context = r});
}

/* Everything written since the last call. */
static souk_text rig_read(rig *r)
{
    size_t bytes = 0;
    for (;;) {
        ssize_t got = read(r->ends[0], r->text + bytes, sizeof r->text - bytes);
        if (got <= 0)
            return (souk_text){r->text, bytes};
        bytes += (size_t)got;
    }
}

static void rig_done(rig *r)
{
    souk_log_done(&r->log);
    close(r->ends[0]);
    close(r->ends[1]);
}

/* Reads a JSON string at *at into out (NULL: skips it); false where it is none. */
static bool json_string(const char **at, const char *end, souk_buf *out)
{
    if (*at >= end || *(*at)++ != '"')
        return false;
    while (*at < end && **at != '"') {
        unsigned char c = (unsigned char)*(*at)++;
        if (c < 0x20)
            return false;
        char bytes[4] = {(char)c};
        size_t count = 1;
        if (c == '\\' && *at < end) {
            bytes[0] = *(*at)++;
            if (bytes[0] == 'u') {
                char digits[5] = {0};
                if (end - *at < 4)
                    return false;
                memcpy(digits, *at, 4);
                *at += 4;
                count = souk_utf8_put(bytes, (uint32_t)strtoul(digits, NULL, 16));
            } else if (bytes[0] != '"' && bytes[0] != '\\') {
                return false;
            }
        }
        if (out)
            souk_buf_append(out, bytes, count);
    }
    return *at < end && *(*at)++ == '"';
}

/* Checks that line is a flat JSON object and finds key's value: a string's text or a bare word. */
static bool json_line(souk_text line, const char *key, souk_buf *out)
{
    const char *at = line.at, *end = at + line.bytes;
    bool found = key == NULL;
    if (line.bytes < 2 || *at != '{' || end[-1] != '}' || !souk_utf8_valid(line))
        return false;
    end--;
    do {
        at++;
        souk_buf name = {0};
        bool good = json_string(&at, end, &name) && at < end && *at++ == ':';
        bool wanted = key && souk_text_equal(souk_buf_view(&name), souk_text_of(key));
        souk_buf_done(&name);
        if (!good)
            return false;
        if (*at == '"') {
            if (!json_string(&at, end, wanted ? out : NULL))
                return false;
        } else {
            const char *from = at;
            while (at < end && *at != ',')
                at++;
            if (wanted)
                souk_buf_append(out, from, (size_t)(at - from));
        }
        found |= wanted;
    } while (at < end && *at == ',');
    return found && at == end;
}

SOUK_TEST("a line is one JSON object with every kind of field")
{
    rig r;
    rig_init(test, &r, SOUK_LOG_DEBUG, 0);
    souk_decimal price = {12340000};
    souk_log_with(&r.log, SOUK_LOG_WARN, "serve", "a request was refused",
                  SOUK_LOG_TEXT("path", SOUK_TEXT("/v1/\"x\"\n")), SOUK_LOG_INT("status", -503),
                  SOUK_LOG_COUNT("bytes", UINT64_MAX), SOUK_LOG_REAL("share", 0.25),
                  SOUK_LOG_REAL("none", NAN), SOUK_LOG_BOOL("late", true),
                  SOUK_LOG_DECIMAL("price", price), SOUK_LOG_TIME("since", 0),
                  SOUK_LOG_ERR("why", SOUK_EFULL), SOUK_LOG_SECRET("api_key"));
    souk_log_say(&r.log, SOUK_LOG_INFO, "app", "the server is ready");
    SOUK_CHECK_TEXT(
        rig_read(&r),
        "{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"warn\",\"module\":\"serve\",\"words\":"
        "\"a "
        "request was refused\",\"path\":\"/v1/\\\"x\\\"\\u000a\",\"status\":-503,"
        "\"bytes\":18446744073709551615,\"share\":0.25,\"none\":null,\"late\":true,\"price\":12.34,"
        "\"since\":\"1970-01-01T00:00:00.000Z\",\"why\":\"EFULL\",\"api_key\":\"***\"}\n"
        "{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"info\",\"module\":\"app\",\"words\":"
        "\"the "
        "server is ready\"}\n");
    rig_done(&r);
}

static int evaluated;
static int64_t costly(void)
{
    return ++evaluated;
}

SOUK_TEST("lines below the level are not written and their fields not made")
{
    rig r;
    rig_init(test, &r, SOUK_LOG_WARN, 0);
    evaluated = 0;
    souk_log_with(&r.log, SOUK_LOG_INFO, "app", "quiet", SOUK_LOG_INT("n", costly()));
    SOUK_CHECK(evaluated == 0 && rig_read(&r).bytes == 0);
    souk_log_with(&r.log, SOUK_LOG_ERROR, "app", "loud", SOUK_LOG_INT("n", costly()));
    SOUK_CHECK(evaluated == 1 && rig_read(&r).bytes > 0);
    rig_done(&r);
    rig_init(test, &r, SOUK_LOG_OFF, 0);
    souk_log_say(&r.log, SOUK_LOG_ERROR, "app", "silent");
    souk_log_say((souk_log *)NULL, SOUK_LOG_ERROR, "app", "nowhere");
    SOUK_CHECK(rig_read(&r).bytes == 0);
    rig_done(&r);

    souk_log_level level;
    SOUK_MUST(souk_log_level_read(SOUK_TEXT("error"), &level));
    SOUK_CHECK(level == SOUK_LOG_ERROR);
    SOUK_CHECK_ERR(souk_log_level_read(SOUK_TEXT("Error"), &level), SOUK_EINVAL);
}

/* Writes random bytes as a field and reads them back; raw plants the error of not escaping. */
static int broken_lines(souk_test *test, bool raw)
{
    rig r;
    rig_init(test, &r, SOUK_LOG_DEBUG, 1000000);
    int broken = 0;
    for (int round = 0; round < 3000; round++) {
        char value[100];
        size_t bytes = test_random(test, sizeof value);
        bool text = test_random(test, 2);
        for (size_t i = 0; i < bytes; i++)
            value[i] = (char)(text ? ' ' + test_random(test, 95) : test_random(test, 256));
        souk_text field = {value, bytes};
        souk_log_with(&r.log, SOUK_LOG_INFO, "test", "words", SOUK_LOG_TEXT("value", field));
        souk_text line = rig_read(&r);
        char planted[200];
        if (raw)
            line = (souk_text){planted,
                               (size_t)snprintf(planted, sizeof planted, "{\"value\":\"%.*s\"}\n",
                                                SOUK_TEXT_PRINT(field))};
        souk_buf back = {0};
        line.bytes--;
        bool good = json_line(line, "value", &back) && !memchr(line.at, '\n', line.bytes);
        if (good && souk_utf8_valid(field))
            good = souk_text_equal(souk_buf_view(&back), field);
        for (size_t i = 0; i < line.bytes; i++)
            good &= (unsigned char)line.at[i] >= ' ' && line.at[i] != 0x7f;
        broken += !good;
        souk_buf_done(&back);
    }
    rig_done(&r);
    return broken;
}

SOUK_TEST("no bytes from outside break a line, and unescaped ones would be noticed")
{
    SOUK_CHECK(broken_lines(test, false) == 0);
    SOUK_CHECK(broken_lines(test, true) > 100);
}

SOUK_TEST("controls of terminals are shown and not obeyed")
{
    rig r;
    rig_init(test, &r, SOUK_LOG_DEBUG, 0);
    souk_log_with(&r.log, SOUK_LOG_INFO, "a", "b",
                  SOUK_LOG_TEXT("v", SOUK_TEXT("\x1b[2J\xC2\x9B\x7f\xC2\xA3\xff")));
    souk_text line = rig_read(&r);
    SOUK_CHECK(line.bytes > 50);
    SOUK_CHECK_TEXT(souk_text_range(line.at + line.bytes - 30, line.at + line.bytes),
                    "\"\\u001b[2J\\u009b\\u007f\xC2\xA3\xEF\xBF\xBD\"}\n");
    rig_done(&r);
}

SOUK_TEST("long values and many fields are cut, and the line says so")
{
    rig r;
    rig_init(test, &r, SOUK_LOG_DEBUG, 0);
    char big[3000];
    memset(big, 'x', sizeof big);
    souk_text value = {big, sizeof big};
    souk_log_with(&r.log, SOUK_LOG_INFO, "a", "b", SOUK_LOG_TEXT("v", value));
    souk_text line = rig_read(&r);
    SOUK_CHECK(line.bytes > 512 && line.bytes < 700);
    SOUK_CHECK(memcmp(line.at + line.bytes - 7, "x...\"}\n", 7) == 0);

    memset(big, 1, sizeof big); /* six bytes each once escaped */
    souk_log_field fields[20];
    for (int i = 0; i < 20; i++)
        fields[i] = (souk_log_field)SOUK_LOG_TEXT("v", value);
    souk_log_write(&r.log, SOUK_LOG_INFO, "a", "b", fields, 20);
    line = rig_read(&r);
    SOUK_CHECK(line.bytes > 3000 && line.bytes <= SOUK_LOG_LINE_BYTES);
    souk_buf cut = {0};
    SOUK_CHECK(json_line((souk_text){line.at, line.bytes - 1}, "cut", &cut));
    SOUK_CHECK_TEXT(souk_buf_view(&cut), "true");
    souk_buf_done(&cut);
    rig_done(&r);
}

static size_t count_lines(souk_text text)
{
    size_t lines = 0;
    for (size_t i = 0; i < text.bytes; i++)
        lines += text.at[i] == '\n';
    return lines;
}

SOUK_TEST("equal lines are let through a few times, then counted")
{
    rig r;
    rig_init(test, &r, SOUK_LOG_DEBUG, 3);
    memset(&r.log.key, 1,
           sizeof r.log.key); /* with one in 64 of all keys both lines share a slot */
    for (int i = 0; i < 10; i++) {
        souk_log_say(&r.log, SOUK_LOG_INFO, "a", "again");
        r.now += 10;
    }
    SOUK_CHECK(count_lines(rig_read(&r)) == 3);
    souk_log_say(&r.log, SOUK_LOG_INFO, "a", "another");
    SOUK_CHECK(count_lines(rig_read(&r)) == 1);
    r.now += 10000;
    souk_log_say(&r.log, SOUK_LOG_INFO, "a", "again");
    souk_text line = rig_read(&r);
    souk_buf repeated = {0};
    SOUK_CHECK(json_line((souk_text){line.at, line.bytes - 1}, "repeated", &repeated));
    SOUK_CHECK_TEXT(souk_buf_view(&repeated), "7");
    souk_buf_done(&repeated);
    souk_log_say(&r.log, SOUK_LOG_INFO, "a", "again");
    SOUK_CHECK(count_lines(rig_read(&r)) == 1);
    r.now -= 1000000; /* the clock was set back */
    souk_log_say(&r.log, SOUK_LOG_INFO, "a", "again");
    SOUK_CHECK(count_lines(rig_read(&r)) == 1);
    rig_done(&r);
}

SOUK_TEST("every line is written or told as left out")
{
    rig r;
    rig_init(test, &r, SOUK_LOG_DEBUG, 2);
    uint64_t written = 0, told = 0, said = 0;
    for (int round = 0; round < 3001; round++) {
        if (round == 3000)
            souk_log_done(&r.log);
        else
            souk_log_with(&r.log, SOUK_LOG_INFO, "a", "b",
                          SOUK_LOG_COUNT("kind", test_random(test, 200)));
        said += round < 3000;
        souk_text text = rig_read(&r);
        while (text.bytes) {
            souk_text line = souk_text_cut(&text, '\n');
            souk_buf repeated = {0};
            uint64_t count = 0;
            if (json_line(line, "repeated", &repeated))
                SOUK_MUST(souk_text_to_u64(souk_buf_view(&repeated), &count));
            souk_buf_clear(&repeated);
            written += json_line(line, "kind", &repeated);
            told += count;
            souk_buf_done(&repeated);
        }
        r.now += (souk_time)test_random(test, 100);
    }
    SOUK_CHECK(told > 0 && written + told == said);
    close(r.ends[0]);
    close(r.ends[1]);
}

SOUK_TEST("a line that cannot be written is counted and nothing else happens")
{
    rig r;
    rig_init(test, &r, SOUK_LOG_DEBUG, 0);
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    close(r.ends[0]);
    souk_log_say(&r.log, SOUK_LOG_ERROR, "a", "nobody reads");
    SOUK_CHECK(souk_log_lost(&r.log) == 1);
    signal(SIGPIPE, before);
    close(r.ends[1]);
    souk_log_say(&r.log, SOUK_LOG_ERROR, "a", "no file");
    SOUK_CHECK(souk_log_lost(&r.log) == 2);
    souk_log_done(&r.log);
}

static void *talk(void *context)
{
    rig *r = context;
    for (int64_t i = 0; i < 40; i++)
        souk_log_with(&r->log, SOUK_LOG_INFO, "thread", "words", SOUK_LOG_INT("i", i),
                      SOUK_LOG_INT("self", (int64_t)pthread_self()));
    return NULL;
}

SOUK_TEST("lines of several threads do not mix")
{
    rig r;
    rig_init(test, &r, SOUK_LOG_DEBUG, 0);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        SOUK_CHECK(pthread_create(&threads[i], NULL, talk, &r) == 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    souk_text text = rig_read(&r);
    SOUK_CHECK(count_lines(text) == 160);
    while (text.bytes)
        SOUK_CHECK(json_line(souk_text_cut(&text, '\n'), NULL, NULL));
    rig_done(&r);
}
