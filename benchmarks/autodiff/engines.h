// Ways to differentiate the jobs, one beside the other.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/autodiff/job.h"

namespace mlp::autodiff {

// One way, with a job of its own.
struct Engine {
  std::string name;
  std::string skipped = "";  // why it cannot run here
  // Does the job once, from values to gradient, and returns the value.
  std::function<double()> run = nullptr;
  // Of the last run, with respect to the job's weights or starting values. Null where a run
  // computes the value alone.
  std::function<std::vector<double>()> gradient = nullptr;
  // Memory of the last run's record. Null where it is not known.
  std::function<double()> bytes = nullptr;
  size_t samples = 1;  // that a run does
  // In place of all these: what a sample took, in seconds, of an engine that times itself.
  std::function<absl::StatusOr<double>()> seconds = nullptr;
};

// This project's: how values are held, and what is computed.
std::vector<Engine> OwnSampleEngines(const std::shared_ptr<const SampleJob>& job);
std::vector<Engine> OwnDagEngines(const std::shared_ptr<const DagJob>& job);

// ADOL-C (A. Walther, A. Griewank: "Getting started with ADOL-C", 2012), skipped where it is not
// installed.
std::vector<Engine> AdolcSampleEngines(const std::shared_ptr<const SampleJob>& job);
std::vector<Engine> AdolcDagEngines(const std::shared_ptr<const DagJob>& job);

}  // namespace mlp::autodiff
