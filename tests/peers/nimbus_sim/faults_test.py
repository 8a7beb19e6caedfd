#!/usr/bin/env python3
"""Fault rules set live through the control port, as clients on the wire meet them."""
import os
import ssl
import tempfile
import time

import simulator

simulator.need("ipmitool")


class Faults(simulator.Case):
    def setUp(self):
        self.sim.control("DELETE", "/faults")

    def tearDown(self):
        self.sim.control("DELETE", "/faults")

    def fault(self, **rule):
        return self.sim.control("POST", "/faults", rule)["id"]

    def redfish(self, host=None):
        return simulator.Redfish(host or self.HOST, self.sim.tcp)

    def ipmi(self, *words, expect=0):
        return self.run_tool("ipmitool", "-I", "lanplus", "-C", "17", "-R", "1", "-N", "1", "-H", self.HOST, "-p", str(self.sim.udp), "-U",
                             simulator.USER, "-P", simulator.PASSWORD, *words, expect=expect)

    def test_status_burst_by_count(self):
        self.fault(kind="status", status=503, retry_after=2, count=3, method="GET", path="*/Systems/*")
        bmc = self.redfish()
        self.assertEqual([bmc.call("GET", "/redfish/v1/Systems/1")[0] for _ in range(4)], [503, 503, 503, 200])
        self.assertEqual(self.sim.control("GET", "/faults")["faults"][0]["used"], 3)

    def test_only_the_machines_that_are_meant(self):
        self.fault(kind="status", status=500, machines=["m2"])
        self.assertEqual(self.redfish().call("GET", "/redfish/v1/Systems/1")[0], 200)
        self.assertEqual(self.redfish("127.77.0.2").call("GET", "/redfish/v1/Systems/1")[0], 500)

    def test_drop_truncate_garbage_delay_drip(self):
        self.fault(kind="drop", side="redfish", count=1)
        with self.assertRaises((ConnectionError, simulator.http.client.HTTPException, ssl.SSLError)):
            self.redfish().call("GET", "/redfish/v1/Systems/1")
        self.fault(kind="truncate", bytes=600, count=1)
        with self.assertRaises((ConnectionError, simulator.http.client.HTTPException, ssl.SSLError)):
            self.redfish().call("GET", "/redfish/v1/Systems/1")
        self.fault(kind="garbage", side="redfish", count=1)
        self.assertIsInstance(self.redfish().call("GET", "/redfish/v1/Systems/1")[1], bytes)
        self.fault(kind="delay", delay="700ms", side="redfish", count=1)
        began = time.monotonic()
        self.assertEqual(self.redfish().call("GET", "/redfish/v1/Systems/1")[0], 200)
        self.assertGreater(time.monotonic() - began, 0.65)
        self.fault(kind="drip", bytes=3000, count=1)
        began = time.monotonic()
        self.assertEqual(self.redfish().call("GET", "/redfish/v1/Systems/1")[0], 200)
        self.assertGreater(time.monotonic() - began, 0.3)

    def test_a_lie_changes_nothing(self):
        before = self.sim.state("m1")["power"]
        action = "ForceOff" if before == "on" else "On"
        self.fault(kind="lie")
        self.assertEqual(self.redfish().call("POST", "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset", {"ResetType": action})[0], 204)
        self.assertIn("Chassis Power Control", self.ipmi("power", "off" if before == "on" else "on"))
        time.sleep(0.5)
        self.assertEqual(self.sim.state("m1")["power"], before)

    def test_stale_reads_over_ipmi(self):
        self.sim.control("POST", "/machines/m1/power", {"action": "On"})
        self.sim.wait_power("m1", "on")
        self.fault(kind="stale")
        self.assertIn("is on", self.ipmi("power", "status"))
        self.ipmi("power", "off")
        self.sim.wait_power("m1", "off")
        self.assertIn("is on", self.ipmi("power", "status"))
        self.sim.control("DELETE", "/faults")
        self.assertIn("is off", self.ipmi("power", "status"))

    def test_ipmi_answers(self):
        self.fault(kind="completion-code", completion_code=0xc0)
        self.assertIn("Node busy", self.ipmi("chassis", "status", expect=1))
        self.sim.control("DELETE", "/faults")
        self.fault(kind="duplicate", side="ipmi")
        self.assertIn("Chassis Power is", self.ipmi("power", "status"))
        self.sim.control("DELETE", "/faults")
        self.fault(kind="drop", side="ipmi")
        self.ipmi("power", "status", expect=1)
        self.sim.control("DELETE", "/faults")
        self.fault(kind="no-sessions")
        self.assertIn("insufficient resources", self.ipmi("power", "status", expect=1))

    def test_restart_and_new_certificate(self):
        pem = ssl.get_server_certificate(("127.77.0.2", self.sim.tcp))
        self.fault(kind="new-certificate", machines=["m2"])
        simulator.wait_for(lambda: ssl.get_server_certificate(("127.77.0.2", self.sim.tcp)) != pem, "another certificate")
        self.assertEqual(ssl.get_server_certificate((self.HOST, self.sim.tcp)), pem)
        restarts = self.sim.state("m2")["bmc_restarts"]
        self.fault(kind="restart-bmc", machines=["m2"], away="500ms", after="100ms")
        simulator.wait_for(lambda: self.sim.state("m2")["bmc_restarts"] == restarts + 1, "the restart")
        simulator.wait_for(lambda: self.sim.state("m2")["bmc_up"], "the BMC is back")

    def test_logins_conditions_and_errors(self):
        for status in (401, 412, 429, 500):
            with self.subTest(status):
                self.fault(kind="status", status=status, count=1, side="redfish")
                bmc = self.redfish()
                self.assertEqual(bmc.call("PATCH", "/redfish/v1/Systems/1", {"AssetTag": f"t{status}"})[0], status)
                self.assertNotEqual(bmc.get("/redfish/v1/Systems/1").get("AssetTag"), f"t{status}")  # nothing was done

    def test_no_session_over_redfish(self):
        self.fault(kind="no-sessions", side="redfish", count=1)
        login = {"UserName": simulator.USER, "Password": simulator.PASSWORD}
        sessions = "/redfish/v1/SessionService/Sessions"
        self.assertEqual(self.redfish().call("POST", sessions, login)[0], 503)
        bmc = self.redfish()
        self.assertEqual(bmc.call("POST", sessions, login)[0], 201)
        bmc.call("DELETE", bmc.last_headers["Location"])

    def test_stale_reads_over_redfish(self):
        bmc = self.redfish()
        self.fault(kind="stale", side="redfish")
        before = bmc.get("/redfish/v1/Systems/1")["LocationIndicatorActive"]
        self.assertEqual(bmc.call("PATCH", "/redfish/v1/Systems/1", {"LocationIndicatorActive": not before})[0], 200)
        self.assertEqual(bmc.get("/redfish/v1/Systems/1")["LocationIndicatorActive"], before)
        self.sim.control("DELETE", "/faults")
        self.assertEqual(bmc.get("/redfish/v1/Systems/1")["LocationIndicatorActive"], not before)

    def test_tasks_are_purged(self):
        bmc = self.redfish()
        update = {"ImageURI": "http://127.0.0.1/bios-8.8.8.bin"}
        status, task = bmc.call("POST", "/redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate", update)
        self.assertEqual(status, 202)
        monitor = bmc.last_headers["Location"]
        self.assertEqual(bmc.call("GET", task["@odata.id"])[0], 200)
        self.fault(kind="purge-tasks")
        simulator.wait_for(lambda: bmc.call("GET", task["@odata.id"])[0] == 404, "the task is forgotten")
        self.assertEqual(bmc.call("GET", monitor)[0], 404)

    def test_a_time_window(self):
        self.fault(kind="status", status=500, **{"for": "400ms"})
        bmc = self.redfish()
        self.assertEqual(bmc.call("GET", "/redfish/v1/Systems/1")[0], 500)
        simulator.wait_for(lambda: bmc.call("GET", "/redfish/v1/Systems/1")[0] == 200, "the window closes")


