// Rows of profiles as primitive resources: one table each.
#include "base/crypto/crypto.hpp"
#include "host_helper.hpp"

using namespace nimbus;
using namespace nimbus::registry;
using namespace nimbus::registry::test;

using host::Presence;

TEST_CASE("expand: files carry their digest, secrets never their content") {
  const auto host = built(R"(
[[file]]
path = "/etc/x"
content = "<<EOF\n'$(id)' \"`id`\" \\\nEOF\n"
validate = "check {file}"
[[secret_file]]
path = "/etc/token"
secret = "tenant/{{tenant.name}}/app-token"
owner = "app"
mode = "0440"
)");
  const auto& file = host.get<host::File>("file:/etc/x");
  CHECK(file.content == "<<EOF\n'$(id)' \"`id`\" \\\nEOF\n");
  CHECK(file.sha256 == base::sha256_hex(file.content));
  CHECK(file.validate == "check {file}");
  CHECK(host.find("file:/etc/x")->origin == "profiles/one.toml");
  const auto& token = host.get<host::File>("file:/etc/token");
  CHECK(token.is_secret);
  CHECK(token.content.empty());
  CHECK(token.secret.reveal() == "s3cret");
  CHECK(token.sha256 == base::sha256_hex("s3cret"));
  CHECK(token.owner == "app");
  CHECK(token.mode == "0440");
}

TEST_CASE("expand: a plan has no secrets, and a controller that lacks one must not go on") {
  const std::string known = "[[secret_file]]\npath = \"/t\"\nsecret = \"tenant/{{tenant.name}}/app-token\"\n";
  const auto plan = built(known, {}, {.secrets = false});
  CHECK(plan.get<host::File>("file:/t").sha256.empty());
  const auto lacking = build(with_profiles("[[secret_file]]\npath = \"/t\"\nsecret = \"tenant/{{tenant.name}}/x\"\n"));
  REQUIRE(lacking.host.problems.size() == 1);
  CHECK(lacking.host.problems[0].message.find("no such secret") != std::string::npos);
  CHECK(lacking.find("file:/t") == nullptr);
}

TEST_CASE("expand: bytes of a file are installed as they are") {
  auto source = with_profiles("[[file]]\npath = \"/etc/x\"\nsource = \"files/x\"\n");
  source.files["files/x"] = std::string("\0\xFF{{tenant.name}}\r\n", 19);
  CHECK(build(source).text("/etc/x") == source.files["files/x"]);
}

TEST_CASE("expand: sources and secrets of others, and what lies outside of files/, never reach a host") {
  const auto refused = [](MemorySource source) {
    return has_errors(loaded(source).problems) || has_errors(build(source).host.problems);
  };
  const auto with_file = [](const std::string& name) {
    auto source = with_profiles("[[file]]\npath = \"/etc/x\"\nsource = \"" + name + "\"\n");
    source.files["files/x"] = "ours\n";
    source.files["tenants/other/files/y"] = "theirs\n";
    return source;
  };
  CHECK_FALSE(refused(with_file("files/x")));
  for (const char* name : {"files/y", "tenants/other/files/y", "files/../tenants/other/files/y", "policy/roles.toml",
                           "files/../policy/roles.toml", "/etc/shadow", "files/", "files/.", "files//x",
                           "files/x\\u0000", "files/{{tenant.name}}"}) {
    CHECK_MESSAGE(refused(with_file(name)), name);
  }
  auto linked = with_file("files/x");
  linked.kinds["files/x"] = TreeEntry::Kind::Link;
  CHECK(refused(linked));

  const auto with_secret = [](const std::string& name, const std::string& label) {
    auto source = with_profiles("[[secret_file]]\npath = \"/etc/x\"\nsecret = \"" + name + "\"\n");
    source.files["providers/berlin-1/machines/b2/m017.toml"] += "[labels]\nwhose = \"" + label + "\"\n";
    return source;
  };
  CHECK_FALSE(refused(with_secret("tenant/{{tenant.name}}/app-token", "x")));
  for (const auto& [name, label] : std::vector<std::pair<std::string, std::string>>{
           {"tenant/other/app-token", "x"},
           {"tenant/{{machine.labels.whose}}/app-token", "other"},
           {"{{machine.labels.whose}}", "bmc/berlin-1"},
           {"tenant/{{tenant.name}}/../other/app-token", "x"},
           {"tenant/{{tenant.name}}{{machine.labels.whose}}", "/../other/app-token"},
           {"bmc/berlin-1", "x"}}) {
    CHECK_MESSAGE(refused(with_secret(name, label)), name << " " << label);
  }
}

