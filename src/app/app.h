/* app.h - the commands of `souk`, each a row of one table: its help, its flags and its exit code grow from it.
 *
 *     souk serve --data DIR --listen 127.0.0.1:0 --json
 *
 * Data goes to stdout, words and progress bars to stderr; --json makes stdout one JSON object a line.
 * Exit codes: 0 done, 1 it could not be done, 2 it was asked wrongly.
 *
 * A command needs the data folder's owner.  If a server owns it, the command speaks to it over the folder's
 * control socket; else it becomes the owner until it is done. */
#ifndef SOUK_APP_APP_H
#define SOUK_APP_APP_H

#include "app/settings.h"
#include "base/log.h"
#include "core/task.h"
#include "serve/api.h"

#include <stdio.h>

enum { APP_OPERANDS = 8, APP_BASES = 16, APP_TYPES = 16 };

/* What the command line and the environment (SOUK_DATA, SOUK_CONFIG) say; flags win. */
typedef struct app_options {
    const char *program; /* as it was called, for lines to paste */
    const char *data, *name;
    const char *config; /* the file of settings; NULL: souk.toml in the data folder */
    const char *settings[APP_SETTINGS]; /* flags of settings; NULL: not given */
    bool json, help, list, force;
    const char *age_band, *speaks_for, *source, *to, *secret_file;
    const char *events, *purpose;                        /* of a webhook */
    const char *shoppers, *stores, *days, *seed, *out;   /* of a world */
    const char *store, *product, *shopper, *from, *rate; /* of a stream */
    const char *types[APP_TYPES];                        /* --type T, again and again */
    size_t type_count;
    const char *bases[APP_BASES]; /* --basis PURPOSE=BASIS, again and again */
    /* of imports */
    bool dry_run;
    const char *map, *encoding, *separator, *quote, *decimal, *dates, *zone, *currency;
    size_t base_count;
    const char *operands[APP_OPERANDS];
    size_t operand_count;
} app_options;

typedef struct app_command {
    const char *name, *operands, *summary;
    souk_err (*run)(const app_options *options, souk_diag *diag);
    size_t least, most;          /* operands; others are refused before run, with the usage */
    const char *flags, *example; /* NULL: none */
} app_command;

extern const app_command app_commands[];
extern const size_t app_command_count;

/* The row of the name, or NULL. */
const app_command *app_command_find(const char *name);
/* `souk import online-retail FILE [--source NAME] …`: name, operands and flags. */
void app_command_usage(const app_command *command, char *ret_usage, size_t bytes);
/* One command: its usage, what each word of it may be, an example. */
void app_help_command(const app_command *command, FILE *to);
/* All commands and flags, a line each. */
void app_help_all(FILE *to);
/* SOUK_EINVAL, with the nearest one in diag. */
souk_err app_no_command(const char *word, souk_diag *diag);

/* The services of this program; the only list of them. */
extern const souk_service *const app_services[];
extern const size_t app_service_count;

/* The settings of this command; see app_settings_load. */
SOUK_CHECKED souk_err app_load_settings(const app_options *options, app_settings *ret_settings,
                                        app_mistakes *mistakes);
/* The same, for who cannot go on without.  What is wrong goes to stderr, a line each.  SOUK_EINVAL. */
SOUK_CHECKED souk_err app_read_settings(const app_options *options, app_settings *ret_settings,
                                        souk_diag *diag);

/* An open shop: the folder's rooms, owned by this process. */
typedef struct app_shop {
    app_settings settings;
    souk_disk *disk;
    souk_spine *spine;
    souk_merchants *merchants;
    souk_api *api;
    /* Set before open: told of the replay, beside the bar; may be NULL. */
    void (*replayed)(void *context, uint64_t done, uint64_t total);
    void *replayed_context;
} app_shop;
/* Reads the settings, too: what is wrong there opens nothing. */
SOUK_CHECKED souk_err app_shop_open(const app_options *options, app_shop *ret_shop,
                                    souk_diag *diag);
