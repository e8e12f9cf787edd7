/* The descriptor, checked once at the door, and what else one problem can be said as. */
#ifndef CORR_PROBLEM_H
#define CORR_PROBLEM_H

#include "../base/base.h"

/* Terms of one output's sum, and the pixels of one output plane. */
CORR_INLINE int64_t corr_terms(const corr_problem *s) {
    return s->ic * s->h.kernel * s->w.kernel;
}
CORR_INLINE int64_t corr_pixels(const corr_problem *s) { return s->h.out * s->w.out; }

/* Do a pixel's channels lie together? Else images count as planes. */
CORR_INLINE int corr_channels_last(const corr_problem *s) {
    return s->x_stride[2] == 1 && s->x_stride[4] > 1;
}

/* Checks a problem, and copies it with the steps that nothing takes made short. */
corr_status corr_problem_take(const corr_problem *given, corr_problem *s);

/* Do windows reach so far beyond the arrays that nobody should copy what lies between? Then it
 * is computed term by term. */
int corr_is_far(const corr_problem *s);

/* Does any window leave the image? */
int corr_has_padding(const corr_problem *s);

/* Outputs of an axis, from *first to *end, whose windows lie in the image. */
void corr_find_inside(const corr_axis *axis, int64_t *first, int64_t *end);

/* Taps that some of the outputs from first to last have in the image: *tap0 <= tap < *tap1. */
void corr_find_taps(const corr_axis *axis, int64_t first, int64_t last, int64_t *tap0, int64_t *tap1);

/* Some output has no element: nothing to do. */
CORR_INLINE int corr_is_empty(const corr_problem *s) {
    return s->n == 0 || s->groups == 0 || s->oc == 0 || corr_pixels(s) == 0;
}

/* 1x1 without padding, rows that follow one another: the plane is one long row. */
void corr_flatten(corr_problem *s);
/* The strides of planes that follow one another; the elements of an image of them. */
int64_t corr_lay_planes(int64_t stride[5], int64_t groups, int64_t channels, int64_t h, int64_t w);
/* A weight gradient with x as gy and gy as x, the weights transposed and, from *w_offset on, flipped. An axis has one
 * tap and no padding, or stride 1. */
corr_problem corr_swap_factors(const corr_problem *s, int64_t *w_offset);

/* The first tap that meets input pixel a, of some output, be it beyond the last; then every
 * *step-th does. The kernel's size if none. */
int64_t corr_first_tap(const corr_axis *axis, int64_t a, int64_t *step);

/* Phase (a, b) of the input gradient as a forward problem: x is the output's gradient,
 * y every stride-th pixel of the input's, w the taps that reach them, flipped. Offsets in
 * elements. Returns 0 if no tap does: those pixels are zero. */
int corr_input_phase(const corr_problem *forward, int64_t a, int64_t b, corr_problem *phase,
                     int64_t *w_offset, int64_t *y_offset);

#endif