TEST_CASE("expand: a profile of a thousand lines is a configuration of as many resources, sorted by id") {
  std::string profile;
  for (int i = 0; i < 334; ++i)
    profile += "[[directory]]\npath = \"/srv/" + std::to_string(i) + "\"\nmode = \"0700\"\n";
  const auto host = built(profile);
  const auto& list = host.host.configuration.resources;
  CHECK(std::ranges::count_if(list, [](const auto& each) { return each.id.starts_with("directory:/srv/"); }) == 334);
  CHECK(std::ranges::is_sorted(list, {}, &host::Resource::id));
  for (const auto& each : list) CHECK(each.id == host::id_of(each.wanted));
}

TEST_CASE("expand: packages, versions, holds") {
  const auto host =
      built("packages = { present = [\"nginx=1.22.1-9\"], absent = [\"telnet\"], hold = [\"nginx\", \"linux\"] }");
  CHECK(host.get<host::Package>("package:nginx") == host::Package{"nginx", Presence::Present, "1.22.1-9", true});
  CHECK(host.get<host::Package>("package:linux") == host::Package{"linux", Presence::Present, "", true});
  CHECK(host.get<host::Package>("package:telnet").presence == Presence::Absent);
}

TEST_CASE("expand: a repository is a source with its key, updated before packages") {
  auto source = with_profiles(R"(
packages = { present = ["nginx"] }
[[repository]]
name = "example"
url = "https://packages.example/debian"
suites = ["bookworm"]
components = ["main", "extra"]
key = { content = "-----BEGIN PGP PUBLIC KEY BLOCK-----\nx\n" }
[[repository]]
name = "flat"
url = "https://flat.example"
suites = ["./"]
key = { source = "files/flat.gpg" }
)");
  source.files["files/flat.gpg"] = "\x99\x01";
  const auto host = build(source);
  CHECK_MESSAGE(host.host.problems.empty(), describe(host.host.problems));
  const std::string path = "/etc/apt/sources.list.d/nimbus-example.sources";
  CHECK(host.text(path) ==
        "# Written by Nimbus.\nTypes: deb\nURIs: https://packages.example/debian\nSuites: bookworm\n"
        "Components: main extra\nSigned-By: /etc/apt/keyrings/nimbus-example.asc\n");
  CHECK(host.notifies("file:" + path, "action:apt-update"));
  CHECK(host.find("package:nginx")->after == std::vector<std::string>{"action:apt-update"});
  CHECK(host.text("/etc/apt/keyrings/nimbus-flat.gpg") == "\x99\x01");
  const auto& owned = host.get<host::OwnedFiles>("owned-files:/etc/apt/sources.list.d/nimbus-");
  CHECK(owned.keep == std::vector<std::string>{path, "/etc/apt/sources.list.d/nimbus-flat.sources"});
}

TEST_CASE("expand: what nobody declares any more goes from the folders of ours") {
  const auto host = built("timezone = \"Etc/UTC\"\n");
  int owned = 0;
  for (const auto& each : host.host.configuration.resources) {
    const auto* files = std::get_if<host::OwnedFiles>(&each.wanted);
    if (files == nullptr) continue;
    ++owned;
    CHECK(files->keep.empty());
    for (const auto& told : each.notifies) CHECK_MESSAGE(host.find(told) != nullptr, told);
  }
  CHECK(owned == 13);
  CHECK(host.get<host::Block>("block:/etc/hosts#hosts").lines.empty());
}

