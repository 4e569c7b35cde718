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

CLEANED = [
    b'a@h.example.com', b'a+e@h.example.com', b'u@h.example.com', b'u+e@localhost', b'u@o.example', b'u@other.x',
    b'u2+ext@localhost', b'u2+other@localhost', b'ext+a@x.y', b'at@x.y', b'at+e@x.y', b'z+e@dom.d', b'z+e@dom2.d',
    b'two@x.y', b'two+e@x.y', b'q@x.y', b'q2+e@x.y', b'"a b"@x.y', b'rec1@x.y', b'self@x.y', b'self+e@x.y',
    b'loop1@x.y', b'com@x.y', b'bang@x.y', b'dot@x.y', b'A@H.EXAMPLE.COM', b'u', b'U+E', b'q+e@x.y', b'both@x.y',
    b'va@x.y', b'va+e@x.y', b'vd@x.y', b'vm@x.y', b'vm+e@x.y', b'vl1@x.y', b'vu@h.example.com', b'vu+e@localhost',
    b'vat+e@x.y', b'vq@x.y', b'vdup@x.y', b'vself+e@x.y', b'vgrow@x.y', b'vgrp+e@x.y', b'vn1@x.y', b'vx@x.y',
    b'vpipe@x.y', b'vlong@x.y', b'a@m.x', b'a@b.m.x', b'a@c.b.m.x', b'a@foo.m.x', b'a@b.foo.m.x', b'a@no.m.x',
    b'a@b.no.m.x', b'root@b.m.x', b'"root"@b.m.x', b'A@B.M.X', b'a@bm.x', b'"a b"@b.m.x', b'a%b@h.example.com',
    b'owner-x@h.example.com', b'ext-a@x.y', b'va-e+f@x.y', b'va+e-f@x.y',
]

RESOLVED = [
    b'u@h.example.com', b'u@l.x', b'bb@d.x', b'u@L.X', b'u@va.x', b'u@vm.x', b'u@r.x', b'u@s.r.x', b'u@sub.x', b'u@a.sub.x',
    b'u@both.x', b'u@d.x', b'u', b'', b'u@', b'@', b'@l.x', b'@d.x', b'u@[127.0.0.1]', b'u@[192.0.2.9]',
    b'u@[192.0.2.10]', b'u@[IPv6:::1]', b'u@[::1]', b'u@[foo]', b'u@[]', b'u@1.2.3.4', b'u@127.0.0.1', b'a@b@l.x',
    b'a@b@d.x', b'a%b@l.x', b'a!b@l.x', b'a%b@d.x', b'a!b@va.x', b'a%b@vm.x', b'a%b@[127.0.0.1]', b'a%b%c@l.x',
    b'a%b', b'a!b', b'a!b%c@l.x', b'a%l.x@l.x', b'a%b%l.x@l.x', b'u@d.x.', b'u@d.x..', b'u@.d.x', b'u@d..x',
    b'u@-d.x', b'u@d_x.y', b'a b@l.x', b'a@b', b'-u@l.x', b'-u@d.x', b'u@l.x@', b'a@@l.x', b'u+e@l.x',
    b'mailer-daemon@l.x', b'u@d x', b'@l.x:u@d.x', b'u@\xc3\xa9.x', b'a@l.x@l.x', b'a@d.x@l.x',
    b'u@dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd.x', b'u@d.x (c)', b'<u@d.x>',
    b'a.@l.x', b'.a@l.x', b'a..b@l.x', b'u@vm.x.', b'""@l.x', b'u@d', b'u@12', b'u@0x10', b'u@1.2.3', b'u@d:25',
    b'u@d2.x', b'u@d3.x', b'u@d4.x', b'u@a.sub4.x', b'u@sub4.x', b'v@l.x', b'u+ext@d5.x', b'u+o@d5.x', b'bare+o@d5.x',
    b'e@d5.x', b'sp@d5.x', b'x@d5.x', b'U@D.X', b'err@l.x', b'err2@l.x', b'err3@l.x', b'err4@d.x', b'ret@d.x',
    b'err5@l.x', b'gone@l.x', b'gone+x@l.x', b'gone2@l.x', b'gone2@r.x', b'a@l.x', b'A@L.X', b'a+e@l.x', b'b@l.x',
    b'b@h.example.com', b'c+e@l.x', b'c@l.x', b'd+e@l.x', b'd@l.x', b'zz@l.x', b'zz@h.example.com', b'q q@l.x',
    b'a@r.x', b'b@r.x', b'c+e@r.x', b'a+f@r.x', b'zz@r.x', b'a@vm.x', b'a+e@vm.x', b'b@vm.x', b'zz@vm.x', b'al@va.x',
    b'zz@va.x', b'w@r.x', b'u2@l.x', b'any@wild.x', b'postmaster', b'postmaster@l.x', b'Postmaster@va.x',
    b'postmaster@r.x', b'postmaster@vm.x', b'double-bounce@l.x', b'double-bounce@h.example.com', b'double-bounce@r.x',
    b'postmaster@[127.0.0.1]', b'a@[127.0.0.1]', b'zz@[127.0.0.1]', b'a@lonly.x',
]

