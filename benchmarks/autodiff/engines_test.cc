// All engines find the same gradients: those of the textbook's tape.
#include "benchmarks/autodiff/engines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace mlp::autodiff {
namespace {

void ExpectAlike(std::vector<Engine> engines, double tolerance) {
  const auto textbook = std::ranges::find(engines, "textbook", &Engine::name);
  ASSERT_NE(textbook, engines.end());
  const double value = textbook->run();
  const std::vector<double> gradient = textbook->gradient();
  double largest = 0;
  for (const double g : gradient) largest = std::max(largest, std::abs(g));
  ASSERT_TRUE(std::isfinite(largest) && largest > 0);
  for (const Engine& engine : engines) {
    SCOPED_TRACE(engine.name);
    if (!engine.skipped.empty()) continue;
    const bool single = engine.name.find("float") != std::string::npos;
    const double allowed = single ? 1e-5 : tolerance;
    for (int again = 0; again < 3; ++again) {
      EXPECT_NEAR(engine.run(), value, allowed * std::abs(value));
      if (!engine.gradient) continue;
      const std::vector<double> found = engine.gradient();
      ASSERT_EQ(found.size(), gradient.size());
      double deviation = 0;
      for (size_t i = 0; i < found.size(); ++i) {
        deviation = std::max(deviation, std::abs(found[i] - gradient[i]));
      }
      EXPECT_LE(deviation, allowed * largest);
    }
  }
}

std::vector<Engine> Both(std::vector<Engine> own, std::vector<Engine> others) {
  own.insert(own.end(), others.begin(), others.end());
  return own;
}

TEST(Engines, FindTheGradientOfASample) {
  const auto job = std::make_shared<SampleJob>(1);
  ExpectAlike(Both(OwnSampleEngines(job), AdolcSampleEngines(job)), 1e-13);
}

TEST(Engines, FindTheGradientOfARandomGraph) {
  const auto job = std::make_shared<DagJob>(20000, 1);
  ExpectAlike(Both(OwnDagEngines(job), AdolcDagEngines(job)), 1e-11);
}

TEST(Engines, RecordsAreSmall) {
  const auto sample = std::make_shared<SampleJob>(1);
  for (const Engine& engine : OwnSampleEngines(sample)) {
    if (!engine.bytes) continue;
    engine.run();
    EXPECT_LE(engine.bytes() / (SampleJob::kNodes * static_cast<double>(engine.samples)), 0.1)
        << engine.name;
  }
  const auto dag = std::make_shared<DagJob>(160000, 1);
  const std::vector<Engine> engines = OwnDagEngines(dag);
  engines[0].run();
  EXPECT_LE(engines[0].bytes() / DagJob::Nodes(dag->n), 24);
}

}  // namespace
}  // namespace mlp::autodiff
