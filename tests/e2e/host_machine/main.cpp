#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>

#include "machine.hpp"

namespace nimbus::test {
namespace {
std::unique_ptr<Machine> the_machine;
}
Machine& machine() { return *the_machine; }
}  // namespace nimbus::test

int main(int argc, char** argv) {
  // It is made once, and anew if its script changed. Whoever may make it must have it.
  if (geteuid() == 0) {
    const int made = std::system(NIMBUS_SOURCE "/scripts/build-host-machine");  // NOLINT(concurrency-mt-unsafe)
    if (made != 0) return 1;
  } else if (access(NIMBUS_SOURCE "/build/host-machine", F_OK) != 0) {
    std::printf("skipped: the machine's disk is not there, and making it needs root\n");
    return 77;
  }
  try {
    nimbus::test::the_machine = std::make_unique<nimbus::test::Machine>();
    doctest::Context context(argc, argv);
    const int result = context.run();
    nimbus::test::the_machine.reset();
    return result;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
