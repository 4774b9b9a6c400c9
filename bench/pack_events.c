/* pack_events.c - the generator of pack_events.h. */
#include "pack_events.h"

#include <time.h>

#define PICK(random, list) ((list)[below(random, sizeof(list) / sizeof *(list))])

/* Steele, Lea and Flood's splitmix64, OOPSLA 2014. */
static uint64_t next(uint64_t *random)
{
    uint64_t z = *random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static unsigned below(uint64_t *random, size_t limit)
{
    return (unsigned)(next(random) % limit);
}

static const char *const makes[] = {"Gravelly", "Tideway", "Monsoon", "Pebble",  "Harvest",
                                    "Zephyr",   "Cobalt",  "Juniper", "Ottoman", "Saffron",
                                    "Lichen",   "Drift",   "Copper",  "Basalt",  "Willow"};
static const char *const things[] = {"Anorak",   "Loafer",   "Teapot", "Hammock", "Satchel",
                                     "Bodysuit", "Espresso", "Muesli", "Tripod",  "Beanie",
                                     "Poncho",   "Ladle",    "Router", "Planter", "Bathrobe"};
static const char *const tints[] = {"Black",  "Ochre", "Mauve",  "White", "Rust",
                                    "Indigo", "Khaki", "Salmon", "Grey",  "Petrol"};
static const char *const brands[] = {"Vandermeer", "Isola",   "Kaspian", "Fjordline",
                                     "Bonmarche",  "Altezza", "Hummock", "Trellis"};
static const char *const sections[] = {"Outerwear", "Women > Tops", "Hallway", "Breakfast",
                                       "Men/Shoes", "Cameras",      "Bath",    "Garden"};
static const char *const shops[] = {"www.vandermeer-retail.com", "shop.isola.it", "kaspian.store",
                                    "www.fjordline.no", "hummock.co.uk"};
static const char *const chinese[] = {
    "男士加绒休闲裤",      "手工陶瓷茶壶 景德镇", "高腰阔腿牛仔裤女",
    "桂花乌龙茶 罐装250g", "儿童防水书包",        "复古机械键盘 青轴",
    "亚麻窗帘 遮光 定制",  "四川麻辣火锅底料",    "跑步鞋 透气网面 42码"};
static const char *const prose[] = {
    "I was sceptical at first, yet after three weeks of daily use the hinge still closes softly.",
    "Too tight around the shoulders; returned it and the refund came within two days.",
    "My grandmother loves it! Bought a second one for the holiday cottage.",
    "Die Naht hat sich nach dem ersten Waschgang gelöst, schade um den schönen Stoff.",
    "Passt wie angegossen, würde ich jederzeit wieder nehmen.",
    "颜色比图片深一点，不过布料摸起来很扎实，整体满意。",
    "物流有点慢，包装倒是很仔细，老人收到很开心。",
};
static const char *const locales[] = {"en-US", "en-GB", "de-DE", "nb-NO", "it-IT", "zh-CN"};
static const char *const zones[] = {"America/New_York", "Europe/London", "Europe/Oslo",
                                    "Europe/Rome", "Asia/Shanghai"};
static const char *const coins[] = {"USD", "EUR", "GBP", "NOK", "CNY"};

static void uuid(uint64_t *random, souk_buf *out)
{
    uint64_t a = next(random), b = next(random);
    souk_buf_print(out, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
                   (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
                   (unsigned)(b >> 48 & 0x3fff) | 0x8000u,
                   (unsigned long long)(b & UINT64_C(0xffffffffffff)));
}

/* In 2025 and 2026. */
static uint64_t moment(uint64_t *random)
{
    return UINT64_C(1735689600000) + next(random) % (UINT64_C(700) * 86400000);
}

static void stamp(uint64_t ms, souk_buf *out)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm at;
    char text[32];
    gmtime_r(&seconds, &at);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &at);
    souk_buf_print(out, "%s.%03uZ", text, (unsigned)(ms % 1000));
}

