/* vault_slots.h - private to the vault: which slots are free, and a random one of them.
 *
 *     souk_vault_slots slots = {.mem = mem, .block_slots = 65536, .first = 256};
 *     SOUK_TRY(souk_vault_slots_room(&slots, blocks));       memory first,
 *     souk_vault_slots_add(&slots);                          then a block: cannot fail
 *     if (souk_vault_slots_choose(&slots, chance, &slot)) …
 *
 * Shape    taken: bit [slot - first], blocks one after the other; free_in: slots of each block
 * Cost     choose: a walk over the blocks from the first with a free slot, then over one bitmap
 * Threads  the vault's mutex around all of it */
#ifndef SOUK_STORE_VAULT_SLOTS_H
#define SOUK_STORE_VAULT_SLOTS_H

#include "base/mem.h"

typedef struct souk_vault_slots {
    souk_mem *mem;
    uint32_t first, block_slots; /* multiples of 64 */
    uint32_t block_count, free_count;
    uint32_t open_block; /* no block before it has a free slot */
    uint64_t *taken;
    size_t taken_capacity;
    uint32_t *free_in;
    size_t free_in_capacity;
} souk_vault_slots;

void souk_vault_slots_done(souk_vault_slots *slots);
/* Memory for block_count blocks in all.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_vault_slots_room(souk_vault_slots *slots, uint32_t block_count);
/* One more block, all free. */
void souk_vault_slots_add(souk_vault_slots *slots);
/* Takes the chance-th free slot, chance in [0, free_count). */
uint32_t souk_vault_slots_choose(souk_vault_slots *slots, uint32_t chance);
/* slot lies in a block that was added; both may be repeated. */
void souk_vault_slots_take(souk_vault_slots *slots, uint32_t slot);
void souk_vault_slots_give(souk_vault_slots *slots, uint32_t slot);

#endif
