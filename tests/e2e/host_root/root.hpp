// A Debian root of a test's own: a layer in memory above build/host-root, entered by chroot,
// in namespaces of this process. What Nimbus would send to a host over SSH runs in it.
//
// Thread rule: one thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/process/process.hpp"
#include "core/host/facts.hpp"
#include "core/host/resource.hpp"
#include "reconcilers/configure/correct.hpp"
#include "reconcilers/configure/gap.hpp"

namespace nimbus::test {

/// Namespaces for mounts, host name and network, once per process. The reason why not, or empty.
std::string enter_namespaces();

/// What a pass did: the loop that the controller has, without SSH.
struct Pass {
  std::size_t probes = 0, corrections = 0;
  std::vector<reconcilers::configure::Outcome> outcomes;
  std::vector<reconcilers::configure::Gap> gaps;  // that are left
  host::Facts facts;                              // as last shown

  bool converged() const { return gaps.empty(); }
  const reconcilers::configure::Outcome* outcome(std::string_view id) const;
  /// For messages of a test.
  std::string text() const;
};

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
  host::Facts probe(const host::Configuration& wanted);
  /// To the end: probe, compare, correct a level, again.
  Pass converge(const host::Configuration& wanted);
  /// The first correction of a pass, not run.
  reconcilers::configure::Correction first_correction(const host::Configuration& wanted);

  std::string read(const std::string& path) const;
  void write(const std::string& path, const std::string& text) const;
  bool exists(const std::string& path) const;
  /// The same file's path for this process.
  std::string outside(const std::string& path) const { return (root_ / path.substr(1)).string(); }
  /// Names of ours that a pass must not leave behind.
  std::string leftovers();

 private:
  std::filesystem::path folder_, root_;
  unsigned long tokens_ = 0;
  std::string next_token();
};

}  // namespace nimbus::test
