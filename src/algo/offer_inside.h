/* offer_inside.h - how a book lies in memory; for offer*.c and pricing*.c only.
 *
 *     offers  [count]              in order of (priority, id), with lists of their own, sorted
 *     marks   [sum of scopes]      a scope's names as 64 bits each: no common bit, no common name
 *     table   [2^n]                product or tag -> postings: the offers whose first scope names it
 *     everywhere [words]           a bit for each offer whose first scope is everything
 *
 * A bundle is found by its first scope; whether the others are in the basket too is looked at then. */
#ifndef SOUK_ALGO_OFFER_INSIDE_H
#define SOUK_ALGO_OFFER_INSIDE_H

#include "algo/offer.h"

typedef struct scope_mark {
    uint64_t in, out; /* products and tags named, excluded */
    bool everything;
} scope_mark;

typedef struct book_entry {
    uint64_t key; /* 0: free */
    uint32_t first, count;
} book_entry;

struct souk_book {
    souk_mem *mem;
    souk_arena arena;
    souk_offer *offers;
    uint32_t *first_mark; /* [count] */
    scope_mark *marks;
    uint32_t *group_next; /* [count] the next offer of the same group, or UINT32_MAX */
    size_t count, words;
    unsigned exponent;
    book_entry *table;
    size_t table_mask;
    uint32_t *postings;
    uint64_t *everywhere;
};

enum { BOOK_PRODUCT, BOOK_TAG };

static inline uint64_t book_key(uint32_t name, int what)
{
    return ((uint64_t)what << 32 | name) + 1;
}
static inline uint64_t book_hash(uint64_t key)
{
    key *= 0x9e3779b97f4a7c15u; /* the golden ratio's fraction, odd */
    return key ^ key >> 29;
}
static inline uint64_t book_bit(uint32_t name, int what)
{
    return (uint64_t)1 << (book_hash(book_key(name, what)) >> 58);
}

/* NULL: no offer names it. */
static inline const book_entry *book_find(const souk_book *book, uint32_t name, int what)
{
    uint64_t key = book_key(name, what);
    size_t at = book_hash(key) & book->table_mask;
    for (; book->table[at].key; at = (at + 1) & book->table_mask)
        if (book->table[at].key == key)
            return &book->table[at];
    return NULL;
}

static inline bool book_names(const uint32_t *names, size_t count, uint32_t name)
{
    size_t from = 0;
    while (count > 8) {
        size_t half = count / 2;
        if (names[from + half] <= name)
            from += half;
        count -= half;
    }
    for (size_t i = 0; i < count; i++)
        if (names[from + i] == name)
            return true;
    return false;
}

#endif
