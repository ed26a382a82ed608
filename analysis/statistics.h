// Medians with intervals, of single samples and of ratios.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace mlp::analysis {

// With fewer samples even their whole range covers the true median with less than 95 %: the chance
// that all n lie on one side of it is 2^(1-n), and 2^(1-5) > 5 %.
inline constexpr size_t kMinForInterval = 6;

struct Estimate {
  double value = 0;  // The median.
  double low = 0;    // The 95 % interval; with fewer than kMinForInterval samples the range.
  double high = 0;
  size_t n = 0;

  bool HasInterval() const { return n >= kMinForInterval; }
};

// What the estimate becomes for 1 / x; all its numbers are positive.
Estimate Inverse(const Estimate& estimate);

// Of at least one value, none of them NaN; the mean of the two middle ones if their number is even.
double Median(std::vector<double> values);

// Percentile bootstrap of the median (Efron, Tibshirani, "An Introduction to the Bootstrap", 1993,
// chapter 13): 2,000 resamples from a stream that depends on nothing else, so the same samples in
// the same order give the same interval. At least one value.
Estimate MedianEstimate(std::span<const double> values);

// Median of numerators[i] / denominators[i], for repetitions that ran side by side: what disturbs
// both cancels. Equal sizes, at least one; all positive.
Estimate PairedRatio(std::span<const double> numerators, std::span<const double> denominators);

// Median of the numerators over that of the denominators, each resampled by itself, for samples of
// different runs. At least one each; all positive. n is the smaller of both numbers.
Estimate UnpairedRatio(std::span<const double> numerators, std::span<const double> denominators);

// Median of the values less that of the others, resampled likewise. At least one each. n as above.
Estimate UnpairedDifference(std::span<const double> values, std::span<const double> others);

// Median of values[i] - others[i], of repetitions that ran side by side. Equal sizes, at least one.
Estimate PairedDifference(std::span<const double> values, std::span<const double> others);

// What the ratio of two runs of the same thing (A/A) says about the smallest effect that can be
// told from noise: 0.013 means 1.3 %, up or down alike. Nothing where there is no interval.
std::optional<double> SmallestEffect(const Estimate& again);

struct Summary {
  size_t n = 0;
  double mean = 0;
  double deviation = 0;  // Of the sample (n - 1); 0 for n = 1.
  double min = 0;
  double max = 0;
  double median = 0;
};

// At least one value.
Summary Summarize(std::span<const double> values);

}  // namespace mlp::analysis
