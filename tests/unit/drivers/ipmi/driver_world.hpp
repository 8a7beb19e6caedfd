// The driver with a clock, secrets and BMCs of the test's own. Thread rule: TestSecrets and
// TestClock are safe from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/ports/bmc_observe.hpp"
#include "drivers/ipmi/driver.hpp"
#include "fake_bmc_server.hpp"

namespace nimbus::ipmi::test {

using namespace std::chrono_literals;

inline Call within(std::chrono::milliseconds time) { return {.deadline = std::chrono::steady_clock::now() + time}; }

struct TestClock final : Clock {
  std::atomic<std::chrono::milliseconds> moved{0ms};
  MonoTime now() const noexcept override { return std::chrono::steady_clock::now() + moved.load(); }
  WallTime wall() const noexcept override { return {}; }
};

struct TestSecrets final : Secrets {
  mutable std::mutex mutex;
  mutable int asked = 0;
  std::map<std::string, std::string, std::less<>> passwords = {{"good", "secret12"}, {"bad", "other"}};

  Result<Credential> credential(std::string_view name, std::string_view) const override {
    const std::lock_guard lock(mutex);
    ++asked;
    const auto found = passwords.find(name);
    if (found == passwords.end()) return Error{Code::NotFound, "no such secret"};
    return Credential{std::string(name), "admin", Secret(found->second), {}};
  }
};

struct World {
  TestClock clock;
  TestSecrets secrets;
  std::unique_ptr<BmcDriver> driver = std::move(make_ipmi_driver(clock).value());

  std::unique_ptr<Bmc> attach(const FakeBmcServer& server, std::vector<std::string> credentials = {"good"},
                              int suite = 17, std::vector<std::string> quirks = {}) {
    return std::move(driver
                         ->attach({.driver = "ipmi",
                                   .address = server.address().text(),
                                   .credentials = std::move(credentials),
                                   .cipher_suite = suite,
                                   .quirks = std::move(quirks)},
                                  secrets)
                         .value());
  }
};

/// A machine whose power can be read and set.
inline void give_power(FakeBmcServer& server,
                       std::shared_ptr<std::vector<int>> controls = std::make_shared<std::vector<int>>()) {
  server.with([&](FakeBmc& bmc) {
    auto on = std::make_shared<bool>(false);
    bmc.on(0x00, 0x01, [on](const Data&) { return Data{0x00, static_cast<std::uint8_t>(*on ? 0x21 : 0x20), 0, 0}; });
    bmc.on(0x00, 0x02, [on, controls](const Data& request) {
      controls->push_back(request[6]);
      *on = request[6] == 1 || (*on && request[6] != 0);
      return Data{0x00};
    });
  });
}

inline Error failed_power(Bmc& bmc, std::chrono::milliseconds time = 5s) {
  const auto power = bmc.power()->power(within(time));
  REQUIRE(!power);
  return power.error();
}

}  // namespace nimbus::ipmi::test
