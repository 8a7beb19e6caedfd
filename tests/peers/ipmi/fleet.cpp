#include "tests/peers/ipmi/fleet.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <stdexcept>

#include <doctest/doctest.h>

namespace nimbus::peer {
namespace {

std::string as_uuid(std::string hex) {
  for (const std::size_t at : {20U, 16U, 12U, 8U}) hex.insert(at, "-");
  return hex;
}

}  // namespace

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set: start this program with run.py");
  return value;
}

std::string output_of(const std::string& command) {
  struct Close {
    void operator()(FILE* pipe) const { ::pclose(pipe); }
  };
  const std::unique_ptr<FILE, Close> pipe(::popen(command.c_str(), "r"));
  REQUIRE(pipe != nullptr);
  std::string out;
  std::array<char, 512> room{};
  while (const auto got = std::fread(room.data(), 1, room.size(), pipe.get())) out.append(room.data(), got);
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
  return out;
}

Fleet::Fleet() {
  std::istringstream lines(output_of(environment("NIMBUS_FLEET_PROGRAM") + " list " + environment("NIMBUS_FLEET")));
  int number = 0;
  std::string address;
  std::string port;
  std::string serial;
  std::string guid;
  while (lines >> number >> address >> port >> serial >> guid) {
    members_.push_back({address + ":" + port, serial, as_uuid(guid)});
  }
  REQUIRE(!members_.empty());
}

std::string Fleet::command(const std::string& verb, int number, const std::string& rest) const {
  return output_of(environment("NIMBUS_FLEET_PROGRAM") + " " + verb + " " + environment("NIMBUS_FLEET") + " " +
                   std::to_string(number) + " " + rest);
}

std::string Fleet::ipmitool_as(int number, const std::string& user, const std::string& password,
                               const std::string& arguments) const {
  const auto& address = member(number).address;
  const auto colon = address.find(':');
  return output_of("ipmitool -I lanplus -C 3 -H " + address.substr(0, colon) + " -p " + address.substr(colon + 1) +
                   " -U " + user + " -P " + password + " " + arguments + " 2>/dev/null");
}

std::string Fleet::freeipmi(int number, const std::string& program, const std::string& arguments) const {
  return output_of("/usr/sbin/" + program + " -D LAN_2_0 -I 3 -W opensesspriv -h " + member(number).address +
                   " -u admin -p secret12 " + arguments + " 2>/dev/null");
}

std::vector<std::string> Fleet::journal(int number) const {
  std::istringstream text(command("journal", number));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

Result<Credential> KnownSecrets::credential(std::string_view name, std::string_view) const {
  if (name == "admin") return Credential{"admin", "admin", Secret("secret12"), {}};
  if (name == "operator") return Credential{"operator", "operator", Secret("secret12"), {}};
  if (name == "wrong-password") return Credential{"wrong-password", "admin", Secret("secret13"), {}};
  if (name == "wrong-user") return Credential{"wrong-user", "nobody", Secret("secret12"), {}};
  if (name == "keyed") return Credential{"keyed", "admin", Secret("secret12"), Secret("sixteen-char-key")};
  if (name == "wrong-key") return Credential{"wrong-key", "admin", Secret("secret12"), Secret("sixteen-char-KEY")};
  if (name == "long-password") return Credential{"long-password", "admin", Secret(std::string(21, 'x')), {}};
  return Error{Code::NotFound, "no secret of that name"};
}

BmcEndpoint endpoint_of(const std::string& address) {
  return {.driver = "ipmi",
          .address = address,
          .credentials = {"admin"},
          .cipher_suite = 3,
          .privilege = IpmiPrivilege::Administrator};
}

}  // namespace nimbus::peer
