/* dice.h - chance without memory: the throws for one purpose of one person on one day.
 *
 *     world_dice dice = world_dice_of(world->key, person, day, WORLD_BASKET);
 *     if (world_below(&dice, 100) < 30) ...                         three times in ten
 *
 * Equal keys throw alike, wherever and whenever; different ones as if they had nothing to do with each other.
 * Cost     a throw: six instructions and two multiplications
 * Source   splitmix64: Steele, Lea, Flood, OOPSLA 2014, started at a hash of what it is for */
#ifndef SOUK_WORLD_DICE_H
#define SOUK_WORLD_DICE_H

#include "base/hash.h"

enum world_purpose { /* what is thrown for; never to be put in another order */
                     WORLD_COUPLE,
                     WORLD_HOUSEHOLD,
                     WORLD_PERSON,
                     WORLD_OUTING,
                     WORLD_BASKET,
                     WORLD_TRIP,
                     WORLD_STORE,
                     WORLD_BROWSE,
                     WORLD_RETURN,
                     WORLD_PROMOTION,
                     WORLD_NEED,
                     WORLD_FAVOURITE,
                     WORLD_HOURS,
                     /* keys of names that events carry */
                     WORLD_USER,
                     WORLD_EMAIL,
                     WORLD_PHONE,
                     WORLD_CARD,
                     WORLD_DEVICE,
                     WORLD_RECEIPT,
                     WORLD_TRACK,
};

typedef struct world_dice {
    uint64_t state;
} world_dice;

static inline uint64_t world_throw(world_dice *dice)
{
    return souk_mix64(dice->state += 0x9e3779b97f4a7c15u);
}
/* day and purpose share 32 bits: the day may be below 0, or be another small number. */
static inline world_dice world_dice_of(uint64_t key, uint32_t who, int32_t day,
                                       enum world_purpose purpose)
{
    uint64_t what = (uint64_t)who << 32 | (uint32_t)day << 8 | (uint32_t)purpose;
    return (world_dice){souk_mix64(key + what * 0x9e3779b97f4a7c15u)};
}
/* Uniform in [0, below) but for one part in 2^32 / below. */
static inline uint32_t world_below(world_dice *dice, uint32_t below)
{
    return (uint32_t)((world_throw(dice) >> 32) * below >> 32);
}
static inline bool world_percent(world_dice *dice, uint32_t percent)
{
    return world_below(dice, 100) < percent;
}
/* An index, each as likely as its share; shares sum up to `sum`. */
static inline uint32_t world_pick(world_dice *dice, const uint32_t *shares, uint32_t sum)
{
    uint32_t thrown = world_below(dice, sum), at = 0;
    while (thrown >= shares[at])
        thrown -= shares[at++];
    return at;
}

#endif
