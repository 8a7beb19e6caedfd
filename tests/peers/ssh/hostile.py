"""Peers on loopback that are no good SSH servers, one thread for each connection."""
import os
import socket
import threading
import time

ADDRESS = "127.0.0.1"


def serve(handle, address=(ADDRESS, 0)):
    """The port of a server that calls handle(connection); it ends with this program."""
    server = socket.create_server(address, backlog=64)

    def one(connection):
        with connection:
            try:
                handle(connection)
            except OSError:
                pass  # the client has had enough

    def accept():
        while True:
            threading.Thread(target=one, args=(server.accept()[0],), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    return server.getsockname()[1]


def wait_for_end(connection):
    while connection.recv(4096):
        pass


def silent(connection):
    wait_for_end(connection)


def closes(connection):
    pass


def half_closed(connection):
    """Says that it has nothing more to say, and listens on."""
    connection.sendall(b"SSH-2.0-half\r\n")
    connection.shutdown(socket.SHUT_WR)
    wait_for_end(connection)


def banner_only(connection):
    connection.sendall(b"SSH-2.0-nothing_more\r\n")
    wait_for_end(connection)


def no_ssh(connection):
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n")
    wait_for_end(connection)


def banner_flood(connection):
    """Lines before the version, as RFC 4253 allows them, without end."""
    while True:
        connection.sendall(b"welcome to this host, please read all of it\r\n" * 100)


def long_line(connection):
    while True:
        connection.sendall(b"SSH-2.0-" + b"x" * 8192)


def drip(connection):
    """Always something new, never enough."""
    while True:
        connection.sendall(b"w")
        time.sleep(0.05)


def garbage_packets(connection):
    """A version, then what no packet can be."""
    connection.sendall(b"SSH-2.0-garbage\r\n")
    connection.sendall(b"\xff" * 4096)
    wait_for_end(connection)


HOSTILE = {f.__name__: f for f in (silent, closes, half_closed, banner_only, no_ssh, banner_flood, long_line, drip,
                                   garbage_packets)}


def proxy(target_port, frozen):
    """A way to another port that goes dead, without a word, as soon as the file `frozen` exists."""
    def pump(source, sink):
        try:
            while piece := source.recv(65536):
                if os.path.exists(frozen):
                    continue
                sink.sendall(piece)
            if not os.path.exists(frozen):
                sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def handle(connection):
        with socket.create_connection((ADDRESS, target_port)) as beyond:
            back = threading.Thread(target=pump, args=(beyond, connection), daemon=True)
            back.start()
            pump(connection, beyond)
            back.join()
    return serve(handle)
