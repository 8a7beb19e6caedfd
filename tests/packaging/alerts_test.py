#!/usr/bin/env python3
"""The alert rules: valid, doing what their tests say, and about metrics that exist."""
import pathlib
import re
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "packaging" / "prometheus" / "nimbus.rules.yml"


class Alerts(unittest.TestCase):
    def promtool(self, *arguments):
        result = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=60, cwd=RULES.parent)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    @unittest.skipUnless(shutil.which("promtool"), "no promtool here (scripts/setup)")
    def test_promtool(self):
        self.promtool("check", "rules", RULES.name)
        self.promtool("test", "rules", "nimbus.rules.test.yml")

    def test_every_metric_is_documented(self):
        used = set(re.findall(r"nimbus_\w+", re.sub(r"(?m)^#.*$", "", RULES.read_text())))
        known = set(re.findall(r"(?m)^\| `(nimbus_\w+)`", (ROOT / "docs/reference/metrics.md").read_text()))
        self.assertTrue(used)
        self.assertEqual(used - known, set())

    def test_every_alert_is_tested_and_says_what_to_do(self):
        text = RULES.read_text()
        alerts = re.findall(r"- alert: (\w+)", text)
        tests = (RULES.parent / "nimbus.rules.test.yml").read_text()
        self.assertGreater(len(alerts), 5)
        for alert in alerts:
            self.assertIn(f"alertname: {alert}", tests)
        for part in ("for:", "severity:", "summary:", "description:"):
            self.assertEqual(text.count(part), len(alerts), part)


if __name__ == "__main__":
    unittest.main()
