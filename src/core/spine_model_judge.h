/* spine_model_judge.h - the product beside the model of spine_model.h: the first difference is told.
 * For spine_model_test.c alone, where it stands after test/test.h. */
#ifndef SOUK_CORE_SPINE_MODEL_JUDGE_H
#define SOUK_CORE_SPINE_MODEL_JUDGE_H

#include "core/spine_model.h"
#include "core/spine_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { COPIES = 3, TYPES = 6, CATEGORIES = 5 };

static const char *const types[TYPES] = {"Page Viewed",     "Product Viewed", "Product Added",
                                         "Order Completed", "Order Refunded", "Signed In"};

struct world {
    souk_test *test;
    souk_disk *disk;
    souk_spine *spine;
    souk_spine_options options;
    souk_clock_fake clock;
    struct model *model;
    souk_person person;
    uint32_t atoms[MODEL_ATOMS]; /* of the model's person */
    size_t atom_count;
    struct copy {
        souk_disk *disk;
        uint64_t end;
    } copies[COPIES]; /* of the ledger, of some time */
    size_t copy_count;
    uint64_t erasures, merges, unmerges, withdrawals, crashes, repeats;
    char wrong[400]; /* the first difference */
};

static bool differ(struct world *world, const char *format, ...) SOUK_PRINTF(2, 3);
static bool differ(struct world *world, const char *format, ...)
{
    va_list list;
    if (world->wrong[0])
        return false;
    va_start(list, format);
    vsnprintf(world->wrong, sizeof world->wrong, format, list);
    va_end(list);
    return false;
}

static uint64_t pick(struct world *world, uint64_t below)
{
    return test_random(world->test, below);
}

static void must(struct world *world, souk_err err)
{
    souk_test *test = world->test;
    SOUK_MUST(err);
}

/* ---- who ------------------------------------------------------------------------------------------- */

static bool judge_people(struct world *world)
{
    const struct model *model = world->model;
    if (souk_spine_end(world->spine) != model->next)
        return differ(world, "the log ends at %llu, not %llu",
                      (unsigned long long)souk_spine_end(world->spine),
                      (unsigned long long)model->next);
    for (size_t i = 0; i < MODEL_IDS; i++) {
        const struct model_id *id = &model->ids[i];
        size_t count = model_person(model, id->atom, world->atoms);
        souk_err err =
            souk_spine_find(world->spine, id->kind, souk_text_of(id->value), &world->person);
        if (err != (count ? SOUK_OK : SOUK_ENOENT))
            return differ(world, "%s: %s, the model says atom %u", id->value, souk_err_name(err),
                          id->atom);
        if (count && (world->person.atom_count != count ||
                      memcmp(world->person.atoms, world->atoms, count * sizeof *world->atoms) != 0))
            return differ(world, "%s: another person, %u atoms from %u, the model says %zu from %u",
                          id->value, world->person.atom_count, world->person.atoms[0], count,
                          world->atoms[0]);
    }
    return true;
}

/* ---- sums ------------------------------------------------------------------------------------------ */

enum { TALLY_MOST = 512 };
struct tally {
    souk_count at[TALLY_MOST];
    size_t count;
    souk_time first_at, last_at;
};

static void tally_add(struct tally *tally, uint32_t key, int64_t value)
{
    size_t i = 0;
    while (i < tally->count && tally->at[i].key != key)
        i++;
    souk_assert(i < TALLY_MOST);
    if (i == tally->count)
        tally->at[tally->count++] = (souk_count){key, 0};
    tally->at[i].value += value;
}

