/* spine_verify.c - everything derived made again from the log, and compared with what is there, while events
 * go on coming.
 *
 * The oracle is a second index in memory, folded from position 1: "fresh".  The live one moves, so a part of
 * it is copied at a moment between two groups of the writer, when all that is committed is folded and nothing
 * else is; then fresh follows the log up to the position of that moment, and the two must be equal:
 *
 *     writer     group | copy part 1, position P | group | group | copy part 2, position Q | ...
 *     here                     fresh reads the log to P, compares part 1 .. to Q, compares part 2 ..
 *
 *     first      runs (repeats, timelines): views of the moment hold every pair of the log before it
 *     atoms      ATOMS_PART at a time, with their sums
 *     links      the log once more, LINKS_PART identifiers at a time: where does each lead?
 *     last       totals, numbers given, persons: in one moment, with decisions held
 *
 * Who is erased meanwhile is left out: her atoms are compared only in that both sides call them erased.  While an
 * erasure destroys key after key the log can seem to contradict itself; a difference found beside one is
 * looked for again, and then erasures and decisions wait until this is over. */
#include "core/spine_private.h"

#include <unistd.h>

enum {
    VERIFY_COUNTERS = 4096, /* of one atom; above, their number is compared */
    ATOMS_PART = 2048,      /* about a millisecond of the writer */
    COUNTS_PART = 65536,
    LINKS_PART = 4096,
    BUSY_US = 10000,
    BUSY_TRIES = 1000,
};

struct atom_copy {
    souk_atom atom;
    size_t first, count; /* of counts[]; count may be more than were copied */
};

struct link_copy {
    souk_hash128 hash;
    uint32_t live; /* the atom it leads to */
    uint64_t position;
};

struct verifying {
    souk_spine *spine;
    souk_index *fresh;
    uint64_t next; /* fresh has folded everything below */
    struct spine_pair *pairs;
    size_t pair_capacity;
    souk_ledger_progress *progress;
    void *context;
    uint64_t done, total; /* for progress */
    souk_diag *diag;
    uint64_t wanted; /* the value looked for in a run */
    bool found;
    /* what the last moment told */
    uint64_t through; /* its position */
    souk_runs_view seen, timeline;
    bool has_views;
    uint32_t atoms_end, shoppers_end; /* the next numbers to be given */
    uint32_t first_atom, atom_count;  /* of atoms[] */
    struct atom_copy *atoms;          /* [ATOMS_PART] */
    souk_count *counts;               /* [COUNTS_PART] */
    struct link_copy *links;          /* [LINKS_PART + one block's] */
    size_t link_count, link_capacity;
    souk_totals totals;
    uint32_t persons;
    uint64_t identifiers;
    uint32_t *erased; /* [erased_count] of the ledger, ascending */
    size_t erased_count, erased_capacity;
    uint32_t not_erased; /* one of them that the live index does not call erased */
};

/* ---- a moment between two groups --------------------------------------------------------------------- */

struct moment {
    souk_batch batch; /* of no events */
    struct verifying *v;
    void (*copy)(struct verifying *v);
};

static void drop_views(struct verifying *v)
{
    if (!v->has_views)
        return;
    souk_runs_view_done(&v->seen);
    souk_runs_view_done(&v->timeline);
    v->has_views = false;
}

/* In the writer's thread. */
static void settle_moment(souk_batch *batch)
{
    struct moment *moment = (struct moment *)(void *)batch;
    struct verifying *v = moment->v;
    souk_spine *spine = v->spine;
    drop_views(v); /* of a run before this one */
    souk_runs_view_init(spine->seen, &v->seen);
    souk_runs_view_init(spine->timeline, &v->timeline);
    v->has_views = true;
    v->through = souk_spine_end(spine);
    v->atoms_end = souk_index_next_atom(spine->index);
    v->shoppers_end = souk_index_next_shopper(spine->index);
    if (moment->copy)
        moment->copy(v);
}

static souk_err tell(const struct verifying *v)
{
    return v->progress ? v->progress(v->context, v->done, v->total) : SOUK_OK;
}

/* ---- fresh follows the log --------------------------------------------------------------------------- */

static souk_err look_for(void *context, uint64_t value)
{
    struct verifying *verifying = context;
    verifying->found |= value == verifying->wanted;
    return SOUK_OK;
}

