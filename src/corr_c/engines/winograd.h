/* What the two halves of the Winograd engine share. */
#ifndef CORR_WINOGRAD_H
#define CORR_WINOGRAD_H

#include "../plan/plan.h"

/* All in floats, but for the counts. */
typedef struct corr_winograd_sizes {
    int64_t tiles;           /* of an item, */
    int64_t row_tiles;       /* and of them in one run at most */
    int64_t points_a_line;   /* of V, */
    int64_t line;            /* from one line's points to the next's */
    int64_t blocks_of_terms;
    int64_t m_tile, m_point; /* from one to the next in M */
    int64_t patch_row;
    int64_t v, m, patch, pixels, panel, taps; /* what each takes */
} corr_winograd_sizes;

/* A kernel of another size is cut into blocks of 3x3, the last ones filled up with zeros: as many
 * input channels, each block's of pixels 3 further on, and whole vectors of them. */
CORR_INLINE int64_t corr_winograd_blocks(const corr_axis *a) { return corr_ceil_div(a->kernel, 3); }
CORR_INLINE int64_t corr_winograd_channels(const corr_problem *s, const corr_kernels *k) {
    return corr_winograd_blocks(&s->h) * corr_winograd_blocks(&s->w) > 1 ? corr_round_up(s->ic, k->lanes) : s->ic;
}
CORR_INLINE int64_t corr_winograd_terms(const corr_problem *s, const corr_kernels *k) {
    return corr_winograd_blocks(&s->h) * corr_winograd_blocks(&s->w) * corr_winograd_channels(s, k);
}

/* engines/winograd_parts.c: phases of a dilation, which are images of s, in rows and columns of them;
 * where in x and y the first one begins. Without dilation there is one part, of one phase. */
enum { CORR_WINOGRAD_PARTS = 9 };
typedef struct corr_winograd_part {
    corr_problem s;
    int64_t rows, columns, x, y;
} corr_winograd_part;
int corr_winograd_parts(const corr_problem *s, corr_winograd_part parts[CORR_WINOGRAD_PARTS]);
int corr_winograd_fits_phases(const corr_problem *s);
/* Where image n begins, one of the phases of one; phase: from a row or column of them to the next. */
int64_t corr_winograd_image(int64_t rows, int64_t columns, int64_t n, const int64_t *stride,
                            const int64_t phase[2]);

/* engines/winograd.c: `rows` x `width` pixels from (h, w) on, with x there, of up to `lanes` channels as rows
 * of whole vectors, `pitch` floats apart. What lies outside is left alone, or zero if `clear`. Of planes, what
 * is `ahead` is fetched. */
typedef struct corr_winograd_patch {
    int64_t h, w, rows, width, h_in, w_in, pitch, ahead;
} corr_winograd_patch;
void corr_winograd_stage(const corr_kernels *k, const corr_winograd_patch *p, const char *x, const int64_t *stride,
                         int64_t channels, int clear, char *patch);

/* engines/winograd_ahead.c: lines of an image that the products fetch into L2 meanwhile, one
 * with each step of k. */
typedef struct corr_line_steps {
    int64_t lines; /* of each channel in one product; 0 if none are fetched */
    int32_t offsets[CORR_LINE];
} corr_line_steps;
corr_line_steps corr_make_line_steps(int64_t k, int64_t channels, int64_t channel, int64_t pixel);

/* Where the steps of one product after another begin. What finds no room is not fetched. */
enum { CORR_LISTED_LINES = 192 };
typedef struct corr_line_list {
    const corr_line_steps *steps;
    int64_t count, next;
    const void *at[CORR_LISTED_LINES];
} corr_line_list;
/* Rows of `bytes` each, from `first` on. */
void corr_list_lines(corr_line_list *list, const char *first, int64_t rows, int64_t row_bytes,
                     int64_t bytes);

/* engines/winograd_weights.c: panels of output channels, [point][k][width] each. */
int64_t corr_winograd_panel_width(const corr_problem *s, const corr_choice *c, int64_t panel);
int64_t corr_winograd_panel_offset(const corr_problem *s, const corr_choice *c, int64_t panel,
                                   int64_t point);
int64_t corr_winograd_group_floats(const corr_problem *s, const corr_choice *c);
/* Some terms of one panel of a group, whose weights are w, to u, its points so far apart; by way of so many
 * floats. */
int64_t corr_winograd_point_floats(int64_t terms, int64_t width);
int64_t corr_winograd_taps_floats(const corr_choice *c);
void corr_winograd_pack_panel(const corr_problem *s, const corr_choice *c, const char *w, int64_t panel,
                              int64_t first, int64_t terms, char *taps, char *u);
int64_t corr_winograd_packed_bytes(const corr_problem *s, const corr_choice *c);
corr_status corr_winograd_pack(const corr_problem *s, const corr_choice *c, const void *w,
                               void *packed, int *finite, const corr_call *call);

#endif
