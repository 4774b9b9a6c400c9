/* segment_fuzz.c - any bytes as the body of /v1/batch or of a single call: every item of it becomes an
 * event whose packed text is the item's own, or a fault that says what is wrong, where, and what to do.
 *
 * Input: 1 byte that selects the call (0 batch, 1 to 6 the single ones, modulo 7; bit 7: no key in the
 * header), then the body.  The spine and the keys are stood in for here, so nothing is stored: linking
 * takes these functions and leaves core's own in the library. */
#include "base/currency.h"
#include "core/pack.h"
#include "service/collect/segment.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static souk_hashes hashes;
static souk_clock_fake now;

/* What one request led to. */
static struct {
    souk_text body, path_type;
    unsigned answers, submits;
    int status;
} seen;

/* ---- in place of the spine ------------------------------------------------------------------------------ */

const souk_hashes *souk_spine_hashes(const souk_spine *spine)
{
    (void)spine;
    return &hashes;
}

const souk_clock *souk_spine_clock(const souk_spine *spine)
{
    (void)spine;
    return &now.clock;
}

souk_rejects *souk_spine_rejects(souk_spine *spine)
{
    (void)spine;
    return NULL;
}

souk_err souk_rejects_read(souk_rejects *rejects, uint64_t id, uint32_t *ret_source,
                           souk_buf *where, souk_buf *text)
{
    (void)rejects, (void)id, (void)ret_source, (void)where, (void)text;
    return SOUK_ENOENT;
}

souk_err souk_rejects_remove(souk_rejects *rejects, uint64_t id)
{
    (void)rejects, (void)id;
    return SOUK_ENOENT;
}

souk_err souk_spine_write(souk_spine *spine, souk_batch *batch)
{
    (void)spine, (void)batch;
    return SOUK_EIO;
}

souk_err souk_merchants_write_key(souk_merchants *merchants, souk_text key, souk_caller *ret_caller)
{
    (void)merchants;
    *ret_caller = (souk_caller){1, 1, SOUK_SCOPE_WRITE};
    return souk_text_equal(key, SOUK_TEXT("key")) ? SOUK_OK : SOUK_EUNAUTH;
}

/* ---- what must hold ------------------------------------------------------------------------------------- */

static void check_event(const souk_event *event, souk_text raw)
{
    static souk_packer *packer;
    souk_auto_value(souk_buf) back = {.mem = souk_mem_heap()};
    souk_assert(packer || souk_packer_new(souk_mem_heap(), &packer) == SOUK_OK);
    souk_assert(souk_unpack(packer, event->packed, raw.bytes, &back) == SOUK_OK);
    souk_assert(souk_text_equal(souk_buf_view(&back), raw));
    souk_assert(event->type.bytes && event->type.bytes <= SOUK_EVENT_NAME_BYTES);
    souk_assert(event->store.bytes <= SOUK_EVENT_NAME_BYTES);
    souk_assert(event->received == souk_clock_now_ms(&now.clock) && event->at <= event->received);
    souk_assert(event->id_count >= 1 && event->id_count <= SOUK_EVENT_IDS);
    for (size_t i = 0; i < event->id_count; i++) {
        souk_assert(event->ids[i].value.bytes && event->ids[i].value.bytes <= SOUK_ID_BYTES);
        souk_assert(i == 0 || event->ids[i - 1].kind < event->ids[i].kind);
    }
    char currency[4] = "";
    souk_assert(!*event->currency ||
                souk_currency_read(souk_text_of(event->currency), currency) == SOUK_OK);
    souk_assert(!strcmp(event->currency, currency));
    souk_assert(event->line_count <= SOUK_EVENT_LINES);
    for (size_t i = 0; i < event->line_count; i++) {
        const souk_line *line = &event->lines[i];
        souk_assert(line->product.bytes <= SOUK_EVENT_NAME_BYTES);
        souk_assert(line->category.bytes <= SOUK_EVENT_NAME_BYTES);
    }
}

/* "batch[3]" for the item 3, or "/v1/track"; words "what is wrong: what to do". */
static void check_fault(const souk_reject *fault, size_t number, souk_text raw)
{
    char where[32];
    if (seen.path_type.bytes)
        snprintf(where, sizeof where, "/v1/%.*s", SOUK_TEXT_PRINT(seen.path_type));
    else
        snprintf(where, sizeof where, "batch[%zu]", number);
    souk_assert(souk_text_equal(fault->where, souk_text_of(where)));
    souk_assert(souk_text_equal(fault->text, raw));
    const char *colon = memmem(fault->fault.at, fault->fault.bytes, ": ", 2);
    souk_assert(colon && colon > fault->fault.at);
    souk_assert(colon + 2 < fault->fault.at + fault->fault.bytes);
}

