#include "base/time/time.hpp"

#include <doctest/doctest.h>

using namespace nimbus::base;
using namespace std::chrono_literals;

TEST_CASE("RFC 3339 both ways") {
  const auto time = from_rfc3339("2026-11-23T10:00:00Z");
  REQUIRE(time.has_value());
  CHECK(to_rfc3339(*time) == "2026-11-23T10:00:00Z");
  CHECK(from_rfc3339("2026-11-23T12:00:00.250+02:00") == *time + 250ms);
  for (const char* bad : {"", "2026-11-23", "2026-11-23T10:00:00", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
                          "2026-11-23T24:00:00Z", "2026-11-23T10:00:00Zx", "2026-11-23T10:00:00.Z"})
    CHECK_MESSAGE(!from_rfc3339(bad), bad);
}

TEST_CASE("durations") {
  CHECK(parse_duration("30s") == 30s);
  CHECK(parse_duration("250ms") == 250ms);
  CHECK(parse_duration("2h") == 2h);
  for (const char* bad : {"", "5", "s", "-1s", "0s", "1.5h", "5 s", "5S", "99999999999999999999s", "9999999d"})
    CHECK_MESSAGE(!parse_duration(bad), bad);
  CHECK(to_duration_text(90s) == "90s");
  CHECK(to_duration_text(120s) == "2m");
}
