// What stands around the work of every program: its output is checked, and lack of memory ends it
// with a message.
#pragma once

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

namespace mlp::flags {

// Runs `body` and returns main's exit code: that of body, or `failed` where there was too little
// memory, or where body returned 0 and standard output could not be written; both are said on
// stderr in the program's name. Output that nobody reads any more (as after head) is neither an
// error nor the end by a signal.
int RunMain(absl::string_view program, absl::FunctionRef<int()> body, int failed = 1);

// Text on stdout, at once. What goes wrong with it is remembered for RunMain.
void PrintText(absl::string_view text);

}  // namespace mlp::flags
