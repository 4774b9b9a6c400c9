/* offer.c - offers checked, and compiled into a book (offer.h, offer_inside.h). */
#include "algo/offer_inside.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct {
    const char *name;
    bool line;
} kinds[] = {
#define KIND(name, json, line) {json, line},
    SOUK_OFFER_KINDS(KIND)
#undef KIND
};

const char *souk_offer_kind_name(souk_offer_kind kind)
{
    souk_assert((unsigned)kind < SOUK_OFFER_KIND_COUNT);
    return kinds[kind].name;
}

/* ---- one offer -------------------------------------------------------------------------------------- */

/* What a kind wants: its numbers, '-' none. */
static const struct {
    unsigned least_scopes, most_scopes;
    bool amount, percent, take, pay;
} wants[] = {
    [SOUK_OFFER_UNIT_AMOUNT] = {1, 1, true, false, false, false},
    [SOUK_OFFER_UNIT_PERCENT] = {1, 1, false, true, false, false},
    [SOUK_OFFER_UNIT_PRICE] = {1, 1, true, false, false, false},
    [SOUK_OFFER_N_FOR_M] = {1, 1, false, false, true, true},
    [SOUK_OFFER_N_FOR_PRICE] = {1, 1, true, false, true, false},
    [SOUK_OFFER_BUNDLE_PRICE] = {2, SOUK_OFFER_SCOPES_MOST, true, false, false, false},
    [SOUK_OFFER_BUNDLE_PERCENT] = {2, SOUK_OFFER_SCOPES_MOST, false, true, false, false},
    [SOUK_OFFER_BASKET_AMOUNT] = {1, 1, true, false, false, false},
    [SOUK_OFFER_BASKET_PERCENT] = {1, 1, false, true, false, false},
    [SOUK_OFFER_BASKET_FREE] = {2, 2, false, false, false, false},
};

static bool is_bundle(souk_offer_kind kind)
{
    return kind == SOUK_OFFER_BUNDLE_PRICE || kind == SOUK_OFFER_BUNDLE_PERCENT;
}

static souk_err check_scopes(const souk_offer *offer, souk_diag *diag)
{
    for (size_t i = 0; i < offer->scope_count; i++) {
        const souk_offer_scope *scope = &offer->scopes[i];
        bool counts = is_bundle(offer->kind) || (offer->kind == SOUK_OFFER_BASKET_FREE && i == 1);
        if (counts && (scope->quantity < 1 || scope->quantity > SOUK_OFFER_SET_MOST))
            return souk_diag_say(diag, SOUK_EINVAL,
                                 "scope %zu of offer %" PRIu64 " has no quantity: give 1 to %d",
                                 i + 1, offer->id, SOUK_OFFER_SET_MOST);
        if (!counts && scope->quantity)
            return souk_diag_say(diag, SOUK_EINVAL,
                                 "offer %" PRIu64
                                 " has a quantity in scope %zu: %s takes none there",
                                 offer->id, i + 1, kinds[offer->kind].name);
        if (scope->product_count > SOUK_OFFER_NAMES_MOST ||
            scope->tag_count > SOUK_OFFER_NAMES_MOST ||
            scope->not_product_count > SOUK_OFFER_NAMES_MOST ||
            scope->not_tag_count > SOUK_OFFER_NAMES_MOST)
            return souk_diag_say(diag, SOUK_ETOOBIG,
                                 "scope %zu of offer %" PRIu64 " names more than %d: use a tag",
                                 i + 1, offer->id, SOUK_OFFER_NAMES_MOST);
    }
    return SOUK_OK;
}

/* A number that the kind wants must be in [least, most]; any other must be 0. */
static souk_err check_number(const souk_offer *offer, const char *name, bool wanted, int64_t number,
                             int64_t least, int64_t most, souk_diag *diag)
{
    if (!wanted && number)
        return souk_diag_say(diag, SOUK_EINVAL, "offer %" PRIu64 " has %s: %s takes none",
                             offer->id, name, kinds[offer->kind].name);
    if (wanted && (number < least || number > most))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "%s of offer %" PRIu64 " is %" PRId64 ": give %" PRId64 " to %" PRId64,
                             name, offer->id, number, least, most);
    return SOUK_OK;
}

