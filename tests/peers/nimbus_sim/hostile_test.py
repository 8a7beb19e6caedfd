#!/usr/bin/env python3
"""nimbus-sim under attack: packets, requests and handshakes that make no sense, clients that hold connections and say
nothing, floods. It answers everybody else meanwhile, spends nothing on those who are silent, and forgets them."""
import json
import os
import random
import resource
import socket
import ssl
import subprocess
import time

import simulator

simulator.need("ipmitool")
SYSTEM = "/redfish/v1/Systems/1"
ROUNDS = 6000
TICKS = os.sysconf("SC_CLK_TCK")

# Packets that make sense: RMCP with ASF's ping, Get Channel Authentication Capabilities, Open Session, RAKP 1.
PING = bytes.fromhex("0600ff06000011be80010000")
CAPABILITIES = bytes.fromhex("0600ff07000000000000000000" + "09" + "2018c88100388e04b5")
OPEN_SESSION = bytes.fromhex("0600ff0706100000000000000000" + "2000" + "00040000" + "a4a3a2a0"
                             + "0000000803000000" + "0100000804000000" + "0200000801000000")


def rakp1(session, name):
    body = bytes([1, 0, 0, 0]) + session + bytes(range(16)) + bytes([0x14, 0, 0, len(name)]) + name
    return bytes.fromhex("0600ff07061200000000") + bytes(4) + len(body).to_bytes(2, "little") + body


