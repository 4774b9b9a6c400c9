/* import_values.c - see import_values.h. */
#include "service/collect/import_values.h"

#include "base/currency.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ---- marks around numbers ------------------------------------------------------------------------------------ */

struct sign {
    const char *text, *currency; /* "": names none */
};
/* NO-BREAK SPACE, NARROW NO-BREAK SPACE, THIN SPACE part groups; MINUS SIGN is a minus. */
static const struct sign signs[] = {
    {"\xE2\x82\xAC", "EUR"}, {"\xC2\xA3", "GBP"},     {"$", ""},
    {"\xC2\xA5", ""},        {"\xEF\xBF\xA5", ""},    {"\xE5\x85\x83", "CNY"},
    {"\xE2\x82\xB9", "INR"}, {"\xE2\x82\xA9", "KRW"}, {"\xE2\x82\xBD", "RUB"},
};
static const char *const spaces[] = {" ", "\xC2\xA0", "\xE2\x80\xAF", "\xE2\x80\x89"};
static const char minus[] = "\xE2\x88\x92", quote[] = "\xE2\x80\x99";

static bool take(souk_text *text, const char *what)
{
    souk_text wanted = souk_text_of(what);
    if (!souk_text_starts(*text, wanted))
        return false;
    text->at += wanted.bytes;
    text->bytes -= wanted.bytes;
    return true;
}

static bool take_space(souk_text *text)
{
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        if (take(text, spaces[i]))
            return true;
    return false;
}

static bool take_currency(souk_text *text, char *currency)
{
    char code[4] = "";
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (take(text, signs[i].text)) {
            if (currency && signs[i].currency[0])
                memcpy(currency, signs[i].currency, 4);
            return true;
        }
    if (text->bytes < 3 || souk_currency_read((souk_text){text->at, 3}, code))
        return false;
    text->at += 3;
    text->bytes -= 3;
    if (currency)
        memcpy(currency, code, 4);
    return true;
}

/* ---- numbers --------------------------------------------------------------------------------------------------- */

enum { DIGITS_MOST = 40 };

/* Digits with groups and a decimal mark as a JSON number behind its sign. */
static bool take_digits(souk_text *text, char decimal, char *out, size_t *ret_bytes)
{
    char other = decimal == ',' ? '.' : ',';
    size_t bytes = 0, whole = 0, fraction = 0, in_group = 0;
    bool marked = false, grouped = false;
    for (; text->bytes; text->at++, text->bytes--) {
        souk_text after = *text;
        bool is_group = !marked && (take(&after, quote) || take(&after, "'") || take_space(&after));
        if (is_digit(text->at[0])) {
            if (bytes == DIGITS_MOST)
                return false;
            if (!marked && whole == 1 && out[0] == '0')
                bytes = whole = 0; /* 007 */
            out[bytes++] = text->at[0];
            in_group++;
            *(marked ? &fraction : &whole) += 1;
        } else if (text->at[0] == decimal && !marked) {
            if ((grouped && in_group != 3) || bytes + 2 > DIGITS_MOST)
                return false;
            marked = true;
            if (whole == 0)
                out[bytes++] = '0';
            out[bytes++] = '.';
        } else if (!marked && (text->at[0] == other || is_group)) {
            souk_text next =
                text->at[0] == other ? (souk_text){text->at + 1, text->bytes - 1} : after;
            if (next.bytes == 0 || !is_digit(next.at[0]))
                break; /* a space in front of a currency */
            if (in_group == 0 || (grouped ? in_group != 3 : in_group > 3))
                return false;
            grouped = true;
            in_group = 0;
            size_t skipped = (size_t)(next.at - text->at) - 1;
            text->at += skipped;
            text->bytes -= skipped;
        } else {
            break;
        }
    }
    if (grouped && !marked && in_group != 3)
        return false;
    if (marked && fraction == 0)
        bytes--; /* "12." */
    *ret_bytes = bytes;
    return whole + fraction > 0;
}

