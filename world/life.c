/* life.c - a day: who goes out, which moments that has, and all of them in the order of time.
 *
 *   in a store   enters; entrance, departments of the basket and sometimes another, till: enters and leaves each,
 *                picks up some of what she buys; receipt
 *   online       says who she is, or is remembered, or is nobody; searches, views, adds; cart, checkout, order
 *   looking      views and sometimes a cart that is left
 *   a return     of something of an order or a receipt of the last days */
#include "world/inside.h"

enum {
    PERSON_MOMENTS = 400, /* at most: far above what a day can hold */
    PERSON_TRIPS = 4,
    PERSON_LINES = PERSON_TRIPS * WORLD_LINES,
    MOMENTS_MOST = 1 << 30,
    CALENDAR = WORLD_RETURN_LAST + WORLD_LOOK_BACK + 1,
};

struct living {
    const souk_world *world;
    souk_world_day *day;
    const struct world_person *person;
    struct world_today calendar[CALENDAR]; /* the last is today */
    world_dice dice;                       /* of the trip that is being told */
    uint32_t at_ms;
};

static const struct world_today *day_of(const struct living *l, int32_t number)
{
    return &l->calendar[CALENDAR - 1 - (l->day->number - number)];
}

/* ---- notes ------------------------------------------------------------------------------------------- */

static struct world_trip *start_trip(struct living *l, uint32_t at_ms)
{
    souk_world_day *day = l->day;
    struct world_trip *trip = &day->trips[day->trip_count++];
    *trip = (struct world_trip){.person = l->person->number,
                                .household = l->person->household,
                                .first_line = (uint32_t)day->line_count,
                                .card_of = l->person->number,
                                .bought = day->number};
    l->at_ms = at_ms;
    return trip;
}

static void note(struct living *l, uint32_t after_ms, enum world_what what, uint32_t item,
                 uint32_t value)
{
    souk_world_day *day = l->day;
    l->at_ms += after_ms;
    souk_assert(day->moment_count < day->moment_room && l->at_ms < SOUK_DAY_MS);
    day->moments[day->moment_count++] = (struct world_moment){.at_ms = l->at_ms,
                                                              .trip = (uint32_t)day->trip_count - 1,
                                                              .value = (uint16_t)value,
                                                              .what = (uint8_t)what,
                                                              .item = (uint8_t)item};
}

/* least_s to least_s + more_s. */
static uint32_t some_ms(struct living *l, uint32_t least_s, uint32_t more_s)
{
    return least_s * 1000 + world_below(&l->dice, more_s * 1000);
}

/* ---- hours ------------------------------------------------------------------------------------------- */

/* How many come in an hour from 7: shops fill at noon and after work, screens in the evening. */
static const uint32_t store_rhythm[16] = {4, 7, 9, 10, 11, 12, 9, 8, 8, 9, 12, 14, 11, 7, 4, 0};
static const uint32_t online_rhythm[16] = {4, 5, 6, 6, 7, 9, 8, 6, 6, 6, 6, 7, 9, 12, 13, 10};
enum { FIRST_HOUR = 7, LAST_HOUR = 22, HOUR_MS = 3600000 };

/* Some moment in hours [from, to). */
static uint32_t throw_start(struct living *l, const uint32_t *rhythm, uint32_t from, uint32_t to)
{
    uint32_t sum = 0;
    for (uint32_t hour = from; hour < to; hour++)
        sum += rhythm[hour - FIRST_HOUR];
    uint32_t hour = from + world_pick(&l->dice, rhythm + from - FIRST_HOUR, sum);
    return hour * HOUR_MS + world_below(&l->dice, HOUR_MS);
}

static uint32_t throw_store_start(struct living *l, uint32_t store)
{
    const struct world_store *at = &l->world->stores[store];
    return throw_start(l, store_rhythm, at->open, at->close - 1u); /* an hour is enough for all */
}

/* ---- trips ------------------------------------------------------------------------------------------- */

/* The day of the trip before that day, as far as one may look back. */
static int32_t last_trip(const struct living *l, int32_t number)
{
    int32_t last = number - 1;
    while (last > number - WORLD_LOOK_BACK &&
           !(world_outing_of(l->world, l->person, day_of(l, last)) & SHOPS))
        last--;
    return last;
}

static uint8_t fill_basket(struct living *l)
{
    souk_world_day *day = l->day;
    uint32_t count = world_basket_of(l->world, l->person, day_of(l, day->number),
                                     last_trip(l, day->number), day->lines + day->line_count);
    day->line_count += count;
    return (uint8_t)count;
}

