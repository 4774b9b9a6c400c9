/* import.c - `souk import FORMAT FILE`: a job where the owner is, resumable, and what the importer states. */
#include "app/app.h"

souk_err app_import(const app_options *options, souk_diag *diag)
{
    souk_auto_value(souk_buf) body = {.mem = souk_mem_heap()}, path = {.mem = souk_mem_heap()};
    souk_json_writer json = {.out = &body};
    if (options->operand_count != 2)
        return souk_diag_say(diag, SOUK_EINVAL, "souk import online-retail FILE");
    SOUK_TRY(app_absolute(options->operands[1], &path, diag));
    souk_json_write_object(&json);
    souk_json_write_key(&json, SOUK_TEXT("kind"));
    souk_json_write_text(&json, SOUK_TEXT("import"));
    souk_json_write_key(&json, SOUK_TEXT("format"));
    souk_json_write_text(&json, souk_text_of(options->operands[0]));
    souk_json_write_key(&json, SOUK_TEXT("file"));
    souk_json_write_text(&json, souk_buf_view(&path));
    souk_json_write_key(&json, SOUK_TEXT("source"));
    souk_json_write_text(&json,
                         souk_text_of(options->source ? options->source : options->operands[0]));
    app_write_statement(options, &json);
    souk_json_write_end(&json);
    SOUK_TRY(souk_json_write_check(&json));
    return app_job(options, "import", souk_buf_view(&body), diag);
}
