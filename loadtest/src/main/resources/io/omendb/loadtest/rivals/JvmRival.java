import io.github.jbellis.jvector.graph.GraphIndexBuilder;
import io.github.jbellis.jvector.graph.GraphSearcher;
import io.github.jbellis.jvector.graph.ImmutableGraphIndex;
import io.github.jbellis.jvector.graph.ListRandomAccessVectorValues;
import io.github.jbellis.jvector.graph.RandomAccessVectorValues;
import io.github.jbellis.jvector.graph.SearchResult;
import io.github.jbellis.jvector.graph.similarity.BuildScoreProvider;
import io.github.jbellis.jvector.graph.similarity.DefaultSearchScoreProvider;
import io.github.jbellis.jvector.graph.similarity.SearchScoreProvider;
import io.github.jbellis.jvector.quantization.PQVectors;
import io.github.jbellis.jvector.quantization.ProductQuantization;
import io.github.jbellis.jvector.util.Bits;
import io.github.jbellis.jvector.vector.VectorizationProvider;
import io.github.jbellis.jvector.vector.types.VectorFloat;
import io.github.jbellis.jvector.vector.types.VectorTypeSupport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.lucene104.Lucene104Codec;
import org.apache.lucene.codecs.lucene104.Lucene104HnswScalarQuantizedVectorsFormat;
import org.apache.lucene.codecs.lucene99.Lucene99HnswVectorsFormat;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.document.NumericDocValuesField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.NumericDocValues;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.RescoreTopNQuery;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.store.MMapDirectory;
import org.apache.lucene.util.quantization.QuantizedByteVectorValues.ScalarEncoding;

/**
 * One rival of OmenDB on the JVM on one set: what {@code rival.py run} says of its own, and the
 * same line of JSON, by the same clock. Run by it, with the options it was given and those of its
 * sweep.
 */
final class JvmRival {

  /** An index, as a rival has it. */
  interface Index {

    /** All that has to be done before a first search, on the clock. */
    void build() throws Exception;

    /** Searches by one thread: from a query to the rows found. */
    Function<float[], int[]> searcher(int width) throws IOException;
  }

  /** The set, and how to go about it. */
  private record Task(
      float[][] base, float[][] queries, int[][] truth, String metric, int threads, int k) {}

  private JvmRival() {}

  public static void main(String[] arguments) throws Exception {
    Map<String, String> options = new HashMap<>();
    for (int i = 1; i < arguments.length; i += 2) {
      options.put(arguments[i], arguments[i + 1]);
    }
    Task task = read(options);
    Index index =
        switch (arguments[0]) {
          case "lucene" -> new Lucene(task, false);
          case "lucene-7bit" -> new Lucene(task, true);
          case "jvector" -> new JVector(task, false);
          case "jvector-pq" -> new JVector(task, true);
          default -> throw new IllegalArgumentException("rival=" + arguments[0]);
        };
    long wall = System.nanoTime();
    long processor = processorNanos();
    index.build();
    double buildSeconds = (System.nanoTime() - wall) / 1e9;
    double buildProcessorSeconds = (processorNanos() - processor) / 1e9;
    List<String> curve = new ArrayList<>();
    Path out = Path.of(options.get("--out"));
    int repeats = Integer.parseInt(options.get("--repeats"));
    double enough = Double.parseDouble(options.get("--recall-enough"));
    for (String width : options.get("--widths").split(",")) {
      Function<float[], int[]> searcher = index.searcher(Integer.parseInt(width));
      int[][] answers = search(searcher, task);
      double[] seconds = new double[repeats];
      double[] processorSeconds = new double[repeats];
      for (int i = 0; i < repeats; i++) {
        wall = System.nanoTime();
        processor = processorNanos();
        search(searcher, task);
        seconds[i] = (System.nanoTime() - wall) / 1e9;
        processorSeconds[i] = (processorNanos() - processor) / 1e9;
      }
      Path file = out.resolve("answers-" + curve.size() + ".ivecs");
      write(file, answers, task.k);
      curve.add(
          String.format(
              Locale.ROOT,
              "{\"setting\": %s, \"seconds\": %f, \"cpu_seconds\": %f, \"answers\": \"%s\"}",
              width,
              median(seconds),
              median(processorSeconds),
              file));
      if (recall(answers, task) > enough) {
        break;
      }
    }
    System.out.printf(
        Locale.ROOT,
        "%n{\"build_seconds\": %f, \"build_cpu_seconds\": %f, \"rss_max_bytes\": %d, \"curve\":"
            + " [%s]}%n",
        buildSeconds,
        buildProcessorSeconds,
        peakBytes(),
        String.join(", ", curve));
    System.exit(0); // their threads are not asked
  }

