#include "mlp/flags/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "mlp/base/check.h"

namespace mlp::flags {
namespace {

constexpr double kRedrawEvery_s = 0.1;
constexpr int kBarWidth = 24;
constexpr int kMinBarWidth = 6;

int Columns(std::FILE* stream) {
  winsize size = {};
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

std::string Rate(double per_s) {
  const char* const prefixes[] = {"", "k", "M", "G"};
  int prefix = 0;
  for (; per_s >= 1000 && prefix < 3; ++prefix) per_s /= 1000;
  return per_s < 10 ? absl::StrFormat("%.1f%s/s", per_s, prefixes[prefix])
                    : absl::StrFormat("%.0f%s/s", per_s, prefixes[prefix]);
}

std::string Duration(double seconds) {
  const auto s = static_cast<int64_t>(std::min(seconds, 3.6e8) + 0.5);
  if (s >= 3600) return absl::StrFormat("%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
  return absl::StrFormat("%d:%02d", s / 60, s % 60);
}

}  // namespace

ProgressMode ToProgressMode(absl::string_view text) {
  if (text == "always") return ProgressMode::kAlways;
  if (text == "never") return ProgressMode::kNever;
  MLP_CHECK(text == "auto");
  return ProgressMode::kAuto;
}

std::string ProgressLine(absl::string_view label, int64_t done, int64_t total, double elapsed_s,
                         absl::string_view suffix, int columns) {
  const double rate = elapsed_s > 0 ? static_cast<double>(done) / elapsed_s : 0;
  std::string numbers;  // what stands after the bar
  if (rate > 0) absl::StrAppend(&numbers, "  ", Rate(rate));
  if (rate > 0 && total > done) {
    absl::StrAppend(&numbers, "  ", Duration(static_cast<double>(total - done) / rate), " left");
  }
  if (!suffix.empty()) absl::StrAppend(&numbers, "  ", suffix);
  // A full last column would wrap on some terminals.
  const int width = std::max(columns - 1, 0);
  std::string line(label);
  if (total > 0) {
    const double part = std::clamp(static_cast<double>(done) / static_cast<double>(total), 0., 1.);
    const int others = static_cast<int>(label.size() + numbers.size()) + 9;  // " [] 100 %"
    const int bar = std::clamp(width - others, kMinBarWidth, kBarWidth);
    const int full = static_cast<int>(part * bar);
    absl::StrAppend(&line, " [", std::string(full, '#'), std::string(bar - full, '-'), "] ",
                    absl::StrFormat("%3d %%", static_cast<int>(part * 100)));
  } else {
    absl::StrAppend(&line, " ", done);
  }
  line += numbers;
  line.resize(std::min(line.size(), static_cast<size_t>(width)));
  return line;
}

Progress::Progress(std::string label, int64_t total, ProgressMode mode, std::FILE* stream)
    : label_(std::move(label)),
      total_(total),
      stream_(stream),
      active_(mode == ProgressMode::kAlways ||
              (mode == ProgressMode::kAuto && isatty(fileno(stream)))) {}

void Progress::Update(int64_t done, absl::string_view suffix) {
  if (!active_) return;
  const double elapsed_s = timer_.Seconds();
  if (elapsed_s < next_redraw_s_) return;
  next_redraw_s_ = elapsed_s + kRedrawEvery_s;
  // \r\033[K: to the start of the line, and clear it.
  const std::string line = ProgressLine(label_, done, total_, elapsed_s, suffix, Columns(stream_));
  std::fprintf(stream_, "\r\033[K%s", line.c_str());
  std::fflush(stream_);
  drawn_ = true;
}

void Progress::Clear() {
  if (!drawn_) return;
  std::fputs("\r\033[K", stream_);
  std::fflush(stream_);
  drawn_ = false;
  next_redraw_s_ = 0;
}

void Progress::Finish() {
  Clear();
  active_ = false;
}

}  // namespace mlp::flags
