/* sqlite.c - the ledger in one file, embedded: connections, transactions, checkpoints, backups.
 *
 * One connection commits and checkpoints, all others only read: with a second one that checkpoints,
 * SQLite up to 3.51.2 can lose a commit (the WAL-reset race; Debian 12 carries 3.40.1).
 * synchronous=FULL, because NORMAL loses answered work at a power cut; the tests prove both.
 * secure_delete, because what is deleted shall be gone from the file, and a truncated log, because
 * until then it is still there: https://sqlite.org/pragma.html, https://sqlite.org/wal.html. */
#include "store/sqlite_tx.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    APPLICATION_ID = 0x536f756b, /* "Souk" at byte 68 of the file, for file(1) and for us */
    PATH_ROOM = 4096,
    BUSY_WAIT_MS = 1000,
    BACKUP_SLICE_PAGES = 64,
    BLOB_MOST = 64 << 20,
};

/* A disk as SQLite finds it: the machine's own files, or a VFS of ours for a simulated one. */
struct sqlite_folder {
    souk_disk *disk;
    souk_sqlite_vfs *vfs; /* NULL: the machine's */
};

struct sqlite_place {
    souk_mem *mem;
    struct sqlite_folder folder;
    souk_ledger_options options;
    char path[PATH_ROOM];
};

static const char sql_read[] = "BEGIN";
static const char sql_write[] = "BEGIN IMMEDIATE";
static const char sql_commit[] = "COMMIT";
static const char sql_rollback[] = "ROLLBACK";
static const char sql_savepoint[] = "SAVEPOINT job";
static const char sql_release[] = "RELEASE job";
static const char sql_undo[] = "ROLLBACK TO job";

static souk_err folder_init(souk_mem *mem, souk_disk *disk, struct sqlite_folder *folder)
{
    *folder = (struct sqlite_folder){.disk = disk};
    return souk_disk_folder(disk)[0] ? SOUK_OK : souk_sqlite_vfs_new(mem, disk, &folder->vfs);
}

static void folder_done(struct sqlite_folder *folder)
{
    souk_sqlite_vfs_free(folder->vfs);
    folder->vfs = NULL;
}

static souk_err folder_path(const struct sqlite_folder *folder, const char *name, char *to)
{
    const char *under = souk_disk_folder(folder->disk);
    int bytes = snprintf(to, PATH_ROOM, "%s%s%s", under, under[0] ? "/" : "", name);
    return bytes > 0 && bytes < PATH_ROOM ? SOUK_OK : SOUK_EINVAL;
}

static const char *folder_vfs(const struct sqlite_folder *folder)
{
    return folder->vfs ? souk_sqlite_vfs_name(folder->vfs) : NULL;
}

/* ---- connections ------------------------------------------------------------------------------ */

/* The first column of the first row, by a statement of its own.  It is run to its end, because a
 * pragma that writes commits only there. */
static souk_err ask(struct sqlite_tx *my, const char *sql, char *to, size_t room)
{
    sqlite3_stmt *statement = NULL;
    to[0] = '\0';
    souk_err err = souk_sqlite_err(my, sqlite3_prepare_v2(my->db, sql, -1, &statement, NULL));
    if (!err) {
        int code = sqlite3_step(statement);
        const unsigned char *text = code == SQLITE_ROW ? sqlite3_column_text(statement, 0) : NULL;
        snprintf(to, room, "%s", text ? (const char *)text : "");
        bool no_memory = code == SQLITE_ROW && !text;
        while (code == SQLITE_ROW)
            code = sqlite3_step(statement);
        err = souk_sqlite_err(my, code);
        if (!err && no_memory)
            err = SOUK_ENOMEM;
    }
    sqlite3_finalize(statement);
    return err;
}

static souk_err ask_int(struct sqlite_tx *my, const char *sql, long long *ret_number)
{
    char text[32];
    SOUK_TRY(ask(my, sql, text, sizeof text));
    souk_assert(sscanf(text, "%lld", ret_number) == 1);
    return SOUK_OK;
}

