/* pack.c - cuts a text into symbols and writes their codes; reads them back.
 *
 * A symbol is a byte, a phrase of pack_words.c, or a value written by rule (an id, a time, a copy of
 * what stood before).  Its code depends on the place, that is on what the symbol before leaves one
 * to expect.  Behind "category":"Bath" the text ","price":59.90,"currency":"EUR is
 *
 *     FOLLOW                 the join "," and the key price": which come after category as a rule
 *     59  .90                at NUMBER, then at NUMERAL
 *     ,"  currency":"        FOLLOW would have meant quantity":
 *     EUR                    at CODE
 *
 * The guess of what follows a key starts as the order of rows in pack_words.c and is then what
 * followed last in this text, so the second product of an order costs one bit or two per key.
 *
 * Both directions keep the same small state (souk_pack_run) and change it by the same function per
 * symbol; nothing of one text survives into the next. */
#include "core/pack_private.h"

souk_err souk_packer_new(souk_mem *mem, souk_packer **ret_packer)
{
    souk_packer *packer = souk_mem_get(mem, sizeof *packer);
    if (!packer)
        return SOUK_ENOMEM;
    packer->mem = mem;
    packer->copy_base = 1;
    packer->table = souk_pack_table_get();
    memcpy(packer->follows, packer->table->follows, sizeof packer->follows);
    for (size_t i = 0; i < 256; i++)
        packer->byte_places[i] = packer->table->symbols[i].next[0];
    packer->byte_places['"'] = AT_KEY;
    *ret_packer = packer;
    return SOUK_OK;
}

static void scratch_done(souk_mem *mem, souk_pack_scratch *bytes)
{
    if (bytes->at)
        explicit_bzero(bytes->at, bytes->capacity);
    souk_mem_put(mem, bytes->at);
}

void souk_packer_free(souk_packer *packer)
{
    if (!packer)
        return;
    scratch_done(packer->mem, &packer->text);
    scratch_done(packer->mem, &packer->bytes);
    souk_mem_put(packer->mem, packer);
}

/* By hand, so that no old text stays behind in freed memory. */
souk_err souk_pack_scratch_room(souk_packer *packer, souk_pack_scratch *bytes, size_t need)
{
    if (need <= bytes->capacity)
        return SOUK_OK;
    size_t capacity = souk_max_size(need, 2 * bytes->capacity);
    unsigned char *fresh = souk_mem_get(packer->mem, capacity);
    if (!fresh)
        return SOUK_ENOMEM;
    if (bytes->at)
        memcpy(fresh, bytes->at, bytes->capacity);
    scratch_done(packer->mem, bytes);
    *bytes = (souk_pack_scratch){fresh, capacity};
    return SOUK_OK;
}

souk_err souk_pack_append(souk_buf *out, const void *head, size_t head_bytes, const void *from,
                          size_t bytes)
{
    char *to = souk_buf_room(out, head_bytes + bytes);
    if (!to)
        return souk_buf_check(out);
    if (head_bytes)
        memcpy(to, head, head_bytes);
    if (bytes)
        memcpy(to + head_bytes, from, bytes);
    souk_buf_added(out, head_bytes + bytes);
    return SOUK_OK;
}

typedef struct pack {
    souk_packer *packer;
    const char *at, *start, *end;
    souk_pack_writer to;
    souk_pack_run now;
} pack;

static inline void put_symbol(pack *p, unsigned symbol)
{
    uint32_t number = p->packer->table->numbers[p->now.place][symbol];
    souk_pack_put(&p->to, number >> 5, number & 31);
}

static void put_wide(pack *p, uint64_t value, unsigned bits)
{
    souk_pack_put(&p->to, value >> 32, bits - 32);
    souk_pack_put(&p->to, (uint32_t)value, 32);
}

