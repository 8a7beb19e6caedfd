#!/usr/bin/env python3
"""The cache of images: nimbus-boot fetches them over https by their digests, nginx serves
them. First without a controller; then installs from it, on machines made of files."""
import hashlib
import json
import pathlib

from harness import lab
from harness.case import PROGRAMS, EndToEnd
from harness.paper import PaperImage
from harness.paper_case import DEADLINES, Paper, main
from harness.process import run

CACHE = f"http://{lab.ADDRESS}:8081/images/"
MIB = 1 << 20


class Cache(EndToEnd):
    SIZE = "20MiB"
    RATE = "0"

    def setUp(self):
        super().setUp()
        self.image = PaperImage(self.folder / "image")
        self.mirror = self.serve("mirror", rate=self.RATE)
        self.boot = self.own(lab.NimbusBoot(PROGRAMS / "nimbus-boot", self.folder / "boot", self.image.installer,
                                            f'[images]\nsize = "{self.SIZE}"\nca_file = "{self.mirror.ca_file}"\n').start())

    def serve(self, name, **options):
        return self.own(lab.SecureServer(self.folder / name, self.image.folder, **options).start())

    def order(self, **changes):
        return {"sha256": self.image.sha256, "most_bytes": 9 * MIB, "urls": [self.mirror.url("disk.raw")], "sources": [self.mirror.url("")],
                "never": [lab.ADDRESS + "/32"], **changes}

    def want(self, **changes):
        status, text = self.boot.call("PUT", "/v1/images", json.dumps(self.order(**changes)))
        self.assertEqual(status, 200, text)
        return json.loads(text)

    def until(self, stage, **changes):
        self.wait(lambda: self.want(**changes)["stage"] == stage, f"the image is {stage}")
        return self.want(**changes)

    def failed(self, words, **changes):
        self.assertIn(words, self.until("failed", **changes)["message"])
        self.assertEqual(self.curl(CACHE + self.order(**changes)["sha256"])[0], "404")

    def cached(self):
        return sorted(path.name for path in (self.boot.folder / "state/images").iterdir())

    def curl(self, url, *words):
        """(status, body) as any client of HTTP sees it."""
        body = self.folder / "body"
        body.unlink(missing_ok=True)
        status = run(["curl", "-s", "--path-as-is", "--max-time", "20", "-o", body, "-w", "%{http_code}", *words, url], check=False).stdout
        return status, body.read_bytes() if body.exists() else b""

    def file(self, name, content):
        (self.image.folder / name).write_bytes(content)
        return hashlib.sha256(content).hexdigest()


class Served(Cache):
    def test_fetched_over_https_and_served_with_ranges(self):
        ready = self.until("ready")
        self.assertEqual(ready["url"], CACHE + self.image.sha256)
        whole = (self.image.folder / "disk.raw").read_bytes()
        self.assertEqual(self.curl(ready["url"]), ("200", whole))
        self.assertEqual(self.curl(ready["url"], "-r", "1000-1999"), ("206", whole[1000:2000]))
        self.assertEqual(self.curl(ready["url"], "-r", f"{len(whole) - 5}-"), ("206", whole[-5:]))
        for path in ("", "../state.db", self.image.sha256 + ".part", "0" * 64, self.image.sha256[:-1]):
            self.assertEqual(self.curl(CACHE + path)[0], "404", path)
        self.assertEqual(self.curl(f"http://{lab.ADDRESS}:8081/state.db")[0], "404")
        self.assertEqual(self.curl(ready["url"].replace(lab.ADDRESS, lab.MIRROR))[0], "000", "it listens elsewhere as well")
        # Another process finds it, and fetches nothing.
        self.boot.stop()
        self.boot.start()
        self.until("ready")
        self.assertEqual((self.mirror.folder / "access.log").read_text().count("GET /disk.raw"), 1)

    def test_a_server_that_the_ca_does_not_know(self):
        other = self.serve("other", port=8444)
        self.failed("the certificate is not trusted", urls=[other.url("disk.raw")], sources=[other.url("")])
        self.assertNotIn("GET", (other.folder / "access.log").read_text())

    def test_a_wrong_digest_is_never_served(self):
        self.failed("the file's SHA-256 is " + self.image.sha256, sha256="0" * 63 + "1")
        self.assertEqual([name for name in self.cached() if not name.endswith(".part")], [])

    def test_a_file_that_ends_early_or_is_too_long(self):
        whole = (self.image.folder / "disk.raw").read_bytes()
        self.file("short", whole[:3 * MIB])
        self.failed("the file's SHA-256 is", urls=[self.mirror.url("short")])
        self.failed(f"more than {MIB} bytes", most_bytes=MIB)
        # Once a source is right, it is fetched: the same order with that source beside the bad one.
        self.until("ready", urls=[self.mirror.url("short"), self.mirror.url("disk.raw")])

    def test_full(self):
        names = ["one", "two", "three"]
        digests = {name: self.file(name, name.encode() * (2 * MIB)) for name in names}
        orders = {name: {"sha256": digests[name], "urls": [self.mirror.url(name)], "most_bytes": 30 * MIB} for name in names}
        self.until("ready", **orders["one"])   # 6 MiB
        self.until("ready", **orders["two"])   # 6 MiB
        self.failed("the cache is full", **orders["three"])  # 10 MiB: both others were wanted just now
        self.assertEqual(self.curl(CACHE + digests["one"])[0], "200")


