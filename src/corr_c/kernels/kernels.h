/* The kernels' contracts. Every ISA and type fills one table out of the same templates.
 *
 * Pointers are to elements of the table's type; strides and counts are in elements.
 * A kernel touches exactly the elements its contract names, whatever their alignment.
 */
#ifndef CORR_KERNELS_H
#define CORR_KERNELS_H

#include "../corr.h"

#include <math.h>
#include <string.h>

enum { CORR_MAX_ROWS = 14, CORR_MAX_VECTORS = 4, CORR_MAX_TILE_COLUMNS = 64 };

/* Terms that a line of points holds: the longest chain, and a cache line more, so that the
 * rows of a tile do not all fall into the same sets. */
enum { CORR_LINE = 384 + 16 };

/* How a tile leaves the registers: c = act((c if accumulate) + sum + bias). */
typedef struct corr_store {
    int accumulate;
    int epilogue; /* is there an activation or a bias? */
    corr_activation activation;
    const void *bias;        /* one for each row, or NULL */
    const void *column_bias; /* one for each column, or NULL */
    const char *ahead;       /* step k of a tile fetches line k from here on into L2; or NULL */
} corr_store;

/* c[i, j] for i < rows, j < columns = sum over k of a[k * rows + i] * b[k * ldb + j];
 * those of gemm_lines read a[i * CORR_LINE + k] instead, and step k fetches into L2 the line of
 * ahead[ahead_offsets[k]], and the row of b that is CORR_STEPS_AHEAD further on.
 * The sum is one chain over k that starts at zero. b's rows are readable up to the next
 * whole vector; c's only up to `columns` (more than `vectors - 1` vectors' worth). */
typedef void corr_gemm_kernel(int64_t k, const void *a, const void *b, int64_t ldb, void *c,
                              int64_t ldc, int64_t columns, const corr_store *store);

enum { CORR_STEPS_AHEAD = 32 };
typedef void corr_gemm_lines_kernel(int64_t k, const void *a, const void *b, int64_t ldb, void *c,
                                    int64_t ldc, int64_t columns, const corr_store *store,
                                    const void *ahead, const int32_t *ahead_offsets);

/* The same with one operand where it lies: row k of b at b + offsets[k] (taps), or
 * a[offsets[k] + i * lda] (points). */
typedef void corr_gemm_taps_kernel(int64_t k, const void *a, const void *b,
                                   const int32_t *offsets, void *c, int64_t ldc,
                                   int64_t columns, const corr_store *store);
typedef void corr_gemm_points_kernel(int64_t k, const void *a, int64_t lda,
                                     const int32_t *offsets, const void *b, int64_t ldb,
                                     void *c, int64_t ldc, int64_t columns,
                                     const corr_store *store);

/* Rows of an image plane, or every step-th pixel of them, one after another. */
typedef struct corr_rows {
    int64_t count, first, end;      /* of these, rows first <= r < end lie in the image */
    int64_t width, lo, hi;          /* and of a row, columns lo <= j < hi */
    int64_t pitch;                  /* from one row of dst to the next, >= width */
    int64_t row, step;              /* of x */
} corr_rows;

/* For each channel c and row r: dst[c * dst_channel + r * pitch + j] = x[c * channel + r * row
 * + j * step], zero where that is outside the image, for j < width; x is only touched inside.
 * Whole vectors are stored in rising order: a channel of dst has room for one more at its end. */
typedef void corr_pack_rows_kernel(const corr_rows *rows, const void *x, int64_t channel,
                                   int64_t channels, void *dst, int64_t dst_channel);

/* dst[i * pitch + j] = x[offsets[i] + j] for i < k, j < n. Whole vectors are stored in rising
 * order: dst has room for one more at its end. */
typedef void corr_gather_kernel(int64_t k, int64_t n, const void *x, const int32_t *offsets,
                                void *dst, int64_t pitch);

