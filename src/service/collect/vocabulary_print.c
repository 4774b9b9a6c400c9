/* vocabulary_print.c - the vocabulary for people (docs/events.md) and for programs (JSON Schema). */
#include "service/collect/vocabulary.h"

/* ---- JSON Schema 2020-12 ------------------------------------------------------------------------------- */

static const struct {
    const char *types;            /* ' ' between */
    const char *pattern, *format; /* of texts */
    const char *word;             /* for people */
} kinds[] = {
    [SOUK_PROPERTY_TEXT] = {"string number null", NULL, NULL, "text"},
    [SOUK_PROPERTY_MONEY] = {"number string null", "^$|^-?[0-9]+(\\.[0-9]+)?$", NULL, "money"},
    [SOUK_PROPERTY_NUMBER] = {"number string null", "^$|^-?[0-9]+(\\.[0-9]+)?$", NULL, "number"},
    [SOUK_PROPERTY_FLAG] = {"boolean null", NULL, NULL, "true or false"},
    [SOUK_PROPERTY_TIME] = {"string number null", NULL, "date-time", "time"},
    [SOUK_PROPERTY_CURRENCY] = {"string null", "^$|^[A-Za-z]{3}$", NULL, "currency"},
    [SOUK_PROPERTY_PRODUCTS] = {"array null", NULL, NULL, "products"},
    [SOUK_PROPERTY_LIST] = {"array null", NULL, NULL, "list"},
    [SOUK_PROPERTY_OBJECT] = {"object null", NULL, NULL, "object"},
};

static const char product_members[] =
    "product_id sku gtin epc name brand category variant price quantity amount coupon discount "
    "position url image_url";

static void write_properties(souk_text names, souk_json_writer *out);

static void write_property(const souk_property *property, souk_json_writer *out)
{
    souk_text types = souk_text_of(kinds[property->kind].types);
    souk_json_write_key(out, souk_text_of(property->name));
    souk_json_write_object(out);
    souk_json_put_words(out, "description", property->meaning);
    souk_json_put_array(out, "type");
    while (types.bytes)
        souk_json_write_text(out, souk_text_cut(&types, ' '));
    souk_json_write_end(out);
    if (kinds[property->kind].pattern)
        souk_json_put_words(out, "pattern", kinds[property->kind].pattern);
    if (kinds[property->kind].format)
        souk_json_put_words(out, "format", kinds[property->kind].format);
    if (property->kind == SOUK_PROPERTY_PRODUCTS) {
        souk_json_put_object(out, "items");
        souk_json_put_words(out, "type", "object");
        souk_json_put_object(out, "properties");
        write_properties(souk_text_of(product_members), out);
        souk_json_write_end(out);
        souk_json_write_end(out);
    }
    souk_json_write_end(out);
}

/* Whether `name` stands in the list before `end`. */
static bool stands_before(souk_text names, const char *end, souk_text name)
{
    while (names.bytes && names.at < end)
        if (souk_text_equal(souk_text_cut(&names, ' '), name))
            return true;
    return false;
}

/* Of the names, each once. */
static void write_properties(souk_text names, souk_json_writer *out)
{
    souk_text rest = names;
    while (rest.bytes) {
        souk_text name = souk_text_cut(&rest, ' ');
        const souk_property *property = souk_property_find(name);
        if (property && !stands_before(names, name.at, name))
            write_property(property, out);
    }
}

/* "store_id product_id|sku may": what it must say and what it may, one list with ' ' between. */
static souk_text all_names(const souk_vocable *vocable, char *room, size_t bytes)
{
    souk_text must = souk_text_of(vocable->must), may = souk_text_of(vocable->may);
    souk_assert(must.bytes + may.bytes + 1 <= bytes);
    size_t at = must.bytes;
    if (must.bytes) {
        memcpy(room, must.at, must.bytes);
        for (size_t i = 0; i < must.bytes; i++)
            room[i] = room[i] == '|' ? ' ' : room[i];
        room[at++] = ' ';
    }
    memcpy(room + at, may.at, may.bytes);
    return (souk_text){room, at + may.bytes};
}