static void tally_event(const struct world *world, const struct model_event *event,
                        struct tally *tally)
{
    souk_catalogue *names = souk_spine_catalogue(world->spine);
    uint32_t month = (uint32_t)souk_time_month(event->at);
    int64_t units = 0;
    tally_add(
        tally,
        SOUK_COUNTER_KEY(SOUK_COUNT_TYPE, souk_catalogue_find(names, SOUK_NAME_TYPE, 0,
                                                              souk_text_of(types[event->type]))),
        1);
    for (unsigned i = 0; i < event->line_count; i++) {
        char category[16];
        snprintf(category, sizeof category, "c%u", event->product[i] % CATEGORIES);
        uint32_t number = souk_catalogue_find(names, SOUK_NAME_CATEGORY, 0, souk_text_of(category));
        tally_add(tally, SOUK_COUNTER_KEY(SOUK_COUNT_MONTH, number << 12 | month), 1);
        units += event->quantity[i];
    }
    if (event->line_count == 0)
        tally_add(tally, SOUK_COUNTER_KEY(SOUK_COUNT_MONTH, month), 1);
    if (event->flags & SOUK_EVENT_ORDER)
        tally_add(tally, SOUK_COUNTER_KEY(SOUK_COUNT_ORDERS, 0), 1);
    if (event->flags & SOUK_EVENT_CANCELLED && world->model->fault != MODEL_SUM)
        tally_add(tally, SOUK_COUNTER_KEY(SOUK_COUNT_CANCELLED, 0), 1);
    if (event->flags & SOUK_EVENT_SALE) {
        tally_add(tally, SOUK_COUNTER_KEY(SOUK_COUNT_UNITS, 0), units);
        tally_add(tally, SOUK_COUNTER_KEY(SOUK_COUNT_AMOUNT, souk_currency_code("GBP")),
                  event->amount);
    }
    if (event->at < tally->first_at)
        tally->first_at = event->at;
    if (event->at > tally->last_at)
        tally->last_at = event->at;
}

static int64_t value_in(const souk_count *counts, size_t count, uint32_t key)
{
    for (size_t i = 0; i < count; i++)
        if (counts[i].key == key)
            return counts[i].value;
    return 0;
}

static bool same_sums(const souk_count *a, size_t a_count, const souk_count *b, size_t b_count)
{
    bool same = true;
    for (size_t i = 0; i < a_count; i++)
        same &= value_in(b, b_count, a[i].key) == a[i].value;
    for (size_t i = 0; i < b_count; i++)
        same &= value_in(a, a_count, b[i].key) == b[i].value;
    return same;
}

static bool judge_atom(struct world *world, uint32_t number, struct tally *tally)
{
    souk_count counts[TALLY_MOST];
    const struct model *model = world->model;
    *tally = (struct tally){.first_at = INT64_MAX, .last_at = INT64_MIN};
    for (size_t i = 0; i < model->event_count; i++)
        if (model->events[i].atom == number)
            tally_event(world, &model->events[i], tally);
    souk_index *index = souk_spine_index(world->spine);
    souk_index_read(index);
    const souk_atom *there = souk_index_atom(index, number);
    souk_atom atom = there ? *there : (souk_atom){0};
    size_t count = souk_index_counts(index, number, counts, TALLY_MOST);
    souk_index_read_done(index);
    const struct model_atom *expected = &model->atoms[number];
    if (!there || ((atom.flags & SOUK_ATOM_ERASED) != 0) != expected->erased)
        return differ(world, "atom %u: missing, or erased without cause", number);
    if (expected->erased)
        return count == 0 || differ(world, "atom %u: sums outlived an erasure", number);
    if (atom.shopper != expected->shopper || atom.strongest != expected->strongest ||
        ((atom.flags & SOUK_ATOM_SHARED) != 0) != expected->shared)
        return differ(world, "atom %u: shopper %u, strongest %u; the model says %u, %u", number,
                      atom.shopper, atom.strongest, expected->shopper, expected->strongest);
    if (atom.first_at != tally->first_at || atom.last_at != tally->last_at)
        return differ(world, "atom %u: its first or last time", number);
    return same_sums(counts, count, tally->at, tally->count) ||
           differ(world, "atom %u: its sums", number);
}

static bool judge_totals(struct world *world)
{
    souk_totals totals;
    uint64_t events = 0, orders = 0, cancelled = 0;
    souk_wide amount = 0;
    const struct model *model = world->model;
    for (size_t i = 0; i < model->event_count; i++) {
        const struct model_event *event = &model->events[i];
        if (model->fault == MODEL_ERASE_SUM && event->anonymised)
            continue;
        events++;
        orders += (event->flags & SOUK_EVENT_ORDER) != 0;
        cancelled += (event->flags & SOUK_EVENT_CANCELLED) != 0;
        amount += event->flags & SOUK_EVENT_SALE ? event->amount : 0;
    }
    souk_index *index = souk_spine_index(world->spine);
    souk_index_read(index);
    souk_index_totals(index, &totals);
    souk_index_read_done(index);
    bool same = totals.events == events && totals.orders == orders &&
                totals.cancelled == cancelled && totals.currency_count <= 1 &&
                (totals.currency_count == 0 || totals.amounts[0].amount_micro == amount);
    return same || differ(world, "the totals: %llu events, the model says %llu",
                          (unsigned long long)totals.events, (unsigned long long)events);
}

