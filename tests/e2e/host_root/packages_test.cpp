// Packages by the real apt and dpkg, from a repository on the root itself.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "repository.hpp"
#include "root.hpp"
#include "support/host_sample.hpp"

using namespace nimbus;
using namespace nimbus::host;
using namespace nimbus::test;
using reconcilers::configure::Outcome;

namespace {

std::string versions(Root& root) {
  return root.sh(
      "dpkg-query -W -f='${Package} ${db:Status-Want} ${db:Status-Status} ${Version}\\n' 't-*' | grep -v not-installed "
      "|| :");
}

}  // namespace

TEST_CASE("host root: packages present, pinned, held, changed behind our back, absent") {
  Root root;
  root.sh(kRepository);  // whose lists were never fetched
  settles(root, configuration({resource(Package{"t-one", Presence::Present, "1.0", true}), resource(Package{"t-two"}),
                               resource(Package{"t-conf", Presence::Present, "1.0"})}));
  CHECK(versions(root) == "t-conf install installed 1.0\nt-one hold installed 1.0\nt-two install installed 1.0\n");

  root.sh("apt-mark unhold t-one && apt-get -y install t-one=1.1 && dpkg -r t-two");
  settles(root,
          configuration({resource(Package{"t-one", Presence::Present, "1.0", true}), resource(Package{"t-two"})}));
  CHECK(versions(root).find("t-one hold installed 1.0\nt-two install installed 1.0\n") != std::string::npos);

  // A held one is changed where the configuration says so; a file that was edited stays as it is.
  root.sh("echo edited >>/etc/t-conf");
  settles(root, configuration({resource(Package{"t-one", Presence::Present, "1.1"}),
                               resource(Package{"t-two", Presence::Absent}),
                               resource(Package{"t-conf", Presence::Present, "1.1"})}));
  CHECK(versions(root) == "t-conf install installed 1.1\nt-one install installed 1.1\n");
  CHECK(root.read("/etc/t-conf") == "default 1.0\nedited\n");
}

TEST_CASE("host root: one name that does not exist fails alone") {
  Root root;
  root.sh(kRepository);
  const auto wanted =
      configuration({resource(Package{"t-one"}), resource(Package{"t-none"}), resource(Package{"t-two"}),
                     resource(file("/etc/needs", "x\n"), {}, {"package:t-none"}), resource(file("/etc/free", "x\n"))});
  const auto pass = root.converge(wanted);
  REQUIRE(pass.gaps.size() == 2);
  CHECK(pass.gaps[0].resource == "file:/etc/needs");
  CHECK(pass.gaps[1].resource == "package:t-none");
  CHECK(pass.outcome("package:t-none")->kind == Outcome::Kind::Failed);
  CHECK(pass.outcome("package:t-none")->said.find("Unable to locate package") != std::string::npos);
  CHECK(pass.outcome("file:/etc/needs") == nullptr);
  CHECK(root.exists("/etc/free"));
  CHECK(versions(root) == "t-one install installed 1.1\nt-two install installed 1.0\n");
}

TEST_CASE("host root: killed in the middle of dpkg, the next pass finishes") {
  Root root;
  root.sh(kRepository);
  root.sh("apt-get update");
  const auto wanted = configuration({resource(Package{"t-killed"}), resource(Package{"t-one"})});
  const auto correction = root.first_correction(wanted);
  CHECK(root.run(correction.script).signal == 9);
  CHECK(root.exists("/once"));
  CHECK(versions(root).find("t-killed install half-configured") != std::string::npos);
  settles(root, wanted);
  CHECK(versions(root).find("t-killed install installed 1.0") != std::string::npos);
}

TEST_CASE("host root: while somebody else holds the lock of dpkg, the answer is busy and nothing changes") {
  Root root;
  root.sh(kRepository);
  root.sh("apt-get update");
  const auto wanted =
      configuration({resource(Package{"t-one"}), resource(Package{"t-two"}), resource(file("/etc/free", "x\n"))});
  auto correction = root.first_correction(wanted);
  // Shorter than the wait of a real one.
  const auto at = correction.script.find("Lock::Timeout=30");
  REQUIRE(at != std::string::npos);
  correction.script.replace(at, 16, "Lock::Timeout=1");
  const int lock = ::open(root.outside("/var/lib/dpkg/lock-frontend").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  REQUIRE(lock >= 0);
  struct flock whole = {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  REQUIRE(::fcntl(lock, F_SETLK, &whole) == 0);
  const auto result = root.run(correction.script);
  ::close(lock);
  const auto token = correction.script.substr(correction.script.find("TOKEN='") + 7);
  const auto outcomes =
      reconcilers::configure::read_outcomes(correction, result.output.text, token.substr(0, token.find('\'')));
  REQUIRE(outcomes.size() == 2);
  for (const auto& it : outcomes) {
    CHECK_MESSAGE(it.kind == Outcome::Kind::Busy, it.said);
    CHECK(it.exit_status == 75);
    CHECK_FALSE(it.changed);
  }
  CHECK(versions(root).empty());
  settles(root, wanted);
}