class Script(simulator.Case):
    """A script in a file, twice with the same seed and once with another."""

    SCRIPT = """
[[fault]]
kind = "status"
status = 503
machines = ["m1"]
path = "*/Systems/*"
percent = 40
[[fault]]
kind = "status"
status = 418
path = "*/Chassis/*"
machines = ["m2"]
"""

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def run_script(self, seed):
        """What forty questions were answered with, and who the machine is."""
        with tempfile.TemporaryDirectory() as folder:
            script = os.path.join(folder, "faults.toml")
            with open(script, "w") as file:
                file.write(self.SCRIPT)
            sim = simulator.Simulator(self.MACHINES, simulator.FAST, "--faults", script, "--seed", str(seed))
            try:
                bmc = simulator.Redfish(self.HOST, sim.tcp)
                statuses = [bmc.call("GET", "/redfish/v1/Systems/1")[0] for _ in range(40)]
                self.assertEqual(bmc.call("GET", "/redfish/v1/Chassis/1")[0], 200)
                self.assertEqual(simulator.Redfish("127.77.0.2", sim.tcp).call("GET", "/redfish/v1/Chassis/1")[0], 418)
                state = sim.state("m1")
                return statuses, state["serial"], state["uuid"], state["mac"]
            finally:
                sim.stop()

    def test_the_same_seed_is_the_same_story(self):
        first, again, other = self.run_script(5), self.run_script(5), self.run_script(6)
        self.assertEqual(first, again)
        self.assertEqual(set(first[0]), {200, 503})
        for ours, theirs in zip(first, other):
            self.assertNotEqual(ours, theirs)


simulator.main()
