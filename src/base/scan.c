/* scan.c - one reader after the other, the surest first. */
#include "base/scan.h"

#include "base/gs1_link.h"
#include "base/gtin.h"
#include "base/pan.h"
#include "base/utf8.h"

/* ---- codes --------------------------------------------------------------------------------------------- */

static void add_code(souk_scan *scan, souk_scan_kind kind, souk_text text)
{
    for (size_t i = 0; i < scan->code_count; i++) {
        if (scan->codes[i].kind == kind && souk_text_equal(souk_text_of(scan->codes[i].text), text))
            return;
    }
    souk_assert(scan->code_count < SOUK_SCAN_CODES && text.bytes < SOUK_SCAN_CODE_BYTES);
    souk_scan_code *code = &scan->codes[scan->code_count++];
    code->kind = kind;
    memcpy(code->text, text.at, text.bytes);
    code->text[text.bytes] = '\0';
}

static bool is_digits(souk_text text)
{
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
    }
    return text.bytes > 0;
}

static souk_err refuse_card(souk_text text, souk_diag *diag)
{
    if (souk_pan_find(text).at == NULL)
        return SOUK_OK;
    return souk_diag_say(diag, SOUK_EINVAL,
                         "this looks like the number of a payment card: only the card terminal "
                         "takes it; scan the product");
}

/* ---- digits -------------------------------------------------------------------------------------------- */

/* Which of a bar code's forms the digits are; SOUK_ENOENT: none. */
static souk_err read_gtin(souk_text digits, souk_scan *scan, souk_diag *diag)
{
    souk_gtin gtin, from_upce;
    souk_diag words = {.words = ""};
    bool upce = digits.bytes == 8 && souk_gtin_read_upce(digits, &from_upce, NULL) == SOUK_OK;
    souk_err err = souk_gtin_read(digits, &gtin, &words);
    if (err == SOUK_OK)
        add_code(scan, SOUK_SCAN_GTIN, (souk_text){gtin.digits, SOUK_GTIN_DIGITS});
    if (upce)
        add_code(scan, SOUK_SCAN_GTIN, (souk_text){from_upce.digits, SOUK_GTIN_DIGITS});
    if (scan->code_count) {
        add_code(scan, SOUK_SCAN_SKU, digits);
        return SOUK_OK;
    }
    if (err == SOUK_ESYNTAX || digits.bytes == 8)
        return SOUK_ENOENT;
    SOUK_TRY(refuse_card(digits, diag));
    return souk_diag_say(diag, err, "%s", words.words);
}

/* SOUK_ENOENT: no template is for it. */
static souk_err read_measure(souk_text digits, const souk_measures *measures, souk_scan *scan,
                             souk_diag *diag)
{
    souk_measure measure;
    souk_diag words = {.words = ""};
    if (measures == NULL || !is_digits(digits))
        return SOUK_ENOENT;
    souk_err err = souk_measure_read(measures, digits, &measure, &words);
    if (err == SOUK_ENOENT)
        return err;
    if (err)
        return souk_diag_say(diag, err, "%s", words.words);
    souk_text code = souk_text_of(measure.code);
    souk_gtin gtin;
    if (souk_gtin_read(code, &gtin, NULL) == SOUK_OK)
        add_code(scan, SOUK_SCAN_GTIN, (souk_text){gtin.digits, SOUK_GTIN_DIGITS});
    add_code(scan, SOUK_SCAN_ITEM, souk_text_of(measure.item));
    add_code(scan, SOUK_SCAN_SKU, code);
    scan->has_measure = measure.has_weight;
    scan->measure = measure.weight;
    scan->unit = measure.has_weight ? measure.unit : NULL;
    scan->has_price = measure.has_price;
    scan->price = measure.price;
    scan->count = measure.count;
    if (measure.has_count && measure.count == 0)
        return souk_diag_say(diag, SOUK_EINVAL, "the label says 0 pieces: weigh or count again");
    return SOUK_OK;
}

/* The thirteen digits of an EAN-13 may have two or five of a magazine's issue behind them. */
static souk_err read_ean(souk_text text, souk_gs1_carrier carrier, const souk_measures *measures,
                         souk_scan *scan, souk_diag *diag)
{
    if (carrier == SOUK_GS1_EAN && (text.bytes == 15 || text.bytes == 18))
        text.bytes = 13;
    souk_err err = read_measure(text, measures, scan, diag);
    if (err != SOUK_ENOENT)
        return err;
    souk_gtin gtin;
    SOUK_TRY(souk_gtin_read(text, &gtin, diag));
    add_code(scan, SOUK_SCAN_GTIN, (souk_text){gtin.digits, SOUK_GTIN_DIGITS});
    add_code(scan, SOUK_SCAN_SKU, text);
    return SOUK_OK;
}

/* ---- fields -------------------------------------------------------------------------------------------- */

static void copy_field(char to[SOUK_SCAN_FIELD_BYTES], souk_text field)
{
    souk_assert(field.bytes < SOUK_SCAN_FIELD_BYTES); /* x<20 */
    if (field.bytes)
        memcpy(to, field.at, field.bytes);
    to[field.bytes] = '\0';
}

