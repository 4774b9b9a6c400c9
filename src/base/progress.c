/* progress.c - the lines of progress.h, made in a small array and written at once. */
#include "base/progress.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 400, LABEL_BYTES = 60, CELLS_MAX = 40, COLUMNS = 80 };

static const int64_t bar_pause_ns = 100000000, line_pause_ns = 10000000000;
/* The rate forgets what is older than a few of these. */
static const double memory_s = 3;

typedef struct line {
    char at[LINE_BYTES];
    size_t bytes;
} line;

static void print(line *out, const char *format, ...) SOUK_PRINTF(2, 3);
static void print(line *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int bytes = vsnprintf(out->at + out->bytes, LINE_BYTES - out->bytes, format, arguments);
    va_end(arguments);
    if (bytes > 0)
        out->bytes = souk_min_size(out->bytes + (size_t)bytes, LINE_BYTES - 1);
}

/* Shortens the line, not in the middle of a UTF-8 character. */
static void cut(line *out, size_t bytes)
{
    if (out->bytes <= bytes)
        return;
    while (bytes && ((unsigned char)out->at[bytes] & 0xC0) == 0x80)
        bytes--;
    out->bytes = bytes;
}

/* A label or unit: what might move the cursor is shown as '?', and it is cut to LABEL_BYTES. */
static void print_name(line *out, const char *name)
{
    size_t limit = out->bytes + LABEL_BYTES;
    for (; *name && out->bytes <= limit; name++) {
        unsigned char c = (unsigned char)*name;
        print(out, "%c", c < 0x20 || c == 0x7F ? '?' : c);
    }
    cut(out, limit);
}

/* "999", "1.2 k", "310 k", "2.9 M" */
static void print_count(line *out, double count)
{
    static const char *const units[] = {"", " k", " M", " G", " T", " P", " E"};
    size_t unit = 0;
    for (; count >= 999.5 && unit + 1 < sizeof units / sizeof *units; unit++)
        count /= 1000;
    print(out, unit && count < 9.95 ? "%.1f%s" : "%.0f%s", count, units[unit]);
}

/* "0:05", "12:34", "1:02:03" */
static void print_duration(line *out, double seconds_exact)
{
    long long seconds = seconds_exact < 1e12 ? (long long)(seconds_exact + 0.5) : 0;
    if (seconds >= 3600)
        print(out, "%lld:%02lld:%02lld", seconds / 3600, seconds / 60 % 60, seconds % 60);
    else
        print(out, "%lld:%02lld", seconds / 60, seconds % 60);
}

