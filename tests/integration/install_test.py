#!/usr/bin/env python3
"""Installs a build into a scratch prefix, and uses the libraries from there as another project would.

usage: install_test.py --bin DIR

DIR is the directory of programs in a build tree; its parent is what gets installed, with `cmake --install`. Programs
that the test writes are then built in two ways, with find_package() and with pkg-config, and run. Parts whose tools
are not installed are skipped, with the reason.
The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import argparse
import os
import pathlib
import re
import shlex
import shutil
import sys
import tempfile

from checks import Checks, environment, run

SOURCE = pathlib.Path(__file__).resolve().parents[2]
LIBRARIES = ("libconf", "libmaps")

# Expands a value, and uses IDNA: whatever the archive needs must come along.
LIBCONF_CONSUMER = """\
#include <libconf/idna.h>
#include <libconf/main_cf_document.h>
#include <libconf/settings.h>

#include <iostream>

int main() {
  const libconf::MainCfDocument document =
      libconf::MainCfDocument::parse("mydomain = example.net\\nmyhostname =\\n  mail.$mydomain\\n", "main.cf");
  const libconf::Settings settings(&document, libconf::system_host());
  const libconf::Result<std::string> value = settings.get("myhostname");
  if (!value) {
    std::cerr << value.error().message << '\\n';
    return 1;
  }
  std::cout << *value << '\\n' << libconf::domain_to_ascii("b\\xc3\\xbc" "cher.example") << '\\n';
}
"""
LIBCONF_OUTPUT = "mail.example.net\nxn--bcher-kva.example\n"

LIBMAPS_CONSUMER = """\
#include <libmaps/open.h>

#include <iostream>

int main() {
  const libconf::Settings settings(nullptr, libconf::system_host());
  libconf::DiagnosticList warnings;
  const libmaps::TableContext context{.settings = settings, .warnings = warnings};
  for (const char* spec : {"pcre:{{/^b(.*)/ $1}}", "inline:{b=x}", "hash:absent", "lmdb:absent"}) {
    auto table = libmaps::open(spec, context);
    std::cout << (table ? (*table)->lookup("b").value().value_or("none") : table.error().message) << '\\n';
  }
}
"""

LIBMAPS_OUTPUT = """\

