/* pack_table.c - turns the words of pack_words.c into symbols, codes and a matcher.
 *
 * Phrases are numbered in the order: pairs of digits, keys (as written, spaced, bare), lists,
 * Chinese characters.  A phrase that two tables name belongs to the first. */
#include "core/pack_table.h"

#include <pthread.h>
#include <stdlib.h>

/* The weight of a phrase that stands first in a list. */
#define WEIGHT_TOP 65536u

/* One phrase, in parts so that a key's forms need no storage. */
static unsigned add(souk_pack_table *table, souk_text one, souk_text two, uint8_t kind,
                    uint8_t next, uint32_t weight)
{
    size_t bytes = one.bytes + two.bytes;
    souk_assert(bytes >= 2 && bytes <= SOUK_PACK_PHRASE_MOST);
    souk_assert(table->pool_bytes + bytes + 16 <= sizeof table->pool);
    char *at = table->pool + table->pool_bytes;
    memcpy(at, one.at, one.bytes);
    if (two.bytes)
        memcpy(at + one.bytes, two.at, two.bytes);
    for (size_t i = SYM_PHRASE; i < table->symbol_count; i++) {
        const souk_pack_symbol *known = &table->symbols[i];
        if (known->bytes == bytes && !memcmp(table->pool + known->at, at, bytes))
            return (unsigned)i;
    }

    souk_assert(table->symbol_count < SOUK_PACK_SYMBOLS);
    size_t symbol = table->symbol_count++;
    table->symbols[symbol] = (souk_pack_symbol){
        .at = (uint32_t)table->pool_bytes,
        .bytes = (uint8_t)bytes,
        .kind = kind,
        .next = {next, next == AT_DIGIT ? AT_NUMERAL : next},
        .group = AT_KEY,
        .joins = kind >= KIND_JOIN && kind <= KIND_WIDE_VALUE,
        .keys = kind >= KIND_KEY && kind <= KIND_SPACED,
    };
    table->symbols[symbol].closes = memmem(at, bytes, "}}", 2) != NULL;
    souk_pack_match *match = &table->matches[table->match_count++];
    *match = (souk_pack_match){.at = (uint32_t)table->pool_bytes,
                               .symbol = (uint16_t)symbol,
                               .bytes = (uint8_t)bytes,
                               .weight = weight};
    memcpy(&match->head, at, souk_min_size(bytes, 8));
    match->mask = bytes >= 8 ? UINT64_MAX : (UINT64_C(1) << (8 * bytes)) - 1;
    match->slot =
        (uint16_t)souk_pack_slot((uint32_t)match->head & (bytes >= 4 ? UINT32_MAX : 0xffff));
    table->pool_bytes += bytes;
    return (unsigned)symbol;
}

static void add_pairs(souk_pack_table *table)
{
    for (int i = 0; i < 100; i++) {
        char pair[2] = {(char)('0' + i / 10), (char)('0' + i % 10)};
        bool round = i == 0 || i == 99 || i == 20 || i == 10;
        (void)add(table, souk_text_range(pair, pair + 2), SOUK_TEXT(""), KIND_PAIR, AT_DIGIT,
                  round ? 3 : 1);
    }
}

/* Words between bars; spaced: each also with a space before it. */
static void add_list(souk_pack_table *table, const souk_pack_list *list)
{
    souk_text rest = souk_text_of(list->words);
    bool spaced = list->next == AT_WORD;
    for (uint32_t rank = 0; rest.bytes; rank++) {
        souk_text word = souk_text_cut(&rest, '|');
        uint32_t weight = WEIGHT_TOP / (rank + list->flatness);
        (void)add(table, word, SOUK_TEXT(""), list->kind, list->next, weight);
        if (spaced)
            (void)add(table, SOUK_TEXT(" "), word, list->kind, list->next, weight);
    }
}

/* What stands between a key's name and its value, and what usually joins the value to the next key;
 * each as written, and spaced. */
typedef struct key_form {
    char form;
    const char *close, *close_wide, *join, *join_wide;
} key_form;
static const key_form forms[] = {
    {'s', "\":\"", "\": \"", "\",\"", "\", \""},
    {'S', "\":\"", "\": \"", "\"},\"", "\"}, \""},
    {'v', "\":", "\": ", ",\"", ", \""},
    {'V', "\":", "\": ", "},\"", "}, \""},
    {'o', "\":{\"", "\": {\"", NULL, NULL},
    {'a', "\":[{\"", "\": [{\"", NULL, NULL},
    {'l', "\":[\"", "\": [\"", "\"],\"", "\"], \""},
    {'w', "", NULL, "\",\"", NULL},
    {'W', "", NULL, "\"},\"", NULL},
    {'D', "", NULL, "\"}},\"", NULL},
};

