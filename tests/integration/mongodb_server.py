"""A server that speaks enough of MongoDB's protocol to be asked by a mongodb table: OP_MSG and OP_QUERY with BSON
(https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/, https://bsonspec.org), in this process.

    with MongodbServer([{"name": "joe", "to": "joe@example.com"}], users={"postfix": "secret"}) as server:
        uri = "mongodb://postfix:secret@127.0.0.1:%d" % server.port
        server.on_find = silence      # or another of the misbehaviours below
        server.commands               # [("hello", {...}), ("find", {...})]
"""
import base64
import contextlib
import hashlib
import hmac
import os
import socket
import struct
import threading
import time

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
MAX_MESSAGE = 48_000_000


class Oid(bytes):
    """Twelve bytes."""


class Int64(int):
    """An integer that is sent in eight bytes, small as it may be."""


class Raw(bytes):
    """A string with bytes that need not be UTF-8."""


def encode(document):
    body = b"".join(_encode_element(name, value) for name, value in document.items())
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def _encode_element(name, value):
    key = name.encode() + b"\0"
    if isinstance(value, bool):
        return b"\x08" + key + bytes([value])
    if isinstance(value, int):
        if isinstance(value, Int64) or not -2**31 <= value < 2**31:
            return b"\x12" + key + struct.pack("<q", value)
        return b"\x10" + key + struct.pack("<i", value)
    if isinstance(value, float):
        return b"\x01" + key + struct.pack("<d", value)
    if isinstance(value, Oid):
        return b"\x07" + key + value
    if isinstance(value, (str, Raw)):
        text = value if isinstance(value, Raw) else value.encode()
        return b"\x02" + key + struct.pack("<i", len(text) + 1) + text + b"\0"
    if isinstance(value, bytes):
        return b"\x05" + key + struct.pack("<ib", len(value), 0) + value
    if isinstance(value, dict):
        return b"\x03" + key + encode(value)
    if isinstance(value, list):
        return b"\x04" + key + encode({str(i): element for i, element in enumerate(value)})
    assert value is None, value
    return b"\x0a" + key


def decode(data):
    """The document at the start of `data`."""
    size = struct.unpack_from("<i", data)[0]
    at, document = 4, {}
    while data[at] != 0:
        kind = data[at]
        end = data.index(b"\0", at + 1)
        name, at = data[at + 1:end].decode(), end + 1
        if kind == 0x01:
            document[name], at = struct.unpack_from("<d", data, at)[0], at + 8
        elif kind == 0x02:
            length = struct.unpack_from("<i", data, at)[0]
            document[name], at = data[at + 4:at + 3 + length].decode(), at + 4 + length
        elif kind in (0x03, 0x04):
            inner = decode(data[at:])
            document[name] = list(inner.values()) if kind == 0x04 else inner
            at += struct.unpack_from("<i", data, at)[0]
        elif kind == 0x05:
            length = struct.unpack_from("<i", data, at)[0]
            document[name], at = data[at + 5:at + 5 + length], at + 5 + length
        elif kind == 0x07:
            document[name], at = Oid(data[at:at + 12]), at + 12
        elif kind == 0x08:
            document[name], at = data[at] != 0, at + 1
        elif kind == 0x0a:
            document[name] = None
        elif kind == 0x10:
            document[name], at = struct.unpack_from("<i", data, at)[0], at + 4
        elif kind in (0x09, 0x11, 0x12):
            document[name], at = struct.unpack_from("<q", data, at)[0], at + 8
        else:
            raise ValueError("BSON type %#x" % kind)
    assert at + 1 == size, "a document of %d bytes says %d" % (at + 1, size)
    return document


