/* complete_journey.c - dunnhumby's "The Complete Journey" as the R package completejourney has it: a folder of files.
 *
 *     part  file                    becomes
 *     1     campaign_descriptions   nothing by itself: the dates of campaigns and coupons
 *     2     products                a product each; "department > product_category > product_type" is its category
 *     3     demographics            an event "Identify" of the household, with traits
 *     4     transactions            "Order Completed" of the household, one for rows of a basket that stand together
 *     5     campaigns               "Campaign Received" of the household, when the campaign began
 *     6     coupons                 "Coupon Offered" of nobody: a coupon of a campaign with its products as lines
 *     7     coupon_redemptions      "Coupon Redeemed" of the household
 *
 * A file is known by its heading, so its name does not matter, and one of them may be imported alone, but for 5 and
 * 6, which have no dates of their own.  Promotions (shelf and mailer, by store and week) are not taken: no shopper is
 * in them, and their weeks have no dates.
 * Identities: household ids are user ids; (basket), (campaign, household), (coupon, campaign), (household, coupon,
 * campaign, day) with the ordinal among equal ones.  sales_value is the line's amount, in USD. */
#include "base/currency.h"
#include "service/collect/import_basket.h"
#include "service/collect/import_rows.h"

#include <stdio.h>

enum part {
    NO_PART,
    DESCRIPTIONS,
    PRODUCTS,
    DEMOGRAPHICS,
    TRANSACTIONS,
    CAMPAIGNS,
    COUPONS,
    REDEMPTIONS,
    PARTS
};

static const char *const headings[PARTS][12] = {
    [DESCRIPTIONS] = {"campaign_id", "campaign_type", "start_date", "end_date"},
    [PRODUCTS] = {"product_id", "manufacturer_id", "department", "brand", "product_category",
                  "product_type", "package_size"},
    [DEMOGRAPHICS] = {"household_id", "age", "income", "home_ownership", "marital_status",
                      "household_size", "household_comp", "kids_count"},
    [TRANSACTIONS] = {"household_id", "store_id", "basket_id", "product_id", "quantity",
                      "sales_value", "retail_disc", "coupon_disc", "coupon_match_disc", "week",
                      "transaction_timestamp"},
    [CAMPAIGNS] = {"campaign_id", "household_id"},
    [COUPONS] = {"coupon_upc", "product_id", "campaign_id"},
    [REDEMPTIONS] = {"household_id", "coupon_upc", "campaign_id", "redemption_date"},
};

enum { HEAD_BYTES = 4096, CAMPAIGNS_MOST = 1000, ID_BYTES = 40 };

/* What one file tells the next. */
struct shared {
    struct campaign {
        char id[ID_BYTES], type[ID_BYTES], begin[ID_BYTES], end[ID_BYTES];
        souk_time at;
    } * campaigns; /* [CAMPAIGNS_MOST] */
    size_t campaign_count;
    struct place { /* open addressing by product */
        uint64_t hash;
        uint32_t at; /* of its category in `names`, behind its length; 0: free */
    } * products;
    size_t product_capacity, product_count;
    souk_buf names;
};

struct state {
    import_rows rows;
    import_basket basket;
    souk_import_sink *sink;
    enum part part;
    souk_buf head; /* until the heading is whole */
    const souk_text *fields;
    struct shared *shared;
};

static struct state *state_of(import_rows *rows)
{
    return (struct state *)(void *)rows;
}

/* ---- what one file tells the next ---------------------------------------------------------------------------- */

static void place_product(struct place *places, size_t capacity, struct place place)
{
    size_t at = place.hash & (capacity - 1);
    while (places[at].at)
        at = (at + 1) & (capacity - 1);
    places[at] = place;
}

static souk_err remember_category(struct state *state, souk_text product, souk_text category)
{
    struct shared *shared = state->shared;
    if ((shared->product_count + 1) * 2 > shared->product_capacity) {
        size_t capacity = souk_max_size(65536, shared->product_capacity * 2);
        struct place *grown = souk_mem_array(state->sink->mem, capacity, sizeof *grown);
        if (!grown)
            return SOUK_ENOMEM;
        for (size_t i = 0; i < shared->product_capacity; i++)
            if (shared->products[i].at)
                place_product(grown, capacity, shared->products[i]);
        souk_mem_put(state->sink->mem, shared->products);
        shared->products = grown;
        shared->product_capacity = capacity;
    }
    shared->names.mem = state->sink->mem;
    if (shared->names.bytes == 0)
        souk_buf_byte(&shared->names, 0);
    struct place place = {import_order_hash(state->sink, product), (uint32_t)shared->names.bytes};
    souk_buf_byte(&shared->names, (char)(unsigned char)category.bytes);
    souk_buf_text(&shared->names, category);
    SOUK_TRY(souk_buf_check(&shared->names));
    place_product(shared->products, shared->product_capacity, place);
    shared->product_count++;
    return SOUK_OK;
}

