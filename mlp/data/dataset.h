// A labelled set of pictures in memory, and its two parts for training and for testing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "mlp/base/aligned_buffer.h"
#include "mlp/data/packed_pixels.h"

namespace mlp::data {

// Inputs are pixels, which stay bytes (a batch is converted when it is gathered), packed or not, or
// numbers of any kind: all but one of the three are empty. Of what trains, the strategy
// tensor_parallel reads packed pixels.
struct Examples {
  AlignedBuffer<uint8_t> pixels;  // [size, features]
  AlignedBuffer<uint8_t> labels;  // [size]
  size_t size = 0;
  size_t features = 0;
  AlignedBuffer<float> values = {};  // [size, features]
  PackedPixels packed = {};

  bool has_pixels() const { return !pixels.empty() || !packed.empty(); }
};

struct Dataset {
  std::string name;  // "digits", "mnist", "circles", or the path it was read from
  size_t rows = 0;   // of a picture, 1 where there are none: rows * cols = features
  size_t cols = 0;
  size_t classes = 0;  // labels are 0 .. classes-1
  Examples train;
  Examples test;
  std::string sha256;  // hex, see Sha256
};

// Which sample has the largest label: "label 9 of training sample 4", counted from 0.
std::string LargestLabel(const Dataset& dataset);

// Where pixels are not 0.
struct PixelUse {
  std::vector<uint32_t>
      columns;         // those that are not 0 in every row, ascending; none for no pixels
  double density = 1;  // the part of all pixels; 1 for no pixels
};

// Walks all pixels that are not packed, once.
PixelUse FindPixelUse(const Examples& examples);

// Gives the examples what was packed: as it is, or as bytes where the part of pixels that are not 0
// is pack_below or more. Exhausted memory throws std::bad_alloc.
void SetPixels(Examples& examples, PixelPacker packer, double pack_below);

// With less than this part of pixels not 0, packed ones take less than half the memory.
inline constexpr double kPackBelow = 0.35;

// Packs pixels that are bytes, however many are 0. Exhausted memory throws std::bad_alloc.
void PackPixels(Examples& examples);

// SHA-256 over train pixels, labels, values, then those of the test part, as 64 hex digits.
std::string Sha256(const Dataset& dataset);

}  // namespace mlp::data
