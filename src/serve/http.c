/* http.c - the life of the server of http.h: options, listeners, threads, drain, counts. */
#include "serve/http_guts.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 1 << 20 };

/* 0 stands for the default; false where the number is above its bound. */
static bool fill(uint32_t *at, uint32_t standard, uint32_t most)
{
    if (*at == 0)
        *at = standard;
    return *at <= most;
}

static bool options_fill(souk_http_options *o)
{
    const uint32_t hour_ms = 3600000;
    if (!o->clock)
        o->clock = souk_clock_real();
    if (!o->body_limit_bytes)
        o->body_limit_bytes = (size_t)4 << 20;
    return o->handle && o->body_limit_bytes <= (size_t)1 << 32 &&
           fill(&o->loop_count, 1, HTTP_LOOPS_MAX) &&
           fill(&o->connection_limit, 10000, CONNECTIONS_MAX) &&
           fill(&o->peer_limit, 512, CONNECTIONS_MAX) && fill(&o->header_ms, 5000, hour_ms) &&
           fill(&o->body_ms, 10000, hour_ms) && fill(&o->body_bytes_per_s, 1024, UINT32_MAX) &&
           fill(&o->idle_ms, 30000, hour_ms) && fill(&o->write_ms, 10000, hour_ms) &&
           fill(&o->write_bytes_per_s, 16384, UINT32_MAX) && fill(&o->linger_ms, 1000, hour_ms);
}

souk_err souk_http_new(souk_mem *mem, const souk_http_options *options, souk_http **ret_http)
{
    souk_http_options filled = *options;
    if (!options_fill(&filled))
        return SOUK_EINVAL;
    souk_auto(souk_http) http = souk_mem_get(mem, sizeof *http);
    if (!http)
        return SOUK_ENOMEM;
    http->mem = mem;
    http->options = filled;
    souk_mutex_init(&http->mutex);
    souk_cond_init(&http->quiet);
    http->wait_ms[WAIT_FIRST] = http->wait_ms[WAIT_HEAD] = filled.header_ms;
    http->wait_ms[WAIT_IDLE] = filled.idle_ms;
    http->wait_ms[WAIT_BODY] = filled.body_ms;
    http->wait_ms[WAIT_WRITE] = filled.write_ms;
    http->wait_ms[WAIT_LINGER] = filled.linger_ms;
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        return SOUK_EIO;
    SOUK_TRY(
        souk_http_peers_new(mem, filled.connection_limit, filled.peer_limit, seed, &http->peers));
    *ret_http = souk_take(&http);
    return SOUK_OK;
}

void http_listeners_close(souk_http *http)
{
    for (unsigned i = 0; i < http->listener_count; i++)
        close(http->listeners[i]);
    http->listener_count = 0;
}

static void set_phase(souk_http *http, int phase)
{
    atomic_store_explicit(&http->phase, phase, memory_order_release);
    for (unsigned i = 0; i < http->options.loop_count; i++)
        if (http->loops[i])
            http_loop_wake(http->loops[i]);
}

void souk_http_free(souk_http *http)
{
    if (!http)
        return;
    set_phase(http, HTTP_ENDING);
    for (unsigned i = 0; i < http->options.loop_count; i++)
        if (http->loops[i])
            souk_thread_join(&http->loops[i]->thread);
    for (unsigned i = 0; i < http->options.loop_count; i++)
        http_loop_free(http->loops[i]);
    http_listeners_close(http);
    souk_http_peers_free(http->peers);
    souk_cond_done(&http->quiet);
    souk_mutex_done(&http->mutex);
    souk_mem_put(http->mem, http);
}

souk_err souk_http_listen(souk_http *http, int fd)
{
    souk_assert(!http->started);
    if (http->listener_count == HTTP_LISTENERS_MAX)
        return SOUK_ETOOBIG;
    int listens = 0, flags = fcntl(fd, F_GETFL);
    socklen_t bytes = sizeof listens;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &bytes) || !listens || flags < 0 ||
        fcntl(fd, F_SETFL, flags | O_NONBLOCK))
        return SOUK_EIO;
    /* Accepted sockets inherit it: an answer must not wait for the client's delayed ACK.  A unix
     * socket has no such option and no such delay. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    /* Inherited too: the kernel takes this much that the client has no window for, and then the
     * write deadline runs; else it would keep up to 4 MiB of answers for each slow reader (tcp(7)). */
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &(int){HTTP_UNSENT_BYTES}, sizeof(int));
    http->listeners[http->listener_count++] = fd;
    return SOUK_OK;
}

