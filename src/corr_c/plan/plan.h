/* From a problem to an engine: a row an engine, one file of heuristics. */
#ifndef CORR_PLAN_H
#define CORR_PLAN_H

#include "../problem/problem.h"

typedef struct corr_engine corr_engine;

typedef struct corr_choice {
    const corr_engine *engine;
    const corr_kernels *kernels;
    int channel_lanes; /* do vectors run over output channels rather than pixels? */
    int turned;        /* of a stencil: are planes made channels-last for it? */
    int by_rows;       /* do tiles end where rows of outputs end? */
    int rows, vectors; /* MR, and NR in vectors */
    /* A sum runs over blocks of cb input channels, in each over its terms k = (p, q, c) in
     * chains of kc that are summed in registers before they meet the output. */
    int64_t cb, kc;
    int64_t pixel_panels;   /* of one item; by rows, of each row */
    int64_t item_rows;      /* by rows: how many rows */
    int64_t channel_panels; /* that the item multiplies with them */
    int packs_late;         /* does the item pack each panel of weights when it needs it? */
    int64_t packed_panels;  /* of pixels, copied before the weights meet them; 0: read in place */
    /* Winograd: */
    int points;             /* of a tile, a side */
    int64_t depth;          /* input channels summed in one chain */
    int64_t tiles;          /* of one item */
    int64_t inverse_panels; /* panels of channels multiplied before they are inverted */
    int64_t tile_h, tile_w; /* of Fourier transforms */
} corr_choice;

/* A weight gradient: which pixels are one chain, which sums one item. */
typedef struct corr_weight_choice {
    const corr_kernels *kernels;
    int dot;              /* do vectors run along the pixels rather than over output channels? */
    int flat;             /* then: do they go on from a row to the next? */
    int slab;             /* else: is the input copied, chunk by chunk? */
    int placed;           /* and are gradients read as they lie? */
    /* And do a tile's rows run along a row of taps, not over channels? Its taps, of one channel or, in pixels
     * that lie together, of all. */
    int64_t along;
    int rows, vectors;    /* of the tile over input and output channels */
    int64_t images;       /* of one chunk, if an image is one */
    int64_t pieces;       /* chunks of one image, if it is several */
    int64_t chunk;        /* pixels of a chunk in one image */
    int64_t chunks, splits;
    int64_t o_block, c_block; /* channels of an item */
} corr_weight_choice;

/* A weight gradient by Winograd. */
typedef struct corr_winograd_weight {
    const corr_kernels *kernels;
    int rows, vectors;        /* of the tile over input and output channels */
    int64_t tiles;            /* of 4x4 gradients in a chunk, a chain of sums, */
    int64_t run;              /* and of those transformed together */
    int64_t c_block, o_block; /* channels of a panel, whole vectors, */
    int64_t c_panels, o_panels; /* and panels of an item */
} corr_winograd_weight;

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

extern const corr_engine corr_gemm_engine, corr_plain_engine, corr_winograd_engine;
extern const corr_engine corr_depthwise_engine, corr_fft_engine, corr_groups_engine;
extern const corr_engine corr_dots_engine, corr_connected_engine;
extern const corr_engine *const corr_engines[];

/* choose.c */
corr_status corr_choose(const corr_problem *s, int threads, int planned, corr_choice *choice);
void corr_choose_split(const corr_problem *s, int threads, corr_choice *choice);
int corr_choose_threads(const corr_problem *s, int most);
/* Is the next panel of planes that are read in place fetched meanwhile? */
int corr_fetches_pixels(const corr_problem *s, const corr_kernels *k);

/* The chains of a sum; at_once: over all input channels? */
void corr_choose_chains(const corr_problem *s, int at_once, corr_choice *choice);

/* choose_tile.c. The best tile, of at most `most_rows`, for a matrix of so many rows and vectors; gives the
 * cycles of a step of k. */
double corr_tile_cycles(int64_t rows, int64_t vectors, int64_t kc);
double corr_best_tile(const corr_kernels *k, int64_t kc, int64_t most_rows, int64_t along_rows,
                      int64_t along_vectors, int *rows, int *vectors);
/* Do rows so many elements apart meet in the same set of L1, and how many of them does a tile take? */
int corr_share_sets(int64_t apart, const corr_kernels *k);
int64_t corr_rows_apart(int64_t apart, const corr_kernels *k);
/* Of pixels and output channels in the lanes; from memory? */
double corr_tile_channels(const corr_problem *s, corr_choice *choice, int memory);

/* choose_connected.c: is the layer fully connected, and large enough? Rows and columns of an item of a gradient,
 * whose product has so many rows. */
int corr_takes_connected(const corr_problem *s);
void corr_split_connected(const corr_problem *s, int threads, corr_choice *choice);
void corr_split_connected_gradient(const corr_problem *s, int64_t all_rows, int threads, corr_choice *choice,
                                   int64_t *rows, int64_t *columns);

