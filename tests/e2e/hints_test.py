#!/usr/bin/env python3
"""A BMC's event stream as a hint: what happens between two polls is seen at once, and polling needs no stream."""
from harness.case import PROGRAMS, EndToEnd, main
from harness.sim import PASSWORD, USER, Simulator

MACHINES = """\
[[machine]]
name = "r1"
redfish = "127.66.1.1:{redfish}"
serial = "R1"
power = "on"
"""


class Hints(EndToEnd):
    def start(self, observe, streams=1000):
        site = self.site()
        self.sim = site._own(Simulator(PROGRAMS / "nimbus-sim", self.folder / "sim", MACHINES).start())
        address = f"https://127.66.1.1:{self.sim.redfish}"
        path = site.registry.machine_path("r1")
        site.registry.write(path, f"""\
            power = "on"
            enforcement = "enforce"
            [bmc]
            driver = "redfish"
            address = "{address}"
            credentials = ["bmc/sim"]
            tls = {{ pin = ["{self.sim.pin()}"] }}
            [identity]
            serial = "R1"
            """)
        site.registry.publish("A machine")
        self.controller = site.new_controller(observe=observe)
        self.controller.add_secret("bmc/sim", USER, PASSWORD, [address])
        text = self.controller.configuration.read_text()
        self.controller.configuration.write_text(text.replace(f'observe = "{observe}"', f'observe = "{observe}"\nevent_streams = {streams}'))
        site.controller = self.controller.start()
        self.wait(lambda: site.reconciled("r1", "on"), "status says that it is on")

    def switch_off(self):
        """Somebody in front of the machine."""
        self.sim.ask("/machines/r1/power", "--data", '{"action": "ForceOff"}')
        self.wait(lambda: any(e["what"] == "power" and "off" in e["detail"] for e in self.sim.journal("r1")) or
                  self.sim.machine("r1")["power"] == "off", "it went off")

    def test_a_power_change_between_two_polls_is_seen_by_the_hint(self):
        self.start(observe="1h")
        self.wait(lambda: self.controller.metric("nimbus_bmc_event_streams") == 1, "the event stream stands")
        before = len(self.sim.journal("r1", "redfish"))
        self.switch_off()
        self.wait(lambda: self.sim.machine("r1")["power"] == "on", "it was switched on again, an hour before the next poll")
        self.assertGreaterEqual(self.controller.metric("nimbus_bmc_hints_total"), 1)
        resets = [e for e in self.sim.journal("r1", "redfish")[before:] if "Reset" in e["what"] + e["detail"]]
        self.assertEqual(len(resets), 1, resets)
        with self.subTest("the session ends, and with it the stream"):
            self.controller.stop()
            self.assertEqual(self.sim.redfish_get("127.66.1.1", "/redfish/v1/SessionService/Sessions")["Members"], [])

    def test_without_a_stream_polling_goes_on(self):
        self.start(observe="500ms")
        self.wait(lambda: self.controller.metric("nimbus_bmc_event_streams") == 1, "the event stream stands")
        self.sim.ask("/machines/r1/bmc-restart", "--data", '{"away_ms": 500}')
        self.wait(lambda: self.controller.metric("nimbus_bmc_event_streams") == 0, "the stream is lost")
        hints = self.controller.metric("nimbus_bmc_hints_total")
        self.switch_off()
        self.wait(lambda: self.sim.machine("r1")["power"] == "on", "a poll found that it was off")
        self.assertEqual(self.controller.metric("nimbus_bmc_hints_total"), hints)

    def test_none_are_opened_where_none_are_wanted(self):
        self.start(observe="500ms", streams=0)
        enough = self.controller.passes() + 3
        self.wait(lambda: self.controller.passes() >= enough, "it looks at the machine")
        self.assertEqual(self.controller.metric("nimbus_bmc_event_streams"), 0)
        self.assertFalse([e for e in self.sim.journal("r1", "redfish") if "EventService" in e["detail"] + e["what"]])


if __name__ == "__main__":
    main()
