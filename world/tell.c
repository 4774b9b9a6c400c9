/* tell.c - moments become lines of JSON in the Segment form, by copying.
 *
 * A line is some 450 bytes, most of them the same in every line of its kind; so a line is put together of literals,
 * of a product's words that were made once, and of numbers written digit by digit.  Nothing needs to be escaped:
 * all texts are ours. */
#include "world/inside.h"

enum { LINE_BYTES = 8192 }; /* a line with a full basket has about 4,500 */

struct telling {
    const souk_world *world;
    const souk_world_day *day;
    const struct world_trip *trip;
    const struct world_line *lines; /* of the trip */
    const struct world_moment *moment;
    struct world_today today;
    char dates[2][11]; /* in UTC: of the hours before 08:00, and of the others */
    char number[4];    /* of the day */
};

static inline char *put_chars(char *at, const char *text, size_t bytes)
{
    memcpy(at, text, bytes);
    return at + bytes;
}
#define PUT(at, literal) put_chars((at), (literal), sizeof(literal) - 1)

static char *put_name(char *at, const char *text)
{
    return put_chars(at, text, strlen(text));
}

static char *put_number(char *at, uint32_t number)
{
    unsigned width = 1;
    for (uint32_t rest = number / 10; rest; rest /= 10)
        width++;
    return world_put_digits(at, number, width);
}

static char *put_money(char *at, uint32_t minor)
{
    at = put_number(at, minor / 100);
    *at++ = '.';
    return world_put_digits(at, minor % 100, 2);
}

static const struct world_product *product_of(const struct telling *t, uint32_t number)
{
    return &t->world->products[number];
}

/* ---- properties, each from the brace to the one before the last --------------------------------------- */

static char *put_product(char *at, const struct world_product *product, uint32_t price_minor)
{
    return put_money(put_chars(at, product->words.at, product->words.bytes), price_minor);
}

static char *put_line(const struct telling *t, char *at, const struct world_line *line)
{
    *at++ = '{';
    at = put_product(at, product_of(t, line->product), line->price_minor);
    at = PUT(at, ",\"quantity\":");
    *at++ = (char)('0' + line->quantity);
    *at++ = '}';
    return at;
}

static char *put_lines(const struct telling *t, char *at)
{
    at = PUT(at, ",\"currency\":\"CNY\",\"products\":[");
    for (uint32_t i = 0; i < t->trip->line_count; i++) {
        if (i)
            *at++ = ',';
        at = put_line(t, at, &t->lines[i]);
    }
    *at++ = ']';
    return at;
}

static char *put_total(const struct telling *t, char *at)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < t->trip->line_count; i++)
        sum += t->lines[i].price_minor * t->lines[i].quantity;
    return put_money(at, sum);
}

/* One to one: no two trips have the same, and none tells who it was. */
static char *put_trip_id(const struct telling *t, char *at, enum world_purpose purpose, int32_t day)
{
    world_dice salt = world_dice_of(t->world->key, 0, 0, purpose);
    uint64_t trip = (uint64_t)t->trip->person << 16 | (uint32_t)day;
    return world_put_hex(at, souk_mix64(world_throw(&salt) + trip));
}

static char *put_store(const struct telling *t, char *at)
{
    return put_name(PUT(at, "\"store_id\":\""), t->world->stores[t->trip->store].id);
}

static char *put_track(const struct telling *t, char *at)
{
    at = PUT(put_store(t, at), "\",\"track_id\":\"");
    return PUT(put_trip_id(t, at, WORLD_TRACK, t->day->number), "\"");
}

static char *put_zone(const struct telling *t, char *at, uint32_t zone)
{
    at = PUT(put_track(t, at), ",\"zone_id\":\"");
    return PUT(put_name(at, t->world->zones[zone]), "\"");
}

static char *tell_search(const struct telling *t, char *at)
{
    const struct world_product *product = product_of(t, t->moment->value);
    souk_text words = t->moment->at_ms % 3 ? product->variety_name : product->brand_name;
    at = put_chars(PUT(at, "\"query\":\""), words.at, words.bytes);
    return PUT(at, "\"");
}

