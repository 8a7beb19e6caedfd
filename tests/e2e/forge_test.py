#!/usr/bin/env python3
"""Commit statuses at the three kinds of forge, played by a small server in this test that
refuses what the forges' references do not allow."""
import http.server
import json
import re
import ssl
import threading

from harness.case import EndToEnd, main
from harness.controller import Nimbusd
from harness.process import run

TOKEN = "status-token-of-the-test"
WORDS = {"github": {"pending", "success", "failure", "error"}, "gitlab": {"pending", "running", "success", "failed", "canceled"},
         "gitea": {"pending", "success", "failure", "error", "warning"}}


class FakeForge:
    def tail(self):
        return f"--- forge: {self.statuses} {self.faults}"

    PATHS = {"github": r"/repos/acme/metal/statuses/([0-9a-f]{40})", "gitlab": r"/api/v4/projects/acme%2Fmetal/statuses/([0-9a-f]{40})",
             "gitea": r"/api/v1/repos/acme/metal/statuses/([0-9a-f]{40})"}

    def __init__(self, kind, folder):
        self.kind, self.statuses, self.faults, self.down = kind, [], [], False
        self.ca = folder / f"{kind}.pem"
        key = folder / f"{kind}.key"
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=forge",
             "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", self.ca])
        forge = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                code = forge.judge(self.path, self.headers, body)
                answer = b'{"message": "as the fake forge sees it"}'
                self.send_response(code)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def judge(self, path, headers, body):
        if self.down:
            return 503
        found = re.fullmatch(self.PATHS[self.kind], path)
        proof = {"github": ("Authorization", f"Bearer {TOKEN}"), "gitlab": ("PRIVATE-TOKEN", TOKEN), "gitea": ("Authorization", f"token {TOKEN}")}
        name, value = proof[self.kind]
        if headers.get(name) != value:
            self.faults.append("token")
            return 401
        if self.kind == "github" and not headers.get("User-Agent"):
            self.faults.append("no user agent")
            return 403
        status = json.loads(body)
        if not found or status["state"] not in WORDS[self.kind] or len(status["description"]) > 140:
            self.faults.append((path, status))
            return 422
        self.statuses.append((found.group(1), status["state"], status["description"], status["context"]))
        return 201

    def api(self):
        base = {"github": "", "gitlab": "/api/v4", "gitea": "/api/v1"}[self.kind]
        return f"https://127.0.0.1:{self.server.server_address[1]}{base}"

    def last(self):
        return self.statuses[-1] if self.statuses else (None, None, "", "")

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Forge(EndToEnd):
    def play(self, kind, failure):
        site = self.site()
        (self.bmc,) = site.start_ipmi()
        path = site.ipmi_machine("m1", self.bmc, power="on")
        first = site.registry.publish("One machine")
        self.forge = site._own(FakeForge(kind, self.folder))
        self.controller = site.new_controller()
        Nimbusd._private(self.folder / "token", TOKEN + "\n")
        with open(self.controller.configuration, "a") as file:
            file.write(f'\n[forge]\nkind = "{kind}"\napi = "{self.forge.api()}"\nproject = "acme/metal"\n'
                       f'token_file = "{self.folder}/token"\nca_file = "{self.forge.ca}"\n')
        site.controller = self.controller.start()
        self.wait(lambda: self.forge.last()[:2] == (first, "success"), "the first commit is marked")
        self.assertEqual(self.forge.last()[2:], ("in force: 1 machine", "nimbus/lab"))
        with self.subTest("a file with a fault"):
            site.registry.edit(path, 'power = "on"', 'powr = "on"')
            broken = site.registry.publish("A typo")
            self.wait(lambda: self.forge.last()[:2] == (broken, failure), "the commit is marked")
            self.assertIn("machines/m1.toml:1: unknown key", self.forge.last()[2])
        return path

    def test_github_and_a_forge_that_is_down(self):
        path = self.play("github", "failure")
        site = self.site()
        told = len(self.forge.statuses)
        self.forge.down = True
        site.registry.edit(path, 'powr = "on"', 'power = "off"')
        repaired = site.registry.publish("Repaired")
        self.wait(lambda: self.bmc.power() == "off", "nothing waits for the forge's API")
        self.wait(lambda: "forge-status-failed" in self.controller.log.read_text(), "the trouble is told")
        self.forge.down = False
        self.wait(lambda: self.forge.last()[:2] == (repaired, "success"), "it is told later")
        with self.subTest("a restart repeats nothing"):
            told = len(self.forge.statuses)
            self.controller.kill()
            self.controller.start()
            enough = self.controller.passes() + 6
            self.wait(lambda: self.controller.passes() >= enough, "it works again")
            self.assertEqual(len(self.forge.statuses), told)
        self.assertEqual(self.forge.faults, [])
        self.assertNotIn(TOKEN, self.controller.log.read_text())

    def test_gitlab(self):
        self.play("gitlab", "failed")
        self.assertEqual(self.forge.faults, [])

    def test_gitea(self):
        self.play("gitea", "failure")
        self.assertEqual(self.forge.faults, [])


if __name__ == "__main__":
    main()
