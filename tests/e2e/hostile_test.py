#!/usr/bin/env python3
"""Three of ten BMCs are hostile: what the others feel of it.

One controller and one fleet; the faults are set and taken away again in turns, so whatever
else the machine does meanwhile meets both. Told by the simulator's journal, which says when
a request reached a BMC: how long after a person's wish a machine was looked at, and how far
apart the regular looks are."""
import os
import time

from harness.case import EndToEnd, main
from harness.fleet import ControlPort, SimFleet

COUNT, HOSTILE = 100, 30
ROUNDS = int(os.environ.get("NIMBUS_HOSTILE_ROUNDS", "3"))
PHASE_SECONDS = float(os.environ.get("NIMBUS_HOSTILE_SECONDS", "8"))
# Every kind that nimbus-sim has for requests, for hours at a time; what a login with a wrong password meets, too.
REDFISH = [{"kind": "drop"}, {"kind": "delay", "delay": "1900ms"}, {"kind": "delay", "delay": "1h"}, {"kind": "drip", "bytes": 10},
           {"kind": "truncate"}, {"kind": "garbage"}, {"kind": "status", "status": 503}, {"kind": "status", "status": 500},
           {"kind": "status", "status": 401}, {"kind": "drop", "percent": 30}]
IPMI = [{"kind": "drop"}, {"kind": "delay", "delay": "600ms"}, {"kind": "garbage"}, {"kind": "completion-code", "completion_code": 0xc0},
        {"kind": "no-sessions"}, {"kind": "duplicate"}, {"kind": "drop", "percent": 30}, {"kind": "garbage", "percent": 30}]


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


class Looks:
    """What the journals say of looks at machines since a moment."""

    def __init__(self, fleet, numbers):
        self.fleet, self.numbers = fleet, numbers
        self.since = {n: max((e["number"] for e in fleet.journal(f"m{n}")), default=0) for n in numbers}

    def times(self, number):
        """Seconds at which requests came, and those of them that began a look: after a moment without any."""
        came = [entry["at_ms"] / 1000 for entry in self.fleet.journal(f"m{number}", after=self.since[number])]
        return came, [at for before, at in zip([0] + came, came) if at - before > 0.1]


class Hostile(EndToEnd):
    def start(self):
        fleet = SimFleet(self.site(), COUNT)
        for number in range(COUNT):
            fleet.write(number, "unmanaged", "observe")
        self.site().registry.publish("A fleet")
        controller = fleet.controller(workers=4, observe="1s", poll="1h")
        controller.start()
        self.wait(lambda: controller.metrics().get('nimbus_machines{state="off"}', 0) == COUNT, "all machines were read")
        self.live = range(HOSTILE, COUNT)
        return fleet, controller

    def set_faults(self, fleet, controller):
        for number in range(HOSTILE):
            kinds = REDFISH if number % 2 == 0 else IPMI
            fleet.ask("POST", "/faults", {**kinds[number // 2 % len(kinds)], "machines": [f"m{number}"],
                                          "side": "redfish" if number % 2 == 0 else "ipmi"})
        # Who says nothing at all is known later: the slow lane has the patience of a whole pass for each, one after the other.
        self.wait(lambda: self.unreachable(controller) >= HOSTILE // 3, "the first of the hostile ones are known for it", 120)

    def clear_faults(self, fleet, controller):
        fleet.ask("DELETE", "/faults")
        # What was refused with a password is not tried again with the same one for a while.
        refused = sum(REDFISH[n // 2 % len(REDFISH)].get("status") == 401 for n in range(0, HOSTILE, 2))
        self.wait(lambda: self.unreachable(controller) <= refused, "all others answer again", 120)

    @staticmethod
    def unreachable(controller):
        return controller.metrics().get('nimbus_machines{state="unreachable"}', 0)

    def wish(self, controller, number):
        connection = ControlPort(controller.socket)
        connection.request("POST", f"/v1/machines/m{number}:reconcile", headers={"Content-Length": "0"})
        answer = connection.getresponse()
        self.assertEqual(answer.status // 100, 2, answer.read())

    def phase(self, fleet, controller):
        """Seconds from wishes to looks; seconds between regular looks."""
        looks, wishes = Looks(fleet, self.live), {}
        ends = time.monotonic() + PHASE_SECONDS
        for number in self.live:
            wishes[number] = time.time()
            self.wish(controller, number)
        self.wait(lambda: time.monotonic() > ends, "a while went by", PHASE_SECONDS + 60)
        reactions, gaps = [], []
        for number in self.live:
            came, begun = looks.times(number)
            reactions.append(next(at for at in came if at >= wishes[number] - 0.001) - wishes[number])
            gaps += [b - a for a, b in zip(begun, begun[1:])]
        return reactions, gaps

    def test_the_others_hardly_feel_it(self):
        fleet, controller = self.start()
        found = {False: ([], []), True: ([], [])}
        for turn in range(ROUNDS):
            for hostile in (False, True) if turn % 2 == 0 else (True, False):
                (self.set_faults if hostile else self.clear_faults)(fleet, controller)
                reactions, gaps = self.phase(fleet, controller)
                print(f"{'hostile' if hostile else 'quiet'}: wish to look p50 {quantile(reactions, 0.5) * 1e3:.0f} ms, look to look p99 "
                      f"{quantile(gaps, 0.99) * 1e3:.0f} ms, load average {os.getloadavg()[0]:.0f}", flush=True)
                found[hostile][0].extend(reactions)
                found[hostile][1].extend(gaps)
        ratios = {}
        for what, index in (("wish to look", 0), ("look to look", 1)):
            quiet, hostile = found[False][index], found[True][index]
            for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
                ratios[what, name] = quantile(hostile, share) / quantile(quiet, share)
                print(f"{what} {name}: {quantile(quiet, share) * 1e3:.0f} ms, with hostile BMCs {quantile(hostile, share) * 1e3:.0f} ms, "
                      f"{ratios[what, name]:.2f} ({len(quiet)}, {len(hostile)} samples)", flush=True)
        # A wish is answered in milliseconds, so how many is the load of this machine: it is only told. The looks have the
        # fleet's own beat, and who waits for a hostile one misses it.
        self.assertLessEqual(ratios["look to look", "p99"], 1.2)


if __name__ == "__main__":
    main()
