/* vault_format.h - private to the vault: the bytes of the file `keys`, and what a record means.
 *
 *     byte 0      4096                            12,288
 *     | header    | named slots: 256 records      | block: block_slots records | block | …
 *
 *     header      8 copies of one 512-byte sector, written once and never again, so that a torn
 *                 write cannot touch it and one sound copy is enough:
 *                 "SOUKKEYS" | version u32 | file id [16] | block_slots u32 | named slots u32 |
 *                 record bytes u32 | key check [16] | CRC-32C of the bytes before u32 | zeros
 *     record      at 4096 + 32 * slot, so none lies across two sectors: a cut leaves the old or the
 *                 new one whole.
 *                 live       seed [16], random | check [16]
 *                 destroyed  random [16] | mark [16]
 *
 * A block counts as made once its first sector is not all zeros; that sector is written last, after
 * a sync of the others.  So no count of slots is stored which an old or damaged header could set
 * back, and nothing that might hold keys is ever written over.
 *
 * Key         BLAKE2b under the root key of (file id, slot, seed) gives 48 bytes: the slot's key [32] and
 *             the check [16] (RFC 7693, keyed mode).  A seed without the root key tells nothing, the
 *             root key without the seed neither: whoever overwrites 16 random bytes has destroyed the
 *             key (2^128 guesses, for each slot anew).  Half the bytes of a wrapped key.
 * Mark        keyed BLAKE2b of (file id, slot, random): only who has the root key can say
 *             "destroyed", any other change is damage.
 * Threads     no state. */
#ifndef SOUK_STORE_VAULT_FORMAT_H
#define SOUK_STORE_VAULT_FORMAT_H

#include "base/text.h"

enum {
    SOUK_VAULT_HEADER_BYTES = 4096,
    SOUK_VAULT_SECTOR_BYTES = 512,
    SOUK_VAULT_HEADER_COPIES = SOUK_VAULT_HEADER_BYTES / SOUK_VAULT_SECTOR_BYTES,
    SOUK_VAULT_RECORD_BYTES = 32,
    SOUK_VAULT_SEED_BYTES = 16,
    SOUK_VAULT_ID_BYTES = 16,
    SOUK_VAULT_ROOT_BYTES = 32,
    SOUK_VAULT_BLOCK_STEP = 64, /* block_slots is a multiple of this */
    SOUK_VAULT_BLOCK_MOST = 1 << 20,
};

/* The root key and what is derived from it; lives in locked memory, zeroed at the end. */
typedef struct souk_vault_root {
    uint8_t key[SOUK_VAULT_ROOT_BYTES], mark[32], check[32];
} souk_vault_root;
void souk_vault_root_set(souk_vault_root *root, const uint8_t key[SOUK_VAULT_ROOT_BYTES]);

/* What the header says. */
typedef struct souk_vault_form {
    uint8_t id[SOUK_VAULT_ID_BYTES];
    uint32_t block_slots;
} souk_vault_form;

void souk_vault_header_write(const souk_vault_root *root, const souk_vault_form *form,
                             uint8_t page[SOUK_VAULT_HEADER_BYTES]);
/* ret_copies: how many of the copies are sound.  SOUK_EUNAUTH: another root key.  SOUK_EVERSION.
 * SOUK_ECORRUPT: none is sound. */
SOUK_CHECKED souk_err souk_vault_header_read(const souk_vault_root *root,
                                             const uint8_t page[SOUK_VAULT_HEADER_BYTES],
                                             souk_vault_form *ret_form, uint32_t *ret_copies,
                                             souk_diag *diag);

static inline uint64_t souk_vault_record_offset(uint32_t slot)
{
    return SOUK_VAULT_HEADER_BYTES + (uint64_t)slot * SOUK_VAULT_RECORD_BYTES;
}
/* record[0, 16) holds the seed already, from a random source. */
void souk_vault_record_make(const souk_vault_root *root, const souk_vault_form *form, uint32_t slot,
                            uint8_t record[SOUK_VAULT_RECORD_BYTES]);
/* record[0, 16) holds fresh random bytes already. */
void souk_vault_record_mark(const souk_vault_root *root, const souk_vault_form *form, uint32_t slot,
                            uint8_t record[SOUK_VAULT_RECORD_BYTES]);
/* SOUK_EERASED, SOUK_ECORRUPT: ret_key is zeroed. */
SOUK_CHECKED souk_err souk_vault_record_open(const souk_vault_root *root,
                                             const souk_vault_form *form, uint32_t slot,
                                             const uint8_t record[SOUK_VAULT_RECORD_BYTES],
                                             uint8_t ret_key[32]);

/* The text of root.key: 64 hexadecimal digits, white space around them, or 32 raw bytes.
 * False: neither. */
SOUK_CHECKED bool souk_vault_root_parse(souk_text text, uint8_t ret_key[SOUK_VAULT_ROOT_BYTES]);

#endif
