/* postgres_server_test.c - the server of postgres_server.h. */
#include "store/postgres_server.h"

#include "test/test.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { WAIT_MS = 60000, PAUSE_MS = 10, DATABASES_KEPT = 8 };

static const char *const programs = "/usr/lib/postgresql/15/bin";

/* $1 programs, $2 folder, $3 settings.  PostgreSQL refuses to run as root.  Ends its server when stdin does, and
 * removes the folder unless a file "keep" lies in it. */
static const char guard_script[] =
    "cd \"$2\" || exit 1\n"
    "as=\n"
    "trap '' HUP INT TERM\n"
    "if [ \"$(id -u)\" = 0 ]; then\n"
    "    user=postgres; id -u postgres >/dev/null 2>&1 || user=nobody\n"
    "    chown \"$user\" \"$2\"\n"
    "    as=\"setpriv --reuid=$user --regid=$(id -g $user) --clear-groups\"\n"
    "fi\n"
    "[ -d data ] || $as \"$1/initdb\" -D \"$2/data\" -U souk_admin -A trust -E UTF8 --locale=C"
    " --no-sync --data-checksums >initdb.log 2>&1 || exit 1\n"
    "$as \"$1/postgres\" -D \"$2/data\" -k \"$2\" -c listen_addresses= -c max_connections=200"
    " -c shared_buffers=32MB -c wal_level=minimal -c max_wal_senders=0 -c min_wal_size=32MB"
    " -c autovacuum=off -c deadlock_timeout=20ms $3 >>log 2>&1 </dev/null &\n"
    "echo $! >pid\n"
    "cat >/dev/null\n"
    "kill -QUIT \"$(cat pid)\" 2>/dev/null; wait\n"
    "[ -e keep ] || rm -rf \"$2\"\n";

bool postgres_server_found(void)
{
    static bool told;
    char path[100];
    snprintf(path, sizeof path, "%s/initdb", programs);
    if (access(path, X_OK) == 0)
        return true;
    if (!told)
        fprintf(stderr, "  skipped on PostgreSQL: there is no %s (Debian: postgresql-15)\n", path);
    told = true;
    return false;
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

void postgres_server_url(const postgres_server *server, const char *user, const char *database,
                         char url[POSTGRES_URL_ROOM])
{
    snprintf(url, POSTGRES_URL_ROOM, "postgres://%s@/%s?host=%s", user, database, server->folder);
}

static souk_err start_guard(postgres_server *server, const char *settings)
{
    int ends[2];
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    char *arguments[] = {(char[]){"sh"},
                         (char[]){"-c"},
                         (char *)(uintptr_t)guard_script,
                         (char[]){"guard"},
                         (char *)(uintptr_t)programs,
                         server->folder,
                         (char *)(uintptr_t)settings,
                         NULL};
    if (pipe2(ends, O_CLOEXEC))
        return SOUK_EBUSY;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], 0);
    int failed = posix_spawn(&pid, "/bin/sh", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[0]);
    server->alive = ends[1];
    server->guard = pid;
    return failed ? SOUK_EBUSY : SOUK_OK;
}

/* False once the guard is gone: it could not start the server. */
static bool is_guarded(const postgres_server *server)
{
    return waitpid((pid_t)server->guard, NULL, WNOHANG) == 0;
}

static souk_err wait_ready(postgres_server *server)
{
    char url[POSTGRES_URL_ROOM];
    postgres_server_url(server, "souk_admin", "postgres", url);
    for (int waited = 0; waited < WAIT_MS; waited += PAUSE_MS) {
        if (PQping(url) == PQPING_OK)
            return SOUK_OK;
        if (!is_guarded(server))
            return SOUK_EIO;
        pause_ms(PAUSE_MS);
    }
    return SOUK_ETIMEOUT;
}