static void field_uuid(uint64_t *random, const char *before, souk_buf *out)
{
    souk_buf_print(out, "%s", before);
    uuid(random, out);
}

static void field_stamp(const char *before, uint64_t ms, souk_buf *out)
{
    souk_buf_print(out, "%s", before);
    stamp(ms, out);
}

static void price(uint64_t *random, souk_buf *out)
{
    unsigned whole = 1 + below(random, 400);
    switch (below(random, 4)) {
    case 0:
        souk_buf_print(out, "%u", whole);
        break;
    case 1:
        souk_buf_print(out, "%u.99", whole);
        break;
    default:
        souk_buf_print(out, "%u.%u", whole, 1 + below(random, 99));
    }
}

static void agent(uint64_t *random, souk_buf *out)
{
    unsigned version = 118 + below(random, 30), phone = 16 + below(random, 3);
    switch (below(random, 5)) {
    case 0:
        souk_buf_print(
            out,
            "Mozilla/5.0 (iPhone; CPU iPhone OS %u_%u like Mac OS X) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/%u.%u Mobile/15E148 Safari/604.1",
            phone, below(random, 7), phone, below(random, 7));
        break;
    case 1:
        souk_buf_print(out,
                       "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
                       "Chrome/%u.0.0.0 Mobile Safari/537.36",
                       version);
        break;
    case 2:
        souk_buf_print(out, "Mozilla/5.0 (X11; Linux x86_64; rv:%u.0) Gecko/20100101 Firefox/%u.0",
                       version, version);
        break;
    default:
        souk_buf_print(out,
                       "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like "
                       "Gecko) Chrome/%u.0.0.0 Safari/537.36",
                       version);
    }
}

static void product_name(uint64_t *random, souk_buf *out)
{
    souk_buf_print(out, "%s %s", PICK(random, makes), PICK(random, things));
    if (below(random, 3) == 0)
        souk_buf_print(out, " %s", PICK(random, tints));
}

/* The members of a product, without braces. */
static void product(uint64_t *random, bool full, souk_buf *out)
{
    if (below(random, 2))
        souk_buf_print(out, "\"product_id\":\"%u\"", 10000 + below(random, 900000));
    else
        souk_buf_print(out, "\"product_id\":\"vm-%05x\"", below(random, 0xfffff));
    souk_buf_print(out, ",\"sku\":\"%c%c-%u-%c\",\"name\":\"", 'A' + (int)below(random, 26),
                   'A' + (int)below(random, 26), below(random, 100000), "SMLX"[below(random, 4)]);
    product_name(random, out);
    souk_buf_print(out, "\"");
    if (full || below(random, 2))
        souk_buf_print(out, ",\"brand\":\"%s\",\"category\":\"%s\"", PICK(random, brands),
                       PICK(random, sections));
    souk_buf_print(out, ",\"price\":");
    price(random, out);
    souk_buf_print(out, ",\"quantity\":%u", 1 + below(random, 3));
}

static void page(uint64_t *random, souk_buf *out)
{
    const char *shop = PICK(random, shops), *make = PICK(random, makes),
               *thing = PICK(random, things);
    souk_buf_print(
        out,
        "{\"path\":\"/products/%s-%s\",\"referrer\":\"%s\",\"search\":\"\",\"title\":\"%s "
        "%s\",\"url\":\"https://%s/products/%s-%s\"}",
        make, thing, below(random, 2) ? "" : "https://www.google.com/", make, thing, shop, make,
        thing);
}

static void browser_head(uint64_t *random, uint64_t ms, souk_buf *out)
{
    field_stamp("{\"timestamp\":\"", ms, out);
    souk_buf_print(out, "\",\"integrations\":{},");
    if (below(random, 3) == 0)
        souk_buf_print(out, "\"userId\":\"m%u\",", below(random, 10000000));
    field_uuid(random, "\"anonymousId\":\"", out);
}

