/* vault_slots.c - the bitmap of vault_slots.h. */
#include "store/vault_slots.h"

enum { WORD_BITS = 64 };

void souk_vault_slots_done(souk_vault_slots *slots)
{
    souk_mem_put(slots->mem, slots->taken);
    souk_mem_put(slots->mem, slots->free_in);
    *slots = (souk_vault_slots){0};
}

souk_err souk_vault_slots_room(souk_vault_slots *slots, uint32_t block_count)
{
    size_t words = (size_t)block_count * (slots->block_slots / WORD_BITS);
    SOUK_TRY(souk_mem_grow(slots->mem, &slots->taken, &slots->taken_capacity, words,
                           (size_t)1 << 26, sizeof *slots->taken));
    return souk_mem_grow(slots->mem, &slots->free_in, &slots->free_in_capacity, block_count,
                         (size_t)1 << 26, sizeof *slots->free_in);
}

void souk_vault_slots_add(souk_vault_slots *slots)
{
    uint32_t words = slots->block_slots / WORD_BITS;
    souk_assert(slots->block_count < slots->free_in_capacity);
    souk_assert((size_t)(slots->block_count + 1) * words <= slots->taken_capacity);
    uint64_t *from = slots->taken + (size_t)slots->block_count * words;
    for (uint32_t i = 0; i < words; i++)
        from[i] = 0;
    slots->free_in[slots->block_count++] = slots->block_slots;
    slots->free_count += slots->block_slots;
}

/* The bit of the nth clear bit of a word that has more than nth. */
static uint32_t nth_clear(uint64_t word, uint32_t nth)
{
    uint64_t clear = ~word;
    while (nth--)
        clear &= clear - 1;
    return (uint32_t)__builtin_ctzll(clear);
}

uint32_t souk_vault_slots_choose(souk_vault_slots *slots, uint32_t chance)
{
    souk_assert(chance < slots->free_count);
    uint32_t block = slots->open_block;
    while (chance >= slots->free_in[block])
        chance -= slots->free_in[block++];
    size_t word = (size_t)block * (slots->block_slots / WORD_BITS);
    for (;; word++) {
        uint32_t clear = WORD_BITS - (uint32_t)__builtin_popcountll(slots->taken[word]);
        if (chance < clear)
            break;
        chance -= clear;
    }
    uint32_t bit = (uint32_t)word * WORD_BITS + nth_clear(slots->taken[word], chance);
    uint32_t slot = slots->first + bit;
    souk_vault_slots_take(slots, slot);
    return slot;
}

static bool is_taken(const souk_vault_slots *slots, uint32_t bit)
{
    return slots->taken[bit / WORD_BITS] >> (bit % WORD_BITS) & 1;
}

void souk_vault_slots_take(souk_vault_slots *slots, uint32_t slot)
{
    uint32_t bit = slot - slots->first, block = bit / slots->block_slots;
    souk_assert(slot >= slots->first && block < slots->block_count);
    if (is_taken(slots, bit))
        return;
    slots->taken[bit / WORD_BITS] |= (uint64_t)1 << (bit % WORD_BITS);
    slots->free_in[block]--;
    slots->free_count--;
    while (slots->open_block < slots->block_count && !slots->free_in[slots->open_block])
        slots->open_block++;
}

void souk_vault_slots_give(souk_vault_slots *slots, uint32_t slot)
{
    uint32_t bit = slot - slots->first, block = bit / slots->block_slots;
    souk_assert(slot >= slots->first && block < slots->block_count);
    if (!is_taken(slots, bit))
        return;
    slots->taken[bit / WORD_BITS] &= ~((uint64_t)1 << (bit % WORD_BITS));
    slots->free_in[block]++;
    slots->free_count++;
    if (block < slots->open_block)
        slots->open_block = block;
}
