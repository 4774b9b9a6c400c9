/* run_table.c - see run_table.h. */
#include "core/run_table.h"

#include "base/hash.h"

enum { SOME = 64 };

static void table_done(souk_run_table *table)
{
    souk_mem_put(table->mem, table->pairs);
    souk_mem_put(table->mem, table->next);
    souk_mem_put(table->mem, table->same);
    souk_mem_put(table->mem, table->heads);
    souk_mem_put(table->mem, table);
}

souk_err souk_run_table_new(souk_mem *mem, uint32_t capacity, souk_run_table **ret_table)
{
    souk_run_table *table = souk_mem_get(mem, sizeof *table);
    if (!table)
        return SOUK_ENOMEM;
    uint64_t heads = 1;
    while (heads < capacity / 2)
        heads *= 2;
    table->mem = mem;
    table->capacity = capacity;
    table->head_mask = heads - 1;
    table->refs = 1;
    table->pairs = souk_mem_array(mem, capacity, sizeof *table->pairs);
    table->next = souk_mem_array(mem, capacity, sizeof *table->next);
    table->same = souk_mem_array(mem, capacity, sizeof *table->same);
    table->heads = souk_mem_array(mem, heads, sizeof *table->heads);
    if (!table->pairs || !table->next || !table->same || !table->heads) {
        table_done(table);
        return SOUK_ENOMEM;
    }
    *ret_table = table;
    return SOUK_OK;
}

souk_run_table *souk_run_table_hold(souk_run_table *table)
{
    __atomic_fetch_add(&table->refs, 1, __ATOMIC_RELAXED);
    return table;
}

void souk_run_table_free(souk_run_table *table)
{
    if (table && __atomic_sub_fetch(&table->refs, 1, __ATOMIC_ACQ_REL) == 0)
        table_done(table);
}

size_t souk_run_table_bytes(const souk_run_table *table)
{
    return sizeof *table + table->capacity * (sizeof(souk_run_pair) + 2 * sizeof(uint32_t)) +
           (size_t)(table->head_mask + 1) * sizeof(uint32_t);
}

static uint32_t link_at(const uint32_t *link)
{
    return __atomic_load_n(link, __ATOMIC_ACQUIRE);
}

void souk_run_table_add(souk_run_table *table, uint64_t key, uint64_t value)
{
    uint32_t at = table->count;
    souk_assert(at < table->capacity);
    uint32_t *link = &table->heads[souk_mix64(key) & table->head_mask];
    while (*link && table->pairs[*link - 1].key != key)
        link = &table->next[*link - 1];

    /* The new entry takes the place of the key's newest one in the chain; a reader that stands on
     * the old one goes on from there as before. */
    uint32_t older = *link;
    table->pairs[at] = (souk_run_pair){key, value};
    table->same[at] = older;
    __atomic_store_n(&table->next[at], older ? table->next[older - 1] : 0, __ATOMIC_RELAXED);
    if (older && table->pairs[older - 1].value > value)
        __atomic_store_n(&table->disordered, true, __ATOMIC_RELAXED);
    __atomic_store_n(link, at + 1, __ATOMIC_RELEASE);
    __atomic_store_n(&table->count, at + 1, __ATOMIC_RELEASE);
}

/* The newest entry of the key among the first `seen`, from `entry` of its chain on; 0: none. */
static uint32_t find_from(const souk_run_table *table, uint32_t entry, uint32_t seen, uint64_t key)
{
    while (entry && table->pairs[entry - 1].key != key)
        entry = link_at(&table->next[entry - 1]);
    while (entry > seen)
        entry = table->same[entry - 1];
    return entry;
}

void souk_run_table_find_some(const souk_run_table *table, uint32_t seen, const uint64_t *keys,
                              size_t count, uint64_t *ret_values)
{
    const uint32_t *head[SOME];
    uint32_t entry[SOME];
    souk_assert(count <= SOME);
    for (size_t i = 0; i < count; i++) {
        head[i] = &table->heads[souk_mix64(keys[i]) & table->head_mask];
        __builtin_prefetch(head[i]);
    }
    for (size_t i = 0; i < count; i++) {
        entry[i] = link_at(head[i]);
        if (entry[i])
            __builtin_prefetch(&table->pairs[entry[i] - 1]);
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t found = find_from(table, entry[i], seen, keys[i]);
        ret_values[i] = found ? table->pairs[found - 1].value : UINT64_MAX;
    }
}

bool souk_run_table_below(const souk_run_table *table, uint32_t seen, uint64_t key, uint64_t before,
                          uint32_t *cursor, uint64_t *ret_value)
{
    bool disordered = __atomic_load_n(&table->disordered, __ATOMIC_RELAXED), found = false;
    uint32_t entry = *cursor;
    if (!entry || disordered)
        entry =
            find_from(table, link_at(&table->heads[souk_mix64(key) & table->head_mask]), seen, key);
    for (; entry; entry = table->same[entry - 1]) {
        uint64_t value = table->pairs[entry - 1].value;
        if (value >= before || (found && value <= *ret_value))
            continue;
        *ret_value = value;
        *cursor = entry;
        found = true;
        if (!disordered)
            break;
    }
    return found;
}

static bool comes_after(souk_run_pair a, souk_run_pair b)
{
    return a.key > b.key || (a.key == b.key && a.value > b.value);
}

static void merge_halves(const souk_run_pair *from, size_t low, size_t middle, size_t high,
                         souk_run_pair *to)
{
    size_t left = low, right = middle;
    for (size_t i = low; i < high; i++) {
        bool take_right = left == middle || (right < high && comes_after(from[left], from[right]));
        to[i] = take_right ? from[right++] : from[left++];
    }
}

void souk_run_table_sort(const souk_run_table *table, souk_run_pair *pairs, souk_run_pair *scratch)
{
    size_t count = souk_run_table_count(table), levels = 0;
    for (size_t width = 1; width < count; width *= 2)
        levels++;
    /* Each level moves all from one array to the other: begin where the end is `pairs`. */
    souk_run_pair *from = levels % 2 ? scratch : pairs, *to = levels % 2 ? pairs : scratch;
    if (count)
        memcpy(from, table->pairs, count * sizeof *from);
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t low = 0; low < count; low += 2 * width)
            merge_halves(from, low, souk_min_size(low + width, count),
                         souk_min_size(low + 2 * width, count), to);
        souk_run_pair *swap = from;
        from = to;
        to = swap;
    }
}
