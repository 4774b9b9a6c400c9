/* stream_filter.c - the drawers of stream_filter.h: a table of names, each with the filters filed there. */
#include "serve/stream_filter.h"

#include "base/random.h"

enum { DRAWERS = 1024 }; /* about as many as listeners */

struct link {
    struct link *next, **at; /* at: what points here */
    stream_want *want;
};

struct stream_name {
    stream_name *next; /* in the drawer */
    struct link *wants;
    stream_kind kind;
    unsigned uses;
    size_t bytes;
    char text[];
};

struct stream_want {
    void *owner;
    uint32_t merchant;
    stream_name *types[STREAM_FILTER_TYPES], *source, *store, *product;
    size_t type_count, link_count;
    struct link links[STREAM_FILTER_TYPES];
    uint64_t match; /* the last one that looked at it */
};

struct stream_index {
    souk_mem *mem;
    souk_hash_key key;
    stream_name *drawers[DRAWERS];
    struct link *all; /* filters that name nothing */
    uint64_t match;
    uint32_t edition;
};

/* ---- names --------------------------------------------------------------------------------- */

static size_t drawer_of(const stream_index *index, stream_kind kind, souk_text text)
{
    return (souk_hash64(&index->key, text.at, text.bytes) + (size_t)kind) % DRAWERS;
}

const stream_name *stream_index_name(const stream_index *index, stream_kind kind, souk_text text)
{
    const stream_name *name = index->drawers[drawer_of(index, kind, text)];
    while (name && !(name->kind == kind && name->bytes == text.bytes &&
                     !memcmp(name->text, text.at, text.bytes)))
        name = name->next;
    return name;
}

uint32_t stream_index_edition(const stream_index *index)
{
    return index->edition;
}

static souk_err use_name(stream_index *index, stream_kind kind, souk_text text,
                         stream_name **ret_name)
{
    stream_name *name = (stream_name *)(uintptr_t)stream_index_name(index, kind, text);
    if (!name) {
        stream_name **drawer = &index->drawers[drawer_of(index, kind, text)];
        name = souk_mem_get(index->mem, sizeof *name + text.bytes);
        if (!name)
            return SOUK_ENOMEM;
        name->kind = kind;
        name->bytes = text.bytes;
        memcpy(name->text, text.at, text.bytes);
        name->next = *drawer;
        *drawer = name;
        index->edition++;
    }
    name->uses++;
    *ret_name = name;
    return SOUK_OK;
}

static void leave_name(stream_index *index, stream_name *name)
{
    if (!name || --name->uses)
        return;
    stream_name **at =
        &index->drawers[drawer_of(index, name->kind, (souk_text){name->text, name->bytes})];
    while (*at != name)
        at = &(*at)->next;
    *at = name->next;
    souk_mem_put(index->mem, name);
    index->edition++;
}

/* ---- filters ------------------------------------------------------------------------------- */

static void file_under(stream_want *want, struct link **list)
{
    struct link *link = &want->links[want->link_count++];
    *link = (struct link){.next = *list, .at = list, .want = want};
    if (link->next)
        link->next->at = &link->next;
    *list = link;
}

static void file(stream_index *index, stream_want *want)
{
    if (want->product)
        file_under(want, &want->product->wants);
    else if (want->store)
        file_under(want, &want->store->wants);
    else if (want->source)
        file_under(want, &want->source->wants);
    else if (want->type_count == 0)
        file_under(want, &index->all);
    else
        for (size_t i = 0; i < want->type_count; i++)
            file_under(want, &want->types[i]->wants);
}

static bool has_type(const stream_want *want, const stream_name *type)
{
    for (size_t i = 0; i < want->type_count; i++)
        if (want->types[i] == type)
            return true;
    return false;
}

