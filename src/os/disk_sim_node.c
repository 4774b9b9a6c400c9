/* disk_sim_node.c - one simulated file: what is seen, what a power cut leaves, and the difference.
 *
 * Sizes and truncates are metadata and travel apart from the bytes, as on a journalling file
 * system: after a cut a file may be long and full of zeros (size arrived, bytes did not), or long
 * with its old tail (bytes arrived, truncate did not). */
#include "os/disk_sim.h"

enum { FILE_MOST = 1 << 30, SPARE_MOST = 16, SPARE_BYTES_MOST = 4 << 20 };

enum sector_state {
    SECTOR_SAME = 0,
    SECTOR_DIRTY,     /* a sync or luck carries it from seen to kept */
    SECTOR_CUT_OFF,   /* zero since a truncate; goes the way of the truncate, or with a sync */
    SECTOR_FORGOTTEN, /* a failed sync left it behind: no later sync writes it */
};

uint64_t souk_sim_random(uint64_t *state)
{
    /* splitmix64, Steele, Lea, Flood 2014 */
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

souk_err souk_sim_node_new(souk_sim_nodes *nodes, bool is_folder, souk_sim_node **ret_node)
{
    souk_sim_node *node = nodes->spare;
    if (node) {
        nodes->spare = node->next_spare;
        nodes->spare_count--;
    } else {
        node = souk_mem_get(nodes->mem, sizeof *node);
        if (!node)
            return SOUK_ENOMEM;
    }
    node->refs = 1;
    node->low_bytes = UINT64_MAX;
    node->is_folder = is_folder;
    node->next_spare = NULL;
    *ret_node = node;
    return SOUK_OK;
}

static void node_free(souk_mem *mem, souk_sim_node *node)
{
    souk_mem_put(mem, node->seen);
    souk_mem_put(mem, node->kept);
    souk_mem_put(mem, node->state);
    souk_mem_put(mem, node->listed);
    souk_mem_put(mem, node);
}

void souk_sim_node_drop(souk_sim_nodes *nodes, souk_sim_node *node)
{
    souk_assert(node->refs > 0);
    if (--node->refs)
        return;
    if (nodes->spare_count >= SPARE_MOST || node->capacity > SPARE_BYTES_MOST) {
        node_free(nodes->mem, node);
        return;
    }
    for (size_t i = 0; i < node->listed_count; i++)
        node->state[node->listed[i]] = SECTOR_SAME;
    node->listed_count = 0;
    if (node->seen_bytes)
        memset(node->seen, 0, node->seen_bytes);
    if (node->kept_bytes)
        memset(node->kept, 0, node->kept_bytes);
    node->seen_bytes = node->kept_bytes = 0;
    node->next_spare = nodes->spare;
    nodes->spare = node;
    nodes->spare_count++;
}

void souk_sim_nodes_done(souk_sim_nodes *nodes)
{
    while (nodes->spare) {
        souk_sim_node *next = nodes->spare->next_spare;
        node_free(nodes->mem, nodes->spare);
        nodes->spare = next;
    }
    nodes->spare_count = 0;
}

/* Grows one of a node's arrays, the new part zeroed.  An array that grew before another failed is
 * larger than `capacity` says, which harms nobody. */
static souk_err grow_zeroed(souk_mem *mem, void *array_at, size_t old_bytes, size_t new_bytes)
{
    void *old;
    memcpy(&old, array_at, sizeof old);
    char *fresh = souk_mem_resize(mem, old, new_bytes);
    if (!fresh)
        return SOUK_ENOMEM;
    memset(fresh + old_bytes, 0, new_bytes - old_bytes);
    memcpy(array_at, &fresh, sizeof fresh);
    return SOUK_OK;
}

static souk_err reserve(souk_mem *mem, souk_sim_node *node, uint64_t bytes)
{
    if (bytes <= node->capacity)
        return SOUK_OK;
    if (bytes > FILE_MOST)
        return SOUK_EFULL;
    size_t old = node->capacity, grown = souk_max_size(old * 2, 8 * SOUK_SIM_SECTOR);
    while (grown < bytes)
        grown *= 2;
    size_t old_sectors = old / SOUK_SIM_SECTOR, sectors = grown / SOUK_SIM_SECTOR;
    SOUK_TRY(grow_zeroed(mem, &node->seen, old, grown));
    SOUK_TRY(grow_zeroed(mem, &node->kept, old, grown));
    SOUK_TRY(grow_zeroed(mem, &node->state, old_sectors, sectors));
    SOUK_TRY(grow_zeroed(mem, &node->listed, old_sectors * sizeof *node->listed,
                         sectors * sizeof *node->listed));
    node->capacity = grown;
    return SOUK_OK;
}

static void mark(souk_sim_node *node, size_t sector, enum sector_state state)
{
    if (node->state[sector] == SECTOR_SAME)
        node->listed[node->listed_count++] = (uint32_t)sector;
    node->state[sector] = (uint8_t)state;
}

static void keep_sector(souk_sim_node *node, size_t sector)
{
    size_t from = sector * SOUK_SIM_SECTOR;
    memcpy(node->kept + from, node->seen + from, SOUK_SIM_SECTOR);
    uint64_t end =
        from + SOUK_SIM_SECTOR < node->seen_bytes ? from + SOUK_SIM_SECTOR : node->seen_bytes;
    if (end > node->kept_bytes)
        node->kept_bytes = end;
}

static void shrink_kept(souk_sim_node *node, uint64_t bytes)
{
    if (bytes >= node->kept_bytes)
        return;
    memset(node->kept + bytes, 0, node->kept_bytes - bytes);
    node->kept_bytes = bytes;
}

/* A truncate reaches the disk before what is written after it. */
static void keep_truncate(souk_sim_node *node)
{
    shrink_kept(node, node->low_bytes);
    node->low_bytes = UINT64_MAX;
}

souk_err souk_sim_node_write(souk_mem *mem, souk_sim_node *node, const void *from, size_t bytes,
                             uint64_t offset, uint64_t *random)
{
    if (bytes == 0)
        return SOUK_OK;
    SOUK_TRY(reserve(mem, node, offset + bytes));
    /* The kernel writes back when it likes: at times what is overwritten had reached the disk. */
    bool written_back = souk_sim_random(random) % 8 == 0;
    if (written_back)
        keep_truncate(node);
    size_t first = offset / SOUK_SIM_SECTOR, last = (offset + bytes - 1) / SOUK_SIM_SECTOR;
    for (size_t sector = first; sector <= last; sector++) {
        if (written_back && node->state[sector] == SECTOR_DIRTY)
            keep_sector(node, sector);
        mark(node, sector, SECTOR_DIRTY);
    }
    memcpy(node->seen + offset, from, bytes);
    if (offset + bytes > node->seen_bytes)
        node->seen_bytes = offset + bytes;
    return SOUK_OK;
}

souk_err souk_sim_node_truncate(souk_mem *mem, souk_sim_node *node, uint64_t bytes)
{
    SOUK_TRY(reserve(mem, node, bytes));
    if (bytes < node->seen_bytes) {
        size_t end = (node->seen_bytes + SOUK_SIM_SECTOR - 1) / SOUK_SIM_SECTOR;
        for (size_t sector = bytes / SOUK_SIM_SECTOR; sector < end; sector++) {
            bool holds_bytes = sector * SOUK_SIM_SECTOR < bytes;
            if (!holds_bytes || node->state[sector] == SECTOR_SAME)
                mark(node, sector, SECTOR_CUT_OFF);
        }
        memset(node->seen + bytes, 0, node->seen_bytes - bytes);
        if (bytes < node->low_bytes)
            node->low_bytes = bytes;
    }
    node->seen_bytes = bytes;
    return SOUK_OK;
}

void souk_sim_node_sync(souk_sim_node *node)
{
    size_t left = 0;
    for (size_t i = 0; i < node->listed_count; i++) {
        uint32_t sector = node->listed[i];
        if (node->state[sector] == SECTOR_FORGOTTEN) {
            node->listed[left++] = sector;
            continue;
        }
        keep_sector(node, sector);
        node->state[sector] = SECTOR_SAME;
    }
    node->listed_count = left;
    shrink_kept(node, node->seen_bytes);
    node->kept_bytes = node->seen_bytes;
    node->low_bytes = UINT64_MAX;
}

void souk_sim_node_sync_failed(souk_sim_node *node, uint64_t *random)
{
    for (size_t i = 0; i < node->listed_count; i++) {
        uint32_t sector = node->listed[i];
        if (node->state[sector] == SECTOR_DIRTY && souk_sim_coin(random))
            keep_sector(node, sector);
        node->state[sector] = SECTOR_FORGOTTEN;
    }
}

void souk_sim_node_cut(souk_sim_node *node, uint64_t *random)
{
    if (souk_sim_coin(random))
        keep_truncate(node);
    /* From "nothing arrived" to "all arrived", each as likely as any share between. */
    uint64_t share_of_8 = souk_sim_random(random) % 9;
    for (size_t i = 0; i < node->listed_count; i++) {
        uint32_t sector = node->listed[i];
        if (node->state[sector] == SECTOR_DIRTY && souk_sim_random(random) % 8 < share_of_8)
            keep_sector(node, sector);
    }
    if (node->kept_bytes < node->seen_bytes && souk_sim_coin(random))
        node->kept_bytes = node->seen_bytes;

    for (size_t i = 0; i < node->listed_count; i++) {
        size_t from = (size_t)node->listed[i] * SOUK_SIM_SECTOR;
        memcpy(node->seen + from, node->kept + from, SOUK_SIM_SECTOR);
        node->state[node->listed[i]] = SECTOR_SAME;
    }
    node->listed_count = 0;
    node->seen_bytes = node->kept_bytes;
    node->low_bytes = UINT64_MAX;
}
