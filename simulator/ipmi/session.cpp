#include "simulator/ipmi/session.hpp"

#include <algorithm>

#include "base/crypto/crypto.hpp"

namespace nimbus::simulator::ipmi {

bool SequenceWindow::accept(std::uint32_t sequence) noexcept {
  if (sequence == 0) return false;
  if (sequence > highest_) {
    const std::uint32_t step = sequence - highest_;
    seen_ = step >= 32 ? 0 : seen_ << step;
    seen_ |= 1;
    highest_ = sequence;
    return true;
  }
  const std::uint32_t age = highest_ - sequence;
  if (age >= 32) return false;
  const std::uint32_t bit = 1U << age;
  if ((seen_ & bit) != 0) return false;
  seen_ |= bit;
  return true;
}

Session* Sessions::open(MonoTime now, std::size_t slots) {
  expire(now);
  if (sessions_.size() >= slots) return nullptr;
  auto session = std::make_unique<Session>();
  session->last_used = now;
  std::uint32_t id = 0;
  while (id == 0 || find(id) != nullptr) id = static_cast<std::uint32_t>(base::random_u64());
  session->handshake.bmc_session = id;
  sessions_.push_back(std::move(session));
  return sessions_.back().get();
}

Session* Sessions::find(std::uint32_t id) noexcept {
  for (const auto& session : sessions_) {
    if (session->handshake.bmc_session == id) return session.get();
  }
  return nullptr;
}

void Sessions::close(std::uint32_t id) {
  std::erase_if(sessions_, [id](const auto& s) { return s->handshake.bmc_session == id; });
}

void Sessions::expire(MonoTime now) {
  std::erase_if(sessions_, [now](const auto& s) {
    const auto limit = s->stage == Session::Stage::Active ? kIdleLimit : kHandshakeLimit;
    return now - s->last_used > limit;
  });
}

}  // namespace nimbus::simulator::ipmi
