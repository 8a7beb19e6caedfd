"""The base of tests with machines made of files: their disks, and what was done to them."""
from . import lab
from .case import PROGRAMS, main as run_tests
from .paper import PROGRAM, PaperImage, PaperMachine, SimBmcs
from .provisioning import INSTANCE, Provisioning

# Short, so that what waits for a deadline ends within a test.
DEADLINES = 'boot_deadline = "8s"\npower_deadline = "5s"\nhandover_deadline = "20s"\nwork_deadline = "40s"\nsettle = "3s"\n'


class Paper(Provisioning):
    RATE = "0"

    def setUp(self):
        super().setUp()
        lab.clear_network()
        self.image = PaperImage(self.folder / "image")
        self.mirror = self.own(self.make_mirror("mirror", rate=self.RATE).start())
        self.boot = self.own(lab.NimbusBoot(PROGRAMS / "nimbus-boot", self.folder / "boot", self.image.installer, self.boot_more()).start())
        self.machines = self.own(self.make_bmcs().start())
        self.write_registry()

    def make_mirror(self, name, **options):
        return lab.FileServer(self.folder / name, self.image.folder, **options)

    def boot_more(self):
        """More of nimbus-boot.toml."""
        return ""

    def make_bmcs(self):
        return SimBmcs(PROGRAMS / "nimbus-sim", self.folder / "bmcs")

    def write_registry(self, image_name="disk.raw", **changes):
        super().write_registry(image_name=image_name, **changes)

    def secret_addresses(self):
        return [self.machines.address(1)]

    def start_machine(self, **options):
        self.box = self.add_machine(1, **options)
        return self.box

    def add_machine(self, number, **options):
        return self.own(PaperMachine(self.folder / f"box{number}", self.machines, number=number, **options).start())

    def ask(self, install=DEADLINES, **options):
        """An instance is asked for, and a controller runs."""
        self.write_instance()
        self.site().registry.publish("An instance")
        return self.start_controller(install=install, **options)

    def until_held(self, words, seconds=60):
        self.wait(self.hold, "it is held", seconds)
        self.assertIn(words, self.hold())
        self.assertEqual(self.instance()["phase"], "failed")

    def until_written(self):
        """In the middle of the image."""
        self.until(lambda: "% written" in self.instance().get("message", ""), "the image is being written", 60)

    def until_running(self, seconds=90):
        self.until(self.installed, "the instance runs", seconds)
        self.assertTrue(self.box.bootable())

    def installer_runs(self):
        return sum("runs the installer" in line for line in self.box.lines)

    def installs(self):
        """Installer runs that wrote an image to the end."""
        return self.box.endings.count(10)


class Killing(Paper):
    """Something is killed in the middle; a test has `killed(phase, kill)` and self.controller."""

    def kill_nimbusd(self):
        self.controller.kill()
        self.controller.start()

    def kill_nimbus_boot(self):
        self.boot.kill()
        self.boot.start()

    def kill_machine(self):
        self.machines.cut(1)

    @classmethod
    def add(cls, name, phases):
        for phase in phases:
            def test(self, phase=phase):
                self.killed(phase, getattr(self, f"kill_{name}"))
            setattr(cls, f"test_{name}_when_{phase}", test)


def main():
    if not PROGRAM:
        print("skipped: NIMBUS_FILE_MACHINE names no program (run by ctest)")
        raise SystemExit(lab.SKIP)
    lab.need()
    lab.enter_network(machines=0)
    run_tests()


__all__ = ["DEADLINES", "INSTANCE", "Killing", "Paper", "main"]
