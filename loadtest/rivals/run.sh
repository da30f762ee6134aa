#!/usr/bin/env bash
#
# OmenDB and hnswlib on the same vectors, in turn, on this machine, and the ratio of the two.
#
#   loadtest/rivals/run.sh BASE QUERY [option...]
#
#   --metric l2|cosine|ip     (l2)
#   --limit N                 first N vectors of BASE
#   --m M, --ef-construction EF, --threads N, --ef LIST       the same for both (16, 100, 2)
#   --rounds N                how often each runs, in turn (3); the table shows the medians
#
# Needs g++, python3 and Debian's libhnswlib-dev.
set -euo pipefail
cd "$(dirname "$0")/../.."

[ $# -ge 2 ] || { sed -n '3,14s/^# \{0,1\}//p' "$0" >&2; exit 2; }
base=$1 query=$2
shift 2
metric=l2 limit=2147483647 m=16 ef_construction=100 threads=2 ef=10,20,40,80,160,320 rounds=3
while [ $# -gt 0 ]; do
  case "$1" in
    --metric | --limit | --m | --ef-construction | --threads | --ef | --rounds)
      name=${1#--}
      printf -v "${name//-/_}" %s "$2"
      shift 2
      ;;
    *) echo "run.sh: unknown option $1" >&2; exit 2 ;;
  esac
done

out=loadtest/target/rivals
mkdir -p "$out"
g++ -O3 -march=native -std=c++17 -pthread loadtest/rivals/hnswlib/bench.cpp -o "$out/hnswlib-bench"

# Both are judged by the same answers.
./omendb bench truth --base "$base" --query "$query" --limit "$limit" --metric "$metric" --out "$out/truth.ivecs"

common=(--base "$base" --query "$query" --truth "$out/truth.ivecs" --limit "$limit" --metric "$metric"
  --m "$m" --ef-construction "$ef_construction" --threads "$threads" --ef "$ef")
for ((round = 1; round <= rounds; round++)); do
  echo "round $round of $rounds" >&2
  ./omendb bench index "${common[@]}" --json "$out/omendb-$round.json" >/dev/null
  "$out/hnswlib-bench" "${common[@]}" --json "$out/hnswlib-$round.json"
done
python3 loadtest/rivals/compare.py "$out" "$rounds"
