// nimbus-boot.toml: what this process needs to know of its host. What to serve to whom
// is not in it; nimbusd says that. Documented in docs/reference/nimbus-boot.toml.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace nimbus::boot {

/// The cache of images; without it machines fetch from the sources themselves.
struct ImagesConfig {
  std::int64_t bytes = 0;  // of all images together
  std::string folder;      // default: images in the state folder
  std::string ca_file = "/etc/ssl/certs/ca-certificates.crt";
};

struct Config {
  std::string interface;                                // of the provisioning network
  std::string address;                                  // ours on it: "10.20.0.1"
  int port = 8080;                                      // scripts, plans, reports
  int files_port = 8081;                                // kernel and ramdisk
  std::string control;                                  // path of the UNIX socket for nimbusd
  std::string state;                                    // folder
  std::string installer = "/usr/lib/nimbus/installer";  // vmlinuz, ramdisk.img, SHA256SUMS
  std::string ipxe = "/usr/lib/ipxe";                   // undionly.kpxe, snponly.efi
  std::string kernel_arguments = "console=ttyS0,115200n8";
  bool router_advertisements = false;
  std::string dnsmasq = "dnsmasq";
  std::string nginx = "nginx";
  std::optional<ImagesConfig> images;
};

/// Errors: NotFound, Invalid (with every fault), Internal.
Result<Config> load_config(const std::string& path);
/// What the configuration names and this machine lacks: files, folders, programs. For
/// people, one a line.
std::vector<std::string> missing_here(const Config& config);

}  // namespace nimbus::boot
