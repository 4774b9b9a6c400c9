/* block.c - writes and reads the bytes of block.h.
 *
 * Columns are varints, one column after another, each preceded by its length, then zstd level 1 over
 * all of them.  Money is stored as a mantissa and a count of stripped zeros: 15.30 is 15,300,000
 * millionths, stored as 1,530 and 4 in three bytes. */
#include "core/block.h"

#include <zstd.h>

enum {
    BLOCK_MAGIC = 0x3142,
    BLOCK_VERSION = 2,
    BLOCK_ZSTD_LEVEL = 1,
    BLOCK_LINES = 1 << 22,
    BLOCK_EDGES = SOUK_BLOCK_EVENTS * 8,
    EDGE_HEAD = 6
};
_Static_assert(sizeof(souk_hash128) == 16, "a hash is stored as it lies in memory");

/* One column each; the order is the format. */
enum column {
    COL_RECEIVED, /* difference to the one before */
    COL_AT,       /* received - at */
    COL_ATOM,
    COL_SOURCE,
    COL_TYPE,
    COL_STORE,
    COL_CURRENCY,
    COL_FLAGS,
    COL_AMOUNT, /* minus the sum of the lines' amounts */
    COL_SEALED,
    COL_LINES,
    COL_PRODUCT,
    COL_CATEGORY,
    COL_QUANTITY,
    COL_LINE_AMOUNT,
    COLUMNS
};

struct header {
    uint16_t magic, version;
    uint32_t count, line_count, edge_count;
    uint32_t columns_bytes, columns_raw_bytes, edges_bytes, sealed_bytes;
    uint64_t first_position;
    unsigned char prefix[SOUK_BLOCK_PREFIX];
    uint32_t crc;       /* of the header with 0 here, the columns and the messages */
    uint32_t edges_crc; /* of the edges' heads; 0: of none, or the block is older than this sum */
};
_Static_assert(sizeof(struct header) == SOUK_BLOCK_HEADER, "the header is stored as it lies");

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

static bool get_money(const unsigned char **at, const unsigned char *end, int64_t *ret_micro)
{
    static const int64_t powers[7] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    uint64_t folded;
    if (!souk_varint_read(at, end, &folded))
        return false;
    if ((folded & 7) == 7) {
        uint64_t whole;
        if (folded != 7 || !souk_varint_read(at, end, &whole))
            return false;
        *ret_micro = souk_unzigzag(whole);
        return true;
    }
    return !__builtin_mul_overflow(souk_unzigzag(folded >> 3), powers[folded & 7], ret_micro);
}

/* Sums that wrap are fine here: writing subtracts what reading adds. */
static int64_t wrap_add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t wrap_subtract(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
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

/* As it stands in the header, where 0 tells that there is none. */
static uint32_t stored_edges_crc(size_t edge_count, uint32_t crc)
{
    return edge_count && crc == 0 ? 1 : crc;
}

static uint32_t block_crc(const struct header *header, const void *columns, const void *messages)
{
    struct header without = *header;
    without.crc = 0;
    uint32_t crc = souk_crc32c(0, &without, sizeof without);
    crc = souk_crc32c(crc, columns, header->columns_bytes);
    return souk_crc32c(crc, messages, (size_t)header->count * SOUK_BLOCK_MESSAGE);
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
                            .edges_crc = stored_edges_crc(maker->edge_count, maker->edges_crc)};
    memcpy(header.prefix, maker->prefix, SOUK_BLOCK_PREFIX);
    header.crc = block_crc(&header, room + SOUK_BLOCK_HEADER, maker->messages.at);
    memcpy(room, &header, sizeof header);
    souk_buf_added(out, SOUK_BLOCK_HEADER + columns_bytes);
    souk_buf_text(out, souk_buf_view(&maker->messages));
    souk_buf_text(out, souk_buf_view(&maker->edges));
    souk_buf_text(out, souk_buf_view(&maker->sealed));
    return souk_buf_check(out);
}

/* ---- reading --------------------------------------------------------------------------------- */

