#!/usr/bin/env python3
"""Hosts are configured over SSH: nimbusd against real OpenSSH servers in Debian roots."""
import json
import os
import textwrap

from harness import host as hosts
from harness.case import PROGRAMS, main
from harness.configured import SECRET, Configured
from harness.controller import nimbusctl
from harness.process import run

PROFILE = """\
    [[file]]
    path = "/etc/motd"
    content = "Managed by Nimbus\\n"
    [[file]]
    path = "/etc/app/app.conf"
    source = "files/app.conf"
    owner = "deploy"
    group = "staff"
    mode = "0640"
    [[directory]]
    path = "/etc/app"
    [[link]]
    path = "/etc/app/current"
    target = "app.conf"
    [[group]]
    name = "builders"
    [[user]]
    name = "deploy"
    groups = ["builders"]
    sudo = "nopasswd"
    [[secret_file]]
    path = "/etc/app/token"
    secret = "tenant/{{tenant.name}}/app-token"
    [[command]]
    name = "first-run"
    run = "echo once >>/var/log/first-run"
    creates = "/var/log/first-run"
    [[file]]
    path = "/etc/rack"
    template = true
    content = "{{machine.labels.rack}}\\n"
    [packages]
    absent = ["busybox"]
    """


class Enforced(Configured):
    PROFILE = PROFILE

    def test_from_nothing_to_as_declared_and_back_after_drift(self):
        controller = self.start(by_the_book=True)
        self.wait_for("AsDeclared", seconds=120)

        with self.subTest("everything is there"):
            self.assertEqual(self.host.sh("cat /etc/motd"), "Managed by Nimbus\n")
            self.assertEqual(self.host.sh("cat /etc/app/current"), "listen = 80\n")
            self.assertEqual(self.host.sh("stat -c '%U %G %a' /etc/app/app.conf").strip(), "deploy staff 640")
            self.assertIn("builders", self.host.sh("id deploy"))
            self.assertEqual(self.host.sh("su deploy -c 'sudo -n id -u'").strip(), "0")
            self.assertEqual(self.host.sh("cat /etc/app/token; stat -c ' %a %U' /etc/app/token").strip(), f"{SECRET} 400 root")
            self.assertNotIn("install ok installed", self.host.sh("dpkg-query -W -f '${Status}' busybox", check=False))
            document = self.document()
            self.assertEqual(document["phase"], "running")
            self.assertEqual(document["configuration"]["applied_digest"], document["configuration"]["desired_digest"])
            self.assertNotIn("drift", document)

        with self.subTest("a host that is as declared costs one script a pass, and nothing changes"):
            status, corrections = self.site().status.head(), controller.metric("nimbus_host_corrections_total")
            self.wait_passes(1)  # none of a pass that began before
            scripts, passes, logins = self.host.scripts(), self.passes(), self.host.logins()
            self.wait_passes(3)
            self.assertLessEqual(abs((self.host.scripts() - scripts) - (self.passes() - passes)), 1)
            self.assertEqual(self.host.logins(), logins, "the session is kept")
            self.assertEqual(controller.metric("nimbus_host_corrections_total"), corrections)
            self.assertEqual(self.site().status.head(), status)
            self.assertEqual(self.host.sh("cat /var/log/first-run"), "once\n")

        with self.subTest("what is changed behind our back comes back"):
            self.host.sh("echo hacked >/etc/motd; chmod 666 /etc/app/app.conf; gpasswd -d deploy builders; rm /etc/app/current; "
                         "rm /etc/app/token")
            self.wait(lambda: self.host.sh("cat /etc/motd") == "Managed by Nimbus\n", "motd is back")
            self.wait(lambda: "builders" in self.host.sh("id deploy"), "the group is back")
            self.wait(lambda: SECRET in self.host.sh("cat /etc/app/token", check=False), "the secret is back")
            self.wait(lambda: self.host.sh("stat -c %a /etc/app/app.conf").strip() == "640", "the mode is back")

        with self.subTest("another commit counts at once, and only what changed is touched"):
            self.site().registry.write("files/app.conf", "listen = 8080\n")
            before = self.host.sh("stat -c %i /etc/motd")
            self.site().registry.publish("Another port")
            self.wait(lambda: self.host.sh("cat /etc/app/app.conf") == "listen = 8080\n", "the file follows")
            self.assertEqual(self.host.sh("stat -c %i /etc/motd"), before)

        with self.subTest("a label of its machine counts at once, too"):
            self.assertEqual(self.host.sh("cat /etc/rack"), "b1\n")
            self.site().registry.edit(self.machine, '"b1"', '"b2"')
            self.site().registry.publish("It was moved to another rack")
            self.wait(lambda: self.host.sh("cat /etc/rack") == "b2\n", "the file follows the label")

        with self.subTest("the secret is nowhere but on the host"):
            texts = [controller.log.read_text(), json.dumps(self.live()), controller.get("/metrics")[1]]
            texts += [path.read_text(errors="replace") for path in (controller.data / "audit").rglob("*") if path.is_file()]
            texts.append(self.site().forge.git("log", "-p", "--all").stdout)
            for text in texts:
                self.assertNotIn(SECRET, text)
            self.assertIn("host-change-intent", "".join(texts))

        with self.subTest("health is told"):
            self.check_metrics(controller)
            answer = self.live()
            self.assertEqual((answer["state"], answer["gaps"], answer["health"]["os"]), ("converged", [], "debian"))
            self.judge(answer)

        with self.subTest("nobody wants it any more: the access goes, and status says so"):
            self.write_instance("none")
            self.site().registry.publish("Not configured any more")
            self.wait_for("Removed", "access")
            self.assertEqual(self.host.sh("cat /home/nimbus/.ssh/authorized_keys"), "")
            self.assertEqual(self.document()["configuration"]["mode"], "none")

    def check_metrics(self, controller):
        metrics = controller.metrics()

        def of(name, **more):
            labels = ",".join(f'{k}="{v}"' for k, v in {"host": "acme/web-1", "machine": "m1", **more}.items())
            return metrics[f"nimbus_host_{name}{{{labels}}}"]

        self.assertEqual(of("up"), 1)
        self.assertGreater(of("memory_bytes"), of("memory_available_bytes"))
        self.assertGreater(of("memory_available_bytes"), 1e6)
        self.assertGreater(of("uptime_seconds"), 0)
        self.assertEqual(of("reboot_required"), 0)
        self.assertLess(abs(of("time_offset_seconds")), 5)
        for period in ("1m", "5m", "15m"):
            self.assertGreaterEqual(of("load", period=period), 0)
        self.assertGreater(of("filesystem_bytes", path="/"), of("filesystem_available_bytes", path="/"))
        self.assertGreater(of("filesystem_available_bytes", path="/"), 0)
        (info,) = [name for name in metrics if name.startswith("nimbus_host_info{")]
        self.assertIn(f'kernel="{os.uname().release}"', info)
        self.assertIn('os="debian"', info)
        # There is no systemd: what was not told is not zero.
        self.assertFalse([name for name in metrics if name.startswith("nimbus_host_failed_units")])
        lint = run(["promtool", "check", "metrics"], check=False, input=controller.get("/metrics")[1])
        self.assertEqual((lint.returncode, lint.stderr), (0, ""))
        self.host.sh("touch /run/reboot-required")
        self.wait_for("RestartDue", "healthy")
        self.wait(lambda: controller.metric("nimbus_host_reboot_required") == 1, "the metric follows")
        self.host.sh("rm /run/reboot-required")
        self.wait(lambda: self.condition("healthy").get("reason") != "RestartDue", "it is over")


