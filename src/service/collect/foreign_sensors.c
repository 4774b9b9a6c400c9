/* foreign_sensors.c - what the Sensors SDKs (神策) of web pages and mini programs send, as events.
 *
 *     data=eyJkaXN0aW5jdF9pZCI6…%3D&ext=crc%3D-1243537212           one record
 *     data_list=W3siZGlzdGluY3RfaWQi…%3D                             several
 *     gzip=1&data_list=H4sIAAAA…                                     the same, in gzip before base64
 *
 * as the text of a form, or of a query: the values in base64, percent-encoded, whatever the Content-Type.  crc is Java's
 * String.hashCode of the base64 letters.
 *
 *     type of the record              told
 *     track                           track under its own name; $pageview is a page, $MPViewScreen and $AppViewScreen a screen
 *     track_signup                    alias of original_id, and identify
 *     track_id_bind                   identify with what it binds
 *     profile_set, profile_set_once   identify, the properties as traits; email, phone under these names, too
 *     profile_increment, _append …    track "Profile Incremented", "Profile Appended", …: their values are changes and no
 *                                     traits; profile_delete comes from a page and erases nothing
 *     item_set, item_delete           track "Item Set", "Item Deleted" of nobody
 *     any other                       as it says: the reader of events refuses it with its reason
 *
 * Who      login_id is userId ("key+u-1" of a login under a key of its own is u-1); anonymous_id is anonymousId, or the id of
 *          cookie or mini program; union id, open id, phone and e-mail of identities are external ids.  Where anonymous_id is
 *          the open id, the mini program's own id takes its place
 * When     time, corrected by _flush_time as any other sender's (docs/collect.md)
 * Once     distinct_id, _track_id, time and event, which stay the same when it is sent again; a profile record has no
 *          _track_id, its properties stand in for it.  Without time and _track_id each record is new
 * What     properties keep their names; a price is a price in both vocabularies.  A record that is no object or lacks what an
 *          event needs never refuses its neighbours */
#include "service/collect/foreign_hook.h"
#include "service/collect/inflate.h"

#include "base/base64.h"
#include "base/url.h"

enum { JSON_BYTES = 16 << 20, RECORDS_MOST = 10000, IDENTITIES_BYTES = 4096 };

/* ---- the form ---------------------------------------------------------------------------------------- */

struct form {
    souk_text data, ext; /* decoded from percent signs only: a + is a letter of base64 */
    bool is_gzip;
};

static souk_err unescape(const souk_foreign *message, souk_text raw, souk_text *ret_text)
{
    char *to = souk_arena_get(message->arena, raw.bytes);
    if (message->arena->failed)
        return SOUK_ENOMEM;
    ret_text->at = to;
    if (souk_url_decode(raw, false, to, &ret_text->bytes))
        return souk_diag_say(message->diag, SOUK_EINVAL,
                             "a %% of data has no two hexadecimal digits behind it: encode the "
                             "value once, as encodeURIComponent does");
    return SOUK_OK;
}

static souk_err read_form(const souk_foreign *message, struct form *form)
{
    souk_text rest = souk_text_trim(message->body), key, value;
    while (souk_url_next(&rest, &key, &value)) {
        if (form->data.bytes == 0 && (souk_text_equal(key, SOUK_TEXT("data")) ||
                                      souk_text_equal(key, SOUK_TEXT("data_list"))))
            SOUK_TRY(unescape(message, value, &form->data));
        else if (souk_text_equal(key, SOUK_TEXT("ext")))
            SOUK_TRY(unescape(message, value, &form->ext));
        else if (souk_text_equal(key, SOUK_TEXT("gzip")))
            form->is_gzip = souk_text_equal(value, SOUK_TEXT("1"));
    }
    if (form->data.bytes == 0)
        return souk_diag_say(message->diag, SOUK_EINVAL,
                             "neither data nor data_list is there: send data=BASE64, as the "
                             "Sensors SDKs do");
    return SOUK_OK;
}

/* String.hashCode: s[0] * 31^(n-1) + … in 32 bits. */
static int32_t hash_code(souk_text text)
{
    uint32_t hash = 0;
    for (size_t i = 0; i < text.bytes; i++)
        hash = hash * 31 + (unsigned char)text.at[i];
    int32_t code;
    memcpy(&code, &hash, sizeof code);
    return code;
}

