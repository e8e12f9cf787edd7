/* Every engine, every pass, from many threads at once: the bits that one thread gives, at
 * every ISA. Calls poll, and a poll calls corr. tools/check_c.py builds it with
 * sanitizers. Prints what it did; 0 is all right. */
#include "shared.h"

enum { CALLERS = 6, CALLS = 5, PASSES = 7 };

typedef struct layer {
    const char *name;
    corr_algorithm algorithm;
    int64_t n, groups, ic, oc, h, w, kernel, stride, pad; /* channels of one group */
    int last;                                             /* channels last? */
} layer;

static const layer layers[] = {
    {"pixels", CORR_DIRECT, 1, 1, 16, 24, 40, 40, 3, 1, 1, 0},
    {"channels", CORR_DIRECT, 2, 1, 64, 70, 7, 7, 3, 1, 1, 1},
    {"pointwise", CORR_DIRECT, 2, 1, 64, 72, 15, 15, 1, 1, 0, 0},
    {"strided", CORR_DIRECT, 1, 1, 24, 40, 33, 31, 3, 2, 1, 0},
    {"grouped", CORR_DIRECT, 1, 4, 8, 12, 24, 24, 3, 1, 1, 1},
    {"depthwise", CORR_DIRECT, 2, 40, 1, 1, 48, 48, 3, 1, 1, 0},
    {"depthwise in lanes", CORR_DIRECT, 2, 40, 1, 1, 48, 48, 3, 1, 1, 1},
    {"depthwise, strided", CORR_DIRECT, 3, 48, 1, 1, 63, 63, 5, 2, 2, 0},
    {"picture", CORR_DIRECT, 1, 1, 1, 3, 130, 150, 9, 1, 4, 0},
    {"winograd", CORR_WINOGRAD, 1, 1, 32, 48, 30, 30, 3, 1, 1, 0},
    {"winograd, channels last", CORR_WINOGRAD, 3, 1, 40, 33, 9, 10, 3, 1, 1, 1},
    {"fft", CORR_FFT, 1, 1, 1, 2, 100, 110, 21, 1, 10, 0},
};
enum { LAYERS = sizeof layers / sizeof *layers };

/* Of one layer: what is read, what each pass gives on one thread, and how much that is. */
static struct {
    corr_problem p;
    corr_plan *plan;
    float *x, *w, *gy, *bias;
    float *wanted[PASSES];
    int64_t size[PASSES];
} made[LAYERS];

static corr_atomic wrong = CORR_ATOMIC_INIT, calls = CORR_ATOMIC_INIT, nested = CORR_ATOMIC_INIT;

static int64_t set_strides(int64_t stride[5], const int64_t size[5], int last) {
    const int64_t channels = size[1] * size[2];
    stride[4] = last ? channels : 1;
    stride[3] = size[4] * stride[4];
    stride[2] = last ? 1 : size[3] * size[4];
    stride[1] = size[2] * stride[2];
    stride[0] = channels * size[3] * size[4];
    return size[0] * stride[0];
}

static float *numbers(unsigned *state, int64_t size) {
    float *a = malloc((size_t)size * sizeof *a);
    for (int64_t i = 0; a && i < size; i++)
        a[i] = (float)draw(state, 1 << 20) / (1 << 20) - 0.5f;
    return a;
}

static int make(int index) {
    const layer *l = &layers[index];
    unsigned state = (unsigned)index + 1;
    corr_problem *p = &made[index].p;
    *p = (corr_problem){.algorithm = l->algorithm, .n = l->n, .groups = l->groups, .ic = l->ic,
                        .oc = l->oc};
    p->h = (corr_axis){l->h, (l->h + 2 * l->pad - l->kernel) / l->stride + 1, l->kernel, l->stride, 1, l->pad};
    p->w = (corr_axis){l->w, (l->w + 2 * l->pad - l->kernel) / l->stride + 1, l->kernel, l->stride, 1, l->pad};
    const int64_t x[5] = {p->n, p->groups, p->ic, p->h.in, p->w.in};
    const int64_t y[5] = {p->n, p->groups, p->oc, p->h.out, p->w.out};
    const int64_t taps = p->h.kernel * p->w.kernel;
    const int64_t ws[5] = {p->oc * p->ic * taps, p->ic * taps, taps, p->w.kernel, 1};
    memcpy(p->w_stride, ws, sizeof ws);
    const int64_t xs = set_strides(p->x_stride, x, l->last), ys = set_strides(p->y_stride, y, l->last);
    const int64_t channels = p->groups * p->oc, w = channels * p->ic * taps;
    const int64_t cols = p->n * p->groups * p->ic * taps * p->h.out * p->w.out;
    made[index].x = numbers(&state, xs);
    made[index].w = numbers(&state, w);
    made[index].gy = numbers(&state, ys);
    made[index].bias = numbers(&state, channels);
    const int64_t size[PASSES] = {ys, ys, xs, w, channels, p->groups == 1 ? cols : 0, xs};
    for (int pass = 0; pass < PASSES; pass++) {
        made[index].size[pass] = size[pass];
        made[index].wanted[pass] = calloc((size_t)size[pass] + 1, sizeof(float));
        if (!made[index].wanted[pass])
            return 0;
    }
    return made[index].x && made[index].w && made[index].gy && made[index].bias;
}

