#include "cli/hardware/commands.hpp"

#include "base/args/complete.hpp"
#include "cli/browse_commands.hpp"

namespace nimbus::cli {
namespace {

using base::Command;
using base::Count;
using base::Flag;

Flag secrets_flag() {
  return {.name = "secrets",
          .value = "DIR",
          .help = "folder of secrets, as nimbusd's `secrets`",
          .fallback = "/etc/nimbus/secrets",
          .env = "NIMBUS_SECRETS",
          .completer = std::string(base::kCompleteFolder)};
}

Flag credentials_flag() {
  return {
      .name = "credentials",
      .value = "SOURCE",
      .help =
          "name of a secret, a file like one (with a '/' in front or './'), or 'prompt'; several are tried in order",
      .times = base::Times::Many};
}

Flag timeout_flag(std::string fallback) {
  return {.name = "timeout",
          .value = "TIME",
          .help = "how long one BMC may take in all",
          .fallback = std::move(fallback),
          .type = base::ValueType::Duration};
}

std::vector<Flag> trust_flags() {
  return {
      {.name = "pin", .value = "PIN", .help = "key that the BMC must show, spki-sha256:…", .times = base::Times::Many},
      {.name = "ca",
       .value = "FILE",
       .help = "certificates (PEM) of the CA that signed the BMC's",
       .completer = std::string(base::kCompleteFile)},
      {.name = "accept-new-key",
       .help = "first contact: trust the key that the BMC shows now, and print it for you to compare"}};
}

std::vector<Flag> endpoint_flags(std::string timeout) {
  std::vector<Flag> flags = {{.name = "driver",
                              .value = "DRIVER",
                              .help = "what the BMC speaks; default: redfish for https://, else ipmi",
                              .choices = {"redfish", "ipmi"}},
                             credentials_flag(),
                             secrets_flag()};
  for (auto& flag : trust_flags()) flags.push_back(std::move(flag));
  flags.push_back({.name = "system", .value = "ID", .help = "which System, where a Redfish BMC serves several"});
  flags.push_back(timeout_flag(std::move(timeout)));
  return flags;
}

Command bmc_probe_command() {
  auto flags = endpoint_flags("2m");
  flags.push_back(
      {.name = "check-factory",
       .help = "also try the vendor's factory credentials, once: a refused login counts towards a lock-out"});
  flags.push_back(output_flag());
  return {
      .name = "probe",
      .summary = "say what works with a BMC, and what does not",
      .description =
          "Logs in, reads everything that Nimbus reads of a BMC, and changes nothing: identity, what works, what is "
          "missing or needs a licence, the peculiarities that were met, the key of its certificate.\n\nWithout "
          "--pin or --ca nothing is sent to a Redfish BMC: its key is printed, and --accept-new-key goes on. "
          "Passwords come from a secret, a private file or a prompt, never from the command line.",
      .examples = {{"nimbusctl bmc probe https://bmc-m017.example --credentials bmc/berlin-1 --accept-new-key",
                    "first contact, with a secret of this controller"},
                   {"nimbusctl bmc probe 10.1.0.17 --driver ipmi --credentials prompt",
                    "over IPMI, asking for user and password"},
                   {"nimbusctl bmc probe berlin-1/m017 --format json", "a machine of the registry, for a program"}},
      .positionals = {{.name = "ADDRESS", .help = "of the BMC, or PROVIDER/MACHINE", .completer = "provider-machine"}},
      .flags = std::move(flags),
      .exit_codes = {{1, "the BMC cannot be used"}, {4, "user and password were refused"}}};
}

Command bmc_pin_command() {
  return {
      .name = "pin",
      .summary = "show the key of a BMC's certificate, and record it",
      .description =
          "Makes a TLS handshake and nothing more. With PROVIDER/MACHINE the key is compared with the machine's "
          "file; --refresh writes the new one into it, as a change for you to review and commit: compare it with what "
          "the BMC's own console shows, because whoever sits on the wire could show his.",
      .examples = {{"nimbusctl bmc pin https://bmc-m017.example", "print it"},
                   {"nimbusctl bmc pin berlin-1/m017 --refresh", "after the BMC got a new certificate"}},
      .positionals = {{.name = "ADDRESS", .help = "https://…, or PROVIDER/MACHINE", .completer = "provider-machine"}},
      .flags = {{.name = "refresh", .help = "write the key into the machine's file"},
                timeout_flag("10s"),
                output_flag()},
      .exit_codes = {{2, "the file says another key"}}};
}

Command bmc_rotate_command() {
  auto flags = endpoint_flags("3m");
  return {
      .name = "rotate",
      .summary = "give a BMC a new account and password",
      .description =
          "Makes a new account with a random password, logs in with it, stores it as the secret, and disables the "
          "account before. It may be interrupted at any point, also by a loss of power: the secret always holds "
          "what works, and the same command takes up where it stopped.\n\nThe secret must be bound to this BMC alone; "
          "give a BMC that shares one a secret of its own first. The new account's name is the old one with -a or -b "
          "behind it in turn; if somebody uses that one already, nothing is changed. Run it on the controller's host, "
          "as the user that owns the secrets.",
      .examples = {{"nimbusctl bmc rotate berlin-1/m017", "a machine of the registry"}},
      .positionals = {{.name = "ADDRESS", .help = "of the BMC, or PROVIDER/MACHINE", .completer = "provider-machine"}},
      .flags = std::move(flags),
      .exit_codes = {{4, "user and password were refused"}}};
}

Command bmc_command() {
  return {.name = "bmc",
          .summary = "talk to a BMC directly",
          .description = "Works without nimbusd, from any host that reaches the BMC.",
          .commands = {bmc_probe_command(), bmc_pin_command(), bmc_rotate_command()}};
}

Command discover_bmc_command() {
  return {
      .name = "bmc",
      .summary = "read BMCs and write machine files for them",
      .description =
          "Logs in to each BMC, reads identity and hardware, and prints a machine file for it, or writes the files "
          "into the registry for a pull request. Nothing is enrolled by itself. Only the addresses that are named are "
          "contacted: an address, a network (at most 4,096 addresses), a file with one of them in each line, or the "
          "rows of --from.\n\nThe key that a Redfish BMC shows at this first contact goes into its file: compare "
          "keys before you merge. The CSV file has a line of column names: name and address, and if you like "
          "driver, class, credentials, group, rack, unit.",
      .examples = {{"nimbusctl discover bmc https://10.1.0.17 --credentials bmc/berlin-1", "print one machine file"},
                   {"nimbusctl discover bmc 10.1.0.0/24 --credentials bmc/berlin-1 --provider berlin-1 --write",
                    "all that answer in a network, into the registry"},
                   {"nimbusctl discover bmc --from rack.csv --credentials bmc/factory --provider berlin-1 --write",
                    "forty machines with their names"}},
      .positionals = {{.name = "TARGET",
                       .help = "address, network in CIDR form, or file with addresses",
                       .count = Count::Any,
                       .completer = std::string(base::kCompleteFile)}},
      .flags = {{.name = "from",
                 .value = "FILE",
                 .help = "machines with names and addresses, as CSV",
                 .completer = std::string(base::kCompleteFile)},
                {.name = "driver",
                 .value = "DRIVER",
                 .help = "what the BMCs speak; auto: redfish if something answers there, else ipmi",
                 .choices = {"auto", "redfish", "ipmi"},
                 .fallback = "auto"},
                credentials_flag(),
                secrets_flag(),
                {.name = "provider", .value = "PROVIDER", .help = "whose machines these are", .completer = "provider"},
                {.name = "class", .value = "CLASS", .help = "hardware class: files without hardware of their own"},
                {.name = "write", .help = "write the files into the registry; one that exists stays as it is"},
                {.name = "parallel",
                 .value = "N",
                 .help = "how many BMCs at a time, at most 64",
                 .fallback = "16",
                 .type = base::ValueType::Number},
                timeout_flag("1m")},
      .exit_codes = {
          {1, "not one BMC could be read"}, {2, "some could not"}, {6, "with --write: a file exists already"}}};
}

Command discover_host_command() {
  return {.name = "host",
          .summary = "print a machine file for the machine that this runs on",
          .description =
              "Reads DMI, processors, memory, disks and network cards from the running Linux system; contacts nobody. "
              "The BMC's address and credentials are for you to fill in. As root it also sees serial numbers.",
          .examples = {{"sudo nimbusctl discover host > providers/berlin-1/machines/m017.toml", "for a registry"}},
          .flags = {{.name = "root",
                     .value = "DIR",
                     .help = "read /sys and /proc below this folder",
                     .fallback = "/",
                     .completer = std::string(base::kCompleteFolder)}}};
}

Command secret_command() {
  return {
      .name = "secret",
      .summary = "keep credentials for BMCs",
      .description =
          "Secrets are files on the controller's host, mode 0400, each bound to the addresses that it may be sent to. "
          "Run it as the user that nimbusd runs as, or hand the files over to it.",
      .commands = {
          {.name = "set",
           .summary = "write a secret; the password is asked for",
           .examples =
               {{"nimbusctl secret set bmc/berlin-1 --username nimbus --allow 10.1.0.0/24", "for a BMC network"},
                {"pass show bmc | nimbusctl secret set bmc/m017 --username nimbus --allow https://bmc-m017.example",
                 "the password from another program"}},
           .positionals = {{.name = "NAME", .help = "of the secret, for example bmc/berlin-1"}},
           .flags = {{.name = "username", .value = "USER", .help = "login name; required"},
                     {.name = "allow",
                      .value = "ADDRESS",
                      .help = "where it may be sent: an address as in machine files, a network, or *.domain; required",
                      .times = base::Times::Many},
                     {.name = "replace", .help = "overwrite one that exists"},
                     secrets_flag()},
           .exit_codes = {{6, "there is one already"}}},
          {.name = "import",
           .summary = "write many secrets from a CSV file",
           .description = "The first line names the columns: name, username, password, allow (addresses with blanks "
                          "between them). "
                          "All lines are checked before the first secret is written. Delete the CSV file afterwards.",
           .examples = {{"nimbusctl secret import labels.csv", "what the vendor delivered with the machines"}},
           .positionals =
               {{.name = "FILE", .help = "private to you (mode 0600)", .completer = std::string(base::kCompleteFile)}},
           .flags = {{.name = "replace", .help = "overwrite those that exist"}, secrets_flag()},
           .exit_codes = {{6, "there is one already"}}}}};
}

}  // namespace

std::vector<Command> hardware_commands() {
  return {bmc_command(),
          {.name = "discover",
           .summary = "read hardware and propose machine files",
           .commands = {discover_bmc_command(), discover_host_command()}},
          secret_command()};
}

}  // namespace nimbus::cli
