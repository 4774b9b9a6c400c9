/* poslog_fuzz.c - any bytes as a till's document: whole and in pieces it tells the same, each event is JSON with what
 * an event needs, and what is refused is a part of the document. */
#include "base/json.h"
#include "service/collect/poslog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct heard {
    souk_text document;
    souk_buf text;
    souk_json_doc doc;
    souk_arena arena;
};

static void check_event(struct heard *heard, souk_text event)
{
    souk_text text;
    souk_assert(souk_json_read(&heard->doc, event, NULL, NULL) == SOUK_OK);
    souk_json_node root = souk_json_root(&heard->doc),
                   properties = souk_json_member(&heard->doc, root, SOUK_TEXT("properties"));
    souk_assert(!souk_json_text(&heard->doc,
                                souk_json_member(&heard->doc, root, SOUK_TEXT("messageId")),
                                &heard->arena, &text) &&
                text.bytes > 0 && text.bytes <= 110); /* 96, and "/void" or "/26" */
    souk_assert(!souk_json_text(&heard->doc,
                                souk_json_member(&heard->doc, properties, SOUK_TEXT("store_id")),
                                &heard->arena, &text) &&
                text.bytes > 0);
    souk_json_node products = souk_json_member(&heard->doc, properties, SOUK_TEXT("products"));
    souk_assert(souk_json_type(&heard->doc, products) == SOUK_JSON_ARRAY &&
                souk_json_count(&heard->doc, products) <= 200);
    for (souk_json_node line = souk_json_first(&heard->doc, products); line != SOUK_JSON_NONE;
         line = souk_json_next(&heard->doc, line)) {
        souk_decimal quantity;
        souk_json_node node = souk_json_member(&heard->doc, line, SOUK_TEXT("quantity"));
        souk_assert(!souk_json_decimal_or_text(&heard->doc, node, &quantity, NULL));
    }
}

static souk_err hear(void *context, souk_text event, souk_text transaction, const souk_diag *fault)
{
    struct heard *heard = context;
    if (fault)
        souk_assert(
            fault->words[0] && transaction.bytes &&
            memmem(heard->document.at, heard->document.bytes, transaction.at, transaction.bytes));
    else
        check_event(heard, event);
    souk_buf_text(&heard->text, event);
    souk_buf_text(&heard->text, transaction);
    souk_buf_byte(&heard->text, '\n');
    souk_arena_clear(&heard->arena);
    return SOUK_OK;
}

static souk_err read_pieces(souk_text text, size_t piece_bytes, struct heard *heard,
                            souk_diag *diag)
{
    souk_auto(souk_poslog) poslog = NULL;
    souk_poslog_options options = {.each = hear, .context = heard};
    SOUK_TRY(souk_poslog_new(souk_mem_heap(), &options, &poslog));
    for (bool last = false; !last;) {
        size_t bytes = souk_min_size(piece_bytes, text.bytes);
        last = bytes == text.bytes;
        SOUK_TRY(souk_poslog_feed(poslog, (souk_text){text.at, bytes}, last, diag));
        text = (souk_text){text.at + bytes, text.bytes - bytes};
    }
    return SOUK_OK;
}

static void done(struct heard *heard)
{
    souk_buf_done(&heard->text);
    souk_json_doc_done(&heard->doc);
    souk_arena_done(&heard->arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    souk_text text = {(const char *)data + 1, size - 1};
    struct heard whole = {.document = text, .arena = {.mem = souk_mem_heap()}}, pieces = whole;
    souk_diag diag = {.words = ""};
    souk_err err = read_pieces(text, SIZE_MAX, &whole, &diag);
    souk_assert(!err == !diag.words[0]);
    souk_assert(!err == !read_pieces(text, 1 + data[0] % 99, &pieces, NULL));
    souk_assert(souk_text_equal(souk_buf_view(&whole.text), souk_buf_view(&pieces.text)));
    done(&whole);
    done(&pieces);
    return 0;
}
