// nimbusctl secret set, nimbusctl secret import.
#include <sys/stat.h>

#include <set>

#include <fmt/format.h>

#include "base/file/file.hpp"
#include "base/process/self.hpp"
#include "base/text/text.hpp"
#include "cli/hardware/commands.hpp"
#include "cli/hardware/credentials.hpp"
#include "cli/hardware/csv.hpp"
#include "core/names.hpp"

namespace nimbus::cli {
namespace {

constexpr std::size_t kMostCsvBytes = std::size_t{4} << 20U;

bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

struct NewSecret {
  std::string name;
  base::StoredSecret stored;
};

Result<> check(const NewSecret& secret) {
  if (!is_secret_name(secret.name))
    return Error{Code::Invalid,
                 "'" + base::printable(secret.name, 60) + "' is no name of a secret, such as bmc/berlin-1"};
  if (secret.stored.credential.username.empty()) return Error{Code::Invalid, "a secret has a user name"};
  if (secret.stored.allow.empty())
    return Error{Code::Invalid, "a secret is bound to the addresses that it may be sent to: name them"};
  for (const auto& entry : secret.stored.allow) {
    if (base::parse_destination(entry).host.empty() || !base::is_valid_utf8(entry))
      return Error{Code::Invalid, "'" + base::printable(entry, 60) + "' is no address"};
  }
  return {};
}

Exit write_all(Context& context, const std::vector<NewSecret>& secrets) {
  const CommandSecrets places(context.args.text("secrets"));
  if (!context.args.flag("replace")) {
    for (const auto& secret : secrets) {
      if (exists(places.path_of(secret.name)))
        return fail(context, {Code::Conflict, "the secret " + secret.name + " exists; --replace overwrites it"});
    }
  }
  for (const auto& secret : secrets) {
    const std::string path = places.path_of(secret.name);
    if (auto written = base::write_secret_file(path, secret.stored); !written) return fail(context, written.error());
    context.console.say("wrote " + path);
  }
  return Exit::Ok;
}

Result<std::vector<NewSecret>> read_csv(const std::string& path) {
  auto text = base::read_private_file(path, kMostCsvBytes);
  if (!text) return std::move(text.error());
  const Secret wiped_afterwards(std::move(*text));
  const std::vector<std::string> columns = {"name", "username", "password", "allow"};
  const auto rows = parse_csv(wiped_afterwards.reveal(), columns, columns);
  if (!rows) return Error(rows.error()).with("in " + path);
  std::vector<NewSecret> out;
  std::set<std::string> names;
  for (const auto& row : *rows) {
    NewSecret secret{.name = row.get("name"), .stored = {}};
    secret.stored.credential.username = row.get("username");
    secret.stored.credential.password = Secret(row.get("password"));
    const std::string allow = row.get("allow");
    for (const auto entry : base::split(allow, ' ')) {
      if (!entry.empty()) secret.stored.allow.emplace_back(entry);
    }
    if (auto good = check(secret); !good)
      return std::move(good.error()).with(fmt::format("in {}, line {}", path, row.line));
    if (!names.insert(secret.name).second)
      return Error{Code::Invalid, fmt::format("{}: line {}: this name was there before", path, row.line)};
    out.push_back(std::move(secret));
  }
  return out;
}

}  // namespace

Exit run_secret_set(Context& context) {
  base::keep_memory_private();
  NewSecret secret{.name = context.args.text("NAME"), .stored = {}};
  secret.stored.credential.username = context.args.text("username");
  secret.stored.allow = context.args.all("allow");
  if (auto good = check(secret); !good) return fail(context, good.error());
  auto password = ask_password("Password for " + secret.stored.credential.username);
  if (!password) return fail(context, password.error());
  secret.stored.credential.password = std::move(*password);
  return write_all(context, {secret});
}

Exit run_secret_import(Context& context) {
  base::keep_memory_private();
  const auto secrets = read_csv(context.args.text("FILE"));
  if (!secrets) return fail(context, secrets.error());
  return write_all(context, *secrets);
}

}  // namespace nimbus::cli
