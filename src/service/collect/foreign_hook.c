/* foreign_hook.c - reading and telling for the forms of hooks and SDKs (foreign_hook.h). */
#include "service/collect/foreign_hook.h"

#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>

souk_err hook_refuse(const struct hook *hook, const char *words)
{
    return souk_diag_say(hook->message->diag, SOUK_EINVAL, "%s", words);
}

souk_err hook_read(struct hook *hook, const souk_foreign *message, const char *sender)
{
    souk_json_limits limits = {.values = 1 << 20, .depth = 48};
    souk_diag why = {.words = ""};
    *hook = (struct hook){.message = message, .sender = sender, .doc = {.mem = message->mem}};
    souk_err err = souk_json_read(&hook->doc, message->body, &limits, &why);
    if (err == SOUK_ESYNTAX || err == SOUK_ETOOBIG)
        return souk_diag_say(message->diag, err == SOUK_ESYNTAX ? SOUK_EINVAL : err,
                             "the body is no JSON that can be read (line %" PRIu64
                             ", column %" PRIu64 ", %s): send it as %s made it",
                             why.line, why.column, souk_diag_words(&why, err), sender);
    SOUK_TRY(err);
    hook->root = souk_json_root(&hook->doc);
    return SOUK_OK;
}

souk_err hook_open(struct hook *hook, const souk_foreign *message, const char *sender)
{
    SOUK_TRY(hook_read(hook, message, sender));
    if (souk_json_type(&hook->doc, hook->root) != SOUK_JSON_OBJECT)
        return souk_diag_say(message->diag, SOUK_EINVAL,
                             "the body is no JSON object: send it as %s made it", sender);
    return SOUK_OK;
}

void hook_close(struct hook *hook)
{
    souk_json_doc_done(&hook->doc);
}

/* ---- looking --------------------------------------------------------------------------------------- */

souk_json_node hook_member(const struct hook *hook, souk_json_node object, const char *key)
{
    return souk_json_member(&hook->doc, object, souk_text_of(key));
}

souk_text hook_text(const struct hook *hook, souk_json_node node)
{
    souk_text text;
    souk_json_kind kind = souk_json_type(&hook->doc, node);
    if (kind == SOUK_JSON_NUMBER)
        return souk_json_raw(&hook->doc, node);
    if (kind != SOUK_JSON_STRING || souk_json_text(&hook->doc, node, hook->message->arena, &text))
        return SOUK_TEXT("");
    return text;
}

souk_text hook_at(const struct hook *hook, souk_json_node object, const char *key)
{
    return hook_text(hook, hook_member(hook, object, key));
}

souk_text hook_join(const struct hook *hook, const char *before, souk_text id)
{
    size_t bytes = strlen(before);
    if (id.bytes == 0 || id.bytes > SOUK_ID_BYTES)
        return SOUK_TEXT("");
    char *to = souk_arena_get(hook->message->arena, bytes + id.bytes);
    memcpy(to, before, bytes);
    memcpy(to + bytes, id.at, id.bytes);
    return (souk_text){to, bytes + id.bytes};
}

souk_err hook_add(const struct hook *hook, souk_text money, souk_decimal *sum)
{
    souk_decimal more;
    if (souk_decimal_read(money, &more, NULL) || souk_decimal_add(*sum, more, sum))
        return souk_diag_say(hook->message->diag, SOUK_EINVAL,
                             "'%.*s' is no amount, or does not fit: send it as 12.34",
                             (int)souk_min_size(money.bytes, 40), money.at ? money.at : "");
    return SOUK_OK;
}

souk_err hook_negate(const struct hook *hook, souk_decimal *money)
{
    if (souk_decimal_mul_int(*money, -1, money))
        return hook_refuse(hook, "an amount does not fit: send it as 12.34");
    return SOUK_OK;
}

souk_text hook_money(const struct hook *hook, souk_decimal money)
{
    char text[SOUK_DECIMAL_BYTES];
    size_t bytes = souk_decimal_write(money, text);
    return (souk_text){souk_arena_copy(hook->message->arena, text, bytes), bytes};
}

