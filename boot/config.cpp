#include "boot/config.hpp"

#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "base/file/file.hpp"
#include "base/text/text.hpp"
#include "base/toml/reader.hpp"
#include "base/toml/toml.hpp"

namespace nimbus::boot {
namespace {

constexpr std::size_t kMostBytes = 64 * 1024;
constexpr std::int64_t kMostUnits = 100'000;
using base::toml::TableReader;

void read(TableReader& table, std::string_view key, std::string& into) {
  if (auto text = table.string(key)) into = std::move(*text);
}

void read_path(TableReader& table, std::string_view key, std::string& into) {
  read(table, key, into);
  if (!into.empty() && into.front() != '/') table.fault(key, "must be an absolute path");
}

/// "50GiB"; nothing: it is no such text.
std::optional<std::int64_t> bytes_of(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, unsigned>, 3> kUnits{{{"MiB", 20U}, {"GiB", 30U}, {"TiB", 40U}}};
  for (const auto& [unit, bits] : kUnits) {
    if (!text.ends_with(unit)) continue;
    std::int64_t number = 0;
    const char* const end = text.data() + text.size() - unit.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || stopped != end || number < 1 || number > kMostUnits) return std::nullopt;
    return number << bits;
  }
  return std::nullopt;
}

ImagesConfig read_images(TableReader table, const std::string& state) {
  ImagesConfig images;
  table.require("size");
  if (const auto size = table.string("size")) {
    const auto bytes = bytes_of(*size);
    if (!bytes) table.fault("size", "must be a whole number and MiB, GiB or TiB, such as \"50GiB\"");
    images.bytes = bytes.value_or(0);
  }
  images.folder = state + "/images";
  read_path(table, "folder", images.folder);
  read_path(table, "ca_file", images.ca_file);
  table.finish();
  return images;
}

/// argv[0] as it is started.
bool is_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return ::access(name.c_str(), X_OK) == 0;
  const char* path = std::getenv("PATH");
  for (const auto folder : base::split(path == nullptr ? "" : path, ':')) {
    if (::access((std::string(folder) + "/" + name).c_str(), X_OK) == 0) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> missing_here(const Config& config) {
  std::vector<std::string> missing;
  for (const auto& program : {config.dnsmasq, config.nginx}) {
    if (!is_program(program)) missing.push_back("there is no program " + program);
  }
  std::vector<std::string> files{config.installer + "/vmlinuz", config.installer + "/ramdisk.img",
                                 config.installer + "/SHA256SUMS", config.ipxe + "/undionly.kpxe",
                                 config.ipxe + "/snponly.efi"};
  if (config.images) files.push_back(config.images->ca_file);
  for (const auto& file : files) {
    if (::access(file.c_str(), R_OK) != 0) missing.push_back(file + " cannot be read");
  }
  if (::access(("/sys/class/net/" + config.interface).c_str(), F_OK) != 0)
    missing.push_back("there is no interface " + config.interface);
  return missing;
}

Result<Config> load_config(const std::string& path) {
  auto text = base::read_file(path, kMostBytes);
  if (!text) return std::move(text.error());
  auto root = base::toml::parse(*text);
  if (!root) {
    return Error{Code::Invalid, path + ":" + std::to_string(root.error().at.line) + ": " + root.error().message};
  }
  std::vector<base::toml::Fault> faults;
  TableReader top(*root, "", faults);
  Config config;
  for (const auto* key : {"interface", "address", "control", "state"}) top.require(key);
  read(top, "interface", config.interface);
  read(top, "address", config.address);
  config.port = static_cast<int>(top.integer("port", 1, 65535).value_or(config.port));
  config.files_port = static_cast<int>(top.integer("files_port", 1, 65535).value_or(config.files_port));
  read_path(top, "control", config.control);
  read_path(top, "state", config.state);
  read_path(top, "installer", config.installer);
  read_path(top, "ipxe", config.ipxe);
  read(top, "kernel_arguments", config.kernel_arguments);
  config.router_advertisements = top.boolean("router_advertisements").value_or(false);
  read(top, "dnsmasq", config.dnsmasq);
  read(top, "nginx", config.nginx);
  if (auto images = top.table("images")) config.images = read_images(std::move(*images), config.state);
  top.finish();
  if (faults.empty()) return config;
  std::string all;
  for (const auto& fault : faults) {
    all += (all.empty() ? "" : "\n") + path + ":" + std::to_string(fault.at.line) + ": " + fault.message;
  }
  return Error{Code::Invalid, all};
}

}  // namespace nimbus::boot