TEST_CASE("expand: the rule by which a person let Nimbus become root is not removed as a left-over") {
  const std::string rule = "/etc/sudoers.d/nimbus-access";
  const auto keep = [](const Setup& setup) {
    return built("", {}, setup).get<host::OwnedFiles>("owned-files:/etc/sudoers.d/nimbus-").keep;
  };
  ControllerAccess access{.user = "nimbus", .ssh_keys = {"ssh-ed25519 AAAA"}};
  CHECK(keep({.access = access}) == std::vector<std::string>{rule});
  access.own_account = true;
  CHECK(keep({.access = access}) == std::vector<std::string>{rule});
  access.wanted = false;
  CHECK(keep({.access = access}).empty());
  // Nor is it replaced by a profile's.
  CHECK(has_errors(
      build(with_profiles("[[sudoers]]\nname = \"access\"\nrules = [\"x ALL=(ALL) ALL\"]\n")).host.problems));
}

TEST_CASE("expand: users, keys of persons, sudo") {
  const auto host = built(R"(
[[group]]
name = "app"
gid = 2000
[[user]]
name = "deploy"
uid = 2000
groups = ["app"]
shell = "/bin/bash"
ssh_keys = ["person:alice"]
keys = "exclusive"
sudo = "nopasswd"
[[user]]
name = "old"
state = "absent"
sudo = "password"
[[sudoers]]
name = "app"
rules = ["%app ALL=(root) /bin/true"]
)");
  CHECK(host.get<host::Group>("group:app").gid == 2000);
  const auto& user = host.get<host::User>("user:deploy");
  CHECK(user.uid == 2000);
  CHECK(user.ssh_keys.size() == 1);
  CHECK(user.ssh_keys[0].starts_with("ssh-ed25519 AAAA"));
  CHECK(user.exclusive_keys);
  CHECK(user.manages_keys);
  CHECK(host.get<host::User>("user:old").presence == Presence::Absent);
  CHECK(host.find("file:/etc/sudoers.d/nimbus-user-old") == nullptr);
  const auto& sudo = host.get<host::File>("file:/etc/sudoers.d/nimbus-user-deploy");
  CHECK(sudo.content == "# Written by Nimbus.\ndeploy ALL=(ALL:ALL) NOPASSWD: ALL\n");
  CHECK(sudo.mode == "0440");
  CHECK(sudo.validate == "visudo -cf {file}");
  CHECK(host.text("/etc/sudoers.d/nimbus-app").ends_with("%app ALL=(root) /bin/true\n"));
}

TEST_CASE("expand: access of the instance, and of Nimbus itself") {
  const auto plain = built("timezone = \"Etc/UTC\"\n");
  const auto& debian = plain.get<host::User>("user:debian");  // the image's account
  CHECK(debian.ssh_keys.size() == 1);
  CHECK(debian.exclusive_keys);
  CHECK(plain.find("user:debian")->origin == "tenants/acme/instances/web-1.toml");

  const std::string key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEtt nimbus";
  const auto with = [&](const ControllerAccess& access) {
    return built("timezone = \"Etc/UTC\"\n", {}, {.access = access});
  };
  // The account of the image: its keys and ours, sudo is left to the image.
  const auto shared = with({.user = "debian", .ssh_keys = {key}});
  CHECK(shared.get<host::User>("user:debian").ssh_keys.size() == 2);
  CHECK(shared.find("file:/etc/sudoers.d/nimbus-access") == nullptr);
  // People made it where they let us in by hand, as documentation says; without it we are no root any more.
  CHECK(shared.get<host::OwnedFiles>("owned-files:/etc/sudoers.d/nimbus-").keep ==
        std::vector<std::string>{"/etc/sudoers.d/nimbus-access"});
  // An account of our own.
  const auto own = with({.user = "nimbus", .ssh_keys = {key}, .own_account = true});
  CHECK(own.get<host::User>("user:nimbus").ssh_keys == std::vector<std::string>{key});
  CHECK(own.get<host::User>("user:nimbus").exclusive_keys);
  CHECK(own.text("/etc/sudoers.d/nimbus-access").find("nimbus ALL=(ALL:ALL) NOPASSWD: ALL") != std::string::npos);
  // Not wanted any more.
  const auto gone = with({.user = "nimbus", .ssh_keys = {key}, .own_account = true, .wanted = false});
  CHECK(gone.get<host::User>("user:nimbus").presence == Presence::Absent);
  CHECK(gone.find("file:/etc/sudoers.d/nimbus-access") == nullptr);

  auto source = with_profiles("[[user]]\nname = \"debian\"\nstate = \"absent\"\n");
  CHECK(build(source).host.problems.size() == 1);
  source.edit("tenants/acme/instances/web-1.toml", "ssh_keys", "manage = \"at-install\"\nssh_keys");
  CHECK(build(source).host.problems.empty());
  CHECK(build(source, {.access = ControllerAccess{.user = "debian", .ssh_keys = {key}}}).host.problems.size() == 1);
}

