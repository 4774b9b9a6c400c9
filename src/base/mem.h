/* mem.h - who gives memory: an allocator passed at birth, and an arena for one request.
 *
 *     souk_shop *shop = souk_mem_get(mem, sizeof *shop);      zeroed, or NULL
 *     souk_mem_put(mem, shop);
 *
 *     souk_arena arena = {.mem = mem, .limit_bytes = 1 << 20};
 *     char *copy = souk_arena_get(&arena, 100);               never NULL, see below
 *     if (arena.failed) return SOUK_ENOMEM;                   once, before anything commits
 *     souk_arena_done(&arena);
 *
 * An arena that runs out keeps handing out scratch (one shared page per arena, overwritten at will)
 * and remembers it in `failed`, so that parsing code has one error path instead of fifty.
 *
 * Cost     arena: a few instructions; one allocation per chunk.
 * Threads  the heap allocator is safe from any thread; an arena belongs to one. */
#ifndef SOUK_BASE_MEM_H
#define SOUK_BASE_MEM_H

#include "base/err.h"

typedef struct souk_mem souk_mem;
struct souk_mem {
    /* realloc's contract: old NULL allocates, new_bytes 0 frees (and returns NULL). */
    void *(*resize)(souk_mem *self, void *old, size_t new_bytes);
};

/* The process heap. */
souk_mem *souk_mem_heap(void);
/* Large pieces go back to the system as soon as they are freed, for the life of the process; glibc would
 * keep ever larger ones after the first was freed, mallopt(3). */
void souk_mem_heap_give_back(void);

/* Zeroed memory or NULL; souk_mem_array checks count * item_bytes for overflow. */
SOUK_CHECKED void *souk_mem_get(souk_mem *mem, size_t bytes);
SOUK_CHECKED void *souk_mem_array(souk_mem *mem, size_t count, size_t item_bytes);
/* Grows or shrinks, new bytes are not zeroed; NULL leaves old as it was. */
SOUK_CHECKED void *souk_mem_resize(souk_mem *mem, void *old, size_t new_bytes);
/* NULL is fine. */
void souk_mem_put(souk_mem *mem, void *old);

/* Makes room for at least `need` items in a growing array (doubling); the array and its capacity
 * change together or not at all.  SOUK_ENOMEM; SOUK_ETOOBIG above limit items. */
SOUK_CHECKED souk_err souk_mem_grow(souk_mem *mem, void *array_at, size_t *capacity, size_t need,
                                    size_t limit, size_t item_bytes);

/* The lower and the higher of two; here because every floor wants them. */
static inline size_t souk_min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}
static inline size_t souk_max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

typedef struct souk_arena_chunk souk_arena_chunk;
typedef struct souk_arena {
    souk_mem *mem;
    size_t limit_bytes;      /* over all chunks; 0: 64 MiB */
    souk_arena_chunk *chunk; /* the newest; private from here on */
    size_t used_bytes, total_bytes;
    unsigned char *scratch;
    bool failed; /* sticky */
} souk_arena;

/* bytes zeroed, aligned to 16.  After a failure: scratch, aligned, good for writing up to
 * SOUK_ARENA_SCRATCH bytes; a request above that returns NULL once failed. */
#define SOUK_ARENA_SCRATCH ((size_t)65536)
void *souk_arena_get(souk_arena *arena, size_t bytes);
void *souk_arena_copy(souk_arena *arena, const void *from, size_t bytes);
/* Empties the arena and keeps its first chunk, so that the next request allocates nothing. */
void souk_arena_clear(souk_arena *arena);
void souk_arena_done(souk_arena *arena);

#endif
