#!/usr/bin/env python3
"""The controller's own account on what it installs: it comes with the seed, as the real cloud-init of a real Debian
reads it, lets the controller configure the host, and goes when nobody wants that any more."""
import sys

from harness import lab
from harness.debian_box import BASE, DebianMachine
from harness.paper_case import DEADLINES, Paper, main
from harness.process import run

PROFILE = """\
    [[file]]
    path = "/etc/motd"
    content = "Managed by Nimbus\\n"
    """


class Access(Paper):
    def setUp(self):
        super().setUp()
        self.hosts_key = self.folder / "hosts-key"
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "controller", "-f", self.hosts_key])
        self.box = self.own(DebianMachine(self.folder / "box", self.machines).start())
        self.site().registry.write("profiles/app.toml", PROFILE)
        self.site().registry.write("policy/limits.toml", '[destructive]\nper = "1s"\n')

    def want(self, configuration, reinstall=0, protected=True):
        self.write_instance(protected=protected,
                            more=f'configuration = "{configuration}"\n            profiles = ["app"]\n            reinstall = {reinstall}')
        self.site().registry.publish(f"{configuration} {reinstall}")

    def condition(self, name):
        return self.instance().get("condition", {}).get(name, {}).get("reason")

    def login(self, user, key):
        """Over SSH, from where the controller is; what `id -un` says, or why not."""
        known = self.folder / "known_hosts"
        known.write_text(self.instance()["ssh"]["known_hosts"].rstrip() + "\n")
        result = run(["ssh", "-F", "none", "-i", key, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes",
                      "-o", f"UserKnownHostsFile={known}", f"{user}@{self.instance()['addresses'][0]}", "sudo -n id -un; id -un"],
                     check=False, timeout=60)
        return result.stdout.split() if result.returncode == 0 else result.stderr

    def test_it_comes_with_the_seed_and_goes_when_nobody_wants_it(self):
        self.want("enforce")
        controller = self.new_controller(install=DEADLINES.replace('handover_deadline = "20s"', 'handover_deadline = "60s"'))
        with open(controller.configuration, "a") as file:
            file.write(f'\n[hosts]\nkey = "{self.hosts_key}"\ninterval = "5s"\n')
        self.site().controller = controller.start()
        self.until_running()
        self.wait(lambda: self.condition("configured") == "AsDeclared", "the host is configured", 90)

        with self.subTest("the account is the controller's alone"):
            self.assertEqual(self.box.sh("cat /etc/motd"), "Managed by Nimbus\n")
            self.assertEqual(self.box.sh("getent passwd nimbus").split(":")[4:], ["Nimbus controller", "/home/nimbus", "/bin/sh\n"])
            own = " ".join(self.hosts_key.with_suffix(".pub").read_text().split()[:2])
            self.assertEqual(self.box.sh("cat ~nimbus/.ssh/authorized_keys; stat -c '%a %U' ~nimbus/.ssh").split()[:2], own.split())
            self.assertEqual(self.box.sh("grep -c . ~nimbus/.ssh/authorized_keys").strip(), "1")
            self.assertNotIn(own, self.box.sh("cat ~debian/.ssh/authorized_keys"))
            self.assertEqual(self.box.sh("passwd -S nimbus").split()[1], "L")
            self.assertEqual(self.login("nimbus", self.hosts_key), ["root", "nimbus"])
            self.assertEqual(self.login("debian", self.user_key), ["root", "debian"])
            self.assertIn("Permission denied", self.login("nimbus", self.user_key))

        with self.subTest("nobody wants it any more"):
            self.want("none")
            self.wait(lambda: self.condition("access") == "Removed", "the access is gone", 60)
            self.assertEqual(self.box.sh("getent passwd nimbus", check=False), "")
            self.assertNotIn("nimbus ", self.box.sh("grep -rv '^#' /etc/sudoers.d"))
            self.box.sh("visudo -c")
            self.assertIn("Permission denied", self.login("nimbus", self.hosts_key))
            self.assertEqual(self.login("debian", self.user_key), ["root", "debian"])
            self.assertEqual(self.box.sh("cat /etc/motd"), "Managed by Nimbus\n")

        with self.subTest("what is installed anew without configuration has no such account"):
            self.want("none", protected=False)
            self.wait(lambda: self.instance().get("unprotected_since"), "status tells that it is unprotected")
            self.want("none", reinstall=1, protected=False)
            self.wait(lambda: self.installs() == 2, "it is installed anew", 90)
            self.until_running()
            self.assertEqual(self.box.sh("getent passwd nimbus", check=False), "")
            self.assertEqual(self.login("debian", self.user_key), ["root", "debian"])


if __name__ == "__main__":
    if not BASE.is_dir():
        print("skipped: no Debian to boot (scripts/build-image)")
        sys.exit(lab.SKIP)
    main()
