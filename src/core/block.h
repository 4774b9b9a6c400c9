/* block.h - one group of events as bytes: the clear columns together, the rest sealed one by one.
 *
 *     souk_auto(souk_block_maker) maker = NULL;            kept for the life of the writer
 *     SOUK_TRY(souk_block_maker_new(mem, &maker));
 *     souk_block_begin(maker, first_position, prefix);
 *     souk_block_add(maker, &fact, message, sealed, sealed_bytes);
 *     souk_block_add_edge(maker, &edge);
 *     SOUK_TRY(souk_block_finish(maker, &bytes));
 *     ...
 *     souk_auto(souk_block) block = NULL;
 *     SOUK_TRY(souk_block_read(mem, bytes, SOUK_BLOCK_ALL, &block));
 *     for (size_t i = 0; i < block->count; i++) fold(&block->facts[i]);
 *
 *     SOUK_TRY(souk_block_read(mem, bytes, SOUK_BLOCK_FEW, &block));       a few events of many
 *     SOUK_TRY(souk_block_fact(block, position, arena, &fact, &lines));
 *
 * Why      measured on 440-byte events: a random index per row costs 11 times the row itself, a block
 *          costs nothing; and clear columns compress to about 12 bytes an event because alike stands
 *          beside alike.  What is sealed does not compress, so it is packed before (pack.h).
 *
 * Bytes (all integers little endian)
 *     header    64   magic "SoB1", counts, section sizes, first position, nonce prefix[16], two CRC-32C
 *     columns        zstd of varint columns: times, atom, source, type, store, currency, flags,
 *                    amount, sealed bytes, lines (product, category, quantity, amount)
 *     messages       uint8_t[count][12]: 96 bits of each event's identity
 *     edges          { slot u32, sealed bytes u16, sealed[] }: what one event tied to one atom
 *     sealed         each event's packed text, XChaCha20-Poly1305, tag included, end to end
 *
 * One CRC covers header, columns and messages, the other the slot and size of each edge, end to end: an edge
 * whose slot were damaged to 0 would read as erased.  Sealed bytes have their own tags.  Blocks that were
 * written before the second sum have 0 there and are read without it.  An event of an erased shopper keeps its place and its clear columns with atom 0 and no sealed bytes, so totals stand.
 *
 * Nonces   an event: prefix || position; an edge: prefix || (2^63 | index).  The prefix is random.
 * Errors   SOUK_ECORRUPT for bytes that are not a block; safe on hostile bytes (fuzzed).
 * Cost     linear in the bytes; a read allocates once per array.  One event skips the columns before it. */
#ifndef SOUK_CORE_BLOCK_H
#define SOUK_CORE_BLOCK_H

#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"

enum {
    SOUK_BLOCK_EVENTS = 65536, /* at most, in one block */
    SOUK_BLOCK_PREFIX = 16,
    SOUK_BLOCK_HEADER = 64,
    SOUK_BLOCK_MESSAGE = 12, /* bytes kept of an event's identity: among 10^9 two meet by chance
                                with probability 6e-12 */
    SOUK_SEAL_TAG = 16,
    SOUK_NONCE = 24,
};

typedef struct souk_fact_line {
    uint32_t product, category; /* catalogue numbers, 0: none */
    int64_t quantity_micro, amount_micro;
} souk_fact_line;

/* The clear part of an event. */
typedef struct souk_fact {
    uint64_t position;
    souk_time at, received;
    uint32_t atom;   /* 0: nobody (anonymous receipt, or erased) */
    uint32_t source; /* who sent it (merchant.h) */
    uint32_t type, store;
    uint32_t currency;               /* three letters, see souk_currency_code; 0: none */
    uint32_t line_count, first_line; /* into the block's lines */
    int64_t amount_micro;
    uint32_t sealed_at, sealed_bytes; /* within the sealed section; 0 bytes: nothing kept */
    uint8_t flags;                    /* souk_event_flags, SOUK_FACT_LINKS */
} souk_fact;

enum { SOUK_FACT_LINKS = 128 }; /* this event made at least one edge */

