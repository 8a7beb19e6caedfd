// Changes that may cut a host off: confirmed on a new session, or taken back by the host and held.
#include <doctest/doctest.h>

#include "controller/configure/describe.hpp"
#include "guarded_host.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace std::chrono_literals;
using nimbus::testing::network;
using reconcilers::configure::Gap;
using Kinds = std::vector<std::string>;

namespace {

struct World {
  World() {
    target.instance = "acme/web-1";
    target.machine = "m1";
    target.mode = ConfigurationMode::Enforce;
    target.endpoint = {"192.0.2.1", "ssh-ed25519 AAAA", "nimbus"};
    target.desired = std::make_shared<DesiredMachine>();
    want("new\n");
    host.other = "x\n";
  }
  /// As a commit would.
  void want(const std::string& content) {
    host.wanted = network(content);
    target.digest = content;
  }
  HostReport pass() {
    host.kinds.clear();
    return run_host_pass(target, memory, tools, limits, {});
  }
  void forget_authority() { authority.state = Authority::State::Starting; }

  nimbus::testing::FakeClock clock;
  nimbus::testing::GuardedHost host{clock};
  nimbus::test::FakeHostDriver driver{host.state};
  Authority authority{.state = Authority::State::Held, .term = 1, .detail = {}};
  int tokens = 0;
  HostTarget target;
  HostMemory memory;
  HostLimits limits;
  HostTools tools{.clock = clock,
                  .hosts = &driver,
                  .build =
                      [this](const HostTarget&) {
                        return registry::HostBuild{host.wanted, {}};
                      },
                  .authority = [this] { return authority; },
                  .note = [](const std::string&, const HostTarget&, const std::string&) -> Result<> { return {}; },
                  .token = [this] { return "t" + std::to_string(++tokens); }};
};

void is_held(const HostReport& report) {
  CHECK(report.looked);
  CHECK_FALSE(report.error);
  CHECK_FALSE(report.converged());
  REQUIRE(report.gaps.size() == 2);
  for (const auto& gap : report.gaps) CHECK(gap.kind == Gap::Kind::Held);
  // The host's word is enough: it is no failure of ours as well.
  CHECK(report.failed.empty());
  CHECK(report.trouble().find("action:network: network was tried and undid itself") == 0);
}

}  // namespace

TEST_CASE("what may cut a host off is confirmed on a new session, before the host is looked at") {
  World world;
  world.limits.confirm = 90s;
  const auto report = world.pass();
  CHECK(report.converged());
  CHECK(world.host.kinds == Kinds{"probe", "files", "probe", "try", "confirm", "probe"});
  CHECK(world.host.confirm_session > world.host.try_session);
  CHECK(world.host.limit_seconds == 90);
  world.clock.advance(1h);
  CHECK(world.pass().converged());
  CHECK(world.host.kinds == Kinds{"probe"});
  CHECK(world.host.undos == 0);
}

TEST_CASE("a host that is cut off is waited for; then the change is held, and said to be, until another commit") {
  World world;
  world.host.cuts_off = true;
  SUBCASE("the session of the change survives") {}
  SUBCASE("it does not") { world.host.drops_answer = true; }
  auto report = world.pass();
  REQUIRE(report.error);
  CHECK(report.error->code == Code::Unreachable);
  CHECK_FALSE(report.looked);
  CHECK(world.host.content == "new\n");
  world.clock.advance(30s);
  CHECK(world.pass().error);
  world.clock.advance(31s);
  for (int i = 0; i < 5; ++i) {
    report = world.pass();
    is_held(report);
    CHECK(world.host.kinds == Kinds{"probe"});
    world.clock.advance(1h);
  }
  CHECK(world.host.tries == 1);
  CHECK(world.host.content == "old\n");
  const auto part = describe_host(world.target, report, {}, world.clock.wall());
  const auto& condition = part.conditions.at("configured");
  CHECK(condition.value == registry::ConditionValue::False);
  CHECK(condition.reason == "Failed");
  CHECK(condition.message.find("undid itself; it waits until the configuration changes") != std::string::npos);
  REQUIRE(part.record.failed.size() == 2);
  CHECK(part.record.failed[0].resource == "action:network");
  // Whatever else differs on the host is corrected all the same.
  world.host.other.clear();
  is_held(world.pass());
  CHECK(world.host.kinds == Kinds{"probe", "files", "probe"});
  CHECK(world.host.tries == 1);

  world.host.cuts_off = world.host.drops_answer = false;
  world.want("better\n");
  CHECK(world.pass().converged());
  CHECK(world.host.tries == 2);
  CHECK(world.host.content == "better\n");
}

