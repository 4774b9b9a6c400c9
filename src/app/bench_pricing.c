/* bench_pricing.c - baskets priced under 500 live offers, beside evaluators that try every offer on every line.
 *
 * The typical book: of 500 offers, 340 are on one to five products, 140 on a category or a brand, 20 on the basket, most
 * of these for some stores or members; a basket has 15 lines of 20,000 products, half of them among the 1,000 on which
 * shops put offers.  Peers:
 *   the model of pricing_model.h, which the unit tests hold the engine against: every offer, every line, unit by unit;
 *   json-rules-engine in node, where npm can get it: on a book of plain offers only (no sets, groups, limits), which
 *   the engine prices as well.  Sums of all totals must be equal, or nothing was measured. */
#include "algo/pricing_model.h"
#include "app/bench.h"
#include "base/random.h"
#include "service/checkout/offer_json.h"

#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    OFFERS = 500,
    LINES = 15,
    BASKETS = 1000,
    PRODUCTS = 20000,
    POPULAR = 1000,
    CATEGORIES = 300,
    BRANDS = 100,
    ROUNDS = 7,
    NAIVE_BASKETS = 200,
    WORST_BASKETS = 20,
};

struct shop {
    souk_random random;
    souk_offer offers[OFFERS];
    souk_offer_scope scopes[OFFERS][2];
    uint32_t names[OFFERS][2][5];
    souk_basket_line lines[BASKETS][LINES];
    uint32_t tags[BASKETS][LINES][2];
    souk_basket baskets[BASKETS];
    souk_book *book;
    souk_pricing *desk;
    model model;
    model_claim claim;
};

struct outcome {
    double seconds; /* of CPU */
    int64_t sum;    /* of totals */
    size_t held;    /* offers, over all baskets */
};

static uint64_t below(struct shop *shop, uint64_t end)
{
    return souk_random_below(&shop->random, end);
}

static double thread_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- the shop ------------------------------------------------------------------------------------------- */

static uint32_t popular(struct shop *shop)
{
    return (uint32_t)below(shop, POPULAR);
}

static uint32_t some_tag(struct shop *shop)
{
    return (uint32_t)below(shop, CATEGORIES + BRANDS);
}

static void make_basket(struct shop *shop, size_t at)
{
    for (size_t i = 0; i < LINES; i++) {
        uint32_t product = below(shop, 2) ? popular(shop) : (uint32_t)below(shop, PRODUCTS);
        shop->tags[at][i][0] = product * 7 % CATEGORIES;
        shop->tags[at][i][1] = CATEGORIES + product * 11 % BRANDS;
        shop->lines[at][i] =
            (souk_basket_line){.product = product,
                               .tags = shop->tags[at][i],
                               .tag_count = 2,
                               .quantity = {(int64_t)(1 + below(shop, 3)) * 1000000},
                               .unit_price = {(int64_t)(99 + product * 37 % 1900) * 10000}};
    }
    shop->baskets[at] = (souk_basket){.lines = shop->lines[at],
                                      .line_count = LINES,
                                      .exponent = 2,
                                      .now = 1793462400000,
                                      .weekday = 5,
                                      .minute = 615,
                                      .store = (uint32_t)(at % 20),
                                      .tier = (uint32_t)(at % 4)};
}

