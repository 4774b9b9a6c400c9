/* stock_model_test.c - random plans of movements, reservations and transfers against a plain model, on every ledger.
 *
 * At every commit: what came in is what lies there, is on its way, was sold, handed over or written off; nothing free is
 * below zero, and what is reserved is what reservations hold. */
#include "test/test.h"

#include "service/stock/stock_rig.h"

#include <stdlib.h>

enum {
    LOCATIONS = 3,
    PRODUCTS = 3,
    PLACES = LOCATIONS * PRODUCTS,
    IDS = 400,
    STEPS = 6,
    LINES = 3
};
enum { EFFECTS = 3, MOVES = EFFECTS * LINES * 2 };

static const char *const locations[] = {"A", "B", "C"};
static const char *const products[] = {"salt", "soap", "tea"};

enum held { NONE, HELD, ENDED };
struct model_line {
    int place;
    int64_t quantity;
};
struct model_hold {
    enum held state;
    souk_time until;
    struct model_line lines[LINES];
    int count;
};
struct model_ship {
    enum held state;
    int from, to; /* places; from -1: a supplier */
    int64_t sent, arrived;
};
struct model {
    bool is_there[PLACES];
    int64_t on_hand[PLACES], reserved[PLACES];
    struct model_hold holds[IDS];
    struct model_ship ships[IDS];
    int64_t in,
        out; /* received, returned, counted more; sold, fulfilled, written off, counted less */
};

struct effect { /* of a step */
    souk_stock_verb verb;
    int id, place;
    int64_t quantity;
    char key[24];
    souk_stock_deed deed;
    souk_stock_reservation reservation;
    souk_stock_transfer transfer;
    souk_stock_line lines[LINES];
    struct model_line model_lines[LINES];
};

struct step {
    struct rig_plan rig;
    struct effect effects[EFFECTS];
    int count;
    bool refuses; /* an effect behind stock does */
    bool answered;
    souk_err err;
};

/* ---- the model ------------------------------------------------------------------------------------------ */

struct model_move {
    int place, number;
    int64_t on_hand, reserved;
    bool opens, passes, counts, beyond;
};
struct model_moves {
    struct model_move list[MOVES];
    int count;
};

static void model_add(struct model_moves *moves, struct model_move move)
{
    move.number = moves->count;
    moves->list[moves->count++] = move;
}

static bool model_run(struct model *model, const struct model_move *move)
{
    int place = move->place;
    if (!model->is_there[place] && !move->opens)
        return move->passes;
    int64_t added = move->counts ? move->on_hand - model->on_hand[place] : move->on_hand;
    int64_t on_hand = model->on_hand[place] + added, reserved = model->reserved[place];
    reserved += move->reserved;
    bool lowers = added - move->reserved < 0 && !move->counts && !move->beyond;
    if (reserved < 0 || (lowers && on_hand - reserved < 0))
        return false;
    model->is_there[place] = true;
    model->on_hand[place] = on_hand;
    model->reserved[place] = reserved;
    model->in += move->passes ? added : 0;
    if (move->counts)
        *(added < 0 ? &model->out : &model->in) += added < 0 ? -added : added;
    return true;
}

static bool model_hold(struct model *model, const struct effect *effect, struct model_moves *moves)
{
    struct model_hold *hold = &model->holds[effect->id];
    if (effect->verb == SOUK_STOCK_RESERVE) {
        if (hold->state != NONE)
            return false;
        *hold = (struct model_hold){.state = HELD,
                                    .until = effect->reservation.until,
                                    .count = (int)effect->reservation.line_count};
        memcpy(hold->lines, effect->model_lines, sizeof hold->lines);
        for (int i = 0; i < hold->count; i++)
            model_add(moves, (struct model_move){.place = hold->lines[i].place,
                                                 .reserved = hold->lines[i].quantity});
        return true;
    }
    bool fulfils = effect->verb == SOUK_STOCK_FULFIL;
    if (hold->state != HELD || (fulfils && hold->until <= rig_noon))
        return false;
    hold->state = ENDED;
    for (int i = 0; i < hold->count; i++) {
        int64_t quantity = hold->lines[i].quantity;
        model_add(moves, (struct model_move){.place = hold->lines[i].place,
                                             .on_hand = fulfils ? -quantity : 0,
                                             .reserved = -quantity});
        model->out += fulfils ? quantity : 0;
    }
    return true;
}