/* A card of hers, sometimes the partner's, often none. */
static void show_card(struct living *l, struct world_trip *trip)
{
    const struct world_person *shows = l->person;
    struct world_person partner;
    if (shows->couple && world_percent(&l->dice, 8)) {
        world_person_of(l->world, shows->number ^ 1, &partner);
        shows = &partner;
    }
    if (shows->cards == 0 || !world_percent(&l->dice, 86))
        return;
    trip->known |= KNOWN_CARD;
    trip->card_of = shows->number;
    trip->card = shows->cards > 1 && world_percent(&l->dice, 30);
}

static void visit_zone(struct living *l, const struct world_trip *trip, uint32_t zone,
                       uint32_t dwell_ms)
{
    const struct world_line *lines = l->day->lines + trip->first_line;
    uint32_t told_ms = 0;
    note(l, some_ms(l, 3, 12), ENTERS_ZONE, zone, 0);
    for (uint32_t i = 0; i < trip->line_count; i++)
        if (l->world->zone[lines[i].leaf] == zone && world_percent(&l->dice, 60)) {
            uint32_t after_ms = dwell_ms / (WORLD_LINES + 1u);
            told_ms += after_ms;
            note(l, after_ms, PICKS_UP, i, lines[i].product);
        }
    note(l, dwell_ms - told_ms, LEAVES_ZONE, zone, dwell_ms / 1000);
}

static void go_to_store(struct living *l)
{
    const souk_world *world = l->world;
    l->dice = world_dice_of(world->key, l->person->number, l->day->number, WORLD_TRIP);
    uint32_t store = world_store_of(world, l->person, l->day->number);
    struct world_trip *trip = start_trip(l, throw_store_start(l, store));
    trip->store = store;
    trip->line_count = fill_basket(l);
    trip->device = APP;
    if (l->person->devices >> APP & 1 &&
        world_consents_on(l->person, l->day->number) >> RECOGNISE & 1)
        trip->known |= KNOWN_USER | KNOWN_DEVICE;
    show_card(l, trip);
    note(l, 0, ENTERS_STORE, 0, 0);
    visit_zone(l, trip, 0, some_ms(l, 3, 20));
    for (uint32_t zone = 1; zone + 1 < world->zone_count; zone++) {
        bool buys = false;
        for (uint32_t i = 0; i < trip->line_count; i++)
            buys |= world->zone[l->day->lines[trip->first_line + i].leaf] == zone;
        if (world_percent(&l->dice, 12) || buys)
            visit_zone(l, trip, zone, buys ? some_ms(l, 25, 110) : some_ms(l, 5, 60));
    }
    if (trip->line_count == 0)
        return; /* she only looked */
    visit_zone(l, trip, world->zone_count - 1, some_ms(l, 25, 150));
    note(l, some_ms(l, 1, 4), RECEIVES, 0, 0);
}

/* Which screen; is she logged in, remembered, or nobody to us? */
static void sit_down(struct living *l, struct world_trip *trip)
{
    uint32_t nth = world_below(&l->dice, 4), device = nth;
    while (!(l->person->devices >> device & 1))
        device = (device + 1) % DEVICES;
    trip->device = (uint8_t)device;
    trip->known = KNOWN_DEVICE;
    bool member = l->person->kind == MEMBER, known = world_percent(&l->dice, 64);
    bool says = world_percent(&l->dice, 45), mistypes = world_percent(&l->dice, 30);
    if (!member || !(known || device == APP))
        return;
    trip->known |= KNOWN_USER;
    if (l->person->typos && mistypes)
        trip->known |= MISTYPED;
    if (says || trip->known & MISTYPED)
        note(l, 0, SAYS_WHO, 0, 0);
}

static void order_online(struct living *l)
{
    l->dice = world_dice_of(l->world->key, l->person->number, l->day->number, WORLD_TRIP);
    uint32_t start_ms = throw_start(l, online_rhythm, FIRST_HOUR, LAST_HOUR + 1);
    struct world_trip *trip = start_trip(l, start_ms);
    const struct world_line *lines = l->day->lines + trip->first_line;
    trip->line_count = fill_basket(l);
    sit_down(l, trip);
    for (uint32_t i = 0; i < trip->line_count; i++) {
        if (world_percent(&l->dice, 30))
            note(l, some_ms(l, 3, 25), SEARCHES, i, lines[i].product);
        if (world_percent(&l->dice, 35)) {
            uint16_t other = world_choose_product(l->world, l->person, day_of(l, l->day->number),
                                                  lines[i].leaf, &l->dice);
            note(l, some_ms(l, 2, 15), VIEWS, i, other);
        }
        note(l, some_ms(l, 2, 20), VIEWS, i, lines[i].product);
        note(l, some_ms(l, 2, 15), ADDS, i, lines[i].product);
    }
    if (trip->line_count == 0)
        return;
    note(l, some_ms(l, 3, 30), LOOKS_AT_CART, 0, 0);
    note(l, some_ms(l, 3, 30), STARTS_CHECKOUT, 0, 0);
    note(l, some_ms(l, 20, 100), ORDERS, 0, 0);
}

