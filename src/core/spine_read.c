/* spine_read.c - what readers get of a person: sums, timeline, identifiers; each against a grant. */
#include "core/spine_private.h"

#include <stdlib.h>

static souk_err check_grant(souk_spine *spine, const souk_person *person, const souk_grant *grant)
{
    souk_time now = souk_clock_now_ms(spine->clock);
    SOUK_TRY(spine_check(spine));
    return souk_grant_covers(spine->consent, grant, person, now) ? SOUK_OK : SOUK_EDENIED;
}

/* ---- sums ------------------------------------------------------------------------------------------- */

enum { PROFILE_COUNTERS = 65536 };

static int by_key(const void *a, const void *b)
{
    uint32_t left = ((const souk_count *)a)->key, right = ((const souk_count *)b)->key;
    return (left > right) - (left < right);
}

static size_t sum_alike(souk_count *counts, size_t count)
{
    size_t kept = 0;
    qsort(counts, count, sizeof *counts, by_key);
    for (size_t i = 0; i < count; i++) {
        if (kept && counts[kept - 1].key == counts[i].key)
            counts[kept - 1].value += counts[i].value;
        else
            counts[kept++] = counts[i];
    }
    return kept;
}

souk_err souk_spine_profile(souk_spine *spine, const souk_person *person, const souk_grant *grant,
                            souk_arena *arena, souk_profile *ret_profile)
{
    SOUK_TRY(check_grant(spine, person, grant));
    souk_profile profile = {.first_at = INT64_MAX, .last_at = INT64_MIN};
    size_t total = 0;
    souk_index_read(spine->index);
    for (uint32_t i = 0; i < person->atom_count; i++)
        total += souk_index_counts(spine->index, person->atoms[i], NULL, 0);
    total = souk_min_size(total, PROFILE_COUNTERS);
    profile.counts = souk_arena_get(arena, total * sizeof *profile.counts);
    if (arena->failed)
        total = 0;
    for (uint32_t i = 0; i < person->atom_count; i++) {
        const souk_atom *atom = souk_index_atom(spine->index, person->atoms[i]);
        size_t got = souk_index_counts(spine->index, person->atoms[i],
                                       profile.counts + profile.count, total - profile.count);
        profile.count += souk_min_size(got, total - profile.count);
        if (atom && atom->first_at < profile.first_at)
            profile.first_at = atom->first_at;
        if (atom && atom->last_at > profile.last_at)
            profile.last_at = atom->last_at;
    }
    souk_index_read_done(spine->index);
    if (arena->failed)
        return SOUK_ENOMEM;
    profile.count = sum_alike(profile.counts, profile.count);
    *ret_profile = profile;
    return SOUK_OK;
}

/* ---- timeline ---------------------------------------------------------------------------------------- */

static int greatest_first(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left < right) - (left > right);
}

/* The newest positions of an atom's events below `before`, links skipped. */
static souk_err positions_of(const souk_runs_view *view, uint32_t atom, uint64_t before,
                             size_t limit, uint64_t *ret_positions, size_t *ret_count)
{
    uint64_t values[64], below = before > UINT64_MAX / 2 ? UINT64_MAX : before * 2;
    size_t count = 0, got = 64;
    while (count < limit && got == 64) {
        SOUK_TRY(souk_runs_last(view, atom, below, 64, values, &got));
        for (size_t i = 0; i < got && count < limit; i++)
            if (values[i] % 2 == 0)
                ret_positions[count++] = values[i] / 2;
        if (got)
            below = values[got - 1];
    }
    *ret_count = count;
    return SOUK_OK;
}

