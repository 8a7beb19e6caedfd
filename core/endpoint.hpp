// Where a BMC is and how it may be talked to: values from the registry.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/secret.hpp"

namespace nimbus {

/// How the peer of a TLS connection is known. Never "not at all": without pins
/// and CA no connection is made.
struct TlsTrust {
  std::vector<std::string> pins;  // "spki-sha256:<base64>": SHA-256 of the SubjectPublicKeyInfo
  std::string ca;                 // name of a CA that the controller knows; empty: none

  bool empty() const noexcept { return pins.empty() && ca.empty(); }
  friend bool operator==(const TlsTrust&, const TlsTrust&) = default;
};

enum class IpmiPrivilege : std::uint8_t { Operator, Administrator };

struct BmcEndpoint {
  std::string driver;   // "redfish" | "ipmi"
  std::string address;  // redfish: https URL; ipmi: host or host:port
  std::string system;   // redfish: id of the System where a BMC serves several
  TlsTrust tls;
  std::vector<std::string> credentials;  // names of secrets, tried in order
  int cipher_suite = 17;                 // ipmi
  IpmiPrivilege privilege = IpmiPrivilege::Operator;
  std::vector<std::string> quirks;  // ids forced by the registry

  friend bool operator==(const BmcEndpoint&, const BmcEndpoint&) = default;
};

struct Credential {
  std::string name;  // of the secret that it came from; may be shown
  std::string username;
  Secret password;
  Secret k_g;  // IPMI BMC key; usually empty
};

}  // namespace nimbus
