#!/usr/bin/env python3
"""What goes wrong while a machine is installed: each ends held, explained and unharmed,
or it converges. The machines are files (harness/paper.py)."""
import json
import shutil
import socket

from harness import lab
from harness.case import PROGRAMS
from harness.paper import IpmiSimBmcs, SimBmcs
from harness.paper_case import DEADLINES, Paper, main


class Life(Paper):
    def test_install_second_pass_and_release(self):
        self.start_machine()
        self.site().registry.write("tenants/acme/files/web.yaml", "#cloud-config\nruncmd: [\"true\"]\n")
        self.site().registry.write("providers/lab/networks/acme.toml", """\
            cidr = "10.99.0.0/24"
            role = "tenant"
            vlan = 120
            tenants = ["acme"]
            """)
        self.access = 'user_data = "files/web.yaml"\n            [[network]]\n            name = "acme"\n            address = "10.99.0.7"'
        controller = self.ask()
        self.until_running()
        seed = self.box.folder / "seed"
        self.assertEqual((seed / "user-data").read_text(), "#cloud-config\nruncmd: [\"true\"]\n")
        network = json.loads((seed / "network-config").read_text())
        self.assertEqual(network["vlans"]["vlan120"], {"id": 120, "link": "boot", "addresses": ["10.99.0.7/24"]})
        self.wait(self.settled, "status has settled")
        head, writes = self.site().status.head(), len(self.machines.writes(1))
        self.looks_again(controller)
        self.assertEqual(self.site().status.head(), head)
        self.assertEqual(len(self.machines.writes(1)), writes)
        self.assertEqual(self.installs(), 1)
        self.release()
        self.until(lambda: self.machine().get("phase") == "available", "the machine is erased", 90)
        self.assertTrue(all(record["verified"] for record in self.machine()["erased"]))
        checks = {check["what"]: check["result"] for check in self.machine()["check"]}
        self.assertEqual(checks["accounts"], "same")
        self.assertEqual(checks["boot-override"], "done")
        self.assertLessEqual({"virtual-media", "firmware"}, checks.keys())
        self.assertFalse(self.box.disk().read_bytes().strip(b"\0"), "old data is on the disk")

    def test_reinstall_keeps_the_data_disk(self):
        self.start_machine(disks=2)
        data = b"precious".rjust(1 << 20, b"\1") * 12
        self.box.disk(1).write_bytes(data)
        self.write_machine(more='[hardware]\n            root_disk = { serial = "DISK-1-0" }')
        self.ask()
        self.until_running()
        self.write_instance(protected=False)
        self.site().registry.publish("Unprotect")
        self.wait(lambda: self.instance().get("unprotected_since"), "status tells that it is unprotected")
        self.write_instance(protected=False, more="reinstall = 1")
        self.site().registry.publish("Reinstall")
        self.until(lambda: self.machine().get("installed", {}).get("reinstall") == 1 and self.installed(), "it is installed again", 90)
        self.assertEqual(self.installs(), 2)
        self.assertEqual(self.box.disk(1).read_bytes(), data)

    def test_a_machine_with_data_and_default_settings_is_never_placed(self):
        self.start_machine()
        before = b"precious".rjust(1 << 20, b"\0")
        self.box.disk().write_bytes(before)
        self.write_registry(existing_data="keep")
        controller = self.ask()
        self.wait(lambda: "may hold data" in self.instance().get("message", ""), "status says why it waits")
        self.looks_again(controller, 10)
        self.assertEqual(self.machines.writes(1), [])
        self.assertEqual(self.box.lines, [])
        self.assertEqual(self.box.disk().read_bytes(), before)
        self.assertNotIn("claim", self.machine())


