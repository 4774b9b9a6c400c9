/* bench_load.c - the load: Segment events of about 440 bytes over HTTP, many connections, one thread.
 *
 * Event n is a function of (seed, n): 1 % repeat an event of the last 100,000, 10 % bring a new visitor with a
 * new anonymous id, the rest are signed-in shoppers by Zipf 1.0 with one anonymous id each. */
#include "app/bench.h"
#include "base/hash.h"
#include "os/socket.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    ROOM = 1 << 20,
    LATENCIES = 1 << 20,
    CONNECTIONS_MOST = 256,
    HEAD_MOST = 511,
    FIRST_USER = 1000000
};

static uint64_t draw(uint64_t seed, uint64_t number, uint64_t which)
{
    return souk_mix64(seed * 0x9e3779b97f4a7c15u + number * 0xd1b54a32d192ed03u + which);
}

static double unit(uint64_t random)
{
    return (double)(random >> 11) * 0x1p-53;
}

/* Zipf with exponent 1 over [1, n], by inverting the integral of 1/x; the head is exact enough for a load. */
static uint32_t zipf(uint64_t random, uint32_t n)
{
    double x = exp(unit(random) * log((double)n + 0.5));
    uint32_t rank = (uint32_t)(x + 0.5);
    return rank < 1 ? 1 : rank > n ? n : rank;
}

static void put_uuid(char *to, uint64_t a, uint64_t b)
{
    unsigned char bytes[16];
    souk_put_u64(bytes, a);
    souk_put_u64(bytes + 8, b);
    bytes[6] = (unsigned char)((bytes[6] & 15) | 64);
    bytes[8] = (unsigned char)((bytes[8] & 63) | 128);
    char hex[32];
    souk_hex(bytes, 16, hex);
    memcpy(to, hex, 8);
    to[8] = '-';
    memcpy(to + 9, hex + 8, 4);
    to[13] = '-';
    memcpy(to + 14, hex + 12, 4);
    to[18] = '-';
    memcpy(to + 19, hex + 16, 4);
    to[23] = '-';
    memcpy(to + 24, hex + 20, 12);
}

static const char *const locales[] = {"en-GB", "de-DE", "zh-CN", "fr-FR"};
static const char *const pages[] = {"/", "/p/", "/c/", "/search", "/cart"};
static const char *const names[] = {"Product Viewed", "Product Added", "Product List Viewed",
                                    "Cart Viewed", "Product Clicked"};
static const char *const words[] = {"salted", "almond", "crackers", "organic", "green", "tea",
                                    "family", "pack",   "dark",     "honey",   "rice",  "noodles",
                                    "spicy",  "sea",    "roasted",  "mini"};

static uint32_t shopper_of(uint64_t random, uint64_t number, uint32_t shoppers)
{
    return shoppers == BENCH_ALL_NEW ? (uint32_t)number + 1 : zipf(random, shoppers);
}

static size_t print_event(uint64_t seed, uint64_t number, uint32_t shoppers, char *room)
{
    uint64_t a = draw(seed, number, 1), b = draw(seed, number, 2), c = draw(seed, number, 3);
    bool visitor = a % 10 == 0 && shoppers != BENCH_ALL_NEW;
    uint32_t shopper = shopper_of(b, number, shoppers), product = zipf(c, 50000);
    char message[37] = "", anonymous[37] = "", user[32] = "";
    uint64_t whose = visitor ? number * 2 + 1 : (uint64_t)shopper * 2;
    put_uuid(message, draw(seed, number, 4), draw(seed, number, 5));
    put_uuid(anonymous, draw(seed, whose, 6), draw(seed, whose, 7));
    if (!visitor)
        snprintf(user, sizeof user, "\"userId\":\"u-%u\",", FIRST_USER + shopper);
    uint64_t p = draw(7, product, 8);
    return (size_t)snprintf(
        room, 1024,
        "{\"type\":\"track\",\"event\":\"%s\",\"messageId\":\"%s\",%s\"anonymousId\":\"%s\","
        "\"timestamp\":\"2026-%02u-%02uT%02u:%02u:%02u.%03uZ\",\"properties\":{\"product_id\":"
        "\"SKU-%05u\",\"name\":\"%s %s %s\",\"category\":\"cat-%u\",\"price\":%u.%02u,"
        "\"currency\":\"EUR\",\"quantity\":1},\"context\":{\"library\":{\"name\":\"analytics.js\","
        "\"version\":\"2.11.1\"},\"locale\":\"%s\",\"page\":{\"path\":\"%s%u\"}}}",
        names[a / 16 % 5], message, user, anonymous, (unsigned)(1 + a / 128 % 11),
        (unsigned)(1 + b / 64 % 28), (unsigned)(c / 7 % 24), (unsigned)(c / 511 % 60),
        (unsigned)(a / 4096 % 60), (unsigned)(b / 4096 % 1000), product, words[p % 16],
        words[p / 16 % 16], words[p / 256 % 16], (unsigned)(p / 4096 % 200),
        (unsigned)(1 + p / 65536 % 90), (unsigned)(p / 9999999 % 100),
        locales[draw(3, whose, 9) % 4], pages[a / 32 % 5], (unsigned)(c / 3 % 5000));
}

