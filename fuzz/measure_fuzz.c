/* measure_fuzz.c - lines of templates, then a code: a set never holds two templates for one code, what a template
 * prints it reads, and a code that is read keeps its item. */
#include "base/measure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t fitting(const souk_measures *measures, const char *code)
{
    size_t count = 0;
    for (size_t i = 0; i < measures->count; i++) {
        const souk_measure_template *row = &measures->rows[i];
        bool fits = row->digits == strlen(code);
        for (size_t k = 0; fits && k < row->digits; k++)
            fits = row->allowed[k] >> (code[k] - '0') & 1;
        count += fits;
    }
    return count;
}

static void check_template(const souk_measures *measures, size_t index)
{
    const souk_measure_template *row = &measures->rows[index];
    char out[SOUK_MEASURE_DIGITS + 1], item[SOUK_MEASURE_DIGITS + 1];
    size_t digits = 0;
    souk_measure measure;
    souk_assert(row->digits >= 6 && row->digits <= SOUK_MEASURE_DIGITS);
    for (size_t i = 0; i < row->digits; i++) {
        if (row->parts[i] == 'I')
            item[digits++] = (char)('0' + i % 10);
    }
    souk_text number = {item, digits};
    souk_assert(souk_measure_write(row, number, 7, 8, 9, out, NULL) == SOUK_OK);
    souk_assert(strlen(out) == row->digits && fitting(measures, out) == 1);
    souk_assert(souk_measure_read(measures, souk_text_of(out), &measure, NULL) == SOUK_OK);
    souk_assert(measure.template_index == index &&
                souk_text_equal(number, souk_text_of(measure.item)));
    souk_assert(!measure.has_price || measure.price.micro == 7 * row->price_scale.micro);
    souk_assert(!measure.has_weight || measure.weight.micro == 8 * row->weight_scale.micro);
    souk_assert(!measure.has_count || measure.count == 9);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static souk_measures measures;
    souk_text rest = {(const char *)data, size};
    measures.count = 0;
    while (memchr(rest.at ? rest.at : "", '\n', rest.bytes)) {
        souk_text line = souk_text_cut(&rest, '\n');
        souk_diag diag = {.words = ""};
        size_t before = measures.count;
        souk_err err = souk_measure_add(&measures, line, &diag);
        souk_assert(!err == !diag.words[0] && diag.column <= line.bytes + 1);
        souk_assert(measures.count == before + !err);
    }
    for (size_t i = 0; i < measures.count; i++)
        check_template(&measures, i);
    souk_measure measure, again;
    souk_diag diag = {.words = ""};
    souk_err err = souk_measure_read(&measures, rest, &measure, &diag);
    souk_assert(!err == !diag.words[0]);
    if (err)
        return 0;
    /* the code without its values is of the same item, and is its own */
    souk_assert(fitting(&measures, measure.code) == 1);
    souk_assert(souk_measure_read(&measures, souk_text_of(measure.code), &again, NULL) == SOUK_OK);
    souk_assert(!strcmp(again.item, measure.item) && !strcmp(again.code, measure.code));
    souk_assert(again.price.micro == 0 && again.weight.micro == 0 && again.count == 0);
    return 0;
}