souk_text hook_digits(const struct hook *hook, const souk_text *parts, size_t count)
{
    static const souk_hash_key key = {"hook's own print"};
    souk_hash128 hash = souk_hash128_of(&key, parts, count);
    char text[33];
    snprintf(text, sizeof text, "%016" PRIx64 "%016" PRIx64, hash.high, hash.low);
    return (souk_text){souk_arena_copy(hook->message->arena, text, 32), 32};
}

souk_text hook_print(const struct hook *hook)
{
    souk_text digits = hook_digits(hook, &hook->message->body, 1);
    return (souk_text){digits.at, 16};
}

souk_text hook_name(const struct hook *hook, const souk_text *parts, size_t count)
{
    char text[HOOK_ID_BYTES];
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].bytes + 1 > sizeof text - bytes)
            return hook_digits(hook, parts, count);
        if (i)
            text[bytes++] = '/';
        memcpy(text + bytes, parts[i].at, parts[i].bytes);
        bytes += parts[i].bytes;
    }
    return (souk_text){souk_arena_copy(hook->message->arena, text, bytes), bytes};
}

/* ---- telling --------------------------------------------------------------------------------------- */

static size_t told_bytes(const struct hook *hook)
{
    return hook->message->out->out->bytes - hook->began;
}

void hook_put(struct hook *hook, const char *key, souk_text text)
{
    if (text.bytes == 0)
        return;
    souk_json_write_key(hook->message->out, souk_text_of(key));
    souk_json_write_text(hook->message->out, text);
}

void hook_begin(struct hook *hook, const char *type, souk_text event, souk_text message_id,
                souk_text timestamp)
{
    char text[SOUK_TIME_BYTES];
    souk_time at;
    hook->began = hook->message->out->out->bytes;
    hook->left_out_count = 0;
    souk_json_write_object(hook->message->out);
    hook_put(hook, "type", souk_text_of(type));
    hook_put(hook, "event", event);
    hook_put(hook, "messageId", message_id);
    if (souk_time_read(timestamp, NULL, &at) == SOUK_OK)
        hook_put(hook, "timestamp", (souk_text){text, souk_time_write(at, text)});
}

static bool is_id(souk_id_kind kind, souk_text value)
{
    char room[SOUK_ID_BYTES];
    souk_text normal;
    return value.bytes && souk_id_normalise(kind, value, room, &normal) == SOUK_OK;
}

static void put_external(struct hook *hook, souk_id_kind kind, souk_text id)
{
    if (!is_id(kind, id))
        return;
    souk_json_write_object(hook->message->out);
    hook_put(hook, "type", souk_text_of(souk_id_word(kind)));
    hook_put(hook, "id", id);
    souk_json_write_end(hook->message->out);
}

void hook_who_open(struct hook *hook, const struct hook_who *who)
{
    souk_json_writer *out = hook->message->out;
    if (is_id(SOUK_ID_USER, who->user))
        hook_put(hook, "userId", who->user);
    if (is_id(SOUK_ID_ANONYMOUS, who->anonymous))
        hook_put(hook, "anonymousId", who->anonymous);
    souk_json_put_object(out, "context");
    souk_json_put_array(out, "externalIds");
    put_external(hook, SOUK_ID_PHONE, who->phone);
    put_external(hook, SOUK_ID_EMAIL, who->email);
    put_external(hook, SOUK_ID_OPEN, who->open);
    put_external(hook, SOUK_ID_DEVICE, who->device);
    souk_json_write_end(out);
    souk_json_put_object(out, "library");
    hook_put(hook, "name", hook_or(hook->library, souk_text_of(hook->sender)));
    hook_put(hook, "version", hook->version);
    souk_json_write_end(out);
}

void hook_who(struct hook *hook, const struct hook_who *who)
{
    hook_who_open(hook, who);
    souk_json_write_end(hook->message->out);
}

