#include "controller/install/boot_client.hpp"

#include <algorithm>

#include "base/file/file.hpp"
#include "base/plain_http/client.hpp"
#include "base/process/process.hpp"

namespace nimbus::controller {
namespace {

constexpr std::chrono::seconds kAnswer{10};  // it may have to look for other DHCP servers first
constexpr const char* kUrl = "http://nimbus-boot";

Call limited(const Call& call, const Clock& clock, std::chrono::milliseconds most) {
  return {std::min(call.deadline, clock.now() + most), call.stop};
}

}  // namespace

Result<> UnixBootService::serve(const boot::Orders& orders, const Call& call) {
  auto answer = base::http_request(
      {.method = "PUT", .url = std::string(kUrl) + "/v1/orders", .body = boot::to_json(orders), .unix_socket = socket_},
      limited(call, clock_, kAnswer), clock_);
  if (!answer) return std::move(answer.error()).with("while telling nimbus-boot what to serve");
  return {};
}

Result<boot::HeardByMac> UnixBootService::heard(const Call& call) {
  auto answer = base::http_request(
      {.url = std::string(kUrl) + "/v1/heard", .unix_socket = socket_, .body_limit = boot::kMostOrderBytes},
      limited(call, clock_, kAnswer), clock_);
  if (!answer) return std::move(answer.error()).with("while asking nimbus-boot what it heard");
  return boot::parse_heard(*answer);
}

Result<reconcilers::SshAnswer> ask_ssh(const std::string& address, const std::string& host_key,
                                       const std::string& folder, const Call& call, const Clock& clock) {
  const std::string known_hosts = folder + "/expected-host-key." + address;
  if (auto written = base::write_file_atomically(known_hosts, address + " " + host_key + "\n", 0600); !written) {
    return std::move(written.error());
  }
  constexpr std::chrono::seconds kMost{8};
  // "none" is never accepted by a sane server; its refusal comes after the host key was
  // proven, and nothing of ours was shown.
  auto result = base::run_program({.argv = {"ssh",
                                            "-F",
                                            "none",
                                            "-o",
                                            "BatchMode=yes",
                                            "-o",
                                            "StrictHostKeyChecking=yes",
                                            "-o",
                                            "UserKnownHostsFile=" + known_hosts,
                                            "-o",
                                            "GlobalKnownHostsFile=/dev/null",
                                            "-o",
                                            "HostKeyAlgorithms=ssh-ed25519",
                                            "-o",
                                            "PreferredAuthentications=none",
                                            "-o",
                                            "IdentityFile=none",
                                            "-o",
                                            "IdentitiesOnly=yes",
                                            "-o",
                                            "ConnectTimeout=5",
                                            "-T",
                                            "nimbus-probe@" + address,
                                            "true"},
                                   .environment = {"PATH=/usr/bin:/bin", "LC_ALL=C"}},
                                  limited(call, clock, kMost), clock);
  if (!result) return std::move(result.error()).with("while asking for the host key");
  const auto says = [&](const char* text) { return result->errors.text.find(text) != std::string::npos; };
  if (result->exit_code == 0 || says("Permission denied")) return reconcilers::SshAnswer::ExpectedKey;
  if (says("Host key verification failed") || says("IDENTIFICATION HAS CHANGED"))
    return reconcilers::SshAnswer::OtherKey;
  return reconcilers::SshAnswer::Silent;
}

}  // namespace nimbus::controller
