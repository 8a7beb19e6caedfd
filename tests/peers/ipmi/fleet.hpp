// The BMCs that run.py started, and what independent programs say about them.
#pragma once

#include <string>
#include <vector>

#include "core/endpoint.hpp"
#include "core/ports/secrets.hpp"

namespace nimbus::peer {

/// A variable of run.py's; throws if it is not set.
std::string environment(const char* name);

/// Standard output of a shell command, without blanks and line ends at its end.
std::string output_of(const std::string& command);

struct Fleet {
  struct Member {
    std::string address;  // "127.x.y.z:port"
    std::string serial;
    std::string guid;  // as a UUID, in the order of the bytes
  };
  /// Reads the list of run.py's BMCs; ends the test program if there is none.
  Fleet();
  const Member& member(int number) const { return members_.at(static_cast<std::size_t>(number - 1)); }

  /// A command of ipmi_sim.py on BMC `number`: its output without the last line end.
  std::string command(const std::string& verb, int number, const std::string& rest = "") const;
  /// Standard output of ipmitool against BMC `number`, as the administrator.
  std::string ipmitool(int number, const std::string& arguments) const {
    return ipmitool_as(number, "admin", "secret12", arguments);
  }
  std::string ipmitool_as(int number, const std::string& user, const std::string& password,
                          const std::string& arguments) const;
  /// Standard output of a program of FreeIPMI against BMC `number`, as the administrator.
  std::string freeipmi(int number, const std::string& program, const std::string& arguments) const;
  /// What the machine behind the BMC is: "on" or "off".
  std::string machine(int number) const { return command("power", number); }
  /// Lines of what reached the machine so far.
  std::vector<std::string> journal(int number) const;

 private:
  std::vector<Member> members_;
};

/// Credentials by name, each bound to any address; counts how often it was asked.
struct KnownSecrets final : Secrets {
  Result<Credential> credential(std::string_view name, std::string_view destination) const override;
};

/// An IPMI endpoint with cipher suite 3 and the administrator's credential.
BmcEndpoint endpoint_of(const std::string& address);

}  // namespace nimbus::peer
