#!/usr/bin/env python3
"""kill -9 before every write to the journal, and at random moments of a busy run: it converges, and the
simulator's journal shows one power cycle for one request. NIMBUS_KILL_SEED repeats the moments;
NIMBUS_JOURNAL_SHIM is the library that kills."""
import os
import random
import signal
import time

from harness.case import EndToEnd, main
from harness.fleet import SimFleet

MACHINES = int(os.environ.get("NIMBUS_CRASH_MACHINES", "200"))
ROUNDS = int(os.environ.get("NIMBUS_KILL_ROUNDS", "3"))
MOST_POINTS = 400
ANSWERED_S = 300  # power-ons are paced, and the machine may be busy with other things


class Crash(EndToEnd):
    def start(self, count, **options):
        site = self.site()
        self.fleet = SimFleet(site, count, power="on")
        for number in range(count):
            self.fleet.write(number)
            site.adopted_instance("acme", f"i{number}", f"m{number}")
        site.registry.write("policy/limits.toml", f"[disruption]\nmachines_rebooting = {count}\n")
        site.registry.publish("A fleet with instances")
        self.controller = self.fleet.controller(**options).start()
        self.wait(lambda: self.answered(0), "counting begins where it is", 120)
        self.assertEqual(self.cycles(dict.fromkeys(self.fleet.names, 0)), {name: (0, 0) for name in self.fleet.names})
        self.controller.kill()
        return site

    def answered(self, restart):
        """Whether status says so of all machines."""
        documents = (self.site().status.machine(name) for name in self.fleet.names)
        return all(document and document.get("restart") == restart for document in documents)

    def cycles(self, marks):
        """How often each machine went off and on since."""
        found = {}
        for name, mark in marks.items():
            what = [e["what"] for e in self.fleet.journal(name, after=mark)]
            found[name] = (what.count("powered-off"), what.count("powered-on"))
        return found

    def request(self, site, restart):
        """Restarts every machine; returns where their journals ended before."""
        marks = self.fleet.marks()
        for number in range(self.fleet.count):
            site.registry.edit(f"tenants/acme/instances/i{number}.toml", f"restart = {restart - 1}\n", f"restart = {restart}\n")
        site.registry.publish(f"Restart number {restart}")
        return marks

    def check(self, restart, marks, moment):
        self.wait(lambda: self.answered(restart), f"killed at {moment}: restart {restart} is answered", ANSWERED_S)
        wrong = {name: seen for name, seen in self.cycles(marks).items() if seen != (1, 1)}
        self.assertEqual(wrong, {}, f"killed at {moment}: times off and on, of one request")
        self.assertEqual(set(self.fleet.powers().values()), {"on"})

    def test_before_every_write_to_the_journal(self):
        site = self.start(1, observe="200ms", url=self.site().forge.file_url)
        # AddressSanitizer wants to come first, and does no harm where it does not.
        shim = {"LD_PRELOAD": os.environ["NIMBUS_JOURNAL_SHIM"], "ASAN_OPTIONS": "verify_asan_link_order=0"}
        point, restart, killed = 0, 0, True
        while killed and point < MOST_POINTS:
            point, restart = point + 1, restart + 1
            # A killed controller leaves its session at the BMC, which has few: a restart of the BMC ends them.
            self.fleet.ask("POST", "/machines/m0/bmc-restart", {"away_ms": 1})
            marks = self.request(site, restart)
            self.controller.launch({**shim, "NIMBUS_TEST_KILL_AT": str(point)})
            self.wait(lambda: not self.controller.alive() or self.answered(restart), f"write {point} or the end", 120)
            killed = not self.controller.alive()
            if killed:
                self.assertEqual(self.controller.child.process.returncode, -signal.SIGKILL, self.controller.tail())
                self.controller.start()
            self.check(restart, marks, f"write {point}")
            self.controller.kill()
        print(f"killed before each of {point - 1} writes to the journal")
        self.assertGreater(point, 10, "writes of a whole power cycle")
        self.assertFalse(killed, "more writes than expected")

    def test_at_random_moments_of_a_busy_run(self):
        seed = int(os.environ.get("NIMBUS_KILL_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
        print(f"NIMBUS_KILL_SEED={seed} NIMBUS_KILL_ROUNDS={ROUNDS} machines={MACHINES}")
        chance = random.Random(seed)
        site = self.start(MACHINES, observe="2s")
        for restart in range(1, ROUNDS + 1):
            marks = self.request(site, restart)
            for _ in range(3):
                moment = time.monotonic() + chance.uniform(0.3, 4.0)
                self.controller.launch()
                self.wait(lambda: time.monotonic() >= moment or not self.controller.alive(), "the moment came")
                self.assertTrue(self.controller.alive(), self.controller.tail())
                self.controller.kill()
            self.controller.start()
            self.check(restart, marks, "three moments")
            self.controller.kill()


if __name__ == "__main__":
    main()
