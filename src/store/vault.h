/* vault.h - the keys of shoppers, apart from the ledger, and the sealing of texts under them.
 *
 *     SOUK_TRY(souk_vault_init(mem, disk, NULL, diag));                 once, by `souk init`
 *     souk_auto(souk_vault) vault = NULL;
 *     SOUK_TRY(souk_vault_open(mem, disk, NULL, &vault, diag));
 *     for (each slot in the ledger)
 *         SOUK_TRY(souk_vault_mark_taken(vault, slot));
 *     SOUK_TRY(souk_vault_take(vault, &slot));                          no write, no sync
 *     souk_seal_place place = {.merchant = 1, .atom = 42, .class = 2, .position = 9000};
 *     SOUK_TRY(souk_vault_seal(vault, slot, &place, nonce, plain, bytes, sealed));
 *     SOUK_TRY(souk_vault_unseal(vault, slot, &place, nonce, sealed, bytes + 16, plain));
 *     SOUK_TRY(souk_vault_destroy(vault, &slot, 1));                    nothing opens it again
 *
 * Workload  a key for each atom and class of data (10 M shoppers: some 20 M slots), one seal for
 *           each event, an erasure now and then.  Keys are made ahead in blocks by a background
 *           thread, so that a new shopper costs neither a write nor a sync.
 * Files     root.key  the root key, 64 hexadecimal digits and a newline, mode 0400; absent where
 *                     the key comes from elsewhere (souk_vault_options.root_key)
 *           keys      one record of 32 bytes for each slot, see vault_format.h
 * Slots     0 is never a slot; 1 to 255 are named, for things of the whole deployment; shoppers'
 *           slots start at SOUK_VAULT_FIRST.  Which are taken only the ledger knows.
 * Sealing   XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): a nonce must never be used twice with
 *           one slot: a random prefix of 16 bytes for each block of the log, then the event's
 *           index.
 * Erasure   destroy overwrites in place and syncs.  A file system that copies on write, a snapshot
 *           and the spare cells of a flash disk may keep the old bytes, and so does every
 *           backup: they open with the root key only, so keep the two apart and key backups
 *           short-lived.
 * Cost      seal, unseal: the cipher, and a lock and a copy of 32 bytes on a hit of the key cache,
 *           or a read of 32 bytes and one hash on a miss.  take: a hash, and for
 *           each 128 a read of 4 KiB.  Memory: 1 bit for each slot, 37 bytes for each cached key.
 * Errors    SOUK_ENOENT: no such slot was made.  SOUK_EERASED: destroyed.  SOUK_ECORRUPT: the
 *           record or the sealed bytes are damaged or were moved.  SOUK_EIO; after a failed sync
 *           everything that writes fails with it until the vault is opened anew; what is made stays
 *           usable.
 * Threads   init, open and free: alone.  The rest from any thread. */
#ifndef SOUK_STORE_VAULT_H
#define SOUK_STORE_VAULT_H

#include "os/disk.h"

enum {
    SOUK_VAULT_KEY_BYTES = 32,
    SOUK_VAULT_NONCE_BYTES = 24,
    SOUK_VAULT_TAG_BYTES = 16, /* what sealing adds */
    SOUK_VAULT_FIRST = 256,    /* the first slot that take hands out */
};

/* Named slots.  A number keeps its meaning for ever; 255 is the last. */
typedef enum souk_vault_name {
    SOUK_VAULT_HASH_IDENTIFIERS = 1, /* keyed hash of e-mail, phone, user id, device … */
    SOUK_VAULT_HASH_MESSAGES = 2,    /* keyed hash of (source, message id) */
    SOUK_VAULT_OPERATOR = 3,         /* passwords and second factors of operators */
    SOUK_VAULT_SESSIONS = 4,         /* sign-in cookies and tokens */
    SOUK_VAULT_SETTINGS = 5,         /* secrets of connectors and webhooks in the settings */
    SOUK_VAULT_AUDIT = 6,            /* the heads of the audit chain */
    SOUK_VAULT_CURSORS = 7,          /* page cursors and links that leave the server */
    SOUK_VAULT_NOISE = 8,            /* noise that is the same for the same question */
    SOUK_VAULT_NOBODY = 9,           /* events that are no shopper's: anonymous receipts */
} souk_vault_name;

typedef struct souk_vault_options {
    const uint8_t *root_key; /* [32], copied; NULL: the file root.key */
    uint32_t block_slots; /* made at a time, a multiple of 64 up to 2^20; 0: 65,536; used when the
                                file is made, later the file's own number holds */
    uint32_t cache_keys;  /* keys kept ready, at most 2^20, rounded up to a power of two;
                                0: 65,536 */
    uint32_t slot_limit;  /* ceiling of slots ever made; 0: 2^30 (a file of 32 GiB) */
    /* Where keys and choices come from; NULL: the system's generator.  For simulations. */
    void (*random)(void *context, void *to, size_t bytes);
    void *random_context;
} souk_vault_options;

/* Where a sealed text belongs: opening it anywhere else fails. */
typedef struct souk_seal_place {
    uint32_t merchant, atom;
    uint64_t position;
    uint8_t class;
} souk_seal_place;

typedef struct souk_vault souk_vault;

/* Makes root.key (unless options give the key, or it is there already) and keys, durably.  A call
 * that was cut off is repeated.  options may be NULL.
 * SOUK_EEXIST: keys is there already.  SOUK_EINVAL: options.  SOUK_ECORRUPT: root.key is damaged.
 */
SOUK_CHECKED souk_err souk_vault_init(souk_mem *mem, souk_disk *disk,
                                      const souk_vault_options *options, souk_diag *diag);
