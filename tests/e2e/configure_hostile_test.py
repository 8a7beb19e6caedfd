#!/usr/bin/env python3
"""Hosts that do everything wrong, at the same time and beside one that does not: each ends explained and unharmed, the one
beside them is configured all the while, and what was only disturbed heals."""
import os
import pathlib
import signal
import sys
import textwrap

from harness import host as hosts
from harness.case import PROGRAMS, ROOT, EndToEnd, main
from harness.controller import nimbusctl
from harness.host import Host
from harness.process import run

sys.path.insert(0, str(ROOT / "tests/peers/ssh"))
import hostile  # noqa: E402

REAL = ("well", "stalls", "drops", "full", "other-key", "endless")
# Nothing but a listener that is no good SSH server, in the test's own network.
FAKE = {"banner": hostile.banner_flood, "drips": hostile.drip}
# Of its condition `reachable`, and what its message says.
REACHABLE = {"stalls": ("Timeout", "in time"), "other-key": ("WrongKey", "another key"), "endless": ("Nonsense", "says more than"),
             "banner": ("Nonsense", "talks without end"), "drips": ("Nonsense", "does not speak SSH")}
MOTD = "Managed by Nimbus\n"
PROFILE = """\
    [[file]]
    path = "/etc/motd"
    content = "Managed by Nimbus\\n"
    [[file]]
    path = "/etc/app.conf"
    source = "files/app.conf"
    """
# Kills its own session in the middle of the change, twice.
DROPS = """\
    [[command]]
    name = "drops"
    creates = "/dropped"
    run = "echo x >>/drops; [ $(wc -l </drops) -gt 2 ] || { for p in /proc/[0-9]*; do n=${p#/proc/}; [ $n -gt 1 ] && grep -q '^Name:.sshd' $p/status && kill -9 $n; done; exit 1; }; touch /dropped"
    """


