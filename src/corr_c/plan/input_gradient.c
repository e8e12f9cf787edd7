/* The input gradient: a forward for each phase of the stride (problem/rewrite.c), all of them
 * at once. Where a row of gx has its pixels one after another, a phase's would be stored one by
 * one: phases then go to blocks of their own, [plane][row][column], and whole rows are laced
 * from those. Three cases have a way of their own: small planes of whole vectors of channels, by
 * engines/phases.c; many weights for few pixels, by the columns and
 * col2im; depthwise layers of stride 2, by engines/depthwise_up.c and depthwise_up_lanes.c. Pixels that no tap reaches
 * become zero. */
#include "run.h"

#include <string.h>

/* Images whose blocks stay in L3 between being written and being laced. */
static const int64_t block_bytes = 8 << 20;

/* Rows of a phase of the stride: where those of the first plane begin, and bytes to the next row and
 * plane; or one row of zeros. */
typedef struct phase_rows {
    const char *rows;
    int64_t row, plane, count; /* count: of rows */
} phase_rows;

/* Phases a side whose rows are found once, and not for each plane. */
enum { FOUND_PHASES = 4 };

typedef struct plane_job {
    const corr_problem *s; /* its x is gx, [h.in][w.in] a plane */
    char *gx;
    const char *from;  /* dense planes; NULL: gx becomes zero */
    const char *zeros; /* then `from` has the phases of the stride; else NULL */
    int64_t planes;
    int add; /* to gx, or written there? */
    phase_rows found[FOUND_PHASES][FOUND_PHASES];
} plane_job;

/* Outputs of one axis whose phase is a, and those of the phases before. */
static int64_t phase_size(const corr_axis *axis, int64_t a) {
    return (axis->in - a + axis->stride - 1) / axis->stride;
}
static int64_t phase_start(const corr_axis *axis, int64_t a) {
    return a * (axis->in / axis->stride) + corr_min(a, axis->in % axis->stride);
}

/* Has it a tap? */
static int has_taps(const corr_axis *axis, int64_t a) {
    int64_t step;
    return corr_first_tap(axis, a, &step) < axis->kernel;
}

/* Elements before the block of phase (a, b). */
static int64_t phase_block(const corr_problem *s, int64_t planes, int64_t a, int64_t b) {
    const int64_t rows_before = phase_start(&s->h, a), rows = phase_size(&s->h, a);
    return planes * (rows_before * s->w.in + rows * phase_start(&s->w, b));
}

static phase_rows find_phase(const plane_job *job, int64_t a, int64_t b) {
    const corr_problem *s = job->s;
    const int64_t bytes = corr_kernel_table(s->dtype)->bytes;
    phase_rows p = {.rows = job->zeros, .count = phase_size(&s->h, a)};
    if (!has_taps(&s->h, a) || !has_taps(&s->w, b))
        return p;
    p.row = phase_size(&s->w, b) * bytes;
    p.plane = p.count * p.row;
    if (p.row)
        p.rows = job->from + phase_block(s, job->planes, a, b) * bytes;
    return p;
}

static phase_rows get_phase(const plane_job *job, int64_t a, int64_t b) {
    return a < FOUND_PHASES && b < FOUND_PHASES ? job->found[a][b] : find_phase(job, a, b);
}

static void find_phases(plane_job *job) {
    const corr_problem *s = job->s;
    for (int64_t a = 0; a < corr_min(corr_min(s->h.stride, s->h.in), FOUND_PHASES); a++)
        for (int64_t b = 0; b < corr_min(s->w.stride, FOUND_PHASES); b++)
            job->found[a][b] = find_phase(job, a, b);
}

