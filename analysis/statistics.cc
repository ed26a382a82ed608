#include "analysis/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <utility>

#include "mlp/base/check.h"
#include "mlp/base/rng.h"

namespace mlp::analysis {
namespace {

constexpr int kResamples = 2000;

// Sets low and high of an estimate from the resampled values, or from the range if there are too
// few samples for an interval.
void SetInterval(std::vector<double> resampled, Estimate* estimate) {
  std::sort(resampled.begin(), resampled.end());
  const auto tail = static_cast<size_t>(0.025 * static_cast<double>(resampled.size()));
  estimate->low = resampled[tail];
  estimate->high = resampled[resampled.size() - 1 - tail];
}

double ResampledMedian(std::span<const double> values, Stream& stream) {
  std::vector<double> resample(values.size());
  for (double& value : resample) {
    value = values[stream.Below(static_cast<uint32_t>(values.size()))];
  }
  return Median(std::move(resample));
}

// `of` the medians of both, which grows with the first and falls with the second.
template <class Function>
Estimate Unpaired(std::span<const double> first, std::span<const double> second, Function of) {
  Estimate estimate{
      .value = of(Median({first.begin(), first.end()}), Median({second.begin(), second.end()})),
      .n = std::min(first.size(), second.size())};
  if (!estimate.HasInterval()) {
    const auto [low, high] = std::minmax_element(first.begin(), first.end());
    const auto [least, most] = std::minmax_element(second.begin(), second.end());
    estimate.low = of(*low, *most);
    estimate.high = of(*high, *least);
    return estimate;
  }
  Stream stream(/*seed=*/0, Purpose::kBootstrap);
  std::vector<double> results(kResamples);
  for (double& result : results) {
    const double resampled = ResampledMedian(first, stream);
    result = of(resampled, ResampledMedian(second, stream));
  }
  SetInterval(std::move(results), &estimate);
  return estimate;
}

}  // namespace

Estimate Inverse(const Estimate& estimate) {
  return {.value = 1 / estimate.value,
          .low = 1 / estimate.high,
          .high = 1 / estimate.low,
          .n = estimate.n};
}

double Median(std::vector<double> values) {
  MLP_CHECK(!values.empty());
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return std::midpoint(*std::max_element(values.begin(), middle), *middle);
}

Estimate MedianEstimate(std::span<const double> values) {
  Estimate estimate{.value = Median({values.begin(), values.end()}), .n = values.size()};
  if (!estimate.HasInterval()) {
    const auto [min, max] = std::minmax_element(values.begin(), values.end());
    estimate.low = *min;
    estimate.high = *max;
    return estimate;
  }
  Stream stream(/*seed=*/0, Purpose::kBootstrap);
  std::vector<double> medians(kResamples);
  for (double& median : medians) median = ResampledMedian(values, stream);
  SetInterval(std::move(medians), &estimate);
  return estimate;
}

Estimate PairedRatio(std::span<const double> numerators, std::span<const double> denominators) {
  MLP_CHECK_EQ(numerators.size(), denominators.size());
  std::vector<double> ratios(numerators.size());
  for (size_t i = 0; i < ratios.size(); ++i) ratios[i] = numerators[i] / denominators[i];
  return MedianEstimate(ratios);
}

Estimate PairedDifference(std::span<const double> values, std::span<const double> others) {
  MLP_CHECK_EQ(values.size(), others.size());
  std::vector<double> differences(values.size());
  for (size_t i = 0; i < differences.size(); ++i) differences[i] = values[i] - others[i];
  return MedianEstimate(differences);
}

Estimate UnpairedRatio(std::span<const double> numerators, std::span<const double> denominators) {
  return Unpaired(numerators, denominators, std::divides<>());
}

Estimate UnpairedDifference(std::span<const double> values, std::span<const double> others) {
  return Unpaired(values, others, std::minus<>());
}

std::optional<double> SmallestEffect(const Estimate& again) {
  if (!again.HasInterval()) return std::nullopt;
  return std::max(again.high, 1 / again.low) - 1;
}

Summary Summarize(std::span<const double> values) {
  MLP_CHECK(!values.empty());
  const auto [min, max] = std::minmax_element(values.begin(), values.end());
  Summary summary{.n = values.size(),
                  .min = *min,
                  .max = *max,
                  .median = Median({values.begin(), values.end()})};
  const auto n = static_cast<double>(values.size());
  summary.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - summary.mean) * (value - summary.mean);
  summary.deviation = values.size() > 1 ? std::sqrt(squares / (n - 1)) : 0;
  return summary;
}

}  // namespace mlp::analysis
