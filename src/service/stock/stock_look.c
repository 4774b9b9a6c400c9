/* stock_look.c - what there is, what is promised and what comes: the GETs; see docs/stock.md. */
#include "service/stock/stock_inside.h"

void stock_put_decimal(souk_json_writer *out, const char *key, souk_decimal decimal)
{
    char text[SOUK_DECIMAL_BYTES];
    souk_json_put_text(out, key, (souk_text){text, souk_decimal_write(decimal, text)});
}

void stock_put_level(souk_json_writer *out, const souk_stock_level *level)
{
    stock_put_decimal(out, "on_hand", level->on_hand);
    stock_put_decimal(out, "reserved", level->reserved);
    stock_put_decimal(out, "free", (souk_decimal){level->on_hand.micro - level->reserved.micro});
}

static void answer(souk_call *call, souk_err err)
{
    if (call->arena.failed) { /* whatever it led to: a field of the query was passed over, say */
        err = SOUK_ENOMEM;
        call->diag = (souk_diag){0};
    }
    if (err)
        souk_call_fail(call, err);
    else
        souk_call_answer(call, 200);
}

static souk_err read_place(souk_call *call, souk_stock_place *ret_place)
{
    ret_place->merchant = call->caller.merchant;
    SOUK_TRY(souk_call_part(call, 0, &ret_place->location));
    return souk_call_part(call, 1, &ret_place->product);
}

/* ---- lists ------------------------------------------------------------------------------------------------ */

struct page {
    souk_call *call;
    souk_json_writer *out;
    bool by_product;
    size_t limit, count;
    souk_text last; /* in the arena */
    bool more;
};

static souk_err write_level(void *context, const souk_stock_place *place,
                            const souk_stock_level *level)
{
    struct page *page = context;
    if (page->count == page->limit) {
        page->more = true;
        return SOUK_OK;
    }
    souk_text code = page->by_product ? place->location : place->product;
    page->last.at = souk_arena_copy(&page->call->arena, code.at, code.bytes);
    page->last.bytes = code.bytes;
    page->count++;
    souk_json_write_object(page->out);
    souk_json_put_text(page->out, "location", place->location);
    souk_json_put_text(page->out, "product", place->product);
    stock_put_level(page->out, level);
    souk_json_write_end(page->out);
    return page->call->arena.failed ? SOUK_ENOMEM : SOUK_OK;
}

static souk_err list(souk_call *call)
{
    souk_stock *stock = call->state;
    souk_stock_place filter = {.merchant = call->caller.merchant};
    souk_text after = SOUK_TEXT("");
    struct page page = {.call = call};
    bool by_location = souk_call_query(call, SOUK_TEXT("location"), &filter.location);
    page.by_product = souk_call_query(call, SOUK_TEXT("product"), &filter.product);
    if ((filter.location.bytes > 0) == (filter.product.bytes > 0) || by_location == page.by_product)
        return souk_diag_say(&call->diag, SOUK_EINVAL,
                             "say which: ?location=SH-014, or ?product=6901234567892");
    SOUK_TRY(souk_call_limit(call, 100, 1000, &page.limit));
    souk_call_query(call, SOUK_TEXT("cursor"), &after);
    page.out = souk_call_json(call);
    souk_json_write_object(page.out);
    souk_json_put_array(page.out, "levels");
    SOUK_TRY(souk_levels_list(stock->levels, &filter, after, (unsigned)page.limit + 1, write_level,
                              &page));
    souk_json_write_end(page.out);
    if (page.more) {
        souk_json_put_text(page.out, "next_cursor", page.last);
        souk_call_link_next(call, "cursor", page.last);
    }
    souk_json_write_end(page.out);
    return SOUK_OK;
}

void stock_get_levels(souk_call *call)
{
    answer(call, list(call));
}

/* ---- one level ---------------------------------------------------------------------------------------------- */

enum { LOTS_SHOWN = 1000 };

