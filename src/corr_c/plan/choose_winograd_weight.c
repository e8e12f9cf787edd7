/* The weight gradient by Winograd: when, in which chunks of tiles, and which sums are one item. All but the cut
 * into items depends on the problem alone. */
#include "../engines/winograd.h"

/* Fewer channels fill no vector of one factor, or leave the other's transform to too few products. */
static const int64_t least_channels = 16;
/* Over few tiles the errors do not average out; nor where tiles are padding for the most part. */
static const int64_t least_tiles = 4, least_side = 3;

/* In cycles of one core: a vector of channels of one tile transformed, and stored beyond L2; what a run of
 * tiles costs besides, and a pixel of lanes turned, copied, or picked from planes whose pixels lie apart; a
 * vector of sums turned into taps, which are stored, all together or a block of the kernel's. */
static const double tile_cycles = 240, run_cycles = 170, turn_cycles = 3.5, copy_cycles = 2, pick_cycles = 25;
static const double taps_cycles = 190, block_cycles = 290;

/* Both factors of a chunk, in L3; but a chain is as long as hides what its sums cost, and no longer than the
 * direct ones. */
static const int64_t chunk_bytes = 4 << 20, least_chain = 64, longest_chain = 384;
static const int64_t run_tiles = 15; /* whose pixels are four vectors */

/* A factor of an item, so that base/memory.c keeps what a call took for the next one. */
static const int64_t factor_bytes = 15 << 20;

/* The sums of two panels in L2. */
static const int64_t sum_bytes = 320 << 10, most_channels = 64;

static const int64_t side = 4, points = 36;

static int64_t tiles_of(const corr_problem *s) {
    return s->n * corr_ceil_div(s->h.out, side) * corr_ceil_div(s->w.out, side);
}

/* Of a vector of channels of either factor, all of a part's tiles: `tile` pixels a side. */
static double transform_cycles(const corr_problem *part, const int64_t *stride, int64_t tile, int64_t lanes) {
    const int64_t across = corr_ceil_div(part->w.out, side), width = corr_min(across, run_tiles) * side + tile - side;
    const double runs = (double)tiles_of(part) / (double)corr_min(across, run_tiles);
    const double row = stride[2] == 1   ? copy_cycles * (double)width
                       : stride[4] == 1 ? turn_cycles * (double)corr_round_up(width, lanes)
                                        : pick_cycles * (double)width;
    return tile_cycles * (double)tiles_of(part) + runs * (run_cycles + (double)tile * row);
}

/* Of some panels of both. */
typedef struct costs {
    double c_transform, o_transform, product; /* of a panel, of two */
    int64_t c_panels, o_panels;
    int64_t c_bytes, o_bytes; /* of a panel */
} costs;

static double item_time(const costs *b, int64_t c, int64_t o) {
    return (double)c * b->c_transform + (double)o * b->o_transform + (double)(c * o) * b->product;
}

static void split(const costs *b, int64_t groups, int threads, corr_winograd_weight *choice) {
    const int64_t i0 = corr_min(b->c_panels, corr_ceil_div(b->c_panels * b->c_bytes, factor_bytes));
    const int64_t j0 = corr_min(b->o_panels, corr_ceil_div(b->o_panels * b->o_bytes, factor_bytes));
    const int64_t tried = threads > 1 ? corr_min(2 * threads, 16) : 0;
    double best = -1;
    for (int64_t i = i0; i <= corr_min(b->c_panels, i0 + tried); i++)
        for (int64_t j = j0; j <= corr_min(b->o_panels, j0 + tried); j++) {
            const int64_t c = corr_ceil_div(b->c_panels, i), o = corr_ceil_div(b->o_panels, j);
            const int64_t items = groups * corr_ceil_div(b->c_panels, c) * corr_ceil_div(b->o_panels, o);
            const double time = (double)corr_ceil_div(items, threads) * item_time(b, c, o);
            if (best < 0 || time < best) {
                best = time;
                choice->c_panels = c;
                choice->o_panels = o;
            }
        }
}

int corr_takes_winograd_weight(const corr_problem *s, int threads, corr_winograd_weight *choice) {
    const corr_kernels *k = corr_kernel_table(s->dtype);
    const int wanted = s->algorithm == CORR_WINOGRAD;
    corr_winograd_part parts[CORR_WINOGRAD_PARTS];
    if ((s->algorithm != CORR_AUTO && !wanted) || !corr_winograd_engine.accepts(s))
        return 0;
    const int count = corr_winograd_parts(s, parts);
    int64_t tiles = 0, chunks = 0, most = 0;
    double pixels = 0, gradients = 0; /* transformed */
    for (int i = 0; i < count; i++) {
        tiles += tiles_of(&parts[i].s);
        most = corr_max(most, tiles_of(&parts[i].s));
        pixels += transform_cycles(&parts[i].s, parts[i].s.x_stride, side + 2, k->lanes);
        gradients += transform_cycles(&parts[i].s, parts[i].s.y_stride, side, k->lanes);
    }
    if (count == 0)
        return 0;
    if (!wanted && (corr_min(s->ic, s->oc) < least_channels || tiles < least_tiles ||
                    corr_min(parts[0].s.h.out, parts[0].s.w.out) < least_side))
        return 0;
    const int64_t blocks = corr_winograd_blocks(&s->h) * corr_winograd_blocks(&s->w);
    const int64_t ic = corr_round_up(s->ic, k->lanes), oc = corr_round_up(s->oc, k->lanes);
    const int64_t tile_bytes = points * (blocks * ic + oc) * k->bytes;
    *choice = (corr_winograd_weight){.kernels = k};
    choice->tiles = corr_min(corr_max(corr_min(chunk_bytes / tile_bytes, longest_chain), least_chain), most);
    choice->run = corr_min(run_tiles, choice->tiles);
    for (int i = 0; i < count; i++)
        chunks += corr_ceil_div(tiles_of(&parts[i].s), choice->tiles);
    /* Panels of equal width. */
    choice->c_block = corr_round_up(corr_ceil_div(s->ic, corr_ceil_div(s->ic, most_channels)), k->lanes);
    const double tile = corr_best_tile(k, corr_ceil_div(tiles, chunks), CORR_MAX_ROWS,
                                       corr_min(s->ic, choice->c_block), oc / k->lanes, &choice->rows,
                                       &choice->vectors);
    const int64_t width = (int64_t)choice->vectors * k->lanes;
    const int64_t o_panels = corr_ceil_div(oc, width);
    const int64_t at_once = corr_max(1, sum_bytes / (points * choice->c_block * width * k->bytes));
    choice->o_block = corr_min(corr_ceil_div(o_panels, corr_ceil_div(o_panels, at_once)) * width, oc);
    costs b = {.c_panels = blocks * corr_ceil_div(s->ic, choice->c_block),
               .o_panels = corr_ceil_div(oc, choice->o_block),
               .c_bytes = points * choice->tiles * choice->c_block * k->bytes,
               .o_bytes = points * choice->tiles * choice->o_block * k->bytes};
    b.c_transform = pixels * (double)(choice->c_block / k->lanes);
    b.o_transform = gradients * (double)(choice->o_block / k->lanes);
    const double sums = (double)(chunks * choice->c_block * (choice->o_block / k->lanes));
    b.product = (double)(tiles * points) * tile * (double)choice->o_block / (double)oc +
                sums * (blocks > 1 ? block_cycles : taps_cycles);
    if (!wanted && item_time(&b, b.c_panels, b.o_panels) > corr_weight_cycles(s))
        return 0;
    split(&b, s->groups, threads, choice);
    return 1;
}
