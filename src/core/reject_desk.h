/* reject_desk.h - for tests of reject.h: a ledger and a vault in memory, and how rejects lie there.
 *
 *     WITH_DESK (desk) {
 *         add(test, &desk, 2, "not JSON");
 *         SOUK_CHECK(is_list(test, &desk, 0, 10, "1:2:not JSON\n"));
 *     }
 *
 * Stands after test/test.h. */
#ifndef SOUK_CORE_REJECT_DESK_H
#define SOUK_CORE_REJECT_DESK_H

#include "core/reject.h"
#include "store/postgres_server.h"

#include <stdio.h>

static const uint8_t test_root[32] = "thirty-two bytes of a root key..";
static const souk_vault_options vault_options = {
    .root_key = test_root, .block_slots = 64, .cache_keys = 16};
static const souk_ledger_options in_the_caller = {.no_thread = true, .readers = 1};

struct desk {
    souk_mem *mem; /* of the rejects alone: what fails in a fault loop */
    souk_disk *disk;
    souk_vault *vault;
    souk_ledger *ledger;
    souk_rejects *rejects;
};

static inline void open_rooms(souk_test *test, struct desk *desk)
{
    souk_mem *heap = souk_mem_heap();
    SOUK_MUST(souk_vault_open(heap, desk->disk, &vault_options, &desk->vault, NULL));
    SOUK_MUST(test_ledger_open(heap, desk->disk, "ledger", &in_the_caller, &desk->ledger, NULL));
}

static inline void desk_begin(souk_test *test, struct desk *desk)
{
    souk_mem *heap = souk_mem_heap();
    *desk = (struct desk){.mem = test->mem};
    SOUK_MUST(souk_disk_open_sim(heap, 11, &desk->disk));
    SOUK_MUST(souk_vault_init(heap, desk->disk, &vault_options, NULL));
    open_rooms(test, desk);
}

static inline void desk_done(struct desk *desk)
{
    souk_rejects_free(desk->rejects);
    souk_ledger_free(desk->ledger);
    souk_vault_free(desk->vault);
    souk_disk_free(desk->disk);
}

static inline void must_open(souk_test *test, struct desk *desk)
{
    desk_begin(test, desk);
    SOUK_MUST(souk_rejects_open(desk->mem, desk->ledger, desk->vault, &desk->rejects, NULL));
}

/* Rejects for the statement that follows. */
#define WITH_DESK(desk) \
    for (struct desk desk = {0}; !desk.mem && (must_open(test, &desk), true); desk_done(&desk))

static inline void desk_reopen(souk_test *test, struct desk *desk)
{
    souk_rejects_free(souk_take(&desk->rejects));
    SOUK_MUST(souk_ledger_close(desk->ledger));
    souk_ledger_free(souk_take(&desk->ledger));
    souk_vault_free(souk_take(&desk->vault));
    open_rooms(test, desk);
    SOUK_MUST(souk_rejects_open(desk->mem, desk->ledger, desk->vault, &desk->rejects, NULL));
}

static inline souk_reject reject_of(uint32_t source, const char *text)
{
    return (souk_reject){.source = source,
                         .at = 1767268800000 + source,
                         .fault = SOUK_TEXT("no userId or anonymousId"),
                         .where = SOUK_TEXT("batch[3]"),
                         .text = souk_text_of(text)};
}

static inline void add(souk_test *test, struct desk *desk, uint32_t source, const char *text)
{
    souk_reject one = reject_of(source, text);
    SOUK_MUST(souk_rejects_add(desk->rejects, &one, 1));
}

/* What a listing told: "ID:SOURCE:TEXT" for each, one to a line. */
struct listing {
    char words[600];
    size_t bytes, end_after; /* end_after: rejects until each says SOUK_ESTOPPED; 0: never */
    bool fields_right;
};

static inline souk_err note(void *context, const souk_reject *reject)
{
    struct listing *list = context;
    list->fields_right &= souk_text_equal(reject->fault, SOUK_TEXT("no userId or anonymousId")) &&
                          souk_text_equal(reject->where, SOUK_TEXT("batch[3]")) &&
                          reject->at == 1767268800000 + reject->source;
    int bytes =
        snprintf(list->words + list->bytes, sizeof list->words - list->bytes, "%llu:%u:%.*s\n",
                 (unsigned long long)reject->id, reject->source, SOUK_TEXT_PRINT(reject->text));
    list->bytes += (size_t)bytes;
    return list->end_after && --list->end_after == 0 ? SOUK_ESTOPPED : SOUK_OK;
}

static inline struct listing list_of(souk_test *test, struct desk *desk, uint64_t after_id,
                                     size_t limit)
{
    struct listing list = {.fields_right = true};
    SOUK_MUST(souk_rejects_each(desk->rejects, after_id, limit, note, &list));
    SOUK_CHECK(list.fields_right);
    return list;
}

static inline bool is_list(souk_test *test, struct desk *desk, uint64_t after_id, size_t limit,
                           const char *expected)
{
    return !strcmp(list_of(test, desk, after_id, limit).words, expected);
}

static inline uint64_t count_of(souk_test *test, struct desk *desk)
{
    uint64_t count;
    SOUK_MUST(souk_rejects_count(desk->rejects, &count));
    return count;
}

static inline souk_err run_sql(souk_tx *tx, void *sql)
{
    return souk_sql_script(tx, sql);
}

static inline void must_sql(souk_test *test, struct desk *desk, const char *sql)
{
    SOUK_MUST(souk_ledger_write(desk->ledger, SOUK_LANE_JOB, run_sql, (void *)(uintptr_t)sql));
}

/* How a reject lies in the ledger. */
struct stored {
    uint64_t id;
    uint32_t slot;
    uint8_t nonce[SOUK_VAULT_NONCE_BYTES], sealed[256];
    size_t sealed_bytes;
};

static inline souk_err read_stored(souk_tx *tx, void *context)
{
    struct stored *stored = context;
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx, "SELECT slot, nonce, sealed FROM reject WHERE id = ?1",
                             SOUK_VALUES(SOUK_INT(stored->id)), &rows));
    if (!souk_rows_next(&rows))
        return SOUK_ENOENT;
    stored->slot = (uint32_t)souk_rows_int(&rows, 0);
    souk_text nonce = souk_rows_blob(&rows, 1), sealed = souk_rows_blob(&rows, 2);
    memcpy(stored->nonce, nonce.at, sizeof stored->nonce);
    stored->sealed_bytes = souk_min_size(sealed.bytes, sizeof stored->sealed);
    memcpy(stored->sealed, sealed.at, stored->sealed_bytes);
    return souk_rows_check(&rows);
}

static inline struct stored stored_of(souk_test *test, struct desk *desk, uint64_t id)
{
    struct stored stored = {.id = id};
    SOUK_MUST(souk_ledger_read(desk->ledger, read_stored, &stored));
    return stored;
}

static inline souk_err open_stored(struct desk *desk, const struct stored *stored)
{
    uint8_t plain[256];
    souk_seal_place place = {.merchant = 1, .class = 3};
    return souk_vault_unseal(desk->vault, stored->slot, &place, stored->nonce, stored->sealed,
                             stored->sealed_bytes, plain);
}

#endif
