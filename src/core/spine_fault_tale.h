/* spine_fault_tale.h - a shop's short life in stages, and a book of what was answered, for
 * spine_fault_test.c alone, where it stands after test/test.h.
 *
 *     four shoppers    ada browses from two browsers and a phone, bob borrows the phone, dan says yes and no,
 *                      eve leaves
 *     stages           each can be done alone on a folder as it was before it (tale_begin)
 *     the book         a stage is NOT done (never asked for, or refused), DONE, or UNKNOWN (the disk failed);
 *                      tale_judge compares everything the shop can say with it */
#ifndef SOUK_CORE_SPINE_FAULT_TALE_H
#define SOUK_CORE_SPINE_FAULT_TALE_H

#include "core/idmap.h"
#include "core/reject.h"
#include "core/spine.h"

#include <stdarg.h>
#include <stdio.h>

enum stage {
    STAGE_INIT,
    STAGE_OPEN,
    STAGE_SOURCE,
    STAGE_FIRST,
    STAGE_SECOND,
    STAGE_REPEAT,
    STAGE_MERGE,
    STAGE_CONSENT,
    STAGE_READ,
    STAGE_WITHDRAW,
    STAGE_UNMERGE,
    STAGE_ERASE,
    STAGE_WORK,
    STAGE_SNAPSHOT,
    STAGE_REBUILD,
    STAGE_VERIFY,
    STAGE_CLOSE,
    STAGE_REOPEN, /* behind an orderly close */
    STAGE_REPLAY, /* after a crash: everything is in the log alone */
    STAGE_MEND,   /* after a crash in the middle of the erasure */
    STAGES
};

static const char *const stage_names[STAGES] = {
    "init",    "open",   "source",   "first batch", "second batch", "repeat", "merge",
    "give",    "read",   "withdraw", "un-merge",    "erase",        "work",   "snapshot",
    "rebuild", "verify", "close",    "reopen",      "replay",       "mend"};

enum fate { FATE_NOT, FATE_DONE, FATE_UNKNOWN };

struct tale {
    souk_test *test;
    souk_disk *disk;
    souk_spine *spine;
    souk_spine_options options;
    souk_clock_fake clock;
    enum fate fates[STAGES];
    uint32_t reject_slot; /* of the key of a text that names eve */
    souk_person person;
    char wrong[300]; /* the first difference */
};

static bool tale_differs(struct tale *tale, const char *format, ...) SOUK_PRINTF(2, 3);
static bool tale_differs(struct tale *tale, const char *format, ...)
{
    va_list list;
    if (tale->wrong[0])
        return false;
    va_start(list, format);
    vsnprintf(tale->wrong, sizeof tale->wrong, format, list);
    va_end(list);
    return false;
}

static bool tale_done(const struct tale *tale, enum stage stage)
{
    return tale->fates[stage] == FATE_DONE;
}

/* ---- who, and what they do --------------------------------------------------------------------------- */

enum who { ADA, BOB, DAN, EVE, NOBODY };
static const char *const who_names[] = {"ada", "bob", "dan", "eve"};

struct message {
    enum who whose;
    enum stage stage;
    bool order;
    struct {
        souk_id_kind kind;
        const char *value;
    } ids[3];
};

