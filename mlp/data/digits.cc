#include "mlp/data/digits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "mlp/base/check.h"
#include "mlp/base/rng.h"
#include "mlp/base/team.h"
#include "mlp/data/packed_pixels.h"
#include "mlp/data/strokes.h"

namespace mlp::data {
namespace {

// Close to standard normal, within 3.5, by sums and products alone: the sum of four uniform
// 16-bit numbers.
float Gauss(Stream& stream) {
  constexpr float kMean = 131070.0f;
  constexpr float kInverseDeviation = 1 / 37837.2f;
  const uint32_t a = stream.NextU32();
  const uint32_t b = stream.NextU32();
  const uint32_t sum = (a & 0xFFFF) + (a >> 16) + (b & 0xFFFF) + (b >> 16);
  return (static_cast<float>(sum) - kMean) * kInverseDeviation;
}

const Glyph& ChooseGlyph(Stream& stream, const std::vector<Glyph>& glyphs) {
  int total = 0;
  for (const Glyph& glyph : glyphs) total += glyph.weight;
  int ticket = static_cast<int>(stream.Below(static_cast<uint32_t>(total)));
  for (const Glyph& glyph : glyphs) {
    ticket -= glyph.weight;
    if (ticket < 0) return glyph;
  }
  MLP_CHECK(false);
}

// The way points, each a little off and the next one in much the same way, as a hand drifts; the
// ends of strokes more so.
Trace Write(Stream& stream, const Glyph& glyph, float sloppiness) {
  constexpr float kKept = 0.6f;  // of the drift, from one point to the next
  constexpr float kFresh = 0.8f;
  std::array<WayPoint, kMaxWayPoints> points;
  float drift_x = Gauss(stream);
  float drift_y = Gauss(stream);
  bool begin = true;
  for (size_t i = 0; i < glyph.points.size(); ++i) {
    points[i] = glyph.points[i];
    drift_x = kKept * drift_x + kFresh * Gauss(stream);
    drift_y = kKept * drift_y + kFresh * Gauss(stream);
    const float off = sloppiness * (begin || points[i].stroke_end ? 4.6f : 3.1f);
    points[i].x += off * drift_x;
    points[i].y += off * drift_y;
    begin = points[i].stroke_end;
  }
  return Flatten(std::span(points).first(glyph.points.size()));
}

// A smooth random displacement: Gaussian at the nodes of a grid, blended between them.
class ElasticField {
 public:
  ElasticField(Stream& stream, float strength) {
    for (auto& node : nodes_) {
      for (float& d : node) d = strength * Gauss(stream);
    }
  }

  void Move(PenPoint& p) const {
    const float u = std::clamp((p.x + 10) * (1 / 80.0f), 0.0f, 0.999f) * (kNodes - 1);
    const float v = std::clamp(p.y * (1 / 100.0f), 0.0f, 0.999f) * (kNodes - 1);
    const int column = static_cast<int>(u);
    const int row = static_cast<int>(v);
    const float a = Smooth(u - static_cast<float>(column));
    const float b = Smooth(v - static_cast<float>(row));
    const std::array<float, 2>* n = nodes_.data() + row * kNodes + column;
    const auto blend = [&](int axis) {
      return (1 - b) * ((1 - a) * n[0][axis] + a * n[1][axis]) +
             b * ((1 - a) * n[kNodes][axis] + a * n[kNodes + 1][axis]);
    };
    p.x += blend(0);
    p.y += blend(1);
  }

 private:
  static constexpr int kNodes = 3;
  static float Smooth(float t) { return t * t * (3 - 2 * t); }

