/* stock.c - the owner of stock: effects become movements, refusals become words: see stock.h. */
#include "base/pan.h"
#include "service/stock/stock_inside.h"

#include <stdlib.h>

souk_levels *souk_stock_levels(souk_stock *stock)
{
    return stock->levels;
}

souk_text souk_stock_key(souk_arena *arena, souk_text location, souk_text product)
{
    char *key = souk_arena_get(arena, location.bytes + 1 + product.bytes);
    if (arena->failed)
        return SOUK_TEXT("");
    memcpy(key, location.at, location.bytes);
    key[location.bytes] = '/';
    memcpy(key + location.bytes + 1, product.at, product.bytes);
    return (souk_text){key, location.bytes + 1 + product.bytes};
}

souk_hash128 stock_reference(const souk_stock *stock, const char *noun, uint32_t merchant,
                             souk_text id)
{
    char number[4];
    souk_put_u32(number, merchant);
    souk_text parts[] = {souk_text_of(noun), {number, sizeof number}, id};
    return souk_hash128_of(&stock->key, parts, 3);
}

/* ---- what is asked for ------------------------------------------------------------------------------- */

souk_err stock_check_id(souk_text id, const char *noun, souk_diag *diag)
{
    bool good = id.bytes > 0 && id.bytes <= SOUK_STOCK_ID_BYTES;
    for (size_t i = 0; i < id.bytes && good; i++)
        good = id.at[i] > ' ' && id.at[i] < 127;
    if (good && souk_pan_find(id).at)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the id of the %s is the number of a payment card: never send one",
                             noun);
    return good ? SOUK_OK
                : souk_diag_say(diag, SOUK_EINVAL,
                                "the id of a %s has 1 to %d visible ASCII characters: send a UUID",
                                noun, SOUK_STOCK_ID_BYTES);
}

static souk_err check_location(souk_text location, souk_diag *diag)
{
    if (location.bytes == 0 || location.bytes > SOUK_STOCK_LOCATION_BYTES ||
        memchr(location.at, '/', location.bytes))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "location: a code of 1 to %d bytes without '/', such as SH-014",
                             SOUK_STOCK_LOCATION_BYTES);
    return SOUK_OK;
}

static souk_err check_product(souk_text product, souk_diag *diag)
{
    if (product.bytes == 0 || product.bytes > SOUK_STOCK_PRODUCT_BYTES)
        return souk_diag_say(diag, SOUK_EINVAL, "product: a code of 1 to %d bytes",
                             SOUK_STOCK_PRODUCT_BYTES);
    return SOUK_OK;
}

static souk_err check_quantity(souk_text product, int64_t micro, bool counts, souk_diag *diag)
{
    if (micro < 0 || (micro == 0 && !counts) || micro > SOUK_STOCK_MOST_MICRO)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "quantity of %.*s: a number above 0%s and at most a billion, with up "
                             "to six decimals",
                             SOUK_TEXT_PRINT(product), counts ? ", or 0," : "");
    return SOUK_OK;
}

static souk_err check_lot(souk_text lot, souk_time expires, souk_diag *diag)
{
    if (lot.bytes > SOUK_STOCK_LOT_BYTES)
        return souk_diag_say(diag, SOUK_EINVAL, "lot: at most %d bytes, as GS1 (10) has",
                             SOUK_STOCK_LOT_BYTES);
    if (expires < 0 || expires > SOUK_TIME_LAST || (expires && lot.bytes == 0))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "expires: a day such as 2026-12-31, of the lot that is named");
    return SOUK_OK;
}

souk_err stock_check_line(const souk_stock_line *line, bool has_location, souk_diag *diag)
{
    if (has_location)
        SOUK_TRY(check_location(line->location, diag));
    SOUK_TRY(check_product(line->product, diag));
    SOUK_TRY(check_lot(line->lot, line->expires, diag));
    return check_quantity(line->product, line->quantity.micro, false, diag);
}

/* ---- one movement -------------------------------------------------------------------------------------- */

