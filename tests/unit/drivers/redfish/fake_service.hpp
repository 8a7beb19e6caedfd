// A Redfish service in memory behind HttpClient: resources as JSON text, a power
// state, and switches for what BMCs do. Also the secrets that go with it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/http/client.hpp"
#include "base/json/json.hpp"
#include "core/ports/secrets.hpp"

namespace nimbus::redfish::test {

using base::ClientRequest;
using base::ClientResponse;
using base::HttpFailure;
using Answer = tl::expected<ClientResponse, HttpFailure>;

struct FakeService {
  std::map<std::string, std::string> resources;
  std::string user = "admin";
  std::string password = "right";
  std::string power = "Off";
  bool sessions = true;
  bool keeps = true;
  int tokens = 0;
  std::string token;  // valid now
  unsigned long connection = 1;
  bool connection_lost = false;  // shows at the next request
  std::vector<std::string> log;  // "GET /path"
  std::function<std::optional<Answer>(const ClientRequest&)> before;
  std::function<Answer(const ClientRequest&)> on_reset;
  std::vector<std::string> resets;  // ResetTypes received

  FakeService() {
    resources["/redfish/v1/"] = R"({"Systems":{"@odata.id":"/redfish/v1/Systems"},
      "SessionService":{"@odata.id":"/redfish/v1/SessionService"},
      "Links":{"Sessions":{"@odata.id":"/redfish/v1/SessionService/Sessions"}}})";
    resources["/redfish/v1/Systems"] = R"({"Members":[{"@odata.id":"/redfish/v1/Systems/1"}]})";
    resources["/redfish/v1/Systems/1"] = system("1", "S1", true);
    resources["/redfish/v1/Managers/1"] =
        R"({"UUID":"AAAAAAAA-0000-0000-0000-000000000001","ManagerType":"BMC","FirmwareVersion":"1.0"})";
  }

  static std::string system(const std::string& id, const std::string& serial, bool with_reset,
                            const std::string& extra = "") {
    std::string text = R"({"Id":")" + id + R"(","SerialNumber":" )" + serial +
                       R"( ","UUID":"4C4C4544-0033-4110-8041-B7C04F314232","PowerState":"@POWER@",
      "Links":{"ManagedBy":[{"@odata.id":"/redfish/v1/Managers/1"}]})" +
                       extra;
    if (with_reset) {
      text +=
          R"(,"Actions":{"#ComputerSystem.Reset":{"target":"/redfish/v1/Systems/)" + id +
          R"(/Actions/ComputerSystem.Reset","ResetType@Redfish.AllowableValues":["On","ForceOff","GracefulShutdown","ForceRestart"]}})";
    }
    return text + "}";
  }

  static ClientResponse response(int status, std::string body = "", base::HttpHeaders headers = {}) {
    return {.status = status, .headers = std::move(headers), .body = std::move(body)};
  }
  static Answer failure(Code code, bool sent) { return tl::unexpected(HttpFailure{Error{code, "made to fail"}, sent}); }

  bool authorised(const ClientRequest& request) const {
    const auto given = base::find_header(request.headers, "X-Auth-Token");
    if (given) return !token.empty() && *given == token;
    const auto basic = base::find_header(request.headers, "Authorization");
    return basic && password == "right" && *basic == "Basic YWRtaW46cmlnaHQ=";
  }

  Answer handle(const ClientRequest& request) {
    log.push_back(request.method + " " + request.target);
    if (before) {
      if (auto answer = before(request)) return std::move(*answer);
    }
    if (request.target == "/redfish/v1/") return response(200, resources[request.target]);
    if (request.target == "/redfish/v1/SessionService/Sessions" && request.method == "POST") {
      const auto body = base::parse_json(request.body);
      if (!sessions || (*body)["UserName"].as_string() != user || (*body)["Password"].as_string() != password)
        return response(401);
      token = "token-" + std::to_string(++tokens);
      return response(201, "{}", {{"X-Auth-Token", token}, {"Location", "/redfish/v1/SessionService/Sessions/7"}});
    }
    if (!authorised(request)) return response(401, R"({"error":{"message":"no valid session"}})");
    if (request.method == "DELETE") {
      token.clear();
      return response(204);
    }
    if (request.method == "POST") {
      const auto body = base::parse_json(request.body);
      resets.emplace_back((*body)["ResetType"].as_string().value_or("?"));
      if (on_reset) return on_reset(request);
      power = resets.back() == "On" ? "On" : "Off";
      return response(204);
    }
    const auto found = resources.find(request.target);
    if (found == resources.end()) return response(404, R"({"error":{"message":"not here"}})");
    std::string text = found->second;
    if (const auto at = text.find("@POWER@"); at != std::string::npos) text.replace(at, 7, power);
    return response(200, std::move(text));
  }

  Answer send(const ClientRequest& request) {
    if (connection_lost || !keeps) {
      if (request.on == base::OnConnection::Present) return failure(Code::Conflict, false);
      ++connection;
      connection_lost = false;
    }
    auto answer = handle(request);
    if (answer) {
      answer->connection = connection;
      answer->kept = keeps;
    }
    return answer;
  }
};

class FakeHttp final : public base::HttpClient {
 public:
  explicit FakeHttp(FakeService& service) : service_(service) {}
  Answer send(const ClientRequest& request, const Call&) override { return service_.send(request); }
  void drop_connection() override { ++service_.connection; }

 private:
  FakeService& service_;
};

struct FakeSecrets final : Secrets {
  std::map<std::string, std::string> passwords = {{"bmc/good", "right"}, {"bmc/wrong", "wrong"}};
  mutable std::vector<std::string> asked;

  Result<Credential> credential(std::string_view name, std::string_view destination) const override {
    asked.push_back(std::string(name) + " for " + std::string(destination));
    const auto found = passwords.find(std::string(name));
    if (found == passwords.end()) return Error{Code::NotFound, "no such secret"};
    return Credential{.name = std::string(name), .username = "admin", .password = Secret(found->second), .k_g = {}};
  }
};

}  // namespace nimbus::redfish::test
