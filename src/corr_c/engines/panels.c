/* im2col where it is needed: some panels of pixels at a time, straight from the image. */
#include "../plan/plan.h"

#include <string.h>

corr_panels corr_make_panels(const corr_problem *s, const corr_choice *choice) {
    corr_panels panels = {
        s, choice->kernels,
        {s->h.in, s->w.in, s->x_stride[3], s->x_stride[4], s->h.stride, s->w.stride, s->w.out},
        choice->channel_lanes && s->x_stride[2] == 1,
        !choice->channel_lanes,
        corr_panel_pixels(choice),
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

static void pack_planes(const corr_panels *panels, const char *x, int64_t k0, int64_t k1,
                        int64_t pixel, int64_t end, int64_t width, char *dst, corr_run *runs) {
    const corr_problem *s = panels->s;
    const corr_kernels *k = panels->k;
    const int64_t per_panel = panels->pixels, panel = (k1 - k0) * width;
    for (int64_t at = k0; at < k1;) {
        const int64_t tap = at / s->ic, c = at % s->ic;
        const int64_t channels = corr_min(s->ic - c, k1 - at);
        const int64_t p = tap / s->w.kernel, q = tap % s->w.kernel;
        int64_t made = 0, to = (at - k0) * width;
        for (int64_t j = pixel; j < end; j += per_panel, to += panel)
            made += corr_make_runs(&panels->plane, p * s->h.dilation - s->h.pad,
                                   q * s->w.dilation - s->w.pad, j, corr_min(per_panel, end - j),
                                   width, k->lanes, to, runs + made);
        k->pack_pixels(runs, made, s->w.stride * s->x_stride[4],
                       x + c * s->x_stride[2] * k->bytes, s->x_stride[2], channels, dst, width);
        at += channels;
    }
}

int64_t corr_panel_width(const corr_panels *panels, int64_t pixels) {
    return panels->whole_vectors ? corr_round_up(pixels, panels->k->lanes) : pixels;
}

void corr_pack_panels(const corr_panels *panels, const char *x, int64_t k0, int64_t k1,
                      int64_t pixel, int64_t end, char *dst, corr_run *runs) {
    if (panels->lines) {
        pack_lines(panels, x, k0, k1, pixel, end - pixel, dst);
        return;
    }
    const int64_t whole = (end - pixel) / panels->pixels * panels->pixels, rest = end - pixel - whole;
    if (whole) {
        const int64_t width = corr_panel_width(panels, panels->pixels);
        pack_planes(panels, x, k0, k1, pixel, pixel + whole, width, dst, runs);
        dst += whole / panels->pixels * (k1 - k0) * width * panels->k->bytes;
    }
    if (rest)
        pack_planes(panels, x, k0, k1, pixel + whole, end, corr_panel_width(panels, rest), dst, runs);
}

void corr_row_terms(const corr_problem *s, int64_t first, int64_t last, int64_t *k0, int64_t *k1) {
    const corr_axis *h = &s->h;
    int64_t p0 = 0, p1 = h->kernel;
    while (p0 < p1 && last * h->stride - h->pad + p0 * h->dilation < 0)
        p0++;
    while (p1 > p0 && first * h->stride - h->pad + (p1 - 1) * h->dilation >= h->in)
        p1--;
    *k0 = p0 * s->w.kernel * s->ic;
    *k1 = p1 * s->w.kernel * s->ic;
}

void corr_panel_terms(const corr_problem *s, int64_t pixel, int64_t count, int64_t *k0,
                      int64_t *k1) {
    corr_row_terms(s, pixel / s->w.out, (pixel + count - 1) / s->w.out, k0, k1);
}
