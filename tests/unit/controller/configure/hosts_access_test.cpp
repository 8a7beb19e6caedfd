// Our access to hosts: remembered where it was last, taken away once nobody wants it.
#include "hosts_world.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;
using namespace std::chrono_literals;

TEST_CASE("nobody wants it any more: a last script takes the access away, and status says so") {
  World world;
  world.looks_at_adopted();
  world.host.state.answer = [](const std::string&) { return HostAnswer{0, "", ""}; };
  SUBCASE("configuration is none") { world.accept({world.instance("web-1", ConfigurationMode::None, true)}); }
  SUBCASE("the file is gone") { world.accept({}); }
  SUBCASE("first the host does not answer") {
    world.host.state.answer = [](const std::string&) { return Error{Code::Unreachable, "refused"}; };
    world.accept({});
    CHECK(world.due());
    CHECK(world.kept.contains("acme/web-1"));
    CHECK(world.published.at(kPath).find("NotYetRemoved") != std::string::npos);
    world.host.state.answer = [](const std::string&) { return HostAnswer{0, "", ""}; };
    world.clock.advance(1h);
  }
  CHECK(world.due());
  CHECK(world.host.state.scripts.back().find("AAAAC3") != std::string::npos);
  CHECK(world.kept.empty());
  const auto status = registry::parse_instance_status(world.published.at(kPath), kPath);
  REQUIRE(status);
  CHECK(status->conditions.at("access").reason == "Removed");
  world.clock.advance(1h);
  CHECK_FALSE(world.due());
}

TEST_CASE("access is taken away where it was last: another key or address in the file is remembered too") {
  World world;
  world.looks_at_adopted();
  const auto installed_anew = world.instance("web-1", ConfigurationMode::Enforce, true);
  installed_anew->digest = "d2";
  SUBCASE("another key") { installed_anew->value.adopt->host_key = "ssh-ed25519 BBBB"; }
  SUBCASE("another address") { installed_anew->value.adopt->address = "192.0.2.9"; }
  const HostEndpoint now{installed_anew->value.adopt->address, installed_anew->value.adopt->host_key, "nimbus"};
  world.accept({installed_anew});
  CHECK(world.due());
  world.host.state.answer = [](const std::string&) { return HostAnswer{0, "", ""}; };
  world.accept({});
  CHECK(world.due());
  CHECK(world.host.state.attached.back() == now);
  CHECK(world.kept.empty());
}

TEST_CASE("access that could not be taken away yet is looked for where its file says, at once") {
  World world;
  world.looks_at_adopted();
  world.host.state.answer = [](const std::string&) { return Error{Code::Untrusted, "another key"}; };
  const auto nobody = [&] { return world.instance("web-1", ConfigurationMode::None, true); };
  world.accept({nobody()});
  CHECK(world.due());
  CHECK(world.published.at(kPath).find("NotYetRemoved") != std::string::npos);
  world.accept({nobody()});
  CHECK_FALSE(world.due());
  world.host.state.answer = [](const std::string&) { return HostAnswer{0, "", ""}; };
  auto said = nobody();
  SUBCASE("another key") {
    said->value.adopt->host_key = "ssh-ed25519 BBBB";
    world.accept({said});
    CHECK(world.due());
    CHECK(world.host.state.attached.back() == HostEndpoint{"192.0.2.7", "ssh-ed25519 BBBB", "nimbus"});
    CHECK(world.kept.empty());
  }
  SUBCASE("another host is not the one that we had access to") {
    *said->value.adopt = {"ssh-ed25519 BBBB", "192.0.2.9"};
    world.accept({said});
    CHECK_FALSE(world.due());
    world.clock.advance(1h);
    CHECK(world.due());
    CHECK(world.host.state.attached.back() == HostEndpoint{"192.0.2.7", "ssh-ed25519 AAAA", "nimbus"});
  }
}

TEST_CASE("brakes hold the script that takes our access away") {
  World world;
  world.looks_at_adopted();
  const auto before = world.host.state.scripts.size();
  world.host.state.answer = [](const std::string&) { return HostAnswer{0, "", ""}; };
  world.accept({}, "m", {.hands_off = true, .reason = "somebody works there"});
  CHECK(world.due());
  CHECK(world.host.state.scripts.size() == before);
  CHECK(world.published.at(kPath).find("somebody works there") != std::string::npos);
  world.accept({});
  world.clock.advance(1h);
  CHECK(world.due());
  CHECK(world.host.state.scripts.size() == before + 1);
  CHECK(world.kept.empty());
}

TEST_CASE("a host that is wanted again while our access is taken away is looked at, and not forgotten") {
  World world;
  world.board.seed({});
  world.host.installed = {"aaa"};
  const auto wanted = world.instance("web-1", ConfigurationMode::Enforce, true);
  world.accept({wanted});
  world.clock.advance(1s);
  CHECK(world.due());
  const auto answers = world.host.state.answer;
  world.host.state.answer = [&](const std::string&) {
    world.accept({wanted});
    return HostAnswer{0, "", ""};
  };
  world.accept({});
  CHECK(world.due());
  CHECK(world.kept.empty());
  world.host.state.answer = answers;
  CHECK(world.due());
  REQUIRE(world.hosts.view("acme/web-1"));
  CHECK(world.hosts.view("acme/web-1")->report->converged());
  CHECK(world.kept.contains("acme/web-1"));
  world.clock.advance(400s);
  CHECK(world.due());
}

TEST_CASE("a host that another instance has now keeps our access, which is that instance's from then on") {
  World world;
  world.looks_at_adopted();
  // The file got another name; that the host does not answer just now changes nothing.
  const auto answers = world.host.state.answer;
  world.host.state.answer = [&](const std::string& script) -> Result<HostAnswer> {
    CHECK(script.find("userdel") == std::string::npos);
    return Error{Code::Unreachable, "no route"};
  };
  const auto renamed = world.instance("web-2", ConfigurationMode::Enforce, true);
  world.accept({renamed});
  while (world.due()) world.clock.advance(1s);
  CHECK_FALSE(world.kept.contains("acme/web-1"));
  REQUIRE(world.kept.contains("acme/web-2"));
  CHECK(parse_access(world.kept.at("acme/web-2"))->path == renamed->path);
  world.host.state.answer = answers;
  world.clock.advance(1h);
  CHECK(world.due());
  REQUIRE(world.hosts.view("acme/web-2"));
  CHECK(world.hosts.view("acme/web-2")->report->converged());
  // Nobody wants that one any more either.
  world.host.state.answer = [](const std::string&) { return HostAnswer{0, "", ""}; };
  world.accept({});
  CHECK(world.due());
  CHECK(world.host.state.scripts.back().find("userdel") != std::string::npos);
  CHECK(world.kept.empty());
}

TEST_CASE("before anything is in force nobody's access is taken away") {
  World world;
  world.kept["acme/web-1"] = to_json({"acme/web-1", kPath, "m1", true, {"192.0.2.7", "ssh-ed25519 AAAA", "nimbus"}});
  CHECK(world.hosts.accept(std::make_shared<AcceptedRegistry>()));
  world.clock.advance(1h);
  CHECK_FALSE(world.due());
}