static void browser_tail(uint64_t *random, uint64_t ms, souk_buf *out)
{
    souk_buf_print(out, "\"userAgent\":\"");
    agent(random, out);
    souk_buf_print(out,
                   "\",\"locale\":\"%s\",\"library\":{\"name\":\"analytics.js\",\"version\":"
                   "\"npm:next-1.%u.%u\"},\"timezone\":\"%s\"},\"messageId\":\"ajs-next-%llu-",
                   PICK(random, locales), 60 + below(random, 25), below(random, 4),
                   PICK(random, zones), (unsigned long long)ms + below(random, 5));
    field_uuid(random, "", out);
    souk_buf_print(out, "\"}");
}

static void node_tail(uint64_t *random, uint64_t ms, souk_buf *out)
{
    souk_buf_print(out,
                   ",\"context\":{\"library\":{\"name\":\"@segment/analytics-node\",\"version\":"
                   "\"3.%u.0\"}},\"messageId\":\"node-next-%llu-",
                   below(random, 2), (unsigned long long)ms);
    uuid(random, out);
    souk_buf_print(out, "\",\"_metadata\":{\"nodeVersion\":\"%u.%u.0\",\"jsRuntime\":\"node\"}}",
                   18 + 2 * below(random, 3), below(random, 20));
}

static void print_page(uint64_t *random, souk_buf *out)
{
    uint64_t ms = moment(random);
    browser_head(random, ms, out);
    souk_buf_print(out, "\",\"type\":\"page\",\"properties\":");
    uint64_t again = *random; /* the context's page is the same page */
    page(random, out);
    souk_buf_print(out, ",\"context\":{\"page\":");
    page(&again, out);
    souk_buf_print(out, ",");
    browser_tail(random, ms, out);
}

static void print_view(uint64_t *random, souk_buf *out)
{
    uint64_t ms = moment(random);
    browser_head(random, ms, out);
    souk_buf_print(out, "\",\"event\":\"Product Viewed\",\"type\":\"track\",\"properties\":{");
    product(random, false, out);
    souk_buf_print(out, ",\"currency\":\"%s\"},\"context\":{", PICK(random, coins));
    browser_tail(random, ms, out);
}

static void print_add(uint64_t *random, souk_buf *out)
{
    uint64_t ms = moment(random);
    field_stamp("{\"timestamp\":\"", ms, out);
    souk_buf_print(out, "\",\"integrations\":{},\"type\":\"track\",\"userId\":\"shop-%u\"",
                   below(random, 500000));
    souk_buf_print(out, ",\"event\":\"Product Added\",\"properties\":{\"cart_id\":\"");
    uuid(random, out);
    souk_buf_print(out, "\",");
    product(random, true, out);
    souk_buf_print(out, ",\"currency\":\"%s\"}", PICK(random, coins));
    node_tail(random, ms, out);
}

static void print_order(uint64_t *random, souk_buf *out)
{
    uint64_t ms = moment(random);
    field_stamp("{\"timestamp\":\"", ms, out);
    souk_buf_print(out, "\",\"integrations\":{},\"userId\":\"shop-%u\"", below(random, 500000));
    field_uuid(random, ",\"anonymousId\":\"", out);
    souk_buf_print(
        out,
        "\",\"event\":\"Order Completed\",\"type\":\"track\",\"properties\":{\"order_id\":"
        "\"W%u\",\"affiliation\":\"%s webshop\",\"total\":",
        100000 + below(random, 800000), PICK(random, brands));
    price(random, out);
    souk_buf_print(out, ",\"revenue\":");
    price(random, out);
    souk_buf_print(out, ",\"shipping\":%u,\"tax\":", below(random, 12));
    price(random, out);
    souk_buf_print(out, ",\"currency\":\"%s\",\"products\":[", PICK(random, coins));
    unsigned count = 1 + below(random, 5);
    for (unsigned i = 0; i < count; i++) {
        souk_buf_print(out, i ? ",{" : "{");
        product(random, i % 2 == 0, out);
        souk_buf_print(out, "}");
    }
    souk_buf_print(out, "]}");
    node_tail(random, ms, out);
}

