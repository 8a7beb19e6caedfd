#!/usr/bin/env python3
"""nimbusd under a service manager: what it tells, SIGHUP, and a watchdog that is fed only
while the work gets on. The manager is a socket of this test."""
import ctypes
import os
import pathlib
import signal
import socket

from harness.case import PROGRAMS, EndToEnd, main
from harness.wait import stays_true

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


class Manager:
    """The receiving end of sd_notify."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)
        self.messages = []

    def collect(self):
        while True:
            try:
                self.messages.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return self.messages

    def said(self, line):
        return sum(line in message.split("\n") for message in self.collect())


class Thread:
    """One thread of a process, held by the debugger's interface while the others run."""

    def __init__(self, pid, name):
        tasks = pathlib.Path(f"/proc/{pid}/task")
        self.ids = [int(t.name) for t in tasks.iterdir() if (t / "comm").read_text().strip() == name]
        if not self.ids:
            raise AssertionError(f"no thread is called {name}")

    def hold(self):
        for thread in self.ids:
            for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
                if _libc.ptrace(request, thread, None, None) != 0:
                    raise OSError(ctypes.get_errno(), f"ptrace {request:#x}")
            os.waitpid(thread, WALL)

    def release(self):
        for thread in self.ids:
            _libc.ptrace(PTRACE_DETACH, thread, None, None)


