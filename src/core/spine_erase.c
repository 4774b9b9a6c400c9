/* spine_erase.c - a shopper asks to be forgotten.
 *
 * The order, each step durable before the next, so that a crash anywhere is finished at start-up:
 *     1. one transaction: a log entry, a row for each of her atoms (state 0), her rejects deleted;
 *        the writer, between two groups, forgets her atoms: nothing is sealed under her keys any more
 *     2. her keys and those of her rejects destroyed and synced: from here nothing of hers can be read anywhere, ever
 *     3. block by block: her edges become empty places, her events lose atom and text
 *     4. memory and snapshot forget her identifiers; the list of erasures is written anew
 *     5. one transaction: consent rows, decisions, and the rows become state 1
 *     6. the ledger's write-ahead log is cut
 * What a full disk cuts off the keeper goes on with.  Then the answer.  Sums by product, type and day
 * stay: they lead to nobody.
 *
 * Her identifiers are read before step 2 and stored nowhere.  After a crash or a full disk behind it nobody
 * knows them: then step 4 is a pass over all identifiers for those that lead to an erased atom, and another
 * snapshot. */
#include "core/spine_erase_private.h"

#include "base/random.h"

#include <stdlib.h>

static const souk_migration erase_steps[] = {
    {1, "CREATE TABLE erasure ("
        "  atom     INTEGER PRIMARY KEY," /* number, never given again */
        "  slot     INTEGER NOT NULL,"    /* of its key, destroyed */
        "  shopper  INTEGER NOT NULL,"    /* whose it was; 0: a visitor's */
        "  at       INTEGER NOT NULL,"    /* ms UTC */
        "  position INTEGER NOT NULL,"    /* of the log entry */
        "  links    BLOB NOT NULL,"       /* uint64_t[]: positions of her edges, for a second try:
                                             with the key gone nothing else leads to them */
        "  state    INTEGER NOT NULL CHECK (state IN (0, 1))" /* 0: asked for, 1: done */
        ")"},
    {2, "CREATE TABLE erasure_told ("     /* for a month (spine_erase_told.c) */
        "  position INTEGER PRIMARY KEY," /* of the log entry */
        "  at       INTEGER NOT NULL,"    /* ms UTC */
        "  ids      BLOB NOT NULL"        /* nonce[24], then her public ids, sealed */
        ");"
        "CREATE INDEX erasure_told_at ON erasure_told (at)"},
};

enum { ERASE_BLOCKS = 4 /* rewritten in one transaction: below 5 ms */ };

souk_err spine_erase_migrate(souk_spine *spine, souk_diag *diag)
{
    return souk_ledger_migrate(spine->ledger, "erasure", erase_steps,
                               sizeof erase_steps / sizeof *erase_steps, diag);
}

/* ---- 1 and 2: the entry, the keys ---------------------------------------------------------------------- */

static souk_err append_entry(struct erasing *erasing, souk_tx *tx)
{
    souk_spine *spine = erasing->spine;
    souk_auto(souk_block_maker) maker = NULL;
    souk_auto_value(souk_buf) bytes = {.mem = spine->mem};
    unsigned char prefix[SOUK_BLOCK_PREFIX];
    souk_hash128 message; /* nobody will send it again */
    souk_entropy(prefix, sizeof prefix);
    souk_entropy(&message, sizeof message);
    SOUK_TRY(souk_log_end(tx, &erasing->position));
    SOUK_TRY(souk_block_maker_new(spine->mem, &maker));
    souk_block_begin(maker, erasing->position, prefix);
    souk_fact fact = {.position = erasing->position,
                      .at = erasing->at,
                      .received = erasing->at,
                      .type = spine->erased_type};
    souk_block_add(maker, &fact, NULL, message, NULL);
    SOUK_TRY(souk_block_finish(maker, &bytes));
    return souk_log_append(tx, erasing->position, 1, souk_buf_view(&bytes));
}

