"""Settings and keys for pgsql_test.py: what our postmap and the distribution's must do alike."""

SCHEMA = """
CREATE TABLE aliases (name text, target text);
INSERT INTO aliases VALUES ('joe', 'joe@x.example'), ('joe@d.example', 'joe@y.example'), ('two', 'a@x'),
    ('two', 'b@x'), ('nul', NULL), ('empty', ''), ('half', ''), ('half', 'h@x'), ('o''brien', 'apostrophe'),
    ('back\\slash', 'bs'), ('two words', 'tw'), ('@d.example', 'catch@all.example'), ('7', '42');
GRANT ALL ON aliases TO mail;
CREATE FUNCTION target_of(text) RETURNS text AS 'SELECT target FROM aliases WHERE name = $1' LANGUAGE sql;
CREATE FUNCTION targets_of(text) RETURNS SETOF text AS 'SELECT target FROM aliases WHERE name = $1' LANGUAGE sql;
CREATE FUNCTION nothing(text) RETURNS void AS 'SELECT 1' LANGUAGE sql;
CREATE TABLE asked (id serial, name text);
GRANT ALL ON asked, asked_id_seq TO mail;
CREATE FUNCTION note(text) RETURNS text AS 'INSERT INTO asked (name) VALUES ($1) RETURNING name' LANGUAGE sql;
"""

QUERY = "query = SELECT target FROM aliases WHERE name = '%s'\n"
ALL = ("joe", "two", "nobody", "nul", "half", "o'brien", "back\\slash", "joe@d.example")

# Name, settings after the login, keys. What stock Postfix does is the expectation, in all that it prints.
CASES = [
    ("one row", QUERY, ["joe"]),
    ("two rows", QUERY, ["two"]),
    ("no row", QUERY, ["nobody"]),
    ("NULL", QUERY, ["nul"]),
    ("an empty value", QUERY, ["empty"]),
    ("an empty key among others", QUERY, ["joe", "", "two"]),
    ("many keys", QUERY, ALL),
    ("columns", "query = SELECT target, NULL, name FROM aliases WHERE name = '%s'\n", ALL),
    ("no columns", "query = SELECT FROM aliases WHERE name = '%s'\n", ["joe", "two"]),
    ("types",
     "query = SELECT 1, true, 2.50, now() > '2000-01-01', '\\x00ff'::bytea, '{1,2}'::int[] WHERE '%s' <> ''\n",
     ["joe"]),
    ("UPDATE", "query = UPDATE aliases SET target = target WHERE name = '%s'\n", ["joe", "two"]),
    ("UPDATE RETURNING", "query = UPDATE aliases SET target = target WHERE name = '%s' RETURNING target\n",
     ["joe", "two"]),
    ("WITH",
     "query = WITH x AS (SELECT '%s'::text AS k) SELECT target FROM aliases, x WHERE name = k\n", ALL),
    ("VALUES", "query = VALUES ('%u'), ('%d')\n", ["a@b", "c"]),
    ("two statements", "query = SELECT 1; SELECT target FROM aliases WHERE name = '%s'\n", ALL),
    ("two statements, the last without rows",
     "query = SELECT target FROM aliases WHERE name = '%s'; SELECT 1 WHERE false\n",
     ALL),
    ("two statements, the last fails",
     "query = SELECT target FROM aliases WHERE name = '%s'; SELECT nothing_here\n", ["joe"]),
    ("two statements, the last is no query",
     "query = SELECT target FROM aliases WHERE name = '%s'; UPDATE aliases SET name = name WHERE false\n", ["joe"]),
    ("a semicolon", "query = SELECT target FROM aliases WHERE name = '%s' ;\n", ALL),
    ("nothing but a comment", "query = -- '%s'\n", ["joe"]),
    ("COPY TO", "query = COPY (SELECT '%s') TO STDOUT\n", ["joe", "two"]),
    ("COPY FROM", "query = COPY aliases FROM STDIN -- '%s'\n", ["joe", "two"]),
    ("a function", "query = SELECT target_of('%s')\n", ALL),
    ("a set function", "query = SELECT targets_of('%s')\n", ALL),
    ("a void function", "query = SELECT nothing('%s')\n", ["joe", "two"]),
    ("select_function", "select_function = target_of\n", ALL),
    ("the parts of a query", "select_field = target\ntable = aliases\nwhere_field = name\n", ALL),
    ("additional_conditions",
     "select_field = target\ntable = aliases\nwhere_field = name\nadditional_conditions = AND target LIKE 'a%%'\n",
     ALL),
    ("query comes before select_function", QUERY + "select_function = no_such\n", ["joe"]),
    ("select_function comes before parts",
     "select_function = target_of\nselect_field = x\ntable = y\nwhere_field = z\n", ["joe"]),
    ("an empty query", "query =\nselect_function = target_of\n", ["joe"]),
    ("a part is missing", "select_field = target\ntable = aliases\n", ["joe"]),
    ("no query at all", "", ["joe"]),
    ("a bad conversion", "query = SELECT '%x'\n", ["joe"]),
    ("a bad conversion in the result", QUERY + "result_format = %x\n", ["joe"]),
    ("a bad limit", QUERY + "expansion_limit = x\n", ["joe"]),
    ("a limit that is kept", QUERY + "expansion_limit = 2\n", ALL),
    ("a limit that is not", QUERY + "expansion_limit = 1\n", ["two"]),
    ("a limit of columns", "query = SELECT 1, 2 WHERE '%s' = '%s'\nexpansion_limit = 1\n", ["joe"]),
    ("%u and %d", "query = SELECT '%u', '%d', '%1', '%2'\n",
     ["joe@d.example", "@d.example", "joe", "joe@", "a@b@c.d"]),
    ("%S %U %D of results", QUERY + "result_format = %s,%S,%U,%D,%1,%%\n", ["joe@d.example", "joe"]),
    ("%u %d of results", QUERY + "result_format = %u at %d\n", ALL),
    ("a list of domains", QUERY + "domain = d.example, e.example\n", ["joe@d.example", "joe", "@d.example", "x@f"]),
    ("broken SQL", "query = SELEC '%s'\n", ["joe"]),
    ("no such table", "query = SELECT 1 FROM no_such WHERE name = '%s'\n", ["joe", "two"]),
    ("no such schema", "query = SELECT 1 FROM no_such.t WHERE name = '%s'\n", ["joe"]),
    ("a wrong type", "query = SELECT 1 / '%s'::int\n", ["x"]),
    ("an error", "query = SELECT 8 / '%s'::int\n", ["0"]),
    ("the connection ends itself", "query = SELECT pg_terminate_backend(pg_backend_pid()) WHERE '%s' <> ''\n", ["joe"]),
]

