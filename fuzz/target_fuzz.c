/* target_fuzz.c - any text as the url of a webhook, as a list of ranges, and any 16 bytes as an address.
 *
 * What is read is read as libcurl, which opens the connection, reads it: the same host and port, no user.  The class
 * of an address does not depend on how it is written. */
#include "serve/target.h"

#include <curl/curl.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *part(CURLU *handle, CURLUPart what)
{
    char *text = NULL;
    return curl_url_get(handle, what, &text, CURLU_DEFAULT_PORT) ? NULL : text;
}

static void check_host(const souk_target *target, const char *host)
{
    souk_inet inet;
    size_t bytes = strlen(host);
    if (host[0] == '[') {
        souk_assert(host[bytes - 1] == ']' && target->is_address);
        souk_assert(!souk_inet_read((souk_text){host + 1, bytes - 2}, &inet));
        souk_assert(!memcmp(&inet, &target->inet, sizeof inet));
    } else if (target->is_address) {
        souk_assert(!souk_inet_read(souk_text_of(host), &inet));
        souk_assert(!memcmp(&inet, &target->inet, sizeof inet));
    } else { /* nothing that curl would take for an address */
        souk_assert(souk_text_equal_nocase(souk_text_of(host), souk_text_of(target->host)));
        souk_assert(souk_inet_read(souk_text_of(host), &inet) == SOUK_EINVAL);
    }
}

static void check_as_curl(const char *url, const souk_target *target)
{
    CURLU *handle = curl_url();
    souk_assert(handle && !curl_url_set(handle, CURLUPART_URL, url, CURLU_DISALLOW_USER));
    char *scheme = part(handle, CURLUPART_SCHEME), *host = part(handle, CURLUPART_HOST);
    char *port = part(handle, CURLUPART_PORT), *user = part(handle, CURLUPART_USER);
    char *zone = part(handle, CURLUPART_ZONEID);
    souk_assert(scheme && host && port && !user && !zone);
    souk_assert(!strcmp(scheme, target->is_tls ? "https" : "http"));
    souk_assert(strtoul(port, NULL, 10) == target->port);
    check_host(target, host);
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(handle);
}

static void check_url(souk_text text)
{
    souk_target target;
    souk_diag diag = {.words = ""};
    souk_err err = souk_target_read(text, &target, &diag);
    if (err) {
        souk_assert(err == SOUK_EINVAL && diag.words[0]);
        return;
    }
    souk_buf url = {.mem = NULL};
    souk_buf_text(&url, text);
    souk_assert(strlen(souk_buf_ended(&url)) == text.bytes && target.host[0] && target.port);
    check_as_curl(souk_buf_ended(&url), &target);
    souk_buf_done(&url);
}

static void check_ranges(souk_text text)
{
    souk_target_allowed allowed;
    souk_diag diag = {.words = ""};
    souk_err err =
        souk_inet_ranges_read(text, allowed.ranges, SOUK_TARGET_RANGES, &allowed.count, &diag);
    souk_assert(err ? diag.words[0] != '\0' : allowed.count <= SOUK_TARGET_RANGES);
    for (size_t i = 0; !err && i < allowed.count; i++) {
        souk_assert(souk_inet_within(allowed.ranges, allowed.count, &allowed.ranges[i].first));
        souk_assert(!souk_target_may(&allowed, false, &allowed.ranges[i].first, NULL));
    }
}

static void check_address(const uint8_t *bytes)
{
    souk_target_allowed none = {.count = 0};
    souk_inet inet = souk_inet_of_v6(bytes), again, v4 = souk_inet_of_v4(bytes), mapped = inet;
    char text[SOUK_INET_BYTES];
    souk_assert(!souk_inet_read((souk_text){text, souk_inet_write(&inet, text)}, &again));
    souk_assert(!memcmp(&inet, &again, sizeof inet));
    souk_assert((souk_target_may(&none, true, &inet, NULL) == SOUK_OK) ==
                (souk_inet_reserved(&inet) == NULL));
    souk_assert(souk_target_may(&none, false, &inet, NULL) == SOUK_EDENIED);
    memcpy(mapped.bytes, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
    memcpy(mapped.bytes + 12, bytes, 4);
    souk_assert(!memcmp(&mapped, &v4, sizeof v4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    souk_text text = {(const char *)data, size};
    check_url(text);
    check_ranges(text);
    if (size >= 16)
        check_address(data);
    return 0;
}
