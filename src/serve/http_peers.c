/* http_peers.c - the table of http_peers.h. */
#include "serve/http_peers.h"

#include "os/thread.h"

typedef struct slot {
    uint64_t high, low; /* the address; of IPv6 the first half only */
    uint64_t count;     /* 0: empty */
} slot;

struct souk_http_peers {
    souk_mem *mem;
    souk_mutex mutex;
    uint64_t seed;
    size_t mask, used, used_limit;
    unsigned peer_limit;
    slot slots[];
};

souk_err souk_http_peers_new(souk_mem *mem, unsigned connection_limit, unsigned peer_limit,
                             uint64_t seed, souk_http_peers **ret_peers)
{
    size_t room = 16;
    while (room < (size_t)connection_limit * 2)
        room *= 2;
    souk_http_peers *peers = souk_mem_get(mem, sizeof *peers + room * sizeof peers->slots[0]);
    if (!peers)
        return SOUK_ENOMEM;
    peers->mem = mem;
    peers->seed = seed;
    peers->mask = room - 1;
    peers->used_limit = room / 2;
    peers->peer_limit = peer_limit;
    souk_mutex_init(&peers->mutex);
    *ret_peers = peers;
    return SOUK_OK;
}

void souk_http_peers_free(souk_http_peers *peers)
{
    if (!peers)
        return;
    souk_mutex_done(&peers->mutex);
    souk_mem_put(peers->mem, peers);
}

/* False for a peer without an address. */
static bool key_of(const souk_http_peer *peer, slot *ret_key)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    *ret_key = (slot){souk_get_u64(peer->address), souk_get_u64(peer->address + 8), 0};
    if (ret_key->high == 0 && ret_key->low == 0)
        return false;
    if (memcmp(peer->address, mapped, sizeof mapped) != 0)
        ret_key->low = 0;
    return true;
}

static size_t home(const souk_http_peers *peers, const slot *key)
{
    __extension__ typedef unsigned __int128 wide;
    uint64_t a = key->high ^ peers->seed, b = key->low ^ 0x9e3779b97f4a7c15u;
    wide product = (wide)(a * 0xbf58476d1ce4e5b9u + b) * (peers->seed | 1);
    return (size_t)((uint64_t)product ^ (uint64_t)(product >> 64)) & peers->mask;
}

/* Where the key is, or the empty slot where it would be. */
static size_t find(const souk_http_peers *peers, const slot *key)
{
    size_t i = home(peers, key);
    while (peers->slots[i].count &&
           (peers->slots[i].high != key->high || peers->slots[i].low != key->low))
        i = (i + 1) & peers->mask;
    return i;
}

bool souk_http_peers_enter(souk_http_peers *peers, const souk_http_peer *peer)
{
    slot key;
    if (!key_of(peer, &key))
        return true;
    souk_auto_lock(&peers->mutex);
    slot *at = &peers->slots[find(peers, &key)];
    if (at->count >= peers->peer_limit || (at->count == 0 && peers->used == peers->used_limit))
        return false;
    if (at->count == 0) {
        *at = key;
        peers->used++;
    }
    at->count++;
    return true;
}

void souk_http_peers_leave(souk_http_peers *peers, const souk_http_peer *peer)
{
    slot key;
    if (!key_of(peer, &key))
        return;
    souk_auto_lock(&peers->mutex);
    size_t hole = find(peers, &key);
    souk_assert(peers->slots[hole].count > 0);
    if (--peers->slots[hole].count)
        return;
    peers->used--;
    /* Whoever probed past the hole moves back into it, so that no search ends too early. */
    for (size_t i = (hole + 1) & peers->mask; peers->slots[i].count; i = (i + 1) & peers->mask) {
        size_t wanted = home(peers, &peers->slots[i]);
        if (((i - wanted) & peers->mask) < ((i - hole) & peers->mask))
            continue;
        peers->slots[hole] = peers->slots[i];
        peers->slots[i].count = 0;
        hole = i;
    }
}
