#include "mlp/data/dataset.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "mlp/base/check.h"

namespace mlp::data {

double Density(const Examples& examples) {
  if (examples.pixels.empty()) return 1;
  const auto zeros = std::count(examples.pixels.begin(), examples.pixels.end(), uint8_t{0});
  return 1 - static_cast<double>(zeros) / static_cast<double>(examples.pixels.size());
}

std::string Sha256(const Dataset& dataset) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  MLP_CHECK(context != nullptr);
  MLP_CHECK_EQ(EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr), 1);
  for (const Examples* part : {&dataset.train, &dataset.test}) {
    for (const AlignedBuffer<uint8_t>* bytes : {&part->pixels, &part->labels}) {
      MLP_CHECK_EQ(EVP_DigestUpdate(context.get(), bytes->data(), bytes->size()), 1);
    }
    const std::span<const float> values = part->values.span();
    MLP_CHECK_EQ(EVP_DigestUpdate(context.get(), values.data(), values.size_bytes()), 1);
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  MLP_CHECK_EQ(EVP_DigestFinal_ex(context.get(), digest.data(), &size), 1);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), size));
}

}  // namespace mlp::data