/* A repeat is an earlier event, letter for letter. */
static uint64_t original(uint64_t seed, uint64_t number)
{
    if (number > 1000 && draw(seed, number, 0) % 100 == 0) {
        uint64_t back = 1 + draw(seed, number, 10) % souk_min_size(number, 100000);
        number -= back;
        if (number > 1000 && draw(seed, number, 0) % 100 == 0)
            number = 7;
    }
    return number;
}

size_t bench_event(uint64_t seed, uint64_t number, uint32_t shoppers, char *room)
{
    return print_event(seed, original(seed, number), shoppers, room);
}

/* In front of what stands at `at`; returns how many bytes. */
static size_t put_before(char *at, size_t bytes, const char *text)
{
    size_t more = strlen(text);
    memmove(at + more, at, bytes);
    memcpy(at, text, more);
    return more;
}

/* The same event in a store, of one of five times twenty types. */
static size_t print_of_store(const bench_load *load, uint64_t number, char *room)
{
    static const char name[] = "\"event\":\"", properties[] = "\"properties\":{";
    char text[64];
    size_t bytes = bench_event(load->seed, number, load->shoppers, room);
    number = original(load->seed, number);
    char *at = strstr(room, properties) + sizeof properties - 1;
    snprintf(text, sizeof text, "\"store_id\":\"S-%03u\",",
             (unsigned)(draw(load->seed, number, 11) % load->stores));
    bytes += put_before(at, bytes - (size_t)(at - room), text);
    at = strstr(room, name) + sizeof name - 1;
    snprintf(text, sizeof text, "T%02u ", (unsigned)(draw(load->seed, number, 12) % 20));
    return bytes + put_before(at, bytes - (size_t)(at - room), text);
}

uint32_t bench_event_user(uint64_t seed, uint64_t number, uint32_t shoppers)
{
    number = original(seed, number);
    bool visitor = draw(seed, number, 1) % 10 == 0;
    return visitor ? 0 : FIRST_USER + zipf(draw(seed, number, 2), shoppers);
}

/* ---- connections ---------------------------------------------------------------------------------------- */

struct line {
    souk_fd fd;
    char *room; /* [ROOM] */
    size_t bytes, sent, got;
    char head[HEAD_MOST + 1];
    double begun_s;
    bool busy;
};

struct running {
    bench_load *load;
    struct line lines[CONNECTIONS_MOST];
    int epoll;
    unsigned turns;
    uint64_t next, end; /* numbers of events */
    double started_s;
    bool ended; /* by tick */
    float *latencies;
    size_t latency_count;
    char authorization[128];
};

static void base64(const char *text, char *to)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t bytes = strlen(text);
    for (size_t i = 0; i < bytes; i += 3) {
        uint32_t group = (uint32_t)(unsigned char)text[i] << 16;
        group |= i + 1 < bytes ? (uint32_t)(unsigned char)text[i + 1] << 8 : 0;
        group |= i + 2 < bytes ? (uint32_t)(unsigned char)text[i + 2] : 0;
        *to++ = letters[group >> 18];
        *to++ = letters[group >> 12 & 63];
        *to++ = i + 1 < bytes ? letters[group >> 6 & 63] : '=';
        *to++ = i + 2 < bytes ? letters[group & 63] : '=';
    }
    *to = '\0';
}

