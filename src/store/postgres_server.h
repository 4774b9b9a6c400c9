/* postgres_server.h - for tests: a PostgreSQL of our own, on a unix socket in a folder of its own, without TCP.
 *
 *     if (!postgres_server_found())
 *         return;                                          said once, with the reason
 *     SOUK_TRY(postgres_open(mem, disk, "ledger", &options, &ledger, diag));
 *
 * One server serves the whole test process: it is made at its first use and ends with the process, however that
 * ends (a shell script holds the other end of a pipe).  A file "ledger.postgres" on the disk says which database
 * the name means, so that opening twice opens the same one; where the disk has a backup of that name it is
 * restored first.  The last eight databases are kept.
 *
 * Data lies in /dev/shm where that can be written, so that fsync is on and costs nothing. */
#ifndef SOUK_STORE_POSTGRES_SERVER_H
#define SOUK_STORE_POSTGRES_SERVER_H

#include "store/ledger.h"

/* False: initdb is missing. */
bool postgres_server_found(void);

/* Opens as souk_ledger_open_sqlite does. */
SOUK_CHECKED souk_err postgres_open(souk_mem *mem, souk_disk *disk, const char *file_name,
                                    const souk_ledger_options *options, souk_ledger **ret_ledger,
                                    souk_diag *diag);

/* What the test's own ledger stands on: SOUK_TEST_LEDGER=postgres in the environment makes it PostgreSQL, so that the
 * sentences about a module run on both.  For souk_spine_options.open_ledger: NULL means SQLite. */
souk_ledger_opener *test_ledger_opener(void);
/* A sentence about the disk of an embedded ledger says nothing there: `if (test_on_postgres()) return;`. */
static inline bool test_on_postgres(void)
{
    return test_ledger_opener() != NULL;
}
/* By that opener. */
SOUK_CHECKED souk_err test_ledger_open(souk_mem *mem, souk_disk *disk, const char *file_name,
                                       const souk_ledger_options *options, souk_ledger **ret_ledger,
                                       souk_diag *diag);

enum { POSTGRES_URL_ROOM = 300 };
/* An empty database on the shared server, for its owner (no superuser). */
SOUK_CHECKED souk_err postgres_database(char url[POSTGRES_URL_ROOM]);
/* The same database for the superuser. */
void postgres_as_admin(const char *url, char admin_url[POSTGRES_URL_ROOM]);
/* Runs statements at the URL; what they say is in words. */
SOUK_CHECKED souk_err postgres_tell(const char *url, const char *sql, char words[200]);
/* The first column of the first row, as text. */
SOUK_CHECKED souk_err postgres_ask(const char *url, const char *sql, char words[200]);

/* A server of a test's own, which may be killed. */
typedef struct postgres_server {
    char folder[120];
    int alive;  /* the guard ends when this end of the pipe closes */
    long guard; /* its process */
} postgres_server;
/* settings: more of postgres's -c NAME=VALUE, each with a space before it; "" for none.  SOUK_EUNSUPPORTED: not found. */
SOUK_CHECKED souk_err postgres_server_start(postgres_server *server, const char *settings);
/* kill -9 of the postmaster; its children see that and end. */
void postgres_server_kill(postgres_server *server);
/* The same data again, after a kill. */
SOUK_CHECKED souk_err postgres_server_again(postgres_server *server, const char *settings);
/* Ends it and removes the folder. */
void postgres_server_stop(postgres_server *server);
void postgres_server_url(const postgres_server *server, const char *user, const char *database,
                         char url[POSTGRES_URL_ROOM]);

#endif
