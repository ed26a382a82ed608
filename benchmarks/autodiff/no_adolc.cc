// In place of ADOL-C where it is not installed.
#include "benchmarks/autodiff/engines.h"

namespace mlp::autodiff {
namespace {

std::vector<Engine> Missing() {
  std::vector<Engine> engines;
  for (const char* name : {"ADOL-C", "ADOL-C, recorded once"}) {
    engines.push_back({.name = name, .skipped = "not installed: tools/setup --peers installs it"});
  }
  return engines;
}

}  // namespace

std::vector<Engine> AdolcSampleEngines(const std::shared_ptr<const SampleJob>&) {
  return Missing();
}
std::vector<Engine> AdolcDagEngines(const std::shared_ptr<const DagJob>&) { return Missing(); }

}  // namespace mlp::autodiff
