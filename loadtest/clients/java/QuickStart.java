import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.omendb.proto.v1.CollectionConfig;
import io.omendb.proto.v1.CollectionServiceGrpc;
import io.omendb.proto.v1.CreateCollectionRequest;
import io.omendb.proto.v1.DropCollectionRequest;
import io.omendb.proto.v1.Hit;
import io.omendb.proto.v1.InsertRequest;
import io.omendb.proto.v1.SearchRequest;
import io.omendb.proto.v1.Similarity;
import io.omendb.proto.v1.VectorServiceGrpc;
import java.util.List;

/** Insert and search from Java, with the stubs of the artifact io.omendb:omendb-proto. */
public class QuickStart {

  public static void main(String[] args) {
    String target = args.length > 0 ? args[0] : "127.0.0.1:50051";
    ManagedChannel channel =
        Grpc.newChannelBuilder(target, InsecureChannelCredentials.create()).build();
    var collections = CollectionServiceGrpc.newBlockingStub(channel);
    var vectors = VectorServiceGrpc.newBlockingStub(channel);
    String collection = "quickstart-java";

    collections.dropCollection(
        DropCollectionRequest.newBuilder().setCollection(collection).setAllowMissing(true).build());
    collections.createCollection(
        CreateCollectionRequest.newBuilder()
            .setConfig(
                CollectionConfig.newBuilder()
                    .setName(collection)
                    .setDimension(2)
                    .setSimilarity(Similarity.SIMILARITY_L2))
            .build());
    vectors.insert(
        InsertRequest.newBuilder()
            .setCollection(collection)
            .addAllNumericIds(List.of(7L, 8L, 9L))
            .addAllVectors(List.of(0f, 0f, 1f, 0f, 0f, 1f))
            .build());
    var found =
        vectors.search(
            SearchRequest.newBuilder()
                .setCollection(collection)
                .setK(2)
                .addAllVector(List.of(0.9f, 0.2f))
                .build());
    for (Hit hit : found.getHitsList()) {
      System.out.printf("%d %.2f%n", hit.getNumericId(), hit.getDistance());
    }
    channel.shutdownNow();
  }
}
