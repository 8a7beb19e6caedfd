#include "drivers/redfish/redfish_bmc.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text/text.hpp"
#include "drivers/redfish/boot.hpp"
#include "drivers/redfish/error_body.hpp"
#include "drivers/redfish/quirks.hpp"
#include "drivers/redfish/reset_types.hpp"

namespace nimbus::redfish {
namespace {

constexpr std::size_t kMostManagers = 4;

/// The last part of a link, which most BMCs also use as the resource's Id.
std::string_view last_segment(std::string_view link) {
  while (link.ends_with('/')) link.remove_suffix(1);
  return link.substr(link.rfind('/') + 1);
}

std::optional<PowerState> state_after(PowerAction action) {
  switch (action) {
    case PowerAction::On:
      return PowerState::On;
    case PowerAction::SoftOff:
    case PowerAction::HardOff:
      return PowerState::Off;
    case PowerAction::Reset:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

RedfishBmc::RedfishBmc(BmcEndpoint endpoint, Session session)
    : endpoint_(std::move(endpoint)), session_(std::move(session)) {}

Result<System> RedfishBmc::read_system_at(const std::string& link, const Call& call) {
  auto answer = session_.get(link, call);
  if (!answer) return std::move(answer.error());
  const auto json = parse_document(answer->body);
  if (!json) return Error(json.error()).with("while reading a System");
  return read_system(*json);
}

Result<> RedfishBmc::discover(const Call& call) {
  if (!system_link_.empty()) return {};
  const auto root = session_.root(call);
  if (!root) return root.error();
  const auto answer = session_.get(root->systems, call);
  if (!answer) return answer.error();
  const auto json = parse_document(answer->body);
  if (!json) return Error(json.error()).with("while reading the list of Systems");
  const auto members = read_members(*json);
  if (members.empty()) return Error{Code::Corrupt, "the BMC lists no System"};
  auto chosen = choose_system(members, call);
  if (!chosen) return std::move(chosen.error());
  system_link_ = std::move(*chosen);
  return {};
}

Result<std::string> RedfishBmc::choose_system(const std::vector<std::string>& members, const Call& call) {
  if (endpoint_.system.empty()) {
    if (members.size() == 1) return members.front();
    return only_system_with_reset(members, call);
  }
  for (const auto& link : members) {
    if (last_segment(link) == endpoint_.system) return link;
  }
  for (const auto& link : members) {
    const auto system = read_system_at(link, call);
    if (!system) return system.error();
    if (system->id == endpoint_.system) return link;
  }
  std::vector<std::string> ids;
  for (const auto& link : members) ids.push_back(base::printable(last_segment(link), 60));
  return Error{Code::Invalid, fmt::format("this BMC has no System '{}'; it has: {}",
                                          base::printable(endpoint_.system, 60), fmt::join(ids, ", "))};
}

/// Some BMCs list a second System that is an accelerator board and has no Reset.
Result<std::string> RedfishBmc::only_system_with_reset(const std::vector<std::string>& members, const Call& call) {
  std::vector<std::string> links;
  std::vector<std::string> ids;
  for (const auto& link : members) {
    const auto system = read_system_at(link, call);
    if (!system) return system.error();
    ids.push_back(base::printable(system->id.empty() ? last_segment(link) : system->id, 60));
    if (system->reset) links.push_back(link);
  }
  if (links.size() == 1) return links.front();
  return Error{Code::Invalid,
               fmt::format("this BMC has several Systems; name one in bmc.system: {}", fmt::join(ids, ", "))};
}

Result<const System*> RedfishBmc::read(const Call& call) {
  for (int round = 0;; ++round) {
    if (auto found = discover(call); !found) return std::move(found.error());
    auto answer = session_.get(system_link_, call);
    if (!answer) {
      // The machine behind the address is another one, or its paths changed with an update.
      const bool moved = answer.error().code == Code::NotFound && round == 0;
      if (!moved) return std::move(answer.error());
      system_link_.clear();
      system_.reset();
      continue;
    }
    const auto hash = std::hash<std::string>{}(answer->body);
    if (!system_ || hash != body_hash_) {
      system_.reset();
      const auto json = parse_document(answer->body);
      if (!json) return Error(json.error()).with("while reading the System");
      system_ = read_system(*json);
      body_hash_ = hash;
    }
    return &*system_;
  }
}

Result<PowerState> RedfishBmc::power(const Call& call) {
  const auto system = read(call);
  if (!system) return system.error();
  if ((*system)->power) return *(*system)->power;
  if ((*system)->power_text.empty()) return Error{Code::Unsupported, "the BMC reports no power state for this System"};
  return Error{Code::Corrupt, "the BMC reports a power state that is not known here: '" +
                                  base::printable((*system)->power_text, 60) + "'"};
}

Identity RedfishBmc::identity_of(const System& system) const {
  const bool by_sku = applies(system, endpoint_.quirks, Effect::SerialInSku) && !system.sku.empty();
  return {.serial = normalize_serial(by_sku ? system.sku : system.serial),
          .uuid = normalize_uuid(system.uuid),
          .bmc_guid = {}};
}

Result<std::string> RedfishBmc::bmc_guid(const System& system, const Call& call) {
  for (std::size_t i = 0; i < std::min(system.managers.size(), kMostManagers); ++i) {
    const auto answer = session_.get(system.managers[i], call);
    if (!answer) {
      const Code code = answer.error().code;
      if (code == Code::NotFound || code == Code::Unsupported || code == Code::Corrupt) continue;
      return answer.error();
    }
    const auto json = parse_document(answer->body);
    if (!json) continue;
    const auto manager = read_manager(*json);
    if (!manager.uuid.empty() && (manager.type.empty() || manager.type == "BMC")) return normalize_uuid(manager.uuid);
  }
  return std::string();
}

Result<Identity> RedfishBmc::identity(const Call& call) {
  identified_.reset();
  const auto system = read(call);
  if (!system) return system.error();
  const unsigned long number = session_.number();
  Identity out = identity_of(**system);
  auto guid = bmc_guid(**system, call);
  if (!guid) return std::move(guid.error()).with("while reading the identity of the BMC");
  if (session_.number() != number)
    return Error{Code::Conflict, "the connection was lost between two reads of the identity; ask again"};
  out.bmc_guid = std::move(*guid);
  identified_ = out;
  identified_session_ = number;
  return out;
}

Result<std::vector<std::string>> RedfishBmc::reset_types(const ResetAction& reset, const Call& call) {
  if (!reset.allowable.empty() || reset.action_info.empty()) return reset.allowable;
  if (reset.action_info == action_info_link_) return action_info_types_;
  const auto answer = session_.get(reset.action_info, call);
  if (!answer) {
    if (answer.error().code == Code::NotFound) return std::vector<std::string>();
    return answer.error();
  }
  const auto json = parse_document(answer->body);
  if (!json) return Error(json.error()).with("while reading which resets the BMC allows");
  action_info_link_ = reset.action_info;
  action_info_types_ = read_reset_types(*json);
  return action_info_types_;
}

/// Where no connection is kept, nothing but a fresh look tells which machine the next
/// request will reach.
Result<> RedfishBmc::check_same_machine(const Call& call) {
  if (session_.keeps_connection()) return {};
  const auto system = read(call);
  if (!system) return system.error();
  const Identity now = identity_of(**system);
  if (identified_ && now.serial == identified_->serial && now.uuid == identified_->uuid) return {};
  return Error{Code::Conflict, "another machine answers now; nothing was sent"};
}

Result<> RedfishBmc::check_identified() const {
  if (session_.is_open() && system_ && identified_ && identified_session_ == session_.number()) return {};
  return Error{Code::Conflict, "the machine's identity was not read on this session; nothing was sent"};
}

Result<BootOverride> RedfishBmc::boot_override(const Call& call) {
  if (auto found = discover(call); !found) return std::move(found.error());
  return BootControl(session_, system_link_).shown(call);
}

Result<WriteOutcome> RedfishBmc::arm_boot(const BootOverride& wanted, const Call& call) {
  if (auto identified = check_identified(); !identified) return std::move(identified.error());
  if (auto same = check_same_machine(call); !same) return std::move(same.error());
  return BootControl(session_, system_link_).arm(wanted, call);
}

Result<WriteOutcome> RedfishBmc::act(PowerAction action, const Call& call) {
  if (auto identified = check_identified(); !identified) return std::move(identified.error());
  const auto refuse_action = [&] {
    return Error{Code::Unsupported, fmt::format("the BMC does not offer {}", to_string(action))};
  };
  if (!system_->reset) return refuse_action();
  const auto allowable = reset_types(*system_->reset, call);
  if (!allowable) return allowable.error();
  const auto type = choose_reset_type(action, *allowable);
  if (!type) return refuse_action();
  if (auto same = check_same_machine(call); !same) return std::move(same.error());
  if (auto identified = check_identified(); !identified) return std::move(identified.error());
  if (!system_->reset) return refuse_action();

  const auto body = base::Json::object({{"ResetType", *type}}).text();
  auto answer = session_.write({.link = system_->reset->target, .body = body}, call);
  if (answer) return outcome_of(*answer, action, call);
  if (answer.error().sent) return WriteOutcome::Unknown;
  return std::move(answer.error().error);
}

Result<WriteOutcome> RedfishBmc::outcome_of(const base::ClientResponse& response, PowerAction action,
                                            const Call& call) {
  // 202 with a task too: what counts is the state that is read afterwards.
  if (response.status >= 200 && response.status < 300) return WriteOutcome::Accepted;
  const auto body = parse_error_body(response.body);
  Error error = refusal(response, body).with(fmt::format("while asking for {}", to_string(action)));
  if (response.status >= 500 && response.status != 501 && response.status != 503 && error.code == Code::Busy)
    return WriteOutcome::Unknown;
  if (body.has("NoOperation")) return WriteOutcome::AlreadySo;
  if (response.status == 404) {
    system_link_.clear();  // the action has moved: walk again
    return Error{Code::Conflict, error.text()};
  }
  const auto wanted = state_after(action);
  if ((response.status == 400 || response.status == 409) && wanted) {
    // Most BMCs refuse to switch on what is on, each in its own words: look.
    const auto now = power(call);
    if (now && *now == *wanted) return WriteOutcome::AlreadySo;
    const bool settling = response.status == 409 || body.has("InvalidOperationForSystemState");
    if (settling && error.code != Code::Unsupported) error.code = Code::Busy;
  }
  return error;
}

}  // namespace nimbus::redfish
