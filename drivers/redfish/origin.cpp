#include "drivers/redfish/origin.hpp"

#include <algorithm>

#include "base/net/socket_address.hpp"
#include "base/text/text.hpp"

namespace nimbus::redfish {
namespace {

constexpr std::string_view kScheme = "https://";
constexpr std::size_t kMostLinkBytes = 2048;

}  // namespace

Result<Origin> Origin::parse(std::string_view address) {
  const auto refuse = [&](std::string_view why) {
    return Error{Code::Invalid,
                 "'" + base::printable(address, 200) + "' is no address of a Redfish BMC: " + std::string(why)};
  };
  const std::string lower = base::to_lower(address);
  std::string_view rest = lower;
  if (!rest.starts_with(kScheme)) return refuse("it must begin with https://");
  rest.remove_prefix(kScheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const auto where = base::parse_host_port(rest, 443);
  if (!where) return refuse("expected https://host or https://host:port");
  Origin origin;
  origin.text_ = std::string(kScheme) + where->text();
  return origin;
}

Result<std::string> Origin::target(std::string_view link) const {
  const auto refuse = [&](std::string_view why) {
    return Error{Code::Corrupt,
                 "the BMC gave a link that is not followed (" + std::string(why) + "): " + base::printable(link, 200)};
  };
  if (link.size() > kMostLinkBytes) return refuse("too long");
  link = link.substr(0, link.find('#'));
  if (std::any_of(link.begin(), link.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; }))
    return refuse("control characters or blanks");
  if (!link.starts_with('/')) {
    const auto end = link.find('/', std::min(link.size(), kScheme.size()));
    if (end == std::string_view::npos) return refuse("no path");
    const auto elsewhere = Origin::parse(link.substr(0, end));
    if (!elsewhere || *elsewhere != *this) return refuse("another host");
    link.remove_prefix(end);
  }
  if (link.starts_with("//")) return refuse("another host");
  return std::string(link);
}

}  // namespace nimbus::redfish