/* choose_input.c: is the input gradient best made by way of its columns? */
int corr_takes_columns(const corr_problem *s);
/* Or all phases of the stride at once, with lanes over input channels (engines/phases.c)? Their choices; the
 * cut of an image into bands of panels of channels, and into so many of a phase's rows. */
int corr_takes_phases(const corr_problem *s);
void corr_choose_phases(const corr_problem *s, const corr_problem *phases, int count, corr_choice *choices);
void corr_split_phases(const corr_problem *s, int64_t panel, int64_t bytes, int threads, int64_t *rows, int64_t *bands);

/* choose_winograd.c: both in cycles of one core, negative where it cannot be. */
double corr_choose_winograd(const corr_problem *s, int planned, corr_choice *choice);
void corr_choose_winograd_split(const corr_problem *s, int threads, corr_choice *choice);

/* choose_weight.c. Zeros multiply what meets the padding unless `careful`. */
void corr_choose_weight(const corr_problem *s, int threads, int careful, corr_weight_choice *choice);
/* choose_winograd_weight.c: is it made by Winograd? */
int corr_takes_winograd_weight(const corr_problem *s, int threads, corr_winograd_weight *choice);
/* Of one core, all pixels. */
double corr_weight_cycles(const corr_problem *s);
/* Are x and gy taken in each other's place? */
int corr_swaps_factors(const corr_problem *s);
/* Are channels-last images turned to planes first? */
int corr_turns_for_weight(const corr_problem *s);

/* choose_stencil.c */
int corr_takes_stencil(const corr_problem *s, const corr_kernels *k);
void corr_choose_stencil(const corr_problem *s, corr_choice *choice);
/* Of one core, without transforms. */
double corr_direct_cycles(const corr_problem *s, const corr_choice *choice);
void corr_split_stencil(const corr_problem *s, int threads, corr_choice *choice);
/* Does it run with a lane a channel? Only with weights packed for it. */
int corr_in_lanes(const corr_problem *s, const corr_choice *choice);
int64_t corr_stencil_rows(const corr_problem *s, const corr_choice *choice); /* at once */
/* Those of a lane a channel: an entry a number of vectors, or NULL. */
corr_stencil_kernel *const *corr_lane_marches(const corr_problem *s, const corr_kernels *k);
/* Bands of rows, or NULL: only with weights packed for lanes. */
const corr_band *corr_shape_band(const corr_problem *s, const corr_choice *choice);
/* Have blocks of a lane a channel the weights of each vector of channels together? */
int corr_weights_apart(const corr_problem *s, const corr_kernels *k);
const corr_band *corr_find_band(const corr_problem *s, const corr_choice *choice);
/* Is the band a slide? Then the columns of outputs that it has at a time, and what comes next and is
 * fetched meanwhile: nothing, 1 the next columns, 2 the next rows. */
int corr_part_slide(const corr_problem *s, const corr_choice *choice, const corr_band *band,
                    int64_t *columns, int *ahead);
int corr_from_memory(int64_t images, const corr_problem *s, const corr_kernels *k); /* with their outputs */
/* choose_planes.c: a march, unless there is a band; a band, or NULL; is a plane turned to pixels? */
int corr_marches(const corr_problem *s, const corr_kernels *k);
const corr_band *corr_find_plane_band(const corr_problem *s, const corr_kernels *k);
int corr_turns_planes(const corr_problem *s, const corr_choice *choice);
/* What is no march: blocks of outputs. */
int corr_reuses_rows(const corr_problem *s);
typedef struct corr_stencil_blocks {
    corr_stencil_kernel *const (*kernels)[CORR_MAX_VECTORS];
    corr_stencil_kernel *const (*image)[CORR_MAX_VECTORS]; /* where the image holds all, or NULL */
    int reuse;             /* are they those that reuse rows? */
    int vectors;           /* of a strip */
    int64_t strip, unit;   /* its columns; elements of a column */
    int64_t most;          /* rows of a block */
    int64_t rows, columns, planes; /* of outputs that share a slab */
} corr_stencil_blocks;
int64_t corr_stencil_rows_ahead(const corr_problem *s); /* to fetch, or 0: the next strip */
int corr_next_plane_first(const corr_problem *s, const corr_choice *choice); /* to fetch */

/* choose_fft.c: transforms instead; returns 0 if those do not fit, or, unless asked for, do not pay. */
int corr_choose_fft(const corr_problem *s, corr_choice *choice);

/* engines/depthwise_up.c: the input gradient of stride 2, unless a weight is not finite. */
int corr_takes_up(const corr_problem *s);
corr_status corr_depthwise_up(const corr_problem *s, void *gx, const void *w, const void *gy,
                              const corr_call *call, int *finite);

