#include "drivers/redfish/machine.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text/text.hpp"
#include "base/time/time.hpp"

namespace nimbus::redfish {
namespace {

constexpr std::size_t kMostManagers = 4;

/// The last part of a link, which most BMCs also use as the resource's Id.
std::string_view last_segment(std::string_view link) {
  while (link.ends_with('/')) link.remove_suffix(1);
  return link.substr(link.rfind('/') + 1);
}

/// Errors that say only that this document is not there or not usable.
bool is_about_document(Code code) noexcept {
  return code == Code::NotFound || code == Code::Unsupported || code == Code::Corrupt || code == Code::Invalid;
}

}  // namespace

Machine::Machine(BmcEndpoint endpoint, SharedSession& session, std::shared_ptr<LearntQuirks> learnt)
    : endpoint_(std::move(endpoint)), session_(session), learnt_(std::move(learnt)) {}

Result<System> Machine::read_system_at(const std::string& link, const Call& call) {
  auto answer = session_.get(link, call);
  if (!answer) return std::move(answer.error());
  const auto json = parse_document(answer->body);
  if (!json) return Error(json.error()).with("while reading a System");
  return read_system(*json);
}

Result<> Machine::discover(const Call& call) {
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

Result<std::string> Machine::choose_system(const std::vector<std::string>& members, const Call& call) {
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
Result<std::string> Machine::only_system_with_reset(const std::vector<std::string>& members, const Call& call) {
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

Result<const System*> Machine::read(const Call& call) {
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

Identity Machine::identity_of(const System& system) const {
  BmcKind of{.vendor = {}, .manufacturer = system.manufacturer, .model = system.model, .firmware = {}};
  const bool by_sku =
      !system.sku.empty() && (is_forced(endpoint_.quirks, Effect::SerialInSku) || matches(of, Effect::SerialInSku));
  return {.serial = normalize_serial(by_sku ? system.sku : system.serial),
          .uuid = normalize_uuid(system.uuid),
          .bmc_guid = {}};
}

Result<> Machine::read_manager_of(const System& system, const Call& call) {
  manager_.reset();
  for (std::size_t i = 0; i < std::min(system.managers.size(), kMostManagers); ++i) {
    const auto answer = session_.get(system.managers[i], call);
    if (!answer) {
      if (is_about_document(answer.error().code)) continue;
      return answer.error();
    }
    const auto json = parse_document(answer->body);
    if (!json) continue;
    auto manager = read_manager(*json);
    const bool is_bmc = manager.type.empty() || manager.type == "BMC";
    if (!manager_ || (is_bmc && !manager.uuid.empty())) manager_ = std::move(manager);
    if (is_bmc && !manager_->uuid.empty()) break;
  }
  manager_read_ = true;
  clock_off_.reset();
  const auto shown = manager_ ? base::from_rfc3339(manager_->date_time) : std::nullopt;
  if (shown) clock_off_ = std::chrono::round<std::chrono::seconds>(*shown - std::chrono::system_clock::now());
  return {};
}

Result<const Manager*> Machine::manager(const Call& call) {
  if (!manager_read_) {
    const auto system = read(call);
    if (!system) return system.error();
    if (auto done = read_manager_of(**system, call); !done) return std::move(done.error());
  }
  return manager_ ? &*manager_ : nullptr;
}

Result<std::string> Machine::system_link(const Call& call) {
  if (auto found = discover(call); !found) return std::move(found.error());
  return system_link_;
}

void Machine::forget_paths() {
  system_link_.clear();
  system_.reset();
  manager_read_ = false;
}

Result<Identity> Machine::identity(const Call& call) {
  identified_.reset();
  const auto system = read(call);
  if (!system) return system.error();
  const unsigned long number = session_.number();
  Identity out = identity_of(**system);
  if (auto done = read_manager_of(**system, call); !done)
    return std::move(done.error()).with("while reading the identity of the BMC");
  if (session_.number() != number)
    return Error{Code::Conflict, "the connection was lost between two reads of the identity; ask again"};
  const bool is_bmc = manager_ && (manager_->type.empty() || manager_->type == "BMC");
  if (is_bmc) out.bmc_guid = normalize_uuid(manager_->uuid);
  const std::string firmware = manager_ ? manager_->firmware_version : "";
  if (learnt_->belongs_to(fmt::format("{} {} {} {}", out.bmc_guid, out.uuid, out.serial, firmware))) {
    // What was read of its predecessor holds no longer: service root, paths, ActionInfo.
    session_.forget_root();
    action_info_link_.clear();
    if (auto again = session_.root(call); !again) return std::move(again.error());
  }
  identified_ = out;
  identified_session_ = number;
  return out;
}

Result<> Machine::check_identified() const {
  if (session_.is_open() && system_ && identified_ && identified_session_ == session_.number()) return {};
  return Error{Code::Conflict, "the machine's identity was not read on this session; nothing was sent"};
}

Result<> Machine::check_writable(const Call& call) {
  if (auto identified = check_identified(); !identified) return identified;
  if (session_.keeps_connection()) return {};
  // Where no connection is kept, nothing but a fresh look tells which machine the next
  // request will reach.
  const auto system = read(call);
  if (!system) return system.error();
  const Identity now = identity_of(**system);
  if (now.serial != identified_->serial || now.uuid != identified_->uuid)
    return Error{Code::Conflict, "another machine answers now; nothing was sent"};
  return check_identified();
}

Result<std::optional<base::ClientResponse>> Machine::write(Session::Write what, const Call& call) {
  if (auto writable = check_writable(call); !writable) return std::move(writable.error());
  auto answer = session_.write(std::move(what), identified_session_, call);
  if (answer) return std::optional(std::move(*answer));
  if (answer.error().sent) return std::optional<base::ClientResponse>();
  return std::move(answer.error().error);
}

Result<std::vector<std::string>> Machine::reset_types(const ResetAction& reset, const Call& call) {
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

BmcKind Machine::kind() const {
  BmcKind out;
  if (const auto root = session_.known_root()) out.vendor = root->vendor;
  if (system_) {
    out.manufacturer = system_->manufacturer;
    out.model = system_->model;
  }
  if (manager_) out.firmware = manager_->firmware_version;
  return out;
}

bool Machine::has(Effect effect) const {
  return is_forced(endpoint_.quirks, effect) || learnt_->has(effect) || matches(kind(), effect);
}

}  // namespace nimbus::redfish
