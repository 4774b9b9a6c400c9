/* pack_read.c - souk_unpack: reads the symbols that pack.c writes, from any bytes.
 *
 * Nothing here trusts its input: a window is read from padded storage, a symbol writes at most SLACK
 * bytes into room that was there before it, copies reach back no farther than the text, and the text
 * ends at the caller's ceiling. */
#include "core/pack_private.h"

typedef struct unpack {
    souk_packer *packer;
    const unsigned char *from;
    uint64_t bit, end_bit;
    size_t bytes; /* made so far */
    souk_pack_run now;
} unpack;

static inline unsigned char *made(const unpack *u)
{
    return u->packer->text.at + u->bytes;
}

/* Writes up to 15 bytes too many, which the slack takes. */
static inline void unpack_phrase(unpack *u, unsigned symbol)
{
    const souk_pack_symbol *known = &u->packer->table->symbols[symbol];
    const char *from = u->packer->table->pool + known->at;
    unsigned char *to = made(u);
    for (unsigned i = 0; i < known->bytes; i += 16)
        memcpy(to + i, from + i, 16);
    u->bytes += known->bytes;
}

static bool unpack_follow(unpack *u)
{
    const souk_pack_follow *follow = &u->packer->follows[u->now.key];
    if (!follow->key)
        return false;
    if (follow->join)
        unpack_phrase(u, follow->join);
    unpack_phrase(u, follow->key);
    souk_pack_step_follow(u->packer, &u->now, follow->key);
    return true;
}

static uint64_t take(unpack *u, unsigned bits)
{
    return bits ? souk_pack_take(u->from, &u->bit, bits) : 0;
}

static void unpack_uuid(unpack *u, unsigned symbol)
{
    uint64_t halves[2];
    souk_hex_case hex_case = symbol == SYM_UUID4_UPPER ? SOUK_HEX_UPPER : SOUK_HEX_LOWER;
    if (symbol == SYM_UUID) {
        halves[0] = take(u, 32) << 32;
        halves[0] |= take(u, 32);
        halves[1] = take(u, 32) << 32;
    } else {
        uint64_t high = take(u, 28);
        uint64_t low = take(u, 32);
        high = high << 32 | low;
        halves[0] = high >> 12 << 16 | UINT64_C(4) << 12 | (high & 0xfff);
        halves[1] = (take(u, 30) | UINT64_C(2) << 30) << 32;
    }
    halves[1] |= take(u, 32);
    souk_pack_uuid_print(halves, hex_case, (char *)made(u));
    u->bytes += SOUK_PACK_UUID_BYTES;
    souk_pack_step_value(&u->now, AT_DONE);
}

static void unpack_micro(unpack *u)
{
    souk_pack_micro_print((unsigned)take(u, MICRO_BITS) % 1000,
                          (char *)made(u) + SOUK_PACK_STAMP_BYTES - 1);
    u->bytes += SOUK_PACK_MICRO_BYTES;
}

static bool unpack_time(unpack *u, unsigned symbol)
{
    uint64_t ms;
    bool full = symbol == SYM_STAMP || symbol == SYM_MICRO || symbol == SYM_MILLI;
    if (full)
        ms = take(u, SOUK_PACK_TIME_BITS);
    else {
        unsigned bits = (unsigned)take(u, 5);
        uint64_t apart = bits ? UINT64_C(1) << (bits - 1) | take(u, bits - 1) : 0;
        ms = u->now.ms + (uint64_t)souk_unzigzag(apart);
        if (ms >> SOUK_PACK_TIME_BITS)
            return false;
    }
    u->now.ms = ms;
    if (symbol == SYM_MILLI || symbol == SYM_MILLI_NEAR) {
        souk_pack_milli_print(ms, (char *)made(u));
        u->bytes += SOUK_PACK_MILLI_BYTES;
        souk_pack_step_value(&u->now, souk_pack_in_number(&u->now) ? AT_NUMERAL : AT_MARK);
        return true;
    }
    souk_pack_stamp_print(ms, (char *)made(u));
    if (symbol == SYM_MICRO || symbol == SYM_MICRO_NEAR)
        unpack_micro(u);
    else
        u->bytes += SOUK_PACK_STAMP_BYTES;
    souk_pack_step_value(&u->now, AT_DONE);
    return true;
}

static void unpack_hex(unpack *u)
{
    unsigned count = (unsigned)take(u, HEX_COUNT_BITS) + HEX_LEAST;
    souk_hex_case hex_case = take(u, 1) ? SOUK_HEX_UPPER : SOUK_HEX_LOWER;
    for (unsigned i = 0; i < count; i++) {
        souk_put_u64(made(u), souk_pack_hex8_print((uint32_t)take(u, 32), hex_case));
        u->bytes += 8;
    }
    souk_pack_step_value(&u->now, AT_ID);
}

