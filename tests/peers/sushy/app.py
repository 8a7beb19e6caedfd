"""What gunicorn serves: the emulator's application, with a journal of requests around it.

Nothing of the emulator's behaviour is changed, except that the time until its fake machines follow
a power command (1 to 11 s) can be set.
"""
import os

from sushy_tools.emulator import main
from sushy_tools.emulator.resources.systems import fakedriver

FOLDER = os.environ["BMC_FOLDER"]
DELAY = os.environ.get("BMC_POWER_DELAY")
if DELAY is not None:
    class FixedDelay:
        @staticmethod
        def randint(_low, _high):
            return int(DELAY)
    fakedriver.random = FixedDelay


class Journal:
    """One line per request: method, path, status, with credentials or without."""

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        # Asked now: the emulator removes the field once it has read it.
        who = "auth" if environ.get("HTTP_AUTHORIZATION") else "anonymous"

        def answer(status, headers, exc_info=None):
            with open(os.path.join(FOLDER, "requests"), "a", encoding="utf-8") as log:
                log.write(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {status.split()[0]} {who}\n")
            return start_response(status, headers, exc_info)
        return self.app(environ, answer)


app = main.app
app.wsgi_app = Journal(app.wsgi_app)
