#include "drivers/redfish/tasks.hpp"

#include <doctest/doctest.h>

#include "drivers/redfish/settings.hpp"
#include "fake_service.hpp"

using namespace nimbus;
using namespace nimbus::redfish;
using namespace nimbus::redfish::test;

namespace {

const Call kCall{.deadline = MonoTime::max()};
constexpr const char* kSystem = "/redfish/v1/Systems/1";
constexpr const char* kBios = "/redfish/v1/Systems/1/Bios";
constexpr const char* kMonitor = "/redfish/v1/TaskService/TaskMonitors/9";

TaskReport report(std::string_view json) { return read_task(*base::parse_json(json)); }

/// A service whose BIOS attribute Turbo is written directly or through a settings
/// object, with an answer 202 whose task the test decides.
struct BiosService {
  FakeService service;
  FakeSecrets secrets;
  std::string settings;  // link of the settings object; empty: the Bios resource is written
  std::string current = "Off";
  std::string pending = "Off";
  bool takes = true;  // what is written shows
  Answer task = FakeService::response(200, R"({"TaskState":"Completed","TaskStatus":"OK"})");
  std::vector<std::string> patched;  // where
  BmcEndpoint endpoint{.driver = "redfish", .address = "https://bmc.example", .credentials = {"bmc/good"}};
  SharedSession session{
      Session(endpoint, *Origin::parse(endpoint.address), secrets, std::make_unique<FakeHttp>(service))};
  Machine machine{endpoint, session, std::make_shared<LearntQuirks>()};
  SettingsControl control{machine};

  explicit BiosService(std::string link) : settings(std::move(link)) {
    service.resources[kSystem] =
        FakeService::system("1", "S1", true, std::string(R"(,"Bios":{"@odata.id":")") + kBios + "\"}");
    service.before = [this](const ClientRequest& request) { return answer(request); };
  }

  std::optional<Answer> answer(const ClientRequest& request) {
    if (request.target == kMonitor) return task;
    if (request.method == "PATCH") {
      patched.push_back(request.target);
      const auto body = base::parse_json(request.body);
      REQUIRE(body.has_value());
      const auto wanted = (*body)["Attributes"]["Turbo"].as_string();
      if (takes) (settings.empty() ? current : pending) = std::string(wanted.value_or("?"));
      return FakeService::response(202, "", {{"Location", kMonitor}});
    }
    const std::string shown = request.target == kBios ? current : pending;
    if (request.target != kBios && request.target != settings) return std::nullopt;
    std::string text = R"({"@odata.id":")" + request.target + R"(","Attributes":{"Turbo":")" + shown + "\"}";
    if (request.target == kBios && !settings.empty())
      text += R"(,"@Redfish.Settings":{"SettingsObject":{"@odata.id":")" + settings + "\"}}";
    return FakeService::response(200, text + "}");
  }
  Result<WriteOutcome> stage() {
    REQUIRE(machine.identity(kCall).has_value());
    return control.stage_bios({{"Turbo", "On"}}, kCall);
  }
};

}  // namespace

TEST_CASE("tasks: states; errors that hide behind Completed; unknown words run on") {
  CHECK(report(R"({"TaskState":"Completed","TaskStatus":"OK"})").phase == TaskPhase::Done);
  CHECK(report(R"({"TaskState":"Completed"})").phase == TaskPhase::Done);
  CHECK(report(R"({"TaskState":"Completed","TaskStatus":"Critical"})").phase == TaskPhase::Failed);
  for (const char* state : {"Exception", "Killed", "Cancelled", "Interrupted"})
    CHECK_MESSAGE(report(R"({"TaskState":")" + std::string(state) + "\"}").phase == TaskPhase::Failed, state);
  for (const char* state : {"New", "Running", "Starting", "Cancelling", "Brewing", ""})
    CHECK_MESSAGE(report(R"({"TaskState":")" + std::string(state) + "\"}").phase == TaskPhase::Running, state);
  CHECK(report("{}").phase == TaskPhase::Running);
  CHECK(report(R"({"TaskState":"Exception","Messages":[{"Message":"fine","Severity":"OK"},
                   {"Message":"no\u001bpower","MessageSeverity":"Critical"}]})")
            .message.find('\x1b') == std::string::npos);
  CHECK(report(R"({"TaskState":"Exception","Messages":[{"Message":"fine","Severity":"OK"},
                   {"Message":"no power","MessageSeverity":"Critical"}]})")
            .message == "no power");
}

