/* coupons.c - the tables, and redemptions in a plan: codes, then counters, then the record (coupons.h). */
#include "service/loyalty/coupons_inside.h"

#include <stdio.h>
#include <stdlib.h>

static const souk_migration steps[] = {
    {1,
     "CREATE TABLE coupon_code ("
     "  id       INTEGER PRIMARY KEY,"
     "  merchant INTEGER NOT NULL CHECK (merchant > 0),"
     "  hash     BLOB NOT NULL CHECK (length(hash) = 16)," /* keyed, of merchant and code */
     "  class    TEXT NOT NULL CHECK (length(class) BETWEEN 1 AND 64)," /* its document's key */
     "  most     INTEGER NOT NULL CHECK (most >= 0),"                   /* uses; 0: no limit */
     "  used     INTEGER NOT NULL CHECK (used >= 0),"
     "  until    INTEGER NOT NULL,"                     /* ms UTC: not from then on */
     "  person   INTEGER NOT NULL CHECK (person >= 0)," /* an atom that alone may; 0: any */
     "  batch    INTEGER NOT NULL,"                     /* coupon_batch.id; 0: shared */
     "  revoked  INTEGER NOT NULL CHECK (revoked IN (0, 1)),"
     "  UNIQUE (merchant, hash),"
     "  CHECK (most = 0 OR used <= most));"
     "CREATE INDEX coupon_code_batch ON coupon_code (batch) WHERE revoked = 0;"
     "CREATE TABLE coupon_batch ("
     "  id       INTEGER PRIMARY KEY,"
     "  merchant INTEGER NOT NULL CHECK (merchant > 0),"
     "  class    TEXT NOT NULL,"
     "  at       INTEGER NOT NULL," /* ms UTC */
     "  codes    INTEGER NOT NULL CHECK (codes >= 0));"
     /* How often a limit of a class was counted: one row for each person, store, day. */
     "CREATE TABLE coupon_count ("
     "  merchant INTEGER NOT NULL,"
     "  class    TEXT NOT NULL,"
     "  dimension INTEGER NOT NULL CHECK (dimension >= 0)," /* SOUK_COUPON_LIMITS */
     "  key      TEXT NOT NULL,"                            /* '', atom, 'atom/day', store or day */
     "  used     INTEGER NOT NULL CHECK (used >= 0),"
     "  PRIMARY KEY (merchant, class, dimension, key)) WITHOUT ROWID;"
     /* Redemptions; a row is changed once, when it is taken back. */
     "CREATE TABLE coupon_use ("
     "  id       INTEGER PRIMARY KEY,"
     "  merchant INTEGER NOT NULL,"
     "  class    TEXT NOT NULL,"
     "  hash     BLOB NOT NULL CHECK (length(hash) = 16)," /* coupon_code.hash */
     "  receipt  BLOB NOT NULL CHECK (length(receipt) = 16),"
     "  at       INTEGER NOT NULL," /* ms UTC */
     "  person   INTEGER NOT NULL," /* the lowest atom; 0: nobody known */
     "  store    TEXT NOT NULL,"    /* '': online */
     "  day      INTEGER NOT NULL," /* of the store, since 1970 */
     "  counted  INTEGER NOT NULL," /* a bit for each limit it counts for, and 32 for the code's uses */
     "  keeps    INTEGER NOT NULL CHECK (keeps IN (0, 1))," /* a return leaves it */
     "  undone   INTEGER NOT NULL CHECK (undone >= 0));"    /* ms UTC; 0: it stands */
     "CREATE INDEX coupon_use_receipt ON coupon_use (receipt);"
     "CREATE INDEX coupon_use_hash ON coupon_use (hash)"},
};

enum { COUNTED_CODE = 32 };
_Static_assert(SOUK_COUPON_LIMIT_COUNT <= 5, "a bit each below COUNTED_CODE");

