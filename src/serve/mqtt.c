/* mqtt.c - the connection to the broker: one thread that reads what came, stores it, acknowledges it.
 *
 * The round, and why no acknowledgement runs ahead: mosquitto_loop_read hands messages to the inbox and queues their
 * PUBACKs; only mosquitto_loop_write sends anything, and it is called where the inbox is empty. */
#include "serve/mqtt.h"

#include "os/thread.h"

#include <errno.h>
#include <mosquitto.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

enum {
    KEEPALIVE_S = 30,
    FIRST_WAIT_MS = 500,
    LONGEST_WAIT_MS = 30000,
    LASTED_MS = 60000,
    CONNECT_MS = 10000, /* from the first packet to the broker's answer */
    POLL_MS = 1000,
    HOST_BYTES = 256,
};

struct souk_mqtt {
    souk_mem *mem;
    souk_spine *spine;
    souk_merchants *merchants;
    souk_log *log;
    souk_arena texts; /* the options' */
    souk_mqtt_options options;
    char host[HOST_BYTES];
    int port;
    souk_mqtt_topic topics[SOUK_MQTT_TOPICS];
    size_t topic_count;
    souk_inbox *inbox;
    struct mosquitto *client;
    souk_thread thread;
    souk_wake wake;
    bool has_wake, is_started;
    /* of the thread, but for what is told to others */
    bool stopping;           /* atomic */
    bool is_connected;       /* atomic */
    int64_t since_ns;        /* when the connection was begun */
    int64_t wait_ms;         /* before the next one */
    uint64_t connects, lost; /* atomic */
};

