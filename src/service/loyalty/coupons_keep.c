/* coupons_keep.c - looking at codes, issuing them, counting again: see coupons.h. */
#include "core/document.h"
#include "service/loyalty/coupons_inside.h"

#include <stdio.h>

/* ---- why not ---------------------------------------------------------------------------------------------- */

size_t coupons_atoms(const souk_coupon_hand *hand)
{
    return souk_min_size(hand->atom_count, SOUK_COUPON_ATOMS);
}

bool coupons_counts(const souk_coupon_class *class, souk_coupon_limit limit,
                    const souk_coupon_hand *hand)
{
    return class->limits[limit] && (limit != SOUK_COUPON_BY_STORE || hand->store.bytes);
}

void coupons_key(souk_coupon_limit limit, const souk_coupon_hand *hand, size_t atom,
                 char ret_key[COUPON_KEY_BYTES])
{
    unsigned number = atom < hand->atom_count ? hand->atoms[atom] : 0;
    ret_key[0] = '\0';
    if (limit == SOUK_COUPON_BY_PERSON)
        snprintf(ret_key, COUPON_KEY_BYTES, "%u", number);
    if (limit == SOUK_COUPON_BY_PERSON_DAY)
        snprintf(ret_key, COUPON_KEY_BYTES, "%u/%lld", number, (long long)hand->day);
    if (limit == SOUK_COUPON_BY_STORE)
        snprintf(ret_key, COUPON_KEY_BYTES, "%.*s", SOUK_TEXT_PRINT(hand->store));
    if (limit == SOUK_COUPON_BY_DAY)
        snprintf(ret_key, COUPON_KEY_BYTES, "%lld", (long long)hand->day);
}

souk_err coupons_read_code(souk_tx *tx, uint32_t merchant, souk_hash128 hash, coupon_code *ret_code)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(
        souk_rows_begin(tx,
                        "SELECT id, class, most, used, revoked, until, person FROM coupon_code "
                        "WHERE merchant = ?1 AND hash = ?2",
                        SOUK_VALUES(SOUK_INT(merchant), SOUK_BLOB(&hash, sizeof hash)), &rows));
    bool there = souk_rows_next(&rows);
    if (there) {
        souk_text class = souk_rows_text(&rows, 1);
        *ret_code = (coupon_code){.id = souk_rows_int(&rows, 0),
                                  .most = souk_rows_int(&rows, 2),
                                  .used = souk_rows_int(&rows, 3),
                                  .revoked = souk_rows_int(&rows, 4),
                                  .until = souk_rows_int(&rows, 5),
                                  .person = souk_rows_int(&rows, 6)};
        if (class.bytes > SOUK_COUPON_CLASS_BYTES)
            return SOUK_ECORRUPT;
        memcpy(ret_code->class, class.at, class.bytes);
    }
    SOUK_TRY(souk_rows_check(&rows));
    return there ? SOUK_OK : SOUK_ENOENT;
}

const char *coupons_why_not(const coupon_code *code, const souk_coupon_class *class,
                            const souk_coupon_hand *hand)
{
    bool hers = code->person == 0;
    for (size_t i = 0; i < coupons_atoms(hand); i++)
        hers |= code->person == hand->atoms[i];
    if (code->revoked)
        return "this code was withdrawn";
    if (!souk_text_equal(souk_text_of(code->class), class->name) ||
        (code->most == 0) != (class->uses == 0)) /* issued, and the class is shared since */
        return "this code is of another class by now";
    if (hand->at < class->from)
        return "it does not hold yet";
    if (hand->at >= class->until || hand->at >= code->until)
        return "it has expired";
    if (!hers)
        return "this code is somebody else's: tell who redeems it";
    if (code->most && code->used >= code->most)
        return code->most == 1 ? "this code was redeemed already"
                               : "this code was redeemed as often as it may be";
    return NULL;
}