static souk_err check_crc(const souk_foreign *message, const struct form *form)
{
    souk_text rest = form->ext;
    while (rest.bytes) {
        souk_text value = souk_text_cut(&rest, '&'), key = souk_text_cut(&value, '=');
        if (!souk_text_equal(key, SOUK_TEXT("crc")))
            continue;
        char expected[16];
        souk_decimal code = {(int64_t)hash_code(form->data) * 1000000};
        char text[SOUK_DECIMAL_BYTES];
        size_t bytes = souk_decimal_write(code, text);
        memcpy(expected, text, bytes);
        if (!souk_text_equal(value, (souk_text){expected, bytes}))
            return souk_diag_say(message->diag, SOUK_EINVAL,
                                 "the crc of data is %.*s and not %.*s: it was damaged on its way, "
                                 "send it again as it was",
                                 (int)bytes, expected, (int)souk_min_size(value.bytes, 20),
                                 value.at ? value.at : "");
    }
    return SOUK_OK;
}

/* The JSON inside; `room` holds what was inflated. */
static souk_err open_data(const souk_foreign *message, const struct form *form, souk_buf *room,
                          souk_text *ret_json)
{
    souk_diag why = {.words = ""};
    char *bytes = souk_arena_get(message->arena, SOUK_BASE64_ROOM(form->data.bytes));
    if (message->arena->failed)
        return SOUK_ENOMEM;
    ret_json->at = bytes;
    if (souk_base64_decode(form->data, SOUK_BASE64_EITHER, bytes, &ret_json->bytes, &why))
        return souk_diag_say(message->diag, SOUK_EINVAL, "data is %s", why.words);
    if (!form->is_gzip && !souk_is_gzip(*ret_json))
        return SOUK_OK;
    souk_err err =
        souk_is_gzip(*ret_json) ? souk_inflate(*ret_json, JSON_BYTES, room) : SOUK_ESYNTAX;
    if (err == SOUK_ETOOBIG)
        return souk_diag_say(message->diag, err,
                             "data is above %d bytes inflated: send fewer records at once",
                             JSON_BYTES);
    if (err == SOUK_ESYNTAX)
        return souk_diag_say(message->diag, SOUK_EINVAL,
                             "data is no gzip, or damaged: compress it again, or leave gzip=1 out");
    *ret_json = souk_buf_view(room);
    return err;
}

/* ---- whose ---------------------------------------------------------------------------------------------- */

static bool ends(souk_text text, const char *with)
{
    size_t bytes = strlen(with);
    return text.bytes >= bytes && !memcmp(text.at + text.bytes - bytes, with, bytes);
}

static bool is_one_of(souk_text text, const char *const *words)
{
    for (; *words; words++)
        if (souk_text_equal(text, souk_text_of(*words)))
            return true;
    return false;
}

struct identities {
    souk_text login, anonymous, cookie, program, union_id, open_id, phone, email, device;
};

static void read_identities(const struct hook *hook, souk_json_node node, struct identities *to)
{
    static const char *const devices[] = {"$identity_android_id", "$identity_android_uuid",
                                          "$identity_idfv",       "$identity_ios_uuid",
                                          "$identity_oaid",       NULL};
    for (node = souk_json_first(&hook->doc, node); node != SOUK_JSON_NONE;
         node = souk_json_next(&hook->doc, node)) {
        souk_text key = souk_json_key(&hook->doc, node), value = hook_text(hook, node), *at = NULL;
        if (!souk_text_starts(key, SOUK_TEXT("$identity_")))
            continue;
        if (souk_text_equal(key, SOUK_TEXT("$identity_login_id")))
            at = &to->login;
        else if (souk_text_equal(key, SOUK_TEXT("$identity_anonymous_id")))
            at = &to->anonymous;
        else if (souk_text_equal(key, SOUK_TEXT("$identity_cookie_id")))
            at = &to->cookie;
        else if (souk_text_equal(key, SOUK_TEXT("$identity_mp_id")))
            at = &to->program;
        else if (ends(key, "_unionid"))
            at = &to->union_id;
        else if (ends(key, "_openid")) /* $identity_mp_openid, $identity_mp_APPID_openid */
            at = &to->open_id;
        else if (souk_text_equal(key, SOUK_TEXT("$identity_mobile")))
            at = &to->phone;
        else if (souk_text_equal(key, SOUK_TEXT("$identity_email")))
            at = &to->email;
        else if (is_one_of(key, devices))
            at = &to->device;
        if (at && at->bytes == 0)
            *at = value;
    }
}

