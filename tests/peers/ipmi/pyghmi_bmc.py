#!/usr/bin/env python3
"""One BMC of pyghmi (Debian package python3-pyghmi): pyghmi_bmc.py ADDRESS PORT"""
import sys

from pyghmi.ipmi.bmc import Bmc


class Machine(Bmc):
    state = "off"

    def get_power_state(self):
        return self.state

    def power_on(self):
        self.state = "on"

    def power_off(self):
        self.state = "off"

    def power_reset(self):
        pass

    def power_shutdown(self):
        self.state = "off"


if __name__ == "__main__":
    Machine({"admin": "secret12"}, port=int(sys.argv[2]), address=sys.argv[1]).listen()