class IpmiSim(Paper):
    """Behind a BMC that this project did not write."""
    IPMI = 'privilege = "administrator"\ncipher_suite = 3\nquirks = ["bootflagsvalid"]'

    def make_bmcs(self):
        return IpmiSimBmcs(self.folder / "bmcs")

    def test_install_and_release(self):
        self.start_machine()
        self.ask()
        self.until_running()
        self.release()
        self.until(lambda: self.machine().get("phase") == "available", "the machine is erased", 90)
        self.assertEqual(self.installs(), 1)
        self.assertFalse(self.box.disk().read_bytes().strip(b"\0"), "old data is on the disk")


class Image(Paper):
    def test_another_digest(self):
        self.start_machine()
        self.write_registry(sha256="0" * 63 + "1")
        self.ask()
        self.until_held("the image's SHA-256 is")
        self.assertFalse(self.box.bootable(), "what failed its digest boots")

    def test_a_stream_that_ends_early(self):
        self.start_machine()
        image = self.image.folder / self.image.name
        image.write_bytes(image.read_bytes()[:3 << 20])
        self.ask()
        self.until_held("the installer refused or failed")
        self.assertFalse(self.box.bootable(), "a part of an image boots")


class Source(Paper):
    """Where an image comes from: image_sources, and nothing that is near."""

    def serve(self, place):
        """Everything below /away/ is said to be there."""
        self.mirror.stop()
        self.mirror = self.own(lab.FileServer(self.folder / "mirror2", self.image.folder, more=f"location /away/ {{ return 302 {place}; }}").start())

    def test_a_redirect_to_a_source_that_is_allowed(self):
        self.serve(self.mirror.url("disk.raw"))
        self.write_registry(image_name="away/disk.raw")
        self.start_machine()
        self.ask()
        self.until_running()

    def test_a_redirect_elsewhere(self):
        self.serve("http://127.0.0.1:8090/disk.raw")
        self.write_registry(image_name="away/disk.raw")
        self.start_machine()
        self.ask()
        self.until_held("leads to http://127.0.0.1:8090/disk.raw, which is not allowed")
        self.assertFalse(self.box.bootable())

    def test_a_redirect_to_a_bmc_that_is_on_no_declared_network(self):
        bmc = "10.78.0.9"
        self.serve(f"http://{bmc}:8090/disk.raw")
        self.write_registry(image_name="away/disk.raw")
        self.site().registry.write("providers/lab/machines/v2.toml", f"""\
            [bmc]
            driver = "ipmi"
            address = "{bmc}:623"
            credentials = ["bmc/lab"]
            [identity]
            serial = "ANOTHER-1"
            """)
        self.start_machine()
        self.ask(image_sources=[self.mirror.url(""), f"http://{bmc}:8090/"])
        self.until_held(f"no image is fetched from {bmc}:8090, which is on {bmc}/32")
        self.assertFalse(self.box.bootable())

    def test_redirects_without_end(self):
        self.serve(self.mirror.url("away/again"))
        self.write_registry(image_name="away/disk.raw")
        self.start_machine()
        self.ask()
        self.until_held("from one place to the next, without end")

    def test_an_image_on_the_provisioning_network(self):
        near = f"http://{lab.ADDRESS}:8090/"
        self.write_registry(image_name="disk.raw")
        path = "images/debian-12.toml"
        self.site().registry.edit(path, self.mirror.url("disk.raw"), near + "disk.raw")
        self.start_machine()
        self.ask(image_sources=[near])
        self.until_held("a network of provisioning or of BMCs")
        self.assertEqual(self.box.lines, [], "the machine was switched on")


class Disks(Paper):
    def test_two_disks_match(self):
        self.start_machine(disks=2)
        self.ask()
        self.until_held("several disks match hardware.root_disk")
        for index in range(2):
            self.assertFalse(self.box.disk(index).read_bytes().strip(b"\0"), "something was written")


