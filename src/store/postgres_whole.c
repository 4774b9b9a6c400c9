/* postgres_whole.c - copies and checks of a whole database.
 *
 * A copy is what pg_dump in its custom format writes: one snapshot of every table, compressed, restored with
 * pg_restore.  It runs beside the server as a program of its own (of the server's version or a later one), which
 * hears the URL through its environment, where no list of processes shows the password. */
#include "store/postgres_tx.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { SLICE_BYTES = 256 << 10, VARIABLES_MOST = 60 };

/* ---- pg_dump and pg_restore ------------------------------------------------------------------------------------- */

/* The environment with the URL's parts in it, as libpq reads them: PGHOST, PGPASSWORD … */
struct variables {
    char *all[VARIABLES_MOST + 1]; /* ours, allocated; then those of the process */
    size_t ours;
    char **whole;
};

static void variables_done(struct variables *variables)
{
    for (size_t i = 0; i < variables->ours; i++)
        free(variables->all[i]);
    free(variables->whole);
}

static bool is_ours(const struct variables *variables, const char *variable)
{
    for (size_t i = 0; i < variables->ours; i++) {
        size_t name = (size_t)(strchr(variables->all[i], '=') - variables->all[i]) + 1;
        if (!strncmp(variables->all[i], variable, name))
            return true;
    }
    return false;
}

static souk_err fill_variables(const char *url, struct variables *variables)
{
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    if (!options)
        return SOUK_ENOMEM; /* it parsed before */
    bool whole = true;
    for (PQconninfoOption *at = options; at->keyword; at++)
        if (at->envvar && at->val && variables->ours < VARIABLES_MOST) {
            char **to = &variables->all[variables->ours];
            whole &= asprintf(to, "%s=%s", at->envvar, at->val) >= 0;
            variables->ours += whole;
        }
    PQconninfoFree(options);
    size_t count = 0, out = 0;
    while (environ[count])
        count++;
    variables->whole = calloc(count + variables->ours + 1, sizeof *variables->whole);
    if (!whole || !variables->whole)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < variables->ours; i++)
        variables->whole[out++] = variables->all[i];
    for (size_t i = 0; i < count; i++)
        if (!is_ours(variables, environ[i]))
            variables->whole[out++] = environ[i];
    return SOUK_OK;
}

/* Debian keeps the programs of each version in a folder of its own. */
static const char *find_program(const char *name, char path[200])
{
    static const char *const folders[] = {
        "/usr/bin", "/usr/local/bin", "/usr/lib/postgresql/17/bin", "/usr/lib/postgresql/16/bin",
        "/usr/lib/postgresql/15/bin"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, 200, "%s/%s", folders[i], name);
        if (access(path, X_OK) == 0)
            return path;
    }
    return NULL;
}

static souk_err start_dump(const char *program, const char *url, pid_t *ret_pid, int *ret_fd)
{
    char *arguments[] = {(char *)(uintptr_t)program, (char[]){"-Fc"}, (char[]){"--no-password"},
                         (char[]){"--no-owner"}, NULL};
    struct variables variables = {.ours = 0};
    posix_spawn_file_actions_t actions;
    int ends[2];
    souk_err err = fill_variables(url, &variables);
    if (!err && pipe2(ends, O_CLOEXEC))
        err = SOUK_EBUSY;
    if (!err) {
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
        err = posix_spawn(ret_pid, program, &actions, NULL, arguments, variables.whole) ? SOUK_EBUSY
                                                                                        : SOUK_OK;
        posix_spawn_file_actions_destroy(&actions);
        close(ends[1]);
        *ret_fd = ends[0];
        if (err)
            close(ends[0]);
    }
    variables_done(&variables);
    return err;
}

struct copying {
    souk_file *file;
    souk_ledger_progress *progress;
    void *context;
    uint64_t total_bytes;
};

static souk_err copy_stream(const struct copying *copying, int fd, char *slice)
{
    uint64_t done = 0;
    for (;;) {
        ssize_t got = read(fd, slice, SLICE_BYTES);
        if (got < 0)
            return SOUK_EIO;
        if (got == 0)
            return SOUK_OK;
        SOUK_TRY(souk_file_write(copying->file, slice, (size_t)got, done));
        done += (uint64_t)got;
        if (copying->progress) /* the copy is compressed: what is there is an upper end, mostly */
            SOUK_TRY(copying->progress(copying->context, done,
                                       done > copying->total_bytes ? done : copying->total_bytes));
    }
}