/* A login under a key of its own is "key+u-1", and identities has "key":"u-1". */
static souk_text bare_login(const struct hook *hook, souk_json_node identities, souk_text login)
{
    souk_text rest = login, key = souk_text_cut(&rest, '+');
    souk_text named =
        hook_text(hook, souk_json_member(&hook->doc, identities, key.bytes ? key : login));
    return rest.bytes && souk_text_equal(named, rest) ? rest : login;
}

static struct hook_who who_of(const struct hook *hook, souk_json_node record)
{
    struct identities ids = {.login = {"", 0}};
    souk_json_node identities = hook_member(hook, record, "identities"),
                   properties = hook_member(hook, record, "properties"),
                   told = hook_member(hook, properties, "$is_login_id");
    souk_text distinct = hook_at(hook, record, "distinct_id");
    read_identities(hook, identities, &ids);
    struct hook_who who = {.phone = ids.phone, .email = ids.email, .device = ids.device};
    who.open = hook_or(ids.union_id, ids.open_id);
    who.user = hook_or(hook_at(hook, record, "login_id"), ids.login);
    if (who.user.bytes == 0 && souk_json_type(&hook->doc, told) == SOUK_JSON_TRUE)
        who.user = distinct;
    who.user = bare_login(hook, identities, who.user);
    who.anonymous = hook_or(hook_at(hook, record, "anonymous_id"), ids.anonymous);
    if (who.anonymous.bytes == 0 || souk_text_equal(who.anonymous, ids.open_id) ||
        souk_text_equal(who.anonymous, ids.union_id))
        who.anonymous = hook_or(ids.program, ids.cookie);
    if (who.anonymous.bytes == 0 && who.user.bytes == 0 && who.open.bytes == 0)
        who.anonymous = distinct;
    return who;
}

/* ---- when, and which ------------------------------------------------------------------------------------ */

/* Milliseconds since 1970 as a moment's text; empty where it is none. */
static souk_text moment(const struct hook *hook, souk_json_node record, const char *key)
{
    char text[SOUK_TIME_BYTES];
    uint64_t ms;
    if (souk_text_to_u64(hook_at(hook, record, key), &ms) || ms > SOUK_TIME_LAST)
        return SOUK_TEXT("");
    size_t bytes = souk_time_write((souk_time)ms, text);
    return (souk_text){souk_arena_copy(hook->message->arena, text, bytes), bytes};
}

/* "sensors/1767268800000/412129087/0123456789abcdef" */
static souk_text name_of(const struct hook *hook, souk_json_node record, const char *what)
{
    souk_text track = hook_at(hook, record, "_track_id"), time = hook_at(hook, record, "time");
    souk_json_node properties = hook_member(hook, record, "properties");
    souk_text parts[] = {hook_at(hook, record, "distinct_id"),
                         hook_at(hook, record, "type"),
                         hook_at(hook, record, "event"),
                         souk_text_of(what),
                         track.bytes ? SOUK_TEXT("") : souk_json_raw(&hook->doc, properties),
                         hook_at(hook, record, "item_id")};
    if (track.bytes == 0 && time.bytes == 0)
        return SOUK_TEXT("");
    souk_text digits = hook_digits(hook, parts, sizeof parts / sizeof *parts);
    souk_text name[] = {SOUK_TEXT("sensors"), time, track, {digits.at, 16}};
    return hook_name(hook, name, 4);
}

/* ---- telling -------------------------------------------------------------------------------------------- */

static void put_context(struct hook *hook, souk_json_node record)
{
    souk_json_node identities = hook_member(hook, record, "identities"),
                   properties = hook_member(hook, record, "properties");
    souk_text raw = souk_json_raw(&hook->doc, identities);
    if (raw.bytes <= IDENTITIES_BYTES)
        hook_put_node(hook, "identities", identities);
    else
        hook_leave_out(hook, SOUK_TEXT("identities"));
    if (hook_member(hook, properties, "$url") == SOUK_JSON_NONE)
        return;
    souk_json_put_object(hook->message->out, "page");
    hook_put(hook, "url", hook_at(hook, properties, "$url"));
    hook_put(hook, "path", hook_at(hook, properties, "$url_path"));
    hook_put(hook, "title", hook_at(hook, properties, "$title"));
    hook_put(hook, "referrer", hook_at(hook, properties, "$referrer"));
    souk_json_write_end(hook->message->out);
}