static const key_form *form_of(char form)
{
    size_t i = 0;
    while (forms[i].form != form) {
        i++;
        souk_assert(i < sizeof forms / sizeof *forms);
    }
    return &forms[i];
}

static uint16_t join_symbol(souk_pack_table *table, const char *join)
{
    if (!join)
        return 0;
    for (size_t i = SYM_PHRASE; i < table->symbol_count; i++) {
        const souk_pack_symbol *symbol = &table->symbols[i];
        if (symbol->joins && symbol->bytes == strlen(join) &&
            !memcmp(table->pool + symbol->at, join, symbol->bytes))
            return (uint16_t)i;
    }
    souk_assert(false);
    return 0;
}

static void set_follow(souk_pack_table *table, unsigned key, const char *join, unsigned next_key)
{
    souk_pack_follow *follow = &table->follows[key];
    if (!follow->key) /* the first row of a key decides */
        *follow = (souk_pack_follow){join_symbol(table, join), (uint16_t)next_key};
}

/* The keys, and as the first guess of what follows each the row below it. */
static void add_keys(souk_pack_table *table)
{
    unsigned before = 0, before_wide = 0;
    const char *join = NULL, *join_wide = NULL;
    for (size_t i = 0; i < souk_pack_key_count; i++) {
        const souk_pack_key *row = &souk_pack_keys[i];
        const key_form *form = form_of(row->form);
        souk_text name = souk_text_of(row->name);
        uint32_t weight = UINT32_C(1) << row->weight;
        uint8_t kind = (uint8_t)(KIND_KEY + (row->group - AT_KEY));
        unsigned key = add(table, name, souk_text_of(form->close), kind, row->next, weight);
        table->symbols[key].group = row->group;
        if (before)
            set_follow(table, before, join, key);
        before = key;
        join = row->next == AT_CLOSED ? ",\"" : form->join;
        if (!form->close_wide)
            continue;
        unsigned wide =
            add(table, name, souk_text_of(form->close_wide), KIND_SPACED, row->next, weight);
        table->symbols[wide].group = row->group;
        if (before_wide)
            set_follow(table, before_wide, join_wide, wide);
        before_wide = wide;
        join_wide = form->join_wide;
        if (name.bytes > 2)
            (void)add(table, name, SOUK_TEXT(""), KIND_BARE, AT_WORD, weight);
    }
}

/* Longest first within a slot, so that the first match is the one. */
static int by_slot(const void *a, const void *b)
{
    const souk_pack_match *x = a, *y = b;
    int x_short = x->bytes < 4, y_short = y->bytes < 4;
    if (x_short != y_short)
        return x_short - y_short;
    if (x->slot != y->slot)
        return x->slot - y->slot;
    if (x->bytes != y->bytes)
        return y->bytes - x->bytes;
    return x->symbol - y->symbol;
}

static void fill_slots(souk_pack_table *table)
{
    qsort(table->matches, table->match_count, sizeof *table->matches, by_slot);
    for (size_t i = table->match_count; i-- > 0;) {
        souk_pack_match *match = &table->matches[i];
        uint16_t *slots = match->bytes < 4 ? table->short_slots : table->long_slots;
        match->last = slots[match->slot] == 0;
        slots[match->slot] = (uint16_t)(i + 1);
    }
}

/* The single bytes and what is written by rule: kind, next place, weight among the kind. */
static uint32_t byte_symbol(souk_pack_symbol *symbol, unsigned byte)
{
    static const char marks[] = "-_./:,\"'&+()@%=?#;!|{}[]";
    const char *mark;
    if (byte >= 'a' && byte <= 'z') {
        *symbol = (souk_pack_symbol){.kind = KIND_LOWER, .next = {AT_LOWER, AT_LOWER}};
        return souk_pack_letters[byte - 'a'];
    }
    if (byte >= 'A' && byte <= 'Z')
        *symbol = (souk_pack_symbol){.kind = KIND_UPPER, .next = {AT_UPPER, AT_UPPER}};
    else if (byte >= '0' && byte <= '9')
        *symbol = (souk_pack_symbol){.kind = KIND_DIGIT, .next = {AT_DIGIT, AT_NUMERAL}};
    else if (byte == ' ')
        *symbol = (souk_pack_symbol){.kind = KIND_SPACE, .next = {AT_SPACE, AT_SPACE}};
    else if (byte >= 0x80)
        *symbol = (souk_pack_symbol){.kind = KIND_HIGH, .next = {AT_HIGH, AT_HIGH}};
    else if (byte < ' ' || byte == 0x7f)
        *symbol = (souk_pack_symbol){.kind = KIND_CONTROL, .next = {AT_MARK, AT_MARK}};
    else {
        *symbol = (souk_pack_symbol){.kind = KIND_MARK, .next = {AT_MARK, AT_MARK}};
        if (byte == '.' || byte == '-')
            symbol->next[1] = AT_NUMERAL;
        mark = strchr(marks, (int)byte);
        return mark ? WEIGHT_TOP / ((uint32_t)(mark - marks) + 2) : WEIGHT_TOP / 80;
    }
    return byte == '0' || byte == '1' ? 2 : 1;
}

