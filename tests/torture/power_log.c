/* Logs what a process does to the files under one folder, in order: preloaded into a worker by power_loss.py.
 *
 * Writes that go through calls are logged as they are made; memory that is mapped shared is compared with a shadow at
 * each sync and each mark, and its changed pages are logged as writes. From such a log power_loss.py rebuilds what a
 * disk may hold after a power loss. Never changes what the process does; calls on other files pass through.
 *
 * CALLTAPE_POWER_ROOT: the folder. CALLTAPE_POWER_LOG: the log, outside of it. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096
#define MOST_MAPPINGS 256
#define MOST_DESCRIPTORS 4096

/* What power_loss.py unpacks: HEADER there is this struct. */
struct header {
    char operation; /* C create, D mkdir, W write, T set size, A allocate, S sync, R rename, U unlink, M mark */
    char pad[7];
    uint64_t inode;
    uint64_t offset;
    uint64_t length;
    uint32_t path_bytes;
    uint32_t data_bytes;
};

struct mapping {
    char *at;
    char *shadow;
    size_t length;
    uint64_t inode;
    uint64_t offset;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_descriptor = -1;
static char root[PATH_MAX];
static size_t root_bytes;
static uint64_t inodes[MOST_DESCRIPTORS]; /* of open files under the root; 0: not ours */
static struct mapping mappings[MOST_MAPPINGS];

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void raw_write(const void *bytes, size_t count) {
    const char *at = bytes;
    while (count > 0) {
        ssize_t written = syscall(SYS_write, log_descriptor, at, count);
        if (written <= 0) abort();
        at += written;
        count -= written;
    }
}

__attribute__((constructor)) static void begin(void) {
    const char *folder = getenv("CALLTAPE_POWER_ROOT"), *log = getenv("CALLTAPE_POWER_LOG");
    if (!folder || !log) return;
    root_bytes = strlen(folder);
    memcpy(root, folder, root_bytes + 1);
    log_descriptor = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void put(char operation, uint64_t inode, uint64_t offset, uint64_t length, const char *path, const void *data,
                size_t data_bytes) {
    struct header header = {operation, {0}, inode, offset, length, path ? strlen(path) : 0, data_bytes};
    raw_write(&header, sizeof header);
    if (path) raw_write(path, header.path_bytes);
    if (data_bytes) raw_write(data, data_bytes);
}

/* Logs the pages of mapped files that changed since the last look. The lock is held. */
static void look_at_mappings(void) {
    for (int i = 0; i < MOST_MAPPINGS; i++) {
        struct mapping *mapping = &mappings[i];
        if (!mapping->at) continue;
        for (size_t page = 0; page < mapping->length; page += PAGE) {
            size_t bytes = mapping->length - page < PAGE ? mapping->length - page : PAGE;
            if (memcmp(mapping->at + page, mapping->shadow + page, bytes) == 0) continue;
            memcpy(mapping->shadow + page, mapping->at + page, bytes);
            put('W', mapping->inode, mapping->offset + page, bytes, NULL, mapping->shadow + page, bytes);
        }
    }
}

static int enter(void) {
    if (log_descriptor < 0) return 0;
    pthread_mutex_lock(&lock);
    return 1;
}

static void leave(void) { pthread_mutex_unlock(&lock); }

/* The absolute form of a path under the root, or NULL. */
static const char *ours(int folder, const char *path, char *buffer) {
    if (log_descriptor < 0 || !path) return NULL;
    if (path[0] == '/') {
        snprintf(buffer, PATH_MAX, "%s", path);
    } else {
        char link[64], place[PATH_MAX];
        snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", folder);
        ssize_t bytes = readlink(link, place, sizeof place - 1);
        if (bytes < 0) return NULL;
        place[bytes] = 0;
        if (snprintf(buffer, PATH_MAX, "%s/%s", place, path) >= PATH_MAX) return NULL;
    }
    return strncmp(buffer, root, root_bytes) == 0 && buffer[root_bytes] == '/' ? buffer : NULL;
}

static uint64_t of(int descriptor) {
    return descriptor >= 0 && descriptor < MOST_DESCRIPTORS ? inodes[descriptor] : 0;
}

static int open_logged(int folder, const char *path, int flags, mode_t mode) {
    static int (*next)(int, const char *, int, ...);
    if (!next) next = (void *)dlsym(RTLD_NEXT, "openat64");
    char buffer[PATH_MAX];
    const char *name = ours(folder, path, buffer);
    if (!name || !enter()) return next(folder, path, flags, mode);
    int made = (flags & O_CREAT) && syscall(SYS_faccessat, folder, path, F_OK) != 0;
    int descriptor = next(folder, path, flags, mode);
    int error = errno;
    struct stat found;
    if (descriptor >= 0 && descriptor < MOST_DESCRIPTORS && fstat(descriptor, &found) == 0) {
        inodes[descriptor] = found.st_ino;
        if (made) put('C', found.st_ino, 0, 0, name, NULL, 0);
        else if (flags & O_TRUNC) put('T', found.st_ino, 0, 0, NULL, NULL, 0);
    }
    leave();
    errno = error;
    return descriptor;
}

#define MODE(flags, last) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list list; va_start(list, last); mode = va_arg(list, mode_t); va_end(list); }

int open(const char *path, int flags, ...) { MODE(flags, flags) return open_logged(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags, flags) return open_logged(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags, flags) return open_logged(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags, flags) return open_logged(at, path, flags, mode); }

int close(int descriptor) {
    if (of(descriptor)) inodes[descriptor] = 0;
    return NEXT(close)(descriptor);
}

static void written(int descriptor, const void *bytes, ssize_t count, off64_t offset) {
    if (count > 0) put('W', of(descriptor), offset, count, NULL, bytes, count);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    if (!of(descriptor) || !enter()) return NEXT(pwrite64)(descriptor, bytes, count, offset);
    ssize_t done = NEXT(pwrite64)(descriptor, bytes, count, offset);
    int error = errno;
    written(descriptor, bytes, done, offset);
    leave();
    errno = error;
    return done;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    return pwrite64(descriptor, bytes, count, offset);
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    if (!of(descriptor) || !enter()) return NEXT(write)(descriptor, bytes, count);
    ssize_t done = NEXT(write)(descriptor, bytes, count);
    int error = errno;
    if (done > 0) written(descriptor, bytes, done, lseek64(descriptor, 0, SEEK_CUR) - done);
    leave();
    errno = error;
    return done;
}

int ftruncate64(int descriptor, off64_t size) {
    if (!of(descriptor) || !enter()) return NEXT(ftruncate64)(descriptor, size);
    int done = NEXT(ftruncate64)(descriptor, size);
    int error = errno;
    if (done == 0) put('T', of(descriptor), 0, size, NULL, NULL, 0);
    leave();
    errno = error;
    return done;
}

int ftruncate(int descriptor, off_t size) { return ftruncate64(descriptor, size); }

int posix_fallocate64(int descriptor, off64_t offset, off64_t size) {
    if (!of(descriptor) || !enter()) return NEXT(posix_fallocate64)(descriptor, offset, size);
    int done = NEXT(posix_fallocate64)(descriptor, offset, size);
    if (done == 0) put('A', of(descriptor), offset, size, NULL, NULL, 0);
    leave();
    return done;
}

int posix_fallocate(int descriptor, off_t offset, off_t size) { return posix_fallocate64(descriptor, offset, size); }

/* The sync is logged after it has succeeded: a crash before is a crash without it. */
static int synced(int descriptor, int (*next)(int)) {
    if (!of(descriptor) || !enter()) return next(descriptor);
    look_at_mappings();
    int done = next(descriptor);
    int error = errno;
    if (done == 0) put('S', of(descriptor), 0, 0, NULL, NULL, 0);
    leave();
    errno = error;
    return done;
}

int fsync(int descriptor) { return synced(descriptor, NEXT(fsync)); }
int fdatasync(int descriptor) { return synced(descriptor, NEXT(fdatasync)); }

int renameat(int from_at, const char *from, int to_at, const char *to) {
    char one[PATH_MAX], two[PATH_MAX];
    const char *source = ours(from_at, from, one), *target = ours(to_at, to, two);
    if (!source || !target || !enter()) return NEXT(renameat)(from_at, from, to_at, to);
    look_at_mappings();
    int done = NEXT(renameat)(from_at, from, to_at, to);
    int error = errno;
    if (done == 0) put('R', 0, 0, 0, source, target, strlen(target));
    leave();
    errno = error;
    return done;
}

int rename(const char *from, const char *to) { return renameat(AT_FDCWD, from, AT_FDCWD, to); }

int unlinkat(int at, const char *path, int flags) {
    char buffer[PATH_MAX];
    const char *name = ours(at, path, buffer);
    if (!name || !enter()) return NEXT(unlinkat)(at, path, flags);
    look_at_mappings();
    int done = NEXT(unlinkat)(at, path, flags);
    int error = errno;
    if (done == 0) put('U', 0, 0, 0, name, NULL, 0);
    leave();
    errno = error;
    return done;
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdir(const char *path, mode_t mode) {
    char buffer[PATH_MAX];
    const char *name = ours(AT_FDCWD, path, buffer);
    if (!name || !enter()) return NEXT(mkdir)(path, mode);
    int done = NEXT(mkdir)(path, mode);
    int error = errno;
    if (done == 0) put('D', 0, 0, 0, name, NULL, 0);
    leave();
    errno = error;
    return done;
}

void *mmap64(void *wanted, size_t length, int protection, int flags, int descriptor, off64_t offset) {
    void *at = NEXT(mmap64)(wanted, length, protection, flags, descriptor, offset);
    if (at == MAP_FAILED || !of(descriptor) || !(flags & MAP_SHARED) || !enter()) return at;
    char *shadow = NEXT(mmap64)(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(shadow, at, length); /* what the file holds already is known from its writes */
    for (int i = 0; i < MOST_MAPPINGS; i++) {
        if (mappings[i].at) continue;
        mappings[i] = (struct mapping){at, shadow, length, of(descriptor), offset};
        break;
    }
    leave();
    return at;
}

void *mmap(void *wanted, size_t length, int protection, int flags, int descriptor, off_t offset) {
    return mmap64(wanted, length, protection, flags, descriptor, offset);
}

int munmap(void *at, size_t length) {
    if (enter()) {
        for (int i = 0; i < MOST_MAPPINGS; i++) {
            if (mappings[i].at != at) continue;
            look_at_mappings();
            NEXT(munmap)(mappings[i].shadow, mappings[i].length);
            mappings[i].at = NULL;
        }
        leave();
    }
    return NEXT(munmap)(at, length);
}

/* What the worker says: all calls below `number` are committed. */
void power_mark(uint64_t number) {
    if (!enter()) return;
    look_at_mappings();
    put('M', 0, 0, number, NULL, NULL, 0);
    leave();
}