static char *tell_view(const struct telling *t, char *at)
{
    const struct world_product *product = product_of(t, t->moment->value);
    uint32_t off = product->price_minor * t->today.discount_percent[product->leaf] / 100;
    return PUT(put_product(at, product, product->price_minor - off), ",\"currency\":\"CNY\"");
}

static char *tell_add(const struct telling *t, char *at)
{
    const struct world_line *line = &t->lines[t->moment->item];
    at = PUT(put_product(at, product_of(t, line->product), line->price_minor), ",\"quantity\":");
    *at++ = (char)('0' + line->quantity);
    return PUT(at, ",\"currency\":\"CNY\"");
}

static char *tell_cart(const struct telling *t, char *at)
{
    at = put_trip_id(t, PUT(at, "\"cart_id\":\"C-"), WORLD_TRACK, t->day->number);
    return put_lines(t, PUT(at, "\""));
}

static char *tell_order(const struct telling *t, char *at)
{
    at = put_trip_id(t, PUT(at, "\"order_id\":\"O-"), WORLD_RECEIPT, t->trip->bought);
    at = put_total(t, PUT(at, "\",\"revenue\":"));
    return put_lines(t, at);
}

static char *tell_receipt(const struct telling *t, char *at)
{
    static const char *const tenders[] = {"mobile", "mobile", "card", "cash"};
    bool back = t->moment->what == BRINGS_BACK;
    uint32_t till = 1 + t->moment->at_ms % 4, tender = t->moment->at_ms / 4 % 4;
    at = PUT(at, "\"receipt_id\":\"");
    at = back ? PUT(at, "B-") : PUT(at, "R-");
    at = put_trip_id(t, at, WORLD_RECEIPT, t->trip->bought);
    if (back) {
        at = PUT(at, "\",\"original_receipt_id\":\"R-");
        at = put_trip_id(t, at, WORLD_RECEIPT, t->trip->bought);
    }
    at = PUT(put_store(t, PUT(at, "\",")), "\",\"till_id\":\"T");
    at = put_total(t, PUT(put_number(at, till), "\",\"total\":"));
    at = put_name(PUT(put_lines(t, at), ",\"tenders\":[{\"type\":\""), tenders[tender]);
    return PUT(put_total(t, PUT(at, "\",\"amount\":")), "}]");
}

static char *tell_zone(const struct telling *t, char *at)
{
    return put_zone(t, at, t->moment->item);
}

static char *tell_dwell(const struct telling *t, char *at)
{
    return put_number(PUT(tell_zone(t, at), ",\"dwell_s\":"), t->moment->value);
}

static char *tell_pick(const struct telling *t, char *at)
{
    const struct world_line *line = &t->lines[t->moment->item];
    at = put_zone(t, at, t->world->zone[line->leaf]);
    *at++ = ',';
    return tell_add(t, at);
}

/* ---- who ---------------------------------------------------------------------------------------------- */

static char *tell_traits(const struct telling *t, const struct world_person *p, char *at)
{
    bool typo = t->trip->known & MISTYPED;
    at = world_put_email(t->world, p, typo && p->typos & TYPO_EMAIL, PUT(at, "\"email\":\""));
    at = PUT(at, "\",\"phone\":\"");
    at = world_put_phone(t->world, p->number, typo && p->typos & TYPO_PHONE, at);
    at = PUT(at, "\",\"firstName\":\"");
    at = world_put_first_name(p, typo && p->typos & TYPO_NAME, at);
    at = PUT(world_put_last_name(p, PUT(at, "\",\"lastName\":\"")), "\"");
    if (!p->answered)
        return at;
    at = put_name(PUT(at, ",\"age_band\":\""), world_age_names[p->age_band]);
    at = put_name(PUT(at, "\",\"household\":\""), p->child_count ? "family"
                                                  : p->couple    ? "couple"
                                                                 : "single");
    return PUT(put_name(PUT(at, "\",\"car\":\""), world_car_names[p->car]), "\"");
}

