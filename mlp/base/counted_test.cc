#include "mlp/base/counted.h"

#include <gtest/gtest.h>

namespace mlp {
namespace {

TEST(Counted, OneIsNoPlural) {
  EXPECT_EQ(Counted(0, "epoch"), "0 epochs");
  EXPECT_EQ(Counted(1, "epoch"), "1 epoch");
  EXPECT_EQ(Counted(2, "epoch"), "2 epochs");
}

}  // namespace
}  // namespace mlp
