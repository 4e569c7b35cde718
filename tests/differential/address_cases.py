"""Addresses and headers to try: hand-picked ones, and a generator of random ones."""

import re

ADDRESSES = [
    b'a', b'a@b', b'a@b.', b'a@b..', b'a@', b'@', b'@b', b'a@[b', b'a@[1.2.3.4]', b'a@.', b'a@.b', b'a@b.c', b'a!b',
    b'a%b', b'a%b!c', b'a!b%c', b'a!b!c', b'a%b%c', b'a.b!c', b'a!b@', b'a%b@', b'a!b@c', b'a!', b'!a', b'!', b'%',
    b'a%', b'%a', b'a!!b', b'a%%b', b'""', b'""@a', b'"a b"!c', b'a b!c d', b'a@b c', b'a@"b.c"', b'a@b@c', b'a@@b',
    b'a%@', b'x:a', b'@x:a', b'@x:a!b', b'@x:a%b', b'@x:@y:b', b'@x,@y:b', b'@x:', b'@x', b'a@b(c)', b'(c)a@b',
    b'(c)', b'(c)a!b', b'a,b@c', b'a;b', b'<a@b>', b'<a>', b'"a@b"', b'"a!b"', b'a\\!b', b'a@b\\c', b'a@\xc3\xa9',
    b'\xc3\xa9', b'a@b!c', b'a@b%c', b'A@B', b'a@b . c', b'a@ b', b' a', b'a ', b'a@b.c.', b'a@b.c..', b'a@..',
    b'a@b.(x)', b'a@[b].', b'a@b,', b'a@b,c', b'a@"b"c', b'a@:b', b'.', b'..', b'a.', b'.@a', b'"', b'"a', b'a@"b',
    b'a@(b', b'postmaster', b'a@b@', b'@@', b'a@@', b'user@[127.0.0.1]',
]

