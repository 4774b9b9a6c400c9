/* mem.c - the process heap and the arena of mem.h. */
#include "base/mem.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static void *heap_resize(souk_mem *self, void *old, size_t new_bytes)
{
    (void)self;
    if (new_bytes == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, new_bytes);
}

souk_mem *souk_mem_heap(void)
{
    static souk_mem heap = {heap_resize};
    return &heap;
}

void souk_mem_heap_give_back(void)
{
    mallopt(M_MMAP_THRESHOLD, 128 * 1024); /* set by hand, it grows no longer */
}

void *souk_mem_get(souk_mem *mem, size_t bytes)
{
    size_t at_least_one = souk_max_size(bytes, 1);
    void *got = mem->resize(mem, NULL, at_least_one);
    if (got)
        memset(got, 0, at_least_one);
    return got;
}

void *souk_mem_array(souk_mem *mem, size_t count, size_t item_bytes)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, item_bytes, &bytes))
        return NULL;
    return souk_mem_get(mem, bytes);
}

void *souk_mem_resize(souk_mem *mem, void *old, size_t new_bytes)
{
    return mem->resize(mem, old, souk_max_size(new_bytes, 1));
}

void souk_mem_put(souk_mem *mem, void *old)
{
    if (old)
        mem->resize(mem, old, 0);
}

souk_err souk_mem_grow(souk_mem *mem, void *array_at, size_t *capacity, size_t need, size_t limit,
                       size_t item_bytes)
{
    if (need <= *capacity)
        return SOUK_OK;
    if (need > limit)
        return SOUK_ETOOBIG;
    size_t grown = souk_max_size(souk_max_size(*capacity * 2, need), 8);
    if (grown > limit)
        grown = limit;
    size_t bytes;
    if (__builtin_mul_overflow(grown, item_bytes, &bytes))
        return SOUK_ETOOBIG;
    void *old;
    memcpy(&old, array_at, sizeof old);
    void *fresh = souk_mem_resize(mem, old, bytes);
    if (!fresh)
        return SOUK_ENOMEM;
    memcpy(array_at, &fresh, sizeof fresh);
    *capacity = grown;
    return SOUK_OK;
}

/* A chunk is this header, then its bytes; chunks form a list from the newest to the first. */
struct souk_arena_chunk {
    souk_arena_chunk *older;
    size_t bytes;
};

enum { ARENA_ALIGN = 16, ARENA_FIRST = 4096, ARENA_HEADER = 32 };
_Static_assert(sizeof(souk_arena_chunk) <= ARENA_HEADER, "the header must keep the alignment");

static void *arena_fail(souk_arena *arena, size_t bytes)
{
    arena->failed = true;
    if (bytes > SOUK_ARENA_SCRATCH)
        return NULL;
    if (!arena->scratch) {
        static _Thread_local _Alignas(16) unsigned char last_resort[SOUK_ARENA_SCRATCH];
        arena->scratch = last_resort;
    }
    memset(arena->scratch, 0, bytes);
    return arena->scratch;
}

static bool arena_extend(souk_arena *arena, size_t bytes)
{
    size_t limit = arena->limit_bytes ? arena->limit_bytes : (size_t)64 << 20;
    size_t grown = souk_max_size(arena->chunk ? arena->chunk->bytes * 2 : ARENA_FIRST, bytes);
    if (grown > limit - arena->total_bytes)
        grown = limit - arena->total_bytes;
    if (grown < bytes)
        return false;
    souk_arena_chunk *chunk = arena->mem->resize(arena->mem, NULL, ARENA_HEADER + grown);
    if (!chunk)
        return false;
    *chunk = (souk_arena_chunk){arena->chunk, grown};
    arena->chunk = chunk;
    arena->used_bytes = 0;
    arena->total_bytes += grown;
    return true;
}

void *souk_arena_get(souk_arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX - ARENA_ALIGN)
        return arena_fail(arena, bytes);
    size_t rounded = (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    if (arena->failed)
        return arena_fail(arena, bytes);
    if (!arena->chunk || rounded > arena->chunk->bytes - arena->used_bytes) {
        if (!arena_extend(arena, rounded))
            return arena_fail(arena, bytes);
    }
    unsigned char *got = (unsigned char *)arena->chunk + ARENA_HEADER + arena->used_bytes;
    arena->used_bytes += rounded;
    memset(got, 0, bytes);
    return got;
}

void *souk_arena_copy(souk_arena *arena, const void *from, size_t bytes)
{
    void *to = souk_arena_get(arena, bytes);
    if (to && bytes && !arena->failed)
        memcpy(to, from, bytes);
    return to;
}

void souk_arena_clear(souk_arena *arena)
{
    while (arena->chunk && arena->chunk->older) {
        souk_arena_chunk *older = arena->chunk->older;
        arena->total_bytes -= arena->chunk->bytes;
        souk_mem_put(arena->mem, arena->chunk);
        arena->chunk = older;
    }
    arena->used_bytes = 0;
    arena->failed = false;
}

void souk_arena_done(souk_arena *arena)
{
    souk_arena_clear(arena);
    if (arena->chunk)
        souk_mem_put(arena->mem, arena->chunk);
    arena->chunk = NULL;
    arena->total_bytes = 0;
}
