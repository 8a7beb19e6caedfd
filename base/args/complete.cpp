#include "base/args/complete.hpp"

#include <algorithm>

#include "base/text/text.hpp"

namespace nimbus::base {
namespace {

/// What the words before the cursor mean.
struct Line {
  const Command* command;
  const Flag* waiting = nullptr;  // the flag whose value comes next
  std::size_t positionals = 0;
  bool flags_ended = false;
};

const Flag* find_flag(const CommandTable& program, const Command& command, std::string_view word) {
  for (const auto* flags : {&command.flags, &program.global_flags}) {
    for (const auto& flag : *flags) {
      if (word == "--" + flag.name) return &flag;
      if (!flag.alias.empty() && word == "--" + flag.alias) return &flag;
      if (flag.letter != 0 && word == std::string("-") + flag.letter) return &flag;
    }
  }
  return nullptr;
}

void advance(const CommandTable& program, Line& line, const std::string& word) {
  if (line.waiting != nullptr) {
    line.waiting = nullptr;
  } else if (!line.flags_ended && word == "--") {
    line.flags_ended = true;
  } else if (!line.flags_ended && word.size() > 1 && word.front() == '-') {
    const Flag* flag = find_flag(program, *line.command, word);
    if (flag != nullptr && !flag->value.empty()) line.waiting = flag;
  } else if (line.command->commands.empty()) {
    ++line.positionals;
  } else {
    for (const auto& below : line.command->commands) {
      if (below.name == word) {
        line.command = &below;
        break;
      }
    }
  }
}

/// bash hands "--format=json" over as three words.
std::vector<std::string> without_split_equals(const std::vector<std::string>& words) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool split_here = words[i] == "=" && !out.empty() && out.back().starts_with("--");
    if (!split_here) {
      out.push_back(words[i]);
    } else if (i + 1 == words.size()) {
      out.emplace_back();
    }
  }
  return out;
}

/// A candidate is put on the command line as it is: whatever a shell could take
/// for anything but a word is left out, wherever the name came from.
bool is_plain_word(std::string_view word) {
  if (word.empty() || word.size() > 256) return false;
  return std::ranges::all_of(word, [](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return letter || std::string_view("._/@:+=-,").find(c) != std::string_view::npos;
  });
}

class Collector {
 public:
  Collector(const CommandTable& program, std::string_view typed) : program_(program), typed_(typed) {}

  void add(std::string value, std::string_view help) {
    if (value.starts_with(typed_) && is_plain_word(value))
      out_.candidates.push_back({std::move(value), std::string(help)});
  }

  void add_values(std::string_view prefix, const std::vector<std::string>& choices, std::string_view completer) {
    for (const auto& choice : choices) add(std::string(prefix) + choice, {});
    if (completer == kCompleteFile) {
      out_.files = Completion::Files::Files;
    } else if (completer == kCompleteFolder) {
      out_.files = Completion::Files::Folders;
    } else if (!completer.empty() && program_.values) {
      for (const auto& candidate : program_.values(completer))
        add(std::string(prefix) + candidate.value, candidate.help);
    }
  }

  void add_flags(const Command& command) {
    for (const auto* flags : {&command.flags, &program_.global_flags}) {
      for (const auto& flag : *flags) {
        add("--" + flag.name, flag.help);
        if (!flag.alias.empty()) add("--" + flag.alias, flag.help);
      }
    }
    add("--help", "what this command does");
  }

  Completion take() { return std::move(out_); }

 private:
  const CommandTable& program_;
  std::string_view typed_;
  Completion out_;
};

void add_positional(const Command& command, std::size_t index, Collector& collector) {
  const auto& all = command.positionals;
  if (all.empty()) return;
  const bool last_repeats = all.back().count == Count::Any || all.back().count == Count::AtLeastOne;
  if (index >= all.size() && !last_repeats) return;
  const auto& positional = all[std::min(index, all.size() - 1)];
  collector.add_values({}, positional.choices, positional.completer);
}

}  // namespace

Completion complete(const CommandTable& program, const std::vector<std::string>& given) {
  std::vector<std::string> words = without_split_equals(given);
  if (words.empty()) words.emplace_back();
  const std::string typed = words.back();
  words.pop_back();

  Line line{.command = &program.root};
  for (const auto& word : words) advance(program, line, word);

  Collector collector(program, typed);
  const auto equals = typed.find('=');
  if (line.waiting != nullptr) {
    collector.add_values({}, line.waiting->choices, line.waiting->completer);
  } else if (!line.flags_ended && typed.starts_with("--") && equals != std::string::npos) {
    const Flag* flag = find_flag(program, *line.command, std::string_view(typed).substr(0, equals));
    if (flag != nullptr) collector.add_values(typed.substr(0, equals + 1), flag->choices, flag->completer);
  } else if (!line.flags_ended && typed.starts_with("-")) {
    collector.add_flags(*line.command);
  } else if (!line.command->commands.empty()) {
    for (const auto& below : line.command->commands) {
      if (below.shown == Shown::Yes) collector.add(below.name, below.summary);
    }
  } else {
    add_positional(*line.command, line.positionals, collector);
  }
  return collector.take();
}

std::string to_text(const Completion& completion) {
  std::string out;
  switch (completion.files) {
    case Completion::Files::No:
      out = ":none\n";
      break;
    case Completion::Files::Files:
      out = ":files\n";
      break;
    case Completion::Files::Folders:
      out = ":folders\n";
      break;
  }
  for (const auto& candidate : completion.candidates) {
    out += printable(candidate.value);
    if (!candidate.help.empty()) out += "\t" + printable(candidate.help, 80);
    out += "\n";
  }
  return out;
}

}  // namespace nimbus::base
