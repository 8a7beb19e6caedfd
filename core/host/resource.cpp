#include "core/host/resource.hpp"

namespace nimbus::host {
namespace {

struct IdOf {
  std::string operator()(const Package& r) const { return "package:" + r.name; }
  std::string operator()(const File& r) const { return "file:" + r.path; }
  std::string operator()(const Directory& r) const { return "directory:" + r.path; }
  std::string operator()(const Link& r) const { return "link:" + r.path; }
  std::string operator()(const OwnedFiles& r) const { return "owned-files:" + r.folder + "/" + r.prefix; }
  std::string operator()(const Group& r) const { return "group:" + r.name; }
  std::string operator()(const User& r) const { return "user:" + r.name; }
  std::string operator()(const Unit& r) const { return "unit:" + r.name; }
  std::string operator()(const Sysctl& r) const { return "sysctl:" + r.key; }
  std::string operator()(const KernelModule& r) const { return "module:" + r.name; }
  std::string operator()(const Mount& r) const { return "mount:" + r.path; }
  std::string operator()(const Swap& r) const { return "swap:" + r.path; }
  std::string operator()(const Setting& r) const {
    switch (r.kind) {
      case SettingKind::Hostname:
        return "hostname";
      case SettingKind::TimeZone:
        return "timezone";
      case SettingKind::Locale:
        return "locale";
    }
    return "setting";
  }
  std::string operator()(const Block& r) const { return "block:" + r.path + "#" + r.name; }
  std::string operator()(const Command& r) const { return "command:" + r.name; }
  std::string operator()(const Action& r) const { return "action:" + r.name; }
};

}  // namespace

std::string id_of(const Wanted& wanted) { return std::visit(IdOf{}, wanted); }

}  // namespace nimbus::host
