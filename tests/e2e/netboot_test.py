#!/usr/bin/env python3
"""nimbus-boot and the installer on a QEMU machine, without a controller: the plan is
made and signed by OpenSSL, power and boot device are set with ipmitool."""
import base64
import hashlib
import json
import os
import shutil

from harness import lab
from harness.case import PROGRAMS, EndToEnd, main
from harness.process import Child, run

NONCE = "0123456789abcdef0123456789abcdef"


class Netboot(EndToEnd):
    DISK_TYPE = "virtio"
    DATA_DISK = False
    KERNEL = None  # of the ramdisk; None: the image's

    def setUp(self):
        super().setUp()
        self.image = lab.Image(PROGRAMS, kernel=self.KERNEL)
        self.mirror = self.own(lab.FileServer(self.folder / "mirror", self.image.folder).start())
        self.boot = self.own(lab.NimbusBoot(PROGRAMS / "nimbus-boot", self.folder / "boot", self.image.installer).start())
        self.machines = self.own(lab.Machines(PROGRAMS / "nimbus-sim", self.folder / "machines", disk_type=self.DISK_TYPE,
                                              data_disk=self.DATA_DISK).start())
        self.signer = self.folder / "signer.pem"
        run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.signer])
        der = self.folder / "signer.der"
        run(["openssl", "pkey", "-in", self.signer, "-pubout", "-outform", "DER", "-out", der])
        self.public = der.read_bytes()[-32:].hex()
        self.user_key = self.folder / "alice"
        self.user_public = lab.make_key(self.user_key)

    def plan(self, **changes):
        return {"action": "install", "run": "r1", "nonce": NONCE, "machine": "lab/v1", "mac": lab.Machines.mac(1),
                "identity": {"serial": self.machines.serial(1)}, "proof": "owner-consents", "image_urls": [self.mirror.url("disk.raw.zst")],
                "image_sha256": self.image.sha256, "image_bytes": self.image.bytes, "instance": "acme/web-1", "hostname": "web-1",
                "user": "debian", "ssh_keys": [self.user_public], **changes}

    def seal(self, plan):
        text = json.dumps(plan).encode()
        message = self.folder / "message"
        message.write_bytes(b"nimbus-plan-1\n" + text)
        signature = self.folder / "signature"
        run(["openssl", "pkeyutl", "-sign", "-inkey", self.signer, "-rawin", "-in", message, "-out", signature])
        return json.dumps({"payload": base64.b64encode(text).decode(), "signature": base64.b64encode(signature.read_bytes()).decode()})

    def put_order(self, plan=None, dhcp="server"):
        machine = {"mac": lab.Machines.mac(1), "name": "v1", "address": "10.77.0.11", "handover": "exit"}
        if plan:
            machine["run"] = {"run": plan["run"], "nonce": plan["nonce"], "plan": self.seal(plan), "key": self.public}
        orders = {"dhcp": dhcp, "cidr": "10.77.0.0/24", "gateway": "10.77.0.1", "machines": [machine]}
        return self.boot.call("PUT", "/v1/orders", json.dumps(orders))

    def order(self, plan=None):
        status, text = self.put_order(plan)
        self.assertEqual(status, 200, text)

    def heard(self):
        status, text = self.boot.call("GET", "/v1/heard/" + lab.Machines.mac(1))
        heard = json.loads(text) if status == 200 else {}
        return json.loads(heard["last"]) if "last" in heard else {}

    def boot_machine(self, *arguments):
        """One that the simulator does not make: no BMC, it runs from now on."""
        serial = self.folder / "serial.log"
        machine = Child("qemu", ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-vga", "none", "-accel",
                                 "tcg,thread=multi,tb-size=256", "-cpu", "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+rdrand", "-m", "512", "-smp", "2",
                                 "-smbios", f"type=1,serial={self.machines.serial(1)}", "-serial", f"file:{serial}", "-no-reboot",
                                 "-netdev", "tap,id=net0,ifname=tap0,script=no,downscript=no", *arguments], self.folder / "qemu.log")
        self.addCleanup(machine.stop)
        return machine

    def power_on_from_network(self):
        self.machines.ipmitool(1, "raw", "0", "8", "5", "0x80", "0x04", "0", "0", "0")  # PXE, once, BIOS
        self.machines.ipmitool(1, "power", "on")

    def finished(self):
        return self.heard().get("stage") in ("installed", "erased", "failed")

    def test_install_login_and_erase(self):
        self.order(self.plan())
        self.power_on_from_network()
        self.wait(self.finished, "the installer has said its last word", 150)
        last = self.heard()
        self.assertEqual(last["stage"], "installed", last)
        known_hosts = self.folder / "known_hosts"
        known_hosts.write_text(f"10.77.0.11 {last['host_key']}\n")
        self.wait(lambda: lab.ssh("10.77.0.11", self.user_key, known_hosts, "true", check=False).returncode == 0, "SSH answers", 240)
        seen = lab.ssh("10.77.0.11", self.user_key, known_hosts, "hostname; df --output=size -m / | tail -1; sudo id -u").stdout.split()
        self.assertEqual(seen[0], "web-1")
        self.assertGreater(int(seen[1]), 1700, "the root was not grown to the disk")
        self.assertEqual(seen[2], "0")

        self.machines.ipmitool(1, "power", "off")
        self.wait(lambda: self.machines.power(1) == "off", "the machine is off")
        self.order(self.plan(action="erase", proof="release", erase="secure", run="r2", nonce=NONCE[::-1]))
        self.power_on_from_network()
        self.wait(self.finished, "the installer has said its last word", 150)
        last = self.heard()
        self.assertEqual(last["stage"], "erased", last)
        self.assertEqual([(record["level"], record["verified"]) for record in last["erased"]], [("secure", True)])
        self.wait(lambda: self.machines.power(1) == "off", "the machine is off")
        with open(self.machines.disk(1), "rb") as disk:
            while piece := disk.read(1 << 20):
                self.assertFalse(piece.strip(b"\0"), "old data is on the disk")

    def test_the_wrong_machine_is_refused(self):
        self.order(self.plan(identity={"serial": "SOMEBODY-ELSE"}))
        self.power_on_from_network()
        self.wait(self.finished, "the installer has said its last word", 120)
        self.assertEqual(self.heard()["stage"], "failed")
        self.assertIn("not the declared machine", self.heard()["message"])
        self.wait(lambda: self.machines.power(1) == "off", "the machine is off")
        self.assertFalse(self.machines.disk(1).read_bytes().strip(b"\0"), "something was written")

    def other_server(self):
        """A DHCP server on the same network that is not ours, in a namespace of its own; it gives the machine its address."""
        lab.ip("link", "add", "rogue0", "type", "veth", "peer", "name", "rogue1")
        lab.ip("link", "set", "rogue0", "master", "br0", "up")
        script = ("until ip link set rogue1 up 2>/dev/null; do sleep 0.05; done; ip addr add 10.77.0.200/24 dev rogue1; "
                  "exec dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --interface=rogue1 --bind-interfaces --user=root "
                  f"--dhcp-range=10.77.0.210,10.77.0.220,1h --dhcp-host={lab.Machines.mac(1)},10.77.0.11 --dhcp-option=option:router,10.77.0.1 "
                  f"--dhcp-leasefile={self.folder}/rogue.leases --pid-file={self.folder}/rogue.pid")
        rogue = Child("rogue", ["unshare", "--net", "sh", "-c", script], self.folder / "rogue.log")
        self.addCleanup(rogue.stop)
        here = os.readlink("/proc/self/ns/net")
        self.wait(lambda: os.readlink(f"/proc/{rogue.pid}/ns/net") != here, "it is on a network of its own", 20)
        lab.ip("link", "set", "rogue1", "netns", str(rogue.pid))
        self.wait(lambda: (self.folder / "rogue.pid").exists(), "the other server runs", 20)
        return rogue

    def test_no_dhcp_beside_another_server(self):
        rogue = self.other_server()
        status, text = self.put_order()
        self.assertEqual(status, 409, text)
        self.assertIn("10.77.0.200", text)
        rogue.stop()
        lab.ip("link", "del", "rogue0")
        self.order()  # alone now: served

    def test_install_beside_another_server(self):
        """dhcp = "proxy": addresses are the other server's business, what to boot is ours."""
        self.other_server()
        status, text = self.put_order(self.plan(), dhcp="proxy")
        self.assertEqual(status, 200, text)
        self.power_on_from_network()
        self.wait(self.finished, "the installer has said its last word", 150)
        self.assertEqual(self.heard()["stage"], "installed", self.heard())
        lab.ip("link", "del", "rogue0")


