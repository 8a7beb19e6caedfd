// Rows of profiles that become files and actions: CA certificates, repositories with keys, sudo
// rules, names of hosts. From absent to present, changed behind our back, back, removed.
#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "reconcilers/configure/compare.hpp"
#include "registry/host/host_helper.hpp"
#include "root.hpp"

using namespace nimbus;
using namespace nimbus::host;
using namespace nimbus::test;
using reconcilers::configure::Outcome;

namespace {

// A repository of one package, to be signed; and a certificate.
constexpr const char* kWorld = R"SH(
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*
mkdir -p /srv/repo /tmp/deb/DEBIAN /tmp/deb/usr/share/t-one && cd /srv/repo
echo x >/tmp/deb/usr/share/t-one/file
printf 'Package: t-one\nVersion: 1.0\nArchitecture: all\nMaintainer: T <t@example.org>\nDescription: t\n' >/tmp/deb/DEBIAN/control
dpkg-deb -b /tmp/deb t-one_1.0.deb >/dev/null
{ dpkg-deb -f t-one_1.0.deb
  printf 'Filename: ./t-one_1.0.deb\nSize: %s\nSHA256: %s\n\n' $(stat -c %s t-one_1.0.deb) $(sha256sum <t-one_1.0.deb | cut -d' ' -f1)
} >Packages
printf 'Date: %s\nSHA256:\n %s %s Packages\n' "$(date -Ru)" $(sha256sum <Packages | cut -d' ' -f1) $(stat -c %s Packages) >Release
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj '/CN=Of the test' -keyout /tmp/ca.key -out /tmp/ca.pem 2>/dev/null
ip link set lo up
)SH";

/// Returns once it listens; its child serves the files of a folder.
constexpr const char* kServe = R"PY(
import functools, http.server, os, sys
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 8080), functools.partial(Quiet, directory=sys.argv[1]))
if child := os.fork():
    open(sys.argv[2], "w").write(str(child))
else:
    server.serve_forever()
)PY";

/// What a root's /srv holds, on port 8080 of the network that it shares with this process.
class Server {
 public:
  explicit Server(Root& root) {
    const auto command = std::string("python3 -c '") + kServe + "' " + root.outside("/srv") + " " +
                         root.outside("/tmp/server") + " >/dev/null 2>&1";
    REQUIRE(std::system(command.c_str()) == 0);  // NOLINT(concurrency-mt-unsafe)
    process_ = static_cast<pid_t>(std::stol(root.read("/tmp/server")));
  }
  ~Server() { ::kill(process_, SIGKILL); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 private:
  pid_t process_ = 0;
};

/// Signs the repository with a new key; its public half, armoured.
std::string sign(Root& root) {
  const std::string repository = root.outside("/srv/repo"), home = root.outside("/tmp/keys");
  const std::string script = "set -e; rm -rf '" + home + "' '" + repository + "/InRelease'; export GNUPGHOME='" + home +
                             "'; mkdir -m 700 '" + home +
                             "'; gpg -q --batch --passphrase '' --quick-gen-key test@example.org ed25519 sign never "
                             "2>/dev/null; gpg -q --batch --clearsign -o '" +
                             repository + "/InRelease' '" + repository + "/Release'; gpg --armor --export >'" + home +
                             "/public'; gpgconf --kill all";
  REQUIRE(std::system(script.c_str()) == 0);  // NOLINT(concurrency-mt-unsafe)
  return root.read("/tmp/keys/public");
}

constexpr const char* kProfile = R"(
packages = { present = ["t-one"] }
[[repository]]
name = "test"
url = "http://127.0.0.1:8080/repo"
suites = ["./"]
key = { source = "files/key.asc" }
[[ca_certificate]]
name = "test"
source = "files/ca.pem"
[[group]]
name = "ops"
[[sudoers]]
name = "ops"
rules = ["%ops ALL=(ALL:ALL) NOPASSWD: /usr/bin/id"]
[[user]]
name = "deploy"
groups = ["ops"]
sudo = "nopasswd"
[[host]]
address = "192.0.2.1"
names = ["db", "db.example"]
)";

/// A profile of these files; without what needs systemd to be told, which a root has not.
Configuration of_profile(const std::string& text, const std::map<std::string, std::string>& files = {}) {
  auto source = registry::test::with_profiles(text);
  for (const auto& [path, content] : files) source.files[path] = content;
  auto built = registry::test::build(source).host;
  REQUIRE_MESSAGE(built.problems.empty(), registry::test::describe(built.problems));
  std::erase_if(built.configuration.resources, [](const auto& each) {
    return std::holds_alternative<Unit>(each.wanted) || each.id == "action:daemon-reload" ||
           each.id == "action:network" || each.id == "action:firewall";
  });
  return std::move(built.configuration);
}

bool trusts_the_certificate(Root& root) {
  return root.run("openssl verify -CAfile /etc/ssl/certs/ca-certificates.crt /tmp/ca.pem >/dev/null 2>&1").exit_code ==
         0;
}

}  // namespace

