#include "mlp/base/names.h"

#include <gtest/gtest.h>

#include <array>

namespace mlp {
namespace fruit {

enum class Fruit { kApple, kPear };
inline constexpr std::array kFruits = {Fruit::kApple, Fruit::kPear};

absl::string_view Name(Fruit fruit) { return fruit == Fruit::kApple ? "apple" : "pear"; }

}  // namespace fruit

TEST(Names, AreInTheListsOrder) {
  EXPECT_EQ(Names(fruit::kFruits), (std::vector<std::string>{"apple", "pear"}));
  EXPECT_EQ(NamesOf(fruit::kFruits), "apple, pear");
}

TEST(ParseName, FindsTheEnumerator) {
  EXPECT_EQ(*ParseName("--fruit", fruit::kFruits, "pear"), fruit::Fruit::kPear);
}

TEST(ParseName, AnErrorNamesThemAll) {
  EXPECT_EQ(ParseName("--fruit", fruit::kFruits, "plum").status().message(),
            "--fruit: expected one of apple, pear, found \"plum\"");
  EXPECT_EQ(ParseName("--fruit", fruit::kFruits, "", "auto").status().message(),
            "--fruit: expected one of auto, apple, pear, found \"\"");
}

}  // namespace mlp