static souk_err newest_positions(souk_spine *spine, const souk_person *person, uint64_t before,
                                 size_t limit, souk_arena *arena, uint64_t **ret_positions,
                                 size_t *ret_count)
{
    souk_runs_view view;
    souk_err err = SOUK_OK;
    size_t count = 0;
    uint64_t *positions = souk_arena_get(arena, 2 * limit * sizeof *positions);
    if (arena->failed)
        return SOUK_ENOMEM;
    souk_runs_view_init(spine->timeline, &view);
    for (uint32_t i = 0; i < person->atom_count && !err; i++) {
        size_t got = 0;
        err = positions_of(&view, person->atoms[i], before, limit, positions + count, &got);
        count += got;
        qsort(positions, count, sizeof *positions, greatest_first);
        count = souk_min_size(count, limit);
    }
    souk_runs_view_done(&view);
    *ret_positions = positions;
    *ret_count = count;
    return err;
}

struct telling {
    souk_spine *spine;
    const souk_person *person;
    souk_arena *arena;
    souk_packer *packer;
    const uint64_t *positions;
    uint32_t
        *slots; /* of the keys of her atoms, looked up together: the writer may hold the index */
    size_t count, told, told_bytes;
    souk_story *stories;
    souk_buf bytes; /* of the block in hand: one statement brings all of it */
};

static souk_err unpack_text(struct telling *telling, const souk_block *block, uint32_t slot,
                            souk_story *story)
{
    souk_spine *spine = telling->spine;
    const souk_fact *fact = &story->fact;
    unsigned char *sealed = souk_arena_get(telling->arena, fact->sealed_bytes);
    if (telling->arena->failed || fact->sealed_bytes <= SOUK_SEAL_TAG)
        return SOUK_OK;
    uint64_t sealed_at = block->sealed_offset + fact->sealed_at;
    if (sealed_at + fact->sealed_bytes > telling->bytes.bytes)
        return SOUK_ECORRUPT;
    memcpy(sealed, telling->bytes.at + sealed_at, fact->sealed_bytes);
    unsigned char nonce[SOUK_NONCE];
    souk_nonce_event(nonce, block->prefix, fact->position);
    souk_seal_place place = {.merchant = spine->sources[fact->source % SPINE_SOURCES].merchant,
                             .atom = fact->atom,
                             .position = fact->position,
                             .class = SPINE_CLASS_EVENT};
    if (slot == 0)
        return SOUK_OK; /* erased meanwhile */
    souk_err err =
        souk_vault_unseal(spine->vault, slot, &place, nonce, sealed, fact->sealed_bytes, sealed);
    if (err == SOUK_EERASED)
        return SOUK_OK;
    SOUK_TRY(err);
    souk_auto_value(souk_buf) text = {.mem = spine->mem, .limit_bytes = (size_t)4 << 20};
    SOUK_TRY(souk_unpack(telling->packer,
                         (souk_text){(char *)sealed, fact->sealed_bytes - (size_t)SOUK_SEAL_TAG},
                         (size_t)4 << 20, &text));
    story->text.at = souk_arena_copy(telling->arena, text.at, text.bytes);
    story->text.bytes = text.bytes;
    return SOUK_OK;
}

/* Where the atom stands among hers; atom_count: it is not hers. */
static uint32_t find_hers(const souk_person *person, uint32_t atom)
{
    uint32_t i = 0;
    while (i < person->atom_count && person->atoms[i] != atom)
        i++;
    return i;
}

static bool is_hers(const souk_person *person, uint32_t atom)
{
    return find_hers(person, atom) < person->atom_count;
}

static souk_err tell_one(struct telling *telling, const souk_block *block, uint64_t position)
{
    souk_story *story = &telling->stories[telling->told];
    SOUK_TRY(souk_block_fact(block, position, telling->arena, &story->fact, &story->lines));
    uint32_t hers = find_hers(telling->person, story->fact.atom);
    if (hers == telling->person->atom_count)
        return SOUK_OK; /* erased: the timeline's pair outlives the block's */
    SOUK_TRY(unpack_text(telling, block, telling->slots[hers], story));
    telling->told++;
    telling->told_bytes += story->text.bytes;
    return telling->arena->failed ? SOUK_ENOMEM : SOUK_OK;
}

