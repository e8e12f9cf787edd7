/* What the programs of this folder share: threads, random numbers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "corr.h"

#if defined(_WIN32)
typedef HANDLE thread;
#define THREAD_BODY(name) static DWORD WINAPI name(LPVOID context)
#define THREAD_DONE 0
static int start(thread *t, LPTHREAD_START_ROUTINE body, void *context) {
    return (*t = CreateThread(NULL, 0, body, context, 0, NULL)) != NULL;
}
static void join(thread t) { WaitForSingleObject(t, INFINITE); }
#else
typedef pthread_t thread;
#define THREAD_BODY(name) static void *name(void *context)
#define THREAD_DONE NULL
static int start(thread *t, void *(*body)(void *), void *context) {
    return pthread_create(t, NULL, body, context) == 0;
}
static void join(thread t) { pthread_join(t, NULL); }
#endif

static unsigned draw(unsigned *state, unsigned below) {
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) % below;
}