  private static int[][] search(Function<float[], int[]> searcher, Task task) {
    int[][] answers = new int[task.queries.length][];
    for (int i = 0; i < answers.length; i++) {
      answers[i] = searcher.apply(task.queries[i]);
    }
    return answers;
  }

  private static double recall(int[][] answers, Task task) {
    long right = 0;
    for (int i = 0; i < answers.length; i++) {
      Set<Integer> best = new HashSet<>();
      for (int rank = 0; rank < task.k; rank++) {
        best.add(task.truth[i][rank]);
      }
      right += Arrays.stream(answers[i]).distinct().filter(best::contains).count();
    }
    return right / ((double) task.k * answers.length);
  }

  private static Task read(Map<String, String> options) throws IOException {
    int limit = Integer.parseInt(options.get("--limit"));
    int queryLimit = Integer.parseInt(options.get("--queries"));
    String metric = options.get("--metric");
    float[][] base = vectors(Path.of(options.get("--base")), limit);
    float[][] queries = vectors(Path.of(options.get("--query")), queryLimit);
    if (metric.equals("cosine")) {
      for (float[][] rows : List.of(base, queries)) {
        for (float[] row : rows) {
          makeUnit(row);
        }
      }
    }
    int[][] truth = neighbours(Path.of(options.get("--truth")), queryLimit);
    int threads = Integer.parseInt(options.get("--threads"));
    return new Task(base, queries, truth, metric, threads, Integer.parseInt(options.get("--k")));
  }

  private static void makeUnit(float[] row) {
    double squares = 0;
    for (float value : row) {
      squares += (double) value * value;
    }
    float scale = (float) (1 / Math.max(Math.sqrt(squares), 1e-30));
    for (int i = 0; i < row.length; i++) {
      row[i] *= scale;
    }
  }

  private static float[][] vectors(Path path, int limit) throws IOException {
    boolean bytes = path.toString().endsWith(".bvecs");
    List<float[]> rows = new ArrayList<>();
    eachRow(
        path,
        bytes ? 1 : Float.BYTES,
        limit,
        row -> {
          float[] values = new float[row.remaining() / (bytes ? 1 : Float.BYTES)];
          for (int i = 0; i < values.length; i++) {
            values[i] = bytes ? row.get() & 0xFF : row.getFloat();
          }
          rows.add(values);
        });
    return rows.toArray(float[][]::new);
  }

  private static int[][] neighbours(Path path, int limit) throws IOException {
    List<int[]> rows = new ArrayList<>();
    eachRow(
        path,
        Integer.BYTES,
        limit,
        row -> {
          int[] values = new int[row.remaining() / Integer.BYTES];
          row.asIntBuffer().get(values);
          rows.add(values);
        });
    return rows.toArray(int[][]::new);
  }

  private static void eachRow(Path path, int width, int limit, Consumer<ByteBuffer> rows)
      throws IOException {
    try (FileChannel channel = FileChannel.open(path)) {
      ByteBuffer header = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      channel.read(header, 0);
      int rowBytes = Integer.BYTES + header.getInt(0) * width;
      ByteBuffer block = ByteBuffer.allocate(rowBytes * 256).order(ByteOrder.LITTLE_ENDIAN);
      int count = (int) Math.min(limit, channel.size() / rowBytes);
      for (int first = 0; first < count; first += 256) {
        int some = Math.min(256, count - first);
        block.clear().limit(some * rowBytes);
        while (block.hasRemaining()) {
          channel.read(block, (long) first * rowBytes + block.position());
        }
        for (int i = 0; i < some; i++) {
          ByteBuffer row = block.slice(i * rowBytes + Integer.BYTES, rowBytes - Integer.BYTES);
          rows.accept(row.order(ByteOrder.LITTLE_ENDIAN));
        }
      }
    }
  }

