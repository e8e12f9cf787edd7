/* corr: 2-D cross-correlation and its gradients. The whole C API.
 *
 * Every pass is said as one operator on strided views:
 *
 *   y[n,g,o,i,j] = act(b[g,o] + sum over c,p,q of
 *                      w[g,o,c,p,q] * x[n,g,c, i*sh + p*dh - ph, j*sw + q*dw - pw])
 *
 * where a tap that falls outside x is absent. Strides are counted in elements.
 */
#ifndef CORR_H
#define CORR_H

#include <stddef.h>
#include <stdint.h>

#define CORR_API_VERSION 1

typedef enum corr_status {
    CORR_OK = 0,
    CORR_NO_MEMORY,
    CORR_INTERRUPTED,
    CORR_OVERFLOW,    /* a size beyond 2^48, an offset beyond 63 bits */
    CORR_BAD_PROBLEM, /* sizes that contradict one another */
    CORR_UNSUPPORTED  /* the algorithm asked for cannot do this problem */
} corr_status;

typedef enum corr_dtype { CORR_F32 = 0, CORR_F64 = 1, CORR_DTYPES = 2 } corr_dtype;
typedef enum corr_activation { CORR_LINEAR = 0, CORR_RELU, CORR_RELU6 } corr_activation;
typedef enum corr_algorithm {
    CORR_AUTO = 0,
    CORR_DIRECT,
    CORR_WINOGRAD,
    CORR_FFT
} corr_algorithm;
typedef enum corr_pad_mode {
    CORR_PAD_ZEROS = 0,
    CORR_PAD_REFLECT,
    CORR_PAD_REPLICATE,
    CORR_PAD_CIRCULAR
} corr_pad_mode;

/* One spatial axis. The padding after the image is implied by `out`;
 * `pad` may be negative: the first window then starts inside the image. */
typedef struct corr_axis {
    int64_t in, out, kernel, stride, dilation, pad;
} corr_axis;

/* Order of the strides of x: n, g, c, h, w; of w: g, o, c, p, q; of y: n, g, o, h, w. */
typedef struct corr_problem {
    corr_dtype dtype;
    corr_activation activation;
    corr_algorithm algorithm;
    int64_t n, groups, ic, oc; /* channels of one group */
    corr_axis h, w;
    int64_t x_stride[5], w_stride[5], y_stride[5];
} corr_problem;

/* Called on the calling thread about every 50 ms; non-zero stops the work. */
typedef int (*corr_poll)(void *context);

typedef struct corr_call {
    int threads; /* at most this many, the caller included */
    corr_poll poll;
    void *poll_context;
    int accumulate; /* gradients are added to what is there */
} corr_call;

typedef struct corr_plan corr_plan;

typedef struct corr_plan_info {
    const char *algorithm;
    char kernel[48];
    int64_t workspace_bytes;
    double flops;
} corr_plan_info;

/* Sizes and strides without overflow, and consistent. */
corr_status corr_problem_check(const corr_problem *problem);

/* The three passes. `problem` is always the forward's: x_stride then tells of the
 * input or its gradient, w_stride of the weight or its, y_stride of the output or its. */
corr_status corr_forward(const corr_problem *problem, const void *x, const void *w,
                         const void *bias, void *y, const corr_call *call);
corr_status corr_input_gradient(const corr_problem *problem, void *gx, const void *w,
                                const void *gy, const corr_call *call);
corr_status corr_weight_gradient(const corr_problem *problem, const void *x, void *gw,
                                 const void *gy, const corr_call *call);
/* gb[groups * oc], contiguous: the sums of gy over images and pixels. */
corr_status corr_bias_gradient(const corr_problem *problem, const void *gy, void *gb,
                               const corr_call *call);

/* A forward with its weights copied, packed and its engine chosen. A call may have
 * another batch size and other strides of x and y than the problem it was made for. */
corr_status corr_plan_create(const corr_problem *problem, const void *w, const void *bias,
                             const corr_call *call, corr_plan **plan);
corr_status corr_plan_run(const corr_plan *plan, int64_t n, const void *x,
                          const int64_t x_stride[5], void *y, const int64_t y_stride[5],
                          const corr_call *call);
void corr_plan_describe(const corr_plan *plan, corr_plan_info *info);
void corr_plan_destroy(corr_plan *plan);