/* dst[k * width + i] = w[i * w_o + c * w_c + p * w_h + q * w_w] with k = (p, q, c) for
 * i < rows, zero for the others below width. Returns non-zero if all are finite. What lies
 * between the first and the last of a channel's taps may be read too. */
typedef int corr_pack_weights_kernel(const void *w, int64_t rows, int64_t width,
                                     int64_t channels, int64_t kh, int64_t kw, int64_t w_o,
                                     int64_t w_c, int64_t w_h, int64_t w_w, void *dst);

/* Likewise of taps that go to several places: w[i * w_o + c * w_c + at] to to[at][c * width + i],
 * where that is not NULL, for at < span. */
enum { CORR_SPREAD_VECTORS = 4 }; /* that a span takes at most */
typedef int corr_pack_spread_kernel(const void *w, int64_t rows, int64_t width, int64_t channels,
                                    int64_t span, int64_t w_o, int64_t w_c, void *const *to);

/* dst[j * ldd + i] = act((dst if accumulate) + src[i * lds + j] + bias[j]) for i < rows,
 * j < columns. */
typedef void corr_transpose_kernel(int64_t rows, int64_t columns, const void *src, int64_t lds,
                                   void *dst, int64_t ldd, const corr_store *store);

/* Pixels that follow one another, as the weight gradient's kernels walk them: where the
 * first lies in either factor, and how many there are. */
typedef struct corr_segment {
    int64_t a, b, count;
} corr_segment;

/* c[i * ldc + j] = (c if accumulate) + sum over the segments' pixels, k < count, of
 * a[s.a + k * a_step + i * a_row] * b[s.b + k * b_step + j], for j in whole vectors. One
 * chain from zero. */
typedef void corr_outer_kernel(const corr_segment *segments, int64_t count, const void *a,
                               int64_t a_row, int64_t a_step, const void *b, int64_t b_step,
                               void *c, int64_t ldc, int accumulate);

/* Lane l of c[i * ldc + j], counted in vectors, = (it if accumulate) + sum over the segments'
 * pixels, k < count and k % lanes = l, of a[s.a + i * a_row + k] * b[s.b + offsets[j] + k]. */
enum { CORR_DOT_MAX_ROWS = 4, CORR_DOT_MAX_COLUMNS = 6 };
typedef void corr_dot_kernel(const corr_segment *segments, int64_t count, const void *a,
                             int64_t a_row, const void *b, const int32_t *offsets, void *c,
                             int64_t ldc, int accumulate);
/* dst[i] = the sum of vector i of src, i < n; dst may be src. */
typedef void corr_sum_lanes_kernel(const void *src, int64_t n, void *dst);
/* y[i * y_row + j * y_column] = act(the sum of vector i * columns + j of sums + bias), i < rows,
 * j < columns. */
typedef void corr_store_dots_kernel(int64_t rows, int64_t columns, const void *sums, void *y,
                                    int64_t y_row, int64_t y_column, const corr_store *store);

