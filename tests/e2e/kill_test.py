#!/usr/bin/env python3
"""kill -9 at random moments. NIMBUS_KILL_ROUNDS: how often; NIMBUS_KILL_SEED:
repeats the moments of an earlier run."""
import os
import random
import time

from harness.case import EndToEnd, main
from harness.process import run


class KillNine(EndToEnd):
    """Killed at random moments in the middle of its work, it converges, and no
    machine gets more power actions than there were reasons for."""

    def test_kill_at_random_moments(self):
        rounds = int(os.environ.get("NIMBUS_KILL_ROUNDS", "6"))
        seed = int(os.environ.get("NIMBUS_KILL_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
        print(f"NIMBUS_KILL_SEED={seed} NIMBUS_KILL_ROUNDS={rounds}")
        chance = random.Random(seed)
        site = self.site()
        bmcs = site.start_ipmi(4, per_process=4)
        names = [f"m{n}" for n in range(1, len(bmcs) + 1)]
        wanted = "off"
        for name, bmc in zip(names, bmcs):
            site.ipmi_machine(name, bmc, power=wanted)
        site.registry.publish("Four machines")
        controller = site.new_controller()

        for number in range(rounds):
            new = "on" if wanted == "off" else "off"
            for name in names:
                site.registry.edit(site.registry.machine_path(name), f'power = "{wanted}"', f'power = "{new}"')
            wanted = new
            before = [len(bmc.writes()) for bmc in bmcs]
            site.registry.publish(f"Round {number}: all {wanted}")
            controller.launch()
            # The moment: after some milliseconds, or at the n-th write to a device.
            if chance.random() < 0.5:
                self._after(chance.uniform(0.0, 1.0), controller)
            else:
                count = chance.randint(1, len(bmcs))
                self.wait(lambda: sum(len(b.writes()) for b in bmcs) - sum(before) >= count, f"{count} writes were made")
            controller.kill()

            controller.start()
            for name, bmc in zip(names, bmcs):
                self.wait(lambda b=bmc: b.power() == wanted, f"round {number}: {name} is {wanted}")
                self.wait(lambda n=name: site.reconciled(n, wanted), f"round {number}: status says that {name} is {wanted}")
            for bmc, count in zip(bmcs, before):
                made = len(bmc.writes()) - count
                # Off may take two: the request to the operating system and the cut.
                self.assertLessEqual(made, 2 if wanted == "off" else 1 + 1, bmc.writes())
            self.assertEqual(controller.terminate(), 0)
        self.assertEqual(run(["git", f"--git-dir={site.forge.repository}", "fsck", "--strict"]).returncode, 0)

    def _after(self, seconds, controller):
        """A random moment is the one thing here that is a time and no condition."""
        deadline = time.monotonic() + seconds
        self.wait(lambda: time.monotonic() >= deadline or not controller.alive(), "the moment came")


if __name__ == "__main__":
    main()