class Refusal(Exception):
    """An answer of the server that says no."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def values_at(value, path):
    """What is at a dotted path; arrays on the way are looked into."""
    if isinstance(value, list):
        return [found for element in value for found in values_at(element, path)]
    if not isinstance(value, dict):
        return []
    name, _, rest = path.partition(".")
    if name not in value:
        return []
    return values_at(value[name], rest) if rest else [value[name]]


OPERATORS = {
    "$eq": lambda found, wanted: wanted in found,
    "$ne": lambda found, wanted: wanted not in found,
    "$in": lambda found, wanted: any(value in wanted for value in found),
    "$exists": lambda found, wanted: bool(found) == bool(wanted),
    "$gt": lambda found, wanted: any(type(value) is type(wanted) and value > wanted for value in found),
}


def matches(document, query):
    for name, condition in query.items():
        if name in ("$or", "$and"):
            if not (any if name == "$or" else all)(matches(document, part) for part in condition):
                return False
            continue
        if name.startswith("$"):
            raise Refusal(2, "unknown top level operator: %s" % name)
        found = values_at(document, name)
        found += [element for value in found if isinstance(value, list) for element in value]
        if not isinstance(condition, dict) or not any(key.startswith("$") for key in condition):
            condition = {"$eq": condition}
        for operator, wanted in condition.items():
            if operator not in OPERATORS:
                raise Refusal(2, "unknown operator: %s" % operator)
            if not OPERATORS[operator](found, wanted):
                return False
    return True


def project(document, projection):
    wanted = {name: value for name, value in projection.items() if name != "_id"}
    result = {"_id": document["_id"]} if projection.get("_id", 1) and "_id" in document else {}
    if not any(projection.values()):
        result.update({name: value for name, value in document.items() if name != "_id" and name not in wanted})
        return result
    for name, value in wanted.items():
        if isinstance(value, (str, dict)):
            computed = evaluate(document, value)
            if computed is not None:
                result[name] = computed
        else:
            for key, kept in keep(document, name).items():
                result[key] = kept
    return result


def keep(value, path):
    """A document with what is at a dotted path only."""
    name, _, rest = path.partition(".")
    if name not in value:
        return {}
    inner = value[name]
    if not rest:
        return {name: inner}
    if isinstance(inner, list):
        return {name: [keep(element, rest) for element in inner if isinstance(element, dict)]}
    return {name: keep(inner, rest)} if isinstance(inner, dict) else {}


def evaluate(document, expression):
    if isinstance(expression, str):
        if not expression.startswith("$"):
            return expression
        name, _, rest = expression[1:].partition(".")
        value = document.get(name)
        if isinstance(value, list) and rest:
            return [evaluate(element, "$" + rest) for element in value]
        return evaluate(value, "$" + rest) if rest else value
    if list(expression) == ["$concat"]:
        return "".join(evaluate(document, part) for part in expression["$concat"])
    raise Refusal(31325, "Unknown expression %s" % list(expression))


class ScramLogin:
    """The server's side of SCRAM-SHA-256 (RFC 7677)."""
    ITERATIONS = 4096

    def __init__(self, users):
        self.users = users

    def first(self, message):
        self.client_first = message.partition("n,,")[2]
        fields = dict(part.split("=", 1) for part in self.client_first.split(","))
        self.password = self.users.get(fields["n"])
        salt = os.urandom(28)  # what MongoDB has, and its clients demand
        self.salted = hashlib.pbkdf2_hmac("sha256", (self.password or "").encode(), salt, self.ITERATIONS)
        self.nonce = fields["r"] + base64.b64encode(os.urandom(12)).decode()
        self.server_first = "r=%s,s=%s,i=%d" % (self.nonce, base64.b64encode(salt).decode(), self.ITERATIONS)
        return self.server_first

    def final(self, message):
        without_proof, _, proof = message.rpartition(",p=")
        signed = ",".join((self.client_first, self.server_first, without_proof)).encode()
        client_key = hmac.digest(self.salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(client_key).digest(), signed, "sha256")
        expected = bytes(a ^ b for a, b in zip(client_key, signature))
        if self.password is None or base64.b64decode(proof) != expected:
            raise Refusal(18, "Authentication failed.")
        server_key = hmac.digest(self.salted, b"Server Key", "sha256")
        return "v=" + base64.b64encode(hmac.digest(server_key, signed, "sha256")).decode()


# Misbehaviours: each gets the server, the connection and the bytes that would be the right answer.

def silence(server, _connection, _answer):
    server.stopped.wait(60)


