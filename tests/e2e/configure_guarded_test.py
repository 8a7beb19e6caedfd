#!/usr/bin/env python3
"""What may cut a host off, through nimbusd: a firewall is confirmed on a new session; one that shuts the controller out
takes itself back on the host, and is held and said to be until the configuration changes."""
from harness import host as hosts
from harness.case import PROGRAMS, main
from harness.configured import Configured
from harness.controller import nimbusctl


def firewall(network, port):
    return f"""\
    [[firewall]]
    allow = "tcp"
    port = 22
    from = ["{network}"]
    [[firewall]]
    allow = "tcp"
    port = {port}
    """


class Guarded(Configured):
    def rules(self):
        return self.host.sh("nft list table inet nimbus", check=False)

    def awaiting(self):
        return self.host.sh("ls /var/lib/nimbus/awaiting /var/lib/nimbus/undo 2>/dev/null | grep action || :").split()

    def held(self):
        """What status says of the firewall."""
        failed = self.document().get("failed", [])
        return "".join(f["reason"] for f in failed if f["resource"] == "action:firewall")

    def tries(self):
        audit = "".join(p.read_text() for p in (self.site().controller.data / "audit").rglob("*") if p.is_file())
        return sum("host-change-intent" in line and "action:firewall" in line for line in audit.splitlines())

    def publish(self, profile):
        self.site().registry.write("profiles/app.toml", profile)
        self.site().registry.publish("Another firewall")

    def test_a_firewall_that_shuts_us_out_is_taken_back_and_held(self):
        controller = self.start(profile=firewall("10.88.0.0/16", 443), confirm="30s")

        with self.subTest("one that lets us in is confirmed on a session of its own"):
            self.wait(lambda: "443" in self.rules() and not self.awaiting(), "it is there, and confirmed", 90)
            self.assertGreaterEqual(self.host.logins(), 2)
            self.assertEqual(self.tries(), 1)
            self.wait_passes(2)
            # No systemd here: its unit is all that is missing.
            self.wait(lambda: [f["resource"] for f in self.document().get("failed", [])] == ["unit:nimbus-firewall.service"],
                      "status says so")
            self.assertEqual(self.tries(), 1)

        with self.subTest("one that shuts us out is not, and the host takes it back"):
            good = self.rules()
            self.publish(firewall("203.0.113.0/24", 8080))
            self.wait(lambda: "8080" in self.rules(), "it is tried")
            self.wait(lambda: self.condition("reachable").get("status") == "false", "nobody gets in", 60)
            self.wait(self.held, "it is held", 120)
            self.assertIn("undid itself; it waits until the configuration changes", self.held())
            self.assertEqual(self.rules(), good)
            self.assertEqual(self.condition("reachable")["reason"], "Answers")
            self.assertEqual(self.condition("configured")["reason"], "Failed")
            told = nimbusctl(PROGRAMS / "nimbusctl", "--server", controller.socket, "explain", "instance", "acme/web-1",
                             cwd=self.site().registry.folder).stdout
            self.assertIn("waits until the configuration changes", told)

        with self.subTest("it is not tried again, whoever asks"):
            self.wait_passes(2)
            nimbusctl(PROGRAMS / "nimbusctl", "--server", controller.socket, "reconcile", "acme/web-1", cwd=self.site().registry.folder)
            self.wait_passes(2)
            self.assertEqual(self.tries(), 2)
            self.assertEqual(self.rules(), good)

        with self.subTest("another one is"):
            self.publish(firewall("10.88.1.0/24", 9090))
            self.wait(lambda: "9090" in self.rules() and not self.awaiting(), "it is there, and confirmed", 90)
            self.wait(lambda: not self.held(), "nothing is held")
            self.assertEqual(self.tries(), 3)


if __name__ == "__main__":
    hosts.enter()
    main()