/* Planes against a kernel each, where they lie. Plane n, output row i, column j:
 *
 *   y[n * y_plane + i * y_row + j] = act(bias[n * bias_plane] + sum over p, q of
 *       w[n * w_plane + p * kw + q] * x[n * x_plane + (i * step + p) * x_row + j * step + q])
 *
 * in one chain over (p, q) from zero. Absent, and multiplied as zeros, are taps whose row
 * i * step + p is not in [row_lo, row_hi), or whose column is not in [column_lo, column_hi).
 *
 * march: square kernels of 3, 5 and 7 (by its index 0, 1, 2), step 1 or 2, x at the middle
 * column of the kernel, and columns counted from there.
 *   SHARED  `columns` of a plane: a vector after the other, the last with at least one
 *   OWN     `vectors` planes at a time, whose columns in the image, and in the row of outputs,
 *           are all in one vector: column_lo >= 0 (of a step of 2, in two)
 *   PAIR    2 * `vectors` planes likewise; the second of a vector is `pair` >= `columns` lanes to
 *           the right, with at least kw / 2 lanes of zeros between, or one less if kw is 7 and the columns
 *           of x are those of y.
 *
 * Rows of y that follow one another are stored in turn, whole vectors of them, so that the end of
 * one lies for a while in the next.
 *
 * march_lanes: kh = 3 (then kw too), 5, 7, kw <= 7, step 1 or 2. A lane a channel, `columns` of
 * them, and a vector a column v: x at v * x_vector + q * x_tap, counted as column
 * v * step + q * dilation; y at v * y_vector, w at p * w_row + q * w_tap, readable up to a whole
 * vector, and a bias a lane.
 *
 * block: exactly as many rows and vectors of one plane as its name says, tap (p, q) at x +
 * offsets[p * kw + q], rows of outputs x_next apart there, columns 1; in y the vectors, of which
 * `columns` are stored, are y_vector and columns y_step apart. All that whole vectors read must
 * be readable, but rows of taps that are not in [row_lo, row_hi), which are absent.
 *   reuse        with taps at p * x_row + q * x_tap, x_next = x_row, and at most kh rows; here
 *                [row_lo, row_hi) limits i + p
 *   block_lanes  a lane a channel, `columns` of them; vectors of x, and the offsets, are those of
 *                columns, w at (p * kw + q) * w_tap, and a bias a lane
 *   block_image  as block_lanes, of `strips` that follow one another, columns x_vector apart
 *
 * slide, band: as many rows of outputs as the entry says, a lane a channel, `columns` of them, no fewer
 * than it has vectors of; `strips` pixels j, y_vector apart. Its chain is over (q, p); x at
 * (i * step + p) * x_row + q * x_tap and what j adds, where rows that are not in [row_lo, row_hi) are
 * absent and never touched. Weights come in blocks of its vectors, the last as far back as the
 * channels': within one at (p * kw + q) * lanes of the block.
 *   slide  kw = kh, pixels step * x_tap apart; absent are columns j * step + q not in
 *          [column_lo, column_hi); x_ahead, or 0: from each row to one that is fetched into L2 meanwhile
 *   band   pixels x_vector apart; absent are taps q not in [column_lo, column_hi)
 *
 * band_planes: of one plane, `strips` times its vectors of columns, all stored, or one strip and fewer
 * `columns`; the chain is over (q, p), q < kw, taps x_tap apart. Columns of x, counted from x, that are not
 * in [column_lo, column_hi) are multiplied as zeros; where all that whole vectors load of the present rows
 * lies there, without masks. Rows x_ahead are fetched meanwhile. */
enum {
    CORR_STENCIL_SHARED,
    CORR_STENCIL_OWN,
    CORR_STENCIL_PAIR,
    CORR_STENCIL_KINDS
};
enum { CORR_STENCIL_TAPS = 7, CORR_STENCIL_KEPT = 50, CORR_BLOCK_ROWS = 7, CORR_BLOCK_SUMS = 28 };
enum { CORR_BAND_ROWS = 6, CORR_BAND_TAPS = 7, CORR_BAND_SUMS = 28, CORR_SLIDE_INPUTS = 13 };
typedef struct corr_stencil {
    int64_t kh, kw, step, dilation;
    int64_t planes, rows, columns, pair;
    int64_t row_lo, row_hi, column_lo, column_hi;
    int64_t x_plane, x_row, x_tap, x_vector, x_next;
    const int32_t *offsets;
    int64_t w_plane, w_row, w_tap;
    int64_t y_plane, y_row, y_vector, y_step;
    int64_t strips;
    int64_t x_ahead, y_ahead; /* to the next strip or plane, which is fetched meanwhile, and */
    int64_t x_far, y_far;     /* to the next rows of a picture, or 0: into L2 */
    int epilogue;             /* is there an activation or a bias? */
    corr_activation activation;
    const void *bias; /* or NULL */
    int64_t bias_plane;
} corr_stencil;
typedef void corr_stencil_kernel(const corr_stencil *s, const void *x, const void *w, void *y);
typedef struct corr_band {
    corr_stencil_kernel *run;
    int rows, vectors;
} corr_band;