TEST_CASE("tasks: a write that is answered 202, by what its task and the machine show") {
  const auto r = [](int status, std::string body = "") {
    return Answer(FakeService::response(status, std::move(body)));
  };
  struct Case {
    const char* what;
    Answer task;
    bool takes;
    std::optional<WriteOutcome> outcome;
    Code code;
  };
  const Case cases[] = {
      {"done", r(200, R"({"TaskState":"Completed"})"), true, WriteOutcome::Accepted, Code::Internal},
      {"done, nothing to see", r(200, R"({"TaskState":"Completed"})"), false, std::nullopt, Code::Unsupported},
      {"running, seen", r(202, R"({"TaskState":"Running"})"), true, WriteOutcome::Accepted, Code::Internal},
      {"running", r(202, R"({"TaskState":"Running"})"), false, WriteOutcome::Unknown, Code::Internal},
      {"monitor without a body", r(202), false, WriteOutcome::Unknown, Code::Internal},
      {"vanished", r(404), false, WriteOutcome::Unknown, Code::Internal},
      {"vanished, seen", r(404), true, WriteOutcome::Accepted, Code::Internal},
      {"gone", r(410), false, WriteOutcome::Unknown, Code::Internal},
      {"busy", r(503), false, WriteOutcome::Unknown, Code::Internal},
      {"failed", r(200, R"({"TaskState":"Exception"})"), true, std::nullopt, Code::Invalid},
      {"monitor tells the refusal", r(400, R"({"error":{"message":"no"}})"), false, std::nullopt, Code::Invalid},
      {"monitor ends as the operation", r(204), false, std::nullopt, Code::Unsupported},
  };
  for (const auto& one : cases) {
    BiosService s("/redfish/v1/Systems/1/Bios/Settings");
    s.task = one.task;
    s.takes = one.takes;
    const auto got = s.stage();
    CHECK_MESSAGE(got.has_value() == one.outcome.has_value(), one.what, ": ", got ? "" : got.error().text());
    if (got && one.outcome) CHECK_MESSAGE(*got == *one.outcome, one.what);
    if (!got && !one.outcome) CHECK_MESSAGE(got.error().code == one.code, one.what, ": ", got.error().text());
    CHECK_MESSAGE(s.patched.size() == 1, one.what);  // never again by itself
  }
}

TEST_CASE("tasks: a monitor elsewhere is not asked") {
  BiosService s("/redfish/v1/Systems/1/Bios/Settings");
  s.takes = false;
  auto inner = s.service.before;
  s.service.before = [inner](const ClientRequest& request) -> std::optional<Answer> {
    if (request.method == "PATCH") return FakeService::response(202, "", {{"Location", "https://evil.example/t"}});
    return inner(request);
  };
  CHECK(s.stage() == WriteOutcome::Unknown);
  for (const auto& line : s.service.log) CHECK(line.find("evil") == std::string::npos);
}

TEST_CASE("bios: through the settings object, or the resource itself where there is none") {
  BiosService staged("/redfish/v1/Systems/1/Bios/Settings");
  CHECK(staged.stage() == WriteOutcome::Accepted);
  CHECK(staged.patched == std::vector<std::string>{"/redfish/v1/Systems/1/Bios/Settings"});
  CHECK(staged.current == "Off");
  CHECK(staged.stage() == WriteOutcome::AlreadySo);
  CHECK(staged.patched.size() == 1);
  BiosService direct("");
  CHECK(direct.stage() == WriteOutcome::Accepted);
  CHECK(direct.patched == std::vector<std::string>{kBios});
}
