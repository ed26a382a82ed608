#include "mlp/kernels/target.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace mlp::kernels {
namespace {

TEST(TargetTest, DefaultsToOurKernelsOnTheBestInstructionSet) {
  EXPECT_EQ(*ParseTarget("auto", "auto"), (Target{Backend::kSimd, BestIsa()}));
  EXPECT_EQ(Target(), (Target{Backend::kSimd, BestIsa()}));
}

TEST(TargetTest, NamesAreReadBack) {
  for (const Target& target : SupportedTargets()) {
    const absl::string_view isa = target.backend == Backend::kScalar ? "auto" : Name(target.isa);
    EXPECT_EQ(*ParseTarget(Name(target.backend), isa), target);
  }
  EXPECT_EQ(Name(*ParseTarget("auto", "scalar")), "scalar");
  EXPECT_EQ(Name(*ParseTarget("eigen", "sse2")), "eigen/sse2");
}

TEST(TargetTest, SaysWhatCouldBeAskedFor) {
  const auto message = [](absl::string_view backend, absl::string_view isa) {
    return std::string(ParseTarget(backend, isa).status().message());
  };
  EXPECT_NE(message("blas", "auto").find("scalar, autovec, eigen, simd"), std::string::npos);
  EXPECT_NE(message("auto", "neon").find("sse2, avx2, avx512"), std::string::npos);
  EXPECT_NE(message("eigen", "scalar").find("drop one"), std::string::npos);
  EXPECT_NE(message("scalar", "sse2").find("drop one"), std::string::npos);
  for (const Isa isa : kIsas) {
    if (!IsSupported(isa)) {
      EXPECT_NE(message("auto", Name(isa)).find("this CPU lacks"), std::string::npos);
    }
  }
}

TEST(TargetTest, MathModesAreReadBack) {
  EXPECT_EQ(*ParseMathMode("fast"), MathMode::kFast);
  EXPECT_EQ(*ParseMathMode("exact"), MathMode::kExact);
  EXPECT_FALSE(ParseMathMode("rough").ok());
}

}  // namespace
}  // namespace mlp::kernels
