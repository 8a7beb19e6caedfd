/* Loaded into nimbusd by a test (LD_PRELOAD): ends the process with SIGKILL before the n-th
 * write to its journal, writes and syncs counted, where n is NIMBUS_TEST_KILL_AT. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long count;

static int is_journal(int fd) {
  char link[64];
  char path[512];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof path - 1);
  if (size < 0) return 0;
  path[size] = '\0';
  return strstr(path, "/journal.sqlite") != NULL;
}

static void before_write(int fd) {
  if (!is_journal(fd)) return;
  const char* at = getenv("NIMBUS_TEST_KILL_AT");
  if (at != NULL && atomic_fetch_add(&count, 1) + 1 == atol(at)) kill(getpid(), SIGKILL);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
  before_write(fd);
  return REAL(pwrite64)(fd, data, size, offset);
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  before_write(fd);
  return REAL(pwrite)(fd, data, size, offset);
}

int fdatasync(int fd) {
  before_write(fd);
  return REAL(fdatasync)(fd);
}

int fsync(int fd) {
  before_write(fd);
  return REAL(fsync)(fd);
}
