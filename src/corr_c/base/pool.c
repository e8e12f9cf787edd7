/* The pool: threads that live for the process, one job at a time.
 *
 * A caller that finds the pool busy does its job alone: nobody queues, nothing can
 * deadlock, and a job that itself calls corr is fine. Workers enter a job only while it
 * is open; the caller closes it and waits for those inside, so a worker that sleeps
 * through a short job costs nothing.
 *
 * Items are cut into a share a thread, the same one at every call: what a core wrote, it
 * will read or write again. A line that another core wrote last comes at a third of the
 * speed of its own L3. Whoever has finished helps the others.
 */
#include "base.h"
#include "threads.h"

enum { MAX_WORKERS = 255 };
static const double spin_seconds = 40e-6; /* the gap between two layers of a network */
static const double poll_seconds = 50e-3; /* how soon Ctrl-C is looked at */
static const double often_seconds = 10e-6;
static const double leave_seconds = 1e-3; /* how often a worker tries to leave its caller's core */

struct corr_run_state {
    corr_task *task;
    void *context;
    int64_t items;
    corr_atomic stop;
    uint64_t fp_control;
    const corr_call *call;
    int threads;
};

static corr_mutex owner = CORR_MUTEX_INIT; /* whoever holds it may use the pool */
static corr_mutex gate = CORR_MUTEX_INIT;  /* guards all below */
static corr_condition work = CORR_CONDITION_INIT, done = CORR_CONDITION_INIT;
static corr_run_state *job;
static int born, started, sleeping;
static corr_atomic owner_cpu = CORR_ATOMIC_INIT; /* where the job was opened */
static corr_atomic inside = CORR_ATOMIC_INIT; /* written under the gate */
static int start_limit = MAX_WORKERS;
static corr_atomic generation = CORR_ATOMIC_INIT;
static CORR_THREAD_LOCAL corr_run_state *own; /* this thread's job, while it has the pool */
static CORR_THREAD_LOCAL corr_run_state *called; /* this thread's job, with the pool or alone */

static struct {
    corr_atomic next;
    int64_t end;
    char line[64];
} shares[MAX_WORKERS + 1];

/* Of the thread and not of the job: a call may be hundreds of short jobs. */
static CORR_THREAD_LOCAL double poll_at, looked_at;
static CORR_THREAD_LOCAL int unlooked;

static void poll_caller(corr_run_state *run) {
    if (!run->call->poll)
        return;
    /* The clock takes 25 ns: who asks every microsecond is told what it said seven times more. */
    if (unlooked > 0) {
        unlooked--;
        return;
    }
    double now = corr_now();
    unlooked = now - looked_at < often_seconds ? 7 : 0;
    looked_at = now;
    if (now < poll_at)
        return;
    poll_at = now + poll_seconds;
    if (run->call->poll(run->call->poll_context))
        corr_set(&run->stop, 1);
}

/* Items may be long: whoever asks within one on the calling thread polls. */
int corr_should_stop(corr_run_state *run) {
    if (run == called)
        poll_caller(run);
    return corr_load(&run->stop) != 0;
}

static void work_alone(corr_run_state *run) {
    for (int64_t item = 0; item < run->items && !corr_should_stop(run); item++)
        run->task(run->context, item, 0, run);
}

static void work_on(corr_run_state *run, int worker) {
    for (int i = 0; i < run->threads; i++) {
        const int share = (worker + i) % run->threads;
        while (!corr_should_stop(run)) {
            const int64_t item = corr_fetch_add(&shares[share].next, 1);
            if (item >= shares[share].end)
                break;
            run->task(run->context, item, worker, run);
        }
    }
}

/* A worker may be woken on its caller's core, and be left there for many milliseconds, in turns with the
 * caller: where another process had the other cores, or in a virtual machine, which takes a core that
 * sleeps for one that its host has taken away. */
static void leave_caller(double *left_at) {
    const int cpu = corr_current_cpu();
    if (cpu < 0 || cpu != corr_load(&owner_cpu))
        return;
    const double now = corr_now();
    if (now - *left_at < leave_seconds)
        return;
    *left_at = now;
    corr_leave_cpu(cpu);
}

