/* Preloaded: every file that is synced is copied to the folder KEPT as it is then, and one that is deleted goes there
   too. What never was synced is not there, as after the worst power cut. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *copy_of(const char *name)
{
    static __thread char copy[PATH_MAX * 2];
    const char *base = strrchr(name, '/');

    snprintf(copy, sizeof copy, "%s/%s", getenv("KEPT"), base == NULL ? name : base + 1);
    return copy;
}

static int keep(int fd)
{
    char link[64], name[PATH_MAX], part[65536];
    struct stat kind;
    ssize_t length, at = 0;
    int out;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, name, sizeof name - 1);
    if (length < 0 || fstat(fd, &kind) < 0)
        return -1;
    name[length] = '\0';
    if (!S_ISREG(kind.st_mode)) /* a folder */
        return 0;
    out = open(copy_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    while ((length = pread(fd, part, sizeof part, at)) > 0) {
        if (write(out, part, (size_t)length) != length)
            return -1;
        at += length;
    }
    return close(out);
}

int fsync(int fd)
{
    return keep(fd) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return keep(fd) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int unlink(const char *name)
{
    syscall(SYS_unlinkat, AT_FDCWD, copy_of(name), 0);
    return (int)syscall(SYS_unlinkat, AT_FDCWD, name, 0);
}
