/* vault_state.h - private to the vault: the object behind vault.h and how its files share it.
 *
 *     vault.c        life, sealing, taking, destroying
 *     vault_make.c   making blocks, finding them again, copying, checking
 *
 * Locks, in the order they are taken: making, then writing or choosing, never both of these. */
#ifndef SOUK_STORE_VAULT_STATE_H
#define SOUK_STORE_VAULT_STATE_H

#include "os/thread.h"
#include "store/vault.h"
#include "store/vault_format.h"
#include "store/vault_keys.h"
#include "store/vault_slots.h"

#include <stdatomic.h>

enum {
    SOUK_VAULT_AHEAD_BYTES = 4096,
    SOUK_VAULT_AHEAD = SOUK_VAULT_AHEAD_BYTES / SOUK_VAULT_RECORD_BYTES,
};

struct souk_vault {
    souk_mem *mem;
    souk_disk *disk;
    souk_file *file;
    souk_vault_pages secret;
    souk_vault_root *root; /* in secret */
    souk_vault_form form;
    souk_vault_keys keys;
    uint32_t slot_limit;
    void (*random)(void *context, void *to, size_t bytes);
    void *random_context;
    _Atomic uint32_t made;    /* slots [0, made) are on the disk, synced */
    _Atomic bool sync_failed; /* what the file holds is unknown: nothing is written any more */
    souk_mutex making;        /* one block at a time */
    souk_mutex writing;       /* every write and sync of the file, see souk_vault_sync */
    souk_mutex choosing;      /* what follows */
    souk_vault_slots slots;
    uint32_t ahead_slot; /* first slot of a page of records read for the next takes; 0: none */
    uint8_t ahead[SOUK_VAULT_AHEAD_BYTES]; /* stale only in slots that are taken by now */
    uint32_t skipped;
};

/* Random bytes from the options' source or the system. */
void souk_vault_draw(souk_vault *vault, void *to, size_t bytes);
/* All of it, or SOUK_ECORRUPT where the file ends before. */
SOUK_CHECKED souk_err souk_vault_read(souk_vault *vault, void *to, size_t bytes, uint64_t offset);
/* Under `writing`.  Syncs go in turn: the kernel tells of a lost page once only, so of two threads
 * that sync one file together one would be told that all is well. */
SOUK_CHECKED souk_err souk_vault_write(souk_vault *vault, const void *from, size_t bytes,
                                       uint64_t offset);
SOUK_CHECKED souk_err souk_vault_sync(souk_vault *vault);
/* Opens a slot's record past the cache.  SOUK_EERASED, SOUK_ECORRUPT, SOUK_EIO. */
SOUK_CHECKED souk_err souk_vault_read_key(souk_vault *vault, uint32_t slot, uint8_t ret_key[32]);

/* Counts the blocks of an open file and syncs what an earlier process may have left unsynced. */
SOUK_CHECKED souk_err souk_vault_find_blocks(souk_vault *vault, souk_diag *diag);
/* Makes a block if fewer than `enough` slots are free. */
SOUK_CHECKED souk_err souk_vault_make_block(souk_vault *vault, uint32_t enough);

#endif