static souk_err check_conditions(const souk_offer *offer, souk_diag *diag)
{
    const char *wrong = NULL;
    if (offer->least_quantity.micro < 0 || offer->least_minor < 0 ||
        offer->least_minor > SOUK_OFFER_MINOR_MOST)
        wrong = "a least quantity or amount below 0 or too large";
    else if (offer->most_minor < 0 || offer->most_minor > SOUK_OFFER_MINOR_MOST)
        wrong = "a ceiling below 0 or too large";
    else if (offer->from && offer->until && offer->from >= offer->until)
        wrong = "an end that is not after its beginning";
    else if (offer->weekdays > 127)
        wrong = "a weekday that is none";
    else if (offer->minute_from > 1439 || offer->minute_until > 1440 ||
             (offer->minute_until && offer->minute_from == offer->minute_until))
        wrong = "hours that are none";
    else if (offer->kind == SOUK_OFFER_N_FOR_M && offer->pay >= offer->take)
        wrong = "as many to pay as to take, so that nothing is free";
    if (wrong)
        return souk_diag_say(diag, SOUK_EINVAL, "offer %" PRIu64 " has %s: mend it", offer->id,
                             wrong);
    return SOUK_OK;
}

souk_err souk_offer_check(const souk_offer *offer, souk_diag *diag)
{
    if ((unsigned)offer->kind >= SOUK_OFFER_KIND_COUNT)
        return souk_diag_say(diag, SOUK_EINVAL, "offer %" PRIu64 " is of no known kind", offer->id);
    bool fixed_price = offer->kind == SOUK_OFFER_UNIT_PRICE ||
                       offer->kind == SOUK_OFFER_N_FOR_PRICE ||
                       offer->kind == SOUK_OFFER_BUNDLE_PRICE;
    unsigned least = wants[offer->kind].least_scopes, most = wants[offer->kind].most_scopes;
    if (offer->scope_count < least || offer->scope_count > most)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "offer %" PRIu64 " has %zu scopes: %s takes %u to %u", offer->id,
                             offer->scope_count, kinds[offer->kind].name, least, most);
    SOUK_TRY(check_number(offer, "the amount", wants[offer->kind].amount, offer->amount_minor,
                          fixed_price ? 0 : 1, SOUK_OFFER_MINOR_MOST, diag));
    SOUK_TRY(check_number(offer, "the percentage (in millionths)", wants[offer->kind].percent,
                          offer->percent_micro, 1, SOUK_PERCENT_ALL, diag));
    SOUK_TRY(check_number(offer, "the number to take", wants[offer->kind].take, offer->take, 1,
                          SOUK_OFFER_SET_MOST, diag));
    SOUK_TRY(check_number(offer, "the number to pay", wants[offer->kind].pay, offer->pay, 1,
                          SOUK_OFFER_SET_MOST, diag));
    SOUK_TRY(check_conditions(offer, diag));
    return check_scopes(offer, diag);
}

/* ---- the book --------------------------------------------------------------------------------------- */

static int compare_offers(const void *a, const void *b)
{
    const souk_offer *left = a, *right = b;
    if (left->priority != right->priority)
        return left->priority < right->priority ? -1 : 1;
    return (left->id > right->id) - (left->id < right->id);
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* A sorted copy without repeats takes the list's place. */
static bool own_list(souk_arena *arena, const uint32_t **list, size_t *count)
{
    if (*count == 0) {
        *list = NULL;
        return true;
    }
    uint32_t *own = souk_arena_copy(arena, *list, *count * sizeof *own);
    if (arena->failed || !own)
        return false;
    qsort(own, *count, sizeof *own, compare_numbers);
    size_t kept = 1;
    for (size_t i = 1; i < *count; i++)
        if (own[i] != own[kept - 1])
            own[kept++] = own[i];
    *list = own;
    *count = kept;
    return true;
}

static bool own_offer(souk_arena *arena, souk_offer *offer)
{
    souk_offer_scope *scopes =
        souk_arena_copy(arena, offer->scopes, offer->scope_count * sizeof *scopes);
    if (arena->failed || !scopes)
        return false;
    bool good = own_list(arena, &offer->stores, &offer->store_count) &&
                own_list(arena, &offer->audiences, &offer->audience_count);
    for (size_t i = 0; i < offer->scope_count; i++)
        good = good && own_list(arena, &scopes[i].products, &scopes[i].product_count) &&
               own_list(arena, &scopes[i].tags, &scopes[i].tag_count) &&
               own_list(arena, &scopes[i].not_products, &scopes[i].not_product_count) &&
               own_list(arena, &scopes[i].not_tags, &scopes[i].not_tag_count);
    offer->scopes = scopes;
    return good;
}

static uint64_t bits_of(const uint32_t *names, size_t count, int what)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < count; i++)
        bits |= book_bit(names[i], what);
    return bits;
}

