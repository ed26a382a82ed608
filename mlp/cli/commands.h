// The subcommands of `mlp`. Each takes its own command line, argv[0] being its name, and returns
// the exit code.
#pragma once

namespace mlp::cli {

int Train(int argc, const char* const* argv);
int Evaluate(int argc, const char* const* argv);
int Predict(int argc, const char* const* argv);
int Inspect(int argc, const char* const* argv);
int Tune(int argc, const char* const* argv);

}  // namespace mlp::cli
