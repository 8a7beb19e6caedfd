#!/usr/bin/env python3
"""kill -9 of nimbusd, of nimbus-boot and of the machine in each phase of an install: it
converges, and the image is written to the end exactly once. The machines are files."""
from harness.paper_case import DEADLINES, Killing, main


class KillNine(Killing):
    RATE = "2m"

    def until_phase(self, phase):
        """claimed, prepare, boots, written, handover: where the run is."""
        if phase == "written":
            return self.until_written()
        if phase == "handover":
            return self.until(lambda: self.box.endings, "the installer is done", 60)
        mark = {"claimed": "[claimed]", "prepare": "phase=prepare", "boots": "[run-boots]"}[phase]
        return self.until(lambda: mark in self.controller.log.read_text(), f"the run is at {mark}", 60)

    def killed(self, phase, kill):
        self.start_machine()
        self.controller = self.ask()
        self.until_phase(phase)
        kill()
        self.until_running()
        self.assertEqual(self.installs(), 1, self.box.lines)
        if phase in ("written", "handover") and kill != self.kill_machine:
            self.assertEqual(self.installer_runs(), 1, self.box.lines)

    def kill_reset(self):
        """A kernel panic: power stays on, and what boots next is the disk."""
        self.machines.call("POST", "/machines/v1/power", {"action": "ForceRestart"})

    def test_reset_when_written(self):
        self.start_machine()
        self.controller = self.ask(install=DEADLINES + 'silence_deadline = "6s"\n')
        self.until_written()
        self.kill_reset()
        self.until_running()
        self.assertEqual((self.installs(), self.installer_runs()), (1, 2), self.box.lines)


KillNine.add("nimbusd", ("claimed", "prepare", "boots", "written", "handover"))
KillNine.add("nimbus_boot", ("claimed", "prepare", "boots", "written", "handover"))
KillNine.add("machine", ("boots", "written", "handover"))

if __name__ == "__main__":
    main()
