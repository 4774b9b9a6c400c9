/* http_peers_test.c - the table of addresses against a plain list. */
#include "serve/http_peers.h"
#include "test/test.h"

enum { ADDRESSES = 40, PER_ADDRESS = 3, CONNECTIONS = 30 };

static souk_http_peer v4(unsigned number)
{
    souk_http_peer peer = {.address = {[10] = 0xff, [11] = 0xff, [12] = 10}};
    peer.address[15] = (unsigned char)number;
    return peer;
}

SOUK_TEST("an address enters as often as allowed, seen against a plain list of counts")
{
    souk_auto(souk_http_peers) peers = NULL;
    SOUK_MUST(
        souk_http_peers_new(test->mem, CONNECTIONS, PER_ADDRESS, test_random(test, 0), &peers));
    unsigned counts[ADDRESSES] = {0}, different = 0;
    for (unsigned step = 0; step < 200000; step++) {
        unsigned i = (unsigned)test_random(test, ADDRESSES);
        souk_http_peer peer = v4(i);
        if (test_random(test, 2)) {
            bool fits = counts[i] < PER_ADDRESS && (counts[i] || different < 32);
            SOUK_CHECK(souk_http_peers_enter(peers, &peer) == fits);
            different += fits && counts[i] == 0;
            counts[i] += fits;
        } else if (counts[i]) {
            souk_http_peers_leave(peers, &peer);
            counts[i]--;
            different -= counts[i] == 0;
        }
    }
}

SOUK_TEST("IPv6 counts by /64, IPv4 by address, unix sockets not at all")
{
    souk_auto(souk_http_peers) peers = NULL;
    SOUK_MUST(souk_http_peers_new(test->mem, CONNECTIONS, 1, 7, &peers));
    souk_http_peer a = {.address = {0x20, 1, [7] = 1, [15] = 1}}, b = a, c = a, none = {0};
    b.address[15] = 2; /* same network */
    c.address[7] = 2;  /* the next one */
    SOUK_CHECK(souk_http_peers_enter(peers, &a));
    SOUK_CHECK(!souk_http_peers_enter(peers, &b));
    SOUK_CHECK(souk_http_peers_enter(peers, &c));
    souk_http_peer d = v4(1), e = v4(2);
    SOUK_CHECK(souk_http_peers_enter(peers, &d));
    SOUK_CHECK(souk_http_peers_enter(peers, &e));
    SOUK_CHECK(!souk_http_peers_enter(peers, &d));
    SOUK_CHECK(souk_http_peers_enter(peers, &none));
    SOUK_CHECK(souk_http_peers_enter(peers, &none));
    souk_http_peers_leave(peers, &b);
    SOUK_CHECK(souk_http_peers_enter(peers, &a));
}

SOUK_TEST("a table of addresses without memory is refused")
{
    SOUK_FAULT_LOOP (test) {
        souk_auto(souk_http_peers) peers = NULL;
        souk_err err = souk_http_peers_new(test->mem, 10, 10, 1, &peers);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
    }
}
