/* spine_verify.c - everything derived made again from the log, and compared with what is there.
 *
 * The oracle is a second index in memory, folded from position 1.  Erased atoms are compared only in that
 * both sides call them erased: their sums went into the totals alone. */
#include "core/spine_private.h"

enum { VERIFY_COUNTERS = 4096 };

struct verifying {
    souk_spine *spine;
    souk_index *fresh;
    struct spine_pair *pairs;
    size_t pair_capacity;
    souk_runs_view seen, timeline;
    souk_ledger_progress *progress;
    void *context;
    souk_diag *diag;
    uint64_t wanted; /* the value looked for in a run */
    bool found;
};

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

static souk_err verify_block(void *context, const souk_block *block)
{
    struct verifying *v = context;
    size_t pair_count = 0;
    SOUK_TRY(souk_mem_grow(v->spine->mem, &v->pairs, &v->pair_capacity, block->edge_count,
                           (size_t)1 << 24, sizeof *v->pairs));
    SOUK_TRY(spine_replay_edges(v->spine, v->fresh, block, v->pairs, &pair_count));
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
    if (v->progress)
        return v->progress(v->context, block->first_position + block->count,
                           souk_spine_end(v->spine));
    return SOUK_OK;
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

static bool same_counts(const souk_index *a, const souk_index *b, uint32_t atom)
{
    static _Thread_local souk_count left[VERIFY_COUNTERS], right[VERIFY_COUNTERS];
    size_t left_count = souk_index_counts(a, atom, left, VERIFY_COUNTERS);
    size_t right_count = souk_index_counts(b, atom, right, VERIFY_COUNTERS);
    if (left_count != right_count)
        return false;
    for (size_t i = 0; i < souk_min_size(left_count, VERIFY_COUNTERS); i++) {
        bool there;
        if (value_of(right, souk_min_size(right_count, VERIFY_COUNTERS), left[i].key, &there) !=
                left[i].value ||
            (!there && left_count <= VERIFY_COUNTERS))
            return false;
    }
    return true;
}

static souk_err compare_atom(struct verifying *v, uint32_t number)
{
    const souk_atom *there = souk_index_atom(v->spine->index, number);
    const souk_atom *fresh = souk_index_atom(v->fresh, number);
    const char *what = NULL;
    if (!there || !fresh)
        what = "number";
    else if ((there->flags & SOUK_ATOM_ERASED) && (fresh->flags & SOUK_ATOM_ERASED))
        return SOUK_OK;
    else if (there->flags != fresh->flags || there->slot != fresh->slot ||
             there->shopper != fresh->shopper || there->strongest != fresh->strongest)
        what = "identity";
    else if (there->first_at != fresh->first_at || there->last_at != fresh->last_at)
        what = "first and last time";
    else if (there->bases != fresh->bases)
        what = "stated bases";
    else if (!same_counts(v->spine->index, v->fresh, number))
        what = "sums";
    if (!what)
        return SOUK_OK;
    return souk_diag_say(v->diag, SOUK_ECORRUPT,
                         "atom %u: its %s differs from what the log says: run `souk rebuild`",
                         number, what);
}

static souk_err compare_totals(struct verifying *v)
{
    souk_totals there, fresh;
    souk_index_totals(v->spine->index, &there);
    souk_index_totals(v->fresh, &fresh);
    bool same = there.events == fresh.events && there.orders == fresh.orders &&
                there.cancelled == fresh.cancelled &&
                there.currency_count == fresh.currency_count &&
                souk_index_person_count(v->spine->index) == souk_index_person_count(v->fresh);
    for (size_t i = 0; same && i < fresh.currency_count; i++)
        same = there.amounts[i].currency == fresh.amounts[i].currency &&
               there.amounts[i].amount_micro == fresh.amounts[i].amount_micro;
    if (same)
        return SOUK_OK;
    return souk_diag_say(v->diag, SOUK_ECORRUPT,
                         "the totals differ from what the log says: run `souk rebuild`");
}

static souk_err compare_link(void *context, const souk_link *link, souk_text value)
{
    struct verifying *v = context;
    if (value.bytes == 0 ||
        souk_index_find(v->spine->index, link->hash) == souk_index_find(v->fresh, link->hash))
        return SOUK_OK;
    return souk_diag_say(
        v->diag, SOUK_ECORRUPT,
        "an identifier linked at position %llu leads elsewhere: run `souk rebuild`",
        (unsigned long long)link->position);
}

/* Each identifier of the log leads to the same atom on both sides, and neither side knows more. */
static souk_err compare_links(void *context, const souk_block *block)
{
    struct verifying *v = context;
    for (size_t i = 0; i < block->edge_count; i++) {
        souk_err err = spine_edge_links(v->spine, block, i, compare_link, v);
        if (err != SOUK_EERASED)
            SOUK_TRY(err);
    }
    return SOUK_OK;
}

static souk_err compare(struct verifying *v)
{
    uint32_t next = souk_index_next_atom(v->fresh);
    if (next != souk_index_next_atom(v->spine->index))
        return souk_diag_say(v->diag, SOUK_ECORRUPT, "there are %u atoms, the log says %u",
                             souk_index_next_atom(v->spine->index) - 1, next - 1);
    for (uint32_t number = 1; number < next; number++)
        SOUK_TRY(compare_atom(v, number));
    SOUK_TRY(compare_totals(v));
    if (souk_index_identifier_count(v->spine->index) != souk_index_identifier_count(v->fresh))
        return souk_diag_say(v->diag, SOUK_ECORRUPT,
                             "the number of identifiers differs from what the log says");
    return souk_log_walk(v->spine->mem, v->spine->ledger, 1, compare_links, v);
}

static souk_err verify_derived(struct verifying *v)
{
    souk_spine *spine = v->spine;
    souk_index_options options = {souk_consent_bases_of, spine->consent};
    SOUK_TRY(souk_index_new(spine->mem, &options, &v->fresh));
    SOUK_TRY(souk_runs_verify(&v->seen));
    SOUK_TRY(souk_runs_verify(&v->timeline));
    SOUK_TRY(souk_log_walk(spine->mem, spine->ledger, 1, verify_block, v));
    souk_index_commit(v->fresh);
    SOUK_TRY(spine_erase_known(spine, v->fresh, true));
    souk_index_commit(v->fresh);
    SOUK_TRY(spine_load_groups(spine, v->fresh));
    return compare(v);
}

souk_err souk_spine_verify(souk_spine *spine, souk_ledger_progress *progress, void *context,
                           souk_diag *diag)
{
    souk_vault_found found;
    SOUK_TRY(spine_check(spine));
    SOUK_TRY(souk_ledger_verify(spine->ledger, diag));
    SOUK_TRY(souk_vault_check(spine->vault, 0, &found, diag));
    struct verifying v = {.spine = spine, .progress = progress, .context = context, .diag = diag};
    souk_runs_view_init(spine->seen, &v.seen);
    souk_runs_view_init(spine->timeline, &v.timeline);
    souk_err err = verify_derived(&v);
    souk_runs_view_done(&v.seen);
    souk_runs_view_done(&v.timeline);
    souk_index_free(v.fresh);
    souk_mem_put(spine->mem, v.pairs);
    return err;
}
