/* target.c - the URL and the rule of target.h. */
#include "serve/target.h"

#include <stdio.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static souk_err check_letters(souk_text url, souk_diag *diag)
{
    if (url.bytes > SOUK_TARGET_BYTES)
        return souk_diag_say(diag, SOUK_EINVAL, "the url is longer than %d bytes",
                             SOUK_TARGET_BYTES);
    for (size_t i = 0; i < url.bytes; i++) {
        unsigned char c = (unsigned char)url.at[i];
        if (c <= ' ' || c >= 127 || c == '\\')
            return souk_diag_say(diag, SOUK_EINVAL,
                                 "the url holds %s at byte %zu: write it as %%%02X, and a host "
                                 "outside ASCII in its xn-- form",
                                 c >= 127   ? "a byte outside ASCII"
                                 : c > ' '  ? "a backslash"
                                 : c == ' ' ? "a space"
                                            : "a control character",
                                 i + 1, c);
        if (c == '#')
            return souk_diag_say(diag, SOUK_EINVAL,
                                 "the url has a fragment (#…): it would not be sent, leave it out");
    }
    return SOUK_OK;
}

/* Takes the scheme off; "HTTPS://" is one as well. */
static souk_err read_scheme(souk_text *rest, bool *ret_is_tls, souk_diag *diag)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < 2; i++) {
        souk_text scheme = souk_text_of(schemes[i]);
        if (rest->bytes < scheme.bytes ||
            !souk_text_equal_nocase((souk_text){rest->at, scheme.bytes}, scheme))
            continue;
        *ret_is_tls = i == 1;
        rest->at += scheme.bytes;
        rest->bytes -= scheme.bytes;
        return SOUK_OK;
    }
    return souk_diag_say(diag, SOUK_EINVAL, "the url begins with https://");
}

static souk_err read_port(souk_text text, souk_target *target, souk_diag *diag)
{
    uint64_t port = target->is_tls ? 443 : 80;
    bool wrong = text.at && (text.bytes > 5 || souk_text_to_u64(text, &port));
    if (wrong || port == 0 || port > 65535)
        return souk_diag_say(diag, SOUK_EINVAL, "'%.*s' is no port: 1 to 65535",
                             SOUK_TEXT_PRINT(text));
    target->port = (uint16_t)port;
    return SOUK_OK;
}

static souk_err check_label(souk_text label, souk_diag *diag)
{
    bool fits = label.bytes > 0 && label.bytes <= 63;
    for (size_t i = 0; i < label.bytes; i++) {
        char c = label.at[i];
        bool inside = i > 0 && i + 1 < label.bytes;
        fits &= is_digit(c) || (c >= 'a' && c <= 'z') || c == '_' || (c == '-' && inside);
    }
    if (fits)
        return SOUK_OK;
    return souk_diag_say(diag, SOUK_EINVAL,
                         "'%.*s' is no part of a host name: 1 to 63 letters, digits and hyphens",
                         SOUK_TEXT_PRINT(label));
}

/* WHATWG URL 3.5, "ends in a number": then readers make an IPv4 address of it, each in his own way. */
static bool ends_in_number(souk_text host)
{
    souk_text last = host;
    for (size_t i = host.bytes; i > 0 && host.at[i - 1] != '.'; i--)
        last = souk_text_range(host.at + i - 1, host.at + host.bytes);
    bool digits = true;
    for (size_t i = 0; i < last.bytes; i++)
        digits &= is_digit(last.at[i]);
    return digits || souk_text_starts(last, SOUK_TEXT("0x"));
}

static souk_err read_name(souk_target *target, souk_diag *diag)
{
    souk_text host = souk_text_of(target->host), rest = host;
    if (host.bytes && host.at[host.bytes - 1] == '.') /* the root's dot */
        host.bytes = rest.bytes = host.bytes - 1;
    while (rest.at)
        SOUK_TRY(check_label(souk_text_cut(&rest, '.'), diag));
    if (!ends_in_number(host))
        return SOUK_OK;
    target->is_address = souk_inet_read(souk_text_of(target->host), &target->inet) == SOUK_OK;
    if (target->is_address)
        return SOUK_OK;
    return souk_diag_say(diag, SOUK_EINVAL,
                         "'%s' ends in a number and is no address: four decimal numbers without "
                         "leading zeros, as 203.0.113.7",
                         target->host);
}

static souk_err read_host(souk_text host, souk_target *target, souk_diag *diag)
{
    if (host.bytes == 0 || host.bytes >= sizeof target->host)
        return souk_diag_say(diag, SOUK_EINVAL, "the url has no host of 1 to %d bytes",
                             SOUK_TARGET_HOST - 1);
    for (size_t i = 0; i < host.bytes; i++) {
        char c = host.at[i];
        target->host[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    target->host[host.bytes] = '\0';
    return SOUK_OK;
}

/* "[::1]:8080" and "shop.example:8080". */
static souk_err read_authority(souk_text authority, souk_target *target, souk_diag *diag)
{
    souk_text port = authority, host;
    if (authority.bytes && memchr(authority.at, '@', authority.bytes))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the url has a user or a password (@): leave it out, each delivery "
                             "is signed");
    if (!souk_text_starts(authority, SOUK_TEXT("["))) {
        host = souk_text_cut(&port, ':');
        SOUK_TRY(read_host(host, target, diag));
        SOUK_TRY(read_port(port, target, diag));
        return read_name(target, diag);
    }
    host = souk_text_cut(&port, ']');
    host = (souk_text){host.at + 1, host.bytes - 1};
    bool closed = port.at != NULL;
    if (closed && port.bytes && port.at[0] != ':')
        closed = false;
    SOUK_TRY(read_host(host, target, diag));
    if (!closed || !memchr(host.at, ':', host.bytes) || souk_inet_read(host, &target->inet))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "between [ and ] stands an IPv6 address, as https://[2606:4700::1]/");
    target->is_address = true;
    return read_port(port.bytes ? (souk_text){port.at + 1, port.bytes - 1} : (souk_text){NULL, 0},
                     target, diag);
}

souk_err souk_target_read(souk_text url, souk_target *ret_target, souk_diag *diag)
{
    souk_target target = {.is_tls = false};
    souk_text rest = url;
    SOUK_TRY(check_letters(url, diag));
    SOUK_TRY(read_scheme(&rest, &target.is_tls, diag));
    size_t end = 0;
    while (end < rest.bytes && rest.at[end] != '/' && rest.at[end] != '?')
        end++;
    SOUK_TRY(read_authority((souk_text){rest.at, end}, &target, diag));
    *ret_target = target;
    return SOUK_OK;
}

souk_err souk_target_may(const souk_target_allowed *allowed, bool is_tls, const souk_inet *inet,
                         souk_diag *diag)
{
    char text[SOUK_INET_BYTES];
    if (souk_inet_within(allowed->ranges, allowed->count, inet))
        return SOUK_OK;
    souk_inet_write(inet, text);
    const char *why = souk_inet_reserved(inet);
    if (why)
        return souk_diag_say(diag, SOUK_EDENIED,
                             "%s is refused, it is %s: webhooks go to addresses of the internet, "
                             "and to those of the setting webhooks.allow_private",
                             text, why);
    if (!is_tls)
        return souk_diag_say(diag, SOUK_EDENIED,
                             "http:// is refused for %s: everybody on the way could read it; use "
                             "https://, or name the address in the setting webhooks.allow_private",
                             text);
    return SOUK_OK;
}
