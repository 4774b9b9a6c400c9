/* vocabulary.c - names found, properties checked (vocabulary.h). */
#include "service/collect/vocabulary.h"

#include "base/currency.h"

/* ---- names --------------------------------------------------------------------------------------------- */

static bool is_alias(const souk_vocable *vocable, souk_text name)
{
    souk_text rest = souk_text_of(vocable->aliases);
    while (rest.bytes)
        if (souk_text_equal(souk_text_cut(&rest, ';'), name))
            return true;
    return false;
}

const souk_vocable *souk_vocable_find(souk_text name)
{
    for (size_t i = 0; i < souk_vocable_count; i++) {
        const souk_vocable *vocable = &souk_vocables[i];
        if (name.bytes && vocable->name[0] == name.at[0] &&
            souk_text_equal(souk_text_of(vocable->name), name))
            return vocable;
    }
    for (size_t i = 0; i < souk_vocable_count; i++)
        if (souk_vocables[i].aliases && is_alias(&souk_vocables[i], name))
            return &souk_vocables[i];
    return NULL;
}

const souk_property *souk_property_find(souk_text name)
{
    size_t low = 0, high = souk_property_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = souk_text_compare(souk_text_of(souk_properties[middle].name), name);
        if (order == 0)
            return &souk_properties[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ---- properties -------------------------------------------------------------------------------------------- */

/* Where a property stands: "properties.", or "properties.products[2].". */
struct place {
    const souk_json_doc *doc;
    ptrdiff_t product; /* -1: none */
    souk_diag *fault;
};

static souk_err blame(const struct place *place, const char *name, const char *words)
{
    if (place->product < 0)
        return souk_diag_say(place->fault, SOUK_EINVAL, "properties.%s %s", name, words);
    return souk_diag_say(place->fault, SOUK_EINVAL, "properties.products[%td].%s %s",
                         place->product, name, words);
}

static bool is_empty(const souk_json_doc *doc, souk_json_node node)
{
    souk_json_kind kind = souk_json_type(doc, node);
    return kind == SOUK_JSON_MISSING || kind == SOUK_JSON_NULL ||
           (kind == SOUK_JSON_STRING && souk_json_raw(doc, node).bytes == 2);
}

static bool is_scalar(souk_json_kind kind)
{
    return kind == SOUK_JSON_STRING || kind == SOUK_JSON_NUMBER;
}

static souk_err check_decimal(const struct place *place, const souk_property *property,
                              souk_json_node node)
{
    souk_decimal decimal;
    if (souk_json_decimal_or_text(place->doc, node, &decimal, NULL))
        return blame(place, property->name, "is no number, or does not fit: send it as 12.34");
    return SOUK_OK;
}

/* A time as ISO text; a number, in milliseconds since 1970. */
static souk_err check_time(const struct place *place, const souk_property *property,
                           souk_json_node node)
{
    souk_time at;
    souk_text raw = souk_json_raw(place->doc, node);
    if (souk_json_type(place->doc, node) == SOUK_JSON_NUMBER)
        return SOUK_OK;
    if (souk_json_type(place->doc, node) != SOUK_JSON_STRING ||
        souk_time_read((souk_text){raw.at + 1, raw.bytes - 2}, NULL, &at))
        return blame(place, property->name, "is no time: send it as 2026-11-24T18:00:00Z");
    return SOUK_OK;
}

static souk_err check_currency(const struct place *place, const souk_property *property,
                               souk_json_node node)
{
    char code[4];
    souk_text raw = souk_json_raw(place->doc, node);
    if (souk_json_type(place->doc, node) != SOUK_JSON_STRING ||
        souk_currency_read((souk_text){raw.at + 1, raw.bytes - 2}, code) == SOUK_ENOENT)
        return blame(place, property->name, "is no code of ISO 4217: send one, such as EUR");
    return SOUK_OK;
}

static souk_err check_products(const struct place *place, souk_json_node list);

static souk_err check_value(const struct place *place, const souk_property *property,
                            souk_json_node node)
{
    souk_json_kind kind = souk_json_type(place->doc, node);
    switch (property->kind) {
    case SOUK_PROPERTY_TEXT:
        return is_scalar(kind) ? SOUK_OK
                               : blame(place, property->name,
                                       "is neither a text nor a number: send it as \"A-1\"");
    case SOUK_PROPERTY_MONEY:
    case SOUK_PROPERTY_NUMBER:
        return check_decimal(place, property, node);
    case SOUK_PROPERTY_FLAG:
        return kind == SOUK_JSON_TRUE || kind == SOUK_JSON_FALSE
                   ? SOUK_OK
                   : blame(place, property->name, "is neither true nor false: send one of them");
    case SOUK_PROPERTY_TIME:
        return check_time(place, property, node);
    case SOUK_PROPERTY_CURRENCY:
        return check_currency(place, property, node);
    case SOUK_PROPERTY_PRODUCTS:
        return check_products(place, node);
    case SOUK_PROPERTY_LIST:
        return kind == SOUK_JSON_ARRAY ? SOUK_OK
                                       : blame(place, property->name, "is no list: send it as […]");
    case SOUK_PROPERTY_OBJECT:
        return kind == SOUK_JSON_OBJECT
                   ? SOUK_OK
                   : blame(place, property->name, "is no object: send it as {…}");
    }
    return SOUK_OK;
}

static souk_err check_members(const struct place *place, souk_json_node object)
{
    souk_json_node value;
    for (souk_json_node key = souk_json_first(place->doc, object); key != SOUK_JSON_NONE;
         key = souk_json_next(place->doc, key)) {
        value = key;
        const souk_property *property = souk_property_find(souk_json_key(place->doc, key));
        if (property && !is_empty(place->doc, value))
            SOUK_TRY(check_value(place, property, value));
    }
    return SOUK_OK;
}

static souk_err check_products(const struct place *place, souk_json_node list)
{
    struct place one = *place;
    if (souk_json_type(place->doc, list) != SOUK_JSON_ARRAY)
        return blame(place, "products", "is no list: send it as [{\"product_id\":…},…]");
    one.product = 0;
    for (souk_json_node product = souk_json_first(place->doc, list); product != SOUK_JSON_NONE;
         product = souk_json_next(place->doc, product), one.product++) {
        if (souk_json_type(place->doc, product) != SOUK_JSON_OBJECT)
            return souk_diag_say(place->fault, SOUK_EINVAL,
                                 "properties.products[%td] is no object: send it as "
                                 "{\"product_id\":…}",
                                 one.product);
        SOUK_TRY(check_members(&one, product));
    }
    return SOUK_OK;
}

/* "a|b": one of them is told. */
static bool is_told(const souk_json_doc *doc, souk_json_node properties, souk_text choice)
{
    while (choice.bytes)
        if (!is_empty(doc, souk_json_member(doc, properties, souk_text_cut(&choice, '|'))))
            return true;
    return false;
}

souk_err souk_vocable_check(const souk_vocable *vocable, const souk_json_doc *doc,
                            souk_json_node properties, souk_diag *fault)
{
    struct place place = {doc, -1, fault};
    souk_json_kind kind = souk_json_type(doc, properties);
    souk_text rest = souk_text_of(vocable->must);
    if (kind != SOUK_JSON_OBJECT && kind != SOUK_JSON_MISSING && kind != SOUK_JSON_NULL)
        return souk_diag_say(fault, SOUK_EINVAL, "properties is no object: send it as {…}");
    while (rest.bytes) {
        souk_text choice = souk_text_cut(&rest, ' ');
        if (!is_told(doc, properties, choice))
            return souk_diag_say(fault, SOUK_EINVAL, "properties.%.*s is missing: %s needs %s",
                                 SOUK_TEXT_PRINT(choice), vocable->name,
                                 memchr(choice.at, '|', choice.bytes) ? "one of them" : "it");
    }
    return check_members(&place, properties);
}
