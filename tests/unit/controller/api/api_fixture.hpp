// An API over a board that a test fills, served on a UNIX socket and on loopback.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <mutex>

#include "controller/api/api.hpp"
#include "support/fake_clock.hpp"

namespace nimbus::testing {

struct NoSink final : controller::FactSink {
  void seen(const controller::MachineFacts&) override {}
};

struct ApiFixture {
  FakeClock clock;
  NoSink sink;
  controller::EventLog events{clock};
  controller::LiveBoard board{clock, sink, events};
  std::filesystem::path folder = [] {
    char name[] = "/tmp/nimbus-api-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    return std::filesystem::path(name);
  }();
  controller::LocalHolds holds{(folder / "holds").string()};
  controller::PeerPolicy peers = *controller::PeerPolicy::make({}, {});
  std::vector<std::string> looked_at;
  std::vector<controller::ApiChange> changes;
  const std::string held = std::string(40, 'c');
  std::vector<controller::Run> runs;
  controller::ApiContext context{
      .clock = clock,
      .board = board,
      .events = events,
      .holds = holds,
      .peers = peers,
      .controller = [] { return controller::ControllerView{.provider = "lab", .id = "lab/c", .authority = "held"}; },
      .journal = [this](const std::string&) -> Result<std::vector<controller::Run>> { return runs; },
      .look_at =
          [this](const std::string& machine) {
            if (!board.machine(machine)) return false;
            looked_at.push_back(machine);
            return true;
          },
      .look_at_all = [this] { looked_at.emplace_back("*"); },
      .fetch_now = [this] { looked_at.emplace_back("fetch"); },
      .confirm = [this](const std::string& commit) -> Result<> {
        if (commit != held) return Error{Code::Conflict, "what is held is another one"};
        return {};
      },
      .changed = [this](const controller::ApiChange& change) { changes.push_back(change); }};

  ~ApiFixture() { std::filesystem::remove_all(folder); }

  static std::shared_ptr<DesiredMachine> desired(const std::string& name) {
    auto d = std::make_shared<DesiredMachine>();
    d->id = {"lab", name};
    d->path = "providers/lab/machines/" + name + ".toml";
    d->digest = "d1";
    d->power = WantedPower::On;
    return d;
  }
  void accept(const std::vector<std::string>& names) {
    auto registry = std::make_shared<controller::AcceptedRegistry>();
    registry->accepted_commit = registry->observed_commit = "c1";
    for (const auto& name : names) registry->machines[name] = {desired(name), ""};
    board.accepted(registry);
  }
  controller::MachineFacts facts(const std::string& name, PowerState power = PowerState::On) {
    controller::MachineFacts f;
    f.machine.desired = desired(name);
    f.report.power = Observed<PowerState>::known(power, clock.wall());
    f.report.match = {IdentityMatch::Verdict::Matches, "serial as declared"};
    f.report.identity.serial = "S1";
    f.report.decision = {.kind = reconcilers::PowerDecision::Kind::Nothing, .reason = "as wanted"};
    f.next_look = clock.wall() + std::chrono::seconds(30);
    return f;
  }

  /// As if it came on the control socket from the user of this test, or from nobody.
  base::HttpResponse call(const std::string& method, const std::string& path, const std::string& body = {},
                          bool peer = true, base::HttpHeaders headers = {}) {
    auto routes = controller::reading_routes(context);
    for (auto& route : controller::changing_routes(context)) routes.push_back(std::move(route));
    base::HttpRequest request{.method = method,
                              .path = path.substr(0, path.find('?')),
                              .parameters = {},
                              .headers = std::move(headers),
                              .body = body,
                              .remote = {},
                              .peer = {}};
    if (const auto mark = path.find('?'); mark != std::string::npos) {
      std::string rest = path.substr(mark + 1) + "&";
      while (!rest.empty()) {
        const auto item = rest.substr(0, rest.find('&'));
        rest.erase(0, item.size() + 1);
        request.parameters.emplace_back(item.substr(0, item.find('=')), item.substr(item.find('=') + 1));
      }
    }
    if (peer) request.peer = base::PeerCredentials{.user = ::geteuid(), .process = ::getpid(), .groups = {}};
    for (const auto& route : routes) {
      if (route.method != method) continue;
      if (auto parts = controller::match_path(route.path, request.path))
        return route.handler({request, std::move(*parts)});
    }
    FAIL("no route for ", path);
    return {};
  }
  base::Json json(const std::string& path) {
    const auto response = call("GET", path);
    REQUIRE(response.status == 200);
    auto parsed = base::parse_json(response.body);
    REQUIRE(parsed.has_value());
    return std::move(*parsed);
  }
};

}  // namespace nimbus::testing
