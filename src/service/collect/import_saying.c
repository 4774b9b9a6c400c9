/* import_saying.c - see import_saying.h. */
#include "service/collect/import_saying.h"

#include "service/collect/import_record.h"

static souk_err identify(const souk_import_sink *sink, const souk_consent_told *told,
                         souk_buf *room, souk_hash128 *ret_message)
{
    char row[16];
    souk_put_u64(row, (uint64_t)told->row.from);
    souk_put_u32(row + 8, (uint32_t)told->kind);
    souk_put_u32(row + 12, (uint32_t)told->row.basis);
    souk_text id[] = {{row, sizeof row}, told->purpose, {"", 1}, told->value};
    souk_buf_clear(room);
    for (size_t i = 0; i < sizeof id / sizeof *id; i++)
        souk_buf_text(room, id[i]);
    SOUK_TRY(souk_buf_check(room));
    *ret_message = souk_hashes_message(sink->hashes, sink->source, souk_buf_view(room));
    return SOUK_OK;
}

static souk_err write_body(const souk_event *event, const souk_consent_told *told, souk_buf *body)
{
    souk_json_writer json = {.out = body};
    souk_buf_clear(body);
    souk_json_write_object(&json);
    souk_json_put_text(&json, "type", SOUK_TEXT("track"));
    souk_json_put_text(&json, "event", event->type);
    import_write_who(&json, event);
    souk_json_put_object(&json, "properties");
    souk_json_put_text(&json, "purpose", told->purpose);
    souk_json_put_text(&json, "basis", souk_text_of(souk_basis_word(told->row.basis)));
    souk_json_write_end(&json);
    souk_json_write_end(&json);
    return souk_json_write_check(&json);
}

souk_err import_saying(const souk_import_sink *sink, const souk_consent_told *told, souk_buf *body,
                       souk_event *ret_event)
{
    bool is_no = told->row.basis == SOUK_BASIS_WITHDRAWN;
    *ret_event =
        (souk_event){.received = sink->received,
                     .at = told->row.from,
                     .type = is_no ? SOUK_TEXT("Consent Withdrawn") : SOUK_TEXT("Consent Given")};
    SOUK_TRY(identify(sink, told, body, &ret_event->message));
    souk_event_identify(ret_event, sink->hashes, told->kind, told->value);
    return write_body(ret_event, told, body);
}