/* Empty where the products were not in the folder. */
static souk_text category_of(const struct state *state, souk_text product)
{
    const struct shared *shared = state->shared;
    if (!shared->product_capacity)
        return SOUK_TEXT("");
    uint64_t hash = import_order_hash(state->sink, product);
    size_t mask = shared->product_capacity - 1, at = hash & mask;
    while (shared->products[at].at && shared->products[at].hash != hash)
        at = (at + 1) & mask;
    if (!shared->products[at].at)
        return SOUK_TEXT("");
    const char *name = shared->names.at + shared->products[at].at;
    return (souk_text){name + 1, (unsigned char)name[0]};
}

static const struct campaign *find_campaign(const struct state *state, souk_text id)
{
    for (size_t i = 0; i < state->shared->campaign_count; i++)
        if (souk_text_equal(id, souk_text_of(state->shared->campaigns[i].id)))
            return &state->shared->campaigns[i];
    return NULL;
}

static void shared_done(void *opaque, souk_mem *mem)
{
    struct shared *shared = opaque;
    souk_mem_put(mem, shared->campaigns);
    souk_mem_put(mem, shared->products);
    souk_buf_done(&shared->names);
}

/* ---- rows of each part ------------------------------------------------------------------------------------------ */

static souk_err check_id(souk_text id, const char *name, souk_diag *fault)
{
    if (id.bytes && id.bytes < ID_BYTES)
        return SOUK_OK;
    return souk_diag_say(fault, SOUK_EINVAL, "%s is empty or above %d bytes", name, ID_BYTES - 1);
}

static souk_err read_description(import_rows *rows, const souk_text *fields, souk_diag *fault)
{
    struct state *state = state_of(rows);
    struct shared *shared = state->shared;
    if (!shared->campaigns)
        shared->campaigns =
            souk_mem_array(state->sink->mem, CAMPAIGNS_MOST, sizeof *shared->campaigns);
    if (!shared->campaigns)
        return SOUK_ENOMEM;
    if (shared->campaign_count == CAMPAIGNS_MOST)
        return souk_diag_say(fault, SOUK_EINVAL, "there are more than %d campaigns",
                             CAMPAIGNS_MOST);
    struct campaign *campaign = &shared->campaigns[shared->campaign_count];
    char *const texts[] = {campaign->id, campaign->type, campaign->begin, campaign->end};
    for (size_t i = 0; i < 4; i++) {
        SOUK_TRY(check_id(fields[i], headings[DESCRIPTIONS][i], fault));
        memcpy(texts[i], fields[i].at, fields[i].bytes);
        texts[i][fields[i].bytes] = '\0';
    }
    if (souk_time_read(fields[2], NULL, &campaign->at))
        return souk_diag_say(fault, SOUK_EINVAL, "start_date is no day like 2017-03-03");
    shared->campaign_count++;
    return SOUK_OK;
}

static souk_err read_product(import_rows *rows, const souk_text *fields, souk_diag *fault)
{
    struct state *state = state_of(rows);
    souk_import_sink *sink = rows->sink;
    souk_auto_value(souk_buf) category = {.mem = sink->mem};
    souk_import_entry entry = {.kind = SOUK_IMPORT_PRODUCT};
    souk_product *product = &entry.product;
    SOUK_TRY(check_id(fields[0], "product_id", fault));
    for (size_t i = 0; i < 3; i++) {
        souk_text level = fields[(const size_t[]){2, 4, 5}[i]];
        if (level.bytes && category.bytes)
            souk_buf_text(&category, SOUK_TEXT(" > "));
        souk_buf_text(&category, level);
    }
    SOUK_TRY(souk_buf_check(&category));
    product->code = import_keep(sink, fields[0]);
    product->title = import_keep(sink, fields[5].bytes ? fields[5] : fields[4]);
    product->brand = import_keep(sink, fields[3]);
    product->category = import_keep(sink, souk_buf_view(&category));
    souk_json_writer json = {.out = &rows->body};
    souk_buf_clear(&rows->body);
    souk_json_write_object(&json);
    for (size_t i = 1; i < 7; i += 5) { /* manufacturer_id, package_size */
        if (fields[i].bytes == 0)
            continue;
        souk_json_write_key(&json, souk_text_of(headings[PRODUCTS][i]));
        souk_json_write_text(&json, fields[i]);
    }
    souk_json_write_end(&json);
    SOUK_TRY(souk_json_write_check(&json));
    product->attributes = import_keep(sink, souk_buf_view(&rows->body));
    SOUK_TRY(souk_product_check(product, fault));
    if (fields[4].bytes && fields[4].bytes <= SOUK_EVENT_NAME_BYTES)
        SOUK_TRY(remember_category(state, fields[0], fields[4]));
    return sink->room->failed ? SOUK_ENOMEM : souk_import_put_entry(sink, sink->rows, &entry);
}