bool import_read_money(souk_text text, const import_habits *habits, souk_decimal *ret_money,
                       char *currency)
{
    char number[DIGITS_MOST + 8];
    bool negative = false, bracket = false, named = false;
    size_t bytes;
    text = souk_text_trim(text);
    if (habits->decimal == '.' && souk_decimal_read(text, ret_money, NULL) == SOUK_OK)
        return true;
    for (bool went_on = true; went_on && text.bytes;) {
        went_on = take_space(&text);
        if (!negative && (take(&text, "-") || take(&text, minus)))
            went_on = negative = true;
        else if (!negative && take(&text, "("))
            went_on = negative = bracket = true;
        else if (take(&text, "+"))
            went_on = true;
        else if (!named && !is_digit(text.bytes ? text.at[0] : '0') &&
                 take_currency(&text, currency))
            went_on = named = true;
    }
    if (!take_digits(&text, habits->decimal, number + 1, &bytes))
        return false;
    for (bool went_on = true; went_on && text.bytes;) {
        went_on = take_space(&text);
        if (bracket && take(&text, ")")) {
            went_on = true;
            bracket = false;
        } else if (!negative && (take(&text, "-") || take(&text, minus))) {
            went_on = negative = true;
        } else if (!named && text.bytes && take_currency(&text, currency)) {
            went_on = named = true;
        }
    }
    number[0] = '-';
    souk_text canonical =
        negative ? (souk_text){number, bytes + 1} : (souk_text){number + 1, bytes};
    return text.bytes == 0 && !bracket && souk_decimal_read(canonical, ret_money, NULL) == SOUK_OK;
}

bool import_read_number(souk_text text, const import_habits *habits, souk_decimal *ret_number)
{
    return import_read_money(text, habits, ret_number, NULL);
}

unsigned import_vote_for_decimal(souk_text text)
{
    size_t points = 0, commas = 0, behind = 0;
    char last = 0;
    bool digits = false;
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.at[i];
        if (c == '.' || c == ',') {
            *(c == '.' ? &points : &commas) += 1;
            last = c;
            behind = 0;
        } else if (is_digit(c)) {
            digits = true;
            behind++;
        }
    }
    if (!digits || points + commas == 0)
        return 0;
    if (points && commas) /* the last one is the decimal mark */
        return last == ',' ? 1 : 2;
    if (points + commas > 1) /* groups: the decimal mark is the other */
        return points ? 1 : 2;
    bool zero = text.bytes > 1 && text.at[0] == '0' && (text.at[1] == '.' || text.at[1] == ',');
    if (behind == 3 && !zero)
        return 3;
    return last == ',' ? 1 : 2;
}

int import_read_yes(souk_text text)
{
    static const struct {
        const char *word;
        int yes;
    } words[] = {
        {"yes", 1},        {"y", 1},          {"true", 1},    {"1", 1},       {"ja", 1},
        {"j", 1},          {"oui", 1},        {"o", 1},       {"x", 1},       {"on", 1},
        {"wahr", 1},       {"vrai", 1},       {"是", 1},      {"有", 1},      {"同意", 1},
        {"no", 0},         {"n", 0},          {"false", 0},   {"0", 0},       {"nein", 0},
        {"non", 0},        {"off", 0},        {"falsch", 0},  {"faux", 0},    {"否", 0},
        {"无", 0},         {"不同意", 0},     {"given", 1},   {"granted", 1}, {"opt-in", 1},
        {"subscribed", 1}, {"withdrawn", 0},  {"revoked", 0}, {"opt-out", 0}, {"unsubscribed", 0},
        {"erteilt", 1},    {"widerrufen", 0}, {"撤回", 0},
    };
    text = souk_text_trim(text);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (souk_text_equal_nocase(text, souk_text_of(words[i].word)))
            return words[i].yes;
    return -1;
}
