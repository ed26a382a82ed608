// A stand-alone program as a peer, see command.h.
#include <iostream>
#include <string>
#include <vector>

#include "benchmarks/peers/command.h"
#include "mlp/flags/flags.h"
#include "mlp/flags/program.h"

namespace {

using mlp::peers::Json;

int Main(int argc, char** argv) {
  size_t epochs = 3;
  std::vector<std::string> words;
  mlp::flags::Flags flags("command_peer",
                          "Speaks the protocol of benchmarks/peers/README.md for a program that "
                          "prints how long an epoch takes.");
  flags.Int("epochs", &epochs, {.help = "what {epochs} stands for", .min = 1});
  flags.Positional(&words, {.help = "the command, after --; {data}, {model}, {batch}, {threads}, "
                                    "{seed}, {learning_rate} and {epochs} are filled in",
                            .value_name = "WORD",
                            .min = 1});
  flags.Example("command_peer -- ./trainer {data} {batch} {threads} {epochs}");
  flags.Example("command_peer --epochs=5 -- env DATA={data} ./trainer {batch} {epochs}");
  flags.Example("command_peer -- ./trainer --threads={threads} --epochs={epochs}");
  if (const auto exit_code = flags.Parse(argc, argv)) return *exit_code;

  mlp::peers::CommandPeer peer(words, epochs);
  for (std::string line; std::getline(std::cin, line);) {
    const absl::StatusOr<Json> request = mlp::record::ParseJson(line, "request");
    if (request.ok() && request->is_object() && request->value("op", Json()) == "quit") break;
    const absl::StatusOr<Json> answer = request.ok() ? peer.Answer(*request) : request;
    const Json refusal = {{"ok", false}, {"error", std::string(answer.status().message())}};
    std::cout << mlp::record::Dump(answer.ok() ? *answer : refusal) << std::endl;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return mlp::flags::RunMain("command_peer", [&] { return Main(argc, argv); });
}
