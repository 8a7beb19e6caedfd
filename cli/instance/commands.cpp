#include "cli/instance/commands.hpp"

#include "base/args/complete.hpp"
#include "cli/browse_commands.hpp"

namespace nimbus::cli {
namespace {

using base::Command;
using base::Count;
using base::Flag;
using base::Positional;
using base::Times;

Positional instance_positional() {
  return {.name = "INSTANCE", .help = "TENANT/NAME, or NAME of the tenant of your settings", .completer = "instance"};
}

Flag no_fetch_flag() {
  return {.name = "no-fetch", .help = "do not fetch the status branches first: use what the clone has"};
}

std::vector<Flag> requirement_flags() {
  return {
      {.name = "image", .value = "IMAGE", .help = "operating system"},
      {.name = "cores", .value = "N", .help = "at least so many", .type = base::ValueType::Number},
      {.name = "memory", .value = "GIB", .help = "at least so much", .type = base::ValueType::Number},
      {.name = "disk",
       .value = "GIB[:TYPE]",
       .help = "a disk of at least this size, of type nvme, ssd or hdd",
       .times = Times::Many},
      {.name = "arch", .value = "ARCH", .help = "architecture", .choices = {"x86_64", "aarch64"}},
      {.name = "class", .value = "CLASS", .help = "the same as --label class=CLASS"},
      {.name = "label", .value = "KEY=VALUE", .help = "only machines with this label", .times = Times::Many},
      {.name = "machine",
       .value = "[PROVIDER/]MACHINE",
       .help = "this machine and no other",
       .completer = "provider-machine"},
      {.name = "spread",
       .value = "WHAT",
       .help = "apart from instances of the same group",
       .choices = {"none", "rack", "provider"}},
      {.name = "group", .value = "GROUP", .help = "the group to be apart from"},
      {.name = "provider", .value = "PROVIDER", .help = "only this one", .completer = "provider", .times = Times::Many},
      {.name = "region", .value = "REGION", .help = "only providers there", .times = Times::Many}};
}

Flag timeout_flag() {
  return {.name = "timeout",
          .value = "TIME",
          .help = "how long to follow",
          .fallback = "30m",
          .type = base::ValueType::Duration};
}

/// Of commands that change the instance's file.
std::vector<Flag> change_flags() {
  return {
      {.name = "push",
       .value = "WHERE",
       .help =
           "direct: onto the branch that is checked out; branch: a new one, with the link of its pull request; none",
       .choices = {"direct", "branch", "none"},
       .fallback = "direct"},
      {.name = "dry-run", .help = "print the plan and change nothing"},
      {.name = "no-wait", .help = "do not follow"},
      timeout_flag(),
      no_fetch_flag()};
}

std::vector<base::ExitCode> change_codes() {
  return {{1, "failed, or not there yet after --timeout"},
          {3, "the registry would have errors; nothing was written"},
          {5, "no such instance"},
          {6, "protected, not committed, or somebody pushed first"}};
}

std::vector<Flag> joined(std::vector<Flag> a, const std::vector<Flag>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// One that changes a key, or removes the file.
Command change(std::string name, std::string summary, std::string description, std::string example,
               std::vector<Flag> more = {}) {
  return {.name = name,
          .summary = std::move(summary),
          .description = std::move(description),
          .examples = {{"nimbusctl instance " + name + " acme/web-1", std::move(example)}},
          .positionals = {instance_positional()},
          .flags = joined(std::move(more), change_flags()),
          .exit_codes = change_codes()};
}

Flag yes_flag() { return {.name = "yes", .letter = 'y', .help = "do not ask: what is erased does not come back"}; }

Command create_command() {
  auto flags = joined(
      requirement_flags(),
      {{.name = "ssh-key", .value = "KEY", .help = "person:NAME or a public key that may log in", .times = Times::Many},
       {.name = "user", .value = "USER", .help = "that logs in; default: the image's"},
       {.name = "profile", .value = "PROFILE", .help = "configuration, in this order", .times = Times::Many},
       {.name = "network", .value = "NETWORK", .help = "of the provider, to be on", .times = Times::Many},
       {.name = "user-data", .value = "FILE", .help = "below files/: for cloud-init"},
       {.name = "wait-for-machine", .help = "with one --provider: create it even if no machine fits now"}});
  return {
      .name = "create",
      .summary = "ask for a machine with an operating system",
      .description =
          "Chooses a provider by what the status branches say, writes the instance's file, checks the registry, "
          "prints the plan, commits with your own git (signed if yours signs) and pushes. Then it follows the "
          "controller to a running system. The provider's controller picks the machine; this command asks the same "
          "question with the same code.\n\nWith --push branch the commit goes to a branch of its own, your checkout "
          "stays as it is, and the link to the pull request is printed.",
      .examples =
          {{"nimbusctl instance create acme/web-2 --image debian-12 --cores 16 --memory 64 --ssh-key person:alice",
            "where it fits best"},
           {"nimbusctl instance create acme/web-2 --image debian-12 --spread rack --group web --push branch",
            "in another rack than its group, by pull request"},
           {"nimbusctl instance create acme/web-2 --image debian-12 --dry-run", "only the plan"}},
      .positionals = {instance_positional()},
      .flags = joined(std::move(flags), change_flags()),
      .exit_codes = {{1, "failed, or not running after --timeout"},
                     {3, "the registry would have errors; nothing was written"},
                     {6, "no machine fits, the file exists, or somebody pushed first"}}};
}

Command instance_plan_command() {
  return {.name = "plan",
          .summary = "which machine would it be, and why not the others",
          .description = "Of an instance that exists or does not yet. Instances that wait already get theirs first.",
          .examples = {{"nimbusctl instance plan acme/web-2 --image debian-12 --cores 16", "before asking for it"},
                       {"nimbusctl instance plan acme/db-1", "why does it wait?"}},
          .positionals = {instance_positional()},
          .flags =
              joined(requirement_flags(),
                     {{.name = "exit-code", .help = "exit with 6 if no machine fits"}, no_fetch_flag(), output_flag()}),
          .exit_codes = {{6, "with --exit-code: no machine fits"}}};
}

Command ssh_command() {
  return {.name = "ssh",
          .summary = "log in; the host key is known beforehand",
          .description =
              "Runs your ssh with the host key that the machine made when it was installed and that its controller "
              "published. Another key ends the connection: there is no switch against that.",
          .examples = {{"nimbusctl instance ssh acme/web-1", "log in"},
                       {"nimbusctl instance ssh acme/web-1 -- systemctl is-system-running", "run a command"}},
          .positionals = {instance_positional(),
                          {.name = "COMMAND", .help = "to run there, behind --", .count = Count::Any}},
          .flags =
              {{.name = "user", .letter = 'l', .value = "USER", .help = "another than the image's"},
               {.name = "identity",
                .letter = 'i',
                .value = "FILE",
                .help = "your key",
                .completer = std::string(base::kCompleteFile)},
               {.name = "port", .letter = 'p', .value = "PORT", .help = "of its sshd", .type = base::ValueType::Number},
               {.name = "print", .help = "print USER@ADDRESS and the line for known_hosts instead"},
               no_fetch_flag()},
          .exit_codes = {{5, "no such instance, or it has no login yet"},
                         {255, "ssh's own: no connection, or another host key"}}};
}

Command console_command() {
  return {
      .name = "console",
      .summary = "the serial console of an instance's machine",
      .description =
          "While nimbusd records the console, on its own machine, through nimbusd's control socket: the recording goes "
          "on, what it has comes first, and the audit log says who attached. Otherwise to the machine's BMC itself "
          "(driver ipmi), which needs the machine's file in this registry and a credential: it is for the provider's "
          "people, on the controller or wherever its secrets are. The serial consoles that Redfish BMCs offer over SSH "
          "are not reached; use the BMC's own. ~. at the beginning of a line ends it. With input from a pipe it ends "
          "when nothing more comes.",
      .examples = {{"nimbusctl instance console acme/web-1", "why does it not boot?"}},
      .positionals = {instance_positional()},
      .flags = {{.name = "credentials",
                 .value = "SOURCE",
                 .help = "instead of those of the machine's file: name of a secret, a file like one, or 'prompt'",
                 .times = Times::Many},
                {.name = "secrets",
                 .value = "DIR",
                 .help = "folder of secrets, as nimbusd's `secrets`",
                 .fallback = "/etc/nimbus/secrets",
                 .env = "NIMBUS_SECRETS",
                 .completer = std::string(base::kCompleteFolder)},
                no_fetch_flag()},
      .exit_codes = {{5, "no such instance, or it has no machine"}}};
}

/// list, describe, logs.
std::vector<Command> reading_commands() {
  return {
      {.name = "list",
       .summary = "list instances with their phase, machine and address",
       .examples = {{"nimbusctl instance list", "all"},
                    {"nimbusctl instance list --tenant acme -o name", "names, for a script"}},
       .flags = {{.name = "tenant", .value = "TENANT", .help = "only its instances"}, no_fetch_flag(), output_flag()}},
      {.name = "describe",
       .summary = "describe an instance: what is asked for, where it is, what it waits for, how to log in",
       .examples = {{"nimbusctl instance describe acme/web-1", "everything that is known"}},
       .positionals = {instance_positional()},
       .flags = {no_fetch_flag(), output_flag()},
       .exit_codes = {{5, "no such instance"}}},
      {.name = "logs",
       .summary = "what happened to an instance, from the status commits",
       .examples = {{"nimbusctl instance logs acme/web-1", "newest first"}},
       .positionals = {instance_positional()},
       .flags =
           {{.name = "limit", .value = "N", .help = "most entries", .fallback = "20", .type = base::ValueType::Number},
            no_fetch_flag(),
            output_flag()},
       .exit_codes = {{5, "nobody reported such an instance"}}}};
}

Command wait_command() {
  return {.name = "wait",
          .summary = "wait until an instance is so",
          .examples = {{"nimbusctl instance wait acme/web-1 --for running --timeout 20m", "for a script"}},
          .positionals = {instance_positional()},
          .flags = {{.name = "for",
                     .value = "WHAT",
                     .help = "a phase; released: no machine is its own any more; unprotected: its controller said so",
                     .choices = {"placed", "installing", "running", "stopped", "released", "unprotected"},
                     .fallback = "running"},
                    timeout_flag(),
                    no_fetch_flag()},
          .exit_codes = {{1, "failed, or not there yet after --timeout"}, {5, "no such instance"}}};
}

/// start, stop, restart, reinstall, unprotect, protect, delete.
std::vector<Command> changing_commands() {
  return {
      change("start", "switch an instance on", "", "power on"),
      change("stop", "switch an instance off", "Its machine and its disks stay its own.", "power off"),
      change("restart", "one power cycle", "Raises `restart` in the instance's file.", "once"),
      change(
          "reinstall", "erase the system disk and install again",
          "Raises `reinstall` in the instance's file. Other disks are kept. The instance must be unprotected, and its "
          "controller must have told so: two commits, whatever the merge button does.",
          "asks for the name first", {yes_flag()}),
      change("unprotect", "allow that an instance is reinstalled or deleted",
             "Follows until the controller has accepted it: from then on reinstall and delete are possible.",
             "the first of two steps"),
      change("protect", "refuse that an instance is reinstalled or deleted", "", "takes effect with the newest commit"),
      change("delete", "give the machine back; all its disks are erased",
             "Removes the instance's file. The controller switches the machine off, erases its disks with proof and "
             "returns "
             "it. The instance must be unprotected, and its controller must have told so.",
             "asks for the name first", {yes_flag()})};
}

}  // namespace

Command instance_command() {
  Command out{.name = "instance", .summary = "wanted machines with an operating system"};
  out.commands = {create_command(), instance_plan_command()};
  const auto add = [&](const std::vector<Command>& more) {
    out.commands.insert(out.commands.end(), more.begin(), more.end());
  };
  add(reading_commands());
  add({ssh_command(), console_command(), wait_command()});
  add(changing_commands());
  return out;
}

Command place_command() {
  return {
      .name = "place",
      .summary = "choose a provider for an instance's file, and write it there",
      .description = "For files written by hand without 'provider'. The choice is that of 'nimbusctl instance plan'.",
      .examples = {{"nimbusctl place acme/web-2", "where it fits best"},
                   {"nimbusctl place acme/web-2 --region eu-central --push none", "commit only"}},
      .positionals = {instance_positional()},
      .flags =
          joined({{.name = "provider",
                   .value = "PROVIDER",
                   .help = "only this one",
                   .completer = "provider",
                   .times = Times::Many},
                  {.name = "region", .value = "REGION", .help = "only providers there", .times = Times::Many},
                  {.name = "wait-for-machine", .help = "with one --provider: write it even if no machine fits now"}},
                 {{.name = "push",
                   .value = "WHERE",
                   .help = "direct: onto the branch that is checked out; branch: a new one, with the link of its pull "
                           "request; none",
                   .choices = {"direct", "branch", "none"},
                   .fallback = "direct"},
                  {.name = "dry-run", .help = "print the plan and change nothing"},
                  no_fetch_flag()}),
      .exit_codes = {{3, "the registry would have errors; nothing was written"},
                     {5, "no such instance"},
                     {6, "no machine fits, or it has one"}}};
}

}  // namespace nimbus::cli
