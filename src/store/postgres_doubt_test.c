/* postgres_doubt_test.c - a COMMIT whose answer is lost on the way: whether it happened is told truly.
 *
 * Between ledger and server stands a proxy that loses the question, or the answer, or keeps the old session alive
 * behind the ledger's back. */
#include "store/postgres_server.h"

#include "os/thread.h"
#include "test/test.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum loss { LOSE_NOTHING, LOSE_QUESTION, LOSE_ANSWER, KEEP_SESSION };
enum { LINES_MOST = 64 };

struct proxy;
struct line {
    struct proxy *proxy;
    souk_thread thread;
    int client, server;
};

struct proxy {
    char folder[100], upstream[100];
    int listener;
    souk_thread thread;
    int loss;  /* atomic: what befalls the next COMMIT */
    bool stop; /* atomic */
    struct line lines[LINES_MOST];
    int count;
    int kept[LINES_MOST], kept_count; /* sessions kept alive; the count is atomic */
};

static bool is_stopped(struct proxy *proxy)
{
    return __atomic_load_n(&proxy->stop, __ATOMIC_SEQ_CST);
}

static int socket_at(const char *folder, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(address->sun_path, sizeof address->sun_path, "%.80s/.s.PGSQL.5432", folder);
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static bool pass_on(int to, const char *bytes, ssize_t count)
{
    return send(to, bytes, (size_t)count, MSG_NOSIGNAL) == count;
}

/* A simple query of this one word: 'Q', length 11, "COMMIT\0". */
static bool is_commit(const char *bytes, ssize_t count)
{
    return count == 12 && !memcmp(bytes,
                                  "Q\0\0\0\x0b"
                                  "COMMIT",
                                  12);
}

/* True where the line is cut. */
static bool befalls(struct line *line, const char *bytes, ssize_t count)
{
    char answer[1000];
    if (!is_commit(bytes, count))
        return false;
    int loss = __atomic_exchange_n(&line->proxy->loss, LOSE_NOTHING, __ATOMIC_SEQ_CST);
    if (loss == LOSE_ANSWER)
        (void)(pass_on(line->server, bytes, count) &&
               recv(line->server, answer, sizeof answer, 0) > 0);
    if (loss == KEEP_SESSION) {
        line->proxy->kept[__atomic_fetch_add(&line->proxy->kept_count, 1, __ATOMIC_SEQ_CST)] =
            line->server;
        line->server = -1;
    }
    return loss != LOSE_NOTHING;
}

static void line_body(void *context)
{
    struct line *line = context;
    char bytes[65536];
    struct pollfd ends[] = {{.fd = line->client, .events = POLLIN},
                            {.fd = line->server, .events = POLLIN}};
    for (bool open = true; open && !is_stopped(line->proxy);) {
        if (poll(ends, 2, 20) <= 0)
            continue;
        for (int i = 0; i < 2 && open; i++) {
            if (!ends[i].revents)
                continue;
            ssize_t count = recv(ends[i].fd, bytes, sizeof bytes, 0);
            open = count > 0 && !(i == 0 && befalls(line, bytes, count)) &&
                   pass_on(ends[1 - i].fd, bytes, count);
        }
    }
    close(line->client);
    if (line->server >= 0)
        close(line->server);
}

static void proxy_body(void *context)
{
    struct proxy *proxy = context;
    while (!is_stopped(proxy) && proxy->count < LINES_MOST) {
        struct pollfd ready = {.fd = proxy->listener, .events = POLLIN};
        struct sockaddr_un address;
        if (poll(&ready, 1, 20) <= 0)
            continue;
        struct line *line = &proxy->lines[proxy->count];
        *line = (struct line){.proxy = proxy, .client = accept(proxy->listener, NULL, NULL)};
        line->server = socket_at(proxy->upstream, &address);
        if (connect(line->server, (struct sockaddr *)&address, sizeof address) ||
            souk_thread_start(&line->thread, "line", line_body, line)) {
            close(line->client);
            close(line->server);
        } else {
            proxy->count++;
        }
    }
}

/* url: of the server; becomes the proxy's. */
static void proxy_start(souk_test *test, struct proxy *proxy, char url[POSTGRES_URL_ROOM])
{
    struct sockaddr_un address;
    char *host = strstr(url, "host=") + 5;
    snprintf(proxy->upstream, sizeof proxy->upstream, "%s", host);
    snprintf(proxy->folder, sizeof proxy->folder, "%s", test_folder(test));
    snprintf(host, POSTGRES_URL_ROOM - (size_t)(host - url), "%s", proxy->folder);
    proxy->listener = socket_at(proxy->folder, &address);
    SOUK_CHECK(!bind(proxy->listener, (struct sockaddr *)&address, sizeof address));
    SOUK_CHECK(!listen(proxy->listener, 16));
    SOUK_MUST(souk_thread_start(&proxy->thread, "proxy", proxy_body, proxy));
}

static void proxy_stop(struct proxy *proxy)
{
    __atomic_store_n(&proxy->stop, true, __ATOMIC_SEQ_CST);
    souk_thread_join(&proxy->thread);
    for (int i = 0; i < proxy->count; i++)
        souk_thread_join(&proxy->lines[i].thread);
    for (int i = 0; i < proxy->kept_count; i++)
        close(proxy->kept[i]);
    close(proxy->listener);
}

struct sale {
    int64_t id;
    int runs;
};

static souk_err sell(souk_tx *tx, void *context)
{
    struct sale *sale = context;
    sale->runs++;
    return souk_sql_run(tx, "INSERT INTO sale (id) VALUES (?1)", SOUK_VALUES(SOUK_INT(sale->id)));
}

static souk_err run_sql(souk_tx *tx, void *sql)
{
    return souk_sql_script(tx, sql);
}

struct counting {
    int64_t id, count;
};

static souk_err count_of(souk_tx *tx, void *context)
{
    struct counting *counting = context;
    return souk_sql_one_int(tx, "SELECT count(*) FROM sale WHERE id = ?1",
                            SOUK_VALUES(SOUK_INT(counting->id)), &counting->count);
}

SOUK_TEST("a commit whose question or answer is lost is there once, and run again only where it "
          "did not happen")
{
    static const struct {
        enum loss loss;
        int runs;
    } cases[] = {{LOSE_NOTHING, 1},
                 {LOSE_QUESTION, 2},
                 {LOSE_ANSWER, 1},
                 {KEEP_SESSION, 2},
                 {LOSE_ANSWER, 1}};
    if (!postgres_server_found())
        test_skip(test, "PostgreSQL is not installed");
    static struct proxy proxy;
    char url[POSTGRES_URL_ROOM], schema[] = "CREATE TABLE sale (id INTEGER NOT NULL)";
    souk_auto(souk_ledger) ledger = NULL;
    souk_ledger_options options = {.writers = 2};
    proxy = (struct proxy){.listener = -1};
    SOUK_MUST(postgres_database(url));
    proxy_start(test, &proxy, url);
    SOUK_MUST(souk_ledger_open_postgres(test->mem, url, &options, &ledger, NULL));
    SOUK_MUST(souk_ledger_write(ledger, SOUK_LANE_JOB, run_sql, schema));
    int64_t id = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int lane = 0; lane < SOUK_LANE_COUNT; lane++) {
            struct sale sale = {.id = ++id};
            struct counting counting = {.id = id};
            __atomic_store_n(&proxy.loss, (int)cases[i].loss, __ATOMIC_SEQ_CST);
            SOUK_MUST(souk_ledger_write(ledger, (enum souk_lane)lane, sell, &sale));
            SOUK_CHECK(sale.runs == cases[i].runs &&
                       __atomic_load_n(&proxy.loss, __ATOMIC_SEQ_CST) == LOSE_NOTHING);
            SOUK_MUST(souk_ledger_read(ledger, count_of, &counting));
            SOUK_CHECK(counting.count == 1);
        }
    SOUK_MUST(souk_ledger_close(ledger));
    souk_ledger_free(souk_take(&ledger));
    proxy_stop(&proxy);
}
