#include "simulator/control.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/text/text.hpp"
#include "simulator/fleet/state_json.hpp"

namespace nimbus::simulator {
namespace {

using base::Json;
using http::Request;
using http::Response;

constexpr std::string_view kUnix = "unix:";
constexpr unsigned kSocketMode = 0600;

Response json(int status, const Json& body) {
  return {.status = status, .headers = {{"Content-Type", "application/json"}}, .body = body.text() + "\n"};
}

Response refuse(int status, std::string_view message) { return json(status, Json::object({{"error", message}})); }

std::uint64_t number_in_query(std::string_view query, std::string_view key) {
  for (const auto part : base::split(query, '&')) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos || part.substr(0, equals) != key) continue;
    std::uint64_t value = 0;
    const auto text = part.substr(equals + 1);
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }
  return 0;
}

std::optional<PowerRequest> parse_power_request(std::string_view text) {
  using enum PowerRequest;
  for (const auto request :
       {On, ForceOff, GracefulShutdown, ForceRestart, GracefulRestart, PowerCycle, Nmi, PushPowerButton}) {
    if (to_string(request) == text) return request;
  }
  return std::nullopt;
}

Json fault_json(const FaultEngine::Active& active) {
  Json machines = Json::array();
  for (const auto& pattern : active.rule.machines) machines.push(pattern);
  return Json::object({{"id", active.id},
                       {"kind", to_string(active.rule.kind)},
                       {"machines", std::move(machines)},
                       {"used", active.used}});
}

Response press(Machine& machine, const Json& body) {
  const auto request = parse_power_request(body["action"].as_string().value_or(""));
  if (!request)
    return refuse(
        400, "\"action\" must be On, ForceOff, GracefulShutdown, ForceRestart, PowerCycle, Nmi or PushPowerButton");
  const auto answer = machine.request_power(*request, Source::Control);
  machine.record(Source::Control, "power", std::string(to_string(*request)),
                 answer == PowerAnswer::WrongState ? "wrong state" : "ok");
  return answer == PowerAnswer::WrongState ? refuse(409, "not while the machine is off") : json(200, state_of(machine));
}

Response pin_sensor(Machine& machine, const Json& body) {
  const auto name = body["name"].as_string().value_or("");
  for (const auto& sensor : machine.hardware().sensors) {
    if (sensor.name != name) continue;
    machine.pin_reading(sensor, body["value"].as_double());
    machine.record(Source::Control, "sensor", std::string(name));
    return json(200, Json::object({{"name", name},
                                   {"value", machine.reading(sensor) ? Json(*machine.reading(sensor)) : Json()}}));
  }
  return refuse(404, "no sensor of that name");
}

}  // namespace

Control::Control(Simulation& simulation)
    : simulation_(&simulation),
      server_(simulation.loop(), [this](const Request& request, const http::Visit&) { return answer(request); }) {}

Result<std::string> Control::listen(const std::string& where) {
  if (where.starts_with(kUnix)) {
    auto socket = base::listen_unix(where.substr(kUnix.size()), kSocketMode);
    if (!socket) return std::move(socket.error());
    if (auto ok = server_.adopt(std::move(*socket), 0, nullptr); !ok) return std::move(ok.error());
    return where;
  }
  auto endpoint = base::parse_host_port(where, 0);
  if (!endpoint) return std::move(endpoint.error());
  if (!endpoint->host.starts_with("127.") && endpoint->host != "::1") {
    return Error{Code::Invalid, fmt::format("the control port asks for no password: {} is no loopback address", where)};
  }
  auto address = base::SocketAddress::numeric(*endpoint);
  if (!address) return std::move(address.error());
  auto bound = server_.listen(*address, 0, nullptr);
  if (!bound) return std::move(bound.error());
  return bound->text();
}

Json Control::summary() {
  Json machines = Json::array();
  for (const auto& node : simulation_->nodes()) {
    simulation_->advance(*node);
    machines.push(Json::object({{"name", node->machine->name()},
                                {"power", to_string(node->machine->power())},
                                {"redfish", node->redfish_address},
                                {"ipmi", node->ipmi_address}}));
  }
  return Json::object({{"machines", std::move(machines)}});
}