static char *put_consent(const struct telling *t, const struct world_person *p, char *at)
{
    unsigned consents = world_consents_on(p, t->day->number);
    at = PUT(at, ",\"consent\":{\"categoryPreferences\":{");
    for (unsigned i = 0; i < CONSENTS; i++) {
        at = put_name(i ? PUT(at, ",\"") : PUT(at, "\""), world_consent_names[i]);
        at = consents >> i & 1 ? PUT(at, "\":true") : PUT(at, "\":false");
    }
    return PUT(at, "}}");
}

static char *put_card(const struct telling *t, char *at, uint32_t person, unsigned card)
{
    at = PUT(at, ",\"externalIds\":[{\"type\":\"card\",\"id\":\"");
    return PUT(world_put_card(t->world, person, card, at), "\"}]");
}

static char *put_ids(const struct telling *t, char *at)
{
    const struct world_trip *trip = t->trip;
    if (trip->known & KNOWN_USER)
        at = PUT(world_put_user(t->world, trip->person, PUT(at, ",\"userId\":\"")), "\"");
    if (trip->known & KNOWN_DEVICE) {
        at = PUT(at, ",\"anonymousId\":\"");
        at = world_put_anonymous(t->world, trip->person, trip->household,
                                 (enum world_device)trip->device, at);
        at = PUT(at, "\"");
    }
    return at;
}

/* ---- kinds -------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    char *(*tell)(const struct telling *t, char *at); /* NULL: says who she is */
} kinds[WHATS] = {
    [SAYS_WHO] = {"\"identify", NULL},
    [SEARCHES] = {"\"track\",\"event\":\"Products Searched", tell_search},
    [VIEWS] = {"\"track\",\"event\":\"Product Viewed", tell_view},
    [ADDS] = {"\"track\",\"event\":\"Product Added", tell_add},
    [LOOKS_AT_CART] = {"\"track\",\"event\":\"Cart Viewed", tell_cart},
    [STARTS_CHECKOUT] = {"\"track\",\"event\":\"Checkout Started", tell_order},
    [ORDERS] = {"\"track\",\"event\":\"Order Completed", tell_order},
    [REFUNDED] = {"\"track\",\"event\":\"Order Refunded", tell_order},
    [ENTERS_STORE] = {"\"track\",\"event\":\"Store Entered", put_track},
    [ENTERS_ZONE] = {"\"track\",\"event\":\"Zone Entered", tell_zone},
    [LEAVES_ZONE] = {"\"track\",\"event\":\"Zone Dwelled", tell_dwell},
    [PICKS_UP] = {"\"track\",\"event\":\"Item Picked Up", tell_pick},
    [RECEIVES] = {"\"track\",\"event\":\"Receipt Issued", tell_receipt},
    [BRINGS_BACK] = {"\"track\",\"event\":\"Receipt Returned", tell_receipt},
};

static bool is_at_till(const struct telling *t)
{
    return t->moment->what == RECEIVES || t->moment->what == BRINGS_BACK;
}

static char *put_context(const struct telling *t, char *at)
{
    static const char *const types[DEVICES] = {"mobile", "desktop", "mobile", "tablet"};
    at = PUT(at, ",\"context\":{\"library\":{\"name\":\"souk-world\"}");
    if (is_at_till(t)) /* which knows the card and nothing else */
        return t->trip->known & KNOWN_CARD ? put_card(t, at, t->trip->card_of, t->trip->card) : at;
    if (!(t->trip->known & KNOWN_DEVICE))
        return at;
    at = put_name(PUT(at, ",\"device\":{\"type\":\""), types[t->trip->device]);
    if (t->trip->device == APP)
        at = world_put_device(t->world, t->trip->person, PUT(at, "\",\"id\":\""));
    return PUT(at, "\"}");
}

