#!/usr/bin/env python3
"""Power state of many Redfish BMCs: the driver against a bare libcurl loop, `curl --parallel` and
python3-sushy, in one run.

  redfish_poll.py BUILD_FOLDER [--bmcs 1000] [--rounds 5] [--sushy 50]

Prints client CPU per poll, and how many connections each opened. The BMCs are nimbus-sim's, on
loopback: they share the processors with the client, so only CPU per poll is meant to be compared.
"""
import argparse
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile

SUSHY = """
import resource, sys, time, urllib3, sushy
from sushy import auth
urllib3.disable_warnings()
rounds, urls = int(sys.argv[1]), sys.argv[2:]
def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
start = cpu()
systems = [sushy.Sushy(url, verify=False, auth=auth.SessionAuth("admin", "password")).get_system("/redfish/v1/Systems/1")
           for url in urls]
first = cpu()
for _ in range(rounds):
    for system in systems:
        system.refresh(force=True)
        assert system.power_state is not None
print((first - start) / len(urls) * 1e6, (cpu() - first) / len(urls) / rounds * 1e6)
"""


def children_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Fleet:
    """nimbus-sim with `count` BMCs from 127.5.0.1 on."""

    def __init__(self, program, folder, count):
        fleet = pathlib.Path(folder) / "fleet.toml"
        fleet.write_text(f'format = 1\n[[machine]]\nname = "m{{n}}"\ncount = {count}\nredfish = "127.5.0.1:18444"\n')
        self.process = subprocess.Popen([program, "serve", fleet], stdout=subprocess.PIPE, text=True)
        if not self.process.stdout.readline().startswith("serving"):
            sys.exit("nimbus-sim does not start")
        # It counts addresses up, leaving out 0 and 255 of each /24.
        self.urls = [f"https://127.5.{n // 254}.{n % 254 + 1}:18444" for n in range(count)]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def curl_parallel(urls, rounds, folder):
    """One process, all URLs `rounds` times; its connections live as long as it does."""
    config = pathlib.Path(folder) / "curl"
    lines = [f'url = "{url}/redfish/v1/Systems/1"\noutput = "/dev/null"\n' for _ in range(rounds) for url in urls]
    config.write_text('user = "admin:password"\ninsecure\nsilent\nparallel\nparallel-max = 300\n'
                      'write-out = "%{http_code} %{num_connects}\\n"\n' + "".join(lines))
    before = children_cpu()
    done = subprocess.run(["curl", "-K", config], capture_output=True, text=True, check=False)
    cpu = children_cpu() - before
    answers = [line.split() for line in done.stdout.splitlines()]
    if len(answers) != len(lines) or any(code != "200" for code, _ in answers):
        sys.exit(f"curl got {len(answers)} of {len(lines)} answers: the figures mean nothing\n{done.stderr[:300]}")
    print(f"curl --parallel, {rounds} rounds in one process: {cpu / len(lines) * 1e6:8.0f} us of client CPU per poll, "
          f"{sum(int(connects) for _, connects in answers)} connections for {len(lines)} polls")


def sushy(urls, rounds):
    # These would make requests verify although it is told not to; the simulator's certificate is its own.
    environment = {k: v for k, v in os.environ.items() if k not in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")}
    done = subprocess.run(["/usr/bin/python3", "-c", SUSHY, str(rounds), *urls], capture_output=True, text=True, check=False,
                          env=environment)
    if done.returncode:
        print("python3-sushy is not installed or failed; not compared\n" + done.stderr[-500:])
        return
    first, poll = (float(word) for word in done.stdout.split())
    print(f"python3-sushy, {len(urls)} BMCs: {poll:8.0f} us of client CPU per poll (first contact {first:.0f} us)")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--bmcs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sushy", type=int, default=50)
    given = parser.parse_args()
    simulator = given.build.resolve() / "bin" / "nimbus-sim"
    print(f"load average {os.getloadavg()[0]:.1f}", flush=True)
    ours = subprocess.run([given.build.resolve() / "tests/bench/bench_redfish_poll", simulator, str(given.bmcs),
                           str(given.rounds)], check=False).returncode
    with tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(simulator, folder, given.bmcs)
        try:
            curl_parallel(fleet.urls, given.rounds, folder)
            sushy(fleet.urls[:given.sushy], given.rounds)
        finally:
            fleet.stop()
    return ours


if __name__ == "__main__":
    sys.exit(main())
