/* books_apply.c - a set of transfers into the books: books.h.
 *
 * Five steps, each in its own order so that two sets never wait for each other in a ring:
 *
 *     take      holds that are captured or voided are deleted; who finds the row ends the hold
 *     write     one row for each transfer; a taken id is looked at: told again, or another content
 *     hold      one row for each new hold
 *     give      what is given back is counted on the original, under its amount
 *     change    the set's sum goes to each exact account, under its limits
 *
 * Nothing is read to be decided upon but facts that never change (the original of a refund). */
#include "core/books_inside.h"

/* ---- what was told --------------------------------------------------------------------------------- */

static bool settles(enum souk_transfer_kind kind)
{
    return kind == SOUK_TRANSFER_CAPTURE || kind == SOUK_TRANSFER_VOID ||
           kind == SOUK_TRANSFER_EXPIRE;
}

static bool is_first(enum souk_transfer_kind kind)
{
    return kind == SOUK_TRANSFER_POST || kind == SOUK_TRANSFER_HOLD;
}

static souk_err check_amount(const souk_transfer *told, souk_diag *diag)
{
    if (told->kind == SOUK_TRANSFER_VOID) {
        if (told->amount_minor == 0)
            return SOUK_OK;
        return souk_diag_say(
            diag, SOUK_EINVAL,
            "a void frees the whole hold: leave its amount out, or capture a part");
    }
    if (told->amount_minor <= 0)
        return souk_diag_say(
            diag, SOUK_EINVAL,
            "an amount of %lld is no transfer: give 1 or more, and swap the accounts "
            "where it goes the other way",
            (long long)told->amount_minor);
    if (told->amount_minor > SOUK_BOOKS_AMOUNT_MOST)
        return souk_diag_say(diag, SOUK_EOVERFLOW,
                             "an amount of %lld minor units is above %lld: split it",
                             (long long)told->amount_minor, (long long)SOUK_BOOKS_AMOUNT_MOST);
    return SOUK_OK;
}

static souk_err check_accounts(const souk_transfer *told, souk_diag *diag)
{
    if (!is_first(told->kind)) {
        if (told->debit || told->credit)
            return souk_diag_say(
                diag, SOUK_EINVAL,
                "the accounts of this transfer are those of the one it is of: leave "
                "them out");
        return SOUK_OK;
    }
    if (told->debit == told->credit)
        return souk_diag_say(diag, SOUK_EINVAL, "account %lld would pay itself: name two accounts",
                             (long long)told->debit);
    return SOUK_OK;
}

static souk_err check_told(const souk_transfer *told, souk_time at, souk_diag *diag)
{
    if (told->kind < SOUK_TRANSFER_POST || told->kind > SOUK_TRANSFER_REFUND ||
        told->kind == SOUK_TRANSFER_EXPIRE)
        return souk_diag_say(diag, SOUK_EINVAL, "%d is no kind of transfer to ask for",
                             (int)told->kind);
    if (books_is_zero(told->id))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "a transfer has no id: give one, so that it happens once");
    if (is_first(told->kind) != books_is_zero(told->of))
        return souk_diag_say(diag, SOUK_EINVAL,
                             is_first(told->kind)
                                 ? "a first transfer is of no other: leave `of` out"
                                 : "name the transfer that is captured, voided or refunded: `of`");
    bool is_hold = told->kind == SOUK_TRANSFER_HOLD;
    if (is_hold ? told->due <= at : told->due != 0)
        return souk_diag_say(diag, SOUK_EINVAL,
                             is_hold ? "a hold ends before it begins: give a later end"
                                     : "only a hold has an end: leave `due` out");
    SOUK_TRY(check_amount(told, diag));
    return check_accounts(told, diag);
}

static struct books_leg leg_of(const souk_transfer *told)
{
    struct books_leg leg = {.kind = told->kind,
                            .has_of = !is_first(told->kind),
                            .has_reason = !books_is_zero(told->reason),
                            .debit = told->debit,
                            .credit = told->credit,
                            .amount = told->amount_minor,
                            .due = told->due};
    books_put_id(told->id, leg.id);
    books_put_id(told->of, leg.of);
    books_put_id(told->reason, leg.reason);
    return leg;
}

