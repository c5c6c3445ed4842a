/* A fault shim: makes the nth allocation or the nth system call of one library fail.
 *
 * Preloaded by the tests (see __init__.py). Only calls whose return address lies in the library under test count and
 * fail, so that the interpreter, the C library and the program are as they always are; what that library links in
 * statically (SQLite, Rust's own library) counts as it. Never changes a call that it does not fail.
 *
 * Plans come from the environment, for the first calls of a process, or from fault_plan(), called through ctypes:
 *
 *     CALLTAPE_FAULTS="alloc 17 0 once; calls=open+pwrite 3 28 forever"      what, which (0 is the next), errno, how long
 *     CALLTAPE_FAULTS_IN="calltape/_native"                                   part of the library's path
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

enum { ALLOC, CALLS, CLASSES };
enum { ANY_THREAD, THIS_THREAD, OTHER_THREADS };

/* The calls by name; fault_plan takes a mask of their places. */
static const char *const NAMES[] = {"open",  "read",      "pread", "write",  "pwrite", "fsync", "fdatasync", "fallocate",
                                    "mmap",  "rename",    "unlink", "ftruncate", "mkdir",  "opendir", "stat", "fcntl",
                                    "thread"};
enum { OPEN, READ, PREAD, WRITE, PWRITE, FSYNC, FDATASYNC, FALLOCATE, MMAP, RENAME, UNLINK, FTRUNCATE, MKDIR, OPENDIR,
       STAT, FCNTL, THREAD, NAMED };

struct plan {
    atomic_long seen;    /* calls since the plan was made */
    atomic_long failed;  /* of these, made to fail */
    atomic_long nth;     /* the first to fail; negative: none does, they are only counted */
    atomic_int forever;  /* whether all from the nth on fail */
    atomic_int error;    /* errno; the allocations' is ENOMEM */
    atomic_ulong mask;   /* which calls, by place */
    atomic_int threads;  /* whose */
    atomic_int owner;    /* the thread that made the plan */
};

static struct plan plans[CLASSES] = {{.nth = -1, .mask = ~0UL}, {.nth = -1, .mask = ~0UL}};
static atomic_uintptr_t first_byte, end_byte;

/* ------------------------------------------------------------------------------------------------- the library's place */

static int look_at(struct dl_phdr_info *info, size_t size, void *wanted) {
    (void)size;
    if (info->dlpi_name == NULL || strstr(info->dlpi_name, wanted) == NULL) return 0;
    uintptr_t first = UINTPTR_MAX, end = 0;
    for (int at = 0; at < info->dlpi_phnum; at++) {
        if (info->dlpi_phdr[at].p_type != PT_LOAD) continue;
        uintptr_t from = info->dlpi_addr + info->dlpi_phdr[at].p_vaddr;
        if (from < first) first = from;
        if (from + info->dlpi_phdr[at].p_memsz > end) end = from + info->dlpi_phdr[at].p_memsz;
    }
    atomic_store(&end_byte, end);
    atomic_store(&first_byte, first);
    return 1;
}

/* Finds the library; 1 when it is loaded. Called after each dlopen until then. */
int fault_find(void) {
    const char *wanted = getenv("CALLTAPE_FAULTS_IN");
    if (atomic_load(&first_byte) == 0) dl_iterate_phdr(look_at, (void *)(wanted ? wanted : "calltape/_native"));
    return atomic_load(&first_byte) != 0;
}

void *dlopen(const char *path, int flags) {
    static void *(*next)(const char *, int);
    if (next == NULL) next = (void *(*)(const char *, int))dlsym(RTLD_NEXT, "dlopen");
    void *handle = next(path, flags);
    if (handle != NULL && atomic_load(&first_byte) == 0) fault_find();
    return handle;
}

static inline int is_ours(void *caller) {
    uintptr_t at = (uintptr_t)caller, first = atomic_load_explicit(&first_byte, memory_order_relaxed);
    return first != 0 && at >= first && at < atomic_load_explicit(&end_byte, memory_order_relaxed);
}

/* ------------------------------------------------------------------------------------------------------------ the plans */

/* `class`: 0 allocations, 1 system calls. `nth` counts from 0, negative fails none. `threads`: 0 of any thread, 1 of the
 * calling one only, 2 of all others. */
void fault_plan(int class, unsigned long mask, long nth, int error, int forever, int threads) {
    struct plan *plan = &plans[class];
    atomic_store(&plan->nth, -1);
    atomic_store(&plan->seen, 0);
    atomic_store(&plan->failed, 0);
    atomic_store(&plan->error, error);
    atomic_store(&plan->forever, forever);
    atomic_store(&plan->mask, mask);
    atomic_store(&plan->threads, threads);
    atomic_store(&plan->owner, (int)syscall(SYS_gettid));
    atomic_store(&plan->nth, nth);
}

/* Ends a plan; its counts stay. */
void fault_end(int class) {
    atomic_store(&plans[class].mask, 0);
    atomic_store(&plans[class].nth, -1);
}

