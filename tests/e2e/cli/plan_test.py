"""nimbusctl plan and approve on the example registry: the right machines, marks and escapes."""
import html
import json
import re
import shutil
import tomllib
import unittest

import cli_case

EXAMPLE = cli_case.SOURCE / "examples" / "registry-repo"
WEB1 = "tenants/acme/instances/web-1.toml"
M011 = "providers/berlin-1/machines/b1/m011.toml"
R650 = "providers/berlin-1/classes/r650.toml"


def placed(machine, instance="", power="on", reinstall=0):
    return (f'phase = "active"\npower = "{power}"\n' + (f'instance = "{instance}"\n' if instance else "") +
            '[condition.ready]\nmessage = ""\nreason = "Reconciled"\nsince = 2026-10-31T10:00:00Z\nstatus = "true"\n'
            f'[installed]\ndisk = "nvme.X"\nreinstall = {reinstall}\n')


class Example(cli_case.CliCase):
    def setUp(self):
        super().setUp()
        self.registry = self.scratch / "registry"
        shutil.copytree(EXAMPLE, self.registry)
        self.git("init", "-q", "-b", "main", cwd=self.registry)
        self.commit(self.registry, {}, "Example")

    def edit(self, path, before, after):
        text = (self.registry / path).read_text()
        self.assertIn(before, text)
        self.write(self.registry, {path: text.replace(before, after, 1)})

    def observe(self):
        self.branch_of_files(self.registry, "refs/heads/nimbus/status/berlin-1", {
            "providers/berlin-1/machines/b2/m017.toml": placed("m017", "acme/web-1"),
            "providers/berlin-1/machines/b1/m011.toml": placed("m011"),
            WEB1: 'phase = "running"\nmachine = "m017"\nunprotected_since = 2026-10-01T10:00:00Z\n',
        }, "seen")

    def plan(self, *arguments, code=0):
        return json.loads(self.ctl("plan", "--format", "json", *arguments, cwd=self.registry, code=code).stdout)

    def items(self, plan):
        return {f"{item['object']} {item['id']}": item for item in plan["items"]}


