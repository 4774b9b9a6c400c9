/* devices.c - the handlers of devices.h. */
#include "service/collect/devices.h"

#include "service/collect/foreign_devices.h"
#include "service/collect/foreign_poslog.h"
#include "service/collect/intake.h"
#include "service/collect/segment.h"

#include <stdio.h>

/* What an answer needs when the write is done. */
struct delivery {
    souk_intake *intake;
    size_t events, rejected;
};

static void answer(void *context, souk_err err)
{
    souk_call *call = context;
    struct delivery *delivery = call->user;
    char text[128];
    size_t repeats = err ? 0 : souk_intake_repeats(delivery->intake);
    souk_intake_free(delivery->intake);
    if (err) {
        souk_collect_answer(call, err);
        return;
    }
    int bytes = snprintf(text, sizeof text,
                         "{\"success\":true,\"events\":%zu,\"repeats\":%zu,\"rejected\":%zu}",
                         delivery->events - repeats, repeats, delivery->rejected);
    souk_call_answer_text(call, 200, "application/json", (souk_text){text, (size_t)bytes});
}

static souk_err read_body(souk_call *call, struct delivery *delivery, const souk_foreign_form *form)
{
    souk_text body, store = {"", 0}, reader = {"", 0};
    souk_intake *intake = delivery->intake;
    SOUK_TRY(souk_collect_caller(call, souk_call_header(call, SOUK_TEXT("x-write-key"))));
    souk_intake_source(intake, call->caller.source);
    if (souk_call_query(call, SOUK_TEXT("store"), &store))
        souk_intake_store(intake, store);
    (void)souk_call_query(call, SOUK_TEXT("reader"), &reader);
    SOUK_TRY(souk_intake_inflate(intake, call->body, call->limits.body_bytes, &body));
    SOUK_TRY(souk_intake_foreign(intake, form, body, reader, SOUK_TEXT("")));
    delivery->events = souk_intake_events(intake);
    delivery->rejected = souk_intake_faults(intake);
    return SOUK_OK;
}

static void take(souk_call *call, const souk_foreign_form *form)
{
    struct delivery *delivery = souk_arena_get(&call->arena, sizeof *delivery);
    souk_err err = call->arena.failed ? SOUK_ENOMEM : SOUK_OK;
    if (!err)
        err = souk_intake_open(call->state, &call->arena, &call->diag, &delivery->intake);
    if (err) {
        souk_call_fail(call, err);
        return;
    }
    call->user = delivery;
    err = read_body(call, delivery, form);
    if (!err)
        err = souk_intake_submit(delivery->intake, answer, call);
    if (!err)
        return; /* answered when durable */
    souk_intake_free(delivery->intake);
    souk_collect_answer(call, err);
}

void souk_devices_counts(souk_call *call)
{
    take(call, &souk_foreign_counts);
}

void souk_devices_poslog(souk_call *call)
{
    take(call, &souk_foreign_poslog);
}

void souk_devices_form(souk_call *call)
{
    static const souk_foreign_form *const forms[] = {&souk_foreign_impinj, &souk_foreign_zebra,
                                                     &souk_foreign_counts, &souk_foreign_onvif,
                                                     &souk_foreign_frigate};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (souk_text_equal(call->parts[0], souk_text_of(forms[i]->name))) {
            take(call, forms[i]);
            return;
        }
    souk_diag_say(&call->diag, SOUK_ENOENT,
                  "there is no form of devices by this name: impinj, zebra, counts, onvif and "
                  "frigate are");
    souk_call_fail(call, SOUK_ENOENT);
}