long fault_seen(int class) { return atomic_load(&plans[class].seen); }

long fault_failed(int class) { return atomic_load(&plans[class].failed); }

/* Whether this call is to fail. */
static int fails(int class, int which, void *caller) {
    if (!is_ours(caller)) return 0;
    struct plan *plan = &plans[class];
    if (!(atomic_load_explicit(&plan->mask, memory_order_relaxed) >> which & 1)) return 0;
    int threads = atomic_load_explicit(&plan->threads, memory_order_relaxed);
    if (threads != ANY_THREAD) {
        int mine = atomic_load(&plan->owner) == (int)syscall(SYS_gettid);
        if (mine != (threads == THIS_THREAD)) return 0;
    }
    long seen = atomic_fetch_add_explicit(&plan->seen, 1, memory_order_relaxed);
    long nth = atomic_load_explicit(&plan->nth, memory_order_relaxed);
    if (nth < 0 || seen < nth || (seen > nth && !atomic_load(&plan->forever))) return 0;
    atomic_fetch_add(&plan->failed, 1);
    errno = class == ALLOC ? ENOMEM : atomic_load(&plan->error);
    return 1;
}

static unsigned long mask_of(char *names) {
    unsigned long mask = 0;
    char *rest = NULL;
    for (char *name = strtok_r(names, "+", &rest); name != NULL; name = strtok_r(NULL, "+", &rest)) {
        for (int place = 0; place < NAMED; place++) {
            if (strcmp(NAMES[place], name) == 0) mask |= 1UL << place;
        }
    }
    return mask;
}

__attribute__((constructor)) static void plans_of_environment(void) {
    const char *given = getenv("CALLTAPE_FAULTS");
    if (given == NULL) return;
    char text[1024], *rest = NULL;
    snprintf(text, sizeof text, "%s", given);
    for (char *one = strtok_r(text, ";", &rest); one != NULL; one = strtok_r(NULL, ";", &rest)) {
        char what[512] = "", how_long[16] = "once";
        long nth = -1;
        int error = 0;
        if (sscanf(one, " %511s %ld %d %15s", what, &nth, &error, how_long) < 2) continue;
        int forever = strcmp(how_long, "forever") == 0;
        if (strcmp(what, "alloc") == 0) fault_plan(ALLOC, ~0UL, nth, ENOMEM, forever, ANY_THREAD);
        if (strcmp(what, "calls") == 0) fault_plan(CALLS, ~0UL, nth, error, forever, ANY_THREAD);
        if (strncmp(what, "calls=", 6) == 0) fault_plan(CALLS, mask_of(what + 6), nth, error, forever, ANY_THREAD);
    }
}

/* ------------------------------------------------------------------------------------------------------ the allocations */

#define CALLER __builtin_return_address(0)

void *malloc(size_t bytes) { return fails(ALLOC, 0, CALLER) ? NULL : __libc_malloc(bytes); }

void *calloc(size_t count, size_t bytes) { return fails(ALLOC, 0, CALLER) ? NULL : __libc_calloc(count, bytes); }

void *realloc(void *old, size_t bytes) { return fails(ALLOC, 0, CALLER) ? NULL : __libc_realloc(old, bytes); }

void *aligned_alloc(size_t alignment, size_t bytes) {
    return fails(ALLOC, 0, CALLER) ? NULL : __libc_memalign(alignment, bytes);
}

void *memalign(size_t alignment, size_t bytes) {
    return fails(ALLOC, 0, CALLER) ? NULL : __libc_memalign(alignment, bytes);
}

int posix_memalign(void **place, size_t alignment, size_t bytes) {
    void *made = fails(ALLOC, 0, CALLER) ? NULL : __libc_memalign(alignment, bytes);
    if (made == NULL) return ENOMEM;
    *place = made;
    return 0;
}

/* -------------------------------------------------------------------------------------------------------- the system calls
 *
 * NEXT declares the C library's own function, found on first use: two threads find the same. */

#define NEXT(result, name, ...)                                                                   \
    static result (*next)(__VA_ARGS__);                                                           \
    if (next == NULL) next = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

/* A function whose failure is -1 and errno. */
#define MINUS_ONE(which, result, name, parameters, arguments, ...) \
    result name parameters {                                       \
        NEXT(result, name, __VA_ARGS__);                           \
        return fails(CALLS, which, CALLER) ? (result)-1 : next arguments; \
    }

#define OPENING(name)                                                   \
    int name(const char *path, int flags, ...) {                        \
        NEXT(int, name, const char *, int, ...);                        \
        va_list rest;                                                   \
        va_start(rest, flags);                                          \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                                   \
        return fails(CALLS, OPEN, CALLER) ? -1 : next(path, flags, mode); \
    }

