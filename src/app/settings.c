/* settings.c - values out of the file, the environment and the flags, and what is wrong with them.
 *
 * toml.h stops at the first mistake; an operator wants all of them.  So a line that does not parse is
 * noted, blanked, and the file read again.  A [table] that does not parse would put the keys below it
 * into the table above: there the reading ends. */
#include "app/settings.h"

#include "base/log.h"
#include "base/nearest.h"
#include "base/toml.h"
#include "os/socket.h"
#include "serve/mqtt.h"
#include "serve/target.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

const app_setting app_setting_table[APP_SETTINGS] = {
#define APP_SETTING_ROW(id, name, kind, usual, least, most, unit, purpose) \
    {name, APP_KIND_##kind, usual, least, most, unit, purpose},
    APP_SETTING_TABLE(APP_SETTING_ROW)
#undef APP_SETTING_ROW
};

/* What must hold between two of them: `high` is at least `times` of `low`. */
static const struct rule {
    app_setting_id high;
    int64_t times;
    app_setting_id low;
    const char *why;
} rules[] = {
    {APP_SPINE_QUEUE_EVENTS, 1, APP_LIMITS_BATCH_EVENTS, "a batch waits as a whole"},
    {APP_SPINE_QUEUE_EVENTS, 1, APP_SPINE_GROUP_EVENTS, "a group gathers in the queue"},
};

/* What is under way: the value in hand and where it came from. */
struct loading {
    souk_mem *mem;
    app_settings *settings;
    app_mistakes *mistakes;
    const char *file;
    app_origin origin;
    const char *where;
    char spelling[APP_SPELLING_BYTES]; /* of the variable or flag in hand, for `where` */
    uint64_t line, column;
};

/* ---- words ------------------------------------------------------------------------------------- */

const char *app_origin_word(app_origin origin)
{
    static const char *const words[] = {"default", "file", "environment", "flag"};
    return words[origin];
}

static void spell(app_setting_id id, const char *before, bool upper, char between, char *to)
{
    int bytes = snprintf(to, APP_SPELLING_BYTES, "%s%s", before, app_setting_table[id].name);
    souk_assert(bytes > 0 && bytes < APP_SPELLING_BYTES);
    for (char *at = to + strlen(before); *at; at++) {
        if (*at == '.' || *at == '_')
            *at = between;
        else if (upper && *at >= 'a' && *at <= 'z')
            *at = (char)(*at - 32);
    }
}

bool app_setting_is_live(app_setting_id id)
{
    return id == APP_LOG_LEVEL || id == APP_DRAIN_S;
}

void app_setting_flag(app_setting_id id, char to[APP_SPELLING_BYTES])
{
    spell(id, "--", false, '-', to);
}

void app_setting_variable(app_setting_id id, char to[APP_SPELLING_BYTES])
{
    spell(id, "SOUK_", true, '_', to);
}

void app_mistake_write(const app_mistake *mistake, souk_buf *out)
{
    souk_buf_print(out, "%s:", mistake->where);
    if (mistake->line)
        souk_buf_print(out, "%llu:%llu:", (unsigned long long)mistake->line,
                       (unsigned long long)souk_max_size(mistake->column, 1));
    souk_buf_print(out, " %s", mistake->words);
}

/* Those of the file stay in the order of its lines; above the ceiling the last ones give way. */
static souk_err wrong(struct loading *my, const char *format, ...) SOUK_PRINTF(2, 3);
static souk_err wrong(struct loading *my, const char *format, ...)
{
    app_mistakes *mistakes = my->mistakes;
    app_mistake mistake = {.line = my->line, .column = my->column};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(mistake.words, sizeof mistake.words, format, arguments);
    va_end(arguments);
    snprintf(mistake.where, sizeof mistake.where, "%s", my->where);
    size_t place = mistakes->count;
    while (my->line && place && mistakes->at[place - 1].line > my->line)
        place--;
    if (place == APP_MISTAKES)
        return SOUK_EINVAL;
    mistakes->count += mistakes->count < APP_MISTAKES;
    memmove(&mistakes->at[place + 1], &mistakes->at[place],
            (mistakes->count - place - 1) * sizeof mistake);
    mistakes->at[place] = mistake;
    return SOUK_EINVAL;
}

/* ---- one value --------------------------------------------------------------------------------- */

static void set(struct loading *my, app_setting_id id, souk_text text, int64_t number)
{
    app_value *value = &my->settings->values[id];
    souk_assert(text.bytes < sizeof value->text);
    memcpy(value->text, text.at, text.bytes);
    value->text[text.bytes] = '\0';
    value->number = number;
    value->origin = my->origin;
    value->line = my->line;
    value->column = my->column;
}

static souk_err wrong_count(struct loading *my, app_setting_id id, souk_text text)
{
    const app_setting *setting = &app_setting_table[id];
    return wrong(
        my, "%s is %.*s, and must be a whole number from %lld to %lld (%s); the default is %s",
        setting->name, (int)souk_min_size(text.bytes, 60), text.at, (long long)setting->least,
        (long long)setting->most, setting->unit, setting->usual);
}

static souk_err take_count(struct loading *my, app_setting_id id, int64_t number)
{
    const app_setting *setting = &app_setting_table[id];
    char plain[24]; /* without the zeros that may stand before it */
    souk_text text = {plain, (size_t)snprintf(plain, sizeof plain, "%lld", (long long)number)};
    if (number < setting->least || number > setting->most)
        return wrong_count(my, id, text);
    set(my, id, text, number);
    return SOUK_OK;
}

static souk_err check_networks(struct loading *my, const app_setting *setting, souk_text text)
{
    souk_target_allowed allowed;
    souk_diag diag = {.words = ""};
    souk_err err = SOUK_OK;
    if (setting->kind == APP_KIND_NETWORKS)
        err =
            souk_inet_ranges_read(text, allowed.ranges, SOUK_TARGET_RANGES, &allowed.count, &diag);
    return err ? wrong(my, "%s: %s", setting->name, diag.words) : SOUK_OK;
}

static souk_err check_mqtt(struct loading *my, const app_setting *setting, souk_text text)
{
    souk_mqtt_topic topics[SOUK_MQTT_TOPICS];
    souk_diag diag = {.words = ""};
    size_t count;
    souk_err err = SOUK_OK;
    if (setting->kind == APP_KIND_BROKER && text.bytes)
        err = souk_mqtt_check_broker(text, &diag);
    if (setting->kind == APP_KIND_TOPICS)
        err = souk_mqtt_topics_read(text, topics, &count, &diag);
    return err ? wrong(my, "%s: %s", setting->name, diag.words) : SOUK_OK;
}

static souk_err check_words(struct loading *my, app_setting_id id, souk_text text)
{
    const app_setting *setting = &app_setting_table[id];
    char ended[APP_SETTING_BYTES];
    souk_log_level level;
    souk_diag diag = {.words = ""};
    if (text.bytes >= sizeof ended || memchr(text.at, 0, text.bytes))
        return wrong(my, "%s is longer than %d bytes, or holds a NUL", setting->name,
                     APP_SETTING_BYTES - 1);
    memcpy(ended, text.at, text.bytes);
    ended[text.bytes] = '\0';
    if (setting->kind == APP_KIND_ADDRESS && souk_socket_check(ended, &diag))
        return wrong(my, "%s: %s; the default is %s", setting->name,
                     souk_diag_words(&diag, SOUK_EINVAL), setting->usual);
    if (setting->kind == APP_KIND_LEVEL && souk_log_level_read(text, &level))
        return wrong(my, "%s is '%s', and must be debug, info, warn, error or off", setting->name,
                     ended);
    SOUK_TRY(check_networks(my, setting, text));
    return check_mqtt(my, setting, text);
}

/* A value as the environment, a flag or the table writes it. */
static souk_err take_text(struct loading *my, app_setting_id id, souk_text text)
{
    uint64_t number = 0;
    if (app_setting_table[id].kind == APP_KIND_COUNT) {
        if (text.bytes > 18 || souk_text_to_u64(text, &number))
            return wrong_count(my, id, text.bytes ? text : SOUK_TEXT("empty"));
        return take_count(my, id, (int64_t)number);
    }
    SOUK_TRY(check_words(my, id, text));
    set(my, id, text, 0);
    return SOUK_OK;
}

/* ---- the file ---------------------------------------------------------------------------------- */

static bool find(souk_text name, app_setting_id *ret_id)
{
    for (int id = 0; id < APP_SETTINGS; id++)
        if (souk_text_equal(name, souk_text_of(app_setting_table[id].name))) {
            *ret_id = (app_setting_id)id;
            return true;
        }
    return false;
}

/* "body_bytes" of "limits.body_bytes". */
static souk_text last_part(souk_text name)
{
    for (size_t i = name.bytes; i > 0; i--)
        if (name.at[i - 1] == '.')
            return (souk_text){name.at + i, name.bytes - i};
    return name;
}

/* The one with this key in another table first: whoever takes away the # of a key forgets its table's. */
static const char *suggest(souk_text name)
{
    souk_nearest near = {.word = name};
    for (int id = 0; id < APP_SETTINGS; id++) {
        const char *known = app_setting_table[id].name;
        if (souk_text_equal(last_part(name), last_part(souk_text_of(known))))
            return known;
        souk_nearest_try(&near, known);
    }
    return near.best;
}

static void wrong_name(struct loading *my, souk_text name)
{
    const char *near = suggest(name);
    size_t table_bytes = near ? strlen(near) - last_part(souk_text_of(near)).bytes : 0;
    if (!near)
        (void)wrong(my, "there is no setting %.*s: `souk config show` lists them all",
                    SOUK_TEXT_PRINT(name));
    else if (table_bytes)
        (void)wrong(my, "there is no setting %.*s: do you mean %s, below the line [%.*s]?",
                    SOUK_TEXT_PRINT(name), near, (int)table_bytes - 1, near);
    else
        (void)wrong(my, "there is no setting %.*s: do you mean %s, above the first [table]?",
                    SOUK_TEXT_PRINT(name), near);
}

static void take_from_file(struct loading *my, const souk_toml_value *value)
{
    app_setting_id id;
    my->line = value->line;
    my->column = value->key_column;
    if (!find(value->path, &id)) {
        wrong_name(my, value->path);
        return;
    }
    my->column = value->column;
    bool count = app_setting_table[id].kind == APP_KIND_COUNT;
    if (count && value->kind == SOUK_TOML_INT) {
        (void)take_count(my, id, value->number);
    } else if (!count && value->kind == SOUK_TOML_TEXT) {
        (void)take_text(my, id, value->text);
    } else if (count) {
        (void)wrong_count(my, id,
                          value->kind == SOUK_TOML_TEXT ? SOUK_TEXT("a text")
                                                        : SOUK_TEXT("no whole number"));
    } else {
        (void)wrong(my, "%s must be a text in quotes, such as \"%s\"", app_setting_table[id].name,
                    app_setting_table[id].usual);
    }
}

/* The bytes from the start of line `number` (from 1). */
static souk_text line_at(souk_text all, uint64_t number)
{
    while (--number)
        (void)souk_text_cut(&all, '\n');
    return all;
}

/* Notes what does not parse and takes it out of the bytes; false: nothing more can be read. */
static bool take_out(struct loading *my, souk_buf *bytes, const souk_diag *diag)
{
    souk_text rest = line_at(souk_buf_view(bytes), diag->line), below = rest;
    souk_text line = souk_text_cut(&below, '\n');
    bool table = souk_text_starts(souk_text_trim(line), SOUK_TEXT("["));
    my->line = diag->line;
    my->column = diag->column;
    (void)wrong(my, "%s%s", diag->words, table ? " (what stands below it was not looked at)" : "");
    size_t from = (size_t)(rest.at - bytes->at);
    memset(bytes->at + from, ' ', line.bytes);
    if (table)
        bytes->bytes = from;
    return my->mistakes->count < APP_MISTAKES;
}

static souk_err read_toml(struct loading *my, souk_buf *bytes, souk_toml **ret_toml)
{
    for (;;) {
        souk_diag diag = {.words = ""};
        souk_err err = souk_toml_read(my->mem, souk_buf_view(bytes), ret_toml, &diag);
        if (err == SOUK_OK || err == SOUK_ENOMEM)
            return err;
        if (!diag.line)
            return wrong(my, "%s", souk_diag_words(&diag, err));
        if (!take_out(my, bytes, &diag))
            return SOUK_EINVAL;
    }
}

static souk_err cannot_read(struct loading *my, int why)
{
    souk_err err = why == ENOENT ? SOUK_ENOENT : why == EACCES ? SOUK_EDENIED : SOUK_EIO;
    (void)wrong(my, "the file cannot be read: %s", strerror(why));
    return err;
}

static souk_err read_bytes(struct loading *my, bool must_exist, souk_buf *bytes, bool *ret_there)
{
    FILE *file = strcmp(my->file, "-") ? fopen(my->file, "re") : stdin;
    *ret_there = file != NULL;
    if (!file)
        return errno == ENOENT && !must_exist ? SOUK_OK : cannot_read(my, errno);
    errno = 0;
    char *room = souk_buf_room(bytes, SOUK_TOML_FILE_BYTES + 1); /* one more: toml.h then refuses */
    size_t got = room ? fread(room, 1, SOUK_TOML_FILE_BYTES + 1, file) : 0;
    int why = ferror(file) ? errno : 0;
    if (file != stdin)
        fclose(file);
    souk_buf_added(bytes, got);
    return why ? cannot_read(my, why) : souk_buf_check(bytes);
}

static souk_err load_file(struct loading *my, bool must_exist)
{
    souk_auto_value(souk_buf) bytes = {.mem = my->mem};
    souk_auto(souk_toml) toml = NULL;
    bool there;
    my->origin = APP_FILE;
    my->where = strcmp(my->file, "-") ? my->file : "stdin";
    SOUK_TRY(read_bytes(my, must_exist, &bytes, &there));
    if (!there)
        return SOUK_OK;
    snprintf(my->settings->file, sizeof my->settings->file, "%s", my->where);
    souk_err err = read_toml(my, &bytes, &toml);
    if (err)
        return err == SOUK_ENOMEM ? err : SOUK_OK; /* the mistakes are noted */
    for (size_t i = 0; i < souk_toml_count(toml); i++) {
        souk_toml_value value = souk_toml_at(toml, i);
        take_from_file(my, &value);
    }
    return SOUK_OK;
}

/* ---- environment and flags --------------------------------------------------------------------- */

/* "SOUK_LISTEN=:80", and not SOUK_LISTN. */
static void take_variable(struct loading *my, souk_text value)
{
    char spelling[APP_SETTINGS][APP_SPELLING_BYTES];
    souk_text word = souk_text_cut(&value, '=');
    souk_nearest near = {.word = word};
    if (!souk_text_starts(word, SOUK_TEXT("SOUK_")) || !value.bytes ||
        word.bytes >= sizeof my->spelling)
        return;
    snprintf(my->spelling, sizeof my->spelling, "%.*s", SOUK_TEXT_PRINT(word));
    my->where = my->spelling;
    for (int id = 0; id < APP_SETTINGS; id++) {
        app_setting_variable((app_setting_id)id, spelling[id]);
        if (!strcmp(my->spelling, spelling[id])) {
            (void)take_text(my, (app_setting_id)id, value);
            return;
        }
        souk_nearest_try(&near, spelling[id]);
    }
    if (near.best && near.distance <= 2)
        (void)wrong(my, "there is no such setting: do you mean %s?", near.best);
}

static void load_environment(struct loading *my, char *const *environment)
{
    my->origin = APP_ENVIRONMENT;
    my->line = my->column = 0;
    for (; environment && *environment; environment++)
        take_variable(my, souk_text_of(*environment));
}

static void load_flags(struct loading *my, const char *const *flags)
{
    my->origin = APP_FLAG;
    my->where = my->spelling;
    my->line = my->column = 0;
    for (int id = 0; flags && id < APP_SETTINGS; id++) {
        app_setting_flag((app_setting_id)id, my->spelling);
        if (flags[id])
            (void)take_text(my, (app_setting_id)id, souk_text_of(flags[id]));
    }
}

/* ---- all of it --------------------------------------------------------------------------------- */

/* The mistake stands where one of the two was set. */
static void check_rule(struct loading *my, const struct rule *rule)
{
    const app_value *high = &my->settings->values[rule->high];
    const app_value *low = &my->settings->values[rule->low];
    if (high->number / rule->times >= low->number)
        return;
    app_setting_id set_id = high->origin >= low->origin ? rule->high : rule->low;
    const app_value *value = &my->settings->values[set_id];
    my->line = value->line;
    my->column = value->column;
    my->where = my->file;
    if (value->origin == APP_ENVIRONMENT)
        app_setting_variable(set_id, my->spelling);
    else if (value->origin == APP_FLAG)
        app_setting_flag(set_id, my->spelling);
    if (value->origin > APP_FILE)
        my->where = my->spelling;
    char times[32] = "";
    if (rule->times > 1)
        snprintf(times, sizeof times, "%lld times ", (long long)rule->times);
    (void)wrong(
        my,
        "%s is %s, and must be at least %s%s, which is %s (%s): raise the one or lower the other",
        app_setting_table[rule->high].name, high->text, times, app_setting_table[rule->low].name,
        low->text, rule->why);
}

souk_err app_settings_load(souk_mem *mem, const app_settings_from *from, app_settings *settings,
                           app_mistakes *mistakes)
{
    struct loading my = {
        .mem = mem, .settings = settings, .mistakes = mistakes, .where = "", .file = from->file};
    *settings = (app_settings){.file = ""};
    for (int id = 0; id < APP_SETTINGS; id++)
        SOUK_TRY(take_text(&my, (app_setting_id)id, souk_text_of(app_setting_table[id].usual)));
    souk_err err = from->file ? load_file(&my, from->file_must_exist) : SOUK_OK;
    if (err == SOUK_ENOMEM)
        return err;
    load_environment(&my, from->environment);
    load_flags(&my, from->flags);
    for (size_t i = 0; i < sizeof rules / sizeof *rules && !err; i++)
        check_rule(&my, &rules[i]);
    return err ? err : mistakes->count ? SOUK_EINVAL : SOUK_OK;
}

int64_t app_setting_of(const app_settings *settings, app_setting_id id)
{
    souk_assert(app_setting_table[id].kind == APP_KIND_COUNT);
    return settings->values[id].number;
}

const char *app_setting_text(const app_settings *settings, app_setting_id id)
{
    return settings->values[id].text;
}
