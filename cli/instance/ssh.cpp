// nimbusctl instance ssh: a login whose host key is known before the first packet: the
// installer made it on the machine, and the controller published it in signed status.
#include <stdlib.h>
#include <unistd.h>

#include <fmt/core.h>

#include "base/file/file.hpp"
#include "base/text/text.hpp"
#include "cli/instance/commands.hpp"
#include "cli/instance/common.hpp"
#include "cli/instance/foreground.hpp"
#include "registry/schema/format.hpp"

namespace nimbus::cli {
namespace {

/// The key is looked up under this name, whatever address and port lead there.
constexpr const char* kAlias = "nimbus-instance";

/// A folder that goes with its one file.
class Temporary {
 public:
  static Result<Temporary> with(const std::string& content) {
    const char* base = std::getenv("TMPDIR");
    std::string folder = std::string(base != nullptr && *base == '/' ? base : "/tmp") + "/nimbusctl-XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr) return Error{Code::Internal, "cannot make a folder for the host key"};
    Temporary out(folder);
    if (auto written = base::write_file_atomically(out.path(), content, 0600); !written)
      return std::move(written.error());
    return out;
  }
  Temporary(Temporary&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  Temporary& operator=(Temporary&&) = delete;
  ~Temporary() {
    if (folder_.empty()) return;
    ::unlink(path().c_str());
    ::rmdir(folder_.c_str());
  }
  std::string path() const { return folder_ + "/known_hosts"; }

 private:
  explicit Temporary(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

struct Login {
  std::string user, address, key;
};

/// Status is foreign text: each part is checked before it becomes an argument.
Result<Login> login_of(const base::toml::Table& document, const std::string& id) {
  const Error none{Code::NotFound,
                   id + " has no SSH login yet; 'nimbusctl instance describe " + id + "' says how it is"};
  const Error odd{Code::Corrupt, "what status says of the SSH login of " + id + " makes no sense"};
  const std::string command = text_at(document, "ssh.command"), line = text_at(document, "ssh.known_hosts");
  if (command.empty() || line.empty()) return none;
  constexpr std::string_view kSsh = "ssh ";
  const auto at = command.find('@'), blank = line.find(' ');
  if (!command.starts_with(kSsh) || at == std::string::npos || blank == std::string::npos) return odd;
  Login out{command.substr(kSsh.size(), at - kSsh.size()), command.substr(at + 1), line.substr(blank + 1)};
  using registry::Format;
  if (!registry::info(Format::UserName).accepts(out.user) || !registry::info(Format::Ip).accepts(out.address) ||
      !registry::info(Format::SshKey).accepts(out.key) || out.key.find('\n') != std::string::npos)
    return odd;
  return out;
}

std::vector<std::string> ssh_arguments(const Context& context, const Login& login, const std::string& known_hosts) {
  std::vector<std::string> argv = {"ssh"};
  // Ahead of the user's own settings, which therefore cannot loosen them.
  for (const std::string option :
       {"StrictHostKeyChecking=yes", "GlobalKnownHostsFile=/dev/null", "KnownHostsCommand=none", "VerifyHostKeyDNS=no",
        "UpdateHostKeys=no", "CheckHostIP=no"}) {
    argv.emplace_back("-o");
    argv.push_back(option);
  }
  argv.insert(argv.end(), {"-o", "UserKnownHostsFile=" + known_hosts, "-o", std::string("HostKeyAlias=") + kAlias});
  const std::string type = login.key.substr(0, login.key.find(' '));
  argv.insert(argv.end(), {"-o", "HostKeyAlgorithms=" + (type == "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256" : type)});
  if (const auto port = context.args.get("port")) argv.insert(argv.end(), {"-p", *port});
  if (const auto identity = context.args.get("identity")) argv.insert(argv.end(), {"-i", *identity});
  argv.insert(argv.end(), {"-l", context.args.get("user").value_or(login.user), "--", login.address});
  for (const auto& word : context.args.all("COMMAND")) argv.push_back(word);
  return argv;
}

}  // namespace

Exit run_instance_ssh(Context& context) {
  auto opened = open_instance(context, context.args.text("INSTANCE"));
  if (!opened) return fail(context, opened.error());
  const std::string id = opened->name.id();
  const auto* document = opened->fleet.document(id);
  if (document == nullptr)
    return fail(context, opened->entry == nullptr
                             ? no_such_instance(*opened)
                             : Error{Code::NotFound, "its controller has not told of " + id + " yet"});
  const auto login = login_of(*document, id);
  if (!login) return fail(context, login.error());
  if (const auto user = context.args.get("user"); user && !registry::info(registry::Format::UserName).accepts(*user))
    return usage(context, "--user is no user's name");
  const auto file = Temporary::with(std::string(kAlias) + " " + login->key + "\n");
  if (!file) return fail(context, file.error());
  const auto arguments = ssh_arguments(context, *login, file->path());
  if (context.args.flag("print")) {
    context.console.out(fmt::format("{}@{}\n{} {}\n", login->user, login->address, login->address, login->key));
    return Exit::Ok;
  }
  context.console.flush();
  const auto ran = run_foreground({.argv = arguments, .streams = Streams::Inherit});
  if (!ran) return fail(context, ran.error());
  return static_cast<Exit>(ran->code);
}

}  // namespace nimbus::cli
