/* The thin vector layer, as templates see it: each name below stands for the
 * function of the current type and ISA, e.g. v_fma -> v_fma_f32_avx512.
 *
 *   vec, real, V_LANES      the vector, its element, how many
 *   v_load_n, v_store_n     the first n lanes; the others are zero, or stay
 *   v_load_range            lanes lo <= i < hi of p[i]; nothing else is touched
 *   v_load2_range           likewise of p[2 * i]
 *   v_fma(a, b, c)          a * b + c (rounded once, but in `generic`)
 *   v_fnma(a, b, c)         c - a * b
 *   v_max, v_min            where one is NaN, the second operand
 *   v_transpose             of V_LANES vectors, in place
 *   vmask, v_mask           lanes lo <= i < hi, made once for many loads and stores:
 *                           v_load_mask, v_store_mask; v_load_merge keeps a's other lanes;
 *                           v_select(m, a, b) is a in those lanes and b in the others
 *   v_split(a, b, ...)      the even and the odd ones of a's and b's lanes; v_lace undoes it
 *   v_align(a, b, n)        lane i is lane i + n of a, followed by b; n is constant, within 3
 *                           of 0 or of V_LANES
 *   vindex, v_index         of V_LANES int32_t; lane l of v_permute(a, i) is lane i[l] of a
 *   V_MASKED                does a masked store cost what a whole one does?
 *   V_RELOADS               does v_align cost more than a load across cache lines?
 */
#ifndef CORR_SIMD_H
#define CORR_SIMD_H

#define CORR_NAME(name) CORR_PASTE3(name, CORR_TYPE, CORR_ISA)

#define vec CORR_NAME(vec)
#define real CORR_PASTE2(real, CORR_TYPE)
#define V_LANES CORR_NAME(V_LANES)
#define v_zero CORR_NAME(v_zero)
#define v_set1 CORR_NAME(v_set1)
#define v_load CORR_NAME(v_load)
#define v_store CORR_NAME(v_store)
#define v_load_n CORR_NAME(v_load_n)
#define v_store_n CORR_NAME(v_store_n)
#define v_load_range CORR_NAME(v_load_range)
#define v_load2_range CORR_NAME(v_load2_range)
#define v_add CORR_NAME(v_add)
#define v_sub CORR_NAME(v_sub)
#define v_mul CORR_NAME(v_mul)
#define v_fma CORR_NAME(v_fma)
#define v_fnma CORR_NAME(v_fnma)
#define v_max CORR_NAME(v_max)
#define v_min CORR_NAME(v_min)
#define v_sum CORR_NAME(v_sum)
#define v_transpose CORR_NAME(v_transpose)
#define vmask CORR_NAME(vmask)
#define v_mask CORR_NAME(v_mask)
#define v_load_mask CORR_NAME(v_load_mask)
#define v_load_merge CORR_NAME(v_load_merge)
#define v_store_mask CORR_NAME(v_store_mask)
#define v_split CORR_NAME(v_split)
#define v_select CORR_NAME(v_select)
#define v_reverse CORR_NAME(v_reverse)
#define v_lace CORR_NAME(v_lace)
#define v_align CORR_NAME(v_align)
#define vindex CORR_NAME(vindex)
#define v_index CORR_NAME(v_index)
#define v_permute CORR_NAME(v_permute)
#define V_MASKED CORR_PASTE2(V_MASKED, CORR_ISA)
#define V_RELOADS CORR_PASTE2(V_RELOADS, CORR_ISA)
#define s_fma CORR_NAME(s_fma)

typedef float real_f32;
typedef double real_f64;

/* The tiles an ISA has: X(rows, vectors). */
#define CORR_ROWS_4(X, nv) X(1, nv) X(2, nv) X(3, nv) X(4, nv)
#define CORR_ROWS_6(X, nv) CORR_ROWS_4(X, nv) X(5, nv) X(6, nv)
#define CORR_ROWS_8(X, nv) CORR_ROWS_6(X, nv) X(7, nv) X(8, nv)
#define CORR_ROWS_12(X, nv) CORR_ROWS_8(X, nv) X(9, nv) X(10, nv) X(11, nv) X(12, nv)
#define CORR_ROWS_14(X, nv) CORR_ROWS_12(X, nv) X(13, nv) X(14, nv)

#endif
