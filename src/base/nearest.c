/* nearest.c - the table of the edit distance, three rows of it. */
#include "base/nearest.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static size_t least(size_t a, size_t b, size_t c)
{
    return souk_min_size(a, souk_min_size(b, c));
}

size_t souk_nearest_distance(souk_text a, souk_text b)
{
    size_t rows[3][SOUK_NEAREST_BYTES + 1];
    if (a.bytes > SOUK_NEAREST_BYTES || b.bytes > SOUK_NEAREST_BYTES)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.bytes; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.bytes; i++) {
        size_t *now = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b.bytes; j++) {
            bool same = lower(a.at[i - 1]) == lower(b.at[j - 1]);
            now[j] = least(above[j] + 1, now[j - 1] + 1, above[j - 1] + !same);
            if (i > 1 && j > 1 && lower(a.at[i - 1]) == lower(b.at[j - 2]) &&
                lower(a.at[i - 2]) == lower(b.at[j - 1]))
                now[j] = souk_min_size(now[j], two_above[j - 2] + 1);
        }
    }
    return rows[a.bytes % 3][b.bytes];
}

void souk_nearest_try(souk_nearest *near, const char *known)
{
    size_t distance = souk_nearest_distance(near->word, souk_text_of(known));
    if (distance > (near->word.bytes + 2) / 3 || (near->best && distance >= near->distance))
        return;
    near->best = known;
    near->distance = distance;
}
