/* books_model.h - books as a child would keep them: an array of accounts, an array of open holds.  For tests alone.
 *
 *     souk_err expected = model_apply(&model, &when, &set);
 *
 * A set is applied to a copy, leg by leg and without a look at any limit; what came out is judged then, and
 * the copy thrown away or kept. */
#ifndef SOUK_CORE_BOOKS_MODEL_H
#define SOUK_CORE_BOOKS_MODEL_H

#include "core/books.h"

enum {
    MODEL_ACCOUNTS = 16,
    MODEL_HOLDS = 96,  /* open at a time */
    MODEL_MOVED = 128, /* of which refunds are tried */
    MODEL_SET = 4
};

struct model_account {
    int64_t id, debits, credits, out, in;
    souk_book_limits limits;
    int32_t day;
    int64_t day_spent, set_spent; /* set_spent: while a set is judged */
    int currency;
};

struct model_hold {
    souk_hash128 id;
    size_t debit, credit; /* indexes of accounts */
    int64_t amount;
    souk_time due;
    int32_t day;
};

struct model_moved {
    souk_hash128 id;
    size_t debit, credit;
    int64_t amount, refunded;
};

struct model_set {
    souk_transfer legs[MODEL_SET];
    size_t count;
};

struct model {
    struct model_account accounts[MODEL_ACCOUNTS];
    struct model_hold holds[MODEL_HOLDS];
    struct model_moved moved[MODEL_MOVED];
    size_t account_count, hold_count, moved_count;
    uint64_t next_moved; /* in place of the oldest */
};

static inline bool model_has_limit(const struct model *model, size_t account)
{
    return model->accounts[account].id > 0;
}

static inline int64_t model_available(const struct model_account *account)
{
    return account->credits - account->debits - account->out + account->limits.below_minor;
}

static inline size_t model_index(const struct model *model, int64_t id)
{
    size_t i = 0;
    while (i < model->account_count && model->accounts[i].id != id)
        i++;
    return i;
}

static inline struct model_hold *model_hold_of(struct model *model, souk_hash128 id)
{
    for (size_t i = 0; i < model->hold_count; i++)
        if (souk_hash128_equal(model->holds[i].id, id))
            return &model->holds[i];
    return NULL;
}

static inline struct model_moved *model_moved_of(struct model *model, souk_hash128 id)
{
    for (size_t i = 0; i < model->moved_count; i++)
        if (souk_hash128_equal(model->moved[i].id, id))
            return &model->moved[i];
    return NULL;
}

static inline void model_spend(struct model_account *account, int32_t day, int64_t amount)
{
    if (account->day < day) {
        account->day = day;
        account->day_spent = 0;
    }
    account->day_spent += amount;
    account->set_spent += amount;
}

static inline void model_remember_moved(struct model *model, souk_hash128 id, size_t debit,
                                        size_t credit, int64_t amount)
{
    struct model_moved moved = {id, debit, credit, amount, 0};
    model->moved[model->next_moved++ % MODEL_MOVED] = moved;
    if (model->moved_count < MODEL_MOVED)
        model->moved_count++;
}

/* POST, HOLD: what is not checked here was checked by whoever made the leg up. */
static inline souk_err model_begin(struct model *model, const souk_transfer *leg, int32_t day)
{
    size_t debit = model_index(model, leg->debit), credit = model_index(model, leg->credit);
    if (leg->amount_minor <= 0)
        return SOUK_EINVAL;
    if (leg->amount_minor > SOUK_BOOKS_AMOUNT_MOST)
        return SOUK_EOVERFLOW;
    if (debit == credit)
        return SOUK_EINVAL;
    if (debit == model->account_count || credit == model->account_count)
        return SOUK_ENOENT;
    if (model->accounts[debit].currency != model->accounts[credit].currency)
        return SOUK_EINVAL;
    model_spend(&model->accounts[debit], day, leg->amount_minor);
    if (leg->kind == SOUK_TRANSFER_POST) {
        model->accounts[debit].debits += leg->amount_minor;
        model->accounts[credit].credits += leg->amount_minor;
        model_remember_moved(model, leg->id, debit, credit, leg->amount_minor);
        return SOUK_OK;
    }
    model->accounts[debit].out += leg->amount_minor;
    model->accounts[credit].in += leg->amount_minor;
    souk_assert(model->hold_count < MODEL_HOLDS);
    model->holds[model->hold_count++] =
        (struct model_hold){leg->id, debit, credit, leg->amount_minor, leg->due, day};
    return SOUK_OK;
}

