/* block_test.c - random blocks written and read back, and every byte of one damaged or missing. */
#include "test/test.h"

#include "core/block_private.h"

#include <zstd.h>

enum { EVENTS = 60, LINES = 200, EDGES = 40, SEALED = 64 };

/* What goes into a block, kept beside it. */
struct content {
    uint64_t first_position;
    unsigned char prefix[SOUK_BLOCK_PREFIX];
    souk_fact facts[EVENTS];
    souk_fact_line lines[LINES];
    souk_hash128 messages[EVENTS];
    unsigned char sealed[EVENTS][SEALED];
    souk_block_edge edges[EDGES];
    unsigned char edge_sealed[EDGES][SEALED];
    size_t count, line_count, edge_count;
};

/* ---- random content -------------------------------------------------------------------------------- */

static int64_t number(souk_test *test)
{
    static const int64_t odd[] = {
        0,         1,         -1,        INT64_MAX,          INT64_MIN,
        1000000,   -15300000, 1LL << 60, -(1LL << 60),       (1LL << 60) - 1,
        1LL << 61, 999999,    10,        INT64_MAX / 10 * 10};
    switch (test_random(test, 4)) {
    case 0:
        return odd[test_random(test, sizeof odd / sizeof *odd)];
    case 1:
        return (int64_t)test_random(test, 100000) * 10000;
    case 2:
        return (int64_t)(test_random(test, 0) >> test_random(test, 64));
    default:
        return (int64_t)test_random(test, 0);
    }
}

static uint32_t number32(souk_test *test)
{
    return test_random(test, 8) ? (uint32_t)(test_random(test, 0) >> (32 + test_random(test, 32)))
                                : UINT32_MAX;
}

static void fill_bytes(souk_test *test, void *to, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        ((unsigned char *)to)[i] = (unsigned char)test_random(test, 256);
}

static souk_fact random_fact(souk_test *test, const struct content *content)
{
    souk_time received = number(test);
    return (souk_fact){.position = content->first_position + content->count,
                       .at = test_random(test, 4) ? received - 60000 * !!(received > 0)
                                                  : number(test),
                       .received = received,
                       .atom = number32(test),
                       .source = number32(test),
                       .type = number32(test),
                       .store = number32(test),
                       .currency = number32(test) & 0xffffff,
                       .line_count = (uint32_t)test_random(test, 7),
                       .amount_micro = number(test),
                       .sealed_bytes = (uint32_t)test_random(test, SEALED + 1),
                       .flags = (uint8_t)test_random(test, 256)};
}

static void make_content(souk_test *test, struct content *content, size_t most)
{
    memset(content, 0, sizeof *content);
    content->first_position = test_random(test, 0) >> 2;
    fill_bytes(test, content->prefix, sizeof content->prefix);
    for (uint64_t events = test_random(test, most + 1); events; events--) {
        souk_fact fact = random_fact(test, content);
        if (content->line_count + fact.line_count > LINES)
            fact.line_count = 0;
        fact.first_line = (uint32_t)content->line_count;
        for (uint32_t i = 0; i < fact.line_count; i++)
            content->lines[content->line_count++] =
                (souk_fact_line){number32(test), number32(test), number(test), number(test)};
        fill_bytes(test, content->sealed[content->count], fact.sealed_bytes);
        fill_bytes(test, &content->messages[content->count], sizeof(souk_hash128));
        content->facts[content->count++] = fact;
    }
    for (uint64_t edges = test_random(test, most * EDGES / EVENTS + 1); edges; edges--) {
        souk_block_edge *edge = &content->edges[content->edge_count];
        unsigned char *sealed = content->edge_sealed[content->edge_count++];
        edge->slot = number32(test);
        edge->sealed_bytes = (uint16_t)test_random(test, SEALED + 1);
        edge->sealed = sealed;
        fill_bytes(test, sealed, edge->sealed_bytes);
    }
}

