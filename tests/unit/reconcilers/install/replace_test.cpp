#include "reconcilers/install/replace.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace nimbus;
using namespace nimbus::reconcilers;
using Kind = Replacement::Kind;

namespace {

FailureView failed(Observed<PowerState> power) {
  return {.failure = "m1 failed",
          .replace = true,
          .unprotected = true,
          .replaced = 0,
          .other = "m2",
          .no_other = {},
          .limit = {},
          .power = std::move(power)};
}

Observed<PowerState> is(PowerState state) { return Observed<PowerState>::known(state, WallTime{}); }

}  // namespace

TEST_CASE("replacement: a table of what must be so") {
  struct Row {
    const char* what;
    void (*change)(FailureView&);
    Kind kind;
    const char* says;
  };
  const std::array rows{
      Row{"failed, off, another one there", [](FailureView&) {}, Kind::Replace, "m1 failed"},
      Row{"it has not failed", [](FailureView& v) { v.failure.clear(); }, Kind::Nothing, ""},
      Row{"hold", [](FailureView& v) { v.replace = false; }, Kind::Nothing, ""},
      Row{"protected", [](FailureView& v) { v.unprotected = false; }, Kind::Wait, "protected = false"},
      Row{"twice before", [](FailureView& v) { v.replaced = 2; }, Kind::Replace, "m1 failed"},
      Row{"three times before", [](FailureView& v) { v.replaced = 3; }, Kind::Wait, "a person must look"},
      Row{"no other", [](FailureView& v) { v.other.clear(), v.no_other = "m2: in use"; }, Kind::Wait, "m2: in use"},
      Row{"a limit", [](FailureView& v) { v.limit = "3 began lately"; }, Kind::Wait, "3 began lately"},
      Row{"on", [](FailureView& v) { v.power = is(PowerState::On); }, Kind::PowerOff, "switching it off"},
      Row{"going on", [](FailureView& v) { v.power = is(PowerState::PoweringOn); }, Kind::Wait, "power is changing"},
      Row{"going off", [](FailureView& v) { v.power = is(PowerState::PoweringOff); }, Kind::Wait, "power is changing"},
      Row{"silent", [](FailureView& v) { v.power = Observed<PowerState>::unknown("no answer"); }, Kind::Wait,
          "seen to be off: no answer"},
      Row{"on, and no other",
          [](FailureView& v) {
            v.power = is(PowerState::On);
            v.other.clear();
          },
          Kind::Wait, "no other machine"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    auto view = failed(is(PowerState::Off));
    row.change(view);
    const auto next = decide_replacement(view);
    CHECK(next.kind == row.kind);
    CHECK(next.reason.find(row.says) != std::string::npos);
  }
}

TEST_CASE("replacement: never without all of it, in every combination") {
  int replaced = 0;
  for (unsigned bits = 0; bits < 64; ++bits) {
    for (const auto state : {PowerState::Off, PowerState::On, PowerState::PoweringOn, PowerState::PoweringOff}) {
      const auto bit = [&](unsigned n) { return ((bits >> n) & 1U) != 0; };
      FailureView view{.failure = bit(0) ? "failed" : "",
                       .replace = bit(1),
                       .unprotected = bit(2),
                       .replaced = bit(3) ? kMostReplacements : 0,
                       .other = bit(4) ? "m2" : "",
                       .no_other = "none",
                       .limit = bit(5) ? "limit" : "",
                       .power = is(state)};
      const bool all = bit(0) && bit(1) && bit(2) && !bit(3) && bit(4) && !bit(5);
      const auto kind = decide_replacement(view).kind;
      CHECK((kind == Kind::Replace) == (all && state == PowerState::Off));
      CHECK((kind == Kind::PowerOff) == (all && state == PowerState::On));
      CHECK((kind == Kind::Nothing) == !(bit(0) && bit(1)));
      replaced += kind == Kind::Replace ? 1 : 0;
    }
  }
  CHECK(replaced == 1);
}
