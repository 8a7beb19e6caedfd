#include "drivers/ipmi/sol.hpp"

#include <doctest/doctest.h>

using namespace nimbus::ipmi;

namespace {

constexpr std::size_t kRoom = 1000;

Packet packet(std::uint8_t sequence, std::uint8_t acknowledged, std::uint8_t count, std::uint8_t status,
              std::string_view characters = "") {
  Packet out{sequence, acknowledged, count, status};
  out.insert(out.end(), characters.begin(), characters.end());
  return out;
}

}  // namespace

TEST_CASE("console: characters to the BMC, one packet at a time") {
  SolChannel channel(4);
  CHECK(channel.all_acknowledged());
  CHECK_FALSE(channel.next());
  channel.put("abcdef");
  CHECK(channel.next() == packet(1, 0, 0, 0, "abcd"));
  CHECK_FALSE(channel.next());
  CHECK(channel.again() == packet(1, 0, 0, 0, "abcd"));
  CHECK_FALSE(channel.receive(packet(0, 2, 4, 0), kRoom)->acknowledged);  // not ours
  CHECK(channel.receive(packet(0, 1, 4, 0), kRoom)->acknowledged);
  CHECK_FALSE(channel.receive(packet(0, 1, 4, 0), kRoom)->acknowledged);  // twice
  CHECK(channel.next() == packet(2, 0, 0, 0, "ef"));
  CHECK(channel.receive(packet(0, 2, 2, 0), kRoom)->acknowledged);
  CHECK(channel.all_acknowledged());
}

TEST_CASE("console: taken in part, refused, refused in part") {
  SolChannel channel(100);
  channel.put("abcdef");
  CHECK(channel.next() == packet(1, 0, 0, 0, "abcdef"));
  CHECK(channel.receive(packet(0, 1, 2, 0), kRoom)->acknowledged);
  CHECK(channel.next() == packet(2, 0, 0, 0, "cdef"));
  CHECK_FALSE(channel.receive(packet(0, 2, 0, 0x40), kRoom)->acknowledged);  // refused: sent again later
  CHECK(channel.again() == packet(2, 0, 0, 0, "cdef"));
  CHECK(channel.receive(packet(0, 2, 1, 0x40), kRoom)->acknowledged);
  CHECK(channel.next() == packet(3, 0, 0, 0, "def"));
  CHECK(channel.receive(packet(0, 3, 200, 0), kRoom)->acknowledged);  // more than there was
  CHECK(channel.all_acknowledged());
}

TEST_CASE("console: break, sequence numbers in a circle, discarding") {
  SolChannel channel(10);
  for (int i = 0; i < 40; ++i) {
    const auto number = static_cast<std::uint8_t>(i % 15 + 1);
    channel.put_break();
    CHECK(channel.next() == packet(number, 0, 0, 0x10));
    CHECK(channel.receive(packet(0, number, 0, 0), kRoom)->acknowledged);
  }
  channel.put("lost");
  CHECK(channel.next());
  channel.discard();
  CHECK(channel.all_acknowledged());
  CHECK_FALSE(channel.again());
}

TEST_CASE("console: characters from the BMC, each once") {
  SolChannel channel(10);
  auto got = channel.receive(packet(1, 0, 0, 0, "login: "), kRoom);
  CHECK(got->characters == "login: ");
  CHECK(got->reply == packet(0, 1, 7, 0));
  got = channel.receive(packet(1, 0, 0, 0, "login: "), kRoom);  // the answer was lost
  CHECK(got->characters.empty());
  CHECK(got->reply == packet(0, 1, 7, 0));
  got = channel.receive(packet(1, 0, 0, 0, "login: root"), kRoom);  // again, and longer
  CHECK(got->characters == "root");
  CHECK(got->reply == packet(0, 1, 11, 0));
  CHECK(channel.receive(packet(2, 0, 0, 0, "x"), kRoom)->characters == "x");
  got = channel.receive(packet(1, 0, 0, 0, "login: root"), kRoom);  // late
  CHECK(got->characters.empty());
  CHECK_FALSE(got->reply);
  CHECK(channel.receive(packet(0, 0, 0, 0), kRoom)->reply == std::nullopt);
  CHECK(channel.receive(packet(0, 0, 0, 0x10), kRoom)->ended);
  for (std::size_t size = 0; size < 4; ++size) CHECK_FALSE(channel.receive(Packet(size, 1), kRoom));
}

TEST_CASE("console: no room, come again") {
  SolChannel channel(10);
  auto got = channel.receive(packet(1, 0, 0, 0, "12345"), 4);
  CHECK(got->characters.empty());
  CHECK(got->reply == packet(0, 1, 0, 0x40));
  got = channel.receive(packet(1, 0, 0, 0, "12345"), 5);
  CHECK(got->characters == "12345");
}

TEST_CASE("console: sizes that cannot be") {
  const auto most = [](std::uint8_t low, std::uint8_t high) {
    return parse_activation(Packet{0, 0, 0, 0, low, high, 0, 0, 0x6F, 2, 0xFF, 0xFF})->most_characters;
  };
  CHECK(most(0x40, 0) == 60);
  CHECK(most(0xFF, 0x03) == kMaxSolCharacters);
  CHECK(most(0, 0) == 32);
  CHECK(most(4, 0) == 32);
  CHECK(most(0, 0xFF) == 32);
  CHECK_FALSE(parse_activation(Packet{0, 0, 0, 0, 1}));
}
