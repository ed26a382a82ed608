// Losses, their gradients and what they make of outputs, against the textbook.
#include "mlp/kernels/loss/loss.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mlp/base/rng.h"
#include "mlp/base/team.h"
#include "mlp/kernels/kernel_testing.h"
#include "mlp/kernels/kernels.h"
#include "mlp/reference/activation.h"
#include "mlp/reference/loss.h"
#include "mlp/reference/matrix.h"
#include "mlp/reference/softmax.h"

namespace mlp::kernels {
namespace {

constexpr size_t kRows = 13;

// Of one row, [1, n], by the textbook; a squared error's outputs are what they are.
std::vector<double> ProbabilitiesOf(LossKind kind, const reference::Matrix& row) {
  if (kind == LossKind::kSoftmaxCrossEntropy) return reference::Softmax(row).data;
  std::vector<double> p = row.data;
  if (kind == LossKind::kBinaryCrossEntropy) {
    for (double& x : p) x = reference::Activate(reference::Activation::kSigmoid, x);
  }
  return p.size() == 1 ? std::vector<double>{1 - p[0], p[0]} : p;
}

class LossTest : public testing::TestWithParam<Target> {};

TEST_P(LossTest, FollowsTheReference) {
  for (const LossKind kind : kLossKinds) {
    const reference::Loss textbook = reference::LossByName(Name(kind)).value();
    for (const size_t n : {1, 2, 3, 10, 40}) {
      for (const MathMode math : {MathMode::kExact, MathMode::kFast}) {
        Stream stream(n, Purpose::kTest);
        Padded outputs(kRows, n, stream, -6, 6), gradient(kRows, n, stream);
        const size_t classes = ClassCount(kind, n);
        Padded p(kRows, classes, stream);
        std::vector<uint8_t> labels(kRows), hits(kRows);
        for (uint8_t& label : labels) {
          label = static_cast<uint8_t>(stream.Below(static_cast<uint32_t>(classes)));
        }
        const std::vector<int> expected_classes = reference::ClassesOf(textbook, outputs.Double());
        const reference::Matrix slopes =
            reference::LossGradient(textbook, outputs.Double(), {labels.begin(), labels.end()});
        for (const int threads : kTeamSizes) {
          std::vector<float> losses(kRows);
          std::vector<uint32_t> found(kRows);
          RunTeam(threads, [&](const Worker& worker) {
            const Context context = {&KernelsFor(GetParam()), math, worker};
            Loss(context, kind, outputs.view(), labels, 3, losses, hits, gradient.view());
            Probabilities(context, kind, outputs.view(), p.view());
            Classify(context, kind, outputs.view(), found);
          });
          for (size_t i = 0; i < kRows; ++i) {
            reference::Matrix row(1, n);
            for (size_t j = 0; j < n; ++j) {
              row(0, j) = outputs.view()(i, j);
              EXPECT_TRUE(IsNear(gradient.view()(i, j), 3 * kRows * slopes(i, j), 1e-5, 1e-4));
            }
            EXPECT_TRUE(
                IsNear(losses[i], reference::LossOf(textbook, row, {labels[i]}), 1e-5, 1e-5));
            EXPECT_EQ(found[i], static_cast<uint32_t>(expected_classes[i]));
            EXPECT_EQ(hits[i], found[i] == labels[i]);
            const std::vector<double> probabilities = ProbabilitiesOf(kind, row);
            for (size_t c = 0; c < classes; ++c) {
              EXPECT_TRUE(IsNear(p.view()(i, c), probabilities[c], 1e-5, 1e-6))
                  << Name(kind) << " of " << n;
              // The class has the largest.
              EXPECT_LE(p.view()(i, c), p.view()(i, found[i])) << Name(kind) << " of " << n;
            }
          }
          EXPECT_TRUE(gradient.GapsAreUntouched());
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, LossTest, testing::ValuesIn(SupportedTargets()), TestName);

TEST(LossKindTest, NamesAreReadBackAndDefaultsFit) {
  for (const LossKind kind : kLossKinds) EXPECT_EQ(*ParseLossKind(Name(kind)), kind);
  EXPECT_NE(ParseLossKind("hinge").status().message().find("mean_squared_error"),
            std::string::npos);
  EXPECT_EQ(DefaultLoss(1), LossKind::kBinaryCrossEntropy);
  EXPECT_EQ(DefaultLoss(2), LossKind::kSoftmaxCrossEntropy);
  EXPECT_EQ(ClassCount(LossKind::kMeanSquaredError, 1), 2u);
  EXPECT_EQ(ClassCount(LossKind::kBinaryCrossEntropy, 3), 3u);
}

}  // namespace
}  // namespace mlp::kernels