/* Few of them: by insertion. */
static void put_in_order(struct books_leg **legs, size_t count, struct books_leg *leg, size_t key)
{
    const unsigned char *mine = (const unsigned char *)leg + key;
    size_t at = count;
    for (; at && memcmp((unsigned char *)legs[at - 1] + key, mine, BOOKS_ID_BYTES) > 0; at--)
        legs[at] = legs[at - 1];
    legs[at] = leg;
}

void books_set_order(struct books_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        put_in_order(set->by_id, i, &set->legs[i], offsetof(struct books_leg, id));
        put_in_order(set->by_of, i, &set->legs[i], offsetof(struct books_leg, of));
    }
}

static souk_err read_set(struct books_set *set, const souk_transfer *told, size_t count,
                         souk_diag *diag)
{
    if (count == 0 || count > SOUK_BOOKS_SET_MOST)
        return souk_diag_say(diag, SOUK_EINVAL, "a set has 1 to %d transfers, not %zu: split it",
                             SOUK_BOOKS_SET_MOST, count);
    for (size_t i = 0; i < count; i++) {
        SOUK_TRY(check_told(&told[i], set->when.at, diag));
        set->legs[i] = leg_of(&told[i]);
    }
    set->count = count;
    books_set_order(set);
    for (size_t i = 1; i < count; i++)
        if (!memcmp(set->by_id[i - 1]->id, set->by_id[i]->id, BOOKS_ID_BYTES))
            return souk_diag_say(diag, SOUK_EINVAL,
                                 "two transfers of a set have one id: give each its own");
    if (set->when.day == 0)
        set->when.day = (int32_t)souk_time_day(set->when.at);
    return SOUK_OK;
}

/* ---- take ------------------------------------------------------------------------------------------- */

souk_err books_take_hold(souk_tx *tx, struct books_leg *leg, enum books_due due, souk_time at)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx,
                             "DELETE FROM book_hold WHERE id = ?1 AND due > ?2 AND due <= ?3"
                             " RETURNING debit, credit, amount, day",
                             SOUK_VALUES(SOUK_BLOB(leg->of, BOOKS_ID_BYTES),
                                         SOUK_INT(due == BOOKS_DUE_LATER ? at : INT64_MIN),
                                         SOUK_INT(due == BOOKS_DUE_NOW ? at : INT64_MAX)),
                             &rows));
    bool found = souk_rows_next(&rows);
    if (found) {
        leg->debit = souk_rows_int(&rows, 0);
        leg->credit = souk_rows_int(&rows, 1);
        leg->held = souk_rows_int(&rows, 2);
        leg->held_day = (int32_t)souk_rows_int(&rows, 3);
    }
    while (souk_rows_next(&rows)) /* a deletion counts at its end */
        ;
    SOUK_TRY(souk_rows_check(&rows));
    return found ? SOUK_OK : SOUK_ENOENT;
}

static bool is_id(const unsigned char *bytes, souk_hash128 id)
{
    unsigned char other[BOOKS_ID_BYTES];
    books_put_id(id, other);
    return !memcmp(bytes, other, BOOKS_ID_BYTES);
}

static bool is_same(const struct books_set *set, const struct books_leg *leg,
                    const souk_book_entry *entry)
{
    bool accounts = leg->has_of || (leg->debit == entry->debit && leg->credit == entry->credit);
    bool amount = leg->kind == SOUK_TRANSFER_VOID || leg->amount == entry->amount_minor;
    return entry->kind == leg->kind && accounts && amount && is_id(leg->of, entry->of) &&
           is_id(leg->reason, entry->reason) && entry->set_count == set->count;
}

