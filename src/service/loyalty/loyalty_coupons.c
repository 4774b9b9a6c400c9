/* loyalty_coupons.c - routes of codes: issued, looked at, redeemed outside a basket, restored; and the job that issues many. */
#include "base/random.h"
#include "core/document.h"
#include "service/loyalty/loyalty_inside.h"

#include <stdio.h>

/* ---- issuing ---------------------------------------------------------------------------------------------------- */

struct issued {
    souk_coupon_issue issue;
    uint8_t bits[SOUK_COUPON_ISSUE_MOST][16];
};

/* The next codes, at most a transaction's; secrets come from the system. */
static souk_err issue_some(souk_loyalty *loyalty, enum souk_lane lane, size_t rest,
                           struct issued *issued)
{
    issued->issue.count = souk_min_size(rest, SOUK_COUPON_ISSUE_MOST);
    issued->issue.bits = (const uint8_t(*)[16])issued->bits;
    souk_entropy(issued->bits, issued->issue.count * sizeof *issued->bits);
    return souk_coupons_issue(loyalty->ledger, &loyalty->key, lane, &issued->issue);
}

static void write_codes(souk_json_writer *out, const struct issued *issued)
{
    for (size_t i = 0; i < issued->issue.count; i++) {
        char code[SOUK_COUPON_CODE_ROOM];
        souk_coupon_code_write(issued->bits[i], code);
        souk_json_write_text(out, souk_text_of(code));
    }
}

static souk_err check_issuable(const souk_coupon_class *class, souk_diag *diag)
{
    if (class->kind != SOUK_COUPON_SHARED)
        return SOUK_OK;
    return souk_diag_say(diag, SOUK_EINVAL,
                         "'%.*s' is shared: its one code is told in the class, none are issued",
                         SOUK_TEXT_PRINT(class->name));
}

static souk_err issue_codes(souk_call *call)
{
    static const char *const names[] = {"count", "customer", "until"};
    souk_loyalty *loyalty = call->state;
    loyalty_body *body;
    souk_coupon_class class;
    souk_text name;
    struct issued *issued = souk_arena_get(&call->arena, sizeof *issued);
    if (call->arena.failed)
        return SOUK_ENOMEM;
    SOUK_TRY(souk_call_part(call, 0, &name));
    SOUK_TRY(loyalty_read_body(call, LOYALTY_NAMES(names), 1, &body));
    SOUK_TRY(loyalty_read_class(call, name, &call->arena, &class, &call->diag));
    SOUK_TRY(check_issuable(&class, &call->diag));
    issued->issue = (souk_coupon_issue){.merchant = call->caller.merchant,
                                        .class = &class,
                                        .atom = body->person ? body->person->atoms[0] : 0,
                                        .until = body->until,
                                        .at = souk_clock_now_ms(souk_spine_clock(call->spine))};
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    souk_json_put_array(out, "codes");
    for (int64_t done = 0; done < body->count; done += (int64_t)issued->issue.count) {
        SOUK_TRY(issue_some(loyalty, SOUK_LANE_INGEST, (size_t)(body->count - done), issued));
        write_codes(out, issued);
    }
    souk_json_write_end(out);
    loyalty_put_i64(out, "batch", issued->issue.batch);
    souk_json_write_end(out);
    return SOUK_OK;
}

void loyalty_post_codes(souk_call *call)
{
    loyalty_answer(call, issue_codes(call), 201);
}

static souk_err revoke(souk_call *call)
{
    static const char *const names[] = {"batch"};
    souk_loyalty *loyalty = call->state;
    loyalty_body *body;
    souk_text name;
    uint64_t count;
    SOUK_TRY(souk_call_part(call, 0, &name));
    SOUK_TRY(loyalty_read_body(call, LOYALTY_NAMES(names), 1, &body));
    SOUK_TRY(
        souk_coupons_revoke(loyalty->ledger, call->caller.merchant, name, body->batch, &count));
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    souk_json_put_u64(out, "revoked", count);
    souk_json_write_end(out);
    return SOUK_OK;
}

