#!/usr/bin/env python3
"""What machines hear from DHCP and TFTP: beside a DHCP server of the site's own that has the
documented lines, and while orders change. Without a virtual machine."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal

from harness import lab
from harness.case import PROGRAMS, EndToEnd, main
from harness.paper import PaperImage
from harness.process import Child, run
from harness.pxe_client import ARM64, BIOS, EFI, EFI_BC, IPXE, PxeClient
from harness.wait import stays_true

IPXE_FOLDER = pathlib.Path("/usr/lib/ipxe")
PAGE = lab.ROOT / "docs/how-to/install-machines.md"


def documented_snippet():
    """The lines for dnsmasq, as the page has them."""
    blocks = re.split(r"^```.*\n", PAGE.read_text(), flags=re.M)[1::2]
    found = [block for block in blocks if "dhcp-boot=" in block]
    assert len(found) == 1, found
    return found[0]


class BootNetwork(EndToEnd):
    ADDRESS, CIDR = lab.ADDRESS, "10.77.0.0/24"

    def setUp(self):
        super().setUp()
        self.image = PaperImage(self.folder / "image")
        self.boot = self.own(self.start_boot())
        self.clients = 0

    def start_boot(self):
        return lab.NimbusBoot(PROGRAMS / "nimbus-boot", self.folder / "boot", self.image.installer, address=self.ADDRESS).start()

    def client(self, mac):
        self.clients += 1
        client = PxeClient(self.folder / f"client{self.clients}", mac, self.clients)
        self.addCleanup(client.stop)
        self.addCleanup(lab.ip, "link", "del", f"pxe{self.clients}")
        return client

    def machine(self, number, mac=None, address=None, installs=False):
        order = {"mac": mac or lab.Machines.mac(number), "name": f"v{number}", "address": address or f"10.77.0.{10 + number}", "handover": "exit"}
        if installs:
            order["run"] = {"run": "r1", "nonce": "0" * 32, "plan": "sealed", "key": "00"}
        return order

    def order(self, *machines, dhcp="server"):
        status, text = self.boot.call("PUT", "/v1/orders", json.dumps({"dhcp": dhcp, "cidr": self.CIDR, "machines": list(machines)}))
        self.assertEqual(status, 200, text)


class Snippet(BootNetwork):
    """dhcp = "none": the site's own server has the documented lines, to the letter."""
    ADDRESS, CIDR = "10.20.0.1", "10.20.0.0/24"
    MAC, MACHINE = "52:54:00:12:34:17", "10.20.0.117"  # of the page

    def setUp(self):
        lab.ip("addr", "replace", f"{self.ADDRESS}/24", "dev", "br0")
        super().setUp()
        configuration = self.folder / "site.conf"
        configuration.write_text(f"port=0\ninterface=br0\nbind-interfaces\nexcept-interface=lo\ndhcp-range={self.CIDR[:-3]},static,255.255.255.0,1h\n"
                                 f"dhcp-leasefile={self.folder}/leases\nenable-tftp\ntftp-root={IPXE_FOLDER}\n{documented_snippet()}")
        pid = self.folder / "site.pid"
        server = Child("dnsmasq", ["dnsmasq", "--keep-in-foreground", f"--conf-file={configuration}", "--user=root", f"--pid-file={pid}"],
                       self.folder / "site.log")
        self.addCleanup(server.stop)
        self.wait(lambda: pid.exists() or not server.alive(), "the site's server runs", 20)
        self.assertTrue(server.alive(), server.tail())

    def test_firmware_gets_ipxe_and_ipxe_gets_its_script(self):
        self.order(self.machine(1, self.MAC, self.MACHINE, installs=True), dhcp="none")
        self.assertIsNone(self.boot.dnsmasq(), "a second DHCP server was started")
        client = self.client(self.MAC)
        for firmware, name in ((BIOS, "undionly.kpxe"), (EFI, "snponly.efi"), (EFI_BC, "snponly.efi")):
            self.assertEqual(client.dhcp(*firmware), (self.MACHINE, name))
            self.assertEqual(client.get(f"tftp://{self.ADDRESS}/{name}"), (IPXE_FOLDER / name).read_bytes())
        for firmware in (BIOS, EFI):
            address, url = client.dhcp(*firmware, *IPXE)
            self.assertEqual(address, self.MACHINE)
            script = client.get(url.replace("${net0/mac:hexhyp}", self.MAC.replace(":", "-"))).decode()
            self.assertIn(f"kernel http://{self.ADDRESS}:8081/vmlinuz", script)
        # Without a run the entries may stay: it is told to boot its disk.
        self.order(self.machine(1, self.MAC, self.MACHINE), dhcp="none")
        self.assertEqual(client.get(f"http://{self.ADDRESS}:8080/ipxe/{self.MAC}"), b"#!ipxe\nexit 1\n")