/* The leg's own row, where there is one: told again, or SOUK_EREUSED.  SOUK_ENOENT: none. */
static souk_err look_again(souk_tx *tx, const struct books_set *set, struct books_leg *leg,
                           souk_diag *diag)
{
    souk_book_entry entry;
    souk_hash128 id = {souk_get_u64(leg->id), souk_get_u64(leg->id + 8)};
    SOUK_TRY(souk_books_entry(tx, id, &entry));
    if (!is_same(set, leg, &entry))
        return souk_diag_say(
            diag, SOUK_EREUSED,
            "a transfer with this id is there with another content: take a new id");
    leg->was_there = true;
    return SOUK_OK;
}

static souk_err take_holds(souk_tx *tx, struct books_set *set, souk_diag *diag)
{
    for (size_t i = 0; i < set->count; i++) {
        struct books_leg *leg = set->by_of[i];
        if (!settles(leg->kind))
            continue;
        bool captures = leg->kind == SOUK_TRANSFER_CAPTURE;
        souk_err err =
            books_take_hold(tx, leg, captures ? BOOKS_DUE_LATER : BOOKS_DUE_ANY, set->when.at);
        if (err == SOUK_ENOENT) {
            err = look_again(tx, set, leg, diag);
            if (err == SOUK_ENOENT)
                err = books_why_not_hold(tx, leg, diag);
        } else if (!err && captures && leg->amount > leg->held) {
            err = books_why_not_capture(tx, leg, diag);
        } else if (!err && !captures) {
            leg->amount = leg->held;
        }
        SOUK_TRY(err);
    }
    return SOUK_OK;
}

/* ---- write ------------------------------------------------------------------------------------------ */

souk_err books_write(souk_tx *tx, const struct books_set *set, const struct books_leg *leg,
                     bool *ret_new)
{
    bool to_closed = settles(leg->kind);
    SOUK_TRY(souk_sql_run(
        tx,
        "INSERT INTO book_transfer"
        " (id, kind, debit, credit, amount, legs, original, reason, at, due)"
        " SELECT ?1, ?2, d.id, c.id, ?5, ?6, ?7, ?8, ?9, ?10"
        " FROM book_account AS d CROSS JOIN book_account AS c"
        " WHERE d.id = ?3 AND c.id = ?4 AND d.merchant = c.merchant AND d.currency = c.currency"
        " AND d.closed <= ?11 AND c.closed <= ?11"
        " ON CONFLICT (id) DO NOTHING",
        SOUK_VALUES(SOUK_BLOB(leg->id, BOOKS_ID_BYTES), SOUK_INT(leg->kind), SOUK_INT(leg->debit),
                    SOUK_INT(leg->credit), SOUK_INT(leg->amount),
                    SOUK_INT(leg->kind == SOUK_TRANSFER_EXPIRE ? 1 : set->count),
                    leg->has_of ? SOUK_BLOB(leg->of, BOOKS_ID_BYTES) : SOUK_NULL,
                    leg->has_reason ? SOUK_BLOB(leg->reason, BOOKS_ID_BYTES) : SOUK_NULL,
                    SOUK_INT(set->when.at),
                    leg->kind == SOUK_TRANSFER_HOLD ? SOUK_INT(leg->due) : SOUK_NULL,
                    SOUK_INT(to_closed))));
    *ret_new = souk_sql_changed(tx) == 1;
    return SOUK_OK;
}

/* Whose money a refund moves: a fact, so that reading it decides nothing that could change. */
static souk_err read_original(souk_tx *tx, struct books_leg *leg, souk_diag *diag)
{
    souk_book_entry entry;
    souk_hash128 of = {souk_get_u64(leg->of), souk_get_u64(leg->of + 8)};
    souk_err err = souk_books_entry(tx, of, &entry);
    if (err == SOUK_ENOENT)
        return souk_diag_say(diag, err,
                             "there is no transfer that this refund is of: look at its id");
    SOUK_TRY(err);
    if (entry.kind != SOUK_TRANSFER_POST && entry.kind != SOUK_TRANSFER_CAPTURE)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "a refund is of money that went over: name a post or a capture");
    leg->debit = entry.credit;
    leg->credit = entry.debit;
    leg->most = entry.amount_minor;
    return SOUK_OK;
}

