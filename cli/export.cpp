// nimbusctl export: a registry's machines for nimbus-sim.
#include <sys/stat.h>

#include <cstdlib>

#include <fmt/core.h>

#include "base/file/file.hpp"
#include "base/text/text.hpp"
#include "base/tls/pin.hpp"
#include "base/tls/server_context.hpp"
#include "cli/context.hpp"
#include "cli/export_fleet.hpp"
#include "cli/loaded.hpp"

namespace nimbus::cli {
namespace {

constexpr unsigned kFile = 0644;
constexpr unsigned kSecret = 0400;
constexpr unsigned kFolder = 0755;
constexpr std::size_t kMostPem = 64 * 1024;

bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

Result<> write(const std::string& path, const std::string& text, unsigned mode) {
  if (auto made = base::make_folders(path.substr(0, path.rfind('/')), kFolder); !made) return made;
  return base::write_file_atomically(path, text, mode);
}

/// The pin of the certificate in `folder`, which is made if there is none: the registry
/// must name it before the simulator starts.
Result<std::string> pin_of(const std::string& folder) {
  const std::string path = folder + "/cert.pem";
  if (auto known = base::read_file(path, kMostPem)) {
    const auto pin = base::SpkiPin::of_certificate(*known);
    if (!pin) return Error(pin.error()).with("while reading " + path);
    return pin->text();
  }
  const auto made = base::make_self_signed("nimbus-sim", {"nimbus-sim"});
  if (!made) return made.error();
  constexpr unsigned kKey = 0600;
  if (auto ok = write(folder + "/key.pem", made->private_key, kKey); !ok) return std::move(ok.error());
  if (auto ok = write(path, made->certificate, kFile); !ok) return std::move(ok.error());
  const auto pin = base::SpkiPin::of_certificate(made->certificate);
  if (!pin) return pin.error();
  return pin->text();
}

Result<std::string> absolute(const std::string& folder) {
  if (auto made = base::make_folders(folder, kFolder); !made) return std::move(made.error());
  char* const real = ::realpath(folder.c_str(), nullptr);
  if (real == nullptr) return Error{Code::NotFound, "no folder " + base::printable(folder)};
  std::string out(real);
  std::free(real);  // NOLINT(cppcoreguidelines-no-malloc): realpath's
  return out;
}

Result<std::size_t> write_all(Context& context, const FleetExport& exported, const std::string& folder) {
  const auto put = [&](const std::string& path, const std::string& text, unsigned mode) -> Result<> {
    if (auto ok = write(path, text, mode); !ok) return ok;
    context.console.out(base::printable(path) + "\n");
    return {};
  };
  for (const auto& [path, text] : exported.files) {
    if (auto ok = put(folder + "/registry/" + path, text, kFile); !ok) return std::move(ok.error());
  }
  for (const auto& [name, text] : exported.secrets) {
    if (auto ok = put(folder + "/secrets/" + name + ".toml", text, kSecret); !ok) return std::move(ok.error());
  }
  // Last: whoever finds it may begin.
  if (auto ok = put(folder + "/fleet.toml", exported.fleet, kFile); !ok) return std::move(ok.error());
  return exported.files.size();
}

Exit usage(Context& context, std::string_view message) {
  return static_cast<Exit>(base::finish(base::usage_error(context.table, context.args.command(), message)));
}

}  // namespace

Exit run_export(Context& context) {
  const auto wanted = context.args.get("fleet");
  if (!wanted) return usage(context, "--fleet DIR is missing");
  const auto loaded = load_registry(context.registry_start(), {});
  if (!loaded) return fail(context, loaded.error());
  for (const auto& problem : loaded->result.problems) {
    if (problem.severity != registry::Severity::Error) continue;
    context.console.error("the registry has errors; 'nimbusctl validate' lists them");
    return Exit::Invalid;
  }
  if (exists(*wanted + "/fleet.toml") && !context.args.flag("force"))
    return fail(context, {Code::Conflict, *wanted + "/fleet.toml exists; nothing was written"});
  const auto folder = absolute(*wanted);
  if (!folder) return fail(context, folder.error());
  FleetOptions options{.provider = context.args.text("provider"), .first = context.args.text("first")};
  constexpr std::int64_t kMostPort = 65'535;
  for (const auto& [name, port] :
       {std::pair{"redfish-port", &options.redfish_port}, std::pair{"ipmi-port", &options.ipmi_port}}) {
    const auto value = context.args.number(name);
    if (value < 1 || value > kMostPort) return usage(context, fmt::format("--{} is no port", name));
    *port = static_cast<std::uint16_t>(value);
  }
  options.control = context.args.text("control");
  options.certificate_folder = *folder + "/certificate";
  auto pin = pin_of(options.certificate_folder);
  if (!pin) return fail(context, pin.error());
  options.pin = std::move(*pin);
  const auto exported =
      export_fleet(*loaded->result.snapshot, options, [&](const std::string& path) { return loaded->text_of(path); });
  if (!exported) return fail(context, exported.error());
  if (const auto written = write_all(context, *exported, *folder); !written) return fail(context, written.error());
  context.console.hint(
      fmt::format("\n{} machines. Next:\n"
                  "  nimbus-sim serve {}/fleet.toml\n"
                  "  copy {}/registry over a branch of the registry, and give nimbusd {}/secrets\n",
                  exported->machines, *folder, *folder, *folder));
  return Exit::Ok;
}

}  // namespace nimbus::cli
