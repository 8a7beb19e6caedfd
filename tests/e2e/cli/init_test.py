"""nimbusctl init: the new registry is valid, its pipelines are sound, its hook holds."""
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import yaml

import cli_case

EXAMPLE = cli_case.SOURCE / "examples" / "registry-repo"
PIPELINES = [".github/workflows/registry.yml", ".github/workflows/registry-plan.yml", ".gitlab-ci.yml",
             ".forgejo/workflows/registry.yml", ".forgejo/workflows/registry-plan.yml"]
SHARED_WITH_EXAMPLE = PIPELINES + ["hooks/pre-commit", ".pre-commit-config.yaml", ".editorconfig", ".taplo.toml"]


class Init(cli_case.CliCase):
    def new(self, *arguments):
        folder = self.scratch / "Acme Metal"
        self.ctl("init", folder, *arguments)
        return folder

    def test_a_new_registry_is_valid_and_neat(self):
        folder = self.new()
        self.assertIn('name = "acme-metal"', (folder / "registry.toml").read_text())
        self.ctl("validate", folder)
        self.ctl("fmt", "--check", "-C", folder)
        for path in folder.rglob("*"):
            if path.is_file():
                self.assertNotRegex(path.read_text(), "@NAME@|@IMAGE@", path)
        self.assertTrue(os.access(folder / "hooks/pre-commit", os.X_OK))

    def test_nothing_is_overwritten(self):
        folder = self.scratch / "r"
        self.write(folder, {"README.md": "mine"})
        self.assertIn("nothing was written", self.ctl("init", folder, code=6).stderr)
        self.assertEqual(os.listdir(folder), ["README.md"])
        other = self.scratch / "link"
        other.mkdir()
        (other / "registry.toml").symlink_to(self.scratch / "elsewhere")
        self.ctl("init", other, code=6)
        self.assertFalse((self.scratch / "elsewhere").exists())

    def test_choices(self):
        folder = self.new("--ci=gitlab", "--name", "x1", "--image", "git.acme.example:5000/nimbus@sha256:0123")
        self.assertEqual([p for p in PIPELINES if (folder / p).exists()], [".gitlab-ci.yml"])
        self.assertIn("git.acme.example:5000/nimbus@sha256:0123", (folder / ".gitlab-ci.yml").read_text())
        for bad in ('x"\n- run: evil', "$(id)", "", "a b", "x" * 300):
            self.ctl("init", self.scratch / "bad", f"--image={bad}", code=1)
        for bad in ("Acme", "a_b", '"', "a\nb"):
            self.ctl("init", self.scratch / "bad", f"--name={bad}", code=1)
        self.assertFalse((self.scratch / "bad").exists())

    def test_the_example_has_the_same_pipelines(self):
        folder = self.scratch / "example"
        self.ctl("init", folder)
        for path in SHARED_WITH_EXAMPLE:
            with self.subTest(path=path):
                self.assertEqual((EXAMPLE / path).read_bytes(), (folder / path).read_bytes())
                self.assertEqual(os.access(EXAMPLE / path, os.X_OK), os.access(folder / path, os.X_OK))
        for path in (folder / ".nimbus/schemas").iterdir():
            self.assertEqual((EXAMPLE / ".nimbus/schemas" / path.name).read_text(), path.read_text())

    def test_pipelines_are_yaml_and_safe_for_forks(self):
        folder = self.new()
        self.assertTrue(yaml.safe_load((folder / ".pre-commit-config.yaml").read_text())["repos"])
        for path in PIPELINES:
            with self.subTest(path=path):
                document = yaml.safe_load((folder / path).read_text())
                if path == ".gitlab-ci.yml":
                    self.assertEqual(set(document["stages"]), {"check", "post"})
                    self.assertIn("$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID", document["comment"]["rules"][0]["if"])
                    continue
                triggers = document[True]  # YAML 1.1 reads the key "on" as true
                for name, job in document["jobs"].items():
                    may_write = "write" in str(job.get("permissions", document.get("permissions", "")))
                    for step in job["steps"]:
                        self.assertNotIn("uses", step)  # no code of others, so none to pin
                        # Expressions only where they are data: never inside a script.
                        self.assertNotIn("${{", step["run"])
                        if may_write or name == "comment":
                            self.assertNotRegex(step["run"], r"\bgit\b|nimbusctl|checkout")
                        self.assertNotRegex(step["run"], r"git (clone|checkout|worktree|reset)")
                if "pull_request_target" in triggers and ".github" in path:
                    self.assertEqual(document["permissions"], {})
                    self.assertEqual(document["jobs"]["plan"]["permissions"], {"contents": "read"})

    def test_pipelines_fit_the_forges_own_schemas(self):
        """As SchemaStore publishes them; Forgejo's are GitHub's."""
        checker = cli_case.SOURCE / ".venv/bin/check-jsonschema"
        if not checker.exists():
            self.skipTest("check-jsonschema is not installed: scripts/setup")
        folder = self.new()
        for path in PIPELINES:
            with self.subTest(path=path):
                schema = "vendor.gitlab-ci" if "gitlab" in path else "vendor.github-workflows"
                result = subprocess.run([checker, "--builtin-schema", schema, folder / path], capture_output=True, text=True,
                                        timeout=cli_case.LIMIT_S)
                self.assertEqual(result.returncode, 0, result.stdout)

    def test_commands_in_pipelines_exist(self):
        folder = self.new()
        found = 0
        for path in [*PIPELINES, "hooks/pre-commit", ".pre-commit-config.yaml", "README.md"]:
            for words in re.findall(r"nimbusctl ((?:validate|plan|fmt|explain|help)[^\n`;|>]*)", (folder / path).read_text()):
                words = re.sub(r"#.*|\|\|.*", "", words)
                words = re.sub(r'"?\$\(?[^" )]*(\([^)]*\))?\)?"?', "X", words).split()
                flags = {w.split("=")[0] for w in words if w.startswith("-")}
                help_text = self.ctl(words[0], "--help").stdout
                found += 1
                for flag in flags:
                    with self.subTest(path=path, command=words):
                        self.assertRegex(help_text, rf"(^|\s){re.escape(flag)}\b")
        self.assertGreater(found, 8)

    def test_scripts_of_the_pipelines_run_on_a_hostile_pull_request(self):
        """The fetch and plan steps as they are, with a local forge."""
        origin = self.repository({"registry.toml": 'format = 1\nname = "x"\n'}, "origin")
        self.git("checkout", "-q", "-b", "pr", cwd=origin)
        evil = {"Makefile": "all:\n\ttouch /tmp/owned\n", ".gitattributes": "* filter=evil\n", "bad.toml": "x = 1\n"}
        self.commit(origin, evil, "Evil $(touch owned)")
        self.git("update-ref", "refs/pull/7/head", "pr", cwd=origin)
        self.git("checkout", "-q", "main", cwd=origin)
        folder = self.new()
        for path in (".github/workflows/registry-plan.yml", ".forgejo/workflows/registry-plan.yml"):
            with self.subTest(path=path):
                steps = yaml.safe_load((folder / path).read_text())["jobs"]["plan"]["steps"]
                work = self.scratch / path.replace("/", "_")
                work.mkdir()
                output = work / "output"
                environment = {**self.environment(), **cli_case.GIT_ENVIRONMENT, "TOKEN": "none", "URL": str(origin),
                               "BASE": "main", "NUMBER": "7", "GITHUB_OUTPUT": str(output),
                               "PATH": f"{cli_case.PROGRAMS}:{os.environ['PATH']}"}
                for step in steps:
                    if "nimbusctl plan" in step["run"] and "plan" not in self.ctl("help").stdout:
                        continue
                    result = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", step["run"]], cwd=work, env=environment,
                                            capture_output=True, text=True, timeout=cli_case.LIMIT_S)
                    self.assertEqual(result.returncode, 0, result.stderr)
                    self.assertFalse(list(work.rglob("Makefile")))