static souk_err write_entry(souk_tx *tx, void *context)
{
    struct erasing *erasing = context;
    souk_spine *spine = erasing->spine;
    SOUK_TRY(append_entry(erasing, tx));
    for (size_t i = 0; i < erasing->gone_count; i++)
        SOUK_TRY(souk_sql_run(
            tx,
            "INSERT INTO erasure (atom, slot, shopper, at, position, links, state) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
            SOUK_VALUES(SOUK_INT(erasing->gone[i].atom), SOUK_INT(erasing->gone[i].slot),
                        SOUK_INT(erasing->gone[i].shopper), SOUK_INT(erasing->at),
                        SOUK_INT(erasing->position),
                        SOUK_BLOB(erasing->gone[i].links,
                                  erasing->gone[i].link_count * sizeof(uint64_t)))));
    SOUK_TRY(erase_tell(erasing, tx));
    return souk_rejects_forget(spine->rejects, tx, erasing->words, erasing->word_count);
}

static souk_err destroy_keys(struct erasing *erasing)
{
    souk_mem *mem = erasing->spine->mem;
    uint32_t *slots = souk_mem_array(mem, souk_max_size(erasing->gone_count, 1), sizeof *slots);
    if (!slots)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < erasing->gone_count; i++)
        slots[i] = erasing->gone[i].slot;
    /* Together: a sync of each would hold up a person of a thousand atoms, and others, for seconds. */
    souk_err err = souk_vault_destroy(erasing->spine->vault, slots, erasing->gone_count);
    souk_mem_put(mem, slots);
    return err ? err : souk_rejects_sweep(erasing->spine->rejects);
}

/* ---- 3: the blocks --------------------------------------------------------------------------------------- */

static bool has_gone_slot(const struct erasing *erasing, uint32_t slot)
{
    for (size_t i = 0; i < erasing->gone_count; i++)
        if (slot && erasing->gone[i].slot == slot)
            return true;
    return false;
}

static void copy_edges(struct erasing *erasing, const souk_block *block)
{
    for (size_t i = 0; i < block->edge_count; i++) {
        souk_block_edge edge = block->edges[i];
        if (has_gone_slot(erasing, edge.slot))
            edge = (souk_block_edge){.sealed = edge.sealed};
        souk_block_add_edge(erasing->maker, &edge);
    }
}

static void copy_facts(struct erasing *erasing, const souk_block *block)
{
    for (size_t i = 0; i < block->count; i++) {
        souk_fact fact = block->facts[i];
        souk_hash128 message = {0};
        memcpy(&message, block->messages + SOUK_BLOCK_MESSAGE * i, SOUK_BLOCK_MESSAGE);
        if (erase_is_gone(erasing, fact.atom)) {
            fact.atom = 0;
            fact.sealed_bytes = 0;
            erasing->events++;
        }
        souk_block_add(erasing->maker, &fact, block->lines + fact.first_line, message,
                       block->sealed + fact.sealed_at);
    }
}

static souk_err rewrite_block(struct erasing *erasing, souk_tx *tx, uint64_t first)
{
    souk_mem *mem = erasing->spine->mem;
    souk_auto_value(souk_buf) old = {.mem = mem}, fresh = {.mem = mem};
    souk_auto(souk_block) block = NULL;
    SOUK_TRY(souk_log_load(tx, first, &old));
    SOUK_TRY(souk_block_read(mem, souk_buf_view(&old), SOUK_BLOCK_ALL, &block));
    souk_block_begin(erasing->maker, first, block->prefix);
    copy_facts(erasing, block);
    copy_edges(erasing, block);
    SOUK_TRY(souk_block_finish(erasing->maker, &fresh));
    return souk_log_replace(tx, first, souk_buf_view(&fresh));
}

struct slice {
    struct erasing *erasing;
    size_t from, to; /* of positions */
    uint64_t events;
};

static souk_err rewrite_slice(souk_tx *tx, void *context)
{
    struct slice *slice = context;
    struct erasing *erasing = slice->erasing;
    erasing->events = slice->events; /* of a run before this one */
    slice->to = slice->from;
    for (size_t blocks = 0; blocks < ERASE_BLOCKS && slice->to < erasing->position_count;
         blocks++) {
        uint64_t first;
        size_t count;
        SOUK_TRY(souk_log_find(tx, erasing->positions[slice->to], &first, &count));
        SOUK_TRY(rewrite_block(erasing, tx, first));
        while (slice->to < erasing->position_count && erasing->positions[slice->to] < first + count)
            slice->to++;
    }
    return SOUK_OK;
}

