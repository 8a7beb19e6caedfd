// A machine with its Redfish service, and an administrator who asks it.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/crypto/crypto.hpp"
#include "base/text/text.hpp"
#include "simulator/redfish/service.hpp"
#include "support.hpp"

namespace nimbus::simulator::test {

inline Quirks with(std::initializer_list<Quirk> list) {
  Quirks out;
  for (const Quirk quirk : list) out.set(quirk);
  return out;
}

struct Client {
  Bench bench;
  redfish::Service service;
  const std::string system = "/redfish/v1/Systems/1";
  const std::string reset = system + "/Actions/ComputerSystem.Reset";
  const std::string disc = system + "/VirtualMedia/2";

  explicit Client(Quirks quirks = {}, Power power = Power::Off) : bench(quirks, power), service(*bench.machine) {}

  http::Response ask(std::string method, std::string path, std::string body = "",
                     std::vector<http::Header> headers = {}) {
    const std::string_view login = "admin:secret12";
    headers.emplace_back("authorization", "Basic " + nimbus::base::to_base64(nimbus::base::as_bytes(login)));
    return service.answer(
        {.method = std::move(method), .path = std::move(path), .headers = std::move(headers), .body = std::move(body)});
  }
  int status(std::string method, std::string path, std::string body = "", std::vector<http::Header> headers = {}) {
    return ask(std::move(method), std::move(path), std::move(body), std::move(headers)).status;
  }
  nimbus::base::Json get(const std::string& path) { return nimbus::base::parse_json(ask("GET", path).body).value(); }
  nimbus::base::Json boot() { return get(system)["Boot"]; }
  int set_boot(const std::string& members) { return status("PATCH", system, R"({"Boot":{)" + members + "}}"); }
};

inline std::string header(const http::Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

}  // namespace nimbus::simulator::test
