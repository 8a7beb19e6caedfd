#include "reconcilers/configure/correct.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <variant>

#include "reconcilers/configure/prelude.hpp"
#include "reconcilers/configure/primitives.hpp"
#include "reconcilers/configure/read_lines.hpp"
#include "reconcilers/configure/shell.hpp"

namespace nimbus::reconcilers::configure {
namespace {

using Chosen = std::vector<const host::Resource*>;

/// The resources of the lowest level that have a gap to correct and nothing in their way.
Chosen choose(const host::Configuration& wanted, const Order& order, const std::vector<Gap>& gaps,
              const std::set<std::string>& failed) {
  std::map<std::string, Gap::Kind> kinds;
  for (const auto& gap : gaps) kinds.emplace(gap.resource, gap.kind);
  std::vector<std::size_t> by_level(wanted.resources.size());
  for (std::size_t at = 0; at < by_level.size(); ++at) by_level[at] = at;
  std::stable_sort(by_level.begin(), by_level.end(),
                   [&](std::size_t a, std::size_t b) { return order.level[a] < order.level[b]; });
  std::vector<bool> blocked(wanted.resources.size(), false);
  Chosen out;
  std::size_t level = 0;
  for (const auto at : by_level) {
    const auto& resource = wanted.resources[at];
    if (!out.empty() && order.level[at] != level) break;
    const auto gap = kinds.find(resource.id);
    blocked[at] = failed.contains(resource.id) || (gap != kinds.end() && gap->second != Gap::Kind::Change) ||
                  std::any_of(order.needs[at].begin(), order.needs[at].end(), [&](auto need) { return blocked[need]; });
    if (gap == kinds.end() || blocked[at]) continue;
    level = order.level[at];
    out.push_back(&resource);
  }
  return out;
}

/// State names of the actions that may have to be undone.
std::set<std::string> guarded_actions(const host::Configuration& wanted) {
  std::set<std::string> out;
  for (const auto& resource : wanted.resources) {
    const auto* action = std::get_if<host::Action>(&resource.wanted);
    if (action != nullptr && !action->undo.empty()) out.insert(resource.id);
  }
  return out;
}

std::string for_people(const Step& step) {
  std::string out = "# " + step.id + "\n" + step.body;
  if (step.hidden.empty()) return out;
  const auto at = out.find(step.hidden);
  if (at != std::string::npos) out.replace(at, step.hidden.size(), step.instead);
  return out;
}

/// What one call does for the whole level.
std::string before_steps(const Chosen& chosen, const host::Facts& shown) {
  std::vector<const host::Package*> packages;
  bool units = false;
  for (const auto* resource : chosen) {
    if (const auto* package = std::get_if<host::Package>(&resource->wanted)) packages.push_back(package);
    units = units || std::holds_alternative<host::Unit>(resource->wanted);
  }
  std::string out = package_batch(packages, shown);
  if (units) out += "systemctl daemon-reload >/dev/null 2>&1 || :\n";
  return out;
}

std::string joined(std::string_view text) {
  constexpr std::size_t kMostSaid = 1000;
  if (text.size() > kMostSaid) text.remove_prefix(text.size() - kMostSaid);
  return printable(text, kMostSaid);
}

}  // namespace

void Step::line(std::string_view text) { body += std::string(text) + "\n"; }

void Step::announce() {
  announced = true;
  if (notifies.empty()) return;
  body += "note";
  for (const auto& name : notifies) body += " " + quote(name);
  body += "\n";
}

void Step::save(std::string_view path) {
  for (const auto& name : guarded) {
    line(fmt::format("save_old {} {} {}", quote(name), digest_of(path), quote(path)));
  }
}

Correction next_correction(const host::Configuration& wanted, const Order& order, const std::vector<Gap>& gaps,
                           const host::Facts& shown, const std::set<std::string>& failed, std::string_view token) {
  Correction out;
  const auto chosen = choose(wanted, order, gaps, failed);
  if (chosen.empty()) return out;
  const auto guarded = guarded_actions(wanted);
  std::string steps, runs;
  for (const auto* resource : chosen) {
    Step step{resource->id, shown};
    step.pending = shown.pending.contains(resource->id);
    step.token = token;
    for (const auto& id : resource->notifies) {
      step.notifies.push_back(state_name(id));
      if (guarded.contains(id)) step.guarded.push_back(state_name(id));
    }
    if (guarded.contains(resource->id)) step.trial = digest_of_trial(*resource, wanted);
    std::visit([&](const auto& it) { correct(it, step); }, resource->wanted);
    if (!step.announced && !step.notifies.empty()) {
      const auto body = std::move(step.body);
      step.body.clear();
      step.announce();
      step.body += body;
    }
    steps += fmt::format("step_{}() {{\n", out.resources.size()) + step.body + "}\n";
    runs += fmt::format("run {}\n", out.resources.size());
    out.shown += for_people(step);
    out.resources.push_back(resource->id);
  }
  out.script = "{\n" + std::string(kCorrectionPrelude) + "TOKEN=" + quote(token) + "\n" + steps +
               before_steps(chosen, shown) + runs + "exit 0\n}\n";
  return out;
}

std::vector<Outcome> read_outcomes(const Correction& correction, std::string_view output, std::string_view token) {
  std::vector<Outcome> out(correction.resources.size());
  for (std::size_t at = 0; at < out.size(); ++at) out[at].resource = correction.resources[at];
  const auto frame = fmt::format("nimbus\t{}\t", token);
  std::string said;
  std::size_t now = out.size();  // none
  while (!output.empty()) {
    const auto stop = output.find('\n');
    auto line = output.substr(0, stop);
    output.remove_prefix(stop == std::string_view::npos ? output.size() : stop + 1);
    if (line.starts_with('|')) {
      line.remove_prefix(1);
      if (!line.empty() && said.size() < 64 * 1024) said += (said.empty() ? "" : "; ") + std::string(line);
      continue;
    }
    if (!line.starts_with(frame) || stop == std::string_view::npos) continue;
    const auto fields = split(line.substr(frame.size()), '\t');
    const auto at = fields.size() >= 2 ? number(fields[1]) : std::nullopt;
    if (!at || *at >= out.size()) continue;
    if (fields[0] == "start") {
      now = *at;
      said.clear();
    } else if (fields[0] == "done" && fields.size() == 3 && now == *at && out[now].kind == Outcome::Kind::Unknown) {
      const auto status = number(fields[2]);
      if (!status || *status > 255) continue;
      auto& outcome = out[now];
      outcome.exit_status = static_cast<int>(*status);
      const bool fine = *status == 0 || *status == kAlreadySo;
      outcome.kind = fine ? Outcome::Kind::Done : *status == kBusy ? Outcome::Kind::Busy : Outcome::Kind::Failed;
      outcome.changed = *status == 0;
      outcome.said = joined(said);
    }
  }
  return out;
}

}  // namespace nimbus::reconcilers::configure
