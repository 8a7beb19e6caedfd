#include "controller/loops/crew.hpp"

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>

using namespace nimbus::controller;

namespace {

/// Counts those who came and have not left.
struct Hall {
  std::mutex mutex;
  std::condition_variable_any changed;
  int came = 0;
  int left = 0;

  void stay(const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    came += 1;
    changed.notify_all();
    changed.wait(lock, stop, [] { return false; });
    left += 1;
  }
  void wait_for(int how_many) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return came >= how_many; });
  }
};

}  // namespace

TEST_CASE("crew: grows to its bound, and all return when they are dismissed") {
  Hall hall;
  Crew crew("test", 3);
  CHECK(crew.size() == 0);
  for (int i = 0; i < 5; ++i) crew.grow([&](const std::stop_token& stop) { hall.stay(stop); });
  hall.wait_for(3);
  CHECK(crew.size() == 3);
  crew.dismiss();
  crew.join();
  CHECK(hall.came == 3);
  CHECK(hall.left == 3);
}

TEST_CASE("crew: one of it makes it grow, also while it is dismissed") {
  Hall hall;
  Crew crew("test", 2);
  const auto stay = [&](const std::stop_token& stop) { hall.stay(stop); };
  crew.grow([&](const std::stop_token& stop) {
    crew.grow(stay);
    hall.stay(stop);
    crew.grow(stay);
  });
  hall.wait_for(2);
  crew.dismiss();
  crew.join();
  CHECK(hall.left == 2);
  crew.grow(stay);
  CHECK(crew.size() == 0);
}
