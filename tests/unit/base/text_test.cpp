#include "base/text/text.hpp"

#include <doctest/doctest.h>

using namespace nimbus::base;

TEST_CASE("printable: control characters and invalid UTF-8 cannot forge lines") {
  CHECK(printable("plain ä €") == "plain ä €");
  CHECK(printable("a\nb\r\t\x1b[31m") == "a\\nb\\r\\t\\x1b[31m");
  CHECK(printable("\x7f\xff") == "\\x7f\\xff");
  CHECK(printable("\xc2\x85") == "\\xc2\\x85");  // C1 next line
  CHECK(printable("\xe2\x80\xae"
                  "abc") == "\\xe2\\x80\\xaeabc");        // right-to-left override
  CHECK(printable("\xe2\x80\xa8") == "\\xe2\\x80\\xa8");  // line separator
  CHECK(printable(std::string(2000, 'x'), 10) == "xxxxxxxxxx…");
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // a surrogate is not UTF-8
}

TEST_CASE("utf-8 validity") {
  CHECK(is_valid_utf8("aä€😀"));
  for (const char* bad : {"\x80", "\xc0\xaf", "\xe0\x80\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xe2\x82"})
    CHECK(!is_valid_utf8(bad));
}

TEST_CASE("hex and base64 round-trip and refuse anything else") {
  const std::vector<std::uint8_t> bytes = {0, 1, 0x7f, 0x80, 0xff};
  CHECK(to_hex(bytes) == "00017f80ff");
  CHECK(from_hex("00017F80ff") == bytes);
  CHECK(!from_hex("0"));
  CHECK(!from_hex("0g"));
  for (std::size_t n = 0; n <= bytes.size(); ++n) {
    const std::span part(bytes.data(), n);
    CHECK(from_base64(to_base64(part)) == std::vector<std::uint8_t>(part.begin(), part.end()));
  }
  CHECK(to_base64(bytes) == "AAF/gP8=");
  for (const char* bad : {"AA=", "A===", "AA=A", "AB==", "AAB=", "A A=", "AA-_"}) CHECK_MESSAGE(!from_base64(bad), bad);
}

TEST_CASE("did you mean") {
  const std::vector<std::string> keys = {"driver", "address", "credentials", "system"};
  CHECK(did_you_mean("drvier", keys) == "driver");
  CHECK(did_you_mean("adress", keys) == "address");
  CHECK(did_you_mean("Driver", keys) == "driver");
  CHECK(did_you_mean("zebra", keys) == std::nullopt);
  CHECK(did_you_mean("", keys) == std::nullopt);
}

TEST_CASE("split, trim, case") {
  CHECK(split("a,b,,c", ',') == std::vector<std::string_view>{"a", "b", "", "c"});
  CHECK(split("", ',').size() == 1);
  CHECK(trim("  a b\r\n") == "a b");
  CHECK(trim(" \t").empty());
  CHECK(equals_ignoring_case("Content-Type", "content-type"));
}
