"""Prints the variables of a blob for EC2 (UefiData): name, value, vendor, attributes, time, digest. Format: awslabs/python-uefivars, pyuefivars/aws.py."""
import base64
import struct
import sys
import zlib


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


blob = base64.b64decode(open(sys.argv[1]).read())
magic, sum, version = struct.unpack_from("<8sII", blob)
assert magic == b"AMZNUEFI" and version == 0 and sum == crc32c(blob[12:]), (magic, sum, version)
raw = zlib.decompressobj(0, zdict=b"a dictionary that the stream does not refer to").decompress(blob[16:])
at = 0


def take(n):
    global at
    at += n
    assert at <= len(raw)
    return raw[at - n:at]


def counted():
    return take(struct.unpack("<Q", take(8))[0])


for _ in range(struct.unpack("<Q", take(8))[0]):
    name, value, vendor = counted().decode(), counted().hex(), take(16).hex()
    attributes = struct.unpack("<I", take(4))[0]
    assert attributes & 0x20, "only authenticated variables have time and digest"
    print(name, value, vendor, attributes, take(16).hex(), counted().hex())
assert at == len(raw)