/* The household with all that is told of it; a row that says the same is the same event. */
static souk_err read_demographics(import_rows *rows, const souk_text *fields, souk_diag *fault)
{
    souk_import_sink *sink = rows->sink;
    souk_event event = {
        .received = sink->received, .at = sink->received, .type = SOUK_TEXT("Identify")};
    souk_text traits;
    enum { prefix = sizeof "traits/" - 1 };
    char key[prefix + IMPORT_HASH_DIGITS] = "traits/";
    SOUK_TRY(check_id(fields[0], "household_id", fault));
    SOUK_TRY(import_identify(sink, &event, SOUK_ID_USER, fields[0], "household_id", fault));
    SOUK_TRY(import_rows_write(rows, fields, rows->column_count, &traits));
    souk_hash128 hash = souk_hashes_message(sink->hashes, sink->source, traits);
    import_put_hash(hash, key + prefix);
    event.message = import_identity(sink, (souk_text){key, sizeof key}, 1);
    souk_text kept = import_keep(sink, traits);
    if (sink->room->failed)
        return SOUK_ENOMEM;
    souk_json_writer json = {.out = &rows->body};
    souk_buf_clear(&rows->body);
    souk_json_write_object(&json);
    souk_json_put_text(&json, "type", SOUK_TEXT("identify"));
    import_write_who(&json, &event);
    souk_json_write_key(&json, SOUK_TEXT("traits"));
    souk_json_write_raw(&json, kept);
    souk_json_write_end(&json);
    SOUK_TRY(souk_json_write_check(&json));
    return souk_import_put_event(sink, sink->rows, &event, souk_buf_view(&rows->body));
}

/* Columns [from, end) under their names. */
static void write_fields(const struct state *state, souk_json_writer *json, size_t from, size_t end)
{
    for (size_t i = from; i < end; i++) {
        if (state->fields[i].bytes == 0)
            continue;
        souk_json_write_key(json, souk_text_of(state->rows.columns[i]));
        souk_json_write_text(json, state->fields[i]);
    }
}

static void write_discounts(const void *context, souk_json_writer *json)
{
    write_fields(context, json, 6, 9);
}

static souk_err read_transaction(import_rows *rows, const souk_text *fields, souk_diag *fault)
{
    struct state *state = state_of(rows);
    SOUK_TRY(check_id(fields[0], "household_id", fault));
    SOUK_TRY(check_id(fields[2], "basket_id", fault));
    SOUK_TRY(check_id(fields[3], "product_id", fault));
    import_order order = {.key = fields[2],
                          .id = fields[2],
                          .type = SOUK_TEXT("Order Completed"),
                          .store = fields[1],
                          .currency = "USD",
                          .flags = SOUK_EVENT_ORDER | SOUK_EVENT_SALE,
                          .ids = {{SOUK_ID_USER, fields[0], "household_id"}},
                          .id_count = 1};
    import_line line = {.line = {.product = fields[3], .category = category_of(state, fields[3])},
                        .quantity = fields[4],
                        .more = write_discounts,
                        .context = state};
    if (fields[1].bytes > SOUK_EVENT_NAME_BYTES)
        return souk_diag_say(fault, SOUK_EINVAL, "store_id is above %d bytes",
                             SOUK_EVENT_NAME_BYTES);
    if (souk_decimal_read(fields[4], &line.line.quantity, NULL))
        return souk_diag_say(fault, SOUK_EINVAL, "quantity is no number");
    if (souk_decimal_read(fields[5], &line.line.amount, NULL))
        return souk_diag_say(fault, SOUK_EINVAL, "sales_value is no number");
    if (souk_time_read(fields[10], NULL, &order.at))
        return souk_diag_say(fault, SOUK_EINVAL,
                             "transaction_timestamp is no time like 2017-01-28T19:06:53Z");
    state->fields = fields;
    return import_basket_row(&state->basket, &order, &line, fault);
}

