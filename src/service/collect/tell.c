/* tell.c - writing of tell.h into the open array, and its readings. */
#include "service/collect/tell.h"

#include "base/hash.h"

#include <stdio.h>

souk_text tell_name(const souk_foreign *message, const char *form, const souk_text *parts,
                    size_t count)
{
    static const souk_hash_key open_key = {
        {0}}; /* a name is no secret, and the same on every machine */
    souk_hash128 hash = souk_hash128_of(&open_key, parts, count);
    char *name = souk_arena_get(message->arena, 64);
    int bytes = snprintf(name, 64, "%.24s/", form);
    souk_hex(&hash, sizeof hash, name + bytes);
    return (souk_text){name, (size_t)bytes + 2 * sizeof hash};
}

void tell_open(const souk_foreign *message, const char *form, const char *event, souk_text name,
               souk_time at)
{
    souk_json_writer *out = message->out;
    char text[SOUK_TIME_BYTES];
    souk_json_write_object(out);
    souk_json_put_text(out, "type", SOUK_TEXT("track"));
    souk_json_put_text(out, "event", souk_text_of(event));
    if (name.bytes)
        souk_json_put_text(out, "messageId", name);
    souk_json_put_text(out, "timestamp", (souk_text){text, souk_time_write(at, text)});
    souk_json_put_object(out, "context");
    souk_json_put_object(out, "library");
    souk_json_put_text(out, "name", souk_text_of(form));
    souk_json_write_end(out);
    souk_json_write_end(out);
    souk_json_put_object(out, "properties");
    tell_text(message, "store_id", message->store);
}

void tell_close(const souk_foreign *message)
{
    souk_json_write_end(message->out);
    souk_json_write_end(message->out);
}

void tell_text(const souk_foreign *message, const char *key, souk_text text)
{
    if (text.bytes)
        souk_json_put_text(message->out, key, text);
}

void tell_count(const souk_foreign *message, const char *key, uint64_t count)
{
    souk_json_write_key(message->out, souk_text_of(key));
    souk_json_write_u64(message->out, count);
}

void tell_time(const souk_foreign *message, const char *key, souk_time at)
{
    char text[SOUK_TIME_BYTES];
    souk_json_put_text(message->out, key, (souk_text){text, souk_time_write(at, text)});
}

/* ---- reading --------------------------------------------------------------------------------------- */

souk_text tell_read(const souk_foreign *message, const souk_json_doc *doc, souk_json_node node)
{
    souk_text text = {"", 0};
    switch (souk_json_type(doc, node)) {
    case SOUK_JSON_NUMBER:
    case SOUK_JSON_TRUE:
    case SOUK_JSON_FALSE:
        return souk_json_raw(doc, node);
    case SOUK_JSON_STRING:
        if (souk_json_text(doc, node, message->arena, &text) == SOUK_OK)
            return text;
        return (souk_text){"", 0};
    default:
        return text;
    }
}

souk_text tell_member(const souk_foreign *message, const souk_json_doc *doc, souk_json_node object,
                      const char *key)
{
    return tell_read(message, doc, souk_json_member(doc, object, souk_text_of(key)));
}

/* A number from here on would be seconds in the year 5138, and is milliseconds from 1973. */
static const int64_t milliseconds_from = 100000000000;

bool tell_read_time(souk_text text, souk_time *ret_time)
{
    souk_decimal seconds;
    souk_time at;
    if (text.bytes > 64 || text.bytes == 0)
        return false;
    if (souk_time_read(text, NULL, &at) == SOUK_OK) {
        *ret_time = at;
        return true;
    }
    uint64_t whole;
    if (souk_text_to_u64(text, &whole) == SOUK_OK && whole >= (uint64_t)milliseconds_from) {
        at = (souk_time)souk_min_size(whole, INT64_MAX);
    } else {
        if (souk_decimal_read(text, &seconds, NULL) || seconds.micro <= 0)
            return false;
        at = seconds.micro / 1000;
        if (at >= 1000 * milliseconds_from) /* they were milliseconds with decimals */
            at /= 1000;
    }
    if (at > SOUK_TIME_LAST)
        return false;
    *ret_time = at;
    return true;
}

souk_err tell_refuse(const souk_foreign *message, souk_text part, const souk_diag *fault)
{
    if (message->refuse)
        return message->refuse(message, part, fault);
    return souk_diag_say(message->diag, SOUK_EINVAL, "%s", fault->words);
}
