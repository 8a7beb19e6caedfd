#!/usr/bin/env python3
"""What is built into machines, how their firmware is set, and how both differ from the
registry; firmware settings applied where a machine may be restarted."""
from harness.case import PROGRAMS, EndToEnd, main
from harness.sim import PASSWORD, USER, Simulator

MACHINES = """\
[hardware.big]
manufacturer = "Acme"
model = "A1"
sockets = 2
cores_per_socket = 16
memory_gib = 256
nics = 2
bios_version = "1.4.2"
[[hardware.big.drive]]
size_gib = 480
type = "nvme"
[[machine]]
name = "r1"
redfish = "127.66.0.1:{redfish}"
hardware = "big"
serial = "R1"
mac = "52:54:00:66:00:10"
power = "on"
[[machine]]
name = "i1"
ipmi = "127.66.0.2:{ipmi}"
hardware = "big"
serial = "I1"
power = "on"
"""
HARDWARE = """\
[hardware]
cpu_cores = 32
memory_gib = 256
[[hardware.disk]]
size_gib = 480
type = "nvme"
[[hardware.nic]]
mac = "52:54:00:66:00:10"
[[hardware.nic]]
mac = "52:54:00:66:00:11"
"""


class Inspection(EndToEnd):
    def start(self, machine="", enforcement="observe", inspect="1s"):
        site = self.site()
        self.sim = site._own(Simulator(PROGRAMS / "nimbus-sim", self.folder / "sim", MACHINES).start())
        self.write(machine, enforcement)
        site.registry.write(site.registry.machine_path("i1"), f"""\
            [bmc]
            driver = "ipmi"
            address = "127.66.0.2:{self.sim.ipmi}"
            credentials = ["bmc/sim"]
            [identity]
            serial = "I1"
            """)
        site.registry.publish("Two machines")
        self.controller = site.new_controller()
        self.controller.add_secret("bmc/sim", USER, PASSWORD, [f"https://127.66.0.1:{self.sim.redfish}", f"127.66.0.2:{self.sim.ipmi}"])
        text = self.controller.configuration.read_text()
        self.controller.configuration.write_text(text.replace('observe = "500ms"', f'observe = "500ms"\ninspect = "{inspect}"'))
        site.controller = self.controller.start()

    def write(self, machine, enforcement="observe"):
        site = self.site()
        site.registry.folder.joinpath(site.registry.machine_path("r1")).parent.mkdir(parents=True, exist_ok=True)
        site.registry.folder.joinpath(site.registry.machine_path("r1")).write_text(f"""\
enforcement = "{enforcement}"
{machine}
[bmc]
driver = "redfish"
address = "https://127.66.0.1:{self.sim.redfish}"
credentials = ["bmc/sim"]
tls = {{ pin = ["{self.sim.pin()}"] }}
[identity]
serial = "R1"
""")

    def status(self, machine="r1"):
        return self.site().status.machine(machine) or {}

    def drift(self, machine="r1"):
        return {d["key"]: d for d in self.status(machine).get("drift", [])}

    def condition(self, name, machine="r1"):
        return self.status(machine).get("condition", {}).get(name, {})

    def inspected(self, machine="r1"):
        return "hardware" in self.status(machine)

    def quiet(self):
        """Twelve more passes and no commit."""
        head, enough = self.site().status.head(), self.controller.passes() + 24
        self.wait(lambda: self.controller.passes() >= enough, "enough passes went by")
        self.assertEqual(self.site().status.head(), head)

    def test_inventory_and_drift_of_hardware(self):
        self.start(HARDWARE)
        self.wait(lambda: self.inspected("r1") and self.inspected("i1"), "both are inspected")
        hardware = self.status()["hardware"]
        self.assertEqual((hardware["vendor"], hardware["product"], hardware["serial"]), ("Acme", "A1", "R1"))
        self.assertEqual(sum(m["size_mib"] for m in hardware["memory"]), 256 * 1024)
        self.assertEqual([c["cores"] for c in hardware["cpu"]], [16, 16])
        self.assertEqual(len(hardware["nic"]), 2)
        self.assertIn("1.4.2", [f["version"] for f in hardware["firmware"]])
        self.assertTrue(self.status("i1")["hardware"]["firmware"], "by IPMI too")
        self.assertEqual(self.drift(), {})
        self.quiet()
        with self.subTest("a memory module and a network card are gone, the disk is another"):
            self.sim.stop()
            self.sim.start(("memory_gib = 256", "memory_gib = 224"), ('mac = "52:54:00:66:00:10"', 'mac = "52:54:00:66:00:50"'),
                           ("size_gib = 480", "size_gib = 960"))
            self.wait(lambda: len(self.drift()) == 4, "status tells of it")
            drift = self.drift()
            self.assertEqual((drift["hardware.memory_gib"]["desired"], drift["hardware.memory_gib"]["observed"]), ("256", "224"))
            self.assertEqual(drift["hardware.disk[1]"]["desired"], "480 GiB nvme")
            self.assertIn("52:54:00:66:00:50", drift["hardware.nic.52:54:00:66:00:10"]["observed"])
            self.assertEqual(self.condition("drift")["reason"], "Hardware")
            self.assertEqual(self.condition("ready")["status"], "true", "what is declared of power is so")
            self.quiet()
        with self.subTest("what was found survives a restart of the controller"):
            self.sim.stop()
            self.controller.kill()
            self.controller.start()
            enough = self.controller.passes() + 6
            self.wait(lambda: self.controller.passes() >= enough, "it looks in vain")
            self.assertEqual(len(self.drift()), 4)
            self.assertTrue(self.inspected())
        with self.subTest("repaired"):
            self.sim.start()
            self.wait(lambda: not self.drift(), "no drift any more", 90)

    def test_settings_are_only_reported_by_default(self):
        self.start('[bios]\nLogicalProc = "Disabled"\nQuietBoot = true\nNoSuchSetting = "x"\n[boot]\nsecure_boot = true\n')
        self.wait(lambda: len(self.drift()) == 3, "drift of firmware settings")
        drift = self.drift()
        self.assertEqual((drift["bios.LogicalProc"]["desired"], drift["bios.LogicalProc"]["observed"]), ("Disabled", "Enabled"))
        self.assertEqual(drift["bios.NoSuchSetting"]["observed"], "not offered")
        self.assertEqual(drift["boot.secure_boot"]["observed"], "false")
        self.assertEqual(self.condition("drift")["reason"], "Firmware")
        self.quiet()
        self.assertEqual(self.sim.machine("r1")["bios_pending"], {})
        self.assertEqual([e for e in self.sim.journal("r1", "redfish") if e["what"].startswith("power")], [])


if __name__ == "__main__":
    main()
