#include "controller/config/config.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <string>

using namespace nimbus;
using namespace nimbus::controller;
using namespace std::chrono_literals;

namespace {

const std::string kLeast = R"(provider = "lab"
data = "/var/lib/nimbus"
secrets = "/etc/nimbus/secrets"
[registry]
url = "/srv/registry.git"
)";

std::string fault_of(const std::string& text) {
  const auto config = parse_config(text, "n.toml");
  return config ? "accepted" : config.error().message;
}

}  // namespace

TEST_CASE("configuration: the least, with defaults") {
  const auto config = parse_config(kLeast, "n.toml");
  REQUIRE(config.has_value());
  CHECK(config->provider == "lab");
  CHECK(config->id.starts_with("lab/"));
  CHECK(config->registry.branch == "main");
  CHECK(config->poll == 60s);
  CHECK(config->workers == 16);
}

TEST_CASE("configuration: the control socket, and where holds may lie") {
  const auto least = parse_config(kLeast, "n.toml");
  REQUIRE(least.has_value());
  CHECK(least->control_socket == "/var/lib/nimbus/control.sock");
  CHECK(least->holds == "/etc/nimbus/holds");
  const auto given = parse_config(
      kLeast + "[control]\nsocket = \"/run/n.sock\"\nusers = [\"alice\"]\ngroups = [\"ops\"]\nholds = \"/etc/h\"\n",
      "n.toml");
  REQUIRE(given.has_value());
  CHECK(given->control_socket == "/run/n.sock");
  CHECK(given->control_users == std::vector<std::string>{"alice"});
  CHECK(given->control_groups == std::vector<std::string>{"ops"});
  CHECK(fault_of(kLeast + "[control]\nholds = \"/var/lib/nimbus/holds\"\n").find("data folder") != std::string::npos);
}

TEST_CASE("configuration: one nimbus-boot, or one for each network") {
  const auto one = parse_config(kLeast + "[install]\nboot = \"/run/b.sock\"\n", "n.toml");
  REQUIRE(one.has_value());
  CHECK(one->boot_sockets == std::map<std::string, std::string>{{"", "/run/b.sock"}});
  const auto two =
      parse_config(kLeast + "[install.boot]\nprov-a = \"/run/a.sock\"\nprov-b = \"/run/b.sock\"\n", "n.toml");
  REQUIRE(two.has_value());
  CHECK(two->boot_sockets == std::map<std::string, std::string>{{"prov-a", "/run/a.sock"}, {"prov-b", "/run/b.sock"}});
  CHECK(fault_of(kLeast + "[install]\nmost_attempts = 2\n").find("boot") != std::string::npos);
  CHECK(fault_of(kLeast + "[install.boot]\n").find("names no network") != std::string::npos);
  CHECK(fault_of(kLeast + "[install.boot]\nProv = \"/run/a.sock\"\n").find("no name of a network") !=
        std::string::npos);
  CHECK(fault_of(kLeast + "[install.boot]\nprov = \"a.sock\"\n").find("absolute") != std::string::npos);
  CHECK(fault_of(kLeast + "[install]\nboot = 7\n").find("boot") != std::string::npos);
}

TEST_CASE("configuration: credentials that systemd hands over (LoadCredential=)") {
  const std::string text = R"(provider = "lab"
data = "/d"
secrets = "/s"
[registry]
url = "ssh://git@forge.example/r.git"
ssh_key = "credential:forge-key"
known_hosts = "/h"
[[webhook]]
name = "github"
kind = "github"
secret_files = ["credential:hook", "/w"]
)";
  ::unsetenv("CREDENTIALS_DIRECTORY");
  CHECK(fault_of(text).find("n.toml:6:11: \"credential:forge-key\": systemd handed no credentials over") == 0);
  ::setenv("CREDENTIALS_DIRECTORY", "/run/credentials/nimbusd.service", 1);
  const auto config = parse_config(text, "n.toml");
  for (const char* outside : {"..", "../shadow", "a/b", ""}) {
    std::string other = text;
    other.replace(other.find("forge-key"), 9, outside);
    CHECK_MESSAGE(fault_of(other) != "accepted", outside);
  }
  ::unsetenv("CREDENTIALS_DIRECTORY");
  REQUIRE_MESSAGE(config.has_value(), config.error().message);
  CHECK(config->registry.ssh_key == "/run/credentials/nimbusd.service/forge-key");
  CHECK(config->webhooks.at(0).secret_files == std::vector<std::string>{"/run/credentials/nimbusd.service/hook", "/w"});
}