static void look_around(struct living *l)
{
    const struct world_today *today = day_of(l, l->day->number);
    uint32_t interests[LEAVES], sum = 0;
    l->dice = world_dice_of(l->world->key, l->person->number, l->day->number, WORLD_BROWSE);
    struct world_trip *trip =
        start_trip(l, throw_start(l, online_rhythm, FIRST_HOUR, LAST_HOUR + 1));
    sit_down(l, trip);
    for (uint32_t i = 0; i < LEAVES; i++)
        sum += interests[i] = world_interest(l->person, today, i);
    for (uint32_t left = 1 + world_below(&l->dice, 6); left; left--) {
        uint32_t leaf = world_pick(&l->dice, interests, sum);
        uint16_t product = world_choose_product(l->world, l->person, today, leaf, &l->dice);
        if (world_percent(&l->dice, 22))
            note(l, some_ms(l, 3, 25), SEARCHES, 0, product);
        note(l, some_ms(l, 3, 50), VIEWS, 0, product);
        if (!world_percent(&l->dice, 12) || trip->line_count == WORLD_LINES)
            continue;
        uint32_t price = l->world->products[product].price_minor;
        l->day->lines[l->day->line_count++] =
            (struct world_line){.price_minor = price - price * today->discount_percent[leaf] / 100,
                                .product = product,
                                .quantity = 1,
                                .leaf = (uint8_t)leaf};
        note(l, some_ms(l, 2, 15), ADDS, trip->line_count++, product);
    }
    if (trip->line_count)
        note(l, some_ms(l, 3, 30), LOOKS_AT_CART, 0, 0); /* and leaves it */
}

/* ---- returns ----------------------------------------------------------------------------------------- */

/* Of what she bought on that day, one line comes back today. */
static void bring_back(struct living *l, int32_t bought)
{
    souk_world_day *day = l->day;
    unsigned outing = world_outing_of(l->world, l->person, day_of(l, bought));
    struct world_line lines[WORLD_LINES];
    uint32_t count = outing & SHOPS ? world_basket_of(l->world, l->person, day_of(l, bought),
                                                      last_trip(l, bought), lines)
                                    : 0;
    if (count == 0)
        return;
    uint32_t store = world_store_of(l->world, l->person, bought);
    bool online = outing & ONLINE;
    struct world_trip *trip =
        start_trip(l, online ? throw_start(l, online_rhythm, FIRST_HOUR, LAST_HOUR + 1)
                             : throw_store_start(l, store));
    trip->store = store;
    trip->bought = bought;
    trip->line_count = 1;
    day->lines[day->line_count++] = lines[world_below(&l->dice, count)];
    if (online && l->person->kind == MEMBER)
        trip->known = KNOWN_USER;
    else if (!online)
        show_card(l, trip);
    else
        sit_down(l, trip);
    note(l, 0, online ? REFUNDED : BRINGS_BACK, 0, 0);
}

/* The throw of each day behind says whether and when something of it comes back; at most one a day. */
static void return_something(struct living *l)
{
    for (int32_t after = WORLD_RETURN_FIRST; after <= WORLD_RETURN_LAST; after++) {
        int32_t bought = l->day->number - after;
        if (bought < 0)
            return;
        l->dice = world_dice_of(l->world->key, l->person->number, bought, WORLD_RETURN);
        if (world_below(&l->dice, 1000) < WORLD_RETURN_PERMILLE &&
            world_below(&l->dice, WORLD_RETURN_LAST - WORLD_RETURN_FIRST + 1) ==
                (uint32_t)(after - WORLD_RETURN_FIRST)) {
            bring_back(l, bought);
            return;
        }
    }
}

/* ---- everybody --------------------------------------------------------------------------------------- */

static souk_err make_room(souk_world_day *day)
{
    SOUK_TRY(souk_mem_grow(day->mem, &day->moments, &day->moment_room,
                           day->moment_count + PERSON_MOMENTS, MOMENTS_MOST, sizeof *day->moments));
    SOUK_TRY(souk_mem_grow(day->mem, &day->trips, &day->trip_room, day->trip_count + PERSON_TRIPS,
                           MOMENTS_MOST, sizeof *day->trips));
    return souk_mem_grow(day->mem, &day->lines, &day->line_room, day->line_count + PERSON_LINES,
                         MOMENTS_MOST, sizeof *day->lines);
}

