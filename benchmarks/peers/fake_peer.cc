// A peer that trains nothing, for tests of the driver: its argument says how it behaves.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include "benchmarks/peers/protocol.h"

namespace mlp::peers {
namespace {

void Answer(const Json& json) { std::cout << record::Dump(json) << std::endl; }

// What goes wrong with an epoch; whether that was in place of an answer.
bool Misbehave(const std::string& how) {
  if (how == "dies") {
    std::cerr << "warming up\nout of luck\n";
    std::exit(3);
  }
  if (how == "killed") raise(SIGKILL);
  if (how == "hangs") pause();
  if (how == "closes") {
    close(STDOUT_FILENO);
    pause();
  }
  if (how == "endless") {
    const std::string piece(1 << 16, 'x');
    while (std::cout << piece) {
    }
  }
  if (how == "garbage") {
    std::cout << "Epoch 1/1 [====]" << std::endl;
  } else if (how == "refuses") {
    Answer({{"ok", false}, {"error", "no more epochs today"}});
  } else if (how == "no_ms") {
    Answer({{"ok", true}, {"loss", 1}});
  } else {
    return false;
  }
  return true;
}

int Main(const std::string& how) {
  int epoch = 0;
  int threads = 1;
  for (std::string line; std::getline(std::cin, line);) {
    const Json request = Json::parse(line);
    const std::string op = request["op"].get<std::string>();
    if (op == "quit") return how == "stays" ? pause() : 0;
    if (op == "init") {
      InitAnswer answer = {"fake", {{"fake", "1.0"}}, {}};
      if (how == "sgd") answer.uses.optimizer = "sgd";
      threads = request["threads"].get<int>();
      answer.uses.threads = threads;
      Answer(ToJson(answer));
    } else if (op == "epoch") {
      ++epoch;
      if (Misbehave(how)) continue;
      const bool wrong = how == "wrong" || (how == "wrong_later" && epoch > 1);
      const double loss = (wrong ? 2.0 : 1.0) / epoch;
      // In one write, so that both lines are there at once.
      if (how == "chatty") std::cout << "done\n";
      const bool slow = how == "slow" || (how == "alone" && threads > 1);
      double ms = slow ? 100 : 10;
      if (how == "close") ms = threads == 1 ? 9.5 : 10;
      // A little better with all threads, but for one bad moment.
      if (how == "unlucky") ms = threads == 1 ? 12 : epoch == 2 ? 15 : 10;
      Answer(ToJson(EpochAnswer{ms, loss, 1 - 0.1 / epoch, 1 << 20}));
    } else if (op == "evaluate") {
      Answer(ToJson(EvaluateAnswer{1.0 / epoch, 1 - 0.1 / epoch}));
    } else {
      Answer(ToJson(PredictAnswer{5}));
    }
  }
  return 0;
}

}  // namespace
}  // namespace mlp::peers

int main(int argc, char** argv) { return mlp::peers::Main(argc > 1 ? argv[1] : "good"); }