static souk_err write_content(souk_block_maker *maker, const struct content *content, souk_buf *out)
{
    souk_block_begin(maker, content->first_position, content->prefix);
    for (size_t i = 0; i < content->count; i++) {
        const souk_fact *fact = &content->facts[i];
        souk_block_add(maker, fact, content->lines + fact->first_line, content->messages[i],
                       fact->sealed_bytes ? content->sealed[i] : NULL);
    }
    for (size_t i = 0; i < content->edge_count; i++)
        souk_block_add_edge(maker, &content->edges[i]);
    souk_assert(souk_block_edge_count(maker) == content->edge_count);
    return souk_block_finish(maker, out);
}

/* ---- comparison ------------------------------------------------------------------------------------ */

static bool same_fact(const souk_fact *a, const souk_fact *b)
{
    return a->position == b->position && a->at == b->at && a->received == b->received &&
           a->atom == b->atom && a->source == b->source && a->type == b->type &&
           a->store == b->store && a->currency == b->currency && a->line_count == b->line_count &&
           a->first_line == b->first_line && a->amount_micro == b->amount_micro &&
           a->sealed_bytes == b->sealed_bytes && a->flags == b->flags;
}

static bool same_line(const souk_fact_line *a, const souk_fact_line *b)
{
    return a->product == b->product && a->category == b->category &&
           a->quantity_micro == b->quantity_micro && a->amount_micro == b->amount_micro;
}

static bool same_columns(const souk_block *block, const struct content *content)
{
    bool same = block->first_position == content->first_position &&
                block->count == content->count && block->line_count == content->line_count &&
                !memcmp(block->prefix, content->prefix, sizeof block->prefix);
    for (size_t i = 0; same && i < content->count; i++)
        same = same_fact(&block->facts[i], &content->facts[i]);
    for (size_t i = 0; same && i < content->line_count; i++)
        same = same_line(&block->lines[i], &content->lines[i]);
    return same;
}

static bool same_edges(const souk_block *block, const struct content *content)
{
    bool same = block->edge_count == content->edge_count;
    for (size_t i = 0; same && i < content->edge_count; i++) {
        const souk_block_edge *a = &block->edges[i], *b = &content->edges[i];
        same = a->slot == b->slot && a->sealed_bytes == b->sealed_bytes &&
               !memcmp(a->sealed, b->sealed, a->sealed_bytes);
    }
    return same;
}

/* Edges and sealed bytes have tags of their own: only their places are compared. */
static bool same_but_sealed(const souk_block *block, const struct content *content)
{
    bool same = same_columns(block, content) && block->edge_count == content->edge_count;
    uint64_t at = 0;
    for (size_t i = 0; same && i < content->count; i++) {
        same =
            block->facts[i].sealed_at == at && !memcmp(block->messages + i * SOUK_BLOCK_MESSAGE,
                                                       &content->messages[i], SOUK_BLOCK_MESSAGE);
        at += content->facts[i].sealed_bytes;
    }
    return same && block->sealed_offset + at == block->total_bytes;
}

static bool same_whole(const souk_block *block, const struct content *content)
{
    bool same = same_but_sealed(block, content) && same_edges(block, content);
    for (size_t i = 0; same && i < content->count; i++)
        same = !memcmp(block->sealed + block->facts[i].sealed_at, content->sealed[i],
                       content->facts[i].sealed_bytes);
    return same;
}

/* ---- there and back -------------------------------------------------------------------------------- */

SOUK_TEST("random events, lines and edges come back as they were, from a maker that is used again")
{
    static struct content contents[3];
    souk_auto(souk_block_maker) maker = NULL;
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    SOUK_MUST(souk_block_maker_new(test->mem, &maker));
    for (int round = 0; round < 150; round++) {
        size_t ends[4] = {0};
        souk_buf_clear(&out);
        for (size_t i = 0; i < 3; i++) { /* one behind the other */
            make_content(test, &contents[i], EVENTS);
            SOUK_MUST(write_content(maker, &contents[i], &out));
            ends[i + 1] = out.bytes;
        }
        for (size_t i = 0; i < 3; i++) {
            souk_auto(souk_block) block = NULL;
            souk_text bytes = {out.at + ends[i], ends[i + 1] - ends[i]};
            SOUK_MUST(souk_block_read(test->mem, bytes, SOUK_BLOCK_ALL, &block));
            SOUK_CHECK(same_whole(block, &contents[i]) && block->total_bytes == bytes.bytes);
        }
    }
}

