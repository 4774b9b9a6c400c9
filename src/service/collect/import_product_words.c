/* import_product_words.c - see import_product_words.h. */
#include "service/collect/import_product_words.h"

#include "service/collect/import_record.h"

souk_text import_availability(souk_text told)
{
    static const struct {
        const char *word, *means;
    } words[] = {
        {"in stock", "in_stock"},
        {"in_stock", "in_stock"},
        {"instock", "in_stock"},
        {"available", "in_stock"},
        {"yes", "in_stock"},
        {"有货", "in_stock"},
        {"在售", "in_stock"},
        {"上架", "in_stock"},
        {"auf lager", "in_stock"},
        {"lieferbar", "in_stock"},
        {"ja", "in_stock"},
        {"en stock", "in_stock"},
        {"disponible", "in_stock"},
        {"oui", "in_stock"},
        {"out of stock", "out_of_stock"},
        {"out_of_stock", "out_of_stock"},
        {"outofstock", "out_of_stock"},
        {"sold out", "out_of_stock"},
        {"no", "out_of_stock"},
        {"无货", "out_of_stock"},
        {"缺货", "out_of_stock"},
        {"下架", "out_of_stock"},
        {"nicht lieferbar", "out_of_stock"},
        {"ausverkauft", "out_of_stock"},
        {"nein", "out_of_stock"},
        {"\xC3\xA9puis\xC3\xA9", "out_of_stock"},
        {"rupture de stock", "out_of_stock"},
        {"non", "out_of_stock"},
        {"preorder", "preorder"},
        {"pre-order", "preorder"},
        {"预售", "preorder"},
        {"vorbestellbar", "preorder"},
        {"backorder", "backorder"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (souk_text_equal_nocase(told, souk_text_of(words[i].word)))
            return souk_text_of(words[i].means);
    return told;
}

souk_err import_read_gtin(souk_import_sink *sink, souk_text told, souk_text *ret_gtin,
                          souk_diag *fault)
{
    char digits[40];
    size_t bytes = 0;
    *ret_gtin = SOUK_TEXT("");
    if (!told.at || told.bytes == 0)
        return SOUK_OK;
    if (memmem(told.at, told.bytes, "E+", 2))
        return souk_diag_say(
            fault, SOUK_EINVAL,
            "the barcode '%.*s' was cut by a spreadsheet: write the column as text",
            SOUK_TEXT_PRINT(told));
    for (size_t i = 0; i < told.bytes && bytes < sizeof digits; i++) {
        char c = told.at[i];
        if (c != ' ' && c != '-' && c != '\'')
            digits[bytes++] = c;
    }
    *ret_gtin = import_keep(sink, bytes < sizeof digits ? (souk_text){digits, bytes} : told);
    return SOUK_OK;
}
