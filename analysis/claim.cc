#include "analysis/claim.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "analysis/markdown.h"
#include "analysis/table.h"
#include "analysis/value.h"
#include "mlp/base/check.h"

namespace mlp::analysis {
namespace {

struct Candidate {
  const Row* row;
  std::vector<double> values;  // at least one
  double median;
};

// Variants that have the value, the largest median first.
std::vector<Candidate> Candidates(const Table& table, const std::string& path) {
  std::vector<Candidate> candidates;
  for (const Row& row : table.rows) {
    if (table.IsAgain(row) || !row.checked) continue;
    std::vector<double> values = SampleValues(row, path);
    if (values.empty()) continue;
    const double median = Median(values);
    candidates.push_back({&row, std::move(values), median});
  }
  std::ranges::stable_sort(candidates, std::greater(), &Candidate::median);
  return candidates;
}

std::string Capital(std::string text) {
  text[0] = absl::ascii_toupper(static_cast<unsigned char>(text[0]));
  return text;
}

bool IsHigherBetter(const Table& table, const std::string& path) {
  return path == table.view.primary ? *table.view.higher_is_better : HigherIsBetter(path);
}

// Whether runs side by side leave it open which of the two is better.
bool MayBeEqual(const Row& a, const Row& b, const std::string& path) {
  std::vector<double> mine, theirs;
  const auto other = Samples(b, path);
  for (const auto& [key, value] : Samples(a, path)) {
    const auto pair = other.find(key);
    if (pair == other.end()) continue;
    mine.push_back(value);
    theirs.push_back(pair->second);
  }
  if (mine.empty()) return true;
  const Estimate difference = PairedDifference(mine, theirs);
  return !difference.HasInterval() || (difference.low <= 0 && difference.high >= 0);
}

std::string Best(const Table& table, const std::string& path) {
  std::vector<Candidate> all = Candidates(table, path);
  std::vector<std::string> partial;
  std::vector<Candidate> ranked;
  for (const Row& row : table.rows) {
    if (table.IsAgain(row) || row.ok == 0 || !row.checked) continue;
    const size_t n = SampleValues(row, path).size();
    if (n < row.ok)
      partial.push_back(absl::StrCat(Code(row.variant), " (", n, " of ", row.ok, ")"));
  }
  for (Candidate& candidate : all) {
    if (candidate.values.size() == candidate.row->ok) ranked.push_back(std::move(candidate));
  }
  if (ranked.empty()) return "";
  if (!IsHigherBetter(table, path)) std::ranges::reverse(ranked);
  const auto text = [&](const Candidate& candidate) {
    return absl::StrCat(VariantName(table, *candidate.row), ", ",
                        FormatMedian(path, MedianEstimate(candidate.values)));
  };
  const Candidate& best = ranked.front();
  std::string sentence = absl::StrCat("Best ", EscapeMarkdown(Label(path)), ": ", text(best));
  if (ranked.size() > 1) absl::StrAppend(&sentence, "; worst: ", text(ranked.back()));
  if (best.values.size() < kMinForInterval) {
    if (ranked.size() > 1) sentence += "; too few repetitions to tell variants apart";
  } else {
    std::vector<std::string> equal;
    for (const Candidate& candidate : ranked) {
      if (&candidate != &best && MayBeEqual(*best.row, *candidate.row, path)) {
        equal.push_back(Code(candidate.row->variant));
      }
    }
    if (!equal.empty()) {
      absl::StrAppend(&sentence, "; not told apart from the best: ", absl::StrJoin(equal, ", "));
    }
  }
  if (!partial.empty()) {
    absl::StrAppend(&sentence, "; not in every run: ", absl::StrJoin(partial, ", "));
  }
  return sentence + ".";
}

std::string Spread(const Table& table, const std::string& path) {
  std::vector<std::string> parts;
  for (const Row& row : table.rows) {
    const std::vector<double> values = SampleValues(row, path);
    if (values.empty() || table.IsAgain(row)) continue;
    const Summary summary = Summarize(values);
    if (summary.n == 1) {
      parts.push_back(absl::StrCat(Code(row.variant), " ", FormatValue(path, summary.mean),
                                   " (1 seed: too few repetitions for a standard deviation)"));
      continue;
    }
    const Scale scale = ScaleFor(path, summary.mean);
    parts.push_back(absl::StrCat(Code(row.variant), " ", FormatValue(path, summary.mean),
                                 " on average, standard deviation ",
                                 IsPercentage(path) ? FormatPoints(path, summary.deviation)
                                                    : FormatValue(path, summary.deviation),
                                 ", ", FormatNumber(scale, summary.min), " to ",
                                 FormatValue(path, summary.max), " (", summary.n, " seeds)"));
  }
  if (parts.empty()) return "";
  return absl::StrCat(Capital(EscapeMarkdown(Label(path))), ": ", absl::StrJoin(parts, "; "), ".");
}

std::string Within(const Table& table, const std::string& path, double bound) {
  const bool higher = IsHigherBetter(table, path);
  size_t run = 0, within = 0, extremes = 0;
  const Row* extreme = nullptr;
  double most = 0;
  for (const Row& row : table.rows) {
    if (table.IsAgain(row) || row.ok + row.failed == 0) continue;
    ++run;
    const std::vector<double> values = SampleValues(row, path);
    if (values.empty()) continue;
    const double worst = higher ? std::ranges::min(values) : std::ranges::max(values);
    within += row.failed == 0 && (higher ? worst >= bound : worst <= bound);
    if (extreme == nullptr || (higher ? worst < most : worst > most)) {
      extreme = &row;
      most = worst;
      extremes = 0;
    }
    extremes += worst == most;
  }
  if (extreme == nullptr) return "";
  return absl::StrCat(Capital(EscapeMarkdown(Label(path))), ": ",
                      within == run ? absl::StrCat("all ", run) : absl::StrCat(within, " of ", run),
                      " variants stay at or ", higher ? "above " : "below ",
                      FormatValue(path, bound), " in every run; the ",
                      higher ? "lowest" : "largest", " is ", FormatValue(path, most), " (",
                      Code(extreme->variant),
                      extremes > 1 ? absl::StrCat(" and ", extremes - 1, " more") : "", ").");
}

std::string Reach(const Table& table, const std::string& path, double bound) {
  const std::vector<Candidate> candidates = Candidates(table, path);
  if (candidates.empty()) return "";
  const auto reached = std::ranges::count_if(
      candidates, [&](const Candidate& candidate) { return candidate.median >= bound; });
  const auto text = [&](const Candidate& candidate) {
    return absl::StrCat(Code(candidate.row->variant), " (", FormatValue(path, candidate.median),
                        ")");
  };
  return absl::StrCat(Capital(EscapeMarkdown(Label(path))), ": ", reached, " of ",
                      candidates.size(), " reach ", FormatValue(path, bound), "; the highest is ",
                      text(candidates.front()), ", the lowest ", text(candidates.back()), ".");
}

}  // namespace

std::string ClaimSentence(const Table& table, const record::Claim& claim) {
  if (claim.kind == "best") return Best(table, claim.path);
  if (claim.kind == "spread") return Spread(table, claim.path);
  if (claim.kind == "within") return Within(table, claim.path, claim.bound);
  MLP_CHECK_EQ(claim.kind, "reach");
  return Reach(table, claim.path, claim.bound);
}

}  // namespace mlp::analysis
