/* block.c - writes the bytes of block.h. */
#include "core/block_private.h"

#include <zstd.h>

enum { BLOCK_ZSTD_LEVEL = 1 };

struct souk_block_maker {
    souk_mem *mem;
    uint64_t first_position;
    size_t count, line_count, edge_count;
    souk_time last_received;
    souk_buf columns[COLUMNS], messages, edges, sealed, joined;
    ZSTD_CCtx *zstd;
    uint32_t edges_crc;
    unsigned char prefix[SOUK_BLOCK_PREFIX];
};

uint32_t souk_currency_code(const char currency[4])
{
    return (uint32_t)(unsigned char)currency[0] | (uint32_t)(unsigned char)currency[1] << 8 |
           (uint32_t)(unsigned char)currency[2] << 16;
}

void souk_currency_name(uint32_t code, char ret_name[4])
{
    for (unsigned i = 0; i < 3; i++)
        ret_name[i] = (char)(code >> (8 * i));
    ret_name[3] = '\0';
}

void souk_nonce_event(unsigned char nonce[SOUK_NONCE], const unsigned char *prefix,
                      uint64_t position)
{
    memcpy(nonce, prefix, SOUK_BLOCK_PREFIX);
    souk_put_u64(nonce + SOUK_BLOCK_PREFIX, position);
}

void souk_nonce_edge(unsigned char nonce[SOUK_NONCE], const unsigned char *prefix, uint64_t index)
{
    memcpy(nonce, prefix, SOUK_BLOCK_PREFIX);
    souk_put_u64(nonce + SOUK_BLOCK_PREFIX, index | (uint64_t)1 << 63);
}

/* ---- numbers --------------------------------------------------------------------------------- */

static uint64_t money_fold(int64_t micro)
{
    unsigned zeros = 0;
    while (zeros < 6 && micro != 0 && micro % 10 == 0) {
        micro /= 10;
        zeros++;
    }
    /* A mantissa above 60 bits keeps its zeros: 7 marks a number stored whole, behind. */
    uint64_t zigzag = souk_zigzag(micro);
    return zigzag >> 61 ? 7 : zigzag << 3 | zeros;
}

static void put_money(souk_buf *column, int64_t micro)
{
    uint64_t folded = money_fold(micro);
    souk_buf_varint(column, folded);
    if (folded == 7)
        souk_buf_varint(column, souk_zigzag(micro));
}

/* ---- writing --------------------------------------------------------------------------------- */

souk_err souk_block_maker_new(souk_mem *mem, souk_block_maker **ret_maker)
{
    souk_auto(souk_block_maker) maker = souk_mem_get(mem, sizeof *maker);
    if (!maker)
        return SOUK_ENOMEM;
    maker->mem = mem;
    for (size_t i = 0; i < COLUMNS; i++)
        maker->columns[i].mem = mem;
    maker->messages.mem = maker->edges.mem = maker->sealed.mem = maker->joined.mem = mem;
    maker->zstd = ZSTD_createCCtx();
    if (!maker->zstd)
        return SOUK_ENOMEM;
    *ret_maker = souk_take(&maker);
    return SOUK_OK;
}

void souk_block_maker_free(souk_block_maker *maker)
{
    if (!maker)
        return;
    for (size_t i = 0; i < COLUMNS; i++)
        souk_buf_done(&maker->columns[i]);
    souk_buf_done(&maker->messages);
    souk_buf_done(&maker->edges);
    souk_buf_done(&maker->sealed);
    souk_buf_done(&maker->joined);
    ZSTD_freeCCtx(maker->zstd);
    souk_mem_put(maker->mem, maker);
}

void souk_block_begin(souk_block_maker *maker, uint64_t first_position,
                      const unsigned char prefix[SOUK_BLOCK_PREFIX])
{
    for (size_t i = 0; i < COLUMNS; i++)
        souk_buf_clear(&maker->columns[i]);
    souk_buf_clear(&maker->messages);
    souk_buf_clear(&maker->edges);
    souk_buf_clear(&maker->sealed);
    maker->first_position = first_position;
    maker->count = maker->line_count = maker->edge_count = 0;
    maker->last_received = 0;
    maker->edges_crc = 0;
    memcpy(maker->prefix, prefix, SOUK_BLOCK_PREFIX);
}

static int64_t put_lines(souk_block_maker *maker, const souk_fact_line *lines, size_t count)
{
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        souk_buf_varint(&maker->columns[COL_PRODUCT], lines[i].product);
        souk_buf_varint(&maker->columns[COL_CATEGORY], lines[i].category);
        put_money(&maker->columns[COL_QUANTITY], lines[i].quantity_micro);
        put_money(&maker->columns[COL_LINE_AMOUNT], lines[i].amount_micro);
        sum = wrap_add(sum, lines[i].amount_micro);
    }
    maker->line_count += count;
    return sum;
}