static souk_err load_block(struct telling *telling, souk_tx *tx, uint64_t position,
                           souk_block **ret_block)
{
    uint64_t first;
    souk_buf_clear(&telling->bytes);
    SOUK_TRY(souk_log_load_at(tx, position, &first, &telling->bytes));
    return souk_block_read(telling->spine->mem, souk_buf_view(&telling->bytes), SOUK_BLOCK_FEW,
                           ret_block);
}

static souk_err tell_stories(souk_tx *tx, void *context)
{
    struct telling *telling = context;
    souk_block *block = NULL;
    souk_err err = SOUK_OK;
    telling->told = telling->told_bytes = 0;
    for (size_t i = 0; i < telling->count && telling->told_bytes < SOUK_TIMELINE_BYTES && !err;
         i++) {
        uint64_t position = telling->positions[i];
        if (!block || position - block->first_position >= block->count) {
            souk_block_free(block);
            block = NULL;
            err = load_block(telling, tx, position, &block);
        }
        if (!err)
            err = tell_one(telling, block, position);
    }
    souk_block_free(block);
    return err;
}

static souk_err find_slots(struct telling *telling)
{
    souk_index *index = telling->spine->index;
    const souk_person *person = telling->person;
    telling->slots = souk_arena_get(telling->arena, person->atom_count * sizeof *telling->slots);
    if (telling->arena->failed)
        return SOUK_ENOMEM;
    souk_index_read(index);
    for (uint32_t i = 0; i < person->atom_count; i++) {
        const souk_atom *atom = souk_index_atom(index, person->atoms[i]);
        telling->slots[i] = atom ? atom->slot : 0;
    }
    souk_index_read_done(index);
    return SOUK_OK;
}

souk_err souk_spine_timeline(souk_spine *spine, const souk_person *person, const souk_grant *grant,
                             uint64_t before_position, size_t limit, souk_arena *arena,
                             souk_story **ret_stories, size_t *ret_count)
{
    SOUK_TRY(check_grant(spine, person, grant));
    struct telling telling = {
        .spine = spine, .person = person, .arena = arena, .bytes = {.mem = spine->mem}};
    uint64_t *positions;
    SOUK_TRY(
        newest_positions(spine, person, before_position, limit, arena, &positions, &telling.count));
    telling.positions = positions;
    telling.stories = souk_arena_get(arena, telling.count * sizeof *telling.stories);
    if (arena->failed)
        return SOUK_ENOMEM;
    SOUK_TRY(find_slots(&telling));
    SOUK_TRY(spine_packer_take(spine, &telling.packer));
    souk_err err = souk_ledger_read(spine->ledger, tell_stories, &telling);
    spine_packer_put(spine, telling.packer);
    souk_buf_done(&telling.bytes);
    SOUK_TRY(err);
    *ret_stories = telling.stories;
    *ret_count = telling.told;
    return SOUK_OK;
}

/* ---- identifiers ------------------------------------------------------------------------------------- */

enum { TIES_MOST = 10000 };

struct tying {
    souk_spine *spine;
    const souk_person *person;
    const uint64_t *positions; /* of edges, ascending */
    size_t position_count;
    souk_arena *arena;
    souk_tie *ties;
    size_t count, room;
};

static souk_err tie_link(void *context, const souk_link *link, souk_text value)
{
    struct tying *tying = context;
    if (!is_hers(tying->person, link->atom) || link->kind == SOUK_LINK_SHOPPER ||
        link->kind == SOUK_LINK_CLAIM || tying->count == tying->room)
        return SOUK_OK;
    souk_text copy = {souk_arena_copy(tying->arena, value.at, value.bytes), value.bytes};
    tying->ties[tying->count++] = (souk_tie){.kind = link->id_kind,
                                             .value = copy,
                                             .atom = link->atom,
                                             .position = link->position,
                                             .moved = link->kind == SOUK_LINK_MOVED};
    return SOUK_OK;
}

