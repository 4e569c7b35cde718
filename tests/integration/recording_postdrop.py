#!/usr/bin/python3 -SE
"""A postdrop that keeps what it gets in the file that RECORDS names, up to the end record, and says that all is well."""
import os
import sys


def read_exactly(stream, size):
    data = stream.read(size)
    if len(data) != size:
        raise EOFError
    return data


def main():
    os.write(1, b"protocol\0postdrop_protocol\0queue_id\0ABCDEF1234\0\0")
    path = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "records", str(os.getppid()))
    with open(path, "wb") as records:
        try:
            while True:
                kind = read_exactly(sys.stdin.buffer, 1)
                length = shift = 0
                head = b""
                while True:
                    byte = read_exactly(sys.stdin.buffer, 1)
                    head += byte
                    length |= (byte[0] & 127) << shift
                    shift += 7
                    if byte[0] < 128:
                        break
                records.write(kind + head + read_exactly(sys.stdin.buffer, length))
                if kind == b"E":
                    break
        except EOFError:
            return
    os.write(1, b"status\0000\0reason\0\0\0")


main()