static souk_err expect_pair(struct verifying *verifying, const souk_runs_view *view, uint64_t key,
                            uint64_t value, const char *what)
{
    verifying->wanted = value;
    verifying->found = false;
    SOUK_TRY(souk_runs_find_all(view, key, look_for, verifying));
    if (verifying->found)
        return SOUK_OK;
    return souk_diag_say(verifying->diag, SOUK_ECORRUPT,
                         "%s of key %llu lack value %llu: run `souk rebuild`", what,
                         (unsigned long long)key, (unsigned long long)value);
}

/* A heavy key's values are asked for one by one; the timeline answers each with one search. */
static souk_err expect_timeline(struct verifying *verifying, uint64_t atom, uint64_t value)
{
    uint64_t got = 0;
    size_t count = 0;
    SOUK_TRY(souk_runs_last(&verifying->timeline, atom, value + 1, 1, &got, &count));
    if (count == 1 && got == value)
        return SOUK_OK;
    return souk_diag_say(verifying->diag, SOUK_ECORRUPT,
                         "the timeline of atom %llu lacks position %llu: run `souk rebuild`",
                         (unsigned long long)atom, (unsigned long long)(value / 2));
}

static souk_err fold_block(struct verifying *v, const souk_block *block, size_t pair_count)
{
    SOUK_TRY(souk_index_room(v->fresh, block->count, block->line_count));
    for (size_t i = 0; i < block->count; i++) {
        const souk_fact *fact = &block->facts[i];
        /* An event that does not fit the sums is left out on both sides. */
        souk_err folded = souk_index_fold(v->fresh, fact, block->lines + fact->first_line);
        (void)folded;
        if (fact->source == 0) /* Souk's own entries are no messages */
            continue;
        SOUK_TRY(expect_pair(v, &v->seen, souk_get_u64(block->messages + SOUK_BLOCK_MESSAGE * i),
                             fact->position, "repeats"));
        if (fact->atom)
            SOUK_TRY(expect_timeline(v, fact->atom, spine_timeline_event(fact->position)));
    }
    for (size_t i = 0; i < pair_count; i++)
        SOUK_TRY(expect_timeline(v, v->pairs[i].key, v->pairs[i].value));
    return SOUK_OK;
}

static souk_err verify_block(void *context, const souk_block *block)
{
    struct verifying *v = context;
    size_t pair_count = 0;
    SOUK_TRY(souk_mem_grow(v->spine->mem, &v->pairs, &v->pair_capacity, block->edge_count,
                           (size_t)1 << 24, sizeof *v->pairs));
    SOUK_TRY(spine_replay_edges(v->spine, v->fresh, block, v->pairs, &pair_count));
    SOUK_TRY(fold_block(v, block, pair_count));
    v->next = block->first_position + block->count;
    v->done = souk_max_size(v->done, souk_min_size((v->next - 1) / 2, v->total));
    return tell(v);
}

/* Copies a part of what is live, and makes fresh what the log says of that moment. */
static souk_err follow(struct verifying *v, void (*copy)(struct verifying *v))
{
    struct moment moment = {.batch = {.settle = settle_moment}, .v = v, .copy = copy};
    souk_err err;
    unsigned tries = 0;
    while ((err = souk_spine_write(v->spine, &moment.batch)) == SOUK_EBUSY &&
           tries++ < BUSY_TRIES) {
        SOUK_TRY(tell(v));
        usleep(BUSY_US); /* the doors are busier: nobody hurries a check */
    }
    SOUK_TRY(err);
    SOUK_TRY(tell(v));
    SOUK_TRY(
        souk_log_walk_to(v->spine->mem, v->spine->ledger, v->next, v->through, verify_block, v));
    souk_index_commit(v->fresh);
    return SOUK_OK;
}

/* ---- who was erased ---------------------------------------------------------------------------------- */

static souk_err read_erased(souk_tx *tx, void *context)
{
    struct verifying *v = context;
    souk_auto_value(souk_rows) rows = {0};
    v->erased_count = 0;
    SOUK_TRY(souk_rows_begin(tx, "SELECT atom FROM erasure ORDER BY atom", SOUK_NO_VALUES, &rows));
    while (souk_rows_next(&rows)) {
        SOUK_TRY(souk_mem_grow(v->spine->mem, &v->erased, &v->erased_capacity, v->erased_count + 1,
                               SOUK_ATOMS_MOST, sizeof *v->erased));
        v->erased[v->erased_count++] = (uint32_t)souk_rows_int(&rows, 0);
    }
    return souk_rows_check(&rows);
}

struct asking {
    uint32_t atom;
    int64_t count;
};

