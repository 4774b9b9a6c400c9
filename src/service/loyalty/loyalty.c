/* loyalty.c - the service: its life, its thread, its counters, its table of routes: see loyalty.h. */
#include "core/document.h"
#include "service/loyalty/loyalty_inside.h"

enum { ROUND_MS = 60000, CHUNK = 64 }; /* accounts in one slice of the writer */

/* ---- life ---------------------------------------------------------------------------------------------------- */

static void close_loyalty(void *state)
{
    souk_loyalty *loyalty = state;
    if (!loyalty)
        return;
    souk_mutex_lock(&loyalty->mutex);
    loyalty->stopping = true;
    souk_cond_signal(&loyalty->wake);
    souk_mutex_unlock(&loyalty->mutex);
    souk_thread_join(&loyalty->thread);
    souk_guess_free(loyalty->guess);
    souk_cond_done(&loyalty->wake);
    souk_mutex_done(&loyalty->mutex);
    souk_mem_put(loyalty->mem, loyalty);
}

static souk_err migrate(souk_ledger *ledger)
{
    SOUK_TRY(souk_documents_migrate(ledger, NULL));
    SOUK_TRY(souk_points_migrate(ledger, NULL));
    SOUK_TRY(souk_tiers_migrate(ledger, NULL));
    SOUK_TRY(souk_family_migrate(ledger, NULL));
    return souk_coupons_migrate(ledger, NULL);
}

static void own(void *state, souk_effect_owners *owners)
{
    (void)state;
    owners->of[SOUK_EFFECT_POINTS] = (souk_effect_owner){souk_points_apply, NULL};
    owners->of[SOUK_EFFECT_REDEEM] = (souk_effect_owner){souk_coupons_apply, NULL};
}

/* ---- the thread ------------------------------------------------------------------------------------------------ */

/* False: it is time to end. */
static bool pause_thread(souk_loyalty *loyalty)
{
    int64_t until = souk_clock_monotonic_ns(souk_clock_real()) + ROUND_MS * INT64_C(1000000);
    souk_auto_lock(&loyalty->mutex);
    while (!loyalty->stopping && souk_cond_wait_until(&loyalty->wake, &loyalty->mutex, until))
        ;
    return !loyalty->stopping;
}

static bool stops(souk_loyalty *loyalty)
{
    souk_auto_lock(&loyalty->mutex);
    return loyalty->stopping;
}

struct due {
    souk_time now;
    int64_t merchant, after;
};

static souk_err find_due(souk_tx *tx, void *context)
{
    struct due *due = context;
    due->merchant = 0;
    souk_err err = souk_sql_one_int(
        tx,
        "SELECT min(a.merchant) FROM loyalty_standing s CROSS JOIN loyalty_account a "
        "WHERE a.id = s.account AND s.due <= ?1 AND a.merchant > ?2",
        SOUK_VALUES(SOUK_INT(due->now), SOUK_INT(due->after)), &due->merchant);
    return err == SOUK_ENOENT ? SOUK_OK : err;
}

/* Standings of a merchant's that are due, by its programme of today; without one nobody is of a tier. */
static souk_err review(souk_loyalty *loyalty, uint32_t merchant, souk_time now)
{
    static const souk_tiers none;
    souk_arena arena = {.mem = loyalty->mem};
    const souk_programme *programme = NULL;
    bool more = true;
    souk_err err = souk_programme_load(loyalty->ledger, merchant, &arena, &programme, NULL);
    if (err == SOUK_ENOENT)
        err = SOUK_OK;
    while (!err && more && !stops(loyalty))
        err = souk_tiers_review(loyalty->ledger, merchant, programme ? &programme->tiers : &none,
                                now, CHUNK, &more);
    souk_arena_done(&arena);
    return err;
}

static souk_err round_of(souk_loyalty *loyalty)
{
    struct due due = {.now = souk_clock_now_ms(souk_spine_clock(loyalty->spine)), .merchant = 1};
    bool more = true;
    while (more && !stops(loyalty))
        SOUK_TRY(souk_points_expire(loyalty->ledger, due.now, CHUNK, &more));
    while (due.merchant && !stops(loyalty)) {
        SOUK_TRY(souk_ledger_read(loyalty->ledger, find_due, &due));
        due.after = due.merchant;
        if (due.merchant)
            SOUK_TRY(review(loyalty, (uint32_t)due.merchant, due.now));
    }
    return SOUK_OK;
}

/* What fails here (a full disk, no memory) is tried again the next time. */
static void run(void *context)
{
    souk_loyalty *loyalty = context;
    do {
        souk_err err = round_of(loyalty);
        (void)err;
    } while (pause_thread(loyalty));
}