souk_err souk_coupons_migrate(souk_ledger *ledger, souk_diag *diag)
{
    return souk_ledger_migrate(ledger, "coupon", steps, sizeof steps / sizeof *steps, diag);
}

/* ---- what is to be locked ----------------------------------------------------------------------------------- */

typedef struct touch { /* a code */
    souk_hash128 hash;
    const souk_coupon_act *act; /* NULL: its use is taken back */
} touch;

typedef struct tick { /* a counter */
    souk_text class;
    souk_coupon_limit limit;
    char key[COUPON_KEY_BYTES];
    const souk_coupon_act *act; /* NULL: lowered */
} tick;

typedef struct doing {
    souk_tx *tx;
    souk_plan *plan;
    touch *touches;
    tick *ticks;
    size_t touch_count, touch_room, tick_count, tick_room;
} doing;

/* Room for one more, in the arena: grown, its items kept. */
static void *grow(souk_arena *arena, void *items, size_t count, size_t *room, size_t item_bytes)
{
    if (count < *room)
        return items;
    size_t wider = *room ? 2 * *room : 8;
    void *grown = souk_arena_get(arena, wider * item_bytes);
    if (arena->failed)
        return NULL;
    if (count)
        memcpy(grown, items, count * item_bytes);
    *room = wider;
    return grown;
}

static souk_err add_touch(doing *my, souk_hash128 hash, const souk_coupon_act *act)
{
    touch *grown =
        grow(my->plan->arena, my->touches, my->touch_count, &my->touch_room, sizeof *my->touches);
    if (!grown)
        return SOUK_ENOMEM;
    my->touches = grown;
    my->touches[my->touch_count++] = (touch){hash, act};
    return SOUK_OK;
}

static souk_err add_tick(doing *my, souk_text class, souk_coupon_limit limit,
                         const souk_coupon_hand *hand, const souk_coupon_act *act)
{
    tick *grown =
        grow(my->plan->arena, my->ticks, my->tick_count, &my->tick_room, sizeof *my->ticks);
    if (!grown)
        return SOUK_ENOMEM;
    my->ticks = grown;
    tick *made = &my->ticks[my->tick_count++];
    *made = (tick){.class = class, .limit = limit, .act = act};
    coupons_key(limit, hand, 0, made->key);
    return SOUK_OK;
}

static int by_hash(const void *left, const void *right)
{
    const touch *a = left, *b = right;
    int order = souk_hash128_compare(a->hash, b->hash);
    return order ? order : (a->act != NULL) - (b->act != NULL);
}

static int by_counter(const void *left, const void *right)
{
    const tick *a = left, *b = right;
    int order = souk_text_compare(a->class, b->class);
    if (!order)
        order = (a->limit > b->limit) - (a->limit < b->limit);
    if (!order)
        order = strcmp(a->key, b->key);
    return order ? order : (a->act != NULL) - (b->act != NULL);
}

/* ---- codes ---------------------------------------------------------------------------------------------------- */

static souk_err refuse(doing *my, const souk_coupon_act *act, const char *why)
{
    return souk_diag_say(&my->plan->diag, SOUK_ECONFLICT, "coupon '%.*s': %s",
                         SOUK_TEXT_PRINT(act->found->class.title), why);
}

/* The moment that decides is the plan's. */
static const char *why_not(const doing *my, const souk_coupon_act *act, const coupon_code *code)
{
    souk_coupon_hand hand = act->hand;
    hand.at = my->plan->at;
    return coupons_why_not(code, &act->found->class, &hand);
}

static souk_err say_why_code(doing *my, const souk_coupon_act *act)
{
    coupon_code code;
    souk_err err = coupons_read_code(my->tx, my->plan->merchant, act->found->hash, &code);
    if (err)
        return err == SOUK_ENOENT ? refuse(my, act, "there is no such code") : err;
    const char *why = why_not(my, act, &code);
    return why ? refuse(my, act, why) : SOUK_ERETRY; /* somebody gave it back meanwhile */
}