class Replace(Paper):
    """on_machine_failure = "replace": two machines, and the first does not boot from the network."""

    def make_bmcs(self):
        return SimBmcs(PROGRAMS / "nimbus-sim", self.folder / "bmcs", count=2)

    def secret_addresses(self):
        return [self.machines.address(number) for number in (1, 2)]

    def test_on_another_machine_and_the_first_is_kept_aside(self):
        self.start_machine().deaf = True
        other = self.add_machine(2)
        for number in (1, 2):
            self.write_machine(number=number)
        self.site().registry.write("policy/limits.toml", '[destructive]\nper = "1s"\n')
        self.site().registry.publish("Two machines")
        controller = self.start_controller(install=DEADLINES.replace("8s", "3s"))
        # Both were looked at: who was not is no candidate, and the other one would be chosen.
        self.wait(lambda: all(self.machine(name).get("power") == "off" for name in ("v1", "v2")), "both are seen to be off")
        self.write_instance(protected=False, more='on_machine_failure = "replace"')
        self.site().registry.publish("An instance")
        self.wait(lambda: self.instance().get("machine") == "v2" and self.installed(), "it runs on the other machine", 120)
        self.assertEqual(other.endings, [10])
        first = self.machine("v1")
        self.assertEqual(first["phase"], "quarantined")
        self.assertEqual(first["claim"]["instance"], "acme/web-1")
        self.assertTrue(first["claim"]["left"])
        self.assertIn("did not boot from the network", first["condition"]["hold"]["message"])
        self.assertEqual(self.machines.power(1), "off")
        why = json.loads(controller.get("/v1/machines/v1")[1])
        self.assertEqual(why["waiting_for"], "a person")
        self.assertIn("went to another machine", why["next_step"])
        # Somebody switches it on: it is not left on beside its successor.
        self.machines.call("POST", "/machines/v1/power", {"action": "On"})
        self.wait(lambda: self.machines.power(1) == "off", "it is switched off again", 90)
        # Somebody repairs it.
        self.box.deaf = False
        registry = self.site().registry
        path = "providers/lab/machines/v1.toml"
        registry.edit(path, "[lifecycle]", '[lifecycle]\n            state = "maintenance"')
        registry.publish("Repair it")
        self.wait(lambda: "maintenance" in self.machine("v1").get("condition", {}), "it is in maintenance")
        registry.edit(path, 'state = "maintenance"', "")
        registry.publish("Repaired")
        self.wait(lambda: self.machine("v1").get("phase") == "available", "it is erased and free", 90)
        self.assertEqual(self.box.endings, [11])
        self.assertEqual(self.instance()["machine"], "v2")
        self.assertTrue(self.installed())
        self.assertEqual(other.endings, [10])


class Cabling(Paper):
    """A switch speaks on the wire while the image is written."""
    RATE = "2m"

    def test_a_cable_in_another_port_is_drift(self):
        self.write_machine(more=f"""[[hardware.nic]]
            mac = "{lab.Machines.mac(1)}"
            switch = "leaf-b2"
            port = "Ethernet17"
            """)
        self.start_machine()
        self.ask()
        self.until_written()
        self.box.hear_switch("leaf-b3", "Ethernet1")
        self.until_running()
        seen = self.machine()["ramdisk"]["neighbour"]
        self.assertEqual([(one["nic"], one["system"], one["port"]) for one in seen], [(self.box.mac, "leaf-b3", "Ethernet1")])
        drift = {one["key"]: (one["desired"], one["observed"]) for one in self.machine()["drift"]}
        self.assertEqual(drift["hardware.cable." + self.box.mac], ("leaf-b2 Ethernet17", "leaf-b3 Ethernet1"))


    def test_a_nic_that_is_down_is_brought_up_to_listen_and_says_nothing(self):
        self.start_machine()
        mac, wire = self.box.add_nic()
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as ear:  # ETH_P_ALL
            ear.bind((wire, 3))
            ear.setblocking(False)
            self.assertNotIn("UP", self.box.nic()["flags"])
            self.ask()
            self.until_written()
            self.assertIn("UP", self.box.nic()["flags"])
            self.box.hear_switch("leaf-b4", "Ethernet2", wire)
            self.until_running()
            self.assertNotIn("UP", self.box.nic()["flags"])
            self.assertEqual(self.box.nic()["addr_info"], [])
            self.assertEqual([frame.hex() for frame in self.heard(ear)], [], "the installer spoke on it")
        self.assertEqual([(one["nic"], one["system"], one["port"]) for one in self.machine()["ramdisk"]["neighbour"]],
                         [(mac, "leaf-b4", "Ethernet2")])

    @staticmethod
    def heard(ear):
        """What came from the other end."""
        while True:
            try:
                frame, where = ear.recvfrom(65536)
            except BlockingIOError:
                return
            if where[2] != socket.PACKET_OUTGOING:
                yield frame