static void make_own_request(struct running *run, struct line *line)
{
    bench_load *load = run->load;
    line->bytes = load->request(load->context, run->next, line->room, ROOM);
    line->sent = line->got = 0;
    line->begun_s = load->events_per_s > 0
                        ? run->started_s + (double)(run->next - load->first) / load->events_per_s
                        : bench_wall_s();
    line->busy = true;
    run->next++;
    load->sent++;
}

/* The body behind room for the head, so that one send carries both. */
static void make_request(struct running *run, struct line *line)
{
    bench_load *load = run->load;
    if (load->request) {
        make_own_request(run, line);
        return;
    }
    enum { HEAD = 256 };
    char *at = line->room + HEAD;
    bool single = load->batch_events == 1;
    uint64_t count = souk_min_size(load->batch_events, run->end - run->next);
    if (!single)
        at += sprintf(at, "{\"batch\":[");
    for (uint64_t i = 0; i < count; i++) {
        if (i)
            *at++ = ',';
        size_t bytes = load->stores ? print_of_store(load, run->next + i, at)
                                    : bench_event(load->seed, run->next + i, load->shoppers, at);
        load->json_bytes += bytes;
        at += bytes;
    }
    if (!single)
        at += sprintf(at, "]}");
    run->next += count;
    load->sent += count;
    size_t body = (size_t)(at - (line->room + HEAD));
    char head[HEAD];
    int head_bytes = snprintf(head, sizeof head,
                              "POST /v1/%s HTTP/1.1\r\nHost: souk\r\nAuthorization: Basic %s\r\n"
                              "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                              single ? "track" : "batch", run->authorization, body);
    memcpy(line->room + HEAD - head_bytes, head, (size_t)head_bytes);
    line->sent = (size_t)(HEAD - head_bytes);
    line->bytes = HEAD + body;
    line->got = 0;
    line->begun_s = bench_wall_s();
    line->busy = true;
}

static souk_err send_more(struct running *run, struct line *line)
{
    while (line->sent < line->bytes) {
        ssize_t sent = write(line->fd, line->room + line->sent, line->bytes - line->sent);
        if (sent < 0)
            break;
        line->sent += (size_t)sent;
    }
    struct epoll_event event = {.events = line->sent < line->bytes ? EPOLLIN | EPOLLOUT : EPOLLIN,
                                .data.ptr = line};
    return epoll_ctl(run->epoll, EPOLL_CTL_MOD, line->fd, &event) ? SOUK_EIO : SOUK_OK;
}

/* An answer is complete where its head and Content-Length say so. */
static bool answer_complete(const struct line *line, int *ret_status)
{
    const char *end = memmem(line->head, souk_min_size(line->got, HEAD_MOST), "\r\n\r\n", 4);
    const char *length =
        end ? memmem(line->head, (size_t)(end - line->head), "Content-Length: ", 16) : NULL;
    if (!end)
        return false;
    size_t body = length ? strtoul(length + 16, NULL, 10) : 0;
    *ret_status = atoi(line->head + 9);
    return line->got >= (size_t)(end + 4 - line->head) + body;
}

static souk_err receive_more(struct running *run, struct line *line)
{
    static char rest[65536]; /* of an answer longer than its head's room: nobody looks at it */
    bench_load *load = run->load;
    bool in_head = line->got < HEAD_MOST;
    ssize_t got = in_head ? read(line->fd, line->head + line->got, HEAD_MOST - line->got)
                          : read(line->fd, rest, sizeof rest);
    int status;
    if (got <= 0)
        return SOUK_EIO;
    line->got += (size_t)got;
    if (in_head)
        line->head[line->got] = '\0';
    if (!answer_complete(line, &status))
        return SOUK_OK;
    line->busy = false;
    load->accepted_requests += status / 100 == 2;
    load->refused_requests += status / 100 != 2;
    if (status / 100 != 2 && load->refused_requests == 1)
        fprintf(stderr, "first refusal: %s\n", line->head);
    if (run->latency_count < LATENCIES)
        run->latencies[run->latency_count++] = (float)(bench_wall_s() - line->begun_s);
    return SOUK_OK;
}

static int by_size(const void *a, const void *b)
{
    float left = *(const float *)a, right = *(const float *)b;
    return (left > right) - (left < right);
}

static souk_err turn(struct running *run, double started_s)
{
    bench_load *load = run->load;
    struct epoll_event events[CONNECTIONS_MOST];
    double now = bench_wall_s();
    uint64_t due = load->events_per_s > 0
                       ? load->first + (uint64_t)((now - started_s) * load->events_per_s)
                       : UINT64_MAX;
    run->turns++; /* so that each connection has its turn: one that rests for 30 s is closed */
    for (unsigned i = 0; i < load->connections; i++) {
        struct line *line = &run->lines[(run->turns + i) % load->connections];
        if (!line->busy && run->next < run->end && run->next < due) {
            make_request(run, line);
            SOUK_TRY(send_more(run, line));
        }
    }
    int count = epoll_wait(run->epoll, events, CONNECTIONS_MOST, 1);
    for (int i = 0; i < count; i++) {
        struct line *line = events[i].data.ptr;
        if (events[i].events & EPOLLOUT)
            SOUK_TRY(send_more(run, line));
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            SOUK_TRY(receive_more(run, line));
    }
    run->ended = load->tick && !load->tick(load->context);
    return SOUK_OK;
}

static bool all_idle(const struct running *run)
{
    for (unsigned i = 0; i < run->load->connections; i++)
        if (run->lines[i].busy)
            return false;
    return true;
}

static souk_err open_lines(struct running *run, souk_diag *diag)
{
    bench_load *load = run->load;
    char pair[80];
    snprintf(pair, sizeof pair, "%s:", load->server->write_key);
    base64(pair, run->authorization);
    run->epoll = epoll_create1(EPOLL_CLOEXEC);
    run->latencies = calloc(LATENCIES, sizeof *run->latencies);
    for (unsigned i = 0; i < load->connections; i++) {
        struct line *line = &run->lines[i];
        line->room = malloc(ROOM);
        SOUK_TRY(souk_socket_connect(load->server->address, 5000, &line->fd, diag));
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = line};
        if (!line->room || epoll_ctl(run->epoll, EPOLL_CTL_ADD, line->fd, &event))
            return SOUK_EIO;
    }
    return run->latencies ? SOUK_OK : SOUK_ENOMEM;
}