/* What no statement of ours needs is off: an attacker's file or SQL finds fewer tools. */
static souk_err harden(struct sqlite_tx *my)
{
    static const struct {
        int verb, on;
    } switches[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},          {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 1},      {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1},
    };
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
        SOUK_TRY(souk_sqlite_err(
            my, sqlite3_db_config(my->db, switches[i].verb, switches[i].on, (int *)NULL)));
    sqlite3_limit(my->db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(my->db, SQLITE_LIMIT_LENGTH, BLOB_MOST);
    sqlite3_limit(my->db, SQLITE_LIMIT_EXPR_DEPTH, 100);
    sqlite3_limit(my->db, SQLITE_LIMIT_WORKER_THREADS, 0);
    sqlite3_busy_timeout(my->db, BUSY_WAIT_MS);
    return SOUK_OK;
}

static souk_err set_up(struct sqlite_tx *my, const souk_ledger_options *options)
{
    static const char *const sync_words[] = {"FULL", "NORMAL", "OFF"};
    char sql[400];
    snprintf(sql, sizeof sql,
             "PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON;"
             "PRAGMA cache_size = -%u; PRAGMA secure_delete = ON; PRAGMA synchronous = %s;"
             "PRAGMA journal_size_limit = %llu; PRAGMA wal_autocheckpoint = 0;",
             options->cache_kib, sync_words[options->sync],
             (unsigned long long)options->wal_limit_bytes);
    return souk_sqlite_script(&my->tx, sql);
}

static int after_commit(void *context, sqlite3 *db, const char *schema, int pages)
{
    (void)db, (void)schema;
    struct sqlite_tx *my = context;
    my->tx.log_pages = (uint64_t)pages;
    return SQLITE_OK;
}

/* The last owner may have died of a failed sync: what it left in the log is then in the page cache
 * only, where the kernel calls it clean and no sync of the log writes it again (Rebello et al., ATC
 * '20).  Readers see it, so it must last: copied into the file it is dirty anew.  A reader of another
 * program in the way keeps the log from being cut, not from being copied. */
static souk_err save_log(struct sqlite_tx *my)
{
    souk_err err = my->tx.backend->checkpoint(&my->tx, true);
    return err == SOUK_EBUSY ? SOUK_OK : err;
}

/* What a check of SQLite's complained about.  A page that could not be read it calls damaged, too, with
 * the code of the failure at the end. */
static souk_err complain(const struct sqlite_place *place, const char *words, souk_diag *diag)
{
    static const char mark[] = "error code=";
    const char *at = strstr(words, mark);
    souk_err err = at ? souk_sqlite_code_err(atoi(at + sizeof mark - 1)) : SOUK_OK;
    if (err == SOUK_EIO || err == SOUK_ENOMEM)
        return souk_diag_say(diag, err, "%s cannot be read: %s", place->path, words);
    return souk_diag_say(diag, SOUK_ECORRUPT, "%s is damaged: %s", place->path, words);
}

/* Makes the file where it is empty, and refuses one that is not ours. */
static souk_err set_up_writer(struct sqlite_tx *my, struct sqlite_place *place, souk_diag *diag)
{
    long long pages = 0, id = 0;
    SOUK_TRY(ask_int(my, "PRAGMA page_count", &pages));
    SOUK_TRY(ask_int(my, "PRAGMA application_id", &id));
    if (pages && id != APPLICATION_ID)
        return souk_diag_say(diag, SOUK_EINVAL, "%s is a database, but not a ledger of Souk",
                             place->path);
    if (!pages) {
        char sql[100];
        snprintf(sql, sizeof sql, "PRAGMA page_size = 4096; PRAGMA application_id = %d",
                 APPLICATION_ID);
        SOUK_TRY(souk_sqlite_script(&my->tx, sql));
    }
    char words[200];
    SOUK_TRY(ask(my, "PRAGMA journal_mode = WAL", words, sizeof words));
    if (strcmp(words, "wal") != 0)
        return souk_diag_say(diag, SOUK_EUNSUPPORTED,
                             "%s: this file system cannot share memory between connections, "
                             "use a local one",
                             place->path);
    if (!pages)
        SOUK_TRY(souk_disk_sync_folder(place->folder.disk));
    SOUK_TRY(save_log(my));
    if (place->options.quick_check) {
        SOUK_TRY(ask(my, "PRAGMA quick_check(1)", words, sizeof words));
        if (strcmp(words, "ok") != 0)
            return complain(place, words, diag);
    }
    sqlite3_wal_hook(my->db, after_commit, my);
    return SOUK_OK;
}

