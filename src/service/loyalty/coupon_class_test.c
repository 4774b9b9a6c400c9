/* coupon_class_test.c - classes as JSON, and codes as people type them. */
#include "service/loyalty/coupon_class.h"
#include "test/test.h"

static souk_err read(souk_arena *arena, const char *json, souk_coupon_class *class, souk_diag *diag)
{
    *diag = (souk_diag){0};
    return souk_coupon_class_read(SOUK_TEXT("tea10"), souk_text_of(json), arena, class, diag);
}

SOUK_TEST("a coupon class says what it opens, when, and how often")
{
    souk_arena arena = {.mem = test->mem};
    souk_coupon_class class;
    souk_diag diag;
    SOUK_MUST(
        read(&arena,
             "{\"title\":\"10 % off tea\",\"kind\":\"multi\",\"offer\":\"tea\",\"uses\":3,"
             "\"from\":\"2026-12-01\",\"until\":\"2026-12-25T18:00:00+08:00\","
             "\"limits\":{\"all\":5000,\"person\":2,\"person_day\":1,\"store\":200,\"day\":9},"
             "\"on_return\":\"keep\"}",
             &class, &diag));
    SOUK_CHECK_TEXT(class.name, "tea10");
    SOUK_CHECK_TEXT(class.offer, "tea");
    SOUK_CHECK(class.kind == SOUK_COUPON_MULTI && class.uses == 3 && class.keeps);
    SOUK_CHECK(class.limits[SOUK_COUPON_BY_ALL] == 5000 && class.limits[SOUK_COUPON_BY_DAY] == 9);
    SOUK_CHECK(class.limits[SOUK_COUPON_BY_PERSON] == 2);
    SOUK_CHECK(class.until - class.from == 24 * SOUK_DAY_MS + 10 * 3600000);
    SOUK_MUST(read(&arena, "{\"title\":\"tea\"}", &class, &diag));
    SOUK_CHECK(class.kind == SOUK_COUPON_UNIQUE && class.uses == 1 && !class.keeps);
    SOUK_CHECK(class.from == SOUK_TIME_FIRST && class.until == SOUK_TIME_LAST);
    SOUK_CHECK_TEXT(class.offer, "tea10");
    SOUK_MUST(read(&arena, "{\"title\":\"tea\",\"kind\":\"shared\",\"code\":\"Summer-10\"}", &class,
                   &diag));
    SOUK_CHECK(class.uses == 0);
    SOUK_CHECK_TEXT(class.code, "Summer-10");
    souk_arena_done(&arena);
}

SOUK_TEST("what is wrong with a coupon class is told with its place")
{
    static const char *const cases[][2] = {
        {"{\"title\":\"a\",\"limits\":{\"persn\":1}}",
         "limits.persn: there is no such member: do you mean person?"},
        {"{\"title\":\"a\",\"limits\":{\"all\":0}}",
         "limits.all: a whole number from 1 to 1000000000000 is expected"},
        {"{\"titel\":\"a\"}", "titel: there is no such member: do you mean title?"},
        {"{}", "title is missing: say what the coupon gives"},
        {"{\"title\":\"a\",\"title\":\"b\"}", "title: it is there twice: drop one"},
        {"{\"title\":\"a\",\"kind\":\"uniqe\"}",
         "kind: one of these is expected: unique, multi, shared"},
        {"{\"title\":\"a\",\"kind\":\"shared\"}",
         "code is missing: a shared coupon has one code for all"},
        {"{\"title\":\"a\",\"code\":\"X\"}",
         "code: only a shared coupon has one; these are issued"},
        {"{\"title\":\"a\",\"kind\":\"multi\"}", "uses is missing: how often one code holds"},
        {"{\"title\":\"a\",\"uses\":2}", "uses: only a multi coupon has them; drop it"},
        {"{\"title\":\"a\",\"from\":\"2026-01-02\",\"until\":\"2026-01-02\"}",
         "until is not behind from: exchange them"},
        {"{\"title\":\"a\",\"from\":\"soon\"}",
         "from: a time is expected, such as 2026-12-24T18:00:00+08:00"},
        {"{\"title\":\"a\",\"kind\":\"shared\",\"code\":\"a/b\"}",
         "code: a code has letters and digits, and hyphens between them"},
        {"[]", "an object is expected, in braces"},
    };
    souk_arena arena = {.mem = test->mem};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        souk_coupon_class class;
        souk_diag diag;
        SOUK_CHECK_ERR(read(&arena, cases[i][0], &class, &diag), SOUK_EINVAL);
        if (strcmp(diag.words, cases[i][1]))
            test_fail(test, __FILE__, __LINE__, "%s: %s", cases[i][0], diag.words);
    }
    souk_arena_done(&arena);
}