static size_t number_of(const souk_reject *fault)
{
    uint64_t number = UINT64_MAX;
    if (seen.path_type.bytes)
        return 0;
    souk_assert(souk_text_starts(fault->where, SOUK_TEXT("batch[")));
    souk_text digits = {fault->where.at + 6, fault->where.bytes - 7};
    souk_assert(souk_text_to_u64(digits, &number) == SOUK_OK);
    return number;
}

/* What is stored of an item: its own text, but for null in the place of a single call's write key. */
static souk_text stored_text(const souk_json_doc *doc, souk_json_node item, souk_buf *room)
{
    souk_text raw = souk_json_raw(doc, item);
    souk_json_node key = souk_json_member(doc, item, SOUK_TEXT("writeKey"));
    souk_text secret = souk_json_raw(doc, key);
    if (!seen.path_type.bytes || souk_json_type(doc, key) != SOUK_JSON_STRING || secret.bytes < 4)
        return raw;
    souk_buf_text(room, raw);
    memset(room->at + (secret.at - raw.at), ' ', secret.bytes);
    memcpy(room->at + (secret.at - raw.at), "null", 4);
    return souk_buf_view(room);
}

/* Goes over the items as a second reader finds them; each is the next event or the next fault. */
static void check_batch(const souk_batch *batch, const souk_json_doc *doc)
{
    souk_json_node root = souk_json_root(doc), item = root;
    size_t events = 0, faults = 0, number = 0;
    if (!seen.path_type.bytes)
        item = souk_json_first(doc, souk_json_member(doc, root, SOUK_TEXT("batch")));
    for (; item != SOUK_JSON_NONE; number++) {
        souk_auto_value(souk_buf) room = {.mem = souk_mem_heap()};
        souk_text raw = stored_text(doc, item, &room);
        if (faults < batch->fault_count && number_of(&batch->faults[faults]) == number) {
            check_fault(&batch->faults[faults++], number, raw);
        } else {
            souk_assert(events < batch->count);
            check_event(&batch->events[events++], raw);
        }
        item = seen.path_type.bytes ? SOUK_JSON_NONE : souk_json_next(doc, item);
    }
    souk_assert(events == batch->count && faults == batch->fault_count);
    souk_assert(events + faults == number);
}

souk_err souk_spine_submit(souk_spine *spine, souk_batch *batch)
{
    (void)spine;
    souk_json_doc doc = {.mem = souk_mem_heap()};
    souk_json_limits limits = {.values = 1 << 20, .depth = 32};
    seen.submits++;
    /* A body in gzip is not read again: what it inflates to goes the same way as any other. */
    if (souk_json_read(&doc, seen.body, &limits, NULL) == SOUK_OK)
        check_batch(batch, &doc);
    souk_json_doc_done(&doc);
    batch->accepted = batch->count;
    batch->done(batch, SOUK_OK);
    return SOUK_OK;
}

/* ---- the call ------------------------------------------------------------------------------------------- */

static souk_text with_key(souk_call *call, souk_text name)
{
    (void)call;
    return souk_text_equal(name, SOUK_TEXT("authorization")) ? SOUK_TEXT("Basic a2V5Og==")
                                                             : SOUK_TEXT("");
}

static void answer(souk_call *call, int status, const char *type, souk_text body, unsigned retry_s)
{
    (void)call, (void)type, (void)retry_s;
    souk_json_doc doc = {.mem = souk_mem_heap()};
    seen.answers++;
    seen.status = status;
    souk_assert(souk_json_read(&doc, body, NULL, NULL) == SOUK_OK);
    souk_json_doc_done(&doc);
}

static void run(void *collect, uint8_t choice, souk_text body)
{
    static const char *const paths[] = {"/v1/batch",  "/v1/track", "/v1/identify", "/v1/page",
                                        "/v1/screen", "/v1/group", "/v1/alias"};
    const char *path = paths[(choice & 127) % 7];
    souk_call *call = NULL;
    souk_assert(souk_call_new(souk_mem_heap(), &call) == SOUK_OK);
    memset(&seen, 0, sizeof seen);
    bool is_batch = (choice & 127) % 7 == 0;
    seen.body = call->body = body;
    seen.path_type = souk_text_of(is_batch ? "" : path + 4);
    call->path = souk_text_of(path);
    call->state = collect;
    call->header = choice & 128 ? NULL : with_key;
    call->send = answer;
    if (is_batch)
        souk_collect_batch(call);
    else
        souk_collect_one(call);
    souk_assert(seen.answers == 1 && (seen.status == 200) == (seen.submits == 1));
    souk_assert(seen.status == 200 || (seen.status >= 400 && seen.status < 500));
    souk_assert(seen.status == 200 || call->diag.words[0]);
    souk_call_free(call);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static void *collect;
    if (!collect) {
        souk_clock_fake_init(&now, 1767268800000);
        souk_assert(souk_collect_open(souk_mem_heap(), NULL, NULL, &collect) == SOUK_OK);
    }
    if (count)
        run(collect, bytes[0], (souk_text){(const char *)bytes + 1, count - 1});
    return 0;
}
