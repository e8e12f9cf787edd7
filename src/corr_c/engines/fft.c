/* Large kernels in float32: overlap-save. A picture is cut into tiles that overlap by the
 * kernel; in the Fourier domain each is multiplied by the kernel's spectrum.
 *
 * Two tiles go together, one as the real and one as the imaginary part: the kernel is real, so
 * their outputs come back apart, and no transform of real numbers is needed.
 *
 *   item: plane, two tiles of th x tw pixels, as strips of `lanes` columns
 *     for strip: load, transform down its rows              (L1), to the tile (L2)
 *     for `lanes` rows: turn, transform along the rows, times the spectrum, and all the way back
 *     for strip: back up its rows, store the outputs whose window is in the tile
 *
 * Rounding spreads over both tiles, so their outputs are bounded by the largest sum|x||w| in
 * them; if any is not finite, both are done again directly.
 */
#include "../plan/plan.h"

#include <string.h>

typedef struct fft_job {
    const corr_problem *s;
    const corr_choice *choice;
    const char *x, *packed, *bias;
    char *y, *workspace;
    int64_t across, tiles, pairs; /* tiles of a row, and of a plane */
    int64_t out_h, out_w;         /* outputs of a tile */
    const char *along_h, *along_w, *spectra, *taps;
} fft_job;

static int accepts(const corr_problem *s) {
    return s->ic == 1 && s->h.kernel <= 1024 && s->w.kernel <= 1024 && s->dtype == CORR_F32 && s->h.stride == 1 && s->w.stride == 1 &&
           s->h.dilation == 1 && s->w.dilation == 1;
}

static int64_t points_bytes(const corr_choice *c) {
    return 2 * c->tile_h * c->tile_w * c->kernels->bytes;
}

static int64_t line_bytes(const corr_choice *c) {
    return 2 * corr_max(c->tile_h, c->tile_w) * c->kernels->lanes * c->kernels->bytes;
}

/* A tile's points, a line of points, and with several kernels the tile's spectrum. */
static int64_t scratch_bytes(const corr_problem *s, const corr_choice *c) {
    return points_bytes(c) * (s->oc > 1 ? 2 : 1) + line_bytes(c);
}

static int64_t workspace_bytes(const corr_problem *s, const corr_choice *c, int threads) {
    return threads * scratch_bytes(s, c);
}

static int64_t taps_bytes(const corr_problem *s, const corr_choice *c) {
    return s->h.kernel * s->w.kernel * c->kernels->bytes;
}

/* Twiddles of both axes, the spectra [g][o], the taps [g][o][p][q]. */
static int64_t packed_bytes(const corr_problem *s, const corr_choice *c) {
    return 2 * (c->tile_h + c->tile_w) * c->kernels->bytes +
           s->groups * s->oc * (points_bytes(c) + taps_bytes(s, c));
}

static void lay_out(fft_job *job) {
    const corr_choice *c = job->choice;
    const int64_t kernels = job->s->groups * job->s->oc;
    job->along_h = job->packed;
    job->along_w = job->along_h + 2 * c->tile_h * c->kernels->bytes;
    job->spectra = job->along_w + 2 * c->tile_w * c->kernels->bytes;
    job->taps = job->spectra + kernels * points_bytes(c);
}

/* exp(-2 pi i k / n) for n = 2^bits, from the roots of order 2, 4, 8 ...: one product a bit. */
static void root(int64_t k, int bits, double *re, double *im) {
    static const double cosine[] = {
        -1, 0, 0.70710678118654752440, 0.92387953251128675613, 0.98078528040323044913,
        0.99518472667219688624, 0.99879545620517239271, 0.99969881869620422012,
        0.99992470183914454092, 0.99998117528260114265};
    static const double sine[] = {
        0, 1, 0.70710678118654752440, 0.38268343236508977173, 0.19509032201612826785,
        0.09801714032956060199, 0.04906767432741801425, 0.02454122852291228803,
        0.01227153828571992608, 0.00613588464915447536};
    *re = 1;
    *im = 0;
    for (int b = 0; b < bits; b++)
        if (k >> (bits - 1 - b) & 1) {
            const double r = *re * cosine[b] + *im * sine[b];
            *im = *im * cosine[b] - *re * sine[b];
            *re = r;
        }
}

