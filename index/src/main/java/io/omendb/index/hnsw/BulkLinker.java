package io.omendb.index.hnsw;

import com.sun.management.OperatingSystemMXBean;
import io.omendb.index.Similarity;
import io.omendb.index.quantization.CodeTable;
import io.omendb.memory.Memory;
import io.omendb.memory.NativeInts;
import java.lang.management.ManagementFactory;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Builds a graph of many nodes at once by partition and join (PiPNN, arXiv:2602.21247): leaves of
 * near nodes overlap, the members of each are compared all with all, and each node's list is chosen
 * from the nearest of all its leaves. Nobody searches a graph to link a node, and nobody waits for
 * anybody. Each level is a {@link BulkLevel}; the nodes' levels are those that {@link BatchLinker}
 * would give them. Of nodes with one vector the first is linked, and the others hang below it as
 * {@link Duplicates}.
 *
 * <p>A build goes on in {@link #step}s of some milliseconds, and others may link, search and write
 * images in between: it makes a graph of its own, which {@link #publish} puts in place of the one
 * that is searched. What it makes depends on the nodes alone, not on the threads, nor on whether
 * they were linked before.
 *
 * <p>One thread calls it; the work is shared among the workers. Memory: see {@link BulkLevel} and
 * {@link Sketch}, and 12 bytes a node.
 */
public final class BulkLinker implements AutoCloseable {
  private static final int NONE = -1;

  /** The most nodes of a build: a fourth of the memory that this process may use is for it. */
  public static final long MOST_NODES =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize()
          / 4
          / (BulkLevel.BYTES + Sketch.MOST_STRIDE);

  private static final int HASH_PARTS = 256;
  private static final int HASH_PART_SHIFT = Integer.SIZE - 8;

  /** Chunks of a step of encoding and hashing, for each thread. */
  private static final int LIGHT = 64;

  private final HnswIndex index;
  private final HnswGraph graph;
  private final CodeTable codes;
  private final VectorRows rows;
  private final Workers workers;
  private final LevelGenerator levelGenerator;
  private final NativeInts ordinals;
  private final int count;

  /** By place in {@link #ordinals}: what its vector hashes to. */
  private final NativeInts hashes;

  /** By place in {@link #ordinals}: the place of an earlier node with its vector, or NONE. */
  private final NativeInts copyOf;

  private final Deque<Stage> stages = new ArrayDeque<>();
  private double share;
  private @Nullable Work work;
  private int done;
  private double doneBefore;
  private volatile double progress;
  private int topLevel;
  private @Nullable Sketch sketch;
  private @Nullable BulkLevel level;
  private boolean published;

  /**
   * @param share of the time of a build of some 100,000 nodes that it takes, about
   * @param work asked for when all before is done
   */
  record Stage(double share, Supplier<Work> work) {}

  /**
   * What a stage does: numbered chunks.
   *
   * @param ofStep how many make a step, for each thread
   */
  record Work(int chunks, int ofStep, IntFunction<Workers.ChunkTask> task) {
    static Work serial(Runnable task) {
      return new Work(1, 1, worker -> chunk -> task.run());
    }
  }

  /**
   * @param graph empty; closed with it unless published
   * @param codes with room for all of the nodes
   * @param ordinals of the nodes, ascending; closed with it
   */
  BulkLinker(
      HnswIndex index,
      HnswGraph graph,
      CodeTable codes,
      VectorRows rows,
      Workers workers,
      NativeInts ordinals) {
    this.index = index;
    this.graph = graph;
    this.codes = codes;
    this.rows = rows;
    this.workers = workers;
    this.ordinals = ordinals;
    this.levelGenerator = new LevelGenerator(index.parameters().seed(), graph.m());
    this.count = Math.toIntExact(ordinals.length());
    this.copyOf = new NativeInts(count);
    this.hashes = new NativeInts(count);
    stages.add(new Stage(0.04, this::encode));
    stages.add(new Stage(0.02, () -> new Work(chunks(), LIGHT, worker -> this::hash)));
    stages.add(new Stage(0.02, () -> Work.serial(this::findCopies)));
    if (Sketch.pays(index.parameters().dimension(), count)) {
      Sketch made = new Sketch(codes, ordinals);
      sketch = made;
      for (Supplier<Work> ofSketch : made.stages()) {
        stages.add(new Stage(0, ofSketch));
      }
    }
  }

  /** Whether it builds a graph of such parameters. */
  public static boolean builds(HnswIndex.Parameters parameters) {
    return parameters.similarity() != Similarity.INNER_PRODUCT;
  }

  /** Bytes of memory that a build of so many nodes takes besides what it builds, at most. */
  static long bytesFor(HnswIndex.Parameters parameters, long nodes) {
    long built = Math.min(nodes, MOST_NODES);
    return built * (BulkLevel.BYTES + Sketch.stride(parameters.dimension(), built));
  }

  /** Goes on for some milliseconds; returns whether all is there to be published. */
  public boolean step() {
    Work now = work;
    if (now == null) {
      Stage next = stages.poll();
      if (next == null) {
        return true;
      }
      share = next.share;
      now = next.work.get();
      work = now;
      done = 0;
    }
    int from = done;
    IntFunction<Workers.ChunkTask> task = now.task;
    int chunks = Math.min(now.chunks - from, now.ofStep * workers.threads());
    workers.run(
        chunks,
        worker -> {
          Workers.ChunkTask ofWorker = task.apply(worker);
          return chunk -> ofWorker.run(from + chunk);
        });
    done += chunks;
    progress = doneBefore + share * done / now.chunks;
    if (done == now.chunks) {
      work = null;
      doneBefore += share;
    }
    return work == null && stages.isEmpty();
  }

  /** The share of the build that is done, about. Any thread. */
  public double progress() {
    return progress;
  }

  private int chunks() {
    return Math.ceilDiv(count, HnswIndex.ENCODE_CHUNK);
  }

  private Work encode() {
    return new Work(chunks(), LIGHT, worker -> index.encoder(codes, ordinals::get, count));
  }

  private void hash(int chunk) {
    int words = Math.ceilDiv(index.parameters().dimension(), 2);
    int from = chunk * HnswIndex.ENCODE_CHUNK;
    int to = Math.min(count, from + HnswIndex.ENCODE_CHUNK);
    index.willRead(ordinals::get, from, to);
    for (int place = from; place < to; place++) {
      long row = row(place);
      long hash = 0;
      for (int word = 0; word < words; word++) {
        hash = LevelGenerator.mix(hash ^ Memory.getLong(row + (long) Long.BYTES * word));
      }
      hashes.set(place, (int) hash);
    }
  }

  /**
   * Finds the nodes with the vector of an earlier one; gives all their lists, still empty. A 256th
   * of the hashes is sorted at a time, for the heap's sake.
   */
  private void findCopies() {
    long[] some = new long[Math.max(16, count / HASH_PARTS)];
    for (int part = 0; part < HASH_PARTS; part++) {
      int n = 0;
      for (int place = 0; place < count; place++) {
        int hash = hashes.get(place);
        if (hash >>> HASH_PART_SHIFT == part) {
          if (n == some.length) {
            some = Arrays.copyOf(some, 2 * n);
          }
          some[n++] = (long) hash << 32 | place;
        }
      }
      Arrays.sort(some, 0, n);
      findCopies(some, n);
    }
    hashes.close();
    graph.ensure(ordinals.get(count - 1) + 1);
    for (int place = 0; place < count; place++) {
      int top = topLevelOf(place);
      topLevel = Math.max(topLevel, top);
      graph.addLists(ordinals.get(place), top);
    }
    // Downwards: lists take in those of the level above.
    for (int next = topLevel; next >= 0; next--) {
      int ofLevel = next;
      stages.add(new Stage(0, () -> begin(ofLevel)));
    }
  }

  private void findCopies(long[] hashed, int n) {
    long bytes = (long) index.parameters().dimension() * Float.BYTES;
    int first = 0;
    for (int i = 0; i < n; i++) {
      int original = (int) hashed[first];
      int place = (int) hashed[i];
      copyOf.set(place, NONE);
      if (hashed[i] >>> 32 != hashed[first] >>> 32) {
        first = i;
      } else if (i > first && Memory.equal(row(original), row(place), bytes)) {
        copyOf.set(place, original);
      }
    }
  }

  private long row(int place) {
    return rows.row(ordinals.get(place));
  }

  /** Copies have no upper lists: nobody enters by them. */
  private int topLevelOf(int place) {
    return copyOf.get(place) == NONE ? levelGenerator.levelOf(ordinals.get(place)) : 0;
  }

  /** Puts the stages of a level before those of the levels below. */
  private Work begin(int ofLevel) {
    int members = 0;
    for (int place = 0; place < count; place++) {
      members += isMember(place, ofLevel) ? 1 : 0;
    }
    NativeInts nodes = new NativeInts(members);
    int n = 0;
    for (int place = 0; place < count; place++) {
      if (isMember(place, ofLevel)) {
        nodes.set(n++, ordinals.get(place));
      }
    }
    BulkLevel begun =
        new BulkLevel(
            graph,
            ofLevel,
            codes,
            sketch == null ? null : sketch.rows(),
            nodes,
            levelGenerator,
            workers,
            index.parameters().blocks());
    level = begun;
    stages.addFirst(new Stage(0, () -> Work.serial(this::closeLevel)));
    for (Stage ofLevel0 : begun.stages().reversed()) {
      stages.addFirst(ofLevel == 0 ? ofLevel0 : new Stage(0, ofLevel0.work));
    }
    return Work.serial(() -> {});
  }

  private boolean isMember(int place, int ofLevel) {
    return copyOf.get(place) == NONE && (ofLevel == 0 || topLevelOf(place) >= ofLevel);
  }

  private void closeLevel() {
    if (level != null) {
      level.close();
      level = null;
    }
  }

  /**
   * Makes the nodes the graph, all but the copies. Whatever else was linked is no part of it any
   * more, and must be linked again; until then no search finds it.
   */
  public void publish() {
    int entry = NONE;
    int linked = 0;
    for (int place = 0; place < count; place++) {
      if (copyOf.get(place) == NONE) {
        int top = topLevelOf(place);
        graph.markLinked(ordinals.get(place), top);
        linked++;
        if (entry == NONE && top == topLevel) {
          entry = ordinals.get(place);
        }
      }
    }
    graph.publishBound(ordinals.get(count - 1) + 1);
    graph.setEntry(entry, topLevel);
    published = true;
    index.publish(graph, linked);
  }

  /** Hangs the copies below what was published. */
  public void linkCopies() {
    LinkScratch scratch = new LinkScratch(graph.maxDegree(0));
    Duplicates duplicates = new Duplicates(graph, rows);
    int linked = index.linkedCount();
    for (int place = 0; place < count; place++) {
      if (copyOf.get(place) != NONE) {
        graph.markLinked(ordinals.get(place), 0);
        duplicates.join(codes, ordinals.get(place), ordinals.get(copyOf.get(place)), scratch);
        linked++;
      }
    }
    index.copiesLinked(linked);
  }

  @Override
  public void close() {
    index.buildEnded();
    closeLevel();
    if (!published) {
      graph.close();
    }
    if (sketch != null) {
      sketch.close();
    }
    ordinals.close();
    copyOf.close();
    hashes.close();
  }
}
