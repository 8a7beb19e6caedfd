#include "tests/unit/support/git/git_fixture.hpp"

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "base/time/time.hpp"

namespace nimbus::test {
namespace {

const base::SystemClock the_clock;

}  // namespace

TempFolder::TempFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "nimbus-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
  path_ = pattern;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Call within(std::chrono::milliseconds time) { return Call{the_clock.now() + time}; }

base::ProgramResult run(std::vector<std::string> argv, const std::string& input, std::vector<std::string> environment) {
  const char* path = std::getenv("PATH");
  environment.push_back("PATH=" + std::string(path != nullptr ? path : "/usr/bin:/bin"));
  const base::Program program{.argv = std::move(argv),
                              .environment = std::move(environment),
                              .input = input,
                              .output_limit_bytes = std::size_t{64} << 20U};
  auto result = base::run_program(program, within(std::chrono::seconds(60)), the_clock);
  if (!result) throw std::runtime_error(result.error().text());
  return *result;
}

std::string git(const std::string& folder, std::vector<std::string> arguments, const std::string& input) {
  arguments.insert(arguments.begin(), {"git", "-C", folder});
  const std::string words = arguments[3];
  auto result = run(
      std::move(arguments), input,
      {"HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "LC_ALL=C", "GIT_AUTHOR_NAME=Test",
       "GIT_AUTHOR_EMAIL=test@test.example", "GIT_COMMITTER_NAME=Test", "GIT_COMMITTER_EMAIL=test@test.example",
       "GIT_AUTHOR_DATE=1700000000 +0000", "GIT_COMMITTER_DATE=1700000000 +0000"});
  if (result.exit_code != 0) throw std::runtime_error("git " + words + ": " + result.errors.text);
  while (result.output.text.ends_with('\n')) result.output.text.pop_back();
  return result.output.text;
}

void make_bare(const std::string& path) {
  std::filesystem::create_directories(path);
  git(path, {"init", "--quiet", "--bare", "--initial-branch=main"});
}

std::string commit_files(const std::string& bare, const std::string& branch,
                         const std::vector<std::pair<std::string, std::string>>& files, const std::string& message) {
  const auto data = [](const std::string& text) { return "data " + std::to_string(text.size()) + "\n" + text + "\n"; };
  std::string stream =
      "commit refs/heads/" + branch + "\ncommitter Test <test@test.example> 1700000000 +0000\n" + data(message);
  try {
    stream += "from " + git(bare, {"rev-parse", "--verify", "--quiet", "refs/heads/" + branch}) + "\n";
  } catch (const std::runtime_error&) {
    // The branch begins here.
  }
  for (const auto& [path, content] : files) stream += "M 100644 inline " + path + "\n" + data(content);
  git(bare, {"fast-import", "--quiet", "--force"}, stream);
  return git(bare, {"rev-parse", "refs/heads/" + branch});
}

}  // namespace nimbus::test
