// Insert and search from Node. No stubs to make: the .proto files are read at the start.
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const protos = fileURLToPath(new URL("../../../proto/src/main/proto", import.meta.url));
const files = ["omendb/v1/collection_service.proto", "omendb/v1/vector_service.proto"];
const definition = loader.loadSync(files, { includeDirs: [protos], longs: String });
const { v1 } = grpc.loadPackageDefinition(definition).omendb;

const target = process.argv[2] ?? "127.0.0.1:50051";
const credentials = grpc.credentials.createInsecure();
const collections = new v1.CollectionService(target, credentials);
const vectors = new v1.VectorService(target, credentials);

const call = (client, method, request) =>
  new Promise((resolve, reject) =>
    client[method](request, (error, reply) => (error ? reject(error) : resolve(reply))),
  );

const collection = "quickstart-node";
const bytes = (rows) => Buffer.from(Float32Array.from(rows.flat()).buffer);

await call(collections, "DropCollection", { collection, allowMissing: true });
await call(collections, "CreateCollection", {
  config: { name: collection, dimension: 2, similarity: "SIMILARITY_L2", idKind: "ID_KIND_STRING" },
});
await call(vectors, "Insert", {
  collection,
  stringIds: ["origin", "east", "north"],
  vectorsLe: bytes([[0, 0], [1, 0], [0, 1]]),
});
const found = await call(vectors, "Search", { collection, k: 2, vectorLe: bytes([[0.9, 0.2]]) });
for (const hit of found.hits) {
  console.log(hit.stringId, hit.distance.toFixed(2));
}
process.exit(0);
