/* settings.h - what an operator may set: one table, from which come the parser, `souk config`, the flags,
 * docs/settings.md and the sample that `souk init` writes.
 *
 *     app_settings settings;
 *     app_mistakes mistakes = {.count = 0};
 *     app_settings_from from = {.file = "data/souk.toml", .environment = environ, .flags = flags};
 *     if (app_settings_load(mem, &from, &settings, &mistakes))
 *         for (size_t i = 0; i < mistakes.count; i++)
 *             app_mistake_write(&mistakes.at[i], &out);      data/souk.toml:7:14: limits.body_ms is 5, …
 *     http.body_ms = (uint32_t)app_setting_of(&settings, APP_LIMITS_BODY_MS);
 *
 * limits.body_ms has the flag --limits-body-ms and the variable SOUK_LIMITS_BODY_MS.  A flag wins over the
 * environment, that over the file, that over the default; a variable that is empty counts as not there.
 * All mistakes are told at once, those that were outweighed, too: a wrong line is wrong whoever wins.
 * Nothing that could be a misspelt setting is passed over: an unknown name in the file is a mistake, and
 * so is a variable SOUK_… that is almost one of ours (others may belong to somebody else).
 *
 * Shape    a file of SOUK_TOML_FILE_BYTES at most (toml.h says what is read of TOML)
 * Threads  no shared state */
#ifndef SOUK_APP_SETTINGS_H
#define SOUK_APP_SETTINGS_H

#include "base/text.h"

enum {
    APP_SETTING_BYTES = 2000, /* of a value as text, with its NUL */
    APP_MISTAKES = 20,        /* told at once */
};

/* The defaults are what the program runs with: each is handed on, so an option's own default (0) counts in
 * tests and benches only, and is kept equal.  The order is that of the sample: first what stands above every [table], then table by table. */
/* clang-format off */
/*    enum                     name                       kind     default           least  most        unit
        purpose */
