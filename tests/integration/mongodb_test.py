#!/usr/bin/env python3
"""Asks mongodb tables of a server that mongodb_server.py imitates, good and bad; there is no MongoDB in Debian, and its
Postfix has no mongodb tables. What is expected is what mongodb_table(5) and MONGODB_README of Postfix say.

usage: mongodb_test.py --bin DIR

The last line of the output is 'N passed, N failed[, N skipped]'; the exit status is 1 when any failed.
"""
import argparse
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

import mongodb_server
from checks import Checks, environment
from client_tables import Desk
from mongodb_server import Int64, MongodbServer, Oid, Raw
from server import free_port, private_directory

PASSWORD = "s3kr3t-p%40ss"  # as the connection string has it
QUICK = "socketTimeoutMS=1000&connectTimeoutMS=1000&serverSelectionTimeoutMS=1500"
GIVES_UP = 12  # seconds; what the limits of QUICK may add up to on a busy machine
DEFAULTS = {"dbname": "mail", "collection": "box", "query_filter": '{"name": "%s"}', "result_attribute": "to"}
FAILED = "postmap: fatal: table %s: query error: Application error\n"

README_MAILBOX = {"_id": Oid(b"123456789012"), "username": "user@example.com", "local_part": "user",
                  "domain": "example.com", "active": 1,
                  "alias": [{"address": "admin@example.com"}, {"address": "abuse@example.com"}]}