/* A group of few channels, in planes. Tile t < count, channel i < rows, vector v, lane l:
 *
 *   y[t * y_next + i * y_channel + v * y_vector + l] = act(bias[i] + sum over k = (p, q, c) of
 *       w[k * w_width + i] * x[t * x_next + c * x_channel + p * x_row + q * x_tap + v * x_vector
 *                              + l * step])
 *
 * in one chain over k from zero, where v * column_vector + l < columns. Absent are taps whose
 * row, row + t * row_next + p * row_tap, is not in [0, row_end) (for all vectors: those that lie
 * a row apart go together only where they have all taps); those whose column,
 * q * column_tap + step * (v * column_vector + l), is not in [column_lo, column_hi) are
 * multiplied as zeros. Nothing outside is touched, but with a step of 2 what lies between.
 *
 * group_lanes: groups side by side, their output channels the lanes l < columns; i is a row of
 * the tile, and v a column:
 *
 *   y[t * y_next + i * y_channel + v * y_vector + l] = act(bias[l] + sum over k of
 *       w[k * lanes + l] * x[t * x_next + (i * step + p) * x_row + q * x_tap + v * x_vector
 *                            + index[c * lanes + l]])
 *
 * with index < x_lanes. Its rows are row + t * row_next + (i * step + p) * row_tap, its columns
 * q * column_tap + v * column_vector. */
enum { CORR_GROUP_ROWS = 8, CORR_GROUP_TAPS = 16, CORR_GROUP_LANES_ROWS = 3 };
typedef struct corr_group {
    int64_t channels, kh, kw; /* of the sum; kw <= CORR_GROUP_TAPS */
    int64_t x_channel, x_row, x_tap, x_vector, x_next;
    int64_t y_channel, y_vector, y_next;
    int64_t w_width;
    int64_t count;
    int64_t row, row_next, row_tap, row_end;
    int64_t columns, column_tap, column_vector, column_lo, column_hi;
    int epilogue; /* is there an activation or a bias? */
    corr_activation activation;
    const void *bias; /* or NULL */
    int64_t step, x_lanes; /* group_lanes only */
    const int32_t *index;
} corr_group;
typedef void corr_group_kernel(const corr_group *s, const void *x, const void *w, void *y);

/* The forward operator for one image and one group, term by term in the order of the
 * packed sum: blocks of cb channels, in them (p, q, c) cut at multiples of kc. With edges_only just the outputs whose window
 * leaves the image. bias is the group's or NULL. */
typedef void corr_plain_kernel(const corr_problem *problem, int64_t cb, int64_t kc,
                               const void *x, const void *w, const void *bias, void *y,
                               int edges_only);

/* The weight gradient of one image and group, terms absent in the padding left out,
 * added to gw. */
typedef void corr_plain_weight_kernel(const corr_problem *problem, const void *x, void *gw,
                                      const void *gy);

/* dst[i * lanes + c] = x[i * pixel + c * channel] for i < pixels, c < channels <= lanes; the
 * other lanes are zero. Of planes, what lies `ahead` is fetched into L2 meanwhile, if that is
 * not 0. */
typedef void corr_lanes_in_kernel(const void *x, int64_t pixel, int64_t channel, int64_t pixels,
                                  int64_t channels, void *dst, int64_t ahead);

/* y[i * pixel + c * channel] = src[i * lanes + c] for i < pixels, c < channels <= lanes; again
 * with what to fetch. */
enum { CORR_LANES_APART = 4 }; /* vectors of a plane stored one after another */
typedef void corr_lanes_out_kernel(const void *src, int64_t pixels, int64_t channels, void *y,
                                   int64_t pixel, int64_t channel, int64_t ahead);

