#include <doctest/doctest.h>

#include "base/secrets/file_secrets.hpp"

using namespace nimbus::base;

TEST_CASE("secrets: a secret goes only where its `allow` says") {
  struct Row {
    const char* destination;
    std::vector<std::string> allow;
    bool allowed;
  };
  const Row rows[] = {
      {"10.1.0.17", {"10.1.0.17"}, true},
      {"10.1.0.17:623", {"10.1.0.17"}, true},
      {"10.1.0.17:623", {"10.1.0.17:623"}, true},
      {"10.1.0.17:624", {"10.1.0.17:623"}, false},
      {"10.1.0.17", {"10.1.0.17:623"}, false},
      {"10.1.0.18", {"10.1.0.17"}, false},
      {"10.1.0.18", {"10.1.0.0/24"}, true},
      {"10.1.1.18", {"10.1.0.0/24"}, false},
      {"10.1.0.18", {"10.1.0.0/33"}, false},
      {"10.1.0.18", {"10.1.0.0/"}, false},
      {"10.1.0.18", {"0.0.0.0/0"}, true},
      {"[2001:db8::1]:623", {"2001:db8::/32"}, true},
      {"2001:db8::1", {"[2001:db8::1]"}, true},
      {"[2001:db9::1]:623", {"2001:db8::/32"}, false},
      {"bmc.example", {"bmc.example"}, true},
      {"BMC.example", {"bmc.EXAMPLE"}, true},
      {"bmc.example.evil.example", {"bmc.example"}, false},
      {"evilbmc.example", {"*.bmc.example"}, false},
      {"a.bmc.example", {"*.bmc.example"}, true},
      {"bmc.example", {"*.bmc.example"}, false},
      {"https://bmc.example", {"https://bmc.example"}, true},
      {"https://bmc.example:8443/redfish/v1", {"https://bmc.example:8443"}, true},
      {"https://bmc.example:8443", {"https://bmc.example:443"}, false},
      {"bmc.example", {"https://bmc.example"}, false},
      {"http://bmc.example", {"https://bmc.example"}, false},
      {"https://bmc.example@evil.example", {"bmc.example"}, false},
      {"https://evil.example/bmc.example", {"bmc.example"}, false},
      {"", {"bmc.example"}, false},
      {"bmc.example", {}, false},
      {"bmc.example", {""}, false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.destination);
    CAPTURE(row.allow.empty() ? "" : row.allow.front());
    CHECK(is_allowed_destination(row.destination, row.allow) == row.allowed);
  }
}
