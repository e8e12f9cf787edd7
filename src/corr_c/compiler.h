/* All that gcc, clang and MSVC, and their targets, spell differently. */
#ifndef CORR_COMPILER_H
#define CORR_COMPILER_H

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) || defined(_M_X64)
#define CORR_X86 1
#else
#define CORR_X86 0
#endif

#if defined(__aarch64__) || defined(_M_ARM64)
#define CORR_ARM64 1
#else
#define CORR_ARM64 0
#endif

#define CORR_PRAGMA(x) _Pragma(#x)

#if defined(__clang__)
/* Accumulators stay in registers only if every loop over them is unrolled. */
#define CORR_UNROLL CORR_PRAGMA(clang loop unroll(full))
#define CORR_TARGET_PUSH(isa) \
    CORR_PRAGMA(clang attribute push(__attribute__((target(isa))), apply_to = function))
#define CORR_TARGET_POP CORR_PRAGMA(clang attribute pop)
#elif defined(__GNUC__)
#define CORR_UNROLL CORR_PRAGMA(GCC unroll 32)
#define CORR_TARGET_PUSH(isa) CORR_PRAGMA(GCC push_options) CORR_PRAGMA(GCC target(isa))
#define CORR_TARGET_POP CORR_PRAGMA(GCC pop_options)
#else
#define CORR_UNROLL
#define CORR_TARGET_PUSH(isa)
#define CORR_TARGET_POP
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#define CORR_INLINE static __forceinline
#define CORR_NOINLINE __declspec(noinline)
#define CORR_RESTRICT __restrict
#define CORR_LIKELY(x) (x)
#define CORR_THREAD_LOCAL __declspec(thread)
#else
#define CORR_INLINE static inline __attribute__((always_inline, unused))
#define CORR_NOINLINE __attribute__((noinline))
#define CORR_RESTRICT restrict
#define CORR_LIKELY(x) __builtin_expect(!!(x), 1)
#define CORR_THREAD_LOCAL _Thread_local
#endif

enum { CORR_CACHE_LINE = 64 };

/* In a function that only fetches: compilers leave out calls that have none. */
#if defined(__GNUC__)
#define CORR_HAS_EFFECT() __asm__ volatile("")
#else
#define CORR_HAS_EFFECT() ((void)0)
#endif

/* A vector that several instructions use, which gcc would load anew for each of a few; and a pointer
 * behind which compilers are to keep nothing in registers. */
#if defined(__GNUC__) && CORR_X86
#define CORR_IN_REGISTER(v) __asm__("" : "+v"(v))
#define CORR_FORGET(p) __asm__("" : "+r"(p))
#elif defined(__GNUC__) && CORR_ARM64
#define CORR_IN_REGISTER(v) __asm__("" : "+w"(v))
#define CORR_FORGET(p) __asm__("" : "+r"(p))
#else
#define CORR_IN_REGISTER(v) ((void)(v))
#define CORR_FORGET(p) ((void)(p))
#endif

/* A line that will soon be read (in L1, or some time later from L2) or written; the address may
 * be anything. */
#if defined(__GNUC__)
#define CORR_PREFETCH(p) __builtin_prefetch(p)
#define CORR_PREFETCH_L2(p) __builtin_prefetch(p, 0, 2)
#define CORR_PREFETCH_WRITE(p) __builtin_prefetch(p, 1)
#else
#define CORR_PREFETCH(p) ((void)(p))
#define CORR_PREFETCH_L2(p) ((void)(p))
#define CORR_PREFETCH_WRITE(p) ((void)(p))
#endif

/* A symbol that the module shows: all others are hidden. */
#if defined(_WIN32)
#define CORR_EXPORT __declspec(dllexport)
#else
#define CORR_EXPORT __attribute__((visibility("default")))
#endif

/* Token pasting after expansion. */
#define CORR_PASTE2_(a, b) a##_##b
#define CORR_PASTE2(a, b) CORR_PASTE2_(a, b)
#define CORR_PASTE3_(a, b, c) a##_##b##_##c
#define CORR_PASTE3(a, b, c) CORR_PASTE3_(a, b, c)

#endif
