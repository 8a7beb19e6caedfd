#include "cli/hardware/address_list.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

using namespace nimbus;
using namespace nimbus::cli;

namespace {

using Words = std::vector<std::string>;

std::string why(const Words& targets) {
  const auto all = expand_targets(targets);
  return all ? "" : all.error().text();
}

struct ListFile {
  std::string folder;
  explicit ListFile(const std::string& text) {
    char path[] = "/tmp/nimbus-list-XXXXXX";
    REQUIRE(::mkdtemp(path) != nullptr);
    folder = path;
    std::ofstream(name()) << text;
  }
  ~ListFile() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  std::string name() const { return folder + "/list"; }
};

}  // namespace

TEST_CASE("addresses: as given, in order, none twice") {
  CHECK(expand_targets({"10.0.0.2", "https://bmc.example", "10.0.0.1:623", "[2001:db8::1]:443", "10.0.0.2"}) ==
        Words{"10.0.0.2", "https://bmc.example", "10.0.0.1:623", "[2001:db8::1]:443"});
}

TEST_CASE("addresses: a network is its hosts, without network and broadcast address") {
  CHECK(expand_targets({"10.1.0.0/30"}) == Words{"10.1.0.1", "10.1.0.2"});
  CHECK(expand_targets({"10.1.0.7/30"}) == Words{"10.1.0.5", "10.1.0.6"});
  CHECK(expand_targets({"10.1.0.8/31"}) == Words{"10.1.0.8", "10.1.0.9"});
  CHECK(expand_targets({"255.255.255.255/32"}) == Words{"255.255.255.255"});
  CHECK(expand_targets({"10.1.0.0/29", "10.1.0.2"})->size() == 6);
}

TEST_CASE("addresses: at most 4,096 in all, counted before they are made") {
  CHECK(expand_targets({"10.1.0.0/20"})->size() == 4094);
  for (const char* network : {"10.0.0.0/8", "10.0.0.0/19", "0.0.0.0/0"})
    CHECK_MESSAGE(why({network}).find("more than 4096") != std::string::npos, network);
  CHECK(why({"10.1.0.0/20", "10.2.0.0/30"}).empty());
  CHECK(why({"10.1.0.0/20", "10.2.0.0/29"}).find("more than 4096") != std::string::npos);
}

TEST_CASE("addresses: what is none is refused before anybody is contacted") {
  for (const char* word : {"", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8x", "2001:db8::/64", "x/24",
                           "http://10.0.0.1", "https://10.0.0.1/redfish", "$(reboot)", "a b", "10.0.0.1\n10.0.0.2"})
    CHECK_MESSAGE(!expand_targets({word}).has_value(), word);
}

TEST_CASE("addresses: a file has one in each line, with remarks; its name is in the error") {
  const ListFile good("# hall 1\n 10.0.0.1 # first\n\n10.0.0.4/30\n10.0.0.1\n");
  CHECK(expand_targets({good.name()}) == Words{"10.0.0.1", "10.0.0.5", "10.0.0.6"});
  const ListFile bad("10.0.0.1\n;\n");
  CHECK(why({bad.name()}).find(bad.name()) != std::string::npos);
  const ListFile huge(std::string(2U << 20U, '#'));
  CHECK(!why({huge.name()}).empty());
  // A file that names a file is no file of addresses.
  const ListFile nested(good.name() + "\n");
  CHECK(!why({nested.name()}).empty());
}