TEST_CASE("configuration: everything") {
  const auto config = parse_config(R"(provider = "lab"
id = "lab/ctl-1"
data = "/d"
secrets = "/s"
[registry]
url = "ssh://git@forge.example/registry.git"
branch = "live"
ssh_key = "/k"
known_hosts = "/h"
poll = "5s"
deadline = "20s"
[status]
publish = "1s"
heartbeat = "5m"
[http]
listen = "unix:/run/nimbus/http"
[[webhook]]
name = "github"
kind = "github"
secret_files = ["/w1", "/w2"]
[[ca]]
name = "bmc-ca"
file = "/ca.pem"
[reconcile]
workers = 4
observe = "2s"
deadline = "10s"
retry_most = "1m"
[power]
settle = "5s"
soft_off_deadline = "1m"
transition_deadline = "2m"
most_attempts = 5
attempts_window = "1h"
[log]
level = "debug"
format = "json"
)",
                                   "n.toml");
  REQUIRE_MESSAGE(config.has_value(), config.error().message);
  CHECK(config->registry.branch == "live");
  CHECK(config->webhooks.at(0).secret_files.size() == 2);
  CHECK(config->power.most_attempts == 5);
  CHECK(config->cas.at(0).name == "bmc-ca");
}

TEST_CASE("configuration: faults name place and cure, all in one pass") {
  CHECK(fault_of("provider = 1\n").find("n.toml:1:") != std::string::npos);
  const auto several = fault_of(
      "provider = \"lab\"\ndata = \"relative\"\nsecrets = \"/s\"\n[registry]\nurl = \"git://x\"\npol = \"5s\"\n");
  CHECK(several.find("n.toml:2:8: ") != std::string::npos);
  CHECK(several.find("absolute") != std::string::npos);
  CHECK(several.find("n.toml:5:7: ") != std::string::npos);
  CHECK(several.find("poll") != std::string::npos);  // did you mean
  CHECK(fault_of(kLeast + "poll = \"5\"\n").find("5s") == std::string::npos);
  CHECK(fault_of(kLeast + "poll = \"5\"\n").find("no duration") != std::string::npos);
  CHECK(fault_of("provider = \"lab\"\ndata = \"/d\"\nsecrets = \"/s\"\n[registry]\nurl = \"ssh://git@h/r\"\n")
            .find("known_hosts") != std::string::npos);
  CHECK(fault_of("provider = \"lab\"\ndata = \"/d\"\nsecrets = \"/s\"\n[registry]\nurl = \"https://u:p@h/r\"\n")
            .find("token_file") != std::string::npos);
  for (const char* spins : {"poll = \"999ms\"", "deadline = \"1ms\"", "[reconcile]\nobserve = \"1ms\"",
                            "[reconcile]\nretry_most = \"1ms\"", "[status]\npublish = \"99ms\""}) {
    CHECK_MESSAGE(fault_of(kLeast + spins + "\n").find("too short") != std::string::npos, spins);
  }
  CHECK(fault_of("[").find("n.toml:1") != std::string::npos);
  CHECK(fault_of(kLeast) == "accepted");
}

TEST_CASE("configuration: the way to hosts") {
  CHECK(parse_config(kLeast, "n.toml")->hosts.key.empty());
  const auto config = parse_config(kLeast + "[hosts]\nkey = \"/etc/nimbus/hosts-key\"\ninterval = \"1m\"\n", "n.toml");
  REQUIRE(config.has_value());
  CHECK(config->hosts.key == "/etc/nimbus/hosts-key");
  CHECK(config->hosts.user == "nimbus");
  CHECK(config->hosts.workers == 4);
  CHECK(config->hosts.interval == 60s);
  CHECK(fault_of(kLeast + "[hosts]\nuser = \"nimbus\"\n").find("key") != std::string::npos);
  for (const char* user : {"", "Root", "-x", "0day", "a b", "a'b", "a\\\"; reboot"}) {
    CHECK(fault_of(kLeast + "[hosts]\nkey = \"/k\"\nuser = \"" + user + "\"\n").find("account") != std::string::npos);
  }
  CHECK(fault_of(kLeast + "[hosts]\nkey = \"/k\"\ninterval = \"1s\"\n").find("at least 5s") != std::string::npos);
  CHECK(config->hosts.confirm == 60s);
  CHECK(parse_config(kLeast + "[hosts]\nkey = \"/k\"\nconfirm = \"3m\"\n", "n.toml")->hosts.confirm == 180s);
  for (const char* confirm : {"9s", "11m"}) {
    CHECK(fault_of(kLeast + "[hosts]\nkey = \"/k\"\nconfirm = \"" + confirm + "\"\n").find("between 10s and 10m") !=
          std::string::npos);
  }
}
