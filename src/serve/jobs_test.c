/* jobs_test.c - jobs asked for, watched, cancelled, refused, cut off; ordered by a gate and not by sleeps. */
#include "serve/jobs.h"

#include "core/task.h"
#include "os/thread.h"

#include "test/test.h"

#include "serve/test_desk.h"

/* Work that takes one step for each permit, and says when it waits for the next. */
struct gate {
    souk_mutex mutex;
    souk_cond changed;
    unsigned permits, arrived, runs;
    souk_err left; /* of the last run */
};

static void gate_init(struct gate *gate)
{
    memset(gate, 0, sizeof *gate);
    souk_mutex_init(&gate->mutex);
    souk_cond_init(&gate->changed);
}

static void gate_done(struct gate *gate)
{
    souk_cond_done(&gate->changed);
    souk_mutex_done(&gate->mutex);
}

static void permit(struct gate *gate, unsigned steps)
{
    souk_auto_lock(&gate->mutex);
    gate->permits += steps;
    souk_cond_broadcast(&gate->changed);
}

static void wait_arrived(struct gate *gate, unsigned arrived)
{
    souk_auto_lock(&gate->mutex);
    while (gate->arrived < arrived)
        souk_cond_wait(&gate->changed, &gate->mutex);
}

static void arrive(struct gate *gate)
{
    souk_auto_lock(&gate->mutex);
    gate->arrived++;
    souk_cond_broadcast(&gate->changed);
    while (!gate->permits)
        souk_cond_wait(&gate->changed, &gate->mutex);
    gate->permits--;
}

static void begin_run(struct gate *gate)
{
    souk_auto_lock(&gate->mutex);
    gate->runs++;
}

static souk_err walk(souk_work *work)
{
    struct gate *gate = work->state;
    souk_err err = SOUK_OK;
    begin_run(gate);
    for (uint64_t step = 1; step <= 3 && !err; step++) {
        arrive(gate);
        err = work->progress(work->context, step, 3);
    }
    gate->left = err;
    if (!err)
        souk_json_write_text(
            work->result,
            souk_field(work->arguments, souk_json_root(work->arguments), "say", work->arena));
    return err;
}

static souk_err trip(souk_work *work)
{
    return souk_diag_say(work->diag, SOUK_EFULL, "the suitcase is full: leave something");
}

static const souk_work_kind works[] = {{"walk", "steps", walk}, {"trip", "bags", trip}};
static const souk_service walks = {.name = "walks", .works = works, .work_count = 2};

struct office {
    struct desk desk;
    struct gate gate;
    souk_jobs *jobs;
};

static unsigned runs_of(struct office *office)
{
    souk_auto_lock(&office->gate.mutex);
    return office->gate.runs;
}

static void jobs_begin(struct office *office)
{
    souk_test *test = office->desk.test;
    SOUK_MUST(
        souk_jobs_open(souk_mem_heap(), office->desk.spine, office->desk.merchants, &office->jobs));
    souk_jobs_offer(office->jobs, &walks, &office->gate);
    SOUK_MUST(souk_jobs_start(office->jobs));
    office->desk.state = office->jobs;
}

static struct office *office_open(souk_test *test)
{
    static struct office office;
    desk_open(&office.desk, test);
    gate_init(&office.gate);
    jobs_begin(&office);
    return &office;
}

static void office_close(struct office *office)
{
    souk_jobs_free(souk_take(&office->jobs));
    gate_done(&office->gate);
    desk_close(&office->desk);
}

static int ask(struct office *office, const char *method, const char *path, const char *body)
{
    return desk_ask(&office->desk, &souk_jobs_service, method, path, body);
}

static bool says(const struct office *office, const char *words)
{
    return strstr(office->desk.answer, words) != NULL;
}

/* Looks until the job has ended. */
static void wait_ended(struct office *office, const char *path)
{
    souk_test *test = office->desk.test;
    do
        SOUK_CHECK(ask(office, "GET", path, "") == 200);
    while (says(office, "\"ended\":null"));
}