static souk_err write_leg(souk_tx *tx, struct books_set *set, struct books_leg *leg,
                          souk_diag *diag)
{
    bool is_new = false;
    if (leg->was_there)
        return SOUK_OK;
    if (leg->kind == SOUK_TRANSFER_REFUND)
        SOUK_TRY(read_original(tx, leg, diag));
    SOUK_TRY(books_write(tx, set, leg, &is_new));
    if (is_new)
        return SOUK_OK;
    souk_err err = look_again(tx, set, leg, diag);
    if (err == SOUK_ENOENT)
        err = books_why_not_between(tx, leg->debit, leg->credit, diag);
    return err;
}

/* ---- hold, give -------------------------------------------------------------------------------------- */

static souk_err write_hold(souk_tx *tx, const struct books_set *set, const struct books_leg *leg)
{
    return souk_sql_run(tx,
                        "INSERT INTO book_hold (id, debit, credit, amount, due, day)"
                        " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                        SOUK_VALUES(SOUK_BLOB(leg->id, BOOKS_ID_BYTES), SOUK_INT(leg->debit),
                                    SOUK_INT(leg->credit), SOUK_INT(leg->amount),
                                    SOUK_INT(leg->due), SOUK_INT(set->when.day)));
}

static souk_err count_refund(souk_tx *tx, const struct books_leg *leg, souk_diag *diag)
{
    if (leg->amount > leg->most)
        return books_why_not_refund(tx, leg, diag);
    SOUK_TRY(souk_sql_run(
        tx,
        "INSERT INTO book_refund (original, most, refunded) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (original) DO UPDATE SET refunded = book_refund.refunded + excluded.refunded"
        " WHERE book_refund.refunded + excluded.refunded <= book_refund.most",
        SOUK_VALUES(SOUK_BLOB(leg->of, BOOKS_ID_BYTES), SOUK_INT(leg->most),
                    SOUK_INT(leg->amount))));
    return souk_sql_changed(tx) == 1 ? SOUK_OK : books_why_not_refund(tx, leg, diag);
}

/* ---- change ------------------------------------------------------------------------------------------ */

/* The account's sum, in its place; a summed account's falls into *nobody. */
static struct books_sum *sum_of(struct books_set *set, int64_t account, struct books_sum *nobody)
{
    if (!books_is_exact(account))
        return nobody;
    size_t at = 0;
    while (at < set->sum_count && set->sums[at].account < account)
        at++;
    if (at == set->sum_count || set->sums[at].account != account) {
        memmove(&set->sums[at + 1], &set->sums[at], (set->sum_count - at) * sizeof *set->sums);
        set->sums[at] = (struct books_sum){.account = account};
        set->sum_count++;
    }
    return &set->sums[at];
}

static void add_give(struct books_sum *sum, const struct books_leg *leg, int64_t amount)
{
    if (leg->held_day > sum->give_day) {
        sum->give_day = leg->held_day;
        sum->give = 0;
    }
    if (leg->held_day == sum->give_day)
        sum->give += amount;
}

static void add_leg(struct books_set *set, const struct books_leg *leg)
{
    struct books_sum nobody = {0};
    bool holds = leg->kind == SOUK_TRANSFER_HOLD;
    int64_t posted = holds || leg->kind == SOUK_TRANSFER_VOID || leg->kind == SOUK_TRANSFER_EXPIRE
                         ? 0
                         : leg->amount;
    int64_t pending = holds ? leg->amount : settles(leg->kind) ? -leg->held : 0;

    struct books_sum *debit = sum_of(set, leg->debit, &nobody);
    debit->debit += posted;
    debit->out += pending;
    debit->needs_open |= !settles(leg->kind);
    if (is_first(leg->kind))
        debit->spend += leg->amount;
    if (settles(leg->kind))
        add_give(debit, leg, leg->held - posted);

    struct books_sum *credit = sum_of(set, leg->credit, &nobody);
    credit->credit += posted;
    credit->in += pending;
    credit->needs_open |= !settles(leg->kind);
}