static souk_err count_erasure(souk_tx *tx, void *context)
{
    struct asking *asking = context;
    return souk_sql_one_int(tx, "SELECT count(*) FROM erasure WHERE atom = ?1",
                            SOUK_VALUES(SOUK_INT(asking->atom)), &asking->count);
}

/* Asked only where something differs. */
static souk_err is_erased(struct verifying *v, uint32_t atom, bool *ret_erased)
{
    struct asking asking = {.atom = atom};
    SOUK_TRY(souk_ledger_read(v->spine->ledger, count_erasure, &asking));
    *ret_erased = asking.count != 0;
    return SOUK_OK;
}

/* ---- atoms ------------------------------------------------------------------------------------------- */

static void copy_atoms(struct verifying *v)
{
    const souk_index *index = v->spine->index;
    size_t used = 0;
    v->atom_count = 0;
    while (v->atom_count < ATOMS_PART && used + VERIFY_COUNTERS <= COUNTS_PART) {
        const souk_atom *atom = souk_index_atom(index, v->first_atom + v->atom_count);
        if (!atom)
            return;
        struct atom_copy *copy = &v->atoms[v->atom_count];
        *copy = (struct atom_copy){.atom = *atom, .first = used};
        copy->count = souk_index_counts(index, v->first_atom + v->atom_count, v->counts + used,
                                        VERIFY_COUNTERS);
        used += souk_min_size(copy->count, VERIFY_COUNTERS);
        v->atom_count++;
    }
}

static int64_t value_of(const souk_count *counts, size_t count, uint32_t key, bool *ret_there)
{
    for (size_t i = 0; i < count; i++)
        if (counts[i].key == key) {
            *ret_there = true;
            return counts[i].value;
        }
    *ret_there = false;
    return 0;
}

static bool same_counts(const struct verifying *v, const struct atom_copy *there, uint32_t atom)
{
    static _Thread_local souk_count right[VERIFY_COUNTERS];
    const souk_count *left = v->counts + there->first;
    size_t left_count = there->count;
    size_t right_count = souk_index_counts(v->fresh, atom, right, VERIFY_COUNTERS);
    if (left_count != right_count)
        return false;
    for (size_t i = 0; i < souk_min_size(left_count, VERIFY_COUNTERS); i++) {
        bool is_there;
        if (value_of(right, souk_min_size(right_count, VERIFY_COUNTERS), left[i].key, &is_there) !=
                left[i].value ||
            (!is_there && left_count <= VERIFY_COUNTERS))
            return false;
    }
    return true;
}

/* NULL: nothing. */
static const char *what_differs(const struct verifying *v, const struct atom_copy *copy,
                                uint32_t number)
{
    const souk_atom *there = &copy->atom, *fresh = souk_index_atom(v->fresh, number);
    if (!fresh)
        return "number";
    if ((there->flags & SOUK_ATOM_ERASED) && (fresh->flags & SOUK_ATOM_ERASED))
        return NULL;
    if (there->flags != fresh->flags || there->slot != fresh->slot ||
        there->shopper != fresh->shopper || there->strongest != fresh->strongest)
        return "identity";
    if (there->first_at != fresh->first_at || there->last_at != fresh->last_at)
        return "first and last time";
    if (there->bases != fresh->bases)
        return "stated bases";
    return same_counts(v, copy, number) ? NULL : "sums";
}

static souk_err compare_atom(struct verifying *v, const struct atom_copy *copy, uint32_t number)
{
    bool erased;
    const char *what = what_differs(v, copy, number);
    if (!what)
        return SOUK_OK;
    SOUK_TRY(is_erased(v, number, &erased));
    if (erased)
        return SOUK_OK;
    return souk_diag_say(v->diag, SOUK_ECORRUPT,
                         "atom %u: its %s differs from what the log says: run `souk rebuild`",
                         number, what);
}

/* Every atom that there was at the beginning, and those that come while this runs. */
static souk_err compare_atoms(struct verifying *v)
{
    v->first_atom = 1;
    do {
        SOUK_TRY(follow(v, copy_atoms));
        for (uint32_t i = 0; i < v->atom_count; i++)
            SOUK_TRY(compare_atom(v, &v->atoms[i], v->first_atom + i));
        v->first_atom += v->atom_count;
    } while (v->atom_count);
    return SOUK_OK;
}

/* ---- links ------------------------------------------------------------------------------------------- */

