/* The pool alone: workers that leave a job at the same moment, many times. A count that is off by
 * one of them leaves the caller waiting for ever, so an alarm ends the program. */
#include "shared.h"

#include "base/base.h"

#if !defined(_WIN32)
#include <unistd.h>
#endif

enum { WORKERS = 2, JOBS = 5000, SECONDS = 60 };
static const double patience = 200e-6;

static corr_atomic arrived = CORR_ATOMIC_INIT, met = CORR_ATOMIC_INIT, items = CORR_ATOMIC_INIT;

/* Workers wait for one another, the caller until both are there; who is late is not waited for. */
static void meet(void *context, int64_t item, int worker, corr_run_state *run) {
    const double until = corr_now() + patience;
    (void)context;
    (void)item;
    (void)run;
    corr_fetch_add(&items, 1);
    const int last = worker && corr_fetch_add(&arrived, 1) == WORKERS - 1;
    while (corr_load(&arrived) < WORKERS && corr_now() < until)
        corr_pause();
    if (last)
        corr_fetch_add(&met, 1);
}

int main(void) {
    const corr_call call = {.threads = WORKERS + 1};
    int wrong = 0;
#if !defined(_WIN32)
    alarm(SECONDS);
#endif
    for (int i = 0; i < JOBS; i++) {
        corr_set(&arrived, 0);
        corr_set(&items, 0);
        wrong += corr_parallel(meet, NULL, WORKERS + 1, &call) != CORR_OK ||
                 corr_load(&items) != WORKERS + 1;
    }
    printf("%d jobs, of which %d two workers left at once: %d wrong\n", JOBS,
           (int)corr_load(&met), wrong);
    return wrong != 0;
}