class Observed(Configured):
    PROFILE = PROFILE

    def test_drift_is_reported_with_a_diff_and_nothing_is_changed(self):
        controller = self.start("observe")
        self.wait_for("Drifted")
        self.assertIn("file:/etc/motd.", " ".join(d["key"] for d in self.document()["drift"]))
        self.wait(lambda: self.live().get("diffs"), "diffs were read")
        answer = self.live()
        diff = {d["path"]: d["diff"] for d in answer["diffs"]}["/etc/motd"]
        self.assertTrue(any(gap["drifts"] for gap in answer["gaps"]))
        self.judge(answer)
        self.assertIn("+Managed by Nimbus", diff)
        self.assertNotIn(SECRET, json.dumps(self.live()))
        self.assertNotIn("Managed by Nimbus", str(self.document()))
        self.assertNotIn("deploy", self.host.sh("cat /etc/passwd"))
        self.assertEqual(controller.metric("nimbus_host_corrections_total"), 0)
        told = nimbusctl(PROGRAMS / "nimbusctl", "--server", controller.socket, "drift", "acme/web-1", cwd=self.site().registry.folder).stdout
        self.assertIn("/etc/motd", told)
        self.assertIn("+Managed by Nimbus", told)
        told = nimbusctl(PROGRAMS / "nimbusctl", "--server", controller.socket, "explain", "instance", "acme/web-1",
                         cwd=self.site().registry.folder).stdout
        self.assertIn("enforce", told)

        with self.subTest("an account that Nimbus made goes with the access"):
            self.host.sh("usermod -c 'Nimbus controller' nimbus")
            self.host.sh("printf 'nimbus ALL=(ALL) NOPASSWD:ALL\\ndebian ALL=(ALL) NOPASSWD:ALL\\n' >/etc/sudoers.d/90-cloud-init-users")
            self.write_instance("none")
            self.site().registry.publish("Not configured any more")
            self.wait_for("Removed", "access")
            self.assertEqual(self.host.sh("id nimbus 2>/dev/null", check=False), "")
            self.assertEqual(self.host.sh("cat /etc/sudoers.d/90-cloud-init-users"), "debian ALL=(ALL) NOPASSWD:ALL\n")


