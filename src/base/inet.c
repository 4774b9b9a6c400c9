/* inet.c - reading, writing and telling apart the addresses of inet.h. */
#include "base/inet.h"

#include <arpa/inet.h>

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; /* RFC 4291 2.5.5.2 */

souk_inet souk_inet_of_v4(const void *four_bytes)
{
    souk_inet inet;
    memcpy(inet.bytes, mapped, sizeof mapped);
    memcpy(inet.bytes + sizeof mapped, four_bytes, 4);
    return inet;
}

souk_inet souk_inet_of_v6(const void *sixteen_bytes)
{
    souk_inet inet;
    memcpy(inet.bytes, sixteen_bytes, sizeof inet.bytes);
    return inet;
}

bool souk_inet_is_v4(const souk_inet *inet)
{
    return !memcmp(inet->bytes, mapped, sizeof mapped);
}

souk_err souk_inet_read(souk_text text, souk_inet *ret_inet)
{
    char ended[SOUK_INET_BYTES];
    uint8_t bytes[16];
    if (text.bytes == 0 || text.bytes >= sizeof ended || memchr(text.at, 0, text.bytes))
        return SOUK_EINVAL;
    memcpy(ended, text.at, text.bytes);
    ended[text.bytes] = '\0';
    if (inet_pton(AF_INET, ended, bytes) == 1)
        *ret_inet = souk_inet_of_v4(bytes);
    else if (inet_pton(AF_INET6, ended, bytes) == 1)
        *ret_inet = souk_inet_of_v6(bytes);
    else
        return SOUK_EINVAL;
    return SOUK_OK;
}

size_t souk_inet_write(const souk_inet *inet, char to[SOUK_INET_BYTES])
{
    bool v4 = souk_inet_is_v4(inet);
    const char *written = inet_ntop(v4 ? AF_INET : AF_INET6, inet->bytes + (v4 ? sizeof mapped : 0),
                                    to, SOUK_INET_BYTES);
    souk_assert(written != NULL);
    return strlen(to);
}

/* ---- what is set apart --------------------------------------------------------------------------------- */

struct apart {
    const char *range, *why;
};

static const struct apart apart_v4[] = {
    {"0.0.0.0/8", "this network's own"},
    {"10.0.0.0/8", "private"},
    {"100.64.0.0/10", "of a provider's own network, where some clouds keep their metadata"},
    {"127.0.0.0/8", "loopback: this machine itself"},
    {"168.63.129.16", "a cloud's own service on each of its machines"},
    {"169.254.0.0/16", "link-local, where clouds keep their metadata"},
    {"172.16.0.0/12", "private"},
    {"192.0.0.0/24", "set apart for protocols"},
    {"192.0.2.0/24", "for documentation only"},
    {"192.88.99.0/24", "of a tunnel that is no more"},
    {"192.168.0.0/16", "private"},
    {"198.18.0.0/15", "for benchmarks of networks"},
    {"198.51.100.0/24", "for documentation only"},
    {"203.0.113.0/24", "for documentation only"},
    {"224.0.0.0/4", "multicast"},
    {"240.0.0.0/4", "reserved, or broadcast"},
};

/* The first that fits counts; what none fits is public only within 2000::/3. */
static const struct apart apart_v6[] = {
    {"::", "no address at all"},
    {"::1", "loopback: this machine itself"},
    {"fc00::/7", "private"},
    {"fe80::/10", "link-local"},
    {"fec0::/10", "private, of an older kind"},
    {"ff00::/8", "multicast"},
    {"2001::/23", "set apart for protocols and tunnels"},
    {"2001:db8::/32", "for documentation only"},
    {"2002::/16", "of a tunnel that leads to any IPv4 address"},
    {"3fff::/20", "for documentation only"},
};

static bool begins_alike(const souk_inet *a, const souk_inet *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    uint8_t mask = (uint8_t)(0xff00 >> rest);
    return !memcmp(a->bytes, b->bytes, whole) &&
           (rest == 0 || ((a->bytes[whole] ^ b->bytes[whole]) & mask) == 0);
}

