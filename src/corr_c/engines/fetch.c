/* What the prefetchers of a CPU do not foresee: short runs far apart. */
#include "../plan/plan.h"

void corr_fetch_runs(const char *from, int64_t step, int64_t runs, int64_t bytes) {
    for (int64_t i = 0; i < runs; i++)
        for (int64_t at = 0; at < bytes; at += CORR_CACHE_LINE)
            CORR_PREFETCH_L2(from + i * step + at);
}

void corr_fetch_to_write(char *to, int64_t step, int64_t runs, int64_t bytes) {
    for (int64_t i = 0; i < runs; i++)
        for (int64_t at = 0; at < bytes; at += CORR_CACHE_LINE)
            CORR_PREFETCH_WRITE(to + i * step + at);
}
