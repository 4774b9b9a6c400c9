/* stream_shopper.c - streams of one shopper: who she is, whether she may be shown, and her events with their texts.
 *
 * The thread looks at her again before it tells anything new: what leads to whom may have changed, and so may
 * consent.  A block shows the atom of each event; where that is one of hers, her timeline is read under the grant from
 * the place where the stream is, so a text leaves the vault through the door that everybody takes. */
#include "serve/stream_guts.h"

enum { LOOK_MS = 500, HERS_MOST = STREAM_SHOPPERS * SOUK_PERSON_ATOMS * 2 };

souk_err stream_shopper_ask(souk_spine *spine, stream_shopper *shopper, souk_person *person,
                            souk_grant *ret_grant, souk_diag *diag)
{
    souk_err err = souk_spine_find(spine, shopper->kind, shopper->value, person);
    if (err == SOUK_ENOENT)
        return souk_diag_say(diag, err, "nobody has this %s", souk_id_word(shopper->kind));
    if (err)
        return souk_diag_say(diag, err, "the value is no %s that could be looked for",
                             souk_id_word(shopper->kind));
    souk_index *index = souk_spine_index(spine);
    souk_index_read(index);
    err = souk_consent_ask(souk_spine_consent(spine), index, person, shopper->purpose,
                           shopper->controller, souk_clock_now_ms(souk_spine_clock(spine)),
                           ret_grant, diag);
    souk_index_read_done(index);
    return err;
}

void stream_shopper_free(stream_service *service, stream_shopper *shopper)
{
    if (!shopper)
        return;
    souk_mem_put(service->mem, shopper->atoms);
    souk_mem_put(service->mem, shopper);
}

/* ---- looking again --------------------------------------------------------------------------- */

static bool has_atom(const stream_shopper *shopper, uint32_t atom)
{
    for (size_t i = 0; i < shopper->atom_count; i++)
        if (shopper->atoms[i] == atom)
            return true;
    return false;
}

/* Erased and come again, or a device in other hands: the same words lead to somebody else. */
static bool is_another(const stream_shopper *shopper, const souk_person *person)
{
    for (uint32_t i = 0; i < person->atom_count; i++)
        if (has_atom(shopper, person->atoms[i]))
            return false;
    return shopper->atom_count > 0;
}

static souk_err know_atoms(stream_service *service, stream_shopper *shopper,
                           const souk_person *person)
{
    SOUK_TRY(souk_mem_grow(service->mem, &shopper->atoms, &shopper->atom_capacity,
                           person->atom_count, SOUK_PERSON_ATOMS, sizeof *shopper->atoms));
    memcpy(shopper->atoms, person->atoms, person->atom_count * sizeof *person->atoms);
    shopper->atom_count = person->atom_count;
    return SOUK_OK;
}

/* False: its listener has heard why and is gone, and the channel with it. */
static bool look_at(stream_service *service, stream_channel *channel, souk_grant *ret_grant)
{
    stream_shopper *shopper = channel->shopper;
    souk_diag diag = {.words = ""};
    souk_err err = stream_shopper_ask(service->spine, shopper, service->person, ret_grant, &diag);
    const char *why = NULL;
    if (err == SOUK_EDENIED)
        why = "the shopper's data may not be used for this any more";
    else if (err == SOUK_ENOENT || (!err && is_another(shopper, service->person)))
        why = "nobody has this identifier any more";
    else if (err)
        why = "the shopper cannot be looked at now";
    else if (know_atoms(service, shopper, service->person))
        why = "the server has no memory left";
    if (why)
        stream_listener_end(channel->listeners, why);
    return !why;
}

static void know_whose(stream_service *service, stream_channel *channel)
{
    size_t mask = service->hers_capacity - 1;
    for (size_t i = 0; i < channel->shopper->atom_count; i++) {
        size_t at = souk_mix64(channel->shopper->atoms[i]) & mask;
        while (service->hers[at].atom)
            at = (at + 1) & mask;
        service->hers[at] = (struct stream_hers){channel->shopper->atoms[i], channel};
    }
}

