/** The messages and enums of the wire contract, package omendb.v1. */
export * from "./gen/omendb/v1/admin_service_pb.js";
export * from "./gen/omendb/v1/collection_service_pb.js";
export * from "./gen/omendb/v1/types_pb.js";
export * from "./gen/omendb/v1/vector_service_pb.js";
