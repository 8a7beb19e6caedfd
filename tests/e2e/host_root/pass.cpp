#include "pass.hpp"

#include <doctest/doctest.h>

#include <set>

#include "reconcilers/configure/compare.hpp"
#include "reconcilers/configure/order.hpp"
#include "reconcilers/configure/probe.hpp"

namespace nimbus::test {

using namespace reconcilers::configure;

const Outcome* Pass::outcome(std::string_view id) const {
  for (auto it = outcomes.rbegin(); it != outcomes.rend(); ++it) {
    if (it->resource == id) return &*it;
  }
  return nullptr;
}

std::string Pass::text() const {
  std::string out;
  for (const auto& it : outcomes) {
    if (it.kind != Outcome::Kind::Done || !gaps.empty()) {
      out += it.resource + ": " + std::to_string(static_cast<int>(it.kind)) + ", status " +
             std::to_string(it.exit_status) + ": " + it.said + "\n";
    }
  }
  for (const auto& gap : gaps) {
    out += "gap " + gap.resource + " " + gap.problem;
    for (const auto& drift : gap.drifts)
      out += " [" + drift.key + ": " + drift.observed + " instead of " + drift.desired + "]";
    out += "\n";
  }
  return out;
}

std::string Passes::next_token() { return "tok" + std::to_string(++tokens_); }

host::Facts Passes::probe(const host::Configuration& wanted) {
  const auto token = next_token();
  const auto answer = run_(probe_script(wanted, token));
  REQUIRE_FALSE(answer.lost);
  CHECK_MESSAGE(answer.errors.empty(), answer.errors);
  auto facts = read_probe(answer.output, wanted, token);
  REQUIRE_MESSAGE(facts, (facts ? "" : facts.error().text()), "\n", answer.output.substr(0, 4000));
  return *facts;
}

Pass Passes::converge(const host::Configuration& wanted) {
  const auto order = order_of(wanted);
  REQUIRE(order);
  Pass pass;
  std::set<std::string> failed, done;
  while (true) {
    pass.facts = probe(wanted);
    ++pass.probes;
    pass.gaps = compare(wanted, pass.facts);
    // What is not as declared after it was done never will be: not tried again.
    for (const auto& gap : pass.gaps) {
      if (done.contains(gap.resource) && !gap.notified) failed.insert(gap.resource);
    }
    const auto token = next_token();
    const auto correction = next_correction(wanted, *order, pass.gaps, pass.facts, failed, token);
    if (correction.resources.empty()) return pass;
    ++pass.corrections;
    REQUIRE(pass.corrections < 40);
    const auto answer = run_(correction.script);
    CHECK_MESSAGE(answer.errors.empty(), answer.errors);
    for (auto& outcome : read_outcomes(correction, answer.output, token)) {
      (outcome.kind == Outcome::Kind::Done ? done : failed).insert(outcome.resource);
      pass.outcomes.push_back(std::move(outcome));
    }
    pass.lost = answer.lost;
    if (pass.lost) return pass;
  }
}

Correction Passes::first_correction(const host::Configuration& wanted) {
  const auto order = order_of(wanted);
  REQUIRE(order);
  const auto facts = probe(wanted);
  return next_correction(wanted, *order, compare(wanted, facts), facts, {}, next_token());
}

}  // namespace nimbus::test
