/* How a choice cuts a product into items, and the scratch that one thread needs for one. */
#include "../plan/plan.h"

static int inside(const corr_axis *a) {
    return a->kernel == 1 && a->pad == 0 && (a->out - 1) * a->stride < a->in;
}

int corr_reads_image(const corr_problem *s, const corr_choice *c) {
    const int64_t reach = corr_magnitude(s->x_stride[2]);
    const int runs = c->channel_lanes ? c->by_rows || s->h.out == 1
                                      : s->h.out == 1 && s->w.stride * s->x_stride[4] == 1;
    return inside(&s->h) && inside(&s->w) && runs && reach <= INT32_MAX / corr_max(c->cb, 1);
}

int corr_reads_runs(const corr_problem *s, const corr_choice *c) {
    const corr_middle m = corr_find_middle(s, c);
    return !c->channel_lanes ||
           (!corr_channels_last(s) && m.first == m.end &&
            (corr_reads_image(s, c) ? s->w.stride * s->x_stride[4] == 1 : !corr_keeps_planes(s, c)));
}

int corr_turns_sums(const corr_problem *s, const corr_choice *c) {
    const int flat = c->by_rows || s->h.out == 1 || s->y_stride[3] == s->w.out * s->y_stride[4];
    return !c->channel_lanes && flat && s->y_stride[2] == 1 && s->y_stride[4] != 1;
}

corr_blocks corr_make_blocks(const corr_problem *s, const corr_choice *c) {
    const int64_t pixels = c->by_rows ? s->w.out : corr_pixels(s);
    corr_blocks b = {
        .rows = c->by_rows ? corr_ceil_div(s->h.out, c->item_rows) : 1,
        .columns = corr_ceil_div(corr_ceil_div(pixels, corr_panel_pixels(c)), c->pixel_panels),
        .bands = corr_ceil_div(corr_ceil_div(s->oc, corr_panel_channels(c)), c->channel_panels),
    };
    return b;
}

corr_middle corr_find_middle(const corr_problem *s, const corr_choice *c) {
    const int64_t *xs = s->x_stride, per_panel = corr_panel_pixels(c), w = s->w.out;
    const int64_t reach = (s->h.kernel - 1) * s->h.dilation * corr_magnitude(xs[3]) +
                          (s->w.kernel - 1) * s->w.dilation * corr_magnitude(xs[4]) +
                          c->cb * corr_magnitude(xs[2]);
    corr_middle m = {w, w};
    if (!c->channel_lanes || !c->by_rows || !(corr_channels_last(s) || corr_reads_planes(s, c->kernels)) ||
        corr_reads_image(s, c) || reach > INT32_MAX)
        return m;
    int64_t first, end;
    corr_find_inside(&s->w, &first, &end);
    first = corr_round_up(first, per_panel);
    end = end == w ? w : end / per_panel * per_panel;
    return first < end ? (corr_middle){first, end} : m;
}

corr_scratch corr_make_scratch(const corr_problem *s, const corr_choice *c) {
    const int64_t lanes = c->kernels->lanes, bytes = c->kernels->bytes;
    const int64_t per_panel = corr_panel_pixels(c), taps = s->h.kernel * s->w.kernel;
    const int64_t all = c->by_rows ? s->w.out : corr_pixels(s);
    const int64_t length = corr_min(c->pixel_panels * per_panel, all);
    const int64_t runs = c->by_rows ? corr_min(c->item_rows, s->h.out) : 1;
    const int64_t rows =
        c->by_rows ? runs : corr_min((length + s->w.out - 2) / s->w.out + 1, s->h.out);
    const corr_middle m = corr_find_middle(s, c);
    const int64_t edges = m.first < m.end ? corr_max(m.first, s->w.out - m.end) : length;
    corr_scratch b = {.layout = corr_make_slab(s, c, rows, corr_min(edges, length))};
    int64_t slab = b.layout.elements * ((m.first > 0) + (m.end < s->w.out));
    /* What vectors would reach past a row of the image is copied. */
    if (corr_reads_image(s, c))
        slab = c->channel_lanes ? 0 : (c->cb + 1) * corr_round_up(all % per_panel, lanes);
    b.offsets = corr_round_up((m.first < m.end ? 4 : 2) * c->cb * taps * (int64_t)sizeof(int32_t), 64);
    const int64_t channels =
        corr_min(c->channel_panels * corr_panel_channels(c), corr_round_up(s->oc, lanes));
    b.slab = corr_round_up(slab * bytes, 64);
    const int64_t sums = c->channel_lanes         ? runs * length
                         : corr_turns_sums(s, c) ? corr_sums_row(c, runs * length)
                                                 : 0;
    b.sums = corr_round_up(sums * channels * bytes, 64);
    b.panel = c->packs_late ? corr_round_up(c->cb * taps * corr_panel_channels(c) * bytes, 64) : 0;
    b.pixel_panel = corr_round_up((c->kc * per_panel + lanes) * bytes, 64);
    b.pixels = c->packed_panels * b.pixel_panel;
    b.bytes = b.slab + b.sums + b.panel + b.pixels +
              corr_round_up(runs * corr_ceil_div(length, per_panel) * (int64_t)sizeof(corr_panel), 64);
    return b;
}
