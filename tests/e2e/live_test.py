#!/usr/bin/env python3
"""nimbusctl against a running nimbusd: looking, explaining, holding, and the story of a machine."""
import json
import shutil

from harness.case import PROGRAMS, EndToEnd, main
from harness.process import Child, run
from harness.wait import wait_until

try:
    import yaml
except ImportError:  # the check of YAML needs python3-yaml; JSON and TOML are checked anyway
    yaml = None
import tomllib

UNREACHABLE, NOT_FOUND, CHANGES = 9, 5, 2


def site_power(machine):
    return machine["observation"]["power"]["state"]


class Live(EndToEnd):
    def start(self):
        site = self.site()
        (self.bmc,) = site.start_ipmi()
        site.ipmi_machine("m1", self.bmc, power="on")
        site.registry.write(site.registry.machine_path("m2"), """\
            power = "on"
            enforcement = "enforce"
            [bmc]
            driver = "ipmi"
            address = "127.0.0.1:9"
            credentials = ["bmc/none"]
            [identity]
            serial = "S2"
            """)
        self.commit = site.registry.publish("Two machines")
        self.controller = site.start_controller()
        self.wait(lambda: site.reconciled("m1", "on"), "m1 is on, says status")

    def ctl(self, *arguments, code=0):
        result = run([PROGRAMS / "nimbusctl", *arguments, "--server", f"unix:{self.controller.socket}", "-C",
                      self.site().forge.repository], check=False)
        self.assertEqual(result.returncode, code, f"nimbusctl {arguments}\n{result.stdout}\n{result.stderr}")
        return result.stdout

    def nothing_is_written(self, passes=8):
        """Status may still be told (a new term); the device is left alone."""
        before, enough = self.bmc.writes(), self.controller.passes() + passes
        self.wait(lambda: self.controller.passes() >= enough, "enough passes went by")
        self.assertEqual(self.bmc.writes(), before)
        self.assertEqual(self.bmc.power(), "off")

    def json(self, *arguments):
        return json.loads(self.ctl(*arguments, "-o", "json"))

    def test_looking_and_explaining(self):
        self.start()
        machines = self.json("machine", "list")
        self.assertEqual([m["name"] for m in machines], ["m1", "m2"])
        self.assertEqual(self.ctl("machine", "list", "--health", "ok", "-o", "name"), "m1\n")
        table = self.ctl("machine", "list")
        self.assertIn("MACHINE", table.splitlines()[0])
        self.assertIn("m2", table)
        one = self.json("machine", "describe", "lab/m1")
        self.assertEqual(one["observation"]["power"]["state"], "on")
        self.assertIn("power-on", self.ctl("machine", "describe", "m1"))

        with self.subTest("all formats mean the same"):
            for arguments in (("machine", "describe", "m1"), ("status", "--live")):
                wanted = self.json(*arguments)
                volatile = ("observation", "next_look", "until", "queue")
                keep = lambda v: {k: x for k, x in v.items() if k not in volatile and x is not None}  # noqa: E731
                self.assertEqual(keep(tomllib.loads(self.ctl(*arguments, "-o", "toml")))["provider"], wanted["provider"])
                if yaml:
                    self.assertEqual(set(keep(yaml.safe_load(self.ctl(*arguments, "-o", "yaml")))), set(keep(wanted)))
            lines = self.ctl("machine", "list", "-o", "jsonl").splitlines()
            self.assertEqual([json.loads(line)["name"] for line in lines], ["m1", "m2"])

        with self.subTest("why is m2 as it is"):
            text = self.ctl("explain", "machine", "m2")
            for word in ("waiting for", "a person", "next step", "credentials", "last error", "state"):
                self.assertIn(word, text)
        with self.subTest("what was seen of it last, when it does not answer any more"):
            self.bmc.fault("hang")
            self.wait(lambda: "last seen" in self.ctl("explain", "machine", "m1"), "it says what it saw last")
            self.assertRegex(self.ctl("explain", "machine", "m1"), r"power +unknown, wanted on\nlast seen +on, ")
            self.bmc.fault("resume")
            self.wait(lambda: site_power(self.json("machine", "describe", "m1")) == "on", "it answers again")
        with self.subTest("status, live"):
            fleet = self.json("status", "--live")
            self.assertEqual(fleet["machines"]["total"], 2)
            self.assertIn("machines", self.ctl("status", "--live"))
            self.assertIn("waiting for", self.ctl("status", "--live", "lab/m2"))
        self.ctl("machine", "describe", "m9", code=NOT_FOUND)
        self.ctl("reconcile", "m9", code=NOT_FOUND)
        self.ctl("reconcile", "m1")

        with self.subTest("events"):
            events = self.json("events", "--machine", "m1")
            self.assertIn("enrolled", [e["headline"] for e in events])
            log = self.folder / "events"
            watcher = Child("events", [PROGRAMS / "nimbusctl", "events", "-w", "-o", "jsonl", "--server",
                                       f"unix:{self.controller.socket}"], log)
            self.addCleanup(watcher.stop)
            wait_until(lambda: "nimbus_sse_clients 1" in self.controller.get("/metrics")[1], 10, "the watcher is connected",
                       watcher.tail)
            self.bmc.switch("off")
            wait_until(lambda: any(json.loads(line).get("headline") == "power-on" for line in log.read_text().splitlines()),
                       30, "the watcher tells of the power action", watcher.tail)

        with self.subTest("nobody there"):
            self.controller.stop()
            self.ctl("machine", "list", code=UNREACHABLE)

    def test_a_hold_survives_everything(self):
        self.start()
        site = self.site()
        with self.subTest("a name that is nobody's is held, and told"):
            told = run([PROGRAMS / "nimbusctl", "hold", "--local", "m11", "--server", f"unix:{self.controller.socket}"])
            self.assertIn("no machine 'm11'", told.stderr)
            self.ctl("resume", "--local", "m11")
        self.ctl("hold", "--local", "m1", "--reason", "moving the rack")
        self.wait(lambda: site.status.condition("m1", "hold").get("reason") == "LocalHold", "status shows the hold")
        self.assertIn("moving the rack", site.status.condition("m1", "hold")["message"])
        self.assertIn("moving the rack", self.ctl("explain", "machine", "m1"))
        writes = len(self.bmc.writes())
        self.bmc.switch("off")
        self.wait(lambda: (site.status.machine("m1") or {}).get("power") == "off", "status tells that it is off")
        self.assertEqual(site.status.condition("m1")["reason"], "Hold")
        self.nothing_is_written()

        with self.subTest("kill -9 and a deleted data folder"):
            self.controller.kill()
            shutil.rmtree(self.controller.data)
            self.controller.data.mkdir(mode=0o700)
            self.controller.start()
            self.controller.wait_ready(ready_too=True)
            self.nothing_is_written()
            self.assertEqual(self.json("status", "--live")["holds"][0]["machine"], "m1")

        with self.subTest("all, placed by hand while nothing runs"):
            self.ctl("resume", "--local", "m1")
            self.wait(lambda: self.bmc.power() == "on", "m1 is on again after the hold was lifted")
            self.controller.terminate()
            (self.controller.holds / "all.toml").write_text("")
            self.bmc.switch("off")
            self.controller.start()
            self.controller.wait_ready(ready_too=True)
            self.nothing_is_written()
            self.ctl("resume", "--local", "m1", code=NOT_FOUND)
            self.ctl("resume", "--local", "all")
            self.wait(lambda: self.bmc.power() == "on", "m1 is on again")
        self.assertGreater(len(self.bmc.writes()), writes)

    def test_the_story_of_a_machine(self):
        self.start()
        site = self.site()
        self.bmc.switch("off")
        self.wait(lambda: len([w for w in self.bmc.writes()]) >= 2, "m1 was switched on again")
        self.wait(lambda: len([e for e in self.json("history", "m1") if e["what"] == "power-on"]) >= 1, "history tells of it")
        history = self.json("history", "m1")
        self.assertEqual(history[-1]["registry_commit"], self.commit)
        shown = site.forge.git("rev-list", site.status.ref, "--", site.registry.machine_path("m1")).stdout.split()
        self.assertEqual([e["status_commit"] for e in history], shown, "the same commits as git log finds")
        self.assertIn("power-on", self.ctl("history", "lab/m1"))

        trace = {step["step"]: step for step in self.json("trace", "m1")}
        self.assertEqual(trace["registry in force"]["commit"], self.commit)
        self.assertEqual(trace["registry in force"]["who"], "Alice Example <alice@metal.example>")
        self.assertEqual(trace["machine's file"]["commit"], self.commit)
        self.ctl("trace", "m9", code=NOT_FOUND)

        with self.subTest("drift"):
            self.assertEqual(self.json("drift"), [])
            self.ctl("drift", "--exit-code")
            site.registry.edit(site.registry.machine_path("m1"), 'enforcement = "enforce"', 'enforcement = "observe"')
            site.registry.edit(site.registry.machine_path("m1"), 'power = "on"', 'power = "off"')
            site.registry.publish("Only look")
            self.wait(lambda: self.json("drift"), "drift is reported")
            (drift,) = self.json("drift", "lab")
            self.assertEqual((drift["machine"], drift["key"], drift["desired"], drift["observed"]), ("lab/m1", "power", "off", "on"))
            self.ctl("drift", "--exit-code", code=CHANGES)


if __name__ == "__main__":
    main()