static void make_line_offer(struct shop *shop, souk_offer *offer, size_t at, bool plain)
{
    static const souk_offer_kind kinds[] = {SOUK_OFFER_UNIT_PERCENT, SOUK_OFFER_UNIT_AMOUNT,
                                            SOUK_OFFER_UNIT_PRICE,   SOUK_OFFER_N_FOR_M,
                                            SOUK_OFFER_N_FOR_PRICE,  SOUK_OFFER_BUNDLE_PERCENT};
    offer->kind = kinds[below(shop, plain ? 3 : 6)];
    for (size_t scope = 0; scope < 2; scope++) {
        souk_offer_scope *of = &shop->scopes[at][scope];
        size_t count = at % 25 < 7 ? 0 : 1 + below(shop, 5);
        for (size_t i = 0; i < count; i++)
            shop->names[at][scope][i] = popular(shop);
        if (count == 0)
            shop->names[at][scope][0] = some_tag(shop);
        *of = count ? (souk_offer_scope){.products = shop->names[at][scope], .product_count = count}
                    : (souk_offer_scope){.tags = shop->names[at][scope], .tag_count = 1};
        of->quantity = offer->kind == SOUK_OFFER_BUNDLE_PERCENT;
    }
    offer->scope_count = offer->kind == SOUK_OFFER_BUNDLE_PERCENT ? 2 : 1;
    if (offer->kind == SOUK_OFFER_UNIT_PERCENT || offer->kind == SOUK_OFFER_BUNDLE_PERCENT)
        offer->percent_micro = (uint32_t)(1 + below(shop, 5)) * 50000;
    else if (offer->kind != SOUK_OFFER_N_FOR_M)
        offer->amount_minor =
            (int64_t)(10 + below(shop, 300)) * (offer->kind == SOUK_OFFER_N_FOR_PRICE ? 10 : 1);
    if (offer->kind == SOUK_OFFER_N_FOR_M || offer->kind == SOUK_OFFER_N_FOR_PRICE)
        offer->take = 3;
    offer->pay = offer->kind == SOUK_OFFER_N_FOR_M ? 2 : 0;
    if (!plain && below(shop, 3) == 0)
        offer->group = 1 + (uint32_t)below(shop, 5);
    if (!plain && below(shop, 10) == 0)
        offer->most_times = 4;
}

static void make_basket_offer(struct shop *shop, souk_offer *offer, size_t at, bool plain)
{
    offer->kind = below(shop, 2) ? SOUK_OFFER_BASKET_AMOUNT : SOUK_OFFER_BASKET_PERCENT;
    offer->scope_count = 1;
    shop->scopes[at][0] = (souk_offer_scope){0};
    offer->least_minor = (int64_t)(20 + below(shop, 30)) * 1000;
    if (offer->kind == SOUK_OFFER_BASKET_AMOUNT)
        offer->amount_minor = 500;
    else
        offer->percent_micro = 50000;
    if (plain)
        return;
    offer->tiers = (uint64_t)1 << below(shop, 4);
    shop->names[at][0][0] = (uint32_t)below(shop, 20);
    offer->stores = shop->names[at][0];
    offer->store_count = at % 40 != 0;
    offer->exclusive = at % 100 == 0;
    offer->group = offer->exclusive ? 0 : 9;
}

static souk_err open_book(struct shop *shop)
{
    souk_book_free(shop->book);
    shop->book = NULL;
    return souk_book_new(souk_mem_heap(), shop->offers, OFFERS, 2, &shop->book, NULL);
}

static souk_err make_shop(struct shop *shop, bool plain)
{
    shop->random = souk_random_of(11);
    for (size_t i = 0; i < BASKETS; i++)
        make_basket(shop, i);
    for (size_t i = 0; i < OFFERS; i++) {
        shop->offers[i] = (souk_offer){
            .id = i + 1, .priority = (int32_t)below(shop, 3), .scopes = shop->scopes[i]};
        if (i % 25 == 0)
            make_basket_offer(shop, &shop->offers[i], i, plain);
        else
            make_line_offer(shop, &shop->offers[i], i, plain);
    }
    return open_book(shop);
}

souk_err bench_offers_each(souk_err (*each)(void *context, const souk_offer *offer), void *context)
{
    struct shop *shop = souk_mem_get(souk_mem_heap(), sizeof *shop);
    souk_err err = shop ? make_shop(shop, false) : SOUK_ENOMEM;
    for (size_t i = 0; i < OFFERS && !err; i++)
        err = each(context, &shop->offers[i]);
    if (shop)
        souk_book_free(shop->book);
    souk_mem_put(souk_mem_heap(), shop);
    return err;
}

