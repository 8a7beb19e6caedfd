#!/usr/bin/env python3
"""The how-to "Configure hosts", block by block, with real programs and a real OpenSSH server: only its paths, names of
machines and addresses are others."""
import os

from harness import host as hosts
from harness.case import PROGRAMS, ROOT, main
from harness.configured import INSTANCE, SECRET, Configured, book_block
from harness.host import Host
from harness.process import run

# The controller is this test's user already, and no service.
SHELL = 'set -e; sudo() { [ "$1" != -u ] || shift 2; "$@"; }; systemctl() { echo "$*" >>"$HOME/systemctl"; }\n'


class Book(Configured):
    def controller_side(self, script, words=""):
        site = self.site()
        script = script.replace("/etc/nimbus/nimbusd.toml", str(site.controller.configuration))
        return run(["bash", "-c", SHELL + script.replace("/etc/nimbus", str(self.etc))], cwd=site.registry.folder, input=words,
                   env={**site.forge.client_environment(), "PATH": f"{PROGRAMS}:{os.environ['PATH']}", "HOME": str(self.folder),
                        "NIMBUS_SECRETS": str(site.controller.secrets), "NIMBUS_SERVER": f"unix:{site.controller.socket}"}).stdout

    def page(self, word):
        """A block of the page with this site's names in it."""
        key = " ".join((self.host.files / "ssh_host_ed25519_key.pub").read_text().split()[:2])
        text = book_block(word).replace("m017", "m1").replace("10.0.0.17", self.host.address)
        return text.replace("ssh-ed25519 AAAA…", key).replace("/etc/nimbus", str(self.etc))

    def write_instance(self, mode):
        text = self.page("[adopt]").replace('"observe"', f'"{mode}"')
        self.site().registry.write(INSTANCE, f'provider = "lab"\nimage = "any"\n{text}')

    def let_the_controller_in(self):
        site = self.site()
        (bmc,) = site.start_ipmi(1)
        site.ipmi_machine("m1", bmc, power="on", enforcement="observe")
        self.etc = self.folder / "etc"
        self.etc.mkdir()
        site.controller = site.new_controller()
        configuration = site.controller.configuration
        self.controller_side(book_block("ssh-keygen"))
        self.host = Host(self.folder / "host", 1, "").start()
        self.addCleanup(self.host.stop)
        configuration.write_text(configuration.read_text() + self.page("hosts-key\"") + 'interval = "5s"\n')
        self.controller_side(book_block("--check-config"))
        self.assertEqual((self.folder / "systemctl").read_text(), "restart nimbusd\n")
        site.controller.start()
        self.let_in_by_the_book((self.etc / "hosts-key.pub").read_text())
        site.adopted_instance("acme", "web-1", "m1")
        self.write_instance("observe")
        site.registry.write("profiles/base.toml", self.page("/etc/motd"))
        self.controller_side("nimbusctl validate")
        site.registry.publish("web-1 is configured")

    def test_the_page_from_top_to_end(self):
        self.let_the_controller_in()
        registry = self.site().registry

        with self.subTest("observe"):
            self.wait_for("Drifted")
            self.wait(lambda: self.live().get("diffs"), "diffs were read")
            told = self.controller_side(book_block("nimbusctl drift  "))
            for words in ("acme/web-1", "file:/etc/motd", "+Managed by Nimbus.", "observe", "m1"):
                self.assertIn(words, told)
            self.assertNotIn("Managed by Nimbus", self.host.sh("cat /etc/motd"))

        with self.subTest("enforce"):
            self.write_instance("enforce")
            registry.publish("web-1 is enforced")
            self.wait_for("AsDeclared")
            self.assertEqual(self.host.sh("cat /etc/motd"), "Managed by Nimbus.\n")
            self.controller_side("nimbusctl reconcile acme/web-1")
            self.assertNotIn("/etc/motd", self.controller_side("git fetch -q && nimbusctl drift"))

        with self.subTest("secrets"):
            self.controller_side(self.page("nimbusctl secret set"), SECRET + "\n")
            registry.write("profiles/base.toml", self.page("/etc/motd") + self.page("[[secret_file]]"))
            registry.publish("A token")
            self.wait(lambda: self.host.sh("cat /etc/app-token 2>/dev/null", check=False) == SECRET, "the file is there")
            stored = self.site().controller.secrets / "tenant/acme/app-token.toml"
            self.assertEqual(stored.stat().st_mode & 0o777, 0o400)
            stored.chmod(0o600)
            stored.write_text(self.page("-----BEGIN"))
            stored.chmod(0o400)
            self.host.sh("rm /etc/app-token")
            self.wait(lambda: self.host.sh("cat /etc/app-token 2>/dev/null", check=False) == "-----BEGIN …\n", "with more lines")

        with self.subTest("another host key"):
            self.host.change_key()
            self.wait_for("Changed", "host-key")
            self.assertIn("NimbusHostKeyChanged", (ROOT / "packaging/prometheus/nimbus.rules.yml").read_text())
            self.assertEqual(self.site().controller.metric("nimbus_host_key_changed"), 1)
            self.write_instance("enforce")
            registry.publish("The host was installed anew")
            self.wait_for("Matches", "host-key")

        with self.subTest("stop"):
            self.write_instance("none")
            registry.publish("Not configured any more")
            self.wait_for("Removed", "access")
            self.assertEqual(self.host.sh("cat ~nimbus/.ssh/authorized_keys /etc/sudoers.d/nimbus-access"),
                             "nimbus ALL=(ALL:ALL) NOPASSWD: ALL\n")
            self.assertEqual(self.host.sh("cat /etc/motd"), "Managed by Nimbus.\n")


if __name__ == "__main__":
    hosts.enter()
    main()
