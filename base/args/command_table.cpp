#include "base/args/command_table.hpp"

#include <algorithm>

namespace nimbus::base {

const Command* find_command(const CommandTable& program, const std::vector<std::string>& path) {
  const Command* command = &program.root;
  for (const auto& name : path) {
    const auto& below = command->commands;
    const auto found = std::ranges::find(below, name, &Command::name);
    if (found == below.end()) return nullptr;
    command = &*found;
  }
  return command;
}

std::string command_line(const CommandTable& program, const std::vector<std::string>& path) {
  std::string out = program.root.name;
  for (const auto& name : path) out += " " + name;
  return out;
}

}  // namespace nimbus::base