static void worker_main(void) {
    int64_t seen = 0;
    double left_at = 0;
    corr_lock(&gate);
    const int worker = ++born; /* the caller is 0 */
    corr_unlock(&gate);
    for (;;) {
        double until = corr_now() + spin_seconds;
        while (corr_load(&generation) == seen && corr_now() < until)
            for (int i = 0; i < 16; i++)
                corr_pause();
        corr_lock(&gate);
        sleeping++;
        const int slept = corr_load(&generation) == seen;
        while (corr_load(&generation) == seen)
            corr_wait(&work, &gate);
        sleeping--;
        if (slept) {
            corr_unlock(&gate);
            leave_caller(&left_at);
            corr_lock(&gate);
        }
        seen = corr_load(&generation);
        corr_run_state *run = job;
        if (!run || worker >= run->threads) {
            corr_unlock(&gate);
            continue;
        }
        corr_set(&inside, corr_load(&inside) + 1);
        corr_unlock(&gate);
        leave_caller(&left_at);

        uint64_t own = corr_get_fp_control();
        corr_set_fp_control(run->fp_control);
        work_on(run, worker);
        corr_set_fp_control(own);

        corr_lock(&gate);
        corr_set(&inside, corr_load(&inside) - 1);
        if (corr_load(&inside) == 0)
            corr_wake_all(&done);
        corr_unlock(&gate);
    }
}

static int64_t share_start(const corr_run_state *run, int worker) {
    return run->items / run->threads * worker + corr_min(worker, run->items % run->threads);
}

static void open_job(corr_run_state *run) {
    corr_lock(&gate);
    int most = start_limit < MAX_WORKERS ? start_limit : MAX_WORKERS;
    while (started < run->threads - 1 && started < most && corr_start_thread(worker_main))
        started++;
    for (int i = 0; i < run->threads; i++) {
        corr_set(&shares[i].next, share_start(run, i));
        shares[i].end = share_start(run, i + 1);
    }
    job = run;
    corr_set(&owner_cpu, corr_current_cpu());
    corr_set(&generation, corr_load(&generation) + 1);
    const int wakes = sleeping > 0;
    if (wakes)
        corr_wake_all(&work);
    corr_unlock(&gate);
    if (wakes)
        corr_yield(); /* lest one is to wait for this core */
}

static void close_job(void) {
    corr_lock(&gate);
    job = NULL;
    corr_unlock(&gate);
    /* The others are in their last item: sleeping and being woken would take as long. */
    const double until = corr_now() + spin_seconds;
    while (corr_load(&inside) && corr_now() < until)
        for (int i = 0; i < 16; i++)
            corr_pause();
    corr_lock(&gate);
    while (corr_load(&inside))
        corr_wait(&done, &gate);
    corr_unlock(&gate);
}

corr_status corr_parallel(corr_task *task, void *context, int64_t items,
                          const corr_call *call) {
    corr_run_state run = {0};
    run.task = task;
    run.context = context;
    run.items = items;
    run.call = call;
    run.threads = (int)corr_min(corr_min(call->threads, items), MAX_WORKERS + 1);
    int shared = run.threads > 1 && corr_try_lock(&owner);
    if (shared) {
        run.fp_control = corr_get_fp_control();
        own = &run;
        open_job(&run);
    }
    corr_run_state *outer = called; /* a poll may itself call corr */
    called = &run;
    if (shared)
        work_on(&run, 0);
    else
        work_alone(&run);
    called = outer;
    if (shared) {
        close_job();
        own = NULL;
        corr_unlock(&owner);
    }
    return corr_load(&run.stop) ? CORR_INTERRUPTED : CORR_OK;
}

static corr_atomic process_threads = CORR_ATOMIC_INIT; /* 0: the default */
static CORR_THREAD_LOCAL int own_threads;              /* 0: the process's */

void corr_set_num_threads(int n) { corr_set(&process_threads, n); }

int corr_get_num_threads(void) {
    if (own_threads > 0)
        return own_threads;
    int64_t n = corr_load(&process_threads);
    if (n <= 0) {
        n = corr_default_threads();
        corr_set(&process_threads, n);
    }
    return (int)n;
}

int corr_swap_thread_override(int n) {
    int before = own_threads;
    own_threads = n;
    return before;
}

void corr_set_thread_limit_for_tests(int started_at_most) { start_limit = started_at_most; }

/* Only `gate` is taken: the owner may hold the pool for long, and may itself wait for
 * whoever forks. */
void corr_pool_before_fork(void) { corr_lock(&gate); }

void corr_pool_after_fork(int child) {
    if (child) { /* the workers stayed with the parent */
        job = NULL;
        born = started = sleeping = 0;
        corr_set(&inside, 0);
#if !defined(_WIN32)
        work = (corr_condition)CORR_CONDITION_INIT;
        done = (corr_condition)CORR_CONDITION_INIT;
        if (own) /* forked by a signal handler inside a call: what the workers held is lost */
            corr_set(&own->stop, 1);
        else
            owner = (corr_mutex)CORR_MUTEX_INIT;
#endif
    }
    corr_unlock(&gate);
}
