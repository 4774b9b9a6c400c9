/* doctor.c - `souk doctor`: looks at the folder, its files, the machine, and a running server.
 *
 * Nothing of the shop is changed, nothing is recovered, no lock is kept: it may run beside a server, and
 * before the first start of a newer program.  What would leave files of another owner behind (a look into
 * the ledger makes SQLite's own, the sync test one of ours) is not done for a folder of somebody else. */
#include "app/doctor.h"
#include "app/app.h"
#include "app/doctor_machine.h"
#include "core/task.h"
#include "os/socket.h"
#include "store/vault_format.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MODULES = 64, WALK_BYTES = 1 << 30, ANSWER_MS = 5000 };

struct patient {
    const app_options *options;
    app_settings settings;
    souk_disk *disk;
    struct stat folder;
    bool ours;   /* the folder belongs to who runs this */
    long server; /* its process, 0: none answers */
    souk_time newest;
    doctor_report report;
};

static void path_of(const struct patient *my, const char *name, char path[4096])
{
    snprintf(path, 4096, "%s/%s", my->options->data, name);
}

/* ---- the folder and its files ------------------------------------------------------------------ */

/* False: there is nothing to look into. */
static bool check_folder(struct patient *my)
{
    const char *path = my->options->data;
    if (stat(path, &my->folder) || !S_ISDIR(my->folder.st_mode)) {
        doctor_say(&my->report, "folder", DOCTOR_FAULT,
                   "name the data folder with --data, or make a shop with `souk init`",
                   "there is no folder %s", path);
        return false;
    }
    unsigned mode = my->folder.st_mode & 07777, owner = my->folder.st_uid;
    my->ours = owner == geteuid();
    if (mode & 022)
        doctor_say(&my->report, "folder", DOCTOR_FAULT,
                   "chmod 0700 it: who may write there may "
                   "put another shop in its place",
                   "%s has mode %04o: others may write", path, mode);
    else if (mode & 055)
        doctor_say(&my->report, "folder", DOCTOR_ADVICE, "chmod 0700 it",
                   "%s has mode %04o: others may list it", path, mode);
    else
        doctor_say(&my->report, "folder", DOCTOR_OK, NULL, "%s has mode %04o", path, mode);
    if (!my->ours)
        doctor_say(&my->report, "owner", DOCTOR_ADVICE,
                   "run this again as that user: what would leave files behind was left out",
                   "%s belongs to user %u, and you are %u", path, owner, (unsigned)geteuid());
    return true;
}

static void check_file(struct patient *my, const char *name, bool must_exist)
{
    struct stat status;
    char path[4096];
    path_of(my, name, path);
    if (stat(path, &status)) {
        if (must_exist)
            doctor_say(&my->report, name, DOCTOR_FAULT,
                       "put it back from its backup; a new shop is made by `souk init`",
                       "%s is missing", path);
        return;
    }
    souk_time changed = (souk_time)status.st_mtim.tv_sec * 1000;
    my->newest = changed > my->newest ? changed : my->newest;
    unsigned mode = status.st_mode & 07777;
    if (status.st_uid != my->folder.st_uid)
        doctor_say(&my->report, name, DOCTOR_FAULT, "chown it to the owner of the folder",
                   "%s belongs to user %u, the folder to %u", path, (unsigned)status.st_uid,
                   (unsigned)my->folder.st_uid);
    else if (mode & 077)
        doctor_say(&my->report, name, DOCTOR_FAULT,
                   !strcmp(name, "root.key") ? "chmod 0400 it, and think of who has read it"
                                             : "chmod 0600 it",
                   "%s has mode %04o: others may %s it", path, mode,
                   mode & 022 ? "change" : "read");
    else if (must_exist)
        doctor_say(&my->report, name, DOCTOR_OK, NULL, "%s has mode %04o", path, mode);
}

static void check_files(struct patient *my)
{
    static const char *const may[] = {"ledger-wal", "ledger-shm", "index",
                                      "erasures",   "control",    "lock"};
    check_file(my, "root.key", true);
    check_file(my, "keys", true);
    check_file(my, "ledger", true);
    for (size_t i = 0; i < sizeof may / sizeof *may; i++)
        check_file(my, may[i], false);
}

static void check_root_key_place(struct patient *my)
{
    struct stat root, keys;
    char path[4096];
    path_of(my, "root.key", path);
    bool there = !stat(path, &root);
    path_of(my, "keys", path);
    if (there && !stat(path, &keys))
        doctor_judge_root_key_place(&my->report, root.st_dev == keys.st_dev);
}