static bool is_set(const bool *flag)
{
    return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void set(bool *flag, bool value)
{
    __atomic_store_n(flag, value, __ATOMIC_RELEASE);
}

static int64_t now_ns(const souk_mqtt *mqtt)
{
    return souk_clock_monotonic_ns(souk_spine_clock(mqtt->spine));
}

/* ---- what libmosquitto tells --------------------------------------------------------------------------- */

static void warn(souk_mqtt *mqtt, const char *words, const char *reason)
{
    souk_log_with(mqtt->log, SOUK_LOG_WARN, "mqtt", words,
                  SOUK_LOG_TEXT("broker", souk_text_of(mqtt->options.broker)),
                  SOUK_LOG_TEXT("reason", souk_text_of(reason)));
}

/* A session that the broker kept has its subscriptions still; telling them again changes what was changed here. */
static void on_connect(struct mosquitto *client, void *context, int refused)
{
    souk_mqtt *mqtt = context;
    char filter[SOUK_MQTT_FILTER_BYTES + 1];
    if (refused) {
        warn(mqtt, "the broker refuses the connection", mosquitto_connack_string(refused));
        return;
    }
    for (size_t i = 0; i < mqtt->topic_count; i++) {
        snprintf(filter, sizeof filter, "%.*s", SOUK_TEXT_PRINT(mqtt->topics[i].filter));
        int failed = mosquitto_subscribe(client, NULL, filter, 1);
        if (failed)
            warn(mqtt, "a subscription could not be sent", mosquitto_strerror(failed));
    }
    set(&mqtt->is_connected, true);
    __atomic_fetch_add(&mqtt->connects, 1, __ATOMIC_RELAXED);
    souk_log_with(mqtt->log, SOUK_LOG_INFO, "mqtt", "connected to the broker",
                  SOUK_LOG_TEXT("broker", souk_text_of(mqtt->options.broker)));
}

static void on_subscribe(struct mosquitto *client, void *context, int id, int count,
                         const int *granted)
{
    (void)client;
    (void)id;
    for (int i = 0; i < count; i++)
        if (granted[i] > 2)
            warn(context, "the broker refuses a subscription", "its rules forbid the topic");
        else if (granted[i] == 0)
            warn(context, "the broker grants QoS 0 only", "messages may be lost");
}

static void on_message(struct mosquitto *client, void *context,
                       const struct mosquitto_message *message)
{
    souk_mqtt *mqtt = context;
    (void)client;
    souk_text payload = {message->payload, (size_t)message->payloadlen};
    if (!payload.bytes)
        payload.at = "";
    souk_inbox_take(mqtt->inbox, souk_text_of(message->topic), payload, message->retain);
}

/* ---- the connection -------------------------------------------------------------------------------------- */

/* Twice as long as before, from half a second to half a minute; from the start where it has gone well for a while. */
static void wait_longer(souk_mqtt *mqtt)
{
    if (now_ns(mqtt) - mqtt->since_ns > (int64_t)LASTED_MS * 1000000)
        mqtt->wait_ms = 0;
    int64_t next = mqtt->wait_ms ? 2 * mqtt->wait_ms : FIRST_WAIT_MS;
    mqtt->wait_ms = next < LONGEST_WAIT_MS ? next : LONGEST_WAIT_MS;
}

/* Ends it so that nothing queued is sent any more; the next connect forgets the queue. */
static void drop(souk_mqtt *mqtt, const char *words, const char *reason)
{
    int fd = mosquitto_socket(mqtt->client);
    if (is_set(&mqtt->is_connected))
        __atomic_fetch_add(&mqtt->lost, 1, __ATOMIC_RELAXED);
    set(&mqtt->is_connected, false);
    if (fd >= 0)
        shutdown(fd, SHUT_RDWR);
    warn(mqtt, words, reason);
    wait_longer(mqtt);
    mqtt->since_ns = 0;
}

static const char *reason_of(int failed)
{
    return failed == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(failed);
}

static void connect_again(souk_mqtt *mqtt)
{
    mqtt->since_ns = now_ns(mqtt);
    int failed = mosquitto_connect_async(mqtt->client, mqtt->host, mqtt->port, KEEPALIVE_S);
    if (failed)
        drop(mqtt, "the broker cannot be reached", reason_of(failed));
}

/* Whether something can be read, or the wake-up was raised; writes what waits: the inbox is empty. */
static bool wait_readable(souk_mqtt *mqtt, int wait_ms)
{
    int fd = mosquitto_socket(mqtt->client);
    bool wants = mosquitto_want_write(mqtt->client);
    struct pollfd fds[] = {{.fd = fd, .events = (short)(POLLIN | (wants ? POLLOUT : 0))},
                           {.fd = mqtt->wake.fd, .events = POLLIN}};
    if (poll(fds, 2, wait_ms) <= 0)
        return false;
    if (fds[0].revents & POLLOUT) {
        int failed = mosquitto_loop_write(mqtt->client, 1);
        if (failed) {
            drop(mqtt, "the connection to the broker is lost", reason_of(failed));
            return false;
        }
    }
    return fds[0].revents & (POLLIN | POLLHUP | POLLERR);
}

static bool is_readable(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    return fd >= 0 && poll(&one, 1, 0) > 0;
}

/* Reads what has come, as far as the inbox takes it. */
static int read_messages(souk_mqtt *mqtt)
{
    int failed = 0;
    do
        failed = mosquitto_loop_read(mqtt->client, 1);
    while (!failed && !souk_inbox_full(mqtt->inbox) && is_readable(mosquitto_socket(mqtt->client)));
    return failed;
}

/* Stores, then acknowledges: in this order.  What came before the connection broke is stored as well, though nobody can be
 * told. */
static void store(souk_mqtt *mqtt, int failed)
{
    souk_err err = souk_inbox_store(mqtt->inbox);
    if (err)
        drop(mqtt, "messages of the broker could not be stored, and will come again",
             souk_err_words(err));
    else if (failed)
        drop(mqtt, "the connection to the broker is lost", reason_of(failed));
    else if ((failed = mosquitto_loop_write(mqtt->client, 1)) != 0)
        drop(mqtt, "the connection to the broker is lost", reason_of(failed));
}

/* One round of a connection. */
static void work(souk_mqtt *mqtt)
{
    if (wait_readable(mqtt, POLL_MS))
        store(mqtt, read_messages(mqtt));
    if (!mqtt->since_ns)
        return;
    int failed = mosquitto_loop_misc(mqtt->client);
    if (failed)
        drop(mqtt, "the connection to the broker is lost", reason_of(failed));
    else if (!is_set(&mqtt->is_connected) &&
             now_ns(mqtt) - mqtt->since_ns > (int64_t)CONNECT_MS * 1000000)
        drop(mqtt, "the broker cannot be reached", "it does not answer");
}

static void run(void *context)
{
    souk_mqtt *mqtt = context;
    while (!is_set(&mqtt->stopping)) {
        if (mqtt->since_ns)
            work(mqtt);
        else if (!souk_wake_wait(&mqtt->wake, mqtt->wait_ms))
            connect_again(mqtt);
    }
    if (is_set(&mqtt->is_connected)) {
        set(&mqtt->is_connected, false);
        mosquitto_disconnect(mqtt->client);
        mosquitto_loop_write(mqtt->client, 1);
    }
}

/* ---- start and end ----------------------------------------------------------------------------------------- */

static souk_err split_broker(souk_text broker, char host[HOST_BYTES], int *ret_port,
                             souk_diag *diag)
{
    size_t colon = broker.bytes;
    uint64_t port;
    while (colon && broker.at[colon - 1] != ':')
        colon--;
    souk_text name = {broker.at, colon ? colon - 1 : 0};
    souk_text number = {broker.at + colon, broker.bytes - colon};
    if (name.bytes > 2 && name.at[0] == '[' && name.at[name.bytes - 1] == ']')
        name = (souk_text){name.at + 1, name.bytes - 2};
    else if (name.bytes && memchr(name.at, ':', name.bytes))
        name.bytes = 0;
    if (name.bytes == 0 || name.bytes >= HOST_BYTES || souk_text_to_u64(number, &port) ||
        port == 0 || port > 65535)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "'%.*s' is no broker: write HOST:PORT, such as broker.shop:1883",
                             (int)souk_min_size(broker.bytes, 100), broker.at);
    if (host)
        memcpy(host, name.at, name.bytes);
    if (host)
        host[name.bytes] = '\0';
    if (ret_port)
        *ret_port = (int)port;
    return SOUK_OK;
}