/* The ways into and out of a transaction are ready before the first: undoing must not need memory. */
static souk_err warm_up(struct sqlite_tx *my)
{
    static const char *const all[] = {sql_read,      sql_write,   sql_commit, sql_rollback,
                                      sql_savepoint, sql_release, sql_undo};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (my->tx.writes || all[i] != sql_write)
            SOUK_TRY(souk_sqlite_warm(my, all[i]));
    return SOUK_OK;
}

static void disconnect(souk_tx *tx, bool clean)
{
    struct sqlite_tx *my = sqlite_tx_of(tx);
    souk_sqlite_forget_statements(my);
    if (clean) /* nothing is left to move: SQLite removes the empty log */
        sqlite3_db_config(my->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, (int *)NULL);
    int code = sqlite3_close(my->db);
    souk_assert(code == SQLITE_OK); /* a statement was left behind */
    souk_mem_put(my->mem, my);
}

static souk_err connect_to(souk_mem *mem, const struct sqlite_folder *folder, const char *path,
                           int flags, struct sqlite_tx **ret_my)
{
    struct sqlite_tx *my = souk_mem_get(mem, sizeof *my);
    if (!my)
        return SOUK_ENOMEM;
    my->mem = mem;
    my->tx.backend = &souk_ledger_sqlite;
    flags |= SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE; /* one thread at a time */
    int code = sqlite3_open_v2(path, &my->db, flags, folder_vfs(folder));
    if (!my->db) {
        souk_mem_put(mem, my);
        return SOUK_ENOMEM;
    }
    *ret_my = my;
    return souk_sqlite_err(my, code);
}

static souk_err connect(void *context, bool writes, souk_tx **ret_tx, souk_diag *diag)
{
    struct sqlite_place *place = context;
    int flags = SQLITE_OPEN_READWRITE | (writes ? SQLITE_OPEN_CREATE : 0);
    struct sqlite_tx *my = NULL;
    souk_err err = connect_to(place->mem, &place->folder, place->path, flags, &my);
    if (!my)
        return err;
    my->tx.writes = writes;
    if (!err)
        err = harden(my);
    if (!err)
        err = set_up(my, &place->options);
    if (!err && writes)
        err = set_up_writer(my, place, diag);
    if (!err && !writes)
        err = souk_sqlite_script(&my->tx, "PRAGMA query_only = ON");
    if (!err)
        err = warm_up(my);
    if (err) {
        souk_diag_say(diag, err, "%s cannot be opened: %s", place->path,
                      my->tx.words[0] ? my->tx.words : souk_err_words(err));
        disconnect(&my->tx, false);
        return err;
    }
    *ret_tx = &my->tx;
    return SOUK_OK;
}

static void forget(void *context)
{
    struct sqlite_place *place = context;
    folder_done(&place->folder);
    souk_mem_put(place->mem, place);
}

/* ---- transactions ----------------------------------------------------------------------------- */

static souk_err run(souk_tx *tx, const char *sql)
{
    return souk_sqlite_run(tx, sql, SOUK_NO_VALUES);
}

static souk_err begin(souk_tx *tx)
{
    return run(tx, tx->writes ? sql_write : sql_read);
}

static bool is_open(souk_tx *tx)
{
    return !sqlite3_get_autocommit(sqlite_tx_of(tx)->db);
}