static void check_settings(struct patient *my)
{
    app_mistakes mistakes = {.count = 0};
    souk_err err = app_load_settings(my->options, &my->settings, &mistakes);
    for (size_t i = 0; i < mistakes.count && i < 5; i++) {
        souk_auto_value(souk_buf) line = {.mem = souk_mem_heap()};
        app_mistake_write(&mistakes.at[i], &line);
        doctor_say(&my->report, "settings", DOCTOR_FAULT,
                   "mend it: with it no server starts (`souk config check` tells all)", "%s",
                   souk_buf_ended(&line));
    }
    if (!err)
        doctor_say(&my->report, "settings", DOCTOR_OK, NULL, "%s",
                   my->settings.file[0] ? my->settings.file
                                        : "there is no file: the defaults hold");
}

/* ---- a running server -------------------------------------------------------------------------- */

static souk_err ask_ready(souk_client *client, souk_buf *answer)
{
    client->wait_ms = ANSWER_MS;
    SOUK_TRY(souk_client_send(
        client, SOUK_TEXT("GET /readyz HTTP/1.1\r\nHost: souk\r\nConnection: close\r\n\r\n")));
    return souk_client_receive_all(client, answer);
}

static void judge_server(struct patient *my, souk_err err, souk_text answer)
{
    souk_text words = answer;
    while (words.bytes && !souk_text_starts(words, SOUK_TEXT("\r\n\r\n")))
        words = (souk_text){words.at + 1, words.bytes - 1};
    words = souk_text_trim(words);
    if (err)
        doctor_say(
            &my->report, "server", DOCTOR_FAULT, "look at its log; if it hangs, stop and start it",
            "process %ld owns the folder and does not answer: %s", my->server, souk_err_words(err));
    else if (!souk_text_starts(words, SOUK_TEXT("ready")))
        doctor_say(&my->report, "server", DOCTOR_FAULT, "look at its log", "process %ld says: %.*s",
                   my->server, SOUK_TEXT_PRINT(words));
    else
        doctor_say(&my->report, "server", DOCTOR_OK, NULL, "process %ld serves it and is ready",
                   my->server);
}

static void check_server(struct patient *my)
{
    souk_auto_value(souk_client) client = SOUK_CLIENT_NONE;
    souk_auto_value(souk_buf) answer = {.mem = souk_mem_heap(), .limit_bytes = 65536};
    struct ucred peer = {.pid = 0};
    socklen_t bytes = sizeof peer;
    char path[4096];
    path_of(my, "control", path);
    if (access(path, F_OK) || souk_client_open(&client, path, ANSWER_MS, NULL)) {
        doctor_say(&my->report, "server", DOCTOR_OK, NULL, "none is running here");
        return;
    }
    if (!getsockopt(client.fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes))
        my->server = peer.pid;
    souk_err err = ask_ready(&client, &answer);
    judge_server(my, err, souk_buf_view(&answer));
}

/* ---- keys and ledger --------------------------------------------------------------------------- */

static void check_keys(struct patient *my)
{
    souk_vault_found found;
    souk_diag diag = {.words = ""};
    souk_err err = souk_vault_look(my->disk, &found, &diag);
    if (err)
        doctor_say(&my->report, "key header", DOCTOR_FAULT,
                   "put back the root.key of this shop, or the newest backup of its keys; without "
                   "both nothing sealed can be read",
                   "%s", souk_diag_words(&diag, err));
    else if (found.header_copies < SOUK_VAULT_HEADER_COPIES)
        doctor_say(&my->report, "key header", DOCTOR_ADVICE,
                   "make a backup, look at the disk's health (smartctl), and run `souk verify`",
                   "%u of %d copies of the header are damaged: the others will do, but the disk "
                   "loses data",
                   SOUK_VAULT_HEADER_COPIES - found.header_copies, SOUK_VAULT_HEADER_COPIES);
    else
        doctor_say(&my->report, "key header", DOCTOR_OK, NULL,
                   "all %d copies are sound and belong to root.key", SOUK_VAULT_HEADER_COPIES);
}

struct steps {
    struct step {
        char module[64];
        int64_t number;
    } at[MODULES];
    size_t count;
};

static souk_err read_steps(souk_tx *tx, void *context)
{
    struct steps *steps = context;
    souk_auto_value(souk_rows) rows = {0};
    steps->count = 0;
    SOUK_TRY(souk_rows_begin(tx, "SELECT module, max(number) FROM souk_migration GROUP BY module",
                             SOUK_NO_VALUES, &rows));
    while (souk_rows_next(&rows) && steps->count < MODULES) {
        struct step *step = &steps->at[steps->count++];
        souk_text module = souk_rows_text(&rows, 0);
        snprintf(step->module, sizeof step->module, "%.*s", SOUK_TEXT_PRINT(module));
        step->number = souk_rows_int(&rows, 1);
    }
    return souk_rows_check(&rows);
}

