#!/usr/bin/env python3
"""The audit log: every write with its commit, author and reason; whatever is done to it shows."""
import hashlib
import json
import re

from harness.case import PROGRAMS, EndToEnd, main
from harness.process import run

INVALID = 3


class Audit(EndToEnd):
    def start(self):
        site = self.site()
        (self.bmc,) = site.start_ipmi()
        site.ipmi_machine("m1", self.bmc, power="on")
        self.commit = site.registry.publish("A machine")
        self.controller = site.start_controller()
        self.wait(lambda: site.reconciled("m1", "on"), "m1 is on, says status")
        self.audit = self.controller.data / "audit"

    def verify(self, code=0):
        result = run([PROGRAMS / "nimbusctl", "audit", "verify", "--folder", self.audit, "--provider", "lab", "-C",
                      self.site().forge.repository], check=False)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result.stdout + result.stderr

    def lines(self):
        return [json.loads(line) for file in sorted(self.audit.glob("chain-*.jsonl"))
                for line in file.read_text().splitlines() if line.endswith("}")]

    def test_every_write_is_there_and_nothing_can_be_changed(self):
        self.start()
        site = self.site()
        intents = [line for line in self.lines() if line["type"] == "intent"]
        results = [line for line in self.lines() if line["type"] == "result"]
        self.assertEqual(len(intents), len(self.bmc.writes()))
        self.assertEqual((intents[0]["machine"], intents[0]["action"], intents[0]["commit"], intents[0]["author"]),
                         ("lab/m1", "power-on", self.commit, "Alice Example <alice@metal.example>"))
        self.assertEqual((results[0]["run"], results[0]["outcome"]), (intents[0]["run"], "done"))
        anchor = site.status.controller()["audit"]
        self.assertGreaterEqual(anchor["records"], results[0]["seq"], "the status commit that tells of a write covers it")
        self.assertIn("valid", self.verify())
        with self.subTest("the chain as anybody can compute it"):
            previous = "0" * 64
            for file in sorted(self.audit.glob("chain-*.jsonl")):
                for line in file.read_text().splitlines():
                    body, found = re.fullmatch(r'(.*),"hash":"([0-9a-f]{64})"}', line).groups()
                    self.assertEqual(hashlib.sha256((body + "}").encode()).hexdigest(), found)
                    self.assertEqual(json.loads(line)["prev"], previous)
                    previous = found
        self.controller.terminate()
        (file,) = self.audit.glob("chain-*.jsonl")
        good = file.read_text()
        rows = good.splitlines(keepends=True)
        for what, bad in (("changed", good.replace("Alice", "Mallet")), ("removed", "".join(rows[:1] + rows[2:])),
                          ("reordered", "".join([rows[1], rows[0], *rows[2:]])), ("cut off", "".join(rows[:2])),
                          ("emptied", "")):
            with self.subTest(what):
                file.write_text(bad)
                self.verify(code=INVALID)
        with self.subTest("a torn last line is what a crash leaves"):
            file.write_text(good + rows[-1][:25])
            self.assertIn("unfinished", self.verify())
            self.controller.start()
            self.controller.wait_ready(ready_too=True)
            self.assertIn("valid", self.verify())
            self.assertIn("repair", [line["type"] for line in self.lines()])

    def test_a_crash_between_intent_and_result(self):
        self.start()
        for _ in range(2):  # a third time would be held for a person
            self.bmc.switch("off")
            self.controller.kill()
            self.controller.start()
            self.wait(lambda: self.bmc.power() == "on", "m1 is on again")
        self.wait(lambda: self.site().reconciled("m1", "on"), "status says so")
        self.assertIn("valid", self.verify())
        runs = {line["run"] for line in self.lines() if line["type"] == "intent"}
        self.wait(lambda: {line["run"] for line in self.lines() if line["type"] == "result"} == runs, "every intent has its result")
        self.assertGreaterEqual(len(runs), len(self.bmc.writes()))


if __name__ == "__main__":
    main()