static const char *find_apart(const struct apart *table, size_t count, const souk_inet *inet)
{
    for (size_t i = 0; i < count; i++) {
        souk_inet_range range;
        size_t found;
        souk_err err = souk_inet_ranges_read(souk_text_of(table[i].range), &range, 1, &found, NULL);
        souk_assert(!err && found == 1);
        if (begins_alike(inet, &range.first, range.bits))
            return table[i].why;
    }
    return NULL;
}

/* RFC 6052 2.1: a translator behind it makes IPv4 of the last four bytes. */
static bool is_translated(const souk_inet *inet)
{
    static const uint8_t well_known[12] = {0x00, 0x64, 0xff, 0x9b};
    return !memcmp(inet->bytes, well_known, sizeof well_known);
}

const char *souk_inet_reserved(const souk_inet *inet)
{
    souk_inet v4 = souk_inet_of_v4(inet->bytes + sizeof mapped);
    if (souk_inet_is_v4(inet) || is_translated(inet))
        return find_apart(apart_v4, sizeof apart_v4 / sizeof *apart_v4, &v4);
    const char *why = find_apart(apart_v6, sizeof apart_v6 / sizeof *apart_v6, inet);
    return why || inet->bytes[0] >> 5 == 1 ? why : "reserved";
}

/* ---- ranges ------------------------------------------------------------------------------------------- */

static souk_err read_range(souk_text word, souk_inet_range *ret_range, souk_diag *diag)
{
    souk_text rest = word, address = souk_text_cut(&rest, '/');
    souk_inet_range range = {.bits = 128};
    uint64_t bits = 0;
    if (souk_inet_read(address, &range.first))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "'%.*s' is no address: write 127.0.0.1, 10.0.0.0/8 or fd00::/8",
                             (int)souk_min_size(word.bytes, 60), word.at);
    unsigned most = souk_inet_is_v4(&range.first) ? 32 : 128;
    if (rest.at && (rest.bytes > 3 || souk_text_to_u64(rest, &bits) || bits > most))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "'%.*s': behind the '/' stands how many bits count, 0 to %u",
                             (int)souk_min_size(word.bytes, 60), word.at, most);
    if (rest.at)
        range.bits = 128 - most + (unsigned)bits;
    for (unsigned bit = range.bits; bit < 128; bit++)
        if (range.first.bytes[bit / 8] >> (7 - bit % 8) & 1)
            return souk_diag_say(diag, SOUK_EINVAL,
                                 "'%.*s': behind its first %u bits the address is not 0",
                                 SOUK_TEXT_PRINT(word), (unsigned)bits);
    *ret_range = range;
    return SOUK_OK;
}

static souk_text next_word(souk_text *rest)
{
    size_t from = 0, to;
    while (from < rest->bytes && memchr(", \t\r\n", rest->at[from], 5))
        from++;
    for (to = from; to < rest->bytes && !memchr(", \t\r\n", rest->at[to], 5);)
        to++;
    souk_text word = {rest->at + from, to - from};
    rest->at += to;
    rest->bytes -= to;
    return word;
}

souk_err souk_inet_ranges_read(souk_text list, souk_inet_range *ret_ranges, size_t most,
                               size_t *ret_count, souk_diag *diag)
{
    size_t count = 0;
    if (list.bytes == 0) {
        *ret_count = 0;
        return SOUK_OK;
    }
    for (souk_text word = next_word(&list); word.bytes; word = next_word(&list)) {
        if (count == most)
            return souk_diag_say(diag, SOUK_ETOOBIG, "more than %zu addresses: make ranges of them",
                                 most);
        SOUK_TRY(read_range(word, &ret_ranges[count++], diag));
    }
    *ret_count = count;
    return SOUK_OK;
}

bool souk_inet_within(const souk_inet_range *ranges, size_t count, const souk_inet *inet)
{
    for (size_t i = 0; i < count; i++)
        if (begins_alike(inet, &ranges[i].first, ranges[i].bits))
            return true;
    return false;
}
