#include "mlp/data/dataset.h"

// The functions that OpenSSL 3 recommends instead fetch providers and read settings: 3.5 MB more
// that stay resident, for one hash.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <functional>
#include <span>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "mlp/base/check.h"

namespace mlp::data {

std::vector<uint32_t> UsedColumns(const Examples& examples) {
  std::vector<uint8_t> any(examples.features);
  const size_t rows = examples.pixels.empty() ? 0 : examples.size;
  for (size_t i = 0; i < rows; ++i) {
    const uint8_t* row = examples.pixels.data() + i * any.size();
    std::transform(any.begin(), any.end(), row, any.begin(), std::bit_or<uint8_t>());
  }
  std::vector<uint32_t> used;
  for (uint32_t j = 0; j < any.size(); ++j) {
    if (any[j] != 0) used.push_back(j);
  }
  return used;
}

double Density(const Examples& examples) {
  if (examples.pixels.empty()) return 1;
  const auto zeros = std::count(examples.pixels.begin(), examples.pixels.end(), uint8_t{0});
  return 1 - static_cast<double>(zeros) / static_cast<double>(examples.pixels.size());
}

std::string Sha256(const Dataset& dataset) {
  SHA256_CTX context;
  MLP_CHECK_EQ(SHA256_Init(&context), 1);
  for (const Examples* part : {&dataset.train, &dataset.test}) {
    for (const AlignedBuffer<uint8_t>* bytes : {&part->pixels, &part->labels}) {
      MLP_CHECK_EQ(SHA256_Update(&context, bytes->data(), bytes->size()), 1);
    }
    const std::span<const float> values = part->values.span();
    MLP_CHECK_EQ(SHA256_Update(&context, values.data(), values.size_bytes()), 1);
  }
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  MLP_CHECK_EQ(SHA256_Final(digest.data(), &context), 1);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

}  // namespace mlp::data
