// The jobs that automatic differentiation is timed on, written once for every number type, with
// plain operators: the loss of one sample of a small net, and a random graph.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "mlp/base/rng.h"

namespace mlp::autodiff {

// One sample of 784-16-10. All weights of the first layer, neuron after neuron, its biases, then
// the same of the second.
struct SampleJob {
  static constexpr size_t kInputs = 784, kHidden = 16, kOutputs = 10;
  static constexpr size_t kWeights = kInputs * kHidden + kHidden + kHidden * kOutputs + kOutputs;
  // A micrograd's: two for each weight, one for each hidden neuron, and the loss.
  static constexpr double kNodes =
      2.0 * (kInputs * kHidden + kHidden * kOutputs) + kHidden + 2 * kOutputs + 2;

  std::vector<double> weights;  // [kWeights]
  std::vector<double> x;        // [kInputs], none of them 0
  size_t label = 3;

  explicit SampleJob(uint64_t seed) {
    Stream stream(seed, Purpose::kTest);
    for (size_t i = 0; i < kWeights; ++i) weights.push_back(stream.Uniform(-0.05f, 0.05f));
    for (size_t i = 0; i < kInputs; ++i) {
      x.push_back(stream.Uniform() < 0.2f ? stream.Uniform(0.01f, 1)
                                          : 1e-3f * stream.Uniform(0.5f, 1));
    }
  }
};

inline double relu(double x) { return x > 0 ? x : 0; }

// The loss. T: the type of values; w and x: anything with [i] whose elements become or multiply Ts.
template <class T, class W, class X>
T SampleLoss(const W& w, const X& x, size_t label) {
  using std::exp;
  using std::log;
  constexpr size_t kInputs = SampleJob::kInputs, kHidden = SampleJob::kHidden,
                   kOutputs = SampleJob::kOutputs;
  constexpr size_t kBias = kInputs * kHidden, kSecond = kBias + kHidden,
                   kSecondBias = kSecond + kHidden * kOutputs;
  std::array<T, kHidden> h;
  for (size_t j = 0; j < kHidden; ++j) {
    T s = w[kBias + j];
    for (size_t i = 0; i < kInputs; ++i) s += w[j * kInputs + i] * x[i];
    h[j] = s;
  }
  for (size_t j = 0; j < kHidden; ++j) h[j] = relu(h[j]);
  std::array<T, kOutputs> o;
  for (size_t k = 0; k < kOutputs; ++k) {
    T s = w[kSecondBias + k];
    for (size_t j = 0; j < kHidden; ++j) s += w[kSecond + k * kHidden + j] * h[j];
    o[k] = s;
  }
  T sum = exp(o[0]);
  for (size_t k = 1; k < kOutputs; ++k) sum += exp(o[k]);
  return log(sum) - o[label];
}

// A graph of n ops whose operands are random among the last 1000 results. Of 16 ops eight have two
// operands; the mixture keeps values and derivatives finite however long the graph is.
struct DagJob {
  static constexpr size_t kBack = 1000, kRing = 1024, kPattern = 16;

  // The ops, and the number 0.5.
  static constexpr double Nodes(size_t ops) { return static_cast<double>(ops) + 1; }

  size_t n;                        // a multiple of kPattern
  std::vector<uint32_t> operands;  // [n], two distances of 16 bits each
  std::vector<double> start;       // [kRing]

  DagJob(size_t ops, uint64_t seed) : n(ops / kPattern * kPattern) {
    Stream stream(seed, Purpose::kTest, 1);
    for (size_t i = 0; i < n; ++i)
      operands.push_back(stream.Below(kBack) | stream.Below(kBack) << 16);
    for (size_t i = 0; i < kRing; ++i) start.push_back(stream.Uniform(-0.6f, 0.6f));
  }
};

// The last result. ring: what holds the newest kRing values; the inputs to begin with.
template <class T>
T DagValue(const DagJob& job, std::vector<T>& ring) {
  size_t next = 0;
  const auto a = [&](size_t i) -> const T& {
    return ring[(next + DagJob::kRing - 1 - (job.operands[i] & 0xffff)) % DagJob::kRing];
  };
  const auto b = [&](size_t i) -> const T& {
    return ring[(next + DagJob::kRing - 1 - (job.operands[i] >> 16)) % DagJob::kRing];
  };
  // What is assigned is computed first.
  const auto slot = [&]() -> T& { return ring[next++ % DagJob::kRing]; };
  for (size_t i = 0; i < job.n; i += DagJob::kPattern) {
    slot() = a(i) * b(i);
    slot() = a(i + 1) * 0.5;
    slot() = a(i + 2) + b(i + 2);
    slot() = a(i + 3) * 0.5;
    slot() = 0.5 - a(i + 4);
    slot() = a(i + 5) * b(i + 5);
    slot() = a(i + 6) - b(i + 6);
    slot() = a(i + 7) * 0.5;
    slot() = a(i + 8) * 0.5;
    slot() = a(i + 9) * b(i + 9);
    slot() = a(i + 10) + b(i + 10);
    slot() = a(i + 11) * 0.5;
    slot() = 0.5 - a(i + 12);
    slot() = a(i + 13) * b(i + 13);
    slot() = a(i + 14) * 0.5;
    slot() = a(i + 15) - b(i + 15);
  }
  return ring[(next + DagJob::kRing - 1) % DagJob::kRing];
}

}  // namespace mlp::autodiff
