"""What smtp_replies_test sends: commands that matter, random ones, and content."""
import re

ADDRESSES = [
    b"<a@b.example>", b"<>", b"a@b.example", b" <a@b.example>", b"<", b">", b"<a", b"a>", b"<a@b.example>x",
    b"<a b@c.example>", b'<"a b"@c.example>', b'"a b"@c.example', b"<a@b,c@d>", b"a@b c@d", b"a@b,", b"<John <a@b>>",
    b"John <a@b>", b'"John D" <a@b>', b"<a@b>(c)", b"<a(c)@b>", b"<(c)a@b>", b"<@x:a@b>", b"<@x,@y:a@b>", b"<@x:@y:a@b>",
    b"<@x,a@b>", b"<@x a@b>", b"<@x>", b"<@x:>", b"<@>", b"<a@>", b"<a@b.>", b"<a@b..c>", b"<a@.b>", b"<.a@b>", b"<a..b@c>",
    b"<a.@b>", b"<a@[1.2.3.4]>", b"<a@[IPv6:::1]>", b"<a@[ipv6:2001:db8::1]>", b"<a@[::1]>", b"<a@[1.2.3]>", b"<a@[x]>",
    b"<a@[]>", b"<a@[300.1.1.1]>", b"<a@[1.2\\.3.4]>", b"<a@[1.2 .3.4]>", b"<a@[1.2.3.4]x>", b"<a@[1.2.3.4>",
    b"<a@[IPv6:1.2.3.4]>", b"<a@[IPv6:]>", b"<a@[IPv6:::ffff:1.2.3.4]>", b"<a@1.2.3.4>", b"<a@1234>", b"<a@b.1>", b"<a@b_c>",
    b"<a@_>", b"<a@-b>", b"<a@b-.c>", b"<a@b*c>", b"<a@b/c>", b"<a@@b>", b"<a@@>", b"<a@b@>", b"<@b@>", b"<a@b@@>", b"<a@b..c@>", b"<a@b@.>", b"<a@b@c>", b"<a>", b'<"a">', b'<"a"@b>',
    b'<"a\\"b"@c>', b"<a\\ b@c>", b"<a\\@b>", b'<"a\\b"@c>', b'<"">', b'<""@b>', b'<"@b>', b'<"a@b>', b'<a"b@c>', b'"a\\"',
    b"<a\\>", b"<a\\", b"<-a@b>", b'<"-a"@b>', b"<a;b@c>", b"<a:b@c>", b"<:a@b>", b"a:b:c@d", b"<g:a@b;>", b"<g:a@b,c@d;>",
    b"<g:;>", b"<a@b;>", b"<a@b;c>", b"<a,>", b"<,>", b",", b";", b"()", b"(", b"<()>", b"<a@b(x>", b"a@b(c", b"<a @ b>",
    b"<a . b@c . d>", b"< a@b >", b"< >", b"<a@b c>", b"<a@b>,", b"<a@b>;", b"<a@b>>", b"<<a@b>>", b"<<>>", b"<<a@b> x>",
    b"<x <a@b> y>", b"<x y <a@b>>", b"<x.y <a@b>>", b"<x,y <a@b>>", b"<a<b>>", b"<a <b>", b'<"a"b@c>', b'<a@"b">',
    b"[a]", b"<a[b]@c>", b"<a]@c>", b"<a)@c>", b"<a@b)>", b"<a\tb@c>", b"<\x01@b>", b"<\x7f@b>", b"<a@\x01>", b"<a\x00@b>",
    b"<\xc3\xa4@b>", b"<a@\xc3\xa4.example>", b"<\xe4@b>", b"<a@\xe2\x80\xa8.example>", b"<\xc2\xa0a@b.example>",
    b"<a@" + b"x" * 63 + b".org>", b"<a@" + b"x" * 64 + b".org>", b"<" + b"a" * 65 + b"@b.c>",
    b"<a@" + b".".join([b"x" * 63] * 4) + b">", b"<a@" + b".".join([b"x" * 63] * 4) + b".x>", b"<a@xn--bcher-kva.example>",
    b'a"b">', b"<<a b>>", b"<<a [1.2.3.4]>>", b"<[b]a>", b"<<[b]a@c>>", b"<a@b[c]>", b"<a.[c]>", b"<a,@x:b@c>", b"<@x,y,@z:a@b>",
    b"<x;g:a;>", b"<:,g:a;>", b"<b,g:a;>", b"<g:a;h:b;>", b"<x g:a;>", b"<x,y;g:a;>",
    b"<@x:,a@b>", b"<,@x:a@b>", b"<x <@y:a@b>>", b"<@y: <a@b>>", b"<a: <a@b>>", b"<(c)@y:a@b>", b",@:", b"<a <b> c <d>>",
    b"<a>b>", b"<>a", b"<a > b>", b"<a@b.c>\t", b'<"a@b"@c>',
]