souk_err coupons_count(souk_tx *tx, const souk_coupon_class *class, souk_coupon_limit limit,
                       const souk_coupon_hand *hand, int64_t *ret_used)
{
    bool of_person = limit == SOUK_COUPON_BY_PERSON || limit == SOUK_COUPON_BY_PERSON_DAY;
    size_t atoms = of_person ? coupons_atoms(hand) : 1;
    *ret_used = 0;
    for (size_t i = 0; i < atoms; i++) {
        char key[COUPON_KEY_BYTES];
        int64_t used;
        coupons_key(limit, hand, i, key);
        souk_err err =
            souk_sql_one_int(tx,
                             "SELECT used FROM coupon_count WHERE merchant = ?1 AND class = ?2 "
                             "AND dimension = ?3 AND key = ?4",
                             SOUK_VALUES(SOUK_INT(hand->merchant), SOUK_STR(class->name),
                                         SOUK_INT(limit), SOUK_STR(souk_text_of(key))),
                             &used);
        if (err && err != SOUK_ENOENT)
            return err;
        *ret_used += err ? 0 : used;
    }
    return SOUK_OK;
}

/* ---- looking ------------------------------------------------------------------------------------------------ */

static souk_hash128 hash_of(const souk_hash_key *key, uint32_t merchant, souk_text normal)
{
    char number[4];
    souk_put_u32(number, merchant);
    souk_text parts[] = {SOUK_TEXT("coupon"), {number, sizeof number}, normal};
    return souk_hash128_of(key, parts, 3);
}

struct looking {
    const souk_coupon_hand *hand;
    souk_coupon_found *found;
    coupon_code code;
};

static souk_err look_code(souk_tx *tx, void *context)
{
    struct looking *looking = context;
    return coupons_read_code(tx, looking->hand->merchant, looking->found->hash, &looking->code);
}

static souk_err look_counts(souk_tx *tx, void *context)
{
    struct looking *looking = context;
    souk_coupon_found *found = looking->found;
    const souk_coupon_class *class = &found->class;
    for (souk_coupon_limit limit = 0; limit < SOUK_COUPON_LIMIT_COUNT && found->good; limit++) {
        int64_t used;
        if (!coupons_counts(class, limit, looking->hand))
            continue;
        SOUK_TRY(coupons_count(tx, class, limit, looking->hand, &used));
        found->good = used < class->limits[limit];
        if (!found->good)
            snprintf(found->why, sizeof found->why,
                     "it was redeemed %lld times %s, and more it may not be",
                     (long long)class->limits[limit], souk_coupon_limit_words(limit));
    }
    return SOUK_OK;
}

static souk_err read_class(souk_ledger *ledger, uint32_t merchant, const char *name,
                           souk_arena *arena, souk_coupon_class *ret_class, souk_diag *diag)
{
    souk_auto_value(souk_buf) text = {.mem = arena->mem};
    uint64_t version;
    souk_text kept = {souk_arena_copy(arena, name, strlen(name)), strlen(name)};
    SOUK_TRY(souk_documents_get(ledger, SOUK_TEXT("coupon"), merchant, kept, &version, &text));
    SOUK_TRY(souk_buf_check(&text));
    SOUK_TRY(souk_coupon_class_read(kept, souk_buf_view(&text), arena, ret_class, diag));
    ret_class->version = version;
    return SOUK_OK;
}

static void judge(struct looking *looking)
{
    souk_coupon_found *found = looking->found;
    const coupon_code *code = &looking->code;
    const souk_coupon_class *class = &found->class;
    const char *why = coupons_why_not(code, class, looking->hand);
    bool by_person =
        class->limits[SOUK_COUPON_BY_PERSON] || class->limits[SOUK_COUPON_BY_PERSON_DAY];
    if (!why && by_person && looking->hand->atom_count == 0)
        why = "it is counted by person: tell who redeems it";
    found->code = code->id;
    found->good = !why;
    found->left = code->most ? code->most - code->used : INT64_MAX;
    found->until = code->until < class->until ? code->until : class->until;
    snprintf(found->why, sizeof found->why, "%s", why ? why : "");
}

souk_err souk_coupon_look(souk_ledger *ledger, const souk_hash_key *key, souk_text code,
                          const souk_coupon_hand *hand, souk_arena *arena,
                          souk_coupon_found *ret_found, souk_diag *diag)
{
    char normal[SOUK_COUPON_CODE_MOST] = "";
    size_t bytes = 0;
    souk_coupon_found found = {0};
    struct looking looking = {.hand = hand, .found = &found};
    souk_err bad = souk_coupon_code_normal(code, normal, &bytes); /* searched all the same */
    found.hash = hash_of(key, hand->merchant, (souk_text){normal, bad ? 0 : bytes});
    souk_err err = souk_ledger_read(ledger, look_code, &looking);
    if (!err)
        err = read_class(ledger, hand->merchant, looking.code.class, arena, &found.class, diag);
    if (err == SOUK_ENOENT)
        return souk_diag_say(diag, err, "this coupon code is not known: look at it again");
    SOUK_TRY(err);
    judge(&looking);
    if (found.good)
        SOUK_TRY(souk_ledger_read(ledger, look_counts, &looking));
    *ret_found = found;
    return SOUK_OK;
}