class MongodbTest:
    def __init__(self, bin_directory, work):
        self.checks = Checks()
        self.desk = Desk(bin_directory, work)
        self.count = 0

    def table(self, where, mode=0o600, **settings):
        """A table whose settings are DEFAULTS with changes; None takes one out. `where`: a server, or a uri."""
        uri = where if isinstance(where, str) else "mongodb://127.0.0.1:%d/?%s" % (where.port, QUICK)
        merged = {"uri": uri, **DEFAULTS, **settings}
        self.count += 1
        text = "".join("%s = %s\n" % item for item in merged.items() if item[1] is not None)
        return self.desk.table("mongodb", "t%d.cf" % self.count, text, mode)

    def answers(self, name, table, key, value, err=""):
        done = self.desk.ours(table, key)
        wanted = (0, value + "\n", err) if value is not None else (1, "", err)
        self.checks.equal(name, (done.status, done.out, done.err), wanted)

    def could_not_tell(self, name, table, key, reason, within=GIVES_UP):
        """`reason`: a part of the warning."""
        start = time.monotonic()
        done = self.desk.ours(table, key)
        seconds = time.monotonic() - start
        warned = done.err.partition("\n")[0]
        self.checks.check(name, done.status == 1 and done.out == "" and done.err.endswith(FAILED % table)
                          and warned.startswith('postmap: warning: table "%s": ' % table) and reason in warned, done)
        self.checks.check("%s: bounded" % name, seconds < within, "%.1f s" % seconds)
        return done

    def refuses(self, name, message, **settings):
        table = self.table(settings.pop("uri", "mongodb://127.0.0.1:1/"), **settings)
        done = self.desk.ours(table, "joe")
        self.checks.equal(name, (done.status, done.out, done.err),
                          (1, "", "postmap: fatal: %s\n" % message.format(table=table, file=table.partition(":")[2])))

    def has_module(self):
        """Checks what is said without it."""
        table = self.table("mongodb://127.0.0.1:1/")
        done = self.desk.ours(table, "joe")
        if "module libmaps-mongodb.so is not installed" not in done.err:
            return True
        self.checks.equal("an error without the module", (done.status, done.out), (1, ""))
        self.checks.skip("mongodb tables", "this build has no module libmaps-mongodb.so")
        return False

    def run(self):
        if not self.has_module():
            return self.checks.finish()
        for part in (self.documentation, self.values, self.settings, self.bad_settings, self.keys, self.login,
                     self.secrets, self.connections, self.broken_servers):
            part()
        return self.checks.finish()

    def documentation(self):
        """The examples of MONGODB_README."""
        both = '{"$or": [{"username": "%s"}, {"alias.address": "%s"}], "active": 1}'
        lists = {"name": "dev@example.com", "active": 1, "address": ["hamid@example.com", "wietse@example.com"]}
        with MongodbServer([README_MAILBOX, lists]) as server:
            table = self.table(server, query_filter=both, result_attribute="username")
            self.answers("virtual alias", table, "admin@example.com", "user@example.com")
            self.answers("virtual alias of itself", table, "user@example.com", "user@example.com")
            self.answers("no virtual alias", table, "other@example.com", None)
            table = self.table(server, query_filter='{"name": "%s", "active": 1}', result_attribute="address")
            self.answers("mailing list", table, "dev@example.com", "hamid@example.com,wietse@example.com")
            table = self.table(server, query_filter=both, result_attribute=None,
                               projection='{"mail_path": {"$concat": ["$domain", "/", "$local_part"]}}')
            self.answers("projection", table, "abuse@example.com", "example.com/user")
            find = [command for name, command in server.commands if name == "find"][-1]
            self.checks.equal("database and collection", (find["$db"], find["find"]), ("mail", "box"))
            self.checks.equal("projection as written", find["projection"],
                              {"mail_path": {"$concat": ["$domain", "/", "$local_part"]}})
            self.checks.equal("the server may give up, too", find.get("maxTimeMS"), 1000)

    def values(self):
        nested = ["a"]
        for _ in range(60):
            nested = [nested]
        documents = [
            {"_id": "not an answer", "name": "id", "to": "x"},
            {"_id": "not an answer", "name": "only-id"},
            {"name": "number", "to": 2**31 - 1, "more": -5}, {"name": "int64", "to": 2**62, "more": Int64(7)},
            {"name": "array", "to": ["b", "a", 1, ["c", ["d"]]]}, {"name": "no-elements", "to": []},
            {"name": "two", "to": "first"}, {"name": "two", "to": "second"},
            {"name": "empty", "to": ""}, {"name": "nul", "to": "before\0after"}, {"name": "latin", "to": Raw(b"\xe9")},
            {"name": "deep", "to": nested},
            {"name": "commas", "to": "a, b"}, {"name": "utf8", "to": "jo\u00e9@\u4f8b.example"},
        ] + [{"name": kind, "to": value} for kind, value in OTHER_TYPES.items()]
        with MongodbServer(documents) as server:
            table = self.table(server)
            for key, value in (("id", "x"), ("only-id", None), ("number", "2147483647"), ("int64", str(2**62)),
                               ("array", "b,a,1,c,d"), ("no-elements", None), ("two", "first,second"), ("deep", "a"),
                               ("nul", "before"), ("commas", "a, b"), ("utf8", "jo\u00e9@\u4f8b.example")):
                self.answers("value: %s" % key, table, key, value)
            self.answers("value: empty", table, "empty", None,
                         'postmap: warning: table "%s": empty lookup result for: "empty" -- ignored\n' % table)
            for kind in OTHER_TYPES:
                self.answers("value: %s" % kind, table, kind, None,
                             'postmap: warning: table "%s": key "%s": field "to" has %s value, not string, integer or '
                             'array of them -- ignored\n' % (table, kind, kind.replace("objectid", "ObjectId")))
            self.answers("several fields", self.table(server, result_attribute="to, more"), "number", "2147483647,-5")
            self.answers("all fields", self.table(server, result_attribute=None), "int64",
                         "int64,%d,7" % 2**62)
            self.answers("_id is no result", self.table(server, result_attribute="_id to"), "id", "x")
            self.answers("_id alone is none", self.table(server, result_attribute="_id"), "id", None)
            server.documents = [{"name": "many", "to": str(number)} for number in range(1000)]
            self.answers("many batches", table, "many", ",".join(map(str, range(1000))))

    def settings(self):
        documents = [{"name": name, "to": value} for name, value in
                     (("joe@a.example", "x@one.example"), ("joe@b.example", "y"), ("joe", "z"),
                      ("list", ["1", "2", "3"]))]
        with MongodbServer(documents) as server:
            table = self.table(server, result_format="smtp:[%d]")
            self.answers("result_format", table, "joe@a.example", "smtp:[one.example]")
            self.answers("result_format without the part", table, "joe@b.example", None)
            table = self.table(server, domain="a.example")
            self.answers("domain", table, "joe@a.example", "x@one.example")
            before = len(server.filters())
            self.answers("another domain", table, "joe@b.example", None)
            self.answers("no domain", table, "joe", None)
            self.checks.equal("not asked for", len(server.filters()), before)
            self.answers("expansion_limit, not exceeded", self.table(server, expansion_limit=3), "list", "1,2,3")
            table = self.table(server, expansion_limit=2)
            done = self.desk.ours(table, "list")
            self.checks.equal("expansion_limit", (done.status, done.err),
                              (1, "postmap: warning: dict_mongodb_lookup: %s: Expansion limit exceeded for key: 'list'\n"
                               % table.partition(":")[2] + FAILED % table))
            table = self.table(server, query_filter='{"name": "%u@%d", "x": {"$in": ["%1-%2", "100%%"]}}')
            self.desk.ours(table, "joe@mail.example.com")
            self.checks.equal("expansions", server.filters()[-1],
                              {"name": "joe@mail.example.com", "x": {"$in": ["com-example", "100%"]}})
            table = self.table(server, cache_size=10, cache_ttl=60)
            before = len(server.filters())
            done = self.desk.ours(table, "joe", "joe", "none", "none")
            self.checks.equal("cached", (done.out, len(server.filters()) - before), ("joe\tz\njoe\tz\n", 2))
            uri = "mongodb://127.0.0.1:%d/" % server.port
            (self.desk.directory / "main.cf").open("a").write("".join(
                "source_%s = %s\n" % item for item in {"uri": uri, **DEFAULTS}.items()))
            self.answers("settings in main.cf", "mongodb:source", "joe", "z")

    def bad_settings(self):
        for setting in ("dbname", "collection", "query_filter"):
            self.refuses("without %s" % setting, "{file}: bad string length 0 < 1: %s = " % setting, **{setting: None})
        self.refuses("without uri", "{file}: bad string length 0 < 1: uri = ", uri="")
        self.refuses("both result_attribute and projection",
                     "{table}: projection and result_attribute cannot be used together", projection='{"to": 1}')
        self.refuses("conversion outside of a string", "{table}: query_filter has %s outside of a JSON string: "
                     '{{"name": "%u", "uid": %s}}', query_filter='{"name": "%u", "uid": %s}')
        self.refuses("bad conversion", 'db_common_parse: {file}: Invalid query template: {{"name": "%x"}}',
                     query_filter='{"name": "%x"}')
        for setting, name in (("query_filter", "query_filter"), ("projection", "projection")):
            table = self.table("mongodb://127.0.0.1:1/", **{"result_attribute": None, setting: '{"name": '})
            done = self.desk.ours(table, "joe")
            self.checks.check("%s is not JSON" % name, done.status == 1 and
                              done.err.startswith("postmap: fatal: %s: bad %s: " % (table, name)), done)
        for name, text in (("an array", '[1]'), ("two objects", '{"name": "%s"} {"active": 1}')):
            self.refuses("query_filter is %s" % name, "{table}: bad query_filter: not one JSON object",
                         query_filter=text)
            self.refuses("projection is %s" % name, "{table}: bad projection: not one JSON object",
                         projection=text, result_attribute=None)
        self.refuses("not a connection string", '{table}: bad uri: Invalid URI Schema, expecting \'mongodb://\' or '
                     '\'mongodb+srv://\'', uri="http://127.0.0.1/")
        done = self.desk.ours(self.table("mongodb://127.0.0.1:1/", timeout="5"), "joe")
        self.checks.check("unknown setting", "unused parameter: timeout" in done.err, done)

    def keys(self):
        """Whatever the key is, the server gets it as a string, and nothing else."""
        hostile = ['"', '\\', '\\"', '"}', '", "$where": "1', '","x":{"$gt":""},"y":"', '\\u0022', "$gt", "{}", "%s",
                   "%",
                   "'", "/*", "a\rb", "\x01\x1f\x7f", "\u2028", "\U0001f4a9", "{\"$oid\": \"5\"}", " ", "\\"]
        rng = random.Random(27017)
        alphabet = "\"\\{}[]:,$%'/u0 2\tab\u00e9\u20ac\U0001f4a9"
        hostile += ["".join(rng.choice(alphabet) for _ in range(rng.randint(1, 12))) for _ in range(150)]
        hostile = [key for key in hostile if key.strip("\t\r ")]  # Lines without a key are passed over.
        template = '{"name": "%s", "$or": [{"a": "x\\\\%s"}, {"%s": "\\"%s\\""}]}'
        with MongodbServer([]) as server:
            table = self.table(server, query_filter=template)
            done = self.desk.ours(table, *hostile, flags=("-f",))
            self.checks.equal("hostile keys are not found", (done.status, done.out, done.err), (1, "", ""))
            wanted = [{"name": key, "$or": [{"a": "x\\" + key}, {key: '"%s"' % key}]} for key in hostile]
            got = server.filters()
            self.checks.equal("all keys were asked for", len(got), len(wanted))
            wrong = [pair for pair in zip(got, wanted) if pair[0] != pair[1]]
            self.checks.equal("keys stay inside their strings", wrong, [])
            before = len(server.commands)
            for key in (b"\xff", b"joe\xc3", b"\xed\xa0\x80", b"\xc0\xa2"):
                done = self.desk.ours(table, os.fsdecode(key))
                self.checks.equal("key that is not UTF-8: %s" % key.hex(), (done.status, done.out), (1, ""))
            self.checks.equal("is not asked for", len(server.commands), before)
            table = self.table(server, query_filter='{"_id": {"$oid": "%s"}}')
            self.could_not_tell("a key that the filter cannot have", table, "joe", 'query_filter for key "joe": ')
            self.answers("a key that it can have", table, b"abcdefghijkl".hex(), None)

    def login(self):
        users = {"postfix": "s3kr3t-p@ss"}
        with MongodbServer([{"name": "joe", "to": "x"}], users) as server:
            here = "127.0.0.1:%d/?%s" % (server.port, QUICK)
            self.answers("login", self.table("mongodb://postfix:%s@%s" % (PASSWORD, here)), "joe", "x")
            self.could_not_tell("wrong password", self.table("mongodb://postfix:other-secret@" + here), "joe",
                                "Authentication failed.")
            self.could_not_tell("unknown user", self.table("mongodb://nobody:s3kr3t@" + here), "joe",
                                "Authentication failed.")
            self.could_not_tell("no login", self.table("mongodb://" + here), "joe", "requires authentication")

    def secrets(self):
        """The password is in no message, whatever goes wrong."""
        with MongodbServer([{"name": "joe", "to": "x"}], {"postfix": "s3kr3t-p@ss"}) as server:
            here = "127.0.0.1:%d/?%s" % (server.port, QUICK)
            server.refusal = "the user's password is s3kr3t-p@ss, by the way"
            cases = {"server that tells it": "postfix:%s@%s" % (PASSWORD, here),
                     "nobody listens": "postfix:%s@127.0.0.1:1/" % PASSWORD,
                     "bad port": "postfix:%s@127.0.0.1:x/" % PASSWORD,
                     "@ that is not quoted": "postfix:s3kr3t-p@ss@127.0.0.1:1/",
                     "% that is not quoted": "postfix:s3kr3t-p%@127.0.0.1:1/",
                     "no host": "postfix:%s@/" % PASSWORD,
                     "/ that is not quoted": "postfix:s3kr3t-p/ss@127.0.0.1/",
                     "unknown option": "postfix:%s@127.0.0.1:1/?nosuch=1&authMechanism=NONE" % PASSWORD,
                     "password of a key": "127.0.0.1:1/?tls=true&tlsCertificateKeyFilePassword=s3kr3t-p"
                                          "&tlsCAFile=/none"}
            for name, rest in cases.items():
                table = self.table("mongodb://" + rest)
                for flags in ((), ("-v", "-v")):
                    done = self.desk.ours(table, "joe", flags=flags)
                    self.checks.check("no password in messages: %s %s" % (name, " ".join(flags)), done.status == 1
                                      and done.err and "s3kr3t" not in done.out + done.err, done)
            open_to_all = self.table("mongodb://postfix:%s@127.0.0.1:1/" % PASSWORD, mode=0o644)
            done = self.desk.ours(open_to_all, "joe")
            self.checks.check("everyone can read the uri", 'everyone can read the uri; use "chmod o-r' in done.err
                              and "s3kr3t" not in done.err, done)

    def connections(self):
        with MongodbServer([{"name": "joe", "to": "x"}]) as server:
            done = self.desk.ours(self.table(server), *["joe"] * 50)
            self.checks.equal("one connection for all keys", (done.out, server.connections), ("joe\tx\n" * 50, 1))
            # A server that comes back between two lookups of one process.
            postmap = subprocess.Popen([self.desk.postmap, "-c", self.desk.directory, "-q", "-", self.table(server)],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       env=environment())
            try:
                def ask():
                    postmap.stdin.write(b"joe\n")
                    postmap.stdin.flush()
                    return postmap.stdout.readline()
                first = ask()
                server.stop()
                server.start()
                self.checks.equal("after a restart of the server", (first, ask()), (b"joe\tx\n", b"joe\tx\n"))
                _, err = postmap.communicate(timeout=GIVES_UP)
                self.checks.equal("without a warning", (postmap.returncode, err), (0, b""))
            finally:
                postmap.kill()
                postmap.wait()

    def broken_servers(self):
        port = free_port()
        self.could_not_tell("nobody listens", self.table("mongodb://127.0.0.1:%d/?%s" % (port, QUICK)), "joe",
                            "server 127.0.0.1:%d failed: No suitable servers found" % port)
        documents = [{"name": "joe", "to": "x" * 1000}]
        bad_ones = (mongodb_server.silence, mongodb_server.half_and_silence, mongodb_server.half_and_close,
                    mongodb_server.close, mongodb_server.garbage, mongodb_server.endless_length,
                    mongodb_server.negative_length)
        for misbehave in bad_ones:
            with MongodbServer(documents) as server:
                server.on_hello = misbehave
                self.could_not_tell("greeting: %s" % misbehave.__name__, self.table(server), "joe", str(server.port))
        for misbehave in (*bad_ones, mongodb_server.damaged_document):
            with MongodbServer(documents) as server:
                server.on_find = misbehave
                self.could_not_tell("answer: %s" % misbehave.__name__, self.table(server), "joe", str(server.port))
        with MongodbServer(documents) as server:
            server.on_find = mongodb_server.slowly
            self.answers("a slow answer", self.table("mongodb://127.0.0.1:%d" % server.port), "joe", "x" * 1000)
            server.on_find = None
            server.refusal = "the disk is on fire"
            self.could_not_tell("a refusal", self.table(server), "joe", "the disk is on fire")
        with MongodbServer([{"name": "joe", "to": "x"}] * 3) as server:
            server.batch, server.repeats = 1, True
            self.could_not_tell("an endless answer", self.table(server), "joe", "takes too long")


# By the name that a warning gives the type (in lower case, as keys are).
OTHER_TYPES = {"double": 1.5, "document": {"a": "b"}, "boolean": True, "null": None, "binary": b"abc",
               "objectid": Oid(b"abcdefghijkl")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--bin", required=True, help="the directory of the programs")
    arguments = parser.parse_args()
    work = private_directory()
    try:
        return MongodbTest(pathlib.Path(arguments.bin), work).run()
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
