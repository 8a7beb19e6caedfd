#!/usr/bin/env python3
"""The API as its description says, judged by validators that this project did not write."""
import getpass
import json
import os
import pathlib
import re
import subprocess

from harness.case import ROOT, EndToEnd, main
from harness.process import Child, run
from harness.wait import wait_until

PYTHON = ROOT / ".venv" / "bin" / "python3"


class Api(EndToEnd):
    def setUp(self):
        super().setUp()
        self.answers = []

    def ask(self, method, described, path=None, *options):
        """Asks on the control socket and keeps the answer for the judges."""
        status, headers, body = self.controller.curl(path or described, "--request", method, *options)
        self.answers.append({"method": method, "path": described, "status": status,
                             "content_type": headers.get("content-type", ""), "body": body})
        return status, headers, body

    def get(self, described, path=None, *options):
        return self.ask("GET", described, path, *options)

    def start(self):
        site = self.site()
        # A process each: one that serves two is blocked for both while a chassis program
        # runs, and on a busy machine questions then pile up faster than it answers.
        self.bmc, other = site.start_ipmi(2)
        site.ipmi_machine("m1", self.bmc, power="on")
        site.ipmi_machine("m2", other, power="on", serial="ANOTHER-MACHINE")
        site.registry.write(site.registry.machine_path("m3"), """\
            [bmc]
            driver = "ipmi"
            address = "127.0.0.1:9"
            credentials = ["bmc/none"]
            [identity]
            serial = "S3"
            """)
        self.commit = site.registry.publish("Three machines")
        self.controller = site.new_controller()
        with open(self.controller.configuration, "a", encoding="utf-8") as more:
            more.write(f'[hosts]\nkey = "{site.forge.key}"\nuser = "{getpass.getuser()}"\n')
        self.controller.start()
        self.wait(lambda: site.reconciled("m1", "on"), "m1 is on, says status")

    def host(self):
        """A host of an instance, where nobody with that host key answers."""
        site = self.site()
        site.adopted_instance("acme", "web-1", "m1")
        path = "tenants/acme/instances/web-1.toml"
        text = site.registry.read(path)
        key = " ".join(site.forge.host_key.with_suffix(".pub").read_text().split()[:2])
        site.registry.write(path, text[:text.index("[requirements]")] + 'configuration = "observe"\n[requirements]\nmachine = "m1"\n'
                            f'[adopt]\nhost_key = "{key}"\naddress = "127.99.0.1"\n')
        site.registry.git("push", "-q", "--force", "origin", f"{site.registry.commit('A host')}:refs/heads/main")

        path = "/v1/instances/{tenant}/{instance}"
        real = "/v1/instances/acme/web-1"
        self.wait(lambda: json.loads(self.controller.get(f"{real}/configuration")[1]).get("looked_at"), "the host was looked at")
        (summary,) = json.loads(self.get("/v1/hosts")[2])["hosts"]
        whole = json.loads(self.get(f"{path}/configuration", f"{real}/configuration")[2])
        self.assertEqual((summary["instance"], whole["machine"]), ("acme/web-1", "m1"))
        self.assertEqual(self.get(f"{path}/configuration", "/v1/instances/acme/web-2/configuration")[0], 404)
        empty = ["--header", "Content-Length: 0"]
        self.assertEqual(self.ask("POST", f"{path}:reconcile", f"{real}:reconcile", *empty)[0], 202)
        self.assertEqual(self.ask("POST", f"{path}:reconcile", "/v1/instances/acme/web-2:reconcile", *empty)[0], 404)

    def registry_state(self):
        registry = json.loads(self.controller.get("/v1/fleet")[1])["registry"]
        return registry["state"], registry["observed_commit"]

    def test_answers_follow_the_description(self):
        self.start()
        ready = self.controller
        self.wait(lambda: ready.ready(), "ready")
        for path in ("/livez", "/healthz", "/readyz", "/metrics", "/version", "/openapi.json"):
            self.assertEqual(self.get(path)[0], 200, path)
        with self.subTest("the description that is served is the one that is shipped"):
            served = json.loads(self.answers[-1]["body"])
            self.assertEqual(served, json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text()))

        with self.subTest("promtool finds nothing to say about the metrics"):
            metrics = self.controller.get("/metrics")[1]
            self.assertIn("nimbus_http_requests_total", metrics)
            samples = self.controller.metrics()
            self.assertGreater(samples['nimbus_bmc_requests_total{code="ok",driver="ipmi"}'], 0)
            pid = self.controller.child.pid
            resident = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
            self.assertAlmostEqual(samples["process_resident_memory_bytes"], resident, delta=resident / 5)
            self.assertGreater(samples["process_cpu_seconds_total"], 0)
            lint = run(["promtool", "check", "metrics"], check=False, input=metrics)
            self.assertEqual((lint.returncode, lint.stderr), (0, ""))

        fleet = json.loads(self.get("/v1/fleet")[2])
        self.assertEqual(fleet["registry"]["accepted_commit"], self.commit)
        self.assertEqual(fleet["machines"]["total"], 3)
        self.assertEqual(fleet["controller"]["authority"], "held")

        first = json.loads(self.get("/v1/machines", "/v1/machines?page_size=2")[2])
        self.assertEqual([m["name"] for m in first["machines"]], ["m1", "m2"])
        rest = json.loads(self.get("/v1/machines", f"/v1/machines?page_size=2&page_token={first['next_page_token']}")[2])
        self.assertEqual([m["name"] for m in rest["machines"]], ["m3"])
        self.assertEqual(self.get("/v1/machines", "/v1/machines?page_token=zz")[0], 400)

        machine = json.loads(self.get("/v1/machines/{machine}", "/v1/machines/m1")[2])
        self.assertEqual(machine["state"]["health"], "ok")
        self.assertEqual(machine["observation"]["power"]["state"], "on")
        self.assertEqual(machine["runs"][0]["outcome"], "done")
        self.assertEqual(machine["runs"][0]["commit"], self.commit)
        for name in ("m2", "m3"):
            other = json.loads(self.get("/v1/machines/{machine}", f"/v1/machines/{name}")[2])
            self.assertEqual(other["waiting_for"], "a person", other)
        self.assertEqual(self.get("/v1/machines/{machine}", "/v1/machines/m9")[0], 404)
        journal = json.loads(self.get("/v1/machines/{machine}/journal", "/v1/machines/m1/journal")[2])
        self.assertEqual(len(journal["runs"]), 1)

        with self.subTest("an answer that is known already is not sent again"):
            _, headers, _ = self.get("/v1/holds")
            status, _, body = self.get("/v1/holds", None, "--header", f"If-None-Match: {headers['etag']}")
            self.assertEqual((status, body), (304, ""))

        events = json.loads(self.get("/v1/events")[2])
        self.assertIn("enrolled", [e.get("headline") for e in events["events"] if e["machine"] == "m1"])
        self.assertEqual(self.get("/v1/events", "/v1/events?after=nonsense")[0], 400)

        reason = ["--header", "Content-Type: application/json", "--data", '{"reason": "a test"}']
        for path in ("/v1/holds/all", "/v1/holds/machines/{machine}"):
            real = path.replace("{machine}", "m1")
            self.assertEqual(self.ask("PUT", path, real, *reason)[0], 200)
            self.assertEqual(self.ask("PUT", path, real, "--data", "{}")[0], 400)
            self.assertEqual(json.loads(self.get("/v1/holds")[2])["holds"][0]["reason"], "a test")
            self.assertEqual(self.ask("DELETE", path, real)[0], 204)
            self.assertEqual(self.ask("DELETE", path, real)[0], 404)
        empty = ["--header", "Content-Length: 0"]
        self.assertEqual(self.ask("POST", "/v1/machines/{machine}:reconcile", "/v1/machines/m1:reconcile", *empty)[0], 202)
        self.assertEqual(self.ask("POST", "/v1/machines/{machine}:reconcile", "/v1/machines/m9:reconcile", *empty)[0], 404)
        self.assertEqual(self.ask("POST", "/v1/registry:fetch", None, *empty)[0], 202)
        with self.subTest("a console that nobody records"):
            self.assertEqual(self.ask("POST", "/v1/machines/{machine}:attach", "/v1/machines/m1:attach", *empty)[0], 404)
            for verb, body, status in (("type", '{"base64": "eA=="}', 404), ("type", '{"base64": "-"}', 400), ("type", "{}", 400),
                                       ("console", '{"after": 0}', 404), ("console", '{"after": -1}', 400), ("console", "", 400)):
                answer = self.ask("POST", "/v1/machines/{machine}:" + verb, f"/v1/machines/m1:{verb}", "--data", body)
                self.assertEqual(answer[0], status, f"{verb} {body}")
                self.assertNotIn("no such path", answer[2])

        with self.subTest("a rewritten history"):
            registry = self.site().registry
            registry.git("checkout", "-q", "--orphan", "other")
            rewritten = registry.commit("Another beginning")
            registry.git("push", "-q", "--force", "origin", "HEAD:refs/heads/main")
            self.wait(lambda: self.registry_state() == ("held", rewritten), "it is held")
            for commit, status in (("0" * 40, 409), (rewritten, 202)):
                body = json.dumps({"commit": commit, "reason": "a test"})
                self.assertEqual(self.ask("POST", "/v1/registry:confirm", None, "--data", body)[0], status)
            self.wait(lambda: self.registry_state() == ("accepted", rewritten), "it is in force")

        with self.subTest("hosts"):
            self.host()

        with self.subTest("webhooks"):
            self.assertEqual(self.controller.push_webhook(self.commit), 202)
            self.answers.append({"method": "POST", "path": "/webhook/{webhook}", "status": 202, "content_type": "", "body": ""})
            self.assertEqual(self.controller.push_webhook(self.commit, secret="wrong"), 401)

        # A console is recorded while a machine is installed: get_machine_test.py.
        judged = run([PYTHON, ROOT / "tests/peers/openapi/validate.py", ROOT / "docs/reference/openapi.json",
                      "--elsewhere=attachConsole,readConsole,typeOnConsole"], check=False,
                     input="".join(json.dumps(a) + "\n" for a in self.answers))
        self.assertEqual(judged.returncode, 0, judged.stdout + judged.stderr)

    def test_loopback_is_for_reading(self):
        self.start()
        with self.subTest("as many descriptors as the administrator allows"):
            limits = (pathlib.Path("/proc") / str(self.controller.child.pid) / "limits").read_text()
            soft, hard = re.search(r"Max open files\s+(\d+)\s+(\d+)", limits).groups()
            self.assertEqual(soft, hard)
        self.assertEqual(self.controller.get("/v1/fleet")[0], 200)
        for method, path in (("PUT", "/v1/holds/all"), ("DELETE", "/v1/holds/all"), ("PUT", "/v1/holds/machines/m1"),
                             ("POST", "/v1/machines/m1:reconcile"), ("POST", "/v1/machines/m1:attach"),
                             ("POST", "/v1/machines/m1:console"), ("POST", "/v1/machines/m1:type"), ("POST", "/v1/registry:fetch"),
                             ("POST", "/v1/registry:confirm")):
            status = run(["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--request", method,
                          "--data", '{"reason": "x"}', f"http://{self.controller.address()}{path}"]).stdout
            self.assertIn(status, ("404", "405"), f"{method} {path}")
        self.assertFalse(self.controller.holds.exists())

    def test_another_user_reads_and_changes_nothing(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become somebody else")
        self.start()
        # The folder of the test is root's alone; the socket itself is open to all.
        for folder in (self.folder, self.controller.folder, self.controller.data):
            folder.chmod(0o755)
        def as_daemon(method, path):
            result = subprocess.run(["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--request",
                                     method, "--data", '{"reason": "x"}', "--unix-socket", str(self.controller.socket),
                                     f"http://nimbusd{path}"], user="daemon", group="daemon", extra_groups=[],
                                    capture_output=True, text=True, check=True)
            return result.stdout
        self.assertEqual(as_daemon("PUT", "/v1/holds/all"), "403")
        self.assertEqual(as_daemon("POST", "/v1/registry:fetch"), "403")
        self.assertFalse(self.controller.holds.exists())

    def test_events_arrive_while_they_happen(self):
        self.start()
        log = self.folder / "events"
        watcher = Child("curl", ["curl", "--silent", "--no-buffer", "--header", "Accept: text/event-stream", "--unix-socket",
                                 self.controller.socket, "http://nimbusd/v1/events?machine=m1"], log)
        self.addCleanup(watcher.stop)
        wait_until(lambda: "retry:" in log.read_text(), 10, "the stream began", watcher.tail)
        self.bmc.switch("off")
        wait_until(lambda: "power-on" in log.read_text(), 30, "an event tells of the power action", watcher.tail)
        events = [json.loads(line[6:]) for line in log.read_text().splitlines() if line.startswith("data: ")]
        self.assertEqual({e["machine"] for e in events}, {"m1"})
        numbers = [int(e["id"].split("-")[1]) for e in events]
        self.assertEqual(numbers, sorted(set(numbers)))
        with self.subTest("the end of the controller ends the stream"):
            self.assertEqual(self.controller.terminate(), 0)
            self.assertEqual(watcher.wait(10), 0)


if __name__ == "__main__":
    main()