souk_err bench_load_run(bench_load *load, souk_diag *diag)
{
    struct running *run = calloc(1, sizeof *run);
    if (!run)
        return SOUK_ENOMEM;
    load->connections = load->connections ? load->connections : 16;
    load->batch_events = load->batch_events ? load->batch_events : 100;
    load->shoppers = load->shoppers ? load->shoppers : 1000000;
    run->load = load;
    run->next = load->first;
    run->end = load->first + load->events;
    for (unsigned i = 0; i < CONNECTIONS_MOST; i++)
        run->lines[i].fd = -1;
    souk_err err = open_lines(run, diag);
    double cpu_s = bench_cpu_s(load->server->pid), started_s = bench_wall_s();
    run->started_s = started_s;
    while (!err && !run->ended && (run->next < run->end || !all_idle(run)))
        err = turn(run, started_s);
    load->wall_s = bench_wall_s() - started_s;
    load->server_cpu_s = bench_cpu_s(load->server->pid) - cpu_s;
    if (run->latency_count) {
        qsort(run->latencies, run->latency_count, sizeof *run->latencies, by_size);
        load->p50_ms = 1e3 * (double)run->latencies[run->latency_count / 2];
        load->p99_ms = 1e3 * (double)run->latencies[run->latency_count * 99 / 100];
    }
    for (unsigned i = 0; i < load->connections; i++) {
        souk_fd_done(&run->lines[i].fd);
        free(run->lines[i].room);
    }
    close(run->epoll);
    free(run->latencies);
    free(run);
    return err ? souk_diag_say(diag, err, "the load lost its connection to the server") : SOUK_OK;
}