def spoiled(dice, data):
    """The data with something wrong: bits, an end too early, more than there should be, another order."""
    data = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        kind = dice.randrange(4)
        at = dice.randrange(len(data)) if data else 0
        if kind == 0 and data:
            data[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            del data[at:]
        elif kind == 2:
            data[at:at] = dice.randbytes(dice.choice((1, 4, 300)))
        elif data:
            data[at] = dice.choice((0, 0x7f, 0x80, 0xff))
    return bytes(data)


class Hostile(simulator.Case):
    MACHINES = '[[machine]]\nname = "m{n}"\ncount = 100\nipmi = "127.77.0.1:{udp}"\nredfish = "127.77.0.1:{tcp}"\n'

    def setUp(self):
        self.dice = random.Random(self.id())

    def tearDown(self):
        self.assertIsNone(self.sim.process.poll(), "nimbus-sim has ended")
        self.assert_served(1)
        self.assert_served(2)

    def assert_served(self, number):
        """Somebody polite, who comes anew, gets an answer by both protocols."""
        host = f"127.77.0.{number}"
        client = simulator.Redfish(host, self.sim.tcp)
        self.assertIn(client.get(SYSTEM)["PowerState"], ("On", "Off"))
        client.connection.close()
        simulator.wait_for(lambda: subprocess.run(["ipmitool", "-I", "lanplus", "-C", "17", "-H", host, "-p", str(self.sim.udp), "-U", simulator.USER,
                                                   "-P", simulator.PASSWORD, "power", "status"], capture_output=True).returncode == 0,
                           "IPMI is served", 40)  # slots of sessions that were opened and left are free after 10 s

    def connect(self, number=1):
        return socket.create_connection((f"127.77.0.{number}", self.sim.tcp), timeout=20)

    def connect_tls(self, number=1):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(self.connect(number))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.sim.process.pid}/fd"))

    def cpu_seconds(self):
        with open(f"/proc/{self.sim.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def read_to_end(self, connection):
        data = b""
        try:
            while part := connection.recv(65536):
                data += part
        except (ConnectionError, ssl.SSLError):
            pass
        return data

    @staticmethod
    def ponged(connection):
        """Reads what is there; whether a pong was."""
        connection.settimeout(5)
        return connection.recv(2000)[8:9] == b"\x40"

    def test_packets_that_make_no_sense(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(("127.77.0.3", self.sim.udp))
            for number in range(ROUNDS):
                if number % 50 == 0:  # a pace that the socket's buffer holds
                    s.send(PING)
                    simulator.wait_for(lambda: self.ponged(s), "the pong")
                seed = self.dice.choice((PING, CAPABILITIES, OPEN_SESSION, rakp1(b"\1\0\0\0", b"admin")))
                s.send(spoiled(self.dice, seed) if number % 10 else self.dice.randbytes(self.dice.randrange(1, 600)))

    def test_a_user_whose_name_is_no_text(self):
        name = b"\xff\xfe\x00\"}\r\n"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect((self.HOST, self.sim.udp))
            s.settimeout(10)
            s.send(OPEN_SESSION)
            session = s.recv(1000)[24:28]
            s.send(rakp1(session, name))
            self.assertEqual(s.recv(1000)[17], 0x0d)  # unauthorized name
        self.assertTrue(self.sim.journal("m1"))  # which is JSON still

    def test_sessions_that_are_opened_and_left(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(("127.77.0.3", self.sim.udp))
            s.settimeout(10)
            refused = 0
            for _ in range(200):
                s.send(OPEN_SESSION)
                refused += s.recv(1000)[17] == 0x01  # insufficient resources
        self.assertGreater(refused, 100)
        self.assert_served(3)

    def test_requests_that_make_no_sense(self):
        good = f"PATCH {SYSTEM} HTTP/1.1\r\nHost: x\r\nContent-Length: 17\r\nIf-Match: *\r\n\r\n".encode() + b'{"AssetTag": "a"}'
        for request in (b"GET / HTTP/9.9\r\n\r\n", b"GET  / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nA" + b"a" * 20000 + b": b\r\n\r\n",
                        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                        b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                        b"GET /" + b"a" * 10000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 100 + b"\r\n", b"\x16\x03\x01\r\n\r\n"):
            with self.connect_tls() as connection:
                connection.sendall(request)
                answer = self.read_to_end(connection)
                self.assertRegex(answer, rb"^HTTP/1.1 (400|413|414|431|501|505) ", request[:60])
        for _ in range(150):
            with self.connect_tls() as connection:
                try:
                    connection.sendall(spoiled(self.dice, good))
                except (ConnectionError, ssl.SSLError):
                    pass

    def test_handshakes_that_make_no_sense(self):
        hello = ssl.MemoryBIO()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(ssl.MemoryBIO(), hello, server_hostname="x")
        with self.assertRaises(ssl.SSLWantReadError):
            tls.do_handshake()
        good = hello.read()
        cases = [good[:-1], good[:5], good[:6] + b"\xff" * 100, b"\x16\x03\x01\xff\xff" + bytes(70000), b"\x80\x2e\x01\x00\x02", b"GET / HTTP/1.1\r\n\r\n"]
        for data in cases + [spoiled(self.dice, good) for _ in range(200)]:
            with self.connect() as connection:
                try:
                    connection.sendall(data)
                except ConnectionError:
                    pass
        # A handshake that is right, and then bytes that are no records.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        for _ in range(20):
            raw = self.connect()
            with context.wrap_socket(os_duplicate(raw)) as connection:
                connection.do_handshake()
                raw.sendall(self.dice.randbytes(500))
            raw.close()

    def test_many_questions_at_once_and_no_ear_for_the_answers(self):
        # 400 answers of some KiB each are more than the buffers between the two hold.
        ask = f"GET {SYSTEM} HTTP/1.1\r\nHost: x\r\nAuthorization: {simulator.Redfish(self.HOST, self.sim.tcp).headers['Authorization']}\r\n\r\n".encode()
        held = []
        for _ in range(6):
            connection = self.connect_tls()
            connection.settimeout(0.3)
            try:
                for _ in range(20):
                    connection.sendall(ask * 200)
            except TimeoutError:
                pass
            held.append(connection)
        self.assert_served(1)
        for connection in held:
            connection.close()

    def test_a_machine_has_only_so_many_connections(self):
        before = self.descriptors()
        held = [self.connect() for _ in range(300)]
        simulator.wait_for(lambda: self.descriptors() >= before + 200, "200 connections are held")
        ended = 0
        for connection in held:
            connection.settimeout(0.01)
            try:
                ended += connection.recv(1) == b""
            except TimeoutError:
                pass
            except ConnectionError:
                ended += 1
        self.assertEqual(ended, 100)
        self.assert_served(2)
        for connection in held:
            connection.close()
        simulator.wait_for(lambda: self.descriptors() <= before, "they are forgotten")

    def test_ten_thousand_who_say_nothing_cost_nothing(self):
        count = 10_000
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (count + 200, max(hard, count + 200)))
        except (ValueError, PermissionError):
            self.skipTest(f"the limit of open files is {hard}")
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, max(hard, count + 200)))
        before = self.descriptors()
        held = [self.connect(number % 98 + 3) for number in range(count)]
        simulator.wait_for(lambda: self.descriptors() >= before + count, "all are held", 30)
        cpu, began = self.cpu_seconds(), time.monotonic()
        self.assert_served(1)
        simulator.wait_for(lambda: time.monotonic() - began > 2, "two seconds")
        self.assertLess(self.cpu_seconds() - cpu, 0.5)
        for connection in held:
            connection.close()
        simulator.wait_for(lambda: self.descriptors() <= before, "they are forgotten", 30)

    def test_the_control_port(self):
        def ask(method, path, body):
            connection = simulator.Unix(self.sim.control_path)
            connection.request(method, path, body)
            answer = connection.getresponse()
            answer.read()
            connection.close()
            return answer.status

        for path, body, status in (("/machines/m1/bmc-restart", '{"away_ms": 9223372036854775807}', 400), ("/machines/m1/bmc-restart", '{"away_ms": -1}', 400),
                                   ("/machines/m1/sensor", '{"name": "Inlet Temp", "value": 1e308}', 200), ("/machines/m1/power", "[" * 10000, 400),
                                   ("/machines/m1/power", '{"action": 7}', 400), ("/faults", '{"kind": "delay", "delay": "99999999999999h"}', 400),
                                   ("/faults", '{"kind": "status", "status": 1}', 400), ("/faults", '{"kind": "delay", "percent": 1e999}', 400)):
            self.assertEqual(ask("POST", path, body), status, body[:60])
        self.assertIn(simulator.Redfish(self.HOST, self.sim.tcp).get("/redfish/v1/Chassis/1/Thermal")["Temperatures"][0]["ReadingCelsius"], range(128, 300))
        self.assertEqual(ask("POST", "/machines/m1/sensor", json.dumps({"name": "Inlet Temp", "value": None})), 200)


def os_duplicate(raw):
    return socket.socket(fileno=os.dup(raw.fileno()))


simulator.main()
