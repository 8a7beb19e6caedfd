// The actions that install interfaces and forget units, run by shells on a folder that stands for a
// host, with systemd and netplan played as the real ones behave: tests/e2e/host_machine shows that they do.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "host_helper.hpp"
#include "registry/host/expansion.hpp"
#include "support/git/git_fixture.hpp"

using namespace nimbus;
using namespace nimbus::registry;
namespace fs = std::filesystem;

namespace {

const std::vector<std::vector<std::string>> kShells = {{"dash"}, {"busybox", "sh"}, {"bash", "--posix"}};

// networkd makes what has a file and is not there, as it read that file first, and neither changes nor
// deletes anything. netplan writes files of networkd's, of all YAML that it finds, and refuses all of
// it if it refuses one.
constexpr const char* kTools = R"SH(
ip() { echo "deleted $4" >>$R/log; rm "$R/sys/class/net/$4"; }
systemctl() {
  case $1 in
    try-restart) rm -rf "$R/read"; networkctl reload ;;
    is-active) [ "$*" = 'is-active --quiet systemd-networkd' ] ;;
  esac
}
networkctl() {
  for netdev in "$R"/etc/systemd/network/*.netdev "$R"/run/systemd/network/*.netdev; do
    [ -e "$netdev" ] || continue
    device=${netdev##*/} device=${device#10-n*-} device=${device%.netdev}
    [ -e "$R/read/$device" ] || { mkdir -p "$R/read" && cp "$netdev" "$R/read/$device"; }
    [ -e "$R/sys/class/net/$device" ] || cp "$R/read/$device" "$R/sys/class/net/$device"
  done
}
netplan() {
  ! grep -q refused "$R"/etc/netplan/*.yaml || return 1
  rm -f "$R"/run/systemd/network/10-netplan-*
  awk -v out="$R/run/systemd/network/10-netplan-" '
    /^  [a-z]/ { kind = $1 }
    kind != "bonds:" && kind != "vlans:" { next }
    /^    "/ { split($0, part, "\""); file = out part[2] ".netdev"; print kind >file }
    /^      (id|parameters): / { print >file }' "$R"/etc/netplan/*.yaml
  [ "$1" != apply ] || networkctl reload
}
)SH";

std::string text_of(const fs::path& path) {
  std::stringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

class FakeHost {
 public:
  explicit FakeHost(std::vector<std::string> shell) : shell_(std::move(shell)) {
    for (const char* path : {"etc/systemd/network", "run/systemd/network", "sys/class/net"})
      fs::create_directories(at(path));
  }
  std::string at(const std::string& path) const { return folder_ / path; }
  void write(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path(at(path)).parent_path());
    std::ofstream(at(path)) << text;
  }
  /// The files as the configuration installs them, then the action; its exit code.
  int apply(const std::vector<Profile::Interface>& interfaces) const {
    const std::string ours = "etc/nimbus-host/network/";
    fs::remove_all(at(ours));
    for (const auto& file : networkd_files(interfaces)) write(ours + file.name, file.text);
    if (!interfaces.empty()) write(ours + "90-nimbus.yaml", netplan_file(interfaces));
    return run(network_action(true).run);
  }
  /// What was kept for the undo goes with it, as it does with a confirmation.
  int undo() const {
    const int code = run(network_action(true).undo);
    confirm();
    return code;
  }
  void confirm() const { fs::remove_all(at("keep")); }
  bool is_same() const { return run(network_action(true).unless) == 0; }
  int run(std::string script, const std::string& tools = kTools) const {
    for (const std::string folder : {"/etc/", "/run/", "/sys/"}) {
      for (auto i = script.find(folder); i != std::string::npos; i = script.find(folder, i + 3)) script.insert(i, "$R");
    }
    fs::remove(at("log"));
    const auto result =
        nimbus::test::run(shell_, "{\n" + (tools + script) + "}\n", {"R=" + folder_.path(), "KEEP=" + at("keep")});
    CHECK(result.errors.text.empty());
    return result.exit_code;
  }
  /// Where netplan or networkd has a file of ours.
  std::string place(const std::string& file) const {
    return (fs::exists(at("etc/netplan")) ? "etc/netplan/" : "etc/systemd/network/") + file;
  }
  std::string live(const std::string& file) const { return text_of(at(place(file))); }
  std::string log() const { return text_of(at("log")); }
  std::string device(const std::string& name) const { return text_of(at("sys/class/net/" + name)); }
  bool has(const std::string& name) const { return fs::exists(at("sys/class/net/" + name)); }

 private:
  nimbus::test::TempFolder folder_;
  std::vector<std::string> shell_;
};

Profile::Interface vlan(const std::string& name, std::int64_t id, const std::string& link) {
  return {.name = name, .vlan = Profile::Vlan{id, link}};
}

Profile::Interface bond(BondMode mode) { return {.name = "bond0", .bond = Profile::Bond{mode, {"eth1", "eth2"}}}; }

const Profile::Interface kPlain{.name = "eth0", .dhcp = Dhcp::Ipv4};

}  // namespace

TEST_CASE("network action: bonds and VLANs that are dropped or made otherwise are deleted, and no others") {
  for (const auto& shell : kShells) {
    for (const bool netplan : {false, true}) {
      CAPTURE(shell[0]);
      CAPTURE(netplan);
      const FakeHost host(shell);
      if (netplan) host.write("etc/netplan/50-image.yaml", "network:\n  vlans:\n    \"shared\":\n      id: 5\n");
      host.write("sys/class/net/theirs", "made by hand\n");
      REQUIRE(host.apply({kPlain, bond(BondMode::ActiveBackup), vlan("storage", 120, "bond0"),
                          vlan("eth0.7", 7, "eth0"), vlan("shared", 5, "eth0")}) == 0);
      CHECK(host.log().empty());
      for (const char* name : {"bond0", "storage", "eth0.7", "shared"}) CHECK_MESSAGE(host.has(name), name);

      REQUIRE(host.apply({kPlain, bond(BondMode::ActiveBackup), vlan("storage", 121, "bond0"),
                          vlan("shared", 5, "eth0")}) == 0);
      CHECK(host.log() == (netplan ? "deleted storage\ndeleted eth0.7\n" : "deleted eth0.7\ndeleted storage\n"));
      CHECK(host.device("storage").find("121") != std::string::npos);

      REQUIRE(host.apply({kPlain, bond(BondMode::BalanceRr), vlan("shared", 5, "eth0")}) == 0);
      CHECK(host.device("bond0").find("balance-rr") != std::string::npos);
      CHECK_FALSE(host.has("storage"));

      // Also where no file of ours is left; what others ask for too stays.
      REQUIRE(host.apply({}) == 0);
      CHECK_FALSE(host.has("bond0"));
      CHECK(host.has("shared") == netplan);
      CHECK(host.has("theirs"));
      CHECK(fs::is_empty(host.at("etc/systemd/network")));
    }
  }
}

TEST_CASE("network action: undone by itself, and what netplan refuses deletes nothing") {
  for (const auto& shell : kShells) {
    CAPTURE(shell[0]);
    const FakeHost host(shell);
    host.write("etc/netplan/50-image.yaml", "network: {version: 2}\n");
    const std::vector<Profile::Interface> before{kPlain, vlan("storage", 120, "eth0")};
    REQUIRE(host.apply(before) == 0);
    host.write("etc/netplan/50-image.yaml", "refused\n");
    host.confirm();
    CHECK(host.apply({kPlain}) == 1);
    CHECK(host.log().empty());
    CHECK(host.undo() == 1);  // refused as well, and our file is back
    CHECK(host.live("90-nimbus.yaml").find("storage") != std::string::npos);
    CHECK(host.has("storage"));
    host.write("etc/netplan/50-image.yaml", "network: {version: 2}\n");
    REQUIRE(host.apply({kPlain, vlan("backup", 121, "eth0")}) == 0);
    CHECK_FALSE(host.has("storage"));
    REQUIRE(host.undo() == 0);
    CHECK(host.device("storage").find("120") != std::string::npos);
    CHECK_FALSE(host.has("backup"));
  }
}

TEST_CASE("network action: what somebody changed by hand is seen, and comes back if putting it right cuts us off") {
  for (const auto& shell : kShells) {
    for (const bool netplan : {false, true}) {
      CAPTURE(shell[0]);
      CAPTURE(netplan);
      const FakeHost host(shell);
      if (netplan) host.write("etc/netplan/50-image.yaml", "network: {version: 2}\n");
      const std::vector<Profile::Interface> wanted{kPlain, vlan("storage", 120, "eth0"), vlan("backup", 121, "eth0")};
      CHECK(host.undo() == 0);  // of a try that did nothing yet
      REQUIRE(host.apply(wanted) == 0);
      CHECK(host.is_same());
      host.confirm();

      const auto file = netplan ? "90-nimbus.yaml" : "10-nimbus-eth0.network";
      const auto right = host.live(file);
      host.write(host.place(file), right + "# repaired\n");
      CHECK_FALSE(host.is_same());
      REQUIRE(host.apply(wanted) == 0);
      CHECK(host.is_same());
      // Tried once more before it was confirmed: kept is what was there first.
      REQUIRE(host.apply(wanted) == 0);
      CHECK(host.undo() == 0);
      CHECK(host.live(file) == right + "# repaired\n");
      CHECK(host.has("storage"));

      // A file too many, and a device too few.
      REQUIRE(host.apply(wanted) == 0);
      host.confirm();
      host.write(host.place(netplan ? "90-nimbus-2.yaml" : "10-nimbus-eth9.network"), "# by hand\n");
      CHECK_FALSE(host.is_same());
      REQUIRE(host.apply(wanted) == 0);
      CHECK(host.is_same());
      fs::remove(host.at("sys/class/net/backup"));
      CHECK_FALSE(host.is_same());
      REQUIRE(host.apply(wanted) == 0);
      CHECK(host.is_same());
    }
  }
}

TEST_CASE("action daemon-reload: timers without a file are stopped before systemd reads anew, their links go") {
  const auto action = registry::test::built("timezone = \"Etc/UTC\"\n").get<host::Action>("action:daemon-reload").run;
  constexpr const char* kUnits = R"SH(
systemctl() {
  case $1 in
    list-units) for unit in kept gone; do echo "nimbus-timer-$unit.timer loaded active waiting Nimbus timer"; done ;;
    reset-failed) echo 'not loaded' >&2; return 1 ;; # it is forgotten once it is stopped
    *) echo "$*" >>$R/log; [ "$*" != "$REFUSED" ] ;;
  esac
}
)SH";
  for (const auto& shell : kShells) {
    CAPTURE(shell[0]);
    const FakeHost host(shell);
    const std::string wants = "etc/systemd/system/timers.target.wants/";
    host.write("etc/systemd/system/nimbus-timer-kept.timer", "[Timer]\n");
    host.write(wants + "other.timer", "");
    for (const std::string name : {"kept", "gone"}) {
      const auto unit = "nimbus-timer-" + name + ".timer";
      fs::create_symlink(host.at("etc/systemd/system/" + unit), host.at(wants + unit));
    }
    CHECK(host.run(action, "REFUSED='stop -- nimbus-timer-gone.timer'\n" + std::string(kUnits)) != 0);
    CHECK(host.log() == "stop -- nimbus-timer-gone.timer\n");
    CHECK(host.run(action, "REFUSED=\n" + std::string(kUnits)) == 0);
    CHECK(host.log() == "stop -- nimbus-timer-gone.timer\ndaemon-reload\n");
    CHECK(fs::is_symlink(host.at(wants + "nimbus-timer-kept.timer")));
    CHECK_FALSE(fs::is_symlink(host.at(wants + "nimbus-timer-gone.timer")));
    CHECK(fs::exists(host.at(wants + "other.timer")));
  }
}
