#!/usr/bin/env python3
"""A data folder that is full or cannot be written: said clearly, no device is touched
without a journal, and nothing is lost when there is room again."""
import ctypes
import os
import re
import unittest

from harness.case import PROGRAMS, EndToEnd, main
from harness.process import run

CLONE_NEWNS = 0x20000
MS_REC, MS_PRIVATE, MS_REMOUNT, MS_RDONLY = 0x4000, 0x40000, 0x20, 0x1
NO_ROOM = r"(?i)no space left|disk is full"
libc = ctypes.CDLL(None, use_errno=True)


def call(name, *arguments):
    if getattr(libc, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), name)


@unittest.skipUnless(os.geteuid() == 0, "a mount namespace of one's own needs root")
class Storage(EndToEnd):
    """The data folder is a small tmpfs in a mount namespace of this process, which its
    children share and which goes with it."""

    @classmethod
    def setUpClass(cls):
        call("unshare", CLONE_NEWNS)
        call("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)

    def mount(self, path, flags=0):
        call("mount", b"tmpfs", os.fsencode(path), b"tmpfs", flags, b"size=8m,mode=0700")

    def start(self):
        site = self.site()
        (self.bmc,) = site.start_ipmi()
        site.ipmi_machine("m1", self.bmc, power="off")
        site.registry.publish("A machine")
        self.controller = site.new_controller()
        self.mount(self.controller.data)
        self.addCleanup(lambda: libc.umount2(os.fsencode(self.controller.data), 2))
        site.controller = self.controller.start()
        self.wait(lambda: site.reconciled("m1", "off"), "status is complete")
        return site

    def fill(self):
        path = self.controller.data / "filler"
        with open(path, "ab", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    continue
        return path

    def test_full_while_it_runs(self):
        site = self.start()
        filler = self.fill()
        site.registry.edit(site.registry.machine_path("m1"), 'power = "off"', 'power = "on"')
        commit = site.registry.publish("Switch it on")
        self.wait(lambda: re.search(NO_ROOM, self.controller.log.read_text()), "it says that there is no room")
        enough = self.controller.passes() + 4
        self.wait(lambda: not self.controller.alive() or self.controller.passes() >= enough, "it goes on looking, or ended")
        self.assertEqual(self.bmc.writes(), [], "no write without a journal")

        filler.unlink()
        if not self.controller.alive():
            self.controller.start()
        self.wait(lambda: self.bmc.power() == "on", "with room again the machine is switched on")
        self.wait(lambda: site.published(commit) and site.reconciled("m1", "on"), "status tells about it")
        self.assertEqual(len(self.bmc.writes()), 1)
        self.assertEqual(run(["git", f"--git-dir={site.forge.repository}", "fsck", "--strict"]).returncode, 0)

    def test_full_at_the_start(self):
        site = self.start()
        self.assertEqual(self.controller.terminate(), 0)
        self.bmc.switch("on")  # behind its back: there would be something to do
        filler = self.fill()
        result = run([PROGRAMS / "nimbusd", "--config", self.controller.configuration], check=False, timeout=30)
        self.assertNotEqual(result.returncode, 0)
        self.assertRegex(result.stderr, NO_ROOM)
        self.assertIn(str(self.controller.data), result.stderr)
        self.assertEqual(self.bmc.writes(), [])
        filler.unlink()
        self.controller.start()
        self.wait(lambda: self.bmc.power() == "off", "with room it does its work")
        self.wait(lambda: site.reconciled("m1", "off"), "and tells about it")

    def test_read_only_at_the_start(self):
        site = self.start()
        self.assertEqual(self.controller.terminate(), 0)
        self.bmc.switch("on")
        self.mount(self.controller.data, MS_REMOUNT | MS_RDONLY)
        result = run([PROGRAMS / "nimbusd", "--config", self.controller.configuration], check=False, timeout=30)
        self.assertNotEqual(result.returncode, 0)
        self.assertRegex(result.stderr, r"(?i)read-?only")
        self.assertIn(str(self.controller.data), result.stderr)
        self.assertEqual(self.bmc.writes(), [])
        self.mount(self.controller.data, MS_REMOUNT)
        self.controller.start()
        self.wait(lambda: self.bmc.power() == "off", "it does its work")


if __name__ == "__main__":
    main()