static void mark_scopes(souk_book *book, uint32_t offer, uint32_t *next_mark)
{
    book->first_mark[offer] = *next_mark;
    for (size_t i = 0; i < book->offers[offer].scope_count; i++) {
        const souk_offer_scope *scope = &book->offers[offer].scopes[i];
        book->marks[(*next_mark)++] = (scope_mark){
            .in = bits_of(scope->products, scope->product_count, BOOK_PRODUCT) |
                  bits_of(scope->tags, scope->tag_count, BOOK_TAG),
            .out = bits_of(scope->not_products, scope->not_product_count, BOOK_PRODUCT) |
                   bits_of(scope->not_tags, scope->not_tag_count, BOOK_TAG),
            .everything = scope->product_count + scope->tag_count == 0};
    }
}

/* The entry of a name, made where it is new: the table never fills. */
static book_entry *entry_of(souk_book *book, uint32_t name, int what)
{
    uint64_t key = book_key(name, what);
    size_t at = book_hash(key) & book->table_mask;
    while (book->table[at].key && book->table[at].key != key)
        at = (at + 1) & book->table_mask;
    book->table[at].key = key;
    return &book->table[at];
}

static void walk_names(souk_book *book, void (*visit)(souk_book *, book_entry *, uint32_t))
{
    for (uint32_t i = 0; i < book->count; i++) {
        const souk_offer_scope *scope = &book->offers[i].scopes[0];
        for (size_t k = 0; k < scope->product_count; k++)
            visit(book, entry_of(book, scope->products[k], BOOK_PRODUCT), i);
        for (size_t k = 0; k < scope->tag_count; k++)
            visit(book, entry_of(book, scope->tags[k], BOOK_TAG), i);
    }
}

static void count_name(souk_book *book, book_entry *entry, uint32_t offer)
{
    (void)book;
    (void)offer;
    entry->count++;
}

static void post_name(souk_book *book, book_entry *entry, uint32_t offer)
{
    book->postings[entry->first + entry->count++] = offer;
}

static souk_err index_names(souk_book *book)
{
    size_t names = 0, room = 16;
    for (size_t i = 0; i < book->count; i++)
        names += book->offers[i].scopes[0].product_count + book->offers[i].scopes[0].tag_count;
    if (names > UINT32_MAX / 4)
        return SOUK_ETOOBIG;
    while (room < 2 * names)
        room *= 2;
    book->table = souk_arena_get(&book->arena, room * sizeof *book->table);
    book->postings = souk_arena_get(&book->arena, (names + 1) * sizeof *book->postings);
    if (book->arena.failed)
        return SOUK_ENOMEM;
    book->table_mask = room - 1;
    walk_names(book, count_name);
    uint32_t first = 0;
    for (size_t i = 0; i < room; i++) {
        book->table[i].first = first;
        first += book->table[i].count;
        book->table[i].count = 0;
    }
    walk_names(book, post_name);
    return SOUK_OK;
}

/* Chains the offers of each group, backwards; all of a group must be of one stage. */
static souk_err chain_groups(souk_book *book, souk_diag *diag)
{
    uint32_t *by_group = souk_arena_get(&book->arena, (2 * book->count + 1) * sizeof *by_group);
    if (book->arena.failed)
        return SOUK_ENOMEM;
    uint32_t slots = (uint32_t)(2 * book->count + 1);
    memset(by_group, 0xff, slots * sizeof *by_group);
    for (uint32_t i = (uint32_t)book->count; i-- > 0;) {
        const souk_offer *offer = &book->offers[i];
        book->group_next[i] = UINT32_MAX;
        if (!offer->group)
            continue;
        uint32_t at = (uint32_t)(book_hash(offer->group) % slots);
        while (by_group[at] != UINT32_MAX && book->offers[by_group[at]].group != offer->group)
            at = (at + 1) % slots;
        uint32_t next = book->group_next[i] = by_group[at];
        if (next != UINT32_MAX && kinds[offer->kind].line != kinds[book->offers[next].kind].line)
            return souk_diag_say(
                diag, SOUK_EINVAL,
                "group %" PRIu32 " has offer %" PRIu64 " on units and offer %" PRIu64
                " on the basket: give them different groups",
                offer->group, kinds[offer->kind].line ? offer->id : book->offers[next].id,
                kinds[offer->kind].line ? book->offers[next].id : offer->id);
        by_group[at] = i;
    }
    return SOUK_OK;
}