static souk_err dump_into(struct postgres_place *place, const struct copying *copying)
{
    char path[200];
    pid_t pid = 0;
    int fd = -1, status = 0;
    const char *program = find_program("pg_dump", path);
    if (!program)
        return SOUK_EUNSUPPORTED;
    char *slice = souk_mem_get(place->mem, SLICE_BYTES);
    if (!slice)
        return SOUK_ENOMEM;
    souk_err err = start_dump(program, place->url, &pid, &fd);
    if (!err) {
        err = copy_stream(copying, fd, slice);
        close(fd); /* a pg_dump that is not at its end yet ends by SIGPIPE */
        while (waitpid(pid, &status, 0) < 0)
            ;
        if (!err && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
            err = SOUK_EIO;
    }
    souk_mem_put(place->mem, slice);
    return err;
}

static souk_err database_bytes(struct postgres_place *place, uint64_t *ret_bytes)
{
    struct postgres_tx *my = NULL;
    PGresult *result = NULL;
    SOUK_TRY(souk_postgres_connect(place, POSTGRES_KEEPER, &my, NULL));
    souk_err err = souk_postgres_exec(my, "SELECT pg_database_size(current_database())", &result);
    if (!err)
        *ret_bytes = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    souk_postgres_disconnect(&my->tx, false);
    return err;
}

souk_err souk_postgres_backup(void *context, souk_disk *to, const char *name,
                              souk_ledger_progress *progress, void *progress_context)
{
    struct postgres_place *place = context;
    struct copying copying = {.progress = progress, .context = progress_context};
    char part[256];
    int bytes = snprintf(part, sizeof part, "%s.part", name);
    if (bytes < 0 || (size_t)bytes >= sizeof part)
        return SOUK_EINVAL;
    SOUK_TRY(database_bytes(place, &copying.total_bytes));
    SOUK_TRY(souk_file_open(to, part, SOUK_FILE_TRUNCATE, &copying.file));
    souk_err err = dump_into(place, &copying);
    if (!err)
        err = souk_file_sync(copying.file);
    souk_file_free(copying.file);
    if (!err)
        err = souk_disk_rename(to, part, name);
    if (!err)
        err = souk_disk_sync_folder(to);
    if (err)
        (void)!souk_disk_remove(to, part); /* what it says cannot matter any more */
    return err;
}

souk_err souk_ledger_restore_postgres(const char *url, const char *path, souk_diag *diag)
{
    char program[200];
    /* An empty name of a database is the environment's. */
    char *arguments[] = {program,
                         (char[]){"--dbname="},
                         (char[]){"--no-password"},
                         (char[]){"--no-owner"},
                         (char[]){"--single-transaction"},
                         (char[]){"--exit-on-error"},
                         (char *)(uintptr_t)path,
                         NULL};
    struct variables variables = {.ours = 0};
    pid_t pid;
    int status = 0;
    if (!find_program("pg_restore", program))
        return souk_diag_say(diag, SOUK_EUNSUPPORTED,
                             "there is no pg_restore here: install postgresql-client");
    souk_err err = fill_variables(url, &variables);
    if (!err && posix_spawn(&pid, program, NULL, NULL, arguments, variables.whole))
        err = SOUK_EBUSY;
    variables_done(&variables);
    SOUK_TRY(err);
    while (waitpid(pid, &status, 0) < 0)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return SOUK_OK;
    return souk_diag_say(diag, SOUK_ECONFLICT,
                         "pg_restore did not fill the database of ledger.url, and changed nothing; "
                         "its reason is above: name an empty one that this user owns, and a backup "
                         "of a ledger on PostgreSQL");
}

/* ---- a check of everything ---------------------------------------------------------------------- */

static souk_err complain(struct postgres_tx *my, const char *what, souk_err err, souk_diag *diag)
{
    bool damaged = err == SOUK_ECORRUPT || err == SOUK_EIO;
    return souk_diag_say(diag, damaged ? SOUK_ECORRUPT : err, "%s: %s %s: %s", my->place->where,
                         what, damaged ? "is damaged" : "cannot be read", my->tx.words);
}

/* Runs each text that the question returns; column 0 names what it is about. */
static souk_err run_each(struct postgres_tx *my, const char *question, souk_diag *diag)
{
    PGresult *list = NULL;
    souk_err err = souk_postgres_exec(my, question, &list);
    if (err)
        return complain(my, "the catalogue", err, diag);
    for (int i = 0; !err && i < PQntuples(list); i++) {
        err = souk_postgres_exec(my, PQgetvalue(list, i, 1), NULL);
        if (err)
            err = complain(my, PQgetvalue(list, i, 0), err, diag);
    }
    PQclear(list);
    return err;
}

/* Every row is turned into text, so that its long values are read, too.  Page checksums, where the cluster has
 * them, are checked on the way. */
static const char read_tables[] =
    "SELECT format('table %I', relname),"
    " format('SELECT coalesce(sum(length(t::text)), 0) FROM %I t', relname)"
    " FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname";

/* amcheck walks an index and finds every row of its table in it. */
static const char check_indexes[] =
    "SELECT format('index %I', c.relname),"
    " format('SELECT %s.bt_index_check(%L::regclass, true)', f.pronamespace::regnamespace,"
    "   c.oid::regclass)"
    " FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_am a ON a.oid = c.relam,"
    " pg_proc f WHERE a.amname = 'btree' AND c.relnamespace = 'public'::regnamespace"
    " AND i.indisvalid AND f.proname = 'bt_index_check' AND f.pronargs = 2"
    " AND has_function_privilege(f.oid, 'EXECUTE') ORDER BY c.relname";

souk_err souk_postgres_verify(void *context, souk_diag *diag)
{
    struct postgres_tx *my = NULL;
    SOUK_TRY(souk_postgres_connect(context, POSTGRES_KEEPER, &my, diag));
    souk_err err = run_each(my, read_tables, diag);
    if (!err)
        err = run_each(my, check_indexes, diag);
    souk_postgres_disconnect(&my->tx, false);
    return err;
}