/* Winograd's F(outputs, 3) with outputs + 2 points a side, on pixels of `lanes` channels.
 * Input: tile t is the patch x[i * row + (outputs * t + j) * column], i and j < points;
 * its value at point e goes to v[offsets[e] + t * tile]. */
typedef void corr_winograd_input_kernel(const void *x, int64_t row, int64_t column, int64_t tiles, void *v,
                                        int64_t tile, const int32_t *offsets);

/* Output: point e of tile t at m[e * point + t * tile] gives, for i < rows and j < columns,
 * y[i * row + j * column] = act(sum + bias) in its first `channels` lanes; column
 * outputs * t + j belongs to tile t. Returns non-zero if all tiles are finite throughout. */
typedef int corr_winograd_output_kernel(const void *m, int64_t point, int64_t tile,
                                        int64_t tiles, void *y, int64_t row, int64_t column,
                                        int64_t rows, int64_t columns, int64_t channels,
                                        const corr_store *store);

/* Weights: tap (p, q) of filter i at w[(3 * p + q) * tap + i], for i < count, a multiple of the lanes; the
 * values at point e of vector j of filters at u[e * point + j * step]. */
typedef void corr_winograd_weights_kernel(const void *w, int64_t tap, int64_t count, void *u,
                                          int64_t step, int64_t point);

/* The weight gradient's F(3, 4), of F(4, 3)'s points. Gradients, as input, of tiles of 4x4. Taps (p, q)
 * of filter i at taps[(3 * p + q) * tap + i] from its sums at points[e * point + i], for i < count, a multiple
 * of the lanes; non-zero if all are finite. */
typedef int corr_winograd_taps_kernel(const void *points, int64_t point, int64_t count, void *taps, int64_t tap);

typedef struct corr_winograd_kernels {
    int points;
    corr_winograd_input_kernel *input;
    corr_winograd_output_kernel *output;
    corr_winograd_weights_kernel *weights;
} corr_winograd_kernels;

/* up: the transpose of a march of step 2 whose w.pad is half the kernel, by size and vectors of
 * half of y's `columns`. x has row_hi rows and columns [column_lo, column_hi), y `rows`, the first
 * of them row_lo rows below that of tap 0; w as march has it. */

/* sums[p * taps_w + q][l] += sum over rows i of gy[i * y_row + l] *
 *     x[(i * step + p) * x_row + q * x_tap + l * step], for lanes l < columns
 * Rows and columns (q * dilation + l * step) outside their limits are absent, and multiplied as
 * zeros; so may be gradients of rows that do not exist. Named by taps_h, taps_w and step.
 * weight3 takes all of a 3x3 kernel and `columns` of several vectors, the last one with at least
 * one, with x at the middle column of the kernel, as a march; named by step and vectors. */
enum { CORR_WEIGHT_ROWS = 5, CORR_WEIGHT_TAPS = 25 };
typedef void corr_weight_kernel(const corr_stencil *s, const void *x, const void *gy, void *sums);
/* weight_lanes: one channel a lane, all of them readable.
 *
 *   sums[(p * sum_row + q) * lanes + l] += sum over i < rows, j < columns of
 *       gy[i * y_row + j * y_step + l] * x[i * x_next + p * x_row + j * x_step + q * x_tap + l]
 *
 * in a chain from zero, for taps p < taps_h, q < taps_w, by which it is named. */
typedef struct corr_weight_lanes {
    int64_t rows, columns, x_next, x_row, x_step, x_tap, y_row, y_step, sum_row;
} corr_weight_lanes;
typedef void corr_weight_lanes_kernel(const corr_weight_lanes *s, const void *x, const void *gy,
                                      void *sums);
/* up_lanes: columns u = 2m + b - pad, first <= m < end, 0 <= u < width, of a row of an input gradient:
 *
 *   gx[u * x_step + l] = sum over i < rows, q = 2t + b < kw of gy[i][(m - t) * y_step + l] * w[i][q * lanes + l]
 *
 * where 0 <= m - t < columns; end - first is at least 4. By kw / 2 - 1. */
