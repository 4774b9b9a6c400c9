/* backup.c - `souk backup` and `souk restore`: the ledger, the keys and the list of erasures, apart.
 *
 * A restored ledger may know shoppers who asked to be forgotten since: the newer erasure list is replayed
 * before the first read.  The keys of a backup older than an erasure still open what was erased, so key
 * backups live at most 30 days; the root key is in no backup. */
#include "app/app.h"

#include <stdio.h>
#include <unistd.h>

souk_err app_backup(const app_options *options, souk_diag *diag)
{
    souk_auto_value(souk_buf) body = {.mem = souk_mem_heap()}, path = {.mem = souk_mem_heap()};
    souk_json_writer json = {.out = &body};
    if (!options->to)
        return souk_diag_say(diag, SOUK_EINVAL, "say where the backup goes: --to DIR");
    SOUK_TRY(app_absolute(options->to, &path, diag));
    souk_json_write_object(&json);
    souk_json_put_text(&json, "kind", SOUK_TEXT("backup"));
    souk_json_put_text(&json, "to", souk_buf_view(&path));
    souk_json_write_end(&json);
    SOUK_TRY(souk_json_write_check(&json));
    SOUK_TRY(app_job(options, "backup", souk_buf_view(&body), diag));
    fprintf(stderr,
            "The root key (%s/root.key) is not in the backup: keep it apart.  Delete the "
            "backup's keys within 30 days.\n",
            options->data);
    return SOUK_OK;
}

static souk_err copy_file(souk_disk *from, souk_disk *to, const char *name)
{
    char part[64];
    char chunk[65536];
    souk_auto(souk_file) in = NULL;
    souk_auto(souk_file) out = NULL;
    snprintf(part, sizeof part, "%s.part", name);
    SOUK_TRY(souk_file_open(from, name, SOUK_FILE_READ, &in));
    SOUK_TRY(souk_file_open(to, part, SOUK_FILE_TRUNCATE, &out));
    for (uint64_t at = 0;; at += sizeof chunk) {
        size_t got;
        SOUK_TRY(souk_file_read(in, chunk, sizeof chunk, at, &got));
        SOUK_TRY(souk_file_write(out, chunk, got, at));
        if (got < sizeof chunk)
            break;
    }
    SOUK_TRY(souk_file_sync(out));
    SOUK_TRY(souk_disk_rename(to, part, name));
    return souk_disk_sync_folder(to);
}

/* SQLite would take a ledger that was cut to nothing for a new one. */
static souk_err check_part(souk_disk *from, const char *name, souk_diag *diag)
{
    souk_auto(souk_file) file = NULL;
    uint64_t bytes;
    SOUK_TRY(souk_file_open(from, name, SOUK_FILE_READ, &file));
    SOUK_TRY(souk_file_size(file, &bytes));
    if (bytes)
        return SOUK_OK;
    return souk_diag_say(
        diag, SOUK_ECORRUPT,
        "%s/%s has no bytes: the backup was cut, or badly copied; take another one",
        souk_disk_folder(from), name);
}

/* The ledger of the backup becomes that of the settings: a file, or a database. */
static souk_err put_ledger(const app_options *options, souk_disk *from, souk_disk *to,
                           souk_diag *diag)
{
    souk_auto_value(souk_buf) path = {.mem = souk_mem_heap()};
    app_settings settings = {0};
    SOUK_TRY(app_read_settings(options, &settings, diag));
    const char *url = app_setting_text(&settings, APP_LEDGER_URL);
    if (*url == '\0')
        return copy_file(from, to, "ledger");
    souk_buf_print(&path, "%s/ledger", options->to);
    const char *file = souk_buf_ended(&path);
    SOUK_TRY(souk_buf_check(&path));
    return souk_ledger_restore_postgres(url, file, diag);
}

souk_err app_restore(const app_options *options, souk_diag *diag)
{
    souk_auto(souk_disk) from = NULL;
    souk_auto(souk_disk) to = NULL;
    app_shop shop = {.disk = NULL};
    if (!options->to)
        return souk_diag_say(diag, SOUK_EINVAL, "say where the backup lies: --to DIR");
    if (access(options->to, F_OK)) /* opening would make it */
        return souk_diag_say(diag, SOUK_ENOENT, "there is no folder %s", options->to);
    SOUK_TRY(souk_disk_open_real(souk_mem_heap(), options->to, &from, diag));
    if (!souk_disk_exists(from, "ledger") || !souk_disk_exists(from, "keys"))
        return souk_diag_say(diag, SOUK_ENOENT,
                             "%s holds no backup: `ledger` and `keys` of one are in one folder",
                             options->to);
    SOUK_TRY(check_part(from, "ledger", diag));
    SOUK_TRY(check_part(from, "keys", diag));
    SOUK_TRY(souk_disk_open_real(souk_mem_heap(), options->data, &to, diag));
    if (souk_disk_exists(to, "ledger"))
        return souk_diag_say(diag, SOUK_EEXIST, "%s holds a shop already: take an empty folder",
                             options->data);
    if (!souk_disk_exists(to, "root.key"))
        return souk_diag_say(
            diag, SOUK_ENOENT,
            "put the root key of that shop at %s/root.key (mode 0400) first: it is "
            "in no backup",
            options->data);
    if (!souk_disk_exists(to, "keys")) /* today's keys, if they survived, know every erasure */
        SOUK_TRY(copy_file(from, to, "keys"));
    if (!souk_disk_exists(to, "erasures")) {
        fprintf(stderr,
                "%s holds no list of erasures, so that of the backup is taken: shoppers erased "
                "after it may be back.  If the newest `erasures` file is somewhere, restore into "
                "another folder that holds it and root.key.\n",
                options->data);
        if (souk_disk_exists(from, "erasures"))
            SOUK_TRY(copy_file(from, to, "erasures"));
    }
    SOUK_TRY(put_ledger(options, from, to, diag));
    souk_disk_free(souk_take(&to));
    SOUK_TRY(app_shop_open(options, &shop, diag));
    souk_err err = souk_spine_erasures_replay(shop.spine, "erasures");
    if (err == SOUK_ENOENT)
        err = SOUK_OK; /* said above */
    souk_err closed = app_shop_close(&shop);
    SOUK_TRY(err ? err : closed);
    app_print(options, SOUK_TEXT("{\"done\":true}"));
    return SOUK_OK;
}
