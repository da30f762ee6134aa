"""One rival of OmenDB on one set: builds its index, then searches with each of its settings.

rival.py list
    The rivals: {name: {"install": [argument of pip, ...], "maven": [artifact, ...], "about": what it is and how it is set}}.

rival.py run NAME --base FILE --query FILE --truth FILE --metric l2|cosine|ip --limit N --queries N --threads N --out DIR
    Writes for each setting what it found as DIR/answers-I.ivecs, rows of -1 where there is less, and last a line of JSON.
    Seconds are wall time; cpu_seconds those of all its threads. Building has --threads threads, searching one. Files are
    read, and vectors of unit length made for cosine, before the clock starts. Rivals on the JVM are run by JvmRival.java
    beside this file, with the jars of --jars.

rival.py unpack FILE --out DIR
    Writes the train and test vectors and the neighbors of an HDF5 file of ann-benchmarks as DIR/base.fvecs, query.fvecs and
    truth.ivecs; prints its metric.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time

K = 10
REPEATS = 3
WIDTHS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640]
PROBES = [1, 2, 4, 8, 12, 20, 30, 45, 70, 100, 150, 250]

# Farther along its curve there is nothing to compare.
RECALL_ENOUGH = 0.9985


class Rival:
    """What is common: a set, and how to sweep."""

    install = []
    maven = []
    about = ""
    widths = WIDTHS

    def __init__(self, base, metric, threads):
        self.base, self.metric, self.threads = base, metric, threads
        self.count, self.dimension = base.shape

    def build(self):
        """All that has to be done before a first search, on the clock."""
        raise NotImplementedError

    def searcher(self, width, queries):
        """A call that answers all queries by one thread: rows of ids."""
        raise NotImplementedError

    def pick(self, l2, inner_product, cosine=None):
        return {"l2": l2, "ip": inner_product, "cosine": cosine or inner_product}[self.metric]


class Hnswlib(Rival):
    install = ["--no-binary=hnswlib", "hnswlib==0.8.0"]
    about = "hnswlib, built for this processor, M 16, ef_construction 100"

    def build(self):
        import hnswlib

        self.index = hnswlib.Index(self.pick("l2", "ip"), self.dimension)
        self.index.init_index(self.count, M=16, ef_construction=100, random_seed=1)
        self.index.add_items(self.base, num_threads=self.threads)

    def searcher(self, width, queries):
        self.index.set_ef(width)
        return lambda: self.index.knn_query(queries, K, num_threads=1)[0]


class Faiss(Rival):
    install = ["faiss-cpu==1.15.1"]
    about = "faiss HNSW16 on float32, efConstruction 100"
    factory = "HNSW16,Flat"

    def build(self):
        import faiss

        faiss.omp_set_num_threads(self.threads)
        self.index = faiss.index_factory(
            self.dimension, self.factory, self.pick(faiss.METRIC_L2, faiss.METRIC_INNER_PRODUCT))
        self.index.hnsw.efConstruction = 100
        self.index.train(self.base[:100_000])
        self.index.add(self.base)
        faiss.omp_set_num_threads(1)

    def searcher(self, width, queries):
        self.index.hnsw.efSearch = width
        return lambda: self.index.search(queries, K)[1]


class FaissBytes(Faiss):
    about = "faiss HNSW16 on 8-bit codes, efConstruction 100"
    factory = "HNSW16,SQ8"


class Usearch(Rival):
    install = ["usearch==2.26.6"]
    about = "usearch on float32, connectivity 16, expansion_add 100"
    dtype = "f32"

    def build(self):
        import numpy
        from usearch.index import Index

        self.index = Index(
            ndim=self.dimension, metric=self.pick("l2sq", "ip"), dtype=self.dtype, connectivity=16, expansion_add=100)
        self.index.add(numpy.arange(self.count, dtype=numpy.uint64), self.base, threads=self.threads)

    def searcher(self, width, queries):
        self.index.expansion_search = width
        return lambda: self.index.search(queries, K, threads=1).keys


class UsearchHalf(Usearch):
    about = "usearch on float16, connectivity 16, expansion_add 100"
    dtype = "f16"


class SymphonyQg(Rival):
    install = ["rabitqlib==0.7.1"]
    about = "SymphonyQG of rabitqlib: 1-bit neighbour blocks, float32 rows, degree 32, ef 200, built by PiPNN"
    bits = 0

    def build(self):
        import rabitqlib

        if self.metric == "ip":
            raise SystemExit("SymphonyQG has no inner product of vectors of unequal length")
        # Vectors of unit length: nearest by L2 is nearest by cosine.
        self.index = rabitqlib.SymqgIndex(self.dimension, 32, "l2", self.bits)
        self.index.build(self.base, 200, self.threads, "pipnn")

    def searcher(self, width, queries):
        import numpy

        def search():
            found = [numpy.asarray(part) for part in self.index.search(queries, K, width, 1)]
            return next(part for part in found if part.dtype.kind in "iu")

        return search


class SymphonyQgBytes(SymphonyQg):
    about = "SymphonyQG of rabitqlib on 8-bit rows, degree 32, ef 200, built by PiPNN"
    bits = 8


class Svs(Rival):
    install = ["scalable-vs==0.5.0"]
    about = "Intel SVS: Vamana on float32, degree 32, window 100"

    def build(self):
        import svs

        distance = self.pick(svs.DistanceType.L2, svs.DistanceType.MIP)
        parameters = svs.VamanaBuildParameters(
            alpha=self.pick(1.2, 0.95), graph_max_degree=32, window_size=100)
        self.index = svs.Vamana.build(parameters, self.data(svs), distance, num_threads=self.threads)
        self.index.num_threads = 1

    def data(self, svs):
        return self.base

    def loader(self, svs):
        import numpy

        rows = numpy.empty((self.count, self.dimension + 1), "<f4")
        rows[:, 0].view("<i4")[:] = self.dimension
        rows[:, 1:] = self.base
        self.file = tempfile.NamedTemporaryFile(suffix=".fvecs")
        rows.tofile(self.file)
        self.file.flush()
        return svs.VectorDataLoader(self.file.name, svs.DataType.float32, dims=self.dimension)

    def searcher(self, width, queries):
        self.index.search_window_size = width
        return lambda: self.index.search(queries, K)[0]


class SvsLvq8(Svs):
    about = "Intel SVS: Vamana on LVQ8, degree 32, window 100"
    primary, residual = 8, 0

    def data(self, svs):
        return svs.LVQLoader(self.loader(svs), primary=self.primary, residual=self.residual)


class SvsLvq4x8(SvsLvq8):
    about = "Intel SVS: Vamana on LVQ4x8, degree 32, window 100"
    primary, residual = 4, 8


class SvsLeanVec(Svs):
    about = "Intel SVS: Vamana on LeanVec of half the dimensions, LVQ4 and LVQ8, degree 32, window 100"

    def data(self, svs):
        return svs.LeanVecLoader(
            self.loader(svs),
            leanvec_dims=max(32, self.dimension // 2 // 32 * 32),
            primary_kind=svs.LeanVecKind.lvq4,
            secondary_kind=svs.LeanVecKind.lvq8)


class ScaNN(Rival):
    install = ["scann==1.4.2"]
    about = "ScaNN: a tree of 2 sqrt(n) leaves, anisotropic codes of 4 bits for 2 dimensions, re-ranked on float32"
    widths = [3, 5, 8, 12, 20, 30, 45, 70, 100, 150, 250, 400]

    def build(self):
        import scann

        builder = scann.scann_ops_pybind.builder(self.base, K, self.pick("squared_l2", "dot_product"))
        builder.tree(
            num_leaves=2 * int(self.count ** 0.5), num_leaves_to_search=100, training_sample_size=min(self.count, 250_000))
        builder.score_ah(2, anisotropic_quantization_threshold=self.pick(float("nan"), 0.2))
        builder.reorder(200)
        builder.set_n_training_threads(self.threads)
        self.index = builder.build()
        self.index.set_num_threads(1)

    def searcher(self, width, queries):
        import numpy

        ranked = max(60, min(1_000, 4 * width))
        return lambda: numpy.vstack([
            self.index.search(query, final_num_neighbors=K, leaves_to_search=width, pre_reorder_num_neighbors=ranked)[0]
            for query in queries])


class Vsag(Rival):
    install = ["pyvsag==0.18.5"]
    about = "VSAG HGraph on 8-bit codes re-ranked on float32, degree 32, ef_construction 100"

    def build(self):
        import numpy
        import pyvsag

        if hasattr(pyvsag, "set_logger_off"):
            pyvsag.set_logger_off()
        graph = dict(
            base_quantization_type="sq8_uniform", use_reorder=True, precise_quantization_type="fp32", max_degree=32,
            ef_construction=100, build_thread_count=self.threads)
        self.index = pyvsag.Index("hgraph", json.dumps(dict(
            dtype="float32", metric_type=self.pick("l2", "ip", "cosine"), dim=self.dimension, index_param=graph)))
        self.index.build(
            vectors=self.base.ravel(), ids=numpy.arange(self.count, dtype=numpy.int64), num_elements=self.count,
            dim=self.dimension)

    def searcher(self, width, queries):
        import numpy

        parameters = json.dumps(dict(hgraph=dict(ef_search=width)))
        return lambda: numpy.array([self.index.knn_search(vector=query, k=K, parameters=parameters)[0] for query in queries])


class Qdrant(Rival):
    install = ["qdrant-edge-py==0.9.0"]
    about = "Qdrant's engine in this process, 8-bit codes, m 16, ef_construct 100, one segment"

    def build(self):
        import qdrant_edge as edge

        self.directory = tempfile.TemporaryDirectory()
        distance = self.pick(edge.Distance.Euclid, edge.Distance.Dot, edge.Distance.Cosine)
        config = edge.EdgeConfig(
            vectors=edge.EdgeVectorParams(size=self.dimension, distance=distance),
            hnsw_config=edge.HnswIndexConfig(
                m=16, ef_construct=100, full_scan_threshold=10, max_indexing_threads=self.threads),
            optimizers=edge.EdgeOptimizersConfig(
                default_segment_number=1, indexing_threshold=1, max_segment_size=100_000_000),
            quantization_config=edge.ScalarQuantizationConfig(type=edge.ScalarType.Int8, memory=edge.Memory.Pinned))
        path = os.path.join(self.directory.name, "shard")
        os.mkdir(path)
        self.index = edge.EdgeShard.create(path, config)
        for first in range(0, self.count, 1_000):
            points = [edge.Point(i, self.base[i].tolist()) for i in range(first, min(self.count, first + 1_000))]
            self.index.update(edge.UpdateOperation.upsert_points(points))
        while self.index.optimize():
            pass

    def searcher(self, width, queries):
        import numpy
        import qdrant_edge as edge

        requests = [
            edge.QueryRequest(limit=K, query=edge.Query.Nearest(query), params=edge.SearchParams(hnsw_ef=width))
            for query in queries.tolist()]
        return lambda: numpy.array([[point.id for point in self.index.query(request)] for request in requests])


class OmenDbOfPyPi(Rival):
    install = ["omendb==0.0.37"]
    about = "the omendb of PyPI, which only shares our name, m 16, ef_construction 100"

    def build(self):
        import omendb

        self.index = omendb.open(
            ":memory:", dimensions=self.dimension, m=16, ef_construction=100, metric=self.pick("l2", "dot"))
        self.index.set(ids=[str(i) for i in range(self.count)], vectors=self.base)

    def searcher(self, width, queries):
        def search():
            return [[int(hit["id"]) for hit in self.index.search(query, K, ef=width)] for query in queries]

        return search


class OnTheJvm(Rival):
    """Becomes a JVM, which does the rest by JvmRival.java; that is one program, which has all their jars."""

    maven = ["org.apache.lucene:lucene-core:10.6.0", "io.github.jbellis:jvector:4.0.2"]

    @classmethod
    def become(cls, name, options):
        java = os.path.join(os.environ["JAVA_HOME"], "bin", "java")
        program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "JvmRival.java")
        jvm = ["--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED", "-XX:MaxRAMPercentage=60"]
        sweep = [
            "--k", str(K), "--repeats", str(REPEATS), "--recall-enough", str(RECALL_ENOUGH),
            "--widths", ",".join(map(str, cls.widths))]
        given = [part for key, value in vars(options).items() if key not in ("command", "name")
                 for part in ("--" + key, str(value))]
        os.execv(java, [java, *jvm, "-cp", os.path.join(options.jars, "*"), program, name, *given, *sweep])


class Lucene(OnTheJvm):
    about = "Lucene 10.6, HNSW on float32, maxConn 16, beamWidth 100, merged into one segment"


class LuceneSevenBits(Lucene):
    about = "Lucene 10.6, HNSW on 7-bit codes, re-ranked on float32, maxConn 16, beamWidth 100, merged into one segment"


class JVector(OnTheJvm):
    about = "JVector 4.0, on float32, degree 32, beam width 100, alpha 1.2, with a hierarchy"


class JVectorCodes(JVector):
    about = "JVector 4.0, on product codes of 8 bits for 4 dimensions, re-ranked on float32, degree 32, beam width 100"


RIVALS = {
    "hnswlib": Hnswlib,
    "faiss-hnsw": Faiss,
    "faiss-hnsw-sq8": FaissBytes,
    "usearch": Usearch,
    "usearch-f16": UsearchHalf,
    "symphonyqg": SymphonyQg,
    "symphonyqg-8bit": SymphonyQgBytes,
    "svs": Svs,
    "svs-lvq8": SvsLvq8,
    "svs-lvq4x8": SvsLvq4x8,
    "svs-leanvec": SvsLeanVec,
    "scann": ScaNN,
    "vsag": Vsag,
    "qdrant": Qdrant,
    "omendb-pypi": OmenDbOfPyPi,
    "lucene": Lucene,
    "lucene-7bit": LuceneSevenBits,
    "jvector": JVector,
    "jvector-pq": JVectorCodes,
}


def vectors(path, limit):
    import numpy

    dimension = int(numpy.fromfile(path, "<i4", 1)[0])
    if path.endswith(".bvecs"):
        rows = numpy.fromfile(path, numpy.uint8, (dimension + 4) * limit if limit > 0 else -1).reshape(-1, dimension + 4)[:, 4:]
    else:
        kind = "<f4" if path.endswith(".fvecs") else "<i4"
        rows = numpy.fromfile(path, kind, (dimension + 1) * limit if limit > 0 else -1).reshape(-1, dimension + 1)[:, 1:]
    return numpy.ascontiguousarray(rows if path.endswith(".ivecs") else rows.astype(numpy.float32))


def unit(rows):
    import numpy

    return rows / numpy.maximum(numpy.linalg.norm(rows, axis=1, keepdims=True), 1e-30)


def padded(answers, count):
    import numpy

    rows = numpy.full((count, K), -1, "<i4")
    for row, answer in zip(rows, answers):
        some = numpy.asarray(answer).astype(numpy.int64)[:K]
        row[:len(some)] = some
    return rows


def write(path, rows):
    import numpy

    numpy.hstack([numpy.full((len(rows), 1), K, "<i4"), rows]).astype("<i4").tofile(path)


def peak_bytes():
    """Most memory that was resident; getrusage would count the process that started this one, too."""
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def unpack(path, directory):
    import h5py
    import numpy

    os.makedirs(directory, exist_ok=True)
    with h5py.File(path) as file:
        for name, target, kind in (("train", "base.fvecs", "<f4"), ("test", "query.fvecs", "<f4"), ("neighbors", "truth.ivecs", "<i4")):
            rows = file[name]
            with open(os.path.join(directory, target), "wb") as out:
                for first in range(0, len(rows), 10_000):
                    some = numpy.asarray(rows[first:first + 10_000], kind)
                    width = numpy.full((len(some), 1), some.shape[1], "<i4").view(kind)
                    numpy.hstack([width, some]).tofile(out)
        distance = file.attrs.get("distance", "euclidean")
    print({"euclidean": "l2", "angular": "cosine", "dot": "ip"}.get(distance, distance))


def run(name, options):
    if issubclass(RIVALS[name], OnTheJvm):
        RIVALS[name].become(name, options)
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    base, queries = vectors(options.base, options.limit), vectors(options.query, options.queries)
    truth = vectors(options.truth, options.queries)
    if options.metric == "cosine":
        base, queries = unit(base), unit(queries)
    rival = RIVALS[name](base, options.metric, options.threads)
    wall, cpu = time.perf_counter(), time.process_time()
    rival.build()
    built = dict(build_seconds=time.perf_counter() - wall, build_cpu_seconds=time.process_time() - cpu)
    curve = []
    for i, width in enumerate(rival.widths):
        search = rival.searcher(width, queries)
        answers = padded(search(), len(queries))
        seconds, cpu_seconds = [], []
        for _ in range(REPEATS):
            wall, cpu = time.perf_counter(), time.process_time()
            search()
            seconds.append(time.perf_counter() - wall)
            cpu_seconds.append(time.process_time() - cpu)
        path = os.path.join(options.out, f"answers-{i}.ivecs")
        write(path, answers)
        curve.append(dict(
            setting=width, seconds=statistics.median(seconds), cpu_seconds=statistics.median(cpu_seconds), answers=path))
        right = sum(len(set(row) & set(best[:K])) for row, best in zip(answers.tolist(), truth.tolist()))
        if right > RECALL_ENOUGH * K * len(queries):
            break
    print(json.dumps(dict(built, rss_max_bytes=peak_bytes(), curve=curve)), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list")
    one = commands.add_parser("run")
    one.add_argument("name", choices=RIVALS)
    for path in ("--base", "--query", "--truth", "--out"):
        one.add_argument(path, required=True)
    one.add_argument("--metric", required=True, choices=("l2", "cosine", "ip"))
    for number in ("--limit", "--queries", "--threads"):
        one.add_argument(number, required=True, type=int)
    one.add_argument("--jars", default="")
    hdf5 = commands.add_parser("unpack")
    hdf5.add_argument("file")
    hdf5.add_argument("--out", required=True)
    options = parser.parse_args()
    if options.command == "list":
        listed = {name: dict(install=rival.install, maven=rival.maven, about=rival.about) for name, rival in RIVALS.items()}
        json.dump(listed, sys.stdout)
    elif options.command == "unpack":
        unpack(options.file, options.out)
    else:
        run(options.name, options)


if __name__ == "__main__":
    main()
