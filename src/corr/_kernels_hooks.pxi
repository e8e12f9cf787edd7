# The core's hooks: guarded and failing memory, refused threads.

cdef extern from *:
    """
    /* Blocks that end (or begin) at an inaccessible page, and allocations that fail. */
    static struct { int guard_start; long long fail_at, count, alive; } corr_test_memory;
    #if defined(_WIN32)
    #define CORR_TEST_GUARDS 0
    static void *corr_test_map(size_t bytes) { return _aligned_malloc(bytes, 64); }
    static void corr_test_unmap(void *p, size_t bytes) { (void)bytes; _aligned_free(p); }
    #else
    #define CORR_TEST_GUARDS 1
    #include <sys/mman.h>
    #include <unistd.h>
    static size_t corr_test_pages(size_t bytes) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        return (bytes + page - 1) / page * page;
    }
    static size_t corr_test_skip(size_t body, size_t bytes) {
        return corr_test_memory.guard_start ? 0 : (body - bytes) / 64 * 64;
    }
    static void *corr_test_map(size_t bytes) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE), body = corr_test_pages(bytes);
        char *p = (char *)mmap(0, body + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0);
        if (p == MAP_FAILED || mprotect(p + page, body, PROT_READ | PROT_WRITE))
            return 0;
        for (size_t i = 0; i < body; i++)
            p[page + i] = (char)0xff; /* NaN to whoever reads before writing */
        return p + page + corr_test_skip(body, bytes);
    }
    static void corr_test_unmap(void *block, size_t bytes) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE), body = corr_test_pages(bytes);
        char *p = (char *)block - corr_test_skip(body, bytes);
        munmap(p - page, body + 2 * page);
    }
    #endif
    static void *corr_test_allocate(size_t bytes, void *context) {
        (void)context;
        if (++corr_test_memory.count == corr_test_memory.fail_at)
            return 0;
        void *p = corr_test_map(bytes);
        corr_test_memory.alive += p != 0;
        return p;
    }
    static void corr_test_release(void *p, size_t bytes, void *context) {
        (void)context;
        corr_test_memory.alive -= 1;
        corr_test_unmap(p, bytes);
    }
    """
    struct corr_test_memory_t "":
        int guard_start
        long long fail_at
        long long count
        long long alive
    corr_test_memory_t corr_test_memory
    const int CORR_TEST_GUARDS
    void *corr_test_allocate(size_t, void *) noexcept nogil
    void corr_test_release(void *, size_t, void *) noexcept nogil


class memory:
    """Within the block, all of the core's memory lies between inaccessible pages, flush
    with the one after it (or before it); allocation number `fail_at` fails."""

    guards = bool(CORR_TEST_GUARDS)

    def __init__(self, at="end", fail_at=0):
        self.at, self.fail_at = at, fail_at

    def __enter__(self):
        cdef corr_allocator allocator
        corr_test_memory.guard_start = self.at == "start"
        corr_test_memory.fail_at = self.fail_at
        corr_test_memory.count = corr_test_memory.alive = 0
        allocator.allocate = corr_test_allocate
        allocator.release = corr_test_release
        allocator.context = NULL
        api.set_allocator(&allocator)
        return self

    def live(self):
        """Blocks that are allocated now."""
        return corr_test_memory.alive

    def __exit__(self, *exception):
        self.count, self.alive = corr_test_memory.count, corr_test_memory.alive
        api.set_allocator(NULL)


def limit_started_threads(int at_most=255):
    """As if the system refused to start more."""
    api.set_thread_limit_for_tests(at_most)
