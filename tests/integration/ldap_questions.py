"""What ldap: tables are asked in ldap_test.py: entries of a directory, and settings and keys to find them, fixed and
random.
"""
from slapd_server import ADMIN, PASSWORD, SUFFIX, ldif, thing

MANY = 1500  # entries cn=nNUMBER with the key kNUMBER


def entry(name):
    return "cn=%s,%s" % (name, SUFFIX)


def directory_entries():
    """What both Postfixes are asked for."""
    special = ["*", "a*b", "a(b)c\\d", "x y", "#x", "a,b", "a=b", "a+b", "<a>", '"a"@b.example', "jörg", "a&b|c!d"]
    entries = [
        ldif("ou=people," + SUFFIX, objectClass="organizationalUnit", ou="people"),
        ldif("ou=com," + SUFFIX, objectClass="organizationalUnit", ou="com"),
        ldif(entry("sue"), objectClass="person", cn="sue", sn="sue", userPassword="pw-of-sue"),
        thing("joe", mailacceptinggeneralid=["joe", "joe@example.com"], maildrop="joe@one.example",
              mail="joe@mail.example"),
        thing("multi", mailacceptinggeneralid="multi", maildrop=["m1@x", "m2@x", "plain"], mail=["a@x", "b@x"]),
        thing("two1", mailacceptinggeneralid="two", maildrop="t1@x"),
        thing("two2", mailacceptinggeneralid="two", maildrop="t2@x"),
        thing("blob", mailacceptinggeneralid="blob", mailblob=[b"a\0b", b"\0c", b"d"]),
        thing("nodrop", mailacceptinggeneralid="nodrop", mail="only@mail"),
        thing("grp", mailacceptinggeneralid="grp", memberdn=[entry("joe"), entry("multi")], memberaddr="ext@y",
              mail="grp@m"),
        thing("grp2", mailacceptinggeneralid="grp2", mail="grp2@m", memberurl="ldap:///%s??sub?(cn=two*)" % SUFFIX,
              memberaddr="ext2@y", memberdn=[entry("grp"), entry("two1")]),
        thing("host", mailacceptinggeneralid="host", maildrop="host@h", memberaddr="ext3@y", memberdn=entry("grp")),
        thing("loop", mailacceptinggeneralid="loop", memberaddr="la@y", memberdn=entry("pool")),
        thing("pool", memberaddr="lb@y", memberdn=entry("loop")),
        thing("gone", mailacceptinggeneralid="gone", memberaddr="dg@y", memberdn=entry("nosuch")),
        thing("onlygone", mailacceptinggeneralid="onlygone", memberdn=entry("nosuch")),
        thing("lang", mailacceptinggeneralid="lang", **{"description": "none@x", "description;lang-de": "de@x",
                                                        "description;lang-de;lang-en": "both@x"}),
        thing("u@example.com", base="ou=com," + SUFFIX, mailacceptinggeneralid="u@example.com", maildrop="incom@x"),
        ldif(entry("alias"), objectClass=["alias", "extensibleObject"], cn="alias", aliasedObjectName=entry("joe")),
        ldif("ou=away," + SUFFIX, objectClass=["referral", "extensibleObject"], ou="away",
             ref="ldap://127.0.0.1:1/ou=away," + SUFFIX),
    ]
    urls = {"attribute": "ldap:///%s?mail?sub?(cn=multi)" % SUFFIX, "base": "ldap:///" + entry("multi"),
            "upper": "LDAP:///%s?MAILDROP" % entry("joe"), "other": "ldap:///%s?cn" % entry("joe"),
            "all": "ldap:///%s?*" % entry("joe"), "host": "ldap://no.invalid/" + entry("joe"), "root": "ldap:///",
            "gone": "ldap:///" + entry("nosuch"), "filter": "ldap:///%s??sub?(cn=(" % SUFFIX, "text": "not a name",
            "lang": "ldap:///%s?description;lang-de" % entry("lang"),
            "nolang": "ldap:///%s?description" % entry("lang")}
    entries += [thing("url" + name, mailacceptinggeneralid="url" + name, memberurl=url) for name, url in urls.items()]
    for i, key in enumerate(special):
        entries.append(thing("special%d" % i, mailacceptinggeneralid=key, maildrop="special%d@x" % i))
    entries += [thing("n%d" % i, base="ou=people," + SUFFIX, mailacceptinggeneralid="k%d" % i, maildrop="v%d@x" % i)
                for i in range(MANY)]
    return "".join(entries), special, sorted("url" + name for name in urls)


