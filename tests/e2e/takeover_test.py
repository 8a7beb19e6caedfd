#!/usr/bin/env python3
"""Two controllers on one branch: one is stopped in the middle of its work (SIGSTOP) and woken after the
other took over. What was written to devices says the simulator's journal, asked after the takeover."""
import json
import time

from harness.case import EndToEnd, main
from harness.fleet import SimFleet

MACHINES = 40
MIDDLE = 8  # machines that were told to go on when the first one is stopped
MOST_AT_ONCE = 30  # power-ons a minute; the second one needs fewer than that
ASLEEP_S = 2  # longer than a controller believes what it was told


class Takeover(EndToEnd):
    def controller(self, name):
        controller = self.fleet.controller(name=name)
        text = controller.configuration.read_text()
        controller.configuration.write_text(f'id = "lab/{name}"\n' + text)
        return controller

    def write_all(self, power):
        for number in range(MACHINES):
            self.fleet.write(number, power=power, enforcement="enforce")

    def writes(self, marks):
        """Power commands that reached BMCs since, and what machines did, by machine."""
        found = {}
        for name, mark in marks.items():
            entries = [e for e in self.fleet.journal(name, after=mark)
                       if e["what"] in ("chassis-control", "powered-on", "powered-off")
                       or e["what"].endswith("ComputerSystem.Reset")]
            if entries:
                found[name] = entries
        return found

    def powers(self):
        return list(self.fleet.powers().values())

    def test_woken_in_the_middle_of_its_work_it_writes_nothing(self):
        site = self.site()
        self.fleet = SimFleet(site, MACHINES)
        self.write_all("off")
        # So that the first one cannot be through with all before it is stopped.
        path = "providers/lab/provider.toml"
        site.registry.write(path, site.registry.read(path) + f"[disruption]\npower_on_per_minute = {MOST_AT_ONCE}\n")
        site.registry.publish("A fleet that is off")
        first = self.controller("first").start()
        self.wait(lambda: all(site.reconciled(name, "off") for name in self.fleet.names), "all are known", 120)
        marks = self.fleet.marks()

        self.write_all("on")
        site.registry.publish("All on")
        self.wait(lambda: MACHINES - self.powers().count("off") >= MIDDLE, "the first one is in the middle of it")
        first.pause()
        woken = time.monotonic() + ASLEEP_S
        told = self.writes(marks)
        self.assertLess(len(told), MACHINES, "stopped too late to be in the middle")
        term = site.status.controller()["controller"]["term"]

        second = self.controller("second").start()
        self.wait(lambda: site.status.controller()["controller"]["id"] == "lab/second", "the second one took over", 120)
        self.wait(lambda: set(self.powers()) == {"on"}, "it finishes what the first one began", 120)
        # What the first one believes is wanted is now wrong for every machine.
        self.write_all("off")
        off = site.registry.publish("All off")
        self.wait(lambda: set(self.powers()) == {"off"}, "the second one switches all off", 120)
        self.wait(lambda: site.published(off) and all(site.reconciled(name, "off") for name in self.fleet.names),
                  "status says so", 120)
        self.wait(lambda: time.monotonic() > woken, "it slept long enough")

        marks = self.fleet.marks()
        first.resume()
        self.wait(lambda: first.metrics().get("nimbus_term") == 0, "the first one knows that it is deposed")
        enough = [(each, each.passes() + 2 * MACHINES) for each in (first, second)]
        self.wait(lambda: all(each.passes() >= count for each, count in enough), "both looked at all machines", 120)
        self.assertEqual(self.writes(marks), {}, "a controller that was deposed wrote to a device")
        self.assertEqual(set(self.powers()), {"off"})
        self.it_says_why(first, term)

    def it_says_why(self, first, term):
        controller = self.site().status.controller()["controller"]
        self.assertEqual((controller["id"], controller["term"]), ("lab/second", term + 1))
        reason = f"controller lab/second took term {term + 1}"
        code, text = first.get("/readyz")
        self.assertEqual(code, 503)
        self.assertIn(reason, text)
        fleet = json.loads(first.get("/v1/fleet")[1])["controller"]
        self.assertEqual((fleet["authority"], fleet["ready"]), ("deposed", False))
        self.assertIn(reason, fleet["detail"])


if __name__ == "__main__":
    main()
