/* merchant_xml.c - see merchant_xml.h. */
#include "service/collect/merchant_xml.h"

#include <expat.h>

enum { DEPTH_MOST = 32 };
static const char google[] = "http://base.google.com/ns/1.0";

/* Names and values lie in `text`, which moves while it grows: fields hold offsets until the item ends. */
struct field {
    uint32_t name_at, name_bytes, value_at, value_bytes;
    bool is_google;
};

struct merchant_xml {
    souk_mem *mem;
    XML_Parser parser;
    merchant_take *take;
    void *context;
    souk_diag *diag; /* of the feeding in hand */
    souk_err failed;
    unsigned depth, item_depth; /* item_depth 0: outside of an item */
    bool is_feed;               /* the root is rss, feed or rdf */
    souk_buf text;
    souk_buf path;                     /* "shipping.country" of the open element of an item */
    size_t path_bytes[DEPTH_MOST + 1]; /* of the parents' paths */
    size_t value_at;                   /* where the value of the open element begins in `text` */
    bool is_leaf;                      /* it has no child so far */
    bool google_at[DEPTH_MOST + 1];
    struct field fields[MERCHANT_FIELDS];
    merchant_field shown[MERCHANT_FIELDS];
    size_t count;
    bool is_cut;
    uint64_t line;
};

static void stop(merchant_xml *xml, souk_err err)
{
    if (!xml->failed)
        xml->failed = err;
    XML_StopParser(xml->parser, XML_FALSE);
}

/* "http://…|id" as namespace and local name. */
static souk_text local_name(const char *name, bool *ret_google)
{
    souk_text whole = souk_text_of(name), space = souk_text_cut(&whole, '|');
    bool has_space = space.bytes < strlen(name);
    *ret_google = has_space && souk_text_starts(space, souk_text_of(google));
    return has_space ? whole : space;
}

/* ---- fields of an item --------------------------------------------------------------------------------------- */

static void add_field(merchant_xml *xml, souk_text name, souk_text value, bool is_google)
{
    value = souk_text_trim(value);
    if (value.bytes == 0)
        return;
    bool has_room = xml->count < MERCHANT_FIELDS &&
                    xml->text.bytes + name.bytes + value.bytes <= MERCHANT_ITEM_BYTES;
    if (!has_room || name.bytes > MERCHANT_NAME_BYTES) {
        xml->is_cut = true;
        return;
    }
    struct field *field = &xml->fields[xml->count++];
    bool is_inside = value.at >= xml->text.at && value.at < xml->text.at + xml->text.bytes;
    *field = (struct field){.name_bytes = (uint32_t)name.bytes,
                            .value_bytes = (uint32_t)value.bytes,
                            .is_google = is_google};
    if (is_inside) {
        field->value_at = (uint32_t)(value.at - xml->text.at);
    } else {
        field->value_at = (uint32_t)xml->text.bytes;
        souk_buf_text(&xml->text, value);
    }
    field->name_at = (uint32_t)xml->text.bytes;
    souk_buf_text(&xml->text, name);
    if (souk_buf_check(&xml->text))
        stop(xml, souk_buf_check(&xml->text));
}

/* Whether a field of Google's says what this one of RSS or Atom does. */
static bool is_overruled(const merchant_xml *xml, const struct field *field)
{
    souk_text name = {xml->text.at + field->name_at, field->name_bytes};
    for (size_t i = 0; i < xml->count && !field->is_google; i++) {
        souk_text other = {xml->text.at + xml->fields[i].name_at, xml->fields[i].name_bytes};
        if (xml->fields[i].is_google && souk_text_equal(name, other))
            return true;
    }
    return false;
}

static void end_item(merchant_xml *xml)
{
    merchant_item item = {.fields = xml->shown, .line = xml->line, .fields_cut = xml->is_cut};
    for (size_t i = 0; i < xml->count; i++) {
        const struct field *field = &xml->fields[i];
        if (is_overruled(xml, field))
            continue;
        xml->shown[item.count++] =
            (merchant_field){{xml->text.at + field->name_at, field->name_bytes},
                             {xml->text.at + field->value_at, field->value_bytes}};
    }
    xml->item_depth = 0;
    souk_err err = xml->take(xml->context, &item, xml->diag);
    if (err)
        stop(xml, err);
}

