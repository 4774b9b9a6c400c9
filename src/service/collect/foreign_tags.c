/* foreign_tags.c - "Tag Read" for the forms of readers. */
#include "service/collect/foreign_tags.h"

#include "base/epc.h"
#include "service/collect/tell.h"

static void tell_form(const souk_foreign *message, const souk_epc *epc, souk_epc_form form,
                      const char *key)
{
    char text[SOUK_EPC_BYTES];
    tell_text(message, key, (souk_text){text, souk_epc_write(epc, form, text)});
}

/* As a till scans it: a GTIN-14 that begins with 0 is an EAN-13. */
static void tell_product(const souk_foreign *message, const souk_epc *epc)
{
    char text[SOUK_EPC_BYTES];
    size_t bytes = souk_epc_write(epc, SOUK_EPC_KEY, text), lead = text[0] == '0';
    tell_text(message, "product_id", (souk_text){text + lead, bytes - lead});
}

static void tell_epc(const souk_foreign *message, const souk_epc *epc)
{
    static const char *const keys[] = {"gtin", "sscc", "gln"};
    tell_form(message, epc, SOUK_EPC_PURE, "epc_uri");
    tell_form(message, epc, SOUK_EPC_KEY, keys[epc->scheme]);
    if (epc->scheme == SOUK_EPC_SGTIN)
        tell_product(message, epc);
    tell_form(message, epc, SOUK_EPC_SERIAL, "serial");
}

souk_err tag_tell(const souk_foreign *message, const char *form, const struct tag_read *read,
                  souk_diag *fault)
{
    char bytes[TAG_BYTES_MOST], hex[2 * TAG_BYTES_MOST];
    size_t count = read->hex.bytes / 2;
    souk_epc epc;
    if (count == 0 || count > TAG_BYTES_MOST || !souk_unhex(read->hex, bytes, count))
        return souk_diag_say(fault, SOUK_EINVAL,
                             "the tag's EPC is no hexadecimal text of 1 to %d bytes: let the "
                             "reader send it so",
                             TAG_BYTES_MOST);
    for (size_t i = 0; i < 2 * count; i++)
        hex[i] = (char)(read->hex.at[i] >= 'a' ? read->hex.at[i] - 32 : read->hex.at[i]);
    souk_text text = {hex, 2 * count}, name = {"", 0};
    souk_text parts[] = {read->reader, read->antenna, text, read->when};
    if (read->when.bytes)
        name = tell_name(message, form, parts, 4);
    tell_open(message, form, "Tag Read", name, read->at);
    tell_text(message, "epc", text);
    if (souk_epc_read(text, &epc, NULL) == SOUK_OK)
        tell_epc(message, &epc);
    tell_text(message, "reader", read->reader);
    tell_text(message, "antenna", read->antenna);
    tell_text(message, "antenna_name", read->antenna_name);
    tell_text(message, "rssi", read->rssi);
    tell_text(message, "tid", read->tid);
    tell_text(message, "seen_count", read->seen_count);
    tell_close(message);
    return SOUK_OK;
}
