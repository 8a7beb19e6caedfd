#!/usr/bin/env python3
"""Two provisioning networks, each with a nimbus-boot of its own, and one nimbusd that tells them. The
machines are BMCs of nimbus-sim, and clients that ask as their firmware would; no virtual machine."""
import shutil

from harness import lab
from harness.case import PROGRAMS, main
from harness.paper import PaperImage, SimBmcs
from harness.provisioning import Provisioning
from harness.pxe_client import BIOS, IPXE, PxeClient

HALLS = {"a": ("br0", lab.ADDRESS), "b": ("br1", "10.79.0.1")}
DISK = b"#!ipxe\nexit 1\n"


class TwoNetworks(Provisioning):
    def setUp(self):
        super().setUp()
        self.image = PaperImage(self.folder / "image")
        self.mirror = self.own(lab.FileServer(self.folder / "mirror", self.image.folder).start())
        self.boot_of = {hall: self.own(self.start_boot(hall)) for hall in HALLS}
        self.machines = self.own(SimBmcs(PROGRAMS / "nimbus-sim", self.folder / "bmcs", count=3).start())
        self.clients = 0
        self.write_registry(image_name=self.image.name)
        for number, hall in ((1, "a"), (2, "b")):
            self.write_hall(hall)
            self.add(number, hall)
        self.site().registry.publish("Two halls")
        self.start_controller(install=self.boot_table())
        for number in (1, 2):
            self.until_on(number)

    def start_boot(self, hall):
        bridge, address = HALLS[hall]
        return lab.NimbusBoot(PROGRAMS / "nimbus-boot", self.folder / f"boot-{hall}", self.image.installer, address=address, interface=bridge).start()

    def boot_line(self):
        return ""

    def boot_table(self):
        return "[install.boot]\n" + "".join(f'{hall} = "{boot.control}"\n' for hall, boot in self.boot_of.items())

    def secret_addresses(self):
        return [self.machines.address(number) for number in (1, 2, 3)]

    def write_hall(self, hall):
        net = HALLS[hall][1].rpartition(".")[0]
        self.site().registry.write(f"providers/lab/networks/{hall}.toml", f"""\
            cidr = "{net}.0/24"
            gateway = "{net}.1"
            role = "provisioning"
            dhcp = "server"
            range = ["{net}.11", "{net}.99"]
            """)

    def write_registry(self, **changes):
        super().write_registry(**changes)
        for path in ("networks/provisioning.toml", "machines/v1.toml"):
            (self.site().registry.folder / "providers/lab" / path).unlink()

    def add(self, number, hall):
        self.write_machine(number=number, network=hall)
        self.write_instance(f"tenants/acme/instances/web-{number}.toml", more=f'[requirements]\nmachine = "v{number}"')

    def until_on(self, number):
        self.wait(lambda: self.machines.power(number) == "on", f"v{number} is booted", 60)

    def client(self, number, hall):
        """As v<number>, on the network of that hall."""
        self.clients += 1
        client = PxeClient(self.folder / f"client{self.clients}", lab.Machines.mac(number), self.clients, HALLS[hall][0])
        self.addCleanup(client.stop)
        self.addCleanup(lab.ip, "link", "del", f"pxe{self.clients}")
        return client

    def script(self, client, number, hall):
        return client.get(f"http://{HALLS[hall][1]}:8080/ipxe/{lab.Machines.mac(number)}")

    def check_boots(self, client, number, hall, address):
        """All the way to its own installer."""
        self.assertEqual(client.dhcp(*BIOS), (address, "undionly.kpxe"))
        self.assertIn(f"http://{HALLS[hall][1]}:8080/ipxe/", client.dhcp(*BIOS, *IPXE)[1])
        script = self.script(client, number, hall).decode()
        self.assertIn(f"nimbus.run=lab/v{number}/", script)
        self.assertIn(f"kernel http://{HALLS[hall][1]}:8081/vmlinuz", script)
        self.assertEqual(client.get(f"http://{HALLS[hall][1]}:8081/vmlinuz"), b"vmlinuz")

    def test_each_answers_its_own_machines_and_outlives_the_other(self):
        first, second = self.client(1, "a"), self.client(2, "b")
        self.check_boots(first, 1, "a", "10.77.0.11")
        self.check_boots(second, 2, "b", "10.79.0.11")
        for number, hall in ((2, "a"), (1, "b")):
            astray = self.client(number, hall)
            self.assertIsNone(astray.dhcp(*BIOS, tries=2), f"v{number} is served in hall {hall}")
        # Also to who knows the address: nothing of another hall's run.
        self.assertEqual(self.script(first, 2, "a"), DISK)
        self.assertEqual(self.script(second, 1, "b"), DISK)

        self.boot_of["a"].kill()
        self.assertIsNone(first.dhcp(*BIOS, tries=2), "hall a is still served")
        self.check_boots(second, 2, "b", "10.79.0.11")
        self.add(3, "b")
        self.site().registry.publish("Another machine in hall b")
        self.until_on(3)
        self.check_boots(self.client(3, "b"), 3, "b", "10.79.0.12")

        self.boot_of["a"].start()  # with what it was told before
        self.wait(lambda: first.dhcp(*BIOS, tries=1) == ("10.77.0.11", "undionly.kpxe"), "hall a is served again")
        self.check_boots(first, 1, "a", "10.77.0.11")
        self.assertEqual(self.script(first, 3, "a"), DISK)


if __name__ == "__main__":
    lab.need()
    if not shutil.which("curl"):
        raise SystemExit(lab.SKIP)
    lab.enter_network(machines=0)
    lab.add_network(*HALLS["b"])
    main()