static const struct message messages[] = {
    {ADA, STAGE_FIRST, false, {{SOUK_ID_ANONYMOUS, "quagga-browser-1"}}}, /* a visitor as yet */
    {ADA, STAGE_FIRST, false, {{SOUK_ID_USER, "ada"}, {SOUK_ID_ANONYMOUS, "quagga-browser-1"}}},
    {ADA, STAGE_FIRST, true, {{SOUK_ID_USER, "ada"}, {SOUK_ID_DEVICE, "quagga-phone"}}},
    {BOB, STAGE_FIRST, false, {{SOUK_ID_USER, "bob"}, {SOUK_ID_EMAIL, "bob@zoo.test"}}},
    {DAN, STAGE_FIRST, false, {{SOUK_ID_USER, "dan"}}},
    {NOBODY, STAGE_FIRST, true, {{SOUK_ID_NONE, NULL}}},
    {ADA, STAGE_SECOND, false, {{SOUK_ID_ANONYMOUS, "quagga-browser-2"}}},
    {ADA, STAGE_SECOND, false, {{SOUK_ID_USER, "ada"}, {SOUK_ID_ANONYMOUS, "quagga-browser-2"}}},
    {BOB, STAGE_SECOND, false, {{SOUK_ID_USER, "bob"}, {SOUK_ID_DEVICE, "quagga-phone"}}},
    {EVE,
     STAGE_SECOND,
     false,
     {{SOUK_ID_USER, "eve"}, {SOUK_ID_CARD, "quagga-card"}, {SOUK_ID_EMAIL, "eve@zoo.test"}}},
    {EVE, STAGE_SECOND, true, {{SOUK_ID_USER, "eve"}}},
};
enum { MESSAGES = sizeof messages / sizeof *messages, BATCH_MOST = 8 };

struct draft {
    souk_event events[BATCH_MOST];
    char texts[BATCH_MOST][24];
    size_t count;
};

static const souk_line basket = {.product = {"quagga-1", 8},
                                 .category = {"Toys", 4},
                                 .name = {"Quagga", 6},
                                 .quantity = {2000000},
                                 .amount = {19980000}};

static void draft_message(struct tale *tale, struct draft *draft, unsigned number)
{
    const struct message *message = &messages[number];
    const souk_hashes *hashes = souk_spine_hashes(tale->spine);
    souk_event *event = &draft->events[draft->count];
    char *text = draft->texts[draft->count++];
    int bytes = snprintf(text + 1, sizeof draft->texts[0] - 1, "quagga-%u", number);
    text[0] = '\0'; /* pack.h: kept as it is */
    *event = (souk_event){.at = 1767268800000 + number,
                          .received = 1767268800000 + number,
                          .type = message->order ? SOUK_TEXT("Order Completed")
                                                 : SOUK_TEXT("Product Viewed"),
                          .flags = message->order ? SOUK_EVENT_ORDER | SOUK_EVENT_SALE : 0,
                          .amount = {message->order ? basket.amount.micro : 0},
                          .lines = &basket,
                          .line_count = message->order,
                          .granted = number % 3 ? 1 << SOUK_PURPOSE_RESEARCH : 0,
                          .refused = number % 3 ? 0 : 1 << SOUK_PURPOSE_RESEARCH,
                          .message = souk_hashes_message(hashes, 1, souk_text_of(text + 1)),
                          .packed = {text, (size_t)bytes + 1}};
    memcpy(event->currency, message->order ? "GBP" : "", 4 * message->order);
    for (size_t i = 0; i < 3 && message->ids[i].value; i++)
        souk_event_identify(event, hashes, message->ids[i].kind,
                            souk_text_of(message->ids[i].value));
}

static void note_answer(souk_batch *batch, souk_err err)
{
    *(souk_err *)batch->context = err;
}

/* Sends a stage's messages, and where `repeat` is a message, that one too. */
static souk_err send(struct tale *tale, enum stage stage, unsigned repeat, size_t *ret_repeats)
{
    struct draft draft = {.count = 0};
    souk_err answer = SOUK_EBUSY;
    for (unsigned i = 0; i < MESSAGES; i++)
        if (messages[i].stage == stage || i == repeat)
            draft_message(tale, &draft, i);
    souk_reject reject = {.source = 1,
                          .fault = SOUK_TEXT("no type"),
                          .where = SOUK_TEXT("batch[5]"),
                          .text = SOUK_TEXT("{\"userId\":\"eve\"}")};
    souk_batch batch = {.source = 1,
                        .faults = &reject,
                        .fault_count = stage == STAGE_SECOND && repeat < MESSAGES,
                        .events = draft.events,
                        .count = draft.count,
                        .done = note_answer,
                        .context = &answer};
    SOUK_TRY(souk_spine_submit(tale->spine, &batch));
    *ret_repeats = answer ? 0 : batch.repeats;
    return answer;
}

