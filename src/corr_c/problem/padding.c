/* Padding modes other than zeros: one padded copy, and the way back, which folds. */
#include "problem.h"

#include <string.h>

/* The source index of position i - pad, for every padded position i. */
static void fill_map(corr_pad_mode mode, int64_t in, int64_t out, int64_t pad, int64_t *map) {
    for (int64_t i = 0; i < out; i++) {
        int64_t at = i - pad;
        if (mode == CORR_PAD_CIRCULAR)
            at = (at % in + in) % in;
        else if (mode == CORR_PAD_REPLICATE)
            at = at < 0 ? 0 : at >= in ? in - 1 : at;
        else /* reflect: the edge pixel itself is not repeated */
            at = at < 0 ? -at : at >= in ? 2 * (in - 1) - at : at;
        map[i] = at;
    }
}

static corr_status make_maps(const corr_padding *s, int64_t **h, int64_t **w, size_t *bytes) {
    *bytes = (size_t)(s->h.out + s->w.out) * sizeof(int64_t);
    *h = corr_allocate(*bytes);
    if (!*h)
        return CORR_NO_MEMORY;
    *w = *h + s->h.out;
    fill_map(s->mode, s->h.in, s->h.out, s->h.pad, *h);
    fill_map(s->mode, s->w.in, s->w.out, s->w.pad, *w);
    return CORR_OK;
}

corr_status corr_pad(const corr_padding *s, const void *src_, void *dst_) {
    const size_t bytes = (size_t)corr_kernel_table(s->dtype)->bytes;
    int64_t *map_h, *map_w;
    size_t map_bytes;
    corr_status status = make_maps(s, &map_h, &map_w, &map_bytes);
    if (status)
        return status;
    for (int64_t n = 0; n < s->n; n++)
        for (int64_t c = 0; c < s->c; c++)
            for (int64_t i = 0; i < s->h.out; i++) {
                int64_t from = n * s->src_stride[0] + c * s->src_stride[1] + map_h[i] * s->src_stride[2];
                int64_t to = n * s->dst_stride[0] + c * s->dst_stride[1] + i * s->dst_stride[2];
                const char *src = (const char *)src_ + from * (int64_t)bytes;
                char *dst = (char *)dst_ + to * (int64_t)bytes;
                const int64_t step = s->dst_stride[3] * (int64_t)bytes;
                for (int64_t j = 0; j < s->w.out; j++, dst += step)
                    memcpy(dst, src + map_w[j] * s->src_stride[3] * (int64_t)bytes, bytes);
            }
    corr_release(map_h, map_bytes);
    return CORR_OK;
}

corr_status corr_unpad(const corr_padding *s, void *src_, const void *dst_) {
    int64_t *map_h, *map_w;
    size_t map_bytes;
    corr_status status = make_maps(s, &map_h, &map_w, &map_bytes);
    if (status)
        return status;
    for (int64_t n = 0; n < s->n; n++)
        for (int64_t c = 0; c < s->c; c++)
            for (int64_t i = 0; i < s->h.out; i++) {
                int64_t to = n * s->src_stride[0] + c * s->src_stride[1] + map_h[i] * s->src_stride[2];
                int64_t from = n * s->dst_stride[0] + c * s->dst_stride[1] + i * s->dst_stride[2];
                for (int64_t j = 0; j < s->w.out; j++, from += s->dst_stride[3]) {
                    int64_t at = to + map_w[j] * s->src_stride[3];
                    if (s->dtype == CORR_F32)
                        ((float *)src_)[at] += ((const float *)dst_)[from];
                    else
                        ((double *)src_)[at] += ((const double *)dst_)[from];
                }
            }
    corr_release(map_h, map_bytes);
    return CORR_OK;
}
