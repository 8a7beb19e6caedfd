// SharedSession: the one session with a BMC, shared by all machines behind it (several
// Systems of one Redfish service): one login, one connection, one request at a time.
//
// Whoever comes while another request is under way waits for its turn, as long as its
// own deadline allows: then Timeout, or Conflict for a write; nothing was sent. What the
// session is like can be asked at any time and does not wait.
//
// Thread rule: safe from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "drivers/redfish/session.hpp"

namespace nimbus::redfish {

class SharedSession {
 public:
  /// `spacing`: least time between the end of a request and the next one.
  explicit SharedSession(Session session, std::chrono::milliseconds spacing = {});

  // As those of Session, but for what is said.
  Result<base::ClientResponse> get(std::string_view link, const Call& call);
  /// Conflict, and nothing is sent, if the session's number is not `number` any more.
  tl::expected<base::ClientResponse, base::HttpFailure> write(Session::Write what, unsigned long number,
                                                              const Call& call);
  Result<ServiceRoot> root(const Call& call);
  Result<std::string> target(std::string_view link) const { return session_.target(link); }  // no turn: never changes
  void drop();
  void forget_root();
  void close(const Call& call) noexcept;

  /// What a request of one's own would log in with; nothing: there is no login.
  Result<std::optional<base::HttpHeader>> login_header(const Call& call);

  // As it was after the last request.
  std::shared_ptr<const ServiceRoot> known_root() const;
  unsigned long number() const noexcept { return number_; }
  bool keeps_connection() const noexcept { return keeps_connection_; }
  bool is_open() const noexcept { return is_open_; }
  std::string how() const;
  std::string credential() const;

 private:
  class Turn;
  Result<> wait_for_turn(const Call& call);
  void end_turn() noexcept;

  Session session_;  // of whoever has the turn
  const std::chrono::milliseconds spacing_;
  MonoTime free_at_{};  // not before; of whoever has the turn

  mutable std::mutex mutex_;  // of taken_ and the three behind it
  std::condition_variable_any changed_;
  bool taken_ = false;
  std::shared_ptr<const ServiceRoot> root_;
  std::string how_, credential_;
  std::atomic<unsigned long> number_{0};
  std::atomic<bool> keeps_connection_{false};
  std::atomic<bool> is_open_{false};
};

}  // namespace nimbus::redfish
