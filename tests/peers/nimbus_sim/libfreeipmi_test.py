#!/usr/bin/env python3
"""nimbus-sim as a program sees it that uses libfreeipmi itself: the library called by ctypes, commands in one session."""
import ctypes
import ctypes.util

import simulator

try:
    LIBRARY = ctypes.CDLL("libfreeipmi.so.17")
except OSError:
    print("skipped: libfreeipmi is not installed")
    raise SystemExit(77)
ADMIN = 4
CHASSIS, APPLICATION, STORAGE = 0x00, 0x06, 0x0A
LIBRARY.ipmi_ctx_create.restype = ctypes.c_void_p
LIBRARY.ipmi_ctx_errormsg.restype = ctypes.c_char_p
LIBRARY.fiid_obj_create.restype = ctypes.c_void_p


class Session:
    def __init__(self, test, host, suite=17, password=simulator.PASSWORD):
        self.test = test
        self.context = ctypes.c_void_p(LIBRARY.ipmi_ctx_create())
        self.opened = LIBRARY.ipmi_ctx_open_outofband_2_0(self.context, host.encode(), simulator.USER.encode(), password.encode(), None, 0,
                                                          ctypes.c_uint8(ADMIN), ctypes.c_uint8(suite), 4000, 400, 0, 0)
        self.error = LIBRARY.ipmi_ctx_errormsg(self.context).decode()

    def close(self):
        if self.opened == 0:
            self.test.assertEqual(LIBRARY.ipmi_ctx_close(self.context), 0)
        LIBRARY.ipmi_ctx_destroy(self.context)

    def raw(self, net_fn, *data):
        """Completion code and data of the answer."""
        answer = ctypes.create_string_buffer(256)
        size = LIBRARY.ipmi_cmd_raw(self.context, ctypes.c_uint8(0), ctypes.c_uint8(net_fn), bytes(data), len(data), answer, 256)
        self.test.assertGreater(size, 1, LIBRARY.ipmi_ctx_errormsg(self.context))
        return answer.raw[1:size]

    def filled(self, name, *fields):
        """The library's own reading of an answer: ipmi_cmd_NAME by the template tmpl_cmd_NAME_rs."""
        template = ctypes.addressof(ctypes.c_char.in_dll(LIBRARY, f"tmpl_cmd_{name}_rs"))
        answer = ctypes.c_void_p(LIBRARY.fiid_obj_create(ctypes.c_void_p(template)))
        call = getattr(LIBRARY, f"ipmi_cmd_{name}")
        self.test.assertEqual(call(self.context, answer), 0, LIBRARY.ipmi_ctx_errormsg(self.context))
        values, value = {}, ctypes.c_uint64()
        for field in fields:
            self.test.assertEqual(LIBRARY.fiid_obj_get(answer, field.encode(), ctypes.byref(value)), 1, field)
            values[field] = value.value
        LIBRARY.fiid_obj_destroy(answer)
        return values


class LibFreeIpmi(simulator.Case):
    MACHINES = '[[machine]]\nname = "m{n}"\ncount = 3\nipmi = "127.77.0.1:{udp}"\n'

    def open(self, number, **how):
        session = Session(self, f"127.77.0.{number}:{self.sim.udp}", **how)
        self.addCleanup(session.close)
        return session

    def test_power_boot_identity_and_log_in_one_session(self):
        for number, suite in ((1, 3), (2, 17)):
            session = self.open(number, suite=suite)
            self.assertEqual(session.opened, 0, session.error)
            self.assertEqual(session.filled("get_chassis_status", "current_power_state.power_is_on"), {"current_power_state.power_is_on": 0})
            self.assertEqual(session.raw(CHASSIS, 0x08, 5, 0xA0, 0x04, 0, 0, 0), b"\x00")
            self.assertEqual(self.sim.state(f"m{number}")["boot"]["override"]["device"], "pxe")
            self.assertEqual(session.raw(CHASSIS, 0x02, 1), b"\x00")
            self.sim.wait_host(f"m{number}", "running")
            self.assertEqual(session.filled("get_chassis_status", "current_power_state.power_is_on"), {"current_power_state.power_is_on": 1})
            self.assertEqual(self.sim.state(f"m{number}")["boot"]["last_device"], "pxe")
            version = session.filled("get_device_id", "ipmi_version_major", "ipmi_version_minor")
            self.assertEqual(version, {"ipmi_version_major": 2, "ipmi_version_minor": 0})
            self.assertGreater(session.filled("get_sel_info", "entries")["entries"], 0)
            self.assertGreater(session.filled("get_sdr_repository_info", "record_count")["record_count"], 5)

    def test_a_wrong_password_is_refused(self):
        session = self.open(3, password="nonsense")
        self.assertEqual(session.opened, -1)
        self.assertIn("password", session.error)


simulator.main()