class Chain(Netboot):
    """From firmware that knows nothing of iPXE: DHCP, iPXE over TFTP, DHCP again, the script; once."""
    test_install_login_and_erase = test_the_wrong_machine_is_refused = None
    test_no_dhcp_beside_another_server = test_install_beside_another_server = None

    def chain_ends_in_the_installer(self, name):
        self.order(self.plan(action="inspect"))
        log, boot_log = self.folder / "boot/state/dnsmasq.log", self.folder / "boot/log"
        served = lambda: boot_log.read_text().count("script-served")
        self.wait(served, "iPXE has asked for its script", 120)
        said = log.read_text()
        self.assertIn(f"/{name} to 10.77.0.11", said)  # UEFI asks twice: at first for the size alone
        self.assertEqual(said.count("DHCPACK(br0) 10.77.0.11"), 2, said)  # to the firmware and to iPXE
        self.wait(lambda: self.heard().get("stage"), "the installer has checked in", 150)
        self.assertEqual(served(), 1, "it was chain-loaded more than once")

    def test_uefi_firmware_loads_snponly(self):
        variables = self.folder / "vars.fd"
        shutil.copy("/usr/share/OVMF/OVMF_VARS_4M.fd", variables)
        self.boot_machine("-machine", "q35", "-drive", "if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd",
                          "-drive", f"if=pflash,unit=1,format=raw,file={variables}",
                          "-device", f"virtio-net-pci,netdev=net0,mac={lab.Machines.mac(1)},romfile=,bootindex=1")
        self.chain_ends_in_the_installer("snponly.efi")

    def test_bios_pxe_stack_loads_undionly(self):
        """No option ROM of QEMU is without iPXE: what a PXE ROM does before is done by a script, what it offers to undionly.kpxe
        (UNDI) is a real PXE stack. The first DHCP answer, to a client without iPXE, is asked for in boot_network_test."""
        script = self.folder / "rom.ipxe"
        script.write_text(f"#!ipxe\ndhcp && chain tftp://{lab.ADDRESS}/undionly.kpxe || poweroff\n")
        self.boot_machine("-machine", "pc,graphics=off", "-kernel", "/usr/lib/ipxe/ipxe.lkrn", "-initrd", script,
                          "-device", f"virtio-net-pci,netdev=net0,mac={lab.Machines.mac(1)},romfile=")
        self.chain_ends_in_the_installer("undionly.kpxe")