/* Under its predicate: whoever comes second finds it used. */
static souk_err use_code(doing *my, const souk_coupon_act *act)
{
    const souk_coupon_found *found = act->found;
    souk_value values[4 + SOUK_COUPON_ATOMS] = {
        SOUK_INT(my->plan->merchant), SOUK_BLOB(&found->hash, sizeof found->hash),
        SOUK_STR(found->class.name), SOUK_INT(my->plan->at)};
    for (size_t i = 0; i < SOUK_COUPON_ATOMS; i++)
        values[4 + i] = SOUK_INT(i < coupons_atoms(&act->hand) ? act->hand.atoms[i] : 0);
    if (found->class.uses == 0) { /* shared: nothing of the code itself is counted */
        coupon_code code;
        SOUK_TRY(coupons_read_code(my->tx, my->plan->merchant, found->hash, &code));
        const char *why = why_not(my, act, &code);
        return why ? refuse(my, act, why) : SOUK_OK;
    }
    SOUK_TRY(souk_sql_run(
        my->tx,
        "UPDATE coupon_code SET used = used + 1 WHERE merchant = ?1 AND hash = ?2 AND class = ?3 "
        "AND revoked = 0 AND until > ?4 AND used < most AND (person = 0 OR person IN (?5, ?6, ?7, "
        "?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20))",
        values, sizeof values / sizeof *values));
    return souk_sql_changed(my->tx) == 1 ? SOUK_OK : say_why_code(my, act);
}

static souk_err restore_code(doing *my, souk_hash128 hash)
{
    SOUK_TRY(souk_sql_run(
        my->tx,
        "UPDATE coupon_code SET used = used - 1 WHERE merchant = ?1 AND hash = ?2 AND used > 0",
        SOUK_VALUES(SOUK_INT(my->plan->merchant), SOUK_BLOB(&hash, sizeof hash))));
    return souk_sql_changed(my->tx) == 1 ? SOUK_OK : SOUK_ECORRUPT;
}

/* ---- counters ------------------------------------------------------------------------------------------------- */

static souk_err lower(doing *my, const tick *of)
{
    SOUK_TRY(souk_sql_run(my->tx,
                          "UPDATE coupon_count SET used = used - 1 WHERE merchant = ?1 "
                          "AND class = ?2 AND dimension = ?3 AND key = ?4 AND used > 0",
                          SOUK_VALUES(SOUK_INT(my->plan->merchant), SOUK_STR(of->class),
                                      SOUK_INT(of->limit), SOUK_STR(souk_text_of(of->key)))));
    return souk_sql_changed(my->tx) == 1 ? SOUK_OK : SOUK_ECORRUPT;
}

static souk_err raise_alone(doing *my, const tick *of)
{
    return souk_sql_run(my->tx,
                        "INSERT INTO coupon_count (merchant, class, dimension, key, used) "
                        "VALUES (?1, ?2, ?3, ?4, 1) ON CONFLICT (merchant, class, dimension, key) "
                        "DO UPDATE SET used = coupon_count.used + 1 WHERE coupon_count.used < ?5",
                        SOUK_VALUES(SOUK_INT(my->plan->merchant), SOUK_STR(of->class),
                                    SOUK_INT(of->limit), SOUK_STR(souk_text_of(of->key)),
                                    SOUK_INT(of->act->found->class.limits[of->limit])));
}

/* A person who was merged: what her other atoms redeemed before counts as well.  From the merge on all of it goes to the
 * row of the lowest, which is the one that is locked. */
