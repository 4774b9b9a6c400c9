/* commands.c - the table of commands, and those that are one call or little more. */
#include "app/app.h"
#include "base/progress.h"
#include "service/collect/vocabulary.h"

#include <stdio.h>
#include <sys/stat.h>

static souk_err call_and_print(const app_options *options, const char *method, const char *path,
                               souk_text body, souk_diag *diag)
{
    souk_auto_value(souk_buf) answer = {.mem = souk_mem_heap(), .limit_bytes = (size_t)256 << 20};
    SOUK_TRY(app_call(options, method, path, body, &answer, diag));
    app_print(options, souk_buf_view(&answer));
    return SOUK_OK;
}

/* ---- init ------------------------------------------------------------------------------------------------ */

static souk_err found_shop(const app_options *options, app_shop *shop, souk_diag *diag)
{
    souk_secrets secrets;
    souk_auto_value(souk_buf) out = {.mem = souk_mem_heap()};
    const char *name = options->name ? options->name : "shop";
    SOUK_TRY(app_shop_open(options, shop, diag));
    SOUK_TRY(souk_merchants_found(shop->merchants, souk_text_of(name), &secrets));
    /* A write key is public: web pages carry it.  Kept so that `serve` can print a line to try. */
    SOUK_TRY(souk_disk_put(shop->disk, "write_key", secrets.write_key, strlen(secrets.write_key)));
    souk_json_writer json = {.out = &out};
    souk_json_write_object(&json);
    souk_json_put_text(&json, "operator", souk_text_of(secrets.operator_id));
    souk_json_put_text(&json, "admin_token", souk_text_of(secrets.admin_token));
    souk_json_put_text(&json, "write_key", souk_text_of(secrets.write_key));
    souk_json_write_end(&json);
    SOUK_TRY(souk_json_write_check(&json));
    app_print(options, souk_buf_view(&out));
    fprintf(stderr, "The admin token is shown this once: keep it like a password.\n");
    return SOUK_OK;
}

/* What there is to set, commented out; a file that is there already is somebody's work. */
static souk_err put_sample(souk_disk *disk)
{
    souk_auto_value(souk_buf) sample = {.mem = souk_mem_heap()};
    if (souk_disk_exists(disk, "souk.toml"))
        return SOUK_OK;
    app_settings_write_sample(&sample);
    SOUK_TRY(souk_buf_check(&sample));
    return souk_disk_put(disk, "souk.toml", sample.at, sample.bytes);
}

static souk_err run_init(const app_options *options, souk_diag *diag)
{
    souk_auto(souk_disk) disk = NULL;
    app_shop shop = {.disk = NULL};
    SOUK_TRY(app_read_settings(options, &shop.settings, diag)); /* before anything is made */
    SOUK_TRY(souk_disk_open_real(souk_mem_heap(), options->data, &disk, diag));
    souk_spine_options spine = app_spine_options(&shop.settings);
    SOUK_TRY(souk_spine_init(souk_mem_heap(), disk, &spine, diag));
    SOUK_TRY(put_sample(disk));
    souk_disk_free(souk_take(&disk));
    souk_err err = found_shop(options, &shop, diag);
    souk_err closed = shop.spine ? app_shop_close(&shop) : SOUK_OK;
    return err ? err : closed;
}

/* ---- one call each ------------------------------------------------------------------------------------------ */

static souk_err run_stats(const app_options *options, souk_diag *diag)
{
    return call_and_print(options, "GET", "/v1/stats", SOUK_TEXT(""), diag);
}

void app_put_escaped(souk_buf *path, const char *text)
{
    for (; *text; text++) {
        char c = *text;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_' || c == '.';
        if (plain)
            souk_buf_byte(path, c);
        else
            souk_buf_print(path, "%%%02X", (unsigned)(unsigned char)c);
    }
}

static souk_err show(const app_options *options, const char *what, souk_diag *diag)
{
    souk_auto_value(souk_buf) path = {.mem = souk_mem_heap()};
    for (int i = 0; i < 2; i++)
        if (!options->operands[i][0])
            return souk_diag_say(diag, SOUK_EINVAL, "%s is empty", i ? "VALUE" : "KIND");
    souk_buf_text(&path, SOUK_TEXT("/v1/shoppers/"));
    app_put_escaped(&path, options->operands[0]);
    souk_buf_byte(&path, '/');
    app_put_escaped(&path, options->operands[1]);
    souk_buf_print(&path, "%s", what);
    if (options->operand_count == 3) {
        souk_buf_text(&path, SOUK_TEXT("?purpose="));
        app_put_escaped(&path, options->operands[2]);
    }
    const char *ended = souk_buf_ended(&path);
    SOUK_TRY(souk_buf_check(&path));
    return call_and_print(options, "GET", ended, SOUK_TEXT(""), diag);
}