struct words { /* of numbers */
    char on_hand[SOUK_DECIMAL_BYTES], reserved[SOUK_DECIMAL_BYTES], free[SOUK_DECIMAL_BYTES],
        asked[SOUK_DECIMAL_BYTES];
};

static souk_err say_conflict(stock_moves *moves, const stock_move *move,
                             const souk_stock_level *there)
{
    const souk_movement *movement = &move->movement;
    const souk_stock_place *place = &movement->place;
    struct words words;
    souk_decimal unbound = {there->on_hand.micro - there->reserved.micro}, in_lot = {0};
    souk_decimal_write(there->on_hand, words.on_hand);
    souk_decimal_write(there->reserved, words.reserved);
    souk_decimal_write(unbound, words.free);
    souk_decimal_write(move->asked, words.asked);
    if (movement->lot.bytes)
        SOUK_TRY(souk_levels_lot(moves->tx, there->id, movement->lot, &in_lot));
    if (movement->lot.bytes && movement->on_hand.micro < 0 && in_lot.micro < move->asked.micro) {
        souk_decimal_write(in_lot, words.free);
        return souk_diag_say(moves->diag, SOUK_ECONFLICT,
                             "lot %.*s of %.*s at %.*s: %s is there, %s was asked for; name "
                             "another lot, or none",
                             SOUK_TEXT_PRINT(movement->lot), SOUK_TEXT_PRINT(place->product),
                             SOUK_TEXT_PRINT(place->location), words.free, words.asked);
    }
    return souk_diag_say(moves->diag, SOUK_ECONFLICT,
                         "%.*s at %.*s: %s is free (%s on hand, %s reserved), %s was asked for",
                         SOUK_TEXT_PRINT(place->product), SOUK_TEXT_PRINT(place->location),
                         words.free, words.on_hand, words.reserved, words.asked);
}

static souk_err say(stock_moves *moves, const stock_move *move, const souk_stock_level *there,
                    souk_err err)
{
    const souk_stock_place *place = &move->movement.place;
    switch (err) {
    case SOUK_ECONFLICT:
        return say_conflict(moves, move, there);
    case SOUK_ENOENT:
        return souk_diag_say(moves->diag, err,
                             "%.*s is not kept in stock at %.*s: receive or count some there first",
                             SOUK_TEXT_PRINT(place->product), SOUK_TEXT_PRINT(place->location));
    case SOUK_EEXIST:
        return souk_diag_say(moves->diag, err,
                             "lot %.*s of %.*s at %.*s expires on another day: send that day, or "
                             "another lot",
                             SOUK_TEXT_PRINT(move->movement.lot), SOUK_TEXT_PRINT(place->product),
                             SOUK_TEXT_PRINT(place->location));
    case SOUK_ETOOBIG:
        return souk_diag_say(moves->diag, err,
                             "%.*s at %.*s has moved too often since it was counted: count again",
                             SOUK_TEXT_PRINT(place->product), SOUK_TEXT_PRINT(place->location));
    case SOUK_EOVERFLOW:
        return souk_diag_say(moves->diag, err, "%.*s at %.*s: the level would be above %lld",
                             SOUK_TEXT_PRINT(place->product), SOUK_TEXT_PRINT(place->location),
                             4000000000000LL);
    default:
        return err;
    }
}

/* Whether the verb passes over what is not kept in stock there. */
static bool passes_over(const souk_stock_deed *deed)
{
    return deed && (deed->verb == SOUK_STOCK_SELL || deed->verb == SOUK_STOCK_RETURN ||
                    deed->verb == SOUK_STOCK_VOID);
}

static souk_err run_move(stock_moves *moves, const stock_move *move)
{
    souk_stock_deed *deed = move->deed;
    souk_levels *levels = moves->stock->levels;
    souk_stock_level after = {.id = 0};
    souk_decimal difference = {0};
    souk_err err;
    if (deed && deed->verb == SOUK_STOCK_COUNT)
        err = souk_levels_counted(levels, moves->tx, &move->movement,
                                  deed->counted_at ? deed->counted_at : moves->at, &difference,
                                  &after);
    else
        err = souk_levels_move(levels, moves->tx, &move->movement, &after);
    bool passed = err == SOUK_ENOENT && passes_over(deed);
    if (deed) {
        deed->kept = !err;
        deed->after = after;
        deed->difference = difference;
    }
    return !err || passed ? SOUK_OK : say(moves, move, &after, err);
}

