/* A dilated kernel never mixes pixels of different rows or columns modulo the dilation: the outputs of
 * one such phase are a convolution without dilation of the pixels of the same phase, where the padding
 * is whole steps of it. Phases of one size are images of one problem.
 */
#include "winograd.h"

/* Phases first .. end - 1 of an axis, which are all as long. */
typedef struct phase_run {
    int64_t first, end, in, out;
} phase_run;

static int cut_axis(const corr_axis *a, phase_run runs[3]) {
    const int64_t d = a->dilation, in = a->in % d, out = a->out % d;
    const int64_t ends[4] = {0, corr_min(in, out), corr_max(in, out), d};
    int count = 0;
    for (int i = 0; i < 3; i++) {
        const int64_t first = ends[i];
        const phase_run run = {first, ends[i + 1], corr_max(corr_ceil_div(a->in - first, d), 0),
                               corr_max(corr_ceil_div(a->out - first, d), 0)};
        if (run.first < run.end && run.out > 0)
            runs[count++] = run;
    }
    return count;
}

int corr_winograd_fits_phases(const corr_problem *s) {
    return s->h.pad % s->h.dilation == 0 && s->w.pad % s->w.dilation == 0;
}

static corr_axis phase_axis(const corr_axis *a, const phase_run *run) {
    return (corr_axis){.in = run->in, .out = run->out, .kernel = a->kernel, .stride = 1, .dilation = 1,
                       .pad = a->pad / a->dilation};
}

int64_t corr_winograd_image(int64_t rows, int64_t columns, int64_t n, const int64_t *stride,
                            const int64_t phase[2]) {
    const int64_t all = rows * columns;
    if (all == 1)
        return n * stride[0];
    return n / all * stride[0] + n % all / columns * phase[0] + n % columns * phase[1];
}

int corr_winograd_parts(const corr_problem *s, corr_winograd_part parts[CORR_WINOGRAD_PARTS]) {
    phase_run rows[3], columns[3];
    const int row_runs = cut_axis(&s->h, rows), column_runs = cut_axis(&s->w, columns);
    int count = 0;
    for (int i = 0; i < row_runs; i++)
        for (int j = 0; j < column_runs; j++) {
            const int64_t a = rows[i].first, b = columns[j].first;
            corr_winograd_part *p = &parts[count++];
            *p = (corr_winograd_part){.s = *s, .rows = rows[i].end - a, .columns = columns[j].end - b};
            p->x = a * s->x_stride[3] + b * s->x_stride[4];
            p->y = a * s->y_stride[3] + b * s->y_stride[4];
            p->s.h = phase_axis(&s->h, &rows[i]);
            p->s.w = phase_axis(&s->w, &columns[j]);
            p->s.n = s->n * p->rows * p->columns;
            p->s.x_stride[3] *= s->h.dilation;
            p->s.y_stride[3] *= s->h.dilation;
            p->s.x_stride[4] *= s->w.dilation;
            p->s.y_stride[4] *= s->w.dilation;
        }
    return count;
}