class Disturbed(Configured):
    PROFILE = PROFILE

    def test_a_changed_host_key_is_an_alarm_and_nothing_is_sent(self):
        controller = self.start()
        self.wait_for("AsDeclared", seconds=120)
        self.host.change_key()
        self.host.sh("echo hacked >/etc/motd")
        self.wait_for("Changed", "host-key")
        logins, scripts = self.host.logins(), self.host.scripts()
        self.wait_passes(2)
        self.assertEqual((self.host.logins(), self.host.scripts()), (logins, scripts))
        self.assertEqual(self.host.sh("cat /etc/motd"), "hacked\n")
        self.assertEqual(controller.metric("nimbus_host_key_changed"), 1)
        # A person puts the new key into the file.
        key = " ".join((self.host.files / "ssh_host_ed25519_key.pub").read_text().split()[:2])
        self.write_instance("enforce", key)
        self.site().registry.publish("The host has a new key")
        self.wait_for("AsDeclared")
        self.assertEqual(self.host.sh("cat /etc/motd"), "Managed by Nimbus\n")

    def test_sessions_and_the_controller_die_in_the_middle_of_a_change(self):
        slow = textwrap.dedent(PROFILE) + textwrap.dedent("""\
            [[command]]
            name = "slow"
            run = "touch /slow-began; while [ ! -e /go-on ]; do sleep 0.1; done; echo done >/slow-done"
            creates = "/slow-done"
            """)
        controller = self.start(profile=slow)
        began = lambda: self.host.sh("ls /slow-began 2>/dev/null; rm -f /slow-began", check=False) != ""  # noqa: E731
        self.wait(began, "the slow command runs", 120)
        self.host.drop_sessions()
        # What ran is left alone by sshd: it would touch the file for the next run.
        self.host.sh("for p in /proc/[0-9]*; do grep -q '[g]o-on' $p/cmdline 2>/dev/null && kill -9 ${p#/proc/}; done; true")
        self.wait(began, "the slow command runs again", 120)
        controller.kill()
        self.host.sh("touch /go-on")
        controller.start()
        self.wait_for("AsDeclared")
        self.assertEqual(self.host.sh("cat /slow-done"), "done\n")
        self.assertEqual(self.host.sh("cat /var/log/first-run"), "once\n")

    def test_hands_off_counts_from_the_next_level_of_a_pass_that_is_under_way(self):
        levels = textwrap.dedent("""\
            [[command]]
            name = "first"
            run = "touch /first-began; while [ ! -e /go-on ]; do sleep 0.1; done"
            creates = "/go-on"
            [[command]]
            name = "second"
            run = "touch /second"
            creates = "/second"
            after = ["command:first"]
            """)
        self.start(profile=levels)
        there = lambda path: self.host.sh(f"ls {path} 2>/dev/null", check=False) != ""  # noqa: E731
        self.wait(lambda: there("/first-began"), "the first level is corrected", 60)
        registry = self.site().registry
        path = registry.machine_path("m1")
        registry.write(path, registry.read(path) + "\n[lifecycle]\nhands_off = true\n")
        commit = registry.publish("Somebody works there")
        self.wait(lambda: self.site().published(commit), "it is in force")
        self.host.sh("touch /go-on")
        self.wait_for("HandsOff")
        self.wait_passes(1)
        self.assertFalse(there("/second"))

    def test_a_host_that_hangs_ends_at_the_deadline_and_the_rest_is_told(self):
        hangs = textwrap.dedent(PROFILE) + textwrap.dedent("""\
            [[command]]
            name = "hangs"
            run = "sleep 600"
            creates = "/never"
            """)
        self.start(profile=hangs, deadline="8s")
        self.wait(lambda: "not known" in "".join(p.read_text() for p in (self.site().controller.data / "audit").rglob("*") if p.is_file()),
                  "the audit log tells that the end is not known")
        self.wait(lambda: self.host.sh("cat /etc/motd") == "Managed by Nimbus\n", "the rest is as declared")
        self.assertNotEqual(self.condition("configured").get("reason"), "AsDeclared")

    def test_a_full_disk_fails_and_heals(self):
        self.start(size="40m")
        self.wait_for("AsDeclared", seconds=120)
        self.host.sh("dd if=/dev/zero of=/filler bs=1M 2>/dev/null; cat /dev/zero >/filler2 2>/dev/null; true", check=False)
        self.site().registry.write("files/app.conf", "x" * 200_000 + "\n")
        self.site().registry.publish("A larger file")
        self.wait_for("Failed")
        answer = self.live()
        self.assertTrue(answer["failed"])
        self.judge(answer)
        self.assertEqual(self.host.sh("cat /etc/app/app.conf"), "listen = 80\n", "the old file is whole")
        self.host.sh("rm /filler /filler2")
        run_reconcile = nimbusctl(PROGRAMS / "nimbusctl", "--server", self.site().controller.socket, "reconcile", "acme/web-1",
                                  cwd=self.site().registry.folder)
        self.assertEqual(run_reconcile.returncode, 0)
        self.wait_for("AsDeclared")


if __name__ == "__main__":
    hosts.enter()
    main()
