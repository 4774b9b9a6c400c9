/* gs1.c - fields out of element strings, and back. */
#include "base/gs1.h"

#include <stdio.h>

souk_gs1_carrier souk_gs1_strip(souk_text *text)
{
    static const struct {
        char code, modifiers[5];
        souk_gs1_carrier carrier;
    } known[] = {
        {'E', "03", SOUK_GS1_EAN},     {'E', "4", SOUK_GS1_EAN8},     {'C', "1", SOUK_GS1_ELEMENTS},
        {'e', "0", SOUK_GS1_ELEMENTS}, {'d', "2", SOUK_GS1_ELEMENTS}, {'Q', "3", SOUK_GS1_ELEMENTS},
        {'J', "1", SOUK_GS1_ELEMENTS}, {'I', "013", SOUK_GS1_ITF},
    };
    if (text->bytes < 3 || text->at[0] != ']')
        return SOUK_GS1_NO_PREFIX;
    char code = text->at[1], modifier = text->at[2];
    bool letter = (code >= 'A' && code <= 'Z') || (code >= 'a' && code <= 'z');
    if (!letter || modifier < '0' || modifier > 'z')
        return SOUK_GS1_NO_PREFIX;
    *text = souk_text_range(text->at + 3, text->at + text->bytes);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].code == code && strchr(known[i].modifiers, modifier))
            return known[i].carrier;
    }
    return SOUK_GS1_PLAIN;
}

/* ---- fields ------------------------------------------------------------------------------------------ */

size_t souk_gs1_find_range(const souk_gs1 *gs1, unsigned first, unsigned last)
{
    for (size_t i = 0; i < gs1->count; i++) {
        if (gs1->fields[i].ai >= first && gs1->fields[i].ai <= last)
            return i;
    }
    return SIZE_MAX;
}

souk_text souk_gs1_find(const souk_gs1 *gs1, unsigned ai)
{
    size_t index = souk_gs1_find_range(gs1, ai, ai);
    return index == SIZE_MAX ? (souk_text){NULL, 0} : souk_gs1_value(gs1, index);
}

/* Names the field in the words, and never quotes its value: it may be anything that somebody scanned. */
static souk_err add(souk_gs1 *gs1, unsigned number, souk_text value, size_t column, souk_diag *diag)
{
    const souk_gs1_ai *ai = souk_gs1_ai_of(number);
    unsigned digits = souk_gs1_ai_digits(number);
    size_t wrong;
    const char *words;
    if (!ai)
        return souk_diag_say(diag, SOUK_ESYNTAX,
                             "(%0*u) is no application identifier: scan again, or see whether "
                             "separators are lost",
                             (int)digits, number);
    souk_err err = souk_gs1_check(ai, value, &wrong, &words);
    if (err) {
        souk_diag_say(diag, SOUK_ESYNTAX,
                      "(%0*u) at character %zu: %s: scan again, or correct the label", (int)digits,
                      number, wrong + 1, words);
        if (diag && column)
            diag->column = column + wrong;
        return SOUK_ESYNTAX;
    }
    souk_text known = souk_gs1_find(gs1, number);
    if (known.at && !souk_text_equal(known, value))
        return souk_diag_say(diag, SOUK_ESYNTAX,
                             "(%0*u) comes twice and says two things: scan one label only",
                             (int)digits, number);
    if (known.at)
        return SOUK_OK;
    if (gs1->count == SOUK_GS1_FIELDS || value.bytes > SOUK_GS1_ROOM - gs1->room_bytes)
        return souk_diag_say(diag, SOUK_ETOOBIG,
                             "more than %d fields or %d characters: scan one label only",
                             SOUK_GS1_FIELDS, SOUK_GS1_ROOM);
    memcpy(gs1->room + gs1->room_bytes, value.at, value.bytes);
    gs1->fields[gs1->count++] =
        (souk_gs1_field){(uint16_t)number, (uint16_t)gs1->room_bytes, (uint16_t)value.bytes};
    gs1->room_bytes += value.bytes;
    return SOUK_OK;
}

souk_err souk_gs1_add(souk_gs1 *gs1, unsigned ai, souk_text value, souk_diag *diag)
{
    return add(gs1, ai, value, 0, diag);
}

/* ---- as a scanner sends it --------------------------------------------------------------------------- */

/* How many characters a field without separator has: its format has parts of fixed length only. */
static size_t predefined_bytes(const souk_gs1_ai *ai)
{
    size_t bytes = 0;
    for (const char *at = ai->format + 1; *at >= '0' && *at <= '9'; at++)
        bytes = bytes * 10 + (size_t)(*at - '0');
    return bytes;
}

static unsigned number_at(const char *at, unsigned digits)
{
    unsigned number = 0;
    for (unsigned i = 0; i < digits; i++)
        number = number * 10 + (unsigned)(at[i] - '0');
    return number;
}

