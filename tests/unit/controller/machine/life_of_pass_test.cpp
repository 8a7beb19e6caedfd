// What a pass tells the life of its machine.
#include "pass_fixture.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;
using namespace std::chrono_literals;

namespace {

/// An instance that wants to be on runs here.
struct Listener final : MachineLife {
  std::optional<LifeFacts> step(const LifeInput& input) override {
    given_up = input.given_up;
    LifeFacts facts;
    facts.instance = std::make_shared<const Instance>();
    return facts;
  }
  void unread(const DesiredMachine&, const std::string& why) override { silent = why; }
  std::string given_up = "never asked";
  std::string silent;
};

struct WithLife : Fixture {
  WithLife() { tools.life = &life; }
  Listener life;
};

}  // namespace

TEST_CASE_FIXTURE(WithLife, "a machine that does not switch on is given up, and its life hears why until it is on") {
  machine.ignores_actions = true;
  pass();
  CHECK(life.given_up.empty());
  for (int i = 0; i < 20 && life.given_up.empty(); ++i) {
    clock.advance(30s);
    pass();
  }
  CHECK(life.given_up.find("look at the machine") != std::string::npos);
  machine.ignores_actions = false;
  machine.power = PowerState::On;
  pass();
  pass();
  CHECK(life.given_up.empty());
}

TEST_CASE_FIXTURE(WithLife, "a BMC that cannot be read is told, with the reason") {
  machine.fail_power = [] { return std::optional(Error{Code::Unreachable, "nobody is there"}); };
  pass();
  CHECK(life.given_up == "never asked");
  CHECK(life.silent.find("nobody is there") != std::string::npos);
}
