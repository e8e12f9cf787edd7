/* Blocks of 64-byte aligned memory. Freed ones of 64 KiB and more are kept, at most
 * 64 MiB of them: a fresh page costs more than many layers compute on it. */
#if !defined(_WIN32) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "base.h"
#include "threads.h"

#include <stdlib.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

enum { ALIGNMENT = 64, SLOTS = 32 };
static const size_t keep_from = (size_t)64 << 10, keep_at_most = (size_t)64 << 20;
#if defined(__linux__) && defined(MADV_HUGEPAGE)
#define CORR_MAPS 1
static const size_t huge_page = (size_t)2 << 20, mapped_from = (size_t)4 << 20;
#else
#define CORR_MAPS 0
#endif

typedef struct {
    void *block;
    size_t bytes;
} kept_block;

static kept_block kept[SLOTS];
static size_t kept_bytes;
static corr_mutex guard = CORR_MUTEX_INIT;
static corr_allocator custom;

static size_t rounded(size_t bytes) {
    return (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

#if CORR_MAPS
/* Its own mapping: within the heap, what is said of huge pages would outlive the block, and the
 * heap's pages would come back whole after each trim. */
static void *map(size_t bytes) {
    size_t size = (bytes + huge_page - 1) & ~(huge_page - 1);
    char *start = mmap(NULL, size + huge_page, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        return NULL;
    size_t before = (huge_page - ((uintptr_t)start & (huge_page - 1))) & (huge_page - 1);
    if (before)
        munmap(start, before);
    if (before < huge_page)
        munmap(start + before + size, huge_page - before);
    madvise(start + before, bytes & ~(huge_page - 1), MADV_HUGEPAGE);
    return start + before;
}
#endif

static void *system_allocate(size_t bytes) {
    void *block = NULL;
#if defined(_WIN32)
    block = _aligned_malloc(bytes, ALIGNMENT);
#else
#if CORR_MAPS
    if (bytes >= mapped_from)
        return map(bytes);
#endif
    if (posix_memalign(&block, ALIGNMENT, bytes))
        return NULL;
#endif
    return block;
}

static void system_release(void *block, size_t bytes) {
#if CORR_MAPS
    if (bytes >= mapped_from) {
        munmap(block, (bytes + huge_page - 1) & ~(huge_page - 1));
        return;
    }
#else
    (void)bytes;
#endif
#if defined(_WIN32)
    _aligned_free(block);
#else
    free(block);
#endif
}

void *corr_allocate(size_t bytes) {
    if (bytes == 0)
        bytes = 1;
    if (bytes > (size_t)PTRDIFF_MAX - ALIGNMENT)
        return NULL;
    if (custom.allocate) /* of the exact size: a guard then lies right behind it */
        return custom.allocate(bytes, custom.context);
    bytes = rounded(bytes);
    if (bytes >= keep_from) {
        void *block = NULL;
        corr_lock(&guard);
        for (int i = SLOTS - 1; i >= 0; i--)
            if (kept[i].block && kept[i].bytes == bytes) {
                block = kept[i].block;
                kept[i].block = NULL;
                kept_bytes -= bytes;
                break;
            }
        corr_unlock(&guard);
        if (block)
            return block;
    }
    void *block = system_allocate(bytes);
    if (!block) {
        corr_trim();
        block = system_allocate(bytes);
    }
    return block;
}

void corr_release(void *block, size_t bytes) {
    if (!block)
        return;
    bytes = bytes ? bytes : 1;
    if (custom.release) {
        custom.release(block, bytes, custom.context);
        return;
    }
    bytes = rounded(bytes);
    if (bytes < keep_from || bytes > keep_at_most / 2) {
        system_release(block, bytes);
        return;
    }
    kept_block evicted[SLOTS];
    int evictions = 0, at = -1;
    corr_lock(&guard);
    for (int i = 0; i < SLOTS; i++) /* the oldest lie first, the hole moves up */
        if (kept[i].block && (kept_bytes + bytes > keep_at_most)) {
            kept_bytes -= kept[i].bytes;
            evicted[evictions++] = kept[i];
            kept[i].block = NULL;
        }
    for (int i = 0, to = 0; i < SLOTS; i++)
        if (kept[i].block) {
            if (to != i) {
                kept[to] = kept[i];
                kept[i].block = NULL;
            }
            to++;
            at = to;
        }
    at = at < 0 ? 0 : at;
    if (at == SLOTS) {
        kept_bytes -= kept[0].bytes;
        evicted[evictions++] = kept[0];
        for (int i = 1; i < SLOTS; i++)
            kept[i - 1] = kept[i];
        at = SLOTS - 1;
    }
    kept[at].block = block;
    kept[at].bytes = bytes;
    kept_bytes += bytes;
    corr_unlock(&guard);
    for (int i = 0; i < evictions; i++)
        system_release(evicted[i].block, evicted[i].bytes);
}

void corr_trim(void) {
    kept_block blocks[SLOTS];
    corr_lock(&guard);
    for (int i = 0; i < SLOTS; i++) {
        blocks[i] = kept[i];
        kept[i].block = NULL;
    }
    kept_bytes = 0;
    corr_unlock(&guard);
    for (int i = 0; i < SLOTS; i++)
        if (blocks[i].block)
            system_release(blocks[i].block, blocks[i].bytes);
}

/* Only while no block of the other allocator is alive. */
void corr_set_allocator(const corr_allocator *allocator) {
    static const corr_allocator none;
    corr_trim();
    custom = allocator ? *allocator : none;
}

void corr_memory_before_fork(void) { corr_lock(&guard); }
void corr_memory_after_fork(void) { corr_unlock(&guard); }
