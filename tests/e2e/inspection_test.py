#!/usr/bin/env python3
"""What is built into machines, how their firmware is set, and how both differ from the
registry; firmware settings applied where a machine may be restarted."""
import datetime
import json
import subprocess

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
    before_publish = staticmethod(lambda: None)

    def start(self, machine="", enforcement="observe", inspect="1s"):
        site = self.site()
        self.sim = site._own(Simulator(PROGRAMS / "nimbus-sim", self.folder / "sim", MACHINES).start())
        self.wait(lambda: self.sim.machine("r1")["host"] in ("off", "running"), "the simulated machine has started")
        self.boots = self.sim.machine("r1")["boot"]["boots"]
        self.write(machine, enforcement)
        site.registry.write(site.registry.machine_path("i1"), f"""\
            [bmc]
            driver = "ipmi"
            address = "127.66.0.2:{self.sim.ipmi}"
            credentials = ["bmc/sim"]
            [identity]
            serial = "I1"
            """)
        self.before_publish()
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
        """Seven more passes over each machine and no commit."""
        head, enough = self.site().status.head(), self.controller.passes() + 14
        self.wait(lambda: self.controller.passes() >= enough, "enough passes went by")
        self.assertEqual(self.site().status.head(), head)

    def test_a_wrong_clock_of_the_bmc_is_a_condition(self):
        self.start()
        self.wait(self.inspected, "it is inspected")
        self.assertEqual(self.condition("bmc-clock"), {})

        def set_clock(hours):
            text = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
            subprocess.run(["curl", "--silent", "--insecure", "--fail", "--user", f"{USER}:{PASSWORD}", "--request", "PATCH", "--header",
                            "Content-Type: application/json", "--data", json.dumps({"DateTime": text}),
                            f"https://127.66.0.1:{self.sim.redfish}/redfish/v1/Managers/{self.manager()}"], check=True, capture_output=True)
        set_clock(-2)
        self.wait(lambda: self.condition("bmc-clock").get("reason") == "Behind", "it is told")
        self.assertEqual(self.condition("bmc-clock")["message"], "the BMC's clock is more than an hour behind")
        self.assertEqual(self.condition("ready")["status"], "true")
        self.quiet()
        set_clock(0)
        self.wait(lambda: self.condition("bmc-clock") == {}, "it is right again")

    def manager(self):
        done = subprocess.run(["curl", "--silent", "--insecure", "--fail", "--user", f"{USER}:{PASSWORD}",
                               f"https://127.66.0.1:{self.sim.redfish}/redfish/v1/Managers"], check=True, capture_output=True, text=True)
        return json.loads(done.stdout)["Members"][0]["@odata.id"].rsplit("/", 1)[1]

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


    # --- enforcement = "enforce"

    DISABLED = '[bios]\nLogicalProc = "Disabled"\n'

    def applied(self):
        return self.sim.machine("r1")["bios"]["LogicalProc"] == "Disabled"

    def converged(self):
        return self.inspected() and not self.drift() and not self.condition("firmware") and self.condition("ready")["status"] == "true"

    def test_a_free_machine_gets_its_settings_by_one_cycle(self):
        self.start(self.DISABLED, "enforce")
        self.wait(self.applied, "the setting is in force")
        self.wait(self.converged, "status tells no drift")
        self.assertEqual(self.sim.machine("r1")["power"], "on")
        runs = [r["action"] for r in self.status()["run"]]
        self.assertEqual(len(runs), 2, runs)
        self.assertEqual(runs[0], "power-on")
        self.quiet()
        self.assertEqual([r["action"] for r in self.status()["run"]], runs, "one cycle and no other")
        audit = "".join(p.read_text() for p in sorted((self.controller.data / "audit").iterdir()))
        self.assertIn("LogicalProc=Disabled", audit)
        self.assertLess(audit.index("settings-intent"), audit.index("settings-result"))

    def test_kill_9_in_the_middle_of_it(self):
        self.start(self.DISABLED, "enforce")
        self.wait(lambda: self.sim.machine("r1")["power"] != "on", "the cycle has begun")
        self.controller.kill()
        self.controller.start()
        self.wait(self.applied, "the setting is in force")
        self.wait(self.converged, "status tells no drift")
        self.assertEqual(self.sim.machine("r1")["boot"]["boots"], self.boots + 1, "one start, no more")

    def test_a_machine_in_use_waits_for_a_window(self):
        site = self.site()
        self.before_publish = lambda: site.adopted_instance("acme", "web-1", "r1")
        self.start(self.DISABLED, "enforce")
        self.wait(lambda: self.condition("firmware").get("reason") == "Waiting", "it waits")
        self.assertIn("acme/web-1", self.condition("firmware")["message"])
        self.quiet()
        machine = self.sim.machine("r1")
        self.assertEqual((machine["bios_pending"], machine["power"]), ({}, "on"))
        with self.subTest("hands off: not even inside a window"):
            path = "tenants/acme/instances/web-1.toml"
            text = site.registry.read(path)
            site.registry.write(path, text + '[[window]]\nfrom = "00:00"\nto = "12:00"\n[[window]]\nfrom = "12:00"\nto = "00:00"\n')
            self.write(self.DISABLED + "[lifecycle]\nhands_off = true\n", "enforce")
            commit = site.registry.publish("A window, and hands off")
            self.wait(lambda: site.published(commit) and self.condition("hands-off"), "status tells of it")
            self.quiet()
            self.assertEqual(self.sim.machine("r1")["bios_pending"], {})
        self.write(self.DISABLED, "enforce")
        site.registry.publish("Hands on")
        self.wait(self.applied, "inside its window it is restarted")
        self.wait(self.converged, "status tells no drift")
        self.assertEqual(self.sim.machine("r1")["boot"]["boots"], self.boots + 1, "one start, no more")

    def test_off_it_is_staged_and_shown_as_pending(self):
        global MACHINES
        on = MACHINES
        MACHINES = on.replace('serial = "R1"\nmac = "52:54:00:66:00:10"\npower = "on"', 'serial = "R1"\nmac = "52:54:00:66:00:10"\npower = "off"')
        try:
            self.start(self.DISABLED, "enforce")
        finally:
            MACHINES = on
        self.wait(lambda: self.drift().get("bios.LogicalProc", {}).get("pending") == "Disabled", "status shows what waits")
        self.wait(lambda: self.condition("firmware").get("reason") == "Waiting", "it waits for the next start")
        self.quiet()
        self.assertEqual(self.sim.machine("r1")["power"], "off", "to start it is not Nimbus' business")
        self.sim.ask("/machines/r1/power", "-d", '{"action": "On"}')
        self.wait(self.converged, "the next start took it")


if __name__ == "__main__":
    main()