void loyalty_post_revoke(souk_call *call)
{
    loyalty_answer(call, revoke(call), 200);
}

/* ---- looking, redeeming -------------------------------------------------------------------------------------------- */

/* Who asks: the token, as a hash; 0 for the control socket, whose callers own the machine. */
static uint64_t caller_of(souk_call *call)
{
    if (call->local)
        return 0;
    souk_text token = souk_call_header(call, SOUK_TEXT("authorization"));
    return souk_hash64(&souk_spine_hashes(call->spine)->messages, token.at, token.bytes) | 1;
}

static souk_err find_code(loyalty_body *body, const souk_loyalty_hand *hand)
{
    souk_call *call = body->call;
    return souk_loyalty_code(body->loyalty, hand, caller_of(call), body->code, &call->arena,
                             &body->found, &call->retry_s, &call->diag);
}

static void write_class_of(souk_json_writer *out, const souk_coupon_found *found)
{
    souk_json_put_text(out, "class", found->class.name);
    souk_json_put_text(out, "title", found->class.title);
    souk_json_put_text(out, "offer", found->class.offer);
    if (found->until != SOUK_TIME_LAST)
        souk_json_put_time(out, "until", found->until);
}

static souk_err look(souk_call *call)
{
    static const char *const names[] = {"code", "customer", "store", "day"};
    loyalty_body *body;
    SOUK_TRY(loyalty_read_body(call, LOYALTY_NAMES(names), 1, &body));
    souk_loyalty_hand hand = loyalty_hand_of(body);
    SOUK_TRY(find_code(body, &hand));
    souk_json_writer *out = souk_call_json(call);
    souk_json_write_object(out);
    souk_json_put_bool(out, "good", body->found->good);
    if (!body->found->good)
        souk_json_put_words(out, "why", body->found->why);
    write_class_of(out, body->found);
    if (body->found->left != INT64_MAX)
        loyalty_put_i64(out, "left", body->found->left);
    souk_json_write_end(out);
    return SOUK_OK;
}

void loyalty_post_look(souk_call *call)
{
    loyalty_answer(call, look(call), 200);
}

static souk_err tell_redeemed(souk_plan *plan, souk_tx *tx, souk_json_writer *out)
{
    const loyalty_body *body = plan->context;
    char receipt[33];
    (void)tx;
    souk_hex(&body->coupon.receipt, sizeof body->coupon.receipt, receipt);
    souk_json_write_object(out);
    souk_json_put_text(out, "receipt", (souk_text){receipt, 32});
    write_class_of(out, body->found);
    souk_json_write_end(out);
    return SOUK_OK;
}

static souk_err read_receipt(loyalty_body *body, souk_hash128 *ret_receipt)
{
    if (body->receipt.bytes == 0) {
        souk_entropy(ret_receipt, sizeof *ret_receipt);
        return SOUK_OK;
    }
    return souk_unhex(body->receipt, ret_receipt, sizeof *ret_receipt)
               ? SOUK_OK
               : souk_diag_say(&body->call->diag, SOUK_EINVAL,
                               "receipt: 32 hexadecimal digits are expected");
}

static souk_err read_redeem(souk_call *call, loyalty_body **ret_body)
{
    static const char *const names[] = {"code", "customer", "store", "day", "receipt"};
    SOUK_TRY(loyalty_read_body(call, LOYALTY_NAMES(names), 1, ret_body));
    loyalty_body *body = *ret_body;
    souk_loyalty_hand hand = loyalty_hand_of(body);
    SOUK_TRY(find_code(body, &hand));
    body->coupon = (souk_coupon_act){
        .kind = SOUK_COUPON_REDEEM,
        .found = body->found,
        .hand = {.merchant = hand.merchant, .store = hand.store, .day = hand.day, .at = hand.at}};
    if (hand.person) {
        body->coupon.hand.atoms = hand.person->atoms;
        body->coupon.hand.atom_count = hand.person->atom_count;
    }
    return read_receipt(body, &body->coupon.receipt);
}