SOUK_TEST("a job is told from its asking to its result")
{
    struct office *office = office_open(test);
    SOUK_CHECK(ask(office, "POST", "/v1/jobs", "{\"kind\":\"walk\",\"say\":\"there\"}") == 202);
    SOUK_CHECK(says(office, "\"id\":1,") && says(office, "\"unit\":\"steps\""));
    SOUK_CHECK(says(office, "\"arguments\":{\"kind\":\"walk\",\"say\":\"there\"}"));
    wait_arrived(&office->gate, 1);
    permit(&office->gate, 2);
    wait_arrived(&office->gate, 3);
    SOUK_CHECK(ask(office, "GET", "/v1/jobs/1", "") == 200);
    SOUK_CHECK(says(office, "\"state\":\"running\",\"done\":2,\"total\":3"));
    SOUK_CHECK(says(office, "\"result\":null"));
    permit(&office->gate, 1);
    wait_ended(office, "/v1/jobs/1");
    SOUK_CHECK(says(office, "\"state\":\"done\",\"done\":3,\"total\":3"));
    SOUK_CHECK(says(office, "\"code\":\"OK\"") && says(office, "\"result\":\"there\""));
    SOUK_CHECK(ask(office, "POST", "/v1/jobs/1/cancel", "") == 409);
    office_close(office);
}

SOUK_TEST("a job that fails says why, and the next one runs")
{
    struct office *office = office_open(test);
    SOUK_CHECK(ask(office, "POST", "/v1/jobs", "{\"kind\":\"trip\"}") == 202);
    SOUK_CHECK(ask(office, "POST", "/v1/jobs", "{\"kind\":\"walk\"}") == 202);
    wait_ended(office, "/v1/jobs/1");
    SOUK_CHECK(says(office, "\"state\":\"failed\"") && says(office, "\"code\":\"EFULL\""));
    SOUK_CHECK(says(office, "the suitcase is full") && says(office, "\"result\":null"));
    permit(&office->gate, 3);
    wait_ended(office, "/v1/jobs/2");
    SOUK_CHECK(says(office, "\"state\":\"done\"") && says(office, "\"words\":\"\""));
    office_close(office);
}

SOUK_TEST("one runs at a time: a waiting one can be cancelled and never begins, a running one ends")
{
    struct office *office = office_open(test);
    for (unsigned i = 0; i < 3; i++)
        SOUK_CHECK(ask(office, "POST", "/v1/jobs", "{\"kind\":\"walk\"}") == 202);
    wait_arrived(&office->gate, 1);
    SOUK_CHECK(ask(office, "POST", "/v1/jobs/2/cancel", "") == 202);
    SOUK_CHECK(says(office, "\"state\":\"cancelled\"") && says(office, "\"started\":null"));
    SOUK_CHECK(ask(office, "POST", "/v1/jobs/1/cancel", "") == 202);
    permit(&office->gate, 1);
    wait_ended(office, "/v1/jobs/1");
    SOUK_CHECK(says(office, "\"state\":\"cancelled\",\"done\":1") && says(office, "EINTERRUPT"));
    permit(&office->gate, 3);
    wait_ended(office, "/v1/jobs/3");
    SOUK_CHECK(says(office, "\"state\":\"done\"") && runs_of(office) == 2);
    SOUK_CHECK(ask(office, "GET", "/v1/jobs", "") == 200);
    const char *third = strstr(office->desk.answer, "\"id\":3,");
    SOUK_CHECK(third && strstr(third, "\"id\":2,") && strstr(third, "\"id\":1,"));
    SOUK_CHECK(ask(office, "GET", "/v1/jobs?before=2", "") == 200);
    SOUK_CHECK(!says(office, "\"id\":2,") && says(office, "\"id\":1,"));
    office_close(office);
}

SOUK_TEST("sixteen jobs wait, the next is refused and leaves no trace")
{
    struct office *office = office_open(test);
    for (unsigned i = 0; i < 1 + SOUK_JOBS_WAITING; i++) {
        SOUK_CHECK(ask(office, "POST", "/v1/jobs", "{\"kind\":\"walk\"}") == 202);
        wait_arrived(&office->gate, 1); /* the first has left the queue */
    }
    SOUK_CHECK(ask(office, "POST", "/v1/jobs", "{\"kind\":\"walk\"}") == 503);
    SOUK_CHECK(says(office, "16 jobs wait") && ask(office, "GET", "/v1/jobs/18", "") == 404);
    SOUK_CHECK(ask(office, "POST", "/v1/jobs/17/cancel", "") == 202);
    SOUK_CHECK(ask(office, "POST", "/v1/jobs", "{\"kind\":\"walk\"}") == 202);
    permit(&office->gate, 3 * (1 + SOUK_JOBS_WAITING));
    wait_ended(office, "/v1/jobs/18");
    SOUK_CHECK(runs_of(office) == 1 + SOUK_JOBS_WAITING);
    office_close(office);
}

