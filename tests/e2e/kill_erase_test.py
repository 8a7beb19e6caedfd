#!/usr/bin/env python3
"""kill -9 of nimbusd, of nimbus-boot and of the machine in each phase of a release: it converges, every
disk is erased and read back, and afterwards nothing is written any more. The machines are files."""
from harness.paper_case import Killing, main

ERASED = 11


class KillNine(Killing):
    def setUp(self):
        super().setUp()
        self.start_machine(disks=2)
        self.write_machine(more='[hardware]\n            root_disk = { serial = "DISK-1-0" }')
        self.controller = self.ask()
        self.until_running()
        self.box.disk(1).write_bytes(b"precious".rjust(1 << 20, b"\1") * 12)
        (self.box.folder / "slow").write_text("150\n")  # milliseconds for each write, so that there is a middle
        self.told = len(self.log())
        self.release()

    def log(self):
        return self.controller.log.read_text()

    def until_phase(self, phase):
        if phase == "erasing":  # the first disk's beginning is gone, its end is not
            return self.until(lambda: not self.box.bootable() and self.box.child, "a disk is being erased", 60)
        if phase == "erased":
            return self.until(lambda: ERASED in self.box.endings, "the installer is done", 60)
        mark = {"prepare": "phase=prepare", "boots": "[run-boots]"}[phase]
        return self.until(lambda: mark in self.log()[self.told:], f"the run is at {mark}", 60)

    def blank(self):
        return not any(self.box.disk(index).read_bytes().strip(b"\0") for index in range(2))

    def killed(self, phase, kill):
        self.until_phase(phase)
        kill()
        self.until(lambda: self.machine().get("phase") == "available", "the machine is erased", 90)
        self.assertTrue(self.blank(), "old data is on a disk")
        self.assertNotIn("claim", self.machine())
        self.assertEqual(len(self.machine()["erased"]), 2)
        self.assertTrue(all(record["verified"] and record["level"] == "secure" for record in self.machine()["erased"]))
        # Nothing is switched or run any more.
        endings, writes = list(self.box.endings), len(self.machines.writes(1))
        self.looks_again(self.controller)
        self.assertEqual(self.box.endings, endings)
        self.assertEqual(len(self.machines.writes(1)), writes)
        self.assertEqual(endings.count(ERASED), 1, self.box.lines)
        if phase in ("erasing", "erased") and kill != self.kill_machine:
            self.assertEqual(self.installer_runs(), 2, self.box.lines)  # the install, and the erasure
        self.assertEqual(self.installs(), 1)


KillNine.add("nimbusd", ("prepare", "boots", "erasing", "erased"))
KillNine.add("nimbus_boot", ("prepare", "boots", "erasing", "erased"))
KillNine.add("machine", ("boots", "erasing"))

if __name__ == "__main__":
    main()
