#!/usr/bin/env python3
"""Everything over Git's smart HTTP: a person's push, the controller's fetches and its status."""
from harness.case import EndToEnd, main
from harness.http_forge import TOKEN, HttpForge


class SmartHttp(EndToEnd):
    def start(self, poll):
        site = self.site()
        (self.bmc,) = site.start_ipmi()
        self.forge = site._own(HttpForge(self.folder / "https", site.forge.repository).start())
        site.registry.git_environment["GIT_SSL_CAINFO"] = str(self.forge.certificate)
        site.registry.git("remote", "set-url", "origin", self.forge.person_url())
        site.ipmi_machine("m1", self.bmc, power="off")
        first = site.registry.publish("A machine")
        site.forge.stop()  # no other way in
        self.controller = site.new_controller(poll=poll, url=self.forge.url)
        token = self.controller.folder / "token"
        self.controller._private(token, TOKEN + "\n")
        text = self.controller.configuration.read_text()
        lines = [line for line in text.split("\n") if not line.startswith(("ssh_key", "known_hosts"))]
        at = next(i for i, line in enumerate(lines) if line.startswith("branch = ")) + 1
        lines[at:at] = [f'token_file = "{token}"', f'ca_file = "{self.forge.certificate}"']
        self.controller.configuration.write_text("\n".join(lines))
        site.controller = self.controller.start()
        self.wait(lambda: site.published(first), "status tells about the first commit")
        self.assertEqual(self.bmc.power(), "off")
        return site

    def switch_on(self, site):
        site.registry.edit(site.registry.machine_path("m1"), 'power = "off"', 'power = "on"')
        return site.registry.publish("Switch it on")

    def check_pushes(self):
        name = self.forge.repository.name
        self.assertIn(f"POST /{name}/git-upload-pack", self.forge.requests)
        self.assertIn(f"POST /{name}/git-receive-pack", self.forge.requests)
        self.assertNotIn(TOKEN, self.controller.log.read_text())

    def test_with_polling_only(self):
        site = self.start(poll="1s")
        commit = self.switch_on(site)
        self.wait(lambda: self.bmc.power() == "on", "the machine is on")
        self.wait(lambda: site.published(commit) and site.reconciled("m1", "on"), "status tells about it")
        self.nothing_happens(self.controller, [self.bmc])
        self.check_pushes()

    def test_with_a_webhook(self):
        site = self.start(poll="1h")
        commit = self.switch_on(site)
        self.nothing_happens(self.controller, [self.bmc])  # an hour between polls: nobody told it
        self.assertEqual(self.controller.push_webhook(commit), 202)
        self.wait(lambda: self.bmc.power() == "on", "the machine is on")
        self.wait(lambda: site.published(commit) and site.reconciled("m1", "on"), "status tells about it")
        self.check_pushes()


if __name__ == "__main__":
    main()
