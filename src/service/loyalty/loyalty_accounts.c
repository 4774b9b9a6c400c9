/* loyalty_accounts.c - routes of accounts, families, previews and totals. */
#include "base/currency.h"
#include "service/loyalty/loyalty_inside.h"

/* ---- one account ------------------------------------------------------------------------------------------------ */

static void put_money(souk_json_writer *out, const char *key, const souk_programme *programme,
                      int64_t minor)
{
    souk_decimal amount = {0};
    char text[SOUK_DECIMAL_BYTES];
    if (souk_decimal_from_minor(minor, programme->exponent, &amount))
        amount.micro = 0;
    souk_json_put_text(out, key, (souk_text){text, souk_decimal_write(amount, text)});
}

static void write_tier(souk_json_writer *out, const souk_loyalty_standing *standing)
{
    const souk_tiers *tiers = &standing->programme->tiers;
    const souk_standing *tier = &standing->tier;
    souk_json_put_object(out, "tier");
    souk_json_write_key(out, SOUK_TEXT("name"));
    if (tier->level)
        souk_json_write_text(out, standing->tier_name);
    else
        souk_json_write_null(out);
    if (tier->level) {
        souk_json_put_time(out, "since", tier->since);
        souk_json_put_time(out, "until", tier->until);
        souk_json_put_bool(out, "in_grace", tier->in_grace);
    }
    if (tiers->by_points)
        loyalty_put_i64(out, "counted", tier->counted);
    else
        put_money(out, "counted", standing->programme, tier->counted);
    if (tier->level < tiers->level_count) {
        souk_json_put_text(out, "next", tiers->levels[tier->level].name);
        if (tiers->by_points)
            loyalty_put_i64(out, "missing", tier->missing);
        else
            put_money(out, "missing", standing->programme, tier->missing);
    }
    souk_json_write_end(out);
}

static void write_balance(souk_json_writer *out, const souk_points_balance *balance)
{
    loyalty_put_i64(out, "points", balance->points);
    loyalty_put_i64(out, "owed", balance->owed);
    if (balance->next_expires != SOUK_TIME_LAST) {
        souk_json_put_object(out, "next_expiry");
        souk_json_put_time(out, "at", balance->next_expires);
        loyalty_put_i64(out, "points", balance->next_points);
        souk_json_write_end(out);
    }
}

static void write_account(souk_json_writer *out, const souk_loyalty_standing *standing)
{
    souk_json_write_object(out);
    write_balance(out, &standing->balance);
    if (standing->programme && standing->programme->worth_points) {
        put_money(out, "worth", standing->programme,
                  souk_programme_worth(standing->programme, standing->balance.points));
        souk_json_put_text(out, "currency", souk_text_of(standing->programme->currency));
    }
    if (standing->programme && standing->programme->tiers.level_count)
        write_tier(out, standing);
    if (standing->member.family)
        loyalty_put_i64(out, "family", standing->member.family);
    souk_json_write_end(out);
}

static souk_loyalty_hand hand_of_call(souk_call *call, const souk_person *person)
{
    souk_time now = souk_clock_now_ms(souk_spine_clock(call->spine));
    return (souk_loyalty_hand){.merchant = call->caller.merchant,
                               .person = person,
                               .day = souk_time_day(now),
                               .weekday = (unsigned)souk_day_weekday(souk_time_day(now)),
                               .at = now};
}

static souk_err look_path(souk_call *call, const souk_loyalty_standing **ret_standing)
{
    souk_person *person;
    SOUK_TRY(loyalty_path_person(call, &person));
    souk_loyalty_hand hand = hand_of_call(call, person);
    return souk_loyalty_look(call->state, &hand, &call->arena, ret_standing, &call->diag);
}

void loyalty_get_account(souk_call *call)
{
    const souk_loyalty_standing *standing;
    souk_err err = look_path(call, &standing);
    if (!err)
        write_account(souk_call_json(call), standing);
    loyalty_answer(call, err, 200);
}

/* ---- entries ------------------------------------------------------------------------------------------------------ */

struct listing {
    souk_call *call;
    const souk_loyalty_standing *standing;
    souk_json_writer *out;
    int64_t before, last;
    size_t limit, count;
};