class Service(EndToEnd):
    def start(self, watchdog_us=400_000):
        site = self.site()
        (self.bmc,) = site.start_ipmi()
        site.ipmi_machine("m1", self.bmc, power="on")
        site.registry.publish("One machine")
        self.manager = Manager(self.folder / "notify")
        self.controller = site.new_controller()
        self.edit('poll = "1s"', 'poll = "1s"\ndeadline = "2s"')
        self.edit('publish = "200ms"', 'publish = "200ms"\nheartbeat = "1s"')
        self.edit('observe = "500ms"', 'observe = "500ms"\ndeadline = "1s"')
        os.environ["NOTIFY_SOCKET"] = str(self.folder / "notify")
        os.environ["WATCHDOG_USEC"] = str(watchdog_us)
        try:
            site.controller = self.controller.start()
        finally:
            del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]
        self.wait(lambda: site.reconciled("m1", "on"), "m1 is on, says status")

    def edit(self, old, new):
        text = self.controller.configuration.read_text()
        self.assertIn(old, text)
        self.controller.configuration.write_text(text.replace(old, new))

    def logged(self, event):
        return self.controller.log.read_text().count(f"[{event}]")

    def reload(self, event="reloaded"):
        before, readies = self.logged(event), self.manager.said("READY=1")
        self.controller.child.signal(signal.SIGHUP)
        self.wait(lambda: self.logged(event) > before, f"{event} is in the log", 20)
        self.wait(lambda: self.manager.said("READY=1") > readies, "ready again", 20)

    def test_ready_alive_and_stopping(self):
        self.start()
        self.wait(lambda: self.manager.said("READY=1") == 1, "ready is told, once")
        self.wait(lambda: self.manager.said("WATCHDOG=1") > 5, "the watchdog is fed")
        self.wait(lambda: self.manager.said("STATUS=1 machines, ready"), "a line for people")
        self.assertEqual(self.controller.terminate(), 0)
        self.assertEqual(self.manager.said("STOPPING=1"), 1)
        self.assertEqual(self.manager.said("READY=1"), 1)

    def test_reload(self):
        self.start()
        with self.subTest("the log's level"):
            self.edit('level = "debug"', 'level = "info"')
            self.reload()
            self.assertTrue(self.manager.said("RELOADING=1"))
        with self.subTest("a webhook's secret, rotated in place"):
            commit = self.site().forge.head()
            self.assertEqual(self.controller.push_webhook(commit, delivery="1"), 202)
            self.controller._private(self.controller.folder / "webhook-secret", "another-secret\n")
            self.reload()
            self.assertEqual(self.controller.push_webhook(commit, delivery="2"), 401)
            self.assertEqual(self.controller.push_webhook(commit, delivery="3", secret="another-secret"), 202)
        with self.subTest("an interval: from an hour to half a second"):
            self.edit('observe = "500ms"', 'observe = "1h"')
            self.reload()
            self.edit('observe = "1h"', 'observe = "200ms"')
            self.reload()
            self.controller.curl("/v1/machines/m1:reconcile", "--request", "POST", "--header", "Content-Length: 0")
            enough = self.controller.passes() + 10
            self.wait(lambda: self.controller.passes() >= enough, "m1 is looked at often")
        with self.subTest("what needs a restart is named, and the running one stays"):
            self.edit('provider = "lab"', 'provider = "elsewhere"')
            self.reload("restart-needed")
            self.assertIn("provider", [line for line in self.controller.log.read_text().splitlines() if "restart-needed" in line][-1])
            self.edit('provider = "elsewhere"', 'provider = "lab"')
        with self.subTest("a broken file changes nothing"):
            self.edit('poll = "1s"', 'pol = "1s"')
            self.reload("reload-failed")
            self.assertTrue(self.controller.ready())
            self.edit('pol = "1s"', 'poll = "1s"')
        with self.subTest("nor does a secret that cannot be read"):
            self.controller.configuration.chmod(0o644)
            (self.controller.folder / "webhook-secret").unlink()
            self.reload("reload-failed")
            self.assertEqual(self.controller.push_webhook(commit, delivery="4", secret="another-secret"), 202)
        self.bmc.switch("off")
        self.wait(lambda: self.bmc.power() == "on", "the work goes on")

    def test_a_fleet_with_too_few_descriptors_is_told(self):
        program = self.folder / "few-descriptors"
        program.write_text(f'#!/bin/sh\nulimit -n 350 && exec {PROGRAMS / "nimbusd"} "$@"\n')
        program.chmod(0o755)
        site = self.site()
        (bmc,) = site.start_ipmi()
        site.ipmi_machine("m1", bmc, power="on")
        site.registry.publish("One machine")
        self.controller = site.new_controller()
        self.controller.start()
        self.wait(lambda: site.reconciled("m1", "on"), "m1 is on, says status")
        self.assertEqual(self.logged("few-descriptors"), 0)
        self.controller.stop()
        self.controller.program = program
        self.controller.start()
        site.ipmi_machine("m1", bmc, power="off")
        site.registry.publish("Off")
        self.wait(lambda: site.reconciled("m1", "off"), "it works all the same")
        self.assertEqual(self.logged("few-descriptors"), 1)

    def stands_still(self, name, words):
        self.start()
        fed = self.manager.said("WATCHDOG=1")
        self.wait(lambda: self.manager.said("WATCHDOG=1") > fed + 2, "the watchdog is fed")
        thread = Thread(self.controller.child.pid, name)
        thread.hold()
        try:
            self.wait(lambda: any(m.startswith("STATUS=") and words in m for m in self.manager.collect()), "standstill is told", 60)
            fed = self.manager.said("WATCHDOG=1")
            told = len(self.manager.messages)
            # Twenty more looks, and not one of them feeds the watchdog.
            stays_true(lambda: self.manager.said("WATCHDOG=1") == fed, "the watchdog is not fed",
                       until=lambda: len(self.manager.messages) >= told + 20)
            self.assertTrue(self.controller.healthy(), "everything else lives")
        finally:
            thread.release()
        self.wait(lambda: self.manager.said("WATCHDOG=1") > fed, "it is fed again once the work goes on")
        self.assertEqual(self.logged("standstill"), 1)

    def test_no_watchdog_while_nobody_looks_at_the_registry(self):
        self.stands_still("watch", "looking at the registry")

    def test_no_watchdog_while_nobody_looks_at_machines(self):
        self.stands_still("worker", "no machine has been looked at")


if __name__ == "__main__":
    main()
