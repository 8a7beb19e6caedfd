"""Shared by the simulator's benchmarks: processes, their CPU time, a keep-alive client."""
import os
import re
import socket
import ssl
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(") ", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def memory_mib(pid):
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


def start_simulator(program, fleet_text, folder, name="fleet"):
    path = os.path.join(folder, name + ".toml")
    with open(path, "w") as file:
        file.write(fleet_text)
    began = time.monotonic()
    process = subprocess.Popen([program, "serve", path], stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    if not line.startswith("serving"):
        raise SystemExit("nimbus-sim did not start")
    return process, time.monotonic() - began


def end(process):
    process.terminate()
    process.wait(20)


# One for all: a default context reads every CA of the system, which takes longer than a handshake.
CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE


class KeptConnection:
    """Sends the same GET again and again on one TLS connection."""

    def __init__(self, host, port, path, headers=""):
        raw = socket.create_connection((host, port), timeout=10)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = CONTEXT.wrap_socket(raw)
        self.request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n".encode()

    def receive(self):
        data = self.socket.recv(65536)
        if not data:
            raise SystemExit("the server ended a kept connection")
        return data

    def get(self):
        self.socket.sendall(self.request)
        data = self.receive()
        while b"\r\n\r\n" not in data:
            data += self.receive()
        head, body = data.split(b"\r\n\r\n", 1)
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(head.decode())
        length = int(re.search(rb"Content-Length: (\d+)", head).group(1))
        while len(body) < length:
            body += self.receive()
        return body