static void fill_twiddles(int64_t n, float *w) {
    for (int64_t m = n; m >= 4; m /= 4) {
        int bits = 0;
        while (m >> bits > 1)
            bits++;
        for (int64_t j = 0; j < m / 4; j++)
            for (int64_t times = 1; times <= 3; times++) {
                double re, im;
                root(times * j, bits, &re, &im);
                *w++ = (float)re;
                *w++ = (float)im;
            }
    }
}

/* Down the rows of each strip is done by the caller: then along them. With a spectrum the
 * product and the way back; otherwise the spectrum is left in `points`. */
static void along_rows(const fft_job *job, char *points, char *line, const char *from,
                       const char *spectrum) {
    const corr_choice *c = job->choice;
    const corr_kernels *k = c->kernels;
    const int64_t lanes = k->lanes, strips = c->tile_w / lanes, block = 2 * lanes * lanes;
    const int64_t strip = 2 * c->tile_h * lanes, row = 2 * c->tile_w * lanes;
    for (int64_t b = 0; b < c->tile_h / lanes; b++) {
        char *turned = points + b * block * k->bytes;
        const int64_t at = b * row * k->bytes;
        if (from) { /* the spectrum of the pixels, kept from the kernel before */
            k->fft_multiply(c->tile_w, from + at, spectrum + at, line);
        } else {
            k->fft_turn(strips, turned, strip, line, block);
            k->fft_forward(c->tile_w, line, job->along_w);
            if (spectrum)
                k->fft_multiply(c->tile_w, line, spectrum + at, line);
        }
        if (spectrum)
            k->fft_inverse(c->tile_w, line, job->along_w);
        k->fft_turn(strips, line, block, turned, strip);
    }
}

/* The points turned to lines, as along_rows reads them. */
static void keep_spectrum(const fft_job *job, const char *points, char *lines) {
    const corr_choice *c = job->choice;
    const corr_kernels *k = c->kernels;
    const int64_t lanes = k->lanes, block = 2 * lanes * lanes;
    for (int64_t b = 0; b < c->tile_h / lanes; b++)
        k->fft_turn(c->tile_w / lanes, points + b * block * k->bytes, 2 * c->tile_h * lanes,
                    lines + b * 2 * c->tile_w * lanes * k->bytes, block);
}

static void load_half(const fft_job *job, int64_t h, int64_t v, const char *x, int64_t in_h,
                      int64_t in_w, int64_t x_row, int64_t step, char *points) {
    const corr_choice *c = job->choice;
    const corr_kernels *k = c->kernels;
    const int64_t bytes = k->bytes;
    const int64_t lo = corr_min(corr_max(-v, 0), k->lanes);
    const int64_t hi = corr_max(corr_min(in_w - v, k->lanes), lo);
    const int64_t top = corr_min(corr_max(-h, 0), c->tile_h);
    const int64_t end = hi > lo ? corr_max(corr_min(in_h - h, c->tile_h), top) : top;
    const int64_t point = 2 * k->lanes * bytes;
    k->fft_load(top, 0, 0, x, 0, 1, points);
    k->fft_load(end - top, lo, hi, x + ((h + top) * x_row + v * step) * bytes, x_row, step,
                points + top * point);
    k->fft_load(c->tile_h - end, 0, 0, x, 0, 1, points + end * point);
}

typedef struct pack_job {
    fft_job fft;
    const char *w;
} pack_job;

static void pack_kernel(void *context, int64_t index, int worker, corr_run_state *run) {
    const pack_job *job = context;
    const fft_job *fft = &job->fft;
    const corr_problem *s = fft->s;
    const corr_choice *c = fft->choice;
    const corr_kernels *k = c->kernels;
    const int64_t *ws = s->w_stride, lanes = k->lanes, strip = 2 * c->tile_h * lanes * k->bytes;
    const char *w = job->w + (index / s->oc * ws[0] + index % s->oc * ws[1]) * k->bytes;
    char *spectrum = (char *)(uintptr_t)fft->spectra + index * points_bytes(c);
    char *points = fft->workspace + worker * (2 * points_bytes(c) + line_bytes(c));
    char *lines = points + points_bytes(c), *line = lines + points_bytes(c);
    (void)run;
    memset(points, 0, (size_t)points_bytes(c));
    for (int64_t j = 0; j < c->tile_w; j += lanes) {
        load_half(fft, 0, j, w, s->h.kernel, s->w.kernel, ws[3], ws[4], points + j / lanes * strip);
        k->fft_forward(c->tile_h, points + j / lanes * strip, fft->along_h);
    }
    along_rows(fft, points, line, NULL, NULL);
    keep_spectrum(fft, points, lines);
    /* Its conjugate correlates; the scale undoes both inverses'. */
    const float scale = 1 / (float)(c->tile_h * c->tile_w);
    for (int64_t i = 0; i < c->tile_h * c->tile_w / lanes; i++)
        for (int64_t l = 0; l < lanes; l++) {
            float *to = (float *)(void *)spectrum + 2 * i * lanes + l;
            const float *from = (const float *)(const void *)lines + 2 * i * lanes + l;
            to[0] = from[0] * scale;
            to[lanes] = -from[lanes] * scale;
        }
}

