/* resolve_test.c - each rule of resolve.h as a story, and what a failure in its middle leaves. */
#include "test/test.h"

#include "core/resolve_desk.h"

#include <stdio.h>

static uint32_t atom_of(const struct desk *desk, const char *word)
{
    return souk_index_find(desk->index, event_of(desk, word).ids[0].hash);
}

static uint32_t shopper_of(const struct desk *desk, uint32_t atom)
{
    return souk_index_atom(desk->index, atom)->shopper;
}

static bool is_shared(const struct desk *desk, uint32_t atom)
{
    return souk_index_atom(desk->index, atom)->flags & SOUK_ATOM_SHARED;
}

/* ---- the rules, one by one ------------------------------------------------------------------- */

SOUK_TEST("rule 1: an event without identifiers is nobody's and writes nothing")
{
    WITH_DESK(desk)
    {
        SOUK_CHECK(see(test, &desk, "") == 0);
        SOUK_CHECK(desk.link_count == 0);
        SOUK_CHECK(souk_index_next_atom(desk.index) == 1);
    }
}

SOUK_TEST("rule 2: an event belongs to the atom of its strongest identifier, whatever comes first")
{
    WITH_DESK(desk)
    {
        uint32_t anna = see(test, &desk, "user:anna"), card = see(test, &desk, "card:17");
        uint32_t device = see(test, &desk, "device:tablet");
        SOUK_CHECK(anna == 1 && card == 2 && device == 3);
        SOUK_CHECK(see(test, &desk, "device:tablet card:17 user:anna") == anna);
        SOUK_CHECK(see(test, &desk, "anonymous:cookie device:tablet") == device);
        SOUK_CHECK(see(test, &desk, "device:tablet email:a@b card:17") == card);
    }
}

SOUK_TEST("rule 3: a visitor who signs in for the first time stays one atom")
{
    WITH_DESK(desk)
    {
        uint32_t visitor = see(test, &desk, "anonymous:cookie");
        SOUK_CHECK(shopper_of(&desk, visitor) == 0);
        SOUK_CHECK(see(test, &desk, "email:a@b anonymous:cookie") == visitor);
        SOUK_CHECK(shopper_of(&desk, visitor) == 1);
        SOUK_CHECK(see(test, &desk, "user:anna email:a@b") == visitor);
        SOUK_CHECK(souk_index_atom(desk.index, visitor)->strongest == SOUK_ID_USER);
        SOUK_CHECK(souk_index_next_atom(desk.index) == 2 &&
                   souk_index_shopper_count(desk.index) == 1);
    }
}

SOUK_TEST("rule 3: of several weaker identifiers the strongest that can be joined is joined")
{
    WITH_DESK(desk)
    {
        uint32_t email = see(test, &desk, "email:a@b"), card = see(test, &desk, "card:17");
        SOUK_CHECK(see(test, &desk, "user:anna email:a@b card:17") == card);
        SOUK_CHECK(atom_of(&desk, "email:a@b") == email);
    }
}

SOUK_TEST("rule 3: a new user on the device of an e-mail's shopper is another shopper")
{
    WITH_DESK(desk)
    {
        uint32_t email = see(test, &desk, "email:a@b device:tablet");
        uint32_t anna = see(test, &desk, "user:anna device:tablet");
        SOUK_CHECK(anna != email && shopper_of(&desk, anna) != shopper_of(&desk, email));
        SOUK_CHECK(atom_of(&desk, "device:tablet") != email);
        SOUK_CHECK(see(test, &desk, "user:bert email:a@b device:tablet") == email);
    }
}

SOUK_TEST("rule 3: an atom with an identifier as strong or stronger is not joined")
{
    WITH_DESK(desk)
    {
        uint32_t anna = see(test, &desk, "user:anna phone:+44 device:tablet");
        uint32_t bert = see(test, &desk, "user:bert phone:+44");
        uint32_t card = see(test, &desk, "card:17 phone:+44");
        SOUK_CHECK(bert != anna && card != anna && card != bert);
        SOUK_CHECK(shopper_of(&desk, bert) == 2 && shopper_of(&desk, card) == 3);
    }
}

