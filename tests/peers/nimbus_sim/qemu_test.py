#!/usr/bin/env python3
"""QEMU machines behind simulated BMCs: PXE once from the override, then the disk; virtual discs; consoles.

Disks, discs and what TFTP hands out are as small as can be and print one word on the serial
line. Everything happens in a network namespace of the test's own.
"""
import glob
import os
import socket
import subprocess
import sys
import tempfile

import boot_media
import simulator

simulator.need("qemu-system-x86_64", "dnsmasq", "ip", "ipmitool", "mformat")
if os.geteuid() != 0:
    print("skipped: a network namespace needs root")
    sys.exit(77)
if not os.path.exists("/usr/share/OVMF/OVMF_CODE_4M.fd") or not glob.glob("/usr/lib/*/qemu/block-curl.so"):
    print("skipped: ovmf or qemu-block-extra is not installed")
    sys.exit(77)

NAMESPACE = f"nimbus-sim-{os.getpid()}"
ISO = "http://10.99.0.1:8000/boot.iso"
HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = ("bios", "uefi")
PXE_ONCE = {"Boot": {"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "Pxe"}}
CD_ONCE = {"Boot": {"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "Cd"}}
BOOT_SECONDS = 90


def ip(*words):
    subprocess.run(["ip", "-n", NAMESPACE, *words], check=True)


def machine(folder, number, name, mode, memory_mib):
    return f"""
[[machine]]
name = "{name}"
ipmi = "127.77.0.{number}:{{udp}}"
redfish = "127.77.0.{number}:{{tcp}}"
mac = "52:54:00:aa:bb:0{number}"
uuid = "4c4c4544-0033-4110-8041-b7c04f31423{number}"
bios.BootMode = "{mode}"
[machine.qemu]
folder = "{folder}/{name}"
disk = "{folder}/{name}.raw"
namespace = "{NAMESPACE}"
tap = "tap{number}"
memory_mib = {memory_mib}
"""


class Qemu(simulator.Case):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="nimbus-qemu-")
        os.chmod(cls.folder, 0o755)
        cls.make_media()
        cls.children = []
        subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
        ip("link", "set", "lo", "up")
        ip("link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0")
        ip("addr", "add", "10.99.0.1/24", "dev", "br0")
        ip("link", "set", "br0", "up")
        for tap in ("tap1", "tap2"):
            ip("tuntap", "add", tap, "mode", "tap")
            ip("link", "set", tap, "master", "br0", "up")
        cls.in_namespace("dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=br0", "--bind-interfaces",
                         "--dhcp-range=10.99.0.10,10.99.0.20,1h", "--dhcp-match=set:efi,option:client-arch,7", "--dhcp-boot=tag:efi,boot.efi",
                         "--dhcp-boot=tag:!efi,boot.0", "--enable-tftp", f"--tftp-root={cls.folder}/tftp", "--user=root",
                         f"--dhcp-leasefile={cls.folder}/leases")
        server = cls.in_namespace(sys.executable, os.path.join(HERE, "serve_file.py"), "10.99.0.1", "8000", cls.folder + "/boot.iso")
        server.stdout.readline()
        cls.sim = simulator.Simulator(machine(cls.folder, 1, "bios", "Bios", 64) + machine(cls.folder, 2, "uefi", "Uefi", 192))

    @classmethod
    def make_media(cls):
        with open(cls.folder + "/bios.raw", "wb") as file:
            file.write(boot_media.boot_sector("FROM-DISK").ljust(1 << 20, b"\0"))
        boot_media.fat_with_application(cls.folder + "/uefi.raw", 16 * 1024, "FROM-DISK")
        boot_media.disc(cls.folder + "/boot.iso", "FROM-DISC")
        os.mkdir(cls.folder + "/tftp")
        with open(cls.folder + "/tftp/boot.0", "wb") as file:
            file.write(boot_media.boot_sector("FROM-NETWORK"))
        with open(cls.folder + "/tftp/boot.efi", "wb") as file:
            file.write(boot_media.uefi_application("FROM-NETWORK"))

    @classmethod
    def in_namespace(cls, *command):
        with open(cls.folder + "/services.log", "a") as log:
            child = subprocess.Popen(["ip", "netns", "exec", NAMESPACE, *command], stdout=subprocess.PIPE, stderr=log, text=True)
        cls.children.append(child)
        return child

    @classmethod
    def tearDownClass(cls):
        cls.sim.stop()
        for child in cls.children:
            child.terminate()
            child.wait(10)
            child.stdout.close()
        subprocess.run(["ip", "netns", "del", NAMESPACE], check=True)
        subprocess.run(["rm", "-rf", cls.folder])

    def tearDown(self):
        for name in NAMES:
            self.sim.control("POST", f"/machines/{name}/power", {"action": "ForceOff"})
            self.sim.wait_power(name, "off")

    def tool(self, name, *words):
        return self.run_tool("ipmitool", "-I", "lanplus", "-C", "17", "-H", f"127.77.0.{NAMES.index(name) + 1}", "-p", str(self.sim.udp), "-U",
                             simulator.USER, "-P", simulator.PASSWORD, *words)

    def redfish(self, name, method, path, body, expect):
        client = simulator.Redfish(f"127.77.0.{NAMES.index(name) + 1}", self.sim.tcp)
        status, answer = client.call(method, "/redfish/v1" + path, body)
        self.assertEqual(status, expect, answer)

    def seen(self, name, word):
        """How often the machine said it since the test began: in its log file, which keeps everything."""
        try:
            with open(f"{self.folder}/{name}/serial.log", "rb") as file:
                return file.read().count(word.encode())
        except FileNotFoundError:
            return 0

    def expect(self, name, word, action):
        """The action makes the machine say the word, and none of the other two."""
        words = ("FROM-NETWORK", "FROM-DISK", "FROM-DISC")
        before = {each: self.seen(name, each) for each in words}
        action()
        simulator.wait_for(lambda: self.seen(name, word) > before[word], f"{name}: {word}", BOOT_SECONDS)
        for other in words:
            if other != word:
                self.assertEqual(self.seen(name, other), before[other], f"{name}: {other} instead of {word}")

    def qemu_pid(self, name):
        pids = [entry["detail"].split()[1] for entry in self.sim.journal(name) if entry["what"] == "qemu" and entry["detail"].startswith("pid")]
        return int(pids[-1])

    def override(self, name):
        return self.sim.state(name)["boot"]["override"]["enabled"]

    def test_network_once_then_disk_over_ipmi(self):
        self.tool("bios", "chassis", "bootdev", "pxe")
        self.expect("bios", "FROM-NETWORK", lambda: self.tool("bios", "power", "on"))
        first = self.qemu_pid("bios")
        self.assertTrue(os.path.exists(f"/proc/{first}"))
        self.assertEqual(self.override("bios"), "disabled")
        # The machine restarts itself, as it does after an installation: from disk.
        self.expect("bios", "FROM-DISK", lambda: self.sim.control("POST", "/machines/bios/console", {"input": "r"}))
        self.expect("bios", "FROM-DISK", lambda: self.tool("bios", "power", "reset"))
        self.assertEqual(self.qemu_pid("bios"), first)  # a reset is not a new machine

        # The override again, taken by a reset of the running machine, for one boot.
        self.tool("bios", "chassis", "bootdev", "pxe")
        self.expect("bios", "FROM-NETWORK", lambda: self.tool("bios", "power", "reset"))
        self.expect("bios", "FROM-DISK", lambda: self.tool("bios", "power", "cycle"))
        last = self.qemu_pid("bios")
        self.assertNotEqual(last, first)
        self.tool("bios", "power", "off")
        self.sim.wait_power("bios", "off")
        self.assertFalse(os.path.exists(f"/proc/{last}"))

    def test_network_once_then_disk_over_redfish(self):
        for name in NAMES:
            with self.subTest(name):
                self.redfish(name, "PATCH", "/Systems/1", PXE_ONCE, 200)
                self.expect(name, "FROM-NETWORK", lambda: self.redfish(name, "POST", "/Systems/1/Actions/ComputerSystem.Reset",
                                                                       {"ResetType": "On"}, 204))
                self.assertEqual(self.override(name), "disabled")
                self.assertEqual(self.sim.state(name)["boot"]["last_mode"], name)
                self.expect(name, "FROM-DISK", lambda: self.redfish(name, "POST", "/Systems/1/Actions/ComputerSystem.Reset",
                                                                    {"ResetType": "ForceRestart"}, 204))

    def test_an_override_given_to_a_running_guest_is_taken_when_it_restarts_itself(self):
        self.expect("bios", "FROM-DISK", lambda: self.tool("bios", "power", "on"))
        self.redfish("bios", "PATCH", "/Systems/1", PXE_ONCE, 200)
        self.expect("bios", "FROM-NETWORK", lambda: self.sim.control("POST", "/machines/bios/console", {"input": "r"}))
        self.assertEqual(self.override("bios"), "disabled")
        self.expect("bios", "FROM-DISK", lambda: self.sim.control("POST", "/machines/bios/console", {"input": "r"}))

    def test_a_continuous_override_holds(self):
        self.tool("bios", "chassis", "bootdev", "pxe", "options=persistent")
        self.expect("bios", "FROM-NETWORK", lambda: self.tool("bios", "power", "on"))
        self.expect("bios", "FROM-NETWORK", lambda: self.tool("bios", "power", "reset"))
        self.tool("bios", "chassis", "bootdev", "none")
        self.expect("bios", "FROM-DISK", lambda: self.tool("bios", "power", "reset"))

    def test_a_virtual_disc_boots_and_can_be_taken_out(self):
        for name in NAMES:
            with self.subTest(name):
                media = "/Managers/1/VirtualMedia/2"
                self.redfish(name, "POST", media + "/Actions/VirtualMedia.InsertMedia", {"Image": ISO}, 204)
                self.redfish(name, "PATCH", "/Systems/1", CD_ONCE, 200)
                self.expect(name, "FROM-DISC", lambda: self.tool(name, "power", "on"))
                self.expect(name, "FROM-DISK", lambda: self.tool(name, "power", "reset"))
                self.redfish(name, "POST", media + "/Actions/VirtualMedia.EjectMedia", {}, 204)
                self.redfish(name, "PATCH", "/Systems/1", CD_ONCE, 200)
                # Nothing in the drive: the next one in the order is the disk.
                self.expect(name, "FROM-DISK", lambda: self.tool(name, "power", "reset"))
                failures = [entry for entry in self.sim.journal(name) if entry["what"] in ("qmp", "qemu") and entry["outcome"] == "failed"]
                self.assertEqual(failures, [])

    def test_the_serial_console_is_the_guests(self):
        self.expect("bios", "FROM-DISK", lambda: self.tool("bios", "power", "on"))
        console = subprocess.Popen(["ipmitool", "-I", "lanplus", "-C", "17", "-H", "127.77.0.1", "-p", str(self.sim.udp), "-U", simulator.USER, "-P",
                                    simulator.PASSWORD, "sol", "activate"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            simulator.wait_for(lambda: any(entry["what"] == "activate-payload" for entry in self.sim.journal("bios")), "a console session", 20)

            def type_it():
                console.stdin.write(b"r")
                console.stdin.flush()

            self.expect("bios", "FROM-DISK", type_it)
        finally:
            console.stdin.close()
            console.terminate()
            console.wait(10)

    def test_a_machine_that_dies_reads_as_off(self):
        self.tool("bios", "power", "on")
        self.sim.wait_power("bios", "on")
        simulator.wait_for(lambda: os.path.exists(f"{self.folder}/bios/qmp.sock"), "QEMU is there", 60)
        os.kill(self.qemu_pid("bios"), 9)
        self.sim.wait_power("bios", "off")
        self.assertIn("off", self.tool("bios", "power", "status"))

    def test_qemu_was_given_the_machines_identity(self):
        self.tool("uefi", "power", "on")
        self.sim.wait_power("uefi", "on")
        pid = self.qemu_pid("uefi")
        with open(f"/proc/{pid}/cmdline") as file:
            arguments = file.read().split("\0")
        state = self.sim.state("uefi")
        self.assertIn(state["uuid"], arguments)
        self.assertTrue(any(f"serial={state['serial']}" in argument for argument in arguments), arguments)
        self.assertTrue(any("mac=52:54:00:aa:bb:02" in argument for argument in arguments), arguments)
        self.assertFalse(any("kvm" in argument for argument in arguments), arguments)


simulator.main()
