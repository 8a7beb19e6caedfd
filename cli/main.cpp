// nimbusctl's main: the command line, the streams, one command.
#include <malloc.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <clocale>
#include <csignal>
#include <cstdio>
#include <exception>

#include "base/args/args.hpp"
#include "base/time/time.hpp"
#include "cli/context.hpp"

namespace {

using namespace nimbus;

std::size_t terminal_width() {
  if (isatty(STDOUT_FILENO) == 0) return 0;
  winsize size{};
  constexpr std::size_t kUsual = 80;
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

cli::Console::Settings console_settings(const base::Parsed& args, const base::Environment& environment) {
  const auto variable = [&](std::string_view name) { return environment(name).value_or(std::string()); };
  const std::string when = args.flag("no-color") ? "never" : args.text("color");
  const std::string no_color = variable("NO_COLOR"), force = variable("CLICOLOR_FORCE"), term = variable("TERM");
  const cli::ColorRules rules{.when = when, .no_color = no_color, .force = force, .term = term};
  return {.color_out = cli::choose_color(rules, isatty(STDOUT_FILENO) != 0),
          .color_err = cli::choose_color(rules, isatty(STDERR_FILENO) != 0),
          .talk = args.flag("quiet") ? cli::Talk::Quiet : cli::Talk::Normal,
          .width = terminal_width()};
}

int run(int argc, char** argv) {
  const base::CommandTable table = cli::command_table();
  const base::Environment environment = base::process_environment();
  auto parsed = base::parse(table, argc, argv, environment);
  if (const auto* exit = std::get_if<base::ExitNow>(&parsed)) return base::finish(*exit);
  const auto& args = std::get<base::Parsed>(parsed);

  cli::Console console(stdout, stderr, console_settings(args, environment));
  const base::SystemClock clock;
  cli::Context context{console, table, args, environment, clock};
  const cli::Handler handler = cli::handler_of(args.command());
  if (handler == nullptr) {
    console.error("this command is in the table but not in the program");
    return static_cast<int>(cli::Exit::Error);
  }
  const cli::Exit exit = handler(context);
  if (!console.flush()) {
    console.error("cannot write to standard output");
    return static_cast<int>(cli::Exit::Error);
  }
  return static_cast<int>(exit);
}

}  // namespace

int main(int argc, char** argv) {
  // One thread that mostly builds up: glibc's fast bins only bring it to consolidate again and again.
  mallopt(M_MXFAST, 0);
  std::setlocale(LC_CTYPE, "C.UTF-8");  // for the width of characters; texts are UTF-8 whatever the user's locale
  try {
    return run(argc, argv);
  } catch (const std::exception& broken) {
    std::fprintf(stderr, "nimbusctl: internal error: %s\n", broken.what());
    return static_cast<int>(nimbus::cli::Exit::Error);
  }
}
