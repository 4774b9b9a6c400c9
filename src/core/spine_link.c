/* spine_link.c - what an edge's sealed text holds: everything that one event tied to one atom.
 *
 *     event's offset in its block, atom                  varints
 *     for each link
 *         link kind << 4 | identifier kind               one byte
 *         SHOPPER, CLAIM: shopper                        varint
 *         else: bytes of the value, the value packed     varint, bytes
 *
 * Sealed under the key of the atom's slot, bound to its block.  Blind indexes are not stored: they are made
 * again from the values when the log is read.  So without the key nothing leads from an identifier to the
 * slot, the atom or the event, in any copy of the ledger. */
#include "core/spine_private.h"

enum {
    EDGE_BYTES = 8192
}; /* one event's links to one atom: at most 9, values of at most 256 bytes */

souk_err spine_packer_take(souk_spine *spine, souk_packer **ret_packer)
{
    {
        souk_auto_lock(&spine->packers_mutex);
        if (spine->packer_count) {
            *ret_packer = spine->packers[--spine->packer_count];
            return SOUK_OK;
        }
    }
    return souk_packer_new(spine->mem, ret_packer);
}

void spine_packer_put(souk_spine *spine, souk_packer *packer)
{
    {
        souk_auto_lock(&spine->packers_mutex);
        if (spine->packer_count < SPINE_PACKERS) {
            spine->packers[spine->packer_count++] = packer;
            return;
        }
    }
    souk_packer_free(packer);
}

static bool has_value(souk_link_kind kind)
{
    return kind != SOUK_LINK_SHOPPER && kind != SOUK_LINK_CLAIM;
}

/* ---- writing -------------------------------------------------------------------------------------------- */

void spine_edge_begin(struct spine_edge *edge, const souk_link *link, uint64_t block_first)
{
    edge->slot = link->slot;
    edge->atom = link->atom;
    edge->position = link->position;
    souk_buf_clear(&edge->plain);
    souk_buf_varint(&edge->plain, link->position - block_first);
    souk_buf_varint(&edge->plain, link->atom);
}

souk_err spine_edge_add(struct spine_edge *edge, const souk_link *link, souk_text value,
                        souk_packer *packer, souk_buf *room)
{
    unsigned char kinds = (unsigned char)(link->kind << 4 | link->id_kind);
    souk_buf_append(&edge->plain, &kinds, 1);
    if (!has_value(link->kind)) {
        souk_buf_varint(&edge->plain, link->shopper);
        return souk_buf_check(&edge->plain);
    }
    souk_buf_clear(room);
    SOUK_TRY(souk_pack(packer, value, room));
    souk_buf_varint(&edge->plain, room->bytes);
    souk_buf_text(&edge->plain, souk_buf_view(room));
    return souk_buf_check(&edge->plain);
}

static souk_seal_place edge_place(uint64_t block_first)
{
    return (souk_seal_place){
        .merchant = SOUK_OPERATOR, .position = block_first, .class = SPINE_CLASS_EDGE};
}

souk_err spine_edge_seal(souk_spine *spine, struct spine_edge *edge, const unsigned char *prefix,
                         uint64_t block_first, size_t edge_index)
{
    size_t plain_bytes = edge->plain.bytes;
    if (plain_bytes + SOUK_SEAL_TAG > EDGE_BYTES)
        return SOUK_ETOOBIG;
    if (!souk_buf_room(&edge->plain, SOUK_SEAL_TAG))
        return souk_buf_check(&edge->plain);
    souk_buf_added(&edge->plain, SOUK_SEAL_TAG);
    unsigned char nonce[SOUK_NONCE];
    souk_nonce_edge(nonce, prefix, edge_index);
    souk_seal_place place = edge_place(block_first);
    return souk_vault_seal(spine->vault, edge->slot, &place, nonce, edge->plain.at, plain_bytes,
                           edge->plain.at);
}

/* ---- reading -------------------------------------------------------------------------------------------- */

struct opened {
    souk_spine *spine;
    souk_packer *packer;
    const unsigned char *at, *end;
    souk_buf value;
    souk_link link; /* what all links of the edge share; then the one in hand */
};

static souk_err take_head(struct opened *opened, const souk_block *block, uint32_t slot)
{
    uint64_t offset, atom;
    if (!souk_varint_read(&opened->at, opened->end, &offset) || offset >= block->count ||
        !souk_varint_read(&opened->at, opened->end, &atom) || atom == 0 || atom >= SOUK_ATOMS_MOST)
        return SOUK_ECORRUPT;
    opened->link = (souk_link){
        .position = block->first_position + offset, .atom = (uint32_t)atom, .slot = slot};
    return SOUK_OK;
}

static souk_err take_value(struct opened *opened)
{
    uint64_t bytes;
    if (!souk_varint_read(&opened->at, opened->end, &bytes) ||
        bytes > (size_t)(opened->end - opened->at))
        return SOUK_ECORRUPT;
    souk_text packed = {(const char *)opened->at, (size_t)bytes};
    opened->at += bytes;
    SOUK_TRY(souk_unpack(opened->packer, packed, SOUK_ID_BYTES, &opened->value));
    opened->link.hash = souk_hashes_identifier(&opened->spine->hashes, opened->link.id_kind,
                                               souk_buf_view(&opened->value));
    return SOUK_OK;
}