# What differs in the login: replacements in the settings.
LOGIN_CASES = [
    ("a wrong password", {"password = secret": "password = wrong"}),
    ("no password", {"password = secret\n": ""}),
    ("an unknown user", {"user = mail": "user = nobody_here"}),
    ("an unknown database", {"dbname = mail": "dbname = no_such"}),
    ("no database", {"dbname = mail\n": ""}),
    ("an empty database", {"dbname = mail": "dbname ="}),
    ("nobody listens", {":PORT": ":1"}),
    ("no such socket", {"127.0.0.1:PORT": "unix:/no/such"}),
    ("a bad port", {":PORT": ":zork"}),
    ("a port too high", {":PORT": ":77777"}),
    ("a socket with a port is no directory", {"127.0.0.1": "unix:/no/such"}),
    ("inet:", {"127.0.0.1": "inet:127.0.0.1"}),
    ("unix: before a name", {"127.0.0.1": "unix:127.0.0.1"}),
    ("a URI for the database", {"dbname = mail": "dbname = postgresql://mail:secret@127.0.0.1:PORT/mail",
                                "password = secret\n": ""}),
    ("a string for the database", {"dbname = mail": "dbname = dbname=mail password=secret", "password = secret\n": ""}),
    ("a URI", {"hosts = 127.0.0.1:PORT": "hosts = postgresql://mail:secret@127.0.0.1:PORT/mail",
               "user = mail": "user = ignored", "password = secret": "password = ignored"}),
    ("a second host", {"127.0.0.1:PORT": "127.0.0.1:1, 127.0.0.1:PORT"}),
]


def random_case(chance):
    """Settings after the login, and keys."""
    query = chance.choice([
        "SELECT target FROM aliases WHERE name = '%s'", "SELECT target, name FROM aliases WHERE name = '%u'",
        "SELECT '%s'", "SELECT '%u', '%d'", "SELECT '%1' || '%2'", "SELECT target FROM aliases WHERE name LIKE '%u%%'",
        "SELECT target_of('%u@%d')", "SELECT 1; SELECT '%S'", "SELECT '''%s''', '%%'",
        "SELECT name FROM aliases WHERE '%d' = '' OR name > '%s'", "VALUES ('%D'), ('x%Uy')",
        "SELECT length('%s'), octet_length('%s')", "SELECT 6 / length('%d')",
        "SELECT target FROM aliases WHERE name ~ '%s'"])
    # The order of rows is the server's.
    query += chance.choice(["", "", ";", " -- end"]) if "LIKE" not in query and ">" not in query else " ORDER BY 1"
    settings = "query = %s\n" % query
    for setting, values in (("result_format", ["%s", "%u", "%d", "<%s>", "%S:%s", "%1", "%%%s", "[%D]"]),
                            ("expansion_limit", ["0", "1", "2", "-1"]),
                            ("domain", ["d.example", "example.com, d.example", "x.y.z"])):
        if chance.random() < 0.3:
            settings += "%s = %s\n" % (setting, chance.choice(values))
    names = ["joe", "two", "nul", "half", "o'brien", "back\\slash", "", "a", "'", "''", "\\'", "two words", "%s", "$1",
             "é", "X" * 300, "; DROP TABLE aliases; --", "7"]
    domains = ["", "", "@", "@d.example", "@example.com", "@x.y.z", "@a@d.example", "@.", "@d'.example"]
    keys = [chance.choice(names) + chance.choice(domains) for _ in range(chance.randint(2, 12))]
    return settings, keys
