/* epc.c - the tables of the Tag Data Standard, and what follows from them. */
#include "base/epc.h"

#include <stdio.h>

enum { EPC_HEX = 24, PARTITIONS = 7 };

/* How the bits behind the partition are cut; prefix digits are 12 less the partition. */
static const uint8_t prefix_bits[PARTITIONS] = {40, 37, 34, 30, 27, 24, 20};

static const struct scheme {
    uint8_t header;
    const char *name;   /* in URIs */
    uint8_t split_bits; /* prefix and item together */
    uint8_t digits;     /* of prefix and item together */
    const char *link;   /* in front of the key in a Digital Link */
} schemes[] = {
    [SOUK_EPC_SGTIN] = {0x30, "sgtin", 44, 13, "01"}, /* TDS 2.0 table 14-2 */
    [SOUK_EPC_SSCC] = {0x31, "sscc", 58, 17, "00"},   /* table 14-5 */
    [SOUK_EPC_SGLN] = {0x32, "sgln", 41, 12, "414"},  /* table 14-7 */
};
enum { SCHEMES = sizeof schemes / sizeof *schemes, SPLIT_AT = 14, EPC_BITS = 96 };

/* ---- bits -------------------------------------------------------------------------------------- */

/* `count` bits from bit `from` on, the first of a byte is its highest. */
static uint64_t bits(const uint8_t bytes[12], unsigned from, unsigned count)
{
    uint64_t value = 0;
    for (unsigned i = from; i < from + count; i++)
        value = value << 1 | (bytes[i / 8] >> (7 - i % 8) & 1);
    return value;
}

static uint64_t power_of_ten(unsigned digits)
{
    uint64_t power = 1;
    while (digits--)
        power *= 10;
    return power;
}

souk_err souk_epc_read(souk_text hex, souk_epc *ret_epc, souk_diag *diag)
{
    uint8_t bytes[EPC_HEX / 2];
    if (hex.bytes != EPC_HEX || !souk_unhex(hex, bytes, sizeof bytes))
        return souk_diag_say(diag, SOUK_ESYNTAX,
                             "an EPC of 96 bits has 24 hexadecimal digits: send those of the tag");
    unsigned kind = 0;
    while (kind < SCHEMES && schemes[kind].header != bytes[0])
        kind++;
    unsigned partition = (unsigned)bits(bytes, 11, 3);
    if (kind == SCHEMES)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the header 0x%02x is none of SGTIN-96, SSCC-96 and SGLN-96: write "
                             "one of these to the tag",
                             bytes[0]);
    if (partition >= PARTITIONS)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the partition is 7, and ends at 6: write the tag anew");
    const struct scheme *scheme = &schemes[kind];
    unsigned item_bits = scheme->split_bits - prefix_bits[partition];
    souk_epc epc = {.scheme = (souk_epc_scheme)kind,
                    .filter = (uint8_t)bits(bytes, 8, 3),
                    .prefix_digits = (uint8_t)(12 - partition),
                    .item_digits = (uint8_t)(scheme->digits - 12 + partition)};
    epc.prefix = bits(bytes, SPLIT_AT, prefix_bits[partition]);
    epc.item = bits(bytes, SPLIT_AT + prefix_bits[partition], item_bits);
    unsigned rest = SPLIT_AT + scheme->split_bits;
    epc.serial = bits(bytes, rest, EPC_BITS - rest);
    if (epc.prefix >= power_of_ten(epc.prefix_digits) || epc.item >= power_of_ten(epc.item_digits))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "a number on the tag has more digits than its partition allows: "
                             "write the tag anew");
    if (kind == SOUK_EPC_SSCC && epc.serial)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the last 24 bits of an SSCC-96 are not 0: write the tag anew");
    *ret_epc = epc;
    return SOUK_OK;
}

/* ---- text -------------------------------------------------------------------------------------- */