def referral_entry(uri):
    """Entries of another server, where they have the same names."""
    return ldif("ou=elsewhere," + SUFFIX, objectClass=["referral", "extensibleObject"], ou="elsewhere",
                ref="%s/ou=people,%s" % (uri, SUFFIX))


class Settings:
    """The text of a .cf file."""

    def __init__(self, slapd):
        self.slapd = slapd

    def __call__(self, **more):
        values = {"server_host": self.slapd.uri, "search_base": SUFFIX, "bind": "no", "timeout": "10", **more}
        return "".join("%s = %s\n" % (name, value) for name, value in values.items() if value is not None)


SPECIAL = {"special_result_attribute": "memberdn, memberurl", "result_attribute": "maildrop, memberaddr"}


def fixed_cases(slapd, special_keys, url_keys):
    """(name, settings, keys) in which both Postfixes agree, warnings included."""
    tls, settings = slapd.certificates, Settings(slapd)
    secure = {"bind": "yes", "start_tls": "yes", "tls_require_cert": "yes"}
    local = {"server_host": slapd.local_uri}
    closed = "ldap://127.0.0.1:1"
    one = [
        ("no result attribute", {"result_attribute": ""}), ("binary values", {"result_attribute": "mailblob"}, "blob"),
        ("two attributes", {"result_attribute": "mail maildrop"}, "multi"),
        ("any case", {"result_attribute": "MailDrop"}),
        ("result_format", {"result_format": "<%s|%u|%d|%S>"}, "multi"), ("result_filter", {"result_filter": "F%s"}),
        ("result_format before result_filter", {"result_filter": "F%s", "result_format": "G%s"}),
        ("an empty result_format", {"result_format": "", "result_filter": "F%s"}),
        ("a filter without end", {"query_filter": "(mail=%s"}), ("a filter that is none", {"query_filter": "mail"}),
        ("an empty filter", {"query_filter": ""}), ("a bad conversion", {"query_filter": "mail=%x"}),
        ("a fixed filter", {"query_filter": "cn=%%"}), ("a base that is no name", {"search_base": "not a dn"}),
        ("an absent base", {"search_base": "ou=nosuch," + SUFFIX}), ("no base", {"search_base": None}),
        ("scope one", {"scope": "one"}, "k1"), ("scope base", {"scope": "base"}), ("scope bogus", {"scope": "bogus"}),
        ("version 2", {"version": "2"}), ("version 4", {"version": "4"}),
        ("version none", {"version": None, "bind": None}),
        ("dereference 0", {"dereference": "0", "search_base": entry("alias")}),
        ("dereference 1", {"dereference": "1", "search_base": entry("alias")}),
        ("dereference 2", {"dereference": "2", "search_base": entry("alias")}),
        ("dereference 3", {"dereference": "3", "search_base": entry("alias")}), ("dereference 7", {"dereference": "7"}),
        ("chase_referrals", {"chase_referrals": "yes", "search_base": "ou=away," + SUFFIX}),
        ("a referral", {"search_base": "ou=away," + SUFFIX}),
        ("a chased referral", {"chase_referrals": "yes", "search_base": "ou=elsewhere," + SUFFIX}, "k1"),
        ("a chased reference", {"chase_referrals": "yes", "query_filter": "cn=n%u"}, "1"),
        ("a referral not chased", {"search_base": "ou=elsewhere," + SUFFIX}, "k1"),
        ("a bad chase_referrals", {"chase_referrals": "1"}),
        ("expansion_limit reached", {"expansion_limit": "3"}, "multi"),
        ("expansion_limit", {"expansion_limit": "2"}, "multi"),
        ("expansion_limit is the size_limit", {"expansion_limit": "1"}, "two"),
        ("size_limit", {"size_limit": "1"}, "two"), ("size_limit is of entries", {"size_limit": "1"}, "multi"),
        ("size_limit 0", {"size_limit": "0", "expansion_limit": "1"}, "two"),
        ("a negative size_limit", {"size_limit": "-1"}),
        ("a size_limit within", {"size_limit": "1", **SPECIAL}, "grp2"), ("timeout 0", {"timeout": "0"}),
        ("a loop", SPECIAL, "loop"), ("recursion_limit", {"recursion_limit": "3", **SPECIAL}, "loop"),
        ("recursion_limit 2", {"recursion_limit": "2", **SPECIAL}, "grp2"),
        ("terminal attributes", {"terminal_result_attribute": "maildrop", **SPECIAL}, "host"),
        ("leaf attributes", {**SPECIAL, "leaf_result_attribute": "mail", "result_attribute": "memberaddr"}, "grp2"),
        ("domain", {"domain": "example.com"}, "joe@example.com"),
        ("another domain", {"domain": "example.org"}, "joe@example.com"),
        ("a DN that is gone", SPECIAL, "gone"), ("nothing but a DN that is gone", SPECIAL, "onlygone"),
        ("an anonymous bind", {"bind": "yes"}), ("a bind", {"bind": "simple", "bind_dn": ADMIN, "bind_pw": PASSWORD}),
        ("a wrong password", {"bind": "yes", "bind_dn": ADMIN, "bind_pw": "wrong"}),
        ("a bind_dn that is none", {"bind": "yes", "bind_dn": "not a dn", "bind_pw": "x"}),
        ("bind none", {"bind": "NONE", "bind_dn": ADMIN, "bind_pw": "wrong"}), ("bind bogus", {"bind": "bogus"}),
        ("a closed port", {"server_host": closed}), ("a closed port to bind", {"server_host": closed, "bind": "yes"}),
        ("the second server", {"server_host": "%s, %s" % (closed, slapd.uri), "bind": "yes"}),
        ("server_port", {"server_host": "127.0.0.1:1 127.0.0.1", "server_port": slapd.port, "bind": "yes"}),
        ("host:port", {"server_host": "127.0.0.1:%d" % slapd.port}), ("no server_host", {"server_host": ""}),
        ("a URL that is none", {"server_host": "ldap://[x", "bind": "yes"}),
        ("another scheme", {"server_host": closed + " http://x", "bind": "yes"}), ("ldapi", {**local, "bind": "yes"}),
        ("SASL EXTERNAL", {**local, "bind": "sasl", "sasl_mechs": "EXTERNAL"}),
        ("SASL of no such mechanism", {"bind": "sasl", "sasl_mechs": "NOSUCH"}),
        ("SASL for another identity", {**local, "bind": "sasl", "sasl_mechs": "EXTERNAL", "sasl_authz_id": "dn:cn=x"}),
        ("SASL DIGEST-MD5", {"bind": "SASL", "sasl_mechs": "DIGEST-MD5", "bind_dn": "sue", "bind_pw": "pw-of-sue"}),
        ("SASL DIGEST-MD5 with a realm", {"bind": "sasl", "sasl_mechs": "DIGEST-MD5", "bind_dn": "sue",
                                          "bind_pw": "pw-of-sue", "sasl_realm": "example", "sasl_minssf": "56"}),
        ("SASL with a wrong password", {"bind": "sasl", "sasl_mechs": "DIGEST-MD5", "bind_dn": "sue",
                                        "bind_pw": "wrong"}),
        ("STARTTLS unverified", {"bind": "yes", "start_tls": "yes"}),
        ("STARTTLS", {**secure, "tls_ca_cert_file": tls.ca}),
        ("STARTTLS by directory", {**secure, "tls_ca_cert_dir": tls.ca_directory}),
        ("STARTTLS, file before directory", {**secure, "tls_ca_cert_file": tls.ca, "tls_ca_cert_dir": "/nosuch"}),
        ("STARTTLS without bind", {**secure, "bind": "no", "tls_ca_cert_file": tls.ca}),
        ("STARTTLS with version 2", {**secure, "version": "2", "tls_ca_cert_file": tls.ca}),
        ("STARTTLS, another CA", {**secure, "tls_ca_cert_file": tls.other_ca}),
        ("STARTTLS, another name", {**secure, "tls_ca_cert_file": tls.ca, "server_host": "localhost:%d" % slapd.port}),
        ("STARTTLS, absent CA", {**secure, "tls_ca_cert_file": "/nosuch"}),
        ("STARTTLS, cipher suite", {**secure, "tls_ca_cert_file": tls.ca, "tls_cipher_suite": "NORMAL"}),
        ("STARTTLS, bad cipher suite", {**secure, "tls_cipher_suite": "BOGUS"}),
        ("STARTTLS, random file", {**secure, "tls_random_file": "/nosuch"}),
        ("STARTTLS and EXTERNAL", {"start_tls": "yes", "bind": "sasl", "sasl_mechs": "EXTERNAL",
                                   "tls_cert": tls.client_cert,
                                   "tls_key": tls.client_key}),
        ("STARTTLS, no key", {**secure, "tls_cert": tls.client_cert}),
        ("STARTTLS on a closed port", {**secure, "server_host": closed}),
        ("STARTTLS on ldaps", {"start_tls": "yes", "server_host": slapd.tls_uri}),
        ("ldaps", {**secure, "start_tls": "no", "server_host": slapd.tls_uri, "tls_ca_cert_file": tls.ca}),
        ("ldaps, another CA", {**secure, "start_tls": "no", "server_host": slapd.tls_uri,
                               "tls_ca_cert_file": tls.other_ca}),
        ("ldaps with version 2", {"version": "2", "server_host": slapd.tls_uri}),
        ("certificates without TLS", {"tls_ca_cert_file": "/nosuch"}),
        ("cache of old", {"cache": "yes", "cache_expiry": "3", "cache_size": "5"}),
    ]
    cases = [(case[0], settings(**case[1]), list(case[2:]) or ["joe"]) for case in one]
    cases += [
        ("hostile keys", settings(), ["*", "a*", "joe)(cn=*", "\\2a", "(", "%s", "JOE"] + special_keys),
        ("keys as names", settings(search_base="cn=%u," + SUFFIX, scope="base", query_filter="objectClass=*"),
         ["joe", "two1@x", "@x", "a=b+c\"<>;#\\", " joe", "joe ", "jörg", ","] + special_keys),
        ("labels of a domain", settings(search_base="ou=%1," + SUFFIX),
         ["u@example.com", "u@example.org", "u", "u@a,b"]),
        ("an empty key", settings(), ["joe", "", "multi"]),
    ]
    cases += [("URL " + key, settings(**SPECIAL), [key]) for key in url_keys]
    for attribute in ("description", "description;lang-de", "Description;LANG-de;lang-en",
                      "description, description;lang-de"):
        text = settings(result_attribute=attribute, special_result_attribute="memberurl")
        cases += [("options %s of %s" % (attribute, key), text, [key])
                  for key in ("lang", "urllang", "urlnolang")]
    return cases


