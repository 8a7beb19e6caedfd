#!/usr/bin/env python3
"""nimbus-sim as ipmitool sees it, and what really happened."""
import os
import pty
import select
import time

import simulator

simulator.need("ipmitool")


class Ipmitool(simulator.Case):
    def tool(self, *words, suite=17, user=simulator.USER, password=simulator.PASSWORD, expect=0, level="ADMINISTRATOR"):
        return self.run_tool("ipmitool", "-I", "lanplus", "-C", str(suite), "-H", self.HOST, "-p", str(self.sim.udp), "-U", user,
                             "-P", password, "-L", level, *words, expect=expect)

    def test_power_with_both_suites(self):
        for suite in (3, 17):
            self.tool("power", "off", suite=suite)
            self.sim.wait_power("m1", "off")
            self.assertIn("off", self.tool("power", "status", suite=suite))
            self.tool("power", "on", suite=suite)
            self.sim.wait_power("m1", "on")
            self.assertIn("on", self.tool("power", "status", suite=suite))
            self.sim.wait_host("m1", "running")
            self.tool("power", "soft", suite=suite)
            self.sim.wait_power("m1", "off")
        self.assertEqual(self.sim.state("m2")["power"], "off")

    def test_suite_zero_wrong_password_unknown_user(self):
        self.assertIn("no matching cipher suite", self.tool("power", "status", suite=0, expect=1))
        self.tool("power", "status", password="wrong", expect=1)
        self.tool("power", "status", user="nobody", expect=1)

    def test_suite_is_found_without_being_told(self):
        out = self.run_tool("ipmitool", "-I", "lanplus", "-H", self.HOST, "-p", str(self.sim.udp), "-U", simulator.USER, "-P",
                            simulator.PASSWORD, "power", "status")
        self.assertIn("Chassis Power is", out)

    def test_boot_flags_are_used_once(self):
        self.tool("power", "off")
        self.sim.wait_power("m1", "off")
        self.tool("chassis", "bootdev", "pxe", "options=efiboot")
        self.assertIn("Boot parameter data: a004000000", self.tool("chassis", "bootparam", "get", "5"))
        self.tool("power", "on")
        self.sim.wait_host("m1", "running")
        boot = self.sim.state("m1")["boot"]
        self.assertEqual((boot["last_device"], boot["last_mode"], boot["last_override"]), ("pxe", "uefi", "once"))
        self.assertIn("Boot parameter data: 2004000000", self.tool("chassis", "bootparam", "get", "5"))
        self.tool("power", "cycle")
        simulator.wait_for(lambda: self.sim.state("m1")["boot"]["boots"] > boot["boots"], "the second boot")
        self.assertEqual(self.sim.state("m1")["boot"]["last_device"], "disk")

    def test_sensors_events_fru(self):
        self.tool("power", "on")
        self.sim.wait_host("m1", "running")
        sensors = self.tool("sdr", "elist")
        self.assertRegex(sensors, r"Inlet Temp +\| 01h \| ok +\| +7.1 \| 2\d degrees C")
        self.assertRegex(sensors, r"Fan1 +\| 05h \| ok .* RPM")
        self.tool("sel", "clear")
        self.sim.control("POST", "/machines/m1/sensor", {"name": "Inlet Temp", "value": 43})
        self.assertRegex(self.tool("sdr", "get", "Inlet Temp"), r"Sensor Reading +: 43")
        self.assertIn("Upper Critical going high", self.tool("sel", "elist"))
        self.sim.control("POST", "/machines/m1/sensor", {"name": "Inlet Temp", "value": None})
        self.assertIn("Deasserted", self.tool("sel", "elist"))
        fru = self.tool("fru", "print")
        self.assertIn(self.sim.state("m1")["serial"], fru)

    def test_users(self):
        self.tool("user", "set", "name", "4", "bob")
        self.tool("user", "set", "password", "4", "twenty-bytes-long-pw", "20")
        self.tool("channel", "setaccess", "1", "4", "privilege=3")
        self.tool("user", "enable", "4")
        self.assertIn("on" if self.sim.state("m1")["power"] == "on" else "off",
                      self.tool("power", "status", user="bob", password="twenty-bytes-long-pw", level="OPERATOR"))
        self.tool("power", "status", user="bob", password="twenty-bytes-long-pw", expect=1)  # more than an operator
        self.tool("user", "disable", "4")
        self.tool("power", "status", user="bob", password="twenty-bytes-long-pw", level="OPERATOR", expect=1)

    def test_identity_lan_and_the_rest(self):
        self.assertIn("IPMI Version              : 2.0", self.tool("mc", "info"))
        self.assertIn(self.sim.state("m1")["uuid"], self.tool("mc", "guid"))
        self.assertIn("127.77.0.1", self.tool("lan", "print", "1"))
        self.assertIn("RMCP+ Cipher Suites     : 3,17", self.tool("lan", "print", "1"))
        self.tool("chassis", "identify", "force")
        self.assertTrue(self.sim.state("m1")["identify"])
        self.tool("chassis", "policy", "always-on")
        self.assertIn("always-on", self.tool("chassis", "status"))

    def test_serial_over_lan(self):
        self.tool("power", "on")
        self.sim.wait_host("m1", "running")
        self.assertIn("already de-activated", self.tool("sol", "deactivate", expect=1))
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvp("ipmitool", ["ipmitool", "-I", "lanplus", "-C", "17", "-H", self.HOST, "-p", str(self.sim.udp), "-U",
                                   simulator.USER, "-P", simulator.PASSWORD, "sol", "activate"])
        seen = b""

        def read_until(text):
            nonlocal seen
            deadline = time.monotonic() + 15
            while text not in seen and time.monotonic() < deadline:
                if select.select([terminal], [], [], 0.2)[0]:
                    seen += os.read(terminal, 4096)
            self.assertIn(text, seen)

        read_until(b"SOL Session operational")
        os.write(terminal, b"hello\r")
        read_until(b"m1 login:")
        self.assertIn(b"hello", seen)
        self.tool("power", "reset")
        read_until(b"Booting from disk")
        os.write(terminal, b"\r~.")
        read_until(b"terminated")
        os.waitpid(pid, 0)

    def test_cold_reset(self):
        self.run_tool("ipmitool", "-I", "lanplus", "-C", "17", "-H", "127.77.0.2", "-p", str(self.sim.udp), "-U", simulator.USER, "-P",
                      simulator.PASSWORD, "mc", "reset", "cold")
        self.assertFalse(self.sim.state("m2")["bmc_up"])
        simulator.wait_for(lambda: self.sim.state("m2")["bmc_up"], "the BMC is back")
        self.assertEqual(self.sim.state("m2")["bmc_restarts"], 1)


simulator.main()