SOUK_TEST("one event is read as it is among all, and none beyond the block's ends")
{
    static struct content content;
    souk_auto(souk_block_maker) maker = NULL;
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    souk_auto_value(souk_arena) arena = {.mem = test->mem};
    SOUK_MUST(souk_block_maker_new(test->mem, &maker));
    for (int round = 0; round < 100; round++) {
        souk_auto(souk_block) block = NULL;
        souk_fact fact = {0};
        const souk_fact_line *lines = NULL;
        size_t head;
        uint64_t sealed_at = 0;
        make_content(test, &content, EVENTS);
        souk_buf_clear(&out);
        SOUK_MUST(write_content(maker, &content, &out));
        SOUK_MUST(souk_block_head_bytes(out.at, &head));
        SOUK_MUST(souk_block_read(test->mem, (souk_text){out.at, head}, SOUK_BLOCK_FEW, &block));
        SOUK_CHECK(!block->facts && !block->lines);
        for (size_t i = 0; i < content.count; i++) {
            const souk_fact *wanted = &content.facts[i];
            SOUK_MUST(souk_block_fact(block, wanted->position, &arena, &fact, &lines));
            SOUK_CHECK(fact.first_line == 0 && fact.sealed_at == sealed_at);
            sealed_at += fact.sealed_bytes;
            fact.first_line = wanted->first_line;
            SOUK_CHECK(same_fact(&fact, wanted));
            for (size_t k = 0; k < fact.line_count; k++)
                SOUK_CHECK(same_line(&lines[k], &content.lines[wanted->first_line + k]));
        }
        SOUK_CHECK_ERR(
            souk_block_fact(block, content.first_position + content.count, &arena, &fact, &lines),
            SOUK_ENOENT);
        SOUK_CHECK_ERR(souk_block_fact(block, content.first_position - 1, &arena, &fact, &lines),
                       SOUK_ENOENT);
        souk_arena_clear(&arena);
    }
}

/* A block of three events that say nothing, but that the first two have `sums` in one column. */
static souk_err forge_sums(enum column forged, const uint64_t sums[2], souk_buf *out)
{
    souk_auto_value(souk_buf) raw = {.mem = out->mem}, column = {.mem = out->mem};
    struct header header = {.magic = BLOCK_MAGIC, .version = BLOCK_VERSION, .count = 3};
    for (enum column i = 0; i < COL_PRODUCT; i++) {
        souk_buf_clear(&column);
        souk_buf_varint(&column, i == forged ? sums[0] : 0);
        souk_buf_varint(&column, i == forged ? sums[1] : 0);
        souk_buf_varint(&column, 0);
        souk_buf_varint(&raw, column.bytes);
        souk_buf_text(&raw, souk_buf_view(&column));
    }
    for (enum column i = COL_PRODUCT; i < COLUMNS; i++)
        souk_buf_varint(&raw, 0);
    char packed[512];
    header.columns_raw_bytes = (uint32_t)raw.bytes;
    header.columns_bytes = (uint32_t)ZSTD_compress(packed, sizeof packed, raw.at, raw.bytes, 1);
    static const char messages[3 * SOUK_BLOCK_MESSAGE];
    header.crc = block_crc(&header, packed, messages);
    souk_buf_append(out, &header, sizeof header);
    souk_buf_append(out, packed, header.columns_bytes);
    souk_buf_append(out, messages, sizeof messages);
    return raw.failed ? SOUK_ENOMEM : souk_buf_check(out);
}

SOUK_TEST("sums that would come round to a place in the block are refused, by one event as by all")
{
    static const uint64_t round[2] = {UINT64_MAX, 1}, none[2] = {0, 0};
    static const enum column columns[] = {COL_SEALED, COL_LINES};
    for (size_t i = 0; i < 3; i++) {
        souk_auto_value(souk_buf) out = {.mem = test->mem};
        souk_auto_value(souk_arena) arena = {.mem = test->mem};
        souk_auto(souk_block) few = NULL;
        souk_auto(souk_block) all = NULL;
        souk_fact fact;
        const souk_fact_line *lines;
        souk_err wanted =
            i < 2 ? SOUK_ECORRUPT : SOUK_OK; /* the forgery is noticed, not the rest */
        SOUK_MUST(forge_sums(columns[i % 2], i < 2 ? round : none, &out));
        souk_text text = souk_buf_view(&out);
        SOUK_CHECK_ERR(souk_block_read(test->mem, text, SOUK_BLOCK_COLUMNS, &all), wanted);
        SOUK_MUST(souk_block_read(test->mem, text, SOUK_BLOCK_FEW, &few));
        SOUK_CHECK_ERR(souk_block_fact(few, 2, &arena, &fact, &lines), wanted);
    }
}

