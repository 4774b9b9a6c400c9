/* resolve_desk.h - for tests of resolve.h: an index and a vault in memory, and every link that was
 * written; an event is a line of words.
 *
 *     WITH_DESK (desk)
 *         SOUK_CHECK(see(test, &desk, "user:anna device:till-3") == 1);
 *
 * Each event is a transaction of its own, undone where it fails.  Stands after test/test.h. */
#ifndef SOUK_CORE_RESOLVE_DESK_H
#define SOUK_CORE_RESOLVE_DESK_H

#include "core/resolve.h"

static const uint8_t test_root[32] = "thirty-two bytes of a root key..";
enum { EVENT_WORDS = SOUK_EVENT_IDS, LINKS_MOST = 8192 };

struct desk {
    souk_mem *mem;
    souk_disk *disk;
    souk_vault *vault;
    souk_index *index;
    souk_resolver resolver;
    uint64_t position;
    souk_link *links; /* [link_count] of committed events, then those of the open one */
    size_t link_count;
    size_t refuse_at;   /* this write_link fails, counted from 1; 0: none */
    size_t value_bytes; /* of the last link */
};

static inline uint16_t no_bases(void *context, uint32_t source)
{
    (void)context;
    (void)source;
    return 0;
}

static inline souk_err write_link(void *context, const souk_link *link, souk_text value)
{
    struct desk *desk = context;
    if (desk->refuse_at && --desk->refuse_at == 0)
        return SOUK_EFULL;
    souk_assert(desk->link_count < LINKS_MOST);
    desk->links[desk->link_count++] = *link;
    desk->value_bytes = value.bytes;
    return souk_index_link(desk->index, link);
}

static inline souk_err new_index(souk_mem *mem, souk_index **ret_index)
{
    souk_index_options options = {no_bases, NULL};
    return souk_index_new(mem, &options, ret_index);
}

/* `slots` that can be taken, 0: endless. */
static inline souk_err desk_open(souk_mem *mem, uint32_t slots, struct desk *desk)
{
    souk_vault_options options = {.root_key = test_root,
                                  .block_slots = 64,
                                  .cache_keys = 16,
                                  .slot_limit = slots ? SOUK_VAULT_FIRST + slots : 0};
    *desk = (struct desk){.mem = mem};
    SOUK_TRY(souk_disk_open_sim(mem, 3, &desk->disk));
    SOUK_TRY(souk_vault_init(mem, desk->disk, &options, NULL));
    SOUK_TRY(souk_vault_open(mem, desk->disk, &options, &desk->vault, NULL));
    SOUK_TRY(new_index(mem, &desk->index));
    desk->links = souk_mem_array(mem, LINKS_MOST, sizeof *desk->links);
    desk->resolver = (souk_resolver){.index = desk->index,
                                     .vault = desk->vault,
                                     .hashes = {{"identifiers' key"}, {"messages' key .."}},
                                     .write_link = write_link,
                                     .context = desk};
    return desk->links ? SOUK_OK : SOUK_ENOMEM;
}

static inline void desk_done(struct desk *desk)
{
    souk_mem_put(desk->mem, desk->links);
    souk_index_free(desk->index);
    souk_vault_free(desk->vault);
    souk_disk_free(desk->disk);
}

/* "user:anna device:till-3" as the identifiers of an event, in the order given. */
static inline souk_event event_of(const struct desk *desk, const char *words)
{
    souk_event event = {.received = 1767268800000, .at = 1767268800000};
    souk_text rest = souk_text_of(words);
    while (rest.bytes) {
        souk_text value = souk_text_cut(&rest, ' ');
        souk_text kind = souk_text_cut(&value, ':');
        souk_event_identify(&event, &desk->resolver.hashes, souk_id_of_word(kind), value);
    }
    return event;
}

/* One event in a transaction of its own: committed, or undone where it fails. */
static inline souk_err resolve_event(struct desk *desk, const souk_event *event, uint32_t *ret_atom)
{
    size_t links_before = desk->link_count;
    souk_index_begin(desk->index);
    souk_err err = souk_resolve(&desk->resolver, event, desk->position + 1, ret_atom);
    if (err) {
        souk_index_rollback(desk->index);
        desk->link_count = links_before;
        return err;
    }
    souk_index_commit(desk->index);
    desk->position++;
    return SOUK_OK;
}

static inline uint32_t see(souk_test *test, struct desk *desk, const char *words)
{
    uint32_t atom;
    souk_event event = event_of(desk, words);
    SOUK_MUST(resolve_event(desk, &event, &atom));
    return atom;
}

static inline void must_open(souk_test *test, struct desk *desk)
{
    SOUK_MUST(desk_open(test->mem, 0, desk));
}

/* A desk for the statement that follows. */
#define WITH_DESK(desk) \
    for (struct desk desk = {0}; !desk.mem && (must_open(test, &desk), true); desk_done(&desk))

#endif
