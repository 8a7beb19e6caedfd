// What the threads of nimbusd have in common: how they start, how they wait differently
// long, how they speak of what goes wrong for a while.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <thread>

#include "core/ports/clock.hpp"
#include "core/result.hpp"

namespace nimbus::controller {

/// Every thread starts here: an exception that nobody expected ends the program, and
/// the supervisor starts it again. Going on with half of the threads would be worse.
/// `name`: at most 15 characters, and lives as long as the thread.
std::jthread spawn(const char* name, std::function<void(std::stop_token)> body);

/// In [0, 1). Safe from any thread.
double random_fraction();
/// Up to a tenth more or less.
std::chrono::milliseconds with_jitter(std::chrono::milliseconds delay);
/// A wait that only a stop request shortens.
void pause(const Clock& clock, std::chrono::milliseconds delay, std::stop_token stop);

/// Says a fault once, and once that it is over, however often it is met in between.
/// Thread rule: of one thread.
class Trouble {
 public:
  Trouble(const char* id, const char* over_id) : id_(id), over_id_(over_id) {}
  void met(const Error& error);
  void over();
  /// Of the last fault; empty when it is over.
  const std::string& text() const { return last_; }

 private:
  const char* id_;
  const char* over_id_;
  std::string last_;
};

}  // namespace nimbus::controller