/* ---- what expat tells ------------------------------------------------------------------------------------------ */

static bool is_one_of(souk_text name, const char *const *names)
{
    for (; *names; names++)
        if (souk_text_equal(name, souk_text_of(*names)))
            return true;
    return false;
}

/* Atom's <link rel="alternate" href="…"/>. */
static void add_link(merchant_xml *xml, const char **attributes)
{
    souk_text href = {NULL, 0}, rel = SOUK_TEXT("alternate");
    for (; attributes[0]; attributes += 2) {
        if (!strcmp(attributes[0], "href"))
            href = souk_text_of(attributes[1]);
        if (!strcmp(attributes[0], "rel"))
            rel = souk_text_of(attributes[1]);
    }
    if (souk_text_equal(rel, SOUK_TEXT("alternate")))
        add_field(xml, SOUK_TEXT("link"), href, false);
}

static void begin_field(merchant_xml *xml, souk_text name, const char **attributes)
{
    xml->path_bytes[xml->depth] = xml->path.bytes;
    if (xml->path.bytes)
        souk_buf_byte(&xml->path, '.');
    souk_buf_text(&xml->path, name);
    xml->is_leaf = true;
    xml->value_at = xml->text.bytes;
    if (souk_text_equal(name, SOUK_TEXT("link")))
        add_link(xml, attributes);
    xml->value_at = xml->text.bytes;
    if (souk_buf_check(&xml->path))
        stop(xml, souk_buf_check(&xml->path));
}

static void XMLCALL begin_element(void *opaque, const char *tag, const char **attributes)
{
    static const char *const roots[] = {"rss", "feed", "RDF", NULL};
    static const char *const items[] = {"item", "entry", NULL};
    merchant_xml *xml = opaque;
    bool is_google;
    souk_text name = local_name(tag, &is_google);
    if (xml->failed)
        return;
    if (++xml->depth > DEPTH_MOST) {
        stop(xml, souk_diag_say(xml->diag, SOUK_EINVAL,
                                "elements are nested deeper than %d: this "
                                "is no product feed",
                                DEPTH_MOST));
        return;
    }
    xml->google_at[xml->depth] = is_google;
    if (xml->depth == 1)
        xml->is_feed = is_one_of(name, roots);
    if (xml->depth == 1 && !xml->is_feed) {
        stop(xml, souk_diag_say(xml->diag, SOUK_EINVAL,
                                "the root is '%.*s' where a feed has rss or feed: this is no "
                                "product feed",
                                (int)souk_min_size(name.bytes, 60), name.at));
        return;
    }
    if (xml->item_depth) {
        begin_field(xml, name, attributes);
    } else if (!is_google && is_one_of(name, items)) {
        xml->item_depth = xml->depth;
        xml->count = 0;
        xml->is_cut = false;
        xml->line = XML_GetCurrentLineNumber(xml->parser);
        souk_buf_clear(&xml->text);
        souk_buf_clear(&xml->path);
    }
}

static void XMLCALL end_element(void *opaque, const char *tag)
{
    static const char *const plain[] = {"title",   "description", "link", "id",
                                        "summary", "content",     NULL};
    merchant_xml *xml = opaque;
    (void)tag;
    if (xml->failed)
        return;
    if (xml->item_depth == xml->depth) {
        end_item(xml);
    } else if (xml->item_depth) {
        souk_text path = souk_buf_view(&xml->path);
        bool is_google = xml->google_at[xml->item_depth + 1];
        souk_text value = {xml->text.at + xml->value_at, xml->text.bytes - xml->value_at};
        if (xml->is_leaf && (is_google || is_one_of(path, plain)))
            add_field(xml, path, value, is_google);
        xml->path.bytes = xml->path_bytes[xml->depth];
        xml->is_leaf = false;
    }
    xml->depth--;
}

