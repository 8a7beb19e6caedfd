#include "drivers/ipmi/message.hpp"

#include <doctest/doctest.h>

#include "drivers/ipmi/packet.hpp"
#include "fake_bmc.hpp"

using namespace nimbus;
using namespace nimbus::ipmi;
using test::Data;
using test::FakeBmc;

TEST_CASE("a request on the wire") {
  const Request request{.net_fn = NetFn::App, .command = 0x38, .data = {0x8E, 0x04}};
  CHECK(encode_request(request, 0) == Data{0x20, 0x18, 0xC8, 0x81, 0x00, 0x38, 0x8E, 0x04, 0xB5});
  CHECK(encode_sessionless(encode_request(request, 0)) == Data{0x06, 0x00, 0xFF, 0x07, 0x00, 0x00, 0x00, 0x00,
                                                               0x00, 0x00, 0x00, 0x00, 0x00, 0x09, 0x20, 0x18,
                                                               0xC8, 0x81, 0x00, 0x38, 0x8E, 0x04, 0xB5});
}

TEST_CASE("a reply is read and matched") {
  const auto message = FakeBmc::reply_message(0x01, 33, 0x01, {0x00, 0x61, 0x00, 0x70});
  const auto reply = parse_reply(message, Checksums::Verify);
  REQUIRE(reply);
  CHECK(reply->completion == 0);
  CHECK(reply->data.size() == 3);
  const Request status{.net_fn = NetFn::Chassis, .command = 0x01};
  CHECK(answers(*reply, status, 33));
  CHECK_FALSE(answers(*reply, status, 34));
  CHECK_FALSE(answers(*reply, {.net_fn = NetFn::App, .command = 0x01}, 33));
  CHECK_FALSE(answers(*reply, {.net_fn = NetFn::Chassis, .command = 0x02}, 33));
}

TEST_CASE("replies with wrong sums, wrong addresses or missing bytes are none") {
  const auto good = FakeBmc::reply_message(0x01, 33, 0x01, {0x00, 0x61});
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto bad = good;
    bad[i] ^= 0x20;
    CHECK_MESSAGE(!parse_reply(bad, Checksums::Verify), "byte ", i);
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK(!parse_reply(Bytes(good).first(size), Checksums::Verify));
  }
  auto wrong_sum = good;
  wrong_sum.back() ^= 0xFF;
  CHECK(parse_reply(wrong_sum, Checksums::Ignore));
}

TEST_CASE("completion codes say what to do") {
  const Request request{.name = "Chassis Control"};
  CHECK(completion_error(request, 0xC0).code == Code::Busy);
  CHECK(completion_error(request, 0xC1).code == Code::Unsupported);
  CHECK(completion_error(request, 0xD4).code == Code::Auth);
  CHECK(completion_error(request, 0xD2).code == Code::Busy);
  const auto unknown = completion_error(request, 0x93);
  CHECK(unknown.code == Code::Corrupt);
  CHECK(unknown.message.find("0x93") != std::string::npos);
  CHECK(unknown.message.find("Chassis Control") != std::string::npos);
}

TEST_CASE("frames that are not for us") {
  const auto setup = encode_setup(PayloadType::Rakp2, Data(8, 0));
  REQUIRE(parse_frame(setup, 0));
  const auto is_nothing = [&](std::size_t at, std::uint8_t value) {
    auto changed = setup;
    changed[at] = value;
    return !parse_frame(changed, 0);
  };
  CHECK(is_nothing(0, 0x05));   // RMCP version
  CHECK(is_nothing(3, 0x06));   // ASF
  CHECK(is_nothing(4, 0x02));   // authentication type MD5
  CHECK(is_nothing(5, 0x92));   // encrypted, but not authenticated
  CHECK(is_nothing(6, 0x01));   // a session, but no code
  CHECK(is_nothing(14, 0xFF));  // longer than it is
  CHECK(!parse_frame(Data(kMaxPacketBytes + 1, 0), 0));
  CHECK(!parse_frame({}, 0));
}
