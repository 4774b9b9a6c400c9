/* http_peers.h - how many connections has this address open?  A fixed table, shared by all loops.
 *
 *     if (!souk_http_peers_enter(peers, &peer))      its share is used up
 *         close(fd);
 *     …
 *     souk_http_peers_leave(peers, &peer);           when the connection closes
 *
 * An IPv6 customer owns a /64 and can have a new address for every connection, so IPv6 counts by /64.
 * Peers without an address (unix sockets) are not limited.
 *
 * Shape    open addressing, linear probing, deletion by moving back; never more than half full
 * Memory   24 bytes x 2 x connections at most, rounded up to a power of two; allocated once
 * Threads  any; a mutex held for a few probes, taken when connections come and go only */
#ifndef SOUK_SERVE_HTTP_PEERS_H
#define SOUK_SERVE_HTTP_PEERS_H

#include "serve/http.h"

typedef struct souk_http_peers souk_http_peers;

/* Room for connection_limit different addresses, of which each may enter peer_limit times.
 * The seed keeps outsiders from choosing addresses that meet in one slot.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_http_peers_new(souk_mem *mem, unsigned connection_limit,
                                          unsigned peer_limit, uint64_t seed,
                                          souk_http_peers **ret_peers);
void souk_http_peers_free(souk_http_peers *peers);
SOUK_AUTO(souk_http_peers)

/* False, and nothing counted, where the address is at its limit or the table is full. */
SOUK_CHECKED bool souk_http_peers_enter(souk_http_peers *peers, const souk_http_peer *peer);
/* Once for each enter that said true. */
void souk_http_peers_leave(souk_http_peers *peers, const souk_http_peer *peer);

#endif
