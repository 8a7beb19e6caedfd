// Machine: the one System that is meant, behind one login on one BMC: what the aspects
// of a RedfishBmc share. Finds the System, reads it cheaply, knows whose it is, and lets
// writes out only while that is certain.
//
// Thread rule: one thread at a time.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/endpoint.hpp"
#include "core/identity.hpp"
#include "core/result.hpp"
#include "drivers/redfish/documents.hpp"
#include "drivers/redfish/quirks.hpp"
#include "drivers/redfish/shared_session.hpp"

namespace nimbus::redfish {

class Machine {
 public:
  /// `session` outlives it. `learnt`: what earlier objects for this machine learnt; never null.
  Machine(BmcEndpoint endpoint, SharedSession& session, std::shared_ptr<LearntQuirks> learnt);

  SharedSession& session() const noexcept { return session_; }
  unsigned long number() const noexcept { return session_.number(); }

  /// The System as it is now; parsed again only if the body is another than last time.
  /// Valid until the next call.
  Result<const System*> read(const Call& call);
  /// The manager that is the BMC, read once and again when the identity is. Null: this
  /// BMC shows none.
  Result<const Manager*> manager(const Call& call);
  /// Link of the System, walked to once.
  Result<std::string> system_link(const Call& call);
  /// The next read walks from the service root again.
  void forget_paths();

  Result<Identity> identity(const Call& call);
  /// Whether the identity was read on the session that a write would go out on, and,
  /// where no connection is kept, whether the same machine still answers. Conflict: no.
  Result<> check_writable(const Call& call);

  /// Sends a write if check_writable() has held since `identity()`; nothing comes back
  /// if it may have reached the BMC and nobody knows what became of it. Errors: as
  /// Session::write, where nothing was sent.
  Result<std::optional<base::ClientResponse>> write(Session::Write what, const Call& call);

  /// The values that an action's ResetType may have, from its ActionInfo if it says
  /// nothing itself; empty: not said. Remembered.
  Result<std::vector<std::string>> reset_types(const ResetAction& reset, const Call& call);

  /// Whether a quirk holds: forced, learnt, or by what this BMC is.
  bool has(Effect effect) const;
  void learn(Effect effect) { learnt_->add(effect); }
  const LearntQuirks& learnt() const noexcept { return *learnt_; }
  BmcKind kind() const;
  const BmcEndpoint& endpoint() const noexcept { return endpoint_; }
  /// As read last; nothing: never.
  const std::optional<System>& last() const noexcept { return system_; }
  const std::optional<Manager>& last_manager() const noexcept { return manager_; }
  /// How far the BMC's clock was ahead of ours when it was read last; nothing: not told.
  std::optional<std::chrono::seconds> clock_off() const noexcept { return clock_off_; }

 private:
  Result<> discover(const Call& call);
  Result<std::string> choose_system(const std::vector<std::string>& members, const Call& call);
  Result<std::string> only_system_with_reset(const std::vector<std::string>& members, const Call& call);
  Result<System> read_system_at(const std::string& link, const Call& call);
  Result<> read_manager_of(const System& system, const Call& call);
  Identity identity_of(const System& system) const;
  Result<> check_identified() const;

  const BmcEndpoint endpoint_;
  SharedSession& session_;
  const std::shared_ptr<LearntQuirks> learnt_;
  std::string system_link_;  // empty: not discovered
  std::optional<System> system_;
  std::size_t body_hash_ = 0;
  std::optional<Manager> manager_;
  bool manager_read_ = false;
  std::optional<std::chrono::seconds> clock_off_;
  std::string action_info_link_;
  std::vector<std::string> action_info_types_;  // of action_info_link_
  std::optional<Identity> identified_;          // as identity() returned it last
  unsigned long identified_session_ = 0;
};

}  // namespace nimbus::redfish
