#include "hosts_world.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;
using namespace std::chrono_literals;

TEST_CASE("an adopted instance is looked at without an install, and again after the interval") {
  World world;
  world.looks_at_adopted();
  REQUIRE(world.host.state.attached.size() == 1);
  CHECK(world.host.state.attached[0] == HostEndpoint{"192.0.2.7", "ssh-ed25519 AAAA", "nimbus"});
  CHECK(world.kept.contains("acme/web-1"));
  const auto status = registry::parse_instance_status(world.published.at(kPath), kPath);
  REQUIRE(status);
  CHECK(status->phase == registry::InstancePhase::Running);
  CHECK(status->machine == "m1");
  CHECK(status->conditions.at("configured").reason == "AsDeclared");
  CHECK(status->configuration->applied_digest == status->configuration->desired_digest);
  CHECK_FALSE(world.due());
  world.clock.advance(300s);
  CHECK(world.due());
  // Nothing happened, so nothing was told.
  CHECK(world.headlines == std::vector<std::string>{"configured"});
}

TEST_CASE("an instance of ours is looked at once its machine's life says that it runs") {
  World world;
  const auto entry = world.instance("web-1", ConfigurationMode::Observe, false);
  world.accept({entry});
  world.clock.advance(1s);
  CHECK_FALSE(world.due());
  world.machine_says(entry->value, "ssh-ed25519 CCCC", true);
  world.clock.advance(1s);
  CHECK_FALSE(world.due());
  world.machine_says(entry->value, "ssh-ed25519 CCCC");
  world.clock.advance(1s);
  CHECK(world.due());
  CHECK(world.host.state.attached.back() == HostEndpoint{"192.0.2.8", "ssh-ed25519 CCCC", "nimbus"});
  CHECK(world.next.told == 2);
  // A reinstall begins: it is no host any more.
  world.machine_says(entry->value, "ssh-ed25519 CCCC", true);
  world.clock.advance(1h);
  CHECK_FALSE(world.due());
  CHECK_FALSE(world.hosts.view("acme/web-1"));
}

TEST_CASE("an instance that moved is not lost when the machine that it left says so after the new one") {
  World world;
  world.host.installed = {"aaa"};
  const auto entry = world.instance("web-1", ConfigurationMode::Enforce, false);
  world.accept({entry});
  world.machine_says(entry->value, "ssh-ed25519 CCCC", false, "m1");
  world.clock.advance(1s);
  CHECK(world.due());
  world.machine_says(entry->value, "ssh-ed25519 DDDD", false, "m2");
  world.machine_says(std::nullopt, "ssh-ed25519 CCCC", false, "m1");
  REQUIRE(world.hosts.view("acme/web-1"));
  CHECK(world.hosts.view("acme/web-1")->target.machine == "m2");
  CHECK(world.due());
  CHECK(world.host.state.attached.back().host_key == "ssh-ed25519 DDDD");
}

TEST_CASE("an instance without configuration is left alone, and so is one of another provider") {
  World world;
  const auto other = world.instance("web-2", ConfigurationMode::Enforce, true);
  other->value.provider = "elsewhere";
  world.accept({world.instance("web-1", ConfigurationMode::None, true), other});
  world.clock.advance(1h);
  CHECK_FALSE(world.due());
  CHECK(world.host.state.attached.empty());
}

TEST_CASE("another commit has a host looked at at once, an equal one does not") {
  World world;
  world.host.installed = {"aaa"};
  world.accept({world.instance("web-1", ConfigurationMode::Enforce, true)});
  world.clock.advance(1s);
  CHECK(world.due());
  world.accept({world.instance("web-1", ConfigurationMode::Enforce, true)});
  CHECK_FALSE(world.due());
  const auto changed = world.instance("web-1", ConfigurationMode::Enforce, true);
  changed->digest = "d2";
  world.accept({changed});
  CHECK(world.due());
}

