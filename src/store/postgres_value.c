/* postgres_value.c - what the server's bytes and codes mean.
 *
 * Numbers come in network order.  A numeric is what sum(bigint) and 0.5 * 3 are:
 *
 *     int16 count | int16 weight | uint16 sign | uint16 scale | int16 digit[count]     digits of base 10,000
 *     value = sign * sum of digit[i] * 10000^(weight - i); weight 0: the first digit counts ones
 *
 * (src/backend/utils/adt/numeric.c, numeric_send; codes: PostgreSQL 15, appendix A.) */
#include "store/postgres_tx.h"

#include <math.h>

enum { NUMERIC_POSITIVE = 0, NUMERIC_NEGATIVE = 0x4000 };

/* ---- codes ---------------------------------------------------------------------------------- */

souk_err souk_postgres_code_err(const char *sqlstate)
{
    static const struct {
        const char *begins;
        souk_err err;
    } codes[] = {
        /* whole codes before their classes */
        {"23505", SOUK_EEXIST},   {"23", SOUK_ECONFLICT},    {"40002", SOUK_ECONFLICT},
        {"40", SOUK_ERETRY}, /* 40001 serialization, 40P01 deadlock */
        {"27", SOUK_ECONFLICT},   {"P0001", SOUK_ECONFLICT}, /* a trigger's word */
        {"44", SOUK_ECONFLICT},   {"22003", SOUK_EOVERFLOW}, {"22", SOUK_EINVAL},
        {"42501", SOUK_EDENIED},  {"42", SOUK_EINVAL},       {"0A", SOUK_EUNSUPPORTED},
        {"53100", SOUK_EFULL},    {"53200", SOUK_ENOMEM},    {"53", SOUK_EBUSY},
        {"54", SOUK_ETOOBIG},     {"55P03", SOUK_ERETRY}, /* a row was locked too long: whoever holds it ends, too */
        {"57014", SOUK_ETIMEOUT}, /* the statement itself is too slow, again would be no faster */
        {"55", SOUK_EBUSY},       {"57", SOUK_ERETRY},    /* the server stops or starts */
        {"08", SOUK_ERETRY},      {"25P03", SOUK_ERETRY}, /* the session was ended */
        {"25006", SOUK_EDENIED},  {"26000", SOUK_ERETRY}, /* prepared on another connection */
        {"28", SOUK_EDENIED},     {"3D", SOUK_ENOENT},       {"58", SOUK_EIO},
        {"XX001", SOUK_ECORRUPT}, {"XX002", SOUK_ECORRUPT},  {"XX", SOUK_EIO},
    };
    if (!sqlstate || !sqlstate[0])
        return SOUK_ERETRY;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (!strncmp(sqlstate, codes[i].begins, strlen(codes[i].begins)))
            return codes[i].err;
    return SOUK_EINVAL;
}

/* ---- numbers ---------------------------------------------------------------------------------- */

void souk_postgres_put64(uint64_t number, unsigned char to[8])
{
    for (int i = 0; i < 8; i++)
        to[i] = (unsigned char)(number >> (56 - 8 * i));
}

static uint64_t get(const void *at, size_t bytes)
{
    const unsigned char *from = at;
    uint64_t number = 0;
    for (size_t i = 0; i < bytes; i++)
        number = number << 8 | from[i];
    return number;
}

struct numeric {
    unsigned count, sign, scale;
    int weight;
    const unsigned char *digits;
};

static bool numeric_of(const void *at, size_t bytes, struct numeric *ret)
{
    const unsigned char *from = at;
    if (bytes < 8)
        return false;
    *ret = (struct numeric){.count = (unsigned)get(from, 2),
                            .weight = (int16_t)get(from + 2, 2),
                            .sign = (unsigned)get(from + 4, 2),
                            .scale = (unsigned)get(from + 6, 2),
                            .digits = from + 8};
    return bytes == 8 + 2 * (size_t)ret->count &&
           (ret->sign == NUMERIC_POSITIVE || ret->sign == NUMERIC_NEGATIVE);
}

static unsigned digit_of(const struct numeric *numeric, unsigned index)
{
    return index < numeric->count ? (unsigned)get(numeric->digits + 2 * (size_t)index, 2) : 0;
}

