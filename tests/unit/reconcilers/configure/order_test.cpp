#include "reconcilers/configure/order.hpp"

#include <doctest/doctest.h>

#include "support/host_sample.hpp"

using namespace nimbus;
using namespace nimbus::host;
using namespace nimbus::reconcilers::configure;
using namespace nimbus::test;

namespace {

bool before(const Configuration& wanted, const std::string& first, const std::string& second) {
  const auto order = order_of(wanted);
  REQUIRE(order);
  const auto at = [&](const std::string& id) {
    for (std::size_t position = 0; position < wanted.resources.size(); ++position) {
      if (wanted.resources[position].id == id) return order->level[position];
    }
    FAIL("no ", id);
    return std::size_t{0};
  };
  return at(first) < at(second);
}

File owned_by(std::string path, std::string owner, std::string group = "root") {
  auto out = file(std::move(path), "x\n");
  out.owner = std::move(owner);
  out.group = std::move(group);
  return out;
}

}  // namespace

TEST_CASE("order: kinds come by habit") {
  const auto wanted = one_of_each();
  CHECK(before(wanted, "package:nginx", "group:wheel"));
  CHECK(before(wanted, "group:wheel", "user:deploy"));
  CHECK(before(wanted, "user:deploy", "directory:/etc/app"));
  CHECK(before(wanted, "directory:/etc/app", "file:/etc/app/token"));
  CHECK(before(wanted, "file:/etc/app/token", "unit:nginx.service"));
  CHECK(before(wanted, "file:/etc/netplan/60-nimbus.yaml", "action:network"));
  CHECK(before(wanted, "unit:nginx.service", "action:network"));
  CHECK(before(wanted, "module:nf-tables", "sysctl:net.core.somaxconn"));
  CHECK(before(wanted, "user:mallory", "group:oldies"));
  CHECK(before(wanted, "user:deploy", "command:as-user"));
}

TEST_CASE("order: repositories, their keys, folders and actions come before packages") {
  const auto wanted = configuration({
      resource(file("/etc/apt/sources.list.d/x.sources", "x\n"), {"action:apt-update"}),
      resource(Directory{"/etc/apt/keyrings"}),
      resource(file("/etc/apt/keyrings/x.asc", "x\n"), {"action:apt-update"}),
      resource(Action{"apt-update", "apt-get update", "", 60}),
      resource(Package{"x"}),
      resource(file("/etc/x.conf", "x\n"), {"action:other"}),
      resource(Action{"other", "true", "", 60}),
  });
  CHECK(before(wanted, "directory:/etc/apt/keyrings", "file:/etc/apt/keyrings/x.asc"));
  CHECK(before(wanted, "file:/etc/apt/keyrings/x.asc", "action:apt-update"));
  CHECK(before(wanted, "file:/etc/apt/sources.list.d/x.sources", "action:apt-update"));
  CHECK(before(wanted, "action:apt-update", "package:x"));
  CHECK(before(wanted, "package:x", "action:other"));
}

TEST_CASE("order: what is needed earlier comes earlier, whatever its kind") {
  const auto wanted = configuration({
      resource(Package{"late"}, {}, {"command:prepare"}),
      resource(Command{"prepare", "true", "/x", "", "maker"}, {}, {"file:/etc/prepare.conf"}),
      resource(file("/etc/prepare.conf", "x\n")),
      resource(User{"maker"}),
      resource(Package{"early"}),
  });
  CHECK(before(wanted, "user:maker", "command:prepare"));
  CHECK(before(wanted, "file:/etc/prepare.conf", "command:prepare"));
  CHECK(before(wanted, "command:prepare", "package:late"));
}

TEST_CASE("order: owners, folders and mounts") {
  const auto wanted = configuration({
      resource(Mount{"/dev/vdb", "/srv", "ext4"}),
      resource(Directory{"/srv", Presence::Present, "app", "app", "0755"}),
      resource(Directory{"/srv/app/data"}),
      resource(owned_by("/srv/app/data/file", "app", "www")),
      resource(User{"app", Presence::Present, {}, {}, "", "/srv/app"}),
      resource(Group{"www"}),
      resource(Block{"/srv/app/data/file", "b", "x\n"}),
  });
  CHECK(before(wanted, "mount:/srv", "user:app"));
  CHECK(before(wanted, "user:app", "directory:/srv"));
  CHECK(before(wanted, "directory:/srv", "directory:/srv/app/data"));
  CHECK(before(wanted, "directory:/srv/app/data", "file:/srv/app/data/file"));
  CHECK(before(wanted, "group:www", "file:/srv/app/data/file"));
  CHECK(before(wanted, "file:/srv/app/data/file", "block:/srv/app/data/file#b"));
}

TEST_CASE("order: a folder goes after what is in it") {
  const auto wanted = configuration({resource(no_file("/a/b/c")), resource(Directory{"/a/b", Presence::Absent}),
                                     resource(Directory{"/a", Presence::Absent})});
  CHECK(before(wanted, "file:/a/b/c", "directory:/a/b"));
  CHECK(before(wanted, "directory:/a/b", "directory:/a"));
}

TEST_CASE("order: unknown names are passed over, a cycle is named") {
  CHECK(order_of(configuration({resource(Package{"a"}, {"unit:none"}, {"package:none"})})));
  const auto wanted = configuration({
      resource(Package{"a"}, {}, {"command:c"}),
      resource(Command{"c", "true", "/x", "", "root"}, {}, {"file:/f"}),
      resource(file("/f", "x\n"), {}, {"package:a"}),
      resource(Package{"after-the-cycle"}, {}, {"package:a"}),
  });
  const auto order = order_of(wanted);
  REQUIRE_FALSE(order);
  CHECK(order.error().code == Code::Invalid);
  for (const char* id : {"package:a", "command:c", "file:/f"})
    CHECK(order.error().message.find(id) != std::string::npos);
  CHECK(order.error().message.find("after-the-cycle") == std::string::npos);
}