TEST_CASE("whatever defines its machine has a host looked at at once: variables may name it") {
  World world;
  world.host.installed = {"aaa"};
  world.accept({world.instance("web-1", ConfigurationMode::Enforce, true)});
  world.clock.advance(1s);
  CHECK(world.due());
  const auto before = world.hosts.view("acme/web-1")->target.digest;
  world.accept({world.instance("web-1", ConfigurationMode::Enforce, true)}, "another label");
  CHECK(world.due());
  CHECK(world.hosts.view("acme/web-1")->target.digest != before);
}

TEST_CASE("a silent host is asked less and less often, and never gives up") {
  World world;
  world.host.fails = Error{Code::Unreachable, "refused"};
  world.accept({world.instance("web-1", ConfigurationMode::Enforce, true)});
  int passes = 0;
  for (int second = 0; second < 3600; ++second) {
    world.clock.advance(1s);
    while (world.due()) ++passes;
  }
  CHECK(passes > 12);
  CHECK(passes < 25);
}

TEST_CASE("a changed host key is an alarm in status, and comes once") {
  World world;
  world.board.seed({});
  world.host.fails = Error{Code::Untrusted, "another key"};
  world.accept({world.instance("web-1", ConfigurationMode::Enforce, true)});
  for (int i = 0; i < 5; ++i) {
    world.clock.advance(301s);
    world.due();
  }
  const auto status = registry::parse_instance_status(world.published.at(kPath), kPath);
  REQUIRE(status);
  CHECK(status->conditions.at("host-key").value == registry::ConditionValue::False);
  CHECK(status->conditions.at("configured").value == registry::ConditionValue::Unknown);
  CHECK(world.headlines == std::vector<std::string>{"host-key-changed"});
}

TEST_CASE("what is accepted while a pass is under way ends its corrections") {
  World world;
  world.host.known = {"aaa", "bbb", "ccc"};
  world.wanted = nimbus::testing::packages({{"aaa", {}}, {"bbb", {"package:aaa"}}, {"ccc", {"package:bbb"}}});
  world.accept({world.instance("web-1", ConfigurationMode::Observe, true)});
  world.clock.advance(1s);
  CHECK(world.due());
  const auto entry = world.instance("web-1", ConfigurationMode::Enforce, true);
  world.accept({entry});
  Lifecycle brake;
  std::function<void()> accepted;
  std::string reason;
  SUBCASE("hands off, in a commit that is otherwise refused") {
    brake.hands_off = true;
    reason = "HandsOff";
    accepted = [&] { world.accept({entry}, "m", brake); };
  }
  SUBCASE("maintenance") {
    brake.state = LifecycleState::Maintenance;
    reason = "Maintenance";
    accepted = [&] { world.accept({entry}, "another", brake); };
  }
  SUBCASE("configuration = observe") {
    accepted = [&] { world.accept({world.instance("web-1", ConfigurationMode::Observe, true)}); };
  }
  SUBCASE("the machine's file is gone") {
    reason = "Unmanaged";
    accepted = [&] { world.accept({entry}, "m", {}, {"m2"}); };
  }
  SUBCASE("the instance's file is gone") {
    accepted = [&] { world.accept({}, "m", {.hands_off = true}); };
  }
  const auto answers = world.host.state.answer;
  world.host.state.answer = [&](const std::string& script) {
    auto answer = answers(script);
    if (world.host.corrections() == 1) std::exchange(accepted, [] {})();
    return answer;
  };
  CHECK(world.due());
  CHECK(world.host.installed == std::set<std::string>{"aaa"});
  CHECK(world.due());  // at once
  CHECK(world.host.installed == std::set<std::string>{"aaa"});
  CHECK(world.host.corrections() == 1);
  if (!reason.empty()) {
    const auto view = world.hosts.view("acme/web-1");
    REQUIRE(view);
    REQUIRE(view->report->refusal);
    CHECK(view->report->refusal->reason == reason);
  }
}

