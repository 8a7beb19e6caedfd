#!/usr/bin/env python3
"""BMCs that forget, lie or are somebody else's while a machine is installed. The machines are files
(harness/paper.py)."""
from harness.case import PROGRAMS
from harness.paper import SimBmcs
from harness.paper_case import DEADLINES, Paper, main


class ForgetfulBmcs(SimBmcs):
    """The override is gone when power comes on; the firmware asks a little later what to boot from."""

    def write(self, serial):
        super().write(serial)
        text = self.fleet.read_text().replace('post = "10ms"', 'post = "2s"')
        self.fleet.write_text(text.replace("[machine.bios]", 'quirks = ["IP-12"]\n[machine.bios]'))


class Lies(Paper):
    """About the boot override."""
    BMC = "ipmi"

    def test_it_is_taken_and_not_kept(self):
        self.start_machine()
        self.machines.fault(kind="lie", side=self.BMC)
        self.ask()
        self.until_held("while arming the network boot")
        self.assertEqual(self.machines.power(1), "off")
        self.assertEqual(self.box.lines, [], "the machine was switched on")


class LiesOverRedfish(Lies):
    BMC = "redfish"

    def secret_addresses(self):
        return [self.machines.url(1)]


class BootOverride(Paper):
    def make_bmcs(self):
        return ForgetfulBmcs(PROGRAMS / "nimbus-sim", self.folder / "bmcs")

    def test_forgotten_at_power_on_it_is_given_again(self):
        self.start_machine()
        controller = self.ask(install=DEADLINES.replace('boot_deadline = "8s"', 'boot_deadline = "6s"'))
        self.until_running(120)
        self.assertIn("the machine did not boot from the network", controller.log.read_text())
        self.assertEqual(self.box.endings, [10])


class BootOrder(Paper):
    """What the tenant's system did to the firmware's own order."""
    BMC = "redfish"

    def secret_addresses(self):
        return [self.machines.url(1)]

    def test_put_back_before_the_machine_is_available(self):
        self.start_machine()
        self.ask()
        self.until_running()
        before = self.machines.state(1)["boot"]["order"]
        self.machines.patch(1, "/redfish/v1/Systems/1", {"Boot": {"BootOrder": [
            "Boot0001", "Boot0000", *(f"Boot{n:04}" for n in range(2, len(before)))]}})
        self.assertNotEqual(self.machines.state(1)["boot"]["order"], before)
        self.release()
        self.until(lambda: self.machine().get("phase") == "available", "the machine is erased", 90)
        self.assertEqual({check["what"]: check["result"] for check in self.machine()["check"]}["boot-order"], "restored")
        self.assertEqual(self.machines.state(1)["boot"]["order"], before)


class WrongBmc(Paper):
    def make_bmcs(self):
        return SimBmcs(PROGRAMS / "nimbus-sim", self.folder / "bmcs", serial="OTHER{n}")

    def test_another_machine_answers_at_the_address(self):
        self.start_machine()
        controller = self.ask()
        self.wait(lambda: "OTHER1" in self.instance().get("message", ""), "status says who answers")
        self.looks_again(controller)
        self.assertEqual(self.machines.writes(1), [])
        self.assertNotIn("claim", self.machine())


if __name__ == "__main__":
    main()