static void lace_plane(const plane_job *job, char *gx, int64_t plane) {
    const corr_problem *s = job->s;
    const corr_kernels *k = corr_kernel_table(s->dtype);
    const int64_t row_phases = corr_min(s->h.stride, s->h.in), step = s->w.stride;
    const int64_t below = s->x_stride[3] * k->bytes, next = row_phases * below;
    for (int64_t a = 0; a < row_phases; a++)
        for (int64_t b = 0; b < corr_min(step, s->w.in); b += step == 2 ? 2 : 1) {
            const phase_rows p = get_phase(job, a, b);
            const char *from = p.rows + plane * p.plane;
            char *to = gx + a * below;
            if (step == 2) {
                const phase_rows q = get_phase(job, a, 1);
                const char *odd = q.rows + plane * q.plane;
                for (int64_t i = 0; i < p.count; i++)
                    k->lace(to + i * next, from + i * p.row, odd + i * q.row, s->w.in);
                continue;
            }
            const int64_t width = phase_size(&s->w, b);
            for (int64_t i = 0; i < p.count; i++)
                k->spread(to + b * k->bytes + i * next, step, from + i * p.row, width);
        }
}

static void finish_plane(void *context, int64_t item, int worker, corr_run_state *run) {
    const plane_job *job = context;
    const corr_problem *s = job->s;
    const corr_kernels *k = corr_kernel_table(s->dtype);
    const int64_t *xs = s->x_stride, bytes = k->bytes, columns = s->w.in;
    const int64_t c = item % s->ic, g = item / s->ic % s->groups, n = item / s->ic / s->groups;
    char *gx = job->gx + (n * xs[0] + g * xs[1] + c * xs[2]) * bytes;
    (void)worker;
    (void)run;
    if (job->zeros) {
        lace_plane(job, gx, item);
        return;
    }
    for (int64_t i = 0; i < s->h.in; i++, gx += xs[3] * bytes) {
        if (job->from) {
            const char *row = job->from + (item * s->h.in + i) * columns * bytes;
            (job->add ? k->add : k->spread)(gx, xs[4], row, columns);
        } else if (xs[4] == 1)
            memset(gx, 0, (size_t)(columns * bytes));
        else
            for (int64_t j = 0; j < columns; j++)
                memset(gx + j * xs[4] * bytes, 0, (size_t)bytes);
    }
}

static corr_status each_plane(plane_job *job, const corr_call *call) {
    job->planes = job->s->n * job->s->groups * job->s->ic;
    if (job->zeros)
        find_phases(job);
    return corr_parallel(finish_plane, job, job->planes, call);
}

static corr_status fill_zero(const corr_problem *s, void *gx, const corr_call *call) {
    corr_problem turned = *s;
    if (s->x_stride[2] == 1 && s->x_stride[4] != 1) { /* channels-last: they are the columns */
        turned.x_stride[2] = s->x_stride[4];
        turned.x_stride[4] = 1;
        turned.ic = s->w.in;
        turned.w.in = s->ic;
    }
    plane_job job = {.s = &turned, .gx = gx};
    return each_plane(&job, call);
}

/* Planes of their own; how many bytes they take. */
static size_t make_dense(int64_t stride[5], const corr_problem *s, int64_t channels, int64_t h,
                         int64_t w) {
    return (size_t)(s->n * corr_lay_planes(stride, s->groups, channels, h, w) *
                    corr_kernel_table(s->dtype)->bytes);
}

typedef struct phases {
    int count;
    corr_problem s[CORR_MAX_PARTS]; /* the longest sums first */
    const char *w[CORR_MAX_PARTS];
    char *y[CORR_MAX_PARTS];
} phases;

static void add_phase(phases *p, const corr_problem *s, const char *w, char *y) {
    int at = p->count++;
    for (; at > 0 && corr_terms(&p->s[at - 1]) < corr_terms(s); at--) {
        p->s[at] = p->s[at - 1];
        p->w[at] = p->w[at - 1];
        p->y[at] = p->y[at - 1];
    }
    p->s[at] = *s;
    p->w[at] = w;
    p->y[at] = y;
}

