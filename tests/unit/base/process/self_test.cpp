#include "base/process/self.hpp"

#include <unistd.h>

#include <chrono>
#include <thread>

#include <doctest/doctest.h>

using namespace nimbus;

TEST_CASE("what this process uses") {
  const auto before = base::process_use();
  REQUIRE(before.has_value());
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  CHECK(before->start_time_seconds <= now + 1);
  CHECK(before->start_time_seconds > now - 3600);
  CHECK(before->resident_bytes > 100'000);
  CHECK(before->virtual_bytes >= before->resident_bytes);
  CHECK(before->open_descriptors <= before->most_descriptors);
  const int extra = ::dup(0);
  std::jthread another([](const std::stop_token& stop) {
    while (!stop.stop_requested()) std::this_thread::yield();
  });
  const auto after = base::process_use();
  ::close(extra);
  REQUIRE(after.has_value());
  CHECK(after->open_descriptors == before->open_descriptors + 1);
  CHECK(after->threads == before->threads + 1);
  CHECK(after->cpu_seconds >= before->cpu_seconds);
}
