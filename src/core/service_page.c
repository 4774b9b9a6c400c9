/* service_page.c - pages and versions of a call (service.h). */
#include "core/service.h"

#include "base/url.h"

#include <stdio.h>

/* ---- pages ------------------------------------------------------------------------------------------------ */

souk_err souk_call_limit(souk_call *call, size_t usual, size_t most, size_t *ret_limit)
{
    souk_text word;
    uint64_t limit = usual;
    if (souk_call_query(call, SOUK_TEXT("limit"), &word) &&
        (souk_text_to_u64(word, &limit) || limit == 0 || limit > most))
        return souk_diag_say(&call->diag, SOUK_EINVAL, "limit is a number from 1 to %zu", most);
    *ret_limit = (size_t)limit;
    return SOUK_OK;
}

/* RFC 3986 2.3: what stands for itself. */
static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static void write_escaped(souk_buf *out, souk_text value)
{
    for (size_t i = 0; i < value.bytes; i++)
        if (is_unreserved(value.at[i]))
            souk_buf_byte(out, value.at[i]);
        else
            souk_buf_print(out, "%%%02X", (unsigned char)value.at[i]);
}

/* What would end the link's <…>. */
static bool is_plain(souk_text text)
{
    for (size_t i = 0; i < text.bytes; i++)
        if (text.at[i] == '<' || text.at[i] == '>' || text.at[i] == '"')
            return false;
    return true;
}

void souk_call_link_next(souk_call *call, const char *field, souk_text value)
{
    souk_auto_value(souk_buf) link = {.mem = call->arena.mem, .limit_bytes = 16384};
    souk_text rest = call->query, name, old;
    souk_buf_print(&link, "<%.*s?", SOUK_TEXT_PRINT(call->path));
    while (souk_url_next(&rest, &name, &old))
        if (!souk_text_equal(name, souk_text_of(field)))
            souk_buf_print(&link, "%.*s=%.*s&", SOUK_TEXT_PRINT(name), SOUK_TEXT_PRINT(old));
    souk_buf_print(&link, "%s=", field);
    write_escaped(&link, value);
    if (souk_buf_check(&link)) /* the body tells the cursor, too */
        return;
    souk_text written = souk_buf_view(&link);
    bool plain = is_plain((souk_text){written.at + 1, written.bytes - 1});
    souk_buf_text(&link, SOUK_TEXT(">; rel=\"next\""));
    if (!plain || souk_buf_check(&link))
        return;
    char *kept = souk_arena_copy(&call->arena, link.at, link.bytes);
    if (!call->arena.failed)
        souk_call_add_header(call, "Link", (souk_text){kept, link.bytes});
}

void souk_call_link_next_u64(souk_call *call, const char *field, uint64_t value)
{
    char text[24];
    int bytes = snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    souk_call_link_next(call, field, (souk_text){text, (size_t)bytes});
}

/* ---- versions --------------------------------------------------------------------------------------------- */

/* Whether the version is among "v1", W/"v2", or *: weak comparison (RFC 9110 8.8.3.2). */
static bool names_version(souk_text list, uint64_t version)
{
    char tag[32];
    souk_text wanted = {
        tag, (size_t)snprintf(tag, sizeof tag, "\"v%llu\"", (unsigned long long)version)};
    while (list.bytes) {
        souk_text item = souk_text_trim(souk_text_cut(&list, ','));
        if (souk_text_starts(item, SOUK_TEXT("W/")))
            item = (souk_text){item.at + 2, item.bytes - 2};
        if (souk_text_equal(item, wanted) || souk_text_equal(item, SOUK_TEXT("*")))
            return true;
    }
    return false;
}

bool souk_call_version(souk_call *call, uint64_t version)
{
    char *tag = souk_arena_get(&call->arena, 32);
    int bytes = snprintf(tag, 32, "\"v%llu\"", (unsigned long long)version);
    souk_call_add_header(call, "ETag", (souk_text){tag, (size_t)bytes});
    return names_version(souk_call_header(call, SOUK_TEXT("if-none-match")), version);
}

void souk_call_answer_same(souk_call *call)
{
    souk_call_answer_text(call, 304, "", SOUK_TEXT(""));
}

souk_err souk_call_expected(souk_call *call, uint64_t otherwise, uint64_t *ret_version)
{
    souk_text match = souk_text_trim(souk_call_header(call, SOUK_TEXT("if-match")));
    souk_text none = souk_text_trim(souk_call_header(call, SOUK_TEXT("if-none-match")));
    if (match.bytes >= 4 && souk_text_starts(match, SOUK_TEXT("\"v")) &&
        match.at[match.bytes - 1] == '"' &&
        souk_text_to_u64((souk_text){match.at + 2, match.bytes - 3}, ret_version) == SOUK_OK &&
        *ret_version < SOUK_VERSION_TOLD)
        return SOUK_OK;
    if (match.bytes)
        return souk_diag_say(&call->diag, SOUK_ECHANGED,
                             "If-Match is no ETag of this: GET it again and send the one it has");
    if (souk_text_equal(none, SOUK_TEXT("*"))) {
        *ret_version = 0;
        return SOUK_OK;
    }
    *ret_version = otherwise;
    if (otherwise != SOUK_VERSION_TOLD)
        return SOUK_OK;
    return souk_diag_say(&call->diag, SOUK_EBLIND,
                         "say which version is changed: If-Match with the ETag that GET gave, or "
                         "If-None-Match: * for a new one");
}