static corr_status run(int index, int pass, float *to, const corr_call *call) {
    const corr_problem *p = &made[index].p;
    const float *x = made[index].x, *w = made[index].w, *gy = made[index].gy;
    corr_problem gradient = *p;
    corr_call some = *call;
    gradient.algorithm = CORR_AUTO;
    switch (pass) {
    case 0:
        return corr_forward(p, x, w, made[index].bias, to, call);
    case 1:
        return corr_plan_run(made[index].plan, p->n, x, p->x_stride, to, p->y_stride, call);
    case 2:
        return corr_input_gradient(&gradient, to, w, gy, call);
    case 3:
        return corr_weight_gradient(&gradient, x, to, gy, call);
    case 4:
        return corr_bias_gradient(p, gy, to, call);
    case 5:
        return p->groups == 1 ? corr_im2col(p, x, to, call) : CORR_OK;
    default: /* added to what it is: twice itself */
        some.accumulate = 1;
        memcpy(to, made[index].wanted[2], (size_t)made[index].size[2] * sizeof *to);
        return corr_input_gradient(&gradient, to, w, gy, &some);
    }
}

static int poll(void *context) {
    const corr_call call = {2, NULL, NULL, 0};
    float *room = malloc((size_t)made[1].size[0] * sizeof *room);
    (void)context;
    if (room && run(1, 0, room, &call) == CORR_OK)
        corr_fetch_add(&nested, 1);
    free(room);
    return 0;
}

static void compare(int index, int pass, float *room, const corr_call *call) {
    const size_t bytes = (size_t)made[index].size[pass] * sizeof *room;
    memset(room, 0xff, bytes);
    corr_status status = run(index, pass, room, call);
    corr_fetch_add(&calls, 1);
    if (status == CORR_OK && memcmp(room, made[index].wanted[pass], bytes) == 0)
        return;
    corr_fetch_add(&wrong, 1);
    printf("%s, %s, pass %d, %d threads: status %d\n", corr_isa(), layers[index].name, pass, call->threads,
           (int)status);
}

static int64_t most(void) {
    int64_t size = 0;
    for (int i = 0; i < LAYERS; i++)
        for (int pass = 0; pass < PASSES; pass++)
            size = made[i].size[pass] > size ? made[i].size[pass] : size;
    return size;
}

THREAD_BODY(caller) {
    unsigned state = (unsigned)(uintptr_t)context;
    float *room = malloc((size_t)most() * sizeof *room);
    for (int i = 0; room && i < CALLS; i++) {
        const corr_call call = {1 + (int)draw(&state, 4), poll, NULL, 0};
        const int index = (int)draw(&state, LAYERS);
        for (int pass = 0; pass < PASSES; pass++)
            compare(index, pass, room, &call);
    }
    if (!room)
        corr_fetch_add(&wrong, 1);
    free(room);
    return THREAD_DONE;
}

/* What one thread gives; the plans are shared by all callers. */
static int prepare(void) {
    const corr_call alone = {1, NULL, NULL, 0};
    for (int i = 0; i < LAYERS; i++) {
        if (corr_plan_create(&made[i].p, made[i].w, made[i].bias, &alone, &made[i].plan) != CORR_OK)
            return 0;
        for (int pass = 0; pass < PASSES; pass++)
            if (run(i, pass, made[i].wanted[pass], &alone) != CORR_OK)
                return 0;
    }
    return 1;
}

int main(void) {
    const char *names[8];
    corr_initialize(NULL);
    const int isas = corr_isa_names(names, 8);
    for (int i = 0; i < LAYERS; i++)
        if (!make(i))
            return 2;
    for (int isa = 0; isa < isas; isa++) {
        thread threads[CALLERS];
        corr_initialize(names[isa]);
        if (!prepare())
            return 2;
        for (int i = 0; i < CALLERS; i++)
            if (!start(&threads[i], caller, (void *)(uintptr_t)(i + 1)))
                return 2;
        for (int i = 0; i < CALLERS; i++)
            join(threads[i]);
        for (int i = 0; i < LAYERS; i++)
            corr_plan_destroy(made[i].plan);
    }
    printf("%d ISAs, %d engines' layers, %d callers, %d calls and %d in polls: %d wrong\n", isas,
           (int)LAYERS, CALLERS, (int)corr_load(&calls), (int)corr_load(&nested),
           (int)corr_load(&wrong));
    return corr_load(&wrong) != 0;
}