/* engines/depthwise_weight.c */
int corr_takes_weight_march(const corr_problem *s);
int corr_weight_march_pays(const corr_problem *s); /* beside tiles of products? */
void corr_split_weight_march(const corr_problem *s, int64_t *rows, int64_t *chunks);
corr_status corr_depthwise_weight(const corr_problem *s, const void *x, void *gw, const void *gy,
                                  const corr_call *call);
/* One group, term by term. */
void corr_redo_weight_group(const corr_problem *s, const char *x, char *gw, const char *gy, int64_t g,
                            int accumulate);

/* engines/fetch.c: runs of some bytes, `step` bytes apart. */
void corr_fetch_runs(const char *from, int64_t step, int64_t runs, int64_t bytes);
void corr_fetch_to_write(char *to, int64_t step, int64_t runs, int64_t bytes);

/* engines/depthwise_up_lanes.c: only if all weights are *finite. */
int corr_takes_up_lanes(const corr_problem *s);
corr_status corr_depthwise_up_lanes(const corr_problem *s, void *gx, const void *w, const void *gy,
                                    const corr_call *call, int *finite);

/* engines/depthwise_weight_lanes.c */
typedef struct corr_weight_bands {
    int64_t rows, bands; /* of outputs, of a band; bands of an image */
    int64_t chunks;      /* of a vector of groups */
    int64_t blocks;      /* vectors of groups that an item takes through its bands */
    int in_place;        /* is the image read where it lies? */
} corr_weight_bands;
int corr_takes_weight_lanes(const corr_problem *s);
void corr_split_weight_lanes(const corr_problem *s, corr_weight_bands *bands);
corr_status corr_depthwise_weight_lanes(const corr_problem *s, const void *x, void *gw,
                                        const void *gy, const corr_call *call);

/* choose_groups.c */
enum { CORR_GROUP_CHANNELS = 16 }; /* a group has no more input channels */
int corr_choose_groups(const corr_problem *s, corr_choice *choice); /* 0 if it does not pay */
int corr_fits_groups(const corr_problem *s, const corr_choice *choice); /* with these strides? */
void corr_split_groups(const corr_problem *s, int threads, corr_choice *choice);
int64_t corr_group_rows(const corr_kernels *k, int64_t channels); /* of a tile */
int64_t corr_group_bundle(const corr_problem *s, const corr_kernels *k); /* groups in a vector */

/* engines/weights.c: panels of output channels, [k][width] each, packed once. */
int64_t corr_packed_bytes(const corr_problem *s, const corr_choice *c);
int64_t corr_packed_group_bytes(const corr_problem *s, const corr_choice *c);
int64_t corr_packed_width(const corr_choice *c, int64_t channels);
/* Panel o of group g at the block of input channels from c0 on; returns whether it is finite. */
int corr_pack_panel(const corr_problem *s, const corr_choice *c, const void *w, int64_t g,
                    int64_t o, int64_t c0, void *to);
corr_status corr_pack(const corr_problem *s, const corr_choice *c, const void *w, void *packed,
                      int *finite, const corr_call *call);

/* Products whose items are shared out together: the phases of an input gradient. */
enum { CORR_MAX_PARTS = 16 };
typedef struct corr_part {
    const corr_problem *s;
    const corr_choice *choice; /* of gemm */
    const void *x, *w, *bias;
    void *packed, *y;
    int finite; /* are its packed weights? */
} corr_part;
/* Are they taps of the same weights, that are best packed all at once and before? */
int corr_weights_together(corr_part *parts, int count);
corr_status corr_pack_parts(corr_part *parts, int count, const corr_call *call);
/* engines/gemm.c. Redoes the edges where a weight is not finite. */
int64_t corr_parts_workspace(const corr_part *parts, int count, int threads);
corr_status corr_run_parts(const corr_part *parts, int count, void *workspace,
                           const corr_call *call);

/* engines/connected.c: kernels as large as their images; all three passes, gradients of either. */
int corr_is_connected(const corr_problem *s);
corr_status corr_connected_input(const corr_problem *s, void *gx, const void *w, const void *gy, const corr_call *call);
corr_status corr_connected_weight(const corr_problem *s, const void *x, void *gw, const void *gy,
                                  const corr_call *call);

/* engines/phases.c: the input gradient s from its phases, of the same gy and vectors, which are packed. */
int64_t corr_phases_workspace(const corr_problem *s, const corr_part *parts, int count, int threads);
corr_status corr_run_phases(const corr_problem *s, const corr_part *parts, int count, char *gx, void *workspace,
                            const corr_call *call);

