/* posts.c - libcurl, tamed: posts.h. */
#include "serve/posts.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>

enum { CHECK_MS = 3000, CONNECT_MS = 10000, KEPT_S = 60, RETRY_MOST_S = 24 * 3600 };

/* A place for one POST: its handle is used again and again. */
struct place {
    souk_posts *posts;
    CURL *easy;
    struct curl_slist *headers;
    void *user;
    bool is_tls, refused, taken;
    size_t answer_bytes;
};

struct souk_posts {
    souk_mem *mem;
    souk_posts_options options;
    CURLM *multi;
    size_t under_way;
    struct place places[SOUK_POSTS_MOST];
};

/* ---- addresses ----------------------------------------------------------------------------------------- */

static bool inet_of(const struct curl_sockaddr *address, souk_inet *ret_inet)
{
    const void *at = &address->addr;
    if (address->family == AF_INET)
        *ret_inet = souk_inet_of_v4(&((const struct sockaddr_in *)at)->sin_addr);
    else if (address->family == AF_INET6)
        *ret_inet = souk_inet_of_v6(&((const struct sockaddr_in6 *)at)->sin6_addr);
    else
        return false;
    return true;
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct place *place = context;
    souk_inet inet;
    (void)purpose;
    if (!inet_of(address, &inet) ||
        souk_target_may(&place->posts->options.allowed, place->is_tls, &inet, NULL)) {
        place->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static void init_library(void)
{
    CURLcode failed = curl_global_init(CURL_GLOBAL_DEFAULT);
    souk_assert(!failed);
}

static void use_library(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int failed = pthread_once(&once, init_library);
    souk_assert(!failed);
}

souk_err souk_posts_new(souk_mem *mem, const souk_posts_options *options, souk_posts **ret_posts)
{
    use_library();
    souk_auto(souk_posts) posts = souk_mem_get(mem, sizeof *posts);
    if (!posts)
        return SOUK_ENOMEM;
    posts->mem = mem;
    posts->options = *options;
    if (!posts->options.deadline_ms)
        posts->options.deadline_ms = 15000;
    posts->multi = curl_multi_init();
    if (!posts->multi)
        return SOUK_ENOMEM;
    curl_multi_setopt(posts->multi, CURLMOPT_MAXCONNECTS, (long)SOUK_POSTS_MOST);
    *ret_posts = souk_take(&posts);
    return SOUK_OK;
}

static void end_place(struct place *place)
{
    if (place->taken) {
        curl_multi_remove_handle(place->posts->multi, place->easy);
        place->posts->under_way--;
    }
    curl_slist_free_all(place->headers);
    place->headers = NULL;
    place->taken = false;
}

void souk_posts_free(souk_posts *posts)
{
    if (!posts)
        return;
    for (size_t i = 0; i < SOUK_POSTS_MOST; i++) {
        end_place(&posts->places[i]);
        curl_easy_cleanup(posts->places[i].easy);
    }
    curl_multi_cleanup(posts->multi);
    souk_mem_put(posts->mem, posts);
}

/* ---- sending ------------------------------------------------------------------------------------------- */

static size_t take_answer(char *at, size_t one, size_t bytes, void *context)
{
    struct place *place = context;
    (void)at;
    place->answer_bytes += one * bytes;
    return place->answer_bytes > SOUK_POSTS_ANSWER ? 0 : bytes; /* 0: cut, the status is known */
}

/* What holds for any connection of ours. */
static bool set_common(CURL *easy, bool is_tls, int64_t deadline_ms)
{
    CURLcode failed = CURLE_OK;
    failed |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    failed |=
        curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  /* a lookup that hangs holds up nobody */
    failed |= curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* whatever the environment says */
    failed |= curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    failed |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, is_tls ? "https" : "http");
    failed |= curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    failed |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    failed |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    failed |= curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    failed |= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)deadline_ms);
    failed |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    failed |= curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)KEPT_S);
    failed |= curl_easy_setopt(easy, CURLOPT_USERAGENT, "Souk/" SOUK_VERSION);
    return !failed;
}

static bool set_post(struct place *place, const souk_post *post)
{
    CURL *easy = place->easy;
    CURLcode failed = CURLE_OK;
    failed |= curl_easy_setopt(easy, CURLOPT_URL, post->url);
    failed |= curl_easy_setopt(easy, CURLOPT_POST, 1L);
    failed |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body.bytes);
    failed |= curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, post->body.at ? post->body.at : "");
    failed |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, place->headers);
    failed |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    failed |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, place);
    failed |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer);
    failed |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, place);
    failed |= curl_easy_setopt(easy, CURLOPT_PRIVATE, place);
    return !failed;
}

static bool add_header(struct place *place, const char *line)
{
    struct curl_slist *longer = curl_slist_append(place->headers, line);
    if (longer)
        place->headers = longer;
    return longer != NULL;
}

static bool set_headers(struct place *place, const souk_post *post)
{
    bool fits = add_header(place, "Content-Type: application/json") && add_header(place, "Expect:");
    for (size_t i = 0; i < SOUK_POSTS_HEADERS && post->headers[i]; i++)
        fits = fits && add_header(place, post->headers[i]);
    return fits;
}

static struct place *free_place(souk_posts *posts)
{
    for (size_t i = 0; i < SOUK_POSTS_MOST; i++)
        if (!posts->places[i].taken)
            return &posts->places[i];
    return NULL;
}

