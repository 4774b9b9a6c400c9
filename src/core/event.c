/* event.c - identifiers of event.h: their words, their normal form, their blind index. */
#include "core/event.h"

#include "base/utf8.h"

static const char *const id_words[SOUK_ID_KINDS] = {"none",
#define SOUK_ID_WORD(name, word) word,
                                                    SOUK_ID_TABLE(SOUK_ID_WORD)
#undef SOUK_ID_WORD
};

const char *souk_id_word(souk_id_kind kind)
{
    souk_assert((unsigned)kind < SOUK_ID_KINDS);
    return id_words[kind];
}

souk_id_kind souk_id_of_word(souk_text word)
{
    for (souk_id_kind kind = SOUK_ID_USER; kind < SOUK_ID_KINDS; kind++)
        if (souk_text_equal(word, souk_text_of(id_words[kind])))
            return kind;
    return SOUK_ID_NONE;
}

souk_hash128 souk_hashes_message(const souk_hashes *hashes, uint32_t source, souk_text message_id)
{
    souk_text parts[] = {{(const char *)&source, sizeof source}, message_id};
    return souk_hash128_of(&hashes->messages, parts, 2);
}

souk_hash128 souk_hashes_identifier(const souk_hashes *hashes, souk_id_kind kind, souk_text value)
{
    char kind_byte = (char)kind;
    souk_text parts[] = {{&kind_byte, 1}, value};
    return souk_hash128_of(&hashes->identifiers, parts, 2);
}

/* C0, DEL and C1 (U+0080 to U+009F, in UTF-8 always 0xc2 and a byte below 0xa0): an identifier is
 * printed to terminals, some of which read U+009B as ESC [ (ECMA-48 5.3). */
static bool has_controls(souk_text value)
{
    unsigned char before = 0;
    for (size_t i = 0; i < value.bytes; i++) {
        unsigned char byte = (unsigned char)value.at[i];
        if (byte < 0x20 || byte == 0x7f || (before == 0xc2 && byte < 0xa0))
            return true;
        before = byte;
    }
    return false;
}

static souk_text lower(souk_text value, char room[SOUK_ID_BYTES])
{
    for (size_t i = 0; i < value.bytes; i++)
        room[i] = (char)(value.at[i] >= 'A' && value.at[i] <= 'Z' ? value.at[i] + 32 : value.at[i]);
    return (souk_text){room, value.bytes};
}

static souk_text phone(souk_text value, char room[SOUK_ID_BYTES])
{
    size_t bytes = 0;
    for (size_t i = 0; i < value.bytes; i++)
        if (!memchr(" .-()/", value.at[i], 6))
            room[bytes++] = value.at[i];
    if (bytes > 2 && room[0] == '0' && room[1] == '0') {
        memmove(room + 1, room + 2, bytes - 2);
        room[0] = '+';
        bytes--;
    }
    return (souk_text){room, bytes};
}

souk_err souk_id_normalise(souk_id_kind kind, souk_text value, char room[SOUK_ID_BYTES],
                           souk_text *ret_value)
{
    value = souk_text_trim(value);
    if (value.bytes == 0 || value.bytes > SOUK_ID_BYTES || has_controls(value) ||
        !souk_utf8_valid(value))
        return SOUK_EINVAL;
    if (kind == SOUK_ID_EMAIL)
        value = lower(value, room);
    else if (kind == SOUK_ID_PHONE)
        value = phone(value, room);
    if (value.bytes == 0)
        return SOUK_EINVAL;
    *ret_value = value;
    return SOUK_OK;
}

void souk_event_identify(souk_event *event, const souk_hashes *hashes, souk_id_kind kind,
                         souk_text value)
{
    souk_identifier added = {value, souk_hashes_identifier(hashes, kind, value), kind};
    for (size_t i = 0; i < event->id_count; i++)
        if (event->ids[i].kind == kind)
            return;
    /* There are as many places as kinds that come from outside, so there is room. */
    souk_assert(event->id_count < SOUK_EVENT_IDS);
    size_t at = event->id_count++;
    while (at > 0 && event->ids[at - 1].kind > kind) {
        event->ids[at] = event->ids[at - 1];
        at--;
    }
    event->ids[at] = added;
}
