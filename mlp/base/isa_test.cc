#include "mlp/base/isa.h"

#include <gtest/gtest.h>

#include <set>

namespace mlp {
namespace {

TEST(IsaTest, NamesAreDistinctAndTheBestIsSupported) {
  std::set<absl::string_view> names;
  for (const Isa isa : kIsas) names.insert(Name(isa));
  EXPECT_EQ(names.size(), kIsas.size());
  EXPECT_TRUE(IsSupported(Isa::kSse2));
  EXPECT_TRUE(IsSupported(BestIsa()));
}

TEST(IsaTest, AgreesWithTheFeaturesThatTheSystemReports) {
  const std::vector<std::string> features = CpuFeatures();
  const std::set<std::string> set(features.begin(), features.end());
  EXPECT_TRUE(set.contains("sse2"));
  EXPECT_EQ(IsSupported(Isa::kAvx2), set.contains("avx2") && set.contains("fma"));
  EXPECT_EQ(IsSupported(Isa::kAvx512), set.contains("avx512bw") && set.contains("avx512vl"));
  EXPECT_EQ(HasAvx512Bf16(), set.contains("avx512_bf16"));
  // The system may have the tiles and not lend them.
  EXPECT_LE(HasAmxBf16(), set.contains("amx_bf16"));
}

}  // namespace
}  // namespace mlp
