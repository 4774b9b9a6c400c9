/* person.c - who somebody is: a function of the world's key and her number.
 *
 * Numbers 2k and 2k + 1 are a couple or two singles.  What the two share (children, car, income, tablet, the
 * nearest store) is thrown for the household, the rest for the person.  The shares are round numbers of the kind
 * that statistical offices print for cities; none is a claim about a real one. */
#include "world/inside.h"

enum { RATE_PPM = 170000, BROWSE_PPM = 220000, LIFETIME_DAYS = 900, NUMBERS = 1 << 26 };

const char *const world_age_names[6] = {"18-24", "25-34", "35-44", "45-54", "55-64", "65+"};
const char *const world_income_names[4] = {"", "low", "middle", "high"};
const char *const world_car_names[3] = {"none", "compact", "suv"};
const char *const world_consent_names[CONSENTS] = {"profile", "personalise", "advertise",
                                                   "recognise", "research"};

/* Means of 32 equal parts of a gamma of shape 1.5, 1000 on average: how shopping rates differ. */
static const uint16_t gamma_permille[32] = {
    50,  112, 162, 208,  253,  296,  339,  383,  426,  470,  515,  561,  609,  658,  708,  761,
    817, 875, 937, 1002, 1073, 1148, 1231, 1321, 1422, 1536, 1667, 1824, 2018, 2276, 2667, 3677};

static const struct {
    const char *plain, *written;
    bool female;
} first_names[] = {
    {"Lihua", "丽华", true},     {"Xiaomei", "晓梅", true},  {"Yan", "燕", true},
    {"Jing", "静", true},        {"Anna", "Anna", true},     {"Meiling", "美玲", true},
    {"Qiuyue", "秋月", true},    {"Sophie", "Sophie", true}, {"Haitao", "海涛", false},
    {"Jianguo", "建国", false},  {"Ming", "明", false},      {"Zhiqiang", "志强", false},
    {"Thomas", "Thomas", false}, {"Yifan", "一凡", false},   {"Bowen", "博文", false},
    {"David", "David", false},
};
static const struct {
    const char *plain, *written;
} last_names[] = {
    {"Wang", "王"}, {"Li", "李"}, {"Zhang", "张"}, {"Liu", "刘"},   {"Chen", "陈"}, {"Yang", "杨"},
    {"Zhao", "赵"}, {"Wu", "吴"}, {"Zhou", "周"},  {"Huang", "黄"}, {"Xu", "徐"},   {"Sun", "孙"},
};
enum {
    FIRST_NAMES = sizeof first_names / sizeof *first_names,
    LAST_NAMES = sizeof last_names / sizeof *last_names,
};

/* ---- the household ---------------------------------------------------------------------------------- */

static void throw_children(struct world_person *p, world_dice *dice)
{
    static const uint32_t percent[6] = {12, 58, 72, 48, 12, 3},
                          counts[WORLD_CHILDREN] = {55, 38, 7};
    static const uint8_t youngest[6] = {0, 0, 2, 8, 12, 14}, years[6] = {4, 7, 15, 10, 6, 4};
    uint32_t chance = p->couple ? percent[p->age_band] : percent[p->age_band] / 4;
    bool any = world_percent(dice, chance);
    uint32_t count = 1 + world_pick(dice, counts, 100);
    for (uint32_t i = 0; i < WORLD_CHILDREN; i++)
        p->child_ages[i] = (uint8_t)(youngest[p->age_band] + world_below(dice, years[p->age_band]));
    p->child_count = (uint8_t)(any ? count : 0);
}

static void throw_household(const souk_world *world, struct world_person *p)
{
    static const uint32_t ages[6] = {10, 22, 22, 18, 15, 13}, incomes[3] = {30, 48, 22};
    static const uint32_t cars[4] = {0, 40, 64, 82};
    world_dice couples = world_dice_of(world->key, p->number & ~1u, 0, WORLD_COUPLE);
    p->couple = (p->number | 1) < world->options.shoppers && world_percent(&couples, 58);
    p->household = p->couple ? p->number & ~1u : p->number;
    world_dice dice = world_dice_of(world->key, p->household, 0, WORLD_HOUSEHOLD);
    p->age_band = (uint8_t)world_pick(&dice, ages, 100);
    p->income = (uint8_t)(1 + world_pick(&dice, incomes, 100));
    throw_children(p, &dice);
    bool drives = world_percent(&dice, cars[p->income] + (p->child_count ? 10u : 0u));
    uint32_t suv = 22u + (p->child_count ? 24u : 0u) + (p->income == 3 ? 16u : 0u);
    bool large = world_percent(&dice, suv);
    p->car = (uint8_t)(!drives ? NO_CAR : large ? SUV : COMPACT);
    p->devices = (uint8_t)(world_percent(&dice, p->couple ? 40 : 15) << TABLET);
    uint32_t here = world_below(&dice, world->options.stores);
    uint32_t there = world_below(&dice, world->options.stores);
    p->home_store = here < there ? here : there; /* the first stores have the larger towns */
    bool even_female = world_percent(&dice, 50), alike = world_percent(&dice, 4);
    p->female = even_female ^ ((p->number & 1) && p->couple && !alike);
}

