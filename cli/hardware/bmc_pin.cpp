// nimbusctl bmc pin.
#include <csignal>

#include <algorithm>

#include "base/file/file.hpp"
#include "base/text/text.hpp"
#include "base/toml/edit.hpp"
#include "base/toml/value.hpp"
#include "cli/hardware/commands.hpp"
#include "cli/hardware/target.hpp"

namespace nimbus::cli {
namespace {

namespace toml = base::toml;

constexpr std::size_t kMostFileBytes = 256 * 1024;
constexpr unsigned kRegistryFileMode = 0644;

/// The file with this pin and no other; the rest of it byte for byte.
Result<> record(const BmcTarget& target, const std::string& pin) {
  if (target.folder.empty()) return Error{Code::Invalid, "a bare repository has no files on disk: edit in a checkout"};
  const std::string path = target.folder + "/" + target.file;
  auto text = base::read_file(path, kMostFileBytes);
  if (!text) return std::move(text.error());
  toml::Array pins;
  pins.emplace_back(pin);
  auto edit = toml::set_key(*text, {"bmc", "tls", "pin"}, toml::Value(std::move(pins)));
  if (!edit) return std::move(edit.error()).with("while writing " + target.file);
  return base::write_file_atomically(path, toml::applied(*text, *edit), kRegistryFileMode);
}

}  // namespace

Exit run_bmc_pin(Context& context) {
  (void)std::signal(SIGPIPE, SIG_IGN);
  auto target = plain_target(context);
  if (!target) return fail(context, target.error());
  if (!target->endpoint.address.starts_with("https://"))
    return fail(context, {Code::Invalid, "only BMCs over https have a certificate"});
  const auto key = shown_key(target->endpoint.address, call_of(context));
  if (!key) return fail(context, key.error());
  const auto& known = target->endpoint.tls.pins;
  const bool is_known = std::find(known.begin(), known.end(), key->pin) != known.end();
  if (context.format() == Format::Table || context.format() == Format::Wide || context.format() == Format::Name) {
    context.console.out(key->pin + "\n");
    context.console.say("SHA-256 of the certificate: " + key->fingerprint);
  } else {
    auto json = base::Json::object(
        {{"address", target->endpoint.address}, {"pin", key->pin}, {"certificate_sha256", key->fingerprint}});
    if (!target->file.empty()) json.set("recorded", is_known);
    context.console.out(render_value(json, context.format()));
  }
  if (!context.args.flag("refresh")) {
    if (target->file.empty() || is_known) return Exit::Ok;
    context.console.warning(target->file + " has another key; --refresh writes this one into it");
    return Exit::Changes;
  }
  if (target->file.empty())
    return fail(context, {Code::Invalid, "--refresh needs PROVIDER/MACHINE: an address has no file"});
  if (is_known) {
    context.console.say(target->file + " has this key already");
    return Exit::Ok;
  }
  if (auto recorded = record(*target, key->pin); !recorded) return fail(context, recorded.error());
  context.console.say("wrote it into " + base::printable(target->file) +
                      ": compare it with the BMC's own console, then commit");
  return Exit::Ok;
}

}  // namespace nimbus::cli
