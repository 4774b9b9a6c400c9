/* pack_private.h - what the two directions of pack.h share: the formats' numbers, the state that both
 * keep while they walk a text, and how a symbol changes it. */
#ifndef SOUK_CORE_PACK_PRIVATE_H
#define SOUK_CORE_PACK_PRIVATE_H

#include "core/pack.h"
#include "core/pack_table.h"
#include "core/pack_value.h"

/* Bytes readable behind the text, writable behind the output: the longest phrase and one step. */
#define SLACK ((size_t)1024)

/* Copies: found by a hash of 6 bytes, as far back as 16 bits say. */
#define COPY_LEAST      6u
#define COPY_SHORT_BITS 4
#define COPY_LONG_BITS  8
#define COPY_MOST       (COPY_LEAST + 14u + (1u << COPY_LONG_BITS))
#define COPY_HASH_BITS  10
#define COPY_FAR        65535u

#define HAN_FIRST      0x4e00u
#define HAN_BITS       15
#define HEX_LEAST      2u /* groups of 8 digits */
#define HEX_COUNT_BITS 3
#define HEX_MOST       (HEX_LEAST + (1u << HEX_COUNT_BITS) - 1)
#define MICRO_BITS     10
#define NEAR_BITS      31u /* longest zigzag difference of two times, bits */
#define CHANGED_MOST   64

enum { VERSION_RAW = 0, VERSION_ONE = 1 };
#define HEAD_BITS 5

/* Bytes of ours that only grow, up to what the longest text needs. */
typedef struct souk_pack_scratch {
    unsigned char *at;
    size_t capacity;
} souk_pack_scratch;

/* What both directions know of the text so far. */
typedef struct souk_pack_run {
    unsigned place;
    unsigned join;                  /* the symbol before, where it joins; else 0 */
    unsigned key;                   /* the last key; 0: none yet */
    uint64_t ms;                    /* the last time; 0: none yet */
    uint16_t changed[CHANGED_MOST]; /* keys whose follows are no longer the table's */
    size_t changed_count;           /* above CHANGED_MOST: any may be */
} souk_pack_run;

struct souk_packer {
    souk_mem *mem;
    const souk_pack_table *table;
    souk_pack_follow follows[SOUK_PACK_SYMBOLS]; /* the table's, outside of a run */
    souk_pack_scratch text, bytes;
    /* where a hash was seen last, counted over all texts: below copy_base is another text */
    uint32_t copies[1 << COPY_HASH_BITS];
    uint32_t copy_base;
    uint8_t byte_places[256]; /* where a copy that ends in this byte leaves the reader */
};

/* Makes a scratch hold `need` bytes.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_pack_scratch_room(souk_packer *packer, souk_pack_scratch *bytes,
                                             size_t need);
/* Appends head and from in one piece, or nothing. */
SOUK_CHECKED souk_err souk_pack_append(souk_buf *out, const void *head, size_t head_bytes,
                                       const void *from, size_t bytes);

static inline void souk_pack_run_start(souk_pack_run *now)
{
    now->place = AT_START;
    now->join = now->key = 0;
    now->ms = 0;
    now->changed_count = 0;
}

static inline void souk_pack_run_end(souk_packer *packer, const souk_pack_run *now)
{
    if (now->changed_count > CHANGED_MOST)
        memcpy(packer->follows, packer->table->follows, sizeof packer->follows);
    else
        for (size_t i = 0; i < now->changed_count; i++)
            packer->follows[now->changed[i]] = packer->table->follows[now->changed[i]];
}

static inline void souk_pack_learn_key(souk_packer *packer, souk_pack_run *now, unsigned key)
{
    souk_pack_follow *follow = &packer->follows[now->key];
    if (follow->join != now->join || follow->key != key) {
        *follow = (souk_pack_follow){(uint16_t)now->join, (uint16_t)key};
        if (now->changed_count < CHANGED_MOST)
            now->changed[now->changed_count] = (uint16_t)now->key;
        if (now->changed_count <= CHANGED_MOST)
            now->changed_count++;
    }
    now->key = key;
}

static inline bool souk_pack_in_number(const souk_pack_run *now)
{
    return now->place == AT_NUMBER || now->place == AT_NUMERAL;
}

/* A byte was read or written: where that leaves us. */
static inline void souk_pack_step_byte(const souk_packer *packer, souk_pack_run *now, unsigned byte)
{
    now->join = 0;
    now->place = packer->table->symbols[byte].next[souk_pack_in_number(now)];
}

/* The same for a phrase. */
static inline void souk_pack_step_phrase(souk_packer *packer, souk_pack_run *now, unsigned symbol)
{
    const souk_pack_symbol *known = &packer->table->symbols[symbol];
    if (known->keys)
        souk_pack_learn_key(packer, now, symbol);
    now->join = known->joins ? symbol : 0;
    now->place = known->next[souk_pack_in_number(now)];
    if (now->place == AT_KEY && !known->closes)
        now->place = packer->table->symbols[now->key].group;
}

/* FOLLOW was read or written. */
static inline void souk_pack_step_follow(souk_packer *packer, souk_pack_run *now, unsigned key)
{
    now->key = key;
    now->join = 0;
    const souk_pack_symbol *known = &packer->table->symbols[key];
    now->place = known->next[0] == AT_KEY ? known->group : known->next[0];
}

/* A value by rule was read or written. */
static inline void souk_pack_step_value(souk_pack_run *now, unsigned place)
{
    now->join = 0;
    now->place = place;
}

#endif
