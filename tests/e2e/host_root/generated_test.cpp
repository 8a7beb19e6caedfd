// Generated configurations, one after the other, on a real host that somebody meddles with in between:
// acting and observing ends as declared, and then one probe finds nothing to do. Each seed has a
// root of its own and so is repeated by its number: NIMBUS_SEED=7; NIMBUS_SEEDS=40 are so many from there.
#include <doctest/doctest.h>

#include <cstdlib>
#include <random>

#include "reconcilers/configure/compare.hpp"
#include "repository.hpp"
#include "root.hpp"
#include "support/host_sample.hpp"

using namespace nimbus;
using namespace nimbus::host;
using namespace nimbus::test;

namespace {

constexpr unsigned kConfigurations = 3;  // of a seed

unsigned number_of(const char* variable, unsigned otherwise) {
  const char* text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe)
  return text == nullptr ? otherwise : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

class Generator {
 public:
  explicit Generator(unsigned seed) : engine_(seed) {}

  Configuration configuration() {
    out_.clear();
    accounts_.assign({"root", "daemon"});
    for (const char* name : {"a", "b", "c", "d"}) account(name);
    for (const char* name : {"a", "b", "c", "d"}) {
      tree(std::string("/srv/") + name);
      if (one_in(3)) add(Mount{"tmpfs", std::string("/mnt/") + name, "tmpfs", any({"size=1m", "size=2m"}), presence()});
      if (one_in(3)) add(Command{name, "touch /srv/done-" + std::string(name), "/srv/done-" + std::string(name), ""});
    }
    add(Setting{SettingKind::Hostname, any({"web-1", "web-2"})});
    add(Setting{SettingKind::TimeZone, any({"Etc/UTC", "Europe/Berlin"})});
    add(Setting{SettingKind::Locale, any({"C.UTF-8", "C"})});
    add(Sysctl{"net.core.somaxconn", any({"1111", "2222"})});
    packages();
    return test::configuration(std::move(out_));
  }

  /// By somebody else, and whatever of it there is something to do for.
  std::string meddling() {
    return any({"true",
                "chmod -R 777 /srv",
                "chown -R daemon:daemon /srv",
                "chmod -R g+s,u+s /srv",
                "echo x | tee /srv/*/file >/dev/null",
                "rm -rf /srv/a /srv/b",
                "touch /srv/a/n-1 /srv/c/n-2",
                "rm -f /srv/b/file && mkfifo /srv/b/file",
                "ln -sfn /etc /srv/c/link",
                "rm -f /srv/*/block",
                "sed -i 's/one/two/' /srv/*/block",
                "echo other >/etc/hostname; hostname other",
                "rm /etc/localtime",
                "echo LANG=xx >/etc/default/locale",
                "echo 7 >/proc/sys/net/core/somaxconn",
                "umount /mnt/*",
                "sed -i /tmpfs/d /etc/fstab",
                "userdel ub",
                "groupdel gc",
                "gpasswd -d ua games",
                "rm -r /home/ua/.ssh",
                "echo 'ssh-ed25519 AAAAforeign' >>/home/ub/.ssh/authorized_keys",
                "dpkg -r t-one",
                "apt-get -y install t-one=1.1",
                "apt-mark hold t-two",
                "rm -f /srv/done-*"}) +
           "\n";
  }

 private:
  bool one_in(std::size_t n) { return std::uniform_int_distribution<std::size_t>(1, n)(engine_) == 1; }
  std::string any(const std::vector<std::string>& of) {
    return of[std::uniform_int_distribution<std::size_t>(0, of.size() - 1)(engine_)];
  }
  Presence presence() { return one_in(3) ? Presence::Absent : Presence::Present; }
  void add(Wanted wanted) { out_.push_back(resource(std::move(wanted))); }

  void account(const std::string& name) {
    if (one_in(2)) add(Group{"g" + name, presence(), {}});
    if (one_in(2)) return;
    User user{"u" + name, presence()};
    if (user.presence == Presence::Present) {
      user.shell = any({"", "/bin/sh", "/bin/bash"});
      user.exclusive_keys = one_in(2);
      user.manages_keys = one_in(2);
      if (one_in(2)) user.groups = {"games"};
      if (user.manages_keys && one_in(2)) user.ssh_keys = {one_in(2) ? kKeyA : kKeyB};
      accounts_.push_back(user.name);
    }
    add(std::move(user));
  }

  void tree(const std::string& at) {
    add(Directory{at, Presence::Present, any(accounts_), "root", any({"0755", "0700", "2775", "1777"})});
    if (one_in(2)) add(a_file(at + "/file"));
    if (one_in(2)) add(a_file(at + "/it's $(odd) \"name\""));
    if (one_in(2)) add(secret_file(at + "/secret", any({"s", "two\nlines", "'"})));
    if (one_in(2)) add(Link{at + "/link", presence(), any({"file", "/nowhere", "a b", "-n"})});
    if (one_in(2)) add(Directory{at + "/inner", presence(), "root", "root", any({"0755", "0711", "6755"})});
    if (one_in(2)) {
      OwnedFiles owned{at, "n-", {}};
      if (one_in(2)) owned.keep = {at + "/n-1"};
      for (const auto& path : owned.keep) add(a_file(path));
      add(std::move(owned));
    }
    if (one_in(2)) add(Block{at + "/block", "b", any({"", "one\n", "one\ntwo\n"})});
  }

  File a_file(const std::string& path) {
    if (one_in(4)) return no_file(path);
    auto out = file(path, any({"", "x\n", "no end", "'$HOME'\n"}));
    out.mode = any({"0644", "0600", "4755", "2755"});
    out.owner = any(accounts_);
    if (one_in(3)) out.group = "daemon";
    if (one_in(4)) out.validate = any({"test -e {file}", "true"});
    return out;
  }

  void packages() {
    if (one_in(2)) {
      const bool present = !one_in(3);
      add(Package{"t-one", present ? Presence::Present : Presence::Absent, present ? any({"", "1.0", "1.1"}) : "",
                  present && one_in(2)});
    }
    if (one_in(3)) add(Package{"t-two", presence()});
    if (one_in(3)) add(Package{"t-conf", Presence::Present, any({"1.0", "1.1"})});
  }

  std::mt19937 engine_;
  std::vector<Resource> out_;
  std::vector<std::string> accounts_;  // that there are then
};

std::size_t runs_as_declared(unsigned seed) {
  Root root;
  root.sh(kRepository);
  Generator generator(seed);
  std::size_t gaps = 0;
  for (unsigned at = 0; at < kConfigurations; ++at) {
    CAPTURE(at);
    const auto wanted = generator.configuration();
    std::string meddling;
    for (int change = 0; change < 3; ++change) meddling += generator.meddling();
    CAPTURE(meddling);
    root.run(meddling);
    gaps += reconcilers::configure::compare(wanted, root.probe(wanted)).size();
    settles(root, wanted);
  }
  return gaps;
}

}  // namespace

TEST_CASE("host root: generated configurations one after the other end as declared, and then nothing is done") {
  const unsigned first = number_of("NIMBUS_SEED", 1), count = number_of("NIMBUS_SEEDS", 1);
  for (unsigned seed = first; seed < first + count; ++seed) {
    CAPTURE(seed);
    const auto gaps = runs_as_declared(seed);
    CHECK(gaps > 30);
    MESSAGE("NIMBUS_SEED=", seed, ": ", gaps, " gaps");
  }
}
