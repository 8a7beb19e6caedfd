#!/usr/bin/env python3
"""nimbus-sim as FreeIPMI's tools see it."""
import os
import pty
import select
import socket
import tempfile
import time

import simulator

simulator.need("ipmipower", "ipmi-sensors", "ipmi-chassis", "ipmi-sel", "ipmi-fru", "ipmiconsole")


class FreeIpmi(simulator.Case):
    MACHINES = '[[machine]]\nname = "m{n}"\ncount = 300\nipmi = "127.77.0.1:{udp}"\n'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cache = tempfile.mkdtemp(prefix="sdr-cache-")
        os.environ["HOME"] = cls.cache

    def tool(self, program, *words, suite=17, host=None, expect=0):
        return self.run_tool(program, "-D", "LAN_2_0", "-I", str(suite), "-h", f"{host or self.HOST}:{self.sim.udp}", "-u", simulator.USER,
                             "-p", simulator.PASSWORD, *words, expect=expect)

    def test_sweep_without_loss(self):
        hosts = ",".join([f"127.77.0.{i}:{self.sim.udp}" for i in range(1, 255)] + [f"127.77.1.{i}:{self.sim.udp}" for i in range(1, 47)])
        for suite in (3, 17):
            out = self.run_tool("ipmipower", "-D", "LAN_2_0", "-I", str(suite), "-h", hosts, "-u", simulator.USER, "-p", simulator.PASSWORD, "--stat")
            lines = [line for line in out.splitlines() if line.endswith(": off") or line.endswith(": on")]
            self.assertEqual(len(lines), 300, out[-500:])

    def test_power(self):
        for suite in (3, 17):
            self.assertIn("ok", self.tool("ipmipower", "--on", "--wait-until-on", suite=suite))
            self.assertEqual(self.sim.state("m1")["power"], "on")
            self.assertIn("ok", self.tool("ipmipower", "--off", "--wait-until-off", suite=suite))
            self.assertEqual(self.sim.state("m1")["power"], "off")

    def test_chassis(self):
        host = "127.77.0.5"
        self.assertIn("off", self.tool("ipmi-chassis", "--get-chassis-status", host=host))
        self.tool("ipmi-chassis-config", "--commit", "-e", "Chassis_Boot_Flags:Boot_Device=PXE", host=host)
        self.assertEqual(self.sim.state("m5")["boot"]["override"]["device"], "pxe")
        self.assertIn("Force PXE", self.tool("ipmi-chassis", "--get-boot-flags", host=host))
        self.tool("ipmi-chassis", "--chassis-control=POWER-UP", host=host)
        self.sim.wait_host("m5", "running")
        self.assertEqual(self.sim.state("m5")["boot"]["last_device"], "pxe")

    def test_sensors_events_fru_info(self):
        host = "127.77.0.7"
        self.tool("ipmipower", "--on", "--wait-until-on", host=host)
        self.sim.wait_host("m7", "running")
        self.assertRegex(self.tool("ipmi-sensors", host=host), r"Fan1 +\| Fan +\| \d+\.00 +\| RPM +\| 'OK'")
        self.sim.control("POST", "/machines/m7/sensor", {"name": "CPU1 Temp", "value": 99})
        self.assertRegex(self.tool("ipmi-sensors", host=host), r"CPU1 Temp.*99.00.*Critical")
        self.assertIn("OS Boot", self.tool("ipmi-sel", host=host))
        self.assertIn(self.sim.state("m7")["serial"], self.tool("ipmi-fru", host=host))
        self.assertIn("IPMI Version          : 2.0", self.tool("bmc-info", host=host))

    def boots(self, name):
        return sum(entry["what"] == "booted" for entry in self.sim.journal(name))

    def test_power_cycle_reset_and_soft_off(self):
        host = "127.77.0.9"
        self.tool("ipmipower", "--on", "--wait-until-on", host=host)
        self.sim.wait_host("m9", "running")
        for flag, what in (("--reset", "reset"), ("--cycle", "power-cycle")):
            before = self.boots("m9")
            self.assertIn("ok", self.tool("ipmipower", flag, host=host), what)
            simulator.wait_for(lambda: self.boots("m9") > before, what)
            self.sim.wait_host("m9", "running")
        self.assertIn("ok", self.tool("ipmipower", "--soft", host=host))
        self.sim.wait_power("m9", "off")
        self.tool("ipmi-chassis", "--chassis-identify=15", host=host)

    def test_console(self):
        host, name = "127.77.9.1", "console"  # ipmiconsole knows no port but 623
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.bind((host, 623))
        except PermissionError:
            self.skipTest("port 623 is for root")
        sim = simulator.Simulator(f'[[machine]]\nname = "{name}"\npower = "on"\nipmi = "{host}:623"\n')
        self.addCleanup(sim.stop)
        sim.wait_host(name, "running")
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvp("ipmiconsole", ["ipmiconsole", "-I", "17", "-h", host, "-u", simulator.USER, "-p", simulator.PASSWORD])
        seen = b""

        def read_until(text):
            nonlocal seen
            deadline = time.monotonic() + 15
            while text not in seen and time.monotonic() < deadline:
                if select.select([terminal], [], [], 0.2)[0]:
                    try:
                        seen += os.read(terminal, 4096)
                    except OSError:  # the tool has ended
                        break
            self.assertIn(text, seen)

        read_until(b"SOL established")
        os.write(terminal, b"hello\r")
        read_until(b"console login:")
        self.assertIn(b"hello", seen)
        sim.control("POST", f"/machines/{name}/power", {"action": "ForceRestart"})
        read_until(b"Booting from disk")
        os.write(terminal, b"&.")
        read_until(b"closing the connection")
        self.assertEqual(os.waitpid(pid, 0)[1], 0)

    def test_wrong_password(self):
        out = self.run_tool("ipmipower", "-D", "LAN_2_0", "-h", f"{self.HOST}:{self.sim.udp}", "-u", "admin", "-p", "nonsense", "--stat", expect=1)
        self.assertIn("password invalid", out)


simulator.main()
