/* stream_words.c - the tables of names of stream_words.h, and the message. */
#include "serve/stream_words.h"

#include "base/json_write.h"

enum {
    CATEGORY = STREAM_KINDS, /* no filter asks for it */
    TABLES,
    NAME_ROOM = SOUK_EVENT_NAME_BYTES + 28, /* of a source, too */
};

static const uint32_t places[TABLES] = {[STREAM_TYPE] = 1024,
                                        [STREAM_SOURCE] = 256,
                                        [STREAM_STORE] = 4096,
                                        [STREAM_PRODUCT] = 16384,
                                        [CATEGORY] = 4096};

struct word {
    uint32_t number, edition; /* number 0: nothing is here */
    uint32_t merchant;        /* of a source */
    uint16_t raw_bytes, json_bytes;
    const stream_name *name; /* as of the edition */
    char *text;              /* raw, then as JSON with its quotes */
};

struct stream_words {
    souk_mem *mem;
    const souk_catalogue *catalogue;
    souk_merchants *merchants;
    const stream_index *index;
    struct word *tables[TABLES];
    souk_buf room;
};

/* ---- names --------------------------------------------------------------------------------- */

static const char *look_up(stream_words *words, unsigned table, struct word *word,
                           char room[NAME_ROOM])
{
    static const souk_name_kind kinds[TABLES] = {[STREAM_TYPE] = SOUK_NAME_TYPE,
                                                 [STREAM_STORE] = SOUK_NAME_STORE,
                                                 [STREAM_PRODUCT] = SOUK_NAME_PRODUCT,
                                                 [CATEGORY] = SOUK_NAME_CATEGORY};
    room[0] = '\0';
    if (table != STREAM_SOURCE)
        souk_catalogue_name(words->catalogue, kinds[table], word->number, room, NAME_ROOM);
    else if (souk_merchants_source_of(words->merchants, word->number, &word->merchant, room,
                                      NAME_ROOM))
        word->merchant = 0; /* nobody's: the operator sees it */
    return room;
}

/* Without memory the name is missing from the message. */
static void fill(stream_words *words, unsigned table, struct word *word)
{
    char room[NAME_ROOM];
    souk_text raw = souk_text_of(look_up(words, table, word, room));
    souk_json_writer json = {.out = &words->room};
    souk_buf_clear(&words->room);
    souk_buf_text(&words->room, raw);
    souk_json_write_text(&json, raw);
    souk_mem_put(words->mem, souk_take(&word->text));
    word->raw_bytes = word->json_bytes = 0;
    if (!souk_buf_check(&words->room))
        word->text = souk_mem_resize(words->mem, NULL, words->room.bytes);
    if (!word->text)
        return;
    memcpy(word->text, words->room.at, words->room.bytes);
    word->raw_bytes = (uint16_t)raw.bytes;
    word->json_bytes = (uint16_t)(words->room.bytes - raw.bytes);
}

static const struct word *word_of(stream_words *words, unsigned table, uint32_t number)
{
    static const struct word none;
    if (number == 0)
        return &none;
    struct word *word = &words->tables[table][number % places[table]];
    uint32_t edition = stream_index_edition(words->index);
    bool is_new = word->number != number;
    if (is_new) {
        word->number = number;
        fill(words, table, word);
    }
    if ((is_new || word->edition != edition) && table < STREAM_KINDS) {
        word->name = stream_index_name(words->index, (stream_kind)table,
                                       (souk_text){word->text, word->raw_bytes});
        word->edition = edition;
    }
    return word;
}

void stream_words_facets(stream_words *words, const souk_fact *fact, const souk_fact_line *lines,
                         stream_facets *ret_facets)
{
    const struct word *source = word_of(words, STREAM_SOURCE, fact->source);
    ret_facets->merchant = source->merchant;
    ret_facets->source = source->name;
    ret_facets->type = word_of(words, STREAM_TYPE, fact->type)->name;
    ret_facets->store = word_of(words, STREAM_STORE, fact->store)->name;
    ret_facets->product_count = souk_min_size(fact->line_count, STREAM_FACET_PRODUCTS);
    for (size_t i = 0; i < ret_facets->product_count; i++)
        ret_facets->products[i] = word_of(words, STREAM_PRODUCT, lines[i].product)->name;
}

/* ---- the message ----------------------------------------------------------------------------- */

static void put_time(souk_buf *out, souk_text key, souk_time at)
{
    char text[SOUK_TIME_BYTES];
    souk_buf_text(out, key);
    souk_buf_append(out, text, souk_time_write(at, text));
    souk_buf_byte(out, '"');
}

static void put_number(souk_buf *out, uint64_t number)
{
    char digits[20], *from = digits + sizeof digits;
    do
        *--from = (char)('0' + number % 10);
    while (number /= 10);
    souk_buf_text(out, souk_text_range(from, digits + sizeof digits));
}

