/* bench_server.c - a server of this very binary, started for a measurement, and what the system says of it. */
#include "app/bench.h"
#include "os/socket.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

double bench_wall_s(void)
{
    return (double)souk_clock_monotonic_ns(souk_clock_real()) / 1e9;
}

double bench_cpu_s(long pid)
{
    char path[64], text[1024];
    unsigned long user = 0, system = 0, child_user = 0, child_system = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    size_t bytes = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[bytes] = '\0';
    const char *at = strrchr(text, ')');
    if (at)
        sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu", &user,
               &system, &child_user, &child_system);
    return (double)(user + system + child_user + child_system) / (double)sysconf(_SC_CLK_TCK);
}

static double thread_cpu_s(long pid, const char *task, const char *name)
{
    char path[400], is[32] = "";
    unsigned long long ns = 0;
    snprintf(path, sizeof path, "/proc/%ld/task/%s/comm", pid, task);
    FILE *file = fopen(path, "r");
    bool found = file && fscanf(file, "%31[^\n]", is) == 1 && !strcmp(is, name);
    if (file)
        fclose(file);
    snprintf(path, sizeof path, "/proc/%ld/task/%s/schedstat", pid, task);
    file = found ? fopen(path, "r") : NULL;
    found = file && fscanf(file, "%llu", &ns) == 1;
    if (file)
        fclose(file);
    return found ? (double)ns / 1e9 : 0;
}

double bench_thread_cpu_s(long pid, const char *name)
{
    char path[64];
    double sum = 0;
    snprintf(path, sizeof path, "/proc/%ld/task", pid);
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            sum += thread_cpu_s(pid, entry->d_name, name);
    if (dir)
        closedir(dir);
    return sum;
}

uint64_t bench_anonymous_bytes(long pid)
{
    char path[64], line[256];
    unsigned long kib = 0;
    snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "Anonymous: %lu kB", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return (uint64_t)kib * 1024;
}

uint64_t bench_folder_bytes(const char *folder)
{
    uint64_t sum = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[1024];
        struct stat status;
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (stat(path, &status))
            continue;
        sum += S_ISDIR(status.st_mode) ? bench_folder_bytes(path) : (uint64_t)status.st_size;
    }
    if (dir)
        closedir(dir);
    return sum;
}

souk_err bench_found(bench_run *bench, const char *data, bench_server *server, souk_diag *diag)
{
    app_options options = {.data = data};
    souk_auto(souk_disk) disk = NULL;
    souk_secrets secrets;
    app_shop shop = {.disk = NULL};
    SOUK_TRY(souk_disk_open_real(bench->mem, data, &disk, diag));
    if (souk_disk_exists(disk, "ledger"))
        return SOUK_OK;
    SOUK_TRY(souk_spine_init(bench->mem, disk, NULL, diag));
    souk_disk_free(souk_take(&disk));
    SOUK_TRY(app_shop_open(&options, &shop, diag));
    souk_err err = souk_merchants_found(shop.merchants, SOUK_TEXT("bench"), &secrets);
    souk_err closed = app_shop_close(&shop);
    snprintf(server->write_key, sizeof server->write_key, "%s", secrets.write_key);
    snprintf(server->token, sizeof server->token, "%s", secrets.admin_token);
    return err ? err : closed;
}

const char *bench_self(void)
{
    static char self[512];
    ssize_t bytes = readlink("/proc/self/exe", self, sizeof self - 1);
    self[bytes > 0 ? bytes : 0] = '\0';
    return self;
}

static void become_server(const char *data, int cpu, unsigned loops, int out)
{
    char loop_text[16];
    const char *self = bench_self();
    cpu_set_t set;
    if (cpu >= 0) {
        CPU_ZERO(&set);
        CPU_SET((size_t)cpu, &set);
        sched_setaffinity(0, sizeof set, &set);
    }
    snprintf(loop_text, sizeof loop_text, "%u", loops ? loops : 1);
    dup2(out, 1);
    execl(self, self, "serve", "--data", data, "--listen", "127.0.0.1:0", "--log-level", "warn",
          "--loops", loop_text, "--json", (char *)NULL);
    _exit(127);
}

