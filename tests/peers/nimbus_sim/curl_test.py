#!/usr/bin/env python3
"""nimbus-sim's Redfish as curl and a plain HTTP client see it."""
import json
import os
import re
import socket
import subprocess

import simulator

simulator.need("curl")


class Curl(simulator.Case):
    def setUp(self):
        self.redfish = simulator.Redfish(self.HOST, self.sim.tcp)
        self.base = f"https://{self.HOST}:{self.sim.tcp}"

    def curl(self, path, *words):
        return self.run_tool("curl", "-sS", "--cacert", self.certificate(), "-u", f"{simulator.USER}:{simulator.PASSWORD}", *words, self.base + path)

    def certificate(self):
        path = os.path.join(self.sim.folder, "ca.pem")
        with open(path, "w") as file:
            file.write(self.sim.control("GET", "/certificate")["pem"])
        return path

    def test_certificate_pin_and_power(self):
        pin = self.sim.control("GET", "/certificate")["pin"].replace("spki-sha256:", "sha256//")
        self.assertIn("PowerState", self.curl("/redfish/v1/Systems/1", "--pinnedpubkey", pin))
        wrong = "sha256//" + "A" * 43 + "="
        self.run_tool("curl", "-sSk", "--pinnedpubkey", wrong, self.base + "/redfish/v1/", expect=90)
        self.curl("/redfish/v1/Systems/1/Actions/ComputerSystem.Reset", "-d", '{"ResetType": "On"}')
        self.sim.wait_power("m1", "on")
        self.assertIn('"PowerState":"On"', self.curl("/redfish/v1/Systems/1"))

    def show(self, path):
        return json.loads(self.curl(path))

    def test_boot_device_inventory_sensors_log_and_media(self):
        system, media = "/redfish/v1/Systems/1", "/redfish/v1/Managers/1/VirtualMedia/2"
        self.sim.control("POST", "/machines/m1/power", {"action": "ForceOff"})
        self.sim.wait_power("m1", "off")
        truth = self.sim.state("m1")
        shown = self.show(system)
        self.assertEqual((shown["UUID"], shown["SerialNumber"]), (truth["uuid"], truth["serial"]))
        self.assertEqual((shown["ProcessorSummary"]["Count"], shown["MemorySummary"]["TotalSystemMemoryGiB"]), (2, 256))
        first = self.show(system + "/EthernetInterfaces")["Members"][0]["@odata.id"]
        self.assertEqual(self.show(first)["MACAddress"].lower(), truth["mac"])
        drive = self.show(self.show(system + "/Storage/1")["Drives"][0]["@odata.id"])
        self.assertGreater(drive["CapacityBytes"], 1 << 30)

        self.curl(system, "-X", "PATCH", "-d", '{"Boot": {"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "Cd", "BootSourceOverrideMode": "UEFI"}}')
        self.curl(media + "/Actions/VirtualMedia.InsertMedia", "-d", '{"Image": "https://images.example/x.iso"}')
        self.assertEqual(self.show(media)["Image"], "https://images.example/x.iso")
        boots = truth["boot"]["boots"]
        self.curl(system + "/LogServices/SEL/Actions/LogService.ClearLog", "-X", "POST", "-d", "{}")
        self.curl(system + "/Actions/ComputerSystem.Reset", "-d", '{"ResetType": "On"}')
        simulator.wait_for(lambda: self.sim.state("m1")["boot"]["boots"] > boots, "a boot")
        self.assertEqual(self.sim.state("m1")["boot"]["last_device"], "cd")
        self.curl(media + "/Actions/VirtualMedia.EjectMedia", "-d", "{}")
        self.assertEqual(self.sim.state("m1")["media"][1]["image"], "")

        self.sim.control("POST", "/machines/m1/sensor", {"name": "Inlet Temp", "value": 43})
        self.assertEqual(self.show("/redfish/v1/Chassis/1/Thermal")["Temperatures"][0]["ReadingCelsius"], 43)
        sensors = [member["@odata.id"] for member in self.show("/redfish/v1/Chassis/1/Sensors")["Members"]]
        self.assertEqual(self.show(next(path for path in sensors if path.endswith("Inlet_Temp")))["Reading"], 43)
        self.assertTrue(self.show(system + "/LogServices/SEL/Entries")["Members"])
        self.sim.control("POST", "/machines/m1/sensor", {"name": "Inlet Temp", "value": None})

    def test_every_link_leads_somewhere(self):
        seen, todo = set(), ["/redfish/v1/"]
        types = set()

        def links(value):
            if isinstance(value, dict):
                for key, item in value.items():
                    if key in ("@odata.id", "DataSourceUri", "Uri", "@Redfish.ActionInfo"):
                        yield item.split("#")[0]
                    yield from links(item)
            elif isinstance(value, list):
                for item in value:
                    yield from links(item)

        while todo:
            path = todo.pop()
            if path.rstrip("/") in seen:
                continue
            seen.add(path.rstrip("/"))
            body = self.redfish.get(path)
            if "@odata.id" in body:
                self.assertEqual(body["@odata.id"].rstrip("/"), path.rstrip("/"))
                self.assertRegex(body["@odata.type"], r"^#[A-Za-z]+\.(v\d+_\d+_\d+\.)?[A-Za-z]+$")
                self.assertTrue(body["Name"])
                types.add(re.split(r"[#.]", body["@odata.type"])[1])
            if "Members" in body:
                self.assertEqual(body["Members@odata.count"], len(body["Members"]))
            todo.extend(links(body))
        for kind in ("ComputerSystem", "Manager", "Chassis", "Bios", "SecureBoot", "VirtualMedia", "Drive", "EthernetInterface", "Thermal", "Power",
                     "ThermalMetrics", "PowerSupply", "Sensor", "LogService", "ManagerAccount", "Role", "TaskService", "SessionService", "AttributeRegistry"):
            self.assertIn(kind, types)

    def test_action_targets_exist(self):
        for path in ("/redfish/v1/Systems/1", "/redfish/v1/Managers/1", "/redfish/v1/Systems/1/Bios"):
            for action in self.redfish.get(path)["Actions"].values():
                self.assertNotIn(self.redfish.call("GET", action["target"])[0], (200, 404))

    def test_errors(self):
        call = self.redfish.call
        reset = "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset"
        for method, path, body, status, message in (
                ("GET", "/redfish/v1/Systems/9", None, 404, "ResourceMissingAtURI"),
                ("POST", reset, {}, 400, "ActionParameterMissing"),
                ("POST", reset, {"ResetType": "Explode"}, 400, "ActionParameterValueNotInList"),
                ("POST", reset, {"ResetType": 7}, 400, "ActionParameterValueTypeError"),
                ("PATCH", "/redfish/v1/Systems/1", {"Model": "x"}, 400, "PropertyNotWritable"),
                ("PATCH", "/redfish/v1/Systems/1", {"Colour": "x"}, 400, "PropertyUnknown"),
                ("PATCH", "/redfish/v1/Systems/1", {"Boot": {"BootSourceOverrideTarget": "Moon"}}, 400, "PropertyValueNotInList"),
                ("DELETE", "/redfish/v1/Systems/1", None, 405, "OperationNotAllowed"),
                ("PATCH", "/redfish/v1/Systems/1/Bios/Settings", {"Attributes": {"Nope": 1}}, 400, "PropertyUnknown"),
                ("PATCH", "/redfish/v1/Systems/1/Bios/Settings", {"Attributes": {"LogicalProc": "Perhaps"}}, 400, "PropertyValueNotInList")):
            got, answer = call(method, path, body)
            self.assertEqual(got, status, f"{method} {path} {answer}")
            self.assertTrue(answer["error"]["code"].endswith(message), answer)
        self.redfish.connection.request("PATCH", "/redfish/v1/Systems/1", "{not json", self.redfish.headers)
        answer = self.redfish.connection.getresponse()
        self.assertEqual((answer.status, b"MalformedJSON" in answer.read()), (400, True))

    def test_etags(self):
        path = "/redfish/v1/Systems/1"
        self.redfish.get(path)
        tag = self.redfish.last_headers["ETag"]
        self.assertEqual(self.redfish.call("GET", path, headers={"If-None-Match": tag})[0], 304)
        self.assertEqual(self.redfish.call("PATCH", path, {"AssetTag": "a"}, {"If-Match": '"other"'})[0], 412)
        self.assertEqual(self.redfish.call("PATCH", path, {"AssetTag": "a"}, {"If-Match": tag})[0], 200)
        self.assertEqual(self.redfish.call("PATCH", path, {"AssetTag": "b"}, {"If-Match": tag})[0], 412)
        self.assertEqual(self.redfish.get(path)["AssetTag"], "a")

    def test_sessions(self):
        out = self.run_tool("curl", "-sSki", "-d", json.dumps({"UserName": simulator.USER, "Password": simulator.PASSWORD}),
                            self.base + "/redfish/v1/SessionService/Sessions")
        token = re.search(r"X-Auth-Token: (\w+)", out).group(1)
        where = re.search(r"Location: (\S+)", out).group(1)
        with_token = lambda *words: self.run_tool("curl", "-sSk", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"X-Auth-Token: {token}", *words)
        self.assertEqual(with_token(self.base + "/redfish/v1/Systems"), "200")
        self.assertEqual(with_token("-X", "DELETE", self.base + where), "204")
        self.assertEqual(with_token(self.base + "/redfish/v1/Systems"), "401")
        self.assertNotIn(simulator.PASSWORD, json.dumps(self.sim.journal("m1")))

    def test_session_limit(self):
        other = simulator.Redfish("127.77.0.2", self.sim.tcp)
        login = {"UserName": simulator.USER, "Password": simulator.PASSWORD}
        codes = [other.call("POST", "/redfish/v1/SessionService/Sessions", login)[0] for _ in range(17)]
        self.assertEqual(codes, [201] * 16 + [503])

    def test_accounts_are_those_of_ipmi(self):
        status, account = self.redfish.call("POST", "/redfish/v1/AccountService/Accounts", {"UserName": "carol", "Password": "pw", "RoleId": "ReadOnly"})
        self.assertEqual(status, 201)
        self.assertIn({"id": 3, "name": "carol", "privilege": 2}, self.sim.state("m1")["accounts"])
        carol = simulator.Redfish(self.HOST, self.sim.tcp, "carol", "pw")
        self.assertEqual(carol.call("GET", "/redfish/v1/Systems")[0], 200)
        self.assertEqual(carol.call("PATCH", "/redfish/v1/Systems/1", {"AssetTag": "x"})[0], 403)
        self.assertEqual(self.redfish.call("DELETE", account["@odata.id"])[0], 204)
        self.assertEqual(carol.call("GET", "/redfish/v1/Systems")[0], 401)

    def test_firmware_settings_apply_at_boot(self):
        path = "/redfish/v1/Systems/1/Bios"
        wanted = {"Attributes": {"LogicalProc": "Disabled", "QuietBoot": False}, "@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}}
        self.assertEqual(self.redfish.call("PATCH", path + "/Settings", wanted)[0], 200)
        self.assertEqual(self.redfish.call("PATCH", "/redfish/v1/Systems/1/SecureBoot", {"SecureBootEnable": True})[0], 200)
        self.assertEqual(self.redfish.get(path)["Attributes"]["LogicalProc"], "Enabled")
        self.assertEqual(self.redfish.get(path + "/Settings")["Attributes"], {"LogicalProc": "Disabled", "QuietBoot": False})
        boots = self.sim.state("m1")["boot"]["boots"]
        self.redfish.call("POST", "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset", {"ResetType": "ForceRestart" if self.sim.state("m1")["power"] == "on" else "On"})
        simulator.wait_for(lambda: self.sim.state("m1")["boot"]["boots"] > boots, "a boot")
        self.assertEqual(self.redfish.get(path)["Attributes"]["LogicalProc"], "Disabled")
        self.assertEqual(self.redfish.get(path + "/Settings")["Attributes"], {})
        self.assertEqual(self.redfish.get("/redfish/v1/Systems/1/SecureBoot")["SecureBootCurrentBoot"], "Enabled")

    def test_bmc_restart_ends_connections_and_sessions(self):
        other = simulator.Redfish("127.77.0.2", self.sim.tcp)
        self.assertEqual(other.call("POST", "/redfish/v1/Managers/1/Actions/Manager.Reset", {"ResetType": "ForceRestart"})[0], 204)
        simulator.wait_for(lambda: self.sim.state("m2")["bmc_up"], "the BMC is back")
        again = simulator.Redfish("127.77.0.2", self.sim.tcp)
        self.assertEqual(again.get("/redfish/v1/SessionService/Sessions")["Members"], [])

    def test_garbage_does_not_hurt(self):
        for data in (b"\x00" * 100, b"GET / HTTP/1.1\r\n" * 3000, os.urandom(4000)):
            with socket.create_connection((self.HOST, self.sim.tcp)) as s:
                try:
                    s.sendall(data)
                    s.settimeout(5)
                    s.recv(100)
                except OSError:
                    pass
        self.assertEqual(self.redfish.call("GET", "/redfish/v1/Systems")[0], 200)


simulator.main()