/* What this program knows, asked of a new shop on a simulated disk: so no list can grow old. */
static souk_err known_steps(struct steps *ret_known)
{
    souk_mem *mem = souk_mem_heap();
    souk_spine_options options = {.ledger = {.no_thread = true},
                                  .vault = {.block_slots = 64, .cache_keys = 64}};
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_spine) spine = NULL;
    souk_auto(souk_merchants) merchants = NULL;
    souk_auto(souk_api) api = NULL;
    SOUK_TRY(souk_disk_open_sim(mem, 1, &disk));
    SOUK_TRY(souk_spine_init(mem, disk, &options, NULL));
    SOUK_TRY(souk_spine_open(mem, disk, &options, &spine, NULL));
    SOUK_TRY(souk_merchants_open(mem, spine, &merchants, NULL));
    SOUK_TRY(souk_api_open(mem, spine, merchants, app_services, app_service_count, &api));
    SOUK_TRY(souk_task_migrate(souk_spine_ledger(spine), NULL));
    return souk_ledger_read(souk_spine_ledger(spine), read_steps, ret_known);
}

static int64_t step_of(const struct steps *steps, const char *module)
{
    for (size_t i = 0; i < steps->count; i++)
        if (!strcmp(steps->at[i].module, module))
            return steps->at[i].number;
    return 0;
}

static void check_formats(struct patient *my)
{
    struct steps stored = {.count = 0}, known = {.count = 0};
    souk_diag diag = {.words = ""};
    souk_err err =
        souk_ledger_look_sqlite(souk_mem_heap(), my->disk, "ledger", read_steps, &stored, &diag);
    if (err)
        return; /* the ledger's own check tells why */
    err = known_steps(&known);
    if (err) {
        doctor_say(&my->report, "formats", DOCTOR_ADVICE, "give it more memory, and run it again",
                   "they could not be compared: %s", souk_err_words(err));
        return;
    }
    size_t before = my->report.count;
    for (size_t i = 0; i < stored.count && my->report.count < before + 5; i++)
        doctor_judge_step(&my->report, stored.at[i].module, stored.at[i].number,
                          step_of(&known, stored.at[i].module));
    if (my->report.count == before)
        doctor_say(&my->report, "formats", DOCTOR_OK, NULL,
                   "the tables are those of this program, " SOUK_VERSION);
}

struct hooks {
    int64_t count, failing, gone, waiting, dead, behind;
};

static souk_err read_hooks(souk_tx *tx, void *context)
{
    struct hooks *hooks = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT count(*), count(CASE state WHEN 3 THEN 1 END), "
                             "count(CASE state WHEN 2 THEN 1 END), sum(waiting), "
                             "sum(dead), max((CASE state WHEN 0 THEN (SELECT first + count FROM "
                             "log_block ORDER BY first DESC LIMIT 1) ELSE until END) - position) "
                             "FROM webhook WHERE state <> 4",
                             SOUK_NO_VALUES, &rows));
    if (souk_rows_next(&rows))
        *hooks = (struct hooks){souk_rows_int(&rows, 0), souk_rows_int(&rows, 1),
                                souk_rows_int(&rows, 2), souk_rows_int(&rows, 3),
                                souk_rows_int(&rows, 4), souk_rows_int(&rows, 5)};
    return souk_rows_check(&rows);
}

/* A ledger of before there were any has no such table. */
static void check_webhooks(struct patient *my)
{
    struct hooks hooks = {.count = 0};
    souk_err err =
        souk_ledger_look_sqlite(souk_mem_heap(), my->disk, "ledger", read_hooks, &hooks, NULL);
    if (!err && hooks.count)
        doctor_judge_webhooks(&my->report, (uint64_t)hooks.failing, (uint64_t)hooks.gone,
                              (uint64_t)hooks.waiting, (uint64_t)hooks.dead,
                              (uint64_t)(hooks.behind > 0 ? hooks.behind : 0));
}

struct walk {
    char words[4200];
};

static souk_err walk_ledger(souk_tx *tx, void *context)
{
    struct walk *walk = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx, "PRAGMA quick_check(1)", SOUK_NO_VALUES, &rows));
    if (souk_rows_next(&rows)) {
        souk_text text = souk_rows_text(&rows, 0);
        snprintf(walk->words, sizeof walk->words, "%.*s", SOUK_TEXT_PRINT(text));
    }
    return souk_rows_check(&rows);
}

