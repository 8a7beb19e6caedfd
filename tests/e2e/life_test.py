#!/usr/bin/env python3
"""The controller's own life: killed, told to end, two at a time."""
import json
import re

from harness.case import PROGRAMS, EndToEnd, main
from harness.process import run


class Life(EndToEnd):
    def test_sigterm_drains_and_a_restart_changes_nothing(self):
        site = self.site()
        (ipmi,) = site.start_ipmi()
        site.ipmi_machine("m1", ipmi, power="on")
        commit = site.registry.publish("A machine")
        controller = site.start_controller()
        self.wait(lambda: ipmi.power() == "on", "the machine is on")
        # In the middle of its work: what is known is still published.
        self.assertEqual(controller.terminate(), 0, controller.tail())
        self.assertTrue(site.reconciled("m1", "on"), site.status.machine("m1"))
        self.assertTrue(site.published(commit))

        writes = len(ipmi.writes())
        controller.start()
        self.wait(lambda: controller.passes() >= 4, "it looks at the machine again")
        self.assertEqual(len(ipmi.writes()), writes)
        self.assertEqual(controller.terminate(), 0)

    def test_a_lost_data_folder_harms_nothing(self):
        site = self.site()
        (ipmi,) = site.start_ipmi()
        site.ipmi_machine("m1", ipmi, power="on")
        site.registry.publish("A machine")
        site.start_controller()
        self.wait(lambda: site.reconciled("m1", "on"), "the machine is on")
        site.controller.kill()
        term = site.status.controller()["controller"]["term"]
        again = site.new_controller("controller-2").start()  # same provider, empty data folder
        self.wait(lambda: site.status.controller()["controller"]["term"] > term, "it takes a higher term")
        self.wait(lambda: again.passes() >= 4, "it looks at the machine")
        self.assertEqual(len(ipmi.writes()), 1)

    def test_a_deposed_controller_stops_writing(self):
        site = self.site()
        (ipmi,) = site.start_ipmi()
        site.ipmi_machine("m1", ipmi, power="on")
        site.registry.publish("A machine")
        first = site.start_controller()
        self.wait(lambda: site.reconciled("m1", "on"), "the machine is on")
        term = site.status.controller()["controller"]["term"]

        first.pause()
        second = site.new_controller("controller-2").start()
        self.wait(lambda: site.status.controller()["controller"]["term"] > term, "the second one takes over")
        self.wait(lambda: second.passes() >= 2, "the second one works")
        second.kill()  # now only the deposed one is left, and it must not act
        writes = len(ipmi.writes())
        ipmi.switch("off")
        first.resume()  # it wakes up believing that it is in charge
        self.wait(lambda: first.metrics().get("nimbus_term") == 0, "the first one knows that it is deposed")
        enough = first.passes() + 6
        self.wait(lambda: first.passes() >= enough or not first.alive(), "the first one went on looking, or ended")
        self.assertEqual(len(ipmi.writes()), writes, "a deposed controller wrote")
        self.assertEqual(ipmi.power(), "off")
        machine = json.loads(first.get("/v1/machines/m1")[1])
        self.assertIn("another controller took over", machine["next_step"])
        self.assertEqual(machine["refusal"]["reason"], "Deposed")


class Command(EndToEnd):
    def test_a_wrong_configuration_is_refused_with_its_line(self):
        site = self.site()
        controller = site.new_controller()
        text = controller.configuration.read_text().replace("poll = ", "pol = ")
        controller.configuration.write_text(text)
        line = 1 + next(i for i, row in enumerate(text.split("\n")) if row.startswith("pol = "))
        result = run([PROGRAMS / "nimbusd", "--config", controller.configuration], check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(f"nimbusd.toml:{line}:", result.stderr)
        self.assertIn("poll", result.stderr)

    def test_a_configuration_is_checked_with_what_it_names(self):
        site = self.site()
        controller = site.new_controller()
        check = [PROGRAMS / "nimbusd", "--check-config", "--config", controller.configuration]
        self.assertIn("valid", run(check).stdout)
        text = controller.configuration.read_text()
        for key, value in (("ssh_key", "/nonexistent/key"), ("known_hosts", "/nonexistent/hosts"), ("listen", "0.0.0.0:80"),
                           ("secrets", "/nonexistent/secrets")):
            text = re.sub(f'(?m)^{key} = ".*"$', f'{key} = "{value}"', text)
        controller.configuration.write_text(text.replace("[control]", '[control]\nusers = ["nobody-of-that-name"]'))
        hook = controller.folder / "webhook-secret"
        hook.chmod(0o444)
        result = run(check, check=False)
        self.assertEqual(result.returncode, 3)
        for words in ("secrets: ", "[registry] ssh_key: ", "[registry] known_hosts: ", "[http] listen: 0.0.0.0:80",
                      "nobody-of-that-name", "[[webhook]] github secret_files: "):
            self.assertIn(words, result.stderr)
        self.assertFalse((controller.data / "journal.sqlite").exists(), "a check changes nothing")

    def test_without_a_key_for_hosts_status_explain_and_the_check_say_so(self):
        site = self.site()
        (ipmi,) = site.start_ipmi()
        site.ipmi_machine("m1", ipmi)
        site.adopted_instance("acme", "web-1", "m1")
        path = "tenants/acme/instances/web-1.toml"
        site.registry.write(path, 'configuration = "observe"\n' + site.registry.read(path))
        site.registry.publish("An instance that wants to be looked at")
        controller = site.start_controller()
        condition = lambda: (site.status.document(path) or {}).get("condition", {}).get("configured", {})  # noqa: E731
        self.wait(lambda: condition().get("reason") == "NoKey", "status tells that no host is looked at")
        self.assertIn("configure-hosts.md", condition()["message"])
        ctl = [PROGRAMS / "nimbusctl", "-C", site.forge.repository]
        told = run([*ctl, "explain", "instance", "acme/web-1", "--server", f"unix:{controller.socket}"]).stdout
        self.assertIn("[hosts]", told)
        self.assertIn("a person", told)
        self.assertIn("[hosts]", run([*ctl, "instance", "describe", "acme/web-1"]).stdout)
        self.assertEqual(controller.metric("nimbus_host_up"), 0)
        check = run([PROGRAMS / "nimbusd", "--check-config", "--config", controller.configuration])
        self.assertIn("valid", check.stdout)
        self.assertIn("[hosts] is left out", check.stderr)
        self.assertIn("acme/web-1", check.stderr)

    def test_a_secret_that_others_can_read_is_not_used(self):
        site = self.site()
        (ipmi,) = site.start_ipmi()
        site.ipmi_machine("m1", ipmi)
        site.registry.publish("A machine")
        controller = site.new_controller()
        (controller.secrets / "bmc/ipmi.toml").chmod(0o444)
        controller.start()
        self.wait(lambda: site.status.condition("m1").get("reason") == "Untrusted", "status tells why it cannot go on")
        self.assertEqual(ipmi.writes(), [])
        self.assertNotIn(ipmi.password, controller.log.read_text())

    def test_a_secret_is_not_sent_to_an_address_that_it_is_not_bound_to(self):
        site = self.site()
        (ipmi,) = site.start_ipmi()
        site.ipmi_machine("m1", ipmi)
        site.registry.publish("A machine")
        controller = site.new_controller()
        controller.add_secret("bmc/ipmi", ipmi.user, ipmi.password, ["127.1.0.1:1"])
        controller.start()
        self.wait(lambda: site.status.condition("m1").get("reason") == "Untrusted", "status tells why it cannot go on")
        self.assertEqual(ipmi.writes(), [])


if __name__ == "__main__":
    main()