class Plan(Example):
    def test_nothing(self):
        plan = self.plan()
        self.assertEqual(plan["items"], [])
        self.assertEqual(plan["format_version"], 1)
        self.ctl("plan", "--exit-code", cwd=self.registry)

    def test_exactly_the_machines_concerned(self):
        self.edit(M011, 'description = "rack b1 unit 11"', 'description = "moved"')
        plan = self.plan("--exit-code", code=2)
        self.assertEqual(list(self.items(plan)), ["machine berlin-1/m011"])
        self.assertEqual(plan["items"][0]["data_loss"], "no")
        self.commit(self.registry, {}, "Describe")
        self.assertEqual(self.plan()["items"], [])
        again = self.plan("--base", "HEAD~1", "--head", "HEAD")
        self.assertEqual((again["digest"], again["items"]), (plan["digest"], plan["items"]))

    def test_hosts_show_what_changes_on_them(self):
        self.observe()
        self.edit("profiles/web.toml", "server_tokens off;", "server_tokens build;")
        self.edit("profiles/web.toml", '"net.core.somaxconn" = 4096\n', "")
        self.edit("tenants/acme/profiles/app.toml", "tenant/acme/app-token", "tenant/acme/new-token")
        text = self.ctl("plan", "--status", "none", cwd=self.registry).stdout
        self.golden("plan_hosts.txt", text)
        hosts = {host["instance"]: host for host in self.plan()["hosts"]}
        self.assertEqual(list(hosts), ["acme/web-1", "acme/web-2"])
        self.assertTrue(hosts["acme/web-1"]["applied"])
        changes = {change["resource"]: change for change in hosts["acme/web-1"]["changes"]}
        self.assertIn("+server_tokens build;\n", changes["file:/etc/nginx/conf.d/server-tokens.conf"]["diff"])
        self.assertEqual(changes["sysctl:net.core.somaxconn"]["kind"], "forgotten")
        self.assertNotIn("diff", changes["file:/etc/app/token"])

    def change_hosts(self):
        self.edit("profiles/web.toml", "server_tokens off;", "server_tokens build;")
        self.edit("tenants/acme/profiles/app.toml", "tenant/acme/app-token", "tenant/acme/new-token")

    def test_markdown_shows_hosts_with_their_files(self):
        self.observe()
        self.change_hosts()
        text = self.ctl("plan", "--format", "markdown", cwd=self.registry).stdout
        hosts = html.unescape(text[text.index("#### Hosts"):])
        self.assertIn("Hosts of <code>acme/web-1</code> (<code>m017</code>), <code>acme/web-2</code>", hosts)
        self.assertIn("<code>file:/etc/nginx/conf.d/server-tokens.conf</code> changed, by <code>profiles/web.toml</code>", hosts)
        self.assertIn("\n-server_tokens off;\n+server_tokens build;\n", hosts)
        # Of a secret: its name, never more.
        self.assertIn("<code>tenant/acme/app-token</code> → <code>tenant/acme/new-token</code>", hosts)
        self.assertEqual(text.count("<pre>"), 1)

    def test_package_managers_that_no_test_has_run_are_marked(self):
        self.change_hosts()
        for form in ("human", "json", "markdown"):
            self.assertNotIn("apk", self.ctl("plan", "--format", form, cwd=self.registry).stdout)
        self.edit("images/debian-12.toml", 'os = "debian"', 'os = "fedora"')
        for form in ("human", "json", "markdown"):
            text = html.unescape(self.ctl("plan", "--format", form, cwd=self.registry).stdout)
            self.assertIn("unproven", text)
            self.assertIn("packages on fedora", text)

    def test_files_of_hosts_cannot_drive_markdown(self):
        evil = "</pre></code>@everyone\\n\\n# heading\\n- item\\n```\\n::error:: <img src=x> [a](http://evil.example)\\n    code"
        self.edit("profiles/web.toml", "server_tokens off;", evil)
        text = self.ctl("plan", "--format", "markdown", cwd=self.registry).stdout
        self.assert_safe_for_terminals(text)
        self.assertIn("heading", text)
        plain = r"[A-Za-z0-9 ./,\-&#;\u0080-\uffff]*"
        outside = re.sub(rf"<code>{plain}</code>|<pre>{plain}</pre>", "", text)
        for part in ("everyone", "evil", "img", "heading", "item", "```", "</"):
            self.assertNotIn(part, outside.replace("</sub>", ""))
        self.assertNotIn("@", html.unescape(text).replace("@\u200b", ""))

    def test_hosts_in_markdown_are_capped(self):
        self.write(self.registry, {"profiles/long.toml": "".join(
            f'[[file]]\npath = "/srv/long/{i}"\ncontent = """\n' + "*" * 90 + '\n' * 40 + '"""\n' for i in range(60))})
        self.edit("tenants/acme/instances/web-1.toml", 'profiles = [', 'profiles = ["long", ')
        self.change_hosts()
        text = self.ctl("plan", "--format", "markdown", cwd=self.registry).stdout
        self.assertLess(len(text.encode()), 61_000)
        self.assertIn("server-tokens.conf", html.unescape(text))
        self.assertIn("and 2", text)  # more resources, of the first
        self.assertIn("Digest", text)

    def test_a_label_of_a_machine_changes_its_host(self):
        self.edit("profiles/base.toml", "({{provider.region}})", "({{machine.labels.class}})")
        self.commit(self.registry, {}, "Label")
        self.edit("providers/berlin-1/machines/b2/m017.toml", "[bmc]", '[labels]\nclass = "special"\n[bmc]')
        self.edit("tenants/acme/instances/web-1.toml", 'labels = { class = "general" }\n', "")
        hosts = self.plan()["hosts"]
        self.assertEqual([host["instance"] for host in hosts], ["acme/web-1"])
        self.assertEqual([change["resource"] for change in hosts[0]["changes"]], ["file:/etc/nimbus-host.conf"])

    def test_a_class_concerns_its_machines(self):
        text = (self.registry / R650).read_text()
        self.write(self.registry, {R650: text + '\n' if "[bios]" in text else text})
        if "[bios]" in text:
            self.edit(R650, "[bios]\n", '[bios]\nNewAttribute = "On"\n')
        else:
            self.write(self.registry, {R650: text + '\n[bios]\nNewAttribute = "On"\n'})
        machines = {path.stem for path in (self.registry / "providers/berlin-1/machines").rglob("*.toml")
                    if 'class = "r650"' in path.read_text()}
        found = {item["id"].split("/")[1] for item in self.plan()["items"] if item["object"] == "machine"}
        self.assertEqual(found, machines)

    def test_removing_an_instance_is_data_loss(self):
        self.observe()
        self.write(self.registry, {WEB1: None})
        plan = self.plan()
        item = self.items(plan)["instance acme/web-1"]
        self.assertEqual(item["effect"], "release")
        human = self.ctl("plan", cwd=self.registry).stdout
        self.assertIn("acme/web-1", human)
        self.assertIn("release", human)

    def test_removing_a_machine_file_never_erases(self):
        self.observe()
        self.write(self.registry, {M011: None})
        item = self.items(self.plan())["machine berlin-1/m011"]
        self.assertEqual((item["effect"], item["data_loss"]), ("unmanaged", "no"))

    def test_reinstall_of_an_unprotected_instance(self):
        self.observe()
        self.write(self.registry, {WEB1: "protected = false\n" + (self.registry / WEB1).read_text()})
        self.commit(self.registry, {}, "Unprotect")
        self.write(self.registry, {WEB1: "reinstall = 1\n" + (self.registry / WEB1).read_text()})
        plan = self.plan()
        item = self.items(plan)["instance acme/web-1"]
        self.assertEqual((item["effect"], item["data_loss"]), ("reinstall", "yes"))
        human = self.ctl("plan", cwd=self.registry).stdout
        self.assertIn("-/+ instance acme/web-1", human)
        self.assertIn("DATA LOSS", human)
        markdown = self.ctl("plan", "--format", "markdown", cwd=self.registry).stdout
        self.assertLess(markdown.index("#### Data loss"), markdown.index("acme/web-1"))

    def test_a_blocked_release_stands_among_data_loss(self):
        self.observe()
        self.write(self.registry, {WEB1: None})
        self.edit(M011, 'description = "rack b1 unit 11"', 'description = "moved"')
        head = self.commit(self.registry, {}, "Release")
        markdown = self.ctl("plan", "--format", "markdown", "--head", head[:8], cwd=self.registry).stdout
        order = [markdown.index(text) for text in
                 ("#### Data loss, blocked", "acme/web-1", "**DATA LOSS, blocked**", "**blocked**", "#### Other changes", "m011")]
        self.assertEqual(order, sorted(order))
        self.assertIn("release  DATA LOSS, blocked", self.ctl("plan", "--head", head, cwd=self.registry).stdout)

    def test_address_is_credential_exposure(self):
        self.observe()
        self.edit(M011, "bmc-m011.berlin-1.example", "bmc-m011.evil.example")
        self.assertIn("credential-exposure", [c["effect"] for c in self.items(self.plan())["machine berlin-1/m011"]["changes"]])

    def test_status_that_was_used(self):
        self.observe()
        self.edit(M011, 'description = "rack b1 unit 11"', 'description = "moved"')
        self.assertEqual([used["provider"] for used in self.plan()["status"]], ["berlin-1"])
        self.assertEqual(self.plan("--status", "none")["status"], [])
        self.assertEqual(len(self.plan("--status", "nimbus/status/berlin-1")["status"]), 1)
        self.assertEqual(len(self.plan("--status", "refs/heads/nimbus/status/berlin-1")["status"]), 1)
        self.ctl("plan", "--status", "nimbus/status/oslo-1", cwd=self.registry, code=5)
        self.ctl("plan", "--status", "main", cwd=self.registry, code=5)
        self.assertRegex(self.ctl("plan", cwd=self.registry).stdout, r"Observed: berlin-1 \(\d+[smhd] old\)")

    def test_broken_head_and_bad_revisions(self):
        self.edit(M011, "class =", "clas =")
        result = self.ctl("plan", cwd=self.registry)
        self.assertIn("nimbusctl validate", result.stderr)
        for revision in ("nowhere", "--x", "HEAD~99"):
            self.ctl("plan", f"--base={revision}", cwd=self.registry, code=5)
        bare = self.scratch / "bare.git"
        self.commit(self.registry, {}, "x")
        self.git("clone", "-q", "--bare", self.registry, bare, cwd=self.scratch)
        self.ctl("plan", "-C", bare)

    def test_markdown_cannot_be_driven_by_the_files(self):
        evil = ("@everyone ::error:: <img src=x onerror=1> [a](http://evil.example) `x` **b** | #12 "
                "--> </code></sub> https://evil.example www.evil.example &lt; $x_y$ acme/metal#1 ![i](x) ~~s~~")
        self.edit(M011, 'description = "rack b1 unit 11"', f'description = "{evil}"')
        text = self.ctl("plan", "--format", "markdown", cwd=self.registry).stdout
        self.assert_safe_for_terminals(text)
        self.assertIn("everyone", text)
        outside = re.sub(r"<code>[A-Za-z0-9 ./,\-&#;\u0080-\uffff]*</code>", "", text)  # nothing else may stand in code
        for part in ("everyone", "evil", "img", "error", "</code>", "metal"):
            self.assertNotIn(part, outside)
        self.assertNotIn("@", html.unescape(text).replace("@\u200b", ""))
        for line in text.splitlines():
            self.assertFalse(line.startswith(("::", "##[")), line)
        human = self.ctl("plan", cwd=self.registry).stdout
        self.assert_safe_for_terminals(human)
        self.assert_safe_for_terminals(self.ctl("plan", "--format=json", cwd=self.registry).stdout)

    def test_markdown_is_capped_and_keeps_what_destroys(self):
        self.observe()
        self.write(self.registry, {WEB1: None})
        self.write(self.registry, {f"providers/berlin-1/machines/z/n{i:04}.toml":
                                   f'[bmc]\naddress = "https://n{i}.berlin-1.example"\ntls = {{ ca = "x" }}\n[identity]\nserial = "N{i:06}"\n'
                                   f'mac = "02:00:00:00:{i // 256:02x}:{i % 256:02x}"\n' for i in range(1500)})
        text = self.ctl("plan", "--format", "markdown", cwd=self.registry).stdout
        self.assertLess(len(text.encode()), 61_000)
        self.assertIn("web-1", text)
        self.assertRegex(text, r"and \d+ more")
        self.assertIn("Digest", text)


class Approve(Example):
    def test_approval_is_valid_and_written_once(self):
        digest = "0123456789abcdef" * 4
        out = self.ctl("approve", digest, "--reason", 'Rack "b2"', "--expires=2d", cwd=self.registry).stdout
        path = self.registry / out.strip()
        approval = tomllib.loads(path.read_text())
        self.assertEqual(approval["reason"], 'Rack "b2"')
        self.assertIn("expires", approval)
        self.ctl("validate", cwd=self.registry)
        self.ctl("approve", digest, "--reason", "again", cwd=self.registry, code=6)
        for bad in (["x" * 64], ["../../etc/passwd"], [digest[:12]], [digest.upper()]):
            self.ctl("approve", *bad, "--reason", "x", cwd=self.registry, code=64)
        self.ctl("approve", digest, cwd=self.registry, code=64)
        for flags in (["--reason", "a\nb"], ["--reason", " "], ["--reason", "x", "--expires", "91d"]):
            self.ctl("approve", "f" * 64, *flags, cwd=self.registry, code=64)


if __name__ == "__main__":
    unittest.main()
