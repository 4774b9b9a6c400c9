/* sender_test.c - deliveries over real sockets, to a receiver in a thread: signed, repeated, stopped. */
#include "test/test.h"

#include "os/socket.h"
#include "os/thread.h"
#include "serve/sender.h"
#include "serve/test_desk.h"

#include <poll.h>
#include <unistd.h>

enum { HEARD = 400 };

/* Answers each request with the next status of a plan, the last one for ever; -1: not at all. */
struct receiver {
    souk_fd door;
    char address[SOUK_ADDRESS_ROOM];
    souk_thread thread;
    bool stopping; /* atomic */
    souk_mutex mutex;
    souk_cond more;
    const int *plan;
    size_t heard, badly_signed;
    souk_signing_secret secret;
    char ids[HEARD][SOUK_WEBHOOK_ID_BYTES];
    souk_fd held[HEARD];
    size_t held_count;
};

static souk_text header_of(souk_text head, const char *name)
{
    while (head.bytes) {
        souk_text value = souk_text_cut(&head, '\n'), key = souk_text_cut(&value, ':');
        if (souk_text_equal_nocase(key, souk_text_of(name)))
            return souk_text_trim(value);
    }
    return SOUK_TEXT("");
}

static bool is_whole(souk_text got, souk_text *ret_head, souk_text *ret_body)
{
    const char *end = got.bytes ? memmem(got.at, got.bytes, "\r\n\r\n", 4) : NULL;
    uint64_t length = 0;
    if (!end)
        return false;
    *ret_head = souk_text_range(got.at, end);
    *ret_body = souk_text_range(end + 4, got.at + got.bytes);
    souk_err bad = souk_text_to_u64(header_of(*ret_head, "content-length"), &length);
    return !bad && ret_body->bytes >= length;
}

static bool is_signed(const struct receiver *my, souk_text head, souk_text body)
{
    souk_auto_value(souk_buf) wanted = {.mem = souk_mem_heap()};
    uint64_t stamp = 0;
    souk_err bad = souk_text_to_u64(header_of(head, "webhook-timestamp"), &stamp);
    souk_signature_write(&my->secret, 1, header_of(head, "webhook-id"), (int64_t)stamp, body,
                         &wanted);
    return !bad && souk_text_equal(souk_buf_view(&wanted), header_of(head, "webhook-signature"));
}

static int note(struct receiver *my, souk_text head, souk_text body)
{
    souk_auto_lock(&my->mutex);
    souk_text id = header_of(head, "webhook-id");
    size_t n = my->heard < HEARD ? my->heard++ : HEARD - 1;
    snprintf(my->ids[n], sizeof my->ids[n], "%.*s", SOUK_TEXT_PRINT(id));
    my->badly_signed += !is_signed(my, head, body);
    int status = *my->plan;
    if (my->plan[1])
        my->plan++;
    souk_cond_broadcast(&my->more);
    return status;
}

