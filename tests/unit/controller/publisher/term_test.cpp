// Terms: who may write status.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <thread>

#include "publisher_fixture.hpp"

using namespace nimbus;
using namespace nimbus::controller;
using namespace nimbus::controller::test;
using nimbus::test::commit_files;
using State = Authority::State;

TEST_CASE("terms: a new branch begins with 1, each controller takes one more and reads back") {
  const Forge forge;
  Controller first(forge, "ctl-1");
  CHECK(first.publisher.authority().state == State::Starting);
  CHECK(first.flush_error() == Code::Conflict);
  const auto taken = first.take();
  CHECK(taken.term == 1);
  CHECK(!taken.before);
  CHECK(taken.documents.empty());
  CHECK(first.publisher.authority().state == State::Held);
  CHECK(forge.log("%s") == "berlin-1/ctl-1: term 1");
  CHECK(forge.log("%(trailers:key=Nimbus-Term,valueonly,separator=%x2c)") == "1");
  CHECK(first.publisher.tip() == git(forge.temp / "forge", {"rev-parse", kBranch}));

  first.publisher.put(path_of("m1"), "power = \"on\"\n", "power-on");
  first.publisher.set_controller({.accepted_commit = "0123456789012345678901234567890123456789"});
  first.flush();
  Controller second(forge, "ctl-2");
  const auto next = second.take();
  CHECK(next.term == 2);
  REQUIRE(next.before);
  CHECK(next.before->id == "berlin-1/ctl-1");
  CHECK(next.before->accepted_commit == "0123456789012345678901234567890123456789");
  CHECK(next.documents == std::map<std::string, std::string>{{path_of("m1"), "power = \"on\"\n"}});
  const auto status = registry::parse_controller_status(forge.show("status.toml"));
  REQUIRE(status);
  CHECK(status->term == 2);
  CHECK(status->id == "berlin-1/ctl-2");
  CHECK(status->accepted_commit == next.before->accepted_commit);
}

TEST_CASE("a deposed controller writes nothing more, ever") {
  const Forge forge;
  Controller first(forge, "ctl-1");
  first.take();
  Controller second(forge, "ctl-2");
  second.take();
  const auto before = forge.count();
  first.publisher.put(path_of("m1"), "a", "power-on");
  CHECK(first.flush_error() == Code::Conflict);
  CHECK(first.publisher.authority().state == State::Deposed);
  CHECK(first.publisher.authority().detail.find("berlin-1/ctl-2 took term 2") != std::string::npos);
  CHECK(first.flush_error() == Code::Conflict);
  CHECK(!first.publisher.take_term(within(60s)).has_value());
  CHECK(forge.count() == before);
  second.publisher.put(path_of("m1"), "b", "power-on");
  second.flush();
  CHECK(forge.show(path_of("m1")) == "b");
}

TEST_CASE("verify notices a higher term without writing") {
  const Forge forge;
  Controller first(forge, "ctl-1");
  first.take();
  CHECK(first.publisher.verify(within(60s)).has_value());
  CHECK(first.publisher.authority().state == State::Held);
  Controller second(forge, "ctl-2");
  second.take();
  CHECK(!first.publisher.verify(within(60s)).has_value());
  CHECK(first.publisher.authority().state == State::Deposed);
}

TEST_CASE("controllers that start at once get different terms, and one is left") {
  const Forge forge;
  std::vector<std::unique_ptr<Controller>> controllers;
  for (int i = 0; i < 3; ++i) controllers.push_back(std::make_unique<Controller>(forge, "ctl-" + std::to_string(i)));
  std::vector<std::uint64_t> terms(controllers.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < controllers.size(); ++i) {
      threads.emplace_back([&, i] {
        auto taken = controllers[i]->publisher.take_term(within(60s));
        if (taken) terms[i] = taken->term;
      });
    }
  }
  std::ranges::sort(terms);
  CHECK(terms == std::vector<std::uint64_t>{1, 2, 3});
  int held = 0;
  for (const auto& each : controllers) {
    each->publisher.put(path_of("m"), "by " + std::to_string(each->publisher.authority().term), "power-on");
    if (each->publisher.flush(within(60s))) ++held;
  }
  CHECK(held == 1);
  CHECK(forge.show(path_of("m")) == "by 3");
}