static souk_err rewrite_blocks(struct erasing *erasing)
{
    struct slice slice = {.erasing = erasing};
    SOUK_TRY(souk_block_maker_new(erasing->spine->mem, &erasing->maker));
    souk_err err = SOUK_OK;
    while (!err && slice.from < erasing->position_count) {
        slice.events = erasing->events;
        err = souk_ledger_write(erasing->spine->ledger, SOUK_LANE_JOB, rewrite_slice, &slice);
        slice.from = slice.to;
    }
    souk_block_maker_free(erasing->maker);
    return err;
}

/* ---- 4 and 5: memory, snapshot, rows ---------------------------------------------------------------------- */

static souk_err write_done(souk_tx *tx, void *context)
{
    struct erasing *erasing = context;
    for (size_t i = 0; i < erasing->gone_count; i++) {
        const struct erase_gone *gone = &erasing->gone[i];
        SOUK_TRY(souk_consent_forget(erasing->spine->consent, tx, gone->atom));
        if (gone->shopper)
            SOUK_TRY(spine_forget_decisions(tx, gone->shopper));
        SOUK_TRY(souk_sql_run(tx, "UPDATE erasure SET state = 1, links = x'' WHERE atom = ?1",
                              SOUK_VALUES(SOUK_INT(gone->atom))));
        if (souk_sql_changed(tx) != 1)
            return SOUK_ECORRUPT;
    }
    return SOUK_OK;
}

struct forgetting {
    souk_batch batch; /* of no events */
    struct erasing *erasing;
};

static void forget_now(souk_batch *batch)
{
    struct erasing *erasing = ((struct forgetting *)(void *)batch)->erasing;
    const souk_spine *spine = erasing->spine;
    souk_index *index = spine->index;
    erasing->late_err = SOUK_OK; /* of a run before this one */
    for (size_t i = 0; i < erasing->gone_count && !erasing->late_err; i++)
        erasing->late_err = erase_find_late(erasing, &erasing->gone[i]);
    souk_index_lock(index);
    for (size_t i = 0; i < erasing->hash_count; i++)
        if (erase_is_gone(erasing, souk_index_find_now(index, erasing->hashes[i])))
            souk_index_unlink(index, erasing->hashes[i]);
    for (size_t i = 0; i < erasing->gone_count; i++)
        if (erasing->gone[i].atom < souk_index_next_atom(index))
            souk_index_erase_atom(index, erasing->gone[i].atom);
    for (size_t i = 0; i < spine->late_count; i++)
        souk_index_erase_atom(index, spine->late[i].atom);
    if (!erasing->arena)
        souk_index_unlink_erased(index);
    souk_index_unlock(index);
}

/* By the writer, between two groups: one under way may have resolved an event to her, and can undo its
 * links.  When this returns, what it had in hand is folded, too. */
static souk_err forget_in_memory(struct erasing *erasing)
{
    struct forgetting forgetting = {.batch = {.settle = forget_now}, .erasing = erasing};
    SOUK_TRY(souk_spine_write(erasing->spine, &forgetting.batch));
    return erasing->late_err;
}

static souk_err forget_in_snapshot(struct erasing *erasing)
{
    souk_spine *spine = erasing->spine;
    if (!erasing->arena && !__atomic_load_n(&spine->half_erased, __ATOMIC_RELAXED))
        return souk_spine_snapshot(spine); /* at the start: nothing is under way */
    if (!erasing->arena) {
        souk_auto_lock(&spine->snapshot_mutex);
        souk_err err = souk_index_remove_file(spine->disk, SPINE_INDEX_FILE);
        __atomic_store_n(&spine->snapshot.through, 0, __ATOMIC_RELAXED); /* the next is due */
        return err;
    }
    uint32_t *now = souk_arena_get(erasing->arena, erasing->hash_count * sizeof *now);
    if (erasing->arena->failed)
        return SOUK_ENOMEM;
    souk_auto_lock(&spine->snapshot_mutex);
    souk_index_read(spine->index);
    for (size_t i = 0; i < erasing->hash_count; i++)
        now[i] = souk_index_find(spine->index, erasing->hashes[i]);
    souk_index_read_done(spine->index);
    return souk_index_erase_in_file(spine->disk, SPINE_INDEX_FILE, erasing->hashes, now,
                                    erasing->hash_count);
}

