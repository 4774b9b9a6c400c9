/* hook_secret_test.c - hook_secret.h against a list; hooks_test.c has the doors over it. */
#include "test/test.h"

#include "service/collect/hook_secret.h"
#include "service/collect/test_shop.h"

SOUK_TEST("random adding, removing and signing is as a list would have it, and a forgotten removal "
          "is noticed")
{
    struct {
        uint64_t id;
        int name, secret;
        bool works, planted;
    } list[400];
    size_t count = 0, noticed = 0, fitted = 0;
    struct shop shop;
    souk_auto(souk_hook_secrets) secrets = NULL;
    shop_open(&shop, test);
    SOUK_MUST(souk_hook_secrets_open(test->mem, shop.spine, &secrets));
    for (int step = 0; step < 400; step++) {
        char name[8], secret[16];
        int n = (int)test_random(test, 3), s = (int)test_random(test, 5);
        snprintf(name, sizeof name, "n%d", n);
        snprintf(secret, sizeof secret, "secret%d", s);
        souk_hook_secret hook = {.merchant = 1,
                                 .source = (uint32_t)n + 1,
                                 .form = SOUK_TEXT("shopify"),
                                 .name = souk_text_of(name)};
        bool works = false, planted = false;
        for (size_t i = 0; i < count; i++) {
            works |= list[i].works && list[i].name == n && list[i].secret == s;
            planted |= list[i].planted && list[i].name == n && list[i].secret == s;
        }
        if (test_random(test, 3) == 0) {
            souk_err err = souk_hook_secrets_add(secrets, &hook, souk_text_of(secret), NULL);
            SOUK_CHECK(err == (works ? SOUK_EEXIST : SOUK_OK));
            list[count].id = hook.id;
            list[count].name = n;
            list[count].secret = s;
            list[count].works = list[count].planted = !err;
            count += !err;
        } else if (test_random(test, 3) == 0 && count) {
            size_t i = test_random(test, count);
            souk_err err = souk_hook_secrets_remove(secrets, 1, list[i].id);
            SOUK_CHECK(err == (list[i].works ? SOUK_OK : SOUK_ENOENT));
            list[i].works = false;
        } else {
            uint8_t mac[SOUK_HMAC_BYTES];
            souk_caller caller = {0};
            souk_hmac_sha256(souk_text_of(secret), SOUK_TEXT("body"), mac);
            souk_err err = souk_hook_secrets_check(secrets, hook.form, hook.name, SOUK_TEXT("body"),
                                                   mac, &caller);
            SOUK_CHECK(err == (works ? SOUK_OK : SOUK_EUNAUTH));
            SOUK_CHECK(err || (caller.merchant == 1 && caller.source == (uint32_t)n + 1));
            noticed += err && planted;
            fitted += !err;
        }
    }
    SOUK_CHECK(noticed > 5 && fitted > 20);
    souk_hook_secrets_free(souk_take(&secrets));
    shop_close(&shop);
}
