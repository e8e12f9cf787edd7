/* The panels of pixels of a product's item: which outputs each has, and where it finds what it reads. */
#include "gemm.h"

int64_t corr_right_slab(const gemm_job *job) {
    return job->middle.first > 0 ? job->slab.elements : 0;
}

int64_t corr_first_column(const gemm_item *item) {
    return item->job->choice->by_rows ? item->start % item->job->s->w.out : 0;
}

/* Where an output's column lies in its slab. */
static int64_t slab_column(const gemm_item *item, int64_t column) {
    const corr_middle *m = &item->job->middle;
    return column - (column < m->first ? corr_first_column(item) : corr_max(corr_first_column(item), m->end));
}

/* What a panel from this output on reads. */
static int64_t panel_start(const gemm_item *item, int64_t row, int64_t column, int64_t pixel, int inside) {
    const gemm_job *job = item->job;
    const corr_problem *s = job->s;
    if (job->direct || inside)
        return (row * s->h.stride - s->h.pad) * s->x_stride[3] + (column * s->w.stride - s->w.pad) * s->x_stride[4];
    if (!job->slab.by_rows)
        return pixel - item->row * s->w.out;
    return (row - item->row) * job->slab.row + slab_column(item, column) * job->slab.column +
           (column < job->middle.first ? 0 : corr_right_slab(job));
}

/* Rows and columns are counted along: divisions would take as long as a tile of few terms. */
void corr_make_panels(gemm_item *item) {
    const gemm_job *job = item->job;
    const corr_problem *s = job->s;
    const int64_t per_panel = corr_panel_pixels(job->choice), w = s->w.out;
    int64_t before = 0;
    for (int64_t r = 0; r < item->runs; r++) {
        const int64_t start = item->start + r * w;
        for (int64_t j = 0, row = start / w, column = start % w; j < item->length; j += per_panel) {
            corr_panel *t = &item->panels[item->count++];
            t->pixel = start + j;
            t->pixels = corr_min(per_panel, item->length - j);
            t->before = before;
            t->at = row * s->y_stride[3] + column * s->y_stride[4];
            t->inside = column >= job->middle.first && column < job->middle.end;
            t->x = panel_start(item, row, column, t->pixel, t->inside);
            before += t->pixels;
            const int64_t first = row, last = row + (column + t->pixels > w ? (column + t->pixels - 1) / w : 0);
            corr_find_taps(&s->h, first, last, &t->p0, &t->p1);
            column += t->pixels;
            if (column >= w) {
                row += column / w;
                column %= w;
            }
        }
    }
}