static int by_position(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* Where her events and edges stand: what the timeline says, and what the entry noted. */
static souk_err find_positions(struct erasing *erasing, const souk_person *person)
{
    souk_mem *mem = erasing->spine->mem;
    SOUK_TRY(spine_positions(erasing->spine, person, false, &erasing->positions,
                             &erasing->position_count));
    size_t capacity = erasing->position_count;
    for (size_t i = 0; i < erasing->gone_count; i++) {
        const struct erase_gone *gone = &erasing->gone[i];
        SOUK_TRY(souk_mem_grow(mem, &erasing->positions, &capacity,
                               erasing->position_count + gone->link_count, (size_t)1 << 28,
                               sizeof *erasing->positions));
        for (size_t k = 0; k < gone->link_count; k++)
            erasing->positions[erasing->position_count++] = gone->links[k];
    }
    if (erasing->position_count)
        qsort(erasing->positions, erasing->position_count, sizeof *erasing->positions, by_position);
    return SOUK_OK;
}

static void raise_end(souk_spine *spine, uint64_t end)
{
    uint64_t now = souk_spine_end(spine);
    while (now < end && !__atomic_compare_exchange_n(&spine->end, &now, end, false,
                                                     __ATOMIC_RELEASE, __ATOMIC_ACQUIRE))
        ;
}

static souk_err list_gone(souk_spine *spine, const souk_person *person, struct erase_gone *ret_gone)
{
    souk_err err = SOUK_OK;
    souk_index_read(spine->index);
    for (uint32_t i = 0; i < person->atom_count; i++) {
        const souk_atom *atom = souk_index_atom(spine->index, person->atoms[i]);
        if (!atom || (atom->flags & SOUK_ATOM_ERASED))
            err = SOUK_EERASED;
        else
            ret_gone[i] =
                (struct erase_gone){.atom = person->atoms[i],
                                    .slot = atom->slot,
                                    .shopper = souk_index_owner(spine->index, person->atoms[i])};
    }
    souk_index_read_done(spine->index);
    return err;
}

souk_err spine_erase_links(souk_spine *spine, souk_arena *arena, uint32_t atom,
                           uint64_t **ret_links, size_t *ret_count)
{
    souk_person *alone = souk_arena_get(arena, sizeof *alone);
    uint64_t *positions;
    if (arena->failed)
        return SOUK_ENOMEM;
    alone->atom_count = 1;
    alone->atoms[0] = atom;
    SOUK_TRY(spine_positions(spine, alone, true, &positions, ret_count));
    *ret_links = souk_arena_copy(arena, positions, *ret_count * sizeof *positions);
    souk_mem_put(spine->mem, positions);
    return arena->failed ? SOUK_ENOMEM : SOUK_OK;
}

static souk_err note_links(souk_spine *spine, souk_arena *arena, struct erase_gone *gone)
{
    return spine_erase_links(spine, arena, gone->atom, &gone->links, &gone->link_count);
}

static souk_err note_trace(void *context, const souk_link *link, souk_text value)
{
    struct erasing *erasing = context;
    if (value.bytes == 0 || !erase_is_gone(erasing, link->atom))
        return SOUK_OK;
    souk_mem *mem = erasing->spine->mem;
    SOUK_TRY(souk_mem_grow(mem, &erasing->hashes, &erasing->hash_capacity, erasing->hash_count + 1,
                           (size_t)1 << 24, sizeof *erasing->hashes));
    SOUK_TRY(souk_mem_grow(mem, &erasing->words, &erasing->word_capacity, erasing->word_count + 1,
                           (size_t)1 << 24, sizeof *erasing->words));
    erasing->hashes[erasing->hash_count++] = link->hash;
    if (link->kind != SOUK_LINK_SHOPPER)
        erasing->words[erasing->word_count++] = (souk_identifier){
            .value = {souk_arena_copy(erasing->arena, value.at, value.bytes), value.bytes},
            .kind = link->id_kind};
    return erasing->arena->failed ? SOUK_ENOMEM : SOUK_OK;
}

/* Of all her atoms together: each block is read and its edges are opened once, not once an atom. */
static souk_err read_traces(souk_tx *tx, void *context)
{
    struct erasing *erasing = context;
    souk_mem *mem = erasing->spine->mem;
    size_t count = 0;
    erasing->hash_count = erasing->word_count = 0;
    for (size_t i = 0; i < erasing->gone_count; i++)
        count += erasing->gone[i].link_count;
    uint64_t *links = souk_mem_array(mem, count + 1, sizeof *links), *to = links;
    if (!links)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < erasing->gone_count; i++)
        for (size_t k = 0; k < erasing->gone[i].link_count; k++)
            *to++ = erasing->gone[i].links[k];
    qsort(links, count, sizeof *links, by_position);
    souk_err err = spine_read_links(erasing->spine, tx, links, count, note_trace, erasing);
    souk_mem_put(mem, links);
    return err;
}