Response Control::fault_request(const Request& request) {
  constexpr std::string_view kFaults = "/faults";
  FaultEngine& engine = simulation_->faults();
  const auto tail = std::string_view(request.path).substr(kFaults.size());
  if (request.method == "GET" && tail.empty()) {
    Json rules = Json::array();
    for (const auto& active : engine.rules()) rules.push(fault_json(active));
    return json(200, Json::object({{"faults", std::move(rules)}}));
  }
  if (request.method == "POST" && tail.empty()) {
    const auto body = base::parse_json(request.body);
    if (!body) return refuse(400, body.error().message);
    auto rule = parse_fault(*body);
    if (!rule) return refuse(400, rule.error().message);
    return json(200, Json::object({{"id", simulation_->add_fault(std::move(*rule))}}));
  }
  if (request.method == "DELETE") {
    std::uint64_t id = 0;
    if (tail.size() > 1) std::from_chars(tail.data() + 1, tail.data() + tail.size(), id);
    if (tail.empty()) {
      engine.clear();
    } else if (!engine.remove(id)) {
      return refuse(404, "no such fault");
    }
    return json(200, Json::object());
  }
  return refuse(405, "GET, POST or DELETE");
}

Response Control::answer(const Request& request) {
  if (request.path == "/faults" || request.path.starts_with("/faults/")) return fault_request(request);
  constexpr std::string_view kMachines = "/machines";
  if (request.path == "/certificate" && request.method == "GET") {
    if (simulation_->tls() == nullptr) return refuse(404, "no machine is served over TLS");
    const std::string& pem = simulation_->tls()->identity().certificate;
    return json(200, Json::object({{"pem", pem}, {"pin", base::public_key_pin(pem).value_or("")}}));
  }
  if (request.path == kMachines && request.method == "GET") return json(200, summary());
  if (!request.path.starts_with("/machines/")) return refuse(404, "there are /machines, /faults and /certificate");
  const auto tail = std::string_view(request.path).substr(kMachines.size() + 1);
  const auto slash = tail.find('/');
  Node* node = simulation_->find(tail.substr(0, slash));
  if (node == nullptr) return refuse(404, "no machine of that name");
  simulation_->advance(*node);
  Response response =
      machine_request(*node, request, slash == std::string_view::npos ? std::string_view() : tail.substr(slash + 1));
  simulation_->reschedule(*node);
  return response;
}

Response Control::machine_request(Node& node, const Request& request, std::string_view rest) {
  Machine& machine = *node.machine;
  if (request.method == "GET") {
    if (rest.empty()) return json(200, state_of(machine));
    if (rest == "journal") return json(200, journal_of(machine, number_in_query(request.query, "after")));
    if (rest == "console") {
      return {
          .status = 200, .headers = {{"Content-Type", "text/plain"}}, .body = std::string(machine.console.since(0))};
    }
    return refuse(404, "a machine has state, journal and console");
  }
  if (request.method != "POST") return refuse(405, "GET or POST");
  const auto body = base::parse_json(request.body.empty() ? "{}" : std::string_view(request.body));
  if (!body) return refuse(400, body.error().message);
  if (rest == "power") return press(machine, *body);
  if (rest == "sensor") return pin_sensor(machine, *body);
  if (rest == "console") {
    machine.console_input((*body)["input"].as_string().value_or(""));
    return json(200, Json::object());
  }
  if (rest == "bmc-restart") {
    constexpr std::int64_t kMostAway = 24 * 3600 * 1000;
    const auto away = (*body)["away_ms"].as_int().value_or(5000);
    if (away < 0 || away > kMostAway) return refuse(400, "\"away_ms\" must be from 0 to a day");
    machine.restart_bmc(Source::Control, std::chrono::milliseconds(away));
    return json(200, state_of(machine));
  }
  return refuse(404, "power, sensor, console and bmc-restart can be posted to");
}

}  // namespace nimbus::simulator