static souk_err run_shopper(const app_options *options, souk_diag *diag)
{
    return show(options, "", diag);
}
static souk_err run_profile(const app_options *options, souk_diag *diag)
{
    return show(options, "/profile", diag);
}
static souk_err run_timeline(const app_options *options, souk_diag *diag)
{
    return show(options, "/timeline", diag);
}

static void write_identifier(souk_json_writer *json, const char *key, const char *kind,
                             const char *value)
{
    souk_json_write_key(json, souk_text_of(key));
    souk_json_write_object(json);
    souk_json_put_text(json, "kind", souk_text_of(kind));
    souk_json_put_text(json, "value", souk_text_of(value));
    souk_json_write_end(json);
}

/* A body of one or two identifiers and named texts. */
static souk_err decide(const app_options *options, const char *path, size_t identifiers,
                       const char *const *names, souk_diag *diag)
{
    souk_auto_value(souk_buf) body = {.mem = souk_mem_heap()};
    souk_json_writer json = {.out = &body};
    souk_json_write_object(&json);
    for (size_t i = 0; i < identifiers; i++)
        write_identifier(&json, i ? "b" : "a", options->operands[2 * i],
                         options->operands[2 * i + 1]);
    for (size_t i = 0; names[i] && 2 * identifiers + i < options->operand_count; i++) {
        souk_json_write_key(&json, souk_text_of(names[i]));
        souk_json_write_text(&json, souk_text_of(options->operands[2 * identifiers + i]));
    }
    souk_json_write_end(&json);
    SOUK_TRY(souk_json_write_check(&json));
    return call_and_print(options, "POST", path, souk_buf_view(&body), diag);
}

static souk_err run_merge(const app_options *options, souk_diag *diag)
{
    return decide(options, "/v1/shoppers/merge", 2, (const char *const[]){"by", "reason", NULL},
                  diag);
}
static souk_err run_unmerge(const app_options *options, souk_diag *diag)
{
    return decide(options, "/v1/shoppers/unmerge", 1, (const char *const[]){"by", "reason", NULL},
                  diag);
}
static souk_err run_consent(const app_options *options, souk_diag *diag)
{
    return decide(options, "/v1/shoppers/consent", 1,
                  (const char *const[]){"purpose", "basis", "evidence", "age", NULL}, diag);
}
static souk_err run_erase(const app_options *options, souk_diag *diag)
{
    return decide(options, "/v1/shoppers/erase", 1, (const char *const[]){NULL}, diag);
}

static souk_err run_rejects(const app_options *options, souk_diag *diag)
{
    if (options->operand_count == 0)
        return call_and_print(options, "GET", "/v1/rejects", SOUK_TEXT(""), diag);
    char path[100];
    uint64_t id;
    bool replay = !strcmp(options->operands[0], "replay");
    if ((!replay && strcmp(options->operands[0], "drop") != 0) || options->operand_count == 1 ||
        (!replay && options->operand_count == 3))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "souk rejects, souk rejects replay ID [EVENT], or souk rejects drop "
                             "ID");
    if (souk_text_to_u64(souk_text_of(options->operands[1]), &id))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the id of a reject is a number: see `souk rejects`");
    snprintf(path, sizeof path, "/v1/rejects/%llu%s", (unsigned long long)id,
             replay ? "/replay" : "");
    const char *body = options->operand_count == 3 ? options->operands[2] : "";
    return call_and_print(options, replay ? "POST" : "DELETE", path, souk_text_of(body), diag);
}

static souk_err run_quarantine(const app_options *options, souk_diag *diag)
{
    return call_and_print(options, "GET", "/v1/quarantine", SOUK_TEXT(""), diag);
}

/* ---- upkeep ---------------------------------------------------------------------------------------------- */

static souk_err show_progress(void *context, uint64_t done, uint64_t total)
{
    souk_progress *bar = context;
    bar->options.total = total;
    souk_progress_set(bar, done);
    return app_interrupted() ? SOUK_EINTERRUPT : SOUK_OK;
}

