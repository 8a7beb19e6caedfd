#include "cli/hardware/address_list.hpp"

#include <arpa/inet.h>
#include <sys/stat.h>

#include <charconv>
#include <set>

#include <fmt/format.h>

#include "base/file/file.hpp"
#include "base/net/socket_address.hpp"
#include "base/text/text.hpp"

namespace nimbus::cli {
namespace {

constexpr std::size_t kMostFileBytes = std::size_t{1} << 20U;
constexpr unsigned kBits = 32;

bool is_file(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

Error too_many() { return {Code::Invalid, fmt::format("more than {} addresses", kMostAddresses)}; }

Result<std::vector<std::string>> hosts_of(const std::string& network) {
  const auto slash = network.find('/');
  const Error bad{Code::Invalid, "'" + base::printable(network, 60) + "' is no IPv4 network such as 10.1.0.0/24"};
  in_addr address{};
  unsigned length = 0;
  const char* const end = network.data() + network.size();
  const auto [rest, error] = std::from_chars(network.data() + slash + 1, end, length);
  if (error != std::errc() || rest != end || length > kBits) return bad;
  if (::inet_pton(AF_INET, network.substr(0, slash).c_str(), &address) != 1) return bad;
  const std::uint64_t size = std::uint64_t{1} << (kBits - length);
  if (size > kMostAddresses) return too_many();
  const auto first = static_cast<std::uint32_t>(ntohl(address.s_addr) & ~static_cast<std::uint32_t>(size - 1));
  std::vector<std::string> out;
  const bool has_ends = size > 2;  // network and broadcast
  for (std::uint64_t i = has_ends ? 1 : 0; i < (has_ends ? size - 1 : size); ++i) {
    const std::uint32_t host = first + static_cast<std::uint32_t>(i);
    out.push_back(fmt::format("{}.{}.{}.{}", host >> 24U, (host >> 16U) & 0xffU, (host >> 8U) & 0xffU, host & 0xffU));
  }
  return out;
}

/// An address as it is, checked: nothing else reaches a name server or a message.
Result<std::string> one_address(const std::string& word) {
  const std::string_view scheme = "https://";
  std::string_view host = word;
  if (host.starts_with(scheme)) {
    host.remove_prefix(scheme.size());
    if (host.ends_with('/')) host.remove_suffix(1);
  }
  if (auto parsed = base::parse_host_port(host, 1); !parsed)
    return Error{Code::Invalid, "'" + base::printable(word, 100) + "' is no address, no network and no file"};
  return word;
}

Result<> add(const std::string& word, std::vector<std::string>& out, std::set<std::string>& seen) {
  const bool is_network = word.find('/') != std::string::npos && word.find("://") == std::string::npos;
  Result<std::vector<std::string>> hosts = std::vector<std::string>();
  if (is_network) {
    hosts = hosts_of(word);
  } else {
    auto one = one_address(word);
    if (!one) return std::move(one.error());
    hosts->push_back(std::move(*one));
  }
  if (!hosts) return std::move(hosts.error());
  for (auto& host : *hosts) {
    if (!seen.insert(host).second) continue;
    if (out.size() >= kMostAddresses) return too_many();
    out.push_back(std::move(host));
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> expand_targets(const std::vector<std::string>& targets) {
  std::vector<std::string> out;
  std::set<std::string> seen;
  for (const auto& target : targets) {
    if (!is_file(target)) {
      if (auto added = add(target, out, seen); !added) return std::move(added.error());
      continue;
    }
    const auto text = base::read_file(target, kMostFileBytes);
    if (!text) return text.error();
    for (const auto line : base::split(*text, '\n')) {
      const auto word = base::trim(line.substr(0, line.find('#')));
      if (word.empty()) continue;
      if (auto added = add(std::string(word), out, seen); !added) return std::move(added.error()).with("in " + target);
    }
  }
  return out;
}

}  // namespace nimbus::cli
