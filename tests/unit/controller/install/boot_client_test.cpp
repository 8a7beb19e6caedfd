#include "controller/install/boot_client.hpp"

#include <doctest/doctest.h>

#include <stdlib.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/http/server.hpp"
#include "base/time/time.hpp"

using namespace nimbus;
using namespace nimbus::controller;

namespace {

boot::Orders orders_of(const std::vector<std::string>& names) {
  boot::Orders orders{.dhcp = DhcpService::Server, .cidr = "10.0.0.0/24", .gateway = {}, .dns = {}, .machines = {}};
  for (const auto& name : names) {
    orders.machines.push_back({.mac = "52:54:00:00:00:0" + name, .name = "m" + name, .address = "10.0.0.1", .run = {}});
  }
  return orders;
}

/// Keeps what it is told, as nimbus-boot does, and notes how it was told.
struct BootServer {
  BootServer() {
    char name[] = "/tmp/nimbus-orders-XXXXXX";
    folder = ::mkdtemp(name);
    const auto told = [this](const base::HttpRequest& request) {
      auto update = boot::parse_orders_update(request.body);
      REQUIRE(update);
      requests.push_back(request.method + " " + std::to_string(update->orders.machines.size()) + "+" +
                         std::to_string(update->removed.size()));
      if (refuses) return base::HttpResponse{.status = 500, .body = "no\n"};
      if (request.method == "POST" && boot::OrderMark{update->mark.epoch, update->mark.number - 1} != mark) {
        return base::HttpResponse{.status = 409, .body = "the whole is needed\n"};
      }
      mark = update->mark;
      return base::HttpResponse{.body = "ok\n"};
    };
    const auto heard = [](const base::HttpRequest& request) {
      if (request.path != "/v1/heard/52:54:00:00:00:01") return base::HttpResponse{.status = 404};
      return base::HttpResponse{.body = to_json(boot::Heard{.run = "r", .nonce = "n", .last = {}})};
    };
    server = *base::HttpServer::start({.address = "unix:" + folder + "/s"},
                                      {{"PUT", "/v1/orders", told},
                                       {"POST", "/v1/orders", told},
                                       {"GET", "/v1/heard", heard, base::PathMatch::Prefix}});
  }
  ~BootServer() {
    server.reset();
    ::unlink((folder + "/s").c_str());
    ::rmdir(folder.c_str());
  }
  std::string folder;
  std::vector<std::string> requests;
  boot::OrderMark mark;
  bool refuses = false;
  std::unique_ptr<base::HttpServer> server;
};

}  // namespace

TEST_CASE("orders: the whole once, then what changed; the whole again whenever that is not certain") {
  BootServer server;
  const base::SystemClock clock;
  UnixBootService client(server.folder + "/s", clock);
  const auto serve = [&](const std::vector<std::string>& names) {
    server.requests.clear();
    return client.serve(orders_of(names), {clock.now() + std::chrono::seconds(20)});
  };
  using Requests = std::vector<std::string>;
  REQUIRE(serve({"1", "2", "3"}));
  CHECK(server.requests == Requests{"PUT 3+0"});
  REQUIRE(serve({"1", "3", "4"}));
  CHECK(server.requests == Requests{"POST 1+1"});
  REQUIRE(serve({"1", "3", "4"}));
  CHECK(server.requests == Requests{"POST 0+0"});

  server.mark = {};  // it was restarted
  REQUIRE(serve({"1", "3"}));
  CHECK(server.requests == Requests{"POST 0+1", "PUT 2+0"});
  REQUIRE(serve({"1"}));
  CHECK(server.requests == Requests{"POST 0+1"});

  server.refuses = true;
  CHECK_FALSE(serve({"1", "5"}));
  server.refuses = false;
  REQUIRE(serve({"1", "5"}));
  CHECK(server.requests == Requests{"PUT 2+0"});

  client.distrust();
  REQUIRE(serve({"1", "5"}));
  CHECK(server.requests == Requests{"PUT 2+0"});
}

TEST_CASE("orders: what was heard is asked for by machine") {
  BootServer server;
  const base::SystemClock clock;
  UnixBootService client(server.folder + "/s", clock);
  const Call call{clock.now() + std::chrono::seconds(20)};
  const auto heard = client.heard("52:54:00:00:00:01", call);
  REQUIRE(heard);
  REQUIRE(*heard);
  CHECK((*heard)->run == "r");
  const auto nothing = client.heard("52:54:00:00:00:02", call);
  REQUIRE(nothing);
  CHECK_FALSE(*nothing);
  UnixBootService nobody(server.folder + "/nobody", clock);
  CHECK_FALSE(nobody.heard("52:54:00:00:00:01", call));
}
