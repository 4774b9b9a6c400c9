/* spine_consent_list_test.c - lists of consents: in order, once, and never an old yes over a newer no. */
#include "core/spine.h"

#include "test/test.h"

#include <stdio.h>

struct shop {
    souk_test *test;
    souk_disk *disk;
    souk_spine *spine;
    souk_clock_fake clock;
    unsigned messages;
};

static void shop_open(struct shop *shop, souk_test *test)
{
    *shop = (struct shop){.test = test};
    souk_clock_fake_init(&shop->clock, 5000000);
    souk_spine_options options = {.clock = &shop->clock.clock,
                                  .ledger = {.no_thread = true, .readers = 1},
                                  .vault = {.block_slots = 64}};
    SOUK_MUST(souk_disk_open_sim(souk_mem_heap(), 11, &shop->disk));
    SOUK_MUST(souk_spine_init(souk_mem_heap(), shop->disk, &options, NULL));
    SOUK_MUST(souk_spine_open(souk_mem_heap(), shop->disk, &options, &shop->spine, NULL));
}

static void shop_close(struct shop *shop)
{
    souk_spine_free(shop->spine);
    souk_disk_free(shop->disk);
}

static void meet(struct shop *shop, const char *user)
{
    souk_test *test = shop->test;
    char message[16];
    const souk_hashes *hashes = souk_spine_hashes(shop->spine);
    souk_event event = {.type = SOUK_TEXT("Identify"), .at = 1000};
    souk_batch batch = {.source = 0, .events = &event, .count = 1};
    snprintf(message, sizeof message, "m%u", ++shop->messages);
    event.message = souk_hashes_message(hashes, 0, souk_text_of(message));
    souk_event_identify(&event, hashes, SOUK_ID_USER, souk_text_of(user));
    SOUK_MUST(souk_spine_write(shop->spine, &batch));
}

static bool may(struct shop *shop, const char *user, const char *purpose)
{
    souk_test *test = shop->test;
    static souk_person person;
    souk_grant grant;
    souk_purpose wanted;
    const souk_consent *consent = souk_spine_consent(shop->spine);
    if (souk_consent_purpose(consent, souk_text_of(purpose), &wanted))
        return false;
    SOUK_MUST(souk_spine_find(shop->spine, SOUK_ID_USER, souk_text_of(user), &person));
    souk_index *index = souk_spine_index(shop->spine);
    souk_index_read(index);
    souk_err err =
        souk_consent_ask(consent, index, &person, wanted, SOUK_OPERATOR, 5000000, &grant, NULL);
    souk_index_read_done(index);
    return err == SOUK_OK;
}

static souk_consent_told row(const char *user, const char *purpose, souk_basis basis, souk_time at)
{
    return (souk_consent_told){.kind = SOUK_ID_USER,
                               .value = souk_text_of(user),
                               .purpose = souk_text_of(purpose),
                               .row = {.controller = SOUK_OPERATOR,
                                       .basis = basis,
                                       .from = at,
                                       .evidence = SOUK_TEXT("form 12")},
                               .age = SOUK_AGE_UNKNOWN};
}

SOUK_TEST(
    "of a list the newest row holds, in whatever order it stands, and a second time adds nothing")
{
    struct shop shop;
    size_t stored;
    shop_open(&shop, test);
    meet(&shop, "ann");
    meet(&shop, "bob");
    souk_consent_told list[] = {
        row("ann", "profile", SOUK_BASIS_CONSENT, 100),
        row("ann", "profile", SOUK_BASIS_WITHDRAWN, 200),
        row("bob", "profile", SOUK_BASIS_WITHDRAWN, 200), /* newest first */
        row("bob", "profile", SOUK_BASIS_CONSENT, 100),
        row("bob", "share:nestle", SOUK_BASIS_CONSENT, 100),
        row("cid", "profile", SOUK_BASIS_CONSENT, 100), /* whom nobody knows */
    };
    list[4].age = SOUK_AGE_ADULT; /* a party gets nothing of others */
    for (unsigned again = 0; again < 3; again++) {
        SOUK_MUST(souk_spine_consents_record(shop.spine, list, 6, &stored));
        SOUK_CHECK(stored == (again ? 0 : 4));
        SOUK_CHECK(!may(&shop, "ann", "profile") && !may(&shop, "bob", "profile"));
        SOUK_CHECK(may(&shop, "bob", "share:nestle") && !may(&shop, "ann", "share:nestle"));
    }
    const souk_consent_told newer[] = {row("ann", "profile", SOUK_BASIS_CONSENT, 300)};
    SOUK_MUST(souk_spine_consents_record(shop.spine, newer, 1, &stored));
    SOUK_CHECK(stored == 1 && may(&shop, "ann", "profile"));
    SOUK_MUST(souk_spine_consents_record(shop.spine, list, 6, &stored));
    SOUK_CHECK(stored == 0 && may(&shop, "ann", "profile"));
    shop_close(&shop);
}