TEST_CASE("host root: certificates, signed repositories, sudo rules and names, there, changed, back, removed" *
          doctest::test_suite("long")) {
  Root root;
  root.sh(kWorld);
  const Server server(root);
  const auto wanted = of_profile(kProfile, {{"files/key.asc", sign(root)}, {"files/ca.pem", root.read("/tmp/ca.pem")}});
  CHECK_FALSE(trusts_the_certificate(root));
  settles(root, wanted);
  CHECK(trusts_the_certificate(root));
  CHECK(root.sh("dpkg-query -W -f '${Version}' t-one") == "1.0");
  CHECK(root.sh("stat -c %a /etc/sudoers.d/nimbus-ops /etc/sudoers.d/nimbus-user-deploy") == "440\n440\n");
  CHECK(root.sh("su deploy -c 'sudo -n id -u'") == "0\n");
  CHECK(root.sh("getent hosts db.example").find("192.0.2.1") == 0);

  const std::vector<std::pair<std::string, std::string>> changes = {
      {"file:/usr/local/share/ca-certificates/nimbus-test.crt",
       "rm /usr/local/share/ca-certificates/nimbus-test.crt; update-ca-certificates --fresh >/dev/null 2>&1"},
      {"file:/etc/apt/sources.list.d/nimbus-test.sources",
       "sed -i s/8080/9999/ /etc/apt/sources.list.d/nimbus-test.sources"},
      {"file:/etc/apt/keyrings/nimbus-test.asc", "echo >>/etc/apt/keyrings/nimbus-test.asc"},
      {"package:t-one", "dpkg -r t-one >/dev/null"},
      {"file:/etc/sudoers.d/nimbus-ops", "echo 'deploy ALL=(ALL) ALL' >>/etc/sudoers.d/nimbus-ops"},
      {"file:/etc/sudoers.d/nimbus-user-deploy", "chmod 644 /etc/sudoers.d/nimbus-user-deploy"},
      {"user:deploy", "gpasswd -d deploy ops >/dev/null"},
      {"owned-files:/etc/sudoers.d/nimbus-", "echo 'mallory ALL=(ALL) ALL' >/etc/sudoers.d/nimbus-zzz"},
      {"block:/etc/hosts#hosts", "sed -i s/192.0.2.1/192.0.2.9/ /etc/hosts"},
  };
  for (const auto& [id, change] : changes) {
    CAPTURE(change);
    root.sh(change);
    const auto gaps = reconcilers::configure::compare(wanted, root.probe(wanted));
    REQUIRE(gaps.size() == 1);
    CHECK(gaps[0].resource == id);
    settles(root, wanted);
  }
  CHECK(trusts_the_certificate(root));
  CHECK(root.sh("dpkg-query -W -f '${Version}' t-one") == "1.0");

  settles(root, of_profile("packages = { absent = [\"t-one\"] }\n[[user]]\nname = \"deploy\"\nstate = \"absent\"\n"
                           "[[group]]\nname = \"ops\"\nstate = \"absent\"\n"));
  CHECK_FALSE(trusts_the_certificate(root));
  CHECK(root.sh("ls /etc/sudoers.d /etc/apt/sources.list.d /etc/apt/keyrings /usr/local/share/ca-certificates | grep "
                "nimbus || :")
            .empty());
  CHECK(root.sh("grep -c nimbus /etc/hosts || :") == "0\n");
  CHECK(root.sh("id deploy 2>/dev/null || :").empty());
}

TEST_CASE("host root: a package from a repository that another key signed is not installed") {
  Root root;
  root.sh(kWorld);
  const Server server(root);
  const auto declared = sign(root);
  (void)sign(root);  // by another one
  const std::string profile = std::string(kProfile).substr(0, std::string(kProfile).find("[[ca_certificate]]"));
  const auto refused = root.converge(of_profile(profile, {{"files/key.asc", declared}}));
  CHECK_FALSE(refused.converged());
  const auto* outcome = refused.outcome("package:t-one");
  CHECK_MESSAGE((outcome == nullptr || outcome->kind == Outcome::Kind::Failed), refused.text());
  CHECK(root.sh("dpkg-query -W -f '${Status}' t-one 2>/dev/null || :").empty());
  // With the key that did sign it, it is.
  settles(root, of_profile(profile, {{"files/key.asc", root.read("/tmp/keys/public")}}));
  CHECK(root.sh("dpkg-query -W -f '${Version}' t-one") == "1.0");
}

TEST_CASE("host root: a sudo rule that visudo refuses never goes live") {
  Root root;
  const auto pass = root.converge(of_profile("[[sudoers]]\nname = \"ops\"\nrules = [\"this is no rule\"]\n"));
  const auto* outcome = pass.outcome("file:/etc/sudoers.d/nimbus-ops");
  REQUIRE(outcome != nullptr);
  CHECK(outcome->kind == Outcome::Kind::Failed);
  CHECK_FALSE(root.exists("/etc/sudoers.d/nimbus-ops"));
  CHECK(root.sh("sudo -n id -u") == "0\n");
  CHECK(root.leftovers() == "");
}
