"""A forge that speaks Git's smart HTTP: git http-backend behind TLS, with a password."""
import base64
import hmac
import http.server
import pathlib
import ssl
import subprocess
import threading

from .forge import clean_git_environment
from .process import run

USER, TOKEN = "nimbusd", "token-of-the-test"
ADDRESS = "127.0.0.1"
MOST_BODY_BYTES = 64 << 20


class HttpForge:
    """Serves the folder above a bare repository; requests counts what was let in."""

    def __init__(self, folder, repository):
        self.folder, self.repository = pathlib.Path(folder), pathlib.Path(repository)
        self.folder.mkdir(parents=True)
        self.certificate = self.folder / "certificate.pem"
        self.key = self.folder / "key.pem"
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=forge", "-addext", f"subjectAltName=IP:{ADDRESS}", "-keyout", self.key, "-out", self.certificate])
        run(["git", f"--git-dir={self.repository}", "config", "http.receivepack", "true"])
        self.requests, self.refused = [], 0
        self.server = None

    def start(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        forge = self
        wanted = "Basic " + base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_GET(self):
                self.answer(b"")

            def do_POST(self):
                self.answer(self.body())

            def body(self):
                if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                    return self.rfile.read(min(int(self.headers.get("Content-Length", 0)), MOST_BODY_BYTES))
                parts, size = [], 0
                while (length := int(self.rfile.readline(64).split(b";")[0], 16)) and size < MOST_BODY_BYTES:
                    parts.append(self.rfile.read(length))
                    self.rfile.readline(64)
                    size += length
                self.rfile.readline(64)
                return b"".join(parts)

            def answer(self, body):
                if not hmac.compare_digest(self.headers.get("Authorization", ""), wanted):
                    forge.refused += 1
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="forge"')
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                forge.requests.append(f"{self.command} {self.path}")
                path, _, query = self.path.partition("?")
                environment = clean_git_environment(
                    GIT_PROJECT_ROOT=str(forge.repository.parent), GIT_HTTP_EXPORT_ALL="1", PATH_INFO=path, QUERY_STRING=query,
                    REQUEST_METHOD=self.command, CONTENT_TYPE=self.headers.get("Content-Type", ""), CONTENT_LENGTH=str(len(body)),
                    REMOTE_USER=USER, REMOTE_ADDR=ADDRESS, HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding", ""),
                    GIT_PROTOCOL=self.headers.get("Git-Protocol", ""))
                result = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=environment, timeout=30)
                head, _, content = result.stdout.partition(b"\r\n\r\n")
                fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
                self.send_response(int(fields.pop("Status", "200").split()[0]))
                for name, value in fields.items():
                    if name.lower() != "content-length":
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def finish_request(self, request, client_address):  # in the request's own thread
                request.settimeout(30)
                super().finish_request(context.wrap_socket(request, server_side=True), client_address)

            def handle_error(self, request, client_address):
                pass  # somebody who hangs up is no news

        self.server = Server((ADDRESS, 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    @property
    def url(self):
        return f"https://{ADDRESS}:{self.server.server_address[1]}/{self.repository.name}"

    def person_url(self):
        return self.url.replace("https://", f"https://{USER}:{TOKEN}@")

    def stop(self):
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def tail(self):
        return f"--- smart HTTP: {self.refused} refused, {self.requests[-20:]}"