#define OPENING_AT(name)                                                \
    int name(int folder, const char *path, int flags, ...) {            \
        NEXT(int, name, int, const char *, int, ...);                   \
        va_list rest;                                                   \
        va_start(rest, flags);                                          \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                                   \
        return fails(CALLS, OPEN, CALLER) ? -1 : next(folder, path, flags, mode); \
    }

#define CONTROLLING(name)                                               \
    int name(int file, int command, ...) {                              \
        NEXT(int, name, int, int, ...);                                 \
        va_list rest;                                                   \
        va_start(rest, command);                                        \
        void *argument = va_arg(rest, void *);                          \
        va_end(rest);                                                   \
        return fails(CALLS, FCNTL, CALLER) ? -1 : next(file, command, argument); \
    }

OPENING(open)
OPENING(open64)
OPENING_AT(openat)
OPENING_AT(openat64)
CONTROLLING(fcntl)
CONTROLLING(fcntl64)

MINUS_ONE(READ, ssize_t, read, (int file, void *into, size_t bytes), (file, into, bytes), int, void *, size_t)
MINUS_ONE(PREAD, ssize_t, pread, (int file, void *into, size_t bytes, off_t at), (file, into, bytes, at), int, void *,
          size_t, off_t)
MINUS_ONE(PREAD, ssize_t, pread64, (int file, void *into, size_t bytes, off64_t at), (file, into, bytes, at), int,
          void *, size_t, off64_t)
MINUS_ONE(WRITE, ssize_t, write, (int file, const void *from, size_t bytes), (file, from, bytes), int, const void *,
          size_t)
MINUS_ONE(WRITE, ssize_t, writev, (int file, const struct iovec *parts, int count), (file, parts, count), int,
          const struct iovec *, int)
MINUS_ONE(PWRITE, ssize_t, pwrite, (int file, const void *from, size_t bytes, off_t at), (file, from, bytes, at), int,
          const void *, size_t, off_t)
MINUS_ONE(PWRITE, ssize_t, pwrite64, (int file, const void *from, size_t bytes, off64_t at), (file, from, bytes, at),
          int, const void *, size_t, off64_t)
MINUS_ONE(FSYNC, int, fsync, (int file), (file), int)
MINUS_ONE(FDATASYNC, int, fdatasync, (int file), (file), int)
MINUS_ONE(FALLOCATE, int, fallocate, (int file, int mode, off_t at, off_t bytes), (file, mode, at, bytes), int, int,
          off_t, off_t)
MINUS_ONE(FALLOCATE, int, fallocate64, (int file, int mode, off64_t at, off64_t bytes), (file, mode, at, bytes), int,
          int, off64_t, off64_t)
MINUS_ONE(RENAME, int, rename, (const char *old, const char *new), (old, new), const char *, const char *)
MINUS_ONE(UNLINK, int, unlink, (const char *path), (path), const char *)
MINUS_ONE(UNLINK, int, unlinkat, (int folder, const char *path, int flags), (folder, path, flags), int, const char *,
          int)
MINUS_ONE(FTRUNCATE, int, ftruncate, (int file, off_t bytes), (file, bytes), int, off_t)
MINUS_ONE(FTRUNCATE, int, ftruncate64, (int file, off64_t bytes), (file, bytes), int, off64_t)
MINUS_ONE(MKDIR, int, mkdir, (const char *path, mode_t mode), (path, mode), const char *, mode_t)
MINUS_ONE(MMAP, void *, mmap, (void *place, size_t bytes, int protection, int flags, int file, off_t at),
          (place, bytes, protection, flags, file, at), void *, size_t, int, int, int, off_t)
MINUS_ONE(MMAP, void *, mmap64, (void *place, size_t bytes, int protection, int flags, int file, off64_t at),
          (place, bytes, protection, flags, file, at), void *, size_t, int, int, int, off64_t)

struct stat;
struct stat64;
MINUS_ONE(STAT, int, fstat64, (int file, struct stat64 *into), (file, into), int, struct stat64 *)
MINUS_ONE(STAT, int, stat64, (const char *path, struct stat64 *into), (path, into), const char *, struct stat64 *)

/* These give the error back instead of setting errno. */
int posix_fallocate(int file, off_t at, off_t bytes) {
    NEXT(int, posix_fallocate, int, off_t, off_t);
    return fails(CALLS, FALLOCATE, CALLER) ? errno : next(file, at, bytes);
}

int posix_fallocate64(int file, off64_t at, off64_t bytes) {
    NEXT(int, posix_fallocate64, int, off64_t, off64_t);
    return fails(CALLS, FALLOCATE, CALLER) ? errno : next(file, at, bytes);
}

int pthread_create(pthread_t *made, const pthread_attr_t *attributes, void *(*body)(void *), void *argument) {
    NEXT(int, pthread_create, pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    return fails(CALLS, THREAD, CALLER) ? EAGAIN : next(made, attributes, body, argument);
}

struct __dirstream *opendir(const char *path) {
    NEXT(struct __dirstream *, opendir, const char *);
    return fails(CALLS, OPENDIR, CALLER) ? NULL : next(path);
}
