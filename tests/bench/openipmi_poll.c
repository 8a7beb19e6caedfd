/* The same power polls with OpenIPMI's asynchronous library: one thread, kept sessions,
 * one poll of each BMC at a time, IN_FLIGHT of them. A program for comparison only.
 *
 *   openipmi_poll USER PASSWORD SUITE ROUNDS IN_FLIGHT < "ADDRESS PORT" lines
 *
 * Its library has no cipher suite 17, and only suite 3 is asked for. */
#include <OpenIPMI/ipmi_addr.h>
#include <OpenIPMI/ipmi_auth.h>
#include <OpenIPMI/ipmi_conn.h>
#include <OpenIPMI/ipmi_lan.h>
#include <OpenIPMI/ipmi_msgbits.h>
#include <OpenIPMI/ipmi_posix.h>
#include <OpenIPMI/ipmiif.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { MOST = 4096 };
static char addresses[MOST][64], ports[MOST][16];
static ipmi_con_t* connections[MOST];
static int up[MOST], host_count, ups, failed, left, next_operation, operations;
static os_handler_t* handler;

static void quiet(os_handler_t* h, const char* format, enum ipmi_log_type_e type, va_list arguments) {
  (void)h, (void)format, (void)type, (void)arguments;
}

static double cpu_seconds(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static double wall_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void changed(ipmi_con_t* connection, int error, unsigned int port, int any_up, void* data) {
  int* is_up = data;
  (void)connection, (void)error, (void)port;
  if (any_up && !*is_up) *is_up = 1, ups++;
}

static int start(int host) {
  char *ips[1] = {addresses[host]}, *numbers[1] = {ports[host]};
  extern char *user, *password;
  ipmi_lanp_parm_t p[] = {
      {.parm_id = IPMI_LANP_PARMID_ADDRS, .parm_data = ips, .parm_data_len = 1},
      {.parm_id = IPMI_LANP_PARMID_PORTS, .parm_data = numbers, .parm_data_len = 1},
      {.parm_id = IPMI_LANP_PARMID_USERNAME, .parm_data = user, .parm_data_len = (unsigned)strlen(user)},
      {.parm_id = IPMI_LANP_PARMID_PASSWORD, .parm_data = password, .parm_data_len = (unsigned)strlen(password)},
      {.parm_id = IPMI_LANP_PARMID_AUTHTYPE, .parm_val = (int)IPMI_AUTHTYPE_RMCP_PLUS},
      {.parm_id = IPMI_LANP_PARMID_PRIVILEGE, .parm_val = IPMI_PRIVILEGE_OPERATOR},
      {.parm_id = IPMI_LANP_AUTHENTICATION_ALGORITHM, .parm_val = IPMI_LANP_AUTHENTICATION_ALGORITHM_RAKP_HMAC_SHA1},
      {.parm_id = IPMI_LANP_INTEGRITY_ALGORITHM, .parm_val = IPMI_LANP_INTEGRITY_ALGORITHM_HMAC_SHA1_96},
      {.parm_id = IPMI_LANP_CONFIDENTIALITY_ALGORITHM, .parm_val = IPMI_LANP_CONFIDENTIALITY_ALGORITHM_AES_CBC_128},
  };
  if (ipmi_lanp_setup_con(p, sizeof p / sizeof *p, handler, NULL, &connections[host])) return -1;
  connections[host]->add_con_change_handler(connections[host], changed, &up[host]);
  return connections[host]->start_con(connections[host]);
}
char *user, *password;

static void ask(int operation);
static int answered(ipmi_con_t* connection, ipmi_msgi_t* message) {
  (void)connection;
  if (message->msg.data_len < 2 || message->msg.data[0] != 0) failed++;
  left--;
  if (next_operation < operations) ask(next_operation++);
  return IPMI_MSG_ITEM_NOT_USED;
}

static void ask(int operation) {
  ipmi_con_t* connection = connections[operation % host_count];
  ipmi_system_interface_addr_t to = {.addr_type = IPMI_SYSTEM_INTERFACE_ADDR_TYPE, .channel = IPMI_BMC_CHANNEL};
  ipmi_msg_t message = {.netfn = IPMI_CHASSIS_NETFN, .cmd = IPMI_GET_CHASSIS_STATUS_CMD};
  ipmi_msgi_t* item = ipmi_alloc_msg_item();
  if (connection->send_command(connection, (ipmi_addr_t*)&to, sizeof to, &message, answered, item)) {
    ipmi_free_msg_item(item);
    failed++, left--;
  }
}

static int run_until(const int* value, int wanted, int seconds) {
  double end = wall_seconds() + seconds;
  while (*value != wanted) {
    struct timeval patience = {.tv_sec = 1};
    if (wall_seconds() > end) return -1;
    handler->perform_one_op(handler, &patience);
  }
  return 0;
}

static void report(const char* name, int count, int bad, double wall, double cpu) {
  printf("%s\t%d\t%d\t%.3f\t%.2f\n", name, count, bad, wall, cpu / count * 1e6);
}

int main(int argc, char** argv) {
  if (argc != 6) return 64;
  user = argv[1], password = argv[2];
  int in_flight = atoi(argv[5]);
  while (host_count < MOST && scanf("%63s %15s", addresses[host_count], ports[host_count]) == 2) host_count++;
  handler = ipmi_posix_setup_os_handler();
  handler->set_log_handler(handler, quiet);
  ipmi_init(handler);
  double cpu = cpu_seconds(), wall = wall_seconds();
  for (int i = 0; i < host_count; ++i) {
    if (start(i)) failed++;
    if (i % 32 == 31) run_until(&ups, i + 1, 20); /* ipmi_sim has one thread per process */
  }
  run_until(&ups, host_count, 30);
  report("openipmi.open", host_count, host_count - ups, wall_seconds() - wall, cpu_seconds() - cpu);
  if (ups != host_count) return 0;
  operations = left = host_count * atoi(argv[4]);
  cpu = cpu_seconds(), wall = wall_seconds();
  while (next_operation < in_flight && next_operation < operations) ask(next_operation++);
  run_until(&left, 0, 60);
  report("openipmi.poll", operations, failed + left, wall_seconds() - wall, cpu_seconds() - cpu);
  return 0;
}
