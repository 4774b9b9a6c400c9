/* scan_fuzz.c - anything a scanner may send: codes that are told are well formed and are told again when they are
 * scanned, no card is among them, and no refusal quotes a long number. */
#include "base/scan.h"

#include "base/gtin.h"
#include "base/pan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_words(const char *words)
{
    size_t run = 0;
    for (; *words; words++) {
        run = *words >= '0' && *words <= '9' ? run + 1 : 0;
        souk_assert(run < 13);
    }
}

static void check_code(const souk_scan_code *code, const souk_measures *measures)
{
    souk_text text = souk_text_of(code->text);
    souk_gtin gtin;
    souk_scan again;
    souk_assert(text.bytes > 0 && text.bytes < SOUK_SCAN_CODE_BYTES);
    bool is_gtin = souk_gtin_read(text, &gtin, NULL) == SOUK_OK;
    souk_assert(is_gtin || code->kind != SOUK_SCAN_GTIN);
    souk_assert(is_gtin || !souk_pan_find(text).at || code->kind == SOUK_SCAN_ITEM ||
                measures->count);
    if (code->kind != SOUK_SCAN_GTIN)
        return;
    souk_assert(souk_scan_read(text, NULL, 20783, &again, NULL) == SOUK_OK);
    souk_assert(again.codes[0].kind == SOUK_SCAN_GTIN && !strcmp(again.codes[0].text, code->text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static souk_measures scales, none;
    static const souk_text lines[] = {{"21IIIIIVVVVVC weight g", 22},
                                      {"2[2-4]IIIIIKVVVVC price 0.01", 28},
                                      {"2dIIIIIWWWWWPPPPPC weight g price 0.01", 38}};
    for (size_t i = scales.count; i < sizeof lines / sizeof *lines; i++)
        souk_assert(souk_measure_add(&scales, lines[i], NULL) == SOUK_OK);
    for (int with = 0; with < 2; with++) {
        const souk_measures *measures = with ? &scales : &none;
        souk_scan scan;
        souk_diag diag = {.words = ""};
        souk_err err =
            souk_scan_read((souk_text){(const char *)data, size}, measures, 20783, &scan, &diag);
        souk_assert(!err == !diag.words[0]);
        check_words(diag.words);
        if (err)
            continue;
        souk_assert(scan.code_count > 0 && scan.code_count <= SOUK_SCAN_CODES);
        for (size_t i = 0; i < scan.code_count; i++)
            check_code(&scan.codes[i], measures);
        souk_assert(scan.has_measure == (scan.unit != NULL) && scan.price.micro >= 0);
        souk_assert(scan.measure.micro >= 0 && strlen(scan.batch) <= 20 &&
                    strlen(scan.serial) <= 20);
    }
    return 0;
}
