/* front.c - documents become fronts, and the fronts of now: see front.h.  front_read.c reads one document. */
#include "service/checkout/front_inside.h"

#include "core/document.h"

enum { FRONTS_MOST = 10000, PAGE = 200, FRONT_BYTES_MOST = 1 << 30 };

struct fingerprint { /* versions only grow: no change leaves both as they were */
    int64_t documents, versions;
};

struct shelf_of { /* one merchant's */
    uint32_t merchant;
    struct fingerprint of;
    souk_front *front;
};

struct souk_fronts {
    souk_mem *mem;
    souk_ledger *ledger;
    souk_names *names;
    souk_mutex lock; /* over fronts and every count of holders */
    struct shelf_of *fronts;
    size_t count, capacity;
    souk_book *empty[FRONT_EXPONENTS];
};

/* ---- life ------------------------------------------------------------------------------------------- */

souk_err souk_fronts_new(souk_mem *mem, souk_ledger *ledger, souk_names *names,
                         souk_fronts **ret_fronts)
{
    souk_fronts *fronts = souk_mem_get(mem, sizeof *fronts);
    if (!fronts)
        return SOUK_ENOMEM;
    fronts->mem = mem;
    fronts->ledger = ledger;
    fronts->names = names;
    souk_mutex_init(&fronts->lock);
    souk_err err = SOUK_OK;
    for (unsigned i = 0; i < FRONT_EXPONENTS && !err; i++)
        err = souk_book_new(mem, NULL, 0, i, &fronts->empty[i], NULL);
    if (err)
        souk_fronts_free(fronts);
    else
        *ret_fronts = fronts;
    return err;
}

static void free_front(souk_front *front)
{
    if (!front)
        return;
    for (size_t i = 0; i < front->book_count; i++)
        souk_book_free(front->books[i].book);
    for (unsigned i = 0; i < FRONT_EXPONENTS; i++)
        souk_book_free(front->plain[i]);
    for (size_t i = 0; i < front->zone_count; i++)
        souk_zone_free(front->zones[i]);
    souk_mem_put(front->mem, front->stores);
    souk_mem_put(front->mem, front->zones);
    souk_mem_put(front->mem, front->offers);
    souk_mem_put(front->mem, front->taxes);
    souk_arena_done(&front->arena);
    souk_mem_put(front->mem, front);
}

void souk_fronts_free(souk_fronts *fronts)
{
    if (!fronts)
        return;
    for (size_t i = 0; i < fronts->count; i++) {
        souk_assert(!fronts->fronts[i].front || fronts->fronts[i].front->holders == 1);
        free_front(fronts->fronts[i].front);
    }
    for (unsigned i = 0; i < FRONT_EXPONENTS; i++)
        souk_book_free(fronts->empty[i]);
    souk_mutex_done(&fronts->lock);
    souk_mem_put(fronts->mem, fronts->fronts);
    souk_mem_put(fronts->mem, fronts);
}

const souk_front *souk_front_hold(souk_fronts *fronts, uint32_t merchant)
{
    souk_auto_lock(&fronts->lock);
    for (size_t i = 0; i < fronts->count; i++)
        if (fronts->fronts[i].merchant == merchant && fronts->fronts[i].front) {
            fronts->fronts[i].front->holders++;
            return fronts->fronts[i].front;
        }
    return NULL;
}

void souk_front_drop(const souk_front *held)
{
    souk_front *front = (souk_front *)(uintptr_t)held;
    if (!front)
        return;
    bool last;
    {
        souk_auto_lock(&front->fronts->lock);
        last = --front->holders == 0;
    }
    if (last)
        free_front(front);
}

/* ---- one front --------------------------------------------------------------------------------------- */

struct building {
    souk_front *front;
    souk_names *names;
    souk_text kind;
    souk_text after; /* the last key of the page, in the front's arena */
    size_t count;
    front_reading reading;
};

static void note_fault(struct building *building, const souk_document *document)
{
    souk_front *front = building->front;
    if (front->fault_count++ == 0)
        snprintf(front->fault, sizeof front->fault, "%.*s %.*s: %s",
                 SOUK_TEXT_PRINT(document->kind), SOUK_TEXT_PRINT(document->key),
                 building->reading.diag.words);
}

