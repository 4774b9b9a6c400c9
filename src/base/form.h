/* form.h - a strict walk over JSON that a person wrote: every member known, none twice, and words that say where.
 *
 *     static souk_err read_name(souk_form *form, souk_json_node value)
 *     {
 *         struct offer *offer = form->user;
 *         return souk_form_text(form, value, 1, 200, &offer->name);
 *     }
 *     static const souk_form_member members[] = {{"name", read_name}, {"lines", read_lines}};
 *
 *     souk_form form = {.doc = &doc, .arena = arena, .diag = diag, .user = &offer, .help = "docs/offers.md"};
 *     SOUK_TRY(souk_form_object(&form, souk_json_root(&doc), members, 2, &seen));
 *     if (!(seen & 1)) return souk_form_refuse(&form, "name is missing: ...");
 *
 *     lines[2].quantty: there is no such member: do you mean quantity?
 *     lines[2].quantity: a number above 0 is expected
 *
 * Cost     a comparison for each member and known name
 * Threads  a form belongs to one */
#ifndef SOUK_BASE_FORM_H
#define SOUK_BASE_FORM_H

#include "base/json.h"

enum { SOUK_FORM_PATH_BYTES = 200, SOUK_FORM_MEMBERS = 64 };

typedef struct souk_form {
    const souk_json_doc *doc;
    souk_arena *arena;
    souk_diag *diag;
    void *user;       /* the readers' */
    const char *help; /* where the members are told: "docs/offers.md"; NULL: nowhere */
    char path
        [SOUK_FORM_PATH_BYTES]; /* of what is being read; may begin with where the object stands */
} souk_form;

typedef struct souk_form_member {
    const char *name;
    souk_err (*read)(souk_form *form, souk_json_node value);
} souk_form_member;

/* Reads every member of the object by its reader; ret_seen (may be NULL) has bit n for members[n]. */
SOUK_CHECKED souk_err souk_form_object(souk_form *form, souk_json_node object,
                                       const souk_form_member *members, size_t count,
                                       uint64_t *ret_seen);
/* Reads every value of the array, at most `most`; the reader gets its index by souk_form_index. */
SOUK_CHECKED souk_err souk_form_array(souk_form *form, souk_json_node array, size_t most,
                                      souk_err (*read)(souk_form *form, souk_json_node value,
                                                       size_t index));
/* The path goes on, as ".lines" or "[2]"; leave takes it back to what enter returned. */
size_t souk_form_enter(souk_form *form, const char *format, ...) SOUK_PRINTF(2, 3);
static inline void souk_form_leave(souk_form *form, size_t end)
{
    form->path[end] = '\0';
}
/* SOUK_EINVAL with the path and the words. */
souk_err souk_form_refuse(souk_form *form, const char *format, ...) SOUK_PRINTF(2, 3);

/* The text, of least to most bytes, without control characters; in the arena. */
SOUK_CHECKED souk_err souk_form_text(souk_form *form, souk_json_node value, size_t least,
                                     size_t most, souk_text *ret_text);
SOUK_CHECKED souk_err souk_form_i64(souk_form *form, souk_json_node value, int64_t least,
                                    int64_t most, int64_t *ret_number);
/* A number, or one as text; exactly, or it is refused.  Bounds in 1e-6. */
SOUK_CHECKED souk_err souk_form_decimal(souk_form *form, souk_json_node value, int64_t least_micro,
                                        int64_t most_micro, souk_decimal *ret_decimal);
SOUK_CHECKED souk_err souk_form_bool(souk_form *form, souk_json_node value, bool *ret_bool);
/* One of the words [count]; *ret_word is its index. */
SOUK_CHECKED souk_err souk_form_word(souk_form *form, souk_json_node value,
                                     const char *const *words, size_t count, size_t *ret_word);
/* One of two words; *ret_bool: the second. */
SOUK_CHECKED souk_err souk_form_either(souk_form *form, souk_json_node value, const char *no,
                                       const char *yes, bool *ret_bool);

#endif
