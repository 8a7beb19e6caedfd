// A BMC that a command talks to. Thread rule: as Bmc.
#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include "core/ports/bmc.hpp"
#include "core/ports/clock.hpp"

namespace nimbus::cli {

/// Closes the session when it goes, however the command ends, in a little time of its own: the
/// command's may be used up, or it was stopped. BMCs have few sessions.
class OpenBmc {
 public:
  OpenBmc(std::unique_ptr<Bmc> bmc, const Clock& clock) : bmc_(std::move(bmc)), clock_(&clock) {}
  OpenBmc(OpenBmc&&) = default;
  OpenBmc& operator=(OpenBmc&&) = delete;
  OpenBmc(const OpenBmc&) = delete;
  OpenBmc& operator=(const OpenBmc&) = delete;
  ~OpenBmc() { close(); }

  /// At once; it is not to be used any more.
  void close() noexcept {
    constexpr std::chrono::seconds kGoodbye{2};
    if (bmc_ != nullptr) bmc_->close({.deadline = clock_->now() + kGoodbye});
    bmc_.reset();
  }

  Bmc& operator*() const noexcept { return *bmc_; }
  Bmc* operator->() const noexcept { return bmc_.get(); }

 private:
  std::unique_ptr<Bmc> bmc_;
  const Clock* clock_;
};

}  // namespace nimbus::cli
