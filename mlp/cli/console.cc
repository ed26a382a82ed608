#include "mlp/cli/console.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace mlp::cli {
namespace {

int output_error = 0;  // the errno of the first write that failed

void Complain(absl::string_view who, absl::string_view what) {
  std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(who.size()), who.data(),
               static_cast<int>(what.size()), what.data());
}

}  // namespace

int Fail(const absl::Status& status) {
  Complain("mlp", status.message());
  return kFailed;
}

int RefuseUse(absl::string_view command, const absl::Status& status) {
  Complain(command, status.message());
  return kWrongUse;
}

void Note(bool quiet, absl::string_view text) {
  if (!quiet) Complain("mlp: note", text);
}

void PrintJson(const Json& document) {
  PrintText(document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

void PrintText(absl::string_view text) {
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!written && output_error == 0) output_error = errno;
}

int CheckedOutput(int exit_code) {
  if (std::fflush(stdout) != 0 && output_error == 0) output_error = errno;
  // Who closes a pipe (as head does) has seen enough.
  if (output_error == 0 || output_error == EPIPE || exit_code != kDone) return exit_code;
  Complain("mlp: standard output: cannot write", std::strerror(output_error));
  return kFailed;
}

}  // namespace mlp::cli