static souk_err read_address(bench_server *server, souk_diag *diag)
{
    char line[512];
    size_t bytes = 0;
    while (bytes < sizeof line - 1) {
        ssize_t got = read(server->out, line + bytes, 1);
        if (got <= 0)
            return souk_diag_say(diag, SOUK_EIO, "the server did not start");
        if (line[bytes++] == '\n')
            break;
    }
    line[bytes] = '\0';
    const char *at = strstr(line, "\"listening\":\"");
    if (!at || sscanf(at + 13, "%127[^\"]", server->address) != 1)
        return souk_diag_say(diag, SOUK_EIO, "the server said: %s", line);
    return SOUK_OK;
}

static void serve_here(const char *data, void (*before)(void), int out)
{
    app_options options = {.data = data, .json = true};
    options.settings[APP_LISTEN] = "127.0.0.1:0";
    options.settings[APP_LOG_LEVEL] = "warn";
    options.settings[APP_LIMITS_TOKEN_REQUESTS] = "0";
    dup2(out, 1);
    if (before)
        before();
    souk_diag diag = {0};
    _exit(app_serve(&options, &diag) ? 1 : 0);
}

/* As another program; or, where it forks, as a copy of this process. */
struct becoming {
    int cpu;
    unsigned loops;
    bool forks;
    void (*before)(void);
};

static souk_err start(bench_run *bench, const char *data, const struct becoming *becoming,
                      bench_server *server, souk_diag *diag)
{
    int ends[2];
    snprintf(server->data, sizeof server->data, "%s", data);
    SOUK_TRY(bench_found(bench, data, server, diag));
    if (pipe2(ends, O_CLOEXEC))
        return SOUK_EIO;
    fflush(NULL); /* or a copy prints it once more */
    double started_s = bench_wall_s();
    server->pid = fork();
    if (server->pid == 0 && becoming->forks)
        serve_here(data, becoming->before, ends[1]);
    if (server->pid == 0)
        become_server(data, becoming->cpu, becoming->loops, ends[1]);
    close(ends[1]);
    server->out = ends[0];
    if (server->pid < 0)
        return SOUK_EIO;
    SOUK_TRY(read_address(server, diag));
    server->ready_s = bench_wall_s() - started_s;
    return SOUK_OK;
}

souk_err bench_server_start(bench_run *bench, const char *data, int cpu, unsigned loops,
                            bench_server *server, souk_diag *diag)
{
    return start(bench, data, &(struct becoming){.cpu = cpu, .loops = loops}, server, diag);
}

souk_err bench_server_fork(bench_run *bench, const char *data, void (*before)(void),
                           bench_server *server, souk_diag *diag)
{
    return start(bench, data, &(struct becoming){.forks = true, .before = before}, server, diag);
}

void bench_server_stop(bench_server *server, bool kill_it)
{
    if (server->pid <= 0)
        return;
    kill((pid_t)server->pid, kill_it ? SIGKILL : SIGTERM);
    waitpid((pid_t)server->pid, NULL, 0);
    close(server->out);
    server->pid = 0;
}

souk_err bench_ask(const bench_server *server, const char *path, souk_buf *answer)
{
    souk_auto_value(souk_client) client = SOUK_CLIENT_NONE;
    souk_auto_value(souk_buf) request = {.mem = souk_mem_heap()};
    char socket[600];
    snprintf(socket, sizeof socket, "%s/control", server->data);
    souk_buf_print(&request, "GET %s HTTP/1.1\r\nHost: souk\r\nConnection: close\r\n\r\n", path);
    SOUK_TRY(souk_buf_check(&request));
    SOUK_TRY(souk_client_open(&client, socket, 5000, NULL));
    SOUK_TRY(souk_client_send(&client, souk_buf_view(&request)));
    return souk_client_receive_all(&client, answer);
}

