#include "simulator/redfish/sessions.hpp"

#include <array>

#include "base/crypto/crypto.hpp"
#include "base/text/text.hpp"

namespace nimbus::simulator::redfish {

const Session* Sessions::open(const Account& account, std::uint8_t account_id, MonoTime now, WallTime wall,
                              std::size_t most) {
  expire(now);
  if (sessions_.size() >= most) return nullptr;
  std::array<std::uint8_t, 16> token{};
  base::random_bytes(token);
  sessions_.push_back({std::to_string(next_id_++), base::to_hex(token), account.name, account_id, now, wall});
  return &sessions_.back();
}

const Session* Sessions::use(std::string_view token, MonoTime now) {
  expire(now);
  for (auto& session : sessions_) {
    if (!base::equal_constant_time(base::as_bytes(session.token), base::as_bytes(token))) continue;
    session.last_used = now;
    return &session;
  }
  return nullptr;
}

const Session* Sessions::find(std::string_view id) const {
  for (const auto& session : sessions_) {
    if (session.id == id) return &session;
  }
  return nullptr;
}

bool Sessions::close(std::string_view id) {
  return std::erase_if(sessions_, [id](const Session& s) { return s.id == id; }) > 0;
}

void Sessions::expire(MonoTime now) {
  std::erase_if(sessions_, [&](const Session& s) { return now - s.last_used > timeout; });
}

}  // namespace nimbus::simulator::redfish