/* ---- effects of levels ------------------------------------------------------------------------------------ */

/* How each verb moves a level; amount times the signs. */
static const struct manner {
    souk_move_kind kind;
    int on_hand;
    bool opens, beyond;
} manners[] = {
    [SOUK_STOCK_TAKE] = {SOUK_MOVE_SALE, -1, false, false},
    [SOUK_STOCK_SELL] = {SOUK_MOVE_SALE, -1, false, true},
    [SOUK_STOCK_PUT] = {SOUK_MOVE_RECEIVED, 1, true, false},
    [SOUK_STOCK_RETURN] = {SOUK_MOVE_RETURN, 1, false, false},
    [SOUK_STOCK_VOID] = {SOUK_MOVE_VOIDED, 1, false, false},
    [SOUK_STOCK_WRITE_OFF] = {SOUK_MOVE_WRITTEN_OFF, -1, false, false},
    [SOUK_STOCK_COUNT] = {SOUK_MOVE_COUNTED, 1, true, true},
};

static souk_err move_of(stock_moves *moves, const souk_effect *effect, stock_move *ret_move)
{
    souk_stock_deed *deed = effect->what;
    const struct manner *manner = &manners[deed->verb];
    souk_text product = effect->key, location = souk_text_cut(&product, '/');
    SOUK_TRY(check_location(location, moves->diag));
    SOUK_TRY(check_product(product, moves->diag));
    SOUK_TRY(check_quantity(product, effect->amount, deed->verb == SOUK_STOCK_COUNT, moves->diag));
    SOUK_TRY(check_lot(deed->lot, deed->expires, moves->diag));
    *ret_move = (stock_move){.key = effect->key,
                             .number = effect->number,
                             .deed = deed,
                             .asked = {effect->amount},
                             .movement = {.place = {moves->merchant, location, product},
                                          .kind = manner->kind,
                                          .on_hand = {manner->on_hand * effect->amount},
                                          .lot = deed->lot,
                                          .expires = deed->expires,
                                          .at = moves->at,
                                          .reference = deed->reference,
                                          .opens = manner->opens,
                                          .beyond = manner->beyond}};
    return SOUK_OK;
}

/* ---- gathered movements ---------------------------------------------------------------------------------- */

static souk_text copy(souk_arena *arena, souk_text text)
{
    return (souk_text){souk_arena_copy(arena, text.at, text.bytes), text.bytes};
}

static stock_move *room_for_one(stock_moves *moves)
{
    if (moves->count == moves->capacity) {
        size_t capacity = moves->capacity ? 2 * moves->capacity : 32;
        stock_move *grown = souk_arena_get(&moves->arena, capacity * sizeof *grown);
        if (moves->arena.failed)
            return NULL;
        if (moves->count)
            memcpy(grown, moves->list, moves->count * sizeof *grown);
        moves->list = grown;
        moves->capacity = capacity;
    }
    return &moves->list[moves->count];
}

void stock_moves_add(stock_moves *moves, const souk_movement *movement, souk_stock_deed *deed)
{
    stock_move *move = room_for_one(moves);
    if (!move)
        return;
    souk_text location = movement->place.location, product = movement->place.product;
    int64_t asked = movement->on_hand.micro ? movement->on_hand.micro : movement->reserved.micro;
    *move = (stock_move){.number = (uint32_t)moves->count,
                         .movement = *movement,
                         .deed = deed,
                         .asked = {asked < 0 ? -asked : asked}};
    move->key = souk_stock_key(&moves->arena, location, product);
    if (moves->arena.failed)
        return;
    move->movement.place.location = (souk_text){move->key.at, location.bytes};
    move->movement.place.product = (souk_text){move->key.at + location.bytes + 1, product.bytes};
    move->movement.lot = copy(&moves->arena, movement->lot);
    moves->count++;
}