/* ---- campaigns and coupons ------------------------------------------------------------------------------------ */

struct offer {
    const struct campaign *campaign;
    souk_text campaign_id;
};

static void write_campaign(const void *context, souk_json_writer *json)
{
    const struct offer *offer = context;
    const struct campaign *campaign = offer->campaign;
    souk_json_put_text(json, "campaign_id", offer->campaign_id);
    if (!campaign)
        return;
    souk_json_put_text(json, "campaign_type", souk_text_of(campaign->type));
    souk_json_put_text(json, "start_date", souk_text_of(campaign->begin));
    souk_json_put_text(json, "end_date", souk_text_of(campaign->end));
}

static souk_err need_campaign(const struct state *state, souk_text id, struct offer *ret_offer,
                              souk_diag *fault)
{
    *ret_offer = (struct offer){find_campaign(state, id), id};
    if (ret_offer->campaign)
        return SOUK_OK;
    return souk_diag_say(
        fault, SOUK_EINVAL,
        "campaign '%.*s' is not in campaign_descriptions, so it has no date: import "
        "the folder with both",
        SOUK_TEXT_PRINT(id));
}

/* Parts of a key, with slashes between; none is longer than ID_BYTES. */
static souk_text make_key(char key[IMPORT_ORDER_BYTES], const char *what, const souk_text *parts,
                          size_t count)
{
    int bytes = snprintf(key, IMPORT_ORDER_BYTES, "%s", what);
    for (size_t i = 0; i < count; i++)
        bytes += snprintf(key + bytes, IMPORT_ORDER_BYTES - (size_t)bytes, "/%.*s",
                          SOUK_TEXT_PRINT(parts[i]));
    return (souk_text){key, (size_t)bytes};
}

static souk_err read_campaign(import_rows *rows, const souk_text *fields, souk_diag *fault)
{
    struct state *state = state_of(rows);
    char key[IMPORT_ORDER_BYTES];
    struct offer offer;
    SOUK_TRY(check_id(fields[0], "campaign_id", fault));
    SOUK_TRY(check_id(fields[1], "household_id", fault));
    SOUK_TRY(need_campaign(state, fields[0], &offer, fault));
    import_order order = {.key = make_key(key, "campaign", fields, 2),
                          .at = offer.campaign->at,
                          .type = SOUK_TEXT("Campaign Received"),
                          .ids = {{SOUK_ID_USER, fields[1], "household_id"}},
                          .id_count = 1,
                          .more = write_campaign,
                          .context = &offer};
    return import_basket_row(&state->basket, &order, NULL, fault);
}

static souk_err read_coupon(import_rows *rows, const souk_text *fields, souk_diag *fault)
{
    struct state *state = state_of(rows);
    char key[IMPORT_ORDER_BYTES];
    struct offer offer;
    for (size_t i = 0; i < 3; i++)
        SOUK_TRY(check_id(fields[i], headings[COUPONS][i], fault));
    SOUK_TRY(need_campaign(state, fields[2], &offer, fault));
    import_order order = {.key =
                              make_key(key, "coupon", (const souk_text[]){fields[0], fields[2]}, 2),
                          .id = fields[0],
                          .id_name = "coupon_id",
                          .at = offer.campaign->at,
                          .type = SOUK_TEXT("Coupon Offered"),
                          .more = write_campaign,
                          .context = &offer};
    import_line line = {.line = {.product = fields[1], .category = category_of(state, fields[1])}};
    return import_basket_row(&state->basket, &order, &line, fault);
}

static souk_err read_redemption(import_rows *rows, const souk_text *fields, souk_diag *fault)
{
    struct state *state = state_of(rows);
    char key[IMPORT_ORDER_BYTES];
    for (size_t i = 0; i < 4; i++)
        SOUK_TRY(check_id(fields[i], headings[REDEMPTIONS][i], fault));
    struct offer offer = {find_campaign(state, fields[2]), fields[2]};
    import_order order = {.key = make_key(key, "redeemed", fields, 4),
                          .id = fields[1],
                          .id_name = "coupon_id",
                          .type = SOUK_TEXT("Coupon Redeemed"),
                          .ids = {{SOUK_ID_USER, fields[0], "household_id"}},
                          .id_count = 1,
                          .more = write_campaign,
                          .context = &offer};
    if (souk_time_read(fields[3], NULL, &order.at))
        return souk_diag_say(fault, SOUK_EINVAL, "redemption_date is no day like 2017-01-03");
    return import_basket_row(&state->basket, &order, NULL, fault);
}

