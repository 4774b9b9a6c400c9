/* postgres_value_test.c - the server's bytes and codes, as PostgreSQL documents them. */
#include "store/postgres_tx.h"

#include "test/test.h"

SOUK_TEST("each code of the server has ours, and a lost connection asks for another try")
{
    static const struct {
        const char *code;
        souk_err err;
    } codes[] = {
        {"23505", SOUK_EEXIST},    {"23503", SOUK_ECONFLICT}, {"23514", SOUK_ECONFLICT},
        {"23502", SOUK_ECONFLICT}, {"40001", SOUK_ERETRY},    {"40P01", SOUK_ERETRY},
        {"40002", SOUK_ECONFLICT}, {"53100", SOUK_EFULL},     {"53200", SOUK_ENOMEM},
        {"53300", SOUK_EBUSY},     {"42P01", SOUK_EINVAL},    {"42501", SOUK_EDENIED},
        {"42601", SOUK_EINVAL},    {"22003", SOUK_EOVERFLOW}, {"22021", SOUK_EINVAL},
        {"55P03", SOUK_ERETRY},    {"57014", SOUK_ETIMEOUT},  {"57P01", SOUK_ERETRY},
        {"08006", SOUK_ERETRY},    {"25P03", SOUK_ERETRY},    {"25006", SOUK_EDENIED},
        {"XX001", SOUK_ECORRUPT},  {"58030", SOUK_EIO},       {"28P01", SOUK_EDENIED},
        {"3D000", SOUK_ENOENT},    {"54000", SOUK_ETOOBIG},   {"P0001", SOUK_ECONFLICT},
        {"ZZZZZ", SOUK_EINVAL},    {"", SOUK_ERETRY},         {NULL, SOUK_ERETRY},
    };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        SOUK_CHECK(souk_postgres_code_err(codes[i].code) == codes[i].err);
}

static int64_t int_of(souk_test *test, Oid type, const char *bytes, size_t count)
{
    int64_t number = -1;
    SOUK_MUST(souk_postgres_int(type, bytes, count, &number));
    return number;
}

SOUK_TEST("whole numbers of every width are read, and those beyond 64 bits are refused")
{
    int64_t number = 0;
    SOUK_CHECK(int_of(test, PG_INT2, "\xff\xfe", 2) == -2);
    SOUK_CHECK(int_of(test, PG_INT4, "\x80\0\0\0", 4) == INT32_MIN);
    SOUK_CHECK(int_of(test, PG_INT8, "\x7f\xff\xff\xff\xff\xff\xff\xff", 8) == INT64_MAX);
    SOUK_CHECK(int_of(test, PG_BOOL, "\1", 1) == 1 && int_of(test, PG_BOOL, "\0", 1) == 0);
    /* numeric: 0; 12345; -12345.67; 2^63 - 1; -2^63; 2^63 */
    SOUK_CHECK(int_of(test, PG_NUMERIC, "\0\0\0\0\0\0\0\0", 8) == 0);
    SOUK_CHECK(int_of(test, PG_NUMERIC, "\0\2\0\1\0\0\0\0\0\1\x09\x29", 12) == 12345);
    SOUK_CHECK(int_of(test, PG_NUMERIC, "\0\3\0\1\x40\0\0\2\0\1\x09\x29\x1a\x2c", 14) == -12345);
    SOUK_CHECK(int_of(test, PG_NUMERIC, "\0\1\0\1\0\0\0\0\0\1", 10) == 10000); /* zeros left out */
    static const char most[] = "\0\5\0\4\0\0\0\0\x03\x9a\x0d\x2c\x01\x70\x15\x65\x16\xaf";
    static const char least[] = "\0\5\0\4\x40\0\0\0\x03\x9a\x0d\x2c\x01\x70\x15\x65\x16\xb0";
    static const char beyond[] = "\0\5\0\4\0\0\0\0\x03\x9a\x0d\x2c\x01\x70\x15\x65\x16\xb0";
    SOUK_CHECK(int_of(test, PG_NUMERIC, most, 18) == INT64_MAX);
    SOUK_CHECK(int_of(test, PG_NUMERIC, least, 18) == INT64_MIN);
    SOUK_CHECK_ERR(souk_postgres_int(PG_NUMERIC, beyond, 18, &number), SOUK_EOVERFLOW);
    SOUK_CHECK_ERR(souk_postgres_int(PG_NUMERIC, "\0\1\0\5\0\0\0\0\0\1", 10, &number),
                   SOUK_EOVERFLOW);
    SOUK_CHECK_ERR(souk_postgres_int(PG_NUMERIC, "\0\0\0\0\xc0\0\0\0", 8, &number),
                   SOUK_EOVERFLOW); /* not a number */
    SOUK_CHECK_ERR(souk_postgres_int(PG_NUMERIC, "\0\2\0\0\0\0\0\0\0\1", 10, &number),
                   SOUK_EOVERFLOW); /* cut short */
    SOUK_CHECK_ERR(souk_postgres_int(PG_TEXT, "7", 1, &number), SOUK_EUNSUPPORTED);
}

SOUK_TEST("numbers with a fraction are read as reals, and cast towards zero")
{
    SOUK_CHECK(souk_postgres_real(PG_FLOAT8, "\xbf\xf8\0\0\0\0\0\0", 8) == -1.5);
    SOUK_CHECK(souk_postgres_real(PG_FLOAT4, "\x3f\xc0\0\0", 4) == 1.5);
    SOUK_CHECK(int_of(test, PG_FLOAT8, "\xbf\xf8\0\0\0\0\0\0", 8) == -1);
    SOUK_CHECK(int_of(test, PG_FLOAT8, "\x7f\xf0\0\0\0\0\0\0", 8) == INT64_MAX); /* infinite */
    SOUK_CHECK(int_of(test, PG_FLOAT8, "\x7f\xf8\0\0\0\0\0\0", 8) == 0);         /* no number */
    SOUK_CHECK(souk_postgres_real(PG_NUMERIC, "\0\2\0\0\0\0\0\1\0\1\x13\x88", 12) == 1.5);
    SOUK_CHECK(souk_postgres_kind(PG_NUMERIC, "\0\2\0\0\0\0\0\1\0\1\x13\x88", 12) ==
               SOUK_VALUE_REAL);
    SOUK_CHECK(souk_postgres_kind(PG_NUMERIC, "\0\1\0\0\0\0\0\0\0\1", 10) == SOUK_VALUE_INT);
    unsigned char bytes[8];
    souk_postgres_put64(0x0102030405060708, bytes);
    SOUK_CHECK(!memcmp(bytes, "\1\2\3\4\5\6\7\x08", 8));
}