/* Packs the parts and runs them: each on its own, or as phases of the gradient `whole`, which is gx. */
static corr_status run_together(const corr_problem *whole, char *gx, corr_part *parts, int count,
                                const corr_call *call) {
    int64_t bytes = whole ? corr_phases_workspace(whole, parts, count, call->threads)
                          : corr_parts_workspace(parts, count, call->threads);
    const int64_t packed = corr_round_up(bytes, 64);
    bytes = packed;
    for (int i = 0; i < count; i++)
        bytes += corr_gemm_engine.packed_bytes(parts[i].s, parts[i].choice);
    char *block = corr_allocate((size_t)bytes);
    if (!block)
        return CORR_NO_MEMORY;
    char *to = block + packed;
    for (int i = 0; i < count; i++) {
        parts[i].packed = to;
        to += corr_gemm_engine.packed_bytes(parts[i].s, parts[i].choice);
    }
    corr_status status = corr_pack_parts(parts, count, call);
    if (status == CORR_OK)
        status = whole ? corr_run_phases(whole, parts, count, gx, block, call)
                       : corr_run_parts(parts, count, block, call);
    corr_release(block, (size_t)bytes);
    return status;
}

static corr_status run_in_lanes(const corr_problem *s, phases *p, char *gx, const char *gy, const corr_call *call) {
    corr_choice choices[CORR_MAX_PARTS];
    corr_part parts[CORR_MAX_PARTS];
    corr_choose_phases(s, p->s, p->count, choices);
    for (int i = 0; i < p->count; i++)
        parts[i] = (corr_part){.s = &p->s[i], .choice = &choices[i], .x = gy, .w = p->w[i], .y = p->y[i]};
    return run_together(s, gx, parts, p->count, call);
}

/* All products are shared out at once; other engines take one after another. */
static corr_status run_list(phases *p, const char *gy, const corr_call *call) {
    corr_choice choice[CORR_MAX_PARTS];
    corr_part parts[CORR_MAX_PARTS];
    int products = 0;
    corr_status status = CORR_OK;
    for (int i = 0; i < p->count && !status; i++) {
        corr_flatten(&p->s[i]);
        status = corr_choose(&p->s[i], call->threads, 0, &choice[products]);
        if (status == CORR_OK && choice[products].engine == &corr_gemm_engine) {
            parts[products] = (corr_part){.s = &p->s[i], .choice = &choice[products], .x = gy,
                                          .w = p->w[i], .y = p->y[i]};
            products++;
        } else if (status == CORR_OK)
            status = corr_run_forward(&p->s[i], gy, p->w[i], NULL, p->y[i], call);
    }
    p->count = 0;
    if (corr_weights_together(parts, products))
        for (int i = 0; i < products; i++)
            choice[i].packs_late = 0;
    return status || products == 0 ? status : run_together(NULL, NULL, parts, products, call);
}

/* To gx, or to blocks of phases. */
static corr_status run_phases(const corr_problem *s, char *gx, char *blocks, const char *w,
                              const char *gy, int in_lanes, const corr_call *call) {
    const int64_t bytes = corr_kernel_table(s->dtype)->bytes;
    phases p = {.count = 0};
    corr_status status = CORR_OK;
    for (int64_t a = 0; a < corr_min(s->h.stride, s->h.in) && !status; a++) {
        const int64_t columns = has_taps(&s->h, a) ? corr_min(s->w.stride, s->w.in) : 0;
        for (int64_t b = 0; b < columns && !status; b++) {
            corr_problem phase;
            int64_t w_offset, y_offset;
            const int taps = corr_input_phase(s, a, b, &phase, &w_offset, &y_offset);
            if (!taps || corr_is_empty(&phase))
                continue;
            if (blocks) {
                make_dense(phase.y_stride, &phase, phase.oc, phase.h.out, phase.w.out);
                y_offset = phase_block(s, s->n * s->groups * s->ic, a, b);
            }
            add_phase(&p, &phase, w + w_offset * bytes, (blocks ? blocks : gx) + y_offset * bytes);
            if (p.count == CORR_MAX_PARTS)
                status = run_list(&p, gy, call);
        }
    }
    return status ? status : in_lanes ? run_in_lanes(s, &p, gx, gy, call) : run_list(&p, gy, call);
}

