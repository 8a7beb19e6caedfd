#!/usr/bin/env python3
"""Serves a recorded Redfish tree as a read-only BMC: HTTPS, sessions and Basic authentication.

  serve.py ARCHIVE FOLDER     unpacks the archive below FOLDER, writes "URL PIN" to FOLDER/ready,
                              serves on 127.0.0.1 until its standard input ends

User admin, password secret12. Everything is answered as recorded; POST to a Reset action is written
to FOLDER/posts and answered 204, and changes nothing.
"""
import base64
import http.server
import json
import pathlib
import ssl
import sys
import tarfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from certificate import make_certificate  # noqa: E402

LOGIN = ("admin", "secret12")
TOKEN = "recorded-session"


def find_root(folder):
    """The folder that stands for /redfish/v1: the one whose index.json names Systems."""
    for index in sorted(folder.rglob("index.json"), key=lambda path: len(path.parts)):
        if "Systems" in json.loads(index.read_text(encoding="utf-8", errors="replace")):
            return index.parent
    raise RuntimeError(f"no service root below {folder}")


class Tree:
    def __init__(self, root):
        # Some BMCs link to their own paths in another case.
        self.files = {"/redfish/v1/" + path.parent.relative_to(root).as_posix().lower(): path
                      for path in root.rglob("index.json")}

    def read(self, target):
        path = target.split("?")[0].rstrip("/").lower()
        file = self.files.get("/redfish/v1/." if path == "/redfish/v1" else path)
        return file.read_bytes() if file else None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    tree = None
    folder = None

    def allowed(self):
        basic = "Basic " + base64.b64encode(":".join(LOGIN).encode()).decode()
        return self.headers.get("X-Auth-Token") == TOKEN or self.headers.get("Authorization") == basic

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        body = self.tree.read(self.path)
        if self.path.rstrip("/") != "/redfish/v1" and not self.allowed():
            self.answer(401, b'{"error":{"message":"not logged in"}}')
        elif body is None:
            self.answer(404, b'{"error":{"message":"not recorded"}}')
        else:
            self.answer(200, body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.rstrip("/").endswith("/Sessions"):
            given = json.loads(body)
            if (given.get("UserName"), given.get("Password")) != LOGIN:
                return self.answer(401, b'{"error":{"message":"wrong user or password"}}')
            return self.answer(201, b"{}", X_Auth_Token=TOKEN, Location="/redfish/v1/SessionService/Sessions/1")
        if not self.allowed():
            return self.answer(401)
        with open(self.folder / "posts", "a", encoding="utf-8") as log:
            log.write(f"{self.path} {body.decode()}\n")
        return self.answer(204)

    def do_DELETE(self):
        self.answer(204 if self.allowed() else 401)

    def log_message(self, *_):
        pass


def main():
    archive, folder = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as tar:
        tar.extractall(folder / "tree", filter="data")
    Handler.tree, Handler.folder = Tree(find_root(folder / "tree")), folder
    pin = make_certificate(folder, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    partial = folder / "ready.new"
    partial.write_text(f"https://127.0.0.1:{server.server_address[1]} {pin}\n")
    partial.rename(folder / "ready")
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