static souk_err read_block_links(souk_spine *spine, souk_text bytes, spine_edge_each *each,
                                 void *context)
{
    souk_auto(souk_block) block = NULL;
    SOUK_TRY(souk_block_read(spine->mem, bytes, SOUK_BLOCK_ALL, &block));
    for (size_t i = 0; i < block->edge_count; i++) {
        souk_err err = spine_edge_links(spine, block, i, each, context);
        if (err != SOUK_EERASED)
            SOUK_TRY(err);
    }
    return SOUK_OK;
}

souk_err spine_read_links(souk_spine *spine, souk_tx *tx, const uint64_t *positions, size_t count,
                          spine_edge_each *each, void *context)
{
    uint64_t done_through = 0;
    souk_auto_value(souk_buf) bytes = {.mem = spine->mem};
    for (size_t i = 0; i < count; i++) {
        uint64_t first;
        size_t block_count;
        if (positions[i] < done_through)
            continue;
        souk_buf_clear(&bytes);
        SOUK_TRY(souk_log_find(tx, positions[i], &first, &block_count));
        SOUK_TRY(souk_log_load(tx, first, &bytes));
        SOUK_TRY(read_block_links(spine, souk_buf_view(&bytes), each, context));
        done_through = first + block_count;
    }
    return SOUK_OK;
}

static souk_err tie_blocks(souk_tx *tx, void *context)
{
    struct tying *tying = context;
    tying->count = 0;
    return spine_read_links(tying->spine, tx, tying->positions, tying->position_count, tie_link,
                            tying);
}

souk_err spine_positions(souk_spine *spine, const souk_person *person, bool links_only,
                         uint64_t **ret_positions, size_t *ret_count)
{
    souk_runs_view view;
    souk_err err = SOUK_OK;
    uint64_t *positions = NULL;
    size_t count = 0, capacity = 0;
    souk_runs_view_init(spine->timeline, &view);
    for (uint32_t i = 0; i < person->atom_count && !err; i++) {
        uint64_t values[256], below = UINT64_MAX;
        size_t got = 256;
        while (!err && got == 256) {
            err = souk_runs_last(&view, person->atoms[i], below, 256, values, &got);
            if (!err)
                err = souk_mem_grow(spine->mem, &positions, &capacity, count + got, (size_t)1 << 28,
                                    sizeof *positions);
            for (size_t k = 0; k < got && !err; k++)
                if (!links_only || values[k] % 2)
                    positions[count++] = values[k] / 2;
            if (got)
                below = values[got - 1];
        }
    }
    souk_runs_view_done(&view);
    if (err) {
        souk_mem_put(spine->mem, positions);
        return err;
    }
    if (count)
        qsort(positions, count, sizeof *positions, greatest_first);
    for (size_t i = 0; i < count / 2; i++) { /* ascending */
        uint64_t swap = positions[i];
        positions[i] = positions[count - 1 - i];
        positions[count - 1 - i] = swap;
    }
    *ret_positions = positions;
    *ret_count = count;
    return SOUK_OK;
}

souk_err souk_spine_ties(souk_spine *spine, const souk_person *person, const souk_grant *grant,
                         souk_arena *arena, souk_tie **ret_ties, size_t *ret_count)
{
    struct tying tying = {.spine = spine, .person = person, .arena = arena};
    uint64_t *positions;
    SOUK_TRY(check_grant(spine, person, grant));
    SOUK_TRY(spine_positions(spine, person, true, &positions, &tying.position_count));
    tying.positions = positions;
    tying.room = souk_min_size(TIES_MOST, tying.position_count * (SOUK_EVENT_IDS + 1));
    tying.ties = souk_arena_get(arena, tying.room * sizeof *tying.ties);
    souk_err err = arena->failed ? SOUK_ENOMEM : SOUK_OK;
    if (!err)
        err = souk_ledger_read(spine->ledger, tie_blocks, &tying);
    souk_mem_put(spine->mem, positions);
    SOUK_TRY(err);
    *ret_ties = tying.ties;
    *ret_count = tying.count;
    return arena->failed ? SOUK_ENOMEM : SOUK_OK;
}
