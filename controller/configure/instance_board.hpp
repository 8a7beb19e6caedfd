// The instances' status documents: what the machine's life says of one, and what its host
// says, on their way to the status branch as one text.
//
// Until the earlier documents were read back from the branch nothing is told of hosts: since
// when things are as they are must not be lost. Thread rule: safe from any thread.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "controller/configure/describe.hpp"
#include "core/ports/clock.hpp"

namespace nimbus::controller {

class InstanceBoard {
 public:
  using Publish = std::function<void(const std::string& path, const std::string& text, const std::string& headline)>;
  InstanceBoard(const Clock& clock, Publish publish) : clock_(clock), publish_(std::move(publish)) {}

  /// What the machine's life says: a document without a host's part.
  void life(const std::string& path, const std::string& text, const std::string& event);
  /// A pass over a host is over.
  void host(const HostTarget& target, const HostReport& report);
  /// A pass begins to correct.
  void correcting(const HostTarget& target);
  /// Nothing is configured there any more.
  void dropped(const std::string& path, const std::string& error);
  /// The documents of the status branch.
  void seed(const std::map<std::string, std::string>& documents);

 private:
  struct Document {
    std::optional<registry::InstanceStatus> life;
    std::optional<HostPart> part;
    std::string told;
  };
  void tell(const std::string& path, Document& document, const std::string& headline);

  const Clock& clock_;
  const Publish publish_;
  std::mutex mutex_;  // of all below
  bool seeded_ = false;
  std::map<std::string, Document> documents_;  // by path
};

}  // namespace nimbus::controller