/* By way of blocks, some images at a time. */
static corr_status run_laced(const corr_problem *s, char *gx, const char *w, const char *gy,
                             const corr_call *call) {
    corr_problem some = *s;
    const int64_t bytes = corr_kernel_table(s->dtype)->bytes, zeros = phase_size(&s->w, 0) * bytes;
    const int64_t image = s->groups * s->ic * s->h.in * s->w.in * bytes;
    some.n = corr_max(1, corr_min(s->n, block_bytes / image));
    const int64_t all = some.n * image;
    char *blocks = corr_allocate((size_t)(all + zeros));
    if (!blocks)
        return CORR_NO_MEMORY;
    memset(blocks + all, 0, (size_t)zeros);
    corr_status status = CORR_OK;
    for (int64_t n = 0; n < s->n && !status; n += some.n) {
        some.n = corr_min(some.n, s->n - n);
        const corr_call few = corr_with_threads(&some, call);
        char *to = gx + n * s->x_stride[0] * bytes;
        status = run_phases(&some, NULL, blocks, w, gy + n * s->y_stride[0] * bytes, 0, &few);
        plane_job job = {.s = &some, .gx = to, .from = blocks, .zeros = blocks + all};
        if (status == CORR_OK)
            status = each_plane(&job, &few);
    }
    corr_release(blocks, (size_t)(all + zeros));
    return status;
}

/* Does some phase of the stride have no tap? */
static int axis_skips(const corr_axis *axis) {
    for (int64_t a = 0; a < corr_min(axis->stride, axis->in); a++)
        if (!has_taps(axis, a))
            return 1;
    return 0;
}

static int skips_pixels(const corr_problem *s) { return axis_skips(&s->h) || axis_skips(&s->w); }

/* Can an algorithm that is asked for do every phase? Known before anything is written. */
static corr_status check_algorithm(const corr_problem *s) {
    for (int64_t a = 0; a < corr_min(s->h.stride, s->h.in); a++)
        for (int64_t b = 0; b < corr_min(s->w.stride, s->w.in); b++) {
            corr_problem phase;
            corr_choice choice;
            int64_t w_offset, y_offset;
            if (!corr_input_phase(s, a, b, &phase, &w_offset, &y_offset) || corr_is_empty(&phase))
                continue;
            corr_flatten(&phase);
            const corr_status status = corr_choose(&phase, 1, 0, &choice);
            if (status != CORR_OK)
                return status;
        }
    return CORR_OK;
}

/* As the product of all weights, as they lie, and gy: the columns of gx, which are then summed; of some
 * images at a time. */
static corr_status run_columns(const corr_problem *s, char *gx, const char *w, const char *gy,
                               const corr_call *call) {
    const int64_t taps = s->h.kernel * s->w.kernel, element = corr_kernel_table(s->dtype)->bytes;
    const corr_axis one = {.kernel = 1, .stride = 1, .dilation = 1};
    const int64_t image = s->groups * s->ic * taps * corr_pixels(s) * element;
    const int64_t some = corr_max(1, corr_min(s->n, block_bytes / corr_max(image, 1)));
    corr_problem product = *s, whole = *s;
    product.n = some;
    product.algorithm = CORR_DIRECT;
    product.ic = s->oc;
    product.oc = s->ic * taps;
    product.h = product.w = one;
    product.h.in = product.h.out = s->h.out;
    product.w.in = product.w.out = s->w.out;
    memcpy(product.x_stride, s->y_stride, sizeof s->y_stride);
    product.w_stride[1] = 1;
    product.w_stride[2] = s->w_stride[1];
    const size_t bytes = make_dense(product.y_stride, &product, product.oc, s->h.out, s->w.out);
    corr_flatten(&product);
    char *columns = corr_allocate(bytes);
    if (!columns)
        return CORR_NO_MEMORY;
    corr_status status = CORR_OK;
    whole.ic *= s->groups;
    whole.groups = 1;
    for (int64_t n = 0; n < s->n && status == CORR_OK; n += some) {
        product.n = whole.n = corr_min(some, s->n - n);
        status = corr_run_forward(&product, gy + n * s->y_stride[0] * element, w, NULL, columns, call);
        if (status == CORR_OK)
            status = corr_col2im(&whole, columns, gx + n * s->x_stride[0] * element, call);
    }
    corr_release(columns, bytes);
    return status;
}

