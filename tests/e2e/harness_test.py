#!/usr/bin/env python3
"""The harness itself: a forge that goes down and up, peers that switch machines,
waits that give up. What the other end-to-end tests rely on must be able to fail."""
import subprocess
import unittest

from harness.case import EndToEnd, main
from harness.process import Child
from harness.wait import WaitFailed, stays_true, wait_until


class Waiting(unittest.TestCase):
    def test_a_wait_that_fails_says_for_what_and_shows_the_diagnosis(self):
        with self.assertRaisesRegex(WaitFailed, "(?s)until pigs fly.*their log"):
            wait_until(lambda: False, 0.05, "pigs fly", lambda: "their log")

    def test_a_wait_returns_the_value(self):
        values = iter([None, 0, "there"])
        self.assertEqual(wait_until(lambda: next(values), 5, "it is there"), "there")

    def test_stays_true_notices_a_moment_of_falsehood(self):
        values = iter([True, True, False, True])
        with self.assertRaisesRegex(AssertionError, "no longer true"):
            stays_true(lambda: next(values), "it holds", until=lambda: False, seconds=5)


class Processes(EndToEnd):
    def test_stop_ends_a_child_that_ignores_the_polite_signal(self):
        child = Child("stubborn", ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"], self.folder / "log")
        wait_until(lambda: child.log.read_text(), 5, "it is ready", child.tail)
        child.stop(seconds=0.1)
        self.assertFalse(child.alive())


class Forge(EndToEnd):
    def test_push_over_ssh_arrives(self):
        site = self.site()
        commit = site.registry.publish("First commit")
        self.assertEqual(site.forge.head(), commit)

    def test_down_and_up_keeps_the_address(self):
        site = self.site()
        url = site.forge.url
        site.forge.stop()
        site.registry.commit("While the forge is down")
        with self.assertRaisesRegex(AssertionError, "(?s)exit .*refused"):
            site.registry.push()
        site.forge.start()
        site.registry.push()
        self.assertEqual(site.forge.url, url)
        self.assertIsNotNone(site.forge.head())

    def test_the_key_opens_nothing_but_git(self):
        site = self.site()
        ssh = site.forge.client_environment()["GIT_SSH_COMMAND"].split()
        result = subprocess.run([*ssh, "-p", str(site.forge.port), "127.0.0.1", "id"], capture_output=True, text=True, timeout=30)
        self.assertNotEqual(result.returncode, 0)
        self.assertNotIn("uid=", result.stdout)

    def test_status_of_no_branch_is_nothing(self):
        status = self.site().status
        self.assertIsNone(status.head())
        self.assertIsNone(status.machine("m1"))
        self.assertEqual(status.commits(), [])


class Ipmi(EndToEnd):
    def test_ipmitool_sees_what_is_switched_and_writes_are_counted(self):
        one, two = self.site().start_ipmi(2)
        self.assertEqual((one.power(), two.power()), ("off", "off"))
        one.switch("on")
        self.assertEqual((one.power(), two.power()), ("on", "off"))
        self.assertEqual(one.writes(), [], "the button is no write through the BMC")
        two.ipmitool("chassis", "power", "on")
        self.assertEqual(two.power(), "on")
        self.assertEqual(len(two.writes()), 1)


class Redfish(EndToEnd):
    def test_curl_sees_what_is_switched_and_writes_are_counted(self):
        one, two = self.site().start_redfish(2)
        self.assertEqual((one.power(), two.power()), ("off", "off"))
        self.assertEqual(one.writes(), [])
        one.switch("on")
        self.assertEqual((one.power(), two.power()), ("on", "off"))
        self.assertEqual(one.writes(), [], "the button is no request to the BMC")
        two.curl(f"/redfish/v1/Systems/{two.uuid}/Actions/ComputerSystem.Reset", "--header", "Content-Type: application/json",
                 "--data", '{"ResetType": "On"}')
        self.assertEqual(len(two.writes()), 1)
        wait_until(lambda: two.power() == "on", 10, "it is on")

    def test_the_pin_is_of_the_certificate_served(self):
        (bmc,) = self.site().start_redfish()
        pin = bmc.pin.removeprefix("spki-sha256:")
        self.assertIn("PowerState", bmc.curl(f"/redfish/v1/Systems/{bmc.uuid}", "--insecure", "--pinnedpubkey", f"sha256//{pin}"))


if __name__ == "__main__":
    main()
