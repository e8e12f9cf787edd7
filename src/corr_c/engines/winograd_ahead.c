/* What lies beyond L2 takes longer to come than a transform that waits for it; so the products,
 * which leave the memory alone, fetch the outputs to be written after them and the pixels of the
 * next item. A product has k steps and fetches a line with each: one of every channel, or some
 * that follow one another, where there are fewer channels or they lie together. */
#include "winograd.h"

#include <stdint.h>

corr_line_steps corr_make_line_steps(int64_t k, int64_t channels, int64_t channel,
                                     int64_t pixel) {
    corr_line_steps s = {.lines = 0};
    if (channel == 1)
        channels = 1;
    channels = corr_min(channels, k);
    if ((channel != 1 && pixel != 1) || channel > INT32_MAX / (k + 1) || channel < 0)
        return s;
    s.lines = k / channels;
    for (int64_t i = 0; i < k; i++)
        s.offsets[i] = (int32_t)(i % channels * channel +
                                 i / channels * (CORR_CACHE_LINE / (int64_t)sizeof(float)));
    return s;
}

void corr_list_lines(corr_line_list *list, const char *first, int64_t rows, int64_t row_bytes,
                     int64_t bytes) {
    const uintptr_t step = (uintptr_t)(list->steps->lines * CORR_CACHE_LINE);
    uintptr_t listed = 0; /* up to here */
    for (int64_t i = 0; step && i < rows; i++, first += row_bytes) {
        const uintptr_t from = (uintptr_t)first / CORR_CACHE_LINE * CORR_CACHE_LINE;
        listed = from > listed ? from : listed;
        for (; listed < (uintptr_t)first + (uintptr_t)bytes; listed += step)
            if (list->count < CORR_LISTED_LINES)
                list->at[list->count++] = (const void *)listed;
    }
}
