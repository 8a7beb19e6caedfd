// Starting peers from a test, and talking to them through the driver.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/ports/secrets.hpp"
#include "drivers/redfish/driver.hpp"

namespace nimbus::peer {

inline MonoTime in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

class Folder {
 public:
  Folder() {
    char path[] = "/tmp/nimbus-peer-XXXXXX";
    if (::mkdtemp(path) == nullptr) throw std::runtime_error("no folder");
    path_ = path;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Standard output of a shell command; throws if it fails.
inline std::string run(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  std::string out;
  char room[4096];
  while (const std::size_t got = std::fread(room, 1, sizeof room, pipe)) out.append(room, got);
  if (::pclose(pipe) != 0) throw std::runtime_error("failed: " + command + "\n" + out);
  return out;
}

struct OneSecret final : Secrets {
  std::string password;
  explicit OneSecret(std::string text) : password(std::move(text)) {}
  Result<Credential> credential(std::string_view name, std::string_view /*destination*/) const override {
    return Credential{.name = std::string(name), .username = "admin", .password = Secret(password), .k_g = {}};
  }
};

/// The Python of scripts/setup, or of $NIMBUS_PYTHON.
inline std::string python() {
  const char* other = ::getenv("NIMBUS_PYTHON");
  return other != nullptr ? other : NIMBUS_SOURCE "/.venv/bin/python3";
}

}  // namespace nimbus::peer
