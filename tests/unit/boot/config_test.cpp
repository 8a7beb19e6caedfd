#include "boot/config.hpp"

#include <doctest/doctest.h>

#include <stdlib.h>

#include <filesystem>

#include "base/file/file.hpp"

using namespace nimbus;
using namespace nimbus::boot;

namespace {

Result<Config> read(const std::string& more) {
  char name[] = "/tmp/nimbus-boot-config-XXXXXX";
  const std::string folder = ::mkdtemp(name);
  REQUIRE(base::write_file_atomically(
      folder + "/c", "interface = \"br0\"\naddress = \"10.20.0.1\"\ncontrol = \"/run/c\"\nstate = \"/s\"\n" + more,
      0600));
  auto config = load_config(folder + "/c");
  std::filesystem::remove_all(folder);
  return config;
}

}  // namespace

TEST_CASE("nimbus-boot.toml: the cache of images is asked for, with a size") {
  CHECK_FALSE(read("")->images);
  const auto config = read("[images]\nsize = \"20GiB\"\n");
  REQUIRE(config);
  CHECK(config->images->bytes == std::int64_t{20} << 30U);
  CHECK(config->images->folder == "/s/images");
  CHECK(config->images->ca_file == "/etc/ssl/certs/ca-certificates.crt");
  for (const auto* bad : {"[images]\n", "[images]\nsize = 20\n", "[images]\nsize = \"0GiB\"\n",
                          "[images]\nsize = \"20 GiB\"\n", "[images]\nsize = \"20GB\"\n",
                          "[images]\nsize = \"1GiB\"\nfolder = \"here\"\n", "[images]\nsize = \"1GiB\"\nmost = 3\n"}) {
    CAPTURE(bad);
    const auto refused = read(bad);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Code::Invalid);
  }
}

TEST_CASE("what the configuration names and is not there is listed") {
  auto config = *read("[images]\nsize = \"16MiB\"\nca_file = \"/nowhere/ca.pem\"\n");
  config.interface = "lo";
  config.dnsmasq = "/bin/true";
  config.nginx = "sh";
  config.installer = config.ipxe = "/nowhere";
  const auto missing = missing_here(config);
  REQUIRE(missing.size() == 6);
  CHECK(missing[0] == "/nowhere/vmlinuz cannot be read");
  CHECK(missing[5] == "/nowhere/ca.pem cannot be read");
  config.interface = "no0";
  config.nginx = "no-such-program";
  CHECK(missing_here(config).size() == 8);
}
