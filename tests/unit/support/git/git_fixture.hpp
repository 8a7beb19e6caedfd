// For tests: a folder that goes away, and the real `git` program on repositories in it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/process/process.hpp"
#include "core/call.hpp"

namespace nimbus::test {

/// A new folder below the system's temporary folder, removed with all its content.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const noexcept { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

Call within(std::chrono::milliseconds time);

base::ProgramResult run(std::vector<std::string> argv, const std::string& input = {},
                        std::vector<std::string> environment = {});

/// `git -C folder …` as a person named Test; throws std::runtime_error with git's
/// words if it fails. Trailing line ends are cut.
std::string git(const std::string& folder, std::vector<std::string> arguments, const std::string& input = {});

/// A bare repository at `path`, accepting all that the real forges accept.
void make_bare(const std::string& path);

/// Commits files (path, content) to `branch` of the bare repository, on top of what
/// is there, as `git fast-import` does; returns the commit id.
std::string commit_files(const std::string& bare, const std::string& branch,
                         const std::vector<std::pair<std::string, std::string>>& files,
                         const std::string& message = "Change");

}  // namespace nimbus::test
