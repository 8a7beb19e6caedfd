// The kinds of resources: for each, what it asks the probe for, how it is compared, and
// how it is corrected. One file each (packages.cpp, paths.cpp, …); std::visit chooses.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/host/facts.hpp"
#include "core/host/resource.hpp"
#include "reconcilers/configure/gap.hpp"
#include "reconcilers/configure/needs.hpp"

namespace nimbus::reconcilers::configure {

/// A gap in the making: without drifts and problem there is none.
struct Check {
  const std::string& id;
  const host::Facts& shown;
  Gap gap = {};

  void differs(std::string_view aspect, std::string desired, std::string observed);
  void unknown(std::string why);
  void unsupported(std::string why);
};

/// A correction in the making: shell text that runs in a subshell of its own, with the
/// functions of prelude.hpp, its output captured; exit status kBusy says that a lock is held.
struct Step {
  const std::string& id;
  const host::Facts& shown;
  bool pending = false;  // it was notified before, or its validation was cut off
  std::string token = {};
  std::string trial = {};                  // of a guarded action: digest_of_trial()
  std::vector<std::string> notifies = {};  // state names of what this change notifies
  std::vector<std::string> guarded = {};   // those of them that may have to be undone
  std::string body = {};                   // each line ends with a line end
  std::string hidden = {};                 // in `body` and not for people: what prints a content
  std::string instead = {};                // what people see there
  bool announced = false;

  void line(std::string_view text);
  /// Remembers on the host what this change notifies: comes before the change itself.
  void announce();
  /// Keeps what is at `path` for the undo of the guarded actions that this notifies.
  void save(std::string_view path);
};
inline constexpr int kBusy = 75;        // EX_TEMPFAIL of sysexits.h
inline constexpr int kAlreadySo = 254;  // nothing had to be done

// clang-format off
void ask(const host::Package&, ProbeNeeds&);      void check(const host::Package&, Check&);      void correct(const host::Package&, Step&);
void ask(const host::File&, ProbeNeeds&);         void check(const host::File&, Check&);         void correct(const host::File&, Step&);
void ask(const host::Directory&, ProbeNeeds&);    void check(const host::Directory&, Check&);    void correct(const host::Directory&, Step&);
void ask(const host::Link&, ProbeNeeds&);         void check(const host::Link&, Check&);         void correct(const host::Link&, Step&);
void ask(const host::OwnedFiles&, ProbeNeeds&);   void check(const host::OwnedFiles&, Check&);   void correct(const host::OwnedFiles&, Step&);
void ask(const host::Group&, ProbeNeeds&);        void check(const host::Group&, Check&);        void correct(const host::Group&, Step&);
void ask(const host::User&, ProbeNeeds&);         void check(const host::User&, Check&);         void correct(const host::User&, Step&);
void ask(const host::Unit&, ProbeNeeds&);         void check(const host::Unit&, Check&);         void correct(const host::Unit&, Step&);
void ask(const host::Sysctl&, ProbeNeeds&);       void check(const host::Sysctl&, Check&);       void correct(const host::Sysctl&, Step&);
void ask(const host::KernelModule&, ProbeNeeds&); void check(const host::KernelModule&, Check&); void correct(const host::KernelModule&, Step&);
void ask(const host::Mount&, ProbeNeeds&);        void check(const host::Mount&, Check&);        void correct(const host::Mount&, Step&);
void ask(const host::Swap&, ProbeNeeds&);         void check(const host::Swap&, Check&);         void correct(const host::Swap&, Step&);
void ask(const host::Setting&, ProbeNeeds&);      void check(const host::Setting&, Check&);      void correct(const host::Setting&, Step&);
void ask(const host::Block&, ProbeNeeds&);        void check(const host::Block&, Check&);        void correct(const host::Block&, Step&);
void ask(const host::Command&, ProbeNeeds&);      void check(const host::Command&, Check&);      void correct(const host::Command&, Step&);
void ask(const host::Action&, ProbeNeeds&);       void check(const host::Action&, Check&);       void correct(const host::Action&, Step&);
// clang-format on

/// Bound from another folder, by its options.
bool is_bind(const host::Mount& mount);
/// "UUID=…", "LABEL=…": a device by what is on it.
bool is_tag(std::string_view source);

/// One call of the package manager for all packages of a level; shell text that runs before
/// the packages' own steps and leaves $batch behind. Empty: none needed.
std::string package_batch(const std::vector<const host::Package*>& packages, const host::Facts& shown);

}  // namespace nimbus::reconcilers::configure