SOUK_TEST("rule 4: identifiers never seen join the atom of the event")
{
    WITH_DESK(desk)
    {
        uint32_t anna = see(test, &desk, "user:anna");
        see(test, &desk, "user:anna card:17 phone:+44 email:a@b open:o device:d anonymous:c");
        static const char *const joined[] = {"card:17", "phone:+44", "email:a@b",
                                             "open:o",  "device:d",  "anonymous:c"};
        for (size_t i = 0; i < sizeof joined / sizeof *joined; i++)
            SOUK_CHECK(atom_of(&desk, joined[i]) == anna);
        SOUK_CHECK(souk_index_identifier_count(desk.index) == 8); /* with the public id */
    }
}

SOUK_TEST(
    "rule 5: a visitor's device that a shopper uses belongs to the shopper, as an atom of its own")
{
    WITH_DESK(desk)
    {
        uint32_t device = see(test, &desk, "device:tablet"),
                 cookie = see(test, &desk, "anonymous:c");
        uint32_t anna = see(test, &desk, "user:anna");
        SOUK_CHECK(see(test, &desk, "user:anna device:tablet anonymous:c") == anna);
        SOUK_CHECK(atom_of(&desk, "device:tablet") == device && shopper_of(&desk, device) == 1);
        SOUK_CHECK(atom_of(&desk, "anonymous:c") == cookie && shopper_of(&desk, cookie) == 1);
        souk_person *person = souk_mem_get(test->mem, sizeof *person);
        SOUK_MUST(souk_index_person_of_atom(desk.index, anna, person));
        SOUK_CHECK(person->shopper == 1 && person->atom_count == 3);
        souk_mem_put(test->mem, person);
        size_t links = desk.link_count;
        see(test, &desk, "user:anna device:tablet anonymous:c");
        SOUK_CHECK(desk.link_count == links);
    }
}

SOUK_TEST("rule 5: a shopper of very many atoms gets no more of them, and can still be read")
{
    enum { OVER = 20 };
    char words[60];
    WITH_DESK(desk)
    {
        souk_person *person = souk_mem_get(test->mem, sizeof *person);
        uint32_t anna = see(test, &desk, "user:anna");
        for (unsigned i = 1; i < SOUK_CLAIMED_ATOMS + OVER; i++) {
            snprintf(words, sizeof words, "anonymous:c%u", i);
            uint32_t cookie = see(test, &desk, words);
            snprintf(words, sizeof words, "user:anna anonymous:c%u", i);
            SOUK_CHECK(see(test, &desk, words) == anna);
            SOUK_CHECK(shopper_of(&desk, cookie) == (i < SOUK_CLAIMED_ATOMS));
        }
        SOUK_MUST(souk_index_person_of_atom(desk.index, anna, person));
        SOUK_CHECK(person->atom_count == SOUK_CLAIMED_ATOMS);
        /* Nobody's yet, so somebody else may sign in there, or use it. */
        see(test, &desk, "user:bert");
        uint32_t last = atom_of(&desk, "anonymous:c1043");
        SOUK_CHECK(shopper_of(&desk, last) == 0);
        see(test, &desk, "user:bert anonymous:c1043");
        SOUK_CHECK(shopper_of(&desk, last) == 2);
        souk_mem_put(test->mem, person);
    }
}

SOUK_TEST("rule 5: merged shoppers together have at most as many")
{
    char words[60];
    WITH_DESK(desk)
    {
        souk_person *person = souk_mem_get(test->mem, sizeof *person);
        uint32_t anna = see(test, &desk, "user:anna");
        see(test, &desk, "user:ann");
        SOUK_MUST(souk_index_group_room(desk.index, 1));
        SOUK_MUST(souk_index_join(desk.index, 1, 2));
        for (unsigned i = 1; i < SOUK_CLAIMED_ATOMS + 20; i++) {
            const char *who = i % 2 ? "anna" : "ann";
            snprintf(words, sizeof words, "anonymous:c%u", i);
            uint32_t cookie = see(test, &desk, words);
            snprintf(words, sizeof words, "user:%s anonymous:c%u", who, i);
            see(test, &desk, words);
            SOUK_CHECK((shopper_of(&desk, cookie) != 0) == (i < SOUK_CLAIMED_ATOMS - 1));
        }
        SOUK_MUST(souk_index_person_of_atom(desk.index, anna, person));
        SOUK_CHECK(person->atom_count == SOUK_CLAIMED_ATOMS);
        souk_mem_put(test->mem, person);
    }
}