/* The hold is over; `taken` of it went over. */
static inline void model_end_hold(struct model *model, struct model_hold *hold, int64_t taken)
{
    struct model_account *debit = &model->accounts[hold->debit];
    struct model_account *credit = &model->accounts[hold->credit];
    debit->out -= hold->amount;
    credit->in -= hold->amount;
    debit->debits += taken;
    credit->credits += taken;
    if (debit->day == hold->day)
        debit->day_spent -= hold->amount - taken;
    *hold = model->holds[--model->hold_count];
}

static inline souk_err model_end(struct model *model, const souk_transfer *leg, souk_time at)
{
    struct model_hold *hold = model_hold_of(model, leg->of);
    bool captures = leg->kind == SOUK_TRANSFER_CAPTURE;
    if (!hold || (captures && (hold->due <= at || leg->amount_minor > hold->amount)))
        return SOUK_ECONFLICT;
    if (captures)
        model_remember_moved(model, leg->id, hold->debit, hold->credit, leg->amount_minor);
    model_end_hold(model, hold, captures ? leg->amount_minor : 0);
    return SOUK_OK;
}

static inline souk_err model_give_back(struct model *model, const souk_transfer *leg)
{
    struct model_moved *moved = model_moved_of(model, leg->of);
    souk_assert(moved); /* others are not tried */
    if (moved->refunded + leg->amount_minor > moved->amount)
        return SOUK_ECONFLICT;
    moved->refunded += leg->amount_minor;
    model->accounts[moved->credit].debits += leg->amount_minor;
    model->accounts[moved->debit].credits += leg->amount_minor;
    return SOUK_OK;
}

static inline bool model_above(int64_t limit, int64_t amount)
{
    return limit && amount > limit;
}

static inline souk_err model_judge(const struct model *before, const struct model *after,
                                   bool confirmed)
{
    for (size_t i = 0; i < after->account_count; i++) {
        const struct model_account *was = &before->accounts[i], *is = &after->accounts[i];
        if (!model_has_limit(after, i))
            continue;
        if (model_available(is) < model_available(was) && model_available(is) < 0)
            return SOUK_ECONFLICT;
        if (is->set_spent == 0)
            continue;
        if (model_above(is->limits.set_minor, is->set_spent) ||
            model_above(is->limits.day_minor, is->day_spent) ||
            (!confirmed && model_above(is->limits.confirm_minor, is->set_spent)))
            return SOUK_EDENIED;
    }
    return SOUK_OK;
}

/* What the books must answer to a set of new ids. */
static inline souk_err model_apply(struct model *model, const souk_books_when *when,
                                   const struct model_set *set)
{
    static struct model after;
    int32_t day = when->day ? when->day : (int32_t)souk_time_day(when->at);
    after = *model;
    for (size_t i = 0; i < after.account_count; i++)
        after.accounts[i].set_spent = 0;
    for (size_t i = 0; i < set->count; i++) {
        const souk_transfer *leg = &set->legs[i];
        if (leg->kind == SOUK_TRANSFER_POST || leg->kind == SOUK_TRANSFER_HOLD)
            SOUK_TRY(model_begin(&after, leg, day));
        else if (leg->kind == SOUK_TRANSFER_REFUND)
            SOUK_TRY(model_give_back(&after, leg));
        else
            SOUK_TRY(model_end(&after, leg, when->at));
    }
    SOUK_TRY(model_judge(model, &after, when->confirmed));
    *model = after;
    return SOUK_OK;
}

static inline size_t model_expire(struct model *model, souk_time at)
{
    size_t ended = 0;
    for (size_t i = model->hold_count; i-- > 0;)
        if (model->holds[i].due <= at) {
            model_end_hold(model, &model->holds[i], 0);
            ended++;
        }
    return ended;
}

#endif