/* As stored: without the slot's key nothing tells whom it is about, nor what it ties. */
typedef struct souk_block_edge {
    uint32_t slot; /* 0: erased, its place is kept since nonces count it */
    uint16_t sealed_bytes;
    const unsigned char *sealed;
} souk_block_edge;

/* "GBP" <-> 0x504247; 0 and "" for none. */
uint32_t souk_currency_code(const char currency[4]);
void souk_currency_name(uint32_t code, char ret_name[4]);

void souk_nonce_event(unsigned char nonce[SOUK_NONCE], const unsigned char *prefix,
                      uint64_t position);
void souk_nonce_edge(unsigned char nonce[SOUK_NONCE], const unsigned char *prefix, uint64_t index);

typedef struct souk_block_maker souk_block_maker;
SOUK_CHECKED souk_err souk_block_maker_new(souk_mem *mem, souk_block_maker **ret_maker);
void souk_block_maker_free(souk_block_maker *maker);
SOUK_AUTO(souk_block_maker)

void souk_block_begin(souk_block_maker *maker, uint64_t first_position,
                      const unsigned char prefix[SOUK_BLOCK_PREFIX]);
/* Positions follow one another.  fact->first_line and sealed_at are ignored, lines[line_count] and
 * the sealed bytes are copied. */
void souk_block_add(souk_block_maker *maker, const souk_fact *fact, const souk_fact_line *lines,
                    souk_hash128 message, const void *sealed);
void souk_block_add_edge(souk_block_maker *maker, const souk_block_edge *edge);
size_t souk_block_edge_count(const souk_block_maker *maker);
/* Appends the block to out.  SOUK_ENOMEM where any step since begin ran out.  SOUK_ETOOBIG: more than
 * 2^22 lines, eight edges for each of SOUK_BLOCK_EVENTS events, or 64 MiB in one section. */
SOUK_CHECKED souk_err souk_block_finish(souk_block_maker *maker, souk_buf *out);

typedef struct souk_block {
    souk_mem *mem;
    uint64_t first_position;
    size_t count, line_count, edge_count;
    souk_fact *facts;       /* [count]; NULL with SOUK_BLOCK_FEW */
    souk_fact_line *lines;  /* [line_count]; NULL with SOUK_BLOCK_FEW */
    unsigned char *columns; /* private: what souk_block_fact reads; NULL without SOUK_BLOCK_FEW */
    size_t columns_bytes;
    const unsigned char
        *messages;          /* [count][SOUK_BLOCK_MESSAGE], a view; NULL without SOUK_BLOCK_ALL */
    souk_block_edge *edges; /* [edge_count]; NULL without SOUK_BLOCK_ALL */
    const unsigned char *sealed; /* a view; NULL without SOUK_BLOCK_ALL */
    uint32_t sealed_bytes;
    uint64_t sealed_offset; /* where the sealed section begins, from the block's first byte */
    uint64_t total_bytes;
    unsigned char prefix[SOUK_BLOCK_PREFIX];
} souk_block;

/* SOUK_BLOCK_COLUMNS reads from the first souk_block_head_bytes alone (facts and lines), and so does
 * SOUK_BLOCK_FEW, which leaves the events to souk_block_fact;
 * SOUK_BLOCK_ALL needs the whole block, which must outlive the result. */
enum souk_block_part { SOUK_BLOCK_COLUMNS, SOUK_BLOCK_FEW, SOUK_BLOCK_ALL };
SOUK_CHECKED souk_err souk_block_read(souk_mem *mem, souk_text bytes, enum souk_block_part part,
                                      souk_block **ret_block);
/* The event at a position of a block read with SOUK_BLOCK_FEW; its lines are in the arena, first_line is 0.
 * SOUK_ENOENT: no event of this block.  SOUK_ECORRUPT.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_block_fact(const souk_block *block, uint64_t position, souk_arena *arena,
                                      souk_fact *ret_fact, const souk_fact_line **ret_lines);
/* How many bytes from the start SOUK_BLOCK_COLUMNS needs; header holds SOUK_BLOCK_HEADER bytes. */
SOUK_CHECKED souk_err souk_block_head_bytes(const void *header, size_t *ret_bytes);
void souk_block_free(souk_block *block);
SOUK_AUTO(souk_block)

#endif