HEADERS = [
    b'a', b'a@b.c', b'<a@b.c>', b'Joe <a@b.c>', b'Joe   Doe   <a>', b'"Joe Doe" <a>', b'"Joe \\"X\\" Doe" <a>',
    b'a (comment)', b'(comment) a', b'a (c (nested) d) , b', b'a, b,c', b'a b c', b'a b c <d>', b'a b <c> d',
    b'Joe Doe <a b@c>', b'"a b"@c.d', b'"a b"', b'"a"@c', b'a . b @ c . d', b'a(x)@(y)b.c', b'<@h1,@h2:a@b>',
    b'@h1,@h2:a@b', b'Joe <@h1,@h2:a@b>', b'<a', b'a>', b'a@', b'@b', b'<>', b'Joe <>', b',', b',,', b'a,', b',a',
    b'group: a, b;', b'group:;', b'group: a;, c', b'undisclosed-recipients:;', b'undisclosed-recipients: ;',
    b'g: Joe <a>, "x y" <b>;', b'g:a', b';', b':', b':a', b'a:b:c;d', b'"unterminated', b'(unterminated', b'a\\',
    b'a\\ b', b'a\\@b', b'"a\\', b'a.b.', b'.a', b'a..b', b'[1.2.3.4]', b'a@[1.2.3.4]', b'a@[ 1.2.3.4 ]', b'a@[x',
    b'a@b]', b'a!b', b'a%b', b'a!b!c', b'a%b%c', b'a!b%c', b'a@b@c', b'a@b@c.d', b'Joe@home <a>', b'Joe, <a>',
    b'Joe. Q. Public <a>', b'a;b', b'<a><b>', b'<a> <b>', b'<a>,<b>', b'<a> (c)', b'(c) <a>', b'Joe (c) <a> (d)',
    b'J\xc3\xa9 <\xc3\xa9>', b'a=b', b'a/b', b'a?b', b'a\tb', b'=?utf-8?q?a?= <a>', b'a\x01b', b'\x7f', b'"a\tb" <c>',
    b"'a b' <c>", b'a@b.c (x), d@e.f (y)', b'(a) (b) c', b'(a)', b'"x"', b'""', b'"" <a>', b'""@b', b'a""b',
    b'a"b"c@d', b'"a"."b"@c', b'a."b c"@d', b'<"a b"@c.d>', b'<a b>', b'<a,b>', b'<a;b>', b'<a:b>', b'< a >',
    b'<a@b> x <c@d>', b'Joe   Doe   <a@b.c>', b'"Joe" <a@b.c>', b'"Joe" <a>', b'a@b.c,d@e.f', b'  a@b.c  ',
    b'(x)a@b.c(y)', b'"a"@b.c', b'"a" @b.c', b'Joe"Doe"Moe <a@b.c>', b'Joe . Doe <a@b.c>', b'Joe @ x <a@b.c>',
    b'Joe\\ D <a@b.c>', b'J\\@D <a@b.c>', b'J(x)D <a@b.c>', b'(x) (y) <a@b.c> (z) (w)', b'<a@b.c>(z)(w), x',
    b'a@b.c(z)(w), x', b'a@b c@d', b'a@b.c d', b'a b@c', b'a.b c.d', b'a. b .c', b'a.b.c d.', b'a@b@c d', b'g:a@b c;',
    b'g : a ; h : b ; c', b'g:a;h:b;', b'g:h:a;;', b'g:a,b;,c', b'g h:a;', b'"g h":a;', b'g:(x)a;', b'(x)g:a;',
    b'g(x):a;', b'g:a;(x)', b'g:<a>;', b'g:Joe <a>;', b'g: a@b.c, d@e.f ; x@y.z', b'g:;,a@b.c', b'a@b.c, g:;',
    b'<a b', b'Joe <a', b'Joe <a, b', b'Joe <a> b>', b'a>b', b'a>,b', b'>a', b'<<a>>', b'<a<b>>', b'<<a>', b'<a>>',
    b'Joe <<a>>', b'a(b', b'a (b) c (d', b'a)b', b'a)', b')a', b'a]', b'[a', b'a[b]', b'[a]b', b'[a] b', b'a@[b]c',
    b'a@[b] c', b'a@b[c]', b'[a b] <c>', b'Joe [x] <c>', b'@a@b', b'a@@b', b'a@ ,b', b'a@ (x),b', b'@,b', b'a@ b',
    b'a @b', b'a, @b', b'a<b>c', b'a.<b>', b'.<b>', b'a@<b>', b'a:<b>', b'a:b <c>', b'a: b <c>;', b':;', b':a;',
    b'a;', b'a;;b', b'a:;b:;c', b'a,b;c', b'a:b,c', b'a:b,c;d', b'a,b:c,d;e', b'a b:c;', b'a@b:c;', b'"a":b;',
    b'Joe,Doe <a>', b'a,,b', b',a,', b', ,a@b.c, ,', b'a@b.c,', b'a@b.c , , d@e.f', b'(x),(y)', b'(x) , a@b.c',
    b'a@b.c (x) d@e.f (y)', b'a b (x) c', b'a (x) b <c>', b'a(x)b<c>', b'(x)"y"<c>', b'"y"(x)<c>', b'<(x)a>',
    b'<a(x)>', b'<a(x)@b>', b'Joe <(x)a@b.c>', b'<"a">', b'<"a"@b.c>', b'<a\\b@c>', b'a\\\\b', b'"a\\\\b"',
    b'"a\\"b"@c', b'a\\"b', b"a'b", b'a"', b'"', b'"a" "b" <c>', b'"a""b" <c>', b'"a"b <c>', b'a"b" <c>',
    b'"a".b <c>', b'\\', b'\\\\', b'\\,', b'(a\\)b) c', b'(a\\(b) c', b'(a"b) c', b'(a\\\\) c', b'"(a)" c',
    b'"a(b" c', b'(a\tb)  c', b'\xc3\xa9@x', b'\xff@x', b'\xff', b'a\x1fb@c', b'a@\x01', b'a@x_y', b'a@x\\y',
    b'a@"x y"', b'a@x y', b'a@"x"', b'a@ x . y', b'a@x.', b'a@x..', b'a@x.y.', b'a@.x', b'<@x:a>', b'<@x:@y:a>',
    b'<@x,@y>', b'<@x>', b'<@x:>', b'<@x,y:a>', b'<x:a@b>', b'<@x a@b>', b'<a!b@c>', b'<a%b@c>', b'a@o.example',
    b'a!', b'!', b'%', b'a%', b'%a', b'!a', b'a!"b c"', b'"a b"!c', b'"a!b"', b'"a%b"', b'a@b%c', b'a!b@c%d',
    b'mailto:a@b.c', b'<mailto:a@b.c>', b'http://a/b', b'"Doe, Joe" <a@b.c>', b'Doe, Joe <a@b.c>', b'a@b.c;d@e.f',
    b'a@b.c; d@e.f;', b"Joe's <a@b.c>", b'Joe (aka "X") <a@b.c>', b'=?utf-8?B?SsOp?= Doe <a@b.c>', b'Joe_Doe <a@b.c>',
    b'Joe [IBM] <a@b.c>', b'Joe: <a@b.c>', b'Joe - Doe <a@b.c>', b'Joe & Doe <a@b.c>', b'Joe @ Doe <a@b.c>',
    b'J. Doe <a@b.c>', b'J.D. Doe <a@b.c>', b'Doe J. <a@b.c>', b'Jr., Joe <a@b.c>', b'a ! b <c>', b'a % b <c>',
    b'a ! b', b'a % b', b'a ! b c', b'z,a\x01b <c>', b'z,a\\b <c>', b'z,"a\x0bb" <c>', b'z,"a\x01b" <c>',
    b'z,a\\"b <c>', b'a!b <c>', b'z, a%b@c <c>', b'z,\\a <c>', b'z,a=\\?b <c>', b'z,Joe[x]Doe <c>', b'z, "a"b"c" <d>',
    b'z,[a\\]b] <c>', b'z,a/b:c/d <e>', b'z, (a)(b)<c>', b'z,<c>(a)(b)', b'z,a@(x)b (y) . c', b'a (x) @ b, z',
    b'z,;(a)b', b'z,(a);b', b'z,<a>;(b)', b'z,<a>;b', b'z,(c)<a>b', b'z,g:;', b'z,g: (x) ;', b'z,g:(x) (y) a ;',
    b'z,g : <a> , <b> ;', b'z,(x)g(y):a;(z)', b'z, g: a; h: b; c: d;', b'z,g:a;,h:b;', b'a b c d e f', b'a,b,c,d,e',
    b'a.b.c.d.e.f', b'Joe <aa@bb.c>, d', b'(x)(y)(z)(w)(v)(u)a', b'g:a,b,c;', b'"a" b <c>', b'a@b.c, d@e.f',
    b'a@b.c, d', b'a@b, d', b'a,b,c <d>', b'a, b, <c>', b'a,(x)b,c', b'a,b,(x', b'z,[', b'z,a@[', b'z,a@[b', b'z,"',
    b'z,(', b'z,x:y', b'z:x <y>', b'z ]a', b'z{}|~`^$#&*+-/=?_', b'z)(', b'z,Joe <>', b'z,<>', b'z,< >', b'z,<(x)>',
    b'z,:<>', b'z;<a>', b'z,a.b.c <d>', b'z,a .b <d>', b'z,a@b <d>', b'z,a:b <d>;', b'z,>', b'z,<', b'z<', b'<z',
    b'z,a@b:c', b'z,\x80\xff@b', b'z,a\x7fb@c', b'z,a\x01b@c', b'z,a\xe9 <b>', b'z,a@b\n (x)\n ,\n c@d',
    b'z,a\x0bb@c', b'z,a\x0cb', b'z\x0b', b'"x\n\ty" <a>', b'"x \n y" <a>', b'z (x\n\ty)', b'z\n\tx <y>',
    b'z,"\xc3\xa9" <\xc3\xa9@\xc3\xa9>', b'@:a', b'@x,y:a', b'@x:a, z', b'z,@x:a@b', b'z,@x:@y:a@b', b'z <@x,@y:a@b>',
    b'z,a..b@c.d', b'z,"a..b"@c.d', b'z,.a@c.d', b'z,a.@c.d', b'z,a@c..d', b'z,a.b@c', b'z,a@-b', b'a(x)@(y)b.c, z',
    b'(x)a@b.c(y), z', b'<a b@c>, z', b'a . b @ c, z', b'<a> b <c>', b'<x> g:a;', b'g:<x>h:a;', b'a;b <c>', b'g:;<a>',
    b'a, b>', b'x <a>, b>', b'x>y <a>', b'g:(x);a', b'Joe @ x <a>', b'Joe , (c)', b'z, (c) (d)', b'z, (c) ; (d)',
    b'z,"a"@b.c', b'z,a\\b@c', b'z,a\\ b@c', b'a\\!b', b'z,J\\@D <a@b.c>', b'z,a@x\\y', b'z,"a\\b" <c>', b'z,"a\\',
    b'z,(a\\', b'z,[a\\]b]', b'a,\n\td@e.f,\n   x@y.z', b'Joe\n Doe <a>', b'(x\n y) a', b'a\n (x), b',
    b'a@b.c (x\n y)\n , z', b'"x\n y" <a>',
]

