/* What the two ways to a weight gradient share. */
#ifndef CORR_WEIGHT_H
#define CORR_WEIGHT_H

#include "../plan/plan.h"

/* The pixels of one chain: those from `first` on of one image, or all of some images. */
typedef struct corr_chunk {
    int64_t image, images, first, end;
} corr_chunk;

/* Where a pixel lies, in elements, and which lies first. */
typedef struct corr_image_view {
    int64_t image, row, column, first;
} corr_image_view;

corr_chunk corr_make_chunk(const corr_problem *s, const corr_weight_choice *choice, int64_t index);
/* The rows of the input that a chunk's taps reach. */
void corr_chunk_rows(const corr_problem *s, const corr_chunk *c, int64_t *h0, int64_t *h1);
/* The columns of outputs whose tap q lies in the image; a tap's pixels in some of those columns of a chunk, at
 * most a segment for each of its rows. */
void corr_tap_columns(const corr_problem *s, int64_t q, int64_t *first, int64_t *end);
int64_t corr_make_segments(const corr_problem *s, const corr_chunk *c, const corr_image_view *x,
                           const corr_image_view *gy, int64_t tap, int64_t first_j, int64_t end_j,
                           corr_segment *segments);
/* The pixels of one column, down, from the first tap of row p that lies in the image on. */
int64_t corr_make_column(const corr_problem *s, const corr_chunk *c, const corr_image_view *x,
                         const corr_image_view *gy, int64_t p, int64_t j, corr_segment *segments);

/* An item owns some weights of one group for one split of the batch. */
typedef struct corr_weight_job {
    const corr_problem *s;
    const corr_weight_choice *choice;
    const char *x, *gy;
    char *gw, *workspace;
    int accumulate;
    int *odd; /* of each worker: is some sum infinite or NaN? Dots only */
    int64_t split_bytes;  /* from the sums of one split to those of the next */
    int64_t w_stride[5];  /* of gw: the caller's, or of contiguous sums of splits */
    int64_t scratch_bytes;
} corr_weight_job;

typedef struct corr_weight_item {
    int64_t first_chunk, end_chunk, g, o0, o1, c0, c1;
    char *gw; /* of the group */
} corr_weight_item;
corr_weight_item corr_make_weight_item(const corr_weight_job *job, int64_t index);

/* Sums [channel][tap][width] of some outputs, kh x kw taps; of those the first rows and columns go to gw. */
typedef struct corr_weight_sums {
    const char *at;
    int64_t width, outputs, channels, kh, kw;
} corr_weight_sums;
void corr_store_sums(const corr_kernels *k, const corr_weight_sums *from, int64_t rows, int64_t columns, char *gw,
                     const int64_t *stride, int accumulate);

int64_t corr_outer_scratch(const corr_problem *s, const corr_weight_choice *choice);
void corr_outer_item(const corr_weight_job *job, int64_t index, int worker, corr_run_state *run);
int64_t corr_dot_scratch(const corr_problem *s, const corr_weight_choice *choice);
int corr_dot_reads_gradients(const corr_problem *s, const corr_weight_choice *choice); /* as they lie? */
void corr_dot_item(const corr_weight_job *job, int64_t index, int worker, corr_run_state *run);

/* By way of planes: weight_turned.c. */
corr_status corr_weight_by_planes(const corr_problem *s, const void *x, void *gw, const void *gy,
                                  const corr_call *call);

/* A chunk of x's channels [c0, c1) of one group copied: [c][image][row][column], each row
 * whole. Gives the view of it and, in *channel, the distance of two channels. */
int64_t corr_slab_elements(const corr_problem *s, const corr_weight_choice *choice, int64_t channels);
corr_image_view corr_copy_chunk(const corr_weight_job *job, const corr_chunk *chunk, int64_t g,
                               int64_t c0, int64_t c1, char *slab, int64_t *channel);

/* By F(3, 4): winograd_gradient.c. *odd: some sum is not finite, and what gw has is of no use. */
corr_status corr_winograd_gradient(const corr_problem *s, const corr_winograd_weight *choice, const void *x, void *gw,
                                   const void *gy, const corr_call *call, int *odd);

/* Segments of all taps of a chunk, `most` for each tap; counts[tap] of them are in use. */
int64_t corr_most_segments(const corr_problem *s, const corr_weight_choice *choice);

/* One weight's gradient, written or added; is it finite? */
CORR_INLINE int corr_put_weight(const corr_problem *s, char *to, const char *from, int add) {
    if (s->dtype == CORR_F32) {
        const float sum = *(const float *)(const void *)from;
        *(float *)(void *)to = add ? *(float *)(void *)to + sum : sum;
        return sum * 0 == 0;
    }
    const double sum = *(const double *)(const void *)from;
    *(double *)(void *)to = add ? *(double *)(void *)to + sum : sum;
    return sum * 0 == 0;
}

#endif