/* engines/ */
/* engines/slab.c: the input as runs of pixels that all taps share. */
typedef struct corr_slab {
    int by_rows, channels_last;
    int64_t copies, phases;              /* of an input row; of the rows */
    int64_t halo, shift;                 /* rows and columns beyond the outputs', of a phase */
    int64_t pitch, phase, copy, channel; /* elements from one to the next */
    int64_t row, column;                 /* and from one output's pixel to the next's */
    int64_t elements;
} corr_slab;
corr_slab corr_make_slab(const corr_problem *s, const corr_choice *c, int64_t rows,
                         int64_t columns);
void corr_slab_offsets(const corr_problem *s, const corr_slab *slab, int64_t channels,
                       int32_t *offsets);
/* Of terms (p, q, c) in an image, or a slab of a channels-last one. */
void corr_pixel_offsets(const corr_problem *s, int64_t row, int64_t column, int64_t channel,
                        int64_t channels, int32_t *offsets);
void corr_fill_slab(const corr_problem *s, const corr_kernels *k, const corr_slab *slab,
                    const char *x, int64_t channels, int64_t first_row, int64_t rows,
                    int64_t first_column, int64_t columns, char *dst);
/* Does it hold planes as they are, and their padding? */
int corr_keeps_planes(const corr_problem *s, const corr_choice *c);
/* By rows, of one vector of channels which are next to each other in x: each element is one. */
corr_slab corr_make_lanes_slab(const corr_problem *s, int64_t rows, int64_t columns);
void corr_fill_lanes_slab(const corr_problem *s, const corr_kernels *k, const corr_slab *slab,
                          const char *x, int64_t channels, int64_t first_row, int64_t rows,
                          int64_t first_column, int64_t columns, char *dst);
/* Of outputs that share one, for as many planes as s has channels. */
corr_slab corr_make_block_slab(const corr_problem *s, const corr_kernels *k,
                               const corr_stencil_blocks *b, int64_t rows, int64_t columns);
corr_stencil_blocks corr_choose_blocks(const corr_problem *s, const corr_choice *choice);
/* engines/blocks.c: a panel of pixels; items of an image; scratch. */
typedef struct corr_panel {
    int64_t pixel, pixels;
    int64_t at;     /* of its first pixel in a plane of y, if its pixels follow one another */
    int64_t x;      /* where its taps' offsets start */
    int64_t before; /* pixels of the item before its own */
    int64_t p0, p1; /* rows of taps that some of its pixels have in the image */
    int inside;     /* is it in the middle? */
} corr_panel;
/* Of a row of outputs, the whole panels that see no padding beside it and read a channels-last
 * image as it lies; those on the left and on the right of them have a slab each. Empty, at the
 * row's end, if all is copied. */
typedef struct corr_middle {
    int64_t first, end;
} corr_middle;
corr_middle corr_find_middle(const corr_problem *s, const corr_choice *c);
/* Do tiles that broadcast pixels read them from planes, in place? */
int corr_reads_planes(const corr_problem *s, const corr_kernels *k);
typedef struct corr_blocks {
    int64_t rows, columns, bands;
} corr_blocks;
typedef struct corr_scratch {
    int64_t offsets;                  /* bytes for all threads */
    int64_t bytes, slab, sums, panel; /* of one thread, the slabs', the sums', the weights', */
    int64_t pixels, pixel_panel;      /* the packed panels', and each one's */
    corr_slab layout;
} corr_scratch;
int corr_reads_image(const corr_problem *s, const corr_choice *c); /* or a slab of it? */
/* Is a panel of pixels a run of what its item reads? */
int corr_reads_runs(const corr_problem *s, const corr_choice *c);
/* Do panels of pixels leave by way of a buffer, as pixels of channels? */
int corr_turns_sums(const corr_problem *s, const corr_choice *c);
/* Elements from a channel of it to the next: not a multiple of a page. */
CORR_INLINE int64_t corr_sums_row(const corr_choice *c, int64_t pixels) {
    const int64_t row = corr_round_up(pixels, c->kernels->lanes);
    return row * c->kernels->bytes % 4096 ? row : row + c->kernels->lanes;
}
corr_blocks corr_make_blocks(const corr_problem *s, const corr_choice *c);
corr_scratch corr_make_scratch(const corr_problem *s, const corr_choice *c);

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
void corr_multiply_tile(const corr_kernels *k, const corr_pixel_tile *t, void *y, int64_t ldc,
                        const corr_store *store);
void corr_multiply_pixels(const corr_problem *s, const corr_kernels *k, const corr_pixel_tile *t,
                          char *y, int contiguous, const corr_store *store);
/* How a chain of a sum is stored; bias is the panel's first, or NULL. */
corr_store corr_make_store(const corr_problem *s, int accumulate, int last, const char *bias);

corr_status corr_redo_edges(const corr_problem *s, const corr_choice *choice, const void *x,
                            const void *w, const void *bias, void *y, const corr_call *call);

#endif