static bool judge_sums(struct world *world)
{
    static struct tally tally;
    for (uint32_t i = 1; i < world->model->atom_count; i++)
        if (!judge_atom(world, i, &tally))
            return false;
    return judge_totals(world);
}

/* ---- what a reader gets ---------------------------------------------------------------------------- */

static bool in_person(const struct world *world, uint32_t atom)
{
    for (size_t i = 0; i < world->atom_count; i++)
        if (world->atoms[i] == atom)
            return true;
    return false;
}

static bool judge_timeline(struct world *world, const souk_story *stories, size_t count)
{
    const struct model *model = world->model;
    size_t at = 0;
    for (size_t i = model->event_count; i-- > 0;) {
        const struct model_event *event = &model->events[i];
        char text[48];
        if (!event->atom || !in_person(world, event->atom))
            continue;
        if (at == count)
            return differ(world, "a timeline lacks position %llu",
                          (unsigned long long)event->position);
        const souk_story *story = &stories[at++];
        snprintf(text, sizeof text, "{\"quagga\":%u}", event->number);
        if (story->fact.position != event->position || story->fact.at != event->at ||
            !souk_text_equal(story->text, souk_text_of(text)))
            return differ(world, "a timeline has position %llu (%.*s) where the model has %llu",
                          (unsigned long long)story->fact.position, SOUK_TEXT_PRINT(story->text),
                          (unsigned long long)event->position);
    }
    return (at == count) == (model->fault != MODEL_TIMELINE || count == 0) ||
           differ(world, "a timeline has %zu events too many", count - at);
}

static bool judge_profile(struct world *world, const souk_profile *profile)
{
    static struct tally tally;
    tally = (struct tally){.first_at = INT64_MAX, .last_at = INT64_MIN};
    for (size_t i = 0; i < world->model->event_count; i++)
        if (world->model->events[i].atom && in_person(world, world->model->events[i].atom))
            tally_event(world, &world->model->events[i], &tally);
    return (profile->first_at == tally.first_at && profile->last_at == tally.last_at &&
            same_sums(profile->counts, profile->count, tally.at, tally.count)) ||
           differ(world, "the profile of atom %u's person is not the sum of its atoms",
                  world->atoms[0]);
}

/* Everything behind the grant, for the person in hand. */
static bool judge_readings(struct world *world, const souk_grant *grant)
{
    souk_arena arena = {.mem = world->test->mem};
    souk_profile profile;
    souk_story *stories = NULL;
    souk_tie *ties;
    size_t count = 0, tie_count = 0, expected = 0;
    souk_err err = souk_spine_profile(world->spine, &world->person, grant, &arena, &profile);
    if (!err)
        err = souk_spine_timeline(world->spine, &world->person, grant, UINT64_MAX, MODEL_EVENTS,
                                  &arena, &stories, &count);
    if (!err)
        err = souk_spine_ties(world->spine, &world->person, grant, &arena, &ties, &tie_count);
    bool same = err ? differ(world, "reading a person: %s", souk_err_name(err))
                    : judge_profile(world, &profile) && judge_timeline(world, stories, count);
    for (size_t i = 0; same && i < MODEL_IDS; i++) {
        const struct model_id *id = &world->model->ids[i];
        bool told = false;
        if (!id->atom || !in_person(world, id->atom))
            continue;
        expected++;
        for (size_t k = 0; k < tie_count; k++)
            told |=
                ties[k].atom == id->atom && souk_text_equal(ties[k].value, souk_text_of(id->value));
        if (!told)
            same = differ(world, "%s is not among the identifiers of its person", id->value);
    }
    souk_arena_done(&arena);
    return same && expected <= tie_count;
}

static bool ask(struct world *world, const souk_person *person, unsigned purpose,
                souk_grant *ret_grant)
{
    souk_index *index = souk_spine_index(world->spine);
    souk_index_read(index);
    souk_err err =
        souk_consent_ask(souk_spine_consent(world->spine), index, person, (souk_purpose)purpose,
                         SOUK_OPERATOR, world->clock.now_ms, ret_grant, NULL);
    souk_index_read_done(index);
    return err == SOUK_OK;
}