souk_err souk_mqtt_check_broker(souk_text broker, souk_diag *diag)
{
    return split_broker(broker, NULL, NULL, diag);
}

static souk_err copy_options(souk_mqtt *mqtt, const souk_mqtt_options *options)
{
    const char **texts[] = {&mqtt->options.broker,    &mqtt->options.ca_file,
                            &mqtt->options.user,      &mqtt->options.password,
                            &mqtt->options.client_id, &mqtt->options.subscriptions};
    mqtt->options = *options;
    mqtt->log = options->log;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = souk_text_in(&mqtt->texts, souk_text_of(*texts[i] ? *texts[i] : ""));
    return mqtt->texts.failed ? SOUK_ENOMEM : SOUK_OK;
}

static souk_err prepare_client(souk_mqtt *mqtt, souk_diag *diag)
{
    const souk_mqtt_options *options = &mqtt->options;
    int failed = 0;
    mqtt->client = mosquitto_new(options->client_id, false, mqtt);
    if (!mqtt->client)
        return errno == ENOMEM
                   ? SOUK_ENOMEM
                   : souk_diag_say(diag, SOUK_EINVAL, "'%s' is no client id: name one that stays",
                                   options->client_id);
    mosquitto_threaded_set(mqtt->client, true); /* acknowledgements wait for us, see mqtt.h */
    mosquitto_connect_callback_set(mqtt->client, on_connect);
    mosquitto_subscribe_callback_set(mqtt->client, on_subscribe);
    mosquitto_message_callback_set(mqtt->client, on_message);
    if (options->user[0])
        failed = mosquitto_username_pw_set(mqtt->client, options->user,
                                           options->password[0] ? options->password : NULL);
    if (failed)
        return souk_diag_say(diag, SOUK_EINVAL, "the broker's user and password: %s",
                             mosquitto_strerror(failed));
    if (options->ca_file[0])
        failed = mosquitto_tls_set(mqtt->client, options->ca_file, NULL, NULL, NULL, NULL);
    if (failed)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the broker's certificates %s cannot be read: name a file of PEM",
                             options->ca_file);
    return SOUK_OK;
}

souk_err souk_mqtt_start(souk_mqtt *mqtt, const souk_mqtt_options *options, souk_diag *diag)
{
    souk_assert(!mqtt->is_started);
    SOUK_TRY(copy_options(mqtt, options));
    SOUK_TRY(split_broker(souk_text_of(options->broker), mqtt->host, &mqtt->port, diag));
    SOUK_TRY(souk_mqtt_topics_read(souk_text_of(mqtt->options.subscriptions), mqtt->topics,
                                   &mqtt->topic_count, diag));
    if (mqtt->topic_count == 0)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "there is a broker and no subscription: write TOPIC-FILTER = FORM, "
                             "SOURCE, STORE");
    SOUK_TRY(souk_inbox_open(mqtt->mem, mqtt->spine, mqtt->merchants, mqtt->topics,
                             mqtt->topic_count, &mqtt->inbox, diag));
    mosquitto_lib_init();
    mqtt->is_started = true;
    SOUK_TRY(prepare_client(mqtt, diag));
    SOUK_TRY(souk_wake_init(&mqtt->wake));
    mqtt->has_wake = true;
    return souk_thread_start(&mqtt->thread, "mqtt", run, mqtt);
}

static souk_err open_mqtt(souk_mem *mem, souk_spine *spine, souk_merchants *merchants,
                          void **ret_state)
{
    souk_mqtt *mqtt = souk_mem_get(mem, sizeof *mqtt);
    if (!mqtt)
        return SOUK_ENOMEM;
    mqtt->mem = mqtt->texts.mem = mem;
    mqtt->spine = spine;
    mqtt->merchants = merchants;
    *ret_state = mqtt;
    return SOUK_OK;
}

