/* The same power polls with libfreeipmi: kept sessions, threads. A program for
 * comparison only, never installed: libfreeipmi is GPL-3+ and Nimbus links none of it.
 *
 *   freeipmi_poll USER PASSWORD SUITE ROUNDS THREADS < "ADDRESS PORT" lines */
#include <freeipmi/freeipmi.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { MOST = 4096 };
static char hosts[MOST][64];
static ipmi_ctx_t contexts[MOST];
static int host_count, operations, suite;
static const char *user, *password;
static atomic_int next_operation, failed;

static ipmi_ctx_t open_one(int host) {
  ipmi_ctx_t context = ipmi_ctx_create();
  if (ipmi_ctx_open_outofband_2_0(context, hosts[host], user, password, NULL, 0, IPMI_PRIVILEGE_LEVEL_OPERATOR, suite,
                                  20000, 500, IPMI_WORKAROUND_FLAGS_OUTOFBAND_2_0_OPEN_SESSION_PRIVILEGE, 0) >= 0)
    return context;
  failed++;
  ipmi_ctx_destroy(context);
  return NULL;
}

static void poll_one(ipmi_ctx_t context) {
  uint64_t on = 0;
  fiid_obj_t reply = fiid_obj_create(tmpl_cmd_get_chassis_status_rs);
  if (!context || ipmi_cmd_get_chassis_status(context, reply) < 0 ||
      FIID_OBJ_GET(reply, "current_power_state.power_is_on", &on) < 0)
    failed++;
  fiid_obj_destroy(reply);
}

static void* open_all(void* unused) {
  int i;
  while ((i = next_operation++) < operations) contexts[i] = open_one(i);
  return unused;
}

/* A context belongs to one thread: each takes every THREADSth host. */
struct share {
  int first, step, rounds;
};

static void* poll_share(void* argument) {
  const struct share* mine = argument;
  for (int round = 0; round < mine->rounds; round++)
    for (int i = mine->first; i < host_count; i += mine->step) poll_one(contexts[i]);
  return NULL;
}

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double wall_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void report(const char* name, int count, double wall, double cpu) {
  printf("%s\t%d\t%d\t%.3f\t%.2f\n", name, count, (int)failed, wall_seconds() - wall,
         (cpu_seconds() - cpu) / count * 1e6);
}

int main(int argc, char** argv) {
  char address[48], port[8];
  if (argc != 6) return 64;
  user = argv[1];
  password = argv[2];
  suite = atoi(argv[3]);
  const int rounds = atoi(argv[4]), threads = atoi(argv[5]);
  while (host_count < MOST && scanf("%47s %7s", address, port) == 2)
    snprintf(hosts[host_count++], sizeof hosts[0], "%s:%s", address, port);
  pthread_t* ids = calloc((size_t)threads, sizeof *ids);
  struct share* shares = calloc((size_t)threads, sizeof *shares);
  /* The library's crypto is not set up safely by several threads at once. */
  ipmi_rmcpplus_init();

  double wall = wall_seconds(), cpu = cpu_seconds();
  operations = host_count;
  for (int i = 0; i < threads; i++) pthread_create(&ids[i], NULL, open_all, NULL);
  for (int i = 0; i < threads; i++) pthread_join(ids[i], NULL);
  report("libfreeipmi.open", host_count, wall, cpu);

  failed = 0;
  wall = wall_seconds(), cpu = cpu_seconds();
  for (int i = 0; i < threads; i++) {
    shares[i] = (struct share){i, threads, rounds};
    pthread_create(&ids[i], NULL, poll_share, &shares[i]);
  }
  for (int i = 0; i < threads; i++) pthread_join(ids[i], NULL);
  report("libfreeipmi.poll", host_count * rounds, wall, cpu);
  for (int i = 0; i < host_count; i++)
    if (contexts[i]) ipmi_ctx_close(contexts[i]), ipmi_ctx_destroy(contexts[i]);
  return 0;
}
