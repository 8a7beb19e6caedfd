#include <doctest/doctest.h>

#include "boot/protocol/orders.hpp"

using namespace nimbus;
using namespace nimbus::boot;

namespace {

/// `plan`: bytes of each machine's sealed plan.
OrdersUpdate update_of(int machines, std::size_t plan) {
  OrdersUpdate update{.mark = {"e", 3}, .orders = {}, .removed = {"52:54:00:00:00:01"}};
  update.orders.dhcp = DhcpService::Server;
  update.orders.cidr = "10.0.0.0/16";
  for (int i = 0; i < machines; ++i) {
    const auto mac = std::to_string(10'000'000 + i);
    update.orders.machines.push_back(
        {.mac = "52:54:" + mac.substr(0, 2) + ":" + mac.substr(2, 2) + ":" + mac.substr(4, 2) + ":" + mac.substr(6, 2),
         .name = "m" + mac,
         .address = "10.0.0.1",
         .run = RunOrder{.run = "r", .nonce = "n", .plan = std::string(plan, '"'), .key = "k"}});
  }
  return update;
}

}  // namespace

TEST_CASE("what is small stays one message, and what is large arrives whole in parts") {
  CHECK(parts_of(update_of(500, 4'000)).size() == 1);
  const auto whole = update_of(500, 60'000);
  const auto parts = parts_of(whole);
  CHECK(parts.size() > 3);
  OrderParts together;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto text = to_json(parts[i]);
    CHECK(text.size() <= kMostOrderBytes);
    auto read = parse_orders_update(text);
    REQUIRE(read);
    auto taken = together.take(std::move(*read));
    REQUIRE(taken);
    REQUIRE(taken->has_value() == (i + 1 == parts.size()));
    if (*taken) CHECK(**taken == whole);
  }
}

TEST_CASE("20,000 machines without runs are within each message's bounds") {
  auto update = update_of(20'000, 0);
  for (auto& machine : update.orders.machines) machine.run.reset();
  for (const auto& part : parts_of(update)) CHECK(parse_orders_update(to_json(part)));
}

TEST_CASE("a part that is not the next one is refused, and nothing of it counts") {
  const auto parts = parts_of(update_of(500, 60'000));
  OrderParts together;
  CHECK(together.take(parts[1]).error().code == Code::Conflict);  // the receiver was restarted
  REQUIRE(together.take(parts[0]));
  CHECK(together.take(parts[2]).error().code == Code::Conflict);  // one was lost
  CHECK(together.take(parts[1]).error().code == Code::Conflict);  // then all of it is needed
  REQUIRE(together.take(parts[0]));
  auto other = parts[1];
  other.mark.epoch = "f";
  CHECK(together.take(other).error().code == Code::Conflict);
  REQUIRE(together.take(parts[0]));
  const auto small = update_of(1, 10);
  CHECK(**together.take(small) == small);  // somebody began anew
}
