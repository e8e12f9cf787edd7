#ifndef CORR_RUN_H
#define CORR_RUN_H

#include "plan.h"

/* Runs a chosen engine with its scratch, then mends what packed zeros cannot say. */
corr_status corr_run_packed(const corr_problem *s, const corr_choice *choice, const void *x,
                            const void *w, const void *packed, int finite, const void *bias,
                            void *y, const corr_call *call);
/* The call with the threads that a problem is worth; a checked, flattened problem run. */
corr_call corr_with_threads(const corr_problem *s, const corr_call *call);
corr_status corr_run_forward(const corr_problem *s, const void *x, const void *w, const void *bias,
                             void *y, const corr_call *call);

#endif
