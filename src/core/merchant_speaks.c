/* merchant_speaks.c - for whom a source speaks: set by its merchant, heard with the next event (merchant.h). */
#include "core/merchant_private.h"

struct setting {
    uint32_t merchant, source;
    souk_text name;
    souk_speaks speaks;
};

static souk_err set_speaks(souk_tx *tx, void *context)
{
    struct setting *setting = context;
    int64_t source;
    SOUK_TRY(souk_sql_one_int(
        tx, "SELECT source FROM source_name WHERE merchant = ?1 AND name = ?2",
        SOUK_VALUES(SOUK_INT(setting->merchant), SOUK_STR(setting->name)), &source));
    setting->source = (uint32_t)source;
    return souk_spine_change_speaks(tx, setting->source, setting->speaks);
}

souk_err souk_merchants_speaks(souk_merchants *merchants, uint32_t merchant, souk_text source,
                               souk_speaks speaks)
{
    struct setting setting = {.merchant = merchant, .name = source, .speaks = speaks};
    souk_assert(speaks != SOUK_SPEAKS_USUAL);
    souk_auto_lock(&merchants->changes);
    SOUK_TRY(souk_ledger_write(souk_spine_ledger(merchants->spine), SOUK_LANE_INGEST, set_speaks,
                               &setting));
    souk_spine_know_speaks(merchants->spine, setting.source, speaks);
    return SOUK_OK;
}
