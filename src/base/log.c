/* log.c - lines made on the stack and written at once. */
#include "base/log.h"

#include "base/random.h"
#include "base/utf8.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { REPEAT_MS = 10000, REPEAT_LIMIT = 5 };

static const char *const level_words[] = {
#define LEVEL_WORD(name, word) word,
    SOUK_LOG_LEVEL_TABLE(LEVEL_WORD)
#undef LEVEL_WORD
};

/* A line being made.  What is put beyond its room is dropped, and full says so. */
typedef struct line {
    char at[SOUK_LOG_LINE_BYTES];
    size_t bytes, room;
    bool full;
} line;

/* What must find room behind the fields. */
#define LONGEST_END ",\"cut\":true,\"repeated\":18446744073709551615}\n"

static void put(line *out, const char *from, size_t bytes)
{
    if (bytes > out->room - out->bytes) {
        out->full = true;
        return;
    }
    memcpy(out->at + out->bytes, from, bytes);
    out->bytes += bytes;
}

static void put_word(line *out, const char *word)
{
    put(out, word, strlen(word));
}

static void put_format(line *out, const char *format, ...) SOUK_PRINTF(2, 3);
static void put_format(line *out, const char *format, ...)
{
    char text[64];
    va_list arguments;
    va_start(arguments, format);
    int bytes = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    souk_assert(bytes >= 0 && (size_t)bytes < sizeof text);
    put(out, text, (size_t)bytes);
}

/* The bytes of the first character; 0 where it is none. */
static size_t character_bytes(souk_text text)
{
    for (size_t bytes = 1; bytes <= 4 && bytes <= text.bytes; bytes++)
        if (souk_utf8_valid((souk_text){text.at, bytes}))
            return bytes;
    return 0;
}

static void put_character(line *out, const char *at, size_t bytes)
{
    unsigned char c = (unsigned char)at[0];
    if (bytes == 0)
        put(out, "\xEF\xBF\xBD", 3);
    else if (c == '"' || c == '\\')
        put(out, (char[2]){'\\', (char)c}, 2);
    else if (c < 0x20 || c == 0x7F)
        put_format(out, "\\u%04x", (unsigned)c);
    else if (c == 0xC2 && (unsigned char)at[1] < 0xA0)
        put_format(out, "\\u%04x", (unsigned)(unsigned char)at[1]); /* C1: terminals obey it */
    else
        put(out, at, bytes);
}

static void put_text(line *out, souk_text text)
{
    size_t limit = out->bytes + SOUK_LOG_VALUE_BYTES;
    put(out, "\"", 1);
    while (text.bytes && !out->full) {
        size_t bytes = character_bytes(text);
        if (out->bytes >= limit) {
            put(out, "...", 3);
            break;
        }
        put_character(out, text.at, bytes);
        bytes = souk_max_size(bytes, 1);
        text.at += bytes;
        text.bytes -= bytes;
    }
    put(out, "\"", 1);
}