/* Her identifiers once more: an event that came with the log entry may have tied another one to her. */
static souk_err note_late_traces(struct erasing *erasing)
{
    for (size_t i = 0; i < erasing->gone_count; i++)
        SOUK_TRY(note_links(erasing->spine, erasing->arena, &erasing->gone[i]));
    return souk_ledger_read(erasing->spine->ledger, read_traces, erasing);
}

/* Steps 1b to 6; the same at the first time and later. */
static souk_err take_steps(struct erasing *erasing, souk_arena *arena, souk_person *person)
{
    souk_spine *spine = erasing->spine;
    SOUK_TRY(forget_in_memory(erasing));
    SOUK_TRY(erase_take_late(erasing, arena, person));
    if (erasing->arena)
        SOUK_TRY(note_late_traces(erasing));
    SOUK_TRY(destroy_keys(erasing));
    souk_err err = find_positions(erasing, person);
    if (!err)
        err = rewrite_blocks(erasing);
    souk_mem_put(spine->mem, erasing->positions);
    SOUK_TRY(err);
    SOUK_TRY(forget_in_memory(erasing));
    SOUK_TRY(forget_in_snapshot(erasing));
    SOUK_TRY(souk_spine_erasures_write(spine, spine->disk, "erasures"));
    SOUK_TRY(souk_ledger_write(spine->ledger, SOUK_LANE_JOB, write_done, erasing));
    SOUK_TRY(spine_regroup(spine));
    return souk_ledger_checkpoint(spine->ledger, true);
}

static souk_err finish(struct erasing *erasing, const souk_person *person)
{
    souk_arena arena = {.mem = erasing->spine->mem}; /* of what came late */
    souk_person *with_late = souk_arena_copy(&arena, person, sizeof *person);
    struct erase_gone *gone = erasing->gone;
    size_t gone_count = erasing->gone_count;
    souk_err err = arena.failed ? SOUK_ENOMEM : take_steps(erasing, &arena, with_late);
    souk_arena_done(&arena);
    erasing->gone = gone;
    erasing->gone_count = gone_count;
    if (err)
        __atomic_store_n(&erasing->spine->half_erased, true, __ATOMIC_RELAXED);
    return err;
}

static souk_err erase_now(struct erasing *erasing, const souk_person *person)
{
    souk_spine *spine = erasing->spine;
    souk_arena *arena = erasing->arena;
    struct erase_gone *gone = souk_arena_get(arena, person->atom_count * sizeof *gone);
    if (arena->failed)
        return SOUK_ENOMEM;
    SOUK_TRY(list_gone(spine, person, gone));
    for (uint32_t i = 0; i < person->atom_count; i++)
        SOUK_TRY(note_links(spine, arena, &gone[i]));
    erasing->gone = gone;
    erasing->gone_count = person->atom_count;
    SOUK_TRY(souk_ledger_read(spine->ledger, read_traces, erasing));
    SOUK_TRY(erase_note_ids(erasing));
    SOUK_TRY(souk_ledger_write(spine->ledger, SOUK_LANE_INGEST, write_entry, erasing));
    raise_end(spine, erasing->position + 1);
    return finish(erasing, person);
}

souk_err souk_spine_erase(souk_spine *spine, const souk_person *person, uint64_t *ret_events)
{
    souk_arena arena = {.mem = spine->mem};
    struct erasing erasing = {.spine = spine,
                              .at = souk_clock_now_ms(spine->clock),
                              .arena = &arena,
                              .ids = {.mem = spine->mem}};
    souk_auto_lock(&spine->decision_mutex);
    souk_err err = erase_now(&erasing, person);
    *ret_events = erasing.events;
    souk_mem_put(spine->mem, erasing.words);
    souk_mem_put(spine->mem, erasing.hashes);
    souk_buf_done(&erasing.ids);
    souk_arena_done(&arena);
    return err;
}

