#include "drivers/ipmi/quirks.hpp"

#include <algorithm>
#include <iterator>

#include "base/text/text.hpp"

namespace nimbus::ipmi {
namespace {

constexpr std::chrono::milliseconds kSlowBmcSpacing{250};
// IANA enterprise numbers.
constexpr std::uint32_t kSupermicro = 10876;
constexpr std::uint32_t kOpenBmc = 49622;

struct Maker {
  std::uint32_t number;
  std::string_view name;
};
constexpr Maker kMakers[] = {{2, "IBM"},          {11, "HP"},           {42, "Sun"},        {343, "Intel"},
                             {674, "Dell"},       {2011, "Huawei"},     {2623, "ASUS"},     {5771, "Cisco"},
                             {6653, "Tyan"},      {7244, "Quanta"},     {10368, "Fujitsu"}, {kSupermicro, "Supermicro"},
                             {15370, "Gigabyte"}, {19046, "Lenovo"},    {20974, "AMI"},     {37945, "Inspur"},
                             {47196, "HPE"},      {kOpenBmc, "OpenBMC"}};

struct Row {
  QuirkInfo info;
  void (*apply)(Quirks&);
};

const std::vector<Row>& rows() {
  static const std::vector<Row> table = {
      {{"opensesspriv", "Open Session Response says privilege 0 instead of the granted one (ipmi_sim, older Tyan)",
        true},
       [](Quirks&) {}},
      {{"supermicro20", "the length of RAKP 2 is one too large (H8QME with SIMSO)", true}, [](Quirks&) {}},
      {{"integritycheckvalue", "RAKP 4 carries more bytes than the integrity check value has", true}, [](Quirks&) {}},
      {{"sun20", "an error in RAKP 2 or 4 comes without the fields behind the status", true}, [](Quirks&) {}},
      {{kWeakerSuiteQuirk, "cipher suite 17 is refused and 3 works: tried in this order unless the registry says 3",
        true},
       [](Quirks&) {}},
      {{"IP-20", "replies arrive twice", true}, [](Quirks&) {}},
      {{"IP-21", "a cold reset happens before its answer: the outcome is unknown", true}, [](Quirks&) {}},
      {{"IP-22", "three sessions and no more: one is kept, and one for a console", true}, [](Quirks&) {}},
      {{"authcap", "Get Channel Authentication Capabilities denies IPMI 2.0, which works", false},
       [](Quirks& quirks) { quirks.ignore_capabilities = true; }},
      {{"intel20", "user names must be padded with zeros to 16 bytes (SR1520ML, S5000PAL)", false},
       [](Quirks& quirks) { quirks.padded_username = true; }},
      {{"nochecksumcheck", "the checksums of replies are wrong", false},
       [](Quirks& quirks) { quirks.checksums = Checksums::Ignore; }},
      {{"IP-09", "boot option parameter 3 fails or breaks the next start (OpenBMC)", false, kOpenBmc},
       [](Quirks& quirks) { quirks.keep_boot_timer = true; }},
      {{"IP-10", "a disk under UEFI is boot device 0x24 instead of 0x08 (Supermicro)", false, kSupermicro},
       [](Quirks& quirks) { quirks.uefi_disk_is_0x24 = true; }},
      {{"bootflagsvalid", "boot flags that count read back without their valid bit (ipmi_sim)", false},
       [](Quirks& quirks) { quirks.valid_bit_not_shown = true; }},
      {{"IP-01", "the BMC is busy or hangs when commands follow each other at once", false},
       [](Quirks& quirks) { quirks.spacing = kSlowBmcSpacing; }},
  };
  return table;
}

}  // namespace

const std::vector<QuirkInfo>& quirk_table() {
  static const std::vector<QuirkInfo> infos = [] {
    std::vector<QuirkInfo> out;
    for (const auto& row : rows()) out.push_back(row.info);
    return out;
  }();
  return infos;
}

std::string maker_name(std::uint32_t manufacturer) {
  const auto* const found = std::find_if(std::begin(kMakers), std::end(kMakers),
                                         [&](const Maker& maker) { return maker.number == manufacturer; });
  return found != std::end(kMakers) ? std::string(found->name) : "enterprise " + std::to_string(manufacturer);
}

Result<Quirks> make_quirks(const std::vector<std::string>& ids) {
  Quirks quirks;
  for (const auto& id : ids) {
    const Row* found = nullptr;
    std::vector<std::string> names;
    for (const auto& row : rows()) {
      names.emplace_back(row.info.id);
      if (row.info.id == id) found = &row;
    }
    if (found == nullptr) {
      const auto near = base::did_you_mean(id, names);
      return Error{Code::Invalid, "IPMI has no quirk '" + base::printable(id, 64) + "'" +
                                      (near ? ", did you mean '" + *near + "'?" : "")};
    }
    found->apply(quirks);
  }
  return quirks;
}

void add_quirks_of_maker(Quirks& quirks, std::uint32_t manufacturer) noexcept {
  if (manufacturer == 0) return;
  for (const auto& row : rows()) {
    if (row.info.manufacturer == manufacturer) row.apply(quirks);
  }
}

}  // namespace nimbus::ipmi