static souk_err take_document(void *context, const souk_document *document)
{
    struct building *building = context;
    building->count++;
    building->after = front_keep(&building->front->arena, document->key);
    building->reading.diag = (souk_diag){0};
    souk_err err = front_read(&building->reading, building->front, document->kind, building->after,
                              document->text);
    if (err == SOUK_ENOMEM || building->front->arena.failed)
        return SOUK_ENOMEM;
    if (err)
        note_fault(building, document);
    return SOUK_OK;
}

static souk_err read_kind(souk_ledger *ledger, struct building *building, const char *kind)
{
    building->after = SOUK_TEXT("");
    do {
        building->count = 0;
        SOUK_TRY(souk_documents_list(ledger, souk_text_of(kind), building->front->merchant,
                                     building->after, PAGE, take_document, building));
    } while (building->count == PAGE);
    return SOUK_OK;
}

static int compare_offers(const void *left, const void *right)
{
    const struct front_offer *a = left, *b = right;
    return (a->offer.id > b->offer.id) - (a->offer.id < b->offer.id);
}

static void note_currency(souk_front *front, const char currency[4])
{
    for (size_t i = 0; i < front->book_count; i++)
        if (!memcmp(front->books[i].currency, currency, 4))
            return;
    if (currency[0] && front->book_count < SOUK_FRONT_CURRENCIES)
        memcpy(front->books[front->book_count++].currency, currency, 4);
}

/* How many of the offers, from the first on, make the first set that is no book. */
static souk_err count_unfit(const souk_front *front, const souk_offer *offers, size_t count,
                            unsigned exponent, size_t *ret_count)
{
    size_t good = 0, bad = count;
    while (bad - good > 1) {
        souk_auto(souk_book) book = NULL;
        size_t middle = good + (bad - good) / 2;
        souk_err err = souk_book_new(front->mem, offers, middle, exponent, &book, NULL);
        if (err == SOUK_ENOMEM)
            return err;
        *(err ? &bad : &good) = middle;
    }
    *ret_count = bad;
    return SOUK_OK;
}

/* An offer that contradicts one before it is left out, and the rest holds. */
static souk_err make_book(souk_front *front, souk_offer *offers, size_t count, unsigned exponent,
                          souk_book **ret_book)
{
    for (;;) {
        size_t unfit;
        souk_diag diag = {0};
        souk_err err = souk_book_new(front->mem, offers, count, exponent, ret_book, &diag);
        if (!err || err == SOUK_ENOMEM || count == 0)
            return err;
        if (front->fault_count++ == 0)
            snprintf(front->fault, sizeof front->fault, "%s", souk_diag_words(&diag, err));
        SOUK_TRY(count_unfit(front, offers, count, exponent, &unfit));
        memmove(offers + unfit - 1, offers + unfit, (count - unfit) * sizeof *offers);
        count--;
    }
}

/* The offers of one currency, and those of none; "": those of none alone. */
static souk_err compile(souk_front *front, const char currency[4], unsigned exponent,
                        souk_book **ret_book)
{
    souk_offer *offers = souk_mem_get(front->mem, (front->offer_count + 1) * sizeof *offers);
    size_t count = 0;
    if (!offers)
        return SOUK_ENOMEM;
    for (size_t i = 0; i < front->offer_count; i++)
        if (!front->offers[i].currency[0] || !memcmp(front->offers[i].currency, currency, 4))
            offers[count++] = front->offers[i].offer;
    souk_err err = SOUK_OK;
    if (count || currency[0])
        err = make_book(front, offers, count, exponent, ret_book);
    souk_mem_put(front->mem, offers);
    return err;
}

static souk_err compile_all(souk_front *front)
{
    if (front->offer_count)
        qsort(front->offers, front->offer_count, sizeof *front->offers, compare_offers);
    for (size_t i = 0; i < front->offer_count; i++)
        note_currency(front, front->offers[i].currency);
    for (size_t i = 0; i < front->store_count; i++)
        note_currency(front, front->stores[i].currency);
    for (size_t i = 0; i < front->book_count; i++) {
        struct front_book *book = &front->books[i];
        SOUK_TRY(
            compile(front, book->currency, souk_currency_exponent(book->currency), &book->book));
    }
    for (unsigned i = 0; i < FRONT_EXPONENTS; i++)
        SOUK_TRY(compile(front, (char[4]){0}, i, &front->plain[i]));
    return SOUK_OK;
}