/* Opens what init made; the disk must outlive the vault, and belong to one process
 * (souk_disk_lock).
 * SOUK_ENOENT: a file is missing.  SOUK_EUNAUTH: the keys were made under another root key.
 * SOUK_ECORRUPT, SOUK_EVERSION, SOUK_EINVAL, SOUK_ENOMEM, SOUK_EIO. */
SOUK_CHECKED souk_err souk_vault_open(souk_mem *mem, souk_disk *disk,
                                      const souk_vault_options *options, souk_vault **ret_vault,
                                      souk_diag *diag);
/* Zeroes every key in memory. */
void souk_vault_free(souk_vault *vault);
SOUK_AUTO(souk_vault)

/* Seals `bytes` of plain into bytes + 16 of sealed; both may be the same memory. */
SOUK_CHECKED souk_err souk_vault_seal(souk_vault *vault, uint32_t slot,
                                      const souk_seal_place *place,
                                      const uint8_t nonce[SOUK_VAULT_NONCE_BYTES],
                                      const void *plain, size_t bytes, void *sealed);
/* Opens sealed_bytes into sealed_bytes - 16 of plain; both may be the same memory.  After an error
 * plain holds nothing of the text. */
SOUK_CHECKED souk_err souk_vault_unseal(souk_vault *vault, uint32_t slot,
                                        const souk_seal_place *place,
                                        const uint8_t nonce[SOUK_VAULT_NONCE_BYTES],
                                        const void *sealed, size_t sealed_bytes, void *plain);
/* A secret that belongs to the slot, one for each purpose: the same for ever, and gone with the key.
 * Writes `bytes` of it, 16 to 64.  SOUK_EERASED. */
SOUK_CHECKED souk_err souk_vault_derive(souk_vault *vault, uint32_t slot, const char *purpose,
                                        void *ret_secret, size_t bytes);
/* Copies out a named slot's key (1 to 255); the caller zeroes it after use. */
SOUK_CHECKED souk_err souk_vault_named(souk_vault *vault, souk_vault_name which,
                                       uint8_t ret_key[SOUK_VAULT_KEY_BYTES]);

/* At start, for each slot the ledger knows, destroyed ones too; any number of times.
 * SOUK_ENOENT: this keys file has no such slot: it is older than the ledger. */
SOUK_CHECKED souk_err souk_vault_mark_taken(souk_vault *vault, uint32_t slot);
/* The same for many: bit i of taken[word_count], 64 a word, is slot i.  Cost: that of its words.
 * SOUK_ENOENT: one of them was not made, none is marked. */
SOUK_CHECKED souk_err souk_vault_mark_all(souk_vault *vault, const uint64_t *taken,
                                          size_t word_count);
/* Hands out the lowest free slot, durable and known to open.  Makes a block on the spot only if none
 * is left.  A slot that the ledger does not come to know is free again after a restart.
 * SOUK_ETOOBIG: the ceiling.  SOUK_EFULL, SOUK_EIO, SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_vault_take(souk_vault *vault, uint32_t *ret_slot);
/* Makes and syncs the next block if fewer than a quarter block are free, else does nothing: call it
 * from a background thread after takes.  Errors as take's; take goes on with what is free. */
SOUK_CHECKED souk_err souk_vault_prepare(souk_vault *vault);

/* Destroys the keys of the slots, durably once it returns SOUK_OK.  After an error, or a power cut
 * in the middle, each slot is either intact or destroyed; call again.  Destroyed slots may be given
 * again and are never handed out.  SOUK_EINVAL: a named slot.  SOUK_ENOENT.
 * Either: none is touched. */
SOUK_CHECKED souk_err souk_vault_destroy(souk_vault *vault, const uint32_t *slots, size_t count);

/* Writes a copy of keys to `name` on disk `to`, durably (name.part on the way).  Others go on: a
 * slot destroyed before the call is destroyed in the copy, one destroyed meanwhile may not be. */
SOUK_CHECKED souk_err souk_vault_copy(souk_vault *vault, souk_disk *to, const char *name);

/* What a check saw, in slots. */
typedef struct souk_vault_found {
    uint32_t checked, live, destroyed, damaged;
    uint32_t first_damaged; /* slot, where damaged > 0 */
    uint32_t header_copies; /* intact, of 8 */
} souk_vault_found;
/* Reads the header and opens the records of `sample` random slots, 0: of all that were made.
 * SOUK_ECORRUPT, with words: any damage; *ret_found tells how much. */
SOUK_CHECKED souk_err souk_vault_check(souk_vault *vault, uint32_t sample,
                                       souk_vault_found *ret_found, souk_diag *diag);

/* Reads root.key and the header of keys, and only those: beside whatever process owns the folder.
 * ret_found->header_copies tells how many copies are intact.  Errors as open's. */
SOUK_CHECKED souk_err souk_vault_look(souk_disk *disk, souk_vault_found *ret_found,
                                      souk_diag *diag);

/* For counters and alarms. */
typedef struct souk_vault_stats {
    uint32_t made, free_slots; /* in slots; made counts from 0, so it is also the end */
    uint32_t block_slots;
    uint32_t skipped;      /* slots take found destroyed or damaged and passed over */
    uint64_t hits, misses; /* of the key cache */
    bool memory_locked;    /* false: the cache may be swapped out, raise LimitMEMLOCK */
    bool writes_failed;    /* a sync failed: open anew */
} souk_vault_stats;
souk_vault_stats souk_vault_stats_of(souk_vault *vault);

#endif