TEST_CASE("without a key for hosts status says that none is looked at, and what to do") {
  World world(nullptr);
  world.board.seed({});
  world.accept({world.instance("web-1", ConfigurationMode::Enforce, true)});
  world.clock.advance(1s);
  CHECK(world.due());
  auto status = registry::parse_instance_status(world.published.at(kPath), kPath);
  REQUIRE(status);
  CHECK(status->conditions.at("reachable").value == registry::ConditionValue::Unknown);
  CHECK(status->conditions.at("configured").value == registry::ConditionValue::Unknown);
  CHECK(status->conditions.at("configured").reason == "NoKey");
  CHECK(status->conditions.at("configured").message == kWithoutKey);
  const auto view = world.hosts.view("acme/web-1");
  REQUIRE(view);
  CHECK(view->report->without_key);
  // What is left behind there is not forgotten.
  world.kept["acme/web-2"] = to_json(
      {"acme/web-2", "tenants/acme/instances/web-2.toml", "m1", true, {"192.0.2.9", "ssh-ed25519 AAAA", "nimbus"}});
  world.accept({world.instance("web-1", ConfigurationMode::Enforce, true)});
  world.board.life("tenants/acme/instances/web-2.toml", "phase = \"running\"\n", "");
  while (world.due()) world.clock.advance(1s);
  CHECK(world.kept.contains("acme/web-2"));
}

TEST_CASE("a host that is not well says so in status, once, and that it is well again") {
  World world;
  world.board.seed({});
  world.host.installed = {"aaa"};
  world.accept({world.instance("web-1", ConfigurationMode::Enforce, true)});
  const auto look = [&] {
    world.clock.advance(301s);
    CHECK(world.due());
    return registry::parse_instance_status(world.published.at(kPath), kPath)->conditions.at("healthy");
  };
  CHECK(look().reason == "Well");
  world.host.health =
      "reboot\t1\ndf\nFilesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda1 1000 980 20 98% /\ndf-end\n";
  const auto ill = look();
  CHECK(ill.value == registry::ConditionValue::False);
  CHECK(ill.reason == "DiskFull");
  CHECK(ill.message == "nearly full: /; it asks for a restart");
  CHECK(look().since == ill.since);
  world.host.health.clear();
  CHECK(look().reason == "Well");
  CHECK(world.headlines == std::vector<std::string>{"configured", "host-unwell", "host-well"});
}

TEST_CASE("a worker that does not come back is noticed") {
  World world;
  world.accept({world.instance("web-1", ConfigurationMode::Enforce, true)});
  world.clock.advance(1s);
  std::chrono::milliseconds under_way{0};
  world.host.state.answer = [&](const std::string&) -> Result<HostAnswer> {
    world.clock.advance(40s);
    under_way = world.hosts.longest_under_way();
    return Error{Code::Timeout, "no answer"};
  };
  CHECK(world.due());
  CHECK(under_way == 40s);
  CHECK(world.hosts.longest_under_way() == 0s);
  CHECK(world.steps == 1);
}

TEST_CASE("a restart does not forget since when things are as they are") {
  World first;
  first.board.seed({});
  first.accept({first.instance("web-1", ConfigurationMode::Observe, true)});
  first.clock.advance(1s);
  CHECK(first.due());
  World second;
  second.clock.advance(24h);
  second.board.seed({{kPath, first.published.at(kPath)}});
  second.accept({second.instance("web-1", ConfigurationMode::Observe, true)});
  second.clock.advance(1s);
  CHECK(second.due());
  CHECK(second.published.empty());
}

TEST_CASE("a person's wish has a resting resource tried again") {
  World world;
  world.host.refuses = {"aaa"};
  world.accept({world.instance("web-1", ConfigurationMode::Enforce, true)});
  for (int i = 0; i < kMostAttempts + 1; ++i) {
    world.clock.advance(400s);
    CHECK(world.due());
  }
  const auto before = world.host.corrections();
  CHECK(world.hosts.look_at("acme/web-1"));
  CHECK(world.due());
  CHECK(world.host.corrections() == before + 1);
  CHECK_FALSE(world.hosts.look_at("acme/unknown"));
}
