/* usage.c - the usage of a command taken apart: see usage.h. */
#include "app/usage.h"

static const char ellipsis[] = "\xe2\x80\xa6";

static bool cut_end(souk_text *text, const char *end)
{
    size_t bytes = strlen(end);
    if (text->bytes < bytes || memcmp(text->at + text->bytes - bytes, end, bytes) != 0)
        return false;
    text->bytes -= bytes;
    return true;
}

/* One word with its brackets; an ellipsis of its own belongs to the part before it. */
static souk_err read_part(souk_text token, app_shape *shape)
{
    app_part part = {.word = token};
    for (; souk_text_starts(part.word, SOUK_TEXT("[")); part.opens++)
        part.word = (souk_text){part.word.at + 1, part.word.bytes - 1};
    while (cut_end(&part.word, "]"))
        part.closes++;
    part.repeats = cut_end(&part.word, ellipsis);
    if (!part.word.bytes) {
        if (!part.repeats || part.opens || !shape->count)
            return SOUK_EINVAL;
        app_part *before = &shape->parts[shape->count - 1];
        before->repeats = true;
        before->closes = (uint8_t)(before->closes + part.closes);
        return SOUK_OK;
    }
    if (shape->count == APP_PARTS)
        return SOUK_EINVAL;
    shape->parts[shape->count++] = part;
    return SOUK_OK;
}

static souk_err check_brackets(const app_shape *shape)
{
    int depth = 0;
    for (size_t i = 0; i < shape->count; i++) {
        depth += shape->parts[i].opens;
        depth -= shape->parts[i].closes;
        if (depth < 0)
            return SOUK_EINVAL;
    }
    return depth ? SOUK_EINVAL : SOUK_OK;
}

static souk_err read_shape(souk_text text, app_shapes *shapes)
{
    if (shapes->count == APP_SHAPES)
        return SOUK_EINVAL;
    app_shape *shape = &shapes->at[shapes->count++];
    *shape = (app_shape){.count = 0};
    while (text.bytes) {
        souk_text token = souk_text_cut(&text, ' ');
        if (token.bytes)
            SOUK_TRY(read_part(token, shape));
    }
    return shape->count ? check_brackets(shape) : SOUK_EINVAL;
}

/* The bracket around it all, where the choice stands within it. */
static void open_bracket(souk_text *text, app_shapes *shapes)
{
    int depth = 0;
    for (size_t i = 0; i < text->bytes; i++) {
        depth += text->at[i] == '[';
        depth -= text->at[i] == ']';
        if (depth == 0 && i + 1 < text->bytes)
            return;
    }
    if (text->bytes < 2 || text->at[0] != '[' || !memchr(text->at, '|', text->bytes))
        return;
    shapes->may_be_none = true;
    *text = (souk_text){text->at + 1, text->bytes - 2};
}

souk_err app_shapes_read(const char *usage, app_shapes *ret_shapes)
{
    souk_text text = souk_text_of(usage);
    *ret_shapes = (app_shapes){.count = 0};
    open_bracket(&text, ret_shapes);
    while (text.bytes)
        SOUK_TRY(read_shape(souk_text_cut(&text, '|'), ret_shapes));
    return SOUK_OK;
}

static bool names_flag(const char *usage, souk_text name)
{
    app_shapes shapes;
    souk_err err = app_shapes_read(usage, &shapes);
    souk_assert(!err); /* of our own making */
    for (size_t i = 0; i < shapes.count; i++)
        for (size_t j = 0; j < shapes.at[i].count; j++)
            if (souk_text_equal(shapes.at[i].parts[j].word, name))
                return true;
    return false;
}

bool app_command_has_flag(const app_command *command, souk_text name)
{
    return names_flag(command->operands, name) ||
           (command->flags && names_flag(command->flags, name));
}
