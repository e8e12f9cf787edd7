#include "problem.h"

#include <string.h>

static int is_pointwise(const corr_axis *a) {
    return a->kernel == 1 && a->stride == 1 && a->pad == 0 && a->in == a->out;
}

void corr_flatten(corr_problem *s) {
    if (!is_pointwise(&s->h) || !is_pointwise(&s->w) || s->h.in == 1)
        return;
    if (s->x_stride[3] != s->w.in * s->x_stride[4] || s->y_stride[3] != s->w.out * s->y_stride[4])
        return;
    s->w.in = s->w.out = s->h.in * s->w.in;
    s->h.in = s->h.out = 1;
}

/* x reaches i + p*d - pad from gradient i; so does gy's i from x's pixel, by tap k - 1 - p. */
static corr_axis swap_axis(const corr_axis *a) {
    const int64_t reach = (a->kernel - 1) * a->dilation;
    if (a->kernel == 1)
        return (corr_axis){.in = a->out, .out = a->out, .kernel = 1, .stride = 1, .dilation = 1};
    return (corr_axis){.in = a->out, .out = a->in, .kernel = a->kernel, .stride = 1, .dilation = a->dilation,
                       .pad = reach - a->pad};
}

corr_problem corr_swap_factors(const corr_problem *s, int64_t *w_offset) {
    corr_problem r = *s;
    r.ic = s->oc;
    r.oc = s->ic;
    memcpy(r.x_stride, s->y_stride, sizeof r.x_stride);
    memcpy(r.y_stride, s->x_stride, sizeof r.y_stride);
    r.y_stride[3] *= s->h.stride;
    r.y_stride[4] *= s->w.stride;
    r.w_stride[1] = s->w_stride[2];
    r.w_stride[2] = s->w_stride[1];
    r.w_stride[3] = -s->w_stride[3];
    r.w_stride[4] = -s->w_stride[4];
    *w_offset = (s->h.kernel - 1) * s->w_stride[3] + (s->w.kernel - 1) * s->w_stride[4];
    r.h = swap_axis(&s->h);
    r.w = swap_axis(&s->w);
    return r;
}

/* Their greatest common divisor g, and *inverse * a = g modulo b. */
static int64_t divisor(int64_t a, int64_t b, int64_t *inverse) {
    const int64_t modulus = b;
    int64_t x = 1, next = 0;
    while (b) {
        const int64_t quotient = a / b, rest = a % b, later = x - quotient * next;
        a = b;
        b = rest;
        x = next;
        next = later;
    }
    *inverse = x < 0 ? x + modulus : x;
    return a;
}

/* a * b modulo m, of a and b below m <= 2^48. */
static int64_t multiply_modulo(int64_t a, int64_t b, int64_t m) {
    int64_t sum = 0;
    if (m <= INT32_MAX)
        return a * b % m;
    for (; b; b >>= 1) {
        sum = b & 1 ? (sum + a) % m : sum;
        a = 2 * a % m;
    }
    return sum;
}

/* p*d = a + pad (mod s) */
int64_t corr_first_tap(const corr_axis *axis, int64_t a, int64_t *step) {
    const int64_t s = axis->stride;
    int64_t inverse;
    if (axis->dilation == 1) {
        *step = s;
        return corr_min(((a + axis->pad) % s + s) % s, axis->kernel);
    }
    const int64_t g = divisor(axis->dilation, s, &inverse), rest = ((a + axis->pad) % s + s) % s;
    *step = s / g;
    if (rest % g)
        return axis->kernel;
    return corr_min(multiply_modulo(rest / g, inverse % *step, *step), axis->kernel);
}

/* Input pixel a + s*t takes tap p from output i where i*s = a + s*t + pad - p*d, so
 * p*d = a + pad (mod s): every (s/g)-th tap from p0 on, g = gcd(d, s), and along those
 * i falls by d/g. Read backwards that is a correlation of stride 1 and dilation d/g. */
static int phase_axis(const corr_axis *f, int64_t a, corr_axis *phase, int64_t *last_tap,
                      int64_t *tap_step) {
    const int64_t s = f->stride, p0 = corr_first_tap(f, a, tap_step), g = s / *tap_step;
    phase->in = f->out;
    phase->out = a < f->in ? (f->in - a + s - 1) / s : 0;
    phase->stride = 1;
    phase->kernel = 1;
    phase->dilation = 1;
    phase->pad = 0;
    if (p0 >= f->kernel)
        return 0;
    phase->kernel = (f->kernel - 1 - p0) / *tap_step + 1;
    if (phase->kernel > 1)
        phase->dilation = f->dilation / g;
    *tap_step = corr_min(*tap_step, f->kernel);
    phase->pad = (phase->kernel - 1) * phase->dilation - (a + f->pad - p0 * f->dilation) / s;
    *last_tap = p0 + (phase->kernel - 1) * *tap_step;
    return 1;
}

int corr_input_phase(const corr_problem *f, int64_t a, int64_t b, corr_problem *phase,
                     int64_t *w_offset, int64_t *y_offset) {
    int64_t last[2] = {0, 0}, step[2];
    *phase = *f;
    int taps = phase_axis(&f->h, a, &phase->h, &last[0], &step[0]) &
               phase_axis(&f->w, b, &phase->w, &last[1], &step[1]);
    phase->activation = CORR_LINEAR;
    phase->ic = f->oc;
    phase->oc = f->ic;
    for (int i = 0; i < 5; i++) {
        phase->x_stride[i] = f->y_stride[i];
        phase->y_stride[i] = f->x_stride[i];
    }
    phase->y_stride[3] *= corr_min(f->h.stride, corr_max(f->h.in, 1));
    phase->y_stride[4] *= corr_min(f->w.stride, corr_max(f->w.in, 1));
    phase->w_stride[1] = f->w_stride[2];
    phase->w_stride[2] = f->w_stride[1];
    phase->w_stride[3] = -step[0] * f->w_stride[3];
    phase->w_stride[4] = -step[1] * f->w_stride[4];
    *w_offset = last[0] * f->w_stride[3] + last[1] * f->w_stride[4];
    *y_offset = a * f->x_stride[3] + b * f->x_stride[4];
    return taps && phase->ic > 0;
}