static souk_err write_lot(void *context, souk_text lot, souk_time expires, souk_decimal on_hand)
{
    souk_json_writer *out = context;
    char day[SOUK_TIME_BYTES];
    souk_json_write_object(out);
    souk_json_put_text(out, "lot", lot);
    if (expires) {
        souk_time_write(expires, day);
        souk_json_put_text(out, "expires", (souk_text){day, 10});
    }
    stock_put_decimal(out, "on_hand", on_hand);
    souk_json_write_end(out);
    return SOUK_OK;
}

struct history {
    souk_json_writer *out;
    size_t limit, count;
    int64_t last;
    bool more;
};

static souk_err write_moved(void *context, const souk_moved *moved)
{
    struct history *history = context;
    souk_json_writer *out = history->out;
    char reference[32];
    if (history->count == history->limit) {
        history->more = true;
        return SOUK_OK;
    }
    const char *word = souk_move_word(moved->kind);
    history->count++;
    history->last = moved->id;
    souk_hex(&moved->reference, sizeof moved->reference, reference);
    souk_json_write_object(out);
    souk_json_put_u64(out, "id", (uint64_t)moved->id);
    souk_json_put_time(out, "at", moved->at);
    souk_json_put_words(out, "kind", word ? word : "unknown");
    stock_put_decimal(out, "on_hand", moved->on_hand);
    stock_put_decimal(out, "reserved", moved->reserved);
    if (moved->lot.bytes)
        souk_json_put_text(out, "lot", moved->lot);
    souk_json_put_text(out, "reference", (souk_text){reference, sizeof reference});
    souk_json_write_end(out);
    return SOUK_OK;
}

static souk_err read_before(souk_call *call, int64_t *ret_before)
{
    souk_text text;
    uint64_t number;
    *ret_before = INT64_MAX;
    if (!souk_call_query(call, SOUK_TEXT("before"), &text))
        return SOUK_OK;
    if (souk_text_to_u64(text, &number) || number > INT64_MAX)
        return souk_diag_say(&call->diag, SOUK_EINVAL, "before: the next_before of the last page");
    *ret_before = (int64_t)number;
    return SOUK_OK;
}

static souk_err look(souk_call *call)
{
    souk_stock *stock = call->state;
    souk_stock_place place;
    souk_stock_level level;
    struct history history = {.out = souk_call_json(call)};
    int64_t before;
    souk_json_writer *out = history.out;
    SOUK_TRY(read_place(call, &place));
    SOUK_TRY(souk_call_limit(call, 50, 1000, &history.limit));
    SOUK_TRY(read_before(call, &before));
    if (souk_levels_read(stock->levels, &place, &level))
        return souk_diag_say(&call->diag, SOUK_ENOENT, "%.*s is not kept in stock at %.*s",
                             SOUK_TEXT_PRINT(place.product), SOUK_TEXT_PRINT(place.location));
    souk_json_write_object(out);
    souk_json_put_text(out, "location", place.location);
    souk_json_put_text(out, "product", place.product);
    stock_put_level(out, &level);
    souk_json_put_array(out, "lots");
    if (level.has_lots)
        SOUK_TRY(souk_levels_lots(stock->levels, level.id, LOTS_SHOWN, write_lot, out));
    souk_json_write_end(out);
    souk_json_put_array(out, "movements");
    souk_err err = souk_levels_moved(stock->levels, &place, before, (unsigned)history.limit + 1,
                                     write_moved, &history);
    if (err == SOUK_EINVAL)
        return souk_diag_say(&call->diag, err, "before: the next_before of the last page");
    SOUK_TRY(err);
    souk_json_write_end(out);
    if (history.more) {
        souk_json_put_u64(out, "next_before", (uint64_t)history.last);
        souk_call_link_next_u64(call, "before", (uint64_t)history.last);
    }
    souk_json_write_end(out);
    return SOUK_OK;
}

void stock_get_level(souk_call *call)
{
    answer(call, look(call));
}

/* ---- promises -------------------------------------------------------------------------------------------------- */