enum { CORR_UP_TAPS = 5, CORR_UP_ROWS = 4 };
typedef struct corr_up_lanes {
    int64_t rows, first, end, columns, width, pad, x_step, y_step;
    const void *gy[CORR_UP_ROWS], *w[CORR_UP_ROWS];
} corr_up_lanes;
typedef void corr_up_lanes_kernel(const corr_up_lanes *s, void *gx);
/* to[k * step] += the lanes of sums[k], which are zero then, for k < n. */
typedef void corr_add_lanes_kernel(int64_t n, void *sums, void *to, int64_t step);

/* kernels/fft.h. Points are [n][2][lanes]; n = 4^k or 2 * 4^k. In place; the inverse of the
 * forward is n times the points. */
typedef void corr_fft_kernel(int64_t n, void *points, const void *twiddles);
/* Blocks of lanes x lanes points, transposed. */
typedef void corr_fft_turn_kernel(int64_t blocks, const void *src, int64_t src_step, void *dst,
                                  int64_t dst_step);
/* to[i] = a[i] * b[i], for n points. */
typedef void corr_fft_multiply_kernel(int64_t n, const void *a, const void *b, void *to);
/* Half of some points from rows of pixels `step` apart, lanes lo <= l < hi, others zero; and
 * back, with bias and activation, returning non-zero if all are finite. */
typedef void corr_fft_load_kernel(int64_t rows, int64_t lo, int64_t hi, const void *x,
                                  int64_t x_row, int64_t step, void *points);
typedef int corr_fft_store_kernel(int64_t rows, int64_t columns, const void *points, void *y,
                                  int64_t y_row, int64_t step, const corr_store *store);

/* dst[i] = src[i * step], dst[i * step] = src[i], or dst[i * step] += src[i], for i < n. */
typedef void corr_copy_kernel(void *dst, const void *src, int64_t step, int64_t n);
typedef void corr_spread_kernel(void *dst, int64_t step, const void *src, int64_t n);
typedef void corr_add_kernel(void *dst, int64_t step, const void *src, int64_t n);

/* dst[2 * i] = even[i], dst[2 * i + 1] = odd[i], for the n elements of dst. */
typedef void corr_lace_kernel(void *dst, const void *even, const void *odd, int64_t n);

/* Rows i < count: dst[i * dst_step + v - from] = (add ? itself : 0) + sum over taps t, rows r of
 * r[i * row_step + t.at + v], where t.lo <= v < t.hi, for columns from <= v < from + n; in one
 * chain, a tap's rows in turn. */
enum { CORR_FOLD_TAPS = 8, CORR_FOLD_ROWS = 32 };
typedef struct corr_fold_tap {
    int64_t at, lo, hi;
} corr_fold_tap;
typedef struct corr_fold {
    int64_t count, dst_step, row_step, row_count, tap_count;
    const void *rows[CORR_FOLD_ROWS];
    corr_fold_tap taps[CORR_FOLD_TAPS];
} corr_fold;
typedef void corr_fold_kernel(void *dst, int64_t from, int64_t n, const corr_fold *f, int add);

/* dst[j] = sum over i < rows of src[i * step + j], j < columns: a chain each. */
typedef void corr_sum_rows_kernel(const void *src, int64_t step, int64_t rows, int64_t columns,
                                  void *dst);

/* Sum of src[i * step], i < n: short chains in the type, added in double. */
typedef double corr_sum_kernel(const void *src, int64_t step, int64_t n);

/* Rounds of FMAs in registers; returns how many FMA (lanes counted) a round does. */
typedef double corr_peak_kernel(int64_t rounds);

