// The loader: any bytes as any kind of file give a snapshot and problems, never a
// crash; loading again gives the same; acceptance never puts a bad file in force.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "registry/accept.hpp"
#include "registry/load.hpp"

namespace {

using namespace nimbus;
using namespace nimbus::registry;

constexpr std::array<std::string_view, 14> kPaths = {
    "registry.toml",
    "policy/limits.toml",
    "policy/roles.toml",
    "policy/bindings.toml",
    "policy/approvals/0123456789abcdef.toml",
    "policy/tenants/acme.toml",
    "policy/people/bob.toml",
    "providers/p1/provider.toml",
    "providers/p1/classes/c1.toml",
    "providers/p1/networks/n1.toml",
    "providers/p1/machines/m1.toml",
    "images/i1.toml",
    "profiles/f1.toml",
    "tenants/acme/instances/x1.toml",
};

class Tree final : public TreeSource {
 public:
  std::vector<std::pair<std::string, std::string>> files;
  Result<std::vector<TreeEntry>> list() const override {
    std::vector<TreeEntry> out;
    for (const auto& [path, text] : files) {
      out.push_back({path, TreeEntry::Kind::File, text.size(), std::to_string(std::hash<std::string>{}(text))});
    }
    return out;
  }
  Result<std::string> read(const TreeEntry& entry) const override {
    for (const auto& [path, text] : files) {
      if (path == entry.path) return text;
    }
    return Error{Code::NotFound, "no such file"};
  }
};

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

// The first byte chooses a path, a zero byte ends a file's text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Tree tree;
  std::array<std::string, kPaths.size()> texts;
  std::array<bool, kPaths.size()> present{};
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) {
    const auto index = static_cast<unsigned char>(rest.front()) % kPaths.size();
    rest.remove_prefix(1);
    const auto end = rest.find('\0');
    texts[index] = rest.substr(0, end);
    present[index] = true;
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  // In the order of paths.
  for (const std::size_t i : std::initializer_list<std::size_t>{11, 4, 3, 1, 6, 2, 5, 12, 8, 10, 9, 7, 0, 13}) {
    if (present[i]) tree.files.emplace_back(kPaths[i], texts[i]);
  }
  const auto first = load(tree);
  require(first.has_value());
  const auto again = load(tree, first->snapshot.get());
  require(again.has_value() && again->problems == first->problems);
  const auto accepted = accept(nullptr, *first->snapshot);
  require(accepted.effective != nullptr);
  require((accepted.state == AcceptState::Accepted) == !has_errors(first->problems));
  for (const auto& machine : accepted.effective->machines)
    require(!has_errors(machine->problems) && !machine->value.bmc.driver.empty());
  return 0;
}