static void copy_links(struct verifying *v)
{
    for (size_t i = 0; i < v->link_count; i++)
        v->links[i].live = souk_index_find(v->spine->index, v->links[i].hash);
}

/* Nobody instead of somebody erased: either side may know her a little longer. */
static souk_err living(struct verifying *v, uint32_t *atom)
{
    bool erased = false;
    if (*atom)
        SOUK_TRY(is_erased(v, *atom, &erased));
    *atom = erased ? 0 : *atom;
    return SOUK_OK;
}

static souk_err compare_link(struct verifying *v, const struct link_copy *link)
{
    uint32_t fresh = souk_index_find(v->fresh, link->hash), live = link->live;
    if (fresh == live)
        return SOUK_OK;
    SOUK_TRY(living(v, &fresh));
    SOUK_TRY(living(v, &live));
    if (fresh == live)
        return SOUK_OK;
    return souk_diag_say(
        v->diag, SOUK_ECORRUPT,
        "an identifier linked at position %llu leads elsewhere: run `souk rebuild`",
        (unsigned long long)link->position);
}

static souk_err compare_links(struct verifying *v)
{
    SOUK_TRY(follow(v, copy_links));
    for (size_t i = 0; i < v->link_count; i++)
        SOUK_TRY(compare_link(v, &v->links[i]));
    v->link_count = 0;
    return SOUK_OK;
}

static souk_err note_link(void *context, const souk_link *link, souk_text value)
{
    struct verifying *v = context;
    if (value.bytes == 0)
        return SOUK_OK;
    SOUK_TRY(souk_mem_grow(v->spine->mem, &v->links, &v->link_capacity, v->link_count + 1,
                           (size_t)1 << 24, sizeof *v->links));
    v->links[v->link_count++] = (struct link_copy){.hash = link->hash, .position = link->position};
    return SOUK_OK;
}

/* Each identifier of the log leads to the same atom on both sides. */
static souk_err note_links(void *context, const souk_block *block)
{
    struct verifying *v = context;
    for (size_t i = 0; i < block->edge_count; i++) {
        souk_err err = spine_edge_links(v->spine, block, i, note_link, v);
        if (err != SOUK_EERASED)
            SOUK_TRY(err);
    }
    uint64_t through = block->first_position + block->count - 1;
    v->done = souk_max_size(v->done, souk_min_size(v->total / 2 + through / 2, v->total));
    return v->link_count >= LINKS_PART ? compare_links(v) : tell(v);
}

/* ---- all of it at once ------------------------------------------------------------------------------- */

static void copy_sums(struct verifying *v)
{
    const souk_index *index = v->spine->index;
    souk_index_totals(index, &v->totals);
    v->persons = souk_index_person_count(index);
    v->identifiers = souk_index_identifier_count(index);
    v->not_erased = 0;
    for (size_t i = 0; i < v->erased_count; i++) {
        const souk_atom *atom = souk_index_atom(index, v->erased[i]);
        if (atom && !(atom->flags & SOUK_ATOM_ERASED))
            v->not_erased = v->erased[i];
    }
}

static souk_err forget_erased(struct verifying *v)
{
    for (size_t i = 0; i < v->erased_count; i++)
        if (v->erased[i] < souk_index_next_atom(v->fresh))
            souk_index_erase_atom(v->fresh, v->erased[i]);
    souk_index_unlink_erased(v->fresh);
    SOUK_TRY(souk_index_given(v->fresh, v->atoms_end, v->shoppers_end));
    souk_index_commit(v->fresh);
    return spine_load_groups(v->spine, v->fresh);
}

static bool same_totals(const struct verifying *v)
{
    souk_totals fresh;
    souk_index_totals(v->fresh, &fresh);
    bool same = v->totals.events == fresh.events && v->totals.orders == fresh.orders &&
                v->totals.cancelled == fresh.cancelled &&
                v->totals.currency_count == fresh.currency_count &&
                v->persons == souk_index_person_count(v->fresh);
    for (size_t i = 0; same && i < fresh.currency_count; i++)
        same = v->totals.amounts[i].currency == fresh.amounts[i].currency &&
               v->totals.amounts[i].amount_micro == fresh.amounts[i].amount_micro;
    return same;
}