TABLES = {
    "canonical": [("a@h.example.com", "aa@x"), ("u", "uu"), ("u2+ext", "u2e"), ("ext@x.y", "plain"), ("at@x.y", "@other.z"),
                  ("@dom.d", "@new.d"), ("@dom2.d", "one@new.d"), ("two@x.y", "a@b.c, d@e.f"), ("q@x.y", '"q q"@x.y'),
                  ("q2@x.y", "q q@x.y"), ("rec1@x.y", "rec2@x.y"), ("rec2@x.y", "rec3@x.y"), ("self@x.y", "self@x.y"),
                  ("loop1@x.y", "loop2@x.y"), ("loop2@x.y", "loop1@x.y"), ("com@x.y", "Joe <joe@x.y>"),
                  ("bang@x.y", "site!user"), ("dot@x.y", "user@host"), ("both@x.y", "va@x.y"), ("owner-x", "ow@x.y")],
    "sender": [("both@x.y", "snd@x.y"), ("a@b.m.x", "a@z.m.x")],
    "virtual": [("va@x.y", "vb@x.y, vc@x.y"), ("vb@x.y", "vd@x.y"), ("vd@x.y", "vd@x.y"), ("vm@x.y", "vm@x.y, n@x.y"),
                ("vl1@x.y", "vl2@x.y"), ("vl2@x.y", "vl1@x.y"), ("vu", "uu"), ("vat@x.y", "k@x.y, @other.z"),
                ("vq@x.y", '"q q"@x.y'), ("vdup@x.y", "e@x.y, e@x.y, E@x.y"), ("vself@x.y", "vself@x.y"),
                ("vgrow@x.y", "vgrow+a@x.y"), ("vgrp@x.y", "g: h@x.y, i@x.y;"), ("vn1@x.y", "vn2@x.y"),
                ("vn2@x.y", "vn3@x.y, vn4@x.y"), ("vn4@x.y", "vn5@x.y"), ("vx@x.y", "vy@x.y, vz@x.y"),
                ("vy@x.y", "vp@x.y, vq@x.y"), ("vpipe@x.y", "|cmd"), ("vlong@x.y", "x" * 1100 + "@x.y"),
                ("al@va.x", "z"), ("w@r.x", "z"), ("u2", "z"), ("@wild.x", "z")],
    "transport": [("u@d.x", "one:hop"), ("d2.x", "two:"), ("d3.x", ":three"), ("d4.x", ":"), (".sub4.x", "sub:s"),
                  ("u@l.x", "lu:"), ("h.example.com", "hh:"), ("mailer-daemon@h.example.com", "md:"), ("u+ext@d5.x", "ext:"),
                  ("bare@d5.x", "bare"), ("e@d5.x", "error:5.2.1 moved away"), ("vm.x", ":"), ("va.x", "vva:vv"),
                  ("r.x", "rr:rr rr2, rr3"), ("sp@d5.x", "smtp:a, b:25 , c"), ("x@d5.x", "SMTP:Host.X"),
                  ("err@l.x", "error:5.7.9 no way"), ("err2@l.x", "error:no way"), ("err3@l.x", "error:"),
                  ("err4@d.x", "error:4.2.2 later"), ("ret@d.x", "retry:4.2.2 later"), ("err5@l.x", "error:2.0.0 x"),
                  ("[192.0.2.10]", "lit:")],
    "relocated": [("gone@l.x", "there"), ("gone2", "there2"), ("bb@d.x", "5.1.6 x")],
    "relayhost": [("s@x.y", "[rs]:1"), ("@x.y", "[rxy]"), ("<>", "[null]"), ("n@n.n", "DUNNO"), ("@dd.d", "[dd]")],
    "default_transport": [("t@x.y", "trans:hop"), ("s@x.y", "trans2"), ("@dd.d", "trans3:"), ("n@n.n", "DUNNO"),
                          ("e@e.e", ":hop")],
    "local_recipients": [("a", "1"), ("b@l.x", "1"), ("c+e@l.x", "1"), ("d+e", "1"), ("@lonly.x", "1"),
                         ('"q', 'q"@l.x')],
    "relay_recipients": [("a@r.x", "1"), ("b", "1"), ("c+e@r.x", "1")],
    "mailboxes": [("a@vm.x", "1"), ("b", "1"), ("c+e@vm.x", "1")],
}

SENDERS = [b"", b"s@x.y", b"s+e@x.y", b"t@x.y", b"n@n.n", b"d@dd.d", b"e@e.e"]

SITES = (b"l.x", b"h.example.com", b"[127.0.0.1]", b"va.x", b"vm.x", b"r.x", b"s.r.x", b"d.x", b"d2.x", b"L.X")

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

    def resolved(self):
        """The internal form of an address that names several sites, in one notation beside '@'."""
        out = self.pick((b"a", b"b", b"u", b"x.y"))
        notation = self.pick(b"!%@")
        for _ in range(self.rng.randint(0, 3)):
            if notation == b"!"[0]:
                out = self.pick((b"a", b"d.x", b"l.x")) + b"!" + out
            else:
                out += bytes([notation]) + self.pick(SITES)
        return out + b"@" + self.pick(SITES + (b"", b"d.x."))

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
