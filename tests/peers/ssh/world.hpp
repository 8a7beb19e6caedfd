// What run.py started, and the shortest way to talk to it.
#pragma once

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <stop_token>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "base/file/file.hpp"
#include "base/time/time.hpp"
#include "drivers/ssh/driver.hpp"

namespace nimbus::ssh::test {

inline std::string environment(const char* name) {
  const char* value = std::getenv(name);
  REQUIRE_MESSAGE(value != nullptr, "run this by tests/peers/ssh/run.py");
  return value;
}

inline const base::SystemClock& clock() {
  static const base::SystemClock the_clock;
  return the_clock;
}

inline std::string folder() { return environment("NIMBUS_SSH_FOLDER"); }
inline std::string user() { return environment("NIMBUS_SSH_USER"); }

inline std::map<std::string, int> ports() {
  std::map<std::string, int> out;
  std::istringstream lines(environment("NIMBUS_SSH_PORTS"));
  std::string name;
  int port = 0;
  while (lines >> name >> port) out[name] = port;
  return out;
}

inline std::string text_of(const std::string& file) {
  auto text = base::read_file(folder() + "/" + file, 64 * 1024);
  REQUIRE(text);
  return *text;
}

inline HostEndpoint endpoint(const std::string& server, const std::string& key = "host") {
  return {"127.0.0.1:" + std::to_string(ports().at(server)), text_of(key + ".pub"), user()};
}

inline Call within(std::chrono::milliseconds time) { return {clock().now() + time, {}}; }
inline constexpr std::chrono::seconds kPlenty{30};

/// Waits until the file exists, or the time is up, or nobody waits any more.
inline void await_file(const std::string& path, const std::stop_token& over = {}) {
  const MonoTime latest = clock().now() + kPlenty;
  while (!over.stop_requested() && clock().now() < latest && !std::filesystem::exists(path)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

/// A driver with one of the client's keys, and a host on one of the servers.
struct Reach {
  explicit Reach(const std::string& server, const std::string& key = "host", const std::string& own = "client",
                 const std::string& certificate = {}) {
    auto made = make_ssh_driver(
        {.key = folder() + "/" + own, .certificate = certificate.empty() ? "" : folder() + "/" + certificate}, clock());
    REQUIRE(made);
    driver = std::move(*made);
    auto attached = driver->attach(endpoint(server, key));
    REQUIRE(attached);
    host = std::move(*attached);
  }
  Result<HostAnswer> run(const std::string& script, bool as_root = false,
                         std::chrono::milliseconds time = kPlenty) const {
    return host->run({.text = script, .as_root = as_root}, within(time));
  }

  std::unique_ptr<HostDriver> driver;
  std::unique_ptr<Host> host;
};

}  // namespace nimbus::ssh::test