static void print_identify(uint64_t *random, souk_buf *out)
{
    static const char *const given[] = {"Torvald", "Benedetta", "Ingrid", "Callum", "Xiaoyu"};
    static const char *const family[] = {"Haugen", "Pellegrini", "Ashworth", "Winkler", "Sun"};
    uint64_t ms = moment(random);
    souk_auto_value(souk_buf) traits = {.limit_bytes = 4096};
    const char *one = PICK(random, given), *two = PICK(random, family);
    souk_buf_print(
        &traits,
        "{\"email\":\"%s_%s%u@fastmail.no\",\"firstName\":\"%s\",\"lastName\":\"%s\","
        "\"phone\":\"+47%08u\",\"address\":{\"city\":\"Stavanger\",\"postalCode\":\"%04u\","
        "\"country\":\"NO\"}}",
        one, two, below(random, 1000), one, two, below(random, 100000000), below(random, 10000));
    souk_buf_print(out, "{\"userId\":\"shop-%u\",\"traits\":", below(random, 500000));
    souk_buf_text(out, souk_buf_view(&traits));
    souk_buf_print(out, ",\"context\":{\"traits\":");
    souk_buf_text(out, souk_buf_view(&traits));
    souk_buf_print(
        out,
        ",\"library\":{\"name\":\"@rudderstack/rudder-sdk-node\",\"version\":\"3.0.%u\"}},"
        "\"type\":\"identify\",\"_metadata\":{\"nodeVersion\":\"22.%u.0\"},\"messageId\":\"",
        below(random, 14), below(random, 12));
    uuid(random, out);
    field_stamp("\",\"originalTimestamp\":\"", ms, out);
    field_stamp("\",\"channel\":\"server\",\"sentAt\":\"", ms + below(random, 40), out);
    souk_buf_print(out, "\"}");
}

static void print_chinese(uint64_t *random, souk_buf *out)
{
    uint64_t ms = moment(random);
    browser_head(random, ms, out);
    souk_buf_print(
        out,
        "\",\"event\":\"Product Viewed\",\"type\":\"track\",\"properties\":{\"product_id\":"
        "\"%u\",\"name\":\"%s\",\"category\":\"家居日用\",\"price\":",
        100000000 + below(random, 800000000), PICK(random, chinese));
    price(random, out);
    souk_buf_print(out, ",\"currency\":\"CNY\"},\"context\":{");
    browser_tail(random, ms, out);
}

static void print_python(uint64_t *random, souk_buf *out)
{
    uint64_t ms = moment(random);
    field_uuid(random, "{\"integrations\": {}, \"anonymousId\": \"", out);
    souk_buf_print(out, "\", \"properties\": {\"product_id\": \"%u\", \"name\": \"",
                   10000 + below(random, 900000));
    product_name(random, out);
    souk_buf_print(out, "\", \"price\": ");
    price(random, out);
    souk_buf_print(out, ", \"quantity\": 1, \"currency\": \"%s\"}, \"timestamp\": \"",
                   PICK(random, coins));
    stamp(ms, out);
    out->bytes--; /* microseconds and an offset in place of the Z */
    souk_buf_print(
        out,
        "%03u+00:00\", \"context\": {\"library\": {\"name\": \"analytics-python\", "
        "\"version\": \"2.3.%u\"}}, \"userId\": \"shop-%u\", \"type\": \"track\", \"event\": "
        "\"Product Added\", \"messageId\": \"",
        below(random, 1000), below(random, 4), below(random, 500000));
    uuid(random, out);
    souk_buf_print(out, "\"}");
}