souk_err postgres_server_start(postgres_server *server, const char *settings)
{
    if (!postgres_server_found())
        return SOUK_EUNSUPPORTED;
    const char *under = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(server->folder, sizeof server->folder, "%s/souk-postgres-XXXXXX", under);
    if (!mkdtemp(server->folder))
        return SOUK_EIO;
    SOUK_TRY(start_guard(server, settings));
    return wait_ready(server);
}

static void end_guard(postgres_server *server)
{
    close(server->alive);
    waitpid((pid_t)server->guard, NULL, 0);
}

void postgres_server_kill(postgres_server *server)
{
    char path[200];
    long pid = 0;
    snprintf(path, sizeof path, "%s/pid", server->folder);
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%ld", &pid) == 1 && pid > 1)
        kill((pid_t)pid, SIGKILL);
    if (file)
        fclose(file);
    snprintf(path, sizeof path, "%s/keep", server->folder);
    file = fopen(path, "w");
    if (file)
        fclose(file);
    end_guard(server);
}

souk_err postgres_server_again(postgres_server *server, const char *settings)
{
    /* It refuses while children of the killed one still hold its memory. */
    for (int attempt = 0; attempt < 100; attempt++) {
        char url[POSTGRES_URL_ROOM], path[200];
        struct timespec from, now;
        postgres_server_url(server, "souk_admin", "postgres", url);
        SOUK_TRY(start_guard(server, settings));
        clock_gettime(CLOCK_MONOTONIC, &from);
        snprintf(path, sizeof path, "%s/keep", server->folder);
        do {
            if (PQping(url) == PQPING_OK)
                return remove(path) ? SOUK_EIO : SOUK_OK;
            pause_ms(PAUSE_MS);
            clock_gettime(CLOCK_MONOTONIC, &now);
        } while (now.tv_sec - from.tv_sec < 2);
        end_guard(server);
    }
    return SOUK_ETIMEOUT;
}

void postgres_server_stop(postgres_server *server)
{
    if (server->folder[0])
        end_guard(server);
    server->folder[0] = '\0';
}

/* ---- one for the process ---------------------------------------------------------------------- */

static postgres_server shared;
static unsigned databases;

static void stop_shared(void)
{
    postgres_server_stop(&shared);
}

souk_err postgres_ask(const char *url, const char *sql, char words[200])
{
    PGconn *conn = PQconnectdb(url);
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    bool row = status == PGRES_TUPLES_OK && PQntuples(result) > 0;
    snprintf(words, 200, "%s", row ? PQgetvalue(result, 0, 0) : good ? "" : PQerrorMessage(conn));
    PQclear(result);
    PQfinish(conn);
    return good ? SOUK_OK : SOUK_EINVAL;
}

souk_err postgres_tell(const char *url, const char *sql, char words[200])
{
    return postgres_ask(url, sql, words);
}

void postgres_as_admin(const char *url, char admin_url[POSTGRES_URL_ROOM])
{
    snprintf(admin_url, POSTGRES_URL_ROOM, "postgres://souk_admin%s", strchr(url, '@'));
}

static souk_err start_shared(void)
{
    char url[POSTGRES_URL_ROOM], words[200];
    if (shared.folder[0])
        return SOUK_OK;
    SOUK_TRY(postgres_server_start(&shared, ""));
    atexit(stop_shared);
    postgres_server_url(&shared, "souk_admin", "postgres", url);
    return postgres_tell(url, "CREATE ROLE souk_shop LOGIN", words);
}

souk_err postgres_database(char url[POSTGRES_URL_ROOM])
{
    char admin[POSTGRES_URL_ROOM], sql[300], words[200], name[30];
    SOUK_TRY(start_shared());
    unsigned number = ++databases;
    postgres_server_url(&shared, "souk_admin", "postgres", admin);
    if (number > DATABASES_KEPT) {
        snprintf(sql, sizeof sql, "DROP DATABASE shop_%u WITH (FORCE)", number - DATABASES_KEPT);
        SOUK_TRY(postgres_tell(admin, sql, words));
    }
    snprintf(name, sizeof name, "shop_%u", number);
    snprintf(sql, sizeof sql, "CREATE DATABASE %s OWNER souk_shop TEMPLATE template0", name);
    SOUK_TRY(postgres_tell(admin, sql, words));
    postgres_server_url(&shared, "souk_shop", name, url);
    return SOUK_OK;
}

