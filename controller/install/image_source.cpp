#include "controller/install/image_source.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/plain_http/client.hpp"
#include "base/text/text.hpp"
#include "core/ip_address.hpp"

namespace nimbus::controller {
namespace {

/// "bmc.example" of "https://bmc.example:443", of "bmc.example:623" and of itself.
std::string host_of(std::string_view address) {
  if (const auto scheme = address.find("://"); scheme != std::string_view::npos) address.remove_prefix(scheme + 3);
  const auto where = base::parse_host_port(address.substr(0, address.find('/')), 0);
  return where ? base::to_lower(where->host) : std::string();
}

}  // namespace

std::vector<std::string> image_never(const Wishes& wishes) {
  std::vector<std::string> never;
  for (const auto& [name, network] : wishes.networks) {
    if (network.role == NetworkRole::Provisioning || network.role == NetworkRole::Bmc) never.push_back(network.cidr);
  }
  return never;
}

std::vector<std::string> image_never(const Wishes& wishes, const std::set<std::string>& bmcs, std::size_t most) {
  auto never = image_never(wishes);
  std::vector<std::optional<IpNetwork>> declared;
  for (const auto& text : never) declared.push_back(parse_cidr(text));
  std::vector<IpAddress> outside;
  for (const auto& bmc : bmcs) {
    const auto ip = parse_ip(host_of(bmc));
    const bool inside = ip && std::any_of(declared.begin(), declared.end(), [&](const auto& network) {
                          return network && network->contains(plain(*ip));
                        });
    if (ip && !inside) outside.push_back(*ip);
  }
  for (const auto& network : cover(std::move(outside), most)) never.push_back(to_text(network));
  return never;
}

bool is_plain(const std::string& url) { return url.starts_with("http://"); }

std::string refuse_source(const std::string& url, const std::vector<std::string>& sources,
                          const std::vector<std::string>& never, const std::set<std::string>& bmcs) {
  const bool known = std::any_of(sources.begin(), sources.end(),
                                 [&](const auto& source) { return !source.empty() && url.starts_with(source); });
  if (!known) return "it is not in image_sources of nimbusd.toml";
  const auto parsed = base::parse_web_url(url);
  if (!parsed) return "only https:// and http:// are fetched";
  std::string host = base::to_lower(parsed->host);
  if (host.ends_with('.')) host.pop_back();
  if (host == "localhost" || host.ends_with(".localhost")) return "it is on the machine itself";
  if (std::any_of(bmcs.begin(), bmcs.end(), [&](const auto& bmc) { return host_of(bmc) == host; }))
    return "a BMC has that address";
  const auto ip = parse_ip(host);
  if (!ip) return {};
  if (is_special(*ip)) return "no other machine has that address";
  for (const auto& text : never) {
    const auto network = parse_cidr(text);
    if (network && network->contains(plain(*ip))) return "it is on " + text + ", a network of provisioning or of BMCs";
  }
  return {};
}

}  // namespace nimbus::controller