static void put_time(pack *p, unsigned symbol_full, uint64_t ms)
{
    uint64_t apart = souk_zigzag((int64_t)(ms - p->now.ms));
    if (p->now.ms == 0 || apart >> NEAR_BITS) {
        put_symbol(p, symbol_full);
        put_wide(p, ms, SOUK_PACK_TIME_BITS);
    } else { /* the number's length, then its bits below the highest */
        unsigned bits = apart ? 64 - (unsigned)__builtin_clzll(apart) : 0;
        put_symbol(p, symbol_full + 1);
        souk_pack_put(&p->to, bits, 5);
        if (bits > 1)
            souk_pack_put(&p->to, apart & ((UINT64_C(1) << (bits - 1)) - 1), bits - 1);
    }
    p->now.ms = ms;
}

static bool pack_uuid(pack *p)
{
    uint64_t halves[2];
    souk_hex_case hex_case = SOUK_HEX_LOWER;
    if (!souk_pack_uuid(p->at, SOUK_HEX_LOWER, halves)) {
        hex_case = SOUK_HEX_UPPER;
        if (!souk_pack_uuid(p->at, SOUK_HEX_UPPER, halves))
            return false;
    }
    bool random = (halves[0] >> 12 & 15) == 4 && halves[1] >> 62 == 2; /* RFC 9562 5.4 */
    if (random) {
        put_symbol(p, hex_case == SOUK_HEX_LOWER ? SYM_UUID4 : SYM_UUID4_UPPER);
        put_wide(p, halves[0] >> 16 << 12 | (halves[0] & 0xfff), 60);
        put_wide(p, halves[1] & (UINT64_MAX >> 2), 62);
    } else if (hex_case == SOUK_HEX_LOWER) {
        put_symbol(p, SYM_UUID);
        put_wide(p, halves[0], 64);
        put_wide(p, halves[1], 64);
    } else
        return false;
    p->at += SOUK_PACK_UUID_BYTES;
    souk_pack_step_value(&p->now, AT_DONE);
    return true;
}

static bool pack_stamp(pack *p)
{
    uint64_t ms;
    unsigned us;
    if (!souk_pack_stamp(p->at, &ms))
        return false;
    if (p->at[SOUK_PACK_STAMP_BYTES - 1] == 'Z') {
        put_time(p, SYM_STAMP, ms);
        p->at += SOUK_PACK_STAMP_BYTES;
    } else if (p->end - p->at >= SOUK_PACK_MICRO_BYTES &&
               souk_pack_micro(p->at + SOUK_PACK_STAMP_BYTES - 1, &us)) {
        put_time(p, SYM_MICRO, ms);
        souk_pack_put(&p->to, us, MICRO_BITS);
        p->at += SOUK_PACK_MICRO_BYTES;
    } else
        return false;
    souk_pack_step_value(&p->now, AT_DONE);
    return true;
}

static unsigned hex_groups(const pack *p, souk_hex_case hex_case, uint32_t groups[HEX_MOST])
{
    unsigned count = 0;
    while (count < HEX_MOST && p->end - p->at >= (ptrdiff_t)(8 * (count + 1)) &&
           souk_pack_hex8(souk_get_u64(p->at + 8 * count), hex_case, &groups[count]))
        count++;
    return count;
}

static bool pack_hex(pack *p)
{
    uint32_t lower[HEX_MOST], upper[HEX_MOST];
    unsigned lower_count = hex_groups(p, SOUK_HEX_LOWER, lower);
    unsigned upper_count = hex_groups(p, SOUK_HEX_UPPER, upper);
    bool capitals = upper_count > lower_count;
    unsigned count = capitals ? upper_count : lower_count;
    if (count < HEX_LEAST)
        return false;
    put_symbol(p, SYM_HEX);
    souk_pack_put(&p->to, count - HEX_LEAST, HEX_COUNT_BITS);
    souk_pack_put(&p->to, capitals, 1);
    for (unsigned i = 0; i < count; i++)
        souk_pack_put(&p->to, capitals ? upper[i] : lower[i], 32);
    p->at += 8 * count;
    souk_pack_step_value(&p->now, AT_ID);
    return true;
}

static inline bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

static inline bool is_hex(char c)
{
    return is_digit(c) || (unsigned char)((c | 32) - 'a') < 6;
}