SOUK_TEST("a withdrawal in a list goes to both of two who are one, a grant to the one that gave it")
{
    struct shop shop;
    size_t stored;
    souk_person *ann = souk_mem_get(souk_mem_heap(), 2 * sizeof *ann), *bob = ann + 1;
    shop_open(&shop, test);
    meet(&shop, "ann");
    meet(&shop, "bob");
    SOUK_MUST(souk_spine_find(shop.spine, SOUK_ID_USER, SOUK_TEXT("ann"), ann));
    SOUK_MUST(souk_spine_find(shop.spine, SOUK_ID_USER, SOUK_TEXT("bob"), bob));
    SOUK_MUST(souk_spine_merge(shop.spine, ann->shopper, bob->shopper, SOUK_TEXT("me"),
                               SOUK_TEXT("same")));
    souk_consent_told list[] = {row("bob", "profile", SOUK_BASIS_CONSENT, 100)};
    SOUK_MUST(souk_spine_consents_record(shop.spine, list, 1, &stored));
    SOUK_CHECK(stored == 1 && !may(&shop, "ann", "profile")); /* ann said nothing */
    list[0] = row("ann", "profile", SOUK_BASIS_CONSENT, 100);
    SOUK_MUST(souk_spine_consents_record(shop.spine, list, 1, &stored));
    SOUK_CHECK(stored == 1 && may(&shop, "bob", "profile"));
    list[0] = row("ann", "profile", SOUK_BASIS_WITHDRAWN, 200);
    SOUK_MUST(souk_spine_consents_record(shop.spine, list, 1, &stored));
    SOUK_MUST(souk_spine_unmerge(shop.spine, ann->shopper, SOUK_TEXT("me"), SOUK_TEXT("not")));
    SOUK_CHECK(stored == 1 && !may(&shop, "ann", "profile") && !may(&shop, "bob", "profile"));
    souk_mem_put(souk_mem_heap(), ann);
    shop_close(&shop);
}

SOUK_TEST("an age that a list tells counts with its row, and not with one that was overtaken")
{
    struct shop shop;
    size_t stored;
    shop_open(&shop, test);
    meet(&shop, "ann");
    souk_consent_told told = row("ann", "advertise", SOUK_BASIS_CONSENT, 100);
    SOUK_MUST(souk_spine_consents_record(shop.spine, &told, 1, &stored));
    SOUK_CHECK(!may(&shop, "ann", "advertise")); /* of what age? */
    told.row.from = 200;
    told.age = SOUK_AGE_ADULT;
    SOUK_MUST(souk_spine_consents_record(shop.spine, &told, 1, &stored));
    SOUK_CHECK(may(&shop, "ann", "advertise"));
    told.row.from = 150;
    told.age = SOUK_AGE_MINOR;
    SOUK_MUST(souk_spine_consents_record(shop.spine, &told, 1, &stored));
    SOUK_CHECK(stored == 0 && may(&shop, "ann", "advertise"));
    told.row.from = 300;
    SOUK_MUST(souk_spine_consents_record(shop.spine, &told, 1, &stored));
    SOUK_CHECK(stored == 1 && !may(&shop, "ann", "advertise"));
    shop_close(&shop);
}

SOUK_TEST("a list with a row that cannot be is refused whole, and what held before still holds")
{
    struct shop shop;
    size_t stored = 77;
    shop_open(&shop, test);
    meet(&shop, "ann");
    const souk_consent_told good = row("ann", "profile", SOUK_BASIS_CONSENT, 100);
    SOUK_MUST(souk_spine_consents_record(shop.spine, &good, 1, &stored));
    const souk_consent_told list[] = {row("ann", "profile", SOUK_BASIS_WITHDRAWN, 200),
                                      row("ann", "serve", SOUK_BASIS_WITHDRAWN, 200)};
    SOUK_CHECK_ERR(souk_spine_consents_record(shop.spine, list, 2, &stored), SOUK_EINVAL);
    SOUK_CHECK(stored == 1 && may(&shop, "ann", "profile"));
    const souk_consent_told nobody[] = {row("ann", "share:", SOUK_BASIS_CONSENT, 200)};
    SOUK_CHECK_ERR(souk_spine_consents_record(shop.spine, nobody, 1, &stored), SOUK_EINVAL);
    SOUK_MUST(souk_spine_verify(shop.spine, NULL, NULL, NULL));
    shop_close(&shop);
}
