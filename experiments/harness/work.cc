#include "experiments/harness/work.h"

#include <algorithm>
#include <cmath>

#include "mlp/base/aligned_buffer.h"

namespace mlp::experiments {
namespace {

// Few, so that the same machine mostly comes to the same one again.
constexpr double kLevels[] = {1, 0.75, 0.5, 0.375, 0.25, 0.1875, 0.125, 0.0625};

template <class T>
AlignedBuffer<T> FirstOf(const AlignedBuffer<T>& all, size_t n) {
  AlignedBuffer<T> first(std::min(n, all.size()));
  std::copy_n(all.begin(), first.size(), first.begin());
  return first;
}

}  // namespace

double FitWork(double pilot_s, double left_s) {
  for (const double work : kLevels) {
    if (kWantedRounds * pilot_s * work / kPilotWork <= left_s) return work;
  }
  return std::end(kLevels)[-1];
}

Amount AmountOf(double work, size_t epochs, size_t samples) {
  const double passes = work * static_cast<double>(epochs);
  if (passes >= 1) return {static_cast<size_t>(passes), samples};
  const double part = passes * static_cast<double>(samples);
  return {1, std::max<size_t>(1, static_cast<size_t>(std::llround(part)))};
}

data::Examples FirstSamples(const data::Examples& examples, size_t n) {
  data::Examples first;
  first.size = std::min(n, examples.size);
  first.features = examples.features;
  first.pixels = FirstOf(examples.pixels, first.size * examples.features);
  first.labels = FirstOf(examples.labels, first.size);
  first.values = FirstOf(examples.values, first.size * examples.features);
  return first;
}

}  // namespace mlp::experiments