/* ---- start-up ---------------------------------------------------------------------------------------------- */

struct known {
    souk_vault *vault;
    souk_index *index;
    bool given;
    struct erase_gone *unfinished;
    size_t count, capacity;
    souk_mem *mem;
    souk_arena *arena; /* of the unfinished ones' links */
};

static souk_err know_unfinished(struct known *known, struct erase_gone gone, souk_text links)
{
    gone.link_count = links.bytes / sizeof(uint64_t);
    gone.links = souk_arena_copy(known->arena, links.at, links.bytes);
    if (known->arena->failed)
        return SOUK_ENOMEM;
    SOUK_TRY(souk_mem_grow(known->mem, &known->unfinished, &known->capacity, known->count + 1,
                           (size_t)1 << 24, sizeof *known->unfinished));
    known->unfinished[known->count++] = gone;
    return SOUK_OK;
}

static souk_err read_known(souk_tx *tx, void *context)
{
    struct known *known = context;
    uint32_t next_atom = 0, next_shopper = 0;
    souk_auto_value(souk_rows) rows = {0};
    known->count = 0;
    SOUK_TRY(souk_rows_begin(tx,
                             "SELECT atom, slot, shopper, state, links FROM erasure ORDER BY atom",
                             SOUK_NO_VALUES, &rows));
    while (souk_rows_next(&rows)) {
        struct erase_gone gone = {.atom = (uint32_t)souk_rows_int(&rows, 0),
                                  .slot = (uint32_t)souk_rows_int(&rows, 1),
                                  .shopper = (uint32_t)souk_rows_int(&rows, 2)};
        if (souk_rows_int(&rows, 3) == 0) {
            if (!known->index)
                SOUK_TRY(know_unfinished(known, gone, souk_rows_blob(&rows, 4)));
        } else if (known->index && gone.atom < souk_index_next_atom(known->index)) {
            souk_index_erase_atom(known->index, gone.atom);
        }
        /* Where the key file is older than this ledger, the slot may not be made yet. */
        souk_err marked = souk_vault_mark_taken(known->vault, gone.slot);
        if (marked && marked != SOUK_ENOENT)
            return marked;
        next_atom = gone.atom + 1;
        next_shopper = gone.shopper >= next_shopper ? gone.shopper + 1 : next_shopper;
    }
    SOUK_TRY(souk_rows_check(&rows));
    return known->given ? souk_index_given(known->index, next_atom, next_shopper) : SOUK_OK;
}

souk_err spine_erase_known(souk_spine *spine, souk_index *index, bool log_is_read)
{
    struct known known = {.vault = spine->vault, .index = index, .given = log_is_read};
    return souk_ledger_read(spine->ledger, read_known, &known);
}

souk_err spine_erase_finish(souk_spine *spine)
{
    souk_arena arena = {.mem = spine->mem};
    struct known known = {.vault = spine->vault, .mem = spine->mem, .arena = &arena};
    souk_err err = souk_ledger_read(spine->ledger, read_known, &known);
    souk_person *person = souk_mem_get(spine->mem, sizeof *person);
    if (!err && !person)
        err = SOUK_ENOMEM;
    for (size_t i = 0; i < known.count && !err; i++) {
        struct erasing erasing = {.spine = spine, .gone = &known.unfinished[i], .gone_count = 1};
        person->shopper = known.unfinished[i].shopper;
        person->atom_count = 1;
        person->atoms[0] = known.unfinished[i].atom;
        err = finish(&erasing, person);
        souk_mem_put(spine->mem, erasing.hashes);
    }
    souk_mem_put(spine->mem, person);
    souk_mem_put(spine->mem, known.unfinished);
    souk_arena_done(&arena);
    return err;
}

souk_err souk_spine_erase_rest(souk_spine *spine)
{
    if (!__atomic_load_n(&spine->half_erased, __ATOMIC_RELAXED))
        return SOUK_OK;
    souk_auto_lock(&spine->decision_mutex);
    SOUK_TRY(spine_erase_finish(spine));
    SOUK_TRY(spine_regroup(spine));
    SOUK_TRY(souk_ledger_checkpoint(spine->ledger, true));
    __atomic_store_n(&spine->half_erased, false, __ATOMIC_RELAXED);
    return SOUK_OK;
}