static souk_err take_shopper(struct opened *opened)
{
    uint64_t shopper;
    if (!souk_varint_read(&opened->at, opened->end, &shopper) || shopper > UINT32_MAX)
        return SOUK_ECORRUPT;
    opened->link.shopper = (uint32_t)shopper;
    if (opened->link.kind == SOUK_LINK_CLAIM)
        return SOUK_OK;
    char public_id[SOUK_PUBLIC_ID];
    SOUK_TRY(souk_public_id(opened->spine->vault, opened->link.slot, public_id));
    souk_buf_append(&opened->value, public_id, sizeof public_id);
    opened->link.hash = souk_hashes_identifier(&opened->spine->hashes, SOUK_ID_PUBLIC,
                                               souk_buf_view(&opened->value));
    return souk_buf_check(&opened->value);
}

static souk_err take_link(struct opened *opened)
{
    unsigned kinds = *opened->at++;
    opened->link.kind = (souk_link_kind)(kinds >> 4);
    opened->link.id_kind = (souk_id_kind)(kinds & 15);
    opened->link.shopper = 0;
    opened->link.hash = (souk_hash128){0};
    souk_buf_clear(&opened->value);
    if (opened->link.kind < SOUK_LINK_IDENTIFIER || opened->link.kind > SOUK_LINK_SHARED ||
        opened->link.id_kind >= SOUK_ID_KINDS)
        return SOUK_ECORRUPT;
    return has_value(opened->link.kind) ? take_value(opened) : take_shopper(opened);
}

static souk_err take_links(struct opened *opened, spine_edge_each *each, void *context)
{
    SOUK_TRY(spine_packer_take(opened->spine, &opened->packer));
    souk_err err = SOUK_OK;
    while (!err && opened->at < opened->end) {
        err = take_link(opened);
        if (!err)
            err = each(context, &opened->link, souk_buf_view(&opened->value));
    }
    spine_packer_put(opened->spine, opened->packer);
    return err;
}

souk_err spine_edge_links(souk_spine *spine, const souk_block *block, size_t edge_index,
                          spine_edge_each *each, void *context)
{
    const souk_block_edge *edge = &block->edges[edge_index];
    unsigned char plain[EDGE_BYTES], nonce[SOUK_NONCE];
    if (edge->slot == 0)
        return SOUK_EERASED;
    if (edge->sealed_bytes < SOUK_SEAL_TAG || edge->sealed_bytes > sizeof plain)
        return SOUK_ECORRUPT;
    souk_nonce_edge(nonce, block->prefix, edge_index);
    souk_seal_place place = edge_place(block->first_position);
    SOUK_TRY(souk_vault_unseal(spine->vault, edge->slot, &place, nonce, edge->sealed,
                               edge->sealed_bytes, plain));
    struct opened opened = {.spine = spine,
                            .at = plain,
                            .end = plain + edge->sealed_bytes - SOUK_SEAL_TAG,
                            .value = {.mem = spine->mem}};
    souk_err err = take_head(&opened, block, edge->slot);
    if (!err)
        err = take_links(&opened, each, context);
    souk_buf_done(&opened.value);
    return err;
}

/* ---- while events are taken ---------------------------------------------------------------------------- */

static souk_err add_pair(souk_spine *spine, uint64_t key, uint64_t value)
{
    struct spine_group *group = &spine->group;
    SOUK_TRY(souk_mem_grow(spine->mem, &group->pairs, &group->pair_capacity, group->pair_count + 1,
                           (size_t)1 << 22, sizeof *group->pairs));
    group->pairs[group->pair_count++] = (struct spine_pair){key, value};
    return SOUK_OK;
}

/* The edge of the event in hand that concerns the link's atom. */
static struct spine_edge *edge_for(struct spine_group *group, const souk_link *link)
{
    for (size_t i = 0; i < group->edge_count; i++)
        if (group->edges[i].slot == link->slot)
            return &group->edges[i];
    souk_assert(group->edge_count < SPINE_EVENT_ATOMS);
    struct spine_edge *edge = &group->edges[group->edge_count++];
    spine_edge_begin(edge, link, group->block_first);
    return edge;
}

souk_err spine_write_link(void *context, const souk_link *link, souk_text value)
{
    souk_spine *spine = context;
    struct spine_group *group = &spine->group;
    SOUK_TRY(spine_edge_add(edge_for(group, link), link, value, group->packer, &group->value));
    souk_index_lock(spine->index);
    souk_err err = souk_index_link(spine->index, link);
    souk_index_unlock(spine->index);
    return err;
}

souk_err spine_write_edges(souk_spine *spine)
{
    struct spine_group *group = &spine->group;
    for (size_t i = 0; i < group->edge_count; i++) {
        struct spine_edge *tied = &group->edges[i];
        size_t edge_index = souk_block_edge_count(group->maker);
        SOUK_TRY(spine_edge_seal(spine, tied, group->prefix, group->block_first, edge_index));
        souk_block_edge edge = {.slot = tied->slot,
                                .sealed_bytes = (uint16_t)tied->plain.bytes,
                                .sealed = (const unsigned char *)tied->plain.at};
        souk_block_add_edge(group->maker, &edge);
        SOUK_TRY(add_pair(spine, tied->atom, spine_timeline_link(tied->position)));
    }
    return SOUK_OK;
}
