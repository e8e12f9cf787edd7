/* What the engine `groups` does with channels-last images. */
#ifndef CORR_GROUPS_H
#define CORR_GROUPS_H

#include "../plan/plan.h"

enum { CORR_MAX_LANES = 16 };

int64_t corr_group_lanes_bytes(const corr_problem *s, const corr_choice *c);
corr_status corr_pack_group_lanes(const corr_problem *s, const corr_choice *c, const void *w,
                                  void *packed, int *finite);
corr_status corr_run_group_lanes(const corr_problem *s, const corr_choice *c, const void *x,
                                 const void *packed, const void *bias, void *y,
                                 const corr_call *call);

#endif