/* At a character that may open a hexadecimal number or a time. */
static bool pack_value(pack *p)
{
    const char *at = p->at;
    ptrdiff_t left = p->end - at;
    uint64_t ms;
    if (at[8] == '-' && at[13] == '-' && left >= SOUK_PACK_UUID_BYTES && pack_uuid(p))
        return true;
    if (at[10] == 'T' && left >= SOUK_PACK_STAMP_BYTES && pack_stamp(p))
        return true;
    if (at[0] == '1' && left >= SOUK_PACK_MILLI_BYTES && is_digit(at[6]) && !is_digit(at[13]) &&
        souk_pack_milli(at, &ms)) {
        put_time(p, SYM_MILLI, ms);
        p->at += SOUK_PACK_MILLI_BYTES;
        souk_pack_step_value(&p->now, souk_pack_in_number(&p->now) ? AT_NUMERAL : AT_MARK);
        return true;
    }
    return left >= (ptrdiff_t)(8 * HEX_LEAST) && is_hex(at[7]) && is_hex(at[15]) && pack_hex(p);
}

/* Bytes that stood before: writes a copy where it beats a phrase of phrase_bytes. */
static bool pack_copy(pack *p, unsigned phrase_bytes)
{
    souk_packer *packer = p->packer;
    uint64_t head = souk_get_u64(p->at);
    size_t slot = (head << 16) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - COPY_HASH_BITS);
    size_t here = (size_t)(p->at - p->start);
    uint32_t before = packer->copies[slot];
    packer->copies[slot] = packer->copy_base + (uint32_t)here;
    if (before < packer->copy_base)
        return false;

    size_t far = here - (before - packer->copy_base);
    if (far > COPY_FAR)
        return false;
    const char *from = p->at - far;
    size_t most = souk_min_size((size_t)(p->end - p->at), COPY_MOST), bytes = 0;
    while (bytes < most) {
        uint64_t differ = souk_get_u64(from + bytes) ^ souk_get_u64(p->at + bytes);
        if (differ) {
            bytes += (size_t)__builtin_ctzll(differ) / 8;
            break;
        }
        bytes += 8;
    }
    bytes = souk_min_size(bytes, most);
    if (bytes < COPY_LEAST || (phrase_bytes >= 3 && bytes < phrase_bytes + 4))
        return false;

    put_symbol(p, SYM_COPY);
    unsigned far_bits = 64 - (unsigned)__builtin_clzll(souk_min_size(here, COPY_FAR));
    souk_pack_put(&p->to, far, far_bits);
    size_t more = bytes - COPY_LEAST;
    souk_pack_put(&p->to, souk_min_size(more, 15), COPY_SHORT_BITS);
    if (more >= 15)
        souk_pack_put(&p->to, more - 15, COPY_LONG_BITS);
    p->at += bytes;
    souk_pack_step_value(&p->now, packer->byte_places[(unsigned char)p->at[-1]]);
    return true;
}

/* U+4E00 to U+CDFF in three bytes, which are not a phrase. */
static bool pack_han(pack *p)
{
    const unsigned char *at = (const unsigned char *)p->at;
    if (p->end - p->at < 3 || (at[0] & 0xf0) != 0xe0 || (at[1] & 0xc0) != 0x80 ||
        (at[2] & 0xc0) != 0x80)
        return false;
    unsigned point = (at[0] & 15u) << 12 | (at[1] & 63u) << 6 | (at[2] & 63u);
    if (point < HAN_FIRST || (point - HAN_FIRST) >> HAN_BITS)
        return false;
    put_symbol(p, SYM_HAN);
    souk_pack_put(&p->to, point - HAN_FIRST, HAN_BITS);
    p->at += 3;
    souk_pack_step_value(&p->now, AT_HAN);
    return true;
}

static inline bool phrase_is(const souk_pack_table *table, const souk_pack_symbol *known,
                             const char *at)
{
    const char *text = table->pool + known->at;
    return known->bytes >= 8
               ? souk_pack_same(at, text, known->bytes)
               : !((souk_get_u64(at) ^ souk_get_u64(text)) << (64 - 8 * known->bytes));
}