MAIL_PARAMETERS = [
    b"SIZE=", b"SIZE", b"SIZE=x", b"SIZE=-1", b"SIZE=+1", b"SIZE=5x", b"SIZE=0", b"SIZE=99999999", b'SIZE="5"',
    b"SIZE=9223372036854775807", b"SIZE=9223372036854775808", b"SIZE=99999999999999999999999", b"SIZE=10240000",
    b"SIZE=10240001", b"size=1", b"SIZE=00000000000000000000000001", b"BODY=7BIT", b"body=8bitmime", b"BODY=BINARYMIME",
    b"BODY=", b"BODY", b"AUTH=<>", b"AUTH=", b"AUTH", b"AUTH=+zz", b"RET=FULL", b"RET=hdrs", b"RET=x", b"RET=", b"RET",
    b"ENVID=", b"ENVID=x", b"ENVID=x+20y", b"ENVID=x+2y", b"ENVID=x+00y", b"ENVID=+00", b"ENVID=x+C3+A4", b"ENVID=x=y",
    b"ENVID=+", b"ENVID=x+0Ay", b"ENVID=\xc3\xa4", b"ENVID=x\x01y", b'ENVID="x y"', b"ENVID=" + b"x" * 101, b"ENVID=x+2b",
    b"ENVID=+7f", b"SMTPUTF8", b"smtputf8", b"SMTPUTF8=x", b"NOTIFY=NEVER", b"ORCPT=rfc822;x", b"X=y", b"<x>", b'"x"', b"=",
    b"\x01", b"f\xc3\xb6", b'X"y z"', b"XVERP", b"XVERP=", b"XVERP=+-", b"XVERP=ab", b"xverp==+", b"(x)", b">", b"FOO",
]

RCPT_PARAMETERS = [
    b"NOTIFY=SUCCESS,FAILURE", b"NOTIFY=NEVER,SUCCESS", b"NOTIFY=SUCCESS,NEVER", b"NOTIFY=never", b"NOTIFY=success,Delay",
    b"NOTIFY=", b"NOTIFY", b"NOTIFY=x", b"NOTIFY=,", b"NOTIFY=SUCCESS,SUCCESS", b"NOTIFY=,SUCCESS,,", b"NOTIFY=NEVER,NEVER",
    b"NOTIFY=SUCCESS,x", b"ORCPT=", b"ORCPT", b"ORCPT=rfc822;a@b", b"ORCPT=rfc822", b"ORCPT=;a", b"ORCPT=rfc822;", b"ORCPT=;",
    b"ORCPT=rfc822;a+2bb", b"ORCPT=rfc822;a+2b+", b"ORCPT=rfc822;a+zz", b"ORCPT=utf-8;\xc3\xa4@b", b"ORCPT=utf-8;a\\x{E4}@b",
    b"ORCPT=utf-8;\\x{zz}", b"ORCPT=utf-8;\\x{41}", b"ORCPT=utf-8;\\x{110000}",
    b"ORCPT=utf-8;\\y", b"ORCPT=utf-8;a\\", b"ORCPT=utf-8;+41", b"ORCPT=utf-8;+zz", b"ORCPT=utf-8;", b"ORCPT=rfc822;\xc3\xa4",
    b"ORCPT=rfc822;+C3+A4", b"ORCPT=rfc822;+C3", b"ORCPT=rfc822;+01", b"ORCPT=rfc822;+00", b"ORCPT=rfc822;+0A",
    b"ORCPT=rfc822;<a>", b"ORCPT=rfc 822;x", b"ORCPT=rfc+38;x", b"ORCPT=a+3Bb", b"orcpt=RFC822;X@y", b"ORCPT=x400;a;b",
    b'NOTIFY="NEVER"', b"FOO", b"SIZE=5", b"SMTPUTF8", b"RET=FULL",
]