static void close_mqtt(void *state)
{
    souk_mqtt *mqtt = state;
    if (!mqtt)
        return;
    set(&mqtt->stopping, true);
    if (mqtt->has_wake)
        souk_wake_raise(&mqtt->wake);
    souk_thread_join(&mqtt->thread);
    if (mqtt->has_wake)
        souk_wake_done(&mqtt->wake);
    if (mqtt->client)
        mosquitto_destroy(mqtt->client);
    if (mqtt->is_started)
        mosquitto_lib_cleanup();
    souk_inbox_free(mqtt->inbox);
    souk_arena_done(&mqtt->texts);
    souk_mem_put(mqtt->mem, mqtt);
}

/* ---- what it counts ----------------------------------------------------------------------------------------- */

souk_mqtt_counts souk_mqtt_count(const souk_mqtt *mqtt)
{
    souk_mqtt_counts counts = {.connects = __atomic_load_n(&mqtt->connects, __ATOMIC_RELAXED),
                               .lost = __atomic_load_n(&mqtt->lost, __ATOMIC_RELAXED),
                               .is_connected = is_set(&mqtt->is_connected)};
    if (mqtt->inbox)
        counts.inbox = souk_inbox_count(mqtt->inbox);
    return counts;
}

struct figure {
    const char *name, *help;
    uint64_t value;
};
enum { FIGURES = 12 };

static void list_figures(const souk_mqtt_counts *counts, struct figure figures[FIGURES])
{
    const souk_inbox_counts *inbox = &counts->inbox;
    const struct figure all[FIGURES] = {
        {"messages", "Messages of the broker.", inbox->messages},
        {"events", "Events that they made, repeats among them.", inbox->events},
        {"rejects", "Rejects that they made.", inbox->rejects},
        {"rejects_dropped", "Rejects beyond what is kept of a flood.", inbox->rejects_dropped},
        {"left_out", "Faces and plates that were not kept.", inbox->left_out},
        {"retained", "Retained messages, passed over.", inbox->retained},
        {"unmatched", "Messages that no subscription names.", inbox->unmatched},
        {"too_large", "Messages that were too large.", inbox->too_large},
        {"stores", "Batches stored before they were acknowledged.", inbox->stores},
        {"failed_stores", "Batches that the broker sends again.", inbox->failed_stores},
        {"connects", "Connections made to the broker.", counts->connects},
        {"lost", "Connections that broke.", counts->lost},
    };
    memcpy(figures, all, sizeof all);
}

/* Nothing while it was never started. */
static void write_metrics(void *state, souk_buf *out)
{
    const souk_mqtt *mqtt = state;
    struct figure figures[FIGURES];
    if (!mqtt->is_started)
        return;
    souk_mqtt_counts counts = souk_mqtt_count(mqtt);
    list_figures(&counts, figures);
    souk_buf_print(out,
                   "# HELP souk_mqtt_connected 1 while the broker is there.\n"
                   "# TYPE souk_mqtt_connected gauge\nsouk_mqtt_connected %d\n",
                   counts.is_connected);
    for (size_t i = 0; i < FIGURES; i++)
        souk_buf_print(out,
                       "# HELP souk_mqtt_%s_total %s\n# TYPE souk_mqtt_%s_total counter\n"
                       "souk_mqtt_%s_total %llu\n",
                       figures[i].name, figures[i].help, figures[i].name, figures[i].name,
                       (unsigned long long)figures[i].value);
}

static void get_mqtt(souk_call *call)
{
    const souk_mqtt *mqtt = call->state;
    struct figure figures[FIGURES];
    souk_mqtt_counts counts = souk_mqtt_count(mqtt);
    souk_json_writer *out = souk_call_json(call);
    list_figures(&counts, figures);
    souk_json_write_object(out);
    souk_json_put_bool(out, "running", mqtt->is_started);
    souk_json_put_bool(out, "connected", counts.is_connected);
    if (mqtt->is_started) {
        souk_json_put_text(out, "broker", souk_text_of(mqtt->options.broker));
    }
    for (size_t i = 0; i < FIGURES; i++) {
        souk_json_write_key(out, souk_text_of(figures[i].name));
        souk_json_write_u64(out, figures[i].value);
    }
    souk_json_write_end(out);
    souk_call_answer(call, 200);
}

static const souk_route routes[] = {
    {"GET", "/v1/mqtt", SOUK_SCOPE_READ, get_mqtt,
     .summary = "Whether the broker of devices is there, and what came from it", .operators = true,
     .gives = "{running: boolean, connected: boolean, broker?: text, messages: integer, "
              "events: integer, rejects: integer, *: integer}"},
};

const souk_service souk_mqtt_service = {
    .name = "mqtt",
    .open = open_mqtt,
    .close = close_mqtt,
    .routes = routes,
    .route_count = sizeof routes / sizeof *routes,
    .count = write_metrics,
};
