#!/usr/bin/env python3
"""nimbus-sim's Redfish as OpenStack's client library sees it."""
import os
import sys

import simulator

try:
    import sushy
    import urllib3
except ImportError:
    print("skipped: python3-sushy is not installed")
    sys.exit(77)
urllib3.disable_warnings()
# requests lets these win over verify=False.
for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
    os.environ.pop(name, None)


class Sushy(simulator.Case):
    MACHINES = simulator.Case.MACHINES + "".join(
        f'[[machine]]\nname = "{profile}"\nprofile = "{profile}"\nredfish = "127.77.1.{i}:{{tcp}}"\n'
        for i, profile in enumerate(("idrac9", "ilo5", "ilo6", "xcc", "supermicro", "openbmc", "ami"), 1))
    HOSTS = {profile: f"127.77.1.{i}" for i, profile in enumerate(("idrac9", "ilo5", "ilo6", "xcc", "supermicro", "openbmc", "ami"), 1)}

    def connect(self, host=None, auth=None):
        login = {"auth": auth} if auth else {"username": simulator.USER, "password": simulator.PASSWORD}
        root = sushy.Sushy(f"https://{host or self.HOST}:{self.sim.tcp}", **login, verify=False)
        return root, root.get_system()

    def test_power_boot_inventory(self):
        _, system = self.connect()
        self.assertEqual(system.uuid, self.sim.state("m1")["uuid"])
        self.assertEqual(system.memory_summary.size_gib, 256)
        self.assertEqual(system.processors.summary.count, 64)
        self.assertEqual(len(system.ethernet_interfaces.get_members()), 2)
        self.assertEqual(self.sim.state("m1")["mac"], system.ethernet_interfaces.get_members()[0].mac_address)
        self.assertEqual(len(system.storage.get_members()[0].drives), 2)
        system.set_system_boot_options(target=sushy.BOOT_SOURCE_TARGET_PXE, enabled=sushy.BOOT_SOURCE_ENABLED_ONCE, mode=sushy.BOOT_SOURCE_MODE_UEFI)
        system.reset_system(sushy.RESET_ON)
        self.sim.wait_host("m1", "running")
        boot = self.sim.state("m1")["boot"]
        self.assertEqual((boot["last_device"], boot["last_override"]), ("pxe", "once"))
        system.refresh(force=True)
        self.assertEqual(system.power_state, sushy.SYSTEM_POWER_STATE_ON)
        self.assertEqual(system.boot.enabled, sushy.BOOT_SOURCE_ENABLED_DISABLED)
        system.reset_system(sushy.RESET_FORCE_OFF)
        self.sim.wait_power("m1", "off")

    def test_media_settings_session(self):
        root, system = self.connect()
        manager = root.get_manager()
        disc = [m for m in manager.virtual_media.get_members() if sushy.VIRTUAL_MEDIA_CD in m.media_types][0]
        disc.insert_media("https://images.example/boot.iso")
        self.assertEqual(self.sim.state("m1")["media"][1]["image"], "https://images.example/boot.iso")
        disc.refresh(force=True)
        self.assertTrue(disc.inserted)
        disc.eject_media()
        self.assertEqual(self.sim.state("m1")["media"][1]["image"], "")
        system.bios.set_attribute("ProcVirtualization", "Disabled", apply_time=sushy.APPLY_TIME_ON_RESET)
        self.assertEqual(self.sim.state("m1")["bios_pending"], {"ProcVirtualization": "Disabled"})
        self.assertFalse(system.secure_boot.enabled)
        system.secure_boot.set_enabled(True)
        self.assertTrue(self.sim.state("m1")["secure_boot_wanted"])
        sessions = root.get_session_service()
        self.assertEqual(sessions.session_timeout, 1800)

    def test_a_session_is_opened_used_renewed_and_closed(self):
        login = sushy.auth.SessionAuth(simulator.USER, simulator.PASSWORD)
        root, system = self.connect(auth=login)
        listed = lambda: [s.path for s in root.get_session_service().sessions.get_members()]
        mine = login._session_resource_id
        self.assertIn(mine, listed())
        restarts = self.sim.state("m1")["bmc_restarts"]
        self.sim.control("POST", "/machines/m1/bmc-restart", {"away_ms": 200})
        simulator.wait_for(lambda: self.sim.state("m1")["bmc_up"] and self.sim.state("m1")["bmc_restarts"] > restarts, "the BMC is back")
        system.refresh(force=True)  # the token is gone: sushy logs in again
        self.assertNotEqual(login._session_resource_id, mine)
        again = login._session_resource_id
        login.close()
        self.assertNotIn(again, [s.path for s in self.connect()[0].get_session_service().sessions.get_members()])

    def test_chassis_and_sensors(self):
        root, _ = self.connect()
        chassis = root.get_chassis()
        self.sim.control("POST", "/machines/m1/sensor", {"name": "Inlet Temp", "value": 31})
        self.assertIn(31, [sensor.reading_celsius for sensor in chassis.thermal.temperatures])
        self.sim.control("POST", "/machines/m1/sensor", {"name": "Inlet Temp", "value": None})
        self.assertEqual(len(chassis.thermal.fans), 4)
        self.assertEqual(len(chassis.power.power_supplies), 2)

    def test_updates_and_volumes(self):
        root, system = self.connect()
        update = root.get_update_service()
        self.assertIn("BIOS", [item.identity for item in update.firmware_inventory.get_members()])
        update.simple_update("http://127.0.0.1/bios-7.7.7.bin")
        self.assertTrue(any("SimpleUpdate" in entry["what"] and entry["outcome"] == "202" for entry in self.sim.journal("m1")))
        storage = system.storage.get_members()[0]
        drives = [{"@odata.id": drive.path} for drive in storage.drives]
        storage.volumes.create({"RAIDType": "RAID1", "Links": {"Drives": drives}}, timeout=20)

        simulator.wait_for(lambda: [v["raid"] for v in self.sim.state("m1")["volumes"] if v["ready"]] == ["RAID1"], "the volume")
        volume = self.connect()[1].storage.get_members()[0].volumes.get_members()[0]
        self.assertEqual(volume.raid_type, sushy.RAID_TYPE_RAID1)
        volume.delete(timeout=20)
        self.assertEqual(self.sim.state("m1")["volumes"], [])

    def test_the_vendors_that_it_knows(self):
        for profile, host in self.HOSTS.items():
            with self.subTest(profile):
                _, system = self.connect(host)
                self.assertEqual(system.power_state, sushy.SYSTEM_POWER_STATE_OFF)
                system.reset_system(sushy.RESET_ON)
                self.sim.wait_host(profile, "running")
                self.assertEqual(self.sim.state(profile)["boot"]["last_device"], "disk")


simulator.main()