XCLIENT_VALUES = [
    b"NAME", b"NAME=", b"NAME=foo", b"name=foo.example", b"NAME=[UNAVAILABLE]", b"NAME=[tempunavail]", b"NAME=foo..bar",
    b"NAME=1.2.3.4", b"NAME=-a", b"NAME=a_b", b"NAME=[1.2.3.4]", b"NAME=a+20b", b"NAME=a+2", b"NAME=a+zz", b"NAME=(x)",
    b"NAME=" + b"x" * 255, b"NAME=" + b"x" * 256, b"NAME=" + b"+41" * 86, b"NAME=a+00b", b"NAME=a+01b", b"NAME=\xc3\xa4.example",
    b"ADDR=IPV6:1.2.3.4", b"ADDR=::1", b"ADDR=[1.2.3.4]", b"ADDR=x", b"ADDR=1.2.3", b"ADDR=", b"ADDR=127.0.0.1",
    b"ADDR=[TEMPUNAVAIL]", b"ADDR=[UNAVAILABLE]", b"PORT=25", b"PORT=", b"PORT=x", b"PORT=0", b"PORT=99999", b"PORT=-1",
    b"PORT=[UNAVAILABLE]", b"PORT=000025", b"PROTO=SMTP", b"PROTO=esmtp", b"PROTO=x", b"PROTO=[UNAVAILABLE]", b"PROTO=",
    b"PROTO=" + b"x" * 64, b"PROTO=" + b"x" * 65, b"HELO=x", b"HELO=[UNAVAILABLE]", b"HELO=[TEMPUNAVAIL]", b"HELO=", b"HELO=a+20b",
    b"HELO=" + b"x" * 256, b"HELO=\xc3\xa4", b"HELO=+C3", b"LOGIN=x", b"LOGIN=", b"LOGIN=[UNAVAILABLE]", b"DESTADDR=1.2.3.4",
    b"DESTADDR=x", b"DESTPORT=25", b"DESTPORT=x", b"REVERSE_NAME=foo", b"REVERSE_NAME=..", b"REVERSE_NAME=[TEMPUNAVAIL]",
    b"IDENT=abc", b"IDENT=", b"IDENT=a+20b", b"SOURCE=LOCAL", b"SOURCE=remote", b"SOURCE=x", b"SOURCE=[UNAVAILABLE]", b"FOO=x",
    b"foo=x", b'"NAME=a"', b'NAME="a b"', b"=x", b"=", b"NAME==a", b"FOO=" + b"x" * 300, b"FOO", b"NAME=a FOO=b", b"NAME=a PORT=x",
]

COMMANDS = [
    b"", b"   ", b"HELO", b"HELO  ", b"EHLO", b"HELO a b", b"EHLO a b", b"helo x", b"HELO [1.2.3.4]", b"LHLO x", b"RSET",
    b"RSET x", b"NOOP x", b"NOOP", b" \t NOOP", b"\x0bNOOP", b"NOOP\x00x", b"\x00NOOP", b"NO\x00OP", b'NO"OP"', b'"NOOP"', b"VRFY", b"VRFY a b",
    b"VRFY a SMTPUTF8", b"VRFY SMTPUTF8", b"VRFY a SMTPUTF8 SMTPUTF8", b"VRFY a smtputf8", b"VRFY a FOO", b"VRFY a\x01b",
    b"VRFY \xc3\xa4", b"VRFY \xc3\xa4 SMTPUTF8", b"VRFY \xe4", b"VRFY a@b(c  d)", b"VRFY John   Doe\t<a@b>", b'VRFY "a b',
    b"VRFY <x", b"VRFY <>", b'VRFY ""', b"VRFY @", b"EXPN a", b"HELP", b"XXXX", b"ETRN", b"ETRN a b", b"ETRN example.org",
    b"ETRN @example.org", b"ETRN #q", b"ETRN @", b"ETRN @@a", b"ETRN a@b", b"ETRN [1.2.3.4]", b"ETRN [x]", b"ETRN [", b"ETRN 1.2.3.4",
    b"ETRN a..b", b"ETRN -a", b"ETRN a_b", b"ETRN <a>", b'ETRN "a"', b"ETRN \xc3\xa4.example", b"ETRN " + b"x" * 64, b"ETRN a.",
    b"AUTH PLAIN", b"AUTH", b"AUTH PLAIN x y", b"STARTTLS", b"STARTTLS x", b"XCLIENT", b"XFORWARD", b"XCLIENT NAME=x",
    b"XFORWARD NAME=x", b"DATA x", b"DATA", b"MAIL", b"MAIL FROM", b"MAIL FROM:", b"MAIL FROM: ", b"MAIL FROM <a>",
    b"MAIL FROM : <a>", b"MAIL FROM :<a>", b"MAIL TO:<a>", b"MAIL FROM:<> ", b"mail from:<>", b"MAIL\tFROM:<>", b"MAIL  FROM:\t<>",
    b"RCPT", b"RCPT TO", b"RCPT TO:", b"RCPT FROM:<a@b>", b"rcpt to:<a@b>", b"RCPT TO:<a@b>", b"\xe4", b"F\xc3\xa4", b"F\x01",
    b"x\xc3\xa4:", b"a b:", b"A :", b"VRFY " + b"x" * 3000, b"NOOP \xe4", b"BDAT 0 LAST", b"BDAT 3\r\nabc",
    b"BDAT 3 LAST\r\nabc", b"BDAT 3 last\r\na\r\n", b"BDAT 003\r\nabc",
]