static souk_err tell(const souk_gs1 *gs1, int64_t today, souk_scan *scan, souk_diag *diag)
{
    souk_gs1_reading reading;
    SOUK_TRY(souk_gs1_pairs(gs1, diag));
    SOUK_TRY(souk_gs1_tell(gs1, today, &reading, diag));
    if (reading.gtin.at == NULL)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "this label names no product, (01): scan the one that does");
    add_code(scan, SOUK_SCAN_GTIN, reading.gtin);
    copy_field(scan->batch, reading.batch);
    copy_field(scan->serial, reading.serial);
    scan->expiry_day = reading.expiry_day;
    scan->best_before_day = reading.best_before_day;
    scan->sell_by_day = reading.sell_by_day;
    scan->has_measure = reading.unit != NULL;
    scan->measure = reading.measure;
    scan->unit = reading.unit;
    scan->has_price = reading.has_price;
    scan->price = reading.price;
    scan->has_unit_price = reading.has_unit_price;
    scan->unit_price = reading.unit_price;
    memcpy(scan->currency, reading.currency, sizeof scan->currency);
    scan->count = reading.count;
    souk_text inside = souk_gs1_find(gs1, 37);
    if (inside.at && souk_gs1_find(gs1, 2).at)
        SOUK_TRY(souk_text_to_u64(inside, &scan->count));
    return SOUK_OK;
}

static souk_err read_fields(souk_text text, int64_t today, souk_scan *scan, souk_diag *diag)
{
    souk_gs1 gs1;
    SOUK_TRY(souk_gs1_read(text, &gs1, diag));
    return tell(&gs1, today, scan, diag);
}

static souk_err read_link(souk_text text, int64_t today, souk_scan *scan, souk_diag *diag)
{
    souk_gs1 gs1;
    SOUK_TRY(souk_gs1_link_read(text, &gs1, diag));
    return tell(&gs1, today, scan, diag);
}

/* ---- the shop's own ------------------------------------------------------------------------------------- */

static souk_err read_sku(souk_text text, souk_scan *scan, souk_diag *diag)
{
    size_t characters = 0;
    if (!souk_utf8_valid(text))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "this is no UTF-8: see the scanner's or keyboard's settings");
    for (size_t i = 0; i < text.bytes; i++) {
        characters += ((unsigned char)text.at[i] & 0xc0) != 0x80;
        if (souk_utf8_control(text, i))
            return souk_diag_say(diag, SOUK_EINVAL,
                                 "a control character stands within: scan again, one code at a "
                                 "time");
    }
    if (characters > SOUK_SCAN_CHARACTERS)
        return souk_diag_say(diag, SOUK_ETOOBIG, "more than %d characters: scan one code at a time",
                             SOUK_SCAN_CHARACTERS);
    SOUK_TRY(refuse_card(text, diag));
    add_code(scan, SOUK_SCAN_SKU, text);
    return SOUK_OK;
}

/* ---- the door ------------------------------------------------------------------------------------------- */

/* A label of GS1 from a scanner that sends neither prefix nor separator: (01) or (02) in front, and all of it reads. */
static bool is_bare_label(souk_text text, int64_t today)
{
    souk_scan scan = {.code_count = 0};
    bool item = souk_text_starts(text, SOUK_TEXT("01")) || souk_text_starts(text, SOUK_TEXT("02"));
    return item && text.bytes >= 16 && read_fields(text, today, &scan, NULL) == SOUK_OK;
}

static souk_err read_any(souk_text text, const souk_measures *measures, int64_t today,
                         souk_scan *scan, souk_diag *diag)
{
    souk_err err = read_measure(text, measures, scan, diag);
    if (err == SOUK_ENOENT && is_digits(text))
        err = read_gtin(text, scan, diag);
    if (err != SOUK_ENOENT)
        return err;
    if (is_bare_label(text, today))
        return read_fields(text, today, scan, diag);
    return read_sku(text, scan, diag);
}

souk_err souk_scan_read(souk_text text, const souk_measures *measures, int64_t today,
                        souk_scan *ret_scan, souk_diag *diag)
{
    souk_scan scan;
    scan = (souk_scan){.expiry_day = SOUK_GS1_NO_DAY,
                       .best_before_day = SOUK_GS1_NO_DAY,
                       .sell_by_day = SOUK_GS1_NO_DAY};
    text = souk_text_trim(text);
    souk_gs1_carrier carrier = souk_gs1_strip(&text);
    if (text.bytes == 0)
        return souk_diag_say(diag, SOUK_ESYNTAX, "there is nothing in it: scan again");
    if (text.bytes > SOUK_GS1_TEXT)
        return souk_diag_say(diag, SOUK_ETOOBIG, "more than %d characters: scan one code at a time",
                             SOUK_GS1_TEXT);
    bool marked = memchr(text.at, SOUK_GS1_MARK, text.bytes) != NULL;
    bool typed =
        text.at[0] == '(' && souk_gs1_ai_find(souk_text_range(text.at + 1, text.at + text.bytes));
    souk_err err;
    if (souk_gs1_link_is(text))
        err = read_link(text, today, &scan, diag);
    else if (carrier == SOUK_GS1_ELEMENTS || marked || typed)
        err = read_fields(text, today, &scan, diag);
    else if (carrier == SOUK_GS1_EAN || carrier == SOUK_GS1_EAN8)
        err = read_ean(text, carrier, measures, &scan, diag);
    else
        err = read_any(text, measures, today, &scan, diag);
    if (err == SOUK_OK)
        *ret_scan = scan;
    return err;
}
