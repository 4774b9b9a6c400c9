/* event_test.c - identifiers: their words, their normal form, their blind index, their order. */
#include "core/event.h"

#include "test/test.h"

static const souk_hashes hashes = {{"identifiers' key"}, {"messages' key .."}};

/* ---- words ----------------------------------------------------------------------------------- */

SOUK_TEST("every kind of identifier has a word of its own, and no other word is one")
{
    for (souk_id_kind kind = SOUK_ID_USER; kind < SOUK_ID_KINDS; kind++)
        SOUK_CHECK(souk_id_of_word(souk_text_of(souk_id_word(kind))) == kind);
    static const char *const others[] = {"", "none", "User", "use", "users", "user ", "e-mail"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        SOUK_CHECK(souk_id_of_word(souk_text_of(others[i])) == SOUK_ID_NONE);
}

SOUK_TEST("user, card, phone, e-mail and open id are durable, in this order of strength")
{
    SOUK_CHECK(SOUK_ID_USER < SOUK_ID_CARD && SOUK_ID_CARD < SOUK_ID_PHONE);
    SOUK_CHECK(SOUK_ID_PHONE < SOUK_ID_EMAIL && SOUK_ID_EMAIL < SOUK_ID_OPEN);
    SOUK_CHECK(SOUK_ID_OPEN < SOUK_ID_DEVICE && SOUK_ID_DEVICE < SOUK_ID_ANONYMOUS);
    for (souk_id_kind kind = SOUK_ID_NONE; kind < SOUK_ID_KINDS; kind++)
        SOUK_CHECK(souk_id_is_durable(kind) == (kind != SOUK_ID_NONE && kind <= SOUK_ID_OPEN));
}

/* ---- the normal form ------------------------------------------------------------------------- */

struct spelling {
    souk_id_kind kind;
    const char *given, *normal; /* NULL: refused */
};

static const struct spelling spellings[] = {
    {SOUK_ID_USER, "u-17", "u-17"},
    {SOUK_ID_USER, " \t\r\n u-17 \v\f", "u-17"},
    {SOUK_ID_USER, "Anna Lee", "Anna Lee"},
    {SOUK_ID_USER, "00 44", "00 44"},
    {SOUK_ID_USER, "\xc3\x84nne", "\xc3\x84nne"},
    {SOUK_ID_CARD, " 1234 5678 ", "1234 5678"},
    {SOUK_ID_OPEN, "oGZUI0egBJY1zhBYw2KhdUfwVJJE", "oGZUI0egBJY1zhBYw2KhdUfwVJJE"},
    {SOUK_ID_DEVICE, "AEBE52E7-03EE", "AEBE52E7-03EE"},
    {SOUK_ID_ANONYMOUS, "  8f3A", "8f3A"},
    {SOUK_ID_EMAIL, " Anna.Lee+Shop@Example.COM ", "anna.lee+shop@example.com"},
    {SOUK_ID_EMAIL, "\xc3\x84NNE@X.DE", "\xc3\x84nne@x.de"}, /* ASCII letters alone */
    {SOUK_ID_EMAIL, "@AZ[`az{", "@az[`az{"},
    {SOUK_ID_PHONE, "+44 (20) 7946-0018", "+442079460018"},
    {SOUK_ID_PHONE, "0044 20.7946.0018", "+442079460018"},
    {SOUK_ID_PHONE, "0 0 44 20", "+4420"},
    {SOUK_ID_PHONE, "030/1234567", "0301234567"},
    {SOUK_ID_PHONE, "020 7946 0018", "02079460018"},
    {SOUK_ID_PHONE, "00", "00"},
    {SOUK_ID_PHONE, "001", "+1"},
    {SOUK_ID_USER, "", NULL},
    {SOUK_ID_USER, " \t ", NULL},
    {SOUK_ID_EMAIL, "", NULL},
    {SOUK_ID_PHONE, "", NULL},
    {SOUK_ID_PHONE, " (-) ./ ", NULL},
    {SOUK_ID_USER, "a\nb", NULL},
    {SOUK_ID_USER, "a\x1b[31mb", NULL},
    {SOUK_ID_USER, "a\x7f", NULL},
    {SOUK_ID_USER,
     "a\xc2\x9b"
     "31mb",
     NULL}, /* U+009B does what ESC [ does */
    {SOUK_ID_USER, "a\xc2\x80", NULL},
    {SOUK_ID_USER,
     "a\xc2\xa0"
     "b",
     "a\xc2\xa0"
     "b"},
    {SOUK_ID_USER, "\xc4\x80\xc4\x9f", "\xc4\x80\xc4\x9f"}, /* the same second bytes */
    {SOUK_ID_PHONE, "+44\t20", NULL},
    {SOUK_ID_EMAIL, "a@b\xff", NULL},
    {SOUK_ID_CARD, "\xc3", NULL},
    {SOUK_ID_CARD, "\xed\xa0\x80", NULL}, /* a surrogate */
};

SOUK_TEST("identifiers of every kind are brought to their normal form or refused")
{
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        const struct spelling *one = &spellings[i];
        char room[SOUK_ID_BYTES];
        souk_text normal = SOUK_TEXT("as it was");
        souk_err err = souk_id_normalise(one->kind, souk_text_of(one->given), room, &normal);
        const char *expected = one->normal ? one->normal : "as it was";
        if (err != (one->normal ? SOUK_OK : SOUK_EINVAL) ||
            !souk_text_equal(normal, souk_text_of(expected)))
            test_fail(test, __FILE__, __LINE__, "%s '%s': %s, '%.*s'", souk_id_word(one->kind),
                      one->given, souk_err_name(err), SOUK_TEXT_PRINT(normal));
    }
}