/* Unless Winograd makes a phase. */
static int goes_in_lanes(const corr_problem *s) {
    if (skips_pixels(s) || corr_is_far(s) || !corr_takes_phases(s))
        return 0;
    for (int64_t a = 0; a < corr_min(s->h.stride, s->h.in); a++)
        for (int64_t b = 0; b < corr_min(s->w.stride, s->w.in); b++) {
            corr_problem phase;
            corr_choice choice = {.kernels = corr_kernel_table(s->dtype)};
            int64_t w_offset, y_offset;
            corr_input_phase(s, a, b, &phase, &w_offset, &y_offset);
            if (s->algorithm == CORR_AUTO && phase.h.kernel > 1 && phase.w.kernel > 1 &&
                corr_choose_winograd(&phase, 0, &choice) >= 0 && corr_choose(&phase, 1, 0, &choice) == CORR_OK &&
                choice.engine == &corr_winograd_engine)
                return 0;
        }
    return 1;
}

static corr_status run(const corr_problem *s, char *gx, const char *w, const char *gy,
                       const corr_call *call) {
    const corr_call some = corr_with_threads(s, call);
    const int sums = s->oc > 0 && corr_pixels(s) > 0;
    const int up = sums && !corr_is_far(s) && corr_takes_up(s);
    const int up_lanes = sums && !corr_is_far(s) && corr_takes_up_lanes(s);
    const int laced = s->w.stride > 1 && s->x_stride[4] == 1 && s->w.in > 1;
    const int in_lanes = laced && sums && !up && goes_in_lanes(s);
    const int writes_all = laced && !up; /* where no tap reaches, zeros */
    corr_status status = CORR_OK;
    if (sums && (s->algorithm == CORR_WINOGRAD || s->algorithm == CORR_FFT))
        status = check_algorithm(s);
    if (status != CORR_OK)
        return status;
    if (sums && corr_takes_connected(s))
        return corr_connected_input(s, gx, w, gy, &some);
    if (sums && corr_takes_columns(s))
        return run_columns(s, gx, w, gy, call);
    /* Pixels that no tap reaches: all are zeroed before, in rows. */
    if (!sums || (!writes_all && skips_pixels(s)))
        status = fill_zero(s, gx, &some);
    if (status || !sums)
        return status;
    if (up || up_lanes) {
        int finite;
        status = (up ? corr_depthwise_up : corr_depthwise_up_lanes)(s, gx, w, gy, &some, &finite);
        if (status || finite)
            return status;
    }
    return laced && !in_lanes ? run_laced(s, gx, w, gy, call) : run_phases(s, gx, NULL, w, gy, in_lanes, &some);
}

/* Into a block of its own, then added: rare, and no engine has to know of it. */
static corr_status add_whole(const corr_problem *s, char *gx, const char *w, const void *gy,
                             const corr_call *call) {
    const corr_call some = corr_with_threads(s, call);
    corr_problem own = *s;
    const size_t bytes = make_dense(own.x_stride, s, s->ic, s->h.in, s->w.in);
    char *block = corr_allocate(bytes);
    if (!block)
        return CORR_NO_MEMORY;
    plane_job job = {.s = s, .gx = gx, .from = block, .add = 1};
    corr_status status = run(&own, block, w, gy, call);
    if (status == CORR_OK)
        status = each_plane(&job, &some);
    corr_release(block, bytes);
    return status;
}

corr_status corr_input_gradient(const corr_problem *problem, void *gx, const void *w,
                                const void *gy, const corr_call *call) {
    corr_problem taken, *s = &taken;
    corr_status status = corr_problem_take(problem, s);
    if (status || s->n == 0 || s->groups == 0 || s->ic == 0 || s->h.in == 0 || s->w.in == 0)
        return status;
    return call->accumulate ? add_whole(s, gx, w, gy, call) : run(s, gx, w, gy, call);
}
