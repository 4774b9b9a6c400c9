/* gs1_table.c - the rows of gs1_table.h, in the order of their numbers. */
#include "base/gs1_table.h"

/* How a row ends: FIXED needs no separator behind it, PATH may not stand in the query of a link. */
#define FREE  false, false
#define FIXED true, false
#define PATH  false, true
#define ROW(first, last, format, need, ...)               \
    {                                                     \
        first, last, format, SOUK_GS1_##need, __VA_ARGS__ \
    }
#define ONE(number, format, need, ...) ROW(number, number, format, need, __VA_ARGS__)
/* Six digits with 0 to 5 decimals, of the item or of what it travels in. */
#define TRADE(number) ROW(number##0, number##5, "n6", ITEM, FIXED)
#define CARGO(number) ROW(number##0, number##5, "n6", OTHER, FIXED)

/* clang-format off */
static const souk_gs1_ai table[] = {
    /* the box or pallet; the item of trade; the items in it; the item made to order */
    ONE(0, "n18c", ALONE, FIXED), ONE(1, "n14c", ALONE, FIXED), ONE(2, "n14c", ALONE, FIXED),
    {3, 3, "n14c", SOUK_GS1_ALONE, true, true}, /* both: no link has it */
    /* batch; dates: made, due, packed, best before, sell by, use by; variant; serial; count */
    ONE(10, "x<20", PRODUCT, FREE), ONE(11, "n6d", PRODUCT, FIXED), ONE(12, "n6d", OTHER, FIXED),
    ONE(13, "n6d", PRODUCT, FIXED), ONE(15, "n6d", PRODUCT, FIXED), ONE(16, "n6d", PRODUCT, FIXED),
    ONE(17, "n6d", PRODUCT, FIXED), ONE(20, "n2", PRODUCT, FIXED), ONE(21, "x<20", PRODUCT, PATH),
    ONE(22, "x<20", ITEM, PATH), ONE(30, "n<8", ITEM, FREE),
    /* how many are inside */
    ONE(37, "n<8", OTHER, FREE),
    /* what partners agree on, and what a company keeps to itself */
    ONE(90, "x<30", ALONE, FREE), ROW(91, 99, "x<90", ALONE, FREE),
    /* more about the item */
    ONE(235, "x<28", ITEM, PATH), ONE(240, "x<30", PRODUCT, FREE),
    ONE(241, "x<30", PRODUCT, FREE), ONE(242, "n<6", PRODUCT, FREE),
    ONE(243, "x<20", PRODUCT, FREE), ONE(250, "x<30", PRODUCT, FREE),
    ONE(251, "x<30", PRODUCT, FREE),
    /* documents and coupons */
    ONE(253, "n13c ?x<17", ALONE, FREE), ONE(254, "x<20", OTHER, PATH),
    ONE(255, "n13c ?n<12", ALONE, FREE),
    /* orders and consignments; places; destinations; countries of origin */
    ONE(400, "x<30", ALONE, FREE), ONE(401, "x<30", ALONE, FREE), ONE(402, "n17c", ALONE, FREE),
    ONE(403, "x<30", SSCC, FREE), ROW(410, 417, "n13c", ALONE, FIXED),
    ONE(420, "x<20", ALONE, FREE), ONE(421, "n3 x<9", ALONE, FREE), ONE(422, "n3", PRODUCT, FREE),
    ONE(423, "n3 ?n3 ?n3 ?n3 ?n3", PRODUCT, FREE), ONE(424, "n3", PRODUCT, FREE),
    ONE(425, "n3 ?n3 ?n3 ?n3 ?n3", PRODUCT, FREE), ONE(426, "n3", PRODUCT, FREE),
    ONE(427, "x<3", PRODUCT, FREE),
    /* national health numbers */
    ROW(710, 717, "x<20", PRODUCT, FREE),
    /* measures of the item, and of the box it is in; 30 kinds in the metric system and the other */
    TRADE(310), TRADE(311), TRADE(312), TRADE(313), TRADE(314), TRADE(315),
    TRADE(316), TRADE(320), TRADE(321), TRADE(322), TRADE(323), TRADE(324),
    TRADE(325), TRADE(326), TRADE(327), TRADE(328), TRADE(329), CARGO(330),
    CARGO(331), CARGO(332), CARGO(333), CARGO(334), CARGO(335), CARGO(336),
    CARGO(337), CARGO(340), CARGO(341), CARGO(342), CARGO(343), CARGO(344),
    CARGO(345), CARGO(346), CARGO(347), CARGO(348), CARGO(349), TRADE(350),
    TRADE(351), TRADE(352), CARGO(353), CARGO(354), CARGO(355), TRADE(356),
    TRADE(357), TRADE(360), TRADE(361), CARGO(362), CARGO(363), TRADE(364),
    TRADE(365), TRADE(366), CARGO(367), CARGO(368), CARGO(369),
    /* amounts to pay, with and without currency; percent off; price of a unit */
    ROW(3900, 3909, "n<15", OTHER, FREE), ROW(3910, 3919, "n3 n<15", OTHER, FREE),
    ROW(3920, 3929, "n<15", MEASURE, FREE), ROW(3930, 3939, "n3 n<15", MEASURE, FREE),
    ROW(3940, 3943, "n4", OTHER, FREE), ROW(3950, 3955, "n6", MEASURE, FREE),
    /* where it is shipped, and how */
    ROW(4300, 4301, "x<35", SSCC, FREE), ROW(4302, 4306, "x<70", SSCC, FREE),
    ONE(4307, "x2", SSCC, FREE), ONE(4308, "x<30", SSCC, FREE), ONE(4309, "n10l n10L", SSCC, FREE),
    ROW(4310, 4311, "x<35", SSCC, FREE), ROW(4312, 4316, "x<70", SSCC, FREE),
    ONE(4317, "x2", SSCC, FREE), ONE(4318, "x<20", SSCC, FREE), ONE(4319, "x<30", SSCC, FREE),
    ONE(4320, "x<35", SSCC, FREE), ROW(4321, 4323, "n1b", SSCC, FREE),
    ROW(4324, 4325, "n6d n4t", SSCC, FREE), ONE(4326, "n6D", SSCC, FREE),
    ROW(4330, 4333, "n6 ?x1-", SSCC, FREE),
    /* food: expiry to the minute, catch, harvest, processors */
    ONE(7001, "n13", PRODUCT, FREE), ONE(7002, "x<30", ITEM, FREE),
    ONE(7003, "n6D n4t", PRODUCT, FREE), ONE(7004, "n<4", ITEM, FREE),
    ONE(7005, "x<12", PRODUCT, FREE), ONE(7006, "n6D", PRODUCT, FREE),
    ONE(7007, "n6D ?n6D", PRODUCT, FREE), ONE(7008, "x<3", PRODUCT, FREE),
    ONE(7009, "x<10", ITEM, FREE), ONE(7010, "x<2", PRODUCT, FREE),
    ONE(7011, "n6D ?n4t", PRODUCT, FREE), ROW(7020, 7022, "x<20", PRODUCT, FREE),
    ONE(7023, "x<30", ALONE, FREE), ROW(7030, 7039, "n3 x<27", PRODUCT, FREE),
    ONE(7040, "n1 x1 x1 x1", OTHER, PATH), ONE(7041, "x<4", SSCC, PATH),
    /* certificates; trials; patients */
    ROW(7230, 7239, "x2 x<28", OTHER, FREE), ONE(7240, "x<20", PRODUCT, FREE),
    ONE(7241, "n2", OTHER, FREE), ONE(7242, "x<25", OTHER, FREE), ONE(7250, "n8F", OTHER, FREE),
    ONE(7251, "n8F n4t", OTHER, FREE), ONE(7252, "n1", OTHER, FREE),
    ROW(7253, 7254, "x<40", OTHER, FREE), ONE(7255, "x<10", OTHER, FREE),
    ONE(7256, "x<90", OTHER, FREE), ONE(7257, "x<70", OTHER, FREE), ONE(7258, "x3", OTHER, FREE),
    ONE(7259, "x<40", OTHER, FREE),
    /* sizes, assets, parts, accounts, prices of a unit */
    ONE(8001, "n4+ n5+ n3+ n1 n1", PRODUCT, FREE), ONE(8002, "x<20", ALONE, FREE),
    ONE(8003, "n1o n13c ?x<16", ALONE, FREE), ONE(8004, "x<30", ALONE, FREE),
    ONE(8005, "n6", ITEM, FREE), ONE(8006, "n14c n4p", ALONE, FREE),
    ONE(8007, "x<34", OTHER, FREE), ONE(8008, "n6D n2h ?n2m ?n2m", PRODUCT, FREE),
    ONE(8009, "x<50", OTHER, FREE), ONE(8010, "y<30", ALONE, FREE), ONE(8011, "n<12u", OTHER, PATH),
    ONE(8012, "x<20", PRODUCT, FREE), ONE(8013, "x<25a", ALONE, FREE),
    ONE(8014, "x<25a", PRODUCT, PATH), ROW(8017, 8018, "n18c", ALONE, FREE),
    ONE(8019, "n<10", OTHER, PATH), ONE(8020, "x<25", OTHER, PATH),
    ONE(8026, "n14c n4p", ALONE, FREE), ONE(8030, "z<90e", OTHER, FREE),
    ROW(8040, 8041, "n15", PRODUCT, PATH), ONE(8042, "n32", PRODUCT, PATH),
    ONE(8043, "n18 ?n<2", PRODUCT, PATH),
    /* paper coupons; loyalty points; links */
    ONE(8110, "x<70", ALONE, FREE), ONE(8111, "n4", OTHER, FREE), ONE(8112, "x<70", ALONE, FREE),
    ONE(8200, "x<70", PRODUCT, PATH),
};
/* clang-format on */
enum { ROWS = sizeof table / sizeof *table };

unsigned souk_gs1_ai_digits(unsigned number)
{
    return number < 100 ? 2 : number < 1000 ? 3 : 4;
}

const souk_gs1_ai *souk_gs1_ai_at(size_t n)
{
    return n < ROWS ? &table[n] : NULL;
}

const souk_gs1_ai *souk_gs1_ai_of(unsigned number)
{
    size_t from = 0, end = ROWS;
    while (from < end) {
        size_t middle = from + (end - from) / 2;
        if (number < table[middle].first)
            end = middle;
        else if (number > table[middle].last)
            from = middle + 1;
        else
            return &table[middle];
    }
    return NULL;
}

/* No identifier is the beginning of another, and none of three or four digits begins with 0. */
const souk_gs1_ai *souk_gs1_ai_find(souk_text text)
{
    unsigned number = 0;
    for (size_t i = 0; i < 4 && i < text.bytes; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return NULL;
        number = number * 10 + (unsigned)(text.at[i] - '0');
        if (i == 0 || souk_gs1_ai_digits(number) != i + 1)
            continue;
        const souk_gs1_ai *ai = souk_gs1_ai_of(number);
        if (ai)
            return ai;
    }
    return NULL;
}
