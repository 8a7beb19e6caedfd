#include "drivers/redfish/quirks.hpp"

#include <algorithm>

#include "base/text/text.hpp"

namespace nimbus::redfish {
namespace {

bool begins_with(std::string_view text, std::string_view prefix) noexcept {
  return base::equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

/// Takes the next number off the front; nothing if there is none left. Numbers that are
/// too long count as huge.
bool take_number(std::string_view& text, unsigned long& out) noexcept {
  const auto start = text.find_first_of("0123456789");
  if (start == std::string_view::npos) return false;
  text.remove_prefix(start);
  out = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    constexpr unsigned long kHuge = 1'000'000'000'000;
    if (out < kHuge) out = out * 10 + static_cast<unsigned long>(text.front() - '0');
    text.remove_prefix(1);
  }
  return true;
}

}  // namespace

const std::vector<Quirk>& quirk_table() {
  static const std::vector<Quirk> table = {
      {"IP-01", Effect::Spaced, "", "", "", "",
       "some BMCs are busy or hang when requests follow each other at once; ironic leaves seconds between them"},
      {"IV-03", Effect::SerialInSku, "Dell", "", "", "",
       "Dell's service tag, which is on the label and in DMI, is the System's SKU (recorded PowerEdge R750)"},
      {"RF-01", Effect::CloseConnections, "", "", "", "",
       "some BMCs choke on kept connections; sushy closes after every request for that reason"},
      {"RF-15", Effect::ExpandLosesFields, "AMI", "", "", "",
       "AMI drops required fields under $expand, so members are read one by one (nv-redfish)"},
      {"RF-15", Effect::ExpandLosesFields, "American Megatrends", "", "", "",
       "AMI drops required fields under $expand, so members are read one by one (nv-redfish)"},
      {"RF-32", Effect::BasicOnly, "", "", "", "",
       "BMCs that offer sessions and lose them, or count them against a small cap for ever"},
      {"RF-40", Effect::StrongEtags, "", "", "", "",
       "412 to the weak ETag that the service itself sent; its strong form is taken (sushy)"},
      {"RF-42", Effect::NoEtags, "", "", "", "",
       "412 to every form of the ETag although nobody else writes; without If-Match it works (sushy, gofish)"},
      {"VM-06", Effect::MediaProtocolNeeded, "", "", "", "",
       "Nokia and AMI answer ActionParameterMissing without TransferProtocolType (sushy)"},
      {"VM-06b", Effect::MediaMethodNeeded, "", "", "", "", "some want TransferMethod \"Stream\" (sushy)"},
      {"VM-06c", Effect::MediaUserNeeded, "", "", "", "",
       "NVIDIA DGX wants UserName and Password with InsertMedia, even for an open server (ironic)"},
      {"VM-09", Effect::EjectWithBody, "", "", "", "",
       "HPE answers 415 or 400 to EjectMedia without a body; {} works (sushy)"},
      {"VM-11", Effect::CdBootsPhysical, "Dell", "", "3", "4.40.10",
       "iDRAC 9 before 4.40.10 boots the physical drive when told Cd (sushy's Dell extension)"},
      {"AC-01", Effect::AccountSlots, "Dell", "", "", "",
       "iDRAC has numbered account slots: a free one is written with PATCH, slots 1 and 2 stay as they are"},
  };
  return table;
}

Result<> check_quirk_ids(const std::vector<std::string>& ids) {
  std::vector<std::string> known;
  for (const auto& quirk : quirk_table()) known.emplace_back(quirk.id);
  for (const auto& id : ids) {
    if (std::find(known.begin(), known.end(), id) != known.end()) continue;
    std::string message = "no quirk '" + base::printable(id, 100) + "' of Redfish BMCs";
    if (const auto meant = base::did_you_mean(id, known)) message += "; did you mean '" + *meant + "'?";
    return Error{Code::Invalid, std::move(message)};
  }
  return {};
}

bool is_forced(const std::vector<std::string>& ids, Effect effect) noexcept {
  return std::any_of(quirk_table().begin(), quirk_table().end(), [&](const Quirk& quirk) {
    return quirk.effect == effect && std::find(ids.begin(), ids.end(), quirk.id) != ids.end();
  });
}

bool is_forced_id(const std::vector<std::string>& ids, std::string_view id) noexcept {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

bool matches(const Quirk& quirk, const BmcKind& kind) noexcept {
  if (quirk.vendor.empty()) return false;
  if (!begins_with(kind.vendor, quirk.vendor) && !begins_with(kind.manufacturer, quirk.vendor)) return false;
  if (!begins_with(kind.model, quirk.model)) return false;
  if (quirk.from.empty() && quirk.below.empty()) return true;
  if (kind.firmware.empty()) return false;
  return (quirk.from.empty() || !is_older_version(kind.firmware, quirk.from)) &&
         (quirk.below.empty() || is_older_version(kind.firmware, quirk.below));
}

bool matches(const BmcKind& kind, Effect effect) noexcept {
  return std::any_of(quirk_table().begin(), quirk_table().end(),
                     [&](const Quirk& quirk) { return quirk.effect == effect && matches(quirk, kind); });
}

bool is_older_version(std::string_view a, std::string_view b) noexcept {
  while (true) {
    unsigned long left = 0;
    unsigned long right = 0;
    const bool more_left = take_number(a, left);
    const bool more_right = take_number(b, right);
    if (!more_left || !more_right) return more_right && !more_left;
    if (left != right) return left < right;
  }
}

bool LearntQuirks::has(Effect effect) const {
  const std::lock_guard lock(mutex_);
  return effects_.contains(effect);
}

void LearntQuirks::add(Effect effect) {
  const std::lock_guard lock(mutex_);
  effects_.insert(effect);
}

bool LearntQuirks::belongs_to(const std::string& bmc) {
  const std::lock_guard lock(mutex_);
  const bool other = !bmc_.empty() && bmc_ != bmc;
  if (other) effects_.clear();
  bmc_ = bmc;
  return other;
}

}  // namespace nimbus::redfish
