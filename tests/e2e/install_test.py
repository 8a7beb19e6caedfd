#!/usr/bin/env python3
"""From an instance file in the registry to a verified SSH login, and back to an erased
machine: nimbusd, nimbus-boot and a QEMU machine behind a simulated BMC."""
import hashlib
import os

from harness import lab
from harness.case import PROGRAMS, main
from harness.provisioning import INSTANCE, Provisioning

ONLY = os.environ.get("NIMBUS_LAB_ONLY", "")  # install | release: no further than this; stuck: that only
IMAGE = os.environ.get("NIMBUS_LAB_IMAGE", "")  # small: the one that boots in half the time, without cloud-init


class Lab(Provisioning):
    def setUp(self):
        super().setUp()
        self.image = lab.Image(PROGRAMS, small=IMAGE == "small")
        self.mirror = self.own(lab.FileServer(self.folder / "mirror", self.image.folder).start())
        self.boot = self.own(lab.NimbusBoot(PROGRAMS / "nimbus-boot", self.folder / "boot", self.image.installer).start())
        kind = lab.IpmiSimMachines if self.BMC == "ipmi_sim" else lab.Machines
        self.machines = self.own(kind(PROGRAMS / "nimbus-sim", self.folder / "machines", mode=self.MODE.capitalize(),
                                      data_disk=True).start())
        self.data = self.machines.data_disk(1)
        self.before = self.digest()
        # A reinstall and a release of the only machine, one after the other.
        self.site().registry.write("policy/limits.toml", '[destructive]\nper = "1s"\n')
        self.write_registry()

    def digest(self):
        with open(self.data, "rb") as disk:
            return hashlib.file_digest(disk, "sha256").hexdigest()

    def write_machine(self, existing_data="erase", number=1, more=""):
        super().write_machine(existing_data, number, more or "[hardware]\n            root_disk = { min_size_gib = 2 }")

    def assert_blank(self, path):
        zeros = bytes(1 << 22)
        with open(path, "rb") as disk:
            while piece := disk.read(len(zeros)):
                self.assertTrue(piece == zeros[:len(piece)], f"old data is on {path.name}")


class Install(Lab):
    def login(self, *command, path=INSTANCE):
        document = self.instance(path)
        known_hosts = self.folder / "known_hosts"
        known_hosts.write_text(document["ssh"]["known_hosts"] + "\n")
        return lab.ssh(document["addresses"][0], self.user_key, known_hosts, *command).stdout

    def reinstall(self):
        """The system disk only; a new host key."""
        before, known = self.digest(), self.instance()["ssh"]["known_hosts"]
        self.write_instance(protected=False)
        self.site().registry.publish("Unprotect")
        self.wait(lambda: self.instance().get("unprotected_since"), "status tells that it is unprotected")
        self.write_instance(protected=False, more="reinstall = 1")
        self.site().registry.publish("Reinstall")
        self.until(lambda: self.machine().get("installed", {}).get("reinstall") == 1 and self.installed(), "it is installed again", 300)
        self.assertNotEqual(self.instance()["ssh"]["known_hosts"], known)
        self.assertEqual(self.login("hostname").strip(), "web-1")
        self.assertEqual(self.digest(), before)

    def test_install_login_release_and_the_next_tenant(self):
        self.write_instance()
        self.site().registry.publish("An instance")
        controller = self.start_controller()
        self.until(self.installed, "the instance runs", 300)
        self.assertEqual(self.login("hostname", path=INSTANCE).strip(), "web-1")
        self.assertEqual(self.machine()["phase"], "active")
        self.assertEqual(self.machine()["claim"]["instance"], "acme/web-1")
        self.assertEqual(self.machine()["installed"]["image_sha256"], self.image.sha256)
        self.assertEqual(self.machines.power(1), "on")

        # The second pass does nothing. The machine's own last document comes after its
        # instance's.
        self.wait(lambda: self.site().reconciled("v1", "on"), "the machine is as wanted, says status")
        self.wait(self.settled, "status has settled")
        boots = self.machines.console(1).count("iPXE (http")
        head = self.site().status.head()
        self.looks_again(controller)
        self.assertEqual(self.site().status.head(), head)
        self.assertEqual(self.machines.console(1).count("iPXE (http"), boots)

        if ONLY == "install":
            return
        self.reinstall()
        self.release()
        self.until(lambda: self.machine().get("phase") == "available", "the machine is erased", 300)
        self.wait(lambda: self.machines.power(1) == "off", "the machine is off")
        self.assertEqual(len(self.machine()["erased"]), 2)
        for record in self.machine()["erased"]:
            self.assertTrue(record["verified"])
            self.assertEqual(record["level"], "secure")
        self.assertNotIn("claim", self.machine())
        self.assertNotIn("installed", self.machine())
        for path in (self.machines.disk(1), self.data):
            self.assert_blank(path)

        if ONLY == "release":
            return
        # The next tenant gets it: by the erase record, without the owner's word. kill -9
        # of both programs while the image is written changes nothing.
        next_one = "tenants/zeta/instances/db-1.toml"
        registry = self.site().registry
        registry.write("policy/tenants/zeta.toml", 'providers = ["*"]\n')
        registry.edit(registry.machine_path("v1"), 'existing_data = "erase"', 'existing_data = "keep"')
        self.write_instance(next_one)
        registry.publish("Another tenant")
        self.until(lambda: "% written" in self.instance(next_one).get("message", ""), "it is written", 200)
        controller.kill()
        self.boot.kill()
        self.boot.start()
        controller.start()
        self.until(lambda: self.installed(next_one), "the next instance runs", 300)
        self.assertEqual(self.login("hostname", path=next_one).strip(), "db-1")
        self.assertEqual(self.machine()["claim"]["instance"], "zeta/db-1")


class Stuck(Lab):
    def test_a_stuck_install_shows_the_machines_console(self):
        """Two disks match; what the installer said is in status, from the serial line."""
        Provisioning.write_machine(self)  # without a hint
        self.write_instance()
        self.site().registry.publish("An instance")
        self.start_controller()
        self.wait(self.hold, "it is held", 300)
        self.assertIn("several disks match hardware.root_disk", self.hold())
        console = "\n".join(self.instance()["console"])
        self.assertIn("nimbus-installer: failed: several disks match", console)
        self.assertEqual(self.digest(), self.before)
        self.assert_blank(self.machines.disk(1))


if __name__ == "__main__":
    lab.need()
    lab.enter_network()
    main(defaultTest="Stuck" if ONLY == "stuck" else "Install")
