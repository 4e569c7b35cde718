"""A name server with the answers of a file, for tests: on loopback, over UDP and TCP (RFC 1035).

    example.com. MX 10 mail.example.com.
    mail.example.com. A 192.0.2.1
    www.example.com. CNAME example.com.
    empty.example.com. NODATA
    broken.example.com. SERVFAIL
    secure.example.com. SECURE

The form is the one that mta::ScriptedResolver reads. What the file does not name is NXDOMAIN, unless names below it are
there; a name that has other types is "no data". Answers about names that are SECURE, and so are all that they are aliases for,
are DNSSEC-validated, as the resolver says.
"""
import ipaddress
import socketserver
import struct
import threading

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "TLSA": 52}
NAMES = {number: name for name, number in TYPES.items()}
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3


def encode_name(name):
    out = b""
    for label in name.rstrip(".").split("."):
        if label:
            out += bytes([len(label)]) + label.encode("latin-1")
    return out + b"\0"


def encode_data(kind, data):
    if kind == "A" or kind == "AAAA":
        return ipaddress.ip_address(data).packed
    if kind in ("NS", "CNAME", "PTR"):
        return encode_name(data)
    if kind == "MX":
        preference, host = data.split(None, 1)
        return struct.pack("!H", int(preference)) + encode_name(host)
    if kind == "TXT":
        text = data.strip('"').encode("utf-8")
        return b"".join(bytes([len(text[i:i + 255])]) + text[i:i + 255] for i in range(0, len(text) or 1, 255))
    if kind == "SOA":
        words = data.split()
        return encode_name(words[0]) + encode_name(words[1]) + struct.pack("!5I", *map(int, words[2:7]))
    if kind == "TLSA":
        usage, selector, matching, data = data.split()
        return bytes([int(usage), int(selector), int(matching)]) + bytes.fromhex(data)
    raise ValueError(kind)


class Zone:
    """What the file says: records, and the names that fail."""

    def __init__(self, text):
        self.records, self.failing, self.secure = {}, {}, set()
        for line in text.splitlines():
            words = line.split(None, 2)
            if not words or line.lstrip().startswith("#"):
                continue
            name, kind = words[0].rstrip(".").lower(), words[1].upper()
            if kind == "SECURE":
                self.secure.add(name)
            elif kind in ("SERVFAIL", "NXDOMAIN", "NODATA"):
                only = words[2].split() if len(words) > 2 else ["*"]
                for each in only:
                    self.failing[(name, each.upper())] = kind
            else:
                self.records.setdefault(name, []).append((kind, words[2]))

    def answer(self, name, kind):
        """The response code, and records as (owner, type, data)."""
        name, found = name.rstrip(".").lower(), []
        for _ in range(10):
            failure = self.failing.get((name, kind)) or self.failing.get((name, "*"))
            if failure:
                return {"SERVFAIL": SERVFAIL, "NXDOMAIN": NXDOMAIN, "NODATA": NOERROR}[failure], found
            here = self.records.get(name)
            if here is None:
                is_empty = any(other.endswith("." + name) for other in self.records)
                return (NOERROR if is_empty else NXDOMAIN), found
            alias = [data for each, data in here if each == "CNAME"]
            if alias and kind != "CNAME":
                found.append((name, "CNAME", alias[0]))
                name = alias[0].rstrip(".").lower()
                continue
            return NOERROR, found + [(name, kind, data) for each, data in here if each == kind]
        return SERVFAIL, []


def reply(zone, query):
    """The bytes that answer the bytes of a query."""
    identity, flags = struct.unpack("!2H", query[:4])
    position, labels = 12, []
    while query[position]:
        labels.append(query[position + 1:position + 1 + query[position]].decode("latin-1"))
        position += 1 + query[position]
    number, _ = struct.unpack("!2H", query[position + 1:position + 5])
    question = query[12:position + 5]
    asked = ".".join(labels)
    code, records = zone.answer(asked, NAMES.get(number, str(number)))
    owners = {asked.lower()} | {owner for owner, _, _ in records} | {data.rstrip(".").lower() for _, kind, data in records if kind == "CNAME"}
    authentic = 0x20 if owners <= zone.secure else 0
    body = b""
    for owner, kind, data in records:
        encoded = encode_data(kind, data)
        body += encode_name(owner) + struct.pack("!2HIH", TYPES[kind], 1, 60, len(encoded)) + encoded
    head = struct.pack("!6H", identity, 0x8480 | (flags & 0x0100) | authentic | code, 1, len(records), 0, 0)
    return head + question + body


class DnsServer:
    """Answers on 127.0.0.1; `port` 0 takes a free one."""

    def __init__(self, text, port=0):
        zone = self.zone = Zone(text)
        self.queries = []
        outer = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                query, connection = self.request
                outer.queries.append(query)
                connection.sendto(reply(zone, query), self.client_address)

        class Tcp(socketserver.StreamRequestHandler):
            def handle(self):
                while True:
                    size = self.rfile.read(2)
                    if len(size) < 2:
                        return
                    answer = reply(zone, self.rfile.read(struct.unpack("!H", size)[0]))
                    self.wfile.write(struct.pack("!H", len(answer)) + answer)

        socketserver.ThreadingUDPServer.allow_reuse_address = socketserver.ThreadingTCPServer.allow_reuse_address = True
        self.udp = socketserver.ThreadingUDPServer(("127.0.0.1", port), Udp)
        self.port = self.udp.server_address[1]
        self.tcp = socketserver.ThreadingTCPServer(("127.0.0.1", self.port), Tcp)
        for server in (self.udp, self.tcp):
            server.daemon_threads = True

    def __enter__(self):
        for server in (self.udp, self.tcp):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        for server in (self.udp, self.tcp):
            server.shutdown()
            server.server_close()
