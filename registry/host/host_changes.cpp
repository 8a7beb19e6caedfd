#include "registry/host/host_changes.hpp"

#include <algorithm>
#include <map>

#include "base/text/diff.hpp"
#include "base/text/text.hpp"
#include "registry/host/describe.hpp"

namespace nimbus::registry {
namespace {

using host::Resource;
using Kind = ResourceChange::Kind;

bool is_shown(const Resource& resource) {
  if (const auto* block = std::get_if<host::Block>(&resource.wanted)) return !block->lines.empty();
  return !std::holds_alternative<host::Action>(resource.wanted) &&
         !std::holds_alternative<host::OwnedFiles>(resource.wanted);
}

/// The content of a file whose lines may be shown; null: it is none, or a secret, or no text.
const std::string* text_of(const Resource& resource) {
  const auto* file = std::get_if<host::File>(&resource.wanted);
  if (file == nullptr || file->is_secret) return nullptr;
  const bool is_text = base::is_valid_utf8(file->content) && file->content.find('\0') == std::string::npos;
  return is_text ? &file->content : nullptr;
}

class Comparison {
 public:
  Comparison(const host::Configuration& base, const host::Configuration& head) : head_(head) {
    for (const auto& each : base.resources) by_id_[each.id].first = &each;
    for (const auto& each : head.resources) by_id_[each.id].second = &each;
  }

  std::vector<ResourceChange> run() {
    for (const auto& [id, pair] : by_id_) {
      const auto [before, after] = pair;
      const bool was = before != nullptr && is_shown(*before);
      const bool is = after != nullptr && is_shown(*after);
      if (!was && !is) continue;
      if (was && is && before->wanted == after->wanted) continue;
      ResourceChange change;
      change.kind = !was ? Kind::Added : is ? Kind::Changed : goes(*before) ? Kind::Removed : Kind::Forgotten;
      change.id = id;
      change.origin = is ? after->origin : before->origin;
      details(was ? before : nullptr, is ? after : nullptr, change);
      out_.push_back(std::move(change));
    }
    return std::move(out_);
  }

 private:
  /// True if the new configuration removes what it no longer declares.
  bool goes(const Resource& before) const {
    if (std::holds_alternative<host::Block>(before.wanted)) return true;
    const auto* unit = std::get_if<host::Unit>(&before.wanted);
    if (unit != nullptr) return unit->name.starts_with("nimbus-");
    const auto* file = std::get_if<host::File>(&before.wanted);
    if (file == nullptr) return false;
    return std::ranges::any_of(head_.resources, [&](const Resource& each) {
      const auto* owned = std::get_if<host::OwnedFiles>(&each.wanted);
      return owned != nullptr && file->path.starts_with(owned->folder + "/" + owned->prefix);
    });
  }

  void details(const Resource* before, const Resource* after, ResourceChange& change) {
    std::map<std::string, std::pair<std::string, std::string>> values;
    std::vector<std::string> order;
    const auto take = [&](const Resource* resource, std::string std::pair<std::string, std::string>::*side) {
      if (resource == nullptr) return;
      for (auto& [key, value] : describe(resource->wanted)) {
        if (!values.contains(key)) order.push_back(key);
        values[key].*side = std::move(value);
      }
    };
    take(before, &std::pair<std::string, std::string>::first);
    take(after, &std::pair<std::string, std::string>::second);
    change.diff = diff(before, after, change.id);
    for (const auto& key : order) {
      const auto& [from, to] = values[key];
      // What is shown line by line needs no digest.
      const bool told = !change.diff.empty() && (key == "sha256" || key == "size");
      if (from != to && !told) change.details.push_back({key, from, to});
    }
  }

  std::string diff(const Resource* before, const Resource* after, const std::string& id) {
    static const std::string kNothing;
    const auto* from = before != nullptr ? text_of(*before) : &kNothing;
    const auto* to = after != nullptr ? text_of(*after) : &kNothing;
    const bool is_file = id.starts_with("file:");
    if (!is_file || from == nullptr || to == nullptr || shown_ >= kMostHostDiff) return {};
    const auto path = id.substr(std::string_view("file:").size());
    auto text = base::unified_diff(*from, *to, before != nullptr ? path : "/dev/null",
                                   after != nullptr ? path : "/dev/null", {.context = 3, .bytes = kMostFileDiff});
    shown_ += text.size();
    return text;
  }

  const host::Configuration& head_;
  std::map<std::string, std::pair<const Resource*, const Resource*>> by_id_;
  std::vector<ResourceChange> out_;
  std::size_t shown_ = 0;
};

}  // namespace

std::vector<ResourceChange> host_changes(const host::Configuration& base, const host::Configuration& head) {
  return Comparison(base, head).run();
}

}  // namespace nimbus::registry