/* Orderly: what is in memory goes to the snapshot. */
SOUK_CHECKED souk_err app_shop_close(app_shop *shop);
void app_shop_done(app_shop *shop);

/* A line to the folder's owner: a server over its control socket, or this process itself. */
typedef struct app_line {
    const app_options *options;
    bool here;     /* no server runs: the folder is ours until close */
    app_shop shop; /* here */
} app_line;
SOUK_CHECKED souk_err app_line_open(const app_options *options, app_line *ret_line,
                                    souk_diag *diag);
/* One call.  The answer's body is appended; an answer above 299 becomes its error, with its words in diag.
 * SOUK_ESTOPPED: the server is gone. */
SOUK_CHECKED souk_err app_line_call(app_line *line, const char *method, const char *path,
                                    souk_text body, souk_buf *answer, souk_diag *diag);
SOUK_CHECKED souk_err app_line_close(app_line *line);
/* Open, one call, close. */
SOUK_CHECKED souk_err app_call(const app_options *options, const char *method, const char *path,
                               souk_text body, souk_buf *answer, souk_diag *diag);
/* Runs a job where the owner is, with a bar: body is that of POST /v1/jobs.  Ctrl-C cancels it.  Prints its
 * result; a job that does not end well becomes its error, with its words. */
SOUK_CHECKED souk_err app_job(const app_options *options, const char *label, souk_text body,
                              souk_diag *diag);
/* The path as another process, in another folder, would have to name it. */
SOUK_CHECKED souk_err app_absolute(const char *path, souk_buf *out, souk_diag *diag);
/* What --basis and --age-band say, as members of an object. */
void app_write_statement(const app_options *options, souk_json_writer *json);

/* Text as a part of a path or of a query. */
void app_put_escaped(souk_buf *path, const char *text);
/* Prints one JSON object: as it is with --json, else as lines of words. */
void app_print(const app_options *options, souk_text json);

/* open.c: what the settings say of the spine. */
souk_spine_options app_spine_options(const app_settings *settings);
/* neighbours.c: plugs services that need one another together; before the first call. */
void app_plug_neighbours(souk_api *api);

/* mqtt.c: starts the client of the broker that the settings name; nothing where they name none. */
SOUK_CHECKED souk_err app_mqtt_start(const app_shop *shop, souk_log *log, souk_diag *diag);

/* Whether Ctrl-C or SIGTERM came; progress callbacks ask it. */
bool app_interrupted(void);
void app_catch_signals(void);

/* Commands in files of their own. */
souk_err app_serve(const app_options *options, souk_diag *diag);
souk_err app_import(const app_options *options, souk_diag *diag);
souk_err app_tail(const app_options *options, souk_diag *diag);
souk_err app_verify(const app_options *options, souk_diag *diag);
souk_err app_jobs(const app_options *options, souk_diag *diag);
souk_err app_coupons(const app_options *options, souk_diag *diag);
souk_err app_sources(const app_options *options, souk_diag *diag);
souk_err app_keys(const app_options *options, souk_diag *diag);
souk_err app_tokens(const app_options *options, souk_diag *diag);
souk_err app_hooks(const app_options *options, souk_diag *diag);
souk_err app_webhooks(const app_options *options, souk_diag *diag);
souk_err app_backup(const app_options *options, souk_diag *diag);
souk_err app_restore(const app_options *options, souk_diag *diag);
souk_err app_config(const app_options *options, souk_diag *diag);
souk_err app_doctor(const app_options *options, souk_diag *diag);
souk_err app_world(const app_options *options, souk_diag *diag);
souk_err app_bench(const app_options *options, souk_diag *diag);
souk_err app_help(const app_options *options, souk_diag *diag);
souk_err app_man(const app_options *options, souk_diag *diag);
souk_err app_completion(const app_options *options, souk_diag *diag);

#endif
