/* What the two halves of the Winograd engine share. */
#ifndef CORR_WINOGRAD_H
#define CORR_WINOGRAD_H

#include "../plan/plan.h"

/* All in floats, but for the counts. */
typedef struct corr_winograd_sizes {
    int64_t tiles;           /* of an item, */
    int64_t row_tiles;       /* and of them in one run at most */
    int64_t points_a_line;   /* of V, */
    int64_t line;            /* from one line's points to the next's */
    int64_t blocks_of_terms;
    int64_t m_tile, m_point; /* from one to the next in M */
    int64_t patch_row;
    int64_t v, m, patch, pixels; /* what each takes */
} corr_winograd_sizes;

/* engines/winograd_weights.c: panels of output channels, [point][k][width] each. */
int64_t corr_winograd_panel_width(const corr_problem *s, const corr_choice *c, int64_t panel);
int64_t corr_winograd_panel_offset(const corr_problem *s, const corr_choice *c, int64_t panel,
                                   int64_t point);
int64_t corr_winograd_group_floats(const corr_problem *s, const corr_choice *c);
int64_t corr_winograd_packed_bytes(const corr_problem *s, const corr_choice *c);
corr_status corr_winograd_pack(const corr_problem *s, const corr_choice *c, const void *w,
                               void *packed, int *finite, const corr_call *call);

#endif