def half_and_silence(server, connection, answer):
    connection.sendall(answer[:len(answer) // 2])
    server.stopped.wait(60)


def half_and_close(_server, connection, answer):
    connection.sendall(answer[:len(answer) // 2])
    raise ConnectionError


def close(_server, _connection, _answer):
    raise ConnectionError


def garbage(_server, connection, _answer):
    connection.sendall(b"\x40\0\0\0" + bytes(range(0x80, 0x100)))


def endless_length(_server, connection, answer):
    connection.sendall(struct.pack("<i", 2**31 - 1) + answer[4:])


def negative_length(_server, connection, answer):
    connection.sendall(struct.pack("<i", -5) + answer[4:])


def damaged_document(_server, connection, answer):
    """The last string of the first document says that it is longer than the message."""
    at = answer.rindex(b"\x02to\0") + 4
    connection.sendall(answer[:at] + struct.pack("<i", 2**30) + answer[at + 4:])


def slowly(_server, connection, answer):
    for byte in answer:
        connection.sendall(bytes([byte]))
        time.sleep(0.0002)


class MongodbServer:
    """Serves `documents`, a list that can be changed, to whoever logs in; to everyone, without `users`."""

    def __init__(self, documents, users=None, port=0):
        self.documents, self.users, self.port = documents, users or {}, port
        self.commands = []       # (name, document) of each command, in the order that they came
        self.connections = 0
        self.batch = 100         # documents in one answer
        self.repeats = False     # a cursor never comes to its end
        self.refusal = None      # an error message for each find
        self.on_hello = self.on_find = None  # misbehaviours

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.stopped = threading.Event()
        self.open = set()
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def stop(self):
        """Nobody listens any more, and all connections are closed."""
        self.stopped.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def names(self):
        return [name for name, _ in self.commands]

    def filters(self):
        return [command["filter"] for name, command in self.commands if name == "find"]

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        state = {"logged in": not self.users, "login": None, "cursors": {}}
        with connection, contextlib.suppress(OSError):
            while True:
                size, number, _, operation = struct.unpack("<iiii", self._read(connection, 16))
                assert 16 < size < MAX_MESSAGE, size
                body = self._read(connection, size - 16)
                if operation == OP_QUERY:
                    command = decode(body[body.index(b"\0", 4) + 9:])
                else:
                    assert operation == OP_MSG and body[4] == 0, operation
                    command = decode(body[5:])
                name = next(iter(command))
                self.commands.append((name, command))
                answer = self._message(operation, number, self._run(name, command, state))
                misbehave = self.on_find if name == "find" else self.on_hello if _is_hello(name) else None
                if misbehave:
                    misbehave(self, connection, answer)
                else:
                    connection.sendall(answer)
        self.open.discard(connection)

    @staticmethod
    def _read(connection, size):
        data = b""
        while len(data) < size:
            more = connection.recv(size - len(data))
            if not more:
                raise ConnectionError
            data += more
        return data

    @staticmethod
    def _message(operation, number, document):
        if operation == OP_QUERY:
            body = struct.pack("<iqii", 8, 0, 0, 1) + encode(document)
            operation = OP_REPLY
        else:
            body = struct.pack("<ib", 0, 0) + encode(document)
        return struct.pack("<iiii", len(body) + 16, 1, number, operation) + body

    def _run(self, name, command, state):
        try:
            return {**self._answer(name, command, state), "ok": 1.0}
        except Refusal as refusal:
            return {"ok": 0.0, "errmsg": str(refusal), "code": refusal.code, "codeName": "Refused"}

    def _answer(self, name, command, state):
        if _is_hello(name):
            hello = {"ismaster": True, "isWritablePrimary": True, "helloOk": True, "maxBsonObjectSize": 16777216,
                     "maxMessageSizeBytes": MAX_MESSAGE, "maxWriteBatchSize": 100000, "minWireVersion": 0,
                     "maxWireVersion": 17, "logicalSessionTimeoutMinutes": 30, "readOnly": False}
            if "saslSupportedMechs" in command:
                hello["saslSupportedMechs"] = ["SCRAM-SHA-256"]
            return hello
        if name == "saslStart":
            state["login"] = ScramLogin(self.users)
            challenge = state["login"].first(command["payload"].decode())
            return {"conversationId": 1, "done": False, "payload": challenge.encode()}
        if name == "saslContinue":
            if state["logged in"]:  # The client has nothing more to say.
                return {"conversationId": 1, "done": True, "payload": b""}
            final = state["login"].final(command["payload"].decode())
            state["logged in"] = True
            return {"conversationId": 1, "done": True, "payload": final.encode()}
        if name in ("ping", "endSessions", "killCursors"):
            return {}
        if not state["logged in"]:
            raise Refusal(13, "command %s requires authentication" % name)
        if name == "find":
            return self._find(command, state)
        if name == "getMore":
            return self._batch(command[name], "nextBatch", state)
        raise Refusal(59, "no such command: '%s'" % name)

    def _find(self, command, state):
        if self.refusal is not None:
            raise Refusal(96, self.refusal)
        found = [project(document, command.get("projection", {})) for document in self.documents
                 if matches(document, command["filter"])]
        state["cursors"][7] = ("%s.%s" % (command["$db"], command["find"]), found)
        return self._batch(7, "firstBatch", state)

    def _batch(self, number, kind, state):
        space, found = state["cursors"][number]
        rest = found if self.repeats else found[self.batch:]
        state["cursors"][number] = (space, rest)
        return {"cursor": {"id": Int64(number if rest else 0), "ns": space, kind: found[:self.batch]}}


def _is_hello(name):
    return name.lower() in ("hello", "ismaster")