static corr_status pack(const corr_problem *s, const corr_choice *c, const void *w, void *packed,
                        int *finite, const corr_call *call) {
    const corr_kernels *k = c->kernels;
    const int64_t *ws = s->w_stride, all = s->groups * s->oc;
    pack_job job = {.fft = {.s = s, .choice = c, .packed = packed}, .w = w};
    lay_out(&job.fft);
    fill_twiddles(c->tile_h, (float *)(uintptr_t)job.fft.along_h);
    fill_twiddles(c->tile_w, (float *)(uintptr_t)job.fft.along_w);
    char *to = (char *)(uintptr_t)job.fft.taps;
    for (int64_t i = 0; i < all; i++)
        for (int64_t p = 0; p < s->h.kernel; p++, to += s->w.kernel * k->bytes)
            k->copy(to, (const char *)w + (i / s->oc * ws[0] + i % s->oc * ws[1] + p * ws[3]) * k->bytes,
                    ws[4], s->w.kernel);
    const int64_t n = all * s->h.kernel * s->w.kernel;
    to = (char *)(uintptr_t)job.fft.taps;
    *finite = k->pack_weights(to, n, n, 1, 1, 1, 1, 0, 0, 0, to);
    const int64_t bytes = call->threads * (2 * points_bytes(c) + line_bytes(c));
    if (!(job.fft.workspace = corr_allocate((size_t)bytes)))
        return CORR_NO_MEMORY;
    corr_status status = corr_parallel(pack_kernel, &job, all, call);
    corr_release(job.fft.workspace, (size_t)bytes);
    return status;
}

/* Tile `index` of a plane: its outputs. */
typedef struct tile {
    int64_t i, j, rows, columns;
} tile;

static tile make_tile(const fft_job *job, int64_t index) {
    tile t = {.i = index / job->across * job->out_h, .j = index % job->across * job->out_w};
    t.rows = index < job->tiles ? corr_min(job->out_h, job->s->h.out - t.i) : 0;
    t.columns = index < job->tiles ? corr_min(job->out_w, job->s->w.out - t.j) : 0;
    return t;
}

static void load_tiles(const fft_job *job, const tile t[2], const char *x, char *points) {
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const corr_kernels *k = c->kernels;
    const int64_t lanes = k->lanes, strip = 2 * c->tile_h * lanes * k->bytes;
    for (int64_t j = 0; j < c->tile_w; j += lanes) {
        char *to = points + j / lanes * strip;
        for (int half = 0; half < 2; half++) {
            /* No further than the last output's window. */
            const int64_t end_h = corr_min(s->h.in, t[half].i - s->h.pad + t[half].rows + s->h.kernel - 1);
            const int64_t end_w = corr_min(s->w.in, t[half].j - s->w.pad + t[half].columns + s->w.kernel - 1);
            load_half(job, t[half].i - s->h.pad, t[half].j - s->w.pad + j, x,
                      t[half].rows ? end_h : 0, t[half].rows ? end_w : 0, s->x_stride[3],
                      s->x_stride[4], to + half * lanes * k->bytes);
        }
        k->fft_forward(c->tile_h, to, job->along_h);
    }
}

static int store_tiles(const fft_job *job, const tile t[2], const char *bias, char *points, char *y) {
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const corr_kernels *k = c->kernels;
    const int64_t lanes = k->lanes, strip = 2 * c->tile_h * lanes * k->bytes, *ys = s->y_stride;
    const corr_store store = corr_make_store(s, 0, 1, bias);
    const int64_t columns = corr_max(t[0].columns, t[1].columns);
    int finite = 1;
    for (int64_t j = 0; j < columns; j += lanes) {
        char *from = points + j / lanes * strip;
        k->fft_inverse(c->tile_h, from, job->along_h);
        for (int half = 0; half < 2; half++)
            if (t[half].columns > j)
                finite &= k->fft_store(t[half].rows, corr_min(lanes, t[half].columns - j),
                                       from + half * lanes * k->bytes,
                                       y + (t[half].i * ys[3] + (t[half].j + j) * ys[4]) * k->bytes,
                                       ys[3], ys[4], &store);
    }
    return finite;
}

