/* vault_slots.h - private to the vault: which slots are free, and the lowest of them.
 *
 *     souk_vault_slots slots = {.mem = mem, .block_slots = 65536, .first = 256};
 *     SOUK_TRY(souk_vault_slots_room(&slots, blocks));       memory first,
 *     souk_vault_slots_add(&slots);                          then a block: cannot fail
 *     if (slots.free_count) slot = souk_vault_slots_choose(&slots);
 *
 * Shape    taken: bit [slot - first], blocks one after the other
 * Cost     choose: one word of the bitmap; each word without a free slot is passed over once
 * Threads  the vault's mutex around all of it */
#ifndef SOUK_STORE_VAULT_SLOTS_H
#define SOUK_STORE_VAULT_SLOTS_H

#include "base/mem.h"

typedef struct souk_vault_slots {
    souk_mem *mem;
    uint32_t first, block_slots; /* multiples of 64 */
    uint32_t block_count, free_count;
    size_t open_word; /* no word before it has a free slot */
    uint64_t *taken;
    size_t taken_capacity;
} souk_vault_slots;

void souk_vault_slots_done(souk_vault_slots *slots);
/* Memory for block_count blocks in all.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_vault_slots_room(souk_vault_slots *slots, uint32_t block_count);
/* One more block, all free. */
void souk_vault_slots_add(souk_vault_slots *slots);
/* Takes the lowest free slot; there is one. */
uint32_t souk_vault_slots_choose(souk_vault_slots *slots);
/* slot lies in a block that was added; all may be repeated. */
void souk_vault_slots_take(souk_vault_slots *slots, uint32_t slot);
/* The 64 slots from `slot`, a multiple of 64, whose bits are set. */
void souk_vault_slots_take_word(souk_vault_slots *slots, uint32_t slot, uint64_t bits);
void souk_vault_slots_give(souk_vault_slots *slots, uint32_t slot);

#endif
