/* form.c - see form.h. */
#include "base/form.h"

#include "base/nearest.h"

#include <stdarg.h>
#include <stdio.h>

souk_err souk_form_refuse(souk_form *form, const char *format, ...)
{
    char words[300];
    va_list list;
    va_start(list, format);
    vsnprintf(words, sizeof words, format, list);
    va_end(list);
    return souk_diag_say(form->diag, SOUK_EINVAL, "%s%s%s", form->path, *form->path ? ": " : "",
                         words);
}

/* ---- containers -------------------------------------------------------------------------------------- */

size_t souk_form_enter(souk_form *form, const char *format, ...)
{
    size_t end = strlen(form->path);
    va_list list;
    va_start(list, format);
    vsnprintf(form->path + end, sizeof form->path - end, format, list);
    va_end(list);
    return end;
}

static souk_err say_unknown(souk_form *form, const souk_nearest *near)
{
    if (near->best)
        return souk_form_refuse(form, "there is no such member: do you mean %s?", near->best);
    if (form->help)
        return souk_form_refuse(form, "there is no such member: see %s", form->help);
    return souk_form_refuse(form, "there is no such member");
}

souk_err souk_form_object(souk_form *form, souk_json_node object, const souk_form_member *members,
                          size_t count, uint64_t *ret_seen)
{
    uint64_t seen = 0;
    souk_assert(count <= SOUK_FORM_MEMBERS);
    if (souk_json_type(form->doc, object) != SOUK_JSON_OBJECT)
        return souk_form_refuse(form, "an object is expected, in braces");
    for (souk_json_node value = souk_json_first(form->doc, object); value != SOUK_JSON_NONE;
         value = souk_json_next(form->doc, value)) {
        souk_text key = souk_json_key(form->doc, value);
        souk_nearest near = {.word = key};
        size_t at = 0;
        for (; at < count && !souk_text_equal(key, souk_text_of(members[at].name)); at++)
            ;
        size_t end = souk_form_enter(form, "%s%.*s", *form->path ? "." : "",
                                     (int)souk_min_size(key.bytes, 64), key.at);
        if (at == count) {
            for (at = 0; at < count; at++)
                souk_nearest_try(&near, members[at].name);
            return say_unknown(form, &near);
        }
        if (seen >> at & 1)
            return souk_form_refuse(form, "it is there twice: drop one");
        seen |= (uint64_t)1 << at;
        SOUK_TRY(members[at].read(form, value));
        souk_form_leave(form, end);
    }
    if (ret_seen)
        *ret_seen = seen;
    return SOUK_OK;
}

souk_err souk_form_array(souk_form *form, souk_json_node array, size_t most,
                         souk_err (*read)(souk_form *form, souk_json_node value, size_t index))
{
    size_t index = 0;
    if (souk_json_type(form->doc, array) != SOUK_JSON_ARRAY)
        return souk_form_refuse(form, "a list is expected, in brackets");
    for (souk_json_node value = souk_json_first(form->doc, array); value != SOUK_JSON_NONE;
         value = souk_json_next(form->doc, value), index++) {
        if (index == most)
            return souk_form_refuse(form, "at most %zu values are taken here", most);
        size_t end = souk_form_enter(form, "[%zu]", index);
        SOUK_TRY(read(form, value, index));
        souk_form_leave(form, end);
    }
    return SOUK_OK;
}

/* ---- values ----------------------------------------------------------------------------------------------- */

souk_err souk_form_text(souk_form *form, souk_json_node value, size_t least, size_t most,
                        souk_text *ret_text)
{
    souk_text text;
    if (souk_json_type(form->doc, value) != SOUK_JSON_STRING)
        return souk_form_refuse(form, "a text is expected, in quotes");
    SOUK_TRY(souk_json_text(form->doc, value, form->arena, &text));
    if (text.bytes < least || text.bytes > most)
        return souk_form_refuse(form, "a text of %zu to %zu bytes is expected", least, most);
    for (size_t i = 0; i < text.bytes; i++)
        if ((unsigned char)text.at[i] < ' ' || text.at[i] == 127)
            return souk_form_refuse(form, "a control character is in it: take it out");
    *ret_text = text;
    return SOUK_OK;
}

souk_err souk_form_i64(souk_form *form, souk_json_node value, int64_t least, int64_t most,
                       int64_t *ret_number)
{
    int64_t number;
    if (souk_json_i64(form->doc, value, &number) || number < least || number > most)
        return souk_form_refuse(form, "a whole number from %lld to %lld is expected",
                                (long long)least, (long long)most);
    *ret_number = number;
    return SOUK_OK;
}

souk_err souk_form_decimal(souk_form *form, souk_json_node value, int64_t least_micro,
                           int64_t most_micro, souk_decimal *ret_decimal)
{
    souk_decimal decimal;
    bool rounded = false;
    char least[SOUK_DECIMAL_BYTES], most[SOUK_DECIMAL_BYTES];
    souk_err err = souk_json_decimal_or_text(form->doc, value, &decimal, &rounded);
    if (err || decimal.micro < least_micro || decimal.micro > most_micro) {
        souk_decimal_write((souk_decimal){least_micro}, least);
        souk_decimal_write((souk_decimal){most_micro}, most);
        return souk_form_refuse(form, "a number from %s to %s is expected", least, most);
    }
    if (rounded)
        return souk_form_refuse(form, "it has more than six decimal places: write no more");
    *ret_decimal = decimal;
    return SOUK_OK;
}

souk_err souk_form_bool(souk_form *form, souk_json_node value, bool *ret_bool)
{
    if (souk_json_bool(form->doc, value, ret_bool))
        return souk_form_refuse(form, "true or false is expected");
    return SOUK_OK;
}

souk_err souk_form_word(souk_form *form, souk_json_node value, const char *const *words,
                        size_t count, size_t *ret_word)
{
    souk_text text;
    char list[200] = "";
    SOUK_TRY(souk_form_text(form, value, 0, 200, &text));
    for (size_t i = 0; i < count; i++) {
        if (souk_text_equal(text, souk_text_of(words[i]))) {
            *ret_word = i;
            return SOUK_OK;
        }
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", words[i]);
    }
    return souk_form_refuse(form, "one of these is expected: %s", list);
}

souk_err souk_form_either(souk_form *form, souk_json_node value, const char *no, const char *yes,
                          bool *ret_bool)
{
    size_t word;
    SOUK_TRY(souk_form_word(form, value, (const char *const[]){no, yes}, 2, &word));
    *ret_bool = word == 1;
    return SOUK_OK;
}