/* Each atom alone; and a merge never says yes where one of them says no. */
static bool judge_strictness(struct world *world, unsigned purpose, bool together)
{
    souk_person alone = {.atom_count = 1};
    souk_grant grant;
    for (uint32_t i = 0; i < world->person.atom_count; i++) {
        alone.atoms[0] = world->person.atoms[i];
        bool yes = ask(world, &alone, purpose, &grant);
        if (together && !yes)
            return differ(world, "a merge made '%s' laxer for atom %u",
                          souk_purpose_word((souk_purpose)purpose), alone.atoms[0]);
        if (yes != model_atom_says(world->model, alone.atoms[0], purpose))
            return differ(world, "'%s' for atom %u alone: the product says %s",
                          souk_purpose_word((souk_purpose)purpose), alone.atoms[0],
                          yes ? "yes" : "no");
    }
    return true;
}

static bool judge_consent(struct world *world, souk_grant *ret_grant, bool *ret_granted)
{
    *ret_granted = false;
    for (unsigned purpose = 0; purpose < MODEL_PURPOSES; purpose++) {
        souk_grant grant;
        bool yes = ask(world, &world->person, purpose, &grant);
        if (yes != model_says(world->model, world->atoms, world->atom_count, purpose))
            return differ(world, "'%s' for atom %u's person: the product says %s",
                          souk_purpose_word((souk_purpose)purpose), world->atoms[0],
                          yes ? "yes" : "no");
        if (!judge_strictness(world, purpose, yes))
            return false;
        if (yes) {
            *ret_grant = grant;
            *ret_granted = true;
        }
    }
    return true;
}

static bool judge_persons(struct world *world)
{
    for (size_t i = 0; i < MODEL_IDS; i++) {
        const struct model_id *id = &world->model->ids[i];
        souk_grant grant;
        bool granted;
        world->atom_count = model_person(world->model, id->atom, world->atoms);
        if (!world->atom_count ||
            souk_spine_find(world->spine, id->kind, souk_text_of(id->value), &world->person))
            continue;
        if (!judge_consent(world, &grant, &granted))
            return false;
        if (granted && !judge_readings(world, &grant))
            return false;
    }
    return true;
}

/* The bits of a mask are the answers, one by one. */
static bool judge_masks(struct world *world)
{
    souk_index *index = souk_spine_index(world->spine);
    for (unsigned purpose = 0; purpose < MODEL_PURPOSES; purpose++) {
        uint64_t *bits = NULL, epoch;
        size_t words;
        souk_time until;
        souk_index_read(index);
        souk_err err = souk_consent_mask(souk_spine_consent(world->spine), index,
                                         (souk_purpose)purpose, SOUK_OPERATOR, world->clock.now_ms,
                                         world->test->mem, &bits, &words, &epoch, &until);
        souk_index_read_done(index);
        for (uint32_t atom = 1; atom < world->model->atom_count && !err; atom++) {
            uint32_t shopper = world->model->atoms[atom].shopper;
            size_t count = model_person(world->model, atom, world->atoms);
            bool set = bits[shopper / 64] >> shopper % 64 & 1;
            if (shopper && count && set != model_says(world->model, world->atoms, count, purpose)) {
                souk_mem_put(world->test->mem, bits);
                return differ(world, "mask of '%s', shopper %u",
                              souk_purpose_word((souk_purpose)purpose), shopper);
            }
        }
        souk_mem_put(world->test->mem, bits);
        if (err)
            return differ(world, "a mask: %s", souk_err_name(err));
    }
    return true;
}

/* ---- what must not be there -------------------------------------------------------------------------- */

struct scan {
    const char *needle;
    size_t bytes;
    char found_in[64];
};

static void scan_file(void *context, const char *name, const void *at, size_t bytes)
{
    struct scan *scan = context;
    if (bytes && !scan->found_in[0] && memmem(at, bytes, scan->needle, scan->bytes))
        snprintf(scan->found_in, sizeof scan->found_in, "%s", name);
}

static bool stands_on(souk_disk *disk, const void *needle, size_t bytes, struct scan *scan)
{
    *scan = (struct scan){.needle = needle, .bytes = bytes};
    souk_sim_scan(disk, scan_file, scan);
    return scan->found_in[0] != '\0';
}

/* Every identifier, text, reason and evidence of the story has this word; none may ever be in the clear. */
static bool judge_secrecy(struct world *world)
{
    struct scan scan;
    return !stands_on(world->disk, "quagga", 6, &scan) ||
           differ(world, "a personal text stands in the clear in '%s'", scan.found_in);
}

static bool judge_all(struct world *world)
{
    return judge_people(world) && judge_sums(world) && judge_persons(world) && judge_masks(world) &&
           judge_secrecy(world);
}

#endif