static void XMLCALL take_text(void *opaque, const char *text, int bytes)
{
    merchant_xml *xml = opaque;
    if (xml->failed || !xml->item_depth || !xml->is_leaf || xml->depth == xml->item_depth)
        return;
    if (xml->text.bytes + (size_t)bytes > MERCHANT_ITEM_BYTES) {
        xml->is_cut = true;
        return;
    }
    souk_buf_append(&xml->text, text, (size_t)bytes);
    if (souk_buf_check(&xml->text))
        stop(xml, souk_buf_check(&xml->text));
}

static void XMLCALL refuse_type(void *opaque, const char *name, const char *system_id,
                                const char *public_id, int has_internal)
{
    merchant_xml *xml = opaque;
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal;
    stop(xml, souk_diag_say(xml->diag, SOUK_EINVAL,
                            "the feed declares a document type, which could declare entities: take "
                            "the <!DOCTYPE …> out"));
}

/* ---- life --------------------------------------------------------------------------------------------------------- */

souk_err merchant_xml_new(souk_mem *mem, merchant_take *take, void *context, merchant_xml **ret_xml)
{
    souk_auto(merchant_xml) xml = souk_mem_get(mem, sizeof *xml);
    if (!xml)
        return SOUK_ENOMEM;
    xml->mem = xml->text.mem = xml->path.mem = mem;
    xml->take = take;
    xml->context = context;
    xml->parser = XML_ParserCreateNS(NULL, '|');
    if (!xml->parser)
        return SOUK_ENOMEM;
    XML_SetUserData(xml->parser, xml);
    XML_SetElementHandler(xml->parser, begin_element, end_element);
    XML_SetCharacterDataHandler(xml->parser, take_text);
    XML_SetStartDoctypeDeclHandler(xml->parser, refuse_type);
    *ret_xml = souk_take(&xml);
    return SOUK_OK;
}

void merchant_xml_free(merchant_xml *xml)
{
    if (!xml)
        return;
    if (xml->parser)
        XML_ParserFree(xml->parser);
    souk_buf_done(&xml->text);
    souk_buf_done(&xml->path);
    souk_mem_put(xml->mem, xml);
}

static souk_err blame(merchant_xml *xml, souk_diag *diag)
{
    enum XML_Error error = XML_GetErrorCode(xml->parser);
    if (xml->failed)
        return xml->failed;
    if (error == XML_ERROR_NO_MEMORY)
        return SOUK_ENOMEM;
    if (diag) {
        diag->line = XML_GetCurrentLineNumber(xml->parser);
        diag->column = XML_GetCurrentColumnNumber(xml->parser) + 1;
    }
    if (error == XML_ERROR_UNKNOWN_ENCODING)
        return souk_diag_say(diag, SOUK_EUNSUPPORTED,
                             "the feed is in an encoding that is not read: write it in UTF-8");
    return souk_diag_say(diag, SOUK_ESYNTAX, "line %lu, column %lu: %s",
                         (unsigned long)XML_GetCurrentLineNumber(xml->parser),
                         (unsigned long)XML_GetCurrentColumnNumber(xml->parser) + 1,
                         XML_ErrorString(error));
}

souk_err merchant_xml_feed(merchant_xml *xml, souk_text piece, bool last, souk_diag *diag)
{
    enum { SLICE = 1 << 20 }; /* expat takes an int */
    souk_diag words = {.words = ""};
    xml->diag = diag ? diag : &words;
    for (bool ended = false; !ended;) {
        size_t bytes = souk_min_size(piece.bytes, SLICE);
        ended = bytes == piece.bytes;
        if (XML_Parse(xml->parser, piece.at ? piece.at : "", (int)bytes, ended && last) !=
            XML_STATUS_OK)
            return blame(xml, diag);
        if (!ended) {
            piece.at += bytes;
            piece.bytes -= bytes;
        }
    }
    return xml->failed;
}
