/* bench_till.h - `souk bench till` in three files: the shop (bench_till_shop.c), the same rows by SQLite alone
 * (bench_till_peer.c), and clients with their claims (bench_till.c).
 *
 * The workload: baskets of 15 lines under the 500 live offers of `souk bench pricing`, two tax rates, paid by card.  A
 * shop of 5,000 stock rows is one store of 5,000 products; one of 1,000,000 has 50 stores of 20,000. */
#ifndef SOUK_APP_BENCH_TILL_H
#define SOUK_APP_BENCH_TILL_H

#include "app/bench.h"

enum { TILL_LINES = 15, TILL_CLIENTS = 64, TILL_BASKETS = 2000 };

typedef struct till_size {
    unsigned stores, products;
} till_size;

/* Bodies of POST /v1/till/commit, priced in the shop they are for. */
typedef struct till_baskets {
    char *texts[TILL_BASKETS];
    size_t bytes[TILL_BASKETS];
} till_baskets;

/* A shop of that size in `data`, closed again; `data` is a founded folder. */
SOUK_CHECKED souk_err till_shop_make(bench_run *bench, const char *data, till_size size,
                                     souk_diag *diag);
SOUK_CHECKED souk_err till_baskets_make(bench_run *bench, souk_api *api, till_size size,
                                        till_baskets *baskets, souk_diag *diag);
void till_baskets_done(bench_run *bench, till_baskets *baskets);

/* What the peer did. */
typedef struct till_peer {
    double baskets_per_s, cpu_ms; /* cpu_ms: of one basket */
    double rows;                  /* of one basket */
} till_peer;
/* Copies into memory the rows that the last baskets left in `from`, a closed shop, and writes them again and again into
 * the shop in `to`, `group` baskets to a transaction.  SOUK_EIO: SQLite refuses. */
SOUK_CHECKED souk_err till_peer_run(const char *from, const char *to, uint64_t baskets,
                                    unsigned group, till_peer *ret_peer, souk_diag *diag);

/* From now on each sync of whatever database this process opens takes so much longer; 0: as it is. */
void till_slow_syncs(unsigned ms);

#endif