/* A phrase; a join is written together with the key behind it where that was the guess. */
static void pack_phrase(pack *p, unsigned symbol, unsigned bytes)
{
    souk_packer *packer = p->packer;
    const souk_pack_symbol *known = &packer->table->symbols[symbol];
    const souk_pack_follow *follow = &packer->follows[p->now.key];
    if (known->keys && follow->key == symbol && follow->join == 0 && p->now.join == 0) {
        put_symbol(p, SYM_FOLLOW);
        souk_pack_step_follow(packer, &p->now, symbol);
        p->at += bytes;
        return;
    }
    if (known->joins && follow->join == symbol) {
        const souk_pack_symbol *key = &packer->table->symbols[follow->key];
        if (phrase_is(packer->table, key, p->at + bytes)) {
            put_symbol(p, SYM_FOLLOW);
            souk_pack_step_follow(packer, &p->now, follow->key);
            p->at += bytes + key->bytes;
            return;
        }
    }
    put_symbol(p, symbol);
    souk_pack_step_phrase(packer, &p->now, symbol);
    p->at += bytes;
}

/* Places where a value may begin: ids, times and copies are looked for here alone, which spares the
 * middle of words and numbers the effort. */
#define FRESH_PLACES                                                                        \
    ~(1u << AT_LOWER | 1u << AT_WORD | 1u << AT_UPPER | 1u << AT_DIGIT | 1u << AT_NUMERAL | \
      1u << AT_HAN | 1u << AT_HIGH)

static void pack_text(pack *p)
{
    const souk_pack_table *table = p->packer->table;
    while (p->at < p->end) {
        unsigned char first = (unsigned char)*p->at;
        unsigned bytes = 0, symbol = souk_pack_table_longest(table, p->at, &bytes);
        bool fresh = FRESH_PLACES >> p->now.place & 1;
        if (fresh && bytes < 5 && is_hex(*p->at) && pack_value(p))
            continue;
        if (fresh && bytes < 8 && !table->symbols[symbol].joins && pack_copy(p, bytes))
            continue;
        if (symbol)
            pack_phrase(p, symbol, bytes);
        else if (first < 0x80 || !pack_han(p)) {
            put_symbol(p, first);
            souk_pack_step_byte(p->packer, &p->now, first);
            p->at++;
        }
    }
}

/* The copies' hashes of older texts fall below the new base. */
static void copies_forget(souk_packer *packer, size_t bytes)
{
    packer->copy_base += (uint32_t)bytes;
    if (packer->copy_base > UINT32_MAX / 2) {
        memset(packer->copies, 0, sizeof packer->copies);
        packer->copy_base = 1;
    }
}

souk_err souk_pack(souk_packer *packer, souk_text json, souk_buf *out)
{
    if (json.bytes > SOUK_PACK_MOST_BYTES)
        return SOUK_ETOOBIG;
    SOUK_TRY(souk_buf_check(out));
    SOUK_TRY(souk_pack_scratch_room(packer, &packer->text, json.bytes + SLACK));
    SOUK_TRY(souk_pack_scratch_room(packer, &packer->bytes, 2 * json.bytes + SLACK));
    char *text = (char *)packer->text.at;
    if (json.bytes)
        memcpy(text, json.at, json.bytes);
    memset(text + json.bytes, 0, SLACK);

    pack p = {.packer = packer, .at = text, .start = text, .end = text + json.bytes};
    p.to.at = packer->bytes.at;
    souk_pack_run_start(&p.now);
    souk_pack_put(&p.to, 0, HEAD_BITS);
    pack_text(&p);
    souk_pack_run_end(packer, &p.now);
    copies_forget(packer, json.bytes);

    unsigned unused = (8 - p.to.held) % 8;
    size_t bytes = (size_t)(p.to.at - packer->bytes.at) + (p.to.held > 0);
    unsigned char raw = VERSION_RAW << 6;
    if (bytes > json.bytes)
        return souk_pack_append(out, &raw, 1, json.at, json.bytes);
    packer->bytes.at[0] |= (unsigned char)(VERSION_ONE << 6 | unused << 3);
    return souk_pack_append(out, NULL, 0, packer->bytes.at, bytes);
}