  private static void write(Path file, int[][] answers, int k) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(answers.length * (k + 1) * Integer.BYTES);
    bytes.order(ByteOrder.LITTLE_ENDIAN);
    for (int[] row : answers) {
      bytes.putInt(k);
      for (int rank = 0; rank < k; rank++) {
        bytes.putInt(rank < row.length ? row[rank] : -1);
      }
    }
    Files.write(file, bytes.array());
  }

  private static double median(double[] values) {
    Arrays.sort(values);
    return values[values.length / 2];
  }

  private static long processorNanos() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  private static long peakBytes() throws IOException {
    try (var lines = Files.lines(Path.of("/proc/self/status"))) {
      String peak = lines.filter(line -> line.startsWith("VmHWM")).findFirst().orElseThrow();
      return 1024 * Long.parseLong(peak.replaceAll("\\D", ""));
    }
  }

  /** A segment of Lucene, merged into one; docs carry their row. */
  private static final class Lucene implements Index {
    private static final String VECTOR = "vector";
    private static final String ROW = "row";
    private static final int M = 16;
    private static final int BEAM = 100;

    private final Task task;
    private final boolean quantized;
    private IndexSearcher searcher;
    private int[] rows;

    Lucene(Task task, boolean quantized) {
      this.task = task;
      this.quantized = quantized;
    }

    @Override
    public void build() throws Exception {
      VectorSimilarityFunction similarity =
          switch (task.metric) {
            case "l2" -> VectorSimilarityFunction.EUCLIDEAN;
            case "cosine" -> VectorSimilarityFunction.DOT_PRODUCT;
            default -> VectorSimilarityFunction.MAXIMUM_INNER_PRODUCT;
          };
      ExecutorService pool = Executors.newFixedThreadPool(task.threads);
      ExecutorService mergers = task.threads > 1 ? pool : null;
      KnnVectorsFormat format =
          quantized
              ? new Lucene104HnswScalarQuantizedVectorsFormat(
                  ScalarEncoding.SEVEN_BIT, M, BEAM, task.threads, mergers)
              : new Lucene99HnswVectorsFormat(M, BEAM, task.threads, mergers);
      IndexWriterConfig config =
          new IndexWriterConfig()
              .setRAMBufferSizeMB(8_192)
              .setRAMPerThreadHardLimitMB(2_000)
              .setUseCompoundFile(false)
              .setCodec(
                  new Lucene104Codec() {
                    @Override
                    public KnnVectorsFormat getKnnVectorsFormatForField(String field) {
                      return format;
                    }
                  });
      MMapDirectory directory = new MMapDirectory(Files.createTempDirectory("lucene"));
      try (IndexWriter writer = new IndexWriter(directory, config)) {
        List<Future<?>> parts = new ArrayList<>();
        for (int part = 0; part < task.threads; part++) {
          int first = part;
          parts.add(pool.submit(() -> add(writer, similarity, first)));
        }
        for (Future<?> part : parts) {
          part.get();
        }
        writer.forceMerge(1);
      }
      pool.shutdown();
      DirectoryReader reader = DirectoryReader.open(directory);
      LeafReader leaf = reader.leaves().getFirst().reader();
      rows = new int[leaf.maxDoc()];
      NumericDocValues values = leaf.getNumericDocValues(ROW);
      while (values.nextDoc() != NumericDocValues.NO_MORE_DOCS) {
        rows[values.docID()] = (int) values.longValue();
      }
      searcher = new IndexSearcher(reader);
      searcher.setQueryCache(null);
      Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(directory)));
    }

    private Void add(IndexWriter writer, VectorSimilarityFunction similarity, int first)
        throws IOException {
      for (int row = first; row < task.base.length; row += task.threads) {
        Document document = new Document();
        document.add(new KnnFloatVectorField(VECTOR, task.base[row], similarity));
        document.add(new NumericDocValuesField(ROW, row));
        writer.addDocument(document);
      }
      return null;
    }

    private static void delete(MMapDirectory directory) {
      try {
        for (String name : directory.listAll()) {
          directory.deleteFile(name);
        }
        Files.delete(directory.getDirectory());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public Function<float[], int[]> searcher(int width) {
      return query -> {
        Query nearest = new KnnFloatVectorQuery(VECTOR, query, width);
        if (quantized) {
          nearest =
              RescoreTopNQuery.createFullPrecisionRescorerQuery(
                  nearest, query, VECTOR, Math.min(width, 3 * task.k));
        }
        try {
          ScoreDoc[] found = searcher.search(nearest, task.k).scoreDocs;
          int[] answer = new int[found.length];
          for (int i = 0; i < answer.length; i++) {
            answer[i] = rows[found[i].doc];
          }
          return answer;
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      };
    }
  }

  /** A graph of JVector on the heap, over float32 rows or product codes that are re-ranked. */
  private static final class JVector implements Index {
    private static final VectorTypeSupport TYPES =
        VectorizationProvider.getInstance().getVectorTypeSupport();
    private static final int DEGREE = 32;
    private static final int BEAM = 100;
    private static final float OVERFLOW = 1.2f;
    private static final float ALPHA = 1.2f;
    private static final int DIMENSIONS_A_CODE = 4;

    private final Task task;
    private final boolean coded;
    private final RandomAccessVectorValues values;
    private final io.github.jbellis.jvector.vector.VectorSimilarityFunction similarity;
    private PQVectors codes;
    private ImmutableGraphIndex graph;

    JVector(Task task, boolean coded) {
      this.task = task;
      this.coded = coded;
      List<VectorFloat<?>> rows = new ArrayList<>();
      for (float[] row : task.base) {
        rows.add(TYPES.createFloatVector(row));
      }
      values = new ListRandomAccessVectorValues(rows, task.base[0].length);
      similarity =
          task.metric.equals("l2")
              ? io.github.jbellis.jvector.vector.VectorSimilarityFunction.EUCLIDEAN
              : io.github.jbellis.jvector.vector.VectorSimilarityFunction.DOT_PRODUCT;
    }

    @Override
    public void build() {
      ForkJoinPool pool = new ForkJoinPool(task.threads);
      BuildScoreProvider scores;
      if (coded) {
        int codesARow = Math.max(1, values.dimension() / DIMENSIONS_A_CODE);
        boolean centred = task.metric.equals("l2");
        ProductQuantization quantization =
            ProductQuantization.compute(values, codesARow, 256, centred, -1, pool, pool);
        codes = quantization.encodeAll(values, pool);
        scores = BuildScoreProvider.pqBuildScoreProvider(similarity, codes);
      } else {
        scores = BuildScoreProvider.randomAccessScoreProvider(values, similarity);
      }
      graph =
          new GraphIndexBuilder(
                  scores, values.dimension(), DEGREE, BEAM, OVERFLOW, ALPHA, true, true, pool, pool)
              .build(values);
    }

    @Override
    public Function<float[], int[]> searcher(int width) {
      GraphSearcher searcher = new GraphSearcher(graph);
      return query -> {
        VectorFloat<?> vector = TYPES.createFloatVector(query);
        SearchScoreProvider scores =
            coded
                ? new DefaultSearchScoreProvider(
                    codes.precomputedScoreFunctionFor(vector, similarity),
                    values.rerankerFor(vector, similarity))
                : DefaultSearchScoreProvider.exact(vector, similarity, values);
        SearchResult.NodeScore[] found =
            searcher.search(scores, task.k, width, 0, 0, Bits.ALL).getNodes();
        int[] answer = new int[found.length];
        for (int i = 0; i < answer.length; i++) {
          answer[i] = found[i].node;
        }
        return answer;
      };
    }
  }
}