/* Alone: while it makes the derived files again there is nothing to answer from. */
static souk_err run_rebuild(const app_options *options, souk_diag *diag)
{
    souk_auto_value(souk_progress) bar = {0};
    app_line line;
    app_catch_signals();
    SOUK_TRY(app_line_open(options, &line, diag));
    if (!line.here)
        return souk_diag_say(diag, SOUK_ELOCKED,
                             "a server owns %s, and rebuild needs the folder to itself: stop the "
                             "server, rebuild, start it again (`souk verify` works beside it and "
                             "says whether that is needed)",
                             options->data);
    souk_progress_start(&bar, &(souk_progress_options){.label = "rebuild", .unit = "events"});
    souk_err err = souk_spine_rebuild(line.shop.spine, show_progress, &bar);
    if (!err)
        souk_progress_finish(&bar);
    souk_err closed = app_line_close(&line);
    SOUK_TRY(err ? err : closed);
    app_print(options, SOUK_TEXT("{\"done\":true}"));
    return SOUK_OK;
}

/* The page docs/events.md; as JSON, all schemas by name. */
static souk_err run_events(const app_options *options, souk_diag *diag)
{
    souk_auto_value(souk_buf) out = {.mem = souk_mem_heap()};
    souk_json_writer json = {.out = &out};
    (void)diag;
    if (!options->json) {
        souk_vocabulary_write(&out);
        fwrite(out.at, 1, out.bytes, stdout);
        return souk_buf_check(&out);
    }
    souk_json_write_object(&json);
    for (size_t i = 0; i < souk_vocable_count; i++) {
        souk_json_write_key(&json, souk_text_of(souk_vocables[i].name));
        souk_vocable_schema(&souk_vocables[i], &json);
    }
    souk_json_write_end(&json);
    SOUK_TRY(souk_json_write_check(&json));
    app_print(options, souk_buf_view(&out));
    return SOUK_OK;
}

static souk_err run_version(const app_options *options, souk_diag *diag)
{
    (void)diag;
    app_print(options, SOUK_TEXT("{\"version\":\"" SOUK_VERSION "\"}"));
    return SOUK_OK;
}