static void begin(struct hook *hook, souk_json_node record, const char *type, souk_text event,
                  const char *what)
{
    hook_begin(hook, type, event, name_of(hook, record, what), moment(hook, record, "time"));
    hook_put(hook, "sentAt", moment(hook, record, "_flush_time"));
}

static void put_who(struct hook *hook, souk_json_node record, const struct hook_who *who)
{
    hook_who_open(hook, who);
    put_context(hook, record);
    souk_json_write_end(hook->message->out);
}

static const char *const reserved[] = {"left_out", "left_out_more", NULL};

static void tell_track(struct hook *hook, souk_json_node record, const struct hook_who *who,
                       souk_text event)
{
    souk_json_node properties = hook_member(hook, record, "properties");
    const char *type = "track";
    if (souk_text_equal(event, SOUK_TEXT("$pageview")))
        type = "page";
    else if (souk_text_equal(event, SOUK_TEXT("$MPViewScreen")) ||
             souk_text_equal(event, SOUK_TEXT("$AppViewScreen")))
        type = "screen";
    bool is_view = type[0] != 't';
    begin(hook, record, type, is_view ? SOUK_TEXT("") : event, "");
    if (is_view)
        hook_put(
            hook, "name",
            hook_or(hook_at(hook, properties, "$title"), hook_at(hook, properties, "$url_path")));
    put_who(hook, record, who);
    hook_properties(hook, "properties");
    hook_rest(hook, properties, reserved);
    hook_end(hook);
}

static souk_text first_of(const struct hook *hook, souk_json_node object, const char *const *keys)
{
    souk_text found = SOUK_TEXT("");
    for (; *keys && found.bytes == 0; keys++)
        found = hook_at(hook, object, *keys);
    return found;
}

/* The properties of a profile record are traits; those of a sign-up describe the page. */
static void tell_identify(struct hook *hook, souk_json_node record, const struct hook_who *who,
                          bool has_traits)
{
    static const char *const told[] = {"email", "phone", "left_out", "left_out_more", NULL};
    static const char *const phones[] = {"phone",  "mobile",       "$mobile",
                                         "$phone", "phone_number", "phoneNumber",
                                         "tel",    "telephone",    NULL};
    static const char *const mails[] = {"email", "$email", "mail", "Email", "$mail", NULL};
    souk_json_node properties = hook_member(hook, record, "properties");
    souk_json_node traits = has_traits ? properties : SOUK_JSON_NONE;
    begin(hook, record, "identify", SOUK_TEXT(""), "identify");
    put_who(hook, record, who);
    hook_properties(hook, "traits");
    hook_put(hook, "email", hook_or(first_of(hook, traits, mails), who->email));
    hook_put(hook, "phone", hook_or(first_of(hook, traits, phones), who->phone));
    if (has_traits)
        hook_rest(hook, traits, told);
    hook_end(hook);
}

/* Its only anonymous id is the one before: of two the reader of events takes the first. */
static void tell_alias(struct hook *hook, souk_json_node record, struct hook_who who)
{
    who.anonymous = SOUK_TEXT("");
    begin(hook, record, "alias", SOUK_TEXT(""), "alias");
    hook_put(hook, "previousId", hook_at(hook, record, "original_id"));
    put_who(hook, record, &who);
    hook_properties(hook, "properties");
    hook_rest(hook, hook_member(hook, record, "properties"), reserved);
    hook_end(hook);
}

static void tell_item(struct hook *hook, souk_json_node record, souk_text event)
{
    static const char *const told[] = {"item_type", "item_id", "left_out", "left_out_more", NULL};
    struct hook_who nobody = {0};
    begin(hook, record, "track", event, "");
    put_who(hook, record, &nobody);
    hook_properties(hook, "properties");
    hook_put(hook, "item_type", hook_at(hook, record, "item_type"));
    hook_put(hook, "item_id", hook_at(hook, record, "item_id"));
    hook_rest(hook, hook_member(hook, record, "properties"), told);
    hook_end(hook);
}

