/* The heuristics of the input gradient. */
#include "plan.h"

/* The phases of a strided input gradient turn all weights. Where those are many beside the pixels,
 * it costs less to multiply them as they lie, rows of (channel, tap), and to add up the columns:
 * 0.35 ms for 0.60 on 256x14x14 -> 256, 3x3, and level where there are as many. Without a stride,
 * where the outputs are so few that most taps of most inputs' sums lie in the padding: 7x7 on
 * 512x7x7 -> 512 takes 5.9 ms for 22.7, 4x4 on 8 of 512x4x4 8.5 for 14.5; with vectors of 64 bytes where
 * half do and Winograd takes nothing: dilated by 4 on 64x16x16 -> 256 0.25 for 0.39.
 * And where the inputs have so few channels that each phase reads all gradients for little: 4x4 s4 on 4 of
 * 3x224x224 -> 96 1.3 for 2.6, 3x3 s2 on 3x224x224 -> 32 0.26 for 0.37, on 16x112x112 -> 64 0.59 for 0.67;
 * 5x5 on 28x28 -> 16 0.009 for 0.020, on 2x64x64 -> 32 0.149 for 0.151. Channels-last, whose columns leave
 * pixel by pixel, 4x4 s4 1.6 for 3.4, 5x5 s2 on 8x56x56 -> 64 0.24 for 0.30, but 16x112x112 0.77 for 0.52. */
static const int64_t weights_per_pixel = 2, inputs_per_output = 6, inputs_per_output_64 = 2;
static const int64_t few_strided = 16, few_strided_last = 8, few_inputs = 2, fewest_gradients = 16;
static const int64_t most_column_bytes = 64 << 20; /* of an image */

static int few_outputs_an_input(const corr_problem *s) {
    const corr_kernels *k = corr_kernel_table(s->dtype);
    const int dilated = s->h.dilation > 1 || s->w.dilation > 1, small = s->h.kernel <= 3 && s->w.kernel <= 3;
    const int64_t least = k->lanes * k->bytes > 32 && (dilated || !small) ? inputs_per_output_64 : inputs_per_output;
    return s->h.in * s->w.in >= least * corr_pixels(s);
}

int corr_takes_columns(const corr_problem *s) {
    const int64_t taps = s->h.kernel * s->w.kernel, *ws = s->w_stride, *xs = s->x_stride;
    const int64_t bytes = corr_kernel_table(s->dtype)->bytes, all = s->groups * s->ic * taps * corr_pixels(s);
    const int strided = s->h.stride * s->w.stride > 1, last = xs[4] != 1;
    const int many = s->oc >= 32 && (strided ? !last && s->oc >= weights_per_pixel * s->n * corr_pixels(s)
                                             : few_outputs_an_input(s));
    const int64_t few_channels = !strided ? few_inputs : last ? few_strided_last : few_strided;
    const int few = s->groups == 1 && s->oc >= fewest_gradients && s->ic <= few_channels;
    return taps > 1 && (many || few) && all <= most_column_bytes / bytes &&
           (s->algorithm == CORR_AUTO || s->algorithm == CORR_DIRECT) && ws[4] == 1 &&
           ws[3] == s->w.kernel && ws[2] == taps && (s->groups == 1 || (!last && xs[1] == s->ic * xs[2]));
}
