/* progress.h - how far a long command is, on stderr: a bar for people, a few lines for logs.
 *
 *     souk_auto_value(souk_progress) bar = {0};
 *     souk_progress_start(&bar, &(souk_progress_options){.label = "import", .unit = "rows",
 *                                                        .total = row_count});
 *     for (each batch)
 *         souk_progress_add(&bar, batch_rows);
 *     souk_progress_finish(&bar);
 *
 *     import  [==========>                 ]  42 %  1.2 M of 2.9 M rows  310 k/s  0:05 left
 *     import: 2.9 M rows in 0:09, 318 k/s                                 (at the end)
 *
 * On a terminal the bar is drawn again at most ten times a second; elsewhere a line is printed at
 * most every ten seconds, so that a short job leaves its last line only.  Left without finish (an
 * error), the bar stays as it is and its line is ended, so that the error's words start a line of
 * their own.  The rate and the time left follow the last seconds; the end tells the average.
 *
 * Cost     add: one clock read without a system call; call it per batch, not per row
 * Threads  a bar belongs to one.  What cannot be written is not: progress never fails */
#ifndef SOUK_BASE_PROGRESS_H
#define SOUK_BASE_PROGRESS_H

#include "base/text.h"

typedef enum souk_progress_style {
    SOUK_PROGRESS_DETECT, /* a bar where fd is a terminal, lines elsewhere */
    SOUK_PROGRESS_BAR,
    SOUK_PROGRESS_LINES,
    SOUK_PROGRESS_SILENT,
} souk_progress_style;

typedef struct souk_progress_options {
    const char *label;
    const char *unit; /* what is counted, "rows"; NULL: items */
    uint64_t total;   /* 0: unknown; then no percent and no time left */
    souk_progress_style style;
    int fd;                           /* not owned; 0: stderr */
    int64_t (*now_ns)(void *context); /* never goes back; NULL: CLOCK_MONOTONIC */
    void *context;
} souk_progress_options;

/* All private.  Zeroed, it may be done but not added to. */
typedef struct souk_progress {
    souk_progress_options options;
    uint64_t done;
    int64_t started_ns, shown_ns;
    uint64_t shown_done;
    double rate; /* units a second, of late */
    bool running, drawn;
} souk_progress;

/* label and unit must outlive the bar; controls in them are shown as '?'. */
void souk_progress_start(souk_progress *bar, const souk_progress_options *options);
void souk_progress_add(souk_progress *bar, uint64_t more);
/* Sets what is done, for callers who count themselves; it may go back. */
void souk_progress_set(souk_progress *bar, uint64_t done);
/* Prints the last line: count, time and average. */
void souk_progress_finish(souk_progress *bar);
/* Without finish before it: ends the line of the bar. */
void souk_progress_done(souk_progress *bar);

#endif