static char *tell_identify(const struct telling *t, char *at)
{
    struct world_person person;
    world_person_of(t->world, t->trip->person, &person);
    at = put_context(t, at);
    if (person.cards)
        at = put_card(t, at, person.number, 0);
    at = put_consent(t, &person, at);
    at = tell_traits(t, &person, PUT(at, "},\"traits\":{"));
    return PUT(at, "}}\n");
}

/* "2024-01-04T02:11:09.120Z" */
static char *put_time(const struct telling *t, char *at)
{
    bool later = t->moment->at_ms >= WORLD_AHEAD_MS;
    uint32_t ms = t->moment->at_ms + (later ? 0 : SOUK_DAY_MS) - WORLD_AHEAD_MS, s = ms / 1000;
    at = put_chars(at, t->dates[later], 10);
    *at++ = 'T';
    at = world_put_digits(at, s / 3600, 2);
    *at++ = ':';
    at = world_put_digits(at, s / 60 % 60, 2);
    *at++ = ':';
    at = world_put_digits(at, s % 60, 2);
    *at++ = '.';
    return PUT(world_put_digits(at, ms % 1000, 3), "Z");
}

/* number: of the event within the day. */
static char *tell_moment(struct telling *t, uint64_t number, char *at)
{
    at = put_name(PUT(at, "{\"type\":"), kinds[t->moment->what].name);
    at = put_chars(PUT(at, "\",\"messageId\":\""), t->world->message_prefix, 9);
    *at++ = '-';
    at = put_chars(at, t->number, 4);
    *at++ = '-';
    at = world_put_digits(at, (uint32_t)number, 10);
    at = PUT(put_time(t, PUT(at, "\",\"timestamp\":\"")), "\"");
    if (!is_at_till(t))
        at = put_ids(t, at);
    if (t->moment->what == SAYS_WHO)
        return tell_identify(t, at);
    at = PUT(put_context(t, at), "},\"properties\":{");
    return PUT(kinds[t->moment->what].tell(t, at), "}}\n");
}

/* ---- a slice of the day -------------------------------------------------------------------------------- */

/* The first moment that is not before the time. */
static size_t find_time(const souk_world_day *day, uint32_t at_ms)
{
    size_t low = 0, high = day->moment_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (day->moments[middle].at_ms < at_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

enum { PARTS_MOST = 64 };

uint64_t souk_world_tell(const souk_world *world, souk_world_day *const *parts, size_t part_count,
                         uint32_t from_ms, uint32_t to_ms, souk_buf *out)
{
    struct telling t = {.world = world};
    size_t at[PARTS_MOST], ends[PARTS_MOST];
    uint64_t first = 0, number;
    souk_assert(part_count > 0 && part_count <= PARTS_MOST);
    for (size_t i = 0; i < part_count; i++) {
        first += at[i] = find_time(parts[i], from_ms);
        ends[i] = find_time(parts[i], to_ms);
        souk_assert(parts[i]->number == parts[0]->number);
    }
    t.today = world_today_of(world, parts[0]->number);
    for (int later = 0; later < 2; later++)
        world_write_date(parts[0]->number - 1 + later, t.dates[later]);
    world_put_digits(t.number, (uint32_t)parts[0]->number, 4);
    for (number = first;; number++) {
        size_t next = part_count;
        for (size_t i = 0; i < part_count; i++)
            if (at[i] < ends[i] && (next == part_count || parts[i]->moments[at[i]].at_ms <
                                                              parts[next]->moments[at[next]].at_ms))
                next = i;
        char *room = next < part_count ? souk_buf_room(out, LINE_BYTES) : NULL;
        if (!room)
            break;
        t.day = parts[next];
        t.moment = &t.day->moments[at[next]++];
        t.trip = &t.day->trips[t.moment->trip];
        t.lines = t.day->lines + t.trip->first_line;
        souk_buf_added(out, (size_t)(tell_moment(&t, number, room) - room));
    }
    return number - first;
}