/* General Specifications 7.8.6: a separator behind a field that needs none is passed over. */
static souk_err read_raw(souk_text text, size_t column, souk_gs1 *gs1, souk_diag *diag)
{
    size_t at = 0;
    while (at < text.bytes) {
        souk_text rest = {text.at + at, text.bytes - at};
        const souk_gs1_ai *ai = souk_gs1_ai_find(rest);
        if (!ai) {
            if (diag)
                diag->column = column + at;
            return souk_diag_say(diag, SOUK_ESYNTAX,
                                 "at character %zu begins no application identifier: scan again, "
                                 "or see whether the scanner sends FNC1 as the byte 0x1D",
                                 column + at);
        }
        unsigned digits = souk_gs1_ai_digits(ai->first);
        const char *mark = memchr(rest.at, SOUK_GS1_MARK, rest.bytes);
        size_t end = mark ? (size_t)(mark - rest.at) : rest.bytes;
        if (ai->predefined)
            end = souk_min_size(end, digits + predefined_bytes(ai));
        souk_text value = {rest.at + digits, end - digits};
        SOUK_TRY(add(gs1, number_at(rest.at, digits), value, column + at + digits, diag));
        at += end + (end < rest.bytes && rest.at[end] == SOUK_GS1_MARK);
    }
    return SOUK_OK;
}

/* ---- as people read it ------------------------------------------------------------------------------- */

/* The length of "(01)" at the text's beginning; 0: there is none. */
static size_t bracket(souk_text text)
{
    size_t digits = 0;
    if (text.bytes == 0 || text.at[0] != '(')
        return 0;
    while (1 + digits < text.bytes && text.at[1 + digits] >= '0' && text.at[1 + digits] <= '9')
        digits++;
    bool ends = 1 + digits < text.bytes && text.at[1 + digits] == ')';
    return ends && digits >= 2 && digits <= 4 ? digits + 2 : 0;
}

static souk_err read_plain(souk_text text, size_t column, souk_gs1 *gs1, souk_diag *diag)
{
    char value[SOUK_GS1_TEXT];
    size_t at = 0;
    while (at < text.bytes) {
        size_t head = bracket((souk_text){text.at + at, text.bytes - at}), bytes = 0;
        const souk_gs1_ai *ai =
            head ? souk_gs1_ai_find((souk_text){text.at + at + 1, head - 2}) : NULL;
        if (!ai || souk_gs1_ai_digits(ai->first) != head - 2) {
            if (diag)
                diag->column = column + at;
            return souk_diag_say(diag, SOUK_ESYNTAX,
                                 "at character %zu must be an application identifier in brackets, "
                                 "as (01): type the line under the bars as it is",
                                 column + at);
        }
        unsigned number = number_at(text.at + at + 1, (unsigned)head - 2);
        size_t begin = at += head;
        for (; at < text.bytes && !bracket((souk_text){text.at + at, text.bytes - at}); at++) {
            bool escape = text.at[at] == '\\' && at + 1 < text.bytes && text.at[at + 1] == '(';
            at += escape;
            value[bytes++] = text.at[at];
        }
        SOUK_TRY(add(gs1, number, (souk_text){value, bytes}, column + begin, diag));
    }
    return SOUK_OK;
}

souk_err souk_gs1_read(souk_text text, souk_gs1 *ret_gs1, souk_diag *diag)
{
    souk_text whole = text;
    souk_gs1 gs1;
    gs1.count = gs1.room_bytes = 0;
    if (text.bytes > SOUK_GS1_TEXT)
        return souk_diag_say(diag, SOUK_ETOOBIG, "more than %d characters: scan one label only",
                             SOUK_GS1_TEXT);
    souk_gs1_strip(&text);
    if (text.bytes && text.at[0] == SOUK_GS1_MARK) /* FNC1 of the symbol itself */
        text = souk_text_range(text.at + 1, text.at + text.bytes);
    if (text.bytes == 0)
        return souk_diag_say(diag, SOUK_ESYNTAX, "there is nothing in it: scan again");
    size_t column = (size_t)(text.at - whole.at) + 1;
    SOUK_TRY(text.at[0] == '(' ? read_plain(text, column, &gs1, diag)
                               : read_raw(text, column, &gs1, diag));
    *ret_gs1 = gs1;
    return SOUK_OK;
}

/* ---- writing ----------------------------------------------------------------------------------------- */

size_t souk_gs1_write(const souk_gs1 *gs1, char out[SOUK_GS1_BYTES])
{
    size_t bytes = 0;
    for (size_t i = 0; i < gs1->count; i++) {
        unsigned number = gs1->fields[i].ai;
        souk_text value = souk_gs1_value(gs1, i);
        bytes += (size_t)snprintf(out + bytes, SOUK_GS1_BYTES - bytes, "%0*u%.*s",
                                  (int)souk_gs1_ai_digits(number), number, SOUK_TEXT_PRINT(value));
        if (i + 1 < gs1->count && !souk_gs1_ai_of(number)->predefined)
            out[bytes++] = SOUK_GS1_MARK;
    }
    out[bytes] = '\0';
    return bytes;
}

size_t souk_gs1_write_plain(const souk_gs1 *gs1, char out[SOUK_GS1_BYTES])
{
    size_t bytes = 0;
    for (size_t i = 0; i < gs1->count; i++) {
        unsigned number = gs1->fields[i].ai;
        souk_text value = souk_gs1_value(gs1, i);
        bytes += (size_t)snprintf(out + bytes, SOUK_GS1_BYTES - bytes, "(%0*u)",
                                  (int)souk_gs1_ai_digits(number), number);
        for (size_t k = 0; k < value.bytes; k++) {
            if (value.at[k] == '(')
                out[bytes++] = '\\';
            out[bytes++] = value.at[k];
        }
    }
    out[bytes] = '\0';
    return bytes;
}
