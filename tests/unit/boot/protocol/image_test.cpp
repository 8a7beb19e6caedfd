#include "boot/protocol/image.hpp"

#include <doctest/doctest.h>

#include "boot/protocol/orders.hpp"
#include "boot/protocol/source_rules.hpp"

using namespace nimbus;
using namespace nimbus::boot;

TEST_CASE("orders for images and answers survive their text") {
  const ImageOrder order{.sha256 = std::string(64, 'a'),
                         .most_bytes = 1 << 30,
                         .urls = {"https://images.example/a"},
                         .sources = {"https://images.example/"},
                         .never = {"10.20.0.0/24", "192.0.2.9/32"}};
  CHECK(*parse_image_order(to_json(order)) == order);
  const ImageAnswer answer{
      .stage = ImageStage::Ready, .url = "http://10.20.0.1:8081/images/a", .done_bytes = 7, .message = "m"};
  CHECK(*parse_image_answer(to_json(answer)) == answer);
  for (const auto& name : {std::string(63, 'a'), std::string(64, 'A'), std::string("../") + std::string(61, 'a')}) {
    auto bad = order;
    bad.sha256 = name;
    CHECK_FALSE(parse_image_order(to_json(bad)));
  }
  auto bad = order;
  bad.urls.clear();
  CHECK_FALSE(parse_image_order(to_json(bad)));
  CHECK_FALSE(parse_image_answer(R"({"stage":"ready"})"));
}

TEST_CASE("an order for every BMC of a large site fits") {
  ImageOrder order{.sha256 = std::string(64, 'a'), .urls = {"https://images.example/a"}, .sources = {}, .never = {}};
  for (int i = 0; i < 20'000; ++i) {
    order.never.push_back("2001:db8:1234:5678:9abc:def0:0:" + std::to_string(1000 + i % 9000) + "/128");
  }
  const auto text = to_json(order);
  CHECK(text.size() < kMostImageOrderBytes);
  CHECK(parse_image_order(text));
}

TEST_CASE("a run's order names the image that it needs") {
  Orders orders;
  orders.machines = {
      {.mac = "52:54:00:12:34:17",
       .name = "m",
       .address = "10.0.0.1",
       .run = RunOrder{.run = "r", .nonce = "n", .plan = "p", .key = "k", .image = std::string(64, 'a')}}};
  const auto read = parse_orders_update(to_json(OrdersUpdate{{"e", 0}, orders, {}}));
  REQUIRE(read);
  CHECK(read->orders == orders);
}