# Not in a session that has a recipient: there, an empty chunk that is not the last and then one that is make the smtpd of
# Postfix 3.7 dump core.
NULL_CHUNKS = [b"BDAT 0", b"BDAT 0", b"BDAT 3\r\nabc", b"BDAT 0", b"DATA", b"RCPT TO:<a@b>", b"MAIL FROM:<>", b"BDAT 0 LAST", b"BDAT 0 LAST",
               b"BDAT 3\r\nabc", b"BDAT 0", b"MAIL FROM:<>", b"RSET", b"DATA"]

# They end the session.
LAST_COMMANDS = [
    b"QUIT", b"QUIT x", b"quit", b"BDAT", b"BDAT x", b"BDAT -1", b"BDAT +5", b"BDAT 5 LASTX", b"BDAT 5 LAST x", b"BDAT 5a",
    b"BDAT 99999999999999999999999", b"BDAT 9223372036854775808", b'BDAT "0"', b"GET / HTTP/1.0", b" GET x", b"CONNECT x",
    b"post", b"Subject: x", b"MAILFROM:<a>", b"NOOP:", b":", b"a-b:c", b'A"x:', b"(foo", b"1", b"\xc3\xa4", b"<NOOP>", b".",
]


# Postfix takes the size of a message that was too big for that of the next one, if that tells none.
HARMLESS_MAIL_PARAMETERS = [parameter for parameter in MAIL_PARAMETERS if not re.search(rb"(?i)size=[0-9]{4}", parameter)]

# What VRFY leaves behind in Postfix, it forgets of the message at hand: SMTPUTF8, and that a chunk was refused.
HARMLESS_COMMANDS = [command for command in COMMANDS if not command.startswith(b"VRFY")]

# A client of another address has no privileges.
HARMLESS_XCLIENT_VALUES = [value for value in XCLIENT_VALUES if not value.startswith(b"ADDR")]


def words(rng):
    """A random argument, made of what parsers look at."""
    return b"".join(rng.choice((b"a", b"b", b"x", b"@", b".", b" ", b"<", b">", b'"', b"\\", b"(", b")", b",", b";", b":",
                                b"[1.2.3.4]", b"[", b"]", b"\xc3\xa4", b"\t", b"\x01", b"-", b"1", b"@b.example"))
                    for _ in range(rng.randint(0, 9)))