souk_err souk_posts_send(souk_posts *posts, const souk_post *post)
{
    souk_target target;
    struct place *place = free_place(posts);
    SOUK_TRY(souk_target_read(souk_text_of(post->url), &target, NULL));
    if (!place)
        return SOUK_EBUSY;
    if (place->easy)
        curl_easy_reset(place->easy);
    else
        place->easy = curl_easy_init();
    if (!place->easy)
        return SOUK_ENOMEM;
    place->posts = posts;
    place->user = post->user;
    place->is_tls = target.is_tls;
    place->refused = false;
    place->answer_bytes = 0;
    bool made = set_headers(place, post) &&
                set_common(place->easy, target.is_tls, posts->options.deadline_ms) &&
                set_post(place, post) && !curl_multi_add_handle(posts->multi, place->easy);
    place->taken = made;
    posts->under_way += made;
    if (!made)
        end_place(place);
    return made ? SOUK_OK : SOUK_ENOMEM;
}

size_t souk_posts_under_way(const souk_posts *posts)
{
    return posts->under_way;
}

/* ---- answers ------------------------------------------------------------------------------------------- */

static souk_delivery_fault fault_of_code(const struct place *place, CURLcode code)
{
    if (place->refused && (code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT))
        return SOUK_DELIVERY_FAULT_REFUSED;
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return SOUK_DELIVERY_FAULT_TIMEOUT;
    case CURLE_COULDNT_RESOLVE_HOST:
        return SOUK_DELIVERY_FAULT_NAME;
    case CURLE_COULDNT_CONNECT:
        return SOUK_DELIVERY_FAULT_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
        return SOUK_DELIVERY_FAULT_TLS;
    default:
        return SOUK_DELIVERY_FAULT_BROKEN;
    }
}

static souk_delivery_fault fault_of_status(int status)
{
    if (status >= 200 && status < 300)
        return SOUK_DELIVERY_FAULT_NONE;
    return status >= 300 && status < 400 ? SOUK_DELIVERY_FAULT_REDIRECT
                                         : SOUK_DELIVERY_FAULT_STATUS;
}

/* A status that came holds, whatever became of the body behind it. */
static void read_answer(struct place *place, CURLcode code, souk_posted *ret_posted)
{
    long status = 0;
    curl_off_t retry_s = 0;
    *ret_posted = (souk_posted){.user = place->user};
    curl_easy_getinfo(place->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200 || status > 999) {
        ret_posted->fault = fault_of_code(place, code);
        return;
    }
    ret_posted->status = (int)status;
    ret_posted->fault = fault_of_status((int)status);
    if ((status == 429 || status == 503) &&
        !curl_easy_getinfo(place->easy, CURLINFO_RETRY_AFTER, &retry_s) && retry_s > 0)
        ret_posted->retry_ms = 1000 * (retry_s < RETRY_MOST_S ? retry_s : (int64_t)RETRY_MOST_S);
}

bool souk_posts_next(souk_posts *posts, souk_posted *ret_posted)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(posts->multi, &left))) {
        struct place *place = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &place);
        souk_assert(place && place->taken);
        read_answer(place, message->data.result, ret_posted);
        end_place(place);
        return true;
    }
    return false;
}

void souk_posts_wait(souk_posts *posts, int wait_ms)
{
    int running;
    curl_multi_perform(posts->multi, &running);
    if ((size_t)running < posts->under_way) /* one has ended: there is something to read */
        wait_ms = 0;
    curl_multi_poll(posts->multi, NULL, 0, wait_ms, NULL);
    curl_multi_perform(posts->multi, &running);
}

void souk_posts_wake(souk_posts *posts)
{
    curl_multi_wakeup(posts->multi);
}

/* ---- looking before ------------------------------------------------------------------------------------- */

struct looking {
    const souk_target_allowed *allowed;
    bool is_tls;
    unsigned good, refused;
    souk_diag diag; /* why the first was refused */
};

/* Called with each address in turn, since none is connected to. */
static curl_socket_t look_at(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct looking *looking = context;
    souk_inet inet;
    (void)purpose;
    if (inet_of(address, &inet) &&
        !souk_target_may(looking->allowed, looking->is_tls, &inet, &looking->diag))
        looking->good++;
    else
        looking->refused++;
    return CURL_SOCKET_BAD;
}

static CURLcode look_up(const souk_target *target, struct looking *looking)
{
    char url[SOUK_TARGET_HOST + 40];
    CURL *easy = curl_easy_init();
    CURLcode code = CURLE_OUT_OF_MEMORY;
    snprintf(url, sizeof url, "%s://%s:%u/", target->is_tls ? "https" : "http", target->host,
             target->port);
    if (easy && set_common(easy, target->is_tls, CHECK_MS) &&
        !curl_easy_setopt(easy, CURLOPT_URL, url) &&
        !curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L) &&
        !curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, look_at) &&
        !curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, looking))
        code = curl_easy_perform(easy);
    curl_easy_cleanup(easy);
    return code;
}

souk_err souk_posts_check(const souk_target_allowed *allowed, souk_text url, souk_diag *diag)
{
    souk_target target;
    SOUK_TRY(souk_target_read(url, &target, diag));
    if (target.is_address)
        return souk_target_may(allowed, target.is_tls, &target.inet, diag);
    struct looking looking = {.allowed = allowed, .is_tls = target.is_tls};
    use_library();
    CURLcode code = look_up(&target, &looking);
    if (looking.good)
        return SOUK_OK;
    if (looking.refused)
        return souk_diag_say(diag, SOUK_EDENIED, "%s leads to an address that is not taken: %s",
                             target.host, looking.diag.words);
    if (code == CURLE_COULDNT_RESOLVE_HOST)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the host %s is not known to the name service: correct the name",
                             target.host);
    return code == CURLE_OUT_OF_MEMORY
               ? SOUK_ENOMEM
               : souk_diag_say(diag, SOUK_EBUSY, "the host %s was not found within %d s: try again",
                               target.host, CHECK_MS / 1000);
}
