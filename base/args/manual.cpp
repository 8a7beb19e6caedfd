#include "base/args/manual.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/args/describe.hpp"
#include "base/text/text.hpp"

namespace nimbus::base {
namespace {

// ---- roff, man(7) macros

std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  if (!out.empty() && (out.front() == '.' || out.front() == '\'')) out.insert(0, "\\&");
  return out;
}

std::string roff_name(const CommandTable& program, const std::vector<std::string>& path) {
  std::string out = program.root.name;
  for (const auto& name : path) out += "-" + name;
  return out;
}

/// Paragraphs; runs of indented lines are shown as they are.
std::string roff_paragraphs(std::string_view text) {
  std::string out;
  bool verbatim = false;
  bool break_pending = false;
  for (const auto line : split(text, '\n')) {
    const bool indented = line.starts_with(' ');
    if (verbatim && !indented) {
      out += ".fi\n.RE\n";
      verbatim = false;
    }
    if (line.empty()) {
      break_pending = !out.empty();
      continue;
    }
    if (break_pending) out += ".PP\n";
    break_pending = false;
    if (indented && !verbatim) {
      out += ".RS 4\n.nf\n";
      verbatim = true;
    }
    out += roff(indented ? trim(line) : line) + "\n";
  }
  if (verbatim) out += ".fi\n.RE\n";
  return out;
}

std::string roff_item(std::string_view head, std::string_view text) {
  return fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(head), roff(text));
}

std::string roff_flags(const std::vector<Flag>& flags) {
  std::string out;
  for (const auto& flag : flags) out += roff_item(flag_usage(flag), flag_meaning(flag) + ".");
  return out;
}

std::string roff_commands(const CommandTable& program, const Command& command, const std::vector<std::string>& path) {
  std::string out;
  for (const auto& below : command.commands) {
    if (below.shown == Shown::Hidden) continue;
    auto inner = path;
    inner.push_back(below.name);
    out += fmt::format(".TP\n\\fB{}\\fR({})\n{}.\n", roff(roff_name(program, inner)), program.man_section,
                       roff(below.summary));
  }
  return out;
}

std::string roff_environment(const CommandTable& program, const Command& command) {
  std::string out;
  for (const auto* flags : {&command.flags, &program.global_flags}) {
    for (const auto& flag : *flags) {
      if (!flag.env.empty()) out += roff_item(flag.env, "Used where --" + flag.name + " is not given.");
    }
  }
  return out;
}

std::string roff_exit_status(const CommandTable& program, const Command& command, bool is_root) {
  std::string out;
  for (const auto& exit : is_root ? program.exit_codes : command.exit_codes) {
    out += roff_item(fmt::format("{}", exit.code), exit.meaning + ".");
  }
  if (!is_root && !program.exit_codes.empty()) {
    out += fmt::format("{}The codes of every command are listed in\n.BR {} ({}).\n", out.empty() ? "" : ".PP\n",
                       roff(program.root.name), program.man_section);
  }
  return out;
}

std::string section(std::string_view title, const std::string& body) {
  return body.empty() ? std::string() : fmt::format(".SH {}\n{}", title, body);
}

std::string roff_see_also(const CommandTable& program, const std::vector<std::string>& path) {
  if (path.empty()) return {};
  auto parent = path;
  parent.pop_back();
  std::string out = fmt::format(".BR {} ({})", roff(roff_name(program, parent)), program.man_section);
  if (!parent.empty()) out += fmt::format(",\n.BR {} ({})", roff(program.root.name), program.man_section);
  return out + "\n";
}

// ---- Markdown

std::string markdown(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '|') {
      out += "\\|";
    } else {
      out += c;
    }
  }
  return out;
}

/// Paragraphs as they are; indented lines become a block.
std::string markdown_paragraphs(std::string_view text) {
  std::string out;
  bool verbatim = false;
  for (const auto line : split(text, '\n')) {
    const bool indented = line.starts_with(' ');
    if (indented != verbatim && (indented || !line.empty())) {
      if (indented && !out.ends_with("\n\n")) out += "\n";
      out += indented ? "```text\n" : "```\n\n";
      verbatim = indented;
    } else if (verbatim && line.empty()) {
      out += "```\n";
      verbatim = false;
    }
    out += verbatim ? std::string(trim(line)) + "\n" : markdown(line) + "\n";
  }
  if (verbatim) out += "```\n";
  return out;
}

std::string markdown_flags(const std::vector<Flag>& flags) {
  std::string out = "| flag | meaning |\n| --- | --- |\n";
  for (const auto& flag : flags) {
    out += fmt::format("| `{}` | {} |\n", flag_usage(flag), markdown(flag_meaning(flag)));
  }
  return out + "\n";
}

std::string markdown_exit_codes(const std::vector<ExitCode>& codes) {
  std::string out = "| exit code | meaning |\n| --- | --- |\n";
  for (const auto& exit : codes) out += fmt::format("| {} | {} |\n", exit.code, markdown(exit.meaning));
  return out + "\n";
}