static souk_err fill(souk_ledger *ledger, souk_names *names, souk_front *front)
{
    static const char *const kinds[] = {"store", "measure", "tax", "offer"};
    struct building building = {
        .front = front,
        .names = names,
        .reading = {.names = names, .merchant = front->merchant, .doc = {.mem = front->mem}}};
    souk_err err = SOUK_OK;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !err; i++)
        err = read_kind(ledger, &building, kinds[i]);
    souk_json_doc_done(&building.reading.doc);
    SOUK_TRY(err);
    return compile_all(front);
}

static souk_err make_front(souk_fronts *fronts, uint32_t merchant, souk_front **ret_front)
{
    souk_front *front = souk_mem_get(fronts->mem, sizeof *front);
    if (!front)
        return SOUK_ENOMEM;
    front->mem = front->arena.mem = fronts->mem;
    front->arena.limit_bytes = FRONT_BYTES_MOST;
    front->fronts = fronts;
    front->merchant = merchant;
    front->holders = 1; /* the list's own */
    souk_err err = fill(fronts->ledger, fronts->names, front);
    if (err)
        free_front(front);
    else
        *ret_front = front;
    return err;
}

/* ---- refresh --------------------------------------------------------------------------------------------- */

struct looking {
    souk_fronts *fronts;
    struct shelf_of *found; /* [count], of the heap */
    size_t count, capacity;
};

static souk_err look(souk_tx *tx, void *context)
{
    struct looking *looking = context;
    souk_auto_value(souk_rows) rows = {0};
    looking->count = 0;
    SOUK_TRY(
        souk_rows_begin(tx,
                        "SELECT merchant, count(*), CAST(sum(version) AS BIGINT) FROM document "
                        "WHERE kind IN ('store', 'offer', 'tax', 'measure') GROUP BY merchant",
                        SOUK_NO_VALUES, &rows));
    while (souk_rows_next(&rows)) {
        SOUK_TRY(souk_mem_grow(looking->fronts->mem, &looking->found, &looking->capacity,
                               looking->count + 1, FRONTS_MOST, sizeof *looking->found));
        looking->found[looking->count++] =
            (struct shelf_of){.merchant = (uint32_t)souk_rows_int(&rows, 0),
                              .of = {souk_rows_int(&rows, 1), souk_rows_int(&rows, 2)}};
    }
    return souk_rows_check(&rows);
}

/* The merchant's place in the list, one more where it is new. */
static souk_err place_of(souk_fronts *fronts, uint32_t merchant, struct shelf_of **ret_place)
{
    for (size_t i = 0; i < fronts->count; i++)
        if (fronts->fronts[i].merchant == merchant) {
            *ret_place = &fronts->fronts[i];
            return SOUK_OK;
        }
    SOUK_TRY(souk_mem_grow(fronts->mem, &fronts->fronts, &fronts->capacity, fronts->count + 1,
                           FRONTS_MOST, sizeof *fronts->fronts));
    *ret_place = &fronts->fronts[fronts->count++];
    **ret_place = (struct shelf_of){.merchant = merchant};
    return SOUK_OK;
}

static souk_err refresh_one(souk_fronts *fronts, const struct shelf_of *found)
{
    struct shelf_of *place;
    souk_front *made, *old;
    souk_mutex_lock(&fronts->lock);
    souk_err err = place_of(fronts, found->merchant, &place);
    bool same = !err && place->front && !memcmp(&place->of, &found->of, sizeof found->of);
    souk_mutex_unlock(&fronts->lock);
    if (err || same)
        return err;
    SOUK_TRY(make_front(fronts, found->merchant, &made));
    souk_mutex_lock(&fronts->lock);
    err = place_of(fronts, found->merchant, &place);
    souk_assert(err == SOUK_OK); /* it is there */
    old = place->front;
    place->front = made;
    place->of = found->of;
    souk_mutex_unlock(&fronts->lock);
    souk_front_drop(old);
    return SOUK_OK;
}

souk_err souk_fronts_refresh(souk_fronts *fronts)
{
    struct looking looking = {.fronts = fronts};
    souk_err err = souk_ledger_read(fronts->ledger, look, &looking), first = SOUK_OK;
    for (size_t i = 0; i < looking.count && !err; i++) {
        souk_err one = refresh_one(fronts, &looking.found[i]);
        if (!first) /* of one merchant; it keeps nobody else from what is new */
            first = one;
    }
    souk_mem_put(fronts->mem, looking.found);
    return err ? err : first;
}

/* ---- looking ------------------------------------------------------------------------------------------------ */

