/* coupons.c - `souk coupons`: codes of a class, by the hundred thousand, into a file. */
#include "app/app.h"

souk_err app_coupons(const app_options *options, souk_diag *diag)
{
    souk_auto_value(souk_buf) body = {.mem = souk_mem_heap()};
    souk_auto_value(souk_buf) path = {.mem = souk_mem_heap()};
    souk_json_writer json = {.out = &body};
    const char *const *words = options->operands;
    uint64_t count;
    if (souk_text_to_u64(souk_text_of(words[1]), &count))
        return souk_diag_say(diag, SOUK_EINVAL,
                             "souk coupons CLASS COUNT FILE: '%s' is no number of codes", words[1]);
    SOUK_TRY(app_absolute(words[2], &path, diag));
    souk_json_write_object(&json);
    souk_json_put_words(&json, "kind", "coupons");
    souk_json_put_words(&json, "class", words[0]);
    souk_json_put_u64(&json, "count", count);
    souk_json_put_text(&json, "to", souk_buf_view(&path));
    souk_json_write_end(&json);
    SOUK_TRY(souk_json_write_check(&json));
    return app_job(options, "coupons", souk_buf_view(&body), diag);
}
