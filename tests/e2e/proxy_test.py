#!/usr/bin/env python3
"""The documented reverse proxy in front of nimbusd: webhooks pass, nothing else does."""
import hashlib
import hmac
import json
import os
import pathlib
import shutil
import unittest

from harness.case import ROOT, EndToEnd, main
from harness.controller import WEBHOOK_SECRET
from harness.ports import free_tcp_port, listens
from harness.process import Child, run
from harness.wait import wait_until

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")


class Proxy(EndToEnd):
    def start_nginx(self, upstream):
        folder = pathlib.Path(self.folder / "nginx")
        folder.mkdir()
        run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=nimbus.berlin-1.example",
             "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"])
        self.port = free_tcp_port()
        example = (ROOT / "packaging" / "nginx" / "nimbusd.conf").read_text()
        for old, new in (("/etc/ssl/nimbus", str(folder)), ("listen 443 ssl", f"listen 127.0.0.1:{self.port} ssl"),
                         ("127.0.0.1:9640", upstream)):
            self.assertIn(old, example)
            example = example.replace(old, new)
        (folder / "site.conf").write_text(example)
        paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;\n" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(
            f"{user}daemon off;\nworker_processes 1;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
            f"http {{\naccess_log off;\n{paths}include {folder}/site.conf;\n}}\n")
        nginx = Child("nginx", [NGINX, "-c", folder / "nginx.conf", "-e", folder / "error.log"], folder / "log")
        self.addCleanup(nginx.stop)
        wait_until(lambda: listens("127.0.0.1", self.port), 20, "nginx listens", nginx.tail)

    def status(self, path, *options):
        return int(run(["curl", "--silent", "--insecure", "--max-time", "20", "--output", "/dev/null", "--write-out",
                        "%{http_code}", *options, f"https://127.0.0.1:{self.port}{path}"]).stdout)

    @unittest.skipUnless(NGINX, "no nginx here (scripts/setup --full)")
    def test_webhooks_pass_and_nothing_else(self):
        site = self.site()
        site.registry.publish("Nothing yet")
        controller = site.start_controller(poll="1h")
        self.start_nginx(controller.address())
        body = json.dumps({"ref": "refs/heads/main"})
        signature = hmac.new(WEBHOOK_SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()
        genuine = ["--header", "X-GitHub-Event: push", "--header", f"X-Hub-Signature-256: sha256={signature}",
                   "--header", "Content-Type: application/json", "--data", body]
        self.assertEqual(self.status("/webhook/github", *genuine), 202)
        self.assertEqual(self.status("/webhook/github", "--header", "Content-Type: application/json", "--data", body), 401)
        self.assertEqual(self.status("/webhook/github"), 403, "GET")
        for path in ("/metrics", "/healthz", "/readyz", "/"):
            self.assertEqual(self.status(path), 404, path)
        self.assertEqual(self.status("/webhook/github", "--data-binary", f"@{self.big_file()}"), 413)
        self.assertEqual(self.status("/webhook/github", "--header", "Content-Encoding: gzip", "--data", "x"), 415)
        self.assertTrue(controller.healthy())

    def big_file(self):
        path = self.folder / "big"
        path.write_bytes(b"x" * (2 << 20))
        return path


if __name__ == "__main__":
    main()