/* cols[n, (c,p,q), (i,j)] of a forward problem's x, and its transpose: sums back into x.
 * cols is contiguous; groups must be 1, w_stride and y_stride are not read. */
corr_status corr_im2col(const corr_problem *problem, const void *x, void *cols,
                        const corr_call *call);
corr_status corr_col2im(const corr_problem *problem, const void *cols, void *x,
                        const corr_call *call);

/* Padding modes other than zeros: dst[planes, h.out, w.out] filled from
 * src[planes, h.in, w.in] (pad = rows before), and its transpose, which sums into src. */
typedef struct corr_padding {
    corr_dtype dtype;
    corr_pad_mode mode;
    int64_t n, c;
    struct {
        int64_t in, out, pad;
    } h, w;
    int64_t src_stride[4], dst_stride[4]; /* n, c, h, w */
} corr_padding;
corr_status corr_pad(const corr_padding *padding, const void *src, void *dst);
corr_status corr_unpad(const corr_padding *padding, void *src, const void *dst);

/* Memory. Blocks are 64-byte aligned; freed ones are kept up to a bound. */
typedef struct corr_allocator {
    void *(*allocate)(size_t bytes, void *context); /* 64-byte aligned or NULL */
    void (*release)(void *block, size_t bytes, void *context);
    void *context;
} corr_allocator;
void *corr_allocate(size_t bytes);
void corr_release(void *block, size_t bytes);
void corr_trim(void);
void corr_set_allocator(const corr_allocator *allocator); /* NULL: the own one. For tests. */

/* Threads. */
int corr_default_threads(void); /* honours affinity and the cgroup's quota */
void corr_set_num_threads(int n);
int corr_get_num_threads(void);
int corr_swap_thread_override(int n); /* of the calling thread, 0: none; gives the old one */
void corr_set_thread_limit_for_tests(int started_at_most);

/* The CPU. */
void corr_initialize(const char *isa_at_most);
const char *corr_isa(void);
int corr_isa_names(const char *names[], int room); /* built and runnable, best last */
const char *corr_isas_built(void);                 /* runnable or not; spaces between */
int corr_set_flush_denormal(int flag);             /* of the calling thread; 0 if it cannot */
double corr_fma_peak(corr_dtype dtype, double seconds); /* GFLOP/s, one core */

struct corr_kernels;
const struct corr_kernels *corr_kernel_table(corr_dtype dtype); /* the one in use */
const struct corr_kernels *corr_kernel_table_at(int isa, corr_dtype dtype); /* or NULL */

/* What `corr._core` hands to other extensions by the capsule "corr._core._C_API". */
typedef struct corr_api {
    int version;
    size_t bytes;
    corr_status (*forward)(const corr_problem *, const void *, const void *, const void *,
                           void *, const corr_call *);
    corr_status (*input_gradient)(const corr_problem *, void *, const void *, const void *,
                                  const corr_call *);
    corr_status (*weight_gradient)(const corr_problem *, const void *, void *, const void *,
                                   const corr_call *);
    corr_status (*plan_create)(const corr_problem *, const void *, const void *,
                               const corr_call *, corr_plan **);
    corr_status (*plan_run)(const corr_plan *, int64_t, const void *, const int64_t[5],
                            void *, const int64_t[5], const corr_call *);
    void (*plan_destroy)(corr_plan *);
    void *(*allocate)(size_t);
    void (*release)(void *, size_t);
    void (*set_allocator)(const corr_allocator *);
    const struct corr_kernels *(*kernel_table_at)(int, corr_dtype);
    double (*fma_peak)(corr_dtype, double);
    void (*set_thread_limit_for_tests)(int);
    corr_status (*problem_check)(const corr_problem *);
    void (*plan_describe)(const corr_plan *, corr_plan_info *);
    corr_status (*im2col)(const corr_problem *, const void *, void *, const corr_call *);
    corr_status (*col2im)(const corr_problem *, const void *, void *, const corr_call *);
    corr_status (*pad)(const corr_padding *, const void *, void *);
    corr_status (*unpad)(const corr_padding *, void *, const void *);
    int (*get_num_threads)(void);
    void (*set_num_threads)(int);
} corr_api;
const corr_api *corr_get_api(void);

#endif