static bool model_arrives(struct model *model, const struct effect *effect,
                          struct model_moves *moves)
{
    struct model_ship *ship = &model->ships[effect->id];
    if (ship->state != HELD)
        return false;
    int64_t missing = ship->sent - ship->arrived, came = effect->quantity;
    int64_t more = came > missing ? came - missing : 0, part = came - more;
    bool books = effect->transfer.books;
    if (more && !books)
        return false;
    struct model_move in = {.place = ship->to, .opens = true};
    in.on_hand = part;
    if (part)
        model_add(moves, in);
    in.on_hand = more;
    if (more)
        model_add(moves, in);
    model->in += more + (ship->from < 0 ? part : 0);
    ship->arrived += part;
    int64_t rest = ship->sent - ship->arrived;
    if (rest && effect->transfer.last) {
        if (!books)
            return false;
        ship->arrived += rest;
        if (ship->from >= 0) { /* a loss that was never ours is none */
            in.on_hand = rest;
            model_add(moves, in);
            model_add(moves,
                      (struct model_move){.place = ship->to, .on_hand = -rest, .beyond = true});
            model->out += rest;
        }
    }
    if (ship->arrived == ship->sent)
        ship->state = ENDED;
    return true;
}

static bool model_ship(struct model *model, const struct effect *effect, struct model_moves *moves)
{
    struct model_ship *ship = &model->ships[effect->id];
    if (effect->verb == SOUK_STOCK_ARRIVE)
        return model_arrives(model, effect, moves);
    if (ship->state != NONE)
        return false;
    int to = effect->place / PRODUCTS == 0 ? effect->place + PRODUCTS : effect->place - PRODUCTS;
    *ship = (struct model_ship){.state = HELD,
                                .from = effect->transfer.origin.bytes ? effect->place : -1,
                                .to = to,
                                .sent = effect->quantity};
    if (ship->from >= 0)
        model_add(moves, (struct model_move){.place = effect->place, .on_hand = -effect->quantity});
    return true;
}

static void model_level(struct model *model, const struct effect *effect, struct model_moves *moves)
{
    struct model_move move = {.place = effect->place, .on_hand = effect->quantity};
    switch (effect->verb) {
    case SOUK_STOCK_PUT:
        move.opens = true;
        model->in += effect->quantity;
        break;
    case SOUK_STOCK_RETURN:
    case SOUK_STOCK_VOID:
        move.passes = true;
        break;
    case SOUK_STOCK_COUNT:
        move.opens = move.counts = true;
        break;
    default:
        move.on_hand = -effect->quantity;
        model->out += effect->quantity;
    }
    model_add(moves, move);
}

/* Effects of one level are few: a sort by insertion keeps their order. */
static bool model_run_all(struct model *model, struct model_moves *moves)
{
    for (int place = 0; place < PLACES; place++)
        for (int i = 0; i < moves->count; i++)
            if (moves->list[i].place == place && !model_run(model, &moves->list[i]))
                return false;
    return true;
}

static int compare_effects(const void *left, const void *right)
{
    const struct effect *const *a = left, *const *b = right;
    int order = strcmp((*a)->key, (*b)->key);
    return order ? order : (*a > *b) - (*a < *b);
}

static bool model_tries(struct model *model, const struct step *step)
{
    const struct effect *sorted[EFFECTS];
    struct model_moves moves = {.count = 0};
    for (int i = 0; i < step->count; i++)
        sorted[i] = &step->effects[i];
    qsort(sorted, (size_t)step->count, sizeof *sorted, compare_effects);
    for (int i = 0; i < step->count; i++)
        if (sorted[i]->verb >= SOUK_STOCK_RESERVE && sorted[i]->verb < SOUK_STOCK_SEND &&
            !model_hold(model, sorted[i], &moves))
            return false;
    for (int i = 0; i < step->count; i++)
        if (sorted[i]->verb >= SOUK_STOCK_SEND && !model_ship(model, sorted[i], &moves))
            return false;
    for (int i = 0; i < step->count; i++)
        if (sorted[i]->verb < SOUK_STOCK_RESERVE)
            model_level(model, sorted[i], &moves);
    return model_run_all(model, &moves) && !step->refuses;
}

static struct model before; /* too large for a stack */

static bool model_takes(struct model *model, const struct step *step)
{
    before = *model;
    bool takes = model_tries(model, step);
    if (!takes)
        *model = before;
    return takes;
}

/* ---- steps ------------------------------------------------------------------------------------------------- */

