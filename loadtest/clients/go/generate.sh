#!/usr/bin/env bash
#
# Writes the stubs, gen/omendb/v1, from the .proto files of the project. Needs protoc 3.21.12, whose version stands in
# them (Debian 12, Ubuntu 24.04: protobuf-compiler libprotobuf-dev), and Go, with which it installs the plugins.
set -euo pipefail
cd "$(dirname "$0")"

plugins=$(mktemp -d)
trap 'rm -rf "$plugins"' EXIT
GOBIN=$plugins go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
GOBIN=$plugins go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2

protos=../../../proto/src/main/proto
rm -rf gen
# The go_package of the protos is the project's; what is generated here belongs to this module.
module=github.com/omendb/omendb-go
options=(module=$module)
for proto in "$protos"/omendb/v1/*.proto; do
  options+=("Momendb/v1/${proto##*/}=$module/gen/omendb/v1;omendbv1")
done
PATH=$plugins:$PATH protoc -I "$protos" \
  --go_out=. "${options[@]/#/--go_opt=}" \
  --go-grpc_out=. "${options[@]/#/--go-grpc_opt=}" \
  "$protos"/omendb/v1/*.proto