SOUK_TEST("rule 5: two visitors' identifiers in one event claim nothing of each other")
{
    WITH_DESK(desk)
    {
        uint32_t device = see(test, &desk, "device:tablet"),
                 cookie = see(test, &desk, "anonymous:c");
        SOUK_CHECK(see(test, &desk, "device:tablet anonymous:c") == device);
        SOUK_CHECK(atom_of(&desk, "anonymous:c") == cookie);
        SOUK_CHECK(shopper_of(&desk, device) == 0 && shopper_of(&desk, cookie) == 0);
    }
}

SOUK_TEST("rule 6: a device that a second shopper uses is nobody's from now on")
{
    WITH_DESK(desk)
    {
        uint32_t anna = see(test, &desk, "user:anna device:tablet");
        uint32_t bert = see(test, &desk, "user:bert device:tablet");
        uint32_t shared = atom_of(&desk, "device:tablet");
        SOUK_CHECK(shared != anna && shared != bert && is_shared(&desk, shared));
        SOUK_CHECK(shopper_of(&desk, anna) == 1 && shopper_of(&desk, bert) == 2);
        SOUK_CHECK(see(test, &desk, "device:tablet") == shared);
        /* Nobody claims it, joins it or moves it again. */
        SOUK_CHECK(see(test, &desk, "user:anna device:tablet") == anna);
        uint32_t cleo = see(test, &desk, "user:cleo device:tablet");
        SOUK_CHECK(cleo != shared && shopper_of(&desk, cleo) == 3);
        SOUK_CHECK(atom_of(&desk, "device:tablet") == shared && shopper_of(&desk, shared) == 0);
    }
}

SOUK_TEST("rule 6: a device claimed for one shopper does not make a new user the same shopper")
{
    WITH_DESK(desk)
    {
        uint32_t device = see(test, &desk, "device:tablet");
        see(test, &desk, "user:anna");
        see(test, &desk, "user:anna device:tablet"); /* claimed, rule 5 */
        uint32_t bert = see(test, &desk, "user:bert device:tablet");
        SOUK_CHECK(bert != device && shopper_of(&desk, bert) == 2);
        SOUK_CHECK(shopper_of(&desk, device) == 1);
        SOUK_CHECK(is_shared(&desk, atom_of(&desk, "device:tablet")));
    }
}

SOUK_TEST("rule 7: a card, phone, e-mail or open id of another atom stays where it is")
{
    WITH_DESK(desk)
    {
        static const char *const kept[] = {"card:17", "phone:+44", "email:a@b", "open:o"};
        uint32_t anna = see(test, &desk, "user:anna card:17 phone:+44 email:a@b open:o");
        uint32_t bert = see(test, &desk, "user:bert");
        SOUK_CHECK(see(test, &desk, "user:bert card:17 phone:+44 email:a@b open:o") == bert);
        for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
            SOUK_CHECK(atom_of(&desk, kept[i]) == anna);
        SOUK_CHECK(shopper_of(&desk, anna) == 1 && shopper_of(&desk, bert) == 2);
    }
}

SOUK_TEST("rule 8: a durable identifier makes a shopper with a public id, any other does not")
{
    for (souk_id_kind kind = SOUK_ID_USER; kind <= SOUK_ID_ANONYMOUS; kind++)
        WITH_DESK(desk)
        {
            char word[32];
            snprintf(word, sizeof word, "%s:x", souk_id_word(kind));
            uint32_t atom = see(test, &desk, word);
            bool durable = souk_id_is_durable(kind);
            SOUK_CHECK(shopper_of(&desk, atom) == (durable ? 1 : 0));
            SOUK_CHECK(desk.link_count == (durable ? 2 : 1));
            if (!durable)
                continue;
            SOUK_CHECK(desk.links[1].kind == SOUK_LINK_SHOPPER && desk.value_bytes == 16);
            SOUK_CHECK(souk_index_find(desk.index, desk.links[1].hash) == atom);
            SOUK_CHECK(see(test, &desk, word) == atom && desk.link_count == 2);
        }
}

