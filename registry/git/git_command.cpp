#include "registry/git/git_command.hpp"

#include <initializer_list>
#include <string_view>
#include <utility>

#include "base/text/text.hpp"

namespace nimbus::registry {
namespace {

/// For a word of a shell command line.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// ssh reads such a value by its own rules: '%' is a token, '"' ends a quotation.
Result<> check_ssh_file(const std::string& path, const char* what) {
  constexpr std::size_t kLongest = 1024;
  if (path.empty() || path[0] != '/') {
    return Error{Code::Invalid, std::string("a repository over ssh needs ") + what + " (an absolute path)"};
  }
  if (path.find_first_of("%\"\\") != std::string::npos || base::printable(path, kLongest) != path) {
    return Error{Code::Invalid, std::string("characters that ssh cannot take in the path of ") + what};
  }
  return {};
}

Result<std::string> ssh_command(const GitRemote& remote) {
  if (auto ok = check_ssh_file(remote.ssh_key_file, "a key file"); !ok) return std::move(ok.error());
  if (auto ok = check_ssh_file(remote.known_hosts_file, "a file of known hosts"); !ok) return std::move(ok.error());
  std::string command = "ssh -F none -T -x -a -i " + quoted(remote.ssh_key_file);
  for (const char* option :
       {"BatchMode=yes", "IdentitiesOnly=yes", "IdentityAgent=none", "PreferredAuthentications=publickey",
        "StrictHostKeyChecking=yes", "GlobalKnownHostsFile=/dev/null", "UpdateHostKeys=no", "ControlMaster=no",
        "ControlPath=none", "ClearAllForwardings=yes", "PermitLocalCommand=no", "ConnectTimeout=10",
        "ServerAliveInterval=10", "ServerAliveCountMax=3"}) {
    command += std::string(" -o ") + option;
  }
  return command + " -o " + quoted("UserKnownHostsFile=\"" + remote.known_hosts_file + "\"");
}

struct Origin {
  std::string text;  // "https://forge.example:8443"
  std::string user;  // named in the url; empty: none
};

Origin origin_of(std::string_view url) {
  const auto scheme = url.substr(0, url.find("://") + 3);
  auto authority = url.substr(scheme.size());
  authority = authority.substr(0, authority.find('/'));
  Origin origin;
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    origin.user = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  origin.text = std::string(scheme) + std::string(authority);
  return origin;
}

Result<> add_https(const GitRemote& remote, GitCommand& command) {
  const auto set = [&](const std::string& value) {
    command.configuration.insert(command.configuration.end(), {"-c", value});
  };
  set("http.followRedirects=false");  // a redirect would take the credentials along
  set("http.sslVerify=true");
  set("credential.helper=");
  if (!remote.ca_file.empty()) set("http.sslCAInfo=" + remote.ca_file);
  if (remote.username.empty() && remote.password.empty()) return {};
  constexpr std::string_view kLineEnds("\n\r\0", 3);
  if (remote.username.find_first_of(kLineEnds) != std::string::npos ||
      remote.password.reveal().find_first_of(kLineEnds) != std::string_view::npos) {
    return Error{Code::Invalid, "a line end in the user name or password of a repository"};
  }
  const auto origin = origin_of(remote.url);
  set("credential." + origin.text +
      ".helper=!f() { test \"$1\" = get && printf 'username=%s\\npassword=%s\\n' \"$NIMBUS_GIT_USERNAME\" "
      "\"$NIMBUS_GIT_PASSWORD\"; }; f");
  command.environment.push_back("NIMBUS_GIT_USERNAME=" + (origin.user.empty() ? remote.username : origin.user));
  command.environment.push_back("NIMBUS_GIT_PASSWORD=" + std::string(remote.password.reveal()));
  return {};
}

}  // namespace

Result<GitCommand> git_command(const GitRemote* remote, const std::string& path_variable) {
  GitCommand command;
  command.environment = {"PATH=" + path_variable,
                         "LC_ALL=C",
                         "HOME=/nonexistent",
                         "GIT_CONFIG_NOSYSTEM=1",
                         "GIT_ATTR_NOSYSTEM=1",
                         "GIT_CONFIG_GLOBAL=/dev/null",
                         "GIT_TERMINAL_PROMPT=0",
                         "GIT_HTTP_LOW_SPEED_TIME=20",
                         "GIT_HTTP_LOW_SPEED_LIMIT=1000"};
  for (const char* value :
       {"core.hooksPath=/dev/null", "core.fsync=committed", "core.fsyncMethod=fsync", "gc.auto=0",
        "maintenance.auto=false", "fetch.fsckObjects=true", "transfer.unpackLimit=1", "transfer.credentialsInUrl=die",
        "protocol.version=2", "fetch.writeCommitGraph=false", "submodule.recurse=false"}) {
    command.configuration.insert(command.configuration.end(), {"-c", value});
  }
  if (remote == nullptr) {
    command.environment.emplace_back("GIT_ALLOW_PROTOCOL=none");
    return command;
  }
  const auto kind = check_remote(*remote);
  if (!kind) return kind.error();
  switch (*kind) {
    case RemoteKind::Local:
      command.environment.emplace_back("GIT_ALLOW_PROTOCOL=file");
      break;
    case RemoteKind::Ssh: {
      auto ssh = ssh_command(*remote);
      if (!ssh) return std::move(ssh.error());
      command.environment.emplace_back("GIT_ALLOW_PROTOCOL=ssh");
      command.environment.emplace_back("GIT_SSH_VARIANT=ssh");
      command.environment.push_back("GIT_SSH_COMMAND=" + *ssh);
      break;
    }
    case RemoteKind::Https:
    case RemoteKind::Http:
      command.environment.emplace_back(*kind == RemoteKind::Https ? "GIT_ALLOW_PROTOCOL=https"
                                                                  : "GIT_ALLOW_PROTOCOL=http");
      if (auto ok = add_https(*remote, command); !ok) return std::move(ok.error());
      break;
  }
  return command;
}

std::string git_url(const GitRemote& remote) {
  // A plain path would make git share files with hard links; file:// copies, checked.
  return remote.url.starts_with('/') ? "file://" + remote.url : remote.url;
}

}  // namespace nimbus::registry
