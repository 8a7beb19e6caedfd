// A machine file of the registry, proposed from what hardware said of itself.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/identity.hpp"
#include "core/inventory.hpp"

namespace nimbus::cli {

/// Where a network port is plugged in.
struct SwitchPort {
  std::string name, port;
};

struct ProposedMachine {
  std::string heading;  // a remark in the first line; foreign text is fine
  std::string class_name;
  std::string rack;
  std::string unit;
  std::string driver, address, pin;  // no address: the person fills it in
  std::vector<std::string> credentials;
  Identity identity;
  std::string arch;  // empty: not known
  Inventory inventory;
  std::map<std::string, SwitchPort> switches;  // by MAC address
};

/// With a class, hardware is left to the class. Placeholders that boards ship with do not
/// count as identity.
std::string machine_file_text(const ProposedMachine& machine);

/// The MAC address that the machine most likely boots from: of the first port with a
/// link, else of the first.
std::string boot_mac(const Inventory& inventory);

/// A DNS label made of a serial number; "" if nothing of it is left.
std::string machine_name_from(const std::string& serial);

}  // namespace nimbus::cli