enum { PROMISED_MOST = 20000, PROMISED_PAGE = 500 }; /* locations */

struct promise {
    souk_text location;
    souk_stock_level level;
    int64_t coming;
};

struct promises {
    souk_call *call;
    souk_stock_place filter;
    souk_time by; /* 0: now, and nothing comes */
    struct promise *list;
    size_t count, capacity;
    size_t known; /* of them, those that have a level */
    size_t page;  /* in the page that was read last */
};

static souk_err add_promise(struct promises *promises, souk_text location,
                            struct promise **ret_promise)
{
    souk_arena *arena = &promises->call->arena;
    if (promises->count == PROMISED_MOST)
        return SOUK_ETOOBIG;
    SOUK_TRY(souk_mem_grow(arena->mem, &promises->list, &promises->capacity, promises->count + 1,
                           PROMISED_MOST, sizeof *promises->list));
    struct promise *promise = &promises->list[promises->count++];
    *promise = (struct promise){
        .location = {souk_arena_copy(arena, location.at, location.bytes), location.bytes}};
    *ret_promise = promise;
    return arena->failed ? SOUK_ENOMEM : SOUK_OK;
}

static souk_err take_level(void *context, const souk_stock_place *place,
                           const souk_stock_level *level)
{
    struct promises *promises = context;
    struct promise *promise;
    SOUK_TRY(add_promise(promises, place->location, &promise));
    promise->level = *level;
    promises->page++;
    return SOUK_OK;
}

static souk_err take_levels(struct promises *promises)
{
    souk_stock *stock = promises->call->state;
    souk_stock_place place = promises->filter;
    souk_stock_level level;
    if (place.location.bytes) {
        souk_err err = souk_levels_read(stock->levels, &place, &level);
        if (!err)
            err = take_level(promises, &place, &level);
        return err == SOUK_ENOENT ? SOUK_OK : err;
    }
    do {
        souk_text after =
            promises->count ? promises->list[promises->count - 1].location : SOUK_TEXT("");
        promises->page = 0;
        SOUK_TRY(souk_levels_list(stock->levels, &promises->filter, after, PROMISED_PAGE,
                                  take_level, promises));
    } while (promises->page == PROMISED_PAGE);
    return SOUK_OK;
}

