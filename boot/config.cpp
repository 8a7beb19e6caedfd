#include "boot/config.hpp"

#include "base/file/file.hpp"
#include "base/toml/reader.hpp"
#include "base/toml/toml.hpp"

namespace nimbus::boot {
namespace {

constexpr std::size_t kMostBytes = 64 * 1024;
using base::toml::TableReader;

void read(TableReader& table, std::string_view key, std::string& into) {
  if (auto text = table.string(key)) into = std::move(*text);
}

void read_path(TableReader& table, std::string_view key, std::string& into) {
  read(table, key, into);
  if (!into.empty() && into.front() != '/') table.fault(key, "must be an absolute path");
}

}  // namespace

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
  top.finish();
  if (faults.empty()) return config;
  std::string all;
  for (const auto& fault : faults) {
    all += (all.empty() ? "" : "\n") + path + ":" + std::to_string(fault.at.line) + ": " + fault.message;
  }
  return Error{Code::Invalid, all};
}

}  // namespace nimbus::boot
