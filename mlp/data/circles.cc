#include "mlp/data/circles.h"

#include <cmath>
#include <numbers>

#include "mlp/base/rng.h"

namespace mlp::data {
namespace {

Examples MakePart(const CirclesOptions& options, uint32_t part, size_t size) {
  Examples examples{.pixels = {},
                    .labels = AlignedBuffer<uint8_t>(size),
                    .size = size,
                    .features = 2,
                    .values = AlignedBuffer<float>(2 * size)};
  for (size_t i = 0; i < size; ++i) {
    Stream stream(options.seed, Purpose::kCircles, part, static_cast<uint32_t>(i));
    const bool inner = i % 2 == 1;
    const float radius = inner ? options.factor : 1;
    const float angle = 2 * std::numbers::pi_v<float> * stream.Uniform();
    examples.labels[i] = inner ? 1 : 0;
    examples.values[2 * i] = radius * std::cos(angle) + options.noise * stream.Normal();
    examples.values[2 * i + 1] = radius * std::sin(angle) + options.noise * stream.Normal();
  }
  return examples;
}

}  // namespace

Dataset MakeCircles(const CirclesOptions& options) {
  Dataset dataset{.name = "circles",
                  .rows = 1,
                  .cols = 2,
                  .classes = 2,
                  .train = MakePart(options, 0, options.train),
                  .test = MakePart(options, 1, options.test),
                  .sha256 = {}};
  dataset.sha256 = Sha256(dataset);
  return dataset;
}

}  // namespace mlp::data