static void run(souk_call *call, souk_err err, loyalty_body *body, souk_text key,
                souk_err (*tell)(souk_plan *plan, souk_tx *tx, souk_json_writer *out))
{
    err = loyalty_whole(call, err);
    souk_plan *plan = err ? NULL : souk_call_plan(call);
    if (!plan) {
        souk_call_fail(call, err ? err : SOUK_ENOMEM);
        return;
    }
    plan->context = body;
    body->coupon.hand.at = plan->at;
    souk_plan_add(plan, SOUK_EFFECT_REDEEM, key, 1, &body->coupon);
    souk_call_run(call, &body->loyalty->owners, plan, 200, tell);
}

void loyalty_post_redeem(souk_call *call)
{
    loyalty_body *body = NULL;
    souk_err err = read_redeem(call, &body);
    run(call, err, body, err ? SOUK_TEXT("") : SOUK_COUPON_KEY(*body->found), tell_redeemed);
}

static souk_err tell_restored(souk_plan *plan, souk_tx *tx, souk_json_writer *out)
{
    const loyalty_body *body = plan->context;
    (void)tx;
    souk_json_write_object(out);
    souk_json_put_u64(out, "restored", body->coupon.count);
    souk_json_write_end(out);
    return SOUK_OK;
}

static souk_err read_restore(souk_call *call, loyalty_body **ret_body)
{
    static const char *const names[] = {"receipt", "void"};
    SOUK_TRY(loyalty_read_body(call, LOYALTY_NAMES(names), 1, ret_body));
    (*ret_body)->coupon =
        (souk_coupon_act){.kind = SOUK_COUPON_RESTORE, .is_void = (*ret_body)->is_void};
    return read_receipt(*ret_body, &(*ret_body)->coupon.receipt);
}

void loyalty_post_restore(souk_call *call)
{
    loyalty_body *body = NULL;
    souk_err err = read_restore(call, &body);
    run(call, err, body, err ? SOUK_TEXT("") : body->receipt, tell_restored);
}

/* ---- a hundred thousand into a file ----------------------------------------------------------------------------------- */

enum { FILE_CODES_MOST = 10000000 };

struct filing {
    souk_work *work;
    souk_coupon_class class;
    int64_t count, batch;
    souk_file *file;
    uint64_t bytes;
};

/* Where it goes: a folder that is there, and a name in it that is not. */
static souk_err open_file(souk_work *work, souk_text path, souk_disk **ret_disk,
                          souk_file **ret_file, char **ret_name)
{
    char *text = souk_arena_get(work->arena, path.bytes + 1);
    if (work->arena->failed)
        return SOUK_ENOMEM;
    if (path.bytes == 0 || path.at[0] != '/' || memchr(path.at, 0, path.bytes))
        return souk_diag_say(work->diag, SOUK_EINVAL,
                             "to: say which file the codes go to, as "
                             "/var/lib/souk/codes.csv");
    memcpy(text, path.at, path.bytes);
    char *slash = strrchr(text, '/');
    *ret_name = slash + 1;
    *slash = '\0';
    SOUK_TRY(souk_disk_open_real(souk_mem_heap(), *text ? text : "/", ret_disk, work->diag));
    if (**ret_name == '\0' || souk_disk_exists(*ret_disk, *ret_name))
        return souk_diag_say(work->diag, SOUK_EEXIST, "to: there is such a file: name a new one");
    return souk_file_open(*ret_disk, *ret_name, SOUK_FILE_CREATE, ret_file);
}