TEST_CASE("expand: services hear of the files that they name") {
  const std::string files =
      "[[file]]\npath = \"/etc/a\"\ncontent = \"\"\n[[file]]\npath = \"/etc/b\"\ncontent = \"\"\n"
      "[[service]]\nname = \"nginx\"\nenabled = true\nrunning = true\n";
  const auto restart = built(files + "restart_on = [\"/etc/a\"]\n");
  CHECK(restart.notifies("file:/etc/a", "unit:nginx.service"));
  CHECK(restart.get<host::Unit>("unit:nginx.service").on_change == host::Unit::OnChange::Restart);
  const auto reload = built(files + "reload_on = [\"/etc/b\"]\n");
  CHECK(reload.notifies("file:/etc/b", "unit:nginx.service"));
  CHECK(reload.get<host::Unit>("unit:nginx.service").on_change == host::Unit::OnChange::Reload);
  const auto both = built(files + "restart_on = [\"/etc/a\"]\nreload_on = [\"/etc/b\"]\n");
  CHECK(both.notifies("file:/etc/a", "unit:nginx.service"));
  CHECK(both.notifies("file:/etc/b", "action:reload-nginx.service"));
  CHECK_FALSE(both.notifies("file:/etc/b", "unit:nginx.service"));
  CHECK(both.get<host::Unit>("unit:nginx.service").reload == "action:reload-nginx.service");
  // What does not run is not started by it.
  CHECK(both.get<host::Action>("action:reload-nginx.service").run ==
        "systemctl try-reload-or-restart -- nginx.service");
}

TEST_CASE("expand: a unit whose file is a profile's starts after systemd has read it") {
  const auto host = built(R"(
[[file]]
path = "/etc/systemd/system/app.service"
content = "[Service]\nExecStart=/bin/true\n"
[[file]]
path = "/etc/systemd/system/nginx.service.d/limits.conf"
content = "[Service]\nLimitNOFILE=65536\n"
[[service]]
name = "app"
running = true
[[service]]
name = "nginx"
[[service]]
name = "cron"
)");
  CHECK(host.notifies("file:/etc/systemd/system/app.service", "action:daemon-reload"));
  const std::vector<std::string> after{"action:daemon-reload"};
  CHECK(host.find("unit:app.service")->after == after);
  CHECK(host.find("unit:nginx.service")->after == after);
  CHECK(host.find("unit:cron.service")->after.empty());
}