/* A bad row of a basket, or of a coupon's products, keeps it out.  Rows of the other parts are records of their own, known
 * by what they say. */
static souk_err refuse(import_rows *rows, const souk_text *fields, souk_diag *fault)
{
    struct state *state = state_of(rows);
    char room[IMPORT_ORDER_BYTES];
    souk_text key = SOUK_TEXT("");
    bool is_basket = state->part == TRANSACTIONS;
    if (!is_basket && state->part != COUPONS)
        return SOUK_OK;
    if (fields && is_basket && !check_id(fields[2], "", NULL))
        key = fields[2];
    if (fields && !is_basket && !check_id(fields[0], "", NULL) && !check_id(fields[2], "", NULL))
        key = make_key(room, "coupon", (const souk_text[]){fields[0], fields[2]}, 2);
    return import_basket_refuse(&state->basket, key, is_basket ? "basket" : "coupon", fault);
}

/* ---- the format ------------------------------------------------------------------------------------------------ */

static unsigned part_of(souk_text head)
{
    souk_text line = souk_text_cut(&head, '\n');
    if (souk_text_starts(line, SOUK_TEXT("\xEF\xBB\xBF")))
        line = souk_text_range(line.at + 3, line.at + line.bytes);
    line = souk_text_trim(line);
    for (unsigned part = 1; part < PARTS; part++) {
        souk_text rest = line;
        size_t i = 0;
        while (headings[part][i] && rest.bytes &&
               souk_text_equal(souk_text_cut(&rest, ','), souk_text_of(headings[part][i])))
            i++;
        if (!headings[part][i] && rest.bytes == 0)
            return part;
    }
    return NO_PART;
}

static souk_err begin(void *opaque, souk_import_sink *sink, souk_diag *diag)
{
    struct state *state = opaque;
    (void)diag;
    state->sink = sink;
    state->shared = sink->shared;
    state->head.mem = sink->mem;
    return import_basket_begin(&state->basket, sink);
}

static souk_err begin_part(struct state *state, souk_diag *diag)
{
    static souk_err (*const readers[PARTS])(import_rows *, const souk_text *, souk_diag *) = {
        [DESCRIPTIONS] = read_description,  [PRODUCTS] = read_product,
        [DEMOGRAPHICS] = read_demographics, [TRANSACTIONS] = read_transaction,
        [CAMPAIGNS] = read_campaign,        [COUPONS] = read_coupon,
        [REDEMPTIONS] = read_redemption};
    state->part = (enum part)part_of(souk_buf_view(&state->head));
    if (state->part == NO_PART)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "line 1: no file of The Complete Journey has this heading: give its "
                             "folder, or one of transactions, products, demographics, campaigns, "
                             "coupons, coupon_redemptions");
    bool undated = state->part == CAMPAIGNS || state->part == COUPONS;
    if (undated && state->shared->campaign_count == 0)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "this file has no dates: import the folder that has "
                             "campaign_descriptions, too");
    SOUK_TRY(import_rows_begin(&state->rows, state->sink, "complete-journey", headings[state->part],
                               readers[state->part]));
    state->rows.refuse = refuse;
    return SOUK_OK;
}

static souk_err feed(void *opaque, souk_text piece, bool last, souk_diag *diag)
{
    struct state *state = opaque;
    if (state->part == NO_PART) { /* the heading may come in pieces */
        souk_buf_text(&state->head, piece);
        SOUK_TRY(souk_buf_check(&state->head));
        piece = souk_buf_view(&state->head);
        bool whole = last || piece.bytes > HEAD_BYTES ||
                     (piece.bytes && memchr(piece.at, '\n', piece.bytes));
        if (!whole)
            return SOUK_OK;
        if (last && piece.bytes == 0)
            return souk_diag_say(diag, SOUK_EINVAL, "the file is empty");
        SOUK_TRY(begin_part(state, diag));
    }
    SOUK_TRY(import_rows_feed(&state->rows, piece, last, diag));
    return last ? import_basket_end(&state->basket) : SOUK_OK;
}

static void done(void *opaque)
{
    struct state *state = opaque;
    import_basket_done(&state->basket);
    import_rows_done(&state->rows);
    souk_buf_done(&state->head);
}

const souk_import_format souk_import_complete_journey = {
    .name = "complete-journey",
    .summary = "dunnhumby, The Complete Journey: its folder, or one of its files",
    .state_bytes = sizeof(struct state),
    .begin = begin,
    .feed = feed,
    .done = done,
    .has_entries = true,
    .part = part_of,
    .shared_bytes = sizeof(struct shared),
    .shared_done = shared_done,
};