static int64_t now_of(const souk_progress *bar)
{
    if (bar->options.now_ns)
        return bar->options.now_ns(bar->options.context);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Progress never fails, but a line that was begun is ended where that is possible. */
static void send(const souk_progress *bar, const line *out)
{
    size_t sent = 0;
    while (sent < out->bytes) {
        ssize_t bytes = write(bar->options.fd, out->at + sent, out->bytes - sent);
        if (bytes < 0 && errno == EINTR)
            continue;
        if (bytes <= 0)
            return;
        sent += (size_t)bytes;
    }
}

static size_t columns_of(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : COLUMNS;
}

static unsigned percent_of(const souk_progress *bar)
{
    double share = (double)bar->done / (double)bar->options.total;
    return share >= 1 ? 100 : (unsigned)(share * 100);
}

/* "1.2 M of 2.9 M rows", and between `gap`s "310 k/s" and "0:05 left". */
static void print_state(line *out, const souk_progress *bar, const char *gap)
{
    print_count(out, (double)bar->done);
    if (bar->options.total) {
        print(out, " of ");
        print_count(out, (double)bar->options.total);
    }
    print(out, " ");
    print_name(out, bar->options.unit);
    if (bar->rate <= 0)
        return;
    print(out, "%s", gap);
    print_count(out, bar->rate);
    print(out, "/s");
    if (bar->options.total > bar->done) {
        print(out, "%s", gap);
        print_duration(out, (double)(bar->options.total - bar->done) / bar->rate);
        print(out, " left");
    }
}

static void print_cells(line *out, size_t cells, unsigned percent)
{
    size_t full = cells * percent / 100;
    print(out, "[");
    for (size_t i = 0; i < cells; i++)
        print(out, "%c", i < full ? '=' : i == full ? '>' : ' ');
    print(out, "]");
}

/* The bar's own width is what the words leave of the terminal's. */
static void draw_bar(souk_progress *bar)
{
    line words = {.bytes = 0}, out = {.bytes = 0};
    if (bar->options.total)
        print(&words, "  %3u %%", percent_of(bar));
    print(&words, "  ");
    print_state(&words, bar, "  ");
    /* One column less than there are, or some terminals begin a new line. */
    size_t columns = souk_min_size(columns_of(bar->options.fd) - 1, LINE_BYTES - 20);
    print(&out, "\r");
    print_name(&out, bar->options.label);
    print(&out, " ");
    if (bar->options.total && columns > out.bytes + words.bytes + 12) {
        size_t cells = columns - out.bytes - words.bytes - 3;
        print(&out, " ");
        print_cells(&out, souk_min_size(cells, CELLS_MAX), percent_of(bar));
    }
    print(&out, "%s", words.at);
    cut(&out, columns + 1); /* with the CR */
    print(&out, "\x1b[K");
    send(bar, &out);
    bar->drawn = true;
}

static void print_line(const souk_progress *bar)
{
    line out = {.bytes = 0};
    print_name(&out, bar->options.label);
    print(&out, ": ");
    if (bar->options.total)
        print(&out, "%u %%, ", percent_of(bar));
    print_state(&out, bar, ", ");
    print(&out, "\n");
    send(bar, &out);
}

static void show(souk_progress *bar, int64_t now_ns)
{
    double passed_s = (double)(now_ns - bar->shown_ns) / 1e9;
    double since_s = (double)(now_ns - bar->started_ns) / 1e9;
    if (passed_s > 0 && bar->done >= bar->shown_done) {
        double rate = (double)(bar->done - bar->shown_done) / passed_s;
        /* In its first seconds the memory is no longer than the job. */
        double memory = since_s < memory_s ? since_s : memory_s;
        double weight = passed_s < memory ? passed_s / memory : 1;
        bar->rate += (rate - bar->rate) * weight;
    }
    bar->shown_ns = now_ns;
    bar->shown_done = bar->done;
    if (bar->options.style == SOUK_PROGRESS_BAR)
        draw_bar(bar);
    else
        print_line(bar);
}

void souk_progress_start(souk_progress *bar, const souk_progress_options *options)
{
    *bar = (souk_progress){.options = *options, .running = true};
    souk_progress_options *o = &bar->options;
    if (o->fd == 0)
        o->fd = STDERR_FILENO;
    if (!o->unit)
        o->unit = "items";
    if (o->style == SOUK_PROGRESS_DETECT)
        o->style = isatty(o->fd) ? SOUK_PROGRESS_BAR : SOUK_PROGRESS_LINES;
    bar->started_ns = bar->shown_ns = now_of(bar);
    if (o->style == SOUK_PROGRESS_BAR)
        draw_bar(bar);
}

void souk_progress_set(souk_progress *bar, uint64_t done)
{
    souk_assert(bar->running);
    bar->done = done;
    if (bar->options.style == SOUK_PROGRESS_SILENT)
        return;
    int64_t now_ns = now_of(bar);
    bool is_bar = bar->options.style == SOUK_PROGRESS_BAR;
    if (now_ns - bar->shown_ns >= (is_bar ? bar_pause_ns : line_pause_ns))
        show(bar, now_ns);
}

void souk_progress_add(souk_progress *bar, uint64_t more)
{
    souk_progress_set(bar, bar->done > UINT64_MAX - more ? UINT64_MAX : bar->done + more);
}

void souk_progress_finish(souk_progress *bar)
{
    souk_assert(bar->running);
    bar->running = false;
    if (bar->options.style == SOUK_PROGRESS_SILENT)
        return;
    double took_s = (double)(now_of(bar) - bar->started_ns) / 1e9;
    line out = {.bytes = 0};
    if (bar->drawn)
        print(&out, "\r\x1b[K");
    print_name(&out, bar->options.label);
    print(&out, ": ");
    print_count(&out, (double)bar->done);
    print(&out, " ");
    print_name(&out, bar->options.unit);
    print(&out, " in ");
    print_duration(&out, took_s);
    if (took_s > 0) {
        print(&out, ", ");
        print_count(&out, (double)bar->done / took_s);
        print(&out, "/s");
    }
    print(&out, "\n");
    send(bar, &out);
}

void souk_progress_done(souk_progress *bar)
{
    if (bar->running && bar->drawn)
        send(bar, &(line){"\n", 1});
    bar->running = false;
}
