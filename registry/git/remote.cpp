#include "registry/git/remote.hpp"

#include <algorithm>

#include "base/text/text.hpp"

namespace nimbus::registry {
namespace {

constexpr std::size_t kUrlBytes = 2048;

Error invalid(const GitRemote& remote, const std::string& why) {
  return Error{Code::Invalid, "repository url '" + redact_urls(remote.url, 200) + "' " + why};
}

struct Authority {
  std::string_view user;
  std::string_view host;
};

/// `rest` begins behind "scheme://".
Authority authority(std::string_view rest) {
  std::string_view all = rest.substr(0, rest.find('/'));
  Authority out;
  if (const auto at = all.rfind('@'); at != std::string_view::npos) {
    out.user = all.substr(0, at);
    all.remove_prefix(at + 1);
  }
  out.host = all.starts_with('[') ? all.substr(0, all.find(']') + 1) : all.substr(0, all.find(':'));
  return out;
}

bool is_loopback(std::string_view host) { return host == "localhost" || host == "[::1]" || host.starts_with("127."); }

Result<> check_host(const GitRemote& remote, const Authority& at) {
  if (at.host.empty() || at.host.starts_with('-')) return invalid(remote, "has no proper host");
  if (at.user.find(':') != std::string_view::npos) {
    return invalid(remote, "contains a password; passwords belong into a secret");
  }
  return {};
}

}  // namespace

Result<RemoteKind> check_remote(const GitRemote& remote) {
  const std::string_view url = remote.url;
  if (url.empty() || url.size() > kUrlBytes) return invalid(remote, "is empty or too long");
  if (url.starts_with('-') || base::printable(url, kUrlBytes) != url)
    return invalid(remote, "has characters that no url has");
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) {
    if (url.starts_with('/')) return RemoteKind::Local;
    const auto colon = url.find(':');
    const auto at = url.find('@');
    const bool scp = at != std::string_view::npos && colon != std::string_view::npos && at < colon && at > 0 &&
                     colon > at + 1 && url[at + 1] != '-' && url.find("::") == std::string_view::npos;
    if (scp) return RemoteKind::Ssh;
    return invalid(remote, "is none of https://, ssh://, user@host:path, file:// and an absolute path");
  }
  const auto scheme = url.substr(0, scheme_end);
  const auto rest = url.substr(scheme_end + 3);
  if (scheme == "file") return RemoteKind::Local;
  const auto at = authority(rest);
  if (scheme == "https" || scheme == "ssh") {
    if (auto ok = check_host(remote, at); !ok) return std::move(ok.error());
    return scheme == "ssh" ? RemoteKind::Ssh : RemoteKind::Https;
  }
  if (scheme == "http") {
    if (!is_loopback(at.host)) return invalid(remote, "would be read without encryption; use https");
    if (auto ok = check_host(remote, at); !ok) return std::move(ok.error());
    return RemoteKind::Http;
  }
  return invalid(remote, "has a scheme other than https, ssh and file");
}

std::string redact_urls(std::string_view text, std::size_t limit) {
  std::string out;
  while (!text.empty()) {
    const auto scheme = text.find("://");
    if (scheme == std::string_view::npos) break;
    out += text.substr(0, scheme + 3);
    text.remove_prefix(scheme + 3);
    const auto end = std::min(text.find_first_of("/ \t\r\n'\""), text.size());
    if (const auto at = text.substr(0, end).rfind('@'); at != std::string_view::npos) text.remove_prefix(at + 1);
  }
  out += text;
  return base::printable(out, limit);
}

}  // namespace nimbus::registry
