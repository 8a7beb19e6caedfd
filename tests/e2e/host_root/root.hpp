// A Debian root of a test's own: a layer in memory above build/host-root, entered by chroot,
// in namespaces of this process. What Nimbus would send to a host over SSH runs in it.
//
// Thread rule: one thread.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/process/process.hpp"
#include "pass.hpp"

namespace nimbus::test {

/// Namespaces for mounts, host name and network, once per process. The reason why not, or empty.
std::string enter_namespaces();

class Root {
 public:
  explicit Root(std::string_view size = "256m");
  ~Root();
  Root(const Root&) = delete;
  Root& operator=(const Root&) = delete;

  /// The shell that scripts run in.
  std::vector<std::string> shell = {"sh"};
  /// The PATH that it starts with.
  std::string search_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  base::ProgramResult run(std::string script);
  /// Its output; fails the test if it fails.
  std::string sh(const std::string& script);
  host::Facts probe(const host::Configuration& wanted) { return passes_.probe(wanted); }
  Pass converge(const host::Configuration& wanted) { return passes_.converge(wanted); }
  reconcilers::configure::Correction first_correction(const host::Configuration& wanted) {
    return passes_.first_correction(wanted);
  }

  std::string read(const std::string& path) const;
  void write(const std::string& path, const std::string& text) const;
  bool exists(const std::string& path) const;
  /// The same file's path for this process.
  std::string outside(const std::string& path) const { return (root_ / path.substr(1)).string(); }
  /// Names of ours that a pass must not leave behind.
  std::string leftovers();

 private:
  std::filesystem::path folder_, root_;
  Passes passes_;
};

/// Fails the test unless it ends as declared, costs one probe and nothing else then, and leaves nothing of ours behind.
void settles(Root& root, const host::Configuration& wanted);

}  // namespace nimbus::test