/* Beside a server only where it is soon done: meanwhile no erasure is finished there. */
static void check_ledger(struct patient *my)
{
    struct walk walk = {.words = ""};
    struct stat status;
    souk_diag diag = {.words = ""};
    char path[4096];
    path_of(my, "ledger", path);
    if (stat(path, &status))
        return;
    if (my->server && status.st_size > WALK_BYTES) {
        doctor_say(
            &my->report, "ledger check", DOCTOR_OK, NULL,
            "not walked beside the server, it is larger than 1 GiB: `souk verify` proves it");
        return;
    }
    souk_err err = SOUK_OK;
    if (status.st_size == 0) /* which is sound, for SQLite */
        snprintf(walk.words, sizeof walk.words, "%s has no bytes: it was cut, or badly copied",
                 path);
    else
        err =
            souk_ledger_look_sqlite(souk_mem_heap(), my->disk, "ledger", walk_ledger, &walk, &diag);
    if (!err && !strcmp(walk.words, "ok")) {
        doctor_say(&my->report, "ledger check", DOCTOR_OK, NULL, "all of its %lld KiB are sound",
                   (long long)status.st_size / 1024);
        return;
    }
    doctor_say(&my->report, "ledger check", DOCTOR_FAULT,
               "stop the server, keep a copy of the folder, look at the disk's health (smartctl), "
               "and make the shop again from its newest backup (`souk restore`)",
               "%s", err ? souk_diag_words(&diag, err) : walk.words);
}

/* ---- the command ------------------------------------------------------------------------------- */

static void check_inside(struct patient *my)
{
    const app_settings *settings = &my->settings;
    if (my->ours || geteuid() == 0)
        check_keys(my);
    if (my->ours) {
        check_ledger(my);
        check_formats(my);
        check_webhooks(my);
    }
    doctor_look_room(&my->report, my->options->data);
    doctor_look_descriptors(&my->report, my->server,
                            (uint64_t)app_setting_of(settings, APP_LIMITS_CONNECTIONS),
                            64 + 3 * (uint64_t)app_setting_of(settings, APP_LEDGER_READERS));
    doctor_look_memory_lock(&my->report, my->server,
                            (uint64_t)app_setting_of(settings, APP_VAULT_CACHE_KEYS));
    doctor_look_clock(&my->report, my->newest);
    if (my->ours)
        doctor_look_syncs(&my->report, my->disk);
    check_root_key_place(my);
}

static void write_json(const doctor_report *report, souk_buf *out)
{
    souk_json_writer json = {.out = out};
    souk_json_write_object(&json);
    souk_json_put_bool(&json, "healthy", report->faults == 0);
    souk_json_put_u64(&json, "faults", report->faults);
    souk_json_put_u64(&json, "advice", report->advice);
    souk_json_put_array(&json, "checks");
    for (size_t i = 0; i < report->count; i++) {
        const doctor_line *line = &report->lines[i];
        souk_json_write_object(&json);
        souk_json_put_text(&json, "check", souk_text_of(line->check));
        souk_json_put_text(&json, "state", souk_text_of(doctor_state_word(line->state)));
        souk_json_put_text(&json, "words", souk_text_of(line->words));
        souk_json_put_text(&json, "do", souk_text_of(line->what));
        souk_json_write_end(&json);
    }
    souk_json_write_end(&json);
    souk_json_write_end(&json);
    souk_buf_byte(out, '\n');
}

static void write_words(const doctor_report *report, souk_buf *out)
{
    for (size_t i = 0; i < report->count; i++) {
        const doctor_line *line = &report->lines[i];
        souk_buf_print(out, "%-7s %-15s %s\n", doctor_state_word(line->state), line->check,
                       line->words);
        if (line->what[0])
            souk_buf_print(out, "%-7s %-15s   to do: %s\n", "", "", line->what);
    }
}

souk_err app_doctor(const app_options *options, souk_diag *diag)
{
    souk_auto_value(souk_buf) out = {.mem = souk_mem_heap()};
    souk_mem *mem = souk_mem_heap();
    struct patient *my = souk_mem_get(mem, sizeof *my);
    if (!my)
        return SOUK_ENOMEM;
    my->options = options;
    souk_err err = SOUK_OK;
    if (check_folder(my)) {
        check_settings(my);
        check_files(my);
        err = souk_disk_open_real(mem, options->data, &my->disk, diag);
        check_server(my);
        if (!err)
            check_inside(my);
        souk_disk_free(my->disk);
    }
    if (options->json)
        write_json(&my->report, &out);
    else
        write_words(&my->report, &out);
    if (!err)
        err = souk_buf_check(&out);
    fwrite(out.at, 1, out.bytes, stdout);
    if (!err && my->report.faults)
        err = souk_diag_say(diag, SOUK_ECONFLICT, "%zu fault%s, %zu advice", my->report.faults,
                            my->report.faults > 1 ? "s" : "", my->report.advice);
    souk_mem_put(mem, my);
    return err;
}
