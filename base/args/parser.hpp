// One walk over a command line. Private to base/args.
//
// The rules are getopt_long's, without abbreviations: "--name=value" or
// "--name value", "-x value" or "-xvalue", clusters of switches ("-vq"), flags and
// arguments in any order, "--" ends the flags, "-" is an argument.
//
// Why not Debian's CLI11 2.1.2: measured, it splits the value "[a,b]" into two, lets
// "--tag=" swallow the next word, and takes a later argument that is named like a
// command for that command. A machine may be called "port".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/args/args.hpp"

namespace nimbus::base {

class Parser {
 public:
  Parser(const CommandTable& program, const Environment& environment)
      : program_(program), environment_(environment), command_(&program.root) {}

  std::variant<Parsed, ExitNow> run(std::vector<std::string> words);

 private:
  // Each returns what is wrong, or nothing.
  using Problem = std::optional<std::string>;
  Problem walk();
  Problem take_word(const std::string& word);
  Problem take_long(std::string_view word);
  Problem take_letters(std::string_view word);
  Problem take_value(const Flag& flag, const std::string& shown, std::optional<std::string> attached);
  Problem finish_command();
  Problem place_positionals();
  Problem fill_in(const Flag& flag);
  Problem check(const Flag& flag, const std::string& value, const std::string& shown) const;

  const Flag* find_flag(std::string_view name) const;
  const Flag* find_letter(char letter) const;
  std::vector<const Flag*> flags() const;
  std::string suggest_flag(std::string_view name) const;

  const CommandTable& program_;
  const Environment& environment_;
  const Command* command_;
  std::vector<std::string> words_;
  std::size_t next_ = 0;
  bool help_ = false;
  bool version_ = false;
  std::vector<std::string> positionals_;
  Parsed parsed_;
};

/// Checks one value against choices; the message names what was meant.
std::optional<std::string> check_choice(const std::vector<std::string>& choices, const std::string& value,
                                        const std::string& shown);

}  // namespace nimbus::base