/* name, operands, summary, run, least and most operands; then what `souk help NAME` adds. */
const app_command app_commands[] = {
    {"init", "", "make a shop in --data: keys, ledger, first token and write key", run_init, 0, 0,
     "[--name NAME]", "souk init --data shop"},
    {"serve", "", "serve the shop of --data at --listen", app_serve, 0, 0,
     "[--listen ADDR] [--SETTING …]", "souk serve --listen 127.0.0.1:0"},
    {"import", "FORMAT FILE", "a file becomes events, products or consents, exactly once",
     app_import, 2, 2,
     "[--dry-run] [--map C=M] [--zone ZONE] [--currency CODE] [--dates ORDER] [--decimal MARK] "
     "[--separator SIGN] [--quote SIGN] [--encoding CHARSET] [--source NAME] [--basis P=B …] "
     "[--age-band AGE]",
     "souk import orders orders.csv --dry-run"},
    {"stats", "", "totals over every event", run_stats, 0, 0, NULL, NULL},
    {"shopper", "KIND VALUE [PURPOSE]", "who is behind an identifier", run_shopper, 2, 3, NULL,
     "souk shopper email ann@example.com"},
    {"profile", "KIND VALUE [PURPOSE]", "a shopper's sums: orders, amounts, events", run_profile, 2,
     3, NULL, "souk profile user u1"},
    {"timeline", "KIND VALUE [PURPOSE]", "a shopper's last events, newest first", run_timeline, 2,
     3, NULL, "souk timeline user u1 profile"},
    {"tail", "", "events as they happen, a line each, until Ctrl-C", app_tail, 0, 0,
     "[--type TYPE …] [--source NAME] [--store STORE] [--product PRODUCT] [--shopper SHOPPER] "
     "[--from POSITION] [--rate NUMBER]",
     "souk tail --type \"Order Completed\" --store SH-014"},
    {"merge", "KIND VALUE KIND VALUE [BY WHY]", "two shoppers are one person", run_merge, 4, 6,
     NULL, "souk merge user u1 email ann@example.com \"clerk 7\" \"both cards are hers\""},
    {"unmerge", "KIND VALUE [BY WHY]", "they are not: takes back each merge that names her",
     run_unmerge, 2, 4, NULL, "souk unmerge user u1 \"clerk 7\" \"sisters\""},
    {"consent", "KIND VALUE PURPOSE BASIS [EVIDENCE AGE]", "consent given, or withdrawn",
     run_consent, 4, 6, NULL, "souk consent user u1 advertise consent \"form 12\" adult"},
    {"erase", "KIND VALUE", "forget a shopper at once and for ever: keys destroyed", run_erase, 2,
     2, NULL, "souk erase email ann@example.com"},
    {"rejects", "[replay ID [EVENT] | drop ID]", "events that could not be taken", run_rejects, 0,
     3, NULL, "souk rejects replay 1 '{\"event\":\"Product Viewed\",\"userId\":\"u1\"}'"},
    {"quarantine", "", "events that a reader of the log could not take, and why", run_quarantine, 0,
     0, NULL, NULL},
    {"source", "list | add NAME | set NAME", "who sends events, and what it states", app_sources, 0,
     2, "[--basis P=B …] [--age-band adult] [--speaks-for WHOM]",
     "souk source add till --basis profile=consent"},
    {"key", "list | new SOURCE | revoke ID", "write keys, for sending events", app_keys, 0, 2, NULL,
     "souk key new till"},
    {"token", "list | new SCOPE… | revoke ID", "tokens, for reading and deciding", app_tokens, 0,
     APP_OPERANDS, "[--name NAME]", "souk token new read manage --name helpdesk"},
    {"hook", "list | add FORM NAME | remove ID", "signed hooks of web shops, and their secrets",
     app_hooks, 0, 3, "[--secret-file FILE] [--basis P=B …] [--age-band adult]",
     "souk hook add shopify webshop --secret-file secret.txt"},
    {"webhook",
     "list | add URL | remove ID | rotate ID | test ID | deliveries ID | retry ID DELIVERY",
     "who is told of events, and whether it arrives", app_webhooks, 1, 3,
     "[--events EVENTS] [--purpose PURPOSE]",
     "souk webhook add https://crm.example/souk --events 'Order Completed,Order Refunded'"},
    {"coupons", "CLASS COUNT FILE", "issue codes of a class of coupons into a new CSV file",
     app_coupons, 3, 3, NULL, "souk coupons tea10 100000 codes.csv"},
    {"jobs", "[ID | cancel ID]", "imports, backups and checks, and how far they are", app_jobs, 0,
     2, NULL, "souk jobs cancel 3"},
    {"rebuild", "", "make everything derived again from the log", run_rebuild, 0, 0, NULL, NULL},
    {"verify", "", "prove that everything derived equals the log", app_verify, 0, 0, NULL, NULL},
    {"backup", "", "ledger, keys and erasures as three files in --to", app_backup, 0, 0, "--to DIR",
     "souk backup --to monday"},
    {"restore", "", "make the shop of --data from the backup in --to", app_restore, 0, 0,
     "--to DIR", "souk restore --to monday --data shop"},
    {"config", "show | check [FILE] | sample | reference",
     "the settings: what holds, what is wrong", app_config, 0, 2, "[--SETTING …]",
     "souk config check"},
    {"doctor", "", "is the folder sound, are its keys safe, is the machine fit?", app_doctor, 0, 0,
     NULL, NULL},
    {"world", "", "a simulated retail world with known truth, as events", app_world, 0, 0,
     "[--shoppers N] [--stores N] [--days N] [--seed N] [--out FOLDER] [--force]",
     "souk world --shoppers 2000 --days 60 --out demo"},
    {"bench", "BENCH | all | --list", "the measured claims, each beside its peer", app_bench, 0,
     APP_OPERANDS, NULL, NULL},
    {"events", "", "the names of events and what each tells; --json: a JSON Schema of each",
     run_events, 0, 0, NULL, NULL},
    {"help", "[COMMAND]", "what the words of a command mean", app_help, 0, 1, NULL,
     "souk help consent"},
    {"man", "[PAGE | --list]", "a page of the manual, as mdoc", app_man, 0, 1, NULL,
     "souk man import | man -l -"},
    {"completion", "bash | zsh | fish", "a script by which that shell completes commands",
     app_completion, 1, 1, NULL, "eval \"$(souk completion bash)\""},
    {"version", "", "which version this is", run_version, 0, 0, NULL, NULL},
};
const size_t app_command_count = sizeof app_commands / sizeof *app_commands;