/* The backup of that name on the disk, where there is one, into the new database. */
static souk_err restore(souk_mem *mem, souk_disk *disk, const char *name, const char *url)
{
    souk_auto_value(souk_buf) dump = {.mem = mem};
    char command[POSTGRES_URL_ROOM + 200];
    souk_err err = souk_disk_take(disk, name, &dump);
    if (err)
        return err == SOUK_ENOENT ? SOUK_OK : err;
    snprintf(command, sizeof command, "%s/pg_restore --exit-on-error --no-owner -d '%s'", programs,
             url);
    FILE *pipe = popen(command, "w");
    if (!pipe)
        return SOUK_EBUSY;
    bool good = fwrite(dump.at, 1, dump.bytes, pipe) == dump.bytes;
    return pclose(pipe) == 0 && good ? SOUK_OK : SOUK_EIO;
}

souk_err postgres_open(souk_mem *mem, souk_disk *disk, const char *file_name,
                       const souk_ledger_options *options, souk_ledger **ret_ledger,
                       souk_diag *diag)
{
    char note[250], url[POSTGRES_URL_ROOM] = "";
    souk_mem *heap = souk_mem_heap(); /* what a test makes fail is the ledger */
    souk_auto_value(souk_buf) known = {.mem = heap};
    snprintf(note, sizeof note, "%s.postgres", file_name);
    souk_err err = souk_disk_take(disk, note, &known);
    if (err == SOUK_ENOENT) {
        SOUK_TRY(postgres_database(url));
        SOUK_TRY(restore(heap, disk, file_name, url));
        SOUK_TRY(souk_disk_put(disk, note, url, sizeof url));
    } else {
        SOUK_TRY(err);
        memcpy(url, known.at, souk_min_size(known.bytes, sizeof url - 1));
    }
    return souk_ledger_open_postgres(mem, url, options, ret_ledger, diag);
}

souk_ledger_opener *test_ledger_opener(void)
{
    const char *which = getenv("SOUK_TEST_LEDGER");
    return which && !strcmp(which, "postgres") && postgres_server_found() ? postgres_open : NULL;
}

souk_err test_ledger_open(souk_mem *mem, souk_disk *disk, const char *file_name,
                          const souk_ledger_options *options, souk_ledger **ret_ledger,
                          souk_diag *diag)
{
    souk_ledger_opener *opener = test_ledger_opener();
    opener = opener ? opener : souk_ledger_open_sqlite;
    return opener(mem, disk, file_name, options, ret_ledger, diag);
}

SOUK_TEST("a server of the test's own starts, is killed, starts again and ends without a trace")
{
    postgres_server server = {{0}, 0, 0};
    char url[POSTGRES_URL_ROOM], words[200], folder[120];
    if (!postgres_server_found())
        test_skip(test, "PostgreSQL is not installed");
    SOUK_MUST(postgres_server_start(&server, "-c log_connections=off"));
    postgres_server_url(&server, "souk_admin", "postgres", url);
    SOUK_MUST(postgres_tell(url, "CREATE TABLE a (b int); INSERT INTO a VALUES (7)", words));
    postgres_server_kill(&server);
    SOUK_CHECK(postgres_ask(url, "SELECT b FROM a", words) != SOUK_OK);
    SOUK_MUST(postgres_server_again(&server, ""));
    SOUK_MUST(postgres_ask(url, "SELECT b FROM a", words));
    SOUK_CHECK_TEXT(souk_text_of(words), "7");
    snprintf(folder, sizeof folder, "%s", server.folder);
    postgres_server_stop(&server);
    SOUK_CHECK(access(folder, F_OK) != 0);
}