SOUK_TEST("columns are read from the head alone, and one byte less is refused")
{
    static struct content content;
    souk_auto(souk_block_maker) maker = NULL;
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    SOUK_MUST(souk_block_maker_new(test->mem, &maker));
    for (int round = 0; round < 50; round++) {
        souk_auto(souk_block) block = NULL;
        size_t head;
        make_content(test, &content, EVENTS);
        souk_buf_clear(&out);
        SOUK_MUST(write_content(maker, &content, &out));
        SOUK_MUST(souk_block_head_bytes(out.at, &head));
        SOUK_CHECK_ERR(
            souk_block_read(test->mem, (souk_text){out.at, head - 1}, SOUK_BLOCK_COLUMNS, &block),
            SOUK_ECORRUPT);
        SOUK_CHECK(!block);
        SOUK_MUST(
            souk_block_read(test->mem, (souk_text){out.at, head}, SOUK_BLOCK_COLUMNS, &block));
        SOUK_CHECK(same_columns(block, &content) && block->total_bytes == out.bytes);
        SOUK_CHECK(!block->messages && !block->edges && !block->sealed);
    }
}

SOUK_TEST("one changed number, edge or sealed byte is noticed by the comparison")
{
    static struct content content, wrong;
    souk_auto(souk_block_maker) maker = NULL;
    souk_auto(souk_block) block = NULL;
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    SOUK_MUST(souk_block_maker_new(test->mem, &maker));
    do
        make_content(test, &content, EVENTS);
    while (content.line_count < 3 || content.edge_count < 2 || !content.facts[0].sealed_bytes);
    SOUK_MUST(write_content(maker, &content, &out));
    SOUK_MUST(souk_block_read(test->mem, souk_buf_view(&out), SOUK_BLOCK_ALL, &block));
    SOUK_CHECK(same_whole(block, &content));
    wrong = content;
    wrong.lines[2].quantity_micro ^= 1;
    SOUK_CHECK(!same_whole(block, &wrong));
    wrong = content;
    wrong.edges[1].slot ^= 1;
    SOUK_CHECK(!same_whole(block, &wrong));
    wrong = content;
    wrong.sealed[0][0] ^= 1;
    SOUK_CHECK(!same_whole(block, &wrong) && same_but_sealed(block, &wrong));
}

/* ---- damage ------------------------------------------------------------------------------------------ */

enum { AT_EDGES_CRC = 60, AT_CRC = 56, EDGE_HEAD_BYTES = 6 };

/* Does this byte of the edges and sealed events tell an edge's slot or size? */
static bool is_edge_head(const struct content *content, size_t at)
{
    for (size_t i = 0; i < content->edge_count; i++) {
        if (at < EDGE_HEAD_BYTES)
            return true;
        at -= EDGE_HEAD_BYTES;
        if (at < content->edges[i].sealed_bytes)
            return false;
        at -= content->edges[i].sealed_bytes;
    }
    return false;
}