/* ---- the stages ---------------------------------------------------------------------------------------- */

static souk_err find(struct tale *tale, enum who who)
{
    return souk_spine_find(tale->spine, SOUK_ID_USER, souk_text_of(who_names[who]), &tale->person);
}

static souk_err ask(struct tale *tale, souk_purpose purpose, souk_grant *ret_grant)
{
    souk_index *index = souk_spine_index(tale->spine);
    souk_index_read(index);
    souk_err err =
        souk_consent_ask(souk_spine_consent(tale->spine), index, &tale->person, purpose,
                         SOUK_OPERATOR, souk_clock_now_ms(&tale->clock.clock), ret_grant, NULL);
    souk_index_read_done(index);
    return err;
}

static souk_err make_source(souk_tx *tx, void *context)
{
    (void)context;
    uint32_t number;
    SOUK_TRY(souk_spine_new_source(tx, SOUK_OPERATOR,
                                   1 << SOUK_PURPOSE_SERVE | 1 << SOUK_PURPOSE_PROFILE,
                                   SOUK_AGE_ADULT, SOUK_SPEAKS_ANYBODY, &number));
    return number == 1 ? SOUK_OK : SOUK_ECONFLICT;
}

static souk_err do_source(struct tale *tale)
{
    SOUK_TRY(souk_ledger_write(souk_spine_ledger(tale->spine), SOUK_LANE_JOB, make_source, NULL));
    souk_spine_know_source(tale->spine, 1, SOUK_OPERATOR,
                           1 << SOUK_PURPOSE_SERVE | 1 << SOUK_PURPOSE_PROFILE, SOUK_AGE_ADULT,
                           SOUK_SPEAKS_ANYBODY);
    return SOUK_OK;
}

static souk_err do_send(struct tale *tale, enum stage stage, unsigned repeat, size_t expected)
{
    size_t repeats;
    SOUK_TRY(send(tale, stage, repeat, &repeats));
    return repeats == expected || tale_differs(tale, "%zu repeats, not %zu", repeats, expected)
               ? SOUK_OK
               : SOUK_ECONFLICT;
}

static uint32_t shopper_of(struct tale *tale, enum who who)
{
    souk_index *index = souk_spine_index(tale->spine);
    souk_id_kind kind = SOUK_ID_USER;
    souk_hash128 hash =
        souk_hashes_identifier(souk_spine_hashes(tale->spine), kind, souk_text_of(who_names[who]));
    souk_index_read(index);
    const souk_atom *atom = souk_index_atom(index, souk_index_find(index, hash));
    uint32_t shopper = atom ? atom->shopper : 0;
    souk_index_read_done(index);
    return shopper;
}

static souk_err do_merge(struct tale *tale)
{
    return souk_spine_merge(tale->spine, shopper_of(tale, ADA), shopper_of(tale, BOB),
                            SOUK_TEXT("till"), SOUK_TEXT("one household"));
}

static souk_err do_unmerge(struct tale *tale)
{
    return souk_spine_unmerge(tale->spine, shopper_of(tale, ADA), SOUK_TEXT("till"),
                              SOUK_TEXT("two after all"));
}

static souk_err say(struct tale *tale, enum who who, souk_purpose purpose, souk_basis basis)
{
    souk_consent_row row = {.controller = SOUK_OPERATOR,
                            .purpose = purpose,
                            .basis = basis,
                            .from = souk_clock_now_ms(&tale->clock.clock),
                            .evidence = SOUK_TEXT("quagga form")};
    SOUK_TRY(find(tale, who));
    return souk_spine_consent_record(tale->spine, &tale->person, &row, SOUK_AGE_UNKNOWN);
}

static souk_err do_erase(struct tale *tale)
{
    uint64_t events = 0;
    SOUK_TRY(find(tale, EVE));
    return souk_spine_erase(tale->spine, &tale->person, &events);
}