class Matrix(EndToEnd):
    def start(self):
        site = self.site()
        bmcs = site.start_ipmi(len(REAL) + len(FAKE))
        self.key = self.folder / "hosts-key"
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "controller", "-f", self.key])
        for name, bmc in zip((*REAL, *FAKE), bmcs):
            site.ipmi_machine(name, bmc, power="on", enforcement="observe")
        self.hosts = {}
        for number, name in enumerate(REAL, 1):
            host = Host(self.folder / name, number, self.key.with_suffix(".pub").read_text(), "40m").start()
            self.addCleanup(host.stop)
            self.hosts[name] = host
            self.write_instance(name, host.address, host.host_key)
        site.registry.write("profiles/app.toml", PROFILE)
        site.registry.write("profiles/drops.toml", DROPS)
        site.registry.write("files/app.conf", "listen = 80\n")
        site.registry.publish("Hosts")
        site.controller = controller = site.new_controller()
        controller.configuration.write_text(controller.configuration.read_text() + textwrap.dedent(f"""
            [hosts]
            key = "{self.key}"
            interval = "5s"
            """))
        controller.start()

    def write_instance(self, name, address, host_key):
        self.site().adopted_instance("acme", name, name)
        text = self.site().registry.read(f"tenants/acme/instances/{name}.toml").split("[adopt]")[0]
        profiles = '["app", "drops"]' if name == "drops" else '["app"]'
        self.site().registry.write(f"tenants/acme/instances/{name}.toml",
                                   f'configuration = "enforce"\nprofiles = {profiles}\n{text}[adopt]\n'
                                   f'host_key = "{host_key}"\naddress = "{address}"\n')

    def condition(self, name, of):
        return (self.site().status.document(f"tenants/acme/instances/{name}.toml") or {}).get("condition", {}).get(of, {})

    def wait_as_declared(self, names, seconds=90):
        for name in names:
            self.wait(lambda: self.condition(name, "configured").get("reason") == "AsDeclared", f"{name} is as declared", seconds)

    def nimbusctl(self, *arguments):
        return nimbusctl(PROGRAMS / "nimbusctl", "--server", self.site().controller.socket, *arguments, cwd=self.site().registry.folder).stdout

    def audit(self):
        return "".join(path.read_text() for path in (self.site().controller.data / "audit").rglob("*") if path.is_file())

    def most_memory(self):
        status = pathlib.Path(f"/proc/{self.site().controller.child.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024

    def freeze(self, number):
        """All of the host's SSH servers; its first process too, which only somebody outside can stop."""
        host = self.hosts["stalls"]
        host.sh(f"for p in /proc/[0-9]*; do n=${{p#/proc/}}; [ $n -gt 1 ] && grep -q '^Name:.sshd' $p/status && kill -{int(number)} $n; done; true")
        os.kill(host._pid(), number)

    def turn_hostile(self):
        self.freeze(signal.SIGSTOP)
        self.addCleanup(lambda: self.freeze(signal.SIGCONT))
        self.hosts["full"].sh("cat /dev/zero >/filler 2>/dev/null; true")
        self.hosts["other-key"].change_key()
        self.hosts["other-key"].sh("echo hacked >/etc/motd")
        self.hosts["endless"].sh("mv /usr/bin/sudo /usr/bin/sudo.kept; printf '#!/bin/sh\\nexec yes\\n' >/usr/bin/sudo; chmod 755 /usr/bin/sudo")
        for number, (name, handle) in enumerate(FAKE.items(), 1):
            run(["ip", "addr", "add", f"10.89.0.{number}/32", "dev", "lo"])
            hostile.serve(handle, (f"10.89.0.{number}", 22))
            self.write_instance(name, f"10.89.0.{number}", self.hosts["well"].host_key)
        self.site().registry.write("files/app.conf", "x" * 200_000 + "\n")
        self.site().registry.publish("Two more hosts, and a larger file")

    def heal(self):
        self.freeze(signal.SIGCONT)
        self.hosts["full"].sh("rm /filler")
        self.hosts["endless"].sh("mv /usr/bin/sudo.kept /usr/bin/sudo")
        host = self.hosts["other-key"]
        key = " ".join((host.files / "ssh_host_ed25519_key.pub").read_text().split()[:2])
        self.write_instance("other-key", host.address, key)
        self.site().registry.publish("The host has a new key")
        for name in ("stalls", "full", "endless"):
            self.nimbusctl("reconcile", f"acme/{name}")

    def test_each_ends_explained_and_unharmed(self):
        self.start()
        self.wait_as_declared([name for name in REAL if name != "drops"])
        before = self.most_memory()
        self.turn_hostile()

        with self.subTest("each is explained"):
            self.wait(lambda: self.condition("full", "configured").get("reason") == "Failed", "the full one says so", 90)
            self.assertIn("disk full", self.condition("full", "configured")["message"])
            for name, (reason, words) in REACHABLE.items():
                self.wait(lambda: self.condition(name, "reachable").get("reason") == reason, f"{name} is told to be {reason}", 90)
                self.assertIn(words, self.condition(name, "reachable")["message"], name)
                self.assertIn(words, self.nimbusctl("explain", "instance", f"acme/{name}"), name)
            self.assertEqual(self.condition("other-key", "host-key")["reason"], "Changed")

        with self.subTest("none is harmed, and none harms the controller"):
            for name in ("stalls", "full", "endless"):
                self.assertEqual(self.hosts[name].sh("cat /etc/motd /etc/app.conf"), MOTD + "listen = 80\n", name)
            self.assertEqual(self.hosts["other-key"].sh("cat /etc/motd /etc/app.conf"), "hacked\nlisten = 80\n")
            self.assertLess(self.most_memory() - before, 64 << 20)

        with self.subTest("the one beside them is configured meanwhile"):
            self.assertEqual(self.hosts["well"].sh("wc -c </etc/app.conf"), "200001\n")
            self.hosts["well"].sh("echo hacked >/etc/motd")
            self.wait(lambda: self.hosts["well"].sh("cat /etc/motd") == MOTD, "it is back", 30)

        with self.subTest("what was disturbed heals, and so does what drops its session in the middle of a change"):
            self.heal()
            self.wait_as_declared(REAL)
            self.assertEqual(self.hosts["drops"].sh("wc -l </drops"), "3\n")
            self.assertEqual(self.audit().count("the connection ended while the script ran"), 2)
            for name in REAL:
                self.assertEqual(self.hosts[name].sh("cat /etc/motd; wc -c </etc/app.conf"), MOTD + "200001\n", name)


if __name__ == "__main__":
    hosts.enter()
    main()
