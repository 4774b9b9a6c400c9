/* coupon_class.c - a class as JSON, and codes as text: see coupon_class.h. */
#include "service/loyalty/coupon_class.h"

#include "base/form.h"

const char *souk_coupon_limit_word(souk_coupon_limit limit)
{
    static const char *const words[] = {
#define LIMIT_WORD(name, json, words) json,
        SOUK_COUPON_LIMITS(LIMIT_WORD)
#undef LIMIT_WORD
    };
    return words[limit];
}

const char *souk_coupon_limit_words(souk_coupon_limit limit)
{
    static const char *const all[] = {
#define LIMIT_WORDS(name, json, words) words,
        SOUK_COUPON_LIMITS(LIMIT_WORDS)
#undef LIMIT_WORDS
    };
    return all[limit];
}

static const char *const kinds[] = {"unique", "multi", "shared"};

const char *souk_coupon_kind_word(souk_coupon_kind kind)
{
    return kinds[kind];
}

/* ---- codes ----------------------------------------------------------------------------------------------- */

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* Crockford, base32.html */

static char normal_of(char c)
{
    if (c >= 'a' && c <= 'z')
        c = (char)(c - 'a' + 'A');
    if (c == 'O')
        return '0';
    if (c == 'I' || c == 'L')
        return '1';
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ? c : '\0';
}

souk_err souk_coupon_code_normal(souk_text code, char ret_code[SOUK_COUPON_CODE_MOST],
                                 size_t *ret_bytes)
{
    size_t bytes = 0;
    if (code.bytes > SOUK_COUPON_CODE_MOST)
        return SOUK_EINVAL;
    for (size_t i = 0; i < code.bytes; i++) {
        if (code.at[i] == ' ' || code.at[i] == '-')
            continue;
        ret_code[bytes] = normal_of(code.at[i]);
        if (!ret_code[bytes++])
            return SOUK_EINVAL;
    }
    *ret_bytes = bytes;
    return bytes ? SOUK_OK : SOUK_EINVAL;
}

void souk_coupon_code_write(const uint8_t bits[16], char ret_code[SOUK_COUPON_CODE_ROOM])
{
    unsigned have = 0;
    uint32_t rest = 0;
    size_t at = 0, digit = 0, byte = 0;
    while (digit < 26) {
        if (have < 5) {
            rest = rest << 8 | (byte < 16 ? bits[byte] : 0);
            byte++;
            have += 8;
        }
        have -= 5;
        ret_code[at++] = digits[rest >> have & 31];
        rest &= (1u << have) - 1;
        digit++;
        if (digit % 5 == 0 && digit < 25)
            ret_code[at++] = '-';
    }
    ret_code[at] = '\0';
}

/* ---- a class ----------------------------------------------------------------------------------------------- */

souk_err souk_coupon_class_name(souk_text name, souk_diag *diag)
{
    bool good = name.bytes > 0 && name.bytes <= SOUK_COUPON_CLASS_BYTES;
    for (size_t i = 0; i < name.bytes && good; i++)
        good = (name.at[i] >= '0' && name.at[i] <= '9') ||
               ((name.at[i] | 32) >= 'a' && (name.at[i] | 32) <= 'z') ||
               memchr("-_.", name.at[i], 3) != NULL;
    return good ? SOUK_OK
                : souk_diag_say(diag, SOUK_EINVAL,
                                "a coupon class is named by 1 to %d letters, digits, '-', '_' and "
                                "'.'",
                                SOUK_COUPON_CLASS_BYTES);
}

static souk_err read_title(souk_form *form, souk_json_node value)
{
    souk_coupon_class *class = form->user;
    return souk_form_text(form, value, 1, SOUK_COUPON_TITLE_BYTES, &class->title);
}

static souk_err read_kind(souk_form *form, souk_json_node value)
{
    souk_coupon_class *class = form->user;
    size_t kind;
    SOUK_TRY(souk_form_word(form, value, kinds, 3, &kind));
    class->kind = (souk_coupon_kind)kind;
    return SOUK_OK;
}

static souk_err read_offer(souk_form *form, souk_json_node value)
{
    souk_coupon_class *class = form->user;
    return souk_form_text(form, value, 1, SOUK_COUPON_CLASS_BYTES, &class->offer);
}

static souk_err read_time(souk_form *form, souk_json_node value, souk_time *ret_time)
{
    souk_text text;
    SOUK_TRY(souk_form_text(form, value, 1, 40, &text));
    if (souk_time_read(text, NULL, ret_time))
        return souk_form_refuse(form, "a time is expected, such as 2026-12-24T18:00:00+08:00");
    return SOUK_OK;
}

static souk_err read_from(souk_form *form, souk_json_node value)
{
    return read_time(form, value, &((souk_coupon_class *)form->user)->from);
}