/* Every offer is on everything. */
static souk_err make_worst(struct shop *shop, souk_offer_kind kind, uint32_t group, bool exclusive)
{
    for (size_t i = 0; i < OFFERS; i++) {
        shop->scopes[i][0] = (souk_offer_scope){0};
        shop->offers[i] = (souk_offer){.id = i + 1,
                                       .kind = kind,
                                       .scopes = shop->scopes[i],
                                       .scope_count = 1,
                                       .group = group,
                                       .exclusive = exclusive,
                                       .percent_micro = kind == SOUK_OFFER_UNIT_PERCENT ? 10000 : 0,
                                       .take = kind == SOUK_OFFER_N_FOR_M ? 3 : 0,
                                       .pay = kind == SOUK_OFFER_N_FOR_M ? 2 : 0};
    }
    return open_book(shop);
}

/* ---- turns ------------------------------------------------------------------------------------------------ */

static souk_err our_turn(struct shop *shop, size_t count, struct outcome *ret_outcome)
{
    struct outcome outcome = {0};
    double began_s = thread_s();
    for (size_t i = 0; i < count; i++) {
        const souk_priced *priced;
        SOUK_TRY(souk_pricing_basket(shop->desk, shop->book, &shop->baskets[i % BASKETS], &priced,
                                     NULL));
        outcome.sum += priced->total_minor;
        outcome.held += priced->held_count;
    }
    outcome.seconds = thread_s() - began_s;
    *ret_outcome = outcome;
    return SOUK_OK;
}

static struct outcome naive_turn(struct shop *shop, size_t count)
{
    struct outcome outcome = {0};
    double began_s = thread_s();
    for (size_t i = 0; i < count; i++) {
        model_price(&shop->model, shop->offers, OFFERS, &shop->baskets[i], &shop->claim);
        outcome.sum += shop->model.total;
    }
    outcome.seconds = thread_s() - began_s;
    return outcome;
}

static souk_err write_shop(struct shop *shop, const char *path, size_t count)
{
    souk_auto_value(souk_buf) out = {.mem = souk_mem_heap()};
    souk_json_writer json = {.out = &out};
    souk_json_write_object(&json);
    souk_json_put_array(&json, "offers");
    for (size_t i = 0; i < OFFERS; i++)
        souk_offer_write(&json, &shop->offers[i], 2);
    souk_json_write_end(&json);
    souk_json_put_array(&json, "baskets");
    for (size_t i = 0; i < count; i++) {
        souk_json_write_array(&json);
        for (size_t k = 0; k < LINES; k++) {
            const souk_basket_line *line = &shop->lines[i][k];
            souk_json_write_object(&json);
            souk_json_put_u64(&json, "product", line->product);
            souk_json_put_array(&json, "tags");
            souk_json_write_u64(&json, line->tags[0]);
            souk_json_write_u64(&json, line->tags[1]);
            souk_json_write_end(&json);
            souk_json_put_u64(&json, "units", (uint64_t)line->quantity.micro / 1000000);
            souk_json_put_u64(&json, "price", (uint64_t)line->unit_price.micro / 10000);
            souk_json_write_end(&json);
        }
        souk_json_write_end(&json);
    }
    souk_json_write_end(&json);
    souk_json_write_end(&json);
    SOUK_TRY(souk_json_write_check(&json));
    FILE *file = fopen(path, "wb");
    bool good = file && fwrite(out.at, 1, out.bytes, file) == out.bytes;
    if (file)
        good &= fclose(file) == 0;
    return good ? SOUK_OK : SOUK_EIO;
}

