#include "boot/script.hpp"

#include <fmt/core.h>

namespace nimbus::boot {

std::string install_script(const ScriptFacts& facts, const MachineOrder& machine, const std::string& token) {
  return fmt::format(
      "#!ipxe\n"
      "kernel {0}/vmlinuz initrd=ramdisk.img panic=30 quiet {1} nimbus.url={2} nimbus.mac={3} nimbus.run={4} "
      "nimbus.nonce={5} nimbus.token={6} nimbus.key={7} || goto failed\n"
      "initrd --name ramdisk.img {0}/ramdisk.img || goto failed\n"
      "boot || goto failed\n"
      ":failed\n"
      "exit 1\n",
      facts.files_url, facts.kernel_arguments, facts.url, machine.mac, machine.run->run, machine.run->nonce, token,
      machine.run->key);
}

std::optional<std::string> disk_script(Handover handover) {
  switch (handover) {
    case Handover::Exit:
      return "#!ipxe\nexit 1\n";
    case Handover::Sanboot:
      return "#!ipxe\nsanboot --no-describe --drive 0x80 || exit 1\n";
    case Handover::NotFound:
      return std::nullopt;
  }
  return std::nullopt;
}

std::string mac_of(std::string_view text) {
  if (text.size() != 17) return {};
  std::string mac;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (i % 3 == 2) {
      if (c != '-' && c != ':') return {};
      mac += ':';
    } else if (c >= '0' && c <= '9') {
      mac += c;
    } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
      mac += static_cast<char>(c | 0x20);
    } else {
      return {};
    }
  }
  return mac;
}

}  // namespace nimbus::boot
