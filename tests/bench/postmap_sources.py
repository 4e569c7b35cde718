"""Sources of lookup tables, and what to ask them: seeded, so that every run has the same bytes.

Everything is written as it is made: a benchmark that holds a gigabyte itself cannot tell how much memory
the programs take that it starts.
"""

import array
import ipaddress
import random

BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
DOMAINS = 1000
WORDS = ("account address answer archive balance before between board branch budget business calendar "
         "change charge client column comment company contract copy customer date delivery department "
         "detail document draft during email every example exchange figure final first follow friday "
         "general group however include interest internal invoice item later letter list machine manager "
         "market meeting member message monday month morning network notice number office online open "
         "order other package paper payment people phone plan please point policy present price problem "
         "process product project question quarter reason receipt record report request result review "
         "sales schedule season second server service should site staff statement status still summary "
         "support system table thanks their there thing thursday today tomorrow total travel tuesday "
         "under update value version visit week where which while window within without work year").split()


def write_lines(path, lines):
    """Writes a file of lines that have no newline yet."""
    with open(path, "w", encoding="ascii", buffering=1 << 20) as stream:
        stream.writelines(line + "\n" for line in lines)


def shuffled(count, seed):
    numbers = array.array("I", range(count))
    random.Random(seed).shuffle(numbers)
    return numbers


# ------------------------------------------------------------- keys and values

def address(user, domains=DOMAINS, shift=0):
    return "user%d@domain%d.example" % (user, (user * 7919 + shift) % domains)


def map_source(count):
    """`count` addresses in no order, each with the mailbox that it stands for."""
    for user in shuffled(count, 1):
        yield "%s\tbox%d@mail%d.example.net" % (address(user), user, user % 100)


def map_queries(keys, count):
    """Every other address is in the source of `keys` addresses, the others have its users but no domain of
    theirs."""
    chooser = random.Random(2)
    for i in range(count):
        yield address(chooser.randrange(keys), shift=i % 2)


def alias_source(count):
    """Aliases of the usual kinds: most for one mailbox or a few, some for a file or a program."""
    chooser = random.Random(3)
    for number in shuffled(count, 4):
        name = "user.%d" % number
        kind = chooser.random()
        if kind < 0.7:
            yield "%s:\tbox%d" % (name, number)
        elif kind < 0.9:
            yield "%s:\tbox%d, %s,\n\t%s" % (name, number, address(number), address(number + 1))
        elif kind < 0.95:
            yield "%s: :include:/var/lib/lists/%d" % (name, number)
        else:
            yield "%s: \"|/usr/bin/vacation -a %s box%d\", box%d" % (name, name, number, number)


# -------------------------------------------------------------------- networks

def random_ipv4(chooser):
    return chooser.randrange(0x01000000, 0xe0000000)


def random_ipv6(chooser):
    return 0x20010db8 << 96 | chooser.getrandbits(96)


def cidr_source(count):
    """Networks as block lists have them: most small, a tenth of them IPv6."""
    chooser = random.Random(5)
    for number in range(count):
        if chooser.random() < 0.9:
            length = chooser.choices((32, 29, 28, 24, 22, 20), (40, 10, 10, 30, 7, 3))[0]
            network = ipaddress.IPv4Network((random_ipv4(chooser), length), strict=False)
        else:
            length = chooser.choices((128, 64, 56, 48), (20, 50, 10, 20))[0]
            network = ipaddress.IPv6Network((random_ipv6(chooser), length), strict=False)
        yield "%s\tREJECT listed as number %d" % (network, number)


def cidr_queries(networks, count):
    """Every other address is in one of the first networks of cidr_source(networks), in no order."""
    chooser = random.Random(6)
    listed = [line.split("\t")[0] for line in cidr_source(min(networks, count))]
    for i in range(count):
        if i % 2:
            network = ipaddress.ip_network(chooser.choice(listed))
            yield str(network[chooser.randrange(network.num_addresses)])
        elif chooser.random() < 0.9:
            yield str(ipaddress.IPv4Address(random_ipv4(chooser)))
        else:
            yield str(ipaddress.IPv6Address(random_ipv6(chooser)))


# -------------------------------------------------------------------- patterns

# Forms that pcre_table(5) and regexp_table(5) understand alike. %(n)d is the rule's number.
ADDRESS_PATTERNS = (
    r"/@domain%(n)d\.example$/ REJECT domain %(n)d",
    r"/^user%(n)d@/ OK",
    r"/^(.*)@old%(n)d\.example$/ ${1}@new%(n)d.example",
    r"/^(info|sales|support)-?%(n)d@.*\.example$/ FILTER smtp:[relay%(n)d.example.net]",
    r"/[.-]pool%(n)d\.isp\.example$/ REJECT dynamic address",
)
HEADER_PATTERNS = (
    r"/^Subject:.*%(word)s offer %(n)d/ REJECT advertisement",
    r"/^Subject: .*(win|earn) [0-9]+ (euro|dollar)s? with %(word)s%(n)d/ DISCARD",
    r"/^From:.*@bulk%(n)d\.example/ REJECT",
    r"/^Received:.*\[198\.51\.[0-9]+\.%(n)d\]/ WARN relay %(n)d",
    r"/^X-Mailer: .*MassSender v?%(n)d\./ REJECT",
    r"/^Content-(Type|Disposition):.*name *= *\"?[^\"]*\.x%(n)d\"?/ REJECT attachment",
    r"/^(To|Cc):.*list%(n)d@lists\.example/ PREPEND X-List: %(n)d",
    r"/^Message-ID: <[^>]*@host%(n)d\.invalid>/ HOLD",
)
BODY_PATTERNS = (
    r"/<iframe src=.{0,20}tracker%(n)d\.example/ REJECT",
    r"/https?:\/\/([a-z0-9-]+\.)*bulk%(n)d\.example/ REJECT link",
    r"/click here to win %(n)d/ REJECT",
    r"/%(word)s +%(word)s +offer %(n)d/ WARN",
    r"/^TVqQAAMAAAAEAAAA%(n)dAAA/ REJECT program",
)