SOUK_TEST("a class is named by letters, digits, hyphens, underscores and dots")
{
    static const char *const good[] = {"a", "tea10", "X-y_z.9"}, *const bad[] = {"", "a b", "a/b",
                                                                                 "t\xc3\xa9"};
    char long_name[70];
    memset(long_name, 'a', sizeof long_name);
    for (size_t i = 0; i < 3; i++)
        SOUK_MUST(souk_coupon_class_name(souk_text_of(good[i]), NULL));
    for (size_t i = 0; i < 4; i++)
        SOUK_CHECK_ERR(souk_coupon_class_name(souk_text_of(bad[i]), NULL), SOUK_EINVAL);
    SOUK_MUST(souk_coupon_class_name((souk_text){long_name, 64}, NULL));
    SOUK_CHECK_ERR(souk_coupon_class_name((souk_text){long_name, 65}, NULL), SOUK_EINVAL);
}

SOUK_TEST("128 bits are 26 digits of Crockford's base 32, and every bit of them counts")
{
    uint8_t bits[16] = {0};
    char code[SOUK_COUPON_CODE_ROOM], other[SOUK_COUPON_CODE_ROOM];
    souk_coupon_code_write(bits, code);
    SOUK_CHECK_TEXT(souk_text_of(code), "00000-00000-00000-00000-000000");
    memset(bits, 0xff, sizeof bits);
    souk_coupon_code_write(bits, code);
    SOUK_CHECK_TEXT(souk_text_of(code), "ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZW");
    for (size_t i = 0; i < 128; i++) {
        for (size_t b = 0; b < sizeof bits; b++)
            bits[b] = (uint8_t)test_random(test, 256);
        souk_coupon_code_write(bits, code);
        bits[i / 8] ^= (uint8_t)(1 << i % 8);
        souk_coupon_code_write(bits, other);
        SOUK_CHECK(strcmp(code, other) != 0);
    }
}

SOUK_TEST("a code is the same in small letters, without hyphens, with O for 0 and I or L for 1")
{
    static const char *const same[] = {"70K3M-A1X", "7ok3m alx", " 7OK3MAIX-", "70k3m-aLx"};
    char first[SOUK_COUPON_CODE_MOST], next[SOUK_COUPON_CODE_MOST];
    size_t bytes, next_bytes;
    SOUK_MUST(souk_coupon_code_normal(souk_text_of(same[0]), first, &bytes));
    for (size_t i = 1; i < 4; i++) {
        SOUK_MUST(souk_coupon_code_normal(souk_text_of(same[i]), next, &next_bytes));
        SOUK_CHECK(bytes == next_bytes && !memcmp(first, next, bytes));
    }
    SOUK_CHECK_ERR(souk_coupon_code_normal(SOUK_TEXT("- -"), next, &bytes), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_coupon_code_normal(SOUK_TEXT("A_B"), next, &bytes), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_coupon_code_normal(SOUK_TEXT("12345678901234567890123456789012345678901"),
                                           next, &bytes),
                   SOUK_EINVAL);
}

SOUK_TEST("whatever allocation fails, a class is read or refused for want of memory")
{
    SOUK_FAULT_LOOP (test) {
        souk_arena arena = {.mem = test->mem};
        souk_coupon_class class;
        souk_diag diag;
        souk_err err =
            read(&arena, "{\"title\":\"a \\u00e9\",\"limits\":{\"all\":3}}", &class, &diag);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        SOUK_CHECK(err || souk_text_equal(class.title, SOUK_TEXT("a \xc3\xa9")));
        souk_arena_done(&arena);
        test_fault_seen(test, err);
    }
}
