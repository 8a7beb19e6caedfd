// Follows an instance by its status branch: fetches, and tells each step once.
#include <poll.h>

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "base/time/time.hpp"
#include "cli/instance/common.hpp"

namespace nimbus::cli {
namespace {

using namespace std::chrono_literals;
constexpr auto kBetween = 2000ms;  // fetches

constexpr std::array<std::string_view, 5> kSteps = {"pending", "placed", "installing", "configuring", "running"};

/// "[###..]" by how far the phase is; empty for phases that are no step of a way.
std::string bar(const std::string& phase) {
  const auto at = std::find(kSteps.begin(), kSteps.end(), phase);
  if (at == kSteps.end()) return {};
  const auto done = static_cast<std::size_t>(at - kSteps.begin()) + 1;
  return "[" + std::string(done, '#') + std::string(kSteps.size() - done, '.') + "] ";
}

struct Seen {
  std::string phase, line;
};

Seen seen_of(const Opened& opened, const Fleet& fleet) {
  const std::string& provider = opened.provider;
  const auto* document = fleet.document(opened.name.id());
  if (document == nullptr) {
    const auto* view = fleet.view(provider);
    return {"", view == nullptr ? provider + " has told nothing yet"
                                : "the controller of " + provider + " has not told of it yet"};
  }
  const std::string phase = text_at(*document, "phase"), machine = text_at(*document, "machine"),
                    message = text_at(*document, "message");
  return {phase,
          bar(phase) + phase + (machine.empty() ? "" : " on " + machine) + (message.empty() ? "" : ": " + message)};
}

}  // namespace

const base::toml::Table* machine_of(const Fleet& fleet, const std::string& id) {
  for (const auto& view : fleet.views) {
    for (const auto& machine : view.machines) {
      if (is_left(machine.document)) continue;
      if (text_at(machine.document, "claim.instance") == id || text_at(machine.document, "instance") == id)
        return &machine.document;
    }
  }
  return nullptr;
}

Goal phase_goal(const std::string& id, const std::string& phase) {
  return {phase, [=](const Fleet& fleet) {
            const auto* document = fleet.document(id);
            return document != nullptr && text_at(*document, "phase") == phase;
          }};
}

Exit follow(Context& context, const Opened& opened, const Goal& goal) {
  const auto limit = base::parse_duration(context.args.text("timeout")).value_or(30min);
  const auto start = context.clock.now();
  std::string told;
  while (true) {
    fetch_status(context, opened.loaded);
    const auto fleet = read_fleet(opened.loaded);
    if (!fleet) return fail(context, fleet.error());
    const auto seen = seen_of(opened, *fleet);
    if (seen.line != told) {
      const auto passed = std::chrono::duration_cast<std::chrono::seconds>(context.clock.now() - start).count();
      context.console.say(fmt::format("{:02}:{:02}  {}", passed / 60, passed % 60, base::printable(seen.line, 1000)));
      told = seen.line;
    }
    if (goal.reached(*fleet)) return Exit::Ok;
    if (seen.phase == "failed") return Exit::Error;
    if (context.clock.now() - start >= limit) {
      return fail(context, {Code::Timeout, fmt::format("not {} after {}; 'nimbusctl instance describe {}' tells more",
                                                       goal.word, context.args.text("timeout"), opened.name.id())});
    }
    ::poll(nullptr, 0, static_cast<int>(kBetween.count()));
  }
}

}  // namespace nimbus::cli