def pattern_source(forms, count):
    chooser = random.Random(7)
    for number in range(count):
        form = forms[number % len(forms)]
        yield form % {"n": number, "word": chooser.choice(WORDS)}


def pattern_queries(forms, patterns, count):
    """Addresses and headers as a server meets them. One in ten matches the first of `forms` somewhere in a
    table of `patterns` rules."""
    chooser = random.Random(8)
    for i in range(count):
        number = chooser.randrange(0, patterns, len(forms))
        if i % 10 == 0:
            yield "someone@domain%d.example" % number
        elif i % 2:
            yield "%s.%s@%s%d.example.org" % (chooser.choice(WORDS), chooser.choice(WORDS),
                                              chooser.choice(WORDS), number)
        else:
            yield "Subject: " + sentence(chooser)


# ------------------------------------------------------------------------ mail

def sentence(chooser, words=9):
    return " ".join(chooser.choices(WORDS, k=words))


def until_size(size, make):
    written = 0
    while written < size:
        line = make()
        written += len(line) + 1
        yield line


def header_message(size):
    """A message that is all header: what the headers of thousands of messages are, in one block, since
    postmap -h takes one message. One in two hundred matches HEADER_PATTERNS."""
    chooser = random.Random(9)

    def host():
        return "mail%d.%s.example" % (chooser.randrange(1000), chooser.choice(WORDS))

    def mailbox():
        return "%s.%s@%s.example" % (chooser.choice(WORDS), chooser.choice(WORDS), chooser.choice(WORDS))

    def code(length):
        return "".join(chooser.choices(BASE64, k=length))

    makers = (
        lambda: "Received: from %s (%s [192.0.2.%d])\n\tby mx.example.com (Postfix) with ESMTPS id %s\n"
                "\tfor <%s>; Tue, 24 Nov 2026 16:%02d:%02d +0000 (UTC)"
                % (host(), host(), chooser.randrange(256), code(10), mailbox(), chooser.randrange(60),
                   chooser.randrange(60)),
        lambda: "Received: by %s id %s; Tue, 24 Nov 2026 16:00:00 +0000" % (host(), code(10)),
        lambda: "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=%s;\n\ts=mail; t=1790000000;\n"
                "\tbh=%s=;\n\th=From:To:Subject:Date;\n\tb=%s\n\t %s"
                % (host(), code(43), code(64), code(64)),
        lambda: "From: %s <%s>" % (sentence(chooser, 2).title(), mailbox()),
        lambda: "To: " + mailbox(),
        lambda: "Subject: " + sentence(chooser, 6),
        lambda: "Date: Tue, 24 Nov 2026 16:%02d:00 +0000" % chooser.randrange(60),
        lambda: "Message-ID: <%s@%s>" % (code(24), host()),
        lambda: "X-Mailer: Mailer %d.%d" % (chooser.randrange(20), chooser.randrange(10)),
        lambda: "X-Spam-Status: No, score=%.1f required=5.0 tests=BAYES_00,DKIM_SIGNED,\n"
                "\tDKIM_VALID,SPF_PASS autolearn=ham version=4.0" % chooser.uniform(-5, 4),
        lambda: "List-Unsubscribe: <https://%s/unsubscribe/%s>" % (host(), code(20)),
        lambda: "Content-Type: multipart/alternative; boundary=\"%s\"" % code(30),
    )
    listed = (
        lambda: "From: %s <news@bulk%d.example>" % (sentence(chooser, 2), chooser.randrange(500)),
        lambda: "Received: from relay (unknown [198.51.100.%d]) by mx.example.com" % chooser.randrange(256),
    )
    yield from until_size(size, lambda: chooser.choice(listed if chooser.random() < 0.005 else makers)())
    yield ""


def body_message(size):
    """A message with a short header and a body of text, quotes, HTML and base64. One line in five hundred has
    what BODY_PATTERNS look for."""
    chooser = random.Random(10)
    makers = (
        lambda: sentence(chooser, 11).capitalize(),
        lambda: sentence(chooser, 10) + ".",
        lambda: "> " + sentence(chooser, 10),
        lambda: "<p style=\"margin: 0 0 %dpx\">%s <a href=\"https://www.%s.example/%d\">%s</a></p>"
                % (chooser.randrange(20), sentence(chooser, 6), chooser.choice(WORDS),
                   chooser.randrange(10000), chooser.choice(WORDS)),
        lambda: "".join(chooser.choices(BASE64, k=76)),
        lambda: "".join(chooser.choices(BASE64, k=76)),
        lambda: "",
    )
    listed = (
        lambda: "See https://www.bulk%d.example/%s" % (chooser.randrange(500), chooser.choice(WORDS)),
        lambda: "Now click here to win %d" % chooser.randrange(500),
    )
    yield "From: sender@example.org"
    yield "Subject: " + sentence(chooser)
    yield ""
    yield from until_size(size, lambda: chooser.choice(listed if chooser.random() < 0.002 else makers)())
