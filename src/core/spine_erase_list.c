/* spine_erase_list.c - the list of erasures outside the ledger: a restored ledger is older than some of them, and
 * erases again whom the list names.
 *
 *     42 1301 17 1767268800000 9000        atom, slot of its key, shopper (0: a visitor), ms UTC, position */
#include "core/spine_private.h"

static souk_err list_erasures(souk_tx *tx, void *context)
{
    souk_buf *out = context;
    souk_auto_value(souk_rows) rows = {0};
    souk_buf_clear(out);
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT atom, slot, shopper, at, position FROM erasure ORDER BY atom",
                             SOUK_NO_VALUES, &rows));
    while (souk_rows_next(&rows))
        souk_buf_print(out, "%lld %lld %lld %lld %lld\n", (long long)souk_rows_int(&rows, 0),
                       (long long)souk_rows_int(&rows, 1), (long long)souk_rows_int(&rows, 2),
                       (long long)souk_rows_int(&rows, 3), (long long)souk_rows_int(&rows, 4));
    SOUK_TRY(souk_rows_check(&rows));
    return souk_buf_check(out);
}

souk_err souk_spine_erasures_write(souk_spine *spine, souk_disk *to, const char *name)
{
    souk_auto_value(souk_buf) list = {.mem = spine->mem, .limit_bytes = (size_t)1 << 30};
    SOUK_TRY(souk_ledger_read(spine->ledger, list_erasures, &list));
    return souk_disk_put(to, name, list.at ? list.at : "", list.bytes);
}

struct listed {
    uint32_t atom, slot, shopper;
    souk_time at;
    uint64_t *links; /* [link_count] positions */
    size_t link_count;
};

static souk_err insert_again(souk_tx *tx, void *context)
{
    const struct listed *line = context;
    return souk_sql_run(tx,
                        "INSERT INTO erasure (atom, slot, shopper, at, position, links, state) "
                        "VALUES (?1, ?2, ?3, ?4, 0, ?5, 0) ON CONFLICT (atom) DO NOTHING",
                        SOUK_VALUES(SOUK_INT(line->atom), SOUK_INT(line->slot),
                                    SOUK_INT(line->shopper), SOUK_INT(line->at),
                                    SOUK_BLOB(line->links, line->link_count * sizeof(uint64_t))));
}

static souk_err replay_line(souk_spine *spine, souk_text text, souk_arena *arena)
{
    uint64_t numbers[5];
    for (size_t i = 0; i < 5; i++)
        if (souk_text_to_u64(souk_text_cut(&text, ' '), &numbers[i]))
            return SOUK_ECORRUPT;
    struct listed line = {.atom = (uint32_t)numbers[0],
                          .slot = (uint32_t)numbers[1],
                          .shopper = (uint32_t)numbers[2],
                          .at = (souk_time)numbers[3]};
    souk_index_read(spine->index);
    const souk_atom *atom = souk_index_atom(spine->index, line.atom);
    bool hers = atom && atom->slot == line.slot;
    souk_index_read_done(spine->index);
    if (!hers) /* this ledger does not know her yet, or no longer */
        return SOUK_OK;
    SOUK_TRY(spine_erase_links(spine, arena, line.atom, &line.links, &line.link_count));
    return souk_ledger_write(spine->ledger, SOUK_LANE_JOB, insert_again, &line);
}

souk_err souk_spine_erasures_replay(souk_spine *spine, const char *name)
{
    souk_auto_value(souk_buf) list = {.mem = spine->mem, .limit_bytes = (size_t)1 << 30};
    souk_arena arena = {.mem = spine->mem};
    souk_err err = souk_disk_take(spine->disk, name, &list);
    souk_text rest = souk_buf_view(&list);
    while (!err && rest.bytes) {
        souk_text line = souk_text_cut(&rest, '\n');
        if (line.bytes)
            err = replay_line(spine, line, &arena);
        souk_arena_clear(&arena);
    }
    souk_arena_done(&arena);
    SOUK_TRY(err);
    return spine_erase_finish(spine);
}
