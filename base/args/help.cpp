// --help and `help TOPIC`: short, examples first, at most 80 columns.
#include <algorithm>

#include <fmt/core.h>

#include "base/args/args.hpp"
#include "base/args/describe.hpp"
#include "base/text/text.hpp"

namespace nimbus::base {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kWidestLeft = 26;

struct Row {
  std::string left, right;
};

std::string two_columns(const std::vector<Row>& rows) {
  std::size_t column = 0;
  for (const auto& row : rows) column = std::max(column, std::min(row.left.size(), kWidestLeft));
  column += 4;
  std::string out;
  for (const auto& row : rows) {
    std::string right = wrap(row.right, kWidth, column);
    if (row.left.size() + 4 <= column && right.size() >= column) {
      right.replace(0, column, fmt::format("  {:<{}}", row.left, column - 2));
      out += right;
    } else {
      out += "  " + row.left + "\n" + right;
    }
  }
  return out;
}

std::string examples_text(const Command& command) {
  std::string out;
  for (const auto& example : command.examples) out += fmt::format("  {}\n      {}\n", example.command, example.effect);
  return out;
}

std::string commands_text(const Command& command) {
  std::vector<Row> rows;
  for (const auto& below : command.commands) {
    if (below.shown == Shown::Yes) rows.push_back({below.name, below.summary});
  }
  return two_columns(rows);
}

std::string flags_text(const std::vector<Flag>& flags) {
  std::vector<Row> rows;
  for (const auto& flag : flags) rows.push_back({flag_usage(flag), flag_meaning(flag)});
  return two_columns(rows);
}

}  // namespace

std::string wrap(std::string_view text, std::size_t width, std::size_t indent) {
  std::string out;
  std::string line;
  const auto end_line = [&] {
    if (!line.empty()) out += std::string(indent, ' ') + line + "\n";
    line.clear();
  };
  for (const auto paragraph : split(text, '\n')) {
    if (paragraph.empty() || paragraph.front() == ' ') {  // an empty line, or one to be kept as it is
      end_line();
      out += paragraph.empty() ? "\n" : std::string(indent, ' ') + std::string(paragraph) + "\n";
      continue;
    }
    for (const auto word : split(paragraph, ' ')) {
      if (word.empty()) continue;
      if (!line.empty() && indent + line.size() + 1 + word.size() > width) end_line();
      line += (line.empty() ? "" : " ") + std::string(word);
    }
  }
  end_line();
  return out;
}

std::string help_text(const CommandTable& program, const std::vector<std::string>& path) {
  const Command* command = find_command(program, path);
  if (command == nullptr) command = &program.root;
  std::string out =
      fmt::format("{}: {}\n\nUsage: {}\n", command_line(program, path), command->summary, usage_line(program, path));
  if (!command->examples.empty()) out += "\nExamples:\n" + examples_text(*command);
  if (!command->description.empty()) out += "\n" + wrap(command->description, kWidth, 0);
  if (!command->commands.empty()) out += "\nCommands:\n" + commands_text(*command);
  if (!command->positionals.empty()) {
    std::vector<Row> rows;
    for (const auto& positional : command->positionals)
      rows.push_back({positional.name, positional_meaning(positional)});
    out += "\nArguments:\n" + two_columns(rows);
  }
  if (!command->flags.empty()) out += "\nFlags:\n" + flags_text(command->flags);
  if (!program.global_flags.empty()) out += "\nGlobal flags:\n" + flags_text(program.global_flags);
  if (!command->exit_codes.empty()) {
    std::vector<Row> rows;
    for (const auto& exit : command->exit_codes) rows.push_back({fmt::format("{}", exit.code), exit.meaning});
    out += "\nExit codes:\n" + two_columns(rows);
  }
  if (!command->commands.empty()) {
    out += fmt::format("\n'{} COMMAND --help' tells more about a command.\n", command_line(program, path));
  }
  return out;
}

std::string topic_text(const Topic& topic) {
  return fmt::format("{}: {}\n\n{}", topic.name, topic.summary, wrap(topic.text, kWidth, 0));
}

}  // namespace nimbus::base
