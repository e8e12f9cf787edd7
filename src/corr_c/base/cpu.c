/* Which kernels this machine runs: asked once, by CPUID bits and what the system saves. */
#include "base.h"
#include "threads.h"

#include <string.h>

#if CORR_X86
#if defined(_MSC_VER) && !defined(__clang__) /* clang-cl wants a target for _xgetbv */
#include <intrin.h>
static void cpuid(unsigned leaf, unsigned r[4]) { __cpuidex((int *)r, (int)leaf, 0); }
static uint64_t saved_state(void) { return _xgetbv(0); }
#else
#include <cpuid.h>
static void cpuid(unsigned leaf, unsigned r[4]) {
    __cpuid_count(leaf, 0, r[0], r[1], r[2], r[3]);
}
static uint64_t saved_state(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return ((uint64_t)high << 32) | low;
}
#endif

static int has_bits(uint64_t word, uint64_t bits) { return (word & bits) == bits; }

static void detect(int *avx2, int *avx512) {
    unsigned r1[4] = {0}, r7[4] = {0}, r[4];
    *avx2 = *avx512 = 0;
    cpuid(0, r);
    if (r[0] < 7)
        return;
    cpuid(1, r1);
    cpuid(7, r7);
    const unsigned fma = 1u << 12, osxsave = 1u << 27, avx = 1u << 28;
    if (!has_bits(r1[2], fma | osxsave | avx) || !has_bits(saved_state(), 0x6))
        return;
    *avx2 = has_bits(r7[1], 1u << 5);
    const unsigned f = 1u << 16, dq = 1u << 17, bw = 1u << 30, vl = 1u << 31;
    *avx512 = *avx2 && has_bits(r7[1], f | dq | bw | vl) && has_bits(saved_state(), 0xe6);
}
#endif

/* A row an ISA, worst first. */
#define CORR_DECLARE(isa) \
    extern const corr_kernels corr_kernels_f32_##isa, corr_kernels_f64_##isa;
CORR_DECLARE(generic)
#if CORR_X86
CORR_DECLARE(avx2)
#if !defined(CORR_NO_AVX512)
CORR_DECLARE(avx512)
#endif
#elif CORR_ARM64
CORR_DECLARE(neon)
#endif

enum { MAX_TABLES = 4 };
static const corr_kernels *tables[MAX_TABLES][CORR_DTYPES];
static int table_count, chosen;

#define CORR_ADD(isa)                                       \
    do {                                                    \
        tables[table_count][CORR_F32] = &corr_kernels_f32_##isa; \
        tables[table_count++][CORR_F64] = &corr_kernels_f64_##isa; \
    } while (0)

void corr_pool_before_fork(void);
void corr_pool_after_fork(int child);
void corr_memory_before_fork(void);
void corr_memory_after_fork(void);

#if !defined(_WIN32)
static void before_fork(void) {
    corr_pool_before_fork();
    corr_memory_before_fork();
}
static void after_fork_parent(void) {
    corr_memory_after_fork();
    corr_pool_after_fork(0);
}
static void after_fork_child(void) {
    corr_memory_after_fork();
    corr_pool_after_fork(1);
}
#endif

void corr_initialize(const char *isa_at_most) {
    if (table_count == 0) {
        CORR_ADD(generic);
#if CORR_X86
        int avx2, avx512;
        detect(&avx2, &avx512);
        if (avx2)
            CORR_ADD(avx2);
#if !defined(CORR_NO_AVX512)
        if (avx512)
            CORR_ADD(avx512);
#endif
#elif CORR_ARM64
        CORR_ADD(neon);
#endif
#if !defined(_WIN32)
        pthread_atfork(before_fork, after_fork_parent, after_fork_child);
#endif
    }
    chosen = table_count - 1;
    for (int i = 0; isa_at_most && i < table_count; i++)
        if (strcmp(tables[i][CORR_F32]->isa, isa_at_most) == 0)
            chosen = i;
}

const corr_kernels *corr_kernel_table(corr_dtype dtype) { return tables[chosen][dtype]; }

const corr_kernels *corr_kernel_table_at(int isa, corr_dtype dtype) {
    return isa >= 0 && isa < table_count ? tables[isa][dtype] : NULL;
}

const char *corr_isa(void) { return tables[chosen][CORR_F32]->isa; }

int corr_isa_names(const char *names[], int room) {
    int n = table_count < room ? table_count : room;
    for (int i = 0; i < n; i++)
        names[i] = tables[i][CORR_F32]->isa;
    return n;
}

const char *corr_isas_built(void) {
    return "generic"
#if CORR_X86
           " avx2"
#if !defined(CORR_NO_AVX512)
           " avx512"
#endif
#elif CORR_ARM64
           " neon"
#endif
        ;
}

double corr_fma_peak(corr_dtype dtype, double seconds) {
    const corr_kernels *kernels = corr_kernel_table(dtype);
    const int64_t rounds = 20000;
    double best = 0, start = corr_now();
    do {
        double t0 = corr_now(), fmas = kernels->peak(rounds) * (double)rounds;
        double t1 = corr_now();
        if (t1 > t0 && 2e-9 * fmas / (t1 - t0) > best)
            best = 2e-9 * fmas / (t1 - t0);
    } while (corr_now() - start < seconds);
    return best;
}
