/* merchant_desk.h - for tests of merchant.h: a founded shop in memory, and its doors.
 *
 *     WITH_DESK (desk) {
 *         SOUK_MUST(ask(&desk, desk.secrets.admin_token, SOUK_SCOPE_ALL));
 *     }
 *
 * Stands after test/test.h. */
#ifndef SOUK_CORE_MERCHANT_DESK_H
#define SOUK_CORE_MERCHANT_DESK_H

#include "core/merchant.h"
#include "store/postgres_server.h"

struct desk {
    souk_mem *mem; /* of the merchants alone: what fails in a fault loop */
    souk_disk *disk;
    souk_spine *spine;
    souk_merchants *merchants;
    souk_secrets secrets;
};

static inline souk_spine_options spine_options(bool threads)
{
    return (souk_spine_options){.open_ledger = test_ledger_opener(),
                                .ledger = {.no_thread = !threads, .readers = 1},
                                .vault = {.block_slots = 64, .cache_keys = 16},
                                .runs_memory = 64};
}

static inline void desk_begin(souk_test *test, struct desk *desk, bool threads)
{
    souk_mem *heap = souk_mem_heap();
    souk_spine_options options = spine_options(threads);
    *desk = (struct desk){.mem = test->mem};
    SOUK_MUST(souk_disk_open_sim(heap, 5, &desk->disk));
    SOUK_MUST(souk_spine_init(heap, desk->disk, &options, NULL));
    SOUK_MUST(souk_spine_open(heap, desk->disk, &options, &desk->spine, NULL));
    SOUK_MUST(souk_merchants_open(desk->mem, desk->spine, &desk->merchants, NULL));
}

static inline void desk_end(struct desk *desk)
{
    souk_merchants_free(desk->merchants);
    souk_spine_free(desk->spine);
    souk_disk_free(desk->disk);
}

static inline void must_found(souk_test *test, struct desk *desk)
{
    desk_begin(test, desk, false);
    SOUK_MUST(souk_merchants_found(desk->merchants, SOUK_TEXT("Salty & Sons"), &desk->secrets));
}

/* A founded shop for the statement that follows. */
#define WITH_DESK(desk) \
    for (struct desk desk = {0}; !desk.mem && (must_found(test, &desk), true); desk_end(&desk))

static inline void desk_reopen(souk_test *test, struct desk *desk)
{
    souk_spine_options options = spine_options(false);
    souk_merchants_free(souk_take(&desk->merchants));
    SOUK_MUST(souk_spine_close(desk->spine));
    souk_spine_free(souk_take(&desk->spine));
    SOUK_MUST(souk_spine_open(souk_mem_heap(), desk->disk, &options, &desk->spine, NULL));
    SOUK_MUST(souk_merchants_open(desk->mem, desk->spine, &desk->merchants, NULL));
}

static inline souk_err run_sql(souk_tx *tx, void *sql)
{
    return souk_sql_script(tx, sql);
}

static inline void add_merchant_2(souk_test *test, struct desk *desk)
{
    static char sql[] = "INSERT INTO merchant (number, public_id, name)"
                        " VALUES (2, 'ffffffffffffffffffffffffffffffff', 'Sweet & Co')";
    SOUK_MUST(souk_ledger_write(souk_spine_ledger(desk->spine), SOUK_LANE_JOB, run_sql, sql));
}

static inline souk_err ask(struct desk *desk, const char *token, unsigned scopes)
{
    souk_caller caller;
    return souk_merchants_token(desk->merchants, souk_text_of(token), scopes, &caller);
}

static inline souk_err send_with(struct desk *desk, const char *key)
{
    souk_caller caller;
    return souk_merchants_write_key(desk->merchants, souk_text_of(key), &caller);
}

static inline bool is_secret(const char *secret, const char *prefix, size_t digits)
{
    size_t head = strlen(prefix);
    return !strncmp(secret, prefix, head) && strlen(secret) == head + digits &&
           strspn(secret + head, "0123456789abcdef") == digits;
}

#endif
