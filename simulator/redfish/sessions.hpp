// Redfish sessions of one BMC (DSP0266, section 13.3.4). Thread rule: one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"
#include "simulator/model/accounts.hpp"

namespace nimbus::simulator::redfish {

struct Session {
  std::string id;
  std::string token;
  std::string user;
  std::uint8_t account = 0;
  MonoTime last_used{};
  WallTime created{};
};

class Sessions {
 public:
  static constexpr std::size_t kMost = 16;

  /// Null if `most` sessions are open.
  const Session* open(const Account& account, std::uint8_t account_id, MonoTime now, WallTime wall, std::size_t most);
  /// The session of a token, touched; null if there is none or it was idle too long.
  const Session* use(std::string_view token, MonoTime now);
  const Session* find(std::string_view id) const;
  bool close(std::string_view id);
  void expire(MonoTime now);
  void clear() { sessions_.clear(); }
  const std::vector<Session>& all() const noexcept { return sessions_; }

  std::chrono::seconds timeout{1800};

 private:
  std::vector<Session> sessions_;
  unsigned next_id_ = 1;
};

}  // namespace nimbus::simulator::redfish