static void fill_level(souk_test *test, struct effect *effect, int *counted)
{
    effect->verb = (souk_stock_verb)test_random(test, SOUK_STOCK_COUNT + 1);
    if (effect->verb == SOUK_STOCK_SELL)
        effect->verb = SOUK_STOCK_PUT; /* a till's sale may go below zero: another test's */
    if (effect->verb == SOUK_STOCK_COUNT && (*counted)++)
        effect->verb = SOUK_STOCK_PUT;
    if (effect->verb == SOUK_STOCK_COUNT)
        effect->quantity += 1000; /* above what is reserved */
    effect->deed.verb = effect->verb;
    snprintf(effect->key, sizeof effect->key, "%s/%s", locations[effect->place / PRODUCTS],
             products[effect->place % PRODUCTS]);
}

static void fill_hold(souk_test *test, struct effect *effect, int newest)
{
    effect->verb = (souk_stock_verb)(SOUK_STOCK_RESERVE + test_random(test, 3));
    effect->id = newest - (int)test_random(test, (uint64_t)(newest < 12 ? newest + 1 : 12));
    snprintf(effect->key, sizeof effect->key, "r%03d", effect->id);
    effect->reservation =
        (souk_stock_reservation){.verb = effect->verb,
                                 .until = rig_noon + 1 + (int64_t)test_random(test, 3),
                                 .lines = effect->lines,
                                 .line_count = 1 + test_random(test, LINES)};
    for (size_t i = 0; i < effect->reservation.line_count; i++) {
        int place = (int)test_random(test, PLACES);
        int64_t quantity = 1 + (int64_t)test_random(test, 5);
        effect->model_lines[i] = (struct model_line){place, quantity};
        effect->lines[i] = (souk_stock_line){souk_text_of(locations[place / PRODUCTS]),
                                             souk_text_of(products[place % PRODUCTS]),
                                             {quantity},
                                             SOUK_TEXT(""),
                                             0};
    }
}

static void fill_ship(souk_test *test, struct effect *effect, int newest)
{
    effect->verb = test_random(test, 2) ? SOUK_STOCK_SEND : SOUK_STOCK_ARRIVE;
    effect->id = newest - (int)test_random(test, (uint64_t)(newest < 6 ? newest + 1 : 6));
    snprintf(effect->key, sizeof effect->key, "t%03d", effect->id);
    int from = effect->place / PRODUCTS;
    effect->lines[0] = (souk_stock_line){.product = souk_text_of(products[effect->id % PRODUCTS]),
                                         .quantity = {effect->quantity}};
    effect->place = from * PRODUCTS + effect->id % PRODUCTS; /* a transfer is of one product */
    effect->transfer = (souk_stock_transfer){
        .verb = effect->verb,
        .origin = test_random(test, 4) ? souk_text_of(locations[from]) : SOUK_TEXT(""),
        .destination = souk_text_of(locations[from == 0 ? 1 : from - 1]),
        .lines = effect->lines,
        .line_count = 1,
        .last = test_random(test, 3) == 0,
        .books = test_random(test, 2)};
}

static void done(souk_plan *plan, souk_err err)
{
    struct step *step = plan->context;
    step->err = err;
    step->answered = true;
}

static souk_err refuse(void *state, souk_tx *tx, souk_plan *plan, const souk_effect *effects,
                       size_t count)
{
    (void)state, (void)tx, (void)plan, (void)effects, (void)count;
    return SOUK_EDENIED;
}

static void fill(souk_test *test, struct step *step, int newest)
{
    int counted = 0;
    memset(step, 0, sizeof *step);
    rig_begin(test, &step->rig, rig_noon);
    step->rig.plan.done = done;
    step->rig.plan.context = step;
    step->count = 1 + (int)test_random(test, EFFECTS);
    step->refuses = test_random(test, 8) == 0;
    for (int i = 0; i < step->count; i++) {
        struct effect *effect = &step->effects[i];
        effect->place = (int)test_random(test, PLACES);
        effect->quantity = 1 + (int64_t)test_random(test, 9);
        uint64_t dice = test_random(test, 10);
        if (dice < 4)
            fill_level(test, effect, &counted);
        else if (dice < 7)
            fill_hold(test, effect, newest);
        else
            fill_ship(test, effect, newest);
        if (effect->verb < SOUK_STOCK_RESERVE)
            rig_level(&step->rig, effect->key, effect->quantity, &effect->deed);
        else
            rig_other(&step->rig, effect->key,
                      effect->verb < SOUK_STOCK_SEND ? (void *)&effect->reservation
                                                     : (void *)&effect->transfer);
    }
    if (step->refuses)
        souk_plan_add(&step->rig.plan, SOUK_EFFECT_EMIT, SOUK_TEXT("no"), 0, NULL);
}