SOUK_TEST("a byte of zero is a control character, whatever stands behind it")
{
    char room[SOUK_ID_BYTES];
    souk_text normal;
    SOUK_CHECK_ERR(souk_id_normalise(SOUK_ID_USER, SOUK_TEXT("a\0b"), room, &normal), SOUK_EINVAL);
    SOUK_CHECK_ERR(souk_id_normalise(SOUK_ID_EMAIL, SOUK_TEXT("\0"), room, &normal), SOUK_EINVAL);
}

SOUK_TEST("an identifier may be as long as its room, trimmed, and not a byte longer")
{
    char given[SOUK_ID_BYTES + 3], room[SOUK_ID_BYTES + 16];
    for (souk_id_kind kind = SOUK_ID_USER; kind < SOUK_ID_KINDS; kind++) {
        souk_text normal;
        memset(given, '7', sizeof given);
        memset(room, '#', sizeof room);
        given[0] = given[SOUK_ID_BYTES + 1] = ' ';
        souk_text longest = {given, SOUK_ID_BYTES + 2}, longer = {given + 1, SOUK_ID_BYTES + 1};
        SOUK_MUST(souk_id_normalise(kind, longest, room, &normal));
        SOUK_CHECK(normal.bytes == SOUK_ID_BYTES);
        given[SOUK_ID_BYTES + 1] = '7';
        SOUK_CHECK_ERR(souk_id_normalise(kind, longer, room, &normal), SOUK_EINVAL);
        for (size_t i = SOUK_ID_BYTES; i < sizeof room; i++)
            SOUK_CHECK(room[i] == '#');
    }
}