/* ---- the person ------------------------------------------------------------------------------------- */

static void find_traits(struct world_person *p)
{
    unsigned traits = 1u << EVERYONE | 1u << (p->female ? IS_FEMALE : IS_MALE);
    traits |= p->age_band < 2 ? 1u << IS_YOUNG : p->age_band > 3 ? 1u << IS_OLD : 0;
    traits |= p->car == SUV ? 1u << HAS_SUV | 1u << HAS_CAR : p->car ? 1u << HAS_CAR : 0;
    for (uint32_t i = 0; i < p->child_count; i++)
        traits |= p->child_ages[i] < 3    ? 1u << HAS_BABY
                  : p->child_ages[i] < 12 ? 1u << HAS_CHILD
                                          : 0;
    p->traits = (uint16_t)traits;
}

/* The mean of two throws, moved by what she is. */
static void throw_tastes(struct world_person *p, world_dice *dice)
{
    for (uint32_t i = 0; i < TASTES; i++) {
        uint64_t thrown = world_throw(dice);
        int taste =
            (int)((thrown & 0xFFFF) * 101 >> 16) + (int)((thrown >> 32 & 0xFFFF) * 101 >> 16);
        taste /= 2;
        taste += i == BEAUTY && p->female ? 15 : i == BEAUTY ? -15 : 0;
        taste += i == SPORT && p->age_band < 2 ? 12 : 0;
        taste += i == HEALTHY && p->age_band > 3 ? 12 : 0;
        taste += i == PREMIUM ? (p->income - 2) * 15 : 0;
        p->tastes[i] = (uint8_t)(taste < 0 ? 0 : taste > 100 ? 100 : taste);
    }
}

/* How many percent say yes; who is private says no to most, not to all. */
static uint8_t throw_consents(world_dice *dice)
{
    static const uint32_t percent[CONSENTS] = {76, 66, 40, 34, 46};
    uint32_t privacy = world_below(dice, 100), consents = 0;
    for (uint32_t i = 0; i < CONSENTS; i++)
        consents |= (uint32_t)(privacy * 7 + world_below(dice, 100) * 3 < percent[i] * 10) << i;
    return (uint8_t)consents;
}

static void throw_identity(struct world_person *p, world_dice *dice)
{
    static const uint32_t kinds[3] = {60, 17, 23}, cards[3] = {20, 68, 12};
    static const uint32_t phones[6] = {98, 97, 95, 90, 80, 60};
    p->kind = (uint8_t)world_pick(dice, kinds, 100);
    bool phone = world_percent(dice, phones[p->age_band]) || p->kind == MEMBER;
    bool laptop = world_percent(dice, 45), app = world_percent(dice, 50) && p->kind == MEMBER;
    p->devices = (uint8_t)(p->devices | phone << PHONE | laptop << LAPTOP | app << APP);
    uint32_t held = world_pick(dice, cards, 100);
    p->cards = (uint8_t)(p->kind == GUEST ? 0 : p->kind == CARD_HOLDER && !held ? 1 : held);
    p->consents = throw_consents(dice);
    p->typos = (uint8_t)(world_percent(dice, 5) * TYPO_EMAIL | world_percent(dice, 3) * TYPO_PHONE |
                         world_percent(dice, 4) * TYPO_NAME);
    p->answered = world_percent(dice, 14) && p->kind == MEMBER;
    bool withdraws = world_percent(dice, 4);
    int32_t day = (int32_t)world_below(dice, 365);
    p->withdrew = withdraws && p->kind == MEMBER ? day : WORLD_NEVER;
    do
        p->first_name = (uint8_t)world_below(dice, FIRST_NAMES);
    while (first_names[p->first_name].female != p->female);
    p->last_name = (uint8_t)world_below(dice, LAST_NAMES);
}

/* Lifetimes of a Pareto with exponent 1: half are left after LIFETIME_DAYS. */
static void throw_rates(struct world_person *p, world_dice *dice)
{
    static const uint8_t online[6] = {65, 55, 45, 35, 22, 12};
    static const uint32_t responses[3] = {30, 50, 20};
    uint64_t thrown = world_throw(dice), fate = (world_throw(dice) >> 32) + 1;
    uint32_t trips = (uint32_t)RATE_PPM / 1000 * gamma_permille[thrown & 31];
    p->trip_ppm = p->child_count ? trips * 6 / 5 : trips;
    uint32_t spread = world_below(dice, 31);
    p->online_percent = online[p->age_band] + spread < 15 ? 0 : online[p->age_band] + spread - 15;
    p->browse_ppm =
        (uint32_t)BROWSE_PPM / 100000 * gamma_permille[thrown >> 5 & 31] * p->online_percent;
    if (p->devices == 0)
        p->online_percent = p->browse_ppm = 0;
    p->response = (uint8_t)world_pick(dice, responses, 100);
    uint32_t newcomer = world_below(dice, 100), since = world_below(dice, 730);
    p->joined = newcomer < 30 ? (int32_t)since + 1 : 0;
    uint64_t stays = LIFETIME_DAYS * (((uint64_t)1 << 32) - fate) / fate + 1;
    p->left = p->joined + (int32_t)(stays > 100000 ? 100000 : stays);
}