/* ---- issuing ------------------------------------------------------------------------------------------------- */

struct issuing {
    const souk_hash_key *key;
    souk_coupon_issue *issue;
    int64_t batch; /* as it was given */
};

static souk_err write_code(souk_tx *tx, const struct issuing *issuing, souk_hash128 hash)
{
    const souk_coupon_issue *issue = issuing->issue;
    return souk_sql_run(tx,
                        "INSERT INTO coupon_code (merchant, hash, class, most, used, until, "
                        "person, batch, revoked) "
                        "VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?7, 0)",
                        SOUK_VALUES(SOUK_INT(issue->merchant), SOUK_BLOB(&hash, sizeof hash),
                                    SOUK_STR(issue->class->name), SOUK_INT(issue->class->uses),
                                    SOUK_INT(issue->until), SOUK_INT(issue->atom),
                                    SOUK_INT(issue->batch)));
}

static souk_err count_batch(souk_tx *tx, const struct issuing *issuing)
{
    souk_coupon_issue *issue = issuing->issue;
    issue->batch = issuing->batch;
    if (issue->batch)
        return souk_sql_run(tx, "UPDATE coupon_batch SET codes = codes + ?2 WHERE id = ?1",
                            SOUK_VALUES(SOUK_INT(issue->batch), SOUK_INT((int64_t)issue->count)));
    return souk_sql_one_int(tx,
                            "INSERT INTO coupon_batch (merchant, class, at, codes) "
                            "VALUES (?1, ?2, ?3, ?4) RETURNING id",
                            SOUK_VALUES(SOUK_INT(issue->merchant), SOUK_STR(issue->class->name),
                                        SOUK_INT(issue->at), SOUK_INT((int64_t)issue->count)),
                            &issue->batch);
}

static souk_err issue_all(souk_tx *tx, void *context)
{
    const struct issuing *issuing = context;
    SOUK_TRY(count_batch(tx, issuing));
    for (size_t i = 0; i < issuing->issue->count; i++) {
        char code[SOUK_COUPON_CODE_ROOM], normal[SOUK_COUPON_CODE_MOST];
        size_t bytes;
        souk_coupon_code_write(issuing->issue->bits[i], code);
        SOUK_TRY(souk_coupon_code_normal(souk_text_of(code), normal, &bytes));
        SOUK_TRY(write_code(
            tx, issuing,
            hash_of(issuing->key, issuing->issue->merchant, (souk_text){normal, bytes})));
    }
    return SOUK_OK;
}

souk_err souk_coupons_issue(souk_ledger *ledger, const souk_hash_key *key, enum souk_lane lane,
                            souk_coupon_issue *issue)
{
    struct issuing issuing = {key, issue, issue->batch};
    souk_assert(issue->class->kind != SOUK_COUPON_SHARED && issue->count <= SOUK_COUPON_ISSUE_MOST);
    return souk_ledger_write(ledger, lane, issue_all, &issuing);
}

struct sharing {
    uint32_t merchant;
    const souk_coupon_class *class;
    souk_hash128 hash;
};

