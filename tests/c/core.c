/* The core without Python: exact on whole numbers at every ISA, and the same from many
 * threads at once. tools/check_c.py builds it with sanitizers; it also runs
 * where there is no Python (`wine core.exe`). Prints what it did; 0 is all right. */
#include "shared.h"

enum { CALLERS = 6, SHAPES = 60, ROUNDS = 4 };

typedef struct layer {
    corr_problem p;
    int64_t x_size, w_size, y_size;
    float *x, *w, *gy;       /* whole numbers */
    float *y, *gx, *gw;      /* what the plain loops make of them */
} layer;

static layer layers[SHAPES];
static corr_atomic wrong = CORR_ATOMIC_INIT, calls = CORR_ATOMIC_INIT;

static float *numbers(unsigned *state, int64_t size) {
    float *a = malloc((size_t)size * sizeof *a);
    for (int64_t i = 0; a && i < size; i++)
        a[i] = (float)draw(state, 9) - 4;
    return a;
}

static void set_strides(int64_t stride[5], const int64_t size[5]) {
    stride[4] = 1;
    for (int i = 4; i > 0; i--)
        stride[i - 1] = stride[i] * size[i];
}

/* All three passes by their definition. */
static void define(layer *l) {
    const corr_problem *p = &l->p;
    for (int64_t n = 0; n < p->n; n++)
        for (int64_t g = 0; g < p->groups; g++)
            for (int64_t o = 0; o < p->oc; o++)
                for (int64_t i = 0; i < p->h.out; i++)
                    for (int64_t j = 0; j < p->w.out; j++) {
                        const int64_t *ys = p->y_stride, *ws = p->w_stride, *xs = p->x_stride;
                        int64_t y = n * ys[0] + g * ys[1] + o * ys[2] + i * ys[3] + j;
                        for (int64_t c = 0; c < p->ic; c++)
                            for (int64_t a = 0; a < p->h.kernel; a++)
                                for (int64_t b = 0; b < p->w.kernel; b++) {
                                    int64_t ih = i * p->h.stride + a * p->h.dilation - p->h.pad;
                                    int64_t iw = j * p->w.stride + b * p->w.dilation - p->w.pad;
                                    if (ih < 0 || ih >= p->h.in || iw < 0 || iw >= p->w.in)
                                        continue;
                                    int64_t x = n * xs[0] + g * xs[1] + c * xs[2] + ih * xs[3] + iw;
                                    int64_t w = g * ws[0] + o * ws[1] + c * ws[2] + a * ws[3] + b;
                                    l->y[y] += l->x[x] * l->w[w];
                                    l->gx[x] += l->gy[y] * l->w[w];
                                    l->gw[w] += l->gy[y] * l->x[x];
                                }
                    }
}

static void set_axis(corr_axis *axis, unsigned *state) {
    do {
        axis->in = 1 + draw(state, 20);
        axis->kernel = 1 + draw(state, 4);
        axis->stride = 1 + draw(state, 3);
        axis->dilation = 1 + draw(state, 2);
        axis->pad = draw(state, 3);
        axis->out = axis->in + 2 * axis->pad - (axis->kernel - 1) * axis->dilation - 1;
    } while (axis->out < 0);
    axis->out = axis->out / axis->stride + 1;
}

static int make(layer *l, unsigned *state) {
    corr_problem *p = &l->p;
    p->dtype = CORR_F32;
    p->algorithm = CORR_DIRECT; /* the others round */
    p->n = 1 + draw(state, 3);
    p->groups = draw(state, 3) ? 1 : 1 + draw(state, 3);
    p->ic = 1 + draw(state, 20);
    p->oc = 1 + draw(state, 40);
    set_axis(&p->h, state);
    set_axis(&p->w, state);
    const int64_t x[5] = {p->n, p->groups, p->ic, p->h.in, p->w.in};
    const int64_t w[5] = {p->groups, p->oc, p->ic, p->h.kernel, p->w.kernel};
    const int64_t y[5] = {p->n, p->groups, p->oc, p->h.out, p->w.out};
    set_strides(p->x_stride, x);
    set_strides(p->w_stride, w);
    set_strides(p->y_stride, y);
    l->x_size = x[0] * p->x_stride[0];
    l->w_size = w[0] * p->w_stride[0];
    l->y_size = y[0] * p->y_stride[0];
    l->x = numbers(state, l->x_size);
    l->w = numbers(state, l->w_size);
    l->gy = numbers(state, l->y_size);
    l->y = calloc((size_t)l->y_size, sizeof(float));
    l->gx = calloc((size_t)l->x_size, sizeof(float));
    l->gw = calloc((size_t)l->w_size, sizeof(float));
    if (!l->x || !l->w || !l->gy || !l->y || !l->gx || !l->gw)
        return 0;
    define(l);
    return corr_problem_check(p) == CORR_OK;
}

static void compare(corr_status status, const char *what, const layer *l, const float *wanted,
                    float *found, int64_t size) {
    corr_fetch_add(&calls, 1);
    if (status == CORR_OK && memcmp(wanted, found, (size_t)size * sizeof(float)) != 0)
        for (int64_t i = 0; i < size; i++) /* -0 and 0 are one */
            if (!(wanted[i] == found[i])) {
                status = CORR_BAD_PROBLEM;
                break;
            }
    if (status != CORR_OK) {
        corr_fetch_add(&wrong, 1);
        printf("%s, %s, shape %d: status %d\n", corr_isa(), what, (int)(l - layers), (int)status);
    }
    memset(found, 0xff, (size_t)size * sizeof(float)); /* NaN */
}