x
open database absent.db: No such file or directory
open database absent.lmdb: No such file or directory
"""

CMAKE_PROJECT = """\
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES CXX)
find_package(postkit-%(library)s %(version)s REQUIRED)
add_executable(consumer consumer.cc)
target_link_libraries(consumer PRIVATE postkit::%(library)s)
"""


class Build:
    """What the test needs to know of the build tree."""

    def __init__(self, tree):
        self.tree = tree
        self.cache = {}
        for line in (tree / "CMakeCache.txt").read_text().splitlines():
            match = re.match(r"([A-Za-z0-9_]+):[A-Z]+=(.*)", line)
            if match:
                self.cache[match[1]] = match[2]
        self.compiler = self.cache.get("CMAKE_CXX_COMPILER") or "c++"
        # An archive that is built with sanitizers can only be linked with them.
        is_sanitized = self.cache.get("POSTKIT_SANITIZE", "").upper() in ("ON", "1", "TRUE", "YES")
        self.flags = ["-fsanitize=address,undefined"] if is_sanitized else []


def find_one(prefix, name):
    found = sorted(prefix.rglob(name))
    return found[0] if found else prefix / "missing" / name


def check_files(checks, prefix):
    """Returns the version that the installed program tells."""
    tool = prefix / "sbin" / "postconf"
    done = run([tool, "--version"]) if tool.exists() else None
    match = re.match(r"postconf \(Postkit\) (\d+\.\d+\.\d+)", done.out) if done else None
    checks.check("sbin/postconf is installed and runs", done and done.status == 0 and match, done or "no such file")
    for page in sorted((SOURCE / "man").glob("*.[1-9]")):
        installed = prefix / "share" / "man" / ("man" + page.suffix[1:]) / page.name
        checks.check("manual page %s is installed" % page.name,
                     installed.is_file() and installed.read_bytes() == page.read_bytes(), "missing or different")
    for place in ("bash-completion/completions/postconf", "fish/vendor_completions.d/postconf.fish",
                  "zsh/site-functions/_postconf"):
        installed = prefix / "share" / place
        checks.check("%s is installed" % place, installed.is_file() and "postconf" in installed.read_text(),
                     "missing or empty")
    for library in LIBRARIES:
        wanted = {header.name for header in (SOURCE / library).glob("*.h")}
        directory = prefix / "include" / "postkit" / library
        got = {header.name for header in directory.glob("*")}
        checks.check("headers of %s are installed, and nothing else beside them" % library, wanted and got == wanted,
                     "missing %s, surplus %s" % (sorted(wanted - got), sorted(got - wanted)))
    for name in ("README.md", "LICENSE"):
        checks.check("%s is installed" % name, list(prefix.glob("share/doc/*/" + name)), "not in share/doc")
    return match[1] if match else "0.1.0"


def check_exported_paths(checks, build, prefix):
    """The packages must not name places of the machine that built them."""
    files = sorted(prefix.rglob("*.cmake")) + sorted(prefix.rglob("*.pc"))
    private = [str(p) for p in (SOURCE, build.tree, build.tree.resolve())]
    found = []
    for file in files:
        for number, line in enumerate(file.read_text().splitlines(), 1):
            # An absolute path begins a quoted text or an item in a list, or follows an option such as -L.
            paths = re.findall(r'(?:^|["; ]|-[LI])(/\w[^"; ]*)', line)
            if (paths and not line.lstrip().startswith("#")) or any(p in line for p in private):
                found.append("%s:%d: %s" % (file.relative_to(prefix), number, line.strip()))
    checks.check("CMake and pkg-config files are there", len(files) >= 4 * len(LIBRARIES), files)
    checks.check("CMake and pkg-config files name no absolute path of the building machine", not found,
                 "\n".join(found))


def check_headers(checks, build, prefix, top):
    """Includes all headers, once in this order and once in the other: each must include what it needs."""
    headers = sorted(p.relative_to(prefix / "include" / "postkit").as_posix() for p in prefix.rglob("*.h"))
    for name, order in (("sorted", headers), ("in reverse", headers[::-1])):
        source = top / ("headers-%s.cc" % name.replace(" ", "-"))
        source.write_text("".join("#include <%s>\n" % header for header in order) + "int main() {}\n")
        done = run([build.compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                    "-I", prefix / "include" / "postkit", source])
        checks.check("all headers compile without a warning, %s" % name, headers and done.status == 0, done)


def check_cmake_consumer(checks, build, prefix, top, version, library, source, wanted):
    name = "find_package(postkit-%s)" % library
    project = top / ("cmake-" + library)
    project.mkdir()
    (project / "consumer.cc").write_text(source)
    (project / "CMakeLists.txt").write_text(CMAKE_PROJECT % {"library": library, "version": version})
    configure = ["cmake", "-S", project, "-B", project / "build", "-G", build.cache.get("CMAKE_GENERATOR", "Ninja"),
                 "-DCMAKE_PREFIX_PATH=%s" % prefix, "-DCMAKE_CXX_COMPILER=" + build.compiler,
                 "-DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF", "-DCMAKE_CXX_FLAGS=" + " ".join(build.flags)]
    done = run(configure)
    if not checks.check("%s: configures" % name, done.status == 0, lambda: done.err or done.out):
        return
    directory = re.search(r"^postkit-%s_DIR:PATH=(.*)$" % library,
                          (project / "build" / "CMakeCache.txt").read_text(), re.M)
    checks.check("%s: finds the installed package" % name,
                 directory and prefix.resolve() in pathlib.Path(directory[1]).resolve().parents, directory)
    done = run(["cmake", "--build", project / "build"])
    if checks.check("%s: builds" % name, done.status == 0, lambda: done.out + done.err):
        done = run([project / "build" / "consumer"])
        checks.check("%s: runs" % name, done.status == 0 and done.out == wanted, done)


def check_pkg_config_consumer(checks, build, prefix, top, version, library, source, wanted):
    package = "postkit-" + library
    name = "pkg-config %s" % package
    pkg_config = shutil.which("pkg-config") or shutil.which("pkgconf")
    if not pkg_config:
        checks.skip(name, "pkg-config is not installed")
        return
    env = environment(PKG_CONFIG_PATH=str(find_one(prefix, package + ".pc").parent))
    done = run([pkg_config, "--modversion", package], env=env)
    checks.check("%s: has the version of the program" % name, done.out.strip() == version, done)
    done = run([pkg_config, "--variable=prefix", package], env=env)
    checks.check("%s: its prefix is where it was installed" % name,
                 os.path.realpath(done.out.strip()) == str(prefix.resolve()), done)
    done = run([pkg_config, "--cflags", "--libs", package], env=env)
    if not checks.check("%s: gives flags" % name, done.status == 0 and "-lpostkit-" + library in done.out, done):
        return
    program, text = top / ("pkg-config-" + library), top / ("pkg-config-%s.cc" % library)
    text.write_text(source)
    done = run([build.compiler, *build.flags, text, *shlex.split(done.out), "-o", program])
    if checks.check("%s: builds" % name, done.status == 0, done.err):
        done = run([program])
        checks.check("%s: runs" % name, done.status == 0 and done.out == wanted, done)


def check_readme_example(checks, build, prefix, top):
    """The program in README.md, on a main.cf of ours."""
    example = re.search(r"^```cpp\n(.*?)^```", (SOURCE / "README.md").read_text(), re.M | re.S)
    if not checks.check("README.md has an example program", example, "no ```cpp block"):
        return
    main_cf = top / "main.cf"
    main_cf.write_text("# comment\nmail_name = Example\nmydestination = one,\n    two\n")
    text, program = top / "readme.cc", top / "readme"
    text.write_text(example[1].replace("/etc/postfix/main.cf", str(main_cf)))
    archive = find_one(prefix, "libpostkit-libconf.a")
    done = run([build.compiler, "-std=c++20", *build.flags, "-I", prefix / "include" / "postkit", text, archive,
                "-lidn2", "-o", program])
    if checks.check("README.md: the example program builds", done.status == 0, done.err):
        done = run([program])
        checks.check("README.md: the example program runs", done.status == 0 and
                     done.out.startswith("%s:2: mail_name = Example\n%s:3: mydestination = one," % (main_cf, main_cf)),
                     done)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    options = parser.parse_args()
    checks = Checks()
    tree = pathlib.Path(options.bin).absolute().parent
    if not (tree / "CMakeCache.txt").is_file() or not shutil.which("cmake"):
        checks.skip("installation", "%s is no build tree, or cmake is not installed" % tree)
        return checks.finish()
    build = Build(tree)
    top = pathlib.Path(tempfile.mkdtemp(prefix="install-")).resolve()
    try:
        prefix = top / "prefix"
        done = run(["cmake", "--install", tree, "--prefix", prefix])
        if checks.check("cmake --install --prefix DIR", done.status == 0, done):
            version = check_files(checks, prefix)
            check_exported_paths(checks, build, prefix)
            check_headers(checks, build, prefix, top)
            for library, source, wanted in (("libconf", LIBCONF_CONSUMER, LIBCONF_OUTPUT),
                                            ("libmaps", LIBMAPS_CONSUMER, LIBMAPS_OUTPUT)):
                check_cmake_consumer(checks, build, prefix, top, version, library, source, wanted)
                check_pkg_config_consumer(checks, build, prefix, top, version, library, source, wanted)
            check_readme_example(checks, build, prefix, top)
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