static void rollback(souk_tx *tx)
{
    char words[sizeof tx->words]; /* why it is rolled back is worth more than how that went */
    memcpy(words, tx->words, sizeof words);
    if (is_open(tx) && run(tx, sql_rollback) == SOUK_ENOMEM)
        (void)sqlite3_exec(sqlite_tx_of(tx)->db, sql_rollback, NULL, NULL, NULL);
    memcpy(tx->words, words, sizeof words);
}

/* Memory may run out after the commit's last frame reached the disk; a disk that is full may have taken all of that
 * frame that was not there already.  A power cut before the next commit would bring it to life: an empty commit in
 * its place makes the refusal true.  Where there is no room even for that, there is none for a whole frame either. */
static void bury_commit(souk_tx *tx)
{
    rollback(tx);
    souk_err err = souk_sqlite_script(tx, "PRAGMA user_version = 0");
    if (err && err != SOUK_EFULL)
        tx->doubtful = true;
}

static souk_err commit(souk_tx *tx)
{
    struct sqlite_tx *my = sqlite_tx_of(tx);
    souk_err err = run(tx, sql_commit);
    int now = 0, high = 0;
    sqlite3_db_status(my->db, SQLITE_DBSTATUS_CACHE_WRITE, &now, &high, 1);
    tx->written_bytes += (uint64_t)now * 4096;
    if (err == SOUK_EIO)
        tx->doubtful = true;
    if (err == SOUK_ENOMEM || err == SOUK_EFULL)
        bury_commit(tx);
    return err;
}

static souk_err savepoint(souk_tx *tx)
{
    return run(tx, sql_savepoint);
}

static souk_err release(souk_tx *tx)
{
    return run(tx, sql_release);
}

static souk_err rollback_to(souk_tx *tx)
{
    SOUK_TRY(run(tx, sql_undo));
    return release(tx);
}

/* ---- checkpoints ------------------------------------------------------------------------------ */

/* SQLite does not sync the log it has just cut, so that a power cut could bring back what was
 * deleted; an erasure needs it gone. */