/* "a|b" becomes {"anyOf":[{"required":["a"]},{"required":["b"]}]}. */
static void write_choice(souk_text choice, souk_json_writer *out)
{
    souk_json_write_object(out);
    souk_json_put_array(out, "anyOf");
    while (choice.bytes) {
        souk_json_write_object(out);
        souk_json_put_array(out, "required");
        souk_json_write_text(out, souk_text_cut(&choice, '|'));
        souk_json_write_end(out);
        souk_json_write_end(out);
    }
    souk_json_write_end(out);
    souk_json_write_end(out);
}

void souk_vocable_schema(const souk_vocable *vocable, souk_json_writer *out)
{
    char room[1024];
    souk_text must = souk_text_of(vocable->must);
    souk_json_write_object(out);
    souk_json_put_words(out, "$schema", "https://json-schema.org/draft/2020-12/schema");
    souk_json_put_words(out, "title", vocable->name);
    souk_json_put_words(out, "description", vocable->meaning);
    souk_json_put_words(out, "type", "object");
    souk_json_put_object(out, "properties");
    write_properties(all_names(vocable, room, sizeof room), out);
    souk_json_write_end(out);
    if (must.bytes) {
        souk_json_put_array(out, "allOf");
        while (must.bytes)
            write_choice(souk_text_cut(&must, ' '), out);
        souk_json_write_end(out);
    }
    souk_json_write_end(out);
}

/* ---- docs/events.md ------------------------------------------------------------------------------------------ */

static void print_names(souk_buf *out, souk_text names)
{
    souk_text rest = names;
    const char *between = "";
    while (rest.bytes) {
        souk_text name = souk_text_cut(&rest, ' ');
        if (stands_before(names, name.at, name))
            continue;
        souk_buf_print(out, "%s", between);
        while (name.bytes) {
            souk_text one = souk_text_cut(&name, '|');
            souk_buf_print(out, "`%.*s`%s", SOUK_TEXT_PRINT(one), name.bytes ? " or " : "");
        }
        between = ", ";
    }
}

static void print_event(souk_buf *out, const souk_vocable *vocable)
{
    souk_text aliases = souk_text_of(vocable->aliases);
    souk_buf_print(out, "| %s | %s", vocable->name, vocable->meaning);
    if (aliases.bytes) {
        souk_buf_print(out, " (also:");
        while (aliases.bytes) {
            souk_text alias = souk_text_cut(&aliases, ';');
            souk_buf_print(out, " %.*s%s", SOUK_TEXT_PRINT(alias), aliases.bytes ? "," : ")");
        }
    }
    souk_buf_print(out, " | ");
    print_names(out, souk_text_of(vocable->must));
    souk_buf_print(out, " | ");
    print_names(out, souk_text_of(vocable->may));
    souk_buf_print(out, " |\n");
}

static const char opening[] =
    "# The names of events\n\n"
    "What this page lists, Souk understands: it checks the properties of these events, and orders "
    "and receipts count in profiles and\n"
    "totals. A `track` event of any other name is taken as it is. An event that lacks what it must "
    "tell, or tells it badly, is kept\n"
    "apart with its reason (`souk rejects`, `GET /v1/rejects`), to be mended and replayed; its "
    "neighbours are not refused. Each event\n"
    "has a JSON Schema: `GET /v1/schemas`. Online names are those of Segment's e-commerce "
    "specification; money is a number or a text\n"
    "(`12.5`, `\"12.50\"`), exact either way. This page is printed by `souk events`.\n";

void souk_vocabulary_write(souk_buf *out)
{
    const char *group = "";
    souk_buf_print(out, "%s", opening);
    for (size_t i = 0; i < souk_vocable_count; i++) {
        if (strcmp(group, souk_vocables[i].group)) {
            group = souk_vocables[i].group;
            souk_buf_print(
                out, "\n## %s\n| event | meaning | must tell | may tell |\n|---|---|---|---|\n",
                group);
        }
        print_event(out, &souk_vocables[i]);
    }
    souk_buf_print(out, "\n## Properties\n| property | kind | meaning |\n|---|---|---|\n");
    for (size_t i = 0; i < souk_property_count; i++)
        souk_buf_print(out, "| `%s` | %s | %s |\n", souk_properties[i].name,
                       kinds[souk_properties[i].kind].word, souk_properties[i].meaning);
}
