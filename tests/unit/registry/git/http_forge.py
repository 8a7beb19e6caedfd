#!/usr/bin/env python3
"""A forge over https for tests: git-http-backend behind a TLS socket.

  http_forge.py FOLDER CERTIFICATE KEY     prints "port N", serves until killed

/open/<repo>     without a password
/private/<repo>  for bob with the password s3cret
/redirect/…      answers with a redirect to /open/… of another origin (localhost)
/code/<n>/…      answers with status n
Every Authorization header is appended to FOLDER/authorizations.
"""
import base64
import http.server
import os
import ssl
import subprocess
import sys

FOLDER, CERTIFICATE, KEY = sys.argv[1:4]
EXPECTED = "Basic " + base64.b64encode(b"bob:s3cret").decode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, headers, body=b""):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def backend(self, path, query):
        length = int(self.headers.get("Content-Length", 0))
        environment = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": FOLDER, "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
            "QUERY_STRING": query, "REQUEST_METHOD": self.command, "REMOTE_USER": "bob", "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(length),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""), "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
        }
        done = subprocess.run(["git", "http-backend"], input=self.rfile.read(length), env=environment,
                              stdout=subprocess.PIPE, check=False)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n") if line]
        status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
        self.answer(status, [item for item in headers if item[0] != "Status"], body)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        authorization = self.headers.get("Authorization")
        if authorization:
            with open(os.path.join(FOLDER, "authorizations"), "a", encoding="utf-8") as file:
                file.write(path + " " + authorization + "\n")
        kind, _, rest = path[1:].partition("/")
        if kind == "open" or (kind == "private" and authorization == EXPECTED):
            self.backend("/" + rest, query)
        elif kind == "private":
            self.answer(401, [("WWW-Authenticate", 'Basic realm="test"')])
        elif kind == "redirect":
            port = self.server.server_address[1]
            self.answer(302, [("Location", f"https://localhost:{port}/open/{rest}?{query}")])
        elif kind == "code":
            self.answer(int(rest.split("/")[0]), [])
        else:
            self.answer(404, [])

    do_POST = do_GET


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE, KEY)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(f"port {server.server_address[1]}", file=open(os.path.join(FOLDER, "ready"), "w", encoding="utf-8"), flush=True)
server.serve_forever()