static souk_err read_until(souk_form *form, souk_json_node value)
{
    return read_time(form, value, &((souk_coupon_class *)form->user)->until);
}

static souk_err read_uses(souk_form *form, souk_json_node value)
{
    souk_coupon_class *class = form->user;
    return souk_form_i64(form, value, 1, SOUK_COUPON_LIMIT_MOST, &class->uses);
}

static souk_err read_code(souk_form *form, souk_json_node value)
{
    souk_coupon_class *class = form->user;
    char code[SOUK_COUPON_CODE_MOST];
    size_t bytes;
    SOUK_TRY(souk_form_text(form, value, 1, SOUK_COUPON_CODE_MOST, &class->code));
    if (souk_coupon_code_normal(class->code, code, &bytes))
        return souk_form_refuse(form, "a code has letters and digits, and hyphens between them");
    return SOUK_OK;
}

#define LIMIT_READER(name, json, words)                                      \
    static souk_err read_limit_##name(souk_form *form, souk_json_node value) \
    {                                                                        \
        souk_coupon_class *class = form->user;                               \
        return souk_form_i64(form, value, 1, SOUK_COUPON_LIMIT_MOST,         \
                             &class->limits[SOUK_COUPON_BY_##name]);         \
    }
SOUK_COUPON_LIMITS(LIMIT_READER)
#undef LIMIT_READER

static souk_err read_limits(souk_form *form, souk_json_node value)
{
    static const souk_form_member members[] = {
#define LIMIT_MEMBER(name, json, words) {json, read_limit_##name},
        SOUK_COUPON_LIMITS(LIMIT_MEMBER)
#undef LIMIT_MEMBER
    };
    return souk_form_object(form, value, members, sizeof members / sizeof *members, NULL);
}

static souk_err read_on_return(souk_form *form, souk_json_node value)
{
    return souk_form_either(form, value, "restore", "keep",
                            &((souk_coupon_class *)form->user)->keeps);
}

/* What the members say together. */
static souk_err check(souk_form *form, const souk_coupon_class *class)
{
    if (class->title.bytes == 0)
        return souk_form_refuse(form, "title is missing: say what the coupon gives");
    if (class->kind == SOUK_COUPON_SHARED && class->code.bytes == 0)
        return souk_form_refuse(form, "code is missing: a shared coupon has one code for all");
    if (class->kind != SOUK_COUPON_SHARED && class->code.bytes)
        return souk_form_refuse(form, "code: only a shared coupon has one; these are issued");
    if (class->kind == SOUK_COUPON_MULTI && class->uses == 0)
        return souk_form_refuse(form, "uses is missing: how often one code holds");
    if (class->kind != SOUK_COUPON_MULTI && class->uses)
        return souk_form_refuse(form, "uses: only a multi coupon has them; drop it");
    if (class->from >= class->until)
        return souk_form_refuse(form, "until is not behind from: exchange them");
    return SOUK_OK;
}

souk_err souk_coupon_class_read(souk_text name, souk_text json, souk_arena *arena,
                                souk_coupon_class *ret_class, souk_diag *diag)
{
    static const souk_form_member members[] = {
        {"title", read_title}, {"kind", read_kind},     {"offer", read_offer},
        {"from", read_from},   {"until", read_until},   {"uses", read_uses},
        {"code", read_code},   {"limits", read_limits}, {"on_return", read_on_return}};
    souk_json_doc doc = {.mem = arena->mem};
    souk_coupon_class class = {
        .name = name, .offer = name, .from = SOUK_TIME_FIRST, .until = SOUK_TIME_LAST};
    souk_form form = {
        .doc = &doc, .arena = arena, .diag = diag, .user = &class, .help = "docs/loyalty.md"};
    souk_err err = souk_coupon_class_name(name, diag);
    if (!err)
        err = souk_json_read(&doc, json, NULL, diag);
    if (!err)
        err = souk_form_object(&form, souk_json_root(&doc), members,
                               sizeof members / sizeof *members, NULL);
    if (!err)
        err = check(&form, &class);
    if (!err && class.kind == SOUK_COUPON_UNIQUE)
        class.uses = 1;
    class.title =
        (souk_text){souk_arena_copy(arena, class.title.at, class.title.bytes), class.title.bytes};
    class.offer =
        (souk_text){souk_arena_copy(arena, class.offer.at, class.offer.bytes), class.offer.bytes};
    class.code =
        (souk_text){souk_arena_copy(arena, class.code.at, class.code.bytes), class.code.bytes};
    souk_json_doc_done(&doc);
    if (arena->failed) /* whatever that led to */
        return SOUK_ENOMEM;
    SOUK_TRY(err);
    *ret_class = class;
    return SOUK_OK;
}