/* By their time, those of one time as they were: three passes over 9 bits each. */
static souk_err sort_moments(souk_world_day *day)
{
    enum { BITS = 9, SLOTS = 1 << BITS };
    SOUK_TRY(souk_mem_grow(day->mem, &day->sorting, &day->sorting_room, day->moment_count,
                           MOMENTS_MOST, sizeof *day->sorting));
    for (unsigned shift = 0; shift < 3 * BITS; shift += BITS) {
        size_t starts[SLOTS + 1] = {0};
        for (size_t i = 0; i < day->moment_count; i++)
            starts[(day->moments[i].at_ms >> shift) % SLOTS + 1]++;
        for (size_t i = 1; i < SLOTS; i++)
            starts[i] += starts[i - 1];
        for (size_t i = 0; i < day->moment_count; i++)
            day->sorting[starts[(day->moments[i].at_ms >> shift) % SLOTS]++] = day->moments[i];
        struct world_moment *sorted = day->sorting;
        size_t room = day->sorting_room;
        day->sorting = day->moments;
        day->sorting_room = day->moment_room;
        day->moments = sorted;
        day->moment_room = room;
    }
    return SOUK_OK;
}

souk_err souk_world_live(const souk_world *world, uint32_t number, uint32_t first, uint32_t end,
                         souk_world_day *day)
{
    struct world_person person;
    struct living l = {.world = world, .day = day, .person = &person};
    souk_assert(number < world->options.days && first <= end && end <= world->options.shoppers);
    day->number = (int32_t)number;
    day->moment_count = day->trip_count = day->line_count = 0;
    for (int32_t i = 0; i < CALENDAR; i++)
        l.calendar[i] = world_today_of(world, day->number - (CALENDAR - 1) + i);
    for (uint32_t i = first; i < end; i++) {
        world_person_of(world, i, &person);
        SOUK_TRY(make_room(day));
        unsigned outing = world_outing_of(world, &person, day_of(&l, day->number));
        if (outing & SHOPS && outing & ONLINE)
            order_online(&l);
        else if (outing & SHOPS)
            go_to_store(&l);
        if (outing & BROWSES)
            look_around(&l);
        return_something(&l);
    }
    return sort_moments(day);
}

/* ---- life of the structs ----------------------------------------------------------------------------- */

souk_err souk_world_day_new(souk_mem *mem, souk_world_day **ret_day)
{
    souk_world_day *day = souk_mem_get(mem, sizeof *day);
    if (!day)
        return SOUK_ENOMEM;
    day->mem = mem;
    *ret_day = day;
    return SOUK_OK;
}

void souk_world_day_free(souk_world_day *day)
{
    if (!day)
        return;
    souk_mem_put(day->mem, day->moments);
    souk_mem_put(day->mem, day->sorting);
    souk_mem_put(day->mem, day->trips);
    souk_mem_put(day->mem, day->lines);
    souk_mem_put(day->mem, day);
}

uint64_t souk_world_day_events(const souk_world_day *day)
{
    return day->moment_count;
}

static souk_err check_options(const souk_world_options *options, souk_diag *diag)
{
    const struct {
        const char *name;
        uint32_t value, most;
    } ranges[] = {{"shoppers", options->shoppers, SOUK_WORLD_SHOPPERS_MOST},
                  {"stores", options->stores, SOUK_WORLD_STORES_MOST},
                  {"days", options->days, SOUK_WORLD_DAYS_MOST}};
    for (size_t i = 0; i < 3; i++)
        if (ranges[i].value == 0 || ranges[i].value > ranges[i].most)
            return souk_diag_say(diag, SOUK_EINVAL, "%u %s: give 1 to %u", ranges[i].value,
                                 ranges[i].name, ranges[i].most);
    return SOUK_OK;
}

souk_err souk_world_new(souk_mem *mem, const souk_world_options *options, souk_world **ret_world,
                        souk_diag *diag)
{
    SOUK_TRY(check_options(options, diag));
    souk_auto(souk_world) world = souk_mem_get(mem, sizeof *world);
    if (!world)
        return SOUK_ENOMEM;
    world->mem = world->arena.mem = mem;
    world->options = *options;
    world->key = souk_mix64(options->seed + 0x736f756b);
    world->rise_day = options->days / 2;
    uint64_t all =
        souk_mix64((uint64_t)options->shoppers << 32 | options->days << 16 | options->stores);
    char hex[16];
    world_put_hex(hex, souk_mix64(world->key ^ all));
    world->message_prefix[0] = 'w';
    memcpy(world->message_prefix + 1, hex, 8);
    SOUK_TRY(world_fill_shelves(world));
    *ret_world = souk_take(&world);
    return SOUK_OK;
}

void souk_world_free(souk_world *world)
{
    if (!world)
        return;
    souk_mem_put(world->mem, world->products);
    souk_mem_put(world->mem, world->stores);
    souk_arena_done(&world->arena);
    souk_mem_put(world->mem, world);
}