#define APP_SETTING_TABLE(X)                                                                       \
    X(LISTEN,                  "listen",                  ADDRESS, "127.0.0.1:7010", 0,     0,          "", \
      "where the door listens: ADDRESS:PORT, :PORT for every address, port 0 for any free "        \
      "one, or the path of a unix socket")                                                         \
    X(LOOPS,                   "loops",                   COUNT,   "1",              1,     64,         "threads", \
      "threads that read requests and write answers, and as many that read large bodies")                                              \
    X(DRAIN_S,                 "drain_s",                 COUNT,   "10",             1,     3600,       "s", \
      "how long a server that is told to stop waits for requests under way before it cuts "        \
      "them")                                                                                      \
    X(LOG_LEVEL,               "log.level",               LEVEL,   "info",           0,     0,          "", \
      "the least important lines that the server writes to stderr: debug, info, warn, error "      \
      "or off")                                                                                    \
    X(LIMITS_BODY_BYTES,       "limits.body_bytes",       COUNT,   "4194304",        65536, 16777216,   "bytes", \
      "the most that the body of one request may have, as sent and after inflating; above, "       \
      "413")                                                                                       \
    X(LIMITS_BATCH_EVENTS,     "limits.batch_events",     COUNT,   "10000",          1,     100000,     "events", \
      "the most events in one batch; above, 413")                                                  \
    X(LIMITS_CONNECTIONS,      "limits.connections",      COUNT,   "10000",          8,     1048576,    "connections", \
      "open at once, each takes a file descriptor; above, idle ones make room first")              \
    X(LIMITS_PEER_CONNECTIONS, "limits.peer_connections", COUNT,   "512",            1,     1048576,    "connections", \
      "open at once from one address (IPv6: one /64); behind a proxy all come from one: set "      \
      "what limits.connections says")                                                              \
    X(LIMITS_HEAD_MS,          "limits.head_ms",          COUNT,   "5000",           100,   3600000,    "ms", \
      "from the first byte of a request to the end of its head; then 408")                         \
    X(LIMITS_BODY_MS,          "limits.body_ms",          COUNT,   "10000",          100,   3600000,    "ms", \
      "from the end of the head to the end of the body; then 408")                                 \
    X(LIMITS_TOKEN_REQUESTS,   "limits.token_requests",   COUNT,   "1000",           0,     1000000,    "requests/s", \
      "what one token may send, ten seconds' worth at once; above, 429 with Retry-After; 0: no "   \
      "limit")                                                                                     \
    X(SPINE_GROUP_EVENTS,      "spine.group_events",      COUNT,   "1024",           1,     100000,     "events", \
      "the most events in one transaction: more share one sync of the disk, and wait longer "      \
      "for it")                                                                                    \
    X(SPINE_QUEUE_EVENTS,      "spine.queue_events",      COUNT,   "65536",          8192,  16777216,   "events", \
      "the most events that wait for the writer; above, 503 with Retry-After")                     \
    X(SPINE_SNAPSHOT_EVENTS,   "spine.snapshot_events",   COUNT,   "500000",         1000,  1000000000, "events", \
      "after so many events the index is written anew, beside the work: fewer make a start "       \
      "quicker, more save the disk")                                                               \
    X(SPINE_RUN_PAIRS,         "spine.run_pairs",         COUNT,   "16384",          1024,  16777216,   "pairs", \
      "pairs that each of the two run sets gathers in memory before it sorts them into a "         \
      "file: 26 bytes each, some tables at a time; a larger group gets a larger table")                                                \
    X(VAULT_CACHE_KEYS,        "vault.cache_keys",        COUNT,   "65536",          1024,  1048576,    "keys", \
      "keys of shoppers kept ready, in memory that is not swapped out where the system "           \
      "allows it: 37 bytes each")                                                                  \
    X(LEDGER_URL,              "ledger.url",              TEXT,    "",               0,     0,          "", \
      "a PostgreSQL server that holds the ledger, postgres://ROLE@HOST/DATABASE; empty: a file "   \
      "of the data folder")                                                                        \
    X(LEDGER_WRITERS,          "ledger.writers",          COUNT,   "8",              1,     256,        "connections", \
      "baskets that PostgreSQL commits at the same time; a file has one writer")                   \
    X(LEDGER_CACHE_KIB,        "ledger.cache_kib",        COUNT,   "2048",           256,   16777216,   "KiB", \
      "page cache of each connection to the ledger: the writer and each reader")                   \
    X(LEDGER_READERS,          "ledger.readers",          COUNT,   "4",              1,     256,        "connections", \
      "requests that may read the ledger at the same time; others wait their turn")                \
    X(MQTT_BROKER,             "mqtt.broker",             BROKER,  "",               0,     0,          "", \
      "the MQTT broker that cameras, counters and readers publish to, HOST:PORT; empty: none")     \
    X(MQTT_SUBSCRIPTIONS,      "mqtt.subscriptions",      TOPICS,  "",               0,     0,          "", \
      "what is taken from it: TOPIC-FILTER = FORM, SOURCE, STORE, and more behind ';'; see "       \
      "docs/devices.md")                                                                           \
    X(MQTT_CLIENT_ID,          "mqtt.client_id",          TEXT,    "souk",           0,     0,          "", \
      "the broker keeps what is not yet taken under this name: no other client may have it")       \
    X(MQTT_CA_FILE,            "mqtt.ca_file",            TEXT,    "",               0,     0,          "", \
      "a file of certificates (PEM), one of which signed the broker's; empty: no TLS")             \
    X(MQTT_USER,               "mqtt.user",               TEXT,    "",               0,     0,          "", \
      "the user at the broker; empty: none")                                                       \
    X(MQTT_PASSWORD_FILE,      "mqtt.password_file",      TEXT,    "",               0,     0,          "", \
      "the file whose first line is the user's password; empty: none")                   \
    X(WEBHOOKS_ALLOW_PRIVATE,  "webhooks.allow_private",  NETWORKS, "",              0,     0,          "", \
      "addresses beside those of the internet that webhooks may go to, over http, too: "           \
      "10.0.0.0/8, ::1")                                                                           \
    X(WEBHOOKS_RETRY_MS,       "webhooks.retry_ms",       COUNT,   "5000",           10,    600000,     "ms", \
      "how long a webhook that failed waits for its first retry; later ones grow with it, the "    \
      "tenth try is the last, after three and a half days")                                        \
    X(WEBHOOKS_DEADLINE_MS,    "webhooks.deadline_ms",    COUNT,   "15000",          100,   60000,      "ms", \
      "from the first step towards a webhook's receiver to the end of its answer")
