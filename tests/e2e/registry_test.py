#!/usr/bin/env python3
"""What a commit means to the running controller: webhooks, broken files, a forge
that is away."""
from harness.case import EndToEnd, main


class Webhook(EndToEnd):
    def test_a_webhook_starts_the_work_and_a_forged_one_changes_nothing(self):
        site = self.site()
        (ipmi,) = site.start_ipmi()
        site.ipmi_machine("m1", ipmi, power="off")
        first = site.registry.publish("A machine")
        # With an hour between polls only a webhook can bring the next commit in.
        controller = site.start_controller(poll="1h")
        self.wait(lambda: site.published(first), "the first commit is taken over at start")

        site.registry.edit(site.registry.machine_path("m1"), 'power = "off"', 'power = "on"')
        second = site.registry.publish("Switch it on")
        self.assertEqual(controller.push_webhook(second, secret="guessed"), 401)
        self.nothing_happens(controller, [ipmi])
        self.assertFalse(site.published(second))

        self.assertEqual(controller.push_webhook(second, branch="elsewhere"), 202)
        self.nothing_happens(controller, [ipmi])

        self.assertEqual(controller.push_webhook(second, delivery="2"), 202)
        self.wait(lambda: ipmi.power() == "on", "the machine is on")
        self.wait(lambda: site.published(second), "status names the second commit")

    def test_hostile_requests_change_nothing(self):
        site = self.site()
        site.registry.publish("Nothing yet")
        controller = site.start_controller(poll="1h")
        headers = {"Content-Type": "application/json", "X-GitHub-Event": "push", "X-Hub-Signature-256": "sha256=" + "0" * 64}
        self.assertIn(controller.post("/webhook/github", b"x" * (2 << 20), headers)[0], (0, 413))
        self.assertEqual(controller.post("/webhook/github", b"{", headers)[0], 401)
        self.assertIn(controller.post("/webhook/nobody", b"{}", headers)[0], (404, 405))
        self.assertTrue(controller.healthy())


class BrokenFile(EndToEnd):
    def test_it_stalls_its_machine_only_and_status_names_the_line(self):
        site = self.site()
        one, two = site.start_ipmi(2)
        for name, bmc in (("m1", one), ("m2", two)):
            site.ipmi_machine(name, bmc, power="on")
        site.registry.publish("Two machines")
        controller = site.start_controller()
        self.wait(lambda: site.reconciled("m1", "on") and site.reconciled("m2", "on"), "both are on")

        # One commit: m1 gets a typo and is to go off, m2 is to go off.
        for name in ("m1", "m2"):
            site.registry.edit(site.registry.machine_path(name), 'power = "on"', 'power = "off"')
        path = site.registry.machine_path("m1")
        site.registry.edit(path, 'driver = "ipmi"', 'drvier = "ipmi"')
        line = 1 + site.registry.read(path).split("\n").index('drvier = "ipmi"')
        broken = site.registry.publish("Switch both off, with a typo in m1")

        self.wait(lambda: two.power() == "off", "m2 goes off all the same")
        self.wait(lambda: site.published(broken) and site.status.problems(), "status tells about the problem")
        problem = next(p for p in site.status.problems() if p["file"] == path and p["line"] == line)
        self.assertIn("drvier", problem["message"])
        self.assertIn("driver", problem["message"].replace("drvier", ""), "a suggestion")
        self.assertEqual(site.status.controller()["registry"]["state"], "partly")
        self.assertEqual(one.power(), "on", "m1 stays as it was")

        with self.subTest("its last accepted version stays in force"):
            one.switch("off")
            self.wait(lambda: one.power() == "on", "m1 is switched on again")

        with self.subTest("the repaired file is taken over"):
            site.registry.edit(path, 'drvier = "ipmi"', 'driver = "ipmi"')
            repaired = site.registry.publish("Repair the typo")
            self.wait(lambda: one.power() == "off", "m1 goes off")
            self.wait(lambda: site.published(repaired) and not site.status.problems(), "no problem is left")

        with self.subTest("a broken registry.toml refuses the commit as a whole"):
            site.registry.edit(site.registry.machine_path("m2"), 'power = "off"', 'power = "on"')
            site.registry.edit("registry.toml", "format = 1", "format = 99")
            refused = site.registry.publish("Switch m2 on, in a format from the future")
            self.wait(lambda: site.published(refused), "status tells about the commit")
            self.assertEqual(site.status.controller()["registry"]["state"], "refused")
            self.assertEqual(site.status.controller()["registry"]["accepted_commit"], repaired)
            self.nothing_happens(controller, [one, two])
            self.assertEqual(two.power(), "off")


class ForgeDown(EndToEnd):
    def test_work_goes_on_and_one_commit_catches_up(self):
        site = self.site()
        one, two = site.start_ipmi(2)
        for name, bmc in (("m1", one), ("m2", two)):
            site.ipmi_machine(name, bmc, power=None)
        site.ipmi_machine("m1", one, power="on")
        site.registry.publish("Two machines")
        controller = site.start_controller()
        self.wait(lambda: site.reconciled("m1", "on") and site.reconciled("m2", "off"), "status is complete")
        before = site.status.commits()

        site.forge.stop()
        one.switch("off")
        self.wait(lambda: one.power() == "on", "m1 is switched on again without the forge")
        two.switch("on")
        enough = controller.passes() + 10
        self.wait(lambda: controller.passes() >= enough, "the controller goes on looking")
        self.assertTrue(controller.alive())

        site.forge.start()
        self.wait(lambda: site.reconciled("m2", "on"), "status tells what happened meanwhile")
        self.nothing_happens(controller, [one, two])
        self.assertEqual(len(site.status.commits()) - len(before), 1, site.status.log())

    def test_a_controller_that_starts_without_a_forge_waits_for_it(self):
        site = self.site()
        (ipmi,) = site.start_ipmi()
        site.ipmi_machine("m1", ipmi, power="on")
        site.registry.publish("A machine")
        site.forge.stop()
        controller = site.start_controller()
        self.wait(lambda: controller.get("/readyz")[0] == 503, "it says that it is not ready")
        site.forge.start()
        self.wait(lambda: ipmi.power() == "on", "the machine is on")
        self.wait(controller.ready, "it is ready")


if __name__ == "__main__":
    main()
