#include "mlp/data/dataset.h"

// The functions that OpenSSL 3 recommends instead fetch providers and read settings: 3.5 MB more
// that stay resident, for one hash.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <array>
#include <span>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "mlp/base/check.h"

namespace mlp::data {

std::string LargestLabel(const Dataset& dataset) {
  const Examples* part = nullptr;
  size_t sample = 0;
  for (const Examples* examples : {&dataset.train, &dataset.test}) {
    for (size_t i = 0; i < examples->size; ++i) {
      if (part != nullptr && examples->labels[i] <= part->labels[sample]) continue;
      part = examples;
      sample = i;
    }
  }
  if (part == nullptr) return "no label";
  return absl::StrCat("label ", int{part->labels[sample]}, " of ",
                      part == &dataset.train ? "training" : "test", " sample ", sample);
}

PixelUse FindPixelUse(const Examples& examples) {
  PixelUse use;
  if (!examples.packed.empty()) {
    const PackedPixels& packed = examples.packed;
    use.columns.assign(packed.columns().begin(), packed.columns().end());
    use.density = static_cast<double>(packed.count()) /
                  (static_cast<double>(packed.size()) * static_cast<double>(packed.features()));
  }
  if (examples.pixels.empty()) return use;
  std::vector<uint32_t> rows(examples.features);  // where a column is not 0
  for (size_t i = 0; i < examples.size; ++i) {
    const uint8_t* row = examples.pixels.data() + i * rows.size();
    for (size_t j = 0; j < rows.size(); ++j) rows[j] += row[j] != 0;
  }
  size_t pixels = 0;
  for (uint32_t j = 0; j < rows.size(); ++j) {
    if (rows[j] != 0) use.columns.push_back(j);
    pixels += rows[j];
  }
  use.density = static_cast<double>(pixels) / static_cast<double>(examples.pixels.size());
  return use;
}

void SetPixels(Examples& examples, PixelPacker packer, double pack_below) {
  examples.packed = std::move(packer).Finish();
  const PackedPixels& packed = examples.packed;
  if (FindPixelUse(examples).density < pack_below) return;
  examples.pixels = AlignedBuffer<uint8_t>(packed.size() * packed.features());
  for (size_t i = 0; i < packed.size(); ++i) {
    packed.Unpack(i, examples.pixels.data() + i * packed.features());
  }
  examples.packed = {};
}

void PackPixels(Examples& examples) {
  PixelPacker packer(examples.features);
  packer.Append(examples.pixels.span());
  examples.packed = std::move(packer).Finish();
  examples.pixels = {};
}

std::string Sha256(const Dataset& dataset) {
  SHA256_CTX context;
  MLP_CHECK_EQ(SHA256_Init(&context), 1);
  for (const Examples* part : {&dataset.train, &dataset.test}) {
    std::vector<uint8_t> row(part->packed.features());
    for (size_t i = 0; i < part->packed.size(); ++i) {
      part->packed.Unpack(i, row.data());
      MLP_CHECK_EQ(SHA256_Update(&context, row.data(), row.size()), 1);
    }
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
