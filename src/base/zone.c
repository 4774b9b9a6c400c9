/* zone.c - TZif files read into one sorted list of changes, and the searches in it.
 *
 *     header 44 bytes | block with 4-byte times | header | block with 8-byte times | \n rule \n
 *     `------------ all of version 1 ---------'   `-------------- version 2 and on ---------'
 *
 * A block holds, in this order: times of change, the type that each begins, the types (offset,
 * is it summer, name), names, leap seconds, two lists of flags (RFC 8536 section 3.2). */
#include "base/zone.h"

#define CYCLE_S ((int64_t)146097 * 86400) /* 400 years */

enum {
    HEADER_BYTES = 44,
    MAX_CHANGES = 4096,
    MAX_TYPES = 256,
    MAX_NAME_BYTES = 4096,
    RULE_YEARS = 405,          /* a cycle, and margins at both ends */
    OFFSET_MIN_S = -25 * 3600, /* RFC 8536 3.2: within (-25 h, 26 h) */
    OFFSET_MAX_S = 26 * 3600,
};

/* From starts[i] on, up to starts[i + 1], local time is offsets[i] ahead; offset_before until
 * starts[0].  Moments from horizon_s on are looked up whole cycles earlier. */
struct souk_zone {
    souk_mem *mem;
    size_t count;
    int64_t *starts; /* seconds since 1970, strictly ascending */
    int32_t *offsets;
    int32_t offset_before;
    int64_t horizon_s; /* INT64_MAX: no rule, the last offset stays */
    char name[SOUK_ZONE_NAME_BYTES + 1];
};

/* One of the two days of a rule: "M3.5.0/1", "J60/2", "59". */
typedef struct rule_day {
    char kind; /* 'M': weekday of week of month; 'J': 1 to 365, no 29 February; 'n': 0 to 365 */
    int month, week, number;
    int32_t time_s;
} rule_day;

typedef struct rule {
    bool has_summer;
    int32_t winter_s, summer_s; /* ahead of UTC */
    rule_day begins, ends;      /* in the wall's time just before */
} rule;

typedef struct counts {
    uint32_t is_ut, is_standard, leap, change, type, name;
} counts;