static souk_err raise_together(doing *my, const tick *of)
{
    char keys[SOUK_COUPON_ATOMS][COUPON_KEY_BYTES] = {{0}};
    size_t atoms = coupons_atoms(&of->act->hand);
    souk_value values[5 + SOUK_COUPON_ATOMS - 1] = {
        SOUK_INT(my->plan->merchant), SOUK_STR(of->class), SOUK_INT(of->limit),
        SOUK_STR(souk_text_of(of->key)), SOUK_INT(of->act->found->class.limits[of->limit])};
    for (size_t i = 1; i < SOUK_COUPON_ATOMS; i++) {
        if (i < atoms)
            coupons_key(of->limit, &of->act->hand, i, keys[i]);
        values[4 + i] = SOUK_STR(souk_text_of(keys[i]));
    }
    SOUK_TRY(souk_sql_run(my->tx,
                          "INSERT INTO coupon_count (merchant, class, dimension, key, used) "
                          "VALUES (?1, ?2, ?3, ?4, 0) "
                          "ON CONFLICT (merchant, class, dimension, key) DO NOTHING",
                          values, 4));
    return souk_sql_run(
        my->tx,
        "UPDATE coupon_count SET used = used + 1 WHERE merchant = ?1 AND class = ?2 "
        "AND dimension = ?3 AND key = ?4 AND used + coalesce((SELECT sum(o.used) "
        "FROM coupon_count o WHERE o.merchant = ?1 AND o.class = ?2 AND o.dimension = ?3 "
        "AND o.key IN (?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)), 0) "
        "< ?5",
        values, sizeof values / sizeof *values);
}

static souk_err raise(doing *my, const tick *of)
{
    bool of_person = of->limit == SOUK_COUPON_BY_PERSON || of->limit == SOUK_COUPON_BY_PERSON_DAY;
    if (of_person && coupons_atoms(&of->act->hand) > 1)
        SOUK_TRY(raise_together(my, of));
    else
        SOUK_TRY(raise_alone(my, of));
    if (souk_sql_changed(my->tx) == 1)
        return SOUK_OK;
    char words[100];
    snprintf(words, sizeof words, "it was redeemed %lld times %s, and more it may not be",
             (long long)of->act->found->class.limits[of->limit],
             souk_coupon_limit_words(of->limit));
    return refuse(my, of->act, words);
}

/* ---- the record ------------------------------------------------------------------------------------------------- */

static souk_err want_redeem(doing *my, const souk_coupon_act *act)
{
    const souk_coupon_class *class = &act->found->class;
    bool by_person =
        class->limits[SOUK_COUPON_BY_PERSON] || class->limits[SOUK_COUPON_BY_PERSON_DAY];
    if (act->hand.store.bytes > SOUK_COUPON_STORE_BYTES)
        return souk_diag_say(&my->plan->diag, SOUK_EINVAL, "a store's code has at most %d bytes",
                             SOUK_COUPON_STORE_BYTES);
    if (by_person && act->hand.atom_count == 0)
        return refuse(my, act, "it is counted by person: tell who redeems it");
    if (my->plan->at < class->from || my->plan->at >= class->until)
        return refuse(my, act,
                      my->plan->at < class->from ? "it does not hold yet" : "it has expired");
    SOUK_TRY(add_touch(my, act->found->hash, act));
    for (souk_coupon_limit limit = 0; limit < SOUK_COUPON_LIMIT_COUNT; limit++)
        if (coupons_counts(class, limit, &act->hand))
            SOUK_TRY(add_tick(my, class->name, limit, &act->hand, act));
    return SOUK_OK;
}

static souk_err write_use(doing *my, const souk_coupon_act *act)
{
    const souk_coupon_class *class = &act->found->class;
    int64_t counted = class->uses ? COUNTED_CODE : 0;
    for (souk_coupon_limit limit = 0; limit < SOUK_COUPON_LIMIT_COUNT; limit++)
        if (coupons_counts(class, limit, &act->hand))
            counted |= 1 << limit;
    return souk_sql_run(
        my->tx,
        "INSERT INTO coupon_use (merchant, class, hash, receipt, at, person, store, day, counted, "
        "keeps, undone) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0)",
        SOUK_VALUES(SOUK_INT(my->plan->merchant), SOUK_STR(class->name),
                    SOUK_BLOB(&act->found->hash, sizeof act->found->hash),
                    SOUK_BLOB(&act->receipt, sizeof act->receipt), SOUK_INT(my->plan->at),
                    SOUK_INT(act->hand.atom_count ? act->hand.atoms[0] : 0),
                    SOUK_STR(act->hand.store), SOUK_INT(act->hand.day), SOUK_INT(counted),
                    SOUK_INT(class->keeps)));
}