static souk_err open_loyalty(souk_mem *mem, souk_spine *spine, souk_merchants *merchants,
                             void **ret_state)
{
    (void)merchants;
    SOUK_TRY(migrate(souk_spine_ledger(spine)));
    souk_loyalty *loyalty = souk_mem_get(mem, sizeof *loyalty);
    if (!loyalty)
        return SOUK_ENOMEM;
    loyalty->mem = mem;
    loyalty->spine = spine;
    loyalty->ledger = souk_spine_ledger(spine);
    loyalty->key = souk_spine_hashes(spine)->messages;
    own(loyalty, &loyalty->owners);
    souk_mutex_init(&loyalty->mutex);
    souk_cond_init(&loyalty->wake);
    souk_err err = souk_guess_new(mem, &loyalty->guess);
    if (!err && souk_spine_is_threaded(spine))
        err = souk_thread_start(&loyalty->thread, "loyalty", run, loyalty);
    if (err)
        close_loyalty(loyalty);
    else
        *ret_state = loyalty;
    return err;
}

static souk_err verify(void *state, souk_diag *diag)
{
    souk_loyalty *loyalty = state;
    SOUK_TRY(souk_points_verify(loyalty->ledger, diag));
    return souk_coupons_verify(loyalty->ledger, diag);
}

/* ---- counters ----------------------------------------------------------------------------------------------------- */

static void put_counter(souk_buf *out, const char *name, const char *help, uint64_t value)
{
    souk_buf_print(out, "# HELP %s %s\n# TYPE %s counter\n%s %llu\n", name, help, name, name,
                   (unsigned long long)value);
}

struct sums {
    int64_t entries, redemptions;
};

static souk_err sum_up(souk_tx *tx, void *context)
{
    struct sums *sums = context;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT coalesce(max(id), 0) FROM loyalty_entry", SOUK_NO_VALUES,
                              &sums->entries));
    return souk_sql_one_int(tx, "SELECT coalesce(max(id), 0) FROM coupon_use", SOUK_NO_VALUES,
                            &sums->redemptions);
}

static void count(void *state, souk_buf *out)
{
    souk_loyalty *loyalty = state;
    struct sums sums;
    put_counter(out, "souk_loyalty_codes_looked_total", "Coupon codes that were looked at.",
                __atomic_load_n(&loyalty->looked, __ATOMIC_RELAXED));
    put_counter(out, "souk_loyalty_codes_missed_total", "Of those, the ones that nobody issued.",
                __atomic_load_n(&loyalty->missed, __ATOMIC_RELAXED));
    if (souk_ledger_read(loyalty->ledger, sum_up, &sums))
        return;
    put_counter(out, "souk_loyalty_entries_total", "Changes of accounts of points.",
                (uint64_t)sums.entries);
    put_counter(out, "souk_loyalty_redemptions_total", "Coupons that were redeemed.",
                (uint64_t)sums.redemptions);
}

/* ---- the table ---------------------------------------------------------------------------------------------------- */

#define KINDS "kind: user, card, phone, email, open, device, anonymous or public"
#define BALANCE                                                                             \
    "points: integer 'that can be burnt', owed: integer, next_expiry?: {at: time, points: " \
    "integer}"
#define LIMITED \
    "customer?: Identifier, store?: text, day?: text 'of the store, as 2026-12-24; today in UTC'"
#define CLASS \
    "class: text, title: text, offer: text 'the coupon class that offers ask for', until?: time"