static double number_behind(souk_buf *answer, const char *mark)
{
    const char *at = strstr(souk_buf_ended(answer), mark);
    return at ? strtod(at + strlen(mark), NULL) : -1;
}

double bench_number(souk_buf *answer, const char *key)
{
    char mark[100];
    snprintf(mark, sizeof mark, "\"%s\":", key);
    return number_behind(answer, mark);
}

double bench_metric(const bench_server *server, const char *name)
{
    souk_auto_value(souk_buf) all = {.mem = souk_mem_heap()};
    char mark[100];
    if (bench_ask(server, "/metrics", &all))
        return -1;
    snprintf(mark, sizeof mark, "\n%s ", name);
    return number_behind(&all, mark);
}

double bench_shoppers(const bench_server *server)
{
    souk_auto_value(souk_buf) stats = {.mem = souk_mem_heap()};
    return bench_ask(server, "/v1/stats", &stats) ? -1 : bench_number(&stats, "shoppers");
}

/* ---- programs -------------------------------------------------------------------------------------- */

static void become(const char *const *arguments, int out)
{
    int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(out, 1);
    dup2(nothing, 2);
    execvp(arguments[0], (char *const *)(uintptr_t)arguments);
    _exit(127);
}

static void read_all(int from, souk_buf *out)
{
    char part[4096];
    ssize_t got;
    while ((got = read(from, part, sizeof part)) > 0)
        if (out)
            souk_buf_append(out, part, (size_t)got);
}

souk_err bench_command(const char *const *arguments, souk_buf *out, double *ret_wall_s,
                       double *ret_cpu_s)
{
    int ends[2], status = 0;
    struct rusage used;
    memset(&used, 0, sizeof used);
    if (pipe2(ends, O_CLOEXEC))
        return SOUK_EIO;
    double started_s = bench_wall_s();
    pid_t pid = fork();
    if (pid == 0)
        become(arguments, ends[1]);
    close(ends[1]);
    read_all(ends[0], out);
    close(ends[0]);
    if (pid < 0 || wait4(pid, &status, 0, &used) != pid)
        return SOUK_EIO;
    if (ret_wall_s)
        *ret_wall_s = bench_wall_s() - started_s;
    if (ret_cpu_s)
        *ret_cpu_s = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                     1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return SOUK_ENOENT;
    return status ? SOUK_EIO : SOUK_OK;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

double bench_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_size);
    return values[count / 2];
}

souk_err bench_sync_ms(const char *folder, double *ret_p50_ms, souk_diag *diag)
{
    static const char page[4096];
    double took_ms[200];
    char path[640];
    snprintf(path, sizeof path, "%.600s/syncs", folder);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    bool fine = fd >= 0;
    for (size_t i = 0; i < sizeof took_ms / sizeof *took_ms && fine; i++) {
        double began_s = bench_wall_s();
        fine = write(fd, page, sizeof page) == (ssize_t)sizeof page && fdatasync(fd) == 0;
        took_ms[i] = (bench_wall_s() - began_s) * 1e3;
    }
    if (fd >= 0)
        close(fd);
    unlink(path);
    if (!fine)
        return souk_diag_say(diag, SOUK_EIO, "%s cannot be synced", folder);
    *ret_p50_ms = bench_median(took_ms, sizeof took_ms / sizeof *took_ms);
    return SOUK_OK;
}

souk_err bench_on_server(bench_run *bench,
                         souk_err (*measure)(bench_run *bench, bench_server *server,
                                             souk_diag *diag),
                         souk_diag *diag)
{
    bench_server server = {.pid = 0};
    char data[600];
    snprintf(data, sizeof data, "%.500s/data", bench->folder);
    SOUK_TRY(bench_server_start(bench, data, -1, 1, &server, diag));
    souk_err err = measure(bench, &server, diag);
    bench_server_stop(&server, true);
    return err;
}