static uint32_t rule_symbol(souk_pack_symbol *symbol, unsigned rule)
{
    static const struct {
        uint8_t kind, next;
        uint16_t weight;
    } rules[] = {
        {KIND_FOLLOW, AT_KEY, 1}, {KIND_UUID, AT_DONE, 12}, {KIND_UUID, AT_DONE, 1},
        {KIND_UUID, AT_DONE, 2},  {KIND_STAMP, AT_DONE, 3}, {KIND_STAMP, AT_DONE, 2},
        {KIND_STAMP, AT_DONE, 1}, {KIND_STAMP, AT_DONE, 1}, {KIND_MILLI, AT_MARK, 1},
        {KIND_MILLI, AT_MARK, 3}, {KIND_HEX, AT_DONE, 1},   {KIND_COPY, AT_DONE, 1},
        {KIND_HAN, AT_HAN, 1},
    };
    *symbol =
        (souk_pack_symbol){.kind = rules[rule].kind, .next = {rules[rule].next, rules[rule].next}};
    return rules[rule].weight;
}

/* Weight of a symbol at a place: the chance of its kind, times its share of the kind. */
static void fill_codes(souk_pack_table *table, const uint32_t *weights, uint32_t *scratch,
                       souk_pack_node *nodes, uint8_t *lengths)
{
    uint64_t sums[KIND_COUNT] = {0};
    for (size_t i = 0; i < table->symbol_count; i++)
        sums[table->symbols[i].kind] += weights[i];
    for (size_t place = 0; place < AT_COUNT; place++) {
        for (size_t i = 0; i < table->symbol_count; i++) {
            uint64_t kind = table->symbols[i].kind;
            uint64_t chance = (uint64_t)souk_pack_chances[place][kind] << 20;
            scratch[i] = (uint32_t)(chance * weights[i] / sums[kind]) + 1;
        }
        souk_pack_code_lengths(scratch, table->symbol_count, nodes, lengths);
        souk_pack_code_numbers(lengths, table->symbol_count, table->numbers[place]);
        souk_pack_book_fill(lengths, table->symbol_count, &table->books[place]);
    }
}

/* Scratch of building, in one piece. */
typedef struct build {
    uint32_t weights[SOUK_PACK_SYMBOLS], scratch[SOUK_PACK_SYMBOLS];
    souk_pack_node nodes[2 * SOUK_PACK_SYMBOLS];
    uint8_t lengths[SOUK_PACK_SYMBOLS];
} build;

static souk_pack_table the_table;

static void make_table(void)
{
    static build work;
    souk_pack_table *table = &the_table;
    for (unsigned i = 0; i < 256; i++)
        work.weights[i] = byte_symbol(&table->symbols[i], i);
    for (unsigned i = SYM_FOLLOW; i < SYM_PHRASE; i++)
        work.weights[i] = rule_symbol(&table->symbols[i], i - SYM_FOLLOW);
    table->symbols[0].group = AT_KEY; /* before the first key */
    table->symbol_count = SYM_PHRASE;
    add_pairs(table);
    /* joins come before keys, which name them */
    for (size_t i = 0; i < souk_pack_list_count; i++)
        if (souk_pack_lists[i].next == AT_KEY)
            add_list(table, &souk_pack_lists[i]);
    add_keys(table);
    for (size_t i = 0; i < souk_pack_list_count; i++)
        add_list(table, &souk_pack_lists[i]);
    add_list(table, &(souk_pack_list){souk_pack_han, KIND_HANWORD, AT_HAN, 80});

    for (size_t i = 0; i < table->match_count; i++)
        work.weights[table->matches[i].symbol] = table->matches[i].weight;
    fill_slots(table);
    fill_codes(table, work.weights, work.scratch, work.nodes, work.lengths);
}

const souk_pack_table *souk_pack_table_get(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_table);
    return &the_table;
}