static void put_micro(souk_buf *out, souk_text key, int64_t micro)
{
    char text[SOUK_DECIMAL_BYTES];
    souk_buf_text(out, key);
    souk_buf_append(out, text, souk_decimal_write((souk_decimal){micro}, text));
    souk_buf_byte(out, '"');
}

/* What has no name, or none that could be read, is left out. */
static void put_word(stream_words *words, souk_buf *out, souk_text key, unsigned table,
                     uint32_t number)
{
    const struct word *word = word_of(words, table, number);
    if (word->json_bytes <= 2)
        return;
    souk_buf_text(out, key);
    souk_buf_append(out, word->text + word->raw_bytes, word->json_bytes);
}

static void put_products(stream_words *words, const souk_fact *fact, const souk_fact_line *lines,
                         souk_buf *out)
{
    souk_buf_text(out, SOUK_TEXT(",\"products\":["));
    for (uint32_t i = 0; i < fact->line_count; i++) {
        put_micro(out, i ? SOUK_TEXT(",{\"quantity\":\"") : SOUK_TEXT("{\"quantity\":\""),
                  lines[i].quantity_micro);
        put_micro(out, SOUK_TEXT(",\"amount\":\""), lines[i].amount_micro);
        put_word(words, out, SOUK_TEXT(",\"product\":"), STREAM_PRODUCT, lines[i].product);
        put_word(words, out, SOUK_TEXT(",\"category\":"), CATEGORY, lines[i].category);
        souk_buf_byte(out, '}');
    }
    souk_buf_byte(out, ']');
}

/* JSON has line ends only between its words, and a message must have none (HTML standard 9.2.5). */
static void put_text(souk_buf *out, souk_text text)
{
    souk_buf_text(out, SOUK_TEXT(",\"event\":"));
    if (text.bytes == 0) {
        souk_buf_text(out, SOUK_TEXT("null"));
        return;
    }
    char *room = souk_buf_room(out, text.bytes);
    if (!room)
        return;
    for (size_t i = 0; i < text.bytes; i++)
        room[i] = text.at[i] == '\n' || text.at[i] == '\r' ? ' ' : text.at[i];
    souk_buf_added(out, text.bytes);
}

void stream_words_write(stream_words *words, const souk_fact *fact, const souk_fact_line *lines,
                        const souk_text *text, souk_buf *out)
{
    souk_buf_text(out, SOUK_TEXT("id: "));
    put_number(out, fact->position);
    souk_buf_text(out, SOUK_TEXT("\nevent: event\ndata: {\"position\":"));
    put_number(out, fact->position);
    put_time(out, SOUK_TEXT(",\"at\":\""), fact->at);
    put_time(out, SOUK_TEXT(",\"received\":\""), fact->received);
    put_word(words, out, SOUK_TEXT(",\"type\":"), STREAM_TYPE, fact->type);
    put_word(words, out, SOUK_TEXT(",\"source\":"), STREAM_SOURCE, fact->source);
    put_word(words, out, SOUK_TEXT(",\"store\":"), STREAM_STORE, fact->store);
    if (fact->amount_micro || fact->currency) {
        char currency[4];
        souk_currency_name(fact->currency, currency);
        put_micro(out, SOUK_TEXT(",\"amount\":\""), fact->amount_micro);
        if (currency[0]) {
            souk_buf_text(out, SOUK_TEXT(",\"currency\":\""));
            souk_buf_text(out, souk_text_of(currency));
            souk_buf_byte(out, '"');
        }
    }
    if (fact->line_count)
        put_products(words, fact, lines, out);
    if (text)
        put_text(out, *text);
    souk_buf_text(out, SOUK_TEXT("}\n\n"));
}

/* ---- life ---------------------------------------------------------------------------------- */

souk_err stream_words_new(souk_mem *mem, souk_spine *spine, souk_merchants *merchants,
                          const stream_index *index, stream_words **ret_words)
{
    souk_auto(stream_words) words = souk_mem_get(mem, sizeof *words);
    if (!words)
        return SOUK_ENOMEM;
    words->mem = words->room.mem = mem;
    words->catalogue = souk_spine_catalogue(spine);
    words->merchants = merchants;
    words->index = index;
    for (unsigned i = 0; i < TABLES; i++) {
        words->tables[i] = souk_mem_array(mem, places[i], sizeof(struct word));
        if (!words->tables[i])
            return SOUK_ENOMEM;
    }
    *ret_words = souk_take(&words);
    return SOUK_OK;
}

void stream_words_free(stream_words *words)
{
    if (!words)
        return;
    for (unsigned i = 0; i < TABLES; i++) {
        for (uint32_t at = 0; words->tables[i] && at < places[i]; at++)
            souk_mem_put(words->mem, words->tables[i][at].text);
        souk_mem_put(words->mem, words->tables[i]);
    }
    souk_buf_done(&words->room);
    souk_mem_put(words->mem, words);
}