static int quiet(void *context) {
    (void)context;
    return 0;
}

static void try(const layer *l, int threads, float *room) {
    const corr_problem *p = &l->p;
    const corr_call call = {threads, quiet, NULL};
    corr_plan *plan = NULL;
    compare(corr_forward(p, l->x, l->w, NULL, room, &call), "forward", l, l->y, room, l->y_size);
    compare(corr_input_gradient(p, room, l->w, l->gy, &call), "input gradient", l, l->gx, room,
            l->x_size);
    compare(corr_weight_gradient(p, l->x, room, l->gy, &call), "weight gradient", l, l->gw, room,
            l->w_size);
    corr_status status = corr_plan_create(p, l->w, NULL, &call, &plan);
    for (int i = 0; i < 2 && status == CORR_OK; i++) {
        status = corr_plan_run(plan, p->n, l->x, p->x_stride, room, p->y_stride, &call);
        compare(status, "plan", l, l->y, room, l->y_size);
    }
    corr_plan_destroy(plan);
}

/* Of the first layer: one plan, many callers, whose images lie in planes or channels last. */
static corr_plan *shared;
static float *x_last, *y_last;
static int64_t x_last_stride[5], y_last_stride[5];

static float *channels_last(const float *from, const int64_t size[5], int64_t stride[5]) {
    stride[4] = size[1] * size[2];
    stride[3] = stride[4] * size[4];
    stride[2] = 1;
    stride[1] = size[2];
    stride[0] = stride[3] * size[3];
    float *to = malloc((size_t)(size[0] * stride[0]) * sizeof *to);
    int64_t at = 0;
    for (int64_t n = 0; to && n < size[0]; n++)
        for (int64_t c = 0; c < size[1] * size[2]; c++)
            for (int64_t i = 0; i < size[3]; i++)
                for (int64_t j = 0; j < size[4]; j++)
                    to[n * stride[0] + c + i * stride[3] + j * stride[4]] = from[at++];
    return to;
}

static int make_channels_last(const layer *l) {
    const corr_problem *p = &l->p;
    const int64_t x[5] = {p->n, p->groups, p->ic, p->h.in, p->w.in};
    const int64_t y[5] = {p->n, p->groups, p->oc, p->h.out, p->w.out};
    x_last = channels_last(l->x, x, x_last_stride);
    y_last = channels_last(l->y, y, y_last_stride);
    return x_last && y_last;
}

static void run_shared(int last, const corr_call *call, float *room) {
    const layer *l = &layers[0];
    const corr_problem *p = &l->p;
    corr_status status = corr_plan_run(shared, p->n, last ? x_last : l->x,
                                       last ? x_last_stride : p->x_stride, room,
                                       last ? y_last_stride : p->y_stride, call);
    compare(status, "shared plan", l, last ? y_last : l->y, room, l->y_size);
}

THREAD_BODY(caller) {
    unsigned state = (unsigned)(uintptr_t)context;
    int64_t most = 0;
    for (int i = 0; i < SHAPES; i++) {
        const int64_t sizes[3] = {layers[i].x_size, layers[i].w_size, layers[i].y_size};
        for (int j = 0; j < 3; j++)
            most = sizes[j] > most ? sizes[j] : most;
    }
    float *room = malloc((size_t)most * sizeof *room);
    for (int i = 0; room && i < ROUNDS * SHAPES; i++) {
        int threads = 1 + (int)draw(&state, 4);
        const corr_call call = {threads, NULL, NULL};
        try(&layers[draw(&state, SHAPES)], threads, room);
        run_shared((int)draw(&state, 2), &call, room);
        if (draw(&state, 16) == 0)
            corr_trim();
        if (draw(&state, 16) == 0)
            corr_set_num_threads(threads);
        int before = corr_swap_thread_override(threads);
        if (corr_get_num_threads() != threads)
            corr_fetch_add(&wrong, 1);
        corr_swap_thread_override(before);
    }
    if (!room)
        corr_fetch_add(&wrong, 1);
    free(room);
    return THREAD_DONE;
}

int main(void) {
    const char *names[8];
    unsigned state = 1;
    corr_initialize(NULL);
    for (int i = 0; i < SHAPES; i++)
        if (!make(&layers[i], &state))
            return 2;
    if (!make_channels_last(&layers[0]))
        return 2;
    int isas = corr_isa_names(names, 8);
    for (int isa = 0; isa < isas; isa++) {
        const corr_call call = {1, NULL, NULL};
        thread threads[CALLERS];
        corr_initialize(names[isa]);
        if (corr_plan_create(&layers[0].p, layers[0].w, NULL, &call, &shared) != CORR_OK)
            return 2;
        for (int i = 0; i < CALLERS; i++)
            if (!start(&threads[i], caller, (void *)(uintptr_t)(i + 1)))
                return 2;
        for (int i = 0; i < CALLERS; i++)
            join(threads[i]);
        corr_plan_destroy(shared);
    }
    printf("%d ISAs, %d callers, %d calls: %d wrong\n", isas, CALLERS, (int)corr_load(&calls),
           (int)corr_load(&wrong));
    return corr_load(&wrong) != 0;
}
