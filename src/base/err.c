/* err.c - the table of err.h, spelled out. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name, *words;
    int http, exit_code;
} err_table[SOUK_ERR_COUNT] = {
#define SOUK_ERR_ROW(name, http, exit_code, words) {#name, words, http, exit_code},
    SOUK_ERR_TABLE(SOUK_ERR_ROW)
#undef SOUK_ERR_ROW
};

static size_t err_row(souk_err err)
{
    souk_assert((unsigned)err < SOUK_ERR_COUNT);
    return (size_t)err;
}

const char *souk_err_name(souk_err err)
{
    return err_table[err_row(err)].name;
}

const char *souk_err_words(souk_err err)
{
    return err_table[err_row(err)].words;
}

int souk_err_http(souk_err err)
{
    return err_table[err_row(err)].http;
}

int souk_err_exit(souk_err err)
{
    return err_table[err_row(err)].exit_code;
}

souk_err souk_diag_say(souk_diag *diag, souk_err err, const char *format, ...)
{
    if (!diag || diag->words[0])
        return err;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(diag->words, sizeof diag->words, format, arguments);
    va_end(arguments);
    return err;
}

const char *souk_diag_words(const souk_diag *diag, souk_err err)
{
    return diag && diag->words[0] ? diag->words : souk_err_words(err);
}

void souk_assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "souk: bug: %s:%d: %s does not hold; stopping\n", file, line, condition);
    abort();
}
