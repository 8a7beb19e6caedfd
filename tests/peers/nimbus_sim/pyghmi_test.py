#!/usr/bin/env python3
"""nimbus-sim as pyghmi sees it: a third, independent reading of RMCP+."""
import sys

import simulator

try:
    from pyghmi.ipmi import command
except ImportError:
    print("skipped: python3-pyghmi is not installed")
    sys.exit(77)


class Pyghmi(simulator.Case):
    def test_power_boot_sensors(self):
        bmc = command.Command(bmc=self.HOST, userid=simulator.USER, password=simulator.PASSWORD, port=self.sim.udp)
        self.assertEqual(bmc.get_power()["powerstate"], "off")
        bmc.set_bootdev("network", uefiboot=True)
        bmc.set_power("on")
        self.sim.wait_host("m1", "running")
        self.assertEqual(bmc.get_power()["powerstate"], "on")
        self.assertEqual(self.sim.state("m1")["boot"]["last_device"], "pxe")
        names = {reading.name for reading in bmc.get_sensor_data()}
        self.assertIn("Fan1", names)
        self.assertEqual(bmc.get_bootdev()["bootdev"], "default")


simulator.main()
