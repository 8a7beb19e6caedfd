#include "controller/machine/breaker.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace nimbus::controller;
using namespace std::chrono_literals;

namespace {
constexpr auto kMost = 30s;
using State = BmcBreaker::State;
}  // namespace

TEST_CASE("breaker: what happened before decides on patience and lane") {
  struct Row {
    const char* before;  // q: answers at once, l: answers late, s: silent, e: an error at once
    State state;
    int failures;
    std::chrono::milliseconds patience;
  };
  const Row rows[] = {
      {"", State::Prompt, 0, 2s},        // the first contact
      {"q", State::Prompt, 0, 2s},       //
      {"s", State::Slow, 0, 30s},        // put off: no verdict yet
      {"sq", State::Prompt, 0, 2s},      //
      {"sl", State::Slow, 0, 30s},       // it is slow, and stays where it may be
      {"slq", State::Prompt, 0, 2s},     // until it is prompt again
      {"ss", State::Slow, 1, 30s},       //
      {"sss", State::Dead, 2, 2s},       //
      {"ssss", State::Dead, 3, 2s},      //
      {"sssss", State::Dead, 4, 30s},    // perhaps it is only slow now
      {"ssssss", State::Dead, 5, 2s},    //
      {"sssssq", State::Prompt, 0, 2s},  //
      {"sssssl", State::Slow, 0, 30s},   //
      {"e", State::Prompt, 1, 2s},       // a closed port is told at once and costs nothing
      {"ee", State::Dead, 2, 2s},        //
      {"eeq", State::Prompt, 0, 2s},     //
      {"qqqs", State::Slow, 0, 30s},     //
      {"es", State::Slow, 1, 30s},       //
      {"ess", State::Dead, 2, 2s},       //
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.before));
    BmcBreaker breaker;
    for (const char* event = row.before; *event != 0; ++event) {
      if (*event == 'q') breaker.answered(50ms);
      if (*event == 'l') breaker.answered(5s);
      if (*event == 'e') breaker.failed();
      if (*event == 's') {
        const bool prompt = breaker.state() == State::Prompt;
        CHECK((breaker.silent(kMost) == BmcBreaker::Verdict::PutOff) == prompt);
      }
    }
    CHECK(breaker.state() == row.state);
    CHECK(breaker.is_slow() == (row.state != State::Prompt));
    CHECK(breaker.failures() == row.failures);
    CHECK(breaker.patience(kMost) == row.patience);
  }
}

TEST_CASE("breaker: a pass that has no more patience anyway puts nothing off") {
  BmcBreaker breaker;
  CHECK(breaker.patience(1s) == 1s);
  CHECK(breaker.silent(1s) == BmcBreaker::Verdict::Failed);
  CHECK(breaker.failures() == 1);
}

TEST_CASE("breaker: a thousand BMCs that die cost the ordinary lanes two seconds each, once") {
  std::chrono::milliseconds ordinary{};
  for (int bmc = 0; bmc < 1000; ++bmc) {
    BmcBreaker breaker;
    breaker.answered(1ms);
    for (int attempt = 0; attempt < 50; ++attempt) {
      if (!breaker.is_slow()) ordinary += breaker.patience(kMost);
      (void)breaker.silent(kMost);
    }
  }
  CHECK(ordinary == 2000s);
}