class Redirected(Cache):
    def away(self, name, place):
        return self.serve(name, port=8445, more=f"location /away/ {{ return 302 {place}; }}")

    def follow(self, place, allowed):
        mirror = self.away("away", place)
        run(["cp", mirror.ca_file, self.mirror.ca_file])
        return {"urls": [mirror.url("away/disk.raw")], "sources": [mirror.url(""), *allowed]}

    def test_to_a_place_that_is_not_allowed(self):
        self.failed("which is not allowed", **self.follow("http://127.0.0.1:8090/disk.raw", []))

    def test_to_this_host_by_a_name(self):
        """Whatever image_sources says: what counts is the address that the name has."""
        near = self.own(lab.FileServer(self.folder / "near", self.image.folder, more="listen 127.0.0.1:8090;").start())
        self.failed("no image is fetched from", **self.follow("http://localhost:8090/disk.raw", ["http://localhost:8090/"]))
        self.assertNotIn("GET", (near.folder / "access.log").read_text())

    def test_to_a_network_of_provisioning(self):
        near = self.own(lab.FileServer(self.folder / "near", self.image.folder).start())
        place = f"http://{lab.ADDRESS}:8090/"
        self.failed(f"no image is fetched from {lab.ADDRESS}:8090", **self.follow(place + "disk.raw", [place]))
        self.assertNotIn("GET", (near.folder / "access.log").read_text())

    def test_to_another_allowed_place(self):
        plain = self.own(lab.FileServer(self.folder / "plain", self.image.folder).start())
        self.until("ready", **self.follow(plain.url("disk.raw"), [plain.url("")]))


class Cut(Cache):
    RATE = "1m"

    def until_some(self):
        self.wait(lambda: self.want()["done_bytes"] > MIB, "a part is there")

    def gone_on_with(self):
        self.until("ready")
        self.assertEqual(self.curl(CACHE + self.image.sha256), ("200", (self.image.folder / "disk.raw").read_bytes()))
        self.assertIn('"GET /disk.raw HTTP/1.1" 206', (self.mirror.folder / "access.log").read_text())

    def test_the_source_goes_away_in_the_middle(self):
        self.until_some()
        self.mirror.kill()
        self.mirror.start()
        self.gone_on_with()

    def test_nimbus_boot_is_killed_in_the_middle(self):
        self.until_some()
        self.boot.kill()
        self.assertEqual(self.cached(), [self.image.sha256 + ".part"])
        self.boot.start()
        self.gone_on_with()


class Install(Paper):
    """Of an image that is offered over https alone."""

    def make_mirror(self, name, **options):
        return lab.SecureServer(self.folder / name, self.image.folder, **options)

    def boot_more(self):
        return f'[images]\nsize = "20MiB"\nca_file = "{self.mirror.ca_file}"\n'

    def test_from_the_cache(self):
        self.start_machine()
        self.ask()
        self.until_running()
        self.assertEqual(self.installs(), 1)
        log = (self.mirror.folder / "access.log").read_text()
        self.assertEqual(log.count("GET /disk.raw"), 1, log)
        self.assertIn('"nimbus"', log)

    def test_what_cannot_be_fetched_is_explained_and_nothing_is_done(self):
        self.start_machine()
        self.write_registry(sha256="0" * 63 + "1")
        self.ask(install=DEADLINES + 'image_deadline = "2s"\n')
        self.wait(lambda: "the image cannot be fetched" in self.instance().get("message", ""), "status says why it waits")
        self.assertIn("the file's SHA-256 is " + self.image.sha256, self.instance()["message"])
        self.wait(lambda: self.instance()["phase"] == "failed", "status tells that the image's deadline has passed")
        self.assertIn("no image within image_deadline; it is tried on: the image cannot be fetched", self.instance()["message"])
        self.assertEqual(self.box.lines, [], "the machine was switched on")
        self.write_registry()
        self.site().registry.publish("The right digest")
        self.until_running()

    def test_without_a_cache_https_is_refused_with_the_reason(self):
        self.boot.stop()
        path = pathlib.Path(self.boot.configuration)
        path.write_text(path.read_text().replace(self.boot_more(), ""))
        self.boot.start()
        self.start_machine()
        self.ask()
        self.until_held("nimbus-boot has no cache of images")
        self.assertEqual(self.box.lines, [], "the machine was switched on")


if __name__ == "__main__":
    main()
