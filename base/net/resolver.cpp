#include "base/net/resolver.hpp"

#include <algorithm>

namespace nimbus::base {

Resolver::Resolver(Lookup lookup)
    : lookup_(std::move(lookup)), thread_([this](const std::stop_token& stop) { work(stop); }) {}

Resolver::Answer Resolver::resolve(const HostPort& where, const Call& call) {
  if (auto numeric = SocketAddress::numeric(where)) return std::vector{*numeric};
  std::unique_lock lock(mutex_);
  const auto known = std::find_if(questions_.begin(), questions_.end(),
                                  [&](const auto& question) { return question->where == where; });
  auto question = known != questions_.end() ? *known : std::make_shared<Question>(Question{where, std::nullopt});
  if (known == questions_.end()) questions_.push_back(question);
  changed_.notify_all();
  changed_.wait_until(lock, call.stop, call.deadline, [&] { return question->answer.has_value(); });
  if (question->answer) return *question->answer;
  if (call.stop.stop_requested()) return Error{Code::Cancelled, "stopped while looking up " + where.host};
  return Error{Code::Timeout, "no name server told the address of " + where.host + " in time"};
}

void Resolver::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [&] { return !questions_.empty(); })) {
    const auto question = questions_.front();
    lock.unlock();
    auto answer = lookup_(question->where);
    lock.lock();
    question->answer.emplace(std::move(answer));
    questions_.pop_front();
    changed_.notify_all();
    if (stop.stop_requested()) return;
  }
}

}  // namespace nimbus::base