SOUK_TEST("every changed byte that is not sealed is refused, and one that is changes nothing else")
{
    static struct content content;
    souk_auto(souk_block_maker) maker = NULL;
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    SOUK_MUST(souk_block_maker_new(test->mem, &maker));
    for (int round = 0; round < 8; round++) {
        do
            make_content(test, &content, 12);
        while (round && (content.count < 3 || content.edge_count == 0));
        souk_buf_clear(&out);
        SOUK_MUST(write_content(maker, &content, &out));
        size_t head;
        SOUK_MUST(souk_block_head_bytes(out.at, &head));
        for (size_t at = 0; at < out.bytes; at++) {
            souk_auto(souk_block) block = NULL;
            char flip = (char)(1 + test_random(test, 255));
            out.at[at] ^= flip;
            souk_err err = souk_block_read(test->mem, souk_buf_view(&out), SOUK_BLOCK_ALL, &block);
            if (at < head)
                SOUK_CHECK(err == SOUK_ECORRUPT || err == SOUK_EVERSION);
            else
                SOUK_CHECK(is_edge_head(&content, at - head)
                               ? err == SOUK_ECORRUPT
                               : err == SOUK_OK && same_but_sealed(block, &content));
            SOUK_CHECK(err == SOUK_OK || !block);
            out.at[at] ^= flip;
        }
    }
}

SOUK_TEST("a block of before the edges had a sum of their own is read as it is")
{
    static struct content content;
    souk_auto(souk_block_maker) maker = NULL;
    souk_auto(souk_block) block = NULL;
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    SOUK_MUST(souk_block_maker_new(test->mem, &maker));
    do
        make_content(test, &content, 12);
    while (content.edge_count < 2);
    SOUK_MUST(write_content(maker, &content, &out));
    size_t head;
    SOUK_MUST(souk_block_head_bytes(out.at, &head));
    SOUK_CHECK(souk_get_u32(out.at + AT_EDGES_CRC) != 0);
    souk_put_u32(out.at + AT_EDGES_CRC, 0);
    souk_put_u32(out.at + AT_CRC, 0);
    souk_put_u32(out.at + AT_CRC, souk_crc32c(0, out.at, head));
    SOUK_MUST(souk_block_read(test->mem, souk_buf_view(&out), SOUK_BLOCK_ALL, &block));
    SOUK_CHECK(same_whole(block, &content));
}

SOUK_TEST("every truncation is refused, and so is a byte too many")
{
    static struct content content;
    souk_auto(souk_block_maker) maker = NULL;
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    SOUK_MUST(souk_block_maker_new(test->mem, &maker));
    do
        make_content(test, &content, 12);
    while (content.count < 3 || content.edge_count == 0);
    SOUK_MUST(write_content(maker, &content, &out));
    souk_buf_byte(&out, 0);
    SOUK_MUST(souk_buf_check(&out));
    for (size_t bytes = 0; bytes <= out.bytes; bytes++) {
        souk_auto(souk_block) block = NULL;
        char *exact = souk_mem_get(test->mem, bytes); /* the sanitizer watches its end */
        memcpy(exact, out.at, bytes);
        souk_err err =
            souk_block_read(test->mem, (souk_text){exact, bytes}, SOUK_BLOCK_ALL, &block);
        SOUK_CHECK(err == (bytes == out.bytes - 1 ? SOUK_OK : SOUK_ECORRUPT));
        souk_block_free(souk_take(&block));
        souk_mem_put(test->mem, exact);
    }
}

/* ---- limits -------------------------------------------------------------------------------------------- */

SOUK_TEST("an empty block is a block")
{
    static struct content content;
    souk_auto(souk_block_maker) maker = NULL;
    souk_auto(souk_block) block = NULL;
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    SOUK_MUST(souk_block_maker_new(test->mem, &maker));
    memset(&content, 0, sizeof content);
    SOUK_MUST(write_content(maker, &content, &out));
    SOUK_MUST(souk_block_read(test->mem, souk_buf_view(&out), SOUK_BLOCK_ALL, &block));
    SOUK_CHECK(same_whole(block, &content) && block->count == 0 && block->edge_count == 0);
}

SOUK_TEST("what is finished can be read: a block of too many lines is refused when it is made")
{
    static souk_fact_line lines[128];
    souk_auto(souk_block_maker) maker = NULL;
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    SOUK_MUST(souk_block_maker_new(test->mem, &maker));
    for (uint32_t extra = 0; extra < 2; extra++) { /* 2^22 lines, and one more */
        souk_auto(souk_block) block = NULL;
        souk_block_begin(maker, 1, (unsigned char[SOUK_BLOCK_PREFIX]){0});
        for (uint32_t i = 0; i < (1 << 22) / 128 + extra; i++) {
            souk_fact fact = {.position = 1 + i, .line_count = i < (1 << 22) / 128 ? 128 : 1};
            souk_block_add(maker, &fact, lines, (souk_hash128){i, i}, NULL);
        }
        souk_buf_clear(&out);
        SOUK_CHECK_ERR(souk_block_finish(maker, &out), extra ? SOUK_ETOOBIG : SOUK_OK);
        if (!extra)
            SOUK_MUST(souk_block_read(test->mem, souk_buf_view(&out), SOUK_BLOCK_ALL, &block));
    }
}