class Nvme(Netboot):
    """QEMU's NVMe disk, which has Format NVM and no sanitize."""
    DISK_TYPE = "nvme"
    test_install_login_and_erase = test_the_wrong_machine_is_refused = None
    test_no_dhcp_beside_another_server = test_install_beside_another_server = None

    def test_erase_by_the_disks_own_command(self):
        disk = self.machines.disk(1)
        lab.write_here_and_there(disk, 2)
        self.order(self.plan(action="erase", proof="release", erase="secure"))
        self.power_on_from_network()
        self.wait(self.finished, "the installer has said its last word", 150)
        last = self.heard()
        self.assertEqual(last["stage"], "erased", last)
        self.assertEqual([(record["method"], record["verified"]) for record in last["erased"]], [("nvme-format", True)])
        self.wait(lambda: self.machines.power(1) == "off", "the machine is off")
        with open(disk, "rb") as file:
            while piece := file.read(1 << 20):
                self.assertFalse(piece.strip(b"\0"), "old data is on the disk")

    def test_a_disk_with_multipath_is_one_disk(self):
        """As disks for data centres are, here with two controllers: Linux shows the disk, and hidden both ways to it."""
        disk = self.folder / "disk.raw"
        lab.write_here_and_there(disk, 1)
        self.order(self.plan(action="erase", proof="release", erase="secure"))
        self.boot_machine("-machine", "pc,graphics=off", "-device", "nvme-subsys,id=subsystem0,nqn=one",
                          "-device", "nvme,id=nvme0,serial=MULTI1,subsys=subsystem0",
                          "-device", "nvme,id=nvme1,serial=MULTI1,subsys=subsystem0", "-drive", f"if=none,id=drive0,file={disk},format=raw",
                          "-device", "nvme-ns,drive=drive0,bus=nvme0,nsid=1,shared=on",
                          "-device", f"virtio-net-pci,netdev=net0,mac={lab.Machines.mac(1)},bootindex=1")
        self.wait(self.finished, "the installer has said its last word", 150)
        last = self.heard()
        self.assertEqual(last["stage"], "erased", last)
        self.assertEqual([(disk["serial"], disk["path"]) for disk in last["inventory"]["disks"]], [("MULTI1", "")], last)
        self.assertEqual([(record["method"], record["verified"]) for record in last["erased"]], [("nvme-format", True)])