static souk_err write_entry(void *context, const souk_points_entry *entry)
{
    struct listing *listing = context;
    souk_json_writer *out = listing->out;
    char receipt[33];
    souk_json_write_object(out);
    loyalty_put_i64(out, "id", entry->id);
    souk_json_put_time(out, "at", entry->at);
    souk_json_put_words(out, "kind", souk_points_word(entry->kind));
    loyalty_put_i64(out, "points", entry->points);
    souk_json_put_words(out, "account", entry->purse.kind == SOUK_PURSE_FAMILY ? "family" : "own");
    if (entry->owed)
        loyalty_put_i64(out, "owed", entry->owed);
    if (entry->forgiven)
        loyalty_put_i64(out, "forgiven", entry->forgiven);
    if (entry->expires && entry->expires != SOUK_TIME_LAST)
        souk_json_put_time(out, "expires", entry->expires);
    if (entry->receipt.low || entry->receipt.high) {
        souk_hex(&entry->receipt, sizeof entry->receipt, receipt);
        souk_json_put_text(out, "receipt", (souk_text){receipt, 32});
    }
    if (entry->reason.bytes)
        souk_json_put_text(out, "reason", entry->reason);
    if (entry->by.bytes)
        souk_json_put_text(out, "by", entry->by);
    souk_json_write_end(out);
    listing->last = entry->id;
    listing->count++;
    return SOUK_OK;
}

static souk_err list_entries(souk_tx *tx, void *context)
{
    struct listing *listing = context;
    const souk_loyalty_standing *standing = listing->standing;
    return souk_points_entries(tx, standing->hand.merchant, standing->purses, standing->purse_count,
                               listing->before, (unsigned)listing->limit, write_entry, listing);
}

static souk_err show_entries(souk_call *call)
{
    struct listing listing = {.call = call, .before = INT64_MAX};
    souk_text word;
    uint64_t before = INT64_MAX;
    SOUK_TRY(souk_call_limit(call, 20, 1000, &listing.limit));
    if (souk_call_query(call, SOUK_TEXT("before"), &word) &&
        (souk_text_to_u64(word, &before) || before > INT64_MAX))
        return souk_diag_say(&call->diag, SOUK_EINVAL, "before is an entry's id");
    listing.before = (int64_t)before;
    SOUK_TRY(look_path(call, &listing.standing));
    listing.out = souk_call_json(call);
    souk_json_write_object(listing.out);
    souk_json_put_array(listing.out, "entries");
    SOUK_TRY(souk_ledger_read(souk_spine_ledger(call->spine), list_entries, &listing));
    souk_json_write_end(listing.out);
    if (listing.count == listing.limit) {
        loyalty_put_i64(listing.out, "next_before", listing.last);
        souk_call_link_next_u64(call, "before", (uint64_t)listing.last);
    }
    souk_json_write_end(listing.out);
    return SOUK_OK;
}

void loyalty_get_entries(souk_call *call)
{
    loyalty_answer(call, show_entries(call), 200);
}

/* ---- by hand ------------------------------------------------------------------------------------------------------- */

static souk_err tell_adjusted(souk_plan *plan, souk_tx *tx, souk_json_writer *out)
{
    const loyalty_body *body = plan->context;
    souk_points_balance balance;
    SOUK_TRY(souk_points_read(tx, plan->merchant, body->standing->purses,
                              body->standing->purse_count, plan->at, &balance));
    souk_json_write_object(out);
    loyalty_put_i64(out, "entry", body->act.entry);
    write_balance(out, &balance);
    souk_json_write_end(out);
    return SOUK_OK;
}

static souk_err read_adjust(souk_call *call, loyalty_body **ret_body)
{
    static const char *const names[] = {"customer", "points", "reason", "by", "expires"};
    const souk_loyalty_standing *standing;
    SOUK_TRY(loyalty_read_body(call, LOYALTY_NAMES(names), 3, ret_body));
    loyalty_body *body = *ret_body;
    souk_loyalty_hand hand = loyalty_hand_of(body);
    if (body->points == 0)
        return souk_diag_say(&call->diag, SOUK_EINVAL, "points: 0 change nothing");
    if (body->expires && (body->points < 0 || body->expires <= hand.at))
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             body->points < 0 ? "expires: points that are taken do not expire"
                                              : "expires: it is over: give a later time");
    SOUK_TRY(souk_loyalty_look(call->state, &hand, &call->arena, &standing, &call->diag));
    body->standing = (souk_loyalty_standing *)(uintptr_t)standing; /* ours */
    body->act = (souk_points_act){.kind = SOUK_POINTS_ADJUSTED,
                                  .purses = &standing->home,
                                  .purse_count = 1,
                                  .at = hand.at,
                                  .expires = SOUK_TIME_LAST,
                                  .reason = body->reason,
                                  .by = body->by};
    if (body->expires)
        body->act.expires = body->expires;
    else if (standing->programme)
        body->act.expires = souk_programme_expires(standing->programme, hand.at);
    return SOUK_OK;
}