static const souk_shape_name shapes[] = {
    {"LoyaltyTier", "{name: text?, since?: time, until?: time 'the end of its year', in_grace?: "
                    "boolean, counted: any 'in "
                    "the year: an amount, or points', next?: text, missing?: any 'to the next'}"},
    {"LoyaltyAccount",
     "{" BALANCE
     ", worth?: decimal 'what the points pay for', currency?: text, tier?: LoyaltyTier, "
     "family?: integer}"},
    {"LoyaltyEntry",
     "{id: integer, at: time, kind: "
     "earned|burned|clawed_back|given_back|expired|settled|adjusted, "
     "points: integer, account: own|family, owed?: integer 'by which the debt changed', forgiven?: "
     "integer, expires?: time, receipt?: id, reason?: text, by?: text}"},
    {"LoyaltyProgramme", "{version: integer, document: LoyaltyProgrammeForm}"},
    {"LoyaltyProgrammeForm",
     "{name?: text, currency: text, earn: {points: integer(1..1000000), per: any 'an amount', "
     "round?: half_even|half_up|down, by?: receipt|line, least?: any, most?: integer, rules_go?: "
     "highest|together, rules?: [{name?: text, products?: [text], tags?: [text], stores?: [text], "
     "tiers?: [text], from?: text, until?: text, weekdays?: [sun|mon|tue|wed|thu|fri|sat], "
     "multiply: any}]}, "
     "expire?: {days?: integer, months?: integer, end_of?: moment|day|month|year}, worth?: "
     "{points: integer, amount: any, least?: integer, step?: integer}, returns?: {debt?: integer, "
     "grace_days?: integer}, tiers?: {by?: spend|points, year?: rolling|calendar, grace_days?: "
     "integer, "
     "levels: [{name: text, from: any, multiply?: any}]}}"},
    {"CouponClassForm",
     "{title: text(1..200), kind?: unique|multi|shared, offer?: text, from?: text, until?: text, "
     "uses?: "
     "integer 'of one code, multi', code?: text 'shared', limits?: {all?: integer, person?: "
     "integer, "
     "person_day?: integer, store?: integer, day?: integer}, on_return?: restore|keep}"},
    {"CouponClass", "{class: text, version: integer, document: CouponClassForm}"},
    {"FamilyState", "{family: integer, state: member|invited|left}"},
};