  std::array<std::array<float, 2>, kNodes * kNodes> nodes_;  // [row, column] -> dx, dy
};

// Width, slant and rotation of the hand.
void Lean(Stream& stream, std::span<PenPoint> points) {
  const float aspect = 1.08f + 0.17f * Gauss(stream);
  const float slant = 0.1f + 0.235f * Gauss(stream);
  const float half_angle = 0.055f * Gauss(stream);
  // cos and sin of a rotation without either.
  const float inverse = 1 / (1 + half_angle * half_angle);
  const float c = (1 - half_angle * half_angle) * inverse;
  const float s = 2 * half_angle * inverse;
  for (PenPoint& p : points) {
    const float x = aspect * p.x + slant * (50 - p.y);
    const float y = p.y;
    p.x = c * x - s * y;
    p.y = s * x + c * y;
  }
}

struct Box {
  float left, right, top, bottom;
};

Box Bounds(std::span<const PenPoint> points) {
  Box box{points[0].x, points[0].x, points[0].y, points[0].y};
  for (const PenPoint& p : points) {
    box.left = std::min(box.left, p.x);
    box.right = std::max(box.right, p.x);
    box.top = std::min(box.top, p.y);
    box.bottom = std::max(box.bottom, p.y);
  }
  return box;
}

// From 1/100 of a height to pixels: as MNIST does, a digit fits a box of about 20 x 20 and its
// centre of mass lies near the middle of the picture; then both a little off.
void Place(Stream& stream, float radius, std::span<PenPoint> points) {
  constexpr float kMiddle = (kDigitSide - 1) / 2.0f;
  const Box box = Bounds(points);
  const float size = 20 + 0.9f * Gauss(stream);
  const float extent = std::max({box.right - box.left, box.bottom - box.top, 1.0f});
  const float scale = (size - 2 * radius) / extent;
  float mass = 0, x_sum = 0, y_sum = 0;
  for (size_t i = 1; i < points.size(); ++i) {
    if (points[i].stroke_begin) continue;
    const float dx = points[i].x - points[i - 1].x;
    const float dy = points[i].y - points[i - 1].y;
    const float length = std::sqrt(dx * dx + dy * dy);
    mass += length;
    x_sum += length * (points[i].x + points[i - 1].x) * 0.5f;
    y_sum += length * (points[i].y + points[i - 1].y) * 0.5f;
  }
  float dx = kMiddle + 0.76f * Gauss(stream) - scale * (x_sum / mass);
  float dy = kMiddle + 0.76f * Gauss(stream) - scale * (y_sum / mass);
  // The whole digit stays on the paper.
  const float low = radius;
  const float high = kDigitSide - 1 - radius;
  dx = std::max(std::min(dx, high - scale * box.right), low - scale * box.left);
  dy = std::max(std::min(dy, high - scale * box.bottom), low - scale * box.top);
  for (PenPoint& p : points) {
    p.x = scale * p.x + dx;
    p.y = scale * p.y + dy;
  }
}

// The pen's width along the way: a few random values, linear between them.
void Press(Stream& stream, float radius, std::span<PenPoint> points) {
  constexpr int kKnots = 5;
  std::array<float, kKnots + 1> knots;
  for (float& knot : knots) knot = radius * (1 + 0.13f * Gauss(stream));
  const float step = (kKnots - 1) / static_cast<float>(points.size());
  for (size_t i = 0; i < points.size(); ++i) {
    const float u = static_cast<float>(i) * step;
    const int k = static_cast<int>(u);
    const float t = u - static_cast<float>(k);
    points[i].radius = (1 - t) * knots[k] + t * knots[k + 1];
  }
}

// Four random bytes at a time.
class ByteStream {
 public:
  explicit ByteStream(Stream& stream) : stream_(stream) {}
  int Next() {
    if (left_ == 0) {
      bits_ = stream_.NextU32();
      left_ = 4;
    }
    const int byte = static_cast<int>(bits_ & 0xFF);
    bits_ >>= 8;
    --left_;
    return byte;
  }

