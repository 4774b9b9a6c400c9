/* json_bench.c - the JSON reader on Segment-like events, beside cJSON and simdjson's DOM.
 *
 * 20,000 distinct events of about 440 bytes (seeded, so the same in every run); each is parsed and
 * three of its fields (messageId, userId, event) are read.  Median of 7 rounds of one core's time;
 * the parsers take turns, so that all see the same machine.
 *
 *     g++ -O2 -c bench/json_simdjson.cc -o json_simdjson.o
 *     gcc -std=c17 -D_GNU_SOURCE -O2 -DWITH_SIMDJSON -Isrc bench/json_bench.c src/base/json*.c ...
 *
 * tools/json-peers runs it.  Without WITH_SIMDJSON that row is left out. */
#include "base/json_scan.h"
#include "base/json_write.h"

#ifdef WITH_SIMDJSON
#include "json_simdjson.h"
#endif

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { EVENTS = 20000, ROUNDS = 7, PADDING = 64 };

static char *events[EVENTS];
static size_t bytes[EVENTS], total_bytes;

static uint64_t chance(uint64_t below)
{
    static uint64_t state = 20240117;
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % below;
}

/* One event of about 440 bytes.  In `chinese` every name is, in plain UTF-8. */
static void make_event(souk_buf *out, size_t number, bool chinese)
{
    static const char *const names[] = {"Product Viewed", "Product Added",    "Order Completed",
                                        "Cart Viewed",    "Checkout Started", "Search"};
    static const char *const chinese_names[] = {"浏览商品",   "加入购物车", "订单已完成",
                                                "查看购物车", "开始结账",   "搜索商品"};
    static const char *const goods[] = {"Salty Pistachios 250 g", "Mango Dried 100 g", "Tea",
                                        "Roasted Cashew Nuts 500 g"};
    static const char *const chinese_goods[] = {"良品铺子 开心果 250克", "芒果干 100克", "茶",
                                                "烤腰果 500克 每日坚果"};
    const char *name = chinese ? chinese_names[chance(6)] : names[chance(6)];
    const char *good = chinese ? chinese_goods[chance(4)] : goods[chance(4)];
    souk_buf_print(out,
                   "{\"type\":\"track\",\"messageId\":\"%08x-%04x-4%03x-a%03x-%012llx\","
                   "\"userId\":\"u-%llu\",\"event\":\"%s\",\"properties\":{\"product_id\":"
                   "\"SKU-%llu\",\"name\":\"%s\",\"price\":%llu.%02llu,\"quantity\":%llu,"
                   "\"currency\":\"CNY\",\"category\":\"Snacks/%s\"%s},",
                   (unsigned)chance(1ull << 32), (unsigned)chance(65536), (unsigned)chance(4096),
                   (unsigned)chance(4096), (unsigned long long)number,
                   (unsigned long long)chance(10000000), name, (unsigned long long)chance(100000),
                   good, (unsigned long long)chance(200), (unsigned long long)chance(100),
                   (unsigned long long)(1 + chance(9)), chance(2) ? "Salty" : "Sweet",
                   chance(3) ? ",\"coupon\":null"
                             : ",\"in_stock\":true,\"tags\":[\"new\",\"sale\"]");
    souk_buf_print(out,
                   "\"context\":{\"ip\":\"10.%llu.%llu.7\",\"locale\":\"zh-CN\",\"page\":{\"path\":"
                   "\"/p/%llu\",\"referrer\":\"https://www.example.com/\"}},"
                   "\"timestamp\":\"2024-%02llu-%02lluT%02llu:%02llu:07.%03lluZ\"}",
                   (unsigned long long)chance(256), (unsigned long long)chance(256),
                   (unsigned long long)chance(1000000), (unsigned long long)(1 + chance(12)),
                   (unsigned long long)(1 + chance(28)), (unsigned long long)chance(24),
                   (unsigned long long)chance(60), (unsigned long long)chance(1000));
}

