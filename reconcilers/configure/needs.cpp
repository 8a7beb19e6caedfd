#include "reconcilers/configure/needs.hpp"

#include <algorithm>
#include <variant>

#include "reconcilers/configure/primitives.hpp"
#include "reconcilers/configure/shell.hpp"

namespace nimbus::reconcilers::configure {
namespace {

/// What makes a resource another one in the eyes of whoever tries it.
std::string declared(const host::Resource& resource) {
  std::string out = resource.id + "\n";
  if (const auto* file = std::get_if<host::File>(&resource.wanted)) {
    out += file->presence == host::Presence::Absent ? "absent" : "present";
    out += "\n" + file->owner + "\n" + file->group + "\n" + file->mode + "\n" + file->sha256 + "\n" + file->content;
  } else if (const auto* link = std::get_if<host::Link>(&resource.wanted)) {
    out += (link->presence == host::Presence::Absent ? "absent\n" : "present\n") + link->target;
  } else if (const auto* block = std::get_if<host::Block>(&resource.wanted)) {
    out += block->lines;
  } else if (const auto* package = std::get_if<host::Package>(&resource.wanted)) {
    out += (package->presence == host::Presence::Absent ? "absent\n" : "present\n") + package->version;
  }
  return out + "\n";
}

/// Of the answer about one resource.
std::size_t most_output(const host::Resource& resource) {
  std::size_t most = 2048 + 2 * resource.id.size();
  if (const auto* user = std::get_if<host::User>(&resource.wanted)) most += user->manages_keys ? 128 * 1024 : 0;
  if (const auto* block = std::get_if<host::Block>(&resource.wanted)) most += 4 * block->lines.size() + 4096;
  if (std::holds_alternative<host::OwnedFiles>(resource.wanted)) most += 64 * 1024;
  return most;
}

}  // namespace

std::string digest_of_trial(const host::Resource& action, const host::Configuration& wanted) {
  std::string text;
  if (const auto* it = std::get_if<host::Action>(&action.wanted)) text = it->run + "\n" + it->undo + "\n";
  for (const auto& resource : wanted.resources) {
    const auto& told = resource.notifies;
    if (std::find(told.begin(), told.end(), action.id) != told.end()) text += declared(resource);
  }
  return digest_of(text);
}

ProbeNeeds needs_of(const host::Configuration& wanted) {
  ProbeNeeds needs;
  for (const auto& resource : wanted.resources) {
    std::visit([&](const auto& it) { ask(it, needs); }, resource.wanted);
    needs.most_output += most_output(resource);
    const auto* action = std::get_if<host::Action>(&resource.wanted);
    if (action != nullptr || std::holds_alternative<host::Unit>(resource.wanted) ||
        std::holds_alternative<host::File>(resource.wanted)) {
      needs.state_names[state_name(resource.id)] = resource.id;
    }
    if (action != nullptr && !action->undo.empty()) needs.tried[resource.id] = digest_of_trial(resource, wanted);
  }
  return needs;
}

}  // namespace nimbus::reconcilers::configure
