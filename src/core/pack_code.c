/* pack_code.c - the codes of pack_code.h: a tree by two queues, cut to 16 bits, numbered by length. */
#include "core/pack_code.h"

#include <stdlib.h>

static int by_weight(const void *a, const void *b)
{
    const souk_pack_node *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight < y->weight ? -1 : 1;
    return x->symbol < y->symbol ? -1 : 1;
}

/* Codes above 16 bits are cut to 16, and the room they then lack is taken from the rarest shorter
 * ones: nodes[0..count) still go from rare to common. */
static void cut(const souk_pack_node *nodes, size_t count, uint8_t *lengths)
{
    int64_t room = (int64_t)1 << SOUK_PACK_CODE_MOST;
    for (size_t i = 0; i < count; i++)
        room -= (int64_t)1 << (SOUK_PACK_CODE_MOST - lengths[i]);
    while (room < 0) {
        for (size_t i = 0; i < count && room < 0; i++) {
            uint8_t *length = &lengths[nodes[i].symbol];
            if (*length < SOUK_PACK_CODE_MOST) {
                *length = (uint8_t)(*length + 1);
                room += (int64_t)1 << (SOUK_PACK_CODE_MOST - *length);
            }
        }
    }
    for (size_t i = count; i-- > 0;) { /* what is left over goes to the most common that it fits */
        uint8_t *length = &lengths[nodes[i].symbol];
        while (*length > 1 && room >= (int64_t)1 << (SOUK_PACK_CODE_MOST - *length)) {
            room -= (int64_t)1 << (SOUK_PACK_CODE_MOST - *length);
            *length = (uint8_t)(*length - 1);
        }
    }
}

void souk_pack_code_lengths(const uint32_t *weights, size_t count, souk_pack_node *nodes,
                            uint8_t *lengths)
{
    souk_assert(count >= 2 && count <= SOUK_PACK_SYMBOLS);
    for (size_t i = 0; i < count; i++) {
        souk_assert(weights[i] > 0);
        nodes[i] = (souk_pack_node){.weight = weights[i], .symbol = (uint32_t)i};
    }
    qsort(nodes, count, sizeof *nodes, by_weight);

    /* Leaves come sorted and so do the sums: the two lightest stand at the heads of two queues. */
    size_t leaf = 0, inner = count, made = count;
    while (made < 2 * count - 1) {
        uint64_t sum = 0;
        for (int pick = 0; pick < 2; pick++) {
            bool take_leaf =
                leaf < count && (inner == made || nodes[leaf].weight <= nodes[inner].weight);
            souk_pack_node *node = &nodes[take_leaf ? leaf++ : inner++];
            node->parent = (uint32_t)made;
            sum += node->weight;
        }
        nodes[made++] = (souk_pack_node){.weight = sum};
    }

    nodes[made - 1].weight = 0; /* from here on: the depth */
    for (size_t i = made - 1; i-- > 0;) {
        nodes[i].weight = nodes[nodes[i].parent].weight + 1;
        if (i < count)
            lengths[nodes[i].symbol] =
                (uint8_t)souk_min_size((size_t)nodes[i].weight, SOUK_PACK_CODE_MOST);
    }
    cut(nodes, count, lengths);
}

/* The first code of each length, and how many there are. */
static void first_codes(const uint8_t *lengths, size_t count, uint32_t *first, uint32_t *many)
{
    memset(many, 0, (SOUK_PACK_CODE_MOST + 1) * sizeof *many);
    for (size_t i = 0; i < count; i++)
        many[lengths[i]]++;
    uint32_t code = 0;
    first[0] = 0;
    for (size_t bits = 1; bits <= SOUK_PACK_CODE_MOST; bits++) {
        code = (code + (bits > 1 ? many[bits - 1] : 0)) << 1;
        first[bits] = code;
    }
}

void souk_pack_code_numbers(const uint8_t *lengths, size_t count, uint32_t *numbers)
{
    uint32_t next[SOUK_PACK_CODE_MOST + 1], many[SOUK_PACK_CODE_MOST + 1];
    first_codes(lengths, count, next, many);
    for (size_t i = 0; i < count; i++)
        numbers[i] = next[lengths[i]]++ << 5 | lengths[i];
}

void souk_pack_book_fill(const uint8_t *lengths, size_t count, souk_pack_book *book)
{
    uint32_t first[SOUK_PACK_CODE_MOST + 1], many[SOUK_PACK_CODE_MOST + 1];
    uint32_t place[SOUK_PACK_CODE_MOST + 1], before = 0;
    first_codes(lengths, count, first, many);
    memset(book, 0, sizeof *book);
    for (size_t bits = 1; bits <= SOUK_PACK_CODE_MOST; bits++) {
        place[bits] = before;
        book->base[bits] = (int32_t)before - (int32_t)first[bits];
        book->end[bits] = (first[bits] + many[bits]) << (SOUK_PACK_CODE_MOST - bits);
        before += many[bits];
    }
    for (size_t i = 0; i < count; i++) {
        unsigned bits = lengths[i];
        uint32_t code = (uint32_t)((int32_t)place[bits] - book->base[bits]);
        book->order[place[bits]++] = (uint16_t)i;
        if (bits > SOUK_PACK_FAST_BITS)
            continue;
        size_t from = (size_t)code << (SOUK_PACK_FAST_BITS - bits);
        for (size_t j = 0; j < (size_t)1 << (SOUK_PACK_FAST_BITS - bits); j++)
            book->fast[from + j] = (uint16_t)(i << 4 | bits);
    }
}

unsigned souk_pack_book_slow(const souk_pack_book *book, uint64_t window, unsigned *ret_bits)
{
    uint32_t ahead = (uint32_t)(window >> (64 - SOUK_PACK_CODE_MOST));
    for (unsigned bits = SOUK_PACK_FAST_BITS + 1; bits <= SOUK_PACK_CODE_MOST; bits++)
        if (ahead < book->end[bits]) {
            *ret_bits = bits;
            uint32_t code = ahead >> (SOUK_PACK_CODE_MOST - bits);
            return book->order[(uint32_t)(book->base[bits] + (int32_t)code)];
        }
    *ret_bits = SOUK_PACK_CODE_MOST;
    return SOUK_PACK_SYMBOLS;
}
