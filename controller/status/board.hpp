// The status board: the newest document of every machine, and of the controller
// itself, on its way to the status branch.
//
// Until the earlier documents have been read back from the branch nothing is told:
// what they know (claims, erase records, since when) must not be lost. What passes
// found before that is not kept either: taking the term has every machine looked at
// again, and what "no term yet" prevented is no news.
// Thread rule: safe from any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "controller/fleet/accepted.hpp"
#include "controller/fleet/facts.hpp"
#include "core/ports/clock.hpp"
#include "registry/status/controller_status.hpp"
#include "registry/status/machine_status.hpp"

namespace nimbus::controller {

class StatusBoard final : public FactSink {
 public:
  struct Outlet {
    /// A document changed: its path, its text, and a few words about the change.
    std::function<void(const std::string& path, const std::string& text, const std::string& headline)> machine;
    /// The machine's file moved: its document goes with it, and leaves this path.
    std::function<void(const std::string& path)> moved_away;
    /// What the controller's own document says of the registry; the publisher fills
    /// in the rest and knows whether it is news.
    std::function<void(const registry::ControllerStatus&)> controller;
  };

  StatusBoard(const Clock& clock, const std::string& provider, Outlet outlet);

  void seen(const MachineFacts& facts) override;
  void accepted(std::shared_ptr<const AcceptedRegistry> registry);
  /// The term is ours, and these are the documents of the branch (path -> text).
  void seed(const std::map<std::string, std::string>& documents);
  /// What the branch, and this controller since, told of restarts on a machine.
  PublishedRestart published_restart(const std::string& machine);

 private:
  void tell(const MachineFacts& facts);
  struct Document {
    std::string path;
    registry::MachineStatus status;
  };
  /// `known`: what was told so far, which this replaces.
  void publish_machine(Document& known, const std::optional<registry::MachineStatus>& before,
                       registry::MachineStatus status);
  void publish_removed();
  void publish_controller();

  const Clock& clock_;
  const std::string machines_folder_;  // "providers/<provider>/machines/"
  const Outlet outlet_;
  std::mutex mutex_;
  bool seeded_ = false;
  std::shared_ptr<const AcceptedRegistry> registry_;
  std::map<std::string, Document> documents_;  // by machine, as last told
};

}  // namespace nimbus::controller
