// The machines of a registry as a fleet of nimbus-sim, and the registry files that
// lead a controller there. Pure but for the text of files, which the caller reads.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "core/result.hpp"
#include "registry/snapshot.hpp"

namespace nimbus::cli {

struct FleetOptions {
  std::string provider;               // empty: all
  std::string first = "127.1.0.1";    // address of the first machine's BMC; the others count up
  std::uint16_t redfish_port = 9443;  // not the usual ones, which only root may listen on
  std::uint16_t ipmi_port = 9623;
  std::string control = "127.0.0.1:8099";
  std::string certificate_folder;  // as the fleet file names it
  std::string pin;                 // of the fleet's certificate: "spki-sha256:…"
};

struct FleetExport {
  std::string fleet;                           // nimbus-sim's file
  std::map<std::string, std::string> files;    // of the registry that change, by path, with their new text
  std::map<std::string, std::string> secrets;  // "bmc/berlin-1" and what nimbusd keeps under it
  std::size_t machines = 0;
};

using TextOf = std::function<std::optional<std::string>(const std::string& path)>;

/// Of every machine that has a BMC. Errors: Invalid (an address that is none of the
/// loopback network, or too few of them; a file that cannot be edited), NotFound (no machine).
Result<FleetExport> export_fleet(const registry::Snapshot& snapshot, const FleetOptions& options,
                                 const TextOf& text_of);

}  // namespace nimbus::cli