/* The table of whose each atom is, made anew.  Without memory nobody is found: their streams wait. */
static void know_all(stream_service *service)
{
    size_t atoms = 0, capacity = 64;
    for (stream_channel *channel = service->channels; channel; channel = channel->next)
        atoms += channel->shopper ? channel->shopper->atom_count : 0;
    while (capacity < 2 * atoms)
        capacity *= 2;
    if (souk_mem_grow(service->mem, &service->hers, &service->hers_capacity, capacity, HERS_MOST,
                      sizeof *service->hers))
        return;
    memset(service->hers, 0, service->hers_capacity * sizeof *service->hers);
    for (stream_channel *channel = service->channels; channel; channel = channel->next)
        if (channel->shopper)
            know_whose(service, channel);
}

void stream_shoppers_look(stream_service *service, uint64_t end)
{
    uint64_t epoch = souk_consent_epoch(souk_spine_consent(service->spine));
    if (!__atomic_load_n(&service->counts.shoppers, __ATOMIC_RELAXED))
        return;
    if (end == service->hers_end && epoch == service->hers_epoch &&
        service->now_ms - service->hers_ms < LOOK_MS)
        return;
    for (stream_channel *channel = service->channels, *next; channel; channel = next) {
        souk_grant grant;
        next = channel->next;
        if (channel->shopper)
            (void)!look_at(service, channel, &grant);
    }
    know_all(service);
    service->hers_end = end;
    service->hers_epoch = epoch;
    service->hers_ms = service->now_ms;
}

void stream_shoppers_hit(stream_service *service, uint32_t atom)
{
    if (!service->hers_capacity || !atom)
        return;
    size_t mask = service->hers_capacity - 1;
    for (size_t at = souk_mix64(atom) & mask; service->hers[at].atom; at = (at + 1) & mask)
        if (service->hers[at].atom == atom)
            service->hers[at].channel->shopper->hit = true;
}

void stream_shoppers_forget(stream_service *service)
{
    if (service->hers)
        memset(service->hers, 0, service->hers_capacity * sizeof *service->hers);
    service->hers_end = 0;
}

/* ---- telling ----------------------------------------------------------------------------------- */

static void tell_story(stream_channel *channel, const souk_story *story)
{
    stream_service *service = channel->service;
    souk_text text = story->text;
    stream_words_facets(service->words, &story->fact, story->lines, &service->facets);
    if (!stream_want_fits(channel->want, &service->facets))
        return;
    if (text.bytes > STREAM_TEXT_BYTES)
        text = SOUK_TEXT("");
    souk_buf_clear(&service->message);
    stream_words_write(service->words, &story->fact, story->lines, &text, &service->message);
    if (souk_buf_check(&service->message))
        stream_channel_gap(channel, story->fact.position, story->fact.position);
    else
        stream_channel_take(channel, souk_buf_view(&service->message), story->fact.position);
}

/* Her events from the channel's place to the service's, oldest first. */
static souk_err tell_stories(stream_service *service, stream_channel *channel,
                             const souk_grant *grant, souk_arena *arena)
{
    souk_story *stories;
    size_t count, bytes = 0;
    SOUK_TRY(souk_spine_timeline(service->spine, service->person, grant, service->place,
                                 STREAM_STORIES, arena, &stories, &count));
    for (size_t i = 0; i < count; i++)
        bytes += stories[i].text.bytes;
    bool is_cut = count == STREAM_STORIES || bytes >= SOUK_TIMELINE_BYTES;
    if (is_cut && stories[count - 1].fact.position > channel->place)
        stream_channel_gap(channel, channel->place, stories[count - 1].fact.position - 1);
    while (count--)
        if (stories[count].fact.position >= channel->place)
            tell_story(channel, &stories[count]);
    return SOUK_OK;
}

void stream_shoppers_tell(stream_service *service)
{
    for (stream_channel *channel = service->channels, *next; channel; channel = next) {
        souk_grant grant;
        next = channel->next;
        if (!channel->shopper || channel->dirty)
            continue; /* the listener has not taken yet what there is */
        if (channel->shopper->hit) {
            souk_arena arena = {.mem = service->mem};
            if (!look_at(service, channel, &grant))
                continue;
            souk_err err = tell_stories(service, channel, &grant, &arena);
            souk_arena_done(&arena);
            if (err)
                continue; /* once more in the next round */
            channel->shopper->hit = false;
        }
        channel->place = service->place;
    }
}