static souk_err share(souk_tx *tx, void *context)
{
    const struct sharing *sharing = context;
    coupon_code there;
    SOUK_TRY(souk_sql_run(
        tx,
        "INSERT INTO coupon_code (merchant, hash, class, most, used, until, person, batch, "
        "revoked) "
        "VALUES (?1, ?2, ?3, 0, 0, ?4, 0, 0, 0) ON CONFLICT (merchant, hash) DO NOTHING",
        SOUK_VALUES(SOUK_INT(sharing->merchant), SOUK_BLOB(&sharing->hash, sizeof sharing->hash),
                    SOUK_STR(sharing->class->name), SOUK_INT(SOUK_TIME_LAST))));
    if (souk_sql_changed(tx) == 0) {
        SOUK_TRY(coupons_read_code(tx, sharing->merchant, sharing->hash, &there));
        if (!souk_text_equal(souk_text_of(there.class), sharing->class->name))
            return SOUK_EEXIST;
    }
    /* the code that the class had before holds no more */
    SOUK_TRY(souk_sql_run(tx,
                          "UPDATE coupon_code SET revoked = 1 WHERE batch = 0 AND revoked = 0 "
                          "AND merchant = ?1 AND class = ?2 AND hash <> ?3",
                          SOUK_VALUES(SOUK_INT(sharing->merchant), SOUK_STR(sharing->class->name),
                                      SOUK_BLOB(&sharing->hash, sizeof sharing->hash))));
    return souk_sql_run(
        tx, "UPDATE coupon_code SET revoked = 0 WHERE merchant = ?1 AND hash = ?2 AND revoked = 1",
        SOUK_VALUES(SOUK_INT(sharing->merchant), SOUK_BLOB(&sharing->hash, sizeof sharing->hash)));
}

souk_err souk_coupons_share(souk_ledger *ledger, const souk_hash_key *key, uint32_t merchant,
                            const souk_coupon_class *class)
{
    char normal[SOUK_COUPON_CODE_MOST];
    size_t bytes;
    struct sharing sharing = {.merchant = merchant, .class = class};
    SOUK_TRY(souk_coupon_code_normal(class->code, normal, &bytes));
    sharing.hash = hash_of(key, merchant, (souk_text){normal, bytes});
    return souk_ledger_write(ledger, SOUK_LANE_INGEST, share, &sharing);
}

struct revoking {
    uint32_t merchant;
    souk_text class;
    int64_t batch;
    uint64_t count; /* of this slice */
};

static souk_err revoke(souk_tx *tx, void *context)
{
    struct revoking *revoking = context;
    SOUK_TRY(souk_sql_run(
        tx,
        "UPDATE coupon_code SET revoked = 1 WHERE revoked = 0 AND id IN (SELECT id FROM "
        "coupon_code "
        "WHERE batch = ?3 AND merchant = ?1 AND class = ?2 AND revoked = 0 ORDER BY id LIMIT ?4)",
        SOUK_VALUES(SOUK_INT(revoking->merchant), SOUK_STR(revoking->class),
                    SOUK_INT(revoking->batch), SOUK_INT(SOUK_COUPON_ISSUE_MOST))));
    revoking->count = souk_sql_changed(tx);
    return SOUK_OK;
}

souk_err souk_coupons_revoke(souk_ledger *ledger, uint32_t merchant, souk_text class, int64_t batch,
                             uint64_t *ret_count)
{
    struct revoking revoking = {merchant, class, batch, 1};
    *ret_count = 0;
    while (revoking.count) { /* in slices: a till never waits for a batch */
        SOUK_TRY(souk_ledger_write(ledger, SOUK_LANE_JOB, revoke, &revoking));
        *ret_count += revoking.count;
    }
    return SOUK_OK;
}

/* ---- counting ------------------------------------------------------------------------------------------------- */

struct totalling {
    uint32_t merchant;
    souk_text class;
    souk_coupon_totals totals;
};

static souk_err total(souk_tx *tx, void *context)
{
    struct totalling *my = context;
    const souk_value values[] = {SOUK_INT(my->merchant), SOUK_STR(my->class)};
    SOUK_TRY(souk_sql_one_int(tx,
                              "SELECT count(*) FROM coupon_code WHERE merchant = ?1 "
                              "AND (?2 = '' OR class = ?2)",
                              values, 2, &my->totals.issued));
    SOUK_TRY(souk_sql_one_int(tx,
                              "SELECT count(*) FROM coupon_code WHERE merchant = ?1 "
                              "AND (?2 = '' OR class = ?2) AND revoked = 1",
                              values, 2, &my->totals.revoked));
    SOUK_TRY(souk_sql_one_int(tx,
                              "SELECT count(*) FROM coupon_use WHERE merchant = ?1 "
                              "AND (?2 = '' OR class = ?2) AND undone = 0",
                              values, 2, &my->totals.redeemed));
    return souk_sql_one_int(tx,
                            "SELECT count(*) FROM coupon_use WHERE merchant = ?1 "
                            "AND (?2 = '' OR class = ?2) AND undone > 0",
                            values, 2, &my->totals.restored);
}