const souk_front_store *souk_front_store_of(const souk_front *front, souk_text code)
{
    for (size_t i = 0; i < front->store_count; i++)
        if (souk_text_equal(front->stores[i].code, code))
            return &front->stores[i];
    return NULL;
}

const souk_book *souk_front_book(const souk_fronts *fronts, const souk_front *front,
                                 const char currency[4])
{
    for (size_t i = 0; front && i < front->book_count; i++)
        if (front->books[i].book && !memcmp(front->books[i].currency, currency, 3))
            return front->books[i].book;
    unsigned exponent = souk_currency_exponent(currency);
    return front && front->plain[exponent] ? front->plain[exponent] : fronts->empty[exponent];
}

static const struct front_offer *find_offer(const souk_front *front, uint64_t offer)
{
    size_t low = 0, high = front->offer_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (front->offers[middle].offer.id < offer)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < front->offer_count && front->offers[low].offer.id == offer;
    return found ? &front->offers[low] : NULL;
}

const char *souk_front_offer_name(const souk_front *front, uint64_t offer)
{
    const struct front_offer *found = find_offer(front, offer);
    return found ? found->name : "";
}

uint32_t souk_front_offer_coupon(const souk_front *front, uint64_t offer)
{
    const struct front_offer *found = find_offer(front, offer);
    return found ? found->offer.coupon : 0;
}

const souk_measures *souk_front_measures(const souk_front *front)
{
    return &front->measures;
}

const souk_front_tax *souk_front_tax_of(const souk_front *front, souk_text store)
{
    const souk_front_tax *of_all = NULL;
    for (size_t i = 0; i < front->tax_count; i++) {
        if (souk_text_equal(front->taxes[i].store, store))
            return &front->taxes[i].tax;
        if (souk_text_equal(front->taxes[i].store, SOUK_TEXT("all")))
            of_all = &front->taxes[i].tax;
    }
    return of_all;
}

souk_err souk_front_tax_class(const souk_front *front, const souk_front_tax *tax, souk_text name,
                              uint32_t *ret_class)
{
    *ret_class = tax->usual;
    if (name.bytes == 0)
        return SOUK_OK;
    uint32_t number =
        souk_names_find(front->fronts->names, front->merchant, SOUK_NOUN_TAX_CLASS, name);
    for (size_t i = 0; i < tax->rule.class_count; i++)
        if (tax->rule.classes[i].tax_class == number) {
            *ret_class = number;
            return SOUK_OK;
        }
    return SOUK_ENOENT;
}

size_t souk_front_faults(const souk_front *front, const char **ret_words)
{
    *ret_words = front->fault;
    return front->fault_count;
}

/* Whether the offer, in place of the one with its number, goes with all the others. */
static souk_err check_beside(souk_front *front, const souk_front *present, souk_diag *diag)
{
    uint64_t id = front->offers[0].offer.id;
    for (size_t i = 0; present && i < present->offer_count; i++) {
        if (present->offers[i].offer.id == id)
            continue;
        SOUK_TRY(souk_mem_grow(front->mem, &front->offers, &front->offer_capacity,
                               front->offer_count + 1, SOUK_BOOK_OFFERS_MOST,
                               sizeof *front->offers));
        front->offers[front->offer_count++] = present->offers[i];
    }
    SOUK_TRY(compile_all(front));
    if (front->fault_count)
        return souk_diag_say(diag, SOUK_EINVAL, "offer: %s", front->fault);
    return SOUK_OK;
}

souk_err souk_front_check(souk_fronts *fronts, uint32_t merchant, souk_text kind, souk_text key,
                          souk_text text, souk_diag *diag)
{
    souk_front *front = souk_mem_get(fronts->mem, sizeof *front);
    if (!front)
        return SOUK_ENOMEM;
    front->mem = front->arena.mem = fronts->mem;
    front->merchant = merchant;
    front_reading reading = {
        .names = fronts->names, .merchant = merchant, .doc = {.mem = fronts->mem}};
    souk_err err = front_read(&reading, front, kind, key, text);
    if (err)
        (void)souk_diag_say(diag, err, "%s", souk_diag_words(&reading.diag, err));
    else if (front->offer_count) {
        const souk_front *present = souk_front_hold(fronts, merchant);
        err = check_beside(front, present, diag);
        souk_front_drop(present);
    }
    souk_json_doc_done(&reading.doc);
    free_front(front);
    return err;
}