class WrongMachine(Paper):
    def test_its_firmware_says_who_it_is(self):
        self.start_machine(serial="SOMEBODY-ELSE")
        self.ask()
        self.until_held("this is not the declared machine")
        self.assertFalse(self.box.disk().read_bytes().strip(b"\0"), "something was written")


class Network(Paper):
    def test_no_dhcp(self):
        self.boot.stop()
        with open(self.boot.configuration, "a") as file:
            file.write('dnsmasq = "/bin/false"\n')
        self.boot.start()
        self.start_machine()
        self.ask(install=DEADLINES.replace("8s", "4s"))
        self.until_held("the machine did not boot from the network; given up after 3 attempts", 120)
        self.assertFalse(self.box.disk().read_bytes().strip(b"\0"), "something was written")


class Cut(Paper):
    RATE = "2m"

    def test_the_image_server_goes_away_in_the_middle(self):
        self.start_machine()
        self.ask()
        self.until_written()
        self.mirror.kill()
        self.mirror.start()
        self.until_running()
        self.assertEqual(self.box.endings, [10])

    def test_the_data_folder_is_lost_in_the_middle(self):
        self.start_machine()
        controller = self.ask()
        self.until_written()
        controller.kill()
        shutil.rmtree(controller.data)
        controller.data.mkdir(mode=0o700)
        controller.start()
        self.wait(lambda: "journal of the run that was under way is lost" in self.hold(), "it is held")
        runs, writes = len(self.box.endings) + 1, len(self.machines.writes(1))
        self.looks_again(controller)
        self.assertEqual(len(self.machines.writes(1)), writes, "it was switched again")
        self.assertLessEqual(len(self.box.endings), runs)

    def test_two_controllers_one_wakes_up_in_the_middle(self):
        self.start_machine()
        first = self.ask()
        self.until_written()
        first.pause()
        term = self.site().status.controller()["controller"]["term"]
        second = self.new_controller("controller-2", install=DEADLINES).start()
        self.wait(lambda: self.site().status.controller()["controller"]["term"] > term, "the second one takes over")
        self.wait(self.hold, "the second one holds what it does not know")
        first.resume()
        self.wait(lambda: first.metrics().get("nimbus_term") == 0, "the first one knows that it is deposed")
        writes = len(self.machines.writes(1))
        self.looks_again(second)
        self.looks_again(first)
        self.assertEqual(len(self.machines.writes(1)), writes)
        self.assertEqual(sum("runs the installer" in line for line in self.box.lines), 1, self.box.lines)


class Forge(Paper):
    RATE = "2m"

    def test_down_before_the_intent_it_waits(self):
        self.start_machine()
        controller = self.ask(publish="4s")
        self.wait(lambda: "[claimed]" in controller.log.read_text(), "the machine is claimed")
        self.site().forge.stop()
        self.looks_again(controller, 10)
        self.assertEqual(self.machines.writes(1), [])
        self.site().forge.start()
        self.until_running()

    def test_down_after_the_intent_it_finishes(self):
        self.start_machine()
        controller = self.ask()
        self.until_written()
        self.site().forge.stop()
        self.wait(lambda: "[run-done]" in controller.log.read_text(), "the run is done")
        self.assertTrue(self.box.bootable())
        self.site().forge.start()
        self.until_running()
        self.assertEqual(self.box.endings, [10])


if __name__ == "__main__":
    main()