static souk_err do_work(struct tale *tale)
{
    bool did = true;
    while (did)
        SOUK_TRY(souk_spine_work(tale->spine, &did));
    return SOUK_OK;
}

static souk_err do_open(struct tale *tale)
{
    return souk_spine_open(tale->test->mem, tale->disk, &tale->options, &tale->spine, NULL);
}

static souk_err do_verify(struct tale *tale)
{
    souk_diag diag = {.words = ""};
    souk_err err = souk_spine_verify(tale->spine, NULL, NULL, &diag);
    if (err == SOUK_ECORRUPT)
        tale_differs(tale, "verify: %s", diag.words);
    return err;
}

static souk_err tale_read(struct tale *tale, enum who who);

static souk_err do_stage(struct tale *tale, enum stage stage)
{
    switch (stage) {
    case STAGE_INIT:
        return souk_spine_init(tale->test->mem, tale->disk, &tale->options, NULL);
    case STAGE_OPEN:
    case STAGE_REOPEN:
    case STAGE_REPLAY:
    case STAGE_MEND:
        return do_open(tale);
    case STAGE_SOURCE:
        return do_source(tale);
    case STAGE_FIRST:
        return do_send(tale, STAGE_FIRST, MESSAGES, 0);
    case STAGE_SECOND:
        return do_send(tale, STAGE_SECOND, 1, 1);
    case STAGE_REPEAT:
        return do_send(tale, STAGE_FIRST, MESSAGES, 6);
    case STAGE_MERGE:
        return do_merge(tale);
    case STAGE_CONSENT:
        return say(tale, DAN, SOUK_PURPOSE_PERSONALISE, SOUK_BASIS_CONSENT);
    case STAGE_READ:
        return tale_read(tale, ADA);
    case STAGE_WITHDRAW:
        return say(tale, ADA, SOUK_PURPOSE_PROFILE, SOUK_BASIS_WITHDRAWN);
    case STAGE_UNMERGE:
        return do_unmerge(tale);
    case STAGE_ERASE:
        return do_erase(tale);
    case STAGE_WORK:
        return do_work(tale);
    case STAGE_SNAPSHOT:
        return souk_spine_snapshot(tale->spine);
    case STAGE_REBUILD:
        return souk_spine_rebuild(tale->spine, NULL, NULL);
    case STAGE_VERIFY:
        return do_verify(tale);
    case STAGE_CLOSE:
        return souk_spine_close(tale->spine);
    case STAGES:
        break;
    }
    return SOUK_EINVAL;
}

/* ---- what the shop says, beside the book ---------------------------------------------------------------- */

static bool are_one(const struct tale *tale)
{
    return tale_done(tale, STAGE_MERGE) && !tale_done(tale, STAGE_UNMERGE);
}

static bool is_there(const struct tale *tale, enum who who)
{
    return who == EVE ? tale_done(tale, STAGE_SECOND) && !tale_done(tale, STAGE_ERASE)
                      : tale_done(tale, STAGE_FIRST);
}

/* Whether the message is one of hers today. */
static bool is_hers(const struct tale *tale, enum who who, const struct message *message)
{
    bool same = message->whose == who || (are_one(tale) && who <= BOB && message->whose <= BOB);
    return same && tale_done(tale, message->stage);
}

static bool has_tie(const souk_tie *ties, size_t count, souk_id_kind kind, const char *value)
{
    for (size_t i = 0; i < count; i++)
        if (ties[i].kind == kind && souk_text_equal(ties[i].value, souk_text_of(value)))
            return true;
    return false;
}

static bool judge_story(struct tale *tale, const souk_story *story, unsigned number)
{
    char text[24];
    const struct message *message = &messages[number];
    snprintf(text, sizeof text, "quagga-%u", number);
    return (souk_text_equal(story->text, souk_text_of(text)) &&
            story->fact.line_count == message->order &&
            (!message->order || story->lines[0].amount_micro == basket.amount.micro)) ||
           tale_differs(tale, "message %u is told as '%.*s'", number, SOUK_TEXT_PRINT(story->text));
}

