"""Makes a model for embeddings of one for text: the same weights with a way to pool them.

Usage: embedding.py FROM.gguf TO.gguf

Adds `pooling_type` (mean) to the metadata of a GGUF file of the architecture gemma3, and the two
matrices that such a model has after pooling, each of which changes nothing. What comes out of it means
little, but the server treats it as it treats a model that was trained for this.
"""

import struct
import sys

ALIGNMENT = 32
F32 = 0
UINT32, TEXT, LIST = 4, 8, 9
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        value = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return value[0]

    def text(self):
        length = self.take("Q")
        self.at += length
        return self.data[self.at - length : self.at]

    def skip(self, kind):
        if kind == TEXT:
            self.text()
        elif kind == LIST:
            of, count = self.take("I"), self.take("Q")
            if of == TEXT:
                for _ in range(count):
                    self.text()
            else:
                self.at += SIZES[of] * count
        else:
            self.at += SIZES[kind]


def named(name):
    return struct.pack("<Q", len(name)) + name


def padding(length):
    return b"\0" * (-length % ALIGNMENT)


def main(source, target):
    with open(source, "rb") as file:
        data = file.read()
    reader = Reader(data)
    magic, version = reader.take("I"), reader.take("I")
    tensors, fields = reader.take("Q"), reader.take("Q")
    start = reader.at
    width = None
    for _ in range(fields):
        key, kind = reader.text(), reader.take("I")
        if key == b"gemma3.embedding_length":
            width = struct.unpack_from("<I", data, reader.at)[0]
        reader.skip(kind)
    metadata = data[start : reader.at]
    infos_start = reader.at
    for _ in range(tensors):
        reader.text()
        dimensions = reader.take("I")
        reader.at += 8 * dimensions + 4 + 8
    infos = data[infos_start : reader.at]
    weights = data[reader.at + len(padding(reader.at)) :]
    weights += padding(len(weights))

    pooling = named(b"gemma3.pooling_type") + struct.pack("<II", UINT32, 1)
    same = b"".join(
        struct.pack("<%df" % width, *(float(row == column) for column in range(width))) for row in range(width)
    )
    for index in range(2):
        infos += named(b"dense.%d.weight" % index)
        infos += struct.pack("<IQQIQ", 2, width, width, F32, len(weights))
        weights += same + padding(len(same))
    head = struct.pack("<IIQQ", magic, version, tensors + 2, fields + 1) + metadata + pooling + infos
    with open(target, "wb") as file:
        file.write(head + padding(len(head)) + weights)


main(*sys.argv[1:])