void world_person_of(const souk_world *world, uint32_t number, struct world_person *ret_person)
{
    *ret_person = (struct world_person){.number = number};
    world_dice dice = world_dice_of(world->key, number, 0, WORLD_PERSON);
    throw_household(world, ret_person);
    find_traits(ret_person);
    throw_tastes(ret_person, &dice);
    throw_identity(ret_person, &dice);
    throw_rates(ret_person, &dice);
}

/* ---- names that events carry ------------------------------------------------------------------------- */

/* A permutation of 0 to 2^26 - 1, so that two people never share a number and no number tells of another:
 * odd factors and shifts to the right are both one to one. */
static uint32_t scrambled(const souk_world *world, uint32_t number, enum world_purpose purpose)
{
    world_dice dice = world_dice_of(world->key, 0, 0, purpose);
    souk_assert(number < NUMBERS);
    for (int i = 0; i < 3; i++) {
        uint64_t thrown = world_throw(&dice);
        number = (number * ((uint32_t)thrown | 1) + (uint32_t)(thrown >> 32)) % NUMBERS;
        number ^= number >> 13;
    }
    return number;
}

char *world_put_digits(char *at, uint32_t number, unsigned width)
{
    for (unsigned i = width; i-- > 0; number /= 10)
        at[i] = (char)('0' + number % 10);
    return at + width;
}

char *world_put_hex(char *at, uint64_t number)
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < 16; i++)
        at[i] = digits[number >> (60 - 4 * i) & 15];
    return at + 16;
}

static char *put_text(char *at, const char *text)
{
    size_t bytes = strlen(text);
    memcpy(at, text, bytes);
    return at + bytes;
}

char *world_put_user(const souk_world *world, uint32_t person, char *at)
{
    return world_put_digits(put_text(at, "u"), scrambled(world, person, WORLD_USER), 8);
}

char *world_put_card(const souk_world *world, uint32_t person, unsigned card, char *at)
{
    at = put_text(at, card ? "78" : "77");
    return world_put_digits(at, scrambled(world, person, WORLD_CARD), 8);
}

/* +86 12 is given to no mobile network: nobody's telephone rings. */
char *world_put_phone(const souk_world *world, uint32_t person, bool typo, char *at)
{
    at = put_text(at, typo ? "+86121" : "+86120");
    return world_put_digits(at, scrambled(world, person, WORLD_PHONE), 8);
}

/* A typing error leaves out the second letter. */
static char *put_name(const char *name, bool typo, bool lower, char *at)
{
    for (size_t i = 0; name[i]; i++)
        if (!typo || i != 1)
            *at++ = (char)(lower ? name[i] | ' ' : name[i]);
    return at;
}

/* RFC 2606: nobody's mailbox. */
char *world_put_email(const souk_world *world, const struct world_person *person, bool typo,
                      char *at)
{
    static const char *const domains[] = {"@example.com", "@example.net", "@example.org"};
    uint32_t number = scrambled(world, person->number, WORLD_EMAIL);
    at = put_name(first_names[person->first_name].plain, typo, true, at);
    *at++ = '.';
    at = put_name(last_names[person->last_name].plain, false, true, at);
    at = world_put_digits(put_text(at, "."), number, 8);
    return put_text(at, domains[number % 3]);
}

char *world_put_first_name(const struct world_person *person, bool typo, char *at)
{
    if (!typo)
        return put_text(at, first_names[person->first_name].written);
    return put_name(first_names[person->first_name].plain, true, false, at);
}

char *world_put_last_name(const struct world_person *person, char *at)
{
    return put_text(at, last_names[person->last_name].written);
}

/* One to one: mixing is, and (owner, device) is a number. */
static uint64_t device_key(const souk_world *world, uint32_t owner, enum world_device device)
{
    world_dice salt = world_dice_of(world->key, 0, 0, WORLD_DEVICE);
    return souk_mix64(world_throw(&salt) + ((uint64_t)owner * DEVICES + (uint64_t)device));
}

char *world_put_anonymous(const souk_world *world, uint32_t person, uint32_t household,
                          enum world_device device, char *at)
{
    char hex[32];
    uint64_t high = device_key(world, device == TABLET ? household : person, device);
    world_put_hex(world_put_hex(hex, high), souk_mix64(high ^ world->key));
    for (unsigned i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            *at++ = '-';
        *at++ = hex[i];
    }
    return at;
}

char *world_put_device(const souk_world *world, uint32_t person, char *at)
{
    return world_put_hex(put_text(at, "d-"), ~device_key(world, person, APP));
}
