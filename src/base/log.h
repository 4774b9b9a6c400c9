/* log.h - what the operator must know, one JSON line each on stderr.
 *
 *     souk_log log;
 *     souk_log_init(&log, &(souk_log_options){.level = SOUK_LOG_INFO});
 *     souk_log_say(&log, SOUK_LOG_INFO, "app", "the server is ready");
 *     souk_log_with(&log, SOUK_LOG_WARN, "serve", "a request was refused",
 *                   SOUK_LOG_TEXT("path", path), SOUK_LOG_INT("status", 503),
 *                   SOUK_LOG_SECRET("key"));
 *     souk_log_done(&log);
 *
 *     {"time":"2026-01-02T03:04:05.678Z","level":"warn","module":"serve",
 *      "words":"a request was refused","path":"/v1/x","status":503,"key":"***"}       (in one line)
 *
 * Module, words and field names are literals of the program; what comes from outside goes into
 * fields, where it is escaped: controls (of terminals too) and broken UTF-8 cannot leave their
 * quotes.  A secret has a field that says it was there, and no way in.
 *
 * Lines equal but for their time are let through repeat_limit times in ten seconds; the next one
 * after that tells "repeated":N, how many were left out since.
 *
 * Shape    a line is at most SOUK_LOG_LINE_BYTES, which a pipe keeps whole; a text value is cut to
 *          SOUK_LOG_VALUE_BYTES with "..." behind it; fields that find no room give way to
 *          "cut":true
 * Cost     one write per line; below the level: one comparison, and the fields are not evaluated
 * Threads  any may log; init and done are alone.  A NULL log is silent */
#ifndef SOUK_BASE_LOG_H
#define SOUK_BASE_LOG_H

#include "base/decimal.h"
#include "base/hash.h"
#include "base/time.h"

#include <pthread.h>

/*    name    word */
#define SOUK_LOG_LEVEL_TABLE(X) \
    X(DEBUG, "debug")           \
    X(INFO, "info")             \
    X(WARN, "warn")             \
    X(ERROR, "error")           \
    X(OFF, "off")

typedef enum souk_log_level {
#define SOUK_LOG_LEVEL_ENUM(name, word) SOUK_LOG_##name,
    SOUK_LOG_LEVEL_TABLE(SOUK_LOG_LEVEL_ENUM)
#undef SOUK_LOG_LEVEL_ENUM
} souk_log_level;

enum { SOUK_LOG_LINE_BYTES = 4096, SOUK_LOG_VALUE_BYTES = 512, SOUK_LOG_REPEAT_SLOTS = 64 };

typedef struct souk_log_options {
    souk_log_level level;            /* lines below it are not written */
    int fd;                          /* not owned; 0: stderr */
    unsigned repeat_limit;           /* of equal lines in ten seconds; 0: 5 */
    souk_time (*now)(void *context); /* NULL: the machine's clock */
    void *context;
} souk_log_options;

/* All private. */
typedef struct souk_log {
    souk_log_options options;
    pthread_mutex_t lock;
    souk_hash_key key; /* nobody can make a line that hides another */
    struct {
        uint64_t hash;
        souk_time since;
        uint64_t seen, left_out; /* in the ten seconds since then; not yet told */
    } repeats[SOUK_LOG_REPEAT_SLOTS];
    uint64_t lost;
} souk_log;

void souk_log_init(souk_log *log, const souk_log_options *options);
/* Tells in a last line how many repeated lines were left out and not yet told. */
void souk_log_done(souk_log *log);
/* Lines that could not be written: the other end is gone or does not read. */
uint64_t souk_log_lost(souk_log *log);

/* "warn"; SOUK_EINVAL for a word that is no level. */
SOUK_CHECKED souk_err souk_log_level_read(souk_text word, souk_log_level *ret_level);

typedef struct souk_log_field {
    const char *name; /* lower-case letters, digits, '_' */
    enum {
        SOUK_LOG_IS_TEXT,
        SOUK_LOG_IS_INT,
        SOUK_LOG_IS_COUNT,
        SOUK_LOG_IS_REAL,
        SOUK_LOG_IS_BOOL,
        SOUK_LOG_IS_DECIMAL,
        SOUK_LOG_IS_TIME,
        SOUK_LOG_IS_SECRET,
    } kind;
    union {
        souk_text text;
        int64_t number;
        uint64_t count;
        double real;
        bool yes;
        souk_decimal decimal;
        souk_time time;
    };
} souk_log_field;

#define SOUK_LOG_TEXT(key, value)                                \
    {                                                            \
        .name = (key), .kind = SOUK_LOG_IS_TEXT, .text = (value) \
    }
#define SOUK_LOG_INT(key, value)                                  \
    {                                                             \
        .name = (key), .kind = SOUK_LOG_IS_INT, .number = (value) \
    }
#define SOUK_LOG_COUNT(key, value)                                 \
    {                                                              \
        .name = (key), .kind = SOUK_LOG_IS_COUNT, .count = (value) \
    }
#define SOUK_LOG_REAL(key, value)                                \
    {                                                            \
        .name = (key), .kind = SOUK_LOG_IS_REAL, .real = (value) \
    }
#define SOUK_LOG_BOOL(key, value)                               \
    {                                                           \
        .name = (key), .kind = SOUK_LOG_IS_BOOL, .yes = (value) \
    }
#define SOUK_LOG_DECIMAL(key, value)                                   \
    {                                                                  \
        .name = (key), .kind = SOUK_LOG_IS_DECIMAL, .decimal = (value) \
    }
#define SOUK_LOG_TIME(key, value)                                \
    {                                                            \
        .name = (key), .kind = SOUK_LOG_IS_TIME, .time = (value) \
    }
#define SOUK_LOG_ERR(key, value)                                                            \
    {                                                                                       \
        .name = (key), .kind = SOUK_LOG_IS_TEXT, .text = souk_text_of(souk_err_name(value)) \
    }
/* Prints "***"; the value is not even asked for. */
#define SOUK_LOG_SECRET(key)                      \
    {                                             \
        .name = (key), .kind = SOUK_LOG_IS_SECRET \
    }

static inline bool souk_log_wants(const souk_log *log, souk_log_level level)
{
    return log && level >= __atomic_load_n(&log->options.level, __ATOMIC_RELAXED);
}
/* From now on lines below this level are not written. */
void souk_log_set_level(souk_log *log, souk_log_level level);
void souk_log_write(souk_log *log, souk_log_level level, const char *module, const char *words,
                    const souk_log_field *fields, size_t field_count);

#define souk_log_say(log, level, module, words) \
    (souk_log_wants(log, level) ? souk_log_write(log, level, module, words, NULL, 0) : (void)0)
/* With one field or more. */
#define souk_log_with(log, level, module, words, ...)                                             \
    (souk_log_wants(log, level)                                                                   \
         ? souk_log_write(log, level, module, words, (const souk_log_field[]){__VA_ARGS__},       \
                          sizeof((const souk_log_field[]){__VA_ARGS__}) / sizeof(souk_log_field)) \
         : (void)0)

#endif
