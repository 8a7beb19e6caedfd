// Formats of text in registry files: one table that the parser, the JSON Schemas
// and the documentation share. Pure. Thread rule: safe from any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace nimbus::registry {

enum class Format : std::uint8_t {
  Text,          // one line without control characters
  Multiline,     // may hold line ends and tabs
  Label,         // DNS label
  LabelOrStar,   // DNS label or "*"
  SecretName,    // labels separated by '/'
  LabelKey,      // key of a label
  AttributeKey,  // key of a BIOS attribute or a sysctl
  Mac,
  Uuid,
  Ip,
  Cidr,
  IpOrAuto,
  HttpsUrl,
  Url,         // http or https
  BmcAddress,  // https URL, host or host:port; which one the driver decides
  Sha256,
  SpkiPin,
  Duration,
  SshKey,
  SshKeyOrPerson,
  ClockTime,  // "22:00"
  Weekday,    // "mon" … "sun"
  TimeZone,   // "Europe/Berlin"
  AbsolutePath,
  ContentPath,  // "files/…" of the same scope
  FileMode,     // "0644"
  Hostname,
  QuirkId,
  ScopedPattern,  // "tenants/{scope}/**"
  BranchPrefix,
  Version,      // "1.0"
  UserName,     // of a Linux account or group
  MountSource,  // "UUID=…", "/dev/…", "LABEL=…"
  // Of host configuration:
  Package,           // "nginx" or "nginx=1.22.1-9"
  PackageName,       // without a version
  AptWord,           // a suite or a component
  UnitName,          // of systemd, with or without suffix
  SysctlKey,         // "net.core.somaxconn"
  ModuleName,        // of a kernel module
  MountOptions,      // "noatime,nofail"
  Locale,            // "en_US.UTF-8"
  HostOrIp,          // of a server
  InterfaceName,     // "eno1"
  InterfaceAddress,  // "10.20.0.5/24"
  ResourceId,        // "package:nginx"
};

struct FormatInfo {
  Format format;
  std::string_view name;     // "MAC address"
  std::string_view hint;     // completes "… must be": "a MAC address such as \"52:54:00:12:34:17\""
  std::string_view pattern;  // ECMA regular expression for schemas; empty: none says it well
  bool (*accepts)(std::string_view text) noexcept;
};

const FormatInfo& info(Format format) noexcept;

/// True if `text` looks like key material or a password rather than a name.
bool looks_like_secret(std::string_view text) noexcept;

}  // namespace nimbus::registry