void loyalty_post_adjust(souk_call *call)
{
    loyalty_body *body;
    souk_err err = loyalty_whole(call, read_adjust(call, &body));
    souk_plan *plan = err ? NULL : souk_call_plan(call);
    if (!plan) {
        souk_call_fail(call, err ? err : SOUK_ENOMEM);
        return;
    }
    plan->context = body;
    body->act.at = plan->at;
    souk_plan_add(plan, SOUK_EFFECT_POINTS, SOUK_TEXT("adjust"), body->points, &body->act);
    souk_call_run(call, &body->loyalty->owners, plan, 200, tell_adjusted);
}

/* ---- previews, totals ------------------------------------------------------------------------------------------------ */

static souk_err to_minor(souk_call *call, loyalty_body *body, unsigned exponent)
{
    for (size_t i = 0; i < body->line_count; i++) {
        souk_decimal amount = {body->lines[i].amount_minor};
        bool rounded;
        if (souk_decimal_to_minor(amount, exponent, &body->lines[i].amount_minor, &rounded) ||
            rounded || body->lines[i].amount_minor > SOUK_EARN_AMOUNT_MOST)
            return souk_diag_say(&call->diag, SOUK_EINVAL,
                                 "lines[%zu].amount: at most %u decimal places and 10^12 minor "
                                 "units are taken",
                                 i, exponent);
    }
    return SOUK_OK;
}

static souk_err preview(souk_call *call)
{
    static const char *const names[] = {"currency", "lines", "customer", "store", "day"};
    loyalty_body *body;
    char currency[4];
    const souk_loyalty_standing *standing;
    souk_programme_earning earning;
    SOUK_TRY(loyalty_read_body(call, LOYALTY_NAMES(names), 2, &body));
    if (souk_currency_read(body->currency, currency))
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "currency: a code of ISO 4217 is expected, such as EUR");
    SOUK_TRY(to_minor(call, body, souk_currency_exponent(currency)));
    souk_loyalty_hand hand = loyalty_hand_of(body);
    SOUK_TRY(souk_loyalty_look(call->state, &hand, &call->arena, &standing, &call->diag));
    SOUK_TRY(souk_loyalty_earning(standing, currency, body->lines, body->line_count, &call->arena,
                                  &earning));
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    loyalty_put_i64(out, "points", earning.points);
    souk_json_put_array(out, "lines");
    for (size_t i = 0; i < earning.share_count; i++) {
        souk_json_write_object(out);
        souk_json_put_u64(out, "line", earning.shares[i].line);
        loyalty_put_i64(out, "points", earning.shares[i].points);
        souk_json_write_end(out);
    }
    souk_json_write_end(out);
    souk_time expires =
        standing->programme ? souk_programme_expires(standing->programme, hand.at) : SOUK_TIME_LAST;
    if (expires != SOUK_TIME_LAST)
        souk_json_put_time(out, "expires", expires);
    souk_json_write_end(out);
    return SOUK_OK;
}

void loyalty_post_preview(souk_call *call)
{
    loyalty_answer(call, preview(call), 200);
}

struct totalling {
    uint32_t merchant;
    souk_time now;
    souk_points_totals totals;
};

static souk_err total(souk_tx *tx, void *context)
{
    struct totalling *my = context;
    return souk_points_total(tx, my->merchant, my->now, &my->totals);
}