souk_err souk_coupons_total(souk_ledger *ledger, uint32_t merchant, souk_text class,
                            souk_coupon_totals *ret_totals)
{
    struct totalling totalling = {.merchant = merchant, .class = class};
    SOUK_TRY(souk_ledger_read(ledger, total, &totalling));
    *ret_totals = totalling.totals;
    return SOUK_OK;
}

static souk_err verify_codes(souk_tx *tx, souk_diag *diag)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(
        tx,
        "SELECT id, used, uses FROM (SELECT c.id, c.used, (SELECT count(*) FROM coupon_use u "
        "WHERE u.hash = c.hash AND u.merchant = c.merchant AND u.undone = 0 AND u.counted >= 32) "
        "AS "
        "uses FROM coupon_code c) AS sums WHERE used <> uses LIMIT 1",
        SOUK_NO_VALUES, &rows));
    if (souk_rows_next(&rows))
        return souk_diag_say(diag, SOUK_ECORRUPT,
                             "coupon code %lld says it was used %lld times, and %lld redemptions "
                             "stand",
                             (long long)souk_rows_int(&rows, 0), (long long)souk_rows_int(&rows, 1),
                             (long long)souk_rows_int(&rows, 2));
    return souk_rows_check(&rows);
}

/* Counters of a limit that are not the number of redemptions that stand and count for them. */
#define COUNTER_SQL(dimension, bit, key)                                                         \
    "SELECT c.class, c.key, c.used, coalesce(u.uses, 0) FROM coupon_count c LEFT JOIN ("         \
    "SELECT merchant, class, " key " AS key, count(*) AS uses FROM coupon_use WHERE undone = 0 " \
    "AND counted / " bit " % 2 = 1 GROUP BY merchant, class, " key ") AS u "                     \
    "ON u.merchant = c.merchant AND u.class = c.class AND u.key = c.key "                        \
    "WHERE c.dimension = " dimension " AND c.used <> coalesce(u.uses, 0) LIMIT 1"

static const char *const counter_sql[SOUK_COUPON_LIMIT_COUNT] = {
    [SOUK_COUPON_BY_ALL] = COUNTER_SQL("0", "1", "substr(class, 1, 0)"),
    [SOUK_COUPON_BY_PERSON] = COUNTER_SQL("1", "2", "CAST(person AS TEXT)"),
    [SOUK_COUPON_BY_PERSON_DAY] =
        COUNTER_SQL("2", "4", "CAST(person AS TEXT) || '/' || CAST(day AS TEXT)"),
    [SOUK_COUPON_BY_STORE] = COUNTER_SQL("3", "8", "store"),
    [SOUK_COUPON_BY_DAY] = COUNTER_SQL("4", "16", "CAST(day AS TEXT)"),
};

static souk_err verify_counters(souk_tx *tx, souk_coupon_limit limit, souk_diag *diag)
{
    souk_auto_value(souk_rows) rows = {0};
    SOUK_TRY(souk_rows_begin(tx, counter_sql[limit], SOUK_NO_VALUES, &rows));
    if (souk_rows_next(&rows)) {
        souk_text class = souk_rows_text(&rows, 0), key = souk_rows_text(&rows, 1);
        return souk_diag_say(
            diag, SOUK_ECORRUPT,
            "coupon class %.*s: its counter %s '%.*s' is at %lld, and %lld redemptions stand",
            SOUK_TEXT_PRINT(class), souk_coupon_limit_word(limit), SOUK_TEXT_PRINT(key),
            (long long)souk_rows_int(&rows, 2), (long long)souk_rows_int(&rows, 3));
    }
    return souk_rows_check(&rows);
}

static souk_err verify(souk_tx *tx, void *context)
{
    SOUK_TRY(verify_codes(tx, context));
    for (souk_coupon_limit limit = 0; limit < SOUK_COUPON_LIMIT_COUNT; limit++)
        SOUK_TRY(verify_counters(tx, limit, context));
    return SOUK_OK;
}

souk_err souk_coupons_verify(souk_ledger *ledger, souk_diag *diag)
{
    return souk_ledger_read(ledger, verify, diag);
}
