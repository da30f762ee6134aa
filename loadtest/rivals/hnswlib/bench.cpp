// The bench of `omendb bench index` run on hnswlib, on the same files and with the same numbers in its JSON.
//
// Build:  g++ -O3 -march=native -std=c++17 -pthread bench.cpp -o bench     (Debian: libhnswlib-dev)
// Run:    bench --base F --query F --truth F [--limit N] [--metric l2|cosine|ip] [--m 16] [--ef-construction 100]
//               [--threads 2] [--ef 10,20,40] [--json OUT]
//
// Built by so many threads; searched by one. Under cosine the vectors are normalised, as hnswlib has it. The truth
// must fit (`omendb bench truth` makes it); a hit counts if it is no farther than the true tenth neighbour.
#include <hnswlib/hnswlib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int K = 10;
constexpr double TOLERANCE = 1e-6;

struct Matrix {
  size_t count = 0;
  int dimension = 0;
  std::vector<float> values;
  const float* row(size_t i) const { return values.data() + i * dimension; }
};

bool ends_with(const std::string& text, const char* end) {
  size_t n = std::strlen(end);
  return text.size() >= n && text.compare(text.size() - n, n, end) == 0;
}

Matrix read(const std::string& path, size_t limit) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot open " + path);
  bool bytes = ends_with(path, ".bvecs");
  Matrix m;
  std::vector<uint8_t> narrow;
  int32_t dimension;
  while (m.count < limit && file.read(reinterpret_cast<char*>(&dimension), 4)) {
    if (m.count == 0) m.dimension = dimension;
    if (dimension != m.dimension) throw std::runtime_error(path + ": rows differ in dimension");
    m.values.resize((m.count + 1) * dimension);
    float* row = m.values.data() + m.count * dimension;
    if (bytes) {
      narrow.resize(dimension);
      file.read(reinterpret_cast<char*>(narrow.data()), dimension);
      std::copy(narrow.begin(), narrow.end(), row);
    } else {
      file.read(reinterpret_cast<char*>(row), 4L * dimension);
    }
    if (!file) throw std::runtime_error(path + " ends within a row");
    m.count++;
  }
  return m;
}

std::vector<std::vector<int32_t>> read_lists(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot open " + path);
  std::vector<std::vector<int32_t>> lists;
  int32_t k;
  while (file.read(reinterpret_cast<char*>(&k), 4)) {
    lists.emplace_back(k);
    file.read(reinterpret_cast<char*>(lists.back().data()), 4L * k);
  }
  return lists;
}

void normalise(Matrix& m) {
  for (size_t i = 0; i < m.count; i++) {
    float* row = m.values.data() + i * m.dimension;
    double sum = 0;
    for (int j = 0; j < m.dimension; j++) sum += double(row[j]) * row[j];
    float scale = sum > 0 ? float(1 / std::sqrt(sum)) : 0;
    for (int j = 0; j < m.dimension; j++) row[j] *= scale;
  }
}