void loyalty_get_totals(souk_call *call)
{
    souk_loyalty *loyalty = call->state;
    struct totalling my = {.merchant = call->caller.merchant,
                           .now = souk_clock_now_ms(souk_spine_clock(call->spine))};
    souk_coupon_totals coupons;
    souk_err err = souk_ledger_read(loyalty->ledger, total, &my);
    if (!err)
        err = souk_coupons_total(loyalty->ledger, my.merchant, SOUK_TEXT(""), &coupons);
    if (!err) {
        souk_json_writer *out = souk_call_json(call);
        souk_json_write_object(out);
        loyalty_put_i64(out, "accounts", my.totals.accounts);
        loyalty_put_i64(out, "lots", my.totals.lots);
        loyalty_put_i64(out, "liability", my.totals.liability);
        loyalty_put_i64(out, "owed", my.totals.owed);
        loyalty_put_i64(out, "coupons_issued", coupons.issued);
        loyalty_put_i64(out, "coupons_redeemed", coupons.redeemed);
        souk_json_write_end(out);
    }
    loyalty_answer(call, err, 200);
}

/* ---- families --------------------------------------------------------------------------------------------------------- */

static souk_err write_member(void *context, const souk_family_member *member)
{
    struct listing *listing = context;
    souk_json_writer *out = listing->out;
    souk_person *person = souk_arena_get(&listing->call->arena, sizeof *person);
    char id[33] = "";
    if (listing->call->arena.failed)
        return SOUK_ENOMEM;
    souk_index *index = souk_spine_index(listing->call->spine);
    souk_index_read(index);
    souk_err err = souk_index_person_of_atom(index, (uint32_t)member->atom, person);
    souk_index_read_done(index);
    if (!err && person->shopper)
        err = souk_spine_public_id(listing->call->spine, person->shopper, id);
    souk_json_write_object(out);
    souk_json_write_key(out, SOUK_TEXT("shopper"));
    if (!err && id[0])
        souk_json_write_text(out, souk_text_of(id));
    else
        souk_json_write_null(out); /* erased, or a visitor */
    souk_json_put_words(out, "state", member->state == SOUK_MEMBER_IN ? "member" : "invited");
    if (member->month_most)
        loyalty_put_i64(out, "month_most", member->month_most);
    loyalty_put_i64(out, "month_burned", member->month_burned);
    souk_json_write_end(out);
    listing->count++;
    return SOUK_OK;
}

static souk_err list_members(souk_tx *tx, void *context)
{
    struct listing *listing = context;
    souk_purse pot = {SOUK_PURSE_FAMILY, listing->before};
    souk_points_balance balance;
    souk_time now = souk_clock_now_ms(souk_spine_clock(listing->call->spine));
    uint32_t merchant = listing->call->caller.merchant;
    souk_json_write_object(listing->out);
    loyalty_put_i64(listing->out, "family", listing->before);
    SOUK_TRY(souk_points_read(tx, merchant, &pot, 1, now, &balance));
    write_balance(listing->out, &balance);
    souk_json_put_array(listing->out, "members");
    SOUK_TRY(souk_family_list(tx, merchant, listing->before, now, write_member, listing));
    souk_json_write_end(listing->out);
    souk_json_write_end(listing->out);
    return SOUK_OK;
}

static souk_err read_family(souk_call *call, int64_t *ret_family)
{
    uint64_t number;
    if (souk_text_to_u64(call->parts[0], &number) || number == 0 || number > INT64_MAX)
        return souk_diag_say(&call->diag, SOUK_EINVAL, "a family is a number");
    *ret_family = (int64_t)number;
    return SOUK_OK;
}

static souk_err show_family(souk_call *call)
{
    struct listing listing = {.call = call, .out = souk_call_json(call)};
    SOUK_TRY(read_family(call, &listing.before));
    SOUK_TRY(souk_ledger_read(souk_spine_ledger(call->spine), list_members, &listing));
    return listing.count ? SOUK_OK
                         : souk_diag_say(&call->diag, SOUK_ENOENT, "there is no family %lld",
                                         (long long)listing.before);
}

void loyalty_get_family(souk_call *call)
{
    loyalty_answer(call, show_family(call), 200);
}