/* Committed first, then written: a code that nobody has seen does no harm. */
static souk_err file_some(struct filing *filing, const struct issued *issued)
{
    char rows[SOUK_COUPON_ISSUE_MOST * (SOUK_COUPON_CODE_ROOM + 1)];
    size_t bytes = 0;
    for (size_t i = 0; i < issued->issue.count; i++) {
        souk_coupon_code_write(issued->bits[i], rows + bytes);
        bytes += SOUK_COUPON_CODE_ROOM - 1;
        rows[bytes++] = '\r';
        rows[bytes++] = '\n';
    }
    souk_err err = souk_file_write(filing->file, rows, bytes, filing->bytes);
    filing->bytes += bytes;
    return err;
}

static souk_err file_all(struct filing *filing, souk_loyalty *loyalty, uint32_t merchant)
{
    static const char head[] = "code\r\n"; /* RFC 4180 */
    souk_work *work = filing->work;
    struct issued *issued = souk_arena_get(work->arena, sizeof *issued);
    if (work->arena->failed)
        return SOUK_ENOMEM;
    issued->issue = (souk_coupon_issue){.merchant = merchant,
                                        .class = &filing->class,
                                        .until = SOUK_TIME_LAST,
                                        .at = souk_clock_now_ms(souk_spine_clock(work->spine))};
    SOUK_TRY(souk_file_write(filing->file, head, sizeof head - 1, 0));
    filing->bytes = sizeof head - 1;
    for (int64_t done = 0; done < filing->count;) {
        SOUK_TRY(issue_some(loyalty, SOUK_LANE_JOB, (size_t)(filing->count - done), issued));
        SOUK_TRY(file_some(filing, issued));
        done += (int64_t)issued->issue.count;
        filing->batch = issued->issue.batch;
        SOUK_TRY(work->progress(work->context, (uint64_t)done, (uint64_t)filing->count));
    }
    return souk_file_sync(filing->file);
}

static souk_err read_arguments(struct filing *filing, souk_text *ret_path)
{
    souk_work *work = filing->work;
    souk_json_node root = souk_json_root(work->arguments);
    souk_text name = souk_field(work->arguments, root, "class", work->arena);
    souk_auto_value(souk_buf) text = {.mem = souk_mem_heap()};
    uint64_t version;
    if (souk_json_i64(work->arguments, souk_json_member(work->arguments, root, SOUK_TEXT("count")),
                      &filing->count) ||
        filing->count < 1 || filing->count > FILE_CODES_MOST)
        return souk_diag_say(work->diag, SOUK_EINVAL, "count: a number from 1 to %d is expected",
                             FILE_CODES_MOST);
    *ret_path = souk_field(work->arguments, root, "to", work->arena);
    SOUK_TRY(souk_coupon_class_name(name, work->diag));
    souk_err err = souk_documents_get(souk_spine_ledger(work->spine), SOUK_TEXT("coupon"),
                                      SOUK_OPERATOR, name, &version, &text);
    if (err == SOUK_ENOENT)
        return souk_diag_say(work->diag, err, "there is no coupon class '%.*s'",
                             SOUK_TEXT_PRINT(name));
    SOUK_TRY(err);
    SOUK_TRY(souk_coupon_class_read(name, souk_buf_view(&text), work->arena, &filing->class,
                                    work->diag));
    return check_issuable(&filing->class, work->diag);
}

souk_err loyalty_issue_file(souk_work *work)
{
    souk_auto(souk_disk) disk = NULL;
    souk_auto(souk_file) file = NULL;
    struct filing filing = {.work = work};
    souk_text path;
    char *name;
    SOUK_TRY(read_arguments(&filing, &path));
    SOUK_TRY(open_file(work, path, &disk, &file, &name));
    filing.file = file;
    SOUK_TRY(file_all(&filing, work->state, SOUK_OPERATOR));
    SOUK_TRY(souk_disk_sync_folder(disk));
    souk_json_write_object(work->result);
    loyalty_put_i64(work->result, "codes", filing.count);
    loyalty_put_i64(work->result, "batch", filing.batch);
    souk_json_write_end(work->result);
    return SOUK_OK;
}