static bool judge_timeline(struct tale *tale, enum who who, const souk_story *stories, size_t count)
{
    size_t told = 0;
    for (unsigned i = MESSAGES; i-- > 0;) {
        if (!is_hers(tale, who, &messages[i]))
            continue;
        if (told == count)
            return tale_differs(tale, "%s: message %u is not told", who_names[who], i);
        if (!judge_story(tale, &stories[told++], i))
            return false;
    }
    return told == count ||
           tale_differs(tale, "%s: %zu messages, not %zu", who_names[who], count, told);
}

static bool judge_profile(struct tale *tale, enum who who, const souk_profile *profile)
{
    int64_t events = 0, orders = 0, micro = 0, told_events = 0, told_orders = 0, told_micro = 0;
    for (size_t i = 0; i < MESSAGES; i++)
        if (is_hers(tale, who, &messages[i])) {
            events++;
            orders += messages[i].order;
            micro += messages[i].order ? basket.amount.micro : 0;
        }
    for (size_t i = 0; i < profile->count; i++) {
        unsigned dimension = profile->counts[i].key >> 28;
        told_events += dimension == SOUK_COUNT_TYPE ? profile->counts[i].value : 0;
        told_orders += dimension == SOUK_COUNT_ORDERS ? profile->counts[i].value : 0;
        told_micro += dimension == SOUK_COUNT_AMOUNT ? profile->counts[i].value : 0;
    }
    return (events == told_events && orders == told_orders && micro == told_micro) ||
           tale_differs(tale, "%s: the sums say %lld events, not %lld", who_names[who],
                        (long long)told_events, (long long)events);
}

/* A phone that was lent is nobody's. */
static bool judge_ties(struct tale *tale, enum who who, const souk_tie *ties, size_t count)
{
    for (size_t i = 0; i < MESSAGES; i++)
        for (size_t k = 0; k < 3 && messages[i].ids[k].value; k++)
            if (is_hers(tale, who, &messages[i]) && messages[i].ids[k].kind != SOUK_ID_DEVICE &&
                !has_tie(ties, count, messages[i].ids[k].kind, messages[i].ids[k].value))
                return tale_differs(tale, "%s: '%s' is not tied to her", who_names[who],
                                    messages[i].ids[k].value);
    return true;
}

static souk_err tale_read_into(struct tale *tale, enum who who, souk_arena *arena)
{
    souk_grant grant;
    souk_profile profile;
    souk_story *stories;
    souk_tie *ties;
    size_t count, tie_count;
    SOUK_TRY(find(tale, who));
    SOUK_TRY(ask(tale, SOUK_PURPOSE_SERVE, &grant));
    SOUK_TRY(souk_spine_timeline(tale->spine, &tale->person, &grant, UINT64_MAX, 20, arena,
                                 &stories, &count));
    SOUK_TRY(souk_spine_profile(tale->spine, &tale->person, &grant, arena, &profile));
    SOUK_TRY(souk_spine_ties(tale->spine, &tale->person, &grant, arena, &ties, &tie_count));
    (void)(judge_timeline(tale, who, stories, count) && judge_profile(tale, who, &profile) &&
           judge_ties(tale, who, ties, tie_count));
    return SOUK_OK;
}

static souk_err tale_read(struct tale *tale, enum who who)
{
    souk_arena arena = {.mem = tale->test->mem};
    souk_err err = tale_read_into(tale, who, &arena);
    souk_arena_done(&arena);
    return err;
}

static bool judge_person(struct tale *tale, enum who who)
{
    souk_err expected = is_there(tale, who) ? SOUK_OK : SOUK_ENOENT;
    souk_err err = find(tale, who);
    if (!err)
        err = tale_read(tale, who);
    return !tale->wrong[0] &&
           (err == expected || tale_differs(tale, "%s: %s, not %s", who_names[who],
                                            souk_err_name(err), souk_err_name(expected)));
}

