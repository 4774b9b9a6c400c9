/* vault_slots.c - the bitmap of vault_slots.h. */
#include "store/vault_slots.h"

enum { WORD_BITS = 64 };

void souk_vault_slots_done(souk_vault_slots *slots)
{
    souk_mem_put(slots->mem, slots->taken);
    *slots = (souk_vault_slots){0};
}

souk_err souk_vault_slots_room(souk_vault_slots *slots, uint32_t block_count)
{
    size_t words = (size_t)block_count * (slots->block_slots / WORD_BITS);
    return souk_mem_grow(slots->mem, &slots->taken, &slots->taken_capacity, words, (size_t)1 << 26,
                         sizeof *slots->taken);
}

void souk_vault_slots_add(souk_vault_slots *slots)
{
    uint32_t words = slots->block_slots / WORD_BITS;
    souk_assert((size_t)(slots->block_count + 1) * words <= slots->taken_capacity);
    uint64_t *from = slots->taken + (size_t)slots->block_count * words;
    for (uint32_t i = 0; i < words; i++)
        from[i] = 0;
    slots->block_count++;
    slots->free_count += slots->block_slots;
}

uint32_t souk_vault_slots_choose(souk_vault_slots *slots)
{
    souk_assert(slots->free_count);
    while (slots->taken[slots->open_word] == UINT64_MAX)
        slots->open_word++;
    uint32_t bit = (uint32_t)__builtin_ctzll(~slots->taken[slots->open_word]);
    uint32_t slot = slots->first + (uint32_t)slots->open_word * WORD_BITS + bit;
    souk_vault_slots_take(slots, slot);
    return slot;
}

static bool is_taken(const souk_vault_slots *slots, uint32_t bit)
{
    return slots->taken[bit / WORD_BITS] >> (bit % WORD_BITS) & 1;
}

void souk_vault_slots_take_word(souk_vault_slots *slots, uint32_t slot, uint64_t bits)
{
    uint32_t bit = slot - slots->first;
    souk_assert(slot >= slots->first && bit / slots->block_slots < slots->block_count &&
                bit % WORD_BITS == 0);
    uint64_t *word = &slots->taken[bit / WORD_BITS];
    slots->free_count -= (uint32_t)__builtin_popcountll(bits & ~*word);
    *word |= bits;
}

void souk_vault_slots_take(souk_vault_slots *slots, uint32_t slot)
{
    uint32_t bit = (slot - slots->first) % WORD_BITS;
    souk_vault_slots_take_word(slots, slot - bit, (uint64_t)1 << bit);
}

void souk_vault_slots_give(souk_vault_slots *slots, uint32_t slot)
{
    uint32_t bit = slot - slots->first;
    souk_assert(slot >= slots->first && bit / slots->block_slots < slots->block_count);
    if (!is_taken(slots, bit))
        return;
    slots->taken[bit / WORD_BITS] &= ~((uint64_t)1 << (bit % WORD_BITS));
    slots->free_count++;
    if (bit / WORD_BITS < slots->open_word)
        slots->open_word = bit / WORD_BITS;
}
