#include <doctest/doctest.h>

#include <random>

#include "base/text/text.hpp"
#include "registry/status/controller_status.hpp"
#include "registry/status/instance_status.hpp"
#include "registry/status/machine_status.hpp"

using namespace nimbus;
using namespace nimbus::registry;
using std::chrono::seconds;

namespace {

constexpr WallTime kTen{seconds{1'795'428'000}};  // 2026-11-23T10:00:00Z

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  MachineStatus machine() {
    MachineStatus status;
    status.phase = static_cast<MachinePhase>(pick(9));
    status.applied_digest = text();
    status.desired_digest = text();
    status.instance = text();
    if (pick(2) == 0) status.power = static_cast<PowerState>(pick(4));
    if (pick(2) == 0) status.claim = MachineClaim{text(), time(), pick(2) == 0 ? text() : "", pick(2) == 0};
    for (unsigned i = pick(4); i > 0; --i) {
      status.conditions[text()] = {static_cast<ConditionValue>(pick(3)), text(), text(), time()};
    }
    status.identity = {text(), text(), text()};
    if (pick(2) == 0) status.installed = InstalledRecord{text(), text(), text(), pick(100)};
    for (unsigned i = pick(4); i > 0; --i) status.drifts.push_back({text(), text(), text(), text()});
    if (pick(2) == 0) status.hardware = hardware();
    if (pick(2) == 0) {
      auto& seen = status.ramdisk.emplace();
      seen.cpus = 32;
      seen.memory_bytes = std::int64_t{256} << 30;
      seen.disks = {{"serial.A", "A", 480'000'000'000}};
      seen.macs = {"52:54:00:00:00:01"};
      seen.tpm = text();
      for (unsigned i = pick(3); i > 0; --i) seen.neighbours.push_back({text(), text(), text(), text()});
      for (unsigned i = pick(3); i > 0; --i) seen.pci.push_back({text(), text(), text()});
    }
    for (unsigned i = pick(4); i > 0; --i) status.erases.push_back({text(), text(), text(), pick(2) == 0, time()});
    for (unsigned i = pick(4); i > 0; --i) status.checks.push_back({text(), text(), pick(2) == 0 ? text() : ""});
    for (unsigned i = pick(4); i > 0; --i) {
      status.runs.push_back({text(), text(), time(), {}, static_cast<RunRecordOutcome>(pick(4)), text()});
      if (pick(2) == 0) status.runs.back().finished = time();
    }
    return status;
  }

  ControllerStatus controller() {
    ControllerStatus status{text(), 1 + pick(1000), text(), text(), static_cast<RegistryState>(pick(4)), text(), {}};
    for (unsigned i = pick(5); i > 0; --i) status.problems.push_back({text(), pick(99), pick(99), text(), text()});
    return status;
  }

  HardwareRecord hardware() {
    HardwareRecord out;
    const auto number = [&] { return pick(2) == 0 ? std::optional<std::int64_t>(pick(1000)) : std::nullopt; };
    out.vendor = text();
    out.product = text();
    out.part_number = text();
    out.serial = text();
    out.memory_mib = number();
    if (pick(2) == 0) out.secure_boot = pick(2) == 0;
    for (unsigned i = pick(3); i > 0; --i) out.boot_order.push_back(text());
    for (unsigned i = pick(3); i > 0; --i) out.cpus.push_back({text(), text(), number()});
    for (unsigned i = pick(3); i > 0; --i) out.modules.push_back({text(), text(), text(), number()});
    for (unsigned i = pick(3); i > 0; --i) out.disks.push_back({text(), text(), text(), text(), number()});
    for (unsigned i = pick(3); i > 0; --i) out.nics.push_back({text(), text()});
    for (unsigned i = pick(3); i > 0; --i) out.firmware.push_back({text(), text()});
    return out;
  }

 private:
  unsigned pick(unsigned n) { return static_cast<unsigned>(random_()) % n; }
  WallTime time() { return WallTime{seconds{pick(4'000'000'000U)}}; }
  std::string text() {
    static const std::string kPieces[] = {"a", "B9", "-", ".", " ", "\"", "\\n", "ä€😀", "'", "#", "=", "[", "]]", "\\"};
    std::string out;
    for (unsigned i = pick(5); i > 0; --i) out += kPieces[pick(std::size(kPieces))];
    return out;
  }

  std::mt19937 random_;
};

MachineStatus sample() {
  MachineStatus status;
  status.applied_digest = "9c1e";
  status.desired_digest = "9c1e";
  status.instance = "acme/web-1";
  status.phase = MachinePhase::Active;
  status.power = PowerState::On;
  status.claim = MachineClaim{"acme/web-1", kTen};
  set_condition(status.conditions, "ready", ConditionValue::True, "Reconciled", "", kTen);
  status.identity.serial = "CZ3A1B2";
  status.installed = InstalledRecord{"nvme.S4YXNF0M", "9f86", "c2d0", 0};
  status.drifts = {{"bios.ProcVirtualization", "Enabled", "Disabled"}};
  status.erases = {{"nvme.S4YXNF0M", "secure", "nvme-format-crypto", true, kTen - seconds{266400}}};
  status.runs = {{"install", "4b825dc", kTen, kTen + seconds{240}, RunRecordOutcome::Done, ""}};
  return status;
}

}  // namespace

TEST_CASE("a machine's document is the one of the registry format") {
  CHECK(to_text(sample()) == R"(applied_digest = "9c1e"
desired_digest = "9c1e"
instance = "acme/web-1"
phase = "active"
power = "on"
[claim]
instance = "acme/web-1"
since = 2026-11-23T10:00:00Z
[condition.ready]
message = ""
reason = "Reconciled"
since = 2026-11-23T10:00:00Z
status = "true"
[identity]
serial = "CZ3A1B2"
[installed]
disk = "nvme.S4YXNF0M"
image_sha256 = "9f86"
nonce_sha256 = "c2d0"
reinstall = 0
[[drift]]
desired = "Enabled"
key = "bios.ProcVirtualization"
observed = "Disabled"
[[erased]]
disk = "nvme.S4YXNF0M"
level = "secure"
method = "nvme-format-crypto"
verified = true
when = 2026-11-20T08:00:00Z
[[run]]
action = "install"
commit = "4b825dc"
finished = 2026-11-23T10:04:00Z
outcome = "done"
started = 2026-11-23T10:00:00Z
)");
}

TEST_CASE("the controller's document is the one of the registry format") {
  ControllerStatus status;
  status.id = "berlin-1/ctl-1";
  status.term = 7;
  status.accepted_commit = status.observed_commit = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
  status.problems = {{"providers/berlin-1/machines/b2/m017.toml", 7, 1, "unknown-key",
                      "unknown key 'drvier' in [bmc]; did you mean 'driver'?"}};
  CHECK(to_text(status) == R"(format = 1
[controller]
id = "berlin-1/ctl-1"
term = 7
[registry]
accepted_commit = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
observed_commit = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
state = "accepted"
[[registry.problem]]
code = "unknown-key"
column = 1
file = "providers/berlin-1/machines/b2/m017.toml"
line = 7
message = "unknown key 'drvier' in [bmc]; did you mean 'driver'?"
)");
}

TEST_CASE("documents read back equal") {
  for (unsigned seed = 0; seed < 500; ++seed) {
    Generator generator(seed);
    const auto machine = generator.machine();
    const auto text = to_text(machine);
    const auto back = parse_machine_status(text, "m.toml");
    REQUIRE_MESSAGE(back.has_value(), back.error().text() << "\n" << text);
    CHECK_MESSAGE(*back == machine, text);
    CHECK(to_text(*back) == text);
    const auto controller = generator.controller();
    const auto controller_back = parse_controller_status(to_text(controller));
    REQUIRE_MESSAGE(controller_back.has_value(), controller_back.error().text());
    CHECK(*controller_back == controller);
  }
}

TEST_CASE("hostile text from devices is tamed, long lists are cut") {
  MachineStatus status;
  status.identity.serial = std::string("a\n[claim]\x1b[31m\xff\0z", 18) + std::string(5000, 'x');
  status.runs.resize(30, {"power-on", "c", kTen, {}, RunRecordOutcome::Done, ""});
  status.drifts.resize(300);
  status.erases.resize(300);
  status.checks.resize(300, {"accounts", "differs", std::string(9000, 'x')});
  const auto back = parse_machine_status(to_text(status), "m.toml");
  REQUIRE_MESSAGE(back.has_value(), back.error().text());
  CHECK(back->identity.serial.starts_with("a\\n[claim]\\x1b[31m\\xff\\x00z"));
  CHECK(back->identity.serial.size() < 1100);
  CHECK(!back->claim);
  CHECK(back->runs.size() == 10);
  CHECK(back->drifts.size() == 50);
  CHECK(back->erases.size() == 100);
  CHECK(back->checks.size() == 10);
  CHECK(to_text(*back) == to_text(status));

  ControllerStatus controller{.id = "p/c", .term = 1};
  controller.problems.resize(1000);
  const auto cut = parse_controller_status(to_text(controller));
  REQUIRE(cut);
  REQUIRE(cut->problems.size() == 100);
  CHECK(cut->problems.back().code == "more");
  CHECK(cut->problems.back().message == "901 more problems");
}

TEST_CASE("a document with everything at its bounds stays below the cap on files") {
  MachineStatus status;
  const std::string longest(4000, 'x');
  status.runs.resize(30, {longest, longest, kTen, {}, RunRecordOutcome::Done, longest});
  status.drifts.resize(300, {longest, longest, longest});
  status.erases.resize(300, {longest, longest, longest, true, kTen});
  for (int i = 0; i < 20; ++i) {
    set_condition(status.conditions, std::to_string(i), ConditionValue::True, "Reason", longest, kTen);
  }
  REQUIRE(to_text(status).size() < 256 * 1024);
  CHECK(parse_machine_status(to_text(status), "m.toml").has_value());
  ControllerStatus controller{.id = longest, .term = 1};
  controller.problems.resize(1000, {longest, 1, 1, longest, longest});
  REQUIRE(to_text(controller).size() < 256 * 1024);
  CHECK(parse_controller_status(to_text(controller)).has_value());
}

TEST_CASE("reading is strict and says where") {
  const auto text = to_text(sample());
  const auto with = [&](const std::string& from, const std::string& to) {
    auto changed = text;
    changed.replace(changed.find(from), from.size(), to);
    const auto result = parse_machine_status(changed, "m.toml");
    return result ? std::string("accepted") : result.error().message;
  };
  CHECK(with("phase", "phaze").starts_with("m.toml:"));
  CHECK(with("phase = \"active\"", "phase = \"happy\"").starts_with("m.toml:4:"));
  CHECK(with("power = \"on\"", "power = \"maybe\"").starts_with("m.toml:5:"));
  CHECK(with("status = \"true\"", "status = true").starts_with("m.toml:13:"));
  CHECK(with("since = 2026-11-23T10:00:00Z", "since = 2026-11-23").find("time with zone") != std::string::npos);
  CHECK(with("[identity]", "[identity]\nextra = 1").find("unknown key 'extra'") != std::string::npos);
  CHECK(with("reinstall = 0", "reinstall = -1") != "accepted");
  CHECK(with("outcome = \"done\"\n", "") != "accepted");
  CHECK(with("[[run]]", "[run]") != "accepted");
  CHECK(with("applied_digest", "= = =") != "accepted");
  CHECK(with("phase = \"active\"", "phase = \"active\" # a comment") == "accepted");

  const auto controller = [](const std::string& document) {
    const auto result = parse_controller_status(document);
    return result ? Code::Internal : result.error().code;
  };
  CHECK(controller("format = 2\n[anything]\n") == Code::Unsupported);
  CHECK(controller("") == Code::Invalid);
  CHECK(controller("format = 1\n[controller]\nid = \"x\"\nterm = 0\n") == Code::Invalid);
  CHECK(controller("format = 1\n[controller]\nid = \"x\"\nterm = 9223372036854775807\n") == Code::Invalid);
}

TEST_CASE("a condition keeps its time until value or reason change") {
  Conditions conditions;
  const auto set = [&](ConditionValue value, const char* reason, const char* message, int at) {
    set_condition(conditions, "ready", value, reason, message, WallTime{seconds{at}} + std::chrono::milliseconds{300});
    return conditions.at("ready").since;
  };
  CHECK(set(ConditionValue::False, "Unreachable", "a", 10) == WallTime{seconds{10}});
  CHECK(set(ConditionValue::False, "Unreachable", "a", 20) == WallTime{seconds{10}});
  CHECK(set(ConditionValue::False, "Unreachable", "b", 30) == WallTime{seconds{10}});
  CHECK(conditions.at("ready").message == "b");
  CHECK(set(ConditionValue::False, "Auth", "b", 40) == WallTime{seconds{40}});
  CHECK(set(ConditionValue::True, "Auth", "b", 50) == WallTime{seconds{50}});
  CHECK(set(ConditionValue::True, "Auth", "b", 60) == WallTime{seconds{50}});
}

TEST_CASE("an instance's document with a host's part comes back as it was") {
  InstanceStatus status;
  status.phase = InstancePhase::Configuring;
  status.machine = "m017";
  set_condition(status.conditions, "configured", ConditionValue::False, "Drifted", "1 resource", WallTime{});
  status.configuration = ConfigurationRecord{.mode = "enforce",
                                             .applied_digest = "a",
                                             .desired_digest = "b",
                                             .drifts = {{"file:/etc/motd.mode", "0644", "0666", {}}},
                                             .failed = {{"package:nginx", "exit status 100"}}};
  const auto parsed = parse_instance_status(to_text(status), "tenants/acme/instances/web-1.toml");
  REQUIRE(parsed);
  CHECK(*parsed == status);
}
