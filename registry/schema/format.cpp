#include "registry/schema/format.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/text/text.hpp"
#include "base/time/time.hpp"
#include "core/names.hpp"
#include "registry/address.hpp"

namespace nimbus::registry {
namespace {

bool digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool lower_hex(char c) noexcept { return digit(c) || (c >= 'a' && c <= 'f'); }
bool alphanumeric(char c) noexcept { return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

template <class Predicate>
bool all(std::string_view text, Predicate predicate) noexcept {
  return std::ranges::all_of(text, predicate);
}

/// Made of alphanumerics and `others`, neither empty nor longer than `most`.
bool made_of(std::string_view text, std::string_view others, std::size_t most) noexcept {
  return !text.empty() && text.size() <= most &&
         all(text, [&](char c) { return alphanumeric(c) || others.find(c) != std::string_view::npos; });
}

bool is_anything(std::string_view) noexcept { return true; }
bool is_label_or_star(std::string_view t) noexcept { return t == "*" || is_dns_label(t); }
bool is_label_key(std::string_view t) noexcept { return made_of(t, "._/-", 63); }
bool is_attribute_key(std::string_view t) noexcept { return made_of(t, "._/- ", 128); }

/// `groups` of hexadecimal digits with `separator` between them.
bool is_hex_groups(std::string_view t, std::initializer_list<std::size_t> groups, char separator) noexcept {
  std::size_t at = 0;
  for (const std::size_t group : groups) {
    if (at != 0 && (at >= t.size() || t[at++] != separator)) return false;
    if (at + group > t.size()) return false;
    if (!all(t.substr(at, group), lower_hex)) return false;
    at += group;
  }
  return at == t.size();
}
bool is_mac(std::string_view t) noexcept { return is_hex_groups(t, {2, 2, 2, 2, 2, 2}, ':'); }
bool is_uuid(std::string_view t) noexcept { return is_hex_groups(t, {8, 4, 4, 4, 12}, '-'); }
bool is_sha256(std::string_view t) noexcept { return t.size() == 64 && all(t, lower_hex); }

bool is_ip(std::string_view t) noexcept { return parse_ip(t).has_value(); }
bool is_cidr(std::string_view t) noexcept { return parse_cidr(t).has_value(); }
bool is_ip_or_auto(std::string_view t) noexcept { return t == "auto" || is_ip(t); }

bool is_host(std::string_view t) noexcept {
  if (is_ip(t)) return true;
  if (t.empty() || t.size() > 253) return false;
  while (true) {
    const auto dot = t.find('.');
    if (!is_dns_label(t.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    t.remove_prefix(dot + 1);
  }
}

bool is_port(std::string_view t) noexcept {
  if (t.empty() || t.size() > 5 || !all(t, digit) || t.front() == '0') return false;
  int port = 0;
  for (const char c : t) port = port * 10 + (c - '0');
  return port <= 65535;
}

/// host, host:port, [v6], [v6]:port, or a bare IPv6 address.
bool is_host_and_port(std::string_view t) noexcept {
  if (t.starts_with('[')) {
    const auto end = t.find(']');
    if (end == std::string_view::npos || !is_ip(t.substr(1, end - 1))) return false;
    return end + 1 == t.size() || (t[end + 1] == ':' && is_port(t.substr(end + 2)));
  }
  if (is_ip(t)) return true;
  const auto colon = t.find(':');
  if (colon == std::string_view::npos) return is_host(t);
  return is_host(t.substr(0, colon)) && is_port(t.substr(colon + 1));
}

bool is_url_after(std::string_view t, std::string_view scheme) noexcept {
  if (!t.starts_with(scheme) || t.size() > 2000) return false;
  t.remove_prefix(scheme.size());
  const auto end = t.find_first_of("/?#");
  const auto host = t.substr(0, end);
  // No user part: a password has no place in a registry.
  if (!is_host_and_port(host)) return false;
  return all(t, [](char c) { return c > ' ' && c < '\x7F'; });
}
bool is_https(std::string_view t) noexcept { return is_url_after(t, "https://"); }
bool is_url(std::string_view t) noexcept { return is_https(t) || is_url_after(t, "http://"); }
bool is_bmc_address(std::string_view t) noexcept { return is_https(t) || is_host_and_port(t); }

bool is_spki_pin(std::string_view t) noexcept {
  constexpr std::string_view kPrefix = "spki-sha256:";
  if (!t.starts_with(kPrefix)) return false;
  try {
    const auto bytes = base::from_base64(t.substr(kPrefix.size()));
    return bytes && bytes->size() == 32;
  } catch (...) {
    return false;
  }
}

bool is_duration(std::string_view t) noexcept {
  try {
    return base::parse_duration(t).has_value();
  } catch (...) {
    return false;
  }
}

bool is_ssh_key(std::string_view t) noexcept {
  constexpr std::array<std::string_view, 7> kTypes = {"ssh-ed25519",
                                                      "ssh-rsa",
                                                      "ecdsa-sha2-nistp256",
                                                      "ecdsa-sha2-nistp384",
                                                      "ecdsa-sha2-nistp521",
                                                      "sk-ssh-ed25519@openssh.com",
                                                      "sk-ecdsa-sha2-nistp256@openssh.com"};
  const auto blank = t.find(' ');
  if (blank == std::string_view::npos || t.size() > 4096) return false;
  if (std::ranges::find(kTypes, t.substr(0, blank)) == kTypes.end()) return false;
  auto key = t.substr(blank + 1);
  key = key.substr(0, key.find(' '));
  // All key blobs begin with a 32 bit length below 256: three zero bytes, "AAAA".
  return key.starts_with("AAAA") && made_of(key, "+/=", 4096);
}
bool is_ssh_key_or_person(std::string_view t) noexcept {
  constexpr std::string_view kPerson = "person:";
  if (t.starts_with(kPerson)) return is_dns_label(t.substr(kPerson.size()));
  return is_ssh_key(t);
}

bool is_clock_time(std::string_view t) noexcept {
  if (t.size() != 5 || t[2] != ':' || !digit(t[0]) || !digit(t[1]) || !digit(t[3]) || !digit(t[4])) return false;
  return (t[0] - '0') * 10 + (t[1] - '0') < 24 && t[3] < '6';
}
bool is_weekday(std::string_view t) noexcept {
  constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  return std::ranges::find(kDays, t) != kDays.end();
}
bool is_time_zone(std::string_view t) noexcept {
  return made_of(t, "_+-/", 64) && !digit(t.front()) && t.find("//") == std::string_view::npos && t.front() != '/';
}

bool has_dot_part(std::string_view t) noexcept {
  while (!t.empty()) {
    const auto slash = t.find('/');
    const auto part = t.substr(0, slash);
    if (part == "." || part == "..") return true;
    if (slash == std::string_view::npos) break;
    t.remove_prefix(slash + 1);
  }
  return false;
}
bool is_absolute_path(std::string_view t) noexcept {
  return t.starts_with('/') && t.size() <= 1024 && !has_dot_part(t) && t.find("//") == std::string_view::npos;
}
bool is_content_path(std::string_view t) noexcept {
  return t.starts_with("files/") && t.size() > 6 && t.size() <= 500 && !has_dot_part(t) && !t.ends_with('/') &&
         t.find("//") == std::string_view::npos && t.find('\\') == std::string_view::npos;
}
bool is_file_mode(std::string_view t) noexcept {
  return t.size() == 4 && t[0] == '0' && all(t, [](char c) { return c >= '0' && c <= '7'; });
}
bool is_hostname(std::string_view t) noexcept { return is_host(t) && !is_ip(t); }
bool is_quirk_id(std::string_view t) noexcept { return made_of(t, "-", 32); }
bool is_scoped_pattern(std::string_view t) noexcept {
  return made_of(t, "._/-*{}", 200) && !has_dot_part(t) && t.front() != '/' && t.find("//") == std::string_view::npos;
}
bool is_branch_prefix(std::string_view t) noexcept {
  return made_of(t, "._/-", 100) && t.front() != '/' && t.front() != '-' && t.front() != '.' && t.back() != '/' &&
         t.back() != '.' && t.find("..") == std::string_view::npos && t.find("//") == std::string_view::npos &&
         t.find("/.") == std::string_view::npos && !t.ends_with(".lock");
}
bool is_version(std::string_view t) noexcept {
  const auto dot = t.find('.');
  if (dot == std::string_view::npos || dot == 0 || dot > 4 || t.size() - dot - 1 > 4 || dot + 1 == t.size())
    return false;
  return all(t.substr(0, dot), digit) && all(t.substr(dot + 1), digit);
}
bool is_user_name(std::string_view t) noexcept {
  return made_of(t, "_-", 32) && t.front() != '-' && !digit(t.front()) &&
         all(t, [](char c) { return c < 'A' || c > 'Z'; });
}
bool is_mount_source(std::string_view t) noexcept {
  return t.size() <= 500 && !t.empty() && t.find(' ') == std::string_view::npos &&
         (t.find('=') != std::string_view::npos || t.find('/') != std::string_view::npos || t == "tmpfs");
}

bool is_package_name(std::string_view t) noexcept { return made_of(t, "+._:-", 128) && alphanumeric(t.front()); }
bool is_package(std::string_view t) noexcept {
  const auto equals = t.find('=');
  if (!is_package_name(t.substr(0, equals))) return false;
  return equals == std::string_view::npos || made_of(t.substr(equals + 1), "+._:~^-", 128);
}
bool is_apt_word(std::string_view t) noexcept { return made_of(t, "+._/~-", 128) && t.front() != '-'; }
/// A template is none: systemd knows nothing of it before it has an instance.
bool is_unit_name(std::string_view t) noexcept {
  if (!made_of(t, ":_.@-", 200) || t.front() == '-' || t.front() == '.' || t.front() == '@') return false;
  const auto at = t.find('@');
  return at == std::string_view::npos || (at + 1 < t.size() && t[at + 1] != '.');
}
bool is_sysctl_key(std::string_view t) noexcept {
  return made_of(t, "._/-", 128) && alphanumeric(t.front()) && !has_dot_part(t);
}
bool is_module_name(std::string_view t) noexcept { return made_of(t, "_-", 56) && t.front() != '-'; }
bool is_mount_options(std::string_view t) noexcept {
  return !t.empty() && t.size() <= 500 && all(t, [](char c) { return c > ' ' && c < '\x7F' && c != '#'; });
}
bool is_locale(std::string_view t) noexcept { return made_of(t, "_.@-", 64) && alphanumeric(t.front()); }
bool is_interface_name(std::string_view t) noexcept { return made_of(t, "._-", 15) && alphanumeric(t.front()); }
/// An address of a host, so bits outside the prefix are the point.
bool is_interface_address(std::string_view t) noexcept {
  const auto slash = t.find('/');
  if (slash == std::string_view::npos || !is_ip(t.substr(0, slash))) return false;
  const auto prefix = t.substr(slash + 1);
  if (prefix.empty() || prefix.size() > 3 || !all(prefix, digit) || prefix.front() == '0') return false;
  int bits = 0;
  for (const char c : prefix) bits = bits * 10 + (c - '0');
  return bits <= (t.substr(0, slash).find(':') == std::string_view::npos ? 32 : 128);
}
bool is_resource_id(std::string_view t) noexcept {
  const auto colon = t.find(':');
  return colon != std::string_view::npos && colon > 0 && colon + 1 < t.size() && t.size() <= 1100 &&
         all(t.substr(0, colon), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

using enum Format;
constexpr std::string_view kLabelPattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
constexpr std::array kFormats = {
    FormatInfo{Text, "text", "one line of text", "", is_anything},
    FormatInfo{Multiline, "text", "text", "", is_anything},
    FormatInfo{Label, "name", "a name of lower-case letters, digits and inner dashes, at most 63", kLabelPattern,
               [](std::string_view t) noexcept { return is_dns_label(t); }},
    FormatInfo{LabelOrStar, "name or \"*\"", "a name of lower-case letters, digits and inner dashes, or \"*\"",
               "^([*]|[a-z0-9]([-a-z0-9]*[a-z0-9])?)$", is_label_or_star},
    FormatInfo{SecretName, "name of a secret", "the name of a secret such as \"bmc/berlin-1\", never the secret itself",
               "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(/[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
               [](std::string_view t) noexcept { return is_secret_name(t); }},
    FormatInfo{LabelKey, "label", "letters, digits, '.', '_', '/', '-', at most 63", "^[A-Za-z0-9._/-]+$",
               is_label_key},
    FormatInfo{AttributeKey, "attribute", "letters, digits, '.', '_', '/', '-', blanks, at most 128",
               "^[A-Za-z0-9._/ -]+$", is_attribute_key},
    FormatInfo{Mac, "MAC address", "a MAC address in lower case such as \"52:54:00:12:34:17\"",
               "^[0-9a-f]{2}(:[0-9a-f]{2}){5}$", is_mac},
    FormatInfo{Uuid, "UUID", "a UUID in lower case such as \"4c4c4544-0033-4110-8041-b7c04f314232\"",
               "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", is_uuid},
    FormatInfo{Ip, "IP address", "an IPv4 or IPv6 address such as \"10.20.0.1\"", "^[0-9a-fA-F.:]+$", is_ip},
    FormatInfo{Cidr, "network", "a network such as \"10.20.0.0/24\", without bits outside the prefix",
               "^[0-9a-fA-F.:]+/[0-9]{1,3}$", is_cidr},
    FormatInfo{IpOrAuto, "IP address or \"auto\"", "\"auto\" or an IP address", "^(auto|[0-9a-fA-F.:]+)$",
               is_ip_or_auto},
    FormatInfo{HttpsUrl, "https URL", "an https URL without user and password such as \"https://host.example\"",
               "^https://[^ @]+$", is_https},
    FormatInfo{Url, "URL", "an http or https URL without user and password such as \"https://images.example/a.raw\"",
               "^https?://[^ @]+$", is_url},
    FormatInfo{BmcAddress, "BMC address", "an https URL (redfish), or a host or host:port (ipmi)", "^[^ @]+$",
               is_bmc_address},
    FormatInfo{Sha256, "SHA-256", "64 lower-case hexadecimal digits (sha256sum prints them)", "^[0-9a-f]{64}$",
               is_sha256},
    FormatInfo{SpkiPin, "public-key pin", "\"spki-sha256:\" and the base64 SHA-256 of the certificate's public key",
               "^spki-sha256:[A-Za-z0-9+/]{43}=$", is_spki_pin},
    FormatInfo{Duration, "duration", "a duration such as \"30s\", \"5m\", \"2h\" or \"7d\"", "^[0-9]+(ms|s|m|h|d)$",
               is_duration},
    FormatInfo{SshKey, "SSH public key", "an SSH public key line such as \"ssh-ed25519 AAAA… name\"",
               "^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-[a-z0-9@.-]+) AAAA[A-Za-z0-9+/]+=*( .*)?$",
               is_ssh_key},
    FormatInfo{SshKeyOrPerson, "SSH public key or person", "an SSH public key line or \"person:<name>\"",
               "^(person:[a-z0-9-]+|[a-z0-9@.-]+ AAAA.+)$", is_ssh_key_or_person},
    FormatInfo{ClockTime, "time of day", "a time of day such as \"22:00\"", "^([01][0-9]|2[0-3]):[0-5][0-9]$",
               is_clock_time},
    FormatInfo{Weekday, "day of the week", "\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\" or \"sun\"",
               "^(mon|tue|wed|thu|fri|sat|sun)$", is_weekday},
    FormatInfo{TimeZone, "time zone", "a time zone such as \"Europe/Berlin\"", "^[A-Za-z][A-Za-z0-9_+/-]*$",
               is_time_zone},
    FormatInfo{AbsolutePath, "absolute path", "an absolute path without '.' and '..'", "^/", is_absolute_path},
    FormatInfo{ContentPath, "path below files/", "a path below files/ such as \"files/motd\"", "^files/.+$",
               is_content_path},
    FormatInfo{FileMode, "file mode", "an octal file mode such as \"0644\"", "^0[0-7]{3}$", is_file_mode},
    FormatInfo{Hostname, "host name", "a host name", "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$", is_hostname},
    FormatInfo{QuirkId, "quirk", "the id of a quirk such as \"IP-09\"", "^[A-Za-z0-9-]+$", is_quirk_id},
    FormatInfo{ScopedPattern, "path pattern", "a path pattern such as \"tenants/{scope}/**\"", "^[A-Za-z0-9._/*{}-]+$",
               is_scoped_pattern},
    FormatInfo{BranchPrefix, "branch prefix", "the beginning of a branch name such as \"nimbus/status\"",
               "^[A-Za-z0-9._/-]+$", is_branch_prefix},
    FormatInfo{Version, "version", "a version such as \"1.0\"", "^[0-9]{1,4}[.][0-9]{1,4}$", is_version},
    FormatInfo{UserName, "account name", "a Linux account name: lower-case letters, digits, '_' and '-'",
               "^[a-z_][a-z0-9_-]*$", is_user_name},
    FormatInfo{MountSource, "mount source", "\"UUID=…\", \"LABEL=…\", a device, \"host:/path\" or \"tmpfs\"", "^[^ ]+$",
               is_mount_source},
    FormatInfo{Package, "package", "a package such as \"nginx\" or \"nginx=1.22.1-9\"",
               "^[A-Za-z0-9][A-Za-z0-9+._:-]*(=[A-Za-z0-9+._:~^-]+)?$", is_package},
    FormatInfo{PackageName, "package name", "the name of a package such as \"nginx\", without a version",
               "^[A-Za-z0-9][A-Za-z0-9+._:-]*$", is_package_name},
    FormatInfo{AptWord, "word of an APT source", "a suite or component such as \"bookworm\" or \"main\"",
               "^[A-Za-z0-9+._/~][A-Za-z0-9+._/~-]*$", is_apt_word},
    FormatInfo{UnitName, "unit", "a systemd unit such as \"nginx\" or \"getty@tty2\"",
               "^[A-Za-z0-9:_][A-Za-z0-9:_.-]*(@[A-Za-z0-9:_@-][A-Za-z0-9:_.@-]*)?$", is_unit_name},
    FormatInfo{SysctlKey, "kernel parameter", "a kernel parameter such as \"net.core.somaxconn\"",
               "^[A-Za-z0-9][A-Za-z0-9._/-]*$", is_sysctl_key},
    FormatInfo{ModuleName, "kernel module", "a kernel module such as \"br_netfilter\"", "^[A-Za-z0-9_][A-Za-z0-9_-]*$",
               is_module_name},
    FormatInfo{MountOptions, "mount options", "mount options such as \"noatime,nofail\", without blanks", "^[^ #]+$",
               is_mount_options},
    FormatInfo{Locale, "locale", "a locale such as \"en_US.UTF-8\"", "^[A-Za-z0-9][A-Za-z0-9_.@-]*$", is_locale},
    FormatInfo{HostOrIp, "host", "a host name or an IP address", "^[A-Za-z0-9:.-]+$", is_host},
    FormatInfo{InterfaceName, "network interface", "a network interface such as \"eno1\", at most 15 characters",
               "^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$", is_interface_name},
    FormatInfo{InterfaceAddress, "address with prefix", "an address with its prefix such as \"10.20.0.5/24\"",
               "^[0-9a-fA-F.:]+/[0-9]{1,3}$", is_interface_address},
    FormatInfo{ResourceId, "resource", "a kind and a name such as \"package:nginx\" or \"file:/etc/motd\"",
               "^[a-z_]+:.+$", is_resource_id},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kFormats.size(); ++i) {
    if (static_cast<std::size_t>(kFormats[i].format) != i) return false;
  }
  return kFormats.size() == static_cast<std::size_t>(ResourceId) + 1;
}
static_assert(in_order());

}  // namespace

const FormatInfo& info(Format format) noexcept { return kFormats[static_cast<std::size_t>(format)]; }

bool looks_like_secret(std::string_view text) noexcept {
  if (text.find("PRIVATE KEY") != std::string_view::npos) return true;
  // Names are lower-case labels; passwords and keys mix cases, digits and signs.
  const bool upper = std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
  const bool number = std::ranges::any_of(text, digit);
  const bool sign = std::ranges::any_of(
      text, [](char c) { return c > ' ' && !alphanumeric(c) && c != '-' && c != '/' && c != '_' && c != '.'; });
  return text.size() >= 6 && (sign || (upper && number));
}

}  // namespace nimbus::registry
