"""The base of end-to-end tests."""
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time
import unittest

from .site import Site
from .wait import SLOWNESS, stays_true, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAMS = pathlib.Path(os.environ.get("NIMBUS_PROGRAMS", ROOT / "build" / "dev" / "bin"))
# Of all tests in a file. Below ctest's own limit, so that a hanging test still
# cleans up after itself.
LIMIT_SECONDS = int(os.environ.get("NIMBUS_TEST_LIMIT", "280")) * SLOWNESS
STARTED = time.monotonic()


class EndToEnd(unittest.TestCase):
    """Gives each test a folder and, with site(), a site below it. After a failure the
    logs are printed and the folder stays."""

    longMessage = True
    ended = False  # by SIGTERM: clean up, and start no other test

    def setUp(self):
        # Short: paths of UNIX sockets have at most 107 characters.
        if EndToEnd.ended:
            self.fail("told to end")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nimbus-e2e-"))
        self._site = None
        self.parts = []
        self._troubles_before = self._troubles()
        signal.signal(signal.SIGALRM, self._out_of_time)
        signal.signal(signal.SIGTERM, self._told_to_end)
        signal.alarm(max(1, int(STARTED + LIMIT_SECONDS - time.monotonic())))
        self.addCleanup(self._clean_up)

    @staticmethod
    def _out_of_time(_signal, _frame):
        raise AssertionError(f"the tests of this file took more than {LIMIT_SECONDS:.0f} s")

    @staticmethod
    def _told_to_end(_signal, _frame):
        EndToEnd.ended = True
        raise AssertionError("told to end by SIGTERM")

    def site(self):
        if self._site is None:
            self._site = Site(self.folder, PROGRAMS)
        return self._site

    def own(self, part):
        """Stops it when the test is over, the latest first; after a failure its tail() is printed."""
        self.parts.append(part)
        self.addCleanup(part.stop)
        return part

    def wait(self, condition, what, seconds=60):
        """wait_until with this test's logs as the diagnosis (printed by tearDown)."""
        return wait_until(condition, seconds, what)

    def nothing_happens(self, controller, bmcs, passes=6):
        """Lets the controller look at its machines `passes` times each and checks that
        no device was written to and no status was committed meanwhile."""
        status, writes = self.site().status.head(), [len(bmc.writes()) for bmc in bmcs]
        enough = controller.passes() + passes * len(bmcs)
        stays_true(lambda: self.site().status.head() == status, "no status commit",
                   until=lambda: controller.passes() >= enough, seconds=90)
        self.assertEqual([len(bmc.writes()) for bmc in bmcs], writes, "a device was written to")

    def _troubles(self):
        result = self._outcome.result if getattr(self, "_outcome", None) else None
        return len(result.failures) + len(result.errors) if result else 0

    def _failed(self):
        return self._troubles() > self._troubles_before

    def tearDown(self):
        if self._failed():
            for part in self.parts:
                print(part.tail())
        if self._failed() and self._site is not None:
            print(f"\n{self.id()} failed; its folder is {self.folder}\n{self._site.diagnosis()}", file=sys.stderr)

    def _clean_up(self):
        signal.alarm(0)
        if self._site is not None:
            self._site.stop()
        if not self._failed():
            shutil.rmtree(self.folder, ignore_errors=True)


def main(**options):
    """For the end of each test file. Children that outlive a test object are no news."""
    unittest.main(verbosity=2, warnings="ignore", **options)
