/* spine_link.c - what an edge's sealed text holds.
 *
 *     { link kind u8, identifier kind u8, event's offset in its block u16, atom u32, shopper u32 } 12 bytes
 *     the identifier's value, packed (a public id: its 16 bytes as they are)
 *
 * Sealed under the key of the atom's slot, bound to its block; nothing outside the seal leads from the
 * hash to the atom, so a destroyed key cuts the path in every copy of the ledger. */
#include "core/spine_private.h"

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

static souk_seal_place edge_place(uint64_t block_first)
{
    return (souk_seal_place){
        .merchant = SOUK_OPERATOR, .position = block_first, .class = SPINE_CLASS_EDGE};
}

souk_err spine_link_seal(souk_spine *spine, const souk_link *link, souk_text value,
                         const unsigned char *prefix, uint64_t block_first, size_t edge_index,
                         souk_packer *packer, souk_buf *sealed)
{
    unsigned char head[SPINE_LINK_HEAD] = {(unsigned char)link->kind, (unsigned char)link->id_kind};
    souk_put_u16(head + 2, (uint16_t)(link->position - block_first));
    souk_put_u32(head + 4, link->atom);
    souk_put_u32(head + 8, link->shopper);
    souk_buf_clear(sealed);
    souk_buf_append(sealed, head, sizeof head);
    if (link->kind == SOUK_LINK_SHOPPER)
        souk_buf_text(sealed, value);
    else if (value.bytes)
        SOUK_TRY(souk_pack(packer, value, sealed));
    size_t plain_bytes = sealed->bytes;
    if (!souk_buf_room(sealed, SOUK_SEAL_TAG))
        return souk_buf_check(sealed);
    souk_buf_added(sealed, SOUK_SEAL_TAG);
    unsigned char nonce[SOUK_NONCE];
    souk_nonce_edge(nonce, prefix, edge_index);
    souk_seal_place place = edge_place(block_first);
    return souk_vault_seal(spine->vault, link->slot, &place, nonce, sealed->at, plain_bytes,
                           sealed->at);
}

static souk_err read_value(const souk_link *link, souk_packer *packer, souk_text packed,
                           souk_buf *value)
{
    if (link->kind == SOUK_LINK_SHOPPER || packed.bytes == 0) {
        souk_buf_text(value, packed);
        return souk_buf_check(value);
    }
    return souk_unpack(packer, packed, SOUK_ID_BYTES, value);
}

souk_err spine_link_open(souk_spine *spine, const souk_block *block, size_t edge_index,
                         souk_link *ret_link, souk_buf *value)
{
    const souk_block_edge *edge = &block->edges[edge_index];
    unsigned char plain[SPINE_LINK_HEAD + 2 * SOUK_ID_BYTES + SOUK_SEAL_TAG];
    if (edge->slot == 0)
        return SOUK_EERASED; /* its place is kept: the next edges' nonces count it */
    if (edge->sealed_bytes < SPINE_LINK_HEAD + SOUK_SEAL_TAG || edge->sealed_bytes > sizeof plain)
        return SOUK_ECORRUPT;
    unsigned char nonce[SOUK_NONCE];
    souk_nonce_edge(nonce, block->prefix, edge_index);
    souk_seal_place place = edge_place(block->first_position);
    SOUK_TRY(souk_vault_unseal(spine->vault, edge->slot, &place, nonce, edge->sealed,
                               edge->sealed_bytes, plain));
    *ret_link = (souk_link){.hash = edge->hash,
                            .slot = edge->slot,
                            .kind = (souk_link_kind)plain[0],
                            .id_kind = (souk_id_kind)plain[1],
                            .position = block->first_position + souk_get_u16(plain + 2),
                            .atom = souk_get_u32(plain + 4),
                            .shopper = souk_get_u32(plain + 8)};
    if (ret_link->kind < SOUK_LINK_IDENTIFIER || ret_link->kind > SOUK_LINK_SHARED ||
        ret_link->id_kind >= SOUK_ID_KINDS)
        return SOUK_ECORRUPT;
    if (!value)
        return SOUK_OK;
    souk_packer *packer;
    SOUK_TRY(spine_packer_take(spine, &packer));
    souk_text packed = {(const char *)plain + SPINE_LINK_HEAD,
                        edge->sealed_bytes - (size_t)SPINE_LINK_HEAD - SOUK_SEAL_TAG};
    souk_err err = read_value(ret_link, packer, packed, value);
    spine_packer_put(spine, packer);
    return err;
}