std::string markdown_command(const CommandTable& program, const std::vector<std::string>& path) {
  const Command& command = *find_command(program, path);
  std::string out = fmt::format("## {}\n\n{}.\n\n```text\n{}\n```\n\n", command_line(program, path),
                                markdown(command.summary), usage_line(program, path));
  if (!command.description.empty()) out += markdown_paragraphs(command.description) + "\n";
  if (!command.examples.empty()) {
    out += "```sh\n";
    for (const auto& example : command.examples) out += fmt::format("# {}\n{}\n", example.effect, example.command);
    out += "```\n\n";
  }
  if (!command.positionals.empty()) {
    out += "| argument | meaning |\n| --- | --- |\n";
    for (const auto& positional : command.positionals) {
      out += fmt::format("| `{}` | {} |\n", positional_usage(positional), markdown(positional_meaning(positional)));
    }
    out += "\n";
  }
  if (!command.flags.empty()) out += markdown_flags(command.flags);
  if (!command.exit_codes.empty()) out += markdown_exit_codes(command.exit_codes);
  return out;
}

}  // namespace

std::string man_page(const CommandTable& program, const std::vector<std::string>& path) {
  const Command* found = find_command(program, path);
  if (found == nullptr) return {};
  const Command& command = *found;
  const std::string name = roff_name(program, path);
  std::string title = name;
  std::ranges::transform(title, title.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });

  std::string out = fmt::format(
      ".\\\" Made from the command table of {}.\n.TH \"{}\" \"{}\" \"{}\" \"Nimbus {}\" \"Nimbus Manual\"\n",
      program.root.name, title, program.man_section, program.date, program.version);
  out += section("NAME", fmt::format("{} \\- {}\n", roff(name), roff(command.summary)));
  out += section("SYNOPSIS", fmt::format("\\fB{}\\fR\n", roff(usage_line(program, path))));
  out += section("DESCRIPTION",
                 roff_paragraphs(command.description.empty() ? command.summary + "." : command.description));
  out += section("COMMANDS", roff_commands(program, command, path));
  std::string arguments;
  for (const auto& positional : command.positionals) {
    arguments += roff_item(positional_usage(positional), positional_meaning(positional) + ".");
  }
  out += section("ARGUMENTS", arguments);
  out += section("OPTIONS", roff_flags(command.flags));
  out += section("\"GLOBAL OPTIONS\"", roff_flags(program.global_flags));
  out += section("ENVIRONMENT", roff_environment(program, command));
  out += section("\"EXIT STATUS\"", roff_exit_status(program, command, path.empty()));
  std::string examples;
  for (const auto& example : command.examples) {
    examples += fmt::format(".PP\n{}:\n.PP\n.RS 4\n.nf\n{}\n.fi\n.RE\n", roff(example.effect), roff(example.command));
  }
  if (examples.starts_with(".PP\n")) examples.erase(0, 4);
  out += section("EXAMPLES", examples);
  if (path.empty()) {
    for (const auto& topic : program.topics) {
      std::string heading = topic.name;
      std::ranges::transform(heading, heading.begin(), [](char c) {
        return c == '-' ? ' ' : (c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c);
      });
      out += section("\"" + heading + "\"", roff_paragraphs(topic.text));
    }
  }
  out += section("\"SEE ALSO\"", roff_see_also(program, path));
  return out;
}

std::vector<ManPage> man_pages(const CommandTable& program) {
  std::vector<std::vector<std::string>> paths = {{}};
  for (auto& path : shown_commands(program)) paths.push_back(std::move(path));
  std::vector<ManPage> out;
  for (auto& path : paths) {
    out.push_back({fmt::format("{}.{}", roff_name(program, path), program.man_section), path});
  }
  return out;
}

std::string reference_page(const CommandTable& program) {
  std::string out = fmt::format(
      "# {}\n\n<!-- Made from the command table: `{} __reference`. A test compares this file with it. -->\n\n{}.\n\n",
      program.root.name, program.root.name, markdown(program.root.summary));
  if (!program.root.description.empty()) out += markdown_paragraphs(program.root.description) + "\n";
  if (program.root.commands.empty()) out += markdown_command(program, {});
  if (!program.root.commands.empty()) {
    out += "| command | does |\n| --- | --- |\n";
    for (const auto& path : shown_commands(program)) {
      const std::string line = command_line(program, path);
      std::string anchor = line;
      std::ranges::replace(anchor, ' ', '-');
      out += fmt::format("| [`{}`](#{}) | {} |\n", line, anchor, markdown(find_command(program, path)->summary));
    }
    out += "\n";
  }
  if (!program.global_flags.empty()) out += "## Global flags\n\n" + markdown_flags(program.global_flags);
  if (!program.exit_codes.empty()) out += "## Exit codes\n\n" + markdown_exit_codes(program.exit_codes);
  for (const auto& path : shown_commands(program)) out += markdown_command(program, path);
  for (const auto& topic : program.topics) {
    out += fmt::format("## Topic: {}\n\n{}.\n\n{}\n", topic.name, markdown(topic.summary),
                       markdown_paragraphs(topic.text));
  }
  while (out.ends_with("\n\n")) out.pop_back();
  return out;
}

}  // namespace nimbus::base