typedef struct corr_kernels {
    const char *isa;
    corr_dtype dtype;
    int bytes; /* of an element */
    int lanes; /* of a vector */
    int dot_rows, dot_columns; /* of its largest tile */
    int max_rows[CORR_MAX_VECTORS]; /* of tiles 1 .. 4 vectors wide; 0: none */
    corr_gemm_kernel *gemm[CORR_MAX_VECTORS][CORR_MAX_ROWS];
    corr_gemm_lines_kernel *gemm_lines[CORR_MAX_VECTORS][CORR_MAX_ROWS]; /* float32 only */
    corr_gemm_taps_kernel *gemm_taps[CORR_MAX_VECTORS][CORR_MAX_ROWS];
    corr_gemm_points_kernel *gemm_points[CORR_MAX_VECTORS][CORR_MAX_ROWS];
    corr_outer_kernel *outer[CORR_MAX_VECTORS][CORR_MAX_ROWS];
    corr_transpose_kernel *transpose;
    corr_pack_rows_kernel *pack_rows;
    corr_gather_kernel *gather;
    corr_pack_weights_kernel *pack_weights;
    corr_pack_spread_kernel *pack_spread;
    corr_dot_kernel *dot[CORR_DOT_MAX_ROWS][CORR_DOT_MAX_COLUMNS];
    corr_sum_lanes_kernel *sum_lanes;
    corr_store_dots_kernel *store_dots;
    corr_stencil_kernel *march[CORR_STENCIL_KINDS][3][2][CORR_MAX_VECTORS];
    corr_stencil_kernel *march_lanes[3][2][CORR_MAX_VECTORS];
    corr_stencil_kernel *block[CORR_BLOCK_ROWS][CORR_MAX_VECTORS];
    corr_stencil_kernel *block_lanes[CORR_BLOCK_ROWS][CORR_MAX_VECTORS];
    corr_stencil_kernel *block_image[CORR_BLOCK_ROWS][CORR_MAX_VECTORS];
    corr_band slide[3][2], band[3][2], band_planes[3][2]; /* by kh / 2 - 1 and the step */
    corr_stencil_kernel *reuse[CORR_BLOCK_ROWS][CORR_MAX_VECTORS];
    corr_stencil_kernel *up[3][CORR_MAX_VECTORS];
    corr_weight_kernel *weight[CORR_WEIGHT_ROWS][CORR_STENCIL_TAPS][2];
    corr_weight_kernel *weight3[2][CORR_MAX_VECTORS];
    corr_weight_lanes_kernel *weight_lanes[CORR_WEIGHT_ROWS][CORR_STENCIL_TAPS];
    corr_up_lanes_kernel *up_lanes[CORR_UP_TAPS / 2];
    corr_add_lanes_kernel *add_lanes;
    corr_group_kernel *group[2][CORR_GROUP_ROWS][CORR_MAX_VECTORS]; /* by the step */
    corr_group_kernel *group_lanes[CORR_GROUP_LANES_ROWS][CORR_MAX_VECTORS];
    corr_fft_kernel *fft_forward, *fft_inverse;
    corr_fft_turn_kernel *fft_turn;
    corr_fft_multiply_kernel *fft_multiply;
    corr_fft_load_kernel *fft_load;
    corr_fft_store_kernel *fft_store;
    corr_plain_kernel *plain;
    corr_plain_weight_kernel *plain_weight;
    corr_copy_kernel *copy;
    corr_spread_kernel *spread;
    corr_add_kernel *add;
    corr_lace_kernel *lace;
    corr_fold_kernel *fold;
    corr_sum_rows_kernel *sum_rows;
    corr_sum_kernel *sum;
    corr_peak_kernel *peak;
    corr_lanes_in_kernel *lanes_in;
    corr_lanes_out_kernel *lanes_out;
    corr_winograd_kernels winograd[2]; /* F(4, 3) and F(2, 3); float32 only, as are those of F(3, 4): */
    corr_winograd_input_kernel *winograd_gradients;
    corr_winograd_taps_kernel *winograd_taps;
} corr_kernels;

#endif
