#!/usr/bin/env python3
"""Events: pushed to a subscriber, and as a stream read by curl. Volumes and updates, which are tasks."""
import http.server
import json
import queue
import subprocess
import threading
import unittest

import simulator

simulator.need("curl")
V1 = "/redfish/v1"
SUBSCRIPTIONS = V1 + "/EventService/Subscriptions"
STREAM = V1 + "/EventService/SSE"
VOLUMES = V1 + "/Systems/1/Storage/1/Volumes"


class Listener:
    """Keeps what is posted to it; answers with `status`."""

    def __init__(self, status=204):
        self.got = queue.Queue()
        listener = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.got.put((self.path, dict(self.headers), json.loads(body)))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Events(simulator.Case):
    def setUp(self):
        self.client = simulator.Redfish(self.HOST, self.sim.tcp)
        self.sim.control("POST", "/machines/m1/power", {"action": "ForceOff"})
        self.sim.wait_power("m1", "off")

    def subscribe(self, port, **more):
        status, body = self.client.call("POST", SUBSCRIPTIONS, {"Destination": f"http://127.0.0.1:{port}/here?x=1", "Protocol": "Redfish", **more})
        self.assertEqual(status, 201, body)
        self.assertEqual(self.client.last_headers["Location"], body["@odata.id"])
        self.addCleanup(lambda: self.client.call("DELETE", body["@odata.id"]))
        return body["@odata.id"]

    def power_on(self):
        status, _ = self.client.call("POST", V1 + "/Systems/1/Actions/ComputerSystem.Reset", {"ResetType": "On"})
        self.assertEqual(status, 204)

    def test_a_subscriber_is_told(self):
        listener = Listener()
        self.addCleanup(listener.stop)
        where = self.subscribe(listener.port, Context="rack 7", HttpHeaders=[{"X-Key": "s3cret"}])
        self.assertNotIn("s3cret", json.dumps(self.client.get(where)))
        self.power_on()
        path, headers, event = listener.got.get(timeout=20)
        self.assertEqual((path, headers["X-Key"], event["Context"]), ("/here?x=1", "s3cret", "rack 7"))
        self.assertEqual(event["Events"][0]["MessageId"], "ResourceEvent.1.3.0.ResourcePoweredOn")
        self.assertEqual(event["Events"][0]["OriginOfCondition"]["@odata.id"], V1 + "/Systems/1")
        # A threshold, as the sensor shows it.
        self.sim.control("POST", "/machines/m1/sensor", {"name": "Inlet Temp", "value": 60})
        self.assertEqual(listener.got.get(timeout=20)[2]["Events"][0]["MessageId"], "ResourceEvent.1.3.0.ResourceErrorThresholdExceeded")
        self.sim.control("POST", "/machines/m1/sensor", {"name": "Inlet Temp", "value": None})
        self.assertEqual(self.client.call("DELETE", where)[0], 204)
        self.assertEqual(self.client.call("GET", where)[0], 404)

    def test_what_was_not_asked_for_is_not_sent(self):
        listener = Listener()
        self.addCleanup(listener.stop)
        self.subscribe(listener.port, ResourceTypes=["Chassis"])
        self.power_on()
        self.sim.wait_power("m1", "on")
        status, _ = self.client.call("POST", V1 + "/EventService/Actions/EventService.SubmitTestEvent", {"MessageId": "Test.1.0.Hello", "Message": "hello"})
        self.assertEqual(status, 204)
        self.assertEqual(listener.got.get(timeout=20)[2]["Events"][0]["MessageId"], "Test.1.0.Hello")

    def test_a_subscriber_who_refuses_is_given_up(self):
        listener = Listener(status=500)
        self.addCleanup(listener.stop)
        where = self.subscribe(listener.port)
        self.power_on()
        simulator.wait_for(lambda: self.client.call("GET", where)[0] == 404, "the subscription ends", 40)
        self.assertEqual(listener.got.qsize(), 4)  # once, and three times again
        self.assertTrue(any(entry["what"] == "subscription-ended" for entry in self.sim.journal("m1")))

    def test_wrong_subscriptions_are_refused(self):
        wrong = [{"Destination": "http://127.0.0.1:1/"}, {"Destination": "ftp://x/", "Protocol": "Redfish"},
                 {"Destination": "http://127.0.0.1:1/a b", "Protocol": "Redfish"}, {"Destination": "http://127.0.0.1:1/", "Protocol": "Telegram"},
                 {"Destination": "http://127.0.0.1:1/", "Protocol": "Redfish", "HttpHeaders": [{"X": "a\r\nY: b"}]},
                 {"Destination": "http://127.0.0.1:1/", "Protocol": "Redfish", "Nonsense": 1}]
        for body in wrong:
            self.assertEqual(self.client.call("POST", SUBSCRIPTIONS, body)[0], 400, body)
        made = [self.subscribe(1) for _ in range(20 - len(self.client.get(SUBSCRIPTIONS)["Members"]))]
        self.assertEqual(self.client.call("POST", SUBSCRIPTIONS, {"Destination": "http://127.0.0.1:1/", "Protocol": "Redfish"})[0], 503)
        for where in made:
            self.assertEqual(self.client.call("DELETE", where)[0], 204)

    def test_a_stream_carries_events_and_is_a_subscription(self):
        curl = subprocess.Popen(["curl", "-skN", "-u", f"{simulator.USER}:{simulator.PASSWORD}", f"https://{self.HOST}:{self.sim.tcp}{STREAM}"],
                                stdout=subprocess.PIPE, text=True)
        try:
            self.assertTrue(curl.stdout.readline().startswith(":"))
            members = self.client.get(SUBSCRIPTIONS)["Members"]
            self.assertEqual(len(members), 1)
            self.assertEqual(self.client.get(members[0]["@odata.id"])["SubscriptionType"], "SSE")
            self.power_on()
            lines = [curl.stdout.readline() for _ in range(3)]
            self.assertEqual(lines[0], "\n")
            self.assertTrue(lines[1].startswith("id: "))
            event = json.loads(lines[2].removeprefix("data: "))
            self.assertEqual(event["Events"][0]["MessageId"], "ResourceEvent.1.3.0.ResourcePoweredOn")
            # Deleting the subscription ends the stream.
            self.assertEqual(self.client.call("DELETE", members[0]["@odata.id"])[0], 204)
            self.assertEqual(curl.wait(10), 0)
        finally:
            curl.kill()
            curl.wait()
            curl.stdout.close()

    def test_a_stream_that_is_left_is_forgotten(self):
        curl = subprocess.Popen(["curl", "-skN", "-u", f"{simulator.USER}:{simulator.PASSWORD}", f"https://{self.HOST}:{self.sim.tcp}{STREAM}"],
                                stdout=subprocess.PIPE, text=True)
        curl.stdout.readline()
        self.assertEqual(len(self.client.get(SUBSCRIPTIONS)["Members"]), 1)
        curl.kill()
        curl.wait()
        curl.stdout.close()
        simulator.wait_for(lambda: not self.client.get(SUBSCRIPTIONS)["Members"], "the stream is forgotten")

    def wait_for_task(self, path):
        task = simulator.wait_for(lambda: (lambda t: t if t["TaskState"] == "Completed" else None)(self.client.get(path)), "the task ends", 20)
        self.assertEqual((task["PercentComplete"], task["TaskStatus"]), (100, "OK"))
        return task

    def test_a_volume_is_made_by_a_task(self):
        drives = [{"@odata.id": member["@odata.id"]} for member in self.client.get(V1 + "/Systems/1/Storage/1")["Drives"]]
        wanted = {"Name": "system", "RAIDType": "RAID1", "Links": {"Drives": drives[:2]}}
        for wrong in ({}, {"RAIDType": "RAID7"}, {"RAIDType": "RAID1", "Links": {"Drives": drives[:1]}},
                      {**wanted, "CapacityBytes": 1 << 60}, {**wanted, "Links": {"Drives": [{"@odata.id": "/nowhere"}] * 2}},
                      {**wanted, "Links": {"Drives": drives[:1] * 2}}):
            self.assertEqual(self.client.call("POST", VOLUMES, wrong)[0], 400, wrong)
        status, body = self.client.call("POST", VOLUMES, wanted)
        self.assertEqual(status, 202, body)
        task, monitor = body["@odata.id"], self.client.last_headers["Location"]
        self.assertEqual(body["TaskMonitor"], monitor)
        self.assertEqual(self.client.call("GET", monitor)[0], 202)
        self.assertEqual(self.client.get(VOLUMES)["Members"], [])
        self.assertEqual(self.client.call("POST", VOLUMES, wanted)[0], 503)  # one change at a time
        made = self.wait_for_task(task)["Links"]["CreatedResources"][0]["@odata.id"]
        self.assertEqual(self.client.call("GET", monitor)[0], 201)
        self.assertEqual(self.client.last_headers["Location"], made)
        volume = self.client.get(made)
        self.assertEqual((volume["Name"], volume["RAIDType"], volume["Links"]["Drives"]), ("system", "RAID1", drives[:2]))
        self.assertEqual(self.client.get(drives[0]["@odata.id"])["Links"]["Volumes"], [{"@odata.id": made}])
        self.assertEqual(self.sim.state("m1")["volumes"][0]["raid"], "RAID1")
        self.assertEqual(self.client.call("POST", VOLUMES, wanted)[0], 400)  # the drives are taken
        self.assertEqual(self.client.call("DELETE", made)[0], 204)
        self.assertEqual(self.client.get(VOLUMES)["Members"], [])
        self.assertEqual(self.sim.state("m1")["volumes"], [])

    def test_a_firmware_update_is_a_task(self):
        status, task = self.client.call("POST", V1 + "/UpdateService/Actions/UpdateService.SimpleUpdate",
                                     {"ImageURI": "http://127.0.0.1/bios-9.9.9.bin", "TransferProtocol": "HTTP"})
        self.assertEqual(status, 202)
        self.wait_for_task(task["@odata.id"])
        self.power_on()
        simulator.wait_for(lambda: self.client.get(V1 + "/UpdateService/FirmwareInventory/BIOS")["Version"] == "9.9.9", "the new version after a boot")


simulator.main()
