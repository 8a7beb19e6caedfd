#include <doctest/doctest.h>

#include "core/call.hpp"
#include "core/error.hpp"
#include "core/names.hpp"
#include "core/observed.hpp"
#include "core/power.hpp"
#include "core/result.hpp"
#include "core/secret.hpp"

using namespace nimbus;

TEST_CASE("names: DNS labels") {
  for (const char* good : {"a", "m017", "b2-x", "0", "berlin-1"}) CHECK_MESSAGE(is_dns_label(good), good);
  for (const char* bad : {"", "-a", "a-", "A", "a_b", "a.b", "ä", "a b", "a/b"}) CHECK_MESSAGE(!is_dns_label(bad), bad);
  CHECK(is_dns_label(std::string(63, 'a')));
  CHECK(!is_dns_label(std::string(64, 'a')));
}

TEST_CASE("names: secrets") {
  CHECK(is_secret_name("bmc/berlin-1"));
  CHECK(is_secret_name("tenant/acme/app-token"));
  for (const char* bad : {"", "/", "bmc/", "/bmc", "bmc//x", "../x", "bmc/..", "bmc/X"}) CHECK(!is_secret_name(bad));
}

TEST_CASE("errors: context is added going up, and read innermost first") {
  const Error error = Error{Code::Timeout, "no answer within 5s"}.with("while reading power").with("of m017");
  CHECK(error.text() == "no answer within 5s (while reading power) (of m017)");
  CHECK(is_transient(Code::Timeout));
  CHECK(!is_transient(Code::Auth));
}

TEST_CASE("result: value or error") {
  const auto half = [](int n) -> Result<int> {
    if (n % 2 != 0) return Error{Code::Invalid, "odd"};
    return n / 2;
  };
  CHECK(half(4).value() == 2);
  CHECK(half(3).error().code == Code::Invalid);
  const auto nothing = [](bool ok) -> Result<> {
    if (!ok) return Error{Code::Busy, "busy"};
    return {};
  };
  CHECK(nothing(true).has_value());
  CHECK(!nothing(false).has_value());
}

TEST_CASE("observed: unknown is a value of its own") {
  const auto on = Observed<PowerState>::known(PowerState::On, WallTime{});
  const auto unknown = Observed<PowerState>::unknown("no answer");
  CHECK(on.is_known());
  CHECK(!unknown.is_known());
  CHECK(unknown.reason() == "no answer");
  CHECK(on != unknown);
  CHECK(Observed<PowerState>::unsupported().is_unsupported());
}

TEST_CASE("secret: compares, moves and leaves nothing behind") {
  Secret a("hunter2");
  Secret b("hunter2");
  CHECK(a == b);
  CHECK(!(a == Secret("hunter3")));
  CHECK(!(a == Secret("hunter22")));
  const Secret c = std::move(a);
  CHECK(c.reveal() == "hunter2");
  CHECK(a.empty());  // NOLINT: the moved-from state is part of the contract
}

TEST_CASE("call: remaining time is never negative") {
  const MonoTime now{};
  CHECK(Call{now + std::chrono::seconds(5)}.remaining(now) == std::chrono::seconds(5));
  CHECK(Call{now}.remaining(now + std::chrono::seconds(5)) == std::chrono::milliseconds(0));
}

TEST_CASE("power: texts round-trip") {
  CHECK(parse_wanted_power("on") == WantedPower::On);
  CHECK(parse_wanted_power("ON") == std::nullopt);
  CHECK(parse_enforcement("enforce") == Enforcement::Enforce);
  CHECK(to_string(PowerAction::SoftOff) == "soft-off");
}