static struct promise *find_promise(struct promises *promises, souk_text location)
{
    size_t from = 0, to = promises->known;
    while (from < to) {
        size_t middle = (from + to) / 2;
        int order = souk_text_compare(promises->list[middle].location, location);
        if (order == 0)
            return &promises->list[middle];
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

static souk_err take_coming(void *context, souk_text location, souk_decimal quantity)
{
    struct promises *promises = context;
    souk_text only = promises->filter.location;
    if (only.bytes && !souk_text_equal(only, location))
        return SOUK_OK;
    struct promise *promise = find_promise(promises, location);
    if (!promise)
        SOUK_TRY(add_promise(promises, location, &promise));
    promise->coming = quantity.micro;
    return SOUK_OK;
}

static souk_err read_coming(souk_tx *tx, void *context)
{
    struct promises *promises = context;
    promises->count = promises->known;
    return transfers_coming(tx, promises->filter.merchant, promises->filter.product, promises->by,
                            take_coming, promises);
}

/* A level below zero takes nothing from others. */
static int64_t promised(const struct promise *promise)
{
    int64_t sum = promise->level.on_hand.micro - promise->level.reserved.micro + promise->coming;
    return sum < 0 ? 0 : sum;
}

static void write_promise(souk_json_writer *out, const struct promise *promise)
{
    souk_json_write_object(out);
    souk_json_put_text(out, "location", promise->location);
    stock_put_level(out, &promise->level);
    stock_put_decimal(out, "coming", (souk_decimal){promise->coming});
    stock_put_decimal(out, "promise", (souk_decimal){promised(promise)});
    souk_json_write_end(out);
}

static souk_err write_promises(const struct promises *promises, size_t limit)
{
    souk_json_writer *out = souk_call_json(promises->call);
    int64_t sum = 0;
    for (size_t i = 0; i < promises->count; i++)
        if (__builtin_add_overflow(sum, promised(&promises->list[i]), &sum))
            return SOUK_EOVERFLOW;
    souk_json_write_object(out);
    souk_json_put_text(out, "product", promises->filter.product);
    if (promises->by)
        souk_json_put_time(out, "by", promises->by);
    stock_put_decimal(out, "promise", (souk_decimal){sum});
    souk_json_put_u64(out, "locations", promises->count);
    souk_json_put_array(out, "at");
    for (size_t i = 0; i < promises->count && i < limit; i++)
        write_promise(out, &promises->list[i]);
    souk_json_write_end(out);
    souk_json_write_end(out);
    return SOUK_OK;
}

/* A day is meant to its end. */
static souk_err read_by(struct promises *promises)
{
    souk_text text;
    if (!souk_call_query(promises->call, SOUK_TEXT("by"), &text))
        return SOUK_OK;
    if (souk_time_read(text, NULL, &promises->by) || promises->by <= 0 ||
        promises->by >= SOUK_TIME_LAST - SOUK_DAY_MS)
        return souk_diag_say(&promises->call->diag, SOUK_EINVAL,
                             "by: a day such as 2026-12-31, or a time with it");
    if (text.bytes == 10)
        promises->by += SOUK_DAY_MS - 1;
    return SOUK_OK;
}

/* Levels first: what arrives between the two readings is missing in both then, and never in both. */
static souk_err gather(struct promises *promises, size_t *ret_limit)
{
    souk_call *call = promises->call;
    souk_stock *stock = call->state;
    promises->filter.merchant = call->caller.merchant;
    souk_call_query(call, SOUK_TEXT("location"), &promises->filter.location);
    if (!souk_call_query(call, SOUK_TEXT("product"), &promises->filter.product) ||
        promises->filter.product.bytes == 0)
        return souk_diag_say(&call->diag, SOUK_EINVAL, "say of what: ?product=6901234567892");
    SOUK_TRY(read_by(promises));
    SOUK_TRY(souk_call_limit(call, 100, 1000, ret_limit));
    SOUK_TRY(take_levels(promises));
    promises->known = promises->count;
    return promises->by ? souk_ledger_read(stock->ledger, read_coming, promises) : SOUK_OK;
}

void stock_get_promise(souk_call *call)
{
    struct promises promises = {.call = call};
    size_t limit = 0;
    souk_err err = gather(&promises, &limit);
    if (!err)
        err = write_promises(&promises, limit);
    souk_mem_put(call->arena.mem, promises.list);
    answer(call, err);
}

/* ---- reservations and transfers ------------------------------------------------------------------------------------ */

struct reading {
    souk_call *call;
    souk_text id;
    souk_err (*write)(souk_tx *tx, uint32_t merchant, souk_text id, souk_json_writer *out);
};

static souk_err read_one(souk_tx *tx, void *context)
{
    struct reading *reading = context;
    return reading->write(tx, reading->call->caller.merchant, reading->id,
                          souk_call_json(reading->call));
}

static void get_one(souk_call *call, const char *noun,
                    souk_err (*write)(souk_tx *tx, uint32_t merchant, souk_text id,
                                      souk_json_writer *out))
{
    struct reading reading = {.call = call, .write = write};
    const souk_stock *stock = call->state;
    souk_err err = souk_call_part(call, 0, &reading.id);
    if (!err)
        err = souk_ledger_read(stock->ledger, read_one, &reading);
    if (err == SOUK_ENOENT)
        err = souk_diag_say(&call->diag, err, "there is no %s %.*s", noun,
                            SOUK_TEXT_PRINT(reading.id));
    answer(call, err);
}

void stock_get_reservation(souk_call *call)
{
    get_one(call, "reservation", reservation_write);
}

void stock_get_transfer(souk_call *call)
{
    get_one(call, "transfer", transfer_write);
}