def random_command(rng):
    kind = rng.random()
    if kind < 0.25:
        return rng.choice(HARMLESS_COMMANDS)
    if kind < 0.45:
        command = b"MAIL FROM:" + rng.choice((rng.choice(ADDRESSES), b"<a@b.example>", words(rng)))
        return b" ".join([command] + rng.choices(HARMLESS_MAIL_PARAMETERS, k=rng.choice((0, 0, 1, 1, 2))))
    if kind < 0.75:
        command = b"RCPT TO:" + rng.choice((rng.choice(ADDRESSES), b"<a@b.example>", words(rng), b"<" + words(rng) + b">"))
        return b" ".join([command] + rng.choices(RCPT_PARAMETERS, k=rng.choice((0, 0, 1, 1, 2))))
    if kind < 0.82:
        return b" ".join([rng.choice((b"XCLIENT", b"XFORWARD"))] + rng.choices(HARMLESS_XCLIENT_VALUES, k=rng.randint(1, 2)))
    if kind < 0.87:
        return rng.choice((b"ETRN ", b"HELO ", b"AUTH ", b"STARTTLS ")) + words(rng)
    if kind < 0.97:
        return rng.choice((b"MAIL FROM:<>", b"RCPT TO:<a@b.example>", b"RSET", b"EHLO x", b"DATA", b"BDAT 4\r\na\r\n.",
                           b"BDAT 2 LAST\r\nx\n", b"BDAT 1\r\n\r"))
    return words(rng)


def content_cases(limit):
    """Lines around what a piece of a line may have, in bytes, and every end of a line."""
    full = b"x" * limit
    one, two = full[1:], full[2:]
    return [
        b"h\r\n", b"h\n", b"h\r\r\n", b"h\r\n..\r\nx\n..y\r\n.z\r\n", b"a\0b\r\n", b"a\rb\r\n", b"h\n\r\n", b"", b"\r\n", b"\n", b"\r",
        b"h\r\n.\r\r\nz\r\n", b"h\n.\nj\r\n", b"h\r\n.\nx\r\n", b"h\n.\r\nx\r\n", b"h\r.\r\n", b"h\r\n.\r\r\n..\r\n", b".\n", b"\n.\r\n",
        b"\n..\r\n", b"..\n..\r\n", b".\rx\r\n",
        one + b"\r\n", full + b"\r\n", full + b"x\r\n", full + full + b"\r\n", full + full + b"x\r\n", one + b"\r\r\n",
        two + b"\r\r\r\n", two + b"\r\r\n", full + b".y\r\n", full + b".\r\n", b"." + full + b"\r\n", b"." + one + b"\r\n",
        b"." + two + b"\r\n", full + b"\r\r\n", two + b"\rz\r\n", one + b"\rz\r\n", full + b"\nz\r\n", one + b"\nz\r\n",
        two + b"\nz\r\n", full + full + b"\nz\r\n", one + b"\r\nz\r\n", full + b"\n.\r\nz\r\n", one + b"\r\n..\r\n",
        full + b"\r\n..\r\n", full + b"\n..\r\n", one + b"\r.\r\n", full + b"\r.\r\n", full + b"..\r\n",
    ]


def chunk_cases(limit):
    """Not among them: a chunk that ends with the <CR> that fills a piece, before one that starts with another <CR>. Postfix
    then makes a piece that is longer than the limit."""
    full = b"x" * limit
    one, two = full[1:], full[2:]
    return [
        [b"h\r\n"], [b"hel", b"lo\r\n"], [b"h\r", b"\nj\r\n"], [b"h\n.\r\n..x\n"], [b"hello"], [b"hello\r"], [b"hello\r\r\n\r\r"],
        [b"h\0i\r\n"], [b"hel", b""], [b"x", b"\r", b"\n", b"y"], [b".\r\n", b".."], [b"a\n", b"b\r\n", b"c\r\n"],
        [b"a\r\n", b"b\n", b"c\r\n"], [b"a\r\n", b"b\n"], [b"a\r", b"\n", b"\n"],
        [one + b"\r\n"], [full + b"\r\n"], [full + b"x\r\n"], [one + b"\r", b"\n"], [full + b"\r", b"\nz"], [full, b"\n"],
        [full, b"x", b"\r\n"], [full], [one], [one + b"\r"], [full + b"\n"], [one + b"\r\r\n"], [full[:300], full[300:] + b"z\r\n"],
        [one + b"\r", b"z"], [full + full], [two + b"\r", b"\r\n"],
    ]


def random_content(rng):
    piece = (b"a", b"x" * 500, b"\r", b"\n", b"\r\n", b".", b"\r\n.\r\n", b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\0", b"y" * 11, b"z" * 12)
    return b"".join(rng.choices(piece, k=rng.randint(0, 14)))