class Served(BootNetwork):
    def test_each_firmware_hears_what_it_can_boot(self):
        self.order(self.machine(1, installs=True), self.machine(2))
        client, other = self.client(lab.Machines.mac(1)), self.client(lab.Machines.mac(2))
        script = f"http://{self.ADDRESS}:8080/ipxe/${{net0/mac:hexhyp}}"
        for firmware, first in ((BIOS, "undionly.kpxe"), (EFI, "snponly.efi"), (EFI_BC, "snponly.efi"), (ARM64, "")):
            self.assertEqual(client.dhcp(*firmware), ("10.77.0.11", first))
            self.assertEqual(client.dhcp(*firmware, *IPXE), ("10.77.0.11", script))
            # Without a run: an address, and nothing to boot; at both steps.
            self.assertEqual(other.dhcp(*firmware), ("10.77.0.12", ""))
            self.assertEqual(other.dhcp(*firmware, *IPXE), ("10.77.0.12", ""))
        self.assertEqual(other.get(f"http://{self.ADDRESS}:8080/ipxe/{lab.Machines.mac(2)}"), b"#!ipxe\nexit 1\n")
        self.assertIsNone(self.client(lab.Machines.mac(3)).dhcp(*BIOS, tries=2), "a machine that nobody ordered is served")

    def test_children_that_end_are_started_again_and_end_with_it(self):
        self.order(self.machine(1, installs=True))
        client = self.client(lab.Machines.mac(1))
        for name in ("dnsmasq", "nginx"):
            self.wait(lambda: self.boot.child_of(name), f"{name} runs")
            before = self.boot.child_of(name)
            os.kill(before, signal.SIGKILL)
            self.wait(lambda: self.boot.child_of(name) not in (None, before), f"{name} was started again")
        self.assertEqual(client.dhcp(*BIOS), ("10.77.0.11", "undionly.kpxe"))
        self.wait(lambda: client.get(f"http://{self.ADDRESS}:8081/vmlinuz") == b"vmlinuz", "nginx serves")
        children = [self.boot.child_of(name) for name in ("dnsmasq", "nginx")]
        self.boot.kill()
        self.wait(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in children), "they end with nimbus-boot")

    def test_large_bodies_are_refused(self):
        self.order(self.machine(1, installs=True))
        with open(self.folder / "large", "wb") as file:
            file.truncate(2 << 20)
        done = run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Expect:", "--data-binary", f"@{self.folder}/large",
                    f"http://{self.ADDRESS}:8080/v1/report"], check=False)
        self.assertEqual(done.stdout, "413")


class Unprivileged(BootNetwork):
    """As somebody who has nothing but the rights that the systemd unit gives it."""
    NOBODY = 65534

    def start_boot(self):
        unit = (lab.ROOT / "packaging/systemd/nimbus-boot.service").read_text()
        rights = re.search(r"^AmbientCapabilities=(.*)$", unit, re.M).group(1).lower().replace("cap_", "+").split()
        self.assertIn("NoNewPrivileges=yes", unit)
        within = ["setpriv", f"--reuid={self.NOBODY}", f"--regid={self.NOBODY}", "--clear-groups", "--no-new-privs", "--bounding-set=-all," + ",".join(rights),
                  "--inh-caps=-all," + ",".join(rights), "--ambient-caps=-all," + ",".join(rights)]
        boot = lab.NimbusBoot(PROGRAMS / "nimbus-boot", self.folder / "boot", self.image.installer, within=within)
        self.folder.chmod(0o711)
        os.chown(boot.folder, self.NOBODY, self.NOBODY)
        return boot.start()

    def test_it_serves_all_the_same(self):
        self.order(self.machine(1, installs=True))
        client = self.client(lab.Machines.mac(1))
        self.assertEqual(client.dhcp(*EFI), ("10.77.0.11", "snponly.efi"))
        self.assertEqual(client.get(f"tftp://{self.ADDRESS}/snponly.efi"), (IPXE_FOLDER / "snponly.efi").read_bytes())
        self.assertEqual(client.get(f"http://{self.ADDRESS}:8081/ramdisk.img"), b"ramdisk.img")
        self.assertIn(b"kernel http", client.get(f"http://{self.ADDRESS}:8080/ipxe/{lab.Machines.mac(1)}"))
        for pid in (self.boot.child.pid, self.boot.child_of("dnsmasq"), self.boot.child_of("nginx")):
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            self.assertEqual(re.search(r"^Uid:\s+(.*)$", status, re.M).group(1).split(), [str(self.NOBODY)] * 4)