static souk_err sync_log(struct sqlite_tx *my)
{
    sqlite3_file *log = NULL;
    int code = sqlite3_file_control(my->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (code || !log || !log->pMethods)
        return souk_sqlite_err(my, code);
    return souk_sqlite_err(my, log->pMethods->xSync(log, SQLITE_SYNC_NORMAL));
}

static souk_err checkpoint(souk_tx *tx, bool truncate)
{
    struct sqlite_tx *my = sqlite_tx_of(tx);
    int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    sqlite3_busy_timeout(my->db, 0); /* the writer has other work than waiting for readers */
    int code = sqlite3_wal_checkpoint_v2(my->db, "main", mode, NULL, NULL);
    sqlite3_busy_timeout(my->db, BUSY_WAIT_MS);
    souk_err err = souk_sqlite_err(my, code);
    if (err == SOUK_EBUSY && !truncate)
        return SOUK_OK;
    if (!err && truncate) {
        tx->log_pages = 0;
        err = sync_log(my);
    }
    if (err == SOUK_EIO)
        tx->doubtful = true; /* a page that could not be synced must not be taken for safe later */
    return err;
}

/* ---- whole files ------------------------------------------------------------------------------- */

static souk_err verify(void *context, souk_diag *diag)
{
    struct sqlite_place *place = context;
    souk_tx *tx = NULL;
    SOUK_TRY(connect(place, false, &tx, diag));
    char words[300];
    souk_err err = ask(sqlite_tx_of(tx), "PRAGMA integrity_check(1)", words, sizeof words);
    if (err)
        souk_diag_say(diag, err, "%s cannot be read: %s", place->path, tx->words);
    else if (strcmp(words, "ok") != 0)
        err = complain(place, words, diag);
    disconnect(tx, false);
    return err;
}

struct copying {
    struct sqlite_tx *from, *to;
    souk_ledger_progress *progress;
    void *context;
};

static souk_err copy_slices(struct copying *my, sqlite3_backup *backup)
{
    for (;;) {
        int code = sqlite3_backup_step(backup, BACKUP_SLICE_PAGES);
        if (code != SQLITE_OK && code != SQLITE_DONE)
            return souk_sqlite_err(my->to, code);
        uint64_t all = (uint64_t)sqlite3_backup_pagecount(backup) * 4096;
        uint64_t left = (uint64_t)sqlite3_backup_remaining(backup) * 4096;
        if (my->progress)
            SOUK_TRY(my->progress(my->context, all - left, all));
        if (code == SQLITE_DONE)
            return SOUK_OK;
    }
}

/* Inside one read transaction, because a copy without it begins anew at every commit. */
static souk_err copy_snapshot(struct copying *my)
{
    long long ignored;
    SOUK_TRY(begin(&my->from->tx));
    SOUK_TRY(ask_int(my->from, "SELECT count(*) FROM sqlite_schema", &ignored));
    SOUK_TRY(
        souk_sqlite_script(&my->to->tx, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF"));
    sqlite3_backup *backup = sqlite3_backup_init(my->to->db, "main", my->from->db, "main");
    if (!backup)
        return souk_sqlite_err(my->to, sqlite3_extended_errcode(my->to->db));
    souk_err err = copy_slices(my, backup);
    int code = sqlite3_backup_finish(backup);
    return err ? err : souk_sqlite_err(my->to, code);
}

static souk_err copy_into(struct sqlite_place *place, const struct sqlite_folder *folder,
                          const char *part, souk_ledger_progress *progress, void *context)
{
    char path[PATH_ROOM];
    SOUK_TRY(folder_path(folder, part, path));
    souk_auto(souk_file) made = NULL; /* by us, for its mode */
    SOUK_TRY(souk_file_open(folder->disk, part, SOUK_FILE_TRUNCATE, &made));
    souk_file_free(souk_take(&made));

    struct copying copying = {.progress = progress, .context = context};
    souk_tx *tx = NULL;
    SOUK_TRY(connect(place, false, &tx, NULL));
    copying.from = sqlite_tx_of(tx);
    souk_err err = connect_to(place->mem, folder, path, SQLITE_OPEN_READWRITE, &copying.to);
    if (!err)
        err = copy_snapshot(&copying);
    rollback(tx);
    if (copying.to)
        disconnect(&copying.to->tx, false);
    disconnect(tx, false);
    return err;
}

/* What an earlier file of that name left beside it would be replayed into the new one. */
static souk_err remove_beside(souk_disk *disk, const char *name, const char *ending)
{
    char beside[256];
    int bytes = snprintf(beside, sizeof beside, "%s%s", name, ending);
    if (bytes < 0 || (size_t)bytes >= sizeof beside)
        return SOUK_EINVAL;
    souk_err err = souk_disk_remove(disk, beside);
    return err == SOUK_ENOENT ? SOUK_OK : err;
}

static souk_err settle(souk_disk *disk, const char *part, const char *name)
{
    SOUK_TRY(remove_beside(disk, name, "-wal"));
    SOUK_TRY(remove_beside(disk, name, "-journal"));
    {
        souk_auto(souk_file) file = NULL;
        SOUK_TRY(souk_file_open(disk, part, SOUK_FILE_WRITE, &file));
        SOUK_TRY(souk_file_sync(file));
    }
    SOUK_TRY(souk_disk_rename(disk, part, name));
    return souk_disk_sync_folder(disk);
}

static souk_err backup_to(void *context, souk_disk *to, const char *name,
                          souk_ledger_progress *progress, void *progress_context)
{
    struct sqlite_place *place = context;
    char part[256];
    int bytes = snprintf(part, sizeof part, "%s.part", name);
    if (bytes < 0 || (size_t)bytes >= sizeof part)
        return SOUK_EINVAL;
    struct sqlite_folder folder;
    SOUK_TRY(folder_init(place->mem, to, &folder));
    souk_err err = copy_into(place, &folder, part, progress, progress_context);
    if (!err)
        err = settle(to, part, name);
    if (err)
        (void)!souk_disk_remove(to, part); /* what it says cannot matter any more */
    folder_done(&folder);
    return err;
}

const souk_ledger_backend souk_ledger_sqlite = {
    .name = "sqlite",
    .connect = connect,
    .disconnect = disconnect,
    .forget = forget,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .is_open = is_open,
    .savepoint = savepoint,
    .rollback_to = rollback_to,
    .release = release,
    .run = souk_sqlite_run,
    .script = souk_sqlite_script,
    .rows_begin = souk_sqlite_rows_begin,
    .rows_next = souk_sqlite_rows_next,
    .rows_kind = souk_sqlite_rows_kind,
    .rows_int = souk_sqlite_rows_int,
    .rows_real = souk_sqlite_rows_real,
    .rows_bytes = souk_sqlite_rows_bytes,
    .rows_done = souk_sqlite_rows_done,
    .blob_read = souk_sqlite_blob_read,
    .checkpoint = checkpoint,
    .backup = backup_to,
    .verify = verify,
};

static souk_err place_new(souk_mem *mem, souk_disk *disk, const char *file_name,
                          const souk_ledger_options *options, struct sqlite_place **ret_place)
{
    struct sqlite_place *place = souk_mem_get(mem, sizeof *place);
    if (!place)
        return SOUK_ENOMEM;
    place->mem = mem;
    place->options = souk_ledger_options_of(options);
    souk_err err = folder_init(mem, disk, &place->folder);
    if (!err)
        err = folder_path(&place->folder, file_name, place->path);
    if (err)
        forget(place);
    else
        *ret_place = place;
    return err;
}

souk_err souk_ledger_open_sqlite(souk_mem *mem, souk_disk *disk, const char *file_name,
                                 const souk_ledger_options *options, souk_ledger **ret_ledger,
                                 souk_diag *diag)
{
    struct sqlite_place *place = NULL;
    souk_file *made = NULL; /* by us, because SQLite would let others read it */
    souk_err err = place_new(mem, disk, file_name, options, &place);
    if (!err)
        err = souk_file_open(disk, file_name, SOUK_FILE_CREATE, &made);
    souk_file_free(made);
    if (err) {
        if (place)
            forget(place);
        return souk_diag_say(diag, err, "%s cannot be made: %s", file_name, souk_err_words(err));
    }
    return souk_ledger_open_on(mem, &souk_ledger_sqlite, place, &place->options, ret_ledger, diag);
}

static souk_err look_once(struct sqlite_place *place, souk_tx_closure *look, void *context,
                          souk_diag *diag)
{
    souk_tx *tx = NULL;
    long long id = 0;
    SOUK_TRY(connect(place, false, &tx, diag));
    souk_err err = ask_int(sqlite_tx_of(tx), "PRAGMA application_id", &id);
    if (!err && id != APPLICATION_ID)
        err = souk_diag_say(diag, SOUK_EINVAL, "%s is a database, but not a ledger of Souk",
                            place->path);
    if (!err)
        err = begin(tx);
    if (!err)
        err = look(tx, context);
    souk_assert(tx->open_rows == 0); /* the closure left a cursor behind */
    rollback(tx);
    err = err ? err : tx->failed;
    if (err)
        souk_diag_say(diag, err, "%s cannot be read: %s", place->path,
                      tx->words[0] ? tx->words : souk_err_words(err));
    disconnect(tx, false);
    return err;
}

souk_err souk_ledger_look_sqlite(souk_mem *mem, souk_disk *disk, const char *file_name,
                                 souk_tx_closure *look, void *context, souk_diag *diag)
{
    struct sqlite_place *place = NULL;
    if (!souk_disk_exists(disk, file_name))
        return souk_diag_say(diag, SOUK_ENOENT, "there is no file '%s'", file_name);
    SOUK_TRY(place_new(mem, disk, file_name, NULL, &place));
    souk_err err = look_once(place, look, context, diag);
    forget(place);
    return err;
}
