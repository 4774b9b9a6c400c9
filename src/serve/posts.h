/* posts.h - HTTP POSTs to strangers, many at once from one thread, to none but the addresses that they may go to.
 *
 *     SOUK_TRY(souk_posts_new(mem, &options, &posts));
 *     SOUK_TRY(souk_posts_send(posts, &(souk_post){.url = "https://h.example/", .body = body, .user = delivery}));
 *     souk_posts_wait(posts, 100);
 *     while (souk_posts_next(posts, &posted))
 *         note(posted.user, posted.status, posted.fault);
 *
 * Whatever a name leads to is looked at when the connection is opened, address by address: a name that led elsewhere when
 * it was checked gains nothing.  Redirects are answers like others.  Proxies of the environment are not asked.  Of an
 * answer the status counts, and Retry-After; its body is read to SOUK_POSTS_ANSWER bytes and forgotten.
 *
 * Limits   SOUK_POSTS_MOST under way; deadline_ms from the first step to the end of the answer
 * Kept     connections, for the next POST to the same host; certificates are verified by the system's list
 * Source   libcurl: CURLOPT_OPENSOCKETFUNCTION(3), CURLOPT_QUICK_EXIT(3)
 * Threads  one, and souk_posts_wake from any; souk_posts_check from any */
#ifndef SOUK_SERVE_POSTS_H
#define SOUK_SERVE_POSTS_H

#include "serve/outbox.h"
#include "serve/target.h"

enum { SOUK_POSTS_MOST = 64, SOUK_POSTS_ANSWER = 4096, SOUK_POSTS_HEADERS = 4 };

typedef struct souk_posts souk_posts;

typedef struct souk_posts_options {
    souk_target_allowed allowed;
    int64_t deadline_ms; /* 0: 15,000 */
} souk_posts_options;

SOUK_CHECKED souk_err souk_posts_new(souk_mem *mem, const souk_posts_options *options,
                                     souk_posts **ret_posts);
/* What is under way is cut. */
void souk_posts_free(souk_posts *posts);
SOUK_AUTO(souk_posts)

typedef struct souk_post {
    const char *url;                         /* that souk_target_read has read */
    const char *headers[SOUK_POSTS_HEADERS]; /* "name: value"; NULL: none */
    souk_text body;                          /* JSON; copied, like the rest */
    void *user;
} souk_post;
/* SOUK_EBUSY: SOUK_POSTS_MOST are under way.  SOUK_EINVAL: the url.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_posts_send(souk_posts *posts, const souk_post *post);
size_t souk_posts_under_way(const souk_posts *posts);

typedef struct souk_posted {
    void *user;
    int status;                /* 0: there was no answer */
    souk_delivery_fault fault; /* none of 2xx */
    int64_t retry_ms;          /* what a 429 or 503 asked for; 0: nothing */
} souk_posted;
/* The next that has ended. */
bool souk_posts_next(souk_posts *posts, souk_posted *ret_posted);

/* Goes on with what is under way; returns when something happened there, somebody woke it, or after wait_ms. */
void souk_posts_wait(souk_posts *posts, int wait_ms);
void souk_posts_wake(souk_posts *posts);

/* Whether the url may be sent to now: its name is looked up, nothing is connected to.
 * SOUK_EDENIED: none of its addresses may be.  SOUK_EINVAL: no url, no such host.  SOUK_EBUSY: nobody said within 3 s. */
SOUK_CHECKED souk_err souk_posts_check(const souk_target_allowed *allowed, souk_text url,
                                       souk_diag *diag);

#endif