static bool unpack_copy(unpack *u)
{
    if (u->bytes == 0)
        return false;
    size_t far = take(u, 64 - (unsigned)__builtin_clzll(souk_min_size(u->bytes, COPY_FAR)));
    size_t bytes = take(u, COPY_SHORT_BITS);
    if (bytes == 15)
        bytes += take(u, COPY_LONG_BITS);
    bytes += COPY_LEAST;
    if (far == 0 || far > u->bytes)
        return false;
    unsigned char *to = made(u);
    const unsigned char *from = to - far;
    if (far >= 16)
        for (size_t i = 0; i < bytes; i += 16)
            memcpy(to + i, from + i, 16);
    else
        for (size_t i = 0; i < bytes; i++)
            to[i] = from[i];
    u->bytes += bytes;
    souk_pack_step_value(&u->now, u->packer->byte_places[to[bytes - 1]]);
    return true;
}

static void unpack_han(unpack *u)
{
    unsigned point = (unsigned)take(u, HAN_BITS) + HAN_FIRST;
    unsigned char *to = made(u);
    to[0] = (unsigned char)(0xe0 | point >> 12);
    to[1] = (unsigned char)(0x80 | (point >> 6 & 63));
    to[2] = (unsigned char)(0x80 | (point & 63));
    u->bytes += 3;
    souk_pack_step_value(&u->now, AT_HAN);
}

static bool unpack_value(unpack *u, unsigned symbol)
{
    switch (symbol) {
    case SYM_FOLLOW:
        return unpack_follow(u);
    case SYM_UUID4:
    case SYM_UUID4_UPPER:
    case SYM_UUID:
        unpack_uuid(u, symbol);
        return true;
    case SYM_STAMP:
    case SYM_STAMP_NEAR:
    case SYM_MICRO:
    case SYM_MICRO_NEAR:
    case SYM_MILLI:
    case SYM_MILLI_NEAR:
        return unpack_time(u, symbol);
    case SYM_HEX:
        unpack_hex(u);
        return true;
    case SYM_COPY:
        return unpack_copy(u);
    case SYM_HAN:
        unpack_han(u);
        return true;
    default:
        return false;
    }
}

static souk_err unpack_text(unpack *u, size_t most_bytes)
{
    souk_packer *packer = u->packer;
    while (u->bit < u->end_bit) {
        if (packer->text.capacity - u->bytes < SLACK)
            SOUK_TRY(souk_pack_scratch_room(packer, &packer->text, u->bytes + SLACK));
        unsigned symbol =
            souk_pack_book_read(&packer->table->books[u->now.place], u->from, &u->bit);
        if (symbol < 256) {
            *made(u) = (unsigned char)symbol;
            u->bytes++;
            souk_pack_step_byte(packer, &u->now, symbol);
        } else if (symbol >= SYM_PHRASE && symbol < SOUK_PACK_SYMBOLS) {
            unpack_phrase(u, symbol);
            souk_pack_step_phrase(packer, &u->now, symbol);
        } else if (!unpack_value(u, symbol))
            return SOUK_ECORRUPT;
        if (u->bytes > most_bytes)
            return u->bit > u->end_bit ? SOUK_ECORRUPT : SOUK_ETOOBIG;
    }
    return u->bit == u->end_bit ? SOUK_OK : SOUK_ECORRUPT;
}

souk_err souk_unpack(souk_packer *packer, souk_text packed, size_t most_bytes, souk_buf *out)
{
    SOUK_TRY(souk_buf_check(out));
    most_bytes = souk_min_size(most_bytes, SOUK_PACK_MOST_BYTES);
    if (packed.bytes == 0)
        return SOUK_ECORRUPT;
    unsigned first = (unsigned char)packed.at[0], version = first >> 6;
    if (version == VERSION_RAW) {
        if (first)
            return SOUK_ECORRUPT;
        if (packed.bytes - 1 > most_bytes)
            return SOUK_ETOOBIG;
        return souk_pack_append(out, NULL, 0, packed.at + 1, packed.bytes - 1);
    }
    if (version != VERSION_ONE)
        return SOUK_EVERSION;
    if (packed.bytes > SOUK_PACK_MOST_BYTES) /* would have been kept as it is */
        return SOUK_ECORRUPT;

    SOUK_TRY(souk_pack_scratch_room(packer, &packer->bytes, packed.bytes + SLACK));
    SOUK_TRY(souk_pack_scratch_room(packer, &packer->text,
                                    souk_min_size(8 * packed.bytes, most_bytes) + 2 * SLACK));
    memcpy(packer->bytes.at, packed.at, packed.bytes);
    memset(packer->bytes.at + packed.bytes, 0, SLACK);
    unpack u = {.packer = packer, .from = packer->bytes.at, .bit = HEAD_BITS};
    unsigned unused = first >> 3 & 7;
    u.end_bit = 8 * (uint64_t)packed.bytes - unused;
    if ((unsigned char)packed.at[packed.bytes - 1] & ((1u << unused) - 1))
        return SOUK_ECORRUPT;
    souk_pack_run_start(&u.now);
    souk_err err = unpack_text(&u, most_bytes);
    souk_pack_run_end(packer, &u.now);
    SOUK_TRY(err);
    return souk_pack_append(out, NULL, 0, packer->text.at, u.bytes);
}