static void put_key(line *out, const char *name)
{
    put(out, ",\"", 2);
    for (const char *at = name; *at; at++)
        souk_assert((*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || *at == '_');
    put_word(out, name);
    put(out, "\":", 2);
}

static void put_value(line *out, const souk_log_field *field)
{
    char text[SOUK_TIME_BYTES];
    _Static_assert((int)SOUK_TIME_BYTES >= (int)SOUK_DECIMAL_BYTES, "room for both");
    switch (field->kind) {
    case SOUK_LOG_IS_TEXT:
        put_text(out, field->text);
        break;
    case SOUK_LOG_IS_INT:
        put_format(out, "%lld", (long long)field->number);
        break;
    case SOUK_LOG_IS_COUNT:
        put_format(out, "%llu", (unsigned long long)field->count);
        break;
    case SOUK_LOG_IS_REAL:
        if (isfinite(field->real))
            put_format(out, "%.9g", field->real);
        else
            put_word(out, "null");
        break;
    case SOUK_LOG_IS_BOOL:
        put_word(out, field->yes ? "true" : "false");
        break;
    case SOUK_LOG_IS_DECIMAL:
        put(out, text, souk_decimal_write(field->decimal, text));
        break;
    case SOUK_LOG_IS_TIME:
        put_format(out, "\"%.*s\"", (int)souk_time_write(field->time, text), text);
        break;
    case SOUK_LOG_IS_SECRET:
        put_word(out, "\"***\"");
        break;
    }
}

/* Puts the whole field or none of it. */
static void put_field(line *out, const souk_log_field *field)
{
    size_t before = out->bytes;
    put_key(out, field->name);
    put_value(out, field);
    if (out->full)
        out->bytes = before;
}

static void make_line(line *out, souk_time now, souk_log_level level, const char *module,
                      const char *words, size_t *ret_behind_time)
{
    char time[SOUK_TIME_BYTES];
    souk_time_write(now, time);
    out->bytes = 0;
    out->full = false;
    out->room = SOUK_LOG_LINE_BYTES - sizeof LONGEST_END;
    put_format(out, "{\"time\":\"%s\",\"level\":", time);
    *ret_behind_time = out->bytes;
    put_text(out, souk_text_of(level_words[level]));
    put_key(out, "module");
    put_text(out, souk_text_of(module));
    put_key(out, "words");
    put_text(out, souk_text_of(words));
}

static souk_time now_of(const souk_log *log)
{
    if (log->options.now)
        return log->options.now(log->options.context);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (souk_time)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool write_all(int fd, const char *at, size_t bytes)
{
    while (bytes) {
        ssize_t done = write(fd, at, bytes);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        bytes -= (size_t)done;
    }
    return true;
}

/* Ends the line and writes it; the lock is held, so that a line sent in two parts stays whole. */
static void send_line(souk_log *log, line *out, uint64_t repeated)
{
    out->room = SOUK_LOG_LINE_BYTES;
    if (out->full)
        put_word(out, ",\"cut\":true");
    if (repeated)
        put_format(out, ",\"repeated\":%llu", (unsigned long long)repeated);
    put_word(out, "}\n");
    if (!write_all(log->options.fd, out->at, out->bytes))
        log->lost++;
}

static void tell_left_out(souk_log *log, souk_time now, uint64_t count)
{
    line out;
    size_t behind_time;
    make_line(&out, now, SOUK_LOG_WARN, "log", "repeated lines were left out", &behind_time);
    send_line(log, &out, count);
}

/* May this line be written?  Then *ret_repeated tells what was left out before it.  A slot taken
 * over by another line first tells its own count. */
static bool admit(souk_log *log, uint64_t hash, souk_time now, uint64_t *ret_repeated)
{
    size_t slot = hash % SOUK_LOG_REPEAT_SLOTS;
    if (log->repeats[slot].hash != hash) {
        uint64_t untold = log->repeats[slot].left_out;
        log->repeats[slot].hash = hash;
        log->repeats[slot].left_out = 0;
        log->repeats[slot].seen = 0;
        if (untold)
            tell_left_out(log, now, untold);
    }
    souk_time since = log->repeats[slot].since;
    if (log->repeats[slot].seen == 0 || now - since >= REPEAT_MS || now < since) {
        log->repeats[slot].since = now;
        log->repeats[slot].seen = 0;
    }
    if (log->repeats[slot].seen >= log->options.repeat_limit) {
        log->repeats[slot].left_out++;
        return false;
    }
    log->repeats[slot].seen++;
    *ret_repeated = log->repeats[slot].left_out;
    log->repeats[slot].left_out = 0;
    return true;
}

void souk_log_write(souk_log *log, souk_log_level level, const char *module, const char *words,
                    const souk_log_field *fields, size_t field_count)
{
    if (!souk_log_wants(log, level))
        return;
    souk_assert((unsigned)level < SOUK_LOG_OFF);
    line out;
    size_t behind_time;
    souk_time now = now_of(log);
    make_line(&out, now, level, module, words, &behind_time);
    for (size_t i = 0; i < field_count && !out.full; i++)
        put_field(&out, &fields[i]);
    uint64_t hash = souk_hash64(&log->key, out.at + behind_time, out.bytes - behind_time);
    uint64_t repeated;
    pthread_mutex_lock(&log->lock);
    if (admit(log, hash, now, &repeated))
        send_line(log, &out, repeated);
    pthread_mutex_unlock(&log->lock);
}

void souk_log_init(souk_log *log, const souk_log_options *options)
{
    *log = (souk_log){.options = *options};
    if (log->options.fd == 0)
        log->options.fd = STDERR_FILENO;
    if (log->options.repeat_limit == 0)
        log->options.repeat_limit = REPEAT_LIMIT;
    pthread_mutex_init(&log->lock, NULL);
    souk_entropy(&log->key, sizeof log->key);
}

void souk_log_set_level(souk_log *log, souk_log_level level)
{
    __atomic_store_n(&log->options.level, level, __ATOMIC_RELAXED);
}

void souk_log_done(souk_log *log)
{
    uint64_t untold = 0;
    for (size_t i = 0; i < SOUK_LOG_REPEAT_SLOTS; i++)
        untold += log->repeats[i].left_out;
    if (untold && souk_log_wants(log, SOUK_LOG_WARN))
        tell_left_out(log, now_of(log), untold);
    pthread_mutex_destroy(&log->lock);
}

uint64_t souk_log_lost(souk_log *log)
{
    pthread_mutex_lock(&log->lock);
    uint64_t lost = log->lost;
    pthread_mutex_unlock(&log->lock);
    return lost;
}

souk_err souk_log_level_read(souk_text word, souk_log_level *ret_level)
{
    for (int level = SOUK_LOG_DEBUG; level <= SOUK_LOG_OFF; level++)
        if (souk_text_equal(word, souk_text_of(level_words[level]))) {
            *ret_level = (souk_log_level)level;
            return SOUK_OK;
        }
    return SOUK_EINVAL;
}
