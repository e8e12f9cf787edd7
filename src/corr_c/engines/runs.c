#include "../plan/plan.h"

static void add_run(corr_run *run, int64_t src, int64_t dst, int64_t lo, int64_t hi, int64_t room) {
    run->src = lo < hi ? src : 0;
    run->dst = (int32_t)dst;
    run->lo = (int8_t)(lo < hi ? lo : 0);
    run->hi = (int8_t)(lo < hi ? hi : 0);
    run->room = (int8_t)room;
    run->unused = 0;
}

/* Pixels `pixel` .. `pixel + count` of one tap, as vectors: each stays within one output
 * row, and its lanes outside the image are left out. start_h and start_w are where the
 * tap of output (0, 0) lies. They are laid out from dst on, with zeros up to `width`. At
 * most one run a pixel and one a vector. */
int64_t corr_make_runs(const corr_plane *p, int64_t start_h, int64_t start_w, int64_t pixel,
                       int64_t count, int64_t width, int lanes, int64_t dst, corr_run *runs) {
    int64_t made = 0, at = 0;
    int64_t i = pixel / p->ow, j = pixel % p->ow;
    while (at < count) {
        const int64_t in_row = corr_min(count - at, p->ow - j);
        const int64_t h = start_h + i * p->sh, v0 = start_w + j * p->sw;
        /* Of this row's pixels, those whose tap lies in the image. */
        int64_t lo = 0, hi = 0;
        if (h >= 0 && h < p->ih) {
            hi = v0 >= p->iw ? 0 : corr_min(in_row, p->sw == 1 ? p->iw - v0 : corr_ceil_div(p->iw - v0, p->sw));
            lo = v0 >= 0 ? 0 : p->sw == 1 ? -v0 : corr_ceil_div(-v0, p->sw);
        }
        const int64_t src = h * p->x_h + v0 * p->x_w, step = p->sw * p->x_w;
        for (int64_t off = 0; off < in_row; off += lanes)
            add_run(&runs[made++], src + off * step, dst + at + off, corr_max(lo - off, 0),
                    corr_min(hi - off, lanes), corr_min(width - at - off, lanes));
        at += in_row;
        i++;
        j = 0;
    }
    for (int64_t end = made ? runs[made - 1].dst - dst + lanes : 0; end < width; end += lanes)
        add_run(&runs[made++], 0, dst + end, 0, 0, corr_min(width - end, lanes));
    return made;
}
