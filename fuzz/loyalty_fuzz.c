/* loyalty_fuzz.c - any bytes as a loyalty programme, as a coupon class, and as a coupon code.
 *
 * What is taken keeps its promises: a preview adds up, lots do not expire before they are earned, a normal code is its
 * own normal form. */
#include "service/loyalty/coupon_class.h"
#include "service/loyalty/programme.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_programme(souk_text json)
{
    souk_arena arena = {.mem = souk_mem_heap()};
    const souk_programme *programme;
    souk_diag diag = {0};
    souk_err err = souk_programme_read(json, &arena, &programme, &diag);
    souk_assert(err == SOUK_OK || diag.words[0] || arena.failed);
    if (!err) {
        souk_text tag = SOUK_TEXT("tea");
        souk_earn_line lines[] = {{SOUK_TEXT("a"), &tag, 1, 12345}, {SOUK_TEXT("b"), NULL, 0, 99}};
        souk_earn_when when = {.at = 1796083200000, .weekday = 2, .store = SOUK_TEXT("S")};
        souk_programme_earning earning;
        int64_t points = 0, spend = 0;
        err = souk_programme_preview(programme, lines, 2, when, &arena, &earning);
        souk_assert(err == SOUK_OK || err == SOUK_EOVERFLOW || arena.failed);
        for (size_t i = 0; !err && i < earning.share_count; i++) {
            points += earning.shares[i].points;
            spend += earning.shares[i].spend_minor;
        }
        souk_assert(err || (points == earning.points && spend == earning.spend_minor));
        souk_assert(souk_programme_expires(programme, when.at) > when.at);
        int64_t cost = souk_programme_cost(programme, 777);
        souk_assert(cost > SOUK_POINTS_MOST || souk_programme_worth(programme, cost) >= 777);
        souk_assert(cost > SOUK_POINTS_MOST || !souk_programme_burnable(programme, cost, NULL));
    }
    souk_arena_done(&arena);
}

static void check_class(souk_text json)
{
    souk_arena arena = {.mem = souk_mem_heap()};
    souk_coupon_class class;
    souk_diag diag = {0};
    souk_err err = souk_coupon_class_read(SOUK_TEXT("class"), json, &arena, &class, &diag);
    souk_assert(err == SOUK_OK || diag.words[0] || arena.failed);
    souk_assert(err || (class.from < class.until && class.title.bytes && class.offer.bytes));
    souk_assert(err || (class.uses == 0) == (class.kind == SOUK_COUPON_SHARED));
    souk_arena_done(&arena);
}

static void check_code(souk_text code)
{
    char normal[SOUK_COUPON_CODE_MOST], again[SOUK_COUPON_CODE_MOST];
    size_t bytes, more;
    if (souk_coupon_code_normal(code, normal, &bytes))
        return;
    souk_assert(bytes > 0 && bytes <= code.bytes);
    souk_assert(souk_coupon_code_normal((souk_text){normal, bytes}, again, &more) == SOUK_OK);
    souk_assert(more == bytes && !memcmp(normal, again, bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    souk_text text = {(const char *)data, size};
    check_programme(text);
    check_class(text);
    check_code(text);
    return 0;
}
