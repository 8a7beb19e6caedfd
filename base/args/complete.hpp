// Shell completion. The scripts are thin: they ask the program itself
// (`PROGRAM __complete WORD…`), which answers from the command table.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/args/command_table.hpp"

namespace nimbus::base {

/// What may follow. `files` tells the shell to add its own file or folder names.
struct Completion {
  enum class Files : std::uint8_t { No, Files, Folders } files = Files::No;
  std::vector<Candidate> candidates = {};
};

/// `words`: what stands on the line after the program's name; the last one (maybe
/// empty) is being typed. Only candidates that start with it are returned.
Completion complete(const CommandTable& program, const std::vector<std::string>& words);

/// The protocol of __complete: a line ":files", ":folders" or ":none", then one
/// "value<TAB>help" a line. Foreign control characters never reach the shell.
std::string to_text(const Completion& completion);

/// "bash", "zsh" or "fish"; nothing for another shell.
std::optional<std::string> completion_script(const CommandTable& program, std::string_view shell);

}  // namespace nimbus::base
