/* stock_life.c - stock from open to free, its thread, and what verifies it: see stock.h.
 *
 * The thread looks every half second for reservations that are over, one read of an index; and it writes rows of levels
 * that have moved, when ten seconds have passed or many wait, a slice of the writer at a time: a level that is sold from
 * all day is written once for many movements. */
#include "service/stock/levels_inside.h"
#include "service/stock/stock_inside.h"

enum {
    LOOK_MS = 500,
    KEEP_MS = 10000,
    KEEP_WAITING = 100000, /* rows that do not wait for the ten seconds */
    KEEP_ROWS = 64,        /* of one slice: each may be on a page of its own */
    KEEP_PAUSE_MS = 5,
};

souk_err souk_stock_open(souk_mem *mem, souk_ledger *ledger, const souk_clock *clock,
                         const souk_hash_key *hashes_key, const souk_stock_options *options,
                         souk_stock **ret_stock, souk_diag *diag)
{
    souk_stock *stock = souk_mem_get(mem, sizeof *stock);
    if (!stock)
        return SOUK_ENOMEM;
    stock->mem = mem;
    stock->ledger = ledger;
    stock->clock = clock;
    stock->key = *hashes_key;
    stock->owners.of[SOUK_EFFECT_STOCK] = souk_stock_owner(stock);
    souk_mutex_init(&stock->upkeep);
    souk_mutex_init(&stock->mutex);
    souk_cond_init(&stock->wake);
    souk_err err = levels_open_as(mem, ledger, hashes_key, options && options->rows_alone,
                                  &stock->levels, diag);
    if (!err)
        err = reservations_migrate(ledger, diag);
    if (!err)
        err = transfers_migrate(ledger, diag);
    if (err)
        souk_stock_free(stock);
    else
        *ret_stock = stock;
    return err;
}

void souk_stock_free(souk_stock *stock)
{
    if (!stock)
        return;
    souk_mutex_lock(&stock->mutex);
    stock->stopping = true;
    souk_cond_signal(&stock->wake);
    souk_mutex_unlock(&stock->mutex);
    souk_thread_join(&stock->thread);
    souk_levels_free(stock->levels);
    souk_cond_done(&stock->wake);
    souk_mutex_done(&stock->mutex);
    souk_mutex_done(&stock->upkeep);
    souk_mem_put(stock->mem, stock);
}

/* ---- the thread --------------------------------------------------------------------------------------- */

souk_err souk_stock_keep(souk_stock *stock, unsigned most, bool *ret_more)
{
    souk_auto_lock(&stock->upkeep);
    return souk_levels_keep(stock->levels, most, ret_more);
}

/* False: it is time to end. */
static bool pause_thread(souk_stock *stock, int64_t wait_ms)
{
    int64_t until = souk_clock_monotonic_ns(souk_clock_real()) + wait_ms * 1000000;
    souk_auto_lock(&stock->mutex);
    while (!stock->stopping && souk_cond_wait_until(&stock->wake, &stock->mutex, until))
        ;
    return !stock->stopping;
}

/* What fails here (a full disk, no memory) is tried again the next time. */
static void run(void *context)
{
    souk_stock *stock = context;
    const souk_clock *real = souk_clock_real();
    int64_t kept_ns = souk_clock_monotonic_ns(real), looked_ns = 0;
    bool in_round = false;
    while (pause_thread(stock, in_round ? KEEP_PAUSE_MS : LOOK_MS)) {
        int64_t now_ns = souk_clock_monotonic_ns(real);
        souk_levels_counters counters;
        if (now_ns - looked_ns >= LOOK_MS * 1000000LL) {
            uint64_t expired;
            souk_err err = souk_stock_expire(stock, souk_clock_now_ms(stock->clock), &expired);
            (void)err;
            looked_ns = now_ns;
        }
        souk_levels_count(stock->levels, &counters);
        bool due = counters.unkept >= KEEP_WAITING ||
                   (counters.unkept && now_ns - kept_ns >= KEEP_MS * 1000000LL);
        if (!in_round && !due)
            continue;
        if (souk_stock_keep(stock, KEEP_ROWS, &in_round))
            in_round = false;
        kept_ns = now_ns;
    }
}

souk_err souk_stock_start(souk_stock *stock)
{
    return souk_thread_start(&stock->thread, "stock", run, stock);
}

/* ---- verify --------------------------------------------------------------------------------------------- */

static souk_err verify_rest(souk_tx *tx, void *diag)
{
    SOUK_TRY(reservations_verify(tx, diag));
    return transfers_verify(tx, diag);
}

souk_err souk_stock_verify(souk_stock *stock, souk_diag *diag)
{
    souk_auto_lock(&stock->upkeep);
    SOUK_TRY(souk_levels_verify(stock->levels, diag));
    return souk_ledger_read(stock->ledger, verify_rest, diag);
}
