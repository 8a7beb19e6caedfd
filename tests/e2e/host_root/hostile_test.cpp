// Hostile words in every place of a profile, themselves and by a label: each is refused where
// it is read, or stays a word on the host: nothing of it is run, and nothing of it can lead
// the probe astray. In a real Debian root.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "base/toml/toml.hpp"
#include "base/toml/write.hpp"
#include "registry/host/host_helper.hpp"
#include "registry/host/variables.hpp"
#include "root.hpp"

using namespace nimbus;
using namespace nimbus::test;
using reconcilers::configure::Outcome;

namespace {

// A row of each kind. What is "true" is code for root, and meant to be run.
constexpr const char* kRows = R"(
hostname = "web-1"
timezone = "Etc/UTC"
locale = "C.UTF-8"
packages = { present = ["nginx=1.0"], hold = ["linux"], absent = ["telnet"] }
modules = ["br_netfilter"]
time = { servers = ["ntp.example"] }
[[repository]]
name = "r"
url = "https://r.example"
suites = ["s"]
components = ["c"]
key = { content = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n" }
[[ca_certificate]]
name = "ca"
content = "-----BEGIN CERTIFICATE-----\n"
[[group]]
name = "app"
[[user]]
name = "deploy"
groups = ["app"]
shell = "/bin/sh"
home = "/srv/deploy"
ssh_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1xFhB9l3cQ8m0yM7i0k2c0dGmX1m2e4q3Y4W5c6d7e alice"]
sudo = "password"
[[sudoers]]
name = "app"
rules = ["%app ALL=(ALL) ALL"]
[[directory]]
path = "/srv/app"
owner = "root"
group = "root"
mode = "0755"
[[file]]
path = "/srv/conf"
owner = "root"
group = "root"
mode = "0644"
content = "x"
template = true
validate = "true"
[[file]]
path = "/srv/sourced"
source = "files/motd"
[[link]]
path = "/srv/link"
target = "conf"
[[secret_file]]
path = "/srv/token"
secret = "tenant/{{tenant.name}}/app-token"
[[service]]
name = "app"
running = true
restart_on = ["/srv/conf"]
[[timer]]
name = "t"
calendar = "daily"
command = "true"
user = "root"
[[mount]]
source = "tmpfs"
path = "/srv/t"
fs = "tmpfs"
options = "size=1m"
[[swap]]
path = "/srv/swap"
size_mib = 1
[[host]]
address = "192.0.2.1"
names = ["x"]
[[firewall]]
allow = "tcp"
port = 80
from = ["192.0.2.0/24"]
[[interface]]
name = "eno1"
addresses = ["192.0.2.5/24"]
gateway = "192.0.2.1"
dns = ["192.0.2.1"]
[[command]]
name = "c"
run = "true"
creates = "/srv/created"
unless = "true"
user = "root"
after = ["file:/srv/conf"]
[sysctl]
"vm.swappiness" = "10"
)";

std::vector<std::string> hostile_words() {
  return {"$(touch /pwned)",
          "`touch /pwned`",
          "'; touch /pwned; '",
          "\"; touch /pwned; \"",
          "x\ntouch /pwned\n",
          "/srv/x\n/etc/passwd",
          "/srv/$(touch /pwned)'`touch /pwned`\"",
          std::string("/srv/a\0b", 8),
          "/srv/\ttab",
          "/srv/x\rtouch /pwned",
          "../../../../etc/nimbus-pwned",
          "/srv/../etc/nimbus-pwned",
          "-rf",
          "/srv/*",
          "%n%s$IFS",
          "/srv/\xe2\x80\xae\xc3\xbc\xf0\x9f\x92\xa9",
          "# nimbus:hosts end",
          "NOPASSWD: ALL",
          "/srv/" + std::string(5'000, 'a'),
          std::string(150'000, 'A')};
}

/// What an instance's host should have; nothing if that was refused. Files that did not change are not read again.
std::optional<host::Configuration> build(const base::toml::Table& profile, const std::string& label) {
  static const auto before = registry::test::loaded(registry::test::with_profiles(""));
  auto source = registry::test::with_profiles(base::toml::write(profile));
  if (!label.empty()) {
    source.files["providers/berlin-1/machines/b2/m017.toml"] += "[labels]\nevil = " + base::toml::quoted(label) + "\n";
  }
  const auto loaded = registry::test::loaded(source, before.snapshot.get());
  if (registry::has_errors(loaded.problems)) return std::nullopt;
  auto built = registry::test::build(source, {.previous = loaded.snapshot.get()}).host;
  if (registry::has_errors(built.problems)) return std::nullopt;
  return std::move(built.configuration);
}

/// The profile with its text number `at` replaced; false: there are not so many, or it is code.
bool replace_text(base::toml::Table& profile, std::size_t at, const std::string& by) {
  std::size_t count = 0;
  bool done = false;
  registry::for_each_text(profile, [&](base::toml::Value& value) {
    if (count++ != at) return;
    done = *value.string() != "true";
    value = base::toml::Value(by);
  });
  return done;
}

std::size_t count_texts(const base::toml::Table& profile) {
  std::size_t count = 0;
  registry::for_each_text(profile, [&](const base::toml::Value&) { ++count; });
  return count;
}

class Trial {
 public:
  Trial() {
    const auto parsed = base::toml::parse(kRows);
    REQUIRE(parsed);
    profile_ = *parsed;
    const auto built = build(profile_, "");
    REQUIRE(built);
    baseline_ = *built;
  }

  std::size_t texts() const { return count_texts(profile_); }

  /// In every place, one at a time; what came of it that was not refused is tried on the host.
  void try_word(const std::string& written, const std::string& label) {
    std::vector<host::Resource> words;
    for (std::size_t place = 0; place < texts(); ++place) {
      auto profile = profile_;
      if (!replace_text(profile, place, written)) continue;
      const auto wanted = build(profile, label);
      ++(wanted ? accepted : refused);
      if (wanted) add_difference(*wanted, words);
    }
    while (!words.empty()) bring_about(take_some(words));
  }

  std::size_t accepted = 0, refused = 0;

 private:
  /// Of resources, only what the profile without such a word has not.
  void add_difference(const host::Configuration& wanted, std::vector<host::Resource>& words) const {
    for (const auto& each : wanted.resources) {
      const auto same = [&](const host::Resource& other) { return other.wanted == each.wanted; };
      // No package is asked for on the network, and no network is set up.
      const bool here =
          !std::holds_alternative<host::Package>(each.wanted) && !std::holds_alternative<host::Action>(each.wanted);
      if (here && std::ranges::none_of(baseline_.resources, same) && std::ranges::none_of(words, same)) {
        words.push_back(each);
      }
    }
  }

  /// One configuration: of each id one.
  static host::Configuration take_some(std::vector<host::Resource>& words) {
    std::map<std::string, host::Resource> some;
    std::erase_if(words, [&](const host::Resource& each) { return some.emplace(each.id, each).second; });
    host::Configuration out;
    for (auto& [id, each] : some) out.resources.push_back(std::move(each));
    return out;
  }

  void bring_about(const host::Configuration& wanted) {
    std::string ids;
    for (const auto& each : wanted.resources) ids += each.id.substr(0, 100) + "\n";
    CAPTURE(ids);
    // The probe is read as a whole and its frame holds; a correction says how each resource ended.
    const auto pass = root_.converge(wanted);
    CHECK_FALSE(pass.lost);
    for (const auto& outcome : pass.outcomes) {
      CHECK_MESSAGE(outcome.kind != Outcome::Kind::Unknown, outcome.resource);
      const bool right =
          std::ranges::none_of(pass.gaps, [&](const auto& gap) { return gap.resource == outcome.resource; });
      CHECK_MESSAGE((outcome.kind != Outcome::Kind::Done || right), outcome.resource, "\n", pass.text());
    }
    for (const char* sign : {"/pwned", "/root/pwned", "/srv/pwned", "/etc/nimbus-pwned"}) {
      REQUIRE_FALSE_MESSAGE(root_.exists(sign), sign);
    }
    CHECK(root_.sh("wc -l </etc/passwd") == accounts_);
  }

  base::toml::Table profile_;
  host::Configuration baseline_;
  Root root_{"512m"};
  std::string accounts_ = root_.sh("useradd -m deploy; wc -l </etc/passwd");
};

}  // namespace

TEST_CASE("host root: hostile words in every place of a profile are refused, or stay words" *
          doctest::test_suite("long")) {
  Trial trial;
  CHECK(trial.texts() > 60);
  for (const auto& word : hostile_words()) {
    CAPTURE(word.substr(0, 100));
    trial.try_word(word, "");
    trial.try_word("{{machine.labels.evil}}", word);
  }
  CHECK(trial.accepted > 50);
  CHECK(trial.refused > 1'000);
  MESSAGE(trial.accepted, " were words, ", trial.refused, " were refused");
}
