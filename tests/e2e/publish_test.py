#!/usr/bin/env python3
"""Where status goes, who signed it, and what a controller makes of an older copy of its memory."""
import os
import shutil

from harness.case import EndToEnd, main
from harness.forge import clean_git_environment
from harness.process import run
from harness.status import StatusBranch


class Place(EndToEnd):
    def test_status_is_signed_and_goes_where_the_registry_says(self):
        site = self.site()
        (ipmi,) = site.start_ipmi()
        site.ipmi_machine("m1", ipmi, power="on")
        other = site.folder / "status.git"
        run(["git", "init", "-q", "--bare", "--initial-branch=main", other], env=clean_git_environment())
        key = site.folder / "signing_key"
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "nimbusd@lab", "-f", key])
        site.registry.write("registry.toml", f"""\
            format = 1
            name = "acme-metal"
            [status]
            branch_prefix = "fleet/state"
            repository = "file://{other}"
            """)
        site.registry.publish("Status in another repository")

        with self.subTest("a repository that only the registry names is not written to"):
            stubborn = site.new_controller("stubborn").start()
            self.wait(lambda: "registry.toml wants status in" in stubborn.get("/readyz")[1], "it says why it waits")
            enough = stubborn.passes() + 4
            self.wait(lambda: stubborn.passes() >= enough, "it observes")
            self.assertEqual((stubborn.get("/readyz")[0], ipmi.writes()), (503, []))
            stubborn.stop()

        site.start_controller(status=f'signing_key = "{key}"\nrepository = "file://{other}"\n')
        branch = StatusBranch(site.forge, prefix="fleet/state")
        self.assertIsNone(branch.head(), "nothing in the registry's own repository")
        def git(*arguments):
            return run(["git", f"--git-dir={other}", *arguments], check=False, env=clean_git_environment())
        tip = "refs/heads/fleet/state/lab"
        self.wait(lambda: git("log", "--format=%s", tip).stdout.startswith("m1: "), "status tells about m1")
        self.assertEqual(ipmi.power(), "on")

        with self.subTest("every commit is signed, says git"):
            allowed = site.folder / "allowed"
            allowed.write_text("nimbusd@lab " + key.with_suffix(".pub").read_text())
            commits = git("rev-list", tip).stdout.split()
            self.assertGreaterEqual(len(commits), 2)
            for commit in commits:
                verified = git("-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={allowed}", "verify-commit", commit)
                self.assertEqual(verified.returncode, 0, verified.stderr)

    def test_a_signing_key_that_cannot_be_used_is_said_at_the_start(self):
        site = self.site()
        site.registry.publish("Nothing yet")
        controller = site.new_controller(status='signing_key = "/nonexistent/key"\n').launch()
        self.wait(lambda: not controller.alive(), "it ends")
        self.assertIn("signing_key", controller.log.read_text())


class OldCopy(EndToEnd):
    def test_a_restored_copy_is_noticed_and_repeats_nothing(self):
        site = self.site()
        (ipmi,) = site.start_ipmi()
        site.ipmi_machine("m1", ipmi, power=None)
        site.adopted_instance("acme", "web-1", "m1", restart=1)
        ipmi.switch("on")
        site.registry.publish("A machine with an instance")
        controller = site.start_controller()
        self.wait(lambda: (site.status.machine("m1") or {}).get("restart") == 1, "counting begins")
        self.assertEqual(controller.terminate(), 0)
        copy = site.folder / "copy"
        shutil.copytree(controller.data, copy, symlinks=True, ignore=shutil.ignore_patterns("*.sock"))

        controller.start()
        site.registry.edit("tenants/acme/instances/web-1.toml", "restart = 1", "restart = 2")
        site.registry.publish("Restart web-1")
        self.wait(lambda: (site.status.machine("m1") or {}).get("restart") == 2, "the restart is answered")
        once = ipmi.writes()
        self.assertEqual(controller.terminate(), 0)

        shutil.rmtree(controller.data)
        shutil.copytree(copy, controller.data, symlinks=True)
        os.chmod(controller.data, 0o700)
        controller.start()
        self.wait(lambda: controller.metric("nimbus_data_folder_older") == 1, "it notices")
        enough = controller.passes() + 6
        self.wait(lambda: controller.passes() >= enough, "it looks at the machine")
        self.assertEqual(ipmi.writes(), once, "the request was answered before")


if __name__ == "__main__":
    main()
