// Sentences that answer an experiment's question, of the kinds that a view may name.
#pragma once

#include <string>

#include "analysis/aggregate.h"

namespace mlp::analysis {

// In Markdown; "" if no run has the claim's value.
//
//   best    which variant has the best median and which the worst; who cannot be told from the
//           best; who does not come to it in every run. Variants that not every run of comes to it
//           are not ranked.
//   spread  mean, standard deviation and range of each variant, over its seeds.
//   within  how many variants stay on the good side of `bound` in every run, and the extreme run.
//   reach   how many variants' medians come up to `bound`, the highest and the lowest of them.
std::string ClaimSentence(const Table& table, const record::Claim& claim);

}  // namespace mlp::analysis