/* json-rules-engine, in a folder beside this binary that tools/pricing-peer fills; false: it cannot be had. */
static bool rules_turn(const char *path, struct outcome *ret_outcome, char version[32])
{
    char folder[400], command[2000];
    long long sum = 0;
    ssize_t bytes = readlink("/proc/self/exe", folder, sizeof folder - 1);
    folder[bytes < 0 ? 0 : bytes] = '\0';
    char *slash = strrchr(folder, '/');
    if (!slash)
        return false;
    *slash = '\0';
    snprintf(command, sizeof command,
             "'%s/../tools/pricing-peer' '%s/pricing-peer' && node "
             "'%s/pricing-peer/pricing_peer.mjs' '%s'",
             folder, folder, folder, path);
    FILE *answer = popen(command, "r");
    bool told =
        answer && fscanf(answer, "%lf %lld %31s", &ret_outcome->seconds, &sum, version) == 3;
    if (answer)
        told &= pclose(answer) == 0;
    ret_outcome->sum = sum;
    return told;
}

/* Instructions of this thread, in user mode, from now on; below 0: this machine does not count them. */
static int count_instructions(void)
{
    struct perf_event_attr wanted = {.type = PERF_TYPE_HARDWARE,
                                     .size = sizeof wanted,
                                     .config = PERF_COUNT_HW_INSTRUCTIONS,
                                     .exclude_kernel = 1,
                                     .exclude_hv = 1};
    return (int)syscall(SYS_perf_event_open, &wanted, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static souk_err measure_instructions(bench_run *bench, struct shop *shop)
{
    static const char claim[] = "instructions a basket";
    struct outcome ours;
    uint64_t instructions = 0;
    int counter = count_instructions();
    souk_err err = our_turn(shop, BASKETS, &ours);
    bool told =
        counter >= 0 && read(counter, &instructions, sizeof instructions) == sizeof instructions;
    if (counter >= 0)
        close(counter);
    if (told && instructions)
        bench_add(bench, claim, (double)instructions / BASKETS, "instructions", BENCH_AT_MOST,
                  50000, "-");
    else
        bench_missing(bench, claim, "instructions", BENCH_AT_MOST, 50000, "-");
    return err;
}

/* ---- claims ------------------------------------------------------------------------------------------------- */

static souk_err measure_typical(bench_run *bench, struct shop *shop)
{
    size_t count = bench->scale ? bench->scale : 100000;
    double seconds[ROUNDS], naive_s[ROUNDS];
    struct outcome ours = {0}, same = {0}, naive = {0};
    SOUK_TRY(make_shop(shop, false));
    for (size_t round = 0; round < ROUNDS; round++) {
        SOUK_TRY(our_turn(shop, count, &ours));
        seconds[round] = ours.seconds / (double)count;
        if (round < 3) {
            naive = naive_turn(shop, NAIVE_BASKETS);
            naive_s[round] = naive.seconds / NAIVE_BASKETS;
        }
    }
    SOUK_TRY(our_turn(shop, NAIVE_BASKETS, &same));
    double each_s = bench_median(seconds, ROUNDS), naive_each_s = bench_median(naive_s, 3);
    bench_add(bench, "baskets/s on a core, 15 lines, 500 offers", 1 / each_s, "baskets/CPU-s",
              BENCH_AT_LEAST, 100000, "the aim");
    bench_add(bench, "offers that hold in a basket", (double)ours.held / (double)count, "offers",
              BENCH_TOLD, 0, "-");
    SOUK_TRY(measure_instructions(bench, shop));
    if (naive.sum != same.sum) {
        bench_missing(bench, "times every offer on every line, by unit", "times", BENCH_AT_LEAST,
                      10, "the model");
        return SOUK_OK;
    }
    bench_add(bench, "every offer on every line, by unit", 1 / naive_each_s, "baskets/CPU-s",
              BENCH_TOLD, 0, "the model");
    bench_add(bench, "times every offer on every line, by unit", naive_each_s / each_s, "times",
              BENCH_AT_LEAST, 10, "the model");
    return SOUK_OK;
}

static souk_err measure_rules(bench_run *bench, struct shop *shop)
{
    static char against[64] = "json-rules-engine";
    char path[600], version[32] = "";
    struct outcome ours = {0}, same = {0}, rules = {0};
    snprintf(path, sizeof path, "%s/shop.json", bench->folder);
    SOUK_TRY(make_shop(shop, true));
    SOUK_TRY(our_turn(shop, 20000, &ours));
    SOUK_TRY(our_turn(shop, 20000, &ours));
    SOUK_TRY(our_turn(shop, NAIVE_BASKETS, &same));
    SOUK_TRY(write_shop(shop, path, NAIVE_BASKETS));
    bool told = rules_turn(path, &rules, version);
    if (told && rules.sum != same.sum)
        fprintf(stderr, "json-rules-engine: %lld, not %lld\n", (long long)rules.sum,
                (long long)same.sum);
    bench_add(bench, "plain offers: baskets/s on a core", 20000 / ours.seconds, "baskets/CPU-s",
              BENCH_TOLD, 0, "-");
    if (!told || rules.sum != same.sum) {
        bench_missing(bench, "plain offers: times json-rules-engine", "times", BENCH_AT_LEAST, 10,
                      against);
        return SOUK_OK;
    }
    snprintf(against, sizeof against, "json-rules-engine %s, node", version);
    bench_add(bench, "plain offers: json-rules-engine", NAIVE_BASKETS / rules.seconds,
              "baskets/CPU-s", BENCH_TOLD, 0, against);
    bench_add(bench, "plain offers: times json-rules-engine",
              rules.seconds / NAIVE_BASKETS * 20000 / ours.seconds, "times", BENCH_AT_LEAST, 10,
              against);
    return SOUK_OK;
}

static souk_err measure_worst(bench_run *bench, struct shop *shop)
{
    static const struct {
        const char *claim;
        souk_offer_kind kind;
        uint32_t group;
        bool exclusive;
    } worst[] = {
        {"worst: 500 percentages, all on everything", SOUK_OFFER_UNIT_PERCENT, 0, false},
        {"worst: 500 percentages in one group", SOUK_OFFER_UNIT_PERCENT, 1, false},
        {"worst: 500 times 3 for 2 on everything", SOUK_OFFER_N_FOR_M, 0, false},
        {"worst: 500 times 3 for 2 in one group", SOUK_OFFER_N_FOR_M, 1, false},
        {"worst: 500 exclusive percentages", SOUK_OFFER_UNIT_PERCENT, 0, true},
    };
    for (size_t i = 0; i < sizeof worst / sizeof *worst; i++) {
        struct outcome ours = {0};
        SOUK_TRY(make_worst(shop, worst[i].kind, worst[i].group, worst[i].exclusive));
        SOUK_TRY(our_turn(shop, WORST_BASKETS, &ours));
        SOUK_TRY(our_turn(shop, WORST_BASKETS, &ours));
        bench_add(bench, worst[i].claim, ours.seconds * 1000 / WORST_BASKETS, "ms a basket",
                  BENCH_TOLD, 0, "-");
    }
    return SOUK_OK;
}

static souk_err run_pricing(bench_run *bench, souk_diag *diag)
{
    struct shop *shop = souk_mem_get(bench->mem, sizeof *shop);
    souk_err err =
        shop ? souk_pricing_new(bench->mem, &(souk_pricing_limits){0}, &shop->desk) : SOUK_ENOMEM;
    if (!err)
        err = measure_typical(bench, shop);
    if (!err)
        err = measure_rules(bench, shop);
    if (!err)
        err = measure_worst(bench, shop);
    if (shop) {
        souk_pricing_free(shop->desk);
        souk_book_free(shop->book);
    }
    souk_mem_put(bench->mem, shop);
    return err ? souk_diag_say(diag, err, "the baskets cannot be priced") : SOUK_OK;
}

const bench_entry bench_pricing_entry = {
    "pricing", "baskets under 500 offers, beside evaluators that try them all", run_pricing};
