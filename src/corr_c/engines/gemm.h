/* A product at work, and its items (gemm.c); the panels of pixels of one (gemm_panels.c). */
#ifndef CORR_GEMM_H
#define CORR_GEMM_H

#include "../base/threads.h"
#include "../plan/plan.h"

typedef struct gemm_job {
    const corr_problem *s;
    const corr_choice *choice;
    const char *x, *w, *packed, *bias;
    char *y, *workspace;
    corr_atomic *odd; /* where items pack: is some weight not finite? */
    int64_t items;
    corr_blocks blocks;
    corr_scratch scratch;
    corr_slab slab;
    const int32_t *offsets, *last_offsets; /* of the terms of a block of channels */
    const int32_t *inside_offsets, *last_inside_offsets; /* and in the image, where panels read that */
    corr_middle middle;
    int direct;        /* is x itself read, as it lies? */
    int contiguous;    /* do a panel's outputs of one channel follow one another? */
    int channels_last; /* and those of one pixel, at one distance from pixel to pixel? */
    int turned;        /* then: by way of sums[channel][pixel]? */
    int fetches;       /* the next panel of pixels? */
} gemm_job;

typedef struct gemm_item {
    const gemm_job *job;
    const char *x, *w, *bias;
    char *y, *slab, *sums, *own_panel, *pixels;
    int64_t g;
    corr_panel *panels;
    int64_t count; /* of panels */
    int64_t j0, j1; /* those at hand */
    /* Its pixels: runs of `length`, from `start` on, a row apart. */
    int64_t start, runs, length;
    int64_t row, rows;      /* of outputs that they lie in */
    int64_t o0, o1;         /* channels */
    int64_t c0, channels;   /* the block of input channels */
    int64_t pc, pc_end;     /* and of its terms */
    int64_t ld_sums;
    int first, last;
    const int32_t *offsets, *inside_offsets;
} gemm_item;

/* The columns beside the middle have a slab on the left, and another on the right, here. */
int64_t corr_right_slab(const gemm_job *job);
/* Of outputs, that the item begins with in its rows. */
int64_t corr_first_column(const gemm_item *item);
/* Needs all of the item that tells of its pixels. */
void corr_make_panels(gemm_item *item);

#endif