static void serve_one(struct receiver *my, souk_fd fd)
{
    souk_auto_value(souk_buf) got = {.mem = souk_mem_heap(), .limit_bytes = 1 << 20};
    souk_client client = {.fd = fd, .wait_ms = 2000};
    souk_text head = SOUK_TEXT(""), body = SOUK_TEXT("");
    char answer[120], part[4096];
    size_t bytes = 1;
    while (bytes && !is_whole(souk_buf_view(&got), &head, &body)) {
        if (souk_client_receive(&client, part, sizeof part, &bytes))
            bytes = 0;
        souk_buf_append(&got, part, bytes);
    }
    int status = bytes ? note(my, head, body) : 0;
    if (status < 0) {
        my->held[my->held_count++] = fd;
        return;
    }
    size_t length =
        (size_t)snprintf(answer, sizeof answer,
                         "HTTP/1.1 %d X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
    souk_err err = souk_client_send(&client, (souk_text){answer, length});
    (void)err;
    souk_client_done(&client);
}

static void receive(void *context)
{
    struct receiver *my = context;
    while (!__atomic_load_n(&my->stopping, __ATOMIC_ACQUIRE)) {
        struct pollfd door = {.fd = my->door, .events = POLLIN};
        souk_fd fd = -1;
        if (poll(&door, 1, 20) > 0 && !souk_socket_accept(my->door, &fd) && fd >= 0)
            serve_one(my, fd);
    }
}

static void receiver_open(souk_test *test, struct receiver *my, const int *plan)
{
    memset(my, 0, sizeof *my);
    my->plan = plan;
    souk_mutex_init(&my->mutex);
    souk_cond_init(&my->more);
    SOUK_MUST(souk_socket_listen("127.0.0.1:0", NULL, &my->door, my->address, NULL));
}

static void receiver_close(struct receiver *my)
{
    __atomic_store_n(&my->stopping, true, __ATOMIC_RELEASE);
    souk_thread_join(&my->thread);
    for (size_t i = 0; i < my->held_count; i++)
        souk_fd_done(&my->held[i]);
    souk_fd_done(&my->door);
    souk_cond_done(&my->more);
    souk_mutex_done(&my->mutex);
}

static bool wait_heard(struct receiver *my, size_t count)
{
    int64_t end = souk_clock_monotonic_ns(souk_clock_real()) + (int64_t)20 * 1000000000;
    souk_auto_lock(&my->mutex);
    while (my->heard < count)
        if (!souk_cond_wait_until(&my->more, &my->mutex, end))
            return false;
    return true;
}

/* ---- the shop ------------------------------------------------------------------------------------------ */

struct trial {
    struct desk desk;
    struct receiver receiver;
    souk_outbox *outbox;
    souk_sender *sender;
    int64_t endpoint;
};

static souk_err add_endpoint(souk_tx *tx, void *context)
{
    struct trial *trial = context;
    char url[200];
    snprintf(url, sizeof url, "http://%s/hook", trial->receiver.address);
    souk_endpoint endpoint = {
        .url = souk_text_of(url), .events = SOUK_TEXT("*"), .rate = SOUK_ENDPOINT_RATE};
    return souk_endpoint_add(tx, souk_spine_vault(trial->desk.spine), &endpoint, 1,
                             &trial->endpoint, &trial->receiver.secret);
}

static void trial_start(souk_test *test, struct trial *trial, const char *allowed)
{
    souk_sender_options options = {.posts = {.deadline_ms = 1000}, .first_wait_ms = 20};
    souk_outbox_options outbox = {.first_wait_ms = 20};
    SOUK_MUST(souk_inet_ranges_read(souk_text_of(allowed), options.posts.allowed.ranges,
                                    SOUK_TARGET_RANGES, &options.posts.allowed.count, NULL));
    SOUK_MUST(souk_outbox_open(test->mem, trial->desk.spine, &outbox, &trial->outbox, NULL));
    SOUK_MUST(souk_sender_new(test->mem, trial->desk.spine, trial->outbox, &trial->sender));
    SOUK_MUST(souk_sender_start(trial->sender, &options));
}

static void trial_stop(struct trial *trial)
{
    souk_sender_free(souk_take(&trial->sender));
    souk_outbox_free(souk_take(&trial->outbox));
}

static struct trial *trial_open(souk_test *test, const int *plan, const char *allowed)
{
    struct trial *trial = souk_mem_get(souk_mem_heap(), sizeof *trial);
    desk_open(&trial->desk, test);
    receiver_open(test, &trial->receiver, plan);
    souk_ledger *ledger = souk_spine_ledger(trial->desk.spine);
    SOUK_MUST(souk_endpoint_migrate(ledger, NULL));
    SOUK_MUST(souk_ledger_write(ledger, SOUK_LANE_JOB, add_endpoint, trial));
    SOUK_MUST(souk_thread_start(&trial->receiver.thread, "receiver", receive, &trial->receiver));
    trial_start(test, trial, allowed);
    return trial;
}

static void trial_close(struct trial *trial)
{
    trial_stop(trial);
    receiver_close(&trial->receiver);
    desk_close(&trial->desk);
    souk_mem_put(souk_mem_heap(), trial);
}

static void send_events(souk_test *test, struct trial *trial, size_t count)
{
    souk_spine *spine = trial->desk.spine;
    for (size_t i = 0; i < count; i++) {
        souk_event event = {.at = 1767268800000, .received = 1767268800000, .type = SOUK_TEXT("A")};
        char message[32];
        snprintf(message, sizeof message, "m%llu", (unsigned long long)souk_spine_end(spine));
        event.message = souk_hashes_message(souk_spine_hashes(spine), 1, souk_text_of(message));
        souk_batch batch = {.source = 1, .events = &event, .count = 1};
        SOUK_MUST(souk_spine_write(spine, &batch));
    }
    souk_sender_poke(trial->sender);
}

static souk_err count_states(souk_tx *tx, void *context)
{
    int64_t *counts = context;
    SOUK_TRY(souk_sql_one_int(tx, "SELECT count(*) FROM webhook_delivery WHERE state = 0",
                              SOUK_NO_VALUES, &counts[0]));
    return souk_sql_one_int(tx, "SELECT count(*) FROM webhook_delivery WHERE state = 1",
                            SOUK_NO_VALUES, &counts[1]);
}

/* Once the sender is gone, nothing changes any more. */
static void check_states(souk_test *test, struct trial *trial, int64_t waiting, int64_t delivered)
{
    int64_t counts[2];
    SOUK_MUST(souk_ledger_read(souk_spine_ledger(trial->desk.spine), count_states, counts));
    if (counts[0] != waiting || counts[1] != delivered)
        test_fail(test, __FILE__, __LINE__, "%lld wait, %lld delivered", (long long)counts[0],
                  (long long)counts[1]);
}

SOUK_TEST("events go out over a socket, each signed, each once")
{
    static const int plan[] = {204, 0};
    struct trial *trial = trial_open(test, plan, "127.0.0.0/8");
    send_events(test, trial, 100);
    SOUK_CHECK(wait_heard(&trial->receiver, 100));
    trial_stop(trial); /* what is under way ends well */
    SOUK_CHECK(trial->receiver.heard == 100 && trial->receiver.badly_signed == 0);
    check_states(test, trial, 0, 100);
    trial_close(trial);
}

SOUK_TEST("what fails is sent again under its id, and a sender that starts anew goes on")
{
    static const int plan[] = {500, 302, 404, 200, 0};
    struct trial *trial = trial_open(test, plan, "127.0.0.0/8");
    send_events(test, trial, 1);
    SOUK_CHECK(wait_heard(&trial->receiver, 2));
    trial_stop(trial);
    trial_start(test, trial, "127.0.0.0/8");
    SOUK_CHECK(wait_heard(&trial->receiver, 4));
    trial_stop(trial);
    for (size_t i = 1; i < 4; i++)
        SOUK_CHECK(!strcmp(trial->receiver.ids[0], trial->receiver.ids[i]));
    SOUK_CHECK(trial->receiver.badly_signed == 0);
    check_states(test, trial, 0, 1);
    trial_close(trial);
}

SOUK_TEST("a sender ends although a receiver holds its answer back")
{
    static const int plan[] = {-1, 0};
    struct trial *trial = trial_open(test, plan, "127.0.0.0/8");
    send_events(test, trial, 1);
    SOUK_CHECK(wait_heard(&trial->receiver, 1));
    trial_stop(trial);
    check_states(test, trial, 1, 0);
    trial_close(trial);
}

SOUK_TEST("an address that is not allowed is not connected to, however the endpoint came to be")
{
    static const int plan[] = {200, 0};
    struct trial *trial = trial_open(test, plan, "");
    souk_sender_counters counters = {.refused = 0};
    send_events(test, trial, 1);
    while (counters.refused == 0)
        souk_sender_count(trial->sender, &counters);
    trial_stop(trial);
    SOUK_CHECK(trial->receiver.heard == 0);
    check_states(test, trial, 1, 0);
    trial_close(trial);
}

SOUK_TEST("a name is looked up before it is taken, and its addresses are judged")
{
    souk_target_allowed none = {.count = 0}, some;
    souk_diag diag = {.words = ""}, unknown = {.words = ""};
    SOUK_MUST(souk_inet_ranges_read(SOUK_TEXT("127.0.0.0/8"), some.ranges, SOUK_TARGET_RANGES,
                                    &some.count, NULL));
    SOUK_CHECK_ERR(souk_posts_check(&none, SOUK_TEXT("https://localhost/"), &diag), SOUK_EDENIED);
    SOUK_CHECK(strstr(diag.words, "loopback") != NULL);
    SOUK_MUST(souk_posts_check(&some, SOUK_TEXT("http://localhost:1/"), NULL));
    SOUK_MUST(souk_posts_check(&none, SOUK_TEXT("https://8.8.8.8/"), NULL));
    souk_err err = souk_posts_check(&none, SOUK_TEXT("https://nobody.invalid/"), &unknown);
    SOUK_CHECK(err == SOUK_EINVAL || err == SOUK_EBUSY); /* busy: a resolver that answers nothing */
    SOUK_CHECK(strstr(unknown.words, "nobody.invalid") != NULL);
}