WORDS = (b"a", b"b", b"Joe", b"c.d", b"user", b"x-y_z", b"\xc3\xa9", b"\xff", b"a\x01b", b"\"\"", b"\"a b\"", b"\"a\\\"b\"",
         b"\"a@b\"", b"\"a,b\"", b"\"a!b\"", b"a\\ b", b"a\\@b", b"a\\", b"[x]", b"[1.2.3.4]", b"'q'", b"a=?b", b"\"a")
OPERATORS = (b".", b".", b"@", b"@", b"@", b"!", b"%", b":", b",", b";", b"<", b">", b")", b"]", b"..", b"")
BLANKS = (b"", b"", b"", b"", b" ", b" ", b"  ", b"\t")
COMMENTS = (b"(x)", b"(a b)", b"(a (b) c)", b"(a\\)b)", b"()", b"(x")
DOMAINS = (b"b", b"b.c", b"example.com", b"example.com.", b"[1.2.3.4]", b"B.C", b"a.b.c.d", b"b..c", b"-", b"", b".")


# Postfix leaves out blanks and commas behind a '!' without a site ahead of it; we do not.
NO_SITE = re.compile(rb"(^|[^\w.\"'\])])(\s*)!")


class Generator:
    """Random cases from `rng`, a random.Random."""

    def __init__(self, rng):
        self.rng = rng

    def chance(self, probability):
        return self.rng.random() < probability

    def pick(self, choices):
        return self.rng.choice(choices)

    def jumble(self, length):
        """Tokens in any order."""
        out = b""
        for _ in range(length):
            out += self.pick((self.pick(WORDS), self.pick(OPERATORS), self.pick(OPERATORS))) + self.pick(BLANKS)
            if self.chance(0.04):
                out += self.pick(COMMENTS)
        return out

    def address(self):
        return NO_SITE.sub(rb"\1\2", self.any_address())

    def header(self):
        return NO_SITE.sub(rb"\1\2", self.any_header()).strip() or b"a"

    def any_address(self):
        """Mostly an address."""
        if self.chance(0.4):
            return self.jumble(self.rng.randint(1, 6)).strip()
        out = self.pick(WORDS)
        if self.chance(0.2):
            out += self.pick((b"!", b"%", b".", b" ", b"@")) + self.pick(WORDS)
        if self.chance(0.8):
            out += b"@" + self.pick(DOMAINS)
        if self.chance(0.1):
            out = self.pick((b"@x:", b"@x,@y:", b"@x.y,@z:", b"@:", b"@x")) + out
        return out

    def mailbox(self):
        """One entry of a header."""
        blank = self.pick((b" ", b" ", b" ", b"", b"  ", b"\n ", b"\n\t"))
        out = self.any_address()
        if self.chance(0.5):
            phrase = b" ".join(self.pick(WORDS) for _ in range(self.rng.randint(0, 3)))
            out = phrase + blank + b"<" + out + b">"
        if self.chance(0.15):
            out = self.pick((self.pick(COMMENTS) + blank + out, out + blank + self.pick(COMMENTS)))
        return out

    def any_header(self):
        """Mostly a list of mailboxes."""
        if self.chance(0.3):
            return self.jumble(self.rng.randint(1, 10))
        entries = []
        for _ in range(self.pick((1, 1, 1, 2, 2, 3, 5, 8))):
            entry = self.mailbox()
            if self.chance(0.1):
                entry = self.pick(WORDS) + b":" + self.pick((b"", b" ")) + entry + self.pick((b";", b" ;", b""))
            entries.append(entry)
        out = self.pick((b", ", b", ", b",", b" ,", b",\n ", b",\n\t", b" ", b";")).join(entries)
        return out