/* ---- what must hold ------------------------------------------------------------------------------------------ */

static void check_same(souk_test *test, souk_stock *stock, const struct model *model)
{
    int64_t there = 0, on_way = 0;
    for (int i = 0; i < PLACES; i++) {
        souk_stock_level level =
            rig_read(test, stock, locations[i / PRODUCTS], products[i % PRODUCTS]);
        SOUK_CHECK((level.id != 0) == model->is_there[i]);
        SOUK_CHECK(level.on_hand.micro == model->on_hand[i]);
        SOUK_CHECK(level.reserved.micro == model->reserved[i]);
        SOUK_CHECK(level.reserved.micro >= 0 && level.on_hand.micro >= level.reserved.micro);
        there += level.on_hand.micro;
    }
    for (int i = 0; i < IDS; i++)
        if (model->ships[i].state == HELD && model->ships[i].from >= 0)
            on_way += model->ships[i].sent - model->ships[i].arrived;
    SOUK_CHECK(model->in == there + on_way + model->out);
}

static void expire_both(souk_test *test, souk_stock *stock, struct model *model, souk_time now)
{
    uint64_t expired, expected = 0;
    SOUK_MUST(souk_stock_expire(stock, now, &expired));
    for (int i = 0; i < IDS; i++) {
        struct model_hold *hold = &model->holds[i];
        if (hold->state != HELD || hold->until > now)
            continue;
        hold->state = ENDED;
        expected++;
        for (int line = 0; line < hold->count; line++)
            model->reserved[hold->lines[line].place] -= hold->lines[line].quantity;
    }
    SOUK_CHECK(expired == expected);
}

static void one_round(souk_test *test, struct shop *shop, souk_stock *stock, struct model *model,
                      int newest, uint64_t *taken)
{
    static struct step steps[STEPS];
    souk_effect_owners owners = stock->owners;
    owners.of[SOUK_EFFECT_EMIT] = (souk_effect_owner){refuse, NULL};
    souk_ledger_hold(shop->ledger);
    for (int i = 0; i < STEPS; i++) {
        fill(test, &steps[i], newest);
        SOUK_MUST(souk_plan_submit(shop->ledger, &owners, &steps[i].rig.plan));
    }
    souk_ledger_release(shop->ledger);
    SOUK_MUST(souk_ledger_write(shop->ledger, SOUK_LANE_JOB, nothing, NULL)); /* behind them */
    for (int i = 0; i < STEPS; i++) {
        SOUK_CHECK(steps[i].answered);
        bool takes = model_takes(model, &steps[i]);
        if ((steps[i].err == SOUK_OK) != takes)
            test_fail(test, __FILE__, __LINE__, "step %d of %d: %s (%s), the model %s", i, newest,
                      souk_err_name(steps[i].err), steps[i].rig.plan.diag.words,
                      takes ? "takes it" : "does not");
        *taken += takes;
        souk_arena_done(&steps[i].rig.arena);
    }
}

SOUK_TEST("random plans leave what a plain model has, and nothing appears or disappears")
{
    static struct model model;
    EACH_STOCK(shop, stock, .readers = 2)
    {
        uint64_t taken = 0;
        memset(&model, 0, sizeof model);
        for (int round = 0; round < 120; round++) {
            bool more;
            one_round(test, &shop, stock, &model, round, &taken);
            check_same(test, stock, &model);
            if (test_random(test, 6) == 0)
                expire_both(test, stock, &model, rig_noon + (int64_t)test_random(test, 4));
            if (test_random(test, 6) == 0)
                SOUK_MUST(souk_stock_keep(stock, 2, &more));
        }
        check_same(test, stock, &model);
        SOUK_CHECK(taken > 120);
        SOUK_MUST(souk_stock_verify(stock, NULL));
    }
}

SOUK_TEST("the same model notices one piece that was put behind its back")
{
    static struct model model;
    EACH_STOCK(shop, stock, .readers = 1)
    {
        memset(&model, 0, sizeof model);
        SOUK_MUST(rig_one(test, &shop, stock, SOUK_STOCK_PUT, "A/tea", 1, NULL));
        souk_stock_level level = rig_read(test, stock, "A", "tea");
        SOUK_CHECK(level.on_hand.micro != model.on_hand[2]);
        model.is_there[2] = true;
        model.on_hand[2] = model.in = 1;
        check_same(test, stock, &model);
    }
}
