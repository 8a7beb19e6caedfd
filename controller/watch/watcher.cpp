#include "controller/watch/watcher.hpp"

#include <utility>
#include <vector>

#include <fmt/core.h>

namespace nimbus::controller {
namespace {

constexpr const char* kIncoming = "refs/nimbus/incoming";
constexpr const char* kReadingTheMirror =
    "while reading the mirror: if it is damaged, stop nimbusd and remove mirror.git from its data folder; it is "
    "fetched "
    "anew";

}  // namespace

Result<bool> Watcher::confirmed(const registry::ObjectId& tip) {
  auto agreed = mirror_.resolve(kConfirmed);
  if (!agreed) return std::move(agreed.error()).with(kReadingTheMirror);
  return *agreed == tip;
}

Result<Look> Watcher::look(const Call& call) {
  std::vector<std::string> names = {branches_.registry};
  if (!branches_.status.empty()) names.push_back(branches_.status);
  auto tips = transport_.list_remote(remote_, names, call);
  if (!tips) return std::move(tips.error()).with("while asking the forge for its branches");
  const auto tip = tips->find(branches_.registry);
  if (tip == tips->end()) {
    return Error{Code::NotFound, fmt::format("the registry has no branch {}", branches_.registry)};
  }

  Look look;
  if (const auto status = tips->find(branches_.status); status != tips->end()) look.status_tip = status->second;
  auto seen = mirror_.resolve(kSeen);
  if (!seen) return std::move(seen.error()).with(kReadingTheMirror);
  if (*seen && **seen == tip->second) {
    look.tip = **seen;
    return look;
  }

  if (auto fetched = transport_.fetch(remote_, {{branches_.registry, kIncoming}}, call); !fetched) {
    return std::move(fetched.error()).with("while fetching the registry");
  }
  // The branch may have moved between the two exchanges: what was fetched counts.
  auto incoming = mirror_.resolve(kIncoming);
  if (!incoming) return std::move(incoming.error()).with(kReadingTheMirror);
  if (!*incoming) return Error{Code::Corrupt, "the fetch brought no commit"};
  if (*seen) {
    auto forward = mirror_.is_ancestor(**seen, **incoming);
    if (!forward) return std::move(forward.error()).with("while comparing histories");
    auto agreed = *forward ? Result<bool>(true) : confirmed(**incoming);
    if (!agreed) return std::move(agreed.error());
    if (!*agreed) {
      look.tip = **seen;
      look.held_tip = **incoming;
      look.held = fmt::format(
          "{} was rewritten: {} does not descend from {}, which was seen before; only its brakes count until a person "
          "confirms it: nimbusctl confirm {}",
          branches_.registry, (*incoming)->substr(0, 12), (*seen)->substr(0, 12), **incoming);
      return look;
    }
  }
  if (auto moved = mirror_.move_reference(kSeen, **incoming, *seen); !moved) {
    return std::move(moved.error()).with("while noting the tip in the mirror");
  }
  look.tip = **incoming;
  look.moved = true;
  return look;
}

}  // namespace nimbus::controller
