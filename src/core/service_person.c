/* service_person.c - whom a call means (service.h). */
#include "core/service.h"

souk_err souk_call_person(souk_call *call, souk_text kind_word, souk_text value,
                          souk_person **ret_person)
{
    souk_id_kind kind = souk_id_of_word(kind_word);
    souk_person *person = souk_arena_get(&call->arena, sizeof *person);
    if (call->arena.failed)
        return SOUK_ENOMEM;
    if (kind == SOUK_ID_NONE)
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "'%.*s' is no kind of identifier: user, card, phone, email, open, "
                             "device, anonymous or public",
                             SOUK_TEXT_PRINT(kind_word));
    if (call->caller.merchant != SOUK_OPERATOR)
        return souk_diag_say(
            &call->diag, SOUK_EDENIED,
            "the shoppers are the operator's: a guest merchant cannot ask for them");
    souk_err err = souk_spine_find(call->spine, kind, value, person);
    if (err == SOUK_ENOENT)
        return souk_diag_say(&call->diag, err, "nobody has this %s", souk_id_word(kind));
    if (err == SOUK_ETOOBIG)
        return souk_diag_say(&call->diag, err,
                             "the shoppers merged here have more than %d histories together: too "
                             "many for one person",
                             SOUK_PERSON_ATOMS);
    if (err == SOUK_EINVAL && kind == SOUK_ID_PUBLIC)
        return souk_diag_say(&call->diag, err, "a public id has 32 hexadecimal digits");
    if (err == SOUK_EINVAL)
        return souk_diag_say(&call->diag, err,
                             "the value is no %s: from 1 to %d bytes, no control characters",
                             souk_id_word(kind), SOUK_ID_BYTES);
    *ret_person = person;
    return err;
}
