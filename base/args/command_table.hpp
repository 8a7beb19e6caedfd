// The command table: one declaration of a program's commands, flags and
// arguments. Parsing (args.hpp), help, completion scripts (complete.hpp), man
// pages and the reference page (manual.hpp) all read it, so they cannot disagree.
// Plain values; knows no program and no third-party library.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace nimbus::base {

/// What a value must look like; checked while parsing.
enum class ValueType : std::uint8_t { Text, Number, Duration };

/// Completer kinds that every shell knows by itself; other kinds are the program's.
inline constexpr std::string_view kCompleteFile = "file";
inline constexpr std::string_view kCompleteFolder = "folder";

enum class Times : std::uint8_t { Once, Many };

struct Flag {
  std::string name;        // "format" is given as --format
  char letter = 0;         // 'o': also as -o
  std::string value = {};  // "FORMAT"; empty: a switch without a value
  std::string help = {};   // one sentence, no full stop
  std::vector<std::string> choices = {};
  std::string fallback = {};   // the value when neither given nor in the environment
  std::string env = {};        // environment variable behind the flag
  std::string completer = {};  // kind of values
  ValueType type = ValueType::Text;
  Times times = Times::Once;
  std::string alias = {};  // "layout": --layout is the same flag
};

enum class Count : std::uint8_t { One, AtMostOne, AtLeastOne, Any };

/// Only the last positional of a command may be AtLeastOne or Any.
struct Positional {
  std::string name;  // "DIR"
  std::string help = {};
  Count count = Count::One;
  std::vector<std::string> choices = {};
  std::string completer = {};
};

struct Example {
  std::string command;  // as typed, with the program's name
  std::string effect;   // what it does, one line
};

struct ExitCode {
  int code = 0;
  std::string meaning;
};

enum class Shown : std::uint8_t { Yes, Hidden };

struct Command {
  std::string name;
  std::string summary;           // one line, no full stop
  std::string description = {};  // paragraphs separated by an empty line
  std::vector<Example> examples = {};
  std::vector<Positional> positionals = {};
  std::vector<Flag> flags = {};
  std::vector<ExitCode> exit_codes = {};  // those with a meaning of their own here
  std::vector<Command> commands = {};     // a group has commands and no positionals
  Shown shown = Shown::Yes;
};

/// A longer text behind `help TOPIC`.
struct Topic {
  std::string name;
  std::string summary;
  std::string text;  // paragraphs; a paragraph of indented lines is kept as it is
};

/// A value offered at a <Tab>, with a few words about it.
struct Candidate {
  std::string value;
  std::string help = {};
  friend bool operator==(const Candidate&, const Candidate&) = default;
};

struct CommandTable {
  Command root;                           // its name is the program's
  std::vector<Flag> global_flags = {};    // accepted before and after any command
  std::vector<ExitCode> exit_codes = {};  // of every command
  std::vector<Topic> topics = {};
  std::string version = {};
  std::string date = {};  // of the release, "2026-11-23": for the man pages
  int man_section = 1;
  /// Values for a completer kind of the program's own; may read files, must not fail.
  std::function<std::vector<Candidate>(std::string_view kind)> values = {};
};

/// The command at `path` ("provider", "list"); null if there is none.
const Command* find_command(const CommandTable& program, const std::vector<std::string>& path);

/// "nimbusctl provider list": the program's name and the path.
std::string command_line(const CommandTable& program, const std::vector<std::string>& path);

}  // namespace nimbus::base