static souk_err want_restored(doing *my, souk_rows *rows)
{
    souk_text class = souk_rows_text(rows, 0);
    souk_text hash = souk_rows_blob(rows, 1);
    int64_t counted = souk_rows_int(rows, 2);
    uint32_t atom = (uint32_t)souk_rows_int(rows, 3);
    souk_coupon_hand hand = {
        .atoms = &atom, .atom_count = atom != 0, .day = souk_rows_int(rows, 5)};
    souk_hash128 of;
    if (hash.bytes != sizeof of)
        return SOUK_ECORRUPT;
    memcpy(&of, hash.at, sizeof of);
    souk_text kept = {souk_arena_copy(my->plan->arena, class.at, class.bytes), class.bytes};
    hand.store = souk_rows_text(rows, 4);
    if (my->plan->arena->failed)
        return SOUK_ENOMEM;
    if (counted & COUNTED_CODE)
        SOUK_TRY(add_touch(my, of, NULL));
    for (souk_coupon_limit limit = 0; limit < SOUK_COUPON_LIMIT_COUNT; limit++)
        if (counted >> limit & 1)
            SOUK_TRY(add_tick(my, kept, limit, &hand, NULL));
    return SOUK_OK;
}

static souk_err want_restore(doing *my, souk_coupon_act *act)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        my->tx,
        "UPDATE coupon_use SET undone = ?3 WHERE receipt = ?1 AND merchant = ?2 AND undone = 0 "
        "AND (keeps = 0 OR ?4 = 1) RETURNING class, hash, counted, person, store, day",
        SOUK_VALUES(SOUK_BLOB(&act->receipt, sizeof act->receipt), SOUK_INT(my->plan->merchant),
                    SOUK_INT(my->plan->at), SOUK_INT(act->is_void)),
        &rows));
    while (souk_rows_next(&rows)) {
        SOUK_TRY(want_restored(my, &rows));
        act->count++;
    }
    return souk_rows_check(&rows);
}

souk_err souk_coupons_apply(void *state, souk_tx *tx, souk_plan *plan, const souk_effect *effects,
                            size_t count)
{
    doing my = {.tx = tx, .plan = plan};
    (void)state;
    for (size_t i = 0; i < count; i++) {
        souk_coupon_act *act = effects[i].what;
        act->count = 0;
        SOUK_TRY(act->kind == SOUK_COUPON_REDEEM ? want_redeem(&my, act) : want_restore(&my, act));
    }
    if (my.touch_count)
        qsort(my.touches, my.touch_count, sizeof *my.touches, by_hash);
    if (my.tick_count)
        qsort(my.ticks, my.tick_count, sizeof *my.ticks, by_counter);
    for (size_t i = 0; i < my.touch_count; i++)
        SOUK_TRY(my.touches[i].act ? use_code(&my, my.touches[i].act)
                                   : restore_code(&my, my.touches[i].hash));
    for (size_t i = 0; i < my.tick_count; i++)
        SOUK_TRY(my.ticks[i].act ? raise(&my, &my.ticks[i]) : lower(&my, &my.ticks[i]));
    for (size_t i = 0; i < count; i++) {
        souk_coupon_act *act = effects[i].what;
        if (act->kind == SOUK_COUPON_REDEEM) {
            SOUK_TRY(write_use(&my, act));
            act->count = 1;
        }
    }
    return SOUK_OK;
}