/* clang-format on */

typedef enum app_setting_id {
#define APP_SETTING_ID(id, name, kind, usual, least, most, unit, purpose) APP_##id,
    APP_SETTING_TABLE(APP_SETTING_ID)
#undef APP_SETTING_ID
        APP_SETTINGS
} app_setting_id;

typedef enum app_setting_kind {
    APP_KIND_ADDRESS,
    APP_KIND_LEVEL,
    APP_KIND_COUNT,
    APP_KIND_BROKER, /* HOST:PORT, or empty */
    APP_KIND_TOPICS, /* serve/mqtt_topics.h, may be empty */
    APP_KIND_TEXT,
    APP_KIND_NETWORKS, /* a list of base/inet.h, may be empty */
} app_setting_kind;

typedef struct app_setting {
    const char *name;
    app_setting_kind kind;
    const char *usual;   /* the default, as text */
    int64_t least, most; /* of a count */
    const char *unit, *purpose;
} app_setting;
extern const app_setting app_setting_table[APP_SETTINGS];

typedef enum app_origin { APP_DEFAULT, APP_FILE, APP_ENVIRONMENT, APP_FLAG } app_origin;
const char *app_origin_word(app_origin origin);

typedef struct app_value {
    char text[APP_SETTING_BYTES];
    int64_t number; /* of a count */
    app_origin origin;
    uint64_t line, column; /* in the file, where it comes from there */
} app_value;

typedef struct app_settings {
    char file[4096]; /* that was read; "": there was none */
    app_value values[APP_SETTINGS];
} app_settings;

/* Something a human must mend. */
typedef struct app_mistake {
    char where[400];       /* the file, the variable or the flag */
    uint64_t line, column; /* 0: not in a file, or the whole file */
    char words[400];       /* what is wrong, and what to do */
} app_mistake;
typedef struct app_mistakes {
    app_mistake at[APP_MISTAKES]; /* those of a file by their lines */
    size_t count;
} app_mistakes;

typedef struct app_settings_from {
    const char *file;         /* NULL: none; "-": stdin */
    bool file_must_exist;     /* it was named, so that its absence is an error */
    char *const *environment; /* NULL: none */
    const char *const *flags; /* [APP_SETTINGS], NULL where not given; NULL: none */
} app_settings_from;

/* SOUK_EINVAL: mistakes tells which; the settings are those without what is wrong.
 * SOUK_ENOENT, SOUK_EDENIED, SOUK_EIO: the file cannot be read, with one mistake that says so.
 * SOUK_ENOMEM. */
SOUK_CHECKED souk_err app_settings_load(souk_mem *mem, const app_settings_from *from,
                                        app_settings *ret_settings, app_mistakes *mistakes);

int64_t app_setting_of(const app_settings *settings, app_setting_id id);
const char *app_setting_text(const app_settings *settings, app_setting_id id);

/* Whether a server that gets SIGHUP takes a new value; the others hold from its start to its end. */
bool app_setting_is_live(app_setting_id id);

/* "--limits-body-ms" and "SOUK_LIMITS_BODY_MS". */
enum { APP_SPELLING_BYTES = 64 };
void app_setting_flag(app_setting_id id, char to[APP_SPELLING_BYTES]);
void app_setting_variable(app_setting_id id, char to[APP_SPELLING_BYTES]);

/* "data/souk.toml:7:14: words", without an end of line. */
void app_mistake_write(const app_mistake *mistake, souk_buf *out);

/* settings_print.c: the table in its other forms. */
void app_settings_write_sample(souk_buf *out);    /* souk.toml, everything commented out */
void app_settings_write_reference(souk_buf *out); /* docs/settings.md */
void app_settings_write_words(const app_settings *settings, souk_buf *out);
void app_settings_write_json(const app_settings *settings, souk_buf *out);

#endif
