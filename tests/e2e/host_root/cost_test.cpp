// What a converged host costs: processes, counted by wrappers around every tool; and a
// profile of a thousand lines.
#include <doctest/doctest.h>

#include <algorithm>

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

}  // namespace

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