SOUK_TEST(
    "what runs and waits when the server stops is interrupted, and begins not again by itself")
{
    struct office *office = office_open(test);
    for (unsigned i = 0; i < 2; i++)
        SOUK_CHECK(ask(office, "POST", "/v1/jobs", "{\"kind\":\"walk\"}") == 202);
    wait_arrived(&office->gate, 1);
    souk_jobs_stop(office->jobs);
    SOUK_CHECK(ask(office, "POST", "/v1/jobs", "{\"kind\":\"walk\"}") == 503);
    permit(&office->gate, 1);
    souk_jobs_free(souk_take(&office->jobs));
    SOUK_CHECK(office->gate.left == SOUK_ESTOPPED);
    jobs_begin(office);
    static const char *const jobs[] = {"/v1/jobs/1", "/v1/jobs/2"};
    for (unsigned i = 0; i < 2; i++) {
        SOUK_CHECK(ask(office, "GET", jobs[i], "") == 200);
        SOUK_CHECK(says(office, "\"state\":\"interrupted\"") && says(office, "the server stopped"));
    }
    SOUK_CHECK(runs_of(office) == 1);
    office_close(office);
}

SOUK_TEST("what a crash left running is told as interrupted, with how far it was")
{
    struct office *office = office_open(test);
    souk_ledger *ledger = souk_spine_ledger(office->desk.spine);
    int64_t id;
    SOUK_MUST(
        souk_job_row_add(ledger, SOUK_TEXT("gone"), SOUK_TEXT("{\"kind\":\"gone\"}"), 5, &id));
    SOUK_MUST(souk_job_row_start(ledger, id, 6));
    SOUK_MUST(souk_job_row_tell(ledger, id, 40, 100));
    souk_jobs_free(souk_take(&office->jobs));
    jobs_begin(office);
    SOUK_CHECK(ask(office, "GET", "/v1/jobs/1", "") == 200);
    SOUK_CHECK(says(office, "\"state\":\"interrupted\",\"done\":40,\"total\":100,\"unit\":\"\""));
    SOUK_CHECK(says(office, "do the same again"));
    office_close(office);
}

SOUK_TEST("wrong questions are refused with words, and guests with everything")
{
    struct office *office = office_open(test);
    SOUK_CHECK(ask(office, "POST", "/v1/jobs", "{\"kind\":\"fly\"}") == 400 &&
               says(office, "'fly'"));
    SOUK_CHECK(ask(office, "POST", "/v1/jobs", "{") == 400);
    SOUK_CHECK(ask(office, "POST", "/v1/jobs", "[]") == 400);
    static const char *const ids[] = {"/v1/jobs/0", "/v1/jobs/1", "/v1/jobs/x", "/v1/jobs/-1",
                                      "/v1/jobs/99999999999999999999"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        SOUK_CHECK(ask(office, "GET", ids[i], "") == 404);
    SOUK_CHECK(ask(office, "POST", "/v1/jobs/1/cancel", "") == 404);
    SOUK_CHECK(ask(office, "GET", "/v1/jobs?before=0", "") == 400);
    SOUK_CHECK(ask(office, "POST", "/v1/jobs", "{\"kind\":\"trip\"}") == 202);
    wait_ended(office, "/v1/jobs/1");
    office->desk.caller.merchant = 2;
    SOUK_CHECK(ask(office, "GET", "/v1/jobs", "") == 403);
    SOUK_CHECK(ask(office, "GET", "/v1/jobs/1", "") == 403);
    SOUK_CHECK(ask(office, "POST", "/v1/jobs/1/cancel", "") == 403);
    office_close(office);
}

SOUK_TEST(
    "jobs are started over the control socket only, and nothing of them is open without admin")
{
    (void)test;
    for (size_t i = 0; i < souk_jobs_service.route_count; i++) {
        const souk_route *route = &souk_jobs_service.routes[i];
        SOUK_CHECK(route->scopes == SOUK_SCOPE_ADMIN);
        SOUK_CHECK(route->local ==
                   !strcmp(route->path, "/v1/jobs") * !strcmp(route->method, "POST"));
    }
}
