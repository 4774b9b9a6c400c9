/* queue.h - jobs in the order in which they came; private to store/.  Lies in its owner's storage, under its lock.
 *
 *     struct queue queue;
 *     queue_init(&queue);
 *     queue_push(&queue, job);
 *     souk_job *first = queue_pop(&queue);            NULL: empty */
#ifndef SOUK_STORE_QUEUE_H
#define SOUK_STORE_QUEUE_H

#include "store/ledger.h"

struct queue {
    souk_job *first, **end;
    size_t count;
};

static inline void queue_init(struct queue *queue)
{
    *queue = (struct queue){.end = &queue->first};
}

static inline void queue_push(struct queue *queue, souk_job *job)
{
    job->next = NULL;
    *queue->end = job;
    queue->end = &job->next;
    queue->count++;
}

static inline souk_job *queue_pop(struct queue *queue)
{
    souk_job *job = queue->first;
    if (!job)
        return NULL;
    queue->first = job->next;
    if (!queue->first)
        queue->end = &queue->first;
    queue->count--;
    job->next = NULL;
    return job;
}

#endif