/* The history of a person that a family knows her by: the one that is in, or was asked, or her first. */
static souk_err atom_in(souk_tx *tx, const loyalty_body *body, const souk_person *person,
                        int64_t *ret_atom)
{
    *ret_atom = person->atoms[0];
    for (uint32_t i = 0; i < person->atom_count; i++) {
        int64_t count;
        SOUK_TRY(souk_sql_one_int(tx,
                                  "SELECT count(*) FROM loyalty_member WHERE family = ?1 "
                                  "AND member = ?2 AND merchant = ?3 AND state <> 3",
                                  SOUK_VALUES(SOUK_INT(body->family), SOUK_INT(person->atoms[i]),
                                              SOUK_INT(body->call->caller.merchant)),
                                  &count));
        if (count) {
            *ret_atom = person->atoms[i];
            return SOUK_OK;
        }
    }
    return SOUK_OK;
}

static souk_err tell_family(souk_json_writer *out, int64_t family, const char *state)
{
    souk_json_write_object(out);
    loyalty_put_i64(out, "family", family);
    souk_json_put_words(out, "state", state);
    souk_json_write_end(out);
    return SOUK_OK;
}

static souk_err found_family(souk_plan *plan, souk_tx *tx, souk_json_writer *out)
{
    const loyalty_body *body = plan->context;
    int64_t family;
    SOUK_TRY(souk_family_found(tx, plan->merchant, body->person->atoms[0], body->name, plan->at,
                               &family, &plan->diag));
    return tell_family(out, family, "member");
}

static souk_err invite(souk_plan *plan, souk_tx *tx, souk_json_writer *out)
{
    const loyalty_body *body = plan->context;
    souk_family_member by = {
        .merchant = plan->merchant, .family = body->family, .month_most = body->month_most};
    int64_t atom;
    SOUK_TRY(atom_in(tx, body, body->by_person, &by.atom));
    SOUK_TRY(atom_in(tx, body, body->person, &atom));
    SOUK_TRY(souk_family_invite(tx, &by, atom, plan->at, &plan->diag));
    return tell_family(out, body->family, "invited");
}

static souk_err accept(souk_plan *plan, souk_tx *tx, souk_json_writer *out)
{
    const loyalty_body *body = plan->context;
    souk_family_member as = {.merchant = plan->merchant, .family = body->family};
    SOUK_TRY(atom_in(tx, body, body->person, &as.atom));
    SOUK_TRY(souk_family_accept(tx, &as, plan->at, &plan->diag));
    return tell_family(out, body->family, "member");
}

static souk_err leave(souk_plan *plan, souk_tx *tx, souk_json_writer *out)
{
    const loyalty_body *body = plan->context;
    souk_family_member as = {.merchant = plan->merchant, .family = body->family};
    SOUK_TRY(atom_in(tx, body, body->person, &as.atom));
    SOUK_TRY(souk_family_leave(tx, &as, plan->at, &plan->diag));
    return tell_family(out, body->family, "left");
}

/* The deed itself is done where the answer is written: both in one transaction. */
static void run_family(souk_call *call, const char *const *names, size_t count, size_t needed,
                       bool of_path, int status,
                       souk_err (*deed)(souk_plan *plan, souk_tx *tx, souk_json_writer *out))
{
    loyalty_body *body;
    int64_t family = 0;
    souk_err err = of_path ? read_family(call, &family) : SOUK_OK;
    if (!err)
        err = loyalty_read_body(call, names, count, needed, &body);
    err = loyalty_whole(call, err);
    souk_plan *plan = err ? NULL : souk_call_plan(call);
    if (!plan) {
        souk_call_fail(call, err ? err : SOUK_ENOMEM);
        return;
    }
    body->family = family;
    plan->context = body;
    souk_call_run(call, &body->loyalty->owners, plan, status, deed);
}

void loyalty_post_family(souk_call *call)
{
    static const char *const names[] = {"customer", "name"};
    run_family(call, LOYALTY_NAMES(names), 1, false, 201, found_family);
}
void loyalty_post_invite(souk_call *call)
{
    static const char *const names[] = {"member", "customer", "month_most"};
    run_family(call, LOYALTY_NAMES(names), 2, true, 200, invite);
}
void loyalty_post_accept(souk_call *call)
{
    static const char *const names[] = {"customer"};
    run_family(call, LOYALTY_NAMES(names), 1, true, 200, accept);
}
void loyalty_post_leave(souk_call *call)
{
    static const char *const names[] = {"customer"};
    run_family(call, LOYALTY_NAMES(names), 1, true, 200, leave);
}