class Sata(Netboot):
    """Two SATA disks on AHCI, with Debian's kernel for hardware. QEMU's have neither security commands nor sanitize."""
    DISK_TYPE = "sata"
    DATA_DISK = True
    KERNEL = "linux-image-amd64"
    test_install_login_and_erase = test_the_wrong_machine_is_refused = None
    test_no_dhcp_beside_another_server = test_install_beside_another_server = None

    def run_until(self, stage, plan):
        self.order(plan)
        self.power_on_from_network()
        self.wait(lambda: self.finished() or self.heard().get("stage") == stage, "the installer has said its last word", 480)
        last = self.heard()
        self.assertEqual(last["stage"], stage, last)
        self.machines.ipmitool(1, "power", "off")
        self.wait(lambda: self.machines.power(1) == "off", "the machine is off")
        return last

    def digest(self, path):
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def test_install_by_serial_number_and_erase(self):
        data = self.machines.data_disk(1)
        kept = self.digest(data)
        seen = self.run_until("checked-in", self.plan(action="inspect"))["inventory"]["disks"]
        seen.sort(key=lambda disk: disk["path"])  # sda and sdb are what was found first
        self.assertEqual([disk["path"].rpartition("-ata-")[2] for disk in seen], ["1", "2"], seen)
        self.assertEqual(len({disk["serial"] for disk in seen} - {""}), 2, seen)
        self.assertTrue(all(disk["wwn"].startswith("naa.5") and disk["id"] == "wwn." + disk["wwn"] for disk in seen), seen)

        declared = {"serial": seen[0]["serial"], "wwn": "0x" + seen[0]["wwn"].removeprefix("naa.").upper()}
        last = self.run_until("installed", self.plan(run="r2", root_disk=declared))
        self.assertEqual(last["disk"], seen[0]["id"], last)
        with open(self.machines.disk(1), "rb") as disk:
            self.assertEqual(disk.read(520)[510:], b"\x55\xaaEFI PART", "no partition table was written")
        self.assertEqual(self.digest(data), kept, "the other disk was written")

        last = self.run_until("erased", self.plan(action="erase", proof="release", erase="secure", run="r3"))
        self.assertCountEqual([(record["disk"], record["method"], record["verified"]) for record in last["erased"]],
                              [(disk["id"], "overwrite (the disk has no security commands)", True) for disk in seen])
        for path in (self.machines.disk(1), data):
            with open(path, "rb") as disk:
                while piece := disk.read(1 << 20):
                    self.assertFalse(piece.strip(b"\0"), "old data is on the disk")


if __name__ == "__main__":
    lab.need()
    lab.Image(PROGRAMS, kernel=Sata.KERNEL)  # which may have to be fetched: from outside the network that is entered now
    lab.enter_network()
    main()
