"""A page in a headless Chromium, which is told what to do over its pipe (the Chrome DevTools Protocol).

    with Browser() as browser:
        page = browser.open(path, width=390, is_phone=True)
        page.value("document.title")
"""
import base64
import json
import os
import select
import subprocess
import tempfile
import time

from checks import environment
from server import NoServer, find_program

TIMEOUT = 60  # seconds, for an answer


class Browser:
    """Raises NoServer when there is no Chromium, or when it does not answer."""

    def __init__(self):
        self.program = find_program("chromium")
        self.home = tempfile.TemporaryDirectory(prefix="browser-")
        self.process = self.requests = self.answers = None
        self.pending, self.events, self.number = b"", [], 0

    def __enter__(self):
        take, self.requests = os.pipe()
        self.answers, give = os.pipe()
        # It reads requests from descriptor 3 and writes answers to 4.
        command = 'exec 3<&%d 4>&%d; exec "$@"' % (take, give)
        arguments = [self.program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                     "--disable-background-networking", "--remote-debugging-pipe", "--user-data-dir=" + self.home.name]
        self.process = subprocess.Popen(["bash", "-c", command, "bash", *arguments], pass_fds=(take, give),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env=dict(environment(), HOME=self.home.name))
        os.close(take)
        os.close(give)
        return self

    def __exit__(self, *_):
        os.close(self.requests)
        self.process.terminate()
        self.process.wait()
        os.close(self.answers)
        for _ in range(50):  # Its processes may still write there.
            try:
                self.home.cleanup()
                return
            except OSError:
                time.sleep(0.1)

    def call(self, method, session=None, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if session:
            request["sessionId"] = session
        os.write(self.requests, json.dumps(request).encode() + b"\0")
        while (message := self._next()).get("id") != self.number:
            self.events.append(message)
        if "error" in message:
            raise RuntimeError("%s: %s" % (method, message["error"]))
        return message["result"]

    def wait_for(self, event):
        while not any(each["method"] == event for each in self.events):
            self.events.append(self._next())

    def _next(self):
        while b"\0" not in self.pending:
            data = os.read(self.answers, 1 << 20) if select.select([self.answers], [], [], TIMEOUT)[0] else b""
            if not data:
                raise NoServer("chromium does not answer")
            self.pending += data
        message, _, self.pending = self.pending.partition(b"\0")
        return json.loads(message)

    def open(self, path, width, is_phone=False):
        self.events = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable", session)
        self.call("Emulation.setDeviceMetricsOverride", session, width=width, height=844, deviceScaleFactor=1, mobile=is_phone)
        self.call("Page.navigate", session, url="file://%s" % path)
        self.wait_for("Page.loadEventFired")
        return Page(self, session)


class Page:
    def __init__(self, browser, session):
        self.browser, self.session = browser, session

    def value(self, expression):
        return self.browser.call("Runtime.evaluate", self.session, expression=expression, returnByValue=True)["result"].get("value")

    def requests(self):
        """The addresses of all that was loaded."""
        return [event["params"]["request"]["url"] for event in self.browser.events if event["method"] == "Network.requestWillBeSent"]

    def complaints(self):
        """What the page or the browser says to its developer."""
        return [event["params"] for event in self.browser.events
                if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")]

    def screenshot(self):
        """Of the whole page: the bytes of a PNG file."""
        width, height = self.value("[innerWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, 8000), "scale": 1}
        return base64.b64decode(self.browser.call("Page.captureScreenshot", self.session, captureBeyondViewport=True, clip=clip)["data"])
