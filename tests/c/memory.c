/* Drawn problems through every pass, with arrays and scratch of the exact size from malloc.
 * tools/check_c.py builds it with AddressSanitizer and UndefinedBehaviorSanitizer. Outputs begin
 * as NaN. Prints what it did; 0 is all right. */
#include "shared.h"

#include <math.h>

enum { PROBLEMS = 1500 };

static void *exact_allocate(size_t bytes, void *context) {
    (void)context;
    void *block = NULL;
    return posix_memalign(&block, 64, bytes) ? NULL : block;
}
static void exact_release(void *block, size_t bytes, void *context) {
    (void)bytes;
    (void)context;
    free(block);
}

/* n, g, c, h, w in planes or channels-last; how many elements. */
static int64_t lay_out(int64_t stride[5], const int64_t size[5], int last) {
    const int64_t channels = size[1] * size[2], pixels = size[3] * size[4];
    stride[4] = last ? channels : 1;
    stride[3] = size[4] * stride[4];
    stride[2] = last ? 1 : pixels;
    stride[1] = size[2] * stride[2];
    stride[0] = channels * pixels;
    return size[0] * stride[0];
}

static corr_axis draw_axis(unsigned *state, int small) {
    corr_axis a = {.kernel = 1 + draw(state, small ? 3 : 9), .stride = 1 + draw(state, 3),
                   .dilation = 1 + draw(state, 3)};
    a.pad = draw(state, (unsigned)(a.kernel * a.dilation) + 1);
    const int64_t after = draw(state, (unsigned)(a.kernel * a.dilation) + 1);
    const int64_t window = (a.kernel - 1) * a.dilation + 1;
    a.in = 1 + draw(state, draw(state, 4) ? 20 : 70);
    while (a.in + a.pad + after < window)
        a.in++;
    a.out = (a.in + a.pad + after - window) / a.stride + 1;
    return a;
}

static corr_problem draw_problem(unsigned *state) {
    static const unsigned channels[] = {1, 1, 2, 3, 4, 8, 17, 40, 70};
    corr_problem p = {.dtype = draw(state, 3) ? CORR_F32 : CORR_F64, .n = 1 + draw(state, 3)};
    p.groups = draw(state, 3) ? 1 : 1 + draw(state, 40);
    p.ic = p.groups > 4 ? 1 + draw(state, 2) : channels[draw(state, 9)];
    p.oc = p.groups > 4 ? 1 + draw(state, 2) : channels[draw(state, 9)];
    p.h = draw_axis(state, 1);
    p.w = draw_axis(state, draw(state, 3) != 0);
    if (draw(state, 3) == 0) { /* 3x3 as Winograd takes it; and a picture for transforms */
        p.h.kernel = p.w.kernel = 3;
        p.h.stride = p.w.stride = p.h.dilation = p.w.dilation = 1;
        p.h.pad = p.w.pad = 1;
        p.h.out = p.h.in;
        p.w.out = p.w.in;
    }
    p.algorithm = draw(state, 2) ? CORR_AUTO : (corr_algorithm)draw(state, 4);
    p.activation = (corr_activation)draw(state, 3);
    return p;
}

typedef struct array {
    void *data;
    int64_t size;
    corr_dtype dtype;
} array;

static array make(int64_t size, corr_dtype dtype, unsigned *state) {
    const size_t bytes = dtype == CORR_F32 ? sizeof(float) : sizeof(double);
    array a = {malloc((size_t)size * bytes + (size == 0)), size, dtype};
    for (int64_t i = 0; a.data && i < size; i++) {
        const double v = state ? (double)draw(state, 7) - 3 : NAN;
        if (dtype == CORR_F32)
            ((float *)a.data)[i] = (float)v;
        else
            ((double *)a.data)[i] = v;
    }
    return a;
}