/* One statement: who would go beyond a limit is not changed. */
static souk_err change_account(souk_tx *tx, const struct books_set *set,
                               const struct books_sum *sum, souk_diag *diag)
{
    int64_t need = sum->debit + sum->out - sum->credit;
    int64_t today = sum->spend ? set->when.day : 0;
    SOUK_TRY(souk_sql_run(
        tx,
        "UPDATE book_account SET debits = debits + ?2, credits = credits + ?3,"
        " held_out = held_out + ?4, held_in = held_in + ?5,"
        " day_spent = CASE WHEN day < ?6 THEN 0 WHEN day = ?9 THEN day_spent - ?8 ELSE day_spent "
        "END"
        " + ?7,"
        " day = CASE WHEN day < ?6 THEN ?6 ELSE day END"
        " WHERE id = ?1 AND credits - debits - held_out + below >= ?10 AND closed <= ?11"
        " AND set_most >= ?7 AND confirm_above >= ?12"
        " AND day_most + ?13 >= "
        " CASE WHEN day < ?6 THEN 0 WHEN day = ?9 THEN day_spent - ?8 ELSE day_spent END + ?7"
        " AND debits + held_out + ?14 <= 4000000000000000000"
        " AND credits + held_in + ?15 <= 4000000000000000000",
        SOUK_VALUES(SOUK_INT(sum->account), SOUK_INT(sum->debit), SOUK_INT(sum->credit),
                    SOUK_INT(sum->out), SOUK_INT(sum->in), SOUK_INT(today), SOUK_INT(sum->spend),
                    SOUK_INT(sum->give), SOUK_INT(sum->give_day),
                    SOUK_INT(need > 0 ? need : INT64_MIN), SOUK_INT(!sum->needs_open),
                    SOUK_INT(set->when.confirmed ? 0 : sum->spend),
                    SOUK_INT(sum->spend ? 0 : SOUK_BOOKS_TOTAL_MOST),
                    SOUK_INT(sum->debit + sum->out), SOUK_INT(sum->credit + sum->in))));
    return souk_sql_changed(tx) == 1 ? SOUK_OK : books_why_not_account(tx, set, sum, diag);
}

souk_err books_change_accounts(souk_tx *tx, struct books_set *set, souk_diag *diag)
{
    set->sum_count = 0;
    for (size_t i = 0; i < set->count; i++)
        add_leg(set, &set->legs[i]);
    for (size_t i = 0; i < set->sum_count; i++)
        SOUK_TRY(change_account(tx, set, &set->sums[i], diag));
    return SOUK_OK;
}

/* ---- all of it --------------------------------------------------------------------------------------- */

static souk_err write_all(souk_tx *tx, struct books_set *set, size_t *ret_repeats, souk_diag *diag)
{
    SOUK_TRY(take_holds(tx, set, diag));
    for (size_t i = 0; i < set->count; i++) {
        SOUK_TRY(write_leg(tx, set, set->by_id[i], diag));
        *ret_repeats += set->by_id[i]->was_there;
    }
    return SOUK_OK;
}

souk_err souk_books_apply(souk_tx *tx, const souk_books_when *when, const souk_transfer *told,
                          size_t count, bool *ret_was_there, souk_diag *diag)
{
    struct books_set set;
    size_t repeats = 0;
    set.when = *when;
    SOUK_TRY(read_set(&set, told, count, diag));
    SOUK_TRY(write_all(tx, &set, &repeats, diag));
    if (repeats && repeats < count)
        return souk_diag_say(
            diag, SOUK_EREUSED,
            "%zu of the %zu transfers of this set are there already: a set is told "
            "again as a whole, or with new ids",
            repeats, count);
    if (ret_was_there)
        *ret_was_there = repeats > 0;
    if (repeats)
        return SOUK_OK;
    for (size_t i = 0; i < count; i++)
        if (set.by_id[i]->kind == SOUK_TRANSFER_HOLD)
            SOUK_TRY(write_hold(tx, &set, set.by_id[i]));
    for (size_t i = 0; i < count; i++)
        if (set.by_of[i]->kind == SOUK_TRANSFER_REFUND)
            SOUK_TRY(count_refund(tx, set.by_of[i], diag));
    return books_change_accounts(tx, &set, diag);
}