/* The header's words read aloud, for values that are not refused. */
static size_t naive_normal(souk_id_kind kind, const char *given, size_t bytes, char *to)
{
    size_t count = 0;
    while (bytes && given[bytes - 1] == ' ')
        bytes--;
    for (size_t i = 0; i < bytes; i++) {
        char c = given[i];
        bool dropped = kind == SOUK_ID_PHONE ? strchr(" .-()/", c) != NULL : count == 0 && c == ' ';
        if (!dropped)
            to[count++] = kind == SOUK_ID_EMAIL && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    if (kind == SOUK_ID_PHONE && count > 2 && to[0] == '0' && to[1] == '0') {
        to[0] = '+';
        for (size_t i = 2; i < count; i++)
            to[i - 1] = to[i];
        count--;
    }
    return count;
}

SOUK_TEST("random identifiers get the normal form of the words read aloud, and keep it")
{
    static const char letters[] = "  aAzZ00017+-.()/@";
    size_t refused = 0;
    for (int round = 0; round < 20000; round++) {
        char given[16], room[SOUK_ID_BYTES], again_room[SOUK_ID_BYTES], expected[16];
        souk_id_kind kind = (souk_id_kind)(1 + test_random(test, SOUK_ID_KINDS - 1));
        size_t bytes = test_random(test, sizeof given + 1);
        for (size_t i = 0; i < bytes; i++)
            given[i] = letters[test_random(test, sizeof letters - 1)];
        size_t expected_bytes = naive_normal(kind, given, bytes, expected);
        souk_text normal, again;
        souk_err err = souk_id_normalise(kind, (souk_text){given, bytes}, room, &normal);
        SOUK_CHECK(err == (expected_bytes ? SOUK_OK : SOUK_EINVAL));
        refused += err != SOUK_OK;
        if (err)
            continue;
        SOUK_CHECK(souk_text_equal(normal, (souk_text){expected, expected_bytes}));
        SOUK_MUST(souk_id_normalise(kind, normal, again_room, &again));
        SOUK_CHECK(souk_text_equal(normal, again));
    }
    SOUK_CHECK(refused > 500 && refused < 5000);
}

/* ---- the blind index ------------------------------------------------------------------------- */

SOUK_TEST("a blind index differs by kind, value and key; a message's also by its source")
{
    souk_text anna = SOUK_TEXT("anna"), anne = SOUK_TEXT("anne");
    souk_hashes others = {{"another key ...."}, {"messages' key .."}};
    souk_hash128 all[SOUK_ID_KINDS + 6];
    size_t count = 0;
    for (souk_id_kind kind = SOUK_ID_USER; kind < SOUK_ID_KINDS; kind++)
        all[count++] = souk_hashes_identifier(&hashes, kind, anna);
    all[count++] = souk_hashes_identifier(&hashes, SOUK_ID_USER, anne);
    all[count++] = souk_hashes_identifier(&others, SOUK_ID_USER, anna);
    all[count++] = souk_hashes_message(&hashes, 1, anna);
    all[count++] = souk_hashes_message(&hashes, 256, anna);
    all[count++] = souk_hashes_message(&hashes, 1, anne);
    all[count++] = souk_hashes_message(&hashes, 1, SOUK_TEXT(""));
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            SOUK_CHECK(!souk_hash128_equal(all[i], all[k]));
    SOUK_CHECK(souk_hash128_equal(all[0], souk_hashes_identifier(&hashes, SOUK_ID_USER, anna)));
    /* A message hash has a key of its own: the identifiers' key says nothing about it. */
    SOUK_CHECK(
        souk_hash128_equal(souk_hashes_message(&others, 1, anna), all[SOUK_ID_KINDS - 1 + 2]));
}

/* ---- strength -------------------------------------------------------------------------------- */

static bool strongest_first(const souk_event *event)
{
    for (size_t i = 1; i < event->id_count; i++)
        if (event->ids[i - 1].kind >= event->ids[i].kind)
            return false;
    return true;
}

SOUK_TEST("identifiers stand strongest first in whatever order they are named, the first of a kind")
{
    static const char names[] = "0123456789";
    for (int round = 0; round < 3000; round++) {
        souk_event event = {.at = 0};
        const char *first[SOUK_ID_KINDS] = {0};
        size_t kinds = 0;
        for (uint64_t i = test_random(test, 20); i > 0; i--) {
            souk_id_kind kind = (souk_id_kind)(1 + test_random(test, SOUK_ID_KINDS - 1));
            const char *value = names + test_random(test, 10);
            souk_event_identify(&event, &hashes, kind, (souk_text){value, 1});
            kinds += first[kind] == NULL;
            first[kind] = first[kind] ? first[kind] : value;
        }
        SOUK_CHECK(event.id_count == kinds && strongest_first(&event));
        for (size_t i = 0; i < kinds; i++) {
            const souk_identifier *id = &event.ids[i];
            SOUK_CHECK(id->value.at == first[id->kind]);
            SOUK_CHECK(
                souk_hash128_equal(id->hash, souk_hashes_identifier(&hashes, id->kind, id->value)));
        }
    }
}

SOUK_TEST("an event has room for one identifier of each kind, and a wrong order would be noticed")
{
    souk_event event = {.at = 0};
    for (int twice = 0; twice < 2; twice++)
        for (souk_id_kind kind = SOUK_ID_PUBLIC; kind >= SOUK_ID_USER; kind--)
            souk_event_identify(&event, &hashes, kind, twice ? SOUK_TEXT("b") : SOUK_TEXT("a"));
    SOUK_CHECK(event.id_count == SOUK_EVENT_IDS && strongest_first(&event));
    for (size_t i = 0; i < event.id_count; i++)
        SOUK_CHECK_TEXT(event.ids[i].value, "a");
    souk_identifier swap = event.ids[3];
    event.ids[3] = event.ids[4];
    event.ids[4] = swap;
    SOUK_CHECK(!strongest_first(&event));
}
