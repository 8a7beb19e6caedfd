// Writes of a process that was stopped (SIGSTOP, a suspended virtual machine) before, or
// while, it sent them.
#include <future>
#include <thread>

#include "driver_world.hpp"
#include "drivers/ipmi/engine.hpp"

using namespace nimbus;
using namespace nimbus::ipmi;
using namespace nimbus::ipmi::test;

TEST_CASE("a write whose time has passed is not sent, and questions still are") {
  FakeBmcServer server({});
  const auto controls = std::make_shared<std::vector<int>>();
  give_power(server, controls);
  World world;
  const auto bmc = world.attach(server);
  CHECK(bmc->power()->power(within(5s)));
  auto call = within(5s);
  call.write_by = std::chrono::steady_clock::now() - 1ms;
  const auto late = bmc->power()->act(PowerAction::On, call);
  REQUIRE(!late);
  CHECK(late.error().code == Code::Conflict);
  CHECK(late.error().message.find("nothing was sent") != std::string::npos);
  CHECK(bmc->power()->power(call).value() == PowerState::Off);
  CHECK(server.with([&](FakeBmc&) { return controls->empty(); }));
  call.write_by = call.deadline;
  CHECK(bmc->power()->act(PowerAction::On, call).value() == WriteOutcome::Accepted);
}

TEST_CASE("a harmless write is repeated by a process that is awake, and not by one that slept") {
  for (const bool sleeps : {false, true}) {
    FakeBmcServer server({});
    auto engine = std::move(Engine::start().value());
    const auto link = engine->make_link();
    Login login;
    login.username = "admin";
    login.password = Secret("secret12");
    REQUIRE(engine->open(link, login, server.address(), within(5s)));
    const auto controls = std::make_shared<std::atomic<int>>(0);
    server.with([&](FakeBmc& fake) {
      fake.on(0x00, 0x02, [&, controls](const Data&) {
        if (++*controls == 1) {
          server.answers_to_lose = 1;
          // The thread that would send again stands still, as all of a stopped process does.
          if (sleeps) engine->post([] { std::this_thread::sleep_for(2500ms); });
        }
        return Data{0x00};
      });
    });
    Request request{.net_fn = NetFn::Chassis, .command = 0x02, .data = {1}, .name = "Chassis Control"};
    const auto call = within(10s);
    request.leave_by = call.deadline;
    const auto reply = engine->send(link, request, Repeat::WhileUnanswered, call);
    CHECK(reply.has_value() != sleeps);
    if (!reply) CHECK(reply.error().code == Code::Timeout);  // it may have happened: the caller looks
    CHECK(*controls == (sleeps ? 1 : 2));
  }
}