def random_settings(generator, settings):
    def lists():
        names = ["maildrop", "mail", "memberaddr", "memberdn", "memberurl", "cn", "description", "MAIL"]
        return ", ".join(generator.sample(names, generator.randrange(0, 3)))
    rarely = {
        "search_base": ["cn=%s," + SUFFIX, "ou=%1," + SUFFIX, "ou=people," + SUFFIX, "ou=%d," + SUFFIX],
        "query_filter": ["(|(mail=%s)(cn=%u))", "(&(cn=%u)(mail=*@%d))", "cn=%u", "(cn=%s*)",
                         "(mailacceptinggeneralid=%U@%2.%1)",
                         "(maildrop=*%s)", "(!(cn=%s))", "(cn=%%%s"],
        "leaf_result_attribute": [lists(), "mail"], "terminal_result_attribute": [lists(), "maildrop"],
        "result_format": ["%u", "<%s>", "%d", "%S:%s", "%U %s", "%1-%u", "%%", "%s%"], "scope": ["sub", "one", "base"],
        "expansion_limit": ["0", "2", "5"], "size_limit": ["1", "3"], "recursion_limit": ["1", "2", "3"],
        "domain": ["example.com, x"], "dereference": ["3"], "bind": ["yes"],
    }
    chosen = {"result_attribute": generator.choice(["maildrop", "maildrop, memberaddr", "maildrop mail", lists()]),
              "special_result_attribute": generator.choice(["memberdn", "memberdn, memberurl", "memberurl, memberdn",
                                                            lists()])}
    chosen.update({name: generator.choice(values) for name, values in rarely.items() if generator.random() < 0.1})
    return settings(**chosen)


def random_key(generator, keys):
    key = generator.choice(keys)
    for _ in range(generator.choice([0, 0, 0, 0, 1, 2])):
        at = generator.randrange(len(key) + 1)
        key = key[:at] + generator.choice("*()\\@.,= +#ajö") + key[at:]
    return key
