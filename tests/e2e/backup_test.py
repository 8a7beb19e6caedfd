#!/usr/bin/env python3
"""A controller lost with its disk: its backup on another folder runs on."""
import shutil
import stat

from harness.case import PROGRAMS, EndToEnd, main
from harness.process import run

ERROR, CHANGES, CONFLICT = 1, 2, 6


class Backup(EndToEnd):
    def ctl(self, *arguments, code=0):
        result = run([PROGRAMS / "nimbusctl", "controller", *arguments], check=False)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result.stdout

    def test_a_lost_controller_comes_back(self):
        site = self.site()
        (bmc,) = site.start_ipmi()
        site.ipmi_machine("m1", bmc, power="on")
        site.registry.publish("A machine")
        controller = site.start_controller()
        self.wait(lambda: site.reconciled("m1", "on"), "m1 is on, says status")
        (controller.holds / "machines").mkdir(parents=True)
        (controller.holds / "machines" / "m9.toml").write_text('reason = "kept"\n')
        backup = self.folder / "backup"
        self.ctl("backup", "--verify", "--config", controller.configuration, backup)
        self.assertEqual(stat.S_IMODE(backup.stat().st_mode), 0o600)
        self.ctl("restore", "--verify", backup)

        with self.subTest("damaged or cut off: nothing is restored"):
            good = backup.read_bytes()
            bad = self.folder / "bad"
            for text in (good[:-1], good[:len(good) // 2], good.replace(b'"mode":', b'"mode" :', 1), b"", b"\n\n"):
                bad.write_bytes(text)
                self.ctl("restore", "--root", self.folder / "nowhere", bad, code=ERROR)
            self.assertFalse((self.folder / "nowhere").exists())

        controller.kill()
        secret = controller.secrets / "bmc" / "ipmi.toml"
        kept = secret.read_text()
        key = site.forge.key.read_bytes()
        # All that the controller has is gone; the forge's own copy of the key is moved away with it.
        shutil.rmtree(controller.data)
        shutil.rmtree(controller.secrets)
        shutil.rmtree(controller.holds)
        site.forge.key.unlink()
        controller.configuration.unlink()
        self.assertIn(str(secret), self.ctl("restore", "--verify", backup, code=CHANGES))
        self.ctl("restore", backup)
        self.assertEqual((secret.read_text(), stat.S_IMODE(secret.stat().st_mode)), (kept, 0o400))
        self.assertEqual((site.forge.key.read_bytes(), stat.S_IMODE(site.forge.key.stat().st_mode)), (key, 0o600))
        self.assertTrue((controller.holds / "machines" / "m9.toml").exists())
        self.ctl("restore", "--verify", backup)

        with self.subTest("what is other on disk is not replaced unasked"):
            secret.chmod(0o600)
            secret.write_text("changed\n")
            self.ctl("restore", backup, code=CONFLICT)
            self.assertEqual(secret.read_text(), "changed\n")
            self.ctl("restore", "--overwrite", backup)
            self.assertEqual(secret.read_text(), kept)

        with self.subTest("the restored controller runs on"):
            bmc.switch("off")
            controller.data.mkdir(mode=0o700)
            controller.start()
            self.wait(lambda: bmc.power() == "on", "m1 is on again")


if __name__ == "__main__":
    main()
