#!/usr/bin/env python3
"""A QEMU machine behind a simulated BMC: PXE once from the override, then the disk.

Its disk and what TFTP hands out are boot sectors of 512 bytes that print one word on the
serial line. Everything happens in a network namespace of the test's own.
"""
import os
import subprocess
import sys
import tempfile

import simulator

simulator.need("qemu-system-x86_64", "dnsmasq", "ip", "ipmitool")
if os.geteuid() != 0:
    print("skipped: a network namespace needs root")
    sys.exit(77)

NAMESPACE = f"nimbus-sim-{os.getpid()}"


def boot_sector(text):
    """Prints text on the first serial port and halts."""
    code = bytes.fromhex("31c0" "8ed8" "be157c" "ac" "84c0" "7406" "baf803" "ee" "ebf5" "f4" "ebfd")
    return (code + text.encode() + b"\0").ljust(510, b"\0") + b"\x55\xaa"


def ip(*words):
    subprocess.run(["ip", "-n", NAMESPACE, *words], check=True)


class Qemu(simulator.Case):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="nimbus-qemu-")
        os.chmod(cls.folder, 0o755)
        with open(cls.folder + "/disk.raw", "wb") as file:
            file.write(boot_sector("FROM-DISK").ljust(1 << 20, b"\0"))
        os.mkdir(cls.folder + "/tftp")
        with open(cls.folder + "/tftp/boot.0", "wb") as file:
            file.write(boot_sector("FROM-NETWORK"))
        subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
        ip("link", "set", "lo", "up")
        ip("link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0")
        ip("addr", "add", "10.99.0.1/24", "dev", "br0")
        ip("link", "set", "br0", "up")
        ip("tuntap", "add", "tap0", "mode", "tap")
        ip("link", "set", "tap0", "master", "br0", "up")
        cls.dnsmasq = subprocess.Popen(
            ["ip", "netns", "exec", NAMESPACE, "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=br0", "--bind-interfaces",
             "--dhcp-range=10.99.0.10,10.99.0.20,1h", "--dhcp-boot=boot.0", "--enable-tftp", f"--tftp-root={cls.folder}/tftp", "--user=root",
             f"--dhcp-leasefile={cls.folder}/leases"], stderr=open(cls.folder + "/dnsmasq.log", "w"))
        cls.sim = simulator.Simulator(f"""
[[machine]]
name = "v1"
ipmi = "127.77.0.1:{{udp}}"
redfish = "127.77.0.1:{{tcp}}"
mac = "52:54:00:aa:bb:01"
bios.BootMode = "Bios"
[machine.qemu]
folder = "{cls.folder}/vm"
disk = "{cls.folder}/disk.raw"
namespace = "{NAMESPACE}"
tap = "tap0"
memory_mib = 64
""")

    @classmethod
    def tearDownClass(cls):
        cls.sim.stop()
        cls.dnsmasq.terminate()
        cls.dnsmasq.wait(10)
        subprocess.run(["ip", "netns", "del", NAMESPACE], check=True)
        subprocess.run(["rm", "-rf", cls.folder])

    def tool(self, *words):
        return self.run_tool("ipmitool", "-I", "lanplus", "-C", "17", "-H", self.HOST, "-p", str(self.sim.udp), "-U", simulator.USER, "-P",
                             simulator.PASSWORD, *words)

    def console(self):
        return self.sim.control("GET", "/machines/v1/console")

    def qemu_pid(self):
        pids = [entry["detail"].split()[1] for entry in self.sim.journal("v1") if entry["what"] == "qemu" and entry["detail"].startswith("pid")]
        return int(pids[-1])

    def test_network_once_then_disk(self):
        from_disk = self.console().count("FROM-DISK")
        self.tool("raw", "0", "8", "5", "0x80", "0x04", "0", "0", "0")  # PXE, once, legacy
        self.tool("power", "on")
        simulator.wait_for(lambda: "FROM-NETWORK" in self.console(), "a boot from the network", 60)
        self.assertEqual(self.console().count("FROM-DISK"), from_disk)
        first = self.qemu_pid()
        self.assertTrue(os.path.exists(f"/proc/{first}"))
        self.assertEqual(self.sim.state("v1")["boot"]["override"]["enabled"], "disabled")
        self.sim.control("POST", "/machines/v1/power", {"action": "ForceRestart"})
        simulator.wait_for(lambda: self.console().count("FROM-DISK") > from_disk, "a boot from disk", 60)
        self.assertEqual(self.qemu_pid(), first)  # a reset is not a new machine

        # The override again, taken by a reset of the running machine, for one boot.
        seen = self.console().count("FROM-NETWORK")
        self.tool("raw", "0", "8", "5", "0x80", "0x04", "0", "0", "0")
        self.tool("power", "reset")
        simulator.wait_for(lambda: self.console().count("FROM-NETWORK") > seen, "the network again", 60)
        seen = self.console().count("FROM-DISK")
        self.tool("power", "cycle")
        simulator.wait_for(lambda: self.console().count("FROM-DISK") > seen, "the disk again", 60)
        self.assertNotEqual(self.qemu_pid(), first)

        last = self.qemu_pid()
        self.tool("power", "off")
        self.sim.wait_power("v1", "off")
        self.assertFalse(os.path.exists(f"/proc/{last}"))

    def test_a_machine_that_dies_reads_as_off(self):
        self.tool("power", "on")
        self.sim.wait_power("v1", "on")
        simulator.wait_for(lambda: os.path.exists(f"{self.folder}/vm/qmp.sock"), "QEMU is there", 60)
        os.kill(self.qemu_pid(), 9)
        self.sim.wait_power("v1", "off")
        self.assertIn("off", self.tool("power", "status"))


simulator.main()