static void print_store(uint64_t *random, souk_buf *out)
{
    uint64_t ms = moment(random);
    field_uuid(random, "{\"type\":\"track\",\"messageId\":\"", out);
    field_uuid(random, "\",\"anonymousId\":\"", out);
    field_stamp("\",\"timestamp\":\"", ms, out);
    if (below(random, 2))
        souk_buf_print(
            out,
            "\",\"event\":\"Zone Dwelled\",\"properties\":{\"store_id\":\"OSL-%u\",\"zone\":"
            "\"%s\",\"dwell_seconds\":%u}",
            below(random, 40), PICK(random, sections), below(random, 300));
    else
        souk_buf_print(out,
                       "\",\"event\":\"Item Picked Up\",\"properties\":{\"store_id\":\"OSL-%u\","
                       "\"epc\":\"30%08X%08X%06X\",\"shelf\":\"%c%u\"}",
                       below(random, 40), (unsigned)next(random), (unsigned)next(random),
                       below(random, 1 << 24), 'A' + (int)below(random, 9), below(random, 60));
    souk_buf_print(out,
                   ",\"context\":{\"library\":{\"name\":\"till-gateway\",\"version\":\"0.9\"}}}");
}

static void print_review(uint64_t *random, souk_buf *out)
{
    uint64_t ms = moment(random);
    browser_head(random, ms, out);
    souk_buf_print(
        out,
        "\",\"event\":\"Product Reviewed\",\"type\":\"track\",\"properties\":{\"product_id\":"
        "\"%u\",\"review_id\":\"%u\",\"review_body\":\"%s %s\",\"rating\":\"%u\"},\"context\":{",
        10000 + below(random, 900000), below(random, 1000000), PICK(random, prose),
        PICK(random, prose), 1 + below(random, 5));
    browser_tail(random, ms, out);
}

static void print_custom(uint64_t *random, souk_buf *out)
{
    static const char *const names[] = {"Wheel Spun", "Recipe Bookmarked", "Fitting Booked",
                                        "Stylist Chat Opened", "Loyalty Tile Tapped"};
    uint64_t ms = moment(random);
    browser_head(random, ms, out);
    souk_buf_print(out,
                   "\",\"event\":\"%s\",\"type\":\"track\",\"properties\":{\"funnelStage\":\"%s\","
                   "\"tileRow\":%u,\"isLoggedIn\":%s,\"abBucket\":\"bucket_%u\",\"stylist\":\"%s\","
                   "\"slotMinutes\":%u},\"context\":{",
                   PICK(random, names), below(random, 2) ? "explore" : "decide", below(random, 12),
                   below(random, 2) ? "true" : "false", below(random, 16), PICK(random, makes),
                   15 * (1 + below(random, 4)));
    browser_tail(random, ms, out);
}

static const struct {
    const char *name;
    void (*print)(uint64_t *random, souk_buf *out);
} kinds[PACK_EVENT_KINDS] = {
    [PACK_EVENT_PAGE] = {"page", print_page},
    [PACK_EVENT_VIEW] = {"product viewed", print_view},
    [PACK_EVENT_ADD] = {"product added", print_add},
    [PACK_EVENT_ORDER] = {"order completed", print_order},
    [PACK_EVENT_IDENTIFY] = {"identify", print_identify},
    [PACK_EVENT_CHINESE] = {"chinese", print_chinese},
    [PACK_EVENT_PYTHON] = {"python, spaced", print_python},
    [PACK_EVENT_STORE] = {"in the store", print_store},
    [PACK_EVENT_REVIEW] = {"review, prose", print_review},
    [PACK_EVENT_CUSTOM] = {"custom keys", print_custom},
};

const char *pack_event_name(pack_event_kind kind)
{
    return kinds[kind].name;
}

void pack_event_print(uint64_t *random, pack_event_kind kind, souk_buf *out)
{
    kinds[kind].print(random, out);
}
