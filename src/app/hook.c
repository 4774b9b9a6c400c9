/* hook.c - `souk hook`: the routes of service/collect/hooks.h as words. */
#include "app/app.h"

#include <stdio.h>

enum { SECRET_FILE_BYTES = 4096 };

static souk_err call(const app_options *options, const char *method, const char *path,
                     souk_text body, souk_diag *diag)
{
    souk_auto_value(souk_buf) answer = {.mem = souk_mem_heap(), .limit_bytes = (size_t)16 << 20};
    SOUK_TRY(app_call(options, method, path, body, &answer, diag));
    app_print(options, souk_buf_view(&answer));
    return SOUK_OK;
}

/* What the file holds, without the line end that an editor puts there; "-" is standard input. */
static souk_err read_secret(const char *path, char room[SECRET_FILE_BYTES], souk_text *ret_secret,
                            souk_diag *diag)
{
    bool is_input = !strcmp(path, "-");
    FILE *file = is_input ? stdin : fopen(path, "re");
    if (!file)
        return souk_diag_say(diag, SOUK_ENOENT,
                             "%s cannot be read: put the secret into a file of its own", path);
    size_t bytes = fread(room, 1, SECRET_FILE_BYTES, file);
    bool failed = ferror(file);
    if (!is_input)
        fclose(file);
    if (failed || bytes == SECRET_FILE_BYTES)
        return souk_diag_say(diag, failed ? SOUK_EIO : SOUK_ETOOBIG,
                             "%s holds no secret: put nothing else into the file", path);
    while (bytes && (room[bytes - 1] == '\n' || room[bytes - 1] == '\r'))
        bytes--;
    *ret_secret = (souk_text){room, bytes};
    return SOUK_OK;
}

static void write_member(souk_json_writer *json, const char *key, souk_text text)
{
    souk_json_write_key(json, souk_text_of(key));
    souk_json_write_text(json, text);
}

static souk_err add(const app_options *options, souk_diag *diag)
{
    souk_auto_value(souk_buf) body = {.mem = souk_mem_heap()};
    souk_json_writer json = {.out = &body};
    char room[SECRET_FILE_BYTES];
    souk_text secret;
    if (!options->secret_file)
        return souk_diag_say(
            diag, SOUK_EINVAL,
            "the secret comes from a file, not from the command line, which others "
            "can see: --secret-file FILE");
    SOUK_TRY(read_secret(options->secret_file, room, &secret, diag));
    souk_json_write_object(&json);
    write_member(&json, "form", souk_text_of(options->operands[1]));
    write_member(&json, "source", souk_text_of(options->operands[2]));
    write_member(&json, "secret", secret);
    app_write_statement(options, &json);
    souk_json_write_end(&json);
    souk_err err = souk_json_write_check(&json);
    if (!err)
        err = call(options, "POST", "/v1/hooks", souk_buf_view(&body), diag);
    explicit_bzero(room, sizeof room);
    explicit_bzero(body.at, body.bytes);
    return err;
}

souk_err app_hooks(const app_options *options, souk_diag *diag)
{
    const char *verb = options->operands[0];
    char path[60];
    uint64_t id;
    if (options->operand_count == 1 && !strcmp(verb, "list"))
        return call(options, "GET", "/v1/hooks", SOUK_TEXT(""), diag);
    if (options->operand_count == 3 && !strcmp(verb, "add"))
        return add(options, diag);
    if (options->operand_count != 2 || strcmp(verb, "remove") != 0)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "souk hook list, souk hook add shopify|woocommerce NAME --secret-file "
                             "FILE, or souk hook remove ID");
    if (souk_text_to_u64(souk_text_of(options->operands[1]), &id))
        return souk_diag_say(diag, SOUK_EINVAL, "'%s' is no id: see `souk hook list`",
                             options->operands[1]);
    snprintf(path, sizeof path, "/v1/hooks/%llu", (unsigned long long)id);
    return call(options, "DELETE", path, SOUK_TEXT(""), diag);
}