double distance(const std::string& metric, const float* x, const float* y, int dimension) {
  double sum = 0;
  for (int j = 0; j < dimension; j++) {
    double d = double(x[j]) - y[j];
    sum += metric == "l2" ? d * d : double(x[j]) * y[j];
  }
  return metric == "l2" ? sum : 1 - sum;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

long peak_resident_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmHWM:", 0) == 0) return std::stol(line.substr(6)) * 1024;
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  std::map<std::string, std::string> options = {{"--metric", "l2"},   {"--m", "16"}, {"--ef-construction", "100"},
                                                {"--threads", "2"},   {"--ef", "10,20,40,80,160,320"},
                                                {"--limit", "2147483647"}, {"--seconds", "2"}};
  for (int i = 1; i + 1 < argc; i += 2) options[argv[i]] = argv[i + 1];
  const std::string metric = options["--metric"];
  Matrix base = read(options["--base"], std::stoul(options["--limit"]));
  Matrix queries = read(options["--query"], SIZE_MAX);
  auto truth = read_lists(options["--truth"]);
  if (truth.size() < queries.count) throw std::runtime_error("too few lists in --truth");
  if (metric == "cosine") {
    normalise(base);
    normalise(queries);
  }
  int dimension = base.dimension;
  int threads = std::stoi(options["--threads"]);

  std::vector<double> radius(queries.count, -INFINITY);
  for (size_t q = 0; q < queries.count; q++) {
    for (int rank = 0; rank < K; rank++) {
      if (size_t(truth[q].at(rank)) >= base.count) throw std::runtime_error("--truth does not fit --limit");
      radius[q] = std::max(radius[q], distance(metric, queries.row(q), base.row(truth[q][rank]), dimension));
    }
    radius[q] += TOLERANCE * std::max(std::abs(radius[q]), TOLERANCE);
  }

  hnswlib::L2Space l2(dimension);
  hnswlib::InnerProductSpace product(dimension);
  hnswlib::SpaceInterface<float>* space = &l2;
  if (metric != "l2") space = &product;
  long before = peak_resident_bytes();
  hnswlib::HierarchicalNSW<float> index(space, base.count, std::stoul(options["--m"]),
                                        std::stoul(options["--ef-construction"]));
  auto start = std::chrono::steady_clock::now();
  std::atomic<size_t> next{1};
  index.addPoint(base.row(0), 0);
  std::vector<std::thread> builders;
  for (int t = 0; t < threads; t++)
    builders.emplace_back([&] {
      for (size_t i = next++; i < base.count; i = next++) index.addPoint(base.row(i), i);
    });
  for (auto& builder : builders) builder.join();
  double build_seconds = seconds_since(start);
  std::fprintf(stderr, "  hnswlib: built %zu in %.1f s\n", base.count, build_seconds);

  std::ostringstream json;
  json << "{\n  \"library\": \"hnswlib\",\n  \"count\": " << base.count << ",\n  \"dimension\": " << dimension
       << ",\n  \"metric\": \"" << metric << "\",\n  \"settings\": {\"m\": " << options["--m"]
       << ", \"ef_construction\": " << options["--ef-construction"] << "},\n  \"threads\": " << threads
       << ",\n  \"build_seconds\": " << build_seconds << ",\n  \"vectors_per_second\": " << base.count / build_seconds
       << ",\n  \"bytes_per_vector\": " << double(peak_resident_bytes() - before) / base.count << ",\n  \"curve\": [";

  std::istringstream efs(options["--ef"]);
  const char* separator = "";
  for (std::string ef; std::getline(efs, ef, ',');) {
    index.setEf(std::stoul(ef));
    size_t found = 0;
    for (size_t q = 0; q < queries.count; q++) {
      auto hits = index.searchKnn(queries.row(q), K);
      for (; !hits.empty(); hits.pop())
        found += distance(metric, queries.row(q), base.row(hits.top().second), dimension) <= radius[q];
    }
    std::vector<double> micros;
    start = std::chrono::steady_clock::now();
    double elapsed = 0;
    for (size_t q = 0; elapsed < std::stod(options["--seconds"]); q = (q + 1) % queries.count) {
      index.searchKnn(queries.row(q), K);
      double now = seconds_since(start);
      micros.push_back((now - elapsed) * 1e6);
      elapsed = now;
    }
    std::sort(micros.begin(), micros.end());
    auto percentile = [&](double p) { return micros[std::min(micros.size() - 1, size_t(p * micros.size()))]; };
    json << separator << "\n    {\"ef\": " << ef << ", \"recall_at_10\": " << double(found) / (K * queries.count)
         << ", \"qps\": " << micros.size() / elapsed << ", \"p50_us\": " << percentile(0.50)
         << ", \"p95_us\": " << percentile(0.95) << ", \"p99_us\": " << percentile(0.99) << "}";
    separator = ",";
  }
  json << "\n  ],\n  \"rss_max_bytes\": " << peak_resident_bytes() << "\n}\n";
  if (options.count("--json")) {
    std::ofstream(options["--json"]) << json.str();
  } else {
    std::cout << json.str();
  }
  return 0;
} catch (const std::exception& e) {
  std::cerr << "bench: " << e.what() << "\n";
  return 1;
}