void hook_properties(struct hook *hook, const char *key)
{
    souk_json_write_key(hook->message->out, souk_text_of(key));
    souk_json_write_object(hook->message->out);
}

bool hook_put_line(struct hook *hook, const struct hook_line *line)
{
    size_t bytes = 250 + line->name.bytes * 2 + line->variant.bytes * 2 + line->brand.bytes * 2 +
                   line->sku.bytes * 2 + line->category.bytes * 2;
    if (told_bytes(hook) + bytes > HOOK_PRODUCTS_BYTES)
        return false;
    souk_json_write_object(hook->message->out);
    hook_put(hook, "product_id", line->product_id);
    hook_put(hook, "variant_id", line->variant_id);
    hook_put(hook, "variant", line->variant);
    hook_put(hook, "sku", line->sku);
    hook_put(hook, "name", line->name);
    hook_put(hook, "brand", line->brand);
    hook_put(hook, "category", line->category);
    hook_put(hook, "price", line->price);
    hook_put(hook, "quantity", line->quantity);
    hook_put(hook, "discount", line->discount);
    hook_put(hook, "line_id", line->line_id);
    souk_json_write_end(hook->message->out);
    return true;
}

static bool is_among(souk_text name, const char *const *names)
{
    for (; *names; names++)
        if (souk_text_equal(name, souk_text_of(*names)))
            return true;
    return false;
}

void hook_leave_out(struct hook *hook, souk_text key)
{
    if (hook->left_out_count < HOOK_LEFT_OUT)
        hook->left_out[hook->left_out_count] = (souk_text){key.at, souk_min_size(key.bytes, 40)};
    hook->left_out_count++;
}

/* Whether it may be told: else it is left out. */
static bool has_room(struct hook *hook, souk_text key, souk_text raw)
{
    if (told_bytes(hook) + raw.bytes + 6 * key.bytes + 8 <= HOOK_EVENT_BYTES - 1500)
        return true;
    hook_leave_out(hook, key);
    return false;
}

void hook_put_node(struct hook *hook, const char *key, souk_json_node node)
{
    souk_text raw = souk_json_raw(&hook->doc, node);
    if (raw.bytes == 0 || !has_room(hook, souk_text_of(key), raw))
        return;
    souk_json_write_key(hook->message->out, souk_text_of(key));
    souk_json_write_raw(hook->message->out, raw);
}

void hook_rest(struct hook *hook, souk_json_node object, const char *const *told)
{
    souk_json_writer *out = hook->message->out;
    for (souk_json_node node = souk_json_first(&hook->doc, object); node != SOUK_JSON_NONE;
         node = souk_json_next(&hook->doc, node)) {
        souk_text key, raw = souk_json_raw(&hook->doc, node);
        if (souk_json_key_text(&hook->doc, node, hook->message->arena, &key) ||
            is_among(key, told) || souk_text_equal(raw, SOUK_TEXT("null")) ||
            souk_text_equal(raw, SOUK_TEXT("\"\"")))
            continue;
        if (!has_room(hook, key, raw))
            continue;
        souk_json_write_key(out, key);
        souk_json_write_raw(out, raw);
    }
}

static void put_left_out(struct hook *hook)
{
    souk_json_writer *out = hook->message->out;
    size_t named = souk_min_size(hook->left_out_count, HOOK_LEFT_OUT);
    if (named == 0)
        return;
    souk_json_put_array(out, "left_out");
    size_t i = 0;
    for (; i < named && told_bytes(hook) < HOOK_EVENT_BYTES; i++)
        souk_json_write_text(out, hook->left_out[i]);
    souk_json_write_end(out);
    if (i == hook->left_out_count)
        return;
    souk_json_put_u64(out, "left_out_more", hook->left_out_count - i);
}

void hook_end(struct hook *hook)
{
    put_left_out(hook);
    souk_json_write_end(hook->message->out);
    souk_json_write_end(hook->message->out);
}
