#include <doctest/doctest.h>

#include "controller/install/image_source.hpp"

using namespace nimbus;
using namespace nimbus::controller;

TEST_CASE("sources of images: allowed, and nothing near") {
  Wishes wishes;
  wishes.networks["prov"] = {
      .provider = "p", .name = "prov", .cidr = "10.20.0.0/24", .role = NetworkRole::Provisioning, .gateway = {}};
  wishes.networks["bmc"] = {
      .provider = "p", .name = "bmc", .cidr = "10.30.0.0/16", .role = NetworkRole::Bmc, .gateway = {}};
  wishes.networks["acme"] = {
      .provider = "p", .name = "acme", .cidr = "10.40.0.0/24", .role = NetworkRole::Tenant, .gateway = {}};
  const auto never = image_never(wishes);
  CHECK(never == std::vector<std::string>{"10.30.0.0/16", "10.20.0.0/24"});

  const std::set<std::string> bmcs{"https://bmc1.example", "bmc2.example:623", "192.0.2.9",
                                   "https://[2001:db8::9]:8443"};
  const auto why = [&](const std::string& url) {
    return refuse_source(url, {url.substr(0, url.find('/', 8) + 1), "http://images.example/debian/"}, never, bmcs);
  };
  for (const auto* good : {"http://images.example/a", "http://192.0.2.1:8080/a", "https://images.example/a",
                           "http://10.40.0.1/a", "http://[2001:db8::1]/a"}) {
    CAPTURE(good);
    CHECK(why(good).empty());
  }
  for (const auto* bad :
       {"http://127.0.0.1/a", "http://localhost/a", "http://LOCALHOST./a", "http://x.localhost/a",
        "http://169.254.169.254/a", "http://[::1]/a", "http://[::ffff:127.0.0.1]/a", "http://10.20.0.7/a",
        "http://10.30.9.9/a", "http://bmc1.example/a", "http://BMC2.example/a", "http://192.0.2.9:81/a",
        "http://[2001:db8::9]/a", "ftp://images.example/a", "https://bmc1.example/a", "https://127.0.0.1/a"}) {
    CAPTURE(bad);
    CHECK_FALSE(why(bad).empty());
  }
  CHECK(refuse_source("http://other.example/a", {"http://images.example/"}, never, bmcs) ==
        "it is not in image_sources of nimbusd.toml");
  CHECK_FALSE(refuse_source("http://other.example/a", {""}, never, bmcs).empty());
}

TEST_CASE("BMCs that are numbers and outside of the networks are told one by one; names are not looked up") {
  Wishes wishes;
  wishes.networks["bmc"] = {
      .provider = "p", .name = "bmc", .cidr = "10.30.0.0/16", .role = NetworkRole::Bmc, .gateway = {}};
  using Texts = std::vector<std::string>;
  CHECK(image_never(wishes,
                    {"https://bmc1.example", "192.0.2.9:623", "https://[2001:db8::9]:8443", "https://10.30.1.1"},
                    9) == Texts{"10.30.0.0/16", "192.0.2.9/32", "2001:db8::9/128"});
  // Too many: what lies between them is as forbidden as they are.
  CHECK(image_never(wishes, {"192.0.2.8", "192.0.2.9", "198.51.100.1"}, 2) ==
        Texts{"10.30.0.0/16", "192.0.2.8/31", "198.51.100.1/32"});
}
