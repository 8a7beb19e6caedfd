#!/usr/bin/env python3
"""From `nimbusctl instance create` to a verified login and back, with a controller that installs on machines made of
files (harness/paper.py); and two green pull requests for one machine."""
import json

from harness import lab
from harness.case import PROGRAMS, ROOT
from harness.paper_case import DEADLINES, Paper, main
from harness.process import run


class GetAMachine(Paper):
    def setUp(self):
        super().setUp()
        self.start_machine()
        # A reinstall and a release of the only machine, one after the other.
        self.site().registry.write("policy/limits.toml", '[destructive]\nper = "1s"\n')
        self.site().registry.publish("A site")
        self.controller = self.start_controller(install=DEADLINES)
        self.wait(lambda: self.site().reconciled("v1"), "the machine was looked at")

    def ctl(self, *arguments, code=0, **options):
        registry = self.site().registry
        result = run([PROGRAMS / "nimbusctl", "-C", registry.folder, "instance", *arguments], check=False,
                     env={**registry.git_environment, "HOME": str(self.folder)}, timeout=150, **options)
        self.assertEqual(result.returncode, code, f"{arguments}\n{result.stdout}\n{result.stderr}")
        return result

    def test_from_create_to_login_and_back(self):
        plan = self.ctl("plan", "acme/web-1", "--image", "debian-12")
        self.assertIn("lab/v1   chosen", plan.stdout)
        result = self.ctl("create", "acme/web-1", "--image", "debian-12", "--ssh-key", "person:alice", "--user", "debian",
                          "--timeout", "2m")
        self.assertTrue(result.stdout.endswith("nimbusctl instance ssh acme/web-1\n"), result.stdout)
        self.assertIn("[#####] running on v1", result.stderr)
        self.assertTrue(self.box.bootable())
        self.assertEqual(self.installs(), 1)
        # sshd shows the key that status published; it has no account to let us in.
        login = self.ctl("ssh", "acme/web-1", "-i", self.user_key, "--", "true", code=255)
        self.assertIn("Permission denied", login.stderr)
        self.assertNotIn("verification failed", login.stderr)
        self.assertIn("running", self.ctl("list").stdout)
        self.assertIn("installing", self.ctl("logs", "acme/web-1").stdout)

        self.ctl("stop", "acme/web-1", "--timeout", "1m")
        self.wait(lambda: self.instance().get("phase") == "stopped" and self.machines.power(1) == "off", "it is stopped")
        self.ctl("start", "acme/web-1", "--timeout", "1m")
        self.wait(lambda: self.installed() and self.machines.power(1) == "on", "it runs again")
        self.wait(lambda: "Permission denied" in self.ctl("ssh", "acme/web-1", "-i", self.user_key, "--", "true", code=255).stderr,
                  "its sshd answers with the same key")
        self.assertEqual(self.installer_runs(), 1, self.box.lines)

        self.ctl("unprotect", "acme/web-1", "--timeout", "1m")
        self.ctl("reinstall", "acme/web-1", "--yes", "--timeout", "2m")
        self.assertEqual(self.installs(), 2)
        self.ctl("delete", "acme/web-1", "--yes", "--timeout", "2m")
        self.wait(lambda: self.machine().get("phase") == "available", "the machine is erased")
        self.assertFalse(self.box.disk().read_bytes().strip(b"\0"), "data is on the disk")
        self.assertIn("fits with least waste", self.ctl("plan", "acme/web-2", "--image", "debian-12").stdout)

    def judge_console(self):
        """What the API answers, by its description."""
        answers = []
        for verb, body in (("attach", ""), ("console", '{"after": 0}'), ("type", '{"base64": "eA=="}')):
            status, headers, text = self.controller.curl(f"/v1/machines/v1:{verb}", "--request", "POST", "--data", body)
            self.assertLess(status, 300, text)
            answers.append({"method": "POST", "path": "/v1/machines/{machine}:" + verb, "status": status,
                            "content_type": headers.get("content-type", ""), "body": text})
        judged = run([ROOT / ".venv/bin/python3", ROOT / "tests/peers/openapi/validate.py", ROOT / "docs/reference/openapi.json", "--some"],
                     check=False, input="".join(json.dumps(answer) + "\n" for answer in answers))
        self.assertEqual(judged.returncode, 0, judged.stdout + judged.stderr)

    def test_its_console_while_nimbusd_records_it(self):
        self.mirror.stop()
        self.mirror = self.own(lab.FileServer(self.folder / "slow", self.image.folder, rate="512k").start())
        self.write_instance()
        self.site().registry.publish("An instance")
        self.until_written()
        self.ctl("list")  # brings status
        talk = self.ctl("--server", f"unix:{self.controller.socket}", "console", "acme/web-1", input="who goes there\n")
        self.assertIn("you share it", talk.stderr)
        self.assertIn("BIOS", talk.stdout)            # what was recorded before
        self.assertIn("who goes there", talk.stdout)  # the line's echo of what was typed
        self.judge_console()
        audit = "".join(file.read_text() for file in (self.controller.data / "audit").glob("chain-*.jsonl"))
        self.assertIn('"type":"console"', audit)
        self.until_running()

    def test_two_green_pull_requests_for_one_machine(self):
        registry = self.site().registry
        for name in ("one", "two"):
            result = self.ctl("create", f"acme/{name}", "--image", "debian-12", "--push", "branch")
            self.assertIn("lab/v1 fits with least waste", result.stderr)
        branches = registry.git("ls-remote", "origin", "refs/heads/nimbusctl/*").stdout.split()[1::2]
        self.assertEqual(len(branches), 2)
        registry.git("fetch", "-q", "origin", *(f"+{branch}:{branch}" for branch in branches))
        for branch in sorted(branches):
            registry.git("merge", "-q", "--no-edit", branch)
            run([PROGRAMS / "nimbusctl", "validate", registry.folder])
        registry.push()
        self.ctl("wait", "acme/one", "--for", "running", "--timeout", "2m")
        self.wait(lambda: "in use by acme/one" in self.instance("tenants/acme/instances/two.toml").get("message", ""),
                  "the later one is told why it waits")
        self.assertIn("in use by acme/one", self.ctl("list").stdout)
        self.assertIn("in use by acme/one", self.ctl("plan", "acme/two").stdout)
        self.ctl("unprotect", "acme/one", "--timeout", "1m")
        self.ctl("delete", "acme/one", "--yes", "--no-wait")
        self.ctl("wait", "acme/two", "--for", "running", "--timeout", "2m")
        self.assertEqual(self.installs(), 2)


if __name__ == "__main__":
    main()