/* With decisions held: nobody is merged or erased between the moment and the reading of the ledger. */
static souk_err compare_sums(struct verifying *v)
{
    SOUK_TRY(souk_ledger_read(v->spine->ledger, read_erased, v));
    SOUK_TRY(follow(v, copy_sums));
    uint32_t next = souk_index_next_atom(v->fresh);
    SOUK_TRY(forget_erased(v));
    if (next > v->atoms_end || souk_index_next_atom(v->fresh) != v->atoms_end)
        return souk_diag_say(v->diag, SOUK_ECORRUPT, "there are %u atoms, the log says %u",
                             v->atoms_end - 1, next - 1);
    if (v->not_erased)
        return souk_diag_say(v->diag, SOUK_ECORRUPT,
                             "atom %u was erased and is still known: run `souk rebuild`",
                             v->not_erased);
    if (!same_totals(v))
        return souk_diag_say(v->diag, SOUK_ECORRUPT,
                             "the totals differ from what the log says: run `souk rebuild`");
    if (v->identifiers != souk_index_identifier_count(v->fresh))
        return souk_diag_say(v->diag, SOUK_ECORRUPT,
                             "the number of identifiers differs from what the log says");
    return SOUK_OK;
}

static souk_err compare_all(struct verifying *v, bool decisions_held)
{
    souk_spine *spine = v->spine;
    souk_index_options options = {souk_consent_bases_of, spine->consent};
    v->total = souk_spine_end(spine) - 1;
    v->atoms = souk_mem_array(spine->mem, ATOMS_PART, sizeof *v->atoms);
    v->counts = souk_mem_array(spine->mem, COUNTS_PART, sizeof *v->counts);
    if (!v->atoms || !v->counts)
        return SOUK_ENOMEM;
    SOUK_TRY(souk_index_new(spine->mem, &options, &v->fresh));
    SOUK_TRY(follow(v, NULL));
    SOUK_TRY(souk_runs_verify(&v->seen));
    SOUK_TRY(souk_runs_verify(&v->timeline));
    SOUK_TRY(compare_atoms(v));
    SOUK_TRY(souk_log_walk_to(spine->mem, spine->ledger, 1, v->through, note_links, v));
    SOUK_TRY(compare_links(v));
    if (decisions_held)
        return compare_sums(v);
    souk_auto_lock(&spine->decision_mutex);
    return compare_sums(v);
}

static void done(struct verifying *v)
{
    souk_mem *mem = v->spine->mem;
    drop_views(v);
    souk_index_free(v->fresh);
    souk_mem_put(mem, v->pairs);
    souk_mem_put(mem, v->atoms);
    souk_mem_put(mem, v->counts);
    souk_mem_put(mem, v->links);
    souk_mem_put(mem, v->erased);
}

/* How many atoms were erased, and how many of them all the way. */
struct erasures {
    int64_t count, finished;
};

static souk_err read_erasures(souk_tx *tx, void *context)
{
    struct erasures *erasures = context;
    SOUK_TRY(
        souk_sql_one_int(tx, "SELECT count(*) FROM erasure", SOUK_NO_VALUES, &erasures->count));
    return souk_sql_one_int(tx, "SELECT coalesce(sum(state), 0) FROM erasure", SOUK_NO_VALUES,
                            &erasures->finished);
}

static souk_err attempt(struct verifying *v, bool decisions_held)
{
    souk_err err = compare_all(v, decisions_held);
    if (!err) {
        v->done = v->total;
        err = tell(v);
    }
    done(v);
    return err;
}

souk_err souk_spine_verify(souk_spine *spine, souk_ledger_progress *progress, void *context,
                           souk_diag *diag)
{
    souk_vault_found found;
    struct erasures before, after;
    souk_diag words = {.words = ""};
    struct verifying v = {
        .spine = spine, .next = 1, .progress = progress, .context = context, .diag = &words};
    struct verifying again = v;
    SOUK_TRY(spine_check(spine));
    SOUK_TRY(souk_ledger_verify(spine->ledger, diag));
    SOUK_TRY(souk_vault_check(spine->vault, 0, &found, diag));
    SOUK_TRY(souk_products_verify(spine->mem, spine->ledger, diag));
    SOUK_TRY(souk_ledger_read(spine->ledger, read_erasures, &before));
    souk_err err = attempt(&v, false);
    if (err != SOUK_ECORRUPT)
        return err;
    SOUK_TRY(souk_ledger_read(spine->ledger, read_erasures, &after));
    if (after.count == before.count && before.count == before.finished)
        return souk_diag_say(diag, err, "%s", souk_diag_words(&words, err));
    again.diag = diag;
    souk_auto_lock(&spine->decision_mutex);
    return attempt(&again, true);
}
