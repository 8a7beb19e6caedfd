#include "base/args/parser.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "base/time/time.hpp"

namespace nimbus::base {
namespace {

constexpr std::size_t kLongestShown = 120;  // of a word that somebody typed, in a message

std::string quoted(std::string_view word) { return "'" + printable(word, kLongestShown) + "'"; }

std::string did_you_mean_text(std::string_view word, const std::vector<std::string>& candidates,
                              std::string_view prefix = {}) {
  const auto meant = did_you_mean(word, candidates);
  return meant ? fmt::format("; did you mean '{}{}'?", prefix, *meant) : std::string();
}

std::optional<std::int64_t> to_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool looks_like_flag(std::string_view word) { return word.size() > 1 && word.front() == '-' && !to_number(word); }

}  // namespace

std::optional<std::string> check_choice(const std::vector<std::string>& choices, const std::string& value,
                                        const std::string& shown) {
  if (choices.empty() || std::ranges::find(choices, value) != choices.end()) return std::nullopt;
  std::string list;
  for (const auto& choice : choices) list += (list.empty() ? "" : ", ") + choice;
  return fmt::format("{} cannot be {}{} (one of: {})", shown, quoted(value), did_you_mean_text(value, choices), list);
}

std::vector<const Flag*> Parser::flags() const {
  std::vector<const Flag*> all;
  for (const auto& flag : command_->flags) all.push_back(&flag);
  for (const auto& flag : program_.global_flags) all.push_back(&flag);
  return all;
}

const Flag* Parser::find_flag(std::string_view name) const {
  for (const auto* flag : flags()) {
    if (flag->name == name || (!flag->alias.empty() && flag->alias == name)) return flag;
  }
  return nullptr;
}

const Flag* Parser::find_letter(char letter) const {
  for (const auto* flag : flags()) {
    if (flag->letter == letter) return flag;
  }
  return nullptr;
}

std::string Parser::suggest_flag(std::string_view name) const {
  std::vector<std::string> names = {"help"};
  for (const auto* flag : flags()) {
    names.push_back(flag->name);
    if (!flag->alias.empty()) names.push_back(flag->alias);
  }
  return did_you_mean_text(name, names, "--");
}

Parser::Problem Parser::walk() {
  while (next_ < words_.size()) {
    const std::string word = words_[next_++];
    if (word == "--") {
      positionals_.insert(positionals_.end(), words_.begin() + static_cast<std::ptrdiff_t>(next_), words_.end());
      next_ = words_.size();
      break;
    }
    Problem problem;
    if (word.starts_with("--")) {
      problem = take_long(std::string_view(word).substr(2));
    } else if (word.size() > 1 && word.front() == '-') {
      problem = take_letters(std::string_view(word).substr(1));
    } else {
      problem = take_word(word);
    }
    if (problem) return problem;
  }
  return std::nullopt;
}

Parser::Problem Parser::take_word(const std::string& word) {
  if (command_->commands.empty()) {
    positionals_.push_back(word);
    return std::nullopt;
  }
  for (const auto& below : command_->commands) {
    if (below.name != word) continue;
    command_ = &below;
    parsed_.command_.push_back(word);
    return std::nullopt;
  }
  std::vector<std::string> names;
  for (const auto& below : command_->commands) {
    if (below.shown == Shown::Yes) names.push_back(below.name);
  }
  return fmt::format("unknown command {}{}", quoted(word), did_you_mean_text(word, names));
}

Parser::Problem Parser::take_long(std::string_view word) {
  const auto equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  std::optional<std::string> attached;
  if (equals != std::string_view::npos) attached = std::string(word.substr(equals + 1));
  if (name == "help" && !attached) {
    help_ = true;
    return std::nullopt;
  }
  if (name == "version" && !attached && command_ == &program_.root && !program_.version.empty()) {
    version_ = true;
    return std::nullopt;
  }
  const Flag* flag = find_flag(name);
  if (flag == nullptr) {
    return fmt::format("unknown flag {}{}", quoted("--" + std::string(name)), suggest_flag(name));
  }
  return take_value(*flag, "--" + std::string(name), std::move(attached));
}

Parser::Problem Parser::take_letters(std::string_view word) {
  while (!word.empty()) {
    const char letter = word.front();
    word.remove_prefix(1);
    const Flag* flag = find_letter(letter);
    if (flag == nullptr && letter == 'h') {
      help_ = true;
      continue;
    }
    if (flag == nullptr) return fmt::format("unknown flag {}", quoted(std::string("-") + letter));
    if (flag->value.empty()) {
      if (auto problem = take_value(*flag, std::string("-") + letter, std::nullopt)) return problem;
      continue;
    }
    std::optional<std::string> attached;
    if (!word.empty()) attached = std::string(word);
    return take_value(*flag, std::string("-") + letter, std::move(attached));
  }
  return std::nullopt;
}

Parser::Problem Parser::take_value(const Flag& flag, const std::string& shown, std::optional<std::string> attached) {
  auto& entry = parsed_.entries_[flag.name];
  entry.origin = Origin::CommandLine;
  if (flag.value.empty()) {
    if (attached) return fmt::format("{} takes no value", shown);
    return std::nullopt;
  }
  if (!attached) {
    if (next_ == words_.size() || looks_like_flag(words_[next_])) {
      return fmt::format("{} needs a value: --{}={}", shown, flag.name, flag.value);
    }
    attached = words_[next_++];
  }
  if (!entry.values.empty() && flag.times == Times::Once) return fmt::format("{} was given more than once", shown);
  if (auto problem = check(flag, *attached, shown)) return problem;
  entry.values.push_back(std::move(*attached));
  return std::nullopt;
}

Parser::Problem Parser::check(const Flag& flag, const std::string& value, const std::string& shown) const {
  if (auto problem = check_choice(flag.choices, value, shown)) return problem;
  if (flag.type == ValueType::Number && !to_number(value)) {
    return fmt::format("{} must be a whole number, not {}", shown, quoted(value));
  }
  if (flag.type == ValueType::Duration && !parse_duration(value)) {
    return fmt::format("{} must be a duration such as 30s or 5m, not {}", shown, quoted(value));
  }
  return std::nullopt;
}

Parser::Problem Parser::fill_in(const Flag& flag) {
  auto& entry = parsed_.entries_[flag.name];
  if (entry.origin == Origin::CommandLine || flag.value.empty()) return std::nullopt;
  if (!flag.env.empty()) {
    // An empty variable counts as unset: the usual way to switch one off for a single command.
    if (const auto value = environment_(flag.env); value && !value->empty()) {
      entry.origin = Origin::Environment;
      entry.values = {*value};
      return check(flag, *value, "$" + flag.env);
    }
  }
  if (!flag.fallback.empty()) {
    entry.origin = Origin::Fallback;
    entry.values = {flag.fallback};
  }
  return std::nullopt;
}

Parser::Problem Parser::place_positionals() {
  std::size_t next = 0;
  for (const auto& positional : command_->positionals) {
    auto& entry = parsed_.entries_[positional.name];
    const bool many = positional.count == Count::Any || positional.count == Count::AtLeastOne;
    const std::size_t left = positionals_.size() - next;
    const std::size_t take = many ? left : std::min<std::size_t>(left, 1);
    for (std::size_t i = 0; i < take; ++i) {
      if (auto problem = check_choice(positional.choices, positionals_[next], positional.name)) return problem;
      entry.values.push_back(positionals_[next++]);
      entry.origin = Origin::CommandLine;
    }
    const bool needed = positional.count == Count::One || positional.count == Count::AtLeastOne;
    if (needed && take == 0) return fmt::format("{} is missing", positional.name);
  }
  if (next < positionals_.size()) return fmt::format("unexpected argument {}", quoted(positionals_[next]));
  return std::nullopt;
}

Parser::Problem Parser::finish_command() {
  if (!command_->commands.empty()) return "a command is missing";
  if (auto problem = place_positionals()) return problem;
  for (const auto* flag : flags()) {
    if (auto problem = fill_in(*flag)) return problem;
  }
  return std::nullopt;
}

std::variant<Parsed, ExitNow> Parser::run(std::vector<std::string> words) {
  words_ = std::move(words);
  Problem problem = walk();
  // Help wins over everything that could be wrong with the rest of the line.
  if (!problem && help_) return ExitNow{.stdout_text = help_text(program_, parsed_.command_)};
  if (!problem && version_) return ExitNow{.stdout_text = program_.root.name + " " + program_.version + "\n"};
  if (!problem) problem = finish_command();
  if (!problem) return std::move(parsed_);
  if (words_.empty()) return ExitNow{.code = kExitUsage, .stderr_text = help_text(program_, {})};
  return usage_error(program_, parsed_.command_, *problem);
}

const Parsed::Entry& Parsed::entry(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) throw std::logic_error("the command table has no '" + std::string(name) + "' here");
  return found->second;
}

Origin Parsed::origin(std::string_view name) const { return entry(name).origin; }

std::optional<std::string> Parsed::get(std::string_view name) const {
  const auto& values = entry(name).values;
  if (values.empty()) return std::nullopt;
  return values.back();
}

std::vector<std::string> Parsed::all(std::string_view name) const { return entry(name).values; }

std::int64_t Parsed::number(std::string_view name) const {
  const auto value = to_number(text(name));
  if (!value) throw std::logic_error("'" + std::string(name) + "' is no number");
  return *value;
}

}  // namespace nimbus::base