class Hook(cli_case.CliCase):
    def setUp(self):
        super().setUp()
        self.folder = self.scratch / "r"
        self.ctl("init", self.folder)
        self.git("init", "-q", "-b", "main", cwd=self.folder)
        self.git("config", "core.hooksPath", "hooks", cwd=self.folder)

    def try_commit(self, *arguments, path=None):
        environment = {**cli_case.GIT_ENVIRONMENT, "HOME": str(self.home),
                       "PATH": path or f"{cli_case.PROGRAMS}:{os.environ['PATH']}"}
        return subprocess.run(["git", "commit", "-q", "-m", "x", *arguments], cwd=self.folder, env=environment,
                              capture_output=True, text=True, timeout=cli_case.LIMIT_S)

    def test_good_commits_pass_and_bad_ones_do_not(self):
        self.git("add", "-A", cwd=self.folder)
        first = self.try_commit()
        self.assertEqual(first.returncode, 0, first.stderr)

        self.write(self.folder, {"registry.toml": 'format = 1\nnaem = "x"\n'})
        self.git("add", "-A", cwd=self.folder)
        bad = self.try_commit()
        self.assertNotEqual(bad.returncode, 0)
        self.assertIn("registry.toml:2:1", bad.stdout + bad.stderr)
        self.assertIn("did you mean 'name'", bad.stdout + bad.stderr)

        # What counts is what would be committed, not what lies on disk.
        self.write(self.folder, {"registry.toml": 'format = 1\nname = "x"\n'})
        self.assertNotEqual(self.try_commit().returncode, 0)
        self.git("add", "-A", cwd=self.folder)
        self.write(self.folder, {"registry.toml": "broken"})
        good = self.try_commit()
        self.assertEqual(good.returncode, 0, good.stderr)
        self.assertNotEqual(self.try_commit("-a").returncode, 0)  # a temporary index
        self.assertEqual(self.git("log", "--oneline", cwd=self.folder).stdout.count("\n"), 2)

    def test_without_nimbusctl_the_hook_refuses(self):
        bare = self.scratch / "bin"
        bare.mkdir()
        for program in ("git", "sh"):
            (bare / program).symlink_to(shutil.which(program))
        self.git("add", "-A", cwd=self.folder)
        result = self.try_commit(path=str(bare))
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("not installed", result.stderr)


class Install(cli_case.CliCase):
    def test_man_pages_and_completion(self):
        self.ctl("__install", self.scratch / "share")
        files = {str(p.relative_to(self.scratch / "share")) for p in (self.scratch / "share").rglob("*") if p.is_file()}
        self.assertLessEqual({"man/man1/nimbusctl.1", "man/man1/nimbusctl-validate.1", "man/man1/nimbusctl-config-set.1",
                              "bash-completion/completions/nimbusctl", "zsh/vendor-completions/_nimbusctl",
                              "fish/vendor_completions.d/nimbusctl.fish"}, files)


if __name__ == "__main__":
    unittest.main()
