// A forge, and controllers that publish to it.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "controller/publisher/publisher.hpp"
#include "registry/git/git_program.hpp"
#include "tests/unit/support/git/git_fixture.hpp"

namespace nimbus::controller::test {

using namespace std::chrono_literals;
using nimbus::test::git;
using nimbus::test::make_bare;
using nimbus::test::TempFolder;
using nimbus::test::within;

inline const base::SystemClock the_clock;
constexpr auto kBranch = "refs/heads/nimbus/status/berlin-1";
constexpr auto kShortBranch = "nimbus/status/berlin-1";

class FakeClock final : public Clock {
 public:
  MonoTime now() const noexcept override { return MonoTime{} + 1h + passed_.load(); }
  WallTime wall() const noexcept override { return WallTime{1795428000s} + passed_.load(); }
  void pass(std::chrono::milliseconds time) { passed_ = passed_.load() + time; }

 private:
  std::atomic<std::chrono::milliseconds> passed_{0ms};
};

/// A transport that can lose the answer of a push, or count.
class Wire final : public registry::GitTransport {
 public:
  explicit Wire(registry::GitTransport& real) : real_(real) {}
  Result<std::map<std::string, registry::ObjectId>> list_remote(const registry::GitRemote& remote,
                                                                const std::vector<std::string>& references,
                                                                const Call& call) override {
    return real_.list_remote(remote, references, call);
  }
  Result<> fetch(const registry::GitRemote& remote, const std::vector<registry::FetchRef>& references,
                 const Call& call) override {
    return real_.fetch(remote, references, call);
  }
  Result<> push(const registry::GitRemote& remote, const registry::ObjectId& commit, const std::string& reference,
                const std::optional<registry::ObjectId>& expected, const Call& call) override {
    ++pushes;
    auto result = real_.push(remote, commit, reference, expected, call);
    if (lose_answer && result) return Error{Code::Timeout, "the answer was lost"};
    return result;
  }
  std::atomic<int> pushes{0};
  bool lose_answer = false;

 private:
  registry::GitTransport& real_;
};

struct Forge {
  TempFolder temp;
  Forge() { make_bare(temp / "forge"); }
  std::string log(const std::string& format) const {
    return git(temp / "forge", {"log", "--format=" + format, kShortBranch});
  }
  std::string show(const std::string& path) const {
    return git(temp / "forge", {"show", std::string(kShortBranch) + ":" + path});
  }
  std::string count() const { return git(temp / "forge", {"rev-list", "--count", kShortBranch}); }
};

/// A controller with a data folder of its own.
struct Controller {
  FakeClock clock;
  registry::GitProgram program;
  Wire wire{program};
  Publisher publisher;

  Controller(const Forge& forge, const std::string& name, std::size_t history = 5000)
      : program({.repository = forge.temp / name}, the_clock),
        publisher({.remote = {.url = "file://" + (forge.temp / "forge")},
                   .branch = kBranch,
                   .repository = forge.temp / name,
                   .controller = "berlin-1/" + name,
                   .history = history},
                  wire, clock) {}

  TermTaken take() {
    auto taken = publisher.take_term(within(60s));
    REQUIRE_MESSAGE(taken.has_value(), taken.error().text());
    return std::move(*taken);
  }
  Flushed flush() {
    auto flushed = publisher.flush(within(60s));
    REQUIRE_MESSAGE(flushed.has_value(), flushed.error().text());
    return *flushed;
  }
  Code flush_error() {
    const auto flushed = publisher.flush(within(60s));
    REQUIRE(!flushed.has_value());
    return flushed.error().code;
  }
};

inline std::string path_of(const std::string& machine) { return "providers/berlin-1/machines/" + machine + ".toml"; }

}  // namespace nimbus::controller::test