/* Infinity or NaN in one window must not reach the others. */
static void redo_tile(const fft_job *job, const tile *t, const char *x, const char *taps,
                      const char *bias, char *y) {
    corr_problem part = *job->s;
    const corr_kernels *k = job->choice->kernels;
    if (t->rows == 0)
        return;
    part.n = part.groups = part.oc = 1;
    part.h.pad -= t->i;
    part.w.pad -= t->j;
    part.h.out = t->rows;
    part.w.out = t->columns;
    corr_choice direct = *job->choice;
    direct.engine = &corr_depthwise_engine;
    direct.channel_lanes = 0;
    direct.pixel_panels = t->rows;
    direct.channel_panels = 1;
    y += (t->i * part.y_stride[3] + t->j * part.y_stride[4]) * k->bytes;
    const corr_call alone = {.threads = 1};
    const size_t bytes = (size_t)corr_depthwise_engine.workspace_bytes(&part, &direct, 1);
    void *own = bytes ? corr_allocate(bytes) : NULL;
    if (own || !bytes) {
        corr_depthwise_engine.run(&part, &direct, x, NULL, taps, bias, y, own, &alone);
    } else {
        part.w_stride[3] = part.w.kernel;
        part.w_stride[4] = 1;
        k->plain(&part, 1, corr_terms(&part), x, taps, bias, y, 0);
    }
    corr_release(own, bytes);
}

static void filter_pair(void *context, int64_t index, int worker, corr_run_state *run) {
    const fft_job *job = context;
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const int64_t bytes = c->kernels->bytes, pair = index % job->pairs, plane = index / job->pairs;
    const int64_t n = plane / s->groups, g = plane % s->groups;
    const tile t[2] = {make_tile(job, 2 * pair), make_tile(job, 2 * pair + 1)};
    const char *x = job->x + (n * s->x_stride[0] + g * s->x_stride[1]) * bytes;
    char *y = job->y + (n * s->y_stride[0] + g * s->y_stride[1]) * bytes;
    char *points = job->workspace + worker * scratch_bytes(s, c);
    char *line = points + points_bytes(c), *kept = s->oc > 1 ? line + line_bytes(c) : NULL;
    load_tiles(job, t, x, points);
    if (kept) {
        along_rows(job, points, line, NULL, NULL);
        keep_spectrum(job, points, kept);
    }
    for (int64_t o = 0; o < s->oc && !corr_should_stop(run); o++, y += s->y_stride[2] * bytes) {
        const int64_t kernel = g * s->oc + o;
        const char *bias = job->bias ? job->bias + kernel * bytes : NULL;
        along_rows(job, points, line, kept, job->spectra + kernel * points_bytes(c));
        if (store_tiles(job, t, bias, points, y))
            continue;
        for (int half = 0; half < 2; half++)
            redo_tile(job, &t[half], x, job->taps + kernel * taps_bytes(s, c), bias, y);
    }
}

static corr_status run(const corr_problem *s, const corr_choice *c, const void *x, const void *w,
                       const void *packed, const void *bias, void *y, void *workspace,
                       const corr_call *call) {
    (void)w;
    fft_job job = {.s = s, .choice = c, .x = x, .packed = packed, .bias = bias, .y = y,
                   .workspace = workspace};
    const int64_t most_h = c->tile_h - s->h.kernel + 1, most_w = c->tile_w - s->w.kernel + 1;
    const int64_t down = corr_ceil_div(s->h.out, most_h);
    job.across = corr_ceil_div(s->w.out, most_w);
    job.out_h = corr_ceil_div(s->h.out, down);
    /* Strips of outputs end where vectors do. */
    job.out_w = corr_min(most_w, corr_round_up(corr_ceil_div(s->w.out, job.across), c->kernels->lanes));
    job.across = corr_ceil_div(s->w.out, job.out_w);
    job.tiles = down * job.across;
    job.pairs = corr_ceil_div(job.tiles, 2);
    lay_out(&job);
    return corr_parallel(filter_pair, &job, s->n * s->groups * job.pairs, call);
}

const corr_engine corr_fft_engine = {
    "fft", CORR_FFT, accepts, packed_bytes, pack, workspace_bytes, run,
};
