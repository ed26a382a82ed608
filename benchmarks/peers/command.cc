#include "benchmarks/peers/command.h"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <regex>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "analysis/statistics.h"
#include "mlp/base/status_macros.h"
#include "mlp/io/subprocess.h"

namespace mlp::peers {
namespace {

constexpr size_t kReadBytes = 1 << 16;  // of what is printed, from the end
constexpr size_t kShownBytes = 300;

std::string End(absl::string_view text, size_t bytes) {
  return std::string(text.substr(text.size() - std::min(text.size(), bytes)));
}

// The numbers that the pattern's first group holds.
std::vector<double> Numbers(const std::string& text, const char* pattern) {
  const std::regex regex(pattern, std::regex::icase);
  std::vector<double> numbers;
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) {
    double number = 0;
    if (absl::SimpleAtod((*it)[1].str(), &number) && number > 0) numbers.push_back(number);
  }
  return numbers;
}

// Of all children that have ended.
uint64_t PeakBytesOfChildren() {
  rusage usage = {};
  getrusage(RUSAGE_CHILDREN, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;  // it counts KiB
}

}  // namespace

std::vector<std::string> FillIn(std::vector<std::string> words, const InitRequest& job,
                                size_t epochs) {
  for (std::string& word : words) {
    word = absl::StrReplaceAll(word, {{"{data}", job.data},
                                      {"{model}", job.model},
                                      {"{batch}", absl::StrCat(job.batch_size)},
                                      {"{threads}", absl::StrCat(job.threads)},
                                      {"{seed}", absl::StrCat(job.seed)},
                                      {"{learning_rate}", absl::StrCat(job.learning_rate)},
                                      {"{epochs}", absl::StrCat(epochs)}});
  }
  return words;
}

absl::StatusOr<double> EpochMs(absl::string_view output) {
  const std::string text = End(output, kReadBytes);
  const std::vector<double> medians =
      Numbers(text, R"((?:^|[^a-z])med(?:ian)?\s*[:=]?\s*([0-9]+(?:\.[0-9]*)?))");
  if (!medians.empty()) return medians.back();
  const std::vector<double> times = Numbers(text, R"(([0-9]+(?:\.[0-9]*)?)\s*ms(?![a-z]))");
  if (!times.empty()) return analysis::Median(times);
  return absl::InvalidArgumentError(
      absl::StrCat("expected a time in what it printed, as \"median 12.3\" or \"12.3 ms\", found: ",
                   End(output, kShownBytes)));
}

absl::StatusOr<Json> CommandPeer::Answer(const Json& request) {
  const auto found = request.find("op");
  const std::string op =
      found != request.end() && found->is_string() ? found->get<std::string>() : "";
  if (op == "init") return Init(request);
  if (argv_.empty()) return absl::FailedPreconditionError("expected init before all else");
  if (op == "epoch") return Epoch();
  if (op == "evaluate") return ToJson(EvaluateAnswer{});
  if (op == "predict") return ToJson(PredictAnswer{});
  return absl::InvalidArgumentError(
      "\"op\": expected init, epoch, evaluate, predict or quit, found something else");
}

absl::StatusOr<Json> CommandPeer::Init(const Json& request) {
  MLP_ASSIGN_OR_RETURN(const InitRequest job, ParseInitRequest(request));
  argv_ = FillIn(words_, job, epochs_);
  InitAnswer answer = {
      .name = std::filesystem::path(argv_[0]).filename().string(), .versions = {}, .uses = {}};
  // What it does nobody can see from here.
  answer.uses.order = false;
  answer.uses.weights = false;
  answer.uses.ftz = false;
  answer.uses.checked = false;
  answer.uses.threads = job.threads;
  answer.uses.note = absl::StrCat("it prints times alone: each is the median of ", epochs_,
                                  " epochs of a process of their own");
  return ToJson(answer);
}

absl::StatusOr<Json> CommandPeer::Epoch() const {
  MLP_ASSIGN_OR_RETURN(const io::CommandResult result, io::RunCommand(argv_));
  if (result.exit_code != 0) {
    return absl::AbortedError(absl::StrCat(argv_[0], ": ended with exit code ", result.exit_code,
                                           ": ", End(result.errors, kShownBytes)));
  }
  MLP_ASSIGN_OR_RETURN(const double ms, EpochMs(result.output));
  return ToJson(EpochAnswer{.ms = ms, .rss_bytes = PeakBytesOfChildren()});
}

}  // namespace mlp::peers