static souk_err refuse_twins(souk_book *book, souk_diag *diag)
{
    uint64_t *ids = souk_arena_get(&book->arena, (book->count + 1) * sizeof *ids);
    if (book->arena.failed)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < book->count; i++)
        ids[i] = book->offers[i].id;
    qsort(ids, book->count, sizeof *ids, compare_ids);
    for (size_t i = 1; i < book->count; i++)
        if (ids[i] == ids[i - 1])
            return souk_diag_say(diag, SOUK_EINVAL, "offer %" PRIu64 " is there twice: drop one",
                                 ids[i]);
    return SOUK_OK;
}

static souk_err fill_book(souk_book *book, const souk_offer *offers, souk_diag *diag)
{
    size_t scopes = 0;
    for (size_t i = 0; i < book->count; i++) {
        SOUK_TRY(souk_offer_check(&offers[i], diag));
        scopes += offers[i].scope_count;
    }
    book->words = (book->count + 63) / 64;
    book->offers = souk_arena_get(&book->arena, (book->count + 1) * sizeof *book->offers);
    book->first_mark = souk_arena_get(&book->arena, (book->count + 1) * sizeof *book->first_mark);
    book->group_next = souk_arena_get(&book->arena, (book->count + 1) * sizeof *book->group_next);
    book->marks = souk_arena_get(&book->arena, (scopes + 1) * sizeof *book->marks);
    book->everywhere = souk_arena_get(&book->arena, (book->words + 1) * sizeof *book->everywhere);
    if (book->arena.failed)
        return SOUK_ENOMEM;
    if (book->count)
        memcpy(book->offers, offers, book->count * sizeof *offers);
    qsort(book->offers, book->count, sizeof *book->offers, compare_offers);
    SOUK_TRY(refuse_twins(book, diag));
    uint32_t next_mark = 0;
    for (uint32_t i = 0; i < book->count; i++) {
        if (!own_offer(&book->arena, &book->offers[i]))
            return SOUK_ENOMEM;
        mark_scopes(book, i, &next_mark);
        if (book->marks[book->first_mark[i]].everything)
            book->everywhere[i / 64] |= (uint64_t)1 << i % 64;
    }
    SOUK_TRY(chain_groups(book, diag));
    return index_names(book);
}

souk_err souk_book_new(souk_mem *mem, const souk_offer *offers, size_t count, unsigned exponent,
                       souk_book **ret_book, souk_diag *diag)
{
    if (count > SOUK_BOOK_OFFERS_MOST)
        return souk_diag_say(diag, SOUK_ETOOBIG, "%zu offers are more than a book holds, %d", count,
                             SOUK_BOOK_OFFERS_MOST);
    if (exponent > SOUK_DECIMAL_MAX_EXPONENT)
        return souk_diag_say(diag, SOUK_EINVAL, "no currency has %u decimal places: give 0 to %d",
                             exponent, SOUK_DECIMAL_MAX_EXPONENT);
    souk_auto(souk_book) book = souk_mem_get(mem, sizeof *book);
    if (!book)
        return SOUK_ENOMEM;
    book->mem = mem;
    book->arena = (souk_arena){.mem = mem, .limit_bytes = (size_t)1 << 30};
    book->count = count;
    book->exponent = exponent;
    SOUK_TRY(fill_book(book, offers, diag));
    *ret_book = souk_take(&book);
    return SOUK_OK;
}

void souk_book_free(souk_book *book)
{
    if (!book)
        return;
    souk_arena_done(&book->arena);
    souk_mem_put(book->mem, book);
}

size_t souk_book_count(const souk_book *book)
{
    return book->count;
}

unsigned souk_book_exponent(const souk_book *book)
{
    return book->exponent;
}

const souk_offer *souk_book_at(const souk_book *book, size_t n)
{
    souk_assert(n < book->count);
    return &book->offers[n];
}
