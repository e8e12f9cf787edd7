/* Locks, conditions, atomics and clocks: POSIX or Windows, under one set of names. */
#ifndef CORR_THREADS_H
#define CORR_THREADS_H

#include "../compiler.h"

#if defined(_WIN32)
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>
typedef SRWLOCK corr_mutex;
typedef CONDITION_VARIABLE corr_condition;
#define CORR_MUTEX_INIT SRWLOCK_INIT
#define CORR_CONDITION_INIT CONDITION_VARIABLE_INIT
CORR_INLINE void corr_lock(corr_mutex *m) { AcquireSRWLockExclusive(m); }
CORR_INLINE int corr_try_lock(corr_mutex *m) { return TryAcquireSRWLockExclusive(m) != 0; }
CORR_INLINE void corr_unlock(corr_mutex *m) { ReleaseSRWLockExclusive(m); }
CORR_INLINE void corr_wait(corr_condition *c, corr_mutex *m) {
    SleepConditionVariableSRW(c, m, INFINITE, 0);
}
CORR_INLINE void corr_wake_all(corr_condition *c) { WakeAllConditionVariable(c); }
#else
#include <pthread.h>
typedef pthread_mutex_t corr_mutex;
typedef pthread_cond_t corr_condition;
#define CORR_MUTEX_INIT PTHREAD_MUTEX_INITIALIZER
#define CORR_CONDITION_INIT PTHREAD_COND_INITIALIZER
CORR_INLINE void corr_lock(corr_mutex *m) { pthread_mutex_lock(m); }
CORR_INLINE int corr_try_lock(corr_mutex *m) { return pthread_mutex_trylock(m) == 0; }
CORR_INLINE void corr_unlock(corr_mutex *m) { pthread_mutex_unlock(m); }
CORR_INLINE void corr_wait(corr_condition *c, corr_mutex *m) { pthread_cond_wait(c, m); }
CORR_INLINE void corr_wake_all(corr_condition *c) { pthread_cond_broadcast(c); }
#endif

/* MSVC has no C11 atomics by default; its volatile interlocked calls do as well. */
#if defined(_MSC_VER) && !defined(__clang__)
typedef struct {
    volatile __int64 value;
} corr_atomic;
#define CORR_ATOMIC_INIT {0}
CORR_INLINE int64_t corr_load(corr_atomic *a) { return InterlockedCompareExchange64(&a->value, 0, 0); }
CORR_INLINE void corr_set(corr_atomic *a, int64_t v) { InterlockedExchange64(&a->value, v); }
CORR_INLINE int64_t corr_fetch_add(corr_atomic *a, int64_t v) {
    return InterlockedExchangeAdd64(&a->value, v);
}
#else
#include <stdatomic.h>
typedef struct {
    _Atomic int64_t value;
} corr_atomic;
#define CORR_ATOMIC_INIT {0}
CORR_INLINE int64_t corr_load(corr_atomic *a) { return atomic_load_explicit(&a->value, memory_order_acquire); }
CORR_INLINE void corr_set(corr_atomic *a, int64_t v) { atomic_store_explicit(&a->value, v, memory_order_release); }
CORR_INLINE int64_t corr_fetch_add(corr_atomic *a, int64_t v) { return atomic_fetch_add(&a->value, v); }
#endif

double corr_now(void);                    /* seconds, monotonic */
int corr_start_thread(void (*body)(void)); /* detached, all signals blocked; 0 if refused */
void corr_pause(void);                    /* the spin hint */
int corr_current_cpu(void);               /* -1 where it is not told */
void corr_yield(void);                    /* to a thread that waits for this core */
void corr_leave_cpu(int cpu);             /* for another that the thread may run on, if there is one */
uint64_t corr_get_fp_control(void);
void corr_set_fp_control(uint64_t bits);

#endif