static bool judge_consent(struct tale *tale, enum who who, souk_purpose purpose, bool expected)
{
    souk_grant grant;
    if (!is_there(tale, who))
        return true;
    souk_err err = find(tale, who);
    if (!err)
        err = ask(tale, purpose, &grant);
    return err == (expected ? SOUK_OK : SOUK_EDENIED) ||
           tale_differs(tale, "%s may %sbe used for '%s': %s", who_names[who],
                        expected ? "" : "not ", souk_purpose_word(purpose), souk_err_name(err));
}

static uint64_t count_events(struct tale *tale)
{
    souk_totals totals;
    souk_index *index = souk_spine_index(tale->spine);
    souk_index_read(index);
    souk_index_totals(index, &totals);
    souk_index_read_done(index);
    return totals.events;
}

static size_t count_messages(enum stage stage)
{
    size_t count = 0;
    for (size_t i = 0; i < MESSAGES; i++)
        count += messages[i].stage == stage;
    return count;
}

/* Every batch that was answered is a repeat now, and no other event is there. */
static bool judge_batches(struct tale *tale)
{
    uint64_t expected = 0, there = count_events(tale);
    for (enum stage stage = STAGE_FIRST; stage <= STAGE_SECOND; stage++) {
        size_t repeats, count = count_messages(stage);
        if (!tale_done(tale, stage))
            continue;
        expected += count;
        souk_err err = send(tale, stage, MESSAGES, &repeats);
        if (err || repeats != count)
            return tale_differs(tale, "%s again: %s, %zu of %zu repeats", stage_names[stage],
                                souk_err_name(err), repeats, count);
    }
    return there == expected ||
           tale_differs(tale, "%llu events, not %llu", (unsigned long long)there,
                        (unsigned long long)expected);
}

struct hunt {
    const unsigned char *key;
    const char *found_in;
};

static void hunt_in(void *context, const char *name, const void *at, size_t bytes)
{
    struct hunt *hunt = context;
    if (bytes && memmem(at, bytes, hunt->key, SOUK_IDMAP_KEY))
        hunt->found_in = name;
}

/* Nothing on the disk leads from her identifiers anywhere, and what was refused of hers opens nowhere. */
static bool judge_traces(struct tale *tale)
{
    char secret[16];
    souk_err err = souk_vault_derive(souk_spine_vault(tale->spine), tale->reject_slot, "quagga",
                                     secret, sizeof secret);
    if (err != SOUK_EERASED)
        return tale_differs(tale, "the key of a refused text of eve's: %s", souk_err_name(err));
    for (size_t i = 0; i < MESSAGES; i++)
        for (size_t k = 0; k < 3 && messages[i].ids[k].value; k++) {
            if (messages[i].whose != EVE)
                continue;
            souk_hash128 hash =
                souk_hashes_identifier(souk_spine_hashes(tale->spine), messages[i].ids[k].kind,
                                       souk_text_of(messages[i].ids[k].value));
            struct hunt hunt = {.key = (const unsigned char *)&hash};
            souk_sim_scan(tale->disk, hunt_in, &hunt);
            if (hunt.found_in)
                return tale_differs(tale, "'%s' stands in '%s' though eve left",
                                    messages[i].ids[k].value, hunt.found_in);
        }
    return true;
}

static bool tale_judge(struct tale *tale)
{
    bool right = judge_batches(tale);
    for (enum who who = ADA; right && who <= EVE; who++)
        right = judge_person(tale, who);
    bool open = !tale_done(tale, STAGE_WITHDRAW);
    return right &&
           judge_consent(tale, DAN, SOUK_PURPOSE_PERSONALISE, tale_done(tale, STAGE_CONSENT)) &&
           judge_consent(tale, ADA, SOUK_PURPOSE_PROFILE, open) &&
           judge_consent(tale, BOB, SOUK_PURPOSE_PROFILE, open) &&
           (!tale_done(tale, STAGE_ERASE) || judge_traces(tale));
}

#endif
