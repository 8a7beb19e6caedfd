#!/usr/bin/env python3
"""Every Redfish answer of the polite profile against DMTF's schemas, by DMTF's own validator.

schemas_test.py NIMBUS_SIM VALIDATOR SCHEMAS: VALIDATOR is rf_service_validator, and SCHEMAS a folder
with the CSDL files of DSP8010. Skipped without them.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

import simulator

VALIDATOR, SCHEMAS = sys.argv[2:4]
if not os.path.exists(VALIDATOR):
    print("skipped: rf_service_validator is not installed (scripts/setup does it)")
    sys.exit(77)
if not os.path.exists(os.path.join(SCHEMAS, "ServiceRoot_v1.xml")):
    print(f"skipped: no schemas in {SCHEMAS} (scripts/setup fetches them)")
    sys.exit(77)
V1 = "/redfish/v1"
RESOURCES_AT_LEAST = 70
# The only complaints that are allowed: old forms that clients still look for stand beside the new ones.
ALLOWED = re.compile(r"Deprecated (Property|URI) Warning")


class Schemas(simulator.Case):
    MACHINES = '[[machine]]\nname = "m1"\npower = "{power}"\nredfish = "127.77.0.1:{tcp}"\n'

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def fill(self, sim):
        """Resources that exist only when somebody made them."""
        client = simulator.Redfish(self.HOST, sim.tcp)
        drives = [{"@odata.id": member["@odata.id"]} for member in client.get(V1 + "/Systems/1/Storage/1")["Drives"]]
        for path, body, expect in (
                ("/EventService/Subscriptions", {"Destination": "http://127.0.0.1:9/x", "Protocol": "Redfish", "Context": "c",
                                                  "ResourceTypes": ["Drive"]}, 201),  # never told: nobody listens, and it would be ended
                ("/Systems/1/Storage/1/Volumes", {"RAIDType": "RAID1", "Links": {"Drives": drives[:2]}}, 202),
                ("/Managers/1/VirtualMedia/2/Actions/VirtualMedia.InsertMedia", {"Image": "http://127.0.0.1/x.iso"}, 204),
                ("/AccountService/Accounts", {"UserName": "other", "Password": "other-word", "RoleId": "ReadOnly"}, 201)):
            status, answer = client.call("POST", V1 + path, body)
            self.assertEqual(status, expect, answer)
        simulator.wait_for(lambda: client.get(V1 + "/Systems/1/Storage/1/Volumes")["Members"], "the volume")
        return client

    def validate(self, power):
        sim = simulator.Simulator(self.MACHINES.replace("{power}", power))
        folder = tempfile.mkdtemp(prefix="nimbus-schemas-")
        try:
            client = self.fill(sim)
            sim.control("POST", "/machines/m1/power", {"action": "Nmi" if power == "on" else "On"})
            simulator.wait_for(lambda: client.get(V1 + "/Systems/1/LogServices/SEL/Entries")["Members"], "a log entry")
            shutil.copytree(SCHEMAS, folder + "/schemas")
            done = subprocess.run([VALIDATOR, "-r", f"https://{self.HOST}:{sim.tcp}", "-u", simulator.USER, "-p", simulator.PASSWORD,
                                   "--skipschema", "--schema_directory", folder + "/schemas", "--logdir", folder], capture_output=True, text=True,
                                  timeout=280, env={**os.environ, "no_proxy": "*"})
            visited = re.findall(r"^Validating (\S+)\.\.\.$", done.stdout, re.M)
            with open(glob.glob(folder + "/*/*Debug*.log")[0]) as log:
                findings = [line for line in log if re.search(r" - (FAIL|WARN) - |ERROR", line)]
            return visited, [line for line in findings if not ALLOWED.search(line)], done.stdout
        finally:
            sim.stop()
            shutil.rmtree(folder)

    def test_nothing_to_complain_about(self):
        for power in ("on", "off"):
            with self.subTest(power=power):
                visited, findings, output = self.validate(power)
                self.assertGreaterEqual(len(visited), RESOURCES_AT_LEAST, output)
                for part in ("/Volumes/1", "/Subscriptions/1", "/Tasks/1", "/SEL/Entries/1", "/Registries/Base/Base", "/SecureBoot",
                             "/BootOptions/Boot0000", "/BootOptions/Boot0004"):
                    self.assertTrue(any(path.endswith(part) for path in visited), f"{part} was not visited: {visited}")
                self.assertEqual(findings, [], "".join(findings))


sys.argv = sys.argv[:2]
simulator.main()