char souk_gs1_check_digit(souk_text digits)
{
    unsigned sum = 0;
    for (size_t i = 0; i < digits.bytes; i++) {
        char digit = digits.at[digits.bytes - 1 - i];
        if (digit < '0' || digit > '9')
            return 0;
        sum = (sum + (unsigned)(digit - '0') * (i % 2 ? 1 : 3)) % 10;
    }
    return (char)('0' + (10 - sum) % 10);
}

/* Exactly so many digits, none where there are none. */
static size_t put_digits(uint64_t value, unsigned digits, char *to)
{
    for (unsigned i = digits; i > 0; i--, value /= 10)
        to[i - 1] = (char)('0' + value % 10);
    return digits;
}

/* The first digit of the item goes in front of the prefix (not of a GLN), the check digit behind all. */
static size_t write_key(const souk_epc *epc, char *to)
{
    char item[20];
    size_t item_bytes = put_digits(epc->item, epc->item_digits, item), bytes = 0;
    size_t lead = epc->scheme == SOUK_EPC_SGLN ? 0 : 1;
    memcpy(to, item, lead);
    bytes += lead;
    bytes += put_digits(epc->prefix, epc->prefix_digits, to + bytes);
    memcpy(to + bytes, item + lead, item_bytes - lead);
    bytes += item_bytes - lead;
    to[bytes] = souk_gs1_check_digit((souk_text){to, bytes});
    to[bytes + 1] = '\0';
    return bytes + 1;
}

/* "0614141.812345", and ".6789" or what else stands for the serial number. */
static size_t write_uri(const souk_epc *epc, const char *before, const char *serial, char *to)
{
    size_t bytes = (size_t)snprintf(to, SOUK_EPC_BYTES, "%s", before);
    bytes += put_digits(epc->prefix, epc->prefix_digits, to + bytes);
    to[bytes++] = '.';
    bytes += put_digits(epc->item, epc->item_digits, to + bytes);
    to[bytes] = '\0';
    if (epc->scheme != SOUK_EPC_SSCC)
        bytes += (size_t)snprintf(to + bytes, SOUK_EPC_BYTES - bytes, ".%s", serial);
    return bytes;
}

static size_t write_link(const souk_epc *epc, const char *serial, char *to)
{
    char key[SOUK_EPC_BYTES];
    const char *name = schemes[epc->scheme].link;
    write_key(epc, key);
    if (epc->scheme == SOUK_EPC_SSCC || (epc->scheme == SOUK_EPC_SGLN && epc->serial == 0))
        return (size_t)snprintf(to, SOUK_EPC_BYTES, "https://id.gs1.org/%s/%.18s", name, key);
    return (size_t)snprintf(to, SOUK_EPC_BYTES, "https://id.gs1.org/%s/%.18s/%s/%s", name, key,
                            epc->scheme == SOUK_EPC_SGTIN ? "21" : "254", serial);
}

size_t souk_epc_write(const souk_epc *epc, souk_epc_form form, char out[SOUK_EPC_BYTES])
{
    const char *name = schemes[epc->scheme].name;
    char serial[24], before[32];
    snprintf(serial, sizeof serial, "%llu", (unsigned long long)epc->serial);
    out[0] = '\0';
    switch (form) {
    case SOUK_EPC_KEY:
        return write_key(epc, out);
    case SOUK_EPC_SERIAL:
        if (epc->scheme == SOUK_EPC_SSCC || (epc->scheme == SOUK_EPC_SGLN && epc->serial == 0))
            return 0;
        return (size_t)snprintf(out, SOUK_EPC_BYTES, "%s", serial);
    case SOUK_EPC_TAG:
        snprintf(before, sizeof before, "urn:epc:tag:%s-96:%u.", name, epc->filter);
        return write_uri(epc, before, serial, out);
    case SOUK_EPC_PURE:
        snprintf(before, sizeof before, "urn:epc:id:%s:", name);
        return write_uri(epc, before, serial, out);
    case SOUK_EPC_CLASS:
        return epc->scheme == SOUK_EPC_SGTIN ? write_uri(epc, "urn:epc:idpat:sgtin:", "*", out) : 0;
    case SOUK_EPC_LINK:
        return write_link(epc, serial, out);
    }
    return 0;
}
