/* postgres_dialect_fuzz.c - any bytes as SQL: what is told has no '?' outside of quotes, keeps every quoted text as it
 * was, and ends where its quotes end. */
#include "store/postgres_dialect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *quoted_end(const char *at, const char *end)
{
    char quote = *at++;
    for (; at < end; at++)
        if (*at == quote && (at + 1 == end || at[1] != quote))
            return at + 1;
        else if (*at == quote)
            at++;
    return NULL;
}

static const char *comment_end(const char *at, const char *end)
{
    if (*at == '-')
        return memchr(at, '\n', (size_t)(end - at)) ? memchr(at, '\n', (size_t)(end - at)) : end;
    for (at += 2; at[0] != '*' || at[1] != '/'; at++)
        ;
    return at + 2;
}

static bool is_wordy(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (c & 0x80);
}

/* Behind a word that is no x before its quote. */
static const char *word_end(const char *at, const char *end)
{
    if (end - at > 1 && (*at == 'x' || *at == 'X') && at[1] == '\'')
        return at;
    while (at < end && is_wordy(*at))
        at++;
    return at;
}

/* The quoted texts one after another, without blobs and collations, of what is known to be well formed. */
static void gather(souk_text sql, bool told, souk_buf *to)
{
    const char *at = sql.bytes ? sql.at : "", *end = at + sql.bytes;
    while (at < end) {
        if (*at == (told ? '$' : '?')) { /* a parameter ends with its digits */
            for (at++; at < end && *at >= '0' && *at <= '9'; at++)
                ;
            continue;
        }
        const char *behind = word_end(at, end);
        bool blob = behind == at && is_wordy(*at);
        if (behind > at) {
            at = behind;
            continue;
        }
        at += blob;
        bool comment =
            end - at > 1 && ((at[0] == '-' && at[1] == '-') || (at[0] == '/' && at[1] == '*'));
        souk_assert(!told || (*at != '?' && !comment));
        if (comment) {
            at = comment_end(at, end);
        } else if (*at == '\'' || *at == '"') {
            behind = quoted_end(at, end);
            souk_assert(behind);
            blob |= told && souk_text_starts(souk_text_range(behind, end), SOUK_TEXT("::bytea"));
            /* A collation may have been told beside a text. */
            blob |= souk_text_equal(souk_text_range(at, behind), SOUK_TEXT("\"C\""));
            if (!blob)
                souk_buf_text(to, souk_text_range(at, behind));
            at = behind;
        } else {
            at++;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    souk_text sql = {(const char *)data, size};
    souk_diag diag = {.words = ""};
    souk_buf told = {0}, texts = {0}, told_texts = {0};
    souk_err err = souk_postgres_dialect(sql, &told, &diag);
    souk_assert(err == SOUK_OK || err == SOUK_EINVAL);
    souk_assert((err == SOUK_OK) == (diag.words[0] == '\0'));
    (void)souk_postgres_is_query(sql);
    bool was_told = memmem(data, size, "::bytea", 7) != NULL;
    if (!err && !was_told) {
        gather(sql, false, &texts);
        gather(souk_buf_view(&told), true, &told_texts);
        souk_assert(souk_text_equal(souk_buf_view(&texts), souk_buf_view(&told_texts)));
    }
    souk_buf_done(&told);
    souk_buf_done(&texts);
    souk_buf_done(&told_texts);
    return 0;
}
