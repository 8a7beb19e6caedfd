#!/usr/bin/env python3
"""What keeps a mistake in the registry from becoming one in the machine room."""
import json
import re

from harness.case import PROGRAMS, EndToEnd, main
from harness.controller import nimbusctl

CONFLICT = 6


class Brakes(EndToEnd):
    def test_hands_off_in_a_commit_that_is_otherwise_refused_works(self):
        site = self.site()
        one, two = site.start_ipmi(2)
        for name, bmc in (("m1", one), ("m2", two)):
            site.ipmi_machine(name, bmc, power="on")
        accepted = site.registry.publish("Two machines")
        controller = site.start_controller()
        self.wait(lambda: site.reconciled("m1", "on") and site.reconciled("m2", "on"), "both are on")

        path = site.registry.machine_path("m1")
        site.registry.write(path, site.registry.read(path) + '[lifecycle]\nhands_off = true\nreason = "smoke"\n')
        site.registry.edit("registry.toml", "format = 1", "format = 99")
        refused = site.registry.publish("Hands off m1, in a commit that is refused")
        self.wait(lambda: site.published(refused), "status tells about the commit")
        self.assertEqual(site.status.controller()["registry"]["state"], "refused")
        self.assertEqual(site.status.controller()["registry"]["accepted_commit"], accepted)
        self.wait(lambda: site.status.condition("m1", "hands-off").get("status") == "true", "status shows the brake")

        one.switch("off")
        two.switch("off")
        self.wait(lambda: two.power() == "on", "m2 is switched on again")
        enough = controller.passes() + 12
        self.wait(lambda: controller.passes() >= enough, "both are looked at some more times")
        self.assertEqual(one.power(), "off", "nobody touched m1")


class MassDeletion(EndToEnd):
    def test_it_is_held_and_then_approved(self):
        site = self.site()
        bmcs = site.start_ipmi(4, per_process=4)
        names = [f"m{n}" for n in range(1, 5)]
        for name, bmc in zip(names, bmcs):
            site.ipmi_machine(name, bmc, power="on")
        accepted = site.registry.publish("Four machines")
        controller = site.start_controller()
        self.wait(lambda: all(site.reconciled(name, "on") for name in names), "all are on")

        for name in names[:3]:
            (site.registry.folder / site.registry.machine_path(name)).unlink()
        lost = site.registry.publish("Remove three of four machines")
        self.wait(lambda: site.published(lost), "status tells about the commit")
        registry = site.status.controller()["registry"]
        self.assertEqual((registry["state"], registry["accepted_commit"]), ("held", accepted))
        digest = registry["held_plan"]
        self.assertIn(digest, " ".join(p["message"] for p in registry["problem"]))
        self.assertEqual(json.loads(controller.get("/v1/fleet")[1])["registry"]["held_plan"], digest)

        with self.subTest("what was accepted stays in force"):
            bmcs[0].switch("off")
            self.wait(lambda: bmcs[0].power() == "on", "m1 is still looked after")

        with self.subTest("nimbusctl plan names the same digest"):
            planned = nimbusctl(PROGRAMS / "nimbusctl", "plan", "--base", accepted, "--head", lost,
                                cwd=site.registry.folder).stdout
            self.assertIn(digest, re.findall(r"Digest: ([0-9a-f]{64})", planned))

        with self.subTest("the approval releases it"):
            nimbusctl(PROGRAMS / "nimbusctl", "approve", digest, "--reason", "The rack is sold", cwd=site.registry.folder)
            approved = site.registry.publish("Approve the removal")
            self.wait(lambda: site.published(approved) and
                      all((site.status.machine(n) or {}).get("phase") == "unmanaged" for n in names[:3]), "three are gone")
            registry = site.status.controller()["registry"]
            self.assertEqual((registry["state"], registry["accepted_commit"]), ("accepted", approved))
            self.assertTrue(site.reconciled("m4", "on"))
            self.assertEqual([bmc.power() for bmc in bmcs], ["on"] * 4, "removal switches nothing off")


class RewrittenHistory(EndToEnd):
    def test_it_is_held_until_a_person_confirms(self):
        site = self.site()
        one, two = site.start_ipmi(2)
        for name, bmc in (("m1", one), ("m2", two)):
            site.ipmi_machine(name, bmc, power="on")
        site.registry.publish("Two machines")
        controller = site.start_controller()
        self.wait(lambda: site.reconciled("m1", "on") and site.reconciled("m2", "on"), "both are on")

        site.registry.edit(site.registry.machine_path("m1"), 'power = "on"', 'power = "off"')
        path = site.registry.machine_path("m2")
        site.registry.write(path, site.registry.read(path) + "[lifecycle]\nhands_off = true\n")
        site.registry.git("checkout", "-q", "--orphan", "other")
        rewritten = site.registry.commit("Another beginning")
        site.registry.git("push", "-q", "--force", "origin", "HEAD:refs/heads/main")
        self.wait(lambda: site.published(rewritten), "status tells about the commit")
        self.assertEqual(site.status.controller()["registry"]["state"], "held")
        self.wait(lambda: site.status.condition("m2", "hands-off").get("status") == "true", "its brake counts")
        self.nothing_happens(controller, [one, two])
        self.assertEqual(one.power(), "on")

        def confirm(commit, **options):
            return nimbusctl(PROGRAMS / "nimbusctl", "confirm", commit, "--reason", "a secret was removed", "--server",
                             f"unix:{controller.socket}", **options)
        refused = confirm("0" * 40, check=False)
        self.assertEqual(refused.returncode, CONFLICT)
        self.assertIn(rewritten, refused.stderr, "it names what is held")
        confirm(rewritten)
        self.wait(lambda: one.power() == "off", "the confirmed history is in force")
        self.wait(lambda: site.status.controller()["registry"]["state"] == "accepted", "status says so")
        self.assertEqual(confirm(rewritten, check=False).returncode, CONFLICT, "nothing is held any more")
        lines = [json.loads(line) for file in sorted((controller.data / "audit").iterdir())
                 for line in file.read_text().splitlines()]
        (said,) = [line for line in lines if line.get("type") == "confirm"]
        self.assertEqual(said["reason"], f"{rewritten}: a secret was removed")


if __name__ == "__main__":
    main()
