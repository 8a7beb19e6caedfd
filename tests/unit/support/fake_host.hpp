// A host that runs no shell: a function answers each script. Counts scripts and sessions.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/ports/host.hpp"

namespace nimbus::test {

struct FakeHostState {
  std::function<Result<HostAnswer>(const std::string& script)> answer;
  std::vector<std::string> scripts;
  std::vector<unsigned long> sessions;  // that each script ran in
  std::vector<HostEndpoint> attached;
  unsigned long session = 0;
  bool open = false;
  std::function<MonoTime()> leaves;  // when a script would; one that has to leave earlier does not
};

class FakeHost final : public Host {
 public:
  explicit FakeHost(FakeHostState& state) : state_(state) {}
  Result<HostAnswer> run(const HostScript& script, const Call& call) override {
    if (state_.leaves && state_.leaves() > call.write_by) return Error{Code::Conflict, "not sent"};
    if (!state_.open) ++state_.session;
    state_.open = true;
    state_.scripts.emplace_back(script.text);
    state_.sessions.push_back(state_.session);
    return state_.answer(std::string(script.text));
  }
  unsigned long session() const noexcept override { return state_.session; }
  void close(const Call&) noexcept override { state_.open = false; }

 private:
  FakeHostState& state_;
};

class FakeHostDriver final : public HostDriver {
 public:
  explicit FakeHostDriver(FakeHostState& state) : state_(state) {}
  Result<std::unique_ptr<Host>> attach(const HostEndpoint& endpoint) override {
    state_.attached.push_back(endpoint);
    return std::unique_ptr<Host>(new FakeHost(state_));
  }

 private:
  FakeHostState& state_;
};

}  // namespace nimbus::test