static void make_events(bool chinese)
{
    souk_buf text = {0};
    total_bytes = 0;
    for (size_t i = 0; i < EVENTS; i++) {
        souk_buf_clear(&text);
        make_event(&text, i, chinese);
        free(events[i]);
        bytes[i] = text.bytes;
        events[i] = malloc(text.bytes + PADDING); /* only simdjson wants bytes behind the text */
        if (!events[i] || souk_buf_check(&text))
            abort();
        memcpy(events[i], text.at, text.bytes);
        memset(events[i] + text.bytes, 0, PADDING);
        total_bytes += text.bytes;
    }
    souk_buf_done(&text);
}

static size_t read_souk(void)
{
    static souk_json_doc doc;
    static souk_arena arena;
    arena.mem = souk_mem_heap();
    size_t sum = 0;
    for (size_t i = 0; i < EVENTS; i++) {
        souk_text id, user, name;
        souk_arena_clear(&arena);
        if (souk_json_read(&doc, (souk_text){events[i], bytes[i]}, NULL, NULL))
            return 0;
        souk_json_node root = souk_json_root(&doc);
        if (souk_json_text(&doc, souk_json_member(&doc, root, SOUK_TEXT("messageId")), &arena,
                           &id) ||
            souk_json_text(&doc, souk_json_member(&doc, root, SOUK_TEXT("userId")), &arena,
                           &user) ||
            souk_json_text(&doc, souk_json_member(&doc, root, SOUK_TEXT("event")), &arena, &name))
            return 0;
        sum += id.bytes + user.bytes + name.bytes;
    }
    return sum;
}

static size_t read_cjson(void)
{
    size_t sum = 0;
    for (size_t i = 0; i < EVENTS; i++) {
        cJSON *event = cJSON_ParseWithLength(events[i], bytes[i]);
        const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, "messageId"));
        const char *user = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, "userId"));
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, "event"));
        if (!id || !user || !name)
            return 0;
        sum += strlen(id) + strlen(user) + strlen(name);
        cJSON_Delete(event);
    }
    return sum;
}

#ifdef WITH_SIMDJSON
static size_t read_simdjson(void)
{
    return bench_json_simdjson((const char *const *)events, bytes, EVENTS);
}
#endif

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct contender {
    char name[32];
    const souk_json_kernel *kernel;
    size_t (*read)(void);
    double seconds[ROUNDS];
} contender;

static void run(const char *title, contender *all, size_t count)
{
    size_t expected = read_cjson();
    for (int round = -1; round < ROUNDS; round++) { /* the round before the first warms up */
        for (size_t i = 0; i < count; i++) {
            souk_json_kernel_use(all[i].kernel);
            double begin = cpu_seconds();
            size_t sum = all[i].read();
            if (round >= 0)
                all[i].seconds[round] = cpu_seconds() - begin;
            if (sum != expected || sum == 0) {
                fprintf(stderr, "%s read other fields than cJSON\n", all[i].name);
                exit(1);
            }
        }
    }
    double cjson = 0;
    printf("%s: %d events of %zu bytes, median of %d\n", title, EVENTS, total_bytes / EVENTS,
           ROUNDS);
    for (size_t i = 0; i < count; i++) {
        qsort(all[i].seconds, ROUNDS, sizeof all[i].seconds[0], compare_doubles);
        double median = all[i].seconds[ROUNDS / 2];
        cjson = i ? cjson : median;
        printf("  %-16s %7.0f MB/s %6.2f M events/s %6.2f x cJSON\n", all[i].name,
               (double)total_bytes / median / 1e6, EVENTS / median / 1e6, cjson / median);
    }
}

int main(void)
{
    contender all[10] = {{.name = "cJSON", .read = read_cjson}};
    size_t count = 1;
#ifdef WITH_SIMDJSON
    all[count++] = (contender){.name = "simdjson DOM", .read = read_simdjson};
#endif
    for (const souk_json_kernel *kernel = souk_json_kernels; kernel->name; kernel++) {
        if (!kernel->runs_here())
            continue;
        all[count] = (contender){.kernel = kernel, .read = read_souk};
        snprintf(all[count++].name, sizeof all[0].name, "souk %s", kernel->name);
    }
    make_events(false);
    run("ASCII", all, count);
    make_events(true);
    run("Chinese names", all, count);
    return 0;
}
