/* truth_test.c - what truth.jsonl says of people holds in their events, and what was planted can be counted. */
#include "test/test.h"

#include "world/test_world.h"

#include <stdlib.h>

/* ---- whose is it ------------------------------------------------------------------------------------- */

/* An identifier of truth.jsonl and the people it belongs to: one, or two who share a tablet. */
struct owned {
    uint64_t hash;
    uint32_t person;
};

struct book {
    struct owned *owned; /* sorted by hash */
    size_t count, capacity;
    uint64_t *
        receipts; /* hashes of orders and receipts so far, with their person of the truth unknown */
    size_t receipt_count, receipt_capacity;
};

static uint64_t hash_of(const char *kind, souk_text value)
{
    static const souk_hash_key key = {{7}};
    souk_text parts[] = {souk_text_of(kind), value};
    return souk_hash128_of(&key, parts, 2).low;
}

static int by_hash(const void *a, const void *b)
{
    const struct owned *left = a, *right = b;
    return left->hash != right->hash
               ? (left->hash > right->hash) - (left->hash < right->hash)
               : (left->person > right->person) - (left->person < right->person);
}

static const char *const kinds[] = {"user", "email", "phone", "card", "anonymous", "device"};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void read_person(souk_test *test, struct rig *rig, struct book *book)
{
    int64_t number;
    SOUK_MUST(souk_json_i64(&rig->doc, rig_at(rig, rig->event, "person"), &number));
    souk_json_node all = rig_at(rig, rig->event, "identifiers");
    SOUK_CHECK(souk_json_count(&rig->doc, all) == KINDS);
    for (size_t i = 0; i < KINDS; i++)
        for (souk_json_node at = souk_json_first(&rig->doc, rig_at(rig, all, kinds[i]));
             at != SOUK_JSON_NONE; at = souk_json_next(&rig->doc, at)) {
            souk_text value;
            SOUK_MUST(souk_json_text(&rig->doc, at, &rig->arena, &value));
            SOUK_MUST(souk_mem_grow(test->mem, &book->owned, &book->capacity, book->count + 1,
                                    1 << 24, sizeof *book->owned));
            book->owned[book->count++] = (struct owned){hash_of(kinds[i], value), (uint32_t)number};
        }
}

static void book_open(souk_test *test, struct rig *rig, struct book *book)
{
    *book = (struct book){.owned = NULL};
    souk_buf_clear(&rig->lines);
    souk_world_people(rig->world, 0, rig->world->options.shoppers, &rig->lines);
    SOUK_MUST(souk_buf_check(&rig->lines));
    rig->rest = souk_buf_view(&rig->lines);
    while (rig_next(rig))
        read_person(test, rig, book);
    qsort(book->owned, book->count, sizeof *book->owned, by_hash);
}

static void book_close(souk_test *test, struct book *book)
{
    souk_mem_put(test->mem, book->owned);
    souk_mem_put(test->mem, book->receipts);
}

