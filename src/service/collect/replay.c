/* replay.c - a reject taken again, as it is or mended: all of its events, or none. */
#include "service/collect/import.h"
#include "service/collect/intake_inside.h"
#include "service/collect/segment.h"

#include <stdio.h>

/* A reject's place tells how it came: "/v1/track" by a single call of that type, "batch[3]" in a batch,
 * "form:shopify orders/create" (or "form:impinj@SH-14 …" from that store) as a message of that form,
 * "shopify orders/create[0]" as what a form made of one.  A row of a file is not replayed: see refuse_row. */
struct origin {
    souk_text type, topic, store;
    const souk_foreign_form *form;
    bool nobodys;
};

static struct origin origin_of(souk_text where)
{
    struct origin origin = {.type = {"", 0}, .topic = {"", 0}, .store = {"", 0}};
    souk_text path = SOUK_TEXT("/v1/"), form = SOUK_TEXT("form:");
    if (souk_text_starts(where, path)) {
        origin.type = (souk_text){where.at + path.bytes, where.bytes - path.bytes};
    } else if (souk_text_starts(where, form)) {
        origin.topic = (souk_text){where.at + form.bytes, where.bytes - form.bytes};
        origin.store = souk_text_cut(&origin.topic, ' ');
        origin.form = souk_foreign_find(souk_text_cut(&origin.store, '@'));
    } else {
        origin.nobodys = !souk_text_starts(where, SOUK_TEXT("batch["));
    }
    return origin;
}

static souk_err read_again(souk_intake *intake, souk_text text, struct origin origin,
                           bool is_mended)
{
    souk_intake_store(intake, origin.store);
    if (origin.form)
        return souk_intake_foreign(intake, origin.form, text, origin.topic, SOUK_TEXT(""));
    SOUK_TRY(souk_json_read(&intake->doc, text, NULL, intake->diag));
    souk_json_node root = souk_json_root(&intake->doc);
    souk_json_node own = souk_json_member(&intake->doc, root, SOUK_TEXT("type"));
    if (is_mended && own != SOUK_JSON_NONE)
        origin.type = SOUK_TEXT("");
    intake->nobodys = origin.nobodys;
    return intake_add(intake, root, origin.type, SOUK_TEXT(""), INTAKE_ALONE);
}

/* Without a name of its own an event is named by the reject: a replay that was cut off before the reject went
 * stores nothing a second time. */
static souk_err read_reject(souk_intake *intake, uint64_t reject_id, souk_text text,
                            souk_text where, bool is_mended)
{
    char name[40];
    int bytes = snprintf(name, sizeof name, "reject %llu", (unsigned long long)reject_id);
    intake->unnamed = (souk_text){name, (size_t)bytes};
    SOUK_TRY(read_again(intake, text, origin_of(where), is_mended));
    if (intake->batch.fault_count == 0)
        return SOUK_OK;
    return souk_diag_say(intake->diag, SOUK_EINVAL, "it is still at fault: %.*s",
                         SOUK_TEXT_PRINT(intake->faults[0].fault));
}

/* An event made of the row alone would not have the row's identity, and counted again with the mended file. */
static souk_err refuse_row(souk_text where, souk_diag *diag)
{
    souk_text row;
    if (!souk_import_place(where, &row))
        return SOUK_OK;
    return souk_diag_say(diag, SOUK_EINVAL,
                         "a row of a file is not replayed: mend %.*s there, import the file "
                         "again (what is in counts once), then drop this reject",
                         SOUK_TEXT_PRINT(row));
}

souk_err souk_collect_replay(souk_collect *state, souk_call *call, uint64_t reject_id,
                             souk_text mended)
{
    uint32_t source;
    souk_auto_value(souk_buf) stored = {.mem = state->mem}, where = {.mem = state->mem};
    souk_auto(souk_intake) intake = NULL;
    souk_rejects *rejects = souk_spine_rejects(state->spine);
    SOUK_TRY(souk_rejects_read(rejects, reject_id, &source, &where, &stored));
    SOUK_TRY(refuse_row(souk_buf_view(&where), &call->diag));
    SOUK_TRY(souk_intake_open(state, &call->arena, &call->diag, &intake));
    souk_intake_source(intake, source);
    SOUK_TRY(read_reject(intake, reject_id, mended.bytes ? mended : souk_buf_view(&stored),
                         souk_buf_view(&where), mended.bytes != 0));
    SOUK_TRY(souk_intake_write(intake));
    return souk_rejects_remove(rejects, reject_id);
}
