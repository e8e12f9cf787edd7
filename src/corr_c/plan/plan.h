/* From a problem to an engine: a row an engine, one file of heuristics. */
#ifndef CORR_PLAN_H
#define CORR_PLAN_H

#include "../problem/problem.h"

typedef struct corr_engine corr_engine;

typedef struct corr_choice {
    const corr_engine *engine;
    const corr_kernels *kernels;
    int channel_lanes;    /* do vectors run over output channels rather than pixels? */
    int rows, vectors;    /* MR, and NR in vectors */
    int64_t kc;           /* terms summed in registers before they meet the output */
    int64_t pixel_panels;   /* of one item; in the engine `rows`, rows of pixels */
    int64_t channel_panels; /* that the item multiplies with them */
} corr_choice;

struct corr_engine {
    const char *name;
    corr_algorithm algorithm;
    int (*accepts)(const corr_problem *s);
    int64_t (*packed_bytes)(const corr_problem *s, const corr_choice *choice);
    /* *finite becomes 0 if a weight is infinite or NaN. */
    corr_status (*pack)(const corr_problem *s, const corr_choice *choice, const void *w,
                        void *packed, int *finite, const corr_call *call);
    int64_t (*workspace_bytes)(const corr_problem *s, const corr_choice *choice, int threads);
    /* w as given to pack, packed as pack left it. */
    corr_status (*run)(const corr_problem *s, const corr_choice *choice, const void *x,
                       const void *w, const void *packed, const void *bias, void *y,
                       void *workspace, const corr_call *call);
};

/* Pixels and output channels of a panel: a tile's rows one way, its vectors the other. */
CORR_INLINE int64_t corr_panel_pixels(const corr_choice *c) {
    return c->channel_lanes ? c->rows : (int64_t)c->vectors * c->kernels->lanes;
}
CORR_INLINE int64_t corr_panel_channels(const corr_choice *c) {
    return c->channel_lanes ? (int64_t)c->vectors * c->kernels->lanes : c->rows;
}

extern const corr_engine corr_gemm_engine, corr_rows_engine, corr_plain_engine;
extern const corr_engine *const corr_engines[];

/* choose.c */
corr_status corr_choose(const corr_problem *s, int threads, corr_choice *choice);
void corr_choose_split(const corr_problem *s, int threads, corr_choice *choice);
int corr_choose_threads(const corr_problem *s, int most);
int64_t corr_choose_kc(int64_t terms);
int64_t corr_choose_dot_pixels(const corr_problem *s);
int64_t corr_choose_dot_columns(const corr_problem *s, int threads);

/* engines/weights.c: panels of output channels, [k][width] each, packed once. */
int64_t corr_packed_bytes(const corr_problem *s, const corr_choice *c);
int64_t corr_packed_group_bytes(const corr_problem *s, const corr_choice *c);
int64_t corr_packed_width(const corr_choice *c, int64_t channels);
corr_status corr_pack(const corr_problem *s, const corr_choice *c, const void *w, void *packed,
                      int *finite, const corr_call *call);

/* engines/ */
typedef struct corr_plane { /* one image plane as pixel runs see it */
    int64_t ih, iw, x_h, x_w, sh, sw, ow;
} corr_plane;
int64_t corr_make_runs(const corr_plane *plane, int64_t start_h, int64_t start_w, int64_t pixel,
                       int64_t count, int64_t width, int lanes, int64_t dst,
                       corr_run *runs);

/* im2col's columns, packed as a choice wants them: panels of `pixels` as [k][width], the
 * last one narrower, or `lines` [pixel][CORR_LINE]. */
typedef struct corr_panels {
    const corr_problem *s;
    const corr_kernels *k;
    corr_plane plane;
    int lines, whole_vectors;
    int64_t pixels;
} corr_panels;
corr_panels corr_make_panels(const corr_problem *s, const corr_choice *choice);
int64_t corr_panel_width(const corr_panels *panels, int64_t pixels);
/* Terms [k0, k1) of pixels [pixel, end). runs: room for two a pixel and a vector. */
void corr_pack_panels(const corr_panels *panels, const char *x, int64_t k0, int64_t k1,
                      int64_t pixel, int64_t end, char *dst, corr_run *runs);
/* The terms whose taps some of the pixels, or of the rows, have in the image. */
void corr_row_terms(const corr_problem *s, int64_t first, int64_t last, int64_t *k0,
                    int64_t *k1);
void corr_panel_terms(const corr_problem *s, int64_t pixel, int64_t count, int64_t *k0,
                      int64_t *k1);

/* Between y and a tile or buffer that has its pixels and channels at other distances. */
void corr_exchange(const corr_problem *s, char *y, int64_t pixel, int64_t pixels,
                   int64_t channels, char *own, int64_t pixel_step, int64_t channel_step,
                   int64_t bytes, int out);
/* A tile with its lanes over pixels, stored to y (of its first channel) as y lies. */
typedef struct corr_pixel_tile {
    int64_t pixel, pixels, channels, terms;
    int64_t at; /* of the first pixel in a plane of y, if its pixels follow one another */
    const char *w, *x;
    int64_t ldb;            /* of x, or */
    const int32_t *offsets; /* where its rows begin */
} corr_pixel_tile;
void corr_multiply_pixels(const corr_problem *s, const corr_kernels *k, const corr_pixel_tile *t,
                          char *y, int contiguous, const corr_store *store);
/* How block pc of a sum is stored; bias is the panel's first, or NULL. */
corr_store corr_make_store(const corr_problem *s, int64_t pc, int last, const char *bias);

corr_status corr_redo_edges(const corr_problem *s, const corr_choice *choice, const void *x,
                            const void *w, const void *bias, void *y, const corr_call *call);

#endif