/* The first of the rows of an identifier; NULL: nobody's. */
static const struct owned *find_owner(const struct book *book, const char *kind, souk_text value)
{
    struct owned wanted = {hash_of(kind, value), 0};
    size_t low = 0, high = book->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (by_hash(&book->owned[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < book->count && book->owned[low].hash == wanted.hash ? &book->owned[low] : NULL;
}

SOUK_TEST("an identifier belongs to one person, a tablet to a household, and guests have no name")
{
    struct rig rig;
    struct book book;
    struct world_person person, other;
    size_t shared = 0;
    rig_open(&rig, test, 5000, 30, 1);
    book_open(test, &rig, &book);
    for (size_t i = 1; i < book.count; i++) {
        if (book.owned[i].hash != book.owned[i - 1].hash)
            continue;
        world_person_of(rig.world, book.owned[i].person, &person);
        world_person_of(rig.world, book.owned[i - 1].person, &other);
        SOUK_CHECK(person.household == other.household && person.devices >> TABLET & 1);
        SOUK_CHECK(i < 2 || book.owned[i].hash != book.owned[i - 2].hash);
        shared++;
    }
    SOUK_CHECK(shared > 100);
    souk_buf_clear(&rig.lines);
    souk_world_people(rig.world, 0, 5000, &rig.lines);
    for (rig.rest = souk_buf_view(&rig.lines); rig_next(&rig);) {
        bool member = souk_text_equal(rig_text(&rig, rig.event, "kind"), SOUK_TEXT("member"));
        souk_json_node all = rig_at(&rig, rig.event, "identifiers");
        size_t users = souk_json_count(&rig.doc, rig_at(&rig, all, "user"));
        SOUK_CHECK(users == member);
        SOUK_CHECK(member || souk_json_count(&rig.doc, rig_at(&rig, all, "email")) == 0);
    }
    book_close(test, &book);
    rig_close(&rig);
}

/* ---- who is in an event ------------------------------------------------------------------------------ */

static const uint32_t NOBODY = UINT32_MAX, STRANGER = UINT32_MAX - 1;

/* The one person whom all identifiers of the event allow; NOBODY where it has none. */
static uint32_t who_is_it(struct rig *rig, const struct book *book)
{
    souk_json_node traits = rig_at(rig, rig->event, "traits");
    souk_json_node ids = rig_at(rig, rig->context, "externalIds");
    souk_text values[KINDS] = {rig_text(rig, rig->event, "userId"),
                               rig_text(rig, traits, "email"),
                               rig_text(rig, traits, "phone"),
                               rig_text(rig, souk_json_first(&rig->doc, ids), "id"),
                               rig_text(rig, rig->event, "anonymousId"),
                               rig_text(rig, rig_at(rig, rig->context, "device"), "id")};
    uint32_t who = NOBODY;
    for (size_t i = 0; i < KINDS; i++) {
        if (values[i].bytes == 0)
            continue;
        const struct owned *owner = find_owner(book, kinds[i], values[i]);
        bool fits = owner && (who == NOBODY || owner->person == who);
        if (owner && !fits && owner + 1 < book->owned + book->count &&
            owner[1].hash == owner->hash) /* a tablet's other half */
            fits = owner[1].person == who;
        if (!fits)
            return STRANGER;
        who = who == NOBODY ? owner->person : who;
    }
    return who;
}

/* She had joined, had not left long ago, and where sensors knew her had said yes. */
static void check_person(souk_test *test, struct rig *rig, uint32_t who)
{
    struct world_person person;
    world_person_of(rig->world, who, &person);
    int32_t day = (int32_t)rig->number, late = WORLD_RETURN_LAST;
    bool by_name = rig_text(rig, rig->event, "userId").bytes > 0;
    if (!by_name)
        return; /* a card may be the partner's */
    SOUK_CHECK(person.kind == MEMBER);
    SOUK_CHECK(day >= person.joined && day < person.left + late);
    if (rig_text(rig, rig->properties, "track_id").bytes)
        SOUK_CHECK(world_consents_on(&person, day) >> RECOGNISE & 1 && person.devices >> APP & 1);
}

SOUK_TEST("whoever an event names stands in the truth, and is one person")
{
    struct rig rig;
    struct book book;
    size_t named = 0, nobodys = 0;
    rig_open(&rig, test, 800, 30, 1);
    book_open(test, &rig, &book);
    for (uint32_t day = 0; day < 30; day++)
        for (rig_day(&rig, day); rig_next(&rig);) {
            uint32_t who = who_is_it(&rig, &book);
            SOUK_CHECK(who != STRANGER);
            if (who == NOBODY)
                nobodys++;
            else
                check_person(test, &rig, who);
            named += who != NOBODY;
        }
    SOUK_CHECK(named > 10000 && nobodys > 3000);
    book_close(test, &book);
    rig_close(&rig);
}

SOUK_TEST("a name that was changed by one digit is noticed")
{
    struct rig rig;
    struct book book;
    size_t noticed = 0, tried = 0;
    rig_open(&rig, test, 300, 5, 1);
    book_open(test, &rig, &book);
    for (rig_day(&rig, 2); rig_next(&rig);) {
        souk_text user = rig_text(&rig, rig.event, "userId");
        if (user.bytes == 0)
            continue;
        char *digit = (char *)(uintptr_t)user.at + user.bytes - 1;
        *digit = *digit == '9' ? '0' : (char)(*digit + 1);
        noticed += who_is_it(&rig, &book) == STRANGER;
        tried++;
    }
    SOUK_CHECK(tried > 50 && noticed == tried);
    book_close(test, &book);
    rig_close(&rig);
}

/* ---- returns ----------------------------------------------------------------------------------------- */

static bool has_receipt(const struct book *book, uint64_t hash)
{
    for (size_t i = 0; i < book->receipt_count; i++)
        if (book->receipts[i] == hash)
            return true;
    return false;
}

SOUK_TEST("what comes back was bought before, and comes back once")
{
    struct rig rig;
    struct book book = {.owned = NULL};
    size_t back = 0;
    rig_open(&rig, test, 400, 40, 4);
    for (uint32_t day = 0; day < 40; day++)
        for (rig_day(&rig, day); rig_next(&rig);) {
            bool sold = rig_is(&rig, "Order Completed") || rig_is(&rig, "Receipt Issued");
            bool online = rig_is(&rig, "Order Refunded");
            if (!sold && !online && !rig_is(&rig, "Receipt Returned"))
                continue;
            souk_text id = rig_text(&rig, rig.properties, "order_id");
            if (id.bytes == 0)
                id = rig_text(&rig, rig.properties, sold ? "receipt_id" : "original_receipt_id");
            uint64_t was = hash_of("sold", id), hash = sold ? was : hash_of("back", id);
            SOUK_CHECK(sold || has_receipt(&book, was));
            SOUK_CHECK(!has_receipt(&book, hash));
            SOUK_MUST(souk_mem_grow(test->mem, &book.receipts, &book.receipt_capacity,
                                    book.receipt_count + 1, 1 << 20, sizeof *book.receipts));
            book.receipts[book.receipt_count++] = hash;
            back += !sold;
        }
    SOUK_CHECK(back > 10);
    book_close(test, &book);
    rig_close(&rig);
}

/* ---- what was planted -------------------------------------------------------------------------------- */

/* Orders and receipts of people we know, and those of them with a category. */
struct count {
    uint64_t trips, with;
};

struct tally {
    struct count traits[LEAVES][2]; /* without and with the category's trait */
    struct count tastes[LEAVES][2]; /* below 35, above 65 */
    struct count promotions[2];     /* the same weekdays without and with, of those who respond */
    struct count complements[WORLD_COMPLEMENTS][2];
    struct count rival[2][2]; /* before and after; who does not like it spicy, who does */
};

static void count_one(struct count *count, bool with)
{
    count->trips++;
    count->with += with;
}

static double rate(const struct count *count)
{
    return count->trips ? (double)count->with / (double)count->trips : 0;
}

static uint64_t categories_of(struct rig *rig, bool *ret_rival)
{
    souk_json_node lines = rig_at(rig, rig->properties, "products");
    uint64_t bought = 0;
    for (souk_json_node line = souk_json_first(&rig->doc, lines); line != SOUK_JSON_NONE;
         line = souk_json_next(&rig->doc, line)) {
        souk_text category = rig_text(rig, line, "category");
        for (uint32_t i = 0; i < LEAVES; i++)
            if (souk_text_equal(category, souk_text_of(world_leaves[i].path)))
                bought |= (uint64_t)1 << i;
        *ret_rival |= souk_text_equal(category, SOUK_TEXT("Snacks/Salty")) &&
                      souk_text_equal(rig_text(rig, line, "brand"), SOUK_TEXT("Redpepper"));
    }
    return bought;
}

static void count_trip(struct rig *rig, const struct world_person *person,
                       const struct world_today *today, struct tally *tally)
{
    bool rival = false;
    uint64_t bought = categories_of(rig, &rival);
    for (uint32_t i = 0; i < LEAVES; i++) {
        const struct world_leaf *leaf = &world_leaves[i];
        uint8_t taste = person->tastes[leaf->taste];
        bool with = bought >> i & 1;
        count_one(&tally->traits[i][world_has(person, leaf->trait)], with);
        if (taste < 35 || taste > 65)
            count_one(&tally->tastes[i][taste > 65], with);
        if (leaf->interval_days == 0 && person->response)
            count_one(&tally->promotions[today->extra_percent[i] > 0], with);
    }
    for (uint32_t i = 0; i < WORLD_COMPLEMENTS; i++) {
        const struct world_complement *pair = &world_complements[i];
        bool fits =
            world_has(person, world_leaves[pair->effect].trait); /* as nappies have babies */
        if (fits)
            count_one(&tally->complements[i][bought >> pair->cause & 1],
                      bought >> pair->effect & 1);
    }
    if (bought >> WORLD_RIVAL_LEAF & 1)
        count_one(&tally->rival[today->risen][person->tastes[SPICY] >= WORLD_RIVAL_TASTE], rival);
}

#define TRACK "{\"type\":\"track\",\"event\":\""

static void count_world(souk_test *test, struct rig *rig, struct tally *tally)
{
    struct book book;
    struct world_person person;
    book_open(test, rig, &book);
    for (uint32_t day = 0; day < rig->world->options.days; day++) {
        struct world_today today = world_today_of(rig->world, (int32_t)day);
        for (rig_day(rig, day); rig->rest.bytes;) {
            souk_text line = souk_text_cut(&rig->rest, '\n');
            if (!souk_text_starts(line, SOUK_TEXT(TRACK "Receipt Issued")) &&
                !souk_text_starts(line, SOUK_TEXT(TRACK "Order Completed")))
                continue;
            rig_read(rig, line);
            uint32_t who = who_is_it(rig, &book);
            if (who == NOBODY)
                continue;
            world_person_of(rig->world, who, &person);
            count_trip(rig, &person, &today, tally);
        }
    }
    book_close(test, &book);
}

SOUK_TEST("traits, tastes, promotions, complements and the rival's rise raise what they should")
{
    static const struct {
        enum world_leaf_name leaf;
        double least;
    } traits[] = {{LEAF_SUV, 5},      {LEAF_CAR_CARE, 3}, {LEAF_NAPPIES, 15},
                  {LEAF_FORMULA, 15}, {LEAF_TOYS, 3},     {LEAF_SCHOOL, 3},
                  {LEAF_MAKE_UP, 4},  {LEAF_SHAVING, 3},  {LEAF_VITAMINS, 2}};
    static const enum world_leaf_name tastes[] = {LEAF_SALTY, LEAF_SWEET, LEAF_NOODLES,
                                                  LEAF_FRUIT, LEAF_MEAT,  LEAF_NUTS};
    static struct tally tally;
    struct rig rig;
    memset(&tally, 0, sizeof tally);
    rig_open(&rig, test, 3000, 60, 1);
    count_world(test, &rig, &tally);
    for (size_t i = 0; i < sizeof traits / sizeof *traits; i++) {
        struct count *of = tally.traits[traits[i].leaf];
        SOUK_CHECK(of[0].with > 0); /* never for certain */
        SOUK_CHECK(rate(&of[1]) > traits[i].least * rate(&of[0]));
    }
    for (size_t i = 0; i < sizeof tastes / sizeof *tastes; i++)
        SOUK_CHECK(rate(&tally.tastes[tastes[i]][1]) > 1.4 * rate(&tally.tastes[tastes[i]][0]));
    for (size_t i = 0; i < WORLD_COMPLEMENTS; i++) {
        struct count *of = tally.complements[i];
        SOUK_CHECK(rate(&of[1]) > 0.7 * world_complements[i].factor * rate(&of[0]));
    }
    SOUK_CHECK(rate(&tally.promotions[1]) > 1.3 * rate(&tally.promotions[0]));
    SOUK_CHECK(rate(&tally.rival[1][1]) > 3 * rate(&tally.rival[0][1]));
    SOUK_CHECK(rate(&tally.rival[1][0]) < 1.5 * rate(&tally.rival[0][0])); /* for the reason told */
    rig_close(&rig);
}

/* ---- truth.json -------------------------------------------------------------------------------------- */

SOUK_TEST("truth.json tells what was planted, and counts the people as they are")
{
    struct rig rig;
    rig_open(&rig, test, 2000, 30, 1);
    souk_world_truth(rig.world, &rig.lines);
    SOUK_MUST(souk_buf_check(&rig.lines));
    rig.rest = souk_buf_view(&rig.lines);
    SOUK_CHECK(rig_next(&rig));
    souk_json_node rise = rig_at(&rig, rig.event, "brand_rise");
    SOUK_CHECK_TEXT(rig_text(&rig, rise, "brand"), "Redpepper");
    SOUK_CHECK_TEXT(rig_text(&rig, rise, "variety"), "Chilli");
    SOUK_CHECK_TEXT(rig_text(&rig, rise, "from"), "2024-01-16");
    SOUK_CHECK_TEXT(rig_text(&rig, rig.event, "first_day"), "2024-01-01");
    SOUK_CHECK(souk_json_count(&rig.doc, rig_at(&rig, rig.event, "promotions")) == 8);
    SOUK_CHECK(souk_json_count(&rig.doc, rig_at(&rig, rig.event, "categories")) == LEAVES);
    souk_json_node people = rig_at(&rig, rig.event, "people");
    int64_t sum = rig_hundredths(&rig, people, "members") + rig_hundredths(&rig, people, "guests") +
                  rig_hundredths(&rig, people, "card_holders");
    SOUK_CHECK(sum == 200000);
    rig_close(&rig);
}