static souk_err read_header(const void *bytes, struct header *ret_header)
{
    memcpy(ret_header, bytes, sizeof *ret_header);
    const struct header *h = ret_header;
    if (h->magic != BLOCK_MAGIC)
        return SOUK_ECORRUPT;
    if (h->version != BLOCK_VERSION)
        return SOUK_EVERSION;
    if (h->count > SOUK_BLOCK_EVENTS || h->line_count > BLOCK_LINES ||
        h->edge_count > BLOCK_EDGES || h->columns_raw_bytes > (uint32_t)1 << 28)
        return SOUK_ECORRUPT;
    return SOUK_OK;
}

souk_err souk_block_head_bytes(const void *header, size_t *ret_bytes)
{
    struct header h;
    SOUK_TRY(read_header(header, &h));
    *ret_bytes = SOUK_BLOCK_HEADER + (size_t)h.columns_bytes + (size_t)h.count * SOUK_BLOCK_MESSAGE;
    return SOUK_OK;
}

/* A column being read: where it stands and where it ends; `bad` is sticky. */
struct reader {
    const unsigned char *at[COLUMNS], *end[COLUMNS];
    bool bad;
};

static uint64_t take(struct reader *reader, enum column column)
{
    uint64_t v = 0;
    if (!souk_varint_read(&reader->at[column], reader->end[column], &v))
        reader->bad = true;
    return v;
}

static uint32_t take_u32(struct reader *reader, enum column column)
{
    uint64_t v = take(reader, column);
    if (v > UINT32_MAX)
        reader->bad = true;
    return (uint32_t)v;
}

static int64_t take_money(struct reader *reader, enum column column)
{
    int64_t micro = 0;
    if (!get_money(&reader->at[column], reader->end[column], &micro))
        reader->bad = true;
    return micro;
}

static souk_err split_columns(const unsigned char *raw, size_t bytes, struct reader *reader)
{
    const unsigned char *at = raw, *end = raw + bytes;
    for (size_t i = 0; i < COLUMNS; i++) {
        uint64_t column_bytes;
        if (!souk_varint_read(&at, end, &column_bytes) || column_bytes > (size_t)(end - at))
            return SOUK_ECORRUPT;
        reader->at[i] = at;
        reader->end[i] = at += column_bytes;
    }
    return at == end ? SOUK_OK : SOUK_ECORRUPT;
}

static void read_lines(struct reader *reader, souk_block *block, souk_fact *fact, size_t *line_at)
{
    if (fact->line_count > block->line_count - *line_at) {
        reader->bad = true;
        return;
    }
    fact->first_line = (uint32_t)*line_at;
    for (size_t i = 0; i < fact->line_count && !reader->bad; i++) {
        souk_fact_line *line = &block->lines[(*line_at)++];
        line->product = take_u32(reader, COL_PRODUCT);
        line->category = take_u32(reader, COL_CATEGORY);
        line->quantity_micro = take_money(reader, COL_QUANTITY);
        line->amount_micro = take_money(reader, COL_LINE_AMOUNT);
        fact->amount_micro = wrap_add(fact->amount_micro, line->amount_micro);
    }
}

static souk_err read_facts(struct reader *reader, souk_block *block, uint32_t sealed_bytes)
{
    souk_time received = 0;
    size_t line_at = 0;
    uint64_t sealed_at = 0;
    for (size_t i = 0; i < block->count && !reader->bad; i++) {
        souk_fact *fact = &block->facts[i];
        received = wrap_add(received, souk_unzigzag(take(reader, COL_RECEIVED)));
        fact->position = block->first_position + i;
        fact->received = received;
        fact->at = wrap_subtract(received, souk_unzigzag(take(reader, COL_AT)));
        fact->atom = take_u32(reader, COL_ATOM);
        fact->source = take_u32(reader, COL_SOURCE);
        fact->type = take_u32(reader, COL_TYPE);
        fact->store = take_u32(reader, COL_STORE);
        fact->currency = take_u32(reader, COL_CURRENCY) & 0xffffff;
        fact->flags = (uint8_t)take(reader, COL_FLAGS);
        fact->amount_micro = take_money(reader, COL_AMOUNT);
        fact->sealed_bytes = take_u32(reader, COL_SEALED);
        fact->line_count = take_u32(reader, COL_LINES);
        fact->sealed_at = (uint32_t)sealed_at;
        sealed_at += fact->sealed_bytes;
        if (sealed_at > sealed_bytes)
            return SOUK_ECORRUPT;
        read_lines(reader, block, fact, &line_at);
    }
    bool whole = !reader->bad && line_at == block->line_count && sealed_at == sealed_bytes;
    return whole ? SOUK_OK : SOUK_ECORRUPT;
}