 private:
  Stream& stream_;
  uint32_t bits_ = 0;
  int left_ = 0;
};

// Ink of one darkness with a soft edge and grain, and here and there a speck on the paper.
void Ink(Stream& stream, const Field& distance, float softness,
         std::span<uint8_t, kDigitPixels> pixels) {
  const float fade = stream.Uniform();
  const float darkness = 255 - 45 * fade * fade;
  const float grain = 0.12f * stream.Uniform();
  const float inverse = 1 / softness;
  ByteStream bytes(stream);
  for (int i = 0; i < kDigitPixels; ++i) {
    const float cover = std::min(0.5f - distance[i] * inverse, 1.0f);
    pixels[i] = 0;
    if (cover <= 0) continue;
    const float noise = 1 - grain * static_cast<float>(bytes.Next()) * (1 / 255.0f);
    pixels[i] = static_cast<uint8_t>(darkness * cover * noise + 0.5f);
  }
  for (uint32_t specks = stream.Below(8); specks > 5; --specks) {
    uint8_t& pixel = pixels[stream.Below(kDigitPixels)];
    pixel = std::max(pixel, static_cast<uint8_t>(10 + stream.Below(70)));
  }
}

// Samples that are drawn before they are packed.
constexpr size_t kPackedTogether = 2048;

Examples MakePart(uint64_t seed, uint32_t part, size_t size, double pack_below) {
  MLP_CHECK_LE(size, size_t{0xFFFFFFFF});
  const bool packs = pack_below > 0 && size > 0;
  const size_t block = packs ? std::min(size, kPackedTogether) : size;
  AlignedBuffer<uint8_t> pixels(block * kDigitPixels);
  Examples examples{
      .pixels = {}, .labels = AlignedBuffer<uint8_t>(size), .size = size, .features = kDigitPixels};
  PixelPacker packer(kDigitPixels);
  for (size_t begin = 0; begin < size; begin += block) {
    const size_t count = std::min(block, size - begin);
    RunTeam(EffectiveThreads(0), [&](const Worker& worker) {
      const Range share = worker.Share(count);
      for (size_t i = share.begin; i < share.end; ++i) {
        examples.labels[begin + i] = DrawDigit(
            seed, part, static_cast<uint32_t>(begin + i),
            std::span<uint8_t, kDigitPixels>(pixels.data() + i * kDigitPixels, kDigitPixels));
      }
    });
    if (packs) packer.Append(pixels.span().first(count * kDigitPixels));
  }
  if (packs) {
    SetPixels(examples, std::move(packer), pack_below);
  } else {
    examples.pixels = std::move(pixels);
  }
  return examples;
}

}  // namespace

uint8_t DrawDigit(uint64_t seed, uint32_t part, uint32_t index,
                  std::span<uint8_t, kDigitPixels> pixels) {
  Stream stream(seed, Purpose::kDigits, part, index);
  const uint32_t label = stream.Below(10);
  const Glyph& glyph = ChooseGlyph(stream, DigitGlyphs()[label]);
  // Most hands are neat, some are not.
  const float haste = stream.Uniform();
  const float sloppiness = 0.5f + 0.9f * haste * haste;
  Trace trace = Write(stream, glyph, sloppiness);
  const ElasticField elastic(stream, 6.5f * sloppiness);
  for (PenPoint& p : trace.points()) elastic.Move(p);
  Lean(stream, trace.points());
  const float radius = std::clamp(1.38f + 0.32f * Gauss(stream), 0.6f, 2.0f);
  Place(stream, radius, trace.points());
  Press(stream, radius, trace.points());
  const float softness = 0.85f + 0.5f * stream.Uniform();
  Field distance;
  DistanceToInk(trace, 0.5f * softness, distance);
  Ink(stream, distance, softness, pixels);
  return static_cast<uint8_t>(label);
}

Dataset MakeDigits(uint64_t seed, size_t train, size_t test, double pack_below,
                   double pack_test_below) {
  Dataset dataset{.name = "digits",
                  .rows = kDigitSide,
                  .cols = kDigitSide,
                  .classes = 10,
                  .train = MakePart(seed, 0, train, pack_below),
                  .test = MakePart(seed, 1, test, pack_test_below),
                  .sha256 = {}};
  dataset.sha256 = Sha256(dataset);
  return dataset;
}

}  // namespace mlp::data