bool souk_zone_name_valid(souk_text name)
{
    if (name.bytes == 0 || name.bytes > SOUK_ZONE_NAME_BYTES)
        return false;
    char before = '/';
    for (size_t i = 0; i < name.bytes; before = name.at[i++]) {
        char c = name.at[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        bool part = letter || (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-';
        if (!part && (c != '/' || before == '/'))
            return false;
    }
    return before != '/';
}

static uint32_t big_u32(const char *at)
{
    return __builtin_bswap32(souk_get_u32(at));
}

static int64_t big_i64(const char *at)
{
    return (int64_t)__builtin_bswap64(souk_get_u64(at));
}

/* Cuts the first `bytes` off; false where there are fewer. */
static bool take(souk_text *rest, size_t bytes, const char **ret_at)
{
    if (rest->bytes < bytes)
        return false;
    *ret_at = rest->at;
    rest->at += bytes;
    rest->bytes -= bytes;
    return true;
}

static souk_err take_header(souk_text *rest, counts *ret_counts, char *ret_version)
{
    const char *at;
    if (!take(rest, HEADER_BYTES, &at) || memcmp(at, "TZif", 4) != 0)
        return SOUK_ESYNTAX;
    *ret_version = at[4];
    *ret_counts = (counts){big_u32(at + 20), big_u32(at + 24), big_u32(at + 28),
                           big_u32(at + 32), big_u32(at + 36), big_u32(at + 40)};
    const counts *c = ret_counts;
    if (c->change > MAX_CHANGES || c->type > MAX_TYPES || c->name > MAX_NAME_BYTES)
        return SOUK_ETOOBIG;
    if (c->leap > MAX_CHANGES || c->is_ut > MAX_TYPES || c->is_standard > MAX_TYPES)
        return SOUK_ETOOBIG;
    return SOUK_OK;
}

static size_t block_bytes(const counts *c, size_t time_bytes)
{
    return c->change * (time_bytes + 1) + c->type * 6 + c->name + c->leap * (time_bytes + 4) +
           c->is_standard + c->is_ut;
}

/* Reads a block into the zone, whose arrays have room. */
static souk_err read_block(souk_zone *zone, const char *at, const counts *c, size_t time_bytes)
{
    if (c->leap > 0 || c->type == 0)
        return SOUK_ESYNTAX;
    const char *type_of = at + c->change * time_bytes, *types = type_of + c->change;
    int32_t offsets[MAX_TYPES];
    for (size_t i = 0; i < c->type; i++) {
        offsets[i] = (int32_t)big_u32(types + 6 * i);
        if (offsets[i] <= OFFSET_MIN_S || offsets[i] >= OFFSET_MAX_S)
            return SOUK_ESYNTAX;
    }
    zone->offset_before = offsets[0];
    for (size_t i = 0; i < c->change; i++) {
        int64_t start = time_bytes == 8 ? big_i64(at + 8 * i) : (int32_t)big_u32(at + 4 * i);
        unsigned char type = (unsigned char)type_of[i];
        /* -2^59 s is "since the Big Bang" in older files; none goes past what we can write. */
        if (start < -((int64_t)1 << 59) || start > SOUK_TIME_LAST / 1000 || type >= c->type)
            return SOUK_ESYNTAX;
        if (i > 0 && start <= zone->starts[i - 1])
            return SOUK_ESYNTAX;
        zone->starts[i] = start;
        zone->offsets[i] = offsets[type];
    }
    zone->count = c->change;
    return SOUK_OK;
}

static bool take_char(souk_text *rest, char c)
{
    if (rest->bytes == 0 || rest->at[0] != c)
        return false;
    rest->at++;
    rest->bytes--;
    return true;
}

static bool take_number(souk_text *rest, int low, int high, int *ret_number)
{
    int number = 0, digits = 0;
    for (; rest->bytes && rest->at[0] >= '0' && rest->at[0] <= '9' && digits < 4; digits++) {
        number = number * 10 + (rest->at[0] - '0');
        take_char(rest, rest->at[0]);
    }
    *ret_number = number;
    return digits > 0 && number >= low && number <= high;
}

/* "2", "-5:30", "01:02:03" */
static bool take_hms(souk_text *rest, int max_hours, int32_t *ret_seconds)
{
    bool negative = take_char(rest, '-');
    if (!negative)
        take_char(rest, '+');
    int hours, minutes = 0, seconds = 0;
    if (!take_number(rest, 0, max_hours, &hours))
        return false;
    if (take_char(rest, ':') && !take_number(rest, 0, 59, &minutes))
        return false;
    if (take_char(rest, ':') && !take_number(rest, 0, 59, &seconds))
        return false;
    *ret_seconds = (hours * 3600 + minutes * 60 + seconds) * (negative ? -1 : 1);
    return true;
}

/* "BST" or "<+1030>": skipped, nothing here shows it. */
static bool take_label(souk_text *rest)
{
    bool quoted = take_char(rest, '<');
    size_t length = 0;
    for (; rest->bytes; length++) {
        char c = rest->at[0];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && (!quoted || !((c >= '0' && c <= '9') || c == '+' || c == '-')))
            break;
        take_char(rest, c);
    }
    return length >= 3 && (!quoted || take_char(rest, '>'));
}

static bool take_rule_day(souk_text *rest, rule_day *ret_day)
{
    *ret_day = (rule_day){.kind = 'n', .time_s = 2 * 3600};
    bool good;
    if (take_char(rest, 'M')) {
        ret_day->kind = 'M';
        good = take_number(rest, 1, 12, &ret_day->month) && take_char(rest, '.') &&
               take_number(rest, 1, 5, &ret_day->week) && take_char(rest, '.') &&
               take_number(rest, 0, 6, &ret_day->number);
    } else if (take_char(rest, 'J')) {
        ret_day->kind = 'J';
        good = take_number(rest, 1, 365, &ret_day->number);
    } else {
        good = take_number(rest, 0, 365, &ret_day->number);
    }
    /* RFC 8536 3.3.1 lets the hour run from -167 to 167. */
    return good && (!take_char(rest, '/') || take_hms(rest, 167, &ret_day->time_s));
}

/* "GMT0BST,M3.5.0/1,M10.5.0"; POSIX counts hours west of Greenwich. */
static bool read_rule(souk_text text, rule *ret_rule)
{
    *ret_rule = (rule){0};
    int32_t west;
    if (!take_label(&text) || !take_hms(&text, 24, &west))
        return false;
    ret_rule->winter_s = -west;
    if (text.bytes == 0)
        return true;
    ret_rule->has_summer = true;
    ret_rule->summer_s = ret_rule->winter_s + 3600;
    if (!take_label(&text))
        return false;
    if (text.bytes && text.at[0] != ',') {
        if (!take_hms(&text, 24, &west))
            return false;
        ret_rule->summer_s = -west;
    }
    return take_char(&text, ',') && take_rule_day(&text, &ret_rule->begins) &&
           take_char(&text, ',') && take_rule_day(&text, &ret_rule->ends) && text.bytes == 0;
}

/* The moment, in local seconds, at which a rule's day comes in a year. */
static int64_t rule_moment(const rule_day *day, int32_t year)
{
    int64_t at;
    if (day->kind == 'M') {
        int64_t first = souk_date_day((souk_date){year, (uint8_t)day->month, 1});
        souk_date next = {year + day->month / 12, (uint8_t)(day->month % 12 + 1), 1};
        at = first + (day->number - souk_day_weekday(first) + 7) % 7 + (day->week - 1) * 7;
        if (at >= souk_date_day(next)) /* week 5 is the last, be it the fourth */
            at -= 7;
    } else {
        int64_t first = souk_date_day((souk_date){year, 1, 1});
        bool leap = souk_date_day((souk_date){year, 3, 1}) - first == 60;
        at = first +
             (day->kind == 'J' ? day->number - 1 + (leap && day->number >= 60) : day->number);
    }
    return at * 86400 + day->time_s;
}

/* Puts a change into its place, which is at the end or close to it.  Where summer begins the moment
 * it ends ("J365/23" to "0/0") it is always summer. */
static void insert_change(souk_zone *zone, int64_t start, int32_t offset, bool summer)
{
    size_t at = zone->count;
    while (at > 0 && zone->starts[at - 1] > start)
        at--;
    if (at > 0 && zone->starts[at - 1] == start) {
        if (summer)
            zone->offsets[at - 1] = offset;
        return;
    }
    memmove(zone->starts + at + 1, zone->starts + at, (zone->count - at) * sizeof *zone->starts);
    memmove(zone->offsets + at + 1, zone->offsets + at, (zone->count - at) * sizeof *zone->offsets);
    zone->starts[at] = start;
    zone->offsets[at] = offset;
    zone->count++;
}

/* Unrolls the rule behind the last change of the file. */
static void unroll(souk_zone *zone, const rule *found)
{
    int64_t last = zone->count ? zone->starts[zone->count - 1] : INT64_MIN;
    int64_t from = last > SOUK_TIME_FIRST / 1000 ? last : SOUK_TIME_FIRST / 1000;
    int32_t year = souk_date_of(souk_time_day(from * 1000)).year - 1;
    for (int i = 0; i < RULE_YEARS; i++, year++) {
        int64_t begins = rule_moment(&found->begins, year) - found->winter_s;
        int64_t ends = rule_moment(&found->ends, year) - found->summer_s;
        if (begins > last)
            insert_change(zone, begins, found->summer_s, true);
        if (ends > last)
            insert_change(zone, ends, found->winter_s, false);
    }
    zone->horizon_s = souk_date_day((souk_date){year - 1, 1, 1}) * 86400;
}

static souk_err make_room(souk_zone *zone, size_t changes)
{
    zone->starts = souk_mem_array(zone->mem, changes, sizeof *zone->starts);
    zone->offsets = souk_mem_array(zone->mem, changes, sizeof *zone->offsets);
    return zone->starts && zone->offsets ? SOUK_OK : SOUK_ENOMEM;
}

/* The line behind the last block; empty where no rule is known. */
static souk_err read_footer(souk_zone *zone, souk_text rest)
{
    if (!take_char(&rest, '\n') || !rest.bytes || !memchr(rest.at, '\n', rest.bytes))
        return SOUK_ESYNTAX;
    souk_text line = souk_text_cut(&rest, '\n');
    rule found;
    if (line.bytes == 0)
        return SOUK_OK;
    if (!read_rule(line, &found))
        return SOUK_ESYNTAX;
    if (found.has_summer)
        unroll(zone, &found);
    return SOUK_OK;
}

static souk_err read_file(souk_zone *zone, souk_text rest)
{
    if (rest.bytes > SOUK_ZONE_FILE_BYTES)
        return SOUK_ETOOBIG;
    counts c;
    char version;
    const char *block;
    SOUK_TRY(take_header(&rest, &c, &version));
    if (!take(&rest, block_bytes(&c, 4), &block))
        return SOUK_ESYNTAX;
    if (version == '\0') {
        SOUK_TRY(make_room(zone, c.change));
        return read_block(zone, block, &c, 4);
    }
    SOUK_TRY(take_header(&rest, &c, &version));
    if (!take(&rest, block_bytes(&c, 8), &block))
        return SOUK_ESYNTAX;
    SOUK_TRY(make_room(zone, c.change + 2 * RULE_YEARS));
    SOUK_TRY(read_block(zone, block, &c, 8));
    return read_footer(zone, rest);
}

souk_err souk_zone_new(souk_mem *mem, souk_text name, souk_text bytes, souk_zone **ret_zone,
                       souk_diag *diag)
{
    if (!souk_zone_name_valid(name))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "no time zone has such a name: give one like "
                             "Europe/London");
    souk_auto(souk_zone) zone = souk_mem_get(mem, sizeof *zone);
    if (!zone)
        return SOUK_ENOMEM;
    zone->mem = mem;
    zone->horizon_s = INT64_MAX;
    memcpy(zone->name, name.at, name.bytes);
    souk_err err = read_file(zone, bytes);
    if (err == SOUK_ENOMEM)
        return err;
    if (err)
        return souk_diag_say(diag, err,
                             "the file of time zone %s is no TZif file without leap "
                             "seconds",
                             zone->name);
    *ret_zone = souk_take(&zone);
    return SOUK_OK;
}

