#include "base/args/describe.hpp"

#include <fmt/core.h>

namespace nimbus::base {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

void collect(const Command& command, std::vector<std::string>& path, std::vector<std::vector<std::string>>& out) {
  for (const auto& below : command.commands) {
    if (below.shown == Shown::Hidden) continue;
    path.push_back(below.name);
    out.push_back(path);
    collect(below, path, out);
    path.pop_back();
  }
}

}  // namespace

std::string flag_usage(const Flag& flag) {
  std::string out = flag.letter != 0 ? fmt::format("-{}, ", flag.letter) : std::string();
  out += "--" + flag.name;
  if (!flag.alias.empty()) out += ", --" + flag.alias;
  if (!flag.value.empty()) out += " " + flag.value;
  return out;
}

std::string flag_meaning(const Flag& flag) {
  std::string out = flag.help;
  if (!flag.choices.empty()) out += ": " + joined(flag.choices);
  if (flag.times == Times::Many) out += "; may be given several times";
  std::string defaults;
  if (!flag.env.empty()) defaults = "$" + flag.env;
  if (!flag.fallback.empty()) defaults += (defaults.empty() ? "" : ", else ") + flag.fallback;
  if (!defaults.empty()) out += fmt::format(" (default: {})", defaults);
  return out;
}

std::string positional_meaning(const Positional& positional) {
  std::string out = positional.help;
  if (!positional.choices.empty()) out += ": " + joined(positional.choices);
  return out;
}

std::string positional_usage(const Positional& positional) {
  switch (positional.count) {
    case Count::One:
      return positional.name;
    case Count::AtMostOne:
      return "[" + positional.name + "]";
    case Count::AtLeastOne:
      return positional.name + "...";
    case Count::Any:
      return "[" + positional.name + "...]";
  }
  return positional.name;
}

std::string usage_line(const CommandTable& program, const std::vector<std::string>& path) {
  const Command* command = find_command(program, path);
  std::string out = command_line(program, path);
  if (command == nullptr) return out;
  if (!command->commands.empty()) out += " COMMAND";
  for (const auto& positional : command->positionals) out += " " + positional_usage(positional);
  if (!command->flags.empty() || !program.global_flags.empty()) out += " [FLAGS]";
  return out;
}

std::vector<std::vector<std::string>> shown_commands(const CommandTable& program) {
  std::vector<std::vector<std::string>> out;
  std::vector<std::string> path;
  collect(program.root, path, out);
  return out;
}

}  // namespace nimbus::base
