"""The command line itself: help, errors, completion, man pages, the reference page."""
import pathlib
import shutil
import subprocess
import unittest

import cli_case


class Usage(cli_case.CliCase):
    def commands(self):
        """Paths of all shown commands, from the reference page."""
        page = self.ctl("__reference").stdout
        return [line[len("## nimbusctl "):].split() for line in page.splitlines() if line.startswith("## nimbusctl ")]

    def test_reference_page_is_fresh(self):
        page = cli_case.SOURCE / "docs" / "reference" / "nimbusctl.md"
        self.assertEqual(page.read_text(), self.ctl("__reference").stdout,
                         "stale: nimbusctl __reference > docs/reference/nimbusctl.md")

    def test_every_command_has_help_and_a_handler(self):
        for command in self.commands():
            with self.subTest(command=command):
                self.assertIn("Usage: nimbusctl " + " ".join(command), self.ctl(*command, "--help").stdout)
                self.assertNotIn("not in the program", self.ctl(*command, code=None).stderr)

    def test_bare_and_wrong_command_lines(self):
        bare = self.ctl(code=64)
        self.assertEqual(bare.stdout, "")
        self.assertIn("status", bare.stderr)
        self.assertIn("did you mean 'status'", self.ctl("statsu", code=64).stderr)
        self.assertIn("did you mean '--output'", self.ctl("status", "--ouput=json", code=64).stderr)
        self.assertIn("did you mean '--format'", self.ctl("status", "--fromat=json", code=64).stderr)
        self.assertIn("given more than once", self.ctl("status", "-o", "json", "--format=yaml", code=64).stderr)
        self.assertIn("did you mean 'json'", self.ctl("status", "-o", "jsn", code=64).stderr)
        self.assertIn("$NIMBUS_OUTPUT", self.ctl("status", code=64, environment={"NIMBUS_OUTPUT": "xml"}).stderr)
        for words in (["\x1b[2J"], ["status", "--\x1b[2J"], ["help", "\x1b[2J"], ["status", "-C", "\x1b[2J"]):
            result = self.ctl(*words, code=None)
            self.assertNotEqual(result.returncode, 0)
            self.assert_safe_for_terminals(result.stdout + result.stderr)

    def test_help_and_topics(self):
        self.assertIn("Topics:", self.ctl("help").stdout)
        self.assertIn("64", self.ctl("help", "exit-codes").stdout)
        self.assertEqual(self.ctl("help", "status").stdout, self.ctl("status", "--help").stdout)
        self.assertIn("did you mean 'exit-codes'", self.ctl("help", "exit-code", code=64).stderr)
        self.assertRegex(self.ctl("version").stdout, r"^nimbusctl \d+\.\d+\.\d+\n$")
        self.assertEqual(self.ctl("--version").stdout, self.ctl("version").stdout)

    def test_man_pages_are_clean(self):
        mandoc = shutil.which("mandoc")
        if not mandoc:
            self.skipTest("mandoc is not installed")
        for command in [[], *self.commands()]:
            with self.subTest(command=command):
                page = self.scratch / "page.1"
                page.write_text(self.ctl("__man", *command).stdout)
                lint = subprocess.run([mandoc, "-T", "lint", "-W", "warning", page], capture_output=True, text=True)
                self.assertEqual((lint.returncode, lint.stdout), (0, ""))

    def test_man_renders_them_without_warnings(self):
        man = shutil.which("man")
        if not man:
            self.skipTest("man is not installed")
        self.ctl("__install", self.scratch / "share")
        pages = sorted((self.scratch / "share/man/man1").iterdir())
        self.assertEqual(len(pages), 1 + len(self.commands()))
        for page in pages:
            with self.subTest(page=page.name):
                result = subprocess.run([man, "--warnings=all", "-l", page], capture_output=True, text=True, timeout=60,
                                        env=self.environment(MANWIDTH="80", MANPAGER="cat"))
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertIn("EXIT STATUS", result.stdout)

    def shell(self, shell, script):
        path = shutil.which(shell)
        if not path:
            self.skipTest(f"{shell} is not installed")
        environment = self.environment(PATH=f"{cli_case.PROGRAMS}:{self.environment()['PATH']}")
        return subprocess.run([path, *(["-f"] if shell == "zsh" else []), "-c", script], capture_output=True, text=True,
                              env=environment, timeout=cli_case.LIMIT_S, cwd=self.scratch)

    def test_bash_completion(self):
        def complete(*words):
            quoted = " ".join(f"'{word}'" for word in words)
            result = self.shell("bash", f"""source <(nimbusctl completion bash)
              COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _nimbusctl; printf '%s\\n' "${{COMPREPLY[@]}}" """)
            self.assertEqual(result.stderr, "")
            return result.stdout.split()

        self.assertEqual(complete("nimbusctl", "sta"), ["status"])
        self.assertIn("json", complete("nimbusctl", "status", "-o", ""))
        self.assertEqual(complete("nimbusctl", "status", "--output", "=", "yam"), ["yaml"])
        self.assertEqual(complete("nimbusctl", "status", "--format", "=", "yam"), ["yaml"])
        self.assertEqual(complete("nimbusctl", "bmc", "probe", "--form"), ["--format"])
        (self.scratch / "some folder").mkdir()
        self.assertEqual(complete("nimbusctl", "-C", "some"), ["some", "folder"])  # one word with a blank

    def test_completion_offers_no_name_that_a_shell_would_run(self):
        registry = self.repository({"registry.toml": "", "providers/p/provider.toml": "",
                                    "providers/p/machines/m1.toml": "",
                                    "providers/p/machines/$(touch owned).toml": "",
                                    "providers/$(touch owned)/provider.toml": ""})
        out = self.ctl("__complete", "status", "", cwd=registry).stdout
        self.assertEqual([line.split("\t")[0] for line in out.splitlines()], [":none", "p/m1", "p"])

    def test_zsh_and_fish_scripts_are_understood(self):
        for shell, check in (("zsh", "zsh -n /dev/stdin"), ("fish", "fish --no-execute /dev/stdin"), ("bash", "bash -n /dev/stdin")):
            if not shutil.which(shell):
                continue
            with self.subTest(shell=shell):
                script = self.ctl("completion", shell).stdout
                result = subprocess.run(check.split(), input=script, capture_output=True, text=True, env=self.environment())
                self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_zsh_completion(self):
        def complete(*words):
            quoted = " ".join(f"'{word}'" for word in words)
            # What would be offered: the shell's own helpers print instead of drawing a menu.
            result = self.shell("zsh", f"""autoload -Uz compinit; compinit -u -d "$HOME/zcompdump"
              source <(nimbusctl completion zsh)
              [[ $_comps[nimbusctl] == _nimbusctl ]] || exit 1
              _describe() {{ print -l -- "${{(@P)@[-1]}}" }}; _files() {{ print -- files "$@" }}
              words=({quoted}); CURRENT={len(words)}; _nimbusctl""")
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            return [line.split(":")[0] for line in result.stdout.splitlines()]

        self.assertEqual(complete("nimbusctl", "sta"), ["status"])
        self.assertIn("json", complete("nimbusctl", "status", "-o", ""))
        self.assertEqual(complete("nimbusctl", "-C", ""), ["files -/"])

    def test_fish_completion(self):
        result = self.shell("fish", "nimbusctl completion fish | source; complete -C 'nimbusctl sta'; complete -C 'nimbusctl status -o js'")
        self.assertEqual([line.split("\t")[0] for line in result.stdout.splitlines()], ["status", "json", "jsonl"])


if __name__ == "__main__":
    unittest.main()