TEST_CASE("expand: a timer is two units and a script") {
  const auto host = built(
      "[[timer]]\nname = \"backup\"\ncalendar = \"*-*-* 03:00:00\"\ncommand = \"echo \\\"100%\\\" '$HOME'\"\nuser = "
      "\"app\"\n");
  CHECK(host.text("/etc/nimbus-host/timers/backup") == "#!/bin/sh\n# Written by Nimbus.\necho \"100%\" '$HOME'\n");
  CHECK(host.text("/etc/systemd/system/nimbus-timer-backup.service").find("User=app\n") != std::string::npos);
  CHECK(host.text("/etc/systemd/system/nimbus-timer-backup.timer").find("OnCalendar=*-*-* 03:00:00\n") !=
        std::string::npos);
  const auto& unit = host.get<host::Unit>("unit:nimbus-timer-backup.timer");
  CHECK(unit.enabled == true);
  CHECK(unit.running == true);
  CHECK(host.notifies("file:/etc/systemd/system/nimbus-timer-backup.timer", "unit:nimbus-timer-backup.timer"));
  CHECK(host.find("unit:nimbus-timer-backup.timer")->after == std::vector<std::string>{"action:daemon-reload"});
}

TEST_CASE("expand: kernel, disks, names, time") {
  const auto host = built(R"(
hostname = "{{instance.hostname}}"
locale = "C.UTF-8"
modules = ["br_netfilter"]
time = { servers = ["ntp.example", "192.0.2.1"] }
[sysctl]
"net.bridge.bridge-nf-call-iptables" = 1
[[mount]]
source = "tmpfs"
path = "/srv/t"
fs = "tmpfs"
options = "size=1m"
[[swap]]
path = "/swapfile"
size_mib = 64
[[host]]
address = "192.0.2.7"
names = ["db", "db.internal"]
[[ca_certificate]]
name = "acme"
content = "-----BEGIN CERTIFICATE-----\n"
)");
  CHECK(host.get<host::Setting>("hostname").value == "web-1");
  CHECK(host.get<host::Setting>("locale").value == "C.UTF-8");
  CHECK(host.text("/etc/modules-load.d/90-nimbus.conf") == "# Written by Nimbus.\nbr_netfilter\n");
  CHECK(host.text("/etc/sysctl.d/90-nimbus.conf").ends_with("net.bridge.bridge-nf-call-iptables = 1\n"));
  CHECK(host.find("sysctl:net.bridge.bridge-nf-call-iptables")->after ==
        std::vector<std::string>{"module:br_netfilter"});
  CHECK(host.text("/etc/systemd/timesyncd.conf.d/90-nimbus.conf").ends_with("[Time]\nNTP=ntp.example 192.0.2.1\n"));
  CHECK(host.notifies("file:/etc/systemd/timesyncd.conf.d/90-nimbus.conf", "unit:systemd-timesyncd.service"));
  CHECK(host.get<host::Mount>("mount:/srv/t").options == "size=1m");
  CHECK(host.get<host::Swap>("swap:/swapfile").size_mib == 64);
  CHECK(host.get<host::Block>("block:/etc/hosts#hosts").lines == "192.0.2.7 db db.internal\n");
  CHECK(host.find("hostname")->after == std::vector<std::string>{"block:/etc/hosts#hosts"});
  CHECK(host.notifies("file:/usr/local/share/ca-certificates/nimbus-acme.crt", "action:update-ca-certificates"));
}

TEST_CASE("expand: commands come after what they name, in the words of profiles") {
  const std::string command = "[[command]]\nname = \"x\"\nrun = \"true\"\ncreates = \"/x\"\nafter = ";
  const auto host = built("[[service]]\nname = \"nginx\"\n" + command + "[\"service:nginx\"]\n");
  CHECK(host.find("command:x")->after == std::vector<std::string>{"unit:nginx.service"});
  CHECK(build(with_profiles(command + "[\"service:ngin\"]\n")).host.problems.size() == 1);
}

TEST_CASE("expand: two rows that mean one thing are a problem") {
  const auto host =
      build(with_profiles("[[sudoers]]\nname = \"app\"\nrules = [\"x\"]\n[[file]]\npath = "
                          "\"/etc/sudoers.d/nimbus-app\"\ncontent = \"\"\n"));
  REQUIRE(host.host.problems.size() == 1);
  CHECK(host.host.problems[0].code == ProblemCode::Conflict);
}
