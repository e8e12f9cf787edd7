/* im2col of a channels-last image: the channels of a pixel's tap follow one another, so a
 * line [pixel][CORR_LINE] of terms k = (p, q, c) is a few copies. */
#include "../plan/plan.h"

#include <string.h>

void corr_pack_lines(const corr_problem *s, const corr_kernels *k, const char *x, int64_t k0,
                     int64_t k1, int64_t pixel, int64_t count, char *dst) {
    const int64_t bytes = k->bytes;
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
                k->copy(to, x + (h * s->x_stride[3] + v * s->x_stride[4] + c) * bytes, 1, channels);
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
