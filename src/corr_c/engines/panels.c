/* im2col where it is needed: one panel of pixels at a time, straight from the image. */
#include "../plan/plan.h"

#include <string.h>

enum { MAX_RUNS = 2 * CORR_MAX_TILE_COLUMNS };

corr_panels corr_make_panels(const corr_problem *s, const corr_choice *choice) {
    corr_panels panels = {
        s, choice->kernels,
        {s->h.in, s->w.in, s->x_stride[3], s->x_stride[4], s->h.stride, s->w.stride, s->w.out},
        choice->channel_lanes && s->x_stride[2] == 1,
    };
    return panels;
}

/* Channels-last: the channels of a pixel's tap follow one another, so they are copied. */
static void pack_lines(const corr_panels *panels, const char *x, int64_t k0, int64_t k1,
                       int64_t pixel, int64_t count, char *dst) {
    const corr_problem *s = panels->s;
    const int64_t bytes = panels->k->bytes;
    int64_t i = pixel / s->w.out, j = pixel % s->w.out;
    for (int64_t r = 0; r < count; r++, dst += CORR_LINE * bytes) {
        int64_t tap = k0 / s->ic, c = k0 % s->ic;
        int64_t p = tap / s->w.kernel, q = tap % s->w.kernel;
        for (int64_t at = k0; at < k1;) {
            const int64_t channels = corr_min(s->ic - c, k1 - at);
            const int64_t h = i * s->h.stride + p * s->h.dilation - s->h.pad;
            const int64_t v = j * s->w.stride + q * s->w.dilation - s->w.pad;
            char *to = dst + (at - k0) * bytes;
            if (h >= 0 && h < s->h.in && v >= 0 && v < s->w.in)
                panels->k->copy(to, x + (h * s->x_stride[3] + v * s->x_stride[4] + c) * bytes, 1,
                                channels);
            else
                memset(to, 0, (size_t)(channels * bytes));
            at += channels;
            c = 0;
            if (++q == s->w.kernel) {
                q = 0;
                p++;
            }
        }
        if (++j == s->w.out) {
            j = 0;
            i++;
        }
    }
}

void corr_pack_panel(const corr_panels *panels, const char *x, int64_t k0, int64_t k1,
                     int64_t pixel, int64_t count, int64_t width, char *dst) {
    const corr_problem *s = panels->s;
    const corr_kernels *k = panels->k;
    if (panels->lines) {
        pack_lines(panels, x, k0, k1, pixel, count, dst);
        return;
    }
    corr_run runs[MAX_RUNS];
    for (int64_t at = k0; at < k1;) {
        const int64_t tap = at / s->ic, c = at % s->ic;
        const int64_t channels = corr_min(s->ic - c, k1 - at);
        const int64_t p = tap / s->w.kernel, q = tap % s->w.kernel;
        int64_t made = corr_make_runs(&panels->plane, p * s->h.dilation - s->h.pad,
                                      q * s->w.dilation - s->w.pad, pixel, count, width,
                                      k->lanes, runs);
        k->pack_pixels(runs, made, s->w.stride * s->x_stride[4],
                       x + c * s->x_stride[2] * k->bytes, s->x_stride[2], channels,
                       dst + (at - k0) * width * k->bytes, width);
        at += channels;
    }
}

void corr_panel_terms(const corr_problem *s, int64_t pixel, int64_t count, int64_t *k0,
                      int64_t *k1) {
    const corr_axis *h = &s->h;
    const int64_t first = pixel / s->w.out * h->stride - h->pad;
    const int64_t last = (pixel + count - 1) / s->w.out * h->stride - h->pad;
    int64_t p0 = 0, p1 = h->kernel;
    while (p0 < p1 && last + p0 * h->dilation < 0)
        p0++;
    while (p1 > p0 && first + (p1 - 1) * h->dilation >= h->in)
        p1--;
    *k0 = p0 * s->w.kernel * s->ic;
    *k1 = p1 * s->w.kernel * s->ic;
}