/* Towards zero, as SQLite casts. */
static souk_err numeric_int(const struct numeric *numeric, int64_t *ret_number)
{
    int64_t number = 0;
    bool over = numeric->weight > 4 && numeric->count > 0; /* 10000^5 is beyond */
    for (int i = 0; !over && i <= numeric->weight; i++) {
        int64_t digit = digit_of(numeric, (unsigned)i);
        over = __builtin_mul_overflow(number, 10000, &number) ||
               __builtin_sub_overflow(number, digit, &number); /* negative: it reaches further */
    }
    if (!over && numeric->sign == NUMERIC_POSITIVE)
        over = __builtin_sub_overflow(0, number, &number);
    if (over)
        return SOUK_EOVERFLOW;
    *ret_number = number;
    return SOUK_OK;
}

static double numeric_real(const struct numeric *numeric)
{
    double number = 0;
    for (unsigned i = 0; i < numeric->count; i++)
        number += digit_of(numeric, i) * pow(10000, numeric->weight - (int)i);
    return numeric->sign == NUMERIC_NEGATIVE ? -number : number;
}

static double float_of(const void *at, size_t bytes)
{
    uint64_t bits = get(at, bytes);
    double number = 0;
    if (bytes == 8) {
        memcpy(&number, &bits, 8);
        return number;
    }
    uint32_t low = (uint32_t)bits;
    float single = 0;
    memcpy(&single, &low, 4);
    return (double)single;
}

static int64_t int_of_real(double number)
{
    if (!(number > -9223372036854775808.0))
        return number == number ? INT64_MIN : 0; /* not a number: 0 */
    return number < 9223372036854775808.0 ? (int64_t)number : INT64_MAX;
}

souk_err souk_postgres_int(Oid type, const void *at, size_t bytes, int64_t *ret_number)
{
    struct numeric numeric;
    *ret_number = 0;
    switch (type) {
    case PG_BOOL:
        *ret_number = bytes == 1 && *(const unsigned char *)at != 0;
        return SOUK_OK;
    case PG_INT2:
        *ret_number = (int16_t)get(at, bytes);
        return SOUK_OK;
    case PG_INT4:
        *ret_number = (int32_t)get(at, bytes);
        return SOUK_OK;
    case PG_OID:
    case PG_INT8:
        *ret_number = (int64_t)get(at, bytes);
        return SOUK_OK;
    case PG_FLOAT4:
    case PG_FLOAT8:
        *ret_number = int_of_real(float_of(at, bytes));
        return SOUK_OK;
    case PG_NUMERIC:
        return numeric_of(at, bytes, &numeric) ? numeric_int(&numeric, ret_number) : SOUK_EOVERFLOW;
    default:
        return SOUK_EUNSUPPORTED;
    }
}

double souk_postgres_real(Oid type, const void *at, size_t bytes)
{
    struct numeric numeric;
    int64_t number = 0;
    if (type == PG_NUMERIC)
        return numeric_of(at, bytes, &numeric) ? numeric_real(&numeric) : NAN;
    if (type == PG_FLOAT4 || type == PG_FLOAT8)
        return float_of(at, bytes);
    return souk_postgres_int(type, at, bytes, &number) ? 0 : (double)number;
}

enum souk_value_kind souk_postgres_kind(Oid type, const void *at, size_t bytes)
{
    struct numeric numeric;
    switch (type) {
    case PG_BOOL:
    case PG_INT2:
    case PG_INT4:
    case PG_INT8:
    case PG_OID:
        return SOUK_VALUE_INT;
    case PG_FLOAT4:
    case PG_FLOAT8:
        return SOUK_VALUE_REAL;
    case PG_NUMERIC:
        return numeric_of(at, bytes, &numeric) && !numeric.scale ? SOUK_VALUE_INT : SOUK_VALUE_REAL;
    case PG_BYTEA:
        return SOUK_VALUE_BLOB;
    case PG_TEXT:
    case PG_VARCHAR:
    case PG_NAME:
    case PG_UNKNOWN:
        return SOUK_VALUE_STR;
    default:
        return SOUK_VALUE_NULL; /* none that we know */
    }
}
