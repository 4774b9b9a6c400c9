/* foreign_poslog.c - a POSLog document of one body, as a form. */
#include "service/collect/foreign_poslog.h"

#include "service/collect/poslog.h"
#include "service/collect/tell.h"

static souk_err take(void *context, souk_text event, souk_text transaction, const souk_diag *fault)
{
    const souk_foreign *message = context;
    if (fault)
        return tell_refuse(message, transaction, fault);
    souk_json_write_raw(message->out, event);
    return SOUK_OK;
}

static souk_err tell_poslog(const souk_foreign *message)
{
    souk_auto(souk_poslog) poslog = NULL;
    souk_poslog_options options = {.each = take, .context = (void *)message};
    SOUK_TRY(souk_poslog_new(message->mem, &options, &poslog));
    return souk_poslog_feed(poslog, message->body, true, message->diag);
}

const souk_foreign_form souk_foreign_poslog = {.name = "poslog", .tell = tell_poslog};
