#!/usr/bin/env python3
"""Passwords of BMCs stay in the secret files, in memory and on the way to their own BMC."""
import os
import pathlib
import signal

from harness.case import EndToEnd, main

WRONG = "wr0ng-P4ssw0rd"


def family(pid):
    """The process and all that descend from it."""
    found = [pid]
    for one in found:
        try:
            for task in pathlib.Path(f"/proc/{one}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


class Secrecy(EndToEnd):
    def look_at_processes(self, pid):
        for one in family(pid):
            for name in ("cmdline", "environ"):
                try:
                    seen = pathlib.Path(f"/proc/{one}/{name}").read_bytes()
                except OSError:
                    continue  # it has ended
                self.looked_at += 1
                for secret in self.secrets:
                    self.assertNotIn(secret, seen, f"{name} of a process")
        return True

    def test_no_password_leaves(self):
        site = self.site()
        ipmi, refusing = site.start_ipmi(2)
        (redfish,) = site.start_redfish()
        self.secrets = [word.encode() for word in {ipmi.password, redfish.password, WRONG}]
        self.looked_at = 0
        site.ipmi_machine("m1", ipmi)
        site.redfish_machine("m2", redfish)
        path = site.ipmi_machine("m3", refusing)
        site.registry.edit(path, 'credentials = ["bmc/ipmi"]', 'credentials = ["bmc/wrong"]')
        controller = site.new_controller()
        controller.add_secret("bmc/wrong", ipmi.user, WRONG, [refusing.address])
        commit = site.registry.publish("Three machines; the secret of one is wrong")
        controller.start()
        pid = controller.child.pid
        self.wait(lambda: self.look_at_processes(pid) and site.reconciled("m1", "on") and site.reconciled("m2", "on"),
                  "two machines are on")
        self.wait(lambda: self.look_at_processes(pid) and
                  "wrong password" in site.status.condition("m3", "reachable").get("message", ""), "the third is refused")
        self.assertGreater(self.looked_at, 10)

        with self.subTest("a refusal is told once, in the same words each time"):
            self.wait(lambda: site.published(commit), "all is told")
            self.nothing_happens(controller, [ipmi, redfish, refusing])

        with self.subTest("answers of the API"):
            asked = 0
            for path in ("/metrics", "/api/v1/machines", "/api/v1/machines/m1", "/api/v1/machines/m3", "/api/v1/events",
                         "/healthz", "/readyz"):
                code, text = controller.get(path)
                asked += code == 200
                for secret in self.secrets:
                    self.assertNotIn(secret.decode(), str(text), path)
            self.assertGreaterEqual(asked, 3)

        with self.subTest("a fault leaves no core"):
            limits = pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines()
            core = next(line for line in limits if line.startswith("Max core file size"))
            self.assertEqual(core.split()[4:6], ["0", "0"])
            controller.child.signal(signal.SIGABRT)
            controller.child.wait(20)

        with self.subTest("log, journal, mirror, audit log, status branch"):
            searched = 0
            for folder, _, names in os.walk(controller.folder):
                if pathlib.Path(folder).is_relative_to(controller.secrets):
                    continue
                for name in names:
                    file = pathlib.Path(folder) / name
                    if not file.is_file():
                        continue
                    searched += 1
                    for secret in self.secrets:
                        self.assertNotIn(secret, file.read_bytes(), name)
            self.assertGreater(searched, 10)
            self.assertIn(b"registry-accepted", controller.log.read_bytes())
            told = site.status.log() + str([site.status.machine(name) for name in ("m1", "m2", "m3")])
            for secret in self.secrets:
                self.assertNotIn(secret.decode(), told)


if __name__ == "__main__":
    main()
