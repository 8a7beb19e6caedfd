#include "drivers/redfish/quirks.hpp"

#include <algorithm>

#include "base/text/text.hpp"

namespace nimbus::redfish {

const std::vector<Quirk>& quirk_table() {
  static const std::vector<Quirk> table = {
      {"IV-03", Effect::SerialInSku, "Dell",
       "Dell's service tag, which is on the label and in DMI, is the System's SKU (recorded PowerEdge R750)"},
      {"RF-01", Effect::CloseConnections, "",
       "some BMCs choke on kept connections; sushy closes after every request for that reason"},
      {"RF-32", Effect::BasicOnly, "",
       "BMCs that offer sessions and lose them, or count them against a small cap for ever"},
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

bool applies(const System& system, const std::vector<std::string>& forced, Effect effect) noexcept {
  if (is_forced(forced, effect)) return true;
  return std::any_of(quirk_table().begin(), quirk_table().end(), [&](const Quirk& quirk) {
    return quirk.effect == effect && !quirk.manufacturer.empty() &&
           base::equals_ignoring_case(std::string_view(system.manufacturer).substr(0, quirk.manufacturer.size()),
                                      quirk.manufacturer);
  });
}

}  // namespace nimbus::redfish
