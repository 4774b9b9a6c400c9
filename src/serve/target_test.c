/* target_test.c - what a URL may be, and the tricks by which one leads to the machine beside. */
#include "test/test.h"

#include "serve/target.h"

static void check_refused(souk_test *test, const char *url, const char *words)
{
    souk_target target;
    souk_diag diag = {.words = ""};
    souk_err err = souk_target_read(souk_text_of(url), &target, &diag);
    if (err != SOUK_EINVAL || !strstr(diag.words, words))
        test_fail(test, __FILE__, __LINE__, "%s: %s, '%s'", url, souk_err_name(err), diag.words);
}

SOUK_TEST("a url of a webhook is read into host and port")
{
    static const struct {
        const char *url, *host;
        uint16_t port;
        bool is_tls, is_address;
    } good[] = {
        {"https://shop.example", "shop.example", 443, true, false},
        {"https://Shop.Example./", "shop.example.", 443, true, false},
        {"HTTP://shop.example:8080/a/b?c=d", "shop.example", 8080, false, false},
        {"https://a?b:c@d", NULL, 0, false, false},
        {"https://8.8.8.8:1", "8.8.8.8", 1, true, true},
        {"https://[2606:4700::1111]:8443/x", "2606:4700::1111", 8443, true, true},
        {"https://[::FFFF:8.8.8.8]", "::ffff:8.8.8.8", 443, true, true},
        {"https://xn--bcher-kva.example/b%20c", "xn--bcher-kva.example", 443, true, false},
        {"https://a_b-c.1a.d2", "a_b-c.1a.d2", 443, true, false},
        {"http://localhost/", "localhost", 80, false, false},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        souk_target target;
        SOUK_MUST(souk_target_read(souk_text_of(good[i].url), &target, NULL));
        if (!good[i].host)
            continue;
        SOUK_CHECK_TEXT(souk_text_of(target.host), good[i].host);
        SOUK_CHECK(target.port == good[i].port && target.is_tls == good[i].is_tls);
        SOUK_CHECK(target.is_address == good[i].is_address);
    }
}

SOUK_TEST("a url that readers could read differently is refused with words")
{
    char longer[SOUK_TARGET_BYTES + 2];
    memset(longer, 'a', sizeof longer);
    memcpy(longer, "https://h/", 10);
    longer[sizeof longer - 1] = '\0';
    check_refused(test, longer, "longer than");
    static const char *const refused[][2] = {
        {"", "begins with https"},
        {"ftp://h/", "begins with https"},
        {"//h/", "begins with https"},
        {"javascript:alert(1)", "begins with https"},
        {"https:///x", "no host"},
        {"https://", "no host"},
        {"https://:80/", "no host"},
        {"https://h:0/", "no port"},
        {"https://h:65536/", "no port"},
        {"https://h:/", "no port"},
        {"https://h:80:80/", "no port"},
        {"https://h:+80/", "no port"},
        {"https://user@h/", "user or a password"},
        {"https://127.0.0.1:80@h/", "user or a password"},
        {"https://h/#x", "fragment"},
        {"https://h\\@127.0.0.1/", "backslash"},
        {"https://h /", "a space"},
        {"https://h/\r\nX: y", "control character"},
        {"https://b\xc3\xbc"
         "cher.example/",
         "outside ASCII"},
        {"https://2130706433/", "ends in a number"},
        {"https://0x7f000001/", "ends in a number"},
        {"https://0x7f.0.0.1/", "ends in a number"},
        {"https://127.0.0.0x1/", "ends in a number"},
        {"https://0177.0.0.1/", "ends in a number"},
        {"https://127.1/", "ends in a number"},
        {"https://127.0.0.1./", "ends in a number"},
        {"https://a.1/", "ends in a number"},
        {"https://256.1.1.1/", "ends in a number"},
        {"https://%31%32%37.0.0.1/", "no part of a host name"},
        {"https://a..b/", "no part of a host name"},
        {"https://.a/", "no part of a host name"},
        {"https://-a.b/", "no part of a host name"},
        {"https://a!b/", "no part of a host name"},
        {"https://[127.0.0.1]/", "IPv6"},
        {"https://[::1/", "IPv6"},
        {"https://[::1]x/", "IPv6"},
        {"https://[fe80::1%25eth0]/", "IPv6"},
        {"https://[]/", "no host"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        check_refused(test, refused[i][0], refused[i][1]);
}

static souk_err may(const souk_target_allowed *allowed, bool is_tls, const char *address,
                    souk_diag *diag)
{
    souk_inet inet;
    SOUK_TRY(souk_inet_read(souk_text_of(address), &inet));
    return souk_target_may(allowed, is_tls, &inet, diag);
}

SOUK_TEST("addresses that are somebody's own, and plain http, need the operator's leave")
{
    souk_target_allowed none = {.count = 0}, some;
    souk_diag diag = {.words = ""}, plain = {.words = ""};
    SOUK_MUST(souk_inet_ranges_read(SOUK_TEXT("127.0.0.0/8 10.1.0.0/16"), some.ranges,
                                    SOUK_TARGET_RANGES, &some.count, NULL));
    SOUK_MUST(may(&none, true, "8.8.8.8", NULL));
    SOUK_CHECK_ERR(may(&none, false, "8.8.8.8", &plain), SOUK_EDENIED);
    SOUK_CHECK(strstr(plain.words, "use https://") != NULL);
    SOUK_CHECK_ERR(may(&none, true, "169.254.169.254", &diag), SOUK_EDENIED);
    SOUK_CHECK(strstr(diag.words, "169.254.169.254 is refused, it is link-local") != NULL);
    SOUK_CHECK_ERR(may(&none, true, "::ffff:127.0.0.1", NULL), SOUK_EDENIED);
    SOUK_MUST(may(&some, false, "127.0.0.1", NULL));
    SOUK_MUST(may(&some, true, "::ffff:10.1.9.9", NULL));
    SOUK_CHECK_ERR(may(&some, true, "10.2.0.0", NULL), SOUK_EDENIED);
    SOUK_CHECK_ERR(may(&some, true, "::1", NULL), SOUK_EDENIED);
    SOUK_CHECK_ERR(may(&some, false, "8.8.8.8", NULL), SOUK_EDENIED);
}