static souk_err use_names(stream_index *index, const stream_filter *filter, stream_want *want)
{
    for (size_t i = 0; i < filter->type_count; i++) {
        stream_name *type;
        SOUK_TRY(use_name(index, STREAM_TYPE, filter->types[i], &type));
        if (has_type(want, type))
            leave_name(index, type); /* said twice */
        else
            want->types[want->type_count++] = type;
    }
    if (filter->source.bytes)
        SOUK_TRY(use_name(index, STREAM_SOURCE, filter->source, &want->source));
    if (filter->store.bytes)
        SOUK_TRY(use_name(index, STREAM_STORE, filter->store, &want->store));
    if (filter->product.bytes)
        SOUK_TRY(use_name(index, STREAM_PRODUCT, filter->product, &want->product));
    return SOUK_OK;
}

souk_err stream_index_add_alone(stream_index *index, const stream_filter *filter,
                                stream_want **ret_want)
{
    souk_assert(filter->type_count <= STREAM_FILTER_TYPES);
    stream_want *want = souk_mem_get(index->mem, sizeof *want);
    if (!want)
        return SOUK_ENOMEM;
    want->merchant = filter->merchant;
    souk_err err = use_names(index, filter, want);
    if (err) {
        stream_index_remove(index, want);
        return err;
    }
    *ret_want = want;
    return SOUK_OK;
}

souk_err stream_index_add(stream_index *index, const stream_filter *filter, void *owner,
                          stream_want **ret_want)
{
    stream_want *want;
    SOUK_TRY(stream_index_add_alone(index, filter, &want));
    want->owner = owner;
    file(index, want);
    *ret_want = want;
    return SOUK_OK;
}

void stream_index_remove(stream_index *index, stream_want *want)
{
    if (!want)
        return;
    for (size_t i = 0; i < want->link_count; i++) {
        struct link *link = &want->links[i];
        *link->at = link->next;
        if (link->next)
            link->next->at = link->at;
    }
    for (size_t i = 0; i < want->type_count; i++)
        leave_name(index, want->types[i]);
    leave_name(index, want->source);
    leave_name(index, want->store);
    leave_name(index, want->product);
    souk_mem_put(index->mem, want);
}

/* ---- matching ------------------------------------------------------------------------------ */

static bool has_product(const stream_facets *facets, const stream_name *product)
{
    for (size_t i = 0; i < facets->product_count; i++)
        if (facets->products[i] == product)
            return true;
    return false;
}

bool stream_want_fits(const stream_want *want, const stream_facets *facets)
{
    return (!want->merchant || want->merchant == facets->merchant) &&
           (!want->type_count || (facets->type && has_type(want, facets->type))) &&
           (!want->source || want->source == facets->source) &&
           (!want->store || want->store == facets->store) &&
           (!want->product || has_product(facets, want->product));
}

struct matching {
    const stream_facets *facets;
    void (*take)(void *context, void *owner);
    void *context;
    uint64_t number;
};

static void look_into(const struct matching *matching, const struct link *list)
{
    for (; list; list = list->next) {
        stream_want *want = list->want;
        if (want->match == matching->number || !stream_want_fits(want, matching->facets))
            continue;
        want->match = matching->number;
        matching->take(matching->context, want->owner);
    }
}

void stream_index_match(stream_index *index, const stream_facets *facets,
                        void (*take)(void *context, void *owner), void *context)
{
    struct matching matching = {facets, take, context, ++index->match};
    for (size_t i = 0; i < facets->product_count; i++)
        if (facets->products[i])
            look_into(&matching, facets->products[i]->wants);
    if (facets->store)
        look_into(&matching, facets->store->wants);
    if (facets->source)
        look_into(&matching, facets->source->wants);
    if (facets->type)
        look_into(&matching, facets->type->wants);
    look_into(&matching, index->all);
}

/* ---- life ---------------------------------------------------------------------------------- */

souk_err stream_index_new(souk_mem *mem, stream_index **ret_index)
{
    stream_index *index = souk_mem_get(mem, sizeof *index);
    if (!index)
        return SOUK_ENOMEM;
    index->mem = mem;
    souk_entropy(&index->key, sizeof index->key);
    *ret_index = index;
    return SOUK_OK;
}

void stream_index_free(stream_index *index)
{
    if (!index)
        return;
    for (size_t i = 0; i < DRAWERS; i++)
        souk_assert(!index->drawers[i]); /* every filter was removed */
    souk_mem_put(index->mem, index);
}
