#!/usr/bin/env python3
"""From an instance file in the registry to a verified SSH login, and back to an erased
machine: nimbusd, nimbus-boot and a QEMU machine behind a simulated BMC."""
import os

from harness import lab
from harness.case import PROGRAMS, EndToEnd, main

MODE = os.environ.get("NIMBUS_LAB_MODE", "bios")  # bios | uefi
BMC = os.environ.get("NIMBUS_LAB_BMC", "ipmi")     # ipmi | redfish
ONLY = os.environ.get("NIMBUS_LAB_ONLY", "")       # install | release: no further than this
INSTANCE = "tenants/acme/instances/web-1.toml"


class Install(EndToEnd):
    def setUp(self):
        super().setUp()
        self.image = lab.Image(PROGRAMS, small=ONLY == "install" and MODE == "bios")
        self.parts = []
        self.mirror = self.own(lab.FileServer(self.folder / "mirror", self.image.folder).start())
        self.boot = self.own(lab.NimbusBoot(PROGRAMS / "nimbus-boot", self.folder / "boot", self.image.installer).start())
        self.machines = self.own(lab.Machines(PROGRAMS / "nimbus-sim", self.folder / "machines", mode=MODE.capitalize()).start())
        self.user_key = self.folder / "alice"
        self.user_public = lab.make_key(self.user_key)
        self.write_registry()

    def own(self, part):
        self.parts.append(part)
        return part

    def tearDown(self):
        if self._failed():
            for part in self.parts:
                print(part.tail())
            for path in self.site().status.paths():
                print(f"--- {path}\n{self.site().status.text(path)}")
        for part in reversed(self.parts):
            part.stop()
        super().tearDown()

    def write_registry(self, existing_data="erase"):
        registry = self.site().registry
        bmc = f'driver = "ipmi"\naddress = "{self.machines.address(1)}"\nprivilege = "administrator"'
        if BMC == "redfish":
            bmc = f'driver = "redfish"\naddress = "{self.machines.url(1)}"\ntls = {{ pin = ["{self.machines.pin()}"] }}'
        bmc = bmc.replace("\n", "\n" + 12 * " ")
        registry.write("providers/lab/provider.toml", """\
            region = "lab"
            tenants = ["*"]
            [release]
            erase = "secure"
            """)
        registry.write("providers/lab/networks/provisioning.toml", f"""\
            cidr = "10.77.0.0/24"
            role = "provisioning"
            dhcp = "server"
            range = ["10.77.0.11", "10.77.0.99"]
            """)
        registry.write("providers/lab/machines/v1.toml", f"""\
            enforcement = "enforce"
            [bmc]
            {bmc}
            credentials = ["bmc/lab"]
            [identity]
            serial = "{self.machines.serial(1)}"
            mac = "{self.machines.mac(1)}"
            [boot]
            mode = "{MODE}"
            network = "provisioning"
            [lifecycle]
            existing_data = "{existing_data}"
            """)
        registry.write("policy/tenants/acme.toml", 'providers = ["*"]\n')
        registry.write("policy/people/alice.toml", f'name = "Alice Example"\nssh_keys = ["{self.user_public}"]\n')
        registry.write("images/debian-12.toml", f"""\
            os = "debian"
            version = "12"
            arch = "x86_64"
            installer = "disk-image"
            default_user = "debian"
            [disk]
            urls = ["{self.mirror.url("disk.raw.zst")}"]
            sha256 = "{self.image.sha256}"
            size_bytes = {self.image.bytes}
            """)

    def write_instance(self, path=INSTANCE, protected=True, more=""):
        self.site().registry.write(path, f"""\
            provider = "lab"
            image = "debian-12"
            protected = {"true" if protected else "false"}
            {more}
            [access]
            user = "debian"
            ssh_keys = ["person:alice"]
            """)

    def start_controller(self):
        controller = self.site().new_controller()
        controller.add_secret("bmc/lab", lab.Machines.USER, lab.Machines.PASSWORD, [self.machines.address(1), self.machines.url(1)])
        with open(controller.configuration, "a") as file:
            file.write(f'\n[install]\nboot = "{self.boot.control}"\nimage_sources = ["{self.mirror.url("")}"]\n')
        self.site().controller = controller.start()
        return controller

    def instance(self, path=INSTANCE):
        return self.site().status.document(path) or {}

    def machine(self):
        return self.site().status.machine("v1") or {}

    def not_held(self):
        held = self.machine().get("condition", {}).get("hold", {})
        if held.get("status") == "true":
            raise AssertionError(f"held: {held}")

    def until(self, condition, what, seconds):
        def look():
            self.not_held()
            return condition()
        self.wait(look, what, seconds)

    def login(self, *command, path=INSTANCE):
        document = self.instance(path)
        known_hosts = self.folder / "known_hosts"
        known_hosts.write_text(document["ssh"]["known_hosts"] + "\n")
        return lab.ssh(document["addresses"][0], self.user_key, known_hosts, *command).stdout

    def installed(self, path=INSTANCE):
        return self.instance(path).get("phase") == "running"

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
        boots = self.machines.console(1).count("iPXE (http")
        head = self.site().status.head()
        enough = controller.passes() + 6
        self.wait(lambda: controller.passes() >= enough, "it looks at the machine again")
        self.assertEqual(self.site().status.head(), head)
        self.assertEqual(self.machines.console(1).count("iPXE (http"), boots)

        if ONLY == "install":
            return
        self.write_instance(protected=False)
        self.site().registry.publish("Unprotect")
        self.wait(lambda: self.instance().get("unprotected_since"), "status tells that it is unprotected")
        (self.site().registry.folder / INSTANCE).unlink()
        self.site().registry.publish("Remove the instance")
        self.until(lambda: self.machine().get("phase") == "available", "the machine is erased", 300)
        self.wait(lambda: self.machines.power(1) == "off", "the machine is off")
        self.assertTrue(self.machine()["erased"][0]["verified"])
        self.assertEqual(self.machine()["erased"][0]["level"], "secure")
        self.assertNotIn("claim", self.machine())
        self.assertNotIn("installed", self.machine())
        with open(self.machines.disk(1), "rb") as disk:
            while piece := disk.read(1 << 20):
                self.assertFalse(piece.strip(b"\0"), "old data is on the disk")

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

    def test_a_machine_with_data_is_never_placed(self):
        self.write_registry(existing_data="keep")
        self.write_instance()
        disk = self.machines.disk(1)
        before = b"precious".rjust(1 << 22, b"\0")
        disk.write_bytes(before)
        self.site().registry.publish("An instance")
        controller = self.start_controller()
        self.wait(lambda: "may hold data" in self.instance().get("message", ""), "status says why it waits")
        enough = controller.passes() + 10
        self.wait(lambda: controller.passes() >= enough, "it looks at the machine again")
        self.assertEqual(self.machines.power(1), "off")
        self.assertEqual(self.machines.console(1), "", "the machine was switched on")
        self.assertEqual(disk.read_bytes(), before)
        self.assertNotIn("claim", self.machine())


if __name__ == "__main__":
    lab.need()
    lab.enter_network()
    main()