souk_err souk_http_start(souk_http *http)
{
    souk_assert(!http->started);
    http->started = true;
    for (unsigned i = 0; i < http->options.loop_count; i++)
        SOUK_TRY(http_loop_new(http, &http->loops[i]));
    atomic_store(&http->listening_count, http->options.loop_count);
    for (unsigned i = 0; i < http->options.loop_count; i++) {
        char name[16];
        snprintf(name, sizeof name, "http-%u", i);
        SOUK_TRY(souk_thread_start(&http->loops[i]->thread, name, http_loop_run, http->loops[i]));
    }
    return SOUK_OK;
}

void http_quiet(souk_http *http)
{
    souk_auto_lock(&http->mutex);
    http->quiet_count++;
    souk_cond_signal(&http->quiet);
}

souk_err souk_http_drain(souk_http *http, uint32_t within_ms)
{
    if (!http->started)
        return SOUK_OK;
    /* A real deadline even under a fake clock: it bounds how long this thread sleeps. */
    int64_t deadline_ns = souk_clock_monotonic_ns(souk_clock_real()) + (int64_t)within_ms * 1000000;
    set_phase(http, HTTP_DRAINING);
    souk_auto_lock(&http->mutex);
    bool in_time = true;
    while (http->quiet_count < http->options.loop_count) {
        if (!in_time) {
            souk_cond_wait(&http->quiet, &http->mutex);
            continue;
        }
        in_time = souk_cond_wait_until(&http->quiet, &http->mutex, deadline_ns);
        if (!in_time)
            set_phase(http, HTTP_CUTTING);
    }
    return in_time ? SOUK_OK : SOUK_ETIMEOUT;
}

void souk_http_probe(souk_http *http)
{
    atomic_fetch_add_explicit(&http->probe, 1, memory_order_relaxed);
    for (unsigned i = 0; i < http->options.loop_count; i++)
        http_loop_wake(http->loops[i]); /* the eventfd orders: who wakes sees the probe */
}

bool souk_http_is_silent(const souk_http *http)
{
    unsigned probe = atomic_load_explicit(&http->probe, memory_order_relaxed);
    for (unsigned i = 0; i < http->options.loop_count; i++)
        if (atomic_load_explicit(&http->loops[i]->seen, memory_order_relaxed) != probe)
            return true;
    return false;
}

void souk_http_count(const souk_http *http, souk_http_counts *ret_counts)
{
    uint64_t sums[sizeof *ret_counts / sizeof(uint64_t)] = {0};
    _Static_assert(sizeof(souk_http_counts) % sizeof(uint64_t) == 0, "all of them are uint64_t");
    uint64_t wakes = 0;
    for (unsigned i = 0; i < http->options.loop_count; i++) {
        if (!http->loops[i])
            continue;
        const uint64_t *counts = (const uint64_t *)&http->loops[i]->counts;
        for (size_t j = 0; j < sizeof sums / sizeof *sums; j++)
            sums[j] += __atomic_load_n(&counts[j], __ATOMIC_RELAXED);
        wakes += atomic_load_explicit(&http->loops[i]->wakes, memory_order_relaxed);
    }
    memcpy(ret_counts, sums, sizeof sums);
    ret_counts->wakes = wakes;
}

void souk_http_peer_text(const souk_http_peer *peer, char to[48])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff}, none[16];
    if (memcmp(peer->address, none, sizeof none) == 0)
        strcpy(to, "local");
    else if (memcmp(peer->address, mapped, sizeof mapped) == 0)
        inet_ntop(AF_INET, peer->address + 12, to, 48);
    else
        inet_ntop(AF_INET6, peer->address, to, 48);
}