void souk_block_add(souk_block_maker *maker, const souk_fact *fact, const souk_fact_line *lines,
                    souk_hash128 message, const void *sealed)
{
    souk_buf *columns = maker->columns;
    souk_assert(fact->position == maker->first_position + maker->count);
    souk_assert(maker->count < SOUK_BLOCK_EVENTS);
    souk_buf_varint(&columns[COL_RECEIVED],
                    souk_zigzag(wrap_subtract(fact->received, maker->last_received)));
    souk_buf_varint(&columns[COL_AT], souk_zigzag(wrap_subtract(fact->received, fact->at)));
    souk_buf_varint(&columns[COL_ATOM], fact->atom);
    souk_buf_varint(&columns[COL_SOURCE], fact->source);
    souk_buf_varint(&columns[COL_TYPE], fact->type);
    souk_buf_varint(&columns[COL_STORE], fact->store);
    souk_buf_varint(&columns[COL_CURRENCY], fact->currency);
    souk_buf_varint(&columns[COL_FLAGS], fact->flags);
    souk_buf_varint(&columns[COL_SEALED], fact->sealed_bytes);
    souk_buf_varint(&columns[COL_LINES], fact->line_count);
    int64_t sum = put_lines(maker, lines, fact->line_count);
    put_money(&columns[COL_AMOUNT], (int64_t)((uint64_t)fact->amount_micro - (uint64_t)sum));
    souk_buf_append(&maker->messages, &message, SOUK_BLOCK_MESSAGE);
    souk_buf_append(&maker->sealed, sealed, fact->sealed_bytes);
    maker->last_received = fact->received;
    maker->count++;
}

void souk_block_add_edge(souk_block_maker *maker, const souk_block_edge *edge)
{
    unsigned char head[EDGE_HEAD];
    souk_put_u32(head, edge->slot);
    souk_put_u16(head + 4, edge->sealed_bytes);
    maker->edges_crc = souk_crc32c(maker->edges_crc, head, sizeof head);
    souk_buf_append(&maker->edges, head, sizeof head);
    souk_buf_append(&maker->edges, edge->sealed, edge->sealed_bytes);
    maker->edge_count++;
}

size_t souk_block_edge_count(const souk_block_maker *maker)
{
    return maker->edge_count;
}

static souk_err join_columns(souk_block_maker *maker)
{
    souk_buf *joined = &maker->joined;
    souk_buf_clear(joined);
    for (size_t i = 0; i < COLUMNS; i++) {
        SOUK_TRY(souk_buf_check(&maker->columns[i]));
        souk_buf_varint(joined, maker->columns[i].bytes);
        souk_buf_text(joined, souk_buf_view(&maker->columns[i]));
    }
    return souk_buf_check(joined);
}

souk_err souk_block_finish(souk_block_maker *maker, souk_buf *out)
{
    if (maker->line_count > BLOCK_LINES || maker->edge_count > BLOCK_EDGES)
        return SOUK_ETOOBIG;
    SOUK_TRY(join_columns(maker));
    SOUK_TRY(souk_buf_check(&maker->messages));
    SOUK_TRY(souk_buf_check(&maker->edges));
    SOUK_TRY(souk_buf_check(&maker->sealed));
    size_t bound = ZSTD_compressBound(maker->joined.bytes);
    char *room = souk_buf_room(out, SOUK_BLOCK_HEADER + bound);
    if (!room)
        return souk_buf_check(out);
    size_t columns_bytes =
        ZSTD_compressCCtx(maker->zstd, room + SOUK_BLOCK_HEADER, bound, maker->joined.at,
                          maker->joined.bytes, BLOCK_ZSTD_LEVEL);
    if (ZSTD_isError(columns_bytes))
        return SOUK_ENOMEM;
    struct header header = {.magic = BLOCK_MAGIC,
                            .version = BLOCK_VERSION,
                            .count = (uint32_t)maker->count,
                            .line_count = (uint32_t)maker->line_count,
                            .edge_count = (uint32_t)maker->edge_count,
                            .columns_bytes = (uint32_t)columns_bytes,
                            .columns_raw_bytes = (uint32_t)maker->joined.bytes,
                            .edges_bytes = (uint32_t)maker->edges.bytes,
                            .sealed_bytes = (uint32_t)maker->sealed.bytes,
                            .first_position = maker->first_position,
                            .edges_crc = block_edges_crc(maker->edge_count, maker->edges_crc)};
    memcpy(header.prefix, maker->prefix, SOUK_BLOCK_PREFIX);
    header.crc = block_crc(&header, room + SOUK_BLOCK_HEADER, maker->messages.at);
    memcpy(room, &header, sizeof header);
    souk_buf_added(out, SOUK_BLOCK_HEADER + columns_bytes);
    souk_buf_text(out, souk_buf_view(&maker->messages));
    souk_buf_text(out, souk_buf_view(&maker->edges));
    souk_buf_text(out, souk_buf_view(&maker->sealed));
    return souk_buf_check(out);
}
