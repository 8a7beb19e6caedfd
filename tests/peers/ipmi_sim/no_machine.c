/* A module for ipmi_sim: Get Chassis Status is answered in the simulator's process,
 * always "off", so that a poll costs the BMC's side microseconds instead of the
 * milliseconds of a program run. For benchmarks. (Without this and without a chassis
 * program ipmi_sim 2.0.33 ends with a null pointer for all MCs but the first.) */
#include <OpenIPMI/mcserv.h>

static void chassis_status(lmc_data_t* mc, msg_t* request, unsigned char* reply, unsigned int* reply_length,
                           void* unused) {
  (void)mc, (void)request, (void)unused;
  reply[0] = 0;
  reply[1] = reply[2] = reply[3] = 0;
  *reply_length = 4;
}

int ipmi_sim_module_init(sys_data_t* system, const char* options) {
  (void)system, (void)options;
  return ipmi_emu_register_cmd_handler(0x00, 0x01, chassis_status, 0);
}
