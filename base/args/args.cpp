#include "base/args/args.hpp"

#include <cstdio>
#include <cstdlib>

#include "base/args/complete.hpp"
#include "base/args/manual.hpp"
#include "base/args/parser.hpp"
#include "base/file/file.hpp"

namespace nimbus::base {
namespace {

Result<> write_page(const std::string& path, const std::string& text) {
  constexpr unsigned kFolder = 0755, kFile = 0644;
  if (auto made = make_folders(path.substr(0, path.rfind('/')), kFolder); !made) return made;
  return write_file_atomically(path, text, kFile);
}

/// Man pages and completion scripts below a data folder, where Debian looks for them.
Result<> install_manual(const CommandTable& program, const std::string& folder) {
  const std::string& name = program.root.name;
  const std::string man = folder + "/man/man" + std::to_string(program.man_section) + "/";
  for (const auto& page : man_pages(program)) {
    if (auto written = write_page(man + page.file, man_page(program, page.path)); !written) return written;
  }
  const std::pair<std::string_view, std::string> scripts[] = {{"bash", "/bash-completion/completions/" + name},
                                                              {"zsh", "/zsh/vendor-completions/_" + name},
                                                              {"fish", "/fish/vendor_completions.d/" + name + ".fish"}};
  for (const auto& [shell, path] : scripts) {
    if (auto written = write_page(folder + path, completion_script(program, shell).value_or("")); !written)
      return written;
  }
  return {};
}

/// The hidden commands that every program answers; nothing if `words` is not one.
std::optional<ExitNow> built_in(const CommandTable& program, std::vector<std::string> words) {
  if (words.empty()) return std::nullopt;
  const std::string name = words.front();
  words.erase(words.begin());
  if (name == "__complete") return ExitNow{.stdout_text = to_text(complete(program, words))};
  if (name == "__reference") return ExitNow{.stdout_text = reference_page(program)};
  if (name == "__completion") {
    const auto script = completion_script(program, words.empty() ? "" : words.front());
    if (!script) return usage_error(program, {}, "__completion needs bash, zsh or fish");
    return ExitNow{.stdout_text = *script};
  }
  if (name == "__man") {
    if (find_command(program, words) == nullptr) return usage_error(program, {}, "__man: no such command");
    return ExitNow{.stdout_text = man_page(program, words)};
  }
  if (name == "__install") {
    if (words.size() != 1) return usage_error(program, {}, "__install needs a folder");
    if (auto installed = install_manual(program, words.front()); !installed) {
      return ExitNow{.code = 1, .stderr_text = program.root.name + ": " + installed.error().text() + "\n"};
    }
    return ExitNow{};
  }
  return std::nullopt;
}

}  // namespace

Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

std::variant<Parsed, ExitNow> parse(const CommandTable& program, int argc, const char* const* argv,
                                    const Environment& environment) {
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) words.emplace_back(argv[i]);
  if (auto exit = built_in(program, words)) return std::move(*exit);
  return Parser(program, environment).run(std::move(words));
}

ExitNow usage_error(const CommandTable& program, const std::vector<std::string>& path, std::string_view message) {
  const std::string line = command_line(program, path);
  return {.code = kExitUsage, .stderr_text = line + ": " + std::string(message) + "\nTry '" + line + " --help'.\n"};
}

int finish(const ExitNow& exit) {
  std::fwrite(exit.stdout_text.data(), 1, exit.stdout_text.size(), stdout);
  std::fwrite(exit.stderr_text.data(), 1, exit.stderr_text.size(), stderr);
  // Text that did not arrive (full disk, closed pipe) must not look like success.
  const bool arrived = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  return exit.code == 0 && !arrived ? 1 : exit.code;
}

}  // namespace nimbus::base
