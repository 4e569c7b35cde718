#!/usr/bin/env python3
"""The HTML report of postlint in a browser: on a desk and on a phone.

usage: postlint_page_test.py --bin DIR [--screenshots DIR]

With --screenshots the pictures stay, to be looked at.
"""
import argparse
import os
import pathlib
import struct
import sys
import tempfile

from browser import Browser
from checks import Checks, run
from postlint_scenarios import FOLDER
from server import NoServer

EXAMPLE = pathlib.Path(__file__).resolve().parents[1] / "data" / "example-site"
WIDTHS = {"desk": 1200, "phone": 390}
LONG = "/srv/" + "a-directory-with-a-long-name/" * 4 + "t\u00e4ble"
HOSTILE = {
    "main.cf": "mydestination = <script>document.title='taken'</script>, hash:%s\n"
               "smtpd_banner = $myhostname \"><img src=x onerror=\"document.title='taken'\">\n"
               "smtpd_client_restrictions = check_client_access hash:%s, %s\n"
               "relayhost = '</svg><b>bold</b>\n" % (LONG, LONG, "reject_rbl_client " + "x" * 200 + ".example"),
    "master.cf": "smtp inet n - n - - smtpd\n  -o { smtpd_banner = </text></svg><h1>title</h1> }\n",
}
# Lines of the picture that end outside of their box.
OUTSIDE = """
[...document.querySelectorAll("svg")].flatMap(svg => {
  const right = Math.max(...[...svg.querySelectorAll("rect")].map(box => box.getBBox().x + box.getBBox().width));
  return [...svg.querySelectorAll("text")].filter(text => text.getBBox().x + text.getBBox().width > right).map(text => text.textContent);
})
"""
SMALL = """
[...document.querySelectorAll("p, dd, dt, li, pre")].map(each => parseFloat(getComputedStyle(each).fontSize)).filter(size => size < 12)
"""
# What the boxes and lines of the picture are on the screen: its units grow and shrink with it.
LETTERS = """
Math.min(...[...document.querySelectorAll("svg text")].map(text => text.getBoundingClientRect().height))
"""


def check_page(checks, name, browser, path, screenshots):
    for device, width in WIDTHS.items():
        title = "%s, %s: " % (name, device)
        page = browser.open(path, width, device == "phone")
        checks.equal(title + "nothing but the page is loaded", page.requests(), ["file://%s" % path])
        checks.equal(title + "the browser has nothing to say", page.complaints(), [])
        inner, scrolled = page.value("[innerWidth, document.documentElement.scrollWidth]")
        checks.check(title + "it is as wide as the screen", inner == width and scrolled <= width, (inner, scrolled))
        checks.equal(title + "no text is too small to read", page.value(SMALL), [])
        checks.check(title + "nor are the pictures'", page.value(LETTERS) >= 11, page.value(LETTERS))
        checks.equal(title + "all lines of the pictures are in their boxes", page.value(OUTSIDE), [])
        checks.equal(title + "links lead somewhere", page.value(
            "[...document.querySelectorAll('nav a')].filter(a => !document.querySelector(a.getAttribute('href'))).length"), 0)
        picture = page.screenshot()
        size = struct.unpack(">II", picture[16:24])
        checks.check(title + "it can be looked at", size[0] == width and size[1] > 500 and len(picture) > 10000, (size, len(picture)))
        if screenshots:
            (screenshots / ("%s-%s.png" % (name.replace(" ", "-"), device))).write_bytes(picture)


def check_hostile(checks, browser, path):
    page = browser.open(path, WIDTHS["desk"])
    checks.check("hostile values: no script of theirs runs", page.value("document.title") != "taken", page.value("document.title"))
    checks.equal("hostile values: and none is in the page", page.value("document.querySelectorAll('script, img, b').length"), 0)
    checks.equal("hostile values: they are text", page.value(
        "document.body.textContent.includes(\"<script>document.title='taken'</script>\")"), True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True)
    parser.add_argument("--screenshots", type=pathlib.Path)
    options = parser.parse_args()
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="postlint-page-") as top:
        top = pathlib.Path(os.path.realpath(top))
        hostile = top / "hostile"
        hostile.mkdir()
        for name, text in HOSTILE.items():
            (hostile / name).write_text(text, encoding="utf-8")
        sites = {"example site": EXAMPLE, "hostile values": hostile,
                 **{"guide %s" % guide.name: guide for guide in sorted((FOLDER / "guides").iterdir())}}
        try:
            with Browser() as browser:
                for name, site in sites.items():
                    done = run([os.path.join(options.bin, "postlint"), "-c", site, "--format", "html"])
                    checks.check("%s: a report, and nothing else" % name, done.status in (0, 1) and not done.err, done)
                    path = top / (name.replace(" ", "-") + ".html")
                    path.write_text(done.out, encoding="utf-8")
                    check_page(checks, name, browser, path, options.screenshots)
                check_hostile(checks, browser, top / "hostile-values.html")
        except NoServer as reason:
            checks.skip("the report in a browser", str(reason))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
