/* share.c - floors first, then a heap hands out what is left (share.h).
 *
 * Fractions are exact: all have the same denominator, the sum of the weights, so their numerators compare. */
#include "algo/share.h"

__extension__ typedef unsigned __int128 wide;

/* Whether a gets a unit before b. */
static bool before(const souk_share_seat *a, const souk_share_seat *b)
{
    return a->rest > b->rest || (a->rest == b->rest && a->index < b->index);
}

static void sink(souk_share_seat *seats, size_t count, size_t at)
{
    souk_share_seat seat = seats[at];
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && before(&seats[child + 1], &seats[child]))
            child++;
        if (!before(&seats[child], &seat))
            break;
        seats[at] = seats[child];
    }
    seats[at] = seat;
}

/* One unit more for each of the first `left` seats. */
static void hand_out(uint64_t left, souk_share_seat *seats, size_t count, int64_t *parts)
{
    for (size_t i = count / 2; i-- > 0;)
        sink(seats, count, i);
    for (; left; left--) {
        souk_assert(count && seats[0].rest);
        parts[seats[0].index]++;
        seats[0] = seats[--count];
        sink(seats, count, 0);
    }
}

void souk_share_spread(int64_t amount, const int64_t *weights, size_t count, souk_share_seat *seats,
                       int64_t *ret_parts)
{
    int64_t sum = 0;
    bool fits = amount >= 0;
    for (size_t i = 0; i < count; i++)
        fits &= weights[i] >= 0 && !__builtin_add_overflow(sum, weights[i], &sum);
    souk_assert(fits && (sum > 0 || amount == 0));

    uint64_t of = (uint64_t)(sum ? sum : 1), left = (uint64_t)amount;
    size_t waiting = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t product, part, rest;
        if (!__builtin_mul_overflow((uint64_t)amount, (uint64_t)weights[i], &product)) {
            part = product / of;
            rest = product % of;
        } else {
            wide exact = (wide)(uint64_t)amount * (uint64_t)weights[i];
            part = (uint64_t)(exact / of);
            rest = (uint64_t)(exact % of);
        }
        ret_parts[i] = (int64_t)part;
        left -= part;
        if (rest)
            seats[waiting++] = (souk_share_seat){rest, (uint32_t)i};
    }
    if (left)
        hand_out(left, seats, waiting, ret_parts);
}