class Changes(BootNetwork):
    def digest(self):
        return hashlib.sha256((IPXE_FOLDER / "undionly.kpxe").read_bytes()).hexdigest()

    def test_a_transfer_outlives_what_others_orders_change(self):
        one, two, three = self.machine(1, installs=True), self.machine(2), self.machine(3, installs=True)
        self.order(one, two)
        first, second, third = (self.client(lab.Machines.mac(number)) for number in (1, 2, 3))
        self.assertEqual(first.dhcp(*BIOS), ("10.77.0.11", "undionly.kpxe"))
        self.assertEqual(second.dhcp(*BIOS), ("10.77.0.12", ""))
        before = self.boot.dnsmasq()
        first.begin_slow_transfer(self.ADDRESS, "undionly.kpxe")
        self.order(one, three)  # one goes, another one comes
        self.assertEqual(third.dhcp(*BIOS), ("10.77.0.13", "undionly.kpxe"))
        self.assertEqual(third.get(f"tftp://{self.ADDRESS}/undionly.kpxe"), (IPXE_FOLDER / "undionly.kpxe").read_bytes())
        self.assertEqual(self.boot.dnsmasq(), before, "dnsmasq was restarted in the middle of a transfer")
        self.assertEqual(first.go_on(), self.digest())
        self.wait(lambda: self.boot.dnsmasq() not in (None, before), "what went is forgotten")
        self.wait(lambda: first.dhcp(*BIOS, tries=1), "dnsmasq serves")
        self.assertIsNone(second.dhcp(*BIOS, tries=2), "a machine that is no longer ordered is served")
        self.assertEqual(third.dhcp(*BIOS), ("10.77.0.13", "undionly.kpxe"))

    def test_a_machine_that_installs_next_waits_only_so_long_for_a_transfer(self):
        one, two = self.machine(1, installs=True), self.machine(2)
        self.order(one, two)
        first, second = (self.client(lab.Machines.mac(number)) for number in (1, 2))
        self.assertEqual(first.dhcp(*BIOS), ("10.77.0.11", "undionly.kpxe"))
        before = self.boot.dnsmasq()
        first.begin_slow_transfer(self.ADDRESS, "undionly.kpxe")  # and never goes on
        self.order(one, self.machine(2, installs=True))
        self.wait(lambda: self.boot.dnsmasq() not in (None, before), "dnsmasq was restarted all the same", 20)
        self.wait(lambda: second.dhcp(*BIOS, tries=1) == ("10.77.0.12", "undionly.kpxe"), "the machine gets what it boots")

    def test_new_machines_cost_no_restart(self):
        self.order(self.machine(1))
        self.wait(self.boot.dnsmasq, "dnsmasq runs")
        before = self.boot.dnsmasq()
        client = self.client(lab.Machines.mac(9))
        self.order(self.machine(1), *(self.machine(number, installs=True) for number in range(2, 30)))
        self.assertEqual(client.dhcp(*BIOS), ("10.77.0.19", "undionly.kpxe"))
        self.assertEqual(self.boot.dnsmasq(), before)
        # It is still so when it would have been restarted by now.
        stays_true(lambda: self.boot.dnsmasq() == before, "dnsmasq goes on", until=lambda: client.dhcp(*EFI, *IPXE) is not None, seconds=20)


if __name__ == "__main__":
    lab.need()
    if not shutil.which("curl"):
        raise SystemExit(lab.SKIP)
    lab.enter_network(machines=0)
    main()
