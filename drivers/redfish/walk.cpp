#include "drivers/redfish/walk.hpp"

#include <utility>

namespace nimbus::redfish {
namespace {

using base::Json;

constexpr std::size_t kMostDenied = 3;  // each may cost a login

/// Whether it is about this document only.
bool can_go_on(Code code) noexcept {
  return code == Code::NotFound || code == Code::Unsupported || code == Code::Corrupt || code == Code::Invalid ||
         code == Code::Busy || code == Code::Conflict || code == Code::Auth;
}

/// A list that was to be expanded and was not.
bool is_link_only(const Json& member) { return member.size() <= 1 && !link_of(member).empty(); }

}  // namespace

Walk::Walk(Machine& machine, const Call& call, WalkLimits limits) : machine_(machine), call_(call), limits_(limits) {
  const auto root = machine_.session().root(call_);
  expands_ = root && root->expands && !machine_.has(Effect::ExpandLosesFields);
}

std::optional<Json> Walk::fetch(const std::string& target) {
  if (trouble_ || target.empty()) return std::nullopt;
  if (read_ >= limits_.documents) {
    trouble_ = Error{Code::Corrupt, "the BMC's resources never end"};
    return std::nullopt;
  }
  ++read_;
  const auto answer = machine_.session().get(target, call_);
  if (!answer) {
    const Code code = answer.error().code;
    if (code == Code::Auth) ++denied_;
    if (!can_go_on(code) || denied_ >= kMostDenied) trouble_ = answer.error();
    return std::nullopt;
  }
  auto json = parse_document(answer->body);
  if (!json) return std::nullopt;
  return std::move(*json);
}

std::optional<Json> Walk::get(const std::string& link) {
  if (!seen_.insert(link).second) return std::nullopt;
  return fetch(link);
}

std::vector<Json> Walk::all(const std::vector<std::string>& links) {
  std::vector<Json> out;
  for (const auto& link : links) {
    if (auto json = get(link)) out.push_back(std::move(*json));
  }
  return out;
}

/// False: enough.
bool Walk::take_page(const Json& page, std::vector<Json>& out) {
  for (const auto& member : page["Members"].items()) {
    if (out.size() >= limits_.members) return false;
    if (is_link_only(member)) {
      if (auto json = get(link_of(member))) out.push_back(std::move(*json));
    } else if (member.is_object()) {
      seen_.insert(link_of(member));
      out.push_back(member);
    }
    if (trouble_) return false;
  }
  return true;
}

std::optional<std::vector<Json>> Walk::members(const std::string& link) {
  if (link.empty() || !seen_.insert(link).second) return std::nullopt;
  std::optional<Json> page;
  if (expands_ && link.find('?') == std::string::npos) page = fetch(link + "?$expand=.($levels=1)");
  if (!page) page = fetch(link);
  if (!page) return std::nullopt;
  std::vector<Json> out;
  for (std::size_t number = 1; take_page(*page, out) && number < limits_.pages; ++number) {
    const std::string next((*page)["Members@odata.nextLink"].as_string().value_or(""));
    page = get(next);
    if (!page) break;
  }
  return out;
}

}  // namespace nimbus::redfish
