#if !defined(_WIN32) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* sched_getaffinity */
#endif
#include "threads.h"
#include "base.h"

#if CORR_X86
#include <immintrin.h>
#endif
#if defined(_MSC_VER) && !defined(__clang__) && CORR_ARM64
#include <intrin.h>
#endif

#if defined(_WIN32)
double corr_now(void) {
    LARGE_INTEGER ticks, rate;
    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&rate);
    return (double)ticks.QuadPart / (double)rate.QuadPart;
}

static DWORD WINAPI thread_main(LPVOID body) {
    ((void (*)(void))(uintptr_t)body)();
    return 0;
}

int corr_start_thread(void (*body)(void)) {
    HANDLE thread = CreateThread(NULL, 0, thread_main, (LPVOID)(uintptr_t)body, 0, NULL);
    if (!thread)
        return 0;
    CloseHandle(thread);
    return 1;
}

int corr_default_threads(void) {
    DWORD_PTR process, system;
    int n = 0;
    if (!GetProcessAffinityMask(GetCurrentProcess(), &process, &system) || !process)
        return 1;
    for (; process; process &= process - 1)
        n++;
    return n;
}

int corr_current_cpu(void) { return (int)GetCurrentProcessorNumber(); }
void corr_leave_cpu(int cpu) { (void)cpu; }
void corr_yield(void) { SwitchToThread(); }
#else
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

double corr_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#if defined(__linux__)
int corr_current_cpu(void) { return sched_getcpu(); }

void corr_leave_cpu(int cpu) {
    cpu_set_t all, others;
    if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof all, &all))
        return;
    others = all;
    CPU_CLR(cpu, &others);
    if (CPU_COUNT(&others) == 0 || sched_setaffinity(0, sizeof others, &others))
        return;
    sched_setaffinity(0, sizeof all, &all);
}
#else
int corr_current_cpu(void) { return -1; }
void corr_leave_cpu(int cpu) { (void)cpu; }
#endif

void corr_yield(void) { sched_yield(); }

static void *thread_main(void *body) {
    ((void (*)(void))(uintptr_t)body)();
    return NULL;
}

int corr_start_thread(void (*body)(void)) {
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    if (pthread_attr_init(&attributes))
        return 0;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all); /* signals are for the program's own threads */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, &attributes, thread_main, (void *)(uintptr_t)body);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return !failed;
}

#if defined(__linux__)
/* The cgroup's CPU quota, rounded up; a container of two CPUs on a host of 64 has 2. */
static int cgroup_quota(int most) {
    double quota = 0, period = 0;
    FILE *f = fopen("/sys/fs/cgroup/cpu.max", "r");
    if (f) {
        if (fscanf(f, "%lf %lf", &quota, &period) != 2)
            quota = 0; /* "max" */
        fclose(f);
    } else {
        f = fopen("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "r");
        if (f && fscanf(f, "%lf", &quota) != 1)
            quota = 0;
        if (f)
            fclose(f);
        f = fopen("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "r");
        if (f && fscanf(f, "%lf", &period) != 1)
            period = 0;
        if (f)
            fclose(f);
    }
    if (quota <= 0 || period <= 0 || quota / period >= most)
        return most;
    return (int)(quota / period + 0.999);
}
#endif

int corr_default_threads(void) {
    long n = sysconf(_SC_NPROCESSORS_ONLN);
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        n = CPU_COUNT(&set);
    n = cgroup_quota((int)n);
#endif
    return n < 1 ? 1 : (int)n;
}
#endif

void corr_pause(void) {
#if CORR_X86
    _mm_pause();
#elif defined(_MSC_VER) && !defined(__clang__)
    __yield();
#elif CORR_ARM64
    __asm__ volatile("yield");
#endif
}

/* The control bits alone (rounding, flush to zero, masks); the sticky flags stay. */
uint64_t corr_get_fp_control(void) {
#if CORR_X86
    return _mm_getcsr() & ~UINT64_C(0x3f);
#elif CORR_ARM64 && (!defined(_MSC_VER) || defined(__clang__))
    uint64_t bits;
    __asm__ volatile("mrs %0, fpcr" : "=r"(bits));
    return bits;
#else
    return 0;
#endif
}

void corr_set_fp_control(uint64_t bits) {
#if CORR_X86
    _mm_setcsr((_mm_getcsr() & 0x3f) | (unsigned)bits);
#elif CORR_ARM64 && (!defined(_MSC_VER) || defined(__clang__))
    __asm__ volatile("msr fpcr, %0" : : "r"(bits));
#else
    (void)bits;
#endif
}

int corr_set_flush_denormal(int flag) {
#if CORR_X86
    const uint64_t both = 0x8040; /* flush to zero, denormals are zero */
#elif CORR_ARM64 && (!defined(_MSC_VER) || defined(__clang__))
    const uint64_t both = UINT64_C(1) << 24;
#else
    const uint64_t both = 0;
#endif
    uint64_t bits = corr_get_fp_control();
    corr_set_fp_control(flag ? bits | both : bits & ~both);
    return both != 0;
}
