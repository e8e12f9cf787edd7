/* What depthwise.c and depthwise_blocks.c share. */
#ifndef CORR_DEPTHWISE_H
#define CORR_DEPTHWISE_H

#include "../plan/plan.h"

typedef struct corr_block_scratch {
    corr_stencil_blocks blocks;
    corr_problem planes; /* the same, with as many planes as share a slab for its channels */
    corr_slab slab;
    int64_t offsets, bytes; /* of all taps, in a slab and in the image; of one worker's slab */
} corr_block_scratch;
corr_block_scratch corr_make_block_scratch(const corr_problem *s, const corr_choice *c);
void corr_fill_block_offsets(const corr_problem *s, const corr_block_scratch *b, int32_t *offsets);

/* Some planes (at most as many as share a slab, or channels-last) against their kernels. */
typedef struct corr_planes {
    const char *x, *w, *bias;
    char *y, *slab;
    const int32_t *offsets;
    int64_t count, kernels;
    int64_t w_plane, w_kernel, y_plane, y_kernel; /* bytes from one to the next */
} corr_planes;
/* What all planes have in common. */
corr_stencil corr_make_block_stencil(const corr_problem *s, const corr_kernels *k,
                                     const corr_block_scratch *b, int bias);
void corr_filter_blocks(const corr_problem *s, const corr_kernels *k, const corr_block_scratch *b,
                        corr_stencil *t, const corr_planes *planes, int64_t first, int64_t end);

/* depthwise.c: rows of a stencil that are in the image, if its row 0 is the image's row h; */
void corr_limit_rows(corr_stencil *t, int64_t h, int64_t step, int64_t in, int64_t most);
/* without turning; w of planes, and packed for a lane a channel. */
int64_t corr_depthwise_workspace(const corr_problem *s, const corr_choice *c, int threads);
corr_status corr_run_depthwise(const corr_problem *s, const corr_choice *c, const void *x, const void *w,
                               const void *lanes_w, const void *bias, void *y, void *workspace,
                               const corr_call *call);

/* depthwise_turned.c */
int64_t corr_turned_workspace(const corr_problem *s, const corr_choice *c, int threads);
corr_status corr_filter_turned(const corr_problem *s, const corr_choice *c, const void *x, const void *lanes_w,
                               const void *bias, void *y, void *workspace, const corr_call *call);

/* depthwise_bands.c; w is packed as [p][q][g], in whole vectors. */
corr_status corr_filter_bands(const corr_problem *s, const corr_choice *c, const void *x, const void *w,
                              const void *bias, void *y, const corr_call *call);
void corr_filter_plane(const corr_problem *s, const corr_kernels *k, const corr_band *band, const char *x,
                       const char *w, const char *bias, char *y, int64_t first, int64_t end);

#endif