/* ---- failures -------------------------------------------------------------------------------- */

struct counts {
    uint32_t next_atom, next_shopper, device;
    uint64_t identifiers;
};

static struct counts counts_of(const struct desk *desk)
{
    return (struct counts){souk_index_next_atom(desk->index), souk_index_next_shopper(desk->index),
                           atom_of(desk, "device:tablet"),
                           souk_index_identifier_count(desk->index)};
}

static bool counts_equal(struct counts a, struct counts b)
{
    return a.next_atom == b.next_atom && a.next_shopper == b.next_shopper && a.device == b.device &&
           a.identifiers == b.identifiers;
}

SOUK_TEST("a link that is refused is told, and undone with all links of its event")
{
    WITH_DESK(desk)
    {
        see(test, &desk, "user:anna device:tablet");
        souk_event event = event_of(&desk, "user:bert email:b@b device:tablet");
        struct counts before = counts_of(&desk);
        uint32_t atom = 99;
        for (size_t refused = 1; refused <= 5; refused++) {
            desk.refuse_at = refused;
            SOUK_CHECK_ERR(resolve_event(&desk, &event, &atom), SOUK_EFULL);
            SOUK_CHECK(atom == 0 && counts_equal(before, counts_of(&desk)));
        }
        desk.refuse_at = 6; /* bert, his shopper, his e-mail, moved, shared: there is no sixth */
        SOUK_MUST(resolve_event(&desk, &event, &atom));
        SOUK_CHECK(atom == 2 && atom_of(&desk, "device:tablet") == 3 && desk.refuse_at == 1);
    }
}

SOUK_TEST("where no key is left for a shared device, it stays whose it was")
{
    struct desk desk;
    SOUK_MUST(desk_open(test->mem, 64, &desk));
    uint32_t anna = see(test, &desk, "user:anna device:tablet"), slot, atom;
    see(test, &desk, "user:bert");
    for (int i = 2; i < 64; i++)
        SOUK_MUST(souk_vault_take(desk.vault, &slot));
    souk_event event = event_of(&desk, "user:bert device:tablet");
    SOUK_CHECK_ERR(resolve_event(&desk, &event, &atom), SOUK_ETOOBIG);
    SOUK_CHECK(atom == 0 && atom_of(&desk, "device:tablet") == anna);
    SOUK_CHECK(see(test, &desk, "device:tablet") == anna);
    desk_done(&desk);
}

/* Every event is tried until it stands; what a failed one leaves behind shows in the end. */
static souk_err busy_day(struct desk *desk, souk_err *ret_first)
{
    static const char *const events[] = {"device:tablet",
                                         "user:anna",
                                         "user:anna device:tablet",
                                         "card:17 email:c@c",
                                         "user:bert device:tablet anonymous:c",
                                         "user:cleo card:17 email:c@c device:tablet"};
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        uint32_t atom;
        souk_event event = event_of(desk, events[i]);
        struct counts before = counts_of(desk);
        souk_err err = resolve_event(desk, &event, &atom);
        *ret_first = *ret_first ? *ret_first : err;
        if (err && !counts_equal(before, counts_of(desk)))
            return SOUK_ECONFLICT;
        if (err)
            SOUK_TRY(resolve_event(desk, &event, &atom));
    }
    struct counts end = counts_of(desk);
    bool right =
        end.next_atom == 6 && end.next_shopper == 4 && end.device == 5 && end.identifiers == 10;
    return right ? SOUK_OK : SOUK_ECONFLICT;
}

SOUK_TEST(
    "an event that ran out of memory leaves nothing behind and is resolved when it comes again")
{
    SOUK_FAULT_LOOP (test) {
        struct desk desk;
        souk_err first = SOUK_OK, err = desk_open(test->mem, 0, &desk);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        if (!err)
            SOUK_MUST(busy_day(&desk, &first));
        SOUK_CHECK(first == SOUK_OK || first == SOUK_ENOMEM);
        desk_done(&desk);
        test_fault_seen(test, err ? err : first);
    }
}