void souk_zone_free(souk_zone *zone)
{
    if (!zone)
        return;
    souk_mem_put(zone->mem, zone->starts);
    souk_mem_put(zone->mem, zone->offsets);
    souk_mem_put(zone->mem, zone);
}

const char *souk_zone_name(const souk_zone *zone)
{
    return zone ? zone->name : "UTC";
}

static souk_time within_years(souk_time at)
{
    if (at < SOUK_TIME_FIRST)
        return SOUK_TIME_FIRST;
    return at > SOUK_TIME_LAST ? SOUK_TIME_LAST : at;
}

/* Whole seconds, downwards. */
static int64_t seconds_of(souk_time at)
{
    return at / 1000 - (at % 1000 < 0);
}

/* How far back to look instead: whole cycles, so that the calendar is the same there. */
static int64_t cycles_beyond(const souk_zone *zone, int64_t seconds)
{
    if (seconds < zone->horizon_s)
        return 0;
    return ((seconds - zone->horizon_s) / CYCLE_S + 1) * CYCLE_S;
}

/* Spans of one offset are counted from 0, which ends at starts[0]. */
static size_t span_at(const souk_zone *zone, int64_t seconds)
{
    size_t low = 0, high = zone->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (zone->starts[middle] <= seconds)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int32_t span_offset(const souk_zone *zone, size_t span)
{
    return span ? zone->offsets[span - 1] : zone->offset_before;
}

int32_t souk_zone_offset_s(const souk_zone *zone, souk_time at)
{
    if (!zone)
        return 0;
    int64_t seconds = seconds_of(within_years(at));
    return span_offset(zone, span_at(zone, seconds - cycles_beyond(zone, seconds)));
}

souk_time souk_zone_local(const souk_zone *zone, souk_time at)
{
    return within_years(at) + (int64_t)souk_zone_offset_s(zone, at) * 1000;
}

/* The span behind the jump over `local`: the clock shows each time, or jumps over it. */
static size_t span_behind_gap(const souk_zone *zone, int64_t local, size_t first, size_t last)
{
    for (size_t span = first + 1;; span++) {
        souk_assert(span <= last);
        int64_t jump = zone->starts[span - 1];
        if (jump + span_offset(zone, span - 1) <= local && local < jump + span_offset(zone, span))
            return span;
    }
}

souk_err souk_zone_utc(const souk_zone *zone, souk_time local, souk_local policy,
                       souk_time *ret_time)
{
    local = within_years(local);
    if (!zone) {
        *ret_time = local;
        return SOUK_OK;
    }
    int64_t seconds = seconds_of(local), ms = local - seconds * 1000;
    int64_t back = cycles_beyond(zone, seconds);
    seconds -= back;

    size_t first = span_at(zone, seconds - OFFSET_MAX_S);
    size_t last = span_at(zone, seconds - OFFSET_MIN_S);
    int64_t earlier = 0, later = 0;
    int hits = 0;
    for (size_t span = first; span <= last; span++) {
        int64_t candidate = seconds - span_offset(zone, span);
        if (span_at(zone, candidate) != span)
            continue;
        later = candidate;
        if (hits++ == 0)
            earlier = candidate;
    }
    if (hits != 1 && policy == SOUK_LOCAL_REFUSE)
        return SOUK_EINVAL;
    if (hits == 0) {
        size_t span = span_behind_gap(zone, seconds, first, last);
        earlier = seconds - span_offset(zone, span);
        later = seconds - span_offset(zone, span - 1);
    }
    bool late = policy == SOUK_LOCAL_LATER || (hits == 0 && policy == SOUK_LOCAL_COMPATIBLE);
    *ret_time = ((late ? later : earlier) + back) * 1000 + ms;
    return SOUK_OK;
}
