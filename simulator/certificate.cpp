#include "simulator/certificate.hpp"

#include <set>

#include "base/file/file.hpp"
#include "base/net/socket_address.hpp"

namespace nimbus::simulator {
namespace {

constexpr std::size_t kMostPem = 64 * 1024;
// A certificate travels in every handshake: addresses of a small fleet fit, those of a
// large one would not. Clients of a large fleet pin the key.
constexpr std::size_t kMostNames = 256;

std::vector<std::string> names_of(const FleetFile& fleet) {
  std::set<std::string> hosts;
  for (const auto& machine : fleet.machines) {
    if (hosts.size() >= kMostNames) break;
    if (const auto where = base::parse_host_port(machine.redfish, 443)) hosts.insert(where->host);
  }
  std::vector<std::string> out{"nimbus-sim"};
  out.insert(out.end(), hosts.begin(), hosts.end());
  return out;
}

}  // namespace

Result<base::TlsIdentity> fleet_certificate(const FleetFile& fleet) {
  const std::string& folder = fleet.certificate_folder;
  if (folder.empty()) return base::make_self_signed("nimbus-sim", names_of(fleet));
  const std::string certificate_path = folder + "/cert.pem";
  const std::string key_path = folder + "/key.pem";
  auto certificate = base::read_file(certificate_path, kMostPem);
  if (certificate) {
    auto key = base::read_private_file(key_path, kMostPem);
    if (!key) return std::move(key.error());
    return base::TlsIdentity{std::move(*certificate), std::move(*key)};
  }
  if (certificate.error().code != Code::NotFound) return std::move(certificate.error());
  auto made = base::make_self_signed("nimbus-sim", names_of(fleet));
  if (!made) return made;
  if (auto ok = base::make_folders(folder, 0755); !ok) return std::move(ok.error());
  if (auto ok = base::write_file_atomically(key_path, made->private_key, 0600); !ok) return std::move(ok.error());
  if (auto ok = base::write_file_atomically(certificate_path, made->certificate, 0644); !ok)
    return std::move(ok.error());
  return made;
}

}  // namespace nimbus::simulator
