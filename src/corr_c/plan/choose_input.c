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

/* Of an image's sums and its copy of gy in L2. On 4 of 512x14x14 in 32 groups, 3x3 s2, 0.38 ms for 0.74 phase by
 * phase, on 64x28x28 0.142 for 0.175, 3x3 s3 on 32x24x24 0.019 for 0.040; but on 16x20x20, a vector of
 * channels, 0.0235 for 0.0215. */
static const int64_t phase_sum_bytes = 224 << 10, phase_copy_bytes = 256 << 10;
/* The rows of a phase that an item has at least; sums so long that nothing beside them matters: 7x7 s2 on 8 of
 * 128x13x17 5.8 ms phase by phase and 6.0. */
static const int64_t phase_rows = 4, most_phase_terms = 1024;

int corr_takes_phases(const corr_problem *s) {
    const corr_kernels *k = corr_kernel_table(s->dtype);
    const int64_t down = s->h.out + (s->h.kernel - 1) * s->h.dilation / s->h.stride;
    const int64_t across = s->w.out + (s->w.kernel - 1) * s->w.dilation / s->w.stride;
    const int64_t taps = corr_ceil_div(s->h.kernel, s->h.stride) * corr_ceil_div(s->w.kernel, s->w.stride);
    return s->w.stride > 1 && s->h.stride * s->w.stride < CORR_MAX_PARTS && s->x_stride[4] == 1 &&
           s->x_stride[3] >= s->w.in && s->ic >= (s->groups > 1 ? 1 : 2) * k->lanes &&
           (s->algorithm == CORR_AUTO || s->algorithm == CORR_DIRECT) &&
           s->oc * taps <= most_phase_terms && s->h.in * s->w.in * k->lanes * k->bytes <= phase_sum_bytes &&
           s->oc * down * across * k->bytes <= phase_copy_bytes;
}

void corr_choose_phases(const corr_problem *s, const corr_problem *phases, int count, corr_choice *choices) {
    const corr_kernels *k = corr_kernel_table(s->dtype);
    const int64_t vectors = corr_ceil_div(s->ic, k->lanes);
    const int64_t most = corr_max(1, phase_sum_bytes / (s->h.in * s->w.in * k->lanes * k->bytes));
    corr_choice longest = {.kernels = k};
    int rows, v;
    corr_choose_chains(&phases[0], 0, &longest);
    corr_best_tile(k, longest.kc, CORR_MAX_ROWS, phases[0].w.out, corr_min(vectors, most), &rows, &v);
    for (int i = 0; i < count; i++) {
        corr_choice *c = &choices[i];
        const int64_t across = phases[i].w.out;
        *c = (corr_choice){.engine = &corr_gemm_engine, .kernels = k, .channel_lanes = 1, .by_rows = 1, .vectors = v};
        corr_choose_chains(&phases[i], 0, c);
        c->rows = (int)corr_ceil_div(across, corr_ceil_div(across, k->max_rows[v - 1]));
    }
}

/* Items of whole bands of channels, or of some rows as well where threads want more of them. */
void corr_split_phases(const corr_problem *s, int64_t panel, int64_t bytes, int threads, int64_t *rows,
                       int64_t *bands) {
    const int64_t panels = corr_ceil_div(s->ic, panel), images = s->n * s->groups;
    const int64_t down = corr_ceil_div(s->h.in, s->h.stride);
    const int64_t least = corr_ceil_div(panels * panel * s->h.in * s->w.in * bytes, phase_sum_bytes);
    const int64_t wanted = threads > 1 ? corr_ceil_div(4 * (int64_t)threads, images) : 1;
    *bands = corr_min(panels, corr_max(least, wanted));
    *rows = corr_ceil_div(down, corr_min(corr_ceil_div(wanted, *bands), corr_ceil_div(down, phase_rows)));
}