static const souk_route routes[] = {
    {"GET", "/v1/loyalty/accounts/{kind}/{value}", SOUK_SCOPE_READ, loyalty_get_account,
     .summary = "What a person has: points, what expires next, tier, family", .words = KINDS,
     .gives = "LoyaltyAccount"},
    {"GET", "/v1/loyalty/accounts/{kind}/{value}/entries", SOUK_SCOPE_READ, loyalty_get_entries,
     .summary = "What came and went, newest first", .words = KINDS,
     .query = "limit?: integer(1..1000) 'of a page; 20', before?: integer 'next_before of the last "
              "page'",
     .gives = "{entries: [LoyaltyEntry], next_before?: integer 'there are more'}"},
    {"POST", "/v1/loyalty/adjust", SOUK_SCOPE_MANAGE, loyalty_post_adjust, .slow = true,
     .summary = "Give or take points by hand",
     .takes =
         "{customer: Identifier, points: integer 'below zero: taken', reason: text(1..200), by?: "
         "text(1..100) 'who', expires?: text 'a time; as the programme says'}",
     .gives = "{entry: integer, " BALANCE "}"},
    {"POST", "/v1/loyalty/preview", SOUK_SCOPE_READ, loyalty_post_preview,
     .summary = "What a basket would earn",
     .words = "Amounts are what is paid for each line, after discounts.", .body_limit = 1 << 20,
     .takes = "{currency: text, lines: [{product?: text, amount: any 'as 2.50', tags?: "
              "[text]}], " LIMITED "}",
     .gives =
         "{points: integer, lines: [{line: integer 'from 1', points: integer}], expires?: time}"},
    {"GET", "/v1/loyalty/totals", SOUK_SCOPE_READ, loyalty_get_totals, .slow = true,
     .summary = "What is owed to shoppers, in points, and how many coupons there are",
     .gives = "{accounts: integer, lots: integer 'open', liability: integer 'points in open lots', "
              "owed: "
              "integer 'points of debt', coupons_issued: integer, coupons_redeemed: integer}"},
    {"GET", "/v1/loyalty/programme", SOUK_SCOPE_READ, loyalty_get_programme,
     .summary = "How points are earned, with its ETag", .gives = "LoyaltyProgramme",
     .versioned = true},
    {"PUT", "/v1/loyalty/programme", SOUK_SCOPE_MANAGE, loyalty_put_programme, .slow = true,
     .summary = "Say how points are earned, what they pay for, how long they hold",
     .words = "If-Match with its ETag, or If-None-Match: * for the first",
     .takes = "LoyaltyProgrammeForm", .gives = "LoyaltyProgramme", .versioned = true},
    {"DELETE", "/v1/loyalty/programme", SOUK_SCOPE_MANAGE, loyalty_delete_programme, .slow = true,
     .summary = "Nothing is earned any more",
     .words = "If-Match with its ETag. What was earned stays.", .gives = "{deleted: boolean}",
     .versioned = true},
    {"POST", "/v1/loyalty/families", SOUK_SCOPE_MANAGE, loyalty_post_family, .slow = true,
     .summary = "Begin a family: one pot of points",
     .takes = "{customer: Identifier, name?: text(0..100)}", .gives = "FamilyState",
     .gives_status = 201},
    {"GET", "/v1/loyalty/families/{family}", SOUK_SCOPE_READ, loyalty_get_family,
     .summary = "A family's pot and members",
     .gives = "{family: integer, " BALANCE
              ", members: [{shopper: id?, state: member|invited, month_most?: "
              "integer, month_burned: integer}]}"},
    {"POST", "/v1/loyalty/families/{family}/invite", SOUK_SCOPE_MANAGE, loyalty_post_invite,
     .slow = true, .summary = "A member asks somebody in",
     .takes = "{member: Identifier 'who asks', customer: Identifier, month_most?: integer 'points "
              "she may burn "
              "in a month; 0: no limit'}",
     .gives = "FamilyState"},
    {"POST", "/v1/loyalty/families/{family}/accept", SOUK_SCOPE_MANAGE, loyalty_post_accept,
     .slow = true, .summary = "Who was asked says yes", .takes = "{customer: Identifier}",
     .gives = "FamilyState"},
    {"POST", "/v1/loyalty/families/{family}/leave", SOUK_SCOPE_MANAGE, loyalty_post_leave,
     .slow = true, .summary = "Leave, or decline; nothing is taken out",
     .takes = "{customer: Identifier}", .gives = "FamilyState"},
    {"GET", "/v1/loyalty/coupons", SOUK_SCOPE_READ, loyalty_get_classes,
     .summary = "Coupon classes, in the order of their names",
     .query =
         "limit?: integer(1..1000) 'of a page; 100', cursor?: text 'next_cursor of the last page'",
     .gives = "{classes: [CouponClass], next_cursor?: text 'there are more'}"},
    {"GET", "/v1/loyalty/coupons/{class}", SOUK_SCOPE_READ, loyalty_get_class,
     .summary = "One coupon class, with its ETag", .gives = "CouponClass", .versioned = true},
    {"PUT", "/v1/loyalty/coupons/{class}", SOUK_SCOPE_MANAGE, loyalty_put_class, .slow = true,
     .summary = "Say what a coupon opens, when, and how often",
     .words = "If-Match with its ETag, or If-None-Match: * for a new one",
     .takes = "CouponClassForm", .gives = "CouponClass", .versioned = true},
    {"DELETE", "/v1/loyalty/coupons/{class}", SOUK_SCOPE_MANAGE, loyalty_delete_class, .slow = true,
     .summary = "Its codes are known no more", .words = "If-Match with its ETag",
     .gives = "{deleted: boolean}", .versioned = true},
    {"POST", "/v1/loyalty/coupons/{class}/codes", SOUK_SCOPE_MANAGE, loyalty_post_codes,
     .slow = true, .secret = "codes", .summary = "Issue codes: they are shown this once",
     .takes = "{count: integer(1..1000), customer?: Identifier 'who alone may redeem them', "
              "until?: text 'a "
              "time; as the class'}",
     .gives = "{codes: [text], batch: integer}", .gives_status = 201},
    {"POST", "/v1/loyalty/coupons/{class}/revoke", SOUK_SCOPE_MANAGE, loyalty_post_revoke,
     .slow = true, .summary = "The codes of a batch hold no more", .takes = "{batch: integer}",
     .gives = "{revoked: integer}"},
    {"POST", "/v1/loyalty/coupons/look", SOUK_SCOPE_READ, loyalty_post_look,
     .summary = "Does a code hold here, now, for this person?",
     .words = "It promises nothing: redeeming decides again.", .takes = "{code: text, " LIMITED "}",
     .gives = "{good: boolean, why?: text 'not', " CLASS ", left?: integer 'uses of this code'}"},
    {"POST", "/v1/loyalty/coupons/redeem", SOUK_SCOPE_MANAGE, loyalty_post_redeem, .slow = true,
     .summary = "Redeem a code outside a basket",
     .takes = "{code: text, " LIMITED ", receipt?: id 'of your own; a new one'}",
     .gives = "{receipt: id 'gives it back', " CLASS "}"},
    {"POST", "/v1/loyalty/coupons/restore", SOUK_SCOPE_MANAGE, loyalty_post_restore, .slow = true,
     .summary = "Take a receipt's redemptions back",
     .takes = "{receipt: id, void?: boolean 'whatever their classes say'}",
     .gives = "{restored: integer}"},
};

static const souk_work_kind works[] = {{"coupons", "codes", loyalty_issue_file}};

const souk_service souk_loyalty_service = {
    .name = "loyalty",
    .words = "Points, tiers, families, coupons",
    .shapes = shapes,
    .shape_count = sizeof shapes / sizeof *shapes,
    .open = open_loyalty,
    .close = close_loyalty,
    .own = own,
    .verify = verify,
    .routes = routes,
    .route_count = sizeof routes / sizeof *routes,
    .works = works,
    .work_count = sizeof works / sizeof *works,
    .count = count,
};