void stock_moves_line(stock_moves *moves, const souk_stock_line *line, souk_move_kind kind,
                      int on_hand, int reserved, souk_hash128 reference)
{
    souk_movement movement = {.place = {moves->merchant, line->location, line->product},
                              .kind = kind,
                              .on_hand = {on_hand * line->quantity.micro},
                              .reserved = {reserved * line->quantity.micro},
                              .lot = line->lot,
                              .expires = line->expires,
                              .at = moves->at,
                              .reference = reference,
                              .opens = on_hand > 0,
                              .beyond = kind == SOUK_MOVE_WRITTEN_OFF};
    stock_moves_add(moves, &movement, NULL);
}

static int compare(const void *left, const void *right)
{
    const stock_move *a = left, *b = right;
    int order = souk_text_compare(a->key, b->key);
    return order ? order : (a->number > b->number) - (a->number < b->number);
}

souk_err stock_moves_run(stock_moves *moves)
{
    if (moves->arena.failed)
        return SOUK_ENOMEM;
    if (moves->count)
        qsort(moves->list, moves->count, sizeof *moves->list, compare);
    for (size_t i = 0; i < moves->count; i++)
        SOUK_TRY(run_move(moves, &moves->list[i]));
    return SOUK_OK;
}

/* ---- the owner --------------------------------------------------------------------------------------------- */

static souk_stock_verb verb_of(const souk_effect *effect)
{
    return *(const souk_stock_verb *)effect->what; /* each `what` begins with it */
}

static bool is_of_level(const souk_effect *effect)
{
    return verb_of(effect) < SOUK_STOCK_RESERVE;
}

static souk_err apply_levels(stock_moves *moves, const souk_effect *effects, size_t count)
{
    stock_move move;
    for (size_t i = 0; i < count; i++) {
        SOUK_TRY(move_of(moves, &effects[i], &move));
        SOUK_TRY(run_move(moves, &move));
    }
    return SOUK_OK;
}

/* Effects come in the order of their keys, so each pass has the order of ids. */
static souk_err gather(stock_moves *moves, const souk_effect *effects, size_t count)
{
    stock_move move;
    for (size_t i = 0; i < count; i++)
        if (!is_of_level(&effects[i]) && verb_of(&effects[i]) < SOUK_STOCK_SEND)
            SOUK_TRY(reservation_apply(moves, effects[i].key, effects[i].what));
    for (size_t i = 0; i < count; i++)
        if (verb_of(&effects[i]) >= SOUK_STOCK_SEND)
            SOUK_TRY(transfer_apply(moves, effects[i].key, effects[i].what));
    for (size_t i = 0; i < count; i++)
        if (is_of_level(&effects[i])) {
            SOUK_TRY(move_of(moves, &effects[i], &move));
            stock_moves_add(moves, &move.movement, effects[i].what);
        }
    return SOUK_OK;
}

static souk_err apply(void *state, souk_tx *tx, souk_plan *plan, const souk_effect *effects,
                      size_t count)
{
    souk_stock *stock = state;
    stock_moves moves = {.stock = stock,
                         .tx = tx,
                         .diag = &plan->diag,
                         .merchant = plan->merchant,
                         .at = plan->at,
                         .arena = {.mem = stock->mem}};
    size_t of_levels = 0;
    while (of_levels < count && is_of_level(&effects[of_levels]))
        of_levels++;
    if (of_levels == count) /* as almost always: they stand in order, nothing is gathered */
        return apply_levels(&moves, effects, count);
    souk_err err = gather(&moves, effects, count);
    if (!err)
        err = stock_moves_run(&moves);
    souk_arena_done(&moves.arena);
    return err;
}

souk_effect_owner souk_stock_owner(souk_stock *stock)
{
    return (souk_effect_owner){apply, stock};
}
