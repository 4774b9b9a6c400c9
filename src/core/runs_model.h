/* runs_model.h - for the tests of runs: a plain array of pairs, the dumb truth beside the set.
 *
 * Keys are few, so that every one has many values; among them the least and the greatest.  Values
 * are log position * 2 + flag, nearly always ascending.  Stands after test/test.h in a test. */
#ifndef SOUK_CORE_RUNS_MODEL_H
#define SOUK_CORE_RUNS_MODEL_H

#include "base/hash.h"
#include "core/runs_inside.h"

enum { MODEL_KEYS = 60, MODEL_MOST = 20000 };

typedef struct model_pair {
    uint64_t key, value, position;
} model_pair;

typedef struct runs_model {
    model_pair *pairs; /* [MODEL_MOST], of the process heap */
    size_t count;
    uint64_t position; /* of the next group */
} runs_model;

static inline void runs_model_done(runs_model *model)
{
    souk_mem_put(souk_mem_heap(), model->pairs);
}

static inline uint64_t model_key(uint64_t number)
{
    return number == 0 ? 0 : number == 1 ? UINT64_MAX : souk_mix64(number);
}

/* Adds a group of `count` pairs to both; works where tables wait. */
static inline souk_err model_add(runs_model *model, souk_runs *runs, model_pair pair)
{
    if (!model->pairs)
        model->pairs = souk_mem_array(souk_mem_heap(), MODEL_MOST, sizeof *model->pairs);
    souk_assert(model->pairs && model->count < MODEL_MOST);
    souk_err err = souk_runs_add(runs, pair.key, pair.value);
    for (bool did = true; err == SOUK_EBUSY && did;) {
        SOUK_TRY(souk_runs_work(runs, &did));
        err = souk_runs_add(runs, pair.key, pair.value);
    }
    if (!err)
        model->pairs[model->count++] = pair;
    return err;
}

static inline souk_err model_group(souk_test *test, runs_model *model, souk_runs *runs,
                                   uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        model_pair pair = {model_key(test_random(test, test_random(test, MODEL_KEYS) + 1)), 0,
                           model->position + i};
        pair.value = pair.position * 2 + test_random(test, 2);
        unsigned odd = (unsigned)test_random(test, 500);
        if (odd < 5) /* out of order, or the same again */
            pair.value = test_random(test, pair.value + 1);
        else if (odd == 5)
            pair.value = UINT64_MAX - 1 - test_random(test, 3);
        SOUK_TRY(model_add(model, runs, pair));
    }
    model->position += count;
    souk_runs_group(runs, model->position);
    return SOUK_OK;
}

/* What a start does: the log is added again from `through` on. */
static inline souk_err model_again(runs_model *model, souk_runs *runs)
{
    size_t count = model->count;
    uint64_t through = souk_runs_through(runs);
    for (size_t i = 0; i < count; i++) {
        model->count = i;
        if (model->pairs[i].position >= through)
            SOUK_TRY(model_add(model, runs, model->pairs[i]));
    }
    model->count = count;
    souk_runs_group(runs, model->position > through ? model->position : through);
    return SOUK_OK;
}

static inline souk_err model_work(souk_runs *runs, int steps)
{
    for (bool did = true; did && steps > 0; steps--)
        SOUK_TRY(souk_runs_work(runs, &did));
    return SOUK_OK;
}

/* The greatest value of the key below `before` in the array; false: none. */
static inline bool model_below(const runs_model *model, uint64_t key, uint64_t before,
                               uint64_t *ret_value)
{
    bool found = false;
    for (size_t i = 0; i < model->count; i++) {
        const model_pair *pair = &model->pairs[i];
        if (pair->key == key && pair->value < before && (!found || pair->value > *ret_value)) {
            *ret_value = pair->value;
            found = true;
        }
    }
    return found;
}

typedef struct model_seen {
    const runs_model *model;
    uint64_t key;
    size_t strange, calls; /* values the array does not have */
} model_seen;

static inline souk_err model_see(void *context, uint64_t value)
{
    model_seen *seen = context;
    uint64_t same = 0;
    seen->calls++;
    seen->strange += !model_below(seen->model, seen->key, value + 1, &same) || same != value;
    return SOUK_OK;
}

static inline bool model_equal_key(souk_test *test, const runs_model *model,
                                   const souk_runs_view *view, uint64_t key)
{
    uint64_t values[100], before = UINT64_MAX, expected = 0;
    size_t limit, count, all = 0;
    do {
        limit = 1 + test_random(test, 100);
        if (souk_runs_last(view, key, before, limit, values, &count) || count > limit)
            return false;
        for (size_t i = 0; i < count; i++, all++) {
            if (!model_below(model, key, before, &expected) || expected != values[i])
                return false;
            before = values[i];
        }
    } while (count == limit);
    if (model_below(model, key, before, &expected))
        return false;

    model_seen seen = {.model = model, .key = key};
    uint64_t any;
    if (souk_runs_find_all(view, key, model_see, &seen) || seen.strange || seen.calls < all ||
        souk_runs_view_find_batch(view, &key, 1, &any))
        return false;
    if (any == SOUK_RUNS_NONE)
        return all == 0;
    return model_below(model, key, any + 1, &expected) && expected == any;
}

/* Every key the same in both, and two that are in none. */
static inline bool model_equal_view(souk_test *test, const runs_model *model,
                                    const souk_runs_view *view)
{
    uint64_t keys[MODEL_KEYS + 2], values[MODEL_KEYS + 2], one;
    for (uint64_t i = 0; i < MODEL_KEYS + 2; i++) {
        keys[i] = model_key(i);
        if (!model_equal_key(test, model, view, keys[i]))
            return false;
    }
    if (souk_runs_view_find_batch(view, keys, MODEL_KEYS + 2, values) || souk_runs_verify(view))
        return false;
    for (size_t i = 0; i < MODEL_KEYS + 2; i++)
        if (souk_runs_view_find_batch(view, &keys[i], 1, &one) || one != values[i])
            return false;
    return true;
}

static inline bool model_equal(souk_test *test, const runs_model *model, souk_runs *runs)
{
    souk_runs_view view;
    souk_runs_view_init(runs, &view);
    bool same = model_equal_view(test, model, &view);
    souk_runs_view_done(&view);
    return same;
}

#endif
