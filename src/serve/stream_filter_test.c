/* stream_filter_test.c - filters in drawers beside filters asked one by one. */
#include "test/test.h"

#include "serve/stream_filter.h"

#include <stdio.h>

enum { FILTERS = 200, WORDS = 12, MERCHANTS = 3 };

struct named_filter {
    char words[4][8]; /* type, source, store, product; "" any */
    char second_type[8];
    uint32_t merchant;
    stream_want *want;
    bool taken;
};

struct world {
    souk_test *test;
    stream_index *index;
    struct named_filter filters[FILTERS];
};

struct plain_event {
    uint32_t merchant;
    char type[8], source[8], store[8], products[3][8];
    size_t product_count;
};

static void word(souk_test *test, const char *prefix, bool maybe, char to[8])
{
    to[0] = '\0';
    if (!maybe || test_random(test, 2))
        snprintf(to, 8, "%s%u", prefix, (unsigned)test_random(test, WORDS));
}

static bool equal_or_any(const char *wanted, const char *has)
{
    return !wanted[0] || !strcmp(wanted, has);
}

/* The dumb model. */
static bool wants(const struct named_filter *filter, const struct plain_event *event)
{
    bool product = !filter->words[3][0];
    for (size_t i = 0; i < event->product_count; i++)
        product |= !strcmp(filter->words[3], event->products[i]);
    bool type = equal_or_any(filter->words[0], event->type) ||
                (filter->second_type[0] && !strcmp(filter->second_type, event->type));
    return product && type && equal_or_any(filter->words[1], event->source) &&
           equal_or_any(filter->words[2], event->store) &&
           (!filter->merchant || filter->merchant == event->merchant);
}

static void add(struct world *world, struct named_filter *filter)
{
    souk_test *test = world->test;
    static const char *const prefixes[] = {"T", "so", "st", "p"};
    for (size_t i = 0; i < 4; i++)
        word(test, prefixes[i], true, filter->words[i]);
    filter->second_type[0] = '\0';
    if (filter->words[0][0])
        word(test, "T", true, filter->second_type);
    filter->merchant = (uint32_t)test_random(test, MERCHANTS + 1);
    stream_filter asked = {
        .merchant = filter->merchant,
        .types = {souk_text_of(filter->words[0]), souk_text_of(filter->second_type)},
        .type_count = filter->second_type[0] ? 2 : filter->words[0][0] != '\0',
        .source = souk_text_of(filter->words[1]),
        .store = souk_text_of(filter->words[2]),
        .product = souk_text_of(filter->words[3])};
    SOUK_MUST(stream_index_add(world->index, &asked, filter, &filter->want));
}

static void take(void *context, void *owner)
{
    struct world *world = context;
    struct named_filter *filter = owner;
    souk_test *test = world->test;
    SOUK_CHECK(!filter->taken); /* once */
    filter->taken = true;
}

static void make_event(souk_test *test, struct plain_event *event)
{
    *event = (struct plain_event){.merchant = 1 + (uint32_t)test_random(test, MERCHANTS)};
    word(test, "T", false, event->type);
    word(test, "so", false, event->source);
    word(test, "st", true, event->store);
    event->product_count = test_random(test, 4);
    for (size_t i = 0; i < event->product_count; i++)
        word(test, "p", false, event->products[i]);
}

static stream_facets facets_of(const stream_index *index, const struct plain_event *event)
{
    stream_facets facets = {
        .merchant = event->merchant,
        .type = stream_index_name(index, STREAM_TYPE, souk_text_of(event->type)),
        .source = stream_index_name(index, STREAM_SOURCE, souk_text_of(event->source)),
        .store = stream_index_name(index, STREAM_STORE, souk_text_of(event->store)),
        .product_count = event->product_count};
    for (size_t i = 0; i < event->product_count; i++)
        facets.products[i] =
            stream_index_name(index, STREAM_PRODUCT, souk_text_of(event->products[i]));
    return facets;
}

/* How many answers of the index differ from the model's; planted: it is asked about another store. */
static unsigned differences(souk_test *test, bool planted)
{
    struct world world = {.test = test};
    unsigned wrong = 0, matched = 0;
    SOUK_MUST(stream_index_new(test->mem, &world.index));
    for (int round = 0; round < 2000; round++) {
        struct named_filter *filter = &world.filters[test_random(test, FILTERS)];
        struct plain_event event;
        if (filter->want)
            stream_index_remove(world.index, souk_take(&filter->want));
        else
            add(&world, filter);
        make_event(test, &event);
        stream_facets facets = facets_of(world.index, &event);
        if (planted)
            facets.store = stream_index_name(world.index, STREAM_STORE, SOUK_TEXT("st1"));
        stream_index_match(world.index, &facets, take, &world);
        for (size_t i = 0; i < FILTERS; i++) {
            struct named_filter *each = &world.filters[i];
            wrong += each->taken != (each->want && wants(each, &event));
            matched += each->taken;
            each->taken = false;
        }
    }
    for (size_t i = 0; i < FILTERS; i++)
        stream_index_remove(world.index, world.filters[i].want);
    stream_index_free(world.index);
    SOUK_CHECK(matched > 1000);
    return wrong;
}

SOUK_TEST("filters in drawers want what filters asked one by one want, and an error is noticed")
{
    SOUK_CHECK(differences(test, false) == 0);
    SOUK_CHECK(differences(test, true) > 0);
}

SOUK_TEST("a name is known while a filter asks for it, and each change is another edition")
{
    souk_auto(stream_index) index = NULL;
    stream_want *want;
    SOUK_MUST(stream_index_new(test->mem, &index));
    uint32_t before = stream_index_edition(index);
    SOUK_CHECK(!stream_index_name(index, STREAM_STORE, SOUK_TEXT("S1")));
    stream_filter filter = {.store = SOUK_TEXT("S1")};
    SOUK_MUST(stream_index_add(index, &filter, NULL, &want));
    SOUK_CHECK(stream_index_name(index, STREAM_STORE, SOUK_TEXT("S1")));
    SOUK_CHECK(!stream_index_name(index, STREAM_TYPE, SOUK_TEXT("S1")));
    SOUK_CHECK(stream_index_edition(index) != before);
    stream_index_remove(index, want);
    SOUK_CHECK(!stream_index_name(index, STREAM_STORE, SOUK_TEXT("S1")));
}

SOUK_TEST("filters without memory leave nothing behind")
{
    stream_filter filter = {.types = {SOUK_TEXT("a"), SOUK_TEXT("b"), SOUK_TEXT("a")},
                            .type_count = 3,
                            .source = SOUK_TEXT("web"),
                            .store = SOUK_TEXT("S1"),
                            .product = SOUK_TEXT("P1")};
    SOUK_FAULT_LOOP (test) {
        stream_index *index = NULL;
        stream_want *want = NULL;
        souk_err err = stream_index_new(test->mem, &index);
        if (!err)
            err = stream_index_add(index, &filter, NULL, &want);
        if (!err)
            stream_index_remove(index, want);
        stream_index_free(index);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        test_fault_seen(test, err);
    }
}