/* What the reader of events will refuse, with its reason. */
static void tell_unknown(struct hook *hook, souk_json_node record, const struct hook_who *who,
                         souk_text type)
{
    begin(hook, record, "", hook_at(hook, record, "event"), "");
    hook_put(hook, "type", hook_join(hook, "Sensors ", type));
    put_who(hook, record, who);
    hook_properties(hook, "properties");
    hook_rest(hook, hook_member(hook, record, "properties"), reserved);
    hook_end(hook);
}

static const struct {
    const char *type, *event;
} changes[] = {
    {"profile_increment", "Profile Incremented"},
    {"profile_append", "Profile Appended"},
    {"profile_unset", "Profile Unset"},
    {"profile_delete", "Profile Deleted"},
    {"track_id_unbind", "$UnbindID"},
};

static void tell_record(struct hook *hook, souk_json_node record)
{
    souk_text type = hook_at(hook, record, "type"), event = hook_at(hook, record, "event");
    struct hook_who who = who_of(hook, record);
    souk_json_node lib = hook_member(hook, record, "lib");
    hook->library = hook_join(hook, "sensors ", hook_at(hook, lib, "$lib"));
    hook->version = hook_at(hook, lib, "$lib_version");
    if (souk_text_equal(type, SOUK_TEXT("track"))) {
        tell_track(hook, record, &who, event);
        return;
    }
    if (souk_text_equal(type, SOUK_TEXT("track_signup")))
        tell_alias(hook, record, who);
    if (souk_text_equal(type, SOUK_TEXT("track_signup")) ||
        souk_text_equal(type, SOUK_TEXT("track_id_bind")) ||
        souk_text_equal(type, SOUK_TEXT("profile_set")) ||
        souk_text_equal(type, SOUK_TEXT("profile_set_once"))) {
        tell_identify(hook, record, &who, type.at[0] == 'p');
        return;
    }
    if (souk_text_equal(type, SOUK_TEXT("item_set")) ||
        souk_text_equal(type, SOUK_TEXT("item_delete"))) {
        bool is_set = type.bytes == 8;
        tell_item(hook, record, is_set ? SOUK_TEXT("Item Set") : SOUK_TEXT("Item Deleted"));
        return;
    }
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        if (souk_text_equal(type, souk_text_of(changes[i].type))) {
            tell_track(hook, record, &who, souk_text_of(changes[i].event));
            return;
        }
    tell_unknown(hook, record, &who, type);
}

static souk_err tell_records(struct hook *hook)
{
    souk_json_node node = hook->root;
    bool is_list = souk_json_type(&hook->doc, node) == SOUK_JSON_ARRAY;
    if (is_list && souk_json_count(&hook->doc, node) > RECORDS_MOST)
        return souk_diag_say(hook->message->diag, SOUK_ETOOBIG,
                             "data_list has more than %d records: send fewer at once",
                             RECORDS_MOST);
    for (node = is_list ? souk_json_first(&hook->doc, node) : node; node != SOUK_JSON_NONE;
         node = is_list ? souk_json_next(&hook->doc, node) : SOUK_JSON_NONE)
        if (souk_json_type(&hook->doc, node) == SOUK_JSON_OBJECT)
            tell_record(hook, node);
        else
            souk_json_write_raw(hook->message->out, souk_json_raw(&hook->doc, node));
    return SOUK_OK;
}

static souk_err tell(const souk_foreign *message)
{
    struct form form = {.data = {"", 0}};
    struct hook hook;
    souk_foreign inside = *message;
    souk_auto_value(souk_buf) room = {.mem = message->mem};
    SOUK_TRY(read_form(message, &form));
    SOUK_TRY(check_crc(message, &form));
    SOUK_TRY(open_data(message, &form, &room, &inside.body));
    souk_err err = hook_read(&hook, &inside, "the Sensors SDK");
    if (!err)
        err = tell_records(&hook);
    hook_close(&hook);
    return err ? err : message->arena->failed ? SOUK_ENOMEM : SOUK_OK;
}

const souk_foreign_form souk_foreign_sensors = {.name = "sensors", .tell = tell};
