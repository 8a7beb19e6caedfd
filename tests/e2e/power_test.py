#!/usr/bin/env python3
"""The main job: a push moves machines, and what happened comes back as a commit."""
from harness.case import EndToEnd, main


class Power(EndToEnd):
    def test_a_push_switches_machines_on_and_comes_back_as_a_commit(self):
        site = self.site()
        (ipmi,), (redfish,) = site.start_ipmi(), site.start_redfish()
        site.ipmi_machine("m1", ipmi, power="on")
        site.redfish_machine("m2", redfish, power="on")
        commit = site.registry.publish("Put two machines into service")
        controller = site.start_controller()

        self.wait(lambda: ipmi.power() == "on", "the IPMI machine is on, says ipmitool")
        self.wait(lambda: redfish.power() == "on", "the Redfish machine is on, says curl")
        self.wait(lambda: site.reconciled("m1", "on") and site.reconciled("m2", "on"), "status says so")
        self.wait(lambda: site.published(commit), "status names the registry commit")
        self.assertEqual(site.status.trailers()["Nimbus-Registry"], commit)
        self.assertEqual(site.status.controller()["registry"]["accepted_commit"], commit)
        self.assertEqual(len(ipmi.writes()), 1, ipmi.writes())
        self.assertEqual(len(redfish.writes()), 1, redfish.writes())

        with self.subTest("a second pass writes nothing and commits nothing"):
            self.nothing_happens(controller, [ipmi, redfish])

        with self.subTest("what is switched off behind our back comes back"):
            ipmi.switch("off")
            redfish.switch("off")
            self.wait(lambda: ipmi.power() == "on", "the IPMI machine is on again")
            self.wait(lambda: redfish.power() == "on", "the Redfish machine is on again")

        with self.subTest("another push switches one off"):
            site.registry.edit(site.registry.machine_path("m1"), 'power = "on"', 'power = "off"')
            site.registry.publish("Switch m1 off")
            self.wait(lambda: ipmi.power() == "off", "the IPMI machine is off")
            self.wait(lambda: site.reconciled("m1", "off"), "status says so")
            self.assertEqual(redfish.power(), "on")

    def test_default_enforcement_only_looks(self):
        site = self.site()
        (ipmi,), (redfish,) = site.start_ipmi(), site.start_redfish()
        site.ipmi_machine("m1", ipmi, power="on", enforcement=None)
        site.redfish_machine("m2", redfish, power="on", enforcement="observe")
        site.registry.publish("Two machines to look at")
        controller = site.start_controller()
        self.wait(lambda: (site.status.machine("m1") or {}).get("power") == "off" and
                  (site.status.machine("m2") or {}).get("power") == "off", "status tells what both are")
        self.nothing_happens(controller, [ipmi, redfish])
        self.assertEqual((ipmi.writes(), redfish.writes()), ([], []))
        self.assertEqual((ipmi.power(), redfish.power()), ("off", "off"))
        for machine in ("m1", "m2"):
            self.assertEqual(site.status.condition(machine, "drift").get("status"), "true", site.status.machine(machine))

    def test_a_machine_without_wanted_power_is_only_looked_at(self):
        site = self.site()
        (ipmi,) = site.start_ipmi()
        site.ipmi_machine("m1", ipmi, power=None, enforcement="enforce")
        site.registry.publish("A machine")
        controller = site.start_controller()
        self.wait(lambda: site.reconciled("m1", "off"), "status tells that it is off")
        ipmi.switch("on")
        self.wait(lambda: site.reconciled("m1", "on"), "status tells that it is on")
        self.nothing_happens(controller, [ipmi])
        self.assertEqual(ipmi.writes(), [])

    def test_a_bmc_of_another_machine_is_never_written_to(self):
        site = self.site()
        (ipmi,), (redfish,) = site.start_ipmi(), site.start_redfish()
        site.ipmi_machine("m1", ipmi, serial="ANOTHER-MACHINE")
        site.redfish_machine("m2", redfish, uuid="11111111-2222-4333-8444-555555555555")
        site.registry.publish("Two machines whose cables were swapped")
        controller = site.start_controller()
        self.wait(lambda: site.status.condition("m1", "identity").get("status") == "false" and
                  site.status.condition("m2", "identity").get("status") == "false", "status tells that both differ")
        self.nothing_happens(controller, [ipmi, redfish])
        self.assertEqual((ipmi.writes(), redfish.writes()), ([], []))
        self.assertEqual((ipmi.power(), redfish.power()), ("off", "off"))

    def test_a_raised_restart_counter_is_one_power_cycle(self):
        site = self.site()
        (ipmi,) = site.start_ipmi()
        site.ipmi_machine("m1", ipmi, power=None, enforcement="observe")
        instance = "tenants/acme/instances/web-1.toml"
        site.adopted_instance("acme", "web-1", "m1", restart=4)
        ipmi.switch("on")
        site.registry.publish("A machine with an instance")
        controller = site.start_controller()
        self.wait(lambda: (site.status.machine("m1") or {}).get("restart") == 4, "counting begins where it is")
        self.assertEqual(ipmi.writes(), [])

        site.registry.edit(instance, "restart = 4", "restart = 5")
        site.registry.publish("Restart web-1")
        self.wait(lambda: (site.status.machine("m1") or {}).get("restart") == 5, "status tells that it is answered")
        self.assertEqual(ipmi.power(), "on")
        once = ipmi.writes()
        self.assertIn(len(once), (2, 3), once)  # the request to the operating system may take a cut
        with self.subTest("a restart of the controller, and a lower counter, repeat nothing"):
            controller.kill()
            controller.start()
            site.registry.edit(instance, "restart = 5", "restart = 3")
            site.registry.edit(site.registry.machine_path("m1"), "enforcement =", 'description = "x"\nenforcement =')
            lowered = site.registry.publish("Lower the counter")
            self.wait(lambda: site.published(lowered), "the commit is taken over")
            enough = controller.passes() + 6
            self.wait(lambda: controller.passes() >= enough, "it looks at the machine")
            self.assertEqual(ipmi.writes(), once)
        with self.subTest("with the data folder lost, what was answered stays answered"):
            controller.kill()
            site.registry.edit(instance, "restart = 3", "restart = 5")
            site.registry.publish("Raise it to what it was")
            again = site.new_controller("controller-2").start()
            self.wait(lambda: again.passes() >= 6, "it looks at the machine")
            self.assertEqual(ipmi.writes(), once)


if __name__ == "__main__":
    main()
