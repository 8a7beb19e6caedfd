#include <doctest/doctest.h>

#include "installer/source_rules.hpp"

using namespace nimbus;
using namespace nimbus::installer;

namespace {

base::SourceRules rules(const std::string& url = "http://images.example/debian/a") {
  boot::InstallPlan plan;
  plan.image_sources = {"http://images.example/debian/", ""};
  plan.image_never = {"10.20.0.0/24", "fd00:20::/64"};
  plan.image_cache = "http://10.20.0.1:8081/images/x";
  return source_rules(plan, url);
}

bool goes_to(const std::string& host) {
  const auto address = base::SocketAddress::numeric({host, 80});
  REQUIRE(address);
  return rules().address(*address).has_value();
}

}  // namespace

TEST_CASE("an image may be redirected to an allowed source only") {
  CHECK(rules().redirect("http://images.example/debian/12.raw"));
  for (const auto* url :
       {"http://images.example/other", "http://images.example.evil/debian/", "https://images.example/debian/", ""}) {
    CAPTURE(url);
    const auto allowed = rules().redirect(url);
    REQUIRE_FALSE(allowed);
    CHECK(allowed.error().code == Code::Untrusted);
  }
}

TEST_CASE("whatever its name was: no image comes from the machine itself or its neighbours") {
  CHECK(goes_to("192.0.2.1"));
  CHECK(goes_to("10.20.1.1"));
  CHECK(goes_to("2001:db8::1"));
  for (const auto* host :
       {"127.0.0.1", "169.254.169.254", "10.20.0.1", "10.20.0.255", "fd00:20::9", "::1", "::ffff:10.20.0.9"}) {
    CAPTURE(host);
    CHECK_FALSE(goes_to(host));
  }
}

TEST_CASE("a refusal names the address, and the network that it is on") {
  const auto refused = [](const std::string& host) {
    const auto allowed = rules().address(*base::SocketAddress::numeric({host, 80}));
    REQUIRE_FALSE(allowed);
    CHECK(allowed.error().code == Code::Untrusted);
    return allowed.error().message;
  };
  CHECK(refused("10.20.0.9") ==
        "no image is fetched from 10.20.0.9:80, which is on 10.20.0.0/24: of provisioning or of BMCs");
  CHECK(refused("127.0.0.1") == "no image is fetched from 127.0.0.1:80: no other machine has that address");
}

TEST_CASE("a plan with a network that cannot be read goes nowhere") {
  boot::InstallPlan plan;
  plan.image_never = {"nonsense"};
  CHECK_FALSE(source_rules(plan, "http://192.0.2.1/").address(*base::SocketAddress::numeric({"192.0.2.1", 80})));
}

TEST_CASE("the cache is a neighbour: at its own address and port, and it leads nowhere else") {
  const auto cache = rules("http://10.20.0.1:8081/images/x");
  CHECK(cache.address(*base::SocketAddress::numeric({"10.20.0.1", 8081})));
  CHECK_FALSE(cache.address(*base::SocketAddress::numeric({"10.20.0.1", 8080})));
  CHECK_FALSE(cache.address(*base::SocketAddress::numeric({"10.20.0.2", 8081})));
  CHECK_FALSE(cache.redirect);
  CHECK_FALSE(rules("http://10.20.0.1:8081/images/y").address(*base::SocketAddress::numeric({"10.20.0.1", 8081})));
}