SOUK_TEST("a block of 65,536 events is written and read")
{
    souk_auto(souk_block_maker) maker = NULL;
    souk_auto(souk_block) block = NULL;
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    SOUK_MUST(souk_block_maker_new(test->mem, &maker));
    souk_block_begin(maker, 5, (unsigned char[SOUK_BLOCK_PREFIX]){1});
    for (uint32_t i = 0; i < SOUK_BLOCK_EVENTS; i++) {
        souk_fact fact = {.position = 5 + i, .at = i, .received = i, .atom = i, .sealed_bytes = 1};
        souk_block_add(maker, &fact, NULL, (souk_hash128){i, i}, "x");
    }
    SOUK_MUST(souk_block_finish(maker, &out));
    SOUK_MUST(souk_block_read(test->mem, souk_buf_view(&out), SOUK_BLOCK_ALL, &block));
    SOUK_CHECK(block->count == SOUK_BLOCK_EVENTS);
    for (uint32_t i = 0; i < SOUK_BLOCK_EVENTS; i++)
        SOUK_CHECK(block->facts[i].atom == i && block->facts[i].at == i &&
                   block->facts[i].sealed_at == i);
}

SOUK_TEST("nonces of events and edges of one block never meet, currencies have their names")
{
    unsigned char prefix[SOUK_BLOCK_PREFIX] = "0123456789abcde", event[SOUK_NONCE],
                  edge[SOUK_NONCE];
    for (uint64_t i = 0; i < 1000; i++) {
        souk_nonce_event(event, prefix, i);
        souk_nonce_edge(edge, prefix, i);
        SOUK_CHECK(!memcmp(event, prefix, SOUK_BLOCK_PREFIX) && souk_get_u64(event + 16) == i);
        SOUK_CHECK(!memcmp(edge, prefix, SOUK_BLOCK_PREFIX) &&
                   souk_get_u64(edge + 16) == (i | (uint64_t)1 << 63));
    }
    char name[4];
    souk_currency_name(souk_currency_code("GBP"), name);
    SOUK_CHECK(souk_currency_code("GBP") == 0x504247 && !strcmp(name, "GBP"));
    souk_currency_name(souk_currency_code("\0\0\0"), name);
    SOUK_CHECK(souk_currency_code("\0\0\0") == 0 && !*name);
}

/* ---- no memory ------------------------------------------------------------------------------------------ */

static souk_err story(souk_mem *mem, const struct content *content, bool *ret_same)
{
    souk_auto(souk_block_maker) maker = NULL;
    souk_auto(souk_block) block = NULL;
    souk_auto_value(souk_buf) out = {.mem = mem};
    SOUK_TRY(souk_block_maker_new(mem, &maker));
    souk_err err = write_content(maker, content, &out);
    if (err) { /* the maker is good for the next block */
        souk_buf_clear(&out);
        souk_err again = write_content(maker, content, &out);
        souk_assert(!again);
    }
    souk_err read = souk_block_read(mem, souk_buf_view(&out), SOUK_BLOCK_ALL, &block);
    *ret_same = !read && same_whole(block, content);
    return err ? err : read;
}

SOUK_TEST("whichever allocation fails, a block is written whole or not, and the maker goes on")
{
    static struct content content;
    do
        make_content(test, &content, EVENTS);
    while (content.count < 20 || content.edge_count < 5);
    SOUK_FAULT_LOOP (test) {
        bool same = false;
        souk_err err = story(test->mem, &content, &same);
        SOUK_CHECK(err == SOUK_ENOMEM || (err == SOUK_OK && same));
        test_fault_seen(test, err);
    }
}