TEST_CASE("a change whose answer is lost, and that lets us in, is confirmed all the same") {
  World world;
  world.host.drops_answer = true;
  const auto report = world.pass();
  CHECK(report.converged());
  CHECK(world.host.kinds == Kinds{"probe", "files", "probe", "try", "confirm", "probe"});
  world.clock.advance(1h);
  CHECK(world.pass().converged());
  CHECK(world.host.undos == 0);
}

TEST_CASE("what a controller tried that ended before it confirmed, the next one confirms") {
  World world;
  world.host.try_by_somebody("theirs");
  const auto report = world.pass();
  CHECK(report.converged());
  CHECK(world.host.kinds == Kinds{"probe", "confirm", "probe"});
  CHECK(world.host.tries == 1);
  world.clock.advance(1h);
  CHECK(world.pass().converged());
  CHECK(world.host.undos == 0);
}

TEST_CASE("a change that took too long has undone itself: nothing is tried again, and it is told at once") {
  World world;
  world.host.takes = 61s;
  is_held(world.pass());
  CHECK(world.host.tries == 1);
  CHECK(world.host.content == "old\n");
}

TEST_CASE("a host that is undoing a change is not disturbed, and looked at again soon") {
  World world;
  world.host.takes = 61s;
  world.host.undoes_slowly = true;
  const auto report = world.pass();
  CHECK(report.busy);
  CHECK(world.host.tries == 1);
  CHECK(world.host.kinds.back() == "probe");
}

TEST_CASE("a change that fails is undone by the host: there is nothing to confirm") {
  World world;
  world.host.fails = true;
  is_held(world.pass());
  CHECK(world.host.kinds == Kinds{"probe", "files", "probe", "try", "probe"});
  is_held(world.pass());
  CHECK(world.host.tries == 1);
}

TEST_CASE("a term that is lost after a change was tried confirms nothing: the host takes it back") {
  World world;
  world.tools.note = [&world](const std::string& what, const HostTarget&, const std::string& detail) -> Result<> {
    if (what == "host-change-result" && detail.find("action:network") != std::string::npos) world.forget_authority();
    return {};
  };
  const auto report = world.pass();
  CHECK(report.refusal);
  CHECK(world.host.kinds == Kinds{"probe", "files", "probe", "try", "probe"});
  world.clock.advance(61s);
  world.authority.state = Authority::State::Held;
  is_held(world.pass());
  CHECK(world.host.content == "old\n");
}

TEST_CASE("what a network that was confirmed still lacks does not disturb it again and again") {
  World world;
  world.host.wanted = network("new\n", "all is there");
  world.host.content = "new\n";
  world.host.lacks = true;
  constexpr auto kBetween = 5min;
  HostReport report;
  // A card that is not plugged in, for two days.
  for (auto passed = 0min; passed < 48h; passed += kBetween) {
    report = world.pass();
    world.clock.advance(kBetween);
  }
  CHECK(world.host.tries <= 6);
  CHECK(world.host.undos == 0);
  CHECK_FALSE(report.converged());
  REQUIRE(report.failed.size() == 1);
  CHECK(report.failed[0].held);
  CHECK(report.failed[0].reason.find("not as declared all the same") != std::string::npos);
  SUBCASE("it comes by itself") { world.host.lacks = false; }
  SUBCASE("another commit is tried at once") {
    world.target.digest = "another";
    const auto before = world.host.tries;
    world.pass();
    CHECK(world.host.tries == before + 1);
    world.host.lacks = false;
  }
  CHECK(world.pass().converged());
  CHECK(world.host.kinds == Kinds{"probe"});
  // What is lost later is put right at once.
  world.host.lacks = true;
  const auto before = world.host.tries;
  world.pass();
  CHECK(world.host.tries == before + 1);
}