static souk_err read_edges(souk_block *block, const struct header *header, const unsigned char *at)
{
    const unsigned char *end = at + header->edges_bytes;
    uint32_t crc = 0;
    for (size_t i = 0; i < block->edge_count; i++) {
        souk_block_edge *edge = &block->edges[i];
        if (end - at < EDGE_HEAD)
            return SOUK_ECORRUPT;
        crc = souk_crc32c(crc, at, EDGE_HEAD);
        edge->slot = souk_get_u32(at);
        edge->sealed_bytes = souk_get_u16(at + 4);
        edge->sealed = at += EDGE_HEAD;
        if (end - at < edge->sealed_bytes)
            return SOUK_ECORRUPT;
        at += edge->sealed_bytes;
    }
    bool summed = header->edges_crc != 0;
    if (summed && header->edges_crc != stored_edges_crc(block->edge_count, crc))
        return SOUK_ECORRUPT;
    return at == end ? SOUK_OK : SOUK_ECORRUPT;
}

static souk_err unfold_columns(souk_mem *mem, const struct header *header, const char *at,
                               souk_block *block)
{
    unsigned char *raw = souk_mem_get(mem, header->columns_raw_bytes);
    if (!raw)
        return SOUK_ENOMEM;
    struct reader reader = {.bad = false};
    souk_err err = SOUK_ECORRUPT;
    size_t got = ZSTD_decompress(raw, header->columns_raw_bytes, at, header->columns_bytes);
    if (got == header->columns_raw_bytes)
        err = split_columns(raw, got, &reader);
    if (!err)
        err = read_facts(&reader, block, header->sealed_bytes);
    souk_mem_put(mem, raw);
    return err;
}

souk_err souk_block_read(souk_mem *mem, souk_text bytes, enum souk_block_part part,
                         souk_block **ret_block)
{
    struct header h;
    size_t head_bytes;
    if (bytes.bytes < SOUK_BLOCK_HEADER)
        return SOUK_ECORRUPT;
    SOUK_TRY(read_header(bytes.at, &h));
    SOUK_TRY(souk_block_head_bytes(bytes.at, &head_bytes));
    uint64_t total = (uint64_t)head_bytes + h.edges_bytes + h.sealed_bytes;
    if (bytes.bytes < head_bytes || (part == SOUK_BLOCK_ALL && bytes.bytes != total))
        return SOUK_ECORRUPT;
    const char *columns = bytes.at + SOUK_BLOCK_HEADER, *messages = columns + h.columns_bytes;
    if (block_crc(&h, columns, messages) != h.crc)
        return SOUK_ECORRUPT;

    souk_auto(souk_block) block = souk_mem_get(mem, sizeof *block);
    if (!block)
        return SOUK_ENOMEM;
    *block = (souk_block){.mem = mem,
                          .first_position = h.first_position,
                          .count = h.count,
                          .line_count = h.line_count,
                          .edge_count = h.edge_count,
                          .sealed_offset = head_bytes + h.edges_bytes,
                          .total_bytes = total};
    memcpy(block->prefix, h.prefix, sizeof block->prefix);
    block->facts = souk_mem_array(mem, h.count, sizeof *block->facts);
    block->lines = souk_mem_array(mem, h.line_count, sizeof *block->lines);
    if (!block->facts || !block->lines)
        return SOUK_ENOMEM;
    SOUK_TRY(unfold_columns(mem, &h, columns, block));
    if (part == SOUK_BLOCK_ALL) {
        const unsigned char *whole = (const unsigned char *)bytes.at;
        block->messages = (const unsigned char *)messages;
        block->sealed = whole + block->sealed_offset;
        block->edges = souk_mem_array(mem, h.edge_count, sizeof *block->edges);
        if (!block->edges)
            return SOUK_ENOMEM;
        SOUK_TRY(read_edges(block, &h, whole + head_bytes));
    }
    *ret_block = souk_take(&block);
    return SOUK_OK;
}

void souk_block_free(souk_block *block)
{
    if (!block)
        return;
    souk_mem_put(block->mem, block->facts);
    souk_mem_put(block->mem, block->lines);
    souk_mem_put(block->mem, block->edges);
    souk_mem_put(block->mem, block);
}