/* NaN where it was not written. */
static int is_whole(array a) {
    for (int64_t i = 0; i < a.size; i++)
        if (isnan(a.dtype == CORR_F32 ? ((float *)a.data)[i] : ((double *)a.data)[i]))
            return 0;
    return 1;
}

static int wrong, calls;

static void check(const char *pass, corr_status status, array written, unsigned seed) {
    calls += status == CORR_OK;
    if (status == CORR_UNSUPPORTED || (status == CORR_OK && is_whole(written)))
        return;
    wrong++;
    printf("%s of problem %u at %s: status %d, or not all written\n", pass, seed, corr_isa(), (int)status);
}

static void run(unsigned seed) {
    unsigned state = seed * 2654435761u + 1;
    corr_problem p = draw_problem(&state);
    const int last = (int)draw(&state, 2), channels = (int)(p.groups * p.oc);
    const int64_t x_size[5] = {p.n, p.groups, p.ic, p.h.in, p.w.in};
    const int64_t w_size[5] = {p.groups, p.oc, p.ic, p.h.kernel, p.w.kernel};
    const int64_t y_size[5] = {p.n, p.groups, p.oc, p.h.out, p.w.out};
    const int64_t xs = lay_out(p.x_stride, x_size, last), ys = lay_out(p.y_stride, y_size, last);
    p.w_stride[4] = 1;
    for (int i = 3; i >= 0; i--)
        p.w_stride[i] = p.w_stride[i + 1] * w_size[i + 1];
    const int64_t ws = p.w_stride[0] * p.groups;
    array x = make(xs, p.dtype, &state), w = make(ws, p.dtype, &state), b = make(channels, p.dtype, &state);
    array gy = make(ys, p.dtype, &state), y = make(ys, p.dtype, NULL), planned = make(ys, p.dtype, NULL);
    array gx = make(xs, p.dtype, NULL), gw = make(ws, p.dtype, NULL), gb = make(channels, p.dtype, NULL);
    const corr_call call = {.threads = 1 + (int)draw(&state, 2)};
    corr_plan *plan = NULL;
    check("forward", corr_forward(&p, x.data, w.data, b.data, y.data, &call), y, seed);
    corr_status status = corr_plan_create(&p, w.data, b.data, &call, &plan);
    if (status == CORR_OK)
        status = corr_plan_run(plan, p.n, x.data, p.x_stride, planned.data, p.y_stride, &call);
    check("plan", status, planned, seed);
    corr_plan_destroy(plan);
    p.activation = CORR_LINEAR;
    check("input gradient", corr_input_gradient(&p, gx.data, w.data, gy.data, &call), gx, seed);
    check("weight gradient", corr_weight_gradient(&p, x.data, gw.data, gy.data, &call), gw, seed);
    check("bias gradient", corr_bias_gradient(&p, gy.data, gb.data, &call), gb, seed);
    if (p.groups == 1 && !last) {
        array columns = make(p.n * p.ic * p.h.kernel * p.w.kernel * p.h.out * p.w.out, p.dtype, NULL);
        array back = make(xs, p.dtype, NULL);
        check("im2col", corr_im2col(&p, x.data, columns.data, &call), columns, seed);
        check("col2im", corr_col2im(&p, columns.data, back.data, &call), back, seed);
        free(columns.data);
        free(back.data);
    }
    array all[] = {x, w, b, gy, y, planned, gx, gw, gb};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i].data);
}

int main(void) {
    const char *names[8];
    static const corr_allocator exact = {exact_allocate, exact_release, NULL};
    corr_initialize(NULL);
    corr_set_allocator(&exact);
    const int isas = corr_isa_names(names, 8);
    for (int isa = 0; isa < isas; isa++) {
        corr_initialize(names[isa]);
        for (unsigned seed = 0; seed < PROBLEMS; seed++)
            run(seed);
    }
    printf("%d ISAs, %d drawn problems each, %d calls: %d wrong\n", isas, PROBLEMS, calls, wrong);
    return wrong != 0;
}
