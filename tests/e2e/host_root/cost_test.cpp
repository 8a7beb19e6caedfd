// What a converged host costs: processes, counted by wrappers around every tool; and a
// profile of a thousand lines.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>

#include "registry/host/host_helper.hpp"
#include "root.hpp"
#include "support/host_sample.hpp"

using namespace nimbus;
using namespace nimbus::host;
using namespace nimbus::test;

namespace {

Configuration of_files(std::size_t count) {
  std::vector<Resource> resources;
  resources.push_back(resource(Directory{"/etc/many"}));
  resources.push_back(resource(Group{"many"}));
  resources.push_back(resource(Sysctl{"net.core.somaxconn", "1234"}));
  for (std::size_t at = 0; at < count; ++at) {
    resources.push_back(resource(file("/etc/many/file with a name " + std::to_string(at), "line\n")));
  }
  return configuration(std::move(resources));
}

/// A profile as people write it, of a thousand lines: what is on them, and how much room they take, as in a real one.
std::string thousand_lines() {
  std::string out;
  std::ptrdiff_t lines = 0;
  for (int at = 0; lines < 1000; ++at) {
    const auto n = std::to_string(at);
    out += "[[directory]]\npath = \"/srv/app" + n + "\"\nmode = \"0750\"\n\n[[file]]\npath = \"/srv/app" + n +
           "/app.conf\"\nmode = \"0640\"\ntemplate = true\ncontent = \"\"\"\n# Of application " + n +
           ".\nlisten = 80\nname = {{instance.name}}\n\"\"\"\n\n[[link]]\npath = \"/srv/app" + n +
           "/current\"\ntarget = \"app.conf\"\n\n[[group]]\nname = \"app" + n + "\"\n\n[[host]]\naddress = \"192.0.2." +
           std::to_string(at % 250 + 1) + "\"\nnames = [\"app" + n + ".example\"]\n\n[[command]]\nname = \"app" + n +
           "\"\nrun = \"touch /srv/app" + n + "/done\"\ncreates = \"/srv/app" + n +
           "/done\"\nafter = [\"directory:/srv/app" + n + "\"]\n\n";
    lines = std::count(out.begin(), out.end(), '\n');
  }
  return out;
}

}  // namespace

TEST_CASE("host root: a profile of a thousand lines" * doctest::test_suite("long")) {
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](Clock::time_point since) {
    return std::chrono::duration<double>(Clock::now() - since).count();
  };
  const auto text = thousand_lines();
  const auto start = Clock::now();
  auto wanted = registry::test::built(text).host.configuration;
  const double built = seconds(start);
  // The root has no systemd and no network; the profile names neither.
  std::erase_if(wanted.resources, [](const auto& each) { return std::holds_alternative<Action>(each.wanted); });
  for (auto& each : wanted.resources) each.notifies.clear();
  Root root;
  const auto first = Clock::now();
  const auto pass = root.converge(wanted);
  const double corrected = seconds(first);
  CHECK_MESSAGE(pass.converged(), pass.text());
  const auto second = Clock::now();
  const auto again = root.converge(wanted);
  const double looked = seconds(second);
  CHECK(again.converged());
  CHECK(again.probes == 1);
  CHECK(again.corrections == 0);
  CHECK(root.read("/srv/app3/app.conf") == "# Of application 3.\nlisten = 80\nname = web-1\n");
  CHECK(std::count(text.begin(), text.end(), '\n') >= 1000);
  MESSAGE(wanted.resources.size(), " resources; built in ", built, " s, brought about in ", corrected, " s by ",
          pass.corrections, " scripts, found as declared in ", looked, " s");
}

TEST_CASE("host root: a converged host costs one probe of a handful of processes, with 10 files and with 1,000") {
  Root root;
  const auto few = of_files(10), many = of_files(1000);
  const auto pass = root.converge(many);
  CHECK_MESSAGE(pass.converged(), pass.text());
  CHECK(pass.corrections <= 5);  // a level each
  root.sh(R"SH(mkdir /count; cd /usr/bin; for tool in *; do case $tool in sh|dash) continue ;; esac
    printf '#!/bin/sh\necho %s >>/counted\nexec /usr/bin/%s "$@"\n' "$tool" "$tool" >/count/$tool; done; chmod 755 /count/*)SH");
  root.shell = {"/bin/sh"};
  root.search_path = "/count";
  const auto count = [&](const Configuration& wanted) {
    root.write("/counted", "");
    const auto again = root.converge(wanted);
    CHECK(again.converged());
    CHECK(again.probes == 1);
    CHECK(again.corrections == 0);
    const auto text = root.read("/counted");
    return std::count(text.begin(), text.end(), '\n');
  };
  const auto ten = count(few), thousand = count(many);
  CHECK_MESSAGE(ten == thousand, root.read("/counted"));
  CHECK_MESSAGE(ten <= 10, root.read("/counted"));
  CHECK(ten >= 5);
}
