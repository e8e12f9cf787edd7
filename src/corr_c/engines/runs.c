#include "../plan/plan.h"

/* Pixels `pixel` .. `pixel + count` of one tap, as vectors: each stays within one output
 * row, and its lanes outside the image are left out. start_h and start_w are where the
 * tap of output (0, 0) lies. Zero vectors fill up to `width`. At most one run a pixel
 * and one a vector. */
int64_t corr_make_runs(const corr_plane *p, int64_t start_h, int64_t start_w, int64_t pixel,
                       int64_t count, int64_t width, int lanes, corr_run *runs) {
    int64_t made = 0, at = 0;
    int64_t i = pixel / p->ow, j = pixel % p->ow;
    while (at < count) {
        int64_t in_row = corr_min(count - at, p->ow - j);
        int64_t h = start_h + i * p->sh;
        int row_inside = h >= 0 && h < p->ih;
        for (int64_t off = 0; off < in_row; off += lanes) {
            int64_t v = start_w + (j + off) * p->sw;
            int64_t lo = v >= 0 ? 0 : corr_ceil_div(-v, p->sw);
            int64_t hi = v >= p->iw ? 0 : corr_ceil_div(p->iw - v, p->sw);
            hi = corr_min(hi, corr_min(in_row - off, lanes));
            corr_run *run = &runs[made++];
            run->dst = (int32_t)(at + off);
            if (!row_inside || lo >= hi) {
                run->src = 0;
                run->lo = run->hi = 0;
            } else {
                run->src = h * p->x_h + v * p->x_w;
                run->lo = (int16_t)lo;
                run->hi = (int16_t)hi;
            }
        }
        at += in_row;
        i++;
        j = 0;
    }
    for (int64_t end = made ? runs[made - 1].dst + lanes : 0; end < width; end += lanes) {
        runs[made].dst = (int32_t)end;
        runs[made].src = 0;
        runs[made].lo = runs[made].hi = 0;
        made++;
    }
    return made;
}
