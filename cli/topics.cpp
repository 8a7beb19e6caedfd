#include "cli/topics.hpp"

namespace nimbus::cli {

std::vector<base::ExitCode> exit_codes() {
  return {{0, "done"},
          {1, "an error without a code of its own"},
          {2,
           "there is something to do: plan --exit-code found changes, fmt --check found files, drift --exit-code found "
           "some"},
          {3, "the registry breaks a rule"},
          {4, "nimbusd does not allow it"},
          {5, "not found: no such registry, commit, provider, machine or key"},
          {6, "somebody changed it first"},
          {9, "nimbusd does not answer"},
          {64, "the command line is wrong"}};
}

std::vector<base::Topic> topics() {
  return {
      {"exit-codes", "what exit codes mean",
       "Codes are stable; scripts may rely on them.\n\n"
       "  0   done\n"
       "  1   an error without a code of its own\n"
       "  2   there is something to do (plan --exit-code, fmt --check)\n"
       "  3   the registry breaks a rule\n"
       "  4   nimbusd does not allow it\n"
       "  5   not found\n"
       "  6   somebody changed it first\n"
       "  9   nimbusd does not answer\n"
       "  64  the command line is wrong"},
      {"registry", "the files of a registry",
       "A registry is a Git repository. The path of a file is the name of what it describes: "
       "providers/berlin-1/machines/b2/m017.toml is machine m017 of provider berlin-1.\n\n"
       "  registry.toml                                format, name, status branch\n"
       "  providers/PROVIDER/provider.toml             a site\n"
       "  providers/PROVIDER/classes/CLASS.toml        a kind of hardware\n"
       "  providers/PROVIDER/networks/NETWORK.toml     subnets and VLANs\n"
       "  providers/PROVIDER/machines/[GROUP/]M.toml   a machine\n"
       "  images/IMAGE.toml  profiles/PROFILE.toml     for everybody\n"
       "  tenants/TENANT/instances/INSTANCE.toml       a wanted machine\n"
       "  policy/                                      limits, tenants, people, roles\n\n"
       "Unknown keys are errors. A machine that nobody described further is only looked at. Credentials are names of "
       "secrets that live on the controller, never values."},
      {"output", "output formats, colours and streams",
       "Data goes to standard output, messages to standard error. -o (--output, or --format) chooses the form: table "
       "and wide for people; json "
       "(one array), jsonl (one object a line), yaml, toml and name (one name a line) for programs.\n\n"
       "Colours appear on terminals only, never with NO_COLOR, TERM=dumb or --no-color. Control characters in texts of "
       "others (a BMC, a commit, a file) are shown as escapes."},
      {"environment", "variables that nimbusctl reads",
       "  NIMBUS_REGISTRY   the registry, where -C is not given\n"
       "  NIMBUS_OUTPUT     the format, where -o is not given\n"
       "  NIMBUS_CONFIG     the settings file; default: $XDG_CONFIG_HOME/nimbus/config.toml\n"
       "  NO_COLOR          any value: no colours\n"
       "  CLICOLOR_FORCE    any value but 0: colours also into a pipe"},
  };
}

}  // namespace nimbus::cli
