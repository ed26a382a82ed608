#include "mlp/cli/cli_testing.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "mlp/base/check.h"
#include "mlp/base/rng.h"
#include "mlp/data/idx.h"
#include "mlp/io/atomic_file.h"

extern char** environ;

namespace mlp::cli {
namespace {

constexpr uint32_t kSide = 6;

std::string Binary() {
  const char* path = std::getenv("MLP_BINARY");
  MLP_CHECK(path != nullptr);
  return std::filesystem::absolute(path).string();
}

void WritePart(const std::string& directory, const std::string& part, uint32_t n, uint32_t epoch) {
  Stream stream(1, Purpose::kTest, epoch);
  std::vector<uint8_t> pixels;
  std::vector<uint8_t> labels;
  for (uint32_t i = 0; i < n; ++i) {
    labels.push_back(static_cast<uint8_t>(stream.Below(10)));
    for (uint32_t p = 0; p < kSide * kSide; ++p) {
      pixels.push_back(static_cast<uint8_t>(p == labels.back() ? 255 : stream.Below(100)));
    }
  }
  const uint32_t shape[] = {n, kSide, kSide};
  MLP_CHECK(data::WriteIdx(directory + "/" + part + "-images-idx3-ubyte", shape, pixels).ok());
  MLP_CHECK(data::WriteIdx(directory + "/" + part + "-labels-idx1-ubyte", {shape, 1}, labels).ok());
}

std::string ReadToEnd(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<size_t>(n));
  }
  return text;
}

}  // namespace

MlpRunner::MlpRunner() {
  // No test depends on what lies in a cache, nor measures by the way.
  setenv("MLP_TUNE", "off", 1);
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  directory_ = std::filesystem::path(testing::TempDir()) / test->name();
  std::filesystem::remove_all(directory_);
  std::filesystem::create_directories(data());
  WritePart(data(), "train", 200, 0);
  WritePart(data(), "t10k", 50, 1);
}

io::CommandResult MlpRunner::Run(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), Binary());
  const auto result = io::RunCommand(arguments);
  MLP_CHECK(result.ok());
  // Whatever happens: never a signal, never a stack trace.
  EXPECT_LT(result->exit_code, 128) << result->errors;
  return *result;
}

io::CommandResult MlpRunner::RunWithin(size_t address_space,
                                       std::vector<std::string> arguments) const {
  rlimit limit;
  MLP_CHECK_EQ(getrlimit(RLIMIT_AS, &limit), 0);
  const rlimit before = limit;
  limit.rlim_cur = address_space;  // The command inherits it.
  MLP_CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
  io::CommandResult result = Run(std::move(arguments));
  MLP_CHECK_EQ(setrlimit(RLIMIT_AS, &before), 0);
  return result;
}

std::vector<std::string> MlpRunner::TrainArguments(std::vector<std::string> flags) const {
  std::vector<std::string> arguments = {"train"};
  for (const std::string& flag :
       {"--data=" + data(), std::string("--model=36-16-10"), std::string("--batch_size=32")}) {
    const std::string name = flag.substr(0, flag.find('=') + 1);
    const auto is_same = [&](const std::string& given) { return given.starts_with(name); };
    if (std::ranges::none_of(flags, is_same)) arguments.push_back(flag);
  }
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  return arguments;
}

io::CommandResult MlpRunner::Train(std::vector<std::string> flags) const {
  return Run(TrainArguments(std::move(flags)));
}

Json MlpRunner::RunJson(std::vector<std::string> arguments) const {
  const io::CommandResult result = Run(std::move(arguments));
  EXPECT_EQ(result.exit_code, kDone) << result.errors;
  Json document = Json::parse(result.output, nullptr, false);
  EXPECT_TRUE(document.is_object()) << result.output;
  return document;
}

std::string MlpRunner::Read(const std::string& name) const {
  const auto contents = io::ReadFile(Path(name), 1 << 24);
  EXPECT_TRUE(contents.ok()) << contents.status();
  return contents.value_or("");
}

std::vector<std::string> MlpRunner::Files() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    if (entry.path() != data()) names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

RunningMlp::RunningMlp(const std::vector<std::string>& arguments) {
  int output[2];
  int errors[2];
  MLP_CHECK(pipe2(output, O_CLOEXEC) == 0 && pipe2(errors, O_CLOEXEC) == 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors[1], STDERR_FILENO);
  const std::string binary = Binary();
  std::vector<char*> argv = {const_cast<char*>(binary.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  MLP_CHECK_EQ(posix_spawn(&pid_, binary.c_str(), &actions, nullptr, argv.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  close(output[1]);
  close(errors[1]);
  output_fd_ = output[0];
  errors_fd_ = errors[0];
}

RunningMlp::~RunningMlp() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(output_fd_);
  close(errors_fd_);
}

void RunningMlp::WaitForProgress() {
  char c;
  while (errors_.find("loss") == std::string::npos && read(errors_fd_, &c, 1) == 1) errors_ += c;
}

void RunningMlp::Signal(int number) { kill(pid_, number); }

io::CommandResult RunningMlp::Wait() {
  // Neither stream has more than a pipe holds: the program never waits for a reader.
  errors_ += ReadToEnd(errors_fd_);
  io::CommandResult result;
  result.output = ReadToEnd(output_fd_);
  result.errors = errors_;
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = 0;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace mlp::cli
